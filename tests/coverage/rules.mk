# SPDX-License-Identifier: GPL-2.0 OR MIT
# Included by tests/rules.mk: `make coverage`, line and toggle coverage of the RTL by the hardware tests.
# One more flavour of the simulator; it takes the place of the checked one when the tests' programs look for that.

COVER        := $(BUILD)/coverage
COVER_CONFIG ?= 2x2

# -fno-split: Verilator 5.006 counts a branch of a split block after the block has changed what the branch looks at.
SIM_VERILATE_coverage := --no-assert -fno-split --coverage-line --coverage-toggle --coverage-max-width 64
SIM_OPT_coverage      := -O1
$(eval $(call sim_model,coverage,$(COVER_CONFIG)))
$(BUILD)/sim/coverage/$(COVER_CONFIG)/Veie_$(COVER_CONFIG).mk: tests/coverage/rules.mk
$(BUILD)/sim/coverage/model_%.o: SIM_CPPFLAGS += -DVM_COVERAGE=1

$(COVER)/configs.inc: tests/coverage/rules.mk
	@mkdir -p $(@D)
	@printf 'EIE_CONFIG(%s)\n' $(COVER_CONFIG) > $@
$(COVER)/eie_sim.o: SIM_CPPFLAGS := -I$(COVER) $(SIM_CPPFLAGS)
$(COVER)/eie_sim.o: sim/eie_sim.cpp $(COVER)/configs.inc $(SIM_HEADERS)
	$(SIM_COMPILE) -c -o $@ $<
$(COVER)/libeie_sim_checked.so: $(COVER)/eie_sim.o $(filter-out %/eie_sim.o,$(SIM_COMMON)) $(BUILD)/sim/runtime/verilated_cov.o \
	$(BUILD)/sim/coverage/model_$(COVER_CONFIG).o $(BUILD)/sim/coverage/$(COVER_CONFIG)/Veie_$(COVER_CONFIG)__ALL.a sim/eie_sim.map
	$(SIM_LINK)

coverage-build: $(COVER)/libeie_sim_checked.so $(HW_TESTS:%=$(T)/hw/%) $(T)/hw/fuzz_checked
coverage: deps
	@echo "Building the simulator that counts, and the tests (log in $(BUILD)/coverage-build.log)"
	@$(call quietly,coverage-build)
	@tests/coverage/run.sh -j $(NPROC) $(BUILD) $(COVER_CONFIG) $(filter-out assert,$(HW_TESTS))
	@tests/coverage/report.sh $(BUILD) $(COVER_CONFIG)
.PHONY: coverage coverage-build
