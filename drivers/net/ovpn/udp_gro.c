// SPDX-License-Identifier: GPL-2.0-only
/* OpenVPN data channel offload: datagrams that travel together (UDP GRO)
 *
 * A network card delivers datagram by datagram. GRO asks the socket that they
 * are for which of them belong together. Those are chained behind the first
 * one, each as it came, and pass IP, netfilter and UDP as one packet. Right in
 * front of encap_rcv the core takes them apart again.
 *
 * The chain looks as if the core had made it (as it does on a device with
 * rx-gro-list), and must, because the port does not tell whose a packet is: a
 * socket bound to no address also sees what is only forwarded. So it may be
 * routed, translated, bridged and cut like any other.
 */

#include "udp_gro.h"

#include <linux/list.h>
#include <linux/netdevice.h>
#include <linux/rcupdate.h>
#include <linux/stop_machine.h>
#include <linux/udp.h>
#include <linux/unaligned.h>
#include <net/gro.h>
#include <net/sock.h>
#include <net/udp_tunnel.h>

#include "proto.h"

/* in one chain, as the core has it for UDP */
#define OVPN_UDP_GRO_MAX	64

/* A data packet that may be in a chain? Only the first word of these is needed
 * later, but then it has to be where the packet can be compared to the next.
 */
static bool ovpn_udp_gro_fit(struct sk_buff *skb, unsigned int offset)
{
	const struct udphdr *udp;

	/* flush: a fragment, or something wrong with its headers. A clone's
	 * headers are not ours to write to. A packet without checksum would
	 * get one when it is cut.
	 */
	if (NAPI_GRO_CB(skb)->flush || skb->encapsulation || skb_cloned(skb) ||
	    skb_gro_len(skb) < OVPN_HEADER_SIZE ||
	    !pskb_may_pull(skb, offset + OVPN_OP_SIZE))
		return false;

	udp = (struct udphdr *)(skb->data + offset) - 1;
	return udp->check &&
	       ovpn_op_opcode(skb->data[offset]) == OVPN_OPCODE_DATA_V2;
}

/* May it follow these? Same peer and key, no longer than the first one, and the
 * IP headers say the same.
 */
static bool ovpn_udp_gro_follows(struct sk_buff *chain,
				 const struct sk_buff *skb,
				 unsigned int offset)
{
	const u8 *first = chain->data + offset, *next = skb->data + offset;
	const struct udphdr *udp1 = (const struct udphdr *)first - 1;
	const struct udphdr *udp2 = (const struct udphdr *)next - 1;
	unsigned int ip;

	/* held before the socket was ours */
	if (!NAPI_GRO_CB(chain)->is_flist || NAPI_GRO_CB(chain)->encap_mark ||
	    skb_headlen(chain) < offset + OVPN_OP_SIZE)
		return false;

	if (get_unaligned_be32(first) != get_unaligned_be32(next) ||
	    ntohs(udp2->len) > ntohs(udp1->len) ||
	    skb->ip_summed != chain->ip_summed ||
	    skb->csum_level != chain->csum_level ||
	    chain->len + skb->len >= GRO_LEGACY_MAX_SIZE)
		return false;

	ip = offset - sizeof(*udp1) - NAPI_GRO_CB(chain)->network_offset;
	return !__gro_receive_network_flush(udp2, udp1, chain, ip, false);
}

static void ovpn_udp_gro_append(struct sk_buff *chain, struct sk_buff *skb)
{
	/* where the core finds the headers when it takes the chain apart */
	skb_set_network_header(skb, NAPI_GRO_CB(skb)->network_offset);
	__skb_pull(skb, skb_gro_offset(skb));

	if (NAPI_GRO_CB(chain)->last == chain)
		skb_shinfo(chain)->frag_list = skb;
	else
		NAPI_GRO_CB(chain)->last->next = skb;
	NAPI_GRO_CB(chain)->last = skb;
	NAPI_GRO_CB(chain)->count++;

	/* the owner, the same for all, is charged through the first one */
	skb->destructor = NULL;
	skb->sk = NULL;
	chain->len += skb->len;
	chain->data_len += skb->len;
	chain->truesize += skb->truesize;
	skb_shinfo(chain)->flags |= skb_shinfo(skb)->flags &
				    SKBFL_SHARED_FRAG;

	/* it is not GRO's any more */
	NAPI_GRO_CB(skb)->same_flow = 1;
}

/* Returns true if the chain has to go up now: nothing may follow it, or what
 * comes must not overtake it.
 */
static bool ovpn_udp_gro_join(struct sk_buff *chain, struct sk_buff *skb,
			      unsigned int offset)
{
	unsigned int size = skb_gro_len(skb);

	if (NAPI_GRO_CB(skb)->flush ||
	    !ovpn_udp_gro_follows(chain, skb, offset))
		return true;

	ovpn_udp_gro_append(chain, skb);
	return size < skb_shinfo(chain)->gso_size ||
	       NAPI_GRO_CB(chain)->count >= OVPN_UDP_GRO_MAX;
}

/* Control packets are never part of a chain, and push out the one before them.
 * Nothing here depends on the socket, which may just be leaving.
 */
static struct sk_buff *ovpn_udp_gro_receive(struct sock *sk,
					    struct list_head *head,
					    struct sk_buff *skb)
{
	unsigned int offset = skb_gro_offset(skb);
	struct sk_buff *chain;

	/* no tunnel, as far as GRO can see: it ends with the UDP header */
	NAPI_GRO_CB(skb)->encap_mark = 0;
	NAPI_GRO_CB(skb)->is_flist = 1;
	if (!ovpn_udp_gro_fit(skb, offset))
		NAPI_GRO_CB(skb)->flush = 1;

	/* there is one of a flow at most: whatever does not fit behind it
	 * pushes it out
	 */
	list_for_each_entry(chain, head, list) {
		if (!NAPI_GRO_CB(chain)->same_flow)
			continue;
		return ovpn_udp_gro_join(chain, skb, offset) ? chain : NULL;
	}
	return NULL;
}

/* The core counts the sockets that have a hook, and as long as all have the
 * same one, it calls that, whoever's socket it is. Ours is counted once more
 * for this socket, which is no socket at all: so it never calls another hook
 * for ours, not even while ours are being attached and detached.
 */
static struct udp_sock ovpn_udp_gro_socket = {
	.gro_receive = ovpn_udp_gro_receive,
};

/**
 * ovpn_udp_gro_init - make our hook known
 *
 * Context: process, module init.
 */
void ovpn_udp_gro_init(void)
{
	udp_tunnel_update_gro_rcv(&ovpn_udp_gro_socket.inet.sk, true);
}

/**
 * ovpn_udp_gro_exit - our hook is not called any more when this returns
 *
 * Context: process, module exit; all sockets are detached or have been closed.
 */
void ovpn_udp_gro_exit(void)
{
	/* sockets that were closed: nobody can find them any more, but packets
	 * may still have one
	 */
	synchronize_rcu();
	udp_tunnel_update_gro_rcv(&ovpn_udp_gro_socket.inet.sk, false);
}

/**
 * ovpn_udp_gro_attach - let datagrams to a socket travel together
 * @sk: the socket
 * @cfg: the hook goes in here, for setup_udp_tunnel_sock(), which is next
 *
 * With PREEMPT_RT nothing could stop packets for ovpn_udp_gro_detach(): such a
 * kernel goes without.
 *
 * Context: process, lock_sock() held.
 */
void ovpn_udp_gro_attach(struct sock *sk, struct udp_tunnel_sock_cfg *cfg)
{
	/* IPsec leaves its own behind, and that is counted, too */
	udp_tunnel_update_gro_rcv(sk, false);
	cfg->gro_receive = IS_ENABLED(CONFIG_PREEMPT_RT) ?
		udp_sk(sk)->gro_receive : ovpn_udp_gro_receive;
}

static int ovpn_udp_gro_clear(void *sk)
{
	WRITE_ONCE(udp_sk(sk)->gro_receive, NULL);
	return 0;
}

/**
 * ovpn_udp_gro_detach - let the datagrams come one by one again
 * @sk: the socket
 *
 * The core looks twice at the hook of one socket, without a lock: is there one,
 * and which one is it? In between it must not disappear. So it does while no
 * CPU handles packets.
 *
 * Context: process, lock_sock() held.
 */
void ovpn_udp_gro_detach(struct sock *sk)
{
	/* One that is being closed keeps it: the core drops its count then,
	 * maybe right now. User space may have made it an IPsec socket.
	 */
	if (sock_flag(sk, SOCK_DEAD) ||
	    udp_sk(sk)->gro_receive != ovpn_udp_gro_receive)
		return;

	udp_tunnel_update_gro_rcv(sk, false);
	stop_machine(ovpn_udp_gro_clear, sk, NULL);
}
