#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Datagrams that no honest peer sends: nothing gets in, nothing changes, and the
# tunnel goes on.

set -euo pipefail
# shellcheck source=common.sh
. ./common.sh
# shellcheck source=traffic.sh
. ./traffic.sh

# A with a peer that is ovpn-frames; what comes out of the tunnel is counted
besieged()
{
	one_end "$@"
	count_packets "$A" in prerouting iifname tunA
	fr ping count 3 quiet
	STATE=$(state)
	CAME_IN=$(counted "$A" in)
}

# all of a peer that must not change; what comes from it is no proof of life
# and no packet
state()
{
	cli "$A" peer-get tunA id 1 | tr ' ' '\n' | grep -v ^link-rx-
	cli "$A" key-get tunA id 1 slot primary
}

# nothing_happened: and the tunnel works, from packet id $1 on
nothing_happened()
{
	equal "$(counted "$A" in)" "$CAME_IN" "packets that came in"
	equal "$(state)" "$STATE" "state of the peer"
	fr ping count 3 quiet pkt-id "$1"
	STATE=$(state)
	CAME_IN=$(counted "$A" in)
}

# refused_all COMMAND...: A drops and counts each of the datagrams
refused_all()
{
	local dropped sent

	dropped=$(link_stat "$A" tunA rx dropped)
	sent=$(fr "$@")
	echo "$1: $sent"
	equal $(($(link_stat "$A" tunA rx dropped) - dropped)) \
		"${sent#sent=}" "dropped of: $*"
}

unauthentic()
{
	besieged "$1" "${@:2}"
	refused_all lengths size 200 pkt-id 100
	refused_all classes opcode 9
	refused_all classes opcode 6
	refused_all bitflip pkt-id 200
	refused_all bitflip pkt-id 300 size 0
	refused_all send secret wrong pkt-id 400 count 20
	refused_all send key-id 1 pkt-id 400 count 20
	refused_all send peer-id 2 pkt-id 400 count 20
	refused_all send peer-id 0 pkt-id 400
	refused_all send pkt-id 0
	refused_all send dir 0 pkt-id 400 count 5
	# all of them with ids that are new: a forged id must not move the window
	refused_all send secret wrong ids 1000000-1000010,4294967295
	nothing_happened 500
}

test_unauthentic_p2p()
{
	unauthentic udp4
}

test_unauthentic_mp()
{
	unauthentic udp6 mp
}

test_flood()
{
	besieged udp4
	refused_all flood count 20000 pkt-id 3
	nothing_happened 100
}

# the right cipher, with the wrong key length and the wrong algorithm
test_other_cipher()
{
	besieged udp4
	refused_all send bits 128 pkt-id 100 count 5
	refused_all send cipher chacha20-poly1305 pkt-id 100 count 5
	nothing_happened 100
}

# from somebody else's address, with and without the peer's keys
test_other_source()
{
	besieged udp4
	ip -n "$B" addr add 10.0.0.3/24 dev veth
	refused_all send raw from 10.0.0.3 "$PORT" secret wrong pkt-id 100
	refused_all send raw from 10.0.0.3 "$PORT" ids 1-3
	# in the peer's name
	refused_all send raw secret wrong pkt-id 100
	nothing_happened 100
}

# Authentic, but no packet inside: a broken peer. Nobody gets any of it; the
# counters may say that it was opened
test_broken_inside()
{
	besieged udp4
	count_packets "$A" whole input iifname tunA
	in_ns "$A" nft reset counters >/dev/null
	fr trunc-inner pkt-id 100
	counts "$A" whole 0 || die "cut packets were delivered"
	fr garbage size 0 pkt-id 1000
	refused_all send inner empty pkt-id 2000 count 5
	fr garbage size 19 pkt-id 3000
	fr garbage size 39 pkt-id 4000
	fr garbage size 1300 pkt-id 5000
	counts "$A" whole 0 || die "garbage was delivered"
	fr ping count 3 quiet pkt-id 6000
}

# got N: packets that came in since the last call
got()
{
	equal $(($(counted "$A" in) - CAME_IN)) "$1" "accepted of $2"
	CAME_IN=$(counted "$A" in)
}

# ids LIST N: send these packet ids, N of them get in
ids()
{
	fr send ids "$1" >/dev/null
	got "$2" "ids $1"
}

test_replay_window()
{
	besieged udp4
	in_ns "$A" nft add chain inet ovpn_test quiet \
		'{ type filter hook input priority 0; }'
	in_ns "$A" nft add rule inet ovpn_test quiet udp dport 4000 drop
	ids 10-19 10
	ids 10-19 0
	ids 30,25,26,24,28,27,29 7
	ids 24-30 0
	ids 20-23 4
	ids 1-30 6
	# far ahead; at least the last 2048 stay open, each once
	ids 5000 1
	ids 2953-4999 2047
	ids 2953-5000 0
	ids 19,1 0
	# the window moves by one
	ids 5001,5001 1
	# a jump by more than any window: nothing old is valid
	ids 500000 1
	ids 5001,5002,4000 0
	ids 499999 1
	ids 500000,499999 0
	# the last id of all
	ids 4294967295 1
	ids 4294967295,0,1 0
}

# each key has a window of its own
test_replay_window_per_key()
{
	besieged udp4
	in_ns "$A" nft add chain inet ovpn_test quiet \
		'{ type filter hook input priority 0; }'
	in_ns "$A" nft add rule inet ovpn_test quiet udp dport 4000 drop
	ids 100-109 10
	key "$A" tunA 1 0 new secondary 1
	fr send key-id 1 secret new ids 1-10 >/dev/null
	got 10 "ids of the new key"
	fr send key-id 1 secret new ids 1-10 >/dev/null
	got 0 "ids of the new key, again"
	ids 100-109 0
	ids 110 1
	cli "$A" key-swap tunA id 1
	ids 110 0
	ids 111 1
}

run_tests unauthentic_p2p unauthentic_mp flood other_cipher other_source \
	broken_inside replay_window replay_window_per_key
