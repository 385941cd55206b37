#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Options of the transport socket that now only the kernel can honour: the mark, the
# device the socket is bound to, and the local address a client was answered from.
set -euo pipefail
. "$(dirname "$0")/../lib.sh"

both_ways()
{
	check "the server is offloaded" offloaded server
	check "the client is offloaded" offloaded client1
	check "pings to the server, IPv4" pings client1 "$VPN4" 10
	check "pings to the server, IPv6" pings client1 "$VPN6" 10
	check "pings to the client, IPv4" pings server "$(vpn_addr 1 4)" 10
	check "full-size packets" pings server "$(vpn_addr 1 4)" 10 -s 1472
}

# Only what carries the mark finds a way out of the namespace.
only_marked()
{
	local ns=$1 dev=$2 mark=$3 prefix

	for prefix in 10.0.1.0/24 fd00:0:1::/64; do
		ip -n "$ns" route add "$prefix" dev "$dev" table 100
		ip -n "$ns" route del "$prefix" dev "$dev"
		ip -n "$ns" route add unreachable "$prefix"
	done
	ip -n "$ns" rule add fwmark "$mark" table 100
	ip -n "$ns" -6 rule add fwmark "$mark" table 100
}

# marked PROTO SERVER
marked()
{
	stage_up 1
	only_marked client1 wire 7
	only_marked server wire1 8
	check "without the mark nothing gets through" \
		not in_ns client1 ping -c 1 -W 1 "$2"
	server --proto "${1/tcp4/tcp4-server}" --mark 8
	client 1 --remote "$2" 1194 "${1/tcp4/tcp4-client}" --mark 7
	connected client1
	both_ways
}

# The wire is in a VRF, the tunnel's own device is not.
vrf()
{
	local ns=$1 dev=$2 family

	ip -n "$ns" link add vrf0 type vrf table 10
	ip -n "$ns" link set vrf0 up
	ip -n "$ns" link set "$dev" master vrf0
	# changing the master flushes the IPv6 address
	case $ns in
	server) ip -n "$ns" addr replace fd00:0:1::1/64 dev "$dev" nodad ;;
	*) ip -n "$ns" addr replace fd00:0:1::2/64 dev "$dev" nodad ;;
	esac
	for family in -4 -6; do
		[ -n "$(ip "$family" -n "$ns" route show vrf vrf0)" ]
	done
}

# in_vrf PROTO SERVER
in_vrf()
{
	stage_up 1
	vrf server wire1
	vrf client1 wire
	check "the main table does not know the wire" \
		not in_ns client1 ping -c 1 -W 1 "$2"
	server --proto "${1/tcp4/tcp4-server}" --bind-dev vrf0
	client 1 --remote "$2" 1194 "${1/tcp4/tcp4-client}" --bind-dev vrf0
	connected client1
	both_ways
}

# The client knows the server by its second address; nothing may come from the
# first one, which the route back prefers.
count_senders()
{
	in_ns client1 nft -f - <<-EOF
	table inet count {
		counter right { }
		counter wrong { }
		chain in {
			type filter hook input priority 0;
			udp sport 1194 jump sender
		}
		chain sender {
			ip saddr 10.0.1.3 counter name right
			ip saddr != 10.0.1.3 counter name wrong
			ip6 saddr fd00:0:1::3 counter name right
			ip6 saddr != fd00:0:1::3 counter name wrong
		}
	}
	EOF
}

counted()
{
	in_ns client1 nft -j list counter inet count "$1" |
		jq -e ".nftables[] | select(.counter) | .counter.packets $2"
}

# multihome PROTO SECOND-ADDRESS
multihome()
{
	stage_up 1
	ip -n server addr add 10.0.1.3/24 dev wire1
	ip -n server addr add fd00:0:1::3/64 dev wire1 nodad
	# what a lookup without a wish would take
	ip -n server route replace fd00:0:1::/64 dev wire1 src fd00:0:1::1 metric 1
	count_senders
	server --proto "$1" --multihome
	client 1 --remote "$2" 1194 "${3:-$1}"
	connected client1
	both_ways
	check "data came from the address asked" counted right '> 40'
	check "none from the other" counted wrong '== 0'
}

scenario "mark, IPv4" marked udp4 10.0.1.1
scenario "mark, IPv6" marked udp6 fd00:0:1::1
scenario "mark, TCP" marked tcp4 10.0.1.1
scenario "VRF, IPv4" in_vrf udp4 10.0.1.1
scenario "VRF, IPv6" in_vrf udp6 fd00:0:1::1
scenario "VRF, TCP" in_vrf tcp4 10.0.1.1
scenario "multihome, IPv4" multihome udp4 10.0.1.3
scenario "multihome, IPv6" multihome udp6 fd00:0:1::3
scenario "multihome, IPv4 on an IPv6 socket" multihome udp6 10.0.1.3 udp4
done_testing
