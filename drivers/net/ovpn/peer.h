/* SPDX-License-Identifier: GPL-2.0-only */
/* OpenVPN data channel offload: a peer */

#ifndef _NET_OVPN_PEER_H_
#define _NET_OVPN_PEER_H_

#include <linux/cache.h>
#include <linux/in6.h>
#include <linux/list.h>
#include <linux/llist.h>
#include <linux/rcupdate.h>
#include <linux/refcount.h>
#include <linux/rhashtable-types.h>
#include <linux/timer.h>
#include <linux/types.h>

#include "crypto.h"
#include "endpoint.h"
#include "stats.h"

struct dst_entry;
struct ovpn_priv;
struct ovpn_socket;
struct sk_buff;

/* IPv4 sources of a peer whose reverse path is remembered, see route.c */
#define OVPN_SOURCE4_ENTRIES	4

/**
 * struct ovpn_peer_endpoint - an endpoint as readers see it; never edited
 * @ep: the endpoint
 * @serial: tells it from all others that the peer ever had
 * @peer: whose
 * @by_remote: node of &ovpn_peer_table.by_remote; &ovpn_priv.lock
 * @hashed: it is there; &ovpn_priv.lock
 * @rcu: frees it
 */
struct ovpn_peer_endpoint {
	struct ovpn_endpoint ep;
	u32 serial;
	struct ovpn_peer *peer;
	struct rhlist_head by_remote;
	bool hashed;
	struct rcu_head rcu;
};

/**
 * struct ovpn_peer_vpn - addresses inside the VPN; never edited
 * @v4: IPv4, or 0
 * @v6: IPv6, or ::
 * @peer: whose
 * @by_v4: node of &ovpn_peer_table.by_vpn4; &ovpn_priv.lock
 * @by_v6: node of &ovpn_peer_table.by_vpn6; &ovpn_priv.lock
 * @rcu: frees it
 */
struct ovpn_peer_vpn {
	__be32 v4;
	struct in6_addr v6;
	struct ovpn_peer *peer;
	struct rhash_head by_v4;
	struct rhash_head by_v6;
	struct rcu_head rcu;
};

/**
 * struct ovpn_peer_route - a route to remember; never edited
 * @dst: the route, referenced
 * @cookie: for dst_check()
 * @serial: to the endpoint: that endpoint's; to an inner source: generation
 *	of the peer table
 * @mark: socket mark it was looked up with
 * @oif: device the socket was bound to
 * @sport: source port it was looked up with
 * @saddr: to the endpoint: our address; otherwise the inner source
 * @rcu: frees it
 */
struct ovpn_peer_route {
	struct dst_entry *dst;
	u32 cookie;
	u32 serial;
	u32 mark;
	int oif;
	__be16 sport;
	union ovpn_addr saddr;
	struct rcu_head rcu;
};

/**
 * struct ovpn_peer - a peer
 * @id: number by which it is known here and in the packets it sends
 * @tx_id: number for the packets sent to it
 * @ovpn: its device
 * @sock: its transport; set before the peer joins, put when it is freed
 * @endpoint: where it is; NULL over TCP. Written under @lock, read under RCU
 * @route: how to get there, or NULL. Written under @lock, read under RCU
 * @source6: the last inner IPv6 source that passed the reverse-path check,
 *	and the route that says so, or NULL. As @route
 * @keys: its keys
 * @vpn: its addresses inside the VPN, never NULL. Written under
 *	&ovpn_priv.lock, read under RCU
 * @source4: fingerprints of inner IPv4 sources that passed it
 * @keepalive_interval: seconds, 0 for never
 * @keepalive_timeout: seconds, 0 for never
 * @rx: what came from it
 * @last_recv: when an authentic packet last came, in seconds of boot time
 * @tx: what went to it
 * @last_sent: when a packet last went, in seconds of boot time
 * @timer: pings, expiry and deferred notifications of float
 * @float_told: when user space was last told of a float, boot time;
 *	&ovpn_priv.lock
 * @float_due: a notification of float is waiting for @timer. Written under
 *	&ovpn_priv.lock
 * @expiring: bit 0: the peer is on &ovpn_priv.expired, for good
 * @lock: guards @endpoint, @route, @source6 and @endpoint_serial. BH,
 *	nests inside &ovpn_priv.lock
 * @endpoint_serial: serial of the newest endpoint
 * @hashed: it is in the table; &ovpn_priv.lock
 * @leaving: node of the list of peers that leave together
 * @del_reason: why it left, &enum ovpn_del_peer_reason
 * @expired: node of &ovpn_priv.expired
 * @refcount: see "lifetimes" in ovpn.h
 * @rcu: frees it
 */
struct ovpn_peer {
	/* read by every packet, written by hardly any */
	u32 id;
	u32 tx_id;
	struct ovpn_priv *ovpn;
	struct ovpn_socket *sock;
	struct ovpn_peer_endpoint __rcu *endpoint;
	struct ovpn_peer_route __rcu *route;
	struct ovpn_peer_route __rcu *source6;
	struct ovpn_keyring keys;
	struct ovpn_peer_vpn __rcu *vpn;
	atomic64_t source4[OVPN_SOURCE4_ENTRIES];
	u32 keepalive_interval;
	u32 keepalive_timeout;

	/* written by receivers, then by senders */
	struct ovpn_stats rx ____cacheline_aligned;
	u32 last_recv;
	struct ovpn_stats tx ____cacheline_aligned;
	u32 last_sent;

	/* slow paths */
	struct timer_list timer ____cacheline_aligned;
	u32 float_told;
	bool float_due;
	unsigned long expiring;
	spinlock_t lock;
	u32 endpoint_serial;
	bool hashed;
	struct list_head leaving;
	u8 del_reason;
	struct llist_node expired;
	refcount_t refcount;
	struct rcu_head rcu;
};

struct ovpn_peer *ovpn_peer_new(struct ovpn_priv *ovpn, u32 id,
				void (*timer)(struct timer_list *timer));
bool ovpn_peer_get(struct ovpn_peer *peer);
void ovpn_peer_put(struct ovpn_peer *peer);

struct ovpn_peer_vpn *ovpn_peer_vpn_new(struct ovpn_peer *peer, __be32 v4,
					const struct in6_addr *v6, gfp_t gfp);
struct ovpn_peer_endpoint *
ovpn_peer_endpoint_new(struct ovpn_peer *peer, const struct ovpn_endpoint *ep,
		       gfp_t gfp);
struct ovpn_peer_endpoint *
ovpn_peer_set_endpoint(struct ovpn_peer *peer,
		       struct ovpn_peer_endpoint *endpoint);
bool ovpn_peer_endpoint_current(const struct ovpn_peer *peer,
				const struct ovpn_endpoint *ep);
void ovpn_peer_set_route(struct ovpn_peer *peer,
			 struct ovpn_peer_route __rcu **place,
			 struct ovpn_peer_route *route);

void ovpn_peer_clamp_mss(struct ovpn_peer *peer, struct sk_buff *skb);
void ovpn_peer_sent(struct ovpn_peer *peer, unsigned int packets,
		    unsigned int bytes, bool inner);

/**
 * ovpn_peer_touch - note the time, but spare the cache line if it is noted
 * @last: &ovpn_peer.last_recv or &ovpn_peer.last_sent
 * @now: seconds of boot time
 */
static inline void ovpn_peer_touch(u32 *last, u32 now)
{
	if (READ_ONCE(*last) != now)
		WRITE_ONCE(*last, now);
}

#endif /* _NET_OVPN_PEER_H_ */
