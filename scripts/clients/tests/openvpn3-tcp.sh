#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# needs: outer
# needs: openvpn3
#
# OpenVPN 3 for Linux over TCP: nearly the same as over UDP.
set -euo pipefail
PROTO=tcp
# nothing that the transport would change
WITHOUT=("paused" "beside 2.7" "user space client")
. "$(dirname "$0")/openvpn3-udp.sh"
