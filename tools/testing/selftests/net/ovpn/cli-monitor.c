// SPDX-License-Identifier: GPL-2.0-only
/* What the kernel says by itself: notifications, and the policy it enforces */
#include <errno.h>
#include <poll.h>
#include <time.h>

#include "ovpn-cli.h"

#define MAX_POLICIES	64
#define MAX_ATTRS	64
#define MAX_OPS		32
#define NO_POLICY	UINT32_MAX

/* One limit or property of one attribute, as the kernel dumps it */
struct policy_attr {
	bool present;
	uint32_t type;
	bool has_range, has_length, has_mask;
	int64_t min, max;
	uint64_t umin, umax, mask;
	bool is_signed;
	uint32_t min_len, max_len;
	uint32_t nested;
};

struct policy_dump {
	struct policy_attr attr[MAX_POLICIES][MAX_ATTRS];
	uint32_t do_policy[MAX_OPS];
	uint32_t dump_policy[MAX_OPS];
	uint32_t op_flags[MAX_OPS];
	uint32_t version, hdrsize, maxattr;
};

static struct policy_dump dump;

static void notification(const struct nlmsghdr *nlh)
{
	const struct genlmsghdr *genl = mnl_nlmsg_get_payload(nlh);
	const char *sep = " ";

	if (genl->cmd <= OVPN_CMD_MAX)
		fputs(ovpn_cmd_names[genl->cmd], stdout);
	else
		printf("command-%u", genl->cmd);
	attr_print(stdout, mnl_nlmsg_get_payload_offset(nlh, GENL_HDRLEN),
		   mnl_nlmsg_get_payload_len(nlh) - GENL_HDRLEN, &ovpn_attrs,
		   &sep);
	putchar('\n');
	fflush(stdout);
}

static int64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000LL + ts.tv_nsec / 1000000;
}

/* Print what comes until @count or @deadline; returns how many are missing */
static unsigned int listen_until(struct mnl_socket *nl, uint16_t family,
				 unsigned int count, int64_t deadline)
{
	_Alignas(8) char buf[NL_BUF_SIZE];

	while (count) {
		struct pollfd pfd = { mnl_socket_get_fd(nl), POLLIN, 0 };
		int64_t left = deadline ? deadline - now_ms() : -1;
		const struct nlmsghdr *nlh = (const void *)buf;
		int got;

		if (deadline && left <= 0)
			break;
		if (poll(&pfd, 1, left) <= 0)
			continue;
		got = mnl_socket_recvfrom(nl, buf, sizeof(buf));
		if (got < 0) {
			fail("%s", strerror(errno));
			continue;
		}
		for (; count && mnl_nlmsg_ok(nlh, got);
		     nlh = mnl_nlmsg_next(nlh, &got))
			if (nlh->nlmsg_type == family) {
				notification(nlh);
				count--;
			}
	}
	return count;
}

int cmd_listen(struct args *a)
{
	unsigned int count = UINT32_MAX;
	struct mnl_socket *nl;
	int64_t deadline = 0;
	uint16_t family;
	uint32_t group;
	int group_id;

	if (arg_is(a, "count"))
		count = arg_number(a, "count", UINT32_MAX);
	if (arg_is(a, "timeout"))
		deadline = now_ms() +
			   1000 * arg_number(a, "timeout", 86400);
	arg_end(a);

	if (genl_family(&family, &group))
		return 1;
	nl = nl_open(NETLINK_GENERIC);
	group_id = group;
	if (!nl || mnl_socket_setsockopt(nl, NETLINK_ADD_MEMBERSHIP, &group_id,
					 sizeof(group_id)) < 0)
		return fail("group %s: %s", OVPN_MCGRP_PEERS, strerror(errno));
	fputs("listening\n", stderr);

	/* without a count the end of the time is what is waited for */
	if (listen_until(nl, family, count, deadline) && count != UINT32_MAX)
		return fail("%s", strerror(ETIMEDOUT));
	return 0;
}

static const char *policy_type(uint32_t type)
{
	static const char *const names[] = {
		[NL_ATTR_TYPE_INVALID] = "invalid",
		[NL_ATTR_TYPE_FLAG] = "flag",
		[NL_ATTR_TYPE_U8] = "u8",
		[NL_ATTR_TYPE_U16] = "u16",
		[NL_ATTR_TYPE_U32] = "u32",
		[NL_ATTR_TYPE_U64] = "u64",
		[NL_ATTR_TYPE_S8] = "s8",
		[NL_ATTR_TYPE_S16] = "s16",
		[NL_ATTR_TYPE_S32] = "s32",
		[NL_ATTR_TYPE_S64] = "s64",
		[NL_ATTR_TYPE_BINARY] = "binary",
		[NL_ATTR_TYPE_STRING] = "string",
		[NL_ATTR_TYPE_NUL_STRING] = "nul-string",
		[NL_ATTR_TYPE_NESTED] = "nested",
		[NL_ATTR_TYPE_NESTED_ARRAY] = "nested-array",
		[NL_ATTR_TYPE_BITFIELD32] = "bitfield32",
		[NL_ATTR_TYPE_BITFIELD32 + 1] = "sint",
		[NL_ATTR_TYPE_BITFIELD32 + 2] = "uint",
	};

	return type < MNL_ARRAY_SIZE(names) && names[type] ? names[type] : "?";
}

static void take_policy_attr(struct policy_attr *p, const struct nlattr *nest)
{
	const struct nlattr *attr;

	p->present = true;
	p->nested = NO_POLICY;
	mnl_attr_for_each_nested(attr, nest) {
		switch (mnl_attr_get_type(attr)) {
		case NL_POLICY_TYPE_ATTR_TYPE:
			p->type = mnl_attr_get_u32(attr);
			break;
		case NL_POLICY_TYPE_ATTR_MIN_VALUE_S:
			p->is_signed = true;
			p->has_range = true;
			p->min = mnl_attr_get_u64(attr);
			break;
		case NL_POLICY_TYPE_ATTR_MAX_VALUE_S:
			p->max = mnl_attr_get_u64(attr);
			break;
		case NL_POLICY_TYPE_ATTR_MIN_VALUE_U:
			p->has_range = true;
			p->umin = mnl_attr_get_u64(attr);
			break;
		case NL_POLICY_TYPE_ATTR_MAX_VALUE_U:
			p->umax = mnl_attr_get_u64(attr);
			break;
		case NL_POLICY_TYPE_ATTR_MIN_LENGTH:
			p->has_length = true;
			p->min_len = mnl_attr_get_u32(attr);
			break;
		case NL_POLICY_TYPE_ATTR_MAX_LENGTH:
			p->has_length = true;
			p->max_len = mnl_attr_get_u32(attr);
			break;
		case NL_POLICY_TYPE_ATTR_MASK:
			p->has_mask = true;
			p->mask = mnl_attr_get_u64(attr);
			break;
		case NL_POLICY_TYPE_ATTR_POLICY_IDX:
			p->nested = mnl_attr_get_u32(attr);
			break;
		}
	}
}

static void take_policies(const struct nlattr *top)
{
	const struct nlattr *policy, *attr;

	mnl_attr_for_each_nested(policy, top) {
		unsigned int idx = mnl_attr_get_type(policy);

		mnl_attr_for_each_nested(attr, policy) {
			unsigned int nr = mnl_attr_get_type(attr);

			if (idx < MAX_POLICIES && nr < MAX_ATTRS)
				take_policy_attr(&dump.attr[idx][nr], attr);
		}
	}
}

static void take_op_policies(const struct nlattr *top)
{
	const struct nlattr *op, *attr;

	mnl_attr_for_each_nested(op, top) {
		unsigned int cmd = mnl_attr_get_type(op);

		if (cmd >= MAX_OPS)
			continue;
		mnl_attr_for_each_nested(attr, op) {
			if (mnl_attr_get_type(attr) == CTRL_ATTR_POLICY_DO)
				dump.do_policy[cmd] = mnl_attr_get_u32(attr);
			if (mnl_attr_get_type(attr) == CTRL_ATTR_POLICY_DUMP)
				dump.dump_policy[cmd] = mnl_attr_get_u32(attr);
		}
	}
}

static void policy_reply(const struct nlmsghdr *nlh, void *data)
{
	const struct nlattr *attr;

	mnl_attr_for_each(attr, nlh, sizeof(struct genlmsghdr)) {
		if (mnl_attr_get_type(attr) == CTRL_ATTR_POLICY)
			take_policies(attr);
		if (mnl_attr_get_type(attr) == CTRL_ATTR_OP_POLICY)
			take_op_policies(attr);
	}
}

static void take_ops(const struct nlattr *ops)
{
	const struct nlattr *op, *attr;

	mnl_attr_for_each_nested(op, ops) {
		uint32_t id = 0, flags = 0;

		mnl_attr_for_each_nested(attr, op) {
			if (mnl_attr_get_type(attr) == CTRL_ATTR_OP_ID)
				id = mnl_attr_get_u32(attr);
			if (mnl_attr_get_type(attr) == CTRL_ATTR_OP_FLAGS)
				flags = mnl_attr_get_u32(attr);
		}
		if (id < MAX_OPS)
			dump.op_flags[id] = flags;
	}
}

static void ops_reply(const struct nlmsghdr *nlh, void *data)
{
	const struct nlattr *attr;

	mnl_attr_for_each(attr, nlh, sizeof(struct genlmsghdr)) {
		switch (mnl_attr_get_type(attr)) {
		case CTRL_ATTR_VERSION:
			dump.version = mnl_attr_get_u32(attr);
			break;
		case CTRL_ATTR_HDRSIZE:
			dump.hdrsize = mnl_attr_get_u32(attr);
			break;
		case CTRL_ATTR_MAXATTR:
			dump.maxattr = mnl_attr_get_u32(attr);
			break;
		case CTRL_ATTR_OPS:
			take_ops(attr);
			break;
		}
	}
}

/* One policy, with those nested in it: their numbers mean nothing, so the
 * text does not depend on the order in which the kernel met them
 */
static void print_policy(uint32_t idx, const struct attr_table *names,
			 int depth)
{
	unsigned int nr;

	for (nr = 0; nr < MAX_ATTRS && idx < MAX_POLICIES; nr++) {
		const struct policy_attr *p = &dump.attr[idx][nr];
		const struct attr_def *def = attr_lookup(names, nr);

		if (!p->present)
			continue;
		printf("%*s%u %s %s", 2 * depth, "", nr,
		       def ? def->name : "-", policy_type(p->type));
		if (p->has_range && p->is_signed)
			printf(" %lld..%lld", (long long)p->min,
			       (long long)p->max);
		else if (p->has_range)
			printf(" %llu..%llu", (unsigned long long)p->umin,
			       (unsigned long long)p->umax);
		if (p->has_length)
			printf(" length %u..%u", p->min_len, p->max_len);
		if (p->has_mask)
			printf(" mask %llx", (unsigned long long)p->mask);
		putchar('\n');
		if (p->nested != NO_POLICY && depth < 8)
			print_policy(p->nested, def ? def->nest : NULL,
				     depth + 1);
	}
}

static void print_op(unsigned int cmd)
{
	static const struct {
		uint32_t flag;
		const char *name;
	} flags[] = {
		{ GENL_ADMIN_PERM, "admin-perm" },
		{ GENL_CMD_CAP_DO, "do" },
		{ GENL_CMD_CAP_DUMP, "dump" },
		{ GENL_CMD_CAP_HASPOL, "policy" },
		{ GENL_UNS_ADMIN_PERM, "uns-admin-perm" },
	};
	const char *name = cmd <= OVPN_CMD_MAX ? ovpn_cmd_names[cmd] : "-";
	size_t i;

	printf("%u %s flags", cmd, name);
	for (i = 0; i < MNL_ARRAY_SIZE(flags); i++)
		if (dump.op_flags[cmd] & flags[i].flag)
			printf(" %s", flags[i].name);
	putchar('\n');
	if (dump.do_policy[cmd] != NO_POLICY) {
		printf("%u %s do\n", cmd, name);
		print_policy(dump.do_policy[cmd], &ovpn_attrs, 1);
	}
	if (dump.dump_policy[cmd] != NO_POLICY) {
		printf("%u %s dump\n", cmd, name);
		print_policy(dump.dump_policy[cmd], &ovpn_attrs, 1);
	}
}

/* The controller tells about a family by its number */
static int ask_controller(uint8_t cmd, uint16_t flags, reply_fn reply)
{
	static struct request req;
	uint16_t family;

	if (genl_family(&family, NULL) || genl_request(&req, cmd, flags))
		return 1;
	req.nlh->nlmsg_type = GENL_ID_CTRL;
	req.attrs = NULL;
	mnl_attr_put_u16(req.nlh, CTRL_ATTR_FAMILY_ID, family);
	return genl_transact(&req, reply, NULL);
}

int cmd_policy(struct args *a)
{
	unsigned int cmd;

	arg_end(a);
	memset(dump.do_policy, 0xff, sizeof(dump.do_policy));
	memset(dump.dump_policy, 0xff, sizeof(dump.dump_policy));
	if (ask_controller(CTRL_CMD_GETFAMILY, 0, ops_reply) ||
	    ask_controller(CTRL_CMD_GETPOLICY, NLM_F_DUMP, policy_reply))
		return 1;

	printf("family %s version %u header %u\n", OVPN_FAMILY_NAME,
	       dump.version, dump.hdrsize);
	for (cmd = 0; cmd < MAX_OPS; cmd++)
		if (dump.op_flags[cmd])
			print_op(cmd);
	return 0;
}
