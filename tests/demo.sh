#!/bin/sh
# SPDX-License-Identifier: GPL-2.0 OR MIT
# The demo's claims on a part of its data: what `make demo` prints must be true.  demo.sh BUILD MODEL
set -u
data=/usr/share/datasets/fashion-mnist
if [ ! -e "$data" ]; then
	echo "ok - demo # SKIP $data is not there (package dataset-fashion-mnist)"
	exit 0
fi
out=$("$1/eie" eval "$2" --data "$data" --device sim --limit 1000 --verify --json)
status=$?
printf '%s\n' "$out"
fail=0
check() {
	if printf '%s' "$out" | python3 -c "import json,sys; r=json.load(sys.stdin); sys.exit(not ($2))"; then
		echo "ok - $1"
	else
		echo "not ok - $1"
		fail=1
	fi
}
[ $status = 0 ] && echo "ok - eval exits 0" || { echo "not ok - eval exits $status"; fail=1; }
check "accuracy of the first 1,000 pictures is above 87 %" "r['accuracy'] > 0.87"
check "no output value differs from cpu or ref" "r['verified'] and all(v['mismatches'] == 0 for v in r['verified'])"
size=$(stat -c %s "$2")
[ "$size" -lt 36000 ] && echo "ok - the model is below 36 kB ($size)" || { echo "not ok - the model has $size bytes"; fail=1; }
exit $fail
