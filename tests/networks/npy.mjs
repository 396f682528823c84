// SPDX-License-Identifier: GPL-2.0 OR MIT
// .npy files of little-endian float32, version 1.0.
import fs from 'node:fs';

export function read(path) {
	const file = fs.readFileSync(path);
	const start = 10 + file.readUInt16LE(8);
	const header = file.toString('latin1', 10, start);

	if (!header.includes("'<f4'") || header.includes("'fortran_order': True"))
		throw new Error(`${path}: not float32 in C order: ${header}`);
	const dims = header.match(/'shape': \(([^)]*)\)/)[1].split(',').filter((d) => d.trim()).map(Number);

	return { data: new Float32Array(file.buffer.slice(file.byteOffset + start, file.byteOffset + file.length)), dims };
}

export function write(path, data, dims) {
	let header = `{'descr': '<f4', 'fortran_order': False, 'shape': (${dims.join(', ')}${dims.length === 1 ? ',' : ''}), }`;
	const start = Buffer.alloc(10);

	header = `${header.padEnd(64 * Math.ceil((header.length + 11) / 64) - 11)}\n`;
	start.write('\x93NUMPY\x01\x00', 'latin1');
	start.writeUInt16LE(header.length, 8);
	fs.writeFileSync(path, Buffer.concat([start, Buffer.from(header, 'latin1'), Buffer.from(data.buffer, data.byteOffset, data.byteLength)]));
}

// The same numbers on every machine: Marsaglia's xorshift32.
export function random(seed) {
	let state = seed >>> 0;

	return () => {
		state ^= state << 13;
		state ^= state >>> 17;
		state ^= state << 5;
		return (state >>> 0) / 4294967296;
	};
}
