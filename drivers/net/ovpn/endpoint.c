// SPDX-License-Identifier: GPL-2.0-only
/* OpenVPN data channel offload: where a peer is, in transport addresses */

#include "endpoint.h"

#include <kunit/visibility.h>
#include <linux/build_bug.h>
#include <linux/if_ether.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/skbuff.h>
#include <linux/string.h>
#include <linux/udp.h>
#include <net/ipv6.h>

static_assert(sizeof(struct ovpn_remote) ==
	      sizeof(union ovpn_addr) + sizeof(sa_family_t) + sizeof(__be16));

/**
 * ovpn_endpoint_set_v4 - start over with an IPv4 remote
 * @ep: the endpoint, overwritten as a whole
 * @addr: the peer's address
 * @port: the peer's port
 */
void ovpn_endpoint_set_v4(struct ovpn_endpoint *ep, __be32 addr, __be16 port)
{
	memset(ep, 0, sizeof(*ep));
	ep->remote.family = AF_INET;
	ep->remote.addr.v4 = addr;
	ep->remote.port = port;
}
EXPORT_SYMBOL_IF_KUNIT(ovpn_endpoint_set_v4);

/**
 * ovpn_endpoint_set_v6 - start over with an IPv6 remote
 * @ep: the endpoint, overwritten as a whole
 * @addr: the peer's address; an IPv4-mapped one becomes IPv4
 * @scope_id: its interface, kept for link-local addresses alone
 * @port: the peer's port
 */
void ovpn_endpoint_set_v6(struct ovpn_endpoint *ep,
			  const struct in6_addr *addr, u32 scope_id,
			  __be16 port)
{
	if (ipv6_addr_v4mapped(addr)) {
		ovpn_endpoint_set_v4(ep, addr->s6_addr32[3], port);
		return;
	}

	memset(ep, 0, sizeof(*ep));
	ep->remote.family = AF_INET6;
	ep->remote.addr.v6 = *addr;
	ep->remote.port = port;
	ep->scope_id = ipv6_iface_scope_id(addr, scope_id);
}
EXPORT_SYMBOL_IF_KUNIT(ovpn_endpoint_set_v6);

/**
 * ovpn_endpoint_set_local_v4 - use this address of ours
 * @ep: an endpoint with a remote
 * @addr: the address to send from, or 0
 *
 * Return: false, with nothing changed, if the remote is not IPv4.
 */
bool ovpn_endpoint_set_local_v4(struct ovpn_endpoint *ep, __be32 addr)
{
	if (ep->remote.family != AF_INET)
		return false;
	ep->local.v4 = addr;
	return true;
}
EXPORT_SYMBOL_IF_KUNIT(ovpn_endpoint_set_local_v4);

/**
 * ovpn_endpoint_set_local_v6 - use this address of ours
 * @ep: an endpoint with a remote
 * @addr: the address to send from; IPv4-mapped if the remote is IPv4
 *
 * Return: false, with nothing changed, if the families do not fit.
 */
bool ovpn_endpoint_set_local_v6(struct ovpn_endpoint *ep,
				const struct in6_addr *addr)
{
	if (ipv6_addr_v4mapped(addr))
		return ovpn_endpoint_set_local_v4(ep, addr->s6_addr32[3]);
	if (ep->remote.family != AF_INET6)
		return false;
	ep->local.v6 = *addr;
	return true;
}
EXPORT_SYMBOL_IF_KUNIT(ovpn_endpoint_set_local_v6);

/**
 * ovpn_endpoint_is_unicast - is there one host at each end?
 * @ep: an endpoint with a remote
 *
 * Return: true if so; our end may be left to routing.
 */
bool ovpn_endpoint_is_unicast(const struct ovpn_endpoint *ep)
{
	__be32 peer = ep->remote.addr.v4, we = ep->local.v4;

	if (ep->remote.family == AF_INET)
		return !ipv4_is_zeronet(peer) && !ipv4_is_multicast(peer) &&
		       !ipv4_is_lbcast(peer) && !ipv4_is_multicast(we) &&
		       !ipv4_is_lbcast(we);
	return !ipv6_addr_any(&ep->remote.addr.v6) &&
	       !ipv6_addr_is_multicast(&ep->remote.addr.v6) &&
	       !ipv6_addr_is_multicast(&ep->local.v6);
}
EXPORT_SYMBOL_IF_KUNIT(ovpn_endpoint_is_unicast);

/**
 * ovpn_endpoint_from_skb - where did this datagram come from, and where to?
 * @ep: filled in
 * @skb: a received UDP datagram with its network and transport headers set
 *
 * Our address is taken only from a packet that was sent to us alone, as a
 * broadcast or multicast address is no source to answer from.
 *
 * Return: 0, or -EPROTONOSUPPORT if the packet is not of IP.
 */
int ovpn_endpoint_from_skb(struct ovpn_endpoint *ep,
			   const struct sk_buff *skb)
{
	bool unicast = skb->pkt_type == PACKET_HOST;

	switch (skb->protocol) {
	case htons(ETH_P_IP):
		ovpn_endpoint_set_v4(ep, ip_hdr(skb)->saddr,
				     udp_hdr(skb)->source);
		if (unicast)
			ep->local.v4 = ip_hdr(skb)->daddr;
		return 0;
	case htons(ETH_P_IPV6):
		ovpn_endpoint_set_v6(ep, &ipv6_hdr(skb)->saddr,
				     IP6CB(skb)->iif, udp_hdr(skb)->source);
		if (unicast)
			ovpn_endpoint_set_local_v6(ep, &ipv6_hdr(skb)->daddr);
		return 0;
	default:
		return -EPROTONOSUPPORT;
	}
}
EXPORT_SYMBOL_IF_KUNIT(ovpn_endpoint_from_skb);
