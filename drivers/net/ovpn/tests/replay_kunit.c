// SPDX-License-Identifier: GPL-2.0-only
/* OpenVPN data channel offload: tests of the replay window */

#include "../replay.h"

#include <kunit/test.h>
#include <linux/minmax.h>
#include <linux/prandom.h>
#include <linux/string.h>

#define W	OVPN_REPLAY_WINDOW

static_assert(W >= 2048);

static bool replay_accept(struct ovpn_replay *replay, u32 id, u32 now)
{
	bool ok;

	spin_lock_bh(&replay->lock);
	ok = ovpn_replay_accept(replay, id, now);
	spin_unlock_bh(&replay->lock);
	return ok;
}

/**
 * struct replay_step - a packet arrives
 * @id: its packet id
 * @now: seconds since the window was made
 * @ok: may it pass?
 */
struct replay_step {
	u32 id;
	u32 now;
	bool ok;
};

static const struct replay_step replay_in_order[] = {
	/*  1 */ { 1, 0, true },
	/*  2 */ { 2, 0, true },
	/*  3 */ { 3, 0, true },
	/*  4 */ { 3, 0, false },
	/*  5 */ { 2, 0, false },
	/*  6 */ { 1, 0, false },
	/*  7 */ { 4, 0, true },
};

static const struct replay_step replay_id_zero[] = {
	/*  1 */ { 0, 0, false },
	/*  2 */ { 1, 0, true },
	/*  3 */ { 0, 0, false },
	/*  4 */ { W + 1, 0, true },
	/*  5 */ { 0, 0, false },
};

static const struct replay_step replay_reordered[] = {
	/*  1 */ { 5, 0, true },
	/*  2 */ { 3, 0, true },
	/*  3 */ { 4, 0, true },
	/*  4 */ { 1, 0, true },
	/*  5 */ { 3, 0, false },
	/*  6 */ { 2, 0, true },
	/*  7 */ { 6, 0, true },
	/*  8 */ { 1, 0, false },
	/*  9 */ { 5, 0, false },
	/* 10 */ { 2, 0, false },
};

/* the first packet need not be number 1 */
static const struct replay_step replay_late_start[] = {
	/*  1 */ { 1000, 0, true },
	/*  2 */ { 999, 0, true },
	/*  3 */ { 1, 0, true },
	/*  4 */ { 1000, 0, false },
	/*  5 */ { 1, 0, false },
};

static const struct replay_step replay_lower_edge[] = {
	/*  1 */ { W, 0, true },
	/*  2 */ { 1, 0, true },	/* oldest of the window */
	/*  3 */ { 1, 0, false },
	/*  4 */ { W + 2, 0, true },
	/*  5 */ { 2, 0, false },	/* just left, never seen */
	/*  6 */ { 3, 0, true },	/* oldest now */
	/*  7 */ { 1, 0, false },
	/*  8 */ { W + 1, 0, true },
	/*  9 */ { W + 1, 0, false },
};

static const struct replay_step replay_jump_1[] = {
	/*  1 */ { 100, 0, true },
	/*  2 */ { 101, 0, true },
	/*  3 */ { 100, 0, false },
	/*  4 */ { 99, 0, true },
};

static const struct replay_step replay_jump_window_less_1[] = {
	/*  1 */ { 100, 0, true },
	/*  2 */ { 100 + W - 1, 0, true },
	/*  3 */ { 100, 0, false },	/* in the window, and seen */
	/*  4 */ { 101, 0, true },
	/*  5 */ { 99, 0, false },
};

static const struct replay_step replay_jump_window[] = {
	/*  1 */ { 100, 0, true },
	/*  2 */ { 100 + W, 0, true },
	/*  3 */ { 100, 0, false },	/* has left */
	/*  4 */ { 101, 0, true },
	/*  5 */ { 101, 0, false },
};

static const struct replay_step replay_jump_window_more_1[] = {
	/*  1 */ { 100, 0, true },
	/*  2 */ { 101 + W, 0, true },
	/*  3 */ { 101, 0, false },
	/*  4 */ { 102, 0, true },
	/*  5 */ { 100 + W, 0, true },
};

/* bits that stand where the window comes to lie again are forgotten */
static const struct replay_step replay_jump_ring[] = {
	/*  1 */ { 100, 0, true },
	/*  2 */ { 101, 0, true },
	/*  3 */ { 101 + OVPN_REPLAY_RING, 0, true },
	/*  4 */ { 100 + OVPN_REPLAY_RING, 0, true },
	/*  5 */ { 99 + OVPN_REPLAY_RING, 0, true },
	/*  6 */ { 101 + 3 * OVPN_REPLAY_RING, 0, true },
	/*  7 */ { 100 + 3 * OVPN_REPLAY_RING, 0, true },
	/*  8 */ { 100 + 3 * OVPN_REPLAY_RING, 0, false },
	/*  9 */ { 101 + OVPN_REPLAY_RING, 0, false },
};

static const struct replay_step replay_jump_huge[] = {
	/*  1 */ { 7, 0, true },
	/*  2 */ { 0x80000007, 0, true },
	/*  3 */ { 7, 0, false },
	/*  4 */ { 8, 0, false },
	/*  5 */ { 0x80000007, 0, false },
	/*  6 */ { 0x80000006, 0, true },
	/*  7 */ { 0x80000008 - W, 0, true },
	/*  8 */ { 0x80000007 - W, 0, false },
};

/* ids do not wrap: after the last one only older ones can come */
static const struct replay_step replay_last_id[] = {
	/*  1 */ { 1, 0, true },
	/*  2 */ { U32_MAX - 1, 0, true },
	/*  3 */ { U32_MAX, 0, true },
	/*  4 */ { U32_MAX, 0, false },
	/*  5 */ { U32_MAX - 1, 0, false },
	/*  6 */ { 0, 0, false },
	/*  7 */ { 1, 0, false },
	/*  8 */ { 2, 0, false },
	/*  9 */ { U32_MAX - 2, 0, true },
	/* 10 */ { U32_MAX - W + 1, 0, true },
	/* 11 */ { U32_MAX - W, 0, false },
};

static const struct replay_step replay_silence_29[] = {
	/*  1 */ { 10, 0, true },
	/*  2 */ { 9, 29, true },
	/*  3 */ { 8, 58, true },	/* each packet ends the silence */
	/*  4 */ { 11, 87, true },
	/*  5 */ { 7, 116, true },
};

static const struct replay_step replay_silence_30[] = {
	/*  1 */ { 10, 0, true },
	/*  2 */ { 9, 30, false },
	/*  3 */ { 10, 30, false },
	/*  4 */ { 11, 30, true },
	/*  5 */ { 9, 30, false },	/* the floor stays */
	/*  6 */ { 13, 31, true },
	/*  7 */ { 12, 32, true },	/* above it all is as ever */
	/*  8 */ { 8, 32, false },
};

static const struct replay_step replay_silence_31[] = {
	/*  1 */ { 10, 0, true },
	/*  2 */ { 12, 31, true },
	/*  3 */ { 9, 31, false },
	/*  4 */ { 11, 31, true },	/* newer than the silence */
	/*  5 */ { 11, 31, false },
};

/* a refused packet does not end the silence */
static const struct replay_step replay_silence_refused[] = {
	/*  1 */ { 10, 0, true },
	/*  2 */ { 10, 20, false },
	/*  3 */ { 9, 31, false },
	/*  4 */ { 8, 32, false },
};

/* nothing has been received yet: there is nothing to be older than */
static const struct replay_step replay_silence_first[] = {
	/*  1 */ { 10, 1000, true },
	/*  2 */ { 9, 1000, true },
};

/* another CPU may have looked at the clock earlier, and got here later */
static const struct replay_step replay_clock_back[] = {
	/*  1 */ { 10, 100, true },
	/*  2 */ { 9, 99, true },
	/*  3 */ { 11, 100, true },
	/*  4 */ { 8, 98, true },
	/*  5 */ { 8, 99, false },
	/*  6 */ { 7, 100, true },
};

struct replay_case {
	const char *name;
	const struct replay_step *steps;
	unsigned int count;
};

#define REPLAY_CASE(table) { #table, table, ARRAY_SIZE(table) }

static const struct replay_case replay_tables[] = {
	REPLAY_CASE(replay_in_order),
	REPLAY_CASE(replay_id_zero),
	REPLAY_CASE(replay_reordered),
	REPLAY_CASE(replay_late_start),
	REPLAY_CASE(replay_lower_edge),
	REPLAY_CASE(replay_jump_1),
	REPLAY_CASE(replay_jump_window_less_1),
	REPLAY_CASE(replay_jump_window),
	REPLAY_CASE(replay_jump_window_more_1),
	REPLAY_CASE(replay_jump_ring),
	REPLAY_CASE(replay_jump_huge),
	REPLAY_CASE(replay_last_id),
	REPLAY_CASE(replay_silence_29),
	REPLAY_CASE(replay_silence_30),
	REPLAY_CASE(replay_silence_31),
	REPLAY_CASE(replay_silence_refused),
	REPLAY_CASE(replay_silence_first),
	REPLAY_CASE(replay_clock_back),
};

KUNIT_ARRAY_PARAM_DESC(replay_table, replay_tables, name);

/* Each table holds whatever the clock says, also when it is about to wrap */
static void replay_table_test(struct kunit *test)
{
	static const u32 starts[] = { 0, 1, 123456, 0x7ffffff0, 0xfffffff0 };
	const struct replay_case *c = test->param_value;
	const struct replay_step *step;
	struct ovpn_replay *replay;
	unsigned int i, start;
	bool ok;

	replay = kunit_kmalloc(test, sizeof(*replay), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, replay);

	for (start = 0; start < ARRAY_SIZE(starts); start++) {
		memset(replay, 0xff, sizeof(*replay));
		ovpn_replay_init(replay, starts[start]);

		for (i = 0; i < c->count; i++) {
			step = &c->steps[i];
			ok = replay_accept(replay, step->id,
					   starts[start] + step->now);
			KUNIT_EXPECT_EQ_MSG(test, ok, step->ok,
					    "step %u, id %u, from second %u",
					    i + 1, step->id, starts[start]);
		}
	}
}

/* Every id of a whole window, last to first, passes once and only once */
static void replay_backwards_test(struct kunit *test)
{
	struct ovpn_replay *replay;
	u32 id, round;

	replay = kunit_kmalloc(test, sizeof(*replay), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, replay);
	ovpn_replay_init(replay, 0);

	/* wherever in a word it begins */
	for (round = 1; round <= 2 * BITS_PER_LONG; round++) {
		u32 newest = round * (W + 1);

		for (id = newest; id > newest - W; id--)
			KUNIT_ASSERT_TRUE_MSG(test,
					      replay_accept(replay, id, 0),
					      "id %u below %u", id, newest);
		for (id = newest; id >= newest - W; id--)
			KUNIT_ASSERT_FALSE_MSG(test,
					       replay_accept(replay, id, 0),
					       "id %u below %u", id, newest);
	}
}

/**
 * struct replay_oracle - the same rules in the simplest form
 * @newest: highest id accepted
 * @floor: nothing up to here
 * @accepted_at: when an id was last accepted
 * @seen: whether id @newest - i has been accepted. A move of the window moves
 *	all of it
 */
struct replay_oracle {
	u32 newest;
	u32 floor;
	s64 accepted_at;
	bool seen[W];
};

static void replay_oracle_init(struct replay_oracle *oracle, s64 now)
{
	memset(oracle, 0, sizeof(*oracle));
	oracle->accepted_at = now;
}

static bool replay_oracle_accept(struct replay_oracle *oracle, u32 id, s64 now)
{
	u32 age, by;

	if (now - oracle->accepted_at >= 30)
		oracle->floor = oracle->newest;
	if (!id || id <= oracle->floor)
		return false;

	if (id > oracle->newest) {
		by = min_t(u32, id - oracle->newest, W);
		memmove(oracle->seen + by, oracle->seen, W - by);
		memset(oracle->seen, false, by);
		oracle->newest = id;
	}

	age = oracle->newest - id;
	if (age >= W || oracle->seen[age])
		return false;

	oracle->seen[age] = true;
	oracle->accepted_at = now;
	return true;
}

static u32 replay_random_id(struct rnd_state *rnd, u32 newest)
{
	u32 r = prandom_u32_state(rnd), dice = r % 1000;
	u32 by = prandom_u32_state(rnd);

	if (dice < 500)
		return min_t(u64, (u64)newest + 1, U32_MAX);
	if (dice < 650)
		by %= 8;
	else if (dice < 800)
		by %= 300;
	else if (dice < 890)
		by %= W + W / 8;
	else if (dice < 900)
		by = W - 4 + by % 8;
	else if (dice < 990)
		return min_t(u64, (u64)newest + by % 100, U32_MAX);
	else if (dice < 996)
		return min_t(u64, (u64)newest + by % (3 * W), U32_MAX);
	else if (dice < 998)
		return min_t(u64, (u64)newest + W - 4 + by % 200, U32_MAX);
	else if (dice < 999)
		return min_t(u64, (u64)newest + by % (1U << 20), U32_MAX);
	else
		return r & 0x80000000 ? by % 3 : by;

	return by <= newest ? newest - by : 0;
}

static s64 replay_random_now(struct rnd_state *rnd, s64 now)
{
	u32 r = prandom_u32_state(rnd), dice = r % 2000;

	if (dice < 1900)
		return now;
	if (dice < 1980)
		return now + 1;
	if (dice < 1990)
		return now - 1;
	if (dice < 1998)
		return now + 27 + (r >> 16) % 6;
	return now + (r >> 16);
}

#define REPLAY_ROUNDS	256
#define REPLAY_STEPS	4096

static_assert(REPLAY_ROUNDS * REPLAY_STEPS >= 1000000);

/* 2^20 packets of a bad network, the oracle has the same opinion of each */
static void replay_model_test(struct kunit *test)
{
	unsigned int round, step, accepted = 0, refused = 0;
	struct replay_oracle *oracle;
	struct ovpn_replay *replay;
	struct rnd_state rnd;

	replay = kunit_kmalloc(test, sizeof(*replay), GFP_KERNEL);
	oracle = kunit_kmalloc(test, sizeof(*oracle), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, replay);
	KUNIT_ASSERT_NOT_NULL(test, oracle);
	prandom_seed_state(&rnd, 20);

	for (round = 0; round < REPLAY_ROUNDS; round++) {
		s64 now = prandom_u32_state(&rnd);
		u32 id = 1;

		ovpn_replay_init(replay, now);
		replay_oracle_init(oracle, now);
		/* begin anywhere, sometimes close to the last id */
		if (round & 1)
			id = prandom_u32_state(&rnd) | (round & 2 ? ~0xfff : 0);

		for (step = 0; step < REPLAY_STEPS; step++) {
			bool ok = replay_oracle_accept(oracle, id, now);
			bool got = replay_accept(replay, id, now);

			KUNIT_ASSERT_EQ_MSG(test, got, ok,
					    "round %u, step %u: id %u of %u",
					    round, step, id, oracle->newest);
			accepted += ok;
			refused += !ok;

			id = replay_random_id(&rnd, oracle->newest);
			now = replay_random_now(&rnd, now);
		}
		cond_resched();
	}

	/* a model that says the same to everything would prove nothing */
	KUNIT_EXPECT_GT(test, accepted, REPLAY_ROUNDS * REPLAY_STEPS / 4);
	KUNIT_EXPECT_GT(test, refused, REPLAY_ROUNDS * REPLAY_STEPS / 10);
	kunit_info(test, "%u accepted, %u refused", accepted, refused);
}

static struct kunit_case replay_cases[] = {
	KUNIT_CASE_PARAM(replay_table_test, replay_table_gen_params),
	KUNIT_CASE(replay_backwards_test),
	KUNIT_CASE(replay_model_test),
	{}
};

static struct kunit_suite replay_suite = {
	.name = "ovpn_replay",
	.test_cases = replay_cases,
};

kunit_test_suite(replay_suite);
