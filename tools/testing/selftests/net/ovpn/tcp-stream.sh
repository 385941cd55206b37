#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# TCP does not know of records: they come in any pieces, many at once, and with
# lengths that are none.

# shellcheck disable=SC2119 # arguments that are optional
set -euo pipefail
# shellcheck source=common.sh
. ./common.sh
# shellcheck source=traffic.sh
. ./traffic.sh
# shellcheck source=stream.sh
. ./stream.sh

# A counts, and drops, what B sends into the tunnel
counting()
{
	raw_end "${1:-tcp4}" "${2:-p2p}" "${@:3}"
	count_packets "$A" in prerouting iifname tunA udp dport 4000
	in_ns "$A" nft add rule inet ovpn_test in udp dport 4000 drop
}

# came N: so many data records, all of them good
came()
{
	wait_for counts "$A" in "$1"
	dropped_only "$A" tunA
}

# each piece was a segment: else nothing was tested
segments()
{
	[[ $(value segments "$T/raw.out") -ge $1 ]] ||
		die "fewer than $1 segments: $(cat "$T/raw.out")"
}

# each record is cut in two at each offset, the longest too
test_split_in_two()
{
	counting
	user_start user recv what control count 1299
	# a reader that gets no processor for long would find its queue full
	raw split what both bytes 1300 size 100 pause "$OVPN_SLOW"
	segments 1900
	user_got user 1299
	came 1299
	raw_alive
}

# each two offsets of two short records: three pieces
test_split_in_three()
{
	counting tcp6
	raw split what data bytes 108 size 0 pieces 3
	segments 17000
	came 11770
	raw_alive
}

test_byte_by_byte()
{
	counting tcp4 mp
	user_start user recv what control count 10
	raw crumbs what both count 20 size 100
	segments 3500
	user_got user 10
	came 10
	raw_alive
}

# bursts WHAT SIZE COUNT: writes of 64 KB
bursts()
{
	local i data=0 control=0

	counting tcp4 p2p sndbuf 300000 rcvbuf 300000
	user_start user recv what control timeout 60
	for ((i = 0; i < $3; i++)); do
		raw burst what "$1" size "$2" bytes 65000 count 4
		data=$((data + $(value sent "$T/raw.out")))
		control=$((control + $(value control "$T/raw.out")))
		raw_alive
	done
	came "$data"
	# told to stop, it has read what had come before
	kill "${JOB_PID[user]}"
	user_got user "$control"
}

test_coalesced_small()
{
	bursts data 0 5
}

test_coalesced_large()
{
	bursts data 1300 10
}

# not more control records than the queue of an idle program holds
test_coalesced_both()
{
	bursts both 3000 10
}

# longer than a read, a segment, or a super-packet
test_long_records()
{
	local size

	counting
	for size in 1400 1500 8000 16384 32768 64900; do
		raw send count 5 size $size
	done
	came 30
	raw_alive
}

# fresh: a new connection for the peer, as after an error
fresh()
{
	release a
	release b
	__hold_node "$A" a tcp4 accept
	connect_to "$B" b tcp4 1
	RAW_ID=1 RAW_SEQ=1 RAW_PEER=$((RAW_PEER + 1))
	cli "$A" peer-new tunA id "$RAW_PEER" sock "$(sock a)"
	key "$A" tunA "$RAW_PEER" 0
	raw_alive
}

# ends_peer COMMAND...: what raw does ends the peer as an error, and resets the
# connection
ends_peer()
{
	raw "$@"
	heard a peer-del-ntf id="$RAW_PEER" del-reason=transport-error
	! has_peer "$A" tunA "$RAW_PEER" || die "the peer is still there"
	raw recv timeout 5
	equal "$(value end "$T/raw.out")" reset "end of the connection"
	fresh
}

test_bad_lengths()
{
	local len

	raw_end
	listen "$A" a
	raw_alive
	ends_peer bytes hex 0000
	# behind good ones
	ends_peer bytes hex 000138000138000048
	for len in 1 2 3 4 7 8 23 24; do
		ends_peer length len $len
	done
}

# in_pieces HEX...: each by a write, and a segment, of its own
in_pieces()
{
	local hex

	for hex; do
		"$TCP" bytes sock "$(sock b)" hex "$hex" >/dev/null
		wait_for received_all
	done
}

# A has read all that B has sent
received_all()
{
	[[ -z $(in_ns "$B" ss -Htn state established "dport = :$PORT" |
		awk '$2 > 0') &&
	   -z $(in_ns "$A" ss -Htn state established "sport = :$PORT" |
		awk '$1 > 0') ]]
}

# ended_as_error: what came in pieces has ended the peer
ended_as_error()
{
	heard a peer-del-ntf id="$RAW_PEER" del-reason=transport-error
	! has_peer "$A" tunA "$RAW_PEER" || die "the peer is still there"
	fresh
}

# the same, but nobody sees it at once
test_bad_lengths_in_pieces()
{
	raw_end
	listen "$A" a
	raw_alive
	in_pieces 00 00
	ended_as_error
	in_pieces 0001 48
	ended_as_error
	# the longest that has no room for anything
	in_pieces 0018 4800000100000001 00000000000000000000000000000000
	ended_as_error
}

# of another time, and no business of user space's
test_data_v1()
{
	raw_end
	raw_alive
	raw bytes hex 000530aabbccdd
	in_pieces 0005 30aabb ccdd
	raw_alive
	dropped_only "$A" tunA rx_data_v1=2
	refused "timed out" "$CLI" recv "$(sock a)" timeout 1
}

# no error of the stream: forged, or somebody else's business
test_odd_lengths()
{
	raw_end
	raw_alive
	raw length len 25
	raw_alive
	raw length len 65535
	raw_alive
	dropped_only "$A" tunA rx_auth_failed=2
	raw length what control len 1
	arrives a 000120
	raw length what control len 65535
	raw_alive
	# whole, but not in our pattern
	"$TCP" recv what control sock "$(sock a)" timeout 1 quiet \
		>"$T/user.out" || true
	equal "$(value wrong "$T/user.out") $(value left "$T/user.out")" "1 0" \
		"long records"
}

# whatever it looks like: the peer ends, or waits for more; nothing breaks
test_garbage()
{
	local seed

	raw_end
	listen "$A" a
	for ((seed = 1; seed <= 25; seed++)); do
		(raw garbage seed "$seed" bytes $((seed * 1000))) || true
		"$TCP" reset sock "$(sock b)"
		heard a peer-del-ntf id="$RAW_PEER"
		fresh
	done
}

# The stream ends inside of a record
test_end_inside()
{
	local hex

	raw_end
	listen "$A" a
	for hex in 00 0100 010048 0100480000010000; do
		raw bytes hex $hex
		raw shut
		heard a peer-del-ntf id="$RAW_PEER" \
			del-reason=transport-disconnect
		fresh
	done
}

# Control records of both ends, while the tunnel is full both ways
test_control_during_bulk()
{
	two_ends tcp4
	keys
	iperf_server "$B"
	iperf_server "$A"
	spawn there ip netns exec "$A" iperf3 -c 10.8.0.2 -t 1000 -i 0
	spawn back ip netns exec "$B" iperf3 -c fd08::1 -t 1000 -i 0
	wait_for tx_bytes "$A" tunA 1000000
	wait_for tx_bytes "$B" tunB 1000000
	user_start user talk count 1000
	raw talk count 1000 timeout 60
	user_got user 1000
	! job_done there || die "the traffic there has ended"
	! job_done back || die "the traffic back has ended"
	no_drops
}

# the same, and every byte of it is looked at; small buffers tear what can be
# torn
test_control_during_bulk_checked()
{
	raw_end tcp4 p2p sndbuf 16384 rcvbuf 16384
	blast much "$A" 10.8.0.2 1200
	blast little "$A" 10.8.0.2 40
	wait_for tx_bytes "$A" tunA 10000
	user_start user talk count 1000
	# two senders: they may overtake each other on the way to the stream
	raw talk count 1000 timeout 60 unordered
	user_got user 1000
	[[ $(value opened "$T/raw.out") -gt 100 ]] ||
		die "no data among the control records"
}

run_tests split_in_two split_in_three byte_by_byte coalesced_small \
	coalesced_large coalesced_both long_records bad_lengths \
	bad_lengths_in_pieces data_v1 odd_lengths garbage end_inside \
	control_during_bulk control_during_bulk_checked
