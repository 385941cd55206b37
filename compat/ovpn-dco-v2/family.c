// SPDX-License-Identifier: GPL-2.0-only
/* OpenVPN data channel offload: the generic netlink family ovpn-dco-v2
 *
 * Programs that speak it were written for another driver and will not change.
 * So it is lenient where that one was: attributes that are not known, or longer
 * than they need to be, are no reason to refuse a command.
 */

#include "dco.h"

#include <linux/in.h>
#include <linux/in6.h>
#include <uapi/linux/ovpn.h>

#include "netlink-gen.h"
#include "netlink.h"
#include "nonce.h"
#include "ovpn.h"
#include "peer.h"

/* ovpn_nl_enter() reads that one */
static_assert((int)OVPN_DCO_A_IFINDEX == (int)OVPN_A_IFINDEX);

static const struct netlink_range_validation ovpn_dco_peer_id_range = {
	.max = 0xffffff,
};

#define OVPN_DCO_PEER_ID \
	NLA_POLICY_FULL_RANGE(NLA_U32, &ovpn_dco_peer_id_range)

const struct nla_policy
ovpn_dco_new_peer_policy[OVPN_DCO_NEW_PEER_MAX + 1] = {
	[OVPN_DCO_NEW_PEER_PEER_ID] = OVPN_DCO_PEER_ID,
	[OVPN_DCO_NEW_PEER_SOCKADDR_REMOTE] =
		NLA_POLICY_MIN_LEN(sizeof(struct sockaddr_in)),
	[OVPN_DCO_NEW_PEER_SOCKET] = { .type = NLA_U32 },
	[OVPN_DCO_NEW_PEER_IPV4] = { .type = NLA_U32 },
	[OVPN_DCO_NEW_PEER_IPV6] =
		NLA_POLICY_EXACT_LEN(sizeof(struct in6_addr)),
	[OVPN_DCO_NEW_PEER_LOCAL_IP] =
		NLA_POLICY_MIN_LEN(sizeof(struct in_addr)),
};

const struct nla_policy
ovpn_dco_set_peer_policy[OVPN_DCO_SET_PEER_MAX + 1] = {
	[OVPN_DCO_SET_PEER_PEER_ID] = OVPN_DCO_PEER_ID,
	[OVPN_DCO_SET_PEER_KEEPALIVE_INTERVAL] = { .type = NLA_U32 },
	[OVPN_DCO_SET_PEER_KEEPALIVE_TIMEOUT] = { .type = NLA_U32 },
};

const struct nla_policy
ovpn_dco_del_peer_policy[OVPN_DCO_DEL_PEER_MAX + 1] = {
	[OVPN_DCO_DEL_PEER_PEER_ID] = OVPN_DCO_PEER_ID,
};

const struct nla_policy ovpn_dco_get_peer_policy[] = {
	[OVPN_DCO_GET_PEER_PEER_ID] = OVPN_DCO_PEER_ID,
};

const struct nla_policy
ovpn_dco_key_dir_policy[OVPN_DCO_KEY_DIR_MAX + 1] = {
	[OVPN_DCO_KEY_DIR_CIPHER_KEY] = NLA_POLICY_MAX_LEN(255),
	[OVPN_DCO_KEY_DIR_NONCE_TAIL] =
		NLA_POLICY_EXACT_LEN(OVPN_NONCE_TAIL_SIZE),
};

const struct nla_policy
ovpn_dco_new_key_policy[OVPN_DCO_NEW_KEY_MAX + 1] = {
	[OVPN_DCO_NEW_KEY_PEER_ID] = OVPN_DCO_PEER_ID,
	[OVPN_DCO_NEW_KEY_KEY_SLOT] =
		NLA_POLICY_MAX(NLA_U8, OVPN_KEY_SLOT_SECONDARY),
	[OVPN_DCO_NEW_KEY_KEY_ID] = NLA_POLICY_MAX(NLA_U8, 7),
	[OVPN_DCO_NEW_KEY_CIPHER_ALG] =
		NLA_POLICY_MAX(NLA_U16, OVPN_CIPHER_ALG_CHACHA20_POLY1305),
	[OVPN_DCO_NEW_KEY_ENCRYPT_KEY] =
		NLA_POLICY_NESTED(ovpn_dco_key_dir_policy),
	[OVPN_DCO_NEW_KEY_DECRYPT_KEY] =
		NLA_POLICY_NESTED(ovpn_dco_key_dir_policy),
};

const struct nla_policy
ovpn_dco_swap_keys_policy[OVPN_DCO_SWAP_KEYS_MAX + 1] = {
	[OVPN_DCO_SWAP_KEYS_PEER_ID] = OVPN_DCO_PEER_ID,
};

const struct nla_policy
ovpn_dco_del_key_policy[OVPN_DCO_DEL_KEY_MAX + 1] = {
	[OVPN_DCO_DEL_KEY_PEER_ID] = OVPN_DCO_PEER_ID,
	[OVPN_DCO_DEL_KEY_KEY_SLOT] =
		NLA_POLICY_MAX(NLA_U8, OVPN_KEY_SLOT_SECONDARY),
};

static const struct nla_policy ovpn_dco_policy[OVPN_DCO_A_MAX + 1] = {
	[OVPN_DCO_A_IFINDEX] = { .type = NLA_U32 },
	[OVPN_DCO_A_NEW_PEER] = NLA_POLICY_NESTED(ovpn_dco_new_peer_policy),
	[OVPN_DCO_A_SET_PEER] = NLA_POLICY_NESTED(ovpn_dco_set_peer_policy),
	[OVPN_DCO_A_DEL_PEER] = NLA_POLICY_NESTED(ovpn_dco_del_peer_policy),
	[OVPN_DCO_A_NEW_KEY] = NLA_POLICY_NESTED(ovpn_dco_new_key_policy),
	[OVPN_DCO_A_SWAP_KEYS] = NLA_POLICY_NESTED(ovpn_dco_swap_keys_policy),
	[OVPN_DCO_A_DEL_KEY] = NLA_POLICY_NESTED(ovpn_dco_del_key_policy),
	[OVPN_DCO_A_GET_PEER] = NLA_POLICY_NESTED(ovpn_dco_get_peer_policy),
};

static const char * const ovpn_dco_nest_missing[OVPN_DCO_A_MAX + 1] = {
	[OVPN_DCO_A_NEW_PEER] = "missing attribute: new-peer",
	[OVPN_DCO_A_SET_PEER] = "missing attribute: set-peer",
	[OVPN_DCO_A_DEL_PEER] = "missing attribute: del-peer",
	[OVPN_DCO_A_NEW_KEY] = "missing attribute: new-key",
	[OVPN_DCO_A_SWAP_KEYS] = "missing attribute: swap-keys",
	[OVPN_DCO_A_DEL_KEY] = "missing attribute: del-key",
	[OVPN_DCO_A_GET_PEER] = "missing attribute: get-peer",
};

/**
 * ovpn_dco_attrs - read what a command says
 * @info: the command
 * @nest: the attribute it says it in
 * @attrs: filled in
 * @max: highest attribute in it
 * @policy: policy of the attributes in it
 *
 * Return: 0, or -EINVAL.
 */
int ovpn_dco_attrs(struct genl_info *info, int nest, struct nlattr **attrs,
		   int max, const struct nla_policy *policy)
{
	if (GENL_REQ_ATTR_CHECK(info, nest)) {
		if (info->extack)
			info->extack->_msg = ovpn_dco_nest_missing[nest];
		return -EINVAL;
	}
	return nla_parse_nested_deprecated(attrs, max, info->attrs[nest],
					   policy, info->extack);
}

/**
 * ovpn_dco_refuse - say which attribute is wrong, and why
 * @extack: where to say it
 * @attr: the attribute
 * @why: the reason, with the attribute's name
 * @error: an error number
 *
 * Return: @error.
 */
int ovpn_dco_refuse(struct netlink_ext_ack *extack, struct nlattr *attr,
		    const char *why, int error)
{
	NL_SET_BAD_ATTR(extack, attr);
	if (extack)
		extack->_msg = why;
	return error;
}

static int ovpn_dco_pre_doit(const struct genl_split_ops *ops,
			     struct sk_buff *skb, struct genl_info *info)
{
	return ovpn_nl_enter(info, &ovpn_dco_user_ops);
}

#define OVPN_DCO_DO(_cmd, _doit) {			\
	.cmd = (_cmd),					\
	.pre_doit = ovpn_dco_pre_doit,			\
	.doit = (_doit),				\
	.post_doit = ovpn_nl_post_doit,			\
	.policy = ovpn_dco_policy,			\
	.maxattr = OVPN_DCO_A_MAX,			\
	.validate = GENL_DONT_VALIDATE_STRICT,		\
	.flags = GENL_UNS_ADMIN_PERM | GENL_CMD_CAP_DO,	\
}

static const struct genl_split_ops ovpn_dco_ops[] = {
	OVPN_DCO_DO(OVPN_DCO_CMD_NEW_PEER, ovpn_dco_new_peer_doit),
	OVPN_DCO_DO(OVPN_DCO_CMD_SET_PEER, ovpn_dco_set_peer_doit),
	OVPN_DCO_DO(OVPN_DCO_CMD_DEL_PEER, ovpn_dco_del_peer_doit),
	OVPN_DCO_DO(OVPN_DCO_CMD_NEW_KEY, ovpn_dco_new_key_doit),
	OVPN_DCO_DO(OVPN_DCO_CMD_SWAP_KEYS, ovpn_dco_swap_keys_doit),
	OVPN_DCO_DO(OVPN_DCO_CMD_DEL_KEY, ovpn_dco_del_key_doit),
	OVPN_DCO_DO(OVPN_DCO_CMD_GET_PEER, ovpn_dco_get_peer_doit),
	{
		.cmd = OVPN_DCO_CMD_GET_PEER,
		.dumpit = ovpn_dco_get_peer_dumpit,
		.policy = ovpn_dco_policy,
		.maxattr = OVPN_DCO_A_MAX,
		.validate = GENL_DONT_VALIDATE_DUMP_STRICT,
		.flags = GENL_UNS_ADMIN_PERM | GENL_CMD_CAP_DUMP,
	},
};

static const struct genl_multicast_group ovpn_dco_groups[] = {
	{ .name = OVPN_DCO_GROUP_PEERS },
};

struct genl_family ovpn_dco_family __ro_after_init = {
	.name = OVPN_DCO_FAMILY_NAME,
	.version = OVPN_DCO_FAMILY_VERSION,
	.netnsok = true,
	.parallel_ops = true,
	.module = THIS_MODULE,
	.split_ops = ovpn_dco_ops,
	.n_split_ops = ARRAY_SIZE(ovpn_dco_ops),
	/* bits of the header that mean nothing are not looked at either */
	.resv_start_op = OVPN_DCO_CMD_GET_PEER + 1,
	.mcgrps = ovpn_dco_groups,
	.n_mcgrps = ARRAY_SIZE(ovpn_dco_groups),
};

static int ovpn_dco_fill_peer_del(struct sk_buff *msg,
				  const struct ovpn_peer *peer)
{
	struct nlattr *nest;
	void *header;

	header = genlmsg_put(msg, 0, 0, &ovpn_dco_family, 0,
			     OVPN_DCO_CMD_DEL_PEER);
	if (!header ||
	    nla_put_u32(msg, OVPN_DCO_A_IFINDEX, peer->ovpn->dev->ifindex))
		return -EMSGSIZE;

	nest = nla_nest_start(msg, OVPN_DCO_A_DEL_PEER);
	if (!nest ||
	    nla_put_u8(msg, OVPN_DCO_DEL_PEER_REASON, peer->del_reason) ||
	    nla_put_u32(msg, OVPN_DCO_DEL_PEER_PEER_ID, peer->id))
		return -EMSGSIZE;
	nla_nest_end(msg, nest);
	genlmsg_end(msg, header);
	return 0;
}

/* whoever listens, listens where the device is */
static void ovpn_dco_peer_del(struct ovpn_peer *peer)
{
	struct sk_buff *msg;

	msg = genlmsg_new(nla_total_size(sizeof(u32)) +
			  nla_total_size(nla_total_size(sizeof(u8)) +
					 nla_total_size(sizeof(u32))),
			  GFP_ATOMIC);
	if (!msg)
		return;
	if (WARN_ON_ONCE(ovpn_dco_fill_peer_del(msg, peer))) {
		nlmsg_free(msg);
		return;
	}
	genlmsg_multicast_netns(&ovpn_dco_family, dev_net(peer->ovpn->dev),
				msg, 0, 0, GFP_ATOMIC);
}

/* Nothing else has a notification. P_DATA_V1 goes up, where it leads to a
 * message that tells what is wrong.
 */
const struct ovpn_user_ops ovpn_dco_user_ops = {
	.peer_del = ovpn_dco_peer_del,
	.data_v1 = true,
};
