/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Read by sparse 0.6.4, the latest release, before each file: what the kernel
 * asks of a checker that this one cannot do. After an error sparse is silent
 * about the rest of a file, so that errors cannot be filtered afterwards.
 */
#define __typeof_unqual__ __typeof__

/* In the static assertion of MODULE_LICENSE() and its like. */
#define __builtin_strlen(string) (sizeof(string) - 1)
