// SPDX-License-Identifier: GPL-2.0-only
/* OpenVPN data channel offload: tests of the bytes on the wire */

#include "../proto.h"

#include <kunit/test.h>
#include <linux/compiler.h>
#include <linux/string.h>
#include <linux/unaligned.h>

/* The protocol's numbers once more, so that nobody changes them by accident */
static_assert(OVPN_OP_SIZE == 4);
static_assert(OVPN_PACKET_ID_SIZE == 4);
static_assert(OVPN_AAD_SIZE == 8);
static_assert(OVPN_TAG_SIZE == 16);
static_assert(OVPN_HEADER_SIZE == 24);
static_assert(OVPN_OPCODE_DATA_V1 == 6);
static_assert(OVPN_OPCODE_DATA_V2 == 9);
static_assert(OVPN_PEER_ID_UNDEF == 0xffffff);

/* The three fields fill the first word, and none touches another */
static_assert((OVPN_OP_OPCODE | OVPN_OP_KEY_ID | OVPN_OP_PEER_ID) ==
	      0xffffffff);
static_assert(OVPN_OP_OPCODE + OVPN_OP_KEY_ID + OVPN_OP_PEER_ID == 0xffffffff);

static_assert(sizeof(ovpn_keepalive_message) == 16);

struct proto_op_case {
	const char *name;
	u8 key_id;
	u32 peer_id;
	u8 wire[OVPN_OP_SIZE];
};

static const struct proto_op_case proto_op_cases[] = {
	{ "all zero", 0, 0, { 0x48, 0x00, 0x00, 0x00 } },
	{ "key id 1", 1, 0, { 0x49, 0x00, 0x00, 0x00 } },
	{ "key id 7", 7, 0, { 0x4f, 0x00, 0x00, 0x00 } },
	{ "peer id 1", 0, 1, { 0x48, 0x00, 0x00, 0x01 } },
	{ "peer id 2^23", 0, 0x800000, { 0x48, 0x80, 0x00, 0x00 } },
	{ "peer id 2^24-2", 0, 0xfffffe, { 0x48, 0xff, 0xff, 0xfe } },
	{ "peer id undefined", 0, 0xffffff, { 0x48, 0xff, 0xff, 0xff } },
	{ "byte order", 5, 0x123456, { 0x4d, 0x12, 0x34, 0x56 } },
	{ "all ones", 7, 0xffffff, { 0x4f, 0xff, 0xff, 0xff } },
};

KUNIT_ARRAY_PARAM_DESC(proto_op, proto_op_cases, name);

static void proto_op_test(struct kunit *test)
{
	const struct proto_op_case *c = test->param_value;
	u32 op = ovpn_op_pack(c->key_id, c->peer_id);

	KUNIT_EXPECT_EQ(test, op, get_unaligned_be32(c->wire));
	KUNIT_EXPECT_EQ(test, ovpn_op_opcode(c->wire[0]), OVPN_OPCODE_DATA_V2);
	KUNIT_EXPECT_EQ(test, ovpn_op_key_id(op), c->key_id);
	KUNIT_EXPECT_EQ(test, ovpn_op_peer_id(op), c->peer_id);
}

/* Every bit of every field arrives where it was put, and nowhere else */
static void proto_every_bit_test(struct kunit *test)
{
	unsigned int key_id, bit;

	for (key_id = 0; key_id <= 7; key_id++) {
		for (bit = 0; bit < 24; bit++) {
			u32 op = ovpn_op_pack(key_id, 1U << bit);

			KUNIT_ASSERT_EQ(test, op >> 27, 9U);
			KUNIT_ASSERT_EQ(test, ovpn_op_key_id(op), key_id);
			KUNIT_ASSERT_EQ(test, ovpn_op_peer_id(op), 1U << bit);
		}
	}
}

/* A value too large for its field must not spill into the next one */
static void proto_no_spill_test(struct kunit *test)
{
	u8 key_id = 0xfa;
	u32 peer_id = 0xfb123456;

	/* constants would be refused by the compiler */
	OPTIMIZER_HIDE_VAR(key_id);
	OPTIMIZER_HIDE_VAR(peer_id);
	KUNIT_EXPECT_EQ(test, ovpn_op_pack(key_id, 0), 0x4a000000U);
	KUNIT_EXPECT_EQ(test, ovpn_op_pack(0, peer_id), 0x48123456U);
	KUNIT_EXPECT_EQ(test, ovpn_op_pack(key_id, peer_id), 0x4a123456U);
}

/* Of 256 first bytes eight begin a DATA_V2 packet, and eight a DATA_V1 */
static void proto_opcode_test(struct kunit *test)
{
	unsigned int first;

	for (first = 0; first <= 0xff; first++) {
		u8 opcode = ovpn_op_opcode(first);

		KUNIT_EXPECT_EQ(test, opcode == OVPN_OPCODE_DATA_V2,
				first >= 0x48 && first <= 0x4f);
		KUNIT_EXPECT_EQ(test, opcode == OVPN_OPCODE_DATA_V1,
				first >= 0x30 && first <= 0x37);
		KUNIT_EXPECT_LE(test, opcode, 31);
	}
}

/* The word stands at any address, and its neighbours do not matter */
static void proto_unaligned_test(struct kunit *test)
{
	static const u8 wire[OVPN_OP_SIZE] = { 0x4b, 0xab, 0xcd, 0xef };
	u8 *buf = kunit_kmalloc(test, 16 + OVPN_OP_SIZE, GFP_KERNEL);
	unsigned int offset;
	u32 op;

	KUNIT_ASSERT_NOT_NULL(test, buf);

	for (offset = 0; offset < 16; offset++) {
		memset(buf, 0xff, 16 + OVPN_OP_SIZE);
		put_unaligned_be32(ovpn_op_pack(3, 0xabcdef), buf + offset);
		KUNIT_EXPECT_MEMEQ(test, buf + offset, wire, sizeof(wire));

		op = get_unaligned_be32(buf + offset);
		KUNIT_EXPECT_EQ(test, ovpn_op_opcode(buf[offset]),
				OVPN_OPCODE_DATA_V2);
		KUNIT_EXPECT_EQ(test, ovpn_op_key_id(op), 3);
		KUNIT_EXPECT_EQ(test, ovpn_op_peer_id(op), 0xabcdefU);
	}
}

static void proto_keepalive_test(struct kunit *test)
{
	static const u8 ping[] = {
		0x2a, 0x18, 0x7b, 0xf3, 0x64, 0x1e, 0xb4, 0xcb,
		0x07, 0xed, 0x2d, 0x0a, 0x98, 0x1f, 0xc7, 0x48,
	};
	u8 version = ovpn_keepalive_message[0] >> 4;

	KUNIT_EXPECT_MEMEQ(test, ovpn_keepalive_message, ping, sizeof(ping));
	/* no IP packet can look like it */
	KUNIT_EXPECT_NE(test, version, 4);
	KUNIT_EXPECT_NE(test, version, 6);
}

static struct kunit_case proto_cases[] = {
	KUNIT_CASE_PARAM(proto_op_test, proto_op_gen_params),
	KUNIT_CASE(proto_every_bit_test),
	KUNIT_CASE(proto_no_spill_test),
	KUNIT_CASE(proto_opcode_test),
	KUNIT_CASE(proto_unaligned_test),
	KUNIT_CASE(proto_keepalive_test),
	{}
};

static struct kunit_suite proto_suite = {
	.name = "ovpn_proto",
	.test_cases = proto_cases,
};

kunit_test_suite(proto_suite);
