#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Every way to end a tunnel over TCP, under traffic: both ends notice at once,
# for the right reason, and nothing hangs.

# shellcheck disable=SC2119 # arguments that are optional
set -euo pipefail
# shellcheck source=common.sh
. ./common.sh
# shellcheck source=traffic.sh
. ./traffic.sh
# shellcheck source=stream.sh
. ./stream.sh

# long enough for a slow machine, much shorter than a hang (the kernel waits 10
# seconds before it says that a reference is missing)
: "${OVPN_END_MS:=8000}"

# lines that the kernel had said before
LOG_LINES=$(dmesg | wc -l)

no_complaint()
{
	! dmesg | tail -n "+$((LOG_LINES + 1))" |
		grep -E "unregister_netdevice|waiting for .* to become free" ||
		die "a device was held"
}

# watched [TRANSPORT [MODE]]: busy both ways; who loses a peer says so
watched()
{
	busy_tunnel "$@"
	listen "$A" a
	listen "$B" b
}

# lost a|b REASON: the end has lost its peer at once
lost()
{
	OVPN_WAIT_MS=$OVPN_END_MS heard "$1" peer-del-ntf id=1 del-reason="$2"
	case $1 in
	a) ! has_peer "$A" tunA 1 || die "A still has the peer" ;;
	b) ! has_peer "$B" tunB 1 || die "B still has the peer" ;;
	esac
}

# again [TRANSPORT]: the devices are there for the next connection
again()
{
	release a
	release b
	hold_ends "${1:-tcp4}"
	cli "$A" peer-new tunA id 1 sock "$(sock a)"
	cli "$B" peer-new tunB id 1 sock "$(sock b)"
	keys again
	pings "$A" 10.8.0.2
	pings "$B" fd08::1
	no_complaint
}

# The program at one end dies
killed()
{
	watched "${@:2}"
	kill -KILL "${HOLD_PID[$1]}"
	lost a transport-disconnect
	lost b transport-disconnect
	again "${@:2}"
}

test_kill_accepted()
{
	killed a
}

test_kill_connected()
{
	killed b
}

test_kill_ipv6()
{
	killed a tcp6
}

# closed in order
test_close()
{
	watched
	in_time "$OVPN_END_MS" release b
	lost b transport-disconnect
	lost a transport-disconnect
	again
}

# A program ends its direction of the stream on a socket in use
test_shutdown_by_user()
{
	watched
	in_time "$OVPN_END_MS" "$TCP" shut sock "$(sock b)"
	lost a transport-disconnect
	release a
	lost b transport-disconnect
	again
}

# raw_busy COMMAND [ARGUMENT...]: traffic of A, to an end in user space
raw_busy()
{
	raw_end "${@:2}"
	listen "$A" a
	raw_start raw "$1" timeout 120
	said raw ready
	spawn there ip netns exec "$A" ping -q -n -i 0.002 10.8.0.2
	blast much "$A" 10.8.0.2 1000
	wait_for tx_bytes "$A" tunA 1000000
}

# The far end sends no more, but would still receive
test_half_close()
{
	raw_busy recv
	"$TCP" shut sock "$(sock b)"
	lost a transport-disconnect
	# that direction is the program's now
	user send what control
	"$TCP" shut sock "$(sock a)"
	raw_done raw
	equal "$(value control-records "$T/raw.out")" 1 "control records"
	equal "$(value end "$T/raw.out")" eof "end of the stream"
}

test_reset()
{
	raw_busy serve tcp6 mp
	kill "${JOB_PID[raw]}"
	finish raw || true
	"$TCP" reset sock "$(sock b)"
	lost a transport-disconnect
	! "$CLI" recv "$(sock a)" timeout 5 >"$T/recv" 2>&1 ||
		die "recv of a reset connection"
	grep -q "reset by peer" "$T/recv" || die "recv: $(cat "$T/recv")"
}

# The other end does not read, and goes
test_reset_when_full()
{
	raw_end tcp4 p2p sndbuf 16384 rcvbuf 16384
	listen "$A" a
	blast much "$A" 10.8.0.2 1000
	wait_for full
	"$TCP" reset sock "$(sock b)"
	lost a transport-disconnect
	! has_peer "$A" tunA 1 || die "the peer is still there"
}

# full: TCP has taken what it can
full()
{
	[[ $(in_ns "$A" ss -Htn state established "sport = :$PORT" |
		awk '{ print $2 }') -gt 10000 ]]
}

# ... or the peer is deleted, and what was queued with it; what of a record had
# not left yet must not tear the stream
test_peer_del_when_full()
{
	raw_end tcp4 p2p sndbuf 16384 rcvbuf 16384
	listen "$A" a
	blast much "$A" 10.8.0.2 1000
	wait_for full
	in_time "$OVPN_END_MS" cli "$A" peer-del tunA id 1
	heard a peer-del-ntf id=1 del-reason=userspace
	stop_pid "${JOB_PID[much]}"
	"$TCP" shut sock "$(sock a)"
	raw recv timeout 20
	equal "$(value end "$T/raw.out") $(value left "$T/raw.out")" "eof 0" \
		"end of the stream"
}

test_close_when_full()
{
	raw_end tcp4 p2p sndbuf 16384 rcvbuf 16384
	listen "$A" a
	blast much "$A" 10.8.0.2 1000
	wait_for full
	in_time "$OVPN_END_MS" release a
	lost a transport-disconnect
	no_complaint
}

test_link_del_when_full()
{
	raw_end tcp4 p2p sndbuf 16384 rcvbuf 16384
	blast much "$A" 10.8.0.2 1000
	wait_for full
	in_time "$OVPN_END_MS" ip -n "$A" link del tunA
	no_complaint
}

# The wire is cut: TCP gives up after its time
test_timeout()
{
	raw_end tcp4 p2p user-timeout 1000
	listen "$A" a
	raw_alive
	ip -n "$B" link set veth down
	spawn there ip netns exec "$A" ping -q -n -i 0.2 10.8.0.2
	OVPN_WAIT_MS=$((OVPN_END_MS * 3)) heard a peer-del-ntf id=1 \
		del-reason=transport-disconnect
}

# an ICMP error is not the end
test_unreachable()
{
	raw_end
	raw_alive
	in_ns "$B" nft -f - <<-EOF
		table inet refuse {
			chain in {
				type filter hook input priority 0
				tcp sport $PORT reject with icmpx port-unreachable
			}
		}
	EOF
	count_packets "$A" errors prerouting icmp type destination-unreachable
	in_ns "$A" ping -q -n -c 2 -W 1 10.8.0.2 >/dev/null || true
	[[ $(counted "$A" errors) -gt 0 ]] || die "no error came"
	in_ns "$B" nft delete table inet refuse
	raw_serve raw
	wait_for answers
	raw_served raw
}

answers()
{
	in_ns "$A" ping -q -n -c 1 -W 1 10.8.0.2 >/dev/null
}

test_peer_del()
{
	watched
	in_time "$OVPN_END_MS" cli "$A" peer-del tunA id 1
	lost a userspace
	# the connection stays, and B's peer with it, until A's program ends it
	has_peer "$B" tunB 1 || die "B has lost its peer"
	release a
	lost b transport-disconnect
	again
}

test_link_del()
{
	watched tcp4 mp
	in_time "$OVPN_END_MS" ip -n "$A" link del tunA
	lost a teardown
	no_complaint
	release a
	lost b transport-disconnect
	tunnel_dev "$A" tunA p2p 1
	again
}

test_device_down()
{
	watched
	in_time "$OVPN_END_MS" ip -n "$A" link set tunA down
	no_pings "$B" 10.8.0.1
	ip -n "$A" link set tunA up
	ip -n "$A" addr add fd08::1/64 dev tunA nodad
	again
}

test_namespace_exit()
{
	two_ends tcp4
	keys
	listen "$B" b
	pings "$A" 10.8.0.2
	spawn there ip netns exec "$A" ping -q -n -i 0.002 10.8.0.2
	spawn back ip netns exec "$B" ping -q -n -s 1300 -i 0.002 fd08::1
	wait_for tx_bytes "$A" tunA 10000
	kill -KILL "${HOLD_PID[a]}" "${JOB_PID[there]}"
	ip netns del "$A"
	# the other end of the wire tells
	in_time "$OVPN_END_MS" wait_for no_link "$B" veth
	no_complaint
}

# the socket's namespace goes with the program, the device is in another one
test_namespace_exit_of_socket()
{
	local X=

	two_hosts
	make_ns X
	hold_ends tcp4
	tunnel_dev "$X" tunA p2p 1
	tunnel_dev "$B" tunB p2p 2
	cli "$X" peer-new tunA id 1 sock "$(sock a)"
	cli "$B" peer-new tunB id 1 sock "$(sock b)"
	key "$X" tunA 1 0
	key "$B" tunB 1 1
	pings "$X" 10.8.0.2
	spawn there ip netns exec "$X" ping -q -n -i 0.002 10.8.0.2
	kill -KILL "${HOLD_PID[a]}"
	ip netns del "$A"
	in_time "$OVPN_END_MS" wait_for no_link "$B" veth
	wait_for does_fail has_peer "$X" tunA 1
	no_complaint
}

no_link()
{
	! ip -n "$1" link show dev "$2" &>/dev/null
}

# one connection of a server goes, the others do not notice
test_one_of_many()
{
	local i

	mp_star 4 tcp4
	listen "$S" s
	for i in 2 3 5; do
		steady "s$i" "$S" "10.8.0.$i" 3
	done
	cli "$S" drop "$(sock n1 3)"
	heard s peer-del-ntf id=4 del-reason=transport-disconnect
	for i in 2 3 5; do
		steady_end "s$i"
	done
	equal "$(wc -l <"$T/s.ntf")" 1 notifications
	# all of them
	in_time "$OVPN_END_MS" release n1
	for i in 2 3 5; do
		heard s peer-del-ntf id=$i del-reason=transport-disconnect
	done
	equal "$(cli "$S" peer-get tun1)" "" "peers"
}

test_link_del_of_server()
{
	local i

	mp_star 4 tcp4
	iperf_server "${C[2]}"
	spawn tcp ip netns exec "$S" iperf3 -c 10.8.0.2 -t 60 -i 0
	for i in 2 3 4 5; do
		spawn "s$i" ip netns exec "${C[i]}" ping -q -n -i 0.002 10.8.0.1
	done
	wait_for tx_bytes "$S" tun1 1000000
	in_time "$OVPN_END_MS" ip -n "$S" link del tun1
	no_complaint
}

test_module_unload()
{
	[[ -d /sys/module/ovpn/holders ]] || skip "ovpn is built in"
	watched
	in_time "$OVPN_END_MS" rmmod ovpn
	[[ ! -d /sys/module/ovpn ]] || die "the module is still there"
	no_complaint
	modprobe ovpn
	tunnel_dev "$A" tunA p2p 1
	tunnel_dev "$B" tunB p2p 2
	again
}

# Two ends at a time: whoever is first, it ends
test_races()
{
	local i what

	two_hosts
	tunnel_dev "$A" tunA p2p 1
	for ((i = 0; i < 24; i++)); do
		__hold_node "$A" a tcp4 accept
		connect_to "$B" b tcp4 1
		cli "$A" peer-new tunA id 1 sock "$(sock a)"
		key "$A" tunA 1 0
		spawn there ip netns exec "$A" ping -q -n -c 100 -i 0.002 \
			10.8.0.2
		case $((i % 4)) in
		0) what="reset sock $(sock b)" ;;
		1) what="shut sock $(sock b)" ;;
		2) what="bytes hex 0000 sock $(sock b)" ;;
		3) what="shut sock $(sock a)" ;;
		esac
		# shellcheck disable=SC2086 # words
		spawn first "$TCP" $what
		case $((i / 4 % 3)) in
		0) cli "$A" peer-del tunA id 1 2>/dev/null || true ;;
		1) kill -KILL "${HOLD_PID[a]}" ;;
		2) cli "$A" link-del tunA; tunnel_dev "$A" tunA p2p 1 ;;
		esac
		finish first || true
		release a
		release b
		wait_for does_fail has_peer "$A" tunA 1
		stop_pid "${JOB_PID[there]}"
	done
	no_complaint
}

run_tests kill_accepted kill_connected kill_ipv6 close shutdown_by_user \
	half_close reset reset_when_full peer_del_when_full close_when_full \
	link_del_when_full timeout unreachable peer_del link_del device_down \
	namespace_exit namespace_exit_of_socket one_of_many \
	link_del_of_server module_unload races
