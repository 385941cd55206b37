/* SPDX-License-Identifier: GPL-2.0-only */
/* New devices get what they need in one structure.
 *
 * The kernel's struct rtnl_link_ops takes another name here, and the driver
 * gets one of its own, with newlink() as it should be. The kernel's is made
 * of that when it is registered.
 */

#ifndef _OVPN_COMPAT_NET_RTNETLINK_H_
#define _OVPN_COMPAT_NET_RTNETLINK_H_

#include <ovpn-lacks.h>

#ifndef OVPN_LACKS_NEWLINK_PARAMS
#include_next <net/rtnetlink.h>
#else

#include <linux/netdevice.h>
#include <linux/rtnetlink.h>
#include <net/netlink.h>

#define rtnl_link_ops	ovpn_compat_link_ops
#include_next <net/rtnetlink.h>
#undef rtnl_link_ops

struct rtnl_newlink_params {
	struct net *src_net;
	struct nlattr **tb;
	struct nlattr **data;
};

struct rtnl_link_ops {
	const char *kind;
	size_t priv_size;
	void (*setup)(struct net_device *dev);
	bool netns_refund;
	unsigned int maxtype;
	const struct nla_policy *policy;
	int (*validate)(struct nlattr *tb[], struct nlattr *data[],
			struct netlink_ext_ack *extack);
	int (*newlink)(struct net_device *dev,
		       struct rtnl_newlink_params *params,
		       struct netlink_ext_ack *extack);
	int (*changelink)(struct net_device *dev, struct nlattr *tb[],
			  struct nlattr *data[],
			  struct netlink_ext_ack *extack);
	void (*dellink)(struct net_device *dev, struct list_head *head);
	size_t (*get_size)(const struct net_device *dev);
	int (*fill_info)(struct sk_buff *skb, const struct net_device *dev);

	struct ovpn_compat_link_ops kernel;
};

static inline int ovpn_compat_newlink(struct net *src_net,
				      struct net_device *dev,
				      struct nlattr *tb[],
				      struct nlattr *data[],
				      struct netlink_ext_ack *extack)
{
	struct rtnl_newlink_params params = {
		.src_net = src_net,
		.tb = tb,
		.data = data,
	};
	const struct ovpn_compat_link_ops *kernel =
		(const void *)dev->rtnl_link_ops;
	const struct rtnl_link_ops *ops =
		container_of(kernel, const struct rtnl_link_ops, kernel);

	return ops->newlink(dev, &params, extack);
}

static inline int ovpn_compat_link_register(struct rtnl_link_ops *ops)
{
	ops->kernel = (struct ovpn_compat_link_ops) {
		.kind = ops->kind,
		.priv_size = ops->priv_size,
		.setup = ops->setup,
		.netns_refund = ops->netns_refund,
		.maxtype = ops->maxtype,
		.policy = ops->policy,
		.validate = ops->validate,
		.newlink = ovpn_compat_newlink,
		.changelink = ops->changelink,
		.dellink = ops->dellink,
		.get_size = ops->get_size,
		.fill_info = ops->fill_info,
	};
	return rtnl_link_register(&ops->kernel);
}

static inline void ovpn_compat_link_unregister(struct rtnl_link_ops *ops)
{
	rtnl_link_unregister(&ops->kernel);
}

#define rtnl_link_register	ovpn_compat_link_register
#define rtnl_link_unregister	ovpn_compat_link_unregister

#endif /* OVPN_LACKS_NEWLINK_PARAMS */
#endif /* _OVPN_COMPAT_NET_RTNETLINK_H_ */
