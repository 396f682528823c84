#!/bin/sh
# SPDX-License-Identifier: GPL-2.0 OR MIT
# docs/operators.md is what the operator tests say:  operators.sh BUILD [--write]
set -eu
page=docs/operators.md
have=$(dpkg-query -W -f='${Version}' libonnx-testdata)
tmp=$(mktemp)
trap 'rm -f "$tmp"' EXIT
sed '/^Counted with/,$d' "$page" >"$tmp"
echo "Counted with Debian's libonnx-testdata $have. A case counts once for each operator in it.
" >>"$tmp"
"$1/tests/lib/onnx_nodes" --table 2>/dev/null | grep '^|' >>"$tmp"
if [ "${2:-}" = --write ]; then
	cp "$tmp" "$page"
elif ! grep -q "libonnx-testdata $have\\." "$page"; then
	echo "ok 1 - $page # SKIP it was made with other cases than those of libonnx-testdata $have"
elif diff -u "$page" "$tmp"; then
	echo "ok 1 - $page is what the operator tests say"
else
	echo "not ok 1 - $page is out of date: tests/operators.sh build --write"
	exit 1
fi
