#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# shellcheck disable=SC2119 # two_ends without arguments is as it should be
#
# Pings after silence, and the end of a peer after a longer one. The two are
# independent: either can be off.

set -euo pipefail
# shellcheck source=common.sh
. "$(dirname "$(readlink -e "$0")")/common.sh"
# shellcheck source=traffic.sh
. "$OVPN_DIR/traffic.sh"

# ready: a tunnel that works and is silent, and a listener to $A
ready()
{
	two_ends
	keys
	pings "$A" 10.8.0.2
	listen "$A" n
}

timers()
{
	cli "$1" peer-set "$2" id 1 "${@:3}"
}

value()
{
	peer_value "$1" "$2" 1 "$3"
}

at_least()
{
	local got

	got=$(value "$1" "$2" "$3")
	((got >= $4))
}

# Seconds that the machine is up
uptime()
{
	local up

	read -r up _ </proc/uptime
	echo "${up%.*}"
}

# expires_between MIN MAX: seconds until the listener hears of it
expires_between()
{
	local start end

	start=$(uptime)
	OVPN_WAIT_MS=$((($2 + 5) * 1000)) heard n peer-del-ntf id=1 \
		del-reason=expired
	end=$(uptime)
	echo "expired after $((end - start)) s"
	((end - start >= $1 && end - start <= $2))
}

# Only A pings, and B is silent: nobody is missed
test_interval_only()
{
	local sent

	ready
	timers "$A" tunA interval 1 timeout 0
	sent=$(value "$A" tunA link-tx-packets)
	wait_for at_least "$A" tunA link-tx-packets $((sent + 3))
	has_peer "$A" tunA 1
	[[ ! -s $T/n.ntf ]]
}

# What was never sent by PEER_SET: an interval without a timeout
test_interval_alone()
{
	local sent

	ready
	timers "$A" tunA interval 1
	equal "$(value "$A" tunA keepalive-interval)" 1 interval
	equal "$(value "$A" tunA keepalive-timeout)" 0 timeout
	sent=$(value "$A" tunA link-tx-packets)
	wait_for at_least "$A" tunA link-tx-packets $((sent + 2))
}

# A waits for what never comes, but says nothing itself
test_timeout_only()
{
	local before after

	ready
	before=$(value "$B" tunB link-rx-packets)
	timers "$A" tunA interval 0 timeout 2
	expires_between 1 10
	after=$(value "$B" tunB link-rx-packets)
	equal "$after" "$before" "packets to B"
}

test_timeout_alone()
{
	ready
	timers "$A" tunA timeout 2
	equal "$(value "$A" tunA keepalive-interval)" 0 interval
	equal "$(value "$A" tunA keepalive-timeout)" 2 timeout
	expires_between 1 10
}

# Two live ends keep each other; then one dies
test_both()
{
	local got

	ready
	timers "$B" tunB interval 1 timeout 3
	timers "$A" tunA interval 1 timeout 3
	got=$(value "$A" tunA link-rx-packets)
	wait_for at_least "$A" tunA link-rx-packets $((got + 6))
	has_peer "$A" tunA 1
	has_peer "$B" tunB 1
	cli "$B" peer-del tunB id 1
	expires_between 2 10
}

# Set when the peer is made
test_from_the_start()
{
	make_ns A
	hold "$A" a udp4 127.0.0.1 "$PORT"
	cli "$A" link-new tunA mode p2p
	listen "$A" n
	cli "$A" peer-new tunA id 1 sock "$(sock a)" \
		remote 127.0.0.1 1195 interval 1 timeout 2
	expires_between 1 10
}

# Pings are for the peer, not for its user
test_pings_stay_inside()
{
	local got

	ready
	timers "$A" tunA interval 1 timeout 1000
	got=$(value "$B" tunB link-rx-packets)
	wait_for at_least "$B" tunB link-rx-packets $((got + 2))
	equal "$(link_stat "$B" tunB rx packets)" 3 "packets of the device"
	equal "$(link_stat "$A" tunA tx packets)" 3 "packets of the device"
}

# Any authentic packet is a sign of life
test_traffic_keeps_alive()
{
	ready
	timers "$A" tunA interval 1000 timeout 2
	in_ns "$B" ping -q -i 0.3 -w 5 10.8.0.1 >/dev/null
	has_peer "$A" tunA 1
	expires_between 0 10
}

# ... and what is not authentic is none
test_forgery_does_not()
{
	ready
	key "$A" tunA 1 0 another
	timers "$A" tunA interval 1000 timeout 2
	in_ns "$B" ping -q -i 0.3 -w 10 10.8.0.1 >/dev/null &
	defer stop_pid $!
	expires_between 1 10
}

test_switch_off()
{
	local sent

	ready
	timers "$A" tunA interval 1 timeout 4
	sent=$(value "$A" tunA link-tx-packets)
	wait_for at_least "$A" tunA link-tx-packets $((sent + 1))
	timers "$A" tunA interval 0 timeout 0
	sent=$(value "$A" tunA link-tx-packets)
	# nothing can be waited for: longer than the timeout was
	sleep 5
	equal "$(value "$A" tunA link-tx-packets)" "$sent" "packets sent"
	has_peer "$A" tunA 1
	[[ ! -s $T/n.ntf ]]
}

# A timeout that is shortened counts from the last sign of life
test_shorten()
{
	ready
	timers "$A" tunA interval 1000 timeout 86400
	timers "$A" tunA interval 1000 timeout 2
	expires_between 0 10
}

test_lengthen()
{
	ready
	timers "$A" tunA interval 1000 timeout 2
	timers "$A" tunA interval 1000 timeout 86400
	# longer than the timeout was
	sleep 4
	has_peer "$A" tunA 1
	equal "$(value "$A" tunA keepalive-timeout)" 86400 timeout
}

# Only the silent one of several peers goes
test_one_of_many()
{
	local i

	mp_star 3
	listen "$S" n
	for i in 2 3 4; do
		cli "$S" peer-set tun1 id $i interval 1 timeout 3
		cli "${C[$i]}" peer-set "tun$i" id $i interval 1 timeout 60
	done
	cli "${C[3]}" peer-del tun3 id 3
	heard n peer-del-ntf id=3 del-reason=expired
	has_peer "$S" tun1 2
	has_peer "$S" tun1 4
	pings "${C[2]}" 10.8.0.1
	equal "$(wc -l <"$T/n.ntf")" 1 notifications
}

# ids of those of which the listener has heard that they expired
expired()
{
	notified n peer-del-ntf del-reason=expired |
		sed 's/.* id=\([0-9]*\).*/\1/' | sort -n
}

so_many_expired()
{
	[[ $(expired | wc -l) -ge $1 ]]
}

# set_lines FIRST [STEP] LAST: what sets the timeout of these peers
set_lines()
{
	local i

	for i in $(seq "$@"); do
		echo "$CLI peer-set tunA id $i timeout 1"
	done
}

# All of them in the same moment, while each CPU sets them, from both ends; who
# expires meanwhile does it once
test_many_at_once()
{
	local peers=220 last i

	type -t taskset >/dev/null || skip "taskset is missing"
	(($(nproc) > 1)) || skip "there is one CPU only"
	last=$((peers + 1))
	make_ns A
	hold "$A" a udp4 127.0.0.1 "$PORT"
	tunnel_dev "$A" tunA mp 1
	for ((i = 2; i <= last; i++)); do
		echo "$CLI peer-new tunA id $i sock $(sock a)" \
			"vpn4 10.8.0.$i remote 127.0.0.1 $((PORT + i))"
	done >"$T/new"
	in_ns "$A" bash -e "$T/new"
	listen "$A" n
	set_lines 2 "$last" >"$T/up"
	set_lines "$last" -1 2 >"$T/down"
	spawn up ip netns exec "$A" taskset -c 0 bash "$T/up"
	spawn down ip netns exec "$A" taskset -c 1 bash "$T/down"
	finish up || true
	finish down || true
	# who has expired cannot be set any more, and that is all
	! grep -hv "No such file or directory" "$T/up.out" "$T/down.out" ||
		die "not set"
	wait_for so_many_expired "$peers"
	equal "$(cli "$A" peer-get tunA)" "" "peers that are left"
	in_time $((8000 * OVPN_SLOW)) ip -n "$A" link del tunA
	equal "$(expired | xargs)" "$(seq -s ' ' 2 "$last")" "who expired"
	equal "$(wc -l <"$T/n.ntf")" "$peers" notifications
}

# The wall clock has nothing to do with it
test_clock_jump()
{
	local now got

	# never on a machine that others use
	grep -q "User Mode Linux" /proc/cpuinfo ||
		[[ -n ${OVPN_SET_CLOCK:-} ]] ||
		skip "the clock is not ours to set (OVPN_SET_CLOCK=1)"
	ready
	timers "$B" tunB interval 1 timeout 4
	timers "$A" tunA interval 1 timeout 4
	now=$(date +%s)
	date -s "@$((now + 86400))" >/dev/null
	got=$(value "$A" tunA link-rx-packets)
	wait_for at_least "$A" tunA link-rx-packets $((got + 2))
	date -s "@$((now - 86400))" >/dev/null
	got=$(value "$A" tunA link-rx-packets)
	wait_for at_least "$A" tunA link-rx-packets $((got + 2))
	has_peer "$A" tunA 1
	has_peer "$B" tunB 1
	[[ ! -s $T/n.ntf ]]
	# and still somebody is missed in time
	cli "$B" peer-del tunB id 1
	expires_between 2 10
	date -s "@$now" >/dev/null
}

run_tests interval_only interval_alone timeout_only timeout_alone both \
	from_the_start pings_stay_inside traffic_keeps_alive forgery_does_not \
	switch_off shorten lengthen one_of_many many_at_once clock_jump
