// SPDX-License-Identifier: GPL-2.0
/*
 * Send UDP packets in bursts, no faster than they come out somewhere else
 *
 * usage: burst NETNS DEVICE ADDRESS SIZE
 *
 * Packets of SIZE bytes (with the IP header) go to ADDRESS, 64 of them with one
 * system call. What has arrived is what DEVICE in the network namespace NETNS
 * (a path) has sent on. At most WINDOW packets are on their way, so that none
 * need be dropped and no time goes into those that are.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <err.h>
#include <fcntl.h>
#include <netinet/udp.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#ifndef UDP_SEGMENT
#define UDP_SEGMENT	103
#endif

#define WINDOW		256
#define BURST		64
#define HEADERS		28
#define MAX_PAYLOAD	65000
#define PATIENCE	0.2

static const char *device;
static int counters;

static void open_counters(const char *netns)
{
	int home = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
	int there = open(netns, O_RDONLY | O_CLOEXEC);

	if (home < 0 || there < 0 || setns(there, CLONE_NEWNET))
		err(1, "%s", netns);
	counters = open("/proc/thread-self/net/dev", O_RDONLY | O_CLOEXEC);
	if (counters < 0 || setns(home, CLONE_NEWNET))
		err(1, "/proc/net/dev");
	close(home);
	close(there);
}

/* Packets that the device has sent */
static unsigned long arrived(void)
{
	static char text[8192];
	unsigned long packets;
	ssize_t len;
	char *line;

	len = pread(counters, text, sizeof(text) - 1, 0);
	if (len <= 0)
		err(1, "/proc/net/dev");
	text[len] = 0;
	line = strstr(text, device);
	/* eight values of what was received, then bytes and packets sent */
	if (!line || sscanf(line + strlen(device),
			    ": %*u %*u %*u %*u %*u %*u %*u %*u %*u %lu",
			    &packets) != 1)
		errx(1, "no device %s", device);
	return packets;
}

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec + ts.tv_nsec * 1e-9;
}

/* Room for one more burst; what is long overdue counts as lost */
static unsigned long wait_for_room(unsigned long sent, int burst,
				   unsigned long *lost)
{
	unsigned long packets = arrived(), last = packets;
	double since = now();

	while (sent - *lost - packets > (unsigned long)(WINDOW - burst)) {
		sched_yield();
		packets = arrived();
		if (packets != last) {
			last = packets;
			since = now();
		} else if (now() - since > PATIENCE) {
			*lost = sent - packets;
		}
	}
	return packets;
}

int main(int argc, char **argv)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(9) };
	static char payload[MAX_PAYLOAD];
	unsigned long sent, lost = 0;
	int fd, size, burst;

	if (argc != 5)
		errx(2, "usage: burst NETNS DEVICE ADDRESS SIZE");
	device = argv[2];
	size = atoi(argv[4]) - HEADERS;
	if (size < 1 || size > 1500 ||
	    inet_pton(AF_INET, argv[3], &to.sin_addr) != 1)
		errx(2, "bad address or size");
	burst = MAX_PAYLOAD / size < BURST ? MAX_PAYLOAD / size : BURST;

	open_counters(argv[1]);
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || connect(fd, (void *)&to, sizeof(to)) ||
	    setsockopt(fd, IPPROTO_UDP, UDP_SEGMENT, &size, sizeof(size)))
		err(1, "socket");
	for (sent = arrived();; sent += burst) {
		wait_for_room(sent, burst, &lost);
		if (send(fd, payload, (size_t)size * burst, 0) < 0)
			err(1, "send");
	}
}
