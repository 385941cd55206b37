#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# TCP over IPv4, over IPv6, and IPv4 clients of an IPv6 socket; both ends in the
# driver, and either of them against a user space OpenVPN, which knows nothing of
# the driver and must agree with it about the stream. TCP and UDP on one device.
set -euo pipefail
. "$(dirname "$0")/../lib.sh"

clean_exit()
{
	stop client1
	check "the server's peer goes with its client" \
		wait_for 5 has_peers server tunS 0
	check "the client's device is gone" not ip -n client1 link show tun1
	stop server
	check "the server's device is gone" not ip -n server link show tunS
}

# The peer is the socket's: OpenVPN tells no address, the kernel has none.
without_remote()
{
	said "$1" 'dco_new_peer: peer-id [0-9]+, fd [0-9]+, remote addr: \[undefined\]'
}

# pair SERVER-PROTO CLIENT-PROTO ADDRESS [CIPHER]
pair()
{
	stage_up 1
	server --proto "$1" --tcp-nodelay --data-ciphers "${4:-AES-256-GCM}"
	client 1 --remote "$3" 1194 "$2" --data-ciphers "${4:-AES-256-GCM}"
	connected client1
	check "the server is offloaded" offloaded server
	check "the client is offloaded" offloaded client1
	check "the server's peer is a connection's" without_remote server
	# OpenVPN 2.6 tells it all the same
	[ "$KIND" = ovpn-dco ] ||
		check "the client's peer is a connection's" without_remote client1
	check "the key is for ${4:-AES-256-GCM}" wait_log server \
		"dco_new_key: slot 0, .* cipher ${4:-AES-256-GCM}"
	check "the server's device" link_is server tunS mp
	check "the client's device" link_is client1 tun1 p2p
	check "options of the socket can still be set" \
		said client1 'TCP_NODELAY=1 succeeded'
	traffic 1
	clean_exit
}

# one connection, one peer
connections()
{
	[ "$(in_ns server ss -Htn state established 'sport = :1194' | wc -l)" \
		-eq "$1" ]
}

three_clients()
{
	local n

	stage_up 3
	server --proto tcp6-server
	client 1 --remote 10.0.1.1 1194 tcp4-client
	client 2 --remote fd00:0:2::1 1194 tcp6-client
	client 3 --remote 10.0.3.1 1194 tcp4-client
	for n in 1 2 3; do
		connected "client$n"
		check "client$n is offloaded" offloaded "client$n"
	done
	check "the server is offloaded" offloaded server
	check "three connections" connections 3
	check "three peers" has_peers server tunS 3
	for n in 1 2 3; do
		check "client$n pings the server" pings "client$n" "$VPN4"
		check "the server pings client$n" pings server "$(vpn_addr "$n" 6)"
	done
	check "client to client, IPv4" pings client1 "$(vpn_addr 2 4)"
	check "client to client, IPv6" pings client3 "$(vpn_addr 1 6)"
	check "a file from client to client" \
		transfer client2 client3 "$(vpn_addr 3 4)" 8
	stop client2
	check "one leaves" wait_for 5 has_peers server tunS 2
	check "the first stays" pings client1 "$VPN6"
	check "the third stays" pings client3 "$(vpn_addr 1 4)"
}

# One device, four clients, by each transport and family one.
all_sockets()
{
	local n

	stage_up 4
	server --local 10.0.1.1 1194 udp4 --local 10.0.2.1 1195 tcp4-server \
		--local fd00:0:3::1 1196 udp6 --local fd00:0:4::1 1197 tcp6-server
	client 1 --remote 10.0.1.1 1194 udp4
	client 2 --remote 10.0.2.1 1195 tcp4-client
	client 3 --remote fd00:0:3::1 1196 udp6
	client 4 --remote fd00:0:4::1 1197 tcp6-client
	for n in 1 2 3 4; do
		connected "client$n"
		check "client$n is offloaded" offloaded "client$n"
	done
	check "the server is offloaded" offloaded server
	check "four peers" has_peers server tunS 4
	for n in 1 2 3 4; do
		check "client$n pings the server, IPv4" \
			pings "client$n" "$VPN4"
		check "the server pings client$n, IPv6" \
			pings server "$(vpn_addr "$n" 6)"
		check "client$n pings the next" \
			pings "client$n" "$(vpn_addr $((n % 4 + 1)) 4)"
	done
	check "a file from UDP to TCP" \
		transfer client1 client4 "$(vpn_addr 4 4)" 8
	check "a file from TCP to UDP" \
		transfer client2 client3 "$(vpn_addr 3 6)" 8
	kill -9 "${PID[client2]}"
	check "a killed one goes" wait_for 5 has_peers server tunS 3
	for n in 1 3 4; do
		check "client$n stays" pings "client$n" "$VPN4"
	done
}

# against server|client1: that side works in user space
against()
{
	local in_server=() in_client=() other=server keys='Control Channel: TLSv1'

	case $1 in
	server) in_server=(--disable-dco) other=client1 ;;
	client1) in_client=(--disable-dco) ;;
	esac
	stage_up 1
	VERB=4 server --proto tcp4-server "${in_server[@]}"
	VERB=4 client 1 --remote 10.0.1.1 1194 tcp4-client \
		--reneg-sec 0 "${in_client[@]}"
	connected client1
	check "one side is offloaded" offloaded "$other"
	check "the other is not" said "$1" 'TUN/TAP device'
	traffic 1
	stop client1
	# Not while much is sent: in user space a handshake waits behind all
	# that, on one CPU for longer than the keys last
	VERB=4 client 1 --remote 10.0.1.1 1194 tcp4-client \
		--reneg-sec 5 "${in_client[@]}"
	wait_again client1 'Initialization Sequence Completed' 1
	check "new keys are agreed" \
		wait_again client1 "$keys" "$(times client1 "$keys")"
	check "pings with them" pings client1 "$VPN4"
	check "nobody started again" never_said client1 'SIGUSR1|Restart pause'
}

# A second tunnel over TCP, whose connection goes through the first.
tunnel_in_tunnel()
{
	stage_up 1
	server --proto tcp4-server
	client 1 --remote 10.0.1.1 1194 tcp4-client
	connected client1
	start inner server --dev tunI --dh none --cert "$PKI/server.crt" \
		--key "$PKI/server.key" --server 10.7.0.0 255.255.255.0 \
		--topology subnet --proto tcp4-server --local "$VPN4" --port 1200
	wait_log inner 'Initialization Sequence Completed'
	start guest client1 --dev tunG --client --nobind --cert "$PKI/client1.crt" \
		--key "$PKI/client1.key" --remote "$VPN4" 1200 tcp4-client
	connected guest
	check "both ends of the inner tunnel are offloaded" both_inner
	check "pings through both" pings client1 10.7.0.1 20
	check "full-size packets through both" pings client1 10.7.0.1 20 -s 1472
	check "a file through both" transfer client1 server 10.7.0.1 8
	check "a file through the outer one" transfer server client1 \
		"$(vpn_addr 1 4)" 8
	stop client1 KILL
	check "the outer one's end is noticed" wait_for 5 has_peers server tunS 0
}

both_inner()
{
	offloaded inner && offloaded guest
}

scenario "IPv4" pair tcp4-server tcp4-client 10.0.1.1
scenario "IPv6" pair tcp6-server tcp6-client fd00:0:1::1
scenario "IPv4 client of an IPv6 socket" pair tcp6-server tcp4-client 10.0.1.1
scenario "ChaCha20-Poly1305" pair tcp4-server tcp4-client 10.0.1.1 \
	CHACHA20-POLY1305
scenario "three clients" three_clients
scenario "UDP and TCP" all_sockets
scenario "user space server" against server
scenario "user space client" against client1
scenario "a tunnel in a tunnel" tunnel_in_tunnel
done_testing
