// SPDX-License-Identifier: GPL-2.0-only
/* OpenVPN data channel offload: the replay window
 *
 * RFC 6479: a ring of words in which moving the window clears whole words
 * instead of shifting bits. The clock is an argument, so that tests own it.
 */

#include "replay.h"

#include <kunit/visibility.h>
#include <linux/lockdep.h>
#include <linux/minmax.h>
#include <linux/string.h>

#define OVPN_REPLAY_WORDS	(OVPN_REPLAY_RING / BITS_PER_LONG)

/**
 * ovpn_replay_init - start with nothing received
 * @replay: the window
 * @now: seconds of any clock that does not jump
 */
void ovpn_replay_init(struct ovpn_replay *replay, u32 now)
{
	spin_lock_init(&replay->lock);
	replay->newest = 0;
	replay->floor = 0;
	replay->accepted_at = now;
	memset(replay->ring, 0, sizeof(replay->ring));
}
EXPORT_SYMBOL_IF_KUNIT(ovpn_replay_init);

/* move the window up to @id: clear the words it enters */
static void ovpn_replay_advance(struct ovpn_replay *replay, u32 id)
{
	u32 word = replay->newest / BITS_PER_LONG;
	u32 steps = id / BITS_PER_LONG - word;

	steps = min_t(u32, steps, OVPN_REPLAY_WORDS);
	while (steps--)
		replay->ring[++word % OVPN_REPLAY_WORDS] = 0;
	replay->newest = id;
}

/**
 * ovpn_replay_accept - is this id new? If so, it is not from now on
 * @replay: the window
 * @id: the packet id of a packet that has been authenticated
 * @now: seconds of the clock given to ovpn_replay_init(); may lag behind what
 *	other CPUs have given
 *
 * Context: &ovpn_replay.lock held.
 * Return: true if the packet may pass; false if it is a replay or too old to
 * tell.
 */
bool ovpn_replay_accept(struct ovpn_replay *replay, u32 id, u32 now)
{
	unsigned long *word, bit;

	lockdep_assert_held(&replay->lock);

	/* signed: another CPU may have read the clock after we did */
	if ((s32)(now - replay->accepted_at) >= OVPN_REPLAY_SILENCE)
		replay->floor = replay->newest;

	/* also refuses id 0, which is never sent */
	if (unlikely(id <= replay->floor))
		return false;

	if (likely(id > replay->newest))
		ovpn_replay_advance(replay, id);
	else if (unlikely(replay->newest - id >= OVPN_REPLAY_WINDOW))
		return false;

	word = &replay->ring[id / BITS_PER_LONG % OVPN_REPLAY_WORDS];
	bit = BIT(id % BITS_PER_LONG);
	if (unlikely(*word & bit))
		return false;

	*word |= bit;
	replay->accepted_at = now;
	return true;
}
EXPORT_SYMBOL_IF_KUNIT(ovpn_replay_accept);
