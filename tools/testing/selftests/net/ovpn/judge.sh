# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2154 # variables of common.sh and network.sh
#
# Two ends with a network between them, of which ovpn-judge knows what each has
# to have counted; sourced by network.sh.

# state SIDE: all counters of one end, and of the network on the way there
state()
{
	{
		in_ns "${NS[$1]}" sh -c "
			$CLI peer-get tun${1^^} id 1
			ethtool -S tun${1^^}
			f=/sys/class/net/veth/statistics/rx_dropped
			echo veth_dropped: \$(cat \$f)
			cat /proc/net/snmp"
		tc -n "$N" -s qdisc show dev "to$1"
	} | awk '
	/packets=/ { for (i = 1; i <= NF; i++)
			if (split($i, v, "=") == 2) print v[1], v[2] }
	NF == 2 && $1 ~ /^[rtv].*_.*:$/ { print substr($1, 1, length($1) - 1), $2 }
	$1 == "Udp:" && !seen++ { for (i = 2; i <= NF; i++) name[i] = $i; next }
	$1 == "Udp:" { for (i = 2; i <= NF; i++) print name[i], $i }
	/\(dropped/ { print "netem_drops", $7 + 0 }'
}

states()
{
	local side

	for side in "${SIDES[@]}"; do
		state "$side" >"$T/$1.$side"
	done
}

# rise SIDE NAME: of a counter, while the judges listened
rise()
{
	awk -v name="$2" '$1 == name { v[FILENAME] = $2; n++ }
		END { print n == 2 ? v[ARGV[2]] - v[ARGV[1]] : "not there" }' \
		"$T/before.$1" "$T/after.$1"
}

# verdict SIDE WORD
verdict()
{
	value "$2" "$T/judge-$1.out"
}

# begin [WORD...]: for the judges
begin()
{
	local side

	states before
	for side in "${SIDES[@]}"; do
		spawn "judge-$side" ip netns exec "${NS[$side]}" "$JUDGE" \
			dev veth port "$PORT" dir "${DIR[$side]}" \
			secrets secret cipher "$CIPHER" from "$KEY" "$@"
	done
	for side in "${SIDES[@]}"; do
		said "judge-$side" ready
	done
}

# accepted SIDE: it has what it is to have
accepted()
{
	state "$1" >"$T/after.$1"
	[[ $(rise "$1" link-rx-packets) == $(verdict "$1" good) ]]
}

# end: the judges speak, and both ends have done as they say
end()
{
	local side

	wait_for passed
	sleep 0.2
	for side in "${SIDES[@]}"; do
		kill "${JOB_PID[judge-$side]}"
		finish "judge-$side" || {
			cat "$T/judge-$side.out"
			die "judge of $side: a fault, or it has not seen all"
		}
		tail -n 2 "$T/judge-$side.out" | sed "s/^/$side: /"
		[[ $TRANSPORT == tcp* ]] || wait_ms 2000 accepted "$side" || true
	done
	states after
	for side in "${SIDES[@]}"; do
		account "$side"
	done
	((${#SIDES[@]} == 1)) || {
		lost a b
		lost b a
	}
}

# account SIDE: each packet is counted, as what it is
account()
{
	local name n want

	equal "$(rise "$1" link-tx-packets)" "$(verdict "$1" sealed)" \
		"$1: packets sent"
	while read -r name n; do
		case $TRANSPORT-$name in
		*-rx_steered) continue ;;
		tcp*) want=0 ;;
		*-rx_replayed)
			want=$(($(verdict "$1" doubled) +
				$(verdict "$1" late))) ;;
		*-rx_auth_failed) want=$(verdict "$1" forged) ;;
		*-rx_unknown_key) want=$(verdict "$1" no-key) ;;
		*-rx_unknown_peer) want=$(verdict "$1" no-peer) ;;
		*-rx_too_short) want=$(verdict "$1" tiny) ;;
		*-rx_data_v1) want=$(verdict "$1" v1) ;;
		*) want=0 ;;
		esac
		equal "$n" "$want" "$1: $name"
	done < <(rises "$1" '^[rt]x_')
	[[ $TRANSPORT == udp* ]] || return 0
	equal "$(rise "$1" link-rx-packets)" "$(verdict "$1" good)" \
		"$1: packets accepted"
	[[ $TRANSPORT == udp6 ]] ||
		equal "$(rise "$1" InCsumErrors)" "$(verdict "$1" csum)" \
			"$1: wrong checksums of UDP"
}

# rises SIDE PATTERN: of the counters with such names
rises()
{
	awk -v name="$2" '$1 !~ name { next }
		FILENAME == ARGV[1] { v[$1] = $2; next }
		{ print $1, $2 - v[$1] }' "$T/before.$1" "$T/after.$1"
}

# lost SIDE OTHER: what did not come is what the network says it has lost
lost()
{
	local gone got

	if [[ $TRANSPORT == tcp* ]]; then
		equal "$(rise "$1" link-rx-packets)" "$(verdict "$2" sealed)" \
			"packets that came to $1"
		return
	fi
	gone=$(($(rise "$1" netem_drops) + $(rise "$1" veth_dropped)))
	got=$(($(verdict "$1" good) + $(verdict "$1" late)))
	if ((!gone && $(verdict "$1" came) && !$(verdict "$1" csum) &&
	     !$(verdict "$1" forged))); then
		# copies may have come, too
		equal "$got" "$(verdict "$2" sealed)" "packets that came to $1"
	elif ((!$(verdict "$1" doubled))); then
		equal $(($(verdict "$1" came) + gone)) \
			"$(verdict "$2" frames)" "packets that came, or not, to $1"
	fi
}

# happened WORD: or the test tests nothing
happened()
{
	local side

	for side in "${SIDES[@]}"; do
		(($(verdict "$side" "$1"))) || die "$side: no $1 at all"
	done
}

# never WORD
never()
{
	local side

	for side in "${SIDES[@]}"; do
		equal "$(verdict "$side" "$1")" 0 "$side: $1"
	done
}
