#!/bin/sh
# SPDX-License-Identifier: GPL-2.0 OR MIT
# Inputs of every kind, outputs, and the same bits on every device.
. "$(dirname "$0")/lib.sh"

make_model
fixture npy one.npy f4 4 4
fixture npy flat.npy f8 16
fixture npy bytes.npy u1 7 4 4
fixture npy many.npy f4 150 4 4
fixture npy raw.npy i2 5 4 4
fixture npy wide.npy i8 5 4 4
fixture png grey.png 4 4 1
fixture png colour.png 4 4 3
fixture png large.png 5 4 1

# ---- inputs
try 0 "one item" run m.eie --input one.npy
check "one line" [ "$(wc -l <out)" -eq 1 ]
prints "with names of classes" '^one\.npy: .*\(east\|west\|north\|south\) '
try 0 "one flat item of doubles" run m.eie --input flat.npy
try 0 "picture bytes" run m.eie --input bytes.npy
check "a line each" [ "$(wc -l <out)" -eq 7 ]
prints "numbered" '^bytes\.npy\[6\]: '
try 0 "a grey picture" run m.eie --input grey.png
try 0 "a picture in colour" run m.eie --input colour.png
try 0 "several files" run m.eie --input one.npy grey.png bytes.npy -t 1
check "a line each" [ "$(wc -l <out)" -eq 9 ]
try 0 "a named input" run m.eie --input image=one.npy
try 1 "a mistyped name" run m.eie --input imgae=one.npy
says "suggests" "did you mean 'image'"
cp one.npy a=b.npy
try 0 "a file with = in its name" run m.eie --input a=b.npy
"$EIE" run m.eie --input - <one.npy >out 2>err
check "standard input" [ $? -eq 0 ]
# shellcheck disable=SC2002 # a pipe is the point
cat bytes.npy | "$EIE" run m.eie --input - >out 2>err
check "standard input from a pipe" [ "$(wc -l <out)" -eq 7 ]
mkdir dir
cp one.npy dir/b.npy
cp grey.png dir/a.png
echo hello >dir/readme.txt
try 0 "a directory" run m.eie --input dir
check "in the order of names" [ "$(cut -d: -f1 out | tr '\n' ' ')" = "dir/a.png dir/b.npy " ]
mkdir none
try 1 "an empty directory" run m.eie --input none

try 1 "a picture of the wrong size" run m.eie --input large.png
says "tells both sizes" '5 x 4.*4 x 4'
fixture npy shape.npy f4 3 5
try 1 "an array of the wrong shape" run m.eie --input shape.npy
says "tells both shapes" '\[3, 5\].*\[4, 4\]'
fixture npy nan.npy nan 2 16
try 1 "not a number" run m.eie --input nan.npy
says "tells which value" 'nan\.npy: value 31'
try 1 "int16 without --raw" run m.eie --input raw.npy
says "tells what to do" "add --raw"
try 1 "int64" run m.eie --input wide.npy --raw
try 1 "int16 and reals" run m.eie --input raw.npy one.npy --raw
try 1 "no such file" run m.eie --input gone.npy
says "names it" 'gone\.npy: No such file'
try 1 "an unknown kind" run m.eie --input dir/readme.txt
try 1 "a jpeg" run m.eie --input x.npy/x.jpg

# ---- results
try 0 "--json" run m.eie --input bytes.npy grey.png --json --top 2 --verify
is_json "is JSON"
check "has all items" [ "$(grep -c '"file"' out)" -eq 8 ]
check "has two classes each" [ "$(grep -c '"score"' out)" -eq 16 ]
check "no value differs" [ "$(value mismatches)" = 0 ]
name=$(printf 'b\303\244d\377".npy')
cp one.npy "$name"
try 0 "a file name that is no UTF-8" run m.eie --input "$name" --json
is_json "is JSON all the same"

# ---- saturation: ranges that were chosen by a black picture are too narrow for others
{ head -c 128 one.npy && head -c 64 /dev/zero; } >black.npy
try 0 "calibrating with black" import w.npz --calib black.npy -o narrow.eie
try 0 "a run that saturates" run narrow.eie --input many.npy --device ref
says "is warned of" 'warning: .*values saturated: [1-9]'
# without calibration two bits are to spare
try 0 "importing without calibration" import w.npz -q -o wide.eie
try 0 "a run that does not" run wide.eie --input many.npy --device ref
check "is not" [ ! -s err ]

# ---- outputs, equal on every device
first=
find_devices
for d in $DEVICES; do
	try 0 "raw outputs of $d" run m.eie --input many.npy --device "$d" --raw --output "$(echo "$d" | tr : -).npy"
	file=$(echo "$d" | tr : -).npy
	[ -n "$first" ] && check "$d gives the bits of $first" cmp "$first" "$file"
	[ -z "$first" ] && first=$file
	try 0 "--verify on $d" run m.eie --input many.npy --device "$d" --verify
	prints "says that nothing differs" '^Bit check *0 of 600 output values differ'
	try 0 "batches of 1 on $d" run m.eie --input many.npy --device "$d" --raw -o one-by-one.out --batch 1
	check "give the same bits" cmp "$first" one-by-one.out
	try 0 "batches of 7 on $d" run m.eie --input many.npy --device "$d" --raw -o sevens.out -b 7
	check "give the same bits" cmp "$first" sevens.out
done
try 0 "raw inputs" run m.eie --input raw.npy --raw -o raw-out.npy
check "shape and type of raw outputs" grep -a -q "'<i2'.*(5, 4)" raw-out.npy
try 0 "float outputs" run m.eie --input many.npy --output image.npy
check "shape and type of float outputs" grep -a -q "'<f4'.*(150, 4)" image.npy
try 1 "a mistyped output" run m.eie --input one.npy --output fc=x.npy
check "is not taken for a file" [ ! -e fc=x.npy ]
try 1 "one output twice" run m.eie --input one.npy -o a.npy -o b.npy
# shellcheck disable=SC2002
"$EIE" run m.eie --input one.npy -q -o /dev/stdout 2>err | head -c 6 >out
check "an output into a pipe" grep -a -q NUMPY out

# ---- outputs that cannot be written leave what was there
mkdir keep
cp image.npy keep/y.npy
(
	ulimit -f 1
	exec "$EIE" run m.eie --input many.npy -q -o keep/y.npy
) >/dev/null 2>err
check "a full disk" [ $? -eq 1 ]
says "is told" '^eie: .*keep/y.npy'
check "the older output is as it was" cmp -s image.npy keep/y.npy
only keep y.npy
try 1 "no such directory" run m.eie --input one.npy -o gone/y.npy
if [ "$(id -u)" = 0 ]; then
	mkdir tiny
	if mount -t tmpfs -o size=4k tmpfs tiny 2>/dev/null; then
		undo="umount '$work/tiny'"
		head -c 4096 /dev/zero >tiny/fill
		try 1 "a file system without room" run m.eie --input many.npy -o tiny/y.npy
		says "is told" 'No space left'
		only tiny fill
		umount tiny
		undo=
	else
		skip "a file system without room" "mounting is not permitted here"
	fi
else
	skip "a file system without room" "needs root to mount one; the limit on file size was tried"
fi

# An interrupted run: whenever it is killed, nothing but whole files is left.
mkdir killed
fixture npy much.npy f4 20000 4 4
bad=0
for t in 0.01 0.02 0.03 0.05 0.08; do
	timeout -s INT $t "$EIE" run m.eie --input much.npy -o killed/y.npy >/dev/null 2>&1
	for f in killed/* killed/.[!.]*; do
		[ ! -e "$f" ] || { [ "$f" = killed/y.npy ] && [ "$(wc -c <"$f")" -eq $((128 + 20000 * 16)) ]; } || bad=$((bad + 1))
	done
done
check "interrupted runs leave no part of a file" [ $bad -eq 0 ]

finish
