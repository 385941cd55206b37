// SPDX-License-Identifier: GPL-2.0-only
/* OpenVPN data channel offload: what tests of received super-packets need
 *
 * Packets go in as io_open would have them. All that come out are cut by the
 * network stack, and must be what went in, bit by bit and in the same order.
 */

#include "gro_rig.h"

#include <linux/cpumask.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/smp.h>
#include <linux/tcp.h>
#include <linux/unaligned.h>
#include <linux/vmalloc.h>
#include <net/gso.h>
#include <net/ip.h>
#include <net/ip6_checksum.h>
#include <net/tcp.h>

#include "../chunk.h"

/**
 * struct gro_sent - a packet that went in
 * @list: the packets, oldest first
 * @len: its size
 * @data: its bytes
 */
struct gro_sent {
	struct list_head list;
	unsigned int len;
	u8 data[] __counted_by(len);
};

static void gro_rig_release(void *arg)
{
	struct gro_sent *sent, *next;
	struct gro_rig *rig = arg;

	kfree_skb(rig->gro.skb);
	__skb_queue_purge(&rig->out);
	__skb_queue_purge(&rig->cut);
	list_for_each_entry_safe(sent, next, &rig->sent, list)
		kfree(sent);
	vfree(rig->page);
}

/**
 * gro_rig_new - make a rig, which lives as long as the test
 * @test: the test
 *
 * Return: the rig.
 */
struct gro_rig *gro_rig_new(struct kunit *test)
{
	struct gro_rig *rig = kunit_kzalloc(test, sizeof(*rig), GFP_KERNEL);

	if (!IS_ENABLED(CONFIG_HAVE_EFFICIENT_UNALIGNED_ACCESS))
		kunit_skip(test, "no super-packets on this machine");
	KUNIT_ASSERT_NOT_NULL(test, rig);
	rig->test = test;
	__skb_queue_head_init(&rig->out);
	__skb_queue_head_init(&rig->cut);
	INIT_LIST_HEAD(&rig->sent);
	KUNIT_ASSERT_EQ(test, 0,
			kunit_add_action_or_reset(test, gro_rig_release, rig));

	rig->dev = kunit_kzalloc(test, sizeof(*rig->dev), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, rig->dev);
	rig->dev->features = NETIF_F_GRO;
	rig->dev->gro_max_size = GRO_LEGACY_MAX_SIZE;
	rig->dev->gro_ipv4_max_size = GRO_LEGACY_MAX_SIZE;
	rig->napi = kunit_kzalloc(test, sizeof(*rig->napi), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, rig->napi);
	rig->napi->dev = rig->dev;
	rig->buf = kunit_kzalloc(test, GRO_LEGACY_MAX_SIZE, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, rig->buf);
	rig->page = vmalloc(PAGE_SIZE);
	KUNIT_ASSERT_NOT_NULL(test, rig->page);
	/* the memory that slots are in is this CPU's */
	set_cpus_allowed_ptr(current, cpumask_of(raw_smp_processor_id()));
	return rig;
}

/* a packet came out, alone or out of a super-packet */
static void gro_check(struct gro_rig *rig, struct sk_buff *skb, bool cut)
{
	struct kunit *test = rig->test;
	struct gro_sent *sent;
	struct tcphdr *th;
	unsigned int l3;

	KUNIT_ASSERT_FALSE_MSG(test, list_empty(&rig->sent),
			       "more came out than went in");
	sent = list_first_entry(&rig->sent, struct gro_sent, list);
	KUNIT_ASSERT_EQ(test, skb->len, sent->len);
	if (skb->ip_summed == CHECKSUM_PARTIAL)
		KUNIT_ASSERT_EQ(test, 0, skb_checksum_help(skb));
	KUNIT_ASSERT_EQ(test, 0, skb_copy_bits(skb, 0, rig->buf, skb->len));

	/* whatever TCP's checksum was, it is right now; both zeros are */
	if (cut) {
		l3 = *sent->data >> 4 == 4 ? sizeof(struct iphdr) :
					     sizeof(struct ipv6hdr);
		gro_sum(sent->data, l3, sent->len);
		th = (struct tcphdr *)(rig->buf + l3);
		if (th->check == CSUM_MANGLED_0)
			th->check = 0;
	}
	KUNIT_ASSERT_MEMEQ(test, rig->buf, sent->data, sent->len);
	list_del(&sent->list);
	kfree(sent);
}

/* the shape of a super-packet */
static void gro_check_super(struct gro_rig *rig, const struct sk_buff *skb)
{
	const struct skb_shared_info *shinfo = skb_shinfo(skb);
	unsigned int l3 = skb->csum_start - skb_headroom(skb);
	const struct tcphdr *th = (void *)(skb->data + l3);
	const struct ipv6hdr *ip6 = (void *)skb->data;
	const struct iphdr *ip = (void *)skb->data;
	unsigned int header = l3 + th->doff * 4;
	struct kunit *test = rig->test;
	unsigned int size = 0;
	int i;

	KUNIT_EXPECT_TRUE(test, skb->ip_summed == CHECKSUM_PARTIAL);
	KUNIT_EXPECT_EQ(test, skb->csum_offset,
			offsetof(struct tcphdr, check));
	KUNIT_EXPECT_EQ(test, skb_transport_offset(skb), l3);
	KUNIT_EXPECT_EQ(test, skb_headlen(skb), header + shinfo->gso_size);
	KUNIT_EXPECT_EQ(test, shinfo->gso_segs,
			DIV_ROUND_UP(skb->len - header, shinfo->gso_size));
	KUNIT_EXPECT_LT(test, skb->len, GRO_LEGACY_MAX_SIZE);
	if (l3 == sizeof(*ip)) {
		KUNIT_EXPECT_EQ(test, ntohs(ip->tot_len), skb->len);
		KUNIT_EXPECT_FALSE(test, ip_fast_csum(ip, ip->ihl));
	} else {
		KUNIT_EXPECT_EQ(test, ntohs(ip6->payload_len), skb->len - l3);
	}

	KUNIT_EXPECT_NULL(test, shinfo->frag_list);
	KUNIT_EXPECT_LE(test, shinfo->nr_frags, MAX_SKB_FRAGS);
	for (i = 0; i < shinfo->nr_frags; i++)
		size += skb_frag_size(&shinfo->frags[i]);
	KUNIT_EXPECT_EQ(test, skb->data_len, size);
	KUNIT_EXPECT_GE(test, skb->truesize,
			SKB_TRUESIZE(skb_end_offset(skb)) + size);
}

/* cut it, as for a device that lacks something */
static void gro_check_segments(struct gro_rig *rig, struct sk_buff *skb)
{
	unsigned int expected = skb_shinfo(skb)->gso_segs;
	struct sk_buff *segs, *seg, *next;
	struct kunit *test = rig->test;

	segs = skb_gso_segment(skb, rig->features);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, segs);
	skb_list_walk_safe(segs, seg, next) {
		skb_mark_not_on_list(seg);
		__skb_queue_tail(&rig->cut, seg);
	}
	KUNIT_EXPECT_EQ(test, skb_queue_len(&rig->cut), expected);
	while ((seg = skb_peek(&rig->cut))) {
		gro_check(rig, seg, true);
		__skb_unlink(seg, &rig->cut);
		kfree_skb(seg);
	}
}

/**
 * gro_finish - no other packet follows
 * @rig: the rig
 */
void gro_finish(struct gro_rig *rig)
{
	struct sk_buff *skb = ovpn_gro_finish(&rig->gro);

	if (skb)
		__skb_queue_tail(&rig->out, skb);
}

/**
 * gro_rig_drain - look at what has come out, and at what is still under way
 * @rig: the rig
 */
void gro_rig_drain(struct gro_rig *rig)
{
	struct sk_buff *skb;

	gro_finish(rig);
	while ((skb = skb_peek(&rig->out))) {
		if (skb_is_gso(skb)) {
			gro_check_super(rig, skb);
			gro_check_segments(rig, skb);
		} else {
			gro_check(rig, skb, false);
		}
		__skb_unlink(skb, &rig->out);
		kfree_skb(skb);
	}
	KUNIT_EXPECT_TRUE_MSG(rig->test, list_empty(&rig->sent),
			      "less came out than went in");
}

/**
 * gro_rig_reset - drain it, and forget all
 * @rig: the rig
 */
void gro_rig_reset(struct gro_rig *rig)
{
	gro_rig_drain(rig);
	memset(&rig->gro, 0, sizeof(rig->gro));
	rig->joined = 0;
}

/**
 * gro_l3_size - size of the IP header
 * @flow: the stream
 *
 * Return: bytes.
 */
unsigned int gro_l3_size(const struct gro_flow *flow)
{
	return flow->ipv6 ? sizeof(struct ipv6hdr) : sizeof(struct iphdr);
}

/**
 * gro_header_size - size of all headers of a packet
 * @flow: the stream
 *
 * Return: bytes.
 */
unsigned int gro_header_size(const struct gro_flow *flow)
{
	return gro_l3_size(flow) + sizeof(struct tcphdr) +
	       (flow->stamps ? TCPOLEN_TSTAMP_ALIGNED : 0);
}

/**
 * gro_sum_ip - set the checksum of an IPv4 header without options
 * @packet: the packet
 */
void gro_sum_ip(u8 *packet)
{
	ip_send_check((struct iphdr *)packet);
}

/**
 * gro_sum - set all checksums
 * @packet: the packet, TCP over IP
 * @l3: size of the IP header
 * @len: of the packet
 */
void gro_sum(u8 *packet, unsigned int l3, unsigned int len)
{
	struct ipv6hdr *ip6 = (struct ipv6hdr *)packet;
	struct tcphdr *th = (struct tcphdr *)(packet + l3);
	struct iphdr *ip = (struct iphdr *)packet;
	__wsum sum;

	len -= l3;
	th->check = 0;
	sum = csum_partial(th, len, 0);
	if (l3 == sizeof(*ip)) {
		gro_sum_ip(packet);
		th->check = tcp_v4_check(len, ip->saddr, ip->daddr, sum);
	} else {
		th->check = tcp_v6_check(len, &ip6->saddr, &ip6->daddr, sum);
	}
}

static void gro_build_ip(const struct gro_flow *flow, u8 *packet,
			 unsigned int len)
{
	struct ipv6hdr *ip6 = (struct ipv6hdr *)packet;
	struct iphdr *ip = (struct iphdr *)packet;

	if (flow->ipv6) {
		ip6_flow_hdr(ip6, 0x0a, htonl(0x54321));
		ip6->payload_len = htons(len - sizeof(*ip6));
		ip6->nexthdr = IPPROTO_TCP;
		ip6->hop_limit = 64;
		memset(&ip6->saddr, 0xfd, sizeof(ip6->saddr));
		memset(&ip6->daddr, 0xfc, sizeof(ip6->daddr));
		return;
	}
	ip->version = 4;
	ip->ihl = 5;
	ip->tos = 0x0a;
	ip->tot_len = htons(len);
	ip->id = htons(flow->id);
	ip->frag_off = flow->df ? htons(IP_DF) : 0;
	ip->ttl = 64;
	ip->protocol = IPPROTO_TCP;
	ip->saddr = htonl(0x0a080001);
	ip->daddr = htonl(0x0a080002);
}

/**
 * gro_build - make the next packet of a stream
 * @flow: the stream
 * @packet: where it goes
 * @payload: its bytes of payload
 * @flags: TCP's flags
 *
 * Return: size of the packet.
 */
unsigned int gro_build(struct gro_flow *flow, u8 *packet, unsigned int payload,
		       u8 flags)
{
	static const u8 stamps[TCPOLEN_TSTAMP_ALIGNED] = {
		TCPOPT_NOP, TCPOPT_NOP, TCPOPT_TIMESTAMP, TCPOLEN_TIMESTAMP,
		1, 2, 3, 4, 5, 6, 7, 8,
	};
	unsigned int l3 = gro_l3_size(flow), header = gro_header_size(flow);
	struct tcphdr *th = (struct tcphdr *)(packet + l3);
	unsigned int i;

	memset(packet, 0, header);
	gro_build_ip(flow, packet, header + payload);
	th->source = htons(flow->port);
	th->dest = htons(443);
	th->seq = htonl(flow->seq);
	th->ack_seq = htonl(0x12345678);
	th->doff = (header - l3) / 4;
	th->window = htons(1000);
	((u8 *)th)[GRO_FLAGS] = flags;
	if (flow->stamps)
		memcpy(th + 1, stamps, sizeof(stamps));
	for (i = 0; i < payload; i++)
		packet[header + i] = ((flow->seq + i) * 0x9e3779b1) >> 24;
	gro_sum(packet, l3, header + payload);

	flow->seq += payload;
	flow->id += flow->step;
	return header + payload;
}

/**
 * gro_join - open a packet behind others
 * @rig: the rig
 * @packet: the packet
 * @len: its size
 *
 * Return: false if it does not follow, and nothing has been changed.
 */
bool gro_join(struct gro_rig *rig, const u8 *packet, unsigned int len)
{
	bool follows = false;
	u8 *slot;

	local_bh_disable();
	ovpn_chunk_lock();
	slot = ovpn_gro_slot(&rig->gro, len);
	if (slot) {
		memcpy(slot, packet, len);
		follows = ovpn_gro_follows(&rig->gro, slot, len);
		if (follows)
			ovpn_gro_add(&rig->gro, slot, len);
		else
			ovpn_gro_undo(&rig->gro, slot);
	}
	ovpn_chunk_unlock();
	local_bh_enable();
	rig->joined += follows;
	return follows;
}

/**
 * gro_damage - a packet is not authentic: what has been written is garbage
 * @rig: the rig
 * @len: the packet's size
 */
void gro_damage(struct gro_rig *rig, unsigned int len)
{
	u8 *slot;

	local_bh_disable();
	ovpn_chunk_lock();
	slot = ovpn_gro_slot(&rig->gro, len);
	if (slot) {
		memset(slot, 0xee, len);
		ovpn_gro_undo(&rig->gro, slot);
	}
	ovpn_chunk_unlock();
	local_bh_enable();
}

/* the packet in a buffer of its own */
static struct sk_buff *gro_skb(struct gro_rig *rig, const u8 *packet,
			       unsigned int len)
{
	struct sk_buff *skb;

	local_bh_disable();
	skb = rig->chunked ? ovpn_chunk_alloc_skb(rig->napi, len) :
			     alloc_skb(NET_SKB_PAD + len, GFP_ATOMIC);
	local_bh_enable();
	KUNIT_ASSERT_NOT_NULL(rig->test, skb);
	if (!rig->chunked)
		skb_reserve(skb, NET_SKB_PAD);
	skb_put_data(skb, packet, len);
	skb->dev = rig->dev;
	skb->protocol = *packet >> 4 == 4 ? htons(ETH_P_IP) :
					    htons(ETH_P_IPV6);
	skb->ip_summed = CHECKSUM_UNNECESSARY;
	skb_reset_mac_header(skb);
	skb_reset_network_header(skb);
	skb_reset_transport_header(skb);
	skb_reset_mac_len(skb);
	return skb;
}

/**
 * gro_feed - a packet comes in, and is opened
 * @rig: the rig
 * @packet: the packet
 * @len: its size
 *
 * Return: true if it was joined to others.
 */
bool gro_feed(struct gro_rig *rig, const u8 *packet, unsigned int len)
{
	struct gro_sent *sent = kmalloc_flex(*sent, data, len);
	struct sk_buff *skb;

	KUNIT_ASSERT_NOT_NULL(rig->test, sent);
	sent->len = len;
	memcpy(sent->data, packet, len);
	list_add_tail(&sent->list, &rig->sent);

	if (gro_join(rig, packet, len))
		return true;
	skb = gro_skb(rig, packet, len);
	gro_finish(rig);
	if (rig->eager)
		rig->gro.rest = 0;
	if (!ovpn_gro_start(&rig->gro, skb))
		__skb_queue_tail(&rig->out, skb);
	return false;
}

/**
 * gro_next - the next packet of a stream comes in
 * @rig: the rig
 * @flow: the stream
 * @payload: as gro_build()
 * @flags: as gro_build()
 *
 * Return: as gro_feed().
 */
bool gro_next(struct gro_rig *rig, struct gro_flow *flow, unsigned int payload,
	      u8 flags)
{
	unsigned int len = gro_build(flow, rig->buf, payload, flags);

	return gro_feed(rig, rig->buf, len);
}

/**
 * gro_starts - may others follow this packet?
 * @rig: the rig, with no super-packet
 * @packet: the packet
 * @len: its size, at most %PAGE_SIZE; nothing behind it can be read
 *
 * Return: true if so.
 */
bool gro_starts(struct gro_rig *rig, const u8 *packet, unsigned int len)
{
	struct sk_buff skb = {
		.dev = rig->dev,
		.data = rig->page + PAGE_SIZE - len,
		.len = len,
		.ip_summed = CHECKSUM_UNNECESSARY,
	};
	bool starts;

	memcpy(skb.data, packet, len);
	starts = ovpn_gro_start(&rig->gro, &skb);
	memset(&rig->gro, 0, sizeof(rig->gro));
	return starts;
}
