// SPDX-License-Identifier: GPL-2.0-only
/*
 * Operations for which memory lacks: at the first allocation, at the second one
 * and so on, until there are no more. What then fails has changed nothing, what
 * succeeds has come about, and all of it goes in time.
 */
#include <errno.h>
#include <fcntl.h>
#include <libmnl/libmnl.h>
#include <linux/genetlink.h>
#include <linux/ovpn.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <unistd.h>

#include "stress.h"

/* More allocations than any operation makes */
#define FAULTS_MAX	3000

#define VIEW_ROOM	512

/* All that user space sees of the device, and has not happened by itself */
struct view {
	bool module, device;
	size_t peer_len, key_len[2];
	uint8_t peer[VIEW_ROOM], key[2][VIEW_ROOM];
};

/**
 * struct trial - an operation that is to meet faults
 * @name: what it is called
 * @run: do it; returns 0 or a number of errno
 * @before: what has to be done to the stage first, or NULL
 * @done: has it come about?
 * @errors: what it may return
 * @bare: needs no stage
 */
struct trial {
	const char *name;
	int (*run)(struct actor *me);
	void (*before)(struct actor *me);
	bool (*done)(struct actor *me, const struct view *now,
		     const struct view *was);
	const int *errors;
	bool bare;
};

static struct stage stage;
static struct actor actor;
static const struct trial *trial;
static char module[1 << 24];
static size_t module_size;
static int nth_file;
static uint64_t sent;

/* out of memory; the reply may be lost for want of it, too */
static const int memory_errors[] = { ENOMEM, ENOBUFS, 0 };

/* the name of a device that finds no room is invalid, says the driver core */
static const int link_errors[] = { ENOMEM, ENOBUFS, EINVAL, 0 };

/* what cannot be sent now may be tried again */
static const int tx_errors[] = { ENOMEM, ENOBUFS, EAGAIN, 0 };

static void fail_nth(unsigned int n)
{
	char text[16];
	int len = snprintf(text, sizeof(text), "%u", n);

	if (pwrite(nth_file, text, len, 0) != len)
		die("fail-nth: %s", strerror(errno));
}

/* Has it happened? */
static bool fail_nth_came(void)
{
	char text[16] = "";

	if (pread(nth_file, text, sizeof(text) - 1, 0) <= 0)
		die("fail-nth: %s", strerror(errno));
	fail_nth(0);
	return !atoi(text);
}

/* Attributes that packets and time do not change */
static void view_peer(const struct nlmsghdr *nlh, void *data)
{
	const struct nlattr *nest, *attr;
	struct view *view = data;
	unsigned int type;

	mnl_attr_for_each(nest, nlh, GENL_HDRLEN) {
		if (mnl_attr_get_type(nest) != OVPN_A_PEER)
			continue;
		mnl_attr_for_each_nested(attr, nest) {
			type = mnl_attr_get_type(attr);
			if (type >= OVPN_A_PEER_VPN_RX_BYTES &&
			    type <= OVPN_A_PEER_LINK_TX_PACKETS)
				continue;
			if (view->peer_len + attr->nla_len > VIEW_ROOM)
				die("a peer is too large");
			memcpy(view->peer + view->peer_len, attr,
			       attr->nla_len);
			view->peer_len += attr->nla_len;
		}
	}
}

struct view_key {
	struct view *view;
	unsigned int slot;
};

static void view_key(const struct nlmsghdr *nlh, void *data)
{
	size_t len = mnl_nlmsg_get_payload_len(nlh);
	struct view_key *key = data;

	if (len > VIEW_ROOM)
		die("a key is too large");
	memcpy(key->view->key[key->slot], mnl_nlmsg_get_payload(nlh), len);
	key->view->key_len[key->slot] = len;
}

static void look(struct view *view)
{
	struct view_key key = { view };
	int error;

	memset(view, 0, sizeof(*view));
	view->module = !access("/sys/module/ovpn", F_OK);
	stage.ifindex = stage_index(&actor);
	view->device = stage.ifindex;
	if (!view->device)
		return;
	error = nl_peer_get(&actor, view_peer, view);
	if (error && error != ENOENT)
		die("peer-get: %s", strerror(error));
	for (key.slot = 0; key.slot < 2; key.slot++) {
		error = nl_key_get(&actor, key.slot, view_key, &key);
		if (error && error != ENOENT)
			die("key-get: %s", strerror(error));
	}
}

static bool equal(const struct view *a, const struct view *b)
{
	return !memcmp(a, b, sizeof(*a));
}

static bool same(struct actor *me, const struct view *now,
		 const struct view *was)
{
	return equal(now, was);
}

static bool other(struct actor *me, const struct view *now,
		  const struct view *was)
{
	return !equal(now, was);
}

static bool peer_is(struct actor *me, const struct view *now,
		    const struct view *was)
{
	return now->peer_len;
}

static bool peer_is_gone(struct actor *me, const struct view *now,
			 const struct view *was)
{
	return now->device && !now->peer_len;
}

static bool key_is(struct actor *me, const struct view *now,
		   const struct view *was)
{
	return now->key_len[1];
}

static bool key_is_gone(struct actor *me, const struct view *now,
			const struct view *was)
{
	return !now->key_len[1] && now->key_len[0];
}

static bool device_is(struct actor *me, const struct view *now,
		      const struct view *was)
{
	return now->device;
}

static bool device_is_gone(struct actor *me, const struct view *now,
			   const struct view *was)
{
	return !now->device;
}

static void without_peer(struct actor *me)
{
	if (nl_peer_del(me))
		die("peer-del");
	me->stage->gone |= GONE_PEER;
}

static void without_key(struct actor *me)
{
	if (nl_key_del(me, 1))
		die("key-del");
	me->stage->gone |= GONE_KEYS;
}

static void without_device(struct actor *me)
{
	if (nl_link_del(me, me->route, 0))
		die("link-del");
	me->stage->gone |= GONE_DEV;
}

static void spoil_peer(struct actor *me)
{
	me->stage->gone |= GONE_PEER;
}

static void spoil_keys(struct actor *me)
{
	me->stage->gone |= GONE_KEYS;
}

static void spoil_device(struct actor *me)
{
	me->stage->gone |= GONE_DEV;
}

static int do_peer_new(struct actor *me)
{
	struct sockaddr_in remote;

	remote_of(me->stage->far, &remote);
	return nl_peer_new(me, me->stage->sock,
			   me->stage->tcp ? NULL : &remote);
}

static int do_peer_set(struct actor *me)
{
	struct sockaddr_in remote;

	if (!me->stage->tcp)
		remote_of(me->stage->other[0], &remote);
	return nl_peer_set(me, me->stage->tcp ? NULL : &remote, VPN_MOVED,
			   VPN_MOVED, 100, 1000);
}

static int do_key_new(struct actor *me)
{
	return nl_key_new(me, 1, 3);
}

static int do_key_del(struct actor *me)
{
	return nl_key_del(me, 1);
}

static int do_link_new(struct actor *me)
{
	return nl_link_new(me, me->stage->mp);
}

static int do_link_del(struct actor *me)
{
	return nl_link_del(me, me->route, me->stage->ifindex);
}

static int do_dump(struct actor *me)
{
	return op_find("dump")->run(me);
}

/* The program's own packet on a connection, whole or not at all */
static int do_control(struct actor *me)
{
	static const uint8_t record[] = { 0, 5, 0x20, 1, 2, 3, 4 };

	if (!me->stage->tcp)
		return 0;
	return send(me->stage->sock, record, sizeof(record),
		    MSG_DONTWAIT | MSG_NOSIGNAL) < 0 ? errno : 0;
}

static bool control_came(struct actor *me, const struct view *now,
			 const struct view *was)
{
	struct timeval tv = { .tv_sec = 10 };
	uint8_t buf[64];

	if (!me->stage->tcp)
		return true;
	setsockopt(me->stage->far, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv));
	return recv(me->stage->far, buf, sizeof(buf), 0) == 7;
}

static void count_sent(struct actor *me)
{
	if (nl_link_sent(me, &sent))
		die("no counters");
}

static void before_tx(struct actor *me)
{
	stage_alive(me->stage, me);
	count_sent(me);
}

static int do_tx(struct actor *me)
{
	return op_find("tx")->run(me);
}

/*
 * The stack has taken two packets and one of three segments: they were sent, or
 * counted as dropped; a super-packet in front of the device counts once. Over
 * TCP they may still be waiting.
 */
static bool is_counted(struct actor *me, const struct view *now,
		       const struct view *was)
{
	uint64_t before = sent;

	count_sent(me);
	if (me->stage->tcp || (sent - before >= 3 && sent - before <= 5))
		return true;
	printf("counted=%llu\n", (unsigned long long)(sent - before));
	return false;
}

static void unload(struct actor *me)
{
	if (syscall(SYS_delete_module, "ovpn", 0) && errno != ENOENT)
		die("rmmod: %s", strerror(errno));
	me->stage->gone |= GONE_ALL | GONE_MODULE;
}

/* Of a file that lacks the memory to be read, the kernel complains aloud */
static int do_load(struct actor *me)
{
	return syscall(SYS_init_module, module, module_size, "") ? errno : 0;
}

static bool is_loaded(struct actor *me, const struct view *now,
		      const struct view *was)
{
	return now->module;
}

static const struct trial trials[] = {
	{ "peer-new", do_peer_new, without_peer, peer_is, memory_errors },
	{ "peer-set", do_peer_set, spoil_peer, other, memory_errors },
	{ "peer-del", nl_peer_del, spoil_peer, peer_is_gone, memory_errors },
	{ "key-new", do_key_new, without_key, key_is, memory_errors },
	{ "key-swap", nl_key_swap, spoil_keys, other, memory_errors },
	{ "key-del", do_key_del, spoil_keys, key_is_gone, memory_errors },
	{ "dump", do_dump, NULL, same, memory_errors },
	{ "tx", do_tx, before_tx, is_counted, tx_errors },
	{ "control", do_control, NULL, control_came, tx_errors },
	{ "link-new", do_link_new, without_device, device_is, link_errors },
	{ "link-del", do_link_del, spoil_device, device_is_gone,
	  memory_errors },
	{ "load", do_load, unload, is_loaded, memory_errors, .bare = true },
	{ }
};

static bool may_return(int error)
{
	const int *may;

	for (may = trial->errors; *may; may++)
		if (*may == error)
			return true;
	return !error;
}

static void judge(unsigned int nth, int error, const struct view *was)
{
	struct view now;

	look(&now);
	if (!may_return(error))
		die("%s, fault %u: %s", trial->name, nth, strerror(error));
	if (!error && !trial->done(&actor, &now, was))
		die("%s, fault %u: it has not come about", trial->name, nth);
	/* the reply was lost, so nobody can tell */
	if (error == ENOBUFS)
		return;
	if (error && !equal(&now, was))
		die("%s, fault %u: %s, but something has changed", trial->name,
		    nth, strerror(error));
}

static void read_module(void)
{
	FILE *pipe = popen("cat $(modinfo -n ovpn)", "r");

	if (!pipe)
		die("popen: %s", strerror(errno));
	module_size = fread(module, 1, sizeof(module), pipe);
	if (!module_size || module_size == sizeof(module))
		die("the module cannot be read");
	pclose(pipe);
}

/* No packets but ours */
static void without_ipv6(void)
{
	int fd;

	stage.inet6 = false;
	fd = open("/proc/sys/net/ipv6/conf/default/disable_ipv6", O_WRONLY);

	if (fd < 0)
		return;
	if (write(fd, "1", 1) != 1)
		die("disable_ipv6: %s", strerror(errno));
	close(fd);
}

static void on_limit(int sig)
{
	die("%s is stuck", trial->name);
}

/* One fault; false if it did not come any more */
static bool fault(unsigned int nth, unsigned int limit, int *error)
{
	struct view was;
	bool came;

	alarm(limit);
	actor.op = NULL;
	if (!trial->bare)
		stage_build(&stage, &actor, &actor);
	if (trial->before)
		trial->before(&actor);
	look(&was);
	fail_nth(nth);
	*error = trial->run(&actor);
	came = fail_nth_came();
	judge(nth, *error, &was);
	if (!*error)
		return came;
	/* each part of the stage goes in time, and comes again; and so do our
	 * sockets, in which an answer may still be under way
	 */
	stage.gone |= GONE_ALL;
	actor_close(&actor);
	actor_open(&actor, &stage);
	return came;
}

int fault_main(const char *name, bool tcp, bool mp, unsigned int limit)
{
	unsigned int nth, failed = 0;
	double start = now();
	int error;

	for (trial = trials; trial->name && strcmp(trial->name, name); trial++)
		;
	if (!trial->name)
		return 2;
	nth_file = open("/proc/thread-self/fail-nth", O_RDWR | O_CLOEXEC);
	if (nth_file < 0)
		return 4;
	if (trial->bare)
		read_module();
	signal(SIGALRM, on_limit);
	frame_start();
	stage.tcp = tcp;
	stage.mp = mp;
	stage_open(&stage);
	without_ipv6();
	actor_open(&actor, &stage);
	for (nth = 1; fault(nth, limit, &error); nth++) {
		failed += !!error;
		if (nth == FAULTS_MAX)
			die("%s: no end of allocations", name);
	}
	if (error)
		die("%s: %s without a fault", name, strerror(error));
	stage_works(&stage, &actor);
	stage_close(&stage, &actor);
	printf("%s: faults=%u failed=%u slowest-del-ms=%.0f seconds=%.1f\n",
	       name, nth - 1, failed, stage.slowest * 1000, now() - start);
	return 0;
}
