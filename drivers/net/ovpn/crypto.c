// SPDX-License-Identifier: GPL-2.0-only
/* OpenVPN data channel offload: the keys of a peer */

#include "crypto.h"

#include <kunit/visibility.h>

#include "crypto_aead.h"

/**
 * ovpn_keyring_init - start with two empty slots
 * @ring: the keys of a new peer
 */
void ovpn_keyring_init(struct ovpn_keyring *ring)
{
	RCU_INIT_POINTER(ring->slots[0], NULL);
	RCU_INIT_POINTER(ring->slots[1], NULL);
	ring->primary = 0;
	spin_lock_init(&ring->lock);
}
EXPORT_SYMBOL_IF_KUNIT(ovpn_keyring_init);

static unsigned int ovpn_keyring_index(const struct ovpn_keyring *ring,
				       enum ovpn_key_slot slot)
{
	unsigned int primary = READ_ONCE(ring->primary);

	return slot == OVPN_KEY_SLOT_PRIMARY ? primary : !primary;
}

/**
 * ovpn_keyring_lookup_slot_rcu - which key is in this slot?
 * @ring: the keys of a peer
 * @slot: primary or secondary
 *
 * Context: RCU read section.
 * Return: the key, or NULL if the slot is empty.
 */
struct ovpn_key *ovpn_keyring_lookup_slot_rcu(const struct ovpn_keyring *ring,
					      enum ovpn_key_slot slot)
{
	return rcu_dereference(ring->slots[ovpn_keyring_index(ring, slot)]);
}
EXPORT_SYMBOL_IF_KUNIT(ovpn_keyring_lookup_slot_rcu);

/**
 * ovpn_keyring_lookup_tx_rcu - which key seals?
 * @ring: the keys of a peer
 *
 * Context: RCU read section.
 * Return: the primary key, or NULL.
 */
struct ovpn_key *ovpn_keyring_lookup_tx_rcu(const struct ovpn_keyring *ring)
{
	return ovpn_keyring_lookup_slot_rcu(ring, OVPN_KEY_SLOT_PRIMARY);
}
EXPORT_SYMBOL_IF_KUNIT(ovpn_keyring_lookup_tx_rcu);

/**
 * ovpn_keyring_lookup_rx_rcu - which key opens?
 * @ring: the keys of a peer
 * @key_id: key id of the packet
 *
 * Context: RCU read section.
 * Return: the key with this id, the primary one if both have it, or NULL.
 */
struct ovpn_key *ovpn_keyring_lookup_rx_rcu(const struct ovpn_keyring *ring,
					    u8 key_id)
{
	/* looked at once: keys do not move in a swap, so none can be missed */
	unsigned int primary = READ_ONCE(ring->primary);
	struct ovpn_key *key;

	key = rcu_dereference(ring->slots[primary]);
	if (likely(key && key->id == key_id))
		return key;

	key = rcu_dereference(ring->slots[!primary]);
	return key && key->id == key_id ? key : NULL;
}
EXPORT_SYMBOL_IF_KUNIT(ovpn_keyring_lookup_rx_rcu);

/**
 * ovpn_keyring_install - put a key into a slot
 * @ring: the keys of a peer
 * @slot: primary or secondary
 * @key: the key, owned by the slot from now on; NULL empties the slot
 *
 * The key that was there is freed when no packet uses it any more.
 *
 * Context: any but hard interrupt.
 */
void ovpn_keyring_install(struct ovpn_keyring *ring, enum ovpn_key_slot slot,
			  struct ovpn_key *key)
{
	struct ovpn_key *old;
	unsigned int index;

	spin_lock_bh(&ring->lock);
	index = ovpn_keyring_index(ring, slot);
	old = rcu_replace_pointer(ring->slots[index], key,
				  lockdep_is_held(&ring->lock));
	spin_unlock_bh(&ring->lock);

	ovpn_aead_key_free_rcu(old);
}
EXPORT_SYMBOL_IF_KUNIT(ovpn_keyring_install);

/**
 * ovpn_keyring_swap - exchange primary and secondary, empty or not
 * @ring: the keys of a peer
 *
 * Context: any but hard interrupt.
 */
void ovpn_keyring_swap(struct ovpn_keyring *ring)
{
	spin_lock_bh(&ring->lock);
	WRITE_ONCE(ring->primary, !ring->primary);
	spin_unlock_bh(&ring->lock);
}
EXPORT_SYMBOL_IF_KUNIT(ovpn_keyring_swap);

/**
 * ovpn_keyring_purge - empty both slots
 * @ring: the keys of a peer
 *
 * Context: any but hard interrupt.
 */
void ovpn_keyring_purge(struct ovpn_keyring *ring)
{
	ovpn_keyring_install(ring, OVPN_KEY_SLOT_PRIMARY, NULL);
	ovpn_keyring_install(ring, OVPN_KEY_SLOT_SECONDARY, NULL);
}
EXPORT_SYMBOL_IF_KUNIT(ovpn_keyring_purge);
