/* SPDX-License-Identifier: GPL-2.0-only */
/* Room for a dump's own state */

#ifndef _OVPN_COMPAT_LINUX_NETLINK_H_
#define _OVPN_COMPAT_LINUX_NETLINK_H_

#include_next <linux/netlink.h>

#ifndef NL_ASSERT_CTX_FITS
#define NL_ASSERT_CTX_FITS(type)					\
	BUILD_BUG_ON(sizeof(type) >					\
		     sizeof_field(struct netlink_callback, ctx))
#endif

#endif /* _OVPN_COMPAT_LINUX_NETLINK_H_ */
