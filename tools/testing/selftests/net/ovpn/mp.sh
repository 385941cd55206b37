#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# A server with six clients: three over IPv4 and three over IPv6, on several
# sockets, from other local addresses, from a socket of another namespace, with
# ids that differ at the two ends.

set -euo pipefail
# shellcheck source=common.sh
. ./common.sh
# shellcheck source=traffic.sh
. ./traffic.sh

X=

# number FAMILY HOST [PORT]: "ADDRESS PORT" on the switch
at()
{
	case $1 in
	4) echo "10.0.0.$2 ${3:-$PORT}" ;;
	6) echo "fd00::$2 ${3:-$PORT}" ;;
	esac
}

# client NUMBER SOCKET "CLIENT ADDRESS PORT" "SERVER ADDRESS PORT" [PEER...]:
# it is peer NUMBER in the server, the server is peer 100 + NUMBER in it
client()
{
	local i=$1 socket=$2 client=$3 server=$4; shift 4
	local ns="client$i" "client$i="

	make_ns "$ns"
	C[i]=${!ns}
	wire "${C[i]}" veth "$W" "port$i"
	ip -n "$W" link set "port$i" master switch
	addresses "${C[i]}" veth "$i"
	tunnel_dev "${C[i]}" "tun$i" p2p "$i"
	# shellcheck disable=SC2086 # two words
	hold "${C[i]}" "n$i" "udp$([[ $client == *:* ]] && echo 6 || echo 4)" \
		$client
	# shellcheck disable=SC2086
	cli "${C[i]}" peer-new "tun$i" id $((100 + i)) tx-id "$i" \
		sock "$(sock "n$i")" remote $server
	# shellcheck disable=SC2086
	cli "$S" peer-new tun1 id "$i" tx-id $((100 + i)) \
		sock "$(sock "$socket")" remote $client \
		vpn4 "10.8.0.$i" vpn6 "fd08::$i" "$@"
	key "$S" tun1 "$i" 0 "s$i"
	key "${C[i]}" "tun$i" $((100 + i)) 1 "s$i"
}

# The server $S has the sockets v4, any4 and any6, and far in the namespace $X
six_clients()
{
	local ns

	make_ns S W X
	ip -n "$W" link add switch type bridge
	ip -n "$W" link set switch up
	for ns in "$S:1" "$X:50"; do
		wire "${ns%:*}" veth "$W" "port${ns#*:}"
		ip -n "$W" link set "port${ns#*:}" master switch
		addresses "${ns%:*}" veth "${ns#*:}"
	done
	addresses "$S" veth 11
	tunnel_dev "$S" tun1 mp 1
	in_ns "$S" sysctl -qw net.ipv4.ip_forward=1 \
		net.ipv6.conf.all.forwarding=1
	hold "$S" v4 udp4 10.0.0.1 "$PORT"
	hold "$S" any4 udp4 0.0.0.0 1195
	hold "$S" any6 udp6 :: 1196
	hold "$X" far udp6 :: "$PORT"
	client 2 v4 "$(at 4 2)" "$(at 4 1)"
	client 3 any4 "$(at 4 3)" "$(at 4 11 1195)" local 10.0.0.11
	client 4 far "$(at 4 4)" "$(at 4 50)"
	client 5 any6 "$(at 6 5)" "$(at 6 1 1196)" local fd00::1
	client 6 any6 "$(at 6 6)" "$(at 6 11 1196)" local fd00::11
	client 7 far "$(at 6 7)" "$(at 6 50)"
}

test_server_and_clients()
{
	local i f

	six_clients
	# the server speaks first where the client could not have told it how
	count_packets "$S" other4 output ip saddr != 10.0.0.11 udp sport 1195
	count_packets "$S" other6 output ip6 daddr fd00::6 \
		ip6 saddr != fd00::11 udp sport 1196
	for i in 2 3 4 5 6 7; do
		for f in 4 6; do
			pings "$S" "$(inner $f $i)"
			pings "${C[i]}" "$(inner $f 1)"
		done
	done
	counts "$S" other4 0 || die "not from the local IPv4 address"
	counts "$S" other6 0 || die "not from the local IPv6 address"
	cli "$S" peer-del tun1 id 4
	no_pings "${C[4]}" 10.8.0.1
	pings "${C[7]}" 10.8.0.1
	pings "${C[3]}" fd08::1
}

test_client_to_client()
{
	local i j f

	six_clients
	for i in 2 3 4 5 6 7; do
		j=$((i == 7 ? 2 : i + 1))
		for f in 4 6; do
			pings "${C[i]}" "$(inner $f $j)"
		done
	done
	iperf_server "${C[7]}"
	iperf "${C[2]}" 10.8.0.7 -n 4M
	iperf "${C[3]}" fd08::7 -n 4M -R
}

# Which namespace the socket of a peer is in, unless it is that of the device
test_socket_netns()
{
	make_ns S X
	cli "$S" link-new tun1 mode mp
	hold "$S" near udp4 0.0.0.0 "$PORT"
	hold "$X" far udp4 0.0.0.0 "$PORT"
	ip -n "$S" netns set "$X" 77
	cli "$S" peer-new tun1 id 1 sock "$(sock near)" remote 10.0.0.2 1 \
		vpn4 10.8.0.2
	cli "$S" peer-new tun1 id 2 sock "$(sock far)" remote 10.0.0.3 1 \
		vpn4 10.8.0.3
	cli "$S" peer-get tun1 >"$T/peers"
	equal "$(sed -n 's/.* socket-netnsid=\([^ ]*\).*/\1/p' "$T/peers")" 77 \
		"namespaces of all peers"
	equal "$(peer_value "$S" tun1 2 socket-netnsid)" 77 "namespace"
	! peer_value "$S" tun1 1 socket-netnsid || die "its own namespace"
}

# Wherever a message of a dump is full, no peer is lost, and none comes twice
test_dump()
{
	local i n=80

	make_ns S
	hold "$S" n1 udp6 :: "$PORT"
	cli "$S" link-new tun1 mode mp
	for ((i = 1; i <= n; i++)); do
		# shellcheck disable=SC2046 # two words
		cli "$S" peer-new tun1 id "$i" sock "$(sock n1)" \
			remote $(at $((i % 2 * 2 + 4)) "$i") vpn6 "fd08::$i"
	done
	seq "$n" >"$T/ids"
	# each step makes one of the first peers 8 bytes longer
	for ((i = 1; i <= 50; i++)); do
		cli "$S" peer-set tun1 id "$i" vpn4 "10.8.0.$i"
		cli "$S" peer-get tun1 >"$T/peers"
		sed -n 's/^id=\([0-9]*\) .*vpn-tx-packets=0.*/\1/p' "$T/peers" |
			diff "$T/ids" - || die "after $i steps"
	done
}

# redirects NS: would NS send them for the device?
redirects()
{
	in_ns "$1" sysctl -n net.ipv4.conf.all.send_redirects \
		net.ipv4.conf.tun1.send_redirects | tr '\n' ' '
}

# relayed NS: clients that talk through the server, which is in NS now, are not
# told to talk without it
relayed()
{
	local i

	for i in 2 3; do
		pings "${C[i]}" "10.8.0.$((5 - i))" -c 10
		counts "${C[i]}" told 0 || die "client $i was told"
	done
	equal "$(redirects "$1")" "0 0 " "redirects of all and of the device"
}

# as they are before the device goes up: forwarding, and redirects wanted
router()
{
	in_ns "$1" sysctl -qw net.ipv4.ip_forward=1 \
		net.ipv4.conf.all.send_redirects=1 \
		net.ipv4.conf.default.send_redirects=1
}

# Up to the host, the same goes for a device that moves to another namespace,
# where it gets settings anew
test_no_redirects()
{
	local i

	make_ns X
	router "$X"
	mp_star 2
	ip -n "$S" link set tun1 down
	router "$S"
	in_ns "$S" sysctl -qw net.ipv4.conf.tun1.send_redirects=1
	for i in 2 3; do
		count_packets "${C[i]}" told input icmp type redirect
	done
	ip -n "$S" link set tun1 up
	relayed "$S"
	ip -n "$S" link set tun1 netns "$X"
	addresses "$X" tun1 1 10.8.0 fd08
	ip -n "$X" link set tun1 up
	relayed "$X"
}

run_tests server_and_clients client_to_client socket_netns dump no_redirects
