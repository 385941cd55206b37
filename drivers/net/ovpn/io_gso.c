// SPDX-License-Identifier: GPL-2.0-only
/* OpenVPN data channel offload: a super-packet, sealed as a whole
 *
 * The stack would cut a super-packet into one buffer for each segment. Here
 * the segments are built, summed and sealed side by side, and leave in one
 * buffer: UDP sends it as one super-packet of its own, TCP need not copy it.
 */

#include "io.h"

#include <kunit/visibility.h>
#include <linux/unaligned.h>
#include <net/checksum.h>
#include <net/ip.h>
#include <net/ip6_checksum.h>
#include <net/ipv6.h>
#include <net/tcp.h>
#include <net/tso.h>

#include "chunk.h"
#include "crypto_aead.h"
#include "drop.h"
#include "peer.h"
#include "proto.h"
#include "skb.h"

#define OVPN_GSO_TCP	(SKB_GSO_TCPV4 | SKB_GSO_TCPV6)

/* what makes no difference to the way a super-packet is cut, or is minded */
#define OVPN_GSO_MODS	(SKB_GSO_DODGY | SKB_GSO_TCP_ECN | \
			 SKB_GSO_TCP_ACCECN | __SKB_GSO_TCP_FIXEDID | \
			 SKB_GSO_TCP_FIXEDID)

/* a packet has to fit into one chunk, with room for the cipher */
#define OVPN_GSO_FRAME_MAX	(OVPN_CHUNK_SIZE / 2)

/**
 * struct ovpn_gso - a super-packet at work
 * @seal: how to seal
 * @inner: the super-packet
 * @tso: where we are in the payload
 * @list: finished buffers
 * @skb: the last of them, to which packets are added
 * @chunk: where the last packet of that buffer was made, or NULL
 * @l3_size: bytes of the IP header
 * @header: bytes of all headers of a segment
 * @ip_sum: of an IPv4 header, but for id, length and checksum
 * @l4_sum: of pseudo and TCP header, but for length, sequence number, flags and
 *	checksum; of pseudo and UDP header, but for lengths and checksum
 * @udp: it is UDP
 * @fixed_id: all segments have the same IP id
 * @cwr: all segments keep TCP's CWR flag
 */
struct ovpn_gso {
	struct ovpn_seal *seal;
	const struct sk_buff *inner;
	struct tso_t tso;
	struct sk_buff *list;
	struct sk_buff *skb;
	struct ovpn_chunk *chunk;
	unsigned int l3_size;
	unsigned int header;
	__wsum ip_sum;
	__wsum l4_sum;
	bool udp;
	bool fixed_id;
	bool cwr;
};

/* size of all headers, if they are plain IP and TCP or UDP; or else 0 */
static unsigned int ovpn_gso_header(const struct sk_buff *skb)
{
	unsigned int type = skb_shinfo(skb)->gso_type & ~OVPN_GSO_MODS;
	unsigned int l3_size = skb_transport_offset(skb);
	unsigned int size = sizeof(struct udphdr);
	u8 protocol;

	if (skb->protocol == htons(ETH_P_IP)) {
		protocol = ip_hdr(skb)->protocol;
		if (l3_size != ip_hdrlen(skb) || type == SKB_GSO_TCPV6)
			return 0;
	} else {
		protocol = ipv6_hdr(skb)->nexthdr;
		if (l3_size != sizeof(struct ipv6hdr) || type == SKB_GSO_TCPV4)
			return 0;
	}

	if (type == SKB_GSO_TCPV4 || type == SKB_GSO_TCPV6) {
		if (protocol != IPPROTO_TCP ||
		    skb_headlen(skb) < l3_size + sizeof(struct tcphdr))
			return 0;
		size = tcp_hdrlen(skb);
		if (size < sizeof(struct tcphdr))
			return 0;
	} else if (type != SKB_GSO_UDP_L4 || protocol != IPPROTO_UDP) {
		return 0;
	}

	size += l3_size;
	return skb_headlen(skb) >= size && skb->len > size ? size : 0;
}

/**
 * ovpn_gso_count - can a super-packet be sealed as a whole?
 * @skb: a super-packet that starts with its IP header
 * @packets: set to the number of its segments
 * @blocks: set to the number of 16-byte blocks in all of them
 *
 * Context: any.
 * Return: the size of each segment but the last, or 0 if the super-packet has
 * to be cut by the stack.
 */
unsigned int ovpn_gso_count(const struct sk_buff *skb, unsigned int *packets,
			    unsigned int *blocks)
{
	unsigned int header, payload, mss = skb_shinfo(skb)->gso_size;

	/* no pages without an address, no headers that come to lie anywhere */
	if (IS_ENABLED(CONFIG_HIGHMEM) ||
	    !IS_ENABLED(CONFIG_HAVE_EFFICIENT_UNALIGNED_ACCESS))
		return 0;
	if (skb_has_frag_list(skb) || skb->encapsulation ||
	    skb->ip_summed != CHECKSUM_PARTIAL || !skb_frags_readable(skb) ||
	    !skb_transport_header_was_set(skb))
		return 0;

	header = ovpn_gso_header(skb);
	if (!header || header + mss > OVPN_GSO_FRAME_MAX)
		return 0;

	payload = skb->len - header;
	*packets = DIV_ROUND_UP(payload, mss);
	*blocks = (*packets - 1) * DIV_ROUND_UP(header + mss, 16) +
		  DIV_ROUND_UP(header + payload - (*packets - 1) * mss, 16);
	return header + mss;
}
EXPORT_SYMBOL_IF_KUNIT(ovpn_gso_count);

/* what the layers below want to know of the packet inside */
static void ovpn_gso_inherit(struct sk_buff *skb, const struct sk_buff *inner)
{
	skb_copy_hash(skb, inner);
	skb->priority = inner->priority;
	skb->tstamp = inner->tstamp;
	skb->tstamp_type = inner->tstamp_type;
	skb->protocol = inner->protocol;
}

/* begin a buffer */
static bool ovpn_gso_new_skb(struct ovpn_gso *gso)
{
	struct sk_buff *skb;

	skb = alloc_skb(OVPN_TX_HEADROOM, GFP_ATOMIC | __GFP_NOWARN);
	if (unlikely(!skb))
		return false;
	skb_reserve(skb, OVPN_TX_HEADROOM);
	ovpn_gso_inherit(skb, gso->inner);
	*ovpn_tx_cb(skb) = gso->seal->cb;

	if (gso->skb)
		gso->skb->next = skb;
	else
		gso->list = skb;
	gso->skb = skb;
	gso->chunk = NULL;
	return true;
}

/* does one more packet fit into the last buffer? */
static bool ovpn_gso_room(const struct ovpn_gso *gso, unsigned int size)
{
	const struct sk_buff *skb = gso->skb;

	/* a chunk that is not full yet goes on in the last fragment */
	return skb && skb->len + size <= gso->seal->max &&
	       ovpn_tx_cb(skb)->packets < UDP_MAX_SEGMENTS &&
	       skb_shinfo(skb)->nr_frags < MAX_SKB_FRAGS;
}

/* Memory for one packet at the end of the buffer, or NULL. What lies in front
 * of the first packet in a buffer, or in a chunk, others may be reading: not
 * even for a moment may the cipher touch it.
 */
static u8 *ovpn_gso_slot(struct ovpn_gso *gso, unsigned int size)
{
	struct ovpn_chunk *chunk;
	struct sk_buff *skb;
	int frags;

	if (unlikely(!ovpn_gso_room(gso, size)) && !ovpn_gso_new_skb(gso))
		return NULL;
	/* right behind the packet before */
	chunk = gso->chunk;
	if (likely(chunk && chunk->offset + size <= chunk->size))
		return page_address(chunk->page) + chunk->offset;
	skb = gso->skb;
	frags = skb_shinfo(skb)->nr_frags;

	chunk = ovpn_chunk_get(OVPN_CHUNK_TX, size + OVPN_AEAD_HEADROOM);
	if (unlikely(!chunk))
		return NULL;
	if (!skb_can_coalesce(skb, frags, chunk->page, chunk->offset)) {
		chunk->offset += OVPN_AEAD_HEADROOM;
		get_page(chunk->page);
		skb_fill_page_desc(skb, frags, chunk->page, chunk->offset, 0);
	}
	gso->chunk = chunk;
	return page_address(chunk->page) + chunk->offset;
}

/* the packet in the slot is ready */
static void ovpn_gso_add(struct ovpn_gso *gso, unsigned int size)
{
	struct sk_buff *skb = gso->skb;
	int last = skb_shinfo(skb)->nr_frags - 1;

	skb_frag_size_add(&skb_shinfo(skb)->frags[last], size);
	skb->len += size;
	skb->data_len += size;
	skb->truesize += size;
	gso->chunk->offset += size;
	ovpn_tx_cb(skb)->packets++;
}

/* the word of TCP's header that has the flags, to be summed up */
static __wsum ovpn_gso_tcp_flags(const struct tcphdr *th)
{
	return (__force __wsum)((const __be16 *)th)[6];
}

/* Sum up once what is the same in the headers of all segments, and leave out
 * what is not.
 */
static void ovpn_gso_sum_headers(struct ovpn_gso *gso,
				 const struct sk_buff *skb)
{
	const struct ipv6hdr *ip6 = ipv6_hdr(skb);
	const struct iphdr *ip = ip_hdr(skb);
	const struct tcphdr *th = tcp_hdr(skb);
	const struct udphdr *udp = udp_hdr(skb);
	u8 protocol = IPPROTO_UDP;
	__wsum sum;

	sum = csum_partial(th, gso->tso.tlen, 0);
	if (gso->udp) {
		sum = csum_sub(sum, csum_unfold(udp->check));
		sum = csum_sub(sum, (__force __wsum)udp->len);
	} else {
		protocol = IPPROTO_TCP;
		sum = csum_sub(sum, csum_unfold(th->check));
		sum = csum_sub(sum, (__force __wsum)th->seq);
		sum = csum_sub(sum, ovpn_gso_tcp_flags(th));
	}

	if (gso->tso.ipv6) {
		gso->l4_sum = csum_unfold((__force __sum16)
			~csum_ipv6_magic(&ip6->saddr, &ip6->daddr, 0, protocol,
					 sum));
		return;
	}
	gso->l4_sum = csum_tcpudp_nofold(ip->saddr, ip->daddr, 0, protocol,
					 sum);
	sum = csum_partial(ip, gso->l3_size, 0);
	sum = csum_sub(sum, csum_unfold(ip->check));
	sum = csum_sub(sum, (__force __wsum)ip->id);
	gso->ip_sum = csum_sub(sum, (__force __wsum)ip->tot_len);
}

/* @len is that of a segment behind its IP header, @sum that of its payload */
static void ovpn_gso_checksum(const struct ovpn_gso *gso, u8 *packet,
			      unsigned int len, __wsum sum)
{
	struct udphdr *udp = (struct udphdr *)(packet + gso->l3_size);
	struct tcphdr *th = (struct tcphdr *)(packet + gso->l3_size);
	struct iphdr *ip = (struct iphdr *)packet;

	/* of the pseudo header */
	sum = csum_add(sum, (__force __wsum)htons(len));
	sum = csum_add(sum, gso->l4_sum);
	if (gso->udp) {
		sum = csum_add(sum, (__force __wsum)udp->len);
		udp->check = csum_fold(sum) ?: CSUM_MANGLED_0;
	} else {
		sum = csum_add(sum, (__force __wsum)th->seq);
		sum = csum_add(sum, ovpn_gso_tcp_flags(th));
		th->check = csum_fold(sum);
	}

	if (!gso->tso.ipv6) {
		sum = csum_add(gso->ip_sum, (__force __wsum)ip->id);
		sum = csum_add(sum, (__force __wsum)ip->tot_len);
		ip->check = csum_fold(sum);
	}
}

/* one segment: headers, payload, checksums */
static void ovpn_gso_segment(struct ovpn_gso *gso, const struct sk_buff *skb,
			     u8 *packet, unsigned int payload, bool first,
			     bool last)
{
	u8 *dst = packet + gso->header;
	struct tso_t *tso = &gso->tso;
	unsigned int left = payload;
	__wsum sum = 0, piece;
	int chunk;

	tso_build_hdr(skb, packet, tso, payload, last);
	if (gso->fixed_id)
		tso->ip_id--;
	if (!first && !gso->cwr)
		((struct tcphdr *)(packet + gso->l3_size))->cwr = 0;

	while (left) {
		chunk = min_t(unsigned int, left, tso->size);
		piece = csum_partial_copy_nocheck(tso->data, dst, chunk);
		sum = csum_block_add(sum, piece, payload - left);
		tso_build_data(skb, tso, chunk);
		dst += chunk;
		left -= chunk;
	}
	ovpn_gso_checksum(gso, packet, tso->tlen + payload, sum);
}

/* build, seal and add one packet */
static bool ovpn_gso_packet(struct ovpn_gso *gso, const struct sk_buff *skb,
			    unsigned int payload, bool first, bool last)
{
	unsigned int size = gso->header + payload;
	struct ovpn_seal *seal = gso->seal;
	u8 *frame, *packet;

	frame = ovpn_gso_slot(gso, seal->prefix + OVPN_HEADER_SIZE + size);
	if (unlikely(!frame))
		return false;

	packet = frame + seal->prefix + OVPN_HEADER_SIZE;
	ovpn_gso_segment(gso, skb, packet, payload, first, last);
	if (unlikely(ovpn_aead_seal(seal->key, seal->op, seal->id++, packet,
				    size)))
		return false;

	size += OVPN_HEADER_SIZE;
	if (seal->prefix)
		put_unaligned_be16(size, frame);
	ovpn_gso_add(gso, size + seal->prefix);
	return true;
}

/* drop the buffers that no packet got into: the last one, if any */
static struct sk_buff *ovpn_gso_finish(struct ovpn_gso *gso,
				       struct sk_buff *skb)
{
	struct sk_buff *last, **tail = &gso->list;

	while ((last = *tail) && last->next)
		tail = &last->next;
	if (likely(last && last->len)) {
		ovpn_skb_move_owner(last, skb);
	} else if (last) {
		kfree_skb(last);
		*tail = NULL;
	}
	consume_skb(skb);
	return gso->list;
}

/**
 * ovpn_gso_seal - cut a super-packet and seal the segments
 * @seal: how to seal, with ids for all packets
 * @skb: the super-packet; consumed
 * @packets: their number, from ovpn_gso_count()
 *
 * Context: BH off.
 * Return: a list of buffers, mostly one, which hold the packets one after
 * another; or NULL. What could not be sealed has been counted.
 */
struct sk_buff *ovpn_gso_seal(struct ovpn_seal *seal, struct sk_buff *skb,
			      unsigned int packets)
{
	unsigned int type = skb_shinfo(skb)->gso_type;
	unsigned int mss = skb_shinfo(skb)->gso_size;
	struct ovpn_gso gso = {
		.seal = seal,
		.inner = skb,
		.l3_size = skb_transport_offset(skb),
		.udp = !(type & OVPN_GSO_TCP),
		.fixed_id = type & SKB_GSO_TCP_FIXEDID,
	};
	unsigned int left, payload, i;

	skb_get_hash(skb);
	gso.cwr = gso.udp || type & SKB_GSO_TCP_ACCECN;
	gso.header = tso_start(skb, &gso.tso);
	ovpn_gso_sum_headers(&gso, skb);
	seal->cb.size = OVPN_HEADER_SIZE + gso.header + mss;
	left = skb->len - gso.header;

	ovpn_chunk_lock();
	for (i = 0; i < packets; i++) {
		payload = min(left, mss);
		left -= payload;
		if (unlikely(!ovpn_gso_packet(&gso, skb, payload, !i, !left)))
			break;
	}
	ovpn_chunk_unlock();

	for (; unlikely(i < packets); i++)
		ovpn_drop(seal->peer->ovpn, NULL, OVPN_DROP_TX_NOMEM);
	return ovpn_gso_finish(&gso, skb);
}
EXPORT_SYMBOL_IF_KUNIT(ovpn_gso_seal);
