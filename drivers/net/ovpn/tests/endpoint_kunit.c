// SPDX-License-Identifier: GPL-2.0-only
/* OpenVPN data channel offload: tests of transport addresses */

#include "../endpoint.h"

#include <kunit/skbuff.h>
#include <kunit/test.h>
#include <linux/if_ether.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/skbuff.h>
#include <linux/string.h>
#include <linux/udp.h>

#define PORT		htons(1194)

#define V4(a, b, c, d)	cpu_to_be32((a) << 24 | (b) << 16 | (c) << 8 | (d))
#define V6(...)		{ .s6_addr = { __VA_ARGS__ } }

static const struct in6_addr global6 =
	V6(0x20, 0x01, 0x0d, 0xb8, [14] = 0x12, [15] = 0x34);
static const struct in6_addr other6 =
	V6(0x20, 0x01, 0x0d, 0xb8, [14] = 0x12, [15] = 0x35);
static const struct in6_addr linklocal6 = V6(0xfe, 0x80, [15] = 0x01);
static const struct in6_addr mapped6 =
	V6([10] = 0xff, [11] = 0xff, 192, 0, 2, 1);
static const struct in6_addr mapped6_local =
	V6([10] = 0xff, [11] = 0xff, 192, 0, 2, 99);

/* what endpoints are built upon: no byte of it may be left */
static void endpoint_soil(struct ovpn_endpoint *ep)
{
	memset(ep, 0xa5, sizeof(*ep));
}

static void endpoint_v4_test(struct kunit *test)
{
	struct ovpn_endpoint expected, ep;

	memset(&expected, 0, sizeof(expected));
	expected.remote.addr.v4 = V4(192, 0, 2, 1);
	expected.remote.family = AF_INET;
	expected.remote.port = PORT;

	endpoint_soil(&ep);
	ovpn_endpoint_set_v4(&ep, V4(192, 0, 2, 1), PORT);
	KUNIT_EXPECT_MEMEQ(test, &ep, &expected, sizeof(ep));
	KUNIT_EXPECT_EQ(test, ((u8 *)&ep.remote.addr)[0], 192);

	endpoint_soil(&ep);
	ovpn_endpoint_set_v4(&ep, 0, 0);
	KUNIT_EXPECT_EQ(test, ep.remote.family, AF_INET);
	KUNIT_EXPECT_FALSE(test, ep.remote.port);
}

static void endpoint_v6_test(struct kunit *test)
{
	struct ovpn_endpoint expected, ep;

	memset(&expected, 0, sizeof(expected));
	expected.remote.addr.v6 = global6;
	expected.remote.family = AF_INET6;
	expected.remote.port = PORT;

	endpoint_soil(&ep);
	ovpn_endpoint_set_v6(&ep, &global6, 0, PORT);
	KUNIT_EXPECT_MEMEQ(test, &ep, &expected, sizeof(ep));
}

/* the same host, told by a socket of either family, is one endpoint */
static void endpoint_mapped_test(struct kunit *test)
{
	struct ovpn_endpoint v4, mapped;

	endpoint_soil(&v4);
	endpoint_soil(&mapped);
	ovpn_endpoint_set_v4(&v4, V4(192, 0, 2, 1), PORT);
	ovpn_endpoint_set_v6(&mapped, &mapped6, 7, PORT);

	KUNIT_EXPECT_EQ(test, mapped.remote.family, AF_INET);
	KUNIT_EXPECT_EQ(test, mapped.scope_id, 0);
	KUNIT_EXPECT_MEMEQ(test, &v4, &mapped, sizeof(v4));
	KUNIT_EXPECT_TRUE(test, ovpn_endpoint_equal(&v4, &mapped));
}

static void endpoint_scope_test(struct kunit *test)
{
	struct ovpn_endpoint a, b;

	endpoint_soil(&a);
	endpoint_soil(&b);
	ovpn_endpoint_set_v6(&a, &linklocal6, 3, PORT);
	ovpn_endpoint_set_v6(&b, &linklocal6, 4, PORT);
	KUNIT_EXPECT_EQ(test, a.scope_id, 3);
	KUNIT_EXPECT_EQ(test, b.scope_id, 4);
	/* reached in another way, though it is the same remote */
	KUNIT_EXPECT_MEMEQ(test, &a.remote, &b.remote, sizeof(a.remote));
	KUNIT_EXPECT_FALSE(test, ovpn_endpoint_equal(&a, &b));

	/* an address that is unique needs no interface */
	ovpn_endpoint_set_v6(&a, &global6, 3, PORT);
	ovpn_endpoint_set_v6(&b, &global6, 0, PORT);
	KUNIT_EXPECT_EQ(test, a.scope_id, 0);
	KUNIT_EXPECT_TRUE(test, ovpn_endpoint_equal(&a, &b));

	/* nothing stays behind from a link-local one */
	ovpn_endpoint_set_v6(&a, &linklocal6, 3, PORT);
	ovpn_endpoint_set_v4(&a, V4(192, 0, 2, 1), PORT);
	KUNIT_EXPECT_EQ(test, a.scope_id, 0);
}

/* each part of the identity counts */
static void endpoint_differs_test(struct kunit *test)
{
	struct ovpn_endpoint a, b;

	ovpn_endpoint_set_v4(&a, V4(192, 0, 2, 1), PORT);
	ovpn_endpoint_set_v4(&b, V4(192, 0, 2, 2), PORT);
	KUNIT_EXPECT_FALSE(test, ovpn_endpoint_equal(&a, &b));
	ovpn_endpoint_set_v4(&b, V4(192, 0, 2, 1), htons(1195));
	KUNIT_EXPECT_FALSE(test, ovpn_endpoint_equal(&a, &b));
	ovpn_endpoint_set_v4(&b, V4(192, 0, 2, 1), PORT);
	KUNIT_EXPECT_TRUE(test, ovpn_endpoint_equal(&a, &b));
	KUNIT_EXPECT_TRUE(test,
			  ovpn_endpoint_set_local_v4(&b, V4(192, 0, 2, 99)));
	KUNIT_EXPECT_FALSE(test, ovpn_endpoint_equal(&a, &b));
	KUNIT_EXPECT_MEMEQ(test, &a.remote, &b.remote, sizeof(a.remote));

	ovpn_endpoint_set_v6(&a, &global6, 0, PORT);
	ovpn_endpoint_set_v6(&b, &other6, 0, PORT);
	KUNIT_EXPECT_FALSE(test, ovpn_endpoint_equal(&a, &b));

	/* the same 16 bytes in another family */
	ovpn_endpoint_set_v4(&a, 0, PORT);
	ovpn_endpoint_set_v6(&b, &in6addr_any, 0, PORT);
	KUNIT_EXPECT_FALSE(test, ovpn_endpoint_equal(&a, &b));
}

static void endpoint_local_test(struct kunit *test)
{
	struct ovpn_endpoint ep, mapped;

	ovpn_endpoint_set_v4(&ep, V4(192, 0, 2, 1), PORT);
	KUNIT_EXPECT_TRUE(test,
			  ovpn_endpoint_set_local_v4(&ep, V4(192, 0, 2, 99)));
	KUNIT_EXPECT_TRUE(test, ep.local.v4 == V4(192, 0, 2, 99));

	ovpn_endpoint_set_v4(&mapped, V4(192, 0, 2, 1), PORT);
	KUNIT_EXPECT_TRUE(test, ovpn_endpoint_set_local_v6(&mapped,
							   &mapped6_local));
	KUNIT_EXPECT_MEMEQ(test, &ep, &mapped, sizeof(ep));

	ovpn_endpoint_set_v6(&ep, &global6, 0, PORT);
	KUNIT_EXPECT_TRUE(test, ovpn_endpoint_set_local_v6(&ep, &other6));
	KUNIT_EXPECT_MEMEQ(test, &ep.local.v6, &other6, sizeof(other6));

	/* a new remote starts over */
	ovpn_endpoint_set_v6(&ep, &global6, 0, PORT);
	KUNIT_EXPECT_MEMEQ(test, &ep.local.v6, &in6addr_any,
			   sizeof(in6addr_any));
}

static void endpoint_local_mismatch_test(struct kunit *test)
{
	struct ovpn_endpoint ep, before;

	ovpn_endpoint_set_v4(&ep, V4(192, 0, 2, 1), PORT);
	before = ep;
	KUNIT_EXPECT_FALSE(test, ovpn_endpoint_set_local_v6(&ep, &global6));
	KUNIT_EXPECT_FALSE(test, ovpn_endpoint_set_local_v6(&ep, &in6addr_any));
	KUNIT_EXPECT_MEMEQ(test, &ep, &before, sizeof(ep));

	ovpn_endpoint_set_v6(&ep, &global6, 0, PORT);
	before = ep;
	KUNIT_EXPECT_FALSE(test,
			   ovpn_endpoint_set_local_v4(&ep, V4(192, 0, 2, 99)));
	KUNIT_EXPECT_FALSE(test, ovpn_endpoint_set_local_v6(&ep,
							    &mapped6_local));
	KUNIT_EXPECT_MEMEQ(test, &ep, &before, sizeof(ep));

	/* no remote, no local */
	memset(&ep, 0, sizeof(ep));
	before = ep;
	KUNIT_EXPECT_FALSE(test,
			   ovpn_endpoint_set_local_v4(&ep, V4(192, 0, 2, 99)));
	KUNIT_EXPECT_FALSE(test, ovpn_endpoint_set_local_v6(&ep, &global6));
	KUNIT_EXPECT_FALSE(test, ovpn_endpoint_set_local_v6(&ep,
							    &mapped6_local));
	KUNIT_EXPECT_MEMEQ(test, &ep, &before, sizeof(ep));
}

/* A datagram as it stands in a socket's receive path: at its UDP header */
static struct sk_buff *endpoint_skb(struct kunit *test, __be16 protocol,
				    const void *ip, unsigned int ip_len)
{
	struct udphdr udp = { .source = PORT, .dest = htons(7000) };
	struct sk_buff *skb;

	skb = kunit_zalloc_skb(test, 256, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, skb);

	skb->protocol = protocol;
	skb->pkt_type = PACKET_HOST;
	skb_reset_network_header(skb);
	skb_put_data(skb, ip, ip_len);
	skb_set_transport_header(skb, ip_len);
	skb_put_data(skb, &udp, sizeof(udp));
	skb_put_zero(skb, 32);
	skb_pull(skb, ip_len);
	return skb;
}

static struct sk_buff *endpoint_skb_v4(struct kunit *test)
{
	struct iphdr ip = {
		.version = 4,
		.ihl = 5,
		.saddr = V4(192, 0, 2, 1),
		.daddr = V4(192, 0, 2, 99),
	};

	return endpoint_skb(test, htons(ETH_P_IP), &ip, sizeof(ip));
}

static struct sk_buff *endpoint_skb_v6(struct kunit *test,
				       const struct in6_addr *from, int iif)
{
	struct ipv6hdr ip = { .version = 6, .saddr = *from, .daddr = other6 };
	struct sk_buff *skb;

	skb = endpoint_skb(test, htons(ETH_P_IPV6), &ip, sizeof(ip));
	IP6CB(skb)->iif = iif;
	return skb;
}

static void endpoint_skb_v4_test(struct kunit *test)
{
	struct sk_buff *skb = endpoint_skb_v4(test);
	struct ovpn_endpoint expected, ep;

	ovpn_endpoint_set_v4(&expected, V4(192, 0, 2, 1), PORT);
	ovpn_endpoint_set_local_v4(&expected, V4(192, 0, 2, 99));

	endpoint_soil(&ep);
	KUNIT_EXPECT_EQ(test, ovpn_endpoint_from_skb(&ep, skb), 0);
	KUNIT_EXPECT_MEMEQ(test, &ep, &expected, sizeof(ep));
}

static void endpoint_skb_v6_test(struct kunit *test)
{
	struct ovpn_endpoint expected, ep;
	struct sk_buff *skb;

	ovpn_endpoint_set_v6(&expected, &global6, 0, PORT);
	ovpn_endpoint_set_local_v6(&expected, &other6);

	endpoint_soil(&ep);
	skb = endpoint_skb_v6(test, &global6, 5);
	KUNIT_EXPECT_EQ(test, ovpn_endpoint_from_skb(&ep, skb), 0);
	KUNIT_EXPECT_MEMEQ(test, &ep, &expected, sizeof(ep));

	ovpn_endpoint_set_v6(&expected, &linklocal6, 5, PORT);
	ovpn_endpoint_set_local_v6(&expected, &other6);

	endpoint_soil(&ep);
	skb = endpoint_skb_v6(test, &linklocal6, 5);
	KUNIT_EXPECT_EQ(test, ovpn_endpoint_from_skb(&ep, skb), 0);
	KUNIT_EXPECT_EQ(test, ep.scope_id, 5);
	KUNIT_EXPECT_MEMEQ(test, &ep, &expected, sizeof(ep));
}

/* IPv6 drops such packets; should one come, no local of the wrong family */
static void endpoint_skb_mapped_test(struct kunit *test)
{
	struct sk_buff *skb = endpoint_skb_v6(test, &mapped6, 5);
	struct ovpn_endpoint expected, ep;

	ovpn_endpoint_set_v4(&expected, V4(192, 0, 2, 1), PORT);

	endpoint_soil(&ep);
	KUNIT_EXPECT_EQ(test, ovpn_endpoint_from_skb(&ep, skb), 0);
	KUNIT_EXPECT_MEMEQ(test, &ep, &expected, sizeof(ep));
}

/* nobody answers from an address that is not one host's */
static void endpoint_skb_not_unicast_test(struct kunit *test)
{
	static const u8 types[] = { PACKET_BROADCAST, PACKET_MULTICAST };
	struct ovpn_endpoint expected, ep;
	struct sk_buff *v4, *v6;
	unsigned int i;

	v4 = endpoint_skb_v4(test);
	v6 = endpoint_skb_v6(test, &linklocal6, 5);

	for (i = 0; i < ARRAY_SIZE(types); i++) {
		v4->pkt_type = types[i];
		v6->pkt_type = types[i];

		endpoint_soil(&ep);
		ovpn_endpoint_set_v4(&expected, V4(192, 0, 2, 1), PORT);
		KUNIT_EXPECT_EQ(test, ovpn_endpoint_from_skb(&ep, v4), 0);
		KUNIT_EXPECT_MEMEQ(test, &ep, &expected, sizeof(ep));

		endpoint_soil(&ep);
		ovpn_endpoint_set_v6(&expected, &linklocal6, 5, PORT);
		KUNIT_EXPECT_EQ(test, ovpn_endpoint_from_skb(&ep, v6), 0);
		KUNIT_EXPECT_MEMEQ(test, &ep, &expected, sizeof(ep));
	}
}

static void endpoint_unicast4_test(struct kunit *test)
{
	const __be32 bad[] = { V4(224, 0, 0, 1), V4(255, 255, 255, 255) };
	struct ovpn_endpoint ep;
	int i;

	ovpn_endpoint_set_v4(&ep, 0, PORT);
	KUNIT_EXPECT_FALSE(test, ovpn_endpoint_is_unicast(&ep));
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		ovpn_endpoint_set_v4(&ep, bad[i], PORT);
		KUNIT_EXPECT_FALSE(test, ovpn_endpoint_is_unicast(&ep));
	}

	ovpn_endpoint_set_v4(&ep, V4(192, 0, 2, 1), PORT);
	KUNIT_EXPECT_TRUE(test, ovpn_endpoint_is_unicast(&ep));
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		ovpn_endpoint_set_local_v4(&ep, bad[i]);
		KUNIT_EXPECT_FALSE(test, ovpn_endpoint_is_unicast(&ep));
	}
	ovpn_endpoint_set_local_v4(&ep, V4(192, 0, 2, 99));
	KUNIT_EXPECT_TRUE(test, ovpn_endpoint_is_unicast(&ep));
}

static void endpoint_unicast6_test(struct kunit *test)
{
	static const struct in6_addr multicast6 = V6(0xff, 0x02, [15] = 0x01);
	static const struct in6_addr mapped_multicast6 =
		V6([10] = 0xff, [11] = 0xff, 224, 0, 0, 1);
	struct ovpn_endpoint ep;

	ovpn_endpoint_set_v6(&ep, &in6addr_any, 0, PORT);
	KUNIT_EXPECT_FALSE(test, ovpn_endpoint_is_unicast(&ep));
	ovpn_endpoint_set_v6(&ep, &multicast6, 0, PORT);
	KUNIT_EXPECT_FALSE(test, ovpn_endpoint_is_unicast(&ep));
	ovpn_endpoint_set_v6(&ep, &mapped_multicast6, 0, PORT);
	KUNIT_EXPECT_FALSE(test, ovpn_endpoint_is_unicast(&ep));

	ovpn_endpoint_set_v6(&ep, &linklocal6, 7, PORT);
	KUNIT_EXPECT_TRUE(test, ovpn_endpoint_is_unicast(&ep));
	ovpn_endpoint_set_local_v6(&ep, &multicast6);
	KUNIT_EXPECT_FALSE(test, ovpn_endpoint_is_unicast(&ep));
	ovpn_endpoint_set_local_v6(&ep, &global6);
	KUNIT_EXPECT_TRUE(test, ovpn_endpoint_is_unicast(&ep));
}

static void endpoint_skb_not_ip_test(struct kunit *test)
{
	struct sk_buff *skb = endpoint_skb_v4(test);
	struct ovpn_endpoint ep;

	skb->protocol = htons(ETH_P_ARP);
	KUNIT_EXPECT_EQ(test, ovpn_endpoint_from_skb(&ep, skb),
			-EPROTONOSUPPORT);
	skb->protocol = 0;
	KUNIT_EXPECT_EQ(test, ovpn_endpoint_from_skb(&ep, skb),
			-EPROTONOSUPPORT);
}

/* the short cut says what the long way says, or nothing */
static void endpoint_is_of_test(struct kunit *test)
{
	struct ovpn_endpoint known[10], ep;
	struct sk_buff *skb[6];
	unsigned int i, j;
	int told = 0;

	for (i = 0; i < ARRAY_SIZE(known); i++)
		ovpn_endpoint_set_v4(&known[i], V4(192, 0, 2, 1), PORT);
	for (i = 1; i < 4; i++)
		ovpn_endpoint_set_local_v4(&known[i], V4(192, 0, 2, 99));
	known[2].remote.port ^= htons(1);
	known[3].remote.addr.v4 ^= htonl(1);
	ovpn_endpoint_set_local_v4(&known[4], V4(192, 0, 2, 98));
	for (i = 5; i < ARRAY_SIZE(known); i++) {
		ovpn_endpoint_set_v6(&known[i], &linklocal6, i, PORT);
		ovpn_endpoint_set_local_v6(&known[i], &other6);
	}
	known[7].scope_id = 0;
	known[8].remote.addr.v6 = global6;
	known[8].scope_id = 0;
	known[9].scope_id = 5;
	ovpn_endpoint_set_local_v6(&known[9], &global6);

	skb[0] = endpoint_skb_v4(test);
	skb[1] = endpoint_skb_v4(test);
	skb[1]->pkt_type = PACKET_BROADCAST;
	skb[2] = endpoint_skb_v6(test, &linklocal6, 5);
	skb[3] = endpoint_skb_v6(test, &global6, 5);
	skb[4] = endpoint_skb_v6(test, &mapped6, 5);
	skb[5] = endpoint_skb_v6(test, &global6, 5);
	skb[5]->protocol = htons(ETH_P_ARP);

	for (i = 0; i < ARRAY_SIZE(skb); i++) {
		for (j = 0; j < ARRAY_SIZE(known); j++) {
			if (!ovpn_endpoint_is_of(&known[j], skb[i]))
				continue;
			told++;
			KUNIT_EXPECT_EQ(test,
					ovpn_endpoint_from_skb(&ep, skb[i]), 0);
			KUNIT_EXPECT_TRUE_MSG(test,
					      ovpn_endpoint_equal(&ep,
								  &known[j]),
					      "packet %u, endpoint %u", i, j);
		}
	}
	/* packets 0, 2 and 3: endpoints 1, 5 and 8 */
	KUNIT_EXPECT_EQ(test, told, 3);
}

static struct kunit_case endpoint_cases[] = {
	KUNIT_CASE(endpoint_v4_test),
	KUNIT_CASE(endpoint_v6_test),
	KUNIT_CASE(endpoint_mapped_test),
	KUNIT_CASE(endpoint_scope_test),
	KUNIT_CASE(endpoint_differs_test),
	KUNIT_CASE(endpoint_local_test),
	KUNIT_CASE(endpoint_local_mismatch_test),
	KUNIT_CASE(endpoint_unicast4_test),
	KUNIT_CASE(endpoint_unicast6_test),
	KUNIT_CASE(endpoint_skb_v4_test),
	KUNIT_CASE(endpoint_skb_v6_test),
	KUNIT_CASE(endpoint_skb_mapped_test),
	KUNIT_CASE(endpoint_skb_not_unicast_test),
	KUNIT_CASE(endpoint_skb_not_ip_test),
	KUNIT_CASE(endpoint_is_of_test),
	{}
};

static struct kunit_suite endpoint_suite = {
	.name = "ovpn_endpoint",
	.test_cases = endpoint_cases,
};

kunit_test_suite(endpoint_suite);
