// SPDX-License-Identifier: GPL-2.0-only
/* OpenVPN data channel offload: showing peers over ovpn-dco-v2
 *
 * What is always there, is: OpenVPN 3 does not ask whether an attribute came.
 */

#include "dco.h"

#include <linux/err.h>
#include <linux/in.h>
#include <net/inet_sock.h>
#include <net/ipv6.h>
#include <uapi/linux/ovpn.h>

#include "netlink.h"
#include "ovpn.h"
#include "peer.h"
#include "peer_table.h"
#include "socket.h"

static int ovpn_dco_put_vpn(struct sk_buff *msg, const struct ovpn_peer *peer)
{
	const struct ovpn_peer_vpn *vpn = rcu_dereference(peer->vpn);

	if (vpn->v4 && nla_put_in_addr(msg, OVPN_DCO_GET_PEER_IPV4, vpn->v4))
		return -EMSGSIZE;
	if (!ipv6_addr_any(&vpn->v6) &&
	    nla_put_in6_addr(msg, OVPN_DCO_GET_PEER_IPV6, &vpn->v6))
		return -EMSGSIZE;
	return 0;
}

static int ovpn_dco_put_v4(struct sk_buff *msg, const struct ovpn_endpoint *ep)
{
	const struct sockaddr_in addr = {
		.sin_family = AF_INET,
		.sin_port = ep->remote.port,
		.sin_addr.s_addr = ep->remote.addr.v4,
	};

	if (nla_put(msg, OVPN_DCO_GET_PEER_SOCKADDR_REMOTE, sizeof(addr),
		    &addr))
		return -EMSGSIZE;
	return nla_put_in_addr(msg, OVPN_DCO_GET_PEER_LOCAL_IP, ep->local.v4);
}

static int ovpn_dco_put_v6(struct sk_buff *msg, const struct ovpn_endpoint *ep)
{
	const struct sockaddr_in6 addr = {
		.sin6_family = AF_INET6,
		.sin6_port = ep->remote.port,
		.sin6_addr = ep->remote.addr.v6,
		.sin6_scope_id = ep->scope_id,
	};

	if (nla_put(msg, OVPN_DCO_GET_PEER_SOCKADDR_REMOTE, sizeof(addr),
		    &addr))
		return -EMSGSIZE;
	return nla_put_in6_addr(msg, OVPN_DCO_GET_PEER_LOCAL_IP, &ep->local.v6);
}

static int ovpn_dco_put_transport(struct sk_buff *msg,
				  const struct ovpn_peer *peer)
{
	const struct ovpn_peer_endpoint *endpoint;

	if (nla_put_net16(msg, OVPN_DCO_GET_PEER_LOCAL_PORT,
			  inet_sk(peer->sock->sk)->inet_sport))
		return -EMSGSIZE;

	endpoint = rcu_dereference(peer->endpoint);
	if (!endpoint)
		return 0;
	return endpoint->ep.remote.family == AF_INET ?
		ovpn_dco_put_v4(msg, &endpoint->ep) :
		ovpn_dco_put_v6(msg, &endpoint->ep);
}

/* packets have 32 bits only, and go on from 0 */
static int ovpn_dco_put_counter(struct sk_buff *msg, int bytes, int packets,
				const struct ovpn_counter *counter)
{
	if (nla_put_u64_64bit(msg, bytes, atomic64_read(&counter->bytes), 0) ||
	    nla_put_u32(msg, packets, atomic64_read(&counter->packets)))
		return -EMSGSIZE;
	return 0;
}

static int ovpn_dco_put_stats(struct sk_buff *msg,
			      const struct ovpn_peer *peer)
{
	if (ovpn_dco_put_counter(msg, OVPN_DCO_GET_PEER_VPN_RX_BYTES,
				 OVPN_DCO_GET_PEER_VPN_RX_PACKETS,
				 &peer->rx.vpn) ||
	    ovpn_dco_put_counter(msg, OVPN_DCO_GET_PEER_VPN_TX_BYTES,
				 OVPN_DCO_GET_PEER_VPN_TX_PACKETS,
				 &peer->tx.vpn) ||
	    ovpn_dco_put_counter(msg, OVPN_DCO_GET_PEER_LINK_RX_BYTES,
				 OVPN_DCO_GET_PEER_LINK_RX_PACKETS,
				 &peer->rx.link) ||
	    ovpn_dco_put_counter(msg, OVPN_DCO_GET_PEER_LINK_TX_BYTES,
				 OVPN_DCO_GET_PEER_LINK_TX_PACKETS,
				 &peer->tx.link))
		return -EMSGSIZE;
	return 0;
}

/* one message about one peer; RCU read section */
static int ovpn_dco_put_peer(struct sk_buff *msg, const struct genl_info *info,
			     const struct ovpn_peer *peer, int flags)
{
	struct nlattr *nest;
	void *header;

	header = genlmsg_put(msg, info->snd_portid, info->snd_seq,
			     &ovpn_dco_family, flags, OVPN_DCO_CMD_GET_PEER);
	if (!header)
		return -EMSGSIZE;

	nest = nla_nest_start(msg, OVPN_DCO_A_GET_PEER);
	if (!nest ||
	    nla_put_u32(msg, OVPN_DCO_GET_PEER_PEER_ID, peer->id) ||
	    ovpn_dco_put_vpn(msg, peer) ||
	    nla_put_u32(msg, OVPN_DCO_GET_PEER_KEEPALIVE_INTERVAL,
			READ_ONCE(peer->keepalive_interval)) ||
	    nla_put_u32(msg, OVPN_DCO_GET_PEER_KEEPALIVE_TIMEOUT,
			READ_ONCE(peer->keepalive_timeout)) ||
	    ovpn_dco_put_transport(msg, peer) ||
	    ovpn_dco_put_stats(msg, peer)) {
		genlmsg_cancel(msg, header);
		return -EMSGSIZE;
	}

	nla_nest_end(msg, nest);
	genlmsg_end(msg, header);
	return 0;
}

/**
 * ovpn_dco_get_peer_doit - show a peer
 * @skb: the request
 * @info: the command
 *
 * Return: 0; -EINVAL, -ENOENT without such a peer, -ENOMEM.
 */
int ovpn_dco_get_peer_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct nlattr *attrs[OVPN_DCO_GET_PEER_PEER_ID + 1];
	struct ovpn_peer *peer;
	struct sk_buff *msg;
	struct nlattr *id;
	int ret;

	ret = ovpn_dco_attrs(info, OVPN_DCO_A_GET_PEER, attrs,
			     OVPN_DCO_GET_PEER_PEER_ID,
			     ovpn_dco_get_peer_policy);
	if (!ret)
		ret = ovpn_nl_require(info->extack,
				      info->attrs[OVPN_DCO_A_GET_PEER], attrs,
				      OVPN_DCO_GET_PEER_PEER_ID, "peer-id");
	if (ret)
		return ret;

	msg = genlmsg_new(NLMSG_GOODSIZE, GFP_KERNEL);
	if (!msg)
		return -ENOMEM;

	id = attrs[OVPN_DCO_GET_PEER_PEER_ID];
	rcu_read_lock();
	peer = ovpn_peer_lookup_id_rcu(ovpn_nl_priv(info), nla_get_u32(id));
	ret = peer ? ovpn_dco_put_peer(msg, info, peer, 0) :
		     ovpn_dco_refuse(info->extack, id, "peer-id: no such peer",
				     -ENOENT);
	rcu_read_unlock();

	if (ret) {
		nlmsg_free(msg);
		return ret;
	}
	return genlmsg_reply(msg, info);
}

/**
 * struct ovpn_dco_dump - where a dump goes on
 * @id: id of the next peer to show
 */
struct ovpn_dco_dump {
	unsigned long id;
};

/**
 * ovpn_dco_get_peer_dumpit - show all peers of a device
 * @skb: the message to fill
 * @cb: the dump
 *
 * Return: bytes filled in, or as ovpn_nl_dev_get().
 */
int ovpn_dco_get_peer_dumpit(struct sk_buff *skb, struct netlink_callback *cb)
{
	const struct genl_info *info = genl_info_dump(cb);
	struct ovpn_dco_dump *dump = (void *)cb->ctx;
	netdevice_tracker tracker;
	struct ovpn_peer *peer;
	struct ovpn_priv *ovpn;
	int ret = 0;

	NL_ASSERT_CTX_FITS(struct ovpn_dco_dump);

	ovpn = ovpn_nl_dev_get(info, &ovpn_dco_user_ops, &tracker);
	if (IS_ERR(ovpn))
		return PTR_ERR(ovpn);

	rcu_read_lock();
	while ((peer = ovpn_peer_next_rcu(ovpn, &dump->id))) {
		ret = ovpn_dco_put_peer(skb, info, peer, NLM_F_MULTI);
		if (ret)
			break;
		dump->id++;
	}
	rcu_read_unlock();

	netdev_put(ovpn->dev, &tracker);
	return skb->len ?: ret;
}
