#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Device and packet sizes: OpenVPN's default lets the device have the MTU of the
# wire, so sealed full-size packets do not fit in one frame and must be fragmented.
# In a TCP stream a packet may have any size.
set -euo pipefail
. "$(dirname "$0")/../lib.sh"

# sizes MTU PROTO SERVER
sizes()
{
	local mtu=$1 proto=$2 remote=$3 peer4 peer6
	local serves=${proto/tcp4/tcp4-server} calls=${proto/tcp4/tcp4-client}

	stage_up 1
	server --proto "$serves" --tun-mtu "$mtu"
	client 1 --remote "$remote" 1194 "$calls" --tun-mtu "$mtu"
	connected client1
	peer4=$(vpn_addr 1 4)
	peer6=$(vpn_addr 1 6)
	check "the device's MTU" mtu_is client1 tun1 "$mtu"
	check "IPv4 packets that fill it" \
		pings client1 "$VPN4" 20 -s $((mtu - 28)) -M "do"
	check "IPv6 packets that fill it" \
		pings client1 "$VPN6" 20 -s $((mtu - 48)) -M "do"
	check "packets fragmented inside, IPv4" pings server "$peer4" 20 -s 9000
	check "packets fragmented inside, IPv6" pings server "$peer6" 20 -s 9000
	check "every small size" small_sizes "$peer4"
	check "a file to the server" transfer client1 server "$VPN6" 8
	check "a file to the client" transfer server client1 "$peer4" 8
}

mtu_is()
{
	ip -n "$1" -j link show dev "$2" | jq -e ".[0].mtu == $3"
}

small_sizes()
{
	local size

	for size in 0 1 2 3 4 7 8 15 16 17 31 32 33; do
		pings server "$1" 2 -s "$size" || return 1
	done
}

scenario "default MTU over IPv4" sizes 1500 udp4 10.0.1.1
scenario "default MTU over IPv6" sizes 1500 udp6 fd00:0:1::1
scenario "MTU 1280" sizes 1280 udp4 10.0.1.1
scenario "MTU 9000 over IPv4" sizes 9000 udp4 10.0.1.1
scenario "MTU 9000 over IPv6" sizes 9000 udp6 fd00:0:1::1
scenario "MTU 9000 over TCP" sizes 9000 tcp4 10.0.1.1
scenario "MTU 65000 over TCP" sizes 65000 tcp4 10.0.1.1
done_testing
