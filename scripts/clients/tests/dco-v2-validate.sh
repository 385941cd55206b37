#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# needs: outer
#
# The interface ovpn-dco-v2 itself, request by request.
set -euo pipefail
exec compat/ovpn-dco-v2/tests/validate
