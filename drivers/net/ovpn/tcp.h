/* SPDX-License-Identifier: GPL-2.0-only */
/* OpenVPN data channel offload: TCP transport
 *
 * tcp_tx: the queue of a connection, and how it gets into the stream.
 * tcp_rx: the stream, and what comes out of it. tcp_user: what user space
 * sees of its socket meanwhile. tcp: taking the socket, and giving it back.
 */

#ifndef _NET_OVPN_TCP_H_
#define _NET_OVPN_TCP_H_

#include <linux/poll.h>
#include <linux/skbuff.h>
#include <linux/types.h>
#include <linux/workqueue.h>
#include <net/sock.h>
#include <uapi/linux/ovpn.h>

#include "socket.h"

struct ovpn_peer;
struct ovpn_rx_cell;

/* control packets of user space that wait in the queue: it may send more as
 * long as there are not so many bytes of them
 */
#define OVPN_TCP_CONTROL_MAX	SZ_64K

/* the largest message that user space may send at once */
#define OVPN_TCP_MESSAGE_MAX	SZ_256K

/* memory for control packets that user space has not read yet */
#define OVPN_TCP_UNREAD_MAX	SZ_256K

/* Data stays in our queue, where the oldest can be dropped and where senders
 * feel it, while TCP has this much that it has not sent yet.
 */
#define OVPN_TCP_NOTSENT	SZ_128K

/* the largest buffer of data packets */
#define OVPN_TCP_BUFFER_MAX	SZ_128K

/* the least that a full queue holds */
#define OVPN_TCP_QUEUE_MIN	SZ_256K

/* so many times that much, if all of it is charged to local senders */
#define OVPN_TCP_QUEUE_OWNED	16

/* without memory: try again after so long */
#define OVPN_TCP_RETRY		(HZ / 100 + 1)

/**
 * struct ovpn_tcp - a TCP socket in our use
 * @sock: our use of it
 * @peer: the only peer that uses it, or NULL after that; socket lock
 * @work: does in process context what callbacks cannot
 * @end: the connection is over, or useless: the peer has to go
 * @reason: why
 *
 * @cell: where inner packets are queued
 * @partial: a packet that has come in part, from its length on; socket lock,
 *	as all that follows here
 * @length: the first byte of a length that has come in part
 * @length_half: @length is valid
 * @broken: the stream makes no sense, and is not read any more
 * @unread: control packets for user space, each with its length
 * @unread_size: their memory
 *
 * @out: sealed packets and control packets to send. Its lock guards
 *	@out_bytes, @loose_bytes, @control_bytes and @closed, too; BH
 * @out_bytes: bytes in @out
 * @loose_bytes: those that no local sender is charged for
 * @control_bytes: those of control packets, and of one in @sending
 * @closed: nothing may be queued any more
 * @sending: what is being sent, taken off @out; socket lock
 * @sent: bytes of it that TCP has taken; socket lock
 * @pushing: a push is running; socket lock
 *
 * @proto: the socket's operations before attach
 * @ops: the same, of struct socket
 * @data_ready: the same
 * @state_change: the same
 * @write_space: the same
 * @allocation: the socket's setting before attach
 * @task_frag: the same
 * @notsent: the same, TCP_NOTSENT_LOWAT
 * @nagle_off: the same, TCP_NODELAY
 *
 * "socket lock" is what TCP's own callbacks hold: either lock_sock(), or the
 * spinlock in it while nobody owns it. The peer in @peer has joined or is
 * about to, and cannot go before it has detached.
 */
struct ovpn_tcp {
	struct ovpn_socket sock;
	struct ovpn_peer *peer;
	struct delayed_work work;
	unsigned long end;
	enum ovpn_del_peer_reason reason;

	struct ovpn_rx_cell *cell;
	struct sk_buff *partial;
	u8 length;
	bool length_half;
	bool broken;
	struct sk_buff_head unread;
	unsigned int unread_size;

	struct sk_buff_head out ____cacheline_aligned_in_smp;
	unsigned int out_bytes;
	unsigned int loose_bytes;
	unsigned int control_bytes;
	bool closed;
	struct sk_buff *sending;
	unsigned int sent;
	bool pushing;

	struct proto *proto;
	const struct proto_ops *ops;
	void (*data_ready)(struct sock *sk);
	void (*state_change)(struct sock *sk);
	void (*write_space)(struct sock *sk);
	gfp_t allocation;
	bool task_frag;
	u32 notsent;
	bool nagle_off;
};

extern const struct ovpn_transport_ops ovpn_tcp_ops;
extern struct workqueue_struct *ovpn_tcp_wq;

/**
 * ovpn_tcp - the TCP part of the use of a socket
 * @sock: our use of a TCP socket
 *
 * Return: the TCP part.
 */
static inline struct ovpn_tcp *ovpn_tcp(struct ovpn_socket *sock)
{
	return container_of(sock, struct ovpn_tcp, sock);
}

/**
 * ovpn_tcp_control_room - may user space send another message?
 * @tcp: the connection
 *
 * Return: true if so.
 */
static inline bool ovpn_tcp_control_room(const struct ovpn_tcp *tcp)
{
	return READ_ONCE(tcp->control_bytes) < OVPN_TCP_CONTROL_MAX;
}

void ovpn_tcp_kick(struct ovpn_tcp *tcp, unsigned long delay);
void ovpn_tcp_end(struct ovpn_tcp *tcp, enum ovpn_del_peer_reason reason);
void ovpn_tcp_push(struct ovpn_tcp *tcp);
void ovpn_tcp_send(struct ovpn_peer *peer, struct sk_buff *list);
void ovpn_tcp_push_sender(struct ovpn_socket *sock);
bool ovpn_tcp_queue_control(struct ovpn_tcp *tcp, struct sk_buff *skb);
void ovpn_tcp_flush(struct ovpn_tcp *tcp);

bool ovpn_tcp_read(struct ovpn_tcp *tcp);
void ovpn_tcp_give_back(struct ovpn_tcp *tcp);

void ovpn_tcp_user_init(void);
bool ovpn_tcp_user_owns(const struct sock *sk);
int ovpn_tcp_user_check(const struct sock *sk, struct netlink_ext_ack *extack);
void ovpn_tcp_user_take(struct ovpn_tcp *tcp);
void ovpn_tcp_user_restore(struct ovpn_tcp *tcp);

int ovpn_tcp_init(void);
void ovpn_tcp_exit(void);

#endif /* _NET_OVPN_TCP_H_ */
