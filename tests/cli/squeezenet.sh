#!/bin/sh
# SPDX-License-Identifier: GPL-2.0 OR MIT
# The network that the authors of Deep Compression published, and 100 photographs of ImageNet's classes.
# They are not in this repository: EIE_TEST_DATA names their folder (default ../shared/data). EIE_TEST_PHOTOS: how many photographs (20).
. "$(dirname "$0")/lib.sh"

data=${EIE_TEST_DATA:-$top/../shared/data}
net=$data/squeezenet-deep-compression/compressed_SqueezeNet.net
photos=${EIE_TEST_PHOTOS:-20}

try 1 "weights of another network" import "$top/tests/fuzz/corpus/deepcomp/two.net" -o z.eie
says "tells what was expected" 'layer .conv1.: .* (taken for SqueezeNet v1\.0: other networks need --graph)'
fixture npz w.npz
try 1 "--graph with other files" import w.npz --graph "$top/tests/fuzz/corpus/onnx/pools.onnx" -o z.eie
try 1 "a graph without layers of weights" import "$top/tests/fuzz/corpus/deepcomp/two.net" --graph "$top/tests/fuzz/corpus/onnx/pools.onnx" -o z.eie
says "names the graph" 'pools\.onnx'
if [ ! -f "$net" ] || [ ! -d "$data/photos" ]; then
	skip "the authors' SqueezeNet" "compressed_SqueezeNet.net and photos are not in $data (EIE_TEST_DATA)"
	finish
fi

# every fifth photograph chooses the ranges
mkdir calib
n=0
for photo in "$data/photos"/*.JPEG; do
	n=$((n + 1))
	[ $((n % 5)) != 0 ] || ln -s "$(realpath "$photo")" calib/
done
try 0 "import" import "$net" --calib calib --classes "$top/libaccel/models/imagenet_classes.txt" -o s.eie
prints "all weights" '38 layers, 1,244,448 weights'
check "no larger than the authors' file and the names" [ "$(wc -c <s.eie)" -lt $(($(wc -c <"$net") + $(wc -c <"$top/libaccel/models/imagenet_classes.txt"))) ]
try 0 "import without names" import "$net" --calib calib -o nameless.eie
check "at most 560,000 bytes" [ "$(wc -c <nameless.eie)" -le 560000 ]
try 0 "inspect" inspect s.eie --json
is_json "is JSON"
try 0 "a photograph" run s.eie --input "$data/photos/n01440764_tench.JPEG" --top 5
prints "knows a tench" ': n01440764 tench, Tinca tinca [0-9.]*, '
try 0 "every output bit on ref" run s.eie --input "$data/photos/n01440764_tench.JPEG" --device ref --verify
prints "is that of the CPU" "0 of 1,000 output values differ"
try 0 "explain" explain s.eie --device ref
check "every layer on the device" [ "$(grep -c '^[^ ]* *device' out)" = 38 ]
try 0 "explain --json" explain s.eie --device ref --json
check "no segment on the CPU" [ "$(value cpu_segments)" = 0 ]
check "one on the device" [ "$(value device_segments)" = 1 ]
try 0 "evaluation" eval s.eie --data "$data/photos" --device cpu --limit "$photos" --json
is_json "is JSON"
echo "# of $photos: $(value correct) right, $(value correct_top5) among the best five, $(value float_agreement) as in float32"
check "the same class as float32" [ "$(value float_agreement)" -ge $((photos * 97 / 100)) ]
try 0 "evaluation with eight bits" eval s.eie --data "$data/photos" --device cpu:int8 --limit "$photos" --verify --json
echo "# int8: $(value correct) right, $(value correct_top5) among the best five, $(value int16_agreement) as in int16"
check "every bit of portable kernels" [ "$(value mismatches)" = 0 ]
check "nine of ten classes of int16" [ "$(value int16_agreement)" -ge $((photos * 9 / 10)) ]
if [ "$photos" = 100 ]; then
	check "top-1 within a point of 62 %" [ "$(value correct)" -ge 61 -a "$(value correct)" -le 63 ]
	check "top-5 within a point of 84 %" [ "$(value correct_top5)" -ge 83 -a "$(value correct_top5)" -le 85 ]
	# dense, 64 multipliers need 13.0 million
	try 0 "a photograph through the RTL" eval s.eie --data "$data/photos" --device sim:8x8 --limit 1 --verify --json
	echo "# $(value job_cycles_per_item) job cycles, $(value cycles_per_second) a second of processor"
	check "every bit" [ "$(grep -c '"mismatches": 0,*$' out)" = 2 ]
	check "at most 7.05 million job cycles" awk "BEGIN { exit !($(value job_cycles_per_item) <= 7.05e6) }"
else
	check "most among the best five" [ "$(value correct_top5)" -ge $((photos * 7 / 10)) ]
fi
finish
