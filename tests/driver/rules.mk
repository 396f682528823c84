# SPDX-License-Identifier: GPL-2.0 OR MIT
# Included by tests/rules.mk: the driver's tests, static programs for the test machines (tests/machine), and where each runs.

# Programs that a machine runs in one boot, with the seconds it may take; `make check` boots user-mode Linux for each line,
# `make check-vm` QEMU, with the debug kernel and with Debian's.
DRIVER_TESTS := probe client jobs recovery network
driver_seconds_probe := 300
driver_seconds_client := 120
driver_seconds_jobs := 300
driver_seconds_recovery := 600
driver_seconds_network := 300
# further options of tests/machine/run.sh
driver_options_network = -c 8x8 $(addprefix -a ,$(BUILD)/eie $(MODEL) $(wildcard $(DATA)/t10k-*))

DRIVER_FRAME    := tests/driver/frame.c tests/driver/job.c
DRIVER_PROGRAMS := $(DRIVER_TESTS:%=$(T)/driver/test_%)
DRIVER_CFLAGS   := -std=gnu11 -D_GNU_SOURCE -Wall -Wextra -Isim/server -Ihw/include -Iuapi -isystem $(T)/driver -I/usr/include/libdrm -MMD -MP

# the kernel's test harness, from its sources; half a minute a test is too little for a simulated device on a busy host
$(T)/driver/kselftest_harness.h: tests/machine/kernel.sh tests/driver/rules.mk
	@mkdir -p $(@D)
	@dir=$$(tests/machine/kernel.sh source)/tools/testing/selftests && cp "$$dir/kselftest.h" $(@D)/ && \
		sed 's/^#define TEST_TIMEOUT_DEFAULT 30$$/#define TEST_TIMEOUT_DEFAULT 300/' "$$dir/kselftest_harness.h" >$@ && \
		grep -q 'TIMEOUT_DEFAULT 300' $@

$(T)/driver/test_%: tests/driver/test_%.c $(DRIVER_FRAME) $(DRIVER_FRAME:.c=.h) $(T)/driver/kselftest_harness.h
	$(CC) $(CFLAGS) $(DRIVER_CFLAGS) -static -o $@ $< $(DRIVER_FRAME)

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

# $(1) machine, $(2) test, $(3) seconds: a line for tests/run.sh
machine_line = echo "$(1)-$(2) $$(($(3) + 60)) tests/machine/run.sh -b $(BUILD) -t $$(($(3))) $(driver_options_$(2)) $(1) $(T)/driver/test_$(2)";
uml_lines = $(foreach t,$(DRIVER_TESTS),$(call machine_line,uml,$(t),$(driver_seconds_$(t)))) \
	echo "uml-selftest 1200 tests/machine/selftest.sh $(BUILD)";

$(BUILD)/check-vm.list: tests/driver/rules.mk
	@mkdir -p $(@D)
	@{ $(foreach t,$(DRIVER_TESTS),$(foreach m,x86 debian,$(call machine_line,$(m),$(t),$(driver_seconds_$(t)) * 2))) } >$@

check-vm-build: $(BUILD)/eie-device $(BUILD)/eie-device-checked $(DRIVER_PROGRAMS) machine-x86 machine-debian $(BUILD)/check-vm.list

.PHONY: machine-uml machine-x86 machine-debian check-vm-build
