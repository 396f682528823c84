# SPDX-License-Identifier: GPL-2.0 OR MIT
#
# Judges what synth.sh left in OUT/CONFIG and prints docs/synthesis.md:
#   awk -v out=OUT -v version="Yosys ..." -v hash=SHA256 -f report.awk hw/synth/parts
# Exit status 1, with the reasons on stderr, when there is a latch, a memory in flip-flops that the list does not allow, a
# multiplier outside the DSPs, or a part over its budget.

function fail(what)
{
	print "synthesis: " what > "/dev/stderr"
	failures++
}

# MODULE of \MODULE, $paramod$HASH\MODULE and $paramod\MODULE\Parameter=...
function base(name)
{
	gsub(/\\\\/, "\\", name)
	sub(/^\$paramod(\$[0-9a-f]+)?\\/, "", name)
	sub(/^\\/, "", name)
	sub(/\\.*/, "", name)
	return name
}

# Instances of a generate loop are alike.
function collapse(name)
{
	gsub(/\[[0-9]+\]/, "[*]", name)
	return name
}

# What a net or cell on a path says of the RTL: its line if yosys kept that, else its name if it is one of the RTL, else nothing.
function meaning(name)
{
	if (match(name, /eie_[a-z_0-9]+\.sv:[0-9]+/))
		return substr(name, RSTART, RLENGTH)
	sub(/^\$abc\$[0-9]+/, "", name)
	gsub(/\$(flatten|0)|\\/, "", name)
	sub(/\[[0-9]+:0\]/, "", name)
	gsub(/ /, "", name)
	return name ~ /\$|aiger|techmap|:0$/ ? "" : name
}

# Cells of a part and of all below it, by class; LUTs that are memories or shift registers are a class of their own.
function classify(type,    i, n)
{
	if (type ~ /^LUT[1-6]$/ || type == "INV")
		return "lut 1"
	if (type ~ /^RAM(32|64)M$/ || type == "RAM128X1D")
		return "lutram 4"
	if (type ~ /^RAM(32|64)X1D$/)
		return "lutram 2"
	if (type ~ /^SRL(16E|C16E|C32E)$/)
		return "lutram 1"
	if (type ~ /^FD[RSCP]E(_1)?$/)
		return "ff 1"
	if (type == "CARRY4")
		return "carry 1"
	if (type == "RAMB36E1")
		return "bram 1"
	if (type == "RAMB18E1")
		return "bram 0.5"
	if (type == "DSP48E1")
		return "dsp 1"
	if (type ~ /^MUXF[78]$/)
		return "mux 1"
	return ""
}

function add_up(c, m,    t, n, i, types, k, parts)
{
	if ((c, m) in summed)
		return
	summed[c, m] = 1
	n = split(cell_types[c, m], types, "\n")
	for (i = 1; i < n; i++) {
		t = types[i]
		if ((c, t) in cell_types) {
			add_up(c, t)
			for (k in classes)
				total[c, m, k] += cells[c, m, t] * total[c, t, k]
			continue
		}
		k = classify(t)
		if (k == "") {
			fail(c ": report.awk does not know the cell " t " of " base(m))
			continue
		}
		split(k, parts, " ")
		total[c, m, parts[1]] += cells[c, m, t] * parts[2]
	}
}

function read_stat(c, file,    line, m, t, in_cells)
{
	while ((getline line < file) > 0) {
		if (line ~ /"num_(cells|submodules)_by_type": *\{/) {
			in_cells = 1
		} else if (line ~ /^ *"design": *\{/) {
			break
		} else if (line ~ /^ *".*": *\{/) {
			m = line
			sub(/^ *"/, "", m)
			sub(/": *\{.*/, "", m)
			sub(/^\\\\/, "", m)        # a module without parameters has the backslash, its instances have not
			cell_types[c, m] = ""
			names[c, base(m)] = m
		} else if (in_cells && line ~ /\}/) {
			in_cells = 0
		} else if (in_cells) {
			t = line
			sub(/^ *"/, "", t)
			sub(/":.*/, "", t)
			sub(/.*": */, "", line)
			cells[c, m, t] = line + 0
			cell_types[c, m] = cell_types[c, m] t "\n"
		}
	}
	close(file)
}

function read_ltp(c, p, file,    line, n, here, best, m, last, cell)
{
	best = -2
	while ((getline line < file) > 0) {
		if (match(line, /length=-?[0-9]+/)) {
			n = substr(line, RSTART + 7, RLENGTH - 7) + 0
			here = n > best
			if (here) {
				best = n
				levels[c, p] = n
				carries[c, p] = 0
				path[c, p] = ""
				last = ""
			}
		} else if (here && line ~ /^ *[0-9]+: /) {
			if (line ~ /carry4\)$/)
				carries[c, p]++
			sub(/^ *[0-9]+: /, "", line)
			cell = line
			sub(/ \(via .*/, "", line)
			sub(/.* \(via /, "", cell)
			m = meaning(line)
			if (m == "")
				m = meaning(cell)
			if (m != "" && m != last)
				path[c, p] = path[c, p] (last == "" ? "" : ", ") m
			if (m != "")
				last = m
		}
	}
	close(file)
	if (best < 0)
		fail(c ": no longest path of " p " in " file)
}

# Memories before mapping, then what the log says of each; "flip-flops" if it says nothing.
function read_mem(c, dir,    line, m, id, size, key, where)
{
	while ((getline line < (dir "/yosys.log")) > 0) {
		if (line ~ /^mapping memory /) {
			sub(/^mapping memory /, "", line)
			where = line
			sub(/.* via /, "", where)
			gsub(/\$__XILINX_|_$/, "", where)
			sub(/ via .*/, "", line)
			via[c, line] = where
		} else if (match(line, /Replacing memory \\[^ ]+ with list of registers/)) {
			sub(/.*Replacing memory \\/, "", line)
			sub(/ .*/, "", line)
			sub(/.*\./, "", line)
			replaced[line] = 1
		}
	}
	close(dir "/yosys.log")
	while ((getline line < (dir "/mem")) > 0) {
		if (line ~ /^ *module /) {
			m = line
			sub(/^ *module \\?/, "", m)
		} else if (line ~ /^ *parameter \\MEMID /) {
			id = line
			sub(/^ *parameter \\MEMID "\\*/, "", id)
			sub(/"$/, "", id)
		} else if (line ~ /^ *parameter \\SIZE /) {
			size = line
			sub(/.* /, "", size)
		} else if (line ~ /^ *parameter \\WIDTH /) {
			sub(/.* /, "", line)
			where = (c, m "." id) in via ? via[c, m "." id] : "flip-flops"
			key = base(m) " " collapse(id) " " size " " line + 0 " " where
			if (!((c, key) in memories))
				mem_list[c] = mem_list[c] key "\n"
			memories[c, key]++
			if (where == "flip-flops" && size * line > ffbits && !((base(m), collapse(id)) in allowed))
				fail(c ": " base(m) ": the memory " id " of " size * line " bits is in flip-flops")
			used[base(m), collapse(id)] = 1
		}
	}
	close(dir "/mem")
}

# Arrays that yosys took for single registers when it read them: are they registers, and of how many bits in all?
function read_regs(c, file,    line, m, id, name, width, bits, key, f)
{
	while ((getline line < file) > 0) {
		if (line ~ /^ *module /) {
			m = line
			sub(/^ *module \\?/, "", m)
		} else if (line ~ /^ *parameter \\WIDTH /) {
			width = line
			sub(/.* /, "", width)
		} else if (line ~ /^ *connect \\Q \\/) {
			id = line
			sub(/^ *connect \\Q \\/, "", id)
			if (!sub(/\[[0-9]+\]( .*)?$/, "[*]", id))
				continue
			name = id
			sub(/.*\./, "", name)
			sub(/\[\*\]$/, "", name)
			if (name in replaced)
				bits[base(m) SUBSEP collapse(id)] += width
		}
	}
	close(file)
	for (key in bits) {
		split(key, f, SUBSEP)
		used[f[1], f[2]] = 1
		if (bits[key] > ffbits && !(key in allowed))
			fail(c ": " f[1] ": the array " f[2] " of " bits[key] " bits is in flip-flops")
	}
}

function read_mul(c, file,    line, src, constant)
{
	while ((getline line < file) > 0) {
		if (line ~ /attribute \\src /) {
			src = line
			constant = 0
		} else if (line ~ /connect \\[AB] [0-9]+'/) {
			constant = 1
		} else if (line ~ /^ *end$/ && src != "") {
			if (!constant)
				fail(c ": a multiplier is not in a DSP48E1:" src)
			src = ""
		}
	}
	close(file)
}

function read_latches(c, file,    line)
{
	while ((getline line < file) > 0)
		fail(c ": latch " line)
	close(file)
}

function over(c, p, what, value, most)
{
	if (value > most)
		fail(c ": " p ": " value " " what ", more than the " most " of hw/synth/parts")
}

/^#/ || NF == 0 { next }
$1 == "part" && NF == 9 {
	if (!($2 in config_parts))
		configs[++nconfigs] = $2
	config_parts[$2] = config_parts[$2] $3 " "
	for (i = 4; i <= 9; i++)
		budget[$2, $3, i] = $i
	next
}
$1 == "ffbits" && NF == 2 { ffbits = $2; next }
$1 == "device" && NF == 7 {
	device = $2
	for (i = 3; i <= 7; i++)
		has[i] = $i
	next
}
$1 == "ff" && NF > 3 {
	reason = $4
	for (i = 5; i <= NF; i++)
		reason = reason " " $i
	allowed[$2, $3] = reason
	allow_list[++nallowed] = $2 SUBSEP $3
	next
}
{ fail(FILENAME ":" FNR ": cannot read: " $0) }

END {
	split("lut lutram ff carry bram dsp mux", list, " ")
	for (i in list)
		classes[list[i]] = 1

	for (i = 1; i <= nconfigs; i++) {
		c = configs[i]
		dir = out "/" c
		read_stat(c, dir "/stat")
		read_latches(c, dir "/latches")
		read_mul(c, dir "/mul")
		read_mem(c, dir)
		read_regs(c, dir "/regs")
		n = split(config_parts[c], list, " ")
		for (j = 1; j <= n; j++) {
			p = list[j]
			if (!((c, p) in names)) {
				fail(c ": no module " p " in the netlist")
				continue
			}
			read_ltp(c, p, dir "/ltp-" p)
			m = names[c, p]
			add_up(c, m)
			over(c, p, "LUTs", total[c, m, "lut"] + 0, budget[c, p, 4])
			over(c, p, "LUTs as memory", total[c, m, "lutram"] + 0, budget[c, p, 5])
			over(c, p, "flip-flops", total[c, m, "ff"] + 0, budget[c, p, 6])
			over(c, p, "RAMB36", total[c, m, "bram"] + 0, budget[c, p, 7])
			over(c, p, "DSP48E1", total[c, m, "dsp"] + 0, budget[c, p, 8])
			over(c, p, "levels", levels[c, p], budget[c, p, 9])
		}
	}
	for (i = 1; i <= nallowed; i++)
		if (!(allow_list[i] in used)) {
			split(allow_list[i], list, SUBSEP)
			fail("hw/synth/parts allows " list[1] " " list[2] ", which is not there any more")
		}

	print "<!-- SPDX-License-Identifier: GPL-2.0 OR MIT -->"
	print "<!-- Generated by make synth (hw/synth); do not edit. -->"
	print "# Synthesis for Xilinx 7-series"
	print ""
	print version ", `synth_xilinx -family xc7 -flatten -noiopad -noclkbuf`, top `eie_top`. The parts below keep"
	print "their hierarchy and are synthesised once each, so eight equal clusters cost the time of one; nothing is optimised across"
	print "their borders. Not placed, not routed, not timed, and no board was tried."
	print ""
	print "RTL and configurations: sha256 `" hash "`"
	print ""
	print "- *LUT* counts LUT1 to LUT6 and inverters before packing, *LUT RAM* the LUTs that are memories or shift registers (RAM32M and"
	print "  RAM64M are four), *RAMB36* counts a RAMB18 as a half. A part's row includes what is below it."
	print "- *Levels* is the longest way between registers, ports and block memories through LUTs, MUXF7/8, CARRY4, reads of LUT"
	print "  memories and unregistered DSP48E1 (`ltp` on the flattened netlist), in cells; in brackets how many of them are CARRY4,"
	print "  which are far quicker than a LUT and its routing."
	print "- `make synth` fails on a latch, on a memory of more than " ffbits " bits in flip-flops that `hw/synth/parts` does not allow, on a"
	print "  multiplier of two variables outside a DSP48E1, and on a part over its budget there."

	for (i = 1; i <= nconfigs; i++) {
		c = configs[i]
		print ""
		print "## " c
		print ""
		print "| part | LUT | LUT RAM | FF | CARRY4 | RAMB36 | DSP48E1 | levels |"
		print "|---|--:|--:|--:|--:|--:|--:|--:|"
		n = split(config_parts[c], list, " ")
		for (j = 1; j <= n; j++) {
			p = list[j]
			m = names[c, p]
			printf "| %s | %d | %d | %d | %d | %s | %d | %d (%d) |\n", p, total[c, m, "lut"], total[c, m, "lutram"],
			       total[c, m, "ff"], total[c, m, "carry"], total[c, m, "bram"] + 0, total[c, m, "dsp"],
			       levels[c, p], carries[c, p]
			if (p == "eie_lanes") {
				split(c, size, "x")
				l = size[2] + 0
				printf "| of it a lane | %d | %d | %d | %d | %.1f | %.1f | |\n", total[c, m, "lut"] / l, total[c, m, "lutram"] / l,
				       total[c, m, "ff"] / l, total[c, m, "carry"] / l, total[c, m, "bram"] / l, total[c, m, "dsp"] / l
			}
		}
		if (device != "")
			printf "| eie_top, of %s | %d %% | %d %% | %d %% | | %d %% | %d %% | |\n", device,
			       100 * (total[c, m, "lut"] + total[c, m, "lutram"]) / has[3], 100 * total[c, m, "lutram"] / has[4],
			       100 * total[c, m, "ff"] / has[5], 100 * total[c, m, "bram"] / has[6],
			       100 * total[c, m, "dsp"] / has[7]
		print ""
		print "| longest path of | by way of (nets, lines of RTL) |"
		print "|---|---|"
		for (j = 1; j <= n; j++)
			printf "| %s | %s |\n", list[j], path[c, list[j]]
	}

	c = configs[nconfigs]
	print ""
	print "## Memories of " c
	print ""
	print "| part | memory | number | words | bits | mapped to |"
	print "|---|---|--:|--:|--:|---|"
	n = split(mem_list[c], list, "\n")
	for (i = 1; i < n; i++) {
		split(list[i], f, " ")
		printf "| %s | %s | %d | %d | %d | %s |\n", f[1], f[2], memories[c, list[i]], f[3], f[4], f[5]
	}
	print ""
	print "In flip-flops with a reason:"
	print ""
	for (i = 1; i <= nallowed; i++) {
		split(allow_list[i], list, SUBSEP)
		print "- " list[1] " `" list[2] "`: " allowed[list[1], list[2]]
	}
	exit failures > 0
}
