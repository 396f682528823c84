#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR MIT
#
# headers.sh BUILD: the driver compiles against the headers of Debian's 6.12 kernel, and of the newest one in trixie-backports in a
# Debian 13 of its own, without a warning (W=1). Prints TAP.
. "$(dirname "$0")/lib.sh"

build=$1
failed=0

# report NAME LOG STATUS: a module with warnings is not what we want either
report() {
	if [ "$3" = 0 ] && ! grep -E '(warning|error):' "$2"; then
		echo "ok - $1"
	else
		echo "not ok - $1: status $3"
		tail -n 20 "$2" | sed 's/^/# /'
		failed=1
	fi
}

debian=$("$machine/debian.sh" kernel)
status=0
"$machine/module.sh" "$debian/build" "$build/headers/debian" W=1 CONFIG_DEBUG_INFO_BTF_MODULES= >/dev/null || status=$?
report "$(basename "$(readlink "$debian/build")")" "$build/headers/debian/eie.log" $status

root=$("$machine/debian.sh" newest)
headers=$(cd "$root/usr/src" && ls -d linux-headers-*-amd64)
out=$build/headers/newest
rm -rf "$out"
mkdir -p "$out"
cp -r "$top/driver" "$top/uapi" "$out/"
mkdir "$out/hw" && cp -r "$top/hw/include" "$out/hw/"
status=0
bwrap --ro-bind "$root" / --dev /dev --proc /proc --tmpfs /tmp --bind "$out" /tmp/eie --setenv PATH /usr/sbin:/usr/bin \
	make -C "/usr/src/$headers" M=/tmp/eie/driver W=1 CONFIG_DEBUG_INFO_BTF_MODULES= modules >"$out/build.log" 2>&1 || status=$?
report "$headers" "$out/build.log" $status
exit $failed
