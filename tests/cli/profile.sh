#!/bin/sh
# SPDX-License-Identifier: GPL-2.0 OR MIT
# eie profile: that page and trace are whole, that their figures are one another's, the device's and explain's, and what is refused.
. "$(dirname "$0")/lib.sh"

model=$top/libaccel/models/lenet_300_100.eie
fixture npy x.npy f4 1 28 28
fixture npy two.npy f4 2 28 28

# $1: the file's figures as "key value" lines
figures() {
	python3 - "$1" <<'END'
import json, re, sys
text = open(sys.argv[1]).read()
if sys.argv[1].endswith('.html'):
    page = re.search(r'<script type="application/json" id="figures">(.*?)</script>', text, re.S).group(1)
    f = json.loads(page)
    assert re.search(r'<td id="total">([0-9,]*)<', text).group(1).replace(',', '') == str(f['cycles']), 'total'
    assert re.search(r'<td id="model">([0-9,]*)<', text).group(1).replace(',', '') == str(f['model_cycles']), 'model'
    for part in ['density'] + (['timeline', 'cycles', 'roofline', 'balance'] if f['model_cycles'] else []):
        svg = re.search(r'<svg id="%s".*?</svg>' % part, text, re.S).group(0)
        assert re.search(r'<(rect|circle) ', svg), part + ' is blank'
        assert 'nan' not in svg and 'inf"' not in svg, part
    if f['model_cycles']:
        bars = re.search(r'<svg id="cycles".*?</svg>', text, re.S).group(0)
        drawn = [int(float(x)) for x in re.findall(r'<title>cycles: ([0-9.e+]*)<', bars)]
        assert drawn == [l['cycles'] for l in f['layers'] if l['cycles']], 'bars'
    assert not re.search(r'(src|href)=', text), 'something from elsewhere'
else:
    t = json.loads(text)
    f = t['otherData']
    names = {e['args']['name'] for e in t['traceEvents'] if e['ph'] == 'M'}
    assert len(names) == 5, names
    spans = [e for e in t['traceEvents'] if e['ph'] == 'X']
    assert sum(e['dur'] for e in spans if e['tid'] == 1) == f['cycles'], 'jobs'
    assert all(e['ts'] >= 0 and e['dur'] >= 0 for e in spans)
    if f['model_cycles']:
        assert {e['tid'] for e in spans} >= {1, 2, 3, 4}, 'an engine has no command'
print('cycles', f['cycles'])
print('model', f['model_cycles'])
print('layers', ' '.join(str(l['cycles']) for l in f['layers']))
print('sum', sum(l['cycles'] for l in f['layers']))
print('clusters', all(sum(l['clusters']) > 0 for l in f['layers'] if l['cycles'] and l['nonzeros']))
END
}

for d in cpu ref:8x8 sim:8x8; do
	try 0 "a page of $d" profile "$model" --input x.npy --device $d -o page.html
	try 0 "a trace of $d" profile "$model" --input x.npy --device $d -o trace.json
	if figures page.html >page.txt 2>err && figures trace.json >trace.txt 2>err && cmp -s page.txt trace.txt; then
		ok "page and trace of $d are whole and say the same"
	else
		cat page.txt trace.txt >out
		not_ok "page and trace of $d are whole and say the same"
	fi
done
read -r _ cycles <page.txt
check "the simulator's cycles" [ "$cycles" -gt 100 ]
try 0 "a run of two" profile "$model" --input two.npy --device ref:8x8 -o two.html
try 2 "no output" profile "$model" --input x.npy
try 2 "an output of another kind" profile "$model" --input x.npy -o x.png
try 2 "no input" profile "$model" -o x.html
try 1 "a folder that is not there" profile "$model" --input x.npy --device ref -o nowhere/x.html
says "names it" 'nowhere/x\.html'
finish
