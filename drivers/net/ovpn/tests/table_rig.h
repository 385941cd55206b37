/* SPDX-License-Identifier: GPL-2.0-only */
/* OpenVPN data channel offload: what tests of the peers of a device need */

#ifndef _NET_OVPN_TESTS_TABLE_RIG_H_
#define _NET_OVPN_TESTS_TABLE_RIG_H_

#include <kunit/test.h>
#include <linux/in6.h>
#include <linux/rcupdate.h>
#include <linux/types.h>

#include "../endpoint.h"
#include "../ovpn.h"
#include "../peer_table.h"

/* the VPN addresses of peer n, by default */
#define VPN4(n)		cpu_to_be32(0x0a080000 + (n))

/* where peer n is, by default */
#define PORT(n)		((u16)(40000 + (n)))

/* look up outside of any read section, as the test owns all peers */
#define TABLE_LOOKUP(call)			\
({						\
	struct ovpn_peer *__peer;		\
						\
	rcu_read_lock();			\
	__peer = (call);			\
	rcu_read_unlock();			\
	__peer;					\
})

#define table_by_id(ovpn, id) \
	TABLE_LOOKUP(ovpn_peer_lookup_id_rcu(ovpn, id))
#define table_by_vpn4(ovpn, addr) \
	TABLE_LOOKUP(ovpn_peer_lookup_vpn4_rcu(ovpn, addr))
#define table_next(ovpn, id) \
	TABLE_LOOKUP(ovpn_peer_next_rcu(ovpn, id))

struct in6_addr table_vpn6(u32 n);
struct ovpn_endpoint table_at_v4(u16 port);
struct ovpn_endpoint table_at_v6(u16 port);
struct ovpn_priv *table_new(struct kunit *test, enum ovpn_mode mode);
int table_add(struct ovpn_peer *peer);
void table_remove(struct ovpn_peer *peer);
int table_set_vpn(struct ovpn_peer *peer, __be32 vpn4,
		  const struct in6_addr *vpn6);
int table_move(struct kunit *test, struct ovpn_peer *peer,
	       struct ovpn_endpoint ep);
struct ovpn_peer *table_bare_peer(struct kunit *test, struct ovpn_priv *ovpn,
				  u32 id);
struct ovpn_peer *table_peer(struct kunit *test, struct ovpn_priv *ovpn, u32 n);
struct ovpn_peer *table_joined_peer(struct kunit *test, struct ovpn_priv *ovpn,
				    u32 n);
struct ovpn_peer *table_by_vpn6(struct ovpn_priv *ovpn, struct in6_addr addr);
struct ovpn_peer *table_by_remote(struct ovpn_priv *ovpn,
				  struct ovpn_endpoint ep);

#endif /* _NET_OVPN_TESTS_TABLE_RIG_H_ */
