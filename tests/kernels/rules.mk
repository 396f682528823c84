# SPDX-License-Identifier: GPL-2.0 OR MIT
# Kernels of the CPU alone: natively, sanitised, and NEON under qemu-user. Included by tests/rules.mk.

AARCH64_CC  ?= aarch64-linux-gnu-gcc
AARCH64_RUN ?= qemu-aarch64

KERNEL_SRC := tests/kernels/fc_levels.c $(sort $(wildcard libaccel/src/cpu_fc_*.c)) libaccel/src/cpu_level.c libaccel/src/cpu_sell.c libaccel/src/error.c
KERNEL_DEP := $(KERNEL_SRC) libaccel/include/accel.h libaccel/src/model.h libaccel/src/cpu_fc.h libaccel/src/cpu_sell.h
KERNEL_CFLAGS := $(CFLAGS) $(filter-out -MMD -MP -fPIC,$(LIB_CFLAGS))

$(T)/kernels/native: $(KERNEL_DEP)
	@mkdir -p $(@D)
	$(CC) $(KERNEL_CFLAGS) -o $@ $(KERNEL_SRC)
$(T)/kernels/asan: $(KERNEL_DEP)
	@mkdir -p $(@D)
	$(CC) $(KERNEL_CFLAGS) $(SAN) -o $@ $(KERNEL_SRC)
$(T)/kernels/neon: $(KERNEL_DEP)
	@mkdir -p $(@D)
	$(AARCH64_CC) $(KERNEL_CFLAGS) -static -o $@ $(KERNEL_SRC)

KERNEL_TESTS := $(T)/kernels/native $(T)/kernels/asan $(T)/kernels/neon
kernel_lines := $(foreach f,native asan,echo "kernels-$(f) 300 tests/step.sh $(T)/kernels/$(f) portable";) \
	echo "kernels-neon 300 tests/step.sh $(AARCH64_RUN) $(T)/kernels/neon neon portable";
