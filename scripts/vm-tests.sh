# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
# Run test programs, each in a test machine of its own, several at a time.
# Needs lib.sh and tap.sh.
#
# vm_tests RESULTS-DIR NAME...
#   calls vm_test NAME for each, with its output in RESULTS-DIR/NAME.out, and
#   reports in the order in which they finish. JOBS machines run at a time.

# shellcheck disable=SC2153,SC2154 # from lib.sh and tap.sh

vm_tests()
{
	local dir=$1 name ended pid status running=0 jobs=$JOBS
	local -A name_of

	shift
	mkdir -p "$dir"
	((jobs <= 4)) || jobs=4
	for name; do
		if ((running >= jobs)); then
			vm_tests_wait "$dir"
		fi
		rm -f "$dir/$name.out" "$dir/$name.seconds"
		{
			start=$SECONDS status=0
			vm_test "$name" >"$dir/$name.out" 2>&1 || status=$?
			echo $((SECONDS - start)) >"$dir/$name.seconds"
			exit "$status"
		} &
		name_of[$!]=$name
		((++running))
	done
	while ((running)); do
		vm_tests_wait "$dir"
	done
}

# One of them has ended: say how.
vm_tests_wait()
{
	local dir=$1 failed=$tap_failed

	status=0
	wait -n -p pid || status=$?
	((--running)) || true
	ended=${name_of[$pid]}
	printf '# %s: %d s\n' "$ended" "$(<"$dir/$ended.seconds")"
	tap_program "$ended" "$dir/$ended.out" "$status"
	if ((tap_failed > failed)); then
		tail -n 40 "$dir/$ended.out" | sed 's/^/#   /'
		printf '#   whole output: %s\n' "${dir#"$ROOT/"}/$ended.out"
	fi
}
