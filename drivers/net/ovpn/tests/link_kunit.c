// SPDX-License-Identifier: GPL-2.0-only
/* OpenVPN data channel offload: tests of what a link tells about itself */

#include "../dev.h"

#include <kunit/test.h>
#include <linux/netdevice.h>
#include <linux/skbuff.h>
#include <net/netlink.h>
#include <net/rtnetlink.h>

#include "../ovpn.h"

/**
 * struct link_case - a mode
 * @name: what it is called
 * @mode: the mode
 */
struct link_case {
	const char *name;
	enum ovpn_mode mode;
};

static const struct link_case link_cases[] = {
	{ "p2p", OVPN_MODE_P2P },
	{ "mp", OVPN_MODE_MP },
};

KUNIT_ARRAY_PARAM_DESC(link, link_cases, name);

static void link_release(void *dev)
{
	free_netdev(dev);
}

/* a device that nobody can see */
static struct net_device *link_new(struct kunit *test, enum ovpn_mode mode)
{
	struct net_device *dev;
	struct ovpn_priv *ovpn;

	dev = alloc_netdev(ovpn_link_ops.priv_size, "ovpn%d", NET_NAME_UNKNOWN,
			   ovpn_link_ops.setup);
	KUNIT_ASSERT_NOT_NULL(test, dev);
	KUNIT_ASSERT_EQ(test, 0,
			kunit_add_action_or_reset(test, link_release, dev));
	ovpn = netdev_priv(dev);
	ovpn->dev = dev;
	ovpn->mode = mode;
	return dev;
}

static void link_room_release(void *skb)
{
	kfree_skb(skb);
}

/* a message with exactly so much room */
static struct sk_buff *link_room(struct kunit *test, size_t room)
{
	struct sk_buff *skb = alloc_skb(room, GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, skb);
	KUNIT_ASSERT_EQ(test, 0,
			kunit_add_action_or_reset(test, link_room_release,
						  skb));
	skb_reserve(skb, skb_tailroom(skb) - room);
	return skb;
}

/* the core makes messages as large as it is told that they will be */
static void link_fill_test(struct kunit *test)
{
	const struct link_case *c = test->param_value;
	struct net_device *dev = link_new(test, c->mode);
	size_t size = ovpn_link_ops.get_size(dev);
	const struct nlattr *attr;
	struct sk_buff *skb;

	/* with room enough, as much as was said */
	skb = link_room(test, NLMSG_GOODSIZE);
	KUNIT_ASSERT_EQ(test, 0, ovpn_link_ops.fill_info(skb, dev));
	KUNIT_EXPECT_GT(test, skb->len, 0);
	KUNIT_EXPECT_LE(test, skb->len, size);

	skb = link_room(test, size);
	KUNIT_ASSERT_EQ(test, 0, ovpn_link_ops.fill_info(skb, dev));
	attr = nla_find((struct nlattr *)skb->data, skb->len, IFLA_OVPN_MODE);
	KUNIT_ASSERT_NOT_NULL(test, attr);
	KUNIT_EXPECT_EQ(test, nla_get_u8(attr), c->mode);
}

static void link_no_room_test(struct kunit *test)
{
	const struct link_case *c = test->param_value;
	struct net_device *dev = link_new(test, c->mode);
	size_t size = ovpn_link_ops.get_size(dev), room;
	struct sk_buff *skb;

	for (room = 0; room < size; room++) {
		skb = link_room(test, room);
		KUNIT_EXPECT_EQ_MSG(test, -EMSGSIZE,
				    ovpn_link_ops.fill_info(skb, dev),
				    "room for %zu bytes of %zu", room, size);
	}
}

static struct kunit_case link_kunit_cases[] = {
	KUNIT_CASE_PARAM(link_fill_test, link_gen_params),
	KUNIT_CASE_PARAM(link_no_room_test, link_gen_params),
	{}
};

static struct kunit_suite link_suite = {
	.name = "ovpn_link",
	.test_cases = link_kunit_cases,
};

kunit_test_suite(link_suite);
