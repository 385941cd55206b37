// SPDX-License-Identifier: GPL-2.0-only
/* OpenVPN data channel offload: what tests of the peers of a device need */

#include "table_rig.h"

#include <linux/in6.h>
#include <linux/rcupdate.h>
#include <linux/timer.h>

#include "../ovpn.h"
#include "../peer.h"

/**
 * table_vpn6 - address of a peer in the VPN
 * @n: which peer
 *
 * Return: the address.
 */
struct in6_addr table_vpn6(u32 n)
{
	struct in6_addr addr = { .s6_addr = { 0xfd, 0x00 } };

	addr.s6_addr32[3] = cpu_to_be32(n);
	return addr;
}

/**
 * table_at_v4 - where somebody is, over IPv4
 * @port: the port; the address is always the same
 *
 * Return: the endpoint.
 */
struct ovpn_endpoint table_at_v4(u16 port)
{
	struct ovpn_endpoint ep;

	ovpn_endpoint_set_v4(&ep, cpu_to_be32(0xc0000201), htons(port));
	return ep;
}

/**
 * table_at_v6 - where somebody is, over IPv6
 * @port: the port; the address is always the same
 *
 * Return: the endpoint.
 */
struct ovpn_endpoint table_at_v6(u16 port)
{
	static const struct in6_addr addr = {
		.s6_addr = { 0x20, 0x01, 0x0d, 0xb8, [15] = 1 },
	};
	struct ovpn_endpoint ep;

	ovpn_endpoint_set_v6(&ep, &addr, 0, htons(port));
	return ep;
}

static void table_release(void *arg)
{
	struct ovpn_priv *ovpn = arg;

	ovpn_peer_table_exit(ovpn);
	/* peers are freed by code that the tests may be about to unload */
	rcu_barrier();
}

/**
 * table_new - a device without a net_device
 * @test: the test, with which it ends
 * @mode: P2P or MP
 *
 * Return: the device.
 */
struct ovpn_priv *table_new(struct kunit *test, enum ovpn_mode mode)
{
	struct ovpn_priv *ovpn = kunit_kzalloc(test, sizeof(*ovpn), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, ovpn);
	ovpn->mode = mode;
	spin_lock_init(&ovpn->lock);
	KUNIT_ASSERT_EQ(test, ovpn_peer_table_init(ovpn), 0);
	KUNIT_ASSERT_EQ(test, 0,
			kunit_add_action_or_reset(test, table_release, ovpn));
	return ovpn;
}

/**
 * table_add - ovpn_peer_table_add() with the lock
 * @peer: who joins
 *
 * Return: what that returns.
 */
int table_add(struct ovpn_peer *peer)
{
	int ret;

	spin_lock_bh(&peer->ovpn->lock);
	ret = ovpn_peer_table_add(peer);
	spin_unlock_bh(&peer->ovpn->lock);
	return ret;
}

/**
 * table_remove - ovpn_peer_table_remove() with the lock
 * @peer: who leaves, if it is there
 */
void table_remove(struct ovpn_peer *peer)
{
	spin_lock_bh(&peer->ovpn->lock);
	if (peer->hashed)
		ovpn_peer_table_remove(peer);
	spin_unlock_bh(&peer->ovpn->lock);
}

/**
 * table_set_vpn - ovpn_peer_table_set_vpn(), memory and lock included
 * @peer: whose addresses
 * @vpn4: IPv4
 * @vpn6: IPv6
 *
 * Return: what that returns, or -ENOMEM.
 */
int table_set_vpn(struct ovpn_peer *peer, __be32 vpn4,
		  const struct in6_addr *vpn6)
{
	struct ovpn_peer_vpn *vpn;
	int ret;

	vpn = ovpn_peer_vpn_new(peer, vpn4, vpn6, GFP_KERNEL);
	if (!vpn)
		return -ENOMEM;

	spin_lock_bh(&peer->ovpn->lock);
	ret = ovpn_peer_table_set_vpn(peer, vpn);
	spin_unlock_bh(&peer->ovpn->lock);
	return ret;
}

/**
 * table_move - ovpn_peer_table_move() with the lock
 * @test: the test
 * @peer: who has moved
 * @ep: where to
 *
 * Return: what that returns.
 */
int table_move(struct kunit *test, struct ovpn_peer *peer,
	       struct ovpn_endpoint ep)
{
	struct ovpn_peer_endpoint *endpoint;
	int ret;

	endpoint = ovpn_peer_endpoint_new(peer, &ep, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, endpoint);
	spin_lock_bh(&peer->ovpn->lock);
	ret = ovpn_peer_table_move(peer, endpoint);
	spin_unlock_bh(&peer->ovpn->lock);
	return ret;
}

static void table_timer(struct timer_list *timer)
{
}

static void table_peer_release(void *arg)
{
	struct ovpn_peer *peer = arg;

	table_remove(peer);
	ovpn_peer_put(peer);
}

/**
 * table_bare_peer - a peer that has nothing but its id
 * @test: the test, with which it leaves
 * @ovpn: the device
 * @id: of the peer
 *
 * Return: the peer, which has not joined.
 */
struct ovpn_peer *table_bare_peer(struct kunit *test, struct ovpn_priv *ovpn,
				  u32 id)
{
	struct ovpn_peer *peer = ovpn_peer_new(ovpn, id, table_timer);

	KUNIT_ASSERT_NOT_NULL(test, peer);
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test,
							   table_peer_release,
							   peer));
	return peer;
}

/**
 * table_peer - a peer with all that others find it by
 * @test: the test, with which it leaves
 * @ovpn: the device
 * @n: which one
 *
 * Return: the peer, which has not joined.
 */
struct ovpn_peer *table_peer(struct kunit *test, struct ovpn_priv *ovpn, u32 n)
{
	struct ovpn_peer *peer = table_bare_peer(test, ovpn, n);
	struct in6_addr vpn6 = table_vpn6(n);

	KUNIT_ASSERT_EQ(test, table_set_vpn(peer, VPN4(n), &vpn6), 0);
	table_move(test, peer,
		   n % 2 ? table_at_v6(PORT(n)) : table_at_v4(PORT(n)));
	return peer;
}

/**
 * table_joined_peer - a peer that has joined
 * @test: the test, with which it leaves
 * @ovpn: the device
 * @n: which one
 *
 * Return: the peer.
 */
struct ovpn_peer *table_joined_peer(struct kunit *test, struct ovpn_priv *ovpn,
				    u32 n)
{
	struct ovpn_peer *peer = table_peer(test, ovpn, n);

	KUNIT_ASSERT_EQ(test, table_add(peer), 0);
	return peer;
}

/**
 * table_by_vpn6 - whose address is that?
 * @ovpn: the device
 * @addr: the address in the VPN
 *
 * Return: the peer, or NULL.
 */
struct ovpn_peer *table_by_vpn6(struct ovpn_priv *ovpn, struct in6_addr addr)
{
	return TABLE_LOOKUP(ovpn_peer_lookup_vpn6_rcu(ovpn, &addr));
}

/**
 * table_by_remote - who is there?
 * @ovpn: the device
 * @ep: the endpoint
 *
 * Return: the peer, or NULL.
 */
struct ovpn_peer *table_by_remote(struct ovpn_priv *ovpn,
				  struct ovpn_endpoint ep)
{
	return TABLE_LOOKUP(ovpn_peer_lookup_endpoint_rcu(ovpn, &ep.remote));
}
