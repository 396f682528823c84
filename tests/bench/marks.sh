# SPDX-License-Identifier: GPL-2.0 OR MIT
# put_between MARK TABLES PAGE: replaces what stands between the marks <!-- MARK: begin ... --> and <!-- MARK: end --> of PAGE. Sourced.
# shellcheck shell=sh
put_between() {
	grep -q "^<!-- $1: begin" "$3" && grep -q "^<!-- $1: end -->" "$3" || { echo "$3 has no marks $1" >&2; return 1; }
	awk -v mark="$1" -v tables="$2" '
	$0 == "<!-- " mark ": end -->" { inside = 0 }
	!inside { print }
	index($0, "<!-- " mark ": begin") == 1 {
		inside = 1
		while ((getline line < tables) > 0)
			print line
		print ""
	}' "$3" >"$2.page"
	cp "$2.page" "$3"
}
