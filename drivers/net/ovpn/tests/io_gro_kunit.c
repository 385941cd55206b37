// SPDX-License-Identifier: GPL-2.0-only
/* OpenVPN data channel offload: tests of received super-packets
 *
 * Whatever comes out is compared with what went in by the rig.
 */

#include "../io.h"

#include <kunit/test.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/mm.h>
#include <linux/tcp.h>
#include <net/tcp.h>

#include "../chunk.h"
#include "gro_rig.h"

#define MSS	1348

struct gro_case {
	const char *name;
	struct gro_flow flow;
};

#define GRO_FLOW(...)	{ .port = 4000, .id = 0xfff0, .seq = 0xffff8000, \
			  __VA_ARGS__ }

/* ids and sequence numbers begin close to where they begin anew */
static const struct gro_case gro_flows[] = {
	{ "IPv4", GRO_FLOW(.df = true, .step = 1) },
	{ "IPv4, timestamps",
	  GRO_FLOW(.df = true, .step = 1, .stamps = true) },
	{ "IPv4, fragmentable", GRO_FLOW(.step = 1) },
	{ "IPv4, one id", GRO_FLOW(.df = true, .stamps = true) },
	{ "IPv6", GRO_FLOW(.ipv6 = true) },
	{ "IPv6, timestamps", GRO_FLOW(.ipv6 = true, .stamps = true) },
};

KUNIT_ARRAY_PARAM_DESC(gro_flow, gro_flows, name);

static struct gro_flow gro_param(struct kunit *test)
{
	const struct gro_case *c = test->param_value;

	return c->flow;
}

/* what a device that gets the segments can do */
static const netdev_features_t gro_features[] = {
	0, NETIF_F_SG, NETIF_F_SG | NETIF_F_HW_CSUM,
};

static u8 *gro_buf(struct kunit *test)
{
	u8 *buf = kunit_kzalloc(test, GRO_LEGACY_MAX_SIZE, GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, buf);
	return buf;
}

/* @count packets of the same size, of which all but the first are joined */
static void gro_run(struct gro_rig *rig, struct gro_flow *flow,
		    unsigned int payload, unsigned int count)
{
	unsigned int i;

	for (i = 0; i < count; i++)
		KUNIT_EXPECT_EQ_MSG(rig->test,
				    gro_next(rig, flow, payload, GRO_ACK),
				    i > 0, "packet %u", i);
}

/* what a sender makes of 60 KB */
static void gro_run_test(struct kunit *test)
{
	struct gro_rig *rig = gro_rig_new(test);
	struct gro_flow flow = gro_param(test);
	unsigned int i;

	for (i = 0; i < 2 * ARRAY_SIZE(gro_features); i++) {
		rig->features = gro_features[i / 2];
		rig->chunked = i % 2;
		gro_run(rig, &flow, MSS, 44);
		KUNIT_EXPECT_TRUE(test, gro_next(rig, &flow, 777,
						 GRO_ACK | GRO_PSH));
		/* the next one begins anew */
		KUNIT_EXPECT_FALSE(test, gro_next(rig, &flow, MSS, GRO_ACK));
		KUNIT_ASSERT_EQ(test, skb_queue_len(&rig->out), 1);
		KUNIT_EXPECT_EQ(test, skb_shinfo(rig->out.next)->gso_segs, 45);
		gro_rig_reset(rig);
	}
}

/* what ends a super-packet */
static void gro_end_test(struct kunit *test)
{
	struct gro_rig *rig = gro_rig_new(test);
	struct gro_flow flow = gro_param(test);

	gro_run(rig, &flow, MSS, 2);
	KUNIT_EXPECT_TRUE(test, gro_next(rig, &flow, MSS, GRO_ACK | GRO_PSH));
	KUNIT_EXPECT_FALSE(test, gro_next(rig, &flow, MSS, GRO_ACK));
	KUNIT_EXPECT_TRUE(test, gro_next(rig, &flow, MSS - 1, GRO_ACK));
	KUNIT_EXPECT_FALSE(test, gro_next(rig, &flow, MSS - 1, GRO_ACK));
	KUNIT_EXPECT_TRUE(test, gro_next(rig, &flow, 1, GRO_ACK));
	KUNIT_EXPECT_FALSE(test, gro_next(rig, &flow, 1, GRO_ACK));
	gro_rig_reset(rig);

	/* larger than the first; nothing in it */
	gro_run(rig, &flow, MSS, 2);
	KUNIT_EXPECT_FALSE(test, gro_next(rig, &flow, MSS + 1, GRO_ACK));
	KUNIT_EXPECT_FALSE(test, gro_next(rig, &flow, 0, GRO_ACK));
	gro_rig_reset(rig);
	gro_run(rig, &flow, MSS, 2);
	KUNIT_EXPECT_FALSE(test, gro_next(rig, &flow, 0, GRO_ACK));
	gro_rig_reset(rig);
}

/* a packet that stays alone is as it was */
static void gro_alone_test(struct kunit *test)
{
	struct gro_rig *rig = gro_rig_new(test);
	struct gro_flow flow = gro_param(test);
	struct sk_buff *skb;

	KUNIT_EXPECT_NULL(test, ovpn_gro_finish(&rig->gro));
	KUNIT_EXPECT_FALSE(test, gro_next(rig, &flow, MSS, GRO_ACK));
	skb = ovpn_gro_finish(&rig->gro);
	KUNIT_ASSERT_NOT_NULL(test, skb);
	KUNIT_EXPECT_NULL(test, rig->gro.skb);
	KUNIT_EXPECT_TRUE(test, skb->ip_summed == CHECKSUM_UNNECESSARY);
	KUNIT_EXPECT_FALSE(test, skb_is_gso(skb));
	__skb_queue_tail(&rig->out, skb);
	gro_rig_drain(rig);
}

struct gro_ids {
	const char *name;
	bool df;
	u16 id[4];
	bool joined[3];
};

static const struct gro_ids gro_id_cases[] = {
	{ "rising", true, { 7, 8, 9, 10 }, { true, true, true } },
	{ "rising, past the end", true, { 0xfffe, 0xffff, 0, 1 },
	  { true, true, true } },
	{ "fixed", true, { 7, 7, 7, 7 }, { true, true, true } },
	{ "zero", true, { 0, 0, 0, 0 }, { true, true, true } },
	{ "first fixed", true, { 7, 7, 8, 9 }, { true, false, true } },
	{ "first fixed, then as if rising", true, { 7, 7, 9, 10 },
	  { true, false, true } },
	{ "first rising", true, { 7, 8, 8, 8 }, { true, false, true } },
	{ "back to the first", true, { 7, 8, 7, 7 }, { true, false, true } },
	{ "a gap", true, { 7, 9, 10, 11 }, { false, true, true } },
	{ "falling", true, { 9, 8, 7, 6 }, { false, false, false } },
	{ "fragmentable, rising", false, { 7, 8, 9, 10 },
	  { true, true, true } },
	{ "fragmentable, fixed", false, { 7, 7, 7, 8 },
	  { false, false, true } },
};

KUNIT_ARRAY_PARAM_DESC(gro_id, gro_id_cases, name);

static void gro_id_test(struct kunit *test)
{
	const struct gro_ids *c = test->param_value;
	struct gro_flow flow = GRO_FLOW(.df = c->df);
	struct gro_rig *rig = gro_rig_new(test);
	unsigned int i;

	rig->eager = true;
	for (i = 0; i < ARRAY_SIZE(c->id); i++) {
		flow.id = c->id[i];
		KUNIT_EXPECT_EQ_MSG(test, gro_next(rig, &flow, MSS, GRO_ACK),
				    i && c->joined[i - 1], "packet %u", i);
	}
	gro_rig_reset(rig);
}

/* up to 65535 bytes, and not one more */
static void gro_limit_test(struct kunit *test)
{
	static const unsigned int mss[] = { 536, 700, 1348, 1448, 8948, 20000 };
	struct gro_rig *rig = gro_rig_new(test);
	struct gro_flow flow = gro_param(test);
	unsigned int header = gro_header_size(&flow), room = 65535 - header;
	unsigned int i, count;

	for (i = 0; i < ARRAY_SIZE(mss); i++) {
		count = room / mss[i];
		gro_run(rig, &flow, mss[i], count);
		if (room % mss[i]) {
			KUNIT_EXPECT_FALSE(test,
					   gro_next(rig, &flow,
						    room % mss[i] + 1,
						    GRO_ACK));
			gro_rig_reset(rig);
			gro_run(rig, &flow, mss[i], count);
			KUNIT_ASSERT_TRUE(test,
					  gro_next(rig, &flow, room % mss[i],
						   GRO_ACK));
			KUNIT_EXPECT_EQ(test, rig->gro.skb->len, 65535);
		}
		gro_rig_reset(rig);
	}
}

/* what the device is told to keep to, and not more than 64 KiB all the same */
static void gro_max_size_test(struct kunit *test)
{
	struct gro_rig *rig = gro_rig_new(test);
	struct gro_flow flow = gro_param(test);
	unsigned int header = gro_header_size(&flow);
	unsigned int *mine = flow.ipv6 ? &rig->dev->gro_max_size :
					 &rig->dev->gro_ipv4_max_size;

	rig->eager = true;
	*mine = header + 5 * 1000 + 1;
	gro_run(rig, &flow, 1000, 5);
	KUNIT_EXPECT_FALSE(test, gro_next(rig, &flow, 1000, GRO_ACK));
	gro_rig_reset(rig);
	*mine = header + 5 * 1000;
	gro_run(rig, &flow, 1000, 4);
	KUNIT_EXPECT_FALSE(test, gro_next(rig, &flow, 1000, GRO_ACK));
	gro_rig_reset(rig);
	*mine = 0;
	gro_run(rig, &flow, 1000, 1);
	KUNIT_EXPECT_FALSE(test, gro_next(rig, &flow, 1000, GRO_ACK));
	gro_rig_reset(rig);

	*mine = 500000;
	gro_run(rig, &flow, 1000, 65);
	KUNIT_EXPECT_FALSE(test, gro_next(rig, &flow, 1000, GRO_ACK));
	gro_rig_reset(rig);
}

/* a peer that sends tiny segments makes nothing huge of them */
static void gro_segments_test(struct kunit *test)
{
	struct gro_rig *rig = gro_rig_new(test);
	struct gro_flow flow = gro_param(test);
	unsigned int i;

	for (i = 1; i < 300; i += 149) {
		gro_run(rig, &flow, i, 128);
		KUNIT_EXPECT_FALSE(test, gro_next(rig, &flow, i, GRO_ACK));
		KUNIT_EXPECT_EQ(test, skb_queue_len(&rig->out), 1);
		gro_rig_reset(rig);
	}
}

/* the payload goes on in another chunk wherever one ends */
static void gro_chunk_test(struct kunit *test)
{
	static const unsigned int mss[] = { 1, 600, 1348, 8948, 15000, 30000 };
	struct gro_rig *rig = gro_rig_new(test);
	struct gro_flow flow = gro_param(test);
	unsigned int i, round;

	for (i = 0; i < ARRAY_SIZE(mss); i++) {
		for (round = 0; round < 20; round++) {
			rig->chunked = round % 2;
			gro_run(rig, &flow, mss[i],
				min(60000 / mss[i], 50U));
			gro_rig_reset(rig);
		}
	}
}

/* somebody else takes memory meanwhile */
static void gro_waste(unsigned int size)
{
	struct ovpn_chunk *chunk;

	local_bh_disable();
	ovpn_chunk_lock();
	chunk = ovpn_chunk_get(OVPN_CHUNK_RX, size);
	if (chunk)
		chunk->offset += size;
	ovpn_chunk_unlock();
	local_bh_enable();
}

static void gro_frags_test(struct kunit *test)
{
	struct gro_rig *rig = gro_rig_new(test);
	struct gro_flow flow = gro_param(test);
	unsigned int i;

	/* so that all of it fits into the next chunk */
	gro_waste(OVPN_CHUNK_SIZE);
	gro_run(rig, &flow, MSS, 1);
	for (i = 1; i <= MAX_SKB_FRAGS; i++) {
		gro_waste(i);
		KUNIT_ASSERT_TRUE(test, gro_next(rig, &flow, MSS, GRO_ACK));
		KUNIT_EXPECT_EQ(test, skb_shinfo(rig->gro.skb)->nr_frags, i);
	}
	/* there is room in the last one as long as nobody comes between */
	KUNIT_EXPECT_TRUE(test, gro_next(rig, &flow, MSS, GRO_ACK));
	gro_waste(1);
	KUNIT_EXPECT_FALSE(test, gro_next(rig, &flow, MSS, GRO_ACK));
	gro_rig_reset(rig);
}

/* each fragment holds a page, and no page is held any longer */
static void gro_pages_test(struct kunit *test)
{
	struct page *pages[MAX_SKB_FRAGS];
	struct gro_rig *rig = gro_rig_new(test);
	struct gro_flow flow = gro_param(test);
	const struct skb_shared_info *shinfo;
	unsigned int i, j, count;

	gro_run(rig, &flow, 8948, 7);
	KUNIT_ASSERT_NOT_NULL(test, rig->gro.skb);
	shinfo = skb_shinfo(rig->gro.skb);
	count = shinfo->nr_frags;
	KUNIT_ASSERT_GE(test, count, 2);
	for (i = 0; i < count; i++) {
		pages[i] = skb_frag_page(&shinfo->frags[i]);
		get_page(pages[i]);
		for (j = 0; j < i; j++)
			KUNIT_EXPECT_PTR_NE(test, pages[i], pages[j]);
		/* the ring's, the fragment's, ours */
		KUNIT_EXPECT_EQ(test, page_ref_count(pages[i]), 3);
	}
	/* a packet that does not follow takes none */
	gro_damage(rig, 500);
	for (i = 0; i < count; i++)
		KUNIT_EXPECT_EQ(test, page_ref_count(pages[i]), 3);
	gro_rig_reset(rig);
	for (i = 0; i < count; i++) {
		KUNIT_EXPECT_EQ(test, page_ref_count(pages[i]), 2);
		put_page(pages[i]);
	}
}

/* what is written over the payload and not wanted leaves no trace */
static void gro_undo_test(struct kunit *test)
{
	static const unsigned int payloads[] = { 1, 40, 100, MSS, 8948 };
	struct gro_rig *rig = gro_rig_new(test);
	struct gro_flow flow = gro_param(test), other = flow;
	unsigned int header = gro_header_size(&flow);
	unsigned int i, j, payload, len;
	u8 *packet = gro_buf(test);

	other.port++;
	for (i = 0; i < ARRAY_SIZE(payloads); i++) {
		payload = payloads[i];
		gro_run(rig, &flow, payload, 2);
		for (j = 0; j < 5; j++) {
			gro_damage(rig, header + payload);
			gro_damage(rig, header + 1);
			len = gro_build(&other, packet, payload, GRO_ACK);
			KUNIT_EXPECT_FALSE(test, gro_join(rig, packet, len));
			KUNIT_EXPECT_TRUE(test, gro_next(rig, &flow, payload,
							 GRO_ACK));
		}
		gro_rig_reset(rig);
	}
}

/* who does not follow lets some packets pass before the next try */
static void gro_rest_test(struct kunit *test)
{
	struct gro_rig *rig = gro_rig_new(test);
	struct gro_flow flow = gro_param(test), other = flow;
	unsigned int i;

	other.port++;
	gro_run(rig, &flow, MSS, 3);
	KUNIT_EXPECT_FALSE(test, gro_next(rig, &other, MSS, GRO_ACK));
	for (i = 0; i < 30 && !gro_next(rig, &flow, MSS, GRO_ACK); i++)
		;
	KUNIT_EXPECT_EQ(test, i, 8);
	gro_rig_reset(rig);

	/* one that anybody may have sent is no reason to do so */
	gro_run(rig, &flow, MSS, 3);
	gro_damage(rig, MSS);
	gro_finish(rig);
	gro_run(rig, &flow, MSS, 2);
	gro_rig_reset(rig);
}

static struct kunit_case gro_cases[] = {
	KUNIT_CASE_PARAM(gro_run_test, gro_flow_gen_params),
	KUNIT_CASE_PARAM(gro_end_test, gro_flow_gen_params),
	KUNIT_CASE_PARAM(gro_alone_test, gro_flow_gen_params),
	KUNIT_CASE_PARAM(gro_id_test, gro_id_gen_params),
	KUNIT_CASE_PARAM(gro_limit_test, gro_flow_gen_params),
	KUNIT_CASE_PARAM(gro_max_size_test, gro_flow_gen_params),
	KUNIT_CASE_PARAM(gro_segments_test, gro_flow_gen_params),
	KUNIT_CASE_PARAM(gro_chunk_test, gro_flow_gen_params),
	KUNIT_CASE_PARAM(gro_frags_test, gro_flow_gen_params),
	KUNIT_CASE_PARAM(gro_pages_test, gro_flow_gen_params),
	KUNIT_CASE_PARAM(gro_undo_test, gro_flow_gen_params),
	KUNIT_CASE_PARAM(gro_rest_test, gro_flow_gen_params),
	{}
};

static struct kunit_suite gro_suite = {
	.name = "ovpn_io_gro",
	.test_cases = gro_cases,
};

kunit_test_suite(gro_suite);
