#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The packet filter inside and outside of the tunnel: NAT of what is forwarded, and
# nothing of an inner packet left on the outer one, or the reverse.

# shellcheck disable=SC2119 # arguments that are optional
set -euo pipefail
# shellcheck source=common.sh
. ./common.sh
# shellcheck source=traffic.sh
. ./traffic.sh

behind()
{
	two_ends "${1:-udp4}"
	keys
	behind_a
}

rules()
{
	in_ns "$1" nft -f -
}

# B has no route to L's addresses: only masqueraded packets are answered
test_masquerade()
{
	behind
	rules "$A" <<-EOF
		table inet nat {
			chain post {
				type nat hook postrouting priority 100
				oifname tunA masquerade
			}
		}
	EOF
	count_packets "$B" foreign prerouting iifname tunB \
		ip saddr != 10.8.0.1
	iperf_server "$B"
	pings "$L" 10.8.0.2
	pings "$L" fd08::2
	iperf "$L" 10.8.0.2 -n 4M
	iperf "$L" fd08::2 -n 4M -R
	counts "$B" foreign 0 || die "packets with addresses of the LAN"
}

test_port_forward()
{
	behind
	ip -n "$B" route add 192.168.7.0/24 dev tunB
	rules "$A" <<-EOF
		table inet nat {
			chain pre {
				type nat hook prerouting priority -100
				iifname tunA tcp dport 5555 dnat ip to 192.168.7.2:5201
			}
		}
	EOF
	iperf_server "$L"
	iperf "$B" 10.8.0.1 -p 5555 -n 4M
}

# outer packets are a flow of their own, tracked and marked as such
scrubbed()
{
	local transport=$1 f=$2

	behind "$transport"
	ip -n "$B" route add 192.168.7.0/24 dev tunB
	ip -n "$B" route add fd07::/64 dev tunB
	rules "$A" <<-EOF
		table inet scrub {
			counter foreign_ct { }
			counter own_ct { }
			counter marked { }
			counter ct_marked { }
			counter in_marked { }
			counter in_ct_marked { }
			counter in_own_ct { }
			counter in_invalid { }
			chain mark_inner {
				type filter hook postrouting priority -150
				oifname tunA meta mark set 0x77
				oifname tunA ct mark set 0x77
			}
			chain outer {
				type filter hook postrouting priority 0
				oifname veth udp dport $PORT meta mark != 0 counter name marked
				oifname veth udp dport $PORT ct mark 0x77 counter name ct_marked
				oifname veth udp dport $PORT ct original proto-dst $PORT counter name own_ct
				oifname veth udp dport $PORT ct original proto-dst != $PORT counter name foreign_ct
			}
			chain mark_outer {
				type filter hook prerouting priority -150
				iifname veth meta mark set 0x88
				iifname veth ct mark set 0x88
			}
			chain inner {
				type filter hook prerouting priority -140
				iifname tunA meta mark != 0 counter name in_marked
				iifname tunA ct mark 0x88 counter name in_ct_marked
				iifname tunA ct original protocol { icmp, icmpv6 } counter name in_own_ct
				iifname tunA ct state invalid counter name in_invalid
			}
		}
	EOF
	pings "$L" "$(inner "$f" 2)" -c 10
	in_ns "$A" nft -j list counters | jq -r \
		'.nftables[].counter? // empty | "\(.name)=\(.packets)"' \
		>"$T/counters"
	cat "$T/counters"
	for counter in marked ct_marked foreign_ct in_marked in_ct_marked \
		       in_invalid; do
		equal "$(value "$counter" "$T/counters")" 0 "packets: $counter"
	done
	equal "$(value own_ct "$T/counters")" 10 "packets: own_ct"
	equal "$(value in_own_ct "$T/counters")" 10 "packets: in_own_ct"
}

test_scrubbed_ipv4()
{
	scrubbed udp4 4
}

test_scrubbed_ipv6()
{
	scrubbed udp6 6
}

# the reason comes back through the tunnel
test_rejected_inside()
{
	behind
	ip -n "$B" route add 192.168.7.0/24 dev tunB
	rules "$A" <<-EOF
		table inet filter {
			chain forward {
				type filter hook forward priority 0; policy drop
				ct state established accept
				iifname lan accept
				iifname tunA reject with icmpx admin-prohibited
			}
		}
	EOF
	pings "$L" 10.8.0.2
	in_ns "$B" ping -n -c 2 -i 0.05 -W 2 192.168.7.2 &>"$T/ping" &&
		die "it came through"
	cat "$T/ping"
	grep -qiE "filtered|prohibited" "$T/ping" || die "no ICMP error came"
}

run_tests masquerade port_forward scrubbed_ipv4 scrubbed_ipv6 rejected_inside
