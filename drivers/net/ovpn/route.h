/* SPDX-License-Identifier: GPL-2.0-only */
/* OpenVPN data channel offload: which peer serves an inner address */

#ifndef _NET_OVPN_ROUTE_H_
#define _NET_OVPN_ROUTE_H_

#include <linux/types.h>

struct ovpn_peer;
struct ovpn_priv;
struct sk_buff;

struct ovpn_peer *ovpn_route_peer_rcu(struct ovpn_priv *ovpn,
				      struct sk_buff *skb);
bool ovpn_route_source_ok_rcu(struct ovpn_peer *peer,
			      const struct sk_buff *skb);

#endif /* _NET_OVPN_ROUTE_H_ */
