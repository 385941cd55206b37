// SPDX-License-Identifier: GPL-2.0-only
/* OpenVPN data channel offload: where a peer is now */

#include "io.h"

#include <linux/gfp.h>
#include <linux/jiffies.h>
#include <linux/lockdep.h>
#include <linux/rcupdate.h>
#include <linux/skbuff.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/timer.h>

#include "endpoint.h"
#include "ovpn.h"
#include "peer.h"
#include "peer_table.h"

/* Float notifications of one peer come at most once in this many seconds: a
 * flood of them would overrun the socket of the OpenVPN server, and end it.
 */
#define OVPN_FLOAT_INTERVAL	1

/* Once told, nothing is due, whatever time the timer has been set to. */
static void ovpn_learn_tell(struct ovpn_peer *peer, u32 now)
{
	struct ovpn_priv *ovpn = peer->ovpn;
	bool soon;

	lockdep_assert_held(&ovpn->lock);
	soon = (s32)(now - peer->float_told) < OVPN_FLOAT_INTERVAL;
	WRITE_ONCE(peer->float_due, soon);
	if (soon) {
		/* the tick that runs does not count */
		timer_reduce(&peer->timer,
			     jiffies + OVPN_FLOAT_INTERVAL * HZ + 1);
		return;
	}
	peer->float_told = now;
	ovpn->user->peer_float(peer);
}

/**
 * ovpn_learn_tell_due - tell user space of a float that has been put off
 * @peer: the peer
 * @now: boot time in seconds
 *
 * If it is still too early, &ovpn_peer.timer is brought forward. To be called
 * by those who have set it, and may have put it off.
 *
 * Context: any but hardirq; takes &ovpn_priv.lock if one is due.
 */
void ovpn_learn_tell_due(struct ovpn_peer *peer, u32 now)
{
	struct ovpn_priv *ovpn = peer->ovpn;

	if (likely(!READ_ONCE(peer->float_due)))
		return;

	spin_lock_bh(&ovpn->lock);
	if (peer->float_due && peer->hashed)
		ovpn_learn_tell(peer, now);
	spin_unlock_bh(&ovpn->lock);
}

/* The peer has moved. Only a peer that is in the table may be put into another
 * place of the table.
 */
static void ovpn_learn_endpoint(struct ovpn_peer *peer,
				const struct ovpn_endpoint *from, u32 now)
{
	struct ovpn_peer_endpoint *new, *old;
	struct ovpn_priv *ovpn = peer->ovpn;
	bool floated;

	new = ovpn_peer_endpoint_new(peer, from, GFP_ATOMIC | __GFP_NOWARN);
	if (!new)
		return;

	spin_lock_bh(&ovpn->lock);
	old = rcu_dereference_protected(peer->endpoint,
					lockdep_is_held(&ovpn->lock));
	if (!peer->hashed || !old || ovpn_endpoint_equal(&old->ep, from)) {
		kfree(new);
		goto out;
	}

	floated = memcmp(&old->ep.remote, &from->remote, sizeof(from->remote));
	ovpn_peer_table_move(peer, new);
	if (floated && ovpn->user->peer_float)
		ovpn_learn_tell(peer, now);
out:
	spin_unlock_bh(&ovpn->lock);
}

/**
 * ovpn_learn_sender - the peer is where its newest packet came from
 * @peer: the peer
 * @skb: its newest authentic datagram, with its outer headers
 * @now: boot time in seconds
 *
 * Context: BH off, RCU read section; takes &ovpn_priv.lock if it has moved.
 */
void ovpn_learn_sender(struct ovpn_peer *peer, const struct sk_buff *skb,
		       u32 now)
{
	const struct ovpn_peer_endpoint *known;
	struct ovpn_endpoint from;

	known = rcu_dereference(peer->endpoint);
	if (likely(known && ovpn_endpoint_is_of(&known->ep, skb)))
		return;

	if (!ovpn_endpoint_from_skb(&from, skb) &&
	    !ovpn_peer_endpoint_current(peer, &from))
		ovpn_learn_endpoint(peer, &from, now);
}
