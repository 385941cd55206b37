/* SPDX-License-Identifier: GPL-2.0-only */
/* OpenVPN data channel offload: packets for the tests of the MSS clamp */

#ifndef _NET_OVPN_TESTS_MSS_PACKET_H_
#define _NET_OVPN_TESTS_MSS_PACKET_H_

#include <kunit/skbuff.h>
#include <kunit/test.h>
#include <linux/align.h>
#include <linux/if_ether.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/skbuff.h>
#include <linux/string.h>
#include <linux/unaligned.h>
#include <net/checksum.h>
#include <net/ip.h>
#include <net/ip6_checksum.h>

#define MTU		1448
#define MSS4		1408	/* what fits */
#define MSS6		1388
#define OPTIONS_MAX	40

/* where things are in a TCP header */
#define TCP_DOFF	12
#define TCP_FLAGS	13
#define TCP_CHECK	16
#define TCP_OPTIONS	20

#define SYN		0x02
#define ACK		0x10

/**
 * struct mss_packet - a packet under construction
 * @bytes: from the IP header on
 * @len: how many
 * @l4: offset of the TCP header
 * @v6: it is IPv6
 * @summed: skb->ip_summed
 */
struct mss_packet {
	u8 bytes[60 + TCP_OPTIONS + OPTIONS_MAX + 16];
	unsigned int len;
	unsigned int l4;
	bool v6;
	u8 summed;
};

/* the kinds of packets that all else is tried with */
static const struct mss_packet mss_kinds[] = {
	{ .l4 = 20, .summed = CHECKSUM_NONE },
	{ .l4 = 20, .summed = CHECKSUM_UNNECESSARY },
	{ .l4 = 20, .summed = CHECKSUM_COMPLETE },
	{ .l4 = 20, .summed = CHECKSUM_PARTIAL },
	{ .l4 = 24, .summed = CHECKSUM_NONE },
	{ .l4 = 60, .summed = CHECKSUM_PARTIAL },
	{ .l4 = 40, .summed = CHECKSUM_NONE, .v6 = true },
	{ .l4 = 40, .summed = CHECKSUM_UNNECESSARY, .v6 = true },
	{ .l4 = 40, .summed = CHECKSUM_COMPLETE, .v6 = true },
	{ .l4 = 40, .summed = CHECKSUM_PARTIAL, .v6 = true },
};

/* the checksum that a TCP segment should have, or 0 if it has it */
static inline __sum16 mss_checksum(const struct mss_packet *p, __wsum sum)
{
	const struct ipv6hdr *ip6 = (const struct ipv6hdr *)p->bytes;
	const struct iphdr *ip = (const struct iphdr *)p->bytes;
	unsigned int len = p->len - p->l4;

	if (p->v6)
		return csum_ipv6_magic(&ip6->saddr, &ip6->daddr, len,
				       IPPROTO_TCP, sum);
	return csum_tcpudp_magic(ip->saddr, ip->daddr, len, IPPROTO_TCP, sum);
}

static inline bool mss_checksum_ok(const struct mss_packet *p)
{
	return !mss_checksum(p, csum_partial(p->bytes + p->l4, p->len - p->l4,
					     0));
}

static inline void mss_fill_checksum(struct mss_packet *p)
{
	__sum16 *check = (__sum16 *)(p->bytes + p->l4 + TCP_CHECK);

	*check = 0;
	if (p->summed == CHECKSUM_PARTIAL)
		*check = ~mss_checksum(p, 0);
	else
		*check = mss_checksum(p, csum_partial(p->bytes + p->l4,
						      p->len - p->l4, 0));
}

static inline void mss_fill_ip(struct mss_packet *p)
{
	struct ipv6hdr *ip6 = (struct ipv6hdr *)p->bytes;
	struct iphdr *ip = (struct iphdr *)p->bytes;

	if (p->v6) {
		ip6->version = 6;
		ip6->payload_len = htons(p->len - sizeof(*ip6));
		ip6->nexthdr = IPPROTO_TCP;
		ip6->hop_limit = 64;
		memset(&ip6->saddr, 0xfd, 16);
		memset(&ip6->daddr, 0xfe, 16);
		return;
	}
	memset(p->bytes, 1, p->l4); /* options: NOP */
	ip->version = 4;
	ip->ihl = p->l4 / 4;
	ip->tot_len = htons(p->len);
	ip->frag_off = htons(IP_DF);
	ip->protocol = IPPROTO_TCP;
	ip->saddr = htonl(0x0a080001);
	ip->daddr = htonl(0x0a080002);
	ip_send_check(ip);
}

/* a SYN with these options, which end where they do, and some data */
static inline struct mss_packet mss_syn(const struct mss_packet *kind,
					const void *options, unsigned int size)
{
	unsigned int header = TCP_OPTIONS + ALIGN(size, 4);
	struct mss_packet p = *kind;
	u8 *tcp = p.bytes + p.l4;

	p.len = p.l4 + header + 5;
	mss_fill_ip(&p);
	put_unaligned_be16(40000, tcp);
	put_unaligned_be16(80, tcp + 2);
	put_unaligned_be32(0x12345678, tcp + 4);
	tcp[TCP_DOFF] = header / 4 << 4;
	tcp[TCP_FLAGS] = SYN;
	memcpy(tcp + TCP_OPTIONS, options, size);
	memcpy(tcp + header, "hello", 5);
	mss_fill_checksum(&p);
	return p;
}

static inline struct sk_buff *mss_skb(struct kunit *test,
				      const struct mss_packet *p)
{
	struct sk_buff *skb = kunit_zalloc_skb(test, sizeof(p->bytes),
					       GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, skb);
	skb_put_data(skb, p->bytes, p->len);
	skb->protocol = p->v6 ? htons(ETH_P_IPV6) : htons(ETH_P_IP);
	skb->ip_summed = p->summed;
	if (p->summed == CHECKSUM_PARTIAL) {
		skb->csum_start = skb_headroom(skb) + p->l4;
		skb->csum_offset = TCP_CHECK;
	} else if (p->summed == CHECKSUM_COMPLETE) {
		skb->csum = csum_partial(p->bytes, p->len, 0);
	}
	return skb;
}

/* same bytes, except for the checksum where TCP has it? */
static inline bool mss_same(const u8 *a, const u8 *b, unsigned int len,
			    unsigned int check)
{
	unsigned int i;

	for (i = 0; i < len; i++)
		if (a[i] != b[i] && i != check && i != check + 1)
			return false;
	return true;
}

#endif /* _NET_OVPN_TESTS_MSS_PACKET_H_ */
