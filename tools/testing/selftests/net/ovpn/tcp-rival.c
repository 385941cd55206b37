// SPDX-License-Identifier: GPL-2.0
/*
 * Others that take a TCP socket for themselves: exit status 4 where this kernel
 * has none of them
 */
#include <err.h>
#include <errno.h>
#include <linux/bpf.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "ovpn-tcp.h"

int rival_ulp(int fd, const char *name)
{
	if (!setsockopt(fd, IPPROTO_TCP, TCP_ULP, name, strlen(name))) {
		puts("taken");
		return 0;
	}
	printf("error=%s\n", strerrorname_np(errno));
	return errno == ENOENT ? 4 : 1;
}

/* The socket stays in the map as long as the map lives */
int rival_sockmap(int fd)
{
	union bpf_attr map = {
		.map_type = BPF_MAP_TYPE_SOCKMAP,
		.key_size = 4,
		.value_size = 4,
		.max_entries = 1,
	};
	union bpf_attr entry = {};
	__u32 key = 0;
	int map_fd;

	map_fd = syscall(SYS_bpf, BPF_MAP_CREATE, &map, sizeof(map));
	if (map_fd < 0)
		err(4, "sockmap");
	entry.map_fd = map_fd;
	entry.key = (unsigned long)&key;
	entry.value = (unsigned long)&fd;
	if (syscall(SYS_bpf, BPF_MAP_UPDATE_ELEM, &entry, sizeof(entry))) {
		printf("error=%s\n", strerrorname_np(errno));
		return 1;
	}
	puts("ready");
	return pause();
}
