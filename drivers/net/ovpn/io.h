/* SPDX-License-Identifier: GPL-2.0-only */
/* OpenVPN data channel offload: packets in and out */

#ifndef _NET_OVPN_IO_H_
#define _NET_OVPN_IO_H_

#include <linux/ipv6.h>
#include <linux/netdevice.h>
#include <linux/skbuff.h>
#include <linux/smp.h>
#include <linux/tcp.h>
#include <linux/udp.h>

#include "crypto_aead.h"
#include "proto.h"

/* what is pushed in front of a packet without asking: our header, then UDP and
 * IP, or the two bytes of length that TCP needs
 */
#define OVPN_TX_PUSH	(OVPN_HEADER_SIZE + sizeof(struct udphdr) + \
			 sizeof(struct ipv6hdr))

static_assert(OVPN_TX_PUSH >= OVPN_AEAD_HEADROOM);

/* room to leave in front of packets, that of the link layer below included */
#define OVPN_TX_HEADROOM	(OVPN_TX_PUSH + LL_MAX_HEADER)

/* the headers of a segment that can be joined to another one */
#define OVPN_GRO_HEADER_MAX	(sizeof(struct ipv6hdr) + 60)

struct ovpn_chunk;
struct ovpn_key;
struct ovpn_open_run;
struct ovpn_peer;
struct ovpn_priv;
struct ovpn_rx_cell;

/**
 * struct ovpn_gro - a super-packet that is being received
 * @skb: a packet, and the payload of those that followed; or NULL
 * @chunk: where the next one is opened
 * @l3_size: bytes of the IP header
 * @header: bytes of all headers of a segment
 * @mss: payload of each segment but the last
 * @max: all of it has to be smaller than that
 * @segments: their number
 * @seq: TCP's sequence number of the next one
 * @rest: packets to let pass before the next one is kept
 * @fixed_id: all segments have the same IP id
 * @pushed: nothing follows
 * @joined: the next packet's headers are written over payload
 * @kept: that payload
 */
struct ovpn_gro {
	struct sk_buff *skb;
	struct ovpn_chunk *chunk;
	unsigned int l3_size;
	unsigned int header;
	unsigned int mss;
	unsigned int max;
	unsigned int segments;
	u32 seq;
	u8 rest;
	bool fixed_id;
	bool pushed;
	bool joined;
	u8 kept[OVPN_GRO_HEADER_MAX];
};

typedef void (*ovpn_open_deliver_t)(struct ovpn_open_run *run,
				    struct sk_buff *skb);

/**
 * struct ovpn_open_run - packets in a row with the same first word
 * @napi: the consumer of the queue that inner packets go to
 * @ovpn: the device
 * @deliver: what to do with inner packets
 * @peer: their sender, borrowed
 * @key: the key that sealed them, borrowed
 * @op: their first word, 0 for none (no data packet has that)
 * @now: boot time in seconds
 * @link_packets: authentic packets since the last flush
 * @link_bytes: their bytes
 * @vpn_packets: inner packets since the last flush
 * @vpn_bytes: their bytes
 * @gro: the super-packet that inner packets are joined to
 */
struct ovpn_open_run {
	struct napi_struct *napi;
	struct ovpn_priv *ovpn;
	ovpn_open_deliver_t deliver;
	struct ovpn_peer *peer;
	struct ovpn_key *key;
	u32 op;
	u32 now;
	unsigned int link_packets;
	unsigned int link_bytes;
	unsigned int vpn_packets;
	unsigned int vpn_bytes;
	struct ovpn_gro gro;
};

/**
 * struct ovpn_steer - which CPU polls a receive queue
 * @csd: has another CPU poll; whose turn it is, the consumer or who schedules
 *	it, owns it
 * @napi: the consumer
 * @last: time of the last look, in jiffies
 * @looked: the same in microseconds
 * @home_idle: how long @home had been idle then, in microseconds since boot
 * @other_idle: the same of @other
 * @queued: datagrams ever queued, then
 * @home: the queue's own CPU
 * @other: the one that is looked at, or that polls
 * @cpu: the one that polls; the consumer reads it, too
 * @move: that one has just become another one; cleared by the consumer
 * @moves: how often it became another one than @home; ethtool reads it
 *
 * Written on @home, with BH off, where nothing else is said.
 */
struct ovpn_steer {
	call_single_data_t csd;
	struct napi_struct *napi;
	unsigned long last;
	u64 looked;
	u64 home_idle;
	u64 other_idle;
	unsigned int queued;
	int home;
	int other;
	int cpu;
	bool move;
	unsigned long moves;
};

/**
 * struct ovpn_tx_cb - what io_tx tells the transport about a sealed buffer
 * @packets: packets in it: one, or the segments of a super-packet
 * @size: if several, the size of each but the last
 * @dsfield: the inner packet's DS field, for ECN
 * @inner: it carries inner packets, not a keepalive message
 * @control: it carries control packets of user space (TCP)
 */
struct ovpn_tx_cb {
	u16 packets;
	u16 size;
	u8 dsfield;
	bool inner;
	bool control;
};

/**
 * struct ovpn_seal - how to seal the packets of one list
 * @peer: to whom they go, borrowed
 * @key: seals them, borrowed
 * @op: their first word
 * @id: packet id of the next one
 * @prefix: bytes of length in front of each
 * @max: the largest buffer that they may share
 * @cb: what to tell the transport of each buffer
 */
struct ovpn_seal {
	struct ovpn_peer *peer;
	const struct ovpn_key *key;
	u32 op;
	u32 id;
	u8 prefix;
	unsigned int max;
	struct ovpn_tx_cb cb;
};

/**
 * ovpn_tx_cb - the control block of a packet on its way out
 * @skb: the packet; valid from sealing to the transport's send
 *
 * Return: its control block.
 */
static inline struct ovpn_tx_cb *ovpn_tx_cb(const struct sk_buff *skb)
{
	BUILD_BUG_ON(sizeof(struct ovpn_tx_cb) > sizeof(skb->cb));
	return (struct ovpn_tx_cb *)skb->cb;
}

void ovpn_learn_sender(struct ovpn_peer *peer, const struct sk_buff *skb,
		       u32 now);
void ovpn_learn_tell_due(struct ovpn_peer *peer, u32 now);

bool ovpn_gro_start(struct ovpn_gro *gro, struct sk_buff *skb);
u8 *ovpn_gro_slot(struct ovpn_gro *gro, unsigned int len);
bool ovpn_gro_follows(struct ovpn_gro *gro, const u8 *packet, unsigned int len);
void ovpn_gro_add(struct ovpn_gro *gro, u8 *slot, unsigned int len);
void ovpn_gro_undo(struct ovpn_gro *gro, u8 *slot);
struct sk_buff *ovpn_gro_finish(struct ovpn_gro *gro);

void ovpn_open_begin(struct ovpn_open_run *run, struct ovpn_priv *ovpn,
		     struct napi_struct *napi, ovpn_open_deliver_t deliver);
void ovpn_open_datagram(struct ovpn_open_run *run, struct sk_buff *skb);
void ovpn_open_record(struct ovpn_open_run *run, struct ovpn_peer *peer,
		      struct sk_buff *skb, unsigned int offset,
		      unsigned int len);
void ovpn_open_whole(struct ovpn_open_run *run, struct ovpn_peer *peer,
		     struct sk_buff *skb);
void ovpn_open_end(struct ovpn_open_run *run);

bool ovpn_steer_judge(bool away, u32 passed, u32 home, u32 other);
void ovpn_steer_init(struct ovpn_steer *steer, struct napi_struct *napi,
		     int cpu);
void ovpn_steer_schedule(struct ovpn_steer *steer, unsigned int queued,
			 bool allowed);
bool ovpn_steer_moved(struct ovpn_steer *steer);

int ovpn_rx_init(struct ovpn_priv *ovpn);
void ovpn_rx_stop(struct ovpn_priv *ovpn);
void ovpn_rx_exit(struct ovpn_priv *ovpn);
void ovpn_rx_enqueue(struct ovpn_priv *ovpn, struct sk_buff *skb);
struct ovpn_rx_cell *ovpn_rx_assign(struct ovpn_priv *ovpn);
struct napi_struct *ovpn_rx_napi(struct ovpn_rx_cell *cell);
u64 ovpn_rx_steered(const struct ovpn_priv *ovpn);
bool ovpn_rx_room(const struct ovpn_rx_cell *cell);
void ovpn_rx_enqueue_opened(struct ovpn_rx_cell *cell, struct sk_buff *skb);

unsigned int ovpn_gso_count(const struct sk_buff *skb, unsigned int *packets,
			    unsigned int *blocks);
struct sk_buff *ovpn_gso_seal(struct ovpn_seal *seal, struct sk_buff *skb,
			      unsigned int packets);

netdev_tx_t ovpn_tx_start_xmit(struct sk_buff *skb, struct net_device *dev);
void ovpn_tx_keepalive(struct ovpn_peer *peer);

#endif /* _NET_OVPN_IO_H_ */
