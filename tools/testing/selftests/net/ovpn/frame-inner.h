/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The packets inside the tunnel, and the outer headers of spoofed datagrams:
 * IPv4 and IPv6 with UDP or ICMP echo, built and read without the stack.
 */
#ifndef _OVPN_FRAME_INNER_H
#define _OVPN_FRAME_INNER_H

#include <arpa/inet.h>
#include <err.h>
#include <linux/tcp.h>
#include <linux/types.h>
#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <netinet/ip6.h>
#include <netinet/ip_icmp.h>
#include <netinet/udp.h>
#include <string.h>

struct inner_addr {
	int family;
	union {
		struct in_addr v4;
		struct in6_addr v6;
	};
	__u16 port;
};

static inline void inner_addr_parse(struct inner_addr *addr, const char *text)
{
	addr->family = strchr(text, ':') ? AF_INET6 : AF_INET;
	if (inet_pton(addr->family, text, &addr->v6) != 1)
		errx(2, "bad address %s", text);
}

static inline __u32 inner_sum(__u32 sum, const void *data, size_t len)
{
	const __u8 *p = data;
	size_t i;

	for (i = 0; i < len; i++)
		sum += i & 1 ? p[i] : p[i] << 8;
	return sum;
}

static inline __u16 inner_fold(__u32 sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return htons(~sum & 0xffff);
}

/* checksum of a transport header with payload, pseudo header included */
static inline __u16 inner_l4_sum(const struct inner_addr *src,
				 const struct inner_addr *dst, int proto,
				 const void *l4, size_t len)
{
	size_t alen = src->family == AF_INET ? 4 : 16;
	__u32 sum = proto + len;

	sum = inner_sum(sum, &src->v6, alen);
	sum = inner_sum(sum, &dst->v6, alen);
	return inner_fold(inner_sum(sum, l4, len));
}

/* writes the IP header in front of len bytes of proto, returns its length */
static inline size_t inner_ip(__u8 *buf, const struct inner_addr *src,
			      const struct inner_addr *dst, int proto,
			      size_t len)
{
	struct ip6_hdr *ip6 = (void *)buf;
	struct iphdr *ip4 = (void *)buf;

	if (src->family == AF_INET) {
		memset(ip4, 0, sizeof(*ip4));
		ip4->version = 4;
		ip4->ihl = 5;
		ip4->tot_len = htons(sizeof(*ip4) + len);
		/* as TCP does it, that packets with one id can be joined */
		ip4->frag_off = htons(proto == IPPROTO_TCP ? IP_DF : 0);
		ip4->ttl = 64;
		ip4->protocol = proto;
		ip4->saddr = src->v4.s_addr;
		ip4->daddr = dst->v4.s_addr;
		ip4->check = inner_fold(inner_sum(0, ip4, sizeof(*ip4)));
		return sizeof(*ip4);
	}
	memset(ip6, 0, sizeof(*ip6));
	ip6->ip6_flow = htonl(6u << 28);
	ip6->ip6_plen = htons(len);
	ip6->ip6_nxt = proto;
	ip6->ip6_hlim = 64;
	ip6->ip6_src = src->v6;
	ip6->ip6_dst = dst->v6;
	return sizeof(*ip6);
}

static inline size_t inner_ip_len(int family)
{
	return family == AF_INET ? sizeof(struct iphdr) :
				   sizeof(struct ip6_hdr);
}

/* an UDP packet around the len bytes already at its payload's place */
static inline size_t inner_udp(__u8 *buf, const struct inner_addr *src,
			       const struct inner_addr *dst, size_t len)
{
	size_t off = inner_ip_len(src->family);
	struct udphdr *udp = (void *)(buf + off);

	len += sizeof(*udp);
	udp->source = htons(src->port);
	udp->dest = htons(dst->port);
	udp->len = htons(len);
	udp->check = 0;
	udp->check = inner_l4_sum(src, dst, IPPROTO_UDP, udp, len);
	if (!udp->check)
		udp->check = 0xffff;
	return inner_ip(buf, src, dst, IPPROTO_UDP, len) + len;
}

/* a TCP segment, the same way */
static inline size_t inner_tcp(__u8 *buf, const struct inner_addr *src,
			       const struct inner_addr *dst, __u32 seq,
			       size_t len)
{
	size_t off = inner_ip_len(src->family);
	struct tcphdr *tcp = (void *)(buf + off);

	len += sizeof(*tcp);
	memset(tcp, 0, sizeof(*tcp));
	tcp->source = htons(src->port);
	tcp->dest = htons(dst->port);
	tcp->seq = htonl(seq);
	tcp->ack = 1;
	tcp->doff = sizeof(*tcp) / 4;
	tcp->window = htons(1000);
	tcp->check = inner_l4_sum(src, dst, IPPROTO_TCP, tcp, len);
	return inner_ip(buf, src, dst, IPPROTO_TCP, len) + len;
}

/* an echo request (or reply) with len bytes of payload behind its header */
static inline size_t inner_echo(__u8 *buf, const struct inner_addr *src,
				const struct inner_addr *dst, int reply,
				__u16 id, __u16 seq, size_t len)
{
	size_t off = inner_ip_len(src->family);
	struct icmphdr *icmp = (void *)(buf + off);

	len += sizeof(*icmp);
	memset(icmp, 0, sizeof(*icmp));
	icmp->un.echo.id = htons(id);
	icmp->un.echo.sequence = htons(seq);
	if (src->family == AF_INET) {
		icmp->type = reply ? ICMP_ECHOREPLY : ICMP_ECHO;
		icmp->checksum = inner_fold(inner_sum(0, icmp, len));
		return inner_ip(buf, src, dst, IPPROTO_ICMP, len) + len;
	}
	icmp->type = reply ? ICMP6_ECHO_REPLY : ICMP6_ECHO_REQUEST;
	icmp->checksum = inner_l4_sum(src, dst, IPPROTO_ICMPV6, icmp, len);
	return inner_ip(buf, src, dst, IPPROTO_ICMPV6, len) + len;
}

struct inner_view {
	struct inner_addr src, dst;
	const char *kind;	/* udp, tcp, echo-request, echo-reply, other */
	size_t payload;		/* its offset */
	size_t len;		/* and length */
	__u16 id, seq;	/* echo only */
};

static inline void inner_view_echo(struct inner_view *view, const void *l4)
{
	const struct icmphdr *icmp = l4;
	int request = view->src.family == AF_INET ? ICMP_ECHO :
						    ICMP6_ECHO_REQUEST;
	int reply = view->src.family == AF_INET ? ICMP_ECHOREPLY :
						  ICMP6_ECHO_REPLY;

	view->id = ntohs(icmp->un.echo.id);
	view->seq = ntohs(icmp->un.echo.sequence);
	if (icmp->type == request)
		view->kind = "echo-request";
	else if (icmp->type == reply)
		view->kind = "echo-reply";
}

/* -1: a checksum is wrong */
static inline int inner_view_l4(struct inner_view *view, int proto,
				const __u8 *l4, size_t off, size_t len)
{
	const struct udphdr *ports = (const void *)l4;
	size_t hlen = proto == IPPROTO_TCP ? 20 : 8;

	if (len < hlen || (proto != IPPROTO_UDP && proto != IPPROTO_TCP &&
			   proto != IPPROTO_ICMP && proto != IPPROTO_ICMPV6))
		return 0;
	if (proto == IPPROTO_ICMP ? inner_fold(inner_sum(0, l4, len)) :
	    inner_l4_sum(&view->src, &view->dst, proto, l4, len))
		return -1;
	if (proto == IPPROTO_TCP)
		hlen = (l4[12] >> 4) * 4;
	if (hlen > len)
		return -1;
	view->payload = off + hlen;
	view->len = len - hlen;
	if (proto == IPPROTO_ICMP || proto == IPPROTO_ICMPV6) {
		inner_view_echo(view, l4);
		return 0;
	}
	view->kind = proto == IPPROTO_TCP ? "tcp" : "udp";
	view->src.port = ntohs(ports->source);
	view->dst.port = ntohs(ports->dest);
	return 0;
}

/* -1: no whole IP packet, or a checksum is wrong */
static inline int inner_parse(struct inner_view *view, const __u8 *buf,
			      size_t len)
{
	const struct ip6_hdr *ip6 = (const void *)buf;
	const struct iphdr *ip4 = (const void *)buf;
	size_t off;
	int proto;

	memset(view, 0, sizeof(*view));
	view->kind = "other";
	if (len >= sizeof(*ip4) && ip4->version == 4) {
		off = ip4->ihl * 4;
		if (off < sizeof(*ip4) || ntohs(ip4->tot_len) != len ||
		    off > len || inner_fold(inner_sum(0, buf, off)))
			return -1;
		view->src.family = AF_INET;
		view->src.v4.s_addr = ip4->saddr;
		view->dst.v4.s_addr = ip4->daddr;
		proto = ip4->protocol;
		/* of a fragment only the IP header is looked at */
		if (ip4->frag_off & htons(0x3fff))
			proto = IPPROTO_RAW;
	} else if (len >= sizeof(*ip6) && buf[0] >> 4 == 6) {
		off = sizeof(*ip6);
		if (ntohs(ip6->ip6_plen) + off != len)
			return -1;
		view->src.family = AF_INET6;
		view->src.v6 = ip6->ip6_src;
		view->dst.v6 = ip6->ip6_dst;
		proto = ip6->ip6_nxt;
	} else {
		return -1;
	}
	view->dst.family = view->src.family;
	return inner_view_l4(view, proto, buf + off, off, len - off);
}

#endif /* _OVPN_FRAME_INNER_H */
