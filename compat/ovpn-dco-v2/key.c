// SPDX-License-Identifier: GPL-2.0-only
/* OpenVPN data channel offload: commands of ovpn-dco-v2 about keys */

#include "dco.h"

#include <linux/err.h>
#include <uapi/linux/ovpn.h>

#include "config.h"
#include "crypto_aead.h"
#include "netlink.h"

static int ovpn_dco_key_no_peer(struct genl_info *info, struct nlattr *id)
{
	return ovpn_dco_refuse(info->extack, id, "peer-id: no such peer",
			       -ENOENT);
}

/* one direction's key material; points into the message */
static int ovpn_dco_key_dir(struct genl_info *info, struct nlattr *nest,
			    const u8 **key, unsigned int *size,
			    const u8 **tail)
{
	struct nlattr *attrs[OVPN_DCO_KEY_DIR_MAX + 1];
	struct netlink_ext_ack *extack = info->extack;
	int ret;

	ret = nla_parse_nested_deprecated(attrs, OVPN_DCO_KEY_DIR_MAX, nest,
					  ovpn_dco_key_dir_policy, extack);
	if (!ret)
		ret = ovpn_nl_require(extack, nest, attrs,
				      OVPN_DCO_KEY_DIR_CIPHER_KEY,
				      "cipher-key");
	if (!ret)
		ret = ovpn_nl_require(extack, nest, attrs,
				      OVPN_DCO_KEY_DIR_NONCE_TAIL,
				      "nonce-tail");
	if (ret)
		return ret;

	*key = nla_data(attrs[OVPN_DCO_KEY_DIR_CIPHER_KEY]);
	*size = nla_len(attrs[OVPN_DCO_KEY_DIR_CIPHER_KEY]);
	*tail = nla_data(attrs[OVPN_DCO_KEY_DIR_NONCE_TAIL]);
	return 0;
}

static int ovpn_dco_key_material(struct genl_info *info,
				 struct nlattr **attrs,
				 struct ovpn_key_config *config)
{
	struct nlattr *tx = attrs[OVPN_DCO_NEW_KEY_ENCRYPT_KEY];
	struct nlattr *rx = attrs[OVPN_DCO_NEW_KEY_DECRYPT_KEY];
	struct netlink_ext_ack *extack = info->extack;
	unsigned int rx_size;
	int ret;

	ret = ovpn_dco_key_dir(info, tx, &config->tx_key, &config->key_size,
			       &config->tx_tail);
	if (!ret)
		ret = ovpn_dco_key_dir(info, rx, &config->rx_key, &rx_size,
				       &config->rx_tail);
	if (ret)
		return ret;

	if (ovpn_aead_key_size_check(config->cipher, config->key_size))
		return ovpn_dco_refuse(extack, tx,
				       "encrypt-key: wrong size for cipher",
				       -EINVAL);
	if (rx_size != config->key_size)
		return ovpn_dco_refuse(extack, rx,
				       "decrypt-key: wrong size for cipher",
				       -EINVAL);
	return 0;
}

/* all of it is needed */
static int ovpn_dco_key_require(struct genl_info *info, struct nlattr **attrs)
{
	struct nlattr *nest = info->attrs[OVPN_DCO_A_NEW_KEY];
	struct netlink_ext_ack *extack = info->extack;
	int ret;

	ret = ovpn_nl_require(extack, nest, attrs, OVPN_DCO_NEW_KEY_PEER_ID,
			      "peer-id");
	if (!ret)
		ret = ovpn_nl_require(extack, nest, attrs,
				      OVPN_DCO_NEW_KEY_KEY_SLOT, "key-slot");
	if (!ret)
		ret = ovpn_nl_require(extack, nest, attrs,
				      OVPN_DCO_NEW_KEY_KEY_ID, "key-id");
	if (!ret)
		ret = ovpn_nl_require(extack, nest, attrs,
				      OVPN_DCO_NEW_KEY_CIPHER_ALG,
				      "cipher-alg");
	if (!ret)
		ret = ovpn_nl_require(extack, nest, attrs,
				      OVPN_DCO_NEW_KEY_ENCRYPT_KEY,
				      "encrypt-key");
	if (!ret)
		ret = ovpn_nl_require(extack, nest, attrs,
				      OVPN_DCO_NEW_KEY_DECRYPT_KEY,
				      "decrypt-key");
	return ret;
}

/**
 * ovpn_dco_new_key_doit - put a key into a slot
 * @skb: the request
 * @info: the command
 *
 * Return: 0; -EINVAL, -ENOENT without such a peer, or what the crypto API
 * says.
 */
int ovpn_dco_new_key_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct nlattr *attrs[OVPN_DCO_NEW_KEY_MAX + 1];
	struct ovpn_key_config config = {};
	struct nlattr *id, *slot, *cipher;
	struct ovpn_key *key;
	int ret;

	ret = ovpn_dco_attrs(info, OVPN_DCO_A_NEW_KEY, attrs,
			     OVPN_DCO_NEW_KEY_MAX, ovpn_dco_new_key_policy);
	if (!ret)
		ret = ovpn_dco_key_require(info, attrs);
	if (ret)
		return ret;

	id = attrs[OVPN_DCO_NEW_KEY_PEER_ID];
	slot = attrs[OVPN_DCO_NEW_KEY_KEY_SLOT];
	cipher = attrs[OVPN_DCO_NEW_KEY_CIPHER_ALG];
	config.id = nla_get_u8(attrs[OVPN_DCO_NEW_KEY_KEY_ID]);
	config.cipher = nla_get_u16(cipher);
	if (config.cipher == OVPN_CIPHER_ALG_NONE)
		return ovpn_dco_refuse(info->extack, cipher,
				       "cipher-alg: none protects nothing",
				       -EINVAL);
	ret = ovpn_dco_key_material(info, attrs, &config);
	if (ret)
		return ret;

	key = ovpn_aead_key_new(&config);
	if (IS_ERR(key))
		return ovpn_dco_refuse(info->extack, cipher,
				       "cipher-alg: cannot be set up",
				       PTR_ERR(key));
	ret = ovpn_config_key_set(ovpn_nl_priv(info), nla_get_u32(id),
				  nla_get_u8(slot), key);
	return ret == -ENOENT ? ovpn_dco_key_no_peer(info, id) : ret;
}

/**
 * ovpn_dco_swap_keys_doit - exchange primary and secondary key, empty or not
 * @skb: the request
 * @info: the command
 *
 * Return: 0; -EINVAL, -ENOENT without such a peer.
 */
int ovpn_dco_swap_keys_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct nlattr *attrs[OVPN_DCO_SWAP_KEYS_MAX + 1];
	struct nlattr *id;
	int ret;

	ret = ovpn_dco_attrs(info, OVPN_DCO_A_SWAP_KEYS, attrs,
			     OVPN_DCO_SWAP_KEYS_MAX,
			     ovpn_dco_swap_keys_policy);
	if (!ret)
		ret = ovpn_nl_require(info->extack,
				      info->attrs[OVPN_DCO_A_SWAP_KEYS],
				      attrs, OVPN_DCO_SWAP_KEYS_PEER_ID,
				      "peer-id");
	if (ret)
		return ret;

	id = attrs[OVPN_DCO_SWAP_KEYS_PEER_ID];
	ret = ovpn_config_key_swap(ovpn_nl_priv(info), nla_get_u32(id));
	return ret == -ENOENT ? ovpn_dco_key_no_peer(info, id) : ret;
}

/**
 * ovpn_dco_del_key_doit - empty a slot, which may be empty already
 * @skb: the request
 * @info: the command
 *
 * Return: 0; -EINVAL, -ENOENT without such a peer.
 */
int ovpn_dco_del_key_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct nlattr *nest, *attrs[OVPN_DCO_DEL_KEY_MAX + 1];
	struct netlink_ext_ack *extack = info->extack;
	struct nlattr *id, *slot;
	int ret;

	ret = ovpn_dco_attrs(info, OVPN_DCO_A_DEL_KEY, attrs,
			     OVPN_DCO_DEL_KEY_MAX, ovpn_dco_del_key_policy);
	if (ret)
		return ret;
	nest = info->attrs[OVPN_DCO_A_DEL_KEY];
	ret = ovpn_nl_require(extack, nest, attrs, OVPN_DCO_DEL_KEY_PEER_ID,
			      "peer-id");
	if (!ret)
		ret = ovpn_nl_require(extack, nest, attrs,
				      OVPN_DCO_DEL_KEY_KEY_SLOT, "key-slot");
	if (ret)
		return ret;

	id = attrs[OVPN_DCO_DEL_KEY_PEER_ID];
	slot = attrs[OVPN_DCO_DEL_KEY_KEY_SLOT];
	ret = ovpn_config_key_set(ovpn_nl_priv(info), nla_get_u32(id),
				  nla_get_u8(slot), NULL);
	return ret == -ENOENT ? ovpn_dco_key_no_peer(info, id) : ret;
}
