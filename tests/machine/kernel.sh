#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR MIT
#
# kernel.sh uml|x86: prints the build directory of the debug kernel; builds it when the cache does not have it.
# kernel.sh source: prints the directory of the kernel's sources.
# Made from Debian's linux-source-6.12 package, with nothing but what debug.config and uml.config or x86.config ask for, and with
# the driver's own Kconfig, which selects what the driver needs of DRM.
# The directory is what `make -C DIR M=...` builds modules against.
. "$(dirname "$0")/lib.sh"

flavour=${1:-}
case $flavour in
uml) arch=um targets="linux modules" minutes=8 ;;
x86) arch=x86_64 targets="bzImage modules" minutes=14 ;;
source) ;;
*) die "usage: kernel.sh uml|x86|source" ;;
esac

kconfig=$top/driver/Kconfig
tarball=/usr/src/linux-source-6.12.tar.xz
[ -f $tarball ] || die "$tarball is missing: install linux-source-6.12 (make deps; on Debian 12 it is in bookworm-security)"
version=$(dpkg-query -W -f='${Version}' linux-source-6.12)

# Linux 6.12 has room for 2,696 bytes of a process's vector registers in user-mode Linux, and ptrace takes no less than all: on
# processors with AMX (11,008 bytes) every process would die. Later kernels ask the host for the size.
xstate_bytes=12288
patches=("$machine"/*.patch)

unpack() {
	local patch
	echo "Unpacking the kernel's sources ($version) into $cache"
	tar -C "$1" --strip-components=1 -xf $tarball
	sed -i "s/DEFINE_LONGS(HOST_FP_SIZE, 2696)/DEFINE_LONGS(HOST_FP_SIZE, $xstate_bytes)/" "$1/arch/x86/um/user-offsets.c"
	grep -q "HOST_FP_SIZE, $xstate_bytes" "$1/arch/x86/um/user-offsets.c" || die "arch/x86/um/user-offsets.c is not as expected"
	for patch in "${patches[@]}"; do
		patch -d "$1" -p1 -s <"$patch" || die "$patch does not fit linux-source-6.12 $version"
	done
}

# run LOG COMMAND...: COMMAND with its output in LOG, whose end is shown when it fails
run() {
	local log=$1
	shift
	"$@" >>"$log" 2>&1 && return
	tail -n 30 "$log"
	die "failed: $*"
}

# Kconfig drops what it does not know or cannot have; a check must not vanish that way.
check_config() {
	local line
	grep -E '^CONFIG_' "$2" | while read -r line; do
		case $line in
		*=n) ! grep -q "^${line%=n}=" "$1" ;;
		*) grep -qxF "$line" "$1" ;;
		esac || echo "$line"
	done
}

build() {
	local fragment=$1/eie.config log=$1.log refused
	echo "Building the $flavour debug kernel ($minutes CPU minutes, kept in $cache; log in $log)"
	sed -n 's/^config \(.*\)/CONFIG_\1=m/p' "$kconfig" | cat "$machine/debug.config" "$machine/$flavour.config" - >"$fragment"
	{
		cat "$source/Kconfig"
		echo 'if DRM_ACCEL'
		cat "$kconfig"
		echo endif
	} >"$1/Kconfig.eie"
	export KBUILD_KCONFIG=$1/Kconfig.eie
	: >"$log"
	# not tinyconfig and a merge: options that become visible by the merge would get their defaults, keyboards and all
	run "$log" make -C "$source" O="$1" ARCH="$arch" KCONFIG_ALLCONFIG="$fragment" allnoconfig
	refused=$(check_config "$1/.config" "$fragment")
	[ -z "$refused" ] || die "Kconfig did not accept" $refused
	# shellcheck disable=SC2086
	run "$log" make -C "$1" ARCH="$arch" -j"$(nproc)" $targets
	# objects are not needed again: what remains is the kernel, and headers, tools and symbols for modules
	find "$1" \( -name '*.o' -o -name '*.a' -o -name '.*.cmd' \) -not -path '*/scripts/*' -delete
	rm "$log"
}

source=$(cached "linux-$(key "$version" $xstate_bytes "${patches[@]}" "$(declare -f unpack)")" unpack)
if [ "$flavour" = source ]; then
	echo "$source"
	exit
fi
# of the driver's Kconfig, only what has an effect: its help may be rewritten without building the kernel again
settings=$(grep -E '^[[:space:]]*(config|bool|tristate|depends|select|imply|default)' "$kconfig")
cached "$flavour-$(key "$(basename "$source")" "$(${CC:-gcc} -dumpfullversion)" "$arch $targets" "$(declare -f build)" "$machine/debug.config" \
	"$machine/$flavour.config" "$settings")" build
