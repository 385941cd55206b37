/* SPDX-License-Identifier: GPL-2.0-only */
/* The next CPU, round and round. It took two more arguments once, and headers
 * of the kernel give them.
 */

#ifndef _OVPN_COMPAT_LINUX_CPUMASK_H_
#define _OVPN_COMPAT_LINUX_CPUMASK_H_

#include_next <linux/cpumask.h>

#include <ovpn-lacks.h>

#ifdef OVPN_LACKS_CPUMASK_NEXT_WRAP

static inline unsigned int ovpn_compat_next_wrap2(int cpu,
						  const struct cpumask *mask)
{
	unsigned int next = cpumask_next(cpu, mask);

	return next < nr_cpu_ids ? next : cpumask_first(mask);
}

static inline unsigned int ovpn_compat_next_wrap4(int cpu,
						  const struct cpumask *mask,
						  int start, bool wrap)
{
	return cpumask_next_wrap(cpu, mask, start, wrap);
}

#define ovpn_compat_next_wrap(cpu, mask, start, wrap, name, ...) name
#define cpumask_next_wrap(...) \
	ovpn_compat_next_wrap(__VA_ARGS__, ovpn_compat_next_wrap4, , \
			      ovpn_compat_next_wrap2)(__VA_ARGS__)

#endif /* OVPN_LACKS_CPUMASK_NEXT_WRAP */
#endif /* _OVPN_COMPAT_LINUX_CPUMASK_H_ */
