// SPDX-License-Identifier: GPL-2.0-only
/* OpenVPN data channel offload: the network device */

#include "dev.h"

#include <kunit/visibility.h>
#include <linux/bits.h>
#include <linux/ethtool.h>
#include <linux/if_arp.h>
#include <linux/inetdevice.h>
#include <linux/module.h>
#include <linux/netdevice.h>
#include <linux/slab.h>
#include <net/ip.h>
#include <net/rtnetlink.h>

#include "drop.h"
#include "io.h"
#include "keepalive.h"
#include "netlink_ntf.h"
#include "ovpn.h"
#include "peer_table.h"
#include "proto.h"
#include "session.h"

/* What a packet may grow by on its way out, at the most: IPv6, UDP, our
 * header, and slack up to the round number that fixes the range of MTUs.
 */
#define OVPN_DEV_OVERHEAD	84

/* The sealed packets of a super-packet of this size, with an MSS of 1348 or
 * more, are no larger than 64 KiB.
 */
#define OVPN_DEV_TSO_MAX	61440

#define OVPN_DEV_FEATURES	(NETIF_F_SG | NETIF_F_HW_CSUM | \
				 NETIF_F_RXCSUM | NETIF_F_GSO_SOFTWARE | \
				 NETIF_F_HIGHDMA)

static int ovpn_dev_init(struct net_device *dev)
{
	struct ovpn_priv *ovpn = netdev_priv(dev);
	int ret = -ENOMEM;

	ovpn->drops = alloc_percpu(struct ovpn_drops);
	if (!ovpn->drops)
		return ret;
	ret = ovpn_peer_table_init(ovpn);
	if (ret)
		goto err_free_drops;
	ret = ovpn_rx_init(ovpn);
	if (ret)
		goto err_exit_table;
	return 0;

err_exit_table:
	ovpn_peer_table_exit(ovpn);
err_free_drops:
	free_percpu(ovpn->drops);
	return ret;
}

/* The device is closed, so nothing is sent. When the peers have left and the
 * polls have stopped, one grace period lets all packets under way see that.
 */
static void ovpn_dev_uninit(struct net_device *dev)
{
	struct ovpn_priv *ovpn = netdev_priv(dev);

	mutex_lock(&ovpn->config);
	ovpn->table.closed = true;
	ovpn_session_leave_all(ovpn, OVPN_DEL_PEER_REASON_TEARDOWN);
	mutex_unlock(&ovpn->config);

	ovpn_keepalive_exit(ovpn);
	ovpn_rx_stop(ovpn);
	synchronize_net();

	ovpn_rx_exit(ovpn);
	ovpn_peer_table_exit(ovpn);
	free_percpu(ovpn->drops);
}

/* Clients of one server sit on one device, so the server would tell each that
 * it had better talk to the others directly, which it cannot. As redirects
 * are sent if either the device or the whole namespace wants them, both have
 * to be told. In ndo_open, as a move to another namespace resets the device.
 */
static int ovpn_dev_open(struct net_device *dev)
{
	struct ovpn_priv *ovpn = netdev_priv(dev);
	struct in_device *in_dev;

	if (ovpn->mode != OVPN_MODE_MP)
		return 0;

	in_dev = __in_dev_get_rtnl(dev);
	if (in_dev) {
		IN_DEV_CONF_SET(in_dev, SEND_REDIRECTS, false);
		IPV4_DEVCONF_ALL(dev_net(dev), SEND_REDIRECTS) = false;
	}
	return 0;
}

static const struct net_device_ops ovpn_dev_ops = {
	.ndo_init = ovpn_dev_init,
	.ndo_uninit = ovpn_dev_uninit,
	.ndo_open = ovpn_dev_open,
	.ndo_start_xmit = ovpn_tx_start_xmit,
};

/**
 * ovpn_dev_is_ours - is this an ovpn device?
 * @dev: any network device
 *
 * Return: true if so.
 */
bool ovpn_dev_is_ours(const struct net_device *dev)
{
	return dev->netdev_ops == &ovpn_dev_ops;
}

static const char ovpn_drop_names[][ETH_GSTRING_LEN] = {
#define OVPN_DROP_NAME(name, string, core) string,
	OVPN_DROP_REASONS(OVPN_DROP_NAME)
#undef OVPN_DROP_NAME
};

/* private flags, by bit */
static const char ovpn_flag_names[][ETH_GSTRING_LEN] = {
	"mss-clamp",
	"rx-steering",
};

#define OVPN_FLAG_MSS_CLAMP	BIT(0)
#define OVPN_FLAG_RX_STEERING	BIT(1)

/* statistics behind those of drops */
static const char ovpn_count_names[][ETH_GSTRING_LEN] = {
	"rx_steered",
};

static int ovpn_ethtool_sset_count(struct net_device *dev, int sset)
{
	switch (sset) {
	case ETH_SS_STATS:
		return OVPN_DROP_MAX + ARRAY_SIZE(ovpn_count_names);
	case ETH_SS_PRIV_FLAGS:
		return ARRAY_SIZE(ovpn_flag_names);
	default:
		return -EOPNOTSUPP;
	}
}

static void ovpn_ethtool_strings(struct net_device *dev, u32 sset, u8 *data)
{
	if (sset == ETH_SS_STATS) {
		memcpy(data, ovpn_drop_names, sizeof(ovpn_drop_names));
		memcpy(data + sizeof(ovpn_drop_names), ovpn_count_names,
		       sizeof(ovpn_count_names));
	} else if (sset == ETH_SS_PRIV_FLAGS) {
		memcpy(data, ovpn_flag_names, sizeof(ovpn_flag_names));
	}
}

static u32 ovpn_ethtool_get_flags(struct net_device *dev)
{
	const struct ovpn_priv *ovpn = netdev_priv(dev);

	return (ovpn->mss_clamp ? OVPN_FLAG_MSS_CLAMP : 0) |
	       (ovpn->rx_steering ? OVPN_FLAG_RX_STEERING : 0);
}

static int ovpn_ethtool_set_flags(struct net_device *dev, u32 flags)
{
	struct ovpn_priv *ovpn = netdev_priv(dev);

	if (flags & ~(OVPN_FLAG_MSS_CLAMP | OVPN_FLAG_RX_STEERING))
		return -EINVAL;
	WRITE_ONCE(ovpn->mss_clamp, flags & OVPN_FLAG_MSS_CLAMP);
	WRITE_ONCE(ovpn->rx_steering, flags & OVPN_FLAG_RX_STEERING);
	return 0;
}

static void ovpn_ethtool_stats(struct net_device *dev,
			       struct ethtool_stats *stats, u64 *data)
{
	struct ovpn_priv *ovpn = netdev_priv(dev);
	const struct ovpn_drops *drops;
	int cpu, i;

	memset(data, 0, OVPN_DROP_MAX * sizeof(*data));
	for_each_possible_cpu(cpu) {
		drops = per_cpu_ptr(ovpn->drops, cpu);
		for (i = 0; i < OVPN_DROP_MAX; i++)
			data[i] += READ_ONCE(drops->count[i]);
	}
	data[OVPN_DROP_MAX] = ovpn_rx_steered(netdev_priv(dev));
}

static void ovpn_ethtool_drvinfo(struct net_device *dev,
				 struct ethtool_drvinfo *info)
{
	strscpy(info->driver, "ovpn", sizeof(info->driver));
	strscpy(info->bus_info, "ovpn", sizeof(info->bus_info));
}

static const struct ethtool_ops ovpn_ethtool_ops = {
	.get_drvinfo = ovpn_ethtool_drvinfo,
	.get_link = ethtool_op_get_link,
	.get_ts_info = ethtool_op_get_ts_info,
	.get_sset_count = ovpn_ethtool_sset_count,
	.get_strings = ovpn_ethtool_strings,
	.get_ethtool_stats = ovpn_ethtool_stats,
	.get_priv_flags = ovpn_ethtool_get_flags,
	.set_priv_flags = ovpn_ethtool_set_flags,
};

static const struct device_type ovpn_dev_type = {
	.name = "ovpn",
};

static void ovpn_dev_setup(struct net_device *dev)
{
	struct ovpn_priv *ovpn = netdev_priv(dev);

	ovpn->user = &ovpn_nl_user_ops;
	dev->netdev_ops = &ovpn_dev_ops;
	dev->ethtool_ops = &ovpn_ethtool_ops;
	dev->needs_free_netdev = true;
	dev->pcpu_stat_type = NETDEV_PCPU_STAT_DSTATS;

	dev->type = ARPHRD_NONE;
	dev->flags = IFF_POINTOPOINT | IFF_NOARP;
	dev->priv_flags |= IFF_NO_QUEUE;
	dev->lltx = true;
	/* the peer is found by the route's gateway */
	netif_keep_dst(dev);

	dev->mtu = ETH_DATA_LEN - OVPN_DEV_OVERHEAD;
	dev->min_mtu = IPV4_MIN_MTU;
	dev->max_mtu = IP_MAX_MTU - OVPN_DEV_OVERHEAD;
	dev->needed_headroom = OVPN_TX_HEADROOM;
	/* so that what becomes of a super-packet mostly fits one datagram */
	netif_set_tso_max_size(dev, OVPN_DEV_TSO_MAX);

	dev->features |= OVPN_DEV_FEATURES;
	dev->hw_features |= OVPN_DEV_FEATURES;
	dev->hw_enc_features |= OVPN_DEV_FEATURES;

	SET_NETDEV_DEVTYPE(dev, &ovpn_dev_type);
}

static const struct nla_policy ovpn_link_policy[IFLA_OVPN_MAX + 1] = {
	[IFLA_OVPN_MODE] = NLA_POLICY_RANGE(NLA_U8, OVPN_MODE_P2P,
					    OVPN_MODE_MP),
};

static int ovpn_link_validate(struct nlattr *tb[], struct nlattr *data[],
			      struct netlink_ext_ack *extack)
{
	if (tb[IFLA_ADDRESS]) {
		NL_SET_ERR_MSG_ATTR(extack, tb[IFLA_ADDRESS],
				    "ovpn devices have no link-layer address");
		return -EOPNOTSUPP;
	}
	return 0;
}

static int ovpn_link_new(struct net_device *dev,
			 struct rtnl_newlink_params *params,
			 struct netlink_ext_ack *extack)
{
	struct ovpn_priv *ovpn = netdev_priv(dev);
	struct nlattr **data = params->data;

	ovpn->dev = dev;
	ovpn->mss_clamp = true;
	ovpn->mode = OVPN_MODE_P2P;
	if (data && data[IFLA_OVPN_MODE])
		ovpn->mode = nla_get_u8(data[IFLA_OVPN_MODE]);

	spin_lock_init(&ovpn->lock);
	mutex_init(&ovpn->config);
	ovpn_keepalive_init(ovpn);

	/* P2P: until there is a peer; MP: always on, as a server is */
	if (ovpn->mode == OVPN_MODE_P2P)
		netif_carrier_off(dev);
	else
		netif_carrier_on(dev);

	return register_netdevice(dev);
}

static size_t ovpn_link_size(const struct net_device *dev)
{
	return nla_total_size(sizeof(u8)); /* IFLA_OVPN_MODE */
}

static int ovpn_link_fill(struct sk_buff *skb, const struct net_device *dev)
{
	const struct ovpn_priv *ovpn = netdev_priv(dev);

	return nla_put_u8(skb, IFLA_OVPN_MODE, ovpn->mode);
}

/* link kind "ovpn" */
struct rtnl_link_ops ovpn_link_ops = {
	.kind = "ovpn",
	.netns_refund = false,
	.priv_size = sizeof(struct ovpn_priv),
	.setup = ovpn_dev_setup,
	.policy = ovpn_link_policy,
	.maxtype = IFLA_OVPN_MAX,
	.validate = ovpn_link_validate,
	.newlink = ovpn_link_new,
	.dellink = unregister_netdevice_queue,
	.get_size = ovpn_link_size,
	.fill_info = ovpn_link_fill,
};
EXPORT_SYMBOL_IF_KUNIT(ovpn_link_ops);

MODULE_ALIAS_RTNL_LINK("ovpn");

/**
 * ovpn_dev_register - offer link kind "ovpn"
 *
 * Return: 0 or an error of rtnl_link_register().
 */
int ovpn_dev_register(void)
{
	return rtnl_link_register(&ovpn_link_ops);
}

/**
 * ovpn_dev_unregister - withdraw the link kind, and delete all devices
 *
 * Context: process, may sleep.
 */
void ovpn_dev_unregister(void)
{
	rtnl_link_unregister(&ovpn_link_ops);
}
