// SPDX-License-Identifier: GPL-2.0-only
/* OpenVPN data channel offload: TCP transport */

#include "tcp.h"

#include <linux/bottom_half.h>
#include <linux/rcupdate.h>
#include <linux/skbuff.h>
#include <linux/workqueue.h>
#include <net/sock.h>
#include <net/tcp.h>

#include "io.h"
#include "ovpn.h"
#include "proto.h"
#include "socket.h"

static bool ovpn_tcp_over(const struct sock *sk)
{
	return sk->sk_shutdown || sk->sk_state != TCP_ESTABLISHED;
}

/* TCP has something for us. Its callbacks hold the socket lock, but may run
 * with BH on, when the owner of the lock works off the backlog.
 */
static void ovpn_tcp_data_ready(struct sock *sk)
{
	struct ovpn_socket *sock;

	rcu_read_lock();
	sock = ovpn_socket_lookup_rcu(sk, ovpn_tcp_user_owns);
	if (likely(sock && ovpn_tcp(sock)->peer)) {
		local_bh_disable();
		ovpn_tcp_read(ovpn_tcp(sock));
		local_bh_enable();
	}
	rcu_read_unlock();
}

/* TCP has room again. While there is an owner, the push is left to him. */
static void ovpn_tcp_write_space(struct sock *sk)
{
	struct ovpn_socket *sock;

	rcu_read_lock();
	sock = ovpn_socket_lookup_rcu(sk, ovpn_tcp_user_owns);
	if (likely(sock && ovpn_tcp(sock)->peer) &&
	    !sock_owned_by_user_nocheck(sk)) {
		if (sk->sk_socket)
			clear_bit(SOCK_NOSPACE, &sk->sk_socket->flags);
		ovpn_tcp_push(ovpn_tcp(sock));
	}
	rcu_read_unlock();
}

static void ovpn_tcp_state_change(struct sock *sk)
{
	void (*state_change)(struct sock *sk) = NULL;
	struct ovpn_socket *sock;

	rcu_read_lock();
	sock = ovpn_socket_lookup_rcu(sk, ovpn_tcp_user_owns);
	if (likely(sock)) {
		state_change = ovpn_tcp(sock)->state_change;
		if (ovpn_tcp_over(sk))
			ovpn_tcp_end(ovpn_tcp(sock),
				     OVPN_DEL_PEER_REASON_TRANSPORT_DISCONNECT);
		state_change(sk);
	}
	rcu_read_unlock();
}

/* The lock's owner pushes when he lets go. Returns false as long as the stream
 * has not been read to its end.
 */
static bool ovpn_tcp_look_after(struct ovpn_tcp *tcp)
{
	struct sock *sk = tcp->sock.sk;
	bool all = true;

	lock_sock(sk);
	if (tcp->peer) {
		local_bh_disable();
		rcu_read_lock();
		all = ovpn_tcp_read(tcp);
		rcu_read_unlock();
		local_bh_enable();
	}
	release_sock(sk);
	return all;
}

static void ovpn_tcp_work(struct work_struct *work)
{
	struct ovpn_tcp *tcp;
	bool all;

	tcp = container_of(to_delayed_work(work), struct ovpn_tcp, work);
	all = ovpn_tcp_look_after(tcp);

	if (all && test_bit(0, &tcp->end)) {
		tcp->sock.gone(&tcp->sock, READ_ONCE(tcp->reason));
		/* what is left of the stream would make no sense to anybody */
		if (tcp->broken)
			tcp_abort(tcp->sock.sk, ECONNRESET);
	}
	ovpn_socket_put(&tcp->sock);
}

/* Nothing may sleep or use the task's page while data is sent in softirq */
static void ovpn_tcp_set_allocation(struct ovpn_tcp *tcp)
{
	struct sock *sk = tcp->sock.sk;

	tcp->allocation = sk->sk_allocation;
	tcp->task_frag = sk->sk_use_task_frag;
	sk->sk_allocation = GFP_ATOMIC;
	sk->sk_use_task_frag = false;
}

/* What waits in TCP cannot be dropped any more, and does not slow its sender
 * down. And no packet waits for others to come: one that acknowledges, inside,
 * would wait for the other end's delayed acknowledgment, outside.
 */
static void ovpn_tcp_set_pace(struct ovpn_tcp *tcp)
{
	struct tcp_sock *tp = tcp_sk(tcp->sock.sk);

	tcp->notsent = tp->notsent_lowat;
	tcp->nagle_off = tp->nonagle & TCP_NAGLE_OFF;
	if (!tcp->notsent)
		WRITE_ONCE(tp->notsent_lowat, OVPN_TCP_NOTSENT);
	tp->nonagle |= TCP_NAGLE_OFF;
}

static void ovpn_tcp_restore_settings(const struct ovpn_tcp *tcp)
{
	struct sock *sk = tcp->sock.sk;
	struct tcp_sock *tp = tcp_sk(sk);

	sk->sk_allocation = tcp->allocation;
	sk->sk_use_task_frag = tcp->task_frag;
	WRITE_ONCE(tp->notsent_lowat, tcp->notsent);
	if (!tcp->nagle_off)
		tp->nonagle &= ~TCP_NAGLE_OFF;
}

static void ovpn_tcp_attach(struct ovpn_socket *sock, struct ovpn_peer *peer)
{
	struct ovpn_tcp *tcp = ovpn_tcp(sock);
	struct sock *sk = sock->sk;

	INIT_DELAYED_WORK(&tcp->work, ovpn_tcp_work);
	__skb_queue_head_init(&tcp->unread);
	skb_queue_head_init(&tcp->out);
	tcp->cell = ovpn_rx_assign(sock->ovpn);
	tcp->peer = peer;
	ovpn_tcp_set_allocation(tcp);
	ovpn_tcp_set_pace(tcp);

	write_lock_bh(&sk->sk_callback_lock);
	rcu_assign_sk_user_data(sk, sock);
	ovpn_tcp_user_take(tcp);
	tcp->data_ready = sk->sk_data_ready;
	tcp->state_change = sk->sk_state_change;
	tcp->write_space = sk->sk_write_space;
	WRITE_ONCE(sk->sk_data_ready, ovpn_tcp_data_ready);
	WRITE_ONCE(sk->sk_state_change, ovpn_tcp_state_change);
	WRITE_ONCE(sk->sk_write_space, ovpn_tcp_write_space);
	write_unlock_bh(&sk->sk_callback_lock);

	/* nobody will tell us of what has come already */
	ovpn_tcp_data_ready(sk);
}

static void ovpn_tcp_detach(struct ovpn_socket *sock)
{
	struct ovpn_tcp *tcp = ovpn_tcp(sock);
	struct sock *sk = sock->sk;

	ovpn_tcp_flush(tcp);
	tcp->peer = NULL;

	write_lock_bh(&sk->sk_callback_lock);
	WRITE_ONCE(sk->sk_data_ready, tcp->data_ready);
	WRITE_ONCE(sk->sk_state_change, tcp->state_change);
	WRITE_ONCE(sk->sk_write_space, tcp->write_space);
	ovpn_tcp_user_restore(tcp);
	rcu_assign_sk_user_data(sk, NULL);
	write_unlock_bh(&sk->sk_callback_lock);

	ovpn_tcp_restore_settings(tcp);
	ovpn_tcp_give_back(tcp);

	/* whoever sleeps in one of our calls, or waits for what is there now */
	sk->sk_state_change(sk);
	sk->sk_write_space(sk);
}

static unsigned int ovpn_tcp_gso_max(struct ovpn_peer *peer, unsigned int size)
{
	return OVPN_TCP_BUFFER_MAX;
}

const struct ovpn_transport_ops ovpn_tcp_ops = {
	.size = sizeof(struct ovpn_tcp),
	.prefix = OVPN_LENGTH_SIZE,
	.owns = ovpn_tcp_user_owns,
	.check = ovpn_tcp_user_check,
	.attach = ovpn_tcp_attach,
	.detach = ovpn_tcp_detach,
	.gso_max = ovpn_tcp_gso_max,
	.send = ovpn_tcp_send,
	.push = ovpn_tcp_push_sender,
};

/**
 * ovpn_tcp_init - get ready for TCP sockets
 *
 * Return: 0 or -ENOMEM.
 */
int __init ovpn_tcp_init(void)
{
	ovpn_tcp_user_init();
	ovpn_tcp_wq = alloc_workqueue("ovpn-tcp", WQ_HIGHPRI | WQ_PERCPU, 0);
	return ovpn_tcp_wq ? 0 : -ENOMEM;
}

/**
 * ovpn_tcp_exit - no TCP socket is in our use any more
 *
 * Context: process, may sleep.
 */
void ovpn_tcp_exit(void)
{
	destroy_workqueue(ovpn_tcp_wq);
}
