#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Random requests and random packets, in numbers. OVPN_FUZZ=N makes each test N
# times as long; OVPN_FUZZ_SEED takes another way (by default the same one each
# time, so that what fails, fails again).

# shellcheck disable=SC2119 # arguments that are optional
set -euo pipefail
# shellcheck source=common.sh
. ./common.sh
# shellcheck source=traffic.sh
. ./traffic.sh
# shellcheck source=stream.sh
. ./stream.sh

require python3
SPEC=$OVPN_DIR/../../../../../Documentation/netlink/specs/ovpn.yaml
SEED=${OVPN_FUZZ_SEED:-1}

# times N: so many, in this run
times()
{
	echo $(($1 * ${OVPN_FUZZ:-1}))
}

# fuzz WHAT REQUESTS
fuzz()
{
	A=
	make_ns A
	in_ns "$A" python3 "$OVPN_DIR/fuzz_netlink.py" "$1" --spec "$SPEC" \
		--seed "$SEED" --count "$(times "$2")"
}

test_requests()
{
	python3 -c 'import yaml' 2>/dev/null || skip "python3-yaml is missing"
	[[ -e $SPEC ]] || skip "no specification of the family"
	fuzz family 20000
}

test_links()
{
	fuzz links 2000
}

# all of the peer but what it sent, which need not be good to be counted
state()
{
	cli "$A" peer-get tunA id 1 | tr ' ' '\n' | grep -v ^link-rx-
	cli "$A" key-get tunA id 1 slot primary
}

dropped()
{
	link_stat "$A" tunA rx dropped
}

# dropped_all N: the device has counted N more of them than at first
dropped_all()
{
	(($(dropped) - DROPPED == $1))
}

# flooded UDP-KIND MODE: packets from one end, and floats forged by others
flooded()
{
	local i n sent=0 state

	one_end "$@"
	count_packets "$A" in prerouting iifname tunA
	fr ping count 3 quiet
	state=$(state)
	DROPPED=$(dropped)
	n=$(times 20000)
	for ((i = 0; i < 4; i++)); do
		fr flood count "$n" pkt-id 3 size $((i * 400)) \
			seed $((SEED + i)) >/dev/null
		((sent += n))
	done
	for ((i = 0; i < 20; i++)); do
		frames "$B" flood from "$(outer "$1" 2)" $((5000 + i)) \
			to "$(outer "$1" 1)" "$PORT" secret secret dir 1 \
			peer-id 1 my-id 1 isrc 10.8.0.2 idst 10.8.0.1 \
			size 100 pkt-id 3 count $((n / 20)) \
			seed $((SEED + i)) >/dev/null
		((sent += n / 20))
	done
	wait_for dropped_all $sent
	equal "$(state)" "$state" "state of the peer"
	equal "$(counted "$A" in)" 3 "packets that came in"
	echo "packets=$sent"
	fr ping count 3 quiet pkt-id 1000
}

test_packets_udp4()
{
	flooded udp4 p2p
}

test_packets_udp6()
{
	flooded udp6 mp
}

# over TCP, where what is dropped is part of a stream that goes on
test_packets_tcp()
{
	local RAW_TIMEOUT i n sent=0 state

	RAW_TIMEOUT=$(times 60)
	raw_end
	count_packets "$A" in prerouting iifname tunA
	raw ping count 3 quiet
	state=$(state)
	DROPPED=$(dropped)
	n=$(times 20000)
	for ((i = 0; i < 4; i++)); do
		raw flood count "$n" pkt-id 3 size $((i * 400)) \
			seed $((SEED + i))
		((sent += n))
	done
	wait_for dropped_all $sent
	equal "$(state)" "$state" "state of the peer"
	equal "$(counted "$A" in)" 3 "packets that came in"
	echo "packets=$sent"
	raw ping count 3 quiet
}

run_tests requests links packets_udp4 packets_udp6 packets_tcp
