#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The counters of peers and of the device, exact to the byte. A peer counts
# packets inside the tunnel (vpn) and UDP payload outside of it (link).

# shellcheck disable=SC2119 # arguments that are optional
set -euo pipefail
# shellcheck source=common.sh
. ./common.sh
# shellcheck source=traffic.sh
. ./traffic.sh

# head and tag
OVER=24

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

# device_is rx|tx PACKETS BYTES
device_is()
{
	equal "$(link_stat "$A" tunA "$1" packets)" "$2" "device $1 packets"
	equal "$(link_stat "$A" tunA "$1" bytes)" "$3" "device $1 bytes"
}

# no packet but the test's
quiet_end()
{
	one_end
	count_packets "$A" in prerouting iifname tunA udp dport 4000
	# nor an answer to it
	in_ns "$A" nft add rule inet ovpn_test in udp dport 4000 drop
}

test_received()
{
	quiet_end
	fr send count 10 size 0
	fr send count 10 size 1000 pkt-id 20
	peer_is vpn-rx-packets 20 vpn-rx-bytes $((20 * 28 + 10000)) \
		link-rx-packets 20 link-rx-bytes $((20 * (28 + OVER) + 10000)) \
		link-tx-packets 0 link-tx-bytes 0
	device_is rx 20 $((20 * 28 + 10000))
	counts "$A" in 20
}

test_sent()
{
	quiet_end
	fr_serve fr quiet
	pings "$A" 10.8.0.2 -c 10 -i 0.01 -s 0
	pings "$A" 10.8.0.2 -c 10 -i 0.01 -s 1000
	fr_end fr
	peer_is vpn-tx-packets 20 \
		vpn-tx-bytes $((20 * 28 + 10000)) \
		link-tx-packets 20 link-tx-bytes $((20 * (28 + OVER) + 10000)) \
		vpn-rx-packets 20 vpn-rx-bytes $((20 * 28 + 10000))
	equal "$(value received "$T/fr.out")" 20 "packets at the other end"
	equal "$(link_stat "$A" tunA tx packets)" 20 "device tx packets"
	device_is rx 20 $((20 * 28 + 10000))
}

# they exist outside of the tunnel only
test_keepalives()
{
	quiet_end
	fr send inner keepalive count 5
	peer_is vpn-rx-packets 0 vpn-rx-bytes 0 link-rx-packets 5 \
		link-rx-bytes $((5 * (16 + OVER)))
	device_is rx 0 0
	equal "$(link_stat "$A" tunA rx dropped)" 0 "keepalives dropped"
	fr_words recv count 2 timeout 10
	spawn fr ip netns exec "$B" "$FRAMES" "${FR_WORDS[@]}"
	said fr ready
	cli "$A" peer-set tunA id 1 interval 1 timeout 30
	finish fr || die "no keepalives came: $(cat "$T/fr.out")"
	cli "$A" peer-set tunA id 1 interval 0 timeout 0
	equal "$(value keepalive "$T/fr.out")" 2 keepalives
	peer_is vpn-tx-packets 0 link-tx-packets 2 \
		link-tx-bytes $((2 * (16 + OVER)))
}

# what does not get through is counted, once, as dropped
test_dropped()
{
	local kind n=0

	quiet_end
	fr send count 3
	for kind in "ids 1-3" "secret wrong" "key-id 3" "peer-id 9" \
		    "pkt-id 0" "inner empty pkt-id 50" \
		    "inner empty pkt-id 50"; do
		# shellcheck disable=SC2086 # words
		n=$((n + $(fr send $kind | sed s/sent=//)))
		equal "$(link_stat "$A" tunA rx dropped)" $n "dropped: $kind"
	done
	n=$((n + $(fr classes opcode 6 | sed s/sent=//)))
	equal "$(link_stat "$A" tunA rx dropped)" $n "dropped: DATA_V1"
	peer_is vpn-rx-packets 3 vpn-rx-bytes $((3 * 92))
	device_is rx 3 $((3 * 92))
	counts "$A" in 3
}

# big packets of the stack count as the packets they become
test_super_packets()
{
	local what a b

	two_ends
	keys
	iperf_server "$B"
	iperf "$A" 10.8.0.2 -n 8M
	iperf "$A" 10.8.0.2 -n 2M -R
	for what in vpn link; do
		for unit in packets bytes; do
			a=$(peer_value "$A" tunA 1 $what-tx-$unit)
			b=$(peer_value "$B" tunB 1 $what-rx-$unit)
			equal "$b" "$a" "$what-$unit from A to B"
			a=$(peer_value "$A" tunA 1 $what-rx-$unit)
			b=$(peer_value "$B" tunB 1 $what-tx-$unit)
			equal "$b" "$a" "$what-$unit from B to A"
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
}

run_tests received sent keepalives dropped super_packets
