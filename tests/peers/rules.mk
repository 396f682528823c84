# SPDX-License-Identifier: GPL-2.0 OR MIT
# `make bench-peers`: kernels of other libraries for `eie bench cpu --peers`, and what they need. Included by tests/rules.mk.

PEERS      := $(BUILD)/peers
PEER_SRC   := $(sort $(wildcard tests/peers/*.cpp))
PEER_FLAGS := -O3 -march=native -fopenmp

$(PEERS)/include/onnxruntime_c_api.h: tests/peers/fetch.sh
	tests/peers/fetch.sh $(PEERS)
	touch $@
$(PEERS)/%.o: tests/peers/%.cpp tests/peers/peer.h tests/peers/peers.hpp $(PEERS)/include/onnxruntime_c_api.h $(BUILD)/gen/onnx.pb-c.c
	$(CXX) -std=c++17 -g $(PEER_FLAGS) -fPIC -fvisibility=hidden -Wall -Wextra -DPEER_FLAGS='"$(PEER_FLAGS)"' \
		-DXNNPACK_VERSION='"$(shell dpkg-query -W -f='$${Version}' libxnnpack-dev 2>/dev/null)"' \
		-I$(PEERS)/include -I$(BUILD)/gen -isystem /usr/include/eigen3 -c -o $@ $<
$(PEERS)/onnx.pb-c.o: $(BUILD)/gen/onnx.pb-c.c
	@mkdir -p $(@D)
	$(CC) -std=gnu11 -O2 -fPIC -fvisibility=hidden -I$(BUILD)/gen -c -o $@ $<
$(BUILD)/libeie_peers.so: $(PEER_SRC:tests/peers/%.cpp=$(PEERS)/%.o) $(PEERS)/network.o $(PEERS)/onnx.pb-c.o
	$(CXX) -shared -fopenmp -Wl,-z,defs -Wl,-rpath,'$$ORIGIN/peers/lib' -o $@ $^ $(PEERS)/lib/libonnxruntime.so.1 -ldnnl -lXNNPACK -lpthreadpool -lopenblas \
		-lprotobuf-c

$(PEERS)/network.o: tests/peers/network.c tests/peers/peer.h $(PEERS)/include/onnxruntime_c_api.h $(BUILD)/gen/onnx.pb-c.c
	$(CC) $(CFLAGS) $(filter-out -MMD -MP,$(LIB_CFLAGS)) -I$(PEERS)/include -c -o $@ $<

bench-peers:
	@$(MAKE) --no-print-directory deps GROUP=peers
	@echo "Building the command and its peers (log in $(BUILD)/bench-peers-build.log)"
	@$(call quietly,bench-peers-build)
bench-peers-build: $(BUILD)/eie $(BUILD)/libeie_peers.so
.PHONY: bench-peers bench-peers-build
