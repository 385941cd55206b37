#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# TCP on a bad wire: what goes through the tunnel comes out as it was.

# shellcheck disable=SC2119 # arguments that are optional
set -euo pipefail
# shellcheck source=common.sh
. ./common.sh
# shellcheck source=traffic.sh
. ./traffic.sh
# shellcheck source=stream.sh
. ./stream.sh

require nc sha256sum

# carries NAME FROM TO ADDR PORT BYTES: a file, to be compared by its checksum
carries()
{
	head -c "$6" /dev/urandom >"$T/$1.in"
	spawn "$1" timeout 120 ip netns exec "$3" nc -l -N "$4" "$5"
	wait_for listening "$3" "$5"
	in_ns "$2" timeout 120 nc -N "$4" "$5" <"$T/$1.in" ||
		die "$1: nc to $4"
	finish "$1" || die "$1: nc"
	equal "$(sha256sum <"$T/$1.out")" "$(sha256sum <"$T/$1.in")" \
		"checksum of $1"
}

# over TRANSPORT BYTES NETEM-OPTION...
over()
{
	two_ends "$1"
	keys
	iperf_server "$B"
	pings "$A" 10.8.0.2
	tc -n "$A" qdisc replace dev veth root netem "${@:3}"
	tc -n "$B" qdisc replace dev veth root netem "${@:3}"
	# TCP repairs it all: no echo is lost. They are few, as the kernel has
	# no room for more answers of its own while TCP waits.
	steady there "$A" 10.8.0.2 1 -i 0.02 -W 20
	steady back "$B" fd08::1 1 -i 0.02 -W 20 -s 200
	user_start user talk count 200
	timeout 60 "$TCP" talk sock "$(sock b)" count 200 timeout 60 quiet \
		>"$T/talk"
	user_got user 200
	steady_end there
	steady_end back
	carries there "$A" "$B" 10.8.0.2 7001 "$2"
	carries back "$B" "$A" fd08::1 7002 "$2"
	no_drops
}

test_loss()
{
	over tcp4 2000000 loss 5%
}

test_loss_ipv6()
{
	over tcp6 2000000 loss 5%
}

test_disorder()
{
	over tcp4 2000000 delay 3ms 2ms reorder 30% 50%
}

test_everything()
{
	over tcp6 1000000 loss 2% duplicate 10% corrupt 1% delay 2ms 1ms
}

run_tests loss loss_ipv6 disorder everything
