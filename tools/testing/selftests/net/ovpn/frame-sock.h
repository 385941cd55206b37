/* SPDX-License-Identifier: GPL-2.0 */
/* Socket addresses, and the sockets that ovpn-cli holds. */
#ifndef _OVPN_FRAME_SOCK_H
#define _OVPN_FRAME_SOCK_H

#include <err.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "frame-inner.h"

static inline socklen_t to_sockaddr(const struct inner_addr *addr,
				    struct sockaddr_storage *ss)
{
	struct sockaddr_in6 *sin6 = (void *)ss;
	struct sockaddr_in *sin = (void *)ss;

	memset(ss, 0, sizeof(*ss));
	ss->ss_family = addr->family;
	if (addr->family == AF_INET) {
		sin->sin_addr = addr->v4;
		sin->sin_port = htons(addr->port);
		return sizeof(*sin);
	}
	sin6->sin6_addr = addr->v6;
	sin6->sin6_port = htons(addr->port);
	return sizeof(*sin6);
}

static inline void from_sockaddr(struct inner_addr *addr,
				 const struct sockaddr_storage *ss)
{
	const struct sockaddr_in6 *sin6 = (const void *)ss;
	const struct sockaddr_in *sin = (const void *)ss;

	addr->family = ss->ss_family;
	if (addr->family == AF_INET) {
		addr->v4 = sin->sin_addr;
		addr->port = ntohs(sin->sin_port);
	} else {
		addr->v6 = sin6->sin6_addr;
		addr->port = ntohs(sin6->sin6_port);
	}
}

/* ovpn-cli's holder answers a connection with the descriptor */
static inline int frame_fetch(const char *path)
{
	union {
		struct cmsghdr hdr;
		char buf[CMSG_SPACE(sizeof(int))];
	} ctl;
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	char byte;
	struct iovec iov = { &byte, 1 };
	struct msghdr msg = {
		.msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = &ctl, .msg_controllen = sizeof(ctl),
	};
	int holder = socket(AF_UNIX, SOCK_STREAM, 0), sk;

	if (!path)
		errx(2, "sock is needed");
	snprintf(un.sun_path, sizeof(un.sun_path), "%s", path);
	if (connect(holder, (struct sockaddr *)&un, sizeof(un)) ||
	    recvmsg(holder, &msg, 0) != 1 || !CMSG_FIRSTHDR(&msg))
		err(1, "%s", path);
	memcpy(&sk, CMSG_DATA(CMSG_FIRSTHDR(&msg)), sizeof(sk));
	close(holder);
	return sk;
}

static inline int frame_mark(const char *path, __u32 mark)
{
	if (setsockopt(frame_fetch(path), SOL_SOCKET, SO_MARK, &mark,
		       sizeof(mark)))
		err(1, "SO_MARK");
	return 0;
}

/* A socket that was given any port leaves it when it connects to nothing */
static inline int frame_rebind(const char *path, const struct inner_addr *to)
{
	struct sockaddr nothing = { .sa_family = AF_UNSPEC };
	struct sockaddr_storage ss;
	int fd = frame_fetch(path);

	if (connect(fd, &nothing, sizeof(nothing)) ||
	    bind(fd, (struct sockaddr *)&ss, to_sockaddr(to, &ss)))
		err(1, "bind again");
	return 0;
}

static inline int frame_device(const char *path, const char *dev)
{
	if (!dev)
		errx(2, "dev is needed");
	if (setsockopt(frame_fetch(path), SOL_SOCKET, SO_BINDTODEVICE, dev,
		       strlen(dev) + 1))
		err(1, "SO_BINDTODEVICE");
	return 0;
}

static inline int frame_ipsec(const char *path, int encap)
{
	int fd = frame_fetch(path), gro = !!encap;

	if (setsockopt(fd, IPPROTO_UDP, UDP_GRO, &gro, sizeof(gro)) ||
	    setsockopt(fd, IPPROTO_UDP, UDP_ENCAP, &encap, sizeof(encap)))
		err(1, "UDP_GRO and UDP_ENCAP");
	return 0;
}

#endif /* _OVPN_FRAME_SOCK_H */
