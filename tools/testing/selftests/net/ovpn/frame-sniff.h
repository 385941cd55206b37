/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Datagrams off the wire, without being their receiver. Packets that the
 * kernel has not cut yet (GSO) are cut here.
 */
#ifndef _OVPN_FRAME_SNIFF_H
#define _OVPN_FRAME_SNIFF_H

#include <err.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/virtio_net.h>
#include <net/if.h>
#include <stdbool.h>
#include <sys/socket.h>
#include <unistd.h>

#include "frame-inner.h"

#define SNIFF_MAX	(256 << 10)

struct sniff {
	int fd;
	__u16 port;
	__u8 buf[sizeof(struct virtio_net_hdr) + SNIFF_MAX];
	const __u8 *next;	/* of the datagrams of the last packet */
	size_t left, step;
	struct inner_addr from;
	unsigned long long packets, bad_sums;
};

static inline void sniff_open(struct sniff *sniff, const char *dev, __u16 port)
{
	struct sockaddr_ll sll = {
		.sll_family = AF_PACKET,
		.sll_protocol = htons(ETH_P_ALL),
		.sll_ifindex = if_nametoindex(dev),
	};
	int on = 1, size = 64 << 20;

	sniff->fd = socket(AF_PACKET, SOCK_RAW, 0);
	sniff->port = port;
	if (sniff->fd < 0 || !sll.sll_ifindex ||
	    setsockopt(sniff->fd, SOL_PACKET, PACKET_VNET_HDR, &on,
		       sizeof(on)) ||
	    bind(sniff->fd, (struct sockaddr *)&sll, sizeof(sll)))
		err(1, "sniff on %s", dev);
	setsockopt(sniff->fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size));
}

/* is it for us: an unfragmented UDP packet to the port; where is its header */
static inline const __u8 *sniff_udp(struct sniff *sniff, const __u8 *ip,
				    size_t len, struct inner_addr *dst)
{
	const struct ip6_hdr *ip6 = (const void *)ip;
	const struct iphdr *ip4 = (const void *)ip;
	struct inner_addr *src = &sniff->from;
	const struct udphdr *udp;

	if (len >= sizeof(*ip4) + sizeof(*udp) && ip4->version == 4 &&
	    ip4->protocol == IPPROTO_UDP &&
	    !(ip4->frag_off & htons(0x3fff))) {
		src->family = AF_INET;
		src->v4.s_addr = ip4->saddr;
		dst->v4.s_addr = ip4->daddr;
		udp = (const void *)(ip + ip4->ihl * 4);
	} else if (len >= sizeof(*ip6) + sizeof(*udp) && ip[0] >> 4 == 6 &&
		   ip6->ip6_nxt == IPPROTO_UDP) {
		src->family = AF_INET6;
		src->v6 = ip6->ip6_src;
		dst->v6 = ip6->ip6_dst;
		udp = (const void *)(ip + sizeof(*ip6));
	} else {
		return NULL;
	}
	dst->family = src->family;
	src->port = ntohs(udp->source);
	return ntohs(udp->dest) == sniff->port ? (const void *)udp : NULL;
}

/* one packet more; false when there is none for us */
static inline bool sniff_packet(struct sniff *sniff)
{
	const struct virtio_net_hdr *vh = (const void *)sniff->buf;
	struct sockaddr_ll sll;
	socklen_t slen = sizeof(sll);
	const struct udphdr *udp;
	struct inner_addr dst;
	const __u8 *ip, *end;
	ssize_t len;

	len = recvfrom(sniff->fd, sniff->buf, sizeof(sniff->buf), 0,
		       (struct sockaddr *)&sll, &slen);
	/* commit 860b7f27b8f7 */
	if (len < 0 && errno == EINVAL)
		errx(1, "UDP segments cannot be seen before Linux 6.2");
	if (len < (ssize_t)sizeof(*vh) + ETH_HLEN ||
	    sll.sll_pkttype == PACKET_OUTGOING)
		return false;
	ip = sniff->buf + sizeof(*vh) + ETH_HLEN;
	end = sniff->buf + len;
	udp = (const void *)sniff_udp(sniff, ip, end - ip, &dst);
	if (!udp)
		return false;
	sniff->packets++;
	sniff->next = (const __u8 *)(udp + 1);
	sniff->left = end - sniff->next;
	sniff->step = vh->gso_type == VIRTIO_NET_HDR_GSO_NONE ? sniff->left :
							       vh->gso_size;
	/* what the hardware would have to fill in has no checksum yet */
	if (!(vh->flags & VIRTIO_NET_HDR_F_NEEDS_CSUM) && udp->check &&
	    vh->gso_type == VIRTIO_NET_HDR_GSO_NONE &&
	    inner_l4_sum(&sniff->from, &dst, IPPROTO_UDP, udp,
			 ntohs(udp->len)))
		sniff->bad_sums++;
	return sniff->left && sniff->step;
}

/* the next datagram, copied; 0 when there is none in this packet */
static inline size_t sniff_next(struct sniff *sniff, __u8 *to, size_t room)
{
	size_t len = sniff->left < sniff->step ? sniff->left : sniff->step;

	if (!len || len > room)
		return 0;
	memcpy(to, sniff->next, len);
	sniff->next += len;
	sniff->left -= len;
	return len;
}

#endif /* _OVPN_FRAME_SNIFF_H */
