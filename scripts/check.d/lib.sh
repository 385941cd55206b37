# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
# What the checks share. Their working directory is the top of the checkout.

set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/../lib.sh"

# The modules that scripts/setup installs are those of the system's python.
PATH=/usr/bin:$PATH

# shellcheck disable=SC2034 # used by the checks
TREE=${OVPN_TREE:-$ROOT/build/linux}

skip() { printf '%s\n' "$*"; exit 4; }

# files PATHSPEC...: the files of the project that match, committed or about to
# be, one per line. No match is the caller's affair: use with mapfile.
files()
{
	local f

	git -C "$ROOT" ls-files -co --exclude-standard -- "$@" | sort -u |
		while read -r f; do
			[[ ! -f $ROOT/$f || -L $ROOT/$f ]] || printf '%s\n' "$f"
		done
}

# c_files: our C, without what ynl generates.
c_files()
{
	local f

	files 'drivers/*.[ch]' 'include/*.h' 'compat/*.[ch]' 'tools/*.[ch]' |
		while read -r f; do
			grep -q '^/\* YNL-GEN ' "$f" || printf '%s\n' "$f"
		done
}

# some WHAT FILE...: no file to look at is a failure, never a success.
some()
{
	local what=$1

	shift
	(($#)) || die "no $what to check"
	printf '%d %s\n' "$#" "$what"
}
