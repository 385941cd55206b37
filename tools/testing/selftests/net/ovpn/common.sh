#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# shellcheck disable=SC2034,SC2154 # variables of the tests and of lib.sh
#
# The library of the ovpn tests: topologies, keys, bounded waits, KTAP.
#
# A test script sources this file, defines functions test_NAME, and ends with
#
#	run_tests NAME...
#
# Every test runs in a subshell with "set -e", makes its own namespaces and
# leaves nothing behind: what is started with the helpers below is stopped when
# the subshell ends. Its output becomes KTAP comments.
#
# Topology of two_ends: one tunnel between the namespaces $A and $B, peer id 1.
# The transport sockets are held as "a" and "b"; over TCP b is the one that
# connects, from any port.
#
#   +---------- $A ----------+          +---------- $B ----------+
#   | tunA   10.8.0.1/24     |          | tunB   10.8.0.2/24     |
#   |        fd08::1/64      |          |        fd08::2/64      |
#   |                        |          |                        |
#   | udp    port 1194       |          | udp    port 1194       |
#   | veth   10.0.0.1/24     +----------+ veth   10.0.0.2/24     |
#   |        fd00::1/64      |          |        fd00::2/64      |
#   +------------------------+          +------------------------+
#
# Topology of mp_star N: a server with N clients on one switch. Node 1 is the
# server $S with a device of mode mp, node i (2 .. N + 1) the client ${C[i]},
# which is peer id i in the server and knows the server as peer id i too.
# The transport sockets are held as "n1" .. "n(N+1)"; over TCP the server's end
# of the connection of client i is "n1 (i-1)".
#
#   +------- $S -------+  +----- ${C[2]} ----+     +----- ${C[i]} ----+
#   | tun1 10.8.0.1/24 |  | tun2 10.8.0.2/24 | ... | tuni 10.8.0.i/24 |
#   |      fd08::1/64  |  |      fd08::2/64  |     |      fd08::i/64  |
#   | veth 10.0.0.1/24 |  | veth 10.0.0.2/24 |     | veth 10.0.0.i/24 |
#   |      fd00::1/64  |  |      fd00::2/64  |     |      fd00::i/64  |
#   +--------+---------+  +--------+---------+     +--------+---------+
#            |                     |                        |
#   +--------+---------- $W: bridge switch -----------------+---------+
#   +-----------------------------------------------------------------+

OVPN_DIR=$(dirname "$(readlink -e "${BASH_SOURCE[0]}")")
OVPN_BIN=${OVPN_BIN:-$OVPN_DIR}
CLI=$OVPN_BIN/ovpn-cli
FRAMES=$OVPN_BIN/ovpn-frames
TCP=$OVPN_BIN/ovpn-tcp
PINGER=$OVPN_BIN/ovpn-ping
BULK=$OVPN_BIN/ovpn-bulk

# the selftests of the kernel: around us, or named by KSFT, or in the tree that
# a checkout of the driver alone assembles
for KSFT in "${KSFT:-}" "$OVPN_DIR/../.." \
	    "$OVPN_DIR/../../../../../build/linux/tools/testing/selftests"; do
	[[ -n $KSFT && -e $KSFT/net/lib.sh ]] && break
done
if [[ ! -e $KSFT/net/lib.sh ]]; then
	echo "1..0 # SKIP no net/lib.sh in KSFT (tools/testing/selftests)"
	exit 4
fi
# shellcheck source=/dev/null
. "$KSFT/kselftest/ktap_helpers.sh"
# shellcheck source=/dev/null
. "$KSFT/net/lib.sh"

# Longest wait for something that is due at once, in milliseconds; a kernel
# with all its checkers on a busy machine is slow
: "${OVPN_WAIT_MS:=10000}"

# how much slower this kernel is than an ordinary one
: "${OVPN_SLOW:=1}"

PORT=1194
A='' B='' S='' W=''
C=()
declare -A HOLD_PID LISTEN_PID

#
# Running tests
#

# Leave the test with a reason
die()
{
	echo "FAIL: $*"
	exit 1
}

skip()
{
	echo "SKIP: $*"
	exit 4
}

# For scratch files; a subshell of run_tests has one of its own
T=$(mktemp -d "${TMPDIR:-/tmp}/ovpn.XXXXXX")

__cleanup()
{
	set +eu
	defer_scopes_cleanup
	# that of traffic.sh
	[[ $(type -t reap_all) == function ]] && reap_all
	cleanup_all_ns
	rm -rf "$T"
}
trap __cleanup EXIT

__run_one()
{
	T=$(mktemp -d "${TMPDIR:-/tmp}/ovpn.XXXXXX")
	trap __cleanup EXIT
	"test_$1"
}

__skip_all()
{
	ktap_print_header
	ktap_skip_all "$@"
	exit "$KSFT_SKIP"
}

# Leave the whole script unless these programs are there
require()
{
	local prog

	for prog; do
		type -t "$prog" >/dev/null || __skip_all "$prog is missing"
	done
}

require ip jq "$CLI"
[[ $EUID == 0 ]] || __skip_all "not root"
# the family loads its module when it is asked for
"$CLI" policy >/dev/null || __skip_all "no ovpn in this kernel (CONFIG_OVPN)"

# run_tests NAME...; of these only the ones in $ONLY, if that is set
run_tests()
{
	local name rc
	local -a names=("$@")

	[[ -z ${ONLY:-} ]] || read -ra names <<<"$ONLY"
	ktap_print_header
	ktap_set_plan "${#names[@]}"

	for name in "${names[@]}"; do
		# "if" would switch off "set -e" in the subshell
		set +e
		(set -e; __run_one "$name") >"$T/log" 2>&1
		rc=$?
		set -e
		sed 's/^/# /' "$T/log"
		case $rc in
		0) ktap_test_pass "$name" ;;
		4) ktap_test_skip "$name" ;;
		*) ktap_test_fail "$name" ;;
		esac
	done
	ktap_finished
}

#
# Waiting and comparing
#

# wait_ms MS COMMAND...: until it succeeds
wait_ms()
{
	local ms=$1; shift

	loopy_wait "sleep 0.02" "$ms" "$@" >/dev/null
}

# wait_for COMMAND...: until it succeeds, which is due at once
wait_for()
{
	wait_ms "$OVPN_WAIT_MS" "$@" || die "in vain waited for: $*"
}

# equal GOT WANTED WHAT
equal()
{
	[[ $1 == "$2" ]] || die "$3: got \"$1\", wanted \"$2\""
}

# refused TEXT COMMAND...: it fails and says what matches the pattern TEXT
refused()
{
	local want=$1; shift
	local got

	if got=$("$@" 2>&1); then
		die "accepted, wanted \"$want\": $*"
	fi
	# shellcheck disable=SC2053
	[[ $got == *$want* ]] || die "got \"$got\", wanted \"$want\": $*"
}

# does_fail COMMAND...: for the end of a wait
does_fail()
{
	! "$@"
}

#
# Namespaces and the programs in them
#

in_ns()
{
	local ns=$1; shift

	ip netns exec "$ns" "$@"
}

# cli NS COMMAND...
cli()
{
	local ns=$1; shift

	ip netns exec "$ns" "$CLI" "$@"
}

# make_ns VARIABLE...: namespaces without duplicate address detection
make_ns()
{
	local var

	setup_ns "$@" || die "no namespace"
	for var; do
		in_ns "${!var}" sysctl -qw net.ipv6.conf.all.accept_dad=0 \
			net.ipv6.conf.default.accept_dad=0 \
			net.ipv6.conf.default.router_solicitations=0
	done
}

# wire NS1 DEV1 NS2 DEV2
wire()
{
	ip link add "$2" netns "$1" type veth peer name "$4" netns "$3"
	ip -n "$1" link set "$2" up
	ip -n "$3" link set "$4" up
}

# addresses NS DEV HOST [NET4 NET6]: 10.0.0.HOST/24 and fd00::HOST/64
addresses()
{
	ip -n "$1" addr add "${4:-10.0.0}.$3/24" dev "$2"
	ip -n "$1" addr add "${5:-fd00}::$3/64" dev "$2" nodad
}

# The path of a held socket; sock NAME N: connection N of one that listens
sock()
{
	echo "$T/$1.sock${2:+.$2}"
}

# hold NS NAME KIND [ADDR PORT [OPTION...]]: see ovpn-cli; with "count" the
# sockets are NAME 1, NAME 2 ... It fails when there is no such socket.
hold()
{
	local ns=$1 name=$2; shift 2

	ip netns exec "$ns" "$CLI" hold "$(sock "$name")" "$@" \
		>/dev/null 2>"$T/$name.err" &
	HOLD_PID[$name]=$!
	defer stop_pid $!
	wait_for hold_settled "$name"
	hold_answers "$name" || { cat "$T/$name.err"; return 1; }
}

hold_settled()
{
	hold_answers "$1" || ! kill -0 "${HOLD_PID[$1]}" 2>/dev/null
}

hold_answers()
{
	[[ -S $(sock "$1") || -S $(sock "$1" 1) ]]
}

# Close a held socket, or all of a hold
release()
{
	stop_pid "${HOLD_PID[$1]}"
	rm -f "$(sock "$1")" "$(sock "$1")".*
}

stop_pid()
{
	kill "$1" 2>/dev/null || true
	wait "$1" 2>/dev/null || true
}

# listen NS NAME: notifications go to the file $T/NAME.ntf from now on
listen()
{
	local ns=$1 name=$2

	ip netns exec "$ns" "$CLI" listen >"$T/$name.ntf" \
		2>"$T/$name.listen" &
	LISTEN_PID[$name]=$!
	defer stop_pid $!
	wait_for grep -q listening "$T/$name.listen"
}

# notified NAME WORD...: print the notifications that have all these words
notified()
{
	local file=$T/$1.ntf line word found=1; shift

	while read -r line; do
		for word; do
			[[ " $line " == *" $word "* ]] || continue 2
		done
		echo "$line"
		found=0
	done <"$file"
	return "$found"
}

# heard NAME WORD...: wait for such a notification and print it
heard()
{
	if ! wait_ms "$OVPN_WAIT_MS" notified "$@"; then
		cat "$T/$1.ntf"
		die "not notified: $*"
	fi
	notified "$@"
}

#
# Tunnels
#

# tunnel_dev NS DEV p2p|mp HOST: a device with its addresses, up; it has no
# link-local address, so nothing enters it but what the test sends
tunnel_dev()
{
	cli "$1" link-new "$2" mode "$3"
	ip -n "$1" link set "$2" addrgenmode none
	addresses "$1" "$2" "$4" 10.8.0 fd08
	ip -n "$1" link set "$2" up
}

# key NS DEV ID DIR [SECRET [SLOT [KEY-ID [CIPHER [BITS]]]]]
key()
{
	cli "$1" key-new "$2" id "$3" slot "${6:-primary}" key-id "${7:-0}" \
		cipher "${8:-aes-gcm}" bits "${9:-256}" \
		secret "${5:-secret}" dir "$4"
}

# keys [SECRET [SLOT [KEY-ID [CIPHER [BITS]]]]]: both ends of two_ends
keys()
{
	key "$A" tunA 1 0 "$@"
	key "$B" tunB 1 1 "$@"
}

# The outer address of host $2 for transport $1
outer()
{
	case $1 in
	udp6|tcp6) echo "fd00::$2" ;;
	*) echo "10.0.0.$2" ;;
	esac
}

# mp_star and two_ends take a transport: udp4, udp6, or mapped (IPv4 over an
# IPv6 socket), and the same with tcp: tcp4, tcp6, tcpmapped. The UDP sockets are
# bound to no address: an end may float. Of the TCP connections, A and the
# server S are those who accept.
__hold_node()
{
	case $3 in
	mapped) hold "$1" "$2" udp6 :: "$PORT" ;;
	udp6) hold "$1" "$2" udp6 :: "$PORT" v6only ;;
	tcpmapped) hold "$1" "$2" tcp6 :: "$PORT" "${@:4}" ;;
	tcp6) hold "$1" "$2" tcp6 :: "$PORT" v6only "${@:4}" ;;
	tcp4) hold "$1" "$2" tcp4 0.0.0.0 "$PORT" "${@:4}" ;;
	*) hold "$1" "$2" udp4 0.0.0.0 "$PORT" ;;
	esac
}

# connect_to NS NAME TRANSPORT HOST [OPTION...]: a TCP connection to that host
connect_to()
{
	local addr=0.0.0.0 kind=tcp4 to

	[[ $3 == tcp4 ]] || addr=:: kind=tcp6
	to=$(outer "$3" "$4")
	[[ $3 != tcpmapped ]] || to=::ffff:$to
	hold "$1" "$2" "$kind" "$addr" 0 to "$to" "$PORT" "${@:5}"
}

# remote TRANSPORT HOST: the words for a peer there; TCP is connected already
remote()
{
	[[ $1 == tcp* ]] || echo "remote $(outer "$1" "$2") $PORT"
}

# The transport sockets a and b of two_ends
hold_ends()
{
	if [[ $1 == tcp* ]]; then
		__hold_node "$A" a "$1" accept
		connect_to "$B" b "$1" 1
	else
		__hold_node "$A" a "$1"
		__hold_node "$B" b "$1"
	fi
}

# Namespaces and wire of two_ends, but no tunnel
two_hosts()
{
	make_ns A B
	wire "$A" veth "$B" veth
	addresses "$A" veth 1
	addresses "$B" veth 2
}

# two_ends [TRANSPORT [MODE of A]]: without keys; see the drawing above
two_ends()
{
	local transport=${1:-udp4} mode=${2:-p2p}
	local -a vpn=()

	two_hosts
	hold_ends "$transport"
	tunnel_dev "$A" tunA "$mode" 1
	tunnel_dev "$B" tunB p2p 2
	[[ $mode == p2p ]] || vpn=(vpn4 10.8.0.2 vpn6 fd08::2)
	# shellcheck disable=SC2046 # words
	cli "$A" peer-new tunA id 1 sock "$(sock a)" \
		$(remote "$transport" 2) "${vpn[@]}"
	# shellcheck disable=SC2046
	cli "$B" peer-new tunB id 1 sock "$(sock b)" $(remote "$transport" 1)
}

# mp_star N [TRANSPORT [CIPHER [BITS]]]: with keys; see the drawing above
mp_star()
{
	local n=$1 transport=${2:-udp4} i

	STAR_CONNS=0
	make_ns S W
	ip -n "$W" link add switch type bridge
	ip -n "$W" link set switch up
	__star_node "$S" 1 mp "$transport"
	for ((i = 2; i <= n + 1; i++)); do
		local "client$i="
		make_ns "client$i"
		eval "C[$i]=\$client$i"
		__star_node "${C[$i]}" "$i" p2p "$transport"
		star_peer "$i" "$transport"
		key "$S" tun1 "$i" 0 "s$i" primary 0 "${@:3}"
		key "${C[$i]}" "tun$i" "$i" 1 "s$i" primary 0 "${@:3}"
	done
}

# __star_node NS NUMBER MODE TRANSPORT
__star_node()
{
	wire "$1" veth "$W" "port$2"
	ip -n "$W" link set "port$2" master switch
	addresses "$1" veth "$2"
	tunnel_dev "$1" "tun$2" "$3" "$2"
	case $3-$4 in
	mp-*) __hold_node "$1" "n$2" "$4" listen ;;
	p2p-tcp*) ;;
	*) __hold_node "$1" "n$2" "$4" ;;
	esac
}

# star_peer NUMBER TRANSPORT: make client and server know each other; over TCP
# it connects first
star_peer()
{
	local i=$1 transport=$2 conn=

	if [[ $transport == tcp* ]]; then
		conn=$((++STAR_CONNS))
		connect_to "${C[$i]}" "n$i" "$transport" 1
		wait_for test -S "$(sock n1 "$conn")"
	fi
	# shellcheck disable=SC2046 # words
	cli "$S" peer-new tun1 id "$i" sock "$(sock n1 $conn)" \
		$(remote "$transport" "$i") vpn4 "10.8.0.$i" vpn6 "fd08::$i"
	# shellcheck disable=SC2046
	cli "${C[$i]}" peer-new "tun$i" id "$i" sock "$(sock "n$i")" \
		$(remote "$transport" 1)
}

# pings NS ADDR [OPTION...]: every echo request is answered; see ovpn-ping
pings()
{
	in_ns "$1" "$PINGER" "${@:3}" "$2" >"$T/ping" 2>&1 ||
		{ cat "$T/ping"; die "not all answers came from $2"; }
}

# no_pings NS ADDR: none is answered
no_pings()
{
	! in_ns "$1" ping -q -n -c 2 -i 0.05 -W 1 "$2" >/dev/null ||
		die "answer from $2"
}

# peer_value NS DEV ID NAME: one value of peer-get
peer_value()
{
	local word

	for word in $(cli "$1" peer-get "$2" id "$3"); do
		[[ ${word%%=*} == "$4" ]] && echo "${word#*=}" && return
	done
	return 1
}

# Is the peer there?
has_peer()
{
	cli "$1" peer-get "$2" id "$3" >/dev/null 2>&1
}

# link_stat NS DEV rx|tx packets|bytes|errors|dropped
link_stat()
{
	ip -n "$1" -s -j link show dev "$2" |
		jq ".[0].stats64.$3.$4"
}
