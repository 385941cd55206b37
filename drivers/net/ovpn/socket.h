/* SPDX-License-Identifier: GPL-2.0-only */
/* OpenVPN data channel offload: a transport socket in use */

#ifndef _NET_OVPN_SOCKET_H_
#define _NET_OVPN_SOCKET_H_

#include <linux/netdevice.h>
#include <linux/rcupdate.h>
#include <linux/refcount.h>
#include <linux/types.h>
#include <uapi/linux/ovpn.h>

struct netlink_ext_ack;
struct ovpn_peer;
struct ovpn_priv;
struct ovpn_socket;
struct sk_buff;
struct sock;
struct socket;

typedef void (*ovpn_socket_gone_t)(struct ovpn_socket *sock,
				   enum ovpn_del_peer_reason reason);

/**
 * struct ovpn_transport_ops - what differs between transports
 * @attach: take the socket over; lock_sock() held
 * @detach: give it back as it was; lock_sock() held
 * @send: send sealed packets to a peer; BH off, RCU read section. Consumes
 *	the list and counts what it drops. Returns the number of packets that
 *	left, and their bytes in the last argument
 */
struct ovpn_transport_ops {
	void (*attach)(struct ovpn_socket *sock);
	void (*detach)(struct ovpn_socket *sock);
	unsigned int (*send)(struct ovpn_peer *peer, struct sk_buff *list,
			     unsigned int *bytes);
};

/**
 * struct ovpn_socket - a transport socket of user space, in our use
 * @sk: the socket, held
 * @ovpn: the device
 * @ops: its transport
 * @gone: to be called, in process context without locks, when the socket is
 *	closed by its owner or fails
 * @users: peers that use it; lock_sock(@sk)
 * @mc_loop: the socket's setting before attach
 * @refcount: see "lifetimes" in ovpn.h
 * @dev_tracker: of the reference to the net_device
 * @rcu: frees it
 */
struct ovpn_socket {
	struct sock *sk;
	struct ovpn_priv *ovpn;
	const struct ovpn_transport_ops *ops;
	ovpn_socket_gone_t gone;
	unsigned int users;
	bool mc_loop;
	refcount_t refcount;
	netdevice_tracker dev_tracker;
	struct rcu_head rcu;
};

struct ovpn_socket *ovpn_socket_attach(struct ovpn_priv *ovpn,
				       struct socket *socket,
				       const struct ovpn_transport_ops *ops,
				       ovpn_socket_gone_t gone,
				       struct netlink_ext_ack *extack);
void ovpn_socket_detach(struct ovpn_socket *sock);
struct ovpn_socket *ovpn_socket_get(struct sock *sk);
void ovpn_socket_put(struct ovpn_socket *sock);
struct ovpn_socket *ovpn_socket_lookup_rcu(const struct sock *sk);

#endif /* _NET_OVPN_SOCKET_H_ */
