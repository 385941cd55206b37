/* SPDX-License-Identifier: GPL-2.0-only */
/* Another name */

#ifndef _OVPN_COMPAT_LINUX_TIMER_H_
#define _OVPN_COMPAT_LINUX_TIMER_H_

#include_next <linux/timer.h>

#ifndef timer_container_of
#define timer_container_of(var, timer, field) \
	container_of(timer, typeof(*(var)), field)
#endif

#endif /* _OVPN_COMPAT_LINUX_TIMER_H_ */
