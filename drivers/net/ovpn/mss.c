// SPDX-License-Identifier: GPL-2.0-only
/* OpenVPN data channel offload: the size of TCP's segments
 *
 * Each end of a TCP connection tells the other in its SYN how large segments
 * may be (MSS). It says what fits its device, and does not know of the tunnel
 * somewhere on the way. Lowered here, packets of TCP need no fragments outside.
 */

#include "mss.h"

#include <kunit/visibility.h>
#include <linux/minmax.h>
#include <linux/swab.h>
#include <linux/unaligned.h>
#include <net/checksum.h>
#include <net/tcp.h>

/* The next option of this kind, from @at on. Returns its offset, 0 if there is
 * none, or none that is whole. Receivers read as far.
 */
static unsigned int ovpn_mss_find(const u8 *tcp, unsigned int size,
				  unsigned int at, u8 kind)
{
	while (at < size && tcp[at] != TCPOPT_EOL) {
		if (tcp[at] == TCPOPT_NOP) {
			at++;
			continue;
		}
		if (size - at < 2 || tcp[at + 1] < 2 ||
		    tcp[at + 1] > size - at)
			break;
		if (tcp[at] == kind)
			return at;
		at += tcp[at + 1];
	}
	return 0;
}

/* Lower the value at @at. A sum does not mind where a 16-bit word stands, but
 * whether it starts at an odd byte.
 */
static void ovpn_mss_lower(struct sk_buff *skb, u8 *tcp, unsigned int at,
			   u16 max)
{
	u16 mss = get_unaligned_be16(tcp + at);
	u16 from = mss, to = max;

	if (mss <= max)
		return;
	put_unaligned_be16(max, tcp + at);
	if (at & 1) {
		from = swab16(from);
		to = swab16(to);
	}
	inet_proto_csum_replace2(&((struct tcphdr *)tcp)->check, skb,
				 htons(from), htons(to), false);
}

/* bytes of the packet, as its IP header has it; 0 if that is nonsense */
static unsigned int ovpn_mss_packet_size(const struct sk_buff *skb)
{
	const struct ipv6hdr *ip6 = (const struct ipv6hdr *)skb->data;
	const struct iphdr *ip = (const struct iphdr *)skb->data;
	unsigned int size;

	if (skb->protocol != htons(ETH_P_IP))
		size = sizeof(*ip6) + ntohs(ip6->payload_len);
	else if (ip->ihl * 4 >= sizeof(*ip))
		size = ntohs(ip->tot_len);
	else
		size = 0;
	return size <= skb->len ? size : 0;
}

/* Bytes of the TCP header at @offset that may be written to, or 0. Where
 * somebody wants the checksum elsewhere, ours would be wrong.
 */
static unsigned int ovpn_mss_tcp_size(struct sk_buff *skb, unsigned int offset)
{
	const struct tcphdr *tcp;
	struct tcphdr buf;
	unsigned int size;

	tcp = skb_header_pointer(skb, offset, sizeof(buf), &buf);
	if (!tcp || !tcp->syn)
		return 0;
	size = tcp->doff * 4;
	if (size <= sizeof(*tcp) || offset + size > ovpn_mss_packet_size(skb))
		return 0;
	if (skb->ip_summed == CHECKSUM_PARTIAL &&
	    skb_checksum_start_offset(skb) != offset)
		return 0;
	return skb_ensure_writable(skb, offset + size) ? 0 : size;
}

/**
 * ovpn_mss_clamp - lower the MSS that a SYN tells to what fits
 * @skb: a packet as for ovpn_mss_tcp_offset(); its data may move
 * @mtu: largest packet that gets through in one piece, or 0 for no limit
 *
 * An MSS is never raised, and none is added. A SYN that is malformed, is signed
 * together with its options (TCP-AO), or cannot be written to for lack of
 * memory, stays what it is: the connection still works, with fragments.
 *
 * Context: any.
 */
void ovpn_mss_clamp(struct sk_buff *skb, unsigned int mtu)
{
	unsigned int offset = ovpn_mss_tcp_offset(skb);
	unsigned int headers, size, at;
	u16 max = TCP_MIN_MSS;
	u8 *tcp;

	if (!mtu || !offset)
		return;
	size = ovpn_mss_tcp_size(skb, offset);
	if (!size)
		return;

	/* the MSS does not count options of IP and TCP */
	headers = sizeof(struct tcphdr) +
		  (skb->protocol == htons(ETH_P_IP) ? sizeof(struct iphdr) :
						      sizeof(struct ipv6hdr));
	if (mtu > headers + TCP_MIN_MSS)
		max = min_t(unsigned int, mtu - headers, U16_MAX);

	tcp = skb->data + offset;
	at = sizeof(struct tcphdr);
	if (ovpn_mss_find(tcp, size, at, TCPOPT_AO))
		return;
	while ((at = ovpn_mss_find(tcp, size, at, TCPOPT_MSS))) {
		if (tcp[at + 1] == TCPOLEN_MSS)
			ovpn_mss_lower(skb, tcp, at + 2, max);
		at += tcp[at + 1];
	}
}
EXPORT_SYMBOL_IF_KUNIT(ovpn_mss_clamp);
