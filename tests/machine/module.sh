#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR MIT
#
# module.sh [-s DIR] KERNEL_BUILD OUT [VARIABLE=VALUE...]: builds eie.ko, or the module whose sources are in DIR and whose name is the
# directory's, against a kernel, in a copy of the sources below OUT (kernels must not share object files), and prints where it is.
. "$(dirname "$0")/lib.sh"

sources="driver uapi hw/include" module=driver name=eie
if [ "$1" = -s ]; then
	module=$(cd "$2" && pwd)
	module=${module#"$top/"}
	sources=$module name=$(basename "$module")
	shift 2
fi
kernel=$1
mkdir -p "$2"
out=$(cd "$2" && pwd)
shift 2
exec 8>"$out/.lock"
flock 8
# sources only: `make modules` leaves objects of another kernel beside them
# shellcheck disable=SC2086
(cd "$top" && find $sources -type f \( -name '*.[ch]' -o -name Kbuild -o -name '*.sh' \) ! -name '*.mod.c') |
	(cd "$top" && cpio -pdmu --quiet "$out")
make -C "$kernel" M="$out/$module" "$@" modules >"$out/$name.log" 2>&1 8>&- || {
	tail -n 30 "$out/$name.log" >&2
	die "$name.ko does not build against $kernel (log in $out/$name.log)"
}
echo "$out/$module/$name.ko"
