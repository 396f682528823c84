#!/bin/sh
# SPDX-License-Identifier: GPL-2.0 OR MIT
# One fuzzer for so many seconds on a copy of its kept corpus:  run.sh BUILD NAME SECONDS
# What it finds is left in BUILD/check/NAME-crash-*.
set -u
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$1/check"
cp tests/fuzz/corpus/"$2"/* "$work"/
# ONNX's own operator cases are good beginnings too
if [ "$2" = onnx ]; then
	for model in /usr/share/libonnx-testdata/data/node/*/model.onnx; do
		cp "$model" "$work/$(basename "$(dirname "$model")")"
	done
fi
"$1/tests/fuzz/$2" -max_total_time="$3" -rss_limit_mb=2048 -timeout=20 -print_final_stats=1 \
	-artifact_prefix="$1/check/$2-" "$work" 2>&1 | tail -n 40 >"$work.log"
status=$?
grep -E 'stat::number_of_executed_units|ERROR|SUMMARY' "$work.log"
if grep -qE 'ERROR|SUMMARY' "$work.log" || ! grep -q 'stat::number_of_executed_units' "$work.log"; then
	cat "$work.log"
	status=1
fi
rm -f "$work.log"
[ $status = 0 ] && echo "ok - $2: fuzzed for $3 s" || echo "not ok - $2"
exit $status
