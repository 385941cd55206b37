// SPDX-License-Identifier: GPL-2.0-only
/* Netlink requests, their answers, and errors told with the kernel's words */
#include <errno.h>
#include <sys/socket.h>
#include <sys/time.h>

#include "ovpn-cli.h"

/* Teardown may wait for grace periods, but not this long */
#define ANSWER_TIMEOUT_SEC	60

struct mnl_socket *nl_open(int bus)
{
	struct timeval tv = { .tv_sec = ANSWER_TIMEOUT_SEC };
	struct mnl_socket *nl = mnl_socket_open2(bus, SOCK_CLOEXEC);
	int on = 1;

	if (!nl)
		return NULL;
	mnl_socket_setsockopt(nl, NETLINK_EXT_ACK, &on, sizeof(on));
	/* errors need not repeat the request: it is still here */
	mnl_socket_setsockopt(nl, NETLINK_CAP_ACK, &on, sizeof(on));
	setsockopt(mnl_socket_get_fd(nl), SOL_SOCKET, SO_RCVTIMEO, &tv,
		   sizeof(tv));
	if (mnl_socket_bind(nl, 0, MNL_SOCKET_AUTOPID) < 0) {
		mnl_socket_close(nl);
		return NULL;
	}
	return nl;
}

/* Write the dotted path of the attribute that starts at @offset; *table
 * becomes the table of what is nested in it
 */
static bool attr_path(FILE *to, const struct request *req, uint32_t offset,
		      const struct attr_table **table)
{
	const char *base = (const char *)req->nlh;
	const char *sep = "";
	size_t start = NLMSG_HDRLEN + NLMSG_ALIGN(req->hdrlen);
	size_t end = req->nlh->nlmsg_len;
	bool found = false;

	*table = req->attrs;
	while (!found && start + sizeof(struct nlattr) <= end) {
		const struct nlattr *attr = (const void *)(base + start);
		const struct attr_def *def;
		size_t next = start + MNL_ALIGN(attr->nla_len);

		if (offset >= next && attr->nla_len >= sizeof(*attr)) {
			start = next;
			continue;
		}
		def = attr_lookup(*table, mnl_attr_get_type(attr));
		if (def)
			fprintf(to, "%s%s", sep, def->name);
		else
			fprintf(to, "%s%u", sep, mnl_attr_get_type(attr));
		sep = ".";
		found = offset == start;
		*table = def ? def->nest : NULL;
		end = start + attr->nla_len;
		start += MNL_ATTR_HDRLEN;
	}
	return found;
}

static void explain_missing(FILE *to, const struct request *req,
			    const struct nlattr *nest, uint32_t type)
{
	const struct attr_table *table = req->attrs;
	const struct attr_def *def;

	fputs(" (missing ", to);
	if (nest && attr_path(to, req, mnl_attr_get_u32(nest), &table))
		fputc('.', to);
	def = attr_lookup(table, type);
	if (def)
		fprintf(to, "%s)", def->name);
	else
		fprintf(to, "%u)", type);
}

/* Tell an error with all that the kernel says about it */
static int explain(const struct request *req, int error,
		   const struct nlmsghdr *nlh, size_t skip)
{
	const struct nlattr *tlv[NLMSGERR_ATTR_MAX + 1] = {};
	const struct attr_table *table;
	const struct nlattr *attr;
	char text[1024] = "";
	FILE *to;

	if (nlh->nlmsg_flags & NLM_F_ACK_TLVS)
		mnl_attr_for_each(attr, nlh, skip)
			if (mnl_attr_get_type(attr) <= NLMSGERR_ATTR_MAX)
				tlv[mnl_attr_get_type(attr)] = attr;

	to = fmemopen(text, sizeof(text), "w");
	if (!to)
		return fail("%s", strerror(error));
	if (tlv[NLMSGERR_ATTR_MSG])
		fprintf(to, ": %s", mnl_attr_get_str(tlv[NLMSGERR_ATTR_MSG]));
	if (tlv[NLMSGERR_ATTR_OFFS]) {
		fputs(" (attribute ", to);
		attr_path(to, req, mnl_attr_get_u32(tlv[NLMSGERR_ATTR_OFFS]),
			  &table);
		fputc(')', to);
	}
	if (tlv[NLMSGERR_ATTR_MISS_TYPE])
		explain_missing(to, req, tlv[NLMSGERR_ATTR_MISS_NEST],
				mnl_attr_get_u32(tlv[NLMSGERR_ATTR_MISS_TYPE]));
	fclose(to);
	return fail("%s%s", strerror(error), text);
}

/* Returns 0 to read on, 1 at the good end, 2 after an error */
static int take_message(const struct request *req, const struct nlmsghdr *nlh,
			reply_fn reply, void *data)
{
	const struct nlmsgerr *err;
	const int *done;

	if (nlh->nlmsg_seq != req->nlh->nlmsg_seq)
		return 0;

	switch (nlh->nlmsg_type) {
	case NLMSG_ERROR:
		err = mnl_nlmsg_get_payload(nlh);
		if (!err->error)
			return 1;
		explain(req, -err->error, nlh, sizeof(*err));
		return 2;
	case NLMSG_DONE:
		done = mnl_nlmsg_get_payload(nlh);
		if (mnl_nlmsg_get_payload_len(nlh) < sizeof(*done) ||
		    *done >= 0)
			return 1;
		explain(req, -*done, nlh, sizeof(*done));
		return 2;
	default:
		if (reply)
			reply(nlh, data);
		return 0;
	}
}

/* Send @req, hand each answer to @reply. Returns an exit status. */
int nl_transact(int bus, struct request *req, reply_fn reply, void *data)
{
	_Alignas(8) char buf[NL_BUF_SIZE];
	struct mnl_socket *nl = nl_open(bus);
	int state = 0;

	if (!nl)
		return fail("netlink socket: %s", strerror(errno));

	req->nlh->nlmsg_seq = 1;
	if (mnl_socket_sendto(nl, req->nlh, req->nlh->nlmsg_len) < 0) {
		fail("netlink send: %s", strerror(errno));
		state = 2;
	}

	while (!state) {
		ssize_t got = mnl_socket_recvfrom(nl, buf, sizeof(buf));
		const struct nlmsghdr *nlh = (const void *)buf;
		int left = got;

		if (got < 0) {
			fail("netlink receive: %s", strerror(errno));
			state = 2;
		}
		for (; !state && mnl_nlmsg_ok(nlh, left);
		     nlh = mnl_nlmsg_next(nlh, &left))
			state = take_message(req, nlh, reply, data);
	}

	mnl_socket_close(nl);
	return state == 1 ? 0 : 1;
}

static void genl_begin(struct request *req, uint16_t family, uint8_t cmd,
		       uint16_t flags)
{
	struct genlmsghdr *genl;

	req->nlh = mnl_nlmsg_put_header(req->buf);
	req->nlh->nlmsg_type = family;
	req->nlh->nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK | flags;
	req->hdrlen = sizeof(*genl);
	genl = mnl_nlmsg_put_extra_header(req->nlh, sizeof(*genl));
	genl->cmd = cmd;
	genl->version = OVPN_FAMILY_VERSION;
}

struct family_ids {
	uint16_t id;
	uint32_t group;
};

static void family_group(const struct nlattr *groups, struct family_ids *ids)
{
	const struct nlattr *group, *attr;

	mnl_attr_for_each_nested(group, groups) {
		const char *name = "";
		uint32_t id = 0;

		mnl_attr_for_each_nested(attr, group) {
			if (mnl_attr_get_type(attr) == CTRL_ATTR_MCAST_GRP_NAME)
				name = mnl_attr_get_str(attr);
			if (mnl_attr_get_type(attr) == CTRL_ATTR_MCAST_GRP_ID)
				id = mnl_attr_get_u32(attr);
		}
		if (!strcmp(name, OVPN_MCGRP_PEERS))
			ids->group = id;
	}
}

static void family_reply(const struct nlmsghdr *nlh, void *data)
{
	struct family_ids *ids = data;
	const struct nlattr *attr;

	mnl_attr_for_each(attr, nlh, sizeof(struct genlmsghdr)) {
		if (mnl_attr_get_type(attr) == CTRL_ATTR_FAMILY_ID)
			ids->id = mnl_attr_get_u16(attr);
		if (mnl_attr_get_type(attr) == CTRL_ATTR_MCAST_GROUPS)
			family_group(attr, ids);
	}
}

/* The numbers of the family; asking for them makes the kernel load the module.
 * Returns an exit status.
 */
int genl_family(uint16_t *id, uint32_t *group)
{
	static struct family_ids ids;
	static struct request req;

	if (!ids.id) {
		genl_begin(&req, GENL_ID_CTRL, CTRL_CMD_GETFAMILY, 0);
		mnl_attr_put_strz(req.nlh, CTRL_ATTR_FAMILY_NAME,
				  OVPN_FAMILY_NAME);
		if (nl_transact(NETLINK_GENERIC, &req, family_reply, &ids) ||
		    !ids.id)
			return fail("no netlink family \"%s\" (CONFIG_OVPN)",
				    OVPN_FAMILY_NAME);
	}
	*id = ids.id;
	if (group)
		*group = ids.group;
	return 0;
}

/* Begin a request of the ovpn family; returns an exit status */
int genl_request(struct request *req, uint8_t cmd, uint16_t flags)
{
	uint16_t family;

	if (genl_family(&family, NULL))
		return 1;
	genl_begin(req, family, cmd, flags);
	req->attrs = &ovpn_attrs;
	return 0;
}

int genl_transact(struct request *req, reply_fn reply, void *data)
{
	return nl_transact(NETLINK_GENERIC, req, reply, data);
}
