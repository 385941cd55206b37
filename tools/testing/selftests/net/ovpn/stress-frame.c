// SPDX-License-Identifier: GPL-2.0-only
/* Packets of the peer, sealed without the driver's code */
#include "frame-data.h"

#include "stress.h"

static struct inner_addr theirs[2], ours[2];

void frame_start(void)
{
	unsigned int i;

	o.dir = 1;
	o.secret[0] = "stress";
	o.size = 32;
	inner_addr_parse(&theirs[0], "10.8.0.2");
	inner_addr_parse(&theirs[1], "fd08::2");
	inner_addr_parse(&ours[0], "10.8.0.1");
	inner_addr_parse(&ours[1], "fd08::1");
	for (i = 0; i < 2; i++) {
		theirs[i].port = 9;
		ours[i].port = 9;
	}
	init_keys();
}

/* A packet of the peer at @buf, of this kind; returns how long */
size_t frame_make(uint8_t *buf, uint32_t pkt_id, unsigned int kind)
{
	size_t len, prefix = 0;

	o.isrc = theirs[!!(kind & FRAME_INET6)];
	o.idst = ours[!!(kind & FRAME_INET6)];
	o.peer_id = kind & FRAME_UNDEF ? ID_UNDEF : PEER_ID;
	len = seal(pkt_id, build_inner(pkt_id));
	if (kind & FRAME_TCP) {
		buf[0] = len >> 8;
		buf[1] = len;
		prefix = 2;
	}
	memcpy(buf + prefix, frame, len);
	return prefix + len;
}
