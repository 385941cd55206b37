// SPDX-License-Identifier: GPL-2.0-only
/* OpenVPN data channel offload: netlink commands about keys */

#include <linux/err.h>
#include <net/genetlink.h>
#include <net/netlink.h>
#include <uapi/linux/ovpn.h>

#include "config.h"
#include "crypto.h"
#include "crypto_aead.h"
#include "netlink-gen.h"
#include "netlink.h"
#include "ovpn.h"
#include "peer.h"
#include "peer_table.h"

/* the attributes of nest keyconf, checked for presence as far as all need */
static int ovpn_nl_keyconf(struct genl_info *info, struct nlattr **attrs,
			   int max, const struct nla_policy *policy)
{
	struct netlink_ext_ack *extack = info->extack;
	struct nlattr *nest = info->attrs[OVPN_A_KEYCONF];
	int ret;

	ret = ovpn_nl_require(extack, NULL, info->attrs, OVPN_A_KEYCONF,
			      "keyconf");
	if (ret)
		return ret;
	ret = nla_parse_nested(attrs, max, nest, policy, extack);
	if (ret)
		return ret;
	return ovpn_nl_require(extack, nest, attrs, OVPN_A_KEYCONF_PEER_ID,
			       "peer-id");
}

static int ovpn_nl_key_no_peer(struct genl_info *info, struct nlattr **attrs)
{
	NL_SET_ERR_MSG_ATTR(info->extack, attrs[OVPN_A_KEYCONF_PEER_ID],
			    "peer-id: no such peer");
	return -ENOENT;
}

/* one direction's key material; points into the message */
static int ovpn_nl_keydir(struct genl_info *info, struct nlattr *nest,
			  const u8 **key, unsigned int *size, const u8 **tail)
{
	struct nlattr *attrs[OVPN_A_KEYDIR_MAX + 1];
	struct netlink_ext_ack *extack = info->extack;
	int ret;

	ret = nla_parse_nested(attrs, OVPN_A_KEYDIR_MAX, nest,
			       ovpn_keydir_nl_policy, extack);
	if (ret)
		return ret;
	ret = ovpn_nl_require(extack, nest, attrs, OVPN_A_KEYDIR_CIPHER_KEY,
			      "cipher-key");
	if (ret)
		return ret;
	ret = ovpn_nl_require(extack, nest, attrs, OVPN_A_KEYDIR_NONCE_TAIL,
			      "nonce-tail");
	if (ret)
		return ret;

	*key = nla_data(attrs[OVPN_A_KEYDIR_CIPHER_KEY]);
	*size = nla_len(attrs[OVPN_A_KEYDIR_CIPHER_KEY]);
	*tail = nla_data(attrs[OVPN_A_KEYDIR_NONCE_TAIL]);
	return 0;
}

static int ovpn_nl_key_material(struct genl_info *info, struct nlattr **attrs,
				struct ovpn_key_config *config)
{
	struct nlattr *nest = info->attrs[OVPN_A_KEYCONF];
	struct nlattr *rx = attrs[OVPN_A_KEYCONF_DECRYPT_DIR];
	struct nlattr *tx = attrs[OVPN_A_KEYCONF_ENCRYPT_DIR];
	struct netlink_ext_ack *extack = info->extack;
	unsigned int rx_size;
	int ret;

	ret = ovpn_nl_require(extack, nest, attrs, OVPN_A_KEYCONF_ENCRYPT_DIR,
			      "encrypt-dir");
	if (ret)
		return ret;
	ret = ovpn_nl_require(extack, nest, attrs, OVPN_A_KEYCONF_DECRYPT_DIR,
			      "decrypt-dir");
	if (ret)
		return ret;
	ret = ovpn_nl_keydir(info, tx, &config->tx_key, &config->key_size,
			     &config->tx_tail);
	if (ret)
		return ret;
	ret = ovpn_nl_keydir(info, rx, &config->rx_key, &rx_size,
			     &config->rx_tail);
	if (ret)
		return ret;

	if (ovpn_aead_key_size_check(config->cipher, config->key_size)) {
		NL_SET_ERR_MSG_ATTR(extack, tx,
				    "encrypt-dir: wrong key size for cipher");
		return -EINVAL;
	}
	if (rx_size != config->key_size) {
		NL_SET_ERR_MSG_ATTR(extack, rx,
				    "decrypt-dir: wrong key size for cipher");
		return -EINVAL;
	}
	return 0;
}

/* everything a key is made of, checked */
static int ovpn_nl_key_config(struct genl_info *info, struct nlattr **attrs,
			      struct ovpn_key_config *config)
{
	struct nlattr *nest = info->attrs[OVPN_A_KEYCONF];
	struct netlink_ext_ack *extack = info->extack;
	struct nlattr *cipher;
	int ret;

	ret = ovpn_nl_require(extack, nest, attrs, OVPN_A_KEYCONF_SLOT, "slot");
	if (ret)
		return ret;
	ret = ovpn_nl_require(extack, nest, attrs, OVPN_A_KEYCONF_KEY_ID,
			      "key-id");
	if (ret)
		return ret;
	ret = ovpn_nl_require(extack, nest, attrs, OVPN_A_KEYCONF_CIPHER_ALG,
			      "cipher-alg");
	if (ret)
		return ret;

	cipher = attrs[OVPN_A_KEYCONF_CIPHER_ALG];
	config->id = nla_get_u32(attrs[OVPN_A_KEYCONF_KEY_ID]);
	config->cipher = nla_get_u32(cipher);
	if (config->cipher == OVPN_CIPHER_ALG_NONE) {
		NL_SET_ERR_MSG_ATTR(extack, cipher,
				    "cipher-alg: none protects nothing");
		return -EINVAL;
	}
	return ovpn_nl_key_material(info, attrs, config);
}

/**
 * ovpn_nl_key_new_doit - put a key into a slot
 * @skb: the request
 * @info: the command
 *
 * Return: 0; -EINVAL, -ENOENT without such a peer, or what the crypto API
 * says.
 */
int ovpn_nl_key_new_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct nlattr *attrs[OVPN_A_KEYCONF_MAX + 1];
	struct ovpn_key_config config = {};
	struct ovpn_key *key;
	int ret;

	ret = ovpn_nl_keyconf(info, attrs, OVPN_A_KEYCONF_MAX,
			      ovpn_keyconf_nl_policy);
	if (ret)
		return ret;
	ret = ovpn_nl_key_config(info, attrs, &config);
	if (ret)
		return ret;

	key = ovpn_aead_key_new(&config);
	if (IS_ERR(key)) {
		NL_SET_ERR_MSG_ATTR(info->extack,
				    attrs[OVPN_A_KEYCONF_CIPHER_ALG],
				    "cipher-alg: cannot be set up");
		return PTR_ERR(key);
	}

	ret = ovpn_config_key_set(ovpn_nl_priv(info),
				  nla_get_u32(attrs[OVPN_A_KEYCONF_PEER_ID]),
				  nla_get_u32(attrs[OVPN_A_KEYCONF_SLOT]), key);
	return ret == -ENOENT ? ovpn_nl_key_no_peer(info, attrs) : ret;
}

static int ovpn_nl_key_fill(struct sk_buff *msg, struct genl_info *info,
			    u32 peer_id, u32 slot, const struct ovpn_key *key)
{
	struct nlattr *nest;
	void *header;

	header = genlmsg_iput(msg, info);
	if (!header)
		return -EMSGSIZE;
	nest = nla_nest_start(msg, OVPN_A_KEYCONF);
	if (!nest ||
	    nla_put_u32(msg, OVPN_A_KEYCONF_PEER_ID, peer_id) ||
	    nla_put_u32(msg, OVPN_A_KEYCONF_SLOT, slot) ||
	    nla_put_u32(msg, OVPN_A_KEYCONF_KEY_ID, key->id) ||
	    nla_put_u32(msg, OVPN_A_KEYCONF_CIPHER_ALG, key->cipher))
		return -EMSGSIZE;
	nla_nest_end(msg, nest);
	genlmsg_end(msg, header);
	return 0;
}

static int ovpn_nl_key_reply(struct genl_info *info, struct nlattr **attrs,
			     struct ovpn_peer *peer)
{
	u32 slot = nla_get_u32(attrs[OVPN_A_KEYCONF_SLOT]);
	struct ovpn_key *key;
	struct sk_buff *msg;
	int ret = -ENOENT;

	msg = genlmsg_new(NLMSG_GOODSIZE, GFP_KERNEL);
	if (!msg)
		return -ENOMEM;

	rcu_read_lock();
	key = ovpn_keyring_lookup_slot_rcu(&peer->keys, slot);
	if (key)
		ret = ovpn_nl_key_fill(msg, info, peer->id, slot, key);
	else
		NL_SET_ERR_MSG_ATTR(info->extack, attrs[OVPN_A_KEYCONF_SLOT],
				    "slot: is empty");
	rcu_read_unlock();

	if (ret) {
		nlmsg_free(msg);
		return ret;
	}
	return genlmsg_reply(msg, info);
}

/**
 * ovpn_nl_key_get_doit - show what is not secret about a key
 * @skb: the request
 * @info: the command
 *
 * Return: 0; -EINVAL, -ENOENT without such a peer or key, -ENOMEM.
 */
int ovpn_nl_key_get_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct nlattr *attrs[OVPN_A_KEYCONF_CIPHER_ALG + 1];
	struct ovpn_peer *peer;
	int ret;

	ret = ovpn_nl_keyconf(info, attrs, OVPN_A_KEYCONF_CIPHER_ALG,
			      ovpn_keyconf_get_nl_policy);
	if (ret)
		return ret;
	ret = ovpn_nl_require(info->extack, info->attrs[OVPN_A_KEYCONF], attrs,
			      OVPN_A_KEYCONF_SLOT, "slot");
	if (ret)
		return ret;

	peer = ovpn_peer_get_by_id(ovpn_nl_priv(info),
				   nla_get_u32(attrs[OVPN_A_KEYCONF_PEER_ID]));
	if (!peer)
		return ovpn_nl_key_no_peer(info, attrs);
	ret = ovpn_nl_key_reply(info, attrs, peer);
	ovpn_peer_put(peer);
	return ret;
}

/**
 * ovpn_nl_key_swap_doit - exchange primary and secondary key, empty or not
 * @skb: the request
 * @info: the command
 *
 * Return: 0; -EINVAL, -ENOENT without such a peer.
 */
int ovpn_nl_key_swap_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct nlattr *attrs[OVPN_A_KEYCONF_PEER_ID + 1];
	int ret;

	ret = ovpn_nl_keyconf(info, attrs, OVPN_A_KEYCONF_PEER_ID,
			      ovpn_keyconf_swap_input_nl_policy);
	if (ret)
		return ret;

	ret = ovpn_config_key_swap(ovpn_nl_priv(info),
				   nla_get_u32(attrs[OVPN_A_KEYCONF_PEER_ID]));
	return ret == -ENOENT ? ovpn_nl_key_no_peer(info, attrs) : ret;
}

/**
 * ovpn_nl_key_del_doit - empty a slot, which may be empty already
 * @skb: the request
 * @info: the command
 *
 * Return: 0; -EINVAL, -ENOENT without such a peer.
 */
int ovpn_nl_key_del_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct nlattr *attrs[OVPN_A_KEYCONF_SLOT + 1];
	int ret;

	ret = ovpn_nl_keyconf(info, attrs, OVPN_A_KEYCONF_SLOT,
			      ovpn_keyconf_del_input_nl_policy);
	if (ret)
		return ret;
	ret = ovpn_nl_require(info->extack, info->attrs[OVPN_A_KEYCONF], attrs,
			      OVPN_A_KEYCONF_SLOT, "slot");
	if (ret)
		return ret;

	ret = ovpn_config_key_set(ovpn_nl_priv(info),
				  nla_get_u32(attrs[OVPN_A_KEYCONF_PEER_ID]),
				  nla_get_u32(attrs[OVPN_A_KEYCONF_SLOT]),
				  NULL);
	return ret == -ENOENT ? ovpn_nl_key_no_peer(info, attrs) : ret;
}
