#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# A client that reads slowly, or not at all, is its own misfortune: the server's
# other clients do not notice, what waits for it is bounded, and it can come
# back.

# shellcheck disable=SC2119 # arguments that are optional
set -euo pipefail
# shellcheck source=common.sh
. ./common.sh
# shellcheck source=traffic.sh
. ./traffic.sh
# shellcheck source=stream.sh
. ./stream.sh

# Three clients of the driver, and as number 5 ovpn-tcp, who does not read what
# is sent to it until it is told to. Its socket in the server is "a" for user.
slow_star()
{
	local client5=

	mp_star 3 tcp4
	in_ns "$S" sysctl -qw net.ipv4.ip_forward=1
	RAW_ID=1 RAW_SEQ=1 RAW_PEER=5
	make_ns client5
	C[5]=$client5
	wire "${C[5]}" veth "$W" port5
	ip -n "$W" link set port5 master switch
	addresses "${C[5]}" veth 5
	connect_to "${C[5]}" b tcp4 1 rcvbuf 16384
	STAR_CONNS=$((STAR_CONNS + 1))
	wait_for test -S "$(sock n1 "$STAR_CONNS")"
	ln -s "$(sock n1 "$STAR_CONNS")" "$(sock a)"
	cli "$S" peer-new tun1 id 5 sock "$(sock a)" vpn4 10.8.0.5
	key "$S" tun1 5 0
	A=$S B=${C[5]}
}

# queue_full AT-LEAST: so many packets did not fit
queue_full()
{
	local got

	got=$(drops "$S" tun1 | sed -n 's/^tx_queue_full=//p')
	[[ ${got:-0} -ge $1 ]]
}

# others_fine: while it lasts, the other clients have all of their packets
others_fine()
{
	local i

	iperf_server "${C[4]}"
	for i in 3 4; do
		steady "to$i" "$S" "10.8.0.$i" 2
		steady "from$i" "${C[i]}" 10.8.0.1 2 -s 1000
	done
	iperf "$S" 10.8.0.4 -n 8M
	iperf "$S" 10.8.0.4 -n 4M -R
	for i in 3 4; do
		steady_end "to$i"
		steady_end "from$i"
	done
}

# recovers: it reads at last what there is, and all of that is sound
recovers()
{
	raw_serve raw isrc 10.8.0.5
	wait_for answered
	pings "$S" 10.8.0.5
	raw_served raw
}

answered()
{
	in_ns "$S" ping -q -n -c 1 -W 1 10.8.0.5 >/dev/null
}

# Forwarded packets come from nowhere that could be slowed down
test_forwarded()
{
	local opened dropped

	slow_star
	blast much "${C[2]}" 10.8.0.5 1000
	wait_for queue_full 1000
	others_fine
	wait_for queue_full 5000
	stop_pid "${JOB_PID[much]}"
	pings "${C[2]}" 10.8.0.1
	recovers
	opened=$(value opened "$T/raw.out")
	echo "kept: $opened"
	# TCP's buffers, and ours
	((opened * 1050 < 8000000)) || die "the queue knows no bound"
	# nothing else was the matter
	dropped=$(drops "$S" tun1)
	[[ $dropped =~ ^tx_queue_full=[0-9]+$ ]] || die "dropped: $dropped"
}

# Control records are not dropped, and stay in order with themselves
test_control()
{
	slow_star
	blast much "${C[2]}" 10.8.0.5 1000
	wait_for queue_full 100
	user send what control count 20
	# they are the oldest for a while
	wait_for queue_full $(($(drops "$S" tun1 | sed "s/.*=//") + 2000))
	stop_pid "${JOB_PID[much]}"
	recovers
	equal "$(value control-records "$T/raw.out")" 20 "control records"
}

# A local sender is slowed down: nothing is lost
test_local_sender()
{
	local sent

	slow_star
	blast much "$S" 10.8.0.5 1000
	OVPN_WAIT_MS=$((OVPN_WAIT_MS * 4)) wait_for stands_still
	others_fine
	dropped_only "$S" tun1
	# it goes on as slowly as is read
	sent=$(peer_value "$S" tun1 5 link-tx-packets)
	raw_start slow recv timeout 60 chunk 2000 pause 2 isrc 10.8.0.5
	wait_for sent_more "$sent" 500
	stop_pid "${JOB_PID[much]}"
	raw_served slow
	dropped_only "$S" tun1
	others_fine
}

# nothing has been sent to it for a while
stands_still()
{
	local before

	before=$(peer_value "$S" tun1 5 vpn-tx-packets)
	((before > 100)) || return
	sleep 0.3
	[[ $(peer_value "$S" tun1 5 vpn-tx-packets) == "$before" ]]
}

sent_more()
{
	(($(peer_value "$S" tun1 5 link-tx-packets) > $1 + $2))
}

# TCP inside of the tunnel to a client behind a narrow wire: it adapts, and
# nothing is dropped
test_narrow_wire()
{
	mp_star 3 tcp4
	tc -n "$W" qdisc add dev port2 root tbf rate 2mbit burst 20k \
		latency 100ms
	iperf_server "${C[2]}"
	spawn narrow ip netns exec "$S" iperf3 -c 10.8.0.2 -t 5 -i 0 -J
	wait_for tx_bytes "$S" tun1 200000
	others_fine
	finish narrow || { cat "$T/narrow.out"; die "iperf3 failed"; }
	dropped_only "$S" tun1
}

# It goes away while everything waits for it
test_gone()
{
	slow_star
	listen "$S" s
	blast much "${C[2]}" 10.8.0.5 1000
	wait_for queue_full 100
	release b
	heard s peer-del-ntf id=5 del-reason=transport-disconnect
	pings "$S" 10.8.0.3
	pings "${C[2]}" 10.8.0.1
}

run_tests forwarded control local_sender narrow_wire gone
