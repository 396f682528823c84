# SPDX-License-Identifier: GPL-2.0 OR MIT
#
#   make demo     install what is missing, build, classify Fashion-MNIST on the Verilated engine, verify every bit
#   make check    install what is missing, build, run every test; last line: N passed, M failed, K skipped
#   make check-vm the tests of the driver under QEMU, on Debian's kernel and a debug kernel (check has them in user-mode Linux); check-vm-debian: the former alone
#   make check-networks    large published networks against ONNX Runtime, some of them through the RTL
#   make          build into build/ (make deps installs the packages first)
# More targets: bench-paper, bench-peers, bench-cpu, bench-compression, fuzz-hw, fuzz-driver, coverage, synth, formal, model-vector, diagrams, lint, generate, check-generated, fuzz, modules, modules_install, checkpatch, check-headers,
# install, deb, clean.
# See docs/testing.md.

BUILD   ?= build
CONFIGS ?= 2x2 8x8 8x8-fpga 16x16
# for tests only: in the checked simulator, not in the installed one
CHECK_CONFIGS ?= $(CONFIGS) 2x2-bus64 2x2-bus256 2x8-vector
CC      ?= gcc
CXX     ?= g++
CLANG   ?= clang
CFLAGS  ?= -O2 -g
DATA    ?= /usr/share/datasets/fashion-mnist
NPROC   := $(shell nproc)
SONAME  := libaccel.so.0
comma   := ,

.DELETE_ON_ERROR:
.SUFFIXES:

all: $(BUILD)/$(SONAME) $(BUILD)/libaccel.a $(BUILD)/eie $(BUILD)/libeie_sim.so $(BUILD)/classify

include hw/rules.mk
include sim/rules.mk
include sim/server/rules.mk
include libaccel/rules.mk
include driver/rules.mk
include tests/rules.mk
include libaccel/install.mk

# One list of packages (debian-packages.txt) for Debian 12 and 13; what is installed already is not touched. A line that begins with
# NAME: is for `make deps GROUP=NAME` only.
SUDO := $(shell test "$$(id -u)" = 0 || echo sudo)
deps:
	@missing=$$(sed "s/#.*//; s/^$(GROUP)://; /^[a-z]*:/d; s/MAJOR/$$(gcc -dumpversion 2>/dev/null | cut -d. -f1)/" debian-packages.txt | tr -s ' \n' '\n\n' | grep . | while read -r p; do \
		dpkg-query -W -f='$${Status}' "$$p" 2>/dev/null | grep -q 'ok installed' || echo "$$p"; done); \
	if [ -n "$$missing" ]; then \
		echo "Installing from Debian:" $$missing; \
		$(SUDO) apt-get update -qq && \
		DEBIAN_FRONTEND=noninteractive $(SUDO) apt-get install -y -qq --no-install-recommends --no-remove $$missing >/dev/null || \
		{ echo "Not all could be installed (nothing is removed for it). On Debian 12, linux-source-6.12 is in bookworm-security: is it among apt's sources?"; exit 1; }; \
	fi

MODEL := libaccel/models/lenet_300_100.eie

# $(call quietly,TARGET): builds it in parallel; what the compilers say goes to a log, its end is shown on failure
quietly = mkdir -p $(BUILD); $(MAKE) -j$(NPROC) $(1) >$(BUILD)/$(1).log 2>&1 || { tail -n 30 $(BUILD)/$(1).log; exit 1; }

demo: deps
	@echo "Building the simulator and the library (a minute or two; log in $(BUILD)/all.log)"
	@$(call quietly,all)
	@$(BUILD)/eie inspect $(MODEL)
	@echo
	@$(BUILD)/eie eval $(MODEL) --data $(DATA) --device sim --verify

check:
	@$(MAKE) --no-print-directory deps GROUP=check
	@echo "Building the library, the simulator in all flavours and the tests (log in $(BUILD)/check-build.log)"
	@$(call quietly,check-build)
	@tests/run.sh -j $(NPROC) $(BUILD)

check-vm:
	@$(MAKE) --no-print-directory deps GROUP=check
	@echo 'int main(void) { return 0; }' | $(CC) -m32 -static -x c -o /dev/null - 2>/dev/null || $(MAKE) --no-print-directory deps GROUP=compat
	@echo "Building the debug kernel for QEMU and the driver's tests, fetching Debian's kernel (log in $(BUILD)/check-vm-build.log)"
	@$(call quietly,check-vm-build)
	@tests/run.sh -j $(NPROC) -l check-vm $(BUILD)

# of these, those on Debian's kernel: no kernel is built
check-vm-debian:
	@$(MAKE) --no-print-directory deps GROUP=check
	@echo "Building the driver's tests, fetching Debian's kernel (log in $(BUILD)/check-vm-debian-build.log)"
	@$(call quietly,check-vm-debian-build)
	@tests/run.sh -j $(NPROC) -l check-vm $(BUILD) '^debian-.*[^2]$$'

check-networks:
	@$(MAKE) --no-print-directory deps GROUP=check
	@$(MAKE) --no-print-directory deps GROUP=networks
	@echo "Building the library and the simulator (log in $(BUILD)/check-networks-build.log)"
	@$(call quietly,check-networks-build)
	@tests/run.sh -j $(NPROC) -l check-networks $(BUILD)

clean:
	rm -rf $(BUILD)

.PHONY: all deps demo check check-vm check-vm-debian check-networks clean
