/* SPDX-License-Identifier: GPL-2.0-only */
/* TCP: sending a buffer, and what programs see of a socket */

#ifndef _OVPN_COMPAT_NET_TCP_H_
#define _OVPN_COMPAT_NET_TCP_H_

#include_next <net/tcp.h>

#include <ovpn-lacks.h>

#ifndef TCPOPT_AO
#define TCPOPT_AO	29
#endif

/*
 * A buffer goes into the stream with flags for sendmsg(). Where TCP takes no
 * pages from there, the pages are copied.
 */
#ifdef OVPN_LACKS_SEND_SOCK_FLAGS
#include <linux/bvec.h>
#include <linux/socket.h>
#include <linux/uio.h>

static inline int ovpn_compat_send_copy(struct sock *sk, void *data,
					size_t len, int flags)
{
	struct kvec vec = { .iov_base = data, .iov_len = len };
	struct msghdr msg = { .msg_flags = flags };

	iov_iter_kvec(&msg.msg_iter, WRITE, &vec, 1, len);
	return tcp_sendmsg_locked(sk, &msg, len);
}

static inline int ovpn_compat_send_frag(struct sock *sk,
					const skb_frag_t *frag,
					unsigned int offset, size_t len,
					int flags)
{
#ifdef OVPN_LACKS_SPLICE_PAGES
	return ovpn_compat_send_copy(sk, skb_frag_address(frag) + offset, len,
				     flags & ~MSG_NO_SHARED_FRAGS);
#else
	struct msghdr msg = { .msg_flags = flags | MSG_SPLICE_PAGES };
	struct bio_vec vec;

	bvec_set_page(&vec, skb_frag_page(frag), len,
		      skb_frag_off(frag) + offset);
	iov_iter_bvec(&msg.msg_iter, WRITE, &vec, 1, len);
	return tcp_sendmsg_locked(sk, &msg, len);
#endif
}

/* the next piece of a buffer without fragment list; at most @len bytes */
static inline int ovpn_compat_send_piece(struct sock *sk, struct sk_buff *skb,
					 unsigned int offset, unsigned int len,
					 int flags)
{
	unsigned int size = skb_headlen(skb);
	const skb_frag_t *frag;
	int i;

	if (offset < size) {
		if (len > size - offset) {
			len = size - offset;
			flags |= MSG_MORE;
		}
		return ovpn_compat_send_copy(sk, skb->data + offset, len,
					     flags & ~MSG_NO_SHARED_FRAGS);
	}
	offset -= size;
	for (i = 0; i < skb_shinfo(skb)->nr_frags; i++) {
		frag = &skb_shinfo(skb)->frags[i];
		size = skb_frag_size(frag);
		if (offset < size) {
			if (len > size - offset) {
				len = size - offset;
				flags |= MSG_MORE;
			}
			return ovpn_compat_send_frag(sk, frag, offset, len,
						     flags);
		}
		offset -= size;
	}
	return -EFAULT;
}

static inline int skb_send_sock_locked_with_flags(struct sock *sk,
						  struct sk_buff *skb,
						  int offset, int len,
						  int flags)
{
	int sent = 0, ret;

	/* TCP notes there that it has no room */
	if (!sk->sk_socket)
		return -EINVAL;

	while (sent < len) {
		ret = ovpn_compat_send_piece(sk, skb, offset + sent, len - sent,
					     flags | MSG_DONTWAIT);
		if (ret <= 0)
			return sent ?: ret;
		sent += ret;
	}
	return sent;
}
#endif /* OVPN_LACKS_SEND_SOCK_FLAGS */

/*
 * recvmsg() had one more argument, where the size of an address goes. The
 * name stands before a list of four in its definition alone.
 */
#ifdef OVPN_LACKS_RECVMSG
#include <net/inet_common.h>

#define ovpn_tcp_recvmsg(sk, msg, len, flags) \
	ovpn_tcp_recvmsg(sk, msg, len, flags, int *addr_len)
#define inet_recv_error(sk, msg, len) \
	inet_recv_error(sk, msg, len, addr_len)
#define recvmsg(sk, msg, len, flags) \
	recvmsg(sk, msg, len, flags, &(int){ 0 })
#endif /* OVPN_LACKS_RECVMSG */

/*
 * ioctl() got the argument of the program, and wrote the result there. So does
 * TCP's own, to which ours leaves most.
 */
#ifdef OVPN_LACKS_IOCTL_KARG
#include <linux/uaccess.h>

struct ovpn_compat_karg {
	int value;
	bool written;
	unsigned long arg;
};

static inline unsigned long ovpn_compat_karg_pass(int *value)
{
	struct ovpn_compat_karg *karg =
		container_of(value, struct ovpn_compat_karg, value);

	karg->written = true;
	return karg->arg;
}

#define ovpn_tcp_ioctl(sk, cmd, karg)					\
	ovpn_compat_tcp_ioctl(sk, cmd, karg);				\
									\
static int ovpn_tcp_ioctl(struct sock *sock, int command,		\
			  unsigned long arg)				\
{									\
	struct ovpn_compat_karg k = { .arg = arg };			\
	int ret = ovpn_compat_tcp_ioctl(sock, command, &k.value);	\
									\
	if (!ret && !k.written)						\
		ret = put_user(k.value, (int __user *)arg);		\
	return ret;							\
}									\
									\
static int ovpn_compat_tcp_ioctl(sk, cmd, karg)

#define ioctl(sk, cmd, karg) \
	ioctl(sk, cmd, ovpn_compat_karg_pass(karg))
#endif /* OVPN_LACKS_IOCTL_KARG */

/*
 * There was one more way into a stream, sendpage(). Whoever closes the others
 * (no socket of ours can be mapped) closes that one, too: pages go through
 * sendmsg() then.
 */
#ifdef OVPN_LACKS_SPLICE_PAGES
#define sock_no_mmap	sock_no_mmap, ops->sendpage = sock_no_sendpage
#endif

#endif /* _OVPN_COMPAT_NET_TCP_H_ */
