# SPDX-License-Identifier: GPL-2.0 OR MIT
# Test programs, and the list of what `make check` runs (a line is "name seconds command", see tests/run.sh).

LIB_TESTS  := $(patsubst tests/lib/test_%.c,%,$(sort $(wildcard tests/lib/test_*.c)))
HW_TESTS   := $(patsubst tests/hw/test_%.c,%,$(sort $(wildcard tests/hw/test_*.c)))
FUZZERS    := $(patsubst tests/fuzz/fuzz_%.c,%,$(sort $(wildcard tests/fuzz/fuzz_*.c)))
CLI_TESTS  := $(filter-out lib,$(patsubst tests/cli/%.sh,%,$(sort $(wildcard tests/cli/*.sh))))
# seconds of a fuzzer in make fuzz; make check gives the loader of models half of that, the others a quarter
FUZZ_TIME  ?= 60
check_fuzz_time = $(if $(filter eie,$(1)),$$(($(FUZZ_TIME) / 2)),$$(($(FUZZ_TIME) / 4)))

# -O1: most of these programs run for less time than they compile
TEST_CFLAGS := $(LIB_CFLAGS) -O1 -Itests/lib -Wno-missing-prototypes
SAN := -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
T   := $(BUILD)/tests

include tests/sim/rules.mk
include tests/server/rules.mk
include tests/driver/rules.mk
include tests/coverage/rules.mk
include tests/kernels/rules.mk
include tests/peers/rules.mk

# ---- library: once plain, once sanitised

$(T)/lib/%: tests/lib/test_%.c $(BUILD)/obj/libaccel.a
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) $(TEST_CFLAGS) -o $@ $< $(BUILD)/obj/libaccel.a -lcmocka $(LIB_LIBS)
$(T)/asan/%: tests/lib/test_%.c $(BUILD)/asan/libaccel.a
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) $(TEST_CFLAGS) $(SAN) -o $@ $< $(BUILD)/asan/libaccel.a -lcmocka $(LIB_LIBS)

# ---- loaders and the interpreter under libFuzzer

FUZZ_CFLAGS := -O1 -g $(TEST_CFLAGS) -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=all
$(BUILD)/fuzz/%.o: libaccel/src/%.c
	@mkdir -p $(@D)
	$(CLANG) $(FUZZ_CFLAGS) -c -o $@ $<
$(BUILD)/fuzz/configs.o: $(BUILD)/gen/configs.c
	@mkdir -p $(@D)
	$(CLANG) $(FUZZ_CFLAGS) -c -o $@ $<
$(BUILD)/fuzz/onnx.pb-c.o: $(BUILD)/gen/onnx.pb-c.c
	@mkdir -p $(@D)
	$(CLANG) $(FUZZ_CFLAGS) -c -o $@ $<
$(ONNX_OBJ:src/%=$(BUILD)/fuzz/%): $(BUILD)/gen/onnx.pb-c.c
FUZZ_OBJ := $(LIB_SRC:libaccel/src/%.c=$(BUILD)/fuzz/%.o) $(BUILD)/fuzz/configs.o $(BUILD)/fuzz/onnx.pb-c.o
$(T)/fuzz/%: tests/fuzz/fuzz_%.c $(FUZZ_OBJ)
	@mkdir -p $(@D)
	$(CLANG) $(FUZZ_CFLAGS) -o $@ $(filter-out %.h,$^) $(LIB_LIBS)

# kept: all fuzzers link them
.SECONDARY: $(FUZZ_OBJ)

-include $(wildcard $(BUILD)/fuzz/*.d $(BUILD)/fuzz/*/*.d $(T)/*/*.d)

# Sound programs for the interpreter's corpus: $(T)/fuzz/seed_ref tests/fuzz/corpus/ref 18
$(T)/fuzz/seed_ref: tests/fuzz/seed_ref.c tests/hw/progen.c tests/hw/random_job.c tests/hw/random_vector.c $(BUILD)/obj/libaccel.a
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) $(filter-out -MMD -MP,$(TEST_CFLAGS)) -Itests/hw -o $@ $^ $(LIB_LIBS)

# ---- the whole RTL, driven over its registers; the library lends the interpreter

HW_HELP := $(filter-out $(wildcard tests/hw/test_*.c tests/hw/fuzz_*.c),$(wildcard tests/hw/*.c))
# the device trees of all configurations: the library has those of CONFIGS only
$(BUILD)/gen/check_configs.c: $(BUILD)/hw/eie_cfg $(CHECK_CONFIGS:%=hw/config/%.cfg)
	@mkdir -p $(@D)
	$(BUILD)/hw/eie_cfg c $(foreach c,$(CHECK_CONFIGS),$(c) hw/config/$(c).cfg) > $@

$(T)/hw/%: tests/hw/test_%.c $(HW_HELP) $(wildcard tests/hw/*.h tests/lib/*_job.h) $(BUILD)/gen/check_configs.c $(BUILD)/obj/libaccel.a \
		$(BUILD)/libeie_sim_checked.so
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) $(TEST_CFLAGS) -Itests/hw -o $@ $< $(HW_HELP) $(BUILD)/gen/check_configs.c $(BUILD)/obj/libaccel.a -L$(BUILD) -leie_sim_checked \
		-Wl,-rpath,'$$ORIGIN/../..' -lcmocka $(LIB_LIBS)

# ---- random and mutated command buffers: with the fast simulator, and with the one that has assertions

FUZZ_HW := tests/hw/board.c tests/hw/progen.c tests/hw/random_job.c tests/hw/random_vector.c $(sort $(wildcard tests/hw/fuzz_*.c))
# $(1) flavour, $(2) the simulator's library
define fuzz_hw
$(T)/hw/fuzz_$(1): $(FUZZ_HW) $(wildcard tests/hw/*.h tests/lib/*_job.h) $(BUILD)/obj/libaccel.a $(BUILD)/lib$(2).so
	@mkdir -p $$(@D)
	$$(CC) $$(CFLAGS) $$(filter-out -MMD -MP,$$(TEST_CFLAGS)) -Itests/hw -o $$@ $(FUZZ_HW) $(BUILD)/obj/libaccel.a -L$(BUILD) \
		-l$(2) -Wl,-rpath,'$$$$ORIGIN/../..' $$(LIB_LIBS)
endef
$(eval $(call fuzz_hw,fast,eie_sim))
$(eval $(call fuzz_hw,checked,eie_sim_checked))

# A part is fuzz-hw/flavour/configuration/jobs/offset of its seeds; its report appears when it is done.
FUZZ_SEED ?= $(shell date +%s)
FUZZ_HW_PARTS := $(addprefix fuzz-hw/,fast/8x8/500/9000 checked/8x8/100/9500 $(foreach n,0 1 2,checked/2x8-vector/2000/$(n)000) \
	checked/2x2/1500/3000 $(foreach n,4 5 6 7 8,fast/2x2/2500/$(n)000))
$(FUZZ_HW_PARTS): fuzz-hw-build
	@set -- $(subst /, ,$@); $(T)/hw/fuzz_$$2 $$3 $$4 $$(($(FUZZ_SEED) + 1$$5 - 10000))
fuzz-hw:
	@$(MAKE) --no-print-directory deps GROUP=check
	@echo "Building the simulator in both flavours (log in $(BUILD)/fuzz-hw-build.log)"
	@$(call quietly,fuzz-hw-build)
	@echo "Fuzzing with FUZZ_SEED=$(FUZZ_SEED), $(NPROC) parts at a time; each reports when it is done"
	@$(MAKE) --no-print-directory -k -j$(NPROC) -Otarget FUZZ_SEED=$(FUZZ_SEED) $(FUZZ_HW_PARTS)
fuzz-hw-build: $(T)/hw/fuzz_fast $(T)/hw/fuzz_checked
.PHONY: fuzz-hw fuzz-hw-build $(FUZZ_HW_PARTS)

# ---- parts of the RTL alone, assertions on: $(1) name, $(2) configuration, $(3) top, $(4) Verilator's flags, $(5) C++ flags

define rtl_bench
$(T)/rtl/$(1): tests/rtl/tb_$(firstword $(subst -, ,$(1))).cpp $(wildcard tests/rtl/*.h tests/rtl/*.sv) $(HW_RTL) $(BUILD)/hw/$(2)/eie_cfg_pkg.sv
	@mkdir -p $$(@D)
	$$(VERILATOR) --cc --exe --build -Wno-fatal -Wno-SYNCASYNCNET --assert -O3 --x-assign unique --x-initial unique --top-module $(3) $(4) \
		--Mdir $$@.obj -CFLAGS "-O1 -std=c++17 -I$(abspath hw/include) $(5)" -o $$(abspath $$@) \
		$(BUILD)/hw/$(2)/eie_cfg_pkg.sv -F hw/rtl/eie.f $$(abspath $$(wildcard $$(<:.cpp=.sv)) $$<) >$$@.log 2>&1 || { tail -n 30 $$@.log; exit 1; }
endef
# eie_array's parameters come from eie_top in the whole; here they are given, to the module and to the bench
RTL_8X8_G := Clusters=8 Lanes=8 Rows=512 WbufDepth=65536 PbufDepth=16384 RbufDepth=1024 JobDepth=32
RTL_8X8_D := CLUSTERS=8 LANES=8 ROWS=512 WBUF=65536 PBUF=16384 RBUF=1024 ABUF=32768
$(eval $(call rtl_bench,host,2x2,eie_host,-GQueues=2 -GScrubDepth=32,))
$(eval $(call rtl_bench,engines,2x2,tb_engines,,))
$(eval $(call rtl_bench,array-2x2,2x2,eie_array,--prefix Vtop,))
$(eval $(call rtl_bench,array-8x8,8x8,eie_array,--prefix Vtop $(addprefix -G,$(RTL_8X8_G)),$(addprefix -DTB_,$(RTL_8X8_D))))
$(eval $(call rtl_bench,width-64,2x2,eie_axi_width,--prefix Vtop -GBusBits=64,-DTB_BITS=64))
$(eval $(call rtl_bench,width-256,2x2,eie_axi_width,--prefix Vtop -GBusBits=256,-DTB_BITS=256))
$(eval $(call rtl_bench,gather-4,2x2,eie_gather,--prefix Vtop -GClusters=4,-DTB_CLUSTERS=4))
$(eval $(call rtl_bench,gather-16,2x2,eie_gather,--prefix Vtop -GClusters=16,-DTB_CLUSTERS=16))
RTL_TESTS := host engines gather-4 gather-16 width-64 width-256 array-2x2 array-8x8

# ---- published networks: run.sh fetches them, randomise gives topologies weights, topologies makes more of them

$(T)/randomise: tests/networks/randomise.c $(BUILD)/gen/onnx.pb-c.c
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) -std=gnu11 -Wall -Wextra -I$(BUILD)/gen -o $@ $^ -lprotobuf-c -lm

$(T)/topologies: tests/networks/topologies.c tests/lib/onnx_build.h $(BUILD)/gen/onnx.pb-c.c $(BUILD)/libaccel.a
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) $(LIB_CFLAGS) -Itests/lib -o $@ $< $(BUILD)/libaccel.a -lcmocka $(LIB_LIBS)

# longest first: ResNet-50 alone takes as long as the others together
NETWORKS := resnet50 mobilenet shufflenet_v2 vgg19 inception_v1 inception_v2 densenet121 shufflenet squeezenet nasnet deit convnext mnasnet bvlc_alexnet zfnet512
$(BUILD)/check-networks.list: $(MAKEFILE_LIST)
	@mkdir -p $(@D)
	@{ $(foreach n,$(NETWORKS),echo "light-$(n) 1800 env $(SIM_ENV) tests/networks/run.sh $(BUILD) light-$(n)";) \
	echo "profile-page 600 env $(SIM_ENV) tests/networks/profile.sh $(BUILD)"; \
	echo "ppocr 900 env $(SIM_ENV) tests/networks/run.sh $(BUILD) ppocr"; \
	echo "squeezenet-photos 1200 env $(SIM_ENV) EIE_TEST_PHOTOS=100 EIE=$(abspath $(BUILD))/eie BUILD=$(abspath $(BUILD)) tests/cli/squeezenet.sh"; \
	} > $@

check-networks-build: $(BUILD)/eie $(BUILD)/libeie_sim.so $(BUILD)/check-networks.list $(T)/randomise $(T)/topologies
.PHONY: check-networks-build

# ---- all of it

CHECKED := EIE_SIM_LIB=$(abspath $(BUILD))/libeie_sim_checked.so
SIM_ENV := EIE_SIM_LIB=$(abspath $(BUILD))/libeie_sim.so
# jobs of the random test in each configuration: a job of the large ones takes a hundred times as long
RANDOM_JOBS := 2x2=1000 2x2-bus64=300 2x2-bus256=300 2x8-vector=200 8x8=100 8x8-fpga=100 16x16=40
# in batches of 50, the second of racing programs (tests/hw/fuzz_commands.c); a batch of ordered ones has aborts and resets, too
CLOCK_JOBS  := 2x2=1000 8x8=100 8x8-fpga=50 16x16=50
# of tests whose arguments are CONFIG JOBS, fewer than they run by themselves
TEST_JOBS   := vector-8x8=80 soak-16x16=45 select-16x16=120
random_jobs = $(patsubst $(1)=%,%,$(filter $(1)=%,$(RANDOM_JOBS)))

clock_jobs  = $(patsubst $(1)=%,%,$(filter $(1)=%,$(CLOCK_JOBS)))

# longest first: two workers then finish together
$(BUILD)/check.list: $(MAKEFILE_LIST) $(wildcard tests/*/test_*.c tests/cli/*.sh tests/fuzz/fuzz_*.c)
	@mkdir -p $(@D)
	@{ $(foreach c,$(filter 8x8% 16x16,$(CHECK_CONFIGS)),echo "hw-random-$(c) 1500 $(T)/hw/random_jobs $(c) $(call random_jobs,$(c)) 1";) \
	echo "rtl-array-8x8 1200 $(T)/rtl/array-8x8 300"; \
	$(foreach f,$(FUZZERS),echo "fuzz-$(f) $$(($(FUZZ_TIME) + 120)) tests/fuzz/run.sh $(BUILD) $(f) $(call check_fuzz_time,$(f))";) \
	$(foreach c,$(filter 2x%,$(CHECK_CONFIGS)),echo "hw-random-$(c) 900 $(T)/hw/random_jobs $(c) $(call random_jobs,$(c)) 1";) \
	$(foreach t,$(filter-out random_jobs,$(HW_TESTS)),$(foreach c,$(CHECK_CONFIGS),echo "hw-$(t)-$(c) 1200 $(T)/hw/$(t) $(c) $(patsubst $(t)-$(c)=%,%,$(filter $(t)-$(c)=%,$(TEST_JOBS)))";)) \
	$(foreach c,$(CHECK_CONFIGS),echo "hw-networks-$(c) 1200 env $(CHECKED) $(T)/lib/compile sim:$(c)";) \
	$(foreach c,$(filter 8x8%,$(CHECK_CONFIGS)),echo "hw-fuzz-$(c) 600 $(T)/hw/fuzz_fast $(c) 100 2";) \
	echo "hw-fuzz-2x2 600 $(T)/hw/fuzz_checked 2x2 500 1"; \
	echo "hw-fuzz-2x8-vector 600 $(T)/hw/fuzz_checked 2x8-vector 500 1"; \
	$(foreach c,$(CONFIGS),echo "hw-clocks-$(c) 900 tests/hw/clocks.sh $(BUILD) $(c) $(call clock_jobs,$(c)) 77";) \
	echo "hw-networks-slow-bus 600 env $(CHECKED) $(T)/lib/compile sim:2x2,stall=300,jitter=80,latency=20"; \
	$(foreach c,$(CHECK_CONFIGS),echo "hw-sessions-$(c) 600 env $(CHECKED) $(T)/lib/session sim:$(c)";) \
	$(foreach c,$(CHECK_CONFIGS),echo "hw-simdev-$(c) 600 env $(CHECKED) $(T)/lib/simdev $(c),stall=100,jitter=20";) \
	$(foreach c,$(filter 8x8 %-vector,$(CHECK_CONFIGS)),echo "hw-convolutions-$(c) 900 env $(CHECKED) $(T)/lib/conv sim:$(c)"; \
		echo "hw-joins-$(c) 600 env $(CHECKED) $(T)/lib/joins sim:$(c)"; echo "hw-elements-$(c) 600 env $(CHECKED) $(T)/lib/elements sim:$(c)";) \
	$(foreach t,network placement tokens splits graphs excitation weights row_groups,echo "hw-$(t) 600 env $(CHECKED) $(T)/lib/$(t) cpu sim:2x2 sim:8x8";) \
	$(foreach t,$(LIB_TESTS),echo "asan-$(t) 1200 env $(SIM_ENV) $(T)/asan/$(t)"; echo "lib-$(t) 1200 env $(SIM_ENV) $(T)/lib/$(t)";) \
	echo "networks-cost 900 env $(SIM_ENV) $(T)/lib/cost squeezenet"; \
	$(foreach t,$(CLI_TESTS),echo "cli-$(t) 600 env $(SIM_ENV) EIE=$(abspath $(BUILD))/eie BUILD=$(abspath $(BUILD)) tests/cli/$(t).sh";) \
	$(foreach t,$(filter-out array-8x8,$(RTL_TESTS)),echo "rtl-$(t) 600 $(T)/rtl/$(t)";) \
	$(foreach g,ppocr silero light-small,echo "networks-$(g) 900 tests/networks/run.sh $(BUILD) $(g)";) \
	echo "sim-axi_mem 300 $(T)/sim/test_axi_mem"; \
	echo "sim-fast 300 $(T)/sim/test_sim"; \
	echo "sim-checked 600 $(T)/sim/test_sim_checked"; \
	echo "server-device 300 $(T)/server/test_device $(BUILD)/eie-device-checked"; \
	echo "server-virtqueue 60 $(T)/server/test_virtqueue"; \
	$(uml_lines) \
	$(kernel_lines) \
	echo "generated 60 tests/step.sh $(MAKE) BUILD=$(BUILD) check-generated"; \
	echo "lint 300 tests/step.sh $(MAKE) BUILD=$(BUILD) lint"; \
	echo "diagrams 60 tests/diagrams.sh check"; \
	echo "synthesis 60 tests/step.sh $(MAKE) BUILD=$(BUILD) check-synth"; \
	echo "operators 300 tests/operators.sh $(BUILD)"; \
	echo "manpage 60 tests/step.sh mandoc -T lint -W warning docs/man/eie.1"; \
	echo "install 300 tests/install.sh $(BUILD)"; \
	echo "symbols 60 tests/symbols.sh $(BUILD)/$(SONAME) libaccel/include/accel.h"; \
	echo "demo 600 tests/demo.sh $(BUILD) $(MODEL)"; \
	} > $@

check-build: all $(BUILD)/check.list $(BUILD)/libeie_sim_checked.so $(LIB_TESTS:%=$(T)/lib/%) $(LIB_TESTS:%=$(T)/asan/%) \
	$(T)/randomise $(T)/topologies $(SIM_CHECKS) $(HW_TESTS:%=$(T)/hw/%) fuzz-hw-build $(FUZZERS:%=$(T)/fuzz/%) $(RTL_TESTS:%=$(T)/rtl/%) \
	$(KERNEL_TESTS) $(SERVER_TESTS) $(BUILD)/eie-device $(BUILD)/eie-device-checked $(DRIVER_PROGRAMS) machine-uml

diagrams:
	@tests/diagrams.sh write

# hours
bench-compression:
	@$(MAKE) --no-print-directory deps
	@$(MAKE) --no-print-directory deps GROUP=compression
	@echo "Building the command (log in $(BUILD)/bench-compression-build.log)"
	@$(call quietly,bench-compression-build)
	@tests/bench/compression.sh $(BUILD)
bench-compression-build: $(BUILD)/eie
.PHONY: bench-compression bench-compression-build

# a minute: the tables of docs/performance.md
bench-paper: $(BUILD)/eie $(BUILD)/libeie_sim.so
	@tests/bench/paper.sh $(BUILD)
bench-cpu: bench-peers
	@tests/bench/cpu.sh $(BUILD) $(BENCH_NETWORK)
.PHONY: bench-paper bench-cpu

fuzz: $(FUZZERS:%=$(T)/fuzz/%)
	@for f in $(FUZZERS); do tests/fuzz/run.sh $(BUILD) $$f $(FUZZ_TIME) || exit 1; done

.PHONY: check-build diagrams fuzz
