/* SPDX-License-Identifier: GPL-2.0-only */
/* OpenVPN data channel offload: the generic netlink family */

#ifndef _NET_OVPN_NETLINK_H_
#define _NET_OVPN_NETLINK_H_

#include <linux/errno.h>
#include <linux/netdevice.h>
#include <linux/netlink.h>
#include <net/genetlink.h>

struct ovpn_priv;
struct ovpn_user_ops;

/* Say which attribute is missing, by number and by name: -EINVAL if it is */
#define ovpn_nl_require(extack, nest, tb, type, name) ({		\
	struct netlink_ext_ack *__ack = (extack);			\
	int __ret = 0;							\
									\
	if (NL_REQ_ATTR_CHECK(__ack, (nest), (tb), (type))) {		\
		NL_SET_ERR_MSG(__ack, "missing attribute: " name);	\
		__ret = -EINVAL;					\
	}								\
	__ret;								\
})

struct ovpn_priv *ovpn_nl_dev_get(const struct genl_info *info,
				  const struct ovpn_user_ops *user,
				  netdevice_tracker *tracker);
int ovpn_nl_enter(struct genl_info *info, const struct ovpn_user_ops *user);
struct ovpn_priv *ovpn_nl_priv(struct genl_info *info);

#endif /* _NET_OVPN_NETLINK_H_ */
