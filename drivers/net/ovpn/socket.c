// SPDX-License-Identifier: GPL-2.0-only
/* OpenVPN data channel offload: a transport socket in use */

#include "socket.h"

#include <kunit/visibility.h>
#include <linux/err.h>
#include <linux/lockdep.h>
#include <linux/net.h>
#include <linux/netlink.h>
#include <linux/slab.h>
#include <net/sock.h>

#include "ovpn.h"

/**
 * ovpn_socket_hold - take a reference to the use of a socket
 * @sock: found under RCU
 *
 * Context: any.
 * Return: false if it is being freed.
 */
bool ovpn_socket_hold(struct ovpn_socket *sock)
{
	return refcount_inc_not_zero(&sock->refcount);
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
	if (!sock->ops->shared) {
		NL_SET_ERR_MSG(extack, "socket is used by another peer");
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
	struct ovpn_socket *sock = kzalloc(ops->size, GFP_KERNEL);

	if (!sock)
		return ERR_PTR(-ENOMEM);

	sock->sk = sk;
	sock->ovpn = ovpn;
	sock->ops = ops;
	sock->gone = gone;
	spin_lock_init(&sock->order);
	sock->users = 1;
	refcount_set(&sock->refcount, 1);
	sock_hold(sk);
	netdev_hold(ovpn->dev, &sock->dev_tracker, GFP_KERNEL);
	return sock;
}

/**
 * ovpn_socket_attach - use a socket for one more peer
 * @ovpn: the device
 * @peer: the peer
 * @socket: the socket, of the right protocol; the caller holds its file
 * @ops: its transport
 * @gone: see &ovpn_socket.gone
 * @extack: for the error message
 *
 * From here on packets may come. When ndo_uninit has let all peers go there is
 * nowhere to put them any more, so that it is too late to find out when the
 * peer joins.
 *
 * Context: process; &ovpn_priv.config held until the peer has joined or the
 * socket is detached again; takes lock_sock().
 * Return: our use of the socket: a reference, to be put, and a user, to be
 * ended by ovpn_socket_detach(); or ERR_PTR: -ENODEV if the device is going
 * away, -EBUSY if the socket is in other use, -ENOMEM, or what the transport
 * says.
 */
struct ovpn_socket *ovpn_socket_attach(struct ovpn_priv *ovpn,
				       struct ovpn_peer *peer,
				       struct socket *socket,
				       const struct ovpn_transport_ops *ops,
				       ovpn_socket_gone_t gone,
				       struct netlink_ext_ack *extack)
{
	struct sock *sk = socket->sk;
	struct ovpn_socket *sock;
	int ret;

	lockdep_assert_held(&ovpn->config);

	if (ovpn->table.closed) {
		NL_SET_ERR_MSG(extack, "device is being deleted");
		return ERR_PTR(-ENODEV);
	}

	lock_sock(sk);
	rcu_read_lock();
	sock = ovpn_socket_lookup_rcu(sk, ops->owns);
	rcu_read_unlock();
	if (sock) {
		/* users leave under lock_sock(), it stays while we look */
		sock = ovpn_socket_share(sock, ovpn, extack);
		goto out;
	}

	if (rcu_access_pointer(__sk_user_data(sk))) {
		NL_SET_ERR_MSG(extack, "socket is used by something else");
		sock = ERR_PTR(-EBUSY);
		goto out;
	}
	ret = ops->check(sk, extack);
	if (ret) {
		sock = ERR_PTR(ret);
		goto out;
	}

	sock = ovpn_socket_new(ovpn, sk, ops, gone);
	if (!IS_ERR(sock))
		ops->attach(sock, peer);
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
