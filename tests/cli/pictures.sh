#!/bin/sh
# SPDX-License-Identifier: GPL-2.0 OR MIT
# Pictures as inputs: what the model says about them, directories, and labels from files, folders and names.
. "$(dirname "$0")/lib.sh"

files=$top/tests/fuzz/corpus/picture
fixture npz w.npz
fixture png grey.png 4 4 1
fixture png wide.png 9 7 3
printf 'ant\nbee, honey bee\ncat\ndog one\n' >classes.txt

try 0 "import with a description" import w.npz --preprocess resize=stretch,mean=10,scale=0.004 --classes classes.txt -o m.eie
prints "tells it" "^Pictures *stretched to the input's size; RGB, minus 10, 10, 10, times 0.004"
try 0 "inspect" inspect m.eie
prints "tells it too" "^Pictures *stretched"
try 0 "a picture of another size, JPEG files, several kinds" run m.eie --input wide.png grey.png "$files/baseline.jpg" "$files/cmyk.jpg" "$files/deep.png" --top 2
check "one line each" [ "$(wc -l <out)" = 5 ]
prints "names of classes from the file" "wide\.png: .*\(ant\|bee, honey bee\|cat\|dog one\)"
try 0 "the same twice" run m.eie --input wide.png -o a.npy
try 0 "and through the file saved from it" run m.eie --input wide.png -o b.npy --device ref:2x2 --verify
check "same values" cmp -s a.npy b.npy

try 0 "a model without a description" import w.npz -o plain.eie
try 1 "wants pictures of its size" run plain.eie --input wide.png
says "tells sizes and the way out" '9 x 7, the input takes 4 x 4 .* --preprocess'

for how in imagenets mean=1:2 resize=0 resize=2 unit, order=rbg; do
	try 1 "--preprocess $how" import w.npz --preprocess "$how" -o z.eie
done
try 1 "preprocess of a finished model" run plain.eie --input grey.png --preprocess unit
try 1 "classes that are too few" import w.npz --classes "$top/debian-packages.txt" -o z.eie
: >none.txt
try 1 "no classes" import w.npz --classes none.txt -o z.eie
printf 'a\n\nc\nd\n' >hole.txt
try 1 "an empty class" import w.npz --classes hole.txt -o z.eie
says "tells the line" 'hole\.txt:2: an empty line'
head -c 300 "$files/baseline.jpg" >cut.jpg
try 1 "a truncated JPEG file" run m.eie --input cut.jpg
says "names it" 'cut\.jpg: damaged JPEG file'
cp classes.txt text.png
try 1 "a text" run m.eie --input text.png
says "names it" 'text\.png: neither a PNG nor a JPEG file'

# ---- labels: each way gives the same three
mkdir named folders folders/ant folders/2 plain
cp grey.png named/ant_1.png
cp wide.png named/bee.png
cp grey.png named/cat.PNG
cp grey.png folders/ant/x.png
cp wide.png folders/ant/y.png
cp wide.png folders/2/z.jpeg
cp named/* plain/
try 0 "labels from names" eval m.eie --data named --device cpu --json
check "three items" [ "$(value items)" = 3 ]
named=$(value correct)
printf '# by name\ncat.PNG 2\nant_1.png ant\nbee.png bee, honey bee\n' >pairs.txt
try 0 "labels from a file of pairs" eval m.eie --data plain --labels pairs.txt --device cpu --json
check "the same number is right" [ "$(value correct)" = "$named" ]
printf '0\nbee\ncat\n' >plain/labels.txt
try 0 "labels.txt beside the pictures, in their order" eval m.eie --data plain --device cpu --json
check "the same number is right" [ "$(value correct)" = "$named" ]
try 0 "labels from folders" eval m.eie --data folders --device cpu --json
check "three items" [ "$(value items)" = 3 ]
cp grey.png named/eel.png
try 1 "a name of no class" eval m.eie --data named --device cpu
says "tells which" 'named/eel\.png: no class of the model is its first word: give --labels FILE'
mkdir folders/eel
cp grey.png folders/eel
try 1 "a folder of no class" eval m.eie --data folders --device cpu
printf '0\n1\n' >few.txt
try 1 "too few labels" eval m.eie --data plain --labels few.txt --device cpu
says "tells which is missing" 'few\.txt: no label for cat\.PNG'
printf '0\n1\n2\n3\n' >many.txt
try 1 "too many labels" eval m.eie --data plain --labels many.txt --device cpu
printf 'ant_1.png eel\n' >eel.txt
try 1 "a label of no class" eval m.eie --data plain --labels eel.txt --device cpu
says "tells the line" "eel\\.txt:1: 'eel' is no class"
printf '0\n1\n9\n' >far.txt
try 1 "a label beyond the classes" eval m.eie --data plain --labels far.txt --device cpu
finish
