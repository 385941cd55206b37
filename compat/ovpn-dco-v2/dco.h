/* SPDX-License-Identifier: GPL-2.0-only */
/* OpenVPN data channel offload: the door for ovpn-dco-v2 */

#ifndef _OVPN_DCO_H_
#define _OVPN_DCO_H_

#include <linux/netlink.h>
#include <net/genetlink.h>
#include <net/netlink.h>

#include "ovpn_dco_v2.h"

struct ovpn_user_ops;

extern const struct nla_policy ovpn_dco_new_peer_policy[];
extern const struct nla_policy ovpn_dco_set_peer_policy[];
extern const struct nla_policy ovpn_dco_del_peer_policy[];
extern const struct nla_policy ovpn_dco_get_peer_policy[];
extern const struct nla_policy ovpn_dco_new_key_policy[];
extern const struct nla_policy ovpn_dco_key_dir_policy[];
extern const struct nla_policy ovpn_dco_swap_keys_policy[];
extern const struct nla_policy ovpn_dco_del_key_policy[];

extern struct genl_family ovpn_dco_family;
extern const struct ovpn_user_ops ovpn_dco_user_ops;

int ovpn_dco_attrs(struct genl_info *info, int nest, struct nlattr **attrs,
		   int max, const struct nla_policy *policy);
int ovpn_dco_refuse(struct netlink_ext_ack *extack, struct nlattr *attr,
		    const char *why, int error);

int ovpn_dco_new_peer_doit(struct sk_buff *skb, struct genl_info *info);
int ovpn_dco_set_peer_doit(struct sk_buff *skb, struct genl_info *info);
int ovpn_dco_del_peer_doit(struct sk_buff *skb, struct genl_info *info);
int ovpn_dco_new_key_doit(struct sk_buff *skb, struct genl_info *info);
int ovpn_dco_swap_keys_doit(struct sk_buff *skb, struct genl_info *info);
int ovpn_dco_del_key_doit(struct sk_buff *skb, struct genl_info *info);
int ovpn_dco_get_peer_doit(struct sk_buff *skb, struct genl_info *info);
int ovpn_dco_get_peer_dumpit(struct sk_buff *skb,
			     struct netlink_callback *cb);

int ovpn_dco_link_register(void);
void ovpn_dco_link_unregister(void);

#endif /* _OVPN_DCO_H_ */
