// SPDX-License-Identifier: GPL-2.0 OR MIT
// What the PP-OCR recogniser read:  decode.mjs SCORES.npy KEYS.txt. Class 0 is the blank of CTC, the last one a space, which is left out.
import fs from 'node:fs';
import { read } from './npy.mjs';

const { data, dims } = read(process.argv[2]);
const keys = fs.readFileSync(process.argv[3], 'utf8').split('\n');
const classes = dims[dims.length - 1];
let before = 0, text = '';

for (let first = 0; first < data.length; first += classes) {
	const row = data.subarray(first, first + classes), best = row.indexOf(Math.max(...row));

	if (best && best !== before && best < classes - 1)
		text += keys[best - 1];
	before = best;
}
console.log(text);
