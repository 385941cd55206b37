// SPDX-License-Identifier: GPL-2.0-only
/* OpenVPN data channel offload: from ciphertext to inner packet
 *
 * Packets come in runs that mostly have the same peer and key: these are
 * looked up once, and their counters are added once.
 */

#include "io.h"

#include <linux/err.h>
#include <linux/timekeeping.h>
#include <linux/unaligned.h>
#include <net/busy_poll.h>
#include <net/inet_ecn.h>
#include <net/ip.h>
#include <net/ipv6.h>

#include "chunk.h"
#include "crypto.h"
#include "crypto_aead.h"
#include "drop.h"
#include "endpoint.h"
#include "netlink_ntf.h"
#include "ovpn.h"
#include "peer.h"
#include "peer_table.h"
#include "proto.h"
#include "replay.h"
#include "route.h"
#include "skb.h"
#include "stats.h"

/* Float notifications of one peer come at most once in this many seconds: a
 * flood of them would overrun the socket of the OpenVPN server, and end it.
 */
#define OVPN_FLOAT_INTERVAL	1

/* plaintexts that fit less than this are left to the core */
#define OVPN_OPEN_SMALL		640

/**
 * struct ovpn_open_outer - what a packet's outer headers said
 * @from: where it came from
 * @dsfield: its DS field
 */
struct ovpn_open_outer {
	struct ovpn_endpoint from;
	u8 dsfield;
};

static void ovpn_open_run_flush(struct ovpn_open_run *run)
{
	if (run->link_packets) {
		ovpn_counter_add(&run->peer->rx.link, run->link_packets,
				 run->link_bytes);
		ovpn_peer_touch(&run->peer->last_recv, run->now);
	}
	if (run->vpn_packets) {
		ovpn_counter_add(&run->peer->rx.vpn, run->vpn_packets,
				 run->vpn_bytes);
		ovpn_dev_count_rx(run->ovpn->dev, run->vpn_packets,
				  run->vpn_bytes);
	}
	run->link_packets = 0;
	run->link_bytes = 0;
	run->vpn_packets = 0;
	run->vpn_bytes = 0;
}

/* go on with packets of another peer or key */
static bool ovpn_open_run_switch(struct ovpn_open_run *run,
				 struct ovpn_peer *peer, u32 op)
{
	ovpn_open_run_flush(run);
	run->op = 0;
	run->peer = peer;
	run->key = ovpn_keyring_lookup_rx_rcu(&peer->keys,
					      ovpn_op_key_id(op));
	if (unlikely(!run->key))
		return false;
	run->op = op;
	return true;
}

/* find peer and key of a datagram, unless they are those of the last one */
static bool ovpn_open_run_start(struct ovpn_open_run *run, struct sk_buff *skb,
				u32 op, const struct ovpn_open_outer *outer)
{
	u32 id = ovpn_op_peer_id(op);
	struct ovpn_peer *peer;

	if (likely(op == run->op && id != OVPN_PEER_ID_UNDEF))
		return true;

	peer = ovpn_peer_lookup_id_rcu(run->ovpn, id);
	if (!peer && id == OVPN_PEER_ID_UNDEF)
		peer = ovpn_peer_lookup_endpoint_rcu(run->ovpn,
						     &outer->from.remote);
	if (unlikely(!peer)) {
		ovpn_drop(run->ovpn, skb, OVPN_DROP_RX_NO_PEER);
		return false;
	}
	if (unlikely(!ovpn_open_run_switch(run, peer, op))) {
		ovpn_drop(run->ovpn, skb, OVPN_DROP_RX_NO_KEY);
		return false;
	}
	return true;
}

/* @len bytes of a buffer from @offset on as one piece of memory, or NULL */
static const u8 *ovpn_open_piece(const struct sk_buff *skb, unsigned int offset,
				 unsigned int len)
{
	const struct skb_shared_info *shinfo = skb_shinfo(skb);
	unsigned int size = skb_headlen(skb);
	const u8 *data = skb->data;
	int i = 0;

	/* net_iov memory has no address */
	if (unlikely(!skb_frags_readable(skb)))
		return NULL;

	while (offset >= size) {
		if (i == shinfo->nr_frags)
			return NULL;
		offset -= size;
		size = skb_frag_size(&shinfo->frags[i]);
		data = skb_frag_address_safe(&shinfo->frags[i]);
		i++;
	}
	return data && offset + len <= size ? data + offset : NULL;
}

/* A buffer for @len bytes of plaintext. Small ones the core has ready; of large
 * ones the memory is the larger part.
 */
static struct sk_buff *ovpn_open_alloc(struct ovpn_open_run *run,
				       unsigned int len)
{
	unsigned int head = NET_SKB_PAD + NET_IP_ALIGN + len;
	unsigned int size = SKB_HEAD_ALIGN(head);
	struct ovpn_chunk *chunk;
	struct sk_buff *skb = NULL;

	if (head < OVPN_OPEN_SMALL || size > OVPN_CHUNK_SIZE / 2)
		return napi_alloc_skb(run->napi, len);

	ovpn_chunk_lock();
	chunk = ovpn_chunk_get(size + SMP_CACHE_BYTES);
	if (likely(chunk)) {
		chunk->offset = ALIGN(chunk->offset, SMP_CACHE_BYTES);
		skb = napi_build_skb(page_address(chunk->page) + chunk->offset,
				     size);
	}
	if (likely(skb)) {
		get_page(chunk->page);
		chunk->offset += size;
	}
	ovpn_chunk_unlock();
	if (unlikely(!skb))
		return napi_alloc_skb(run->napi, len);

	skb_reserve(skb, NET_SKB_PAD + NET_IP_ALIGN);
	skb_mark_napi_id(skb, run->napi);
	return skb;
}

/* Open a packet at @offset into a new buffer, because the old one is shared, or
 * in pieces, or part of a stream. If the ciphertext is one piece, the cipher
 * copies on the way, for nothing.
 */
static struct sk_buff *ovpn_open_copy(struct ovpn_open_run *run,
				      const struct sk_buff *skb,
				      const u8 *header, unsigned int offset,
				      unsigned int len)
{
	struct sk_buff *copy;
	const u8 *text;
	int ret;

	copy = ovpn_open_alloc(run, len);
	if (unlikely(!copy))
		return ERR_PTR(-ENOMEM);
	skb_put(copy, len);

	text = ovpn_open_piece(skb, offset, len);
	if (!text) {
		ret = skb_copy_bits(skb, offset, copy->data, len);
		if (ret)
			goto err_free;
		text = copy->data;
	}

	ret = ovpn_aead_open(run->key, header, text, copy->data, len);
	if (unlikely(ret))
		goto err_free;

	copy->tstamp = skb->tstamp;
	copy->tstamp_type = skb->tstamp_type;
	return copy;

err_free:
	consume_skb(copy);
	return ERR_PTR(ret);
}

static enum ovpn_drop ovpn_open_error(int error)
{
	return error == -ENOMEM ? OVPN_DROP_RX_NOMEM : OVPN_DROP_RX_AUTH;
}

/* Authenticate and decrypt. @pskb starts with a packet, whose header is also in
 * @header, and with the plaintext afterwards.
 */
static bool ovpn_open_packet(struct ovpn_open_run *run, struct sk_buff **pskb,
			     const u8 *header)
{
	unsigned int len = (*pskb)->len - OVPN_HEADER_SIZE;
	struct sk_buff *skb = *pskb, *copy;
	u8 *text;
	int ret;

	if (likely(!skb_cloned(skb) && !skb_is_nonlinear(skb))) {
		text = skb->data + OVPN_HEADER_SIZE;
		ret = ovpn_aead_open(run->key, header, text, text, len);
		if (likely(!ret))
			__skb_pull(skb, OVPN_HEADER_SIZE);
	} else {
		copy = ovpn_open_copy(run, skb, header, OVPN_HEADER_SIZE, len);
		ret = PTR_ERR_OR_ZERO(copy);
		if (likely(!ret)) {
			consume_skb(skb);
			*pskb = copy;
		}
	}

	if (likely(!ret))
		return true;

	ovpn_drop(run->ovpn, skb, ovpn_open_error(ret));
	return false;
}

/* The peer has moved: follow it. Only a peer that is in the table may be put
 * into another place of the table.
 */
static void ovpn_open_learn(struct ovpn_open_run *run,
			    const struct ovpn_endpoint *from)
{
	struct ovpn_peer_endpoint *new, *old;
	struct ovpn_peer *peer = run->peer;
	bool floated;

	new = ovpn_peer_endpoint_new(from, GFP_ATOMIC | __GFP_NOWARN);
	if (!new)
		return;

	spin_lock_bh(&run->ovpn->lock);
	old = rcu_dereference_protected(peer->endpoint,
					lockdep_is_held(&run->ovpn->lock));
	if (!peer->hashed || !old || ovpn_endpoint_equal(&old->ep, from)) {
		kfree(new);
		goto out;
	}

	floated = memcmp(&old->ep.remote, &from->remote, sizeof(from->remote));
	ovpn_peer_set_endpoint(peer, new);
	if (!floated)
		goto out;

	ovpn_peer_table_rehash(peer);
	if ((s32)(run->now - peer->float_told) >= OVPN_FLOAT_INTERVAL) {
		peer->float_told = run->now;
		ovpn_notify_peer_float(peer);
	} else {
		peer->float_due = true;
		timer_reduce(&peer->timer, jiffies + OVPN_FLOAT_INTERVAL * HZ);
	}
out:
	spin_unlock_bh(&run->ovpn->lock);
}

/* What only an authentic packet may do. A packet overtaken by newer ones says
 * nothing about where the peer is now, and neither does a TCP connection.
 */
static bool ovpn_open_fresh(struct ovpn_open_run *run, u32 id,
			    const struct ovpn_open_outer *outer)
{
	struct ovpn_replay *replay = &run->key->replay;
	bool fresh, newest;

	spin_lock(&replay->lock);
	fresh = ovpn_replay_accept(replay, id, run->now);
	newest = replay->newest == id;
	spin_unlock(&replay->lock);
	if (unlikely(!fresh))
		return false;

	if (unlikely(newest && outer &&
		     !ovpn_peer_endpoint_current(run->peer, &outer->from)))
		ovpn_open_learn(run, &outer->from);
	return true;
}

static bool ovpn_open_is_keepalive(const struct sk_buff *skb)
{
	return skb->len == OVPN_KEEPALIVE_SIZE &&
	       !memcmp(skb->data, ovpn_keepalive_message, OVPN_KEEPALIVE_SIZE);
}

/* RFC 6040: may this packet leave the tunnel with its congestion mark? */
static bool ovpn_open_ecn(struct sk_buff *skb, u8 outer)
{
	u8 inner;

	if (likely(!(outer & INET_ECN_MASK)))
		return true;

	inner = skb->protocol == htons(ETH_P_IP) ?
		ip_hdr(skb)->tos : ipv6_get_dsfield(ipv6_hdr(skb));
	return INET_ECN_decapsulate(skb, outer, inner) <= 1;
}

/* nothing of the outer packet may show in the inner one */
static void ovpn_open_scrub(struct sk_buff *skb, struct net_device *dev)
{
	skb->dev = dev;
	skb_gso_reset(skb);
	skb->encapsulation = 0;
	skb_reset_mac_header(skb);
	skb_reset_network_header(skb);
	skb_reset_transport_header(skb);
	skb_reset_mac_len(skb);
	skb_clear_hash(skb);
	skb_set_queue_mapping(skb, 0);
	skb_scrub_packet(skb, true);

	/* the tag vouches for what the peer sent */
	if (likely(dev->features & NETIF_F_RXCSUM)) {
		skb->ip_summed = CHECKSUM_UNNECESSARY;
		skb->csum_level = ~0;
	} else {
		skb->ip_summed = CHECKSUM_NONE;
	}
}

/* Make an inner packet of a plaintext. Drops it and returns false if it is
 * not one that may come from this peer.
 */
static bool ovpn_open_inner(struct ovpn_open_run *run, struct sk_buff *skb,
			    u8 dsfield)
{
	struct ovpn_priv *ovpn = run->ovpn;

	skb->protocol = ovpn_skb_ip_protocol(skb);
	if (unlikely(!skb->protocol)) {
		ovpn_drop(ovpn, skb, OVPN_DROP_RX_PROTO);
		return false;
	}

	ovpn_open_scrub(skb, ovpn->dev);

	if (unlikely(!ovpn_route_source_ok_rcu(run->peer, skb))) {
		ovpn_drop(ovpn, skb, OVPN_DROP_RX_SPOOFED);
		return false;
	}
	if (unlikely(!ovpn_open_ecn(skb, dsfield))) {
		ovpn_drop(ovpn, skb, OVPN_DROP_RX_ECN);
		return false;
	}

	run->vpn_packets++;
	run->vpn_bytes += skb->len;
	return true;
}

/* From plaintext to an inner packet. @len was its size when sealed. Consumes it
 * and returns NULL if there is nothing to deliver.
 */
static struct sk_buff *ovpn_open_accept(struct ovpn_open_run *run,
					struct sk_buff *skb, u32 id,
					unsigned int len,
					const struct ovpn_open_outer *outer)
{
	if (unlikely(!ovpn_open_fresh(run, id, outer))) {
		ovpn_drop(run->ovpn, skb, OVPN_DROP_RX_REPLAY);
		return NULL;
	}

	run->link_packets++;
	run->link_bytes += len;
	if (unlikely(ovpn_open_is_keepalive(skb))) {
		consume_skb(skb);
		return NULL;
	}
	return ovpn_open_inner(run, skb, outer ? outer->dsfield : 0) ? skb :
								       NULL;
}

/* Read the outer headers, and strip what the transport left of them. Returns
 * our header, in the packet or in @buf, or NULL.
 */
static const u8 *ovpn_open_outer(struct ovpn_open_run *run,
				 struct sk_buff *skb,
				 struct ovpn_open_outer *outer, u8 *buf)
{
	const u8 *header;

	if (ovpn_endpoint_from_skb(&outer->from, skb)) {
		ovpn_drop(run->ovpn, skb, OVPN_DROP_RX_PROTO);
		return NULL;
	}
	outer->dsfield = skb->protocol == htons(ETH_P_IP) ?
			 ip_hdr(skb)->tos : ipv6_get_dsfield(ipv6_hdr(skb));

	__skb_pull(skb, sizeof(struct udphdr));
	header = skb_header_pointer(skb, 0, OVPN_HEADER_SIZE, buf);
	if (unlikely(!header || skb->len == OVPN_HEADER_SIZE)) {
		ovpn_drop(run->ovpn, skb, OVPN_DROP_RX_SHORT);
		return NULL;
	}
	return header;
}

/**
 * ovpn_open_begin - begin to open packets
 * @run: to be initialised
 * @ovpn: the device
 * @napi: the consumer of the queue that inner packets go to
 *
 * Context: BH off, RCU read section, both until ovpn_open_end().
 */
void ovpn_open_begin(struct ovpn_open_run *run, struct ovpn_priv *ovpn,
		     struct napi_struct *napi)
{
	memset(run, 0, sizeof(*run));
	run->ovpn = ovpn;
	run->napi = napi;
	run->now = ktime_get_boottime_seconds();
}

/**
 * ovpn_open_datagram - open a packet that came over UDP
 * @run: the run
 * @skb: the datagram, from its UDP header on; consumed
 *
 * Context: BH off, RCU read section.
 * Return: an inner packet for the network stack, or NULL: it was none, or has
 * been dropped.
 */
struct sk_buff *ovpn_open_datagram(struct ovpn_open_run *run,
				   struct sk_buff *skb)
{
	struct ovpn_open_outer outer;
	u8 buf[OVPN_HEADER_SIZE];
	const u8 *header;
	unsigned int len;
	u32 id;

	header = ovpn_open_outer(run, skb, &outer, buf);
	if (unlikely(!header) ||
	    !ovpn_open_run_start(run, skb, get_unaligned_be32(header), &outer))
		return NULL;

	len = skb->len;
	id = get_unaligned_be32(header + OVPN_OP_SIZE);
	if (!ovpn_open_packet(run, &skb, header))
		return NULL;
	return ovpn_open_accept(run, skb, id, len, &outer);
}

/* is the device up, and the key there? */
static bool ovpn_open_run_record(struct ovpn_open_run *run,
				 struct ovpn_peer *peer, struct sk_buff *skb,
				 u32 op)
{
	if (unlikely(!(run->ovpn->dev->flags & IFF_UP))) {
		ovpn_drop(run->ovpn, skb, OVPN_DROP_RX_DOWN);
		return false;
	}
	if (likely(op == run->op && peer == run->peer))
		return true;
	if (likely(ovpn_open_run_switch(run, peer, op)))
		return true;
	ovpn_drop(run->ovpn, skb, OVPN_DROP_RX_NO_KEY);
	return false;
}

/**
 * ovpn_open_record - open a packet that is part of a stream
 * @run: the run
 * @peer: who sent it
 * @skb: a buffer of the stream; not changed
 * @offset: where in it the packet starts
 * @len: the packet's size, larger than %OVPN_HEADER_SIZE
 *
 * Context: BH off, RCU read section.
 * Return: as ovpn_open_datagram().
 */
struct sk_buff *ovpn_open_record(struct ovpn_open_run *run,
				 struct ovpn_peer *peer,
				 const struct sk_buff *skb,
				 unsigned int offset, unsigned int len)
{
	u8 header[OVPN_HEADER_SIZE];
	struct sk_buff *copy;
	u32 id;

	if (skb_copy_bits(skb, offset, header, sizeof(header))) {
		ovpn_drop(run->ovpn, NULL, OVPN_DROP_RX_SHORT);
		return NULL;
	}
	if (!ovpn_open_run_record(run, peer, NULL, get_unaligned_be32(header)))
		return NULL;

	id = get_unaligned_be32(header + OVPN_OP_SIZE);
	copy = ovpn_open_copy(run, skb, header, offset + OVPN_HEADER_SIZE,
			      len - OVPN_HEADER_SIZE);
	if (IS_ERR(copy)) {
		ovpn_drop(run->ovpn, NULL, ovpn_open_error(PTR_ERR(copy)));
		return NULL;
	}
	return ovpn_open_accept(run, copy, id, len, NULL);
}

/**
 * ovpn_open_whole - open a packet that has a buffer of its own
 * @run: the run
 * @peer: who sent it
 * @skb: the packet, larger than %OVPN_HEADER_SIZE, linear; consumed
 *
 * Context: BH off, RCU read section.
 * Return: as ovpn_open_datagram().
 */
struct sk_buff *ovpn_open_whole(struct ovpn_open_run *run,
				struct ovpn_peer *peer, struct sk_buff *skb)
{
	unsigned int len = skb->len;
	u32 id;

	if (!ovpn_open_run_record(run, peer, skb,
				  get_unaligned_be32(skb->data)))
		return NULL;

	id = get_unaligned_be32(skb->data + OVPN_OP_SIZE);
	if (!ovpn_open_packet(run, &skb, skb->data))
		return NULL;
	return ovpn_open_accept(run, skb, id, len, NULL);
}

/**
 * ovpn_open_end - count what has been opened
 * @run: the run
 *
 * Context: BH off, RCU read section.
 */
void ovpn_open_end(struct ovpn_open_run *run)
{
	ovpn_open_run_flush(run);
}
