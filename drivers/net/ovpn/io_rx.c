// SPDX-License-Identifier: GPL-2.0-only
/* OpenVPN data channel offload: packets in
 *
 * A transport puts sealed packets on the receive queue of its CPU. The
 * queue's NAPI poll takes them off in batches and walks each from ciphertext
 * to the network stack inside one RCU read section. Packets of one batch
 * mostly have the same peer and key: these are looked up once, and their
 * counters are added once.
 */

#include "io.h"

#include <linux/llist.h>
#include <linux/timekeeping.h>
#include <linux/unaligned.h>
#include <net/hotdata.h>
#include <net/inet_ecn.h>
#include <net/ip.h>
#include <net/ipv6.h>

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

/**
 * struct ovpn_rx_cell - the receive queue of one CPU
 * @incoming: packets queued, newest first; many producers, one consumer
 * @queued: packets ever queued; producers
 * @pending: packets taken off @incoming, oldest first; consumer
 * @polled: packets ever taken off @pending; consumer
 * @napi: the consumer
 * @ovpn: the device
 */
struct ovpn_rx_cell {
	struct llist_head incoming;
	unsigned int queued;

	struct llist_node *pending ____cacheline_aligned_in_smp;
	unsigned int polled;
	struct napi_struct napi;
	struct ovpn_priv *ovpn;
};

/**
 * struct ovpn_rx_run - packets in a row with the same first word
 * @cell: where they come from
 * @ovpn: the device
 * @peer: their sender, borrowed
 * @key: the key that sealed them, borrowed
 * @op: their first word, 0 for none (no data packet has that)
 * @now: boot time in seconds
 * @link_packets: authentic packets since the last flush
 * @link_bytes: their bytes
 * @vpn_packets: inner packets since the last flush
 * @vpn_bytes: their bytes
 */
struct ovpn_rx_run {
	struct ovpn_rx_cell *cell;
	struct ovpn_priv *ovpn;
	struct ovpn_peer *peer;
	struct ovpn_key *key;
	u32 op;
	u32 now;
	unsigned int link_packets;
	unsigned int link_bytes;
	unsigned int vpn_packets;
	unsigned int vpn_bytes;
};

/**
 * struct ovpn_rx_outer - what a packet's outer headers said
 * @from: where it came from
 * @dsfield: its DS field
 */
struct ovpn_rx_outer {
	struct ovpn_endpoint from;
	u8 dsfield;
};

static void ovpn_rx_run_flush(struct ovpn_rx_run *run)
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

/* find peer and key of a packet, unless they are those of the last one */
static bool ovpn_rx_run_start(struct ovpn_rx_run *run, struct sk_buff *skb,
			      const struct ovpn_rx_outer *outer)
{
	u32 op = get_unaligned_be32(skb->data);
	u32 id = ovpn_op_peer_id(op);

	if (likely(op == run->op && id != OVPN_PEER_ID_UNDEF))
		return true;

	ovpn_rx_run_flush(run);
	run->op = 0;

	run->peer = ovpn_peer_lookup_id_rcu(run->ovpn, id);
	if (!run->peer && id == OVPN_PEER_ID_UNDEF)
		run->peer = ovpn_peer_lookup_endpoint_rcu(run->ovpn,
							  &outer->from.remote);
	if (unlikely(!run->peer)) {
		ovpn_drop(run->ovpn, skb, OVPN_DROP_RX_NO_PEER);
		return false;
	}

	run->key = ovpn_keyring_lookup_rx_rcu(&run->peer->keys,
					      ovpn_op_key_id(op));
	if (unlikely(!run->key)) {
		ovpn_drop(run->ovpn, skb, OVPN_DROP_RX_NO_KEY);
		return false;
	}

	run->op = op;
	return true;
}

/* the ciphertext as one piece of memory, or NULL */
static const u8 *ovpn_rx_text(const struct sk_buff *skb)
{
	const skb_frag_t *frag = &skb_shinfo(skb)->frags[0];

	if (!skb_is_nonlinear(skb))
		return skb->data + OVPN_HEADER_SIZE;
	if (skb_headlen(skb) == OVPN_HEADER_SIZE &&
	    skb_shinfo(skb)->nr_frags == 1 && !skb_has_frag_list(skb))
		return skb_frag_address_safe(frag);
	return NULL;
}

/* Open into a new buffer: the old one is shared, or in pieces. If it is one
 * piece, the cipher copies on the way, for nothing.
 */
static int ovpn_rx_open_copy(struct ovpn_rx_run *run, struct sk_buff **pskb)
{
	struct sk_buff *skb = *pskb, *copy;
	unsigned int len = skb->len - OVPN_HEADER_SIZE;
	const u8 *text = ovpn_rx_text(skb);
	int ret;

	copy = napi_alloc_skb(&run->cell->napi, len);
	if (unlikely(!copy))
		return -ENOMEM;
	skb_put(copy, len);

	if (!text) {
		ret = skb_copy_bits(skb, OVPN_HEADER_SIZE, copy->data, len);
		if (ret)
			goto err_free;
		text = copy->data;
	}

	ret = ovpn_aead_open(run->key, skb->data, text, copy->data, len);
	if (ret)
		goto err_free;

	copy->tstamp = skb->tstamp;
	copy->tstamp_type = skb->tstamp_type;
	consume_skb(skb);
	*pskb = copy;
	return 0;

err_free:
	consume_skb(copy);
	return ret;
}

/* authenticate and decrypt; @pskb starts with the plaintext afterwards */
static bool ovpn_rx_open(struct ovpn_rx_run *run, struct sk_buff **pskb)
{
	unsigned int len = (*pskb)->len - OVPN_HEADER_SIZE;
	struct sk_buff *skb = *pskb;
	u8 *text;
	int ret;

	if (likely(!skb_cloned(skb) && !skb_is_nonlinear(skb))) {
		text = skb->data + OVPN_HEADER_SIZE;
		ret = ovpn_aead_open(run->key, skb->data, text, text, len);
		if (likely(!ret))
			__skb_pull(skb, OVPN_HEADER_SIZE);
	} else {
		ret = ovpn_rx_open_copy(run, pskb);
	}

	if (likely(!ret))
		return true;

	ovpn_drop(run->ovpn, skb, ret == -ENOMEM ? OVPN_DROP_RX_NOMEM :
						   OVPN_DROP_RX_AUTH);
	return false;
}

/* The peer has moved: follow it. Only a peer that is in the table may be put
 * into another place of the table.
 */
static void ovpn_rx_learn(struct ovpn_rx_run *run,
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
 * nothing about where the peer is now.
 */
static bool ovpn_rx_accept(struct ovpn_rx_run *run, u32 id,
			   const struct ovpn_rx_outer *outer)
{
	struct ovpn_replay *replay = &run->key->replay;
	bool fresh, newest;

	spin_lock(&replay->lock);
	fresh = ovpn_replay_accept(replay, id, run->now);
	newest = replay->newest == id;
	spin_unlock(&replay->lock);
	if (unlikely(!fresh))
		return false;

	if (unlikely(newest && outer->from.remote.family &&
		     !ovpn_peer_endpoint_current(run->peer, &outer->from)))
		ovpn_rx_learn(run, &outer->from);
	return true;
}

static bool ovpn_rx_is_keepalive(const struct sk_buff *skb)
{
	return skb->len == OVPN_KEEPALIVE_SIZE &&
	       !memcmp(skb->data, ovpn_keepalive_message, OVPN_KEEPALIVE_SIZE);
}

/* RFC 6040: may this packet leave the tunnel with its congestion mark? */
static bool ovpn_rx_ecn(struct sk_buff *skb, u8 outer)
{
	u8 inner;

	if (likely(!(outer & INET_ECN_MASK)))
		return true;

	inner = skb->protocol == htons(ETH_P_IP) ?
		ip_hdr(skb)->tos : ipv6_get_dsfield(ipv6_hdr(skb));
	return INET_ECN_decapsulate(skb, outer, inner) <= 1;
}

/* nothing of the outer packet may show in the inner one */
static void ovpn_rx_scrub(struct sk_buff *skb, struct net_device *dev)
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

static void ovpn_rx_deliver(struct ovpn_rx_run *run, struct sk_buff *skb,
			    u8 dsfield)
{
	struct ovpn_priv *ovpn = run->ovpn;

	skb->protocol = ovpn_skb_ip_protocol(skb);
	if (unlikely(!skb->protocol)) {
		ovpn_drop(ovpn, skb, OVPN_DROP_RX_PROTO);
		return;
	}

	ovpn_rx_scrub(skb, ovpn->dev);

	if (unlikely(!ovpn_route_source_ok_rcu(run->peer, skb))) {
		ovpn_drop(ovpn, skb, OVPN_DROP_RX_SPOOFED);
		return;
	}
	if (unlikely(!ovpn_rx_ecn(skb, dsfield))) {
		ovpn_drop(ovpn, skb, OVPN_DROP_RX_ECN);
		return;
	}

	run->vpn_packets++;
	run->vpn_bytes += skb->len;
	napi_gro_receive(&run->cell->napi, skb);
}

/* read the outer headers, and strip what the transport left of them */
static bool ovpn_rx_outer(struct ovpn_rx_run *run, struct sk_buff *skb,
			  struct ovpn_rx_outer *outer)
{
	if (ovpn_endpoint_from_skb(&outer->from, skb)) {
		ovpn_drop(run->ovpn, skb, OVPN_DROP_RX_PROTO);
		return false;
	}
	outer->dsfield = skb->protocol == htons(ETH_P_IP) ?
			 ip_hdr(skb)->tos : ipv6_get_dsfield(ipv6_hdr(skb));

	__skb_pull(skb, sizeof(struct udphdr));
	if (unlikely(skb->len <= OVPN_HEADER_SIZE ||
		     !pskb_may_pull(skb, OVPN_HEADER_SIZE))) {
		ovpn_drop(run->ovpn, skb, OVPN_DROP_RX_SHORT);
		return false;
	}
	return true;
}

/* one packet, from ciphertext to the network stack */
static void ovpn_rx_packet(struct ovpn_rx_run *run, struct sk_buff *skb)
{
	struct ovpn_rx_outer outer;
	unsigned int len;
	u32 id;

	if (!ovpn_rx_outer(run, skb, &outer) ||
	    !ovpn_rx_run_start(run, skb, &outer))
		return;

	len = skb->len;
	id = get_unaligned_be32(skb->data + OVPN_OP_SIZE);
	if (!ovpn_rx_open(run, &skb))
		return;

	if (unlikely(!ovpn_rx_accept(run, id, &outer))) {
		ovpn_drop(run->ovpn, skb, OVPN_DROP_RX_REPLAY);
		return;
	}

	run->link_packets++;
	run->link_bytes += len;
	if (unlikely(ovpn_rx_is_keepalive(skb)))
		consume_skb(skb);
	else
		ovpn_rx_deliver(run, skb, outer.dsfield);
}

static struct sk_buff *ovpn_rx_cell_next(struct ovpn_rx_cell *cell)
{
	struct sk_buff *skb;

	if (!cell->pending)
		cell->pending =
			llist_reverse_order(llist_del_all(&cell->incoming));
	if (!cell->pending)
		return NULL;

	skb = llist_entry(cell->pending, struct sk_buff, ll_node);
	cell->pending = cell->pending->next;
	skb_mark_not_on_list(skb);
	WRITE_ONCE(cell->polled, cell->polled + 1);
	return skb;
}

static int ovpn_rx_poll(struct napi_struct *napi, int budget)
{
	struct ovpn_rx_cell *cell;
	struct ovpn_rx_run run = {};
	struct sk_buff *skb;
	int done = 0;

	cell = container_of(napi, struct ovpn_rx_cell, napi);
	run.cell = cell;
	run.ovpn = cell->ovpn;
	run.now = ktime_get_boottime_seconds();

	rcu_read_lock();
	while (done < budget) {
		skb = ovpn_rx_cell_next(cell);
		if (!skb)
			break;
		ovpn_rx_packet(&run, skb);
		done++;
	}
	ovpn_rx_run_flush(&run);
	rcu_read_unlock();

	if (done < budget)
		napi_complete_done(napi, done);
	return done;
}

/**
 * ovpn_rx_enqueue - hand over a sealed packet
 * @ovpn: the device
 * @skb: the packet, from its UDP header on; consumed
 *
 * Context: BH off, RCU read section.
 */
void ovpn_rx_enqueue(struct ovpn_priv *ovpn, struct sk_buff *skb)
{
	struct ovpn_rx_cell *cell = this_cpu_ptr(ovpn->cells);
	unsigned int backlog = cell->queued - READ_ONCE(cell->polled);

	if (unlikely(!(ovpn->dev->flags & IFF_UP))) {
		ovpn_drop(ovpn, skb, OVPN_DROP_RX_DOWN);
		return;
	}
	if (unlikely(backlog >= READ_ONCE(net_hotdata.max_backlog))) {
		ovpn_drop(ovpn, skb, OVPN_DROP_RX_BACKLOG);
		return;
	}

	/* neither may outlive the caller's read section */
	skb_dst_drop(skb);
	skb->dev = ovpn->dev;

	WRITE_ONCE(cell->queued, cell->queued + 1);
	if (llist_add(&skb->ll_node, &cell->incoming))
		napi_schedule(&cell->napi);
}

/**
 * ovpn_rx_init - set up the receive queues
 * @ovpn: the device
 *
 * Context: process, ndo_init.
 * Return: 0 or -ENOMEM.
 */
int ovpn_rx_init(struct ovpn_priv *ovpn)
{
	struct ovpn_rx_cell *cell;
	int cpu;

	ovpn->cells = alloc_percpu(struct ovpn_rx_cell);
	if (!ovpn->cells)
		return -ENOMEM;

	for_each_possible_cpu(cpu) {
		cell = per_cpu_ptr(ovpn->cells, cpu);
		init_llist_head(&cell->incoming);
		cell->ovpn = ovpn;
		/* nobody can busy-poll what no socket leads to */
		set_bit(NAPI_STATE_NO_BUSY_POLL, &cell->napi.state);
		netif_napi_add(ovpn->dev, &cell->napi, ovpn_rx_poll);
		napi_enable(&cell->napi);
	}
	return 0;
}

/**
 * ovpn_rx_stop - no poll runs any more when this returns
 * @ovpn: the device
 *
 * Packets may still be queued until a grace period has passed.
 *
 * Context: process, ndo_uninit.
 */
void ovpn_rx_stop(struct ovpn_priv *ovpn)
{
	struct ovpn_rx_cell *cell;
	int cpu;

	for_each_possible_cpu(cpu) {
		cell = per_cpu_ptr(ovpn->cells, cpu);
		napi_disable(&cell->napi);
		__netif_napi_del(&cell->napi);
	}
}

/**
 * ovpn_rx_exit - free the receive queues
 * @ovpn: the device; a grace period has passed since ovpn_rx_stop()
 *
 * Context: process.
 */
void ovpn_rx_exit(struct ovpn_priv *ovpn)
{
	struct ovpn_rx_cell *cell;
	struct sk_buff *skb;
	int cpu;

	for_each_possible_cpu(cpu) {
		cell = per_cpu_ptr(ovpn->cells, cpu);
		while ((skb = ovpn_rx_cell_next(cell)))
			kfree_skb_reason(skb, SKB_DROP_REASON_DEV_READY);
	}
	free_percpu(ovpn->cells);
}
