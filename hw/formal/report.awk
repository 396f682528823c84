# SPDX-License-Identifier: GPL-2.0 OR MIT
#
# The results of prove.sh as a table. Fails when a property does not hold, a cover is not reached or a mutant is not found.

BEGIN {
	printf "%-7s %-17s %-16s %-7s %s\n", "", "", "result", "covers", "seconds"
}

{
	split($4, c, "/")
	good = ($1 == "proof" && $3 ~ /^(proved|BOUNDED)/ && ($4 == "-" || c[1] == c[2])) ||
	       ($1 == "cover" && $3 == "reached") || ($1 == "mutant" && $3 ~ /^found/)
	printf "%-7s %-17s %-16s %-7s %5d%s\n", $1, $2, $3, $4, $5, good ? "" : "   <-- NOT GOOD, see formal/" $2
	bad += !good
	count[$1]++
	bounded += $3 ~ /^BOUNDED/
	proved += $3 ~ /^proved/
}

END {
	printf "%d proofs: %d unbounded (k-induction), %d BOUNDED; %d mutants; %d not good\n", count["proof"], proved, bounded, count["mutant"], bad
	exit bad != 0
}
