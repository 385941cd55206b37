// SPDX-License-Identifier: GPL-2.0-only
/* OpenVPN data channel offload: ping the idle, expire the silent
 *
 * Each peer has a timer of its own, so that nobody walks over all peers.
 * Packets do not touch it: they leave a time stamp, at which the timer looks
 * when it fires, to find out how long it may sleep again. Stamps are seconds
 * of boot time, which runs on through suspend and never jumps.
 */

#include "keepalive.h"

#include <linux/jiffies.h>
#include <linux/llist.h>
#include <linux/minmax.h>
#include <linux/timekeeping.h>
#include <linux/timer.h>
#include <linux/workqueue.h>

#include "io.h"
#include "ovpn.h"
#include "peer.h"
#include "session.h"

/* Stamps are whole seconds, rounded down. A little patience saves a timer
 * from waking up just before the second is over.
 */
#define OVPN_KEEPALIVE_SLACK	(HZ / 20 + 1)

static void ovpn_keepalive_arm(struct ovpn_peer *peer, u32 seconds)
{
	mod_timer(&peer->timer,
		  jiffies + (unsigned long)seconds * HZ + OVPN_KEEPALIVE_SLACK);
}

/* Seconds since a stamp. Another CPU may have set it after we read the clock,
 * and that is no time at all.
 */
static u32 ovpn_keepalive_idle(u32 now, const u32 *stamp)
{
	s32 idle = now - READ_ONCE(*stamp);

	return max(idle, 0);
}

/* A timer cannot sleep, and leaving does: pass the peer on, once for all. */
static void ovpn_keepalive_expire(struct ovpn_peer *peer)
{
	struct ovpn_priv *ovpn = peer->ovpn;

	if (test_and_set_bit(0, &peer->expiring) || !ovpn_peer_get(peer))
		return;
	if (llist_add(&peer->expired, &ovpn->expired))
		schedule_work(&ovpn->expire_work);
}

/**
 * ovpn_keepalive_timer - see what is due for a peer
 * @timer: &ovpn_peer.timer
 *
 * Context: softirq. The peer stays: whoever lets it go waits for us first.
 */
void ovpn_keepalive_timer(struct timer_list *timer)
{
	struct ovpn_peer *peer = timer_container_of(peer, timer, timer);
	u32 interval = READ_ONCE(peer->keepalive_interval);
	u32 timeout = READ_ONCE(peer->keepalive_timeout);
	u32 now = ktime_get_boottime_seconds();
	u32 idle, next = U32_MAX;

	if (timeout) {
		idle = ovpn_keepalive_idle(now, &peer->last_recv);
		if (idle >= timeout) {
			ovpn_keepalive_expire(peer);
			return;
		}
		next = timeout - idle;
	}

	if (interval) {
		idle = ovpn_keepalive_idle(now, &peer->last_sent);
		if (idle >= interval) {
			rcu_read_lock();
			ovpn_tx_keepalive(peer);
			rcu_read_unlock();
			idle = 0;
		}
		next = min(next, interval - idle);
	}

	if (next != U32_MAX)
		ovpn_keepalive_arm(peer, next);
	ovpn_learn_tell_due(peer, now);
}

/**
 * ovpn_keepalive_set - how often to ping a peer, and when to give it up
 * @peer: a peer that has joined
 * @interval: ping after that many seconds without sending; 0 for never
 * @timeout: delete it after that many seconds without receiving; 0 for never
 *
 * Both clocks start anew.
 *
 * Context: process, &ovpn_priv.config held.
 */
void ovpn_keepalive_set(struct ovpn_peer *peer, u32 interval, u32 timeout)
{
	u32 now = ktime_get_boottime_seconds();

	WRITE_ONCE(peer->last_recv, now);
	WRITE_ONCE(peer->last_sent, now);
	WRITE_ONCE(peer->keepalive_interval, interval);
	WRITE_ONCE(peer->keepalive_timeout, timeout);

	if (interval || timeout)
		ovpn_keepalive_arm(peer, min_not_zero(interval, timeout));
	ovpn_learn_tell_due(peer, now);
}

static void ovpn_keepalive_expire_work(struct work_struct *work)
{
	struct ovpn_priv *ovpn;
	struct ovpn_peer *peer, *next;
	struct llist_node *list;

	ovpn = container_of(work, struct ovpn_priv, expire_work);
	list = llist_del_all(&ovpn->expired);

	mutex_lock(&ovpn->config);
	llist_for_each_entry_safe(peer, next, list, expired) {
		ovpn_session_leave(peer, OVPN_DEL_PEER_REASON_EXPIRED);
		ovpn_peer_put(peer);
	}
	mutex_unlock(&ovpn->config);
}

/**
 * ovpn_keepalive_init - get ready to expire peers
 * @ovpn: the device
 */
void ovpn_keepalive_init(struct ovpn_priv *ovpn)
{
	init_llist_head(&ovpn->expired);
	INIT_WORK(&ovpn->expire_work, ovpn_keepalive_expire_work);
}

/**
 * ovpn_keepalive_exit - no peer expires any more
 * @ovpn: a device without peers
 *
 * Context: process; &ovpn_priv.config not held, as the work takes it.
 */
void ovpn_keepalive_exit(struct ovpn_priv *ovpn)
{
	/* peers that left before their turn are still listed, and held */
	flush_work(&ovpn->expire_work);
}
