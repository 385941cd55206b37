// SPDX-License-Identifier: GPL-2.0-only
/* OpenVPN data channel offload: tests of peer tables that have no room
 *
 * A hash table that may hold one entry only says what one would say that gets
 * no memory.
 */

#include "../peer_table.h"

#include <kunit/test.h>
#include <linux/in6.h>
#include <linux/rcupdate.h>
#include <linux/timer.h>

#include "../ovpn.h"
#include "../peer.h"

/* the IPv4 address of peer n inside the VPN */
#define VPN4(n)		cpu_to_be32(0x0a080000 + (n))

static struct in6_addr full_vpn6(u32 n)
{
	struct in6_addr addr = { .s6_addr = { 0xfd, 0x00 } };

	addr.s6_addr32[3] = cpu_to_be32(n);
	return addr;
}

static struct ovpn_endpoint full_at(u16 port)
{
	struct ovpn_endpoint ep;

	ovpn_endpoint_set_v4(&ep, cpu_to_be32(0xc0000201), htons(port));
	return ep;
}

static void full_release(void *arg)
{
	ovpn_peer_table_exit(arg);
	/* peers are freed by code that the tests may be about to unload */
	rcu_barrier();
}

/* a multi-peer device without a net_device */
static struct ovpn_priv *full_new(struct kunit *test)
{
	struct ovpn_priv *ovpn = kunit_kzalloc(test, sizeof(*ovpn), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, ovpn);
	ovpn->mode = OVPN_MODE_MP;
	spin_lock_init(&ovpn->lock);
	KUNIT_ASSERT_EQ(test, ovpn_peer_table_init(ovpn), 0);
	KUNIT_ASSERT_EQ(test, 0,
			kunit_add_action_or_reset(test, full_release, ovpn));
	return ovpn;
}

static void full_timer(struct timer_list *timer)
{
}

static void full_peer_release(void *arg)
{
	struct ovpn_peer *peer = arg;

	spin_lock_bh(&peer->ovpn->lock);
	if (peer->hashed)
		ovpn_peer_table_remove(peer);
	spin_unlock_bh(&peer->ovpn->lock);
	ovpn_peer_put(peer);
}

static void full_move(struct kunit *test, struct ovpn_peer *peer, u16 port)
{
	struct ovpn_endpoint ep = full_at(port);
	struct ovpn_peer_endpoint *endpoint;

	endpoint = ovpn_peer_endpoint_new(&ep, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, endpoint);
	ovpn_peer_set_endpoint(peer, endpoint);
}

/* a peer at port n that has not joined */
static struct ovpn_peer *full_peer(struct kunit *test, struct ovpn_priv *ovpn,
				   u32 n)
{
	struct ovpn_peer *peer = ovpn_peer_new(ovpn, n, full_timer);

	KUNIT_ASSERT_NOT_NULL(test, peer);
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test,
							   full_peer_release,
							   peer));
	full_move(test, peer, n);
	return peer;
}

#define FULL_LOCKED(ovpn, call)			\
({						\
	int __ret;				\
						\
	spin_lock_bh(&(ovpn)->lock);		\
	__ret = (call);				\
	spin_unlock_bh(&(ovpn)->lock);		\
	__ret;					\
})

#define full_add(peer) \
	FULL_LOCKED((peer)->ovpn, ovpn_peer_table_add(peer))
#define full_rehash(peer) \
	FULL_LOCKED((peer)->ovpn, ovpn_peer_table_rehash(peer))
#define full_set_vpn(peer, vpn4, vpn6) \
	FULL_LOCKED((peer)->ovpn, ovpn_peer_table_set_vpn(peer, vpn4, vpn6))

/* who is found by that address, or port? */
static void full_expect4(struct kunit *test, struct ovpn_priv *ovpn, u32 n,
			 struct ovpn_peer *peer)
{
	rcu_read_lock();
	KUNIT_EXPECT_PTR_EQ(test, ovpn_peer_lookup_vpn4_rcu(ovpn, VPN4(n)),
			    peer);
	rcu_read_unlock();
}

static void full_expect6(struct kunit *test, struct ovpn_priv *ovpn, u32 n,
			 struct ovpn_peer *peer)
{
	struct in6_addr addr = full_vpn6(n);

	rcu_read_lock();
	KUNIT_EXPECT_PTR_EQ(test, ovpn_peer_lookup_vpn6_rcu(ovpn, &addr),
			    peer);
	rcu_read_unlock();
}

static void full_expect_at(struct kunit *test, struct ovpn_priv *ovpn,
			   u16 port, struct ovpn_peer *peer)
{
	struct ovpn_endpoint ep = full_at(port);

	rcu_read_lock();
	KUNIT_EXPECT_PTR_EQ(test, peer,
			    ovpn_peer_lookup_endpoint_rcu(ovpn, &ep.remote));
	rcu_read_unlock();
}

/* who finds no room leaves no trace, and is welcome later */
static void full_add_test(struct kunit *test)
{
	struct ovpn_priv *ovpn = full_new(test);
	struct rhashtable *at = &ovpn->table.by_endpoint.ht;
	struct ovpn_peer *one = full_peer(test, ovpn, 1);
	struct ovpn_peer *two = full_peer(test, ovpn, 2);
	unsigned int room = at->max_elems;

	KUNIT_ASSERT_EQ(test, full_add(one), 0);
	two->vpn4 = VPN4(2);
	two->vpn6 = full_vpn6(2);
	at->max_elems = 1;
	KUNIT_EXPECT_LT(test, full_add(two), 0);
	KUNIT_EXPECT_FALSE(test, two->hashed);
	KUNIT_EXPECT_NULL(test, ovpn_peer_get_by_id(ovpn, 2));
	full_expect4(test, ovpn, 2, NULL);
	full_expect6(test, ovpn, 2, NULL);
	full_expect_at(test, ovpn, 2, NULL);
	full_expect_at(test, ovpn, 1, one);

	at->max_elems = room;
	KUNIT_EXPECT_EQ(test, full_add(two), 0);
	full_expect4(test, ovpn, 2, two);
	full_expect6(test, ovpn, 2, two);
	full_expect_at(test, ovpn, 2, two);
}

/* who moves to where there is no room is lost by address until the next move */
static void full_move_test(struct kunit *test)
{
	struct ovpn_priv *ovpn = full_new(test);
	struct rhashtable *at = &ovpn->table.by_endpoint.ht;
	struct ovpn_peer *one = full_peer(test, ovpn, 1);
	struct ovpn_peer *two = full_peer(test, ovpn, 2);
	unsigned int room = at->max_elems;

	KUNIT_ASSERT_EQ(test, full_add(one), 0);
	KUNIT_ASSERT_EQ(test, full_add(two), 0);
	at->max_elems = 1;
	full_move(test, one, 3);
	KUNIT_EXPECT_LT(test, full_rehash(one), 0);
	full_expect_at(test, ovpn, 1, NULL);
	full_expect_at(test, ovpn, 3, NULL);
	full_expect_at(test, ovpn, 2, two);

	at->max_elems = room;
	full_move(test, one, 4);
	KUNIT_EXPECT_EQ(test, full_rehash(one), 0);
	full_expect_at(test, ovpn, 4, one);
}

/* new addresses of which one finds no room: the old ones are back */
static void full_vpn_test(struct kunit *test)
{
	struct in6_addr six2 = full_vpn6(2), six8 = full_vpn6(8);
	struct ovpn_priv *ovpn = full_new(test);
	struct ovpn_peer *four = full_peer(test, ovpn, 1);
	struct ovpn_peer *six = full_peer(test, ovpn, 2);
	unsigned int room = ovpn->table.by_vpn6.max_elems;

	four->vpn4 = VPN4(1);
	six->vpn6 = six2;
	KUNIT_ASSERT_EQ(test, full_add(four), 0);
	KUNIT_ASSERT_EQ(test, full_add(six), 0);

	ovpn->table.by_vpn6.max_elems = 1;
	KUNIT_EXPECT_LT(test, full_set_vpn(four, VPN4(8), &six8), 0);
	full_expect4(test, ovpn, 1, four);
	full_expect4(test, ovpn, 8, NULL);
	full_expect6(test, ovpn, 8, NULL);

	ovpn->table.by_vpn6.max_elems = room;
	ovpn->table.by_vpn4.max_elems = 1;
	KUNIT_EXPECT_LT(test, full_set_vpn(six, VPN4(8), &six8), 0);
	full_expect6(test, ovpn, 2, six);
	full_expect6(test, ovpn, 8, NULL);
	full_expect4(test, ovpn, 8, NULL);
	KUNIT_EXPECT_FALSE(test, six->vpn4);

	/* one's own place is room enough */
	KUNIT_EXPECT_EQ(test, full_set_vpn(four, VPN4(8), &six8), 0);
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
