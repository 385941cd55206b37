/* SPDX-License-Identifier: GPL-2.0-only */
/* OpenVPN data channel offload: the size of TCP's segments */

#ifndef _NET_OVPN_MSS_H_
#define _NET_OVPN_MSS_H_

#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/skbuff.h>
#include <linux/tcp.h>
#include <net/ip.h>

/**
 * ovpn_mss_tcp_offset - where does the TCP header start?
 * @skb: a packet whose linear part starts with the base header of the IP that
 *	@skb->protocol names
 *
 * Extension headers of IPv6 are not followed: what starts a connection hardly
 * ever has any.
 *
 * Return: the offset; or 0 if there is none, as it is not TCP or a fragment
 * from the middle. The header may be cut short, or not be there at all.
 */
static inline unsigned int ovpn_mss_tcp_offset(const struct sk_buff *skb)
{
	const struct ipv6hdr *ip6 = (const struct ipv6hdr *)skb->data;
	const struct iphdr *ip = (const struct iphdr *)skb->data;

	if (skb->protocol != htons(ETH_P_IP))
		return ip6->nexthdr == IPPROTO_TCP ? sizeof(*ip6) : 0;
	if (ip->protocol != IPPROTO_TCP || ip->frag_off & htons(IP_OFFSET))
		return 0;
	return ip->ihl * 4;
}

/**
 * ovpn_mss_is_syn - does this packet ask for, or accept, a TCP connection?
 * @skb: as for ovpn_mss_tcp_offset()
 *
 * Cheap, as it is asked of every packet.
 *
 * Return: true if so; only then ovpn_mss_clamp() has anything to do.
 */
static inline bool ovpn_mss_is_syn(const struct sk_buff *skb)
{
	unsigned int offset = ovpn_mss_tcp_offset(skb);
	const struct tcphdr *tcp;
	struct tcphdr buf;

	if (!offset)
		return false;
	tcp = skb_header_pointer(skb, offset, sizeof(buf), &buf);
	return tcp && tcp->syn;
}

void ovpn_mss_clamp(struct sk_buff *skb, unsigned int mtu);

#endif /* _NET_OVPN_MSS_H_ */
