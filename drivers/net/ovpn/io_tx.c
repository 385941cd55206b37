// SPDX-License-Identifier: GPL-2.0-only
/* OpenVPN data channel offload: packets out
 *
 * From the network stack to the transport in one go, on the sender's CPU,
 * inside one RCU read section. A super-packet is looked up, counted and given
 * its packet ids once, for all its segments.
 */

#include "io.h"

#include <kunit/visibility.h>
#include <linux/icmpv6.h>
#include <linux/unaligned.h>
#include <net/gso.h>
#include <net/icmp.h>
#include <net/ip.h>
#include <net/ip_tunnels.h>
#include <net/ipv6.h>

#include "crypto.h"
#include "crypto_aead.h"
#include "drop.h"
#include "mss.h"
#include "ovpn.h"
#include "peer.h"
#include "proto.h"
#include "route.h"
#include "skb.h"
#include "socket.h"
#include "stats.h"

/* Sealing writes over the packet and in front of it. Make sure that nobody
 * else sees that, as TCP would, which keeps its data for retransmission.
 */
static struct sk_buff *ovpn_tx_writable(struct sk_buff *skb)
{
	struct sk_buff *copy;

	if (!skb_is_nonlinear(skb) && !skb_cloned(skb) &&
	    skb_headroom(skb) >= OVPN_TX_PUSH)
		return skb;

	copy = skb_copy_expand(skb, OVPN_TX_HEADROOM, 0,
			       GFP_ATOMIC | __GFP_NOWARN);
	if (unlikely(!copy))
		return NULL;
	ovpn_skb_move_owner(copy, skb);
	consume_skb(skb);
	return copy;
}

/* TCP: how long the packet is */
static void ovpn_tx_push_length(struct sk_buff *skb)
{
	unsigned int len = skb->len;

	put_unaligned_be16(len, __skb_push(skb, OVPN_LENGTH_SIZE));
}

/* the buffer turns from an inner packet into a payload */
static void ovpn_tx_forget_inner(struct sk_buff *skb,
				 const struct ovpn_tx_cb *cb)
{
	skb_dst_drop(skb);
	skb_gso_reset(skb);
	skb->encapsulation = 0;
	skb->ip_summed = CHECKSUM_NONE;
	skb_reset_inner_headers(skb);
	skb_set_inner_network_header(skb, 0);
	memset(skb->cb, 0, sizeof(skb->cb));
	*ovpn_tx_cb(skb) = *cb;
}

/* seal one packet; consumes it and returns NULL if that fails */
static struct sk_buff *ovpn_tx_seal(const struct ovpn_seal *seal,
				    struct sk_buff *skb, u32 id)
{
	enum ovpn_drop why = OVPN_DROP_TX_TOO_BIG;
	struct sk_buff *whole;

	/* past any MTU, as tc may redirect it: its length would not fit */
	if (unlikely(seal->prefix && skb->len > U16_MAX - OVPN_HEADER_SIZE))
		goto err_drop;

	why = OVPN_DROP_TX_NOMEM;
	whole = ovpn_tx_writable(skb);
	if (unlikely(!whole))
		goto err_drop;
	skb = whole;

	why = OVPN_DROP_TX_CSUM;
	if (skb->ip_summed == CHECKSUM_PARTIAL && skb_checksum_help(skb))
		goto err_drop;

	why = OVPN_DROP_TX_SEAL;
	if (unlikely(ovpn_aead_seal(seal->key, seal->op, id, skb->data,
				    skb->len)))
		goto err_drop;

	__skb_push(skb, OVPN_HEADER_SIZE);
	if (seal->prefix)
		ovpn_tx_push_length(skb);
	ovpn_tx_forget_inner(skb, &seal->cb);
	return skb;

err_drop:
	ovpn_drop(seal->peer->ovpn, skb, why);
	return NULL;
}

/* Get ready to seal @packets packets: key and ids. Returns false if there are
 * none; nothing has been dropped then.
 */
static bool ovpn_tx_reserve(struct ovpn_seal *seal, struct ovpn_peer *peer,
			    unsigned int packets, unsigned int blocks,
			    enum ovpn_drop *why)
{
	struct ovpn_key *key;
	bool rekey;
	int ret;

	*why = OVPN_DROP_TX_NO_KEY;
	key = ovpn_keyring_lookup_tx_rcu(&peer->keys);
	if (unlikely(!key))
		return false;

	*why = OVPN_DROP_TX_EXHAUSTED;
	ret = ovpn_aead_reserve(key, packets, blocks, &seal->id, &rekey);
	if (unlikely(rekey) && peer->ovpn->user->key_swap)
		peer->ovpn->user->key_swap(peer, key->id);
	if (unlikely(ret))
		return false;

	seal->peer = peer;
	seal->key = key;
	seal->op = ovpn_op_pack(key->id, READ_ONCE(peer->tx_id));
	seal->prefix = peer->sock->ops->prefix;
	return true;
}

/* Over a stream packets go in the order of their ids, whichever CPUs they come
 * from: one sender at a time takes ids, seals, and hands over. What follows
 * needs no order, and may take long.
 */
static void ovpn_tx_begin(struct ovpn_socket *sock)
{
	if (sock->ops->push)
		spin_lock(&sock->order);
}

static void ovpn_tx_end(struct ovpn_socket *sock)
{
	if (!sock->ops->push)
		return;
	spin_unlock(&sock->order);
	sock->ops->push(sock);
}

/* seal a list of plaintexts: a list of ciphertexts, or NULL */
static struct sk_buff *ovpn_tx_seal_list(struct ovpn_seal *seal,
					 struct sk_buff *list)
{
	struct sk_buff *skb, *next, *sealed = NULL, **tail = &sealed;

	skb_list_walk_safe(list, skb, next) {
		skb_mark_not_on_list(skb);
		skb = ovpn_tx_seal(seal, skb, seal->id++);
		if (unlikely(!skb))
			continue;
		*tail = skb;
		tail = &skb->next;
	}
	return sealed;
}

/* Seal and send a list of plaintexts. RCU read section, BH off. */
static void ovpn_tx_list(struct ovpn_peer *peer, struct sk_buff *list,
			 u8 dsfield, bool inner)
{
	struct ovpn_seal seal = {
		.cb = {
			.packets = 1,
			.dsfield = dsfield,
			.inner = inner,
		},
	};
	unsigned int packets = 0, blocks = 0;
	struct sk_buff *skb, *next;
	enum ovpn_drop why;

	skb_list_walk_safe(list, skb, next) {
		packets++;
		blocks += DIV_ROUND_UP(skb->len, 16);
	}

	ovpn_tx_begin(peer->sock);
	if (likely(ovpn_tx_reserve(&seal, peer, packets, blocks, &why))) {
		skb = ovpn_tx_seal_list(&seal, list);
		if (likely(skb))
			peer->sock->ops->send(peer, skb);
	} else {
		ovpn_drop(peer->ovpn, list, why);
	}
	ovpn_tx_end(peer->sock);
}

/* Seal and send a super-packet as a whole. Returns false if it has to be cut by
 * the stack, after all.
 */
static bool ovpn_tx_super(struct ovpn_peer *peer, struct sk_buff *skb,
			  u8 dsfield)
{
	const struct ovpn_transport_ops *ops = peer->sock->ops;
	struct ovpn_seal seal = {
		.cb = {
			.dsfield = dsfield,
			.inner = true,
		},
	};
	unsigned int packets, blocks, size;
	enum ovpn_drop why;

	size = ovpn_gso_count(skb, &packets, &blocks);
	if (!size)
		return false;
	seal.max = ops->gso_max(peer, OVPN_HEADER_SIZE + size);
	if (!seal.max)
		return false;

	ovpn_tx_begin(peer->sock);
	if (likely(ovpn_tx_reserve(&seal, peer, packets, blocks, &why))) {
		skb = ovpn_gso_seal(&seal, skb, packets);
		if (likely(skb))
			ops->send(peer, skb);
	} else {
		ovpn_drop(peer->ovpn, skb, why);
	}
	ovpn_tx_end(peer->sock);
	return true;
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

	/* a tunnel inside itself would never end; UDP looks at its route */
	if (unlikely(skb->sk && skb->sk == peer->sock->sk)) {
		ovpn_drop(ovpn, skb, OVPN_DROP_TX_NO_ROUTE);
		return;
	}

	if (unlikely(ovpn_mss_is_syn(skb)))
		ovpn_peer_clamp_mss(peer, skb);

	dsfield = skb->protocol == htons(ETH_P_IP) ?
		  ip_hdr(skb)->tos : ipv6_get_dsfield(ipv6_hdr(skb));
	if (skb_is_gso(skb) && ovpn_tx_super(peer, skb, dsfield))
		return;
	skb = ovpn_tx_segment(ovpn, skb);
	if (likely(skb))
		ovpn_tx_list(peer, skb, dsfield, true);
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
	struct sk_buff *skb;

	skb = alloc_skb(OVPN_TX_HEADROOM + OVPN_KEEPALIVE_SIZE,
			GFP_ATOMIC | __GFP_NOWARN);
	if (unlikely(!skb)) {
		ovpn_drop_count(peer->ovpn, OVPN_DROP_TX_NOMEM);
		return;
	}

	skb_reserve(skb, OVPN_TX_HEADROOM);
	skb_put_data(skb, ovpn_keepalive_message, OVPN_KEEPALIVE_SIZE);
	ovpn_tx_list(peer, skb, 0, false);
}
EXPORT_SYMBOL_IF_KUNIT(ovpn_tx_keepalive);
