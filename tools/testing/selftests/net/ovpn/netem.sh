#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# A bad wire: loss, disorder, doubled and late packets. Traffic passes, and no
# packet comes out of the tunnel twice.

# shellcheck disable=SC2119 # arguments that are optional
set -euo pipefail
# shellcheck source=common.sh
. ./common.sh
# shellcheck source=traffic.sh
. ./traffic.sh

# bad_wire OPTION...: of netem, both ways
bad_wire()
{
	tc -n "$A" qdisc replace dev veth root netem "$@"
	tc -n "$B" qdisc replace dev veth root netem "$@"
}

# some NS ADDR AT-LEAST PING-OPTION...: so many answers come, none twice
some()
{
	in_ns "$1" ping -q -n -i 0.005 -W 1 "${@:4}" "$2" >"$T/ping" || true
	cat "$T/ping"
	! grep -q duplicates "$T/ping" || die "packets came twice"
	[[ $(sed -n 's/.* \([0-9]*\) received.*/\1/p' "$T/ping") -ge $3 ]] ||
		die "too few answers"
}

both_ways()
{
	some "$A" 10.8.0.2 "$1" -c 200
	some "$B" fd08::1 "$1" -c 200
}

# over TRANSPORT BYTES AT-LEAST NETEM-OPTION...
over()
{
	two_ends "$1"
	keys
	iperf_server "$B"
	pings "$A" 10.8.0.2
	bad_wire "${@:4}"
	both_ways "$3"
	iperf "$A" 10.8.0.2 -n "$2"
}

test_loss()
{
	over udp4 512K 120 loss 5%
}

test_duplicates()
{
	over udp4 4M 200 duplicate 50%
}

test_duplicates_over_ipv6()
{
	over udp6 4M 200 duplicate 50%
}

test_disorder()
{
	over udp4 512K 200 delay 3ms 2ms reorder 30% 50%
}

test_damage()
{
	over udp4 512K 120 corrupt 3%
}

test_everything()
{
	over udp6 256K 100 loss 2% duplicate 20% corrupt 1% delay 2ms 1ms \
		reorder 20% 50%
}

# Packets that are late by less than the window arrive, each once
test_late()
{
	two_ends
	keys
	tc -n "$B" qdisc replace dev veth root netem delay 20ms 19ms
	some "$A" 10.8.0.2 300 -c 300 -i 0.001
}

run_tests loss duplicates duplicates_over_ipv6 disorder damage everything late
