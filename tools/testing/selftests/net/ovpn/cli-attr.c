// SPDX-License-Identifier: GPL-2.0-only
/* The attributes: their names, how to write them and how to print them */
#include <arpa/inet.h>
#include <ctype.h>
#include <linux/if_link.h>

#include "ovpn-cli.h"

#define TABLE(defs)	{ (defs), MNL_ARRAY_SIZE(defs) }

static const char *const reason_names[] = {
	"teardown", "userspace", "expired", "transport-error",
	"transport-disconnect", NULL
};

static const char *const slot_names[] = { "primary", "secondary", NULL };

static const char *const cipher_names[] = {
	"none", "aes-gcm", "chacha20-poly1305", NULL
};

static const char *const mode_names[] = { "p2p", "mp", NULL };

const char *const ovpn_cmd_names[] = {
	[0] = "0",
	[OVPN_CMD_PEER_NEW] = "peer-new",
	[OVPN_CMD_PEER_SET] = "peer-set",
	[OVPN_CMD_PEER_GET] = "peer-get",
	[OVPN_CMD_PEER_DEL] = "peer-del",
	[OVPN_CMD_PEER_DEL_NTF] = "peer-del-ntf",
	[OVPN_CMD_KEY_NEW] = "key-new",
	[OVPN_CMD_KEY_GET] = "key-get",
	[OVPN_CMD_KEY_SWAP] = "key-swap",
	[OVPN_CMD_KEY_SWAP_NTF] = "key-swap-ntf",
	[OVPN_CMD_KEY_DEL] = "key-del",
	[OVPN_CMD_PEER_FLOAT_NTF] = "peer-float-ntf",
	[OVPN_CMD_MAX + 1] = NULL,
};

static const struct attr_def peer_defs[] = {
	[OVPN_A_PEER_ID] = { "id", T_U32 },
	[OVPN_A_PEER_REMOTE_IPV4] = { "remote-ipv4", T_IP4 },
	[OVPN_A_PEER_REMOTE_IPV6] = { "remote-ipv6", T_IP6 },
	[OVPN_A_PEER_REMOTE_IPV6_SCOPE_ID] = { "remote-ipv6-scope-id", T_U32 },
	[OVPN_A_PEER_REMOTE_PORT] = { "remote-port", T_BE16 },
	[OVPN_A_PEER_SOCKET] = { "socket", T_U32 },
	[OVPN_A_PEER_SOCKET_NETNSID] = { "socket-netnsid", T_S32 },
	[OVPN_A_PEER_VPN_IPV4] = { "vpn-ipv4", T_IP4 },
	[OVPN_A_PEER_VPN_IPV6] = { "vpn-ipv6", T_IP6 },
	[OVPN_A_PEER_LOCAL_IPV4] = { "local-ipv4", T_IP4 },
	[OVPN_A_PEER_LOCAL_IPV6] = { "local-ipv6", T_IP6 },
	[OVPN_A_PEER_LOCAL_PORT] = { "local-port", T_BE16 },
	[OVPN_A_PEER_KEEPALIVE_INTERVAL] = { "keepalive-interval", T_U32 },
	[OVPN_A_PEER_KEEPALIVE_TIMEOUT] = { "keepalive-timeout", T_U32 },
	[OVPN_A_PEER_DEL_REASON] = { "del-reason", T_U32, NULL, reason_names },
	[OVPN_A_PEER_VPN_RX_BYTES] = { "vpn-rx-bytes", T_UINT },
	[OVPN_A_PEER_VPN_TX_BYTES] = { "vpn-tx-bytes", T_UINT },
	[OVPN_A_PEER_VPN_RX_PACKETS] = { "vpn-rx-packets", T_UINT },
	[OVPN_A_PEER_VPN_TX_PACKETS] = { "vpn-tx-packets", T_UINT },
	[OVPN_A_PEER_LINK_RX_BYTES] = { "link-rx-bytes", T_UINT },
	[OVPN_A_PEER_LINK_TX_BYTES] = { "link-tx-bytes", T_UINT },
	[OVPN_A_PEER_LINK_RX_PACKETS] = { "link-rx-packets", T_UINT },
	[OVPN_A_PEER_LINK_TX_PACKETS] = { "link-tx-packets", T_UINT },
	[OVPN_A_PEER_TX_ID] = { "tx-id", T_U32 },
};

static const struct attr_table peer_attrs = TABLE(peer_defs);

static const struct attr_def keydir_defs[] = {
	[OVPN_A_KEYDIR_CIPHER_KEY] = { "cipher-key", T_HEX },
	[OVPN_A_KEYDIR_NONCE_TAIL] = { "nonce-tail", T_HEX },
};

static const struct attr_table keydir_attrs = TABLE(keydir_defs);

static const struct attr_def keyconf_defs[] = {
	[OVPN_A_KEYCONF_PEER_ID] = { "peer-id", T_U32 },
	[OVPN_A_KEYCONF_SLOT] = { "slot", T_U32, NULL, slot_names },
	[OVPN_A_KEYCONF_KEY_ID] = { "key-id", T_U32 },
	[OVPN_A_KEYCONF_CIPHER_ALG] = {
		"cipher-alg", T_U32, NULL, cipher_names
	},
	[OVPN_A_KEYCONF_ENCRYPT_DIR] = { "encrypt-dir", T_NEST, &keydir_attrs },
	[OVPN_A_KEYCONF_DECRYPT_DIR] = { "decrypt-dir", T_NEST, &keydir_attrs },
};

static const struct attr_table keyconf_attrs = TABLE(keyconf_defs);

static const struct attr_def ovpn_defs[] = {
	[OVPN_A_IFINDEX] = { "ifindex", T_U32 },
	[OVPN_A_PEER] = { "peer", T_NEST, &peer_attrs },
	[OVPN_A_KEYCONF] = { "keyconf", T_NEST, &keyconf_attrs },
};

const struct attr_table ovpn_attrs = TABLE(ovpn_defs);

static const struct attr_def linkdata_defs[] = {
	[CLI_IFLA_OVPN_MODE] = { "mode", T_U8, NULL, mode_names },
};

static const struct attr_table linkdata_attrs = TABLE(linkdata_defs);

static const struct attr_def linkinfo_defs[] = {
	[IFLA_INFO_KIND] = { "kind", T_STR },
	[IFLA_INFO_DATA] = { "data", T_NEST, &linkdata_attrs },
};

static const struct attr_table linkinfo_attrs = TABLE(linkinfo_defs);

static const struct attr_def link_defs[] = {
	[IFLA_IFNAME] = { "ifname", T_STR },
	[IFLA_LINKINFO] = { "linkinfo", T_NEST, &linkinfo_attrs },
};

const struct attr_table link_attrs = TABLE(link_defs);

static const struct {
	const char *name;
	enum attr_type type;
} type_names[] = {
	{ "be16", T_BE16 }, { "be32", T_BE32 }, { "fd", T_FD },
	{ "flag", T_FLAG }, { "flat", T_FLAT }, { "hex", T_HEX },
	{ "ip4", T_IP4 }, { "ip6", T_IP6 }, { "len", T_LEN },
	{ "nest", T_NEST }, { "s32", T_S32 }, { "str", T_STR },
	{ "u8", T_U8 }, { "u16", T_U16 }, { "u32", T_U32 },
	{ "u64", T_U64 }, { "uint", T_UINT },
};

int cmd_number(const char *name)
{
	int i;

	for (i = 1; ovpn_cmd_names[i]; i++)
		if (!strcmp(name, ovpn_cmd_names[i]))
			return i;
	return parse_number(name, "CMD", UINT8_MAX);
}

const struct attr_def *attr_lookup(const struct attr_table *table,
				   unsigned int nr)
{
	if (!table || nr >= table->size || !table->def[nr].name)
		return NULL;
	return &table->def[nr];
}

size_t parse_hex(const char *s, size_t slen, uint8_t *out, size_t max)
{
	size_t i;

	if (slen % 2 || slen / 2 > max)
		usage_error("bad length of hex string: %.*s", (int)slen, s);
	for (i = 0; i < slen / 2; i++) {
		char byte[3] = { s[2 * i], s[2 * i + 1] };

		if (!isxdigit(byte[0]) || !isxdigit(byte[1]))
			usage_error("bad hex string: %.*s", (int)slen, s);
		out[i] = strtoul(byte, NULL, 16);
	}
	return slen / 2;
}

/* A number, or the name of one */
static uint64_t parse_value(const struct attr_def *def, const char *s)
{
	uint64_t n;

	for (n = 0; def && def->values && def->values[n]; n++)
		if (!strcmp(s, def->values[n]))
			return n;
	return parse_number(s, def ? def->name : "value", UINT64_MAX);
}

static uint32_t parse_be32(const struct attr_def *def, const char *s)
{
	struct in_addr addr;

	if (strchr(s, '.') && inet_pton(AF_INET, s, &addr) == 1)
		return addr.s_addr;
	return htonl(parse_value(def, s));
}

static void put_value(struct nlmsghdr *nlh, uint16_t nr,
		      const struct attr_def *def, enum attr_type type,
		      const char *s)
{
	uint8_t data[4096];
	uint64_t n;
	size_t len;

	switch (type) {
	case T_U8:
		return mnl_attr_put_u8(nlh, nr, parse_value(def, s));
	case T_U16:
		return mnl_attr_put_u16(nlh, nr, parse_value(def, s));
	case T_U32:
		return mnl_attr_put_u32(nlh, nr, parse_value(def, s));
	case T_U64:
		return mnl_attr_put_u64(nlh, nr, parse_value(def, s));
	case T_S32:
		return mnl_attr_put_u32(nlh, nr, strtol(s, NULL, 0));
	case T_UINT:
		n = parse_value(def, s);
		if (n > UINT32_MAX)
			return mnl_attr_put_u64(nlh, nr, n);
		return mnl_attr_put_u32(nlh, nr, n);
	case T_BE16:
		return mnl_attr_put_u16(nlh, nr, htons(parse_value(def, s)));
	case T_BE32:
	case T_IP4:
		return mnl_attr_put_u32(nlh, nr, parse_be32(def, s));
	case T_IP6:
		if (inet_pton(AF_INET6, s, data) != 1)
			usage_error("no IPv6 address: %s", s);
		return mnl_attr_put(nlh, nr, 16, data);
	case T_STR:
		return mnl_attr_put_strz(nlh, nr, s);
	case T_FLAG:
		return mnl_attr_put(nlh, nr, 0, NULL);
	case T_LEN:
		len = parse_number(s, "len", sizeof(data));
		memset(data, 0x5a, len);
		return mnl_attr_put(nlh, nr, len, data);
	case T_FD:
		return mnl_attr_put_u32(nlh, nr, socket_fetch(s));
	default:
		len = parse_hex(s, strlen(s), data, sizeof(data));
		return mnl_attr_put(nlh, nr, len, data);
	}
}

/* Copy the word up to one of @stop and go on behind it */
static void take_word(const char **p, const char *stop, char *word, size_t max)
{
	size_t len = strcspn(*p, stop);

	if (len >= max)
		usage_error("word too long: %s", *p);
	memcpy(word, *p, len);
	word[len] = '\0';
	*p += len;
}

static uint16_t attr_number(const struct attr_table *table, const char *name)
{
	unsigned int i;

	for (i = 0; table && i < table->size; i++)
		if (table->def[i].name && !strcmp(name, table->def[i].name))
			return i;
	return parse_number(name, "attribute", 0x3fff);
}

static enum attr_type type_number(const char *name)
{
	size_t i;

	for (i = 0; i < MNL_ARRAY_SIZE(type_names); i++)
		if (!strcmp(name, type_names[i].name))
			return type_names[i].type;
	usage_error("unknown type: %s", name);
}

static void put_spec(struct nlmsghdr *nlh, const struct attr_table *table,
		     const char **p)
{
	const struct attr_def *def;
	enum attr_type type;
	struct nlattr *nest;
	char word[8300];
	uint16_t nr;

	take_word(p, ":={,}", word, sizeof(word));
	nr = attr_number(table, word);
	def = attr_lookup(table, nr);
	type = def ? def->type : T_HEX;

	if (**p == ':') {
		++*p;
		take_word(p, "={,}", word, sizeof(word));
		type = type_number(word);
	}
	if (**p != '{') {
		word[0] = '\0';
		if (**p == '=') {
			++*p;
			take_word(p, ",}", word, sizeof(word));
		}
		put_value(nlh, nr, def, type, word);
		return;
	}

	nest = mnl_attr_nest_start(nlh, nr);
	if (type == T_FLAT)
		nest->nla_type = nr;
	do {
		++*p;
		if (**p && **p != '}')
			put_spec(nlh, def ? def->nest : NULL, p);
	} while (**p == ',');
	if (**p != '}')
		usage_error("} is missing");
	++*p;
	mnl_attr_nest_end(nlh, nest);
}

/* Append the attributes that @spec describes:
 *	NAME[:TYPE][=VALUE] or NAME[:flat]{...}, separated by commas
 */
void attr_put_spec(struct nlmsghdr *nlh, const struct attr_table *table,
		   const char *spec)
{
	const char *p = spec;

	put_spec(nlh, table, &p);
	while (*p == ',') {
		p++;
		put_spec(nlh, table, &p);
	}
	if (*p)
		usage_error("cannot read \"%s\" of \"%s\"", p, spec);
}

static bool attr_uint(const struct nlattr *attr, uint64_t *n)
{
	const void *data = mnl_attr_get_payload(attr);

	switch (mnl_attr_get_payload_len(attr)) {
	case 1:
		*n = *(const uint8_t *)data;
		return true;
	case 2:
		*n = *(const uint16_t *)data;
		return true;
	case 4:
		*n = *(const uint32_t *)data;
		return true;
	case 8:
		memcpy(n, data, sizeof(*n));
		return true;
	default:
		return false;
	}
}

static void print_number(FILE *to, const struct attr_def *def, uint64_t n)
{
	uint64_t i;

	for (i = 0; def->values && def->values[i]; i++)
		if (i == n) {
			fputs(def->values[i], to);
			return;
		}
	fprintf(to, "%llu", (unsigned long long)n);
}

void attr_print_value(FILE *to, const struct attr_def *def,
		      const struct nlattr *attr)
{
	const uint8_t *data = mnl_attr_get_payload(attr);
	size_t i, len = mnl_attr_get_payload_len(attr);
	enum attr_type type = def ? def->type : T_HEX;
	char text[INET6_ADDRSTRLEN];
	uint64_t n;

	if (type == T_IP4 && len == 4) {
		fputs(inet_ntop(AF_INET, data, text, sizeof(text)), to);
	} else if (type == T_IP6 && len == 16) {
		fputs(inet_ntop(AF_INET6, data, text, sizeof(text)), to);
	} else if (type == T_BE16 && len == 2) {
		fprintf(to, "%u", data[0] << 8 | data[1]);
	} else if (type == T_S32 && len == 4) {
		fprintf(to, "%d", (int32_t)mnl_attr_get_u32(attr));
	} else if (type == T_STR) {
		fprintf(to, "%.*s", (int)len, (const char *)data);
	} else if (type != T_HEX && attr_uint(attr, &n)) {
		/* by its length, whatever type was expected: statistics are 4
		 * or 8 bytes, the key id of a notification 2
		 */
		print_number(to, def, n);
	} else {
		for (i = 0; i < len; i++)
			fprintf(to, "%02x", data[i]);
	}
}

/* Print attributes as name=value, nests flattened */
void attr_print(FILE *to, const void *payload, size_t len,
		const struct attr_table *table, const char **sep)
{
	const struct nlattr *attr;

	mnl_attr_for_each_payload(payload, len) {
		const struct attr_def *def;

		def = attr_lookup(table, mnl_attr_get_type(attr));
		if (def && def->type == T_NEST) {
			attr_print(to, mnl_attr_get_payload(attr),
				   mnl_attr_get_payload_len(attr), def->nest,
				   sep);
			continue;
		}
		if (def)
			fprintf(to, "%s%s=", *sep, def->name);
		else
			fprintf(to, "%sattribute-%u=", *sep,
				mnl_attr_get_type(attr));
		attr_print_value(to, def, attr);
		*sep = " ";
	}
}
