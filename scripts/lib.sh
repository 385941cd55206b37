# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
# Common ground of the scripts: where things live, how to speak, how to lock.
# Source it; it needs nothing but bash and coreutils.

# A failure in $(...) is one.
shopt -s inherit_errexit

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
CACHE=${OVPN_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/ovpn}
BUILD=$ROOT/build
OUT=$ROOT/out
JOBS=${JOBS:-$(nproc)}
export LC_ALL=C.UTF-8

# Directories of the checkout that mirror the kernel's.
# shellcheck disable=SC2034 # used by those who source this
OVERLAY_DIRS=(Documentation drivers include tools)

say() { printf '%s\n' "$*" >&2; }
warn() { printf '%s: warning: %s\n' "${0##*/}" "$*" >&2; }
die() { printf '%s: %s\n' "${0##*/}" "$*" >&2; exit 1; }

# need PART TOOL...: every TOOL must be there; PART of scripts/setup has them.
need()
{
	local part=$1 tool missing=()

	shift
	for tool; do
		command -v "$tool" >/dev/null || missing+=("$tool")
	done
	if ((${#missing[@]})); then
		die "needs ${missing[*]}: run 'scripts/setup $part' as root"
	fi
}

# step TEXT CMD...: run a long command quietly; on failure show its output.
# Progress is a line at the start and the time taken at the end.
step()
{
	local text=$1 log start=$SECONDS rc

	shift
	mkdir -p "$OUT/log"
	log=$(mktemp "$OUT/log/step.XXXXXX")
	printf '  %s ...' "$text" >&2
	# in no condition, so that a function ends with its first failure
	set +e
	(set -e; "$@") >"$log" 2>&1 </dev/null
	rc=$?
	set -e
	if ((rc)); then
		printf ' failed (status %d)\n' "$rc" >&2
		tail -n 60 "$log" >&2
		say "  whole output: $log"
		return "$rc"
	fi
	printf ' %ds\n' $((SECONDS - start)) >&2
	rm -f "$log"
}

# What is in the cache is shared by all checkouts of one user.
# lock_cache WHAT [-s]: one holder at a time, or several with -s. Held until the
# script ends; what it calls does not wait for what it holds itself.
#   tree        who writes the assembled tree
#   builders    shared: who compiles it; alone: who changes it to be that of
#               another checkout
#   kernel-NAME who builds that kernel      guest   who makes the guest root
lock_cache()
{
	local what=$1 mode=${2:--x} fd

	[[ " ${OVPN_CACHE_LOCKED:-} " != *" $what "* ]] || return 0
	command -v flock >/dev/null || die "needs flock (package util-linux)"
	mkdir -p "$CACHE"
	exec {fd}>"$CACHE/$what.lock"
	if ! flock "$mode" -n "$fd"; then
		say "  waiting for another run to release $CACHE/$what.lock"
		flock "$mode" "$fd"
	fi
	export OVPN_CACHE_LOCKED="${OVPN_CACHE_LOCKED:-} $what"
}

# lock_results DIR: a run's outputs must not mix with those of another run.
lock_results()
{
	local fd

	mkdir -p "$1"
	exec {fd}>"$1/.lock"
	flock -n "$fd" || {
		say "  waiting for another run that writes to ${1#"$ROOT/"}"
		flock "$fd"
	}
}

# copy_project DIR: the files of this checkout, without what is made from them.
copy_project()
{
	mkdir -p "$1"
	git -C "$ROOT" ls-files -co --exclude-standard -z |
		rsync -a --no-owner --no-group --from0 --files-from=- \
			--ignore-missing-args "$ROOT/" "$1/"
}

# For make, of a kernel with CONFIG_GCOV_KERNEL: count the lines that run of the
# driver, and of its headers in what tests it.
# shellcheck disable=SC2016,SC2034 # make's words; used by those who source this
COUNT_LINES='GCOV_PROFILE=$(if $(filter %drivers/net/ovpn %drivers/net/ovpn/tests,$(obj)),y,n)'

# For make, of a kernel with CONFIG_KCSAN: watch the accesses of the driver alone.
# shellcheck disable=SC2016,SC2034 # as above
WATCH_ACCESSES='KCSAN_SANITIZE=$(if $(filter %drivers/net/ovpn,$(obj)),y,n)'

# A value of the KERNEL file.
kernel_pin() { awk -v key="$1" '$1 == key { print $2 }' "$ROOT/KERNEL"; }

# Lines "URI SUITE COMPONENT..." of apt's sources, both formats.
apt_sources()
{
	local list parts file

	eval "$(apt-config shell list Dir::Etc::sourcelist/f \
		parts Dir::Etc::sourceparts/d)"
	for file in "$list" "$parts"/*.list; do
		[[ ! -r $file ]] || sed -n -e 's/#.*//' -e 's/\[[^]]*\]//' \
			-e 's/^[[:space:]]*deb[[:space:]]\{1,\}//p' "$file"
	done
	for file in "$parts"/*.sources; do
		[[ ! -r $file ]] || awk '
			function stanza(	i, j, u, s) {
				if (f["types"] ~ /(^| )deb( |$)/ &&
				    f["enabled"] !~ /^(no|false|0)$/)
					for (i = split(f["uris"], u, " "); i > 0; i--)
						for (j = split(f["suites"], s, " "); j > 0; j--)
							print u[i], s[j], f["components"]
				split("", f)
			}
			/^#/ { next }
			/^[[:space:]]*$/ { stanza(); next }
			/^[[:space:]]/ { sub(/^[[:space:]]+/, ""); f[key] = f[key] " " $0; next }
			{
				key = tolower($0); sub(/[[:space:]]*:.*/, "", key)
				sub(/^[^:]*:[[:space:]]*/, ""); f[key] = $0
			}
			END { stanza() }' "$file"
	done
}

# The mirror this machine's own apt uses for its release.
apt_mirror()
{
	local release uri

	# shellcheck disable=SC1091
	release=$(. /etc/os-release && printf '%s' "${VERSION_CODENAME:-}")
	uri=$(apt_sources | awk -v r="$release" '
		$2 == r && / main( |$)/ && !uri { uri = $1 } END { print uri }')
	[[ -n $uri ]] || die "no mirror for '$release main' in apt's sources"
	printf '%s\n' "${uri%/}"
}

# apt_private SUITE...: an apt of our own beside the machine's, knowing SUITEs.
# A mirror that lags behind or stands still serves as well: signatures are
# checked, and the kernel's checksum. DEBIAN_ARCH=NAME: for another architecture.
# Prints the configuration file for 'apt-get -c'.
apt_private()
{
	local dir=$CACHE/apt mirror suite keyring arch=${DEBIAN_ARCH:-amd64}
	local conf=$dir/apt.conf

	[[ -e /etc/debian_version ]] ||
		die "needs a Debian system (or KERNEL_SRC=DIR for the kernel)"
	keyring=/usr/share/keyrings/debian-archive-keyring.gpg
	[[ -e $keyring ]] || die "needs the package debian-archive-keyring"
	mirror=$(apt_mirror)
	mkdir -p "$dir"/{etc/preferences.d,state/lists/partial,cache/archives/partial}
	touch "$dir/state/status"
	for suite; do
		printf 'deb [signed-by=%s] %s %s main\n' "$keyring" "$mirror" "$suite"
	done >"$dir/etc/sources.list"
	cat >"$conf" <<-EOF
	Dir::State "$dir/state";
	Dir::State::status "$dir/state/status";
	Dir::Cache "$dir/cache";
	Dir::Etc::sourcelist "$dir/etc/sources.list";
	Dir::Etc::sourceparts "-";
	Dir::Etc::preferences "$dir/etc/preferences";
	Dir::Etc::preferencesparts "$dir/etc/preferences.d";
	Acquire::Languages "none";
	Acquire::Check-Valid-Until "false";
	APT::Sandbox::User "root";
	APT::Architecture "$arch";
	APT::Architectures "$arch";
	EOF
	apt-get -c "$conf" -q update >"$dir/update.log" 2>&1 ||
		{ tail -n 20 "$dir/update.log" >&2; die "apt-get update failed"; }
	printf '%s\n' "$conf"
}

# Where the kernel comes from decides the name of everything built from it.
tree_id()
{
	if [[ -n ${KERNEL_SRC:-} ]]; then
		printf 'src-%s\n' "$(realpath -- "$KERNEL_SRC" | sha256sum | cut -c1-12)"
	else
		kernel_pin version | tr '~+' '__'
	fi
}

tree_dir() { printf '%s/linux/%s\n' "$CACHE" "$(tree_id)"; }

# kernel_dir NAME: a kernel as installed for this checkout by scripts/kernel.
kernel_dir() { printf '%s/kernels/%s\n' "$BUILD" "$1"; }
