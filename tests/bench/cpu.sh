#!/bin/sh
# SPDX-License-Identifier: GPL-2.0 OR MIT
# The table of the CPU's kernels in docs/performance.md:  cpu.sh BUILD [MODEL.eie PICTURE]. It is printed, and put between the marks of that file.
# With a model of convolutions and a picture, the whole network beside ONNX Runtime, too.
set -eu
build=$1
here=$(dirname "$0")
page=$here/../../docs/performance.md
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
. "$here/marks.sh"

"$build/eie" bench cpu --peers --seconds "${BENCH_SECONDS:-2}" --json >"$work/json"
python3 - "$work/json" >"$work/tables" <<'END'
import json, math, sys

report = json.load(open(sys.argv[1]))
print("\nMemory: %.0f GB/s read by one thread, %.0f by two. Peers: %s." % (*report["gb_per_second_read"], report["peer_versions"]))
for threads in 1, 2:
    print("\n| %d thread%s | warm | cold | fastest peer, warm | fastest peer, cold |\n|---|---|---|---|---|" % (threads, "s"[:threads - 1]))
    ratios = [], []
    for layer in report["layers"]:
        run = next(r for r in layer["runs"] if r["threads"] == threads)
        row = "| %s | %.1f | %.1f |" % (layer["layer"], run["us_median"], run["us_median_cold"])
        for i, key in enumerate(("us_median", "us_median_cold")):
            best = min(run["peers"], key=lambda p: p[key])
            ratios[i].append(best[key] / run[key])
            row += " %.1f %s (%.2fx) |" % (best[key], best["name"], ratios[i][-1])
        print(row)
    print("\nGeometric mean: warm %.2f, least %.2f; cold %.2f, least %.2f." % sum(((math.prod(r) ** (1 / len(r)), min(r)) for r in ratios), ()))
print("\n99 of 100 of 10,000 runs of Alex-7 take less than %.2f times the median; of a loop of equal length, in turn, %.2f."
      % (report["p99_to_median"], report["p99_to_median_control"]))
if any(layer["mismatches"] for layer in report["layers"]):
    sys.exit("an output differs from the reference")
END
if [ $# = 3 ]; then
	printf '\n`build/peer-network` of the authors'"'"' SqueezeNet, medians of 200 runs in turn:\n' >>"$work/tables"
	for threads in 1 2; do
		printf '\n    %s thread(s)\n' $threads
		"$build/peer-network" "$2" "$3" $threads 200 | sed 's/^/    /'
	done >>"$work/tables"
fi
cat "$work/tables"
put_between bench-cpu "$work/tables" "$page"
