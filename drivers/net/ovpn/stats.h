/* SPDX-License-Identifier: GPL-2.0-only */
/* OpenVPN data channel offload: a peer's traffic counters */

#ifndef _NET_OVPN_STATS_H_
#define _NET_OVPN_STATS_H_

#include <linux/atomic.h>
#include <linux/types.h>

/**
 * struct ovpn_counter - packets and bytes that passed one point
 * @bytes: the bytes
 * @packets: the packets
 */
struct ovpn_counter {
	atomic64_t bytes;
	atomic64_t packets;
};

/**
 * struct ovpn_stats - one direction of a peer's traffic
 * @vpn: inside the tunnel: IP packets
 * @link: outside: OpenVPN packets, without the headers of UDP, TCP and IP.
 *	Keepalive messages count here only
 */
struct ovpn_stats {
	struct ovpn_counter vpn;
	struct ovpn_counter link;
};

/**
 * ovpn_counter_add - count a run of packets
 * @counter: the counter
 * @packets: how many
 * @bytes: their sum
 */
static inline void ovpn_counter_add(struct ovpn_counter *counter,
				    unsigned int packets, unsigned int bytes)
{
	atomic64_add(bytes, &counter->bytes);
	atomic64_add(packets, &counter->packets);
}

#endif /* _NET_OVPN_STATS_H_ */
