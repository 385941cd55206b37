#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# needs: outer
# needs: openvpn-2.6
#
# OpenVPN 2.6 and 2.7 in one kernel, by two interfaces of one driver: a server of
# one with clients of both, at the same time.
set -euo pipefail
. "$(dirname "$0")/../lib.sh"

# with PROGRAM: what is started from now on
with()
{
	case $1 in
	2.6) OPENVPN=$OVPN_26 KIND=ovpn-dco ;;
	2.7) OPENVPN=openvpn KIND=ovpn ;;
	esac
}

# udp4 or tcp4, as --proto wants it
serving() { [[ $1 != tcp* ]] || set -- "$1-server"; echo "$1"; }
calling() { [[ $1 != tcp* ]] || set -- "$1-client"; echo "$1"; }

is_version()
{
	said "$1" "^[^[]*OpenVPN $2\\.[0-9]+ "
}

# one_server SERVER-VERSION PROTO ADDRESS1 ADDRESS2
one_server()
{
	local serves=$1 proto=$2 n

	stage_up 2
	with "$serves"
	server --proto "$(serving "$proto")" --keepalive 1 4
	check "the server's version" is_version server "$serves"
	check "the server's device" link_is server tunS mp
	with 2.6
	client 1 --remote "$3" 1194 "$(calling "$proto")" --reneg-sec 5
	connected client1
	check "client1 is of 2.6" is_version client1 2.6
	check "its device" link_is client1 tun1 p2p
	with 2.7
	client 2 --remote "$4" 1194 "$(calling "$proto")" --reneg-sec 6
	connected client2
	check "client2 is of 2.7" is_version client2 2.7
	check "its device" link_is client2 tun2 p2p
	for n in server client1 client2; do
		check "$n is offloaded" offloaded "$n"
	done
	flow_start up client1 "$VPN4" 12
	flow_start across client2 "$(vpn_addr 1 4)" 12
	traffic 1
	traffic 2
	check "client to client, a file" \
		transfer client1 client2 "$(vpn_addr 2 4)" 8
	check "new keys for client1" wait_for 15 \
		said_times client1 'Control Channel: TLSv1' 2
	check "new keys for client2" wait_for 15 \
		said_times client2 'Control Channel: TLSv1' 2
	check "no loss to the server" flow_lossless up
	check "no loss from client to client" flow_lossless across
	check "nobody started again" never_again
	stop client1
	check "client1's device is gone" not ip -n client1 link show tun1
	stop client2 KILL
	with "$serves"
	check "the server has no peer any more" wait_for 20 has_peers server tunS 0
}

never_again()
{
	local name

	for name in server client1 client2; do
		never_said "$name" 'SIGUSR1|Restart pause' || return 1
	done
}

# both_serve: both interfaces at work for servers in one namespace
both_serve()
{
	stage_up 2
	with 2.6
	server --proto udp4 --local 10.0.1.1
	with 2.7
	start other server --dev tunO --dh none --proto udp4 --local 10.0.2.1 \
		--cert "$PKI/server.crt" --key "$PKI/server.key" \
		--server 10.7.0.0 255.255.255.0 --topology subnet
	wait_log other 'Initialization Sequence Completed'
	client 1 --remote 10.0.1.1 1194 udp4
	with 2.6
	client 2 --remote 10.0.2.1 1194 udp4
	connected client1
	connected client2
	check "the first device" link_is server tunS mp ovpn-dco
	check "the second device" link_is server tunO mp ovpn
	check "pings through the first" pings client1 "$VPN4"
	check "pings through the second" pings client2 10.7.0.1
	check "one peer in the first" has_peers server tunS 1
	check "one peer in the second" has_peers server tunO 1
	stop server
	check "the second goes on" pings client2 10.7.0.1
	stage_down
	check "the module can be unloaded" unloads
}

# against VERSION OPTION: the offload of 2.6, and a 2.7 in user space
against()
{
	stage_up 1
	with 2.7
	VERB=4 server --proto "$(serving "$1")" --disable-dco
	with 2.6
	client 1 --remote 10.0.1.1 1194 "$(calling "$1")"
	connected client1
	check "the client is offloaded" offloaded client1
	check "the server is not" said server 'TUN/TAP device'
	traffic 1
}

pki server client1 client2
scenario "2.7 serves, UDP over IPv4" one_server 2.7 udp4 10.0.1.1 10.0.2.1
scenario "2.6 serves, UDP over IPv6" one_server 2.6 udp6 fd00:0:1::1 fd00:0:2::1
scenario "2.7 serves, TCP over IPv6" one_server 2.7 tcp6 fd00:0:1::1 fd00:0:2::1
scenario "2.6 serves, TCP over IPv4" one_server 2.6 tcp4 10.0.1.1 10.0.2.1
scenario "both serve" both_serve
scenario "2.7 in user space, UDP" against udp4
scenario "2.7 in user space, TCP" against tcp4
done_testing
