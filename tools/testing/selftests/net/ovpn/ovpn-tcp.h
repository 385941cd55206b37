/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Records of the TCP transport: a length, big endian in two bytes, and the
 * packet. Control records carry a number and a pattern that follows from it, so
 * whoever reads them knows which one it is and whether it is whole:
 *
 *	0      2        3       7
 *	+------+--------+-------+---------+
 *	| len  | opcode | number| pattern |
 *	+------+--------+-------+---------+
 *
 * The upper byte of the number is a stream: numbers of one stream are in order.
 */
#ifndef _OVPN_TCP_H
#define _OVPN_TCP_H

#include <arpa/inet.h>
#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#define PREFIX		2
#define CONTROL_MIN	5
#define CONTROL_MAX	1204
#define OP_CONTROL	4

static inline size_t control_len(__u32 seq)
{
	return CONTROL_MIN + seq * 37 % (CONTROL_MAX - CONTROL_MIN + 1);
}

static inline void put_be16(__u8 *buf, __u16 value)
{
	buf[0] = value >> 8;
	buf[1] = value;
}

static inline size_t get_be16(const __u8 *buf)
{
	return buf[0] << 8 | buf[1];
}

/* The record with prefix; returns its whole length */
static inline size_t control_put(__u8 *buf, __u32 seq)
{
	size_t len = control_len(seq), i;
	__u32 be = htonl(seq);

	put_be16(buf, len);
	buf[PREFIX] = OP_CONTROL << 3 | (seq >> 24 & 7);
	memcpy(buf + PREFIX + 1, &be, sizeof(be));
	for (i = CONTROL_MIN; i < len; i++)
		buf[PREFIX + i] = seq * 7 + i;
	return PREFIX + len;
}

/* Is this packet, without prefix, a control record? Which one? */
static inline bool control_is(const __u8 *packet, size_t len, __u32 *seq)
{
	__u8 want[PREFIX + CONTROL_MAX];

	if (len < CONTROL_MIN)
		return false;
	memcpy(seq, packet + 1, sizeof(*seq));
	*seq = ntohl(*seq);
	return control_put(want, *seq) == PREFIX + len &&
	       !memcmp(want + PREFIX, packet, len);
}

/* ovpn-tcp.c: what the far end of a connection does */
void write_all(int fd, const void *buf, size_t len);
void far_control(int far, __u32 first, unsigned int count);
void far_ping(int far);
void far_reset(int fd);
size_t far_data(__u8 *buf);
double seconds(void);

/* tcp-user.c: the program that owns an attached socket */
int user_check(const char *name, int user, int far, double timeout);

/* tcp-rival.c: others that take a socket for themselves */
int rival_ulp(int fd, const char *name);
int rival_sockmap(int fd);

#endif /* _OVPN_TCP_H */
