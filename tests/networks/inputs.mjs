// SPDX-License-Identifier: GPL-2.0 OR MIT
// Inputs of the network tests:  inputs.mjs random SEED LO HI OUT.npy DIM...  |  inputs.mjs text|turned WORDS OUT.npy HEIGHT WIDTH LETTER
//   |  inputs.mjs lines SEED N OUT.npy HEIGHT WIDTH
import { random, write } from './npy.mjs';

// 5x7 letters, a row a digit of five bits, top row first.
const font = {
	' ': [0, 0, 0, 0, 0, 0, 0], 0: [14, 17, 19, 21, 25, 17, 14], 1: [4, 12, 4, 4, 4, 4, 14], 2: [14, 17, 1, 2, 4, 8, 31],
	5: [31, 16, 30, 1, 1, 17, 14], A: [14, 17, 17, 31, 17, 17, 17], E: [31, 16, 16, 30, 16, 16, 31], H: [17, 17, 17, 31, 17, 17, 17],
	L: [16, 16, 16, 16, 16, 16, 31], N: [17, 25, 21, 19, 17, 17, 17], O: [14, 17, 17, 17, 17, 17, 14], P: [30, 17, 17, 30, 16, 16, 16],
	R: [30, 17, 17, 30, 20, 18, 17], S: [15, 16, 16, 14, 1, 1, 30], T: [31, 4, 4, 4, 4, 4, 4], U: [17, 17, 17, 17, 17, 17, 14],
};

// Black letters of a height on white, as PP-OCR normalises them: (byte / 255 - 0.5) / 0.5, three equal planes.
function text(words, height, width, letter, turned) {
	const scale = Math.floor(letter / 7), top = Math.floor((height - 7 * scale) / 2);
	const plane = new Float32Array(height * width).fill(1);

	[...words].forEach((letter, n) => {
		for (let y = 0; y < 7 * scale; y++) {
			for (let x = 0; x < 5 * scale; x++) {
				const column = 8 + n * 6 * scale + x;

				if (column < width && font[letter][Math.floor(y / scale)] >> (4 - Math.floor(x / scale)) & 1)
					plane[(top + y) * width + column] = -1;
			}
		}
	});
	// upside down
	if (turned)
		plane.reverse();
	return Float32Array.from([...plane, ...plane, ...plane]);
}

// A plane of a line: words by chance, of some size, place, slant, ink and paper, blurred a little, with noise; every other one upside down.
function line(next, height, width) {
	const between = (lo, hi) => lo + (hi - lo) * next(), letters = Object.keys(font), plane = new Float32Array(height * width);
	const size = between(0.45, 0.9) * height / 7, wide = size * between(0.75, 1.15), slant = between(-0.25, 0.25);
	const top = between(0, 1) * (height - 7 * size), left = between(1, 10), ink = between(-1, -0.2), paper = Math.min(1, ink + between(0.7, 2));
	const noise = between(0, 0.12), words = Array.from({ length: Math.floor(between(3, 1 + width / (6 * wide))) }, () => letters[Math.floor(next() * letters.length)]);
	const turned = next() < 0.5;

	// four looks into each pixel: edges are grey
	for (let y = 0; y < height; y++) {
		for (let x = 0; x < width; x++) {
			let sum = 0;

			for (let look = 0; look < 4; look++) {
				const py = y + (look >> 1) / 2 + 0.25, row = Math.floor((py - top) / size);
				const px = x + (look & 1) / 2 + 0.25 - left + slant * (py - height / 2), n = Math.floor(px / (6 * wide));
				const column = Math.floor((px - n * 6 * wide) / wide);

				sum += row >= 0 && row < 7 && column < 5 && n >= 0 && n < words.length && (font[words[n]][row] >> (4 - column) & 1);
			}
			plane[y * width + x] = Math.max(-1, Math.min(1, paper + (ink - paper) * sum / 4 + noise * (2 * next() - 1)));
		}
	}
	if (turned)
		plane.reverse();
	return plane;
}

const [kind, ...args] = process.argv.slice(2);

if (kind === 'random') {
	const [seed, lo, hi, out, ...dims] = args;
	const next = random(Number(seed));

	write(out, Float32Array.from({ length: dims.reduce((a, b) => a * b, 1) }, () => Number(lo) + (hi - lo) * next()), dims.map(Number));
} else if (kind === 'lines') {
	const [seed, n, out, height, width] = args, plane = height * width;
	const next = random(Number(seed)), all = new Float32Array(n * 3 * plane);

	for (let i = 0; i < n; i++) {
		const one = line(next, Number(height), Number(width));

		for (let c = 0; c < 3; c++)
			all.set(one, (3 * i + c) * plane);
	}
	write(out, all, [Number(n), 3, Number(height), Number(width)]);
} else {
	const [words, out, height, width, letter] = args;

	write(out, text(words, Number(height), Number(width), Number(letter), kind === 'turned'), [1, 3, Number(height), Number(width)]);
}
