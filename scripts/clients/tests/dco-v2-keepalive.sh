#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# needs: outer
# needs: openvpn-2.6
#
# Keepalive of OpenVPN 2.6, by ovpn-dco-v2: the same as with 2.7.
set -euo pipefail
export OPENVPN=$OVPN_26 KIND=ovpn-dco
. "$(dirname "$0")/keepalive.sh"
