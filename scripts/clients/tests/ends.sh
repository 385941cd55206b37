#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Ends of all kinds: killed programs, restarts, devices and namespaces that go away
# below a running tunnel. Nothing may be left that hinders the next start.
set -euo pipefail
. "$(dirname "$0")/../lib.sh"

tunnel()
{
	stage_up 1
	server --proto udp4 --keepalive 1 4 --explicit-exit-notify 1
	client 1 --remote 10.0.1.1 1194 udp4 --connect-retry 1 1 \
		--ping-restart 4 --hand-window 6
	connected client1
	pings client1 "$VPN4" 2 2> /dev/null
}

ifindex()
{
	ip -n "$1" -j link show dev "$2" | jq -re '.[0].ifindex'
}

server_again()
{
	rm "$WORK/server.log"
	server "$@"
}

killed_server()
{
	tunnel
	check "the kernel has the peer" has_peers server tunS 1
	stop server KILL
	check "the peers go with the socket" wait_for 5 has_peers server tunS 0
	check "the device stays" ip -n server link show dev tunS
	# A killed OpenVPN leaves its device behind. The next one finds the name
	# taken, gives up at its first client and removes the device.
	server --proto udp4 --keepalive 1 4
	wait_for 30 not running server
	check "the device can be used again" \
		server_again --proto udp4 --keepalive 1 4
	check "the client comes back" \
		wait_again client1 'Initialization Sequence Completed' 1 30
	check "pings" wait_for 5 pings client1 "$VPN4"
	check "and back" wait_for 5 pings server "$(vpn_addr 1 6)"
}

killed_client()
{
	tunnel
	stop client1 KILL
	check "the carrier goes with the peer" wait_for 5 \
		carrier client1 tun1 0
	ip -n client1 link del tun1
	rm "$WORK/client1.log"
	client 1 --remote 10.0.1.1 1194 udp4
	check "a new start works" connected client1
	check "pings" pings client1 "$VPN6"
	check "the server is left with one peer" wait_for 20 has_peers server tunS 1
}

restarted_client()
{
	local before

	tunnel
	before=$(ifindex client1 tun1)
	kill -USR1 "${PID[client1]}"
	check "the peer is deleted" wait_log client1 'dco_del_peer'
	check "the client connects again" \
		wait_again client1 'Initialization Sequence Completed' 1 30
	check "on the same device" test "$(ifindex client1 tun1)" = "$before"
	check "pings, IPv4" wait_for 5 pings client1 "$VPN4"
	check "pings, IPv6" pings server "$(vpn_addr 1 6)"
}

# SIGHUP closes the device and makes one of the same name at once.
reread_client()
{
	tunnel
	kill -HUP "${PID[client1]}"
	check "the client connects again" \
		wait_again client1 'Initialization Sequence Completed' 1 30
	check "no complaint about the device" never_said client1 \
		'already exists|Cannot|netlink reports'
	check "pings" wait_for 5 pings client1 "$VPN4"
}

restarted_server()
{
	tunnel
	kill -USR1 "${PID[server]}"
	check "the server starts again" \
		wait_again server 'Initialization Sequence Completed' 1 30
	check "the client connects again" \
		wait_again client1 'Initialization Sequence Completed' 1 30
	check "pings" wait_for 5 pings client1 "$VPN4"
}

killed_under_traffic()
{
	tunnel
	storm 1
	kill -9 "${PID[server]}" "${PID[client1]}"
	stage_down
	check "the module can be unloaded" unloads
}

device_removed()
{
	tunnel
	storm 1
	check "the server's device goes" timeout 10 ip -n server link del tunS
	check "the client's device goes" timeout 10 ip -n client1 link del tun1
	stage_down
	check "the module can be unloaded" unloads
}

device_moved()
{
	tunnel
	add_ns elsewhere
	ip -n client1 link set tun1 netns elsewhere
	ip -n elsewhere addr add 10.8.0.2/24 dev tun1
	ip -n elsewhere link set tun1 up
	check "pings from there" pings elsewhere "$VPN4"
	check "pings to there" pings server 10.8.0.2
	stop client1
	stage_down
	check "the module can be unloaded" unloads
}

namespace_deleted()
{
	tunnel
	storm 1
	ip netns del client1
	ip netns del server
	{ jobs -p | xargs kill -9; wait; } 2> /dev/null || true
	check "the module can be unloaded" unloads
}

scenario "server killed" killed_server
scenario "client killed" killed_client
scenario "client restarted by SIGUSR1" restarted_client
scenario "client restarted by SIGHUP" reread_client
scenario "server restarted by SIGUSR1" restarted_server
scenario "killed under traffic" killed_under_traffic
scenario "devices removed under traffic" device_removed
scenario "device moved to another namespace" device_moved
scenario "namespaces deleted under traffic" namespace_deleted
done_testing
