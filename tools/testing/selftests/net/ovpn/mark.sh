#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The mark of the transport socket is on what the tunnel sends, and follows the
# socket; as its port does.

# shellcheck disable=SC2119 # arguments that are optional
set -euo pipefail
# shellcheck source=common.sh
. ./common.sh
# shellcheck source=traffic.sh
. ./traffic.sh

# joined FAMILY: a tunnel over the sockets a and b
joined()
{
	local transport=udp$1

	tunnel_dev "$A" tunA p2p 1
	tunnel_dev "$B" tunB p2p 2
	cli "$A" peer-new tunA id 1 sock "$(sock a)" \
		remote "$(outer "$transport" 2)" "$PORT"
	cli "$B" peer-new tunB id 1 sock "$(sock b)" \
		remote "$(outer "$transport" 1)" "$PORT"
	keys
	count_packets "$A" sent output "meta nfproto ipv$1" udp dport "$PORT"
}

# marked FAMILY
marked()
{
	local transport=udp$1

	two_hosts
	hold "$A" a "$transport" "$(outer "$transport" 1)" "$PORT" mark 17
	hold "$B" b "$transport" "$(outer "$transport" 2)" "$PORT"
	joined "$1"
	count_packets "$A" m17 output meta mark 17 udp dport "$PORT"
	count_packets "$A" m34 output meta mark 34 udp dport "$PORT"
}

# tally WHAT ALL M17 M34: the counters of A
tally()
{
	equal "$(counted "$A" sent) $(counted "$A" m17) $(counted "$A" m34)" \
		"$2 $3 $4" "$1: all, mark 17, mark 34"
}

marks()
{
	marked "$1"
	in_ns "$A" nft reset counters >/dev/null
	pings "$A" 10.8.0.2 -c 10
	tally "as it was made" 10 10 0
	"$FRAMES" mark sock "$(sock a)" mark 34
	pings "$A" 10.8.0.2 -c 10
	tally "changed" 20 10 10
	"$FRAMES" mark sock "$(sock a)" mark 0
	pings "$A" 10.8.0.2 -c 10
	tally "taken away" 30 10 10
}

test_ipv4()
{
	marks 4
}

test_ipv6()
{
	marks 6
}

# what the mark is for: a rule that takes the tunnel's packets elsewhere
test_policy_routing()
{
	marked 4
	pings "$A" 10.8.0.2
	ip -n "$A" route add blackhole 10.0.0.0/24 table 17
	ip -n "$A" rule add fwmark 17 table 17
	no_pings "$A" 10.8.0.2
	"$FRAMES" mark sock "$(sock a)" mark 34
	pings "$A" 10.8.0.2
	ip -n "$A" route add blackhole 10.0.0.0/24 table 34
	ip -n "$A" rule add fwmark 34 table 34
	no_pings "$A" 10.8.0.2
}

# port FAMILY: the socket leaves its port for another one, for which there is a
# rule. B takes what comes from any port.
port()
{
	local f=$1 transport=udp$1 before other=4321

	two_hosts
	__hold_node "$B" b "$transport"
	hold "$A" a "$transport" "$(outer "$transport" 1)" 0
	joined "$1"
	case $f in
	4) ip -n "$A" route add blackhole 10.0.0.0/24 table 17 ;;
	6) ip -n "$A" -6 route add blackhole fd00::/64 table 17 ;;
	esac
	ip -n "$A" "-$f" rule add sport $other ipproto udp table 17 ||
		skip "no rules for ports in this ip(8)"
	pings "$A" 10.8.0.2
	before=$(counted "$A" sent)
	"$FRAMES" rebind sock "$(sock a)" \
		from "$(outer "$transport" 1)" $other
	no_pings "$A" 10.8.0.2
	counts "$A" sent "$before" || die "sent in spite of the rule"
	ip -n "$A" "-$f" rule del sport $other ipproto udp table 17
	pings "$A" 10.8.0.2
	equal "$(peer_value "$B" tunB 1 remote-port)" $other "port of A"
}

test_port_ipv4()
{
	port 4
}

test_port_ipv6()
{
	port 6
}

run_tests ipv4 ipv6 policy_routing port_ipv4 port_ipv6
