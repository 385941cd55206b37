/* SPDX-License-Identifier: GPL-2.0 */
/*
 * P_DATA_V2 packets, made and judged in user space, whatever carries them:
 *
 *	0      4        8      24
 *	+------+--------+------+-----------------+
 *	| head | pkt id | tag  | sealed packet   |
 *	+------+--------+------+-----------------+
 *
 * head is opcode (5 bits), key id (3), peer id (24), big endian as the packet
 * id.  Both are authenticated; packet id and nonce tail make the nonce.
 */
#ifndef _OVPN_FRAME_DATA_H
#define _OVPN_FRAME_DATA_H

#include <time.h>
#include <unistd.h>

#include "frame-aead.h"
#include "frame-inner.h"
#include "frame-opts.h"

#define FRAME_MAX	65535
#define OP_DATA_V1	6
#define OP_DATA_V2	9
#define ID_UNDEF	0xffffffu
#define SEEN_IDS	0x1000000u

static const __u8 keepalive[] = {
	0x2a, 0x18, 0x7b, 0xf3, 0x64, 0x1e, 0xb4, 0xcb,
	0x07, 0xed, 0x2d, 0x0a, 0x98, 0x1f, 0xc7, 0x48,
};

static struct frame_aead seal_key[8], open_key[8];
static struct {
	__u64 sent, received, opened, bad, inner_bad, dup, back;
	__u64 keepalive, control, answered;
	__u32 first, last;
} n;
static __u8 frame[FRAME_MAX + 256];
static __u8 *seen[8];
static __u32 last_id[8];

static void init_keys(void)
{
	unsigned int i;

	for (i = 0; i < 8; i++) {
		if (!o.secret[i])
			continue;
		frame_aead_init(&seal_key[i], o.cipher, o.bits, o.secret[i],
				o.dir);
		frame_aead_init(&open_key[i], o.cipher, o.bits, o.secret[i],
				!o.dir);
	}
}

static __u32 rnd(void)
{
	o.seed ^= o.seed << 13;
	o.seed ^= o.seed >> 17;
	o.seed ^= o.seed << 5;
	return o.seed;
}

static void fill_random(__u8 *buf, size_t len)
{
	while (len--)
		*buf++ = rnd() >> 11;
}

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec + ts.tv_nsec / 1e9;
}

static void put_head(__u8 *buf, unsigned int opcode, unsigned int key_id,
		     __u32 peer_id, __u32 pkt_id)
{
	__u32 head[2] = {
		htonl(opcode << 27 | key_id << 24 | (peer_id & ID_UNDEF)),
		htonl(pkt_id),
	};

	memcpy(buf, head, sizeof(head));
}

static __u8 *text_of(__u8 *buf)
{
	return buf + FRAME_AAD_LEN + FRAME_TAG_LEN;
}

/* the inner packet at text_of(frame); returns its length */
static size_t build_inner(__u32 seq)
{
	__u8 *text = text_of(frame);
	__u8 *payload = text + inner_ip_len(o.isrc.family) + 8;
	static __u32 stream;
	__u32 i;

	switch (o.inner) {
	case INNER_KEEPALIVE:
		memcpy(text, keepalive, sizeof(keepalive));
		return sizeof(keepalive);
	case INNER_EMPTY:
		return 0;
	case INNER_RANDOM:
		fill_random(text, o.size);
		return o.size;
	case INNER_TCP:
		/* each goes on where the last one ended */
		stream += o.size;
		fill_random(payload + 12, o.size);
		return inner_tcp(text, &o.isrc, &o.idst, stream, o.size);
	}
	for (i = 0; i < o.size; i++)
		payload[i] = seq + i;
	if (o.inner == INNER_ECHO)
		return inner_echo(text, &o.isrc, &o.idst, 0, getpid(), seq,
				  o.size);
	return inner_udp(text, &o.isrc, &o.idst, o.size);
}

/* seals the inner packet of len bytes under the head; returns the length */
static size_t seal(__u32 pkt_id, size_t len)
{
	put_head(frame, OP_DATA_V2, o.key_id, o.peer_id, pkt_id);
	frame_seal(&seal_key[o.key_id], frame, len);
	return FRAME_AAD_LEN + FRAME_TAG_LEN + len;
}

/* the bytes of hex digits at buf, FRAME_MAX at most; returns their length */
static size_t unhex(__u8 *buf, const char *hex)
{
	size_t len = hex ? strlen(hex) / 2 : 0, i;
	unsigned int byte;

	for (i = 0; i < len && i < FRAME_MAX; i++) {
		if (sscanf(hex + 2 * i, "%2x", &byte) != 1)
			errx(2, "bad hex digits %s", hex);
		buf[i] = byte;
	}
	return i;
}

static const char *addr_text(const struct inner_addr *addr)
{
	static char text[4][INET6_ADDRSTRLEN];
	static int slot;

	if (!addr->family)
		return "-";
	slot = (slot + 1) % 4;
	return inet_ntop(addr->family, &addr->v6, text[slot], sizeof(text[0]));
}

/* each packet id of a key may come once, and must be larger than the last */
static void check_id(unsigned int key_id, __u32 pkt_id)
{
	__u8 *map = seen[key_id];

	if (pkt_id < SEEN_IDS) {
		if (!map)
			map = calloc(1, SEEN_IDS / 8);
		if (!map)
			err(1, "calloc");
		n.dup += map[pkt_id / 8] >> (pkt_id % 8) & 1;
		map[pkt_id / 8] |= 1 << (pkt_id % 8);
		seen[key_id] = map;
	}
	if (pkt_id <= last_id[key_id])
		n.back++;
	else
		last_id[key_id] = pkt_id;
	if (!n.first)
		n.first = pkt_id;
	n.last = pkt_id;
}

/* returns false unless a sound inner packet came out, or a keepalive */
static bool open_frame(const struct inner_addr *from, size_t len,
		       struct inner_view *view)
{
	__u32 head[2] = {}, peer_id;
	unsigned int key_id;
	int text;

	memset(view, 0, sizeof(*view));
	memcpy(head, frame, len < sizeof(head) ? len : sizeof(head));
	n.received++;
	key_id = ntohl(head[0]) >> 24 & 7;
	peer_id = ntohl(head[0]) & ID_UNDEF;
	if (ntohl(head[0]) >> 27 != OP_DATA_V2) {
		n.control++;
		return false;
	}
	text = o.secret[key_id] ? frame_open(&open_key[key_id], frame, len) :
				  -1;
	if (text < 0 || (o.my_id != UINT32_MAX && peer_id != o.my_id)) {
		n.bad++;
		return false;
	}
	n.opened++;
	check_id(key_id, ntohl(head[1]));
	view->kind = "keepalive";
	if (text == sizeof(keepalive) &&
	    !memcmp(text_of(frame), keepalive, text)) {
		n.keepalive++;
	} else if (inner_parse(view, text_of(frame), text)) {
		n.inner_bad++;
		return false;
	}
	if (o.quiet)
		return true;
	printf("frame from=%s port=%u key-id=%u peer-id=%u pkt-id=%u len=%zu ",
	       addr_text(from), from->port, key_id, peer_id, ntohl(head[1]),
	       len);
	printf("kind=%s src=%s sport=%u dst=%s dport=%u bytes=%zu\n",
	       view->kind, addr_text(&view->src), view->src.port,
	       addr_text(&view->dst), view->dst.port, view->len);
	return true;
}

static int summary(bool ok)
{
	printf("received=%llu opened=%llu bad=%llu inner-bad=%llu ",
	       n.received, n.opened, n.bad, n.inner_bad);
	printf("dup=%llu back=%llu keepalive=%llu control=%llu ",
	       n.dup, n.back, n.keepalive, n.control);
	printf("answered=%llu first=%u last=%u\n", n.answered, n.first,
	       n.last);
	return ok && !n.bad && !n.inner_bad && !n.dup &&
	       (o.unordered || !n.back) ? 0 : 1;
}

#endif /* _OVPN_FRAME_DATA_H */
