#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Datagrams that a network card delivers one by one, and that GRO merges on the
# way to the socket: all arrive as they were sent, and what is not for the data
# channel is never merged.

# shellcheck disable=SC2119 # arguments that are optional
set -euo pipefail
# shellcheck source=common.sh
. ./common.sh
# shellcheck source=traffic.sh
. ./traffic.sh

require socat ethtool tc sha256sum

# card RECEIVER SENDER [SENDER's DEVICE]: the wire between them carries single
# datagrams with checksums, and the receiver's end of it is like a network card;
# who is too fast for it has to wait
card()
{
	local dev=${3:-veth}

	in_ns "$2" ethtool -K "$dev" tx off sg off tso off gso off \
		tx-udp-segmentation off
	tc -n "$2" qdisc replace dev "$dev" root pfifo limit 10000
	in_ns "$1" ethtool -K veth gro on
}

# acquainted NS ADDR...: it knows these neighbours, and they know it
acquainted()
{
	local addr

	for addr in "${@:2}"; do
		in_ns "$1" ping -q -c 1 -W 5 "$addr" >/dev/null ||
			die "no answer from $addr"
	done
}

# patient NS: its card waits for more, so that single sends are merged, too.
# Answers of neighbours would have to wait as well, and what is sent meanwhile
# is soon too much for their queue: they are asked before.
patient()
{
	acquainted "$1" "$(outer udp4 2)" "$(outer udp6 2)"
	in_ns "$1" sh -c "echo 2 >/sys/class/net/veth/napi_defer_hard_irqs
		echo 100000000 >/sys/class/net/veth/gro_flush_timeout"
}

# watch NS [PORT]: count the packets that come to the socket's port, as IP sees
# them
watch()
{
	count_packets "$1" came prerouting iifname veth udp dport "${2:-$PORT}"
}

# merged NS NUMBER: so many datagrams came in much fewer packets
merged()
{
	local came

	came=$(counted "$1" came)
	echo "$2 datagrams in $came packets"
	((came > 0 && came * 4 < $2)) || die "not merged"
}

# received NUMBER [PEER]: A got so many datagrams from the peer, and all of them
# were good
received()
{
	equal "$(peer_value "$A" tunA "${2:-1}" link-rx-packets)" "$1" \
		"datagrams received"
}

# both ends agree, and none was lost
all_arrived()
{
	no_drops
	received "$(peer_value "$B" tunB 1 link-tx-packets)"
}

# transfer FROM TO ADDR: the file arrives unchanged
transfer()
{
	local to=$3

	[[ $to != *:* ]] || to="[$to]"
	spawn taker ip netns exec "$2" timeout 60 socat -u \
		TCP6-LISTEN:5000,reuseaddr,ipv6only=0 \
		"OPEN:$T/taken,creat,trunc"
	wait_for listening "$2" 5000
	in_ns "$1" timeout 50 socat -u "OPEN:$T/file" "TCP:$to:5000"
	finish taker
	equal "$(sha256sum <"$T/taken")" "$(sha256sum <"$T/file")" "the file"
}

# random_file BYTES
random_file()
{
	head -c "$1" /dev/urandom >"$T/file"
}

stream()
{
	two_ends "$1"
	keys
	card "$A" "$B"
	watch "$A"
	# a number of bytes that is odd wherever it is cut
	random_file 3000017
	transfer "$B" "$A" 10.8.0.1
	transfer "$B" "$A" fd08::1
	all_arrived
	merged "$A" "$(peer_value "$A" tunA 1 link-rx-packets)"
	transfer "$A" "$B" 10.8.0.2
	all_arrived
}

test_stream_udp4()
{
	stream udp4
}

test_stream_udp6()
{
	stream udp6
}

test_stream_mapped()
{
	stream mapped
}

# a card that delivers headers and payload apart
test_stream_pieces()
{
	two_ends
	keys
	card "$A" "$B"
	in_ns "$B" ethtool -K veth tx on sg on tso off gso off \
		tx-udp-segmentation off
	watch "$A"
	random_file 3000017
	transfer "$B" "$A" 10.8.0.1
	all_arrived
	merged "$A" "$(peer_value "$A" tunA 1 link-rx-packets)"
}

# the test can tell
test_not_merged()
{
	local got

	two_ends
	keys
	card "$A" "$B"
	in_ns "$A" ethtool -K veth gro off
	watch "$A"
	random_file 1000003
	transfer "$B" "$A" 10.8.0.1
	all_arrived
	got=$(peer_value "$A" tunA 1 link-rx-packets)
	counts "$A" came "$got" || die "$got datagrams are not $got packets"
}

# sizes MODE of A's device
sizes()
{
	one_end "$1"
	card "$A" "$B"
	patient "$A"
	watch "$A"
	# all of one size, then each longer or shorter than the one before
	fr send count 640 size 1000
	fr send count 1000 size 1300 vary pkt-id 641
	fr send count 10 size 0 pkt-id 1641
	wait_for got_datagrams 1650
	dropped_only "$A" tunA
	# how many depends on how often the card's time is up meanwhile
	((1650 - $(counted "$A" came) > 300)) ||
		die "only $(counted "$A" came) packets were merged"
}

got_datagrams()
{
	[[ $(peer_value "$A" tunA "${2:-1}" link-rx-packets) == "$1" ]]
}

test_sizes_udp4()
{
	sizes udp4
}

test_sizes_udp6()
{
	sizes udp6
}

# arrive FIRST LAST PREFIX: control packets with these numbers at the end come to
# the program, one by one, and in order
arrive()
{
	local i got

	for ((i = $1; i <= $2; i++)); do
		got=$(cli "$A" recv "$(sock a)" timeout 5)
		equal "${got##* }" "$3$(printf %08x "$i")" "control packet"
	done
}

# Segments that would go on where the last one ended, under packet ids that have
# been there: each is looked at before it joins. (GRO would join them, too, but
# then each was looked at alone; the count cannot tell.)
test_replay_among_segments()
{
	one_end
	card "$A" "$B"
	patient "$A"
	count_packets "$A" inner prerouting iifname tunA tcp dport 7777
	fr send inner tcp dport 7777 size 1000 \
		ids 1-20,5,21-40,40,41-60,1-3,61-80
	wait_for got_datagrams 80
	wait_for dropped_only "$A" tunA rx_replayed=5
	echo "80 segments in $(counted "$A" inner) packets"
	(($(counted "$A" inner) < 40)) || die "nothing was joined"
}

# control packets among data packets, which are as long as those, and differ from
# them in the opcode only
test_control_among_data()
{
	local body opcode id n=320

	one_end
	card "$A" "$B"
	patient "$A"
	watch "$A"
	# of a merged packet, this sees the first datagram; 9 is P_DATA_V2
	in_ns "$A" nft add rule inet ovpn_test came \
		iifname veth udp dport "$PORT" @th,64,5 != 9 counter
	body=000001$(printf '00%.0s' {1..216})
	fr send count $n size 172
	for opcode in 20 40 58; do
		id=$((n + 1))
		n=$((n + 60))
		fr send count 60 size 172 pkt-id $id between "$opcode$body"
		wait_for got_datagrams $n
		arrive $id $n "$opcode$body"
	done
	dropped_only "$A" tunA
	in_ns "$A" nft list chain inet ovpn_test came | tee "$T/chain"
	grep -q "counter packets 180 " "$T/chain" || die "not each by itself"
	(($(counted "$A" came) < n + 180 - 200)) || die "nothing was merged"
	refused "timed out" cli "$A" recv "$(sock a)" timeout 1
}

# user space's packets in both directions while a stream runs
test_control_beside_stream()
{
	local i

	two_ends
	keys
	card "$A" "$B"
	iperf_server "$A"
	spawn iperf ip netns exec "$B" iperf3 -c 10.8.0.1 -t 60 -i 0
	wait_for tx_bytes 1000000
	for ((i = 10; i < 60; i++)); do
		cli "$B" send "$(sock b)" "28${i}dd" 10.0.0.1 "$PORT"
		equal "$(cli "$A" recv "$(sock a)" timeout 5)" \
			"10.0.0.2 $PORT 28${i}dd" "what came to user space"
	done
	dropped_only "$A" tunA
}

# tx_bytes N: has B sent so many?
tx_bytes()
{
	[[ $(link_stat "$B" tunB tx bytes) -gt $1 ]]
}

# packets of two keys of one peer in any order
test_two_keys()
{
	local key

	one_end
	key "$A" tunA 1 0 secret5 secondary 5
	card "$A" "$B"
	patient "$A"
	watch "$A"
	for key in 0 5; do
		fr_words send count 2000 size 500 key-id "$key" \
			secret "secret${key#0}"
		spawn "key$key" ip netns exec "$B" "$FRAMES" "${FR_WORDS[@]}"
	done
	finish key0
	finish key5
	wait_for got_datagrams 4000
	dropped_only "$A" tunA
	(($(counted "$A" came) < 4000)) || die "nothing was merged"
}

# no packet is lost when the keys change in the middle
test_rekey()
{
	local round

	two_ends
	keys
	card "$A" "$B"
	watch "$A"
	random_file 8388611
	steady there "$B" 10.8.0.1 2
	(transfer "$B" "$A" 10.8.0.1) &
	for ((round = 1; round <= 12; round++)); do
		renew $((round % 8))
	done
	wait $!
	steady_end there
	all_arrived
}

# each is charged for its own memory to the socket inside that gets it, and not
# the first one for that of all
test_memory()
{
	one_end
	card "$A" "$B"
	patient "$A"
	watch "$A"
	# nobody reads from it
	hold "$A" inner udp4 0.0.0.0 4000
	# about 2300 bytes each, and there is room for 90 of them
	fr send count 80 size 1000
	wait_for got_datagrams 80
	merged "$A" 80
	equal "$(in_ns "$A" nstat -asz UdpRcvbufErrors |
		awk '/Udp/ { print $2 }')" 0 "no room"
}

# several peers on one socket, all at once
test_many_peers()
{
	local i

	mp_star 4
	card "$S" "$W" port1
	watch "$S"
	iperf_server "$S"
	random_file 2000003
	for i in 2 3 4 5; do
		spawn "taker$i" ip netns exec "$S" timeout 60 socat -u \
			"TCP-LISTEN:500$i,reuseaddr" \
			"OPEN:$T/taken$i,creat,trunc"
		wait_for listening "$S" "500$i"
	done
	for i in 2 3 4 5; do
		spawn "giver$i" ip netns exec "${C[i]}" socat -u \
			"OPEN:$T/file" "TCP:10.8.0.1:500$i"
	done
	for i in 2 3 4 5; do
		finish "giver$i"
		finish "taker$i"
		cmp "$T/file" "$T/taken$i"
		equal "$(peer_value "$S" tun1 "$i" link-rx-packets)" \
			"$(peer_value "${C[i]}" "tun$i" "$i" link-tx-packets)" \
			"datagrams of peer $i"
	done
	dropped_only "$S" tun1
	merged "$S" "$(link_stat "$S" tun1 rx packets)"
}

# what an onlooker sees is well formed, and does not hurt
test_onlooker()
{
	two_ends
	keys
	card "$A" "$B"
	watch "$A"
	random_file 2000003
	sniff wire "$A" dir 0
	transfer "$B" "$A" 10.8.0.1
	sniffed wire
	all_arrived
	merged "$A" "$(peer_value "$A" tunA 1 link-rx-packets)"
	equal "$(value opened "$T/wire.out")" \
		"$(peer_value "$A" tunA 1 link-rx-packets)" "datagrams seen"
}

# forwarded FAMILY TRANSPORT: a socket that is bound to no address is not the
# receiver of all that goes to its port
forwarded()
{
	local to n=1000 words

	L=
	two_ends "$2"
	keys
	make_ns L
	wire "$A" lan "$L" veth
	addresses "$A" lan 1 192.168.7 fd07
	addresses "$L" veth 2 192.168.7 fd07
	ip -n "$L" route add default via 192.168.7.1
	ip -n "$L" route add default via fd07::1
	ip -n "$B" route add 192.168.7.0/24 via 10.0.0.1
	ip -n "$B" route add fd07::/64 via fd00::1
	in_ns "$A" sysctl -qw net.ipv4.ip_forward=1 \
		net.ipv6.conf.all.forwarding=1
	acquainted "$L" 192.168.7.1 fd07::1
	card "$A" "$B"
	patient "$A"
	watch "$A"
	# with one queue, whichever processor A sends on: the order is compared
	in_ns "$L" ethtool -K veth gro on
	# cut again on the other side, by the stack
	in_ns "$A" ethtool -K lan tx off sg off tso off gso off \
		tx-udp-segmentation off tx-gso-list off
	count_packets "$L" came prerouting iifname veth udp dport "$PORT"
	[[ -z ${3:-} ]] || in_ns "$A" nft -f - <<-EOF
		table inet nat {
			chain post {
				type nat hook postrouting priority 100
				oifname lan masquerade
			}
		}
	EOF

	to=$([[ $1 == 4 ]] && echo 192.168.7.2 || echo fd07::2)
	words=(secret secret peer-id 1 my-id 1 isrc 10.8.0.2 idst 10.8.0.1)
	spawn taker ip netns exec "$L" "$FRAMES" recv from "$to" "$PORT" \
		"${words[@]}" dir 0 count $((n + n)) timeout 30
	said taker ready
	sniff wire "$L"
	frames "$B" send from "$(outer "udp$1" 2)" 4321 to "$to" "$PORT" \
		"${words[@]}" dir 1 count $n size 800
	# another socket is another flow to GRO: it would not wait for this one
	wait_for counts "$L" came $n
	frames "$B" send from "$(outer "udp$1" 2)" 4321 to "$to" "$PORT" \
		"${words[@]}" dir 1 count $n size 800 pkt-id $((n + 1)) vary
	finish taker || { tail "$T/taker.out"; die "not all came, or not intact"; }
	equal "$(value opened "$T/taker.out")" $((n + n)) "datagrams"
	grep -q "from=$([[ -z ${3:-} ]] && outer "udp$1" 2 ||
		echo 192.168.7.1) " "$T/taker.out" || die "from elsewhere"
	counts "$L" came $((n + n)) || die "$(counted "$L" came) packets"
	(($(counted "$A" came) < n + n / 2)) || die "nothing was merged"
	dropped_only "$A" tunA
	kill "${JOB_PID[wire]}"
	finish wire || true
	equal "$(value bad-sums "$T/wire.out")" 0 "bad checksums"
}

test_forwarded_ipv4()
{
	forwarded 4 udp4
}

test_forwarded_ipv6()
{
	forwarded 6 mapped
}

test_forwarded_nat()
{
	forwarded 4 udp4 nat
}

peer_again()
{
	cli "$A" peer-new tunA id 1 sock "$(sock a)" remote 10.0.0.2 "$PORT"
	key "$A" tunA 1 0
}

# flood_from PORT: data packets of B's from another port, as fast as they leave
flood_from()
{
	spawn frames ip netns exec "$B" "$FRAMES" send from 10.0.0.2 "$1" \
		to 10.0.0.1 "$PORT" secret secret dir 1 peer-id 1 \
		isrc 10.8.0.2 idst 10.8.0.1 count 100000000
}

# the socket changes hands while packets come
test_attach_detach()
{
	local i

	two_ends udp4
	keys
	card "$A" "$B"
	spawn flood ip netns exec "$B" ping -q -f -s 1300 10.8.0.1
	flood_from 4321
	for ((i = 0; i < 50; i++)); do
		cli "$A" peer-del tunA id 1
		peer_again
	done
	for ((i = 0; i < 10; i++)); do
		release a
		hold "$A" a udp4 0.0.0.0 "$PORT"
		peer_again
	done
	stop_pid "${JOB_PID[flood]}"
	stop_pid "${JOB_PID[frames]}"
	# they made the peer float
	key "$B" tunB 1 1 again
	key "$A" tunA 1 0 again
	watch "$A"
	pings "$B" 10.8.0.1
	random_file 1000003
	transfer "$B" "$A" 10.8.0.1
	merged "$A" "$(peer_value "$A" tunA 1 link-rx-packets)"
}

# without a peer the program gets everything, datagram by datagram
test_after_the_peer()
{
	local i

	one_end
	card "$A" "$B"
	patient "$A"
	fr send count 100 quiet
	wait_for got_datagrams 100
	cli "$A" peer-del tunA id 1
	fr send count 20 size 100 quiet
	for ((i = 1; i <= 20; i++)); do
		[[ $(cli "$A" recv "$(sock a)" timeout 5) == \
		   "10.0.0.2 $PORT 48000001$(printf %08x "$i")"* ]] ||
			die "datagram $i did not come"
	done
}

# A program that has used its socket for IPsec before, or takes it for that
# afterwards: the kernel counts who uses what
test_ipsec()
{
	local i

	two_ends
	keys
	card "$A" "$B"
	watch "$A"
	for ((i = 0; i < 3; i++)); do
		# that is the end of the tunnel
		"$FRAMES" ipsec sock "$(sock a)" encap 2
		cli "$A" peer-del tunA id 1
		"$FRAMES" ipsec sock "$(sock a)" encap 2
		refused "socket is used by something else" peer_again
		"$FRAMES" ipsec sock "$(sock a)" encap 0
		peer_again
		cli "$A" peer-del tunA id 1
		peer_again
	done
	key "$B" tunB 1 1
	random_file 1000003
	transfer "$B" "$A" 10.8.0.1
	merged "$A" "$(peer_value "$A" tunA 1 link-rx-packets)"
	release a
}

# nothing is left of the hook: the module can go, and come again
test_module_unload()
{
	[[ -d /sys/module/ovpn/holders ]] || skip "ovpn is built in"
	two_ends
	keys
	card "$A" "$B"
	iperf_server "$A"
	spawn iperf ip netns exec "$B" iperf3 -c 10.8.0.1 -t 60 -i 0
	wait_for tx_bytes 1000000
	flood_from 4321
	rmmod ovpn
	[[ ! -d /sys/module/ovpn ]] || die "the module is still there"
	# packets still come, and find nothing
	sleep 0.5
	stop_pid "${JOB_PID[frames]}"
	modprobe ovpn
	tunnel_dev "$A" tunA p2p 1
	tunnel_dev "$B" tunB p2p 2
	peer_again
	cli "$B" peer-new tunB id 1 sock "$(sock b)" remote 10.0.0.1 "$PORT"
	key "$B" tunB 1 1
	pings "$B" 10.8.0.1
}

run_tests stream_udp4 stream_udp6 stream_mapped stream_pieces not_merged \
	sizes_udp4 sizes_udp6 replay_among_segments control_among_data \
	control_beside_stream two_keys rekey memory many_peers onlooker \
	forwarded_ipv4 forwarded_ipv6 forwarded_nat attach_detach \
	after_the_peer ipsec module_unload
