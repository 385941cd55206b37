#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Memory that lacks, for each allocation of each command in turn. What fails says
# so and has changed nothing, and everything goes in time.

set -euo pipefail
# shellcheck source=common.sh
. ./common.sh

STRESS=$OVPN_BIN/ovpn-stress
require "$STRESS"
# shellcheck source=lacking.sh
. ./lacking.sh

# each_fault OP TRANSPORT...: over each of these, with both modes
each_fault()
{
	local transport mode

	for transport in "${@:2}"; do
		for mode in p2p mp; do
			echo "$transport $mode"
			"$STRESS" fault "$1" "$transport" "$mode" \
				limit $((60 * OVPN_SLOW))
		done
	done
}

test_peer_new()
{
	each_fault peer-new udp tcp
}

test_peer_set()
{
	each_fault peer-set udp tcp
}

test_peer_del()
{
	each_fault peer-del udp tcp
}

test_key_new()
{
	each_fault key-new udp
}

test_key_swap()
{
	each_fault key-swap udp
}

test_key_del()
{
	each_fault key-del udp
}

test_dump()
{
	each_fault dump udp tcp
}

test_send()
{
	each_fault tx udp tcp
}

test_control()
{
	each_fault control tcp
}

test_link_new()
{
	# with all that a device of the other mode allocates, and the table
	"$STRESS" fault link-new udp mp limit $((60 * OVPN_SLOW))
}

test_link_del()
{
	each_fault link-del udp tcp
}

test_load()
{
	[[ -d /sys/module/ovpn/holders ]] || skip "ovpn is built in"
	"$STRESS" fault load udp p2p limit $((60 * OVPN_SLOW))
}

run_tests peer_new peer_set peer_del key_new key_swap key_del dump send control \
	link_new link_del load
