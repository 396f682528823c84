#!/bin/sh
# SPDX-License-Identifier: GPL-2.0 OR MIT
# Clocks that rest change nothing:  clocks.sh BUILD CONFIG JOBS SEED
# The fast simulator gates clocks, the checked one does not (hw/rtl/eie_clkgate.sv): the same jobs, on slow and fast buses, must
# give the same completion entries from both, to the last counter and time stamp.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
# run FLAVOUR PROGRAM...: the fast simulator takes the place of the checked one where a program wants that
mkdir "$work/lib"
ln -s "$(realpath "$1")/libeie_sim.so" "$work/lib/libeie_sim_checked.so"
run() {
	flavour=$1
	shift
	if [ "$flavour" = fast ]; then
		LD_LIBRARY_PATH=$work/lib "$@" >"$work/log"
	else
		"$@" >"$work/log"
	fi || { cat "$work/log"; exit 1; }
}
for flavour in fast checked; do
	run $flavour "$1/tests/hw/fuzz_$flavour" "$2" "$3" "$4" "$work/$flavour"
done
entries=$(($(wc -c <"$work/fast") / 128))
if [ "$entries" -lt $(($3 / 2)) ] || ! cmp "$work/fast" "$work/checked"; then
	echo "not ok - $2: $entries completion entries of $3 jobs; entry (byte - 1) / 128 differs first"
	exit 1
fi
echo "ok - $2: $entries completion entries are equal with and without clocks that rest"
