// SPDX-License-Identifier: GPL-2.0-only
/* OpenVPN data channel offload: tests of sealing and opening packets */

#include "../crypto_aead.h"

#include <kunit/test.h>
#include <linux/err.h>
#include <linux/random.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/unaligned.h>

#include "../proto.h"
#include "crypto_aead-testvecs.h"

KUNIT_ARRAY_PARAM_DESC(aead_cipher, aead_ciphers, name);

static void aead_key_release(void *key)
{
	ovpn_aead_key_free(key);
}

/* a key that is freed at the end of the test */
static struct ovpn_key *aead_key(struct kunit *test,
				 const struct aead_cipher *cipher,
				 const u8 *tx_key, const u8 *tx_tail,
				 const u8 *rx_key, const u8 *rx_tail)
{
	struct ovpn_key_config config = {
		.id = 5,
		.cipher = cipher->alg,
		.key_size = cipher->key_size,
		.tx_key = tx_key,
		.tx_tail = tx_tail,
		.rx_key = rx_key,
		.rx_tail = rx_tail,
	};
	struct ovpn_key *key = ovpn_aead_key_new(&config);

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, key);
	KUNIT_ASSERT_EQ(test, 0,
			kunit_add_action_or_reset(test, aead_key_release, key));
	return key;
}

/* the two ends of one connection */
static struct ovpn_key *aead_key_here(struct kunit *test,
				      const struct aead_cipher *cipher)
{
	return aead_key(test, cipher, aead_key_a, aead_tail_a,
			aead_key_b, aead_tail_b);
}

static struct ovpn_key *aead_key_there(struct kunit *test,
				       const struct aead_cipher *cipher)
{
	return aead_key(test, cipher, aead_key_b, aead_tail_b,
			aead_key_a, aead_tail_a);
}

/* a plaintext that is easily described elsewhere, too */
static void aead_fill(u8 *data, unsigned int len)
{
	unsigned int i;

	for (i = 0; i < len; i++)
		data[i] = 3 * i + 0x45;
}

/* a sealed packet of @len bytes of plaintext, at its header */
static u8 *aead_packet(struct kunit *test, const struct ovpn_key *key,
		       unsigned int len)
{
	u8 *buf, *data;

	buf = kunit_kmalloc(test, OVPN_AEAD_HEADROOM + len, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, buf);
	data = buf + OVPN_AEAD_HEADROOM;
	aead_fill(data, len);
	KUNIT_ASSERT_EQ(test, 0,
			ovpn_aead_seal(key, OP, PACKET_ID, data, len));
	return data - OVPN_HEADER_SIZE;
}

static void aead_answer_desc(const struct aead_answer *answer, char *desc)
{
	snprintf(desc, KUNIT_PARAM_DESC_SIZE, "%s, %u bytes",
		 answer->cipher->name, answer->len);
}

KUNIT_ARRAY_PARAM(aead_answer, aead_answers, aead_answer_desc);

static void aead_answer_test(struct kunit *test)
{
	const struct aead_answer *answer = test->param_value;
	struct ovpn_key *here, *there;
	u8 *packet, *text, *plain;

	here = aead_key_here(test, answer->cipher);
	there = aead_key_there(test, answer->cipher);

	packet = aead_packet(test, here, answer->len);
	KUNIT_EXPECT_MEMEQ(test, packet, answer->packet,
			   OVPN_HEADER_SIZE + answer->len);

	/* the answer itself opens, whatever we have made */
	memcpy(packet, answer->packet, OVPN_HEADER_SIZE + answer->len);
	plain = kunit_kmalloc(test, answer->len, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, plain);
	aead_fill(plain, answer->len);
	text = packet + OVPN_HEADER_SIZE;
	KUNIT_ASSERT_EQ(test, 0, ovpn_aead_open(there, packet, text, text,
						answer->len));
	KUNIT_EXPECT_MEMEQ(test, text, plain, answer->len);
}

static void aead_round_trip(struct kunit *test, const struct ovpn_key *here,
			    const struct ovpn_key *there, unsigned int len)
{
	u8 *buf, *plain, *out, *packet, *text;

	/* of exactly the size that is needed, so that KASAN sees any excess */
	buf = kmalloc(OVPN_AEAD_HEADROOM + len, GFP_KERNEL);
	plain = kmalloc(len, GFP_KERNEL);
	out = kmalloc(len, GFP_KERNEL);
	if (!buf || !plain || !out) {
		KUNIT_FAIL(test, "no memory for %u bytes", len);
		goto free;
	}

	text = buf + OVPN_AEAD_HEADROOM;
	packet = text - OVPN_HEADER_SIZE;
	get_random_bytes(plain, len);
	memcpy(text, plain, len);

	KUNIT_EXPECT_EQ_MSG(test, 0, ovpn_aead_seal(here, OP, len, text, len),
			    "%u bytes", len);
	KUNIT_EXPECT_EQ(test, get_unaligned_be32(packet), OP);
	KUNIT_EXPECT_EQ(test, get_unaligned_be32(packet + OVPN_OP_SIZE), len);

	memcpy(out, text, len);
	KUNIT_EXPECT_EQ_MSG(test, 0,
			    ovpn_aead_open(there, packet, out, out, len),
			    "%u bytes, in place", len);
	KUNIT_EXPECT_MEMEQ_MSG(test, out, plain, len,
			       "%u bytes, in place", len);

	memset(out, 0, len);
	KUNIT_EXPECT_EQ_MSG(test, 0,
			    ovpn_aead_open(there, packet, text, out, len),
			    "%u bytes, out of place", len);
	KUNIT_EXPECT_MEMEQ_MSG(test, out, plain, len,
			       "%u bytes, out of place", len);
free:
	kfree(out);
	kfree(plain);
	kfree(buf);
}

/* every length around every block size, and those around pages */
static void aead_round_trip_test(struct kunit *test)
{
	static const unsigned int more[] = { 1400, 4095, 4096, 4097, 9000 };
	const struct aead_cipher *cipher = test->param_value;
	struct ovpn_key *here = aead_key_here(test, cipher);
	struct ovpn_key *there = aead_key_there(test, cipher);
	unsigned int i;

	for (i = 1; i <= 200; i++)
		aead_round_trip(test, here, there, i);
	for (i = 0; i < ARRAY_SIZE(more); i++)
		aead_round_trip(test, here, there, more[i]);
	/* the keys of both directions work */
	for (i = 1; i <= 200; i++)
		aead_round_trip(test, there, here, i);
}

/* packets stand where the headers in front of them end */
static void aead_unaligned_test(struct kunit *test)
{
	const struct aead_cipher *cipher = test->param_value;
	struct ovpn_key *here = aead_key_here(test, cipher);
	struct ovpn_key *there = aead_key_there(test, cipher);
	const unsigned int len = 99;
	u8 *buf, *plain, *text;
	unsigned int offset;

	buf = kunit_kmalloc(test, 16 + OVPN_AEAD_HEADROOM + len, GFP_KERNEL);
	plain = kunit_kmalloc(test, len, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, buf);
	KUNIT_ASSERT_NOT_NULL(test, plain);
	aead_fill(plain, len);

	for (offset = 0; offset < 16; offset++) {
		text = buf + offset + OVPN_AEAD_HEADROOM;
		aead_fill(text, len);
		KUNIT_EXPECT_EQ(test, 0, ovpn_aead_seal(here, OP, PACKET_ID,
							text, len));
		KUNIT_EXPECT_EQ(test, 0,
				ovpn_aead_open(there, text - OVPN_HEADER_SIZE,
					       text, text, len));
		KUNIT_EXPECT_MEMEQ_MSG(test, text, plain, len, "offset %u",
				       offset);
	}
}

static int aead_open_again(const struct ovpn_key *key, const u8 *packet,
			   u8 *out, unsigned int len)
{
	return ovpn_aead_open(key, packet, packet + OVPN_HEADER_SIZE, out, len);
}

/* whatever bit of a packet is turned over, it is not authentic any more */
static void aead_flipped_bit_test(struct kunit *test)
{
	const struct aead_cipher *cipher = test->param_value;
	struct ovpn_key *there = aead_key_there(test, cipher);
	const unsigned int len = 37;
	unsigned int bit;
	u8 *packet, *out;

	packet = aead_packet(test, aead_key_here(test, cipher), len);
	out = kunit_kmalloc(test, len, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, out);

	for (bit = 0; bit < 8 * (OVPN_HEADER_SIZE + len); bit++) {
		packet[bit / 8] ^= BIT(bit % 8);
		KUNIT_EXPECT_EQ_MSG(test,
				    aead_open_again(there, packet, out, len),
				    -EBADMSG, "bit %u of byte %u", bit % 8,
				    bit / 8);
		packet[bit / 8] ^= BIT(bit % 8);
	}

	KUNIT_EXPECT_EQ(test, aead_open_again(there, packet, out, len), 0);
}

/* neither a part of a packet is authentic, nor one with something behind it */
static void aead_other_length_test(struct kunit *test)
{
	const struct aead_cipher *cipher = test->param_value;
	struct ovpn_key *there = aead_key_there(test, cipher);
	const unsigned int len = 64;
	u8 *sealed, *packet, *out;
	unsigned int part;

	sealed = aead_packet(test, aead_key_here(test, cipher), len);
	packet = kunit_kzalloc(test, OVPN_HEADER_SIZE + len + 1, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, packet);
	memcpy(packet, sealed, OVPN_HEADER_SIZE + len);
	out = kunit_kmalloc(test, len + 1, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, out);

	for (part = 1; part < len; part++)
		KUNIT_EXPECT_EQ_MSG(test,
				    aead_open_again(there, packet, out, part),
				    -EBADMSG, "%u bytes of %u", part, len);
	KUNIT_EXPECT_EQ(test, aead_open_again(there, packet, out, len + 1),
			-EBADMSG);
	KUNIT_EXPECT_EQ(test, aead_open_again(there, packet, out, len), 0);
}

static void aead_wrong_key_test(struct kunit *test)
{
	const struct aead_cipher *cipher = test->param_value;
	struct ovpn_key *here = aead_key_here(test, cipher);
	struct ovpn_key *there = aead_key_there(test, cipher);
	const unsigned int len = 100;
	u8 key[sizeof(aead_key_a)], tail[OVPN_NONCE_TAIL_SIZE], *packet, *out;
	struct ovpn_key *wrong;
	unsigned int i;

	packet = aead_packet(test, here, len);
	out = kunit_kmalloc(test, len, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, out);

	/* our own packet, sent back to us */
	KUNIT_EXPECT_EQ(test, aead_open_again(here, packet, out, len),
			-EBADMSG);

	for (i = 0; i < cipher->key_size; i++) {
		memcpy(key, aead_key_a, sizeof(key));
		key[i] ^= 1;
		wrong = aead_key(test, cipher, aead_key_b, aead_tail_b,
				 key, aead_tail_a);
		KUNIT_EXPECT_EQ_MSG(test,
				    aead_open_again(wrong, packet, out, len),
				    -EBADMSG, "byte %u of the key", i);
	}
	for (i = 0; i < sizeof(tail); i++) {
		memcpy(tail, aead_tail_a, sizeof(tail));
		tail[i] ^= 0x80;
		wrong = aead_key(test, cipher, aead_key_b, aead_tail_b,
				 aead_key_a, tail);
		KUNIT_EXPECT_EQ_MSG(test,
				    aead_open_again(wrong, packet, out, len),
				    -EBADMSG, "byte %u of the tail", i);
	}

	KUNIT_EXPECT_EQ(test, aead_open_again(there, packet, out, len), 0);
}

/* Sealing writes from 64 bytes in front of the text to its end. What it needs
 * in front of the header is a secret, and does not stay.
 */
static void aead_headroom_test(struct kunit *test)
{
	const struct aead_cipher *cipher = test->param_value;
	struct ovpn_key *here = aead_key_here(test, cipher);
	const unsigned int guard = 128;
	unsigned int len, size, scratch;
	u8 *buf, *data;

	static_assert(OVPN_AEAD_HEADROOM == 64);
	scratch = OVPN_AEAD_HEADROOM - OVPN_HEADER_SIZE;

	for (len = 1; len <= 130; len++) {
		size = guard + OVPN_AEAD_HEADROOM + len + guard;
		buf = kunit_kmalloc(test, size, GFP_KERNEL);
		KUNIT_ASSERT_NOT_NULL(test, buf);
		data = buf + guard + OVPN_AEAD_HEADROOM;
		memset(buf, 0x5a, size);
		KUNIT_ASSERT_EQ(test, 0, ovpn_aead_seal(here, OP, len, data,
							len));

		KUNIT_EXPECT_NULL(test, memchr_inv(buf, 0x5a, guard));
		KUNIT_EXPECT_NULL(test, memchr_inv(data + len, 0x5a, guard));
		/* one byte again and again holds no secret */
		KUNIT_EXPECT_NULL(test, memchr_inv(buf + guard, buf[guard],
						   scratch));
		kunit_kfree(test, buf);
	}
}

static void aead_key_sizes_test(struct kunit *test)
{
	const u32 gcm = OVPN_CIPHER_ALG_AES_GCM;
	const u32 chacha = OVPN_CIPHER_ALG_CHACHA20_POLY1305;
	struct ovpn_key_config config = {
		.tx_key = aead_key_a,
		.tx_tail = aead_tail_a,
		.rx_key = aead_key_b,
		.rx_tail = aead_tail_b,
	};
	unsigned int size, alg;
	struct ovpn_key *key;

	for (size = 0; size <= 300; size++) {
		bool aes = size == 16 || size == 24 || size == 32;

		KUNIT_EXPECT_EQ_MSG(test, ovpn_aead_key_size_check(gcm, size),
				    aes ? 0 : -EINVAL, "%u bytes", size);
		KUNIT_EXPECT_EQ_MSG(test,
				    ovpn_aead_key_size_check(chacha, size),
				    size == 32 ? 0 : -EINVAL, "%u bytes", size);
	}

	for (alg = 0; alg <= 300; alg++) {
		if (alg == gcm || alg == chacha)
			continue;
		KUNIT_EXPECT_EQ_MSG(test, ovpn_aead_key_size_check(alg, 32),
				    -EOPNOTSUPP, "cipher %u", alg);
	}
	KUNIT_EXPECT_EQ(test, ovpn_aead_key_size_check(OVPN_CIPHER_ALG_NONE, 0),
			-EOPNOTSUPP);

	/* and who makes a key asks for it */
	config.cipher = gcm;
	config.key_size = 31;
	key = ovpn_aead_key_new(&config);
	KUNIT_EXPECT_PTR_EQ(test, key, ERR_PTR(-EINVAL));
	config.cipher = OVPN_CIPHER_ALG_NONE;
	key = ovpn_aead_key_new(&config);
	KUNIT_EXPECT_PTR_EQ(test, key, ERR_PTR(-EOPNOTSUPP));

	ovpn_aead_key_free(NULL);
}

static void aead_key_new_test(struct kunit *test)
{
	const struct aead_cipher *cipher = test->param_value;
	struct ovpn_key *key = aead_key_here(test, cipher);
	bool rekey = true;
	u32 first;

	KUNIT_EXPECT_EQ(test, key->id, 5);
	KUNIT_EXPECT_EQ(test, key->cipher, cipher->alg);
	KUNIT_EXPECT_EQ(test, ovpn_aead_reserve(key, 3, 7, &first, &rekey), 0);
	KUNIT_EXPECT_EQ(test, first, 1);
	KUNIT_EXPECT_FALSE(test, rekey);
	KUNIT_EXPECT_EQ(test, ovpn_aead_reserve(key, 1, 7, &first, &rekey), 0);
	KUNIT_EXPECT_EQ(test, first, 4);
	KUNIT_EXPECT_FALSE(test, rekey);
}

/**
 * struct aead_reserve_step - somebody wants to send
 * @packets: so many packets
 * @blocks: of so many blocks in all
 * @ret: the answer
 * @first: the first id, if the answer is 0
 * @rekey: is now the time to tell user space?
 */
struct aead_reserve_step {
	unsigned int packets;
	unsigned int blocks;
	int ret;
	u32 first;
	bool rekey;
};

static void aead_reserve_walk(struct kunit *test, struct ovpn_key *key,
			      const struct aead_reserve_step *steps,
			      unsigned int count)
{
	unsigned int i;
	bool rekey;
	u32 first;
	int ret;

	for (i = 0; i < count; i++) {
		rekey = !steps[i].rekey;
		ret = ovpn_aead_reserve(key, steps[i].packets, steps[i].blocks,
					&first, &rekey);
		KUNIT_EXPECT_EQ_MSG(test, ret, steps[i].ret, "step %u", i + 1);
		KUNIT_EXPECT_EQ_MSG(test, rekey, steps[i].rekey, "step %u",
				    i + 1);
		if (!ret)
			KUNIT_EXPECT_EQ_MSG(test, first, steps[i].first,
					    "step %u", i + 1);
	}
}

/* a key that has sent everything up to here */
static struct ovpn_key *aead_used_key(struct kunit *test,
				      const struct aead_cipher *cipher,
				      u64 packets, u64 blocks)
{
	struct ovpn_key *key = aead_key_here(test, cipher);

	atomic64_set(&key->nonce.next, packets + 1);
	atomic64_set(&key->blocks, blocks);
	return key;
}

#define WALK(test, key, steps) \
	aead_reserve_walk(test, key, steps, ARRAY_SIZE(steps))

/* running out of packet ids is the same for all ciphers */
static void aead_reserve_ids_test(struct kunit *test)
{
	static const struct aead_reserve_step rekey[] = {
		/*  1 */ { 1, 1, 0, 0xfeffffff, false },
		/*  2 */ { 1, 1, 0, 0xff000000, true },
		/*  3 */ { 1, 1, 0, 0xff000001, false },
		/*  4 */ { 64, 640, 0, 0xff000002, false },
	};
	static const struct aead_reserve_step end[] = {
		/*  1 */ { 1, 1, 0, 0xfffffffd, true },
		/*  2 */ { 2, 2, 0, 0xfffffffe, false },
		/*  3 */ { 1, 1, -ERANGE, 0, false },
		/*  4 */ { 1, 1, -ERANGE, 0, false },
		/*  5 */ { 64, 640, -ERANGE, 0, false },
		/*  6 */ { 1, 0, -ERANGE, 0, false },
	};
	/* whoever has not been told until then is told now */
	static const struct aead_reserve_step past_end[] = {
		/*  1 */ { 64, 640, -ERANGE, 0, true },
		/*  2 */ { 1, 1, -ERANGE, 0, false },
	};
	const struct aead_cipher *cipher = test->param_value;

	WALK(test, aead_used_key(test, cipher, 0xfefffffe, 0), rekey);
	WALK(test, aead_used_key(test, cipher, 0xfffffffc, 0), end);
	WALK(test, aead_used_key(test, cipher, 0xfffffff0, 0), past_end);
}

#define USAGE_MAX	68719476735ULL	/* 2^36 - 1 */
#define USAGE_REKEY	60129542143ULL	/* 7/8 of it, rounded down */

static_assert(OVPN_GCM_USAGE_MAX == USAGE_MAX);
/* OpenVPN divides before it multiplies, which loses less than 8 */
static_assert(OVPN_GCM_USAGE_REKEY <= USAGE_REKEY);
static_assert(USAGE_REKEY - OVPN_GCM_USAGE_REKEY < 8);

/* AES-GCM wears out with blocks plus packets */
static void aead_reserve_usage_test(struct kunit *test)
{
	const struct aead_cipher *gcm = &aead_ciphers[2];
	static const struct aead_reserve_step rekey[] = {
		/*  1 */ { 1, 8, 0, 1001, false },	/* one too few */
		/*  2 */ { 1, 0, 0, 1002, true },
		/*  3 */ { 1, 10, 0, 1003, false },
		/*  4 */ { 64, 6400, 0, 1004, false },
	};
	static const struct aead_reserve_step many[] = {
		/*  1 */ { 64, 6400, 0, 1001, true },
		/*  2 */ { 64, 6400, 0, 1065, false },
	};
	static const struct aead_reserve_step end[] = {
		/*  1 */ { 1, 9, 0, 1001, true },	/* up to the bound */
		/*  2 */ { 1, 0, -ERANGE, 0, false },
		/*  3 */ { 1, 1, -ERANGE, 0, false },
		/*  4 */ { 64, 6400, -ERANGE, 0, false },
	};
	static const struct aead_reserve_step past_end[] = {
		/*  1 */ { 64, 6400, -ERANGE, 0, true },
		/*  2 */ { 1, 1, -ERANGE, 0, false },
	};
	struct ovpn_key *key;

	key = aead_used_key(test, gcm, 1000, OVPN_GCM_USAGE_REKEY - 1010);
	WALK(test, key, rekey);
	key = aead_used_key(test, gcm, 1000, OVPN_GCM_USAGE_REKEY - 1010);
	WALK(test, key, many);
	key = aead_used_key(test, gcm, 1000, USAGE_MAX - 1010);
	WALK(test, key, end);
	key = aead_used_key(test, gcm, 1000, USAGE_MAX - 1010);
	WALK(test, key, past_end);
}

/* ChaCha20-Poly1305 does not, and runs out of ids alone */
static void aead_reserve_no_usage_test(struct kunit *test)
{
	const struct aead_cipher *chacha = &aead_ciphers[3];
	static const struct aead_reserve_step steps[] = {
		/*  1 */ { 1, 10, 0, 1001, false },
		/*  2 */ { 64, 6400, 0, 1002, false },
	};

	WALK(test, aead_used_key(test, chacha, 1000, USAGE_REKEY), steps);
	WALK(test, aead_used_key(test, chacha, 1000, USAGE_MAX), steps);
	WALK(test, aead_used_key(test, chacha, 1000, 1ULL << 60), steps);
}

static struct kunit_case aead_cases[] = {
	KUNIT_CASE_PARAM(aead_answer_test, aead_answer_gen_params),
	KUNIT_CASE_PARAM(aead_round_trip_test, aead_cipher_gen_params),
	KUNIT_CASE_PARAM(aead_unaligned_test, aead_cipher_gen_params),
	KUNIT_CASE_PARAM(aead_flipped_bit_test, aead_cipher_gen_params),
	KUNIT_CASE_PARAM(aead_other_length_test, aead_cipher_gen_params),
	KUNIT_CASE_PARAM(aead_wrong_key_test, aead_cipher_gen_params),
	KUNIT_CASE_PARAM(aead_headroom_test, aead_cipher_gen_params),
	KUNIT_CASE(aead_key_sizes_test),
	KUNIT_CASE_PARAM(aead_key_new_test, aead_cipher_gen_params),
	KUNIT_CASE_PARAM(aead_reserve_ids_test, aead_cipher_gen_params),
	KUNIT_CASE(aead_reserve_usage_test),
	KUNIT_CASE(aead_reserve_no_usage_test),
	{}
};

static struct kunit_suite aead_suite = {
	.name = "ovpn_crypto_aead",
	.test_cases = aead_cases,
};

kunit_test_suite(aead_suite);
