// SPDX-License-Identifier: GPL-2.0-only
/* OpenVPN data channel offload: a transport socket in use */

#include "socket.h"

#include <kunit/visibility.h>
#include <linux/err.h>
#include <linux/net.h>
#include <linux/netlink.h>
#include <linux/slab.h>
#include <linux/udp.h>
#include <net/sock.h>
#include <uapi/linux/udp.h>

#include "ovpn.h"

/**
 * ovpn_socket_lookup_rcu - the use that we make of a socket
 * @sk: any socket
 *
 * sk_user_data belongs to whoever set it: it is ours only if the socket also
 * carries our encapsulation type.
 *
 * Context: RCU read section.
 * Return: our use of it, or NULL if it is not ours.
 */
struct ovpn_socket *ovpn_socket_lookup_rcu(const struct sock *sk)
{
	if (sk->sk_protocol != IPPROTO_UDP ||
	    READ_ONCE(udp_sk(sk)->encap_type) != UDP_ENCAP_OVPNINUDP)
		return NULL;
	return rcu_dereference_sk_user_data(sk);
}

/**
 * ovpn_socket_get - the use that we make of a socket, held
 * @sk: any socket
 *
 * Context: any.
 * Return: our use of it, to be put; or NULL if it is not ours.
 */
struct ovpn_socket *ovpn_socket_get(struct sock *sk)
{
	struct ovpn_socket *sock;

	rcu_read_lock();
	sock = ovpn_socket_lookup_rcu(sk);
	if (sock && !refcount_inc_not_zero(&sock->refcount))
		sock = NULL;
	rcu_read_unlock();
	return sock;
}

/**
 * ovpn_socket_put - drop a reference
 * @sock: the use of a socket, may be NULL
 *
 * Context: any.
 */
void ovpn_socket_put(struct ovpn_socket *sock)
{
	if (!sock || !refcount_dec_and_test(&sock->refcount))
		return;

	netdev_put(sock->ovpn->dev, &sock->dev_tracker);
	sock_put(sock->sk);
	kfree_rcu(sock, rcu);
}
EXPORT_SYMBOL_IF_KUNIT(ovpn_socket_put);

static struct ovpn_socket *
ovpn_socket_share(struct ovpn_socket *sock, const struct ovpn_priv *ovpn,
		  struct netlink_ext_ack *extack)
{
	if (sock->ovpn != ovpn) {
		NL_SET_ERR_MSG(extack, "socket is used by another device");
		return ERR_PTR(-EBUSY);
	}
	/* not zero: the users who are counted hold references */
	refcount_inc(&sock->refcount);
	sock->users++;
	return sock;
}

static struct ovpn_socket *
ovpn_socket_new(struct ovpn_priv *ovpn, struct sock *sk,
		const struct ovpn_transport_ops *ops, ovpn_socket_gone_t gone)
{
	struct ovpn_socket *sock = kzalloc_obj(*sock);

	if (!sock)
		return ERR_PTR(-ENOMEM);

	sock->sk = sk;
	sock->ovpn = ovpn;
	sock->ops = ops;
	sock->gone = gone;
	sock->users = 1;
	refcount_set(&sock->refcount, 1);
	sock_hold(sk);
	netdev_hold(ovpn->dev, &sock->dev_tracker, GFP_KERNEL);
	return sock;
}

/**
 * ovpn_socket_attach - use a socket for one more peer
 * @ovpn: the device
 * @socket: the socket; the caller holds its file
 * @ops: its transport
 * @gone: see &ovpn_socket.gone
 * @extack: for the error message
 *
 * Context: process; &ovpn_priv.config held; takes lock_sock().
 * Return: our use of the socket: a reference, to be put, and a user, to be
 * ended by ovpn_socket_detach(); or ERR_PTR: -EBUSY if the socket is in other
 * use, -ENOMEM.
 */
struct ovpn_socket *ovpn_socket_attach(struct ovpn_priv *ovpn,
				       struct socket *socket,
				       const struct ovpn_transport_ops *ops,
				       ovpn_socket_gone_t gone,
				       struct netlink_ext_ack *extack)
{
	struct sock *sk = socket->sk;
	struct ovpn_socket *sock;

	lock_sock(sk);
	rcu_read_lock();
	sock = ovpn_socket_lookup_rcu(sk);
	rcu_read_unlock();
	if (sock) {
		/* users leave under lock_sock(), it stays while we look */
		sock = ovpn_socket_share(sock, ovpn, extack);
		goto out;
	}

	if (rcu_access_pointer(__sk_user_data(sk)) ||
	    READ_ONCE(udp_sk(sk)->encap_type)) {
		NL_SET_ERR_MSG(extack, "socket is used by something else");
		sock = ERR_PTR(-EBUSY);
		goto out;
	}

	sock = ovpn_socket_new(ovpn, sk, ops, gone);
	if (!IS_ERR(sock))
		ops->attach(sock);
out:
	release_sock(sk);
	return sock;
}

/**
 * ovpn_socket_detach - a peer is done with a socket
 * @sock: our use of the socket
 *
 * The last one to leave gives the socket back to user space as it was. The
 * caller's reference stays.
 *
 * Context: process; takes lock_sock().
 */
void ovpn_socket_detach(struct ovpn_socket *sock)
{
	lock_sock(sock->sk);
	if (!--sock->users)
		sock->ops->detach(sock);
	release_sock(sock->sk);
}
