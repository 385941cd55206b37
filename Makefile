# SPDX-License-Identifier: GPL-2.0
# Entries for people; Kbuild is for the kernel's build. Everything that these
# targets need (Debian packages, kernel, guest root) they get by themselves.

KERNELRELEASE ?= $(shell uname -r)
ifneq ($(ARCH),um)
KDIR ?= /lib/modules/$(KERNELRELEASE)/build
endif
DEBUG ?=
TESTS ?=
ROUNDS ?=
CPUS ?=
SOAK ?=

debug := $(if $(filter-out 0 n no,$(DEBUG)),--debug)

.DEFAULT_GOAL := modules

##@ Building
.PHONY: modules
modules: ## ovpn.ko for the kernel build directory KDIR (ARCH, CC, LLVM as kbuild's)
	@scripts/modules "$(KDIR)" modules


.PHONY: tree
tree: ## build/linux: the pinned kernel with our driver in it
	@scripts/setup tree
	@scripts/tree

.PHONY: kernel
kernel: ## the kernel of the test machine (DEBUG=1: with all checkers)
	@scripts/setup tree build
	@scripts/kernel $(if $(debug),um-debug,um)

.PHONY: regen
regen: ## netlink code and uapi header from the YAML specification
	@scripts/regen

##@ Installing
.PHONY: modules_install install
modules_install install: modules ## ovpn.ko for one kernel, into updates/ (INSTALL_MOD_PATH, SIGN_KEY)
	@scripts/install "$(KDIR)" install

.PHONY: uninstall
uninstall: ## remove that again
	@scripts/install "$(KDIR)" uninstall

.PHONY: dkms-install
dkms-install: ## by DKMS, for all kernels with headers (or KERNELRELEASE=)
	@scripts/dkms install $(if $(findstring command,$(origin KERNELRELEASE)),$(KERNELRELEASE))

.PHONY: dkms-uninstall
dkms-uninstall: ## remove that again
	@scripts/dkms uninstall

.PHONY: deb
deb: ## the Debian package ovpn-dkms, in out/deb
	@scripts/setup tree deb
	@scripts/deb

##@ Testing
.PHONY: tests
tests: ## check, kunit, kselftest and clients, one after the other
	@scripts/tests

.PHONY: check
check: ## static checks, no machine needed (TESTS="name...": only these)
	@scripts/check $(TESTS)

.PHONY: kunit
kunit: ## unit tests (DEBUG=1)
	@scripts/kunit $(debug) $(TESTS)

.PHONY: kselftest
kselftest: ## the driver in network namespaces (DEBUG=1, TESTS="name.sh...")
	@scripts/kselftest $(debug) $(TESTS)

.PHONY: races
races: ## every two operations at once, 10^4 times each; OVPN_RACES_EACH=N
	@OVPN_RACES_EACH=$${OVPN_RACES_EACH:-10000} \
		scripts/kselftest --debug --long races

.PHONY: fuzz
fuzz: ## 10^6 requests and 10^7 frames by chance; OVPN_FUZZ=N: N slices (50)
	@OVPN_FUZZ=$${OVPN_FUZZ:-50} scripts/kselftest --debug --long fuzz

.PHONY: networks
networks: ## bad networks and new keys, a minute each; OVPN_NETEM_SECONDS=N
	@OVPN_NETEM_SECONDS=$${OVPN_NETEM_SECONDS:-60} \
		scripts/kselftest $(debug) --long network

.PHONY: kselftest-mainline
kselftest-mainline: ## the selftests of the kernel's own ovpn, on our driver
	@scripts/kselftest-mainline $(debug) $(TESTS)

.PHONY: clients
clients: ## unmodified OpenVPN programs over our driver (DEBUG=1, TESTS="name...")
	@scripts/setup tree build vm
	@scripts/clients/run $(debug) $(TESTS)

.PHONY: coverage
coverage: ## which lines of the driver these tests run (TESTS="name...")
	@scripts/setup tree build vm selftests
	@scripts/coverage/run $(TESTS)

.PHONY: soak
soak: ## a thousand peers that come and go, for half an hour (SOAK=2h, DEBUG=1)
	@scripts/soak $(debug) $(SOAK)

.PHONY: compat-check
compat-check: ## on Debian's kernels, old and new, in QEMU (TESTS="6.1...")
	@scripts/compat/check $(TESTS)

.PHONY: platforms
platforms: ## on s390x, i386 and arm64, with KCSAN, built otherwise (TESTS="s390x...")
	@scripts/platforms/check $(TESTS)

.PHONY: install-check
install-check: ## all ways to install, in a clean Debian (TESTS="bookworm...")
	@scripts/setup tree vm
	@scripts/install-check $(TESTS)

##@ Measuring
.PHONY: bench
bench: ## beside mainline's ovpn and WireGuard (TESTS=list, ROUNDS=5, CPUS=1)
	@scripts/bench/run $(if $(ROUNDS),--rounds $(ROUNDS)) \
		$(if $(CPUS),--cpus $(CPUS)) $(TESTS)

.PHONY: bench-insn
bench-insn: ## instructions for each packet, counted by QEMU (TESTS=case...)
	@scripts/bench/insn/run $(TESTS)

##@ Looking
.PHONY: demo
demo: ## a tunnel of OpenVPN 2.7 through our driver, from nothing
	@scripts/demo

.PHONY: vm
vm: ## a shell in the test machine (DEBUG=1)
	@scripts/setup tree build vm
	@scripts/vm/run $(debug) --shell

##@ Cleaning
.PHONY: clean
clean: ## objects and outputs of this checkout
	@scripts/clean

.PHONY: distclean
distclean: ## the same and build/, and what this kernel has in the cache
	@scripts/clean --all

.PHONY: help
help: ## this list
	@awk -f scripts/help.awk $(MAKEFILE_LIST)
