/* SPDX-License-Identifier: GPL-2.0-only */
/* OpenVPN data channel offload: the network device */

#ifndef _NET_OVPN_DEV_H_
#define _NET_OVPN_DEV_H_

#include <linux/types.h>

struct net_device;
struct rtnl_link_ops;

extern struct rtnl_link_ops ovpn_link_ops;

int ovpn_dev_register(void);
void ovpn_dev_unregister(void);
bool ovpn_dev_is_ours(const struct net_device *dev);

#endif /* _NET_OVPN_DEV_H_ */
