// SPDX-License-Identifier: GPL-2.0 OR MIT
// ONNX Runtime's outputs of a model:  ort.mjs NODE_MODULES MODEL.onnx NAME=X.npy|NAME=INTEGER... -- NAME=Y.npy...
import { createRequire } from 'node:module';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { read, write } from './npy.mjs';

const [modules, model, ...rest] = process.argv.slice(2);
const require = createRequire(pathToFileURL(path.join(modules, 'x.js')));
const ort = await import(pathToFileURL(require.resolve('onnxruntime-web')));
const dashes = rest.indexOf('--');
const split = (word) => [word.slice(0, word.lastIndexOf('=')), word.slice(word.lastIndexOf('=') + 1)];

ort.env.wasm.numThreads = 1;
ort.env.logLevel = 'error';
// the graph as the file has it: our own passes are what is tested
const session = await ort.InferenceSession.create(model, { executionProviders: ['wasm'], graphOptimizationLevel: 'disabled' });
const feeds = {};

for (const word of rest.slice(0, dashes)) {
	const [name, value] = split(word);

	if (value.endsWith('.npy')) {
		const { data, dims } = read(value);

		feeds[name] = new ort.Tensor('float32', data, dims);
	} else {
		feeds[name] = new ort.Tensor('int64', BigInt64Array.from([BigInt(value)]), []);
	}
}
const results = await session.run(feeds);

for (const word of rest.slice(dashes + 1)) {
	const [name, file] = split(word);

	write(file, Float32Array.from(results[name].data, Number), results[name].dims);
}
