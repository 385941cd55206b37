#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# shellcheck disable=SC2119 # two_ends without arguments is as it should be
#
# The two key slots of a peer: what is in them, which sends, which receives.

set -euo pipefail
# shellcheck source=common.sh
. "$(dirname "$(readlink -e "$0")")/common.sh"

PING=10.8.0.2

# slot NS DEV SLOT WANTED: the whole answer, so no secret is in it
slot()
{
	equal "$(cli "$1" key-get "$2" id 1 slot "$3")" \
		"peer-id=1 slot=$3 $4" "$3 of $2"
}

empty()
{
	refused "No such file or directory" cli "$1" key-get "$2" id 1 slot "$3"
}

swap()
{
	cli "$A" key-swap tunA id 1
	cli "$B" key-swap tunB id 1
}

test_contents()
{
	two_ends
	empty "$A" tunA primary
	key "$A" tunA 1 0 s primary 3 aes-gcm 128
	key "$A" tunA 1 0 s secondary 7 chacha20-poly1305
	slot "$A" tunA primary "key-id=3 cipher-alg=aes-gcm"
	slot "$A" tunA secondary "key-id=7 cipher-alg=chacha20-poly1305"
}

test_ciphers()
{
	local cipher

	two_ends
	for cipher in "aes-gcm 128" "aes-gcm 192" "aes-gcm 256" \
		      "chacha20-poly1305 256"; do
		# shellcheck disable=SC2086 # two words
		keys "$cipher" primary 0 $cipher
		pings "$A" "$PING"
	done
}

test_no_key()
{
	two_ends
	no_pings "$A" "$PING"
	keys
	pings "$A" "$PING"
}

test_wrong_key()
{
	two_ends
	key "$A" tunA 1 0 one
	key "$B" tunB 1 1 two
	no_pings "$A" "$PING"
}

# Both ends encrypt with what the other does not decrypt
test_wrong_direction()
{
	two_ends
	key "$A" tunA 1 0
	key "$B" tunB 1 0
	no_pings "$A" "$PING"
}

test_swap()
{
	two_ends
	keys one primary 0
	keys two secondary 1
	swap
	slot "$A" tunA primary "key-id=1 cipher-alg=aes-gcm"
	slot "$A" tunA secondary "key-id=0 cipher-alg=aes-gcm"
	pings "$A" "$PING"
	cli "$A" key-del tunA id 1 slot secondary
	cli "$B" key-del tunB id 1 slot secondary
	pings "$A" "$PING"
}

# The primary key goes down to an empty slot, and comes back
test_swap_one_key()
{
	two_ends
	keys
	cli "$A" key-swap tunA id 1
	empty "$A" tunA primary
	slot "$A" tunA secondary "key-id=0 cipher-alg=aes-gcm"
	no_pings "$A" "$PING"
	cli "$A" key-swap tunA id 1
	pings "$A" "$PING"
}

# One end sends with the other's secondary key, in both directions
test_receive_with_either()
{
	two_ends
	keys one primary 2
	keys two secondary 3
	cli "$B" key-swap tunB id 1
	pings "$A" "$PING"
	# the key that B sends with is really the other one
	cli "$A" key-del tunA id 1 slot secondary
	no_pings "$A" "$PING"
}

# A packet finds its key by the key id, not by the slot
test_unknown_key_id()
{
	two_ends
	key "$A" tunA 1 0 s primary 1
	key "$B" tunB 1 1 s primary 2
	no_pings "$A" "$PING"
	key "$B" tunB 1 1 s secondary 1
	cli "$B" key-swap tunB id 1
	pings "$A" "$PING"
}

test_delete_primary()
{
	two_ends
	keys
	pings "$A" "$PING"
	cli "$A" key-del tunA id 1 slot primary
	empty "$A" tunA primary
	no_pings "$A" "$PING"
}

test_delete_secondary()
{
	two_ends
	keys one primary 0
	keys two secondary 1
	cli "$A" key-del tunA id 1 slot secondary
	empty "$A" tunA secondary
	pings "$A" "$PING"
}

# User space clears both slots without asking what is in them
test_delete_empty()
{
	two_ends
	cli "$A" key-del tunA id 1 slot primary
	cli "$A" key-del tunA id 1 slot secondary
	keys
	cli "$A" key-del tunA id 1 slot secondary
	pings "$A" "$PING"
}

test_swap_empty()
{
	two_ends
	cli "$A" key-swap tunA id 1
	keys
	pings "$A" "$PING"
}

test_replace()
{
	two_ends
	keys one primary 0
	keys two primary 5 chacha20-poly1305
	slot "$A" tunA primary "key-id=5 cipher-alg=chacha20-poly1305"
	pings "$A" "$PING"
	keys three secondary 6
	keys four secondary 7
	slot "$A" tunA secondary "key-id=7 cipher-alg=aes-gcm"
	swap
	pings "$A" "$PING"
}

# As a server does it, through all key ids and round again
test_rekey_idle()
{
	local i

	two_ends
	keys 0 primary 0
	for ((i = 1; i <= 9; i++)); do
		keys "$i" secondary $((i % 8))
		pings "$A" "$PING" -c 1
		swap
		pings "$A" "$PING" -c 1
		cli "$A" key-del tunA id 1 slot secondary
		cli "$B" key-del tunB id 1 slot secondary
	done
	slot "$A" tunA primary "key-id=1 cipher-alg=aes-gcm"
	pings "$A" "$PING"
}

# Each end changes its own sending key in its own time
test_rekey_one_by_one()
{
	two_ends
	keys one primary 0
	keys two secondary 1
	cli "$A" key-swap tunA id 1
	pings "$A" "$PING"
	cli "$B" key-swap tunB id 1
	pings "$A" "$PING"
}

# Keys go with their peer
test_new_peer_has_none()
{
	two_ends
	keys
	cli "$A" peer-del tunA id 1
	cli "$A" peer-new tunA id 1 sock "$(sock a)" remote 10.0.0.2 "$PORT"
	empty "$A" tunA primary
	empty "$A" tunA secondary
	no_pings "$A" "$PING"
}

run_tests contents ciphers no_key wrong_key wrong_direction swap swap_one_key \
	receive_with_either unknown_key_id delete_primary delete_secondary \
	delete_empty swap_empty replace rekey_idle rekey_one_by_one \
	new_peer_has_none
