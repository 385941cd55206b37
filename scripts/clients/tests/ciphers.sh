#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Every cipher the data channel can negotiate, against the driver itself and
# against OpenVPN's own code in user space.
set -euo pipefail
. "$(dirname "$0")/../lib.sh"

# cipher NAME [CLIENT-OPTION]
cipher()
{
	local name=$1
	shift

	stage_up 1
	server --proto udp4 --data-ciphers "$name"
	client 1 --remote 10.0.1.1 1194 udp4 --data-ciphers "$name" "$@"
	connected client1
	check "the server is offloaded" offloaded server
	check "the key is for that cipher" wait_log server \
		"dco_new_key: slot 0, .* cipher $name"
	check "pings" pings client1 "$VPN4" 20
	check "a file to the server" transfer client1 server "$VPN4" 4
	check "a file to the client" transfer server client1 "$(vpn_addr 1 4)" 4
}

for name in AES-128-GCM AES-192-GCM AES-256-GCM CHACHA20-POLY1305; do
	scenario "$name" cipher "$name"
	scenario "$name, user space client" cipher "$name" --disable-dco --verb 4
done
done_testing
