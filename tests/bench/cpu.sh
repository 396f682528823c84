#!/bin/sh
# SPDX-License-Identifier: GPL-2.0 OR MIT
# The tables of the CPU's kernels in docs/performance.md:  cpu.sh BUILD [PICTURE MODEL[=ONNX]...]. They are printed, and put between the marks of that file.
# With a picture and models, whole networks beside ONNX Runtime, too.
set -eu
build=$1
here=$(dirname "$0")
page=$here/../../docs/performance.md
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
. "$here/marks.sh"

shift
picture=${1:-}
[ $# = 0 ] || shift
for network in "$@"; do
	shift
	set -- "$@" --network "$network"
done
[ -z "$picture" ] || set -- "$@" --picture "$picture"
"$build/eie" bench cpu --peers --seconds "${BENCH_SECONDS:-2}" --json "$@" >"$work/json"
python3 - "$work/json" >"$work/tables" <<'END'
import json, math, sys

report = json.load(open(sys.argv[1]))
print("\nMemory: %.0f GB/s read by one thread, %.0f by two. Peers: %s." % (*report["gb_per_second_read"], report["peer_versions"]))
for threads in 1, 2:
    print("\n| %d thread%s | warm | cold | int8 warm | int8 cold | fastest peer, warm | fastest peer, cold |\n|---|---|---|---|---|---|---|" % (threads, "s"[:threads - 1]))
    ratios = [], [], [], []
    for layer in report["layers"]:
        run = next(r for r in layer["runs"] if r["threads"] == threads)
        row = "| %s | %.1f | %.1f | %.1f | %.1f |" % (layer["layer"], run["us_median"], run["us_median_cold"], run["int8_us_median"], run["int8_us_median_cold"])
        for i, key in enumerate(("us_median", "us_median_cold")):
            best = min(run["peers"], key=lambda p: p[key])
            ratios[i].append(best[key] / run[key])
            ratios[i + 2].append(best[key] / run["int8_" + key])
            row += " %.1f %s (%.2fx, %.2fx) |" % (best[key], best["name"], ratios[i][-1], ratios[i + 2][-1])
        print(row)
    print("\nGeometric mean: warm %.2f, least %.2f; cold %.2f, least %.2f; int8 warm %.2f, least %.2f; cold %.2f, least %.2f." % sum(((math.prod(r) ** (1 / len(r)), min(r)) for r in ratios), ()))
print("\n99 of 100 of 10,000 runs of Alex-7 take less than %.2f times the median; of a loop of equal length, in turn, %.2f."
      % (report["p99_to_median"], report["p99_to_median_control"]))
if report.get("networks"):
    print("\nNetworks, ms, medians and the least:\n\n| network | threads | int16 | int8 | peers (times int16, times int8) | first result |\n|---|---|---|---|---|---|")
for network in report.get("networks", []):
    for run in network["runs"]:
        own = ["%.2f, %.2f" % (k["ms_median"], k["ms_least"]) for k in run["kinds"] if k["name"].startswith("int")]
        peers = ["%.2f, %.2f %s (%.2fx, %.2fx)" % (k["ms_median"], k["ms_least"], k["name"], k["times_faster_int16"], k["times_faster_int8"])
                 for k in run["kinds"] if not k["name"].startswith("int")]
        print("| %s | %d | %s | %s | %s | %s |" % (network["network"], run["threads"], *own, "; ".join(peers),
                                                   "%.1f" % network["ms_first"] if network["ms_first"] else ""))
if any(layer["mismatches"] for layer in report["layers"]):
    sys.exit("an output differs from the reference")
END
cat "$work/tables"
put_between bench-cpu "$work/tables" "$page"
