/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/* A kind of encapsulation */

#ifndef _OVPN_COMPAT_UAPI_LINUX_UDP_H_
#define _OVPN_COMPAT_UAPI_LINUX_UDP_H_

#include_next <uapi/linux/udp.h>

#ifndef UDP_ENCAP_OVPNINUDP
#define UDP_ENCAP_OVPNINUDP	8
#endif

#endif /* _OVPN_COMPAT_UAPI_LINUX_UDP_H_ */
