/* SPDX-License-Identifier: GPL-2.0-only */
/* OpenVPN data channel offload: packets in and out */

#ifndef _NET_OVPN_IO_H_
#define _NET_OVPN_IO_H_

#include <linux/netdevice.h>
#include <linux/skbuff.h>

struct ovpn_peer;
struct ovpn_priv;

/**
 * struct ovpn_tx_cb - what io_tx tells the transport about a sealed packet
 * @dsfield: the inner packet's DS field, for ECN
 */
struct ovpn_tx_cb {
	u8 dsfield;
};

/**
 * ovpn_tx_cb - the control block of a packet on its way out
 * @skb: the packet; valid from sealing to the transport's send
 *
 * Return: its control block.
 */
static inline struct ovpn_tx_cb *ovpn_tx_cb(const struct sk_buff *skb)
{
	BUILD_BUG_ON(sizeof(struct ovpn_tx_cb) > sizeof(skb->cb));
	return (struct ovpn_tx_cb *)skb->cb;
}

int ovpn_rx_init(struct ovpn_priv *ovpn);
void ovpn_rx_stop(struct ovpn_priv *ovpn);
void ovpn_rx_exit(struct ovpn_priv *ovpn);
void ovpn_rx_enqueue(struct ovpn_priv *ovpn, struct sk_buff *skb);

netdev_tx_t ovpn_tx_start_xmit(struct sk_buff *skb, struct net_device *dev);
void ovpn_tx_keepalive(struct ovpn_peer *peer);
unsigned int ovpn_tx_headroom(void);

#endif /* _NET_OVPN_IO_H_ */
