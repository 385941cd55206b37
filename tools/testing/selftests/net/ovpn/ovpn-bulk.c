// SPDX-License-Identifier: GPL-2.0
/*
 * ovpn-bulk: a lot of bytes, of which each has to arrive as it was sent
 *
 * The receiver knows what comes: bytes are a function of a seed and of their
 * place. Over TCP it tells how many were right when the sender has done. Over
 * UDP the sender asks after each burst, so that nothing is lost for want of
 * room; a burst is one super-packet (UDP_SEGMENT). A flow may lose datagrams:
 * it goes on, at its rate, and asks at the end.
 */
#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define BURST_MAX	65000
#define FLOWS		64
#define SEQ_MAX		65536
#define PATIENCE	20
#define SILENCE		1	/* whoever is later than that does not come */

#define DATA		0x6f766461u
#define ASK		0x6f766173u
#define ANSWER		0x6f76616eu

static const char usage_text[] =
"usage: ovpn-bulk serve PORT           check what comes, over TCP and UDP\n"
"       ovpn-bulk tcp ADDR PORT BYTES\n"
"       ovpn-bulk udp ADDR PORT BYTES SIZE   datagrams with SIZE of payload\n"
"       ovpn-bulk flow ADDR PORT COUNT SIZE RATE   so many a second, until\n"
"                                            SIGINT; some may be lost\n";

/* in front of each datagram; an answer tells what has come of a flow */
struct head {
	uint32_t magic;
	uint32_t flow;
	uint32_t seq;
	uint32_t received;
	uint32_t bad;
	uint32_t doubled;
};

struct flow {
	uint32_t id;
	struct head answer;
	uint8_t seen[SEQ_MAX / 8];
};

static uint8_t buf[1 << 17], want[1 << 17];
static bool enough;

static uint64_t mix(uint64_t x)
{
	x += 0x9e3779b97f4a7c15;
	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
	x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
	return x ^ (x >> 31);
}

/* bytes from offset on of what belongs to a seed */
static void fill(uint8_t *to, uint64_t seed, uint64_t offset, size_t len)
{
	uint64_t word = mix(seed + offset / 8);
	size_t i;

	for (i = 0; i < len; i++, offset++) {
		if (!(offset % 8))
			word = mix(seed + offset / 8);
		to[i] = word >> (offset % 8 * 8);
	}
}

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec + ts.tv_nsec / 1e9;
}

static bool read_all(int fd, void *to, size_t len)
{
	size_t got = 0;
	ssize_t ret;

	while (got < len) {
		ret = read(fd, (uint8_t *)to + got, len - got);
		if (ret <= 0)
			return false;
		got += ret;
	}
	return true;
}

static void write_all(int fd, const void *from, size_t len)
{
	size_t done = 0;
	ssize_t ret;

	while (done < len) {
		ret = write(fd, (const uint8_t *)from + done, len - done);
		if (ret < 0)
			err(1, "write");
		done += ret;
	}
}

/* one connection: how many bytes were right, from the first one on */
static void serve_stream(int fd)
{
	uint64_t seed, good = 0;
	bool bad = false;
	ssize_t len, i;

	if (!read_all(fd, &seed, sizeof(seed)))
		return;
	while ((len = read(fd, buf, sizeof(buf))) > 0) {
		fill(want, seed, good, len);
		for (i = 0; !bad && i < len && buf[i] == want[i]; i++)
			good++;
		bad = bad || i < len;
	}
	write_all(fd, &good, sizeof(good));
}

static struct flow *find_flow(uint32_t id)
{
	static struct flow flows[FLOWS];
	static unsigned int next;
	struct flow *flow;
	unsigned int i;

	for (i = 0; i < FLOWS; i++)
		if (flows[i].id == id)
			return &flows[i];
	flow = &flows[next++ % FLOWS];
	memset(flow, 0, sizeof(*flow));
	flow->id = id;
	flow->answer.magic = ANSWER;
	flow->answer.flow = id;
	return flow;
}

static uint64_t datagram_seed(const struct head *head)
{
	return mix((uint64_t)head->flow << 32 | head->seq);
}

/* one datagram; true if it wants an answer, which is in *flow then */
static bool serve_datagram(const uint8_t *data, size_t len, struct flow **flow)
{
	struct head head;

	if (len < sizeof(head))
		return false;
	memcpy(&head, data, sizeof(head));
	*flow = find_flow(head.flow);
	if (head.magic == ASK)
		return true;

	fill(want, datagram_seed(&head), sizeof(head), len - sizeof(head));
	if (head.magic != DATA || head.seq >= SEQ_MAX ||
	    memcmp(data + sizeof(head), want, len - sizeof(head))) {
		(*flow)->answer.bad++;
		return false;
	}
	if ((*flow)->seen[head.seq / 8] & 1 << head.seq % 8) {
		(*flow)->answer.doubled++;
		return false;
	}
	(*flow)->seen[head.seq / 8] |= 1 << head.seq % 8;
	(*flow)->answer.received++;
	return false;
}

/* what recvmsg() says of the size of the datagrams that it returned at once */
static size_t gro_size(struct msghdr *msg, size_t len)
{
	struct cmsghdr *cmsg;
	int size;

	for (cmsg = CMSG_FIRSTHDR(msg); cmsg; cmsg = CMSG_NXTHDR(msg, cmsg)) {
		if (cmsg->cmsg_level != SOL_UDP || cmsg->cmsg_type != UDP_GRO)
			continue;
		memcpy(&size, CMSG_DATA(cmsg), sizeof(size));
		if (size > 0)
			return size;
	}
	return len;
}

static void serve_datagrams(int fd)
{
	struct sockaddr_storage ss;
	char control[64];
	struct flow *flow;
	size_t step, off;
	ssize_t len;

	while (1) {
		struct iovec iov = { .iov_base = buf, .iov_len = sizeof(buf) };
		struct msghdr msg = {
			.msg_name = &ss,
			.msg_namelen = sizeof(ss),
			.msg_iov = &iov,
			.msg_iovlen = 1,
			.msg_control = control,
			.msg_controllen = sizeof(control),
		};

		len = recvmsg(fd, &msg, 0);
		if (len <= 0)
			continue;
		step = gro_size(&msg, len);
		for (off = 0; off < (size_t)len; off += step) {
			if (len - off < step)
				step = len - off;
			if (serve_datagram(buf + off, step, &flow))
				sendto(fd, &flow->answer, sizeof(flow->answer),
				       0, (void *)&ss, msg.msg_namelen);
		}
	}
}

static pid_t child(void)
{
	pid_t pid = fork();

	if (pid < 0)
		err(1, "fork");
	if (!pid)
		prctl(PR_SET_PDEATHSIG, SIGKILL);
	return pid;
}

static int bound(int type, uint16_t port)
{
	struct sockaddr_in6 sin6 = {
		.sin6_family = AF_INET6,
		.sin6_port = htons(port),
	};
	int fd = socket(AF_INET6, type, 0), on = 1, off = 0, size = 16 << 20;

	if (fd < 0)
		err(1, "socket");
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off));
	if (type == SOCK_DGRAM) {
		setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size,
			   sizeof(size));
		setsockopt(fd, SOL_UDP, UDP_GRO, &on, sizeof(on));
	}
	if (bind(fd, (void *)&sin6, sizeof(sin6)))
		err(1, "bind");
	return fd;
}

static void serve(uint16_t port)
{
	int udp = bound(SOCK_DGRAM, port), tcp = bound(SOCK_STREAM, port), fd;

	signal(SIGCHLD, SIG_IGN);
	if (listen(tcp, 64))
		err(1, "listen");
	if (!child())
		serve_datagrams(udp);
	puts("ready");
	while (1) {
		fd = accept(tcp, NULL, NULL);
		if (fd < 0)
			continue;
		if (!child()) {
			serve_stream(fd);
			exit(0);
		}
		close(fd);
	}
}

static int connected(int type, const char *addr, uint16_t port)
{
	struct sockaddr_in sin = {
		.sin_family = AF_INET,
		.sin_port = htons(port),
	};
	struct sockaddr_in6 sin6 = {
		.sin6_family = AF_INET6,
		.sin6_port = htons(port),
	};
	bool v4 = inet_pton(AF_INET, addr, &sin.sin_addr) == 1;
	int fd;

	if (!v4 && inet_pton(AF_INET6, addr, &sin6.sin6_addr) != 1)
		errx(2, "bad address %s", addr);
	fd = socket(v4 ? AF_INET : AF_INET6, type, 0);
	if (fd < 0 || (v4 ? connect(fd, (void *)&sin, sizeof(sin)) :
			    connect(fd, (void *)&sin6, sizeof(sin6))))
		err(1, "connect to %s", addr);
	return fd;
}

/* writes of any size, now and then a pause that lets less than a segment go */
static int send_stream(int fd, uint64_t bytes)
{
	uint64_t seed = mix(getpid()), sent, good = 0;
	struct timeval patience = { .tv_sec = PATIENCE };
	size_t len;

	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
	write_all(fd, &seed, sizeof(seed));
	for (sent = 0; sent < bytes; sent += len) {
		len = 1 + mix(seed ^ sent) % sizeof(buf);
		if (len > bytes - sent)
			len = bytes - sent;
		fill(buf, seed, sent, len);
		write_all(fd, buf, len);
		if (mix(sent) % 8 == 0)
			usleep(2000);
	}
	shutdown(fd, SHUT_WR);
	if (!read_all(fd, &good, sizeof(good)))
		errx(1, "no answer");
	printf("sent=%llu good=%llu\n", (unsigned long long)sent,
	       (unsigned long long)good);
	return good != bytes;
}

/* datagrams from head.seq on, the last one of them shorter; how many bytes */
static size_t build_burst(struct head *head, size_t size, unsigned int count,
			  size_t last)
{
	size_t len, done = 0;

	while (count--) {
		len = count ? size : last;
		memcpy(buf + done, head, sizeof(*head));
		fill(buf + done + sizeof(*head), datagram_seed(head),
		     sizeof(*head), len - sizeof(*head));
		done += len;
		head->seq++;
	}
	return done;
}

static void send_burst(int fd, size_t len, uint16_t size)
{
	int on = size;

	/* the smaller the burst, the less there is to cut */
	if (len <= size)
		on = 0;
	if (setsockopt(fd, SOL_UDP, UDP_SEGMENT, &on, sizeof(on)))
		err(1, "UDP_SEGMENT");
	while (send(fd, buf, len, 0) != (ssize_t)len) {
		if (errno != ENOBUFS && errno != EAGAIN &&
		    errno != ECONNREFUSED)
			err(1, "send %zu of %d", len, on);
		usleep(1000);
	}
	on = 0;
	setsockopt(fd, SOL_UDP, UDP_SEGMENT, &on, sizeof(on));
}

/* until all have come, or PATIENCE is at an end */
static bool all_came(int fd, const struct head *sent, struct head *got)
{
	struct head ask = { .magic = ASK, .flow = sent->flow };
	struct pollfd p = { .fd = fd, .events = POLLIN };
	double until = now() + PATIENCE;
	struct head head;

	while (now() < until) {
		send(fd, &ask, sizeof(ask), 0);
		if (poll(&p, 1, 200) <= 0)
			continue;
		while (recv(fd, &head, sizeof(head), MSG_DONTWAIT) ==
		       sizeof(head))
			if (head.magic == ANSWER && head.flow == sent->flow)
				*got = head;
		if (got->received + got->bad >= sent->seq)
			return !got->bad && !got->doubled;
		usleep(2000);
	}
	return false;
}

static int send_datagrams(int fd, uint64_t bytes, size_t size)
{
	struct head head = { .magic = DATA, .flow = mix(getpid()) >> 32 };
	struct head got = {};
	uint64_t sent = 0, dice;
	unsigned int count;
	size_t len, last;
	bool ok = true;

	if (size <= sizeof(head) || size > BURST_MAX)
		errx(2, "bad size");
	while (ok && sent < bytes) {
		dice = mix(sent);
		count = BURST_MAX / size < 64 ? BURST_MAX / size : 64;
		if (dice & 1)
			count = 1 + (dice >> 8) % count;
		if (head.seq + count > SEQ_MAX)
			errx(2, "too many datagrams");
		last = size;
		if (dice & 2)
			last -= (dice >> 16) % (size - sizeof(head));
		len = build_burst(&head, size, count, last);
		send_burst(fd, len, size);
		sent += len;
		ok = all_came(fd, &head, &got);
	}
	printf("sent=%u received=%u bad=%u doubled=%u\n", head.seq,
	       got.received, got.bad, got.doubled);
	return !ok;
}

static void stop(int sig)
{
	(void)sig;
	__atomic_store_n(&enough, true, __ATOMIC_RELAXED);
}

/* until all have come, or no more do; false if PATIENCE ends without answer */
static bool what_came(int fd, const struct head *sent, struct head *got)
{
	struct head ask = { .magic = ASK, .flow = sent->flow };
	struct pollfd p = { .fd = fd, .events = POLLIN };
	double until = now() + PATIENCE, quiet = 0;
	struct head head;

	while (now() < until && got->received + got->bad < sent->seq &&
	       (!quiet || now() < quiet)) {
		send(fd, &ask, sizeof(ask), 0);
		poll(&p, 1, 50);
		while (recv(fd, &head, sizeof(head), MSG_DONTWAIT) ==
		       sizeof(head)) {
			if (head.magic != ANSWER || head.flow != sent->flow)
				continue;
			if (!quiet || head.received > got->received)
				quiet = now() + SILENCE;
			*got = head;
		}
		usleep(20000);
	}
	return quiet;
}

/* up to SEQ_MAX of them; how many that were, with what has come of them */
static bool send_flow_part(int fd, struct head *head, struct head *got,
			   unsigned int count, size_t size, double rate)
{
	double start = now(), ahead;
	unsigned int burst;
	size_t len;

	while (head->seq < count &&
	       !__atomic_load_n(&enough, __ATOMIC_RELAXED)) {
		burst = 1 + mix(head->seq ^ head->flow) % 16;
		if (burst > count - head->seq)
			burst = count - head->seq;
		len = build_burst(head, size, burst, size);
		send_burst(fd, len, size);
		ahead = start + head->seq / rate - now();
		if (ahead > 0)
			usleep(ahead * 1000000);
	}
	return !head->seq || what_came(fd, head, got);
}

static int send_flow(int fd, unsigned long count, size_t size, double rate)
{
	unsigned long sent = 0, received = 0, bad = 0, doubled = 0, part;
	bool ok = true;

	if (size <= sizeof(struct head) || size > BURST_MAX / 16 || rate <= 0)
		errx(2, "bad size or rate");
	signal(SIGINT, stop);
	for (part = 0; ok && sent < count &&
	     !__atomic_load_n(&enough, __ATOMIC_RELAXED); part++) {
		struct head head = {
			.magic = DATA,
			.flow = mix(getpid() + (part << 32)) >> 32,
		};
		struct head got = {};
		unsigned long left = count - sent;

		ok = send_flow_part(fd, &head, &got,
				    left < SEQ_MAX ? left : SEQ_MAX, size,
				    rate);
		sent += head.seq;
		received += got.received;
		bad += got.bad;
		doubled += got.doubled;
	}
	printf("sent=%lu received=%lu bad=%lu doubled=%lu\n", sent, received,
	       bad, doubled);
	return !ok || bad || doubled;
}

int main(int argc, char **argv)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	signal(SIGPIPE, SIG_IGN);
	if (argc == 3 && !strcmp(argv[1], "serve"))
		serve(atoi(argv[2]));
	if (argc == 5 && !strcmp(argv[1], "tcp"))
		return send_stream(connected(SOCK_STREAM, argv[2],
					     atoi(argv[3])),
				   strtoull(argv[4], NULL, 0));
	if (argc == 6 && !strcmp(argv[1], "udp"))
		return send_datagrams(connected(SOCK_DGRAM, argv[2],
						atoi(argv[3])),
				      strtoull(argv[4], NULL, 0),
				      strtoul(argv[5], NULL, 0));
	if (argc == 7 && !strcmp(argv[1], "flow"))
		return send_flow(connected(SOCK_DGRAM, argv[2], atoi(argv[3])),
				 strtoul(argv[4], NULL, 0),
				 strtoul(argv[5], NULL, 0), atof(argv[6]));
	fputs(usage_text, stderr);
	return 2;
}
