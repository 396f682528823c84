# SPDX-License-Identifier: GPL-2.0 OR MIT
# Included by the top-level Makefile after sim/rules.mk: `make check-sim`.

SIM_CHECKS := $(addprefix $(BUILD)/tests/sim/,test_axi_mem test_sim test_sim_checked)

$(BUILD)/tests/sim/test_axi_mem: tests/sim/test_axi_mem.cpp $(BUILD)/sim/axi_mem.o $(SIM_HEADERS)
	@mkdir -p $(@D)
	$(CXX) -std=gnu++17 -Wall -Wextra -O1 $(CXXFLAGS) -Isim -o $@ $< $(BUILD)/sim/axi_mem.o -lcmocka

SIM_TEST_LINK = $(CC) -std=gnu11 -Wall -Wextra -O1 $(CFLAGS) -Isim -Ihw/include -o $@ $< -L$(BUILD) \
                -Wl,-rpath,'$$ORIGIN/../..' -pthread -lcmocka -lfdt

$(BUILD)/tests/sim/test_sim: tests/sim/test_sim.c $(BUILD)/libeie_sim.so sim/eie_sim.h hw/include/eie_hw.h
	@mkdir -p $(@D)
	$(SIM_TEST_LINK) -leie_sim

$(BUILD)/tests/sim/test_sim_checked: tests/sim/test_sim.c $(BUILD)/libeie_sim_checked.so sim/eie_sim.h hw/include/eie_hw.h
	@mkdir -p $(@D)
	$(SIM_TEST_LINK) -leie_sim_checked

.PHONY: check-sim
check-sim: $(SIM_CHECKS)
	set -e; for t in $(SIM_CHECKS); do $$t; done
