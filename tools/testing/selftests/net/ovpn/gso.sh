#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Super-packets: TCP and UDP of a host, and what a router forwards, come out as
# they went in, whatever the devices, queues and filters on the way are able to
# do. See ovpn-bulk.c.

# shellcheck disable=SC2119 # arguments that are optional
set -euo pipefail
# shellcheck source=common.sh
. ./common.sh
# shellcheck source=traffic.sh
. ./traffic.sh

require "$BULK" ethtool nft tc nstat

#
# The variety of ways: each row is one. Its columns are
#
# wire   MTU of the wire; that of the tunnel is such that its packets fit, but
#        1280: there they do not, and are fragmented
# send   what the tunnel's devices lack when they send
# recv   what they lack when they receive
# veth   what the devices of the wire and of the LAN lack, or do besides: gro
#        makes super-packets of what comes in, list chains of packets
# filter nothing; connections are tracked; outer and inner packets have their
#        source changed
# queue  of the wire, both ways; one of them puts packets in another order
#
# All combinations would be 23328. Here are, for each two columns of the
# transport and these, all combinations of two values; but not of columns that
# have little to do with one another: what is lacking to send does not meet all
# veths, filters and queues, nor recv all queues, nor a filter all queues. A TCP
# connection cannot be moved by NAT. Each filter has a tunnel of its own, as
# connection tracking remembers.
#
#  wire  send  recv  veth  filter queue
UDP4="
   1500  sg    sum   list  nat    fq_codel
   1500  all   all   sg    nat    reorder
   1500  sg    gro   gro   nat    cake
   1500  all   gro   gso   nat    cake
   1280  tso   both  all   nat    cake
   1280  sg    gro   all   nat    fq_codel
   1280  gso   all   gro   ct     fq
   9000  all   gro   all   ct     fq
   1500  udp   gro   sum   none   tbf
   9000  sum   both  gso   none   none
"
UDP6="
   1500  all   both  gro   nat    tbf
   1500  all   gro   all   nat    tbf
   1280  sg    gro   gro   nat    reorder
   1280  udp   both  sum   nat    none
   1280  all   both  sg    nat    none
   1280  gso   sum   gso   nat    fq_codel
   9000  udp   all   sum   nat    fq_codel
   9000  tso   gro   gso   nat    reorder
   9000  sg    all   list  nat    fq
   1500  gso   both  sg    ct     cake
   1280  all   sum   gso   ct     tbf
   1280  sum   gro   list  ct     none
   9000  sg    all   sum   ct     fq
   9000  udp   sum   gro   ct     fq_codel
   1500  tso   all   all   none   none
   1500  gso   gro   list  none   cake
   1500  gso   sum   list  none   reorder
   9000  gso   gro   sg    none   fq
"
TCP4="
   1500  sum   both  sg    ct     tbf
   9000  all   gro   sum   ct     cake
   9000  tso   sum   all   ct     reorder
   1500  sum   all   gso   none   fq
   1280  udp   sum   sg    none   fq_codel
   1280  sum   sum   sum   none   reorder
   9000  sg    both  list  none   tbf
   9000  gso   sum   gro   none   none
"

# features NS DEV NAME on|off...
features()
{
	in_ns "$1" ethtool -K "$2" "${@:3}" >/dev/null
}

set_wire()
{
	local tunnel

	case $1 in
	1280) tunnel=1500 ;;
	*) tunnel=$(($1 - 100)) ;;
	esac
	SIZE=$((tunnel - 48))
	ip -n "$A" link set veth mtu "$1"
	ip -n "$B" link set veth mtu "$1"
	ip -n "$A" link set tunA mtu "$tunnel"
	ip -n "$B" link set tunB mtu "$tunnel"
	ip -n "$A" link set lan mtu "$tunnel"
	ip -n "$L" link set lan mtu "$tunnel"
}

# set_tunnel SEND RECV
set_tunnel()
{
	local -a lacks=()

	case $1 in
	tso) lacks+=(tso off) ;;
	gso) lacks+=(gso off) ;;
	sg) lacks+=(sg off) ;;
	sum) lacks+=(tx off) ;;
	udp) lacks+=(tx-udp-segmentation off) ;;
	esac
	case $2 in
	sum) lacks+=(rx off) ;;
	gro) lacks+=(gro off) ;;
	both) lacks+=(rx off gro off) ;;
	esac
	for end in "$A tunA" "$B tunB"; do
		# shellcheck disable=SC2086 # two words
		features $end tx on sg on tso on gso on rx on gro on \
			tx-udp-segmentation on
		# shellcheck disable=SC2086
		((${#lacks[@]} == 0)) || features $end "${lacks[@]}"
	done
}

set_veths()
{
	local -a lacks=(gro off)

	case $1 in
	gso) lacks+=(tso off gso off tx-udp-segmentation off) ;;
	sum) lacks+=(tx off) ;;
	sg) lacks+=(sg off) ;;
	gro) lacks=(tso off tx-udp-segmentation off gro on
		rx-udp-gro-forwarding on) ;;
	list) lacks=(tso off tx-udp-segmentation off gro on rx-gro-list on) ;;
	esac
	for end in "$A veth" "$B veth" "$A lan" "$L lan"; do
		# shellcheck disable=SC2086 # two words
		features $end tx on sg on tso on gso on gro off \
			tx-udp-segmentation on rx-udp-gro-forwarding off \
			rx-gro-list off
		# shellcheck disable=SC2086
		features $end "${lacks[@]}"
	done
}

set_filter()
{
	[[ $1 != none ]] || return 0
	in_ns "$A" nft -f - <<-EOF
		table inet tracked {
			chain forward {
				type filter hook forward priority 0
				ct state invalid drop
			}
			chain output {
				type filter hook output priority 0
				ct state invalid drop
			}
		}
	EOF
	[[ $1 == nat ]] || return 0
	in_ns "$A" nft -f - <<-EOF
		table inet nat {
			chain post {
				type nat hook postrouting priority 100
				oifname tunA masquerade
				oifname veth udp dport $PORT masquerade to :40000
			}
		}
	EOF
}

set_queue()
{
	local end
	local -a qdisc=("$1")

	case $1 in
	none) qdisc=(noqueue) ;;
	# a slow machine is no congestion
	fq_codel) qdisc+=(target 1s interval 10s limit 10240) ;;
	cake) qdisc+=(rtt 10s memlimit 64m) ;;
	tbf) qdisc+=(rate 400mbit burst 256k limit 16m) ;;
	reorder) qdisc=(netem delay 500us reorder 90% limit 10000) ;;
	esac
	for end in "$A" "$B"; do
		tc -n "$end" qdisc replace dev veth root "${qdisc[@]}"
	done
}

# bulk NS WORD...: a transfer in the background
bulk()
{
	in_ns "$1" timeout $((60 * OVPN_SLOW)) "$BULK" "${@:2}" \
		>"$T/bulk.${#BULKS[@]}" 2>&1 &
	BULKS+=("$!")
}

# bulk_udp NS WORD...: the same; a machine that stands still may lose a datagram
# to a full socket or an impatient queue, but not three times in a row
bulk_udp()
{
	local log=$T/bulk.${#BULKS[@]} ns=$1

	shift
	(
		for _ in 1 2 3; do
			in_ns "$ns" timeout $((60 * OVPN_SLOW)) "$BULK" udp "$@" \
				>"$log" 2>&1 && exit
			grep -q " bad=0 doubled=0" "$log" || exit
		done
		exit 1
	) &
	BULKS+=("$!")
}

# all transfers at once: hosts at both ends and the one behind, TCP and UDP,
# IPv4 and IPv6
transfers()
{
	BULKS=()
	bulk "$A" tcp 10.8.0.2 5000 400000
	bulk "$B" tcp fd08::1 5000 400000
	bulk "$L" tcp fd08::2 5000 400000
	bulk "$B" tcp 192.168.7.2 5000 400000
	bulk_udp "$A" fd08::2 5000 200000 "$SIZE"
	bulk_udp "$B" 10.8.0.1 5000 200000 "$SIZE"
	bulk_udp "$L" 10.8.0.2 5000 200000 "$SIZE"
	bulk_udp "$B" fd07::2 5000 200000 "$SIZE"
	sent
}

# all of these have arrived as they were
sent()
{
	local i rc=0

	for ((i = 0; i < ${#BULKS[@]}; i++)); do
		wait "${BULKS[i]}" || { rc=1; echo "transfer $i:"; }
		((rc == 0)) || cat "$T/bulk.$i"
	done
	return "$rc"
}

# no checksum was wrong that somebody looked at
no_bad_sums()
{
	local ns

	for ns in "$A" "$B" "$L"; do
		in_ns "$ns" nstat -asz TcpInCsumErrors UdpInCsumErrors \
			Udp6InCsumErrors >"$T/nstat"
		awk '/^[A-Z]/ { sum += $2; n++ } END { exit sum || n != 3 }' \
			"$T/nstat" ||
			{ cat "$T/nstat"; echo "bad checksums"; return 1; }
	done
}

serve()
{
	spawn "bulk-$1" ip netns exec "$1" "$BULK" serve 5000
	said "bulk-$1" ready
}

# whole TRANSPORT: what the tests below are about is there: filters see far fewer
# packets than the tunnel carries, outside and at the end of it
whole()
{
	local segments outer inner

	two_ends "$1"
	keys
	count_packets "$B" outer prerouting iifname veth
	count_packets "$B" inner prerouting iifname tunB meta l4proto tcp
	serve "$B"
	in_ns "$A" "$BULK" tcp 10.8.0.2 5000 4000000
	in_ns "$A" "$BULK" tcp fd08::2 5000 4000000
	segments=$(link_stat "$A" tunA tx packets)
	outer=$(counted "$B" outer)
	inner=$(counted "$B" inner)
	echo "segments=$segments outer=$outer inner=$inner"
	[[ $segments -gt $((8000000 / 1500)) ]] || die "too few segments"
	[[ $((outer * 3)) -lt $segments ]] || die "cut outside"
	[[ $((inner * 3)) -lt $segments ]] || die "cut inside"
	no_drops
}

test_whole_udp4()
{
	whole udp4
}

test_whole_udp6()
{
	whole udp6
}

test_whole_tcp4()
{
	whole tcp4
}

# every_way TRANSPORT FILTER ROWS: those with that filter. In the second half
# somebody listens on the wire, where all datagrams are sound and have ids of
# their own.
every_way()
{
	local row wire send recv veth queue number=0
	local -a rows

	mapfile -t rows < <(awk -v filter="$2" '$5 == filter' <<<"$3")
	two_ends "$1"
	keys
	behind_a
	ip -n "$B" route add 192.168.7.0/24 dev tunB
	ip -n "$B" route add fd07::/64 dev tunB
	serve "$A"
	serve "$B"
	serve "$L"
	set_filter "$2"
	for row in "${rows[@]}"; do
		read -r wire send recv veth _ queue <<<"$row"
		if ((number++ == ${#rows[@]} / 2)) && [[ $1 == udp* ]]; then
			sniff wire "$B"
		fi
		set_wire "$wire"
		set_tunnel "$send" "$recv"
		set_veths "$veth"
		set_queue "$queue"
		transfers || die "row: $row"
		no_bad_sums || die "row: $row"
	done

	((number)) || die "no rows"
	[[ $1 != udp* ]] || sniffed wire
	no_drops
}

test_udp4()
{
	every_way udp4 none "$UDP4"
}

test_udp4_tracked()
{
	every_way udp4 ct "$UDP4"
}

test_udp4_nat()
{
	every_way udp4 nat "$UDP4"
}

test_udp6()
{
	every_way udp6 none "$UDP6"
}

test_udp6_tracked()
{
	every_way udp6 ct "$UDP6"
}

test_udp6_nat()
{
	every_way udp6 nat "$UDP6"
}

test_tcp4()
{
	every_way tcp4 none "$TCP4"
}

test_tcp4_tracked()
{
	every_way tcp4 ct "$TCP4"
}

# tapped_as WAY: what the listener sees is what was sent, and nothing is lost
tapped_as()
{
	local size=1200 bytes=300000

	spawn tap ip netns exec "$A" python3 -B "$OVPN_DIR/tap.py" tunA $size
	said tap ready
	BULKS=()
	bulk "$A" tcp 10.8.0.2 5000 $bytes
	bulk "$A" tcp fd08::2 5000 $bytes
	bulk_udp "$A" 10.8.0.2 5000 $bytes $size
	bulk_udp "$A" fd08::2 5000 $bytes $size
	pings "$A" 10.8.0.2 -c 10 -s 1000
	pings "$A" fd08::2 -c 10
	sent || die "$1"
	kill "${JOB_PID[tap]}"
	finish tap || { cat "$T/tap.out"; die "$1: no listener"; }
	echo "$1: $(tail -n 1 "$T/tap.out")"
	equal "$(value wrong "$T/tap.out")" 0 "$1: packets written over"
	equal "$(value echoes "$T/tap.out")" 20 "$1: echo requests seen"
	[[ $(value tcp "$T/tap.out") -ge $((2 * bytes)) &&
	   $(value udp "$T/tap.out") -ge $((2 * bytes)) ]] ||
		die "$1: not all was seen"
}

# tapped TRANSPORT: who listens on the device has a copy that shares its memory
# with the packet that is sealed. As super-packets; as such that the stack cuts
# for us; packet by packet.
tapped()
{
	type -t python3 >/dev/null || skip "python3 is missing"
	two_ends "$1"
	keys
	serve "$B"
	tapped_as whole
	[[ $(value supers "$T/tap.out") -gt 0 ]] || die "no super-packets"
	ip -n "$A" link set veth mtu 1280
	tapped_as "cut by the stack"
	ip -n "$A" link set veth mtu 1500
	features "$A" tunA tso off gso off tx-udp-segmentation off
	tapped_as single
	equal "$(value supers "$T/tap.out")" 0 "super-packets"
	no_drops
}

test_tapped_udp4()
{
	tapped udp4
}

test_tapped_udp6()
{
	tapped udp6
}

test_tapped_tcp4()
{
	tapped tcp4
}

run_tests whole_udp4 whole_udp6 whole_tcp4 tapped_udp4 tapped_udp6 \
	tapped_tcp4 udp4 udp4_tracked udp4_nat udp6 udp6_tracked udp6_nat \
	tcp4 tcp4_tracked
