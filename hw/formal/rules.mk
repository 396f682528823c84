# SPDX-License-Identifier: GPL-2.0 OR MIT
# Included by hw/rules.mk: what hw/formal/proofs names, proved (docs/formal.md). FORMAL_LIMIT: seconds, each call of the solver.

FORMAL_NAMES   := $(shell sed 's/\#.*//' hw/formal/proofs | awk 'NF { print $$2 }')
FORMAL_PACKAGE := $(BUILD)/hw/2x2/eie_cfg_pkg.sv

.PRECIOUS: $(BUILD)/formal/%/result
$(BUILD)/formal/%/result: $(FORMAL_PACKAGE) $(HW_RTL) hw/formal/proofs hw/formal/prove.sh $(wildcard hw/formal/fv_*)
	@hw/formal/prove.sh $< $(@D) $*

.PHONY: formal formal-proofs
formal:
	@$(MAKE) --no-print-directory deps GROUP=formal
	@$(MAKE) --no-print-directory -k -j$(NPROC) formal-proofs

formal-proofs: $(FORMAL_NAMES:%=$(BUILD)/formal/%/result)
	@cat $^ | awk -F'|' -f hw/formal/report.awk
