#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# What a program may expect of the socket that a device took over: a stream of
# control records, with all that TCP sockets have for waiting. The checks are in
# tcp-user*.c.

# shellcheck disable=SC2119 # arguments that are optional
set -euo pipefail
# shellcheck source=common.sh
. ./common.sh
# shellcheck source=traffic.sh
. ./traffic.sh
# shellcheck source=stream.sh
. ./stream.sh

# check NAME [WORD...]: in one process that has both ends
check()
{
	raw_words check what "$1" timeout 10 sock "$(sock a)" far "$(sock b)" \
		"${@:2}"
	timeout 120 "$TCP" "${RAW_WORDS[@]}"
	RAW_ID=$((RAW_ID + 1000))
}

# with buffers that are full soon
small()
{
	raw_end tcp4 p2p sndbuf 32768 rcvbuf 32768
	check "$@"
}

tests=()
for name in between-data edge fault fionread level options peek recv-blocks \
	    recv-flags send send-flags send-long send-torn senders splice \
	    stream vectors; do
	eval "test_${name//-/_}() { raw_end; check $name; }"
	tests+=("${name//-/_}")
done

for name in send-blocks send-edge send-exact; do
	eval "test_${name//-/_}() { small $name; }"
	tests+=("${name//-/_}")
done

# The peer ends with the stream, and says so
ended()
{
	raw_end "${2:-tcp4}"
	listen "$A" a
	check "$1"
	heard a peer-del-ntf id=1 del-reason=transport-disconnect
}

for name in end end-blocked half-record reset reset-blocked; do
	eval "test_${name//-/_}() { ended $name; }"
	tests+=("${name//-/_}")
done

# IPv6 sockets have functions of their own
test_ipv6()
{
	raw_end tcp6
	check stream
	check send
	check options
	check level seq 1
}

test_end_ipv6()
{
	ended end tcp6
}

# check_across NAME COMMAND...: the check waits while the command is run
check_across()
{
	raw_words check what "$1" timeout 10 sock "$(sock a)" far "$(sock b)"
	spawn check "$TCP" "${RAW_WORDS[@]}"
	said check waiting
	"${@:2}"
	kill -USR1 "${JOB_PID[check]}"
	finish check || { cat "$T/check.out"; die "$1"; }
}

# It may wait on the socket since before the device has it
test_before_attach()
{
	raw_sockets tcp4
	check_across before-attach raw_device p2p
}

# ... and until after that
test_after_detach()
{
	raw_end
	check_across detach-blocked cli "$A" peer-del tunA id 1
}

# The records behind it and those in front of it are whole, and in order
test_sending_after_detach()
{
	raw_end tcp4 p2p sndbuf 32768 rcvbuf 32768
	check_across detach-sending cli "$A" peer-del tunA id 1
}

# With what the device has not had room for the stream has not ended yet
test_reset_unread()
{
	local before

	raw_end
	raw_alive
	listen "$A" a
	before=$(sysctl -n net.core.netdev_max_backlog)
	defer sysctl -qw net.core.netdev_max_backlog="$before"
	sysctl -qw net.core.netdev_max_backlog=0
	check_across reset-unread sysctl -qw \
		net.core.netdev_max_backlog="$before"
	heard a peer-del-ntf id=1 del-reason=transport-disconnect
}

test_poll_after_detach()
{
	raw_end
	# a record that is not complete is nothing to read yet
	"$TCP" bytes sock "$(sock b)" hex 0009 >/dev/null
	spawn poll "$CLI" recv "$(sock a)" timeout 20
	wait_for sleeps "${JOB_PID[poll]}"
	cli "$A" peer-del tunA id 1
	finish poll || { cat "$T/poll.out"; die "poll"; }
	equal "$(cat "$T/poll.out")" "- - 0009" "bytes after the peer"
}

sleeps()
{
	[[ $(cut -d " " -f 3 "/proc/$1/stat") == S ]]
}

# Control records that nobody reads do not stop the data, and are counted
test_overflow()
{
	local lost

	raw_end
	check overflow
	lost=$(drops "$A" tunA)
	[[ $lost =~ ^rx_control_full=[0-9]+$ ]] || die "dropped: $lost"
}

run_tests "${tests[@]}" ipv6 end_ipv6 before_attach after_detach \
	sending_after_detach reset_unread poll_after_detach overflow
