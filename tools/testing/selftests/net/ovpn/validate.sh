#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Requests that are to be refused: every attribute of every command missing,
# too short, too long, out of range, read-only, unknown, and combinations that
# make no sense. Each is refused with an explanation and changes nothing. And
# requests that look odd but are to be accepted.

set -euo pipefail
# shellcheck source=common.sh
. "$(dirname "$(readlink -e "$0")")/common.sh"

# Errors as the C library calls them
EINVAL="Invalid argument"
ERANGE="Numerical result out of range"
ENOENT="No such file or directory"
ENODEV="No such device"
EEXIST="File exists"
EADDRINUSE="Address already in use"
EADDRNOTAVAIL="Cannot assign requested address"
EOPNOTSUPP="Operation not supported"
ANY_ERROR=""

# These make OpenVPN exit, so they must be true
DEADLY="$ENODEV|Cannot allocate memory|No buffer space available"

# Attributes by what they are
U32_NEW=(id remote-ipv4 remote-ipv6-scope-id socket vpn-ipv4 local-ipv4
	 keepalive-interval keepalive-timeout tx-id)
IP6=(remote-ipv6 vpn-ipv6 local-ipv6)
READ_ONLY=(socket-netnsid local-port del-reason vpn-rx-bytes vpn-tx-bytes
	   vpn-rx-packets vpn-tx-packets link-rx-bytes link-tx-bytes
	   link-rx-packets link-tx-packets)

# Two devices with a peer each: multi-peer "mp", "pp"; both down, so that no
# counter moves by itself
ready()
{
	make_ns A
	hold "$A" m udp4 0.0.0.0 1194
	hold "$A" p udp4 0.0.0.0 1195
	cli "$A" link-new mp mode mp
	cli "$A" link-new pp mode p2p
	cli "$A" peer-new mp id 1 sock "$(sock m)" remote 10.0.0.2 1194 \
		vpn4 10.8.0.2 vpn6 fd08::2 interval 1000 timeout 2000
	cli "$A" peer-new pp id 7 sock "$(sock p)" remote 10.0.0.3 1194
	key "$A" mp 1 0
	state >"$T/state"
	SOCK="socket:fd=$(sock m)"
	NEW="id=2,$SOCK,remote-ipv4=10.0.0.3,remote-port=3,vpn-ipv4=10.8.0.3"
	SET="id=1,remote-ipv4=10.0.0.3,remote-port=3"
	MATERIAL='{cipher-key:len=32,nonce-tail:len=8}'
	KEY="peer-id=1,slot=primary,key-id=5,cipher-alg=aes-gcm"
	DIRS="encrypt-dir$MATERIAL,decrypt-dir$MATERIAL"
}

# All that the refused requests could have changed
state()
{
	# shellcheck disable=SC2016 # expanded there
	in_ns "$A" bash -c '
		"$0" peer-get mp
		"$0" peer-get pp
		"$0" key-get mp id 1 slot primary
		"$0" key-get mp id 1 slot secondary
		true' "$CLI" 2>&1
}

# bad WANTED COMMAND...: refused with that error, with an explanation, without
# an effect
bad()
{
	local want=$1 error got rc=0; shift

	got=$(in_ns "$A" "$CLI" "$@" 2>&1) || rc=$?
	((rc)) || die "accepted: $*"
	# 2 is a mistake of ours
	((rc == 1)) || die "$got"
	# between the error and the attribute there may be a message
	error=${want%% (*}
	[[ $got == *": $error"* && $got == *"${want#"$error"}"* ]] ||
		die "got \"$got\", wanted \"$want\": $*"
	# ovpn-cli: COMMAND: error: explanation, or the attribute in brackets
	[[ $got =~ ^ovpn-cli:\ [^:]+:\ [^:\(]+(:\ .|\ \() ]] ||
		die "unexplained: $got: $*"
	[[ $want == "$ENODEV"* ]] ||
		[[ ! $got =~ $DEADLY ]] || die "deadly: $got: $*"
	state | diff "$T/state" - || die "changed the state: $*"
	REFUSED=$((REFUSED + 1))
}
REFUSED=0

# good COMMAND...: accepted; ready for the next
good()
{
	cli "$A" "$@"
}

# bad_peer WANTED COMMAND ATTRIBUTES: of the peer nest, to the device mp
bad_peer()
{
	bad "$1" raw "$2" dev mp "peer{$3}"
}

bad_new()
{
	bad_peer "$1" peer-new "$NEW,$2"
}

# good_peer COMMAND ATTRIBUTES: of the peer nest, to the device mp
good_peer()
{
	good raw "$1" dev mp "peer{$2}"
}

# new ATTRIBUTES [ID]: accepted, and taken away again
new()
{
	good_peer peer-new "id=${2:-2},$SOCK,$1"
	good peer-del mp id "${2:-2}"
}

# bad_p2p WANTED ATTRIBUTES: a new peer of the device pp
bad_p2p()
{
	bad "$1" raw peer-new dev pp "peer{id=8,$2}"
}

bad_key()
{
	bad "$1" raw "${3:-key-new}" dev mp "keyconf{$2}"
}

# Where it goes
test_ifindex()
{
	local cmd

	ready
	for cmd in peer-new peer-set peer-get "peer-get dump" peer-del \
		   key-new key-get key-swap key-del; do
		# shellcheck disable=SC2086 # two words
		{
			bad "$EINVAL (missing ifindex)" raw $cmd none
			bad "$EINVAL" raw $cmd none ifindex:u16=2
			bad "$EINVAL" raw $cmd none ifindex:u64=2
			bad "$EINVAL" raw $cmd ifindex 1
			bad "$ENODEV" raw $cmd ifindex 9999
			bad "$EINVAL" raw $cmd dev mp 9=00
		}
	done
	echo "$REFUSED refused"
}

# The nest with the object
test_nests()
{
	local cmd nest id

	ready
	for cmd in peer-new peer-set peer-get peer-del key-new key-get \
		   key-swap key-del; do
		[[ $cmd == peer* ]] && nest=peer id=id ||
			nest=keyconf id=peer-id
		bad "$EINVAL (missing $nest)" raw "$cmd" dev mp
		bad "$EINVAL (missing $nest.$id)" raw "$cmd" dev mp "$nest{}"
		bad "$EINVAL" raw "$cmd" dev mp "$nest:flat{$id=1}"
		bad "$EINVAL" raw "$cmd" dev mp "$nest:u32=1"
		bad "$ERANGE" raw "$cmd" dev mp "$nest{$id=0x1000000}"
		bad "$EINVAL" raw "$cmd" dev mp "$nest{$id:u16=1}"
		bad "$EINVAL" raw "$cmd" dev mp "$nest{$id:u64=1}"
		bad "$EINVAL" raw "$cmd" dev mp "$nest{$id=1,77=00}"
	done
	bad "$EINVAL" raw peer-get dump dev mp "peer{id=1}"
	bad "$EINVAL" raw peer-new dev mp "peer{$NEW}" "keyconf{peer-id=1}"
	bad "$EINVAL" raw key-swap dev mp "keyconf{peer-id=1}" "peer{id=1}"
	echo "$REFUSED refused"
}

# Notifications are no requests
test_commands()
{
	local cmd

	ready
	for cmd in 0 peer-del-ntf key-swap-ntf peer-float-ntf 12 200; do
		refused "$EOPNOTSUPP" cli "$A" raw "$cmd" dev mp "peer{id=1}"
	done
	state | diff "$T/state" -
}

test_peer_new_attributes()
{
	local attr

	ready
	bad_peer "$EINVAL (missing peer.socket)" peer-new "id=2"
	for attr in "${U32_NEW[@]}"; do
		bad_new "$EINVAL" "$attr:u16=1"
		bad_new "$EINVAL" "$attr:u64=1"
	done
	for attr in "${IP6[@]}"; do
		bad_new "$ERANGE" "$attr:len=15"
		bad_new "$ERANGE" "$attr:len=17"
	done
	bad_new "$EINVAL" remote-port:u8=1
	bad_new "$EINVAL" remote-port:u32=1
	bad_new "$ERANGE" remote-port=0
	bad_new "$ERANGE" id=0x1000000
	bad_new "$ERANGE" tx-id=0x1000000
	for attr in keepalive-interval keepalive-timeout; do
		bad_new "$ERANGE" "$attr=86401"
		bad_new "$ERANGE" "$attr=0xffffffff"
	done
	for attr in "${READ_ONLY[@]}" 25 99; do
		bad_new "$EINVAL" "$attr=01"
	done
	# what all of them began with is sound
	new "remote-ipv4=10.0.0.3,remote-port=3,vpn-ipv4=10.8.0.3"
	echo "$REFUSED refused"
}

test_peer_new_remote()
{
	local inner=vpn-ipv4=10.8.0.3 v4=remote-ipv4=10.0.0.3 base

	ready
	base="id=2,$SOCK,$inner"
	bad_peer "$EINVAL" peer-new "$base,$v4"
	bad_peer "$EINVAL" peer-new "$base,remote-ipv6=fd00::3"
	bad_peer "$EINVAL" peer-new "$base,remote-port=3"
	bad_new "$EINVAL" remote-ipv6=fd00::3
	bad_new "$EINVAL" remote-ipv6-scope-id=1
	bad_new "$EINVAL" local-ipv6=fd00::1
	bad_new "$EINVAL" local-ipv4=10.0.0.1,local-ipv6=fd00::1
	bad_peer "$EINVAL" peer-new "$base,local-ipv4=10.0.0.1"
	bad_peer "$EINVAL" peer-new \
		"$base,remote-ipv6=fd00::3,remote-port=3,local-ipv4=10.0.0.1"
	bad_peer "$EINVAL (missing peer.remote-ipv4)" peer-new "$base"
	bad_peer "$EINVAL: remote-ipv6: the socket is of IPv4" peer-set \
		id=1,remote-ipv6=fd00::3,remote-port=3
	hold "$A" only6 udp6 :: 1197 v6only
	bad_peer "$EINVAL: remote-ipv4: the socket is of IPv6 only" peer-new \
		"id=2,socket:fd=$(sock only6),$inner,$v4,remote-port=3"
	hold "$A" six udp6 :: 1196
	SOCK="socket:fd=$(sock six)"
	new "$inner,remote-ipv6=fd00::3,remote-port=3,remote-ipv6-scope-id=0"
	new "$inner,remote-ipv6=fd00::3,remote-port=3,local-ipv6=fd00::1"
	new "$inner,$v4,remote-port=3,local-ipv4=10.0.0.1"
	new "$inner,remote-ipv6=::ffff:10.0.0.3,remote-port=65535"
	echo "$REFUSED refused"
}

# Each end is one host
test_unicast()
{
	local ip set=id=1,remote-port=3

	ready
	for ip in ipv4={0.0.0.0,224.0.0.1,255.255.255.255} ipv6={::,ff02::1}; do
		bad_peer "$EINVAL: remote-${ip%=*}: not a unicast address" \
			peer-set "$set,remote-$ip"
	done
	for ip in local-ipv4={224.0.0.1,255.255.255.255}; do
		bad_new "$EINVAL: local-ipv4: not a unicast address" "$ip"
	done
	bad_peer "$EINVAL: local-ipv6: not a unicast address" peer-set \
		"$set,remote-ipv6=fd00::3,local-ipv6=ff02::1"
	echo "$REFUSED refused"
}

test_peer_new_vpn_address()
{
	local addr base remote=remote-ipv4=10.0.0.3,remote-port=3

	ready
	base="id=2,$SOCK,$remote"
	bad_peer "$EINVAL" peer-new "$base"
	# "any" is none
	bad_peer "$EINVAL" peer-new "$base,vpn-ipv4=0.0.0.0"
	bad_peer "$EINVAL" peer-new "$base,vpn-ipv6=::"
	for addr in 127.0.0.1 127.8.8.8 224.0.0.1 239.1.1.1 255.255.255.255; do
		bad_peer "$EADDRNOTAVAIL" peer-new "$base,vpn-ipv4=$addr"
	done
	for addr in ::1 ff02::1 ::ffff:10.8.0.3; do
		bad_peer "$EADDRNOTAVAIL" peer-new "$base,vpn-ipv6=$addr"
		# also beside a good one
		bad_peer "$EADDRNOTAVAIL" peer-new \
			"$base,vpn-ipv4=10.8.0.3,vpn-ipv6=$addr"
	done
	bad_peer "$EADDRINUSE" peer-new "$base,vpn-ipv4=10.8.0.2"
	bad_peer "$EADDRINUSE" peer-new "$base,vpn-ipv6=fd08::2"
	bad_peer "$EADDRINUSE" peer-new \
		"$base,vpn-ipv4=10.8.0.3,vpn-ipv6=fd08::2"
	new "$remote,vpn-ipv4=10.8.0.3"
	new "$remote,vpn-ipv6=fd08::3"
	new "$remote,vpn-ipv4=10.8.0.3,vpn-ipv6=fd08::3"
	# an address that was given back
	new "$remote,vpn-ipv4=10.8.0.3,vpn-ipv6=fd08::3"
	echo "$REFUSED refused"
}

test_peer_new_id()
{
	local rest=remote-ipv4=10.0.0.3,remote-port=3,vpn-ipv4=10.8.0.3

	ready
	bad_peer "$EEXIST" peer-new "id=1,$SOCK,$rest"
	new "tx-id=0xffffff,$rest" 0xffffff
	new "tx-id=0,$rest" 0
	state | diff "$T/state" -
}

test_peer_new_socket()
{
	local inner=vpn-ipv4=10.8.0.3 v4=remote-ipv4=10.0.0.3,remote-port=3 sock

	ready
	hold "$A" local unix
	hold "$A" plain file
	bad_peer "$ANY_ERROR" peer-new "id=2,socket=999,$v4,$inner"
	bad_peer "$ANY_ERROR" peer-new "id=2,socket=0xffffffff,$v4,$inner"
	for sock in local plain; do
		bad_peer "$ANY_ERROR" peer-new \
			"id=2,socket:fd=$(sock $sock),$v4,$inner"
	done
	# another device has it
	bad_peer "$ANY_ERROR" peer-new "id=2,socket:fd=$(sock p),$v4,$inner"
	# a P2P device keeps its peer when the new one is refused
	bad_p2p "$ANY_ERROR" "socket:fd=$(sock local),$v4"
	bad_p2p "$ANY_ERROR" "$SOCK,$v4"
	echo "$REFUSED refused"
}

# A TCP socket knows its addresses: none is asked for, and what comes is ignored
test_peer_new_tcp()
{
	local inner=vpn-ipv4=10.8.0.3 words

	ready
	hold "$A" tcp tcp4 127.0.0.1 1196
	SOCK="socket:fd=$(sock tcp)"
	bad_peer "$EINVAL" peer-new "id=2,$SOCK"
	bad_peer "$EADDRINUSE" peer-new "id=2,$SOCK,vpn-ipv4=10.8.0.2"
	bad_peer "$EEXIST" peer-new "id=1,$SOCK,$inner"
	bad_peer "$ERANGE" peer-new "id=2,$SOCK,$inner,remote-ipv6:len=15"
	bad_peer "$EINVAL" peer-new "id=2,$SOCK,$inner,remote-port:u32=1"
	for words in "" ,remote-ipv4=10.0.0.3,remote-port=3 \
		     ,remote-ipv6=fd00::3,remote-port=3 \
		     ,local-ipv4=10.0.0.3 ,local-ipv6=fd00::3; do
		good_peer peer-new "id=2,$SOCK,$inner$words"
		good_peer peer-set "id=2$words"
		good_peer peer-del "id=2"
	done
	echo "$REFUSED refused"
}

test_peer_set()
{
	local attr

	ready
	bad_peer "$ENOENT" peer-set "id=9"
	bad "$ENOENT" raw peer-set dev pp "peer{id=1}"
	bad_peer "$ENOENT" peer-set \
		"id=9,keepalive-interval=1,keepalive-timeout=2"
	for attr in "${U32_NEW[@]}"; do
		bad_peer "$EINVAL" peer-set "$SET,$attr:u16=1"
		bad_peer "$EINVAL" peer-set "$SET,$attr:u64=1"
	done
	for attr in "${IP6[@]}"; do
		bad_peer "$ERANGE" peer-set "$SET,$attr:len=15"
		bad_peer "$ERANGE" peer-set "$SET,$attr:len=17"
	done
	bad_peer "$EINVAL" peer-set "$SET,$SOCK"
	for attr in "${READ_ONLY[@]}" 25 99; do
		bad_peer "$EINVAL" peer-set "$SET,$attr=01"
	done
	bad_peer "$EINVAL" peer-set "$SET,remote-port:u32=1"
	bad_peer "$ERANGE" peer-set "$SET,remote-port=0"
	bad_peer "$ERANGE" peer-set "$SET,tx-id=0x1000000"
	bad_peer "$ERANGE" peer-set "$SET,keepalive-interval=86401"
	bad_peer "$ERANGE" peer-set "$SET,keepalive-timeout=86401"
	bad_peer "$EINVAL" peer-set "id=1,remote-ipv4=10.0.0.9"
	bad_peer "$EINVAL" peer-set "id=1,remote-port=9"
	bad_peer "$EINVAL" peer-set "$SET,remote-ipv6=fd00::3"
	bad_peer "$EINVAL" peer-set "$SET,remote-ipv6-scope-id=1"
	bad_peer "$EINVAL" peer-set "$SET,local-ipv6=fd00::1"
	bad_peer "$EADDRNOTAVAIL" peer-set "id=1,vpn-ipv4=127.0.0.1"
	bad_peer "$EADDRNOTAVAIL" peer-set "id=1,vpn-ipv4=224.0.0.1"
	bad_peer "$EADDRNOTAVAIL" peer-set "id=1,vpn-ipv6=::1"
	bad_peer "$EADDRNOTAVAIL" peer-set "id=1,vpn-ipv6=ff02::1"
	# a bad end does not leave a good beginning behind
	bad_peer "$EADDRNOTAVAIL" peer-set \
		"$SET,keepalive-interval=9,keepalive-timeout=9,vpn-ipv6=ff02::1"
	bad_peer "$EINVAL" peer-set "id=1,vpn-ipv4=0.0.0.0,vpn-ipv6=::"
	echo "$REFUSED refused"
}

# The address of another peer, and what changing one's own frees
test_peer_set_vpn_address()
{
	local remote=remote-ipv4=10.0.0.3,remote-port=3

	ready
	good_peer peer-new \
		"id=2,$SOCK,$remote,vpn-ipv4=10.8.0.3,vpn-ipv6=fd08::3"
	state >"$T/state"
	bad_peer "$EADDRINUSE" peer-set "id=2,vpn-ipv4=10.8.0.2"
	bad_peer "$EADDRINUSE" peer-set "id=2,vpn-ipv6=fd08::2"
	bad_peer "$EADDRINUSE" peer-set \
		"id=2,vpn-ipv4=10.8.0.9,vpn-ipv6=fd08::2"
	# its own again is no duplicate
	good_peer peer-set "id=2,vpn-ipv4=10.8.0.3"
	state | diff "$T/state" -
	good_peer peer-set "id=2,vpn-ipv4=10.8.0.4"
	good_peer peer-set "id=1,vpn-ipv4=10.8.0.3"
	equal "$(peer_value "$A" mp 1 vpn-ipv4)" 10.8.0.3 "address of peer 1"
	equal "$(peer_value "$A" mp 2 vpn-ipv4)" 10.8.0.4 "address of peer 2"
	good_peer peer-set "id=1,vpn-ipv6=::"
	good_peer peer-set "id=2,vpn-ipv6=fd08::2"
}

# What can be set reads back
test_peer_set_values()
{
	ready
	good_peer peer-set "id=1"
	state | diff "$T/state" -
	good peer-set mp id 1 tx-id 0xabcdef remote 10.0.0.77 7777 \
		local 10.0.0.1 interval 11 timeout 22
	equal "$(peer_value "$A" mp 1 tx-id)" $((0xabcdef)) tx-id
	equal "$(peer_value "$A" mp 1 remote-ipv4)" 10.0.0.77 remote-ipv4
	equal "$(peer_value "$A" mp 1 remote-port)" 7777 remote-port
	equal "$(peer_value "$A" mp 1 local-ipv4)" 10.0.0.1 local-ipv4
	equal "$(peer_value "$A" mp 1 keepalive-interval)" 11 interval
	equal "$(peer_value "$A" mp 1 keepalive-timeout)" 22 timeout
	equal "$(peer_value "$A" mp 1 vpn-ipv4)" 10.8.0.2 vpn-ipv4
	good peer-set mp id 1 interval 86400 timeout 86400
	equal "$(peer_value "$A" mp 1 keepalive-interval)" 86400 interval
	equal "$(peer_value "$A" mp 1 tx-id)" $((0xabcdef)) tx-id
}

test_peer_get_and_del()
{
	local cmd attr

	ready
	for cmd in peer-get peer-del; do
		bad_peer "$ENOENT" "$cmd" id=9
		bad "$ENOENT" raw "$cmd" dev pp "peer{id=1}"
		for attr in remote-ipv4=10.0.0.2 remote-port=3 \
			    vpn-ipv4=10.8.0.2 tx-id=1 del-reason=0; do
			bad_peer "$EINVAL" "$cmd" "id=1,$attr"
		done
	done
	bad_peer "$EINVAL" peer-get id=1,link-rx-bytes=1
	bad_peer "$EINVAL" peer-get id=1,socket=1
	echo "$REFUSED refused"
}

test_key_new_attributes()
{
	local attr dir other

	ready
	bad_key "$EINVAL (missing keyconf.slot)" \
		"peer-id=1,key-id=5,cipher-alg=aes-gcm,$DIRS"
	bad_key "$EINVAL (missing keyconf.key-id)" \
		"peer-id=1,slot=primary,cipher-alg=aes-gcm,$DIRS"
	bad_key "$EINVAL (missing keyconf.cipher-alg)" \
		"peer-id=1,slot=primary,key-id=5,$DIRS"
	for attr in peer-id slot key-id cipher-alg; do
		bad_key "$EINVAL" "$KEY,$DIRS,$attr:u8=1"
		bad_key "$EINVAL" "$KEY,$DIRS,$attr:u16=1"
		bad_key "$EINVAL" "$KEY,$DIRS,$attr:u64=1"
	done
	bad_key "$ERANGE" "$KEY,$DIRS,slot=2"
	bad_key "$ERANGE" "$KEY,$DIRS,key-id=8"
	bad_key "$ERANGE" "$KEY,$DIRS,cipher-alg=3"
	bad_key "$EINVAL" "$KEY,$DIRS,7=00"
	bad_key "$ENOENT" "peer-id=9,slot=0,key-id=5,cipher-alg=1,$DIRS"
	for dir in encrypt-dir decrypt-dir; do
		[[ $dir == encrypt-dir ]] && other=decrypt-dir ||
			other=encrypt-dir
		attr="$KEY,$other$MATERIAL"
		bad_key "$EINVAL (missing keyconf.$dir)" "$attr"
		bad_key "$EINVAL (missing keyconf.$dir.cipher-key)" \
			"$attr,$dir{nonce-tail:len=8}"
		bad_key "$EINVAL (missing keyconf.$dir.nonce-tail)" \
			"$attr,$dir{cipher-key:len=32}"
		bad_key "$EINVAL" "$attr,$dir{}"
		bad_key "$EINVAL" "$attr,$dir:flat$MATERIAL"
		attr+=",$dir{cipher-key:len"
		bad_key "$ERANGE" "$attr=32,nonce-tail:len=7}"
		bad_key "$ERANGE" "$attr=32,nonce-tail:len=9}"
		bad_key "$ERANGE" "$attr=257,nonce-tail:len=8}"
		bad_key "$EINVAL" "$attr=32,nonce-tail:len=8,3=00}"
	done
	echo "$REFUSED refused"
}

# bad_length CIPHER BYTES [BYTES]: of the keys to encrypt and to decrypt
bad_length()
{
	local e="{cipher-key:len=$2,nonce-tail:len=8}"
	local d="{cipher-key:len=${3:-$2},nonce-tail:len=8}"
	local key=peer-id=1,slot=primary,key-id=5

	bad_key "$EINVAL" "$key,cipher-alg=$1,encrypt-dir$e,decrypt-dir$d"
}

test_key_new_cipher()
{
	local bytes

	ready
	# it would protect nothing
	bad_key "$EINVAL" "peer-id=1,slot=0,key-id=5,cipher-alg=none,$DIRS"
	for bytes in 0 1 15 17 23 25 31 33 64 256; do
		bad_length aes-gcm $bytes
	done
	for bytes in 0 16 24 31 33; do
		bad_length chacha20-poly1305 $bytes
	done
	# one good key does not make two
	bad_length aes-gcm 32 31
	bad_length aes-gcm 31 32
	echo "$REFUSED refused"
}

test_key_others()
{
	local slot

	ready
	bad_key "$EINVAL (missing keyconf.slot)" peer-id=1 key-get
	bad_key "$EINVAL (missing keyconf.slot)" peer-id=1 key-del
	for slot in u8=1 u16=1 u64=1; do
		bad_key "$EINVAL" "peer-id=1,slot:$slot" key-get
		bad_key "$EINVAL" "peer-id=1,slot:$slot" key-del
	done
	bad_key "$ERANGE" peer-id=1,slot=2 key-get
	bad_key "$ERANGE" peer-id=1,slot=2 key-del
	bad_key "$ENOENT" peer-id=9,slot=0 key-get
	bad_key "$ENOENT" peer-id=9,slot=0 key-del
	bad_key "$ENOENT" peer-id=9 key-swap
	bad_key "$ENOENT" peer-id=1,slot=1 key-get
	bad_key "$EINVAL" peer-id=1,slot=0,key-id=0 key-del
	bad_key "$EINVAL" peer-id=1,slot=0,cipher-alg=1 key-del
	bad_key "$EINVAL" peer-id=1,slot=0 key-swap
	bad_key "$EINVAL" "peer-id=1,slot=0,encrypt-dir$MATERIAL" key-get
	echo "$REFUSED refused"
}

# Clients do all these, and an error would make them restart
test_tolerated()
{
	ready
	good key-del mp id 1 slot secondary
	good key-del mp id 1 slot primary
	good key-del mp id 1 slot primary
	good key-swap mp id 1
	good raw key-new dev mp "keyconf{$KEY,$DIRS}"
	good raw key-new dev mp "keyconf{$KEY,$DIRS,key-id=6}"
	equal "$(cli "$A" key-get mp id 1 slot primary)" \
		"peer-id=1 slot=primary key-id=6 cipher-alg=aes-gcm" \
		"the replaced key"
	good peer-new pp id 8 sock "$(sock p)" remote 10.0.0.4 1194
	refused "$ENOENT" cli "$A" peer-get pp id 7
	equal "$(cli "$A" peer-get pp | wc -l)" 1 "peers of the P2P device"
	# the same id again
	good peer-new pp id 8 sock "$(sock p)" remote 10.0.0.5 1194
	equal "$(peer_value "$A" pp 8 remote-ipv4)" 10.0.0.5 "remote address"
}

test_keepalive_one_sided()
{
	local rest

	ready
	good peer-set pp id 7 interval 10
	equal "$(peer_value "$A" pp 7 keepalive-interval)" 10 interval
	equal "$(peer_value "$A" pp 7 keepalive-timeout)" 0 timeout
	good peer-set pp id 7 timeout 1000
	equal "$(peer_value "$A" pp 7 keepalive-interval)" 10 interval
	equal "$(peer_value "$A" pp 7 keepalive-timeout)" 1000 timeout
	good peer-set pp id 7 interval 0
	equal "$(peer_value "$A" pp 7 keepalive-interval)" 0 interval
	equal "$(peer_value "$A" pp 7 keepalive-timeout)" 1000 timeout
	rest="remote-ipv4=10.0.0.3,remote-port=3,vpn-ipv4=10.8.0.3"
	new "$rest,keepalive-interval=5"
	new "$rest,keepalive-timeout=5"
}

run_tests ifindex nests commands peer_new_attributes peer_new_remote unicast \
	peer_new_vpn_address peer_new_id peer_new_socket peer_new_tcp \
	peer_set peer_set_vpn_address peer_set_values peer_get_and_del \
	key_new_attributes key_new_cipher key_others tolerated \
	keepalive_one_sided
