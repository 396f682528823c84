# SPDX-License-Identifier: GPL-2.0 OR MIT
# Reads what the machine's init and the test programs wrote; prints TAP lines with the program's name, and one more for
# each program that broke the rules: no plan, another number of results than planned, a bad exit status, an unexpected skip.
# Exit status 1 when anything is not ok.

BEGIN {
	while ((getline line < skips) > 0)
		if (line !~ /^(#|$)/)
			allowed[line] = 1
}

function bad(text) {
	print "not ok - " text
	failed = 1
}

function may_skip(line,   pattern) {
	for (pattern in allowed)
		if ((kind " " line) ~ pattern)
			return 1
	return 0
}

/^# begin / { name = $3; plan = -1; count = 0; next }

/^# end / {
	if (plan < 0)
		bad(name ": printed no plan")
	else if (count != plan)
		bad(name ": " count " results of " plan " planned")
	if ($4 != 0 && !program_failed)
		bad(name ": exit status " $4)
	name = ""
	program_failed = 0
	next
}

/^1\.\.[0-9]+/ { plan = substr($1, 4) + 0; next }
/^TAP version/ { next }

/^(ok|not ok) / {
	count++
	line = $0
	sub(/^(ok|not ok) ([0-9]+ )?(- )?/, "", line)
	line = (name ? name ": " : "") line
	if ($1 == "not") {
		bad(line)
		program_failed = 1
	} else if (toupper(line) ~ /# *SKIP/ && !may_skip(line)) {
		bad(line " (a skip that expected_skips does not allow)")
		program_failed = 1
	} else {
		print "ok - " line
	}
	next
}

{ print ($0 ~ /^#/ ? "" : "# ") $0 }

END {
	if (name)
		bad(name ": did not end")
	exit failed
}
