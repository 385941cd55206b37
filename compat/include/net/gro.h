/* SPDX-License-Identifier: GPL-2.0-only */
/* Chains of datagrams are not made with old kernels, see net/udp_tunnel.h. The
 * code that makes them is compiled all the same, and never called.
 */

#ifndef _OVPN_COMPAT_NET_GRO_H_
#define _OVPN_COMPAT_NET_GRO_H_

#include_next <net/gro.h>

#include <ovpn-lacks.h>

#ifdef OVPN_LACKS_GRO_FLUSH
#define network_offset	data_offset

static inline int __gro_receive_network_flush(const void *th, const void *th2,
					      struct sk_buff *p, u16 diff,
					      bool inner)
{
	return 1;
}
#endif

#endif /* _OVPN_COMPAT_NET_GRO_H_ */
