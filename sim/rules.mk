# SPDX-License-Identifier: GPL-2.0 OR MIT
# Included by the top-level Makefile after hw/rules.mk: libeie_sim.so (fast) and libeie_sim_checked.so (the assertions of
# the RTL compiled in). The fast one holds the configurations of CONFIGS, the checked one those of CHECK_CONFIGS.

CXX ?= c++

# Without -march=native: the library must run on other machines than the one that built it.
SIM_MARCH    = $(if $(filter x86_64%,$(shell $(CXX) -dumpmachine)),-march=x86-64-v2)
SIM_CXXFLAGS = -std=gnu++17 -fPIC -fvisibility=hidden -fvisibility-inlines-hidden $(SIM_MARCH) $(CXXFLAGS)
SIM_INCLUDE  = $(shell $(VERILATOR) --getenv VERILATOR_ROOT)/include
SIM_CPPFLAGS = -Isim -isystem $(SIM_INCLUDE) -isystem $(SIM_INCLUDE)/vltstd -DVL_TIME_CONTEXT
SIM_COMPILE  = $(CXX) $(SIM_CXXFLAGS) -Wall -Wextra -O2 $(SIM_CPPFLAGS)

# The loops over the lanes (hw/rtl/eie_lanes.sv) stay loops, which the compiler turns into vector instructions, and so do
# copies of memory words.
SIM_VERILATE = $(VERILATOR) --cc -O3 --x-assign fast --x-initial fast -fno-table --expand-limit 4 --unroll-count 4 --output-split 20000 \
               --no-skip-identical \
               -Wno-fatal --top-module eie_sim_top -CFLAGS "$(SIM_CXXFLAGS) -DVL_TIME_CONTEXT"
SIM_VERILATE_fast    := --no-assert
# Tests hold clocks that rest (hw/rtl/eie_clkgate.sv) to clocks that do not.
SIM_VERILATE_checked := --assert +define+EIE_FREE_CLOCKS
SIM_OPT_fast         := -O2 -ftree-loop-vectorize -fvect-cost-model=dynamic
SIM_OPT_checked      := -O1

SIM_CONFIGS_fast     := $(CONFIGS)
SIM_CONFIGS_checked  := $(CHECK_CONFIGS)

SIM_HEADERS := sim/eie_sim.h sim/axi_mem.hpp sim/model.hpp
SIM_COMMON  := $(addprefix $(BUILD)/sim/,axi_mem.o runtime/verilated.o runtime/verilated_threads.o)

# a configuration's name as part of C identifiers
sim_ident = $(subst -,_,$(1))

$(BUILD)/sim/%.o: sim/%.cpp $(SIM_HEADERS) sim/rules.mk
	@mkdir -p $(@D)
	$(SIM_COMPILE) -c -o $@ $<

# Verilator's messages (failed assertions) belong on stderr.
$(BUILD)/sim/runtime/%.o: sim/rules.mk
	@mkdir -p $(@D)
	$(SIM_COMPILE) -w -D'VL_PRINTF(...)=fprintf(stderr,__VA_ARGS__)' -c -o $@ $(SIM_INCLUDE)/$*.cpp

# $(1) flavour: the table of its configurations, and the C interface over it
define sim_flavour
$(BUILD)/sim/$(1)/configs.inc: sim_force
	@mkdir -p $$(@D)
	@printf 'EIE_CONFIG(%s, "%s")\n' $(foreach c,$(SIM_CONFIGS_$(1)),$(call sim_ident,$(c)) $(c)) > $$@.tmp
	@cmp -s $$@.tmp $$@ || cp $$@.tmp $$@

$(BUILD)/sim/$(1)/eie_sim.o: sim/eie_sim.cpp $(SIM_HEADERS) $(BUILD)/sim/$(1)/configs.inc sim/rules.mk
	$$(SIM_COMPILE) -I$(BUILD)/sim/$(1) -c -o $$@ $$<
endef
.PHONY: sim_force
$(foreach flavour,fast checked,$(eval $(call sim_flavour,$(flavour))))

# $(1) flavour, $(2) configuration, $(3) the same as identifier
define sim_model
$(BUILD)/sim/$(1)/$(2)/Veie_$(3).mk: $(BUILD)/hw/$(2)/eie_cfg_pkg.sv $(HW_RTL) sim/verilate.vlt sim/eie_sim_top.sv sim/rules.mk
	@mkdir -p $$(@D)
	$$(SIM_VERILATE) $$(SIM_VERILATE_$(1)) --prefix Veie_$(3) --Mdir $$(@D) sim/verilate.vlt $$< -F hw/rtl/eie.f sim/eie_sim_top.sv

$(BUILD)/sim/$(1)/$(2)/Veie_$(3)__ALL.a: $(BUILD)/sim/$(1)/$(2)/Veie_$(3).mk
	+$$(MAKE) -C $$(@D) -f Veie_$(3).mk CXX="$(CXX)" OPT_FAST="$$(SIM_OPT_$(1))" OPT_SLOW=-O0 $$(@F)
	@touch $$@

$(BUILD)/sim/$(1)/model_$(2).o: sim/model.cpp $(SIM_HEADERS) $(BUILD)/sim/$(1)/configs.inc $(BUILD)/sim/$(1)/$(2)/Veie_$(3).mk
	$$(SIM_COMPILE) -I$(BUILD)/sim/$(1) -isystem $(BUILD)/sim/$(1)/$(2) -DEIE_VMODEL=Veie_$(3) -DEIE_VHEADER='"Veie_$(3).h"' \
		-DEIE_MAKE=make_$(3) -c -o $$@ $$<
endef
$(foreach flavour,fast checked,$(foreach config,$(SIM_CONFIGS_$(flavour)),\
	$(eval $(call sim_model,$(flavour),$(config),$(call sim_ident,$(config))))))

# $(1) flavour
sim_objects = $(SIM_COMMON) $(BUILD)/sim/$(1)/eie_sim.o $(SIM_CONFIGS_$(1):%=$(BUILD)/sim/$(1)/model_%.o) \
              $(foreach config,$(SIM_CONFIGS_$(1)),$(BUILD)/sim/$(1)/$(config)/Veie_$(call sim_ident,$(config))__ALL.a)
SIM_LINK    = $(CXX) -shared -pthread -Wl,-soname,$(@F) -Wl,--version-script=sim/eie_sim.map -Wl,-z,defs \
              -o $@ $(filter %.o,$^) $(filter %.a,$^)

$(BUILD)/libeie_sim.so: $(call sim_objects,fast) sim/eie_sim.map
	$(SIM_LINK)

$(BUILD)/libeie_sim_checked.so: $(call sim_objects,checked) sim/eie_sim.map
	$(SIM_LINK)
