# SPDX-License-Identifier: GPL-2.0 OR MIT
# What the tests of the command share. Each test sources this, calls plan-less checks, and ends with `finish`.
#
# EIE: the command (default build/eie). BUILD: where helpers are compiled (default build).
# shellcheck shell=sh

here=$(cd "$(dirname "$0")" && pwd)
top=$(cd "$here/../.." && pwd)
BUILD=${BUILD:-$top/build}
EIE=${EIE:-$BUILD/eie}
FIXTURE=$BUILD/cli-fixture
number=0
failures=0

case $EIE in */*) EIE=$(cd "$(dirname "$EIE")" && pwd)/$(basename "$EIE") ;; esac
if [ ! -x "$EIE" ]; then
	echo "not ok 1 - $EIE is not there: build it first"
	exit 1
fi
mkdir -p "$BUILD"
if [ ! -x "$FIXTURE" ] || [ -n "$(find "$here"/fixture* -newer "$FIXTURE")" ]; then
	# tests may run at the same time
	${CC:-cc} -O1 -o "$FIXTURE.$$" "$here/fixture.c" -lpng -lz && mv "$FIXTURE.$$" "$FIXTURE" || exit 1
fi

# a sanitizer's report must not look like an ordinary failure
export ASAN_OPTIONS="exitcode=99:$ASAN_OPTIONS" UBSAN_OPTIONS="exitcode=99:print_stacktrace=1:$UBSAN_OPTIONS"

work=$(mktemp -d) || exit 1
undo=
trap 'cd /; eval "$undo"; rm -rf "$work"' EXIT
trap 'exit 1' INT TERM HUP
cd "$work" || exit 1

fixture() {
	"$FIXTURE" "$@" || exit 1
}

ok() {
	number=$((number + 1))
	echo "ok $number - $1"
}

not_ok() {
	number=$((number + 1))
	failures=$((failures + 1))
	echo "not ok $number - $1"
	[ -s out ] && sed 's/^/# stdout: /' out | head -n 20
	[ -s err ] && sed 's/^/# stderr: /' err | head -n 20
}

skip() {
	number=$((number + 1))
	echo "ok $number - $1 # SKIP $2"
}

# Passes when the command given succeeds.
check() {
	name=$1
	shift
	if "$@"; then ok "$name"; else not_ok "$name"; fi
}

# try STATUS NAME ARG...: runs the command; stdout in out, stderr in err, and the status must be the one given.
# A crash or a sanitizer's report is never the right status. Every error line begins with the command's name.
try() {
	want=$1
	name=$2
	shift 2
	"$EIE" "$@" >out 2>err
	got=$?
	if [ $got -ne "$want" ]; then
		not_ok "$name: exit status $got instead of $want"
	elif grep -q -v '^eie: ' err; then
		not_ok "$name: a line on stderr does not begin with 'eie: '"
	elif [ "$want" -ne 0 ] && [ ! -s err ]; then
		not_ok "$name: failed without a word"
	else
		ok "$name"
	fi
}

# The last command's stderr, or stdout, has a line that matches.
says() {
	check "$1" grep -q -e "$2" err
}

prints() {
	check "$1" grep -q -e "$2" out
}

is_json() {
	check "$1" python3 -m json.tool out /dev/null
}

# value KEY: of the first member of that name in the JSON report
value() {
	sed -n "s/^ *\"$1\": \\(.*[^,]\\),\\{0,1\\}\$/\\1/p" out | head -n 1
}

# Nothing but what is named may lie in a directory: no temporary file was left.
only() {
	dir=$1
	shift
	left=$(ls -A "$dir")
	want=$(for f; do echo "$f"; done)
	check "no temporary file left in $dir" [ "$left" = "$want" ]
}

# A model of the fixture's network in m.eie, calibrated with calib.npy.
make_model() {
	fixture npz w.npz
	fixture npy calib.npy f4 50 4 4
	"$EIE" import w.npz --calib calib.npy -o m.eie >out 2>err || {
		not_ok "importing the test network"
		finish
	}
}

# Sets DEVICES to those of this build; a missing one is a skip, so that nobody takes its tests for passed.
find_devices() {
	DEVICES=
	for d in cpu ref:2x2 ref sim:2x2 sim:8x8 sim:8x8-fpga sim:16x16; do
		if "$EIE" info --device $d >out 2>err; then
			DEVICES="$DEVICES $d"
		else
			skip "device $d" "$(cat err)"
		fi
	done
}

finish() {
	echo "1..$number"
	[ $failures -eq 0 ]
	exit
}
