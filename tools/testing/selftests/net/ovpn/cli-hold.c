// SPDX-License-Identifier: GPL-2.0-only
/*
 * Transport sockets that outlive one call of the program
 *
 * "hold" opens a socket in its own network namespace and hands the descriptor
 * to everybody who connects to a unix socket. So the device may well live in
 * another namespace than its transport, and a test closes the transport by
 * killing the holder. One holder may have many TCP connections, each with a
 * unix socket of its own.
 */
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <sys/un.h>
#include <unistd.h>

#include "ovpn-cli.h"

#ifndef IPPROTO_MPTCP
#define IPPROTO_MPTCP	262
#endif

#define HELD_MAX	500

/* What a TCP socket is to become */
enum tcp_role {
	ROLE_SELF,	/* accepted from a client in here */
	ROLE_IDLE,	/* stays as it is */
	ROLE_TO,		/* connected */
	ROLE_ACCEPT,	/* the first connection that comes */
	ROLE_LISTEN,	/* the listening socket, and all that come */
};

static struct {
	enum tcp_role role;
	const char *to;
	uint16_t port;
	unsigned int count;
} tcp;

/* A descriptor and who gives it away; -1: accepted when it is asked for */
struct held {
	struct sockaddr_un path;
	int fd, server;
};

static struct held held[HELD_MAX];
static unsigned int held_count;
static int listener = -1;

static void set_option(int fd, int level, int option, int value)
{
	if (setsockopt(fd, level, option, &value, sizeof(value))) {
		fail("setsockopt: %s", strerror(errno));
		exit(1);
	}
}

static bool apply_number(int fd, struct args *a)
{
	static const struct {
		const char *name;
		int level, option;
	} numbers[] = {
		{ "mark", SOL_SOCKET, SO_MARK },
		{ "pmtudisc", IPPROTO_IP, IP_MTU_DISCOVER },
		{ "pmtudisc6", IPPROTO_IPV6, IPV6_MTU_DISCOVER },
		{ "rcvbuf", SOL_SOCKET, SO_RCVBUFFORCE },
		{ "sndbuf", SOL_SOCKET, SO_SNDBUFFORCE },
		{ "tos", IPPROTO_IP, IP_TOS },
		{ "user-timeout", IPPROTO_TCP, TCP_USER_TIMEOUT },
	};
	size_t i;

	for (i = 0; i < MNL_ARRAY_SIZE(numbers); i++) {
		if (!arg_is(a, numbers[i].name))
			continue;
		set_option(fd, numbers[i].level, numbers[i].option,
			   arg_number(a, numbers[i].name, UINT32_MAX));
		return true;
	}
	return false;
}

static bool apply_flag(int fd, struct args *a)
{
	static const struct {
		const char *name;
		int level, option;
	} flags[] = {
		{ "no-check", SOL_SOCKET, SO_NO_CHECK },
		{ "nodelay", IPPROTO_TCP, TCP_NODELAY },
		{ "reuse", SOL_SOCKET, SO_REUSEADDR },
		{ "v6only", IPPROTO_IPV6, IPV6_V6ONLY },
	};
	size_t i;

	for (i = 0; i < MNL_ARRAY_SIZE(flags); i++) {
		if (!arg_is(a, flags[i].name))
			continue;
		set_option(fd, flags[i].level, flags[i].option, 1);
		return true;
	}
	return false;
}

static bool parse_role(struct args *a)
{
	if (arg_is(a, "idle")) {
		tcp.role = ROLE_IDLE;
	} else if (arg_is(a, "accept")) {
		tcp.role = ROLE_ACCEPT;
	} else if (arg_is(a, "listen")) {
		tcp.role = ROLE_LISTEN;
	} else if (arg_is(a, "to")) {
		tcp.role = ROLE_TO;
		tcp.to = arg_next(a, "ADDR");
		tcp.port = arg_number(a, "PORT", UINT16_MAX);
	} else if (arg_is(a, "count")) {
		tcp.count = arg_number(a, "count", HELD_MAX);
	} else {
		return false;
	}
	return true;
}

static void apply_options(int fd, struct args a, bool is_tcp)
{
	struct linger reset = { .l_onoff = 1 };

	while (a.argc) {
		if (arg_is(&a, "dev")) {
			const char *dev = arg_next(&a, "DEV");

			if (setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, dev,
				       strlen(dev) + 1)) {
				fail("bind to %s: %s", dev, strerror(errno));
				exit(1);
			}
		} else if (is_tcp && arg_is(&a, "reset")) {
			setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset,
				   sizeof(reset));
		} else if (!apply_number(fd, &a) && !apply_flag(fd, &a) &&
			   !(is_tcp && parse_role(&a))) {
			arg_end(&a);
		}
	}
}

/* The accepted end of a connection to ourselves; the other end is kept open */
static int tcp_accepted(int fd)
{
	struct sockaddr_storage ss;
	socklen_t len = sizeof(ss), plen = sizeof(int);
	int client, protocol = 0;

	if (listen(fd, 1) || getsockname(fd, (void *)&ss, &len) ||
	    getsockopt(fd, SOL_SOCKET, SO_PROTOCOL, &protocol, &plen))
		return -1;
	client = socket(ss.ss_family, SOCK_STREAM | SOCK_CLOEXEC, protocol);
	if (client < 0 || connect(client, (void *)&ss, len))
		return -1;
	return accept4(fd, NULL, NULL, SOCK_CLOEXEC);
}

static int tcp_socket(int fd, int family)
{
	struct sockaddr_storage ss;
	socklen_t len;

	switch (tcp.role) {
	case ROLE_SELF:
		return tcp_accepted(fd);
	case ROLE_IDLE:
		return fd;
	case ROLE_TO:
		parse_address(family, tcp.to, tcp.port, &ss, &len);
		return connect(fd, (void *)&ss, len) ? -1 : fd;
	default:
		if (listen(fd, HELD_MAX))
			return -1;
		listener = fd;
		return tcp.role == ROLE_LISTEN ? fd : -1;
	}
}

/* The same arguments may be read for many sockets */
static int open_socket(const char *kind, struct args a)
{
	bool mptcp = !strncmp(kind, "mptcp", 5);
	bool is_tcp = mptcp || !strncmp(kind, "tcp", 3);
	const char *version = kind + (mptcp ? 5 : 3);
	struct sockaddr_storage ss;
	const char *addr;
	int fd, family;
	socklen_t len;

	if (!strcmp(kind, "unix") || !strcmp(kind, "file")) {
		arg_end(&a);
		return *kind == 'u' ?
		       socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0) :
		       open("/dev/null", O_RDWR | O_CLOEXEC);
	}
	if ((!is_tcp && strncmp(kind, "udp", 3)) ||
	    (strcmp(version, "4") && strcmp(version, "6")))
		usage_error("unknown kind of socket: %s", kind);
	family = *version == '4' ? AF_INET : AF_INET6;

	addr = arg_next(&a, "ADDR");
	parse_address(family, addr, arg_number(&a, "PORT", UINT16_MAX), &ss,
		      &len);

	fd = socket(family, (is_tcp ? SOCK_STREAM : SOCK_DGRAM) | SOCK_CLOEXEC,
		    mptcp ? IPPROTO_MPTCP : 0);
	if (fd < 0)
		return -1;
	if (family == AF_INET6)
		set_option(fd, IPPROTO_IPV6, IPV6_V6ONLY, 0);
	if (is_tcp)
		set_option(fd, SOL_SOCKET, SO_REUSEADDR, 1);
	apply_options(fd, a, is_tcp);
	if (bind(fd, (void *)&ss, len))
		return -1;
	return is_tcp ? tcp_socket(fd, family) : fd;
}

static void drop_paths(int sig)
{
	unsigned int i;

	for (i = 0; i < held_count; i++)
		unlink(held[i].path.sun_path);
	_exit(sig == SIGTERM ? 0 : 1);
}

static void hand_over(int client, int fd)
{
	_Alignas(8) char control[CMSG_SPACE(sizeof(fd))] = {};
	char byte = 'f';
	struct iovec iov = { .iov_base = &byte, .iov_len = 1 };
	struct msghdr msg = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control),
	};
	struct cmsghdr *cmsg = CMSG_FIRSTHDR(&msg);

	cmsg->cmsg_level = SOL_SOCKET;
	cmsg->cmsg_type = SCM_RIGHTS;
	cmsg->cmsg_len = CMSG_LEN(sizeof(fd));
	memcpy(CMSG_DATA(cmsg), &fd, sizeof(fd));
	if (sendmsg(client, &msg, MSG_NOSIGNAL) < 0)
		fail("hand over: %s", strerror(errno));
}

/* Give @fd away on @path, or on PATH.N */
static int hold_fd(const char *path, unsigned int n, int fd)
{
	struct held *h = &held[held_count];
	struct sockaddr_un un;
	char name[sizeof(un.sun_path)];

	if (held_count == HELD_MAX)
		return fail("too many connections");
	if (n)
		snprintf(name, sizeof(name), "%s.%u", path, n);
	else
		snprintf(name, sizeof(name), "%s", path);
	h->path = unix_address(name);
	h->fd = fd;
	/* the path appears only once it can be connected to */
	un = h->path;
	strcat(un.sun_path, ".new");
	unlink(un.sun_path);
	h->server = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (h->server < 0 || bind(h->server, (void *)&un, sizeof(un)) ||
	    listen(h->server, 16) || rename(un.sun_path, name))
		return fail("%s: %s", name, strerror(errno));
	held_count++;
	return 0;
}

/* Somebody wants the descriptor, or wants it closed ("drop") */
static void serve(struct held *h)
{
	int client = accept4(h->server, NULL, NULL, SOCK_CLOEXEC);
	char wish;

	if (client < 0)
		return;
	if (h->fd < 0) {
		h->fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
		close(listener);
		listener = -1;
	}
	hand_over(client, h->fd);
	if (read(client, &wish, 1) == 1) {
		unlink(h->path.sun_path);
		close(h->server);
		close(h->fd);
		/* those behind keep their places */
		h->server = -1;
	}
	close(client);
}

static int hold_loop(const char *path)
{
	static struct pollfd pfd[HELD_MAX + 1];
	unsigned int i, count, n = 0;

	for (;;) {
		count = held_count;
		for (i = 0; i < count; i++)
			pfd[i] = (struct pollfd){ held[i].server, POLLIN, 0 };
		pfd[count] = (struct pollfd){
			tcp.role == ROLE_LISTEN ? listener : -1, POLLIN, 0
		};
		if (poll(pfd, count + 1, -1) < 0)
			return fail("poll: %s", strerror(errno));
		for (i = 0; i < count; i++)
			if (pfd[i].revents)
				serve(&held[i]);
		if (pfd[count].revents &&
		    hold_fd(path, ++n, accept4(listener, NULL, NULL,
					       SOCK_CLOEXEC)))
			return 1;
	}
}

int cmd_hold(struct args *a)
{
	const char *path = arg_next(a, "PATH");
	const char *kind = arg_next(a, "KIND");
	unsigned int i = 0;
	int fd;

	signal(SIGTERM, drop_paths);
	signal(SIGINT, drop_paths);
	do {
		fd = open_socket(kind, *a);
		if (fd < 0 && listener < 0)
			return fail("%s socket: %s", kind, strerror(errno));
		if (hold_fd(path, tcp.count ? i + 1 : 0, fd))
			return 1;
	} while (++i < tcp.count);
	puts("ready");
	fflush(stdout);
	return hold_loop(path);
}
