#!/bin/sh
# SPDX-License-Identifier: GPL-2.0 OR MIT
#
# Runs one line of hw/formal/proofs with yosys and yosys-smtbmc:
#   prove.sh CONFIG_PACKAGE.sv OUT_DIRECTORY NAME
#
# The result is OUT_DIRECTORY/result, one line of report.awk's table; the exit status is 0 whatever the solver found (report.awk
# judges), and not 0 when the line, the RTL or a tool is broken. A counterexample is in OUT_DIRECTORY/*.vcd.
#
# (* probe = "u_dut.a_q" *) in a harness connects a wire to a signal inside the design after flattening; yosys has no hierarchical
# names. "u_dut.mem[]" are all words of a memory, word 0 lowest.
set -eu

package=$1 out=$2 name=$3
here=$(dirname "$0")
rtl=$(dirname "$here")/rtl
limit=${FORMAL_LIMIT:-900}   # seconds, each call of the solver
mkdir -p "$out"
rm -f "$out"/*.vcd "$out"/*.log "$out/result"
set -f

die() {
	echo "prove.sh: $name: $*" >&2
	exit 1
}

line=$(sed 's/#.*//' "$here/proofs" | awk -v n="$name" '$2 == n')
[ -n "$line" ] || die "hw/formal/proofs has no such line"
# kind name harness parameters method depth, then of a mutant: file, expression of sed; of a proof: depth of covers
# shellcheck disable=SC2086
set -- $line
kind=$1 harness=$3 params=$4 method=$5 depth=$6
shift 6
start=$(date +%s)

sources=$(sed 's,//.*,,' "$rtl/eie.f" | sed -n 's,^\([a-z_0-9]*\.sv\)$,\1,p')
files=
for s in $sources; do
	if [ "$kind" = mutant ] && [ "$s" = "$1" ]; then
		file=$s
		shift
		sed "$*" "$rtl/$file" > "$out/$file"
		[ "$(diff "$rtl/$file" "$out/$file" | grep -c '^>')" = 1 ] || die "the expression must change exactly one line of $file"
		files="$files $out/$file"
	else
		files="$files $rtl/$s"
	fi
done
[ "$kind" != mutant ] || [ -n "${file-}" ] || die "$1 is no file of hw/rtl/eie.f"

chparams=
if [ "$params" != - ]; then
	for p in $(echo "$params" | tr , ' '); do
		chparams="$chparams -chparam ${p%=*} ${p#*=}"
	done
fi

run_yosys() {
	yosys -q -l "$out/yosys-$1.log" -p "$2" >"$out/messages" 2>&1 || {
		tail -n 3 "$out/yosys-$1.log" >&2
		die "yosys failed, see $out/yosys-$1.log"
	}
}

# shellcheck disable=SC2086
run_yosys read "
	read_verilog -defer -sv -formal -DSYNTHESIS -DEIE_FREE_CLOCKS $package $(echo $files)
	read_verilog -defer -sv -formal -I$here $here/$harness.sv
	hierarchy -check -top $harness $chparams
	rename -top $harness
	proc; flatten; memory_nordff; memory_collect; memory_map
	tee -q -o $out/wires select -list w:*
	write_rtlil $out/design.il"

# each probe: signal inside, wire of the harness; a harness may be in two files
harnesses="$here/$harness.sv $(set +f; ls "$here/$harness"_*.svh 2>/dev/null || true)"
sed -n 's/.*(\* probe = "\([^"]*\)" \*).* \([a-z_0-9]*\);.*/\1 \2/p' $harnesses > "$out/probes"
cat $harnesses | grep -c "probe = " | grep -qx "$(wc -l < "$out/probes")" || die "a probe of $harness.sv is not on one line"
connects=$(awk '
	NR == FNR { sub(/^[^\/]*\//, ""); wire[$0] = 1; next }
	{
		expr = ""
		if ($1 ~ /\[\]$/) {
			base = substr($1, 1, length($1) - 2)
			for (i = 0; (base "[" i "]") in wire; i++)
				expr = "\\" base "[" i "]" (expr == "" ? "" : "," expr)
		} else if ($1 in wire) {
			expr = "\\" $1
		}
		if (expr == "") {
			print "no signal for the probe " $1 > "/dev/stderr"
			exit 1
		}
		print "connect -nomap -nounset -set \\" $2 " " expr ";"
	}' "$out/wires" "$out/probes") || die "see above"

run_yosys smt2 "
	read_rtlil $out/design.il
	cd $harness
	$connects
	cd
	opt_clean; opt -full -keepdc; async2sync; dffunmap; opt_clean
	check -assert
	stat
	write_smt2 -wires $out/design.smt2"

# smtbmc LOG ARGUMENTS...
smtbmc() {
	log=$1
	shift
	# without --unroll z3 does not end
	timeout "$limit" yosys-smtbmc -s z3 --unroll --noprogress "$@" --dump-vcd "$out/$log.vcd" "$out/design.smt2" > "$out/$log.log" 2>&1 || true
	status=$(sed -n 's/.*Status: //p' "$out/$log.log")
	case $status in
	passed|PASSED|failed|FAILED) ;;
	*)
		grep -q SIGTERM "$out/$log.log" || die "yosys-smtbmc gave no verdict, see $out/$log.log"
		status=timeout ;;
	esac
}

# covers that are reached, of all in the harness
covered() {
	all=$(cat $harnesses | grep -c 'cover *(') || die "$harness.sv has no cover"
	smtbmc cover -c -t "$1"
	covers=$(grep -c 'Reached cover' "$out/cover.log") || true
	covers=$covers/$all
}

covers=-
case $kind in
mutant)
	step=
	[ "$method" != step ] || step=-i
	# shellcheck disable=SC2086
	smtbmc mutant $step -t "$depth"
	verdict="NOT FOUND"
	[ "$status" != timeout ] || verdict=TIMEOUT
	if grep -q 'Assert failed in' "$out/mutant.log"; then
		verdict="found${step:+ (step)}"
	fi ;;
cover)
	covered "$depth"
	verdict=reached
	[ "${covers%/*}" = "${covers#*/}" ] || verdict="NOT REACHED" ;;
proof)
	smtbmc base --presat -t "$depth"
	case $status in
	[pP]*) verdict="BOUNDED $depth" ;;
	timeout) verdict=TIMEOUT ;;
	*) verdict=FAILED ;;
	esac
	if [ "$method" = induct ] && [ "$verdict" = "BOUNDED $depth" ]; then
		smtbmc step -i -t "$depth"
		case $status in
		[pP]*) verdict="proved, k <= $depth" ;;
		timeout) verdict=TIMEOUT ;;
		*) verdict="NOT INDUCTIVE" ;;
		esac
	fi
	[ "$1" = - ] || covered "$1" ;;
esac
printf '%s|%s|%s|%s|%s|%s\n' "$kind" "$name" "$verdict" "$covers" "$(($(date +%s) - start))" "$harness" > "$out/result"
