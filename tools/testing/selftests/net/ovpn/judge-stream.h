/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The packets in what one end of a TCP connection sends: each has its length in
 * front, as 16 bits. Seen where it leaves, the stream has no holes; what TCP
 * sends once more is not looked at twice.
 */
#ifndef _OVPN_JUDGE_STREAM_H
#define _OVPN_JUDGE_STREAM_H

#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

struct judge_stream {
	bool begun;
	__u32 next;		/* the sequence number that comes next */
	size_t got;		/* of the record, with its length */
	__u8 record[2 + 65535];
};

typedef void (*judge_record_t)(void *arg, __u8 *packet, size_t len);

static inline void judge_stream_byte(struct judge_stream *stream, __u8 byte,
				     judge_record_t judge, void *arg)
{
	size_t len;

	stream->record[stream->got++] = byte;
	if (stream->got < 2)
		return;
	len = stream->record[0] << 8 | stream->record[1];
	if (stream->got < 2 + len)
		return;
	stream->got = 0;
	judge(arg, stream->record + 2, len);
}

/* a segment; the first one starts with a record. False if one is missing */
static inline bool judge_stream_add(struct judge_stream *stream, __u32 seq,
				    const __u8 *data, size_t len,
				    judge_record_t judge, void *arg)
{
	__u32 old;

	if (!len)
		return true;
	if (!stream->begun)
		stream->next = seq;
	stream->begun = true;
	old = stream->next - seq;
	if ((__s32)old < 0)
		return false;
	for (; old < len; old++, stream->next++)
		judge_stream_byte(stream, data[old], judge, arg);
	return true;
}

#endif /* _OVPN_JUDGE_STREAM_H */
