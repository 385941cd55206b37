#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# A tunnel between two ends carries IPv4 and IPv6 over IPv4, IPv6 and IPv4 on
# an IPv6 socket, with every cipher.

set -euo pipefail
# shellcheck source=common.sh
. ./common.sh
# shellcheck source=traffic.sh
. ./traffic.sh

require ethtool

# through TRANSPORT [CIPHER BITS]
through()
{
	local f

	two_ends "$1"
	keys secret primary 0 "${@:2}"
	iperf_server "$B"
	for f in 4 6; do
		pings "$A" "$(inner $f 2)" -c 20 -i 0.01
		pings "$B" "$(inner $f 1)" -c 20 -i 0.01 -s 1200
	done
	iperf "$A" "$(inner 4 2)" -n 2M
	iperf "$A" "$(inner 6 2)" -n 2M -R
}

# older_than X.Y: is this kernel?
older_than()
{
	[[ $(printf '%s\n' "$1" "$(uname -r)" | sort -V | head -n 1) != "$1" ]]
}

# Segments as the receiver's device sees them: every checksum in place, every
# packet id new
checked()
{
	local f

	two_ends "$1"
	keys secret primary 0 "${@:2}"
	iperf_server "$B"
	pings "$A" 10.8.0.2
	if older_than 6.2; then
		# packet sockets cannot tell of UDP segments, which go both
		# ways: they are cut before
		in_ns "$A" ethtool -K veth tx-udp-segmentation off
		in_ns "$B" ethtool -K veth tx-udp-segmentation off
	fi
	sniff wire "$B" cipher "$2" bits "$3"
	for f in 4 6; do
		iperf "$A" "$(inner $f 2)" -n 4M
		iperf "$A" "$(inner $f 2)" -n 1M -R
		udp_iperf "$A" "$(inner $f 2)"
	done
	sniffed wire
	# three were pings
	equal "$(value opened "$T/wire.out")" \
		$(($(peer_value "$A" tunA 1 link-tx-packets) - 3)) \
		"packets on the wire"
}

test_checked_udp4()
{
	checked udp4 aes-gcm 256
}

test_checked_udp6()
{
	checked udp6 chacha20-poly1305 256
}

tests=(checked_udp4 checked_udp6)
for transport in udp4 udp6 mapped; do
	for cipher in "aes-gcm 128" "aes-gcm 192" "aes-gcm 256" \
		      "chacha20-poly1305 256"; do
		name=${transport}_${cipher// /_}
		eval "test_$name() { through $transport $cipher; }"
		tests+=("$name")
	done
done
run_tests "${tests[@]}"
