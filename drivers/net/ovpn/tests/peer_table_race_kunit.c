// SPDX-License-Identifier: GPL-2.0-only
/* OpenVPN data channel offload: tests of peers that are looked up while they
 * change
 */

#include "../peer_table.h"

#include <kunit/test.h>
#include <linux/completion.h>
#include <linux/cpumask.h>
#include <linux/in6.h>
#include <linux/kthread.h>
#include <linux/sched.h>
#include <linux/smp.h>

#include "../ovpn.h"
#include "table_rig.h"

#define TABLE_LOOKUPS	500000

struct table_race {
	struct kunit *test;
	struct ovpn_peer *peer;
	struct ovpn_peer *neighbour;
	struct completion started;
	unsigned int changes;
};

/* of each two addresses one changes, then the other; a new address of ours is
 * a new endpoint at the same place
 */
static int table_change_fn(void *arg)
{
	struct ovpn_endpoint near = table_at_v6(PORT(1));
	struct table_race *race = arg;
	struct in6_addr six;
	u32 i;

	complete(&race->started);
	for (i = 0; !kthread_should_stop(); i++) {
		six = table_vpn6(i % 2 ? 1 : 8);
		table_set_vpn(race->peer, VPN4(1), &six);
		six = table_vpn6(2);
		table_set_vpn(race->neighbour, VPN4(i % 2 ? 2 : 9), &six);
		near.local.v6 = table_vpn6(i % 2);
		table_move(race->test, race->peer, near);
		table_move(race->test, race->neighbour, table_at_v4(i % 64));
		race->changes++;
		cond_resched();
	}
	return 0;
}

/* what does not change is found at any time */
static void table_race_test(struct kunit *test)
{
	struct ovpn_priv *ovpn = table_new(test, OVPN_MODE_MP);
	struct ovpn_endpoint near = table_at_v6(PORT(1));
	struct table_race race = { .test = test };
	unsigned int i, cpu, lost[3] = {};
	struct task_struct *task;

	race.peer = table_joined_peer(test, ovpn, 1);
	race.neighbour = table_joined_peer(test, ovpn, 2);
	init_completion(&race.started);
	/* not where we are, if there is a choice */
	cpu = cpumask_next_wrap(raw_smp_processor_id(), cpu_online_mask);
	task = kthread_run_on_cpu(table_change_fn, &race, cpu, "ovpn-move/%u");
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, task);
	wait_for_completion(&race.started);

	for (i = 0; i < TABLE_LOOKUPS; i++) {
		lost[0] += table_by_vpn4(ovpn, VPN4(1)) != race.peer;
		lost[1] += table_by_vpn6(ovpn, table_vpn6(2)) != race.neighbour;
		lost[2] += table_by_remote(ovpn, near) != race.peer;
		cond_resched();
	}

	kthread_stop(task);
	KUNIT_EXPECT_EQ(test, lost[0], 0);
	KUNIT_EXPECT_EQ(test, lost[1], 0);
	KUNIT_EXPECT_EQ(test, lost[2], 0);
	KUNIT_EXPECT_GT(test, race.changes, 0);
}

static struct kunit_case table_race_cases[] = {
	KUNIT_CASE(table_race_test),
	{}
};

static struct kunit_suite table_race_suite = {
	.name = "ovpn_peer_table_race",
	.test_cases = table_race_cases,
};

kunit_test_suite(table_race_suite);
