# SPDX-License-Identifier: GPL-2.0 OR MIT
# shellcheck shell=bash disable=SC2034,SC2154
# Sourced by run.sh: Debian's own kernel under QEMU, with the driver as an out-of-tree module.
. "$machine/qemu.sh"

# load_order ROOT MODULE...: the files of these modules and of all that they depend on, in the order to load them
load_order() {
	local root=$1 name file
	shift
	for name; do
		file=$(find "$root" -name "${name//[-_]/[-_]}.ko*" | head -n 1)
		[ -n "$file" ] || continue # built in
		case " ${ordered[*]} " in *" $file "*) continue ;; esac
		# shellcheck disable=SC2046
		load_order "$root" $(modinfo -F depends "$file" | tr , ' ')
		ordered+=("$file")
	done
}

prepare() {
	local debian ordered=()
	qemu=$("$machine/debian.sh" qemu)
	debian=$("$machine/debian.sh" kernel)
	image=$(echo "$debian"/boot/vmlinuz-*)
	# Debian's headers lack vmlinux, from which type information for modules would be made
	eie=$("$machine/module.sh" "$debian/build" "$build/machine/debian" CONFIG_DEBUG_INFO_BTF_MODULES=)
	# shellcheck disable=SC2046
	load_order "$debian/lib/modules" $(modinfo -F depends "$eie" | tr , ' ')
	modules="${ordered[*]}"
}
