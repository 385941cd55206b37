// SPDX-License-Identifier: GPL-2.0-only
/*
 * Transport sockets that a "hold" gives away, and user space's traffic on them
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "ovpn-cli.h"

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

struct sockaddr_un unix_address(const char *path)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };

	if (strlen(path) + sizeof(".new") > sizeof(un.sun_path))
		usage_error("path too long: %s", path);
	memcpy(un.sun_path, path, strlen(path));
	return un;
}

/* Ask the holder behind @path; its connection is *@holder */
static int fetch(const char *path, int *holder)
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
	int fd;

	*holder = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (*holder < 0 || connect(*holder, (void *)&un, sizeof(un)) ||
	    recvmsg(*holder, &msg, MSG_CMSG_CLOEXEC) != 1) {
		fail("socket %s: %s", path, strerror(errno));
		exit(1);
	}
	cmsg = CMSG_FIRSTHDR(&msg);
	if (!cmsg || cmsg->cmsg_type != SCM_RIGHTS) {
		fail("socket %s: no descriptor came", path);
		exit(1);
	}
	memcpy(&fd, CMSG_DATA(cmsg), sizeof(fd));
	return fd;
}

/* The descriptor that the holder behind @path gives away */
int socket_fetch(const char *path)
{
	int holder, fd = fetch(path, &holder);

	close(holder);
	return fd;
}

/* Let the holder close one of its sockets, and wait until it is closed */
int cmd_drop(struct args *a)
{
	const char *path = arg_next(a, "PATH");
	int holder, fd;
	char byte = 'x';

	arg_end(a);
	fd = fetch(path, &holder);
	close(fd);
	if (write(holder, &byte, 1) != 1 || read(holder, &byte, 1))
		return fail("%s: %s", path, strerror(errno));
	return 0;
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
	char addr[NI_MAXHOST] = "-", port[NI_MAXSERV] = "-";
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
