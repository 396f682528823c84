# SPDX-License-Identifier: GPL-2.0 OR MIT
"""The page of eie profile in a browser: profile_page.py CHROMIUM PAGE.html. That what the browser has in its document is what the page's JSON says, and
that no picture is blank: each has pixels of the colours that it draws with."""
import json, re, struct, subprocess, sys, tempfile, os, zlib

HEIGHT = 9000
COLOURS = {'timeline': ['2a7', '26b', 'c62'], 'cycles': ['26b', '2a7', 'c62'], 'balance': ['26b'], 'density': ['86a'], 'roofline': ['333']}


def browser(chromium, page, *arguments):
    with tempfile.TemporaryDirectory() as home:
        return subprocess.run([chromium, '--headless', '--no-sandbox', '--disable-gpu', '--hide-scrollbars', '--user-data-dir=' + home, *arguments,
                               'file://' + os.path.abspath(page)], check=True, capture_output=True, timeout=120).stdout.decode()


def pixels(png):
    """Rows of a PNG of 8 bits a channel as (bytes, bytes a pixel)."""
    data, at, width, bytes_a_pixel, packed = open(png, 'rb').read(), 8, 0, 4, b''
    while at < len(data):
        size, kind = struct.unpack('>I4s', data[at:at + 8])
        if kind == b'IHDR':
            width, _, depth, colour = struct.unpack('>IIBB', data[at + 8:at + 18])
            assert depth == 8 and colour in (2, 6)
            bytes_a_pixel = 4 if colour == 6 else 3
        if kind == b'IDAT':
            packed += data[at + 8:at + 8 + size]
        at += size + 12
    raw, stride, before, rows = zlib.decompress(packed), width * bytes_a_pixel, bytearray(width * bytes_a_pixel), []
    for y in range(len(raw) // (stride + 1)):
        kind, row = raw[y * (stride + 1)], bytearray(raw[y * (stride + 1) + 1:(y + 1) * (stride + 1)])
        for i in range(stride):
            a = row[i - bytes_a_pixel] if i >= bytes_a_pixel else 0
            b, c = before[i], before[i - bytes_a_pixel] if i >= bytes_a_pixel else 0
            if kind == 4:
                p = a + b - c
                near = sorted([(abs(p - a), 0, a), (abs(p - b), 1, b), (abs(p - c), 2, c)])[0][2]
            row[i] = (row[i] + [0, a, b, (a + b) // 2, near if kind == 4 else 0][kind]) & 255
        rows.append(bytes(row))
        before = row
    return rows, bytes_a_pixel


def main():
    chromium, page = sys.argv[1:3]
    dom = browser(chromium, page, '--dump-dom')
    figures = json.loads(re.search(r'<script type="application/json" id="figures">(.*?)</script>', dom, re.S).group(1))
    say = lambda name: int(re.search(r'<td id="%s">([0-9,]*)<' % name, dom).group(1).replace(',', ''))
    assert say('total') == figures['cycles'] and say('model') == figures['model_cycles']
    bars = re.search(r'<svg id="cycles".*?</svg>', dom, re.S).group(0)
    assert [int(float(x)) for x in re.findall(r'<title>cycles: ([0-9.e+]*)<', bars)] == [l['cycles'] for l in figures['layers'] if l['cycles']]
    dots = re.search(r'<svg id="roofline".*?</svg>', dom, re.S).group(0).count('<circle')
    assert dots == sum(1 for l in figures['layers'] if l['cycles'] and l['ideal_cycles'])
    drawn = page + '.png'
    # one picture at a time, so that a colour of one does not stand for another
    text = open(page).read()
    for name, colours in COLOURS.items():
        svg = re.search(r'<svg id="%s".*?</svg>' % name, text, re.S).group(0)
        one = page + '.' + name + '.html'
        open(one, 'w').write(text[:text.index('</head>')] + '</head><body>' + svg + '</body></html>')
        browser(chromium, one, '--screenshot=' + os.path.abspath(drawn), '--window-size=1200,400')
        rows, n = pixels(drawn)
        seen = {row[i:i + 3] for row in rows for i in range(0, len(row), n)}
        for colour in colours:
            assert bytes(int(c * 2, 16) for c in colour) in seen, '%s is blank: no pixel is #%s' % (name, colour)
        os.unlink(one)
    os.unlink(drawn)


main()
