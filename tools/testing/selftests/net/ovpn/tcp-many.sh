#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# A server with a hundred clients over TCP, and some over UDP.

# shellcheck disable=SC2119 # arguments that are optional
set -euo pipefail
# shellcheck source=common.sh
. ./common.sh
# shellcheck source=traffic.sh
. ./traffic.sh
# shellcheck source=stream.sh
. ./stream.sh

: "${OVPN_CLIENTS:=100}"
: "${OVPN_END_MS:=8000}"
UDP_CLIENTS=4

# All clients live in one namespace $B: client i has the device ti, the address
# 10.8.0.i and routes of its own. Those after OVPN_CLIENTS use UDP.
crowd()
{
	local i l c last=$((OVPN_CLIENTS + UDP_CLIENTS + 1))

	two_hosts
	tunnel_dev "$A" tunA mp 1
	hold "$A" l tcp4 0.0.0.0 "$PORT" listen
	hold "$B" c tcp4 0.0.0.0 0 to 10.0.0.1 "$PORT" \
		count "$OVPN_CLIENTS"
	hold "$A" u udp4 0.0.0.0 "$PORT"
	wait_for test -S "$(sock l "$OVPN_CLIENTS")"
	l=$(sock l) c=$(sock c)
	for ((i = 2; i < OVPN_CLIENTS + 2; i++)); do
		member $i "$l.$((i - 1))" "$c.$((i - 1))"
	done
	for (( ; i <= last; i++)); do
		hold "$B" "u$i" udp4 0.0.0.0 "$((PORT + i))"
		member $i "$(sock u)" "$(sock "u$i")" \
			"remote 10.0.0.2 $((PORT + i))" \
			"remote 10.0.0.1 $PORT"
		UDP="$UDP $i"
	done
	in_ns "$A" bash -e "$T/server"
	in_ns "$B" bash -e "$T/clients"
	ip -n "$B" -batch "$T/routes"
}
UDP=

# member NUMBER SERVER-SOCKET CLIENT-SOCKET [REMOTE REMOTE]: one more for the
# files with what is to be done
member()
{
	local key="slot primary key-id 0 cipher aes-gcm secret s$1 dir"

	# printf is quicker than cat, a hundred times
	printf '%s\n' "$CLI peer-new tunA id $1 sock $2 vpn4 10.8.0.$1 ${4:-}" \
		"$CLI key-new tunA id $1 $key 0" >>"$T/server"
	printf '%s\n' "$CLI link-new t$1 mode p2p" \
		"$CLI peer-new t$1 id $1 sock $3 ${5:-}" \
		"$CLI key-new t$1 id $1 $key 1" >>"$T/clients"
	printf '%s\n' "link set t$1 addrgenmode none" \
		"link set t$1 up" \
		"addr add 10.8.0.$1/32 dev t$1" \
		"rule add from 10.8.0.$1 lookup $((1000 + $1))" \
		"route add 10.8.0.1 dev t$1 table $((1000 + $1))" >>"$T/routes"
}

# everybody at once, both ways
all_ping()
{
	local i last=$((OVPN_CLIENTS + UDP_CLIENTS + 1))

	for ((i = 2; i <= last; i++)); do
		ping_line "to$i" "10.8.0.$i" >>"$T/to"
		ping_line "from$i" "-s 1000 -I 10.8.0.$i 10.8.0.1" >>"$T/from"
	done
	echo wait | tee -a "$T/to" >>"$T/from"
	spawn to ip netns exec "$A" bash "$T/to"
	spawn from ip netns exec "$B" bash "$T/from"
	finish to
	finish from
	for i in to from; do
		[[ $(grep -c received=5 "$T/$i.out") -eq $((last - 1)) ]] ||
			{ grep -v received=5 "$T/$i.out"; die "lost: $i"; }
	done
}

ping_line()
{
	printf '%s\n' "{ out=\$($PINGER -c 5 -i 0.2 $2 2>&1); echo \"$1 \$out\"; } &"
}

peers()
{
	cli "$A" peer-get tunA | wc -l
}

notifications()
{
	[[ $(notified a del-reason=transport-disconnect | wc -l) -eq $1 ]]
}

test_traffic()
{
	crowd
	equal "$(peers)" $((OVPN_CLIENTS + UDP_CLIENTS)) peers
	iperf_server "$B"
	spawn iperf ip netns exec "$A" iperf3 -c "10.8.0.$OVPN_CLIENTS" \
		-t 5 -i 0 -J
	all_ping
	finish iperf || { cat "$T/iperf.out"; die "iperf3 failed"; }
	dropped_only "$A" tunA
}

# They all go at once; those of the other transport stay
test_all_leave()
{
	local i

	crowd
	listen "$A" a
	kill -KILL "${HOLD_PID[c]}"
	wait_for notifications "$OVPN_CLIENTS"
	equal "$(peers)" "$UDP_CLIENTS" "peers that are left"
	for i in $UDP; do
		pings "$A" "10.8.0.$i"
	done
}

test_link_del()
{
	crowd
	spawn ping ip netns exec "$A" ping -q -n -i 0.005 10.8.0.2
	in_time "$OVPN_END_MS" ip -n "$A" link del tunA
	# the connections are the program's again
	"$TCP" send what control sock "$(sock l 1)" >/dev/null
	"$TCP" recv what control count 1 quiet sock "$(sock c 1)"
}

run_tests traffic all_leave link_del
