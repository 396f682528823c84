#!/bin/sh
# SPDX-License-Identifier: GPL-2.0 OR MIT
# eie compress: its words, what it refuses, and that whatever ends it leaves the older file alone. Numbers are tested in tests/lib/test_compress.c.
. "$(dirname "$0")/lib.sh"

fixture onnx n.onnx
fixture npy calib.npy f4 20 16

try 0 "with no option at all" compress n.onnx -o m.eie
prints "has a row for each layer" '^fc1 .* 4 '
prints "tells the size" '^Size .* times smaller than float32'
says "warns" "warning: .*not calibrated"
try 0 "with calibration" compress n.onnx --calib calib.npy -o m.eie
prints "counts the items" "calibrated with 20 items"
check "no warning" [ ! -s err ]
try 0 "the same again" compress n.onnx --calib calib.npy -o again.eie
check "gives the same bytes" cmp -s m.eie again.eie
try 0 "quietly" compress n.onnx -q -o q.eie
check "no table" [ "$(wc -l <out)" -le 4 ]
try 0 "what was made" inspect m.eie --json
is_json "is JSON"
try 0 "runs" run m.eie --input calib.npy --verify
prints "the same everywhere" " 0 of "

try 0 "a density" compress n.onnx --density 10% -q -o d.eie
try 0 "a density as a number" compress n.onnx --density 0.1 -q -o e.eie
check "are one" cmp -s d.eie e.eie
try 0 "bits" compress n.onnx --bits 3 -o b.eie
prints "are what was wanted" '^fc1 .* 3 *7 '
try 0 "bits of convolutions and the others" compress n.onnx --bits 8,2 -o b.eie
prints "are what was wanted" '^fc1 .* 2 *3 '
size=$(wc -c <m.eie)
try 0 "a size" compress n.onnx --size $((size * 3 / 4)) --calib calib.npy -o s.eie
check "is kept" [ "$(wc -c <s.eie)" -le $((size * 3 / 4)) ]
try 1 "no size" compress n.onnx --size 100 -o bad.eie
says "tells why" 'no file of 100 bytes'
for how in optimal linear density random; do
	try 0 "values: $how" compress n.onnx --share $how -q -o b.eie
done

try 0 "by magnitude, calibrated" compress n.onnx --calib calib.npy --prune magnitude -q -o g.eie
check "is another model" [ -n "$(cmp m.eie g.eie 2>&1)" ]
try 1 "second order without data" compress n.onnx --prune second-order -o bad.eie
says "tells what is missing" 'without calibration inputs'
try 2 "an unknown way to prune" compress n.onnx --prune best -o bad.eie
for bad in 0 -1 x 101; do
	try 2 "--max-drop $bad" compress n.onnx --calib calib.npy --max-drop=$bad -o bad.eie
done
try 2 "--max-drop without data" compress n.onnx --max-drop 1 -o bad.eie
try 1 "--max-drop without labels" compress n.onnx --calib calib.npy --max-drop 1 -o bad.eie
try 2 "--data without --max-drop" compress n.onnx --data calib.npy -o bad.eie

try 0 "not corrected" compress n.onnx --calib calib.npy --correct none -q -o c.eie
try 1 "correction without data" compress n.onnx --correct distil -o bad.eie
says "tells what is missing" 'without calibration inputs'
try 2 "an unknown correction" compress n.onnx --correct much -o bad.eie
try 0 "scales of rows" compress n.onnx --scales row -q -o c.eie
try 2 "unknown scales" compress n.onnx --scales all -o bad.eie

try 0 "cycles" compress n.onnx --calib calib.npy --cycles 1M -q -o c.eie
try 1 "no cycles" compress n.onnx --cycles 3 -o bad.eie
says "tells why" 'no run of 3 cycles'
try 2 "cycles and a size" compress n.onnx --cycles 1M --size 1M -o bad.eie

search="compress n.onnx --calib calib.npy --size $((size * 3 / 4)) --search --tries 60 --seed 3"
try 0 "a search" $search -o s.eie
prints "tells what it found" '^Search .*60 tries, .* better: error'
check "the size is kept" [ "$(wc -c <s.eie)" -le $((size * 3 / 4)) ]
check "nothing is left of it" [ ! -e s.eie.search ]
# killed as soon as it has done something, it goes on where it was
"$EIE" $search -q -o k.eie >out 2>err &
pid=$!
while [ ! -e k.eie.search ] && kill -0 $pid 2>/dev/null; do sleep 0.01; done
kill -9 $pid 2>/dev/null
wait $pid 2>/dev/null
check "a killed search leaves its state" [ -e k.eie.search ]
check "and no model" [ ! -e k.eie ]
cp k.eie.search killed
try 1 "with other options" $search --bits 3 -o k.eie
says "it is refused" 'k.eie.search: is of a search with another network, other options or other inputs'
check "and left" cmp -s k.eie.search killed
try 0 "goes on" $search -o k.eie
check "to the same bytes" cmp -s s.eie k.eie
echo noise >k.eie.search
try 1 "a damaged state" $search -o k.eie
says "is named" 'k.eie.search: is no state of a search, or damaged'
rm k.eie.search
try 2 "a search without inputs" compress n.onnx --search -o bad.eie
try 2 "tries without a search" compress n.onnx --tries 3 -o bad.eie

try 0 "codebooks of groups of rows" compress n.onnx --row-groups 2 -o w.eie
prints "a row for each group" '^fc1.rows0-.* 4 '
try 0 "runs" run w.eie --input calib.npy --verify
prints "the same everywhere" " 0 of "
for bad in 257 x -1; do
	try 2 "row groups $bad" compress n.onnx --row-groups=$bad -o bad.eie
done
echo 'fc1 row-groups=2' >layers
try 0 "groups of rows of one layer" compress n.onnx --layers layers -o l.eie
prints "splits it" '^fc1.rows0-'
prints "and no other" '^fc2 '
printf '# a comment\n\n*  bits=4\nfc1 density=0.25\nfc2\tkeep\n' >layers
try 0 "a file of layers" compress n.onnx --layers layers -o l.eie
prints "changes one" '^fc1 .* 25\.00 %'
prints "keeps another" '^fc2 .* to be kept'
for bad in 'fc1' 'fc1 bits=9' 'fc1 bits=0' 'fc1 density=2' 'fc1 density=0.x' 'fc1 size=3' 'fc1 row-groups=0' 'fc1 row-groups=257' 'fc1 row-groups=2x'; do
	echo "$bad" >layers
	try 1 "a line '$bad'" compress n.onnx --layers layers -o bad.eie
	says "names the line" 'layers:1: '
done
echo 'fc9 bits=4' >layers
try 1 "a layer that is not there" compress n.onnx --layers layers -o bad.eie
says "names it and the first" "'fc9'; the first is 'fc1'"
try 1 "a file of layers that is not there" compress n.onnx --layers gone -o bad.eie
says "names it" 'gone'

try 2 "no model" compress -o bad.eie
try 2 "no -o" compress n.onnx
for bad in 0 1.5 -1 x 0% 101%; do
	try 2 "density $bad" compress n.onnx --density=$bad -o bad.eie
done
for bad in 0 x 5G -3 1k5; do
	try 2 "size $bad" compress n.onnx --size=$bad -o bad.eie
done
try 0 "bits that are chosen" compress n.onnx --bits auto --calib calib.npy --correct none --density 0.5 -o b.eie
try 1 "bits that are chosen by nothing" compress n.onnx --bits auto -o bad.eie
for bad in 0 -1 x 1e7; do
	try 2 "an effort of $bad" compress n.onnx --effort=$bad -o bad.eie
done
for bad in 0 9 4,9 4, 44 x; do
	try 2 "bits $bad" compress n.onnx --bits=$bad -o bad.eie
done
try 2 "an unknown way to share" compress n.onnx --share best -o bad.eie
try 2 "a density and a size" compress n.onnx --density 0.1 --size 1k -o bad.eie
try 1 "another kind of file" compress calib.npy -o bad.eie
try 1 "a model" compress m.eie -o bad.eie
try 1 "a network that is not there" compress gone.onnx -o bad.eie
try 1 "the network over itself" compress n.onnx -o n.onnx
fixture npy wrong.npy f4 10 15
try 1 "calibration of the wrong shape" compress n.onnx --calib wrong.npy -o bad.eie
fixture npy nan.npy nan 2 16
try 1 "calibration with a NaN" compress n.onnx --calib nan.npy -o bad.eie
fixture onnx nan.onnx nan
try 1 "weights with a NaN" compress nan.onnx -o bad.eie
says "names layer and weight" "layer 'fc1': value 7 is NaN"
head -c 300 n.onnx >cut.onnx
try 1 "a network cut off" compress cut.onnx -o bad.eie
check "no model was left by a failure" [ ! -e bad.eie ]

# The page: well-formed, escaped, and of the same numbers.
page() {
	cp out printed
	"$EIE" inspect "$2" --json >inspect.json 2>err
	/usr/bin/python3 "$here/report.py" "$1" inspect.json printed >out 2>err
	check "$3: $(head -n 1 out)" [ $? -eq 0 ]
}
try 0 "a report" compress n.onnx --calib calib.npy --report r.html -o r.eie
page r.html r.eie "has the numbers of inspect"
sed 's/data-n="[0-9]*">\([0-9,]*\) bytes/data-n="7">\1 bytes/' r.html >lie.html
/usr/bin/python3 "$here/report.py" lie.html inspect.json printed >out 2>&1
check "another number is noticed" [ $? -eq 1 ]
check "the model is the same" cmp -s m.eie r.eie
grep -q 'class="snr"' r.html
check "tells what was lost" [ $? -eq 0 ]
fixture onnx names.onnx names
try 0 "names with marks" compress names.onnx --report 'a&b.html' -o 'a&<b>.eie'
page 'a&b.html' 'a&<b>.eie' "are text and no marks"
try 1 "a report over the model" compress n.onnx --report r.eie -o r.eie
try 1 "a report over the network" compress n.onnx --report n.onnx -o r.eie
try 1 "a report in no folder" compress n.onnx --report gone/r.html -o r.eie
says "names it" 'gone/r.html'

# Where a model cannot be written.
mkdir full
cp m.eie full/m.eie
(
	ulimit -f 1
	exec "$EIE" compress n.onnx -q -o full/m.eie
) >out 2>err
check "a full disk" [ $? -eq 1 ]
says "says so" '^eie: .*full/m.eie'
check "the older model is as it was" cmp -s m.eie full/m.eie
only full m.eie
try 1 "a full disk for the report" compress n.onnx -q --report /dev/full -o r.eie
says "says so" '^eie: /dev/full: .*No space left'

# Interrupted at any time: before or after the file is there, never between.
fixture onnx big.onnx big
mkdir cut
cp m.eie cut/m.eie
broken=
for signal in INT TERM KILL; do
	for after in 0.01 0.03 0.05 0.08 0.1 0.15 0.2 0.3 0.5; do
		timeout -s $signal $after "$EIE" compress big.onnx -q --report cut/r.html -o cut/m.eie >out 2>err
		[ "$(ls -A cut)" = m.eie ] || [ "$(echo $(ls -A cut))" = "m.eie r.html" ] || broken="$broken $signal:$after"
		"$EIE" inspect cut/m.eie >out 2>err || broken="$broken $signal:$after"
		[ ! -e cut/r.html ] || [ "$(tail -n 1 cut/r.html)" = "</html>" ] || broken="$broken $signal:$after"
	done
done
check "interrupted, even killed: whole files, and nothing else (but after:$broken)" [ -z "$broken" ]
finish
