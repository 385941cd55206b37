/* SPDX-License-Identifier: GPL-2.0-only */
/* OpenVPN data channel offload: where a peer is, in transport addresses */

#ifndef _NET_OVPN_ENDPOINT_H_
#define _NET_OVPN_ENDPOINT_H_

#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/in.h>
#include <linux/in6.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/skbuff.h>
#include <linux/socket.h>
#include <linux/types.h>
#include <linux/udp.h>
#include <net/ipv6.h>

/**
 * union ovpn_addr - an address of either family
 * @v4: IPv4, with all bytes behind it zero
 * @v6: IPv6
 */
union ovpn_addr {
	__be32 v4;
	struct in6_addr v6;
};

/**
 * struct ovpn_remote - what tells one remote endpoint from another
 * @addr: its address
 * @family: AF_INET or AF_INET6; AF_UNSPEC if there is none (TCP)
 * @port: its port
 *
 * Canonical: an IPv4-mapped IPv6 address is stored as IPv4, unused bytes are
 * zero, there is no padding. So memcmp() compares, and any hash will do.
 */
struct ovpn_remote {
	union ovpn_addr addr;
	sa_family_t family;
	__be16 port;
};

/**
 * struct ovpn_endpoint - both ends of the transport to a peer
 * @remote: the peer's end
 * @scope_id: interface of a link-local @remote, else 0. Not part of the
 *	identity: a packet tells its interface, not the sender's idea of it
 * @local: our address, of the same family; all zero: let routing choose
 */
struct ovpn_endpoint {
	struct ovpn_remote remote;
	u32 scope_id;
	union ovpn_addr local;
};

void ovpn_endpoint_set_v4(struct ovpn_endpoint *ep, __be32 addr, __be16 port);
void ovpn_endpoint_set_v6(struct ovpn_endpoint *ep,
			  const struct in6_addr *addr, u32 scope_id,
			  __be16 port);
bool ovpn_endpoint_set_local_v4(struct ovpn_endpoint *ep, __be32 addr);
bool ovpn_endpoint_set_local_v6(struct ovpn_endpoint *ep,
				const struct in6_addr *addr);
bool ovpn_endpoint_is_unicast(const struct ovpn_endpoint *ep);
int ovpn_endpoint_from_skb(struct ovpn_endpoint *ep,
			   const struct sk_buff *skb);

static inline bool ovpn_addr_equal(const union ovpn_addr *a,
				   const union ovpn_addr *b)
{
	return ipv6_addr_equal(&a->v6, &b->v6);
}

/**
 * ovpn_endpoint_equal - same place, reached in the same way?
 * @a: one endpoint
 * @b: the other
 *
 * Return: true if remote, interface and local address are all the same.
 */
static inline bool ovpn_endpoint_equal(const struct ovpn_endpoint *a,
				       const struct ovpn_endpoint *b)
{
	return a->remote.port == b->remote.port &&
	       a->remote.family == b->remote.family &&
	       a->scope_id == b->scope_id &&
	       ovpn_addr_equal(&a->remote.addr, &b->remote.addr) &&
	       ovpn_addr_equal(&a->local, &b->local);
}

/**
 * ovpn_endpoint_is_of - did this datagram come from there?
 * @ep: an endpoint
 * @skb: a received UDP datagram with its network and transport headers set
 *
 * Return: true if ovpn_endpoint_from_skb() would say the same. If false, only
 * that can tell.
 */
static inline bool ovpn_endpoint_is_of(const struct ovpn_endpoint *ep,
				       const struct sk_buff *skb)
{
	const struct ipv6hdr *ip6 = ipv6_hdr(skb);
	const struct iphdr *ip = ip_hdr(skb);

	if (skb->pkt_type != PACKET_HOST ||
	    ep->remote.port != udp_hdr(skb)->source)
		return false;

	if (skb->protocol == htons(ETH_P_IP))
		return ep->remote.family == AF_INET &&
		       ep->remote.addr.v4 == ip->saddr &&
		       ep->local.v4 == ip->daddr;

	return skb->protocol == htons(ETH_P_IPV6) &&
	       ep->remote.family == AF_INET6 &&
	       ipv6_addr_equal(&ep->remote.addr.v6, &ip6->saddr) &&
	       ipv6_addr_equal(&ep->local.v6, &ip6->daddr) &&
	       ep->scope_id == ipv6_iface_scope_id(&ip6->saddr,
						   IP6CB(skb)->iif);
}

#endif /* _NET_OVPN_ENDPOINT_H_ */
