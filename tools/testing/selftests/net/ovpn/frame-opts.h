/* SPDX-License-Identifier: GPL-2.0 */
/* The command line of ovpn-frames. */
#ifndef _OVPN_FRAME_OPTS_H
#define _OVPN_FRAME_OPTS_H

#include <stdbool.h>
#include <stdlib.h>

#include "frame-inner.h"

#ifndef ARRAY_SIZE
#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))
#endif

static const char usage_text[] =
"usage: ovpn-frames COMMAND [WORD VALUE]...\n"
"commands that send (each prints sent=N):\n"
"  send         well-formed datagrams, packet ids from pkt-id, or of ids\n"
"  lengths      a datagram cut to each length 1..128; then random bytes so long\n"
"  classes      each opcode (or one: opcode N), key id, kind of peer id; random\n"
"  bitflip      a datagram with one bit flipped, once per bit (not the opcode)\n"
"  trunc-inner  the inner packet cut to each shorter length, then sealed\n"
"  garbage      sealed random bytes, each first byte\n"
"  flood        count datagrams, of all of these kinds, by seed\n"
"  bytes        the datagram of hex DIGITS, as it is\n"
"commands that receive (ready when bound; count or timeout ends them):\n"
"  recv         open, check and print what arrives\n"
"  serve        the same, and answer inner echo requests\n"
"  ping         inner echo requests, each waits for its reply\n"
"  sniff        open and check what comes in on device dev for the port of to\n"
"other:\n"
"  mark         give the socket that ovpn-cli holds at sock PATH the mark N\n"
"words:\n"
"  from ADDR PORT, to ADDR PORT   transport addresses\n"
"  raw                            forge the transport source address\n"
"  secret S, dir 0|1, cipher C, bits N, key-id N; key N S: another key\n"
"  peer-id N (sent), my-id N (expected), pkt-id N, ids A-B,C,...\n"
"  isrc ADDR, idst ADDR, sport N, dport N, size N   inner packet\n"
"  inner udp|echo|keepalive|empty|random\n"
"  count N, timeout SEC, seed N, opcode N, hex DIGITS, sock PATH, mark N\n"
"  dev DEV, quiet, unordered\n";

enum { INNER_UDP, INNER_ECHO, INNER_KEEPALIVE, INNER_EMPTY, INNER_RANDOM };

static struct {
	struct inner_addr from, to, isrc, idst;
	const char *secret[8], *cipher, *ids, *hex, *sock, *dev;
	__u32 bits, dir, key_id, peer_id, my_id, pkt_id, count, size, seed;
	__u32 mark;
	int inner, opcode;
	double timeout;
	bool raw, quiet, unordered;
} o = {
	.cipher = "aes-gcm", .bits = 256, .size = 64, .opcode = -1,
	.my_id = UINT32_MAX, .pkt_id = 1, .seed = 1, .timeout = 5,
};

static void parse_inner(const char *kind)
{
	static const char * const kinds[] = {
		"udp", "echo", "keepalive", "empty", "random",
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
	else if (!strcmp(word, "dev"))
		o.dev = value;
	else if (!strcmp(word, "sock"))
		o.sock = value;
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
	       &o.quiet : !strcmp(word, "unordered") ? &o.unordered : NULL;
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
