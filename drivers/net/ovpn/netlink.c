// SPDX-License-Identifier: GPL-2.0-only
/* OpenVPN data channel offload: the generic netlink family
 *
 * What all commands share: finding the device, and letting it go.
 */

#include "netlink.h"

#include <linux/err.h>
#include <uapi/linux/ovpn.h>

#include "dev.h"
#include "netlink-gen.h"
#include "netlink_ntf.h"
#include "ovpn.h"

/**
 * struct ovpn_nl_ctx - what a command carries from its pre_doit on
 * @ovpn: the device
 * @tracker: of the reference to it
 */
struct ovpn_nl_ctx {
	struct ovpn_priv *ovpn;
	netdevice_tracker tracker;
};

static struct ovpn_nl_ctx *ovpn_nl_ctx(struct genl_info *info)
{
	BUILD_BUG_ON(sizeof(struct ovpn_nl_ctx) > sizeof(info->ctx));
	return (struct ovpn_nl_ctx *)info->ctx;
}

/**
 * ovpn_nl_dev_get - the device that a command names
 * @info: the command
 * @user: the user space that the device must be for
 * @tracker: for the reference taken
 *
 * Context: process.
 * Return: the device, to be let go by netdev_put(); or ERR_PTR: -EINVAL if
 * none is named or it is not an ovpn device, -ENODEV if there is none.
 */
struct ovpn_priv *ovpn_nl_dev_get(const struct genl_info *info,
				  const struct ovpn_user_ops *user,
				  netdevice_tracker *tracker)
{
	struct ovpn_priv *ovpn;
	struct net_device *dev;
	int ret;

	ret = ovpn_nl_require(info->extack, NULL, info->attrs, OVPN_A_IFINDEX,
			      "ifindex");
	if (ret)
		return ERR_PTR(ret);

	dev = netdev_get_by_index(genl_info_net(info),
				  nla_get_u32(info->attrs[OVPN_A_IFINDEX]),
				  tracker, GFP_KERNEL);
	if (!dev) {
		NL_SET_ERR_MSG_ATTR(info->extack, info->attrs[OVPN_A_IFINDEX],
				    "ifindex: no such device");
		return ERR_PTR(-ENODEV);
	}

	ovpn = netdev_priv(dev);
	if (!ovpn_dev_is_ours(dev) || ovpn->user != user) {
		NL_SET_ERR_MSG_ATTR(info->extack, info->attrs[OVPN_A_IFINDEX],
				    "ifindex: not an ovpn device");
		netdev_put(dev, tracker);
		return ERR_PTR(-EINVAL);
	}
	return ovpn;
}

/**
 * ovpn_nl_priv - the device that a running command works on
 * @info: the command
 *
 * Return: the device, held until the command ends.
 */
struct ovpn_priv *ovpn_nl_priv(struct genl_info *info)
{
	return ovpn_nl_ctx(info)->ovpn;
}

/**
 * ovpn_nl_enter - a command begins: find its device, and hold it
 * @info: the command
 * @user: the user space that it comes from
 *
 * Context: process.
 * Return: 0 or as ovpn_nl_dev_get(). If 0, ovpn_nl_post_doit() has to follow.
 */
int ovpn_nl_enter(struct genl_info *info, const struct ovpn_user_ops *user)
{
	struct ovpn_nl_ctx *ctx = ovpn_nl_ctx(info);

	ctx->ovpn = ovpn_nl_dev_get(info, user, &ctx->tracker);
	return PTR_ERR_OR_ZERO(ctx->ovpn);
}

/**
 * ovpn_nl_pre_doit - find the device before a command
 * @ops: the command's operations
 * @skb: the request
 * @info: the command
 *
 * Return: 0 or as ovpn_nl_dev_get().
 */
int ovpn_nl_pre_doit(const struct genl_split_ops *ops, struct sk_buff *skb,
		     struct genl_info *info)
{
	return ovpn_nl_enter(info, &ovpn_nl_user_ops);
}

/**
 * ovpn_nl_post_doit - let the device go after a command
 * @ops: the command's operations
 * @skb: the request
 * @info: the command
 */
void ovpn_nl_post_doit(const struct genl_split_ops *ops, struct sk_buff *skb,
		       struct genl_info *info)
{
	struct ovpn_nl_ctx *ctx = ovpn_nl_ctx(info);

	netdev_put(ctx->ovpn->dev, &ctx->tracker);
}
