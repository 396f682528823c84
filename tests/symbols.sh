#!/bin/sh
# SPDX-License-Identifier: GPL-2.0 OR MIT
# What the library exports against what its header declares:  symbols.sh libaccel.so accel.h
set -eu
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
nm -D --defined-only "$1" | awk '$2 == "T" { sub(/@.*/, "", $3); print $3 }' | sort >"$tmp/exported"
sed 's,/\*.*\*/,,; /^ \*/d; /^\/\*/d' "$2" | grep -oE '\baccel_[a-z0-9_]+\(' | tr -d '(' | sort -u >"$tmp/declared"
if diff -u "$tmp/declared" "$tmp/exported"; then
	echo "ok - $(wc -l <"$tmp/exported") symbols exported, as declared"
else
	echo "not ok - exported symbols differ from $2"
	exit 1
fi
