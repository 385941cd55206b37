/* SPDX-License-Identifier: GPL-2.0-only */
/* OpenVPN data channel offload: packet ids to send, and the IV */

#ifndef _NET_OVPN_NONCE_H_
#define _NET_OVPN_NONCE_H_

#include <linux/atomic.h>
#include <linux/build_bug.h>
#include <linux/errno.h>
#include <linux/limits.h>
#include <linux/string.h>
#include <linux/types.h>
#include <uapi/linux/ovpn.h>

#include "proto.h"

#define OVPN_IV_SIZE	(OVPN_PACKET_ID_SIZE + OVPN_NONCE_TAIL_SIZE)

static_assert(OVPN_IV_SIZE == 12);

/**
 * struct ovpn_nonce - the source of packet ids of one sending key
 * @next: the id that comes next. 64 bits wide, so that it never wraps: what
 *	has passed 2^32 stays there
 */
struct ovpn_nonce {
	atomic64_t next;
};

/**
 * ovpn_nonce_init - start from packet id 1, id 0 is never sent
 * @nonce: the source
 */
static inline void ovpn_nonce_init(struct ovpn_nonce *nonce)
{
	atomic64_set(&nonce->next, 1);
}

/**
 * ovpn_nonce_reserve - take a run of packet ids that nobody else gets
 * @nonce: the source
 * @n: how many, at least 1
 * @first: set to the first of them
 *
 * Return: 0, or -ERANGE for ever once fewer than @n ids are left.
 */
static inline int ovpn_nonce_reserve(struct ovpn_nonce *nonce, unsigned int n,
				     u32 *first)
{
	u64 id = atomic64_fetch_add(n, &nonce->next);

	if (unlikely(id + n - 1 > U32_MAX))
		return -ERANGE;

	*first = id;
	return 0;
}

/**
 * ovpn_nonce_iv - compose the IV, the same way for both directions
 * @iv: where to
 * @packet_id: the packet id as it stands on the wire
 * @tail: the nonce tail of the direction
 */
static inline void ovpn_nonce_iv(u8 iv[OVPN_IV_SIZE], __be32 packet_id,
				 const u8 tail[OVPN_NONCE_TAIL_SIZE])
{
	memcpy(iv, &packet_id, OVPN_PACKET_ID_SIZE);
	memcpy(iv + OVPN_PACKET_ID_SIZE, tail, OVPN_NONCE_TAIL_SIZE);
}

#endif /* _NET_OVPN_NONCE_H_ */
