#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The device: how it is made, what it says of itself, who may have one.

set -euo pipefail
# shellcheck source=common.sh
. "$(dirname "$(readlink -e "$0")")/common.sh"

# link NS DEV FILTER: what ip knows
link()
{
	ip -n "$1" -d -j link show dev "$2" | jq -r ".[0]$3"
}

has_flag()
{
	link "$1" "$2" '.flags[]' | grep -qx "$3"
}

has_mode()
{
	local got

	got=$(cli "$A" link-get "$1")
	[[ $got == *" kind=ovpn mode=$2" ]] || die "$1 is no $2: $got"
}

test_kind_and_mode()
{
	make_ns A
	cli "$A" link-new tun0
	cli "$A" link-new tun1 mode p2p
	cli "$A" link-new tun2 mode mp
	has_mode tun0 p2p
	has_mode tun1 p2p
	has_mode tun2 mp
	equal "$(link "$A" tun2 .linkinfo.info_kind)" ovpn kind
}

test_kind_without_data()
{
	make_ns A
	ip -n "$A" link add tun0 type ovpn
	has_mode tun0 p2p
}

test_flags()
{
	local flags

	make_ns A
	cli "$A" link-new tun0
	flags=$(link "$A" tun0 '.flags | sort | join(" ")')
	equal "$flags" "NOARP POINTOPOINT" flags
	equal "$(link "$A" tun0 .link_type)" none "link type"
	ip -n "$A" link set tun0 up
	equal "$(link "$A" tun0 .qdisc)" noqueue qdisc
}

test_driver_info()
{
	local word

	make_ns A
	cli "$A" link-new tun0
	in_ns "$A" ethtool -i tun0 >"$T/info"
	cat "$T/info"
	for word in "driver: ovpn" "bus-info: ovpn" "supports-statistics: yes" \
		    "supports-priv-flags: yes" "supports-test: no"; do
		grep -qx "$word" "$T/info" || die "not there: $word"
	done
}

# There are no link-layer addresses
test_no_address()
{
	make_ns A
	refused "ovpn devices have no link-layer address" \
		ip -n "$A" link add tun0 address 02:00:00:00:00:01 type ovpn
	does_fail ip -n "$A" link show dev tun0 2>/dev/null
}

test_default_name()
{
	make_ns A
	cli "$A" link-new -
	cli "$A" link-new -
	has_mode ovpn0 p2p
	has_mode ovpn1 p2p
}

test_mtu_range()
{
	make_ns A
	cli "$A" link-new tun0
	equal "$(link "$A" tun0 .min_mtu)" 68 "smallest mtu"
	equal "$(link "$A" tun0 .max_mtu)" 65451 "largest mtu"
	refused "less than" ip -n "$A" link set tun0 mtu 67
	ip -n "$A" link set tun0 mtu 68
	ip -n "$A" link set tun0 mtu 65451
	refused "greater than" ip -n "$A" link set tun0 mtu 65452
}

# In P2P mode the carrier tells whether there is a peer
test_carrier_p2p()
{
	make_ns A
	hold "$A" a udp4 0.0.0.0 "$PORT"
	cli "$A" link-new tun0 mode p2p
	ip -n "$A" link set tun0 up
	has_flag "$A" tun0 NO-CARRIER || die "carrier without a peer"
	cli "$A" peer-new tun0 id 1 sock "$(sock a)" remote 10.0.0.2 "$PORT"
	wait_for has_flag "$A" tun0 LOWER_UP
	cli "$A" peer-new tun0 id 2 sock "$(sock a)" remote 10.0.0.2 "$PORT"
	wait_for has_flag "$A" tun0 LOWER_UP
	cli "$A" peer-del tun0 id 2
	wait_for has_flag "$A" tun0 NO-CARRIER
}

# A peer that was there before the device is up
test_carrier_p2p_up_later()
{
	make_ns A
	hold "$A" a udp4 0.0.0.0 "$PORT"
	cli "$A" link-new tun0 mode p2p
	cli "$A" peer-new tun0 id 1 sock "$(sock a)" remote 10.0.0.2 "$PORT"
	ip -n "$A" link set tun0 up
	wait_for has_flag "$A" tun0 LOWER_UP
}

test_carrier_mp()
{
	make_ns A
	cli "$A" link-new tun0 mode mp
	ip -n "$A" link set tun0 up
	wait_for has_flag "$A" tun0 LOWER_UP
}

test_invalid_mode()
{
	make_ns A
	refused "integer out of range (attribute linkinfo.data.mode)" \
		cli "$A" link-new tun0 mode 2
	refused "(attribute linkinfo.data.mode)" \
		cli "$A" link-new tun0 data mode:len=0
	does_fail ip -n "$A" link show dev tun0 2>/dev/null
}

# The mode is for life
test_mode_change()
{
	make_ns A
	cli "$A" link-new tun0 mode mp
	refused "" cli "$A" link-set tun0 mode p2p
	has_mode tun0 mp
}

# A client that restarts takes the name again at once
test_same_name_again()
{
	local i

	make_ns A
	hold "$A" a udp4 0.0.0.0 "$PORT"
	for ((i = 0; i < 10; i++)); do
		cli "$A" link-new tun0 mode p2p
		cli "$A" peer-new tun0 id "$i" sock "$(sock a)" \
			remote 10.0.0.2 "$PORT"
		key "$A" tun0 "$i" 0
		cli "$A" link-del tun0
	done
}

# Peers go with the namespace of their device
test_namespace_exit()
{
	make_ns A B
	hold "$A" a udp4 0.0.0.0 "$PORT"
	cli "$B" link-new tun0 mode p2p
	ip -n "$B" link set tun0 up
	cli "$B" peer-new tun0 id 1 sock "$(sock a)" remote 10.0.0.2 "$PORT"
	listen "$A" n
	cleanup_ns "$B"
	heard n peer-del-ntf id=1 del-reason=teardown
	# the socket is free again
	cli "$A" link-new tun0 mode p2p
	cli "$A" peer-new tun0 id 1 sock "$(sock a)" remote 10.0.0.2 "$PORT"
}

unload()
{
	[[ -d /sys/module/ovpn && -e /sys/module/ovpn/initstate ]] ||
		skip "ovpn is no module"
	wait_for rmmod ovpn 2>/dev/null
	[[ ! -d /sys/module/ovpn ]]
}

# OpenVPN asks for the family first of all
test_autoload_family()
{
	unload
	"$CLI" policy >/dev/null
	[[ -d /sys/module/ovpn ]]
}

test_autoload_link()
{
	make_ns A
	unload
	ip -n "$A" link add tun0 type ovpn || {
		"$CLI" policy >/dev/null
		die "no autoload by the kind of the link"
	}
	[[ -d /sys/module/ovpn ]]
}

# Root of a user namespace needs nothing from the machine's root
test_user_namespace()
{
	local sock

	unshare -Urn true 2>/dev/null || skip "no user namespaces"
	sock=$(sock u)
	unshare -Urn bash -e -s "$CLI" "$sock" <<-'EOS'
		cli=$1 sock=$2
		ip link set lo up
		"$cli" hold "$sock" udp4 127.0.0.1 1194 >/dev/null &
		trap "kill $!" EXIT
		for ((i = 0; i < 500; i++)); do
			[[ ! -S $sock ]] || break
			sleep 0.02
		done
		"$cli" link-new tun0 mode mp
		"$cli" peer-new tun0 id 1 sock "$sock" remote 127.0.0.2 1194 \
			vpn4 10.8.0.2
		"$cli" peer-set tun0 id 1 interval 10 timeout 20
		"$cli" key-new tun0 id 1 slot primary key-id 0 cipher aes-gcm \
			secret s dir 0
		"$cli" key-get tun0 id 1 slot primary
		"$cli" key-swap tun0 id 1
		"$cli" key-del tun0 id 1 slot secondary
		"$cli" peer-get tun0
		"$cli" peer-get tun0 id 1
		"$cli" peer-del tun0 id 1
		"$cli" link-del tun0
	EOS
}

# ... but not without the capability
test_no_capability()
{
	local cmd

	make_ns A
	cli "$A" link-new tun0 mode mp
	for cmd in peer-new peer-set peer-get "peer-get dump" peer-del \
		   key-new key-get key-swap key-del; do
		# shellcheck disable=SC2086 # two words
		refused "Operation not permitted" in_ns "$A" \
			setpriv --bounding-set -net_admin \
			--inh-caps -net_admin "$CLI" raw $cmd dev tun0
	done
}

run_tests kind_and_mode kind_without_data flags driver_info no_address \
	default_name mtu_range carrier_p2p carrier_p2p_up_later carrier_mp \
	invalid_mode mode_change same_name_again namespace_exit autoload_family autoload_link \
	user_namespace no_capability
