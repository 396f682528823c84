#!/bin/sh
# SPDX-License-Identifier: GPL-2.0 OR MIT
# The example in Python gives the values that the command gives.
. "$(dirname "$0")/lib.sh"

fixture npz w.npz
fixture npy x.npy f4 4 4
fixture png grey.png 4 4 1
"$EIE" import w.npz -o m.eie >out 2>err || not_ok "importing"
example=$top/libaccel/examples/accel.py
check "at most 60 lines" [ "$(wc -l <"$example")" -le 60 ]
for input in x.npy grey.png; do
	try 0 "the command, $input" run m.eie --input $input --top 5 --json
	sed -n 's/^ *"score": \([^,]*\).*/\1/p' out >want
	LD_LIBRARY_PATH=$(cd "$BUILD" && pwd) /usr/bin/python3 "$example" m.eie $input >got 2>err || not_ok "accel.py: $(tail -n 1 err)"
	check "as many classes from accel.py" [ "$(wc -l <got)" = "$(wc -l <want)" ]
	check "the same scores" awk 'NR == FNR { want[NR] = $1; next } { d = $NF - want[FNR]; if (d * d > 1e-8) exit 1 }' want got
done
if LD_LIBRARY_PATH=$(cd "$BUILD" && pwd) /usr/bin/python3 "$example" gone.eie x.npy >got 2>err; then not_ok "a file that is not there"; fi
check "the library's error is raised" grep -q 'RuntimeError: gone.eie: No such file' err
finish
