# SPDX-License-Identifier: GPL-2.0 OR MIT
# Included by tests/rules.mk: the device server without a virtual machine.

SERVER_TESTS := $(T)/server/test_device $(T)/server/test_virtqueue

$(T)/server/test_device: tests/server/test_device.c tests/server/client.c tests/server/client.h sim/server/testcap.h
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) $(filter-out -MMD -MP,$(SERVER_CFLAGS)) -Wno-missing-prototypes -Wno-conversion -Isim/server -o $@ $(filter %.c,$^) -lcmocka

$(T)/server/test_virtqueue: tests/server/test_virtqueue.c sim/server/virtqueue.c sim/server/memory.c sim/server/virtqueue.h sim/server/memory.h
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) $(filter-out -MMD -MP,$(SERVER_CFLAGS)) -Isim/server $(SAN) -o $@ $(filter %.c,$^) -lcmocka

# one of FUZZERS, with its own parts: the server's, and the real engine
$(T)/fuzz/transport: tests/fuzz/fuzz_transport.c $(filter-out sim/server/main.c,$(SERVER_SRC)) $(BUILD)/libeie_sim_checked.so
	@mkdir -p $(@D)
	$(CLANG) -O1 -g $(filter-out -MMD -MP,$(SERVER_CFLAGS)) -Isim/server -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=all \
		-Wno-missing-prototypes -Wno-conversion -o $@ $(filter %.c,$^) -L$(BUILD) -leie_sim_checked -Wl,-rpath,'$$ORIGIN/../..' -lpthread
