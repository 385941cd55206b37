#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# shellcheck disable=SC2119 # two_ends without arguments is as it should be
#
# What user space is told without asking: who went and why, who moved.

set -euo pipefail
# shellcheck source=common.sh
. "$(dirname "$(readlink -e "$0")")/common.sh"

ifindex()
{
	ip -n "$1" -j link show dev "$2" | jq '"ifindex=\(.[0].ifindex)"' -r
}

# ready [TRANSPORT [MODE]]: a tunnel that works, and a listener to $A
ready()
{
	two_ends "$@"
	keys
	pings "$A" 10.8.0.2
	listen "$A" n
}

# gone REASON: the only notification is that peer 1 went
gone()
{
	heard n peer-del-ntf "$(ifindex "$A" tunA)" id=1 "del-reason=$1"
	equal "$(wc -l <"$T/n.ntf")" 1 notifications
}

test_del_userspace()
{
	ready
	cli "$A" peer-del tunA id 1
	gone userspace
}

test_del_expired()
{
	ready
	cli "$A" peer-set tunA id 1 interval 1 timeout 2
	cli "$B" peer-del tunB id 1
	gone expired
}

test_del_teardown()
{
	local index

	ready
	index=$(ifindex "$A" tunA)
	cli "$A" link-del tunA
	heard n peer-del-ntf "$index" id=1 del-reason=teardown
}

test_del_transport_disconnect()
{
	ready
	release a
	gone transport-disconnect
	refused "No such file" cli "$A" peer-get tunA id 1
}

# A process that dies has no time to tidy up
test_del_process_killed()
{
	ready
	kill -KILL "${HOLD_PID[a]}"
	gone transport-disconnect
}

# The old peer of a P2P device makes way for the new one
test_del_replaced()
{
	ready
	cli "$A" peer-new tunA id 2 sock "$(sock a)" \
		remote 10.0.0.2 "$PORT"
	gone teardown
	cli "$A" peer-get tunA id 2
}

# One for each peer of a multi-peer device
test_del_all()
{
	local i

	make_ns A
	hold "$A" a udp4 0.0.0.0 "$PORT"
	hold "$A" other udp4 0.0.0.0 1195
	cli "$A" link-new tunA mode mp
	for i in 1 2 3; do
		cli "$A" peer-new tunA id $i sock "$(sock a)" \
			remote "10.0.0.$i" "$PORT" vpn4 "10.8.0.$i"
	done
	cli "$A" peer-new tunA id 4 sock "$(sock other)" \
		remote 10.0.0.4 "$PORT" vpn4 10.8.0.4
	listen "$A" n
	release a
	for i in 1 2 3; do
		heard n peer-del-ntf id=$i del-reason=transport-disconnect
	done
	# the other socket is still there
	cli "$A" peer-get tunA id 4
	cli "$A" link-del tunA
	heard n peer-del-ntf id=4 del-reason=teardown
	equal "$(wc -l <"$T/n.ntf")" 4 notifications
}

# move_b ADDRESS...: $B's outer interface gets another address
move_b()
{
	ip -n "$B" addr flush dev veth scope global
	ip -n "$B" addr add "$1" dev veth "${@:2}"
}

# floated ADDRESS-WORD...: told once, with these words; traffic goes both ways
floated()
{
	pings "$B" 10.8.0.1
	heard n peer-float-ntf "$(ifindex "$A" tunA)" id=1 \
		"remote-port=$PORT" "$@"
	pings "$A" 10.8.0.2
	equal "$(wc -l <"$T/n.ntf")" 1 notifications
	[[ " $(cli "$A" peer-get tunA id 1) " == *" $1 "* ]] ||
		die "peer-get knows nothing of $1"
}

test_float_ipv4()
{
	ready udp4
	move_b 10.0.0.9/24
	floated remote-ipv4=10.0.0.9
}

test_float_ipv6()
{
	ready udp6
	move_b fd00::9/64 nodad
	floated remote-ipv6=fd00::9
}

# IPv4 is told as IPv4 though it came to an IPv6 socket
test_float_mapped()
{
	ready mapped
	move_b 10.0.0.9/24
	floated remote-ipv4=10.0.0.9
	does_fail grep -q remote-ipv6 "$T/n.ntf"
}

# From one family to the other, on a socket for both
test_float_ipv4_to_ipv6()
{
	ready mapped
	cli "$B" peer-set tunB id 1 remote fd00::1 "$PORT"
	floated remote-ipv6=fd00::2
}

# A link-local address needs its interface
test_float_link_local()
{
	local scope

	ready udp6
	ip -n "$A" addr add fe80::a/64 dev veth nodad
	ip -n "$B" addr flush dev veth scope link
	ip -n "$B" addr add fe80::b/64 dev veth nodad
	scope=$(ifindex "$B" veth)
	cli "$B" peer-set tunB id 1 remote fe80::a "$PORT" \
		scope "${scope#*=}"
	scope=$(ifindex "$A" veth)
	floated remote-ipv6=fe80::b "remote-ipv6-scope-id=${scope#*=}"
}

# Who stays is no news
test_no_float()
{
	ready
	pings "$B" 10.8.0.1
	cli "$A" peer-set tunA id 1 remote 10.0.0.2 "$PORT"
	pings "$B" 10.8.0.1
	cli "$A" peer-del tunA id 1
	gone userspace
}

# from PORT NUMBER: one authentic packet of $B's from that port
from()
{
	in_ns "$B" "$FRAMES" send from 10.0.0.2 "$1" to 10.0.0.1 "$PORT" \
		secret "secret" dir 1 key-id 0 peer-id 1 pkt-id "$2" \
		isrc 10.8.0.2 idst 10.8.0.1 >/dev/null
}

has_remote_port()
{
	[[ $(peer_value "$A" tunA 1 remote-port) == "$1" ]]
}

# A peer that moves with every packet must not flood the listeners
test_float_rate_limit()
{
	local i floats

	[[ -x $FRAMES ]] || skip "no $FRAMES"
	two_ends
	keys
	listen "$A" n
	for ((i = 1; i <= 60; i++)); do
		from $((2000 + i)) $((100 + i))
	done
	wait_for has_remote_port 2060
	# the first at once, and in the end what is true
	heard n peer-float-ntf id=1 remote-port=2001
	heard n peer-float-ntf id=1 remote-port=2060
	cli "$A" peer-del tunA id 1
	heard n peer-del-ntf id=1
	floats=$(grep -c peer-float-ntf "$T/n.ntf")
	echo "60 moves, $floats notifications"
	((floats < 40))
}

# Notifications go where the socket is, as its owner is who cares
test_namespace()
{
	local ns

	make_ns A B
	hold "$A" a udp4 0.0.0.0 "$PORT"
	cli "$B" link-new tunB mode p2p
	cli "$B" peer-new tunB id 1 sock "$(sock a)" remote 10.0.0.2 "$PORT"
	listen "$A" n
	listen "$B" other
	cli "$B" peer-del tunB id 1
	heard n peer-del-ntf "$(ifindex "$B" tunB)" id=1 del-reason=userspace
	# what comes next to the other listener comes first
	hold "$B" b udp4 0.0.0.0 "$PORT"
	cli "$B" peer-new tunB id 2 sock "$(sock b)" remote 10.0.0.2 "$PORT"
	cli "$B" peer-del tunB id 2
	heard other peer-del-ntf id=2
	equal "$(wc -l <"$T/other.ntf")" 1 "notifications of the device's side"
	equal "$(wc -l <"$T/n.ntf")" 1 "notifications of the socket's side"
}

run_tests del_userspace del_expired del_teardown del_transport_disconnect \
	del_process_killed del_replaced del_all float_ipv4 float_ipv6 \
	float_mapped float_ipv4_to_ipv6 float_link_local no_float \
	float_rate_limit namespace
