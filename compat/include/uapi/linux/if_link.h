/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/* Attributes of an ovpn link; part of the kernel's since 6.16 */

#ifndef _OVPN_COMPAT_UAPI_LINUX_IF_LINK_H_
#define _OVPN_COMPAT_UAPI_LINUX_IF_LINK_H_

#include_next <uapi/linux/if_link.h>

#include <ovpn-lacks.h>

#ifdef OVPN_LACKS_IFLA_OVPN

enum ovpn_mode {
	OVPN_MODE_P2P,
	OVPN_MODE_MP,
};

enum {
	IFLA_OVPN_UNSPEC,
	IFLA_OVPN_MODE,
	__IFLA_OVPN_MAX,
};

#define IFLA_OVPN_MAX	(__IFLA_OVPN_MAX - 1)

#endif /* OVPN_LACKS_IFLA_OVPN */
#endif /* _OVPN_COMPAT_UAPI_LINUX_IF_LINK_H_ */
