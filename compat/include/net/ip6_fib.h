/* SPDX-License-Identifier: GPL-2.0-only */
/* From a route to one of IPv6 */

#ifndef _OVPN_COMPAT_NET_IP6_FIB_H_
#define _OVPN_COMPAT_NET_IP6_FIB_H_

#include_next <net/ip6_fib.h>

#ifndef dst_rt6_info
#define dst_rt6_info(ptr)	container_of(ptr, struct rt6_info, dst)
#endif

#endif /* _OVPN_COMPAT_NET_IP6_FIB_H_ */
