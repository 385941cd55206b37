#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# What is not for the data channel reaches the program that owns the socket, as
# it came.

# shellcheck disable=SC2119 # arguments that are optional
set -euo pipefail
# shellcheck source=common.sh
. ./common.sh
# shellcheck source=traffic.sh
. ./traffic.sh

# arrives HEX [ADDR PORT]: user space gets this datagram, from there
arrives()
{
	equal "$(cli "$A" recv "$(sock a)" timeout 5)" \
		"${2:-10.0.0.2} ${3:-$PORT} $1" "what came to user space"
}

# nothing_arrives: a marker that is sent last comes first
nothing_arrives()
{
	fr bytes hex 0123456789abcdef >/dev/null
	arrives 0123456789abcdef
}

# opcode N KEY-ID: its first byte
opcode()
{
	printf '%02x' $(($1 << 3 | $2))
}

test_every_opcode()
{
	local op body=00112233445566778899aabbccddeeff0011223344

	one_end
	for ((op = 0; op < 32; op++)); do
		case $op in
		6|9) continue ;;
		esac
		fr bytes hex "$(opcode $op $((op % 8)))$body" >/dev/null
		arrives "$(opcode $op $((op % 8)))$body"
	done
	equal "$(peer_value "$A" tunA 1 link-rx-packets)" 0 "data packets"
	equal "$(link_stat "$A" tunA rx dropped)" 0 "packets dropped"
}

test_data_stays()
{
	local n=0

	one_end
	count_packets "$A" in prerouting iifname tunA
	# DATA_V1 is of no use without the peer id, and no control packet
	n=$((n + $(fr classes opcode 6 | sed s/sent=//)))
	n=$((n + $(fr classes opcode 9 | sed s/sent=//)))
	equal "$(link_stat "$A" tunA rx dropped)" "$n" "packets dropped"
	counts "$A" in 0 || die "one got in"
	fr send secret wrong count 3 >/dev/null
	nothing_arrives
}

test_any_size()
{
	local size body

	one_end
	# one without anything is not the data channel's either
	fr bytes >/dev/null
	arrives ""
	for size in 1 2 7 8 23 24 100 1472 1473 8000 60000; do
		body=$(head -c $((size - 1)) /dev/zero | tr '\0' x |
			od -An -v -tx1 | tr -d ' \n')
		fr bytes hex "$(opcode 4 0)$body" >/dev/null
		arrives "$(opcode 4 0)$body"
	done
}

# of any sender: that is how a session starts
test_from_strangers()
{
	one_end udp4 mp
	ip -n "$B" addr add 10.0.0.3/24 dev veth
	frames "$B" bytes from 10.0.0.3 4321 to 10.0.0.1 "$PORT" hex 38aabb
	arrives 38aabb 10.0.0.3 4321
	# a stranger's packet does not make its address the peer's
	equal "$(peer_value "$A" tunA 1 remote-ipv4)" 10.0.0.2 "remote address"
}

test_ipv6()
{
	one_end udp6
	fr bytes hex 38aabbccdd
	arrives 38aabbccdd fd00::2
	cli "$A" send "$(sock a)" 40010203 fd00::2 "$PORT"
}

# both kinds at once, and the program can still send
test_among_data()
{
	local i

	two_ends
	keys
	steady data "$A" 10.8.0.2 2
	for ((i = 10; i < 40; i++)); do
		cli "$B" send "$(sock b)" "28${i}dd" 10.0.0.1 "$PORT"
		arrives "28${i}dd"
	done
	steady_end data
}

# An end that has no id yet says so; its address tells who it is
test_undefined_peer_id()
{
	local undef=0xffffff

	one_end udp4 mp
	ip -n "$B" addr add 10.0.0.3/24 dev veth
	fr ping count 3 quiet peer-id $undef
	fr ping count 3 quiet pkt-id 10
	# from an address that no peer has, or another port
	count_packets "$A" in prerouting iifname tunA
	frames "$B" send from 10.0.0.3 "$PORT" to 10.0.0.1 "$PORT" \
		secret secret dir 1 peer-id $undef isrc 10.8.0.2 \
		idst 10.8.0.1 pkt-id 20
	fr send from 10.0.0.2 4321 peer-id $undef pkt-id 20
	counts "$A" in 0 || die "a stranger's packet got in"
	# the address is looked up anew when it has changed
	cli "$A" peer-set tunA id 1 remote 10.0.0.3 "$PORT"
	fr send peer-id $undef pkt-id 20
	counts "$A" in 0 || die "found by the old address"
	fr ping from 10.0.0.3 "$PORT" peer-id $undef pkt-id 21 quiet
}

# without a peer the socket is what it was before
test_after_the_peer()
{
	one_end
	cli "$A" peer-del tunA id 1
	fr send count 1 >/dev/null
	[[ $(cli "$A" recv "$(sock a)" timeout 5) == "10.0.0.2 $PORT 48"* ]] ||
		die "the data packet did not come to user space"
}

# broadcast COMMAND [WORD...]: of B, to all
broadcast()
{
	fr "$1" to 10.0.0.255 "$PORT" "${@:2}" >/dev/null
}

# received NAME HEX: that held socket gets this datagram of B's
received()
{
	equal "$(cli "$A" recv "$(sock "$1")" timeout 5)" \
		"10.0.0.2 $PORT $2" "what came to $1"
}

# A broadcast comes to all sockets of its port, each of which gets a copy that
# may share its memory with the others'. Of a data packet one is ours, and is
# good from everywhere, but says nothing about where to send from.
test_broadcast()
{
	local sealed

	FR_TRANSPORT=udp4
	two_hosts
	# the last one gets what is sent to A alone
	hold "$A" plain udp4 0.0.0.0 "$PORT" reuse
	hold "$A" a udp4 0.0.0.0 "$PORT" reuse
	hold "$B" copy udp4 10.0.0.2 4321
	tunnel_dev "$A" tunA mp 1
	cli "$A" peer-new tunA id 1 sock "$(sock a)" remote 10.0.0.2 "$PORT" \
		vpn4 10.8.0.2
	key "$A" tunA 1 0
	count_packets "$A" in prerouting iifname tunA udp dport 4000
	# no answer to it
	in_ns "$A" nft add rule inet ovpn_test in udp dport 4000 drop

	broadcast bytes hex 38aabbccdd
	received a 38aabbccdd
	received plain 38aabbccdd
	# the same datagram, to see what is in it
	fr send pkt-id 5 size 100 to 10.0.0.2 4321 >/dev/null
	sealed=$(cli "$B" recv "$(sock copy)" timeout 5)
	broadcast send pkt-id 5 size 100
	received plain "${sealed##* }"
	wait_for counts "$A" in 1
	equal "$(peer_value "$A" tunA 1 local-ipv4)" 0.0.0.0 "local address"
	dropped_only "$A" tunA
	fr ping count 3 pkt-id 10 quiet
	equal "$(peer_value "$A" tunA 1 local-ipv4)" 10.0.0.1 "local address"

	# or both are ours, but it is one packet
	cli "$A" peer-new tunA id 2 sock "$(sock plain)" remote 10.0.0.3 9 \
		vpn4 10.8.0.3
	broadcast send pkt-id 20 size 100
	wait_for counts "$A" in 2
	dropped_only "$A" tunA rx_replayed=1
	broadcast bytes hex 38ddccbbaa
	received a 38ddccbbaa
	received plain 38ddccbbaa
	equal "$(peer_value "$A" tunA 1 local-ipv4)" 0.0.0.0 "local address"
	fr ping count 3 pkt-id 30 quiet
}

run_tests every_opcode data_stays any_size from_strangers ipv6 among_data \
	undefined_peer_id after_the_peer broadcast
