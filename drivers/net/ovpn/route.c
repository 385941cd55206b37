// SPDX-License-Identifier: GPL-2.0-only
/* OpenVPN data channel offload: which peer serves an inner address
 *
 * The kernel's routing tables decide. On a multi-peer device a route names
 * the peer by its address inside the VPN: as gateway, or, without one, as the
 * destination itself. The same question asked about a source address is the
 * reverse-path check: it keeps one client from speaking for another.
 */

#include "route.h"

#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/net.h>
#include <linux/siphash.h>
#include <linux/skbuff.h>
#include <linux/slab.h>
#include <net/dst_metadata.h>
#include <net/ip6_fib.h>
#include <net/ip6_route.h>
#include <net/ipv6.h>
#include <net/net_namespace.h>
#include <net/route.h>

#include "ovpn.h"
#include "peer.h"
#include "peer_table.h"

/* the peer behind an IPv4 route; @rt may be NULL */
static struct ovpn_peer *ovpn_route_next4_rcu(struct ovpn_priv *ovpn,
					      const struct rtable *rt,
					      __be32 daddr)
{
	if (rt && rt->rt_gw_family == AF_INET6)
		return ovpn_peer_lookup_vpn6_rcu(ovpn, &rt->rt_gw6);
	if (rt && rt->rt_gw_family == AF_INET)
		daddr = rt->rt_gw4;
	return ovpn_peer_lookup_vpn4_rcu(ovpn, daddr);
}

/* the peer behind an IPv6 route; @rt may be NULL */
static struct ovpn_peer *ovpn_route_next6_rcu(struct ovpn_priv *ovpn,
					      const struct rt6_info *rt,
					      const struct in6_addr *daddr)
{
	if (rt && rt->rt6i_flags & RTF_GATEWAY)
		daddr = &rt->rt6i_gateway;
	return ovpn_peer_lookup_vpn6_rcu(ovpn, daddr);
}

/**
 * ovpn_route_peer_rcu - who gets this packet?
 * @ovpn: the device
 * @skb: a packet that was routed to the device, network header set
 *
 * Context: RCU read section.
 * Return: the peer, borrowed, or NULL.
 */
struct ovpn_peer *ovpn_route_peer_rcu(struct ovpn_priv *ovpn,
				      struct sk_buff *skb)
{
	struct dst_entry *dst = skb_valid_dst(skb) ? skb_dst(skb) : NULL;
	struct rt6_info *rt6 = NULL;
	struct rtable *rt4 = NULL;

	if (ovpn->mode == OVPN_MODE_P2P)
		return rcu_dereference(ovpn->table.single);

	if (skb->protocol == htons(ETH_P_IP)) {
		if (dst && dst->ops->family == AF_INET)
			rt4 = dst_rtable(dst);
		return ovpn_route_next4_rcu(ovpn, rt4, ip_hdr(skb)->daddr);
	}

	if (dst && dst->ops->family == AF_INET6)
		rt6 = dst_rt6_info(dst);
	return ovpn_route_next6_rcu(ovpn, rt6, &ipv6_hdr(skb)->daddr);
}

static bool ovpn_route_source4_ok(struct ovpn_peer *peer, __be32 saddr)
{
	struct net_device *dev = peer->ovpn->dev;
	struct flowi4 fl = {
		.flowi4_oif = dev->ifindex,
		.daddr = saddr,
	};
	struct rtable *rt;
	bool ok;

	rt = ip_route_output_key(dev_net(dev), &fl);
	if (IS_ERR(rt))
		return false;
	ok = rt->dst.dev == dev &&
	     ovpn_route_next4_rcu(peer->ovpn, rt, saddr) == peer;
	ip_rt_put(rt);
	return ok;
}

/* Names a verdict together with all that it depends on: the source, the
 * generation of the routing tables, and that of the peer table. Keyed, so
 * that nobody can aim for a collision.
 */
static u64 ovpn_route_fingerprint4(const struct ovpn_priv *ovpn, __be32 saddr)
{
	u32 routes = rt_genid_ipv4(dev_net(ovpn->dev));
	u32 peers = atomic_read(&ovpn->table.generation);
	static siphash_key_t secret __read_mostly;

	net_get_random_once(&secret, sizeof(secret));
	return siphash_3u32((__force u32)saddr, routes, peers, &secret) | 1;
}

static bool ovpn_route_source4_cached(struct ovpn_peer *peer, __be32 saddr)
{
	atomic64_t *entry;
	u64 fingerprint;
	bool ok;

	fingerprint = ovpn_route_fingerprint4(peer->ovpn, saddr);
	entry = &peer->source4[fingerprint >> 62];
	if (likely(atomic64_read(entry) == fingerprint))
		return true;

	ok = ovpn_route_source4_ok(peer, saddr);
	if (ok)
		atomic64_set(entry, fingerprint);
	return ok;
}

#if IS_ENABLED(CONFIG_IPV6)
/* remember that this route leads to the peer; takes the reference over */
static void ovpn_route_remember6(struct ovpn_peer *peer,
				 const struct in6_addr *saddr,
				 struct dst_entry *dst, u32 peers)
{
	struct ovpn_peer_route *route;

	route = kzalloc_obj(*route, GFP_ATOMIC | __GFP_NOWARN);
	if (!route) {
		dst_release(dst);
		return;
	}
	route->dst = dst;
	route->cookie = rt6_get_cookie(dst_rt6_info(dst));
	route->serial = peers;
	route->saddr.v6 = *saddr;
	ovpn_peer_set_route(peer, &peer->source6, route);
}

/* IPv6 has no generation that a deleted route would change, so it takes the
 * route itself to know whether a verdict still holds.
 */
static bool ovpn_route_source6_cached(struct ovpn_peer *peer,
				      const struct in6_addr *saddr)
{
	const struct ovpn_peer_route *known = rcu_dereference(peer->source6);
	u32 peers = atomic_read(&peer->ovpn->table.generation);
	struct net_device *dev = peer->ovpn->dev;
	struct flowi6 fl = {
		.flowi6_oif = dev->ifindex,
		.daddr = *saddr,
	};
	struct dst_entry *dst;

	if (likely(known && known->serial == peers &&
		   ipv6_addr_equal(&known->saddr.v6, saddr) &&
		   dst_check(known->dst, known->cookie)))
		return true;

	dst = ip6_route_output(dev_net(dev), NULL, &fl);
	if (dst->error || dst->dev != dev ||
	    ovpn_route_next6_rcu(peer->ovpn, dst_rt6_info(dst),
				 saddr) != peer) {
		dst_release(dst);
		return false;
	}
	ovpn_route_remember6(peer, saddr, dst, peers);
	return true;
}
#else
static bool ovpn_route_source6_cached(struct ovpn_peer *peer,
				      const struct in6_addr *saddr)
{
	return false;
}
#endif

/**
 * ovpn_route_source_ok_rcu - may this peer send from this address?
 * @peer: the peer
 * @skb: an inner packet from it, network header and protocol set
 *
 * A point-to-point device has nobody to be mistaken for. Otherwise the peer's
 * own address is fine, and so is whatever would be routed to the peer through
 * this device. The last few verdicts are remembered.
 *
 * Context: RCU read section, BH off.
 * Return: true if so.
 */
bool ovpn_route_source_ok_rcu(struct ovpn_peer *peer,
			      const struct sk_buff *skb)
{
	const struct ovpn_peer_vpn *vpn;
	const struct in6_addr *saddr6;
	__be32 saddr4;

	if (peer->ovpn->mode == OVPN_MODE_P2P)
		return true;

	vpn = rcu_dereference(peer->vpn);
	if (skb->protocol == htons(ETH_P_IP)) {
		saddr4 = ip_hdr(skb)->saddr;
		if (likely(saddr4 && saddr4 == vpn->v4))
			return true;
		return ovpn_route_source4_cached(peer, saddr4);
	}

	saddr6 = &ipv6_hdr(skb)->saddr;
	if (likely(ipv6_addr_equal(saddr6, &vpn->v6) &&
		   !ipv6_addr_any(saddr6)))
		return true;
	return ovpn_route_source6_cached(peer, saddr6);
}
