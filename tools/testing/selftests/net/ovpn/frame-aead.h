/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Sealing and opening of data channel datagrams with AES-GCM (NIST SP 800-38D)
 * and ChaCha20-Poly1305 (RFC 8439), in plain C.
 *
 * Deliberately not the kernel's ciphers: a test that seals with the code under
 * test would not see both ends go wrong together, and AF_ALG is restricted or
 * absent on many kernels.  Test keys only: nothing here runs in constant time.
 */
#ifndef _OVPN_FRAME_AEAD_H
#define _OVPN_FRAME_AEAD_H

#include <arpa/inet.h>
#include <err.h>
#include <linux/types.h>
#include <stdbool.h>
#include <string.h>

#include "keyexp.h"

#define FRAME_AAD_LEN	8
#define FRAME_TAG_LEN	16
#define FRAME_IV_LEN	12

struct frame_ghash {
	__u64 hi, lo;		/* bytes 0..7 and 8..15 as big endian numbers */
};

struct frame_aead {
	bool chacha;
	unsigned int rounds;
	__u32 key[60];		/* AES: the round keys */
	struct frame_ghash h[16];
	__u8 tail[KEYEXP_TAIL_LEN];
};

static inline __u32 frame_be32(const __u8 *p)
{
	return (__u32)p[0] << 24 | p[1] << 16 | p[2] << 8 | p[3];
}

static inline __u32 frame_le32(const __u8 *p)
{
	return (__u32)p[3] << 24 | p[2] << 16 | p[1] << 8 | p[0];
}

static inline __u32 frame_rotl(__u32 v, unsigned int n)
{
	return v << n | v >> (32 - n);
}

static inline void frame_put_be64(__u8 *p, __u64 v)
{
	int i;

	for (i = 7; i >= 0; i--, v >>= 8)
		p[i] = v;
}

static inline void frame_put_le32(__u8 *p, __u32 v)
{
	int i;

	for (i = 0; i < 4; i++, v >>= 8)
		p[i] = v;
}

/* AES: the S-box, and one column of SubBytes + MixColumns */
static __u8 frame_sbox[256];
static __u32 frame_te[256];

static inline __u8 frame_xtime(__u8 v)
{
	return v << 1 ^ (v >> 7) * 0x1b;
}

static inline void frame_aes_tables(void)
{
	__u8 p = 1, q = 1, s, s2;
	int i;

	/* q stays the inverse of p: p runs by *3, q by /3 */
	do {
		p ^= frame_xtime(p);
		q ^= q << 1;
		q ^= q << 2;
		q ^= q << 4;
		if (q & 0x80)
			q ^= 0x09;
		frame_sbox[p] = 0x63 ^ q ^ (q << 1 | q >> 7) ^
				(q << 2 | q >> 6) ^ (q << 3 | q >> 5) ^
				(q << 4 | q >> 4);
	} while (p != 1);
	frame_sbox[0] = 0x63;
	for (i = 0; i < 256; i++) {
		s = frame_sbox[i];
		s2 = frame_xtime(s);
		frame_te[i] = (__u32)s2 << 24 | s << 16 | s << 8 | (s ^ s2);
	}
}

static inline __u32 frame_subword(__u32 v)
{
	return (__u32)frame_sbox[v >> 24] << 24 |
	       frame_sbox[v >> 16 & 255] << 16 |
	       frame_sbox[v >> 8 & 255] << 8 | frame_sbox[v & 255];
}

static inline void frame_aes_setkey(struct frame_aead *aead, const __u8 *key,
				    unsigned int words)
{
	unsigned int i;
	__u8 rcon = 1;
	__u32 v;

	aead->rounds = words + 6;
	for (i = 0; i < 4 * (aead->rounds + 1); i++) {
		if (i < words) {
			aead->key[i] = frame_be32(key + 4 * i);
			continue;
		}
		v = aead->key[i - 1];
		if (i % words == 0) {
			v = frame_subword(frame_rotl(v, 8)) ^
			    (__u32)rcon << 24;
			rcon = frame_xtime(rcon);
		} else if (words > 6 && i % words == 4) {
			v = frame_subword(v);
		}
		aead->key[i] = aead->key[i - words] ^ v;
	}
}

static inline void frame_aes_block(const struct frame_aead *aead,
				   const __u8 *in, __u8 *out)
{
	const __u32 *key = aead->key;
	unsigned int round, i;
	__u32 s[4], t[4];

	for (i = 0; i < 4; i++)
		s[i] = frame_be32(in + 4 * i) ^ *key++;
	for (round = 1; round < aead->rounds; round++) {
		for (i = 0; i < 4; i++)
			t[i] = frame_te[s[i] >> 24] ^
			       frame_rotl(frame_te[s[(i + 1) & 3] >> 16 & 255],
					  24) ^
			       frame_rotl(frame_te[s[(i + 2) & 3] >> 8 & 255],
					  16) ^
			       frame_rotl(frame_te[s[(i + 3) & 3] & 255], 8) ^
			       *key++;
		memcpy(s, t, sizeof(s));
	}
	for (i = 0; i < 4; i++) {
		t[0] = (s[i] & 0xff000000) | (s[(i + 1) & 3] & 0xff0000) |
		       (s[(i + 2) & 3] & 0xff00) | (s[(i + 3) & 3] & 0xff);
		t[1] = htonl(frame_subword(t[0]) ^ *key++);
		memcpy(out + 4 * i, &t[1], 4);
	}
}

/* times x, in GCM's reflected order of bits */
static inline struct frame_ghash frame_ghash_mulx(struct frame_ghash v)
{
	__u64 carry = v.lo & 1;

	v.lo = v.lo >> 1 | v.hi << 63;
	v.hi = v.hi >> 1 ^ carry * 0xe100000000000000ull;
	return v;
}

/* h[n] = n * H for the sixteen values of four bits */
static inline void frame_ghash_setkey(struct frame_aead *aead)
{
	__u8 zero[16] = {}, hash[16];
	struct frame_ghash v;
	unsigned int bit, i;

	frame_aes_block(aead, zero, hash);
	v.hi = (__u64)frame_be32(hash) << 32 | frame_be32(hash + 4);
	v.lo = (__u64)frame_be32(hash + 8) << 32 | frame_be32(hash + 12);
	for (bit = 8; bit; bit >>= 1, v = frame_ghash_mulx(v)) {
		for (i = 0; i < 16; i++) {
			if (!(i & bit))
				continue;
			aead->h[i].hi ^= v.hi;
			aead->h[i].lo ^= v.lo;
		}
	}
}

static inline void frame_ghash(const struct frame_aead *aead, __u8 *sum,
			       const __u8 *data, size_t len)
{
	struct frame_ghash z;
	unsigned int i, j;

	for (; len; data += i, len -= i) {
		for (i = 0; i < 16 && i < len; i++)
			sum[i] ^= data[i];
		z.hi = 0;
		z.lo = 0;
		for (j = 32; j--;) {
			unsigned int nib = sum[j / 2] >> (j & 1 ? 0 : 4) & 15;
			__u64 rem = z.lo & 15;

			z.lo = z.lo >> 4 | z.hi << 60;
			z.hi = z.hi >> 4 ^ (rem & 8) / 8 * (0xe1ull << 56) ^
			       (rem & 4) / 4 * (0xe1ull << 55) ^
			       (rem & 2) / 2 * (0xe1ull << 54) ^
			       (rem & 1) * (0xe1ull << 53);
			z.hi ^= aead->h[nib].hi;
			z.lo ^= aead->h[nib].lo;
		}
		frame_put_be64(sum, z.hi);
		frame_put_be64(sum + 8, z.lo);
	}
}

static inline void frame_chacha_quarter(__u32 *x, int a, int b, int c, int d)
{
	x[a] += x[b];
	x[d] = frame_rotl(x[d] ^ x[a], 16);
	x[c] += x[d];
	x[b] = frame_rotl(x[b] ^ x[c], 12);
	x[a] += x[b];
	x[d] = frame_rotl(x[d] ^ x[a], 8);
	x[c] += x[d];
	x[b] = frame_rotl(x[b] ^ x[c], 7);
}

static inline void frame_chacha_block(const struct frame_aead *aead,
				      const __u8 *iv, __u32 counter, __u8 *out)
{
	__u32 in[16], x[16];
	int i;

	for (i = 0; i < 4; i++)
		in[i] = frame_le32((const __u8 *)"expand 32-byte k" + 4 * i);
	memcpy(in + 4, aead->key, 32);
	in[12] = counter;
	for (i = 0; i < 3; i++)
		in[13 + i] = frame_le32(iv + 4 * i);
	memcpy(x, in, sizeof(x));
	for (i = 0; i < 10; i++) {
		frame_chacha_quarter(x, 0, 4, 8, 12);
		frame_chacha_quarter(x, 1, 5, 9, 13);
		frame_chacha_quarter(x, 2, 6, 10, 14);
		frame_chacha_quarter(x, 3, 7, 11, 15);
		frame_chacha_quarter(x, 0, 5, 10, 15);
		frame_chacha_quarter(x, 1, 6, 11, 12);
		frame_chacha_quarter(x, 2, 7, 8, 13);
		frame_chacha_quarter(x, 3, 4, 9, 14);
	}
	for (i = 0; i < 16; i++)
		frame_put_le32(out + 4 * i, x[i] + in[i]);
}

struct frame_poly {
	__u32 r[5], h[5];	/* limbs of 26 bits */
	__u8 pad[16];
};

static inline void frame_poly_limbs(__u32 *v, const __u8 *p)
{
	v[0] = frame_le32(p) & 0x3ffffff;
	v[1] = frame_le32(p + 3) >> 2 & 0x3ffffff;
	v[2] = frame_le32(p + 6) >> 4 & 0x3ffffff;
	v[3] = frame_le32(p + 9) >> 6 & 0x3ffffff;
	v[4] = frame_le32(p + 12) >> 8;
}

static inline void frame_poly_init(struct frame_poly *poly, const __u8 *key)
{
	static const __u32 clamp[5] = {
		0x3ffffff, 0x3ffff03, 0x3ffc0ff, 0x3f03fff, 0x00fffff,
	};
	int i;

	frame_poly_limbs(poly->r, key);
	for (i = 0; i < 5; i++) {
		poly->r[i] &= clamp[i];
		poly->h[i] = 0;
	}
	memcpy(poly->pad, key + 16, 16);
}

/* data is padded with zeroes to whole blocks, as the AEAD wants it */
static inline void frame_poly_update(struct frame_poly *poly, const __u8 *data,
				     size_t len)
{
	__u8 block[16];
	__u64 d[5], carry;
	__u32 m[5];
	size_t part;
	int i, j;

	for (; len; data += part, len -= part) {
		part = len < 16 ? len : 16;
		memset(block, 0, sizeof(block));
		memcpy(block, data, part);
		frame_poly_limbs(m, block);
		m[4] |= 1 << 24;
		for (i = 0; i < 5; i++)
			poly->h[i] += m[i];
		for (i = 0; i < 5; i++) {
			d[i] = 0;
			for (j = 0; j < 5; j++)
				d[i] += (__u64)poly->h[j] *
					(j <= i ? poly->r[i - j] :
						  5 * poly->r[5 + i - j]);
		}
		for (i = 0, carry = 0; i < 5; i++) {
			d[i] += carry;
			poly->h[i] = d[i] & 0x3ffffff;
			carry = d[i] >> 26;
		}
		carry = poly->h[0] + carry * 5;
		poly->h[0] = carry & 0x3ffffff;
		poly->h[1] += carry >> 26;
	}
}

static inline void frame_poly_final(struct frame_poly *poly, __u8 *tag)
{
	__u32 g[5], carry;
	__u64 sum;
	int i, pass;

	for (pass = 0, carry = 0; pass < 2; pass++) {
		for (i = 0; i < 5; i++) {
			poly->h[i] += carry;
			carry = poly->h[i] >> 26;
			poly->h[i] &= 0x3ffffff;
		}
		carry *= 5;
	}
	poly->h[0] += carry;
	/* h + 5 reaching 2^130 means that h is not below the prime */
	for (i = 0, carry = 5; i < 5; i++) {
		g[i] = poly->h[i] + carry;
		carry = g[i] >> 26;
		g[i] &= 0x3ffffff;
	}
	if (carry)
		memcpy(poly->h, g, sizeof(g));
	for (i = 0, sum = 0; i < 4; i++) {
		sum += (poly->h[i] >> 6 * i | (__u64)poly->h[i + 1] <<
			(26 - 6 * i)) & 0xffffffff;
		sum += frame_le32(poly->pad + 4 * i);
		frame_put_le32(tag + 4 * i, sum);
		sum >>= 32;
	}
}

static inline void frame_aead_init(struct frame_aead *aead, const char *cipher,
				   unsigned int bits, const char *secret,
				   unsigned int d)
{
	__u8 key[KEYEXP_KEY_MAX];
	int i;

	memset(aead, 0, sizeof(*aead));
	aead->chacha = !strcmp(cipher, "chacha20-poly1305");
	if (aead->chacha)
		bits = 256;
	else if (strcmp(cipher, "aes-gcm"))
		errx(2, "unknown cipher %s", cipher);
	if (bits != 128 && bits != 192 && bits != 256)
		errx(2, "unknown key length %u", bits);
	keyexp_bytes(secret, d, "key", key, bits / 8);
	keyexp_bytes(secret, d, "tail", aead->tail, sizeof(aead->tail));
	if (aead->chacha) {
		for (i = 0; i < 8; i++)
			aead->key[i] = frame_le32(key + 4 * i);
		return;
	}
	frame_aes_tables();
	frame_aes_setkey(aead, key, bits / 32);
	frame_ghash_setkey(aead);
}

/* en- or decrypts: block 0 (ChaCha) or 1 (GCM) is the tag's, data follows */
static inline void frame_stream(const struct frame_aead *aead, const __u8 *iv,
				__u8 *text, size_t len)
{
	__u8 counter[16], key[64];
	__u32 block = aead->chacha ? 1 : 2;
	size_t i, step = aead->chacha ? 64 : 16;

	memcpy(counter, iv, FRAME_IV_LEN);
	for (; len; text += i, len -= i, block++) {
		if (aead->chacha) {
			frame_chacha_block(aead, iv, block, key);
		} else {
			__u32 be = htonl(block);

			memcpy(counter + FRAME_IV_LEN, &be, 4);
			frame_aes_block(aead, counter, key);
		}
		for (i = 0; i < step && i < len; i++)
			text[i] ^= key[i];
	}
}

static inline void frame_tag(const struct frame_aead *aead, const __u8 *iv,
			     const __u8 *aad, const __u8 *text, size_t len,
			     __u8 *tag)
{
	__u8 sizes[16] = {}, block[64] = {};
	struct frame_poly poly;
	int i;

	if (aead->chacha) {
		frame_chacha_block(aead, iv, 0, block);
		frame_poly_init(&poly, block);
		frame_poly_update(&poly, aad, FRAME_AAD_LEN);
		frame_poly_update(&poly, text, len);
		frame_put_le32(sizes, FRAME_AAD_LEN);
		frame_put_le32(sizes + 8, len);
		frame_poly_update(&poly, sizes, sizeof(sizes));
		frame_poly_final(&poly, tag);
		return;
	}
	memset(tag, 0, FRAME_TAG_LEN);
	frame_ghash(aead, tag, aad, FRAME_AAD_LEN);
	frame_ghash(aead, tag, text, len);
	frame_put_be64(sizes, FRAME_AAD_LEN * 8);
	frame_put_be64(sizes + 8, (__u64)len * 8);
	frame_ghash(aead, tag, sizes, sizeof(sizes));
	memcpy(block, iv, FRAME_IV_LEN);
	block[15] = 1;
	frame_aes_block(aead, block, block + 16);
	for (i = 0; i < FRAME_TAG_LEN; i++)
		tag[i] ^= block[16 + i];
}

static inline void frame_iv(const struct frame_aead *aead, const __u8 *frame,
			    __u8 *iv)
{
	memcpy(iv, frame + 4, 4);
	memcpy(iv + 4, aead->tail, KEYEXP_TAIL_LEN);
}

/* frame: AAD, room for the tag, then len bytes sealed in place */
static inline void frame_seal(const struct frame_aead *aead, __u8 *frame,
			      size_t len)
{
	__u8 *text = frame + FRAME_AAD_LEN + FRAME_TAG_LEN;
	__u8 iv[FRAME_IV_LEN];

	frame_iv(aead, frame, iv);
	frame_stream(aead, iv, text, len);
	frame_tag(aead, iv, frame, text, len, frame + FRAME_AAD_LEN);
}

/* opens a frame of len bytes in place: -1 or the length of the text */
static inline int frame_open(const struct frame_aead *aead, __u8 *frame,
			     size_t len)
{
	__u8 *text = frame + FRAME_AAD_LEN + FRAME_TAG_LEN;
	__u8 iv[FRAME_IV_LEN], tag[FRAME_TAG_LEN];

	if (len < FRAME_AAD_LEN + FRAME_TAG_LEN)
		return -1;
	len -= FRAME_AAD_LEN + FRAME_TAG_LEN;
	frame_iv(aead, frame, iv);
	frame_tag(aead, iv, frame, text, len, tag);
	if (memcmp(tag, frame + FRAME_AAD_LEN, FRAME_TAG_LEN))
		return -1;
	frame_stream(aead, iv, text, len);
	return len;
}

#endif /* _OVPN_FRAME_AEAD_H */
