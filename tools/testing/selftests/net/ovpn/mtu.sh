#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Big packets: in the tunnel, over a wire that must fragment them, up to the
# largest that the device takes.

# shellcheck disable=SC2119 # arguments that are optional
set -euo pipefail
# shellcheck source=common.sh
. ./common.sh
# shellcheck source=traffic.sh
. ./traffic.sh

# wire_mtu N, tunnel_mtu N
wire_mtu()
{
	ip -n "$A" link set veth mtu "$1"
	ip -n "$B" link set veth mtu "$1"
}

# TCP makes use of it, too
tunnel_mtu()
{
	ip -n "$A" link set tunA mtu "$1"
	ip -n "$B" link set tunB mtu "$1"
	in_ns "$A" ethtool --set-priv-flags tunA mss-clamp off
	in_ns "$B" ethtool --set-priv-flags tunB mss-clamp off
}

# the fragments that B gets, and packets that may not become any
count_fragments()
{
	case $1 in
	udp4)
		count_packets "$B" frags prerouting ip frag-off '&' 0x3fff != 0
		count_packets "$B" df prerouting udp dport "$PORT" \
			ip frag-off '&' 0x4000 != 0
		;;
	*)
		count_packets "$B" frags prerouting iifname veth \
			exthdr frag exists
		count_packets "$B" df prerouting udp dport 1
		;;
	esac
}

# sizes NS PING-SIZES...: to the other end, IPv4 with 28 bytes of headers and
# IPv6 with 48
sizes()
{
	local ns=$1 size; shift
	local host=2

	[[ $ns == "$A" ]] || host=1
	for size; do
		pings "$ns" "10.8.0.$host" -s $((size - 28))
		pings "$ns" "fd08::$host" -s $((size - 48))
	done
}

# default_mtu TRANSPORT: the tunnel's packets do not fit into the wire's
default_mtu()
{
	two_ends "$1"
	keys
	tunnel_mtu 1500
	count_fragments "$1"
	sizes "$A" 100 1300
	counts "$B" frags 0
	# 1500 with all headers, and the first sizes above
	sizes "$A" 1400 1440 1448 1449 1460 1472 1499 1500
	sizes "$B" 1400 1440 1448 1449 1460 1472 1499 1500
	[[ $(counted "$B" frags) -ge 10 ]] || die "no fragments"
	pings "$A" 10.8.0.2 -s 1472 -M "do"
	pings "$A" fd08::2 -s 1452 -M "do"
	# and fragments in the tunnel
	sizes "$A" 1501 3000 20000
	counts "$B" df 0
	iperf_server "$B"
	iperf "$A" 10.8.0.2 -n 4M
	iperf "$A" fd08::2 -n 2M
}

test_1500_over_ipv4()
{
	default_mtu udp4
}

test_1500_over_ipv6()
{
	default_mtu udp6
}

# largest TRANSPORT WIRE-MTU
largest()
{
	local max

	two_ends "$1"
	keys
	max=$(ip -n "$A" -d -j link show tunA | jq '.[0].max_mtu')
	[[ $max -ge 65000 ]] || die "largest MTU is $max"
	! ip -n "$A" link set tunA mtu $((max + 1)) ||
		die "larger than the largest MTU"
	wire_mtu "$2"
	tunnel_mtu "$max"
	sizes "$A" "$max" $((max - 1)) 30000
	sizes "$B" "$max"
	iperf_server "$B"
	iperf "$A" 10.8.0.2 -n 8M
	iperf "$A" fd08::2 -n 8M
}

test_largest_over_ipv4()
{
	largest udp4 1500
}

test_largest_over_ipv6()
{
	largest udp6 1500
}

test_largest_over_jumbo()
{
	largest udp4 65535
}

# what is too big for the device is told to its sender
test_too_big()
{
	two_ends
	keys
	tunnel_mtu 1300
	in_ns "$A" ping -c 1 -W 1 -M "do" -s 1273 10.8.0.2 &>"$T/ping" &&
		die "it went through"
	grep -qi "too long" "$T/ping" || die "$(cat "$T/ping")"
	pings "$A" 10.8.0.2 -M "do" -s 1272
	ip -n "$A" link set tunA mtu 68
	pings "$A" 10.8.0.2 -s 40
	! ip -n "$A" link set tunA mtu 67 || die "MTU below 68"
}

run_tests 1500_over_ipv4 1500_over_ipv6 largest_over_ipv4 largest_over_ipv6 \
	largest_over_jumbo too_big
