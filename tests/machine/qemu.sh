# SPDX-License-Identifier: GPL-2.0 OR MIT
# shellcheck shell=bash disable=SC2034,SC2154
# Sourced by machine_x86.sh and machine_debian.sh: boots $image under QEMU, which emulates two processors (no KVM needed).

results=ttyS1
# which takes no driver for a power button, and ends QEMU too (-no-reboot)
off=reboot
cpus=2

boot() {
	local args=() i
	start_devices vfio-user
	# after 5 s, unless it is told, QEMU answers a read that eie-device has not answered yet with ones
	for ((i = 0; i < devices; i++)); do
		args+=(-device "{\"driver\":\"vfio-user-pci\",\"x-msg-timeout\":60000,\"socket\":{\"type\":\"unix\",\"path\":\"$tmp/dev$i.sock\"}}")
	done
	timeout -k 5 "$limit" "$qemu" -M q35,memory-backend=ram -accel tcg,thread=multi -cpu qemu64 -smp $cpus -m "${memory:-768}M" \
		-object memory-backend-memfd,id=ram,size=${memory:-768}M,share=on -nodefaults -display none -no-reboot \
		-serial "file:$tmp/kernel.log" -serial "file:$tmp/results" "${args[@]}" \
		-kernel "$image" -initrd "$tmp/initramfs" -append "console=ttyS0 $append" >"$tmp/qemu.log" 2>&1 </dev/null || {
		local status=$?
		sed 's/^/# qemu: /' "$tmp/qemu.log"
		return $status
	}
}
