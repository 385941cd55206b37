/* SPDX-License-Identifier: GPL-2.0-only */
/* ChaCha's state as a type of its own */

#ifndef _OVPN_COMPAT_CRYPTO_CHACHA_H_
#define _OVPN_COMPAT_CRYPTO_CHACHA_H_

#include_next <crypto/chacha.h>

#include <ovpn-lacks.h>

#ifdef OVPN_LACKS_CHACHA_STATE

#include <linux/string.h>

#define CHACHA_KEY_WORDS	(CHACHA_KEY_SIZE / sizeof(u32))

struct chacha_state {
	u32 x[CHACHA_STATE_WORDS] __aligned(16);
};

static inline void ovpn_compat_chacha_init(struct chacha_state *state,
					   const u32 *key, const u8 *iv)
{
	chacha_init(state->x, key, iv);
}

static inline void ovpn_compat_chacha20_crypt(struct chacha_state *state,
					      u8 *dst, const u8 *src,
					      unsigned int bytes)
{
	chacha20_crypt(state->x, dst, src, bytes);
}

static inline void chacha_zeroize_state(struct chacha_state *state)
{
	memzero_explicit(state, sizeof(*state));
}

#define chacha_init	ovpn_compat_chacha_init
#define chacha20_crypt	ovpn_compat_chacha20_crypt

#endif /* OVPN_LACKS_CHACHA_STATE */
#endif /* _OVPN_COMPAT_CRYPTO_CHACHA_H_ */
