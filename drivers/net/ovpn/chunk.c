// SPDX-License-Identifier: GPL-2.0-only
/* OpenVPN data channel offload: memory that packets are made in
 *
 * Packets are cut one after another from chunks of pages, of which each CPU has
 * a ring. When the turn comes to a chunk again, its packets have mostly been
 * freed: then it is used as it is, warm in the cache. New pages are dear where
 * the kernel is told to clear them, as distributions do (init_on_alloc).
 */

#include "chunk.h"

#include <linux/gfp.h>
#include <linux/local_lock.h>
#include <linux/mm.h>
#include <linux/percpu.h>

/* 512 KiB: some super-packets in each direction */
#define OVPN_CHUNK_RING		16

/**
 * struct ovpn_chunk_ring - the chunks of one CPU
 * @bh_lock: the others keep out
 * @chunk: the chunks
 * @turn: whose turn it is
 */
struct ovpn_chunk_ring {
	local_lock_t bh_lock;
	struct ovpn_chunk chunk[OVPN_CHUNK_RING];
	unsigned int turn;
};

static DEFINE_PER_CPU(struct ovpn_chunk_ring, ovpn_chunk_ring) = {
	.bh_lock = INIT_LOCAL_LOCK(bh_lock),
};

/**
 * ovpn_chunk_exit - give the pages back
 *
 * Context: process; no packet is made any more.
 */
void ovpn_chunk_exit(void)
{
	struct ovpn_chunk_ring *ring;
	int cpu, i;

	for_each_possible_cpu(cpu) {
		ring = per_cpu_ptr(&ovpn_chunk_ring, cpu);
		for (i = 0; i < OVPN_CHUNK_RING; i++)
			if (ring->chunk[i].page)
				put_page(ring->chunk[i].page);
	}
}

/**
 * ovpn_chunk_lock - before the first ovpn_chunk_get()
 *
 * Context: BH off.
 */
void ovpn_chunk_lock(void)
{
	local_lock_nested_bh(&ovpn_chunk_ring.bh_lock);
}

/**
 * ovpn_chunk_unlock - after the last one
 *
 * Context: BH off.
 */
void ovpn_chunk_unlock(void)
{
	local_unlock_nested_bh(&ovpn_chunk_ring.bh_lock);
}

static bool ovpn_chunk_renew(struct ovpn_chunk *chunk)
{
	chunk->offset = 0;
	if (chunk->page) {
		/* only we are left; a single page is not worth keeping */
		if (page_ref_count(chunk->page) == 1 &&
		    chunk->size == OVPN_CHUNK_SIZE)
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
 * @size: not larger than %OVPN_CHUNK_SIZE
 *
 * Who takes some of it moves its offset on, and takes a reference to the page.
 *
 * Context: BH off, between ovpn_chunk_lock() and ovpn_chunk_unlock(), as long
 * as the chunk is used.
 * Return: the chunk, or NULL without memory.
 */
struct ovpn_chunk *ovpn_chunk_get(unsigned int size)
{
	struct ovpn_chunk_ring *ring = this_cpu_ptr(&ovpn_chunk_ring);
	struct ovpn_chunk *chunk = &ring->chunk[ring->turn];

	if (likely(chunk->page && chunk->offset + size <= chunk->size))
		return chunk;

	ring->turn = (ring->turn + 1) % OVPN_CHUNK_RING;
	chunk = &ring->chunk[ring->turn];
	return ovpn_chunk_renew(chunk) && size <= chunk->size ? chunk : NULL;
}
