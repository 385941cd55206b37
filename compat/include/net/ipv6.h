/* SPDX-License-Identifier: GPL-2.0-only */
/* The operations of TCP sockets of IPv6, which are no symbol for modules: any
 * socket tells where they are.
 */

#ifndef _OVPN_COMPAT_NET_IPV6_H_
#define _OVPN_COMPAT_NET_IPV6_H_

#include_next <net/ipv6.h>

#include <ovpn-lacks.h>

#ifdef OVPN_LACKS_INET6_STREAM_OPS
#include <linux/in.h>
#include <linux/net.h>
#include <net/inet_common.h>
#include <net/net_namespace.h>

/* Without IPv6 there is no socket that would need them. */
static inline const struct proto_ops *ovpn_compat_inet6_stream_ops(void)
{
	const struct proto_ops *ops = &inet_stream_ops;
	struct socket *socket;

	if (!sock_create_kern(&init_net, PF_INET6, SOCK_STREAM, IPPROTO_TCP,
			      &socket)) {
		ops = socket->ops;
		sock_release(socket);
	}
	return ops;
}

#define inet6_stream_ops	(*ovpn_compat_inet6_stream_ops())
#endif /* OVPN_LACKS_INET6_STREAM_OPS */

#endif /* _OVPN_COMPAT_NET_IPV6_H_ */
