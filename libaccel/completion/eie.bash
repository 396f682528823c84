# SPDX-License-Identifier: GPL-2.0 OR MIT
# Completion of the eie command for bash. Options come from --help, so that they are never out of date.

_eie() {
	local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]} command=${COMP_WORDS[1]}

	COMPREPLY=()
	if [ "$COMP_CWORD" -eq 1 ]; then
		mapfile -t COMPREPLY < <(compgen -W "info import compress inspect explain run eval bench profile coredump --help --version" -- "$cur")
	elif [ "$prev" = --device ] || [ "$prev" = -d ]; then
		mapfile -t COMPREPLY < <(compgen -W "cpu cpu:int8 ref sim" -- "$cur")
	elif [[ $cur == -* ]]; then
		mapfile -t COMPREPLY < <(compgen -W "$(eie "$command" --help 2>/dev/null | grep -o -- '--[a-z-]*')" -- "$cur")
	else
		[ "$command" = bench ] && mapfile -t COMPREPLY < <(compgen -W "sim cpu eie-paper" -- "$cur")
		mapfile -t -O ${#COMPREPLY[@]} COMPREPLY < <(compgen -f -- "$cur")
	fi
}
complete -o filenames -F _eie eie
