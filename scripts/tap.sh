# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
# Reports of several test programs as one flat KTAP report.

tap_count=0 tap_passed=0 tap_failed=0 tap_skipped=0

tap_begin() { printf 'KTAP version 1\n'; }

# tap_case RESULT NAME [SKIP-REASON]: RESULT is ok, "not ok" or skip.
tap_case()
{
	((++tap_count))
	case $1 in
	ok) ((++tap_passed)); printf 'ok %d - %s\n' "$tap_count" "$2" ;;
	skip)
		((++tap_skipped))
		printf 'ok %d - %s # SKIP %s\n' "$tap_count" "$2" "${3:-}"
		;;
	*) ((++tap_failed)); printf 'not ok %d - %s\n' "$tap_count" "$2" ;;
	esac
}

# tap_program NAME FILE STATUS: the report in FILE of a program that ended
# with STATUS. Believed only if it has results, as many as planned, and if the
# status agrees.
tap_program()
{
	local name=$1 file=$2 status=$3 line text results=0 bad=0 plan

	while IFS= read -r line; do
		line=${line%$'\r'}
		[[ $line =~ ^(not\ )?ok(\ [0-9]+)?(\ -)?\ ?(.*)$ ]] || continue
		((++results))
		text=${BASH_REMATCH[4]}
		if [[ $text =~ ^(.*[^[:space:]])?[[:space:]]*\#[[:space:]]*(SKIP|XFAIL)[[:space:]]*(.*)$ ]]; then
			tap_case skip "$name: ${BASH_REMATCH[1]}" "${BASH_REMATCH[3]}"
		elif [[ $line == not* ]]; then
			bad=1
			tap_case "not ok" "$name: $text"
		else
			tap_case ok "$name: $text"
		fi
	done < <(tr -d '\000' <"$file")

	plan=$(sed -n 's/^1\.\.\([0-9]*\).*/\1/p' "$file" | head -n 1)
	if ((!results)); then
		if ((status == 4)); then
			line=$(sed -n 's/.*SKIP[: ]*//p' "$file" | head -n 1)
			tap_case skip "$name" "${line:-by itself}"
			return
		fi
		tap_case "not ok" "$name: no result (status $status)"
	elif [[ -z $plan ]] || ((plan != results)); then
		tap_case "not ok" "$name: $results results, ${plan:-none} planned"
	elif ((status == 123)); then
		tap_case "not ok" "$name: the kernel log shows a fault"
	elif ((status && !bad && status != 4)); then
		tap_case "not ok" "$name: status $status without a failed test"
	else
		return 0
	fi
}

# tap_suites FILE DIR [PREFIX]: the report in FILE of KUnit suites; each gets a
# file in DIR, and PREFIX before its name. A suite is a test program of its own:
# its cases are the results one level down, what is deeper (parameters) belongs
# to them.
tap_suites()
{
	local suite suites=0

	while IFS= read -r suite; do
		((++suites))
		awk -v suite="$suite" '
			/^    # Subtest: / { on = ($3 == suite) }
			on && /^    (1\.\.|ok |not ok )/ { print substr($0, 5) }
		' "$1" >"$2/$suite.out"
		tap_program "${3:-}$suite" "$2/$suite.out" 0
	done < <(sed -n 's/^    # Subtest: //p' "$1")
	((suites)) || tap_case "not ok" "${3:-}no unit test ran"
}

# tap_end: the plan comes last; status 1 if something failed or nothing passed.
tap_end()
{
	printf '1..%d\n' "$tap_count"
	printf '# %d passed, %d failed, %d skipped\n' \
		"$tap_passed" "$tap_failed" "$tap_skipped"
	((tap_failed == 0 && tap_passed > 0))
}
