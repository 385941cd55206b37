// SPDX-License-Identifier: GPL-2.0-only
/* OpenVPN data channel offload: tests of packet ids to send, and of the IV */

#include "../nonce.h"

#include <kunit/test.h>
#include <linux/bitmap.h>
#include <linux/completion.h>
#include <linux/cpumask.h>
#include <linux/kthread.h>
#include <linux/string.h>
#include <linux/unaligned.h>

/* where a refused reservation must leave what it was given */
#define UNTOUCHED	0xdeadbeef

struct nonce_step {
	unsigned int n;
	int ret;
	u32 first;
};

static void nonce_walk(struct kunit *test, struct ovpn_nonce *nonce,
		       const struct nonce_step *steps, unsigned int count)
{
	unsigned int i;
	u32 first;
	int ret;

	for (i = 0; i < count; i++) {
		first = UNTOUCHED;
		ret = ovpn_nonce_reserve(nonce, steps[i].n, &first);
		KUNIT_EXPECT_EQ_MSG(test, ret, steps[i].ret, "step %u", i);
		KUNIT_EXPECT_EQ_MSG(test, first, steps[i].first, "step %u", i);
	}
}

static void nonce_first_test(struct kunit *test)
{
	static const struct nonce_step steps[] = {
		{ 1, 0, 1 }, { 1, 0, 2 }, { 1, 0, 3 },
	};
	struct ovpn_nonce nonce;

	ovpn_nonce_init(&nonce);
	nonce_walk(test, &nonce, steps, ARRAY_SIZE(steps));
}

static void nonce_runs_test(struct kunit *test)
{
	static const struct nonce_step steps[] = {
		{ 1, 0, 1 },
		{ 3, 0, 2 },
		{ 64, 0, 5 },
		{ 1, 0, 69 },
		{ 65535, 0, 70 },
		{ 1, 0, 65605 },
	};
	struct ovpn_nonce nonce;

	ovpn_nonce_init(&nonce);
	nonce_walk(test, &nonce, steps, ARRAY_SIZE(steps));
}

static void nonce_last_test(struct kunit *test)
{
	static const struct nonce_step steps[] = {
		{ 1, 0, U32_MAX - 1 },
		{ 1, 0, U32_MAX },
		{ 1, -ERANGE, UNTOUCHED },
		{ 1, -ERANGE, UNTOUCHED },
		{ 64, -ERANGE, UNTOUCHED },
		{ 1, -ERANGE, UNTOUCHED },
	};
	struct ovpn_nonce nonce;

	ovpn_nonce_init(&nonce);
	atomic64_set(&nonce.next, U32_MAX - 1);
	nonce_walk(test, &nonce, steps, ARRAY_SIZE(steps));
}

/* a run that ends exactly with the last id is still good */
static void nonce_last_run_test(struct kunit *test)
{
	static const struct nonce_step steps[] = {
		{ 10, 0, U32_MAX - 9 },
		{ 1, -ERANGE, UNTOUCHED },
	};
	struct ovpn_nonce nonce;

	ovpn_nonce_init(&nonce);
	atomic64_set(&nonce.next, U32_MAX - 9);
	nonce_walk(test, &nonce, steps, ARRAY_SIZE(steps));
}

/* one that does not fit is refused as a whole, and so is all that follows */
static void nonce_straddle_test(struct kunit *test)
{
	static const struct nonce_step steps[] = {
		{ 11, -ERANGE, UNTOUCHED },
		{ 1, -ERANGE, UNTOUCHED },
		{ 10, -ERANGE, UNTOUCHED },
	};
	struct ovpn_nonce nonce;

	ovpn_nonce_init(&nonce);
	atomic64_set(&nonce.next, U32_MAX - 9);
	nonce_walk(test, &nonce, steps, ARRAY_SIZE(steps));
}

/* what 32 bits would bring round to id 1 again */
static void nonce_for_ever_test(struct kunit *test)
{
	struct ovpn_nonce nonce;
	unsigned int i;
	u32 first;

	ovpn_nonce_init(&nonce);
	atomic64_set(&nonce.next, U32_MAX);
	KUNIT_EXPECT_EQ(test, ovpn_nonce_reserve(&nonce, 1, &first), 0);
	KUNIT_EXPECT_EQ(test, first, U32_MAX);

	for (i = 0; i < 200000; i++)
		KUNIT_ASSERT_EQ(test, ovpn_nonce_reserve(&nonce, 65535, &first),
				-ERANGE);
}

#define NONCE_THREADS	4
#define NONCE_RUNS	40000
#define NONCE_IDS	(NONCE_THREADS * NONCE_RUNS * 4)

struct nonce_thread {
	struct task_struct *task;
	atomic_t *missing;
	struct completion done;
	struct ovpn_nonce *nonce;
	unsigned long *taken;
	unsigned int twice;
	unsigned int ids;
};

static int nonce_thread_fn(void *arg)
{
	struct nonce_thread *t = arg;
	unsigned int i, n;
	u32 first;

	/* begin at the same time, as it takes only moments */
	atomic_dec(t->missing);
	while (atomic_read(t->missing))
		cond_resched();

	for (i = 0; i < NONCE_RUNS; i++) {
		n = 1 + i % 4;
		if (ovpn_nonce_reserve(t->nonce, n, &first))
			break;
		t->ids += n;
		while (n--) {
			if (first + n >= NONCE_IDS ||
			    test_and_set_bit(first + n, t->taken))
				t->twice++;
		}
	}

	complete(&t->done);
	while (!kthread_should_stop())
		schedule_timeout_interruptible(1);
	return 0;
}

/* no id is given to two threads, and none is left out */
static void nonce_threads_test(struct kunit *test)
{
	struct nonce_thread threads[NONCE_THREADS] = {};
	struct ovpn_nonce nonce;
	unsigned long *taken;
	atomic_t missing;
	unsigned int i, ids = 0;
	int cpu = -1;

	taken = kunit_kcalloc(test, BITS_TO_LONGS(NONCE_IDS), sizeof(long),
			      GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, taken);
	ovpn_nonce_init(&nonce);
	atomic_set(&missing, NONCE_THREADS);

	for (i = 0; i < NONCE_THREADS; i++) {
		threads[i].missing = &missing;
		threads[i].nonce = &nonce;
		threads[i].taken = taken;
		init_completion(&threads[i].done);
		cpu = cpumask_next_wrap(cpu, cpu_online_mask);
		threads[i].task = kthread_run_on_cpu(nonce_thread_fn,
						     &threads[i], cpu,
						     "ovpn-nonce/%u");
		KUNIT_EXPECT_NOT_ERR_OR_NULL(test, threads[i].task);
		if (IS_ERR_OR_NULL(threads[i].task))
			atomic_dec(&missing);
	}
	for (i = 0; i < NONCE_THREADS; i++) {
		if (IS_ERR_OR_NULL(threads[i].task))
			continue;
		wait_for_completion(&threads[i].done);
		kthread_stop(threads[i].task);
		KUNIT_EXPECT_EQ(test, threads[i].twice, 0);
		ids += threads[i].ids;
	}

	KUNIT_EXPECT_FALSE(test, test_bit(0, taken));
	KUNIT_EXPECT_EQ(test, bitmap_weight(taken, NONCE_IDS), ids);
	KUNIT_EXPECT_EQ(test, find_next_zero_bit(taken, NONCE_IDS, 1), ids + 1);
}

static void nonce_iv_test(struct kunit *test)
{
	static const u8 tail[OVPN_NONCE_TAIL_SIZE] = {
		0xa0, 0xa1, 0xa2, 0xa3, 0xa4, 0xa5, 0xa6, 0xa7,
	};
	static const u8 expected[] = {
		0x01, 0x02, 0x03, 0x04,
		0xa0, 0xa1, 0xa2, 0xa3, 0xa4, 0xa5, 0xa6, 0xa7,
	};
	u8 buf[1 + OVPN_IV_SIZE + 1];

	static_assert(sizeof(expected) == OVPN_IV_SIZE);

	memset(buf, 0x5a, sizeof(buf));
	ovpn_nonce_iv(buf + 1, cpu_to_be32(0x01020304), tail);
	KUNIT_EXPECT_MEMEQ(test, buf + 1, expected, sizeof(expected));
	KUNIT_EXPECT_EQ(test, buf[0], 0x5a);
	KUNIT_EXPECT_EQ(test, buf[sizeof(buf) - 1], 0x5a);
}

/* the sender knows the id as a number, the receiver as bytes of the packet */
static void nonce_iv_directions_test(struct kunit *test)
{
	static const u8 header[] = { 0x48, 0, 0, 0, 0xfe, 0xdc, 0xba, 0x98 };
	static const u8 tail[OVPN_NONCE_TAIL_SIZE] = "nonetail";
	u8 tx[OVPN_IV_SIZE], rx[OVPN_IV_SIZE];
	__be32 id;

	ovpn_nonce_iv(tx, cpu_to_be32(0xfedcba98), tail);
	memcpy(&id, header + OVPN_OP_SIZE, sizeof(id));
	ovpn_nonce_iv(rx, id, tail);
	KUNIT_EXPECT_MEMEQ(test, tx, rx, OVPN_IV_SIZE);
	KUNIT_EXPECT_MEMEQ(test, rx, header + OVPN_OP_SIZE, sizeof(id));
}

static struct kunit_case nonce_cases[] = {
	KUNIT_CASE(nonce_first_test),
	KUNIT_CASE(nonce_runs_test),
	KUNIT_CASE(nonce_last_test),
	KUNIT_CASE(nonce_last_run_test),
	KUNIT_CASE(nonce_straddle_test),
	KUNIT_CASE(nonce_for_ever_test),
	KUNIT_CASE(nonce_threads_test),
	KUNIT_CASE(nonce_iv_test),
	KUNIT_CASE(nonce_iv_directions_test),
	{}
};

static struct kunit_suite nonce_suite = {
	.name = "ovpn_nonce",
	.test_cases = nonce_cases,
};

kunit_test_suite(nonce_suite);
