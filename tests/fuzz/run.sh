#!/bin/sh
# SPDX-License-Identifier: GPL-2.0 OR MIT
# One fuzzer for so many seconds on a copy of its kept corpus:  run.sh BUILD NAME SECONDS [SEED]
# SEED, not 0, is of libFuzzer's random numbers; by default the time. What it finds is left in BUILD/check/NAME-crash-*.
set -u
seed=${4:-$(date +%s)}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$1/check" "$work/corpus"
# two that read ONNX files have one corpus
kept=$2
[ "$2" = skeleton ] && kept=onnx
cp tests/fuzz/corpus/"$kept"/* "$work/corpus/" || exit 1
# ONNX's own operator cases are good beginnings too
if [ "$kept" = onnx ]; then
	for model in /usr/share/libonnx-testdata/data/node/*/model.onnx; do
		cp "$model" "$work/corpus/$(basename "$(dirname "$model")")"
	done
fi
echo "$2: $3 s, $(find "$work/corpus" -type f | wc -l) kept inputs, libFuzzer's seed $seed"
"$1/tests/fuzz/$2" -seed="$seed" -max_total_time="$3" -rss_limit_mb=2048 -timeout=60 -print_final_stats=1 \
	-artifact_prefix="$1/check/$2-" "$work/corpus" >"$work/log" 2>&1
status=$?
grep -E 'stat::number_of_executed_units' "$work/log"
if [ $status != 0 ] || grep -qE 'ERROR|SUMMARY' "$work/log" || ! grep -q 'stat::number_of_executed_units' "$work/log"; then
	# which check, where, on what: the input as text, for who has only this log
	grep -E -m1 -A 16 'ERROR|ALARM' "$work/log"
	tail -n 8 "$work/log"
	sed -n 's/.*Test unit written to //p' "$work/log" | while read -r unit; do
		if [ "$(wc -c <"$unit")" -le 8192 ]; then
			echo "# $unit, gzip and base64:"
			gzip -9c "$unit" | base64 -w 200
		fi
	done
	echo "not ok - $2: libFuzzer's seed $seed"
	sed -n 's/.*Test unit written to \(.*\)/# again: '"$(printf %s "$1" | sed 's,/,\\/,g')\/tests\/fuzz\/$2"' \1/p' "$work/log"
	exit 1
fi
echo "ok - $2: fuzzed for $3 s"
