#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The device that the transport socket is bound to (SO_BINDTODEVICE, a VRF) holds
# for what the tunnel sends.

# shellcheck disable=SC2119 # arguments that are optional
set -euo pipefail
# shellcheck source=common.sh
. ./common.sh
# shellcheck source=traffic.sh
. ./traffic.sh

# bound_end DEV TRANSPORT ADDRESS: A's socket, and the tunnel around it
bound_end()
{
	hold "$A" a "$2" "$3" "$PORT" dev "$1"
	tunnel_dev "$A" tunA p2p 1
	tunnel_dev "$B" tunB p2p 2
	key_ends
}

key_ends()
{
	cli "$A" peer-new tunA id 1 sock "$(sock a)" remote "$REMOTE" "$PORT"
	cli "$B" peer-new tunB id 1 sock "$(sock b)" remote "$LOCAL" "$PORT"
	keys
}

# vrf FAMILY: the wire of A is in a VRF
vrf()
{
	local transport=udp$1

	two_hosts
	ip -n "$A" link add red type vrf table 100
	ip -n "$A" link set red up
	ip -n "$A" link set veth master red
	# a VRF takes the global IPv6 addresses away
	ip -n "$A" addr replace fd00::1/64 dev veth nodad
	REMOTE=$(outer "$transport" 2)
	LOCAL=$(outer "$transport" 1)
	hold "$B" b "$transport" "$REMOTE" "$PORT"
	bound_end red "$transport" "$LOCAL"
	pings "$A" 10.8.0.2
	pings "$B" 10.8.0.1
	pings "$A" fd08::2
	iperf_server "$B"
	iperf "$A" 10.8.0.2 -n 2M
}

test_vrf_ipv4()
{
	vrf 4
}

test_vrf_ipv6()
{
	vrf 6
}

# two_wires FAMILY: the socket is bound to the worse of two ways to B
two_wires()
{
	local transport=udp$1

	two_hosts
	wire "$A" alt "$B" alt
	addresses "$A" alt 1 10.9.0 fd09
	addresses "$B" alt 2 10.9.0 fd09
	case $1 in
	4) REMOTE=10.7.7.7 LOCAL=10.9.0.1 ;;
	6) REMOTE=fd07::7 LOCAL=fd09::1 ;;
	esac
	ip -n "$B" addr add "$REMOTE" dev lo
	ip -n "$A" route add "$REMOTE" via "$(outer "$transport" 2)" metric 10
	ip -n "$A" route add "$REMOTE" via "${LOCAL%1}2" metric 20
	hold "$B" b "$transport" "$REMOTE" "$PORT"
	count_packets "$B" good prerouting iifname alt udp dport "$PORT"
	count_packets "$B" bad prerouting iifname veth udp dport "$PORT"
	bound_end alt "$transport" "$([[ $1 == 4 ]] && echo 0.0.0.0 || echo ::)"
	pings "$A" 10.8.0.2
	pings "$A" fd08::2
	[[ $(counted "$B" good) -ge 6 ]] || die "not by the bound device"
	counts "$B" bad 0 || die "by the other device"
}

test_bound_ipv4()
{
	two_wires 4
}

test_bound_ipv6()
{
	two_wires 6
}

# by DEV OTHER: A pings, and reaches B by that one alone
by()
{
	local before

	before=$(counted "$B" "$2")
	in_ns "$B" nft reset counter inet ovpn_test "$1" >/dev/null
	pings "$A" 10.8.0.2
	[[ $(counted "$B" "$1") -ge 3 ]] || die "not by $1"
	counts "$B" "$2" "$before" || die "by $2"
}

# rebound FAMILY: the socket is bound to one way to B, then to the other. Its
# address is on none of them; the way back, where the answers have to come by
# the device that it is bound to, is up to B's routes.
rebound()
{
	local transport=udp$1 veth alt

	two_hosts
	wire "$A" alt "$B" alt
	addresses "$A" alt 1 10.9.0 fd09
	addresses "$B" alt 2 10.9.0 fd09
	case $1 in
	4) REMOTE=10.7.7.7 LOCAL=10.7.7.1 veth=10.0.0. alt=10.9.0. ;;
	6) REMOTE=fd07::7 LOCAL=fd07::1 veth=fd00:: alt=fd09:: ;;
	esac
	ip -n "$B" addr add "$REMOTE" dev lo
	ip -n "$A" addr add "$LOCAL" dev lo
	ip -n "$A" route add "$REMOTE" via "${veth}2" metric 10
	ip -n "$A" route add "$REMOTE" via "${alt}2" metric 20
	hold "$B" b "$transport" "$REMOTE" "$PORT"
	count_packets "$B" alt prerouting iifname alt udp dport "$PORT"
	count_packets "$B" veth prerouting iifname veth udp dport "$PORT"
	ip -n "$B" route add "$LOCAL" via "${alt}1"
	bound_end alt "$transport" "$LOCAL"
	by alt veth
	ip -n "$B" route replace "$LOCAL" via "${veth}1"
	"$FRAMES" device sock "$(sock a)" dev veth
	by veth alt
	ip -n "$B" route replace "$LOCAL" via "${alt}1"
	"$FRAMES" device sock "$(sock a)" dev alt
	by alt veth
}

test_rebound_ipv4()
{
	rebound 4
}

test_rebound_ipv6()
{
	rebound 6
}

run_tests vrf_ipv4 vrf_ipv6 bound_ipv4 bound_ipv6 rebound_ipv4 rebound_ipv6
