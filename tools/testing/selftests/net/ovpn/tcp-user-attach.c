// SPDX-License-Identifier: GPL-2.0
/*
 * A program reads from its socket while a device comes, or tries to
 */
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "tcp-user.h"

#define OP_DATA_V2	9

/* Nobody has room for more control records that have not been read */
#define WINDOW		32

/* What processes tell each other */
static struct shared {
	bool stop;
	__u32 control, data;	/* records sent */
	__u32 read;		/* control records read */
	__u32 bytes[256];	/* how often each byte has been read */
} *shared;

static void share(void)
{
	int on = 1;

	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (shared == MAP_FAILED)
		err(1, "mmap");
	if (setsockopt(far, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)))
		err(1, "TCP_NODELAY");
}

static __u32 load(const __u32 *value)
{
	return __atomic_load_n(value, __ATOMIC_ACQUIRE);
}

static void add(__u32 *value)
{
	__atomic_add_fetch(value, 1, __ATOMIC_ACQ_REL);
}

/* Has the script sent its signal? */
static bool told(void)
{
	sigset_t set;

	return !sigpending(&set) && sigismember(&set, SIGUSR1);
}

/*
 * Attached under traffic
 */

static size_t put_control(size_t len)
{
	add(&shared->control);
	return len + control_put(want + len, load(&shared->control));
}

static void write_torn(size_t len)
{
	size_t at, part;

	for (at = 0; at < len; at += part) {
		part = random() % 2000 + 1;
		part = part < len - at ? part : len - at;
		write_all(far, want + at, part);
	}
}

/* The far end does not stop for the device */
static void send_both(void)
{
	unsigned int i;
	size_t len;

	srandom(getpid());
	while (!__atomic_load_n(&shared->stop, __ATOMIC_ACQUIRE)) {
		len = 0;
		while (load(&shared->control) < load(&shared->read) + WINDOW) {
			len = put_control(len);
			for (i = random() % 3; i; i--) {
				len += far_data(want + len);
				add(&shared->data);
			}
		}
		write_torn(len);
		if (!len)
			usleep(100);
	}
	/* when this one is read, all has been */
	write_torn(put_control(0));
}

static struct {
	size_t have;		/* bytes in got */
	bool attached;
	__u32 data, pkt_id;	/* of data records that were read */
	double since;		/* when the last record came */
} reader;

static void take_data(const __u8 *packet, size_t len)
{
	__u32 pkt_id;

	if (len < 8 || *packet >> 3 != OP_DATA_V2)
		errx(1, "after %u: not a record", load(&shared->read));
	if (reader.attached)
		errx(1, "a data record passes the device");
	memcpy(&pkt_id, packet + 4, sizeof(pkt_id));
	pkt_id = ntohl(pkt_id);
	if (reader.data++ && pkt_id != reader.pkt_id + 1)
		errx(1, "data record %u after %u", pkt_id, reader.pkt_id);
	reader.pkt_id = pkt_id;
}

static void take_record(const __u8 *packet, size_t len)
{
	__u32 seq, last = load(&shared->read);

	reader.since = seconds();
	if (!control_is(packet, len, &seq)) {
		take_data(packet, len);
		return;
	}
	if (seq != last + 1)
		errx(1, "control record %u after %u", seq, last);
	add(&shared->read);
}

/* The size of the record at the start of what has come, or 0 if that is not
 * there yet
 */
static size_t whole(size_t have)
{
	size_t size = have < PREFIX ? 0 : PREFIX + get_be16(got);

	return size && size <= have ? size : 0;
}

static void wait_more(void)
{
	if (seconds() > reader.since + patience)
		errx(1, "nothing comes after %u, %u have been sent",
		     load(&shared->read), load(&shared->control));
	poll_now(user, POLLIN, 0.01);
}

/* Read a record, which has to be there as a whole: the device takes over what
 * has not been read, and must not begin in the middle of one. If it comes just
 * after the look, it is other bytes that are read.
 */
static void read_whole(void)
{
	size_t size = 0;
	ssize_t done;

	done = recv(user, got + reader.have, sizeof(got) - reader.have,
		    MSG_PEEK | MSG_DONTWAIT);
	if (done > 0)
		size = whole(reader.have + done);
	if (size)
		done = recv(user, got + reader.have, size - reader.have,
			    MSG_DONTWAIT);
	if (!done || (done < 0 && errno != EAGAIN))
		err(1, "recv: %zd", done);
	if (done < 0 || !size) {
		wait_more();
		return;
	}

	reader.have += done;
	while ((size = whole(reader.have))) {
		take_record(got + PREFIX, size - PREFIX);
		reader.have -= size;
		memmove(got, got + size, reader.have);
	}
}

static void read_until(__u32 count)
{
	while (load(&shared->read) < count)
		read_whole();
}

void check_attach_traffic(void)
{
	pid_t pid;

	share();
	reader.since = seconds();
	pid = child(send_both);
	read_until(50);
	puts("waiting");
	while (!told())
		read_whole();
	reader.attached = true;
	read_until(load(&shared->read) + 200);
	__atomic_store_n(&shared->stop, true, __ATOMIC_RELEASE);
	child_ends(pid);
	read_until(load(&shared->control));
	if (reader.have)
		errx(1, "%zu bytes are left", reader.have);
	nothing_left();
	printf("control=%u passed=%u\n", load(&shared->control),
	       load(&shared->data) - reader.data);
}

/*
 * Attached and given back
 */

static void count_bytes(ssize_t done)
{
	ssize_t i;

	for (i = 0; i < done; i++)
		add(&shared->bytes[got[i]]);
}

/* Seldom anywhere but in a call */
static void read_polling(void)
{
	ssize_t done;

	while ((done = recv(user, got, sizeof(got), MSG_DONTWAIT))) {
		if (done < 0 && errno != EAGAIN)
			err(1, "recv");
		count_bytes(done);
		poll_now(user, POLLIN, 0);
	}
	errx(1, "recv: the stream ends");
}

/* Who waits in a call for the device has to call again when it goes */
static void read_waiting(void)
{
	ssize_t done;

	while ((done = recv(user, got, sizeof(got), 0))) {
		if (done < 0 && errno != EINTR)
			err(1, "recv that waits");
		count_bytes(done);
	}
	errx(1, "recv that waits: the stream ends");
}

static void reads_still(pid_t pid)
{
	if (waitpid(pid, NULL, WNOHANG))
		errx(1, "a reader has ended");
}

static void all_read(const __u32 *sent)
{
	double until = seconds() + patience;
	unsigned int i;

	for (i = 0; i < 256; i++) {
		while (load(&shared->bytes[i]) < sent[i] && seconds() < until)
			usleep(1000);
		if (load(&shared->bytes[i]) != sent[i])
			errx(1, "byte %#x was sent %u times, read %u times", i,
			     sent[i], load(&shared->bytes[i]));
	}
}

/* Records that come meanwhile are small: none is there in part */
static void send_counted(const __u8 *bytes, size_t len, __u32 *sent)
{
	size_t i;

	write_all(far, bytes, len);
	for (i = 0; i < len; i++)
		sent[bytes[i]]++;
}

void check_attach_refused(void)
{
	static __u32 sent[256];
	pid_t waiting, polling;
	unsigned int i;

	share();
	waiting = child(read_waiting);
	polling = child(read_polling);
	child_sleeps(waiting);
	puts("waiting");
	for (i = 0; !told(); i++) {
		send_counted(want, stream(want, i % 8 + 1, 1), sent);
		usleep(i % 4 * 300);
	}
	for (i = 0; i < 256; i++)
		want[i] = i;
	for (i = 0; i < 256; i += 8)
		send_counted(want + i, 8, sent);
	all_read(sent);
	reads_still(waiting);
	reads_still(polling);
	kill(waiting, SIGKILL);
	kill(polling, SIGKILL);
	puts("all read");
}
