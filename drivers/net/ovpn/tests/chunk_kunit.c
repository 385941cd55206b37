// SPDX-License-Identifier: GPL-2.0-only
/* OpenVPN data channel offload: tests of the memory that packets are made in
 *
 * The chunks are those that the driver uses, wherever their turn is.
 */

#include "../chunk.h"

#include <kunit/test.h>
#include <linux/bottom_half.h>
#include <linux/cpumask.h>
#include <linux/mm.h>
#include <linux/netdevice.h>
#include <linux/sched.h>
#include <linux/smp.h>
#include <linux/string.h>

/* more than there are chunks */
#define TURNS	64

/* take some memory, held by us or not */
static struct page *chunk_take(enum ovpn_chunk_use use, unsigned int size,
			       bool hold, u8 **data)
{
	struct page *page = NULL;
	struct ovpn_chunk *chunk;

	local_bh_disable();
	ovpn_chunk_lock();
	chunk = ovpn_chunk_get(use, size);
	if (chunk) {
		page = chunk->page;
		*data = page_address(page) + chunk->offset;
		chunk->offset += size;
		if (hold)
			get_page(page);
	}
	ovpn_chunk_unlock();
	local_bh_enable();
	return page;
}

static int chunk_init(struct kunit *test)
{
	set_cpus_allowed_ptr(current, cpumask_of(raw_smp_processor_id()));
	return 0;
}

/* pieces lie one behind another, and within their chunk */
static void chunk_pieces_test(struct kunit *test)
{
	struct page *page, *last = NULL;
	unsigned int i, size, changes = 0;
	u8 *data, *end = NULL;

	for (i = 0; i < 1000; i++) {
		size = 1 + i * 37 % 9000;
		page = chunk_take(OVPN_CHUNK_RX, size, false, &data);
		KUNIT_ASSERT_NOT_NULL(test, page);
		if (page == last)
			KUNIT_EXPECT_PTR_EQ(test, data, end);
		else
			changes++;
		last = page;
		end = data + size;
		KUNIT_EXPECT_PTR_EQ(test, virt_to_head_page(data), page);
		KUNIT_EXPECT_PTR_EQ(test, virt_to_head_page(end - 1), page);
	}
	KUNIT_EXPECT_GT(test, changes, 100);
}

/* what is free is used again, and what somebody holds is not */
static void chunk_turns_test(struct kunit *test)
{
	struct page *page, *held;
	unsigned int i, again = 0;
	u8 *data, *kept;

	held = chunk_take(OVPN_CHUNK_TX, OVPN_CHUNK_SIZE, true, &kept);
	KUNIT_ASSERT_NOT_NULL(test, held);
	memset(kept, 0xa5, OVPN_CHUNK_SIZE);
	page = chunk_take(OVPN_CHUNK_TX, OVPN_CHUNK_SIZE, false, &data);
	KUNIT_ASSERT_NOT_NULL(test, page);

	for (i = 0; i < TURNS; i++) {
		u8 *next;
		struct page *taken = chunk_take(OVPN_CHUNK_TX, OVPN_CHUNK_SIZE,
						false, &next);

		KUNIT_ASSERT_NOT_NULL(test, taken);
		KUNIT_EXPECT_PTR_NE(test, taken, held);
		memset(next, 0x5a, OVPN_CHUNK_SIZE);
		again += taken == page;
	}
	KUNIT_EXPECT_GE(test, again, 2);
	KUNIT_EXPECT_NULL(test, memchr_inv(kept, 0xa5, OVPN_CHUNK_SIZE));
	/* by now it is ours alone */
	KUNIT_EXPECT_EQ(test, page_ref_count(held), 1);
	put_page(held);
}

/* Pages out of the reserves of the kernel go back there: what they hold is
 * dropped by all sockets but those that help to free memory.
 */
static void chunk_reserves_test(struct kunit *test)
{
	unsigned int i, seen = 0;
	struct page *page;
	u8 *data;

	page = chunk_take(OVPN_CHUNK_RX, OVPN_CHUNK_SIZE, false, &data);
	KUNIT_ASSERT_NOT_NULL(test, page);
	set_page_pfmemalloc(page);

	for (i = 0; i < TURNS; i++) {
		page = chunk_take(OVPN_CHUNK_RX, OVPN_CHUNK_SIZE, false, &data);
		KUNIT_ASSERT_NOT_NULL(test, page);
		seen += page_is_pfmemalloc(page);
	}
	KUNIT_EXPECT_EQ(test, seen, 0);
}

/* the two uses keep out of each other's way */
static void chunk_uses_test(struct kunit *test)
{
	struct page *rx, *tx;
	u8 *data;

	rx = chunk_take(OVPN_CHUNK_RX, 1, false, &data);
	tx = chunk_take(OVPN_CHUNK_TX, 1, false, &data);
	KUNIT_EXPECT_PTR_NE(test, rx, tx);
	/* what is too large for any chunk is not to be had */
	KUNIT_EXPECT_NULL(test, chunk_take(OVPN_CHUNK_RX, OVPN_CHUNK_SIZE + 1,
					   false, &data));
}

static struct sk_buff *chunk_skb(struct napi_struct *napi, unsigned int len)
{
	struct sk_buff *skb;

	local_bh_disable();
	skb = ovpn_chunk_alloc_skb(napi, len);
	local_bh_enable();
	return skb;
}

/* buffers of every size have room, and charge for their memory */
static void chunk_skb_test(struct kunit *test)
{
	struct net_device *dev = kunit_kzalloc(test, sizeof(*dev), GFP_KERNEL);
	struct napi_struct *napi = kunit_kzalloc(test, sizeof(*napi),
						 GFP_KERNEL);
	struct sk_buff *skb, *last = NULL;
	unsigned int len, odd;
	u8 *data;

	KUNIT_ASSERT_NOT_NULL(test, dev);
	KUNIT_ASSERT_NOT_NULL(test, napi);
	napi->dev = dev;

	for (len = 1; len < 65536; len += len < 2000 ? 1 : 97) {
		/* somebody has just taken some bytes */
		odd = len % 100 + 1;
		KUNIT_ASSERT_NOT_NULL(test, chunk_take(OVPN_CHUNK_RX, odd,
						       false, &data));
		memset(data, odd, odd);
		skb = chunk_skb(napi, len);
		KUNIT_ASSERT_NOT_NULL(test, skb);
		KUNIT_EXPECT_EQ(test, skb->len, 0);
		KUNIT_EXPECT_GE(test, skb_headroom(skb), NET_SKB_PAD);
		KUNIT_EXPECT_TRUE(test, IS_ALIGNED((unsigned long)skb->data,
						   sizeof(u32)));
		KUNIT_EXPECT_GE(test, skb_tailroom(skb), len);
		KUNIT_EXPECT_GE(test, skb->truesize,
				SKB_TRUESIZE(skb_end_offset(skb)));
		KUNIT_EXPECT_FALSE(test, skb_cloned(skb));
		memset(skb_put(skb, len), len, len);
		memset(skb->head, ~odd, skb_headroom(skb));
		KUNIT_EXPECT_NULL(test, memchr_inv(data, odd, odd));
		/* the one before is as it was */
		if (last)
			KUNIT_EXPECT_NULL(test, memchr_inv(last->data,
							   *last->data,
							   last->len));
		kfree_skb(last);
		last = skb;
	}
	kfree_skb(last);
}

static struct kunit_case chunk_cases[] = {
	KUNIT_CASE(chunk_pieces_test),
	KUNIT_CASE(chunk_turns_test),
	KUNIT_CASE(chunk_reserves_test),
	KUNIT_CASE(chunk_uses_test),
	KUNIT_CASE(chunk_skb_test),
	{}
};

static struct kunit_suite chunk_suite = {
	.name = "ovpn_chunk",
	.init = chunk_init,
	.test_cases = chunk_cases,
};

kunit_test_suite(chunk_suite);
