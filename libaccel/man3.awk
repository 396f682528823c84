# SPDX-License-Identifier: GPL-2.0 OR MIT
# Manual pages of section 3 from the library's header, one for each of its parts, and a page of one line for each function that refers
# to it:  awk -v dir=OUT -v version=V -v date=D -f man3.awk accel.h
# The header is the text: a comment, then what it is about. /* ---- NAME */ begins a part; what stands before the first is accel(3).

function text(s) {
	gsub(/\\/, "\\\\", s)
	gsub(/-/, "\\-", s)
	if (s ~ /^[.']/)
		s = "\\\&" s
	return s
}

function begin(name, what) {
	part = name
	title[part] = what
	parts[++nparts] = part
}

function add(s) {
	body[part] = body[part] s "\n"
}

function prose(s) {
	if (mode == "code")
		add(".fi\n.RE")
	if (mode != "prose" && mode != "")
		add(".PP")
	mode = "prose"
	if (s ~ /^- /) {
		add(".IP \\(bu 2")
		sub(/^- /, "", s)
	}
	if (s == "")
		add(".PP")
	else
		add(text(s))
}

function code(s) {
	if (mode != "code")
		add((mode == "" ? "" : ".sp\n") ".RS 2\n.nf")
	mode = "code"
	add(text(s))
}

BEGIN {
	begin("accel", "compressed neural networks on the EIE engine, its simulator, or the CPU")
}

/^\/\* -+ [a-z]+ \*\/$/ {
	if (mode == "code")
		add(".fi\n.RE")
	mode = ""
	begin("accel_" $3, $3 " of libaccel")
	next
}
/SPDX|^#[^d]|^#define ACCEL_H$|^extern "C"|^}$|library is built with hidden/ { next }
!nparts { next }

# comments at the left margin are prose, those beside a declaration belong to it
/^\/\*/ || comment {
	ends = /\*\/$/
	s = $0
	sub(/^\/\*[ ]?/, "", s)
	sub(/[ ]?\*\/$/, "", s)
	sub(/^ \*[ ]?/, "", s)
	sub(/^[ ]+/, "", s)
	if (s != "" || (comment && !ends && mode == "prose"))
		prose(s)
	comment = !ends
	next
}

/^$/ {
	if (mode == "code") {
		add(".fi\n.RE")
		mode = "space"
	}
	next
}

{ code($0) }

/^[a-z].*accel_[a-z_0-9]+\(/ {
	s = $0
	match(s, /accel_[a-z_0-9]+\(/)
	f = substr(s, RSTART, RLENGTH - 1)
	names[part] = names[part] ", " f
	page[f] = part
}

END {
	if (mode == "code")
		add(".fi\n.RE")
	for (i = 1; i <= nparts; i++) {
		p = parts[i]
		out = dir "/" p ".3"
		printf ".\\\" SPDX-License-Identifier: GPL-2.0 OR MIT\n.TH %s 3 \"%s\" \"libaccel %s\" \"Library Functions\"\n", toupper(p), date, version > out
		printf ".SH NAME\n%s%s \\- %s\n", p, names[p], title[p] > out
		printf ".SH SYNOPSIS\n.nf\n#include <accel.h>\n.fi\n.PP\ncc ... $(pkg\\-config \\-\\-cflags \\-\\-libs accel)\n.SH DESCRIPTION\n%s", body[p] > out
		printf ".SH SEE ALSO\n.BR eie (1)" > out
		for (j = 1; j <= nparts; j++)
			if (j != i)
				printf ",\n.BR %s (3)", parts[j] > out
		printf "\n" > out
		close(out)
	}
	for (f in page) {
		out = dir "/" f ".3"
		print ".so man3/" page[f] ".3" > out
		close(out)
	}
}
