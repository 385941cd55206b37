#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# needs: outer
# needs: openvpn-2.6
#
# What OpenVPN 2.6 tells about a tunnel, by ovpn-dco-v2: the same as with 2.7.
set -euo pipefail
export OPENVPN=$OVPN_26 KIND=ovpn-dco
# 2.6 asks the kernel each second, and tells its management only when a packet
# comes through itself
WITHOUT=("management")
. "$(dirname "$0")/counters.sh"
