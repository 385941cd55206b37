// SPDX-License-Identifier: GPL-2.0-only
/* OpenVPN data channel offload: tests of peer tables that have no room
 *
 * A hash table that may hold one entry only says what one would say that gets
 * no memory.
 */

#include "../peer_table.h"

#include <kunit/test.h>
#include <linux/in6.h>

#include "../ovpn.h"
#include "../peer.h"
#include "table_rig.h"

/* a peer at port n that has not joined */
static struct ovpn_peer *full_peer(struct kunit *test, struct ovpn_priv *ovpn,
				   u32 n)
{
	struct ovpn_peer *peer = table_bare_peer(test, ovpn, n);

	table_move(test, peer, table_at_v4(n));
	return peer;
}

/* who is found by that address, or port? */
static void full_expect4(struct kunit *test, struct ovpn_priv *ovpn, u32 n,
			 struct ovpn_peer *peer)
{
	KUNIT_EXPECT_PTR_EQ(test, table_by_vpn4(ovpn, VPN4(n)), peer);
}

static void full_expect6(struct kunit *test, struct ovpn_priv *ovpn, u32 n,
			 struct ovpn_peer *peer)
{
	KUNIT_EXPECT_PTR_EQ(test, table_by_vpn6(ovpn, table_vpn6(n)), peer);
}

static void full_expect_at(struct kunit *test, struct ovpn_priv *ovpn,
			   u16 port, struct ovpn_peer *peer)
{
	KUNIT_EXPECT_PTR_EQ(test, table_by_remote(ovpn, table_at_v4(port)),
			    peer);
}

/* who finds no room leaves no trace, and is welcome later */
static void full_add_test(struct kunit *test)
{
	struct ovpn_priv *ovpn = table_new(test, OVPN_MODE_MP);
	struct rhashtable *at = &ovpn->table.by_remote.ht;
	struct ovpn_peer *one = full_peer(test, ovpn, 1);
	struct ovpn_peer *two = full_peer(test, ovpn, 2);
	struct in6_addr six2 = table_vpn6(2);
	unsigned int room = at->max_elems;

	KUNIT_ASSERT_EQ(test, table_add(one), 0);
	KUNIT_ASSERT_EQ(test, table_set_vpn(two, VPN4(2), &six2), 0);
	at->max_elems = 1;
	KUNIT_EXPECT_LT(test, table_add(two), 0);
	KUNIT_EXPECT_FALSE(test, two->hashed);
	KUNIT_EXPECT_NULL(test, table_by_id(ovpn, 2));
	full_expect4(test, ovpn, 2, NULL);
	full_expect6(test, ovpn, 2, NULL);
	full_expect_at(test, ovpn, 2, NULL);
	full_expect_at(test, ovpn, 1, one);

	at->max_elems = room;
	KUNIT_EXPECT_EQ(test, table_add(two), 0);
	full_expect4(test, ovpn, 2, two);
	full_expect6(test, ovpn, 2, two);
	full_expect_at(test, ovpn, 2, two);
}

/* who moves to where there is no room is lost by address until the next move */
static void full_move_test(struct kunit *test)
{
	struct ovpn_priv *ovpn = table_new(test, OVPN_MODE_MP);
	struct rhashtable *at = &ovpn->table.by_remote.ht;
	struct ovpn_peer *one = full_peer(test, ovpn, 1);
	struct ovpn_peer *two = full_peer(test, ovpn, 2);
	unsigned int room = at->max_elems;

	KUNIT_ASSERT_EQ(test, table_add(one), 0);
	KUNIT_ASSERT_EQ(test, table_add(two), 0);
	at->max_elems = 1;
	KUNIT_EXPECT_LT(test, table_move(test, one, table_at_v4(3)), 0);
	full_expect_at(test, ovpn, 1, NULL);
	full_expect_at(test, ovpn, 3, NULL);
	full_expect_at(test, ovpn, 2, two);

	at->max_elems = room;
	KUNIT_EXPECT_EQ(test, table_move(test, one, table_at_v4(4)), 0);
	full_expect_at(test, ovpn, 4, one);
}

/* new addresses of which one finds no room: the old ones stay */
static void full_vpn_test(struct kunit *test)
{
	struct in6_addr six2 = table_vpn6(2), six8 = table_vpn6(8);
	struct ovpn_priv *ovpn = table_new(test, OVPN_MODE_MP);
	struct ovpn_peer *four = full_peer(test, ovpn, 1);
	struct ovpn_peer *six = full_peer(test, ovpn, 2);
	struct rhashtable *by4 = &ovpn->table.by_vpn4;
	struct rhashtable *by6 = &ovpn->table.by_vpn6;
	unsigned int room = by6->max_elems;

	table_set_vpn(four, VPN4(1), &in6addr_any);
	table_set_vpn(six, 0, &six2);
	KUNIT_ASSERT_EQ(test, table_add(four), 0);
	KUNIT_ASSERT_EQ(test, table_add(six), 0);

	by6->max_elems = 1;
	KUNIT_EXPECT_LT(test, table_set_vpn(four, VPN4(8), &six8), 0);
	full_expect4(test, ovpn, 1, four);
	full_expect4(test, ovpn, 8, NULL);
	full_expect6(test, ovpn, 8, NULL);

	by6->max_elems = room;
	by4->max_elems = 1;
	KUNIT_EXPECT_LT(test, table_set_vpn(six, VPN4(8), &six8), 0);
	full_expect6(test, ovpn, 2, six);
	full_expect6(test, ovpn, 8, NULL);
	full_expect4(test, ovpn, 8, NULL);

	/* what stays has its room */
	KUNIT_EXPECT_EQ(test, table_set_vpn(four, VPN4(1), &six8), 0);
	full_expect4(test, ovpn, 1, four);
	full_expect6(test, ovpn, 8, four);

	by4->max_elems = room;
	KUNIT_EXPECT_EQ(test, table_set_vpn(four, VPN4(8), &six8), 0);
	full_expect4(test, ovpn, 8, four);
	full_expect6(test, ovpn, 8, four);
}

static struct kunit_case full_cases[] = {
	KUNIT_CASE(full_add_test),
	KUNIT_CASE(full_move_test),
	KUNIT_CASE(full_vpn_test),
	{}
};

static struct kunit_suite full_suite = {
	.name = "ovpn_peer_table_full",
	.test_cases = full_cases,
};

kunit_test_suite(full_suite);
