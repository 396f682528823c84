#!/bin/sh
# SPDX-License-Identifier: GPL-2.0 OR MIT
#
# Prints a hash of all that decides the figures of docs/synthesis.md: the RTL and the configurations, without comments, white
# space and what stands under `ifndef SYNTHESIS, and the files of this folder.
#   hash.sh CONFIG_PACKAGE.sv...
set -eu

here=$(dirname "$0")
rtl=$(dirname "$here")/rtl
for f in $(sed 's,//.*,,' "$rtl/eie.f"); do
	set -- "$@" "$rtl/$f"
done
{
	awk '/^`ifndef SYNTHESIS/ { skip = 1 }
		!skip { sub(/\/\/.*/, ""); gsub(/[ \t]/, ""); if ($0 != "") print }
		/^`endif/ { skip = 0 }' "$@"
	cat "$here/parts" "$here/synth.sh" "$here/ltp_map.v" "$here/report.awk"
} | sha256sum | cut -d ' ' -f 1
