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
		udp_iperf "$A" "$(inner $f 2)"
	done
	iperf "$A" "$(inner 4 2)" -n 4M
	iperf "$A" "$(inner 6 2)" -n 4M -R
}

tests=()
for transport in udp4 udp6 mapped; do
	for cipher in "aes-gcm 128" "aes-gcm 192" "aes-gcm 256" \
		      "chacha20-poly1305 256"; do
		name=${transport}_${cipher// /_}
		eval "test_$name() { through $transport $cipher; }"
		tests+=("$name")
	done
done
run_tests "${tests[@]}"
