#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR MIT
#
# initramfs.sh OUT FILES MODULES PROGRAM...: an initramfs with init, busybox, modules and static test programs, which run in
# this order. MODULES are module files to load first, FILES module files that only have to be there (eie.ko is one), both
# separated by white space.
. "$(dirname "$0")/lib.sh"

out=$1 files=$2 modules=$3
shift 3
busybox=$(command -v busybox) || die "busybox is missing: install busybox-static (make deps)"
! ldd "$busybox" >/dev/null 2>&1 || die "$busybox is not static: install busybox-static instead of busybox"

root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
mkdir -p "$root"/{bin,dev,modules,tests}
cp "$busybox" "$root/bin/busybox"
cp "$machine/init" "$root/init"
# shellcheck disable=SC2086
cp $files "$root/modules/"
: >"$root/modules/order"
for m in $modules; do
	case $m in
	*.xz) xz -dc "$m" >"$root/modules/$(basename "$m" .xz)" ;;
	*) cp "$m" "$root/modules/" ;;
	esac
	basename "$m" .xz >>"$root/modules/order"
done
for p; do
	cp "$p" "$root/tests/"
	basename "$p" >>"$root/tests/run"
done
(cd "$root" && find . -print0 | sort -z | cpio -0 -o -H newc -R 0:0 --quiet) >"$out"
