// SPDX-License-Identifier: GPL-2.0-only
/* OpenVPN data channel offload: which CPU polls a receive queue
 *
 * A tunnel is one flow, and what comes through it reaches one CPU, however many
 * there are. That CPU opens the packets, and all protocols inside follow. When
 * it has no time left, and has been told that it may, it has another one poll
 * its queue, which is about half of the work. It takes the queue back when that
 * fits again.
 *
 * The queue stays the same and has one consumer at a time, so packets keep
 * their order. Where it is not allowed, or as long as a CPU is not busy, there
 * is little to do: a look at the clock once for each batch.
 */

#include "io.h"

#include <kunit/visibility.h>
#include <linux/cpumask.h>
#include <linux/jiffies.h>
#include <linux/kernel_stat.h>
#include <linux/ktime.h>
#include <linux/sched/isolation.h>
#include <linux/smp.h>
#include <linux/topology.h>

/* how often to look at who has how much to do */
#define OVPN_STEER_INTERVAL	max(HZ / 50, 1)

/* Fewer datagrams for each millisecond are not worth an interrupt for each
 * batch.
 */
#define OVPN_STEER_RATE		5

/**
 * ovpn_steer_judge - shall another CPU poll a receive queue?
 * @away: another one does already
 * @passed: time since the last look
 * @home: how much of that the queue's own CPU was idle
 * @other: how much of that the other one was idle
 *
 * All in the same unit. What makes it leave and what makes it come back are
 * far apart: whoever has left finds its own CPU idle for about half of the
 * time.
 *
 * Context: any.
 * Return: true if so.
 */
bool ovpn_steer_judge(bool away, u32 passed, u32 home, u32 other)
{
	if (!away)
		return home < passed / 8 && other > passed / 2;

	/* all of it fits on one CPU again, or the other one has no time */
	return home + other < passed + passed / 4 &&
	       (other >= passed / 8 || home <= passed / 2);
}
EXPORT_SYMBOL_IF_KUNIT(ovpn_steer_judge);

/* Somebody to look at until the next time. One CPU each time will do: where
 * many are idle, any is.
 */
static int ovpn_steer_candidate(const struct ovpn_steer *steer)
{
	int cpu = cpumask_next_wrap(steer->other, cpu_online_mask);

	if (cpu == steer->home)
		cpu = cpumask_next_wrap(cpu, cpu_online_mask);
	if (!housekeeping_test_cpu(cpu, HK_TYPE_DOMAIN) ||
	    cpu_to_node(cpu) != cpu_to_node(steer->home))
		return steer->home;
	return cpu;
}

/* who shall poll from now on? Moves the queue to @cpu, if that is new. */
static void ovpn_steer_to(struct ovpn_steer *steer, int cpu)
{
	if (cpu == steer->cpu)
		return;
	if (cpu != steer->home)
		WRITE_ONCE(steer->moves, steer->moves + 1);
	WRITE_ONCE(steer->cpu, cpu);
	/* pairs with ovpn_steer_moved() */
	smp_store_release(&steer->move, true);
}

/* look at what has happened since the last time */
static void ovpn_steer_look(struct ovpn_steer *steer, unsigned int queued,
			    bool allowed)
{
	u64 now = ktime_to_us(ktime_get());
	bool away = steer->cpu != steer->home;
	u64 home, other;
	u32 passed;

	home = get_cpu_idle_time_us(steer->home, NULL);
	other = get_cpu_idle_time_us(steer->other, NULL);
	passed = min_t(u64, now - steer->looked, USEC_PER_SEC);

	if (!allowed || steer->other == steer->home ||
	    (u64)(queued - steer->queued) * USEC_PER_MSEC <
	    (u64)passed * OVPN_STEER_RATE)
		away = false;
	else
		away = ovpn_steer_judge(away, passed,
					min_t(u64, home - steer->home_idle,
					      passed),
					min_t(u64, other - steer->other_idle,
					      passed));
	ovpn_steer_to(steer, away ? steer->other : steer->home);

	if (!away) {
		steer->other = ovpn_steer_candidate(steer);
		other = get_cpu_idle_time_us(steer->other, NULL);
	}
	steer->looked = now;
	steer->queued = queued;
	steer->home_idle = home;
	steer->other_idle = other;
}

/* have the CPU poll that shall; the consumer's place is ours to give */
static void ovpn_steer_kick(struct ovpn_steer *steer)
{
	int cpu = READ_ONCE(steer->cpu);

	/* it may have gone offline */
	if (likely(cpu == smp_processor_id()) ||
	    unlikely(smp_call_function_single_async(cpu, &steer->csd)))
		__napi_schedule(steer->napi);
}

/* on the other CPU, in its interrupt */
static void ovpn_steer_kicked(void *napi)
{
	__napi_schedule(napi);
}

/**
 * ovpn_steer_schedule - have a receive queue polled
 * @steer: the queue's
 * @queued: datagrams ever queued
 * @allowed: another CPU may do it
 *
 * Context: BH off, on the queue's own CPU.
 */
void ovpn_steer_schedule(struct ovpn_steer *steer, unsigned int queued,
			 bool allowed)
{
	/* where it may not leave, and has not, there is nothing to look at */
	if (unlikely((allowed || steer->cpu != steer->home) &&
		     jiffies - steer->last >= OVPN_STEER_INTERVAL)) {
		steer->last = jiffies;
		/* threads are moved by the scheduler */
		allowed &= !test_bit(NAPI_STATE_THREADED,
				     &steer->napi->state);
		ovpn_steer_look(steer, queued, allowed);
	}
	if (napi_schedule_prep(steer->napi))
		ovpn_steer_kick(steer);
}

/**
 * ovpn_steer_moved - shall the queue be polled elsewhere from now on?
 * @steer: the queue's
 *
 * For a poll that has not come to the end of its queue, and so would go on
 * here for ever.
 *
 * Context: the consumer.
 * Return: true if so, and somebody else is the consumer now.
 */
bool ovpn_steer_moved(struct ovpn_steer *steer)
{
	/* pairs with ovpn_steer_to() */
	if (likely(!smp_load_acquire(&steer->move)))
		return false;
	/* before the CPU is read: who changes it later sets it again */
	smp_store_mb(steer->move, false);
	if (READ_ONCE(steer->cpu) == smp_processor_id())
		return false;
	ovpn_steer_kick(steer);
	return true;
}

/**
 * ovpn_steer_init - a queue is polled by its own CPU, to begin with
 * @steer: to be initialised
 * @napi: the queue's consumer
 * @cpu: that CPU
 *
 * Context: any.
 */
void ovpn_steer_init(struct ovpn_steer *steer, struct napi_struct *napi,
		     int cpu)
{
	INIT_CSD(&steer->csd, ovpn_steer_kicked, napi);
	steer->napi = napi;
	steer->last = jiffies;
	steer->home = cpu;
	steer->other = cpu;
	steer->cpu = cpu;
}
