# SPDX-License-Identifier: GPL-2.0 OR MIT
# shellcheck shell=bash disable=SC2034,SC2154
# Sourced by run.sh: user-mode Linux with the debug kernel.

results=ttyS0
off=poweroff
cpus=1

prepare() {
	kernel=$("$machine/kernel.sh" uml)
	headers=$kernel module_options=(ARCH=um)
	installed=$kernel
}

boot() {
	local args=() i
	start_devices virtio-pcidev
	for ((i = 0; i < devices; i++)); do args+=("virtio_uml.device=$tmp/dev$i.sock:1234"); done
	# The device may be slow to answer: this machine's cores are shared, and the RTL is clocked in between.
	# shellcheck disable=SC2086
	timeout -k 5 "$limit" "$kernel/linux" mem=${memory:-512}M "initrd=$tmp/initramfs" rdinit=/init uml_dir="$tmp" umid=uml \
		con0=null,fd:1 con=null ssl0=null,fd:4 ssl=null console=tty0 virt_pci.max_delay_us=30000000 "${args[@]}" $append \
		>"$tmp/kernel.log" 2>&1 4>>"$tmp/results" </dev/null
}
