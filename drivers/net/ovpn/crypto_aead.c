// SPDX-License-Identifier: GPL-2.0-only
/* OpenVPN data channel offload: one key, sealing and opening one packet
 *
 * AES-GCM goes through the crypto API, as that is where the fast assembly is;
 * the request lives on the stack, because only synchronous ciphers are taken.
 * ChaCha20-Poly1305 is composed of library primitives, which spares the
 * template's overhead.
 */

#include "crypto_aead.h"

#include <crypto/aead.h>
#include <crypto/aes.h>
#include <crypto/chacha.h>
#include <crypto/poly1305.h>
#include <crypto/utils.h>
#include <kunit/visibility.h>
#include <linux/err.h>
#include <linux/kernel.h>
#include <linux/ktime.h>
#include <linux/scatterlist.h>
#include <linux/slab.h>
#include <linux/timekeeping.h>
#include <linux/unaligned.h>

#include "proto.h"

static struct workqueue_struct *ovpn_key_wq;

/**
 * ovpn_aead_init - get ready to free keys
 *
 * Return: 0 or -ENOMEM.
 */
int ovpn_aead_init(void)
{
	ovpn_key_wq = alloc_workqueue("ovpn-key", WQ_UNBOUND, 0);
	return ovpn_key_wq ? 0 : -ENOMEM;
}

/**
 * ovpn_aead_exit - wait until all keys are gone
 *
 * Context: process; no key may be given to ovpn_aead_key_free_rcu() any more.
 */
void ovpn_aead_exit(void)
{
	rcu_barrier();
	destroy_workqueue(ovpn_key_wq);
}

/**
 * ovpn_aead_key_size_check - does a key of this size fit the cipher?
 * @cipher: &enum ovpn_cipher_alg
 * @key_size: in bytes
 *
 * Return: 0; -EOPNOTSUPP for a cipher that we do not have, -EINVAL for a
 * wrong size.
 */
int ovpn_aead_key_size_check(u32 cipher, unsigned int key_size)
{
	switch (cipher) {
	case OVPN_CIPHER_ALG_AES_GCM:
		switch (key_size) {
		case AES_KEYSIZE_128:
		case AES_KEYSIZE_192:
		case AES_KEYSIZE_256:
			return 0;
		}
		return -EINVAL;
	case OVPN_CIPHER_ALG_CHACHA20_POLY1305:
		return key_size == CHACHA_KEY_SIZE ? 0 : -EINVAL;
	default:
		return -EOPNOTSUPP;
	}
}
EXPORT_SYMBOL_IF_KUNIT(ovpn_aead_key_size_check);

static int ovpn_aead_set(struct ovpn_aead *aead, u32 cipher, const u8 *key,
			 unsigned int key_size, const u8 *tail)
{
	struct crypto_sync_aead *gcm;
	int i, ret;

	memcpy(aead->tail, tail, OVPN_NONCE_TAIL_SIZE);

	if (cipher == OVPN_CIPHER_ALG_CHACHA20_POLY1305) {
		for (i = 0; i < CHACHA_KEY_WORDS; i++)
			aead->chacha[i] = get_unaligned_le32(key + 4 * i);
		return 0;
	}

	gcm = crypto_alloc_sync_aead("gcm(aes)", 0, 0);
	if (IS_ERR(gcm))
		return PTR_ERR(gcm);

	ret = crypto_aead_setkey(&gcm->base, key, key_size);
	if (!ret)
		ret = crypto_aead_setauthsize(&gcm->base, OVPN_TAG_SIZE);
	if (ret) {
		crypto_free_aead(&gcm->base);
		return ret;
	}
	aead->gcm = gcm;
	return 0;
}

/**
 * ovpn_aead_key_new - make a key
 * @config: what user space says; sizes and cipher are checked here
 *
 * Context: process, may sleep.
 * Return: the key, or ERR_PTR: as ovpn_aead_key_size_check(), -ENOMEM, or
 * what the crypto API says.
 */
struct ovpn_key *ovpn_aead_key_new(const struct ovpn_key_config *config)
{
	struct ovpn_key *key;
	int ret;

	ret = ovpn_aead_key_size_check(config->cipher, config->key_size);
	if (ret)
		return ERR_PTR(ret);

	key = kzalloc_obj(*key);
	if (!key)
		return ERR_PTR(-ENOMEM);

	key->id = config->id;
	key->cipher = config->cipher;
	ovpn_nonce_init(&key->nonce);
	ovpn_replay_init(&key->replay, ktime_get_boottime_seconds());

	ret = ovpn_aead_set(&key->tx, config->cipher, config->tx_key,
			    config->key_size, config->tx_tail);
	if (!ret)
		ret = ovpn_aead_set(&key->rx, config->cipher, config->rx_key,
				    config->key_size, config->rx_tail);
	if (ret) {
		ovpn_aead_key_free(key);
		return ERR_PTR(ret);
	}
	return key;
}
EXPORT_SYMBOL_IF_KUNIT(ovpn_aead_key_new);

/**
 * ovpn_aead_key_free - wipe and free a key that nobody can see
 * @key: the key, may be NULL
 *
 * Context: process, may sleep.
 */
void ovpn_aead_key_free(struct ovpn_key *key)
{
	if (!key)
		return;

	if (key->cipher == OVPN_CIPHER_ALG_AES_GCM) {
		if (key->tx.gcm)
			crypto_free_aead(&key->tx.gcm->base);
		if (key->rx.gcm)
			crypto_free_aead(&key->rx.gcm->base);
	}
	kfree_sensitive(key);
}
EXPORT_SYMBOL_IF_KUNIT(ovpn_aead_key_free);

static void ovpn_aead_key_free_work(struct work_struct *work)
{
	ovpn_aead_key_free(container_of(to_rcu_work(work), struct ovpn_key,
					free));
}

/**
 * ovpn_aead_key_free_rcu - free a key once all packets are done with it
 * @key: a key that has left its slot, may be NULL
 *
 * Context: any.
 */
void ovpn_aead_key_free_rcu(struct ovpn_key *key)
{
	if (!key)
		return;
	INIT_RCU_WORK(&key->free, ovpn_aead_key_free_work);
	queue_rcu_work(ovpn_key_wq, &key->free);
}

/**
 * ovpn_aead_reserve - take packet ids, and account for what they will seal
 * @key: the key
 * @packets: how many ids
 * @blocks: how many blocks of 16 bytes the packets have in all
 * @first: set to the first id
 * @rekey: set to true once in a key's life, when user space must be told
 *
 * Context: any.
 * Return: 0, or -ERANGE for ever once the key is used up.
 */
int ovpn_aead_reserve(struct ovpn_key *key, unsigned int packets,
		      unsigned int blocks, u32 *first, bool *rekey)
{
	u64 usage = atomic64_add_return(blocks, &key->blocks);
	u32 last = U32_MAX;
	int ret;

	ret = ovpn_nonce_reserve(&key->nonce, packets, first);
	if (likely(!ret)) {
		last = *first + packets - 1;
		usage += last;
		if (key->cipher == OVPN_CIPHER_ALG_CHACHA20_POLY1305)
			usage = 0; /* 2^32 packets never reach its bound */
		if (unlikely(usage > OVPN_GCM_USAGE_MAX))
			ret = -ERANGE;
	}

	*rekey = unlikely(ret || last >= OVPN_PACKET_ID_REKEY ||
			  usage >= OVPN_GCM_USAGE_REKEY) &&
		 !test_and_set_bit(0, &key->rekey_told);
	return ret;
}
EXPORT_SYMBOL_IF_KUNIT(ovpn_aead_reserve);

/* What lies on the stack for each packet is written where it is used; to clear
 * it all first, as kernels are built to do, would take longer than that.
 */
#define OVPN_GCM_REQUEST_SIZE	(sizeof(struct aead_request) + \
				 MAX_SYNC_AEAD_REQSIZE)

/* as sg_set_buf(), of memory that says nothing yet */
static void ovpn_gcm_piece(struct scatterlist *sg, const u8 *buf,
			   unsigned int len)
{
	sg->page_link = 0;
	sg_set_buf(sg, buf, len);
}

/* The AAD, the text and the tag are three pieces: on the wire the tag stands
 * in front of the text, and in the crypto API behind it.
 */
static void ovpn_gcm_sg(struct scatterlist sg[3], const u8 *header,
			const u8 *text, unsigned int len)
{
	ovpn_gcm_piece(&sg[0], header, OVPN_AAD_SIZE);
	ovpn_gcm_piece(&sg[1], text, len);
	ovpn_gcm_piece(&sg[2], header + OVPN_AAD_SIZE, OVPN_TAG_SIZE);
	sg_init_marker(sg, 3);
}

static void ovpn_gcm_request(struct aead_request *req,
			     struct crypto_sync_aead *gcm)
{
	aead_request_set_sync_tfm(req, gcm);
	aead_request_set_callback(req, 0, NULL, NULL);
	aead_request_set_ad(req, OVPN_AAD_SIZE);
}

static int ovpn_gcm_seal(const struct ovpn_aead *aead, u8 *header, u8 *data,
			 unsigned int len, u8 *iv)
{
	u8 memory[OVPN_GCM_REQUEST_SIZE] CRYPTO_MINALIGN_ATTR __uninitialized;
	struct aead_request *req = (struct aead_request *)memory;
	struct scatterlist sg[3] __uninitialized;

	ovpn_gcm_sg(sg, header, data, len);
	ovpn_gcm_request(req, aead->gcm);
	aead_request_set_crypt(req, sg, sg, len, iv);
	return crypto_aead_encrypt(req);
}

static int ovpn_gcm_open(const struct ovpn_aead *aead, const u8 *header,
			 const u8 *src, u8 *dst, unsigned int len, u8 *iv)
{
	u8 memory[OVPN_GCM_REQUEST_SIZE] CRYPTO_MINALIGN_ATTR __uninitialized;
	struct scatterlist in[3] __uninitialized, out[2] __uninitialized;
	struct aead_request *req = (struct aead_request *)memory;

	/* the cipher reads AAD and tag, it writes nothing but the text */
	ovpn_gcm_sg(in, header, src, len);
	if (src != dst) {
		ovpn_gcm_piece(&out[0], header, OVPN_AAD_SIZE);
		ovpn_gcm_piece(&out[1], dst, len);
		sg_init_marker(out, 2);
	}

	ovpn_gcm_request(req, aead->gcm);
	aead_request_set_crypt(req, in, src != dst ? out : in,
			       len + OVPN_TAG_SIZE, iv);
	return crypto_aead_decrypt(req);
}

/* RFC 8439, section 2.8: what Poly1305 authenticates, and in which order */
static void ovpn_chacha_tag(u8 tag[POLY1305_DIGEST_SIZE],
			    const u8 key[POLY1305_KEY_SIZE],
			    const u8 *aad, const u8 *text, unsigned int len)
{
	static const u8 zero[POLY1305_BLOCK_SIZE];
	struct poly1305_desc_ctx mac;
	__le64 lengths[2];

	static_assert(OVPN_AAD_SIZE == POLY1305_BLOCK_SIZE / 2);

	lengths[0] = cpu_to_le64(OVPN_AAD_SIZE);
	lengths[1] = cpu_to_le64(len);

	poly1305_init(&mac, key);
	poly1305_update(&mac, aad, OVPN_AAD_SIZE);
	poly1305_update(&mac, zero, OVPN_AAD_SIZE);
	poly1305_update(&mac, text, len);
	poly1305_update(&mac, zero, -len % POLY1305_BLOCK_SIZE);
	poly1305_update(&mac, (u8 *)lengths, sizeof(lengths));
	poly1305_final(&mac, tag);
}

static void ovpn_chacha_init(struct chacha_state *state,
			     const struct ovpn_aead *aead, const u8 *iv)
{
	u8 counter_iv[CHACHA_IV_SIZE] = {};

	static_assert(sizeof(counter_iv) == sizeof(u32) + OVPN_IV_SIZE);

	memcpy(counter_iv + sizeof(u32), iv, OVPN_IV_SIZE);
	chacha_init(state, aead->chacha, counter_iv);
}

/* Block 0, which keys Poly1305, comes out of the same run over the data */
static void ovpn_chacha_seal(const struct ovpn_aead *aead, const u8 *aad,
			     u8 *data, unsigned int len, const u8 *iv, u8 *tag)
{
	u8 before[CHACHA_BLOCK_SIZE - OVPN_HEADER_SIZE];
	u8 *block = data - CHACHA_BLOCK_SIZE;
	struct chacha_state state;

	memcpy(before, block, sizeof(before));
	ovpn_chacha_init(&state, aead, iv);
	memset(block, 0, CHACHA_BLOCK_SIZE);
	chacha20_crypt(&state, block, block, CHACHA_BLOCK_SIZE + len);
	ovpn_chacha_tag(tag, block, aad, data, len);

	memzero_explicit(block, CHACHA_BLOCK_SIZE);
	memcpy(block, before, sizeof(before));
	chacha_zeroize_state(&state);
}

static int ovpn_chacha_open(const struct ovpn_aead *aead, const u8 *header,
			    const u8 *src, u8 *dst, unsigned int len,
			    const u8 *iv)
{
	u8 block[CHACHA_BLOCK_SIZE] = {};
	u8 tag[POLY1305_DIGEST_SIZE];
	struct chacha_state state;
	int ret = -EBADMSG;

	ovpn_chacha_init(&state, aead, iv);
	chacha20_crypt(&state, block, block, sizeof(block));
	ovpn_chacha_tag(tag, block, header, src, len);
	if (likely(!crypto_memneq(tag, header + OVPN_AAD_SIZE, sizeof(tag)))) {
		chacha20_crypt(&state, dst, src, len);
		ret = 0;
	}

	memzero_explicit(block, sizeof(block));
	memzero_explicit(tag, sizeof(tag));
	chacha_zeroize_state(&state);
	return ret;
}

/**
 * ovpn_aead_seal - turn a plaintext into a data packet, in place
 * @key: the key
 * @op: first word of the packet, from ovpn_op_pack()
 * @packet_id: from ovpn_aead_reserve(), never used before under this key
 * @data: the plaintext, in directly mapped memory, with
 *	%OVPN_AEAD_HEADROOM writable bytes in front, the last
 *	%OVPN_HEADER_SIZE of which become the packet's header
 * @len: its length in bytes, at least 1
 *
 * Context: any but hard interrupt.
 * Return: 0, or what the crypto API says.
 */
int ovpn_aead_seal(const struct ovpn_key *key, u32 op, u32 packet_id,
		   u8 *data, unsigned int len)
{
	u8 *header = data - OVPN_HEADER_SIZE;
	__be32 aad[2] = { cpu_to_be32(op), cpu_to_be32(packet_id) };
	u8 iv[OVPN_IV_SIZE], tag[OVPN_TAG_SIZE];

	static_assert(sizeof(aad) == OVPN_AAD_SIZE);
	static_assert(OVPN_TAG_SIZE == POLY1305_DIGEST_SIZE);

	ovpn_nonce_iv(iv, aad[1], key->tx.tail);

	if (key->cipher == OVPN_CIPHER_ALG_AES_GCM) {
		memcpy(header, aad, sizeof(aad));
		return ovpn_gcm_seal(&key->tx, header, data, len, iv);
	}

	ovpn_chacha_seal(&key->tx, (u8 *)aad, data, len, iv, tag);
	memcpy(header, aad, sizeof(aad));
	memcpy(header + OVPN_AAD_SIZE, tag, sizeof(tag));
	return 0;
}
EXPORT_SYMBOL_IF_KUNIT(ovpn_aead_seal);

/**
 * ovpn_aead_open - authenticate a data packet and decrypt it
 * @key: the key that the packet's key id names
 * @header: the packet's first %OVPN_HEADER_SIZE bytes
 * @src: the ciphertext
 * @dst: where the plaintext goes: @src itself, or memory that does not
 *	overlap with it
 * @len: length of the ciphertext in bytes, at least 1
 *
 * All memory must be directly mapped. On failure @dst holds garbage.
 *
 * Context: any but hard interrupt.
 * Return: 0, -EBADMSG if the packet is not authentic, or what the crypto API
 * says.
 */
int ovpn_aead_open(const struct ovpn_key *key, const u8 *header,
		   const u8 *src, u8 *dst, unsigned int len)
{
	u8 iv[OVPN_IV_SIZE];
	__be32 packet_id;

	memcpy(&packet_id, header + OVPN_OP_SIZE, sizeof(packet_id));
	ovpn_nonce_iv(iv, packet_id, key->rx.tail);

	if (key->cipher == OVPN_CIPHER_ALG_AES_GCM)
		return ovpn_gcm_open(&key->rx, header, src, dst, len, iv);
	return ovpn_chacha_open(&key->rx, header, src, dst, len, iv);
}
EXPORT_SYMBOL_IF_KUNIT(ovpn_aead_open);
