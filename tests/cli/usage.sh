#!/bin/sh
# SPDX-License-Identifier: GPL-2.0 OR MIT
# Names, options, help and exit status: nothing here needs a model.
. "$(dirname "$0")/lib.sh"

try 2 "no command"
try 2 "an unknown command" frobnicate
try 2 "a mistyped command" isnpect
says "suggests the nearest" "did you mean 'inspect'"
try 2 "an unknown option before the command" --frob
try 0 "version" --version
prints "is a version" '^eie [0-9][0-9]*\.[0-9][0-9]*\.[0-9]'
try 0 "help" --help
prints "lists the commands" '^  inspect '
try 0 "help as a word" help

for c in info import compress inspect explain run eval bench profile coredump; do
	try 0 "$c --help" $c --help
	prints "$c --help has an example" "^  eie $c "
	try 2 "$c with an unknown option" $c --frobnicate
	try 2 "$c with an unknown letter" $c -Z
done
for c in import compress inspect explain run eval bench profile coredump; do
	try 2 "$c without a model" $c
	try 2 "$c with three models" $c a.eie b.eie c.eie
done

try 2 "a mistyped option" run m.eie --inptu x.npy
says "suggests the nearest option" "did you mean --input"
try 2 "an abbreviated option" inspect m.eie --js
try 2 "one dash too few" run m.eie -input x.npy
try 2 "an option without its value" run m.eie --input
try 2 "an option whose value is an option" run m.eie --input --json
try 2 "a flag with a value" inspect m.eie --json=yes
for n in 0 -1 x 1x 99999999999999999999999 ''; do
	try 2 "--top '$n'" run m.eie --input x.npy --top "$n"
done
for s in 0 -1 x nan 1e99; do
	try 2 "--seconds '$s'" bench sim --seconds "$s"
done
try 2 "a batch beyond the limit" run m.eie --input x.npy --batch 100000
try 2 "run without input" run m.eie
try 2 "eval without data" eval m.eie
try 2 "import without output" import w.npz
try 2 "a mistyped suite" bench eie-papr
says "suggests the suite" "did you mean 'eie-paper'"
try 2 "the cpu suite on another device" bench cpu --device sim
try 2 "files swallowed by --input" run --input x.npy m.eie
says "tells where the model goes" "before a list of files"

try 1 "an unknown device" info --device vacuum
says "names it" vacuum
try 1 "a model that is not there" inspect nowhere.eie
says "names the file" 'nowhere\.eie: No such file'
try 1 "an ONNX model that is not there" inspect net.onnx
says "names the file" 'net\.onnx: No such file'
try 1 "Deep Compression weights that are not there" inspect net.net
says "names the file" 'net\.net: No such file'
try 1 "weights instead of a model" run w.npz --input x.npy
says "tells how to import" "eie import w.npz"

try 0 "-q" -q info --device cpu
try 0 "-v" info --device cpu -v

# Colours are for terminals without NO_COLOR, progress never for files.
export TERM=xterm
esc=$(printf '\033')
script -qec "'$EIE' info --device cpu" /dev/null </dev/null >out 2>&1
check "bold on a terminal" grep -q "$esc\[1m" out
script -qec "NO_COLOR=1 '$EIE' info --device cpu" /dev/null </dev/null >out 2>&1
check "none with NO_COLOR" [ "$(grep -c "$esc" out)" = 0 ]
"$EIE" info --device cpu >out 2>err
check "none in a file" [ "$(grep -c "$esc" out)" = 0 ]

"$EIE" info --device cpu >/dev/full 2>err
check "a report that cannot be written fails" [ $? -eq 1 ]
says "says so" '^eie: standard output: '

finish
