# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2154 # variables of common.sh
#
# Traffic for the tests of the data path; sourced after common.sh.

declare -A JOB_PID

# spawn NAME COMMAND...: in the background; it prints to $T/NAME.out
spawn()
{
	local name=$1; shift

	"$@" >"$T/$name.out" 2>&1 </dev/null &
	JOB_PID[$name]=$!
	defer stop_pid $!
}

# finish NAME: wait for its own end; its status
finish()
{
	wait "${JOB_PID[$1]}"
}

# job_done NAME: has it ended?
job_done()
{
	! kill -0 "${JOB_PID[$1]}" 2>/dev/null
}

# said NAME PATTERN: wait until it has printed that
said()
{
	wait_for said_or_ended "$@"
}

said_or_ended()
{
	grep -qE "$2" "$T/$1.out" && return
	job_done "$1" || return
	cat "$T/$1.out"
	die "$1 ended before it said $2"
}

# in_time MS COMMAND...: it succeeds and does not take longer; what hangs in the
# kernel cannot be killed, so it is left behind
in_time()
{
	local ms=$1 pid; shift

	("$@") &
	pid=$!
	wait_ms "$ms" does_fail kill -0 "$pid" 2>/dev/null ||
		die "takes longer than $ms ms: $*"
	wait "$pid" || die "failed: $*"
}

# inner FAMILY HOST: an address in the tunnel
inner()
{
	case $1 in
	4) echo "10.8.0.$2" ;;
	6) echo "fd08::$2" ;;
	esac
}

# count_packets NS NAME HOOK RULE...: count what RULE (nft) matches there
count_packets()
{
	local ns=$1 name=$2 hook=$3; shift 3

	in_ns "$ns" nft -f - <<-EOF
		table inet ovpn_test {
			counter $name { }
			chain $name {
				type filter hook $hook priority -310
				$* counter name $name
			}
		}
	EOF
}

# counted NS NAME: packets so far
counted()
{
	in_ns "$1" nft -j list counter inet ovpn_test "$2" |
		jq '.nftables[] | .counter? // empty | .packets'
}

# counts NS NAME N: are there so many?
counts()
{
	[[ $(counted "$1" "$2") -eq $3 ]]
}

# behind_a: a host $L behind A, whose packets A forwards
behind_a()
{
	L=
	make_ns L
	wire "$A" lan "$L" lan
	addresses "$A" lan 1 192.168.7 fd07
	addresses "$L" lan 2 192.168.7 fd07
	ip -n "$L" route add default via 192.168.7.1
	ip -n "$L" route add default via fd07::1
	in_ns "$A" sysctl -qw net.ipv4.ip_forward=1 \
		net.ipv6.conf.all.forwarding=1
}

#
# Through the tunnel
#

listening()
{
	in_ns "$1" ss -Htln "sport = :$2" | grep -q .
}

# iperf_server NS [PORT]
iperf_server()
{
	spawn "iperf-$1-${2:-5201}" ip netns exec "$1" iperf3 -s --forceflush \
		-p "${2:-5201}"
	wait_for listening "$1" "${2:-5201}"
}

# the servers have done with the clients that they had
iperf_idle()
{
	local out

	for out in "$T"/iperf-*.out; do
		[[ ! -e $out ]] || tail -n 2 "$out" |
			grep -q "^Server listening" || return
	done
}

# iperf NS ADDR OPTION...: a client run to its end; report in $T/iperf.json
iperf()
{
	# one that is busy in the background is not waited for
	wait_ms 2000 iperf_idle || true
	in_ns "$1" timeout $((30 * OVPN_SLOW)) iperf3 -c "$2" \
		--connect-timeout $((5000 * OVPN_SLOW)) -J \
		"${@:3}" >"$T/iperf.json" 2>&1 ||
		die "iperf3 $2: $(jq -r .error "$T/iperf.json" 2>&1)"
}

# udp_iperf NS ADDR: no datagram may be lost; they are so few, and so slow as
# iperf3 sends more than it is told before it notices, that a late
# receiver's socket holds them all
udp_iperf()
{
	iperf "$1" "$2" -u -l 1200 -n 80K -b 5M
	equal "$(jq .end.sum.lost_packets "$T/iperf.json")" 0 \
		"datagrams lost to $2"
}

# steady NAME NS ADDR SECONDS [OPTION...]: pings in the background, 200 a
# second (fewer on a slow kernel, whose answers to many would not fit into its
# socket for ICMP), for that long and on until steady_end
steady()
{
	spawn "$1" ip netns exec "$2" "$PINGER" -t \
		-i "$(printf '0.%03d' $((5 * OVPN_SLOW)))" \
		-c $(($4 * 200 / OVPN_SLOW)) -W $((10 * OVPN_SLOW)) \
		"${@:5}" "$3"
}

# steady_end NAME [N]: no more than N (0) packets were lost, none came twice
steady_end()
{
	local sent got

	kill -INT "${JOB_PID[$1]}" 2>/dev/null || true
	finish "$1" || true
	sent=$(value sent "$T/$1.out")
	got=$(value received "$T/$1.out")
	echo "$1: $(head -n 1 "$T/$1.out")"
	if [[ -z $sent || $((sent - got)) -gt ${2:-0} ||
	      $(value doubled "$T/$1.out") != 0 ||
	      $(value wrong "$T/$1.out") != 0 ]]; then
		cat "$T/$1.out"
		die "$1: packets lost or doubled"
	fi
}

# renew KEY-ID: as OpenVPN does: new key aside, both ends have it, swap, old one
# goes
renew()
{
	keys "secret$1" secondary "$1"
	cli "$A" key-swap tunA id 1
	cli "$B" key-swap tunB id 1
	cli "$A" key-del tunA id 1 slot secondary
	cli "$B" key-del tunB id 1 slot secondary
}

# drops NS DEV: of "ethtool -S" the counters of drops that are not zero,
# name=value
drops()
{
	in_ns "$1" ethtool -S "$2" |
		sed -n '/rx_steered/d; s/^ *\([a-z0-9_]*\): \([1-9][0-9]*\)$/\1=\2/p'
}

# dropped_only NS DEV [NAME=NUMBER...]: these, in their order, and nothing else
dropped_only()
{
	local got

	got=$(drops "$1" "$2")
	equal "${got//$'\n'/ }" "${*:3}" "dropped"
}

# no_drops: two_ends dropped nothing at all
no_drops()
{
	dropped_only "$A" tunA
	dropped_only "$B" tunB
}

#
# Against the end in user space
#

# frames NS COMMAND...: see ovpn-frames
frames()
{
	in_ns "$1" "$FRAMES" "${@:2}"
}

# one_end [TRANSPORT [MODE]]: two_ends with keys, but B is ovpn-frames: fr
one_end()
{
	local vpn=()

	FR_TRANSPORT=${1:-udp4}
	[[ ${2:-p2p} == p2p ]] || vpn=(vpn4 10.8.0.2 vpn6 fd08::2)
	two_hosts
	__hold_node "$A" a "$FR_TRANSPORT" 1
	tunnel_dev "$A" tunA "${2:-p2p}" 1
	cli "$A" peer-new tunA id 1 sock "$(sock a)" \
		remote "$(outer "$FR_TRANSPORT" 2)" "$PORT" "${vpn[@]}"
	key "$A" tunA 1 0
}

# fr COMMAND [WORD...]: ovpn-frames as peer B of one_end
fr()
{
	fr_words "$@"
	frames "$B" "${FR_WORDS[@]}"
}

fr_words()
{
	FR_WORDS=("$1" from "$(outer "$FR_TRANSPORT" 2)" "$PORT"
		to "$(outer "$FR_TRANSPORT" 1)" "$PORT" secret secret dir 1
		peer-id 1 my-id 1 isrc 10.8.0.2 idst 10.8.0.1
		sport 4000 dport 4000 "${@:2}")
}

# fr_serve NAME [WORD...]: B answers pings and checks what comes, until fr_end
fr_serve()
{
	local name=$1; shift

	fr_words serve timeout 60 "$@"
	spawn "$name" ip netns exec "$B" "$FRAMES" "${FR_WORDS[@]}"
	said "$name" ready
}

# fr_end NAME: everything that came was sound
fr_end()
{
	kill "${JOB_PID[$1]}"
	finish "$1" || { cat "$T/$1.out"; die "unsound datagrams"; }
}

# sniff NAME NS [WORD...]: check all datagrams that come in on NS's wire, sent by
# the end with "dir 0", until sniffed
sniff()
{
	spawn "$1" ip netns exec "$2" "$FRAMES" sniff dev veth \
		to 0.0.0.0 "$PORT" secret secret dir 1 \
		timeout $((60 * OVPN_SLOW)) quiet unordered "${@:3}"
	said "$1" ready
}

# sniffed NAME: they were sound, and no packet id was used twice with a key
sniffed()
{
	kill "${JOB_PID[$1]}"
	finish "$1" || { cat "$T/$1.out"; die "unsound datagrams"; }
	echo "$1: $(tail -n 2 "$T/$1.out" | tr '\n' ' ')"
}

# value WORD FILE: of word=value in the last line that has it
value()
{
	sed -n "s/.*\\b$1=\\([^ ]*\\).*/\\1/p" "$2" | tail -n 1
}
