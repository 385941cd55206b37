// SPDX-License-Identifier: GPL-2.0
/*
 * ovpn-frames: an OpenVPN data channel end in user space, for tests.
 *
 * It seals and opens P_DATA_V2 datagrams without any code of the driver, so it
 * can check what the driver sends and send what no honest end would.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include "frame-data.h"
#include "frame-hostile.h"
#include "frame-sniff.h"
#include "frame-sock.h"

static const char usage_text[] =
"usage: ovpn-frames COMMAND [WORD VALUE]...\n"
"commands that send (each prints sent=N):\n"
"  send         well-formed datagrams, packet ids from pkt-id, or of ids\n"
"  lengths      a datagram cut to each length 1..128; then random bytes so long\n"
"  classes      each opcode (or one: opcode N), key id, kind of peer id; random\n"
"  bitflip      a datagram with one bit flipped, once per bit (not the opcode)\n"
"  trunc-inner  the inner packet cut to each shorter length, then sealed\n"
"  garbage      sealed random bytes, each first byte\n"
"  flood        count datagrams, of all of these kinds, by seed\n"
"  bytes        the datagram of hex DIGITS, as it is\n"
"commands that receive (ready when bound; count or timeout ends them):\n"
"  recv         open, check and print what arrives\n"
"  serve        the same, and answer inner echo requests\n"
"  ping         inner echo requests, each waits for its reply\n"
"  sniff        open and check what comes in on device dev for the port of to\n"
"other:\n"
"  mark         give the socket that ovpn-cli holds at sock PATH the mark N\n"
"  rebind       take its port from it, which must be any, and bind it to from\n"
"  device       bind that socket to the device dev\n"
"  ipsec        make that socket one of IPsec, with GRO (encap 2), or not (0)\n"
"words:\n"
"  from ADDR PORT, to ADDR PORT   transport addresses\n"
"  raw                            forge the transport source address\n"
"  secret S, dir 0|1, cipher C, bits N, key-id N; key N S: another key\n"
"  peer-id N (sent), my-id N (expected), pkt-id N, ids A-B,C,...\n"
"  isrc ADDR, idst ADDR, sport N, dport N, size N   inner packet\n"
"  inner udp|tcp|echo|keepalive|empty|random\n"
"  count N, timeout SEC, seed N, opcode N, hex DIGITS, sock PATH, mark N\n"
"  encap N, dev DEV, quiet, unordered\n"
"  vary (send: sizes up to size)\n"
"  between DIGITS (send: after each datagram, these bytes and its packet id)\n";

static bool stop;
static int fd;

static bool stopped(void)
{
	return __atomic_load_n(&stop, __ATOMIC_RELAXED);
}

static void open_socket(void)
{
	struct sockaddr_storage ss;
	int on = 1, size = 4 << 20;
	socklen_t len;

	if (o.raw) {
		fd = socket(o.from.family, SOCK_RAW, IPPROTO_RAW);
		if (fd < 0)
			err(4, "raw socket");
		return;
	}
	fd = socket(o.from.family, SOCK_DGRAM, 0);
	len = to_sockaddr(&o.from, &ss);
	if (fd < 0)
		err(1, "socket");
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	setsockopt(fd, SOL_SOCKET, SO_BROADCAST, &on, sizeof(on));
	setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size));
	if (bind(fd, (struct sockaddr *)&ss, len))
		err(1, "bind");
}

static void xmit_to(const struct inner_addr *to, const __u8 *buf, size_t len)
{
	static __u8 packet[FRAME_MAX + 64];
	struct sockaddr_storage ss;
	socklen_t sslen;

	sslen = to_sockaddr(to, &ss);
	if (o.raw) {
		memcpy(packet + inner_ip_len(o.from.family) + 8, buf, len);
		len = inner_udp(packet, &o.from, to, len);
		buf = packet;
		/* raw IPv6 sockets want no port here */
		if (to->family == AF_INET6)
			((struct sockaddr_in6 *)&ss)->sin6_port = 0;
	}
	while (sendto(fd, buf, len, 0, (struct sockaddr *)&ss, sslen) < 0) {
		if (errno == ECONNREFUSED)
			continue;
		if (errno != ENOBUFS && errno != EAGAIN)
			err(1, "sendto");
		usleep(1000);
	}
	n.sent++;
}

static void xmit(const __u8 *buf, size_t len)
{
	xmit_to(&o.to, buf, len);
}

static void send_id(__u32 pkt_id)
{
	__u32 size = o.size, id = htonl(pkt_id);
	size_t len;

	if (o.vary)
		o.size = rnd() % (size + 1);
	xmit(frame, seal(pkt_id, build_inner(pkt_id)));
	o.size = size;
	if (!o.between)
		return;
	len = unhex(frame, o.between);
	memcpy(frame + len, &id, sizeof(id));
	xmit(frame, len + sizeof(id));
}

static void cmd_send(void)
{
	const char *p = o.ids;
	__u32 i, count = o.count ? o.count : 1;
	unsigned long a, b;
	char *end;

	for (i = 0; !p && i < count && !stopped(); i++)
		send_id(o.pkt_id + i);
	while (p && *p) {
		a = strtoul(p, &end, 0);
		b = *end == '-' ? strtoul(end + 1, &end, 0) : a;
		if (end == p || (*end && *end != ','))
			errx(2, "bad list of packet ids: %s", o.ids);
		for (; a <= b; a++)
			send_id(a);
		p = *end ? end + 1 : end;
	}
}

static void cmd_lengths(void)
{
	size_t whole = seal(o.pkt_id, build_inner(0)), len;

	if (whole <= 128)
		errx(2, "size too small: the datagram must exceed 128 bytes");
	for (len = 1; len <= 128; len++)
		xmit(frame, len);
	for (len = 1; len <= 128; len++) {
		put_head(frame, OP_DATA_V2, o.key_id, o.peer_id, rnd());
		fill_random(frame + FRAME_AAD_LEN, 128);
		xmit(frame, len);
	}
}

static void cmd_classes(void)
{
	const __u32 ids[] = { o.peer_id, 0, o.peer_id ^ 1, 0x800000,
				 ID_UNDEF - 1, ID_UNDEF };
	unsigned int op, key, i;

	for (op = 0; op < 32; op++) {
		if (o.opcode >= 0 && op != (unsigned int)o.opcode)
			continue;
		for (key = 0; key < 8; key++) {
			for (i = 0; i < ARRAY_SIZE(ids); i++) {
				put_head(frame, op, key, ids[i], rnd());
				fill_random(frame + FRAME_AAD_LEN, 100);
				xmit(frame, FRAME_AAD_LEN + 100);
			}
		}
	}
}

static void cmd_bitflip(void)
{
	size_t len = seal(o.pkt_id, build_inner(0)), bit;

	/* the opcode is the upper five bits of the first byte */
	for (bit = 0; bit < len * 8; bit++) {
		if (bit >= 3 && bit < 8)
			continue;
		frame[bit / 8] ^= 1 << (bit % 8);
		xmit(frame, len);
		frame[bit / 8] ^= 1 << (bit % 8);
	}
}

static void cmd_trunc_inner(void)
{
	size_t whole = build_inner(0), len;

	for (len = 0; len < whole; len++) {
		build_inner(0);
		xmit(frame, seal(o.pkt_id + len, len));
	}
}

static void cmd_garbage(void)
{
	unsigned int i;

	for (i = 0; i < 256; i++) {
		fill_random(text_of(frame), o.size);
		*text_of(frame) = i;
		xmit(frame, seal(o.pkt_id + i, o.size));
	}
}

static void cmd_flood(void)
{
	__u32 i;

	for (i = 0; i < o.count; i++)
		xmit(frame, hostile(i));
}

static void cmd_bytes(void)
{
	xmit(frame, unhex(frame, o.hex));
}

/* waits until the time for one datagram; -1 when there is none */
static ssize_t next_frame(struct inner_addr *from, double until)
{
	struct sockaddr_storage ss;
	socklen_t sslen = sizeof(ss);
	struct pollfd p = { .fd = fd, .events = POLLIN };
	double left = until - now();
	ssize_t len;

	if (stopped() || left <= 0 || poll(&p, 1, left * 1000 + 1) <= 0)
		return -1;
	len = recvfrom(fd, frame, FRAME_MAX, 0, (struct sockaddr *)&ss, &sslen);
	if (len < 0)
		return stopped() ? -1 : 0;
	from_sockaddr(from, &ss);
	return len;
}

static void answer(const struct inner_addr *from, const struct inner_view *view)
{
	__u8 *text = text_of(frame);

	memmove(text + inner_ip_len(view->src.family) + 8, text + view->payload,
		view->len);
	xmit_to(from, frame,
		seal(o.pkt_id++, inner_echo(text, &view->dst, &view->src, 1,
					    view->id, view->seq, view->len)));
	n.answered++;
}

static int cmd_recv(bool serve)
{
	double until = now() + o.timeout;
	struct inner_view view;
	struct inner_addr from;
	ssize_t len;

	puts("ready");
	while (!o.count || n.opened < o.count) {
		len = next_frame(&from, until);
		if (len < 0)
			break;
		if (open_frame(&from, len, &view) && serve &&
		    !strcmp(view.kind, "echo-request"))
			answer(&from, &view);
	}
	return summary(!o.count || n.opened >= o.count);
}

static int cmd_sniff(void)
{
	double until = now() + o.timeout;
	static struct sniff sniff;
	struct inner_view view;
	struct pollfd p;
	size_t len;

	if (!o.dev)
		errx(2, "dev is needed");
	sniff_open(&sniff, o.dev, o.to.port);
	p.fd = sniff.fd;
	p.events = POLLIN;
	puts("ready");
	/* told to stop, it still reads what has come before */
	while (now() < until && (!o.count || n.opened < o.count)) {
		if (poll(&p, 1, stopped() ? 0 : 100) <= 0) {
			if (stopped())
				break;
			continue;
		}
		if (!sniff_packet(&sniff))
			continue;
		while ((len = sniff_next(&sniff, frame, FRAME_MAX)))
			open_frame(&sniff.from, len, &view);
	}
	printf("packets=%llu bad-sums=%llu\n", sniff.packets, sniff.bad_sums);
	return summary(!sniff.bad_sums && (!o.count || n.opened >= o.count));
}

static int cmd_ping(void)
{
	__u32 i, got = 0, count = o.count ? o.count : 1;
	struct inner_view view;
	struct inner_addr from;
	double until;
	ssize_t len;

	o.inner = INNER_ECHO;
	for (i = 0; i < count && !stopped(); i++) {
		send_id(o.pkt_id + i);
		until = now() + o.timeout;
		while ((len = next_frame(&from, until)) >= 0) {
			if (!open_frame(&from, len, &view) ||
			    strcmp(view.kind, "echo-reply") ||
			    view.id != (__u16)getpid() ||
			    view.seq != (__u16)(o.pkt_id + i) ||
			    view.len != o.size)
				continue;
			got++;
			break;
		}
	}
	printf("sent=%llu replies=%u\n", n.sent, got);
	return summary(got == count);
}

static void on_signal(int sig)
{
	(void)sig;
	__atomic_store_n(&stop, true, __ATOMIC_RELAXED);
}

static const struct {
	const char *name;
	void (*run)(void);
} senders[] = {
	{ "send", cmd_send }, { "lengths", cmd_lengths },
	{ "classes", cmd_classes }, { "bitflip", cmd_bitflip },
	{ "trunc-inner", cmd_trunc_inner }, { "garbage", cmd_garbage },
	{ "flood", cmd_flood }, { "bytes", cmd_bytes },
};

int main(int argc, char **argv)
{
	struct sigaction act = { .sa_handler = on_signal };
	unsigned int i;

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (argc < 2) {
		fputs(usage_text, stderr);
		return 2;
	}
	parse(argv + 2);
	init_keys();
	sigaction(SIGTERM, &act, NULL);
	sigaction(SIGINT, &act, NULL);
	if (!strcmp(argv[1], "mark"))
		return frame_mark(o.sock, o.mark);
	if (!strcmp(argv[1], "rebind"))
		return frame_rebind(o.sock, &o.from);
	if (!strcmp(argv[1], "device"))
		return frame_device(o.sock, o.dev);
	if (!strcmp(argv[1], "ipsec"))
		return frame_ipsec(o.sock, o.encap);
	if (!strcmp(argv[1], "sniff"))
		return cmd_sniff();
	if (!o.from.family)
		errx(2, "from is needed");
	open_socket();
	if (!strcmp(argv[1], "recv") || !strcmp(argv[1], "serve"))
		return cmd_recv(!strcmp(argv[1], "serve"));
	if (!o.secret[o.key_id] && strcmp(argv[1], "bytes"))
		errx(2, "secret is needed");
	if (!o.to.family)
		errx(2, "to is needed");
	if (!strcmp(argv[1], "ping"))
		return cmd_ping();
	for (i = 0; i < ARRAY_SIZE(senders); i++) {
		if (strcmp(argv[1], senders[i].name))
			continue;
		senders[i].run();
		printf("sent=%llu\n", n.sent);
		return 0;
	}
	errx(2, "unknown command %s", argv[1]);
}
