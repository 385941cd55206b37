# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# What the tests of OpenVPN 3 share; sourced after lib.sh.
#
# OpenVPN 3 is a handful of services, which D-Bus starts when they are needed, and a
# command that talks to them. They run with a D-Bus of their own, in a root of
# their own and in the namespace of client1, where their device is tun1. All they
# say is in $WORK/client1.log, what the command says in $WORK/openvpn3.log.

if [ -z "${OVPN_3:-}" ]; then
	skip "OpenVPN 3" "no package of a version below 28 to be had"
	done_testing
	exit
fi

# below the root is memory above the files in the cache
O3=/run/openvpn3
O3_ROOT=$O3/root

in_o3()
{
	ip netns exec client1 chroot "$O3_ROOT" "$@"
}

openvpn3()
{
	in_o3 openvpn3 "$@" 2>&1 < /dev/null | tee -a "$WORK/openvpn3.log"
}

# What installing the packages would have done. Once for all scenarios.
o3_root()
{
	local dir helper=$O3_ROOT/usr/lib/dbus-1.0/dbus-daemon-launch-helper

	mkdir -p "$O3/memory" "$O3_ROOT"
	mount -t tmpfs none "$O3/memory"
	mkdir "$O3/memory/upper" "$O3/memory/work"
	mount -t overlay none "$O3_ROOT" -o \
		"lowerdir=$OVPN_3,upperdir=$O3/memory/upper,workdir=$O3/memory/work"
	for dir in dev etc proc run/dbus tmp; do
		mkdir -p "$O3_ROOT/$dir"
	done
	chmod 1777 "$O3_ROOT/tmp"
	mount -t proc none "$O3_ROOT/proc"
	mount --bind /dev "$O3_ROOT/dev"
	# not only root configures networks
	[ -e /dev/net/tun ] || mknod /dev/net/tun c 10 200
	chmod 666 /dev/net/tun

	echo 'root:x:0:0::/:/bin/false' > "$O3_ROOT/etc/passwd"
	echo 'root:x:0:' > "$O3_ROOT/etc/group"
	chroot "$O3_ROOT" systemd-sysusers dbus.conf openvpn3-client.conf
	chroot "$O3_ROOT" systemd-tmpfiles --create dbus.conf openvpn3-client.conf
	chroot "$O3_ROOT" dbus-uuidgen --ensure=/etc/machine-id
	chgrp "$(awk -F: '$1 == "messagebus" { print $3 }' "$O3_ROOT/etc/group")" \
		"$helper"
	chmod 4754 "$helper"
}

# D-Bus and the services. That for the log needs to be told where to write. All
# would start when they are needed, but each waits for the next one only so long,
# and here everything may take longer.
o3_up()
{
	local service

	rm -f "$O3_ROOT/run/dbus/system_bus_socket"
	ip netns exec client1 chroot "$O3_ROOT" \
		dbus-daemon --system --nofork --nopidfile --nosyslog \
		> "$WORK/bus.log" 2>&1 &
	wait_for 20 test -S "$O3_ROOT/run/dbus/system_bus_socket"
	ip netns exec client1 chroot "$O3_ROOT" \
		/usr/libexec/openvpn3-linux/openvpn3-service-log --log-level 6 \
		> "$WORK/client1.log" 2>&1 &
	wait_for 20 o3_bus GetNameOwner string:net.openvpn.v3.log
	for service in configuration netcfg sessions backends; do
		o3_bus StartServiceByName "string:net.openvpn.v3.$service" uint32:0
	done > "$WORK/services.log"
}

o3_bus()
{
	in_o3 dbus-send --system --print-reply --dest=org.freedesktop.DBus / \
		"org.freedesktop.DBus.$1" "${@:2}"
}

# o3_profile LINE...: a profile called client1, its certificate inside
o3_profile()
{
	local part

	pki client1
	{
		printf '%s\n' client 'dev tun1' 'remote-cert-tls server' \
			'verb 6' "$@"
		for part in ca=ca.crt cert=client1.crt key=client1.key; do
			echo "<${part%=*}>"
			cat "$PKI/${part#*=}"
			echo "</${part%=*}>"
		done
	} > "$O3_ROOT/tmp/client1.ovpn"
	openvpn3 config-import --config /tmp/client1.ovpn --name client1
}

# o3_connect true|false: a session, offloaded or not; returns when it is there.
# A process that does not come up in time is given another chance.
o3_connect()
{
	local tries=0

	while [ $((++tries)) -le 3 ]; do
		openvpn3 session-start --config client1 --dco "$1" --timeout 60 \
			> "$WORK/start.out" || true
		cat "$WORK/start.out"
		grep -q 'New tunnel did not respond' "$WORK/start.out" || break
	done
	grep -q '^Connected to' "$WORK/start.out"
}

# o3_manage OPTION...
o3_manage()
{
	openvpn3 session-manage --config client1 "$@"
}

# OpenVPN itself says that the kernel carries the data.
o3_offloaded()
{
	said client1 'DCO flag: enabled' &&
		said client1 'Connected: .* on ovpn-dco/'
}

# o3_kill SERVICE
o3_kill()
{
	local pid

	for pid in $(ip netns pids client1); do
		! tr '\0' ' ' < "/proc/$pid/cmdline" |
			grep -q "openvpn3-service-$1 " || kill -9 "$pid"
	done
}

# Both ways so many bytes have been through the device.
o3_counts()
{
	ip -n client1 -s -j link show dev tun1 | tee /dev/stderr |
		jq -e --argjson n "$1" '.[0].stats64 |
			.rx.bytes > $n and .tx.bytes > $n and
			.rx.packets > $n / 1500 and .tx.packets > $n / 1500'
}

o3_root > "$WORK/root.out" 2>&1 || {
	result "not ok" "a root for OpenVPN 3"
	note "$(cat "$WORK/root.out")"
	done_testing
	exit
}
