#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0 OR MIT
"""
Lines of text as PP-OCR's classifier of directions gets them:  text_lines.py KIND SEED N TEXT[,TEXT...] LINES.npy LABELS.npy

Words of TEXT, in the fonts of DejaVu and Liberation (Debian: fonts-dejavu-core, fonts-liberation2), drawn by Pillow (python3-pil). Of each line by chance: where in the text it begins,
one to five words, font, size, margins; every other one, by chance, is upside down. KIND is `print`: black on white; or `any`: colours that differ by a quarter of the range at least, slant of up to three degrees,
blur, noise.
LINES.npy: [N, 3, 48, 192] float32. As PaddleOCR's tools/infer/predict_cls.py prepares them: 48 pixels high, the width in proportion but at most 192, (byte / 255 - 0.5) / 0.5, zeros to the right.
LABELS.npy: [N] int64, 1 for lines that are upside down, which is the number of the network's output.
"""

import glob
import math
import sys

import numpy as np
from PIL import Image, ImageDraw, ImageFilter, ImageFont

HEIGHT, WIDTH = 48, 192
FOLDER = "/usr/share/fonts/truetype/"
FONTS = [f"dejavu/DejaVu{name}.ttf" for name in ("Sans", "Sans-Bold", "SansMono", "SansMono-Bold", "Serif", "Serif-Bold")]
FONTS += [f"liberation*/Liberation{name}-{style}.ttf" for name in ("Sans", "Serif", "Mono") for style in ("Regular", "Bold", "Italic", "BoldItalic")]


def colours(rng):
    """Ink and paper; the mean over the channels differs by 64 at least."""
    while True:
        ink, paper = rng.integers(0, 256, 3), rng.integers(0, 256, 3)
        if abs(ink.mean() - paper.mean()) >= 64:
            return tuple(map(int, ink)), tuple(map(int, paper))


def line(rng, words, fonts, plain):
    """One line, [3, 48, 192]; plain: black on white."""
    n, start = rng.integers(1, 6), rng.integers(len(words))
    size = int(rng.integers(18, 49))
    font = ImageFont.truetype(fonts[rng.integers(len(fonts))], size)
    text = " ".join(words[(start + i) % len(words)] for i in range(n))
    ink, paper = ((0, 0, 0), (255, 255, 255)) if plain else colours(rng)
    left, top, right, bottom = font.getbbox(text)
    margin = rng.uniform(0.05, 0.3, 4) * size
    slant = 0 if plain else math.radians(rng.uniform(-3, 3))
    rise = abs(math.tan(slant)) * (right - left)
    wide, high = math.ceil(right - left + margin[0] + margin[1]), math.ceil(bottom - top + margin[2] + margin[3] + min(rise, 0.5 * size))
    picture = Image.new("RGB", (wide, high), paper)
    ImageDraw.Draw(picture).text((margin[0] - left, (high - (bottom - top)) / 2 - top), text, ink, font)
    picture = picture.rotate(math.degrees(min(abs(slant), math.atan2(0.5 * size, wide)) * np.sign(slant)), Image.BICUBIC, fillcolor=paper)
    if not plain:
        picture = picture.filter(ImageFilter.GaussianBlur(rng.uniform(0, 0.03) * size))
    width = min(WIDTH, math.ceil(HEIGHT * wide / high))
    picture = np.asarray(picture.resize((width, HEIGHT), Image.BILINEAR), np.float32)
    if not plain:
        picture = np.clip(picture + rng.uniform(0, 12) * rng.standard_normal(picture.shape), 0, 255).round()
    out = np.zeros((3, HEIGHT, WIDTH), np.float32)
    out[:, :, :width] = picture.transpose(2, 0, 1) / 127.5 - 1
    return out


def turned(one):
    """Upside down, the zeros to the right again."""
    width = int(np.flatnonzero(one.any((0, 1)))[-1]) + 1
    out = np.zeros_like(one)
    out[:, :, :width] = one[:, ::-1, :width][:, :, ::-1]
    return out


def main(kind, seed, n, texts, lines_path, labels_path):
    fonts, plain = [], {"print": True, "any": False}[kind]
    for pattern in FONTS:
        found = sorted(glob.glob(FOLDER + pattern))   # Debian 12: liberation2
        if not found:
            sys.exit(f"{FOLDER}{pattern} is not there: install fonts-dejavu-core and fonts-liberation2")
        fonts.append(found[0])
    words = " ".join(open(t, encoding="utf-8").read() for t in texts.split(",")).split()
    rng = np.random.default_rng(int(seed))
    labels = rng.integers(0, 2, int(n))
    lines = np.empty((int(n), 3, HEIGHT, WIDTH), np.float32)
    for i, label in enumerate(labels):
        lines[i] = turned(line(rng, words, fonts, plain)) if label else line(rng, words, fonts, plain)
    np.save(lines_path, lines)
    np.save(labels_path, labels)


if __name__ == "__main__":
    if len(sys.argv) != 7 or sys.argv[1] not in ("print", "any"):
        sys.exit(__doc__)
    main(*sys.argv[1:])
