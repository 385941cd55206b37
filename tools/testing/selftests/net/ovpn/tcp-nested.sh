#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# TCP in TCP in TCP; and connections that are led into their own tunnel, or each
# into the other's: of no use, but no deadlock either.

# shellcheck disable=SC2119 # arguments that are optional
set -euo pipefail
# shellcheck source=common.sh
. ./common.sh
# shellcheck source=traffic.sh
. ./traffic.sh
# shellcheck source=stream.sh
. ./stream.sh

: "${OVPN_END_MS:=8000}"

# deeper N KIND: the tunnel tunAN, tunBN with 10.8.N.1 and 10.8.N.2 over the
# addresses of the one before
deeper()
{
	local n=$1 kind=$2 before=10.8.$(($1 - 1))

	if [[ $kind == udp4 ]]; then
		hold "$A" "a$n" udp4 "$before.1" "$PORT"
		hold "$B" "b$n" udp4 "$before.2" "$PORT"
	else
		hold "$A" "a$n" tcp4 "$before.1" "$PORT" accept
		hold "$B" "b$n" tcp4 "$before.2" 0 to "$before.1" "$PORT"
	fi
	tunnel_at "$A" "tunA$n" "10.8.$n.1" "$(sock "a$n")" 0 \
		"$kind" "$before.2"
	tunnel_at "$B" "tunB$n" "10.8.$n.2" "$(sock "b$n")" 1 \
		"$kind" "$before.1"
}

# tunnel_at NS DEV ADDR SOCK DIR KIND REMOTE
tunnel_at()
{
	local remote=()

	[[ $6 == tcp4 ]] || remote=(remote "$7" "$PORT")
	cli "$1" link-new "$2" mode p2p
	ip -n "$1" link set "$2" addrgenmode none
	ip -n "$1" addr add "$3/24" dev "$2"
	ip -n "$1" link set "$2" up
	cli "$1" peer-new "$2" id 1 sock "$4" "${remote[@]}"
	key "$1" "$2" 1 "$5"
}

# nested KIND...
nested()
{
	local kind n=0

	two_ends tcp4
	keys
	for kind; do
		deeper $((++n)) "$kind"
	done
	iperf_server "$B"
	pings "$A" "10.8.$n.2"
	pings "$B" "10.8.$n.1" -s 1300
	iperf "$A" "10.8.$n.2" -n 8M
	iperf "$A" "10.8.$n.2" -n 4M -R
	iperf "$A" "10.8.$n.2" -t 2 --bidir -P 2
	# the outer ones too, at the same time
	spawn outer ip netns exec "$A" ping -q -n -f -c 2000 10.8.0.2
	iperf "$A" "10.8.$n.2" -t 1
	finish outer || { cat "$T/outer.out"; die "pings of the outer tunnel"; }
}

test_two()
{
	nested tcp4
	no_drops
}

test_three()
{
	nested tcp4 tcp4
}

test_mixed()
{
	nested udp4 tcp4
}

# The outer one goes first, and the inner one after it
test_end_outer_first()
{
	two_ends tcp4
	keys
	deeper 1 tcp4
	spawn there ip netns exec "$A" ping -q -n -i 0.002 10.8.1.2
	blast much "$B" 10.8.1.1 1000
	wait_for tx_bytes "$B" tunB1 1000000
	in_time "$OVPN_END_MS" ip -n "$A" link del tunA
	in_time "$OVPN_END_MS" cli "$A" peer-get tunA1
	in_time "$OVPN_END_MS" ip -n "$A" link del tunA1
	in_time "$OVPN_END_MS" release b1
}

test_kill_inner()
{
	two_ends tcp4
	keys
	deeper 1 tcp4
	listen "$A" a
	blast much "$B" 10.8.1.1 1000
	wait_for tx_bytes "$B" tunB1 1000000
	kill -KILL "${HOLD_PID[b1]}"
	heard a peer-del-ntf del-reason=transport-disconnect
	pings "$A" 10.8.0.2
}

# answers_in_time DEV...: the devices are alive, whatever goes on in them
answers_in_time()
{
	local dev

	for dev; do
		in_time "$OVPN_END_MS" cli "$A" peer-get "$dev" >/dev/null
		in_time "$OVPN_END_MS" ip -n "$A" -s link show dev "$dev" \
			>/dev/null
	done
}

lots_of()
{
	spawn "ping$1" ip netns exec "$A" ping -q -n -i 0.002 "$1"
	blast "blast$1" "$A" "$1" 1000
	spawn "iperf$1" ip netns exec "$A" iperf3 -c "$1" -t 30 -i 0
}

# stuck: what B has sent nobody has acknowledged for long
stuck()
{
	in_ns "$B" ss -Htni state established "dport = :$PORT" | awk '
		!left { left = $2 }
		match($0, /lastack:[0-9]+/) {
			ms = substr($0, RSTART + 8, RLENGTH - 8)
		}
		END { exit !(left > 0 && ms > 400) }'
}

# A's route to B leads into the tunnel whose connection it carries
test_own_route()
{
	two_ends tcp4
	keys
	iperf_server "$B"
	pings "$A" 10.8.0.2
	lots_of 10.8.0.2
	# what B sends has to be acknowledged
	blast back "$B" 10.8.0.1 1000
	wait_for tx_bytes "$A" tunA 1000000
	# enough for B's socket to have grown
	wait_for tx_bytes "$B" tunB 1000000
	ip -n "$A" route add 10.0.0.2/32 dev tunA
	# what A acknowledges goes round and round
	wait_for stuck
	answers_in_time tunA
	stop_pid "${JOB_PID[ping10.8.0.2]}"
	stop_pid "${JOB_PID[blast10.8.0.2]}"
	stop_pid "${JOB_PID[iperf10.8.0.2]}"
	stop_pid "${JOB_PID[back]}"
	ip -n "$A" route del 10.0.0.2/32 dev tunA
	# TCP's next try may be a while off
	OVPN_WAIT_MS=$((OVPN_WAIT_MS * 4)) wait_for answers 10.8.0.2
	in_time "$OVPN_END_MS" ip -n "$A" link del tunA
}

answers()
{
	in_ns "$A" ping -q -n -c 1 -W 1 "$1" >/dev/null
}

test_own_route_and_end()
{
	two_ends tcp4
	keys
	iperf_server "$B"
	pings "$A" 10.8.0.2
	lots_of 10.8.0.2
	blast back "$B" 10.8.0.1 1000
	wait_for tx_bytes "$A" tunA 1000000
	ip -n "$A" route add 10.0.0.2/32 dev tunA
	ip -n "$B" route add 10.0.0.1/32 dev tunB
	answers_in_time tunA
	in_time "$OVPN_END_MS" cli "$A" peer-del tunA id 1
	kill -KILL "${HOLD_PID[b]}"
	wait_for does_fail has_peer "$B" tunB 1
	in_time "$OVPN_END_MS" ip -n "$A" link del tunA
	in_time "$OVPN_END_MS" ip -n "$B" link del tunB
}

# Two tunnels, the connection of each led into the other
test_each_in_the_other()
{
	two_ends tcp4
	keys
	iperf_server "$B"
	addresses "$A" veth 1 10.0.7 fd77
	addresses "$B" veth 2 10.0.7 fd77
	hold "$A" a1 tcp4 10.0.7.1 1195 accept
	hold "$B" b1 tcp4 10.0.7.2 0 to 10.0.7.1 1195
	tunnel_at "$A" tunA1 10.8.1.1 "$(sock a1)" 0 tcp4 -
	tunnel_at "$B" tunB1 10.8.1.2 "$(sock b1)" 1 tcp4 -
	pings "$A" 10.8.0.2
	pings "$A" 10.8.1.2
	lots_of 10.8.0.2
	lots_of 10.8.1.2
	wait_for tx_bytes "$A" tunA 1000000
	wait_for tx_bytes "$A" tunA1 1000000
	ip -n "$A" route add 10.0.0.2/32 dev tunA1
	ip -n "$A" route add 10.0.7.2/32 dev tunA
	answers_in_time tunA tunA1
	ip -n "$B" route add 10.0.0.1/32 dev tunB1
	ip -n "$B" route add 10.0.7.1/32 dev tunB
	answers_in_time tunA tunA1
	in_time "$OVPN_END_MS" cli "$A" peer-del tunA id 1
	in_time "$OVPN_END_MS" ip -n "$A" link del tunA1
	in_time "$OVPN_END_MS" ip -n "$B" link del tunB1
}

run_tests two three mixed end_outer_first kill_inner own_route \
	own_route_and_end each_in_the_other
