/* SPDX-License-Identifier: GPL-2.0-only */
/* OpenVPN data channel offload: UDP transport */

#ifndef _NET_OVPN_UDP_H_
#define _NET_OVPN_UDP_H_

struct ovpn_transport_ops;

extern const struct ovpn_transport_ops ovpn_udp_ops;

#endif /* _NET_OVPN_UDP_H_ */
