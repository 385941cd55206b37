// SPDX-License-Identifier: GPL-2.0-only
/* OpenVPN data channel offload: tests of the key slots */

#include "../crypto.h"

#include <crypto/internal/aead.h>
#include <kunit/test.h>
#include <linux/atomic.h>
#include <linux/completion.h>
#include <linux/cpumask.h>
#include <linux/delay.h>
#include <linux/err.h>
#include <linux/jiffies.h>
#include <linux/kthread.h>
#include <linux/preempt.h>
#include <linux/rcupdate.h>
#include <linux/refcount.h>
#include <linux/sched.h>
#include <linux/smp.h>
#include <linux/string.h>

#include "../crypto_aead.h"

#define PRIMARY		OVPN_KEY_SLOT_PRIMARY
#define SECONDARY	OVPN_KEY_SLOT_SECONDARY

/* what a lookup that finds nothing is expected to find */
#define NOTHING		(-1)

static void keyring_release(void *ring)
{
	ovpn_keyring_purge(ring);
	/* the keys are freed by code that the tests may be about to unload */
	rcu_barrier();
}

static struct ovpn_keyring *keyring_new(struct kunit *test)
{
	struct ovpn_keyring *ring;

	ring = kunit_kmalloc(test, sizeof(*ring), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, ring);
	memset(ring, 0xa5, sizeof(*ring));
	ovpn_keyring_init(ring);
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test,
							   keyring_release,
							   ring));
	return ring;
}

static struct ovpn_key *keyring_key(struct kunit *test, u8 id)
{
	static const u8 secret[32];
	struct ovpn_key_config config = {
		.id = id,
		.cipher = OVPN_CIPHER_ALG_CHACHA20_POLY1305,
		.key_size = sizeof(secret),
		.tx_key = secret,
		.tx_tail = secret,
		.rx_key = secret,
		.rx_tail = secret,
	};
	struct ovpn_key *key = ovpn_aead_key_new(&config);

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, key);
	return key;
}

static void keyring_install(struct kunit *test, struct ovpn_keyring *ring,
			    enum ovpn_key_slot slot, u8 id)
{
	ovpn_keyring_install(ring, slot, keyring_key(test, id));
}

/* Which keys are in the slots, and does each lookup agree with that? */
static void keyring_expect(struct kunit *test, struct ovpn_keyring *ring,
			   int primary, int secondary)
{
	struct ovpn_key *key, *tx;
	int id, found;

	rcu_read_lock();
	tx = ovpn_keyring_lookup_slot_rcu(ring, PRIMARY);
	KUNIT_EXPECT_EQ(test, tx ? tx->id : NOTHING, primary);
	KUNIT_EXPECT_PTR_EQ(test, ovpn_keyring_lookup_tx_rcu(ring), tx);

	key = ovpn_keyring_lookup_slot_rcu(ring, SECONDARY);
	KUNIT_EXPECT_EQ(test, key ? key->id : NOTHING, secondary);

	for (id = 0; id <= OVPN_KEY_ID_MAX; id++) {
		key = ovpn_keyring_lookup_rx_rcu(ring, id);
		found = key ? key->id : NOTHING;
		if (id == primary || id == secondary)
			KUNIT_EXPECT_EQ(test, found, id);
		else
			KUNIT_EXPECT_EQ(test, found, NOTHING);
		if (id == primary)
			KUNIT_EXPECT_PTR_EQ(test, key, tx);
	}
	rcu_read_unlock();
}

/* nothing can go wrong where nothing is */
static void keyring_empty_test(struct kunit *test)
{
	struct ovpn_keyring *ring = keyring_new(test);

	keyring_expect(test, ring, NOTHING, NOTHING);
	ovpn_keyring_swap(ring);
	keyring_expect(test, ring, NOTHING, NOTHING);
	ovpn_keyring_install(ring, PRIMARY, NULL);
	ovpn_keyring_install(ring, SECONDARY, NULL);
	keyring_expect(test, ring, NOTHING, NOTHING);
	ovpn_keyring_purge(ring);
	keyring_expect(test, ring, NOTHING, NOTHING);
}

static void keyring_install_test(struct kunit *test)
{
	struct ovpn_keyring *ring = keyring_new(test);

	keyring_install(test, ring, PRIMARY, 0);
	keyring_expect(test, ring, 0, NOTHING);
	keyring_install(test, ring, SECONDARY, 7);
	keyring_expect(test, ring, 0, 7);
}

/* a secondary key alone opens, and seals nothing */
static void keyring_secondary_test(struct kunit *test)
{
	struct ovpn_keyring *ring = keyring_new(test);

	keyring_install(test, ring, SECONDARY, 3);
	keyring_expect(test, ring, NOTHING, 3);
	ovpn_keyring_swap(ring);
	keyring_expect(test, ring, 3, NOTHING);
	ovpn_keyring_swap(ring);
	keyring_expect(test, ring, NOTHING, 3);
}

/* as OpenVPN does it: the new key comes second, then the two change places */
static void keyring_swap_test(struct kunit *test)
{
	struct ovpn_keyring *ring = keyring_new(test);
	u8 id;

	keyring_install(test, ring, PRIMARY, 0);
	for (id = 1; id <= OVPN_KEY_ID_MAX; id++) {
		keyring_install(test, ring, SECONDARY, id);
		keyring_expect(test, ring, id - 1, id);
		ovpn_keyring_swap(ring);
		keyring_expect(test, ring, id, id - 1);
	}
}

static void keyring_replace_test(struct kunit *test)
{
	struct ovpn_keyring *ring = keyring_new(test);

	keyring_install(test, ring, PRIMARY, 1);
	keyring_install(test, ring, SECONDARY, 2);
	keyring_install(test, ring, PRIMARY, 3);
	keyring_expect(test, ring, 3, 2);
	keyring_install(test, ring, SECONDARY, 4);
	keyring_expect(test, ring, 3, 4);

	/* the slots are not where they were in the beginning */
	ovpn_keyring_swap(ring);
	keyring_install(test, ring, PRIMARY, 5);
	keyring_expect(test, ring, 5, 3);
	keyring_install(test, ring, SECONDARY, 6);
	keyring_expect(test, ring, 5, 6);
}

static void keyring_remove_test(struct kunit *test)
{
	struct ovpn_keyring *ring = keyring_new(test);

	keyring_install(test, ring, PRIMARY, 1);
	keyring_install(test, ring, SECONDARY, 2);
	ovpn_keyring_install(ring, PRIMARY, NULL);
	keyring_expect(test, ring, NOTHING, 2);
	ovpn_keyring_install(ring, PRIMARY, NULL);
	keyring_expect(test, ring, NOTHING, 2);

	ovpn_keyring_swap(ring);
	keyring_expect(test, ring, 2, NOTHING);
	ovpn_keyring_install(ring, SECONDARY, NULL);
	keyring_expect(test, ring, 2, NOTHING);
	ovpn_keyring_install(ring, PRIMARY, NULL);
	keyring_expect(test, ring, NOTHING, NOTHING);
}

static void keyring_purge_test(struct kunit *test)
{
	struct ovpn_keyring *ring = keyring_new(test);

	keyring_install(test, ring, PRIMARY, 1);
	keyring_install(test, ring, SECONDARY, 2);
	ovpn_keyring_purge(ring);
	keyring_expect(test, ring, NOTHING, NOTHING);
	/* it can be filled again */
	keyring_install(test, ring, PRIMARY, 3);
	keyring_expect(test, ring, 3, NOTHING);
}

/* one key id in both slots: the key that seals also opens */
static void keyring_same_id_test(struct kunit *test)
{
	struct ovpn_keyring *ring = keyring_new(test);
	struct ovpn_key *one = keyring_key(test, 4);
	struct ovpn_key *two = keyring_key(test, 4);

	ovpn_keyring_install(ring, PRIMARY, one);
	ovpn_keyring_install(ring, SECONDARY, two);
	keyring_expect(test, ring, 4, 4);

	rcu_read_lock();
	KUNIT_EXPECT_PTR_EQ(test, ovpn_keyring_lookup_rx_rcu(ring, 4), one);
	ovpn_keyring_swap(ring);
	KUNIT_EXPECT_PTR_EQ(test, ovpn_keyring_lookup_rx_rcu(ring, 4), two);
	rcu_read_unlock();
	keyring_expect(test, ring, 4, 4);
}

/* a packet under way keeps the key it has found (KASAN would tell) */
static void keyring_reader_test(struct kunit *test)
{
	struct ovpn_keyring *ring = keyring_new(test);
	struct ovpn_key *key;

	keyring_install(test, ring, PRIMARY, 6);
	rcu_read_lock();
	key = ovpn_keyring_lookup_rx_rcu(ring, 6);
	ovpn_keyring_install(ring, PRIMARY, NULL);
	KUNIT_EXPECT_NULL(test, ovpn_keyring_lookup_rx_rcu(ring, 6));
	KUNIT_EXPECT_EQ(test, key->id, 6);
	KUNIT_EXPECT_EQ(test, key->cipher, OVPN_CIPHER_ALG_CHACHA20_POLY1305);
	rcu_read_unlock();
}

#define KEYRING_LOOKUPS	2000000

struct keyring_race {
	struct ovpn_keyring *ring;
	struct completion started;
	unsigned int swaps;
};

static int keyring_swap_fn(void *arg)
{
	struct keyring_race *race = arg;

	complete(&race->started);
	while (!kthread_should_stop()) {
		ovpn_keyring_swap(race->ring);
		race->swaps++;
		cond_resched();
	}
	return 0;
}

/* keys that change places are always in one of the two */
static void keyring_race_test(struct kunit *test)
{
	struct keyring_race race = { .ring = keyring_new(test) };
	unsigned int i, lost = 0;
	struct task_struct *task;
	struct ovpn_key *key;
	unsigned int cpu;

	keyring_install(test, race.ring, PRIMARY, 1);
	keyring_install(test, race.ring, SECONDARY, 2);
	init_completion(&race.started);
	/* not where we are, if there is a choice */
	cpu = cpumask_next_wrap(raw_smp_processor_id(), cpu_online_mask);
	task = kthread_run_on_cpu(keyring_swap_fn, &race, cpu, "ovpn-swap/%u");
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, task);
	wait_for_completion(&race.started);

	for (i = 0; i < KEYRING_LOOKUPS; i++) {
		rcu_read_lock();
		key = ovpn_keyring_lookup_rx_rcu(race.ring, 1 + i % 2);
		if (!key || key->id != 1 + i % 2)
			lost++;
		rcu_read_unlock();
		cond_resched();
	}

	kthread_stop(task);
	KUNIT_EXPECT_EQ(test, lost, 0);
	KUNIT_EXPECT_GT(test, race.swaps, 0);
}

/* more than any other */
#define KEYRING_PRIORITY	100000

/* what the cipher below has seen of its end */
static struct {
	struct completion gone;
	atomic_t begins, ends, bad_ends;
} keyring_cipher;

static int keyring_cipher_setkey(struct crypto_aead *aead, const u8 *key,
				 unsigned int len)
{
	return 0;
}

static int keyring_cipher_setauthsize(struct crypto_aead *aead,
				      unsigned int size)
{
	return 0;
}

static int keyring_cipher_crypt(struct aead_request *req)
{
	return -EOPNOTSUPP;
}

static int keyring_cipher_begin(struct crypto_aead *aead)
{
	atomic_inc(&keyring_cipher.begins);
	return 0;
}

/* Where a cipher may sleep, as one does that waits for its hardware. Whether
 * we are preemptible() not all kernels can tell.
 */
static void keyring_cipher_end(struct crypto_aead *aead)
{
	if (!in_task() || preempt_count() || irqs_disabled())
		atomic_inc(&keyring_cipher.bad_ends);
	/* a key has two directions */
	if (atomic_inc_return(&keyring_cipher.ends) == 2)
		complete(&keyring_cipher.gone);
}

static struct aead_alg keyring_alg = {
	.setkey		= keyring_cipher_setkey,
	.setauthsize	= keyring_cipher_setauthsize,
	.encrypt	= keyring_cipher_crypt,
	.decrypt	= keyring_cipher_crypt,
	.init		= keyring_cipher_begin,
	.exit		= keyring_cipher_end,
	.ivsize		= 12,
	.maxauthsize	= 16,
	.base = {
		.cra_name		= "gcm(aes)",
		.cra_driver_name	= "gcm-aes-ovpn-kunit",
		.cra_priority		= KEYRING_PRIORITY,
		.cra_blocksize		= 1,
		.cra_module		= THIS_MODULE,
	},
};

static void keyring_cipher_release(void *unused)
{
	unsigned long end = jiffies + 10 * HZ;

	/* who frees a cipher puts it after its end */
	while (refcount_read(&keyring_alg.base.cra_refcnt) > 1 &&
	       time_before(jiffies, end))
		msleep(20);
	crypto_unregister_aead(&keyring_alg);
}

/* until the end of the test it is the AES-GCM of the highest priority */
static void keyring_cipher_register(struct kunit *test, u32 flags)
{
	if (IS_ENABLED(CONFIG_CRYPTO_SELFTESTS))
		kunit_skip(test, "this kernel tests its ciphers");
	init_completion(&keyring_cipher.gone);
	atomic_set(&keyring_cipher.begins, 0);
	atomic_set(&keyring_cipher.ends, 0);
	atomic_set(&keyring_cipher.bad_ends, 0);
	keyring_alg.base.cra_flags = flags;
	KUNIT_ASSERT_EQ(test, 0, crypto_register_aead(&keyring_alg));
	KUNIT_ASSERT_EQ(test, 0,
			kunit_add_action_or_reset(test, keyring_cipher_release,
						  NULL));
}

static struct ovpn_key *keyring_cipher_key(struct kunit *test)
{
	static const u8 secret[32];
	struct ovpn_key_config config = {
		.cipher = OVPN_CIPHER_ALG_AES_GCM,
		.key_size = sizeof(secret),
		.tx_key = secret,
		.tx_tail = secret,
		.rx_key = secret,
		.rx_tail = secret,
	};
	struct ovpn_key *key = ovpn_aead_key_new(&config);

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, key);
	return key;
}

/* packets are sealed at once: one that may answer later is not for us, however
 * high its priority
 */
static void keyring_asynchronous_test(struct kunit *test)
{
	struct crypto_aead *first;

	keyring_cipher_register(test, CRYPTO_ALG_ASYNC);
	first = crypto_alloc_aead("gcm(aes)", 0, 0);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, first);
	crypto_free_aead(first);
	KUNIT_ASSERT_EQ(test, 1, atomic_read(&keyring_cipher.begins));

	ovpn_aead_key_free(keyring_cipher_key(test));
	KUNIT_EXPECT_EQ(test, 1, atomic_read(&keyring_cipher.begins));
}

/* a cipher that may sleep is freed in process context */
static void keyring_free_context_test(struct kunit *test)
{
	struct ovpn_keyring *ring;
	struct ovpn_key *key;

	keyring_cipher_register(test, 0);
	ring = keyring_new(test);
	key = keyring_cipher_key(test);
	KUNIT_ASSERT_EQ(test, 2, atomic_read(&keyring_cipher.begins));
	ovpn_keyring_install(ring, PRIMARY, key);
	ovpn_keyring_purge(ring);
	rcu_barrier();
	KUNIT_EXPECT_NE(test, 0,
			wait_for_completion_timeout(&keyring_cipher.gone,
						    10 * HZ));
	KUNIT_EXPECT_EQ(test, 2, atomic_read(&keyring_cipher.ends));
	KUNIT_EXPECT_EQ(test, 0, atomic_read(&keyring_cipher.bad_ends));
}

static struct kunit_case keyring_cases[] = {
	KUNIT_CASE(keyring_empty_test),
	KUNIT_CASE(keyring_install_test),
	KUNIT_CASE(keyring_secondary_test),
	KUNIT_CASE(keyring_swap_test),
	KUNIT_CASE(keyring_replace_test),
	KUNIT_CASE(keyring_remove_test),
	KUNIT_CASE(keyring_purge_test),
	KUNIT_CASE(keyring_same_id_test),
	KUNIT_CASE(keyring_reader_test),
	KUNIT_CASE(keyring_asynchronous_test),
	KUNIT_CASE(keyring_free_context_test),
	KUNIT_CASE_SLOW(keyring_race_test),
	{}
};

static struct kunit_suite keyring_suite = {
	.name = "ovpn_crypto",
	.test_cases = keyring_cases,
};

kunit_test_suite(keyring_suite);
