// SPDX-License-Identifier: GPL-2.0
/*
 * A program waits on an attached socket, asks about it, and sees its end
 */
#include <fcntl.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>

#include "tcp-user.h"

static int watch(__u32 events)
{
	struct epoll_event event = { .events = events };
	int ep = epoll_create1(0);

	if (ep < 0 || epoll_ctl(ep, EPOLL_CTL_ADD, user, &event))
		err(1, "epoll");
	return ep;
}

/* The events that are there, or come in time */
static __u32 events(int ep, double timeout)
{
	struct epoll_event event = {};
	int count = epoll_wait(ep, &event, 1, timeout * 1000);

	if (count < 0)
		err(1, "epoll_wait");
	return event.events;
}

static void silent(int ep, const char *when)
{
	__u32 got_events = events(ep, 0);

	if (got_events)
		errx(1, "%s: epoll says %#x", when, got_events);
}

static void wakes(int ep, const char *when)
{
	__u32 got_events = events(ep, patience);

	if (got_events != EPOLLIN)
		errx(1, "%s: epoll says %#x", when, got_events);
}

static void level(int ep)
{
	size_t len = stream(want, 1, 2), first = PREFIX + control_len(1);

	silent(ep, "at the start");
	far_ping(far);
	silent(ep, "after data");
	far_control(far, 1, 2);
	wakes(ep, "record");
	wakes(ep, "record, once more");
	expect(user, want, first, 1);
	wakes(ep, "second record");
	expect(user, want + first, len - first - 1, 1000);
	wakes(ep, "last byte");
	far_ping(far);
	wakes(ep, "last byte, after data");
	expect(user, want + len - 1, 1, 1);
	silent(ep, "at the end");
}

void check_level(void)
{
	level(watch(EPOLLIN | EPOLLRDHUP | EPOLLPRI));
}

static void edge(int ep)
{
	unsigned int i;

	silent(ep, "at the start");
	for (i = 1; i <= 20; i++) {
		far_control(far, i, 1);
		wakes(ep, "record, those before unread");
		silent(ep, "no other record");
	}
	expect_records(user, 1, 20);
	nothing_left();
	for (i = 21; i <= 40; i++) {
		far_ping(far);
		silent(ep, "after data");
		far_control(far, i, 1);
		wakes(ep, "record");
		expect_records(user, i, 1);
		nothing_left();
	}
	silent(ep, "at the end");
}

void check_edge(void)
{
	edge(watch(EPOLLIN | EPOLLRDHUP | EPOLLET));
}

/* The script tells when it goes on; the signal is blocked since the start */
void wait_for_signal(void)
{
	sigset_t set;
	int sig;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigwait(&set, &sig);
}

/* As OpenVPN does: it waits on the socket before the device takes it */
void check_before_attach(void)
{
	int ep = watch(EPOLLIN | EPOLLRDHUP);
	int ep_edge = watch(EPOLLIN | EPOLLRDHUP | EPOLLET);

	puts("waiting");
	wait_for_signal();
	edge(ep_edge);
	level(ep);
}

static void get_option(int level, int option, const char *name)
{
	__u8 value[512];
	socklen_t len = sizeof(value);

	if (getsockopt(user, level, option, value, &len) || !len)
		err(1, "getsockopt %s", name);
}

/* Another protocol on top, unless there is none of that name */
static void no_protocol(const char *name)
{
	if (!setsockopt(user, IPPROTO_TCP, TCP_ULP, name, strlen(name)))
		errx(1, "TCP_ULP %s", name);
	printf("TCP_ULP %s: %s\n", name, strerror(errno));
	if (errno != EBUSY && errno != EEXIST && errno != ENOENT)
		err(1, "TCP_ULP %s", name);
}

void check_options(void)
{
	struct sockaddr none = { .sa_family = AF_UNSPEC };
	struct sockaddr_storage ss;
	socklen_t len = sizeof(ss);
	struct tcp_info info = {};
	socklen_t info_len = sizeof(info);
	int on = 1, unsent = -1;

	if (getsockopt(user, IPPROTO_TCP, TCP_INFO, &info, &info_len))
		err(1, "TCP_INFO");
	if (info.tcpi_state != TCP_ESTABLISHED || !info.tcpi_snd_mss)
		errx(1, "TCP_INFO: state %u", info.tcpi_state);
	get_option(IPPROTO_TCP, TCP_MAXSEG, "TCP_MAXSEG");
	get_option(IPPROTO_TCP, TCP_CONGESTION, "TCP_CONGESTION");
	get_option(SOL_SOCKET, SO_ERROR, "SO_ERROR");
	get_option(SOL_SOCKET, SO_SNDBUF, "SO_SNDBUF");
	if (setsockopt(user, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)))
		err(1, "TCP_NODELAY");
	if (getpeername(user, (void *)&ss, &len) ||
	    getsockname(user, (void *)&ss, &len))
		err(1, "names");

	if (ioctl(user, SIOCOUTQ, &unsent) || unsent)
		err(1, "SIOCOUTQ: %d", unsent);
	fails(ioctl(user, TIOCGWINSZ, got), ENOTTY, "an unknown ioctl");
	fails(connect(user, &none, sizeof(none)), EBUSY, "disconnect");
	no_protocol("tls");
	no_protocol("espintcp");
	if (!listen(user, 1))
		errx(1, "listen on a connection");
	far_ping(far);
	far_control(far, 1, 3);
	expect_records(user, 1, 3);
	nothing_left();
}

/* Ways round recv() give control records as well, or nothing */
void check_splice(void)
{
	struct tcp_zerocopy_receive zc = { .length = 4096 };
	socklen_t len = sizeof(zc);
	ssize_t done, at = 0;
	int pipes[2];

	if (pipe(pipes))
		err(1, "pipe");
	far_ping(far);
	far_control(far, 1, 2);
	far_ping(far);
	stream(want, 1, 2);
	done = splice(user, NULL, pipes[1], NULL, 100, SPLICE_F_NONBLOCK);
	printf("splice: %zd %s\n", done, done < 0 ? strerror(errno) : "");
	if (done > 0 && (read(pipes[0], got, done) != done ||
			 memcmp(got, want, done)))
		errx(1, "splice: wrong bytes");
	at += done > 0 ? done : 0;
	done = getsockopt(user, IPPROTO_TCP, TCP_ZEROCOPY_RECEIVE, &zc, &len);
	printf("zero copy: %zd %u bytes\n", done, zc.length);
	if (!done && zc.length)
		errx(1, "zero copy: bytes that are not for user space");
	expect(user, want + at, stream(want, 1, 2) - at, 1000);
	nothing_left();

	/* a record out of a file is a record */
	if (write(pipes[1], want, stream(want, 1, 1)) < 0)
		err(1, "write");
	done = splice(pipes[0], NULL, user, NULL, stream(want, 1, 1), 0);
	printf("splice in: %zd %s\n", done, done < 0 ? strerror(errno) : "");
	if (done > 0)
		expect(far, want, done, 1000);
	far_ping(far);
}

static void at_end(void)
{
	__u32 hup = events(watch(EPOLLIN | EPOLLRDHUP), patience);

	if (!(hup & EPOLLIN) || !(hup & EPOLLRDHUP))
		errx(1, "at the end epoll says %#x", hup);
	if (recv(user, got, sizeof(got), MSG_DONTWAIT))
		err(1, "recv at the end");
	if (recv(user, got, sizeof(got), 0))
		err(1, "recv at the end, once more");
}

/* All that came before, then the end; the other direction goes on */
void check_end(void)
{
	int ep = watch(EPOLLRDHUP | EPOLLET);

	far_control(far, 1, 5);
	far_ping(far);
	far_control(far, 6, 5);
	if (shutdown(far, SHUT_WR))
		err(1, "shutdown");
	if (!(events(ep, patience) & EPOLLRDHUP))
		errx(1, "no edge at the end");
	expect_records(user, 1, 10);
	stream(want, 1, 1);
	at_end();
	if (send(user, want, PREFIX + control_len(1), MSG_NOSIGNAL) < 0)
		err(1, "send after the end");
	expect_records(far, 1, 1);
}

/* A frame that the end cut off is the user's too */
void check_half_record(void)
{
	size_t len = stream(want, 1, 2) - 5, at;
	ssize_t done;

	far_ping(far);
	write_all(far, want, len);
	if (shutdown(far, SHUT_WR))
		err(1, "shutdown");
	/* a blocking one: when it comes, and whence, is not said */
	for (at = 0; at < len; at += done) {
		done = recv(user, got, sizeof(got), 0);
		if (done <= 0)
			err(1, "recv: %zd after %zu of %zu", done, at, len);
		if (memcmp(got, want + at, done))
			errx(1, "recv: wrong bytes after %zu", at);
	}
	at_end();
}

static void read_end(void)
{
	if (recv(user, got, sizeof(got), 0))
		err(1, "blocking recv at the end");
}

void check_end_blocked(void)
{
	pid_t pid = child(read_end);

	child_sleeps(pid);
	if (shutdown(far, SHUT_WR))
		err(1, "shutdown");
	child_ends(pid);
}

void check_reset(void)
{
	int ep = watch(EPOLLIN | EPOLLET);
	__u32 hup = 0, more;

	far_control(far, 1, 5);
	far_ping(far);
	if (!events(ep, patience))
		errx(1, "no edge");
	far_reset(far);
	/* each of the records may have an edge of its own */
	do {
		more = events(ep, patience);
		hup |= more;
	} while (more && (~hup & (EPOLLERR | EPOLLHUP)));
	if (!more)
		errx(1, "after a reset epoll says %#x", hup);
	expect_records(user, 1, 5);
	fails(recv(user, got, 1, MSG_DONTWAIT), ECONNRESET,
	      "recv after a reset");
	if (recv(user, got, 1, 0))
		err(1, "recv after that");
	fails(send(user, "x", 1, MSG_NOSIGNAL), EPIPE, "send after a reset");
}

static void read_plain(void)
{
	ssize_t done;

	do {
		done = recv(user, got, 5, 0);
	} while (done < 0 && errno == EINTR);
	if (done != 5 || memcmp(got, "plain", 5))
		err(1, "recv after the peer: %zd", done);
}

/* Who waits for a control record when the peer goes waits for the next bytes */
void check_detach_blocked(void)
{
	pid_t pid = child(read_plain);

	child_sleeps(pid);
	puts("waiting");
	wait_for_signal();
	write_all(far, "plain", 5);
	child_ends(pid);
}

static void read_reset(void)
{
	fails(recv(user, got, sizeof(got), 0), ECONNRESET,
	      "blocking recv after a reset");
}

void check_reset_blocked(void)
{
	pid_t pid = child(read_reset);

	child_sleeps(pid);
	far_reset(far);
	child_ends(pid);
}

/* The device has no room, so that the peer stays until it has read the rest.
 * The program is told at once.
 */
void check_reset_unread(void)
{
	__u32 now;

	far_control(far, 1, 1);
	far_reset(far);
	wait_for(user, POLLHUP);
	now = events(watch(EPOLLIN | EPOLLOUT), 0);
	if (~now & (EPOLLERR | EPOLLHUP | EPOLLIN | EPOLLOUT))
		errx(1, "after a reset epoll says %#x", now);
	fails(recv(user, got, 1, MSG_DONTWAIT), ECONNRESET,
	      "recv after a reset");
	fails(send(user, want, stream(want, 1, 1), MSG_NOSIGNAL), EPIPE,
	      "send after a reset");
	if (events(watch(EPOLLIN), 0) & EPOLLERR)
		errx(1, "the error is told twice");
	puts("waiting");
	wait_for_signal();
	expect_records(user, 1, 1);
	if (recv(user, got, 1, 0))
		err(1, "recv at the end");
}
