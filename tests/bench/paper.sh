#!/bin/sh
# SPDX-License-Identifier: GPL-2.0 OR MIT
# The tables of EIE's nine layers in docs/performance.md:  paper.sh BUILD. They are printed, and put between the marks of that file.
set -eu
eie=$1/eie
page=$(dirname "$0")/../../docs/performance.md
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# table TITLE OPTION...: "key": value lines of the report, a row a layer
table() {
	title=$1
	shift
	"$eie" bench eie-paper --seconds 0.01 --json "$@" >"$work/json" || { echo "paper.sh: eie bench eie-paper $* failed" >&2; exit 1; }
	printf '\n**%s** (`build/eie bench eie-paper%s`)\n\n' "$title" "${*:+ $*}"
	awk -v streamed="$(grep -c '"weights": "streamed"' "$work/json")" '
	BEGIN {
		printf "| layer | ideal | engine | ratio | job | over | EIE | speed-up | array | drain | load | store | sync | cmd | front | tail |%s\n", streamed ? " granules a cycle | fetched of all columns |" : ""
		printf "|---|---|---|---|---|---|---|---|---|---|---|---|---|---|---|---|%s\n", streamed ? "---|---|" : ""
	}
	{
		key = $1
		gsub(/[":]/, "", key)
		value = $2
		gsub(/[",]/, "", value)
		v[key] = value
	}
	key == "mismatches" && value != 0 { print "a value differs: " v["layer"] > "/dev/stderr"; exit 1 }
	key == "speedup" {
		printf "| %s | %d | %d | %.3f | %d | %d | %d | %.2f | %d | %d | %d | %d | %d | %d | %d | %d |", v["layer"], v["ideal_cycles"], v["engine_cycles"],
			v["engine_ratio"], v["job_cycles"], v["job_over"], v["paper_cycles"], v["speedup"], v["array"], v["drain"], v["load"], v["store"],
			v["sync"], v["cmd"], v["front"], v["tail"]
		print streamed ? sprintf(" %.4f | %.1f %% |", v["beats_per_cycle"], 100 * v["bytes_fetched"] / v["bytes_all_columns"]) : ""
	}
	END {
		printf "\nEngine / ideal: worst %.3f, geometric mean %.3f; job: %d cycles over 1.02 x ideal at the most%s.\n", v["engine_ratio_worst"],
			v["engine_ratio_mean"], v["job_over_worst"], streamed ? sprintf("; %.4f granules a cycle at least", v["beats_per_cycle_worst"]) : ""
	}' "$work/json"
}

{
	table "Uniform"
	table "Uneven rows and columns" --sparsity uneven
	table "Another seed" --seed 7
	table "Uneven, another seed" --sparsity uneven --seed 7
	table "Weights streamed" --streamed
	table "16x16" --config 16,16
} >"$work/tables"
cat "$work/tables"
. "$(dirname "$0")/marks.sh"
put_between bench-paper "$work/tables" "$page"
