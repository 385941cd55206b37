/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _OVPN_CLI_H_
#define _OVPN_CLI_H_

#include <libmnl/libmnl.h>
#include <linux/genetlink.h>
#include <linux/netlink.h>
#include <linux/ovpn.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

#define NL_BUF_SIZE	32768

/* if_link.h of the build machine may be older than these */
#define CLI_IFLA_OVPN_MODE	1
#define CLI_OVPN_MODE_P2P	0
#define CLI_OVPN_MODE_MP	1

/* The arguments that are left to be read */
struct args {
	int argc;
	char **argv;
};

enum attr_type {
	T_HEX,
	T_U8,
	T_U16,
	T_U32,
	T_U64,
	T_S32,
	T_UINT,
	T_BE16,
	T_BE32,
	T_IP4,
	T_IP6,
	T_STR,
	T_FLAG,
	T_LEN,		/* as many bytes of filling */
	T_FD,		/* the socket that a "hold" serves */
	T_NEST,
	T_FLAT,		/* a nest without NLA_F_NESTED */
};

/* What is known of an attribute; a table is indexed by attribute number and
 * ends where its size says
 */
struct attr_def {
	const char *name;
	enum attr_type type;
	const struct attr_table *nest;
	const char *const *values;	/* names of the values, NULL at end */
};

struct attr_table {
	const struct attr_def *def;
	unsigned int size;
};

/* A request: the message, and what explains errors in it */
struct request {
	_Alignas(8) char buf[NL_BUF_SIZE];
	struct nlmsghdr *nlh;
	size_t hdrlen;
	const struct attr_table *attrs;
};

typedef void (*reply_fn)(const struct nlmsghdr *nlh, void *data);

/* ovpn-cli.c */
_Noreturn void usage_error(const char *fmt, ...);
int fail(const char *fmt, ...);
bool arg_is(struct args *a, const char *word);
const char *arg_next(struct args *a, const char *what);
uint64_t arg_number(struct args *a, const char *what, uint64_t max);
uint64_t parse_number(const char *s, const char *what, uint64_t max);
void arg_end(struct args *a);

/* cli-netlink.c */
int nl_transact(int bus, struct request *req, reply_fn reply, void *data);
int genl_request(struct request *req, uint8_t cmd, uint16_t flags);
int genl_family(uint16_t *id, uint32_t *group);
int genl_transact(struct request *req, reply_fn reply, void *data);
struct mnl_socket *nl_open(int bus);

/* cli-attr.c */
extern const struct attr_table ovpn_attrs;
extern const struct attr_table link_attrs;
extern const char *const ovpn_cmd_names[];
int cmd_number(const char *name);
const struct attr_def *attr_lookup(const struct attr_table *table,
				   unsigned int nr);
void attr_put_spec(struct nlmsghdr *nlh, const struct attr_table *table,
		   const char *spec);
void attr_print(FILE *to, const void *payload, size_t len,
		const struct attr_table *table, const char **sep);
void attr_print_value(FILE *to, const struct attr_def *def,
		      const struct nlattr *attr);
size_t parse_hex(const char *s, size_t slen, uint8_t *out, size_t max);

/* cli-hold.c */
int cmd_hold(struct args *a);

/* cli-socket.c */
struct sockaddr_un unix_address(const char *path);
int socket_fetch(const char *path);
int cmd_drop(struct args *a);
int cmd_send(struct args *a);
int cmd_recv(struct args *a);
int parse_address(int family, const char *addr, uint16_t port,
		  struct sockaddr_storage *ss, socklen_t *len);

/* cli-config.c */
unsigned int iface_index(const char *name);
int cmd_link_new(struct args *a);
int cmd_link_set(struct args *a);
int cmd_link_get(struct args *a);
int cmd_link_del(struct args *a);
int cmd_peer_new(struct args *a);
int cmd_peer_set(struct args *a);
int cmd_peer_get(struct args *a);
int cmd_peer_del(struct args *a);
int cmd_key_new(struct args *a);
int cmd_key_get(struct args *a);
int cmd_key_del(struct args *a);
int cmd_key_swap(struct args *a);
int cmd_raw(struct args *a);

/* cli-monitor.c */
int cmd_listen(struct args *a);
int cmd_policy(struct args *a);

#endif /* _OVPN_CLI_H_ */
