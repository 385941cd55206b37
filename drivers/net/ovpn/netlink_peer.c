// SPDX-License-Identifier: GPL-2.0-only
/* OpenVPN data channel offload: netlink commands about peers
 *
 * A command is read as a whole into a &struct ovpn_nl_peer and checked there,
 * before anything is touched: what is refused changes nothing.
 */

#include <linux/err.h>
#include <linux/net.h>
#include <net/genetlink.h>
#include <net/inet_sock.h>
#include <net/ipv6.h>
#include <net/netlink.h>
#include <net/sock.h>
#include <uapi/linux/ovpn.h>

#include "keepalive.h"
#include "netlink-gen.h"
#include "netlink.h"
#include "ovpn.h"
#include "peer.h"
#include "peer_table.h"
#include "session.h"
#include "socket.h"
#include "tcp.h"
#include "udp.h"

/**
 * struct ovpn_nl_peer - a peer as a command wants it to be
 * @id: its id
 * @tx_id: id for sending
 * @ep: where it is; remote family AF_UNSPEC for nowhere
 * @vpn4: IPv4 address inside the VPN, or 0
 * @vpn6: IPv6 address inside the VPN, or ::
 * @interval: of keepalive messages
 * @timeout: of the peer
 */
struct ovpn_nl_peer {
	u32 id;
	u32 tx_id;
	struct ovpn_endpoint ep;
	__be32 vpn4;
	struct in6_addr vpn6;
	u32 interval;
	u32 timeout;
};

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

static struct ovpn_peer *ovpn_nl_peer_get(struct genl_info *info,
					  struct nlattr **attrs)
{
	struct nlattr *attr = attrs[OVPN_A_PEER_ID];
	struct ovpn_peer *peer;

	peer = ovpn_peer_get_by_id(ovpn_nl_priv(info), nla_get_u32(attr));
	if (!peer)
		NL_SET_ERR_MSG_ATTR(info->extack, attr, "id: no such peer");
	return peer;
}

/* remote address and port come together, or not at all */
static int ovpn_nl_parse_remote(struct ovpn_nl_peer *want, struct nlattr **a,
				struct nlattr *nest,
				struct netlink_ext_ack *extack)
{
	struct nlattr *v4 = a[OVPN_A_PEER_REMOTE_IPV4];
	struct nlattr *v6 = a[OVPN_A_PEER_REMOTE_IPV6];
	struct nlattr *scope = a[OVPN_A_PEER_REMOTE_IPV6_SCOPE_ID];
	struct nlattr *port = a[OVPN_A_PEER_REMOTE_PORT];
	struct in6_addr addr6;
	__be32 addr4;

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
		addr4 = nla_get_in_addr(v4);
		if (ipv4_is_zeronet(addr4) || ipv4_is_multicast(addr4) ||
		    ipv4_is_lbcast(addr4))
			return ovpn_nl_refuse(extack, v4,
					      "remote-ipv4: not a unicast address",
					      -EINVAL);
		ovpn_endpoint_set_v4(&want->ep, addr4, nla_get_be16(port));
		return 0;
	}

	addr6 = nla_get_in6_addr(v6);
	if (ipv6_addr_any(&addr6) || ipv6_addr_is_multicast(&addr6))
		return ovpn_nl_refuse(extack, v6,
				      "remote-ipv6: not a unicast address",
				      -EINVAL);
	ovpn_endpoint_set_v6(&want->ep, &addr6,
			     scope ? nla_get_u32(scope) : 0,
			     nla_get_be16(port));
	return 0;
}

/* our end, which has to be of the remote's family */
static int ovpn_nl_parse_local(struct ovpn_nl_peer *want, struct nlattr **a,
			       struct netlink_ext_ack *extack)
{
	struct nlattr *v4 = a[OVPN_A_PEER_LOCAL_IPV4];
	struct nlattr *v6 = a[OVPN_A_PEER_LOCAL_IPV6];
	struct in6_addr addr6;
	__be32 addr4;

	if (v4 && v6)
		return ovpn_nl_refuse(extack, v6,
				      "local-ipv6: local-ipv4 is given, too",
				      -EINVAL);
	if (v4) {
		addr4 = nla_get_in_addr(v4);
		if (ipv4_is_multicast(addr4) || ipv4_is_lbcast(addr4))
			return ovpn_nl_refuse(extack, v4,
					      "local-ipv4: not a unicast address",
					      -EINVAL);
		if (!ovpn_endpoint_set_local_v4(&want->ep, addr4))
			return ovpn_nl_refuse(extack, v4,
					      "local-ipv4: the remote is not IPv4",
					      -EINVAL);
	}
	if (v6) {
		addr6 = nla_get_in6_addr(v6);
		if (ipv6_addr_is_multicast(&addr6))
			return ovpn_nl_refuse(extack, v6,
					      "local-ipv6: not a unicast address",
					      -EINVAL);
		if (!ovpn_endpoint_set_local_v6(&want->ep, &addr6))
			return ovpn_nl_refuse(extack, v6,
					      "local-ipv6: the remote is of another family",
					      -EINVAL);
	}
	return 0;
}

/* addresses inside the VPN are those of one host; all zero is for none */
static int ovpn_nl_parse_vpn(struct ovpn_nl_peer *want, struct nlattr **a,
			     struct netlink_ext_ack *extack)
{
	struct nlattr *v4 = a[OVPN_A_PEER_VPN_IPV4];
	struct nlattr *v6 = a[OVPN_A_PEER_VPN_IPV6];
	int type;

	if (v4) {
		want->vpn4 = nla_get_in_addr(v4);
		if (want->vpn4 && (ipv4_is_zeronet(want->vpn4) ||
				   ipv4_is_loopback(want->vpn4) ||
				   ipv4_is_multicast(want->vpn4) ||
				   ipv4_is_lbcast(want->vpn4)))
			return ovpn_nl_refuse(extack, v4,
					      "vpn-ipv4: not the address of a host",
					      -EADDRNOTAVAIL);
	}
	if (v6) {
		want->vpn6 = nla_get_in6_addr(v6);
		type = ipv6_addr_type(&want->vpn6);
		if (type != IPV6_ADDR_ANY &&
		    (!(type & IPV6_ADDR_UNICAST) ||
		     type & (IPV6_ADDR_LOOPBACK | IPV6_ADDR_COMPATv4 |
			     IPV6_ADDR_MAPPED)))
			return ovpn_nl_refuse(extack, v6,
					      "vpn-ipv6: not the address of a host",
					      -EADDRNOTAVAIL);
	}
	return 0;
}

/* lay the attributes over @want, which says what holds without them */
static int ovpn_nl_parse_peer(struct ovpn_nl_peer *want, struct nlattr **a,
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
	if (ep->remote.family == AF_INET6 && sk->sk_family != AF_INET6)
		return ovpn_nl_refuse(extack, attr,
				      "remote-ipv6: the socket is of IPv4",
				      -EINVAL);
	if (ep->remote.family == AF_INET && sk->sk_family == AF_INET6 &&
	    ipv6_only_sock(sk))
		return ovpn_nl_refuse(extack, attr,
				      "remote-ipv4: the socket is of IPv6 only",
				      -EINVAL);
	return 0;
}

static struct nlattr *ovpn_nl_remote_attr(struct nlattr **attrs)
{
	return attrs[OVPN_A_PEER_REMOTE_IPV6] ?:
	       attrs[OVPN_A_PEER_REMOTE_IPV4];
}

/* which transport is it? */
static const struct ovpn_transport_ops *
ovpn_nl_transport(const struct socket *socket, struct nlattr *attr,
		  struct netlink_ext_ack *extack)
{
	const struct sock *sk = socket->sk;
	const char *why;

	why = "socket: neither IPv4 nor IPv6";
	if (sk->sk_family != AF_INET && sk->sk_family != AF_INET6)
		goto err_refuse;

	if (sk->sk_protocol == IPPROTO_UDP && sk->sk_type == SOCK_DGRAM)
		return &ovpn_udp_ops;
	if (sk->sk_protocol == IPPROTO_TCP && sk->sk_type == SOCK_STREAM)
		return &ovpn_tcp_ops;
	why = "socket: neither UDP nor TCP";

err_refuse:
	return ERR_PTR(ovpn_nl_refuse(extack, attr, why, -EOPNOTSUPP));
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
				  const struct ovpn_nl_peer *want,
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

/* a peer made of what the command wants, not in the table yet */
static struct ovpn_peer *ovpn_nl_make_peer(struct ovpn_priv *ovpn,
					   const struct ovpn_nl_peer *want)
{
	struct ovpn_peer_endpoint *endpoint;
	struct ovpn_peer *peer;

	peer = ovpn_peer_new(ovpn, want->id, ovpn_keepalive_timer);
	if (!peer)
		return NULL;

	if (want->ep.remote.family != AF_UNSPEC) {
		endpoint = ovpn_peer_endpoint_new(&want->ep, GFP_KERNEL);
		if (!endpoint) {
			ovpn_peer_put(peer);
			return NULL;
		}
		ovpn_peer_set_endpoint(peer, endpoint);
	}
	peer->tx_id = want->tx_id;
	peer->vpn4 = want->vpn4;
	peer->vpn6 = want->vpn6;
	return peer;
}

/* The socket's file is held by the caller until the peer has joined: it
 * cannot close in between, unnoticed.
 */
static int ovpn_nl_start_peer(struct genl_info *info,
			      const struct ovpn_nl_peer *want,
			      const struct ovpn_transport_ops *ops,
			      struct socket *socket)
{
	struct ovpn_priv *ovpn = ovpn_nl_priv(info);
	struct ovpn_socket *sock;
	struct ovpn_peer *peer;
	int ret;

	peer = ovpn_nl_make_peer(ovpn, want);
	if (!peer)
		return -ENOMEM;

	mutex_lock(&ovpn->config);
	sock = ovpn_socket_attach(ovpn, peer, socket, ops,
				  ovpn_session_socket_gone, info->extack);
	if (IS_ERR(sock)) {
		ret = PTR_ERR(sock);
		goto err_put_peer;
	}

	peer->sock = sock;
	ret = ovpn_session_join(peer, info->extack);
	if (ret)
		goto err_detach;
	ovpn_keepalive_set(peer, want->interval, want->timeout);
	mutex_unlock(&ovpn->config);
	return 0;

err_detach:
	ovpn_socket_detach(sock);
err_put_peer:
	mutex_unlock(&ovpn->config);
	ovpn_peer_put(peer);
	return ret;
}

/* which address a peer of a server cannot do without */
static int ovpn_nl_check_mode(const struct ovpn_priv *ovpn,
			      const struct ovpn_nl_peer *want,
			      struct nlattr *nest,
			      struct netlink_ext_ack *extack)
{
	if (ovpn->mode != OVPN_MODE_MP || want->vpn4 ||
	    !ipv6_addr_any(&want->vpn6))
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
	const struct ovpn_transport_ops *ops;
	struct ovpn_nl_peer want = {};
	int ret;

	ops = ovpn_nl_transport(socket, attrs[OVPN_A_PEER_SOCKET], extack);
	if (IS_ERR(ops))
		return PTR_ERR(ops);
	if (ops == &ovpn_tcp_ops)
		ovpn_nl_ignore_endpoint(attrs);

	want.id = nla_get_u32(attrs[OVPN_A_PEER_ID]);
	want.tx_id = want.id;
	ret = ovpn_nl_parse_peer(&want, attrs, nest, extack);
	if (!ret)
		ret = ovpn_nl_check_mode(ovpn_nl_priv(info), &want, nest,
					 extack);
	if (!ret && ops != &ovpn_tcp_ops)
		ret = ovpn_nl_check_endpoint(socket, &want, attrs, nest,
					     extack);
	return ret ?: ovpn_nl_start_peer(info, &want, ops, socket);
}

/**
 * ovpn_nl_peer_new_doit - add a peer
 * @skb: the request
 * @info: the command
 *
 * Return: 0; -EINVAL, -EOPNOTSUPP for a socket of another kind, -EBADF,
 * -ENOTSOCK, -EADDRNOTAVAIL, or as ovpn_socket_attach() and
 * ovpn_session_join().
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

/* the peer as it is now, for the attributes to be laid over */
static void ovpn_nl_current(const struct ovpn_peer *peer,
			    struct ovpn_nl_peer *want)
{
	const struct ovpn_peer_endpoint *endpoint;

	want->id = peer->id;
	want->tx_id = READ_ONCE(peer->tx_id);
	want->vpn4 = peer->vpn4;
	want->vpn6 = peer->vpn6;
	want->interval = READ_ONCE(peer->keepalive_interval);
	want->timeout = READ_ONCE(peer->keepalive_timeout);

	rcu_read_lock();
	endpoint = rcu_dereference(peer->endpoint);
	if (endpoint)
		want->ep = endpoint->ep;
	rcu_read_unlock();
}

/* make the peer what the command wants it to be, or leave it as it is */
static int ovpn_nl_change_peer(struct ovpn_peer *peer,
			       const struct ovpn_nl_peer *want, bool moved,
			       struct netlink_ext_ack *extack)
{
	struct ovpn_priv *ovpn = peer->ovpn;
	struct ovpn_peer_endpoint *endpoint = NULL;
	int ret;

	if (moved) {
		endpoint = ovpn_peer_endpoint_new(&want->ep, GFP_KERNEL);
		if (!endpoint)
			return -ENOMEM;
	}

	spin_lock_bh(&ovpn->lock);
	ret = ovpn_peer_table_set_vpn(peer, want->vpn4, &want->vpn6);
	if (!ret && endpoint) {
		ovpn_peer_set_endpoint(peer, endpoint);
		ovpn_peer_table_rehash(peer);
		endpoint = NULL;
	}
	spin_unlock_bh(&ovpn->lock);

	kfree(endpoint);
	if (ret == -EADDRINUSE)
		NL_SET_ERR_MSG(extack, "VPN address belongs to another peer");
	return ret;
}

static int ovpn_nl_set_peer(struct genl_info *info, struct nlattr **attrs,
			    struct ovpn_peer *peer)
{
	struct netlink_ext_ack *extack = info->extack;
	struct ovpn_nl_peer want = {};
	struct nlattr *remote;
	bool moved;
	int ret;

	if (peer->sock->ops == &ovpn_tcp_ops)
		ovpn_nl_ignore_endpoint(attrs);
	remote = ovpn_nl_remote_attr(attrs);
	ovpn_nl_current(peer, &want);
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
	ret = ovpn_nl_change_peer(peer, &want, moved, extack);
	if (ret)
		return ret;

	WRITE_ONCE(peer->tx_id, want.tx_id);
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
	peer = ovpn_nl_peer_get(info, attrs);
	ret = peer ? ovpn_nl_set_peer(info, attrs, peer) : -ENOENT;
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
	struct ovpn_priv *ovpn = ovpn_nl_priv(info);
	struct ovpn_peer *peer;
	int ret;

	ret = ovpn_nl_peer_attrs(info, attrs, OVPN_A_PEER_ID,
				 ovpn_peer_del_input_nl_policy);
	if (ret)
		return ret;

	mutex_lock(&ovpn->config);
	peer = ovpn_nl_peer_get(info, attrs);
	if (peer)
		ovpn_session_leave(peer, OVPN_DEL_PEER_REASON_USERSPACE);
	mutex_unlock(&ovpn->config);

	if (!peer)
		return -ENOENT;
	ovpn_peer_put(peer);
	return 0;
}
