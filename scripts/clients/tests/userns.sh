#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# OpenVPN without privileges outside its own user and network namespace, as in a
# rootless container: what a user may do with a tun device works with ours too.
set -euo pipefail

if [ "${1:-}" != inside ]; then
	exec setpriv --reuid 65534 --regid 65534 --clear-groups \
		unshare --user --map-root-user --net --mount \
		bash "$0" inside
fi
mount -t tmpfs tmpfs /run
. "$(dirname "$0")/../lib.sh"

rootless()
{
	stage_up 1
	server --proto udp4 --reneg-sec 4 --keepalive 1 4
	client 1 --remote 10.0.1.1 1194 udp4
	connected client1
	check "the server is offloaded" offloaded server
	check "the client is offloaded" offloaded client1
	check "the server's device" link_is server tunS mp
	check "pings, IPv4" pings client1 "$VPN4"
	check "pings, IPv6" pings server "$(vpn_addr 1 6)"
	check "new keys" wait_log client1 'dco_new_key: slot 1' 15
	check "the same ones" wait_log server 'dco_new_key: slot 1' 15
	check "pings with them" pings client1 "$VPN4"
	check "a file" transfer client1 server "$VPN4" 4
	stop client1
	check "the client's device is gone" not ip -n client1 link show tun1
	check "nobody was refused" never_said server 'not permitted'
}

check "root here is nobody outside" grep -Eq '^ +0 +65534 +1$' /proc/self/uid_map
scenario "rootless" rootless
done_testing
