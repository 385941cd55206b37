#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# A thousand peers that come and go under traffic, and memory that stays as it
# is. OVPN_SOAK=SECONDS tells for how long (30), OVPN_SOAK_PEERS how many.

# shellcheck disable=SC2119 # arguments that are optional
set -euo pipefail
# shellcheck source=common.sh
. ./common.sh
# shellcheck source=traffic.sh
. ./traffic.sh

require python3 flock
SPEC=$OVPN_DIR/../../../../../Documentation/netlink/specs/ovpn.yaml
: "${OVPN_SOAK:=30}"
: "${OVPN_SOAK_PEERS:=1000}"

# what is to be seen while the test runs
exec 3>&1

# one of the hosts of soak.py; its VPN addresses are all in it, own prefix $3
server()
{
	cli "$1" link-new "$2" mode mp
	ip -n "$1" link set "$2" addrgenmode none
	ip -n "$1" route add local "10.$3.0.0/16" dev lo
	ip -n "$1" addr add "fd0$3::1/128" dev lo nodad
	addresses "$1" veth "$4" 10.0.1 fd01
	# closed connections take their memory along; addresses go one by one
	in_ns "$1" sysctl -qw net.ipv4.tcp_max_tw_buckets=0 \
		net.ipv4.conf.veth.promote_secondaries=1
}

# A tunnel of its own, from its namespaces on, and all of it away again
test_little()
{
	two_ends "$LITTLE"
	keys
	pings "$A" 10.8.0.2
}

# Again and again, but not while soak.py has the lock
little_tunnels()
{
	local transports=(udp4 tcp4 udp6 tcp6) i=0

	while :; do
		LITTLE=${transports[i++ % 4]}
		exec 9>"$GATE"
		flock -s 9
		set +e
		(set -e; __run_one little) 9>&-
		status=$?
		set -e
		[[ $status -eq 0 ]] || exit 1
		exec 9>&-
		sleep $((3 * OVPN_SLOW))
	done
}

test_soak()
{
	python3 -c 'import yaml, os; os.setns' 2>/dev/null ||
		skip "no python3-yaml, or python3 older than 3.12"
	[[ -e $SPEC ]] || skip "no specification of the family"
	GATE=$T/gate
	# before there is anything that its end could take along
	spawn little little_tunnels
	two_hosts
	server "$A" tunA 9 1
	server "$B" tunB 8 2
	python3 -B "$OVPN_DIR/soak.py" "$A" "$B" --spec "$SPEC" \
		--gate "$GATE" --seconds "$OVPN_SOAK" \
		--peers "$OVPN_SOAK_PEERS" |
		tee >(sed -u 's/^/# soak: /' >&3)
	! job_done little || { cat "$T/little.out"; die "no more tunnels"; }
}

run_tests soak
