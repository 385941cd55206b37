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
#include <linux/slab.h>
#include <linux/xarray.h>
#include <net/ipv6.h>

#include "ovpn.h"
#include "peer.h"

/* The nodes are in what readers see of a peer, and what readers see is never
 * edited: an address that changes is another node. Nor does a node come back,
 * so that a reader who is at one finds his way on.
 */
static const struct rhashtable_params ovpn_vpn4_params = {
	.head_offset = offsetof(struct ovpn_peer_vpn, by_v4),
	.key_offset = offsetof(struct ovpn_peer_vpn, v4),
	.key_len = sizeof_field(struct ovpn_peer_vpn, v4),
	.automatic_shrinking = true,
};

static const struct rhashtable_params ovpn_vpn6_params = {
	.head_offset = offsetof(struct ovpn_peer_vpn, by_v6),
	.key_offset = offsetof(struct ovpn_peer_vpn, v6),
	.key_len = sizeof_field(struct ovpn_peer_vpn, v6),
	.automatic_shrinking = true,
};

/* Several peers may claim one transport address, as when a client restarts: the
 * table keeps all of them, and finds one. They have a list of their own, as a
 * hash table takes a long chain for an attack.
 */
static const struct rhashtable_params ovpn_remote_params = {
	.head_offset = offsetof(struct ovpn_peer_endpoint, by_remote),
	.key_offset = offsetof(struct ovpn_peer_endpoint, ep.remote),
	.key_len = sizeof_field(struct ovpn_peer_endpoint, ep.remote),
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
	ret = rhltable_init(&table->by_remote, &ovpn_remote_params);
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

	rhltable_destroy(&table->by_remote);
	rhashtable_destroy(&table->by_vpn6);
	rhashtable_destroy(&table->by_vpn4);
	xa_destroy(&table->by_id);
}
EXPORT_SYMBOL_IF_KUNIT(ovpn_peer_table_exit);

/* for those who hold the lock: nobody else replaces these */
static struct ovpn_peer_vpn *ovpn_vpn_locked(struct ovpn_peer *peer)
{
	return rcu_dereference_protected(peer->vpn,
					 lockdep_is_held(&peer->ovpn->lock));
}

static struct ovpn_peer_endpoint *ovpn_endpoint_locked(struct ovpn_peer *peer)
{
	return rcu_dereference_protected(peer->endpoint,
					 lockdep_is_held(&peer->ovpn->lock));
}

static int ovpn_hash_vpn4(struct ovpn_peer_table *table,
			  struct ovpn_peer_vpn *vpn)
{
	if (!vpn->v4)
		return 0;
	return rhashtable_lookup_insert_fast(&table->by_vpn4, &vpn->by_v4,
					     ovpn_vpn4_params);
}

static void ovpn_unhash_vpn4(struct ovpn_peer_table *table,
			     struct ovpn_peer_vpn *vpn)
{
	if (vpn->v4)
		rhashtable_remove_fast(&table->by_vpn4, &vpn->by_v4,
				       ovpn_vpn4_params);
}

static int ovpn_hash_vpn6(struct ovpn_peer_table *table,
			  struct ovpn_peer_vpn *vpn)
{
	if (ipv6_addr_any(&vpn->v6))
		return 0;
	return rhashtable_lookup_insert_fast(&table->by_vpn6, &vpn->by_v6,
					     ovpn_vpn6_params);
}

static void ovpn_unhash_vpn6(struct ovpn_peer_table *table,
			     struct ovpn_peer_vpn *vpn)
{
	if (!ipv6_addr_any(&vpn->v6))
		rhashtable_remove_fast(&table->by_vpn6, &vpn->by_v6,
				       ovpn_vpn6_params);
}

static int ovpn_hash_remote(struct ovpn_peer_table *table,
			    struct ovpn_peer_endpoint *endpoint)
{
	int ret;

	ret = rhltable_insert(&table->by_remote, &endpoint->by_remote,
			      ovpn_remote_params);
	endpoint->hashed = !ret;
	return ret;
}

static void ovpn_unhash_remote(struct ovpn_peer_table *table,
			       struct ovpn_peer_endpoint *endpoint)
{
	if (endpoint->hashed)
		rhltable_remove(&table->by_remote, &endpoint->by_remote,
				ovpn_remote_params);
	endpoint->hashed = false;
}

static int ovpn_peer_table_add_mp(struct ovpn_peer *peer)
{
	struct ovpn_peer_endpoint *endpoint = ovpn_endpoint_locked(peer);
	struct ovpn_peer_table *table = &peer->ovpn->table;
	struct ovpn_peer_vpn *vpn = ovpn_vpn_locked(peer);
	int ret;

	ret = xa_insert_bh(&table->by_id, peer->id, peer, GFP_ATOMIC);
	if (ret)
		return ret == -EBUSY ? -EEXIST : ret;

	ret = ovpn_hash_vpn4(table, vpn);
	if (ret)
		goto err_id;
	ret = ovpn_hash_vpn6(table, vpn);
	if (ret)
		goto err_vpn4;
	ret = endpoint ? ovpn_hash_remote(table, endpoint) : 0;
	if (ret)
		goto err_vpn6;
	return 0;

err_vpn6:
	ovpn_unhash_vpn6(table, vpn);
err_vpn4:
	ovpn_unhash_vpn4(table, vpn);
err_id:
	xa_erase_bh(&table->by_id, peer->id);
	return ret == -EEXIST ? -EADDRINUSE : ret;
}

static void ovpn_peer_table_remove_mp(struct ovpn_peer *peer)
{
	struct ovpn_peer_endpoint *endpoint = ovpn_endpoint_locked(peer);
	struct ovpn_peer_table *table = &peer->ovpn->table;
	struct ovpn_peer_vpn *vpn = ovpn_vpn_locked(peer);

	if (endpoint)
		ovpn_unhash_remote(table, endpoint);
	ovpn_unhash_vpn6(table, vpn);
	ovpn_unhash_vpn4(table, vpn);
	xa_erase_bh(&table->by_id, peer->id);
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

	if (ovpn_is_p2p(ovpn))
		RCU_INIT_POINTER(ovpn->table.single, NULL);
	else
		ovpn_peer_table_remove_mp(peer);
	peer->hashed = false;
	atomic_inc(&ovpn->table.generation);
}
EXPORT_SYMBOL_IF_KUNIT(ovpn_peer_table_remove);

/* packets find the peer by its addresses, too */
static bool ovpn_is_found(const struct ovpn_peer *peer)
{
	return peer->hashed && !ovpn_is_p2p(peer->ovpn);
}

/**
 * ovpn_peer_table_move - the peer is here from now on
 * @peer: a peer; one that has left the table stays out
 * @endpoint: where; owned by the peer from now on
 *
 * Meanwhile it is found where it was, or where it is: never nowhere.
 *
 * Context: &ovpn_priv.lock held.
 * Return: 0, or -ENOMEM: it has moved, but is not found by address until its
 * next move.
 */
int ovpn_peer_table_move(struct ovpn_peer *peer,
			 struct ovpn_peer_endpoint *endpoint)
{
	struct ovpn_peer_table *table = &peer->ovpn->table;
	struct ovpn_peer_endpoint *old;
	int ret = 0;

	lockdep_assert_held(&peer->ovpn->lock);

	if (ovpn_is_found(peer))
		ret = ovpn_hash_remote(table, endpoint);
	old = ovpn_peer_set_endpoint(peer, endpoint);
	if (old) {
		ovpn_unhash_remote(table, old);
		kfree_rcu(old, rcu);
	}
	return ret;
}
EXPORT_SYMBOL_IF_KUNIT(ovpn_peer_table_move);

/* is one of these addresses somebody else's? */
static bool ovpn_vpn_taken(struct ovpn_peer *peer,
			   const struct ovpn_peer_vpn *vpn)
{
	struct ovpn_peer *four = NULL, *six = NULL;
	bool taken;

	rcu_read_lock();
	if (vpn->v4)
		four = ovpn_peer_lookup_vpn4_rcu(peer->ovpn, vpn->v4);
	if (!ipv6_addr_any(&vpn->v6))
		six = ovpn_peer_lookup_vpn6_rcu(peer->ovpn, &vpn->v6);
	taken = (four && four != peer) || (six && six != peer);
	rcu_read_unlock();
	return taken;
}

/* what is new can be found; what is not stays with the old ones for now */
static int ovpn_vpn_enter(struct ovpn_peer_table *table,
			  struct ovpn_peer_vpn *old, struct ovpn_peer_vpn *new)
{
	bool other4 = new->v4 != old->v4;
	int ret = 0;

	if (other4)
		ret = ovpn_hash_vpn4(table, new);
	if (ret || ipv6_addr_equal(&new->v6, &old->v6))
		return ret;

	ret = ovpn_hash_vpn6(table, new);
	if (ret && other4)
		ovpn_unhash_vpn4(table, new);
	return ret;
}

/* what is old is not found any more; what has stayed changes hands */
static void ovpn_vpn_leave(struct ovpn_peer_table *table,
			   struct ovpn_peer_vpn *old, struct ovpn_peer_vpn *new)
{
	if (new->v4 != old->v4)
		ovpn_unhash_vpn4(table, old);
	else if (new->v4)
		rhashtable_replace_fast(&table->by_vpn4, &old->by_v4,
					&new->by_v4, ovpn_vpn4_params);

	if (!ipv6_addr_equal(&new->v6, &old->v6))
		ovpn_unhash_vpn6(table, old);
	else if (!ipv6_addr_any(&new->v6))
		rhashtable_replace_fast(&table->by_vpn6, &old->by_v6,
					&new->by_v6, ovpn_vpn6_params);
}

/**
 * ovpn_peer_table_set_vpn - the peer has new addresses inside the VPN
 * @peer: a peer, in the table or not
 * @vpn: the addresses; taken over, whatever is returned
 *
 * An address that stays is found at any time.
 *
 * Context: &ovpn_priv.lock held.
 * Return: 0; -EADDRINUSE or -ENOMEM: nothing has changed.
 */
int ovpn_peer_table_set_vpn(struct ovpn_peer *peer, struct ovpn_peer_vpn *vpn)
{
	struct ovpn_peer_vpn *old = ovpn_vpn_locked(peer), *unused = vpn;
	struct ovpn_peer_table *table = &peer->ovpn->table;
	int ret = 0;

	if (old->v4 == vpn->v4 && ipv6_addr_equal(&old->v6, &vpn->v6))
		goto out;

	if (ovpn_is_found(peer)) {
		ret = -EADDRINUSE;
		if (ovpn_vpn_taken(peer, vpn))
			goto out;
		ret = ovpn_vpn_enter(table, old, vpn);
		if (ret)
			goto out;
		ovpn_vpn_leave(table, old, vpn);
		atomic_inc(&table->generation);
	}
	rcu_assign_pointer(peer->vpn, vpn);
	unused = old;

out:
	/* a reader may have met it, even one that found no room */
	kfree_rcu(unused, rcu);
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
	struct ovpn_peer_vpn *vpn;

	if (ovpn_is_p2p(ovpn))
		return rcu_dereference(ovpn->table.single);
	vpn = rhashtable_lookup(&ovpn->table.by_vpn4, &addr, ovpn_vpn4_params);
	return vpn ? vpn->peer : NULL;
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
	struct ovpn_peer_vpn *vpn;

	if (ovpn_is_p2p(ovpn))
		return rcu_dereference(ovpn->table.single);
	vpn = rhashtable_lookup(&ovpn->table.by_vpn6, addr, ovpn_vpn6_params);
	return vpn ? vpn->peer : NULL;
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
		list = rhltable_lookup(&ovpn->table.by_remote, remote,
				       ovpn_remote_params);
		return list ? container_of(list, struct ovpn_peer_endpoint,
					   by_remote)->peer : NULL;
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
