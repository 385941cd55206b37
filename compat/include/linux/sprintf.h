/* SPDX-License-Identifier: GPL-2.0-only */
/* A file of its own since 6.6 */

#if __has_include_next(<linux/sprintf.h>)
#include_next <linux/sprintf.h>
#else
#include <linux/kernel.h>
#endif
