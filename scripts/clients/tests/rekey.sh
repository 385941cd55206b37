#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# New keys under traffic: not one packet may be lost, whichever side asks.
#
# But for one moment that no kernel can help: a client that did not ask itself
# sends with the new key as soon as it has it, which is about two milliseconds
# before the server's OpenVPN tells the kernel that key.
set -euo pipefail
. "$(dirname "$0")/../lib.sh"

# rekey PROTO SERVER-SECONDS CLIENT-SECONDS ASKING-NAME LOST [CLIENT-OPTION...]
rekey()
{
	local proto=$1 reneg_server=$2 reneg_client=$3 asks=$4 lost=$5
	shift 5

	stage_up 1
	server --proto "${proto/tcp4/tcp4-server}" --keepalive 2 8 \
		--reneg-sec "$reneg_server"
	client 1 --remote 10.0.1.1 1194 "${proto/tcp4/tcp4-client}" \
		--reneg-sec "$reneg_client" "$@"
	connected client1
	flow_start up client1 "$VPN4" 17
	flow_start down server "$(vpn_addr 1 6)" 17
	check "three new keys" wait_for 25 \
		said_times "$asks" 'TLS: soft reset' 3
	check "a secondary key is installed" wait_log server \
		'dco_new_key: slot 1, key-id 3'
	check "the keys are swapped" wait_for 5 \
		said_times server 'dco_swap_keys' 3
	check "old keys are removed" wait_log client1 'dco_del_key: .*slot 1'
	check "no loss from the client" flow_lossless up "$lost"
	check "no loss from the server" flow_lossless down "$lost"
	check "nobody started again" never_said client1 'SIGUSR1|Restart pause'
}

scenario "the client asks" rekey udp4 0 4 client1 0
scenario "the server asks" rekey udp4 4 0 server 4
scenario "ChaCha20-Poly1305" rekey udp4 0 4 client1 0 \
	--data-ciphers CHACHA20-POLY1305
scenario "TCP, the client asks" rekey tcp4 0 4 client1 0
scenario "TCP, the server asks" rekey tcp4 4 0 server 4
done_testing
