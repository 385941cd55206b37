/* SPDX-License-Identifier: GPL-2.0 */
/* The command line of ovpn-frames and ovpn-tcp. */
#ifndef _OVPN_FRAME_OPTS_H
#define _OVPN_FRAME_OPTS_H

#include <stdbool.h>
#include <stdlib.h>

#include "frame-inner.h"

#ifndef ARRAY_SIZE
#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))
#endif

enum {
	INNER_UDP, INNER_ECHO, INNER_KEEPALIVE, INNER_EMPTY, INNER_RANDOM,
	INNER_TCP,
};

static struct {
	struct inner_addr from, to, isrc, idst;
	const char *secret[8], *cipher, *ids, *hex, *sock, *dev, *far, *what;
	const char *between;
	__u32 bits, dir, key_id, peer_id, my_id, pkt_id, count, size, seed;
	__u32 mark, seq, len, bytes, pieces, chunk, pause, encap;
	int inner, opcode;
	double timeout;
	bool raw, quiet, unordered, vary;
} o = {
	.cipher = "aes-gcm", .bits = 256, .size = 64, .opcode = -1,
	.my_id = UINT32_MAX, .pkt_id = 1, .seed = 1, .timeout = 5,
	.what = "data", .seq = 1, .bytes = 65536, .pieces = 2,
};

static void parse_inner(const char *kind)
{
	static const char * const kinds[] = {
		"udp", "echo", "keepalive", "empty", "random", "tcp",
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(kinds); i++) {
		if (!strcmp(kind, kinds[i])) {
			o.inner = i;
			return;
		}
	}
	errx(2, "unknown inner packet %s", kind);
}

static __u32 number(const char *text)
{
	char *end;
	unsigned long value = strtoul(text, &end, 0);

	if (!*text || *end || value > UINT32_MAX)
		errx(2, "bad value %s", text);
	return value;
}

static const char *secret;

static bool parse_word(const char *word, const char *value)
{
	static const struct {
		const char *word;
		__u32 *to;
	} numbers[] = {
		{ "bits", &o.bits }, { "dir", &o.dir }, { "key-id", &o.key_id },
		{ "peer-id", &o.peer_id }, { "my-id", &o.my_id },
		{ "pkt-id", &o.pkt_id }, { "count", &o.count },
		{ "size", &o.size }, { "seed", &o.seed }, { "mark", &o.mark },
		{ "seq", &o.seq }, { "len", &o.len }, { "bytes", &o.bytes },
		{ "pieces", &o.pieces }, { "chunk", &o.chunk },
		{ "pause", &o.pause }, { "encap", &o.encap },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(numbers); i++) {
		if (!strcmp(word, numbers[i].word)) {
			*numbers[i].to = number(value);
			return true;
		}
	}
	if (!strcmp(word, "secret"))
		secret = value;
	else if (!strcmp(word, "cipher"))
		o.cipher = value;
	else if (!strcmp(word, "ids"))
		o.ids = value;
	else if (!strcmp(word, "hex"))
		o.hex = value;
	else if (!strcmp(word, "between"))
		o.between = value;
	else if (!strcmp(word, "dev"))
		o.dev = value;
	else if (!strcmp(word, "sock"))
		o.sock = value;
	else if (!strcmp(word, "far"))
		o.far = value;
	else if (!strcmp(word, "what"))
		o.what = value;
	else if (!strcmp(word, "inner"))
		parse_inner(value);
	else if (!strcmp(word, "opcode"))
		o.opcode = number(value);
	else if (!strcmp(word, "timeout"))
		o.timeout = atof(value);
	else if (!strcmp(word, "isrc"))
		inner_addr_parse(&o.isrc, value);
	else if (!strcmp(word, "idst"))
		inner_addr_parse(&o.idst, value);
	else if (!strcmp(word, "sport"))
		o.isrc.port = number(value);
	else if (!strcmp(word, "dport"))
		o.idst.port = number(value);
	else
		return false;
	return true;
}

static bool *flag_word(const char *word)
{
	return !strcmp(word, "raw") ? &o.raw : !strcmp(word, "quiet") ?
	       &o.quiet : !strcmp(word, "unordered") ? &o.unordered :
	       !strcmp(word, "vary") ? &o.vary : NULL;
}

static void parse(char **arg)
{
	struct inner_addr *addr;
	const char *word;

	while ((word = *arg++)) {
		if (flag_word(word)) {
			*flag_word(word) = true;
			continue;
		}
		if (!*arg)
			errx(2, "%s: value missing", word);
		addr = !strcmp(word, "from") ? &o.from :
		       !strcmp(word, "to") ? &o.to : NULL;
		if (addr || !strcmp(word, "key")) {
			if (!arg[1])
				errx(2, "%s: second value missing", word);
			if (addr) {
				inner_addr_parse(addr, arg[0]);
				addr->port = number(arg[1]);
			} else {
				o.secret[number(arg[0]) & 7] = arg[1];
			}
			arg += 2;
		} else if (!parse_word(word, *arg++)) {
			errx(2, "unknown word %s", word);
		}
	}
	if (o.key_id > 7 || !o.seed || o.size > 65000)
		errx(2, "key-id is 0..7, seed is not 0, size is up to 65000");
	if (secret)
		o.secret[o.key_id] = secret;
}

#endif /* _OVPN_FRAME_OPTS_H */
