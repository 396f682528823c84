#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR MIT
#
# module.sh KERNEL_BUILD OUT [VARIABLE=VALUE...]: builds eie.ko against a kernel, in a copy of the sources below OUT (kernels must not share
# object files), and prints where it is.
. "$(dirname "$0")/lib.sh"

kernel=$1 out=$2
shift 2
mkdir -p "$out"
exec 8>"$out/.lock"
flock 8
for part in driver uapi hw/include; do
	mkdir -p "$out/$part"
	cp -ru "$top/$part/." "$out/$part/"
done
[ -f "$top/Kbuild" ] && cp -u "$top/Kbuild" "$out/"
make -C "$kernel" M="$out/driver" "$@" modules >"$out/build.log" 2>&1 8>&- || {
	tail -n 30 "$out/build.log" >&2
	die "the driver does not build against $kernel (log in $out/build.log)"
}
echo "$out/driver/eie.ko"
