# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
# Run test programs, each in a test machine of its own, several at a time.
# Needs lib.sh and tap.sh.
#
# vm_tests RESULTS-DIR NAME...
#   calls vm_test NAME for each, with its output in RESULTS-DIR/NAME.out, and
#   reports in the order in which they finish. JOBS machines run at a time.
#   With AGAIN=1, a program that fails runs once more at the end, with no other
#   beside it, and that run counts: what depends on time fails now and then on a
#   machine that others use, too. A fault in the kernel log is never forgiven.

# shellcheck disable=SC2153,SC2154 # from lib.sh and tap.sh

vm_tests_again=()

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
		vm_tests_start "$dir" "$name"
	done
	while ((running)); do
		vm_tests_wait "$dir"
	done
	for name in "${vm_tests_again[@]}"; do
		mv -f "$dir/$name.out" "$dir/$name.first.out"
		AGAIN='' vm_tests_start "$dir" "$name"
		AGAIN='' vm_tests_wait "$dir"
	done
	if ((${#vm_tests_again[@]})); then
		printf '# failed in their first run (*.first.out): %s\n' \
			"${vm_tests_again[*]}"
	fi
}

vm_tests_start()
{
	local dir=$1 name=$2

	rm -f "$dir/$name.out" "$dir/$name.seconds"
	{
		start=$SECONDS status=0
		vm_test "$name" >"$dir/$name.out" 2>&1 || status=$?
		echo $((SECONDS - start)) >"$dir/$name.seconds"
		exit "$status"
	} &
	name_of[$!]=$name
	((++running))
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
	if [[ -n ${AGAIN:-} ]] && ((status && status != 4 && status != 123)) &&
	   ! grep -q '^vm: the kernel complained' "$dir/$ended.out"; then
		vm_tests_why "$dir/$ended.out"
		printf '# %s: failed, and will run again alone\n' "$ended"
		vm_tests_again+=("$ended")
		return
	fi
	tap_program "$ended" "$dir/$ended.out" "$status"
	if ((tap_failed > failed)); then
		vm_tests_why "$dir/$ended.out"
		printf '#   whole output: %s\n' "${dir#"$ROOT/"}/$ended.out"
	fi
}

# What each test that failed said last; and the end, for what ended the program.
vm_tests_why()
{
	{
		awk '/^not ok / { for (i = NR - 12; i < NR; i++)
				if (i in said) print said[i]
			print; split("", said); next }
		     /^ok / { split("", said); next }
		     { said[NR] = $0; delete said[NR - 13] }' "$1"
		tail -n 8 "$1"
	} | sed 's/^/#   /'
}
