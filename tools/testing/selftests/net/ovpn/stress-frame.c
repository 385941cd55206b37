// SPDX-License-Identifier: GPL-2.0-only
/* Packets of the peer, sealed without the driver's code */
#include "frame-data.h"

#include "stress.h"

void frame_start(void)
{
	o.dir = 1;
	o.secret[0] = "stress";
	o.peer_id = PEER_ID;
	o.size = 32;
	inner_addr_parse(&o.isrc, "10.8.0.2");
	inner_addr_parse(&o.idst, "10.8.0.1");
	o.isrc.port = 9;
	o.idst.port = 9;
	init_keys();
}

/* A packet of the peer at @buf, over TCP with its length; returns how long */
size_t frame_make(uint8_t *buf, uint32_t pkt_id, bool tcp)
{
	size_t len = seal(pkt_id, build_inner(pkt_id)), prefix = 0;

	if (tcp) {
		buf[0] = len >> 8;
		buf[1] = len;
		prefix = 2;
	}
	memcpy(buf + prefix, frame, len);
	return prefix + len;
}
