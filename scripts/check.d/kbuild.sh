# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
# Build directories in which only the driver is ever compiled: configured and
# prepared once, then kept in the cache. Sourced after lib.sh.

OVPN_DIR=drivers/net/ovpn

# kb_symbols: the driver's own test symbols, from its .kunitconfig.
kb_symbols()
{
	local conf=$TREE/$OVPN_DIR/.kunitconfig

	[[ ! -e $conf ]] || grep '^CONFIG_.*KUNIT_TEST=' "$conf" |
		sed 's/=.*/=m/'
}

# kb_open NAME MAKEARG... [-- CONFIG_LINE...]: take (and lock until the end of
# the check) the build directory NAME; configure and prepare it if anything it
# depends on has changed. Sets KB to the directory, kb_args to make's arguments.
kb_open()
{
	local name=$1 id stamp config

	shift
	kb_args=(ARCH=x86)
	while (($#)) && [[ $1 != -- ]]; do
		kb_args+=("$1")
		shift
	done
	(($# == 0)) || shift
	id=$(realpath "$TREE" | sha256sum | cut -c1-8)
	KB=$CACHE/check/$id/$name
	mkdir -p "$KB"
	exec 8>"$KB/.lock"
	flock 8
	kb_args=(-C "$TREE" "O=$KB" "${kb_args[@]}" --no-print-directory -s
		"-j$JOBS")
	# The last word on a symbol counts.
	config=$(
		{
			grep -v '^#' "$ROOT/scripts/check.d/kbuild.config"
			kb_symbols
			printf '%s\n' "$@"
		} | awk -F= '{ value[$1] = $0 } END { for (s in value) print value[s] }' |
			sort
	)
	stamp=$(
		{
			printf '%s\n' "$config" "${kb_args[@]}"
			gcc --version
			${CLANG:-true} --version
			cat "$TREE/Makefile" "$TREE/drivers/net/Kconfig"
			cat "$TREE/$OVPN_DIR"/Kconfig* 2>/dev/null || true
		} | sha256sum
	)
	[[ ! -e $KB/.stamp || $stamp != "$(<"$KB/.stamp")" ]] || return 0
	rm -f "$KB/.stamp"
	printf '%s\n' "$config" >"$KB/.wanted"
	make "${kb_args[@]}" KCONFIG_ALLCONFIG="$KB/.wanted" allnoconfig
	kb_verify "$config"
	make "${kb_args[@]}" prepare modules_prepare
	printf '%s\n' "$stamp" >"$KB/.stamp"
}

# kb_verify CONFIG: a symbol that Kconfig dropped would leave code unbuilt.
kb_verify()
{
	local line bad=

	while read -r line; do
		case $line in
		""|*=n) continue ;;
		esac
		grep -qx "$line" "$KB/.config" && continue
		printf 'not in the resulting configuration: %s\n' "$line"
		bad=1
	done <<<"$1"
	[[ -z $bad ]]
}

# kb_build: compile the driver. Warnings are errors, so that an
# object with a warning is built, and its warning seen, again the next time.
kb_build()
{
	local units

	make "${kb_args[@]}" W=1e "$OVPN_DIR/" 2>&1
	units=$(find "$KB/$OVPN_DIR" -name '*.o' | wc -l)
	printf '%d objects\n' "$units"
	((units > 0))
}

# clang_suffix: -N of the newest clang the kernel accepts that is installed
# with its linker and binutils.
clang_suffix()
{
	local least n

	least=$("$TREE/scripts/min-tool-version.sh" llvm)
	for n in {30..15}; do
		((n >= ${least%%.*})) || break
		command -v "clang-$n" "ld.lld-$n" "llvm-nm-$n" >/dev/null ||
			continue
		printf -- '-%d\n' "$n"
		return
	done
	skip "no clang ≥ $least with lld and llvm of the same version:" \
		"run 'scripts/setup check' as root"
}
