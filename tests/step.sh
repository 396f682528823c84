#!/bin/sh
# SPDX-License-Identifier: GPL-2.0 OR MIT
# Runs a command as one test: prints its output and a TAP line.
"$@" && echo "ok - $*" && exit 0
echo "not ok - $*"
exit 1
