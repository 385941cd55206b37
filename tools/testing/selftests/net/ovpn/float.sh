#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# A peer whose address changes is followed, once it has proved that it is the
# peer.

# shellcheck disable=SC2119 # arguments that are optional
set -euo pipefail
# shellcheck source=common.sh
. ./common.sh
# shellcheck source=traffic.sh
. ./traffic.sh

# both ends listen on any address; A is a server
roaming_ends()
{
	two_hosts
	# or the new address would go together with the old one
	in_ns "$B" sysctl -qw net.ipv4.conf.veth.promote_secondaries=1
	hold "$A" a udp6 :: "$PORT"
	hold "$B" b udp6 :: "$PORT"
	tunnel_dev "$A" tunA mp 1
	tunnel_dev "$B" tunB p2p 2
	cli "$A" peer-new tunA id 1 sock "$(sock a)" \
		remote "$(outer "$1" 2)" "$PORT" vpn4 10.8.0.2 vpn6 fd08::2
	cli "$B" peer-new tunB id 1 sock "$(sock b)" \
		remote "$(outer "$1" 1)" "$PORT"
	keys
}

# where A sends to
remote()
{
	peer_value "$A" tunA 1 remote-ipv4 || peer_value "$A" tunA 1 remote-ipv6
}

remote_is()
{
	[[ $(remote) == "$1" ]]
}

# moves OLD NEW PREFIX-LENGTH: B changes its address
moves()
{
	ip -n "$B" addr add "$2/$3" dev veth
	ip -n "$B" addr del "$1/$3" dev veth
	wait_for remote_is "$2"
	echo "now at $(remote)"
}

# under_traffic TRANSPORT FIRST SECOND THIRD PREFIX-LENGTH FAMILY
under_traffic()
{
	roaming_ends "$1"
	listen "$A" a
	pings "$B" 10.8.0.1
	steady out "$B" 10.8.0.1 3
	steady in "$A" fd08::2 3
	moves "$2" "$3" "$5"
	heard a peer-float-ntf id=1 "remote-ipv$6=$3"
	moves "$3" "$4" "$5"
	heard a peer-float-ntf id=1 "remote-ipv$6=$4" "remote-port=$PORT"
	# no more than what was on its way to the old address
	steady_end out 4
	steady_end in 4
	count_packets "$B" old prerouting "meta nfproto ipv$6" \
		"ip$([[ $6 == 6 ]] && echo 6) daddr $2"
	pings "$A" 10.8.0.2
	counts "$B" old 0
}

test_ipv4()
{
	under_traffic mapped 10.0.0.2 10.0.0.22 10.0.0.23 24 4
}

test_ipv6()
{
	under_traffic udp6 fd00::2 fd00::22 fd00::23 64 6
}

# one socket serves both families
test_ipv4_to_ipv6()
{
	one_end mapped mp
	fr ping count 2 quiet
	remote_is 10.0.0.2 || die "remote is $(remote)"
	frames "$B" ping from fd00::2 4444 to fd00::1 "$PORT" secret secret \
		dir 1 peer-id 1 isrc 10.8.0.2 idst 10.8.0.1 pkt-id 10 quiet
	remote_is fd00::2 || die "remote is $(remote)"
	equal "$(peer_value "$A" tunA 1 remote-port)" 4444 port
	fr ping count 2 pkt-id 20 quiet
	remote_is 10.0.0.2 || die "remote is $(remote)"
}

# fr from another place: elsewhere PORT COMMAND...
elsewhere()
{
	frames "$B" "$2" from 10.0.0.3 "$1" to 10.0.0.1 "$PORT" secret secret \
		dir 1 peer-id 1 my-id 1 isrc 10.8.0.2 idst 10.8.0.1 \
		sport 4000 dport 4000 "${@:3}"
}

test_unproved()
{
	one_end udp4 mp
	ip -n "$B" addr add 10.0.0.3/24 dev veth
	listen "$A" a
	fr ping count 3 quiet
	elsewhere 5000 send secret wrong pkt-id 100 count 20
	elsewhere 5000 send key-id 3 pkt-id 100 count 20
	elsewhere 5000 send peer-id 7 pkt-id 100 count 20
	elsewhere 5000 send ids 1-3
	elsewhere 5000 send pkt-id 0
	elsewhere 5000 lengths pkt-id 100 size 200
	elsewhere 5000 bitflip pkt-id 100
	elsewhere 5000 flood pkt-id 3 count 500
	remote_is 10.0.0.2 || die "remote is $(remote)"
	equal "$(peer_value "$A" tunA 1 remote-port)" "$PORT" port
	fr ping pkt-id 200 count 3 quiet
	[[ ! -s $T/a.ntf ]] || die "notified: $(cat "$T/a.ntf")"
	# the proof that it would have floated
	elsewhere 5000 ping pkt-id 300 count 3 quiet
	remote_is 10.0.0.3 || die "remote is $(remote)"
	heard a peer-float-ntf remote-ipv4=10.0.0.3 remote-port=5000
}

# What was overtaken on its way says nothing about where the peer is now
test_late_packet()
{
	one_end udp4 mp
	ip -n "$B" addr add 10.0.0.3/24 dev veth
	count_packets "$A" in prerouting iifname tunA
	fr ping count 1 quiet
	elsewhere 5000 ping pkt-id 10 count 1 quiet
	fr send pkt-id 5
	counts "$A" in 3 || die "the late packet was not accepted"
	remote_is 10.0.0.3 || die "remote is $(remote)"
	elsewhere 5000 ping pkt-id 11 count 2 quiet
}

# a peer that changes its port with every packet must not flood its owner
test_notifications_are_rare()
{
	local port begin most

	one_end udp4 mp
	ip -n "$B" addr add 10.0.0.3/24 dev veth
	listen "$A" a
	begin=$SECONDS
	for ((port = 5000; port < 5030; port++)); do
		elsewhere "$port" send pkt-id "$port" >/dev/null
		# so that some are told at once, and some are put off
		sleep 0.2
	done
	equal "$(peer_value "$A" tunA 1 remote-port)" 5029 port
	# the last word is the truth, even if it comes later
	heard a peer-float-ntf remote-port=5029
	# one at once, one each second, and the last one
	most=$((SECONDS - begin + 3))
	port=$(grep -c peer-float-ntf "$T/a.ntf")
	echo "$port notifications of 30 floats, at most $most"
	[[ $port -le $most ]] || die "too many"
	[[ $most -lt 30 ]] || skip "too slow to float twice in a second"
}

# what is told later is so even if the timer is set for something else meanwhile
test_notification_outlives_keepalives()
{
	one_end udp4 mp
	ip -n "$B" addr add 10.0.0.3/24 dev veth
	listen "$A" a
	elsewhere 5000 send pkt-id 1
	elsewhere 5001 send pkt-id 2
	cli "$A" peer-set tunA id 1 interval 3000 timeout 9000
	[[ ! $(<"$T/a.ntf") == *remote-port=5001* ]] ||
		skip "too slow to float twice in a second"
	heard a peer-float-ntf remote-port=5001
}

run_tests ipv4 ipv6 ipv4_to_ipv6 unproved late_packet \
	notifications_are_rare notification_outlives_keepalives
