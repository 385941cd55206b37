// SPDX-License-Identifier: GPL-2.0-only
/* OpenVPN data channel offload: what user space sees of its TCP socket
 *
 * OpenVPN goes on using the socket for control packets, as if it were alone:
 * it reads a stream of them, with their lengths, and sends them in the same
 * form. Everything else about the socket stays TCP's.
 */

#include "tcp.h"

#include <asm/ioctls.h>
#include <linux/net.h>
#include <linux/poll.h>
#include <linux/skbuff.h>
#include <linux/sockios.h>
#include <linux/tcp.h>
#include <linux/uio.h>
#include <linux/unaligned.h>
#include <net/inet_common.h>
#include <net/inet_connection_sock.h>
#include <net/ipv6.h>
#include <net/sock.h>
#include <net/tcp.h>
#include <net/transp_v6.h>

#include "proto.h"
#include "socket.h"

/* flags that mean something for recv(), or may come with any call */
#define OVPN_TCP_RECV_FLAGS	(MSG_DONTWAIT | MSG_NOSIGNAL | MSG_PEEK | \
				 MSG_CMSG_CLOEXEC | MSG_CMSG_COMPAT)
#define OVPN_TCP_SEND_FLAGS	(MSG_DONTWAIT | MSG_NOSIGNAL | MSG_EOR | \
				 MSG_CMSG_COMPAT)

static struct proto ovpn_tcp4_proto __ro_after_init;
static struct proto_ops ovpn_tcp4_ops __ro_after_init;
#if IS_ENABLED(CONFIG_IPV6)
static struct proto ovpn_tcp6_proto __ro_after_init;
static struct proto_ops ovpn_tcp6_ops __ro_after_init;
#endif

/* Registered nowhere. As long as a socket has one upper layer protocol, TCP
 * lets no other near it: neither TLS nor a socket map. "ss -i" shows the name.
 */
static struct tcp_ulp_ops ovpn_tcp_ulp = {
	.name = "ovpn",
};

/**
 * ovpn_tcp_user_owns - is this a TCP socket in our use?
 * @sk: any socket
 *
 * Context: any.
 * Return: true if so.
 */
bool ovpn_tcp_user_owns(const struct sock *sk)
{
	const struct proto *proto = READ_ONCE(sk->sk_prot);

#if IS_ENABLED(CONFIG_IPV6)
	if (proto == &ovpn_tcp6_proto)
		return true;
#endif
	return proto == &ovpn_tcp4_proto;
}

/* The socket is ours while a call into it runs: this keeps the device, and so
 * this module, in place until the call is over.
 */
static struct ovpn_tcp *ovpn_tcp_get(const struct sock *sk)
{
	struct ovpn_socket *sock = ovpn_socket_get(sk, ovpn_tcp_user_owns);

	return sock ? ovpn_tcp(sock) : NULL;
}

/* The socket has been given back just now: try again */
static int ovpn_tcp_again(int flags)
{
	return flags & MSG_DONTWAIT ? -EAGAIN : -EINTR;
}

/* Has the stream ended for the reader? Not as long as there are packets in it,
 * or a part of one, which becomes the reader's when the socket is given back.
 */
static bool ovpn_tcp_at_end(const struct ovpn_tcp *tcp)
{
	const struct sock *sk = tcp->sock.sk;

	return (sk->sk_shutdown & RCV_SHUTDOWN || sk->sk_state == TCP_CLOSE) &&
	       skb_queue_empty(&sk->sk_receive_queue) && !tcp->partial &&
	       !tcp->length_half;
}

/* Wait for a control packet. Returns 0 for one, 1 for the end, -ESTALE if the
 * socket is not ours any more, or another error.
 */
static int ovpn_tcp_wait_unread(struct ovpn_tcp *tcp, long timeo)
{
	DEFINE_WAIT_FUNC(wait, woken_wake_function);
	struct sock *sk = tcp->sock.sk;
	int ret = 0;

	add_wait_queue(sk_sleep(sk), &wait);
	while (skb_queue_empty(&tcp->unread)) {
		ret = -ESTALE;
		if (!tcp->peer)
			break;
		ret = sock_error(sk);
		if (ret)
			break;
		ret = 1;
		if (ovpn_tcp_at_end(tcp))
			break;
		ret = -EAGAIN;
		if (!timeo)
			break;
		ret = sock_intr_errno(timeo);
		if (signal_pending(current))
			break;
		sk_wait_event(sk, &timeo, !skb_queue_empty(&tcp->unread) ||
			      !tcp->peer || sk->sk_err || ovpn_tcp_at_end(tcp),
			      &wait);
		ret = 0;
	}
	remove_wait_queue(sk_sleep(sk), &wait);
	return ret;
}

/* copy from the control packets that are there */
static int ovpn_tcp_copy_unread(struct ovpn_tcp *tcp, struct msghdr *msg,
				size_t len, bool peek)
{
	struct sk_buff *skb, *next;
	size_t copied = 0, chunk;
	int ret;

	skb_queue_walk_safe(&tcp->unread, skb, next) {
		chunk = min_t(size_t, skb->len, len - copied);
		if (!chunk)
			break;
		ret = skb_copy_datagram_msg(skb, 0, msg, chunk);
		if (ret)
			return copied ?: ret;
		copied += chunk;
		if (peek)
			continue;
		__skb_pull(skb, chunk);
		if (skb->len)
			break;
		tcp->unread_size -= skb->truesize;
		__skb_unlink(skb, &tcp->unread);
		consume_skb(skb);
	}
	return copied;
}

/* The socket has been given back, and TCP knows what is to be read. As long as
 * we are on the way it must not wait: that would hold up the device.
 */
static int ovpn_tcp_recvmsg_back(struct sock *sk, struct msghdr *msg,
				 size_t len, int flags)
{
	int ret;

	ret = READ_ONCE(sk->sk_prot)->recvmsg(sk, msg, len,
					      flags | MSG_DONTWAIT);
	return ret == -EAGAIN ? ovpn_tcp_again(flags) : ret;
}

static int ovpn_tcp_recvmsg(struct sock *sk, struct msghdr *msg, size_t len,
			    int flags)
{
	struct ovpn_tcp *tcp;
	int ret;

	if (flags & MSG_ERRQUEUE)
		return inet_recv_error(sk, msg, len);
	if (flags & ~OVPN_TCP_RECV_FLAGS)
		return -EOPNOTSUPP;

	tcp = ovpn_tcp_get(sk);
	if (!tcp)
		return ovpn_tcp_again(flags);

	lock_sock(sk);
	ret = ovpn_tcp_wait_unread(tcp, sock_rcvtimeo(sk,
						      flags & MSG_DONTWAIT));
	if (!ret)
		ret = ovpn_tcp_copy_unread(tcp, msg, len, flags & MSG_PEEK);
	else if (ret > 0)
		ret = 0;
	release_sock(sk);
	if (ret == -ESTALE)
		ret = ovpn_tcp_recvmsg_back(sk, msg, len, flags);

	ovpn_socket_put(&tcp->sock);
	return ret;
}

/* Nothing but whole packets: anything else would tear the stream, once data
 * packets come in between.
 */
static bool ovpn_tcp_is_whole(const struct sk_buff *skb)
{
	unsigned int offset = 0;
	__be16 length;

	while (offset < skb->len) {
		if (skb_copy_bits(skb, offset, &length, sizeof(length)) ||
		    !length)
			return false;
		offset += OVPN_LENGTH_SIZE + be16_to_cpu(length);
	}
	return offset == skb->len;
}

static struct sk_buff *ovpn_tcp_message(struct msghdr *msg, size_t size)
{
	struct sk_buff *skb;
	int ret;

	skb = alloc_skb_with_frags(0, size, PAGE_ALLOC_COSTLY_ORDER, &ret,
				   GFP_KERNEL);
	if (!skb)
		return ERR_PTR(ret);
	skb->data_len = size;
	skb->len = size;

	ret = skb_copy_datagram_from_iter(skb, 0, &msg->msg_iter, size);
	if (ret) {
		kfree_skb(skb);
		return ERR_PTR(ret);
	}
	return skb;
}

/* wait until a message is taken */
static int ovpn_tcp_wait_room(struct ovpn_tcp *tcp, long timeo)
{
	DEFINE_WAIT_FUNC(wait, woken_wake_function);
	struct sock *sk = tcp->sock.sk;
	int ret;

	add_wait_queue(sk_sleep(sk), &wait);
	for (;;) {
		ret = -ESTALE;
		if (!tcp->peer)
			break;
		ret = -EPIPE;
		if (sk->sk_err || sk->sk_shutdown & SEND_SHUTDOWN)
			break;
		ret = 0;
		if (ovpn_tcp_control_room(tcp))
			break;
		ret = -EAGAIN;
		if (!timeo) {
			set_bit(SOCK_NOSPACE, &sk->sk_socket->flags);
			break;
		}
		ret = sock_intr_errno(timeo);
		if (signal_pending(current))
			break;
		sk_wait_event(sk, &timeo, ovpn_tcp_control_room(tcp) ||
			      !tcp->peer || sk->sk_err ||
			      sk->sk_shutdown & SEND_SHUTDOWN, &wait);
	}
	remove_wait_queue(sk_sleep(sk), &wait);
	return ret;
}

static int ovpn_tcp_send_message(struct ovpn_tcp *tcp, struct msghdr *msg,
				 struct sk_buff *skb)
{
	struct sock *sk = tcp->sock.sk;
	int size = skb->len;
	int ret;

	lock_sock(sk);
	ret = ovpn_tcp_wait_room(tcp, sock_sndtimeo(sk, msg->msg_flags &
						    MSG_DONTWAIT));
	/* an error of the connection comes before one of the caller's */
	if (!ret && !ovpn_tcp_is_whole(skb))
		ret = -EINVAL;
	if (!ret && !ovpn_tcp_queue_control(tcp, skb))
		ret = -ESTALE;
	if (ret) {
		kfree_skb(skb);
		ret = sk_stream_error(sk, msg->msg_flags, ret);
	}
	release_sock(sk);
	return ret ?: size;
}

/* The socket has been given back: as ovpn_tcp_recvmsg_back() */
static int ovpn_tcp_sendmsg_back(struct sock *sk, struct msghdr *msg,
				 size_t size)
{
	int flags = msg->msg_flags;
	int ret;

	iov_iter_revert(&msg->msg_iter, size);
	msg->msg_flags |= MSG_DONTWAIT;
	ret = READ_ONCE(sk->sk_prot)->sendmsg(sk, msg, size);
	return ret == -EAGAIN ? ovpn_tcp_again(flags) : ret;
}

static int ovpn_tcp_sendmsg(struct sock *sk, struct msghdr *msg, size_t size)
{
	struct ovpn_tcp *tcp;
	struct sk_buff *skb;
	int ret;

	if (msg->msg_flags & ~OVPN_TCP_SEND_FLAGS || msg->msg_controllen)
		return -EOPNOTSUPP;
	if (size > OVPN_TCP_MESSAGE_MAX)
		return -EMSGSIZE;
	if (!size)
		return 0;

	tcp = ovpn_tcp_get(sk);
	if (!tcp)
		return ovpn_tcp_again(msg->msg_flags);

	skb = ovpn_tcp_message(msg, size);
	ret = IS_ERR(skb) ? PTR_ERR(skb) : ovpn_tcp_send_message(tcp, msg, skb);
	if (ret == -ESTALE)
		ret = ovpn_tcp_sendmsg_back(sk, msg, size);

	ovpn_socket_put(&tcp->sock);
	return ret;
}

static __poll_t ovpn_tcp_poll_in(const struct ovpn_tcp *tcp,
				 const struct sock *sk)
{
	u8 shutdown = READ_ONCE(sk->sk_shutdown);
	__poll_t mask = 0;

	if (!skb_queue_empty_lockless(&tcp->unread))
		mask |= EPOLLIN | EPOLLRDNORM;
	if (shutdown & RCV_SHUTDOWN)
		mask |= EPOLLIN | EPOLLRDNORM | EPOLLRDHUP;
	if (shutdown == SHUTDOWN_MASK || inet_sk_state_load(sk) == TCP_CLOSE)
		mask |= EPOLLHUP;
	/* TCP sets the state first, and then the error */
	smp_rmb();
	if (READ_ONCE(sk->sk_err) ||
	    !skb_queue_empty_lockless(&sk->sk_error_queue))
		mask |= EPOLLERR;
	return mask;
}

static __poll_t ovpn_tcp_poll(struct file *file, struct socket *socket,
			      poll_table *wait)
{
	struct sock *sk = socket->sk;
	struct ovpn_socket *sock;
	__poll_t mask;

	sock_poll_wait(file, socket, wait);

	rcu_read_lock();
	sock = ovpn_socket_lookup_rcu(sk, ovpn_tcp_user_owns);
	if (sock) {
		mask = ovpn_tcp_poll_in(ovpn_tcp(sock), sk);
		if (ovpn_tcp_control_room(ovpn_tcp(sock)) ||
		    READ_ONCE(sk->sk_shutdown) & SEND_SHUTDOWN)
			mask |= EPOLLOUT | EPOLLWRNORM;
	} else {
		/* given back just now: let the caller find out */
		mask = EPOLLIN | EPOLLRDNORM | EPOLLOUT | EPOLLWRNORM;
	}
	rcu_read_unlock();
	return mask;
}

static int ovpn_tcp_ioctl(struct sock *sk, int cmd, int *karg)
{
	struct ovpn_tcp *tcp = ovpn_tcp_get(sk);
	struct sk_buff *skb;
	int ret = 0, unread;

	if (!tcp)
		return -EAGAIN;

	if (cmd == SIOCINQ) {
		unread = 0;
		lock_sock(sk);
		skb_queue_walk(&tcp->unread, skb)
			unread += skb->len;
		release_sock(sk);
		*karg = unread;
	} else {
		ret = tcp_prot.ioctl(sk, cmd, karg);
	}
	ovpn_socket_put(&tcp->sock);
	return ret;
}

/* the stream belongs to the peer */
static int ovpn_tcp_disconnect(struct sock *sk, int flags)
{
	return -EBUSY;
}

/* The owner closes the socket: end the peer, then close it as TCP does. Our
 * reference is kept meanwhile, as it keeps this module.
 */
static void ovpn_tcp_close(struct sock *sk, long timeout)
{
	struct ovpn_tcp *tcp = ovpn_tcp_get(sk);

	if (tcp)
		tcp->sock.gone(&tcp->sock,
			       OVPN_DEL_PEER_REASON_TRANSPORT_DISCONNECT);
	READ_ONCE(sk->sk_prot)->close(sk, timeout);
	if (tcp)
		ovpn_socket_put(&tcp->sock);
}

/* the owner of the lock lets go: what has been queued meanwhile goes out */
static void ovpn_tcp_release_cb(struct sock *sk)
{
	struct ovpn_socket *sock;

	rcu_read_lock();
	sock = ovpn_socket_lookup_rcu(sk, ovpn_tcp_user_owns);
	if (sock && ovpn_tcp(sock)->peer)
		ovpn_tcp_push(ovpn_tcp(sock));
	rcu_read_unlock();
	tcp_prot.release_cb(sk);
}

/**
 * ovpn_tcp_user_check - may a TCP socket be taken over?
 * @sk: the socket
 * @extack: for the error message
 *
 * Context: process, lock_sock() held.
 * Return: 0; -EINVAL if it is not connected, -EBUSY if it is in other use.
 */
int ovpn_tcp_user_check(const struct sock *sk, struct netlink_ext_ack *extack)
{
	if (sk->sk_state != TCP_ESTABLISHED) {
		NL_SET_ERR_MSG(extack, "socket is not connected");
		return -EINVAL;
	}
	if (inet_csk_has_ulp(sk)) {
		NL_SET_ERR_MSG(extack,
			       "socket is used by an upper layer protocol");
		return -EBUSY;
	}
#if IS_ENABLED(CONFIG_IPV6)
	if (sk->sk_prot == &tcpv6_prot)
		return 0;
#endif
	if (sk->sk_prot == &tcp_prot)
		return 0;
	NL_SET_ERR_MSG(extack, "socket is used by something else");
	return -EBUSY;
}

/**
 * ovpn_tcp_user_take - change what user space sees
 * @tcp: the connection
 *
 * Context: process, lock_sock() held; sk_user_data is set.
 */
void ovpn_tcp_user_take(struct ovpn_tcp *tcp)
{
	struct sock *sk = tcp->sock.sk;

	tcp->proto = sk->sk_prot;
	tcp->ops = sk->sk_socket->ops;
	inet_csk(sk)->icsk_ulp_ops = &ovpn_tcp_ulp;

	smp_wmb(); /* pairs with ovpn_socket_lookup_rcu() */
	if (tcp->proto == &tcp_prot) {
		WRITE_ONCE(sk->sk_prot, &ovpn_tcp4_proto);
		WRITE_ONCE(sk->sk_socket->ops, &ovpn_tcp4_ops);
		return;
	}
#if IS_ENABLED(CONFIG_IPV6)
	WRITE_ONCE(sk->sk_prot, &ovpn_tcp6_proto);
	WRITE_ONCE(sk->sk_socket->ops, &ovpn_tcp6_ops);
#endif
}

/**
 * ovpn_tcp_user_restore - the socket is an ordinary one again
 * @tcp: the connection
 *
 * Context: process, lock_sock() held.
 */
void ovpn_tcp_user_restore(struct ovpn_tcp *tcp)
{
	struct sock *sk = tcp->sock.sk;

	WRITE_ONCE(sk->sk_prot, tcp->proto);
	if (sk->sk_socket)
		WRITE_ONCE(sk->sk_socket->ops, tcp->ops);
	inet_csk(sk)->icsk_ulp_ops = NULL;
	smp_wmb(); /* pairs with ovpn_socket_lookup_rcu() */
}

static void __init ovpn_tcp_build(struct proto *proto,
				  const struct proto *tcp_proto,
				  struct proto_ops *ops,
				  const struct proto_ops *stream_ops)
{
	*proto = *tcp_proto;
	proto->recvmsg = ovpn_tcp_recvmsg;
	proto->sendmsg = ovpn_tcp_sendmsg;
	proto->ioctl = ovpn_tcp_ioctl;
	proto->disconnect = ovpn_tcp_disconnect;
	proto->close = ovpn_tcp_close;
	proto->release_cb = ovpn_tcp_release_cb;

	*ops = *stream_ops;
	ops->poll = ovpn_tcp_poll;
	/* no way into the stream past recvmsg() */
	ops->mmap = sock_no_mmap;
	ops->splice_read = NULL;
	ops->read_sock = NULL;
	ops->read_skb = NULL;
	ops->peek_len = NULL;
}

/**
 * ovpn_tcp_user_init - prepare the operations of sockets in our use
 */
void __init ovpn_tcp_user_init(void)
{
	ovpn_tcp_build(&ovpn_tcp4_proto, &tcp_prot, &ovpn_tcp4_ops,
		       &inet_stream_ops);
#if IS_ENABLED(CONFIG_IPV6)
	ovpn_tcp_build(&ovpn_tcp6_proto, &tcpv6_prot, &ovpn_tcp6_ops,
		       &inet6_stream_ops);
#endif
}
