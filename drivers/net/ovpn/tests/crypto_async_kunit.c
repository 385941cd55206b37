// SPDX-License-Identifier: GPL-2.0-only
/* OpenVPN data channel offload: tests with a cipher that answers later */

#include "../crypto_aead.h"

#include <crypto/gcm.h>
#include <crypto/internal/aead.h>
#include <kunit/test.h>
#include <linux/atomic.h>
#include <linux/module.h>

#include "../proto.h"

#define TEXT_SIZE	100

static atomic_t async_used;

static int async_setkey(struct crypto_aead *tfm, const u8 *key,
			unsigned int len)
{
	atomic_inc(&async_used);
	return 0;
}

static int async_setauthsize(struct crypto_aead *tfm, unsigned int size)
{
	return 0;
}

static int async_crypt(struct aead_request *req)
{
	return -EINPROGRESS;
}

/* an AES-GCM that promises to be the fastest, and never answers */
static struct aead_alg async_gcm = {
	.base.cra_name = "gcm(aes)",
	.base.cra_driver_name = "gcm-aes-ovpn-async",
	.base.cra_priority = 100000,
	.base.cra_flags = CRYPTO_ALG_ASYNC,
	.base.cra_blocksize = 1,
	.base.cra_module = THIS_MODULE,
	.setkey = async_setkey,
	.setauthsize = async_setauthsize,
	.encrypt = async_crypt,
	.decrypt = async_crypt,
	.ivsize = GCM_AES_IV_SIZE,
	.maxauthsize = OVPN_TAG_SIZE,
};

static void async_unregister(void *alg)
{
	crypto_unregister_aead(alg);
}

static void async_key_free(void *key)
{
	ovpn_aead_key_free(key);
}

/* what everybody gets who does not ask for more */
static void async_expect_fastest(struct kunit *test)
{
	struct crypto_aead *tfm = crypto_alloc_aead("gcm(aes)", 0, 0);

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, tfm);
	KUNIT_EXPECT_STREQ(test, crypto_aead_driver_name(tfm),
			   "gcm-aes-ovpn-async");
	crypto_free_aead(tfm);
}

/* packets are sealed at once or not at all, so such a cipher is not for us */
static void async_never_used_test(struct kunit *test)
{
	static const u8 secret[32] = { 1, 2, 3 };
	struct ovpn_key_config config = {
		.cipher = OVPN_CIPHER_ALG_AES_GCM,
		.key_size = sizeof(secret),
		.tx_key = secret,
		.tx_tail = secret,
		.rx_key = secret,
		.rx_tail = secret,
	};
	struct ovpn_key *key;
	u8 *buf;
	int ret;

	if (IS_ENABLED(CONFIG_CRYPTO_SELFTESTS))
		kunit_skip(test, "the kernel would try it");

	atomic_set(&async_used, 0);
	KUNIT_ASSERT_EQ(test, crypto_register_aead(&async_gcm), 0);
	ret = kunit_add_action_or_reset(test, async_unregister, &async_gcm);
	KUNIT_ASSERT_EQ(test, ret, 0);
	async_expect_fastest(test);

	key = ovpn_aead_key_new(&config);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, key);
	ret = kunit_add_action_or_reset(test, async_key_free, key);
	KUNIT_ASSERT_EQ(test, ret, 0);
	buf = kunit_kzalloc(test, OVPN_AEAD_HEADROOM + TEXT_SIZE, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, buf);

	KUNIT_EXPECT_EQ(test, ovpn_aead_seal(key, 0, 1,
					     buf + OVPN_AEAD_HEADROOM,
					     TEXT_SIZE), 0);
	KUNIT_EXPECT_EQ(test, atomic_read(&async_used), 0);
}

static struct kunit_case async_cases[] = {
	KUNIT_CASE(async_never_used_test),
	{}
};

static struct kunit_suite async_suite = {
	.name = "ovpn_crypto_async",
	.test_cases = async_cases,
};

kunit_test_suite(async_suite);
