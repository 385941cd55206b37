/* SPDX-License-Identifier: GPL-2.0-only */
/* OpenVPN data channel offload: what user space wants of peers and keys */

#ifndef _NET_OVPN_CONFIG_H_
#define _NET_OVPN_CONFIG_H_

#include <linux/in6.h>
#include <linux/types.h>
#include <uapi/linux/ovpn.h>

#include "endpoint.h"

struct netlink_ext_ack;
struct ovpn_key;
struct ovpn_peer;
struct ovpn_priv;
struct ovpn_transport_ops;
struct sock;
struct socket;

/**
 * struct ovpn_peer_config - a peer as user space wants it to be
 * @id: its id
 * @tx_id: id for sending
 * @ep: where it is; remote family AF_UNSPEC for nowhere
 * @vpn4: IPv4 address inside the VPN, or 0
 * @vpn6: IPv6 address inside the VPN, or ::
 * @interval: of keepalive messages
 * @timeout: of the peer
 */
struct ovpn_peer_config {
	u32 id;
	u32 tx_id;
	struct ovpn_endpoint ep;
	__be32 vpn4;
	struct in6_addr vpn6;
	u32 interval;
	u32 timeout;
};

const struct ovpn_transport_ops *ovpn_config_transport(const struct sock *sk);
bool ovpn_config_reaches(const struct sock *sk,
			 const struct ovpn_endpoint *ep);
bool ovpn_config_is_host4(__be32 addr);
bool ovpn_config_is_host6(const struct in6_addr *addr);
bool ovpn_config_is_routable(const struct ovpn_priv *ovpn,
			     const struct ovpn_peer_config *config);

int ovpn_config_peer_new(struct ovpn_priv *ovpn,
			 const struct ovpn_peer_config *config,
			 struct socket *socket,
			 struct netlink_ext_ack *extack);
void ovpn_config_peer_read(const struct ovpn_peer *peer,
			   struct ovpn_peer_config *config);
int ovpn_config_peer_change(struct ovpn_peer *peer,
			    const struct ovpn_peer_config *config, bool moved,
			    struct netlink_ext_ack *extack);
int ovpn_config_peer_del(struct ovpn_priv *ovpn, u32 id);

int ovpn_config_key_set(struct ovpn_priv *ovpn, u32 peer_id,
			enum ovpn_key_slot slot, struct ovpn_key *key);
int ovpn_config_key_swap(struct ovpn_priv *ovpn, u32 peer_id);

#endif /* _NET_OVPN_CONFIG_H_ */
