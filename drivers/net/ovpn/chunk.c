// SPDX-License-Identifier: GPL-2.0-only
/* OpenVPN data channel offload: memory that packets are made in
 *
 * Packets are cut one after another from chunks of pages, of which each CPU has
 * a ring. When the turn comes to a chunk again, its packets have mostly been
 * freed: then it is used as it is, warm in the cache. New pages are dear where
 * the kernel is told to clear them, as distributions do (init_on_alloc).
 */

#include "chunk.h"

#include <kunit/visibility.h>
#include <linux/gfp.h>
#include <linux/local_lock.h>
#include <linux/mm.h>
#include <linux/percpu.h>
#include <linux/skbuff.h>
#include <net/busy_poll.h>

/* 512 KiB: some super-packets */
#define OVPN_CHUNK_RING		16

/* packets that fit less than this are left to the core */
#define OVPN_CHUNK_SMALL	640

/* The core leaves room so that what follows an Ethernet header is aligned. Here
 * the IP header comes first: as much again.
 */
#define OVPN_CHUNK_PAD		(NET_SKB_PAD + 2 * NET_IP_ALIGN)

/**
 * struct ovpn_chunk_ring - chunks for one use
 * @chunk: the chunks
 * @turn: whose turn it is
 */
struct ovpn_chunk_ring {
	struct ovpn_chunk chunk[OVPN_CHUNK_RING];
	unsigned int turn;
};

/**
 * struct ovpn_chunk_rings - the chunks of one CPU
 * @bh_lock: the others keep out
 * @ring: a ring for each use. Ciphertexts are soon gone, while plaintexts lie
 *	in a socket until they are read: side by side, they would take the
 *	chunks away from the others
 */
struct ovpn_chunk_rings {
	local_lock_t bh_lock;
	struct ovpn_chunk_ring ring[OVPN_CHUNK_USES];
};

static DEFINE_PER_CPU(struct ovpn_chunk_rings, ovpn_chunk_rings) = {
	.bh_lock = INIT_LOCAL_LOCK(bh_lock),
};

static void ovpn_chunk_ring_exit(struct ovpn_chunk_ring *ring)
{
	int i;

	for (i = 0; i < OVPN_CHUNK_RING; i++)
		if (ring->chunk[i].page)
			put_page(ring->chunk[i].page);
}

/**
 * ovpn_chunk_exit - give the pages back
 *
 * Context: process; no packet is made any more.
 */
void ovpn_chunk_exit(void)
{
	struct ovpn_chunk_rings *rings;
	int cpu, use;

	for_each_possible_cpu(cpu) {
		rings = per_cpu_ptr(&ovpn_chunk_rings, cpu);
		for (use = 0; use < OVPN_CHUNK_USES; use++)
			ovpn_chunk_ring_exit(&rings->ring[use]);
	}
}

/**
 * ovpn_chunk_lock - before the first ovpn_chunk_get()
 *
 * Context: BH off.
 */
void ovpn_chunk_lock(void)
{
	local_lock_nested_bh(&ovpn_chunk_rings.bh_lock);
}
EXPORT_SYMBOL_IF_KUNIT(ovpn_chunk_lock);

/**
 * ovpn_chunk_unlock - after the last one
 *
 * Context: BH off.
 */
void ovpn_chunk_unlock(void)
{
	local_unlock_nested_bh(&ovpn_chunk_rings.bh_lock);
}
EXPORT_SYMBOL_IF_KUNIT(ovpn_chunk_unlock);

static bool ovpn_chunk_renew(struct ovpn_chunk *chunk)
{
	chunk->offset = 0;
	if (chunk->page) {
		/* Only we are left. A single page is not worth keeping, and
		 * one out of the kernel's reserves not ours to keep: nearly
		 * all sockets drop what is in it.
		 */
		if (page_ref_count(chunk->page) == 1 &&
		    chunk->size == OVPN_CHUNK_SIZE &&
		    !page_is_pfmemalloc(chunk->page))
			return true;
		put_page(chunk->page);
	}
	chunk->size = OVPN_CHUNK_SIZE;
	chunk->page = alloc_pages((GFP_ATOMIC & ~__GFP_HIGH) | __GFP_COMP |
				  __GFP_NOWARN | __GFP_NORETRY,
				  SKB_FRAG_PAGE_ORDER);
	if (likely(chunk->page))
		return true;
	chunk->size = PAGE_SIZE;
	chunk->page = alloc_page(GFP_ATOMIC | __GFP_NOWARN);
	return chunk->page;
}

/**
 * ovpn_chunk_get - a chunk with room for so many bytes in one piece
 * @use: what for
 * @size: not larger than %OVPN_CHUNK_SIZE
 *
 * Who takes some of it moves its offset on, and takes a reference to the page.
 *
 * Context: BH off, between ovpn_chunk_lock() and ovpn_chunk_unlock(), as long
 * as the chunk is used.
 * Return: the chunk, or NULL without memory.
 */
struct ovpn_chunk *ovpn_chunk_get(enum ovpn_chunk_use use, unsigned int size)
{
	struct ovpn_chunk_ring *ring =
		this_cpu_ptr(&ovpn_chunk_rings.ring[use]);
	struct ovpn_chunk *chunk = &ring->chunk[ring->turn];

	if (likely(chunk->page && chunk->offset + size <= chunk->size))
		return chunk;

	ring->turn = (ring->turn + 1) % OVPN_CHUNK_RING;
	chunk = &ring->chunk[ring->turn];
	return ovpn_chunk_renew(chunk) && size <= chunk->size ? chunk : NULL;
}
EXPORT_SYMBOL_IF_KUNIT(ovpn_chunk_get);

static struct sk_buff *ovpn_chunk_core_skb(struct napi_struct *napi,
					   unsigned int len)
{
	struct sk_buff *skb = napi_alloc_skb(napi, len + NET_IP_ALIGN);

	if (likely(skb))
		skb_reserve(skb, NET_IP_ALIGN);
	return skb;
}

/**
 * ovpn_chunk_alloc_skb - a buffer for a packet received
 * @napi: the consumer of the queue that it goes to
 * @len: bytes of the packet
 *
 * Small buffers the core has ready; of large ones the memory is the larger
 * part.
 *
 * Context: BH off.
 * Return: an empty buffer with headroom, aligned for an IP header, or NULL
 * without memory.
 */
struct sk_buff *ovpn_chunk_alloc_skb(struct napi_struct *napi,
				     unsigned int len)
{
	unsigned int head = OVPN_CHUNK_PAD + len;
	unsigned int size = SKB_HEAD_ALIGN(head);
	struct ovpn_chunk *chunk;
	struct sk_buff *skb = NULL;

	if (head < OVPN_CHUNK_SMALL || size > OVPN_CHUNK_SIZE / 2)
		return ovpn_chunk_core_skb(napi, len);

	ovpn_chunk_lock();
	chunk = ovpn_chunk_get(OVPN_CHUNK_RX, size + SMP_CACHE_BYTES);
	if (likely(chunk)) {
		chunk->offset = ALIGN(chunk->offset, SMP_CACHE_BYTES);
		skb = napi_build_skb(page_address(chunk->page) + chunk->offset,
				     size);
	}
	if (likely(skb)) {
		get_page(chunk->page);
		chunk->offset += size;
	}
	ovpn_chunk_unlock();
	if (unlikely(!skb))
		return ovpn_chunk_core_skb(napi, len);

	skb_reserve(skb, OVPN_CHUNK_PAD);
	skb_mark_napi_id(skb, napi);
	return skb;
}
EXPORT_SYMBOL_IF_KUNIT(ovpn_chunk_alloc_skb);
