// SPDX-License-Identifier: GPL-2.0
/*
 * ovpn-judge: what goes over a wire, and what has to become of it
 *
 * It listens on the outer device of one end and opens each packet without any
 * code of the driver. It knows the keys of the whole run: number N has the key
 * id N % 8 and the secret PREFIXN. Of what leaves it says whether each packet
 * id of a key is used once, and whether those of one flow, which has one sender
 * at a time, rise. Of what comes it says which packets are to be accepted, and
 * why the others are not.
 */
#include <err.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/virtio_net.h>
#include <net/if.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "frame-aead.h"
#include "frame-inner.h"
#include "judge-stream.h"

#define HEAD		(FRAME_AAD_LEN + FRAME_TAG_LEN)
#define PACKET_MAX	(256 << 10)
#define KEYS_MAX	65536u
#define FLOWS_MAX	256
#define FAULTS_SHOWN	10
#define DATA_V1		6
#define DATA_V2		9

/* of the driver: 4096 ids less a word of which a part may be stale */
#define WINDOW		(4096 - 8 * sizeof(long))

static const char usage_text[] =
"usage: ovpn-judge [WORD VALUE]...\n"
"  dev DEV, port N     the wire, and the port of both ends\n"
"  dir 0|1, peer-id N  which end this is\n"
"  secrets PREFIX, cipher C, bits N, from N   the keys, from number N on\n"
"  tcp                 the transport; only what leaves is looked at\n"
"It says ready, and on SIGTERM what it has seen: a line for each direction.\n";

static struct {
	const char *dev, *secrets, *cipher;
	unsigned int port, dir, peer_id, bits, from;
	bool tcp;
} o = {
	.dev = "veth", .secrets = "secret", .cipher = "aes-gcm",
	.port = 1194, .peer_id = 1, .bits = 256,
};

/* one key, in one direction */
struct key {
	struct frame_aead aead;
	__u8 *seen;		/* a bit for each id */
	size_t room;
	__u32 newest;
};

struct way {
	bool out;
	unsigned int number;	/* of the newest key that was used */
	struct key *keys[KEYS_MAX];
	struct judge_stream stream;
};

/* who sends, and what it sent last */
struct flow {
	struct inner_view view;
	unsigned int number;
	__u32 id;
};

static struct way ways[2] = { { .out = true }, {} };
static struct flow flows[FLOWS_MAX];
static unsigned int flow_count;

static struct {
	/* out */
	unsigned long frames, sealed, twice, back, unknown, keepalives;
	unsigned long control, keys, garbage;
	/* in */
	unsigned long came, good, doubled, late, disorder, forged, no_key;
	unsigned long no_peer, tiny, v1, csum, not_udp, other, in_control;
	unsigned long in_keepalives;
} n;

static bool stop;

static const __u8 keepalive[16] = {
	0x2a, 0x18, 0x7b, 0xf3, 0x64, 0x1e, 0xb4, 0xcb,
	0x07, 0xed, 0x2d, 0x0a, 0x98, 0x1f, 0xc7, 0x48,
};

static void fault(const char *what, unsigned int number, __u32 id)
{
	static unsigned int shown;

	if (shown++ < FAULTS_SHOWN)
		printf("%s: key number %u, packet id %u\n", what, number, id);
}

static struct key *key_of(struct way *way, unsigned int number)
{
	struct key *key = way->keys[number];
	char secret[64];

	if (key)
		return key;
	key = calloc(1, sizeof(*key));
	if (!key)
		err(1, "calloc");
	snprintf(secret, sizeof(secret), "%s%u", o.secrets, number);
	frame_aead_init(&key->aead, o.cipher, o.bits, secret,
			way->out ? o.dir : !o.dir);
	way->keys[number] = key;
	return key;
}

/* Which key opens it? There are eight that it may name: of those used last and
 * of those that come next. NULL if none does; or its number, and *len is that
 * of the text.
 */
static struct key *open_packet(struct way *way, __u8 *packet, size_t *len,
			       unsigned int *number)
{
	unsigned int next;
	struct key *key;
	int text, i;

	next = way->number + ((packet[0] - way->number) & 7);
	for (i = 0; i < 2; i++, next -= 8) {
		if (next >= KEYS_MAX || next < o.from)
			continue;
		key = key_of(way, next);
		text = frame_open(&key->aead, packet, *len);
		if (text < 0)
			continue;
		*len = text;
		*number = next;
		if (next > way->number)
			way->number = next;
		return key;
	}
	return NULL;
}

/* has it been here before? If not, it has from now on */
static bool seen_before(struct key *key, __u32 id)
{
	size_t byte = id / 8, room;
	bool before;

	if (byte >= key->room) {
		room = byte * 2 + 4096;
		key->seen = realloc(key->seen, room);
		if (!key->seen)
			err(1, "realloc");
		memset(key->seen + key->room, 0, room - key->room);
		key->room = room;
	}
	before = key->seen[byte] >> id % 8 & 1;
	key->seen[byte] |= 1 << id % 8;
	return before;
}

static bool same_flow(const struct inner_view *a, const struct inner_view *b)
{
	return a->kind == b->kind && a->src.port == b->src.port &&
	       a->dst.port == b->dst.port &&
	       a->src.family == b->src.family &&
	       !memcmp(&a->src.v6, &b->src.v6, sizeof(a->src.v6)) &&
	       !memcmp(&a->dst.v6, &b->dst.v6, sizeof(a->dst.v6));
}

/* The socket of a flow sends one packet after the other, whichever CPU it is
 * on: it never goes back to an older id, or to an older key.
 */
static void judge_order(const __u8 *text, size_t len, unsigned int number,
			__u32 id)
{
	struct inner_view view;
	struct flow *flow;

	if (inner_parse(&view, text, len)) {
		n.garbage++;
		fault("no sound IP packet in it", number, id);
		return;
	}
	if (!view.len || !view.src.port)
		return;
	for (flow = flows; flow < flows + flow_count; flow++)
		if (same_flow(&flow->view, &view))
			break;
	if (flow == flows + FLOWS_MAX)
		return;
	if (flow == flows + flow_count) {
		flow_count++;
		flow->view = view;
	} else if (number < flow->number ||
		   (number == flow->number && id <= flow->id)) {
		n.back++;
		fault("behind a newer one of its flow", number, id);
	}
	flow->number = number;
	flow->id = id;
}

static void judge_out(struct way *way, __u8 *packet, size_t len)
{
	unsigned int number = 0;
	struct key *key = NULL;
	__u32 id;

	if (len && packet[0] >> 3 != DATA_V2) {
		n.control++;
		return;
	}
	if (len > HEAD)
		key = open_packet(way, packet, &len, &number);
	if (!key) {
		n.unknown++;
		fault("no key opens it", len ? packet[0] & 7 : 0, 0);
		return;
	}
	id = frame_be32(packet + 4);
	n.sealed++;
	n.keys += !key->newest;
	if (!id || seen_before(key, id)) {
		n.twice++;
		fault("a packet id once more", number, id);
	}
	/* a stream has one order for all */
	if (o.tcp && (number < way->number || id < key->newest)) {
		n.back++;
		fault("behind a newer one", number, id);
	}
	if (id > key->newest)
		key->newest = id;
	if (len == sizeof(keepalive) &&
	    !memcmp(packet + HEAD, keepalive, len))
		n.keepalives++;
	else
		judge_order(packet + HEAD, len, number, id);
}

/* The window of the design, in the plainest way: all that ever came */
static void judge_replay(struct key *key, __u32 id)
{
	if (id && key->newest >= id && key->newest - id >= WINDOW) {
		n.late++;
		return;
	}
	n.disorder += key->newest > id;
	if (!id || seen_before(key, id)) {
		n.doubled++;
		return;
	}
	if (id > key->newest)
		key->newest = id;
	n.good++;
}

static void judge_in(struct way *way, __u8 *packet, size_t len)
{
	unsigned int number, key_id = way->number & 7;
	struct key *key;

	if (!len || (packet[0] >> 3 != DATA_V2 && packet[0] >> 3 != DATA_V1)) {
		n.in_control++;
	} else if (packet[0] >> 3 == DATA_V1) {
		n.v1++;
	} else if (len <= HEAD) {
		n.tiny++;
	} else if ((frame_be32(packet) & 0xffffff) != o.peer_id) {
		n.no_peer++;
	} else {
		key = open_packet(way, packet, &len, &number);
		if (!key && (packet[0] & 7) != key_id)
			n.no_key++;
		else if (!key)
			n.forged++;
		else
			judge_replay(key, frame_be32(packet + 4));
		n.in_keepalives += key && len == sizeof(keepalive) &&
				   !memcmp(packet + HEAD, keepalive, len);
	}
}

struct outer {
	struct inner_addr src, dst;
	int proto;
	const __u8 *l4;
	size_t len;
};

/* the packet in a frame; false if IP would not take it */
static bool outer_ip(struct outer *ip, const __u8 *frame, size_t len)
{
	const __u16 type = frame[12] << 8 | frame[13];
	const struct iphdr *ip4 = (const void *)(frame + ETH_HLEN);
	const struct ip6_hdr *ip6 = (const void *)ip4;
	size_t head = sizeof(*ip6), size;

	memset(ip, 0, sizeof(*ip));
	len -= ETH_HLEN;
	if (type == ETH_P_IP && len >= sizeof(*ip4) && ip4->version == 4) {
		head = ip4->ihl * 4;
		size = ntohs(ip4->tot_len);
		if (head < sizeof(*ip4) || size < head || size > len ||
		    inner_fold(inner_sum(0, ip4, head)) ||
		    ip4->frag_off & htons(0x3fff))
			return false;
		ip->src.family = AF_INET;
		ip->src.v4.s_addr = ip4->saddr;
		ip->dst.v4.s_addr = ip4->daddr;
		ip->proto = ip4->protocol;
	} else if (type == ETH_P_IPV6 && len >= head && frame[14] >> 4 == 6) {
		size = ntohs(ip6->ip6_plen) + head;
		if (size > len)
			return false;
		ip->src.family = AF_INET6;
		ip->src.v6 = ip6->ip6_src;
		ip->dst.v6 = ip6->ip6_dst;
		ip->proto = ip6->ip6_nxt;
	} else {
		return false;
	}
	ip->dst.family = ip->src.family;
	ip->l4 = frame + ETH_HLEN + head;
	ip->len = size - head;
	return true;
}

/* The datagrams of a packet, which the kernel may not have cut yet. Returns
 * false if UDP, or a socket of another port, has them.
 */
static bool judge_udp(struct way *way, const struct virtio_net_hdr *vh,
		      const struct outer *ip)
{
	const struct udphdr *udp = (const void *)ip->l4;
	static __u8 packet[PACKET_MAX];
	size_t left, step;

	if (ip->proto != IPPROTO_UDP || ip->len < sizeof(*udp) ||
	    ntohs(udp->len) < sizeof(*udp) || ntohs(udp->len) > ip->len)
		return false;
	if (!(vh->flags & VIRTIO_NET_HDR_F_NEEDS_CSUM) &&
	    (udp->check || ip->src.family == AF_INET6) && !way->out &&
	    (!udp->check || inner_l4_sum(&ip->src, &ip->dst, IPPROTO_UDP, udp,
					 ntohs(udp->len)))) {
		n.csum++;
		return true;
	}
	if (ntohs(way->out ? udp->source : udp->dest) != o.port)
		return false;

	left = ntohs(udp->len) - sizeof(*udp);
	step = vh->gso_type == VIRTIO_NET_HDR_GSO_NONE ? left : vh->gso_size;
	do {
		if (step > left)
			step = left;
		memcpy(packet, (const __u8 *)(udp + 1) +
		       ntohs(udp->len) - sizeof(*udp) - left, step);
		if (way->out)
			judge_out(way, packet, step);
		else
			judge_in(way, packet, step);
		left -= step;
	} while (left);
	return true;
}

static void judge_record(void *arg, __u8 *packet, size_t len)
{
	judge_out(arg, packet, len);
}

static bool judge_tcp(struct way *way, const struct outer *ip)
{
	const __u8 *tcp = ip->l4;
	size_t head;

	if (ip->proto != IPPROTO_TCP || ip->len < 20)
		return false;
	head = (tcp[12] >> 4) * 4;
	if (head < 20 || head > ip->len)
		return false;
	if (judge_stream_add(&way->stream, frame_be32(tcp + 4), tcp + head,
			     ip->len - head, judge_record, way))
		return true;
	n.unknown++;
	fault("a hole in the stream", 0, frame_be32(tcp + 4));
	return true;
}

static void judge_frame(const struct sockaddr_ll *sll, const __u8 *data,
			size_t len)
{
	const struct virtio_net_hdr *vh = (const void *)data;
	struct way *way = &ways[sll->sll_pkttype != PACKET_OUTGOING];
	const __u8 *frame = data + sizeof(*vh);
	struct outer ip;

	len -= sizeof(*vh);
	if (way->out)
		n.frames++;
	else
		n.came++;
	if (o.tcp) {
		if (way->out && outer_ip(&ip, frame, len))
			judge_tcp(way, &ip);
	} else if (sll->sll_pkttype == PACKET_OTHERHOST) {
		n.other++;
	} else if (!outer_ip(&ip, frame, len) || !judge_udp(way, vh, &ip)) {
		n.not_udp += !way->out;
	}
}

static int open_wire(void)
{
	struct sockaddr_ll sll = {
		.sll_family = AF_PACKET,
		.sll_protocol = htons(ETH_P_ALL),
		.sll_ifindex = if_nametoindex(o.dev),
	};
	int fd = socket(AF_PACKET, SOCK_RAW, 0), on = 1, size = 256 << 20;

	if (fd < 0 || !sll.sll_ifindex ||
	    setsockopt(fd, SOL_PACKET, PACKET_VNET_HDR, &on, sizeof(on)) ||
	    bind(fd, (struct sockaddr *)&sll, sizeof(sll)))
		err(1, "listen on %s", o.dev);
	setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size));
	return fd;
}

/* until it is told to stop, and nothing is left */
static void listen_to(int fd)
{
	static __u8 data[sizeof(struct virtio_net_hdr) + PACKET_MAX];
	struct pollfd p = { .fd = fd, .events = POLLIN };
	struct sockaddr_ll sll;
	socklen_t slen;
	ssize_t len;

	while (1) {
		slen = sizeof(sll);
		len = recvfrom(fd, data, sizeof(data), MSG_DONTWAIT,
			       (struct sockaddr *)&sll, &slen);
		if (len >= (ssize_t)sizeof(struct virtio_net_hdr) + ETH_HLEN)
			judge_frame(&sll, data, len);
		else if (len < 0 && __atomic_load_n(&stop, __ATOMIC_RELAXED))
			return;
		else if (len < 0)
			poll(&p, 1, 50);
	}
}

/* how many frames it had no room for; they have not been judged */
static unsigned int missed(int fd)
{
	struct tpacket_stats stats = {};
	socklen_t len = sizeof(stats);

	getsockopt(fd, SOL_PACKET, PACKET_STATISTICS, &stats, &len);
	return stats.tp_drops;
}

static int summary(int fd)
{
	unsigned int lost = missed(fd);

	printf("out frames=%lu sealed=%lu keys=%lu twice=%lu back=%lu ",
	       n.frames, n.sealed, n.keys, n.twice, n.back);
	printf("unknown=%lu garbage=%lu keepalives=%lu control=%lu flows=%u\n",
	       n.unknown, n.garbage, n.keepalives, n.control, flow_count);
	printf("in came=%lu good=%lu doubled=%lu late=%lu disorder=%lu ",
	       n.came, n.good, n.doubled, n.late, n.disorder);
	printf("forged=%lu no-key=%lu no-peer=%lu tiny=%lu v1=%lu ",
	       n.forged, n.no_key, n.no_peer, n.tiny, n.v1);
	printf("csum=%lu not-udp=%lu other=%lu in-control=%lu ",
	       n.csum, n.not_udp, n.other, n.in_control);
	printf("in-keepalives=%lu missed=%u\n", n.in_keepalives, lost);
	return n.twice || n.back || n.unknown || n.garbage || lost;
}

static void parse(char **argv)
{
	for (; *argv; argv++) {
		const char *word = *argv;

		if (!strcmp(word, "tcp")) {
			o.tcp = true;
			continue;
		}
		if (!*++argv)
			errx(2, "%s", usage_text);
		if (!strcmp(word, "dev"))
			o.dev = *argv;
		else if (!strcmp(word, "port"))
			o.port = atoi(*argv);
		else if (!strcmp(word, "dir"))
			o.dir = atoi(*argv);
		else if (!strcmp(word, "peer-id"))
			o.peer_id = atoi(*argv);
		else if (!strcmp(word, "secrets"))
			o.secrets = *argv;
		else if (!strcmp(word, "cipher"))
			o.cipher = *argv;
		else if (!strcmp(word, "bits"))
			o.bits = atoi(*argv);
		else if (!strcmp(word, "from"))
			o.from = atoi(*argv);
		else
			errx(2, "%s", usage_text);
	}
	ways[0].number = o.from;
	ways[1].number = o.from;
}

static void enough(int sig)
{
	(void)sig;
	__atomic_store_n(&stop, true, __ATOMIC_RELAXED);
}

int main(int argc, char **argv)
{
	int fd;

	(void)argc;
	setvbuf(stdout, NULL, _IOLBF, 0);
	parse(argv + 1);
	signal(SIGTERM, enough);
	fd = open_wire();
	puts("ready");
	listen_to(fd);
	return summary(fd);
}
