#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Ends of connections: over TCP the other side learns of every end at once, be it
# polite or not, and no timer has to run out. Whatever OpenVPN had still to say
# comes before the end. Nothing may be left that hinders the next start.
set -euo pipefail
. "$(dirname "$0")/../lib.sh"

# The keepalive is so slow that nothing below can be its merit.
tunnel()
{
	stage_up 1
	server --proto tcp4-server --keepalive 30 120 \
		--management "$WORK/server.sock" unix
	client 1 --remote 10.0.1.1 1194 tcp4-client --connect-retry 1 1
	connected client1
	pings client1 "$VPN4" 2 2> /dev/null
}

RESET='Connection reset, restarting'
# The server hears it from the socket or from the driver, whoever is first.
GONE="$RESET|ovpn-dco: transport disconnected"

is_back()
{
	wait_again client1 'Initialization Sequence Completed' 1 30
}

works()
{
	check "pings, IPv4" wait_for 5 pings client1 "$VPN4"
	check "pings, IPv6" wait_for 5 pings server "$(vpn_addr 1 6)"
}

# tell COMMAND: to the server's management, and hear what it says
tell()
{
	{ echo "$1"; sleep 0.5; } |
		socat -t 1 - "UNIX-CONNECT:$WORK/server.sock" | tee "$WORK/told"
	grep -q '^SUCCESS' "$WORK/told"
}

# a killed OpenVPN leaves its device, which hinders the next one
restart_server()
{
	ip -n server link del tunS
	rm "$WORK/server.log"
	server --proto tcp4-server --keepalive 30 120
}

killed_server()
{
	tunnel
	kill -9 "${PID[server]}"
	check "the client notices at once" wait_log client1 "$RESET" 2
	check "the kernel has deleted the server's peer" wait_for 2 \
		has_peers server tunS 0
	check "and the client's" wait_for 2 has_peers client1 tun1 0
	check "the server's device stays" ip -n server link show dev tunS
	check "the server starts again" restart_server
	check "the client comes back" is_back
	works
}

killed_client()
{
	tunnel
	kill -9 "${PID[client1]}"
	check "the server notices at once" wait_log server "$GONE" 2
	check "the kernel has deleted the peer" wait_for 2 has_peers server tunS 0
	check "the carrier goes with the client's" wait_for 2 \
		carrier client1 tun1 0
	ip -n client1 link del tun1
	rm "$WORK/client1.log"
	client 1 --remote 10.0.1.1 1194 tcp4-client
	check "a new start works" connected client1
	check "one peer" has_peers server tunS 1
	works
	check "nobody waited for a timer" never_said server 'ping expired'
}

# The same while records fill the stream: what is cut off is no message.
killed_under_traffic()
{
	tunnel
	storm 1
	kill -9 "${PID[server]}"
	check "the client notices a killed server" wait_log client1 "$RESET" 2
	check "the server starts again" restart_server
	check "the client comes back" is_back
	storm 1
	kill -9 "${PID[client1]}"
	check "the server notices a killed client" wait_log server "$GONE" 2
	check "the kernel has deleted the peer" wait_for 2 has_peers server tunS 0
	check "no torn record" never_said server \
		'Bad encapsulated packet length|TLS Error|Authenticate'
	stage_down
	check "the module can be unloaded" unloads
}

stopped_client()
{
	tunnel
	stop client1
	check "the server notices at once" wait_log server "$GONE" 2
	check "the peer is gone" wait_for 2 has_peers server tunS 0
	check "the client's device is gone" not ip -n client1 link show tun1
}

restarted_client()
{
	local before

	tunnel
	before=$(ip -n client1 -j link show dev tun1 | jq -re '.[0].ifindex')
	kill -USR1 "${PID[client1]}"
	check "the server notices" wait_log server "$GONE" 2
	check "the client connects again" is_back
	check "on the same device" test "$before" = \
		"$(ip -n client1 -j link show dev tun1 | jq -re '.[0].ifindex')"
	check "one peer" has_peers server tunS 1
	works
	# the device goes and comes with the same name
	kill -HUP "${PID[client1]}"
	check "the client starts afresh" \
		wait_again client1 'Initialization Sequence Completed' 2 30
	works
}

restarted_server()
{
	tunnel
	kill -USR1 "${PID[server]}"
	check "the client notices" wait_log client1 "$RESET" 2
	check "the server starts again" \
		wait_again server 'Initialization Sequence Completed' 1 30
	check "the client connects again" is_back
	works
}

# What the server has to say in the end, with and without data before it.
# sent_away WORD TRAFFIC-COMMAND...
sent_away()
{
	tunnel
	"${@:2}"
	check "the server sends it away" tell "client-kill 0 $1"
	case $1 in
	HALT)
		check "the client hears it" wait_log client1 \
			'Halt command was pushed by server' 2
		check "and ends" wait_for 5 not running client1
		;;
	RESTART)
		check "the client hears it" wait_log client1 \
			'Connection reset command was pushed by server' 2
		check "and comes back" is_back
		check "one peer" wait_for 2 has_peers server tunS 1
		check "pings" wait_for 5 pings client1 "$VPN6"
		;;
	esac
	check "that came before the end of the connection" \
		never_said client1 "$RESET"
}

# Killed without a word: the connection ends, and that is heard.
thrown_out()
{
	tunnel
	storm 1
	check "the server throws the client out" tell "kill client1"
	check "the client notices" wait_log client1 "$RESET" 2
	check "and comes back" is_back
	works
	check "one peer" has_peers server tunS 1
}

# The client says that it leaves, then leaves: no message may be lost in between.
leaves_with_a_word()
{
	tunnel
	storm 1
	stop client1 INT
	check "the server notices" wait_log server "$GONE|EXIT" 2
	check "the peer is gone" wait_for 2 has_peers server tunS 0
}

# No end at all: nothing comes through. TCP would retry for a quarter of an hour.
cut_wire()
{
	stage_up 1
	server --proto tcp4-server --keepalive 1 3
	client 1 --remote 10.0.1.1 1194 tcp4-client --connect-retry 1 1 \
		--connect-timeout 3
	connected client1
	sleep 5
	check "an idle tunnel is kept" never_said client1 'Inactivity|reset'
	storm 1
	ip -n server link set wire1 down
	check "the client notices a dead wire" wait_log client1 \
		'Inactivity timeout \(--ping-restart\), restarting' 12
	check "the server too" wait_log server 'ovpn-dco: ping expired' 12
	check "the peer is gone" wait_for 2 has_peers server tunS 0
	ip -n server link set wire1 up
	ip -n server addr replace fd00:0:1::1/64 dev wire1 nodad
	check "the client comes back with the wire" is_back
	works
}

# Somebody on the way resets the connection, first for the one, then for the other.
meddle()
{
	in_ns client1 nft -f - <<-EOF
	table inet meddle {
		chain in {
			type filter hook input priority 0;
			iifname wire tcp sport 1194 reject with tcp reset
		}
	}
	EOF
}

reset_connection()
{
	tunnel
	storm 1
	meddle
	check "the server notices a reset" wait_log server "$GONE" 2
	check "the kernel has deleted the peer" wait_for 2 has_peers server tunS 0
	in_ns client1 nft delete table inet meddle
	check "the client notices a reset" wait_log client1 "$RESET" 4
	check "the client comes back" is_back
	check "one peer" has_peers server tunS 1
	works
}

device_removed()
{
	tunnel
	storm 1
	check "the server's device goes" timeout 10 ip -n server link del tunS
	check "the client's device goes" timeout 10 ip -n client1 link del tun1
	stage_down
	check "the module can be unloaded" unloads
}

namespaces_deleted()
{
	tunnel
	storm 1
	ip netns del client1
	ip netns del server
	{ jobs -p | xargs kill -9; wait; } 2> /dev/null || true
	check "the module can be unloaded" unloads
}

scenario "server killed" killed_server
scenario "client killed" killed_client
scenario "killed under traffic" killed_under_traffic
scenario "client stopped" stopped_client
scenario "client stopped under traffic" leaves_with_a_word
scenario "client restarted" restarted_client
scenario "server restarted" restarted_server
scenario "client told to halt" sent_away HALT true
scenario "client told to restart" sent_away RESTART true
scenario "client told to halt, under traffic" sent_away HALT storm 1
scenario "client told to restart, under traffic" sent_away RESTART storm 1
scenario "client thrown out" thrown_out
scenario "connection reset" reset_connection
scenario "wire cut" cut_wire
scenario "devices removed under traffic" device_removed
scenario "namespaces deleted under traffic" namespaces_deleted
done_testing
