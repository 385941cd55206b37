#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# A TCP transport under load: nothing stalls, nothing is dropped in the driver, the
# control channel gets through between the data, and a client that takes nothing
# holds up nobody else.
set -euo pipefail
. "$(dirname "$0")/../lib.sh"

# Mbit/s that any machine makes
LEAST=4
[ ! -e /sys/kernel/debug/kmemleak ] || LEAST=1 # with the debug kernel

##
# What iperf3 reports
#

# arrivals NAME: what arrived, one line for each way and second: way, bytes
arrivals()
{
	jq -r '.intervals[] | .sum, .sum_bidir_reverse | values |
		select(.sender == false and .seconds > 0.5) |
		"\(input_filename | contains("server")) \(.bytes)"' \
		"$WORK/$1.json" "$WORK/$1.server.json"
}

# flows NAME MBIT WAYS: at least so much each way, and no two silent seconds in a
# row
flows()
{
	arrivals "$1" | tee /dev/stderr | awk -v least="$2" -v ways="$3" '
		{ n[$1]++; sum[$1] += $2 }
		{ silent[$1] = $2 ? 0 : silent[$1] + 1 }
		silent[$1] > 1 { stalled = 1 }
		END {
			for (way in n) {
				rate = sum[way] / n[way] * 8 / 1e6
				printf "%.1f Mbit/s in %d s\n", rate, n[way]
				if (rate < least || n[way] < 2)
					low = 1
			}
			exit low || stalled || length(n) != ways
		}'
}

# all_arrived NAME: of hundreds of datagrams
all_arrived()
{
	jq -e '.end.sum | .packets > 300 and .lost_packets == 0' "$WORK/$1.json" || {
		jq -c .end.sum "$WORK/$1.json"
		in_ns server nstat -saz UdpRcvbufErrors
		in_ns client1 nstat -saz UdpRcvbufErrors
		return 1
	}
}

##
# The driver's own drops
#

# What IPv6 asks of nobody in particular is no loss: there is no router.
drops()
{
	in_ns "$1" ethtool -S "$2" | awk -v side="$1" '
		/: [0-9]+$/ && !/tx_no_peer|tx_no_key|rx_reverse_path/ { print side, $1, $2; n++ }
		END { exit !n }'
}

count_drops()
{
	drops server tunS && drops client1 tun1
}

# since the last call
nothing_dropped()
{
	mv "$WORK/drops" "$WORK/drops.before"
	count_drops > "$WORK/drops"
	diff "$WORK/drops.before" "$WORK/drops"
}

some_dropped()
{
	drops server tunS | tee /dev/stderr | grep -q "$1: [1-9]"
}

##
# The scenarios
#

both_offloaded()
{
	offloaded server && offloaded client1
}

# stream NAME TEXT WAYS FROM TO ADDRESS OPTION...
stream()
{
	local name=$1 text=$2 ways=$3
	shift 3

	check "$text: iperf3" iperf "$name" "$@" -t 3 -l 32K
	check "$text: it flows" flows "$name" "$LEAST" "$ways"
	check "$text: the driver dropped nothing" nothing_dropped
}

# datagrams NAME TEXT FROM TO ADDRESS
datagrams()
{
	local name=$1 text=$2
	shift 2

	check "$text: iperf3" iperf "$name" "$@" -u -b 8M -l 1200 -w 2M -t 2
	check "$text: all arrived" all_arrived "$name"
	check "$text: the driver dropped nothing" nothing_dropped
}

# load SERVER-PROTO CLIENT-PROTO ADDRESS
load()
{
	local peer4 peer6

	stage_up 1
	server --proto "$1" --reneg-sec 0
	client 1 --remote "$3" 1194 "$2" --reneg-sec 0
	connected client1
	peer4=$(vpn_addr 1 4)
	peer6=$(vpn_addr 1 6)
	check "both are offloaded" both_offloaded
	check "the driver counts what it drops" count_drops
	count_drops > "$WORK/drops" || true
	stream up "to the server" 1 client1 server "$VPN4"
	stream down "to the client" 1 server client1 "$peer6"
	stream both "both ways" 2 client1 server "$VPN6" --bidir
	stream many "sixteen streams" 1 server client1 "$peer4" -P 16
	datagrams udp-up "datagrams to the server" client1 server "$VPN4"
	datagrams udp-down "datagrams to the client" server client1 "$peer4"
	check "nobody started again" never_said client1 'SIGUSR1|Restart pause'
}

# New keys while both sides send all they can.
control()
{
	stage_up 1
	server --proto tcp4-server --reneg-sec 0 --keepalive 2 8 \
		--status "$WORK/status" 1 --status-version 2
	client 1 --remote 10.0.1.1 1194 tcp4-client --reneg-sec 4
	connected client1
	check "iperf3 both ways" iperf both client1 server "$VPN4" -t 17 -l 32K \
		--bidir
	check "it flows both ways" flows both "$LEAST" 2
	check "three new keys" wait_for 3 said_times client1 'TLS: soft reset' 3
	check "soon installed" wait_for 3 said_times server 'dco_swap_keys' 3
	check "the client said nothing twice" sent_once client1
	check "the server said nothing twice" sent_once server
	check "nobody started again" never_said client1 'SIGUSR1|Restart pause'
	check "the status counts it" counted $((LEAST * 15000000 / 8))
}

# TLS sends a message again when no answer comes for two seconds.
sent_once()
{
	local twice

	twice=$(sed -nE 's/.* WRITE .*: (P_CONTROL_\S+ kid=\S+).* (pid=\S+) .*/\1 \2/p' \
		"$WORK/$1.log" | tee "$WORK/sent" | sort | uniq -d)
	echo "$twice"
	[ -z "$twice" ] && [ "$(wc -l < "$WORK/sent")" -gt 8 ]
}

# counted BYTES: as received from the client, and as sent
counted()
{
	grep ^CLIENT_LIST "$WORK/status"
	awk -F, -v n="$1" '/^CLIENT_LIST,client1,/ { ok = $6 > n && $7 > n }
		END { exit !ok }' "$WORK/status"
}

# Two clients of one device; the second one is to be in trouble.
two_clients()
{
	server --proto tcp4-server --keepalive 30 120
	client 1 --remote 10.0.1.1 1194 tcp4-client
	client 2 --remote 10.0.2.1 1194 tcp4-client "$@"
	connected client1
	connected client2
}

# More for the second client than any queue holds: from here, where senders feel
# the queue, and from the first client, who does not.
storm_at_second()
{
	local peer ns

	peer=$(vpn_addr 2 4)
	STORM=()
	for ns in server client1; do
		ip netns exec "$ns" ping -q -i 0.005 -s 8000 "$peer" \
			> /dev/null 2>&1 &
		STORM+=($!)
	done
}

# prompt NAMESPACE ADDRESS: nothing old stands in a queue before the answers
prompt()
{
	in_ns "$1" ping -n -q -c 20 -i 0.05 -W 3 "$2" | tee /dev/stderr |
		awk -F/ '/^rtt/ { ok = $5 < 500 } END { exit !ok }'
}

first_is_served()
{
	check "the other client answers" pings server "$(vpn_addr 1 4)" 50
	check "iperf3 to the other client" \
		iperf down server client1 "$(vpn_addr 1 4)" -t 4 -l 32K
	check "it flows" flows down "$LEAST" 1
	check "a file from the other client" transfer client1 server "$VPN6" 8
}

second_is_back()
{
	kill "${STORM[@]}"
	check "the second is served again" wait_for 30 pings client2 "$VPN4" 2
	check "promptly" prompt client2 "$VPN4"
	check "on the same connection" never_said client2 'SIGUSR1|Restart pause'
	check "nobody was thrown out" never_said server 'transport|SIGTERM|SIGUSR1'
}

# Nothing comes from the second client, not an ACK.
deaf_client()
{
	stage_up 2
	two_clients
	in_ns client2 nft -f - <<-EOF
	table inet deaf {
		chain in {
			type filter hook prerouting priority -300;
			iifname wire drop
		}
	}
	EOF
	storm_at_second
	first_is_served
	check "what found no room was counted" some_dropped tx_queue_full
	in_ns client2 nft delete table inet deaf
	second_is_back
}

# The second client's wire is out: the server's socket reports that there is no
# route to it, which is no end of a connection.
unreachable_client()
{
	stage_up 2
	two_clients
	ip -n client2 link set wire down
	storm_at_second
	first_is_served
	ip -n client2 link set wire up
	second_is_back
}

# The second client's line has 4 Mbit/s and 40 ms, and there is more for it.
slow_line()
{
	stage_up 2
	tc -n server qdisc add dev wire2 root netem rate 4mbit delay 20ms limit 200
	tc -n client2 qdisc add dev wire root netem rate 4mbit delay 20ms limit 200
	two_clients --reneg-sec 6
	check "four streams to the client" \
		iperf slow server client2 "$(vpn_addr 2 4)" -t 10 -P 4 -l 8K
	check "fill its line" flows slow 2.5 1
	check "it gets new keys meanwhile" said client2 'TLS: soft reset'
	check "and installs them" wait_log client2 'dco_new_key: slot 1' 5
	storm_at_second
	check "the other client answers at once" prompt client1 "$VPN4"
	second_is_back
}

sysctl -q net.core.rmem_max=4194304 net.core.wmem_max=4194304
scenario "load, IPv4" load tcp4-server tcp4-client 10.0.1.1
scenario "load, IPv6" load tcp6-server tcp6-client fd00:0:1::1
scenario "new keys under load" control
scenario "a deaf client" deaf_client
scenario "an unreachable client" unreachable_client
scenario "a slow line" slow_line
done_testing
