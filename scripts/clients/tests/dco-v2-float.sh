#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# needs: outer
# needs: openvpn-2.6
#
# A client of OpenVPN 2.6 whose address changes under traffic. The server's kernel
# follows it at once and tells nobody: 2.6 would not understand.
set -euo pipefail
export OPENVPN=$OVPN_26 KIND=ovpn-dco
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

# All that comes to group "peers" of the family, one line each.
listen()
{
	ip netns exec server python3 - > "$WORK/events" <<-'EOF' &
	import sys
	sys.path.insert(0, "compat/ovpn-dco-v2/tests")
	import dco
	sock = dco.Family().listen()
	sock.settimeout(None)
	print("listening", flush=True)
	while True:
	    print(*dco.event(sock), flush=True)
	EOF
	wait_for 10 grep -q listening "$WORK/events"
}

is_at()
{
	look server peers tunS | grep -q "remote[46]=$1 "
}

# float PROTO SERVER NEW-ADDRESS-FUNCTION NEW-ADDRESS
float()
{
	local proto=$1 remote=$2 move=$3 address=$4

	stage_up 1
	server --proto "$proto" --reneg-sec 0 --keepalive 5 20
	# 2.6 wants the family of the address
	[[ $remote == *:* ]] || proto=udp4
	client 1 --remote "$remote" 1194 "$proto" --reneg-sec 0
	connected client1
	check "the server is offloaded" offloaded server
	listen
	pings client1 "$VPN4" 2 2> /dev/null
	flow_start flow client1 "$VPN4" 5
	sleep 2
	$move
	check "the kernel's peer has the new address" wait_for 5 \
		is_at "$address"
	check "no loss" flow_lossless flow
	check "nobody was told" not grep -v listening "$WORK/events"
	check "pings from the server" pings server "$(vpn_addr 1 6)" 10
	check "nobody started again" never_said client1 'SIGUSR1|Restart pause'
	ip -n server link del tunS
	check "the end of the peer is told" wait_for 5 \
		grep -q '^3 {' "$WORK/events"
}

scenario "IPv4" float udp4 10.0.1.1 new_address4 10.0.1.9
scenario "IPv6" float udp6 fd00:0:1::1 new_address6 fd00:0:1::9
scenario "IPv4 on an IPv6 socket" float udp6 10.0.1.1 new_address4 10.0.1.9
done_testing
