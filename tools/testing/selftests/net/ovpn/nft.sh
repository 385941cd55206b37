#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The packet filter inside and outside of the tunnel: NAT of what is forwarded, and
# nothing of an inner packet left on the outer one, or the reverse. And tc where
# packets come out of the tunnel.

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

# What is seen on the device big. Only echo replies have the size of theirs.
MIRROR='
import signal, socket, struct, sys
over = []
signal.signal(signal.SIGTERM, lambda *_: over.append(True))
sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
sock.setsockopt(socket.SOL_SOCKET, 33, 16 << 20)
sock.bind(("big", 3))
sock.settimeout(0.1)
print("ready", flush=True)
v4 = v6 = other = wrong = 0
while True:
    last = bool(over)
    try:
        frame = sock.recv(1 << 17)
    except TimeoutError:
        if last:
            break
        continue
    size = len(frame)
    if frame[0] == 0x45 and struct.unpack_from("!H", frame, 2)[0] == size:
        v4 += size == 20 + 8 + 777
    elif frame[0] >> 4 == 6 and \
         struct.unpack_from("!H", frame, 4)[0] + 40 == size:
        v6 += size == 40 + 8 + 777
    else:
        wrong += 1
        print(size, frame[:32].hex())
    other += size not in (20 + 8 + 777, 40 + 8 + 777)
print(f"v4={v4} v6={v6} other={other} wrong={wrong}")'

# ingress TRANSPORT: what comes out of the tunnel starts with its IP header for
# tc, whatever was in front of that outside; with GRO, and without
ingress()
{
	local gro

	type -t python3 >/dev/null || skip "python3 is missing"
	two_ends "$1"
	keys
	ip -n "$A" link add big mtu 65535 type dummy ||
		skip "no dummy devices in this kernel (CONFIG_DUMMY)"
	ip -n "$A" link set big addrgenmode none
	ip -n "$A" link set big up
	if ! in_ns "$A" tc qdisc add dev tunA clsact ||
	   ! in_ns "$A" tc filter add dev tunA ingress matchall \
		action mirred egress mirror dev big; then
		skip "nothing can be mirrored (CONFIG_NET_SCH_INGRESS," \
			"NET_CLS_MATCHALL, NET_ACT_MIRRED)"
	fi
	iperf_server "$A"
	for gro in on off; do
		in_ns "$A" ethtool -K tunA gro $gro
		spawn seen ip netns exec "$A" python3 -c "$MIRROR"
		said seen ready
		pings "$A" 10.8.0.2 -c 10 -s 777
		pings "$A" fd08::2 -c 10 -s 777
		iperf "$B" 10.8.0.1 -n 1M
		iperf "$B" fd08::1 -n 1M
		kill "${JOB_PID[seen]}"
		finish seen || { cat "$T/seen.out"; die "no listener"; }
		echo "gro $gro: $(tail -n 1 "$T/seen.out")"
		equal "$(value wrong "$T/seen.out")" 0 "no IP packets"
		equal "$(value v4 "$T/seen.out")" 10 "IPv4 echo replies"
		equal "$(value v6 "$T/seen.out")" 10 "IPv6 echo replies"
		[[ $(value other "$T/seen.out") -gt 0 ]] || die "no streams"
	done
	no_drops
}

test_ingress_udp4()
{
	ingress udp4
}

test_ingress_udp6()
{
	ingress udp6
}

test_ingress_tcp4()
{
	ingress tcp4
}

run_tests masquerade port_forward scrubbed_ipv4 scrubbed_ipv6 \
	rejected_inside ingress_udp4 ingress_udp6 ingress_tcp4
