/* SPDX-License-Identifier: GPL-2.0-only */
/* A work queue is per CPU unless it says otherwise */

#ifndef _OVPN_COMPAT_LINUX_WORKQUEUE_H_
#define _OVPN_COMPAT_LINUX_WORKQUEUE_H_

#include_next <linux/workqueue.h>

#include <ovpn-lacks.h>

#ifdef OVPN_LACKS_WQ_PERCPU
#define WQ_PERCPU	0
#endif

#endif /* _OVPN_COMPAT_LINUX_WORKQUEUE_H_ */
