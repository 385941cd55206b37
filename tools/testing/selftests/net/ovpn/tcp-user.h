/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Checks of what a program may do with an attached TCP socket: user is that
 * socket, far the other end of its connection. A check ends the program when it
 * fails.
 */
#ifndef _OVPN_TCP_USER_H
#define _OVPN_TCP_USER_H

#include <err.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "ovpn-tcp.h"

#ifndef ARRAY_SIZE
#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))
#endif

#define STREAM_MAX	1048576

extern int user, far;
extern double patience;
extern __u8 want[STREAM_MAX], got[STREAM_MAX];

/* tcp-user.c */
size_t stream(__u8 *buf, __u32 first, unsigned int count);
int poll_now(int fd, short events, double timeout);
void wait_for(int fd, short events);
int queued(int fd);
void fails(ssize_t result, int error, const char *what);
void nothing_left(void);
void expect(int fd, const __u8 *bytes, size_t len, size_t piece);
void expect_records(int fd, __u32 first, unsigned int count);
void catch_alarm(void);
pid_t child(void (*run)(void));
void child_sleeps(pid_t pid);
void child_ends(pid_t pid);
void wait_for_signal(void);

/* tcp-user-attach.c */
void check_attach_traffic(void);
void check_attach_refused(void);

/* tcp-user-send.c */
void check_send(void);
void check_send_torn(void);
void check_send_long(void);
void check_send_flags(void);
void check_fill(void);
void check_send_exact(void);
void check_send_edge(void);
void check_send_blocks(void);
void check_detach_sending(void);
void check_senders(void);

/* tcp-user-poll.c */
void check_level(void);
void check_edge(void);
void check_before_attach(void);
void check_detach_blocked(void);
void check_options(void);
void check_splice(void);
void check_end(void);
void check_end_blocked(void);
void check_reset(void);
void check_reset_blocked(void);
void check_reset_unread(void);
void check_half_record(void);

#endif /* _OVPN_TCP_USER_H */
