#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR MIT
#
# Packages of Debian that the machines run but this system need not have installed: downloaded with apt, checked by its
# signatures, and unpacked in the cache. Nothing is installed, no sources.list is changed, no root is needed.
#   debian.sh kernel   prints a directory with Debian's 6.12 kernel, of the version of the installed linux-source-6.12:
#                      boot/vmlinuz-*, lib/modules/*, and `build`, to build modules against
#   debian.sh qemu     prints the path of a qemu-system-x86_64 of at least version 10.1 (vfio-user-pci), from trixie-backports
#   debian.sh newest   prints a directory that is the root of a small Debian 13 with make, a compiler and the headers of the newest
#                      kernel in trixie-backports, for modules to be built in (headers.sh)
. "$(dirname "$0")/lib.sh"

mirror=${DEBIAN_MIRROR:-http://deb.debian.org/debian}
keyring=/usr/share/keyrings/debian-archive-keyring.gpg

# private_apt DIR COMMAND...: apt with lists and archives of its own below DIR; sources.list there, if any, replaces the system's
private_apt() {
	local dir=$1 command=$2 options
	shift 2
	mkdir -p "$dir"/{lists/partial,archives/partial}
	options=(-q -o "Dir::State::Lists=$dir/lists" -o "Dir::Cache=$dir" -o Debug::NoLocking=1 -o APT::Sandbox::User=)
	[ ! -f "$dir/sources.list" ] || options+=(-o "Dir::Etc::SourceList=$dir/sources.list" -o Dir::Etc::SourceParts=/dev/null)
	[ ! -f "$dir/status" ] || options+=(-o "Dir::State::Status=$dir/status")
	"$command" "${options[@]}" "$@"
}

unpack_all() { # unpack_all FROM TO
	local deb
	for deb in "$1"/*.deb; do dpkg -x "$deb" "$2"; done
}

kernel() {
	local apt=$1/apt abi packages
	echo "Downloading Debian's kernel $upstream (about 120 MB, kept in $cache)"
	private_apt "$apt" apt-get update >"$1.log" 2>&1 || { tail "$1.log"; die "apt-get update failed"; }
	abi=$(private_apt "$apt" apt-cache search --names-only "^linux-image-${upstream//./\\.}\+deb[0-9]+-amd64\$" |
		sed -n 's/^linux-image-\([^ ]*\).*/\1/p' | head -n 1)
	[ -n "$abi" ] || die "Debian no longer has linux-image-$upstream+deb*-amd64: upgrade linux-source-6.12"
	packages="linux-image-$abi linux-headers-$abi linux-headers-${abi%-amd64}-common linux-kbuild-${abi%-amd64}"
	# shellcheck disable=SC2086
	(cd "$apt" && private_apt "$apt" apt-get download $packages) >>"$1.log" 2>&1 || { tail "$1.log"; die "download failed"; }
	unpack_all "$apt" "$1"
	# the headers name each other by absolute paths: point them at where they will be
	grep -rlI '/usr/\(src\|lib\)/linux-' "$1/usr/src/linux-headers-$abi" --include=Makefile --include='*.mk' |
		xargs -r sed -i "s#/usr/\(src\|lib\)/linux-#$final/usr/\1/linux-#g"
	ln -sfn "usr/src/linux-headers-$abi" "$1/build"
	rm -rf "$1/build/scripts" "$1/build/tools" "$1/apt" "$1.log"
	ln -s "$final/usr/lib/linux-kbuild-${abi%-amd64}/scripts" "$1/build/scripts"
	ln -s "$final/usr/lib/linux-kbuild-${abi%-amd64}/tools" "$1/build/tools"
}

qemu() {
	local apt=$1/apt
	echo "Downloading QEMU from trixie-backports (kept in $cache)"
	mkdir -p "$apt"
	for suite in trixie trixie-backports; do
		echo "deb [signed-by=$keyring] $mirror $suite main"
	done >"$apt/sources.list"
	# an empty list of installed packages: apt then downloads every library too, down to the C library
	: >"$apt/status"
	{
		private_apt "$apt" apt-get update &&
		private_apt "$apt" apt-get -y --no-install-recommends --download-only -t trixie-backports install qemu-system-x86
	} >"$1.log" 2>&1 || { tail "$1.log"; die "download failed"; }
	unpack_all "$apt/archives" "$1"
	rm -rf "$apt" "$1.log"
	cat >"$1/qemu-system-x86_64" <<-'END'
	#!/bin/sh
	# With the dynamic linker and the libraries that it was built for, not this system's.
	root=$(dirname "$(readlink -f "$0")")
	exec "$root/usr/lib64/ld-linux-x86-64.so.2" --library-path "$root/usr/lib/x86_64-linux-gnu" "$root/usr/bin/qemu-system-x86_64" \
		-L "$root/usr/share/seabios" -L "$root/usr/share/qemu" "$@"
	END
	chmod +x "$1/qemu-system-x86_64"
	"$1/qemu-system-x86_64" -device help | grep -q '"vfio-user-pci"' || die "this QEMU has no vfio-user-pci"
}

newest() {
	local apt=$1/apt
	echo "Downloading the headers of trixie-backports' kernel and a compiler for them (kept in $cache)"
	mkdir -p "$apt"
	for suite in trixie trixie-backports; do
		echo "deb [signed-by=$keyring] $mirror $suite main"
	done >"$apt/sources.list"
	: >"$apt/status"
	{
		private_apt "$apt" apt-get update &&
		private_apt "$apt" apt-get -y --no-install-recommends --download-only -t trixie-backports install \
			linux-headers-amd64 make gcc dash coreutils sed grep mawk findutils diffutils
	} >"$1.log" 2>&1 || { tail "$1.log"; die "download failed"; }
	mkdir -p "$1"/usr/{bin,sbin,lib,lib64} "$1"/{dev,proc,tmp}
	for link in bin sbin lib lib64; do ln -sfn "usr/$link" "$1/$link"; done
	unpack_all "$apt/archives" "$1"
	# what the package's maintainer scripts would have made
	ln -sf mawk "$1/usr/bin/awk"
	rm -rf "$apt" "$1.log"
}

case ${1:-} in
kernel)
	version=$(dpkg-query -W -f='${Version}' linux-source-6.12) || die "install linux-source-6.12 (make deps)"
	upstream=${version%%-*}
	name=debian-kernel-$(key "$version" "$(declare -f private_apt unpack_all kernel)")
	final=$cache/$name
	cached "$name" kernel
	;;
qemu)
	dir=$(cached "qemu-$(key "$mirror" "$(declare -f private_apt unpack_all qemu)")" qemu)
	echo "$dir/qemu-system-x86_64"
	;;
# at most a week old
newest) cached "newest-$(key "$mirror" "$(declare -f private_apt unpack_all newest)" "$(date +%G-%V)")" newest ;;
*) die "usage: debian.sh kernel|qemu|newest" ;;
esac
