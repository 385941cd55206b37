/* SPDX-License-Identifier: GPL-2.0-only */
/* Masks of a certain width */

#ifndef _OVPN_COMPAT_LINUX_BITS_H_
#define _OVPN_COMPAT_LINUX_BITS_H_

#include_next <linux/bits.h>

#ifndef GENMASK_U32
#define GENMASK_U32(high, low)	((u32)GENMASK(high, low))
#endif

#endif /* _OVPN_COMPAT_LINUX_BITS_H_ */
