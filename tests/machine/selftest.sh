#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR MIT
#
# selftest.sh BUILD: every way in which a test or the kernel may go wrong in a machine is provoked once in user-mode Linux, and must
# be reported; what is right must not be. Prints TAP.
. "$(dirname "$0")/lib.sh"

build=$1
dir=$build/machine/selftest
mkdir -p "$dir"
kernel=$("$machine/kernel.sh" uml)
cp -u "$machine"/selftest/{Kbuild,broken.c} "$dir/"
make -C "$kernel" M="$(cd "$dir" && pwd)" ARCH=um modules >"$dir/build.log" 2>&1 || { tail "$dir/build.log"; exit 1; }

failed=0
# try SECONDS PROGRAM... -- EXPECTED...: boots with programs of selftest/provoke; each EXPECTED is a regular expression for a line that
# the run must print. A run for which nothing is expected must pass, any other must fail.
try() {
	local limit=$1 programs=() out status=0 pattern missing=0
	shift
	while [ "$1" != -- ]; do
		cp "$machine/selftest/provoke" "$dir/$1"
		programs+=("$dir/$1")
		shift
	done
	shift
	out=$("$machine/run.sh" -b "$build" -t "$limit" -m "$dir/broken.ko" uml "${programs[@]}") || status=$?
	if [ $# = 0 ]; then
		if [ $status = 0 ]; then echo "ok - ${programs[*]##*/}: passes"; return; fi
		echo "not ok - ${programs[*]##*/}: status $status, it should pass"
		missing=1
	elif [ $status != 1 ]; then
		echo "not ok - ${programs[*]##*/}: status $status, it should fail"
		missing=1
	fi
	for pattern; do
		if grep -qE "$pattern" <<<"$out"; then
			echo "ok - ${programs[*]##*/}: '$pattern' is reported"
		else
			echo "not ok - ${programs[*]##*/}: '$pattern' is not reported"
			missing=1
		fi
	done
	[ $missing = 0 ] || { sed 's/^/# /' <<<"$out"; failed=1; }
}

try 120 good expected --
try 120 noplan short status skip fail error -- '^not ok - noplan: printed no plan' '^not ok - short: 1 results of 2' \
	'^not ok - status: exit status 3' '^not ok - skip: .* expected_skips does not allow' '^not ok - fail: something' \
	'^not ok .* errors that no test expected' 'on purpose'
# KASAN's report comes late, for it switches lockdep off
try 120 deadlock atomic warning overflow leak -- '^not ok .* the kernel complained' 'possible circular locking' \
	'sleeping function called' 'WARNING: .* broken_init' 'KASAN: slab-out-of-bounds' '^not ok .* kmemleak found leaks'
try 120 oops -- '^not ok .* died before'
try 30 hang -- '^not ok .* still running after 30 s'
exit $failed
