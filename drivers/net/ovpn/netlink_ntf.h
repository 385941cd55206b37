/* SPDX-License-Identifier: GPL-2.0-only */
/* OpenVPN data channel offload: telling user space */

#ifndef _NET_OVPN_NETLINK_NTF_H_
#define _NET_OVPN_NETLINK_NTF_H_

#include <linux/types.h>

struct ovpn_peer;

void ovpn_notify_peer_del(struct ovpn_peer *peer);
void ovpn_notify_peer_float(struct ovpn_peer *peer);
void ovpn_notify_key_swap(struct ovpn_peer *peer, u8 key_id);

#endif /* _NET_OVPN_NETLINK_NTF_H_ */
