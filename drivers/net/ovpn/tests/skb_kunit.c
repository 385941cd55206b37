// SPDX-License-Identifier: GPL-2.0-only
/* OpenVPN data channel offload: tests of where packets are read */

#include "../skb.h"

#include <kunit/test.h>
#include <linux/gfp.h>
#include <linux/mm.h>
#include <linux/skbuff.h>
#include <linux/string.h>

#define HEAD	70
#define FRAG	90
#define FRAGS	4
#define TOTAL	(HEAD + FRAGS * FRAG)

static void piece_release(void *skb)
{
	kfree_skb(skb);
}

/* Byte n has the value n: some of them linear, the others in fragments, of
 * which the first two are neighbours.
 */
static struct sk_buff *piece_skb(struct kunit *test)
{
	struct sk_buff *skb = alloc_skb(HEAD, GFP_KERNEL);
	struct page *page = NULL;
	unsigned int i, j, at;
	u8 *data;

	KUNIT_ASSERT_NOT_NULL(test, skb);
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, piece_release,
							   skb));
	data = skb_put(skb, HEAD);
	for (i = 0; i < HEAD; i++)
		data[i] = i;
	for (j = 0; j < FRAGS; j++) {
		at = 100 * j;
		if (j == 1) {
			get_page(page);
			at = FRAG;
		} else {
			page = alloc_page(GFP_KERNEL);
			KUNIT_ASSERT_NOT_NULL(test, page);
		}
		data = page_address(page);
		for (; i < HEAD + (j + 1) * FRAG; i++)
			data[at + i - HEAD - j * FRAG] = i;
		skb_add_rx_frag(skb, j, page, at, FRAG, PAGE_SIZE);
	}
	return skb;
}

/* which piece of memory a byte is in */
static unsigned int piece_number(unsigned int offset)
{
	if (offset < HEAD)
		return 0;
	return max((offset - HEAD) / FRAG, 1);
}

static bool piece_whole(unsigned int offset, unsigned int len)
{
	unsigned int last = offset + len - 1;

	return last < TOTAL && piece_number(offset) == piece_number(last);
}

/* every range there is */
static void piece_range_test(struct kunit *test)
{
	struct sk_buff *skb = piece_skb(test);
	unsigned int offset, len, i;
	const u8 *data;

	for (offset = 0; offset < TOTAL + 10; offset++) {
		for (len = 1; len < TOTAL + 10; len++) {
			data = ovpn_skb_piece(skb, offset, len);
			KUNIT_ASSERT_EQ_MSG(test, !!data,
					    piece_whole(offset, len),
					    "%u bytes at %u", len, offset);
			for (i = 0; data && i < len; i++)
				if (data[i] != (u8)(offset + i))
					break;
			KUNIT_ASSERT_TRUE_MSG(test, !data || i == len,
					      "%u bytes at %u", len, offset);
		}
	}
}

/* memory that somebody else may write to meanwhile is copied first */
static void piece_shared_test(struct kunit *test)
{
	struct sk_buff *skb = piece_skb(test);

	KUNIT_EXPECT_NOT_NULL(test, ovpn_skb_piece(skb, HEAD, FRAG));
	skb_shinfo(skb)->flags |= SKBFL_SHARED_FRAG;
	KUNIT_EXPECT_NULL(test, ovpn_skb_piece(skb, HEAD, FRAG));
	skb_shinfo(skb)->flags = 0;
	KUNIT_EXPECT_NOT_NULL(test, ovpn_skb_piece(skb, HEAD, FRAG));
	/* and what has no address can be copied only */
	skb->unreadable = 1;
	KUNIT_EXPECT_NULL(test, ovpn_skb_piece(skb, HEAD, FRAG));
	skb->unreadable = 0;
}

static struct kunit_case piece_cases[] = {
	KUNIT_CASE(piece_range_test),
	KUNIT_CASE(piece_shared_test),
	{}
};

static struct kunit_suite piece_suite = {
	.name = "ovpn_skb",
	.test_cases = piece_cases,
};

kunit_test_suite(piece_suite);
