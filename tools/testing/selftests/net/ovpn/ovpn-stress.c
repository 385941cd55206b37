// SPDX-License-Identifier: GPL-2.0-only
/*
 * ovpn-stress: what should not go wrong, very often
 *
 * Two operations at the same moment on the same device, again and again, each
 * time from the same state; or one operation for which memory lacks, each time
 * at another place.
 */
#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "stress.h"

#define WORKERS		64
#define PROGRESS	10

static const char usage_text[] =
"usage: ovpn-stress pairs              operations that can meet, a pair a line\n"
"       ovpn-stress race OP OP [count N] [workers N] [seed N] [limit SEC]\n"
"       ovpn-stress fault OP tcp|udp mp|p2p [limit SEC]\n"
"In a race, count is how often; workers processes share it. What takes longer\n"
"than the limit is stuck. Progress goes to standard error.\n";

static struct {
	const struct op *op[2];
	unsigned int count, workers, seed, limit;
} opt = { .count = 100, .workers = 1, .seed = 1, .limit = 60 };

/* What has come of it; shared with the workers */
struct tally {
	uint64_t times[2][ERRORS];
	uint64_t done;
	double slowest[2];
};

static struct tally *tallies;

/* The second one waits for a wake-up, and then, awake, for the start */
static struct {
	sem_t wake;
	bool ready, go, done[2];
} line;

static struct stage stage;
static struct actor actors[2];
static uint32_t dice;

static uint32_t rnd(void)
{
	dice ^= dice << 13;
	dice ^= dice >> 17;
	dice ^= dice << 5;
	return dice;
}

static bool is(bool *flag)
{
	return __atomic_load_n(flag, __ATOMIC_ACQUIRE);
}

static void set(bool *flag, bool value)
{
	__atomic_store_n(flag, value, __ATOMIC_RELEASE);
}

static void until(bool *flag)
{
	unsigned int i;

	for (i = 0; !is(flag); i++)
		if (i > 2000)
			usleep(1);
}

/* How much later than the other one: mostly little, sometimes more. What takes
 * long is met in the middle only by who goes on until it is over.
 */
struct delay {
	uint32_t turns, us;
	bool on;
};

static struct delay delays[2];

static void delay_draw(struct delay *delay, const struct op *other)
{
	delay->turns = rnd() % (1u << (rnd() % 17));
	delay->us = 0;
	/* what ends in its own time: somewhere meanwhile */
	if (other->flags & IN_NS && rnd() % 4)
		delay->us = rnd() % 20000;
	if (other->flags & TIMED)
		delay->us = rnd() % 200000;
	delay->on = other->gone & GONE_DEV && !(other->flags & IN_NS) &&
		    rnd() & 1;
}

static void delay_wait(const struct delay *delay)
{
	uint32_t i;

	if (delay->us)
		usleep(delay->us);
	for (i = 0; i < delay->turns; i++)
		__atomic_signal_fence(__ATOMIC_SEQ_CST);
}

static void act_once(unsigned int who, struct tally *tally)
{
	struct actor *me = &actors[who];
	double start = now();
	int error = me->op->run(me);

	if (!op_may_return(me->op, actors[!who].op, error))
		die("%s beside %s (%s, %s): %s", me->op->name,
		    actors[!who].op->name, stage.tcp ? "TCP" : "UDP",
		    stage.mp ? "mp" : "p2p", strerror(error));
	if (error < ERRORS)
		tally->times[who][error]++;
	if (!(me->op->flags & TIMED) && now() - start > tally->slowest[who])
		tally->slowest[who] = now() - start;
}

static void act(unsigned int who, struct tally *tally)
{
	struct actor *me = &actors[who];
	double left;

	if (actors[!who].op->flags & TIMED) {
		left = stage.due - now();
		if (left > 0)
			usleep(left * 1e6);
	}
	if (actors[!who].op->flags & TIMED && !(me->op->flags & ONCE)) {
		/* what proves life, or ends it, must not always come first */
		delay_wait(&delays[who]);
		while (now() < stage.due + 0.3)
			act_once(who, tally);
	} else {
		delay_wait(&delays[who]);
		do {
			act_once(who, tally);
		} while (delays[who].on && !(me->op->flags & (ONCE | TIMED)) &&
			 !is(&line.done[!who]));
	}
	if (stage.flags & IN_NS)
		actor_close(me);
	set(&line.done[who], true);
}

static void *second(void *arg)
{
	for (;;) {
		sem_wait(&line.wake);
		set(&line.ready, true);
		until(&line.go);
		act(1, arg);
	}
	return NULL;
}

static void meet(struct tally *tally)
{
	set(&line.ready, false);
	set(&line.go, false);
	set(&line.done[0], false);
	set(&line.done[1], false);
	delay_draw(&delays[0], opt.op[1]);
	delay_draw(&delays[1], opt.op[0]);
	sem_post(&line.wake);
	until(&line.ready);
	set(&line.go, true);
	act(0, tally);
	until(&line.done[1]);
	tally->done++;
}

static void on_limit(int sig)
{
	die("%s and %s are stuck", opt.op[0]->name, opt.op[1]->name);
}

/* One way in which the stage can be, so often */
static void run_variant(struct tally *tally, unsigned int count)
{
	unsigned int i;

	for (i = 0; i < count; i++) {
		actors[0].op = opt.op[0];
		actors[1].op = opt.op[1];
		stage.flags = opt.op[0]->flags | opt.op[1]->flags;
		alarm(opt.limit);
		stage_build(&stage, &actors[0], &actors[1]);
		meet(tally);
		stage.gone |= opt.op[0]->gone | opt.op[1]->gone;
	}
}

/* After the last one, it still works and goes */
static void run_end(void)
{
	unsigned int i;

	alarm(opt.limit);
	for (i = 0; i < 2; i++) {
		actor_close(&actors[i]);
		actor_open(&actors[i], &stage);
	}
	stage_works(&stage, &actors[0]);
	stage_close(&stage, &actors[0]);
}

static int run_worker(unsigned int number, unsigned int count)
{
	unsigned int flags = opt.op[0]->flags | opt.op[1]->flags;
	unsigned int variants = flags & (ONLY_UDP | ONLY_TCP) ? 2 : 4;
	unsigned int rounds = count < variants ? count : variants, i;
	struct tally *tally = &tallies[number];
	pthread_t thread;

	dice = opt.seed * 2654435761u + number + 1;
	signal(SIGALRM, on_limit);
	sem_init(&line.wake, 0, 0);
	frame_start();
	stage_open(&stage);
	actor_open(&actors[0], &stage);
	actor_open(&actors[1], &stage);
	if (pthread_create(&thread, NULL, second, tally))
		die("no thread");
	for (i = 0; i < rounds; i++) {
		/* no two workers, and no two pairs, begin with the same: four
		 * workers that do it once meet all
		 */
		unsigned int variant = number + opt.seed + i +
				       (opt.op[0] - ops) + (opt.op[1] - ops);
		bool mp = (variants == 4 ? variant / 2 : variant) & 1;

		stage.tcp = flags & ONLY_TCP ||
			    (!(flags & ONLY_UDP) && variant & 1);
		/* a device takes longer to come and go than a socket */
		stage.gone |= mp != stage.mp ? GONE_ALL : GONE_SOCK;
		stage.mp = mp;
		run_variant(tally, (count + rounds - 1 - i) / rounds);
	}
	run_end();
	return 0;
}

static uint64_t all_done(void)
{
	uint64_t done = 0;
	unsigned int i;

	for (i = 0; i < opt.workers; i++)
		done += tallies[i].done;
	return done;
}

static void progress(int sig)
{
	char text[100];
	int len;

	len = snprintf(text, sizeof(text), "# %s %s: %llu of %u\n",
		       opt.op[0]->name, opt.op[1]->name,
		       (unsigned long long)all_done(), opt.count);
	if (write(2, text, len) < 0)
		return;
	alarm(PROGRESS);
}

static void report(double seconds)
{
	unsigned int who, i, error;

	printf("%s %s: times=%llu seconds=%.1f", opt.op[0]->name,
	       opt.op[1]->name, (unsigned long long)all_done(), seconds);
	for (who = 0; who < 2; who++) {
		double slowest = 0;

		printf(" | %s", opt.op[who]->name);
		for (error = 0; error < ERRORS; error++) {
			uint64_t times = 0;

			for (i = 0; i < opt.workers; i++)
				times += tallies[i].times[who][error];
			if (times)
				printf(" %s=%llu", error ?
				       strerrorname_np(error) : "ok",
				       (unsigned long long)times);
		}
		for (i = 0; i < opt.workers; i++)
			if (tallies[i].slowest[who] > slowest)
				slowest = tallies[i].slowest[who];
		printf(" slowest-ms=%.0f", slowest * 1000);
	}
	putchar('\n');
}

static int cmd_race(void)
{
	double start = now();
	int status, bad = 0;
	unsigned int i;
	pid_t pid;

	if (opt.workers > WORKERS || !opt.workers || !opt.count)
		return 2;
	if ((opt.op[0]->flags | opt.op[1]->flags) & ALONE)
		opt.workers = 1;
	tallies = mmap(NULL, WORKERS * sizeof(*tallies),
		       PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
		       0);
	if (tallies == MAP_FAILED)
		die("no memory");
	for (i = 0; i < opt.workers; i++) {
		pid = fork();
		if (!pid)
			_exit(run_worker(i, (opt.count + opt.workers - 1) /
					    opt.workers));
		if (pid < 0)
			die("fork: %s", strerror(errno));
	}
	signal(SIGALRM, progress);
	alarm(PROGRESS);
	while (i) {
		pid = wait(&status);
		if (pid < 0)
			continue;
		i--;
		bad |= status;
	}
	report(now() - start);
	return bad ? 1 : 0;
}

/* Is there a sense in these two together? */
static bool can_meet(const struct op *a, const struct op *b)
{
	if ((a->flags | b->flags) & ONLY_UDP &&
	    (a->flags | b->flags) & ONLY_TCP)
		return false;
	/* these happen once, to one thing */
	return a != b || !(a->flags & (TIMED | IN_NS | ALONE) ||
			   (a->flags & ONCE && a->flags & OUTSIDE));
}

static int cmd_pairs(void)
{
	const struct op *a, *b;

	for (a = ops; a->name; a++)
		for (b = a; b->name; b++)
			if (can_meet(a, b))
				printf("%s %s\n", a->name, b->name);
	return 0;
}

static unsigned int parse_number(const char *text)
{
	char *end;
	unsigned long value = strtoul(text, &end, 0);

	if (!*text || *end || value > UINT32_MAX) {
		fprintf(stderr, "bad number %s\n", text);
		exit(2);
	}
	return value;
}

static bool parse(char **arg)
{
	for (; arg[0]; arg += 2) {
		if (!arg[1])
			return false;
		if (!strcmp(arg[0], "count"))
			opt.count = parse_number(arg[1]);
		else if (!strcmp(arg[0], "workers"))
			opt.workers = parse_number(arg[1]);
		else if (!strcmp(arg[0], "seed"))
			opt.seed = parse_number(arg[1]);
		else if (!strcmp(arg[0], "limit"))
			opt.limit = parse_number(arg[1]);
		else
			return false;
	}
	return true;
}

int main(int argc, char **argv)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	if (argc == 2 && !strcmp(argv[1], "pairs"))
		return cmd_pairs();
	if (argc >= 4 && !strcmp(argv[1], "race") && parse(argv + 4)) {
		opt.op[0] = op_find(argv[2]);
		opt.op[1] = op_find(argv[3]);
		if (opt.op[0] && opt.op[1])
			return cmd_race();
	}
	if (argc >= 5 && !strcmp(argv[1], "fault") && parse(argv + 5))
		return fault_main(argv[2], !strcmp(argv[3], "tcp"),
				  !strcmp(argv[4], "mp"), opt.limit);
	fputs(usage_text, stderr);
	return 2;
}
