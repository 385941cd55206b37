/* SPDX-License-Identifier: GPL-2.0-only */
/* UDP tunnels: sending, and taking a socket */

#ifndef _OVPN_COMPAT_NET_UDP_TUNNEL_H_
#define _OVPN_COMPAT_NET_UDP_TUNNEL_H_

#include_next <net/udp_tunnel.h>

#include <ovpn-lacks.h>

/* flags for the control block, of which we set none */
#ifdef OVPN_LACKS_UDP_IPCB_FLAGS
#define udp_tunnel_xmit_skb(rt, sk, skb, src, dst, tos, ttl, df, sport,	\
			    dport, xnet, nocheck, flags)		\
	udp_tunnel_xmit_skb(rt, sk, skb, src, dst, tos, ttl, df, sport,	\
			    dport, xnet, nocheck)
#define udp_tunnel6_xmit_skb(dst, sk, skb, dev, saddr, daddr, prio, ttl, \
			     label, sport, dport, nocheck, flags)	\
	udp_tunnel6_xmit_skb(dst, sk, skb, dev,				\
			     (struct in6_addr *)(saddr),		\
			     (struct in6_addr *)(daddr), prio, ttl,	\
			     label, sport, dport, nocheck)
#endif

/* A hook of ours for GRO would need a core that counts it, and that ends chains
 * as ours end. Without, datagrams come one by one. What is there stays: packets
 * look at it without a lock.
 */
#ifdef OVPN_LACKS_UDP_GRO
static inline void udp_tunnel_update_gro_rcv(struct sock *sk, bool add)
{
}
#endif

#if defined(OVPN_LACKS_UDP_SETUP_SK) || defined(OVPN_LACKS_UDP_GRO)
static inline void ovpn_compat_setup_udp(struct net *net, struct sock *sk,
					 struct udp_tunnel_sock_cfg *cfg)
{
#ifdef OVPN_LACKS_UDP_GRO
	cfg->gro_receive = udp_sk(sk)->gro_receive;
	cfg->gro_complete = udp_sk(sk)->gro_complete;
#endif
#ifdef OVPN_LACKS_UDP_SETUP_SK
	setup_udp_tunnel_sock(net, sk->sk_socket, cfg);
#else
	setup_udp_tunnel_sock(net, sk, cfg);
#endif
}

#define setup_udp_tunnel_sock	ovpn_compat_setup_udp
#endif

/* Settings of a socket that nobody can take the address of: a copy. Here, as
 * headers of the kernel want the rest of them.
 */
#ifdef OVPN_LACKS_INET6_PMTUDISC
struct ovpn_compat_inet6 {
	u8 pmtudisc;
	u8 tclass;
};

#define inet6_sk(sk) (&(const struct ovpn_compat_inet6) {		\
	.pmtudisc = inet6_sk(sk)->pmtudisc,				\
	.tclass = inet6_sk(sk)->tclass,					\
})
#endif

#endif /* _OVPN_COMPAT_NET_UDP_TUNNEL_H_ */
