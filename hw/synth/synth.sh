#!/bin/sh
# SPDX-License-Identifier: GPL-2.0 OR MIT
#
# Synthesises eie_top in one configuration for Xilinx 7-series with yosys:
#   synth.sh CONFIG_PACKAGE.sv OUT_DIRECTORY PART...
#
# PART is a module that keeps its hierarchy, those inside others first: it is synthesised once, however many instances there
# are, and has figures of its own. What report.awk judges and prints is left in OUT_DIRECTORY:
#   latches   cells that are latches, before and after mapping
#   mul       multiplications that no DSP48E1 took
#   mem       memories before mapping; yosys.log says where each went
#   regs      registers, before mapping
#   memff     memories that go to flip-flops
#   stat      cells of each module, JSON
#   ltp-PART  longest path through the part and what is in it
set -eu

package=$1 out=$2
shift 2
parts=$*
here=$(dirname "$0")
rtl=$(dirname "$here")/rtl
mkdir -p "$out"
rm -f "$out"/ltp-* "$out"/done

sources=$(sed 's,//.*,,' "$rtl/eie.f" | sed -n "s,^\([a-z_0-9]*\.sv\)\$,$rtl/\1,p" | tr '\n' ' ')

# A module is named M, $paramod\M\Parameter=... or $paramod$HASH\M; the pattern for a backslash is [\\].
modules() {
	printf '%s\n' "$1" '*[\\]'"$1" '*[\\]'"$1"'[\\]*' | tr '\n' ' '
}
keep() {
	for p in $parts; do
		printf '%s\n' "setattr -mod -set keep_hierarchy 1 $(modules "$p")"
	done
}
# from the inside out: when its turn comes, a part is flat
paths() {
	for p in $parts eie_top; do
		printf '%s\n' "select -none"
		for m in $(modules "$p"); do
			printf '%s\n' "select -add $m/w:* $m/t:LUT* $m/t:INV $m/t:MUXF* $m/t:CARRY4 $m/t:LTP_*"
		done
		printf '%s\n' "tee -q -o $out/ltp-$p ltp" "select -clear"
		if [ "$p" != eie_top ]; then
			printf '%s\n' "setattr -mod -unset keep_hierarchy $(modules "$p")" "flatten"
		fi
	done
}

set -f
# not -abc9: that of yosys 0.23 aborts on a RAMB18
flow="synth_xilinx -family xc7 -flatten -noiopad -noclkbuf"
cat > "$out/run.ys" <<END
read_verilog -sv -DSYNTHESIS -DEIE_FREE_CLOCKS $package $sources
hierarchy -check -top eie_top
$(keep)
$flow -run begin:map_dsp
check -noinit -assert
tee -q -o $out/latches select -list t:\$dlatch t:\$adlatch t:\$dlatchsr t:\$sr
$flow -run map_dsp:coarse
tee -q -o $out/mul dump -m t:\$mul
$flow -run coarse:map_memory
# memory_libmap uses a RAM fully only if the same net enables all of it: enables are nets, not slices of a shift
techmap t:\$shl
simplemap t:\$mem_v2 %ci1:+[WR_EN] %ci*:-\$mem_v2,\$dff,\$dffe,\$adff,\$adffe,\$sdff,\$sdffe,\$alu,DSP48E1 t:\$mux %i
opt_expr
opt_merge
opt_clean
tee -q -o $out/mem dump -m t:\$mem_v2
tee -q -o $out/regs dump -m t:\$*dff*
$flow -run map_memory:map_ffram
tee -q -o $out/memff dump -m t:\$mem_v2
$flow -run map_ffram:
check -noinit -assert
tee -q -a $out/latches select -list t:LD* t:\$_DLATCH*
tee -q -o $out/stat stat -json
read_verilog -lib <<CELL
module LTP_DSP (input [29:0] A, input [17:0] B, input [47:0] C, PCIN, output [47:0] P, PCOUT); endmodule
CELL
techmap -map $here/ltp_map.v
# every kind of memory in LUTs must be in ltp_map.v
select -assert-none t:RAM[0-9]* t:DSP*
$(paths)
END

if ! yosys -l "$out/yosys.log" -q "$out/run.ys" > "$out/messages" 2>&1; then
	tail -n 5 "$out/yosys.log" >&2
	echo "synth.sh: yosys failed, see $out/yosys.log" >&2
	exit 1
fi
touch "$out/done"
