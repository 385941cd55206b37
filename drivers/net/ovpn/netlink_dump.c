// SPDX-License-Identifier: GPL-2.0-only
/* OpenVPN data channel offload: showing peers to user space */

#include <linux/err.h>
#include <net/genetlink.h>
#include <net/inet_sock.h>
#include <net/ipv6.h>
#include <net/net_namespace.h>
#include <net/netlink.h>
#include <net/sock.h>
#include <uapi/linux/ovpn.h>

#include "netlink-gen.h"
#include "netlink.h"
#include "netlink_ntf.h"
#include "ovpn.h"
#include "peer.h"
#include "peer_table.h"
#include "socket.h"

static int ovpn_nl_put_vpn(struct sk_buff *msg, const struct ovpn_peer *peer)
{
	const struct ovpn_peer_vpn *vpn = rcu_dereference(peer->vpn);

	if (vpn->v4 && nla_put_in_addr(msg, OVPN_A_PEER_VPN_IPV4, vpn->v4))
		return -EMSGSIZE;
	if (!ipv6_addr_any(&vpn->v6) &&
	    nla_put_in6_addr(msg, OVPN_A_PEER_VPN_IPV6, &vpn->v6))
		return -EMSGSIZE;
	return 0;
}

static int ovpn_nl_put_endpoint(struct sk_buff *msg,
				const struct ovpn_endpoint *ep)
{
	if (ep->remote.family == AF_INET) {
		if (nla_put_in_addr(msg, OVPN_A_PEER_REMOTE_IPV4,
				    ep->remote.addr.v4) ||
		    nla_put_in_addr(msg, OVPN_A_PEER_LOCAL_IPV4,
				    ep->local.v4))
			return -EMSGSIZE;
	} else {
		if (nla_put_in6_addr(msg, OVPN_A_PEER_REMOTE_IPV6,
				     &ep->remote.addr.v6) ||
		    nla_put_u32(msg, OVPN_A_PEER_REMOTE_IPV6_SCOPE_ID,
				ep->scope_id) ||
		    nla_put_in6_addr(msg, OVPN_A_PEER_LOCAL_IPV6,
				     &ep->local.v6))
			return -EMSGSIZE;
	}
	return nla_put_net16(msg, OVPN_A_PEER_REMOTE_PORT, ep->remote.port);
}

/* the transport: socket, its namespace, both addresses */
static int ovpn_nl_put_transport(struct sk_buff *msg,
				 const struct ovpn_peer *peer)
{
	const struct sock *sk = peer->sock->sk;
	const struct ovpn_peer_endpoint *endpoint;
	struct net *net = dev_net(peer->ovpn->dev);
	int id;

	if (!net_eq(net, sock_net(sk))) {
		id = peernet2id_alloc(net, sock_net(sk), GFP_ATOMIC);
		if (nla_put_s32(msg, OVPN_A_PEER_SOCKET_NETNSID, id))
			return -EMSGSIZE;
	}
	if (nla_put_net16(msg, OVPN_A_PEER_LOCAL_PORT,
			  inet_sk(sk)->inet_sport))
		return -EMSGSIZE;

	endpoint = rcu_dereference(peer->endpoint);
	return endpoint ? ovpn_nl_put_endpoint(msg, &endpoint->ep) : 0;
}

static int ovpn_nl_put_counter(struct sk_buff *msg, int bytes, int packets,
			       const struct ovpn_counter *counter)
{
	if (nla_put_uint(msg, bytes, atomic64_read(&counter->bytes)) ||
	    nla_put_uint(msg, packets, atomic64_read(&counter->packets)))
		return -EMSGSIZE;
	return 0;
}

static int ovpn_nl_put_stats(struct sk_buff *msg, const struct ovpn_peer *peer)
{
	if (ovpn_nl_put_counter(msg, OVPN_A_PEER_VPN_RX_BYTES,
				OVPN_A_PEER_VPN_RX_PACKETS, &peer->rx.vpn) ||
	    ovpn_nl_put_counter(msg, OVPN_A_PEER_VPN_TX_BYTES,
				OVPN_A_PEER_VPN_TX_PACKETS, &peer->tx.vpn) ||
	    ovpn_nl_put_counter(msg, OVPN_A_PEER_LINK_RX_BYTES,
				OVPN_A_PEER_LINK_RX_PACKETS, &peer->rx.link) ||
	    ovpn_nl_put_counter(msg, OVPN_A_PEER_LINK_TX_BYTES,
				OVPN_A_PEER_LINK_TX_PACKETS, &peer->tx.link))
		return -EMSGSIZE;
	return 0;
}

/* one message about one peer; RCU read section */
static int ovpn_nl_put_peer(struct sk_buff *msg, const struct genl_info *info,
			    const struct ovpn_peer *peer, int flags)
{
	struct nlattr *nest;
	void *header;

	header = genlmsg_put(msg, info->snd_portid, info->snd_seq,
			     &ovpn_nl_family, flags, OVPN_CMD_PEER_GET);
	if (!header)
		return -EMSGSIZE;

	nest = nla_nest_start(msg, OVPN_A_PEER);
	if (!nest ||
	    nla_put_u32(msg, OVPN_A_PEER_ID, peer->id) ||
	    nla_put_u32(msg, OVPN_A_PEER_TX_ID, READ_ONCE(peer->tx_id)) ||
	    ovpn_nl_put_vpn(msg, peer) ||
	    nla_put_u32(msg, OVPN_A_PEER_KEEPALIVE_INTERVAL,
			READ_ONCE(peer->keepalive_interval)) ||
	    nla_put_u32(msg, OVPN_A_PEER_KEEPALIVE_TIMEOUT,
			READ_ONCE(peer->keepalive_timeout)) ||
	    ovpn_nl_put_transport(msg, peer) ||
	    ovpn_nl_put_stats(msg, peer)) {
		genlmsg_cancel(msg, header);
		return -EMSGSIZE;
	}

	nla_nest_end(msg, nest);
	genlmsg_end(msg, header);
	return 0;
}

/**
 * ovpn_nl_peer_get_doit - show a peer
 * @skb: the request
 * @info: the command
 *
 * Return: 0; -EINVAL, -ENOENT without such a peer, -ENOMEM.
 */
int ovpn_nl_peer_get_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct nlattr *attrs[OVPN_A_PEER_MAX + 1];
	struct nlattr *nest = info->attrs[OVPN_A_PEER];
	struct netlink_ext_ack *extack = info->extack;
	struct ovpn_peer *peer;
	struct sk_buff *msg;
	int ret;

	ret = ovpn_nl_require(extack, NULL, info->attrs, OVPN_A_PEER, "peer");
	if (ret)
		return ret;
	/* nothing but the id has a meaning here */
	ret = nla_parse_nested(attrs, OVPN_A_PEER_ID, nest,
			       ovpn_peer_del_input_nl_policy, extack);
	if (!ret)
		ret = ovpn_nl_require(extack, nest, attrs, OVPN_A_PEER_ID,
				      "id");
	if (ret)
		return ret;

	msg = genlmsg_new(NLMSG_GOODSIZE, GFP_KERNEL);
	if (!msg)
		return -ENOMEM;

	rcu_read_lock();
	peer = ovpn_peer_lookup_id_rcu(ovpn_nl_priv(info),
				       nla_get_u32(attrs[OVPN_A_PEER_ID]));
	ret = peer ? ovpn_nl_put_peer(msg, info, peer, 0) : -ENOENT;
	rcu_read_unlock();

	if (ret == -ENOENT)
		NL_SET_ERR_MSG_ATTR(extack, attrs[OVPN_A_PEER_ID],
				    "id: no such peer");
	if (ret) {
		nlmsg_free(msg);
		return ret;
	}
	return genlmsg_reply(msg, info);
}

/**
 * struct ovpn_nl_dump - where a dump goes on
 * @id: id of the next peer to show; peers that come and go do not disturb
 */
struct ovpn_nl_dump {
	unsigned long id;
};

/**
 * ovpn_nl_peer_get_dumpit - show all peers of a device
 * @skb: the message to fill
 * @cb: the dump
 *
 * Return: bytes filled in, or as ovpn_nl_dev_get().
 */
int ovpn_nl_peer_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb)
{
	const struct genl_info *info = genl_info_dump(cb);
	struct ovpn_nl_dump *dump = (void *)cb->ctx;
	netdevice_tracker tracker;
	struct ovpn_peer *peer;
	struct ovpn_priv *ovpn;
	int ret = 0;

	NL_ASSERT_CTX_FITS(struct ovpn_nl_dump);

	ovpn = ovpn_nl_dev_get(info, &ovpn_nl_user_ops, &tracker);
	if (IS_ERR(ovpn))
		return PTR_ERR(ovpn);

	rcu_read_lock();
	while ((peer = ovpn_peer_next_rcu(ovpn, &dump->id))) {
		ret = ovpn_nl_put_peer(skb, info, peer, NLM_F_MULTI);
		if (ret)
			break;
		dump->id++;
	}
	rcu_read_unlock();

	netdev_put(ovpn->dev, &tracker);
	return skb->len ?: ret;
}
