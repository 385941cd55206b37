// SPDX-License-Identifier: GPL-2.0-only
/* Links, peers and keys */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <net/if.h>

#include "keyexp.h"
#include "ovpn-cli.h"

#define PEER_ID_MAX	UINT32_MAX	/* the kernel checks, not we */

static struct request req;

/* The index of a device, or any number as it is */
unsigned int iface_index(const char *name)
{
	unsigned int index = if_nametoindex(name);
	char *end;

	if (index)
		return index;
	index = strtoul(name, &end, 10);
	if (!*name || *end) {
		fail("no such device: %s", name);
		exit(1);
	}
	return index;
}

static struct ifinfomsg *link_begin(uint16_t type, uint16_t flags)
{
	req.nlh = mnl_nlmsg_put_header(req.buf);
	req.nlh->nlmsg_type = type;
	req.nlh->nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK | flags;
	req.hdrlen = sizeof(struct ifinfomsg);
	req.attrs = &link_attrs;
	return mnl_nlmsg_put_extra_header(req.nlh, sizeof(struct ifinfomsg));
}

static void put_link_data(struct args *a)
{
	const struct attr_table *info = link_attrs.def[IFLA_LINKINFO].nest;
	struct nlattr *nest, *data;

	nest = mnl_attr_nest_start(req.nlh, IFLA_LINKINFO);
	mnl_attr_put_strz(req.nlh, IFLA_INFO_KIND, OVPN_FAMILY_NAME);
	if (a->argc) {
		const struct attr_table *names = info->def[IFLA_INFO_DATA].nest;

		data = mnl_attr_nest_start(req.nlh, IFLA_INFO_DATA);
		if (arg_is(a, "mode")) {
			char spec[64];

			snprintf(spec, sizeof(spec), "mode=%s",
				 arg_next(a, "MODE"));
			attr_put_spec(req.nlh, names, spec);
		} else if (arg_is(a, "data")) {
			while (a->argc)
				attr_put_spec(req.nlh, names,
					      arg_next(a, "ATTR"));
		}
		mnl_attr_nest_end(req.nlh, data);
	}
	mnl_attr_nest_end(req.nlh, nest);
	arg_end(a);
}

int cmd_link_new(struct args *a)
{
	const char *name = arg_next(a, "IFACE");

	link_begin(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL);
	if (strcmp(name, "-"))
		mnl_attr_put_strz(req.nlh, IFLA_IFNAME, name);
	put_link_data(a);
	return nl_transact(NETLINK_ROUTE, &req, NULL, NULL);
}

int cmd_link_set(struct args *a)
{
	unsigned int index = iface_index(arg_next(a, "IFACE"));

	link_begin(RTM_NEWLINK, 0)->ifi_index = index;
	put_link_data(a);
	return nl_transact(NETLINK_ROUTE, &req, NULL, NULL);
}

static void link_reply(const struct nlmsghdr *nlh, void *data)
{
	const struct ifinfomsg *ifi = mnl_nlmsg_get_payload(nlh);
	const struct nlattr *attr;
	const char *sep = " ";

	printf("ifindex=%d type=%u flags=0x%x", ifi->ifi_index, ifi->ifi_type,
	       ifi->ifi_flags);
	mnl_attr_for_each(attr, nlh, sizeof(*ifi)) {
		if (mnl_attr_get_type(attr) == IFLA_IFNAME)
			printf(" ifname=%s", mnl_attr_get_str(attr));
		if (mnl_attr_get_type(attr) == IFLA_LINKINFO)
			attr_print(stdout, mnl_attr_get_payload(attr),
				   mnl_attr_get_payload_len(attr),
				   link_attrs.def[IFLA_LINKINFO].nest, &sep);
	}
	putchar('\n');
}

int cmd_link_get(struct args *a)
{
	unsigned int index = iface_index(arg_next(a, "IFACE"));

	arg_end(a);
	link_begin(RTM_GETLINK, 0)->ifi_index = index;
	return nl_transact(NETLINK_ROUTE, &req, link_reply, NULL);
}

int cmd_link_del(struct args *a)
{
	unsigned int index = iface_index(arg_next(a, "IFACE"));

	arg_end(a);
	link_begin(RTM_DELLINK, 0)->ifi_index = index;
	return nl_transact(NETLINK_ROUTE, &req, NULL, NULL);
}

/* Begin "CMD IFACE" of the ovpn family */
static int ovpn_begin(uint8_t cmd, uint16_t flags, struct args *a)
{
	unsigned int index = iface_index(arg_next(a, "IFACE"));

	if (genl_request(&req, cmd, flags))
		return 1;
	mnl_attr_put_u32(req.nlh, OVPN_A_IFINDEX, index);
	return 0;
}

static void ovpn_reply(const struct nlmsghdr *nlh, void *data)
{
	size_t len = mnl_nlmsg_get_payload_len(nlh) - GENL_HDRLEN;
	const char *sep = "";

	attr_print(stdout, mnl_nlmsg_get_payload_offset(nlh, GENL_HDRLEN), len,
		   &ovpn_attrs, &sep);
	putchar('\n');
}

static void put_id(struct args *a, uint16_t nr)
{
	if (!arg_is(a, "id"))
		usage_error("id N is missing");
	mnl_attr_put_u32(req.nlh, nr, arg_number(a, "id", PEER_ID_MAX));
}

static void put_address(const char *addr, uint16_t v4, uint16_t v6)
{
	struct in6_addr in6;
	struct in_addr in;

	if (inet_pton(AF_INET, addr, &in) == 1)
		mnl_attr_put_u32(req.nlh, v4, in.s_addr);
	else if (inet_pton(AF_INET6, addr, &in6) == 1)
		mnl_attr_put(req.nlh, v6, sizeof(in6), &in6);
	else
		usage_error("bad address: %s", addr);
}

static void put_remote(struct args *a)
{
	put_address(arg_next(a, "ADDR"), OVPN_A_PEER_REMOTE_IPV4,
		    OVPN_A_PEER_REMOTE_IPV6);
	mnl_attr_put_u16(req.nlh, OVPN_A_PEER_REMOTE_PORT,
			 htons(arg_number(a, "PORT", UINT16_MAX)));
	if (arg_is(a, "scope"))
		mnl_attr_put_u32(req.nlh, OVPN_A_PEER_REMOTE_IPV6_SCOPE_ID,
				 iface_index(arg_next(a, "DEV")));
}

static void put_peer_option(struct args *a)
{
	if (arg_is(a, "sock"))
		mnl_attr_put_u32(req.nlh, OVPN_A_PEER_SOCKET,
				 socket_fetch(arg_next(a, "PATH")));
	else if (arg_is(a, "tx-id"))
		mnl_attr_put_u32(req.nlh, OVPN_A_PEER_TX_ID,
				 arg_number(a, "tx-id", PEER_ID_MAX));
	else if (arg_is(a, "remote"))
		put_remote(a);
	else if (arg_is(a, "vpn4"))
		put_address(arg_next(a, "vpn4"), OVPN_A_PEER_VPN_IPV4,
			    OVPN_A_PEER_VPN_IPV6);
	else if (arg_is(a, "vpn6"))
		put_address(arg_next(a, "vpn6"), OVPN_A_PEER_VPN_IPV4,
			    OVPN_A_PEER_VPN_IPV6);
	else if (arg_is(a, "local"))
		put_address(arg_next(a, "local"), OVPN_A_PEER_LOCAL_IPV4,
			    OVPN_A_PEER_LOCAL_IPV6);
	else if (arg_is(a, "interval"))
		mnl_attr_put_u32(req.nlh, OVPN_A_PEER_KEEPALIVE_INTERVAL,
				 arg_number(a, "interval", UINT32_MAX));
	else if (arg_is(a, "timeout"))
		mnl_attr_put_u32(req.nlh, OVPN_A_PEER_KEEPALIVE_TIMEOUT,
				 arg_number(a, "timeout", UINT32_MAX));
	else
		arg_end(a);
}

static int peer_command(struct args *a, uint8_t cmd)
{
	struct nlattr *nest;

	if (ovpn_begin(cmd, 0, a))
		return 1;
	nest = mnl_attr_nest_start(req.nlh, OVPN_A_PEER);
	put_id(a, OVPN_A_PEER_ID);
	while (a->argc)
		put_peer_option(a);
	mnl_attr_nest_end(req.nlh, nest);
	return genl_transact(&req, ovpn_reply, NULL);
}

int cmd_peer_new(struct args *a)
{
	return peer_command(a, OVPN_CMD_PEER_NEW);
}

int cmd_peer_set(struct args *a)
{
	return peer_command(a, OVPN_CMD_PEER_SET);
}

int cmd_peer_del(struct args *a)
{
	return peer_command(a, OVPN_CMD_PEER_DEL);
}

int cmd_peer_get(struct args *a)
{
	if (a->argc > 1)
		return peer_command(a, OVPN_CMD_PEER_GET);
	if (ovpn_begin(OVPN_CMD_PEER_GET, NLM_F_DUMP, a))
		return 1;
	return genl_transact(&req, ovpn_reply, NULL);
}

/* A nest with one direction's half of the secret */
static void put_direction(uint16_t nr, const char *secret, unsigned int dir,
			  size_t key_len)
{
	struct nlattr *nest = mnl_attr_nest_start(req.nlh, nr);
	uint8_t tail[KEYEXP_TAIL_LEN];
	uint8_t key[KEYEXP_KEY_MAX];

	keyexp_bytes(secret, dir, "key", key, key_len);
	keyexp_bytes(secret, dir, "tail", tail, sizeof(tail));
	mnl_attr_put(req.nlh, OVPN_A_KEYDIR_CIPHER_KEY, key_len, key);
	mnl_attr_put(req.nlh, OVPN_A_KEYDIR_NONCE_TAIL, sizeof(tail), tail);
	mnl_attr_nest_end(req.nlh, nest);
}

struct key_options {
	unsigned int bits;
	int dir;
	const char *secret;
};

static void put_key_option(struct args *a, struct key_options *opt)
{
	const struct attr_table *names = ovpn_attrs.def[OVPN_A_KEYCONF].nest;
	char spec[64];

	if (arg_is(a, "slot")) {
		snprintf(spec, sizeof(spec), "slot=%s", arg_next(a, "slot"));
		attr_put_spec(req.nlh, names, spec);
	} else if (arg_is(a, "cipher")) {
		snprintf(spec, sizeof(spec), "cipher-alg=%s",
			 arg_next(a, "cipher"));
		attr_put_spec(req.nlh, names, spec);
	} else if (arg_is(a, "key-id")) {
		mnl_attr_put_u32(req.nlh, OVPN_A_KEYCONF_KEY_ID,
				 arg_number(a, "key-id", UINT32_MAX));
	} else if (arg_is(a, "bits")) {
		opt->bits = arg_number(a, "bits", 8 * KEYEXP_KEY_MAX);
	} else if (arg_is(a, "secret")) {
		opt->secret = arg_next(a, "secret");
	} else if (arg_is(a, "dir")) {
		opt->dir = arg_number(a, "dir", 1);
	} else {
		arg_end(a);
	}
}

static int key_command(struct args *a, uint8_t cmd)
{
	struct key_options opt = { .bits = 256 };
	struct nlattr *nest;

	if (ovpn_begin(cmd, 0, a))
		return 1;
	nest = mnl_attr_nest_start(req.nlh, OVPN_A_KEYCONF);
	put_id(a, OVPN_A_KEYCONF_PEER_ID);
	while (a->argc)
		put_key_option(a, &opt);
	if (opt.secret) {
		put_direction(OVPN_A_KEYCONF_ENCRYPT_DIR, opt.secret, opt.dir,
			      opt.bits / 8);
		put_direction(OVPN_A_KEYCONF_DECRYPT_DIR, opt.secret, !opt.dir,
			      opt.bits / 8);
	}
	mnl_attr_nest_end(req.nlh, nest);
	return genl_transact(&req, ovpn_reply, NULL);
}

int cmd_key_new(struct args *a)
{
	return key_command(a, OVPN_CMD_KEY_NEW);
}

int cmd_key_get(struct args *a)
{
	return key_command(a, OVPN_CMD_KEY_GET);
}

int cmd_key_del(struct args *a)
{
	return key_command(a, OVPN_CMD_KEY_DEL);
}

int cmd_key_swap(struct args *a)
{
	return key_command(a, OVPN_CMD_KEY_SWAP);
}

/* Any request at all, also such as no sane program sends */
int cmd_raw(struct args *a)
{
	uint8_t cmd = cmd_number(arg_next(a, "CMD"));
	uint16_t flags = arg_is(a, "dump") ? NLM_F_DUMP : 0;

	if (genl_request(&req, cmd, flags))
		return 1;
	if (arg_is(a, "ifindex"))
		mnl_attr_put_u32(req.nlh, OVPN_A_IFINDEX,
				 arg_number(a, "ifindex", UINT32_MAX));
	else if (arg_is(a, "dev"))
		mnl_attr_put_u32(req.nlh, OVPN_A_IFINDEX,
				 iface_index(arg_next(a, "IFACE")));
	else
		arg_is(a, "none");
	while (a->argc)
		attr_put_spec(req.nlh, &ovpn_attrs, arg_next(a, "ATTR"));
	return genl_transact(&req, ovpn_reply, NULL);
}
