// SPDX-License-Identifier: GPL-2.0-only
/* OpenVPN data channel offload: packets out
 *
 * From the network stack to the transport in one go, on the sender's CPU,
 * inside one RCU read section. A super-packet is looked up, counted and given
 * its packet ids once, for all its segments.
 */

#include "io.h"

#include <linux/icmpv6.h>
#include <linux/timekeeping.h>
#include <net/gso.h>
#include <net/icmp.h>
#include <net/ip.h>
#include <net/ip_tunnels.h>
#include <net/ipv6.h>

#include "crypto.h"
#include "crypto_aead.h"
#include "drop.h"
#include "netlink_ntf.h"
#include "ovpn.h"
#include "peer.h"
#include "proto.h"
#include "route.h"
#include "skb.h"
#include "socket.h"
#include "stats.h"

/* what the transports push without asking: our header, UDP and IP */
#define OVPN_TX_PUSH	(OVPN_HEADER_SIZE + sizeof(struct udphdr) + \
			 sizeof(struct ipv6hdr))

static_assert(OVPN_TX_PUSH >= OVPN_AEAD_HEADROOM);

/**
 * ovpn_tx_headroom - room to leave in front of packets for the device
 *
 * Return: bytes, those of the link layer below included.
 */
unsigned int ovpn_tx_headroom(void)
{
	return OVPN_TX_PUSH + LL_MAX_HEADER;
}

/* Sealing writes over the packet and in front of it. Make sure that nobody
 * else sees that, as TCP would, which keeps its data for retransmission.
 */
static struct sk_buff *ovpn_tx_writable(struct sk_buff *skb)
{
	struct sk_buff *copy;

	if (!skb_is_nonlinear(skb) && !skb_cloned(skb) &&
	    skb_headroom(skb) >= OVPN_TX_PUSH)
		return skb;

	copy = skb_copy_expand(skb, ovpn_tx_headroom(), 0,
			       GFP_ATOMIC | __GFP_NOWARN);
	if (unlikely(!copy))
		return NULL;
	ovpn_skb_move_owner(copy, skb);
	consume_skb(skb);
	return copy;
}

/* the buffer turns from an inner packet into a payload */
static void ovpn_tx_forget_inner(struct sk_buff *skb, u8 dsfield)
{
	skb_dst_drop(skb);
	skb_gso_reset(skb);
	skb->encapsulation = 0;
	skb->ip_summed = CHECKSUM_NONE;
	skb_reset_inner_headers(skb);
	skb_set_inner_network_header(skb, 0);
	memset(skb->cb, 0, sizeof(skb->cb));
	ovpn_tx_cb(skb)->dsfield = dsfield;
}

/* seal one packet; consumes it and returns NULL if that fails */
static struct sk_buff *ovpn_tx_seal(struct ovpn_peer *peer,
				    const struct ovpn_key *key,
				    struct sk_buff *skb, u32 id, u8 dsfield)
{
	u32 op = ovpn_op_pack(key->id, READ_ONCE(peer->tx_id));
	enum ovpn_drop why = OVPN_DROP_TX_NOMEM;
	struct sk_buff *whole;

	whole = ovpn_tx_writable(skb);
	if (unlikely(!whole))
		goto err_drop;
	skb = whole;

	why = OVPN_DROP_TX_CSUM;
	if (skb->ip_summed == CHECKSUM_PARTIAL && skb_checksum_help(skb))
		goto err_drop;

	why = OVPN_DROP_TX_SEAL;
	if (unlikely(ovpn_aead_seal(key, op, id, skb->data, skb->len)))
		goto err_drop;

	__skb_push(skb, OVPN_HEADER_SIZE);
	ovpn_tx_forget_inner(skb, dsfield);
	return skb;

err_drop:
	ovpn_drop(peer->ovpn, skb, why);
	return NULL;
}

/* the primary key and ids for all packets of a list, or NULL */
static struct ovpn_key *ovpn_tx_reserve(struct ovpn_peer *peer,
					struct sk_buff *list, u32 *id)
{
	unsigned int packets = 0, blocks = 0;
	struct sk_buff *skb, *next;
	struct ovpn_key *key;
	bool rekey;
	int ret;

	key = ovpn_keyring_lookup_tx_rcu(&peer->keys);
	if (unlikely(!key)) {
		ovpn_drop(peer->ovpn, list, OVPN_DROP_TX_NO_KEY);
		return NULL;
	}

	skb_list_walk_safe(list, skb, next) {
		packets++;
		blocks += DIV_ROUND_UP(skb->len, 16);
	}

	ret = ovpn_aead_reserve(key, packets, blocks, id, &rekey);
	if (unlikely(rekey))
		ovpn_notify_key_swap(peer, key->id);
	if (unlikely(ret)) {
		ovpn_drop(peer->ovpn, list, OVPN_DROP_TX_EXHAUSTED);
		return NULL;
	}
	return key;
}

/* Seal and send a list of plaintexts. Returns how many went, and their sealed
 * size in @bytes. RCU read section, BH off.
 */
static unsigned int ovpn_tx_list(struct ovpn_peer *peer, struct sk_buff *list,
				 u8 dsfield, unsigned int *bytes)
{
	struct sk_buff *skb, *next, *sealed = NULL, **tail = &sealed;
	struct ovpn_key *key;
	unsigned int sent;
	u32 id;

	key = ovpn_tx_reserve(peer, list, &id);
	if (unlikely(!key))
		return 0;

	skb_list_walk_safe(list, skb, next) {
		skb_mark_not_on_list(skb);
		skb = ovpn_tx_seal(peer, key, skb, id++, dsfield);
		if (unlikely(!skb))
			continue;
		*tail = skb;
		tail = &skb->next;
	}
	if (unlikely(!sealed))
		return 0;

	sent = peer->sock->ops->send(peer, sealed, bytes);
	if (likely(sent)) {
		ovpn_counter_add(&peer->tx.link, sent, *bytes);
		ovpn_peer_touch(&peer->last_sent,
				ktime_get_boottime_seconds());
	}
	return sent;
}

/* tell the sender that nobody is there */
static void ovpn_tx_unreachable(struct sk_buff *skb)
{
	if (skb->protocol == htons(ETH_P_IP))
		icmp_ndo_send(skb, ICMP_DEST_UNREACH, ICMP_HOST_UNREACH, 0);
	else
		icmpv6_ndo_send(skb, ICMPV6_DEST_UNREACH, ICMPV6_ADDR_UNREACH,
				0);
}

/* cut a super-packet into segments: linear, with their checksums */
static struct sk_buff *ovpn_tx_segment(struct ovpn_priv *ovpn,
				       struct sk_buff *skb)
{
	struct sk_buff *segs;

	if (!skb_is_gso(skb)) {
		skb_mark_not_on_list(skb);
		return skb;
	}

	segs = skb_gso_segment(skb, 0);
	if (IS_ERR_OR_NULL(segs)) {
		ovpn_drop(ovpn, skb, OVPN_DROP_TX_GSO);
		return NULL;
	}
	consume_skb(skb);
	return segs;
}

static void ovpn_tx_packet(struct ovpn_priv *ovpn, struct sk_buff *skb)
{
	unsigned int sent, bytes = 0;
	struct ovpn_peer *peer;
	u8 dsfield;

	if (unlikely(!pskb_inet_may_pull(skb) ||
		     ip_tunnel_parse_protocol(skb) != skb->protocol)) {
		ovpn_drop(ovpn, skb, OVPN_DROP_TX_PROTO);
		return;
	}

	peer = ovpn_route_peer_rcu(ovpn, skb);
	if (unlikely(!peer)) {
		ovpn_tx_unreachable(skb);
		ovpn_drop(ovpn, skb, OVPN_DROP_TX_NO_PEER);
		return;
	}

	dsfield = skb->protocol == htons(ETH_P_IP) ?
		  ip_hdr(skb)->tos : ipv6_get_dsfield(ipv6_hdr(skb));
	skb = ovpn_tx_segment(ovpn, skb);
	if (unlikely(!skb))
		return;

	sent = ovpn_tx_list(peer, skb, dsfield, &bytes);
	if (likely(sent)) {
		bytes -= sent * OVPN_HEADER_SIZE;
		ovpn_counter_add(&peer->tx.vpn, sent, bytes);
		ovpn_dev_count_tx(ovpn->dev, sent, bytes);
	}
}

/**
 * ovpn_tx_start_xmit - send a packet, .ndo_start_xmit
 * @skb: the packet, or super-packet
 * @dev: the device
 *
 * Context: BH off.
 * Return: NETDEV_TX_OK, always: what cannot be sent has been dropped, and the
 * sender has nothing to do about it.
 */
netdev_tx_t ovpn_tx_start_xmit(struct sk_buff *skb, struct net_device *dev)
{
	rcu_read_lock();
	ovpn_tx_packet(netdev_priv(dev), skb);
	rcu_read_unlock();
	return NETDEV_TX_OK;
}

/**
 * ovpn_tx_keepalive - send a keepalive message
 * @peer: the peer
 *
 * Context: BH off, RCU read section.
 */
void ovpn_tx_keepalive(struct ovpn_peer *peer)
{
	unsigned int bytes = 0;
	struct sk_buff *skb;

	skb = alloc_skb(ovpn_tx_headroom() + OVPN_KEEPALIVE_SIZE,
			GFP_ATOMIC | __GFP_NOWARN);
	if (unlikely(!skb)) {
		ovpn_drop_count(peer->ovpn, OVPN_DROP_TX_NOMEM);
		return;
	}

	skb_reserve(skb, ovpn_tx_headroom());
	skb_put_data(skb, ovpn_keepalive_message, OVPN_KEEPALIVE_SIZE);
	ovpn_tx_list(peer, skb, 0, &bytes);
}
