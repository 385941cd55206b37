// SPDX-License-Identifier: GPL-2.0-only
/* OpenVPN data channel offload: netlink commands about peers
 *
 * A command is read as a whole into a &struct ovpn_peer_config and checked
 * there, before anything is touched: what is refused changes nothing.
 */

#include <linux/mutex.h>
#include <linux/net.h>
#include <net/genetlink.h>
#include <net/netlink.h>
#include <net/sock.h>
#include <uapi/linux/ovpn.h>

#include "config.h"
#include "endpoint.h"
#include "keepalive.h"
#include "netlink-gen.h"
#include "netlink.h"
#include "ovpn.h"
#include "peer.h"
#include "peer_table.h"
#include "socket.h"
#include "tcp.h"

/* the attributes of nest peer; all commands need the id */
static int ovpn_nl_peer_attrs(struct genl_info *info, struct nlattr **attrs,
			      int max, const struct nla_policy *policy)
{
	struct nlattr *nest = info->attrs[OVPN_A_PEER];
	struct netlink_ext_ack *extack = info->extack;
	int ret;

	ret = ovpn_nl_require(extack, NULL, info->attrs, OVPN_A_PEER, "peer");
	if (ret)
		return ret;
	ret = nla_parse_nested(attrs, max, nest, policy, extack);
	if (ret)
		return ret;
	return ovpn_nl_require(extack, nest, attrs, OVPN_A_PEER_ID, "id");
}

static int ovpn_nl_refuse(struct netlink_ext_ack *extack, struct nlattr *attr,
			  const char *why, int error)
{
	NL_SET_BAD_ATTR(extack, attr);
	if (extack)
		extack->_msg = why;
	return error;
}

static int ovpn_nl_no_peer(struct genl_info *info, struct nlattr **attrs)
{
	return ovpn_nl_refuse(info->extack, attrs[OVPN_A_PEER_ID],
			      "id: no such peer", -ENOENT);
}

/* remote address and port come together, or not at all */
static int ovpn_nl_parse_remote(struct ovpn_peer_config *want,
				struct nlattr **a, struct nlattr *nest,
				struct netlink_ext_ack *extack)
{
	struct nlattr *v4 = a[OVPN_A_PEER_REMOTE_IPV4];
	struct nlattr *v6 = a[OVPN_A_PEER_REMOTE_IPV6];
	struct nlattr *scope = a[OVPN_A_PEER_REMOTE_IPV6_SCOPE_ID];
	struct nlattr *port = a[OVPN_A_PEER_REMOTE_PORT];
	struct in6_addr addr6;

	if (v4 && v6)
		return ovpn_nl_refuse(extack, v6,
				      "remote-ipv6: remote-ipv4 is given, too",
				      -EINVAL);
	if (scope && !v6)
		return ovpn_nl_refuse(extack, scope,
				      "remote-ipv6-scope-id: needs remote-ipv6",
				      -EINVAL);
	if (port && !v4 && !v6)
		return ovpn_nl_refuse(extack, port,
				      "remote-port: needs a remote address",
				      -EINVAL);
	if (!v4 && !v6)
		return 0;
	if (ovpn_nl_require(extack, nest, a, OVPN_A_PEER_REMOTE_PORT,
			    "remote-port"))
		return -EINVAL;

	if (v4) {
		ovpn_endpoint_set_v4(&want->ep, nla_get_in_addr(v4),
				     nla_get_be16(port));
		if (!ovpn_endpoint_is_unicast(&want->ep))
			return ovpn_nl_refuse(extack, v4,
					      "remote-ipv4: not a unicast address",
					      -EINVAL);
		return 0;
	}

	addr6 = nla_get_in6_addr(v6);
	ovpn_endpoint_set_v6(&want->ep, &addr6,
			     scope ? nla_get_u32(scope) : 0,
			     nla_get_be16(port));
	if (!ovpn_endpoint_is_unicast(&want->ep))
		return ovpn_nl_refuse(extack, v6,
				      "remote-ipv6: not a unicast address",
				      -EINVAL);
	return 0;
}

/* our end, which has to be of the remote's family */
static int ovpn_nl_parse_local(struct ovpn_peer_config *want,
			       struct nlattr **a,
			       struct netlink_ext_ack *extack)
{
	struct nlattr *v4 = a[OVPN_A_PEER_LOCAL_IPV4];
	struct nlattr *v6 = a[OVPN_A_PEER_LOCAL_IPV6];
	struct in6_addr addr6;

	if (v4 && v6)
		return ovpn_nl_refuse(extack, v6,
				      "local-ipv6: local-ipv4 is given, too",
				      -EINVAL);
	if (v4) {
		if (!ovpn_endpoint_set_local_v4(&want->ep, nla_get_in_addr(v4)))
			return ovpn_nl_refuse(extack, v4,
					      "local-ipv4: the remote is not IPv4",
					      -EINVAL);
		if (!ovpn_endpoint_is_unicast(&want->ep))
			return ovpn_nl_refuse(extack, v4,
					      "local-ipv4: not a unicast address",
					      -EINVAL);
	}
	if (v6) {
		addr6 = nla_get_in6_addr(v6);
		if (!ovpn_endpoint_set_local_v6(&want->ep, &addr6))
			return ovpn_nl_refuse(extack, v6,
					      "local-ipv6: the remote is of another family",
					      -EINVAL);
		if (!ovpn_endpoint_is_unicast(&want->ep))
			return ovpn_nl_refuse(extack, v6,
					      "local-ipv6: not a unicast address",
					      -EINVAL);
	}
	return 0;
}

/* addresses inside the VPN are those of one host; all zero is for none */
static int ovpn_nl_parse_vpn(struct ovpn_peer_config *want, struct nlattr **a,
			     struct netlink_ext_ack *extack)
{
	struct nlattr *v4 = a[OVPN_A_PEER_VPN_IPV4];
	struct nlattr *v6 = a[OVPN_A_PEER_VPN_IPV6];

	if (v4) {
		want->vpn4 = nla_get_in_addr(v4);
		if (!ovpn_config_is_host4(want->vpn4))
			return ovpn_nl_refuse(extack, v4,
					      "vpn-ipv4: not the address of a host",
					      -EADDRNOTAVAIL);
	}
	if (v6) {
		want->vpn6 = nla_get_in6_addr(v6);
		if (!ovpn_config_is_host6(&want->vpn6))
			return ovpn_nl_refuse(extack, v6,
					      "vpn-ipv6: not the address of a host",
					      -EADDRNOTAVAIL);
	}
	return 0;
}

/* lay the attributes over @want, which says what holds without them */
static int ovpn_nl_parse_peer(struct ovpn_peer_config *want, struct nlattr **a,
			      struct nlattr *nest,
			      struct netlink_ext_ack *extack)
{
	int ret;

	ret = ovpn_nl_parse_remote(want, a, nest, extack);
	if (!ret)
		ret = ovpn_nl_parse_local(want, a, extack);
	if (!ret)
		ret = ovpn_nl_parse_vpn(want, a, extack);
	if (ret)
		return ret;

	want->tx_id = nla_get_u32_default(a[OVPN_A_PEER_TX_ID], want->tx_id);
	want->interval =
		nla_get_u32_default(a[OVPN_A_PEER_KEEPALIVE_INTERVAL],
				    want->interval);
	want->timeout =
		nla_get_u32_default(a[OVPN_A_PEER_KEEPALIVE_TIMEOUT],
				    want->timeout);
	return 0;
}

/* can this socket reach that family? */
static int ovpn_nl_check_family(const struct sock *sk,
				const struct ovpn_endpoint *ep,
				struct nlattr *attr,
				struct netlink_ext_ack *extack)
{
	if (ovpn_config_reaches(sk, ep))
		return 0;
	return ovpn_nl_refuse(extack, attr,
			      sk->sk_family == AF_INET ?
			      "remote-ipv6: the socket is of IPv4" :
			      "remote-ipv4: the socket is of IPv6 only",
			      -EINVAL);
}

static struct nlattr *ovpn_nl_remote_attr(struct nlattr **attrs)
{
	return attrs[OVPN_A_PEER_REMOTE_IPV6] ?:
	       attrs[OVPN_A_PEER_REMOTE_IPV4];
}

/* A connection knows where it leads. Clients give the addresses all the same,
 * which is no reason to refuse them.
 */
static void ovpn_nl_ignore_endpoint(struct nlattr **attrs)
{
	attrs[OVPN_A_PEER_REMOTE_IPV4] = NULL;
	attrs[OVPN_A_PEER_REMOTE_IPV6] = NULL;
	attrs[OVPN_A_PEER_REMOTE_IPV6_SCOPE_ID] = NULL;
	attrs[OVPN_A_PEER_REMOTE_PORT] = NULL;
	attrs[OVPN_A_PEER_LOCAL_IPV4] = NULL;
	attrs[OVPN_A_PEER_LOCAL_IPV6] = NULL;
}

/* without a connection somebody has to say where the peer is */
static int ovpn_nl_check_endpoint(const struct socket *socket,
				  const struct ovpn_peer_config *want,
				  struct nlattr **attrs, struct nlattr *nest,
				  struct netlink_ext_ack *extack)
{
	if (want->ep.remote.family == AF_UNSPEC) {
		NL_SET_ERR_ATTR_MISS(extack, nest, OVPN_A_PEER_REMOTE_IPV4);
		NL_SET_ERR_MSG(extack,
			       "missing attribute: remote-ipv4 or remote-ipv6");
		return -EINVAL;
	}
	return ovpn_nl_check_family(socket->sk, &want->ep,
				    ovpn_nl_remote_attr(attrs), extack);
}

/* which address a peer of a server cannot do without */
static int ovpn_nl_check_mode(const struct ovpn_priv *ovpn,
			      const struct ovpn_peer_config *want,
			      struct nlattr *nest,
			      struct netlink_ext_ack *extack)
{
	if (ovpn_config_is_routable(ovpn, want))
		return 0;

	NL_SET_ERR_ATTR_MISS(extack, nest, OVPN_A_PEER_VPN_IPV4);
	NL_SET_ERR_MSG(extack, "missing attribute: vpn-ipv4 or vpn-ipv6");
	return -EINVAL;
}

static int ovpn_nl_new_peer(struct genl_info *info, struct nlattr **attrs,
			    struct socket *socket)
{
	struct nlattr *nest = info->attrs[OVPN_A_PEER];
	struct netlink_ext_ack *extack = info->extack;
	struct ovpn_priv *ovpn = ovpn_nl_priv(info);
	const struct ovpn_transport_ops *ops;
	struct ovpn_peer_config want = {};
	int ret;

	ops = ovpn_config_transport(socket->sk);
	if (!ops)
		return ovpn_nl_refuse(extack, attrs[OVPN_A_PEER_SOCKET],
				      "socket: neither UDP nor TCP over IP",
				      -EOPNOTSUPP);
	if (ops == &ovpn_tcp_ops)
		ovpn_nl_ignore_endpoint(attrs);

	want.id = nla_get_u32(attrs[OVPN_A_PEER_ID]);
	want.tx_id = want.id;
	ret = ovpn_nl_parse_peer(&want, attrs, nest, extack);
	if (!ret)
		ret = ovpn_nl_check_mode(ovpn, &want, nest, extack);
	if (!ret && ops != &ovpn_tcp_ops)
		ret = ovpn_nl_check_endpoint(socket, &want, attrs, nest,
					     extack);
	return ret ?: ovpn_config_peer_new(ovpn, &want, socket, extack);
}

/**
 * ovpn_nl_peer_new_doit - add a peer
 * @skb: the request
 * @info: the command
 *
 * Return: 0; -EINVAL, -EOPNOTSUPP for a socket of another kind, -EBADF,
 * -ENOTSOCK, -EADDRNOTAVAIL, or as ovpn_config_peer_new().
 */
int ovpn_nl_peer_new_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct nlattr *attrs[OVPN_A_PEER_MAX + 1];
	struct socket *socket;
	int ret;

	ret = ovpn_nl_peer_attrs(info, attrs, OVPN_A_PEER_MAX,
				 ovpn_peer_new_input_nl_policy);
	if (!ret)
		ret = ovpn_nl_require(info->extack, info->attrs[OVPN_A_PEER],
				      attrs, OVPN_A_PEER_SOCKET, "socket");
	if (ret)
		return ret;

	socket = sockfd_lookup(nla_get_u32(attrs[OVPN_A_PEER_SOCKET]), &ret);
	if (!socket)
		return ovpn_nl_refuse(info->extack, attrs[OVPN_A_PEER_SOCKET],
				      "socket: not the descriptor of a socket",
				      ret);
	ret = ovpn_nl_new_peer(info, attrs, socket);
	sockfd_put(socket);
	return ret;
}

static int ovpn_nl_set_peer(struct genl_info *info, struct nlattr **attrs,
			    struct ovpn_peer *peer)
{
	struct netlink_ext_ack *extack = info->extack;
	struct ovpn_peer_config want = {};
	struct nlattr *remote;
	bool moved;
	int ret;

	if (peer->sock->ops == &ovpn_tcp_ops)
		ovpn_nl_ignore_endpoint(attrs);
	remote = ovpn_nl_remote_attr(attrs);
	ovpn_config_peer_read(peer, &want);
	ret = ovpn_nl_parse_peer(&want, attrs, info->attrs[OVPN_A_PEER],
				 extack);
	if (!ret)
		ret = ovpn_nl_check_mode(peer->ovpn, &want,
					 info->attrs[OVPN_A_PEER], extack);
	if (!ret && remote)
		ret = ovpn_nl_check_family(peer->sock->sk, &want.ep, remote,
					   extack);
	if (ret)
		return ret;

	moved = remote || attrs[OVPN_A_PEER_LOCAL_IPV4] ||
		attrs[OVPN_A_PEER_LOCAL_IPV6];
	ret = ovpn_config_peer_change(peer, &want, moved, extack);
	if (ret)
		return ret;

	if (attrs[OVPN_A_PEER_KEEPALIVE_INTERVAL] ||
	    attrs[OVPN_A_PEER_KEEPALIVE_TIMEOUT])
		ovpn_keepalive_set(peer, want.interval, want.timeout);
	return 0;
}

/**
 * ovpn_nl_peer_set_doit - change a peer
 * @skb: the request
 * @info: the command
 *
 * Return: 0; -EINVAL, -ENOENT without such a peer, -EADDRNOTAVAIL,
 * -EADDRINUSE, -ENOMEM.
 */
int ovpn_nl_peer_set_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct nlattr *attrs[OVPN_A_PEER_MAX + 1];
	struct ovpn_priv *ovpn = ovpn_nl_priv(info);
	struct ovpn_peer *peer;
	int ret;

	ret = ovpn_nl_peer_attrs(info, attrs, OVPN_A_PEER_MAX,
				 ovpn_peer_set_input_nl_policy);
	if (ret)
		return ret;

	mutex_lock(&ovpn->config);
	peer = ovpn_peer_get_by_id(ovpn, nla_get_u32(attrs[OVPN_A_PEER_ID]));
	ret = peer ? ovpn_nl_set_peer(info, attrs, peer) :
		     ovpn_nl_no_peer(info, attrs);
	mutex_unlock(&ovpn->config);

	if (peer)
		ovpn_peer_put(peer);
	return ret;
}

/**
 * ovpn_nl_peer_del_doit - delete a peer
 * @skb: the request
 * @info: the command
 *
 * Return: 0; -EINVAL, -ENOENT without such a peer.
 */
int ovpn_nl_peer_del_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct nlattr *attrs[OVPN_A_PEER_ID + 1];
	int ret;

	ret = ovpn_nl_peer_attrs(info, attrs, OVPN_A_PEER_ID,
				 ovpn_peer_del_input_nl_policy);
	if (ret)
		return ret;

	ret = ovpn_config_peer_del(ovpn_nl_priv(info),
				   nla_get_u32(attrs[OVPN_A_PEER_ID]));
	return ret == -ENOENT ? ovpn_nl_no_peer(info, attrs) : ret;
}
