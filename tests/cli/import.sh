#!/bin/sh
# SPDX-License-Identifier: GPL-2.0 OR MIT
# Weights to models, and what inspect, explain and info say of them.
. "$(dirname "$0")/lib.sh"

fixture npz w.npz
fixture npy calib.npy f4 50 4 4
mkdir calib
fixture npy calib/a.npy f4 10 16
fixture npy calib/b.npy u1 4 4

try 0 "import without calibration" import w.npz -o guessed.eie
says "warns" "warning: .*not calibrated"
try 0 "with -q" import w.npz -o quiet.eie -q
check "does not warn" [ ! -s err ]
try 0 "import with a file of inputs" import w.npz --calib calib.npy -o m.eie
prints "counts them" "calibrated with 50 items"
try 0 "import with a directory" import w.npz --calib calib -o n.eie
prints "counts those of all files" "calibrated with 11 items"
try 0 "import with both" import w.npz --calib calib --calib calib.npy --output=o.eie
prints "counts all" "calibrated with 61 items"
try 0 "the same again" import w.npz --calib calib.npy -o again.eie
check "gives the same bytes" cmp -s m.eie again.eie

try 0 "inspect" inspect m.eie
prints "lists the layer" "^fc1 "
prints "tells that it is calibrated" "calibrated"
try 0 "inspect --json" inspect m.eie --json
is_json "is JSON"
check "tells the file's size" [ "$(value file_bytes)" = "$(wc -c <m.eie | tr -d ' ')" ]
check "tells that it is calibrated" [ "$(value calibrated)" = true ]
try 0 "inspect a guessed one" inspect guessed.eie --json
check "tells that it is not" [ "$(value calibrated)" = false ]

find_devices
for d in $DEVICES; do
	try 0 "info of $d" info --device "$d"
	try 0 "info --json of $d" info --device "$d" --json
	is_json "is JSON"
	[ "$d" = cpu ] || check "tells queues and bus" [ "$(value queues) $(value bus_bits)" = "4 128" ]
	try 0 "explain on $d" explain m.eie --device "$d" --batch 4
	prints "has a row for each layer" "^fc2 "
	try 0 "explain --json on $d" explain m.eie --device "$d" --json
	is_json "is JSON"
done

try 1 "calibration of the wrong size" import w.npz --calib w.npz -o bad.eie
fixture npy wrong.npy f4 10 15
try 1 "calibration of the wrong shape" import w.npz --calib wrong.npy -o bad.eie
says "names both shapes" '\[10, 15\].*\[4, 4\]'
fixture npy nan.npy nan 2 16
try 1 "calibration with a NaN" import w.npz --calib nan.npy -o bad.eie
says "names file and value" 'nan\.npy: value 31'
mkdir nothing
try 1 "calibration from an empty directory" import w.npz --calib nothing -o bad.eie
try 1 "calibration that is not there" import w.npz --calib gone.npy -o bad.eie
try 1 "an .onnx that is not there" import net.onnx -o bad.eie
says "names it" "net.onnx"
try 1 "a .net" import squeeze.net -o bad.eie
try 1 "a model" import m.eie -o bad.eie
try 1 "another file" import calib.txt -o bad.eie
try 1 "weights over themselves" import w.npz -o w.npz
try 0 "the weights, which are as they were" import w.npz -q -o again.eie

# Hostile archives: cut anywhere, any byte wrong. A wrong byte may land in what nobody reads, so that status 0 is legal, too;
# 2 or a signal is not.
size=$(wc -c <w.npz)
at=0
bad=
while [ $at -lt "$size" ]; do
	head -c $at w.npz >cut.npz
	"$EIE" import cut.npz -o cut.eie >out 2>err
	[ $? -eq 1 ] || bad="$bad $at"
	at=$((at + 211))
done
check "archives cut off are refused (not at:$bad)" [ -z "$bad" ]
at=0
bad=
while [ $at -lt "$size" ]; do
	cp w.npz flip.npz
	fixture flip flip.npz $at
	"$EIE" import flip.npz -q -o flip.eie >out 2>err
	[ $? -le 1 ] || bad="$bad $at"
	at=$((at + 97))
done
check "archives with a wrong byte do no harm (but at:$bad)" [ -z "$bad" ]
: >empty.npz
try 1 "an empty archive" import empty.npz -o bad.eie
printf 'PK\005\006\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000' >hollow.npz
try 1 "an archive of nothing" import hollow.npz -o bad.eie
check "no model was left by a failure" [ ! -e bad.eie ]

# Where a model cannot be written.
try 1 "no such directory" import w.npz -o gone/m.eie
says "names the file" 'gone/m\.eie'
try 1 "a directory in the way" import w.npz -o calib
mkdir locked
cp m.eie locked/m.eie
chmod 555 locked
if [ "$(id -u)" = 0 ]; then
	chmod 755 "$work"
	setpriv --reuid 65534 --clear-groups "$EIE" import w.npz -q -o locked/m.eie >out 2>err
else
	"$EIE" import w.npz -q -o locked/m.eie >out 2>err
fi
check "no permission" [ $? -eq 1 ]
says "says so" 'Permission denied'
chmod 755 locked
check "the older model is as it was" cmp -s m.eie locked/m.eie
only locked m.eie

mkdir full
cp m.eie full/m.eie
(
	ulimit -f 1
	exec "$EIE" import w.npz -q -o full/m.eie
) >out 2>err
check "a full disk" [ $? -eq 1 ]
says "says so" '^eie: .*full/m.eie'
check "the older model is as it was" cmp -s m.eie full/m.eie
only full m.eie

finish
