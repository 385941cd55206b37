/* SPDX-License-Identifier: GPL-2.0-only */
/* OpenVPN data channel offload: memory that packets are made in */

#ifndef _NET_OVPN_CHUNK_H_
#define _NET_OVPN_CHUNK_H_

#include <linux/mm_types.h>
#include <linux/skbuff.h>
#include <linux/types.h>
#include <net/sock.h>

struct napi_struct;

/* more than this in one piece is not to be had, and mostly that much is */
#define OVPN_CHUNK_SIZE		(PAGE_SIZE << SKB_FRAG_PAGE_ORDER)

/**
 * enum ovpn_chunk_use - what is made in a chunk
 * @OVPN_CHUNK_TX: packets to send
 * @OVPN_CHUNK_RX: packets received
 * @OVPN_CHUNK_USES: number of uses
 */
enum ovpn_chunk_use {
	OVPN_CHUNK_TX,
	OVPN_CHUNK_RX,
	OVPN_CHUNK_USES
};

/**
 * struct ovpn_chunk - where the next packet of this CPU goes
 * @page: the pages
 * @size: their bytes: %OVPN_CHUNK_SIZE, or one page when memory is scarce
 * @offset: what of them is used up
 */
struct ovpn_chunk {
	struct page *page;
	unsigned int size;
	unsigned int offset;
};

void ovpn_chunk_exit(void);
void ovpn_chunk_lock(void);
void ovpn_chunk_unlock(void);
struct ovpn_chunk *ovpn_chunk_get(enum ovpn_chunk_use use, unsigned int size);
struct sk_buff *ovpn_chunk_alloc_skb(struct napi_struct *napi,
				     unsigned int len);

#endif /* _NET_OVPN_CHUNK_H_ */
