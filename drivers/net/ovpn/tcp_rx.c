// SPDX-License-Identifier: GPL-2.0-only
/* OpenVPN data channel offload: out of the TCP stream
 *
 * The stream is read as it comes in, in TCP's own callbacks. Data packets are
 * opened right out of TCP's buffers, one that lies in two of them is put
 * together first. Control packets are set aside for user space. If the network
 * stack does not keep up, the rest stays where it is, and TCP slows the sender
 * down.
 */

#include "tcp.h"

#include <linux/skbuff.h>
#include <linux/unaligned.h>
#include <net/sock.h>
#include <net/tcp.h>

#include "drop.h"
#include "io.h"
#include "ovpn.h"
#include "proto.h"
#include "skb.h"
#include "socket.h"

/**
 * struct ovpn_tcp_reader - one look at the stream
 * @tcp: the connection
 * @run: the data packets in it
 * @woken: user space is to be told of control packets
 * @later: something was left, the worker goes on in so many jiffies; or -1
 */
struct ovpn_tcp_reader {
	struct ovpn_tcp *tcp;
	struct ovpn_open_run run;
	bool woken;
	int later;
};

static void ovpn_tcp_deliver(struct ovpn_open_run *run, struct sk_buff *skb)
{
	struct ovpn_tcp_reader *reader;

	reader = container_of(run, struct ovpn_tcp_reader, run);
	ovpn_rx_enqueue_opened(reader->tcp->cell, skb);
}

/* a control packet with its length; consumed */
static void ovpn_tcp_control(struct ovpn_tcp_reader *reader,
			     struct sk_buff *skb)
{
	struct ovpn_tcp *tcp = reader->tcp;

	if (unlikely(tcp->unread_size + skb->truesize > OVPN_TCP_UNREAD_MAX &&
		     !skb_queue_empty(&tcp->unread))) {
		ovpn_drop(tcp->sock.ovpn, skb, OVPN_DROP_RX_CONTROL);
		return;
	}
	tcp->unread_size += skb->truesize;
	__skb_queue_tail(&tcp->unread, skb);
	reader->woken = true;
}

/* Does this packet end all hope for the stream? @opcode is its first byte. */
static bool ovpn_tcp_nonsense(unsigned int len, u8 opcode)
{
	return !len || (ovpn_op_opcode(opcode) == OVPN_OPCODE_DATA_V2 &&
			len <= OVPN_HEADER_SIZE);
}

static int ovpn_tcp_break(struct ovpn_tcp *tcp)
{
	tcp->broken = true;
	ovpn_drop(tcp->sock.ovpn, NULL, OVPN_DROP_RX_SHORT);
	ovpn_tcp_end(tcp, OVPN_DEL_PEER_REASON_TRANSPORT_ERROR);
	return -EPROTO;
}

static struct sk_buff *ovpn_tcp_alloc(struct ovpn_tcp_reader *reader,
				      unsigned int len)
{
	struct sk_buff *skb;

	skb = alloc_skb(NET_SKB_PAD + len, GFP_ATOMIC | __GFP_NOWARN);
	if (unlikely(!skb)) {
		reader->later = OVPN_TCP_RETRY;
		return NULL;
	}
	skb_reserve(skb, NET_SKB_PAD);
	return skb;
}

/* @skb holds one packet after its length; consumed */
static int ovpn_tcp_whole(struct ovpn_tcp_reader *reader, struct sk_buff *skb)
{
	struct ovpn_tcp *tcp = reader->tcp;
	u8 opcode = skb->data[OVPN_LENGTH_SIZE];

	if (unlikely(ovpn_tcp_nonsense(skb->len - OVPN_LENGTH_SIZE, opcode))) {
		consume_skb(skb);
		return ovpn_tcp_break(tcp);
	}

	switch (ovpn_op_opcode(opcode)) {
	case OVPN_OPCODE_DATA_V2:
		__skb_pull(skb, OVPN_LENGTH_SIZE);
		ovpn_open_whole(&reader->run, tcp->peer, skb);
		break;
	case OVPN_OPCODE_DATA_V1:
		if (!tcp->sock.ovpn->user->data_v1) {
			ovpn_drop(tcp->sock.ovpn, skb, OVPN_DROP_RX_V1);
			break;
		}
		fallthrough;
	default:
		ovpn_tcp_control(reader, skb);
	}
	return 0;
}

/* Go on with a packet that comes in parts. Returns how many bytes were of use,
 * or an error.
 */
static int ovpn_tcp_collect(struct ovpn_tcp_reader *reader,
			    const struct sk_buff *skb, unsigned int offset,
			    unsigned int avail)
{
	struct ovpn_tcp *tcp = reader->tcp;
	struct sk_buff *partial = tcp->partial;
	unsigned int len, chunk;
	u8 byte;
	int ret;

	if (!partial) {
		ret = skb_copy_bits(skb, offset, &byte, 1);
		if (ret)
			return ret;
		if (!tcp->length_half) {
			tcp->length = byte;
			tcp->length_half = true;
			return 1;
		}
		len = tcp->length << 8 | byte;
		if (!len)
			return ovpn_tcp_break(tcp);

		partial = ovpn_tcp_alloc(reader, OVPN_LENGTH_SIZE + len);
		if (!partial)
			return -ENOMEM;
		put_unaligned_be16(len, skb_put(partial, OVPN_LENGTH_SIZE));
		tcp->length_half = false;
		tcp->partial = partial;
		return 1;
	}

	len = get_unaligned_be16(partial->data) + OVPN_LENGTH_SIZE;
	chunk = min(avail, len - partial->len);
	ret = skb_copy_bits(skb, offset, skb_tail_pointer(partial), chunk);
	if (ret)
		return ret;
	skb_put(partial, chunk);
	if (partial->len == len) {
		tcp->partial = NULL;
		ret = ovpn_tcp_whole(reader, partial);
	}
	return ret ?: chunk;
}

/* A packet that lies in one buffer as a whole, at @offset. Returns 0 or an
 * error.
 */
static int ovpn_tcp_direct(struct ovpn_tcp_reader *reader,
			   struct sk_buff *skb, unsigned int offset,
			   unsigned int len)
{
	struct ovpn_tcp *tcp = reader->tcp;
	struct sk_buff *copy;
	const u8 *opcode;
	u8 buf;
	int ret;

	opcode = ovpn_skb_pointer(skb, offset, 1, &buf);
	if (!opcode)
		return -EFAULT;

	if (likely(ovpn_op_opcode(*opcode) == OVPN_OPCODE_DATA_V2)) {
		if (unlikely(ovpn_tcp_nonsense(len, *opcode)))
			return ovpn_tcp_break(tcp);
		ovpn_open_record(&reader->run, tcp->peer, skb, offset, len);
		return 0;
	}

	copy = ovpn_tcp_alloc(reader, OVPN_LENGTH_SIZE + len);
	if (!copy)
		return -ENOMEM;
	ret = skb_copy_bits(skb, offset - OVPN_LENGTH_SIZE,
			    skb_put(copy, OVPN_LENGTH_SIZE + len),
			    OVPN_LENGTH_SIZE + len);
	if (ret) {
		kfree_skb(copy);
		return ret;
	}
	return ovpn_tcp_whole(reader, copy);
}

/* one packet, or a part of one, at @offset of @skb */
static int ovpn_tcp_step(struct ovpn_tcp_reader *reader,
			 struct sk_buff *skb, unsigned int offset,
			 unsigned int avail)
{
	struct ovpn_tcp *tcp = reader->tcp;
	u8 buf[OVPN_LENGTH_SIZE];
	const u8 *length;
	unsigned int len;
	int ret;

	if (tcp->partial || tcp->length_half || avail < OVPN_LENGTH_SIZE)
		return ovpn_tcp_collect(reader, skb, offset, avail);

	length = ovpn_skb_pointer(skb, offset, OVPN_LENGTH_SIZE, buf);
	if (!length)
		return -EFAULT;
	len = get_unaligned_be16(length);
	if (!len)
		return ovpn_tcp_break(tcp);
	if (OVPN_LENGTH_SIZE + len > avail)
		return ovpn_tcp_collect(reader, skb, offset, avail);

	ret = ovpn_tcp_direct(reader, skb, offset + OVPN_LENGTH_SIZE, len);
	return ret ?: OVPN_LENGTH_SIZE + len;
}

/* for tcp_read_sock(): take what can be taken of @len bytes at @offset */
static int ovpn_tcp_actor(read_descriptor_t *desc, struct sk_buff *skb,
			  unsigned int offset, size_t len)
{
	struct ovpn_tcp_reader *reader = desc->arg.data;
	size_t used = 0;
	int ret;

	while (used < len) {
		if (unlikely(!ovpn_rx_room(reader->tcp->cell))) {
			reader->later = 0;
			desc->count = 0;
			break;
		}
		ret = ovpn_tcp_step(reader, skb, offset + used, len - used);
		if (unlikely(ret < 0)) {
			desc->count = 0;
			break;
		}
		used += ret;
	}
	return used;
}

/**
 * ovpn_tcp_read - read all there is in the stream
 * @tcp: the connection, attached
 *
 * Context: socket lock held, BH off, RCU read section.
 * Return: false if something is left: the worker will come back to it.
 */
bool ovpn_tcp_read(struct ovpn_tcp *tcp)
{
	struct ovpn_tcp_reader reader = {
		.tcp = tcp,
		.later = -1,
	};
	read_descriptor_t desc = {
		.arg.data = &reader,
		.count = 1,
	};

	if (unlikely(tcp->broken))
		return true;

	ovpn_open_begin(&reader.run, tcp->sock.ovpn, ovpn_rx_napi(tcp->cell),
			ovpn_tcp_deliver);
	tcp_read_sock(tcp->sock.sk, &desc, ovpn_tcp_actor);
	ovpn_open_end(&reader.run);

	if (reader.woken)
		tcp->data_ready(tcp->sock.sk);
	if (likely(reader.later < 0))
		return true;
	ovpn_tcp_kick(tcp, reader.later);
	return false;
}

/**
 * ovpn_tcp_give_back - put what user space has not read back into the stream
 * @tcp: the connection, not read any more
 *
 * Control packets, and one that has come in part, become the next bytes that
 * the socket's owner reads. Where data packets were, nothing is: sequence
 * numbers of what has been acknowledged matter to nobody but the reader.
 *
 * Context: process, lock_sock() held.
 */
void ovpn_tcp_give_back(struct ovpn_tcp *tcp)
{
	struct tcp_sock *tp = tcp_sk(tcp->sock.sk);
	struct sock *sk = tcp->sock.sk;
	struct sk_buff_head back;
	u32 seq = tp->copied_seq;
	struct sk_buff *skb;

	if (tcp->length_half) {
		skb = alloc_skb(1, GFP_KERNEL | __GFP_NOFAIL);
		skb_put_u8(skb, tcp->length);
		__skb_queue_tail(&tcp->unread, skb);
		tcp->length_half = false;
	}
	if (tcp->partial)
		__skb_queue_tail(&tcp->unread, tcp->partial);
	tcp->partial = NULL;

	__skb_queue_head_init(&back);
	while ((skb = __skb_dequeue_tail(&tcp->unread))) {
		memset(skb->cb, 0, sizeof(skb->cb));
		TCP_SKB_CB(skb)->end_seq = seq;
		seq -= skb->len;
		TCP_SKB_CB(skb)->seq = seq;
		TCP_SKB_CB(skb)->tcp_flags = TCPHDR_ACK;
		if (sk_rmem_schedule(sk, skb, skb->truesize))
			skb_set_owner_r(skb, sk);
		__skb_queue_head(&back, skb);
	}
	tcp->unread_size = 0;
	skb_queue_splice(&back, &sk->sk_receive_queue);
	WRITE_ONCE(tp->copied_seq, seq);
	tp->rcvq_space.seq = seq;
}
