/* SPDX-License-Identifier: GPL-2.0-only */
/* OpenVPN data channel offload: the peers of a device */

#ifndef _NET_OVPN_PEER_TABLE_H_
#define _NET_OVPN_PEER_TABLE_H_

#include <linux/types.h>

struct in6_addr;
struct ovpn_peer;
struct ovpn_peer_endpoint;
struct ovpn_peer_vpn;
struct ovpn_priv;
struct ovpn_remote;

int ovpn_peer_table_init(struct ovpn_priv *ovpn);
void ovpn_peer_table_exit(struct ovpn_priv *ovpn);

int ovpn_peer_table_add(struct ovpn_peer *peer);
void ovpn_peer_table_remove(struct ovpn_peer *peer);
int ovpn_peer_table_move(struct ovpn_peer *peer,
			 struct ovpn_peer_endpoint *endpoint);
int ovpn_peer_table_set_vpn(struct ovpn_peer *peer, struct ovpn_peer_vpn *vpn);

struct ovpn_peer *ovpn_peer_lookup_id_rcu(struct ovpn_priv *ovpn, u32 id);
struct ovpn_peer *ovpn_peer_lookup_vpn4_rcu(struct ovpn_priv *ovpn,
					    __be32 addr);
struct ovpn_peer *ovpn_peer_lookup_vpn6_rcu(struct ovpn_priv *ovpn,
					    const struct in6_addr *addr);
struct ovpn_peer *
ovpn_peer_lookup_endpoint_rcu(struct ovpn_priv *ovpn,
			      const struct ovpn_remote *remote);
struct ovpn_peer *ovpn_peer_next_rcu(struct ovpn_priv *ovpn,
				     unsigned long *id);
struct ovpn_peer *ovpn_peer_get_by_id(struct ovpn_priv *ovpn, u32 id);

#endif /* _NET_OVPN_PEER_TABLE_H_ */
