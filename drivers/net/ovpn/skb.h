/* SPDX-License-Identifier: GPL-2.0-only */
/* OpenVPN data channel offload: small helpers around socket buffers */

#ifndef _NET_OVPN_SKB_H_
#define _NET_OVPN_SKB_H_

#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/skbuff.h>
#include <net/ip_tunnels.h>
#include <net/sock.h>

/**
 * ovpn_skb_ip_protocol - which IP does this buffer start with?
 * @skb: a buffer whose linear part starts with the IP header
 *
 * Return: htons(ETH_P_IP), htons(ETH_P_IPV6), or 0 if it is neither, or if
 * less than a whole base header is linear.
 */
static inline __be16 ovpn_skb_ip_protocol(const struct sk_buff *skb)
{
	unsigned int len = skb_headlen(skb);
	u8 version;

	if (unlikely(!len))
		return 0;

	version = skb->data[0] >> 4;
	if (version == 4 && len >= sizeof(struct iphdr))
		return htons(ETH_P_IP);
	if (version == 6 && len >= sizeof(struct ipv6hdr))
		return htons(ETH_P_IPV6);
	return 0;
}

/**
 * ovpn_skb_piece - some bytes of a buffer, if they lie in one piece
 * @skb: the buffer
 * @offset: the first of them
 * @len: their number, at least 1
 *
 * Unlike skb_header_pointer() it copies nothing. What TCP splices comes as
 * single pages, which mostly are neighbours in memory.
 *
 * What is read twice has to be the same both times: first it is authenticated,
 * then decrypted. Pages that a local sender has spliced he can still write to.
 *
 * Return: the bytes, or NULL.
 */
static inline const u8 *ovpn_skb_piece(const struct sk_buff *skb,
				       unsigned int offset, unsigned int len)
{
	const struct skb_shared_info *shinfo = skb_shinfo(skb);
	unsigned int size = skb_headlen(skb);
	const u8 *data = skb->data, *next;
	int i = 0;

	/* net_iov memory has no address */
	if (unlikely(!skb_frags_readable(skb) || skb_has_shared_frag(skb)))
		return NULL;

	while (offset >= size) {
		if (i == shinfo->nr_frags)
			return NULL;
		offset -= size;
		size = skb_frag_size(&shinfo->frags[i]);
		data = skb_frag_address_safe(&shinfo->frags[i]);
		i++;
	}
	while (unlikely(offset + len > size)) {
		next = data + size;
		if (i == shinfo->nr_frags ||
		    skb_frag_address_safe(&shinfo->frags[i]) != next)
			return NULL;
		size += skb_frag_size(&shinfo->frags[i]);
		i++;
	}
	return data ? data + offset : NULL;
}

/**
 * ovpn_skb_pointer - some bytes of a buffer
 * @skb: the buffer
 * @offset: the first of them
 * @len: their number, at least 1
 * @buf: room for them
 *
 * Return: the bytes, in @buf if they lie in pieces; or NULL if there are fewer.
 */
static inline const u8 *ovpn_skb_pointer(const struct sk_buff *skb,
					 unsigned int offset, unsigned int len,
					 u8 *buf)
{
	const u8 *piece = ovpn_skb_piece(skb, offset, len);

	if (likely(piece))
		return piece;
	return skb_copy_bits(skb, offset, buf, len) ? NULL : buf;
}

/**
 * ovpn_skb_move_owner - let a copy be charged to the sender's socket
 * @to: the copy, not owned by anybody
 * @from: the original, which is freed next
 *
 * Without this TCP would lose its small-queue back-pressure as soon as the
 * original is freed. Senders that account in another way just lose track.
 */
static inline void ovpn_skb_move_owner(struct sk_buff *to,
				       struct sk_buff *from)
{
	int delta = to->truesize - from->truesize;

	if (!from->sk || !is_skb_wmem(from))
		return;

	swap(to->sk, from->sk);
	swap(to->destructor, from->destructor);
	if (delta >= 0)
		refcount_add(delta, &to->sk->sk_wmem_alloc);
	else
		WARN_ON_ONCE(refcount_sub_and_test(-delta,
						   &to->sk->sk_wmem_alloc));
}

#endif /* _NET_OVPN_SKB_H_ */
