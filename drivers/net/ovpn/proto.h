/* SPDX-License-Identifier: GPL-2.0-only */
/* OpenVPN data channel offload: the bytes on the wire */

#ifndef _NET_OVPN_PROTO_H_
#define _NET_OVPN_PROTO_H_

#include <linux/bitfield.h>
#include <linux/bits.h>
#include <linux/build_bug.h>
#include <linux/types.h>

/**
 * DOC: wire
 *
 * The only data packet the driver speaks is P_DATA_V2, an AEAD with the tag
 * in front of the ciphertext (OpenVPN's wire protocol, "data channel")::
 *
 *    0                   1                   2                   3
 *    0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 *   +---------+-----+-----------------------------------------------+ --
 *   | opcode  | key |                    peer id                    |  A
 *   +---------+-----+-----------------------------------------------+  A
 *   |                           packet id                           |  D
 *   +---------------------------------------------------------------+ --
 *   |                                                               |
 *   |                         tag, 16 bytes                         |
 *   |                                                               |
 *   +---------------------------------------------------------------+
 *   |                          ciphertext ...                       |
 *   +---------------------------------------------------------------+
 *
 * The IV is the packet id followed by the 8 bytes of nonce tail that user
 * space derived for this direction. Over TCP each packet has its length in
 * front, as 16 bits. Everything is big endian.
 */

#define OVPN_OP_OPCODE		GENMASK_U32(31, 27)
#define OVPN_OP_KEY_ID		GENMASK_U32(26, 24)
#define OVPN_OP_PEER_ID		GENMASK_U32(23, 0)

/* opcodes; all others belong to the control channel, that is: user space */
#define OVPN_OPCODE_DATA_V1	6
#define OVPN_OPCODE_DATA_V2	9

#define OVPN_OP_SIZE		4
#define OVPN_PACKET_ID_SIZE	4
#define OVPN_AAD_SIZE		(OVPN_OP_SIZE + OVPN_PACKET_ID_SIZE)
#define OVPN_TAG_SIZE		16
#define OVPN_HEADER_SIZE	(OVPN_AAD_SIZE + OVPN_TAG_SIZE)

/* over TCP: the packet's length, without these two bytes */
#define OVPN_LENGTH_SIZE	2

/* the sender does not know its peer id: find it by its address */
#define OVPN_PEER_ID_UNDEF	0xffffff

/* the plaintext of a keepalive message, OpenVPN's "ping" (ping.c) */
#define OVPN_KEEPALIVE_SIZE	16

static const u8 ovpn_keepalive_message[OVPN_KEEPALIVE_SIZE] __maybe_unused = {
	0x2a, 0x18, 0x7b, 0xf3, 0x64, 0x1e, 0xb4, 0xcb,
	0x07, 0xed, 0x2d, 0x0a, 0x98, 0x1f, 0xc7, 0x48
};

static_assert(OVPN_HEADER_SIZE == 24);

/**
 * ovpn_op_pack - compose the first word of a data packet
 * @key_id: id of the key, 0..7
 * @peer_id: 24-bit id by which the receiver knows the sender
 *
 * Return: the word in host order.
 */
static inline u32 ovpn_op_pack(u8 key_id, u32 peer_id)
{
	return FIELD_PREP(OVPN_OP_OPCODE, OVPN_OPCODE_DATA_V2) |
	       FIELD_PREP(OVPN_OP_KEY_ID, key_id) |
	       FIELD_PREP(OVPN_OP_PEER_ID, peer_id);
}

/**
 * ovpn_op_opcode - what kind of packet is this?
 * @first: the first byte of the packet
 *
 * Return: the opcode.
 */
static inline u8 ovpn_op_opcode(u8 first)
{
	return first >> 3;
}

/**
 * ovpn_op_key_id - which key sealed this packet?
 * @op: the first word of a data packet in host order
 *
 * Return: the key id, 0..7.
 */
static inline u8 ovpn_op_key_id(u32 op)
{
	return FIELD_GET(OVPN_OP_KEY_ID, op);
}

/**
 * ovpn_op_peer_id - which peer sent this packet?
 * @op: the first word of a data packet in host order
 *
 * Return: the peer id, or %OVPN_PEER_ID_UNDEF.
 */
static inline u32 ovpn_op_peer_id(u32 op)
{
	return FIELD_GET(OVPN_OP_PEER_ID, op);
}

#endif /* _NET_OVPN_PROTO_H_ */
