/* SPDX-License-Identifier: GPL-2.0-only */
/* OpenVPN data channel offload: a transport socket in use */

#ifndef _NET_OVPN_SOCKET_H_
#define _NET_OVPN_SOCKET_H_

#include <linux/netdevice.h>
#include <linux/rcupdate.h>
#include <linux/refcount.h>
#include <linux/spinlock.h>
#include <linux/types.h>
#include <net/sock.h>
#include <uapi/linux/ovpn.h>

struct netlink_ext_ack;
struct ovpn_peer;
struct ovpn_priv;
struct ovpn_socket;
struct sk_buff;
struct socket;

typedef void (*ovpn_socket_gone_t)(struct ovpn_socket *sock,
				   enum ovpn_del_peer_reason reason);

/**
 * struct ovpn_transport_ops - what differs between transports
 * @size: of what a socket needs: a structure that starts with a
 *	&struct ovpn_socket
 * @shared: one socket serves many peers
 * @prefix: bytes that each packet has in front on the wire
 * @owns: is this socket in our use? Any context
 * @check: may it be taken over? lock_sock() held. Returns 0, or an error and
 *	its message
 * @attach: take it over, for this peer; lock_sock() held
 * @detach: give it back as it was; lock_sock() held
 * @gso_max: may packets of this size, but for a smaller last one, share a
 *	buffer? BH off, RCU read section. Returns the largest buffer, or 0
 * @mtu: largest IP packet that, sealed, gets to a peer in one piece, or 0 if
 *	that is not known. BH off, RCU read section. NULL: pieces do not matter
 * @send: send sealed packets to a peer; BH off, RCU read section. Consumes
 *	the list, and counts what left and what was dropped
 * @push: packets must leave in the order of their ids: @send only queues them,
 *	under &ovpn_socket.order, and this moves on what is queued, without it;
 *	BH off, RCU read section. NULL if the order does not matter
 */
struct ovpn_transport_ops {
	size_t size;
	bool shared;
	u8 prefix;
	bool (*owns)(const struct sock *sk);
	int (*check)(const struct sock *sk, struct netlink_ext_ack *extack);
	void (*attach)(struct ovpn_socket *sock, struct ovpn_peer *peer);
	void (*detach)(struct ovpn_socket *sock);
	unsigned int (*gso_max)(struct ovpn_peer *peer, unsigned int size);
	unsigned int (*mtu)(struct ovpn_peer *peer);
	void (*send)(struct ovpn_peer *peer, struct sk_buff *list);
	void (*push)(struct ovpn_socket *sock);
};

/**
 * struct ovpn_socket - a transport socket of user space, in our use
 * @sk: the socket, held
 * @ovpn: the device
 * @ops: its transport
 * @gone: to be called, in process context without locks, when the socket is
 *	closed by its owner or fails
 * @order: with &ovpn_transport_ops.push, one sender at a time takes packet ids
 *	and queues what he has sealed. BH
 * @users: peers that use it; lock_sock(@sk)
 * @refcount: see "lifetimes" in ovpn.h
 * @dev_tracker: of the reference to the net_device
 * @rcu: frees it
 */
struct ovpn_socket {
	struct sock *sk;
	struct ovpn_priv *ovpn;
	const struct ovpn_transport_ops *ops;
	ovpn_socket_gone_t gone;
	spinlock_t order;
	unsigned int users;
	refcount_t refcount;
	netdevice_tracker dev_tracker;
	struct rcu_head rcu;
};

struct ovpn_socket *ovpn_socket_attach(struct ovpn_priv *ovpn,
				       struct ovpn_peer *peer,
				       struct socket *socket,
				       const struct ovpn_transport_ops *ops,
				       ovpn_socket_gone_t gone,
				       struct netlink_ext_ack *extack);
void ovpn_socket_detach(struct ovpn_socket *sock);
bool ovpn_socket_hold(struct ovpn_socket *sock);
void ovpn_socket_put(struct ovpn_socket *sock);

/**
 * ovpn_socket_lookup_rcu - the use that we make of a socket
 * @sk: any socket of the protocol
 * @owns: &ovpn_transport_ops.owns
 *
 * sk_user_data belongs to whoever set it. It is ours as long as the socket is
 * of our kind, before and after we look: a detach undoes the kind first.
 *
 * Context: RCU read section.
 * Return: our use of it, or NULL if it is not ours.
 */
static inline struct ovpn_socket *
ovpn_socket_lookup_rcu(const struct sock *sk,
		       bool (*owns)(const struct sock *sk))
{
	struct ovpn_socket *sock;

	if (!owns(sk))
		return NULL;
	smp_rmb(); /* pairs with the detach of each transport */
	sock = rcu_dereference_sk_user_data(sk);
	smp_rmb(); /* the same */
	return likely(owns(sk)) ? sock : NULL;
}

/**
 * ovpn_socket_get - the use that we make of a socket, held
 * @sk: any socket of the protocol
 * @owns: &ovpn_transport_ops.owns
 *
 * Context: any.
 * Return: our use of it, to be put; or NULL if it is not ours.
 */
static inline struct ovpn_socket *
ovpn_socket_get(const struct sock *sk, bool (*owns)(const struct sock *sk))
{
	struct ovpn_socket *sock;

	rcu_read_lock();
	sock = ovpn_socket_lookup_rcu(sk, owns);
	if (sock && !ovpn_socket_hold(sock))
		sock = NULL;
	rcu_read_unlock();
	return sock;
}

#endif /* _NET_OVPN_SOCKET_H_ */
