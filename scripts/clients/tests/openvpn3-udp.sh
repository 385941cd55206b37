#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# needs: outer
# needs: openvpn3
#
# OpenVPN 3 for Linux, which is only a client, by ovpn-dco-v2; its server is 2.7, by
# ovpn. UDP, or with PROTO=tcp TCP.
set -euo pipefail
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../openvpn3.sh"

PROTO=${PROTO:-udp}

# serve FAMILY [OPTION...]
serve()
{
	local proto=$PROTO$1
	shift

	[ "$PROTO" = udp ] || proto+=-server
	server --proto "$proto" --keepalive 1 4 "$@"
}

# session FAMILY ADDRESS [LINE...]: client1 is connected
session()
{
	o3_up
	o3_profile "remote $2 1194 $PROTO$1" "${@:3}"
	check "a session starts" o3_connect true
}

# what most scenarios begin with
tunnel()
{
	stage_up 1
	serve 4
	session 4 10.0.1.1
	pings client1 "$VPN4" 2 2> /dev/null
}

no_device()
{
	wait_for 10 not ip -n client1 link show tun1
}

no_session()
{
	openvpn3 sessions-list | grep 'No sessions'
}

# pair FAMILY ADDRESS CIPHER
pair()
{
	stage_up 1
	serve "$1" --data-ciphers "$3"
	session "$1" "$2"
	check "the client is offloaded" o3_offloaded
	check "the server is offloaded" offloaded server
	check "the client's device" link_is client1 tun1 p2p ovpn-dco
	check "the server's device" link_is server tunS mp ovpn
	check "the key is for $3" wait_log server \
		"dco_new_key: slot 0, .* cipher $3"
	check "one peer" has_peers client1 tun1 1
	traffic 1
	check "iperf3 both ways" iperf both client1 server "$VPN6" -t 2 -l 32K --bidir
	check "the device counts what went both ways" o3_counts $((8 << 20))
	check "no end of the peer meanwhile" never_said client1 'peer deleted'
	check "the session ends" o3_manage --disconnect
	check "its device is gone" no_device
	check "no session is left" no_session
	check "the server's peer goes" wait_for 20 has_peers server tunS 0
}

# What came to the client before the key for it.
early()
{
	in_ns client1 ethtool -S tun1 | awk '$1 == "rx_unknown_key:" { print $2 }'
}

# lost_early FLOW: nothing else is lost
lost_early()
{
	wait "${PID[$1]}" || true
	flow_lossless "$1" "$(early)"
}

# The client sends with a new key after half of the time that it is good for. The
# server does at once, while the key is on its way from one process of the client
# to the next: what comes meanwhile is lost, but nothing else.
new_keys()
{
	stage_up 1
	serve 4 --reneg-sec 0
	session 4 10.0.1.1 'reneg-sec 6'
	flow_start up client1 "$VPN4" 14
	flow_start down server "$(vpn_addr 1 4)" 14
	check "a file with other keys at each end" \
		transfer client1 server "$VPN4" 8
	check "new keys, twice" wait_for 30 \
		said_times server 'Control Channel: TLSv1' 3
	check "no loss from the client, but of early answers" \
		lost_early up
	check "no loss from the server, but of what is early" \
		lost_early down
	check "few are early" test "$(early)" -lt 100
	check "nobody started again" never_again
}

never_again()
{
	never_said server 'SIGUSR1|ping expired' &&
		never_said client1 'Reconnecting|peer deleted'
}

# back COMMAND...: how the server ends; the client sees it and returns
back()
{
	local before

	tunnel
	before=$(times client1 'Connected: ')
	"$@"
	check "the client sees it" wait_log client1 'Reconnecting' 20
	ip -n server link del tunS 2> /dev/null || true
	serve 4
	check "the client comes back" wait_again client1 'Connected: ' "$before" 40
	check "offloaded" link_is client1 tun1 p2p ovpn-dco
	check "pings, IPv4" wait_for 5 pings client1 "$VPN4"
	check "pings, IPv6" pings server "$(vpn_addr 1 6)"
}

paused()
{
	tunnel
	check "a pause" o3_manage --pause
	check "it goes on" o3_manage --resume --timeout 30
	check "offloaded" link_is client1 tun1 p2p ovpn-dco
	check "pings" wait_for 5 pings client1 "$VPN4"
}

# The service that configures the network lives on, and keeps the socket.
killed_client()
{
	tunnel
	storm 1
	o3_kill client
	check "the device goes" no_device
	check "the server's peer goes" wait_for 20 has_peers server tunS 0
	check "the dead session is cleared" \
		openvpn3 session-manage --cleanup
	check "a new session starts" o3_connect true
	check "pings" wait_for 5 pings client1 "$VPN4"
	storm 1
	stage_down
	check "the module can be unloaded" unloads
}

beside()
{
	stage_up 2
	serve 4
	session 4 10.0.1.1
	client 2 --remote 10.0.2.1 1194 "${PROTO}4$([ "$PROTO" = udp ] || echo -client)"
	connected client2
	check "2.7 is offloaded, too" offloaded client2
	check "from one to the other, a file" \
		transfer client1 client2 "$(vpn_addr 2 4)" 8
	check "and back" transfer client2 client1 "$(vpn_addr 1 6)" 8
}

# It does not send there what would be in fragments outside.
user_space()
{
	stage_up 1
	serve 4
	o3_up
	o3_profile "remote 10.0.1.1 1194 ${PROTO}4"
	check "a session starts" o3_connect false
	check "it is not offloaded" said client1 'DCO flag: disabled'
	check "its device is tun's" said client1 'Connected: .* on tun/'
	# there the kernel gives the name
	ip -n client1 link set tun0 name tun1
	check "pings, IPv4" pings client1 "$VPN4"
	check "pings, IPv6" pings server "$(vpn_addr 1 6)"
	check "a file to the server" transfer client1 server "$VPN4" 8
	check "a file to client1" transfer server client1 "$(vpn_addr 1 6)" 8
}

pki server client1 client2
scenario "IPv4" pair 4 10.0.1.1 AES-256-GCM
scenario "IPv6" pair 6 fd00:0:1::1 CHACHA20-POLY1305
scenario "new keys" new_keys
scenario "server killed" back stop server KILL
scenario "server stopped" back stop server
scenario "paused" paused
scenario "client killed" killed_client
scenario "beside 2.7" beside
scenario "user space client" user_space
done_testing
