#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Many clients that come at once, lose their server together and come again. One
# after the other over UDP and over TCP, all on one device.
set -euo pipefail
. "$(dirname "$0")/../lib.sh"

CLIENTS=${CLIENTS:-20}

all()
{
	local n

	for n in $(seq "$CLIENTS"); do
		"$@" "$n" || { echo "client$n: $*"; return 1; }
	done
}

start_server()
{
	server --local 0.0.0.0 1194 udp4 --local 0.0.0.0 1195 tcp4-server \
		--explicit-exit-notify 1 --keepalive 2 10 "$@"
}

start_one()
{
	local proto=(1194 udp4)

	[ $(($1 % 2)) -eq 0 ] || proto=(1195 tcp4-client)
	client "$1" --remote "10.0.$1.1" "${proto[@]}" --connect-retry 1 1
}

is_up()
{
	connected "client$1" 60
}

is_back()
{
	wait_again "client$1" 'Initialization Sequence Completed' 1 60
}

is_offloaded()
{
	offloaded "client$1"
}

ping_up()
{
	pings "client$1" "$VPN4" 2
}

ping_down()
{
	pings server "$(vpn_addr "$1" 6)" 2
}

# to the next client, through the server
ping_around()
{
	pings "client$1" "$(vpn_addr $(($1 % CLIENTS + 1)) 4)" 2
}

peers()
{
	look server peers tunS
}

listed()
{
	[ "$(grep -c ^CLIENT_LIST, "$WORK/status")" -eq "$CLIENTS" ]
}

listed_tcp()
{
	[ "$(grep -c '^CLIENT_LIST,.*,tcp4-server:' "$WORK/status")" \
		-eq $((CLIENTS / 2)) ]
}

many()
{
	local n

	stage_up "$CLIENTS"
	for n in $(seq "$CLIENTS"); do
		pki "client$n"
	done
	start_server --status "$WORK/status" 1 --status-version 2
	all start_one
	check "all $CLIENTS come up" all is_up
	check "all are offloaded" all is_offloaded
	check "the kernel has a peer for each" \
		test "$(peers | grep -c vpn4=)" -eq "$CLIENTS"
	check "each with an id of its own" \
		test "$(peers | cut -d' ' -f1 | sort -u | wc -l)" -eq "$CLIENTS"
	check "all ping the server" all ping_up
	check "the server pings all" all ping_down
	check "all ping each other around" all ping_around
	check "the status lists all" wait_for 10 listed
	check "half of them over TCP" wait_for 10 listed_tcp

	stop server
	rm "$WORK/server.log"
	start_server
	check "after the server's restart all come back" all is_back
	check "and ping" all ping_up
}

scenario "$CLIENTS clients" many
done_testing
