/* SPDX-License-Identifier: GPL-2.0-only */
/* Flags and DSCP of a socket */

#ifndef _OVPN_COMPAT_NET_INET_SOCK_H_
#define _OVPN_COMPAT_NET_INET_SOCK_H_

#include_next <net/inet_sock.h>

#include <ovpn-lacks.h>

/* bit fields, before they were numbered */
#ifndef inet_test_bit
#define ovpn_compat_inet_MC_LOOP	mc_loop
#define inet_test_bit(flag, sk) \
	(inet_sk(sk)->ovpn_compat_inet_##flag)
#define inet_assign_bit(flag, sk, value) \
	(inet_sk(sk)->ovpn_compat_inet_##flag = (value))
#endif

/* as far as it is used to find a route */
#ifdef OVPN_LACKS_INET_SK_DSCP
#include <net/inet_dscp.h>

static inline u8 inet_sk_dscp(const struct inet_sock *inet)
{
	return READ_ONCE(inet->tos) & INET_DSCP_MASK;
}
#endif

#endif /* _OVPN_COMPAT_NET_INET_SOCK_H_ */
