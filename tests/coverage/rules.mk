# SPDX-License-Identifier: GPL-2.0 OR MIT
# Included by tests/rules.mk: `make coverage`, line and toggle coverage of the RTL by the hardware tests.
# One more flavour of the simulator; it takes the place of the checked one when the tests' programs look for that.

COVER        := $(BUILD)/coverage
# the smallest one that has everything
COVER_CONFIG ?= 2x8-vector

# -fno-split: Verilator 5.006 counts a branch of a split block after the block has changed what the branch looks at.
SIM_VERILATE_coverage := --no-assert +define+EIE_FREE_CLOCKS -fno-split --coverage-line --coverage-toggle --coverage-max-width 64
SIM_OPT_coverage      := -O1
SIM_CONFIGS_coverage  := $(COVER_CONFIG)
$(eval $(call sim_flavour,coverage))
$(eval $(call sim_model,coverage,$(COVER_CONFIG),$(call sim_ident,$(COVER_CONFIG))))
$(BUILD)/sim/coverage/$(COVER_CONFIG)/Veie_$(call sim_ident,$(COVER_CONFIG)).mk: tests/coverage/rules.mk
$(BUILD)/sim/coverage/model_%.o: SIM_CPPFLAGS += -DVM_COVERAGE=1

$(COVER)/libeie_sim_checked.so: $(call sim_objects,coverage) $(BUILD)/sim/runtime/verilated_cov.o sim/eie_sim.map
	@mkdir -p $(@D)
	$(SIM_LINK)

coverage-build: $(COVER)/libeie_sim_checked.so $(HW_TESTS:%=$(T)/hw/%) $(T)/hw/fuzz_checked
coverage:
	@$(MAKE) --no-print-directory deps GROUP=check
	@echo "Building the simulator that counts, and the tests (log in $(BUILD)/coverage-build.log)"
	@$(call quietly,coverage-build)
	@tests/coverage/run.sh -j $(NPROC) $(BUILD) $(COVER_CONFIG) $(filter-out assert,$(HW_TESTS))
	@tests/coverage/report.sh $(BUILD) $(COVER_CONFIG)
.PHONY: coverage coverage-build
