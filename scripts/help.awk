# SPDX-License-Identifier: GPL-2.0
# The targets of a Makefile with their '## text' comments, under '##@ titles'.

BEGIN { FS = ":.*## " }

/^##@/ { printf "%s%s\n", n++ ? "\n" : "", substr($0, 5) }

/^[a-z_ -]+:.*## / { printf "  %-20s %s\n", $1, $2 }

END {
	print "\nVariables"
	row("KDIR=DIR", "prepared kernel build directory, for modules")
	row("ARCH=um", "architecture of KDIR; um alone: the test machine's")
	row("KERNEL_SRC=DIR", "a kernel tree in place of the pinned package")
	row("DEBUG=1", "KASAN, lockdep, kmemleak ... (um-debug)")
	row("CPUS=N", "of the machine that measures (1)")
	row("ROUNDS=N", "how often each driver is measured (5)")
	row("TESTS=\"...\"", "only these tests")
	row("SOAK=TIME", "of make soak: 90s, 30m or 2h (30m)")
	row("JOBS=N", "processes of a build (number of CPUs)")
	row("OVPN_CACHE=DIR", "kernel, objects, guest root (~/.cache/ovpn)")
}

function row(name, text) { printf "  %-20s %s\n", name, text }
