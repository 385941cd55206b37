#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Memory that lacks: for each allocation of each command in turn, and at random
# under traffic. What fails says so and has changed nothing, and everything goes
# in time.

# shellcheck disable=SC2119 # arguments that are optional
set -euo pipefail
# shellcheck source=common.sh
. ./common.sh
# shellcheck source=traffic.sh
. ./traffic.sh

STRESS=$OVPN_BIN/ovpn-stress
FAULTS=/sys/kernel/debug
require "$STRESS"
[[ -e /proc/self/fail-nth && -d $FAULTS/failslab ]] ||
	__skip_all "no CONFIG_FAILSLAB and CONFIG_FAULT_INJECTION_DEBUG_FS"

# Allocations that may wait fail, too; the kernel need not tell of each
prepare()
{
	local kind

	for kind in failslab fail_page_alloc fail_skb_realloc; do
		[[ -d $FAULTS/$kind ]] || continue
		echo 0 >"$FAULTS/$kind/verbose"
		echo 0 >"$FAULTS/$kind/probability"
		echo 1 >"$FAULTS/$kind/interval"
	done
	may_wait_fail N
	[[ ! -d $FAULTS/fail_page_alloc ]] ||
		echo 0 >"$FAULTS/fail_page_alloc/min-order"
}

# may_wait_fail N|Y: Y: only those fail that may not wait
may_wait_fail()
{
	local kind

	for kind in failslab fail_page_alloc; do
		[[ ! -d $FAULTS/$kind ]] ||
			echo "$1" >"$FAULTS/$kind/ignore-gfp-wait"
	done
}

# each_fault OP TRANSPORT...: over each of these, with both modes
each_fault()
{
	local transport mode

	for transport in "${@:2}"; do
		for mode in p2p mp; do
			echo "$transport $mode"
			"$STRESS" fault "$1" "$transport" "$mode" \
				limit $((60 * OVPN_SLOW))
		done
	done
}

test_peer_new()
{
	each_fault peer-new udp tcp
}

test_peer_set()
{
	each_fault peer-set udp tcp
}

test_peer_del()
{
	each_fault peer-del udp tcp
}

test_key_new()
{
	each_fault key-new udp
}

test_key_swap()
{
	each_fault key-swap udp
}

test_key_del()
{
	each_fault key-del udp
}

test_dump()
{
	each_fault dump udp tcp
}

test_send()
{
	each_fault tx udp tcp
}

test_control()
{
	each_fault control tcp
}

test_link_new()
{
	# with all that a device of the other mode allocates, and the table
	"$STRESS" fault link-new udp mp limit $((60 * OVPN_SLOW))
}

test_link_del()
{
	each_fault link-del udp tcp
}

test_load()
{
	[[ -d /sys/module/ovpn/holders ]] || skip "ovpn is built in"
	"$STRESS" fault load udp p2p limit $((60 * OVPN_SLOW))
}

# faults KIND PERCENT: from now on, everywhere; not beyond the end of a test
faults()
{
	defer no_faults "$1"
	echo 1000000000 >"$FAULTS/$1/times"
	echo "$2" >"$FAULTS/$1/probability"
}

# no_faults KIND: no more; how many there were
no_faults()
{
	echo 0 >"$FAULTS/$1/probability"
	echo "$1=$((1000000000 - $(<"$FAULTS/$1/times")))"
}

# at_random KIND PERCENT TRANSPORT: under traffic, which may suffer; in the end
# the tunnel works as before
at_random()
{
	local job

	[[ -d $FAULTS/$1 ]] || skip "no $1 in this kernel"
	two_ends "$3" mp
	keys
	iperf_server "$B"
	iperf_server "$A"
	pings "$A" 10.8.0.2
	spawn up ip netns exec "$A" iperf3 -c 10.8.0.2 -t 60 -i 0
	spawn down ip netns exec "$B" iperf3 -c fd08::1 -t 60 -i 0
	spawn there ip netns exec "$A" ping -q -n -i 0.002 10.8.0.2
	wait_for flowing
	may_wait_fail Y
	faults "$1" "$2"
	sleep 3
	no_faults "$1"
	may_wait_fail N
	for job in up down there; do
		stop_pid "${JOB_PID[$job]}"
	done
	wait_for answers
	pings "$A" 10.8.0.2
	pings "$B" fd08::1
	in_time $((8000 * OVPN_SLOW)) cli "$A" link-del tunA
}

flowing()
{
	[[ $(link_stat "$A" tunA tx bytes) -gt 100000 ]]
}

answers()
{
	in_ns "$A" ping -q -n -c 1 -W 1 10.8.0.2 >/dev/null
}

test_slab_udp()
{
	at_random failslab 5 udp4
}

test_slab_tcp()
{
	at_random failslab 5 tcp4
}

test_pages_udp()
{
	at_random fail_page_alloc 20 udp6
}

test_pages_tcp()
{
	at_random fail_page_alloc 20 tcp6
}

# a pointer into a packet is good only until its data may have moved
moved()
{
	[[ -d $FAULTS/fail_skb_realloc ]] ||
		skip "no CONFIG_FAIL_SKB_REALLOC in this kernel"
	two_ends "$1" mp
	keys
	faults fail_skb_realloc 100
	pings "$A" 10.8.0.2
	pings "$B" fd08::1 -s 1300
	iperf_server "$B"
	iperf "$A" 10.8.0.2 -n 2M
	no_faults fail_skb_realloc
}

test_moved_udp()
{
	moved udp4
}

test_moved_tcp()
{
	moved tcp4
}

prepare
run_tests peer_new peer_set peer_del key_new key_swap key_del dump send control \
	link_new link_del load slab_udp slab_tcp pages_udp pages_tcp moved_udp \
	moved_tcp
