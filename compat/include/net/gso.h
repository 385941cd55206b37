/* SPDX-License-Identifier: GPL-2.0-only */
/* A file of its own since 6.5 */

#if __has_include_next(<net/gso.h>)
#include_next <net/gso.h>
#else
#include <linux/netdevice.h>
#endif
