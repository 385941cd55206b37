/* SPDX-License-Identifier: GPL-2.0-only */
/* Per-CPU data that only code with BH off touches. Where this lock does not
 * exist, BH off is enough: it keeps all others off the CPU, PREEMPT_RT or not.
 */

#ifndef _OVPN_COMPAT_LINUX_LOCAL_LOCK_H_
#define _OVPN_COMPAT_LINUX_LOCAL_LOCK_H_

#include_next <linux/local_lock.h>

#ifndef local_lock_nested_bh
#include <linux/lockdep.h>

#define local_lock_nested_bh(lock)	lockdep_assert_in_softirq()
#define local_unlock_nested_bh(lock)	do { } while (0)
#endif

#endif /* _OVPN_COMPAT_LINUX_LOCAL_LOCK_H_ */
