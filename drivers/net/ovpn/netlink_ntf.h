/* SPDX-License-Identifier: GPL-2.0-only */
/* OpenVPN data channel offload: telling user space */

#ifndef _NET_OVPN_NETLINK_NTF_H_
#define _NET_OVPN_NETLINK_NTF_H_

struct ovpn_user_ops;

extern const struct ovpn_user_ops ovpn_nl_user_ops;

#endif /* _NET_OVPN_NETLINK_NTF_H_ */
