// SPDX-License-Identifier: GPL-2.0-only
/* OpenVPN data channel offload: from ciphertext to inner packet
 *
 * Packets come in runs that mostly have the same peer and key: these are
 * looked up once, and their counters are added once. Often they are segments of
 * one TCP stream, too: these are opened into one buffer (io_gro).
 */

#include "io.h"

#include <linux/err.h>
#include <linux/timekeeping.h>
#include <linux/unaligned.h>
#include <net/inet_ecn.h>
#include <net/ip.h>
#include <net/ipv6.h>

#include "chunk.h"
#include "crypto.h"
#include "crypto_aead.h"
#include "drop.h"
#include "endpoint.h"
#include "mss.h"
#include "ovpn.h"
#include "peer.h"
#include "peer_table.h"
#include "proto.h"
#include "replay.h"
#include "route.h"
#include "skb.h"
#include "stats.h"

/**
 * struct ovpn_open_job - a packet to open
 * @skb: the buffer it is in
 * @stream: the buffer is part of a stream, and not for us to change or free
 * @datagram: the buffer still has the outer headers; not over TCP, where
 *	nothing but the connection counts
 * @dsfield: their DS field, or 0
 * @offset: where in the buffer the ciphertext starts
 * @len: size of the ciphertext, and of the plaintext
 * @header: the packet's header, or NULL if it is in pieces
 * @text: the ciphertext, or NULL if it is in pieces
 * @op: the first word of the header
 * @id: the packet's id
 */
struct ovpn_open_job {
	struct sk_buff *skb;
	bool stream;
	bool datagram;
	u8 dsfield;
	unsigned int offset;
	unsigned int len;
	const u8 *header;
	const u8 *text;
	u32 op;
	u32 id;
};

/* hand over the super-packet, if there is one */
static void ovpn_open_flush_gro(struct ovpn_open_run *run)
{
	struct sk_buff *skb = ovpn_gro_finish(&run->gro);

	if (skb)
		run->deliver(run, skb);
}

static void ovpn_open_run_flush(struct ovpn_open_run *run)
{
	ovpn_open_flush_gro(run);
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

/* who has sent a datagram, by what it says itself, or by where it came from */
static struct ovpn_peer *ovpn_open_sender(const struct ovpn_open_run *run,
					  const struct sk_buff *skb, u32 id)
{
	struct ovpn_peer *peer = ovpn_peer_lookup_id_rcu(run->ovpn, id);
	struct ovpn_endpoint from;

	if (likely(peer) || id != OVPN_PEER_ID_UNDEF ||
	    ovpn_endpoint_from_skb(&from, skb))
		return peer;
	return ovpn_peer_lookup_endpoint_rcu(run->ovpn, &from.remote);
}

/* find peer and key of a datagram, unless they are those of the last one */
static bool ovpn_open_run_start(struct ovpn_open_run *run, struct sk_buff *skb,
				u32 op)
{
	u32 id = ovpn_op_peer_id(op);
	struct ovpn_peer *peer;

	if (likely(op == run->op && id != OVPN_PEER_ID_UNDEF))
		return true;

	peer = ovpn_open_sender(run, skb, id);
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

/* Put a header that is in pieces where it is one, and where the cipher can map
 * it: not on the stack. What has been read of it already is not read again, so
 * that what is authenticated is what was acted upon.
 */
static int ovpn_open_header(const struct ovpn_open_job *job, u8 *header)
{
	put_unaligned_be32(job->op, header);
	put_unaligned_be32(job->id, header + OVPN_OP_SIZE);
	return skb_copy_bits(job->skb, job->offset - OVPN_TAG_SIZE,
			     header + OVPN_AAD_SIZE, OVPN_TAG_SIZE);
}

/* Authenticate and decrypt into memory of its own, with room for a header
 * behind the text. If the ciphertext is one piece, the cipher copies on the
 * way, for nothing.
 */
static int ovpn_open_text(struct ovpn_open_run *run,
			  const struct ovpn_open_job *job, u8 *dst)
{
	const u8 *header = job->header, *text = job->text;
	int ret = 0;

	if (unlikely(!text)) {
		ret = skb_copy_bits(job->skb, job->offset, dst, job->len);
		text = dst;
	}
	if (unlikely(!header && !ret)) {
		ret = ovpn_open_header(job, dst + job->len);
		header = dst + job->len;
	}
	return ret ?: ovpn_aead_open(run->key, header, text, dst, job->len);
}

/* Open a packet into a new buffer, because the old one is shared, or in pieces,
 * or part of a stream.
 */
static struct sk_buff *ovpn_open_copy(struct ovpn_open_run *run,
				      const struct ovpn_open_job *job)
{
	struct sk_buff *copy;
	int ret;

	copy = ovpn_chunk_alloc_skb(run->napi, job->len + OVPN_HEADER_SIZE);
	if (unlikely(!copy))
		return ERR_PTR(-ENOMEM);

	ret = ovpn_open_text(run, job, skb_put(copy, job->len));
	if (unlikely(ret)) {
		consume_skb(copy);
		return ERR_PTR(ret);
	}
	copy->tstamp = job->skb->tstamp;
	copy->tstamp_type = job->skb->tstamp_type;
	return copy;
}

/* Open a packet into a buffer that holds nothing else. Returns the plaintext,
 * which may be the same buffer, or an error.
 */
static struct sk_buff *ovpn_open_alone(struct ovpn_open_run *run,
				       const struct ovpn_open_job *job)
{
	struct sk_buff *skb = job->skb;
	u8 *text;
	int ret;

	if (unlikely(job->stream || skb_cloned(skb) || skb_is_nonlinear(skb)))
		return ovpn_open_copy(run, job);

	text = skb->data + job->offset;
	ret = ovpn_aead_open(run->key, job->header, text, text, job->len);
	if (unlikely(ret))
		return ERR_PTR(ret);
	__skb_pull(skb, job->offset);
	return skb;
}

/* What only an authentic packet may do. A packet overtaken by newer ones says
 * nothing about where the peer is now, and neither does a TCP connection.
 */
static bool ovpn_open_fresh(struct ovpn_open_run *run,
			    const struct ovpn_open_job *job)
{
	struct ovpn_replay *replay = &run->key->replay;
	bool fresh, newest;

	spin_lock(&replay->lock);
	fresh = ovpn_replay_accept(replay, job->id, run->now);
	newest = replay->newest == job->id;
	spin_unlock(&replay->lock);

	if (likely(fresh && newest && job->datagram))
		ovpn_learn_sender(run->peer, job->skb, run->now);
	return fresh;
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

	if (unlikely(ovpn_mss_is_syn(skb)))
		ovpn_peer_clamp_mss(run->peer, skb);

	run->vpn_packets++;
	run->vpn_bytes += skb->len;
	return true;
}

/* what @skb holds goes to the network stack, after what came before it */
static void ovpn_open_deliver(struct ovpn_open_run *run, struct sk_buff *skb)
{
	ovpn_open_flush_gro(run);
	if (!ovpn_gro_start(&run->gro, skb))
		run->deliver(run, skb);
}

/* from plaintext to an inner packet; consumed */
static void ovpn_open_accept(struct ovpn_open_run *run, struct sk_buff *skb,
			     const struct ovpn_open_job *job)
{
	if (unlikely(!ovpn_open_fresh(run, job))) {
		ovpn_drop(run->ovpn, skb, OVPN_DROP_RX_REPLAY);
		return;
	}

	run->link_packets++;
	run->link_bytes += OVPN_HEADER_SIZE + job->len;
	if (unlikely(ovpn_open_is_keepalive(skb))) {
		consume_skb(skb);
		return;
	}
	if (likely(ovpn_open_inner(run, skb, job->dsfield)))
		ovpn_open_deliver(run, skb);
}

/* Open a packet right behind those that it may follow. Returns 1 if it does;
 * an error if it has to be dropped; 0 if it does not follow: then it is in
 * *@plain, or has not been opened. What may come from this peer has been looked
 * at when the first one came.
 */
static int ovpn_open_join(struct ovpn_open_run *run,
			  const struct ovpn_open_job *job,
			  struct sk_buff **plain)
{
	struct ovpn_gro *gro = &run->gro;
	int ret = 0;
	u8 *slot;

	/* congestion outside is to be marked in this packet alone */
	if (INET_ECN_is_ce(job->dsfield))
		return 0;

	ovpn_chunk_lock();
	slot = ovpn_gro_slot(gro, job->len);
	if (!slot)
		goto out;

	ret = ovpn_open_text(run, job, slot);
	if (likely(!ret && ovpn_gro_follows(gro, slot, job->len))) {
		if (likely(ovpn_open_fresh(run, job))) {
			ovpn_gro_add(gro, slot, job->len);
			ret = 1;
			goto out;
		}
		ret = -ESTALE;
	} else if (!ret) {
		*plain = napi_alloc_skb(run->napi, job->len);
		if (likely(*plain))
			skb_put_data(*plain, slot, job->len);
		else
			ret = -ENOMEM;
	}
	ovpn_gro_undo(gro, slot);
out:
	ovpn_chunk_unlock();
	return ret;
}

static enum ovpn_drop ovpn_open_error(int error)
{
	switch (error) {
	case -ENOMEM:
		return OVPN_DROP_RX_NOMEM;
	case -ESTALE:
		return OVPN_DROP_RX_REPLAY;
	default:
		return OVPN_DROP_RX_AUTH;
	}
}

/* from ciphertext to an inner packet; its buffer is consumed, if it is ours */
static void ovpn_open_job(struct ovpn_open_run *run,
			  const struct ovpn_open_job *job)
{
	struct sk_buff *own = job->stream ? NULL : job->skb;
	struct sk_buff *plain = NULL;
	bool in_place;
	int ret;

	ret = ovpn_open_join(run, job, &plain);
	if (ret > 0) {
		run->link_packets++;
		run->link_bytes += OVPN_HEADER_SIZE + job->len;
		run->vpn_packets++;
		run->vpn_bytes += job->len;
	} else if (!ret && !plain) {
		plain = ovpn_open_alone(run, job);
		ret = PTR_ERR_OR_ZERO(plain);
	}
	if (unlikely(ret < 0)) {
		ovpn_drop(run->ovpn, own, ovpn_open_error(ret));
		return;
	}

	in_place = plain == own;
	if (plain)
		ovpn_open_accept(run, plain, job);
	/* where NAPI, and the stack when it cuts a super-packet, look for new
	 * ones first
	 */
	if (own && !in_place)
		napi_consume_skb(own, 1);
}

/* Find header and ciphertext, which mostly are one piece. Returns false if the
 * packet is too short.
 */
static bool ovpn_open_find(struct ovpn_open_job *job, unsigned int offset,
			   unsigned int size)
{
	u8 buf[OVPN_AAD_SIZE];
	const u8 *first;

	if (unlikely(size <= OVPN_HEADER_SIZE))
		return false;
	job->offset = offset + OVPN_HEADER_SIZE;
	job->len = size - OVPN_HEADER_SIZE;

	first = ovpn_skb_piece(job->skb, offset, size);
	if (likely(first)) {
		job->header = first;
		job->text = first + OVPN_HEADER_SIZE;
	} else {
		first = ovpn_skb_piece(job->skb, offset, OVPN_HEADER_SIZE);
		job->header = first;
		job->text = ovpn_skb_piece(job->skb, job->offset, job->len);
	}
	if (unlikely(!first)) {
		if (skb_copy_bits(job->skb, offset, buf, sizeof(buf)))
			return false;
		first = buf;
	}
	job->op = get_unaligned_be32(first);
	job->id = get_unaligned_be32(first + OVPN_OP_SIZE);
	return true;
}

/* read the outer headers; returns false if there are none that we know */
static bool ovpn_open_outer(struct ovpn_open_job *job)
{
	const struct sk_buff *skb = job->skb;

	switch (skb->protocol) {
	case htons(ETH_P_IP):
		job->dsfield = ip_hdr(skb)->tos;
		return true;
	case htons(ETH_P_IPV6):
		job->dsfield = ipv6_get_dsfield(ipv6_hdr(skb));
		return true;
	default:
		return false;
	}
}

/**
 * ovpn_open_begin - begin to open packets
 * @run: to be initialised
 * @ovpn: the device
 * @napi: the consumer of the queue that inner packets go to
 * @deliver: what to do with inner packets and super-packets
 *
 * Context: BH off, RCU read section, both until ovpn_open_end().
 */
void ovpn_open_begin(struct ovpn_open_run *run, struct ovpn_priv *ovpn,
		     struct napi_struct *napi, ovpn_open_deliver_t deliver)
{
	memset(run, 0, sizeof(*run));
	run->ovpn = ovpn;
	run->napi = napi;
	run->deliver = deliver;
	run->now = ktime_get_boottime_seconds();
}

/**
 * ovpn_open_datagram - open a packet that came over UDP
 * @run: the run
 * @skb: the datagram, from its UDP header on; consumed
 *
 * Context: BH off, RCU read section.
 */
void ovpn_open_datagram(struct ovpn_open_run *run, struct sk_buff *skb)
{
	struct ovpn_open_job job = {
		.skb = skb,
		.datagram = true,
	};

	if (unlikely(!ovpn_open_outer(&job))) {
		ovpn_drop(run->ovpn, skb, OVPN_DROP_RX_PROTO);
		return;
	}
	if (unlikely(!ovpn_open_find(&job, sizeof(struct udphdr),
				     skb->len - sizeof(struct udphdr)))) {
		ovpn_drop(run->ovpn, skb, OVPN_DROP_RX_SHORT);
		return;
	}
	if (likely(ovpn_open_run_start(run, skb, job.op)))
		ovpn_open_job(run, &job);
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
 */
void ovpn_open_record(struct ovpn_open_run *run, struct ovpn_peer *peer,
		      struct sk_buff *skb, unsigned int offset,
		      unsigned int len)
{
	struct ovpn_open_job job = {
		.skb = skb,
		.stream = true,
	};

	if (unlikely(!ovpn_open_find(&job, offset, len))) {
		ovpn_drop(run->ovpn, NULL, OVPN_DROP_RX_SHORT);
		return;
	}
	if (likely(ovpn_open_run_record(run, peer, NULL, job.op)))
		ovpn_open_job(run, &job);
}

/**
 * ovpn_open_whole - open a packet that has a buffer of its own
 * @run: the run
 * @peer: who sent it
 * @skb: the packet, larger than %OVPN_HEADER_SIZE, linear; consumed
 *
 * Context: BH off, RCU read section.
 */
void ovpn_open_whole(struct ovpn_open_run *run, struct ovpn_peer *peer,
		     struct sk_buff *skb)
{
	struct ovpn_open_job job = {
		.skb = skb,
		.offset = OVPN_HEADER_SIZE,
		.len = skb->len - OVPN_HEADER_SIZE,
		.header = skb->data,
		.text = skb->data + OVPN_HEADER_SIZE,
		.op = get_unaligned_be32(skb->data),
		.id = get_unaligned_be32(skb->data + OVPN_OP_SIZE),
	};

	if (likely(ovpn_open_run_record(run, peer, skb, job.op)))
		ovpn_open_job(run, &job);
}

/**
 * ovpn_open_end - count what has been opened, and hand over the rest
 * @run: the run
 *
 * Context: BH off, RCU read section.
 */
void ovpn_open_end(struct ovpn_open_run *run)
{
	ovpn_open_run_flush(run);
}
