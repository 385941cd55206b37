// SPDX-License-Identifier: GPL-2.0
/*
 * ovpn-tcp: one end of an OpenVPN connection over TCP in user space, for tests
 *
 * The connection is one that ovpn-cli holds. Either it is the raw end of a
 * tunnel, then the program speaks the record format and the data channel by
 * itself and may do so as no honest end would; or it is the socket that a
 * device took over, then the program is the one that exchanges control records.
 */
#include <errno.h>
#include <linux/sockios.h>
#include <linux/tcp.h>
#include <poll.h>
#include <signal.h>
#include <sys/ioctl.h>

#include "frame-data.h"
#include "frame-hostile.h"
#include "frame-sock.h"
#include "ovpn-tcp.h"

static const char usage_text[] =
"usage: ovpn-tcp COMMAND sock PATH [WORD VALUE]...\n"
"commands that send (each prints what it sent):\n"
"  send         count records, each by a write of its own\n"
"  burst        as many records as fill bytes (64 KB) by one write; count times\n"
"  split        the same records cut into pieces (2 or 3) at every offset; each\n"
"               piece is a write, and a segment, of its own; each pause ms\n"
"  crumbs       count records, byte by byte\n"
"  length       a record that says it is len bytes long, with bytes of them\n"
"  garbage      bytes random bytes\n"
"  flood        count records around hostile packets, in writes of all sizes\n"
"  bytes        hex DIGITS, as they are\n"
"commands that receive (ready at start; count, timeout or the end stop them):\n"
"  recv         check what arrives; chunk bytes at most each pause ms\n"
"  serve        the same, and answer inner echo requests\n"
"  ping         inner echo requests, each waits for its reply\n"
"  talk         send count control records while as many come\n"
"others:\n"
"  shut, reset  end the stream, or the connection\n"
"  ulp          give the socket the upper layer protocol what NAME\n"
"  sockmap      put the socket into a map, until killed\n"
"  check        what user space may do: what NAME, at sock PATH and far PATH\n"
"words:\n"
"  what data|control|both         records to send; of recv: control is enough\n"
"  seq N                          of the first control record\n"
"  bytes N, len N, pieces N, chunk N, pause MS, far PATH; ovpn-frames' words\n";

#define ROOM	(256 << 10)

static __u8 room[ROOM];
static bool stop;
static int fd;

double seconds(void)
{
	return now();
}

static bool stopped(void)
{
	return __atomic_load_n(&stop, __ATOMIC_RELAXED);
}

void write_all(int to, const void *buf, size_t len)
{
	ssize_t done;

	for (; len; buf += done, len -= done) {
		done = send(to, buf, len, MSG_NOSIGNAL);
		if (done < 0)
			err(1, "send");
	}
}

/* A data record, with prefix; returns its whole length */
size_t far_data(__u8 *buf)
{
	size_t len = seal(o.pkt_id, build_inner(o.pkt_id));

	o.pkt_id++;
	n.sent++;
	put_be16(buf, len);
	memcpy(buf + PREFIX, frame, len);
	return PREFIX + len;
}

static size_t put_control(__u8 *buf)
{
	n.control++;
	return control_put(buf, o.seq++);
}

/* The next of the records that were asked for */
static size_t put_record(__u8 *buf)
{
	static bool odd;

	odd = !odd;
	if (!strcmp(o.what, "control") || (!strcmp(o.what, "both") && odd))
		return put_control(buf);
	return far_data(buf);
}

static int report(void)
{
	struct tcp_info info = {};
	socklen_t len = sizeof(info);

	getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len);
	printf("sent=%llu control=%llu pkt-id=%u seq=%u segments=%u\n",
	       n.sent, n.control, o.pkt_id, o.seq, info.tcpi_data_segs_out);
	return 0;
}

static int cmd_send(void)
{
	__u32 i, count = o.count ? o.count : 1;

	for (i = 0; i < count && !stopped(); i++)
		write_all(fd, room, put_record(room));
	return report();
}

static int cmd_burst(void)
{
	__u32 i, count = o.count ? o.count : 1;
	size_t len;

	if (o.bytes > ROOM - FRAME_MAX)
		errx(2, "bytes: too many");
	for (i = 0; i < count && !stopped(); i++) {
		for (len = 0; len < o.bytes;)
			len += put_record(room + len);
		write_all(fd, room, len);
	}
	return report();
}

/* A segment of its own: nothing is left that it could be joined to */
static void piece(size_t from, size_t to)
{
	int left = 1;

	if (from == to)
		return;
	write_all(fd, room + from, to - from);
	while (!ioctl(fd, SIOCOUTQNSD, &left) && left)
		usleep(100);
}

/* Two records, cut at every offset up to bytes, or at every two of them */
static int cmd_split(void)
{
	size_t i, j, a, b, len;

	for (i = 1; i < o.bytes; i++) {
		for (j = o.pieces < 3 ? o.bytes : i; j <= o.bytes; j++) {
			len = put_record(room);
			len += put_record(room + len);
			a = i < len ? i : len;
			b = j < len ? j : len;
			piece(0, a);
			piece(a, b);
			piece(b, len);
			usleep(o.pause * 1000);
		}
	}
	return report();
}

static int cmd_crumbs(void)
{
	__u32 i, count = o.count ? o.count : 1;
	size_t len, at;

	for (i = 0; i < count && !stopped(); i++) {
		len = put_record(room);
		for (at = 0; at < len; at++)
			piece(at, at + 1);
	}
	return report();
}

/* What the length says and what follows are two things */
static int cmd_length(void)
{
	if (o.bytes > FRAME_MAX)
		o.bytes = o.len;
	if (!strcmp(o.what, "control")) {
		memset(room + PREFIX, OP_CONTROL << 3, o.bytes);
	} else {
		fill_random(room + PREFIX, o.bytes);
		put_head(room + PREFIX, OP_DATA_V2, o.key_id, o.peer_id,
			 o.pkt_id);
	}
	put_be16(room, o.len);
	write_all(fd, room, PREFIX + o.bytes);
	return report();
}

static int cmd_garbage(void)
{
	if (o.bytes > ROOM)
		errx(2, "bytes: too many");
	fill_random(room, o.bytes);
	write_all(fd, room, o.bytes);
	return report();
}

/* Good records around bad packets: none of them ends the connection */
static int cmd_flood(void)
{
	size_t have = 0, len, part;
	__u32 i;

	for (i = 0; i < o.count && !stopped(); i++) {
		have += hostile_record(room + have, i);
		n.sent++;
		if (have < ROOM - FRAME_MAX - PREFIX && i + 1 < o.count)
			continue;
		for (len = 0; len < have; len += part) {
			part = rnd() % (rnd() % 4 ? 1500 : 65536) + 1;
			part = part < have - len ? part : have - len;
			write_all(fd, room + len, part);
		}
		have = 0;
	}
	return report();
}

static int cmd_bytes(void)
{
	write_all(fd, room, unhex(room, o.hex));
	return report();
}

/*
 * Receiving
 */

/* The records that come; the unread ones are at buf + from */
static struct {
	__u8 buf[ROOM];
	size_t from, to;
	__u32 seq[8];		/* of each stream, the last number */
	unsigned int control, wrong, torn;
	const char *end;
} in;

/* More bytes; false at the end of the stream */
static bool in_fill(void)
{
	size_t size = sizeof(in.buf) - in.to;
	ssize_t got;

	if (o.chunk) {
		size = o.chunk < size ? o.chunk : size;
		usleep(o.pause * 1000);
	}
	got = recv(fd, in.buf + in.to, size, MSG_DONTWAIT | MSG_NOSIGNAL);
	if (got > 0)
		in.to += got;
	else if (!got)
		in.end = "eof";
	else if (errno == ECONNRESET)
		in.end = "reset";
	else if (errno != EAGAIN && errno != EINTR)
		err(1, "recv");
	return !in.end;
}

/* A whole record: the packet in it, or NULL */
static const __u8 *in_next(size_t *len)
{
	const __u8 *packet = in.buf + in.from + PREFIX;
	size_t have = in.to - in.from;

	if (have < PREFIX || have < PREFIX + get_be16(packet - PREFIX)) {
		memmove(in.buf, in.buf + in.from, have);
		in.from = 0;
		in.to = have;
		return NULL;
	}
	*len = get_be16(packet - PREFIX);
	in.from += PREFIX + *len;
	if (!*len || (*packet >> 3 == OP_DATA_V2 &&
		      *len <= FRAME_AAD_LEN + FRAME_TAG_LEN)) {
		in.torn++;
		in.end = "torn";
		return NULL;
	}
	return packet;
}

static void in_control(const __u8 *packet, size_t len)
{
	__u32 seq;

	if (!control_is(packet, len, &seq)) {
		in.wrong++;
		return;
	}
	in.control++;
	if (seq != in.seq[seq >> 24 & 7] + 1)
		in.wrong++;
	in.seq[seq >> 24 & 7] = seq;
	if (!o.quiet)
		printf("control seq=%u len=%zu\n", seq, len);
}

static void answer(const struct inner_view *view)
{
	__u8 *text = text_of(frame);
	size_t len;

	memmove(text + inner_ip_len(view->src.family) + 8, text + view->payload,
		view->len);
	len = seal(o.pkt_id++, inner_echo(text, &view->dst, &view->src, 1,
					  view->id, view->seq, view->len));
	put_be16(room, len);
	memcpy(room + PREFIX, frame, len);
	write_all(fd, room, PREFIX + len);
	n.answered++;
}

/* Judge all that has come; returns false when there is no more of it */
static bool in_record(struct inner_view *view)
{
	static const struct inner_addr nobody;
	const __u8 *packet;
	size_t len;

	packet = in_next(&len);
	if (!packet)
		return false;
	memset(view, 0, sizeof(*view));
	view->kind = "control";
	if (*packet >> 3 != OP_DATA_V2) {
		in_control(packet, len);
		return true;
	}
	memcpy(frame, packet, len);
	if (!open_frame(&nobody, len, view))
		view->kind = "bad";
	return true;
}

/* Wait for more until then; false when that is in vain. Told to stop, it still
 * reads what has come before.
 */
static bool in_wait(double until, short *events)
{
	struct pollfd p = { .fd = fd, .events = *events };
	double left = stopped() ? 0 : until - now();

	*events = 0;
	if (left < 0)
		left = 0;
	if (poll(&p, 1, left ? left * 1000 + 1 : 0) > 0) {
		*events = p.revents;
		if (p.revents & ~POLLOUT)
			return in_fill();
	} else if (stopped()) {
		in.end = "signal";
	} else if (now() >= until) {
		in.end = "timeout";
	}
	return !in.end;
}

static int in_summary(bool ok)
{
	printf("end=%s control-records=%u wrong=%u torn=%u left=%zu\n",
	       in.end ?: "count", in.control, in.wrong, in.torn,
	       in.to - in.from);
	ok &= !in.wrong && !in.torn;
	/* a stream ends behind a record */
	if (in.end && !strcmp(in.end, "eof") && in.to != in.from)
		ok = false;
	return summary(ok);
}

static bool in_enough(void)
{
	return o.count && n.opened + in.control >= o.count;
}

static int cmd_recv(bool serve)
{
	double until = now() + o.timeout;
	struct inner_view view;
	short events;

	in.seq[0] = o.seq - 1;
	puts("ready");
	do {
		while (!in_enough() && in_record(&view))
			if (serve && !strcmp(view.kind, "echo-request"))
				answer(&view);
		events = POLLIN;
	} while (!in_enough() && in_wait(until, &events));
	return in_summary(!o.count || in_enough());
}

/* One echo request: does its answer come? */
static bool ping(double until)
{
	__u32 seq = o.pkt_id;
	struct inner_view view;
	short events;

	write_all(fd, room, far_data(room));
	do {
		while (in_record(&view))
			if (!strcmp(view.kind, "echo-reply") &&
			    view.id == (__u16)getpid() &&
			    view.seq == (__u16)seq && view.len == o.size)
				return true;
		events = POLLIN;
	} while (in_wait(until, &events));
	return false;
}

static int cmd_ping(void)
{
	__u32 i, got = 0, count = o.count ? o.count : 1;

	o.inner = INNER_ECHO;
	for (i = 0; i < count && !in.end; i++)
		got += ping(now() + o.timeout);
	printf("sent=%llu replies=%u pkt-id=%u\n", n.sent, got, o.pkt_id);
	return in_summary(got == count);
}

/* The program with an attached socket: a record leaves whole or not at all, and
 * what poll() promises comes true
 */
static void talk_send(void)
{
	size_t len = put_control(room);
	ssize_t done;

	done = send(fd, room, len, MSG_DONTWAIT | MSG_NOSIGNAL);
	if (done != (ssize_t)len)
		err(1, "send of %zu: %zd", len, done);
}

/* As OpenVPN does it sends only so many that have not been answered: nobody has
 * room for more of them
 */
#define TALK_WINDOW	32

static int cmd_talk(void)
{
	double until = now() + o.timeout;
	struct inner_view view;
	__u32 sent_count = 0;
	short events;

	in.seq[0] = o.seq - 1;
	puts("ready");
	do {
		while (in_record(&view))
			;
		if (sent_count == o.count && in.control >= o.count)
			break;
		events = POLLIN;
		if (sent_count < o.count &&
		    sent_count < in.control + TALK_WINDOW)
			events |= POLLOUT;
		if (!in_wait(until, &events))
			break;
		if (events & POLLOUT) {
			talk_send();
			sent_count++;
		}
	} while (true);
	printf("sent=%u\n", sent_count);
	return in_summary(sent_count == o.count && in.control >= o.count);
}

/*
 * For the checks of user space
 */

void far_control(int far, __u32 first, unsigned int count)
{
	size_t len;

	while (count--) {
		len = control_put(room, first++);
		write_all(far, room, len);
	}
}

/* When the answer is there the device has seen all that was sent before */
void far_ping(int far)
{
	int before = fd;

	fd = far;
	o.inner = INNER_ECHO;
	if (!ping(now() + o.timeout))
		errx(1, "no answer from the tunnel");
	fd = before;
}

/* disconnect() throws the connection away */
void far_reset(int far)
{
	struct sockaddr none = { .sa_family = AF_UNSPEC };

	if (connect(far, &none, sizeof(none)))
		err(1, "reset");
}

static int cmd_ulp(void)
{
	return rival_ulp(fd, o.what);
}

static int cmd_sockmap(void)
{
	return rival_sockmap(fd);
}

static int cmd_shut(void)
{
	if (shutdown(fd, SHUT_WR))
		err(1, "shutdown");
	return 0;
}

static int cmd_reset(void)
{
	far_reset(fd);
	return 0;
}

static int cmd_serve(void)
{
	return cmd_recv(true);
}

static int cmd_receive(void)
{
	return cmd_recv(false);
}

static int cmd_check(void)
{
	return user_check(o.what, fd, frame_fetch(o.far), o.timeout);
}

static void on_signal(int sig)
{
	(void)sig;
	__atomic_store_n(&stop, true, __ATOMIC_RELAXED);
}

static const struct {
	const char *name;
	int (*run)(void);
} commands[] = {
	{ "burst", cmd_burst }, { "bytes", cmd_bytes }, { "check", cmd_check },
	{ "crumbs", cmd_crumbs }, { "flood", cmd_flood },
	{ "garbage", cmd_garbage }, { "length", cmd_length },
	{ "ping", cmd_ping }, { "recv", cmd_receive }, { "reset", cmd_reset },
	{ "send", cmd_send }, { "serve", cmd_serve }, { "shut", cmd_shut },
	{ "sockmap", cmd_sockmap }, { "split", cmd_split },
	{ "talk", cmd_talk }, { "ulp", cmd_ulp },
};

int main(int argc, char **argv)
{
	struct sigaction act = { .sa_handler = on_signal };
	unsigned int i;
	int on = 1;

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (argc < 2) {
		fputs(usage_text, stderr);
		return 2;
	}
	parse(argv + 2);
	init_keys();
	sigaction(SIGTERM, &act, NULL);
	sigaction(SIGINT, &act, NULL);
	fd = frame_fetch(o.sock);
	for (i = 0; i < ARRAY_SIZE(commands); i++) {
		if (strcmp(argv[1], commands[i].name))
			continue;
		if (strcmp(argv[1], "check"))
			setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on,
				   sizeof(on));
		return commands[i].run();
	}
	errx(2, "unknown command %s", argv[1]);
}
