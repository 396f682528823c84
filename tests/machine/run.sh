#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR MIT
#
# Boots a test machine with the driver and runs test programs in it, against the Verilated engine; prints TAP.
#   run.sh [OPTION]... uml|x86|debian PROGRAM...
#     uml       user-mode Linux, debug kernel
#     x86       QEMU, two CPUs, preemptible debug kernel
#     debian    QEMU, two CPUs, Debian's own kernel
#   -b DIR      build directory (default: build)
#   -c CONFIG   configuration of the engine (default: 2x2)
#   -n N        devices (default: 1)
#   -t SECONDS  time limit of the whole run (default: 120)
#   -p PARAMS   parameters of eie.ko, separated by commas
#   -d OPTIONS  further options of eie-device, separated by spaces
#   -m FILE     a further module file, found in /modules of the machine and not loaded; may be repeated
#   -k DIR      the same for a module that is built first, from the sources in DIR; its name is the directory's
#   -l NAME     a module of the kernel to load, if it is one there and not built in; may be repeated
#   -M MIB      the machine's memory (default: 512 or 768)
#   -a FILE     a file or program that the tests want, found in /files of the machine; may be repeated
#   -e N=VALUE  a variable of the test programs' environment; may be repeated
#   -f          fast simulator, without the assertions of the RTL
#   -o DIR      keep the logs there: kernel.log, results, device0.log ...
# Exit status 1 when a test fails, prints no plan, is skipped (expected_skips excepted), or when the kernel complains, the
# machine hangs or dies, or an assertion of the RTL fails; the end of the kernel's log is shown then.
. "$(dirname "$0")/lib.sh"

build=build config=2x2 devices=1 limit=120 params='' device_options='' checked=-checked keep='' memory='' files=() sources=() load=() data=() environment=()
while getopts b:c:n:t:p:d:m:k:l:M:a:e:fo: option; do
	case $option in
	b) build=$OPTARG ;;
	c) config=$OPTARG ;;
	n) devices=$OPTARG ;;
	t) limit=$OPTARG ;;
	p) params=$OPTARG ;;
	d) device_options=$OPTARG ;;
	m) files+=("$OPTARG") ;;
	k) sources+=("$OPTARG") ;;
	l) load+=("$OPTARG") ;;
	M) memory=$OPTARG ;;
	a) data+=("$OPTARG") ;;
	e) environment+=("$OPTARG") ;;
	f) checked= ;;
	o) keep=$OPTARG ;;
	*) exit 2 ;;
	esac
done
shift $((OPTIND - 1))
[ $# -ge 2 ] || die "usage: run.sh [OPTION]... uml|x86|debian PROGRAM... (options are told in the script)"
kind=$1
shift
build=$(cd "$build" && pwd) || die "no build directory: make check-build first, or give -b"
device=$build/eie-device$checked
[ -x "$device" ] || die "$device is missing: make $device"
for p; do [ -x "$p" ] || die "$p is no program"; done

tmp=$(mktemp -d)
servers=()
cleanup() {
	[ ${#servers[@]} = 0 ] || kill "${servers[@]}" 2>/dev/null || true
	wait
	if [ -n "$keep" ]; then
		mkdir -p "$keep"
		cp "$tmp"/{kernel.log,results,device*.log} "$keep/" 2>/dev/null || true
	fi
	rm -rf "$tmp"
}
trap cleanup EXIT
trap 'exit 143' TERM INT HUP

# start_devices TRANSPORT
start_devices() {
	local i
	for ((i = 0; i < devices; i++)); do
		# shellcheck disable=SC2086
		"$device" --transport "$1" --config "$config" $device_options "$tmp/dev$i.sock" 2>"$tmp/device$i.log" &
		servers+=($!)
	done
	for ((i = 0; i < devices; i++)); do
		while [ ! -S "$tmp/dev$i.sock" ]; do
			kill -0 "${servers[$i]}" 2>/dev/null || die "$(cat "$tmp/device$i.log")"
			sleep 0.05
		done
	done
}

# module_file NAME: where it is among the kernel's modules; nothing when it is not
module_file() {
	find "$installed/" -name "${1//[-_]/[-_]}.ko*" | head -n 1
}

# needed_modules MODULE_FILE: all of the kernel's modules that it depends on, in the order to load them; some of them twice
needed_modules() {
	local name file
	for name in $(modinfo -F depends "$1" | tr , ' '); do
		file=$(module_file "$name")
		[ -n "$file" ] || die "module $name, which $(basename "$1") needs, is not below $installed"
		needed_modules "$file"
		echo "$file"
	done
}

# what is built for the machine's kernel, and what must be loaded before eie.ko
make_modules() {
	local dir name file
	eie=$("$machine/module.sh" "$headers" "$build/machine/$kind" "${module_options[@]}")
	modules=$(needed_modules "$eie")
	for dir in "${sources[@]}"; do
		files+=("$("$machine/module.sh" -s "$dir" "$headers" "$build/machine/$kind" "${module_options[@]}")")
	done
	for name in "${load[@]}"; do
		file=$(module_file "$name")
		[ -z "$file" ] || modules="$modules $(needed_modules "$file") $file"
	done
	# shellcheck disable=SC2086
	modules=$(printf '%s\n' $modules | awk '!seen[$0]++')
}

# Each machine's functions: prepare (builds what is missing, and says where: headers to build modules against with module_options, and
# installed, the kernel's own) and boot (runs it until it is off)
module_options=()
case $kind in
uml | x86 | debian) . "$machine/machine_$kind.sh" ;;
*) die "unknown machine $kind: uml, x86 or debian" ;;
esac

prepare
make_modules
"$machine/initramfs.sh" "$tmp/initramfs" "$eie ${files[*]}" "$modules" "${data[*]}" "$@"
append="machine.results=$results machine.off=$off machine.cpus=$cpus machine.params=$params panic=-1 oops=panic ignore_loglevel log_buf_len=4M"
append="$append ${environment[*]}"
: >"$tmp/results"
boot_status=0
boot || boot_status=$?

# The devices end by themselves when the machine closes the connection.
failed=0
for i in "${!servers[@]}"; do
	status=0
	for ((n = 0; n < 100; n++)); do kill -0 "${servers[$i]}" 2>/dev/null || break; sleep 0.05; done
	kill "${servers[$i]}" 2>/dev/null || true
	wait "${servers[$i]}" || status=$?
	sed "s/^/# /" "$tmp/device$i.log"
	[ $status = 0 ] || { echo "not ok - machine: device $i ended with status $status"; failed=1; }
done
servers=()

tr -d '\r' <"$tmp/results" | awk -v kind="$kind" -v skips="$machine/expected_skips" -f "$machine/report.awk" || failed=1
if [ $boot_status = 124 ] || [ $boot_status = 137 ]; then
	echo "not ok - machine: still running after $limit s"
	failed=1
elif ! grep -q '^# machine done' "$tmp/results"; then
	echo "not ok - machine: died before the tests ended (status $boot_status)"
	failed=1
fi
if grep -nE -f <(grep -v '^#' "$machine/complaints") "$tmp/kernel.log" >"$tmp/complaints"; then
	echo "not ok - machine: the kernel complained"
	head -n 20 "$tmp/complaints" | sed 's/^/# /'
	failed=1
fi
if [ $failed = 1 ]; then
	echo "# the end of the kernel's log:"
	tail -n 60 "$tmp/kernel.log" | sed 's/^/# /'
fi
exit $failed
