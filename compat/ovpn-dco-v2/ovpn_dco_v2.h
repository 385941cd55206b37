/* SPDX-License-Identifier: GPL-2.0-only */
/* The netlink interface "ovpn-dco-v2", as OpenVPN 2.6 and OpenVPN 3 speak it
 *
 * Only names and numbers; what they mean is told in README.md. The link kind is
 * "ovpn-dco", its attributes are those of kind "ovpn" (IFLA_OVPN_MODE). Slots,
 * ciphers and reasons have the numbers of <linux/ovpn.h>.
 */

#ifndef _OVPN_DCO_V2_H_
#define _OVPN_DCO_V2_H_

#define OVPN_DCO_FAMILY_NAME	"ovpn-dco-v2"
#define OVPN_DCO_FAMILY_VERSION	1
#define OVPN_DCO_GROUP_PEERS	"peers"
#define OVPN_DCO_LINK_KIND	"ovpn-dco"

/* commands; DEL_PEER is a notification, too */
enum ovpn_dco_cmd {
	OVPN_DCO_CMD_NEW_PEER = 1,
	OVPN_DCO_CMD_SET_PEER = 2,
	OVPN_DCO_CMD_DEL_PEER = 3,
	OVPN_DCO_CMD_NEW_KEY = 4,
	OVPN_DCO_CMD_SWAP_KEYS = 5,
	OVPN_DCO_CMD_DEL_KEY = 6,
	OVPN_DCO_CMD_GET_PEER = 7
};

/* a command has the device and the nest of its name */
enum ovpn_dco_attr {
	OVPN_DCO_A_IFINDEX = 1,		/* u32 */
	OVPN_DCO_A_NEW_PEER = 2,
	OVPN_DCO_A_SET_PEER = 3,
	OVPN_DCO_A_DEL_PEER = 4,
	OVPN_DCO_A_NEW_KEY = 5,
	OVPN_DCO_A_SWAP_KEYS = 6,
	OVPN_DCO_A_DEL_KEY = 7,
	OVPN_DCO_A_GET_PEER = 8,
	OVPN_DCO_A_MAX = OVPN_DCO_A_GET_PEER
};

enum ovpn_dco_new_peer_attr {
	OVPN_DCO_NEW_PEER_PEER_ID = 1,		/* u32 */
	OVPN_DCO_NEW_PEER_SOCKADDR_REMOTE = 2,	/* sockaddr_in or _in6 */
	OVPN_DCO_NEW_PEER_SOCKET = 3,		/* u32, a descriptor */
	OVPN_DCO_NEW_PEER_IPV4 = 4,		/* be32, inside the VPN */
	OVPN_DCO_NEW_PEER_IPV6 = 5,		/* 16 bytes */
	OVPN_DCO_NEW_PEER_LOCAL_IP = 6,		/* 4 or 16 bytes */
	OVPN_DCO_NEW_PEER_MAX = OVPN_DCO_NEW_PEER_LOCAL_IP
};

enum ovpn_dco_set_peer_attr {
	OVPN_DCO_SET_PEER_PEER_ID = 1,			/* u32 */
	OVPN_DCO_SET_PEER_KEEPALIVE_INTERVAL = 2,	/* u32, seconds */
	OVPN_DCO_SET_PEER_KEEPALIVE_TIMEOUT = 3,	/* u32, seconds */
	OVPN_DCO_SET_PEER_MAX = OVPN_DCO_SET_PEER_KEEPALIVE_TIMEOUT
};

enum ovpn_dco_del_peer_attr {
	OVPN_DCO_DEL_PEER_REASON = 1,		/* u8, notification only */
	OVPN_DCO_DEL_PEER_PEER_ID = 2,		/* u32 */
	OVPN_DCO_DEL_PEER_MAX = OVPN_DCO_DEL_PEER_PEER_ID
};

enum ovpn_dco_new_key_attr {
	OVPN_DCO_NEW_KEY_PEER_ID = 1,		/* u32 */
	OVPN_DCO_NEW_KEY_KEY_SLOT = 2,		/* u8 */
	OVPN_DCO_NEW_KEY_KEY_ID = 3,		/* u8 */
	OVPN_DCO_NEW_KEY_CIPHER_ALG = 4,	/* u16 */
	OVPN_DCO_NEW_KEY_ENCRYPT_KEY = 5,	/* nest */
	OVPN_DCO_NEW_KEY_DECRYPT_KEY = 6,	/* nest */
	OVPN_DCO_NEW_KEY_MAX = OVPN_DCO_NEW_KEY_DECRYPT_KEY
};

enum ovpn_dco_key_dir_attr {
	OVPN_DCO_KEY_DIR_CIPHER_KEY = 1,	/* as long as the cipher's */
	OVPN_DCO_KEY_DIR_NONCE_TAIL = 2,	/* 8 bytes */
	OVPN_DCO_KEY_DIR_MAX = OVPN_DCO_KEY_DIR_NONCE_TAIL
};

enum ovpn_dco_swap_keys_attr {
	OVPN_DCO_SWAP_KEYS_PEER_ID = 1,		/* u32 */
	OVPN_DCO_SWAP_KEYS_MAX = OVPN_DCO_SWAP_KEYS_PEER_ID
};

enum ovpn_dco_del_key_attr {
	OVPN_DCO_DEL_KEY_PEER_ID = 1,		/* u32 */
	OVPN_DCO_DEL_KEY_KEY_SLOT = 2,		/* u8 */
	OVPN_DCO_DEL_KEY_MAX = OVPN_DCO_DEL_KEY_KEY_SLOT
};

/* all but the id are in the answer only */
enum ovpn_dco_get_peer_attr {
	OVPN_DCO_GET_PEER_PEER_ID = 1,			/* u32 */
	OVPN_DCO_GET_PEER_SOCKADDR_REMOTE = 2,		/* as in NEW_PEER */
	OVPN_DCO_GET_PEER_IPV4 = 3,			/* be32 */
	OVPN_DCO_GET_PEER_IPV6 = 4,			/* 16 bytes */
	OVPN_DCO_GET_PEER_LOCAL_IP = 5,			/* 4 or 16 bytes */
	OVPN_DCO_GET_PEER_LOCAL_PORT = 6,		/* be16 */
	OVPN_DCO_GET_PEER_KEEPALIVE_INTERVAL = 7,	/* u32 */
	OVPN_DCO_GET_PEER_KEEPALIVE_TIMEOUT = 8,	/* u32 */
	OVPN_DCO_GET_PEER_VPN_RX_BYTES = 9,		/* u64 */
	OVPN_DCO_GET_PEER_VPN_TX_BYTES = 10,		/* u64 */
	OVPN_DCO_GET_PEER_VPN_RX_PACKETS = 11,		/* u32 */
	OVPN_DCO_GET_PEER_VPN_TX_PACKETS = 12,		/* u32 */
	OVPN_DCO_GET_PEER_LINK_RX_BYTES = 13,		/* u64 */
	OVPN_DCO_GET_PEER_LINK_TX_BYTES = 14,		/* u64 */
	OVPN_DCO_GET_PEER_LINK_RX_PACKETS = 15,		/* u32 */
	OVPN_DCO_GET_PEER_LINK_TX_PACKETS = 16,		/* u32 */
	OVPN_DCO_GET_PEER_MAX = OVPN_DCO_GET_PEER_LINK_TX_PACKETS
};

#endif /* _OVPN_DCO_V2_H_ */
