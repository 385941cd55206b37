/* SPDX-License-Identifier: GPL-2.0-only */
/* OpenVPN data channel offload: ping the idle, expire the silent */

#ifndef _NET_OVPN_KEEPALIVE_H_
#define _NET_OVPN_KEEPALIVE_H_

#include <linux/types.h>

struct ovpn_peer;
struct ovpn_priv;
struct timer_list;

void ovpn_keepalive_init(struct ovpn_priv *ovpn);
void ovpn_keepalive_exit(struct ovpn_priv *ovpn);
void ovpn_keepalive_timer(struct timer_list *timer);
void ovpn_keepalive_set(struct ovpn_peer *peer, u32 interval, u32 timeout);

#endif /* _NET_OVPN_KEEPALIVE_H_ */
