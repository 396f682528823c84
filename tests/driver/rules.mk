# SPDX-License-Identifier: GPL-2.0 OR MIT
# Included by tests/rules.mk: the driver's tests, static programs for the test machines (tests/machine), and where each runs.

# Programs that a machine runs in one boot, with the seconds it may take; `make check` boots user-mode Linux for each line,
# `make check-vm` QEMU, with the debug kernel and with Debian's.
DRIVER_TESTS := probe client jobs recovery
# Those that `make check` runs. The others do not pass as a whole: after some hundred accesses to configuration space a request between
# user-mode Linux and eie-device is lost ("id N is not a head"). `make check-driver` runs all of them, and the frame's self-test.
DRIVER_CHECK := client jobs
driver_seconds_probe := 300
driver_seconds_client := 120
driver_seconds_jobs := 300
driver_seconds_recovery := 600


# The interface, field by field; what buffers, synchronisation, isolation and failures promise; stress.
DRIVER_TESTS += ioctl bo sync isolation stress
DRIVER_CHECK += ioctl bo sync isolation stress
driver_seconds_ioctl := 300
driver_seconds_bo := 300
driver_seconds_sync := 300
driver_seconds_isolation := 600
driver_seconds_stress := 900
driver_options_stress := -n 2

# Needs a debug kernel: failures on demand.
DRIVER_TESTS_DEBUG := failnth
DRIVER_CHECK += $(DRIVER_TESTS_DEBUG)
driver_seconds_failnth := 600

# Random calls; `make check` runs a minute of them.
DRIVER_FUZZ_SECONDS := 60

# The same program for 32-bit user space, which user-mode Linux of x86-64 cannot run: `make check-vm` only.
DRIVER_TESTS_VM := ioctl32
driver_seconds_ioctl32 := 300

DRIVER_FRAME    := tests/driver/frame.c tests/driver/job.c tests/driver/usage.c
DRIVER_PROGRAMS := $(patsubst %,$(T)/driver/test_%,$(DRIVER_TESTS) $(DRIVER_TESTS_DEBUG)) $(T)/driver/fuzz_ioctl
DRIVER_CFLAGS   := -std=gnu11 -D_GNU_SOURCE -Wall -Wextra -Isim/server -Ihw/include -Iuapi -isystem $(T)/driver -I/usr/include/libdrm -MMD -MP

# the kernel's test harness, from its sources
$(T)/driver/kselftest_harness.h: tests/machine/kernel.sh
	@mkdir -p $(@D)
	@dir=$$(tests/machine/kernel.sh source) && cp "$$dir"/tools/testing/selftests/kselftest.h "$$dir"/tools/testing/selftests/kselftest_harness.h $(@D)/
	@touch $@

$(T)/driver/test_%: tests/driver/test_%.c $(DRIVER_FRAME) $(DRIVER_FRAME:.c=.h) $(T)/driver/kselftest_harness.h
	$(CC) $(CFLAGS) $(DRIVER_CFLAGS) -static -o $@ $< $(DRIVER_FRAME)

$(T)/driver/fuzz_%: tests/driver/fuzz_%.c $(DRIVER_FRAME) $(DRIVER_FRAME:.c=.h)
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) $(DRIVER_CFLAGS) -Itests/hw -static -o $@ $< $(DRIVER_FRAME)

# with the generator of random programs of tests/hw, and the library's interpreter
ISOLATION_SRC := tests/hw/progen.c tests/hw/random_job.c $(addprefix libaccel/src/,ref.c commands.c hwparams.c error.c)
$(T)/driver/test_isolation: tests/driver/test_isolation.c $(ISOLATION_SRC) $(DRIVER_FRAME) $(DRIVER_FRAME:.c=.h) $(T)/driver/kselftest_harness.h
	$(CC) $(CFLAGS) $(DRIVER_CFLAGS) -Itests/hw -Ilibaccel/include -Ilibaccel/src -static -o $@ $< $(ISOLATION_SRC) $(DRIVER_FRAME) -lfdt

# DRM's offsets for mmap() begin at 4 GiB; asm/ is where Debian has it for 64 bits
$(T)/driver/test_%32: tests/driver/test_%.c $(DRIVER_FRAME) $(DRIVER_FRAME:.c=.h) $(T)/driver/kselftest_harness.h
	$(CC) $(CFLAGS) -m32 -D_FILE_OFFSET_BITS=64 $(DRIVER_CFLAGS) -idirafter /usr/include/x86_64-linux-gnu -static -o $@ $< $(DRIVER_FRAME)

# an example as well, on its own
$(T)/driver/test_client: tests/driver/client.c
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) $(filter-out -MMD -MP,$(DRIVER_CFLAGS)) -static -o $@ $< -lfdt

-include $(wildcard $(T)/driver/*.d)

# ---- the machines: kernels are built, and packages unpacked, once (see tests/machine)

machine-uml machine-x86: machine-%:
	@tests/machine/kernel.sh $* >/dev/null

machine-debian:
	@tests/machine/debian.sh kernel >/dev/null
	@tests/machine/debian.sh qemu >/dev/null

uml_line = echo "uml-$(1) $$(($(driver_seconds_$(1)) + 60)) tests/machine/run.sh -b $(BUILD) $(driver_options_$(1)) -t $(driver_seconds_$(1)) uml $(T)/driver/test_$(1)";
uml_fuzz_line = echo "uml-fuzz 400 tests/machine/run.sh -b $(BUILD) -e EIE_SECONDS=$(DRIVER_FUZZ_SECONDS) -e EIE_SEED=1 -t 340 uml $(T)/driver/fuzz_ioctl";

$(BUILD)/check-driver.list: tests/driver/rules.mk
	@mkdir -p $(@D)
	@{ $(foreach t,$(DRIVER_TESTS) $(DRIVER_TESTS_DEBUG),$(call uml_line,$(t))) $(uml_fuzz_line) echo "uml-selftest 1200 tests/machine/selftest.sh $(BUILD)"; } >$@

check-driver:
	@$(MAKE) --no-print-directory deps GROUP=check
	@$(call quietly,check-driver-build)
	@tests/run.sh -j $(NPROC) -l check-driver $(BUILD)
check-driver-build: $(BUILD)/eie-device $(BUILD)/eie-device-checked $(DRIVER_PROGRAMS) machine-uml $(BUILD)/check-driver.list

vm_line = echo "$(1)-$(2) $$(($(driver_seconds_$(2)) * 2 + 60)) tests/machine/run.sh -b $(BUILD) $(driver_options_$(2)) -t $$(($(driver_seconds_$(2)) * 2)) $(1) $(T)/driver/test_$(2)";

$(BUILD)/check-vm.list: tests/driver/rules.mk
	@mkdir -p $(@D)
	@{ $(foreach t,$(DRIVER_TESTS) $(DRIVER_TESTS_VM),$(foreach m,x86 debian,$(call vm_line,$(m),$(t)))) \
	$(foreach t,$(DRIVER_TESTS_DEBUG),$(call vm_line,x86,$(t))) } >$@

check-vm-build: $(BUILD)/eie-device $(BUILD)/eie-device-checked $(DRIVER_PROGRAMS) $(DRIVER_TESTS_VM:%=$(T)/driver/test_%) machine-x86 machine-debian $(BUILD)/check-vm.list

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

.PHONY: fuzz-driver fuzz-driver-build
.PHONY: check-driver check-driver-build machine-uml machine-x86 machine-debian check-vm-build
