#!/bin/sh
# SPDX-License-Identifier: GPL-2.0 OR MIT
# The suites of bench run, compare their outputs, and report stable keys. How fast they are is not judged here.
. "$(dirname "$0")/lib.sh"

keys() {
	for key in "$@"; do
		prints "has the key $key" "^ *\"$key\": "
	done
}

try 0 "bench cpu" bench cpu --seconds 0.01 --json
is_json "is JSON"
check "has nine layers" [ "$(grep -c '"layer": ' out)" -eq 9 ]
check "no value differs in any" [ "$(grep -c '"mismatches": 0' out)" -eq 9 ]
keys device config layers layer against mismatches us_median

try 0 "bench eie-paper on ref" bench eie-paper --device ref --seconds 0.01 --json
is_json "is JSON"
check "no value differs in any layer" [ "$(grep -c '"mismatches": 0' out)" -eq 9 ]
try 0 "the same as text" bench eie-paper --device ref --seconds 0.01
check "has nine rows" [ "$(grep -c ' -> .* %' out)" -eq 9 ]

try 0 "bench noop on ref" bench noop --device ref --seconds 0.1 --json
is_json "is JSON"
keys device config us_median us_p99 runs jobs_per_second depth
try 1 "bench noop on cpu" bench noop --device cpu
says "which runs no jobs" "device cpu runs no jobs"

find_devices
for d in $DEVICES; do
	[ "$d" = sim:8x8 ] || continue
	try 0 "bench sim" bench sim --device "$d" --seconds 0.01 --json
	is_json "is JSON"
	check "no value differs" [ "$(value mismatches)" = 0 ]
	keys device config layer ideal_cycles engine_cycles engine_ratio job_cycles cycles_per_second stalls \
		array drain load store sync cmd front tail
	check "cycles are not below the ideal" [ "$(value engine_cycles)" -ge "$(value ideal_cycles)" ]
done

finish
