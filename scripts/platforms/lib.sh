# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
# The platforms that the driver is tried on, in QEMU. Source it after lib.sh.

# shellcheck disable=SC2034 # used by those who source this

platforms=(s390x i386 arm64 kcsan)

# platform NAME: sets
#   arch, cross, image   how its kernel is built: kbuild's ARCH, the prefix of
#                        the compiler, what comes out
#   debian               Debian's name of the architecture
#   machine              QEMU and the machine that it is
#   bus, console         how it sees directories of this machine, and its log
platform()
{
	bus=pci cross=''
	case $1 in
	# 64 bits, the most significant byte first
	s390x)
		arch=s390 cross=s390x-linux-gnu- debian=s390x
		image=arch/s390/boot/bzImage bus=ccw console=ttysclp0
		machine=(qemu-system-s390x -M s390-ccw-virtio -cpu "max,vx=off,vxeh=off")
		;;
	# 32 bits
	i386)
		arch=i386 cross=i686-linux-gnu- debian=i386
		image=arch/x86/boot/bzImage console=ttyS0
		# two of what it takes for an old AMD would be warned of
		machine=(qemu-system-i386 -M pc -cpu "max,vendor=GenuineIntel")
		;;
	arm64)
		arch=arm64 cross=aarch64-linux-gnu- debian=arm64
		image=arch/arm64/boot/Image console=ttyAMA0
		machine=(qemu-system-aarch64 -M virt -cpu cortex-a72)
		;;
	# two accesses at once, one of which writes
	kcsan)
		arch=x86_64 debian=amd64
		image=arch/x86/boot/bzImage console=ttyS0
		machine=(qemu-system-x86_64 -M pc -cpu max)
		;;
	*) die "no platform '$1' (${platforms[*]})" ;;
	esac
}
