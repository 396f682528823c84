# SPDX-License-Identifier: GPL-2.0 OR MIT
# Included by the top-level Makefile after sim/rules.mk: eie-device, and eie-device-checked with the assertions of the RTL.

SERVER_SRC    := $(sort $(wildcard sim/server/*.c))
SERVER_CFLAGS := -std=gnu11 -D_GNU_SOURCE -Isim -Ihw/include -Wall -Wextra -Wshadow -Wconversion -Wno-sign-conversion \
	-Wstrict-prototypes -Wmissing-prototypes -MMD -MP
SERVER_OBJ    := $(SERVER_SRC:sim/server/%.c=$(BUILD)/sim/server/%.o)

$(BUILD)/sim/server/%.o: sim/server/%.c
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) $(SERVER_CFLAGS) -c -o $@ $<

$(BUILD)/eie-device: $(SERVER_OBJ) $(BUILD)/libeie_sim.so
	$(CC) $(CFLAGS) -o $@ $(SERVER_OBJ) -L$(BUILD) -leie_sim -Wl,-rpath,'$$ORIGIN'

$(BUILD)/eie-device-checked: $(SERVER_OBJ) $(BUILD)/libeie_sim_checked.so
	$(CC) $(CFLAGS) -o $@ $(SERVER_OBJ) -L$(BUILD) -leie_sim_checked -Wl,-rpath,'$$ORIGIN'

-include $(SERVER_OBJ:.o=.d)
