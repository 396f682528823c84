#!/bin/sh
# SPDX-License-Identifier: GPL-2.0 OR MIT
# Data sets, and measurements of a small model.
. "$(dirname "$0")/lib.sh"

make_model
mkdir data
fixture idx data/t10k-images-idx3-ubyte.gz data/t10k-labels-idx1-ubyte.gz 100
fixture idx data/train-images-idx3-ubyte data/train-labels-idx1-ubyte 30
fixture npy x.npy u1 40 4 4
fixture npy y.npy i8 40

find_devices
for d in $DEVICES; do
	try 0 "eval on $d" eval m.eie --data data --device "$d" --verify
	prints "of the test set" '100 items'
	prints "finds no difference" '^Bit check *0 of 400 output values differ'
	try 0 "eval --json on $d" eval m.eie --data data --device "$d" --verify --json
	is_json "is JSON"
	echo "$d $(value correct) $(value float_agreement)" >>results
	case $d in
	sim*)
		try 0 "bench of a model on $d" bench m.eie --device "$d" --seconds 0.1 --json
		is_json "is JSON"
		check "no value differs" [ "$(value mismatches)" = 0 ]
		for key in device config layer ideal_cycles engine_cycles engine_ratio job_cycles cycles_per_second stalls; do
			prints "bench has the key $key" "^ *\"$key\": "
		done
		;;
	*)
		try 0 "bench of a model on $d" bench m.eie --device "$d" --seconds 0.1
		prints "finds no difference" '^Bit check *0 of'
		;;
	esac
done
check "all devices agree" [ "$(cut -d' ' -f2- results | sort -u | wc -l)" -eq 1 ]

try 0 "a file of images" eval m.eie --data data/train-images-idx3-ubyte --device cpu
prints "with the labels beside it" '30 items'
try 0 "eight bits, which are asked for" eval m.eie --data data --device cpu:int8 --verify
prints "beside int16" '^Int16 .*the same class for [0-9]* of 100 items'
prints "the same on portable kernels" "0 of .* differ from the CPU reference 'cpu:int8,portable'"
try 0 "as JSON" eval m.eie --data data --device cpu:int8 --json
is_json "is JSON"
check "tells how often int16 agrees" [ "$(value int16_agreement)" -ge 20 ]
try 0 "a limit" eval m.eie --data data --limit 13 --device cpu --batch 5
prints "is kept" '13 items'
try 0 "arrays" eval m.eie --data x.npy --labels y.npy --device cpu
prints "are taken" '40 items'
try 0 "arrays with a limit" eval m.eie --data x.npy --labels y.npy --device cpu -n 3
prints "is kept" '3 items'
try 1 "arrays without labels" eval m.eie --data x.npy --device cpu
says "tells how to name them" '--labels'
fixture npy few.npy i8 39
try 1 "too few labels" eval m.eie --data x.npy --labels few.npy --device cpu
says "tells both numbers" '39 labels for 40 items'
fixture npy class.npy u1 40
try 1 "labels beyond the classes" eval m.eie --data x.npy --labels class.npy --device cpu
says "tells which" 'class\.npy: label '
try 1 "labels that are no whole numbers" eval m.eie --data x.npy --labels x.npy --device cpu
mkdir void
try 1 "a directory without data" eval m.eie --data void --device cpu
says "tells what was looked for" 't10k-images'
try 1 "no such data" eval m.eie --data gone --device cpu

finish
