#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# A tunnel over TCP carries IPv4 and IPv6 over IPv4, IPv6 and IPv4 on an IPv6
# socket; keys change, silence is noticed, and every packet is counted.

# shellcheck disable=SC2119 # arguments that are optional
set -euo pipefail
# shellcheck source=common.sh
. ./common.sh
# shellcheck source=traffic.sh
. ./traffic.sh
# shellcheck source=stream.sh
. ./stream.sh

# head and tag; the length in front of a record does not count
OVER=24

# through TRANSPORT CIPHER BITS: nothing is lost
through()
{
	local f

	two_ends "$1"
	keys secret primary 0 "${@:2}"
	iperf_server "$B"
	for f in 4 6; do
		pings "$A" "$(inner $f 2)" -c 20 -i 0.01
		pings "$B" "$(inner $f 1)" -c 20 -i 0.01 -s 1200
		iperf "$A" "$(inner $f 2)" -n 4M
		iperf "$A" "$(inner $f 2)" -n 4M -R
		udp_iperf "$A" "$(inner $f 2)"
	done
	no_drops
}

test_over_ipv4()
{
	through tcp4 aes-gcm 256
}

test_over_ipv6()
{
	through tcp6 chacha20-poly1305 256
}

test_over_mapped()
{
	through tcpmapped aes-gcm 128
}

# what one sends the other gets, super-packets as the packets they become
test_counted()
{
	local what unit a b

	two_ends tcp4
	keys
	iperf_server "$B"
	iperf "$A" 10.8.0.2 -n 8M
	iperf "$A" fd08::2 -n 2M -R
	# a stream may go on for a while after iperf3 has done
	wait_for streams_over
	for what in vpn link; do
		for unit in packets bytes; do
			wait_for same "$A" tunA $what-tx-$unit \
				"$B" tunB $what-rx-$unit
			wait_for same "$B" tunB $what-tx-$unit \
				"$A" tunA $what-rx-$unit
		done
	done
	a=$(peer_value "$A" tunA 1 vpn-tx-bytes)
	b=$(peer_value "$A" tunA 1 vpn-tx-packets)
	[[ $a -gt 8388608 && $b -gt 5000 ]] || die "too few: $a bytes in $b"
	equal "$(peer_value "$A" tunA 1 link-tx-packets)" "$b" \
		"link and vpn packets"
	equal "$(peer_value "$A" tunA 1 link-tx-bytes)" $((a + b * OVER)) \
		"link and vpn bytes"
	equal "$(link_stat "$A" tunA rx bytes)" \
		"$(peer_value "$A" tunA 1 vpn-rx-bytes)" "device rx bytes"
	equal "$(link_stat "$A" tunA tx packets)" "$b" "device tx packets"
	no_drops
}

streams_over()
{
	local ns which="sport = :5201 or dport = :5201"

	for ns in "$A" "$B"; do
		[[ -z $(in_ns "$ns" ss -Htn "$which") ]] || return
	done
}

# same NS DEV NAME NS DEV NAME
same()
{
	[[ $(peer_value "$1" "$2" 1 "$3") == $(peer_value "$4" "$5" 1 "$6") ]]
}

# peer_is WORD N...: the counters of A's peer
peer_is()
{
	local got

	got=$(cli "$A" peer-get tunA id 1)
	while (($#)); do
		[[ " $got " == *" $1=$2 "* ]] || die "$1 is not $2: $got"
		shift 2
	done
}

# exact to the byte
test_counted_exactly()
{
	raw_end
	count_packets "$A" in prerouting iifname tunA udp dport 4000
	in_ns "$A" nft add rule inet ovpn_test in udp dport 4000 drop
	raw send count 10 size 0
	raw send count 10 size 1000
	raw send what control count 5
	wait_for counts "$A" in 20
	peer_is vpn-rx-packets 20 vpn-rx-bytes $((20 * 28 + 10000)) \
		link-rx-packets 20 link-rx-bytes $((20 * (28 + OVER) + 10000)) \
		link-tx-packets 0 link-tx-bytes 0
	equal "$(link_stat "$A" tunA rx packets)" 20 "device rx packets"
	equal "$(link_stat "$A" tunA rx bytes)" $((20 * 28 + 10000)) \
		"device rx bytes"

	raw_serve raw
	pings "$A" 10.8.0.2 -c 10 -i 0.01 -s 0
	pings "$A" 10.8.0.2 -c 10 -i 0.01 -s 1000
	raw_served raw
	peer_is vpn-tx-packets 20 vpn-tx-bytes $((20 * 28 + 10000)) \
		link-tx-packets 20 link-tx-bytes $((20 * (28 + OVER) + 10000)) \
		vpn-rx-packets 40 vpn-rx-bytes $((40 * 28 + 20000))
	equal "$(value received "$T/raw.out")" 20 "packets at the other end"
	equal "$(link_stat "$A" tunA tx packets)" 20 "device tx packets"
	dropped_only "$A" tunA
}

# what is no good is counted, and the connection goes on
test_dropped()
{
	raw_end
	raw send count 3
	raw send count 2 pkt-id 1
	raw send count 4 secret wrong
	raw send count 5 key-id 3
	raw_alive
	dropped_only "$A" tunA rx_unknown_key=5 rx_auth_failed=4 rx_replayed=2
	equal "$(link_stat "$A" tunA rx packets)" 6 "device rx packets"
}

test_keepalives()
{
	raw_end
	raw send inner keepalive count 5
	raw_start alive recv count 2 timeout 20
	said alive ready
	cli "$A" peer-set tunA id 1 interval 1 timeout 30
	raw_done alive
	equal "$(value keepalive "$T/alive.out")" 2 keepalives
	peer_is vpn-rx-packets 0 link-rx-packets 5 \
		link-rx-bytes $((5 * (16 + OVER))) vpn-tx-packets 0
	equal "$(link_stat "$A" tunA rx packets)" 0 "device rx packets"
}

# two live ends keep each other; the silent one is missed, and its connection
# is the program's again
test_expiry()
{
	local got

	two_ends tcp4
	keys
	listen "$A" a
	cli "$B" peer-set tunB id 1 interval 1 timeout 3
	cli "$A" peer-set tunA id 1 interval 1 timeout 3
	got=$(peer_value "$A" tunA 1 link-rx-packets)
	wait_for more_than "$got" 5
	has_peer "$B" tunB 1
	cli "$B" peer-del tunB id 1
	heard a peer-del-ntf id=1 del-reason=expired
	"$TCP" bytes sock "$(sock a)" hex aabbccdd >/dev/null
	arrives_last b dd
}

# more_than BEFORE N: so many packets came
more_than()
{
	(($(peer_value "$A" tunA 1 link-rx-packets) >= $1 + $2))
}

# renew_in_order KEY-ID: as renew does, but an old key stays until nothing that
# it sealed is under way: an answer that came tells, as TCP keeps the order
renew_in_order()
{
	keys "secret$1" secondary "$1"
	cli "$A" key-swap tunA id 1
	cli "$B" key-swap tunB id 1
	pings "$A" 10.8.0.2 -c 1
	cli "$A" key-del tunA id 1 slot secondary
	cli "$B" key-del tunB id 1 slot secondary
}

test_rekey()
{
	local round

	two_ends tcp4
	keys
	pings "$A" 10.8.0.2
	steady there "$A" 10.8.0.2 1
	steady back "$B" fd08::1 1 -s 1300
	for ((round = 1; round <= 10; round++)); do
		renew_in_order $((round % 8))
	done
	steady_end there
	steady_end back
	no_drops
}

test_rekey_under_load()
{
	local round

	two_ends tcp6
	keys secret primary 0 chacha20-poly1305
	iperf_server "$B"
	spawn iperf ip netns exec "$A" iperf3 -c 10.8.0.2 -i 0 -t 1000
	wait_for tx_bytes "$A" tunA 1000000
	for ((round = 1; round <= 8; round++)); do
		renew_in_order $((round % 8))
	done
	! job_done iperf || { cat "$T/iperf.out"; die "iperf3 has ended"; }
	no_drops
}

# as long as a record can be
test_big_packets()
{
	local size

	two_ends tcp4
	keys
	ip -n "$A" link set tunA mtu 65000
	ip -n "$B" link set tunB mtu 65000
	for size in 1472 9000 40000 64972; do
		pings "$A" 10.8.0.2 -s $size
	done
	iperf_server "$B"
	iperf "$A" 10.8.0.2 -n 8M
	iperf "$A" fd08::2 -n 8M -R
	no_drops
}

test_server_and_clients()
{
	local i f

	mp_star 4 tcp4
	in_ns "$S" sysctl -qw net.ipv4.ip_forward=1 \
		net.ipv6.conf.all.forwarding=1
	for i in 2 3 4 5; do
		for f in 4 6; do
			pings "$S" "$(inner $f $i)"
			pings "${C[i]}" "$(inner $f 1)"
			pings "${C[i]}" "$(inner $f $((i == 5 ? 2 : i + 1)))"
		done
	done
	iperf_server "${C[5]}"
	iperf "${C[2]}" 10.8.0.5 -n 4M
	iperf "${C[3]}" fd08::5 -n 4M -R
	cli "$S" peer-del tun1 id 4
	no_pings "${C[4]}" 10.8.0.1
	pings "${C[3]}" fd08::1
	release n4
	star_peer 4 tcp4
	key "$S" tun1 4 0 new
	key "${C[4]}" tun4 4 1 new
	pings "${C[4]}" 10.8.0.1
}

run_tests over_ipv4 over_ipv6 over_mapped counted counted_exactly dropped \
	keepalives expiry rekey rekey_under_load big_packets server_and_clients
