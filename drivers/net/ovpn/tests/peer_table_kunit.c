// SPDX-License-Identifier: GPL-2.0-only
/* OpenVPN data channel offload: tests of the peers of a device */

#include "../peer_table.h"

#include <kunit/test.h>
#include <linux/in6.h>
#include <linux/rcupdate.h>
#include <linux/string.h>

#include "../ovpn.h"
#include "../peer.h"
#include "../proto.h"
#include "table_rig.h"

/* all that leads to peer n leads to @peer, be it NULL */
static void table_expect(struct kunit *test, struct ovpn_priv *ovpn, u32 n,
			 struct ovpn_peer *peer)
{
	struct ovpn_endpoint ep;

	ep = n % 2 ? table_at_v6(PORT(n)) : table_at_v4(PORT(n));
	KUNIT_EXPECT_PTR_EQ(test, table_by_id(ovpn, n), peer);
	KUNIT_EXPECT_PTR_EQ(test, table_by_vpn4(ovpn, VPN4(n)), peer);
	KUNIT_EXPECT_PTR_EQ(test, table_by_vpn6(ovpn, table_vpn6(n)), peer);
	KUNIT_EXPECT_PTR_EQ(test, table_by_remote(ovpn, ep), peer);
}

static void table_mp_add_test(struct kunit *test)
{
	struct ovpn_priv *ovpn = table_new(test, OVPN_MODE_MP);
	struct ovpn_peer *one, *two, *last;
	unsigned long id = 0;

	table_expect(test, ovpn, 1, NULL);
	KUNIT_EXPECT_NULL(test, table_next(ovpn, &id));

	one = table_joined_peer(test, ovpn, 1);
	table_expect(test, ovpn, 1, one);
	two = table_joined_peer(test, ovpn, 2);
	last = table_bare_peer(test, ovpn, OVPN_PEER_ID_UNDEF - 1);
	KUNIT_EXPECT_EQ(test, table_add(last), 0);
	table_expect(test, ovpn, 1, one);
	table_expect(test, ovpn, 2, two);
	table_expect(test, ovpn, 3, NULL);
	KUNIT_EXPECT_PTR_EQ(test, last,
			    table_by_id(ovpn, OVPN_PEER_ID_UNDEF - 1));
	KUNIT_EXPECT_NULL(test, table_by_id(ovpn, OVPN_PEER_ID_UNDEF));
}

/* a peer without addresses is not found by addresses that are none */
static void table_mp_bare_test(struct kunit *test)
{
	struct ovpn_priv *ovpn = table_new(test, OVPN_MODE_MP);
	struct ovpn_peer *zero = table_bare_peer(test, ovpn, 0);
	struct ovpn_peer *one = table_bare_peer(test, ovpn, 1);
	struct ovpn_endpoint nowhere = {};

	KUNIT_EXPECT_EQ(test, table_add(zero), 0);
	KUNIT_EXPECT_EQ(test, table_add(one), 0);
	KUNIT_EXPECT_PTR_EQ(test, table_by_id(ovpn, 0), zero);
	KUNIT_EXPECT_PTR_EQ(test, table_by_id(ovpn, 1), one);
	KUNIT_EXPECT_NULL(test, table_by_vpn4(ovpn, 0));
	KUNIT_EXPECT_NULL(test, table_by_vpn6(ovpn, in6addr_any));
	KUNIT_EXPECT_NULL(test, table_by_remote(ovpn, nowhere));
}

/* who is refused leaves no trace, and whoever was there does not notice */
static void table_mp_duplicate_test(struct kunit *test)
{
	struct ovpn_priv *ovpn = table_new(test, OVPN_MODE_MP);
	struct ovpn_peer *one = table_joined_peer(test, ovpn, 1);
	struct ovpn_peer *id = table_peer(test, ovpn, 2);
	struct ovpn_peer *four = table_peer(test, ovpn, 4);
	struct ovpn_peer *six = table_peer(test, ovpn, 6);
	struct in6_addr six1 = table_vpn6(1);
	struct in6_addr six4 = table_vpn6(4);
	struct in6_addr six6 = table_vpn6(6);

	id->id = 1;
	KUNIT_EXPECT_EQ(test, table_add(id), -EEXIST);
	KUNIT_EXPECT_FALSE(test, id->hashed);
	table_expect(test, ovpn, 1, one);
	table_expect(test, ovpn, 2, NULL);

	table_set_vpn(four, VPN4(1), &six4);
	KUNIT_EXPECT_EQ(test, table_add(four), -EADDRINUSE);
	KUNIT_EXPECT_FALSE(test, four->hashed);
	table_expect(test, ovpn, 1, one);
	table_expect(test, ovpn, 4, NULL);

	table_set_vpn(six, VPN4(6), &six1);
	KUNIT_EXPECT_EQ(test, table_add(six), -EADDRINUSE);
	KUNIT_EXPECT_FALSE(test, six->hashed);
	table_expect(test, ovpn, 1, one);
	table_expect(test, ovpn, 6, NULL);

	/* with what is its own each of them is welcome */
	id->id = 2;
	table_set_vpn(four, VPN4(4), &six4);
	table_set_vpn(six, VPN4(6), &six6);
	KUNIT_EXPECT_EQ(test, table_add(id), 0);
	KUNIT_EXPECT_EQ(test, table_add(four), 0);
	KUNIT_EXPECT_EQ(test, table_add(six), 0);
	table_expect(test, ovpn, 1, one);
	table_expect(test, ovpn, 2, id);
	table_expect(test, ovpn, 4, four);
	table_expect(test, ovpn, 6, six);
}

/* at one transport address, as after restarts: more than a hash chain takes */
static void table_mp_same_remote_test(struct kunit *test)
{
	struct ovpn_priv *ovpn = table_new(test, OVPN_MODE_MP);
	struct ovpn_endpoint ep = table_at_v4(7), far = table_at_v4(9);
	struct ovpn_peer *peers[100];
	int i, last = ARRAY_SIZE(peers) - 1;

	for (i = 0; i <= last; i++) {
		peers[i] = table_peer(test, ovpn, i);
		table_move(test, peers[i], ep);
		KUNIT_EXPECT_EQ(test, table_add(peers[i]), 0);
	}
	for (i = 0; i < last; i++) {
		KUNIT_EXPECT_NOT_NULL(test, table_by_remote(ovpn, ep));
		table_move(test, peers[i], far);
		KUNIT_EXPECT_NOT_NULL(test, table_by_remote(ovpn, far));
	}
	KUNIT_EXPECT_PTR_EQ(test, table_by_remote(ovpn, ep), peers[last]);
	table_remove(peers[last]);
	KUNIT_EXPECT_NULL(test, table_by_remote(ovpn, ep));
}

static void table_mp_remove_test(struct kunit *test)
{
	struct ovpn_priv *ovpn = table_new(test, OVPN_MODE_MP);
	struct ovpn_peer *one = table_joined_peer(test, ovpn, 1);
	struct ovpn_peer *two = table_joined_peer(test, ovpn, 2);
	struct ovpn_peer *again;

	KUNIT_EXPECT_TRUE(test, one->hashed);
	table_remove(one);
	KUNIT_EXPECT_FALSE(test, one->hashed);
	table_expect(test, ovpn, 1, NULL);
	table_expect(test, ovpn, 2, two);

	/* all that was its own is free for another */
	again = table_joined_peer(test, ovpn, 1);
	table_expect(test, ovpn, 1, again);
	table_remove(two);
	table_remove(again);
	table_expect(test, ovpn, 1, NULL);
	table_expect(test, ovpn, 2, NULL);
}

static void table_mp_rehash_test(struct kunit *test)
{
	struct ovpn_priv *ovpn = table_new(test, OVPN_MODE_MP);
	struct ovpn_peer *peer = table_joined_peer(test, ovpn, 2);
	struct ovpn_peer *bare = table_bare_peer(test, ovpn, 3);
	struct ovpn_endpoint v4 = table_at_v4(7), v6 = table_at_v6(7);

	/* nobody knew where it is, until it said so */
	KUNIT_EXPECT_EQ(test, table_add(bare), 0);
	table_move(test, bare, table_at_v6(8));
	KUNIT_EXPECT_PTR_EQ(test, table_by_remote(ovpn, table_at_v6(8)), bare);

	table_move(test, peer, v4);
	KUNIT_EXPECT_PTR_EQ(test, table_by_remote(ovpn, v4), peer);
	KUNIT_EXPECT_NULL(test, table_by_remote(ovpn, table_at_v4(PORT(2))));

	table_move(test, peer, v6);
	KUNIT_EXPECT_PTR_EQ(test, table_by_remote(ovpn, v6), peer);
	KUNIT_EXPECT_NULL(test, table_by_remote(ovpn, v4));

	table_move(test, peer, table_at_v4(PORT(2)));
	KUNIT_EXPECT_NULL(test, table_by_remote(ovpn, v6));
	table_expect(test, ovpn, 2, peer);

	/* who has left does not come back by moving */
	table_remove(peer);
	table_move(test, peer, v4);
	KUNIT_EXPECT_NULL(test, table_by_remote(ovpn, v4));
	KUNIT_EXPECT_FALSE(test, peer->hashed);
}

static void table_mp_set_vpn_test(struct kunit *test)
{
	struct ovpn_priv *ovpn = table_new(test, OVPN_MODE_MP);
	struct ovpn_peer *one = table_joined_peer(test, ovpn, 1);
	struct in6_addr six9 = table_vpn6(9), six1 = table_vpn6(1);

	KUNIT_EXPECT_EQ(test, table_set_vpn(one, VPN4(9), &six9), 0);
	KUNIT_EXPECT_PTR_EQ(test, table_by_vpn4(ovpn, VPN4(9)), one);
	KUNIT_EXPECT_PTR_EQ(test, table_by_vpn6(ovpn, six9), one);
	KUNIT_EXPECT_NULL(test, table_by_vpn4(ovpn, VPN4(1)));
	KUNIT_EXPECT_NULL(test, table_by_vpn6(ovpn, six1));

	/* one that changes, one that stays, either way round */
	KUNIT_EXPECT_EQ(test, table_set_vpn(one, VPN4(9), &six1), 0);
	KUNIT_EXPECT_EQ(test, table_set_vpn(one, VPN4(9), &six9), 0);
	KUNIT_EXPECT_EQ(test, table_set_vpn(one, VPN4(1), &six9), 0);
	KUNIT_EXPECT_PTR_EQ(test, table_by_vpn4(ovpn, VPN4(1)), one);
	KUNIT_EXPECT_PTR_EQ(test, table_by_vpn6(ovpn, six9), one);

	KUNIT_EXPECT_EQ(test, table_set_vpn(one, 0, &in6addr_any), 0);
	KUNIT_EXPECT_NULL(test, table_by_vpn4(ovpn, VPN4(1)));
	KUNIT_EXPECT_NULL(test, table_by_vpn4(ovpn, 0));
	KUNIT_EXPECT_NULL(test, table_by_vpn6(ovpn, six9));
	KUNIT_EXPECT_NULL(test, table_by_vpn6(ovpn, in6addr_any));

	KUNIT_EXPECT_EQ(test, table_set_vpn(one, VPN4(1), &six1), 0);
	table_expect(test, ovpn, 1, one);

	/* who is not in the table does not enter it by the back door */
	table_remove(one);
	KUNIT_EXPECT_EQ(test, table_set_vpn(one, VPN4(9), &six9), 0);
	KUNIT_EXPECT_NULL(test, table_by_vpn4(ovpn, VPN4(9)));
	KUNIT_EXPECT_EQ(test, table_add(one), 0);
	KUNIT_EXPECT_PTR_EQ(test, table_by_vpn4(ovpn, VPN4(9)), one);
	KUNIT_EXPECT_PTR_EQ(test, table_by_vpn6(ovpn, six9), one);
}

static void table_mp_set_vpn_taken_test(struct kunit *test)
{
	struct ovpn_priv *ovpn = table_new(test, OVPN_MODE_MP);
	struct ovpn_peer *one = table_joined_peer(test, ovpn, 1);
	struct ovpn_peer *two = table_joined_peer(test, ovpn, 2);
	struct in6_addr six9 = table_vpn6(9), six2 = table_vpn6(2);

	/* whichever of the two is taken, both stay as they were */
	KUNIT_EXPECT_EQ(test, table_set_vpn(one, VPN4(2), &six9), -EADDRINUSE);
	KUNIT_EXPECT_EQ(test, table_set_vpn(one, VPN4(9), &six2), -EADDRINUSE);
	KUNIT_EXPECT_EQ(test, table_set_vpn(one, VPN4(2), &six2), -EADDRINUSE);
	table_expect(test, ovpn, 1, one);
	table_expect(test, ovpn, 2, two);
	table_expect(test, ovpn, 9, NULL);
}

/* cached verdicts are void when an address changes hands */
static void table_mp_generation_test(struct kunit *test)
{
	struct ovpn_priv *ovpn = table_new(test, OVPN_MODE_MP);
	int before = atomic_read(&ovpn->table.generation);
	struct ovpn_peer *peer = table_joined_peer(test, ovpn, 1);
	int now = atomic_read(&ovpn->table.generation);

	KUNIT_EXPECT_NE(test, now, before);
	before = now;
	KUNIT_EXPECT_EQ(test, table_set_vpn(peer, VPN4(2), &in6addr_any), 0);
	now = atomic_read(&ovpn->table.generation);
	KUNIT_EXPECT_NE(test, now, before);
	before = now;
	table_remove(peer);
	KUNIT_EXPECT_NE(test, atomic_read(&ovpn->table.generation), before);
}

static void table_mp_walk_test(struct kunit *test)
{
	static const u32 ids[] = { 0, 1, 64, 65, 4096, OVPN_PEER_ID_UNDEF - 1 };
	struct ovpn_priv *ovpn = table_new(test, OVPN_MODE_MP);
	struct ovpn_peer *peers[ARRAY_SIZE(ids)];
	unsigned long id = 0;
	int i;

	for (i = ARRAY_SIZE(ids) - 1; i >= 0; i--) {
		peers[i] = table_bare_peer(test, ovpn, ids[i]);
		KUNIT_ASSERT_EQ(test, table_add(peers[i]), 0);
	}

	for (i = 0; i < ARRAY_SIZE(ids); i++) {
		KUNIT_EXPECT_PTR_EQ(test, table_next(ovpn, &id), peers[i]);
		KUNIT_EXPECT_EQ(test, id, ids[i]);
		id++;
	}
	KUNIT_EXPECT_NULL(test, table_next(ovpn, &id));

	/* go on in the middle, though that peer has gone meanwhile */
	table_remove(peers[2]);
	id = ids[2];
	KUNIT_EXPECT_PTR_EQ(test, table_next(ovpn, &id), peers[3]);
	KUNIT_EXPECT_EQ(test, id, ids[3]);
}

static void table_expect_held(struct kunit *test, struct ovpn_priv *ovpn,
			      struct ovpn_peer *peer)
{
	KUNIT_EXPECT_PTR_EQ(test, ovpn_peer_get_by_id(ovpn, peer->id), peer);
	KUNIT_ASSERT_EQ(test, refcount_read(&peer->refcount), 2);
	ovpn_peer_put(peer);
	KUNIT_EXPECT_EQ(test, refcount_read(&peer->refcount), 1);

	/* it is found, but on its way out */
	refcount_set(&peer->refcount, 0);
	KUNIT_EXPECT_NULL(test, ovpn_peer_get_by_id(ovpn, peer->id));
	refcount_set(&peer->refcount, 1);

	/* a borrowed pointer counts nothing */
	KUNIT_EXPECT_PTR_EQ(test, table_by_id(ovpn, peer->id), peer);
	KUNIT_EXPECT_EQ(test, refcount_read(&peer->refcount), 1);
}

static void table_get_test(struct kunit *test)
{
	struct ovpn_priv *mp = table_new(test, OVPN_MODE_MP);
	struct ovpn_priv *p2p = table_new(test, OVPN_MODE_P2P);

	table_expect_held(test, mp, table_joined_peer(test, mp, 1));
	table_expect_held(test, p2p, table_joined_peer(test, p2p, 1));
}

#define TABLE_MANY	5000

/* the table grows and shrinks, and forgets nobody */
static void table_mp_many_test(struct kunit *test)
{
	struct ovpn_priv *ovpn = table_new(test, OVPN_MODE_MP);
	struct ovpn_peer **peers;
	unsigned long id = 0;
	u32 n;

	peers = kunit_kcalloc(test, TABLE_MANY, sizeof(*peers), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, peers);

	for (n = 0; n < TABLE_MANY; n++)
		peers[n] = table_joined_peer(test, ovpn, n);
	for (n = 0; n < TABLE_MANY; n++)
		table_expect(test, ovpn, n, peers[n]);

	for (n = 0; n < TABLE_MANY; n += 2)
		table_remove(peers[n]);
	for (n = 0; n < TABLE_MANY; n++)
		table_expect(test, ovpn, n, n % 2 ? peers[n] : NULL);

	for (n = 1; n < TABLE_MANY; n += 2)
		table_remove(peers[n]);
	for (n = 0; n < TABLE_MANY; n++)
		table_expect(test, ovpn, n, NULL);
	KUNIT_EXPECT_NULL(test, table_next(ovpn, &id));
}

/* there is one peer, and all traffic is his */
static void table_p2p_test(struct kunit *test)
{
	struct ovpn_priv *ovpn = table_new(test, OVPN_MODE_P2P);
	struct in6_addr six9 = table_vpn6(9);
	struct ovpn_peer *one, *two;
	unsigned long id = 0;

	table_expect(test, ovpn, 1, NULL);
	KUNIT_EXPECT_NULL(test, table_next(ovpn, &id));
	one = table_joined_peer(test, ovpn, 1);
	table_expect(test, ovpn, 1, one);
	KUNIT_EXPECT_NULL(test, table_by_id(ovpn, 2));
	KUNIT_EXPECT_PTR_EQ(test, table_by_vpn4(ovpn, VPN4(2)), one);
	KUNIT_EXPECT_PTR_EQ(test, table_by_vpn4(ovpn, 0), one);
	KUNIT_EXPECT_PTR_EQ(test, table_by_vpn6(ovpn, six9), one);
	KUNIT_EXPECT_NULL(test, table_by_remote(ovpn, table_at_v4(PORT(2))));
	KUNIT_EXPECT_PTR_EQ(test, table_next(ovpn, &id), one);
	KUNIT_EXPECT_EQ(test, id++, 1);
	KUNIT_EXPECT_NULL(test, table_next(ovpn, &id));

	/* no second one, whatever its id */
	two = table_peer(test, ovpn, 2);
	KUNIT_EXPECT_EQ(test, table_add(two), -EEXIST);
	KUNIT_EXPECT_FALSE(test, two->hashed);
	table_expect(test, ovpn, 1, one);

	KUNIT_EXPECT_EQ(test, table_set_vpn(one, VPN4(9), &six9), 0);
	rcu_read_lock();
	KUNIT_EXPECT_TRUE(test, rcu_dereference(one->vpn)->v4 == VPN4(9));
	rcu_read_unlock();
	table_remove(one);
	table_expect(test, ovpn, 1, NULL);
	KUNIT_EXPECT_EQ(test, table_add(two), 0);
	table_expect(test, ovpn, 2, two);
}

static void table_p2p_endpoint_test(struct kunit *test)
{
	struct ovpn_priv *ovpn = table_new(test, OVPN_MODE_P2P);
	struct ovpn_peer *peer = table_bare_peer(test, ovpn, 1);
	struct ovpn_endpoint v4 = table_at_v4(7), v6 = table_at_v6(7);
	struct ovpn_endpoint nowhere = {};

	KUNIT_EXPECT_EQ(test, table_add(peer), 0);
	KUNIT_EXPECT_NULL(test, table_by_remote(ovpn, v4));
	KUNIT_EXPECT_NULL(test, table_by_remote(ovpn, nowhere));
	table_move(test, peer, v4);
	KUNIT_EXPECT_PTR_EQ(test, table_by_remote(ovpn, v4), peer);
	table_move(test, peer, v6);
	KUNIT_EXPECT_NULL(test, table_by_remote(ovpn, v4));
	KUNIT_EXPECT_PTR_EQ(test, table_by_remote(ovpn, v6), peer);
}

static struct kunit_case table_cases[] = {
	KUNIT_CASE(table_mp_add_test),
	KUNIT_CASE(table_mp_bare_test),
	KUNIT_CASE(table_mp_duplicate_test),
	KUNIT_CASE(table_mp_same_remote_test),
	KUNIT_CASE(table_mp_remove_test),
	KUNIT_CASE(table_mp_rehash_test),
	KUNIT_CASE(table_mp_set_vpn_test),
	KUNIT_CASE(table_mp_set_vpn_taken_test),
	KUNIT_CASE(table_mp_generation_test),
	KUNIT_CASE(table_mp_walk_test),
	KUNIT_CASE(table_get_test),
	KUNIT_CASE(table_mp_many_test),
	KUNIT_CASE(table_p2p_test),
	KUNIT_CASE(table_p2p_endpoint_test),
	{}
};

static struct kunit_suite table_suite = {
	.name = "ovpn_peer_table",
	.test_cases = table_cases,
};

kunit_test_suite(table_suite);
