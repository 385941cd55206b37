// SPDX-License-Identifier: GPL-2.0
/*
 * ovpn-ping: echo requests of which none may be lost, for tests
 *
 * ping(8) gives the last requests no longer than twice the time that the
 * others took. Here each has the same time, however busy the machine is; and
 * what comes back must be what was sent.
 */
#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <netinet/ip_icmp.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define COUNT_MAX	65536

static const char usage_text[] =
"usage: ovpn-ping [OPTION...] ADDR\n"
"  -c COUNT, -i SEC (between two), -s SIZE, -I FROM, -M do (not fragment),\n"
"  -W SEC (the time that each has), -t (COUNT or more: on until SIGINT)\n";

static struct {
	const char *addr, *from;
	unsigned int count, size;
	double interval, patience;
	bool whole;
} o = { .count = 3, .size = 56, .interval = 0.05, .patience = 10 };

static struct {
	unsigned int sent, received, doubled, wrong;
	double slowest;
} n;

static bool enough = true, all_sent;
static unsigned char seen[COUNT_MAX];
static double sent_at[COUNT_MAX];
static unsigned char packet[65536 + 64];
static int family, fd;
static uint16_t id;

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec + ts.tv_nsec / 1e9;
}

static socklen_t parse_addr(const char *text, struct sockaddr_storage *ss)
{
	struct sockaddr_in6 *sin6 = (void *)ss;
	struct sockaddr_in *sin = (void *)ss;

	memset(ss, 0, sizeof(*ss));
	if (inet_pton(AF_INET, text, &sin->sin_addr) == 1) {
		ss->ss_family = AF_INET;
		return sizeof(*sin);
	}
	if (inet_pton(AF_INET6, text, &sin6->sin6_addr) != 1)
		errx(2, "bad address %s", text);
	ss->ss_family = AF_INET6;
	return sizeof(*sin6);
}

static void open_socket(void)
{
	int whole = IP_PMTUDISC_DO, size = 4 << 20;
	struct sockaddr_storage ss, from;
	socklen_t len;

	len = parse_addr(o.addr, &ss);
	family = ss.ss_family;
	fd = socket(family, SOCK_RAW, family == AF_INET ? IPPROTO_ICMP :
							  IPPROTO_ICMPV6);
	if (fd < 0)
		err(4, "raw socket");
	setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size));
	if (o.whole && family == AF_INET)
		setsockopt(fd, IPPROTO_IP, IP_MTU_DISCOVER, &whole,
			   sizeof(whole));
	else if (o.whole)
		setsockopt(fd, IPPROTO_IPV6, IPV6_MTU_DISCOVER, &whole,
			   sizeof(whole));
	if (o.from && bind(fd, (void *)&from, parse_addr(o.from, &from)))
		err(1, "%s", o.from);
	if (connect(fd, (void *)&ss, len))
		err(1, "%s", o.addr);
}

static unsigned char filling(unsigned int seq, unsigned int i)
{
	return seq * 7 + i;
}

static uint16_t checksum(const unsigned char *p, size_t len)
{
	uint32_t sum = 0;
	size_t i;

	for (i = 0; i + 1 < len; i += 2)
		sum += p[i] << 8 | p[i + 1];
	if (len & 1)
		sum += p[len - 1] << 8;
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return htons(~sum);
}

/* The two headers differ in their types, and in who makes the checksum */
static void send_one(unsigned int seq)
{
	struct icmphdr *icmp = (void *)packet;
	size_t len = sizeof(*icmp) + o.size;
	unsigned int i;

	memset(icmp, 0, sizeof(*icmp));
	icmp->type = family == AF_INET ? ICMP_ECHO : ICMP6_ECHO_REQUEST;
	icmp->un.echo.id = id;
	icmp->un.echo.sequence = htons(seq);
	for (i = 0; i < o.size; i++)
		packet[sizeof(*icmp) + i] = filling(seq, i);
	if (family == AF_INET)
		icmp->checksum = checksum(packet, len);
	sent_at[seq] = now();
	if (send(fd, packet, len, 0) != (ssize_t)len)
		err(1, "send");
	n.sent++;
}

static void receive_one(void)
{
	const struct iphdr *ip = (void *)packet;
	struct icmphdr *icmp = (void *)packet;
	ssize_t len = recv(fd, packet, sizeof(packet), MSG_DONTWAIT);
	unsigned int seq, i, size;
	double time;

	if (len < 0 && errno != EAGAIN && errno != EINTR)
		warn("recv");
	if (family == AF_INET && len > (ssize_t)sizeof(*ip)) {
		icmp = (void *)(packet + ip->ihl * 4);
		len -= ip->ihl * 4;
	}
	if (len < (ssize_t)sizeof(*icmp) || icmp->un.echo.id != id ||
	    icmp->type != (family == AF_INET ? ICMP_ECHOREPLY :
					       ICMP6_ECHO_REPLY))
		return;
	size = len - sizeof(*icmp);
	seq = ntohs(icmp->un.echo.sequence);
	time = now() - sent_at[seq];
	if (seq >= n.sent || seen[seq]) {
		n.doubled++;
		return;
	}
	seen[seq] = 1;
	n.received++;
	n.slowest = time > n.slowest ? time : n.slowest;
	for (i = 0; i < size && i < o.size; i++) {
		if (((unsigned char *)(icmp + 1))[i] != filling(seq, i))
			break;
	}
	n.wrong += i != o.size || size != o.size;
}

static bool receive_until(double until)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	double left = until - now();

	if (left <= 0 || (all_sent && n.received >= n.sent))
		return false;
	if (poll(&p, 1, left * 1000 + 1) > 0)
		receive_one();
	return true;
}

static void stop(int sig)
{
	(void)sig;
	__atomic_store_n(&enough, true, __ATOMIC_RELAXED);
}

static bool stopped(void)
{
	return __atomic_load_n(&enough, __ATOMIC_RELAXED);
}

static void parse_option(int c)
{
	switch (c) {
	case 't':
		enough = false;
		signal(SIGINT, stop);
		return;
	case 'c':
		o.count = atoi(optarg);
		return;
	case 'i':
		o.interval = atof(optarg);
		return;
	case 'I':
		o.from = optarg;
		return;
	case 'M':
		o.whole = !strcmp(optarg, "do");
		return;
	case 's':
		o.size = atoi(optarg);
		return;
	case 'W':
		o.patience = atof(optarg);
		return;
	}
	fputs(usage_text, stderr);
	exit(2);
}

static void parse(int argc, char **argv)
{
	int c;

	while ((c = getopt(argc, argv, "c:i:I:M:s:tW:")) != -1)
		parse_option(c);
	if (optind != argc - 1 || !o.count || o.count > COUNT_MAX ||
	    o.size > 65507) {
		fputs(usage_text, stderr);
		exit(2);
	}
	o.addr = argv[optind];
}

int main(int argc, char **argv)
{
	unsigned int seq;
	double start;

	parse(argc, argv);
	open_socket();
	id = getpid();
	start = now();
	for (seq = 0; seq < COUNT_MAX && (seq < o.count || !stopped()); seq++) {
		while (receive_until(start + seq * o.interval))
			;
		send_one(seq);
	}
	all_sent = true;
	while (receive_until(sent_at[n.sent - 1] + o.patience))
		;
	printf("sent=%u received=%u doubled=%u wrong=%u slowest=%.1f ms\n",
	       n.sent, n.received, n.doubled, n.wrong, n.slowest * 1000);
	for (seq = 0; seq < n.sent && n.received < n.sent; seq++)
		if (!seen[seq])
			printf("no answer to number %u\n", seq);
	return n.received < n.sent || n.doubled || n.wrong;
}
