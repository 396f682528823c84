#!/bin/sh
# SPDX-License-Identifier: GPL-2.0 OR MIT
# The documented structure of the RTL against the RTL:  diagrams.sh check|write
#   hw/README.md        its module tree, between the markers, is what hw/gen/modules.awk says
#   docs/block_diagram  .dot names every module and no other; .svg was rendered from this .dot
set -eu
readme=hw/README.md dot=docs/block_diagram.dot svg=docs/block_diagram.svg
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
status=0

fail() {
	echo "not ok - $1"
	status=1
}

render() {
	dot -Tsvg "$dot" >"$work/svg"
	# which source it was made of: graphviz's versions differ in what they print
	sed '1a <!-- SPDX-License-Identifier: GPL-2.0 OR MIT; generated from '"$dot, cksum $(cksum <"$dot")"' -->' "$work/svg" >"$svg"
}

set -- "$1" hw/rtl/eie_*.sv
mode=$1
shift
awk -f hw/gen/modules.awk "$@" >"$work/tree"
awk -v names=1 -f hw/gen/modules.awk "$@" | grep -v '^eie_pkg$' >"$work/modules"
awk -v tree="$work/tree" '
	/^<!-- modules/ { print; print ""; while ((getline line < tree) > 0) print "    " line; print ""; skip = 1; found++ }
	/^<!-- end of modules/ { skip = 0; found++ }
	!skip { print }
	END { if (found != 2) { print "hw/README.md: markers of the module tree are gone" > "/dev/stderr"; exit 1 } }
' "$readme" >"$work/readme"

if [ "$mode" = write ]; then
	cmp -s "$work/readme" "$readme" || cp "$work/readme" "$readme"
	if grep -q "cksum $(cksum <"$dot") " "$svg" 2>/dev/null; then exit 0; fi
	command -v dot >/dev/null || { echo "diagrams: needs dot: apt-get install graphviz" >&2; exit 1; }
	render
	exit 0
fi
diff -u "$readme" "$work/readme" || fail "$readme: not the modules of hw/rtl; run make diagrams"
sed 's,//.*,,' "$dot" | grep -oE 'eie_[a-z0-9_]+' | sort -u >"$work/drawn"
sort -u "$work/modules" >"$work/there"
diff "$work/there" "$work/drawn" || fail "$dot: < is a module that is not drawn, > is drawn and no module"
grep -q "cksum $(cksum <"$dot") " "$svg" || fail "$svg: not made of $dot; run make diagrams"
[ $status = 0 ] && echo "ok - module tree and block diagram agree with the RTL"
exit $status
