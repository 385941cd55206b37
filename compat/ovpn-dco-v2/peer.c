// SPDX-License-Identifier: GPL-2.0-only
/* OpenVPN data channel offload: commands of ovpn-dco-v2 about peers */

#include "dco.h"

#include <linux/in.h>
#include <linux/minmax.h>
#include <linux/mutex.h>
#include <linux/net.h>
#include <net/sock.h>
#include <uapi/linux/ovpn.h>

#include "config.h"
#include "endpoint.h"
#include "keepalive.h"
#include "netlink.h"
#include "ovpn.h"
#include "peer.h"
#include "peer_table.h"
#include "socket.h"
#include "tcp.h"

/* Any number of seconds may come. As many as fit the timers of all machines
 * are weeks, which nobody can tell from never.
 */
#define OVPN_DCO_SECONDS_MAX	(S32_MAX / HZ)

static int ovpn_dco_no_peer(struct genl_info *info, struct nlattr *id)
{
	return ovpn_dco_refuse(info->extack, id, "peer-id: no such peer",
			       -ENOENT);
}

static int ovpn_dco_parse_remote(struct ovpn_peer_config *want,
				 struct nlattr *attr,
				 struct netlink_ext_ack *extack)
{
	union {
		sa_family_t family;
		struct sockaddr_in v4;
		struct sockaddr_in6 v6;
	} addr = {};
	unsigned int len = nla_len(attr);

	nla_memcpy(&addr, attr, sizeof(addr));
	if (addr.family == AF_INET && len >= sizeof(addr.v4))
		ovpn_endpoint_set_v4(&want->ep, addr.v4.sin_addr.s_addr,
				     addr.v4.sin_port);
	else if (addr.family == AF_INET6 && len >= sizeof(addr.v6))
		ovpn_endpoint_set_v6(&want->ep, &addr.v6.sin6_addr,
				     addr.v6.sin6_scope_id,
				     addr.v6.sin6_port);
	else
		return ovpn_dco_refuse(extack, attr,
				       "sockaddr-remote: neither IPv4 nor IPv6",
				       -EINVAL);

	if (!ovpn_endpoint_is_unicast(&want->ep))
		return ovpn_dco_refuse(extack, attr,
				       "sockaddr-remote: not a unicast address",
				       -EINVAL);
	return 0;
}

static int ovpn_dco_parse_local(struct ovpn_peer_config *want,
				struct nlattr *attr,
				struct netlink_ext_ack *extack)
{
	struct in6_addr addr6;
	bool fits;

	switch (nla_len(attr)) {
	case sizeof(struct in_addr):
		fits = ovpn_endpoint_set_local_v4(&want->ep,
						  nla_get_in_addr(attr));
		break;
	case sizeof(struct in6_addr):
		addr6 = nla_get_in6_addr(attr);
		fits = ovpn_endpoint_set_local_v6(&want->ep, &addr6);
		break;
	default:
		return ovpn_dco_refuse(extack, attr,
				       "local-ip: neither 4 nor 16 bytes",
				       -EINVAL);
	}

	if (!fits)
		return ovpn_dco_refuse(extack, attr,
				       "local-ip: the remote is of another family",
				       -EINVAL);
	if (!ovpn_endpoint_is_unicast(&want->ep))
		return ovpn_dco_refuse(extack, attr,
				       "local-ip: not a unicast address",
				       -EINVAL);
	return 0;
}

static int ovpn_dco_parse_vpn(struct ovpn_peer_config *want,
			      struct nlattr **a,
			      struct netlink_ext_ack *extack)
{
	struct nlattr *v4 = a[OVPN_DCO_NEW_PEER_IPV4];
	struct nlattr *v6 = a[OVPN_DCO_NEW_PEER_IPV6];

	if (v4) {
		want->vpn4 = nla_get_in_addr(v4);
		if (!ovpn_config_is_host4(want->vpn4))
			return ovpn_dco_refuse(extack, v4,
					       "ipv4: not the address of a host",
					       -EADDRNOTAVAIL);
	}
	if (v6) {
		want->vpn6 = nla_get_in6_addr(v6);
		if (!ovpn_config_is_host6(&want->vpn6))
			return ovpn_dco_refuse(extack, v6,
					       "ipv6: not the address of a host",
					       -EADDRNOTAVAIL);
	}
	return 0;
}

/* Only UDP needs to be told where the peer is; over TCP both programs tell it
 * as well, and it means nothing.
 */
static int ovpn_dco_parse_endpoint(struct ovpn_peer_config *want,
				   const struct sock *sk, struct nlattr *nest,
				   struct nlattr **a,
				   struct netlink_ext_ack *extack)
{
	struct nlattr *remote = a[OVPN_DCO_NEW_PEER_SOCKADDR_REMOTE];
	struct nlattr *local = a[OVPN_DCO_NEW_PEER_LOCAL_IP];
	int ret;

	ret = ovpn_nl_require(extack, nest, a,
			      OVPN_DCO_NEW_PEER_SOCKADDR_REMOTE,
			      "sockaddr-remote");
	if (!ret)
		ret = ovpn_dco_parse_remote(want, remote, extack);
	if (!ret && local)
		ret = ovpn_dco_parse_local(want, local, extack);
	if (ret || ovpn_config_reaches(sk, &want->ep))
		return ret;
	return ovpn_dco_refuse(extack, remote,
			       "sockaddr-remote: the socket is of another family",
			       -EINVAL);
}

static int ovpn_dco_new_peer(struct genl_info *info, struct nlattr **attrs,
			     struct socket *socket)
{
	struct nlattr *nest = info->attrs[OVPN_DCO_A_NEW_PEER];
	struct netlink_ext_ack *extack = info->extack;
	struct ovpn_priv *ovpn = ovpn_nl_priv(info);
	const struct ovpn_transport_ops *ops;
	struct ovpn_peer_config want = {};
	int ret;

	ops = ovpn_config_transport(socket->sk);
	if (!ops)
		return ovpn_dco_refuse(extack,
				       attrs[OVPN_DCO_NEW_PEER_SOCKET],
				       "socket: neither UDP nor TCP over IP",
				       -ENOTSOCK);

	want.id = nla_get_u32(attrs[OVPN_DCO_NEW_PEER_PEER_ID]);
	want.tx_id = want.id;
	ret = ovpn_dco_parse_vpn(&want, attrs, extack);
	if (!ret && ops != &ovpn_tcp_ops)
		ret = ovpn_dco_parse_endpoint(&want, socket->sk, nest, attrs,
					      extack);
	if (ret)
		return ret;

	if (!ovpn_config_is_routable(ovpn, &want)) {
		NL_SET_ERR_ATTR_MISS(extack, nest, OVPN_DCO_NEW_PEER_IPV4);
		NL_SET_ERR_MSG(extack, "missing attribute: ipv4 or ipv6");
		return -EINVAL;
	}
	return ovpn_config_peer_new(ovpn, &want, socket, extack);
}

/**
 * ovpn_dco_new_peer_doit - add a peer
 * @skb: the request
 * @info: the command
 *
 * Return: 0; -EINVAL, -ENOTSOCK, -EADDRNOTAVAIL, or as ovpn_config_peer_new().
 */
int ovpn_dco_new_peer_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct nlattr *attrs[OVPN_DCO_NEW_PEER_MAX + 1];
	struct netlink_ext_ack *extack = info->extack;
	struct socket *socket;
	struct nlattr *nest;
	int ret;

	ret = ovpn_dco_attrs(info, OVPN_DCO_A_NEW_PEER, attrs,
			     OVPN_DCO_NEW_PEER_MAX, ovpn_dco_new_peer_policy);
	if (ret)
		return ret;
	nest = info->attrs[OVPN_DCO_A_NEW_PEER];
	ret = ovpn_nl_require(extack, nest, attrs, OVPN_DCO_NEW_PEER_PEER_ID,
			      "peer-id");
	if (!ret)
		ret = ovpn_nl_require(extack, nest, attrs,
				      OVPN_DCO_NEW_PEER_SOCKET, "socket");
	if (ret)
		return ret;

	socket = sockfd_lookup(nla_get_u32(attrs[OVPN_DCO_NEW_PEER_SOCKET]),
			       &ret);
	if (!socket)
		return ovpn_dco_refuse(extack,
				       attrs[OVPN_DCO_NEW_PEER_SOCKET],
				       "socket: not the descriptor of a socket",
				       -ENOTSOCK);
	ret = ovpn_dco_new_peer(info, attrs, socket);
	sockfd_put(socket);
	return ret;
}

/**
 * ovpn_dco_set_peer_doit - change keepalive of a peer, if both values are given
 * @skb: the request
 * @info: the command
 *
 * Return: 0; -EINVAL, -ENOENT without such a peer.
 */
int ovpn_dco_set_peer_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct nlattr *attrs[OVPN_DCO_SET_PEER_MAX + 1];
	struct ovpn_priv *ovpn = ovpn_nl_priv(info);
	struct nlattr *id, *interval, *timeout;
	struct ovpn_peer *peer;
	int ret;

	ret = ovpn_dco_attrs(info, OVPN_DCO_A_SET_PEER, attrs,
			     OVPN_DCO_SET_PEER_MAX, ovpn_dco_set_peer_policy);
	if (!ret)
		ret = ovpn_nl_require(info->extack,
				      info->attrs[OVPN_DCO_A_SET_PEER], attrs,
				      OVPN_DCO_SET_PEER_PEER_ID, "peer-id");
	if (ret)
		return ret;

	id = attrs[OVPN_DCO_SET_PEER_PEER_ID];
	interval = attrs[OVPN_DCO_SET_PEER_KEEPALIVE_INTERVAL];
	timeout = attrs[OVPN_DCO_SET_PEER_KEEPALIVE_TIMEOUT];

	mutex_lock(&ovpn->config);
	peer = ovpn_peer_get_by_id(ovpn, nla_get_u32(id));
	if (peer && interval && timeout)
		ovpn_keepalive_set(peer,
				   min_t(u32, nla_get_u32(interval),
					 OVPN_DCO_SECONDS_MAX),
				   min_t(u32, nla_get_u32(timeout),
					 OVPN_DCO_SECONDS_MAX));
	mutex_unlock(&ovpn->config);

	if (!peer)
		return ovpn_dco_no_peer(info, id);
	ovpn_peer_put(peer);
	return 0;
}

/**
 * ovpn_dco_del_peer_doit - delete a peer
 * @skb: the request
 * @info: the command
 *
 * Return: 0; -EINVAL, -ENOENT without such a peer.
 */
int ovpn_dco_del_peer_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct nlattr *attrs[OVPN_DCO_DEL_PEER_MAX + 1];
	struct nlattr *id;
	int ret;

	ret = ovpn_dco_attrs(info, OVPN_DCO_A_DEL_PEER, attrs,
			     OVPN_DCO_DEL_PEER_MAX, ovpn_dco_del_peer_policy);
	if (!ret)
		ret = ovpn_nl_require(info->extack,
				      info->attrs[OVPN_DCO_A_DEL_PEER], attrs,
				      OVPN_DCO_DEL_PEER_PEER_ID, "peer-id");
	if (ret)
		return ret;

	id = attrs[OVPN_DCO_DEL_PEER_PEER_ID];
	ret = ovpn_config_peer_del(ovpn_nl_priv(info), nla_get_u32(id));
	return ret == -ENOENT ? ovpn_dco_no_peer(info, id) : ret;
}
