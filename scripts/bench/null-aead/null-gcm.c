// SPDX-License-Identifier: GPL-2.0-only
/* "gcm(aes)" that encrypts nothing and finds every packet authentic
 *
 * It costs a call, the copy if source and destination differ, and a tag of
 * zeros: the rest of an instruction count is the driver and the network stack.
 * Only for a machine that measures.
 */

#include <crypto/internal/aead.h>
#include <crypto/scatterwalk.h>
#include <linux/module.h>

#define TAG_SIZE	16
#define IV_SIZE		12
/* more than any other */
#define PRIORITY	100000

static int null_setkey(struct crypto_aead *aead, const u8 *key,
		       unsigned int len)
{
	return 0;
}

static int null_setauthsize(struct crypto_aead *aead, unsigned int size)
{
	return size == TAG_SIZE ? 0 : -EINVAL;
}

static void null_copy(struct aead_request *req, unsigned int len)
{
	struct scatterlist from[2], to[2];

	if (req->src == req->dst)
		return;
	memcpy_sglist(scatterwalk_ffwd(to, req->dst, req->assoclen),
		      scatterwalk_ffwd(from, req->src, req->assoclen), len);
}

static int null_encrypt(struct aead_request *req)
{
	u8 tag[TAG_SIZE] = {};

	null_copy(req, req->cryptlen);
	scatterwalk_map_and_copy(tag, req->dst, req->assoclen + req->cryptlen,
				 TAG_SIZE, 1);
	return 0;
}

static int null_decrypt(struct aead_request *req)
{
	if (req->cryptlen < TAG_SIZE)
		return -EINVAL;
	null_copy(req, req->cryptlen - TAG_SIZE);
	return 0;
}

static struct aead_alg null_gcm = {
	.setkey		= null_setkey,
	.setauthsize	= null_setauthsize,
	.encrypt	= null_encrypt,
	.decrypt	= null_decrypt,
	.ivsize		= IV_SIZE,
	.maxauthsize	= TAG_SIZE,
	.base = {
		.cra_name		= "gcm(aes)",
		.cra_driver_name	= "gcm-null",
		.cra_priority		= PRIORITY,
		.cra_blocksize		= 1,
		.cra_module		= THIS_MODULE,
	},
};

static int __init null_init(void)
{
	return crypto_register_aead(&null_gcm);
}

static void __exit null_exit(void)
{
	crypto_unregister_aead(&null_gcm);
}

module_init(null_init);
module_exit(null_exit);

MODULE_DESCRIPTION("AES-GCM that does nothing, to measure what is around it");
MODULE_LICENSE("GPL");
