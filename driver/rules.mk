# SPDX-License-Identifier: GPL-2.0 OR MIT
# Included by the Makefile: the kernel module, out of tree.
#
#   make modules            builds eie.ko for the running kernel, or the newest one whose headers are installed, or else for Debian's 6.12,
#                           whose headers it fetches into the cache
#   make modules KDIR=DIR   for the kernel whose build directory (headers) is DIR; W=1 and C=1 (sparse) as for any module
#   make modules_install    installs it (INSTALL_MOD_PATH= as for any module)
#   make checkpatch         the kernel's style checker, strict, on driver/ and uapi/
#   make check-headers      builds against the headers of Debian's 6.12 and of the newest kernel in trixie-backports

KDIR ?= $(firstword $(wildcard /lib/modules/$(shell uname -r)/build) \
	$(shell ls -d /lib/modules/*/build 2>/dev/null | sort -rV) $(shell ls -d /usr/src/linux-headers-*-$$(dpkg --print-architecture) 2>/dev/null | sort -rV))

# kbuild leaves its objects beside the sources: they are copied, one copy for each kernel
MODULE_COPY = $(abspath $(BUILD))/modules/$$release
# Debian's kernels ask for type information in modules, which takes the package pahole
MODULE_MAKE = $(MAKE) -C $$kdir M=$(MODULE_COPY)/driver $(if $(shell command -v pahole),,CONFIG_DEBUG_INFO_BTF_MODULES=)
module_release = kdir="$(KDIR)"; test -n "$$kdir" || { \
		echo "No kernel headers are installed; taking those of Debian's 6.12 (others: KDIR=DIR)"; \
		$(MAKE) --no-print-directory deps GROUP=check && kdir=$$(tests/machine/debian.sh kernel)/build || exit 1; \
	}; \
	release=$$($(MAKE) -s --no-print-directory -C $$kdir kernelrelease) || exit 1

modules:
	@$(module_release); \
	for d in driver uapi hw/include; do \
		mkdir -p $(MODULE_COPY)/$$d && cp -ru $$d/. $(MODULE_COPY)/$$d/ || exit 1; \
	done; \
	$(MODULE_MAKE) modules && echo "Built $(MODULE_COPY)/driver/eie.ko"

modules_install:
	@$(module_release); $(MODULE_MAKE) modules_install

# Trace events are laid out as in all of the kernel, which the checker does not know.
CHECKPATCH := $(BUILD)/checkpatch/scripts/checkpatch.pl
CHECKPATCH_TRACE := --ignore OPEN_ENDED_LINE,PARENTHESIS_ALIGNMENT

$(CHECKPATCH): /usr/src/linux-source-6.12.tar.xz
	@mkdir -p $(BUILD)/checkpatch
	@tar -C $(BUILD)/checkpatch --strip-components=1 -xf $< --wildcards '*/scripts/checkpatch.pl' '*/scripts/spelling.txt' \
		'*/scripts/const_structs.checkpatch'
	@touch $@

checkpatch: $(CHECKPATCH)
	@perl $(CHECKPATCH) --no-tree --strict --terse --quiet --no-summary --file $(filter-out driver/eie_trace.h,$(wildcard driver/*.[ch])) \
		driver/Kbuild driver/Kconfig driver/probe.sh uapi/drm/eie_accel.h
	@perl $(CHECKPATCH) --no-tree --strict --terse --quiet --no-summary $(CHECKPATCH_TRACE) --file driver/eie_trace.h
	@echo "checkpatch --strict: nothing to say"

check-headers:
	@$(MAKE) --no-print-directory deps GROUP=check
	@$(MAKE) --no-print-directory deps GROUP=headers
	@tests/machine/headers.sh $(BUILD)

.PHONY: modules modules_install checkpatch check-headers
