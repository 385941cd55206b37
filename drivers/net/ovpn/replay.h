/* SPDX-License-Identifier: GPL-2.0-only */
/* OpenVPN data channel offload: the replay window */

#ifndef _NET_OVPN_REPLAY_H_
#define _NET_OVPN_REPLAY_H_

#include <linux/bits.h>
#include <linux/spinlock.h>
#include <linux/types.h>

/* One word of the ring is always partly stale, hence not part of the window */
#define OVPN_REPLAY_RING	4096
#define OVPN_REPLAY_WINDOW	(OVPN_REPLAY_RING - BITS_PER_LONG)

/* After that many seconds of silence nothing older than the newest packet is
 * taken any more: what was on its way has arrived by then.
 */
#define OVPN_REPLAY_SILENCE	30

/**
 * struct ovpn_replay - which packet ids have been received under one key
 * @lock: guards all other members. BH, a leaf
 * @newest: the highest id accepted so far
 * @floor: ids up to here are refused, whatever the window says
 * @accepted_at: when an id was last accepted, in seconds
 * @ring: one bit for each id of the window, RFC 6479
 */
struct ovpn_replay {
	spinlock_t lock;
	u32 newest;
	u32 floor;
	u32 accepted_at;
	unsigned long ring[OVPN_REPLAY_RING / BITS_PER_LONG];
};

void ovpn_replay_init(struct ovpn_replay *replay, u32 now);
bool ovpn_replay_accept(struct ovpn_replay *replay, u32 id, u32 now);

#endif /* _NET_OVPN_REPLAY_H_ */
