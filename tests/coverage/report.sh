#!/bin/sh
# SPDX-License-Identifier: GPL-2.0 OR MIT
# docs/coverage.md from BUILD/coverage/merged.dat and tests/coverage/holes.txt:  report.sh BUILD CONFIG
# Fails when a block or branch was never run and holes.txt does not say why, or explains one that was run.
set -u
build=$1 config=$2
sources=$(sed -n 's,//.*,,; s,^[a-z],hw/rtl/&,p' hw/rtl/eie.f)
awk -v config="$config" -v toggles="$build/coverage/untoggled.txt" -f tests/coverage/report.awk \
	tests/coverage/holes.txt $sources "$build/coverage/merged.dat" >"$build/coverage/report.md"
status=$?
cp "$build/coverage/report.md" docs/coverage.md
grep -E '^\| \*\*all' docs/coverage.md
if [ $status = 0 ]; then
	echo "ok - coverage: every hole is explained (docs/coverage.md; signals that never toggled: $build/coverage/untoggled.txt)"
else
	echo "not ok - coverage: see above; explain in tests/coverage/holes.txt, or test"
fi
exit $status
