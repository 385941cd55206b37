// SPDX-License-Identifier: GPL-2.0-only
/* OpenVPN data channel offload: what must not become a super-packet
 *
 * Whatever comes out is compared with what went in by the rig.
 */

#include "../io.h"

#include <kunit/test.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/prandom.h>
#include <linux/sched.h>
#include <linux/sizes.h>
#include <linux/tcp.h>
#include <linux/unaligned.h>

#include "gro_rig.h"

#define MSS	1348

/* where in the headers something is */
#define IP4(field)	offsetof(struct iphdr, field)
#define IP6(field)	offsetof(struct ipv6hdr, field)
#define TCP(field)	offsetof(struct tcphdr, field)

static const struct gro_flow gro_flow4 = {
	.df = true, .step = 1, .stamps = true, .port = 4000, .id = 0x1000,
};

static const struct gro_flow gro_flow6 = {
	.ipv6 = true, .stamps = true, .port = 4000,
};

static u8 *gro_buf(struct kunit *test)
{
	u8 *buf = kunit_kzalloc(test, SZ_16K, GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, buf);
	return buf;
}

/* May a packet follow that differs in this bit? @summed: the checksum of the
 * IP header is right all the same.
 */
static bool gro_flip_ok(const struct gro_flow *flow, unsigned int bit,
			bool summed)
{
	unsigned int l3 = gro_l3_size(flow), byte = bit / 8;

	if (byte == l3 + TCP(check) || byte == l3 + TCP(check) + 1)
		return true;
	if (!flow->ipv6 && summed &&
	    (byte == IP4(check) || byte == IP4(check) + 1))
		return true;
	if (byte == l3 + GRO_FLAGS)
		return BIT(bit % 8) == GRO_PSH;
	/* one packet later the id is one more; this bit makes it the same */
	return !flow->ipv6 && summed && bit == 8 * (IP4(id) + 1);
}

static void gro_flip_all(struct kunit *test, const struct gro_flow *from,
			 bool summed)
{
	struct gro_rig *rig = gro_rig_new(test);
	unsigned int bit, bits = gro_header_size(from) * 8;
	u8 *packet = gro_buf(test);

	for (bit = 0; bit < bits; bit++) {
		struct gro_flow flow = *from;
		unsigned int len;

		gro_next(rig, &flow, MSS, GRO_ACK);
		len = gro_build(&flow, packet, MSS, GRO_ACK);
		packet[bit / 8] ^= BIT(bit % 8);
		if (summed && !flow.ipv6 && *packet == 0x45)
			gro_sum_ip(packet);
		KUNIT_EXPECT_EQ_MSG(test, gro_feed(rig, packet, len),
				    gro_flip_ok(from, bit, summed),
				    "bit %u of byte %u", bit % 8, bit / 8);
		gro_rig_reset(rig);
	}
}

static void gro_flip4_test(struct kunit *test)
{
	gro_flip_all(test, &gro_flow4, false);
	gro_flip_all(test, &gro_flow4, true);
}

static void gro_flip6_test(struct kunit *test)
{
	gro_flip_all(test, &gro_flow6, false);
}

/* bits of the payload make no difference, and get through */
static void gro_flip_payload_test(struct kunit *test)
{
	struct gro_rig *rig = gro_rig_new(test);
	u8 *packet = gro_buf(test);
	unsigned int bit, len, byte;

	for (bit = 0; bit < 8 * 200; bit++) {
		struct gro_flow flow = bit & 1 ? gro_flow6 : gro_flow4;

		gro_next(rig, &flow, MSS, GRO_ACK);
		len = gro_build(&flow, packet, MSS, GRO_ACK);
		byte = gro_header_size(&flow) + bit / 8;
		packet[byte] ^= BIT(bit % 8);
		KUNIT_EXPECT_TRUE(test, gro_feed(rig, packet, len));
		gro_rig_reset(rig);
	}
}

/* each packet that is too short for its headers, or for what they say */
static void gro_truncated_test(struct kunit *test)
{
	struct gro_rig *rig = gro_rig_new(test);
	unsigned int len, whole, i, header;
	u8 *packet = gro_buf(test);

	for (i = 0; i < 2; i++) {
		struct gro_flow flow = i ? gro_flow6 : gro_flow4;

		header = gro_header_size(&flow);
		whole = gro_build(&flow, packet, 100, GRO_ACK);
		for (len = 0; len < whole; len++)
			KUNIT_EXPECT_FALSE(test, gro_starts(rig, packet, len));
		KUNIT_EXPECT_TRUE(test, gro_starts(rig, packet, whole));

		/* the IP header says how long they are */
		for (len = gro_l3_size(&flow); len <= whole; len++) {
			put_unaligned_be16(flow.ipv6 ?
					   len - sizeof(struct ipv6hdr) : len,
					   packet + (flow.ipv6 ?
						     IP6(payload_len) :
						     IP4(tot_len)));
			if (!flow.ipv6)
				gro_sum_ip(packet);
			KUNIT_EXPECT_EQ_MSG(test,
					    gro_starts(rig, packet, len),
					    len > header, "%u bytes", len);
		}
	}
}

/* a following packet that has been cut to any length */
static void gro_short_next_test(struct kunit *test)
{
	struct gro_rig *rig = gro_rig_new(test);
	u8 *packet = gro_buf(test);
	unsigned int len, whole, i;

	for (i = 0; i < 2; i++) {
		whole = gro_header_size(i ? &gro_flow6 : &gro_flow4) + 100;
		for (len = 1; len < whole; len++) {
			struct gro_flow flow = i ? gro_flow6 : gro_flow4;

			gro_next(rig, &flow, 100, GRO_ACK);
			gro_build(&flow, packet, 100, GRO_ACK);
			KUNIT_EXPECT_FALSE(test, gro_join(rig, packet, len));
			gro_rig_reset(rig);
		}
	}
}

enum gro_header { IN_TCP, IN_IP4, IN_IP6 };

/**
 * struct gro_unfit - a packet that none can follow
 * @name: what is special
 * @in: in which header; TCP's is tried over IPv4 and over IPv6
 * @at: offset of the byte that is different
 * @value: what it is
 * @fits: though it looks special, it can be followed
 */
struct gro_unfit {
	const char *name;
	enum gro_header in;
	u8 at;
	u8 value;
	bool fits;
};

static const struct gro_unfit gro_unfits[] = {
	{ "nothing", IN_TCP, GRO_FLAGS, GRO_ACK, true },
	{ "ECE", IN_TCP, GRO_FLAGS, GRO_ACK | GRO_ECE, true },
	{ "no ACK", IN_TCP, GRO_FLAGS, 0 },
	{ "PSH", IN_TCP, GRO_FLAGS, GRO_ACK | GRO_PSH },
	{ "SYN", IN_TCP, GRO_FLAGS, GRO_SYN },
	{ "SYN, ACK", IN_TCP, GRO_FLAGS, GRO_ACK | GRO_SYN },
	{ "FIN", IN_TCP, GRO_FLAGS, GRO_ACK | GRO_FIN },
	{ "RST", IN_TCP, GRO_FLAGS, GRO_ACK | GRO_RST },
	{ "URG", IN_TCP, GRO_FLAGS, GRO_ACK | GRO_URG },
	{ "CWR", IN_TCP, GRO_FLAGS, GRO_ACK | GRO_CWR },
	{ "ECE and CWR", IN_TCP, GRO_FLAGS, GRO_ACK | GRO_ECE | GRO_CWR },
	{ "no TCP header", IN_TCP, 12, 0x00 },
	{ "TCP header too short", IN_TCP, 12, 0x40 },
	{ "bit AE", IN_TCP, 12, 0x81 },
	{ "reserved bit", IN_TCP, 12, 0x82 },
	{ "IPv4, another version", IN_IP4, 0, 0x55 },
	{ "IPv4, version 6", IN_IP4, 0, 0x65 },
	{ "IPv4, header too short", IN_IP4, 0, 0x44 },
	{ "IPv4, with options", IN_IP4, 0, 0x46 },
	{ "IPv4, longer", IN_IP4, IP4(tot_len), 0x80 },
	{ "IPv4, no length", IN_IP4, IP4(tot_len), 0 },
	{ "IPv4, fragment follows", IN_IP4, IP4(frag_off), 0x20 },
	{ "IPv4, reserved bit", IN_IP4, IP4(frag_off), 0xc0 },
	{ "IPv4, fragment", IN_IP4, IP4(frag_off) + 1, 1 },
	{ "IPv4, UDP", IN_IP4, IP4(protocol), IPPROTO_UDP },
	{ "IPv4, one bit from TCP", IN_IP4, IP4(protocol), 6 + 128 },
	{ "IPv6, version 4", IN_IP6, 0, 0x45 },
	{ "IPv6, longer", IN_IP6, IP6(payload_len), 0x80 },
	{ "IPv6, no length", IN_IP6, IP6(payload_len), 0 },
	{ "IPv6, UDP", IN_IP6, IP6(nexthdr), IPPROTO_UDP },
	{ "IPv6, hop-by-hop", IN_IP6, IP6(nexthdr), IPPROTO_HOPOPTS },
	{ "IPv6, fragment", IN_IP6, IP6(nexthdr), IPPROTO_FRAGMENT },
	{ "IPv6, in itself", IN_IP6, IP6(nexthdr), IPPROTO_IPV6 },
};

KUNIT_ARRAY_PARAM_DESC(gro_unfit, gro_unfits, name);

static void gro_unfit_test(struct kunit *test)
{
	const struct gro_unfit *c = test->param_value;
	struct gro_rig *rig = gro_rig_new(test);
	u8 *packet = gro_buf(test);
	unsigned int len, at, i;

	for (i = c->in == IN_IP6; i < (c->in == IN_IP4 ? 1 : 2); i++) {
		struct gro_flow flow = i ? gro_flow6 : gro_flow4;

		at = c->at;
		if (c->in == IN_TCP)
			at += gro_l3_size(&flow);
		/* so long that the high byte of the length is not 0 */
		len = gro_build(&flow, packet, 1000, GRO_ACK);
		packet[at] = c->value;
		if (*packet >> 4 == 4)
			gro_sum_ip(packet);
		KUNIT_EXPECT_EQ(test, gro_starts(rig, packet, len), c->fits);
	}
}

/* a TCP header as large as the packet, or as it can be */
static void gro_doff_test(struct kunit *test)
{
	struct gro_rig *rig = gro_rig_new(test);
	unsigned int payload, i, doff, len, l3;
	u8 *packet = gro_buf(test);

	for (i = 0; i < 2; i++) {
		for (payload = 1; payload < 60; payload++) {
			struct gro_flow flow = i ? gro_flow6 : gro_flow4;

			flow.stamps = false;
			l3 = gro_l3_size(&flow);
			len = gro_build(&flow, packet, payload, GRO_ACK);
			for (doff = 0; doff < 16; doff++) {
				packet[l3 + 12] = doff << 4;
				KUNIT_EXPECT_EQ(test,
						gro_starts(rig, packet, len),
						doff >= 5 &&
						l3 + 4 * doff < len);
			}
		}
	}
}

/* bad IPv4 checksums, in every bit */
static void gro_bad_sum_test(struct kunit *test)
{
	struct gro_rig *rig = gro_rig_new(test);
	struct gro_flow flow = gro_flow4;
	u8 *packet = gro_buf(test);
	unsigned int bit, len;

	len = gro_build(&flow, packet, MSS, GRO_ACK);
	for (bit = 0; bit < 8 * sizeof(struct iphdr); bit++) {
		packet[bit / 8] ^= BIT(bit % 8);
		KUNIT_EXPECT_FALSE(test, gro_starts(rig, packet, len));
		packet[bit / 8] ^= BIT(bit % 8);
	}
	KUNIT_EXPECT_TRUE(test, gro_starts(rig, packet, len));
}

/* the device, or the buffer, is not made for it */
static void gro_device_test(struct kunit *test)
{
	struct gro_rig *rig = gro_rig_new(test);
	struct gro_flow flow = gro_flow4;
	u8 *packet = gro_buf(test);
	struct sk_buff skb = {
		.dev = rig->dev,
		.data = packet,
		.ip_summed = CHECKSUM_UNNECESSARY,
	};

	skb.len = gro_build(&flow, packet, MSS, GRO_ACK);
	KUNIT_EXPECT_TRUE(test, ovpn_gro_start(&rig->gro, &skb));
	rig->gro.skb = NULL;

	skb.ip_summed = CHECKSUM_NONE;
	KUNIT_EXPECT_FALSE(test, ovpn_gro_start(&rig->gro, &skb));
	skb.ip_summed = CHECKSUM_COMPLETE;
	KUNIT_EXPECT_FALSE(test, ovpn_gro_start(&rig->gro, &skb));
	skb.ip_summed = CHECKSUM_UNNECESSARY;
	skb.data_len = 1;
	KUNIT_EXPECT_FALSE(test, ovpn_gro_start(&rig->gro, &skb));
	skb.data_len = 0;
	rig->dev->features = 0;
	KUNIT_EXPECT_FALSE(test, ovpn_gro_start(&rig->gro, &skb));
	rig->dev->features = NETIF_F_GRO;
	/* an XDP program expects packets, not super-packets */
	rcu_assign_pointer(rig->dev->xdp_prog, (void *)rig);
	KUNIT_EXPECT_FALSE(test, ovpn_gro_start(&rig->gro, &skb));
	RCU_INIT_POINTER(rig->dev->xdp_prog, NULL);
	KUNIT_EXPECT_TRUE(test, ovpn_gro_start(&rig->gro, &skb));
	rig->gro.skb = NULL;
}

#define GRO_MODEL_FLOWS		6
#define GRO_MODEL_ROUNDS	800
#define GRO_MODEL_PACKETS	40
#define GRO_MODEL_MSS		400

static const u32 gro_seeds[] = { 45, 46, 47, 48 };

static_assert(ARRAY_SIZE(gro_seeds) * GRO_MODEL_ROUNDS * GRO_MODEL_PACKETS >=
	      100000);

static void gro_seed_desc(const u32 *seed, char *desc)
{
	snprintf(desc, KUNIT_PARAM_DESC_SIZE, "seed %u", *seed);
}

KUNIT_ARRAY_PARAM(gro_seed, gro_seeds, gro_seed_desc);

static unsigned int gro_model_payload(struct rnd_state *rnd)
{
	static const unsigned int sizes[] = { MSS, MSS, 536, 1, 3000, 9000 };
	u32 dice = prandom_u32_state(rnd);

	switch (dice % 16) {
	case 0:
		return 0;
	case 1:
		return dice / 16 % 1500;
	case 2:
		return sizes[dice / 16 % ARRAY_SIZE(sizes)];
	default:
		return GRO_MODEL_MSS;
	}
}

/* damage a packet somewhere, and sum it up again or not */
static unsigned int gro_model_mutate(struct rnd_state *rnd, u8 *packet,
				     unsigned int len)
{
	u32 dice = prandom_u32_state(rnd), where = prandom_u32_state(rnd);

	switch (dice % 64) {
	case 0:
		packet[where % len] ^= 1 << (dice >> 29);
		break;
	case 1:
		packet[where % min(len, 80)] = dice >> 24;
		break;
	case 2:
		packet[where % min(len, 60)] ^= 1 << (dice >> 29);
		if (*packet == 0x45)
			gro_sum_ip(packet);
		break;
	case 3:
		/* at least what tells that it is IP at all */
		return max(where % len, sizeof(struct ipv6hdr));
	}
	return len;
}

static u8 gro_model_flags(struct rnd_state *rnd)
{
	static const u8 rare[] = {
		GRO_ACK | GRO_FIN, GRO_SYN, GRO_ACK | GRO_URG, GRO_RST,
		GRO_ACK | GRO_ECE, GRO_ACK | GRO_CWR, GRO_ACK | GRO_PSH, 0,
	};
	u32 dice = prandom_u32_state(rnd);

	if (dice % 32 == 0)
		return rare[dice / 32 % ARRAY_SIZE(rare)];
	return dice % 32 == 1 ? GRO_ACK | GRO_PSH : GRO_ACK;
}

static void gro_model_flow(struct rnd_state *rnd, struct gro_flow *flow,
			   u16 port)
{
	u32 dice = prandom_u32_state(rnd);

	*flow = (struct gro_flow) {
		.ipv6 = dice & 1,
		.stamps = dice & 2,
		.df = dice & 12,
		.step = dice & 48 ? 1 : 0,
		.port = port,
		.id = dice >> 16,
		.seq = prandom_u32_state(rnd),
	};
}

/* Packets of some streams that take turns, not all of them as they should be:
 * all come out, unchanged, in their order.
 */
static void gro_model_test(struct kunit *test)
{
	static const netdev_features_t features[] = {
		0, NETIF_F_SG, NETIF_F_SG | NETIF_F_HW_CSUM,
	};
	struct gro_flow flows[GRO_MODEL_FLOWS], *flow = flows;
	struct gro_rig *rig = gro_rig_new(test);
	unsigned int round, i, len, joined = 0;
	u8 *packet = gro_buf(test);
	struct rnd_state rnd;

	prandom_seed_state(&rnd, *(const u32 *)test->param_value);
	for (i = 0; i < GRO_MODEL_FLOWS; i++)
		gro_model_flow(&rnd, &flows[i], 4000 + i / 2);

	for (round = 0; round < GRO_MODEL_ROUNDS; round++) {
		u32 dice = prandom_u32_state(&rnd);

		rig->features = features[dice % ARRAY_SIZE(features)];
		for (i = 0; i < GRO_MODEL_PACKETS; i++) {
			dice = prandom_u32_state(&rnd);
			rig->chunked = dice & 1;
			rig->eager = dice & 2;
			if (dice / 4 % 16 == 0)
				flow = &flows[(dice >> 16) % GRO_MODEL_FLOWS];
			else if (dice / 4 % 256 == 1)
				gro_model_flow(&rnd, flow, flow->port);
			else if (dice / 4 % 64 == 2)
				gro_damage(rig, (dice >> 16) % 2000 + 1);
			len = gro_build(flow, packet, gro_model_payload(&rnd),
					gro_model_flags(&rnd));
			len = gro_model_mutate(&rnd, packet, len);
			gro_feed(rig, packet, len);
		}
		joined += rig->joined;
		rig->joined = 0;
		gro_rig_drain(rig);
		cond_resched();
	}
	KUNIT_EXPECT_GT(test, joined,
			GRO_MODEL_ROUNDS * GRO_MODEL_PACKETS / 5);
	kunit_info(test, "%u joined", joined);
}

static struct kunit_case gro_hostile_cases[] = {
	KUNIT_CASE(gro_flip4_test),
	KUNIT_CASE(gro_flip6_test),
	KUNIT_CASE(gro_flip_payload_test),
	KUNIT_CASE(gro_truncated_test),
	KUNIT_CASE(gro_short_next_test),
	KUNIT_CASE_PARAM(gro_unfit_test, gro_unfit_gen_params),
	KUNIT_CASE(gro_doff_test),
	KUNIT_CASE(gro_bad_sum_test),
	KUNIT_CASE(gro_device_test),
	KUNIT_CASE_PARAM(gro_model_test, gro_seed_gen_params),
	{}
};

static struct kunit_suite gro_hostile_suite = {
	.name = "ovpn_io_gro_hostile",
	.test_cases = gro_hostile_cases,
};

kunit_test_suite(gro_hostile_suite);
