#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# needs: outer
# needs: openvpn-2.6
#
# OpenVPN 2.6 over UDP, by ovpn-dco-v2: the same as with 2.7. It has one socket.
set -euo pipefail
export OPENVPN=$OVPN_26 KIND=ovpn-dco
WITHOUT=("a socket for each family")
. "$(dirname "$0")/udp.sh"
