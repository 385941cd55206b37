// SPDX-License-Identifier: GPL-2.0-only
/* OpenVPN data channel offload: a peer joins, leaves, all leave
 *
 * Leaving has two steps. Under the spinlock the peer is taken out of the
 * table: from there on no packet finds it, and nobody puts it back. What may
 * sleep comes after, for any number of peers, without waiting for a grace
 * period: freeing waits for that on its own.
 */

#include "session.h"

#include <linux/list.h>
#include <linux/lockdep.h>
#include <linux/netlink.h>
#include <linux/timer.h>

#include "ovpn.h"
#include "peer.h"
#include "peer_table.h"
#include "socket.h"

static void ovpn_session_unlink(struct ovpn_peer *peer,
				enum ovpn_del_peer_reason reason,
				struct list_head *left)
{
	lockdep_assert_held(&peer->ovpn->lock);

	if (!peer->hashed)
		return;
	ovpn_peer_table_remove(peer);
	peer->del_reason = reason;
	list_add_tail(&peer->leaving, left);
}

/* Take apart the peers on the list. @heir has come in place of the one before
 * it: a client that reuses the id would take the event for its new peer.
 */
static void ovpn_session_finish(struct list_head *left,
				const struct ovpn_peer *heir)
{
	struct ovpn_peer *peer, *next;

	list_for_each_entry_safe(peer, next, left, leaving) {
		/* waits for a running timer, so that no event follows */
		timer_shutdown_sync(&peer->timer);
		/* who is told has an ordinary socket again */
		ovpn_socket_detach(peer->sock);
		if (!heir || heir->id != peer->id)
			peer->ovpn->user->peer_del(peer);
		ovpn_peer_put(peer);
	}
}

/* a point-to-point device without its peer has no carrier */
static void ovpn_session_carrier(struct ovpn_priv *ovpn)
{
	if (ovpn->mode != OVPN_MODE_P2P)
		return;
	if (rcu_access_pointer(ovpn->table.single))
		netif_carrier_on(ovpn->dev);
	else
		netif_carrier_off(ovpn->dev);
}

static int ovpn_session_join_error(int ret, struct netlink_ext_ack *extack)
{
	switch (ret) {
	case -EEXIST:
		NL_SET_ERR_MSG(extack, "a peer with this id exists");
		break;
	case -EADDRINUSE:
		NL_SET_ERR_MSG(extack, "VPN address belongs to another peer");
		break;
	default:
		NL_SET_ERR_MSG(extack, "no room in the peer table");
	}
	return ret;
}

/**
 * ovpn_session_join - a peer begins to work
 * @peer: the peer, with endpoint, addresses and socket set
 * @extack: for the error message
 *
 * On a point-to-point device it takes the place of the peer before. On
 * success the table owns the caller's reference.
 *
 * Context: process, &ovpn_priv.config held since the socket was attached, so
 * that the device is not going away.
 * Return: as ovpn_peer_table_add().
 */
int ovpn_session_join(struct ovpn_peer *peer, struct netlink_ext_ack *extack)
{
	struct ovpn_priv *ovpn = peer->ovpn;
	struct ovpn_peer *old;
	LIST_HEAD(left);
	int ret;

	lockdep_assert_held(&ovpn->config);

	spin_lock_bh(&ovpn->lock);
	old = rcu_dereference_protected(ovpn->table.single,
					lockdep_is_held(&ovpn->lock));
	if (old)
		ovpn_session_unlink(old, OVPN_DEL_PEER_REASON_TEARDOWN, &left);
	ret = ovpn_peer_table_add(peer);
	spin_unlock_bh(&ovpn->lock);

	ovpn_session_finish(&left, peer);
	ovpn_session_carrier(ovpn);
	return ret ? ovpn_session_join_error(ret, extack) : 0;
}

/**
 * ovpn_session_leave - a peer ends, if it has not ended before
 * @peer: the peer, referenced by the caller
 * @reason: why
 *
 * Context: process, &ovpn_priv.config held.
 */
void ovpn_session_leave(struct ovpn_peer *peer,
			enum ovpn_del_peer_reason reason)
{
	struct ovpn_priv *ovpn = peer->ovpn;
	LIST_HEAD(left);

	lockdep_assert_held(&ovpn->config);

	spin_lock_bh(&ovpn->lock);
	ovpn_session_unlink(peer, reason, &left);
	spin_unlock_bh(&ovpn->lock);

	ovpn_session_finish(&left, NULL);
	ovpn_session_carrier(ovpn);
}

/* all peers that use @sock, or all peers if it is NULL */
static void ovpn_session_leave_many(struct ovpn_priv *ovpn,
				    const struct ovpn_socket *sock,
				    enum ovpn_del_peer_reason reason)
{
	struct ovpn_peer *peer;
	unsigned long id = 0;
	LIST_HEAD(left);

	lockdep_assert_held(&ovpn->config);

	spin_lock_bh(&ovpn->lock);
	while ((peer = ovpn_peer_next_rcu(ovpn, &id))) {
		if (!sock || peer->sock == sock)
			ovpn_session_unlink(peer, reason, &left);
		id++;
	}
	spin_unlock_bh(&ovpn->lock);

	ovpn_session_finish(&left, NULL);
	ovpn_session_carrier(ovpn);
}

/**
 * ovpn_session_leave_all - all peers of a device end
 * @ovpn: the device
 * @reason: why
 *
 * Context: process, &ovpn_priv.config held.
 */
void ovpn_session_leave_all(struct ovpn_priv *ovpn,
			    enum ovpn_del_peer_reason reason)
{
	ovpn_session_leave_many(ovpn, NULL, reason);
}

/**
 * ovpn_session_socket_gone - a socket is closed, or has failed
 * @sock: our use of it, referenced by the caller
 * @reason: what to tell user space of its peers
 *
 * Context: process, no lock held; takes &ovpn_priv.config.
 */
void ovpn_session_socket_gone(struct ovpn_socket *sock,
			      enum ovpn_del_peer_reason reason)
{
	struct ovpn_priv *ovpn = sock->ovpn;

	mutex_lock(&ovpn->config);
	ovpn_session_leave_many(ovpn, sock, reason);
	mutex_unlock(&ovpn->config);
}
