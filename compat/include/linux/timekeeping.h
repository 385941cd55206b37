/* SPDX-License-Identifier: GPL-2.0-only */
/* Did not compile alone */

#ifndef _OVPN_COMPAT_LINUX_TIMEKEEPING_H_
#define _OVPN_COMPAT_LINUX_TIMEKEEPING_H_

#include <linux/ktime.h>
#include_next <linux/timekeeping.h>

#endif /* _OVPN_COMPAT_LINUX_TIMEKEEPING_H_ */
