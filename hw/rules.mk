# SPDX-License-Identifier: GPL-2.0 OR MIT
# Included by the top-level Makefile: generators, generated files, configuration packages, lint.

BUILD     ?= build
CONFIGS   ?= 2x2 8x8 8x8-fpga 16x16
CHECK_CONFIGS ?= $(CONFIGS)
CC        ?= cc
VERILATOR ?= verilator

HW_RTL    := hw/rtl/eie.f $(addprefix hw/rtl/,$(shell sed 's,//.*,,' hw/rtl/eie.f))
HW_CFLAGS := -std=gnu11 -Wall -Wextra

$(BUILD)/hw/eie_gen: hw/gen/eie_gen.c hw/eie_hw.def
	@mkdir -p $(@D)
	$(CC) $(HW_CFLAGS) $(CFLAGS) -o $@ $<

$(BUILD)/hw/eie_cfg: hw/gen/eie_cfg.c hw/include/eie_hw.h
	@mkdir -p $(@D)
	$(CC) $(HW_CFLAGS) $(CFLAGS) -o $@ $< -lfdt

.PRECIOUS: $(BUILD)/hw/%/eie_cfg_pkg.sv
$(BUILD)/hw/%/eie_cfg_pkg.sv: hw/config/%.cfg $(BUILD)/hw/eie_cfg
	@mkdir -p $(@D)
	$(BUILD)/hw/eie_cfg sv $* $< > $@.tmp
	cmp -s $@.tmp $@ || cp $@.tmp $@

# What eie_gen prints, and where it is committed.
HW_GENERATED := c:hw/include/eie_hw.h sv:hw/rtl/eie_pkg.sv md:docs/registers.md

.PHONY: generate check-generated lint
generate: $(BUILD)/hw/eie_gen
	set -e; for g in $(HW_GENERATED); do \
		$(BUILD)/hw/eie_gen $${g%%:*} > $(BUILD)/hw/generated.tmp; \
		cmp -s $(BUILD)/hw/generated.tmp $${g#*:} || cp $(BUILD)/hw/generated.tmp $${g#*:}; \
	done

check-generated: $(BUILD)/hw/eie_gen
	@status=0; for g in $(HW_GENERATED); do \
		$(BUILD)/hw/eie_gen $${g%%:*} > $(BUILD)/hw/check.tmp && \
		diff -u $${g#*:} $(BUILD)/hw/check.tmp || { echo "$${g#*:}: differs; run make generate" >&2; status=1; }; \
	done; exit $$status

HW_WAIVERS := $(wildcard hw/lint/waivers.vlt)

lint: $(CHECK_CONFIGS:%=lint-%)
lint-%: $(BUILD)/hw/%/eie_cfg_pkg.sv $(HW_RTL) $(HW_WAIVERS)
	$(VERILATOR) --lint-only -Wall --assert --top-module eie_top $(HW_WAIVERS) $< -F hw/rtl/eie.f
