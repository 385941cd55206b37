/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Key material for tests, from a short string.
 *
 * Byte i of (SECRET, d, LABEL) is the low byte of FNV-1a-32 over the text
 * "SECRET|d|LABEL|i", where d is the direction 0 or 1, LABEL is "key" or
 * "tail" and i is decimal.  A key is the first bits/8 bytes of "key" (16, 24
 * or 32), the nonce tail the first 8 bytes of "tail".
 *
 * The end with "dir 0" encrypts with d=0 and decrypts with d=1; the end with
 * "dir 1" does the reverse.
 *
 * This is no key derivation function: it only gives two programs the same
 * bytes that differ for every secret and direction.
 */
#ifndef _OVPN_KEYEXP_H
#define _OVPN_KEYEXP_H

#include <linux/types.h>
#include <stddef.h>
#include <stdio.h>

#define KEYEXP_KEY_MAX	32
#define KEYEXP_TAIL_LEN	8

static inline __u32 keyexp_fnv1a(__u32 hash, const char *text)
{
	for (; *text; text++)
		hash = (hash ^ (__u8)*text) * 16777619u;
	return hash;
}

static inline void keyexp_bytes(const char *secret, unsigned int d,
				const char *label, __u8 *out, size_t len)
{
	char tail[40];
	size_t i;

	for (i = 0; i < len; i++) {
		__u32 hash = keyexp_fnv1a(2166136261u, secret);

		snprintf(tail, sizeof(tail), "|%u|%.8s|%zu", d & 1, label, i);
		out[i] = keyexp_fnv1a(hash, tail) & 0xff;
	}
}

#endif /* _OVPN_KEYEXP_H */
