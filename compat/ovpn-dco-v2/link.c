// SPDX-License-Identifier: GPL-2.0-only
/* OpenVPN data channel offload: link kind "ovpn-dco"
 *
 * The same device as kind "ovpn", with another user space.
 */

#include "dco.h"

#include <linux/netdevice.h>
#include <net/rtnetlink.h>

#include "dev.h"
#include "ovpn.h"

static void ovpn_dco_setup(struct net_device *dev)
{
	struct ovpn_priv *ovpn = netdev_priv(dev);

	ovpn_link_ops.setup(dev);
	dev->flags |= IFF_MULTICAST;
	ovpn->user = &ovpn_dco_user_ops;
}

static struct rtnl_link_ops ovpn_dco_link_ops = {
	.kind = OVPN_DCO_LINK_KIND,
	.setup = ovpn_dco_setup,
};

/**
 * ovpn_dco_link_register - offer the link kind
 *
 * Return: 0 or an error of rtnl_link_register().
 */
int ovpn_dco_link_register(void)
{
	struct rtnl_link_ops *ops = &ovpn_dco_link_ops;

	ops->netns_refund = ovpn_link_ops.netns_refund;
	ops->priv_size = ovpn_link_ops.priv_size;
	ops->policy = ovpn_link_ops.policy;
	ops->maxtype = ovpn_link_ops.maxtype;
	ops->validate = ovpn_link_ops.validate;
	ops->newlink = ovpn_link_ops.newlink;
	ops->dellink = ovpn_link_ops.dellink;
	ops->get_size = ovpn_link_ops.get_size;
	ops->fill_info = ovpn_link_ops.fill_info;
	return rtnl_link_register(ops);
}

/**
 * ovpn_dco_link_unregister - withdraw the link kind, and delete all devices
 *
 * Context: process, may sleep.
 */
void ovpn_dco_link_unregister(void)
{
	rtnl_link_unregister(&ovpn_dco_link_ops);
}
