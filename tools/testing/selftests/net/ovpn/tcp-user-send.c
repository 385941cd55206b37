// SPDX-License-Identifier: GPL-2.0
/*
 * A program sends control records on an attached socket: whole or not at all
 */
#include <sys/epoll.h>
#include <sys/uio.h>

#include "tcp-user.h"

#define LONGEST		(256 << 10)

static __u8 record[LONGEST + 4096];

static void send_all(const void *buf, size_t len, int flags)
{
	ssize_t done = send(user, buf, len, flags | MSG_NOSIGNAL);

	if (done != (ssize_t)len)
		err(1, "send of %zu bytes: %zd", len, done);
}

/* One, several, in pieces of memory, and by write */
void check_send(void)
{
	struct iovec iov[4];
	size_t len;

	len = stream(record, 1, 1);
	send_all(record, len, 0);
	len = stream(record, 2, 10);
	send_all(record, len, MSG_DONTWAIT);
	len = stream(record, 12, 3);
	iov[0] = (struct iovec){ record, 1 };
	iov[1] = (struct iovec){ record + 1, 4 };
	iov[2] = (struct iovec){ record + 5, 0 };
	iov[3] = (struct iovec){ record + 5, len - 5 };
	if (writev(user, iov, 4) != (ssize_t)len)
		err(1, "writev");
	len = stream(record, 15, 1);
	if (write(user, record, len) != (ssize_t)len)
		err(1, "write");
	expect_records(far, 1, 15);
	far_ping(far);
}

/* What is not made of whole records is refused, and nothing of it leaves */
void check_send_torn(void)
{
	size_t len = stream(record, 1, 3), cut;

	for (cut = 1; cut < len; cut++) {
		if (cut == stream(want, 1, 1) || cut == stream(want, 1, 2))
			continue;
		fails(send(user, record, cut, MSG_NOSIGNAL), EINVAL,
		      "send of a part");
	}
	put_be16(record + len, 0);
	fails(send(user, record, len + 2, MSG_NOSIGNAL), EINVAL,
	      "send of an empty record behind others");
	fails(send(user, record + len, 2, MSG_NOSIGNAL), EINVAL,
	      "send of an empty record");
	fails(send(user, record, len + 1, MSG_NOSIGNAL), EINVAL,
	      "send of half a prefix");
	put_be16(record, 65535);
	fails(send(user, record, 65536, MSG_NOSIGNAL), EINVAL,
	      "send of all but one byte");
	far_ping(far);
	len = stream(record, 1, 1);
	send_all(record, len, 0);
	expect_records(far, 1, 1);
}

static size_t long_count;

static void read_long(void)
{
	expect_records(far, 1, long_count);
}

void check_send_long(void)
{
	size_t len, count = 0;
	pid_t pid;

	for (len = 0; len <= LONGEST - PREFIX - CONTROL_MAX;)
		len += control_put(record + len, ++count);
	/* somebody must read: that much does not fit between the ends */
	long_count = count;
	pid = child(read_long);
	send_all(record, len, 0);
	child_ends(pid);

	while (len <= LONGEST)
		len += control_put(record + len, ++count);
	fails(send(user, record, len, MSG_NOSIGNAL), EMSGSIZE,
	      "send of more than 256 KB");
	/* the longest record there is */
	memset(record, 0x38, sizeof(record));
	put_be16(record, 65535);
	send_all(record, PREFIX + 65535, 0);
	expect(far, record, PREFIX + 65535, sizeof(got));
}

void check_send_flags(void)
{
	static const int unknown[] = {
		MSG_OOB, MSG_FASTOPEN, MSG_OOB | MSG_DONTWAIT, MSG_CONFIRM,
	};
	size_t len = stream(record, 1, 1);
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(unknown); i++)
		fails(send(user, record, len, unknown[i] | MSG_NOSIGNAL),
		      EOPNOTSUPP, "send with an unknown flag");
	send_all(record, len, MSG_DONTWAIT);
	expect_records(far, 1, 1);
}

/* Records from *next on, until there is no room; poll() knows before */
static void fill(__u32 *next)
{
	size_t len;

	for (;;) {
		len = control_put(record, *next);
		if (!(poll_now(user, POLLOUT, 0) & POLLOUT)) {
			/* give late acknowledgments their time */
			if (poll_now(user, POLLOUT, 0.3) & POLLOUT)
				continue;
			fails(send(user, record, len,
				   MSG_DONTWAIT | MSG_NOSIGNAL),
			      EAGAIN, "send without POLLOUT");
			return;
		}
		send_all(record, len, MSG_DONTWAIT);
		++*next;
	}
}

/* Leave as much behind as can be */
void check_fill(void)
{
	__u32 next = 1;

	fill(&next);
}

/* POLLOUT and what send() does are one: at every fill, at every drain */
void check_send_exact(void)
{
	__u32 first = 1, next = 1, before;
	unsigned int round;

	for (round = 0; round < 8; round++) {
		before = next;
		fill(&next);
		if (next == before)
			errx(1, "round %u: POLLOUT, but no room", round);
		printf("round %u: %u records\n", round, next - before);
		while (first < next) {
			expect_records(far, first, 1);
			first++;
		}
		wait_for(user, POLLOUT);
	}
	nothing_left();
}

/* send() until EAGAIN, as one does who has only edges; then there is an edge */
void check_send_edge(void)
{
	struct epoll_event event = { .events = EPOLLOUT | EPOLLET };
	__u32 first = 1, next = 1;
	int ep = epoll_create1(0);
	unsigned int round;
	size_t len;

	if (ep < 0 || epoll_ctl(ep, EPOLL_CTL_ADD, user, &event))
		err(1, "epoll");
	if (epoll_wait(ep, &event, 1, 0) != 1)
		errx(1, "no edge at the start");
	for (round = 0; round < 5; round++) {
		do {
			len = control_put(record, next);
		} while (send(user, record, len, MSG_DONTWAIT |
			      MSG_NOSIGNAL) == (ssize_t)len && next++);
		if (errno != EAGAIN)
			err(1, "send");
		while (first < next) {
			expect_records(far, first, 1);
			first++;
		}
		if (epoll_wait(ep, &event, 1, patience * 1000) != 1)
			errx(1, "round %u: no edge", round);
	}
}

static void send_many(void)
{
	unsigned int i;

	for (i = 1; i <= 2000; i++)
		send_all(record, control_put(record, i), 0);
}

void check_send_blocks(void)
{
	struct timeval tv = { .tv_usec = 50000 };
	pid_t pid = child(send_many);
	__u32 next = 2001;
	unsigned int i;

	child_sleeps(pid);
	for (i = 1; i <= 2000; i++)
		expect_records(far, i, 1);
	child_ends(pid);

	fill(&next);
	catch_alarm();
	fails(send(user, record, control_put(record, next), MSG_NOSIGNAL),
	      EINTR, "send and a signal");
	if (setsockopt(user, SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof(tv)))
		err(1, "SO_SNDTIMEO");
	fails(send(user, record, control_put(record, next), MSG_NOSIGNAL),
	      EAGAIN, "send and a timeout");
	/* nothing of these leaves later */
	for (i = 2001; i < next; i++)
		expect_records(far, i, 1);
	far_ping(far);
}

static __u32 own_stream;

static void send_stream(void)
{
	unsigned int i;

	for (i = 1; i <= 500; i++)
		send_all(record, control_put(record, own_stream | i), 0);
}

/* Several programs at once: no record is inside of another */
void check_senders(void)
{
	unsigned int i, count = 0, seen[4] = {};
	size_t have = 0, at;
	pid_t pid[4];
	ssize_t done;
	__u32 seq;

	for (i = 0; i < 4; i++) {
		own_stream = i << 24;
		pid[i] = child(send_stream);
	}
	while (count < 2000) {
		wait_for(far, POLLIN);
		done = recv(far, got + have, sizeof(got) - have, 0);
		if (done <= 0)
			err(1, "recv");
		have += done;
		for (at = 0; have - at >= PREFIX && have - at >= PREFIX +
		     get_be16(got + at); at += PREFIX + get_be16(got + at)) {
			if (!control_is(got + at + PREFIX, get_be16(got + at),
					&seq))
				errx(1, "torn after %u records", count);
			if ((seq & 0xffffff) != ++seen[seq >> 24 & 3])
				errx(1, "disorder after %u records", count);
			count++;
		}
		memmove(got, got + at, have - at);
		have -= at;
	}
	for (i = 0; i < 4; i++)
		child_ends(pid[i]);
}

static __u32 unsent;

/* Whoever is told to try again does so; no record was begun */
static void send_late(void)
{
	size_t len = control_put(record, unsent);
	ssize_t done;

	do {
		done = send(user, record, len, MSG_NOSIGNAL);
	} while (done < 0 && errno == EINTR);
	if (done != (ssize_t)len)
		err(1, "send after the peer: %zd", done);
}

/* Who waits for room when the peer goes sends on the connection as it is then,
 * behind all that was sent before
 */
void check_detach_sending(void)
{
	__u32 i;
	pid_t pid;

	unsent = 1;
	fill(&unsent);
	pid = child(send_late);
	child_sleeps(pid);
	puts("waiting");
	wait_for_signal();
	for (i = 1; i <= unsent; i++)
		expect_records(far, i, 1);
	child_ends(pid);
}
