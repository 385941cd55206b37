// SPDX-License-Identifier: GPL-2.0-only
/* OpenVPN data channel offload: tests of who polls a receive queue */

#include "../io.h"

#include <kunit/test.h>

/**
 * struct steer_case - a look at two CPUs
 * @away: the other one polls
 * @home: percentage of time for which the queue's own was idle
 * @other: the same of the other one
 * @want: the other one shall poll
 */
struct steer_case {
	bool away;
	u8 home;
	u8 other;
	bool want;
};

static const struct steer_case steer_cases[] = {
	/* nothing to do */
	{ false, 100, 100, false },
	/* busy, but not too busy */
	{ false, 13, 100, false },
	/* too busy, and somebody has time */
	{ false, 11, 100, true },
	{ false, 0, 51, true },
	/* nobody has time */
	{ false, 0, 50, false },
	{ false, 0, 0, false },
	/* half of the work each: stay */
	{ true, 50, 50, true },
	{ true, 60, 60, true },
	/* still too much for both */
	{ true, 0, 0, true },
	{ true, 50, 0, true },
	{ true, 0, 50, true },
	/* the other one has got something else to do */
	{ true, 51, 11, false },
	{ true, 51, 13, true },
	/* it would fit on one again, with a quarter of its time left */
	{ true, 63, 62, false },
	{ true, 100, 24, true },
	{ true, 100, 25, false },
	{ true, 100, 100, false },
};

static void steer_judge_test(struct kunit *test)
{
	const struct steer_case *c;
	unsigned int i;
	u32 unit;

	/* 100 microseconds to 1 second */
	for (unit = 1; unit <= 10000; unit *= 10) {
		for (i = 0; i < ARRAY_SIZE(steer_cases); i++) {
			c = &steer_cases[i];
			KUNIT_EXPECT_EQ_MSG(test, c->want,
					    ovpn_steer_judge(c->away,
							     100 * unit,
							     c->home * unit,
							     c->other * unit),
					    "away %d, home %u, other %u",
					    c->away, c->home, c->other);
		}
	}
}

/* A queue that has just left stays away, when about half of the work went with
 * it.
 */
static void steer_stays_test(struct kunit *test)
{
	u32 home, other, moved;

	for (moved = 30; moved <= 60; moved++) {
		for (home = 0; home <= 11; home++) {
			for (other = moved + 13; other <= 100; other++)
				KUNIT_EXPECT_TRUE(test,
						  ovpn_steer_judge(true, 100,
								   home + moved,
								   other -
								   moved));
		}
	}
}

static struct kunit_case steer_test_cases[] = {
	KUNIT_CASE(steer_judge_test),
	KUNIT_CASE(steer_stays_test),
	{}
};

static struct kunit_suite steer_suite = {
	.name = "ovpn_io_steer",
	.test_cases = steer_test_cases,
};

kunit_test_suite(steer_suite);
