#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# A client whose address changes under traffic: the server follows it at once,
# tells its OpenVPN, and the tunnel lives on, control channel included.
set -euo pipefail
. "$(dirname "$0")/../lib.sh"

new_address4()
{
	ip -n client1 addr add 10.0.1.9/24 dev wire
	ip -n client1 addr del 10.0.1.2/24 dev wire
}

new_address6()
{
	ip -n client1 addr add fd00:0:1::9/64 dev wire nodad
	ip -n client1 addr del fd00:0:1::2/64 dev wire
}

# float PROTO SERVER NEW-ADDRESS-FUNCTION NEW-ADDRESS TAG
float()
{
	local proto=$1 remote=$2 move=$3 address=$4 tag=$5

	stage_up 1
	server --proto "$proto" --reneg-sec 0 --keepalive 5 20 \
		--status "$WORK/status" 1 --status-version 2
	client 1 --remote "$remote" 1194 "$proto" --reneg-sec 8
	connected client1
	pings client1 "$VPN4" 2 2> /dev/null
	flow_start flow client1 "$VPN4" 6
	sleep 2
	$move
	check "the kernel tells the server" wait_log server \
		"received CMD_PEER_FLOAT_NTF.*$tag.*$address" 5
	check "the server knows the new address" wait_log server \
		"floated from .* to .*$address" 5
	check "the kernel's peer has the new address" in_ns server \
		grep -q "remote[46]=$address " <(look server peers tunS)
	check "no loss" flow_lossless flow
	check "the status shows the new address" wait_for 10 \
		grep -q "^CLIENT_LIST,client1,.*$address" "$WORK/status"
	check "new keys are agreed from there" wait_log server \
		'dco_new_key: slot 1' 20
	check "pings from the server" pings server "$(vpn_addr 1 6)" 10
	check "pings from the client" pings client1 "$VPN4" 10
	check "nobody started again" never_said client1 'SIGUSR1|Restart pause'
	check "one float, one message" not said_times server \
		'received CMD_PEER_FLOAT_NTF' 2
}

scenario "IPv4" float udp4 10.0.1.1 new_address4 10.0.1.9 AF_INET
scenario "IPv6" float udp6 fd00:0:1::1 new_address6 fd00:0:1::9 AF_INET6
scenario "IPv4 on an IPv6 socket" float udp6 10.0.1.1 new_address4 10.0.1.9 AF_INET
done_testing
