#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Every two operations at the same time, on the same device, from the same
# state, over and over: each one succeeds or says why not, nothing hangs, the
# device works afterwards, and nothing is left of it.
#
# OVPN_RACES=N makes that N times as long. OVPN_RACES_EACH=N asks for so many
# times of each pair, but a twentieth of that with the module, which takes long
# to go. OVPN_RACES_SEED takes other delays.

set -euo pipefail
# shellcheck source=common.sh
. ./common.sh
# shellcheck source=traffic.sh
. ./traffic.sh

STRESS=$OVPN_BIN/ovpn-stress
require "$STRESS"

# progress is shown at once, whatever a test does with its output
exec 3>&1

# race OP OP: over UDP and TCP, in both modes; of what takes long because it
# waits, many at a time
race()
{
	local count=16 workers=1 many=1 share=1

	case " $1 $2 " in
	*" unload "*) count=4 share=20 ;;
	" expiry close "|" expiry kill "|" expiry tcp-reset ")
		count=32 workers=16 many=32 ;;
	*" expiry "*) count=4 workers=4 many=32 ;;
	" peer-new link-del ") count=32 workers=4 many=4 ;;
	*" link-del "*|*" netns-"*) count=4 workers=4 many=4 ;;
	esac
	count=$((count * ${OVPN_RACES:-1}))
	if [[ -n ${OVPN_RACES_EACH:-} ]]; then
		count=$(((OVPN_RACES_EACH + share - 1) / share))
		workers=$many
	fi
	"$STRESS" race "$1" "$2" count "$count" workers "$workers" \
		seed "${OVPN_RACES_SEED:-1}" limit $((60 * OVPN_SLOW)) 2>&3
}

# with_each OP: beside itself and all that are behind it in the list
with_each()
{
	local a b

	while read -r a b; do
		[[ $a != "$1" ]] || race "$a" "$b"
	done < <("$STRESS" pairs)
}

# memory that the kernel uses for itself, in KiB
kernel_memory()
{
	awk '/^(SUnreclaim|KernelStack|Percpu):/ { sum += $2 }
	     END { print sum }' /proc/meminfo
}

# open_sockets: of TCP, of all namespaces, with those that nobody owns
open_sockets()
{
	sed -n 's/^TCP:.* orphan \([0-9]*\).* alloc \([0-9]*\).*/\1 \2/p' \
		/proc/net/sockstat
}

no_more_sockets()
{
	[[ $(open_sockets) == "$SOCKETS" ]]
}

no_more_memory()
{
	(($(kernel_memory) - MEMORY < 8192))
}

# settle: what is on its way out has gone
settle()
{
	[[ ! -d /sys/module/ovpn/holders ]] || {
		in_time $((20000 * OVPN_SLOW)) rmmod ovpn
		modprobe ovpn
	}
}

# What comes first takes memory that it does not give back
warm_up()
{
	race peer-new peer-del
	race tx link-del
	race dump netns-exit
	settle
	sleep 1
	MEMORY=$(kernel_memory)
	SOCKETS=$(open_sockets)
}

test_nothing_left()
{
	settle
	wait_for no_more_sockets
	# freed memory that is looked at for some time is no leak
	[[ $OVPN_SLOW == 1 ]] || skip "there is kmemleak for that"
	wait_for no_more_memory
	echo "KiB: $MEMORY, then $(kernel_memory)"
}

tests=()
while read -r op; do
	tests+=("${op//-/_}")
	eval "test_${op//-/_}() { with_each $op; }"
done < <("$STRESS" pairs | cut -d ' ' -f 1 | uniq)

warm_up
run_tests "${tests[@]}" nothing_left
