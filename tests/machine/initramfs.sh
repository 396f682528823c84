#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR MIT
#
# initramfs.sh OUT FILES MODULES DATA PROGRAM...: an initramfs with init, busybox, modules and test programs, which run in
# this order. MODULES are module files to load first, FILES module files that only have to be there (eie.ko is one), DATA whatever
# the programs want in /files, all separated by white space. Of what is not static, the libraries come along.
. "$(dirname "$0")/lib.sh"

out=$1 files=$2 modules=$3 data=$4
shift 4
busybox=$(command -v busybox) || die "busybox is missing: install busybox-static (make deps)"
! ldd "$busybox" >/dev/null 2>&1 || die "$busybox is not static: install busybox-static instead of busybox"

root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
mkdir -p "$root"/{bin,dev,files,lib,modules,tests}
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
# shellcheck disable=SC2086
[ -z "$data" ] || cp $data "$root/files/"
# to where the dynamic linker looks by itself, and that to its own place
for p in $data "$@"; do
	libraries=$(ldd "$p" 2>/dev/null) || continue
	! grep 'not found' <<<"$libraries" >&2 || die "$p lacks libraries"
	# shellcheck disable=SC2046
	cp -L $(awk '$2 == "=>" { print $3 }' <<<"$libraries") "$root/lib/"
	linker=$(awk '$1 ~ /^\// { print $1 }' <<<"$libraries")
	mkdir -p "$root/$(dirname "$linker")"
	cp -L "$linker" "$root/$linker"
done
for p; do
	cp "$p" "$root/tests/"
	basename "$p" >>"$root/tests/run"
done
(cd "$root" && find . -print0 | sort -z | cpio -0 -o -H newc -R 0:0 --quiet) >"$out"
