// SPDX-License-Identifier: GPL-2.0-only
/* OpenVPN data channel offload: tests of the MSS clamp */

#include "../mss.h"

#include <kunit/skbuff.h>
#include <kunit/test.h>
#include <linux/string.h>
#include <linux/unaligned.h>

#include "mss-packet.h"

/* MSS 1460, and what else SYNs have */
#define MSS	"\2\4\x05\xb4"
#define SACK	"\4\2"
#define STAMP	"\10\12\1\2\3\4\0\0\0\0"
#define SCALE	"\3\3\7"
#define AO	"\35\20\1\2\3\4\5\6\7abcdefg"

/* Clamp @skb, made of @p. What comes out is @p with @max at the offsets @at of
 * its options, and a checksum that is right.
 */
static void mss_expect(struct kunit *test, struct sk_buff *skb,
		       const struct mss_packet *p, unsigned int mtu,
		       const u8 *at, unsigned int count, u16 max)
{
	struct mss_packet want = *p, got = *p;
	u8 *options, *check;

	options = want.bytes + p->l4 + TCP_OPTIONS;
	while (count--)
		put_unaligned_be16(max, options + at[count]);

	ovpn_mss_clamp(skb, mtu);
	check = skb->data + p->l4 + TCP_CHECK;
	KUNIT_ASSERT_EQ(test, skb->len, p->len);
	KUNIT_EXPECT_TRUE(test, skb->ip_summed == p->summed);
	KUNIT_EXPECT_TRUE(test, mss_same(skb->data, want.bytes, p->len,
					 p->l4 + TCP_CHECK));
	if (p->summed == CHECKSUM_PARTIAL) {
		/* the sum of the pseudo header, until it is filled in */
		KUNIT_EXPECT_MEMEQ(test, check,
				   want.bytes + p->l4 + TCP_CHECK, 2);
		KUNIT_ASSERT_EQ(test, skb_checksum_help(skb), 0);
	} else if (p->summed == CHECKSUM_COMPLETE) {
		KUNIT_EXPECT_TRUE(test, csum_fold(skb->csum) ==
				  csum_fold(csum_partial(skb->data, skb->len,
							 0)));
	}
	memcpy(got.bytes, skb->data, p->len);
	KUNIT_EXPECT_TRUE(test, mss_checksum_ok(&got));
}

/**
 * struct mss_case - a SYN and what becomes of it
 * @name: what is special
 * @options: TCP options
 * @size: bytes of them; zeros (end of list) up to the end of the header
 * @count: how many values are lowered
 * @at: where in @options they stand
 */
struct mss_case {
	const char *name;
	const char *options;
	u8 size;
	u8 count;
	u8 at[2];
};

#define MSS_CASE(name, options, ...) \
	{ name, options, sizeof(options) - 1, __VA_ARGS__ }

static const struct mss_case mss_cases[] = {
	MSS_CASE("alone", MSS, 1, { 2 }),
	MSS_CASE("as Linux sends it", MSS SACK STAMP "\1" SCALE, 1, { 2 }),
	MSS_CASE("as Windows does", MSS "\1" SCALE "\1\1" SACK, 1, { 2 }),
	MSS_CASE("last", SACK STAMP SCALE "\1" MSS, 1, { 18 }),
	MSS_CASE("at an odd byte", SCALE MSS, 1, { 5 }),
	MSS_CASE("at an odd byte, last", "\1\1\1" SACK MSS, 1, { 7 }),
	MSS_CASE("after padding", "\1\1\1\1\1\1\1\1" MSS, 1, { 10 }),
	MSS_CASE("behind unknown", "\xc8\7\2\4\xff\xff\1" MSS, 1, { 9 }),
	MSS_CASE("behind an empty one", "\xc8\2" MSS, 1, { 4 }),
	MSS_CASE("before broken ones", MSS "\3\xc8\0\0", 1, { 2 }),
	MSS_CASE("before one cut short", MSS "\1\1\1\3", 1, { 2 }),
	MSS_CASE("twice", MSS "\1" MSS, 2, { 2, 7 }),
	MSS_CASE("twice, one is small", "\2\4\1\0" MSS, 1, { 6 }),
	MSS_CASE("one is too long", "\2\6\xff\xff\0\0" MSS, 1, { 8 }),
	MSS_CASE("largest", "\2\4\xff\xff", 1, { 2 }),

	MSS_CASE("no options", ""),
	MSS_CASE("no MSS", "\1\1" SACK SCALE "\1"),
	MSS_CASE("small", "\2\4\x02\x18"),
	MSS_CASE("zero", "\2\4\0\0"),
	MSS_CASE("behind the end", "\0\2\1\1" MSS),
	MSS_CASE("no length", "\1\1\1\2"),
	MSS_CASE("cut short", "\1\1\1\1\1\2\4\xff"),
	MSS_CASE("length 0", "\2\0\xff\xff" MSS),
	MSS_CASE("length 1", "\2\1\xff\xff" MSS),
	MSS_CASE("length 2", "\2\2\xff\xff"),
	MSS_CASE("length 3", "\2\3\xff\xff"),
	MSS_CASE("length 5", "\2\5\xff\xff\xff\0\0\0"),
	MSS_CASE("inside of another", "\xc8\6" MSS "\1\1"),
	MSS_CASE("behind length 0", "\xc8\0" MSS "\1\1"),
	MSS_CASE("behind length 1", "\xc8\1" MSS "\1\1"),
	MSS_CASE("behind one too long", "\xc8\51" MSS "\1\1"),
	MSS_CASE("signed", MSS AO),
	MSS_CASE("signed before", AO MSS),
};

KUNIT_ARRAY_PARAM_DESC(mss_case, mss_cases, name);

static void mss_options_test(struct kunit *test)
{
	static const u8 flags[] = { SYN, SYN | ACK, SYN | 0xc0 };
	const struct mss_case *c = test->param_value;
	struct mss_packet p;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(mss_kinds) * ARRAY_SIZE(flags); i++) {
		p = mss_syn(&mss_kinds[i / ARRAY_SIZE(flags)], c->options,
			    c->size);
		p.bytes[p.l4 + TCP_FLAGS] = flags[i % ARRAY_SIZE(flags)];
		mss_fill_checksum(&p);
		mss_expect(test, mss_skb(test, &p), &p, MTU, c->at, c->count,
			   p.v6 ? MSS6 : MSS4);
	}
}

/* at each place that the header has, among single bytes */
static void mss_positions_test(struct kunit *test)
{
	const unsigned int size = sizeof(MSS) - 1;
	u8 options[OPTIONS_MAX], at;
	struct mss_packet p;
	unsigned int i, pos;

	for (i = 0; i < ARRAY_SIZE(mss_kinds); i++) {
		for (pos = 0; pos <= OPTIONS_MAX - size; pos++) {
			memset(options, 1, sizeof(options));
			memcpy(options + pos, MSS, size);
			at = pos + 2;
			p = mss_syn(&mss_kinds[i], options, sizeof(options));
			mss_expect(test, mss_skb(test, &p), &p, MTU, &at, 1,
				   p.v6 ? MSS6 : MSS4);
		}
	}
}

/* each value: never raised, never too large, the checksum always right */
static void mss_values_test(struct kunit *test)
{
	static const u16 mtus[] = { 148, 552, 1280, MTU, 9000 };
	u8 options[] = { 1, 2, 4, 0, 0 }, at = 3;
	struct mss_packet p;
	u32 i, value, max;

	for (i = 0; i < 2 * ARRAY_SIZE(mtus); i++) {
		max = mtus[i / 2] - (i & 1 ? 60 : 40);
		for (value = 0; value <= U16_MAX; value += 1 + value % 97) {
			struct sk_buff *skb;

			put_unaligned_be16(value, options + at);
			p = mss_syn(&mss_kinds[i & 1 ? 6 : 0], options,
				    sizeof(options));
			skb = mss_skb(test, &p);
			mss_expect(test, skb, &p, mtus[i / 2], &at, value > max,
				   max);
			kunit_kfree_skb(test, skb);
		}
	}
}

/* no segments too small for TCP, however small the path; no limit, no clamp */
static void mss_limits_test(struct kunit *test)
{
	static const char options[] = MSS;
	static const u8 at = 2;
	unsigned int i, mtu;
	struct mss_packet p;

	for (i = 0; i < ARRAY_SIZE(mss_kinds); i++) {
		p = mss_syn(&mss_kinds[i], options, sizeof(options) - 1);
		for (mtu = 1; mtu <= 128; mtu++)
			mss_expect(test, mss_skb(test, &p), &p, mtu, &at, 1,
				   88);
		mss_expect(test, mss_skb(test, &p), &p, 0, &at, 0, 0);
		mss_expect(test, mss_skb(test, &p), &p, 65483, &at, 0, 0);
		mss_expect(test, mss_skb(test, &p), &p, UINT_MAX, &at, 0, 0);
	}
}

/* nothing may happen to the packet */
static void mss_untouched(struct kunit *test, const struct mss_packet *p,
			  const char *why)
{
	struct sk_buff *skb = mss_skb(test, p);

	ovpn_mss_clamp(skb, MTU);
	KUNIT_EXPECT_EQ(test, skb->len, p->len);
	KUNIT_EXPECT_TRUE_MSG(test, !memcmp(skb->data, p->bytes, p->len),
			      "touched: %s, IPv%c", why, p->v6 ? '6' : '4');
}

/* one byte of a SYN, and what it makes of it */
struct mss_lie {
	const char *name;
	s8 at;
	u8 value;
};

static void mss_lies(struct kunit *test, unsigned int kind, bool in_tcp,
		     const struct mss_lie *lies, unsigned int count)
{
	static const char options[] = MSS SACK STAMP "\1" SCALE;
	struct mss_packet p;
	unsigned int i;

	for (i = 0; i < count; i++) {
		p = mss_syn(&mss_kinds[kind], options, sizeof(options) - 1);
		p.bytes[(in_tcp ? p.l4 : 0) + lies[i].at] = lies[i].value;
		mss_untouched(test, &p, lies[i].name);
	}
}

static void mss_untouched_test(struct kunit *test)
{
	/* 20 + 40 + 5 bytes of TCP */
	static const struct mss_lie tcp[] = {
		{ "no flags", TCP_FLAGS, 0 },
		{ "ACK", TCP_FLAGS, ACK },
		{ "all but SYN", TCP_FLAGS, 0xfd },
		{ "data offset 0", TCP_DOFF, 0x00 },
		{ "data offset 4", TCP_DOFF, 0x40 },
		{ "data offset 5", TCP_DOFF, 0x50 },
		{ "data offset beyond the end", TCP_DOFF, 0xf0 },
	};
	static const struct mss_lie ip4[] = {
		{ "UDP", 9, IPPROTO_UDP },
		{ "second fragment", 7, 1 },
		{ "last fragment", 6, 0x1f },
		{ "header length 0", 0, 0x40 },
		{ "header length 4", 0, 0x44 },
		{ "header length 15", 0, 0x4f },
		{ "total length 0", 3, 0 },
		{ "total length without TCP", 3, 20 },
		{ "total length without options", 3, 40 },
		{ "total length inside of the options", 3, 59 },
		{ "total length beyond the end", 3, 66 },
		{ "huge total length", 2, 0xff },
	};
	static const struct mss_lie ip6[] = {
		{ "UDP", 6, IPPROTO_UDP },
		{ "hop-by-hop options", 6, NEXTHDR_HOP },
		{ "routing header", 6, NEXTHDR_ROUTING },
		{ "fragment header", 6, NEXTHDR_FRAGMENT },
		{ "destination options", 6, NEXTHDR_DEST },
		{ "jumbo payload", 5, 0 },
		{ "payload without options", 5, 20 },
		{ "payload inside of the options", 5, 39 },
		{ "payload beyond the end", 5, 46 },
		{ "huge payload", 4, 0xff },
	};

	mss_lies(test, 0, true, tcp, ARRAY_SIZE(tcp));
	mss_lies(test, 3, true, tcp, ARRAY_SIZE(tcp));
	mss_lies(test, 6, true, tcp, ARRAY_SIZE(tcp));
	mss_lies(test, 0, false, ip4, ARRAY_SIZE(ip4));
	mss_lies(test, 6, false, ip6, ARRAY_SIZE(ip6));
}

/* a TCP header where the IP header has not ended yet */
static void mss_overlap_test(struct kunit *test)
{
	static const struct mss_packet kind = { .l4 = 16 };
	static const char options[] = MSS;
	struct mss_packet p;

	p = mss_syn(&kind, options, sizeof(options) - 1);
	mss_untouched(test, &p, "in the IP header");
}

/* the first fragment has the whole header: it counts */
static void mss_first_fragment_test(struct kunit *test)
{
	static const char options[] = MSS;
	static const u8 at = 2;
	struct mss_packet p;

	p = mss_syn(&mss_kinds[0], options, sizeof(options) - 1);
	p.bytes[6] = 0x20;
	mss_expect(test, mss_skb(test, &p), &p, MTU, &at, 1, MSS4);
}

/* cut at each byte, with IP's length as it was and as it should be */
static void mss_truncated_test(struct kunit *test)
{
	static const char options[] = SACK SCALE "\1\1\1" MSS;
	struct mss_packet whole, p;
	unsigned int i, len, end;

	for (i = 0; i < ARRAY_SIZE(mss_kinds); i++) {
		whole = mss_syn(&mss_kinds[i], options, sizeof(options) - 1);
		end = whole.l4 + TCP_OPTIONS + sizeof(options) - 1;
		for (len = whole.v6 ? 40 : 20; len < end; len++) {
			p = whole;
			p.len = len;
			mss_untouched(test, &p, "cut");
			put_unaligned_be16(p.v6 ? len - 40 : len,
					   p.bytes + (p.v6 ? 4 : 2));
			mss_untouched(test, &p, "cut, and told so");
		}
	}
}

/* whoever wants the checksum elsewhere gets no help */
static void mss_checksum_elsewhere_test(struct kunit *test)
{
	static const char options[] = MSS;
	struct mss_packet p;
	struct sk_buff *skb;

	p = mss_syn(&mss_kinds[3], options, sizeof(options) - 1);
	skb = mss_skb(test, &p);
	skb->csum_start += 4;
	ovpn_mss_clamp(skb, MTU);
	KUNIT_EXPECT_MEMEQ(test, skb->data, p.bytes, p.len);
}

/* what others see, too, is copied first */
static void mss_cloned_test(struct kunit *test)
{
	static const char options[] = MSS SACK;
	static const u8 at = 2;
	struct sk_buff *skb, *clone;
	struct mss_packet p;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(mss_kinds); i++) {
		p = mss_syn(&mss_kinds[i], options, sizeof(options) - 1);
		skb = mss_skb(test, &p);
		clone = skb_clone(skb, GFP_KERNEL);
		KUNIT_ASSERT_NOT_NULL(test, clone);
		mss_expect(test, clone, &p, MTU, &at, 1,
			   p.v6 ? MSS6 : MSS4);
		KUNIT_EXPECT_MEMEQ(test, skb->data, p.bytes, p.len);
		KUNIT_EXPECT_PTR_NE(test, skb->head, clone->head);
		kfree_skb(clone);
	}
}

/* a packet of which only the first bytes are linear, the rest is in a page */
static struct sk_buff *mss_paged_skb(struct kunit *test,
				     const struct mss_packet *p,
				     unsigned int linear)
{
	struct sk_buff *skb = mss_skb(test, p);
	unsigned int rest = p->len - linear;
	struct page *page;

	page = alloc_page(GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, page);
	memcpy(page_address(page), p->bytes + linear, rest);
	skb_trim(skb, linear);
	/* no trace of it behind the linear part */
	memset(skb_tail_pointer(skb), 0x5a, rest);
	skb_add_rx_frag(skb, 0, page, 0, rest, PAGE_SIZE);
	return skb;
}

static void mss_paged_test(struct kunit *test)
{
	static const char options[] = "\1" SACK MSS "\1\1\1\1\1";
	struct mss_packet p, done;
	unsigned int i, linear;
	struct sk_buff *skb;

	for (i = 0; i < ARRAY_SIZE(mss_kinds); i++) {
		p = mss_syn(&mss_kinds[i], options, sizeof(options) - 1);
		done = p;
		put_unaligned_be16(p.v6 ? MSS6 : MSS4,
				   done.bytes + p.l4 + TCP_OPTIONS + 5);
		mss_fill_checksum(&done);
		for (linear = p.v6 ? 40 : 20; linear < p.len; linear++) {
			skb = mss_paged_skb(test, &p, linear);
			KUNIT_ASSERT_TRUE(test, skb_is_nonlinear(skb));
			KUNIT_EXPECT_TRUE(test, ovpn_mss_is_syn(skb));
			ovpn_mss_clamp(skb, MTU);
			KUNIT_ASSERT_EQ(test, skb_linearize(skb), 0);
			/* it is as it should be: nothing more is done */
			mss_expect(test, skb, &done, MTU, NULL, 0, 0);
		}
	}
}

static struct kunit_case mss_test_cases[] = {
	KUNIT_CASE_PARAM(mss_options_test, mss_case_gen_params),
	KUNIT_CASE(mss_positions_test),
	KUNIT_CASE(mss_values_test),
	KUNIT_CASE(mss_limits_test),
	KUNIT_CASE(mss_untouched_test),
	KUNIT_CASE(mss_overlap_test),
	KUNIT_CASE(mss_first_fragment_test),
	KUNIT_CASE(mss_truncated_test),
	KUNIT_CASE(mss_checksum_elsewhere_test),
	KUNIT_CASE(mss_cloned_test),
	KUNIT_CASE(mss_paged_test),
	{}
};

static struct kunit_suite mss_suite = {
	.name = "ovpn_mss",
	.test_cases = mss_test_cases,
};

kunit_test_suite(mss_suite);
