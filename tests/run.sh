#!/bin/sh
# SPDX-License-Identifier: GPL-2.0 OR MIT
#
# Runs the tests listed in BUILD/LIST.list (default: check), JOBS at a time, and sums up; logs go to BUILD/LIST/.
#   tests/run.sh [-j JOBS] [-l LIST] BUILD [PATTERN]     PATTERN: only tests whose name matches (grep -E)
# A line of the list is "name seconds command...". Tests print TAP lines: "ok", "not ok", "ok ... # SKIP reason".
# A test that exits non-zero, runs out of time, or prints no TAP line at all counts as a failure of its own.
set -u

jobs=1 list=check
while getopts j:l: option; do
	case $option in
	j) jobs=$OPTARG ;;
	l) list=$OPTARG ;;
	*) exit 2 ;;
	esac
done
shift $((OPTIND - 1))

if [ "${1:-}" = one ]; then
	log=$2/$list/$3.log
	name=$3
	limit=$4
	shift 4
	start=$(date +%s)
	CMOCKA_MESSAGE_OUTPUT=TAP timeout -k 10 "$limit" "$@" >"$log" 2>&1 </dev/null
	status=$?
	echo "$status $(($(date +%s) - start))" >"${log%.log}.status"
	# one line a test as it ends, so that a watcher sees progress
	if [ $status = 0 ]; then verdict=done; else verdict="FAILED ($status)"; fi
	printf '  %-28s %s, %s s\n' "$name" "$verdict" "$(cut -d' ' -f2 "${log%.log}.status")"
	exit 0
fi

build=$1
pattern=${2:-.}
logs=$build/$list
rm -rf "$logs"
mkdir -p "$logs"
grep -vE '^ *(#|$)' "$logs.list" | awk -v p="$pattern" '$1 ~ p' >"$logs/list"
echo "Running $(wc -l <"$logs/list") test programs, $jobs at a time (logs in $logs)"
tr '\n' '\0' <"$logs/list" | xargs -0 -P "$jobs" -I{} sh -c "exec $0 -l $list one $build {}"

pass=0 fail=0 skip=0
while read -r name _; do
	log=$logs/$name.log
	read -r status _ <"$logs/$name.status" || status=lost
	f=$(grep -cE '^not ok' "$log")
	s=$(grep -ciE '^ok.*# *skip' "$log")
	p=$(($(grep -cE '^ok' "$log") - s))
	if [ $((p + f + s)) = 0 ]; then
		echo "not ok - $name: printed no test result" >>"$log"
		f=1
	elif [ "$status" != 0 ] && [ "$f" = 0 ]; then
		echo "not ok - $name: exit status $status (124: out of time)" >>"$log"
		f=1
	fi
	if [ "$f" != 0 ]; then
		echo "--- $name (exit $status):"
		grep -E '^not ok' "$log" | head -20
		echo "    last lines of $log:"
		tail -n 60 "$log" | sed 's/^/    /'
	fi
	grep -iE '^ok.*# *skip' "$log" | sed "s/^/SKIP $name: /"
	pass=$((pass + p)) fail=$((fail + f)) skip=$((skip + s))
done <"$logs/list"

echo "$pass passed, $fail failed, $skip skipped"
[ "$fail" = 0 ]
