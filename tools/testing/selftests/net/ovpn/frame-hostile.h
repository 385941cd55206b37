/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Packets that no honest end sends: what a device must drop, and count, without
 * a change of anything else.
 */
#ifndef FRAME_HOSTILE_H
#define FRAME_HOSTILE_H

#include "frame-data.h"

/*
 * The i-th one, at frame; returns its length. Nothing here is both authentic
 * and new; opcodes stay DATA_V1 or DATA_V2. What the device needs to tell them
 * apart is there: the first eight bytes.
 */
static size_t hostile(__u32 i)
{
	size_t len = seal(o.pkt_id, build_inner(0));
	__u32 r = rnd();

	switch (i % 5) {
	case 0:
		frame[r / 8 % (len - 1) + 1] ^= 1 << (r % 8);
		break;
	case 1:
		len = 8 + r % (len - 8);
		break;
	case 2:
		put_head(frame, OP_DATA_V2, r % 8, rnd(), rnd());
		break;
	case 3:
		put_head(frame, OP_DATA_V1, r % 8, o.peer_id, rnd());
		break;
	default:
		fill_random(frame + FRAME_AAD_LEN, len - FRAME_AAD_LEN);
	}
	return len;
}

/*
 * The i-th one as a record of a stream, at buf; returns its length. Over TCP,
 * what is shorter than a header and a tag is the end of the connection.
 */
static size_t hostile_record(__u8 *buf, __u32 i)
{
	size_t len = hostile(i), least = FRAME_AAD_LEN + FRAME_TAG_LEN + 1;

	len = len < least ? least : len;
	buf[0] = len >> 8;
	buf[1] = len;
	memcpy(buf + 2, frame, len);
	return 2 + len;
}

#endif
