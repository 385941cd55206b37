# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2034 # used by those who source this
#
# Memory that lacks; sourced by faults.sh and faults-traffic.sh after common.sh.

FAULTS=/sys/kernel/debug
[[ -e /proc/self/fail-nth && -d $FAULTS/failslab ]] ||
	__skip_all "no CONFIG_FAILSLAB and CONFIG_FAULT_INJECTION_DEBUG_FS"

# Allocations that may wait fail, too, and everybody's; the kernel need not tell
# of each
prepare()
{
	local kind

	for kind in failslab fail_page_alloc fail_skb_realloc; do
		[[ -d $FAULTS/$kind ]] || continue
		echo 0 >"$FAULTS/$kind/verbose"
		echo 0 >"$FAULTS/$kind/probability"
		echo 1 >"$FAULTS/$kind/interval"
		echo N >"$FAULTS/$kind/task-filter"
	done
	may_wait_fail N
	[[ ! -d $FAULTS/fail_page_alloc ]] ||
		echo 0 >"$FAULTS/fail_page_alloc/min-order"
}

# may_wait_fail N|Y: Y: only those fail that may not wait
may_wait_fail()
{
	local kind

	for kind in failslab fail_page_alloc; do
		[[ ! -d $FAULTS/$kind ]] ||
			echo "$1" >"$FAULTS/$kind/ignore-gfp-wait"
	done
}

# faults KIND PERCENT: from now on, everywhere; not beyond the end of a test
faults()
{
	defer no_faults "$1"
	echo 1000000000 >"$FAULTS/$1/times"
	echo "$2" >"$FAULTS/$1/probability"
}

# no_faults KIND: no more; how many there were
no_faults()
{
	echo 0 >"$FAULTS/$1/probability"
	echo "$1=$((1000000000 - $(<"$FAULTS/$1/times")))"
}

# lacking KIND NS COMMAND...: it meets a fault whenever it may not wait for
# memory, and nobody else does
lacking()
{
	local rc=0

	[[ -d $FAULTS/$1 ]] || skip "no $1 in this kernel"
	may_wait_fail Y
	echo Y >"$FAULTS/$1/task-filter"
	faults "$1" 100 >&2
	# shellcheck disable=SC2016 # expanded there
	in_ns "$2" bash -c 'echo 1 >/proc/self/make-it-fail; exec "$@"' \
		- "${@:3}" || rc=$?
	no_faults "$1" >&2
	echo N >"$FAULTS/$1/task-filter"
	may_wait_fail N
	return "$rc"
}

prepare
