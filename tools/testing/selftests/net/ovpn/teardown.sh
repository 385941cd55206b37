#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Every way to end a tunnel, under traffic: it ends at once and nothing hangs.

set -euo pipefail
# shellcheck source=common.sh
. ./common.sh
# shellcheck source=traffic.sh
. ./traffic.sh

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

# a tunnel that is busy in both directions
busy()
{
	busy_with_pings "$@"
	iperf_server "$B"
	spawn tcp ip netns exec "$A" iperf3 -c 10.8.0.2 -t 60 -i 0
	wait_for flowing 1000000
}

busy_with_pings()
{
	two_ends "${1:-udp4}" "${2:-p2p}"
	keys
	pings "$A" 10.8.0.2
	spawn there ip netns exec "$A" ping -q -n -i 0.002 10.8.0.2
	spawn back ip netns exec "$B" ping -q -n -s 1300 -i 0.002 fd08::1
	wait_for flowing 10000
}

flowing()
{
	[[ $(link_stat "$A" tunA tx bytes) -gt $1 ]]
}

no_link()
{
	! ip -n "$1" link show dev "$2" &>/dev/null
}

test_link_del()
{
	busy
	in_time "$OVPN_END_MS" cli "$A" link-del tunA
	no_link "$A" tunA || die "the device is still there"
	# the socket is free again, and the same name too
	tunnel_dev "$A" tunA p2p 1
	cli "$A" peer-new tunA id 1 sock "$(sock a)" remote 10.0.0.2 "$PORT"
	key "$A" tunA 1 0
	key "$B" tunB 1 1
	pings "$A" 10.8.0.2
	no_complaint
}

test_link_del_mp()
{
	busy udp6 mp
	in_time "$OVPN_END_MS" ip -n "$A" link del tunA
	no_link "$A" tunA || die "the device is still there"
	no_complaint
}

test_peer_del()
{
	busy udp4 mp
	listen "$A" a
	in_time "$OVPN_END_MS" cli "$A" peer-del tunA id 1
	heard a peer-del-ntf id=1 del-reason=userspace
	! has_peer "$A" tunA 1 || die "the peer is still there"
	no_pings "$A" 10.8.0.2
	cli "$A" peer-new tunA id 1 sock "$(sock a)" remote 10.0.0.2 "$PORT" \
		vpn4 10.8.0.2 vpn6 fd08::2
	keys again
	pings "$A" 10.8.0.2
	no_complaint
}

test_key_del()
{
	busy
	in_time "$OVPN_END_MS" cli "$A" key-del tunA id 1 slot primary
	no_pings "$A" 10.8.0.2
	keys again
	pings "$A" 10.8.0.2
	no_complaint
}

peer_gone()
{
	! has_peer "$A" tunA 1
}

# the program that holds the socket dies
socket_killed()
{
	busy "$@"
	listen "$A" a
	kill -KILL "${HOLD_PID[a]}"
	in_time "$OVPN_END_MS" wait_for peer_gone
	heard a peer-del-ntf id=1 del-reason=transport-disconnect
	# the device stays, for the program that comes next
	rm -f "$(sock a)"
	hold "$A" a "${1:-udp4}" "$(outer "${1:-udp4}" 1)" "$PORT"
	cli "$A" peer-new tunA id 1 sock "$(sock a)" \
		remote "$(outer "${1:-udp4}" 2)" "$PORT"
	keys again
	pings "$A" 10.8.0.2
	no_complaint
}

test_socket_killed()
{
	socket_killed
}

test_socket_killed_ipv6()
{
	socket_killed udp6
}

# closed in order, with many peers behind it
test_socket_closed_mp()
{
	mp_star 3
	iperf_server "${C[2]}"
	spawn tcp ip netns exec "$S" iperf3 -c 10.8.0.2 -t 60 -i 0
	spawn back ip netns exec "${C[3]}" ping -q -n -i 0.002 10.8.0.1
	pings "$S" 10.8.0.4
	in_time "$OVPN_END_MS" release n1
	wait_for no_peers
	no_complaint
}

# The second peer of a P2P device takes the place of the first, with a socket of
# its own. What becomes of the first one's is none of its business.
replaced_then_closed()
{
	two_ends "$1"
	listen "$A" a
	if [[ $1 == tcp4 ]]; then
		hold "$A" c tcp4 0.0.0.0 1195 accept
		hold "$B" d tcp4 0.0.0.0 0 to 10.0.0.1 1195
	else
		hold "$A" c udp4 0.0.0.0 1195
		hold "$B" d udp4 0.0.0.0 1195
	fi
	cli "$A" peer-new tunA id 2 sock "$(sock c)" remote 10.0.0.2 1195
	cli "$B" peer-new tunB id 2 sock "$(sock d)" remote 10.0.0.1 1195
	key "$A" tunA 2 0
	key "$B" tunB 2 1
	heard a peer-del-ntf id=1 del-reason=teardown
	in_time "$OVPN_END_MS" release a
	in_time "$OVPN_END_MS" release b
	pings "$A" 10.8.0.2
	pings "$B" 10.8.0.1
	has_peer "$A" tunA 2 || die "the new peer went with the old socket"
	! notified a id=2 || die "the new peer was said to have gone"
	in_time "$OVPN_END_MS" cli "$A" link-del tunA
	heard a peer-del-ntf id=2 del-reason=teardown
	no_complaint
}

test_replaced_then_closed()
{
	replaced_then_closed udp4
}

test_replaced_then_closed_tcp()
{
	replaced_then_closed tcp4
}

no_peers()
{
	[[ -z $(cli "$S" peer-get tun1) ]]
}

test_device_down()
{
	busy
	in_time "$OVPN_END_MS" ip -n "$A" link set tunA down
	no_pings "$B" 10.8.0.1
	ip -n "$A" link set tunA up
	# in a P2P device the peer went when the device did
	if ! has_peer "$A" tunA 1; then
		cli "$A" peer-new tunA id 1 sock "$(sock a)" \
			remote 10.0.0.2 "$PORT"
		key "$A" tunA 1 0 again
		key "$B" tunB 1 1 again
	fi
	pings "$A" 10.8.0.2
	no_complaint
}

# a namespace goes with everything in it
test_namespace_exit()
{
	# a TCP connection without an owner would hold the namespace
	busy_with_pings
	kill -KILL "${HOLD_PID[a]}" "${JOB_PID[there]}"
	ip netns del "$A"
	# the other end of the wire tells
	in_time "$OVPN_END_MS" wait_for no_link "$B" veth
	no_complaint
}

# the device's namespace goes, the socket lives on in another one
test_namespace_exit_without_socket()
{
	local X=

	two_hosts
	make_ns X
	hold "$A" a udp4 10.0.0.1 "$PORT"
	hold "$B" b udp4 10.0.0.2 "$PORT"
	tunnel_dev "$X" tunA p2p 1
	tunnel_dev "$B" tunB p2p 2
	cli "$X" peer-new tunA id 1 sock "$(sock a)" remote 10.0.0.2 "$PORT"
	cli "$B" peer-new tunB id 1 sock "$(sock b)" remote 10.0.0.1 "$PORT"
	key "$X" tunA 1 0
	key "$B" tunB 1 1
	pings "$X" 10.8.0.2
	wire "$X" tell "$B" tell
	spawn back ip netns exec "$B" ping -q -n -i 0.002 10.8.0.1
	ip netns del "$X"
	in_time "$OVPN_END_MS" wait_for no_link "$B" tell
	# the socket belongs to user space again, and its queue is not full of
	# what was data before
	stop_pid "${JOB_PID[back]}"
	cli "$B" send "$(sock b)" 38aabb 10.0.0.1 "$PORT"
	OVPN_WAIT_MS=$((OVPN_WAIT_MS * OVPN_SLOW)) wait_for got_control
	no_complaint
}

# data that had come before may be first
got_control()
{
	[[ $(cli "$A" recv "$(sock a)" timeout 1) == *" 38aabb" ]]
}

# the other way round: the socket's namespace goes, the device stays
test_namespace_exit_of_socket()
{
	local X=

	two_hosts
	make_ns X
	hold "$A" a udp4 10.0.0.1 "$PORT"
	hold "$B" b udp4 10.0.0.2 "$PORT"
	tunnel_dev "$X" tunA p2p 1
	tunnel_dev "$B" tunB p2p 2
	cli "$X" peer-new tunA id 1 sock "$(sock a)" remote 10.0.0.2 "$PORT"
	cli "$B" peer-new tunB id 1 sock "$(sock b)" remote 10.0.0.1 "$PORT"
	key "$X" tunA 1 0
	key "$B" tunB 1 1
	pings "$X" 10.8.0.2
	spawn there ip netns exec "$X" ping -q -n -i 0.002 10.8.0.2
	kill -KILL "${HOLD_PID[a]}"
	ip netns del "$A"
	in_time "$OVPN_END_MS" wait_for no_link "$B" veth
	! has_peer "$X" tunA 1 || die "the peer outlived its socket"
	no_complaint
}

# the module goes while devices, peers and sockets are busy
test_module_unload()
{
	[[ -d /sys/module/ovpn/holders ]] || skip "ovpn is built in"
	busy
	listen "$A" a
	in_time "$OVPN_END_MS" rmmod ovpn
	no_link "$A" tunA || die "the device is still there"
	heard a peer-del-ntf id=1 del-reason=teardown
	[[ ! -d /sys/module/ovpn ]] || die "the module is still there"
	no_complaint
	modprobe ovpn
	tunnel_dev "$A" tunA p2p 1
	tunnel_dev "$B" tunB p2p 2
	cli "$A" peer-new tunA id 1 sock "$(sock a)" remote 10.0.0.2 "$PORT"
	cli "$B" peer-new tunB id 1 sock "$(sock b)" remote 10.0.0.1 "$PORT"
	keys
	pings "$A" 10.8.0.2
}

run_tests link_del link_del_mp peer_del key_del socket_killed \
	socket_killed_ipv6 socket_closed_mp replaced_then_closed \
	replaced_then_closed_tcp device_down namespace_exit \
	namespace_exit_without_socket namespace_exit_of_socket module_unload
