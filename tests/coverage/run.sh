#!/bin/sh
# SPDX-License-Identifier: GPL-2.0 OR MIT
# The hardware tests on the simulator that counts:  run.sh -j JOBS BUILD CONFIG TEST...
# What they reach is merged into BUILD/coverage/merged.dat.
set -u

if [ "$1" = --one ]; then
	build=$2 config=$3 name=$4
	raw=$build/coverage/raw/$name
	mkdir -p "$raw"
	case $name in
	fuzz) set -- fuzz_checked "$config" 500 1 ;;
	random_jobs) set -- random_jobs "$config" 300 1 ;;
	*) set -- "$name" "$config" ;;
	esac
	program=$build/tests/hw/$1
	shift
	start=$(date +%s)
	EIE_SIM_COVERAGE=$raw LD_LIBRARY_PATH=$build/coverage CMOCKA_MESSAGE_OUTPUT=TAP \
		"$program" "$@" >"$build/coverage/$name.log" 2>&1 </dev/null
	status=$?
	# a file for each simulated machine: one is enough
	if [ $status = 0 ] && find "$raw" -name '*.dat' -print0 | xargs -0 verilator_coverage --write "$build/coverage/tests/$name.dat" >/dev/null; then
		printf '  %-16s done, %s s\n' "$name" "$(($(date +%s) - start))"
	else
		printf '  %-16s FAILED (%s), log in %s\n' "$name" "$status" "$build/coverage/$name.log"
		rm -f "$build/coverage/tests/$name.dat"
		exit 1
	fi
	rm -rf "$raw"
	exit 0
fi

jobs=$2 build=$3 config=$4
shift 4
rm -rf "$build/coverage/raw" "$build/coverage/tests" "$build/coverage/merged.dat"
mkdir -p "$build/coverage/tests"
echo "Running the hardware tests of $config, $jobs at a time"
printf '%s\0' "$@" fuzz | xargs -0 -P "$jobs" -I{} "$0" --one "$build" "$config" {} || exit 1
verilator_coverage --write "$build/coverage/merged.dat" "$build"/coverage/tests/*.dat >/dev/null
