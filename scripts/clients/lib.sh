# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# What the client tests and the demo share; sourced inside the guest.
#
# The stage is a star of network namespaces, each client on a wire of its own:
#
#	client1 wire 10.0.1.2 ---- 10.0.1.1 wire1
#	             fd00:0:1::2   fd00:0:1::1    server
#	client2 wire 10.0.2.2 ---- 10.0.2.1 wire2
#
# Every OpenVPN process has a short name; its log is $WORK/NAME.log.

if [ ! -e /proc/sys/net/ipv4/ip_forward ]; then
	echo "Bail out! the guest's kernel was built without CONFIG_SYSCTL"
	exit 1
fi

WORK=$(mktemp -d "${TMPDIR:-/tmp}/ovpn.XXXXXX")
PKI=$WORK/pki
CLIENTS_DIR=$(dirname "${BASH_SOURCE[0]}")
COUNT=$WORK/count
declare -A PID=()
SCENARIO=

# The program, and the kind of device it makes. What a scenario asks for may be
# more than the program can do: those in WITHOUT are left out.
OPENVPN=${OPENVPN:-openvpn}
KIND=${KIND:-ovpn}
declare -a WITHOUT

# The addresses inside the tunnel, as the servers below hand them out.
export VPN4=10.8.0.1 VPN6=fd00:8::1

##
# Results
#

# result ok|"not ok" TEXT
result()
{
	local n

	n=$(wc -l < "$COUNT")
	echo "$1" >> "$COUNT"
	echo "$1 $((n + 1)) - ${SCENARIO:+$SCENARIO: }$2"
}

note()
{
	local line

	while IFS= read -r line; do
		echo "# $line"
	done <<< "$*"
}

# The last lines of what the programs said, for whoever looks at a failure.
show_logs()
{
	local log

	for log in "$WORK"/*.log; do
		[ -s "$log" ] || continue
		note "--- the end of $(basename "$log")"
		note "$(tail -n 15 "$log" | cut -c1-160)"
	done
}

# check TEXT COMMAND...: one line of the result, ok when the command succeeds.
# A failing one shows what the command printed and, once, the logs.
check()
{
	local text=$1 out=$WORK/check.out rc=0
	shift

	: > "$out"
	"$@" >> "$out" 2>&1 || rc=$?
	if [ "$rc" -eq 0 ]; then
		result ok "$text"
		return 0
	fi
	result "not ok" "$text"
	note "status $rc from: $*"
	[ ! -s "$out" ] || note "$(tail -n 15 "$out")"
	[ -e "$WORK/shown" ] || show_logs
	: > "$WORK/shown"
}

skip()
{
	result ok "$1 # SKIP $2"
}

# not COMMAND...: succeeds when the command fails.
not()
{
	! "$@"
}

# scenario NAME FUNCTION [ARG...]: runs the function on a fresh stage. A command
# that fails outside a check ends the scenario and is a failure itself.
scenario()
{
	local rc

	[[ " ${WITHOUT[*]/%/ |} " != *" $1 |"* ]] || return 0
	SCENARIO=$1
	shift
	rm -f "$WORK"/*.log "$WORK/shown"
	set +e
	(
		set -eE
		trap 'note "line $LINENO: $BASH_COMMAND"' ERR
		trap 'stage_down' EXIT
		"$@"
	)
	rc=$?
	set -e
	if [ "$rc" -ne 0 ]; then
		result "not ok" "ran to its end"
		show_logs
	fi
	SCENARIO=
}

# The last line of every test file.
done_testing()
{
	local n bad

	n=$(wc -l < "$COUNT")
	bad=$(grep -c '^not ok' "$COUNT" || true)
	rm -rf "$WORK"
	echo "1..$n"
	[ "$n" -gt 0 ] && [ "$bad" -eq 0 ]
}

##
# Waiting
#

# wait_for SECONDS COMMAND...: polls until the command succeeds; OVPN_SLOW times
# as long on a machine so much slower.
wait_for()
{
	local end=$((SECONDS + $1 * ${OVPN_SLOW:-1} + 1))
	shift

	until "$@" > /dev/null 2>&1; do
		if [ $SECONDS -ge $end ]; then
			echo "waited in vain for: $*"
			return 1
		fi
		sleep 0.1
	done
}

said()
{
	grep -qE -e "$2" "$WORK/$1.log"
}

# Shows the words that should not have fallen.
never_said()
{
	! grep -E -e "$2" "$WORK/$1.log"
}

said_times()
{
	[ "$(grep -cE -e "$2" "$WORK/$1.log")" -ge "$3" ]
}

# wait_log NAME REGEX [SECONDS]
wait_log()
{
	wait_for "${3:-20}" said "$1" "$2" || {
		echo "$1 never said: $2"
		return 1
	}
}

# How often NAME has said REGEX so far, and waiting for once more.
times()
{
	grep -cE -e "$2" "$WORK/$1.log" || true
}

wait_again()
{
	wait_for "${4:-20}" said_times "$1" "$2" $(($3 + 1))
}

##
# The stage
#

in_ns()
{
	local ns=$1
	shift
	ip netns exec "$ns" "$@"
}

add_ns()
{
	ip netns add "$1"
	ip -n "$1" link set lo up
	in_ns "$1" sysctl -q net.ipv6.conf.all.accept_dad=0 \
		net.ipv6.conf.default.accept_dad=0 \
		net.ipv4.conf.all.promote_secondaries=1
}

# add_wire NUMBER: one client and its wire to the server.
add_wire()
{
	local n=$1

	add_ns "client$n"
	ip link add "wire$n" netns server type veth \
		peer name wire netns "client$n"
	ip -n server addr add "10.0.$n.1/24" dev "wire$n"
	ip -n server addr add "fd00:0:$n::1/64" dev "wire$n" nodad
	ip -n server link set "wire$n" up
	ip -n "client$n" addr add "10.0.$n.2/24" dev wire
	ip -n "client$n" addr add "fd00:0:$n::2/64" dev wire nodad
	ip -n "client$n" link set wire up
}

# stage_up CLIENTS
stage_up()
{
	local n

	add_ns server
	in_ns server sysctl -q net.ipv4.ip_forward=1 \
		net.ipv6.conf.all.forwarding=1
	for n in $(seq "$1"); do
		add_wire "$n"
	done
}

stage_down()
{
	set +eE
	trap - ERR
	# the shell would tell of every job that is killed
	clear_stage 2> /dev/null
	return 0
}

clear_stage()
{
	local ns pid

	for ns in $(ip netns list | cut -d' ' -f1); do
		for pid in $(ip netns pids "$ns"); do
			kill -9 "$pid"
		done
		ip netns del "$ns"
	done
	wait
}

##
# Keys and certificates
#

# pki NAME...: a CA and a certificate for each name; "server*" may serve.
pki()
{
	local name use

	mkdir -p "$PKI"
	[ -e "$PKI/ca.crt" ] || openssl_req ca 'basicConstraints=critical,CA:TRUE'
	for name; do
		[ ! -e "$PKI/$name.crt" ] || continue
		use=clientAuth
		[[ $name != server* ]] || use=serverAuth
		openssl_req "$name" "extendedKeyUsage=$use" \
			-addext keyUsage=digitalSignature \
			-CA "$PKI/ca.crt" -CAkey "$PKI/ca.key"
	done
}

openssl_req()
{
	local name=$1 extension=$2
	shift 2

	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 \
		-nodes -sha256 -days 2 -subj "/CN=$name" -addext "$extension" \
		-keyout "$PKI/$name.key" -out "$PKI/$name.crt" "$@" \
		2> "$PKI/openssl.err" || { cat "$PKI/openssl.err"; return 1; }
}

##
# OpenVPN
#

# start NAME NAMESPACE OPTION...: an OpenVPN process in the background.
start()
{
	local name=$1 ns=$2
	shift 2

	# user space tunnels need the node, which a bare guest may lack
	[ -e /dev/net/tun ] || { mkdir -p /dev/net && mknod /dev/net/tun c 10 200; } \
		2> /dev/null || true
	ip netns exec "$ns" "$OPENVPN" --dev-type tun --ca "$PKI/ca.crt" \
		--verb "${VERB:-6}" "$@" >> "$WORK/$name.log" 2>&1 &
	PID[$name]=$!
}

# server OPTION...: the usual server; its process is called "server".
server()
{
	pki server
	start server server --dev tunS --dh none --persist-tun \
		--cert "$PKI/server.crt" --key "$PKI/server.key" \
		--server 10.8.0.0 255.255.255.0 --server-ipv6 fd00:8::/64 \
		--topology subnet "$@"
	wait_log server 'Initialization Sequence Completed'
}

# client NUMBER OPTION...: starts a client called "clientN"; does not wait.
client()
{
	local n=$1
	shift

	pki "client$n"
	start "client$n" "client$n" --dev "tun$n" --client --nobind \
		--persist-tun --remote-cert-tls server \
		--cert "$PKI/client$n.crt" --key "$PKI/client$n.key" "$@"
}

connected()
{
	wait_log "$1" 'Initialization Sequence Completed' "${2:-20}"
}

# stop NAME [SIGNAL]: ends a process and waits until it is gone.
stop()
{
	local pid=${PID[$1]}

	kill "-${2:-TERM}" "$pid" 2> /dev/null || return 0
	# the shell would tell that it was killed
	{ wait_for 15 not kill -0 "$pid" || return; wait "$pid" || true; } \
		2> /dev/null
}

running()
{
	kill -0 "${PID[$1]}" 2> /dev/null
}

# The address a client got in the tunnel: vpn_addr NUMBER 4|6
vpn_addr()
{
	local family=inet

	[ "$2" = 4 ] || family=inet6
	ip -n "client$1" -j addr show dev "tun$1" |
		jq -re --arg f "$family" 'first(.[].addr_info[] |
			select(.family == $f and .scope == "global") | .local)'
}

# link_is NAMESPACE DEVICE MODE [KIND]: the device is the driver's, in that mode.
link_is()
{
	local kind=${4:-$KIND}

	ip -n "$1" -d -j link show dev "$2" |
		jq -e --arg k "$kind" '.[0].linkinfo.info_kind == $k' &&
		in_ns "$1" ethtool -i "$2" | grep -qx 'driver: ovpn' &&
		look "$1" link "$2" | tee /dev/stderr |
		grep -qx "kind=$kind mode=$3"
}

# offloaded NAME: OpenVPN itself says that the kernel carries the data.
offloaded()
{
	said "$1" 'DCO device [^ ]+ opened' || return 1
	never_said "$1" 'disabling data channel offload|TUN/TAP device .* opened'
}

# look NAMESPACE link|peers DEVICE: what the kernel knows of the device.
look()
{
	in_ns "$1" "$CLIENTS_DIR/look" "$2" "$3"
}

# has_peers NAMESPACE DEVICE NUMBER: so many, as the kernel sees it.
has_peers()
{
	look "$1" peers "$2" | awk -v want="$3" '{ print } END { exit NR != want }'
}

# carrier NAMESPACE DEVICE 0|1
carrier()
{
	[ "$(in_ns "$1" cat "/sys/class/net/$2/carrier")" = "$3" ]
}

# Nothing holds the driver any more.
unloads()
{
	wait_for 20 modprobe -r ovpn
}

##
# Traffic
#

# pings NAMESPACE ADDRESS [COUNT [PING OPTION...]]: every answer must come back.
pings()
{
	local ns=$1 addr=$2 count=${3:-5}
	shift 2
	[ $# -eq 0 ] || shift

	in_ns "$ns" ping -n -q -c "$count" -i 0.05 -W 3 "$@" "$addr" |
		tee /dev/stderr | grep -q ' 0% packet loss'
}

# flow_start NAME NAMESPACE ADDRESS SECONDS: pings every 20 ms in the background,
# flow_lossless NAME [LOST] waits for its end; so many may be lost.
flow_start()
{
	ip netns exec "$2" ping -n -D -O -i 0.02 -W 3 -c $(($4 * 50)) "$3" \
		> "$WORK/$1.flow" 2>&1 &
	PID[$1]=$!
}

flow_lossless()
{
	wait "${PID[$1]}" || true
	grep -E 'no answer|^---|packets|rtt' "$WORK/$1.flow"
	awk -v most="${2:-0}" '/packets transmitted/ { lost = $1 - $4; seen = 1 }
		END { exit !seen || lost > most }' "$WORK/$1.flow"
}

# transfer FROM TO ADDRESS MEGABYTES: a file over TCP, compared at the other end.
transfer()
{
	local from=$1 to=$2 addr=$3 size=$4 sink family=TCP4 host=$3 pid

	[[ $addr != *:* ]] || { family=TCP6; host="[$addr]"; }
	[ -e "$WORK/file" ] || openssl rand -out "$WORK/file" $((size << 20))
	ip netns exec "$to" timeout 120 socat -u "$family-LISTEN:5555,reuseaddr" \
		"CREATE:$WORK/file.got" &
	pid=$!
	wait_for 5 listening "$to" 5555
	in_ns "$from" timeout 120 socat -u "FILE:$WORK/file" \
		"$family:$host:5555,connect-timeout=10"
	wait "$pid"
	cmp "$WORK/file" "$WORK/file.got"
	sink=$?
	rm -f "$WORK/file.got"
	return $sink
}

# iperf NAME FROM TO ADDRESS OPTION...: the two reports are $WORK/NAME.json and
# $WORK/NAME.server.json
iperf()
{
	local name=$1 from=$2 to=$3 addr=$4 pid
	shift 4

	ip netns exec "$to" iperf3 -J -s -1 > "$WORK/$name.server.json" 2>&1 &
	pid=$!
	wait_for 5 listening "$to" 5201
	in_ns "$from" iperf3 -J -c "$addr" "$@" > "$WORK/$name.json" || {
		jq -r .error "$WORK/$name.json"
		return 1
	}
	wait "$pid"
}

# traffic NUMBER: everything that must work in any tunnel.
traffic()
{
	local n=$1 peer4 peer6

	peer4=$(vpn_addr "$n" 4)
	peer6=$(vpn_addr "$n" 6)
	check "client$n pings the server, IPv4" pings "client$n" "$VPN4"
	check "client$n pings the server, IPv6" pings "client$n" "$VPN6"
	check "the server pings client$n, IPv4" pings server "$peer4"
	check "the server pings client$n, IPv6" pings server "$peer6"
	check "full-size packets, IPv4" pings "client$n" "$VPN4" 20 -s 1472 -M "do"
	check "full-size packets, IPv6" pings server "$peer6" 20 -s 1452 -M "do"
	check "a file to the server" transfer "client$n" server "$VPN4" 8
	check "a file to client$n" transfer server "client$n" "$peer6" 8
}

# storm NUMBER: the server and that client send all that goes, until the stage
# is cleared.
storm()
{
	local peer

	peer=$(vpn_addr "$1" 4)
	ip netns exec "client$1" ping -q -f -s 1400 "$VPN4" > /dev/null 2>&1 &
	ip netns exec server ping -q -f -s 1400 "$peer" > /dev/null 2>&1 &
	sleep 0.5
}

listening()
{
	in_ns "$1" ss -Hltn "sport = :$2" | grep -q .
}

: > "$COUNT"
