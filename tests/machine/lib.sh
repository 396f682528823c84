# SPDX-License-Identifier: GPL-2.0 OR MIT
# shellcheck shell=bash
# Sourced by the scripts of this folder: where things are, and a cache that several builds may use at once.
set -euo pipefail

machine=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
top=$(cd "$machine/../.." && pwd)
cache=${XDG_CACHE_HOME:-$HOME/.cache}/eie

die() {
	echo "${0##*/}: $*" >&2
	exit 1
}

# key WORD... : a short name for the values given and for the contents of the files among them. Of code, it is the text of the functions that fill the
# place (declare -f) that counts: a new message elsewhere need not cost a build.
key() {
	for w; do if [ -f "$w" ]; then cat "$w"; else echo "$w"; fi; done | sha256sum | cut -c 1-16
}

# cached NAME FUNCTION: prints $cache/NAME. When it is not there, FUNCTION is called with an empty directory in $cache to fill,
# which gets its name when it is complete: a build that was killed leaves nothing that looks finished. One builder at a
# time for each NAME; the others wait for it.
cached() {
	local name=$1 fill=$2 tmp
	if [ ! -d "$cache/$name" ]; then
		mkdir -p "$cache"
		exec 9>"$cache/$name.lock"
		flock 9
		if [ ! -d "$cache/$name" ]; then
			rm -rf "$cache/$name".tmp
			tmp=$cache/$name.tmp
			mkdir "$tmp"
			# not in a condition: set -e must hold inside
			"$fill" "$tmp" >&2 9>&-
			mv -T "$tmp" "$cache/$name"
		fi
		exec 9>&-
	fi
	echo "$cache/$name"
}
