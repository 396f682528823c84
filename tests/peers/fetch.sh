#!/bin/sh
# SPDX-License-Identifier: GPL-2.0 OR MIT
# ONNX Runtime for `make bench-peers`: the library out of an npm package, the header out of Debian 13's libonnxruntime-dev; both kept in the tests'
# cache. Makes DIR/include and DIR/lib.
#     fetch.sh DIR
set -e
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=tests/networks/fetch.sh
. "$here/../networks/fetch.sh"

version=1.30.0
npm=$cache/onnxruntime-node-$version
header=$cache/onnxruntime-dev

give_up() {
	echo "fetch.sh: $1" >&2
	exit 1
}

need_node || give_up "$why"
mkdir -p "$cache" "$1/include" "$1/lib"
exec 9>"$cache/onnxruntime.lock"
flock 9
if [ ! -e "$npm/complete" ]; then
	rm -rf "$npm"
	mkdir -p "$npm"
	echo '{ "private": true }' >"$npm/package.json"
	# no scripts: nothing of what is fetched runs while it is fetched
	npm install --prefix "$npm" --ignore-scripts --no-audit --no-fund --no-save "onnxruntime-node@$version" >"$cache/onnxruntime.log" 2>&1 ||
		give_up "the npm registry does not give onnxruntime-node $version: $(tail -n 1 "$cache/onnxruntime.log" | cut -c1-200)"
	touch "$npm/complete"
fi
[ -d "$header/usr/include/onnxruntime" ] || fetch_trixie libonnxruntime-dev "$header" >"$cache/onnxruntime-dev.log" 2>&1 ||
	give_up "Debian 13's libonnxruntime-dev could not be fetched: $(tail -n 1 "$cache/onnxruntime-dev.log" | cut -c1-200)"
case $(uname -m) in x86_64) arch=x64 ;; aarch64) arch=arm64 ;; *) give_up "onnxruntime-node has no library for $(uname -m)" ;; esac
library=$(find "$npm/node_modules/onnxruntime-node/bin" -path "*linux/$arch/libonnxruntime.so.1" | head -n 1)
[ -n "$library" ] || give_up "onnxruntime-node $version has no libonnxruntime.so.1 for linux/$arch"
cp "$library" "$1/lib/libonnxruntime.so.1"
cp "$(find "$header" -name onnxruntime_c_api.h | head -n 1)" "$1/include/"
