/* SPDX-License-Identifier: GPL-2.0-only */
/* OpenVPN data channel offload: what tests of received super-packets need */

#ifndef _NET_OVPN_TESTS_GRO_RIG_H_
#define _NET_OVPN_TESTS_GRO_RIG_H_

#include <kunit/test.h>
#include <linux/list.h>
#include <linux/netdevice.h>
#include <linux/skbuff.h>
#include <linux/types.h>

#include "../io.h"

/* where in TCP's header the flags are */
#define GRO_FLAGS	13

#define GRO_FIN		0x01
#define GRO_SYN		0x02
#define GRO_RST		0x04
#define GRO_PSH		0x08
#define GRO_ACK		0x10
#define GRO_URG		0x20
#define GRO_ECE		0x40
#define GRO_CWR		0x80

/**
 * struct gro_flow - a TCP stream
 * @ipv6: over IPv6, or IPv4
 * @stamps: with timestamps
 * @df: may not be fragmented
 * @step: from one IP id to the next
 * @port: of the sender
 * @id: IP id of the next packet
 * @seq: sequence number of the next packet
 */
struct gro_flow {
	bool ipv6;
	bool stamps;
	bool df;
	u8 step;
	u16 port;
	u16 id;
	u32 seq;
};

/**
 * struct gro_rig - a super-packet between those who send and who receive
 * @test: the test
 * @dev: the device that packets come from
 * @napi: its receive queue
 * @gro: the super-packet
 * @out: what has come out
 * @cut: the segments of a super-packet that came out
 * @sent: what went in and has not been seen to come out
 * @features: of a device that super-packets are cut for
 * @chunked: take memory for packets where slots are
 * @eager: a packet that did not follow is no reason to wait
 * @joined: packets that were joined
 * @buf: a packet
 * @page: unreadable memory follows
 */
struct gro_rig {
	struct kunit *test;
	struct net_device *dev;
	struct napi_struct *napi;
	struct ovpn_gro gro;
	struct sk_buff_head out;
	struct sk_buff_head cut;
	struct list_head sent;
	netdev_features_t features;
	bool chunked;
	bool eager;
	unsigned int joined;
	u8 *buf;
	u8 *page;
};

struct gro_rig *gro_rig_new(struct kunit *test);
void gro_rig_drain(struct gro_rig *rig);
void gro_rig_reset(struct gro_rig *rig);

unsigned int gro_l3_size(const struct gro_flow *flow);
unsigned int gro_header_size(const struct gro_flow *flow);
void gro_sum(u8 *packet, unsigned int l3, unsigned int len);
void gro_sum_ip(u8 *packet);
unsigned int gro_build(struct gro_flow *flow, u8 *packet, unsigned int payload,
		       u8 flags);

bool gro_join(struct gro_rig *rig, const u8 *packet, unsigned int len);
void gro_damage(struct gro_rig *rig, unsigned int len);
void gro_finish(struct gro_rig *rig);
bool gro_feed(struct gro_rig *rig, const u8 *packet, unsigned int len);
bool gro_next(struct gro_rig *rig, struct gro_flow *flow, unsigned int payload,
	      u8 flags);
bool gro_starts(struct gro_rig *rig, const u8 *packet, unsigned int len);

#endif /* _NET_OVPN_TESTS_GRO_RIG_H_ */
