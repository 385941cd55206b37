# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
# A machine in QEMU: what it shares with the one around it, and the verdict on a
# run. Source it after lib.sh.
#
#	qemu_begin COMMAND [ARG...]
#	qemu_share ...
#	qemu_boot SECONDS qemu-system-... [OPTION...]
#	qemu_verdict [FILE]
#
# The guest's first process is scripts/qemu/init in the initramfs, then
# scripts/qemu/guest, which runs the command.

# how a directory is attached: virtio-9p-pci, virtio-9p-ccw
qemu_bus=pci
# the kernel log is judged from the line behind this one; empty: all of it
qemu_judged='vm: the command starts'
qemu_run='' qemu_status=0 qemu_shares=()

# qemu_begin [COMMAND [ARG...]]: with the variables OVPN_* of here
qemu_begin()
{
	local var

	qemu_run=$(mktemp -d "${TMPDIR:-/tmp}/ovpn-vm.XXXXXX")
	trap 'rm -rf "$qemu_run"' EXIT
	: >"$qemu_run/log"
	(($#)) || return 0
	for var in "${!OVPN_@}"; do
		[[ $var == OVPN_CACHE* ]] ||
			printf 'export %s=%q\n' "$var" "${!var}"
	done >"$qemu_run/cmd"
	{ printf 'exec'; printf ' %q' "$@"; printf '\n'; } >>"$qemu_run/cmd"
}

# qemu_share TAG DIRECTORY [OPTION]: a directory of this machine
qemu_share()
{
	local dev=local,id=$1,path=$2,security_model=none,multidevs=remap

	qemu_shares+=(-fsdev "$dev${3:+,$3}"
		-device "virtio-9p-$qemu_bus,fsdev=$1,mount_tag=$1")
}

# What every guest has: its files, the checkout, where results go, the cache
qemu_share_all()
{
	qemu_share root "$1" readonly=on
	qemu_share src "$ROOT" readonly=on
	qemu_share out "$OUT"
	qemu_share run "$qemu_run"
	qemu_share cache "$(realpath "$CACHE")" readonly=on
}

# qemu_boot SECONDS QEMU [OPTION...]: returns when it is off. QEMU interprets,
# unless OVPN_ACCEL says otherwise
qemu_boot()
{
	local limit=$1 qemu=$2

	shift 2
	qemu_status=0
	timeout "$limit" "$qemu" -accel "${OVPN_ACCEL:-tcg,thread=multi}" \
		-nodefaults -no-user-config -display none -no-reboot "${qemu_shares[@]}" \
		-serial "file:$qemu_run/log" "$@" </dev/null || qemu_status=$?
	((qemu_status != 124)) || say "vm: no end after $limit s, killed"
}

# What the kernel says about itself while it boots is not about the driver; if
# it did not come through, everything counts.
qemu_judge()
{
	local vm=$ROOT/scripts/vm file=$qemu_run/log

	[[ ! -s $qemu_run/dmesg ]] || file=$qemu_run/dmesg
	grep -v -e '^#' -e '^$' "$vm/splats.deny" >"$qemu_run/deny"
	grep -v -e '^#' -e '^$' "$vm/splats.allow" >"$qemu_run/allow" || true
	if [[ -n $qemu_judged ]] && grep -q "$qemu_judged" "$file"; then
		sed "1,/$qemu_judged/d" "$file"
	else
		cat "$file"
	fi | { grep -a -E -f "$qemu_run/deny" || true; } |
		{ grep -a -v -E -f "$qemu_run/allow" || true; }
}

# qemu_verdict [FILE]: print what the command printed, keep the kernel log in
# FILE, and end with the command's status, or 123 for a fault in the kernel log,
# 124 for a timeout, 125 if the machine did not work
qemu_verdict()
{
	local file=${1:-} found rc=$qemu_status log=$qemu_run/log

	[[ ! -e $qemu_run/out ]] || cat "$qemu_run/out"
	found=$(qemu_judge)
	if ((rc != 124)); then
		rc=125
		[[ ! -s $qemu_run/status ]] || rc=$(<"$qemu_run/status")
	fi
	if ((rc == 125)); then
		say "vm: the machine stopped without finishing the command"
		tail -n 15 "$log" >&2 || true
	fi
	if [[ -n $found ]]; then
		say "vm: the kernel complained:"
		head -n 20 <<<"$found" | sed 's/^/    /' >&2
		((rc)) || rc=123
	fi
	if [[ -n $file ]]; then
		mkdir -p "$(dirname "$file")"
		[[ ! -s $qemu_run/dmesg ]] || log=$qemu_run/dmesg
		cat "$log" >"$file"
	fi
	exit "$rc"
}
