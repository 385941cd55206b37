// SPDX-License-Identifier: GPL-2.0
/*
 * A fixed amount of traffic, and what it costs in instructions and in events
 *
 * usage: traffic NETNS NETNS ADDRESS tcp|udp|rr SIZE COUNT EVENTS WINDOW
 *        traffic say              standard input goes to whoever runs QEMU
 *        traffic check            does the time stamp counter count instructions?
 *
 * From the first network namespace (a path) to ADDRESS in the second go COUNT
 *
 *	tcp	times SIZE bytes in one connection
 *	udp	packets of SIZE bytes, with the IP header
 *	rr	requests of SIZE bytes in one connection, each answered with as many
 *
 * and before and afterwards EVENTS of them, the latter with trace points on. A
 * part begins when all of the one before has arrived.
 *
 * Under QEMU's -icount shift=0 the time stamp counter counts instructions, and
 * in times when there is nothing to do it goes on as a clock does. Instructions
 * that do nothing tell the counting plugin the begin and the end; WINDOW is the
 * number that it gives to what it counts.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/io.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>

#define PORT		5201
#define HEADERS		28
#define TRACING		"/sys/kernel/tracing/instances"
/* where QEMU's isa-debugcon listens */
#define SAY_PORT	0xe9

/* warm up; measure instructions; count events */
enum { WARM, MEASURE, EVENTS, PARTS };

static const char * const events[] = {
	"kmem/kmalloc",
	"kmem/kmem_cache_alloc",
	"kmem/mm_page_alloc",
	"net/net_dev_queue",
	"net/netif_receive_skb",
	"fib/fib_table_lookup",
	"irq/softirq_entry",
	"sched/sched_switch",
	"workqueue/workqueue_execute_start",
};

#define N_EVENTS (sizeof(events) / sizeof(*events))

static struct {
	struct sockaddr_in address;
	int type;
	size_t size;
	unsigned long count[PARTS];
} task;

static char buffer[128 * 1024];

static void say(const char *text, size_t len)
{
	if (ioperm(SAY_PORT, 1, 1))
		err(1, "ioperm");
	outsb(SAY_PORT, text, len);
}

__attribute__((format(printf, 1, 2)))
static void report(const char *format, ...)
{
	static char text[512];
	va_list args;
	int len;

	va_start(args, format);
	len = vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	say(text, len);
}

static unsigned long counter(void)
{
	unsigned int low, high;

	asm volatile("lfence; rdtsc" : "=a"(low), "=d"(high) : : "memory");
	return (unsigned long)high << 32 | low;
}

/* "nopl MARK(%rax)" */
static void mark_begin(void)
{
	asm volatile(".byte 0x0f, 0x1f, 0x80; .ascii \"OVB\\001\"" ::: "memory");
}

static void mark_end(void)
{
	asm volatile(".byte 0x0f, 0x1f, 0x80; .ascii \"OVE\\001\"" ::: "memory");
}

static void write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		err(1, "%s", path);
	close(fd);
}

/* Seconds in which there was nothing to do */
static double idle(void)
{
	double up, none = 0;
	FILE *file = fopen("/proc/uptime", "re");

	if (!file || fscanf(file, "%lf %lf", &up, &none) != 2)
		errx(1, "/proc/uptime");
	fclose(file);
	return none;
}

static void enter(const char *netns)
{
	int fd = open(netns, O_RDONLY | O_CLOEXEC);

	if (fd < 0 || setns(fd, CLONE_NEWNET))
		err(1, "%s", netns);
	close(fd);
}

/*
 * Events: an instance for each, so that its ring buffer counts it alone
 */

static const char *event_name(int event)
{
	return strchr(events[event], '/') + 1;
}

static void event_path(char path[256], int event, const char *file)
{
	snprintf(path, 256, TRACING "/%s/%s", event_name(event), file);
}

static void events_make(void)
{
	char path[256];
	size_t i;

	for (i = 0; i < N_EVENTS; i++) {
		event_path(path, i, "");
		if (mkdir(path, 0700) && errno != EEXIST)
			err(1, "%s", path);
		event_path(path, i, "buffer_size_kb");
		write_file(path, "16");
	}
}

static void events_enable(const char *on)
{
	char path[256], file[128];
	size_t i;

	for (i = 0; i < N_EVENTS; i++) {
		snprintf(file, sizeof(file), "events/%s/enable", events[i]);
		event_path(path, i, file);
		write_file(path, on);
	}
}

static unsigned long event_count(int event)
{
	unsigned long value, sum = 0;
	char path[256], line[128];
	FILE *file;

	event_path(path, event, "per_cpu/cpu0/stats");
	file = fopen(path, "re");
	if (!file)
		err(1, "%s", path);
	while (fgets(line, sizeof(line), file))
		if (sscanf(line, "entries: %lu", &value) == 1 ||
		    sscanf(line, "overrun: %lu", &value) == 1)
			sum += value;
	fclose(file);
	return sum;
}

/*
 * The end that receives
 */

static int serve_open(int udp)
{
	int fd = socket(AF_INET, (udp ? SOCK_DGRAM : SOCK_STREAM) | SOCK_CLOEXEC, 0);
	int one = 1, room = 256 << 20;
	/* the sender does not wait: all may have to lie here */
	struct timeval patience = { .tv_sec = 2 };

	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) ||
	    bind(fd, (void *)&task.address, sizeof(task.address)))
		err(1, "bind");
	if (udp && (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof(room)) ||
		    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience,
			       sizeof(patience))))
		err(1, "setsockopt");
	if (!udp && listen(fd, 1))
		err(1, "listen");
	return fd;
}

static void receive_all(int fd, size_t left)
{
	ssize_t len;

	while (left) {
		len = recv(fd, buffer, left < sizeof(buffer) ? left : sizeof(buffer), 0);
		if (len <= 0)
			err(1, "recv");
		left -= len;
	}
}

static void send_all(int fd, size_t left)
{
	ssize_t len;

	while (left) {
		len = send(fd, buffer, left < sizeof(buffer) ? left : sizeof(buffer), 0);
		if (len <= 0)
			err(1, "send");
		left -= len;
	}
}

/* How many packets did not come */
static unsigned long serve_udp(int fd, unsigned long count)
{
	for (; count; count--)
		if (recv(fd, buffer, sizeof(buffer), 0) < 0)
			break;
	return count;
}

static void serve(int done)
{
	int udp = task.type == 'u', fd = serve_open(udp);
	struct sched_param param = {};
	unsigned long lost, i;
	int part, one = 1;

	/* Else each packet would take the processor from the sender: the
	 * scheduler's work, not that of the tunnel.
	 */
	if (udp && sched_setscheduler(0, SCHED_BATCH, &param))
		err(1, "sched_setscheduler");
	/* ready */
	if (write(done, "", 1) != 1)
		err(1, "pipe");
	if (!udp) {
		fd = accept4(fd, NULL, NULL, SOCK_CLOEXEC);
		if (fd < 0 || setsockopt(fd, IPPROTO_TCP, 1 /* TCP_NODELAY */,
					 &one, sizeof(one)))
			err(1, "accept");
	}
	for (part = 0; part < PARTS; part++) {
		lost = 0;
		if (udp) {
			lost = serve_udp(fd, task.count[part]);
		} else if (task.type == 't') {
			receive_all(fd, task.count[part] * task.size);
		} else {
			for (i = 0; i < task.count[part]; i++) {
				receive_all(fd, task.size);
				send_all(fd, task.size);
			}
		}
		if (write(done, &lost, sizeof(lost)) != sizeof(lost))
			err(1, "pipe");
	}
	exit(0);
}

/*
 * The end that sends, and looks at the counter
 */

static int client_open(void)
{
	int udp = task.type == 'u', one = 1;
	int fd = socket(AF_INET, (udp ? SOCK_DGRAM : SOCK_STREAM) | SOCK_CLOEXEC, 0);

	if (fd < 0 || connect(fd, (void *)&task.address, sizeof(task.address)) ||
	    (!udp && setsockopt(fd, IPPROTO_TCP, 1 /* TCP_NODELAY */, &one,
				sizeof(one))))
		err(1, "connect");
	return fd;
}

/* Until all has arrived; how many packets have not */
static unsigned long transfer(int fd, unsigned long count, int done)
{
	unsigned long i, lost;

	if (task.type == 't') {
		send_all(fd, count * task.size);
	} else {
		for (i = 0; i < count; i++) {
			if (send(fd, buffer, task.size, 0) < 0)
				err(1, "send");
			if (task.type == 'r')
				receive_all(fd, task.size);
		}
	}
	if (read(done, &lost, sizeof(lost)) != sizeof(lost))
		errx(1, "the receiver has ended");
	return lost;
}

static void measure(int fd, int done, const char *window)
{
	unsigned long begin, end, lost, before[N_EVENTS];
	double none;
	size_t i;

	transfer(fd, task.count[WARM], done);
	/* for what is still to come, acknowledgments and timers */
	usleep(100000);

	none = idle();
	mark_begin();
	begin = counter();
	lost = transfer(fd, task.count[MEASURE], done);
	end = counter();
	mark_end();
	report("%s\tinstructions\t%lu\n", window, end - begin);
	report("%s\tcount\t%lu\n", window, task.count[MEASURE]);
	report("%s\tlost\t%lu\n", window, lost);
	report("%s\tidle\t%.0f\n", window, (idle() - none) * 1e9);

	usleep(100000);
	for (i = 0; i < N_EVENTS; i++)
		before[i] = event_count(i);
	events_enable("1");
	transfer(fd, task.count[EVENTS], done);
	events_enable("0");
	report("%s\tevents\t%lu\n", window, task.count[EVENTS]);
	for (i = 0; i < N_EVENTS; i++)
		report("%s\t%s\t%lu\n", window, event_name(i),
		       event_count(i) - before[i]);
}

/* A million of two instructions should be as many. */
static void check(void)
{
	unsigned long n = 1000000, begin = counter();

	asm volatile("1: dec %0; jnz 1b" : "+r"(n));
	report("-\tcheck\t%lu\n", counter() - begin);
}

static void copy_input(void)
{
	ssize_t len;

	while ((len = read(0, buffer, sizeof(buffer))) > 0)
		say(buffer, len);
}

int main(int argc, char **argv)
{
	int done[2];
	char byte;

	if (argc == 2 && !strcmp(argv[1], "say")) {
		copy_input();
		return 0;
	}
	if (argc == 2 && !strcmp(argv[1], "check")) {
		check();
		return 0;
	}
	if (argc != 9)
		errx(2, "usage: traffic NETNS NETNS ADDRESS tcp|udp|rr SIZE COUNT EVENTS WINDOW");
	task.address.sin_family = AF_INET;
	task.address.sin_port = htons(PORT);
	if (inet_pton(AF_INET, argv[3], &task.address.sin_addr) != 1)
		errx(2, "no address: %s", argv[3]);
	task.type = argv[4][0];
	task.size = atoi(argv[5]);
	if (task.type == 'u')
		task.size -= HEADERS;
	if (task.size < 1 || task.size > sizeof(buffer))
		errx(2, "bad size: %s", argv[5]);
	task.count[MEASURE] = atol(argv[6]);
	task.count[EVENTS] = task.count[WARM] = atol(argv[7]);

	events_make();
	if (pipe2(done, O_CLOEXEC))
		err(1, "pipe");
	switch (fork()) {
	case -1:
		err(1, "fork");
	case 0:
		close(done[0]);
		enter(argv[2]);
		serve(done[1]);
	}
	close(done[1]);
	enter(argv[1]);
	if (read(done[0], &byte, 1) != 1)
		errx(1, "no receiver");
	measure(client_open(), done[0], argv[8]);
	return 0;
}
