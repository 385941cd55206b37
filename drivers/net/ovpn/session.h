/* SPDX-License-Identifier: GPL-2.0-only */
/* OpenVPN data channel offload: a peer joins, leaves, all leave */

#ifndef _NET_OVPN_SESSION_H_
#define _NET_OVPN_SESSION_H_

#include <linux/types.h>
#include <uapi/linux/ovpn.h>

struct netlink_ext_ack;
struct ovpn_peer;
struct ovpn_priv;
struct ovpn_socket;

int ovpn_session_join(struct ovpn_peer *peer, struct netlink_ext_ack *extack);
void ovpn_session_leave(struct ovpn_peer *peer,
			enum ovpn_del_peer_reason reason);
void ovpn_session_leave_all(struct ovpn_priv *ovpn,
			    enum ovpn_del_peer_reason reason);
void ovpn_session_socket_gone(struct ovpn_socket *sock,
			      enum ovpn_del_peer_reason reason);

#endif /* _NET_OVPN_SESSION_H_ */
