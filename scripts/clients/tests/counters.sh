#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# What OpenVPN tells about a tunnel whose packets it never sees: status files, the
# management interface and its idle timer live on the kernel's counters.
set -euo pipefail
. "$(dirname "$0")/../lib.sh"

# client_bytes FIELD: 6 received, 7 sent, as the server's status has it.
client_bytes()
{
	awk -F, -v f="$1" '/^CLIENT_LIST,client1,/ { print $f }' "$WORK/status"
}

at_least()
{
	[ "$(client_bytes "$1")" -ge "$2" ]
}

status_file()
{
	stage_up 1
	server --proto udp4 --status "$WORK/status" 1 --status-version 2
	client 1 --remote 10.0.1.1 1194 udp4 --status "$WORK/status1" 1
	connected client1
	check "the status says offloaded" wait_for 10 \
		grep -qx 'GLOBAL_STATS,dco_enabled,1' "$WORK/status"
	transfer client1 server "$VPN4" 4
	check "4 MB from the client are counted" wait_for 20 \
		at_least 6 $((4 << 20))
	check "as received, not as sent" not at_least 7 $((2 << 20))
	transfer server client1 "$(vpn_addr 1 4)" 4
	check "4 MB to the client are counted" wait_for 20 at_least 7 $((4 << 20))
	check "once" not at_least 7 $((6 << 20))
	check "the client counts too" wait_for 20 client_counts
	check "no complaint" never_said server '(no|missing) .* (reply|provided)|netlink reports|stats error'
}

client_counts()
{
	awk -F, '/^TUN\/TAP (read|write) bytes/ && $2 >= 4 * 2^20 { n++ }
		END { exit n != 2 }' "$WORK/status1"
}

# manage NAME COMMAND SECONDS: sends a command, keeps listening for a while
manage()
{
	{ echo "$2"; sleep "$3"; } |
		socat -t 1 - "UNIX-CONNECT:$WORK/$1.sock" > "$WORK/$1.said" || true
}

bytecount()
{
	awk -F'[:,\r]' -v f="$2" '/^>BYTECOUNT/ && $f > 2^20 { n = 1 }
		END { exit !n }' "$WORK/$1.said"
}

management()
{
	stage_up 1
	server --proto udp4 --management "$WORK/server.sock" unix
	client 1 --remote 10.0.1.1 1194 udp4 \
		--management "$WORK/client1.sock" unix
	connected client1
	transfer client1 server "$VPN4" 2
	manage server "bytecount 1" 4
	check "the server's bytecount" bytecount server 3
	manage client1 "bytecount 1" 4
	check "the client's bytecount" bytecount client1 3
}

idle_timer()
{
	stage_up 1
	server --proto udp4
	client 1 --remote 10.0.1.1 1194 udp4 --inactive 4 2000
	connected client1
	flow_start flow client1 "$VPN4" 7
	check "no loss" flow_lossless flow
	check "traffic keeps the client" running client1
	check "silence ends it" wait_log client1 \
		'Inactivity timeout \(--inactive\), exiting' 15
}

scenario "status" status_file
scenario "management" management
scenario "idle timer" idle_timer
done_testing
