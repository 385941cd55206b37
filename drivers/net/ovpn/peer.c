// SPDX-License-Identifier: GPL-2.0-only
/* OpenVPN data channel offload: a peer */

#include "peer.h"

#include <kunit/visibility.h>
#include <linux/bottom_half.h>
#include <linux/err.h>
#include <linux/slab.h>
#include <linux/timekeeping.h>
#include <net/dst.h>

#include "mss.h"
#include "ovpn.h"
#include "proto.h"
#include "socket.h"

/**
 * ovpn_peer_new - make a peer that nobody knows yet
 * @ovpn: the device
 * @id: its id
 * @timer: what to do when &ovpn_peer.timer fires
 *
 * Context: process, may sleep.
 * Return: the peer with one reference, or NULL without memory.
 */
struct ovpn_peer *ovpn_peer_new(struct ovpn_priv *ovpn, u32 id,
				void (*timer)(struct timer_list *timer))
{
	struct ovpn_peer *peer = kzalloc_obj(*peer);
	struct ovpn_peer_vpn *vpn;

	if (!peer)
		return NULL;

	vpn = ovpn_peer_vpn_new(peer, 0, &in6addr_any, GFP_KERNEL);
	if (!vpn) {
		kfree(peer);
		return NULL;
	}

	RCU_INIT_POINTER(peer->vpn, vpn);
	peer->ovpn = ovpn;
	peer->id = id;
	peer->tx_id = id;
	peer->last_recv = ktime_get_boottime_seconds();
	peer->last_sent = peer->last_recv;
	ovpn_keyring_init(&peer->keys);
	spin_lock_init(&peer->lock);
	timer_setup(&peer->timer, timer, 0);
	refcount_set(&peer->refcount, 1);
	return peer;
}
EXPORT_SYMBOL_IF_KUNIT(ovpn_peer_new);

static void ovpn_peer_route_free_rcu(struct rcu_head *head)
{
	struct ovpn_peer_route *route;

	route = container_of(head, struct ovpn_peer_route, rcu);
	dst_release(route->dst);
	kfree(route);
}

static void ovpn_peer_route_free(struct ovpn_peer_route __rcu *place)
{
	struct ovpn_peer_route *route = rcu_dereference_protected(place, true);

	if (route)
		ovpn_peer_route_free_rcu(&route->rcu);
}

static void ovpn_peer_free_rcu(struct rcu_head *head)
{
	struct ovpn_peer *peer = container_of(head, struct ovpn_peer, rcu);

	/* packets are done with the peer, and with what it pointed to */
	ovpn_peer_route_free(peer->route);
	ovpn_peer_route_free(peer->source6);
	kfree(rcu_dereference_protected(peer->endpoint, true));
	kfree(rcu_dereference_protected(peer->vpn, true));
	ovpn_socket_put(peer->sock);
	kfree(peer);
}

/**
 * ovpn_peer_get - take a reference to a peer found under RCU
 * @peer: the peer
 *
 * Context: any.
 * Return: false if the peer is being freed.
 */
bool ovpn_peer_get(struct ovpn_peer *peer)
{
	return refcount_inc_not_zero(&peer->refcount);
}
EXPORT_SYMBOL_IF_KUNIT(ovpn_peer_get);

/**
 * ovpn_peer_put - drop a reference
 * @peer: the peer
 *
 * Context: any. Its timer has been shut down, if it ever joined.
 */
void ovpn_peer_put(struct ovpn_peer *peer)
{
	if (!refcount_dec_and_test(&peer->refcount))
		return;

	ovpn_keyring_purge(&peer->keys);
	call_rcu(&peer->rcu, ovpn_peer_free_rcu);
}
EXPORT_SYMBOL_IF_KUNIT(ovpn_peer_put);

/**
 * ovpn_peer_vpn_new - make addresses inside the VPN that readers may see
 * @peer: whose
 * @v4: IPv4, or 0
 * @v6: IPv6, or ::
 * @gfp: how to allocate
 *
 * Context: as @gfp allows.
 * Return: the addresses, to be given to ovpn_peer_table_set_vpn(), or NULL
 * without memory.
 */
struct ovpn_peer_vpn *ovpn_peer_vpn_new(struct ovpn_peer *peer, __be32 v4,
					const struct in6_addr *v6, gfp_t gfp)
{
	struct ovpn_peer_vpn *vpn = kzalloc_obj(*vpn, gfp);

	if (!vpn)
		return NULL;
	vpn->peer = peer;
	vpn->v4 = v4;
	vpn->v6 = *v6;
	return vpn;
}
EXPORT_SYMBOL_IF_KUNIT(ovpn_peer_vpn_new);

/**
 * ovpn_peer_endpoint_new - make an endpoint that readers may see
 * @peer: whose
 * @ep: what it says
 * @gfp: how to allocate
 *
 * Context: as @gfp allows.
 * Return: the endpoint, to be given to ovpn_peer_set_endpoint(),
 * ovpn_peer_table_move() or kfree(), or NULL without memory.
 */
struct ovpn_peer_endpoint *
ovpn_peer_endpoint_new(struct ovpn_peer *peer, const struct ovpn_endpoint *ep,
		       gfp_t gfp)
{
	struct ovpn_peer_endpoint *endpoint = kzalloc_obj(*endpoint, gfp);

	if (!endpoint)
		return NULL;
	endpoint->peer = peer;
	endpoint->ep = *ep;
	return endpoint;
}
EXPORT_SYMBOL_IF_KUNIT(ovpn_peer_endpoint_new);

/**
 * ovpn_peer_set_endpoint - the peer is here from now on
 * @peer: the peer
 * @endpoint: where; owned by the peer from now on
 *
 * Does not touch the table: a peer that has joined is moved by
 * ovpn_peer_table_move().
 *
 * Context: any but hard interrupt.
 * Return: where it was, for the caller to free after a grace period, or NULL.
 */
struct ovpn_peer_endpoint *
ovpn_peer_set_endpoint(struct ovpn_peer *peer,
		       struct ovpn_peer_endpoint *endpoint)
{
	struct ovpn_peer_endpoint *old;

	spin_lock_bh(&peer->lock);
	endpoint->serial = ++peer->endpoint_serial;
	old = rcu_replace_pointer(peer->endpoint, endpoint,
				  lockdep_is_held(&peer->lock));
	spin_unlock_bh(&peer->lock);
	return old;
}
EXPORT_SYMBOL_IF_KUNIT(ovpn_peer_set_endpoint);

/**
 * ovpn_peer_endpoint_current - is the peer still there?
 * @peer: the peer
 * @ep: where an authentic packet of it came from
 *
 * Context: RCU read section; takes no lock.
 * Return: true if nothing has changed.
 */
bool ovpn_peer_endpoint_current(const struct ovpn_peer *peer,
				const struct ovpn_endpoint *ep)
{
	const struct ovpn_peer_endpoint *cur = rcu_dereference(peer->endpoint);

	return cur && ovpn_endpoint_equal(&cur->ep, ep);
}

/**
 * ovpn_peer_set_route - remember a route, in place of the one before
 * @peer: the peer
 * @place: &ovpn_peer.route or &ovpn_peer.source6
 * @route: the route, owned by the peer from now on
 *
 * Context: any but hard interrupt.
 */
void ovpn_peer_set_route(struct ovpn_peer *peer,
			 struct ovpn_peer_route __rcu **place,
			 struct ovpn_peer_route *route)
{
	struct ovpn_peer_route *old;

	spin_lock_bh(&peer->lock);
	old = rcu_replace_pointer(*place, route,
				  lockdep_is_held(&peer->lock));
	spin_unlock_bh(&peer->lock);

	if (old)
		call_rcu(&old->rcu, ovpn_peer_route_free_rcu);
}

/**
 * ovpn_peer_clamp_mss - let a TCP connection fit the path to the peer
 * @peer: the peer
 * @skb: a SYN to or from it, see ovpn_mss_is_syn(); its data may move
 *
 * Context: BH off, RCU read section.
 */
void ovpn_peer_clamp_mss(struct ovpn_peer *peer, struct sk_buff *skb)
{
	const struct ovpn_transport_ops *ops = peer->sock->ops;

	if (ops->mtu && READ_ONCE(peer->ovpn->mss_clamp))
		ovpn_mss_clamp(skb, ops->mtu(peer));
}

/**
 * ovpn_peer_sent - count packets that have left
 * @peer: the peer they went to
 * @packets: how many
 * @bytes: their sum, from the first word of our header on
 * @inner: they carry inner packets; false for keepalive messages
 *
 * Context: any but hard interrupt.
 */
void ovpn_peer_sent(struct ovpn_peer *peer, unsigned int packets,
		    unsigned int bytes, bool inner)
{
	ovpn_counter_add(&peer->tx.link, packets, bytes);
	ovpn_peer_touch(&peer->last_sent, ktime_get_boottime_seconds());
	if (!inner)
		return;

	bytes -= packets * OVPN_HEADER_SIZE;
	ovpn_counter_add(&peer->tx.vpn, packets, bytes);
	local_bh_disable();
	ovpn_dev_count_tx(peer->ovpn->dev, packets, bytes);
	local_bh_enable();
}
