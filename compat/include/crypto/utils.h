/* SPDX-License-Identifier: GPL-2.0-only */
/* A file of its own since 6.4 */

#if __has_include_next(<crypto/utils.h>)
#include_next <crypto/utils.h>
#else
#include <crypto/algapi.h>
#endif
