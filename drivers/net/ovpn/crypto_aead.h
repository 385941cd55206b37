/* SPDX-License-Identifier: GPL-2.0-only */
/* OpenVPN data channel offload: one key, sealing and opening one packet */

#ifndef _NET_OVPN_CRYPTO_AEAD_H_
#define _NET_OVPN_CRYPTO_AEAD_H_

#include <crypto/chacha.h>
#include <linux/atomic.h>
#include <linux/cache.h>
#include <linux/types.h>
#include <linux/workqueue.h>
#include <uapi/linux/ovpn.h>

#include "nonce.h"
#include "replay.h"

struct crypto_sync_aead;
struct netlink_ext_ack;

/* ovpn_aead_seal() works on this many bytes in front of the plaintext: one
 * ChaCha block, of which the last 24 bytes become the header. The others are
 * as before when it returns: a packet may lie there.
 */
#define OVPN_AEAD_HEADROOM	CHACHA_BLOCK_SIZE

/* The AES-GCM bound on plaintext blocks plus packets under one key
 * (draft-irtf-cfrg-aead-limits, as OpenVPN computes it), and the point, 7/8
 * of it, at which OpenVPN asks for the next key.
 */
#define OVPN_GCM_USAGE_MAX	((1ULL << 36) - 1)
#define OVPN_GCM_USAGE_REKEY	(OVPN_GCM_USAGE_MAX / 8 * 7)

/* OpenVPN's PACKET_ID_WRAP_TRIGGER: time for the next key, too */
#define OVPN_PACKET_ID_REKEY	0xff000000U

#define OVPN_KEY_ID_MAX		7

/**
 * struct ovpn_key_config - a key as user space describes it
 * @id: key id, 0..7
 * @cipher: &enum ovpn_cipher_alg
 * @key_size: bytes in each key
 * @tx_key: key of the sending direction
 * @tx_tail: its nonce tail, %OVPN_NONCE_TAIL_SIZE bytes
 * @rx_key: key of the receiving direction
 * @rx_tail: its nonce tail
 */
struct ovpn_key_config {
	u8 id;
	u32 cipher;
	unsigned int key_size;
	const u8 *tx_key;
	const u8 *tx_tail;
	const u8 *rx_key;
	const u8 *rx_tail;
};

/**
 * struct ovpn_aead - one direction of a key; immutable
 * @gcm: the cipher, if AES-GCM
 * @chacha: the key, if ChaCha20-Poly1305
 * @tail: the second half of the IV
 */
struct ovpn_aead {
	union {
		struct crypto_sync_aead *gcm;
		u32 chacha[CHACHA_KEY_WORDS];
	};
	u8 tail[OVPN_NONCE_TAIL_SIZE];
};

/**
 * struct ovpn_key - a key of a peer, both directions
 * @tx: seals
 * @nonce: packet ids to send
 * @blocks: 16-byte blocks sealed so far
 * @rekey_told: user space has been asked for the next key
 * @rx: opens
 * @replay: packet ids received
 * @id: key id, 0..7
 * @cipher: &enum ovpn_cipher_alg
 * @free: frees the key after a grace period, in process context
 *
 * Sending and receiving each have cache lines of their own.
 */
struct ovpn_key {
	struct ovpn_aead tx ____cacheline_aligned;
	struct ovpn_nonce nonce;
	atomic64_t blocks;
	unsigned long rekey_told;

	struct ovpn_aead rx ____cacheline_aligned;
	struct ovpn_replay replay;

	u8 id;
	u8 cipher;
	struct rcu_work free;
};

int ovpn_aead_init(void);
void ovpn_aead_exit(void);

int ovpn_aead_key_size_check(u32 cipher, unsigned int key_size);
struct ovpn_key *ovpn_aead_key_new(const struct ovpn_key_config *config);
void ovpn_aead_key_free(struct ovpn_key *key);
void ovpn_aead_key_free_rcu(struct ovpn_key *key);

int ovpn_aead_reserve(struct ovpn_key *key, unsigned int packets,
		      unsigned int blocks, u32 *first, bool *rekey);
int ovpn_aead_seal(const struct ovpn_key *key, u32 op, u32 packet_id,
		   u8 *data, unsigned int len);
int ovpn_aead_open(const struct ovpn_key *key, const u8 *header,
		   const u8 *src, u8 *dst, unsigned int len);

#endif /* _NET_OVPN_CRYPTO_AEAD_H_ */
