#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Two OpenVPNs without a server between them, as equals, and what happens when
# one of them vanishes and comes again: the new peer takes the place of the old.
set -euo pipefail
. "$(dirname "$0")/../lib.sh"

# side NAME NAMESPACE DEVICE LOCAL REMOTE OPTION...
side()
{
	local name=$1 ns=$2 dev=$3 me=$4 you=$5
	shift 5

	pki server client
	start "$name" "$ns" --dev "$dev" --ifconfig "10.9.0.$me" "10.9.0.$you" \
		--ifconfig-ipv6 "fd00:9::$me/64" "fd00:9::$you" \
		--persist-tun --cipher AES-256-GCM --keepalive 1 4 --reneg-sec 0 "$@"
}

listener()
{
	side left server tunL 1 2 --tls-server --dh none "$@" \
		--cert "$PKI/server.crt" --key "$PKI/server.key"
}

caller()
{
	side right client1 tunR 2 1 --tls-client --nobind "$@" \
		--cert "$PKI/client.crt" --key "$PKI/client.key"
}

both_ways()
{
	check "ping to the listener, IPv4$1" pings client1 10.9.0.1
	check "ping to the listener, IPv6$1" pings client1 fd00:9::1
	check "ping to the caller, IPv4$1" pings server 10.9.0.2
	check "ping to the caller, IPv6$1" pings server fd00:9::2
}

# Wants exactly one peer, and another one than before.
replaced()
{
	local now

	now=$(look server peers tunL)
	echo "$now"
	[ "$(wc -l <<< "$now")" -eq 1 ] && [[ ${now%% *} == id=* ]] &&
		[ "${now%% *}" != "$1" ]
}

# Over TCP the caller notices at once, not by a timer.
killed_listener()
{
	stop left KILL
	check "the caller notices that the listener is gone" wait_log right \
		'Connection reset, restarting' 2
	check "its kernel has no peer" wait_for 2 has_peers client1 tunR 0
	ip -n server link del tunL
	rm "$WORK/left.log"
	listener "$@"
	connected left
	check "and calls again" \
		wait_again right 'Initialization Sequence Completed' 1
	both_ways ", after the other's restart"
}

# p2p LISTENER-PROTO CALLER-PROTO ADDRESS
p2p()
{
	local proto=$1 address=$3 peer
	local calls=(--proto "$2" --remote "$address" --connect-retry 1 1)

	stage_up 1
	listener --proto "$proto" --local "$address"
	wait_for 10 ip -n server link show dev tunL up
	check "no peer, no carrier" carrier server tunL 0
	caller "${calls[@]}"
	connected left
	connected right
	check "the listener is offloaded" offloaded left
	check "the caller is offloaded" offloaded right
	check "both devices are point to point" link_is server tunL p2p
	check "a peer, a carrier" carrier server tunL 1
	both_ways ""
	check "a file to the caller" transfer server client1 10.9.0.2 8

	peer=$(look server peers tunL | cut -d' ' -f1)
	stop right KILL
	ip -n client1 link del tunR
	rm "$WORK/right.log"
	caller "${calls[@]}"
	connected right
	check "after a restart one peer, a new one" wait_for 10 replaced "$peer"
	both_ways ", after a restart"
	[[ $proto != tcp* ]] || killed_listener --proto "$proto" --local "$address"
	stop right
	stop left
	check "the listener's device is gone" not ip -n server link show tunL
}

scenario "UDP, IPv4" p2p udp4 udp4 10.0.1.1
scenario "UDP, IPv6" p2p udp6 udp6 fd00:0:1::1
scenario "TCP, IPv4" p2p tcp4-server tcp4-client 10.0.1.1
scenario "TCP, IPv6" p2p tcp6-server tcp6-client fd00:0:1::1
done_testing
