#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# A CPU that has no time left has another one poll its receive queue, and takes
# it back later. Packets keep their order, and none is lost to that.

# shellcheck disable=SC2119 # arguments that are optional
set -euo pipefail
# shellcheck source=common.sh
. ./common.sh
# shellcheck source=traffic.sh
. ./traffic.sh

require ethtool iperf3 nstat taskset

(($(nproc) > 1)) || __skip_all "one CPU only"

# steered NS DEV: how often so far
steered()
{
	in_ns "$1" ethtool -S "$2" | sed -n 's/^ *rx_steered: //p'
}

# steering NS DEV: it is off until somebody wants it
steering()
{
	equal "$(steered "$1" "$2")" 0 "steered"
	in_ns "$1" ethtool --set-priv-flags "$2" rx-steering on
}

# flood [on]: B sends without a pause, on the CPU that receives as well; A throws
# it away. Sets RATE, how many in a millisecond.
flood()
{
	local count=$((60000 / OVPN_SLOW)) start

	one_end
	in_ns "$A" nft -f - <<-EOF
		table inet ovpn_test {
			chain in {
				type filter hook prerouting priority -310
				iifname tunA udp dport 4000 drop
			}
		}
	EOF
	[[ -z ${1:-} ]] || steering "$A" tunA
	fr_words send count "$count" size 20
	start=$(date +%s%3N)
	in_ns "$B" taskset -c 0 "$FRAMES" "${FR_WORDS[@]}"
	RATE=$((count / ($(date +%s%3N) - start)))
	echo "$RATE in a millisecond"
	wait_for all_came "$count"
	echo "of $count dropped: $(drops "$A" tunA | tr '\n' ' ')"
}

# all_came N: each packet has been opened, or counted as dropped
all_came()
{
	local got dropped

	got=$(peer_value "$A" tunA 1 vpn-rx-packets)
	dropped=$(drops "$A" tunA |
		  awk -F= '/^rx_backlog_full/ { print $2 }')
	((got + ${dropped:-0} == $1))
}

test_busy()
{
	flood on
	(($(steered "$A" tunA) == 0)) || return 0
	# below 5 the driver leaves a queue where it is (OVPN_STEER_RATE)
	((RATE > 6)) || skip "too slow a kernel: $RATE in a millisecond"
	die "its CPU had to do all of it"
}

test_switched_off()
{
	flood
	equal "$(steered "$A" tunA)" 0 "steered"
}

# what one CPU can do stays there
test_idle()
{
	two_ends
	keys
	steering "$A" tunA
	steering "$B" tunB
	iperf_server "$B"
	pings "$A" 10.8.0.2 -c 100 -i 0.01
	udp_iperf "$A" 10.8.0.2
	equal "$(steered "$A" tunA),$(steered "$B" tunB)" "0,0" "steered"
}

# one_queue NS: what comes in is handled on the first CPU, whoever sends it, as if
# it came from a network card with one queue
one_queue()
{
	local before after pid

	before=$(polls)
	# without TSO: or else veth hands packets to the CPU of the sender
	in_ns "$1" ethtool -K veth gro on tso off >/dev/null
	in_ns "$1" sh -c 'echo 1 >/sys/class/net/veth/threaded'
	after=$(polls)
	for pid in $after; do
		[[ " $before " == *" $pid "* ]] || taskset -pc 0 "$pid"
	done
	[[ $after != "$before" ]] || die "no thread polls"
}

# the threads that poll network devices
polls()
{
	{ grep -ls '^napi/veth-' /proc/[0-9]*/comm || true; } |
		cut -d/ -f 3 | paste -sd' '
}

# One stream of TCP: the other end sees each segment in its turn, however often
# the queue moves.
test_order()
{
	local late i

	two_ends
	keys
	one_queue "$A"
	one_queue "$B"
	steering "$A" tunA
	steering "$B" tunB
	iperf_server "$B"
	in_ns "$B" nstat -n
	for ((i = 0; i < 5; i++)); do
		iperf "$A" 10.8.0.2 -t 3 -A 0
		(($(steered "$B" tunB) == 0)) || break
	done
	late=$(in_ns "$B" nstat -az TcpExtTCPOFOQueue |
	       awk '/OFO/ { print $2 }')
	echo "steered: $(steered "$A" tunA) of A, $(steered "$B" tunB) of B"
	equal "$late" 0 "segments out of order"
	no_drops
	(($(steered "$B" tunB) > 0)) || skip "its CPU was never too busy"
}

# the device goes while its queue is on its way
test_goes()
{
	local i moves=0

	for ((i = 0; i < 5; i++)); do
		two_ends
		keys
		steering "$B" tunB
		iperf_server "$B"
		spawn "flow$i" ip netns exec "$A" timeout 10 iperf3 \
			-c 10.8.0.2 -t 10 -A 0
		sleep "0.$((2 + i))"
		moves=$((moves + $(steered "$B" tunB)))
		in_time 10000 ip -n "$B" link delete tunB
		stop_pid "${JOB_PID[flow$i]}"
		stop_pid "${JOB_PID[iperf-$B-5201]}"
		release a
		release b
		in_time 10000 ip -n "$A" link delete tunA
	done
	((moves > 0)) || skip "no queue was on its way"
}

run_tests \
	busy \
	switched_off \
	idle \
	order \
	goes
