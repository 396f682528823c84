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

# ---- cycle model of vector mode: the table of docs/vector_mode.md

$(BUILD)/hw/vector_cycles: hw/model/vector_cycles.c
	@mkdir -p $(@D)
	$(CC) $(HW_CFLAGS) $(CFLAGS) -o $@ $<

.PHONY: model-vector
model-vector: $(BUILD)/hw/vector_cycles
	@$<

HW_WAIVERS := $(wildcard hw/lint/waivers.vlt)

lint: $(CHECK_CONFIGS:%=lint-%)
lint-%: $(BUILD)/hw/%/eie_cfg_pkg.sv $(HW_RTL) $(HW_WAIVERS)
	$(VERILATOR) --lint-only -Wall --assert --top-module eie_top $(HW_WAIVERS) $< -F hw/rtl/eie.f

# ---- synthesis: docs/synthesis.md has the figures of the RTL whose hash it bears

SYNTH_CONFIGS := 2x2 8x8-fpga 2x8-vector
SYNTH_HASH     = hw/synth/hash.sh $(SYNTH_CONFIGS:%=$(BUILD)/hw/%/eie_cfg_pkg.sv)

# changes only when a part comes or goes, not with a budget
$(BUILD)/synth/%/parts: hw/synth/parts
	@mkdir -p $(@D)
	@awk '$$1 == "part" && $$2 == "$*" && $$3 != "eie_top" { print $$3 }' $< > $@.tmp
	@cmp -s $@.tmp $@ || cp $@.tmp $@

.PRECIOUS: $(BUILD)/synth/%/parts
$(BUILD)/synth/%/done: $(BUILD)/hw/%/eie_cfg_pkg.sv $(BUILD)/synth/%/parts $(HW_RTL) hw/synth/synth.sh hw/synth/ltp_map.v
	@echo "Synthesising $* (log in $(@D)/yosys.log)"
	@hw/synth/synth.sh $< $(@D) $$(cat $(@D)/parts)

.PHONY: synth synth-figures check-synth
synth:
	@$(MAKE) --no-print-directory deps GROUP=synth
	@echo "Twenty minutes on two cores"
	@$(MAKE) --no-print-directory -j$(NPROC) synth-figures

synth-figures: $(SYNTH_CONFIGS:%=$(BUILD)/synth/%/done)
	@awk -v out=$(BUILD)/synth -v version="$$(yosys -V)" -v hash="$$($(SYNTH_HASH))" -f hw/synth/report.awk hw/synth/parts \
		> $(BUILD)/synth/synthesis.md || { echo "The figures are in $(BUILD)/synth/synthesis.md" >&2; exit 1; }
	@cp $(BUILD)/synth/synthesis.md docs/synthesis.md
	@sed -n '/^## /p; /^| part/,/^$$/p' docs/synthesis.md

check-synth: $(SYNTH_CONFIGS:%=$(BUILD)/hw/%/eie_cfg_pkg.sv)
	@grep -q "$$($(SYNTH_HASH))" docs/synthesis.md || { \
		echo "docs/synthesis.md is of other RTL, configurations or scripts than these; run make synth" >&2; exit 1; }

include hw/formal/rules.mk
