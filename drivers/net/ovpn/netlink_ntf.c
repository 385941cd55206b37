// SPDX-License-Identifier: GPL-2.0-only
/* OpenVPN data channel offload: telling user space
 *
 * All events go to group "peers" in the network namespace of the peer's
 * socket, where the program that made it listens. Losing one is no error of
 * ours: a listener that cannot keep up is told so by netlink itself.
 */

#include "netlink_ntf.h"

#include <kunit/visibility.h>
#include <net/genetlink.h>
#include <net/netlink.h>
#include <net/sock.h>

#include "netlink-gen.h"
#include "ovpn.h"
#include "peer.h"
#include "socket.h"

/* attributes of the largest event, a float to IPv6, and room to spare */
#define OVPN_NTF_SIZE	128

struct ovpn_ntf {
	struct sk_buff *msg;
	struct nlattr *nest;
	void *header;
};

static bool ovpn_ntf_open(struct ovpn_ntf *ntf, const struct ovpn_peer *peer,
			  u8 cmd, int nest)
{
	ntf->msg = genlmsg_new(OVPN_NTF_SIZE, GFP_ATOMIC);
	if (!ntf->msg)
		return false;

	ntf->header = genlmsg_put(ntf->msg, 0, 0, &ovpn_nl_family, 0, cmd);
	if (!ntf->header ||
	    nla_put_u32(ntf->msg, OVPN_A_IFINDEX, peer->ovpn->dev->ifindex))
		goto err_free;

	ntf->nest = nla_nest_start(ntf->msg, nest);
	if (!ntf->nest)
		goto err_free;
	return true;

err_free:
	nlmsg_free(ntf->msg);
	return false;
}

static void ovpn_ntf_send(struct ovpn_ntf *ntf, const struct ovpn_peer *peer,
			  int err)
{
	if (WARN_ON_ONCE(err)) {
		nlmsg_free(ntf->msg);
		return;
	}

	nla_nest_end(ntf->msg, ntf->nest);
	genlmsg_end(ntf->msg, ntf->header);
	genlmsg_multicast_netns(&ovpn_nl_family, sock_net(peer->sock->sk),
				ntf->msg, 0, OVPN_NLGRP_PEERS, GFP_ATOMIC);
}

static void ovpn_ntf_peer_del(struct ovpn_peer *peer)
{
	struct ovpn_ntf ntf;
	int err;

	if (!ovpn_ntf_open(&ntf, peer, OVPN_CMD_PEER_DEL_NTF, OVPN_A_PEER))
		return;

	err = nla_put_u32(ntf.msg, OVPN_A_PEER_DEL_REASON, peer->del_reason) ?:
	      nla_put_u32(ntf.msg, OVPN_A_PEER_ID, peer->id);
	ovpn_ntf_send(&ntf, peer, err);
}

static void ovpn_ntf_peer_float(struct ovpn_peer *peer)
{
	struct ovpn_peer_endpoint *endpoint;
	struct ovpn_endpoint ep;
	struct ovpn_ntf ntf;
	int err;

	rcu_read_lock();
	endpoint = rcu_dereference(peer->endpoint);
	ep = endpoint->ep;
	rcu_read_unlock();

	if (!ovpn_ntf_open(&ntf, peer, OVPN_CMD_PEER_FLOAT_NTF, OVPN_A_PEER))
		return;

	err = nla_put_u32(ntf.msg, OVPN_A_PEER_ID, peer->id);
	if (!err && ep.remote.family == AF_INET)
		err = nla_put_in_addr(ntf.msg, OVPN_A_PEER_REMOTE_IPV4,
				      ep.remote.addr.v4);
	else if (!err)
		err = nla_put_in6_addr(ntf.msg, OVPN_A_PEER_REMOTE_IPV6,
				       &ep.remote.addr.v6);
	if (!err && ep.scope_id)
		err = nla_put_u32(ntf.msg, OVPN_A_PEER_REMOTE_IPV6_SCOPE_ID,
				  ep.scope_id);
	if (!err)
		err = nla_put_net16(ntf.msg, OVPN_A_PEER_REMOTE_PORT,
				    ep.remote.port);
	ovpn_ntf_send(&ntf, peer, err);
}

/* the key id is 16 bits wide in this event, which is what clients read */
static void ovpn_ntf_key_swap(struct ovpn_peer *peer, u8 key_id)
{
	struct ovpn_ntf ntf;
	int err;

	if (!ovpn_ntf_open(&ntf, peer, OVPN_CMD_KEY_SWAP_NTF, OVPN_A_KEYCONF))
		return;

	err = nla_put_u32(ntf.msg, OVPN_A_KEYCONF_PEER_ID, peer->id) ?:
	      nla_put_u16(ntf.msg, OVPN_A_KEYCONF_KEY_ID, key_id);
	ovpn_ntf_send(&ntf, peer, err);
}

const struct ovpn_user_ops ovpn_nl_user_ops = {
	.peer_del = ovpn_ntf_peer_del,
	.peer_float = ovpn_ntf_peer_float,
	.key_swap = ovpn_ntf_key_swap,
};
EXPORT_SYMBOL_IF_KUNIT(ovpn_nl_user_ops);
