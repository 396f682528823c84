# SPDX-License-Identifier: GPL-2.0 OR MIT
# Included by tests/rules.mk: the driver's tests, static programs for the test machines (tests/machine), and where each runs.

# Programs that a machine runs in one boot, with the seconds it may take; `make check` boots user-mode Linux for each line,
# `make check-vm` QEMU with Debian's kernel.
DRIVER_TESTS := probe client jobs recovery network
driver_seconds_probe := 600
driver_seconds_client := 120
driver_seconds_jobs := 300
driver_seconds_recovery := 600
driver_seconds_network := 300
# further options of tests/machine/run.sh
driver_options_network = -c 8x8 $(addprefix -a ,$(BUILD)/eie $(MODEL) $(wildcard $(DATA)/t10k-*))

# The interface, field by field; what buffers, synchronisation, isolation and failures promise; stress.
DRIVER_TESTS += ioctl bo prime sync isolation stress space
driver_seconds_ioctl := 300
driver_seconds_bo := 300
driver_seconds_sync := 300
driver_seconds_isolation := 600
driver_seconds_stress := 900
driver_options_stress := -n 2
driver_seconds_prime := 300
driver_options_prime := -l vgem
# a page table for each of 65,535 address spaces
driver_seconds_space := 900
driver_options_space := -M 4096 -k tests/driver/sparse

# Needs a debug kernel: failures on demand.
DRIVER_TESTS_DEBUG := failnth failprobe
driver_seconds_failnth := 600
driver_seconds_failprobe := 1800
# not on x86: there the kernel's own interrupt code warns (remove_proc_entry) when it had no memory for an interrupt's entry in /proc

# Random calls; `make check` runs a minute of them.
DRIVER_FUZZ_SECONDS := 60

# The same program for 32-bit user space, which user-mode Linux of x86-64 cannot run: `make check-vm` only.
DRIVER_TESTS_VM := ioctl32
driver_seconds_ioctl32 := 300

# Under QEMU with the debug kernel, which has two processors and preemption, an emulated machine is slow: what may race. Longest first. Of stress
# two fifths; user-mode Linux (debug kernel) and Debian's (two processors) do all of it.
DRIVER_TESTS_X86 := stress failnth recovery jobs isolation sync
driver_options_x86_stress := -e EIE_PERCENT=40

DRIVER_FRAME    := $(addprefix tests/driver/,frame.c inject.c job.c usage.c)
DRIVER_PROGRAMS := $(patsubst %,$(T)/driver/test_%,$(DRIVER_TESTS) $(DRIVER_TESTS_DEBUG)) $(T)/driver/fuzz_ioctl
DRIVER_CFLAGS   := -std=gnu11 -D_GNU_SOURCE -Wall -Wextra -Isim/server -Ihw/include -Iuapi -isystem $(T)/driver -I/usr/include/libdrm -MMD -MP

# the kernel's test harness, from its sources; half a minute a test is too little for a simulated device on a busy host
$(T)/driver/kselftest_harness.h: tests/machine/kernel.sh tests/driver/rules.mk
	@mkdir -p $(@D)
	@dir=$$(tests/machine/kernel.sh source)/tools/testing/selftests && cp "$$dir/kselftest.h" $(@D)/ && \
		sed 's/^#define TEST_TIMEOUT_DEFAULT 30$$/#define TEST_TIMEOUT_DEFAULT 300/' "$$dir/kselftest_harness.h" >$@ && \
		grep -q 'TIMEOUT_DEFAULT 300' $@

$(T)/driver/test_%: tests/driver/test_%.c $(DRIVER_FRAME) $(DRIVER_FRAME:.c=.h) $(T)/driver/kselftest_harness.h
	$(CC) $(CFLAGS) $(DRIVER_CFLAGS) -static -o $@ $< $(DRIVER_FRAME)

$(T)/driver/fuzz_%: tests/driver/fuzz_%.c $(DRIVER_FRAME) $(DRIVER_FRAME:.c=.h)
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) $(DRIVER_CFLAGS) -Itests/hw -static -o $@ $< $(DRIVER_FRAME)

# with the generator of random programs of tests/hw, and the library's interpreter
ISOLATION_SRC := tests/hw/progen.c tests/hw/random_job.c tests/hw/random_vector.c $(addprefix libaccel/src/,ref.c ref_check.c ref_scalar.c ref_vector.c ref_element.c ref_select.c stream.c window.c commands.c hwparams.c error.c)
$(T)/driver/test_isolation: tests/driver/test_isolation.c $(ISOLATION_SRC) $(DRIVER_FRAME) $(DRIVER_FRAME:.c=.h) $(T)/driver/kselftest_harness.h
	$(CC) $(CFLAGS) $(DRIVER_CFLAGS) -Itests/hw -Itests/lib -Ilibaccel/include -Ilibaccel/src -static -o $@ $< $(ISOLATION_SRC) $(DRIVER_FRAME) -lfdt

# DRM's offsets for mmap() begin at 4 GiB; asm/ is where Debian has it for 64 bits
$(T)/driver/test_%32: tests/driver/test_%.c $(DRIVER_FRAME) $(DRIVER_FRAME:.c=.h) $(T)/driver/kselftest_harness.h
	$(CC) $(CFLAGS) -m32 -D_FILE_OFFSET_BITS=64 $(DRIVER_CFLAGS) -idirafter /usr/include/x86_64-linux-gnu -static -o $@ $< $(DRIVER_FRAME)

# an example as well, on its own
$(T)/driver/test_client: tests/driver/client.c
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) $(filter-out -MMD -MP,$(DRIVER_CFLAGS)) -static -o $@ $< -lfdt

# the command itself, with its libraries (run.sh -a)
$(T)/driver/test_network: tests/driver/network.sh $(BUILD)/eie
	@mkdir -p $(@D)
	cp $< $@

-include $(wildcard $(T)/driver/*.d)

# ---- the machines: kernels are built, and packages unpacked, once (see tests/machine)

machine-uml machine-x86: machine-%:
	@tests/machine/kernel.sh $* >/dev/null

machine-debian:
	@tests/machine/debian.sh kernel >/dev/null
	@tests/machine/debian.sh qemu >/dev/null

# $(1) machine, $(2) test, $(3) how many times the seconds: a line for tests/run.sh
machine_line = echo "$(1)-$(2) $$(($(driver_seconds_$(2)) * $(3) + 60)) tests/machine/run.sh -b $(BUILD) -t $$(($(driver_seconds_$(2)) * $(3))) $(driver_options_$(2)) $(driver_options_$(1)_$(2)) $(1) $(T)/driver/test_$(2)";
uml_lines = $(foreach t,$(DRIVER_TESTS) $(DRIVER_TESTS_DEBUG),$(call machine_line,uml,$(t),1)) \
	echo "uml-fuzz 400 tests/machine/run.sh -b $(BUILD) -e EIE_SECONDS=$(DRIVER_FUZZ_SECONDS) -e EIE_SEED=1 -t 340 uml $(T)/driver/fuzz_ioctl"; \
	echo "uml-selftest 600 tests/machine/selftest.sh $(BUILD)";

$(BUILD)/check-vm.list: tests/driver/rules.mk
	@mkdir -p $(@D)
	@{ $(foreach t,$(DRIVER_TESTS_X86),$(call machine_line,x86,$(t),2)) \
	$(foreach t,$(DRIVER_TESTS) $(DRIVER_TESTS_VM),$(call machine_line,debian,$(t),2)) } >$@

check-vm-build: check-vm-debian-build $(DRIVER_TESTS_VM:%=$(T)/driver/test_%) machine-x86
check-vm-debian-build: $(BUILD)/eie-device $(BUILD)/eie-device-checked $(DRIVER_PROGRAMS) machine-debian $(BUILD)/check-vm.list

# ---- hours of it: random calls, and ten times as many hostile programs; another seed every time, which the log has
SECONDS ?= 3600
FUZZ_DRIVER_SEED ?= $(shell date +%s)
fuzz-driver:
	@$(MAKE) --no-print-directory deps GROUP=check
	@$(call quietly,fuzz-driver-build)
	@echo "Fuzzing the driver for $(SECONDS) s with FUZZ_DRIVER_SEED=$(FUZZ_DRIVER_SEED), then 20,000 hostile programs"
	@tests/machine/run.sh -b $(BUILD) -f -e EIE_SECONDS=$(SECONDS) -e EIE_SEED=$(FUZZ_DRIVER_SEED) -t $$(($(SECONDS) + 600)) uml $(T)/driver/fuzz_ioctl
	@tests/machine/run.sh -b $(BUILD) -f -e EIE_JOBS=20000 -e EIE_SEED=$(FUZZ_DRIVER_SEED) -t 14400 uml $(T)/driver/test_isolation
fuzz-driver-build: $(BUILD)/eie-device $(BUILD)/eie-device-checked $(T)/driver/fuzz_ioctl $(T)/driver/test_isolation machine-uml

.PHONY: fuzz-driver fuzz-driver-build machine-uml machine-x86 machine-debian check-vm-build check-vm-debian-build
