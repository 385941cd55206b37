// SPDX-License-Identifier: GPL-2.0-only
/* OpenVPN data channel offload: the MSS clamp against random headers */

#include "../mss.h"

#include <kunit/skbuff.h>
#include <kunit/test.h>
#include <linux/minmax.h>
#include <linux/prandom.h>
#include <linux/string.h>
#include <linux/unaligned.h>

#include "mss-packet.h"

/* Finds the values of MSS in a TCP header of @size bytes. Returns how many
 * there are; none, if the options are signed.
 */
static unsigned int mss_oracle_options(const u8 *tcp, unsigned int size,
				       u8 *found)
{
	unsigned int i = TCP_OPTIONS, count = 0, len;

	while (i < size) {
		u8 kind = tcp[i];

		if (kind == 0)
			return count;
		if (kind == 1) {
			i++;
			continue;
		}
		if (i + 1 == size)
			return count;
		len = tcp[i + 1];
		if (len < 2 || i + len > size)
			return count;
		if (kind == 29)
			return 0;
		if (kind == 2 && len == 4)
			found[count++] = i + 2;
		i += len;
	}
	return count;
}

/* the rules in the simplest form; returns how many values it has lowered */
static unsigned int mss_oracle(struct mss_packet *p, unsigned int start)
{
	u32 l4 = p->v6 ? 40 : (p->bytes[0] & 15) * 4;
	u32 total = get_unaligned_be16(p->bytes + (p->v6 ? 4 : 2));
	u16 max = p->v6 ? MSS6 : MSS4;
	u8 found[OPTIONS_MAX / 4];
	u32 i, count, size, lowered = 0;
	u8 *tcp = p->bytes + l4;

	if (p->v6)
		total += 40;
	if (p->bytes[p->v6 ? 6 : 9] != 6 || l4 < 20 || total > p->len ||
	    l4 + 20 > total)
		return 0;
	if (!p->v6 && (p->bytes[6] & 0x1f || p->bytes[7]))
		return 0;
	size = (tcp[TCP_DOFF] >> 4) * 4;
	if (size < 20 || l4 + size > total || !(tcp[TCP_FLAGS] & SYN) ||
	    (p->summed == CHECKSUM_PARTIAL && start != l4))
		return 0;

	count = mss_oracle_options(tcp, size, found);
	for (i = 0; i < count; i++) {
		if (get_unaligned_be16(tcp + found[i]) <= max)
			continue;
		put_unaligned_be16(max, tcp + found[i]);
		lowered++;
	}
	return lowered;
}

/* a SYN of random options, most of them sound, then some bytes changed */
static struct mss_packet mss_random(struct rnd_state *rnd)
{
	static const u8 kinds[] = { 0, 1, 1, 2, 2, 2, 3, 4, 8, 29, 200 };
	static const u8 lens[] = { 0, 0, 0, 4, 4, 4, 3, 2, 10, 16, 5 };
	u32 size = 0, n = prandom_u32_state(rnd) % (OPTIONS_MAX + 1);
	u8 options[OPTIONS_MAX + 16];
	struct mss_packet p;

	prandom_bytes_state(rnd, options, sizeof(options));
	while (size < n) {
		u32 i = prandom_u32_state(rnd) % ARRAY_SIZE(kinds);

		options[size] = kinds[i];
		if (lens[i] && prandom_u32_state(rnd) % 16)
			options[size + 1] = lens[i];
		size += max_t(u32, lens[i], 1);
	}
	p = mss_syn(&mss_kinds[prandom_u32_state(rnd) % ARRAY_SIZE(mss_kinds)],
		    options, n);

	for (n = prandom_u32_state(rnd) % 4; n; n--)
		p.bytes[prandom_u32_state(rnd) % p.len] =
			prandom_u32_state(rnd) >> 8;
	if (!(prandom_u32_state(rnd) % 4))
		p.len -= prandom_u32_state(rnd) % (p.len - p.l4 + 1);
	return p;
}

#define MSS_ROUNDS	100000

/* Random headers: the oracle has the same opinion of each. What lies behind the
 * end of the packet looks like more of it, so reading on would show, and must
 * stay as it is.
 */
static void mss_fuzz_test(struct kunit *test)
{
	static const u8 bait[] = { 2, 4, 0xff, 0xff };
	unsigned int i, start, touched = 0, lowered;
	struct mss_packet p, want;
	struct sk_buff *skb;
	struct rnd_state rnd;
	__sum16 sum;
	u8 *end;

	prandom_seed_state(&rnd, 1194);
	for (i = 0; i < MSS_ROUNDS; i++) {
		p = mss_random(&rnd);
		skb = mss_skb(test, &p);
		start = p.l4;
		end = skb_tail_pointer(skb);
		memcpy(end, bait, sizeof(bait));
		memcpy(end + 4, bait, sizeof(bait));
		sum = csum_fold(csum_partial(p.bytes, p.len, 0));
		want = p;
		lowered = mss_oracle(&want, start);
		touched += !!lowered;

		ovpn_mss_clamp(skb, MTU);
		p.l4 = p.v6 ? 40 : (p.bytes[0] & 15) * 4;
		KUNIT_ASSERT_TRUE_MSG(test,
				      mss_same(skb->data, want.bytes, p.len,
					       p.l4 + TCP_CHECK),
				      "packet %u, %u values lowered", i,
				      lowered);
		/* a sum over value and checksum stays what it was */
		if (p.summed != CHECKSUM_PARTIAL)
			KUNIT_ASSERT_TRUE(test, sum ==
					  csum_fold(csum_partial(skb->data,
								 p.len, 0)));
		else if (p.l4 + TCP_CHECK + 2 <= p.len)
			KUNIT_ASSERT_MEMEQ(test, skb->data + p.l4 + TCP_CHECK,
					   p.bytes + p.l4 + TCP_CHECK, 2);
		KUNIT_ASSERT_MEMEQ(test, end, bait, sizeof(bait));
		KUNIT_ASSERT_MEMEQ(test, end + 4, bait, sizeof(bait));
		kunit_kfree_skb(test, skb);
	}
	KUNIT_EXPECT_GT(test, touched, MSS_ROUNDS / 10);
	KUNIT_EXPECT_LT(test, touched, MSS_ROUNDS / 10 * 9);
}

static struct kunit_case mss_fuzz_cases[] = {
	KUNIT_CASE_SLOW(mss_fuzz_test),
	{}
};

static struct kunit_suite mss_fuzz_suite = {
	.name = "ovpn_mss_fuzz",
	.test_cases = mss_fuzz_cases,
};

kunit_test_suite(mss_fuzz_suite);
