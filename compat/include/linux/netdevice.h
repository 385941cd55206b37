/* SPDX-License-Identifier: GPL-2.0-only */
/* Network devices */

#ifndef _OVPN_COMPAT_LINUX_NETDEVICE_H_
#define _OVPN_COMPAT_LINUX_NETDEVICE_H_

#include <ovpn-lacks.h>

#include_next <linux/netdevice.h>

#ifdef OVPN_LACKS_GRO_MAX_SIZE
static inline unsigned int
netif_get_gro_max_size(const struct net_device *dev, const struct sk_buff *skb)
{
	return READ_ONCE(dev->gro_max_size);
}
#endif

#ifdef OVPN_LACKS_NETDEV_BY_INDEX
static inline struct net_device *
netdev_get_by_index(struct net *net, int ifindex, netdevice_tracker *tracker,
		    gfp_t gfp)
{
	struct net_device *dev = dev_get_by_index(net, ifindex);

	if (dev)
		netdev_tracker_alloc(dev, tracker, gfp);
	return dev;
}
#endif

/* The counters exist, as plain numbers, but the core neither adds to them nor
 * shows them.
 */
#ifdef OVPN_LACKS_DSTATS
static_assert(sizeof(u64_stats_t) == sizeof(u64));
#define u64_stats_add(counter, n) \
	u64_stats_add((u64_stats_t *)(counter), n)

static inline void dev_dstats_rx_dropped(struct net_device *dev)
{
	struct pcpu_dstats *dstats = this_cpu_ptr(dev->dstats);

	u64_stats_update_begin(&dstats->syncp);
	u64_stats_add(&dstats->rx_drops, 1);
	u64_stats_update_end(&dstats->syncp);
}

static inline void dev_dstats_tx_dropped(struct net_device *dev)
{
	struct pcpu_dstats *dstats = this_cpu_ptr(dev->dstats);

	u64_stats_update_begin(&dstats->syncp);
	u64_stats_add(&dstats->tx_drops, 1);
	u64_stats_update_end(&dstats->syncp);
}

/* which a 6.12 has as u64_stats_t, and 6.1 as plain numbers */
#define ovpn_compat_count(counter)	READ_ONCE(*(const u64 *)(counter))

static inline void ovpn_compat_get_stats64(struct net_device *dev,
					   struct rtnl_link_stats64 *stats)
{
	const struct pcpu_dstats *dstats;
	int cpu;

	for_each_possible_cpu(cpu) {
		dstats = per_cpu_ptr(dev->dstats, cpu);
		stats->rx_packets += ovpn_compat_count(&dstats->rx_packets);
		stats->rx_bytes += ovpn_compat_count(&dstats->rx_bytes);
		stats->rx_dropped += ovpn_compat_count(&dstats->rx_drops);
		stats->tx_packets += ovpn_compat_count(&dstats->tx_packets);
		stats->tx_bytes += ovpn_compat_count(&dstats->tx_bytes);
		stats->tx_dropped += ovpn_compat_count(&dstats->tx_drops);
	}
}

/* wherever a driver says how it sends, it also says how to read them */
#define ndo_start_xmit \
	ndo_get_stats64 = ovpn_compat_get_stats64, .ndo_start_xmit
#endif /* OVPN_LACKS_DSTATS */

/* A feature bit, not a member, says that a device does its own locking. The
 * member that carries the wish until then is of the days of ISA cards.
 */
#ifdef OVPN_LACKS_LLTX
#define lltx	dma

static inline int ovpn_compat_register_netdevice(struct net_device *dev)
{
	if (dev->lltx)
		dev->features |= NETIF_F_LLTX;
	dev->lltx = false;
	return register_netdevice(dev);
}

#define register_netdevice	ovpn_compat_register_netdevice
#endif /* OVPN_LACKS_LLTX */

#endif /* _OVPN_COMPAT_LINUX_NETDEVICE_H_ */
