// SPDX-License-Identifier: GPL-2.0-only
/* OpenVPN data channel offload: packets in
 *
 * UDP puts sealed packets on the receive queue of its CPU. The queue's NAPI
 * poll takes them off in batches and walks each from ciphertext to the network
 * stack inside one RCU read section; on that CPU, or on another one if it has
 * no time left (io_steer.c).
 *
 * TCP has a batch in its hands already: what lies in the socket's buffers. It
 * is opened on the spot, right out of them, and the plaintexts are queued:
 * those of one connection always on the same queue, whichever CPU it is, so
 * that they stay in order.
 */

#include "io.h"

#include <linux/cpumask.h>
#include <linux/llist.h>
#include <net/hotdata.h>
#include <net/udp.h>

#include "drop.h"
#include "ovpn.h"

/* The queue holds so many times what the core's queue does, whose packets may
 * be super-packets: one poll of it can bring thousands of datagrams.
 */
#define OVPN_RX_BACKLOG		16

/**
 * struct ovpn_rx_cell - the receive queue of one CPU
 * @incoming: packets queued, newest first; many producers, one consumer
 * @queued: datagrams ever queued; the CPU's own producers
 * @steer: which CPU the consumer runs on; the same
 * @pending: packets taken off @incoming, oldest first; consumer
 * @polled: datagrams ever taken off @pending; consumer
 * @opened: plaintexts in @incoming and @pending, by segments
 * @napi: the consumer
 * @ovpn: the device
 */
struct ovpn_rx_cell {
	struct llist_head incoming;
	unsigned int queued;
	struct ovpn_steer steer;

	struct llist_node *pending ____cacheline_aligned_in_smp;
	unsigned int polled;
	atomic_t opened;
	struct napi_struct napi;
	struct ovpn_priv *ovpn;
};

/**
 * struct ovpn_rx_cb - what a packet on a receive queue is
 * @udp: a datagram's, which still tells the device it came through
 * @opened: plaintext, ready for the network stack; or else a datagram
 */
struct ovpn_rx_cb {
	struct udp_skb_cb udp;
	bool opened;
};

static struct ovpn_rx_cb *ovpn_rx_cb(const struct sk_buff *skb)
{
	BUILD_BUG_ON(sizeof(struct ovpn_rx_cb) > sizeof(skb->cb));
	return (struct ovpn_rx_cb *)skb->cb;
}

static unsigned int ovpn_rx_segments(const struct sk_buff *skb)
{
	return skb_is_gso(skb) ? skb_shinfo(skb)->gso_segs : 1;
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
	if (ovpn_rx_cb(skb)->opened)
		atomic_sub(ovpn_rx_segments(skb), &cell->opened);
	else
		WRITE_ONCE(cell->polled, cell->polled + 1);
	return skb;
}

static void ovpn_rx_deliver(struct ovpn_open_run *run, struct sk_buff *skb)
{
	napi_gro_receive(run->napi, skb);
}

static int ovpn_rx_poll(struct napi_struct *napi, int budget)
{
	struct ovpn_rx_cell *cell;
	struct ovpn_open_run run;
	struct sk_buff *skb;
	int done = 0;

	cell = container_of(napi, struct ovpn_rx_cell, napi);

	rcu_read_lock();
	ovpn_open_begin(&run, cell->ovpn, napi, ovpn_rx_deliver);
	while (done < budget) {
		skb = ovpn_rx_cell_next(cell);
		if (!skb)
			break;
		if (ovpn_rx_cb(skb)->opened)
			napi_gro_receive(napi, skb);
		else
			ovpn_open_datagram(&run, skb);
		done++;
	}
	ovpn_open_end(&run);
	rcu_read_unlock();

	if (done < budget)
		napi_complete_done(napi, done);
	else if (budget && unlikely(ovpn_steer_moved(&cell->steer)))
		done = budget - 1; /* it is not ours any more */
	return done;
}

/**
 * ovpn_rx_enqueue - hand over a sealed datagram
 * @ovpn: the device
 * @skb: the datagram, from its UDP header on; consumed
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
	if (unlikely(backlog >= OVPN_RX_BACKLOG *
		     READ_ONCE(net_hotdata.max_backlog))) {
		ovpn_drop(ovpn, skb, OVPN_DROP_RX_BACKLOG);
		return;
	}

	/* neither may outlive the caller's read section */
	skb_dst_drop(skb);
	skb->dev = ovpn->dev;
	ovpn_rx_cb(skb)->opened = false;
	WRITE_ONCE(cell->queued, cell->queued + 1);
	if (llist_add(&skb->ll_node, &cell->incoming))
		ovpn_steer_schedule(&cell->steer, cell->queued,
				    READ_ONCE(ovpn->rx_steering));
}

/**
 * ovpn_rx_assign - a receive queue for the packets of one connection
 * @ovpn: the device
 *
 * Context: process, &ovpn_priv.config held.
 * Return: the queue of one CPU, another one each time.
 */
struct ovpn_rx_cell *ovpn_rx_assign(struct ovpn_priv *ovpn)
{
	ovpn->rx_next = cpumask_next_wrap(ovpn->rx_next, cpu_online_mask);
	return per_cpu_ptr(ovpn->cells, ovpn->rx_next);
}

/**
 * ovpn_rx_napi - the consumer of a receive queue
 * @cell: the queue
 *
 * Return: the NAPI instance.
 */
struct napi_struct *ovpn_rx_napi(struct ovpn_rx_cell *cell)
{
	return &cell->napi;
}

/**
 * ovpn_rx_room - has a receive queue room for one more inner packet?
 * @cell: the queue
 *
 * Context: any.
 * Return: false if the network stack has to catch up first.
 */
bool ovpn_rx_room(const struct ovpn_rx_cell *cell)
{
	return atomic_read(&cell->opened) <
	       READ_ONCE(net_hotdata.max_backlog);
}

/**
 * ovpn_rx_enqueue_opened - hand over an inner packet
 * @cell: the queue; others may add to it at the same time
 * @skb: the packet, or a super-packet; consumed
 *
 * Context: BH off, RCU read section.
 */
void ovpn_rx_enqueue_opened(struct ovpn_rx_cell *cell, struct sk_buff *skb)
{
	ovpn_rx_cb(skb)->opened = true;
	atomic_add(ovpn_rx_segments(skb), &cell->opened);
	if (llist_add(&skb->ll_node, &cell->incoming))
		napi_schedule(&cell->napi);
}

/**
 * ovpn_rx_steered - how often has a queue gone to another CPU?
 * @ovpn: the device
 *
 * Context: process.
 * Return: the sum over all queues.
 */
u64 ovpn_rx_steered(const struct ovpn_priv *ovpn)
{
	const struct ovpn_rx_cell *cell;
	u64 moves = 0;
	int cpu;

	for_each_possible_cpu(cpu) {
		cell = per_cpu_ptr(ovpn->cells, cpu);
		moves += READ_ONCE(cell->steer.moves);
	}
	return moves;
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
		ovpn_steer_init(&cell->steer, &cell->napi, cpu);
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
