#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Which peer a packet goes to, and whom a packet may come from: a LAN behind a
# client, forged sources, destinations nobody serves.

# shellcheck disable=SC2119 # arguments that are optional
set -euo pipefail
# shellcheck source=common.sh
. ./common.sh
# shellcheck source=traffic.sh
. ./traffic.sh

L=

# a server with two clients, and the LAN of host $L behind client 2
lan()
{
	local ns

	mp_star 2
	make_ns L
	wire "${C[2]}" lan "$L" lan
	addresses "${C[2]}" lan 1 192.168.7 fd07
	addresses "$L" lan 2 192.168.7 fd07
	ip -n "$L" route add default via 192.168.7.1
	ip -n "$L" route add default via fd07::1
	for ns in "$S" "${C[2]}"; do
		in_ns "$ns" sysctl -qw net.ipv4.ip_forward=1 \
			net.ipv6.conf.all.forwarding=1
	done
	ip -n "$S" route add 192.168.7.0/24 via 10.8.0.2 dev tun1
	ip -n "$S" route add fd07::/64 via fd08::2 dev tun1
	ip -n "${C[3]}" route add 192.168.7.0/24 dev tun3
	ip -n "${C[3]}" route add fd07::/64 dev tun3
}

test_lan()
{
	lan
	pings "$S" 192.168.7.2
	pings "$S" fd07::2
	pings "$L" 10.8.0.1
	pings "$L" fd08::1
	pings "${C[3]}" 192.168.7.2
	pings "${C[3]}" fd07::2
	iperf_server "$L"
	iperf "$S" 192.168.7.2 -n 2M
	iperf "${C[3]}" fd07::2 -n 2M
}

# RFC 8950: IPv4 by way of a peer that has an IPv6 address
test_lan_via_ipv6()
{
	lan
	ip -n "$S" route replace 192.168.7.0/24 via inet6 fd08::3 dev tun1
	no_pings "$S" 192.168.7.2
	no_pings "$L" 10.8.0.1
	ip -n "$S" route replace 192.168.7.0/24 via inet6 fd08::2 dev tun1
	pings "$S" 192.168.7.2
	pings "$L" 10.8.0.1
	pings "${C[3]}" 192.168.7.2
}

# with the route goes the right to speak for the LAN
test_lan_route_removed()
{
	lan
	pings "$L" 10.8.0.1
	pings "$L" fd08::1
	count_packets "$S" in4 prerouting iifname tun1 icmp type echo-request
	count_packets "$S" in6 prerouting iifname tun1 icmpv6 type echo-request
	ip -n "$S" route del 192.168.7.0/24
	ip -n "$S" route del fd07::/64
	no_pings "$L" 10.8.0.1
	no_pings "$L" fd08::1
	equal "$(counted "$S" in4)" 0 "IPv4 packets from the LAN"
	equal "$(counted "$S" in6)" 0 "IPv6 packets from the LAN"
	ip -n "$S" route add 192.168.7.0/24 via 10.8.0.3 dev tun1
	no_pings "$L" 10.8.0.1
	equal "$(counted "$S" in4)" 0 "packets from another peer's LAN"
}

# forge NS SOURCE DESTINATION
forge()
{
	ip -n "$1" addr add "$2" dev lo
	if in_ns "$1" ping -q -n -c 2 -i 0.05 -W 0.3 -I "$2" "$3"; then
		die "answer to $2"
	fi
	ip -n "$1" addr flush dev lo to "$2"
}

test_forged_sources()
{
	local dropped source

	mp_star 2
	pings "${C[2]}" 10.8.0.1
	pings "${C[2]}" fd08::1
	count_packets "$S" in prerouting iifname tun1 meta l4proto \
		"{ icmp, icmpv6 }"
	dropped=$(link_stat "$S" tun1 rx dropped)
	# the other client, the server, on the tunnel's net, on the wire's, far
	for source in 10.8.0.3 10.8.0.99 10.0.0.3 192.0.2.1; do
		forge "${C[2]}" "$source" 10.8.0.1
	done
	for source in fd08::3 fd08::99 fd00::3 2001:db8::1; do
		forge "${C[2]}" "$source" fd08::1
	done
	counts "$S" in 0 || die "$(counted "$S" in) forged packets came in"
	equal $(($(link_stat "$S" tun1 rx dropped) - dropped)) 16 \
		"forged packets dropped"
	pings "${C[2]}" 10.8.0.1
}

# a program must not hear that memory is short when there is no peer
test_no_peer_is_no_enobufs()
{
	local to dropped

	mp_star 1
	dropped=$(link_stat "$S" tun1 tx dropped)
	for to in 10.8.0.77 fd08::77; do
		in_ns "$S" ping -n -c 2 -i 0.05 -W 0.3 "$to" &>"$T/ping" &&
			die "somebody answered"
		cat "$T/ping"
		! grep -q "No buffer space" "$T/ping" || die "ENOBUFS"
	done
	equal $(($(link_stat "$S" tun1 tx dropped) - dropped)) 4 \
		"packets to nobody dropped"
}

test_no_peer_is_unreachable()
{
	local to

	mp_star 1
	for to in 10.8.0.77 fd08::77; do
		in_ns "$S" ping -n -c 2 -i 0.05 -W 0.5 "$to" &>"$T/ping" ||
			true
		cat "$T/ping"
		grep -qiE "unreachable" "$T/ping" || die "no ICMP error"
	done
}

# in P2P all goes to the one peer and all may come from it
test_p2p_serves_everything()
{
	two_ends
	keys
	ip -n "$B" addr add 192.0.2.1/32 dev lo
	ip -n "$B" addr add 2001:db8::1/128 dev lo
	ip -n "$A" route add default dev tunA
	ip -n "$A" route add 2001:db8::/32 dev tunA
	pings "$A" 192.0.2.1
	pings "$A" 2001:db8::1
	cli "$A" peer-del tunA id 1
	in_ns "$A" ping -n -c 1 -W 1 192.0.2.1 &>"$T/ping" &&
		die "somebody answered"
	cat "$T/ping"
	! grep -q "No buffer space" "$T/ping" || die "ENOBUFS"
}

run_tests lan lan_via_ipv6 lan_route_removed forged_sources \
	no_peer_is_no_enobufs no_peer_is_unreachable p2p_serves_everything
