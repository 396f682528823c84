#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR MIT
#
# module.sh KERNEL_BUILD OUT [VARIABLE=VALUE...]: builds eie.ko against a kernel, in a copy of the sources below OUT (kernels must not share
# object files), and prints where it is.
. "$(dirname "$0")/lib.sh"

kernel=$1
mkdir -p "$2"
out=$(cd "$2" && pwd)
shift 2
exec 8>"$out/.lock"
flock 8
# sources only: `make modules` leaves objects of another kernel beside them
(cd "$top" && find driver uapi hw/include -type f \( -name '*.[ch]' -o -name Kbuild -o -name '*.sh' \) ! -name '*.mod.c') |
	(cd "$top" && cpio -pdmu --quiet "$out")
make -C "$kernel" M="$out/driver" "$@" modules >"$out/build.log" 2>&1 8>&- || {
	tail -n 30 "$out/build.log" >&2
	die "the driver does not build against $kernel (log in $out/build.log)"
}
echo "$out/driver/eie.ko"
