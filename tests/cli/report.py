#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0 OR MIT
"""Whether a page of `eie compress --report` is well-formed, needs no other file, and has the numbers of `eie inspect --json`:

  report.py PAGE.html INSPECT.json PRINTED

PRINTED: what `eie compress` printed, for bits and signal to noise. Prints what is wrong.
"""

import json
import sys
import xml.etree.ElementTree as tree

HTML = "{http://www.w3.org/1999/xhtml}"
SVG = "{http://www.w3.org/2000/svg}"

wrong = []


def same(what, got, want):
    if got != want:
        wrong.append(f"{what}: {got!r}, not {want!r}")


page, inspect, printed = sys.argv[1:]
root = tree.parse(page).getroot()
with open(inspect, encoding="utf-8", errors="replace") as file:
    model = json.load(file)
with open(printed, encoding="utf-8", errors="replace") as file:
    lines = [line.rstrip("\n") for line in file]

for element in root.iter():
    for key in element.keys():
        if key in ("src", "href"):
            wrong.append(f"<{element.tag}> needs {element.get(key)}")
    if element.tag in (HTML + "script", HTML + "b") and element.get("id") != "file":
        wrong.append(f"a <{element.tag}> that no report has")

ids = {e.get("id"): int(e.get("data-n")) for e in root.iter() if e.get("id")}
same("bytes of the file", ids["file"], model["file_bytes"])
same("bytes of floats", ids["floats"], model["float_bytes"])
parts = [int(e.get("data-n")) for e in root.iter(HTML + "span") if e.get("class") == "part"]
sums = [sum(layer["bytes_" + part] for layer in model["layers"]) for part in ("codes", "index", "other")]
same("parts of the file", parts, sums + [model["file_bytes"] - sum(sums)])

# the picture: as wide as the file, each part by its share
strip = next(root.iter(SVG + "svg"))
width = float(strip.get("width"))
drawn = [float(r.get("width")) for r in strip.iter(SVG + "rect")]
want = [width * p / model["file_bytes"] for p in parts if p]
if len(drawn) != len(want) or any(abs(a - b) > 0.02 for a, b in zip(drawn, want)):
    wrong.append(f"the picture has parts of {drawn}, not {want}")

rows = [r for r in root.iter(HTML + "tr") if r.find(HTML + "td") is not None]
layers = [x for x in model["layers"] if x["rows"] * x["cols"] + x["constants"]]
same("number of layers", len(rows), len(layers))
for row, layer in zip(rows, layers):
    cells = {c.get("class"): c for c in row.findall(HTML + "td")}
    number = {k: int(c.get("data-n")) for k, c in cells.items() if c.get("data-n") is not None}
    name = "".join(cells["text name"].itertext())
    # bytes that are no UTF-8 are question marks in one, replacement characters in the other
    same("name", name, layer["name"].replace("\ufffd", "?"))
    for key in ("nonzeros", "codes", "index", "other"):
        same(f"{name}: {key}", number[key], layer[key if key == "nonzeros" else "bytes_" + key])
    same(f"{name}: values", number["values"], layer["codebook_size"])
    same(f"{name}: now", number["after"], sum(layer["bytes_" + part] for part in ("codes", "index", "other")))
    same(f"{name}: weights", number["weights"], layer["rows"] * layer["cols"] + layer["constants"])
    same(f"{name}: before", number["before"], 4 * (layer["rows"] * layer["cols"] + layer["rows"] + layer["constants"]))
    for cell in cells.values():
        if cell.get("data-n") is not None:
            same(f"{name}: {cell.get('class')} as people read it", cell.text.replace(",", ""), cell.get("data-n"))
    told = [line for line in lines if line.startswith(name + " ")]
    if told:
        words = told[0][len(name):].split()
        if "bits" in number:
            same(f"{name}: bits", str(number["bits"]), words[-3])
        if "snr" in cells:
            same(f"{name}: SNR", cells["snr"].text, words[-1])

print("\n".join(wrong) if wrong else f"{len(rows)} layers")
sys.exit(bool(wrong))
