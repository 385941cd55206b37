/* SPDX-License-Identifier: GPL-2.0-only */
/* OpenVPN data channel offload: the device, and the rules of the house */

#ifndef _NET_OVPN_OVPN_H_
#define _NET_OVPN_OVPN_H_

#include <linux/llist.h>
#include <linux/mutex.h>
#include <linux/netdevice.h>
#include <linux/rhashtable-types.h>
#include <linux/spinlock.h>
#include <linux/types.h>
#include <linux/workqueue.h>
#include <linux/xarray.h>
#include <uapi/linux/if_link.h>

/**
 * DOC: floors
 *
 * The driver is a house of floors. A file names only files of lower floors,
 * or files of its own floor that stand to its left::
 *
 *   6 doors    netlink_ntf  dev  netlink  netlink_peer  netlink_dump
 *              netlink_key  netlink-gen  main
 *   5 life     session  keepalive  config
 *   4 packets  io_gro  io_learn  io_open  io_steer  io_rx  udp_gro  udp
 *              tcp_tx  tcp_rx  tcp_user  tcp  io_gso  io_tx
 *   3 peers    socket  peer  peer_table  route
 *   2 keys     crypto_aead  crypto
 *   1 pure     proto.h  nonce.h  replay  endpoint  mss
 *   0 words    ovpn.h  stats.h  skb.h  drop.h  chunk
 *
 * What a lower floor needs of a higher one is handed down as a function
 * pointer: &struct ovpn_transport_ops, &struct ovpn_user_ops,
 * &ovpn_socket.gone, the peer's timer.
 *
 * Verbs mean one thing each. new/free: memory. get/put: a counted reference.
 * lookup_..._rcu: a borrowed pointer, good until rcu_read_unlock().
 * add/remove: the peer table. attach/detach: a socket. join/leave: a peer's
 * session. learn: from an authenticated packet. notify: to user space.
 */

/**
 * DOC: lifetimes
 *
 * Packet paths run from start to end inside one RCU read section, because the
 * cryptography is synchronous. They take no reference: whatever they can
 * reach stays until the section ends.
 *
 * ================ ================== ======================================
 * object           born in            dies
 * ================ ================== ======================================
 * ovpn_priv        dev.c, newlink     with its net_device
 * ovpn_peer        config.c           last ovpn_peer_put(), then an RCU grace
 *                                     period. References: the table 1, a
 *                                     netlink command 1, a queued expiry 1
 * ovpn_socket      socket.c, attach   last put, then a grace period.
 *                                     References: each peer that uses it 1,
 *                                     a call of user space that runs in our
 *                                     code 1, a queued TCP work 1. It owns a
 *                                     sock_hold() and a tracked reference to
 *                                     the net_device
 * ovpn_key         netlink_key.c      on leaving its slot: grace period, then
 *                                     process context, for the cipher's sake
 * endpoint, route, peer.c, udp.c,     replaced as a whole, never edited;
 * VPN addresses    peer_table.c       freed after a grace period
 * ================ ================== ======================================
 *
 * A peer leaves the table exactly once, under &ovpn_priv.lock, which clears
 * &ovpn_peer.hashed. Whoever wants to insert or move it looks at that flag
 * under the same lock, so that nothing puts a peer back that has left.
 *
 * All peers of a device leave in ndo_uninit. &ovpn_peer_table.closed, set
 * under &ovpn_priv.config, keeps new ones out from then on, and their sockets:
 * packets that came through those would find nothing left of the device.
 */

/**
 * DOC: locks
 *
 * From outer to inner:
 *
 * - rtnl, taken by the core around ndo_init, ndo_uninit and friends
 * - &ovpn_priv.config (mutex): all that changes which peers and sockets exist
 * - lock_sock() of a transport socket; the spinlock inside it is only ever
 *   tried on the way out, as the sender may hold that of another socket
 * - &ovpn_socket.order (spinlock, BH): senders over TCP, one at a time
 * - the chunks of a CPU (local lock, BH, chunk.c): while packets are made in
 *   them, which may be when an endpoint is learned
 * - &ovpn_priv.lock (spinlock, BH): membership in the peer table
 * - &ovpn_peer.lock (spinlock, BH): the endpoint and the route of a peer
 * - leaves: &ovpn_keyring.lock, &ovpn_replay.lock, the queue lock in
 *   &ovpn_tcp.out (all spinlock, BH)
 *
 * lock_sock() and timer_shutdown_sync() may sleep or wait: a peer is first
 * unlinked under the spinlock and taken apart after it has been released.
 */

struct ovpn_drops;
struct ovpn_peer;
struct ovpn_rx_cell;

/**
 * struct ovpn_user_ops - how a device deals with its user space
 * @peer_del: tell that a peer has left, with &ovpn_peer.del_reason set
 * @peer_float: tell that a peer has a new transport address; NULL: nobody
 *	wants to know
 * @key_swap: tell that a key needs a successor; NULL: the same
 * @data_v1: P_DATA_V1 is passed up, like control packets
 *
 * One for each link kind. All functions run in any context, and may lose what
 * they have to tell.
 */
struct ovpn_user_ops {
	void (*peer_del)(struct ovpn_peer *peer);
	void (*peer_float)(struct ovpn_peer *peer);
	void (*key_swap)(struct ovpn_peer *peer, u8 key_id);
	bool data_v1;
};

/**
 * struct ovpn_peer_table - all peers of one device
 * @single: the only peer of a point-to-point device
 * @by_id: the peers of a multi-peer device by their 24-bit id
 * @by_vpn4: the same by the IPv4 address inside the VPN
 * @by_vpn6: the same by the IPv6 address inside the VPN
 * @by_remote: the same by remote transport address
 * @generation: changes whenever an address changes hands; readers use it to
 *	discard cached verdicts
 * @closed: the device is going away, no peer may enter and no socket be
 *	attached; guarded by &ovpn_priv.config
 *
 * Written under &ovpn_priv.lock, read under RCU.
 */
struct ovpn_peer_table {
	struct ovpn_peer __rcu *single;
	struct xarray by_id;
	struct rhashtable by_vpn4;
	struct rhashtable by_vpn6;
	struct rhltable by_remote;
	atomic_t generation;
	bool closed;
};

/**
 * struct ovpn_priv - the private part of an ovpn network device
 * @dev: the network device
 * @user: how it deals with its user space; set once, before registration
 * @mode: point-to-point or multi-peer; set once, before registration
 * @mss_clamp: TCP inside is told what fits a peer's path; written by ethtool
 *	under rtnl, read with READ_ONCE()
 * @rx_steering: a CPU with no time left may have another one poll its receive
 *	queue; the same as @mss_clamp
 * @cells: the receive queues, one for each CPU (io_rx.c)
 * @rx_next: the CPU whose queue the last connection got; @config
 * @drops: counters of dropped packets by reason, one set for each CPU
 * @table: the peers
 * @lock: membership in @table. BH. &ovpn_peer.lock nests inside
 * @config: serialises everything that makes, changes or ends a peer
 * @expired: peers whose keepalive timeout has passed; each holds a reference
 * @expire_work: ends the peers on @expired in process context
 */
struct ovpn_priv {
	struct net_device *dev;
	const struct ovpn_user_ops *user;
	enum ovpn_mode mode;
	bool mss_clamp;
	bool rx_steering;
	struct ovpn_rx_cell __percpu *cells;
	int rx_next;
	struct ovpn_drops __percpu *drops;
	struct ovpn_peer_table table;

	spinlock_t lock;
	struct mutex config;
	struct llist_head expired;
	struct work_struct expire_work;
};

#endif /* _NET_OVPN_OVPN_H_ */
