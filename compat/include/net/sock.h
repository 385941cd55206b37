/* SPDX-License-Identifier: GPL-2.0-only */
/* Sockets */

#ifndef _OVPN_COMPAT_NET_SOCK_H_
#define _OVPN_COMPAT_NET_SOCK_H_

#include <ovpn-lacks.h>

/* Whether a sender may use memory of the task: there, the flags of the
 * socket's allocations decide. The wish is kept in bits that nobody uses.
 */
#ifdef OVPN_LACKS_TASK_FRAG
#define sk_txtime_unused	sk_use_task_frag
#endif

#include_next <net/sock.h>

#ifdef OVPN_LACKS_SK_UID
#define sk_uid(sk)	((sk)->sk_uid)
#endif

#ifdef OVPN_LACKS_WAKE_ASYNC_RCU
static inline void sk_wake_async_rcu(const struct sock *sk, int how, int band)
{
	sk_wake_async(sk, how, band);
}
#endif

#ifdef OVPN_LACKS_SKB_WMEM
#include <linux/kallsyms.h>
#include <linux/string.h>

/* Is this one of TCP's destructors, which are no symbols for modules? The name
 * is looked up once for each function that there is.
 */
static inline bool
ovpn_compat_is_tcp_wmem(void (*destructor)(struct sk_buff *skb))
{
	static void (*full)(struct sk_buff *skb);
	static void (*ack)(struct sk_buff *skb);
	static void (*other)(struct sk_buff *skb);
	char name[KSYM_SYMBOL_LEN];

	if (destructor == READ_ONCE(full) || destructor == READ_ONCE(ack))
		return true;
	if (destructor == READ_ONCE(other))
		return false;

	sprint_symbol_no_offset(name, (unsigned long)destructor);
	if (!strcmp(name, "tcp_wfree")) {
		WRITE_ONCE(full, destructor);
		return true;
	}
	if (!strcmp(name, "__sock_wfree")) {
		WRITE_ONCE(ack, destructor);
		return true;
	}
	WRITE_ONCE(other, destructor);
	return false;
}

static inline bool is_skb_wmem(const struct sk_buff *skb)
{
	return skb->destructor == sock_wfree ||
	       (skb->destructor && ovpn_compat_is_tcp_wmem(skb->destructor));
}
#endif /* OVPN_LACKS_SKB_WMEM */

#endif /* _OVPN_COMPAT_NET_SOCK_H_ */
