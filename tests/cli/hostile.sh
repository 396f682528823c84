#!/bin/sh
# SPDX-License-Identifier: GPL-2.0 OR MIT
# Damaged and malicious files end in status 1 and a message that names the file, never in a crash.
here=$(cd "$(dirname "$0")" && pwd)
. "$here/lib.sh"

make_model
fixture npy one.npy f4 4 4
fixture png grey.png 4 4 1

# refused NAME FILE ARG...: status 1, and FILE named
refused() {
	what=$1
	file=$2
	shift 2
	try 1 "$what" "$@"
	says "$what: names the file" "$(echo "$file" | sed 's/\./\\./')"
}

# ---- models
: >empty.eie
refused "an empty model" empty.eie inspect empty.eie
echo "this is no model" >text.eie
refused "a text as a model" text.eie inspect text.eie
cp one.npy array.eie
refused "an array as a model" array.eie inspect array.eie
refused "a directory as a model" . inspect .
head -c 1000000 /dev/zero >zero.eie
refused "a megabyte of zeros" zero.eie inspect zero.eie
# the magic of a flattened device tree and an absurd size
printf '\320\015\376\355\377\377\377\377\000\000\000\070' >huge.eie
refused "a tree larger than its file" huge.eie inspect huge.eie
cp m.eie longer.eie
head -c 1000000 /dev/urandom >>longer.eie
refused "a model with a tail" longer.eie inspect longer.eie

size=$(wc -c <m.eie)
at=1
bad=
while [ $at -lt "$size" ]; do
	head -c $at m.eie >cut.eie
	"$EIE" run cut.eie --input one.npy >out 2>err
	[ $? -eq 1 ] && grep -q 'cut\.eie' err || bad="$bad $at"
	at=$((at + 37))
done
check "models cut off are refused (but at:$bad)" [ -z "$bad" ]
# Padding and names may change without harm: statuses 0 and 1 are legal, a signal or a sanitizer's abort is not.
at=0
bad=
while [ $at -lt "$size" ]; do
	cp m.eie flip.eie
	fixture flip flip.eie $at
	"$EIE" run flip.eie --input one.npy >out 2>err
	[ $? -le 1 ] || bad="$bad $at"
	at=$((at + 11))
done
check "models with a wrong byte do no harm (but at:$bad)" [ -z "$bad" ]

# ---- arrays
# array NAME HEADER [VERSION]: a .npy file with that dictionary and no values
array() {
	len=$(printf '%s' "$2" | wc -c)
	# shellcheck disable=SC2059 # the escapes are the point
	{ printf "\\223NUMPY\\00${3:-1}\\000\\$(printf %03o "$len")\\000"; printf '%s' "$2"; } >"$1"
}
: >empty.npy
refused "an empty array" empty.npy run m.eie --input empty.npy
head -c 5 one.npy >five.npy
refused "five bytes" five.npy run m.eie --input five.npy
head -c 150 one.npy >cut.npy
refused "an array cut off" cut.npy run m.eie --input cut.npy
array none.npy "{'descr': '<f4', 'fortran_order': False, 'shape': (16,), }"
refused "no values" none.npy run m.eie --input none.npy
array many.npy "{'descr': '<f4', 'fortran_order': False, 'shape': (4611686018427387904, 4), }"
refused "2^64 values" many.npy run m.eie --input many.npy
array wrap.npy "{'descr': '<f4', 'fortran_order': False, 'shape': (4294967296, 4294967296, 16), }"
refused "a product that wraps" wrap.npy run m.eie --input wrap.npy
array zero.npy "{'descr': '<f4', 'fortran_order': False, 'shape': (0, 16), }"
refused "no items" zero.npy run m.eie --input zero.npy
array minus.npy "{'descr': '<f4', 'fortran_order': False, 'shape': (-1, 16), }"
refused "a negative size" minus.npy run m.eie --input minus.npy
array object.npy "{'descr': '|O', 'fortran_order': False, 'shape': (16,), }"
refused "Python objects" object.npy run m.eie --input object.npy
array big.npy "{'descr': '>f4', 'fortran_order': False, 'shape': (16,), }"
refused "big-endian values" big.npy run m.eie --input big.npy
array order.npy "{'descr': '<f4', 'fortran_order': True, 'shape': (4, 4), }"
refused "Fortran order" order.npy run m.eie --input order.npy
array future.npy "{'descr': '<f4', 'fortran_order': False, 'shape': (16,), }" 7
refused "a version to come" future.npy run m.eie --input future.npy
array nonsense.npy "import os"
refused "a program for a header" nonsense.npy run m.eie --input nonsense.npy
head -c 100000 /dev/urandom >noise.npy
refused "noise" noise.npy run m.eie --input noise.npy
"$EIE" run m.eie --input - </dev/null >out 2>err
check "nothing on standard input" [ $? -eq 1 ]

# ---- pictures
: >empty.png
refused "an empty picture" empty.png run m.eie --input empty.png
cp one.npy array.png
refused "an array as a picture" array.png run m.eie --input array.png
size=$(wc -c <grey.png)
at=1
bad=
while [ $at -lt $((size - 16)) ]; do
	head -c $at grey.png >cut.png
	"$EIE" run m.eie --input cut.png >out 2>err
	[ $? -eq 1 ] && grep -q 'cut\.png' err || bad="$bad $at"
	at=$((at + 3))
done
check "pictures cut off are refused (but at:$bad)" [ -z "$bad" ]
at=0
bad=
while [ $at -lt "$size" ]; do
	cp grey.png flip.png
	fixture flip flip.png $at
	"$EIE" run m.eie --input flip.png >out 2>err
	[ $? -le 1 ] || bad="$bad $at"
	at=$((at + 1))
done
check "pictures with a wrong byte do no harm (but at:$bad)" [ -z "$bad" ]
fixture png bomb.png 8000 8000 1
try 1 "a picture that unpacks to 64 MB" run m.eie --input bomb.png
says "is refused by its size" '8000 x 8000.*4 x 4'

# ---- data sets
fixture idx images-idx3 labels-idx1 20
refused "an array as a data set" array.eie eval m.eie --data array.eie --labels labels-idx1 --device cpu
head -c 100 images-idx3 >torn-idx3
refused "images cut off" torn-idx3 eval m.eie --data torn-idx3 --labels labels-idx1 --device cpu
head -c 12 labels-idx1 >few
refused "labels cut off" few eval m.eie --data images-idx3 --labels few --device cpu
refused "images as labels" images-idx3 eval m.eie --data images-idx3 --labels images-idx3 --device cpu
refused "labels as images" labels-idx1 eval m.eie --data labels-idx1 --labels labels-idx1 --device cpu
printf '\000\000\010\003\377\377\377\377\377\377\377\377\377\377\377\377' >vast
refused "a vast promise" vast eval m.eie --data vast --labels labels-idx1 --device cpu
printf '\000\000\010\003\377\377\377\377\000\000\000\004\000\000\000\004' | gzip >vast.gz
refused "a vast promise, compressed" vast.gz eval m.eie --data vast.gz --labels labels-idx1 --device cpu
fixture idx i-idx3.gz l-idx1.gz 20
head -c 200 i-idx3.gz >torn.gz
refused "a torn archive" torn.gz eval m.eie --data torn.gz --labels l-idx1.gz --device cpu
cp i-idx3.gz wrong.gz
fixture flip wrong.gz $(($(wc -c <wrong.gz) - 6))
refused "an archive with a wrong checksum" wrong.gz eval m.eie --data wrong.gz --labels l-idx1.gz --device cpu

try 1 "a core dump that is none" coredump "$here/hostile.sh"
says "says so" "not a core dump of driver eie"
try 0 "a core dump" coredump "$here/../fuzz/corpus/coredump/hang"
prints "names the reason" "a job made no progress"

finish
