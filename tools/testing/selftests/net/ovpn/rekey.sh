#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# New keys under traffic: no packet is lost.

# shellcheck disable=SC2119 # arguments that are optional
set -euo pipefail
# shellcheck source=common.sh
. ./common.sh
# shellcheck source=traffic.sh
. ./traffic.sh

# through TRANSPORT [CIPHER BITS]
rounds()
{
	local round

	two_ends "$1"
	keys "" primary 0 "${@:2}"
	pings "$A" 10.8.0.2
	steady there "$A" 10.8.0.2 4
	steady back "$B" fd08::1 4 -s 1300
	for ((round = 1; round <= 12; round++)); do
		renew $((round % 8))
		equal "$(cli "$A" key-get tunA id 1 slot primary |
			tr ' ' '\n' | sed -n 's/^key-id=//p')" \
			$((round % 8)) "key id"
	done
	job_done there && die "the traffic ended too early"
	steady_end there
	steady_end back
}

test_udp4()
{
	rounds udp4
}

test_udp6_chacha()
{
	rounds udp6 chacha20-poly1305 256
}

test_under_tcp()
{
	local round

	two_ends
	keys
	iperf_server "$B"
	spawn iperf ip netns exec "$A" iperf3 -c 10.8.0.2 -t 4 -i 0 -J
	for ((round = 1; round <= 10; round++)); do
		renew $((round % 8))
	done
	finish iperf || { cat "$T/iperf.out"; die "iperf3 failed"; }
	equal "$(link_stat "$A" tunA tx dropped)" 0 "dropped before they left"
	equal "$(link_stat "$B" tunB rx dropped)" 0 "dropped where they came"
	equal "$(link_stat "$A" tunA rx dropped)" 0 "answers dropped"
}

# a key never seals two packets with one packet id, and each key begins anew
test_no_nonce_twice()
{
	local round words=()

	two_ends
	keys
	iperf_server "$B"
	for ((round = 1; round <= 7; round++)); do
		words+=(key "$round" "secret$round")
	done
	sniff wire "$B" "${words[@]}"
	spawn iperf ip netns exec "$A" iperf3 -c 10.8.0.2 -t 3 -i 0 -P 2 -J
	steady there "$A" fd08::2 2
	for ((round = 1; round <= 7; round++)); do
		renew "$round"
	done
	steady_end there
	finish iperf || { cat "$T/iperf.out"; die "iperf3 failed"; }
	sniffed wire
}

# the ends may take their time: each sends with its old key meanwhile
test_one_end_later()
{
	two_ends
	keys
	steady there "$A" 10.8.0.2 2
	keys new secondary 1
	cli "$B" key-swap tunB id 1
	pings "$A" 10.8.0.2 -c 50 -i 0.005
	cli "$A" key-swap tunA id 1
	pings "$A" 10.8.0.2 -c 50 -i 0.005
	steady_end there
	# both now send with key 1: the old one is needed no more
	cli "$A" key-del tunA id 1 slot secondary
	cli "$B" key-del tunB id 1 slot secondary
	pings "$A" 10.8.0.2
}

# a deleted key opens nothing any more
test_old_key_is_dead()
{
	one_end
	fr ping count 2 quiet
	key "$A" tunA 1 0 new secondary 5
	fr ping count 2 quiet pkt-id 10
	fr ping count 1 quiet secret new key-id 5 key 0 secret
	cli "$A" key-swap tunA id 1
	fr ping count 2 quiet pkt-id 20 key 5 new
	cli "$A" key-del tunA id 1 slot secondary
	! fr ping count 1 quiet pkt-id 30 key 5 new timeout 0.5 ||
		die "the old key is alive"
	fr ping count 2 quiet secret new key-id 5 pkt-id 40
}

run_tests udp4 udp6_chacha under_tcp no_nonce_twice one_end_later old_key_is_dead
