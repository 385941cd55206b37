// SPDX-License-Identifier: GPL-2.0-only
/* The operations, and how they may end when another one is in their way */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/udp.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "stress.h"

#ifndef UDP_SEGMENT
#define UDP_SEGMENT	103
#endif

#define SEGMENT		400

/* no such peer, or device; without the module, no such family */
static const int gone_errors[] = { ENOENT, ENODEV, 0 };

/* the id is taken; the socket is in use, not connected any more, or closed */
static const int new_errors[] = {
	EEXIST, EBUSY, EINVAL, EBADF, ENOENT, ENODEV, 0
};

static const int link_errors[] = { ENODEV, 0 };
static const int unload_errors[] = { EAGAIN, EBUSY, ENOENT, 0 };
static const int no_errors[] = { 0 };

/* no route, no device, or no room; the other end has closed; the route's device
 * has just lost what it knew of IPv4, as one does that leaves its namespace, or
 * is one that swallows all, and whose MTU is that small
 */
static const int send_errors[] = {
	ENETUNREACH, EHOSTUNREACH, ENETDOWN, ENODEV, EAGAIN, EBADF,
	ECONNREFUSED, ECONNRESET, EPIPE, ENOTCONN, EINVAL, EADDRNOTAVAIL,
	EMSGSIZE, 0
};

/* nothing to read, no room; closed, by us or by the other end */
static const int user_errors[] = {
	EAGAIN, EBADF, ECONNRESET, EPIPE, ENOTCONN, 0
};

static int op_peer_new(struct actor *me)
{
	struct stage *st = me->stage;
	struct sockaddr_in remote;
	int sock = st->sock;

	/* what is given away, and a connection, serve one peer only */
	if (sock < 0 || st->tcp)
		sock = st->spare;
	remote_of(st->spare_far, &remote);
	return nl_peer_new(me, sock, st->tcp ? NULL : &remote);
}

static int op_peer_set(struct actor *me)
{
	static const uint32_t vpn[] = { VPN_THEIRS, VPN_MOVED };
	struct stage *st = me->stage;
	struct sockaddr_in remote;
	bool odd = me->seq & 1;

	if (!st->tcp)
		remote_of(st->other[odd], &remote);
	/* it goes on to expire, if it is to */
	return nl_peer_set(me, st->tcp ? NULL : &remote, vpn[odd],
			   vpn[me->seq >> 1 & 1],
			   st->flags & TIMED ? -1 : odd,
			   st->flags & TIMED ? -1 : 3600);
}

static int op_peer_del(struct actor *me)
{
	return nl_peer_del(me);
}

static int op_key_new(struct actor *me)
{
	return nl_key_new(me, me->seq & 1, me->seq & 1);
}

static int op_key_swap(struct actor *me)
{
	return nl_key_swap(me);
}

static int op_key_del(struct actor *me)
{
	return nl_key_del(me, me->seq & 1);
}

static int op_rekey(struct actor *me)
{
	int error = nl_key_new(me, 1, me->seq & 7);

	if (!error)
		error = nl_key_swap(me);
	return error ?: nl_key_del(me, 1);
}

static int send_frames(struct actor *me, int fd)
{
	unsigned int i;

	for (i = 0; i < FRAMES; i++)
		if (send(fd, me->frame[i], me->frame_len[i],
			 MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
			return errno;
	return 0;
}

static int op_rx(struct actor *me)
{
	return send_frames(me, me->stage->far);
}

static int op_float(struct actor *me)
{
	struct stage *st = me->stage;

	return send_frames(me, st->other[st->floats++ & 1]);
}

/* Single packets, then a super-packet */
static int send_inner(int fd, bool inet6)
{
	_Alignas(8) char control[CMSG_SPACE(sizeof(uint16_t))];
	static char data[3 * SEGMENT];
	struct sockaddr_storage to;
	struct iovec iov = { data, SEGMENT };
	struct msghdr msg = {
		.msg_name = &to,
		.msg_namelen = vpn_addr(&to, VPN_THEIRS, inet6),
		.msg_iov = &iov, .msg_iovlen = 1,
	};
	uint16_t size = SEGMENT;
	struct cmsghdr *cmsg;
	int i;

	for (i = 0; i < 2; i++)
		if (sendmsg(fd, &msg, MSG_DONTWAIT) < 0)
			return errno;

	memset(control, 0, sizeof(control));
	msg.msg_control = control;
	msg.msg_controllen = sizeof(control);
	cmsg = CMSG_FIRSTHDR(&msg);
	cmsg->cmsg_level = IPPROTO_UDP;
	cmsg->cmsg_type = UDP_SEGMENT;
	cmsg->cmsg_len = CMSG_LEN(sizeof(size));
	memcpy(CMSG_DATA(cmsg), &size, sizeof(size));
	iov.iov_len = sizeof(data);
	return sendmsg(fd, &msg, MSG_DONTWAIT) < 0 ? errno : 0;
}

static int op_tx(struct actor *me)
{
	int error = send_inner(me->inner, false);

	if (me->stage->inet6)
		error = send_inner(me->inner6, true) ?: error;
	return error;
}

/*
 * The owner of a connection at work: of one that the device is taking, if it
 * is, or else of one that it has. No read ends within a record.
 */
static int op_user(struct actor *me)
{
	static const uint8_t record[] = { 0, 5, 0x20, 1, 2, 3, 4 };
	struct stage *st = me->stage;
	bool spare = st->flags & SPARE && !(st->flags & OWNED);
	struct pollfd fd = {
		.fd = spare ? st->spare : st->sock,
		.events = POLLIN | POLLOUT,
	};
	uint8_t buf[9 * sizeof(record)];
	int error = 0;

	/* something to read, unless the other end has gone */
	send(spare ? st->spare_far : st->far, record, sizeof(record),
	     MSG_NOSIGNAL | MSG_DONTWAIT);
	if (poll(&fd, 1, 0) < 0 ||
	    send(fd.fd, record, sizeof(record),
		 MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
		error = errno;
	return recv(fd.fd, buf, sizeof(buf), MSG_DONTWAIT) < 0 ? errno : error;
}

static int op_dump(struct actor *me)
{
	int error = nl_peer_dump(me);

	if (!error)
		error = nl_peer_get(me, NULL, NULL);
	return error ?: nl_key_get(me, 0, NULL, NULL);
}

/* It comes by itself */
static int op_expiry(struct actor *me)
{
	double left = me->stage->due + 0.3 - now();

	if (left > 0)
		usleep(left * 1e6);
	return 0;
}

static int op_close(struct actor *me)
{
	struct stage *st = me->stage;
	int fd = st->sock;

	if (fd < 0)
		return 0;
	st->sock = -1;
	return close(fd) ? errno : 0;
}

static int op_kill(struct actor *me)
{
	struct stage *st = me->stage;

	if (kill(st->owner, SIGKILL) || waitpid(st->owner, NULL, 0) < 0)
		return errno;
	st->owner = 0;
	return 0;
}

static int op_tcp_reset(struct actor *me)
{
	close_hard(&me->stage->far);
	return 0;
}

static int op_link_del(struct actor *me)
{
	return nl_link_del(me, me->route, me->stage->ifindex);
}

static int op_down(struct actor *me)
{
	int error = nl_link_up(me, false);

	return error ?: nl_link_up(me, true);
}

static int op_netns_move(struct actor *me)
{
	return nl_link_move(me, me->stage->away);
}

/* The other one closes its sockets there when it has done */
static int op_netns_exit(struct actor *me)
{
	struct stage *st = me->stage;

	close(st->ns);
	st->ns = -1;
	actor_close(me);
	return 0;
}

static int op_unload(struct actor *me)
{
	return syscall(SYS_delete_module, "ovpn", O_NONBLOCK) ? errno : 0;
}

const struct op ops[] = {
	{ "peer-new", op_peer_new, GONE_PEER, SPARE, new_errors },
	{ "peer-set", op_peer_set, 0, 0, gone_errors },
	{ "peer-del", op_peer_del, GONE_PEER, 0, gone_errors },
	{ "key-new", op_key_new, GONE_KEYS, 0, gone_errors },
	{ "key-swap", op_key_swap, GONE_KEYS, 0, gone_errors },
	{ "key-del", op_key_del, GONE_KEYS, 0, gone_errors },
	{ "rekey", op_rekey, GONE_KEYS, 0, gone_errors },
	{ "dump", op_dump, 0, 0, gone_errors },
	{ "tx", op_tx, 0, 0, send_errors },
	{ "rx", op_rx, 0, FRAME | OUTSIDE, send_errors },
	{ "user", op_user, 0, OUTSIDE | ONLY_TCP | KEEPS, user_errors },
	{ "float", op_float, 0, FRAME | OUTSIDE | ONLY_UDP, send_errors },
	{ "expiry", op_expiry, GONE_PEER, TIMED | OUTSIDE, no_errors },
	{ "close", op_close, GONE_SOCK, ONCE | OUTSIDE | KEEPS, no_errors },
	{ "kill", op_kill, GONE_SOCK, OWNED | SPARE | ONCE | OUTSIDE,
	  no_errors },
	{ "tcp-reset", op_tcp_reset, GONE_SOCK, ONLY_TCP | ONCE | OUTSIDE,
	  no_errors },
	{ "down", op_down, 0, 0, link_errors },
	{ "link-del", op_link_del, GONE_DEV, ONCE, link_errors },
	{ "netns-move", op_netns_move, GONE_DEV, ONCE, link_errors },
	{ "netns-exit", op_netns_exit, GONE_DEV, IN_NS | ONCE, no_errors },
	{ "unload", op_unload, GONE_DEV | GONE_MODULE, ONCE | ALONE,
	  unload_errors },
	{ }
};

const struct op *op_find(const char *name)
{
	const struct op *op;

	for (op = ops; op->name; op++)
		if (!strcmp(op->name, name))
			return op;
	return NULL;
}

bool op_may_return(const struct op *op, const struct op *other, int error)
{
	const int *may;

	/* of a module that is going, netlink begins no dump */
	if (error == EPROTONOSUPPORT && op->run == op_dump)
		return other->gone & GONE_MODULE;
	for (may = op->errors; *may; may++)
		if (*may == error)
			return true;
	return !error;
}
