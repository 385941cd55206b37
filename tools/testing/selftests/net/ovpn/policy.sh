#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# User space finds out what the kernel can do by dumping the policies of the
# family, so numbers, types and limits are an interface: policy.golden is what
# they were in linux 7.3, but for the permission, which is per user namespace.

set -euo pipefail
# shellcheck source=common.sh
. "$(dirname "$(readlink -e "$0")")/common.sh"

# Commands and attributes, without the permissions
test_attributes()
{
	"$CLI" policy | sed 's/ \(uns-\)\?admin-perm//' >"$T/attributes"
	sed '/^#/d; s/ uns-admin-perm//' "$OVPN_DIR/policy.golden" |
		diff -u - "$T/attributes"
}

# Every command asks for CAP_NET_ADMIN in the user namespace of the network
# namespace
test_permissions()
{
	"$CLI" policy | grep ' flags' >"$T/flags"
	grep ' flags' "$OVPN_DIR/policy.golden" | diff -u - "$T/flags"
	does_fail grep -v uns-admin-perm "$T/flags"
}

run_tests attributes permissions
