/* SPDX-License-Identifier: GPL-2.0-only */
/* Synchronous AEADs for kernels that have none.
 *
 * The fast ciphers of old kernels work with the FPU, which a softirq that has
 * interrupted somebody else's use of it cannot have; what they register for
 * all to use is asynchronous therefore. But the part of them that does the
 * work is synchronous, if hidden: it is used whenever the FPU is free, and a
 * plain cipher, which needs none, whenever it is not.
 *
 * A cipher that is put together of others, as the plain one is, keeps buffers
 * in the request, and maps them by their pages. The stack need not have such:
 * those requests are made anew, in memory that has.
 */

#ifndef _OVPN_COMPAT_CRYPTO_AEAD_H_
#define _OVPN_COMPAT_CRYPTO_AEAD_H_

#include_next <crypto/aead.h>

#include <ovpn-lacks.h>

#ifdef OVPN_LACKS_AEAD_SYNC

#include <crypto/internal/simd.h>
#include <asm/simd.h>
#include <linux/err.h>
#include <linux/errno.h>
#include <linux/slab.h>
#include <linux/sprintf.h>

/* what a request on the stack has room for: nothing of the cipher's own */
#define MAX_SYNC_AEAD_REQSIZE	0

/* the cipher twice: @simd, which may be NULL, and @plain */
struct ovpn_compat_aead {
	struct crypto_aead *simd;
	struct crypto_aead *plain;
};

struct crypto_sync_aead {
	struct ovpn_compat_aead base;
};

static inline struct crypto_sync_aead *
crypto_alloc_sync_aead(const char *name, u32 type, u32 mask)
{
	char hidden[CRYPTO_MAX_ALG_NAME];
	struct crypto_sync_aead *sync;
	struct crypto_aead *tfm;

	sync = kzalloc_obj(*sync);
	if (!sync)
		return ERR_PTR(-ENOMEM);

	tfm = crypto_alloc_aead(name, type, mask | CRYPTO_ALG_ASYNC);
	if (IS_ERR(tfm)) {
		kfree(sync);
		return ERR_CAST(tfm);
	}
	sync->base.plain = tfm;

	snprintf(hidden, sizeof(hidden), "__%s", name);
	mask |= CRYPTO_ALG_ASYNC | CRYPTO_ALG_INTERNAL;
	tfm = crypto_alloc_aead(hidden, type | CRYPTO_ALG_INTERNAL, mask);
	if (!IS_ERR(tfm))
		sync->base.simd = tfm;
	return sync;
}

static inline void ovpn_compat_aead_free(struct ovpn_compat_aead *aead)
{
	if (aead->simd)
		crypto_free_aead(aead->simd);
	crypto_free_aead(aead->plain);
	kfree(container_of(aead, struct crypto_sync_aead, base));
}

static inline int ovpn_compat_aead_setkey(struct ovpn_compat_aead *aead,
					  const u8 *key, unsigned int size)
{
	int ret = crypto_aead_setkey(aead->plain, key, size);

	if (!ret && aead->simd)
		ret = crypto_aead_setkey(aead->simd, key, size);
	return ret;
}

static inline int ovpn_compat_aead_setauthsize(struct ovpn_compat_aead *aead,
					       unsigned int size)
{
	int ret = crypto_aead_setauthsize(aead->plain, size);

	if (!ret && aead->simd)
		ret = crypto_aead_setauthsize(aead->simd, size);
	return ret;
}

/* Whether the FPU is free does not change while the caller is in one context,
 * and the request is on his stack.
 */
static inline void aead_request_set_sync_tfm(struct aead_request *req,
					     struct crypto_sync_aead *sync)
{
	bool simd = sync->base.simd && crypto_simd_usable();

	aead_request_set_tfm(req, simd ? sync->base.simd : sync->base.plain);
}

static inline int
ovpn_compat_aead_crypt(struct aead_request *req,
		       int (*crypt)(struct aead_request *req))
{
	struct crypto_aead *tfm = crypto_aead_reqtfm(req);
	struct aead_request *copy;
	int ret;

	if (likely(crypto_aead_reqsize(tfm) <= MAX_SYNC_AEAD_REQSIZE))
		return crypt(req);

	copy = aead_request_alloc(tfm, GFP_ATOMIC | __GFP_NOWARN);
	if (!copy)
		return -ENOMEM;
	aead_request_set_callback(copy, 0, NULL, NULL);
	aead_request_set_ad(copy, req->assoclen);
	aead_request_set_crypt(copy, req->src, req->dst, req->cryptlen,
			       req->iv);
	ret = crypt(copy);
	aead_request_free(copy);
	return ret;
}

#define crypto_aead_encrypt(req) \
	ovpn_compat_aead_crypt(req, crypto_aead_encrypt)
#define crypto_aead_decrypt(req) \
	ovpn_compat_aead_crypt(req, crypto_aead_decrypt)
#define crypto_free_aead	ovpn_compat_aead_free
#define crypto_aead_setkey	ovpn_compat_aead_setkey
#define crypto_aead_setauthsize	ovpn_compat_aead_setauthsize

#endif /* OVPN_LACKS_AEAD_SYNC */
#endif /* _OVPN_COMPAT_CRYPTO_AEAD_H_ */
