// SPDX-License-Identifier: GPL-2.0-only
/* OpenVPN data channel offload: tests of super-packets sealed as a whole
 *
 * What is sealed is opened again, and must be what the network stack would
 * have cut.
 */

#include "../io.h"

#include <kunit/test.h>
#include <linux/bottom_half.h>
#include <linux/err.h>
#include <linux/gfp.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/mm.h>
#include <linux/prandom.h>
#include <linux/sched.h>
#include <linux/tcp.h>
#include <linux/udp.h>
#include <linux/unaligned.h>
#include <net/gso.h>
#include <net/ip6_checksum.h>
#include <net/tcp.h>
#include <net/udp.h>

#include "../chunk.h"
#include "../crypto_aead.h"
#include "../peer.h"
#include "gro_rig.h"

#define GSO_ID		1000
#define GSO_HASH	0x12345

/**
 * struct gso_case - a kind of super-packet
 * @name: of the test
 * @flow: the TCP stream, or addresses only
 * @udp: datagrams
 * @type: how it is cut
 * @flags: TCP's flags
 */
struct gso_case {
	const char *name;
	struct gro_flow flow;
	bool udp;
	unsigned int type;
	u8 flags;
};

#define GSO4(...)	{ .df = true, .step = 1, .id = 0xfff8, \
			  .seq = 0xffffff00, __VA_ARGS__ }
#define GSO6(...)	GSO4(.ipv6 = true, __VA_ARGS__)

static const struct gso_case gso_cases[] = {
	{ "TCP, IPv4", GSO4(), false, SKB_GSO_TCPV4, GRO_ACK | GRO_PSH },
	{ "TCP, IPv6", GSO6(), false, SKB_GSO_TCPV6, GRO_ACK | GRO_FIN },
	{ "TCP, IPv4, timestamps", GSO4(.stamps = true), false, SKB_GSO_TCPV4,
	  GRO_ACK },
	{ "TCP, IPv6, timestamps", GSO6(.stamps = true), false, SKB_GSO_TCPV6,
	  GRO_ACK | GRO_PSH },
	{ "TCP, one id", GSO4(), false, SKB_GSO_TCPV4 | SKB_GSO_TCP_FIXEDID,
	  GRO_ACK },
	{ "TCP, CWR once", GSO4(), false, SKB_GSO_TCPV4 | SKB_GSO_TCP_ECN,
	  GRO_ACK | GRO_CWR | GRO_ECE },
	{ "TCP, CWR in each", GSO6(), false,
	  SKB_GSO_TCPV6 | SKB_GSO_TCP_ACCECN, GRO_ACK | GRO_CWR },
	{ "UDP, IPv4", GSO4(), true, SKB_GSO_UDP_L4 },
	{ "UDP, IPv6", GSO6(), true, SKB_GSO_UDP_L4 },
};

KUNIT_ARRAY_PARAM_DESC(gso, gso_cases, name);

/**
 * struct gso_rig - what a super-packet is sealed with, and opened
 * @test: the test
 * @key: the key
 * @peer: for counting
 * @packet: a super-packet, in one piece
 * @frame: a sealed packet
 * @plain: the same, opened
 * @list: super-packet, segments or buffers to be freed with the test
 * @rnd: source of sizes
 */
struct gso_rig {
	struct kunit *test;
	struct ovpn_key *key;
	struct ovpn_peer *peer;
	u8 *packet;
	u8 *frame;
	u8 *plain;
	struct sk_buff_head list;
	struct rnd_state rnd;
};

static void gso_rig_release(void *arg)
{
	struct gso_rig *rig = arg;

	__skb_queue_purge(&rig->list);
	ovpn_aead_key_free(rig->key);
}

static struct gso_rig *gso_rig_new(struct kunit *test)
{
	static const u8 secret[32];
	struct ovpn_key_config config = {
		.cipher = OVPN_CIPHER_ALG_CHACHA20_POLY1305,
		.key_size = sizeof(secret),
		.tx_key = secret,
		.tx_tail = secret,
		.rx_key = secret,
		.rx_tail = secret,
	};
	struct gso_rig *rig = kunit_kzalloc(test, sizeof(*rig), GFP_KERNEL);

	if (IS_ENABLED(CONFIG_HIGHMEM) ||
	    !IS_ENABLED(CONFIG_HAVE_EFFICIENT_UNALIGNED_ACCESS))
		kunit_skip(test, "no super-packets on this machine");
	KUNIT_ASSERT_NOT_NULL(test, rig);
	rig->test = test;
	__skb_queue_head_init(&rig->list);
	prandom_seed_state(&rig->rnd, 11);
	rig->peer = kunit_kzalloc(test, sizeof(*rig->peer), GFP_KERNEL);
	rig->packet = kunit_kzalloc(test, SZ_64K, GFP_KERNEL);
	rig->frame = kunit_kzalloc(test, SZ_64K, GFP_KERNEL);
	rig->plain = kunit_kzalloc(test, SZ_64K, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, rig->peer);
	KUNIT_ASSERT_NOT_NULL(test, rig->packet);
	KUNIT_ASSERT_NOT_NULL(test, rig->frame);
	KUNIT_ASSERT_NOT_NULL(test, rig->plain);
	rig->key = ovpn_aead_key_new(&config);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, rig->key);
	KUNIT_ASSERT_EQ(test, 0,
			kunit_add_action_or_reset(test, gso_rig_release, rig));
	return rig;
}

/* One piece of memory with headers and payload; the checksum is that of the
 * pseudo header. Returns its size, and that of the headers.
 */
static unsigned int gso_build(struct gso_rig *rig, const struct gso_case *c,
			      unsigned int payload, unsigned int *header)
{
	struct gro_flow flow = c->flow;
	unsigned int l3 = gro_l3_size(&flow), len, i;
	struct ipv6hdr *ip6 = (struct ipv6hdr *)rig->packet;
	struct iphdr *ip = (struct iphdr *)rig->packet;
	struct tcphdr *th = (struct tcphdr *)(rig->packet + l3);
	struct udphdr *uh = (struct udphdr *)th;

	*header = gro_header_size(&flow);
	len = gro_build(&flow, rig->packet, payload, c->flags);
	if (!c->udp) {
		th->check = flow.ipv6 ? ~tcp_v6_check(len - l3, &ip6->saddr,
						      &ip6->daddr, 0) :
					~tcp_v4_check(len - l3, ip->saddr,
						      ip->daddr, 0);
		return len;
	}

	*header = l3 + sizeof(*uh);
	uh->len = htons(len - l3);
	for (i = *header; i < len; i++)
		rig->packet[i] = i * 7;
	if (flow.ipv6) {
		ip6->nexthdr = IPPROTO_UDP;
		uh->check = ~udp_v6_check(len - l3, &ip6->saddr, &ip6->daddr,
					  0);
	} else {
		ip->protocol = IPPROTO_UDP;
		gro_sum_ip(rig->packet);
		uh->check = ~udp_v4_check(len - l3, ip->saddr, ip->daddr, 0);
	}
	return len;
}

/* put bytes into pages, wherever they begin and end */
static void gso_add_frags(struct gso_rig *rig, struct sk_buff *skb,
			  const u8 *data, unsigned int len)
{
	unsigned int room = (PAGE_SIZE << 3), frags = 0, size, offset;
	struct page *page;

	while (len) {
		offset = prandom_u32_state(&rig->rnd) % 100;
		size = 1 + prandom_u32_state(&rig->rnd) % 6000;
		if (frags == MAX_SKB_FRAGS - 3)
			size = room - 100;
		size = min(size, len);
		page = alloc_pages(GFP_KERNEL | __GFP_COMP, 3);
		KUNIT_ASSERT_NOT_NULL(rig->test, page);
		memcpy(page_address(page) + offset, data, size);
		skb_add_rx_frag(skb, frags++, page, offset, size, room);
		data += size;
		len -= size;
		if (frags == MAX_SKB_FRAGS - 2)
			break;
	}
	/* two pages hold any rest */
	for (; len; len -= size, data += size) {
		size = min(len, room);
		page = alloc_pages(GFP_KERNEL | __GFP_COMP, 3);
		KUNIT_ASSERT_NOT_NULL(rig->test, page);
		memcpy(page_address(page), data, size);
		skb_add_rx_frag(skb, frags++, page, 0, size, room);
	}
}

/* @len bytes of rig->packet as a super-packet, @head of them in one piece */
static struct sk_buff *gso_skb(struct gso_rig *rig, const struct gso_case *c,
			       unsigned int len, unsigned int head,
			       unsigned int mss)
{
	unsigned int l3 = gro_l3_size(&c->flow);
	struct sk_buff *skb;

	head = min(head, len);
	skb = alloc_skb(128 + head, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(rig->test, skb);
	__skb_queue_tail(&rig->list, skb);
	skb_reserve(skb, 128);
	skb_put_data(skb, rig->packet, head);
	gso_add_frags(rig, skb, rig->packet + head, len - head);
	KUNIT_ASSERT_EQ(rig->test, skb->len, len);

	skb->protocol = c->flow.ipv6 ? htons(ETH_P_IPV6) : htons(ETH_P_IP);
	/* nobody has to look for one, as it takes a device */
	__skb_set_sw_hash(skb, GSO_HASH, true);
	skb_reset_mac_header(skb);
	skb_reset_mac_len(skb);
	skb_reset_network_header(skb);
	skb_set_transport_header(skb, l3);
	skb->ip_summed = CHECKSUM_PARTIAL;
	skb->csum_start = skb_headroom(skb) + l3;
	skb->csum_offset = c->udp ? offsetof(struct udphdr, check) :
				    offsetof(struct tcphdr, check);
	skb_shinfo(skb)->gso_size = mss;
	skb_shinfo(skb)->gso_type = c->type;
	skb_shinfo(skb)->gso_segs = 0; /* nobody may rely on it */
	return skb;
}

/* seal a super-packet; the buffers are in rig->list */
static void gso_seal(struct gso_rig *rig, struct sk_buff *skb,
		     unsigned int packets, u8 prefix, unsigned int max)
{
	struct ovpn_seal seal = {
		.peer = rig->peer,
		.key = rig->key,
		.op = ovpn_op_pack(0, 7),
		.id = GSO_ID,
		.prefix = prefix,
		.max = max,
		.cb = { .dsfield = 3, .inner = true },
	};
	struct sk_buff *list, *next;

	__skb_unlink(skb, &rig->list);
	local_bh_disable();
	list = ovpn_gso_seal(&seal, skb, packets);
	local_bh_enable();
	KUNIT_EXPECT_EQ(rig->test, seal.id - GSO_ID, packets);
	skb_list_walk_safe(list, skb, next) {
		skb_mark_not_on_list(skb);
		__skb_queue_tail(&rig->list, skb);
		KUNIT_EXPECT_EQ(rig->test, skb->hash, GSO_HASH);
		if (ovpn_tx_cb(skb)->packets > 1)
			KUNIT_EXPECT_LE(rig->test, skb->len, max);
	}
}

/* open the next packet of the buffers into rig->plain; its size, or 0 */
static unsigned int gso_open(struct gso_rig *rig, unsigned int *offset,
			     unsigned int count, u8 prefix)
{
	struct sk_buff *skb = skb_peek(&rig->list);
	const struct ovpn_tx_cb *cb;
	unsigned int len;

	if (skb && *offset == skb->len) {
		__skb_unlink(skb, &rig->list);
		kfree_skb(skb);
		skb = skb_peek(&rig->list);
		*offset = 0;
	}
	if (!skb)
		return 0;
	cb = ovpn_tx_cb(skb);
	KUNIT_EXPECT_TRUE(rig->test, cb->inner);
	KUNIT_EXPECT_EQ(rig->test, cb->dsfield, 3);
	KUNIT_EXPECT_LE(rig->test, cb->packets, UDP_MAX_SEGMENTS);
	KUNIT_EXPECT_GE(rig->test, skb_headroom(skb), OVPN_TX_PUSH);

	len = min(skb->len - *offset, (unsigned int)cb->size + prefix);
	KUNIT_ASSERT_GT(rig->test, len, prefix + OVPN_HEADER_SIZE);
	KUNIT_ASSERT_EQ(rig->test, 0,
			skb_copy_bits(skb, *offset, rig->frame, len));
	*offset += len;
	len -= prefix;
	if (prefix)
		KUNIT_EXPECT_EQ(rig->test, get_unaligned_be16(rig->frame),
				len);
	KUNIT_EXPECT_EQ(rig->test, get_unaligned_be32(rig->frame + prefix),
			ovpn_op_pack(0, 7));
	KUNIT_EXPECT_EQ(rig->test, get_unaligned_be32(rig->frame + prefix + 4),
			GSO_ID + count);
	len -= OVPN_HEADER_SIZE;
	KUNIT_ASSERT_EQ(rig->test, 0,
			ovpn_aead_open(rig->key, rig->frame + prefix,
				       rig->frame + prefix + OVPN_HEADER_SIZE,
				       rig->plain, len));
	return len;
}

/* what has been sealed is what the stack makes of the same super-packet */
static void gso_compare(struct gso_rig *rig, struct sk_buff *segs, u8 prefix,
			unsigned int packets, unsigned int blocks)
{
	unsigned int count = 0, offset = 0, len;
	struct sk_buff *seg;

	for (seg = segs; seg; seg = seg->next) {
		len = gso_open(rig, &offset, count, prefix);
		KUNIT_ASSERT_EQ(rig->test, len, seg->len);
		KUNIT_ASSERT_FALSE(rig->test, skb_is_nonlinear(seg));
		KUNIT_ASSERT_MEMEQ(rig->test, rig->plain, seg->data, len);
		blocks -= DIV_ROUND_UP(len, 16);
		count++;
	}
	KUNIT_EXPECT_EQ(rig->test, 0, gso_open(rig, &offset, count, prefix));
	KUNIT_EXPECT_EQ(rig->test, count, packets);
	KUNIT_EXPECT_EQ(rig->test, blocks, 0);
	kfree_skb_list(segs);
}

/* Super-packets of random sizes and shapes; @prefix bytes in front of each
 * packet, @max bytes in a buffer.
 */
static void gso_round_trips(struct kunit *test, u8 prefix, unsigned int max)
{
	static const unsigned int sizes[] = { 1348, 1, 100, 536, 8948 };
	const struct gso_case *c = test->param_value;
	unsigned int i, len, mss, payload, header, size, packets, blocks;
	struct gso_rig *rig = gso_rig_new(test);
	struct sk_buff *skb, *copy, *segs;

	for (i = 0; i < 120; i++) {
		mss = sizes[i % ARRAY_SIZE(sizes)];
		payload = 1 + prandom_u32_state(&rig->rnd) %
			      min(mss * 60, 60000u);
		/* the stack has nothing to cut then */
		payload = max(payload, mss + 1);
		len = gso_build(rig, c, payload, &header);
		skb = gso_skb(rig, c, len, header + (i % 3) *
			      prandom_u32_state(&rig->rnd) % 3000, mss);
		size = ovpn_gso_count(skb, &packets, &blocks);
		KUNIT_ASSERT_EQ(test, size, header + mss);

		copy = skb_copy(skb, GFP_KERNEL);
		KUNIT_ASSERT_NOT_NULL(test, copy);
		segs = skb_gso_segment(copy, 0);
		KUNIT_ASSERT_NOT_ERR_OR_NULL(test, segs);
		consume_skb(copy);

		gso_seal(rig, skb, packets, prefix, max);
		gso_compare(rig, segs, prefix, packets, blocks);
		cond_resched();
	}
}

static void gso_datagrams_test(struct kunit *test)
{
	gso_round_trips(test, 0, 65507);
}

static void gso_stream_test(struct kunit *test)
{
	gso_round_trips(test, OVPN_LENGTH_SIZE, SZ_128K);
}

static void gso_small_buffers_test(struct kunit *test)
{
	gso_round_trips(test, 0, 9500);
}

/* one segment is no more than a packet */
static void gso_single_test(struct kunit *test)
{
	const struct gso_case *c = test->param_value;
	struct gso_rig *rig = gso_rig_new(test);
	unsigned int len, header, packets, blocks, offset = 0;
	struct sk_buff *skb;

	len = gso_build(rig, c, 100, &header);
	skb = gso_skb(rig, c, len, header, len - header);
	KUNIT_EXPECT_EQ(test, ovpn_gso_count(skb, &packets, &blocks), len);
	KUNIT_EXPECT_EQ(test, packets, 1);
	KUNIT_EXPECT_EQ(test, blocks, DIV_ROUND_UP(len, 16));
	gso_seal(rig, skb, 1, 0, 65507);
	KUNIT_EXPECT_EQ(test, gso_open(rig, &offset, 0, 0), len);
}

/* the checksum that would mean that there is none */
static void gso_zero_sum_test(struct kunit *test)
{
	const struct gso_case *c = test->param_value;
	unsigned int len, header, packets, blocks, l3, i, offset;
	struct gso_rig *rig = gso_rig_new(test);
	struct sk_buff *skb;
	struct udphdr *uh;

	if (!c->udp)
		kunit_skip(test, "TCP always has one");
	l3 = gro_l3_size(&c->flow);
	len = gso_build(rig, c, 100, &header);
	memset(rig->packet + header, 0, sizeof(uh->check));
	for (i = 0; i < 2; i++) {
		skb = gso_skb(rig, c, len, len, len - header);
		KUNIT_ASSERT_NE(test, 0,
				ovpn_gso_count(skb, &packets, &blocks));
		gso_seal(rig, skb, 1, 0, 65507);
		offset = 0;
		KUNIT_ASSERT_EQ(test, gso_open(rig, &offset, 0, 0), len);
		__skb_queue_purge(&rig->list);
		uh = (struct udphdr *)(rig->plain + l3);
		/* where zeros were, this makes it zero */
		memcpy(rig->packet + header, &uh->check, sizeof(uh->check));
	}
	KUNIT_EXPECT_TRUE(test, uh->check == CSUM_MANGLED_0);
}

/* nothing to send, headers in pieces, and packets larger than any memory */
static void gso_sizes_test(struct kunit *test)
{
	const struct gso_case *c = test->param_value;
	struct gso_rig *rig = gso_rig_new(test);
	unsigned int len, header, packets, blocks, head, mss;
	struct sk_buff *skb;

	len = gso_build(rig, c, 5000, &header);
	for (head = gro_l3_size(&c->flow); head < header + 20; head++) {
		skb = gso_skb(rig, c, len, head, 100);
		KUNIT_EXPECT_EQ_MSG(test,
				    ovpn_gso_count(skb, &packets, &blocks),
				    head < header ? 0 : header + 100,
				    "%u bytes linear", head);
	}
	skb = gso_skb(rig, c, header, header, 100);
	KUNIT_EXPECT_EQ(test, 0, ovpn_gso_count(skb, &packets, &blocks));
	for (mss = 16000; mss < 65536; mss++) {
		skb_shinfo(skb)->gso_size = mss;
		skb->len = header + 1;
		KUNIT_EXPECT_EQ(test, ovpn_gso_count(skb, &packets, &blocks),
				header + mss <= OVPN_CHUNK_SIZE / 2 ?
				header + mss : 0);
		skb->len = header;
	}
}

/* every kind of super-packet that is not quite what it should be */
static void gso_shapes_test(struct kunit *test)
{
	const struct gso_case *c = test->param_value;
	struct gso_rig *rig = gso_rig_new(test);
	unsigned int len, header, packets, blocks, bit;
	struct skb_shared_info *shinfo;
	u8 *protocol, *doff, was;
	struct sk_buff *skb;

#define EXPECT_CUT(change, restore) do {				\
	change;								\
	KUNIT_EXPECT_EQ(test, 0, ovpn_gso_count(skb, &packets, &blocks)); \
	restore;							\
	KUNIT_EXPECT_NE(test, 0, ovpn_gso_count(skb, &packets, &blocks)); \
} while (0)

	len = gso_build(rig, c, 5000, &header);
	skb = gso_skb(rig, c, len, header, 1000);
	shinfo = skb_shinfo(skb);

	EXPECT_CUT(shinfo->frag_list = skb, shinfo->frag_list = NULL);
	EXPECT_CUT(skb->encapsulation = 1, skb->encapsulation = 0);
	EXPECT_CUT(skb->ip_summed = CHECKSUM_NONE,
		   skb->ip_summed = CHECKSUM_PARTIAL);
	EXPECT_CUT(skb->ip_summed = CHECKSUM_UNNECESSARY,
		   skb->ip_summed = CHECKSUM_PARTIAL);
	EXPECT_CUT(skb->unreadable = 1, skb->unreadable = 0);
	EXPECT_CUT(skb_unset_transport_header(skb),
		   skb_set_transport_header(skb, gro_l3_size(&c->flow)));
	EXPECT_CUT(skb->transport_header++, skb->transport_header--);
	EXPECT_CUT(skb->transport_header--, skb->transport_header++);
	EXPECT_CUT(skb->transport_header = 0,
		   skb_set_transport_header(skb, gro_l3_size(&c->flow)));
	EXPECT_CUT(skb->protocol ^= htons(ETH_P_IP) ^ htons(ETH_P_IPV6),
		   skb->protocol ^= htons(ETH_P_IP) ^ htons(ETH_P_IPV6));

	/* what the headers say is something else */
	protocol = skb->data + (c->flow.ipv6 ?
				offsetof(struct ipv6hdr, nexthdr) :
				offsetof(struct iphdr, protocol));
	was = *protocol;
	EXPECT_CUT(*protocol = IPPROTO_SCTP, *protocol = was);
	EXPECT_CUT(*protocol = c->udp ? IPPROTO_TCP : IPPROTO_UDP,
		   *protocol = was);
	doff = skb_transport_header(skb) + 12;
	was = *doff;
	for (bit = 0; !c->udp && bit < 5; bit++)
		EXPECT_CUT(*doff = bit << 4, *doff = was);
	EXPECT_CUT(skb->len = header, skb->len = len);

	/* any other way to cut, or one more */
	for (bit = 0; bit < 32; bit++) {
		if (c->type & BIT(bit) || BIT(bit) & (SKB_GSO_DODGY |
		    SKB_GSO_TCP_ECN | SKB_GSO_TCP_ACCECN |
		    __SKB_GSO_TCP_FIXEDID | SKB_GSO_TCP_FIXEDID))
			continue;
		EXPECT_CUT(shinfo->gso_type = c->type | BIT(bit),
			   shinfo->gso_type = c->type);
		EXPECT_CUT(shinfo->gso_type = BIT(bit),
			   shinfo->gso_type = c->type);
	}
#undef EXPECT_CUT
}

/* Headers of which a byte is anything: it is refused, or sealed as so many
 * packets as was said. Sanitizers tell if it went wrong.
 */
static void gso_lies_test(struct kunit *test)
{
	const struct gso_case *c = test->param_value;
	unsigned int len, header, packets, blocks, i, count, offset, sealed = 0;
	struct gso_rig *rig = gso_rig_new(test);
	struct sk_buff *skb;
	u32 dice;

	for (i = 0; i < 2000; i++) {
		dice = prandom_u32_state(&rig->rnd);
		len = gso_build(rig, c, 1 + (dice >> 16) % 9000, &header);
		dice = prandom_u32_state(&rig->rnd);
		rig->packet[(dice >> 8) % header] = dice;
		if (dice >> 28 == 0)
			rig->packet[0] = prandom_u32_state(&rig->rnd);
		/* io_tx sees to it that the smallest IP header is there */
		skb = gso_skb(rig, c, len, gro_l3_size(&c->flow) +
			      (dice >> 16) % 80,
			      1 + prandom_u32_state(&rig->rnd) % 2000);
		if (!ovpn_gso_count(skb, &packets, &blocks)) {
			__skb_queue_purge(&rig->list);
			continue;
		}
		gso_seal(rig, skb, packets, 0, 65507);
		for (count = 0, offset = 0; gso_open(rig, &offset, count, 0);)
			count++;
		KUNIT_EXPECT_EQ(test, count, packets);
		sealed++;
		cond_resched();
	}
	KUNIT_EXPECT_GT(test, sealed, 500);
	KUNIT_EXPECT_LT(test, sealed, 1999);
}

static struct kunit_case gso_test_cases[] = {
	KUNIT_CASE_PARAM(gso_datagrams_test, gso_gen_params),
	KUNIT_CASE_PARAM(gso_stream_test, gso_gen_params),
	KUNIT_CASE_PARAM(gso_small_buffers_test, gso_gen_params),
	KUNIT_CASE_PARAM(gso_single_test, gso_gen_params),
	KUNIT_CASE_PARAM(gso_zero_sum_test, gso_gen_params),
	KUNIT_CASE_PARAM(gso_sizes_test, gso_gen_params),
	KUNIT_CASE_PARAM(gso_shapes_test, gso_gen_params),
	KUNIT_CASE_PARAM(gso_lies_test, gso_gen_params),
	{}
};

static struct kunit_suite gso_suite = {
	.name = "ovpn_io_gso",
	.test_cases = gso_test_cases,
};

kunit_test_suite(gso_suite);
