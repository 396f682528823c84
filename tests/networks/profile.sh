#!/bin/sh
# SPDX-License-Identifier: GPL-2.0 OR MIT
# The report of eie profile in a headless browser:  profile.sh BUILD
build=$(cd "$1" && pwd)
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1
browser=$(command -v chromium || command -v chromium-browser)
model=$here/../../libaccel/models/lenet5.eie

if [ -z "$browser" ]; then
	echo "ok 1 - the report in a browser # SKIP chromium is not installed (make check-networks installs it)"
	echo "1..1"
	exit 0
fi
python3 - <<'END'
import struct
header = "{'descr': '<f4', 'fortran_order': False, 'shape': (1, 1, 28, 28), }"
header += ' ' * (117 - len(header)) + '\n'
with open('x.npy', 'wb') as f:
    f.write(b'\x93NUMPY\x01\x00' + struct.pack('<H', len(header)) + header.encode())
    f.write(struct.pack('<784f', *[(i * 7919 % 256) / 255 for i in range(784)]))
END
n=0 failed=0
for device in sim:8x8 ref:8x8; do
	n=$((n + 1))
	if "$build/eie" profile "$model" --input x.npy --device $device -o page.html >log 2>&1 && python3 "$here/profile_page.py" "$browser" page.html >log 2>&1; then
		echo "ok $n - the report of $device in a browser: figures are the JSON's, no picture is blank"
	else
		failed=1
		echo "not ok $n - the report of $device in a browser"
		sed 's/^/# /' log | tail -n 20
	fi
done
echo "1..$n"
exit $failed
