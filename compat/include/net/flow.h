/* SPDX-License-Identifier: GPL-2.0-only */
/* DSCP in a flow was one byte, without a type of its own */

#ifndef _OVPN_COMPAT_NET_FLOW_H_
#define _OVPN_COMPAT_NET_FLOW_H_

#include_next <net/flow.h>

#include <ovpn-lacks.h>

#ifdef OVPN_LACKS_FLOW_DSCP
#define flowi4_dscp	flowi4_tos
#endif

#endif /* _OVPN_COMPAT_NET_FLOW_H_ */
