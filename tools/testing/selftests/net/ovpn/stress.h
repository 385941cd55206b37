/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * ovpn-stress: what its parts share.
 *
 * A stage is one device with one peer, on a socket whose other end is ours,
 * too. It stands in the network namespace of one process, all over the loopback
 * device. What operations have spoiled is built again before the next ones.
 */
#ifndef _OVPN_STRESS_H
#define _OVPN_STRESS_H

#include <linux/netlink.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/types.h>

#define DEV		"stress"
#define PEER_ID		1
#define TX_ID		7
#define FRAMES		3
#define FRAME_ROOM	256
#define ERRORS		134

/* in host order; over IPv6, fd08:: with the last byte */
#define VPN_OURS	0x0a080001
#define VPN_THEIRS	0x0a080002
#define VPN_MOVED	0x0a080003

/* What an operation spoils */
enum {
	GONE_DEV	= 1 << 0,
	GONE_SOCK	= 1 << 1,
	GONE_PEER	= 1 << 2,
	GONE_KEYS	= 1 << 3,
	GONE_MODULE	= 1 << 4,
	GONE_ALL	= GONE_DEV | GONE_SOCK | GONE_PEER | GONE_KEYS,
};

/* What else is to be known of it */
enum {
	ONLY_UDP	= 1 << 0,
	ONLY_TCP	= 1 << 1,
	IN_NS		= 1 << 2,	/* needs a namespace for the device */
	OWNED		= 1 << 3,	/* another process has the socket */
	SPARE		= 1 << 4,	/* brings a socket of its own */
	FRAME		= 1 << 5,	/* sends what is prepared */
	TIMED		= 1 << 6,	/* comes about by itself, in a second */
	ONCE		= 1 << 7,	/* cannot be done a second time */
	ALONE		= 1 << 8,	/* concerns everybody */
	OUTSIDE		= 1 << 9,	/* not in the namespace of the device */
	KEEPS		= 1 << 10,	/* has the socket open, too */
};

/* Which packet of the peer */
enum {
	FRAME_TCP	= 1 << 0,	/* over TCP, with its length */
	FRAME_INET6	= 1 << 1,	/* IPv6 inside */
	FRAME_UNDEF	= 1 << 2,	/* of somebody who has no id yet */
};

struct stage {
	bool tcp, mp;		/* asked for */
	bool inet6;		/* there is IPv6 */
	unsigned int flags;	/* of the operations to come */
	unsigned int gone;	/* what has to be built */

	unsigned int ifindex;
	int home, away;		/* namespaces: ours, and one to move to */
	int ns;			/* the one of the device, or -1: ours */
	int listener;
	int sock, spare;	/* transport sockets of the device */
	int far, spare_far;	/* their other ends */
	int other[2];		/* where a peer over UDP floats to */
	unsigned int floats;
	pid_t owner;		/* who has sock, too */
	double due;		/* when the peer expires */
	double slowest;		/* end of a device, in seconds */
	uint32_t pkt_id;
};

/* Who does operations, with all that is needed for them */
struct actor {
	struct stage *stage;
	const struct op *op;
	int genl, route, inner, inner6;
	uint32_t seq;
	uint8_t frame[FRAMES][FRAME_ROOM];
	size_t frame_len[FRAMES];
};

/**
 * struct op - an operation
 * @name: what it is called
 * @run: do it; returns 0 or a number of errno
 * @gone: what it spoils
 * @flags: what else is to be known
 * @errors: what it may return
 */
struct op {
	const char *name;
	int (*run)(struct actor *me);
	unsigned int gone, flags;
	const int *errors;
};

/* A netlink request under construction */
struct ask {
	_Alignas(8) char buf[1024];
	struct nlmsghdr *nlh;
};

typedef void (*answer_fn)(const struct nlmsghdr *nlh, void *data);

/* stress-netlink.c */
int nl_socket(int bus);
int nl_ask(struct actor *me, int fd, struct ask *ask, answer_fn answer,
	   void *data);
int nl_find_family(struct actor *me);
int nl_link_new(struct actor *me, bool mp);
int nl_link_del(struct actor *me, int fd, unsigned int ifindex);
int nl_link_move(struct actor *me, int ns);
int nl_link_up(struct actor *me, bool up);
int nl_address(struct actor *me);
int nl_address6(struct actor *me);
int nl_tell_tale(struct actor *me, const char *name, int ns);
int nl_link_sent(struct actor *me, uint64_t *sent);
int nl_peer_new(struct actor *me, int sock, const struct sockaddr_in *remote);
int nl_peer_set(struct actor *me, const struct sockaddr_in *remote,
		uint32_t vpn4, uint32_t vpn6, int interval, int timeout);
int nl_peer_del(struct actor *me);
int nl_peer_get(struct actor *me, answer_fn answer, void *data);
int nl_peer_dump(struct actor *me);
int nl_key_new(struct actor *me, uint32_t slot, uint32_t key_id);
int nl_key_get(struct actor *me, uint32_t slot, answer_fn answer, void *data);
int nl_key_swap(struct actor *me);
int nl_key_del(struct actor *me, uint32_t slot);

/* stress-stage.c */
double now(void);
_Noreturn void die(const char *fmt, ...);
void stage_open(struct stage *st);
void stage_build(struct stage *st, struct actor *first, struct actor *second);
unsigned int stage_index(struct actor *me);
void stage_alive(struct stage *st, struct actor *me);
void stage_works(struct stage *st, struct actor *me);
void stage_close(struct stage *st, struct actor *me);
void actor_open(struct actor *me, struct stage *st);
void actor_close(struct actor *me);
void close_hard(int *fd);
void remote_of(int fd, struct sockaddr_in *addr);
socklen_t vpn_addr(struct sockaddr_storage *addr, uint32_t host, bool inet6);

/* stress-frame.c */
void frame_start(void);
size_t frame_make(uint8_t *buf, uint32_t pkt_id, unsigned int kind);

/* stress-op.c */
extern const struct op ops[];
const struct op *op_find(const char *name);
bool op_may_return(const struct op *op, const struct op *other, int error);

/* stress-fault.c */
int fault_main(const char *name, bool tcp, bool mp, unsigned int limit);

#endif /* _OVPN_STRESS_H */
