/* SPDX-License-Identifier: GPL-2.0-only */
/* OpenVPN data channel offload: the keys of a peer */

#ifndef _NET_OVPN_CRYPTO_H_
#define _NET_OVPN_CRYPTO_H_

#include <linux/rcupdate.h>
#include <linux/spinlock.h>
#include <linux/types.h>
#include <uapi/linux/ovpn.h>

struct ovpn_key;

#define OVPN_KEY_SLOTS	2

/**
 * struct ovpn_keyring - the two key slots of a peer
 * @slots: the keys, written under @lock, read under RCU
 * @primary: index of the primary slot; the other one is secondary
 * @lock: guards writing. BH, a leaf
 *
 * The primary key seals. Both open, so that packets under way survive a
 * change of keys.
 */
struct ovpn_keyring {
	struct ovpn_key __rcu *slots[OVPN_KEY_SLOTS];
	u8 primary;
	spinlock_t lock;
};

void ovpn_keyring_init(struct ovpn_keyring *ring);
struct ovpn_key *ovpn_keyring_lookup_tx_rcu(const struct ovpn_keyring *ring);
struct ovpn_key *ovpn_keyring_lookup_rx_rcu(const struct ovpn_keyring *ring,
					    u8 key_id);
struct ovpn_key *ovpn_keyring_lookup_slot_rcu(const struct ovpn_keyring *ring,
					      enum ovpn_key_slot slot);
void ovpn_keyring_install(struct ovpn_keyring *ring, enum ovpn_key_slot slot,
			  struct ovpn_key *key);
void ovpn_keyring_swap(struct ovpn_keyring *ring);
void ovpn_keyring_purge(struct ovpn_keyring *ring);

#endif /* _NET_OVPN_CRYPTO_H_ */
