# SPDX-License-Identifier: GPL-2.0 OR MIT
# shellcheck shell=bash disable=SC2034,SC2154
# Sourced by run.sh: the x86 debug kernel under QEMU.
. "$machine/qemu.sh"

prepare() {
	local kernel
	qemu=$("$machine/debian.sh" qemu)
	kernel=$("$machine/kernel.sh" x86)
	image=$kernel/arch/x86/boot/bzImage
	headers=$kernel
	installed=$kernel
}
