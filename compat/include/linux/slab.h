/* SPDX-License-Identifier: GPL-2.0-only */
/* Memory for one object */

#ifndef _OVPN_COMPAT_LINUX_SLAB_H_
#define _OVPN_COMPAT_LINUX_SLAB_H_

#include_next <linux/slab.h>

#ifndef kzalloc_obj
/* the flags, if any are given */
#define ovpn_compat_gfp_(first, flags, ...)	flags
#define ovpn_compat_gfp(...) \
	ovpn_compat_gfp_(, ##__VA_ARGS__, GFP_KERNEL)

#define kmalloc_obj(object, ...) \
	kmalloc(sizeof(object), ovpn_compat_gfp(__VA_ARGS__))
#define kzalloc_obj(object, ...) \
	kzalloc(sizeof(object), ovpn_compat_gfp(__VA_ARGS__))
#endif

#endif /* _OVPN_COMPAT_LINUX_SLAB_H_ */
