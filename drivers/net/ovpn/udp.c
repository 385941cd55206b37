// SPDX-License-Identifier: GPL-2.0-only
/* OpenVPN data channel offload: UDP transport
 *
 * Whatever user space has set on its socket holds for data packets, too:
 * SO_MARK, SO_BINDTODEVICE, IP_TOS, IP_MTU_DISCOVER, SO_NO_CHECK.
 */

#include "udp.h"

#include <linux/inetdevice.h>
#include <linux/netlink.h>
#include <linux/slab.h>
#include <linux/udp.h>
#include <net/addrconf.h>
#include <net/dst.h>
#include <net/inet_dscp.h>
#include <net/inet_ecn.h>
#include <net/ip6_route.h>
#include <net/ipv6.h>
#include <net/route.h>
#include <net/udp.h>
#include <net/udp_tunnel.h>
#include <uapi/linux/udp.h>

#include "drop.h"
#include "endpoint.h"
#include "io.h"
#include "ovpn.h"
#include "peer.h"
#include "proto.h"
#include "skb.h"
#include "socket.h"
#include "udp_gro.h"

/**
 * struct ovpn_udp - a UDP socket in our use
 * @sock: our use of it
 * @mc_loop: the socket's setting before attach
 */
struct ovpn_udp {
	struct ovpn_socket sock;
	bool mc_loop;
};

static struct ovpn_udp *ovpn_udp(struct ovpn_socket *sock)
{
	return container_of(sock, struct ovpn_udp, sock);
}

static bool ovpn_udp_owns(const struct sock *sk)
{
	return READ_ONCE(udp_sk(sk)->encap_type) == UDP_ENCAP_OVPNINUDP;
}

static int ovpn_udp_check(const struct sock *sk,
			  struct netlink_ext_ack *extack)
{
	if (!READ_ONCE(udp_sk(sk)->encap_type))
		return 0;
	NL_SET_ERR_MSG(extack, "socket is used by something else");
	return -EBUSY;
}

/* Control packets belong to user space. Returns > 0 for them, as encap_rcv
 * has to.
 */
static int ovpn_udp_encap_rcv(struct sock *sk, struct sk_buff *skb)
{
	struct ovpn_socket *sock = ovpn_socket_lookup_rcu(sk, ovpn_udp_owns);
	const u8 *first;
	u8 buf;

	first = ovpn_skb_pointer(skb, sizeof(struct udphdr), 1, &buf);
	if (unlikely(!sock || !first))
		return 1;

	switch (ovpn_op_opcode(*first)) {
	case OVPN_OPCODE_DATA_V2:
		ovpn_udp_gro_single(skb);
		ovpn_rx_enqueue(sock->ovpn, skb);
		return 0;
	case OVPN_OPCODE_DATA_V1:
		if (sock->ovpn->user->data_v1)
			return 1;
		ovpn_udp_gro_single(skb);
		ovpn_drop(sock->ovpn, skb, OVPN_DROP_RX_V1);
		return 0;
	default:
		return 1;
	}
}

/* the owner closes the socket; no lock is held */
static void ovpn_udp_encap_destroy(struct sock *sk)
{
	struct ovpn_socket *sock = ovpn_socket_get(sk, ovpn_udp_owns);

	if (!sock)
		return;
	sock->gone(sock, OVPN_DEL_PEER_REASON_TRANSPORT_DISCONNECT);
	ovpn_socket_put(sock);
}

static void ovpn_udp_attach(struct ovpn_socket *sock, struct ovpn_peer *peer)
{
	struct udp_tunnel_sock_cfg cfg = {
		.sk_user_data = sock,
		.encap_type = UDP_ENCAP_OVPNINUDP,
		.encap_rcv = ovpn_udp_encap_rcv,
		.encap_destroy = ovpn_udp_encap_destroy,
	};

	ovpn_udp(sock)->mc_loop = inet_test_bit(MC_LOOP, sock->sk);
	ovpn_udp_gro_attach(sock->sk, &cfg);
	setup_udp_tunnel_sock(sock_net(sock->sk), sock->sk, &cfg);
	/* converting checksums helps nobody whose payload is encrypted */
	inet_dec_convert_csum(sock->sk);
}

/* The socket keeps ENCAP_ENABLED, and with it its share in the static key
 * that lets UDP look for tunnels: closing it drops both.
 */
static void ovpn_udp_detach(struct ovpn_socket *sock)
{
	struct udp_sock *up = udp_sk(sock->sk);

	ovpn_udp_gro_detach(sock->sk);
	WRITE_ONCE(up->encap_type, 0);
	WRITE_ONCE(up->encap_rcv, NULL);
	WRITE_ONCE(up->encap_destroy, NULL);
	smp_wmb(); /* pairs with ovpn_socket_lookup_rcu() */
	rcu_assign_sk_user_data(sock->sk, NULL);
	inet_assign_bit(MC_LOOP, sock->sk, ovpn_udp(sock)->mc_loop);
}

/* the route in the peer's cache, if it is still the answer */
static const struct ovpn_peer_route *
ovpn_udp_cached_route(const struct ovpn_peer *peer, const struct sock *sk,
		      const struct ovpn_peer_endpoint *endpoint)
{
	const struct ovpn_peer_route *route = rcu_dereference(peer->route);

	if (route && route->serial == endpoint->serial &&
	    route->mark == READ_ONCE(sk->sk_mark) &&
	    route->oif == READ_ONCE(sk->sk_bound_dev_if) &&
	    route->sport == inet_sk(sk)->inet_sport &&
	    dst_check(route->dst, route->cookie))
		return route;
	return NULL;
}

static struct dst_entry *ovpn_udp_lookup4(struct ovpn_peer_route *route,
					  const struct ovpn_endpoint *ep,
					  struct sock *sk)
{
	struct net *net = sock_net(sk);
	struct flowi4 fl = {
		.flowi4_oif = route->oif,
		.flowi4_mark = route->mark,
		.flowi4_proto = IPPROTO_UDP,
		.flowi4_dscp = inet_sk_dscp(inet_sk(sk)),
		.flowi4_uid = sk_uid(sk),
		.saddr = ep->local.v4 ?: inet_sk(sk)->inet_saddr,
		.daddr = ep->remote.addr.v4,
		.fl4_sport = route->sport,
		.fl4_dport = ep->remote.port,
	};
	struct rtable *rt;

	/* an address that has been taken from us is no source any more */
	if (fl.saddr && !inet_confirm_addr(net, NULL, 0, fl.saddr,
					   RT_SCOPE_HOST))
		fl.saddr = 0;

	security_sk_classify_flow(sk, flowi4_to_flowi_common(&fl));
	rt = ip_route_output_flow(net, &fl, sk);
	if (IS_ERR(rt))
		return ERR_CAST(rt);
	route->saddr.v4 = fl.saddr;
	return &rt->dst;
}

#if IS_ENABLED(CONFIG_IPV6)
static struct dst_entry *ovpn_udp_lookup6(struct ovpn_peer_route *route,
					  const struct ovpn_endpoint *ep,
					  struct sock *sk)
{
	struct net *net = sock_net(sk);
	struct flowi6 fl = {
		.flowi6_oif = ep->scope_id ?: route->oif,
		.flowi6_mark = route->mark,
		.flowi6_proto = IPPROTO_UDP,
		.flowi6_uid = sk_uid(sk),
		.saddr = ep->local.v6,
		.daddr = ep->remote.addr.v6,
		.fl6_sport = route->sport,
		.fl6_dport = ep->remote.port,
	};
	struct dst_entry *dst;

	if (ipv6_addr_any(&fl.saddr))
		fl.saddr = sk->sk_v6_rcv_saddr;
	if (!ipv6_addr_any(&fl.saddr) &&
	    !ipv6_chk_addr(net, &fl.saddr, NULL, 0))
		fl.saddr = in6addr_any;

	security_sk_classify_flow(sk, flowi6_to_flowi_common(&fl));
	dst = ip6_dst_lookup_flow(net, sk, &fl, NULL);
	if (!IS_ERR(dst))
		route->saddr.v6 = fl.saddr;
	return dst;
}
#else
static struct dst_entry *ovpn_udp_lookup6(struct ovpn_peer_route *route,
					  const struct ovpn_endpoint *ep,
					  struct sock *sk)
{
	return ERR_PTR(-EAFNOSUPPORT);
}
#endif

/* look the route up, and remember it in the peer */
static const struct ovpn_peer_route *
ovpn_udp_new_route(struct ovpn_peer *peer, struct sock *sk,
		   const struct ovpn_peer_endpoint *endpoint)
{
	const struct ovpn_endpoint *ep = &endpoint->ep;
	struct ovpn_peer_route *route;
	struct dst_entry *dst;

	route = kzalloc_obj(*route, GFP_ATOMIC | __GFP_NOWARN);
	if (!route)
		return NULL;

	route->serial = endpoint->serial;
	route->mark = READ_ONCE(sk->sk_mark);
	route->oif = READ_ONCE(sk->sk_bound_dev_if);
	route->sport = inet_sk(sk)->inet_sport;

	dst = ep->remote.family == AF_INET ? ovpn_udp_lookup4(route, ep, sk) :
					     ovpn_udp_lookup6(route, ep, sk);
	if (IS_ERR(dst))
		goto err_free;
	/* a tunnel inside itself would never end */
	if (dst->dev == peer->ovpn->dev)
		goto err_release;

	route->dst = dst;
	if (ep->remote.family == AF_INET6)
		route->cookie = rt6_get_cookie(dst_rt6_info(dst));
	/* it stays for the read section, even if another CPU replaces it */
	ovpn_peer_set_route(peer, &peer->route, route);
	return route;

err_release:
	dst_release(dst);
err_free:
	kfree(route);
	return NULL;
}

/* with DF set by the socket's owner, what does not fit cannot go */
static bool ovpn_udp_too_big(const struct sk_buff *skb,
			     const struct dst_entry *dst, unsigned int overhead,
			     u8 pmtudisc)
{
	return pmtudisc == IP_PMTUDISC_DO && !skb_is_gso(skb) &&
	       skb->len + overhead > dst_mtu(dst);
}

/* Several datagrams in one buffer: IP, netfilter and queues see it once. The
 * checksum is filled in where it is cut, in the device at best.
 */
static void ovpn_udp_set_gso(struct sk_buff *skb)
{
	struct skb_shared_info *shinfo = skb_shinfo(skb);

	shinfo->gso_size = ovpn_tx_cb(skb)->size;
	shinfo->gso_segs = ovpn_tx_cb(skb)->packets;
	shinfo->gso_type = SKB_GSO_UDP_L4;
	skb->ip_summed = CHECKSUM_PARTIAL;
	/* the header is pushed right in front */
	skb->csum_start = skb_headroom(skb) - sizeof(struct udphdr);
	skb->csum_offset = offsetof(struct udphdr, check);
}

static bool ovpn_udp_send4(struct ovpn_priv *ovpn, struct sock *sk,
			   const struct ovpn_peer_route *route,
			   const struct ovpn_endpoint *ep, struct sk_buff *skb)
{
	u8 pmtudisc = READ_ONCE(inet_sk(sk)->pmtudisc);
	u8 tos = READ_ONCE(inet_sk(sk)->tos);
	__be16 df = 0;

	if (unlikely(ovpn_udp_too_big(skb, route->dst, sizeof(struct iphdr) +
				      sizeof(struct udphdr), pmtudisc))) {
		ovpn_drop(ovpn, skb, OVPN_DROP_TX_TOO_BIG);
		return false;
	}
	if (pmtudisc == IP_PMTUDISC_DO || pmtudisc == IP_PMTUDISC_PROBE)
		df = htons(IP_DF);

	tos = INET_ECN_encapsulate(tos, ovpn_tx_cb(skb)->dsfield);
	dst_hold(route->dst);
	udp_tunnel_xmit_skb(dst_rtable(route->dst), sk, skb, route->saddr.v4,
			    ep->remote.addr.v4, tos,
			    ip4_dst_hoplimit(route->dst), df, route->sport,
			    ep->remote.port, false, sk->sk_no_check_tx, 0);
	return true;
}

#if IS_ENABLED(CONFIG_IPV6)
static bool ovpn_udp_send6(struct ovpn_priv *ovpn, struct sock *sk,
			   const struct ovpn_peer_route *route,
			   const struct ovpn_endpoint *ep, struct sk_buff *skb)
{
	u8 pmtudisc = READ_ONCE(inet6_sk(sk)->pmtudisc);
	u8 tclass = inet6_sk(sk)->tclass;

	if (unlikely(ovpn_udp_too_big(skb, route->dst, sizeof(struct ipv6hdr) +
				      sizeof(struct udphdr), pmtudisc))) {
		ovpn_drop(ovpn, skb, OVPN_DROP_TX_TOO_BIG);
		return false;
	}

	tclass = INET_ECN_encapsulate(tclass, ovpn_tx_cb(skb)->dsfield);
	skb_scrub_packet(skb, false);
	skb_clear_hash_if_not_l4(skb);
	/* fragmenting here is our business, no error of the sender's */
	skb->ignore_df = 1;

	dst_hold(route->dst);
	udp_tunnel6_xmit_skb(route->dst, sk, skb, NULL, &route->saddr.v6,
			     &ep->remote.addr.v6, tclass,
			     ip6_dst_hoplimit(route->dst), 0, route->sport,
			     ep->remote.port, udp_get_no_check6_tx(sk), 0);
	return true;
}
#else
static bool ovpn_udp_send6(struct ovpn_priv *ovpn, struct sock *sk,
			   const struct ovpn_peer_route *route,
			   const struct ovpn_endpoint *ep, struct sk_buff *skb)
{
	ovpn_drop(ovpn, skb, OVPN_DROP_TX_NO_ROUTE);
	return false;
}
#endif

/* nowhere to go: drop all, each packet for itself */
static void ovpn_udp_drop(struct ovpn_priv *ovpn, struct sk_buff *list,
			  enum ovpn_drop why)
{
	struct sk_buff *skb, *next;
	unsigned int packets;

	skb_list_walk_safe(list, skb, next) {
		skb_mark_not_on_list(skb);
		for (packets = ovpn_tx_cb(skb)->packets; packets > 1; packets--)
			ovpn_drop_count(ovpn, why);
		ovpn_drop(ovpn, skb, why);
	}
}

/* how to get to the peer, or NULL */
static const struct ovpn_peer_route *
ovpn_udp_route(struct ovpn_peer *peer,
	       const struct ovpn_peer_endpoint *endpoint)
{
	struct sock *sk = peer->sock->sk;
	const struct ovpn_peer_route *route;

	if (unlikely(!endpoint))
		return NULL;
	route = ovpn_udp_cached_route(peer, sk, endpoint);
	return likely(route) ? route : ovpn_udp_new_route(peer, sk, endpoint);
}

/* As udp_send_skb() has it, and only what need not be fragmented */
static unsigned int ovpn_udp_gso_max(struct ovpn_peer *peer, unsigned int size)
{
	const struct ovpn_peer_endpoint *endpoint;
	const struct ovpn_peer_route *route;
	struct sock *sk = peer->sock->sk;
	unsigned int ip, max;
	bool no_check;

	endpoint = rcu_dereference(peer->endpoint);
	route = ovpn_udp_route(peer, endpoint);
	if (unlikely(!route))
		return 0;

	if (endpoint->ep.remote.family == AF_INET) {
		no_check = sk->sk_no_check_tx;
		ip = sizeof(struct iphdr);
		max = IP_MAX_MTU - ip;
	} else {
		no_check = udp_get_no_check6_tx(sk);
		ip = sizeof(struct ipv6hdr);
		max = IP_MAX_MTU;
	}
	if (no_check || dst_xfrm(route->dst) ||
	    ip + sizeof(struct udphdr) + size > dst_mtu(route->dst))
		return 0;
	return max - sizeof(struct udphdr);
}

/* what the path takes, as far as we know, less what an inner packet grows by */
static unsigned int ovpn_udp_mtu(struct ovpn_peer *peer)
{
	unsigned int mtu, overhead = sizeof(struct udphdr) + OVPN_HEADER_SIZE;
	const struct ovpn_peer_endpoint *endpoint;
	const struct ovpn_peer_route *route;

	endpoint = rcu_dereference(peer->endpoint);
	route = ovpn_udp_route(peer, endpoint);
	if (unlikely(!route))
		return 0;

	overhead += endpoint->ep.remote.family == AF_INET ?
		    sizeof(struct iphdr) : sizeof(struct ipv6hdr);
	mtu = dst_mtu(route->dst);
	return mtu > overhead ? mtu - overhead : 0;
}

static void ovpn_udp_send(struct ovpn_peer *peer, struct sk_buff *list)
{
	unsigned int sent = 0, bytes = 0, packets, len;
	const struct ovpn_peer_endpoint *endpoint;
	bool inner = ovpn_tx_cb(list)->inner;
	const struct ovpn_peer_route *route;
	struct ovpn_priv *ovpn = peer->ovpn;
	struct sock *sk = peer->sock->sk;
	struct sk_buff *skb, *next;

	endpoint = rcu_dereference(peer->endpoint);
	route = ovpn_udp_route(peer, endpoint);
	if (unlikely(!route)) {
		ovpn_udp_drop(ovpn, list, OVPN_DROP_TX_NO_ROUTE);
		return;
	}

	skb_list_walk_safe(list, skb, next) {
		skb_mark_not_on_list(skb);
		skb->dev = NULL; /* the driver does the counting */
		skb->mark = route->mark;
		packets = ovpn_tx_cb(skb)->packets;
		if (packets > 1)
			ovpn_udp_set_gso(skb);
		len = skb->len;
		if (endpoint->ep.remote.family == AF_INET ?
		    ovpn_udp_send4(ovpn, sk, route, &endpoint->ep, skb) :
		    ovpn_udp_send6(ovpn, sk, route, &endpoint->ep, skb)) {
			bytes += len;
			sent += packets;
		}
	}
	if (likely(sent))
		ovpn_peer_sent(peer, sent, bytes, inner);
}

const struct ovpn_transport_ops ovpn_udp_ops = {
	.size = sizeof(struct ovpn_udp),
	.shared = true,
	.owns = ovpn_udp_owns,
	.check = ovpn_udp_check,
	.attach = ovpn_udp_attach,
	.detach = ovpn_udp_detach,
	.gso_max = ovpn_udp_gso_max,
	.mtu = ovpn_udp_mtu,
	.send = ovpn_udp_send,
};
