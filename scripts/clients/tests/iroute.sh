#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Networks behind a client (iroute): found by the route's next hop on the way out,
# and by the same route checked for the source on the way in.
set -euo pipefail
. "$(dirname "$0")/../lib.sh"

# A host in a network of its own behind client1.
add_lan()
{
	add_ns lan
	ip link add lan netns client1 type veth peer name wire netns lan
	ip -n client1 addr add 192.168.7.1/24 dev lan
	ip -n client1 addr add fd00:77::1/64 dev lan nodad
	ip -n client1 link set lan up
	ip -n lan addr add 192.168.7.2/24 dev wire
	ip -n lan addr add fd00:77::2/64 dev wire nodad
	ip -n lan link set wire up
	ip -n lan route add default via 192.168.7.1
	ip -n lan -6 route add default via fd00:77::1
	in_ns client1 sysctl -q net.ipv4.ip_forward=1 \
		net.ipv6.conf.all.forwarding=1
}

# A client may send as its own address and its networks', as nobody else.
# Counted in the server, behind the tunnel.
count_arrivals()
{
	in_ns server nft -f - <<-EOF
	table inet count {
		counter good { }
		counter bad { }
		chain in {
			type filter hook prerouting priority -300;
			iifname tunS ip saddr 192.168.7.1 counter name good
			iifname tunS ip saddr { 192.168.99.1, 10.8.0.77 } counter name bad
			iifname tunS ip6 saddr { fd00:99::1, fd00:8::77 } counter name bad
		}
	}
	EOF
}

arrived()
{
	in_ns server nft -j list counter inet count "$1" |
		jq -e ".nftables[] | select(.counter) | .counter.packets == $2"
}

send_as()
{
	ip -n client1 addr replace "$1" dev lo
	in_ns client1 ping -n -q -c 3 -i 0.05 -W 1 -I "${1%/*}" "$2" > /dev/null ||
		true
}

# iroutes have this metric
routed()
{
	ip -n server -j route show 192.168.7.0/24 metric 100 |
		jq -e 'length == 1'
}

iroute()
{
	stage_up 2
	add_lan
	mkdir "$WORK/ccd"
	cat > "$WORK/ccd/client1" <<-EOF
	iroute 192.168.7.0 255.255.255.0
	iroute-ipv6 fd00:77::/64
	EOF
	server --proto udp4 --client-config-dir "$WORK/ccd" \
		--route 192.168.7.0 255.255.255.0 --route-ipv6 fd00:77::/64
	# the first client has the address that the plain route points to
	client 2 --remote 10.0.2.1 1194 udp4 \
		--route 192.168.7.0 255.255.255.0 --route-ipv6 fd00:77::/64
	connected client2
	client 1 --remote 10.0.1.1 1194 udp4 --explicit-exit-notify 1
	connected client1
	check "the server is offloaded" offloaded server
	check "OpenVPN set the route" wait_for 5 routed
	check "server to the network, IPv4" pings server 192.168.7.2
	check "server to the network, IPv6" pings server fd00:77::2
	check "the network to the server, IPv4" pings lan "$VPN4"
	check "the network to the server, IPv6" pings lan "$VPN6"
	check "the other client to the network, IPv4" pings client2 192.168.7.2
	check "the other client to the network, IPv6" pings client2 fd00:77::2
	check "the network to the other client" pings lan "$(vpn_addr 2 4)"
	check "a file from the network" transfer lan server "$VPN4" 4
	check "a file to the network" transfer client2 lan fd00:77::2 4

	count_arrivals
	send_as 192.168.7.1/32 "$VPN4"
	check "what comes from the network arrives" arrived good 3
	send_as 192.168.99.1/32 "$VPN4"
	send_as 10.8.0.77/32 "$VPN4"
	send_as fd00:99::1/128 "$VPN6"
	send_as fd00:8::77/128 "$VPN6"
	check "what comes from elsewhere does not" arrived bad 0

	stop client1
	check "the route goes with the client" wait_for 30 not routed
}

scenario "iroute" iroute
done_testing
