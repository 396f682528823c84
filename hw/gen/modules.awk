# SPDX-License-Identifier: GPL-2.0 OR MIT
#
# The module tree of the RTL, from the instances in it and the first sentence of each file:
#   awk -f hw/gen/modules.awk hw/rtl/eie_*.sv                  the tree
#   awk -v names=1 -f hw/gen/modules.awk hw/rtl/eie_*.sv       the names of its modules, one a line
# It relies on the style of this repository: a module a file, an instance begins a line with its module's name, a generate
# loop begins with "for (genvar" and ends with an "end" of its indentation, an instance's name with "u_".

function indentation(s) {
	match(s, /^ */)
	return RLENGTH
}

# The first sentence; when that is long, as much of it as ends at a colon or comma. Nothing when neither is there.
function summary(s,    i, best) {
	if (match(s, /\. /))
		s = substr(s, 1, RSTART)
	sub(/\.$/, "", s)
	if (length(s) <= Width)
		return s
	for (i = 1; i <= Width; i++)
		if (substr(s, i, 2) ~ /^[:;,] $/)
			best = i
	return best ? substr(s, 1, best - 1) : substr(s, 1, Width - 3) "..."
}

function show(module, head, tail, many,    i, n, last, child) {
	printf "%-40s %s\n", head module (many > 1 ? " x" many : many == 0 ? " [n]" : ""), summary(about[module])
	n = count[module]
	for (i = 1; i <= n; i++) {
		child = kid[module, i]
		last = i == n
		show(child, tail (last ? "`-- " : "|-- "), tail (last ? "    " : "|   "), times[module, child])
	}
}

BEGIN { Width = 96 }

FNR == 1 { module = FILENAME; sub(/.*\//, "", module); sub(/\.sv$/, "", module); prose = 1; loop = -1; seen_prose = 0 }

prose && /^\/\/ / && !/SPDX/ { about[module] = about[module] (about[module] == "" ? "" : " ") substr($0, 4); seen_prose = 1; next }
prose && seen_prose && !/^\/\/ / { prose = 0 }

/^module / {
	if ($2 != module) {
		print FILENAME ": holds module " $2 > "/dev/stderr"
		failed = 1
	}
	defined[module] = 1
}
/^ *for \(genvar/ && loop < 0 { loop = indentation($0) }
/^ *end *$/ && indentation($0) == loop { loop = -1 }

/^ *eie_[a-z0-9_]+ +(#\(|u_)/ {
	child = $1
	if (child ~ /^eie_(ram|fifo|tagram|clkgate)$/)   # primitives: everywhere
		next
	if (!((module, child) in times))
		kid[module, ++count[module]] = child
	if (loop >= 0)
		times[module, child] = 0
	else
		times[module, child]++
	used[child] = 1
}

END {
	for (child in used)
		if (!(child in defined)) {
			print "eie_*.sv: instance of " child ", which is not there" > "/dev/stderr"
			failed = 1
		}
	if (failed)
		exit 1
	if (names) {
		for (module in defined)
			print module | "sort"
		exit
	}
	show("eie_top", "", "", 1)
	print "eie_ram, eie_fifo, eie_tagram, eie_clkgate    primitives"
}
