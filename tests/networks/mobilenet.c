// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * MobileNet V2 (Sandler et al., arXiv 1801.04381, table 2) with seeded random weights:  mobilenet SIDE SEED OUT.onnx
 * Convolutions, batch normalisation and ReLU6 as exporters write them; the input is x [1, 3, SIDE, SIDE], the output y has 1,000 values.
 */
#include <math.h>
#include "onnx_build.h"

static uint64_t state;
static struct ob *b;
static unsigned int layers;

/* xorshift64* */
static double uniform(double lo, double hi)
{
	state ^= state >> 12;
	state ^= state << 25;
	state ^= state >> 27;
	return lo + (hi - lo) * (double)(state * 0x2545f4914f6cdd1dull >> 11) * 0x1p-53;
}

static void constant(const char *name, int ndim, const int64_t *dims, double lo, double hi)
{
	int64_t n = 1;
	float *v;

	for (int i = 0; i < ndim; i++)
		n *= dims[i];
	v = malloc((size_t)n * sizeof(*v));
	assert_non_null(v);
	for (int64_t i = 0; i < n; i++)
		v[i] = (float)uniform(lo, hi);
	ob_floats(b, name, ndim, dims, v);
	free(v);
}

/* Convolution and batch normalisation, ReLU6 if wanted; returns the name of the output. */
static const char *conv(const char *in, int64_t outputs, int64_t inputs, int64_t kernel, int64_t stride, bool depthwise, bool relu6)
{
	const int64_t dims[4] = { outputs, depthwise ? 1 : inputs, kernel, kernel }, pads[4] = { kernel / 2, kernel / 2, kernel / 2, kernel / 2 };
	const int64_t strides[2] = { stride, stride };
	/* activations keep their size (He et al., ICCV 2015) */
	double most = sqrt(6.0 / (double)(dims[1] * kernel * kernel));
	char name[6][32], read[192];
	Onnx__NodeProto *n;

	for (int i = 0; i < 6; i++)
		snprintf(name[i], sizeof(name[i]), "l%u_%s", layers, (const char *[]){ "w", "scale", "shift", "mean", "variance", "conv" }[i]);
	constant(name[0], 4, dims, -most, most);
	constant(name[1], 1, &outputs, 0.5, 1.5);
	constant(name[2], 1, &outputs, -0.1, 0.1);
	constant(name[3], 1, &outputs, -0.1, 0.1);
	constant(name[4], 1, &outputs, 0.5, 1.5);
	snprintf(read, sizeof(read), "%s,%s", in, name[0]);
	n = ob_node(b, "Conv", read, name[5]);
	ob_attr_ints(b, n, "pads", 4, pads);
	ob_attr_ints(b, n, "strides", 2, strides);
	ob_attr_int(b, n, "group", depthwise ? inputs : 1);
	snprintf(read, sizeof(read), "%s,%s,%s,%s,%s", name[5], name[1], name[2], name[3], name[4]);
	snprintf(name[0], sizeof(name[0]), "l%u", layers);
	ob_node(b, "BatchNormalization", read, name[0]);
	if (relu6) {
		snprintf(read, sizeof(read), "%s,zero,six", name[0]);
		snprintf(name[0], sizeof(name[0]), "l%u_relu6", layers);
		ob_node(b, "Clip", read, name[0]);
	}
	layers++;
	return ob_own(b, strdup(name[0]));
}

/* Expansion, a filter for each channel, a linear bottleneck; a residual addition where the shapes allow it. */
static const char *block(const char *in, int64_t inputs, int64_t outputs, int64_t stride, int64_t expansion)
{
	int64_t wide = inputs * expansion;
	const char *x = expansion > 1 ? conv(in, wide, inputs, 1, 1, false, true) : in;
	char read[96], name[32];

	x = conv(x, wide, wide, 3, stride, true, true);
	x = conv(x, outputs, wide, 1, 1, false, false);
	if (stride != 1 || inputs != outputs)
		return x;
	snprintf(read, sizeof(read), "%s,%s", in, x);
	snprintf(name, sizeof(name), "l%u_sum", layers);
	ob_node(b, "Add", read, name);
	return ob_own(b, strdup(name));
}

int main(int argc, char **argv)
{
	static const struct {
		int64_t expansion, outputs, blocks, stride;
	} stages[] = { { 1, 16, 1, 1 }, { 6, 24, 2, 2 }, { 6, 32, 3, 2 }, { 6, 64, 4, 2 }, { 6, 96, 3, 1 }, { 6, 160, 3, 2 }, { 6, 320, 1, 1 } };
	int64_t image[4] = { 1, 3, 0, 0 }, inputs = 32;
	const int64_t matrix[2] = { 1000, 1280 };
	const char *x;
	size_t size;
	void *data;
	FILE *f;
	Onnx__NodeProto *n;

	if (argc != 4)
		return 2;
	image[2] = image[3] = atoi(argv[1]);
	state = strtoull(argv[2], NULL, 10) * 0x9e3779b97f4a7c15ull + 1;
	b = ob_new(13);
	b->model.has_ir_version = 1;   /* ONNX Runtime asks for it */
	b->model.ir_version = 7;
	ob_input(b, "x", 1, 4, image);
	ob_scalar(b, "zero", 0);
	ob_scalar(b, "six", 6);
	x = conv("x", 32, 3, 3, 2, false, true);
	for (size_t s = 0; s < sizeof(stages) / sizeof(stages[0]); s++) {
		for (int64_t i = 0; i < stages[s].blocks; i++) {
			x = block(x, inputs, stages[s].outputs, i ? 1 : stages[s].stride, stages[s].expansion);
			inputs = stages[s].outputs;
		}
	}
	x = conv(x, 1280, 320, 1, 1, false, true);
	ob_node(b, "GlobalAveragePool", x, "mean");
	ob_node(b, "Flatten", "mean", "flat");
	constant("fc", 2, matrix, -0.07, 0.07);
	n = ob_node(b, "Gemm", "flat,fc", "y");
	ob_attr_int(b, n, "transB", 1);
	ob_output(b, "y");
	data = ob_pack(b, &size);
	f = fopen(argv[3], "wb");
	if (!f || fwrite(data, 1, size, f) != size || fclose(f)) {
		perror(argv[3]);
		return 1;
	}
	free(data);
	ob_free(b);
	return 0;
}
