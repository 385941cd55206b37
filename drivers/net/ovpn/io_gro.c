// SPDX-License-Identifier: GPL-2.0-only
/* OpenVPN data channel offload: packets opened into a super-packet
 *
 * The way back of io_gso. Segments of one TCP stream that come one after
 * another are opened side by side: the network stack gets their payload in one
 * buffer, mostly in one piece. GRO would join them, too, but only after each
 * had a buffer of its own, and in many pieces.
 *
 * The cipher writes whole packets, the headers in front of the payload. They
 * are written over the end of the payload before, which is kept meanwhile, and
 * put back as soon as they have been looked at.
 */

#include "io.h"

#include <kunit/visibility.h>
#include <linux/unaligned.h>
#include <net/checksum.h>
#include <net/ip.h>
#include <net/ip6_checksum.h>
#include <net/ipv6.h>
#include <net/tcp.h>

#include "chunk.h"
#include "proto.h"

/* After a packet that did not follow, let so many pass before the next try:
 * each vain one costs a copy.
 */
#define OVPN_GRO_REST	8

/* Enough for the smallest MSS in use. Whoever has to cut a super-packet again
 * needs a buffer for each segment, and all of them at once.
 */
#define OVPN_GRO_SEGMENTS	128

/* size of the IP header of a packet that holds TCP and nothing special; or 0 */
static unsigned int ovpn_gro_l3_size(const u8 *packet, unsigned int len)
{
	const struct ipv6hdr *ip6 = (const struct ipv6hdr *)packet;
	const struct iphdr *ip = (const struct iphdr *)packet;

	if (len >= sizeof(*ip) + sizeof(struct tcphdr) && *packet == 0x45)
		return ip->protocol == IPPROTO_TCP &&
		       ntohs(ip->tot_len) == len &&
		       !(ip->frag_off & ~htons(IP_DF)) &&
		       !ip_fast_csum(packet, ip->ihl) ? sizeof(*ip) : 0;

	if (len >= sizeof(*ip6) + sizeof(struct tcphdr) && ip6->version == 6)
		return ip6->nexthdr == IPPROTO_TCP &&
		       ntohs(ip6->payload_len) == len - sizeof(*ip6) ?
		       sizeof(*ip6) : 0;
	return 0;
}

/* do two IPv4 headers differ in what may differ only? */
static bool ovpn_gro_follows4(const struct ovpn_gro *gro,
			      const struct iphdr *first,
			      const struct iphdr *next)
{
	u16 id = ntohs(next->id) - ntohs(first->id);

	if (first->tos != next->tos || first->ttl != next->ttl ||
	    first->frag_off != next->frag_off ||
	    first->saddr != next->saddr || first->daddr != next->daddr)
		return false;
	/* all the same, which the second one decides, or one by one */
	if (first->frag_off && !id && (gro->segments == 1 || gro->fixed_id))
		return true;
	return !gro->fixed_id && id == gro->segments;
}

static bool ovpn_gro_follows6(const struct ipv6hdr *first,
			      const struct ipv6hdr *next)
{
	return ip6_flowinfo(first) == ip6_flowinfo(next) &&
	       first->hop_limit == next->hop_limit &&
	       ipv6_addr_equal(&first->saddr, &next->saddr) &&
	       ipv6_addr_equal(&first->daddr, &next->daddr);
}

/* TCP's options, whole words */
static bool ovpn_gro_same_options(const struct tcphdr *th1,
				  const struct tcphdr *th2, unsigned int size)
{
	const __be32 *first = (const __be32 *)(th1 + 1);
	const __be32 *next = (const __be32 *)(th2 + 1);

	for (; size; size -= sizeof(*first))
		if (*first++ != *next++)
			return false;
	return true;
}

static bool ovpn_gro_is_next(const struct ovpn_gro *gro, const u8 *packet,
			     unsigned int len)
{
	const u8 *first = gro->skb->data;
	unsigned int l3 = gro->l3_size;
	const struct tcphdr *th1 = (const struct tcphdr *)(first + l3);
	const struct tcphdr *th2 = (const struct tcphdr *)(packet + l3);

	if (*first != *packet || ovpn_gro_l3_size(packet, len) != l3)
		return false;
	if (l3 == sizeof(struct iphdr) ?
	    !ovpn_gro_follows4(gro, (const struct iphdr *)first,
			       (const struct iphdr *)packet) :
	    !ovpn_gro_follows6((const struct ipv6hdr *)first,
			       (const struct ipv6hdr *)packet))
		return false;

	/* ports; then all but sequence number, checksum and the PSH flag */
	return th1->source == th2->source && th1->dest == th2->dest &&
	       ntohl(th2->seq) == gro->seq && th1->ack_seq == th2->ack_seq &&
	       !((tcp_flag_word(th1) ^ tcp_flag_word(th2)) & ~TCP_FLAG_PSH) &&
	       th1->urg_ptr == th2->urg_ptr &&
	       ovpn_gro_same_options(th1, th2,
				     gro->header - l3 - sizeof(*th1));
}

/**
 * ovpn_gro_follows - is a packet the next segment of the super-packet?
 * @gro: the super-packet
 * @packet: the packet, authentic, in the place that ovpn_gro_slot() gave
 * @len: its size
 *
 * Context: BH off, between ovpn_chunk_lock() and ovpn_chunk_unlock().
 * Return: true if so.
 */
bool ovpn_gro_follows(struct ovpn_gro *gro, const u8 *packet, unsigned int len)
{
	if (likely(ovpn_gro_is_next(gro, packet, len)))
		return true;
	gro->rest = OVPN_GRO_REST;
	return false;
}
EXPORT_SYMBOL_IF_KUNIT(ovpn_gro_follows);

/**
 * ovpn_gro_start - may others follow this packet?
 * @gro: no super-packet yet
 * @skb: an inner packet; kept until ovpn_gro_finish(), if so
 *
 * Context: BH off.
 * Return: false if the packet is none to which others can be joined.
 */
bool ovpn_gro_start(struct ovpn_gro *gro, struct sk_buff *skb)
{
	const struct tcphdr *th;
	unsigned int l3, header;

	/* headers come to lie anywhere */
	if (!IS_ENABLED(CONFIG_HAVE_EFFICIENT_UNALIGNED_ACCESS))
		return false;
	if (netif_elide_gro(skb->dev) || skb_is_nonlinear(skb) ||
	    skb->ip_summed != CHECKSUM_UNNECESSARY)
		return false;

	l3 = ovpn_gro_l3_size(skb->data, skb->len);
	if (!l3)
		return false;
	th = (const struct tcphdr *)(skb->data + l3);
	header = l3 + __tcp_hdrlen(th);
	if (header < l3 + sizeof(*th) || header >= skb->len ||
	    (tcp_flag_word(th) & ~(TCP_DATA_OFFSET | TCP_FLAG_ECE |
				   htonl(0xffff))) != TCP_FLAG_ACK)
		return false;

	if (gro->rest) {
		gro->rest--;
		return false;
	}
	gro->skb = skb;
	gro->l3_size = l3;
	gro->header = header;
	gro->mss = skb->len - header;
	gro->max = min(netif_get_gro_max_size(skb->dev, skb),
		       GRO_LEGACY_MAX_SIZE);
	gro->segments = 1;
	gro->seq = ntohl(th->seq) + gro->mss;
	gro->fixed_id = false;
	gro->pushed = false;
	return true;
}
EXPORT_SYMBOL_IF_KUNIT(ovpn_gro_start);

/**
 * ovpn_gro_slot - where to open a packet that may be the next segment
 * @gro: the super-packet, if any
 * @len: size of the packet
 *
 * What is written there is kept by ovpn_gro_add(), or taken back by
 * ovpn_gro_undo().
 *
 * Context: BH off, between ovpn_chunk_lock() and ovpn_chunk_unlock(), as long
 * as the place is used.
 * Return: @len bytes of memory, and %OVPN_HEADER_SIZE behind them that may be
 * written to as well; or NULL if the packet cannot be one.
 */
u8 *ovpn_gro_slot(struct ovpn_gro *gro, unsigned int len)
{
	struct sk_buff *skb = gro->skb;
	struct ovpn_chunk *chunk;
	int frags;
	u8 *slot;

	if (!skb || gro->pushed || len <= gro->header ||
	    len > gro->header + gro->mss ||
	    skb->len + len - gro->header >= gro->max ||
	    gro->segments >= OVPN_GRO_SEGMENTS)
		return NULL;

	chunk = ovpn_chunk_get(OVPN_CHUNK_RX, len + OVPN_HEADER_SIZE);
	if (unlikely(!chunk))
		return NULL;
	gro->chunk = chunk;
	slot = page_address(chunk->page) + chunk->offset;

	frags = skb_shinfo(skb)->nr_frags;
	gro->joined = skb_can_coalesce(skb, frags, chunk->page, chunk->offset);
	if (likely(gro->joined)) {
		slot -= gro->header;
		memcpy(gro->kept, slot, gro->header);
	} else if (frags == MAX_SKB_FRAGS) {
		return NULL;
	}
	return slot;
}
EXPORT_SYMBOL_IF_KUNIT(ovpn_gro_slot);

/**
 * ovpn_gro_undo - what has been written is not the next segment
 * @gro: the super-packet
 * @slot: from ovpn_gro_slot()
 *
 * Context: as ovpn_gro_slot().
 */
void ovpn_gro_undo(struct ovpn_gro *gro, u8 *slot)
{
	if (gro->joined)
		memcpy(slot, gro->kept, gro->header);
}
EXPORT_SYMBOL_IF_KUNIT(ovpn_gro_undo);

/**
 * ovpn_gro_add - what has been written is the next segment
 * @gro: the super-packet
 * @slot: from ovpn_gro_slot(), now with a packet that ovpn_gro_follows()
 * @len: its size
 *
 * Context: as ovpn_gro_slot().
 */
void ovpn_gro_add(struct ovpn_gro *gro, u8 *slot, unsigned int len)
{
	const struct tcphdr *th = (struct tcphdr *)(slot + gro->l3_size);
	unsigned int size = len - gro->header;
	struct sk_buff *skb = gro->skb;
	struct ovpn_chunk *chunk = gro->chunk;
	int frags = skb_shinfo(skb)->nr_frags;

	/* a shorter one, or one that wants to be read, is the last */
	gro->pushed = th->psh || size < gro->mss;
	if (th->psh)
		((struct tcphdr *)(skb->data + gro->l3_size))->psh = 1;
	if (gro->segments == 1 && gro->l3_size == sizeof(struct iphdr))
		gro->fixed_id = ((struct iphdr *)slot)->id ==
				((struct iphdr *)skb->data)->id;
	gro->segments++;
	gro->seq += size;

	if (likely(gro->joined)) {
		memcpy(slot, gro->kept, gro->header);
	} else {
		chunk->offset += gro->header;
		skb->truesize += gro->header;
		get_page(chunk->page);
		skb_fill_page_desc(skb, frags++, chunk->page, chunk->offset, 0);
	}
	chunk->offset += size;
	skb_frag_size_add(&skb_shinfo(skb)->frags[frags - 1], size);
	skb->len += size;
	skb->data_len += size;
	skb->truesize += size;
}
EXPORT_SYMBOL_IF_KUNIT(ovpn_gro_add);

/* headers for all that has been joined, as GRO would make them */
static void ovpn_gro_complete(const struct ovpn_gro *gro, struct sk_buff *skb)
{
	struct tcphdr *th = (struct tcphdr *)(skb->data + gro->l3_size);
	struct skb_shared_info *shinfo = skb_shinfo(skb);
	struct ipv6hdr *ip6 = (struct ipv6hdr *)skb->data;
	struct iphdr *ip = (struct iphdr *)skb->data;
	unsigned int len = skb->len - gro->l3_size;

	if (gro->l3_size == sizeof(*ip)) {
		ip->tot_len = htons(skb->len);
		ip_send_check(ip);
		th->check = ~tcp_v4_check(len, ip->saddr, ip->daddr, 0);
		shinfo->gso_type = SKB_GSO_TCPV4;
		if (gro->fixed_id)
			shinfo->gso_type |= SKB_GSO_TCP_FIXEDID;
	} else {
		ip6->payload_len = htons(len);
		th->check = ~tcp_v6_check(len, &ip6->saddr, &ip6->daddr, 0);
		shinfo->gso_type = SKB_GSO_TCPV6;
	}
	shinfo->gso_size = gro->mss;
	shinfo->gso_segs = gro->segments;

	skb_set_transport_header(skb, gro->l3_size);
	skb->ip_summed = CHECKSUM_PARTIAL;
	skb->csum_start = (u8 *)th - skb->head;
	skb->csum_offset = offsetof(struct tcphdr, check);
}

/**
 * ovpn_gro_finish - no other packet follows
 * @gro: the super-packet, if any; there is none afterwards
 *
 * Context: BH off.
 * Return: the super-packet, or the packet, if it stayed alone; or NULL.
 */
struct sk_buff *ovpn_gro_finish(struct ovpn_gro *gro)
{
	struct sk_buff *skb = gro->skb;

	gro->skb = NULL;
	if (skb && gro->segments > 1)
		ovpn_gro_complete(gro, skb);
	return skb;
}
EXPORT_SYMBOL_IF_KUNIT(ovpn_gro_finish);
