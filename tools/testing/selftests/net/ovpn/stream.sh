# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2154 # variables of common.sh
#
# The TCP transport against user space; sourced after traffic.sh.

require "$TCP" ss socat ethtool

RAW_ID=1 RAW_SEQ=1 RAW_PEER=1

# raw_end [TRANSPORT [MODE [OPTION...]]]: two_ends with keys, but B is ovpn-tcp:
# raw. Both ends of the connection get the options of ovpn-cli hold.
raw_end()
{
	raw_sockets "${1:-tcp4}" "${@:3}"
	raw_device "${2:-p2p}"
}

raw_sockets()
{
	RAW_ID=1 RAW_SEQ=1 RAW_PEER=1
	two_hosts
	__hold_node "$A" a "$1" accept "${@:2}"
	connect_to "$B" b "$1" 1 "${@:2}"
}

raw_device()
{
	local vpn=()

	[[ $1 == p2p ]] || vpn=(vpn4 10.8.0.2 vpn6 fd08::2)
	tunnel_dev "$A" tunA "$1" 1
	cli "$A" peer-new tunA id 1 sock "$(sock a)" "${vpn[@]}"
	key "$A" tunA 1 0
}

# the words of ovpn-tcp as peer B of raw_end: COMMAND [WORD...]
raw_words()
{
	RAW_WORDS=("$1" sock "$(sock b)" secret secret dir 1
		peer-id "$RAW_PEER" my-id "$RAW_PEER"
		isrc 10.8.0.2 idst 10.8.0.1 sport 4000 dport 4000
		pkt-id "$RAW_ID" seq "$RAW_SEQ" quiet "${@:2}")
}

# raw COMMAND [WORD...]: to its end; packet ids and numbers of control records
# go on from where the last one left them
raw()
{
	raw_words "$@"
	timeout "${RAW_TIMEOUT:-60}" "$TCP" "${RAW_WORDS[@]}" >"$T/raw.out" 2>&1 ||
		{ cat "$T/raw.out"; die "ovpn-tcp $*"; }
	raw_went_on "$T/raw.out"
}

raw_went_on()
{
	local id seq

	id=$(value pkt-id "$1")
	seq=$(value seq "$1")
	((${id:-0} < RAW_ID)) || RAW_ID=$id
	((${seq:-0} < RAW_SEQ)) || RAW_SEQ=$seq
}

# raw_start NAME COMMAND [WORD...]: the same in the background
raw_start()
{
	raw_words "${@:2}"
	spawn "$1" "$TCP" "${RAW_WORDS[@]}"
}

# raw_serve NAME [WORD...]: B answers pings and checks what comes, until raw_end
raw_serve()
{
	raw_start "$1" serve timeout 120 "${@:2}"
	said "$1" ready
}

# raw_served NAME: everything that came was sound
raw_served()
{
	kill "${JOB_PID[$1]}" 2>/dev/null || true
	raw_done "$1"
}

# raw_done NAME: it ended by itself, and everything was sound
raw_done()
{
	finish "$1" || { cat "$T/$1.out"; die "$1: unsound"; }
	echo "$1: $(tail -n 2 "$T/$1.out" | tr '\n' ' ')"
	# the packet ids that it used
	RAW_ID=$((RAW_ID + $(value answered "$T/$1.out")))
}

# raw_alive: the tunnel of raw_end works
raw_alive()
{
	raw ping count 3
}

# user COMMAND [WORD...]: the program that owns A's socket
user()
{
	timeout 60 "$TCP" "$1" sock "$(sock a)" quiet "${@:2}" \
		>"$T/user.out" 2>&1 ||
		{ cat "$T/user.out"; die "user's ovpn-tcp $*"; }
}

# user_start NAME COMMAND [WORD...]: in the background
user_start()
{
	spawn "$1" "$TCP" "$2" sock "$(sock a)" quiet timeout 60 "${@:3}"
	said "$1" ready
}

# user_got NAME N: it got all these control records, and sound
user_got()
{
	finish "$1" || { cat "$T/$1.out"; die "control records"; }
	equal "$(value control-records "$T/$1.out")" "$2" "control records"
}

# plain [NAME1 NAME2]: the connection of a and b is ordinary TCP, both ways
plain()
{
	plain_one_way "${1:-a}" "${2:-b}" 00112233
	plain_one_way "${2:-b}" "${1:-a}" 48000001aabbccddeeff
}

plain_one_way()
{
	"$TCP" bytes sock "$(sock "$1")" hex "$3" >/dev/null
	arrives "$2" "$3"
}

# arrives NAME HEX: these bytes are read there
arrives()
{
	local got='' part

	while [[ $got != "$2" ]]; do
		part=$(timeout 10 "$CLI" recv "$(sock "$1")" timeout 5) ||
			die "$1 got \"$got\", wanted \"$2\""
		got+=${part##* }
		[[ $2 == "$got"* && -n ${part##* } ]] ||
			die "$1 got \"$got\", wanted \"$2\""
	done
}

# arrives_last NAME HEX: behind what was under way
arrives_last()
{
	wait_for ends_with "$@"
}

ends_with()
{
	[[ $("$CLI" recv "$(sock "$1")" timeout 1) == *"$2" ]]
}

# blast NAME NS ADDR SIZE: datagrams as fast as they leave, until killed
blast()
{
	spawn "$1" ip netns exec "$2" socat -u -b "$4" /dev/zero \
		"UDP4-DATAGRAM:$3:9"
}

# busy_tunnel [TRANSPORT [MODE]]: both ends, with traffic both ways
busy_tunnel()
{
	two_ends "${1:-tcp4}" "${2:-p2p}"
	keys
	pings "$A" 10.8.0.2
	iperf_server "$B"
	spawn tcp ip netns exec "$A" iperf3 -c 10.8.0.2 -t 60 -i 0
	spawn there ip netns exec "$A" ping -q -n -i 0.002 10.8.0.2
	spawn back ip netns exec "$B" ping -q -n -s 1300 -i 0.002 fd08::1
	wait_for tx_bytes "$A" tunA 1000000
}

# tx_bytes NS DEV N: are there so many?
tx_bytes()
{
	[[ $(link_stat "$1" "$2" tx bytes) -gt $3 ]]
}
