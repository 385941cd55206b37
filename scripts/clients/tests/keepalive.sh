#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Keepalive, which the kernel does for OpenVPN: an idle tunnel lives, a dead peer is
# noticed on either side, and pings and the timeout work one without the other.
set -euo pipefail
. "$(dirname "$0")/../lib.sh"

# The server waits twice as long as it tells its clients to.
dead_client()
{
	stage_up 1
	server --proto udp4 --keepalive 1 4
	client 1 --remote 10.0.1.1 1194 udp4
	connected client1
	sleep 6
	check "an idle tunnel is kept" never_said server 'ping expired'
	check "on the client too" never_said client1 'Inactivity timeout'
	stop client1 KILL
	check "the server notices a dead client" wait_log server \
		'SIGTERM\[soft,ovpn-dco: ping expired\]' 20
	check "the peer is gone" has_peers server tunS 0
	check "nothing else was said to be wrong" \
		never_said server 'netlink reports|Cannot'
}

dead_server()
{
	stage_up 1
	server --proto udp4 --keepalive 1 3
	client 1 --remote 10.0.1.1 1194 udp4 --connect-retry 1 1
	connected client1
	ip -n server link set wire1 down
	check "the client notices a dead wire" wait_log client1 \
		'Inactivity timeout \(--ping-restart\), restarting' 12
	ip -n server link set wire1 up
	check "and comes back with it" \
		wait_again client1 'Initialization Sequence Completed' 1 30
	check "pings again" wait_for 5 pings client1 "$VPN4" 2
}

# Keepalives of 16 bytes are the only datagrams of this length.
count_keepalives()
{
	in_ns server nft -f - <<-EOF
	table inet count {
		counter to_server { }
		counter to_client { }
		chain in {
			type filter hook input priority 0;
			udp dport 1194 udp length 48 counter name to_server
		}
		chain out {
			type filter hook output priority 0;
			udp sport 1194 udp length 48 counter name to_client
		}
	}
	EOF
}

counted()
{
	in_ns server nft -j list counter inet count "$1" |
		jq -e ".nftables[] | select(.counter) | .counter.packets >= $2"
}

ping_alone()
{
	local start=$SECONDS

	stage_up 1
	count_keepalives
	server --proto udp4 --ping 1 --push "ping 1"
	# of its own accord a client would wait two minutes
	client 1 --remote 10.0.1.1 1194 udp4 --ping-restart 0
	connected client1
	check "the client sends pings" wait_for 10 counted to_server 4
	check "the server sends pings" wait_for 10 counted to_client 4
	check "one each second, not more" \
		not counted to_server $((SECONDS - start + 2))
	stop client1 KILL
	sleep 3
	check "without a timeout nobody expires" never_said server 'ping expired'
}

timeout_alone()
{
	stage_up 1
	server --proto udp4
	client 1 --remote 10.0.1.1 1194 udp4 --ping-restart 3
	connected client1
	flow_start flow client1 "$VPN4" 6
	check "no loss" flow_lossless flow
	check "traffic keeps the tunnel" never_said client1 'Inactivity timeout'
	check "silence ends it" wait_log client1 \
		'Inactivity timeout \(--ping-restart\), restarting' 10
}

scenario "client killed" dead_client
scenario "wire cut" dead_server
scenario "ping without a timeout" ping_alone
scenario "a timeout without ping" timeout_alone
done_testing
