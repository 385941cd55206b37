/* SPDX-License-Identifier: GPL-2.0-only */
/* Netlink attributes */

#ifndef _OVPN_COMPAT_NET_NETLINK_H_
#define _OVPN_COMPAT_NET_NETLINK_H_

#include_next <net/netlink.h>

#include <ovpn-lacks.h>

/* a range is never written to */
#ifdef OVPN_LACKS_NLA_RANGE_CONST
#undef NLA_POLICY_FULL_RANGE
#define NLA_POLICY_FULL_RANGE(kind, values) {				\
	.type = NLA_ENSURE_UINT_OR_BINARY_TYPE(kind),			\
	.validation_type = NLA_VALIDATE_RANGE_PTR,			\
	.range = (struct netlink_range_validation *)(values),		\
}
#endif

#ifndef NLA_POLICY_MAX_LEN
#define NLA_POLICY_MAX_LEN(size)	NLA_POLICY_MAX(NLA_BINARY, size)
#endif

#ifdef OVPN_LACKS_NLA_DEFAULT
static inline u32 nla_get_u32_default(const struct nlattr *nla, u32 value)
{
	return nla ? nla_get_u32(nla) : value;
}
#endif

/* a number of four bytes or, if it has to be, of eight */
#ifdef OVPN_LACKS_NLA_UINT
#define NLA_UINT	NLA_BINARY

static inline int nla_put_uint(struct sk_buff *skb, int type, u64 value)
{
	if (value <= U32_MAX)
		return nla_put_u32(skb, type, value);
	return nla_put(skb, type, sizeof(value), &value);
}
#endif

#endif /* _OVPN_COMPAT_NET_NETLINK_H_ */
