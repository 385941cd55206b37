/* SPDX-License-Identifier: GPL-2.0-only */
/* Generic netlink: commands that say for "do" and for "dump" each what they
 * want, and a command's own state.
 */

#ifndef _OVPN_COMPAT_NET_GENETLINK_H_
#define _OVPN_COMPAT_NET_GENETLINK_H_

#include <ovpn-lacks.h>

/* the same memory, under its old name */
#ifdef OVPN_LACKS_GENL_CTX
#define user_ptr	ctx
#endif

#ifndef OVPN_LACKS_GENL_SPLIT_OPS
#include_next <net/genetlink.h>
#undef user_ptr
#else

/* The kernel's struct genl_family takes another name, and the driver gets one
 * of its own. The kernel's is made of that when it is registered. A "dump" is
 * checked by its own policy after the kernel has done that by the one of "do",
 * which it shares.
 */

#include <linux/genetlink.h>
#include <net/net_namespace.h>
#include <net/netlink.h>

#define genl_family	ovpn_compat_family
/* not used by families without a header of their own: the family, ours */
#define userhdr		family
#include_next <net/genetlink.h>
#undef genl_family
#undef userhdr
#undef user_ptr

#include <linux/slab.h>
#include <net/sock.h>

struct genl_split_ops {
	union {
		struct {
			int (*pre_doit)(const struct genl_split_ops *ops,
					struct sk_buff *skb,
					struct genl_info *info);
			int (*doit)(struct sk_buff *skb,
				    struct genl_info *info);
			void (*post_doit)(const struct genl_split_ops *ops,
					  struct sk_buff *skb,
					  struct genl_info *info);
		};
		struct {
			int (*start)(struct netlink_callback *cb);
			int (*dumpit)(struct sk_buff *skb,
				      struct netlink_callback *cb);
			int (*done)(struct netlink_callback *cb);
		};
	};
	const struct nla_policy *policy;
	unsigned int maxattr;
	u8 cmd;
	u8 internal_flags;
	u8 flags;
	u8 validate;
};

struct genl_family {
	char name[GENL_NAMSIZ];
	unsigned int version;
	u8 netnsok:1;
	u8 parallel_ops:1;
	u8 n_split_ops;
	u8 n_mcgrps;
	u8 resv_start_op;
	const struct genl_split_ops *split_ops;
	const struct genl_multicast_group *mcgrps;
	struct module *module;

	struct genl_ops *ops;
	struct ovpn_compat_family kernel;
};

/* the families that this file of the driver has registered */
static struct genl_family *ovpn_compat_families[2] __maybe_unused;

static inline struct genl_family *ovpn_compat_family(u16 type)
{
	struct genl_family *family;
	int i;

	for (i = 0; i < ARRAY_SIZE(ovpn_compat_families); i++) {
		family = READ_ONCE(ovpn_compat_families[i]);
		if (family && family->kernel.id == type)
			return family;
	}
	return NULL;
}

/* @capability: GENL_CMD_CAP_DO or GENL_CMD_CAP_DUMP */
static inline const struct genl_split_ops *
ovpn_compat_split_op(const struct genl_family *family, u8 cmd, u8 capability)
{
	const struct genl_split_ops *op;

	for (op = family->split_ops;
	     op < family->split_ops + family->n_split_ops; op++)
		if (op->cmd == cmd && op->flags & capability)
			return op;
	return NULL;
}

static inline int ovpn_compat_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct genl_family *family =
		ovpn_compat_family(info->nlhdr->nlmsg_type);
	const struct genl_split_ops *op;
	int ret;

	if (WARN_ON_ONCE(!family))
		return -EOPNOTSUPP;
	op = ovpn_compat_split_op(family, info->genlhdr->cmd, GENL_CMD_CAP_DO);
	if (WARN_ON_ONCE(!op))
		return -EOPNOTSUPP;

	info->family = family;
	if (op->pre_doit) {
		ret = op->pre_doit(op, skb, info);
		if (ret)
			return ret;
	}
	ret = op->doit(skb, info);
	if (op->post_doit)
		op->post_doit(op, skb, info);
	return ret;
}

static inline int ovpn_compat_dump(struct genl_family *family,
				   const struct genl_split_ops *op,
				   struct nlattr **attrs, struct sk_buff *skb,
				   struct netlink_callback *cb)
{
	struct genl_info info = {
		.snd_seq = cb->nlh->nlmsg_seq,
		.snd_portid = NETLINK_CB(cb->skb).portid,
		.nlhdr = (struct nlmsghdr *)cb->nlh,
		.genlhdr = nlmsg_data(cb->nlh),
		.family = family,
		.attrs = attrs,
		.extack = cb->extack,
	};
	bool liberal = op->validate & GENL_DONT_VALIDATE_DUMP_STRICT;
	void *data = cb->data;
	int ret;

	genl_info_net_set(&info, sock_net(cb->skb->sk));
	ret = __nlmsg_parse(cb->nlh, GENL_HDRLEN, attrs, op->maxattr,
			    op->policy, liberal ? NL_VALIDATE_LIBERAL :
						  NL_VALIDATE_STRICT,
			    cb->extack);
	if (ret)
		return ret;

	/* the kernel's, which nobody looks at meanwhile */
	cb->data = &info;
	ret = op->dumpit(skb, cb);
	cb->data = data;
	return ret;
}

static inline int ovpn_compat_dumpit(struct sk_buff *skb,
				     struct netlink_callback *cb)
{
	const struct genlmsghdr *header = nlmsg_data(cb->nlh);
	struct genl_family *family = ovpn_compat_family(cb->nlh->nlmsg_type);
	const struct genl_split_ops *op;
	struct nlattr **attrs;
	int ret;

	if (WARN_ON_ONCE(!family))
		return -EOPNOTSUPP;
	op = ovpn_compat_split_op(family, header->cmd, GENL_CMD_CAP_DUMP);
	if (WARN_ON_ONCE(!op))
		return -EOPNOTSUPP;

	attrs = kcalloc(op->maxattr + 1, sizeof(*attrs), GFP_KERNEL);
	if (!attrs)
		return -ENOMEM;
	ret = ovpn_compat_dump(family, op, attrs, skb, cb);
	kfree(attrs);
	return ret;
}

static inline const struct genl_info *
genl_info_dump(struct netlink_callback *cb)
{
	return cb->data;
}

/* the kernel's operations: one for each command, for both of its kinds */
static inline unsigned int
ovpn_compat_merge_ops(const struct genl_family *family, struct genl_ops *ops)
{
	const struct genl_split_ops *op;
	unsigned int i, n = 0;

	for (op = family->split_ops;
	     op < family->split_ops + family->n_split_ops; op++) {
		for (i = 0; i < n && ops[i].cmd != op->cmd; i++)
			;
		if (i == n) {
			ops[n].cmd = op->cmd;
			ops[n].internal_flags = op->internal_flags;
			n++;
		}
		ops[i].flags |= op->flags & (GENL_ADMIN_PERM |
					     GENL_UNS_ADMIN_PERM);
		ops[i].validate |= op->validate;
		if (op->flags & GENL_CMD_CAP_DUMP)
			ops[i].dumpit = ovpn_compat_dumpit;
		if (op->flags & GENL_CMD_CAP_DO)
			ops[i].doit = ovpn_compat_doit;
		if (op->flags & GENL_CMD_CAP_DO || !ops[i].policy) {
			ops[i].policy = op->policy;
			ops[i].maxattr = op->maxattr;
		}
	}
	return n;
}

/* In module init and exit, where nothing else registers. No command runs when
 * the kernel has unregistered a family.
 */
static inline struct genl_family **
ovpn_compat_family_slot(const struct genl_family *family)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(ovpn_compat_families); i++)
		if (ovpn_compat_families[i] == family)
			return &ovpn_compat_families[i];
	return NULL;
}

static inline int ovpn_compat_family_register(struct genl_family *family)
{
	struct genl_family **slot = ovpn_compat_family_slot(NULL);
	int ret;

	if (WARN_ON(!slot))
		return -ENOSPC;
	family->ops = kcalloc(family->n_split_ops, sizeof(*family->ops),
			      GFP_KERNEL);
	if (!family->ops)
		return -ENOMEM;

	family->kernel = (struct ovpn_compat_family) {
		.version = family->version,
		.netnsok = family->netnsok,
		.parallel_ops = family->parallel_ops,
		.n_ops = ovpn_compat_merge_ops(family, family->ops),
		.ops = family->ops,
		.n_mcgrps = family->n_mcgrps,
		.mcgrps = family->mcgrps,
		.resv_start_op = family->resv_start_op,
		.module = family->module,
	};
	strscpy(family->kernel.name, family->name,
		sizeof(family->kernel.name));

	/* commands may come before this returns */
	WRITE_ONCE(*slot, family);
	ret = genl_register_family(&family->kernel);
	if (ret) {
		WRITE_ONCE(*slot, NULL);
		kfree(family->ops);
	}
	return ret;
}

static inline int
ovpn_compat_family_unregister(const struct genl_family *family)
{
	struct genl_family **slot = ovpn_compat_family_slot(family);
	int ret = genl_unregister_family(&family->kernel);

	if (slot)
		WRITE_ONCE(*slot, NULL);
	kfree(family->ops);
	return ret;
}

static inline void *genlmsg_iput(struct sk_buff *skb,
				 const struct genl_info *info)
{
	const struct genl_family *family = info->family;

	return genlmsg_put(skb, info->snd_portid, info->snd_seq,
			   &family->kernel, 0, info->genlhdr->cmd);
}

#define genl_register_family	ovpn_compat_family_register
#define genl_unregister_family	ovpn_compat_family_unregister
#define genl_info_net(info)	genl_info_net((struct genl_info *)(info))
#define genlmsg_put(skb, portid, seq, family, flags, cmd) \
	genlmsg_put(skb, portid, seq, &(family)->kernel, flags, cmd)
#define genlmsg_multicast_netns(family, net, skb, portid, group, flags) \
	genlmsg_multicast_netns(&(family)->kernel, net, skb, portid, group, \
				flags)

#endif /* OVPN_LACKS_GENL_SPLIT_OPS */
#endif /* _OVPN_COMPAT_NET_GENETLINK_H_ */
