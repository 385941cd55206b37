// SPDX-License-Identifier: GPL-2.0-only
/*
 * Requests, as fast as they can be made: one socket for many of them, and
 * nothing said of errors but their numbers
 */
#include <arpa/inet.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/genetlink.h>
#include <linux/if_link.h>
#include <linux/ovpn.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "keyexp.h"
#include "stress.h"

/* if_link.h and veth.h of the build machine may be older than these */
#define STRESS_IFLA_OVPN_MODE	1
#define STRESS_VETH_INFO_PEER	1

static uint16_t family;

int nl_socket(int bus)
{
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, bus), on = 1;

	if (fd < 0)
		return -1;
	setsockopt(fd, SOL_NETLINK, NETLINK_CAP_ACK, &on, sizeof(on));
	return fd;
}

/* 1 to read on, 0 at the good end, or the error */
static int nl_take(const struct nlmsghdr *nlh, uint32_t seq, answer_fn answer,
		   void *data)
{
	const struct nlmsgerr *err = mnl_nlmsg_get_payload(nlh);
	const int *done = mnl_nlmsg_get_payload(nlh);

	if (nlh->nlmsg_seq != seq)
		return 1;
	switch (nlh->nlmsg_type) {
	case NLMSG_ERROR:
		return err->error;
	case NLMSG_DONE:
		return *done > 0 ? 0 : *done;
	}
	if (answer)
		answer(nlh, data);
	return 1;
}

/* Returns 0 or a number of errno */
int nl_ask(struct actor *me, int fd, struct ask *ask, answer_fn answer,
	   void *data)
{
	_Alignas(8) char buf[16384];
	const struct nlmsghdr *nlh;
	int state = 1, got;

	ask->nlh->nlmsg_seq = ++me->seq;
	if (send(fd, ask->nlh, ask->nlh->nlmsg_len, 0) < 0)
		return errno;
	while (state > 0) {
		got = recv(fd, buf, sizeof(buf), 0);
		if (got < 0)
			return errno;
		nlh = (const void *)buf;
		for (; state > 0 && mnl_nlmsg_ok(nlh, got);
		     nlh = mnl_nlmsg_next(nlh, &got))
			state = nl_take(nlh, me->seq, answer, data);
	}
	return -state;
}

static void *nl_begin(struct ask *ask, uint16_t type, uint16_t flags,
		      size_t extra)
{
	ask->nlh = mnl_nlmsg_put_header(ask->buf);
	ask->nlh->nlmsg_type = type;
	ask->nlh->nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK | flags;
	return mnl_nlmsg_put_extra_header(ask->nlh, extra);
}

static void nl_family_answer(const struct nlmsghdr *nlh, void *data)
{
	const struct nlattr *attr;

	mnl_attr_for_each(attr, nlh, sizeof(struct genlmsghdr))
		if (mnl_attr_get_type(attr) == CTRL_ATTR_FAMILY_ID)
			*(uint16_t *)data = mnl_attr_get_u16(attr);
}

/* The number of the family, another one with each load of the module */
int nl_find_family(struct actor *me)
{
	struct genlmsghdr *genl;
	struct ask ask;

	genl = nl_begin(&ask, GENL_ID_CTRL, 0, sizeof(*genl));
	genl->cmd = CTRL_CMD_GETFAMILY;
	mnl_attr_put_strz(ask.nlh, CTRL_ATTR_FAMILY_NAME, OVPN_FAMILY_NAME);
	return nl_ask(me, me->genl, &ask, nl_family_answer, &family);
}

static struct ifinfomsg *nl_link_begin(struct ask *ask, uint16_t type,
				       uint16_t flags, unsigned int ifindex)
{
	struct ifinfomsg *ifi = nl_begin(ask, type, flags, sizeof(*ifi));

	ifi->ifi_index = ifindex;
	return ifi;
}

/* The stage's device */
int nl_link_new(struct actor *me, bool mp)
{
	struct nlattr *info, *data;
	struct ask ask;

	nl_link_begin(&ask, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, 0);
	mnl_attr_put_strz(ask.nlh, IFLA_IFNAME, DEV);
	info = mnl_attr_nest_start(ask.nlh, IFLA_LINKINFO);
	mnl_attr_put_strz(ask.nlh, IFLA_INFO_KIND, "ovpn");
	data = mnl_attr_nest_start(ask.nlh, IFLA_INFO_DATA);
	mnl_attr_put_u8(ask.nlh, STRESS_IFLA_OVPN_MODE, mp);
	mnl_attr_nest_end(ask.nlh, data);
	mnl_attr_nest_end(ask.nlh, info);
	return nl_ask(me, me->route, &ask, NULL, NULL);
}

/* By its name where @ifindex is 0 */
int nl_link_del(struct actor *me, int fd, unsigned int ifindex)
{
	struct ask ask;

	nl_link_begin(&ask, RTM_DELLINK, 0, ifindex);
	if (!ifindex)
		mnl_attr_put_strz(ask.nlh, IFLA_IFNAME, DEV);
	return nl_ask(me, fd, &ask, NULL, NULL);
}

int nl_link_move(struct actor *me, int ns)
{
	struct ask ask;

	nl_link_begin(&ask, RTM_NEWLINK, 0, me->stage->ifindex);
	mnl_attr_put_u32(ask.nlh, IFLA_NET_NS_FD, ns);
	return nl_ask(me, me->route, &ask, NULL, NULL);
}

int nl_link_up(struct actor *me, bool up)
{
	struct ifinfomsg *ifi;
	struct ask ask;

	ifi = nl_link_begin(&ask, RTM_NEWLINK, 0, me->stage->ifindex);
	ifi->ifi_change = IFF_UP;
	ifi->ifi_flags = up ? IFF_UP : 0;
	return nl_ask(me, me->route, &ask, NULL, NULL);
}

static void nl_sent_answer(const struct nlmsghdr *nlh, void *data)
{
	const struct rtnl_link_stats64 *stats;
	const struct nlattr *attr;

	mnl_attr_for_each(attr, nlh, sizeof(struct ifinfomsg)) {
		if (mnl_attr_get_type(attr) != IFLA_STATS64)
			continue;
		stats = mnl_attr_get_payload(attr);
		*(uint64_t *)data = stats->tx_packets + stats->tx_dropped;
	}
}

/* How many packets has the device sent, or counted as dropped on the way? */
int nl_link_sent(struct actor *me, uint64_t *sent)
{
	struct ask ask;

	nl_link_begin(&ask, RTM_GETLINK, 0, me->stage->ifindex);
	return nl_ask(me, me->route, &ask, nl_sent_answer, sent);
}

/* Our address in the tunnel */
int nl_address(struct actor *me)
{
	struct ifaddrmsg *ifa;
	struct ask ask;

	ifa = nl_begin(&ask, RTM_NEWADDR, NLM_F_CREATE | NLM_F_REPLACE,
		       sizeof(*ifa));
	ifa->ifa_family = AF_INET;
	ifa->ifa_prefixlen = 24;
	ifa->ifa_index = me->stage->ifindex;
	mnl_attr_put_u32(ask.nlh, IFA_LOCAL, htonl(VPN_OURS));
	mnl_attr_put_u32(ask.nlh, IFA_ADDRESS, htonl(VPN_OURS));
	return nl_ask(me, me->route, &ask, NULL, NULL);
}

/* The same over IPv6 */
int nl_address6(struct actor *me)
{
	struct sockaddr_storage addr;
	struct ifaddrmsg *ifa;
	struct ask ask;

	vpn_addr(&addr, VPN_OURS, true);
	ifa = nl_begin(&ask, RTM_NEWADDR, NLM_F_CREATE | NLM_F_REPLACE,
		       sizeof(*ifa));
	ifa->ifa_family = AF_INET6;
	ifa->ifa_prefixlen = 64;
	ifa->ifa_flags = IFA_F_NODAD;
	ifa->ifa_index = me->stage->ifindex;
	mnl_attr_put(ask.nlh, IFA_LOCAL, sizeof(struct in6_addr),
		     &((struct sockaddr_in6 *)&addr)->sin6_addr);
	return nl_ask(me, me->route, &ask, NULL, NULL);
}

/*
 * A pair of devices: @name in namespace @ns goes when the namespace goes in
 * which we are asked.
 */
int nl_tell_tale(struct actor *me, const char *name, int ns)
{
	struct nlattr *info, *data, *peer;
	struct ask ask;

	nl_link_begin(&ask, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, 0);
	mnl_attr_put_strz(ask.nlh, IFLA_IFNAME, "tale");
	info = mnl_attr_nest_start(ask.nlh, IFLA_LINKINFO);
	mnl_attr_put_strz(ask.nlh, IFLA_INFO_KIND, "veth");
	data = mnl_attr_nest_start(ask.nlh, IFLA_INFO_DATA);
	peer = mnl_attr_nest_start(ask.nlh, STRESS_VETH_INFO_PEER);
	memset(mnl_nlmsg_get_payload_tail(ask.nlh), 0,
	       sizeof(struct ifinfomsg));
	ask.nlh->nlmsg_len += MNL_ALIGN(sizeof(struct ifinfomsg));
	mnl_attr_put_strz(ask.nlh, IFLA_IFNAME, name);
	mnl_attr_put_u32(ask.nlh, IFLA_NET_NS_FD, ns);
	mnl_attr_nest_end(ask.nlh, peer);
	mnl_attr_nest_end(ask.nlh, data);
	mnl_attr_nest_end(ask.nlh, info);
	return nl_ask(me, me->route, &ask, NULL, NULL);
}

static struct nlattr *nl_ovpn_begin(struct actor *me, struct ask *ask,
				    uint8_t cmd, uint16_t flags, int nest)
{
	struct genlmsghdr *genl = nl_begin(ask, family, flags, sizeof(*genl));

	genl->cmd = cmd;
	genl->version = OVPN_FAMILY_VERSION;
	mnl_attr_put_u32(ask->nlh, OVPN_A_IFINDEX, me->stage->ifindex);
	return nest ? mnl_attr_nest_start(ask->nlh, nest) : NULL;
}

static int nl_ovpn_end(struct actor *me, struct ask *ask, struct nlattr *nest,
		       answer_fn answer, void *data)
{
	if (nest)
		mnl_attr_nest_end(ask->nlh, nest);
	return nl_ask(me, me->genl, ask, answer, data);
}

static void nl_remote(struct ask *ask, const struct sockaddr_in *remote)
{
	mnl_attr_put_u32(ask->nlh, OVPN_A_PEER_REMOTE_IPV4,
			 remote->sin_addr.s_addr);
	mnl_attr_put_u16(ask->nlh, OVPN_A_PEER_REMOTE_PORT, remote->sin_port);
}

static void nl_vpn6(struct ask *ask, uint32_t host)
{
	struct sockaddr_storage addr;

	vpn_addr(&addr, host, true);
	mnl_attr_put(ask->nlh, OVPN_A_PEER_VPN_IPV6, sizeof(struct in6_addr),
		     &((struct sockaddr_in6 *)&addr)->sin6_addr);
}

int nl_peer_new(struct actor *me, int sock, const struct sockaddr_in *remote)
{
	struct nlattr *nest;
	struct ask ask;

	nest = nl_ovpn_begin(me, &ask, OVPN_CMD_PEER_NEW, 0, OVPN_A_PEER);
	mnl_attr_put_u32(ask.nlh, OVPN_A_PEER_ID, PEER_ID);
	mnl_attr_put_u32(ask.nlh, OVPN_A_PEER_TX_ID, TX_ID);
	mnl_attr_put_u32(ask.nlh, OVPN_A_PEER_SOCKET, sock);
	mnl_attr_put_u32(ask.nlh, OVPN_A_PEER_VPN_IPV4, htonl(VPN_THEIRS));
	nl_vpn6(&ask, VPN_THEIRS);
	if (remote)
		nl_remote(&ask, remote);
	return nl_ovpn_end(me, &ask, nest, NULL, NULL);
}

/* What is NULL, 0 or less than 0 stays as it is */
int nl_peer_set(struct actor *me, const struct sockaddr_in *remote,
		uint32_t vpn4, uint32_t vpn6, int interval, int timeout)
{
	struct nlattr *nest;
	struct ask ask;

	nest = nl_ovpn_begin(me, &ask, OVPN_CMD_PEER_SET, 0, OVPN_A_PEER);
	mnl_attr_put_u32(ask.nlh, OVPN_A_PEER_ID, PEER_ID);
	if (remote)
		nl_remote(&ask, remote);
	if (vpn4)
		mnl_attr_put_u32(ask.nlh, OVPN_A_PEER_VPN_IPV4, htonl(vpn4));
	if (vpn6)
		nl_vpn6(&ask, vpn6);
	if (interval >= 0)
		mnl_attr_put_u32(ask.nlh, OVPN_A_PEER_KEEPALIVE_INTERVAL,
				 interval);
	if (timeout >= 0)
		mnl_attr_put_u32(ask.nlh, OVPN_A_PEER_KEEPALIVE_TIMEOUT,
				 timeout);
	return nl_ovpn_end(me, &ask, nest, NULL, NULL);
}

static int nl_peer_command(struct actor *me, uint8_t cmd, answer_fn answer,
			   void *data)
{
	struct nlattr *nest;
	struct ask ask;

	nest = nl_ovpn_begin(me, &ask, cmd, 0, OVPN_A_PEER);
	mnl_attr_put_u32(ask.nlh, OVPN_A_PEER_ID, PEER_ID);
	return nl_ovpn_end(me, &ask, nest, answer, data);
}

int nl_peer_del(struct actor *me)
{
	return nl_peer_command(me, OVPN_CMD_PEER_DEL, NULL, NULL);
}

int nl_peer_get(struct actor *me, answer_fn answer, void *data)
{
	return nl_peer_command(me, OVPN_CMD_PEER_GET, answer, data);
}

int nl_peer_dump(struct actor *me)
{
	struct ask ask;

	nl_ovpn_begin(me, &ask, OVPN_CMD_PEER_GET, NLM_F_DUMP, 0);
	return nl_ovpn_end(me, &ask, NULL, NULL, NULL);
}

static struct nlattr *nl_key_begin(struct actor *me, struct ask *ask,
				   uint8_t cmd, int slot)
{
	struct nlattr *nest;

	nest = nl_ovpn_begin(me, ask, cmd, 0, OVPN_A_KEYCONF);
	mnl_attr_put_u32(ask->nlh, OVPN_A_KEYCONF_PEER_ID, PEER_ID);
	if (slot >= 0)
		mnl_attr_put_u32(ask->nlh, OVPN_A_KEYCONF_SLOT, slot);
	return nest;
}

static void nl_key_half(struct ask *ask, int nr, unsigned int dir)
{
	static uint8_t key[2][KEYEXP_KEY_MAX], tail[2][KEYEXP_TAIL_LEN];
	static bool made;
	struct nlattr *nest;
	unsigned int d;

	for (d = 0; !made && d < 2; d++) {
		keyexp_bytes("stress", d, "key", key[d], sizeof(key[d]));
		keyexp_bytes("stress", d, "tail", tail[d], sizeof(tail[d]));
	}
	made = true;
	nest = mnl_attr_nest_start(ask->nlh, nr);
	mnl_attr_put(ask->nlh, OVPN_A_KEYDIR_CIPHER_KEY, sizeof(key[dir]),
		     key[dir]);
	mnl_attr_put(ask->nlh, OVPN_A_KEYDIR_NONCE_TAIL, sizeof(tail[dir]),
		     tail[dir]);
	mnl_attr_nest_end(ask->nlh, nest);
}

int nl_key_new(struct actor *me, uint32_t slot, uint32_t key_id)
{
	struct nlattr *nest;
	struct ask ask;

	nest = nl_key_begin(me, &ask, OVPN_CMD_KEY_NEW, slot);
	mnl_attr_put_u32(ask.nlh, OVPN_A_KEYCONF_KEY_ID, key_id);
	mnl_attr_put_u32(ask.nlh, OVPN_A_KEYCONF_CIPHER_ALG,
			 OVPN_CIPHER_ALG_AES_GCM);
	nl_key_half(&ask, OVPN_A_KEYCONF_ENCRYPT_DIR, 0);
	nl_key_half(&ask, OVPN_A_KEYCONF_DECRYPT_DIR, 1);
	return nl_ovpn_end(me, &ask, nest, NULL, NULL);
}

static int nl_key_command(struct actor *me, uint8_t cmd, int slot,
			  answer_fn answer, void *data)
{
	struct nlattr *nest;
	struct ask ask;

	nest = nl_key_begin(me, &ask, cmd, slot);
	return nl_ovpn_end(me, &ask, nest, answer, data);
}

int nl_key_get(struct actor *me, uint32_t slot, answer_fn answer, void *data)
{
	return nl_key_command(me, OVPN_CMD_KEY_GET, slot, answer, data);
}

int nl_key_swap(struct actor *me)
{
	return nl_key_command(me, OVPN_CMD_KEY_SWAP, -1, NULL, NULL);
}

int nl_key_del(struct actor *me, uint32_t slot)
{
	return nl_key_command(me, OVPN_CMD_KEY_DEL, slot, NULL, NULL);
}
