#!/bin/sh
# SPDX-License-Identifier: GPL-2.0 OR MIT
# What is installed works alone: install.sh BUILD. Once from `make install`, once from the Debian packages: the example is built with
# the installed header and pkg-config file, and classifies on cpu and on the simulator; the command finds the simulator too. DKMS builds
# the driver from its package, for the kernel of the test machine in user-mode Linux.
set -u
failed=0
step() {
	what=$1
	shift
	if "$@"; then echo "ok - $what"; else echo "not ok - $what"; failed=1; fi
}

build=$1
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
model=libaccel/models/lenet_300_100.eie
head -c 3136 /dev/zero >"$dir/picture.f32"

# $1: folder of the pages, $2: library
pages() {
	for f in $(nm -D --defined-only "$2" | awk '$2 == "T" { sub(/@.*/, "", $3); print $3 }'); do
		if [ ! -s "$1/$f.3" ] && [ ! -s "$1/$f.3.gz" ]; then
			echo "$f has none" >&2
			return 1
		fi
	done
	[ -n "$f" ]
}

# $1: prefix, $2: folder of the libraries, $3: what is tested, $4: root that the pkg-config file does not know of
works() {
	PKG_CONFIG_PATH=$2/pkgconfig PKG_CONFIG_SYSROOT_DIR=$4
	export PKG_CONFIG_PATH PKG_CONFIG_SYSROOT_DIR
	step "$3: example builds with pkg-config" \
		sh -c "cc -Wall -Werror -o $dir/classify libaccel/examples/classify.c \$(pkg-config --cflags --libs accel)"
	for device in cpu sim; do
		step "$3: example runs on $device" \
			sh -c "cd $dir && LD_LIBRARY_PATH=$2 ./classify $PWD/$model $device <picture.f32"
	done
	step "$3: eie finds the simulator" sh -c "cd $dir && LD_LIBRARY_PATH=$2 $1/bin/eie info --device sim"
	step "$3: manual page" test -s "$1/share/man/man1/eie.1" -o -s "$1/share/man/man1/eie.1.gz"
	step "$3: every function has a manual page" pages "$1/share/man/man3" "$2/libaccel.so"
	step "$3: completion" test -s "$1/share/bash-completion/completions/eie"
}

step "make install" make install BUILD="$build" PREFIX="$dir/local"
for page in "$dir"/local/share/man/man3/accel*.3; do
	head -n 1 "$page" | grep -q '^\.so' || step "$(basename "$page")" mandoc -T lint -W warning "$page"
done
works "$dir/local" "$dir/local/lib" "installed" ""
step "make deb" make deb BUILD="$build"
for package in libaccel0 libaccel-dev eie-sim eie-tools eie-dkms; do
	step "unpack $package" sh -c "dpkg-deb -x $build/deb/${package}_*.deb $dir/root"
done
works "$dir/root/usr" "$dir/root/usr/lib/$(dpkg-architecture -qDEB_HOST_MULTIARCH)" "packages" "$dir/root"

# no header that the packages' own tree does not have, no file that only this repository has
dkms_builds() {
	kernel=$(tests/machine/kernel.sh uml) && release=$(make -s -C "$kernel" ARCH=um kernelrelease) && mkdir "$dir/dkms" || return 1
	ARCH=um dkms build -m eie -v "$(dpkg-parsechangelog -S Version)" -k "$release" --kernelsourcedir "$kernel" \
		--sourcetree "$dir/root/usr/src" --dkmstree "$dir/dkms" || { cat "$dir"/dkms/eie/*/build/make.log; return 1; }
	modinfo "$dir"/dkms/eie/*/"$release"/*/module/eie.ko*
}
step "packages: dkms builds the driver" dkms_builds
exit $failed
