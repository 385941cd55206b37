// SPDX-License-Identifier: GPL-2.0-only
/*
 * Command line access to the ovpn netlink interfaces, for the tests
 *
 * Everything is written to standard output as key=value words, one object per
 * line. A refused request is one line on standard error
 *
 *	ovpn-cli: COMMAND: strerror: message of the kernel (attribute NAME)
 *
 * and exit status 1; a wrong command line is exit status 2.
 */
#include <errno.h>
#include <stdarg.h>

#include "ovpn-cli.h"

static const char usage_text[] =
"usage: ovpn-cli COMMAND ...\n"
"  link-new IFACE [mode p2p|mp|N] [data ATTR...]  IFACE \"-\": kernel's choice\n"
"  link-set IFACE mode p2p|mp|N\n"
"  link-get IFACE\n"
"  link-del IFACE\n"
"  hold PATH KIND ADDR PORT [OPTION...]\n"
"       KIND: udp4 udp6 tcp4 tcp6 mptcp4 mptcp6 unix file\n"
"       options: dev DEV, mark N, tos N, pmtudisc N, pmtudisc6 N, sndbuf N,\n"
"                rcvbuf N, v6only, reuse, nodelay, reset (SO_LINGER 0),\n"
"                user-timeout MS, no-check (no checksums, UDP over IPv4)\n"
"       opens a socket and serves it on PATH until killed; prints \"ready\"\n"
"       A TCP socket is the accepted end of a connection to itself, or\n"
"         to ADDR PORT [count N]  connected; with count on PATH.1 ... PATH.N\n"
"         accept                  the first connection that comes: who asks\n"
"                                 for it earlier waits\n"
"         listen                  listening; what comes is on PATH.1 PATH.2 ...\n"
"         idle                    none of these\n"
"  drop PATH                              close one socket of a hold\n"
"  peer-new IFACE id N sock PATH [PEER...]\n"
"  peer-set IFACE id N [PEER...]\n"
"       PEER: tx-id N, remote ADDR PORT [scope DEV], vpn4 A, vpn6 A, local A,\n"
"             interval N, timeout N\n"
"  peer-get IFACE [id N]\n"
"  peer-del IFACE id N\n"
"  key-new IFACE id N slot primary|secondary key-id K cipher CIPHER\n"
"          [bits 128|192|256] secret STRING dir 0|1\n"
"       CIPHER: aes-gcm, chacha20-poly1305, none\n"
"  key-get IFACE id N slot SLOT\n"
"  key-del IFACE id N slot SLOT\n"
"  key-swap IFACE id N\n"
"  listen [count N] [timeout SEC]         notifications, one per line\n"
"  policy                                 commands and their attributes\n"
"  send PATH HEX ADDR PORT                from a held socket\n"
"  recv PATH [timeout SEC]                prints ADDR PORT HEX\n"
"  raw CMD [dump] [ifindex N|dev IFACE|none] ATTR...\n"
"       ATTR: NAME[:TYPE][=VALUE] or NAME[:flat]{ATTR,...}; NAME: number too\n"
"       TYPE: u8 u16 u32 u64 s32 be16 be32 ip4 ip6 str hex flag\n"
"             len (VALUE bytes of filling), fd (VALUE: path of a hold)\n";

static const struct command {
	const char *name;
	int (*run)(struct args *a);
} commands[] = {
	{ "drop", cmd_drop },
	{ "hold", cmd_hold },
	{ "key-del", cmd_key_del },
	{ "key-get", cmd_key_get },
	{ "key-new", cmd_key_new },
	{ "key-swap", cmd_key_swap },
	{ "link-del", cmd_link_del },
	{ "link-get", cmd_link_get },
	{ "link-new", cmd_link_new },
	{ "link-set", cmd_link_set },
	{ "listen", cmd_listen },
	{ "peer-del", cmd_peer_del },
	{ "peer-get", cmd_peer_get },
	{ "peer-new", cmd_peer_new },
	{ "peer-set", cmd_peer_set },
	{ "policy", cmd_policy },
	{ "raw", cmd_raw },
	{ "recv", cmd_recv },
	{ "send", cmd_send },
};

static const char *running = "?";

void usage_error(const char *fmt, ...)
{
	va_list ap;

	fprintf(stderr, "ovpn-cli: %s: ", running);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
	exit(2);
}

/* Say what failed; the value is the exit status of the program */
int fail(const char *fmt, ...)
{
	va_list ap;

	fprintf(stderr, "ovpn-cli: %s: ", running);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
	return 1;
}

/* Is @word the next argument? Then take it. */
bool arg_is(struct args *a, const char *word)
{
	if (!a->argc || strcmp(a->argv[0], word))
		return false;
	a->argc--;
	a->argv++;
	return true;
}

const char *arg_next(struct args *a, const char *what)
{
	if (!a->argc)
		usage_error("%s is missing", what);
	a->argc--;
	return *a->argv++;
}

uint64_t parse_number(const char *s, const char *what, uint64_t max)
{
	unsigned long long n;
	char *end;

	errno = 0;
	n = strtoull(s, &end, 0);
	if (!*s || *end || errno || n > max)
		usage_error("%s is no number up to %llu: %s", what,
			    (unsigned long long)max, s);
	return n;
}

uint64_t arg_number(struct args *a, const char *what, uint64_t max)
{
	return parse_number(arg_next(a, what), what, max);
}

void arg_end(struct args *a)
{
	if (a->argc)
		usage_error("unknown argument: %s", a->argv[0]);
}

int main(int argc, char **argv)
{
	struct args a = { argc - 2, argv + 2 };
	size_t i;

	if (argc >= 2 && (!strcmp(argv[1], "help") ||
			  !strcmp(argv[1], "--help"))) {
		fputs(usage_text, stdout);
		return 0;
	}

	setvbuf(stdout, NULL, _IOLBF, 0);
	for (i = 0; argc >= 2 && i < MNL_ARRAY_SIZE(commands); i++) {
		if (strcmp(argv[1], commands[i].name))
			continue;
		running = commands[i].name;
		return commands[i].run(&a);
	}

	fputs(usage_text, stderr);
	return 2;
}
