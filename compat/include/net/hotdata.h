/* SPDX-License-Identifier: GPL-2.0-only */
/* What is hot has a place of its own since 6.9 */

#if __has_include_next(<net/hotdata.h>)
#include_next <net/hotdata.h>
#else
#ifndef _OVPN_COMPAT_NET_HOTDATA_H_
#define _OVPN_COMPAT_NET_HOTDATA_H_

#include <linux/netdevice.h>

struct ovpn_compat_hotdata {
	int max_backlog;
};

#define net_hotdata \
	(*(struct ovpn_compat_hotdata *)&netdev_max_backlog)

#endif /* _OVPN_COMPAT_NET_HOTDATA_H_ */
#endif
