#!/bin/sh
# SPDX-License-Identifier: GPL-2.0 OR MIT
# ONNX files in every command that takes a model.
. "$(dirname "$0")/lib.sh"

models=$top/tests/fuzz/corpus/onnx
fixture npy x.npy f4 3 1 1 4 4
fixture npy calib.npy f4 50 1 4 4

try 0 "inspect" inspect "$models/classifier.onnx"
prints "counts operators" "1 operators"
prints "counts layers of the engine" "for the engine: 3 layers"
prints "tells the input's type" "^Input *x \[1, 4, 4\], float32"
try 0 "inspect --json" inspect "$models/classifier.onnx" --json
is_json "is JSON"
check "counts operators" [ "$(value operators)" = 1 ]

try 0 "import" import "$models/classifier.onnx" -o guessed.eie
says "warns" "not calibrated"
try 0 "import with inputs" import "$models/classifier.onnx" --calib calib.npy -o m.eie
check "does not warn" [ ! -s err ]
prints "tells what is on the CPU" "3 layers for the engine, the others for the CPU"
try 0 "the same again" import "$models/classifier.onnx" --calib calib.npy -o again.eie
check "gives the same bytes" cmp -s m.eie again.eie
try 0 "a method and its report" import "$models/classifier.onnx" --calib calib.npy --calib-method percentile:99 --calib-report -o p.eie
check "a line a layer and the input" [ "$(grep -c '^\(x\|Conv_0\|Flatten_2\|Gemm_3\|MatMul_5\|Softmax_6\) ' out)" = 6 ]
check "99 of 100 leave something out" awk '$1 == "x" && $8 > 0 { found = 1 } END { exit !found }' out
check "another model" [ -n "$(cmp m.eie p.eie 2>&1)" ]
try 0 "least square error" import "$models/classifier.onnx" --calib calib.npy --calib-method mse -o s.eie
try 0 "data for an input by name" import "$models/classifier.onnx" --calib x=calib.npy -o n.eie
check "the same as without the name" cmp -s m.eie n.eie
for method in mean percentile:20 percentile:x; do
	try 2 "--calib-method $method" import "$models/classifier.onnx" --calib calib.npy --calib-method $method -o z.eie
done
try 2 "a method without data" import "$models/classifier.onnx" --calib-method mse -o z.eie
try 0 "import without layers for the engine" import "$models/hard_swish.onnx" -o h.eie
check "has nothing to calibrate" [ ! -s err ]

find_devices
for d in $DEVICES; do
	try 0 "run of the .onnx on $d" run "$models/classifier.onnx" --input x.npy --device "$d" -o guessed.npy --verify
	prints "verifies every bit" "0 of 9 output values differ"
	try 0 "run of the .eie on $d" run m.eie --input x.npy --device "$d" -o "$d.npy"
	cmp -s "$d.npy" cpu.npy || not_ok "$d gives other bits than cpu"
	try 0 "explain on $d" explain m.eie --device "$d"
	prints "totals of the CPU" "^total on the CPU .* bytes"
	[ "$d" = cpu ] || prints "says why a layer is on the CPU" "^Softmax_6 *cpu .* the engine has no such operation"
	case $d in
	ref*) prints "puts the convolution on the device" "^Conv_0 *device .*convolution" ;;
	# by its configuration
	sim*) prints "says where the convolution is" '^Conv_0 *\(device .*convolution\|cpu .* int16 on the CPU: .* no vector mode\)' ;;
	esac
done
try 0 "explain --json" explain m.eie --device ref --json
is_json "is JSON"
check "counts segments on the CPU" [ "$(value cpu_segments)" = 1 ]
check "counts segments on the device" [ "$(value device_segments)" = 1 ]

try 0 "the default, named" import "$models/classifier.onnx" --conv int16 --calib calib.npy -o same.eie
check "is the default" cmp -s same.eie m.eie
try 0 "convolutions in float32" import "$models/classifier.onnx" --conv float32 --calib calib.npy -o float.eie
prints "leaves them to the CPU" "2 layers for the engine"
try 0 "explain of float32 convolutions" explain float.eie --device ref
prints "says that it was asked for" "^Conv_0 *cpu .* imported in float32"
try 2 "another kind" import "$models/classifier.onnx" --conv int8 -o z.eie
says "tells what there is" "int16 or float32"
try 1 "--conv for an .npz" import "$top/tests/fuzz/corpus/npz/network.npz" --conv float32 -o z.eie
says "tells what it is for" "are for ONNX files"
try 0 "weights of many values" import "$models/float_weights.onnx" --calib calib.npy -o rounded.eie
prints "are rounded, and that is said" "^Rounded *weights of 2 layers, .* signal to noise 5[0-9]\.[0-9] dB; .* --weights exact keeps them"
try 0 "named" import "$models/float_weights.onnx" --weights linear --calib calib.npy -o again.eie
check "the default" cmp -s rounded.eie again.eie
try 0 "explain of them" explain rounded.eie --device ref
prints "puts them on the device" "^Gemm3 *device"
try 0 "a run of them" run rounded.eie --input x.npy --device ref --verify
try 0 "exact weights" import "$models/float_weights.onnx" --weights exact --calib calib.npy -o exact.eie
check "says nothing of rounding" [ "$(grep -c ^Rounded out)" = 0 ]
try 0 "explain of those" explain exact.eie --device ref
prints "says what would round them" "^Gemm3 *cpu .*import rounds them"
try 0 "a run of the .onnx" run "$models/float_weights.onnx" --input x.npy -o direct.npy
try 0 "a run of exact weights" run exact.eie --input x.npy -o exact.npy
check "gives the same bytes: nothing was rounded" cmp -s direct.npy exact.npy
try 2 "other weights" import "$models/lenet_float.onnx" --weights int4 -o z.eie
says "tells what there is" "linear or exact"
try 1 "--weights for an .npz" import "$top/tests/fuzz/corpus/npz/network.npz" --weights exact -o z.eie
says "tells what it is for" "is for networks"

try 0 "several items, a few at a time" run m.eie --input x.npy --batch 2 -o batch.npy
check "gives the same bytes" cmp -s batch.npy cpu.npy
fixture npy sound.npy f4 3 2 2
try 0 "two outputs" run "$models/lstm.onnx" --input sound.npy --output y=y.npy --output h=h.npy
check "are both written" [ -s y.npy -a -s h.npy ]
try 1 "an output that is not there" run "$models/lstm.onnx" --input sound.npy --output z=z.npy
says "names the nearest" "has no output 'z'"
try 1 "raw values of a float network" run "$models/hard_swish.onnx" --input sound.npy --raw -o z.npy

try 0 "a shape that the file has" inspect "$models/lstm.onnx" --shape x=3,2,2
try 1 "another shape" inspect "$models/lstm.onnx" --shape x=3,2,5
says "names file, input and dimension" "lstm\.onnx: input 'x': dimension 2 is 2, --shape gives another"
try 1 "a shape of nothing" inspect "$models/lstm.onnx" --shape z=1
says "names the first input" "has no input 'z'; its first is 'x'"
try 1 "a shape that is none" inspect "$models/lstm.onnx" --shape x=3,,2
says "quotes it" "is not a list of sizes"
try 1 "a fixed number that is none" inspect "$models/lstm.onnx" --fix x=loud
says "quotes it" "'loud' is not a number"
try 1 "a shape for an .eie" inspect m.eie --shape x=1
says "tells that they are fixed" "this model's shapes are fixed"

head -c 100 "$models/classifier.onnx" >cut.onnx
try 1 "a damaged file" run cut.onnx --input x.npy
says "names it" "cut\.onnx: not an ONNX file, or damaged"
: >empty.onnx
try 1 "an empty file" explain empty.onnx
try 1 "a text" import "$0" -o z.eie
sed 's/Relu/Rela/' "$models/classifier.onnx" >unknown.onnx
try 1 "an unknown operator" import unknown.onnx -o z.eie
says "names file, node and operator" "unknown\.onnx: node .* (Rela): this operator is not supported; docs/operators\.md"
finish
