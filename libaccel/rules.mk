# SPDX-License-Identifier: GPL-2.0 OR MIT
# The library, the command, the example.

LIB_SRC   := $(sort $(wildcard libaccel/src/*.c))
TOOL_SRC  := $(sort $(wildcard libaccel/tool/*.c))
DRM_CFLAGS := $(shell pkg-config --cflags libdrm 2>/dev/null)
LIB_LIBS  := -ldrm -lfdt -lzip -ljpeg -lpng -llzma -lz -lprotobuf-c -lpthread -ldl -lm
TOOL_LIBS := -lz -lm

# -ffp-contract=off: float results must not depend on whether the machine fuses multiply and add
LIB_CFLAGS := -std=gnu11 -D_GNU_SOURCE -fPIC -fvisibility=hidden -ffp-contract=off -Ilibaccel/include -Ilibaccel/src \
	-Ihw -Ihw/include -Isim -Itests/peers -Iuapi $(DRM_CFLAGS) -I$(BUILD)/gen -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes \
	-MMD -MP

# made each time, new only when CONFIGS or one of them changed
$(BUILD)/gen/configs.c: $(BUILD)/hw/eie_cfg configs_force
	@mkdir -p $(@D)
	@$(BUILD)/hw/eie_cfg ref $(foreach c,$(CONFIGS),$(c) hw/config/$(c).cfg) > $@.tmp
	@cmp -s $@.tmp $@ || cp $@.tmp $@
.PHONY: configs_force

$(BUILD)/gen/onnx.pb-c.c: libaccel/src/onnx.proto
	@mkdir -p $(@D)
	protoc-c --proto_path=libaccel/src --c_out=$(BUILD)/gen onnx.proto

# what includes the generated header; written out, for the first build has no dependency files yet
ONNX_OBJ := $(patsubst libaccel/%.c,%.o,$(wildcard libaccel/src/onnx*.c libaccel/src/import.c libaccel/src/deepcomp.c libaccel/src/compress.c))

# $(call lib_objects,DIR,FLAGS): the library compiled into DIR
define lib_objects
$(BUILD)/$(1)/libaccel/%.o: libaccel/%.c
	@mkdir -p $$(@D)
	$$(CC) $$(CFLAGS) $$(LIB_CFLAGS) $(2) -c -o $$@ $$<
$(BUILD)/$(1)/libaccel/configs.o: $(BUILD)/gen/configs.c
	@mkdir -p $$(@D)
	$$(CC) $$(CFLAGS) $$(LIB_CFLAGS) $(2) -c -o $$@ $$<
$(BUILD)/$(1)/libaccel/onnx.pb-c.o: $(BUILD)/gen/onnx.pb-c.c
	@mkdir -p $$(@D)
	$$(CC) $$(CFLAGS) $$(LIB_CFLAGS) $(2) -c -o $$@ $$<
$(ONNX_OBJ:%=$(BUILD)/$(1)/libaccel/%): $(BUILD)/gen/onnx.pb-c.c
$(BUILD)/$(1)/libaccel.a: $(LIB_SRC:libaccel/%.c=$(BUILD)/$(1)/libaccel/%.o) $(BUILD)/$(1)/libaccel/configs.o $(BUILD)/$(1)/libaccel/onnx.pb-c.o
	rm -f $$@ && $$(AR) rcs $$@ $$^
endef
$(eval $(call lib_objects,obj,))
$(eval $(call lib_objects,asan,-O1 -fsanitize=address$(comma)undefined -fno-sanitize-recover=all -fno-omit-frame-pointer))

# loops over elements, which the network's correction spends its time in; the order of additions stays, so the results do
$(patsubst %,$(BUILD)/obj/libaccel/src/%.o,compress_teacher depthwise op op_binary op_pool op_unary grad_op): CFLAGS += -O3

$(BUILD)/libaccel.a: $(BUILD)/obj/libaccel.a
	cp $< $@

$(BUILD)/$(SONAME): $(LIB_SRC:libaccel/%.c=$(BUILD)/obj/libaccel/%.o) $(BUILD)/obj/libaccel/configs.o $(BUILD)/obj/libaccel/onnx.pb-c.o libaccel/libaccel.map
	$(CC) $(CFLAGS) -shared -Wl,-soname,$(SONAME) -Wl,--version-script=libaccel/libaccel.map -Wl,-z,defs -o $@ \
		$(filter %.o,$^) $(LIB_LIBS)
	ln -sf $(SONAME) $(BUILD)/libaccel.so

$(BUILD)/eie: $(TOOL_SRC:libaccel/%.c=$(BUILD)/obj/libaccel/%.o) $(BUILD)/obj/libaccel.a
	$(CC) $(CFLAGS) -o $@ $^ $(TOOL_LIBS) $(LIB_LIBS)

$(BUILD)/classify: libaccel/examples/classify.c $(BUILD)/$(SONAME)
	$(CC) $(CFLAGS) -std=gnu11 -Wall -Wextra -Ilibaccel/include -o $@ $< -L$(BUILD) -laccel -Wl,-rpath,'$$ORIGIN'

-include $(wildcard $(BUILD)/obj/libaccel/*/*.d $(BUILD)/asan/libaccel/*/*.d)
