// SPDX-License-Identifier: GPL-2.0-only
/* The stage: built as far as it was spoiled */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "stress.h"

/* What takes that long will not come, in seconds; the stage waits for it. A
 * machine may be OVPN_SLOW times slower.
 */
#define PATIENCE	20

#define TALE		"tale"

static struct actor elsewhere;

double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec + ts.tv_nsec / 1e9;
}

void die(const char *fmt, ...)
{
	va_list ap;

	printf("FAIL: ");
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	putchar('\n');
	fflush(stdout);
	_exit(1);
}

static int patience(void)
{
	const char *word = getenv("OVPN_SLOW");
	int slow = word ? atoi(word) : 1;

	return PATIENCE * (slow > 0 ? slow : 1);
}

static void must(int error, const char *what)
{
	if (error)
		die("%s: %s", what, strerror(error));
}

/* A connection ends with a reset, so that nothing of it is left */
void close_hard(int *fd)
{
	struct linger hard = { .l_onoff = 1 };

	if (*fd < 0)
		return;
	setsockopt(*fd, SOL_SOCKET, SO_LINGER, &hard, sizeof(hard));
	close(*fd);
	*fd = -1;
}

static int loopback(int type)
{
	struct sockaddr_in addr = {
		.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);

	if (fd < 0 || bind(fd, (void *)&addr, sizeof(addr)))
		die("socket: %s", strerror(errno));
	return fd;
}

void remote_of(int fd, struct sockaddr_in *addr)
{
	socklen_t len = sizeof(*addr);

	if (getsockname(fd, (void *)addr, &len))
		die("getsockname: %s", strerror(errno));
}

/* The address of a host in the tunnel, and the port that nobody reads */
socklen_t vpn_addr(struct sockaddr_storage *addr, uint32_t host, bool inet6)
{
	struct sockaddr_in6 *in6 = (void *)addr;
	struct sockaddr_in *in = (void *)addr;

	memset(addr, 0, sizeof(*addr));
	if (inet6) {
		in6->sin6_family = AF_INET6;
		in6->sin6_port = htons(9);
		in6->sin6_addr.s6_addr[0] = 0xfd;
		in6->sin6_addr.s6_addr[1] = 0x08;
		in6->sin6_addr.s6_addr[15] = host;
		return sizeof(*in6);
	}
	in->sin_family = AF_INET;
	in->sin_port = htons(9);
	in->sin_addr.s_addr = htonl(host);
	return sizeof(*in);
}

static void connect_to(int fd, int to)
{
	struct sockaddr_in addr;

	remote_of(to, &addr);
	if (connect(fd, (void *)&addr, sizeof(addr)))
		die("connect: %s", strerror(errno));
}

static void stage_pair(struct stage *st, int *sock, int *far)
{
	if (!st->tcp) {
		*sock = loopback(SOCK_DGRAM);
		*far = loopback(SOCK_DGRAM);
		connect_to(*far, *sock);
		return;
	}
	*far = loopback(SOCK_STREAM);
	connect_to(*far, st->listener);
	*sock = accept4(st->listener, NULL, NULL, SOCK_CLOEXEC);
	if (*sock < 0)
		die("accept: %s", strerror(errno));
}

/* The process that only keeps a descriptor; it shares our memory */
static int keep(void *arg)
{
	int *sock = arg;

	syscall(SYS_prctl, PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	if (*sock)
		syscall(SYS_close_range, 0, *sock - 1, 0);
	syscall(SYS_close_range, *sock + 1, ~0u, 0);
	__atomic_store_n(sock, -1, __ATOMIC_RELEASE);
	for (;;)
		syscall(SYS_ppoll, NULL, 0, NULL, NULL, 0);
	return 0;
}

/* Leave the socket to a process of its own, which can be killed */
static void stage_give_away(struct stage *st)
{
	static _Alignas(16) char stack[16384];
	int sock = st->sock;

	st->owner = clone(keep, stack + sizeof(stack), CLONE_VM | SIGCHLD,
			  &sock);
	if (st->owner < 0)
		die("clone: %s", strerror(errno));
	while (__atomic_load_n(&sock, __ATOMIC_ACQUIRE) >= 0)
		sched_yield();
	if (st->flags & KEEPS)
		return;
	close(st->sock);
	st->sock = -1;
}

static void stage_take_back(struct stage *st)
{
	if (!st->owner)
		return;
	kill(st->owner, SIGKILL);
	waitpid(st->owner, NULL, 0);
	st->owner = 0;
}

static void stage_sockets(struct stage *st)
{
	unsigned int i;

	stage_take_back(st);
	close_hard(&st->sock);
	close_hard(&st->far);
	stage_pair(st, &st->sock, &st->far);
	for (i = 0; i < 2; i++) {
		close_hard(&st->other[i]);
		if (st->tcp)
			continue;
		st->other[i] = loopback(SOCK_DGRAM);
		connect_to(st->other[i], st->sock);
	}
}

static void stage_spare(struct stage *st)
{
	close_hard(&st->spare);
	close_hard(&st->spare_far);
	stage_pair(st, &st->spare, &st->spare_far);
}

static int open_ns(void)
{
	int fd = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		die("namespace: %s", strerror(errno));
	return fd;
}

static void enter_ns(int fd)
{
	if (setns(fd, CLONE_NEWNET))
		die("setns: %s", strerror(errno));
}

/* A namespace for the device, and those who work on it there */
static void stage_ns(struct stage *st, struct actor *first,
		     struct actor *second)
{
	double until = now() + patience();

	actor_close(first);
	actor_close(second);
	if (st->ns >= 0)
		close(st->ns);
	/* the end of the last one takes its time */
	while (if_nametoindex(TALE)) {
		if (now() > until)
			die("a namespace does not end");
		usleep(1000);
	}
	if (unshare(CLONE_NEWNET))
		die("unshare: %s", strerror(errno));
	st->ns = open_ns();
	actor_open(first, st);
	actor_open(second, st);
	must(nl_tell_tale(first, TALE, st->home), "veth");
	enter_ns(st->home);
}

/* The index of the device, or 0 if there is none */
unsigned int stage_index(struct actor *me)
{
	struct ifreq ifr = { .ifr_name = DEV };

	return ioctl(me->inner, SIOCGIFINDEX, &ifr) ? 0 : ifr.ifr_ifindex;
}

static void stage_device(struct stage *st, struct actor *me)
{
	double start = now();
	int error;

	if (stage_index(me)) {
		error = nl_link_del(me, me->route, 0);
		must(error == ENODEV ? 0 : error, "link-del");
	}
	if (now() - start > st->slowest)
		st->slowest = now() - start;
	nl_link_del(&elsewhere, elsewhere.route, 0);
	must(nl_link_new(me, st->mp), "link-new");
	st->ifindex = stage_index(me);
	must(nl_link_up(me, true), "up");
	must(nl_address(me), "address");
}

static void stage_peer(struct stage *st, struct actor *me)
{
	double until = now() + patience();
	struct sockaddr_in remote;
	int error;

	error = nl_peer_del(me);
	must(error == ENOENT ? 0 : error, "peer-del");
	remote_of(st->far, &remote);
	/* a device that is going still has the socket */
	do {
		error = nl_peer_new(me, st->sock, st->tcp ? NULL : &remote);
		if (error == EBUSY)
			usleep(1000);
	} while (error == EBUSY && now() < until);
	must(error, "peer-new");
}

static void stage_keys(struct actor *me)
{
	must(nl_key_new(me, 0, 0), "primary key-new");
	must(nl_key_new(me, 1, 1), "secondary key-new");
}

static void drain(int fd)
{
	char buf[2048];

	while (fd >= 0 && recv(fd, buf, sizeof(buf), MSG_DONTWAIT) > 0)
		;
}

/* All kinds in turn, as there are three frames */
static unsigned int frame_kind(const struct stage *st, unsigned int i)
{
	return (st->tcp ? FRAME_TCP : 0) |
	       (st->inet6 && st->pkt_id & 1 ? FRAME_INET6 : 0) |
	       (st->mp && i == FRAMES - 1 ? FRAME_UNDEF : 0);
}

static void actor_prepare(struct actor *me)
{
	struct stage *st = me->stage;
	unsigned int i;

	for (i = 0; me->op && me->op->flags & FRAME && i < FRAMES; i++)
		me->frame_len[i] = frame_make(me->frame[i], ++st->pkt_id,
					      frame_kind(st, i));
	if (st->flags & IN_NS && me->op && me->op->flags & OUTSIDE)
		actor_close(me);
}

static void loopback_up(void)
{
	struct ifreq ifr = { .ifr_name = "lo", .ifr_flags = IFF_UP };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (ioctl(fd, SIOCSIFFLAGS, &ifr))
		die("lo: %s", strerror(errno));
	close(fd);
}

/* Once at the start, in the network namespace of the process */
void stage_open(struct stage *st)
{
	st->sock = -1;
	st->far = -1;
	st->spare = -1;
	st->spare_far = -1;
	st->other[0] = -1;
	st->other[1] = -1;
	st->ns = -1;
	st->gone = GONE_ALL;
	st->inet6 = !access("/proc/sys/net/ipv6", F_OK);

	if (unshare(CLONE_NEWNET))
		die("unshare: %s", strerror(errno));
	st->away = open_ns();
	actor_open(&elsewhere, st);
	if (unshare(CLONE_NEWNET))
		die("unshare: %s", strerror(errno));
	st->home = open_ns();
	loopback_up();
	st->listener = loopback(SOCK_STREAM);
	if (listen(st->listener, 16))
		die("listen: %s", strerror(errno));
}

void actor_open(struct actor *me, struct stage *st)
{
	me->stage = st;
	me->genl = nl_socket(NETLINK_GENERIC);
	me->route = nl_socket(NETLINK_ROUTE);
	me->inner = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK,
			   0);
	me->inner6 = socket(AF_INET6,
			    SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (me->genl < 0 || me->route < 0 || me->inner < 0 ||
	    (st->inet6 && me->inner6 < 0))
		die("socket: %s", strerror(errno));
}

void actor_close(struct actor *me)
{
	int *fd[] = { &me->genl, &me->route, &me->inner, &me->inner6 };
	unsigned int i;

	for (i = 0; i < 4; i++) {
		if (*fd[i] >= 0)
			close(*fd[i]);
		*fd[i] = -1;
	}
}

/* Everything in its place for the operations of the two */
void stage_build(struct stage *st, struct actor *first, struct actor *second)
{
	if (st->gone & GONE_DEV || st->owner)
		st->gone |= GONE_PEER;
	if (st->owner || (st->tcp && st->gone & GONE_PEER))
		st->gone |= GONE_SOCK;
	if (st->gone & GONE_SOCK)
		st->gone |= GONE_PEER;
	if (st->gone & GONE_PEER)
		st->gone |= GONE_KEYS;

	if (st->flags & IN_NS)
		stage_ns(st, first, second);
	if (st->gone & GONE_MODULE && access("/sys/module/ovpn", F_OK) &&
	    system("modprobe ovpn"))
		die("modprobe");
	if (st->gone & GONE_MODULE || !st->pkt_id)
		must(nl_find_family(first), "family");
	if (st->gone & GONE_DEV)
		stage_device(st, first);
	/* it goes with each "down" */
	if (st->inet6)
		must(nl_address6(first), "IPv6 address");
	if (st->gone & GONE_SOCK)
		stage_sockets(st);
	if (st->flags & SPARE && (st->spare < 0 || st->gone & GONE_PEER))
		stage_spare(st);
	if (st->gone & GONE_PEER)
		stage_peer(st, first);
	if (st->gone & GONE_KEYS)
		stage_keys(first);
	if (st->flags & OWNED)
		stage_give_away(st);
	st->gone = 0;

	drain(st->far);
	drain(st->spare_far);
	if (st->flags & TIMED) {
		must(nl_peer_set(first, NULL, 0, 0, 1, 1), "peer-set");
		st->due = now() + 1;
	}
	actor_prepare(first);
	actor_prepare(second);
}

/* Does something come, without a long wait? */
static bool readable(int fd)
{
	struct pollfd p = { fd, POLLIN, 0 };

	return poll(&p, 1, 20) > 0;
}

/* Wait for a packet on @fd; which bit pattern does its first byte have? */
static int first_byte(int fd)
{
	struct timeval tv = { .tv_sec = patience() };
	uint8_t buf[2048];
	ssize_t got;

	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv));
	got = recv(fd, buf, sizeof(buf), 0);
	return got > 0 ? buf[0] : -1;
}

static void stage_alive_one(struct stage *st, struct actor *me, bool inet6)
{
	int in = socket(inet6 ? AF_INET6 : AF_INET, SOCK_DGRAM | SOCK_CLOEXEC,
			0);
	double until = now() + patience();
	struct sockaddr_storage addr;
	uint8_t frame[FRAME_ROOM];
	unsigned int kind = 0;
	socklen_t addr_len;
	size_t len;

	drain(st->far);
	addr_len = vpn_addr(&addr, VPN_THEIRS, inet6);
	/* the core takes up to a second to notice that there is a carrier */
	do {
		if (sendto(inet6 ? me->inner6 : me->inner, "out", 3, 0,
			   (void *)&addr, addr_len) != 3)
			die("send into the tunnel: %s", strerror(errno));
		if (now() > until)
			die("nothing came out of the tunnel");
	} while (!readable(st->far));
	vpn_addr(&addr, VPN_OURS, inet6);
	if (bind(in, (void *)&addr, addr_len))
		die("bind: %s", strerror(errno));
	/* and a little to take packets for a new IPv6 address */
	while (inet6 && !readable(in)) {
		if (sendto(in, "own", 3, 0, (void *)&addr, addr_len) != 3 ||
		    now() > until)
			die("no way to our own address");
	}
	drain(in);
	if (st->tcp)
		kind |= FRAME_TCP;
	if (inet6)
		kind |= FRAME_INET6;
	/* then its address tells who it is, which it does over UDP */
	if (inet6 && st->mp && !st->tcp)
		kind |= FRAME_UNDEF;
	len = frame_make(frame, ++st->pkt_id, kind);
	if (send(st->far, frame, len, MSG_NOSIGNAL) != (ssize_t)len)
		die("send to the device: %s", strerror(errno));
	if (first_byte(in) < 0)
		die("nothing came in through the tunnel (IPv%d, %s, %s)",
		    inet6 ? 6 : 4, st->tcp ? "TCP" : "UDP",
		    st->mp ? "mp" : "p2p");
	close(in);
}

/* The stage works as it is: a packet goes out, and one comes in */
void stage_alive(struct stage *st, struct actor *me)
{
	stage_alive_one(st, me, false);
	if (st->inet6)
		stage_alive_one(st, me, true);
}

/* A new one works, too */
void stage_works(struct stage *st, struct actor *me)
{
	st->flags = 0;
	st->gone |= GONE_ALL;
	me->op = NULL;
	stage_build(st, me, me);
	stage_alive(st, me);
}

/* Nothing is left of it, in time */
void stage_close(struct stage *st, struct actor *me)
{
	double start = now();

	must(nl_link_del(me, me->route, 0), "link-del");
	if (stage_index(me))
		die("the device is still there");
	if (now() - start > patience())
		die("the device took %.1f s to go", now() - start);
	nl_link_del(&elsewhere, elsewhere.route, 0);
	stage_take_back(st);
	close_hard(&st->sock);
	close_hard(&st->far);
	close_hard(&st->spare);
	close_hard(&st->spare_far);
	close_hard(&st->other[0]);
	close_hard(&st->other[1]);
	st->gone = GONE_ALL;
}
