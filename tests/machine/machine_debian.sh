# SPDX-License-Identifier: GPL-2.0 OR MIT
# shellcheck shell=bash disable=SC2034,SC2154
# Sourced by run.sh: Debian's own kernel under QEMU, with the driver as an out-of-tree module.
. "$machine/qemu.sh"

prepare() {
	local debian
	qemu=$("$machine/debian.sh" qemu)
	debian=$("$machine/debian.sh" kernel)
	image=$(echo "$debian"/boot/vmlinuz-*)
	# Debian's headers lack vmlinux, from which type information for modules would be made
	headers=$debian/build module_options=(CONFIG_DEBUG_INFO_BTF_MODULES=)
	installed=$debian/lib/modules
}
