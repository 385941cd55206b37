#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# UDP over IPv4, over IPv6, and IPv4 clients of an IPv6 socket: a server and a
# client whose data both go through the driver, and either of them against a user
# space OpenVPN, which knows nothing of the driver and must agree with it.
set -euo pipefail
. "$(dirname "$0")/../lib.sh"

clean_exit()
{
	stop client1
	check "the client's device is gone" not ip -n client1 link show tun1
	stop server
	check "the server's device is gone" not ip -n server link show tunS
}

# pair SERVER-PROTO CLIENT-PROTO ADDRESS
pair()
{
	stage_up 1
	server --proto "$1"
	client 1 --remote "$3" 1194 "$2"
	connected client1
	check "the server is offloaded" offloaded server
	check "the client is offloaded" offloaded client1
	check "the server's device" link_is server tunS mp
	check "the client's device" link_is client1 tun1 p2p
	traffic 1
	clean_exit
}

# A server with a socket for each family, one client on each.
two_sockets()
{
	stage_up 2
	server --local 10.0.1.1 1194 udp4 --local fd00:0:2::1 1195 udp6
	client 1 --remote 10.0.1.1 1194 udp4
	client 2 --remote fd00:0:2::1 1195 udp6
	connected client1
	connected client2
	check "the server is offloaded" offloaded server
	traffic 1
	traffic 2
	check "client to client, IPv4" pings client1 "$(vpn_addr 2 4)"
	check "client to client, IPv6" pings client2 "$(vpn_addr 1 6)"
	check "a file from client to client" \
		transfer client1 client2 "$(vpn_addr 2 4)" 8
}

# against SIDE: that side works in user space
against()
{
	local in_server=() in_client=()

	case $1 in
	server) in_server=(--disable-dco) ;;
	client) in_client=(--disable-dco) ;;
	esac
	stage_up 1
	VERB=4 server --proto udp4 "${in_server[@]}"
	VERB=4 client 1 --remote 10.0.1.1 1194 udp4 "${in_client[@]}"
	connected client1
	check "one side is offloaded" offloaded \
		"$([ "$1" = server ] && echo client1 || echo server)"
	check "the other is not" said "$1$([ "$1" = server ] || echo 1)" \
		'TUN/TAP device'
	traffic 1
}

[ ! -d /sys/module/ovpn ] || modprobe -r ovpn
scenario "IPv4" pair udp4 udp4 10.0.1.1
result "$([ -d /sys/module/ovpn ] && echo ok || echo not ok)" \
	"OpenVPN's start has loaded the module"
scenario "IPv6" pair udp6 udp6 fd00:0:1::1
scenario "IPv4 client of an IPv6 socket" pair udp6 udp4 10.0.1.1
scenario "a socket for each family" two_sockets
scenario "user space server" against server
scenario "user space client" against client
done_testing
