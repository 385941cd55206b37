// SPDX-License-Identifier: GPL-2.0-only
/*
 * Transport sockets that outlive one call of the program
 *
 * "hold" opens a socket in its own network namespace and hands the descriptor
 * to everybody who connects to a unix socket. So the device may well live in
 * another namespace than its transport, and a test closes the transport by
 * killing the holder.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "ovpn-cli.h"

static char held_path[sizeof(((struct sockaddr_un *)0)->sun_path)];

/* A numeric address; family AF_UNSPEC takes what it looks like */
int parse_address(int family, const char *addr, uint16_t port,
		  struct sockaddr_storage *ss, socklen_t *len)
{
	struct addrinfo hints = {
		.ai_family = family,
		.ai_socktype = SOCK_DGRAM,
		.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV,
	};
	struct addrinfo *info;
	char service[6];

	snprintf(service, sizeof(service), "%u", port);
	if (getaddrinfo(addr, service, &hints, &info))
		usage_error("bad address: %s", addr);
	memcpy(ss, info->ai_addr, info->ai_addrlen);
	*len = info->ai_addrlen;
	freeaddrinfo(info);
	return ss->ss_family;
}

static struct sockaddr_un unix_address(const char *path)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };

	if (strlen(path) + sizeof(".new") > sizeof(un.sun_path))
		usage_error("path too long: %s", path);
	memcpy(un.sun_path, path, strlen(path));
	return un;
}

static void set_option(int fd, int level, int option, int value)
{
	if (setsockopt(fd, level, option, &value, sizeof(value))) {
		fail("setsockopt: %s", strerror(errno));
		exit(1);
	}
}

static void apply_options(int fd, struct args *a)
{
	while (a->argc) {
		if (arg_is(a, "dev")) {
			const char *dev = arg_next(a, "DEV");

			if (setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, dev,
				       strlen(dev) + 1)) {
				fail("bind to %s: %s", dev, strerror(errno));
				exit(1);
			}
		} else if (arg_is(a, "mark")) {
			set_option(fd, SOL_SOCKET, SO_MARK,
				   arg_number(a, "mark", UINT32_MAX));
		} else if (arg_is(a, "tos")) {
			set_option(fd, IPPROTO_IP, IP_TOS,
				   arg_number(a, "tos", UINT8_MAX));
		} else if (arg_is(a, "pmtudisc")) {
			set_option(fd, IPPROTO_IP, IP_MTU_DISCOVER,
				   arg_number(a, "pmtudisc", 5));
		} else if (arg_is(a, "v6only")) {
			set_option(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1);
		} else if (arg_is(a, "reuse")) {
			set_option(fd, SOL_SOCKET, SO_REUSEADDR, 1);
		} else {
			arg_end(a);
		}
	}
}

/* The accepted end of a connection to ourselves; the other end is kept open */
static int tcp_accepted(int fd)
{
	struct sockaddr_storage ss;
	socklen_t len = sizeof(ss);
	int client;

	if (listen(fd, 1) || getsockname(fd, (void *)&ss, &len))
		return -1;
	client = socket(ss.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (client < 0 || connect(client, (void *)&ss, len))
		return -1;
	return accept4(fd, NULL, NULL, SOCK_CLOEXEC);
}

static int open_socket(const char *kind, struct args *a)
{
	struct sockaddr_storage ss;
	const char *addr;
	socklen_t len;
	int fd, family;
	bool tcp;

	if (!strcmp(kind, "unix"))
		return socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (!strcmp(kind, "file"))
		return open("/dev/null", O_RDWR | O_CLOEXEC);

	tcp = !strncmp(kind, "tcp", 3);
	if ((!tcp && strncmp(kind, "udp", 3)) ||
	    (strcmp(kind + 3, "4") && strcmp(kind + 3, "6")))
		usage_error("unknown kind of socket: %s", kind);
	family = kind[3] == '4' ? AF_INET : AF_INET6;

	addr = arg_next(a, "ADDR");
	parse_address(family, addr, arg_number(a, "PORT", UINT16_MAX), &ss,
		      &len);

	fd = socket(family, (tcp ? SOCK_STREAM : SOCK_DGRAM) | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -1;
	if (family == AF_INET6)
		set_option(fd, IPPROTO_IPV6, IPV6_V6ONLY, 0);
	apply_options(fd, a);
	if (bind(fd, (void *)&ss, len))
		return -1;
	return tcp ? tcp_accepted(fd) : fd;
}

static void drop_path(int sig)
{
	unlink(held_path);
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

int cmd_hold(struct args *a)
{
	const char *path = arg_next(a, "PATH");
	const char *kind = arg_next(a, "KIND");
	struct sockaddr_un un = unix_address(path);
	int fd, server, client;

	fd = open_socket(kind, a);
	if (fd < 0)
		return fail("%s socket: %s", kind, strerror(errno));
	arg_end(a);

	/* the path appears only once it can be connected to */
	strcat(un.sun_path, ".new");
	unlink(un.sun_path);
	server = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (server < 0 || bind(server, (void *)&un, sizeof(un)) ||
	    listen(server, 16) || rename(un.sun_path, path))
		return fail("%s: %s", path, strerror(errno));
	memcpy(held_path, path, strlen(path));
	signal(SIGTERM, drop_path);
	signal(SIGINT, drop_path);
	puts("ready");
	fflush(stdout);

	while ((client = accept4(server, NULL, NULL, SOCK_CLOEXEC)) >= 0) {
		hand_over(client, fd);
		close(client);
	}
	return fail("accept: %s", strerror(errno));
}

/* The descriptor that the holder behind @path gives away */
int socket_fetch(const char *path)
{
	_Alignas(8) char control[CMSG_SPACE(sizeof(int))];
	char byte;
	struct iovec iov = { .iov_base = &byte, .iov_len = 1 };
	struct msghdr msg = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control),
	};
	struct sockaddr_un un = unix_address(path);
	struct cmsghdr *cmsg;
	int fd, server;

	server = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (server < 0 || connect(server, (void *)&un, sizeof(un)) ||
	    recvmsg(server, &msg, MSG_CMSG_CLOEXEC) != 1) {
		fail("socket %s: %s", path, strerror(errno));
		exit(1);
	}
	close(server);
	cmsg = CMSG_FIRSTHDR(&msg);
	if (!cmsg || cmsg->cmsg_type != SCM_RIGHTS) {
		fail("socket %s: no descriptor came", path);
		exit(1);
	}
	memcpy(&fd, CMSG_DATA(cmsg), sizeof(fd));
	return fd;
}

/* IPv4 goes out of an IPv6 socket in the mapped form */
static void map_v4(struct sockaddr_storage *ss, socklen_t *len)
{
	const struct sockaddr_in *v4 = (const void *)ss;
	struct sockaddr_in6 v6 = {
		.sin6_family = AF_INET6,
		.sin6_port = v4->sin_port,
	};

	v6.sin6_addr.s6_addr[10] = 0xff;
	v6.sin6_addr.s6_addr[11] = 0xff;
	memcpy(&v6.sin6_addr.s6_addr[12], &v4->sin_addr, 4);
	memcpy(ss, &v6, sizeof(v6));
	*len = sizeof(v6);
}

int cmd_send(struct args *a)
{
	const char *path = arg_next(a, "PATH");
	const char *hex = arg_next(a, "HEX");
	const char *addr = arg_next(a, "ADDR");
	uint16_t port = arg_number(a, "PORT", UINT16_MAX);
	struct sockaddr_storage ss;
	static uint8_t data[65536];
	int fd, family = 0;
	socklen_t slen, len = sizeof(family);
	size_t size;

	arg_end(a);
	size = parse_hex(hex, strlen(hex), data, sizeof(data));
	parse_address(AF_UNSPEC, addr, port, &ss, &slen);
	fd = socket_fetch(path);
	getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &family, &len);
	if (family == AF_INET6 && ss.ss_family == AF_INET)
		map_v4(&ss, &slen);
	if (sendto(fd, data, size, 0, (void *)&ss, slen) != (ssize_t)size)
		return fail("%s", strerror(errno));
	return 0;
}

int cmd_recv(struct args *a)
{
	const char *path = arg_next(a, "PATH");
	struct pollfd pfd = { .events = POLLIN };
	char addr[NI_MAXHOST], port[NI_MAXSERV];
	struct sockaddr_storage ss;
	static uint8_t data[65536];
	socklen_t len = sizeof(ss);
	int timeout = -1;
	ssize_t i, got;

	if (arg_is(a, "timeout"))
		timeout = arg_number(a, "timeout", 3600) * 1000;
	arg_end(a);

	pfd.fd = socket_fetch(path);
	switch (poll(&pfd, 1, timeout)) {
	case 0:
		return fail("%s", strerror(ETIMEDOUT));
	case -1:
		return fail("poll: %s", strerror(errno));
	}
	got = recvfrom(pfd.fd, data, sizeof(data), MSG_DONTWAIT, (void *)&ss,
		       &len);
	if (got < 0)
		return fail("%s", strerror(errno));
	getnameinfo((void *)&ss, len, addr, sizeof(addr), port, sizeof(port),
		    NI_NUMERICHOST | NI_NUMERICSERV);
	printf("%s %s ", addr, port);
	for (i = 0; i < got; i++)
		printf("%02x", data[i]);
	putchar('\n');
	return 0;
}
