// SPDX-License-Identifier: GPL-2.0-only
/* OpenVPN data channel offload: the peers of a device
 *
 * A multi-peer device finds its peers by id, by address inside the VPN and by
 * transport address. A point-to-point device is a table of one: whoever is
 * asked for, the answer is that peer, or nobody.
 */

#include "peer_table.h"

#include <kunit/visibility.h>
#include <linux/errno.h>
#include <linux/rhashtable.h>
#include <linux/xarray.h>
#include <net/ipv6.h>

#include "ovpn.h"
#include "peer.h"

static const struct rhashtable_params ovpn_vpn4_params = {
	.head_offset = offsetof(struct ovpn_peer, by_vpn4),
	.key_offset = offsetof(struct ovpn_peer, vpn4),
	.key_len = sizeof_field(struct ovpn_peer, vpn4),
	.automatic_shrinking = true,
};

static const struct rhashtable_params ovpn_vpn6_params = {
	.head_offset = offsetof(struct ovpn_peer, by_vpn6),
	.key_offset = offsetof(struct ovpn_peer, vpn6),
	.key_len = sizeof_field(struct ovpn_peer, vpn6),
	.automatic_shrinking = true,
};

/* Several peers may claim one transport address, as when a client restarts: the
 * table keeps all of them, and finds one. They have a list of their own, as a
 * hash table takes a long chain for an attack.
 */
static const struct rhashtable_params ovpn_endpoint_params = {
	.head_offset = offsetof(struct ovpn_peer, by_endpoint),
	.key_offset = offsetof(struct ovpn_peer, remote),
	.key_len = sizeof_field(struct ovpn_peer, remote),
	.automatic_shrinking = true,
};

static bool ovpn_is_p2p(const struct ovpn_priv *ovpn)
{
	return ovpn->mode == OVPN_MODE_P2P;
}

/**
 * ovpn_peer_table_init - start with no peer
 * @ovpn: the device, with its mode set
 *
 * Context: process, may sleep.
 * Return: 0 or -ENOMEM.
 */
int ovpn_peer_table_init(struct ovpn_priv *ovpn)
{
	struct ovpn_peer_table *table = &ovpn->table;
	int ret;

	if (ovpn_is_p2p(ovpn))
		return 0;

	xa_init_flags(&table->by_id, XA_FLAGS_LOCK_BH);
	ret = rhashtable_init(&table->by_vpn4, &ovpn_vpn4_params);
	if (ret)
		return ret;
	ret = rhashtable_init(&table->by_vpn6, &ovpn_vpn6_params);
	if (ret)
		goto err_vpn4;
	ret = rhltable_init(&table->by_endpoint, &ovpn_endpoint_params);
	if (ret)
		goto err_vpn6;
	return 0;

err_vpn6:
	rhashtable_destroy(&table->by_vpn6);
err_vpn4:
	rhashtable_destroy(&table->by_vpn4);
	return ret;
}
EXPORT_SYMBOL_IF_KUNIT(ovpn_peer_table_init);

/**
 * ovpn_peer_table_exit - free the empty table
 * @ovpn: the device; no reader is left
 *
 * Context: process, may sleep.
 */
void ovpn_peer_table_exit(struct ovpn_priv *ovpn)
{
	struct ovpn_peer_table *table = &ovpn->table;

	if (ovpn_is_p2p(ovpn))
		return;

	rhltable_destroy(&table->by_endpoint);
	rhashtable_destroy(&table->by_vpn6);
	rhashtable_destroy(&table->by_vpn4);
	xa_destroy(&table->by_id);
}
EXPORT_SYMBOL_IF_KUNIT(ovpn_peer_table_exit);

static int ovpn_hash_vpn4(struct ovpn_peer *peer)
{
	if (!peer->vpn4)
		return 0;
	return rhashtable_lookup_insert_fast(&peer->ovpn->table.by_vpn4,
					     &peer->by_vpn4, ovpn_vpn4_params);
}

static void ovpn_unhash_vpn4(struct ovpn_peer *peer)
{
	if (peer->vpn4)
		rhashtable_remove_fast(&peer->ovpn->table.by_vpn4,
				       &peer->by_vpn4, ovpn_vpn4_params);
}

static int ovpn_hash_vpn6(struct ovpn_peer *peer)
{
	if (ipv6_addr_any(&peer->vpn6))
		return 0;
	return rhashtable_lookup_insert_fast(&peer->ovpn->table.by_vpn6,
					     &peer->by_vpn6, ovpn_vpn6_params);
}

static void ovpn_unhash_vpn6(struct ovpn_peer *peer)
{
	if (!ipv6_addr_any(&peer->vpn6))
		rhashtable_remove_fast(&peer->ovpn->table.by_vpn6,
				       &peer->by_vpn6, ovpn_vpn6_params);
}

/* the key in the table follows the endpoint that readers see */
static int ovpn_hash_endpoint(struct ovpn_peer *peer)
{
	struct ovpn_peer_endpoint *endpoint;
	int ret;

	memset(&peer->remote, 0, sizeof(peer->remote));
	rcu_read_lock();
	endpoint = rcu_dereference(peer->endpoint);
	if (endpoint)
		peer->remote = endpoint->ep.remote;
	rcu_read_unlock();

	if (peer->remote.family == AF_UNSPEC)
		return 0;

	ret = rhltable_insert(&peer->ovpn->table.by_endpoint,
			      &peer->by_endpoint, ovpn_endpoint_params);
	if (ret)
		peer->remote.family = AF_UNSPEC;
	return ret;
}

static void ovpn_unhash_endpoint(struct ovpn_peer *peer)
{
	if (peer->remote.family != AF_UNSPEC)
		rhltable_remove(&peer->ovpn->table.by_endpoint,
				&peer->by_endpoint, ovpn_endpoint_params);
}

static int ovpn_peer_table_add_mp(struct ovpn_peer *peer)
{
	struct ovpn_peer_table *table = &peer->ovpn->table;
	int ret;

	ret = xa_insert_bh(&table->by_id, peer->id, peer, GFP_ATOMIC);
	if (ret)
		return ret == -EBUSY ? -EEXIST : ret;

	ret = ovpn_hash_vpn4(peer);
	if (ret)
		goto err_id;
	ret = ovpn_hash_vpn6(peer);
	if (ret)
		goto err_vpn4;
	ret = ovpn_hash_endpoint(peer);
	if (ret)
		goto err_vpn6;
	return 0;

err_vpn6:
	ovpn_unhash_vpn6(peer);
err_vpn4:
	ovpn_unhash_vpn4(peer);
err_id:
	xa_erase_bh(&table->by_id, peer->id);
	return ret == -EEXIST ? -EADDRINUSE : ret;
}

/**
 * ovpn_peer_table_add - let packets find a peer
 * @peer: a peer with its endpoint and VPN addresses set
 *
 * Context: &ovpn_priv.lock held.
 * Return: 0; -EEXIST if the id is taken (a point-to-point device: any peer is
 * there), -EADDRINUSE if an address inside the VPN is, -ENOMEM.
 */
int ovpn_peer_table_add(struct ovpn_peer *peer)
{
	struct ovpn_priv *ovpn = peer->ovpn;
	int ret = 0;

	lockdep_assert_held(&ovpn->lock);

	if (!ovpn_is_p2p(ovpn))
		ret = ovpn_peer_table_add_mp(peer);
	else if (rcu_access_pointer(ovpn->table.single))
		ret = -EEXIST;
	else
		rcu_assign_pointer(ovpn->table.single, peer);

	if (!ret) {
		peer->hashed = true;
		atomic_inc(&ovpn->table.generation);
	}
	return ret;
}
EXPORT_SYMBOL_IF_KUNIT(ovpn_peer_table_add);

/**
 * ovpn_peer_table_remove - packets shall not find the peer any more
 * @peer: a peer that is in the table
 *
 * Context: &ovpn_priv.lock held.
 */
void ovpn_peer_table_remove(struct ovpn_peer *peer)
{
	struct ovpn_priv *ovpn = peer->ovpn;

	lockdep_assert_held(&ovpn->lock);
	WARN_ON_ONCE(!peer->hashed);

	if (ovpn_is_p2p(ovpn)) {
		RCU_INIT_POINTER(ovpn->table.single, NULL);
	} else {
		ovpn_unhash_endpoint(peer);
		ovpn_unhash_vpn6(peer);
		ovpn_unhash_vpn4(peer);
		xa_erase_bh(&ovpn->table.by_id, peer->id);
	}
	peer->hashed = false;
	atomic_inc(&ovpn->table.generation);
}
EXPORT_SYMBOL_IF_KUNIT(ovpn_peer_table_remove);

/**
 * ovpn_peer_table_rehash - the peer has a new endpoint
 * @peer: a peer; one that has left the table stays out
 *
 * Context: &ovpn_priv.lock held.
 * Return: 0, or -ENOMEM: the peer is not found by address until its next
 * move.
 */
int ovpn_peer_table_rehash(struct ovpn_peer *peer)
{
	lockdep_assert_held(&peer->ovpn->lock);

	if (!peer->hashed || ovpn_is_p2p(peer->ovpn))
		return 0;
	ovpn_unhash_endpoint(peer);
	return ovpn_hash_endpoint(peer);
}
EXPORT_SYMBOL_IF_KUNIT(ovpn_peer_table_rehash);

/* is one of these addresses somebody else's? */
static bool ovpn_vpn_taken(struct ovpn_peer *peer, __be32 vpn4,
			   const struct in6_addr *vpn6)
{
	struct ovpn_priv *ovpn = peer->ovpn;
	struct ovpn_peer *four, *six;
	bool taken;

	rcu_read_lock();
	four = vpn4 ? ovpn_peer_lookup_vpn4_rcu(ovpn, vpn4) : NULL;
	six = !ipv6_addr_any(vpn6) ? ovpn_peer_lookup_vpn6_rcu(ovpn, vpn6) :
				     NULL;
	taken = (four && four != peer) || (six && six != peer);
	rcu_read_unlock();
	return taken;
}

/* the peer is in neither hash; an address that finds no room is forgotten */
static int ovpn_hash_vpn(struct ovpn_peer *peer, __be32 vpn4,
			 const struct in6_addr *vpn6)
{
	int ret4, ret6;

	peer->vpn4 = vpn4;
	ret4 = ovpn_hash_vpn4(peer);
	if (ret4)
		peer->vpn4 = 0;

	peer->vpn6 = *vpn6;
	ret6 = ovpn_hash_vpn6(peer);
	if (ret6)
		peer->vpn6 = in6addr_any;

	return ret4 ?: ret6;
}

/**
 * ovpn_peer_table_set_vpn - the peer has new addresses inside the VPN
 * @peer: a peer, in the table or not
 * @vpn4: the IPv4 address, or 0
 * @vpn6: the IPv6 address, or ::
 *
 * Context: &ovpn_priv.lock held.
 * Return: 0; -EADDRINUSE: nothing has changed; -ENOMEM: the old addresses
 * are back, as far as memory allows.
 */
int ovpn_peer_table_set_vpn(struct ovpn_peer *peer, __be32 vpn4,
			    const struct in6_addr *vpn6)
{
	struct in6_addr old6 = peer->vpn6;
	__be32 old4 = peer->vpn4;
	int ret;

	lockdep_assert_held(&peer->ovpn->lock);

	if (!peer->hashed || ovpn_is_p2p(peer->ovpn)) {
		peer->vpn4 = vpn4;
		peer->vpn6 = *vpn6;
		return 0;
	}

	if (ovpn_vpn_taken(peer, vpn4, vpn6))
		return -EADDRINUSE;

	ovpn_unhash_vpn4(peer);
	ovpn_unhash_vpn6(peer);
	ret = ovpn_hash_vpn(peer, vpn4, vpn6);
	if (ret) {
		ovpn_unhash_vpn4(peer);
		ovpn_unhash_vpn6(peer);
		ovpn_hash_vpn(peer, old4, &old6);
	}
	atomic_inc(&peer->ovpn->table.generation);
	return ret;
}
EXPORT_SYMBOL_IF_KUNIT(ovpn_peer_table_set_vpn);

/**
 * ovpn_peer_lookup_id_rcu - find a peer by its id
 * @ovpn: the device
 * @id: the id
 *
 * Context: RCU read section.
 * Return: the peer, borrowed, or NULL.
 */
struct ovpn_peer *ovpn_peer_lookup_id_rcu(struct ovpn_priv *ovpn, u32 id)
{
	struct ovpn_peer *peer;

	if (!ovpn_is_p2p(ovpn))
		return xa_load(&ovpn->table.by_id, id);

	peer = rcu_dereference(ovpn->table.single);
	return peer && peer->id == id ? peer : NULL;
}
EXPORT_SYMBOL_IF_KUNIT(ovpn_peer_lookup_id_rcu);

/**
 * ovpn_peer_lookup_vpn4_rcu - who has this IPv4 address inside the VPN?
 * @ovpn: the device
 * @addr: the address
 *
 * Context: RCU read section.
 * Return: the peer, borrowed, or NULL.
 */
struct ovpn_peer *ovpn_peer_lookup_vpn4_rcu(struct ovpn_priv *ovpn,
					    __be32 addr)
{
	if (ovpn_is_p2p(ovpn))
		return rcu_dereference(ovpn->table.single);
	return rhashtable_lookup(&ovpn->table.by_vpn4, &addr,
				 ovpn_vpn4_params);
}
EXPORT_SYMBOL_IF_KUNIT(ovpn_peer_lookup_vpn4_rcu);

/**
 * ovpn_peer_lookup_vpn6_rcu - who has this IPv6 address inside the VPN?
 * @ovpn: the device
 * @addr: the address
 *
 * Context: RCU read section.
 * Return: the peer, borrowed, or NULL.
 */
struct ovpn_peer *ovpn_peer_lookup_vpn6_rcu(struct ovpn_priv *ovpn,
					    const struct in6_addr *addr)
{
	if (ovpn_is_p2p(ovpn))
		return rcu_dereference(ovpn->table.single);
	return rhashtable_lookup(&ovpn->table.by_vpn6, addr, ovpn_vpn6_params);
}
EXPORT_SYMBOL_IF_KUNIT(ovpn_peer_lookup_vpn6_rcu);

/**
 * ovpn_peer_lookup_endpoint_rcu - who is at this transport address?
 * @ovpn: the device
 * @remote: the address
 *
 * Context: RCU read section.
 * Return: the peer, borrowed, or NULL.
 */
struct ovpn_peer *
ovpn_peer_lookup_endpoint_rcu(struct ovpn_priv *ovpn,
			      const struct ovpn_remote *remote)
{
	struct ovpn_peer_endpoint *endpoint;
	struct rhlist_head *list;
	struct ovpn_peer *peer;

	if (!ovpn_is_p2p(ovpn)) {
		list = rhltable_lookup(&ovpn->table.by_endpoint, remote,
				       ovpn_endpoint_params);
		return list ? container_of(list, struct ovpn_peer,
					   by_endpoint) : NULL;
	}

	peer = rcu_dereference(ovpn->table.single);
	if (!peer)
		return NULL;
	endpoint = rcu_dereference(peer->endpoint);
	if (!endpoint || memcmp(&endpoint->ep.remote, remote, sizeof(*remote)))
		return NULL;
	return peer;
}
EXPORT_SYMBOL_IF_KUNIT(ovpn_peer_lookup_endpoint_rcu);

/**
 * ovpn_peer_next_rcu - walk over all peers in the order of their ids
 * @ovpn: the device
 * @id: where to start; set to the id of the peer found
 *
 * The walk may be interrupted and taken up again at any id: peers that come
 * and go meanwhile do not disturb it.
 *
 * Context: RCU read section, or &ovpn_priv.lock held.
 * Return: the first peer with an id of at least @id, borrowed, or NULL.
 */
struct ovpn_peer *ovpn_peer_next_rcu(struct ovpn_priv *ovpn, unsigned long *id)
{
	struct ovpn_peer *peer;

	if (!ovpn_is_p2p(ovpn))
		return xa_find(&ovpn->table.by_id, id, ULONG_MAX, XA_PRESENT);

	peer = rcu_dereference_check(ovpn->table.single,
				     lockdep_is_held(&ovpn->lock));
	if (!peer || peer->id < *id)
		return NULL;
	*id = peer->id;
	return peer;
}
EXPORT_SYMBOL_IF_KUNIT(ovpn_peer_next_rcu);

/**
 * ovpn_peer_get_by_id - find a peer by its id, and hold it
 * @ovpn: the device
 * @id: the id
 *
 * Context: any.
 * Return: the peer, to be put, or NULL.
 */
struct ovpn_peer *ovpn_peer_get_by_id(struct ovpn_priv *ovpn, u32 id)
{
	struct ovpn_peer *peer;

	rcu_read_lock();
	peer = ovpn_peer_lookup_id_rcu(ovpn, id);
	if (peer && !ovpn_peer_get(peer))
		peer = NULL;
	rcu_read_unlock();
	return peer;
}
EXPORT_SYMBOL_IF_KUNIT(ovpn_peer_get_by_id);
