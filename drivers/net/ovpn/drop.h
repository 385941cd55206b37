/* SPDX-License-Identifier: GPL-2.0-only */
/* OpenVPN data channel offload: why a packet was dropped */

#ifndef _NET_OVPN_DROP_H_
#define _NET_OVPN_DROP_H_

#include <linux/lockdep.h>
#include <linux/netdevice.h>
#include <linux/percpu.h>
#include <linux/skbuff.h>

#include "ovpn.h"

/*
 * Each line: our name, its name in ``ethtool -S``, and the nearest reason the
 * core knows, which is what the skb:kfree_skb tracepoint shows.
 */
#define OVPN_DROP_REASONS(X)						\
	X(RX_DOWN,	"rx_dev_down",		DEV_READY)		\
	X(RX_BACKLOG,	"rx_backlog_full",	CPU_BACKLOG)		\
	X(RX_NOMEM,	"rx_no_memory",		NOMEM)			\
	X(RX_SHORT,	"rx_too_short",		HDR_TRUNC)		\
	X(RX_V1,	"rx_data_v1",		UNHANDLED_PROTO)	\
	X(RX_NO_PEER,	"rx_unknown_peer",	NO_SOCKET)		\
	X(RX_NO_KEY,	"rx_unknown_key",	SECURITY_HOOK)		\
	X(RX_AUTH,	"rx_auth_failed",	SECURITY_HOOK)		\
	X(RX_REPLAY,	"rx_replayed",		SECURITY_HOOK)		\
	X(RX_PROTO,	"rx_not_ip",		INVALID_PROTO)		\
	X(RX_SPOOFED,	"rx_reverse_path",	IP_RPFILTER)		\
	X(RX_ECN,	"rx_bad_ecn",		IP_TUNNEL_ECN)		\
	X(RX_CONTROL,	"rx_control_full",	SOCKET_RCVBUFF)		\
	X(TX_PROTO,	"tx_not_ip",		INVALID_PROTO)		\
	X(TX_NO_PEER,	"tx_no_peer",		NO_TX_TARGET)		\
	X(TX_NO_KEY,	"tx_no_key",		SECURITY_HOOK)		\
	X(TX_EXHAUSTED,	"tx_key_exhausted",	SECURITY_HOOK)		\
	X(TX_GSO,	"tx_segmentation",	SKB_GSO_SEG)		\
	X(TX_CSUM,	"tx_checksum",		SKB_CSUM)		\
	X(TX_NOMEM,	"tx_no_memory",		NOMEM)			\
	X(TX_SEAL,	"tx_seal_failed",	SECURITY_HOOK)		\
	X(TX_NO_ROUTE,	"tx_no_route",		IP_OUTNOROUTES)		\
	X(TX_TOO_BIG,	"tx_too_big",		PKT_TOO_BIG)		\
	X(TX_QUEUE,	"tx_queue_full",	QDISC_DROP)		\
	X(TX_CLOSED,	"tx_closed",		SOCKET_CLOSE)

/*
 * enum ovpn_drop - the reasons for which the driver drops a packet
 * @OVPN_DROP_RX_DOWN: the device is down
 * @OVPN_DROP_RX_BACKLOG: the CPU's receive queue is full
 * @OVPN_DROP_RX_NOMEM: no memory for the plaintext
 * @OVPN_DROP_RX_SHORT: the datagram has no room for header, tag and payload
 * @OVPN_DROP_RX_V1: P_DATA_V1 of peers older than OpenVPN 2.4.5
 * @OVPN_DROP_RX_NO_PEER: no peer has this id, or this transport address
 * @OVPN_DROP_RX_NO_KEY: the peer has no key with this key id
 * @OVPN_DROP_RX_AUTH: the tag is wrong
 * @OVPN_DROP_RX_REPLAY: the packet id came before, or is too old
 * @OVPN_DROP_RX_PROTO: the plaintext is neither IPv4 nor IPv6
 * @OVPN_DROP_RX_SPOOFED: the inner source is not routed to this peer
 * @OVPN_DROP_RX_ECN: congestion was marked on a flow that cannot carry it
 * @OVPN_DROP_RX_CONTROL: user space does not read its control packets (TCP)
 * @OVPN_DROP_TX_PROTO: the packet is neither IPv4 nor IPv6
 * @OVPN_DROP_TX_NO_PEER: no peer serves the next hop
 * @OVPN_DROP_TX_NO_KEY: the peer has no primary key
 * @OVPN_DROP_TX_EXHAUSTED: the primary key has no packet ids left
 * @OVPN_DROP_TX_GSO: the super-packet could not be segmented
 * @OVPN_DROP_TX_CSUM: the transport checksum could not be filled in
 * @OVPN_DROP_TX_NOMEM: no memory for the ciphertext
 * @OVPN_DROP_TX_SEAL: the cipher refused
 * @OVPN_DROP_TX_NO_ROUTE: no endpoint, or no route to it
 * @OVPN_DROP_TX_TOO_BIG: larger than the path, and DF is wanted; or than a
 *	record can be (TCP)
 * @OVPN_DROP_TX_QUEUE: the connection is too slow, and this was the oldest
 *	packet in its queue (TCP)
 * @OVPN_DROP_TX_CLOSED: the connection was ending (TCP)
 * @OVPN_DROP_MAX: number of reasons
 */
enum ovpn_drop {
#define OVPN_DROP_ENUM(name, string, core) OVPN_DROP_##name,
	OVPN_DROP_REASONS(OVPN_DROP_ENUM)
#undef OVPN_DROP_ENUM
	OVPN_DROP_MAX
};

/**
 * struct ovpn_drops - one CPU's counters
 * @count: dropped packets, indexed by &enum ovpn_drop
 */
struct ovpn_drops {
	unsigned long count[OVPN_DROP_MAX];
};

/**
 * ovpn_drop_core_reason - the core's nearest reason
 * @why: our reason
 *
 * Return: the value for kfree_skb_reason().
 */
static inline enum skb_drop_reason ovpn_drop_core_reason(enum ovpn_drop why)
{
	static const enum skb_drop_reason core[] = {
#define OVPN_DROP_CORE(name, string, core) \
		[OVPN_DROP_##name] = SKB_DROP_REASON_##core,
		OVPN_DROP_REASONS(OVPN_DROP_CORE)
#undef OVPN_DROP_CORE
	};

	return core[why];
}

/**
 * ovpn_drop_count - count a dropped packet
 * @ovpn: the device
 * @why: the reason
 *
 * Context: BH off.
 */
static inline void ovpn_drop_count(struct ovpn_priv *ovpn, enum ovpn_drop why)
{
	/* an interrupted update of dstats loses one, or makes 32-bit readers
	 * spin; BH off in process context is good enough
	 */
	lockdep_assert_in_softirq();
	this_cpu_inc(ovpn->drops->count[why]);
	if (why < OVPN_DROP_TX_PROTO)
		dev_dstats_rx_dropped(ovpn->dev);
	else
		dev_dstats_tx_dropped(ovpn->dev);
}

/**
 * ovpn_drop - free a packet and count it
 * @ovpn: the device
 * @skb: the packet, or a list of segments; NULL only counts
 * @why: the reason
 *
 * Context: BH off.
 */
static inline void ovpn_drop(struct ovpn_priv *ovpn, struct sk_buff *skb,
			     enum ovpn_drop why)
{
	struct sk_buff *seg, *next;

	if (!skb)
		ovpn_drop_count(ovpn, why);
	skb_list_walk_safe(skb, seg, next) {
		skb_mark_not_on_list(seg);
		ovpn_drop_count(ovpn, why);
		kfree_skb_reason(seg, ovpn_drop_core_reason(why));
	}
}

#endif /* _NET_OVPN_DROP_H_ */
