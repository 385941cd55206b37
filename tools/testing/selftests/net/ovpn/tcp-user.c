// SPDX-License-Identifier: GPL-2.0
/*
 * What a program may do with the TCP socket that a device took over
 *
 * To it the socket is a stream of control records. Here is what the checks have
 * in common, and those of receiving.
 */
#include <linux/sockios.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <sys/wait.h>

#include "tcp-user.h"

int user, far;
double patience;
__u8 want[STREAM_MAX], got[STREAM_MAX];

/* The stream that control records first, first + 1 ... are */
size_t stream(__u8 *buf, __u32 first, unsigned int count)
{
	size_t len = 0;

	while (count--)
		len += control_put(buf + len, first++);
	return len;
}

int poll_now(int fd, short events, double timeout)
{
	struct pollfd p = { .fd = fd, .events = events };

	if (poll(&p, 1, timeout * 1000) < 0)
		err(1, "poll");
	return p.revents;
}

void wait_for(int fd, short events)
{
	if (!(poll_now(fd, events, patience) & events))
		errx(1, "poll: %#x does not come", events);
}

int queued(int fd)
{
	int bytes = -1;

	if (ioctl(fd, FIONREAD, &bytes))
		err(1, "FIONREAD");
	return bytes;
}

void fails(ssize_t result, int error, const char *what)
{
	if (result >= 0)
		errx(1, "%s: %zd instead of %s", what, result,
		     strerrorname_np(error));
	if (errno != error)
		errx(1, "%s: %s instead of %s", what, strerrorname_np(errno),
		     strerrorname_np(error));
}

void nothing_left(void)
{
	fails(recv(user, got, sizeof(got), MSG_DONTWAIT), EAGAIN,
	      "recv of nothing");
}

/* Read exactly these bytes, in pieces of so many at most */
void expect(int fd, const __u8 *bytes, size_t len, size_t piece)
{
	ssize_t done;
	size_t at;

	for (at = 0; at < len; at += done) {
		wait_for(fd, POLLIN);
		done = recv(fd, got, piece < len - at ? piece : len - at,
			    MSG_DONTWAIT);
		if (done <= 0)
			err(1, "recv: %zd after %zu of %zu bytes", done, at,
			    len);
		if (memcmp(got, bytes + at, done))
			errx(1, "recv: wrong bytes after %zu", at);
	}
}

void expect_records(int fd, __u32 first, unsigned int count)
{
	expect(fd, want, stream(want, first, count), sizeof(got));
}

/*
 * Receiving
 */

static void check_stream(void)
{
	static const size_t pieces[] = { 1, 2, 3, 7, 64, 1000, 1500, 70000 };
	unsigned int i;
	size_t len;

	for (i = 0; i < ARRAY_SIZE(pieces); i++) {
		len = stream(want, 1 + i * 8, 8);
		far_control(far, 1 + i * 8, 8);
		expect(user, want, len, pieces[i]);
		nothing_left();
	}
}

/* Data is none of user space's business */
static void check_between_data(void)
{
	unsigned int i;

	for (i = 1; i < 50; i++) {
		far_ping(far);
		nothing_left();
		far_control(far, i, 1);
		far_ping(far);
		expect_records(user, i, 1);
		nothing_left();
	}
}

static void check_vectors(void)
{
	size_t len = stream(want, 1, 3), at = 0;
	struct iovec iov[3] = {
		{ got, 1 }, { got + 1, 2 }, { got + 3, 4000 },
	};
	struct sockaddr_storage ss;
	struct msghdr msg = {
		.msg_iov = iov, .msg_iovlen = 3,
		.msg_name = &ss, .msg_namelen = sizeof(ss),
	};
	ssize_t done;

	far_control(far, 1, 3);
	while (at < len) {
		wait_for(user, POLLIN);
		done = recvmsg(user, &msg, MSG_DONTWAIT);
		if (done <= 0)
			err(1, "recvmsg: %zd", done);
		if (done > (ssize_t)(len - at) ||
		    memcmp(got, want + at, done))
			errx(1, "recvmsg: wrong bytes");
		if (msg.msg_flags & MSG_TRUNC)
			errx(1, "recvmsg: truncated");
		at += done;
	}
	nothing_left();
}

static void check_peek(void)
{
	size_t len = stream(want, 1, 3), first = PREFIX + control_len(1);
	unsigned int i;
	ssize_t done;

	far_control(far, 1, 3);
	far_ping(far);
	for (i = 1; i < 100; i++) {
		done = recv(user, got, i, MSG_PEEK | MSG_DONTWAIT);
		if (done < 1 || done > i || memcmp(got, want, done))
			errx(1, "peek at %u bytes: %zd", i, done);
	}
	done = recv(user, got, sizeof(got), MSG_PEEK | MSG_DONTWAIT);
	if (done < (ssize_t)first || memcmp(got, want, done))
		errx(1, "peek at all: %zd", done);
	if (queued(user) != (int)len)
		errx(1, "peek takes: %d bytes are left", queued(user));
	expect(user, want, 1, 1);
	done = recv(user, got, sizeof(got), MSG_PEEK | MSG_DONTWAIT);
	if (done < (ssize_t)first - 1 || memcmp(got, want + 1, done))
		errx(1, "peek at a rest: %zd", done);
	expect(user, want + 1, len - 1, 5);
	fails(recv(user, got, 1, MSG_PEEK | MSG_DONTWAIT), EAGAIN,
	      "peek at nothing");
}

static void check_recv_flags(void)
{
	static const int unknown[] = {
		MSG_OOB, MSG_TRUNC, MSG_OOB | MSG_DONTWAIT,
	};
	unsigned int i;

	nothing_left();
	far_control(far, 1, 1);
	far_ping(far);
	/* the queue of errors is one of its own */
	fails(recv(user, got, 100, MSG_ERRQUEUE), EAGAIN, "recv of errors");
	for (i = 0; i < ARRAY_SIZE(unknown); i++)
		fails(recv(user, got, 100, unknown[i]), EOPNOTSUPP,
		      "recv with an unknown flag");
	if (recv(user, got, 1, MSG_NOSIGNAL | MSG_DONTWAIT) != 1)
		err(1, "recv without signal");
	if (recv(user, got, 1, 0) != 1)
		err(1, "recv");
	if (read(user, got + 1, 1) != 1 || got[1] != OP_CONTROL << 3)
		err(1, "read");
}

static void check_fionread(void)
{
	size_t len = stream(want, 1, 20);

	if (queued(user))
		errx(1, "FIONREAD of nothing: %d", queued(user));
	far_control(far, 1, 20);
	far_ping(far);
	if (queued(user) != (int)len)
		errx(1, "FIONREAD: %d, not %zu", queued(user), len);
	expect(user, want, 3, 3);
	if (queued(user) != (int)len - 3)
		errx(1, "FIONREAD after 3: %d", queued(user));
	expect(user, want + 3, len - 3, 1000);
	if (queued(user))
		errx(1, "FIONREAD at the end: %d", queued(user));
}

/* Memory behind which there is none: the last bytes of a page */
static __u8 *at_edge(size_t bytes)
{
	static __u8 *page;
	long size = sysconf(_SC_PAGESIZE);

	if (!page) {
		page = mmap(NULL, 2 * size, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		if (page == MAP_FAILED || munmap(page + size, size))
			err(1, "mmap");
	}
	return page + size - bytes;
}

/* What the program has no memory for is not lost */
static void check_fault(void)
{
	size_t first = PREFIX + control_len(1), len = stream(want, 1, 3);
	ssize_t done;

	far_control(far, 1, 3);
	far_ping(far);
	fails(recv(user, at_edge(0), 100, MSG_DONTWAIT), EFAULT,
	      "recv to nowhere");
	done = recv(user, at_edge(first + 1), len, MSG_DONTWAIT);
	if (done != (ssize_t)first || memcmp(at_edge(first + 1), want, first))
		errx(1, "recv of what has room: %zd of %zu", done, first);
	expect(user, want + first, len - first, sizeof(got));
	nothing_left();

	/* and half a record does not leave */
	memcpy(at_edge(first - 1), want, first - 1);
	fails(send(user, at_edge(first - 1), first, MSG_NOSIGNAL), EFAULT,
	      "send from nowhere");
	if (send(user, want, first, MSG_NOSIGNAL) != (ssize_t)first)
		err(1, "send");
	expect_records(far, 1, 1);
}

static void on_alarm(int sig)
{
	(void)sig;
}

/* A signal that interrupts, soon */
void catch_alarm(void)
{
	struct sigaction act = { .sa_handler = on_alarm };

	sigaction(SIGALRM, &act, NULL);
	ualarm(50000, 0);
}

/* A child that does something while we do something else */
pid_t child(void (*run)(void))
{
	pid_t pid = fork();

	if (pid < 0)
		err(1, "fork");
	if (pid)
		return pid;
	run();
	exit(0);
}

void child_ends(pid_t pid)
{
	double until = seconds() + patience;
	int status;

	while (!waitpid(pid, &status, WNOHANG)) {
		if (seconds() > until) {
			kill(pid, SIGKILL);
			errx(1, "it does not end");
		}
		usleep(1000);
	}
	if (!WIFEXITED(status) || WEXITSTATUS(status))
		errx(1, "it failed: %#x", status);
}

/* Until the child sleeps in a system call */
void child_sleeps(pid_t pid)
{
	double until = seconds() + patience;
	char path[40], state;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	do {
		file = fopen(path, "r");
		if (!file || fscanf(file, "%*d (%*[^)]) %c", &state) != 1)
			errx(1, "%s: no state", path);
		fclose(file);
		if (state == 'S')
			return;
		usleep(1000);
	} while (seconds() < until);
	errx(1, "it does not wait");
}

static void read_record(void)
{
	size_t len = stream(want, 1, 1), at;
	ssize_t done;

	for (at = 0; at < len; at += done) {
		done = recv(user, got, sizeof(got), 0);
		if (done <= 0)
			err(1, "blocking recv: %zd", done);
		if (memcmp(got, want + at, done))
			errx(1, "blocking recv: wrong bytes");
	}
}

static void check_recv_blocks(void)
{
	struct timeval tv = { .tv_usec = 50000 };
	pid_t pid = child(read_record);
	unsigned int i;

	child_sleeps(pid);
	for (i = 0; i < 3; i++)
		far_ping(far);
	child_sleeps(pid);
	far_control(far, 1, 1);
	child_ends(pid);
	nothing_left();

	catch_alarm();
	fails(recv(user, got, 1, 0), EINTR, "recv and a signal");
	if (setsockopt(user, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv)))
		err(1, "SO_RCVTIMEO");
	fails(recv(user, got, 1, 0), EAGAIN, "recv and a timeout");
}

/* When nobody reads, what was kept comes whole and in order */
static void check_overflow(void)
{
	size_t at = 0, have = 0;
	unsigned int count = 0;
	__u32 seq, last = 0;
	ssize_t done;

	far_control(far, 1, 20000);
	far_ping(far);
	while ((done = recv(user, got + have, sizeof(got) - have,
			    MSG_DONTWAIT)) > 0) {
		have += done;
		while (have - at >= PREFIX &&
		       have - at >= PREFIX + get_be16(got + at)) {
			if (!control_is(got + at + PREFIX, get_be16(got + at),
					&seq) || seq <= last)
				errx(1, "after %u: not a record", last);
			last = seq;
			count++;
			at += PREFIX + get_be16(got + at);
		}
		memmove(got, got + at, have - at);
		have -= at;
		at = 0;
	}
	printf("records=%u last=%u\n", count, last);
	if (errno != EAGAIN || have)
		errx(1, "%zu bytes of a record are left", have);
	if (count < 10 || count >= 20000)
		errx(1, "of 20000 records %u were kept", count);
	/* and it goes on */
	far_control(far, 30000, 1);
	expect_records(user, 30000, 1);
}

static const struct {
	const char *name;
	void (*run)(void);
} checks[] = {
	{ "attach-refused", check_attach_refused },
	{ "attach-traffic", check_attach_traffic },
	{ "before-attach", check_before_attach },
	{ "between-data", check_between_data },
	{ "detach-blocked", check_detach_blocked },
	{ "detach-sending", check_detach_sending },
	{ "edge", check_edge },
	{ "end", check_end },
	{ "end-blocked", check_end_blocked },
	{ "fault", check_fault },
	{ "fill", check_fill },
	{ "fionread", check_fionread },
	{ "half-record", check_half_record },
	{ "level", check_level },
	{ "options", check_options },
	{ "overflow", check_overflow },
	{ "peek", check_peek },
	{ "recv-blocks", check_recv_blocks },
	{ "recv-flags", check_recv_flags },
	{ "reset", check_reset },
	{ "reset-blocked", check_reset_blocked },
	{ "reset-unread", check_reset_unread },
	{ "send", check_send },
	{ "send-blocks", check_send_blocks },
	{ "send-edge", check_send_edge },
	{ "send-exact", check_send_exact },
	{ "send-flags", check_send_flags },
	{ "send-long", check_send_long },
	{ "send-torn", check_send_torn },
	{ "senders", check_senders },
	{ "splice", check_splice },
	{ "stream", check_stream },
	{ "vectors", check_vectors },
};

int user_check(const char *name, int user_fd, int far_fd, double timeout)
{
	unsigned int i;
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigprocmask(SIG_BLOCK, &set, NULL);
	user = user_fd;
	far = far_fd;
	patience = timeout;
	for (i = 0; i < ARRAY_SIZE(checks); i++) {
		if (strcmp(name, checks[i].name))
			continue;
		checks[i].run();
		return 0;
	}
	errx(2, "unknown check %s", name);
}
