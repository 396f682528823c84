// SPDX-License-Identifier: GPL-2.0 OR MIT
// Ours against ONNX Runtime's:  compare.mjs OURS.npy THEIRS.npy TOLERANCE. The largest difference may be TOLERANCE times the largest
// value, and where a row (the last dimension above 1) has one largest value by more than that, it is at the same place in both.
import { read } from './npy.mjs';

const [ours, theirs] = [read(process.argv[2]), read(process.argv[3])];
const count = theirs.data.length, row = theirs.dims.filter((d) => d > 1).pop() || 1;
let largest = 0, difference = 0, decided = 0;

if (ours.data.length !== count || !count) {
	console.log(`${ours.data.length} values, not ${count}`);
	process.exit(1);
}
for (let i = 0; i < count; i++) {
	largest = Math.max(largest, Math.abs(theirs.data[i]));
	difference = Math.max(difference, Math.abs(ours.data[i] - theirs.data[i]));
	if (!Number.isFinite(ours.data[i]))
		difference = Infinity;
}
const most = Number(process.argv[4]) * largest;

for (let first = 0; first < count; first += row) {
	const a = ours.data.subarray(first, first + row), b = theirs.data.subarray(first, first + row);
	const at = b.indexOf(Math.max(...b)), second = Math.max(...b.filter((_, i) => i !== at));

	if (b[at] - second <= 2 * most)
		continue;
	decided++;
	if (a.indexOf(Math.max(...a)) !== at) {
		console.log(`row ${first / row}: largest at ${a.indexOf(Math.max(...a))}, not ${at}`);
		process.exit(1);
	}
}
console.log(`${count} values, largest ${largest.toPrecision(4)}, largest difference ${difference.toPrecision(3)}, ` +
	    `${decided} of ${count / row} rows decided`);
// constants prove nothing
if (!(difference <= most) || !(largest > 0) || theirs.data.every((v) => v === theirs.data[0]))
	process.exit(1);
