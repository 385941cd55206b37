// SPDX-License-Identifier: GPL-2.0-only
/* OpenVPN data channel offload: into the TCP stream
 *
 * Data packets and the control packets of user space go through one queue, in
 * one order, and one at a time into the stream, so that none is ever torn.
 * Whoever holds the socket lock moves on what is queued: the sender of a
 * packet, if the lock is free; or else its owner, when releasing it; or TCP,
 * when it has room again.
 *
 * A buffer in the queue is still charged to the socket inside the tunnel that
 * it came from, and TCP gets no more than it can send soon. So local senders
 * slow down to what the connection carries. Of forwarded packets, who feel
 * nothing, the oldest are dropped when the queue is full.
 */

#include "tcp.h"

#include <linux/bottom_half.h>
#include <linux/net.h>
#include <linux/skbuff.h>
#include <net/sock.h>
#include <net/tcp.h>

#include "drop.h"
#include "io.h"
#include "ovpn.h"
#include "peer.h"
#include "proto.h"
#include "socket.h"

struct workqueue_struct *ovpn_tcp_wq;

/**
 * ovpn_tcp_kick - let the worker look after a connection
 * @tcp: the connection
 * @delay: not before so many jiffies
 *
 * Context: any but hard interrupt.
 */
void ovpn_tcp_kick(struct ovpn_tcp *tcp, unsigned long delay)
{
	if (!ovpn_socket_hold(&tcp->sock))
		return;
	/* the worker drops the reference */
	if (!mod_delayed_work(ovpn_tcp_wq, &tcp->work, delay))
		return;
	/* it was waiting already, and has a reference of its own */
	ovpn_socket_put(&tcp->sock);
}

/**
 * ovpn_tcp_end - the peer of a connection has to go
 * @tcp: the connection
 * @reason: why; the first one counts
 *
 * Context: any but hard interrupt.
 */
void ovpn_tcp_end(struct ovpn_tcp *tcp, enum ovpn_del_peer_reason reason)
{
	if (test_and_set_bit(0, &tcp->end))
		return;
	WRITE_ONCE(tcp->reason, reason);
	ovpn_tcp_kick(tcp, 0);
}

static void ovpn_tcp_drop(struct ovpn_tcp *tcp, struct sk_buff *skb,
			  enum ovpn_drop why)
{
	unsigned int packets = ovpn_tx_cb(skb)->packets;

	local_bh_disable();
	while (packets-- > 1)
		ovpn_drop_count(tcp->sock.ovpn, why);
	ovpn_drop(tcp->sock.ovpn, skb, why);
	local_bh_enable();
}

/* Tell pollers and senders that a control packet would be taken. TCP's own
 * notion of room is about something else.
 */
static void ovpn_tcp_wake_sender(struct sock *sk)
{
	struct socket_wq *wq;

	rcu_read_lock();
	wq = rcu_dereference(sk->sk_wq);
	if (skwq_has_sleeper(wq))
		wake_up_interruptible_poll(&wq->wait, EPOLLOUT | EPOLLWRNORM |
					   EPOLLWRBAND);
	sk_wake_async_rcu(sk, SOCK_WAKE_SPACE, POLL_OUT);
	rcu_read_unlock();
}

/* Forwarded packets have nobody to slow down. What a local sender is charged
 * for slows him down by itself, unless there are very many of them.
 */
static bool ovpn_tcp_is_loose(const struct sk_buff *skb)
{
	return !skb->sk && !ovpn_tx_cb(skb)->control;
}

/* a buffer enters the queue, or leaves it; @out locked */
static void ovpn_tcp_account(struct ovpn_tcp *tcp, const struct sk_buff *skb,
			     int sign)
{
	tcp->out_bytes += sign * (int)skb->len;
	if (ovpn_tcp_is_loose(skb))
		tcp->loose_bytes += sign * (int)skb->len;
}

/* the next buffer to send; whether more wait behind it */
static struct sk_buff *ovpn_tcp_next(struct ovpn_tcp *tcp, bool *more)
{
	struct sk_buff *skb = tcp->sending;

	spin_lock_bh(&tcp->out.lock);
	if (!skb) {
		skb = __skb_dequeue(&tcp->out);
		if (skb)
			ovpn_tcp_account(tcp, skb, -1);
	}
	*more = !skb_queue_empty(&tcp->out);
	spin_unlock_bh(&tcp->out.lock);

	tcp->sending = skb;
	return skb;
}

/* TCP has the whole buffer */
static void ovpn_tcp_sent(struct ovpn_tcp *tcp, struct sk_buff *skb)
{
	const struct ovpn_tx_cb *cb = ovpn_tx_cb(skb);
	bool room;

	tcp->sending = NULL;
	tcp->sent = 0;

	if (cb->control) {
		spin_lock_bh(&tcp->out.lock);
		room = ovpn_tcp_control_room(tcp);
		WRITE_ONCE(tcp->control_bytes, tcp->control_bytes - skb->len);
		room = !room && ovpn_tcp_control_room(tcp);
		spin_unlock_bh(&tcp->out.lock);
		if (room)
			ovpn_tcp_wake_sender(tcp->sock.sk);
	} else if (tcp->peer) {
		ovpn_peer_sent(tcp->peer, cb->packets,
			       skb->len - cb->packets * OVPN_LENGTH_SIZE,
			       cb->inner);
	}
	consume_skb(skb);
}

/* Does TCP still take something? Asked before it is tried, as TCP would use
 * the error up, which is meant for user space.
 */
static bool ovpn_tcp_sendable(const struct sock *sk)
{
	return !sk->sk_err && !(sk->sk_shutdown & SEND_SHUTDOWN) &&
	       (1 << sk->sk_state) & (TCPF_ESTABLISHED | TCPF_CLOSE_WAIT);
}

/**
 * ovpn_tcp_push - move on what is queued, as far as TCP takes it
 * @tcp: the connection
 *
 * Context: socket lock held.
 */
void ovpn_tcp_push(struct ovpn_tcp *tcp)
{
	struct sock *sk = tcp->sock.sk;
	struct sk_buff *skb;
	int ret, flags;
	bool more;

	/* TCP may work off its backlog while it takes data, and call us */
	if (tcp->pushing || !ovpn_tcp_sendable(sk))
		return;
	tcp->pushing = true;

	while ((skb = ovpn_tcp_next(tcp, &more))) {
		/* nobody writes to our pages any more, whoever gets them */
		flags = MSG_NOSIGNAL | MSG_NO_SHARED_FRAGS |
			(more ? MSG_MORE : 0);
		ret = skb_send_sock_locked_with_flags(sk, skb, tcp->sent,
						      skb->len - tcp->sent,
						      flags);
		if (ret == -EAGAIN) {
			/* it has room, so that nobody will tell of any more:
			 * what lacks is memory
			 */
			if (sk_stream_memory_free(sk))
				ovpn_tcp_kick(tcp, OVPN_TCP_RETRY);
			break;
		}
		if (ret <= 0) {
			ovpn_tcp_end(tcp,
				     OVPN_DEL_PEER_REASON_TRANSPORT_DISCONNECT);
			break;
		}
		tcp->sent += ret;
		if (tcp->sent == skb->len)
			ovpn_tcp_sent(tcp, skb);
	}
	tcp->pushing = false;
}

/* with too much in the queue, take out the oldest data packets; @out locked */
static void ovpn_tcp_shrink(struct ovpn_tcp *tcp, struct sk_buff_head *drop)
{
	unsigned int limit = max_t(unsigned int, OVPN_TCP_QUEUE_MIN,
				   READ_ONCE(tcp->sock.sk->sk_sndbuf));
	unsigned int hard = OVPN_TCP_QUEUE_OWNED * limit;
	struct sk_buff *skb, *next;

	skb_queue_walk_safe(&tcp->out, skb, next) {
		if (likely(tcp->loose_bytes <= limit && tcp->out_bytes <= hard))
			break;
		if (ovpn_tx_cb(skb)->control ||
		    (skb->sk && tcp->out_bytes <= hard))
			continue;
		__skb_unlink(skb, &tcp->out);
		ovpn_tcp_account(tcp, skb, -1);
		__skb_queue_tail(drop, skb);
	}
}

/**
 * ovpn_tcp_send - queue sealed packets for a peer
 * @peer: the peer
 * @list: buffers with one or more packets each, with their lengths
 *
 * Context: BH off, RCU read section, &ovpn_socket.order held.
 */
void ovpn_tcp_send(struct ovpn_peer *peer, struct sk_buff *list)
{
	struct ovpn_tcp *tcp = ovpn_tcp(peer->sock);
	enum ovpn_drop why = OVPN_DROP_TX_QUEUE;
	struct sk_buff_head drop;
	struct sk_buff *skb, *next;

	__skb_queue_head_init(&drop);

	spin_lock(&tcp->out.lock);
	if (unlikely(tcp->closed))
		why = OVPN_DROP_TX_CLOSED;
	skb_list_walk_safe(list, skb, next) {
		skb_mark_not_on_list(skb);
		if (unlikely(tcp->closed)) {
			__skb_queue_tail(&drop, skb);
			continue;
		}
		__skb_queue_tail(&tcp->out, skb);
		ovpn_tcp_account(tcp, skb, 1);
	}
	ovpn_tcp_shrink(tcp, &drop);
	spin_unlock(&tcp->out.lock);

	while (unlikely((skb = __skb_dequeue(&drop))))
		ovpn_tcp_drop(tcp, skb, why);
}

/* Take the socket's spinlock if nobody has it, not even the caller of our
 * caller: a tunnel inside a tunnel may come back to the socket it came from.
 * Without SMP a spinlock does not tell; there one level is all that is tried.
 */
#ifdef CONFIG_SMP
static bool ovpn_tcp_trylock(struct sock *sk)
{
	return spin_trylock(&sk->sk_lock.slock);
}

static void ovpn_tcp_unlock(struct sock *sk)
{
	spin_unlock(&sk->sk_lock.slock);
}
#else
static bool ovpn_tcp_busy;

static bool ovpn_tcp_trylock(struct sock *sk)
{
	if (ovpn_tcp_busy)
		return false;
	ovpn_tcp_busy = true;
	spin_lock(&sk->sk_lock.slock);
	return true;
}

static void ovpn_tcp_unlock(struct sock *sk)
{
	spin_unlock(&sk->sk_lock.slock);
	ovpn_tcp_busy = false;
}
#endif

/**
 * ovpn_tcp_push_sender - after queueing, move on what is queued
 * @sock: the use of the connection
 *
 * The sender may hold the lock of another socket, or even of this one, if the
 * connection is routed into its own tunnel. So the lock is only tried.
 *
 * Context: BH off, RCU read section.
 */
void ovpn_tcp_push_sender(struct ovpn_socket *sock)
{
	struct ovpn_tcp *tcp = ovpn_tcp(sock);
	struct sock *sk = sock->sk;

	if (unlikely(!ovpn_tcp_trylock(sk))) {
		ovpn_tcp_kick(tcp, 0);
		return;
	}
	/* an owner pushes when it lets go */
	if (!sock_owned_by_user_nocheck(sk) && tcp->peer)
		ovpn_tcp_push(tcp);
	ovpn_tcp_unlock(sk);
}

/**
 * ovpn_tcp_queue_control - queue a control packet of user space
 * @tcp: the connection
 * @skb: the packet, with its length
 *
 * Context: process, lock_sock() held; releasing it sends the packet.
 * Return: false if the connection is being detached; @skb is the caller's
 * then.
 */
bool ovpn_tcp_queue_control(struct ovpn_tcp *tcp, struct sk_buff *skb)
{
	bool queued = false;

	memset(ovpn_tx_cb(skb), 0, sizeof(struct ovpn_tx_cb));
	ovpn_tx_cb(skb)->control = true;

	spin_lock_bh(&tcp->out.lock);
	if (!tcp->closed) {
		__skb_queue_tail(&tcp->out, skb);
		ovpn_tcp_account(tcp, skb, 1);
		WRITE_ONCE(tcp->control_bytes, tcp->control_bytes + skb->len);
		queued = true;
	}
	spin_unlock_bh(&tcp->out.lock);
	return queued;
}

/* drop all data packets that have not been begun */
static void ovpn_tcp_purge(struct ovpn_tcp *tcp)
{
	struct sk_buff_head drop;
	struct sk_buff *skb, *next;

	__skb_queue_head_init(&drop);

	spin_lock_bh(&tcp->out.lock);
	tcp->closed = true;
	skb_queue_walk_safe(&tcp->out, skb, next) {
		if (ovpn_tx_cb(skb)->control)
			continue;
		__skb_unlink(skb, &tcp->out);
		ovpn_tcp_account(tcp, skb, -1);
		__skb_queue_tail(&drop, skb);
	}
	spin_unlock_bh(&tcp->out.lock);

	if (tcp->sending && !tcp->sent &&
	    !ovpn_tx_cb(tcp->sending)->control) {
		__skb_queue_tail(&drop, tcp->sending);
		tcp->sending = NULL;
	}
	while ((skb = __skb_dequeue(&drop)))
		ovpn_tcp_drop(tcp, skb, OVPN_DROP_TX_CLOSED);
}

/**
 * ovpn_tcp_flush - nothing more comes from us into the stream
 * @tcp: the connection
 *
 * What has been begun is completed, and what user space has sent is sent:
 * both whether TCP likes it or not, as nobody comes back to it. User space is
 * told of a stream that is torn all the same.
 *
 * Context: process, lock_sock() held.
 */
void ovpn_tcp_flush(struct ovpn_tcp *tcp)
{
	struct sock *sk = tcp->sock.sk;
	int sndbuf = sk->sk_sndbuf;
	struct sk_buff *skb;

	ovpn_tcp_purge(tcp);

	WRITE_ONCE(tcp_sk(sk)->notsent_lowat, U32_MAX);
	WRITE_ONCE(sk->sk_sndbuf, INT_MAX / 2);
	ovpn_tcp_push(tcp);
	WRITE_ONCE(sk->sk_sndbuf, sndbuf);

	skb = tcp->sending;
	tcp->sending = NULL;
	if (skb && tcp->sent && !sk->sk_err) {
		WRITE_ONCE(sk->sk_err, ECONNRESET);
		sk_error_report(sk);
	}
	if (skb && ovpn_tx_cb(skb)->control)
		consume_skb(skb);
	else if (skb)
		ovpn_tcp_drop(tcp, skb, OVPN_DROP_TX_CLOSED);
	skb_queue_purge(&tcp->out);
}
