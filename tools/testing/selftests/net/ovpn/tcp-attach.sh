#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Which TCP sockets a peer may have, and that it gives them back as they were.

# shellcheck disable=SC2119 # arguments that are optional
set -euo pipefail
# shellcheck source=common.sh
. ./common.sh
# shellcheck source=traffic.sh
. ./traffic.sh
# shellcheck source=stream.sh
. ./stream.sh

EINVAL="Invalid argument"
EBUSY="Device or resource busy"
EOPNOTSUPP="Operation not supported"

# The device tunA of mode mp, with a peer over UDP that must not change
ready()
{
	two_hosts
	hold "$A" u udp4 0.0.0.0 4321
	tunnel_dev "$A" tunA mp 1
	cli "$A" link-new other mode p2p
	cli "$A" peer-new tunA id 9 sock "$(sock u)" remote 10.0.0.9 4321 \
		vpn4 10.8.0.9
	cli "$A" peer-get tunA >"$T/peers"
}

# new_peer SOCK [DEV [ID [WORD...]]]
new_peer()
{
	cli "$A" peer-new "${2:-tunA}" id "${3:-1}" sock "$1" vpn4 10.8.0.2 \
		"${@:4}"
}

# not_taken ERROR SOCK [DEV [ID [WORD...]]]: refused, with an explanation, and
# no effect
not_taken()
{
	local got

	! got=$(new_peer "${@:2}" 2>&1) || die "accepted: $2"
	[[ $got =~ ^ovpn-cli:\ peer-new:\ "$1"(:\ .|\ \() ]] ||
		die "got \"$got\", wanted \"$1\" and why"
	echo "$got"
	cli "$A" peer-get tunA | diff "$T/peers" -
	equal "$(cli "$A" peer-get other)" "" "peers of the other device"
}

test_listening()
{
	ready
	hold "$A" l tcp4 0.0.0.0 "$PORT" listen
	not_taken "$EINVAL" "$(sock l)"
	# it still listens
	connect_to "$B" b tcp4 1
	wait_for test -S "$(sock l 1)"
	new_peer "$(sock l 1)"
	not_taken_now "$EINVAL" "$(sock l)"
}

# with the peers that there are now
not_taken_now()
{
	cli "$A" peer-get tunA >"$T/peers"
	not_taken "$@"
}

test_unconnected()
{
	ready
	hold "$A" idle4 tcp4 0.0.0.0 0 idle
	hold "$A" idle6 tcp6 :: 0 idle
	not_taken "$EINVAL" "$(sock idle4)"
	not_taken "$EINVAL" "$(sock idle6)"
}

# the other end has closed its direction, or all of it; or we have
test_closed()
{
	ready
	raw_sockets_only
	"$TCP" shut sock "$(sock b)"
	wait_for tcp_state CLOSE-WAIT
	not_taken "$EINVAL" "$(sock a)"
	release a
	release b
	raw_sockets_only
	"$TCP" reset sock "$(sock b)"
	wait_for no_connection
	not_taken "$EINVAL" "$(sock a)"
	release a
	release b
	raw_sockets_only
	"$TCP" shut sock "$(sock a)"
	not_taken "$EINVAL" "$(sock a)"
}

raw_sockets_only()
{
	__hold_node "$A" a tcp4 accept
	connect_to "$B" b tcp4 1
	wait_for tcp_state ESTAB
	# accept
	"$TCP" send sock "$(sock a)" count 1 what control >/dev/null
}

tcp_state()
{
	in_ns "$A" ss -Htn "sport = :$PORT" | grep -q "^$1"
}

no_connection()
{
	[[ -z $(in_ns "$A" ss -Htn "sport = :$PORT") ]]
}

test_mptcp()
{
	[[ -e /proc/sys/net/mptcp/enabled ]] ||
		skip "no MPTCP in this kernel (CONFIG_MPTCP)"
	ready
	hold "$A" m4 mptcp4 127.0.0.1 0
	not_taken "$EOPNOTSUPP" "$(sock m4)"
	# IPv6 is an option of its own there
	! hold "$A" m6 mptcp6 ::1 0 || not_taken "$EOPNOTSUPP" "$(sock m6)"
}

# Somebody else's already
test_upper_layer_protocol()
{
	local ulp rc count=0

	ready
	for ulp in tls espintcp; do
		hold "$A" "$ulp" tcp4 127.0.0.1 0
		rc=0
		"$TCP" ulp what $ulp sock "$(sock $ulp)" || rc=$?
		((rc != 4)) || continue
		equal "$rc" 0 "TCP_ULP $ulp"
		not_taken "$EBUSY" "$(sock $ulp)"
		count=$((count + 1))
	done
	((count)) || skip "no upper layer protocol (CONFIG_TLS, INET_ESPINTCP)"
}

test_sockmap()
{
	ready
	hold "$A" s tcp4 127.0.0.1 0
	spawn map "$TCP" sockmap sock "$(sock s)"
	wait_for grep -qE "ready|sockmap" "$T/map.out"
	grep -q ready "$T/map.out" || skip "no sockmap: $(cat "$T/map.out")"
	not_taken "$EBUSY" "$(sock s)"
	# when the map is gone the socket is free
	kill "${JOB_PID[map]}"
	finish map || true
	wait_for new_peer "$(sock s)"
	# and a map does not get what is ours
	spawn map "$TCP" sockmap sock "$(sock s)"
	wait_for grep -q error= "$T/map.out"
}

# UDP sockets may be in such a map, too; then sk_user_data is nothing of ours
test_sockmap_udp()
{
	local peer=(tunA 1 remote 10.0.0.2 "$PORT")

	ready
	__hold_node "$A" a udp4
	__hold_node "$B" b udp4
	spawn map "$TCP" sockmap sock "$(sock a)"
	wait_for grep -qE "ready|sockmap" "$T/map.out"
	grep -q ready "$T/map.out" || skip "no sockmap: $(cat "$T/map.out")"
	not_taken "$EBUSY" "$(sock a)" "${peer[@]}"
	packets_pass 38aabb 48000001aabbccddeeff
	# when the map is gone the socket is free
	kill "${JOB_PID[map]}"
	finish map || true
	wait_for new_peer "$(sock a)" "${peer[@]}"
	tunnel_dev "$B" tunB p2p 2
	cli "$B" peer-new tunB id 1 sock "$(sock b)" remote 10.0.0.1 "$PORT"
	keys
	# and a map does not get what is ours
	spawn map "$TCP" sockmap sock "$(sock a)"
	wait_for grep -q error=EBUSY "$T/map.out"
	packets_pass 38aabb
	pings "$A" 10.8.0.2
	cli "$A" peer-del tunA id 1
	packets_pass 48000001aabbccddeeff
}

# packets_pass HEX...: from B's program to A's
packets_pass()
{
	local hex

	for hex; do
		cli "$B" send "$(sock b)" "$hex" 10.0.0.1 "$PORT"
		equal "$(cli "$A" recv "$(sock a)" timeout 5)" \
			"10.0.0.2 $PORT $hex" "packet"
	done
}

test_used()
{
	ready
	hold "$A" s tcp4 127.0.0.1 0
	hold "$A" t tcp4 127.0.0.1 0
	new_peer "$(sock s)"
	cli "$A" peer-get tunA >"$T/peers"
	not_taken "$EBUSY" "$(sock s)" tunA 2
	not_taken "$EBUSY" "$(sock s)" other 2
	# a request that fails for another reason does not keep the socket
	! new_peer "$(sock t)" tunA 1 2>/dev/null || die "the same id twice"
	! new_peer "$(sock t)" tunA 3 2>/dev/null || die "one address twice"
	cli "$A" peer-new other id 3 sock "$(sock t)"
}

# OpenVPN 3 tells the addresses of a TCP peer too: they are the connection's
# business
test_addresses_ignored()
{
	local got word

	raw_sockets tcp4
	tunnel_dev "$A" tunA mp 1
	cli "$A" peer-new tunA id 1 sock "$(sock a)" vpn4 10.8.0.2 \
		remote 10.0.0.77 7777
	key "$A" tunA 1 0
	raw_alive
	cli "$A" peer-set tunA id 1 remote 10.0.0.78 7778 interval 1000
	raw_alive
	cli "$A" peer-set tunA id 1 remote fd00::77 7777 local fd00::78
	raw_alive
	cli "$A" peer-set tunA id 1 local 10.0.0.79
	raw_alive
	got=$(cli "$A" peer-get tunA id 1)
	for word in 10.0.0.7 7777 7778 fd00::7; do
		[[ $got != *"$word"* ]] || die "taken over: $got"
	done
	[[ $got == *keepalive-interval=1000* ]] || die "not set: $got"
}

# Records that had come before the device took the socket
test_queued_before()
{
	local half

	raw_sockets tcp4
	raw send what control count 5
	# half of a data record
	half=$(raw_hex)
	"$TCP" bytes sock "$(sock b)" hex "${half:0:40}"
	raw_device p2p
	user_start user recv what control count 5
	user_got user 5
	count_packets "$A" in prerouting iifname tunA
	"$TCP" bytes sock "$(sock b)" hex "${half:40}"
	wait_for counts "$A" in 1
	raw_alive
}

# A sealed data record, from a connection of its own
raw_hex()
{
	hold "$B" x tcp4 127.0.0.1 4444 accept
	hold "$B" y tcp4 127.0.0.1 0 to 127.0.0.1 4444
	"$TCP" send sock "$(sock y)" secret secret dir 1 peer-id 1 \
		isrc 10.8.0.2 idst 10.8.0.1 sport 4000 dport 4000 \
		pkt-id 1000 >/dev/null
	"$CLI" recv "$(sock x)" timeout 5 | sed 's/.* //'
}

# more of them than one run of the receiver does, and data among them
test_much_queued_before()
{
	raw_sockets tcp4 rcvbuf 1000000
	raw burst bytes 60000 count 4 size 200
	raw burst what both bytes 30000 size 200
	raw_device p2p
	user_start user recv what control count $((RAW_SEQ - 1))
	user_got user $((RAW_SEQ - 1))
	raw_alive
}

# The end of the stream is refused, what is no record is noticed at once
test_garbage_queued_before()
{
	raw_sockets tcp4
	raw bytes hex 0000
	tunnel_dev "$A" tunA p2p 1
	listen "$A" a
	cli "$A" peer-new tunA id 1 sock "$(sock a)"
	heard a peer-del-ntf id=1 del-reason=transport-error
}

# attach_check NAME SOCK FAR: a program with both ends reads all the time
attach_check()
{
	raw_words check what "$1" timeout $((10 * OVPN_SLOW)) sock "$2" far "$3"
	spawn check "$TCP" "${RAW_WORDS[@]}"
	said check waiting
}

attach_checked()
{
	kill -USR1 "${JOB_PID[check]}"
	finish check || { cat "$T/check.out"; die "the program that reads"; }
}

# Neither the far end nor the program that owns the socket stops when the device
# comes: each control record gets to the program, and each data record to it or
# to the device
test_during_traffic()
{
	local rounds=$((20 / OVPN_SLOW + 1)) i passed=0

	two_hosts
	tunnel_dev "$A" tunA p2p 1
	hold "$A" a tcp4 0.0.0.0 "$PORT" listen
	hold "$B" b tcp4 0.0.0.0 0 to 10.0.0.1 "$PORT" count "$rounds"
	for ((i = 1; i <= rounds; i++)); do
		attach_check attach-traffic "$(sock a $i)" "$(sock b $i)"
		cli "$A" peer-new tunA id 1 sock "$(sock a $i)"
		key "$A" tunA 1 0
		attach_checked
		passed=$((passed + $(value passed "$T/check.out")))
		wait_for arrived "$passed"
		cli "$A" peer-del tunA id 1
	done
	echo "data records: $passed, $(drops "$A" tunA)"
}

# arrived N: so many data records, delivered or with no key to open them
arrived()
{
	local no_key

	no_key=$(drops "$A" tunA | sed -n 's/^rx_unknown_key=//p')
	(($(link_stat "$A" tunA rx packets) + ${no_key:-0} == $1))
}

# Each time the socket is the device's for a moment, with what is in it, and two
# readers may be inside. No byte is lost, and none of them fails.
test_refused_while_read()
{
	local rounds=$((200 / OVPN_SLOW + 1)) i

	ready
	raw_sockets_only
	attach_check attach-refused "$(sock a)" "$(sock b)"
	for ((i = 0; i < rounds; i++)); do
		! new_peer "$(sock a)" tunA 9 2>"$T/refused" ||
			die "the same id twice"
		grep -q "a peer with this id exists" "$T/refused" ||
			die "$(cat "$T/refused")"
	done
	attach_checked
	cli "$A" peer-get tunA | diff "$T/peers" -
}

given_back()
{
	raw send what control count 2
	raw_alive
	"$@"
	# what was not read is there still
	"$TCP" recv what control sock "$(sock a)" count 2 timeout 5 quiet \
		seq $((RAW_SEQ - 2)) || die "unread records are lost"
	plain
}

# after which a device may have it again
taken_again()
{
	cli "$A" peer-new tunA id 1 sock "$(sock a)" vpn4 10.8.0.2
	key "$A" tunA 1 0 "$1"
	RAW_ID=1
	raw ping count 3 secret "$1"
}

test_peer_del()
{
	local mode

	for mode in p2p mp; do
		raw_end tcp4 $mode
		given_back cli "$A" peer-del tunA id 1
		taken_again second
		given_back_again cli "$A" peer-del tunA id 1
		taken_again third
	done
}

given_back_again()
{
	"$@"
	plain
}

test_link_del()
{
	raw_end tcp6 mp
	given_back cli "$A" link-del tunA
	tunnel_dev "$A" tunA p2p 1
	taken_again second
	given_back_again ip -n "$A" link del tunA
}

# a frame of which a part has come belongs to the stream too
test_half_record()
{
	raw_end
	raw_alive
	"$TCP" bytes sock "$(sock b)" hex 000538aabb
	# nothing answers in the middle of a record
	wait_for received_all
	cli "$A" peer-del tunA id 1
	"$TCP" bytes sock "$(sock b)" hex ccdd
	arrives a 000538aabbccdd
	plain
}

# what B sent is acknowledged
received_all()
{
	[[ -z $(in_ns "$B" ss -Htn state established \
		"( dport = :$PORT )" | awk '$2 > 0') ]]
}

# the device's namespace goes, the socket is in another one
test_namespace_exit()
{
	local X=

	raw_sockets tcp4
	make_ns X
	tunnel_dev "$X" tunA p2p 1
	cli "$X" peer-new tunA id 1 sock "$(sock a)"
	key "$X" tunA 1 0
	raw_alive
	wire "$X" tell "$B" tell
	ip netns del "$X"
	wait_for no_link "$B" tell
	plain
}

no_link()
{
	! ip -n "$1" link show dev "$2" &>/dev/null
}

# the keepalive timeout is one more way to lose the peer
test_expired()
{
	raw_end
	listen "$A" a
	cli "$A" peer-set tunA id 1 timeout 1
	heard a peer-del-ntf id=1 del-reason=expired
	plain
	taken_again second
}

# over and over, with traffic
test_many_times()
{
	local i

	raw_end
	for ((i = 0; i < 30; i++)); do
		raw send count 5 secret "key$i"
		cli "$A" peer-del tunA id 1
		"$TCP" bytes sock "$(sock b)" hex $((10 + i)) >/dev/null
		arrives_last a $((10 + i))
		taken_again "key$i"
	done
}

# users DEV SOCK: a device with a peer on that socket, by which its owner sends
# a record, over and over, until the file $T/stop is there
users()
{
	local seq=1

	while [[ ! -e $T/stop ]]; do
		cli "$A" link-new "$1" mode p2p || true
		if new_peer "$2" "$1" &&
		   "$TCP" send sock "$2" what control seq "$seq"; then
			seq=$((seq + 1))
		fi
		cli "$A" link-del "$1" || true
	done
	echo "records=$((seq - 1))"
}

# users_end NAME FAR: all the records of these users are there
users_end()
{
	local sent

	finish "users-$1"
	sent=$(value records "$T/users-$1.out")
	echo "$1: $sent records"
	((sent)) || die "no peer at all"
	"$TCP" recv sock "$(sock "$2")" what control count "$sent" \
		timeout $((5 * OVPN_SLOW)) quiet || die "records are lost"
}

# No command gets at what the module has not set up yet, or not any more
test_use_while_loading()
{
	local i name modprobe

	[[ -d /sys/module/ovpn/holders ]] || skip "ovpn is built in"
	raw_sockets tcp4
	hold "$A" c tcp4 0.0.0.0 1195 accept
	hold "$B" d tcp4 0.0.0.0 0 to 10.0.0.1 1195
	# who had the module loaded by asking would wait until it is ready
	modprobe=$(sysctl -n kernel.modprobe)
	defer sysctl -qw kernel.modprobe="$modprobe"
	sysctl -qw kernel.modprobe=
	for name in a c; do
		spawn "users-$name" users "tun-$name" "$(sock $name)"
	done
	for ((i = 0; i < 20; i++)); do
		rmmod ovpn
		modprobe ovpn
	done
	sysctl -qw kernel.modprobe="$modprobe"
	touch "$T/stop"
	users_end a b
	users_end c d
	plain c d
	raw_device p2p
	raw_alive
}

run_tests listening unconnected closed mptcp upper_layer_protocol sockmap \
	sockmap_udp used addresses_ignored queued_before much_queued_before \
	garbage_queued_before during_traffic refused_while_read peer_del \
	link_del half_record namespace_exit expired many_times \
	use_while_loading
