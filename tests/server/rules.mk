# SPDX-License-Identifier: GPL-2.0 OR MIT
# Included by tests/rules.mk: the device server without a virtual machine.

SERVER_TESTS := $(T)/server/test_device $(T)/server/test_virtqueue

$(T)/server/test_device: tests/server/test_device.c tests/server/client.c tests/server/client.h sim/server/testcap.h
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) $(filter-out -MMD -MP,$(SERVER_CFLAGS)) -Wno-missing-prototypes -Wno-conversion -Isim/server -o $@ $(filter %.c,$^) -lcmocka

$(T)/server/test_virtqueue: tests/server/test_virtqueue.c sim/server/virtqueue.c sim/server/memory.c sim/server/virtqueue.h sim/server/memory.h
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) $(filter-out -MMD -MP,$(SERVER_CFLAGS)) -Isim/server $(SAN) -o $@ $(filter %.c,$^) -lcmocka
