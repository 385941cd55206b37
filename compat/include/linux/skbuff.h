/* SPDX-License-Identifier: GPL-2.0-only */
/* Buffers: members, flags and drop reasons that are new */

#ifndef _OVPN_COMPAT_LINUX_SKBUFF_H_
#define _OVPN_COMPAT_LINUX_SKBUFF_H_

#include <ovpn-lacks.h>

/* one bit that says the same; nothing but copied */
#ifdef OVPN_LACKS_TSTAMP_TYPE
#define tstamp_type	mono_delivery_time
#endif

#include_next <linux/skbuff.h>

/* kinds of super-packets that do not exist there */
#ifdef OVPN_LACKS_GSO_ACCECN
#define SKB_GSO_TCP_ACCECN	0
#endif
#ifdef OVPN_LACKS_GSO_FIXEDID_INNER
#define __SKB_GSO_TCP_FIXEDID	0
#endif

/* the nearest that there is */
#ifdef OVPN_LACKS_DROP_CLOSE
#define SKB_DROP_REASON_SOCKET_CLOSE	SKB_DROP_REASON_NO_SOCKET
#endif
#ifdef OVPN_LACKS_DROP_ECN
#define SKB_DROP_REASON_IP_TUNNEL_ECN	SKB_DROP_REASON_IP_INHDR
#endif
#ifdef OVPN_LACKS_DROP_NO_TARGET
#define SKB_DROP_REASON_NO_TX_TARGET	SKB_DROP_REASON_IP_OUTNOROUTES
#endif
#ifdef OVPN_LACKS_DROP_SECURITY
#define SKB_DROP_REASON_SECURITY_HOOK	SKB_DROP_REASON_NOT_SPECIFIED
#endif

/* all memory has an address */
#ifdef OVPN_LACKS_FRAGS_READABLE
static inline bool skb_frags_readable(const struct sk_buff *skb)
{
	return true;
}
#endif

#endif /* _OVPN_COMPAT_LINUX_SKBUFF_H_ */
