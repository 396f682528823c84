// SPDX-License-Identifier: GPL-2.0 OR MIT
// Inputs of the network tests:  inputs.mjs random SEED LO HI OUT.npy DIM...  |  inputs.mjs text|turned WORDS OUT.npy HEIGHT WIDTH LETTER
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

const [kind, ...args] = process.argv.slice(2);

if (kind === 'random') {
	const [seed, lo, hi, out, ...dims] = args;
	const next = random(Number(seed));

	write(out, Float32Array.from({ length: dims.reduce((a, b) => a * b, 1) }, () => Number(lo) + (hi - lo) * next()), dims.map(Number));
} else {
	const [words, out, height, width, letter] = args;

	write(out, text(words, Number(height), Number(width), Number(letter), kind === 'turned'), [1, 3, Number(height), Number(width)]);
}
