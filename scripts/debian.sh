# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
# Debian in a directory: a system to install in, or packages that are only
# unpacked. For what this machine's own Debian does not have. All of it comes
# from the mirror that this machine's apt uses. Source it after lib.sh.

#
# A system
#

# in_system DIR CMD...: no service may start, no question be asked
in_system()
{
	local dir=$1

	shift
	DEBIAN_FRONTEND=noninteractive PATH=/usr/sbin:/usr/bin:/sbin:/bin \
		LC_ALL=C.UTF-8 chroot "$dir" "$@"
}

# system_apt DIR ARG...: its apt-get
system_apt()
{
	local dir=$1

	shift
	in_system "$dir" apt-get -q -y -o Acquire::Languages=none \
		-o Acquire::Check-Valid-Until=false \
		-o APT::Sandbox::User=root --no-install-recommends "$@"
}

# new_system DIR SUITE...: the least of the first SUITE; its apt knows them all
new_system()
{
	local dir=$1 suites=("${@:2}") mirror proxy suite

	((EUID == 0)) || die "making $dir takes root (debootstrap)"
	! grep -q " $(realpath -m "$dir")/" /proc/mounts ||
		die "$dir is in use: unmount what is mounted there"
	mirror=$(apt_mirror)
	proxy=$(apt-config dump --format '%v%n' Acquire::http::Proxy)
	rm -rf "$dir"
	mkdir -p "$dir"
	http_proxy=${proxy:-${http_proxy:-}} debootstrap --variant=minbase \
		--keyring=/usr/share/keyrings/debian-archive-keyring.gpg \
		"${suites[0]}" "$dir" "$mirror"
	cp /etc/resolv.conf "$dir/etc/resolv.conf" 2>/dev/null || true
	printf '#!/bin/sh\nexit 101\n' >"$dir/usr/sbin/policy-rc.d"
	chmod +x "$dir/usr/sbin/policy-rc.d"
	for suite in "${suites[@]}"; do
		printf 'deb %s %s main\n' "$mirror" "$suite"
	done >"$dir/etc/apt/sources.list"
	system_apt "$dir" update
}

# end_system DIR: all is installed. The mirror is this machine's business, lists
# and packages are bulk.
end_system()
{
	rm -f "$1/etc/apt/sources.list" "$1/etc/resolv.conf"
	rm -rf "$1"/var/{cache/apt,lib/apt/lists}/*
	rm -rf "$1"/usr/share/{doc,man,locale,i18n}/*
}

#
# Unpacked packages, in which no script of theirs has run. CONF is a file that
# apt_private prints.
#

# kernels CONF SERIES: Debian's kernels of that series, the newest last, without
# those for other purposes
kernels()
{
	apt-cache -c "$1" search --names-only \
		"^linux-headers-${2//./\\.}\\.[-0-9.]+(\\+[a-z0-9]+)?-amd64\$" |
		awk '{ sub(/^linux-headers-/, "", $1); print $1 }' | sort -V
}

# where an apt keeps packages
archives()
{
	local dir

	eval "$(apt-config -c "$1" shell dir Dir::Cache::archives/d)"
	printf '%s\n' "${dir%/}"
}

# download_packages CONF RELEASE PACKAGE...: those, and what they need
download_packages()
{
	local conf=$1 release=$2

	shift 2
	rm -f "$(archives "$conf")"/*.deb
	# From a newer suite comes only what has to.
	apt-get -c "$conf" -q -y -o "APT::Default-Release=$release" \
		--no-install-recommends --download-only install "$@"
}

# unpack_packages CONF DIR PATTERN: what has been downloaded; of the packages
# with a kernel's modules only files whose path matches PATTERN
unpack_packages()
{
	local debs dir=$2 pattern=$3 deb list

	debs=$(archives "$1")
	list=$(mktemp)
	rm -rf "$dir"
	mkdir -p "$dir"
	for deb in "$debs"/*.deb; do
		case ${deb##*/} in
		linux-image-*|linux-modules-*)
			dpkg-deb --fsys-tarfile "$deb" | tar -t |
				grep -E "$pattern" | grep -v '/$' >"$list" || true
			dpkg-deb --fsys-tarfile "$deb" |
				tar -x -C "$dir" -T "$list"
			;;
		*) dpkg-deb -x "$deb" "$dir" ;;
		esac
	done
	rm -f "$list" "$debs"/*.deb
	finish_unpacked "$dir"
}

# What the packages' own scripts would do
finish_unpacked()
{
	local dir=$1 part

	for part in bin lib lib64 sbin; do
		mkdir -p "$dir/usr/$part"
		if [[ -d $dir/$part && ! -L $dir/$part ]]; then
			cp -a "$dir/$part/." "$dir/usr/$part/"
			rm -rf "${dir:?}/$part"
		fi
		[[ -L $dir/$part ]] || ln -s "usr/$part" "$dir/$part"
	done
	mkdir -p "$dir/usr/lib/modules"
	find "$dir/usr/lib/modules" -name '*.ko.xz' -print0 | xargs -0r xz -d
	ln -sf mawk "$dir/usr/bin/awk"
	mkdir -p "$dir"/{dev,proc,src,tmp}
	chmod 1777 "$dir/tmp"
}

# in_unpacked DIR CMD...: with this checkout at /src
in_unpacked()
{
	local unshare=(unshare -m)

	# without root: as the one user of a namespace of one's own
	((EUID == 0)) || unshare+=(-r)
	# shellcheck disable=SC2016 # expanded inside
	"${unshare[@]}" bash -euc '
		root=$1 source=$2
		shift 2
		mount --rbind /dev "$root/dev"
		mount --rbind /proc "$root/proc"
		mount --bind "$source" "$root/src"
		exec env -i HOME=/tmp PATH=/usr/sbin:/usr/bin chroot "$root" "$@"
	' - "$1" "$ROOT" "${@:2}"
}
