#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# TCP through the tunnel sends no segments that have to be fragmented outside,
# also where device and wire have the same MTU: the MSS in its SYNs is lowered.

# shellcheck disable=SC2119 # arguments that are optional
set -euo pipefail
# shellcheck source=common.sh
. ./common.sh
# shellcheck source=traffic.sh
. ./traffic.sh

require ethtool iperf3 socat ss

# where connections wait
PARK=5202

# no_stamps NS...: no TCP timestamps, whose bytes would be missing in segments
no_stamps()
{
	local ns

	for ns; do
		in_ns "$ns" sysctl -qw net.ipv4.tcp_timestamps=0
	done
}

# ends [TRANSPORT]: with keys, 1500 over 1500
ends()
{
	two_ends "${1:-udp4}"
	keys
	ip -n "$A" link set tunA mtu 1500
	ip -n "$B" link set tunB mtu 1500
	no_stamps "$A" "$B"
}

# clamp NS DEV on|off
clamp()
{
	in_ns "$1" ethtool --set-priv-flags "$2" mss-clamp "$3"
}

# made NS...: fragments that these have made so far
made()
{
	local ns

	for ns; do
		in_ns "$ns" cat /proc/net/snmp /proc/net/snmp6
	done | awk '
		$1 == "Ip:" && $2 == "Forwarding" {
			for (i = 1; i <= NF; i++)
				if ($i == "FragCreates")
					column = i
			next
		}
		$1 == "Ip:" { sum += $column }
		$1 == "Ip6FragCreates" { sum += $2 }
		END { print sum + 0 }'
}

# largest NS: the largest segments that a parked connection of NS may send
largest()
{
	in_ns "$1" ss -Htin state established \
		"( sport = :$PARK or dport = :$PARK )" |
		grep -o '\bmss:[0-9]*' | cut -d: -f 2 | sort -u | paste -sd,
}

parked()
{
	[[ -n $(largest "$1") ]]
}

unparked()
{
	[[ -z $(largest "$1") ]]
}

# park_server NS: takes connections and does nothing with them
park_server()
{
	spawn "park-$1" ip netns exec "$1" socat -u \
		"TCP6-LISTEN:$PARK,ipv6only=0,fork" OPEN:/dev/null
	wait_for listening "$1" "$PARK"
}

# segments FROM TO ADDR SIZE [SIZE]: connect to TO, which has ADDR; both ends
# may send segments of this size, or the second of them of the other
segments()
{
	listening "$2" "$PARK" || park_server "$2"
	spawn parked ip netns exec "$1" bash -c \
		"exec 3<>/dev/tcp/$3/$PARK && exec sleep 1000"
	wait_for parked "$1"
	wait_for parked "$2"
	echo "to $3: $(largest "$1"), back: $(largest "$2")"
	equal "$(largest "$1")" "$4" "segments to $3"
	equal "$(largest "$2")" "${5:-$4}" "segments back from $3"
	stop_pid "${JOB_PID[parked]}"
	wait_for unparked "$1"
	wait_for unparked "$2"
}

# two SIZE4 SIZE6: one connection asked for by either end
two()
{
	segments "$A" "$B" 10.8.0.2 "$1"
	segments "$B" "$A" fd08::1 "$2"
}

# four SIZE4 SIZE6: and the other way around
four()
{
	two "$1" "$2"
	segments "$B" "$A" 10.8.0.1 "$1"
	segments "$A" "$B" fd08::2 "$2"
}

# transfers BYTES: both ways
transfers()
{
	listening "$B" 5201 || iperf_server "$B"
	iperf "$A" 10.8.0.2 -n "$1"
	iperf "$A" 10.8.0.2 -n "$1" -R
	iperf "$A" fd08::2 -n "$1"
	iperf "$A" fd08::2 -n "$1" -R
}

# fits TRANSPORT SIZE4 SIZE6: what is left of 1500
fits()
{
	ends "$1"
	two "$2" "$3"
	transfers 2M
	equal "$(made "$A" "$B")" 0 "fragments"
	no_drops

	# everything else is as large as ever
	pings "$A" 10.8.0.2 -s 1472
	pings "$B" fd08::1 -s 1452
	[[ $(made "$A") -ge 2 && $(made "$B") -ge 2 ]] || die "no fragments"

	# and so is TCP, if that is wanted
	clamp "$A" tunA off
	clamp "$B" tunB off
	two 1460 1440
	transfers 512K
	[[ $(made "$A") -ge 1000 && $(made "$B") -ge 1000 ]] ||
		die "few fragments without the clamp: $(made "$A" "$B")"
	clamp "$A" tunA on
	two "$2" "$3"
}

test_over_ipv4()
{
	fits udp4 1408 1388
}

test_over_ipv6()
{
	fits udp6 1388 1368
}

test_over_mapped()
{
	ends mapped
	two 1408 1388
}

# either end sees to both directions, from the first packet on
test_one_end()
{
	ends
	clamp "$B" tunB off
	four 1408 1388
	transfers 512K
	equal "$(made "$A" "$B")" 0 "fragments"
}

test_other_end()
{
	ends udp6
	clamp "$A" tunA off
	four 1388 1368
	transfers 512K
	equal "$(made "$A" "$B")" 0 "fragments"
}

# what is smaller already
test_not_raised()
{
	ends
	ip -n "$A" route add 10.8.0.2/32 dev tunA advmss 1000
	ip -n "$A" route add fd08::2/128 dev tunA advmss 1000
	segments "$A" "$B" 10.8.0.2 1408 1000
	segments "$B" "$A" 10.8.0.1 1000 1408
	segments "$A" "$B" fd08::2 1388 1000
	segments "$B" "$A" fd08::1 1000 1388
	ip -n "$A" route del 10.8.0.2/32 dev tunA
	ip -n "$A" route del fd08::2/128 dev tunA
	# the device's MTU alone
	ip -n "$A" link set tunA mtu 1300
	two 1260 1240
	equal "$(made "$A" "$B")" 0 "fragments"
}

# narrow TRANSPORT SIZE4 SIZE6: the path outside changes
narrow()
{
	local to

	to=$(outer "$1" 2)
	ends "$1"
	segments "$A" "$B" 10.8.0.2 "$(($2 + 200))"
	ip -n "$A" route add "$to" dev veth mtu 1300
	two "$2" "$3"
	transfers 512K
	equal "$(made "$A" "$B")" 0 "fragments"
	ip -n "$A" route del "$to" dev veth
	two "$(($2 + 200))" "$(($3 + 200))"
}

test_narrow_ipv4()
{
	narrow udp4 1208 1188
}

test_narrow_ipv6()
{
	narrow udp6 1188 1168
}

# connections of others, which A only forwards
test_forwarded()
{
	ends
	behind_a
	no_stamps "$L"
	ip -n "$B" route add 192.168.7.0/24 dev tunB
	ip -n "$B" route add fd07::/64 dev tunB
	# so that only A can do it
	clamp "$B" tunB off
	segments "$L" "$B" 10.8.0.2 1408
	segments "$B" "$L" 192.168.7.2 1408
	segments "$L" "$B" fd08::2 1388
	segments "$B" "$L" fd07::2 1388
	iperf_server "$B"
	iperf "$L" 10.8.0.2 -n 1M
	iperf "$L" fd08::2 -n 1M -R
	equal "$(made "$A" "$B" "$L")" 0 "fragments"
}

# Each peer has a path of its own. Only the server knows how narrow that of
# client 3 is; it is on the way between two clients.
test_server()
{
	local i

	mp_star 3
	ip -n "$S" link set tun1 mtu 1500
	for i in 2 3 4; do
		ip -n "${C[i]}" link set "tun$i" mtu 1500
		clamp "${C[i]}" "tun$i" off
	done
	no_stamps "$S" "${C[@]}"
	in_ns "$S" sysctl -qw net.ipv4.ip_forward=1 \
		net.ipv6.conf.all.forwarding=1
	ip -n "$S" route add 10.0.0.3 dev veth mtu 1300

	segments "$S" "${C[2]}" 10.8.0.2 1408
	segments "${C[2]}" "$S" fd08::1 1388
	segments "$S" "${C[3]}" 10.8.0.3 1208
	segments "${C[3]}" "$S" fd08::1 1188
	segments "${C[2]}" "${C[4]}" 10.8.0.4 1408
	segments "${C[2]}" "${C[3]}" 10.8.0.3 1208
	segments "${C[3]}" "${C[4]}" fd08::4 1188
	iperf_server "${C[3]}"
	iperf "${C[2]}" 10.8.0.3 -n 1M
	iperf "${C[2]}" fd08::3 -n 1M -R
	equal "$(made "$S" "${C[@]}")" 0 "fragments"
}

# a stream has no pieces that could be too large
test_over_tcp()
{
	ends tcp4
	two 1460 1440
}

test_flag()
{
	ends
	in_ns "$A" ethtool --show-priv-flags tunA >"$T/flags"
	grep -qE "^mss-clamp *: on$" "$T/flags" || die "$(cat "$T/flags")"
	clamp "$A" tunA off
	in_ns "$A" ethtool --show-priv-flags tunA >"$T/flags"
	grep -qE "^mss-clamp *: off$" "$T/flags" || die "$(cat "$T/flags")"
	clamp "$A" tunA on
	in_ns "$A" ethtool --show-priv-flags tunA | grep -q ": on$" ||
		die "not on again"
}

run_tests over_ipv4 over_ipv6 over_mapped one_end other_end not_raised \
	narrow_ipv4 narrow_ipv6 forwarded server over_tcp flag
