/* SPDX-License-Identifier: GPL-2.0-only */
/* To ask whether a socket has an upper layer protocol changes nothing */

#ifndef _OVPN_COMPAT_NET_INET_CONNECTION_SOCK_H_
#define _OVPN_COMPAT_NET_INET_CONNECTION_SOCK_H_

#include_next <net/inet_connection_sock.h>

#include <ovpn-lacks.h>

#ifdef OVPN_LACKS_ULP_CONST
#define inet_csk_has_ulp(sk)	inet_csk_has_ulp((struct sock *)(sk))
#endif

#endif /* _OVPN_COMPAT_NET_INET_CONNECTION_SOCK_H_ */
