#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Memory that lacks for packets: for one program alone, or at random under
# traffic. What could not be sent is counted, and all works as before afterwards.

# shellcheck disable=SC2119 # arguments that are optional
set -euo pipefail
# shellcheck source=common.sh
. ./common.sh
# shellcheck source=traffic.sh
. ./traffic.sh
# shellcheck source=stream.sh
. ./stream.sh
# shellcheck source=lacking.sh
. ./lacking.sh

# datagrams SEGMENT COUNT: super-packets of 60000 bytes, to be cut like that
datagrams()
{
	taskset 1 python3 -c '
import socket, sys
sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
sock.setsockopt(socket.SOL_SOCKET, 32, 1 << 28)
sock.setsockopt(socket.SOL_UDP, 103, int(sys.argv[1]))
for i in range(int(sys.argv[2])):
    sock.sendto(bytes(60000), ("10.8.0.2", 9))' "$@"
}

# What cannot be sealed, or cut before that, is dropped and counted
test_nothing_to_seal_in()
{
	two_ends udp4
	keys
	ip -n "$A" link set tunA mtu 65000
	# the CPU remembers the route
	in_ns "$A" taskset 1 ping -q -n -c 1 10.8.0.2 >/dev/null
	# in pieces, as so large a buffer is never one
	! lacking failslab "$A" taskset 1 ping -q -n -c 2 -i 0.05 -W 0.3 \
		-s 40000 10.8.0.2 || die "answered"
	dropped_only "$A" tunA tx_no_memory=2
	# datagrams that would be fragments are cut by the stack
	lacking failslab "$A" bash -c "$(declare -f datagrams); datagrams 5000 2"
	dropped_only "$A" tunA tx_segmentation=2 tx_no_memory=2
	pings "$A" 10.8.0.2
	pings "$A" 10.8.0.2 -s 40000
}

# All pages are on their way, and there are no more: each packet is sent, or
# dropped and counted
test_no_pages_to_seal_in()
{
	local sent dropped

	two_ends udp4
	keys
	# some pages are there, and free
	in_ns "$A" bash -c "$(declare -f datagrams); datagrams 1200 4"
	in_ns "$A" tc qdisc add dev veth root netem delay 3s limit 100000 ||
		skip "no netem in this kernel (CONFIG_NET_SCH_NETEM)"
	sent=$(peer_value "$A" tunA 1 vpn-tx-packets)
	lacking fail_page_alloc "$A" \
		bash -c "$(declare -f datagrams); datagrams 1200 100"
	in_ns "$A" tc qdisc del dev veth root
	sent=$(($(peer_value "$A" tunA 1 vpn-tx-packets) - sent))
	dropped=$(drops "$A" tunA)
	echo "sent: $sent, $dropped"
	[[ $sent -gt 0 && $dropped == tx_no_memory=* ]] ||
		die "not some of both"
	equal $((sent + ${dropped#*=})) 5000 "packets sent or dropped"
	pings "$A" 10.8.0.2
}

test_no_room_for_peer()
{
	make_ns A
	hold "$A" a udp4 0.0.0.0 "$PORT"
	cli "$A" link-new tunA mode mp
	set -- tunA id 1 sock "$(sock a)" remote 10.0.0.2 "$PORT" vpn4 10.8.0.2
	refused "Cannot allocate memory: no room in the peer table" \
		lacking failslab "$A" "$CLI" peer-new "$@"
	! has_peer "$A" tunA 1 || die "it is there"
	cli "$A" peer-new "$@"
}

# A keepalive that could not be sent is followed by the next one
test_no_keepalive()
{
	two_ends udp4
	keys
	may_wait_fail Y
	faults failslab 100
	cli "$A" peer-set tunA id 1 interval 1 timeout 100
	sleep 1.5
	no_faults failslab
	may_wait_fail N
	drops "$A" tunA | grep -q "^tx_no_memory=" || die "not dropped"
	wait_for keepalive_came
}

keepalive_came()
{
	[[ $(peer_value "$B" tunB 1 link-rx-packets) -gt 0 ]]
}

# A record that was begun and cannot be completed when the peer goes: the
# program is told that the stream is torn
torn()
{
	lacking failslab "$A" "$CLI" peer-del tunA id 1
	refused "reset by peer" "$CLI" recv "$(sock a)" timeout 5
}

test_torn_data()
{
	raw_end tcp4 p2p sndbuf 16384 rcvbuf 16384
	blast much "$A" 10.8.0.2 1000
	wait_for full
	torn
}

# full: TCP has taken what it can
full()
{
	[[ $(in_ns "$A" ss -Htn state established "sport = :$PORT" |
		awk '{ print $2 }') -gt 10000 ]]
}

test_torn_control()
{
	raw_end tcp4 p2p sndbuf 16384 rcvbuf 16384
	timeout 60 "$TCP" check what fill sock "$(sock a)" far "$(sock b)"
	torn
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

run_tests nothing_to_seal_in no_pages_to_seal_in no_room_for_peer no_keepalive \
	torn_data torn_control slab_udp slab_tcp pages_udp pages_tcp moved_udp \
	moved_tcp
