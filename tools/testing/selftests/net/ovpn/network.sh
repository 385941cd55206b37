#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Networks as bad as they get, and new keys all the time, under load. Nothing
# is taken on trust: ovpn-judge opens all that passes the outer device of each
# end, and says what the driver has to make of it. So every packet is accounted
# for: it was lost by the network, or it came; what came was accepted, or is
# counted as what it was; and no packet id leaves twice under one key.
#
# Each kind of network is there for a second, and new keys come for some more.
# OVPN_NETEM_SECONDS=N is for so many seconds each, with both ciphers and both
# versions of IP outside. OVPN_NETEM_SEED takes another way (by default the same
# one each time).

# shellcheck disable=SC2119,SC2154 # arguments that are optional; common.sh
set -euo pipefail
# shellcheck source=common.sh
. ./common.sh
# shellcheck source=traffic.sh
. ./traffic.sh
# shellcheck source=judge.sh
. ./judge.sh

JUDGE=$OVPN_BIN/ovpn-judge
require "$JUDGE" ethtool tc taskset

LONG=${OVPN_NETEM_SECONDS:-}
SEED=${OVPN_NETEM_SEED:-1}

# datagrams in a second, each way
RATE=$((500 / OVPN_SLOW))

# the namespaces of both ends, and which half of a key is theirs
declare -A NS DIR=([a]=0 [b]=1)
SIDES=(a b)
CIPHER=aes-gcm
TRANSPORT=udp4
# may packets pass that are cut later?
WHOLE=1

# progress is shown at once, whatever a test does with its output
exec 3>&1

#
#   +---- $A ----+     +-------- $N --------+     +---- $B ----+
#   |       veth +-----+ toa  switch    tob +-----+ veth       |
#   +------------+     +--------------------+     +------------+
#
# What is wrong with the network is so on the way out of toa and tob. In front
# of it is all that was sent, behind it what arrives. That comes on one CPU, so
# that it comes in the order in which it is seen.
two_hosts()
{
	local side rps=/sys/class/net/veth/queues/rx-0/rps_cpus

	N=
	make_ns A B N
	NS=([a]=$A [b]=$B)
	in_ns "$N" sysctl -qw net.ipv6.conf.all.disable_ipv6=1 \
		net.ipv6.conf.default.disable_ipv6=1
	ip -n "$N" link add switch type bridge mcast_snooping 0
	ip -n "$N" link set switch up
	for side in a b; do
		wire "${NS[$side]}" veth "$N" "to$side"
		ip -n "$N" link set "to$side" master switch
		addresses "${NS[$side]}" veth $((DIR[$side] + 1))
		in_ns "${NS[$side]}" sh -c "[ ! -e $rps ] || echo 1 >$rps"
	done
	knows "$A" "$B" 2
	knows "$B" "$A" 1
}

# knows NS OTHER HOST: nobody has to ask who has the address
knows()
{
	local mac addr

	mac=$(ip -n "$2" -j link show dev veth | jq -r '.[0].address')
	for addr in "10.0.0.$3" "fd00::$3"; do
		ip -n "$1" neigh replace "$addr" lladdr "$mac" dev veth \
			nud permanent
	done
}

# network: both ends, a key, and somebody to send to
network()
{
	local side

	two_ends "$TRANSPORT"
	KEY=0
	keys secret0 primary 0 "$CIPHER" 256
	for side in a b; do
		spawn "serve-$side" ip netns exec "${NS[$side]}" \
			"$BULK" serve 7000
		said "serve-$side" ready
		[[ $WHOLE ]] || in_ns "${NS[$side]}" ethtool -K veth \
			tx-udp-segmentation off
	done
	pings "$A" 10.8.0.2
}

# network_is [NETEM-OPTION...]: from now on
network_is()
{
	local side seed=$SEED

	for side in a b; do
		tc -n "$N" qdisc del dev "to$side" root 2>/dev/null || true
		tc -n "$N" qdisc add dev "to$side" root netem limit 1000000 \
			"$@" seed $((seed++))
	done
}

# nothing waits in the network
passed()
{
	! tc -n "$N" -s qdisc show | grep -q 'backlog [0-9]*b [1-9]'
}

#
# Keys: that with the number KEY
#

# keys_of SIDE WORK...: new (aside), use (swap), forget (the one before)
keys_of()
{
	local work dev=tun${1^^} script=

	for work in "${@:2}"; do
		case $work in
		new) work="key-new $dev id 1 slot secondary
			key-id $((KEY % 8)) cipher $CIPHER bits 256
			secret secret$KEY dir ${DIR[$1]}" ;;
		use) work="key-swap $dev id 1" ;;
		forget) work="key-del $dev id 1 slot secondary" ;;
		esac
		script+="$CLI ${work//[$'\n\t']/ } || exit; "
	done
	in_ns "${NS[$1]}" sh -c "$script"
}

# next_key: at both ends, and nothing else; there is no traffic
next_key()
{
	KEY=$((KEY + 1))
	keys_of a new use forget
	keys_of b new use forget
}

# rekeys SECONDS: a key each second or less, as OpenVPN has them. Both ends get it
# before one of them uses it, and the old one still opens what is under way.
# Every second one goes then; the others stay until one comes in their place.
rekeys()
{
	local until=$((SECONDS + $1)) one=a two=b

	while ((SECONDS < until)); do
		KEY=$((KEY + 1))
		keys_of "$one" new
		keys_of "$two" new use
		sleep "0.$((KEY % 3))"
		keys_of "$one" use
		sleep 0.3
		if ((KEY % 2)); then
			keys_of "$one" forget
			keys_of "$two" forget
		fi
		read -r one two <<<"$two $one"
	done
}

#
# Load
#

# flow NAME NS ADDR SIZE [CPU]: datagrams until flow_end
flow()
{
	spawn "flow-$1" ip netns exec "$2" ${5:+taskset -c "$5"} "$BULK" flow \
		"$3" 7000 1000000000 "$4" "$RATE"
}

# flow_end NAME [all]: what came was right, and came once; or even all of it
flow_end()
{
	local out=$T/flow-$1.out

	kill -INT "${JOB_PID[flow-$1]}"
	finish "flow-$1" || { cat "$out"; die "flow $1: not as it was sent"; }
	(($(value received "$out"))) || die "flow $1: nothing came"
	[[ ${2:-} != all ]] ||
		equal "$(value received "$out")" "$(value sent "$out")" \
			"flow $1: datagrams that came"
}

# bulk NAME tcp|udp NS ADDR BYTES [SIZE]: again and again, until bulk_end
bulk()
{
	rm -f "$T/enough"
	spawn "bulk-$1" bulk_again "${@:2}"
}

bulk_again()
{
	while [[ ! -e $T/enough ]]; do
		in_ns "$2" "$BULK" "$1" "$3" 7000 "${@:4}" || return
	done
}

# bulk_end NAME...: all came, as it was sent
bulk_end()
{
	local name

	touch "$T/enough"
	for name; do
		finish "bulk-$name" ||
			{ cat "$T/bulk-$name.out"; die "bulk $name"; }
	done
}

# load SECONDS BYTES ALL: both ways; BYTES (0: none) again and again over TCP
load()
{
	flow there "$A" 10.8.0.2 1000
	flow back "$B" fd08::1 300
	(($2 == 0)) || {
		bulk there tcp "$A" fd08::2 "$2"
		bulk back tcp "$B" 10.8.0.1 "$2"
	}
	sleep "$1"
	(($2 == 0)) || bulk_end there back
	flow_end there "$3"
	flow_end back "$3"
}

#
# Bad networks
#

# bad BYTES ALL [NETEM-OPTION...]: under a new key
bad()
{
	local bytes=$1 all=$2; shift 2

	next_key
	network_is "$@"
	begin
	load "${LONG:-0.7}" "$bytes" "$all"
	echo "$TRANSPORT $CIPHER: ${*:-nothing wrong}"
	end
	[[ ! $LONG ]] || echo "# $TRANSPORT $CIPHER ${*:-nothing wrong}:" \
		"$(verdict b good) there, $(verdict a good) back" >&3
}

test_loss()
{
	WHOLE=
	network
	bad 50000 all
	bad 50000 '' loss 1%
	bad 50000 '' loss 5%
	bad 0 '' loss 10%
	bad 0 '' loss 30%
}

test_disorder()
{
	network
	bad 50000 all delay 20ms reorder 50%
	happened disorder
	never late
	[[ $LONG ]] || return 0
	bad 100000 all delay 10ms 9ms
	happened disorder
	never late
}

test_copies()
{
	network
	[[ ! $LONG ]] || bad 100000 all duplicate 30%
	bad 0 all delay 10ms 9ms duplicate 30%
	happened doubled
	happened disorder
	never late
}

# the same sockets anew, as the peers are
no_checksums()
{
	local side dev host

	for side in a b; do
		dev=tun${side^^} host=$((2 - DIR[$side]))
		cli "${NS[$side]}" peer-del "$dev" id 1
		release "$side"
		hold "${NS[$side]}" "$side" udp4 0.0.0.0 "$PORT" no-check
		cli "${NS[$side]}" peer-new "$dev" id 1 sock "$(sock "$side")" \
			remote "10.0.0.$host" "$PORT"
	done
}

# UDP notices nearly all of it; and nothing if it has no checksums
test_damage()
{
	WHOLE=
	network
	bad 50000 '' corrupt 5%
	happened csum
	[[ $TRANSPORT == udp4 ]] || return 0
	no_checksums
	bad 0 '' corrupt 10%
	happened forged
}

test_all_of_it()
{
	WHOLE=
	network
	bad 50000 '' loss 2% duplicate 10% corrupt 1% delay 5ms 4ms
	happened doubled
	happened disorder
}

#
# The window
#

# ids SEED: of packets, where some are late by about what the window allows (W),
# or by anything; most of these come twice
ids()
{
	awk -v seed="$1" -v W=4032 '
	function say(id) {
		if (id != to + 1) {
			if (to) printf "%s%d-%d", sep, from, to
			if (to) sep = ","
			from = id
		}
		to = id
	}
	BEGIN {
		srand(seed)
		for (id = 1; id < 14000; id++) {
			age = W + int(rand() * 5) - 2
			if (rand() < .2) age = 1 + int(rand() * 2 * W)
			if (id % 40 == 7) late[id + age] = late[id + age] " " id
			else say(id)
			n = split(late[id], due, " ")
			if (n && id % 40 == 7) late[id + 1] = late[id + 1] late[id]
			else for (i = 1; i <= n; i++) {
				say(due[i])
				if (rand() < .7) say(due[i])
			}
		}
		printf "%s%d-%d\n", sep, from, to
	}'
}

# packets that are exactly as late as the window has it, and a little more
test_window()
{
	SIDES=(a)
	one_end "$TRANSPORT"
	KEY=0
	key "$A" tunA 1 0 secret0 primary 0 "$CIPHER" 256
	begin
	fr send size 20 secret secret0 cipher "$CIPHER" bits 256 \
		ids "$(ids "$SEED")"
	end
	happened late
	happened doubled
	happened disorder
}

#
# New keys
#

# All that is sent comes, whichever key it was sent with
test_rekey()
{
	network
	network_is delay 5ms 4ms duplicate 5%
	begin
	flow there "$A" 10.8.0.2 1000
	flow back "$B" fd08::1 300
	bulk there tcp "$A" fd08::2 200000
	bulk back tcp "$B" 10.8.0.1 200000
	steady pings "$A" fd08::2 4
	rekeys "${LONG:-8}"
	steady_end pings
	bulk_end there back
	flow_end there all
	flow_end back all
	end
	happened doubled
	happened disorder
	never late
	# that of the beginning, and each one since
	equal "$(verdict a keys) $(verdict b keys)" "$((KEY + 1)) $((KEY + 1))" \
		"keys that were used"
	[[ ! $LONG ]] || echo "# $TRANSPORT $CIPHER: $KEY keys," \
		"$(verdict b good) there, $(verdict a good) back" >&3
}

# keepalives SECONDS: from both ends, while they are silent
keepalives()
{
	local side

	for side in a b; do
		cli "${NS[$side]}" peer-set "tun${side^^}" id 1 interval "$1" \
			timeout 600
	done
}

# Senders on all CPUs, the program that owns the socket, and the keepalive timer
# all at once
test_senders()
{
	local cpus i side

	network
	cpus=$(nproc)
	begin
	keepalives 1
	RATE=$((RATE * 4))
	for i in 0 1; do
		flow "there$i" "$A" 10.8.0.2 200 $((i % cpus))
		flow "back$i" "$B" fd08::1 200 $((i % cpus))
	done
	bulk there tcp "$A" fd08::2 300000
	bulk back tcp "$B" 10.8.0.1 300000
	steady pings "$A" fd08::2 1
	for i in 1 2 3 4 5; do
		for side in a b; do
			cli "${NS[$side]}" send "$(sock "$side")" "4${i}010203" \
				"$(outer "$TRANSPORT" $((2 - DIR[$side])))" \
				"$PORT"
		done
	done
	rekeys "${LONG:-2}"
	steady_end pings
	bulk_end there back
	for i in 0 1; do
		flow_end "there$i" all
		flow_end "back$i" all
	done
	# now there is time for keepalives, and then no more of them
	sleep 2.5
	keepalives 60
	end
	happened keepalives
	happened in-keepalives
	never late
	never doubled
	equal "$(verdict a in-control) $(verdict b in-control)" "5 5" \
		"control packets"
}

#
# Over TCP, which repairs all
#

# over_tcp [NETEM-OPTION...]
over_tcp()
{
	next_key
	network_is "$@"
	begin tcp
	bulk there tcp "$A" fd08::2 100000
	bulk back udp "$B" 10.8.0.1 50000 1000
	rekeys "${LONG:-1}"
	bulk_end there back
	echo "$TRANSPORT $CIPHER: ${*:-nothing wrong}"
	end
	[[ ! $LONG ]] || echo "# $TRANSPORT $CIPHER ${*:-nothing wrong}:" \
		"$(verdict b sealed) there, $(verdict a sealed) back" >&3
}

test_over_tcp()
{
	network
	over_tcp delay 3ms 2ms duplicate 5% loss 1% corrupt 1%
	[[ $LONG ]] || return 0
	over_tcp
	over_tcp delay 5ms 4ms reorder 30%
	over_tcp duplicate 10%
	over_tcp loss 5%
	over_tcp corrupt 5%
}

# with TEST TRANSPORT CIPHER: as a test of its own
with()
{
	local name=$1_$2_${3%%[-2]*}

	eval "test_$name() { TRANSPORT=$2 CIPHER=$3; test_$1; }"
	tests+=("$name")
}

tests=()
if [[ $LONG ]]; then
	for test in loss disorder copies damage all_of_it rekey senders; do
		for transport in udp4 udp6; do
			with "$test" "$transport" aes-gcm
			with "$test" "$transport" chacha20-poly1305
		done
	done
	with over_tcp tcp4 chacha20-poly1305
	with over_tcp tcp6 aes-gcm
else
	with loss udp4 aes-gcm
	with disorder udp6 chacha20-poly1305
	with copies udp4 chacha20-poly1305
	with damage udp4 aes-gcm
	with all_of_it udp4 aes-gcm
	with rekey udp4 chacha20-poly1305
	with senders udp6 aes-gcm
	with over_tcp tcp4 aes-gcm
fi
with window udp4 aes-gcm
with window udp6 chacha20-poly1305
run_tests "${tests[@]}"
