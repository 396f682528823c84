#!/bin/busybox sh
# SPDX-License-Identifier: GPL-2.0 OR MIT
#
# The eie command on the driver, in a test machine: the demo's network computes the first pictures of Fashion-MNIST on
# /dev/accel/accel0, and every output value is compared with the CPU's and with the interpreter's.
pictures=200
model=/files/lenet_300_100.eie
work=$(mktemp -d)
cd "$work" || exit 1
failed=0

# check NAME PATTERN COUNT COMMAND...: the command succeeds and COUNT lines of what it prints have the pattern (grep -E)
n=0
check() {
	name=$1 pattern=$2 count=$3
	n=$((n + 1))
	shift 3
	"$@" >out 2>&1
	status=$?
	sed 's/^/# /' out
	if [ $status = 0 ] && [ "$(grep -cE "$pattern" out)" = "$count" ]; then
		echo "ok $n - $name"
	else
		echo "not ok $n - $name: exit status $status, $(grep -cE "$pattern" out) lines with '$pattern', not $count"
		failed=1
	fi
}

echo "TAP version 13"
echo 1..4
check "info" '^Device +drm:accel0$' 1 /files/eie info --device drm
check "eval of $pictures pictures" "0 of $((pictures * 10 / 1000)),[0-9]{3} output values differ from the CPU reference '(cpu|ref:[^']*)'" 2 \
	/files/eie eval $model --data /files --limit $pictures --device drm --verify
# one picture as .npy: 28 x 28 bytes behind the file's header of 16
{
	printf '\223NUMPY\001\000\166\000'
	printf '%-117s\n' "{'descr': '|u1', 'fortran_order': False, 'shape': (1, 784), }"
	zcat /files/t10k-images-idx3-ubyte.gz | dd bs=16 skip=1 2>/dev/null | head -c 784
} >picture.npy
check "run of one picture" 'verified|differ' 1 /files/eie run $model --input picture.npy --device drm --verify
check "bench noop" 'jobs' 1 /files/eie bench noop --device drm --seconds 2
cd /
rm -r "$work"
exit $failed
