/* SPDX-License-Identifier: GPL-2.0-only */
/* OpenVPN data channel offload: a peer's traffic counters */

#ifndef _NET_OVPN_STATS_H_
#define _NET_OVPN_STATS_H_

#include <linux/atomic.h>
#include <linux/lockdep.h>
#include <linux/netdevice.h>
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

/**
 * ovpn_dev_count_rx - count inner packets that the device received
 * @dev: the device
 * @packets: how many
 * @bytes: their sum
 *
 * Context: BH off.
 */
static inline void ovpn_dev_count_rx(struct net_device *dev,
				     unsigned int packets, unsigned int bytes)
{
	struct pcpu_dstats *dstats = this_cpu_ptr(dev->dstats);

	lockdep_assert_in_softirq();
	u64_stats_update_begin(&dstats->syncp);
	u64_stats_add(&dstats->rx_packets, packets);
	u64_stats_add(&dstats->rx_bytes, bytes);
	u64_stats_update_end(&dstats->syncp);
}

/**
 * ovpn_dev_count_tx - count inner packets that the device sent
 * @dev: the device
 * @packets: how many
 * @bytes: their sum
 *
 * Context: BH off.
 */
static inline void ovpn_dev_count_tx(struct net_device *dev,
				     unsigned int packets, unsigned int bytes)
{
	struct pcpu_dstats *dstats = this_cpu_ptr(dev->dstats);

	lockdep_assert_in_softirq();
	u64_stats_update_begin(&dstats->syncp);
	u64_stats_add(&dstats->tx_packets, packets);
	u64_stats_add(&dstats->tx_bytes, bytes);
	u64_stats_update_end(&dstats->syncp);
}

#endif /* _NET_OVPN_STATS_H_ */
