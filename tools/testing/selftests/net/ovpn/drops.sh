#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Each packet that is dropped is counted once, and for the reason that it is.

# shellcheck disable=SC2119 # arguments that are optional
set -euo pipefail
# shellcheck source=common.sh
. ./common.sh
# shellcheck source=traffic.sh
. ./traffic.sh

require python3 nft ethtool ping

# what A has dropped by now
declare -A DROPPED=()

expected()
{
	local why

	for why in "${!DROPPED[@]}"; do
		echo "$why=${DROPPED[$why]}"
	done | sort
}

as_expected()
{
	[[ $(drops "$A" tunA | sort) == "$(expected)" ]]
}

# drops_for REASON N COMMAND...: so many packets, and none for another reason
drops_for()
{
	DROPPED[$1]=$((${DROPPED[$1]:-0} + $2))
	"${@:3}" >"$T/out" 2>&1 || true
	wait_ms "$OVPN_WAIT_MS" as_expected ||
		die "dropped $(drops "$A" tunA | xargs), wanted" \
			"$(expected | xargs): ${*:3}"
}

# what A sends to an address in the tunnel
to()
{
	in_ns "$A" ping -q -n -c 2 -i 0.05 -W 0.1 "${@:2}" "$1"
}

# backlog N: how much may wait for a CPU, of each device
backlog()
{
	sysctl -qw net.core.netdev_max_backlog="$1"
}

test_received()
{
	one_end udp4 mp
	fr send count 3
	drops_for rx_unknown_key 2 fr send key-id 3 pkt-id 10 count 2
	drops_for rx_unknown_peer 2 fr send peer-id 9 pkt-id 10 count 2
	drops_for rx_auth_failed 2 fr send secret wrong pkt-id 10 count 2
	drops_for rx_replayed 3 fr send ids 1-3
	drops_for rx_replayed 1 fr send pkt-id 0
	drops_for rx_too_short 1 fr bytes hex 48000001
	drops_for rx_too_short 1 fr send inner empty pkt-id 20
	drops_for rx_data_v1 1 fr bytes hex 3000
	drops_for rx_reverse_path 2 fr send isrc 10.8.0.9 pkt-id 30 count 2
	drops_for rx_reverse_path 2 fr send isrc fd08::9 idst fd08::1 \
		pkt-id 40 count 2
	fr ping count 1 quiet pkt-id 50
}

# Marked as congested on the way, but inside nobody could be told
test_congestion()
{
	one_end udp4
	in_ns "$A" nft -f - <<-EOF
		table ip ovpn_ecn {
			chain in {
				type filter hook prerouting priority -300
				udp dport $PORT ip ecn set ce
			}
		}
	EOF
	drops_for rx_bad_ecn 2 fr send count 2
	drops_for rx_bad_ecn 2 fr send isrc fd08::2 idst fd08::1 \
		pkt-id 10 count 2
}

test_device_is_down()
{
	one_end udp4
	ip -n "$A" link set tunA down
	drops_for rx_dev_down 3 fr send count 3
	ip -n "$A" link set tunA up
	fr ping count 1 quiet pkt-id 10
}

# No room at all: what comes over UDP is dropped
test_backlog()
{
	local before i

	one_end udp4
	fr send pkt-id 10
	before=$(sysctl -n net.core.netdev_max_backlog)
	defer backlog "$before"
	backlog 0
	for i in 1 2 3; do
		drops_for rx_backlog_full 1 fr send pkt-id $((20 + i))
	done
	backlog "$before"
	fr ping count 1 quiet pkt-id 30
}

# but over TCP it waits
test_backlog_tcp()
{
	local before

	two_ends tcp4
	keys
	pings "$A" 10.8.0.2
	before=$(sysctl -n net.core.netdev_max_backlog)
	defer backlog "$before"
	backlog 0
	spawn ping ip netns exec "$A" "$PINGER" -c 3 -i 0.05 -W 20 10.8.0.2
	sleep 0.5
	! job_done ping || die "answered in spite of it: $(cat "$T/ping.out")"
	backlog "$before"
	finish ping || { cat "$T/ping.out"; die "packets were lost"; }
	no_drops
}

test_sent()
{
	one_end udp4 mp
	fr ping count 1 quiet
	drops_for tx_no_peer 2 to 10.8.0.9
	drops_for tx_no_peer 2 to fd08::9
	drops_for tx_not_ip 1 in_ns "$A" python3 -c '
import socket
sock = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM)
sock.sendto(bytes(40), ("tunA", 0x0806))'
	# an IPv6 packet that says it is of IPv4
	drops_for tx_not_ip 1 in_ns "$A" python3 -c '
import socket
sock = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM)
sock.sendto(bytes([0x60]) + bytes(39), ("tunA", 0x0800))'
	cli "$A" key-del tunA id 1 slot primary
	drops_for tx_no_key 2 to 10.8.0.2
}

# the way to the peer is gone, or leads into the tunnel
no_way()
{
	one_end "$1"
	fr ping count 1 quiet
	ip -n "$A" route add "$(outer "$1" 2)" dev tunA
	drops_for tx_no_route 2 to 10.8.0.2
	ip -n "$A" route replace unreachable "$(outer "$1" 2)"
	drops_for tx_no_route 2 to 10.8.0.2
	ip -n "$A" route del unreachable "$(outer "$1" 2)"
	ip -n "$A" route del "$(outer "$1" 2)" dev tunA || true
	fr ping count 1 quiet pkt-id 10
}

test_no_way_udp4()
{
	no_way udp4
}

test_no_way_udp6()
{
	no_way udp6
}

# the owner of the socket wants no fragments
too_big()
{
	local addr=0.0.0.0 option=pmtudisc

	[[ $1 == udp4 ]] || addr=:: option=pmtudisc6
	two_hosts
	hold "$A" a "$1" $addr "$PORT" $option 2
	tunnel_dev "$A" tunA p2p 1
	cli "$A" peer-new tunA id 1 sock "$(sock a)" \
		remote "$(outer "$1" 2)" "$PORT"
	key "$A" tunA 1 0
	ip -n "$A" link set veth mtu 1300
	drops_for tx_too_big 2 to 10.8.0.2 -s 1300
	to 10.8.0.2 -s 1000 || true
	as_expected || die "dropped what fits"
}

test_too_big_udp4()
{
	too_big udp4
}

test_too_big_udp6()
{
	too_big udp6
}

# Longer than the length of a record can tell. No MTU allows it, but what is
# redirected does not ask for that
test_too_big_tcp()
{
	two_ends tcp4
	keys
	pings "$A" 10.8.0.2
	ip -n "$A" link add big mtu 65535 type dummy ||
		skip "no dummy devices in this kernel (CONFIG_DUMMY)"
	ip -n "$A" link set big up
	ip -n "$A" addr add 192.168.8.1/24 dev big
	ip -n "$A" neigh add 192.168.8.2 lladdr 02:00:00:00:00:01 dev big
	if ! in_ns "$A" tc qdisc add dev big clsact ||
	   ! in_ns "$A" tc filter add dev big egress matchall \
		action mirred egress redirect dev tunA; then
		skip "nothing can be redirected (CONFIG_NET_SCH_INGRESS," \
			"NET_CLS_MATCHALL, NET_ACT_MIRRED)"
	fi
	drops_for tx_too_big 2 to 192.168.8.2 -s 65507
	drops_for tx_too_big 0 to 192.168.8.2 -s 65400
	pings "$A" 10.8.0.2
}

# A super-packet of five datagrams that do not fit, and a short one that does
send_super()
{
	in_ns "$A" python3 -c '
import socket
sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
sock.setsockopt(socket.SOL_UDP, 103, 1250)
sock.sendto(bytes(5 * 1250 + 100), ("10.8.0.2", 9))'
}

# it is cut, and what is dropped of it is each datagram for itself
test_super_packets()
{
	two_hosts
	hold "$A" a udp4 0.0.0.0 "$PORT" pmtudisc 2
	tunnel_dev "$A" tunA p2p 1
	cli "$A" peer-new tunA id 1 sock "$(sock a)" remote 10.0.0.2 "$PORT"
	key "$A" tunA 1 0
	FR_TRANSPORT=udp4
	fr_serve fr
	count_packets "$B" outer prerouting iifname veth udp dport "$PORT"
	ip -n "$A" link set veth mtu 1300
	drops_for tx_too_big 5 send_super
	wait_for counts "$B" outer 1
	ip -n "$A" route add unreachable 10.0.0.2
	drops_for tx_no_route 6 send_super
	ip -n "$A" route del unreachable 10.0.0.2
	cli "$A" key-swap tunA id 1
	drops_for tx_no_key 6 send_super
	cli "$A" key-swap tunA id 1
	counts "$B" outer 1 || die "sent in spite of it"
	pings "$A" 10.8.0.2
	fr_end fr
	as_expected || die "dropped others: $(drops "$A" tunA | xargs)"
}

run_tests received congestion device_is_down backlog backlog_tcp sent \
	no_way_udp4 no_way_udp6 too_big_udp4 too_big_udp6 too_big_tcp \
	super_packets
