/* SPDX-License-Identifier: GPL-2.0-only */
/* OpenVPN data channel offload: datagrams that travel together (UDP GRO) */

#ifndef _NET_OVPN_UDP_GRO_H_
#define _NET_OVPN_UDP_GRO_H_

#include <linux/skbuff.h>

struct sock;
struct udp_tunnel_sock_cfg;

/**
 * ovpn_udp_gro_single - a datagram goes on alone
 * @skb: the datagram, as encap_rcv gets it
 *
 * The core has taken apart what had travelled together. The next one is still
 * in skb->next, and the first one is charged with the memory of all.
 *
 * Context: encap_rcv.
 */
static inline void ovpn_udp_gro_single(struct sk_buff *skb)
{
	if (!skb->next)
		return;
	skb_mark_not_on_list(skb);
	/* nobody pays for it now: IP has orphaned it */
	if (!skb_is_nonlinear(skb))
		skb->truesize = SKB_TRUESIZE(skb_end_offset(skb));
}

void ovpn_udp_gro_init(void);
void ovpn_udp_gro_exit(void);
void ovpn_udp_gro_attach(struct sock *sk, struct udp_tunnel_sock_cfg *cfg);
void ovpn_udp_gro_detach(struct sock *sk);

#endif /* _NET_OVPN_UDP_GRO_H_ */
