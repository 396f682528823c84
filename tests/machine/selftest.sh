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
# try KIND EXPECTED: EXPECTED is a regular expression for what the run must print; "" for a run that must pass
try() {
	local out status=0 limit=120
	[ "$1" != hang ] || limit=30
	cp "$machine/selftest/provoke" "$dir/$1"
	out=$("$machine/run.sh" -b "$build" -t $limit -m "$dir/broken.ko" uml "$dir/$1") || status=$?
	if [ -z "$2" ] && [ $status = 0 ]; then
		echo "ok - $1 passes"
	elif [ -n "$2" ] && [ $status = 1 ] && grep -qE "^not ok .*$2" <<<"$out"; then
		echo "ok - $1 is reported"
	else
		echo "not ok - $1: status $status, expected '$2'"
		sed 's/^/# /' <<<"$out"
		failed=1
	fi
}

try good ''
try expected ''
try noplan 'printed no plan'
try short '1 results of 2'
try status 'exit status 3'
try skip 'expected_skips does not allow'
try fail 'fail: something'
try error 'errors that no test expected'
try hang 'still running'
try warning 'the kernel complained'
try overflow 'the kernel complained'
try deadlock 'the kernel complained'
try atomic 'the kernel complained'
try leak 'kmemleak found leaks'
try oops 'died before'
exit $failed
