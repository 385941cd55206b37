/* SPDX-License-Identifier: GPL-2.0-only */
/* From a route to one of IPv4 */

#ifndef _OVPN_COMPAT_NET_ROUTE_H_
#define _OVPN_COMPAT_NET_ROUTE_H_

#include_next <net/route.h>

#ifndef dst_rtable
#define dst_rtable(ptr)		container_of(ptr, struct rtable, dst)
#endif

#endif /* _OVPN_COMPAT_NET_ROUTE_H_ */
