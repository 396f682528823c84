// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Published topologies with seeded random weights, as exporters write them:  topologies NETWORK SIDE SEED OUT.onnx
 * The input is x [1, 3, SIDE, SIDE], the output y has 1,000 values.
 *   mobilenet       MobileNet V2 (Sandler et al., arXiv 1801.04381, table 2)
 *   shufflenet_v2   ShuffleNet V2 1x (Ma et al., arXiv 1807.11164, table 5)
 *   mnasnet         MnasNet-B1 (Tan et al., arXiv 1807.11626, without squeeze and excitation)
 *   nasnet          a normal, a reduction and a normal cell of NASNet-A (Zoph et al., arXiv 1707.07012, figure 4)
 *   convnext        two stages of two blocks of ConvNeXt (Liu et al., arXiv 2201.03545), 48 and 96 channels
 *   deit            two blocks of DeiT-Ti (Touvron et al., arXiv 2012.12877): patches of 16, 192 channels, 3 heads
 */
#include <math.h>
#include "onnx_build.h"

enum act { NONE, RELU, RELU6 };

/* A square image of so many channels, or so many tokens. */
struct value {
	const char *name;
	int64_t channels, side;
};

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

/* A name that lives as long as b. */
static const char *name(const char *what)
{
	char text[64];

	snprintf(text, sizeof(text), "%s%u", what, layers++);
	return ob_own(b, strdup(text));
}

static const char *constant(int ndim, const int64_t *dims, double lo, double hi)
{
	const char *to = name("constant");
	int64_t n = 1;
	float *v;

	for (int i = 0; i < ndim; i++)
		n *= dims[i];
	v = malloc((size_t)n * sizeof(*v));
	assert_non_null(v);
	for (int64_t i = 0; i < n; i++)
		v[i] = (float)uniform(lo, hi);
	ob_floats(b, to, ndim, dims, v);
	free(v);
	return to;
}

static const char *integers(int64_t n, const int64_t *v)
{
	const char *to = name("integers");

	ob_ints(b, to, n, v);
	return to;
}

static Onnx__NodeProto *node(const char *op, const char *out, unsigned int n, const char *const *in)
{
	char read[512] = "";

	for (unsigned int i = 0; i < n; i++)
		snprintf(read + strlen(read), sizeof(read) - strlen(read), "%s%s", i ? "," : "", in[i]);
	return ob_node(b, op, read, out);
}

#define NODE(op, out, ...) \
	node(op, out, sizeof((const char *const[]){ __VA_ARGS__ }) / sizeof(const char *), (const char *const[]){ __VA_ARGS__ })

static struct value unary(const char *op, struct value x)
{
	x.name = (NODE(op, name(op), x.name))->output[0];
	return x;
}

static struct value turn(struct value x, size_t n, const int64_t *perm)
{
	Onnx__NodeProto *t = NODE("Transpose", name("turned"), x.name);

	ob_attr_ints(b, t, "perm", n, perm);
	x.name = t->output[0];
	return x;
}

static struct value reshape(struct value x, int64_t n, const int64_t *dims)
{
	x.name = NODE("Reshape", name("shaped"), x.name, integers(n, dims))->output[0];
	return x;
}

static struct value add(struct value x, const char *other)
{
	x.name = NODE("Add", name("sum"), x.name, other)->output[0];
	return x;
}

static struct value concat(unsigned int n, const struct value *parts)
{
	struct value y = { name("joined"), 0, parts[0].side };
	const char *names[8];

	for (unsigned int i = 0; i < n; i++) {
		names[i] = parts[i].name;
		y.channels += parts[i].channels;
	}
	ob_attr_int(b, node("Concat", y.name, n, names), "axis", 1);
	return y;
}

/* Convolution alone; activations keep their size (He et al., ICCV 2015). */
static struct value plain_conv(struct value x, int64_t outputs, int64_t kernel, int64_t stride, int64_t pad, int64_t groups, bool bias)
{
	const int64_t dims[4] = { outputs, x.channels / groups, kernel, kernel }, pads[4] = { pad, pad, pad, pad }, strides[2] = { stride, stride };
	double most = sqrt(6.0 / (double)(dims[1] * kernel * kernel));
	const char *w = constant(4, dims, -most, most), *y = name("conv");
	Onnx__NodeProto *n = bias ? NODE("Conv", y, x.name, w, constant(1, &outputs, -0.1, 0.1)) : NODE("Conv", y, x.name, w);

	ob_attr_ints(b, n, "pads", 4, pads);
	ob_attr_ints(b, n, "strides", 2, strides);
	ob_attr_int(b, n, "group", groups);
	return (struct value){ y, outputs, (x.side + 2 * pad - kernel) / stride + 1 };
}

/* Convolution of odd size and batch normalisation; outputs 0: of each channel by itself. */
static struct value conv(struct value x, int64_t outputs, int64_t kernel, int64_t stride, enum act act)
{
	struct value y = plain_conv(x, outputs ? outputs : x.channels, kernel, stride, kernel / 2, outputs ? 1 : x.channels, false);
	const int64_t n = y.channels;

	y.name = NODE("BatchNormalization", name("normal"), y.name, constant(1, &n, 0.5, 1.5), constant(1, &n, -0.1, 0.1), constant(1, &n, -0.1, 0.1),
		      constant(1, &n, 0.5, 1.5))->output[0];
	if (act == RELU6)
		y.name = NODE("Clip", name("relu6"), y.name, "zero", "six")->output[0];
	return act == RELU ? unary("Relu", y) : y;
}

static struct value pool(const char *op, struct value x, int64_t kernel, int64_t stride)
{
	const int64_t kernels[2] = { kernel, kernel }, strides[2] = { stride, stride }, pads[4] = { kernel / 2, kernel / 2, kernel / 2, kernel / 2 };
	Onnx__NodeProto *n = NODE(op, name("pool"), x.name);

	ob_attr_ints(b, n, "kernel_shape", 2, kernels);
	ob_attr_ints(b, n, "strides", 2, strides);
	ob_attr_ints(b, n, "pads", 4, pads);
	return (struct value){ n->output[0], x.channels, (x.side - 1) / stride + 1 };
}

/* y = x W for 1,000 classes; x has channels values. */
static void classify(const char *x, int64_t channels)
{
	const int64_t dims[2] = { 1000, channels };
	double most = 2.5 / sqrt((double)channels);

	ob_attr_int(b, NODE("Gemm", "y", x, constant(2, dims, -most, most)), "transB", 1);
}

static void mean_and_classify(struct value x)
{
	x = unary("GlobalAveragePool", x);
	classify(unary("Flatten", x).name, x.channels);
}

/* ---------------------------------------------------------------- MobileNet V2, MnasNet */

/* Expansion, a filter for each channel, a linear bottleneck; a residual addition where the shapes allow it. */
static struct value inverted(struct value x, int64_t outputs, int64_t kernel, int64_t stride, int64_t expansion, enum act act)
{
	struct value y = expansion > 1 ? conv(x, x.channels * expansion, 1, 1, act) : x;

	y = conv(conv(y, 0, kernel, stride, act), outputs, 1, 1, NONE);
	return stride == 1 && x.channels == outputs ? add(y, x.name) : y;
}

struct stage {
	int64_t expansion, outputs, blocks, stride, kernel;
};

static void inverted_network(struct value x, const struct stage *stages, size_t n, enum act act)
{
	x = conv(x, 32, 3, 2, act);
	for (size_t s = 0; s < n; s++)
		for (int64_t i = 0; i < stages[s].blocks; i++)
			x = inverted(x, stages[s].outputs, stages[s].kernel, i ? 1 : stages[s].stride, stages[s].expansion, act);
	mean_and_classify(conv(x, 1280, 1, 1, act));
}

static void mobilenet(struct value x)
{
	static const struct stage stages[] = { { 1, 16, 1, 1, 3 }, { 6, 24, 2, 2, 3 }, { 6, 32, 3, 2, 3 }, { 6, 64, 4, 2, 3 }, { 6, 96, 3, 1, 3 },
					       { 6, 160, 3, 2, 3 }, { 6, 320, 1, 1, 3 } };

	inverted_network(x, stages, sizeof(stages) / sizeof(stages[0]), RELU6);
}

static void mnasnet(struct value x)
{
	static const struct stage stages[] = { { 1, 16, 1, 1, 3 }, { 3, 24, 3, 2, 3 }, { 3, 40, 3, 2, 5 }, { 6, 80, 3, 2, 5 }, { 6, 96, 2, 1, 3 },
					       { 6, 192, 4, 2, 5 }, { 6, 320, 1, 1, 3 } };

	inverted_network(x, stages, sizeof(stages) / sizeof(stages[0]), RELU);
}

/* ---------------------------------------------------------------- ShuffleNet V2 */

static struct value shuffle(struct value x)
{
	const int64_t apart[5] = { 1, 2, x.channels / 2, x.side, x.side }, together[4] = { 1, x.channels, x.side, x.side }, exchange[5] = { 0, 2, 1, 3, 4 };

	return reshape(turn(reshape(x, 5, apart), 5, exchange), 4, together);
}

static struct value shuffle_unit(struct value x, int64_t outputs, int64_t stride)
{
	struct value half[2] = { x, x };
	const int64_t n = outputs / 2;

	if (stride == 1) {
		const int64_t halves[2] = { n, n };
		Onnx__NodeProto *split;
		char out[128];

		half[0] = (struct value){ name("by"), n, x.side };
		half[1] = (struct value){ name("in"), n, x.side };
		snprintf(out, sizeof(out), "%s,%s", half[0].name, half[1].name);
		split = NODE("Split", out, x.name, integers(2, halves));
		ob_attr_int(b, split, "axis", 1);
	} else {
		half[0] = conv(conv(x, 0, 3, stride, NONE), n, 1, 1, RELU);
	}
	half[1] = conv(conv(conv(half[1], n, 1, 1, RELU), 0, 3, stride, NONE), n, 1, 1, RELU);
	return shuffle(concat(2, half));
}

static void shufflenet_v2(struct value x)
{
	static const int64_t stages[3][2] = { { 116, 4 }, { 232, 8 }, { 464, 4 } };

	x = pool("MaxPool", conv(x, 24, 3, 2, RELU), 3, 2);
	for (int s = 0; s < 3; s++)
		for (int64_t i = 0; i < stages[s][1]; i++)
			x = shuffle_unit(x, stages[s][0], i ? 1 : 2);
	mean_and_classify(conv(x, 1024, 1, 1, RELU));
}

/* ---------------------------------------------------------------- NASNet-A */

/* Separable convolutions, two one behind the other, each with ReLU before. */
static struct value separable(struct value x, int64_t outputs, int64_t kernel, int64_t stride)
{
	for (int i = 0; i < 2; i++) {
		x = plain_conv(unary("Relu", x), x.channels, kernel, i ? 1 : stride, kernel / 2, x.channels, false);
		x = conv(x, outputs, 1, 1, NONE);
	}
	return x;
}

static struct value squeeze(struct value x, int64_t outputs)
{
	return conv(unary("Relu", x), outputs, 1, 1, NONE);
}

/* h: the cell before, p: the one before that, both of one size. */
static struct value normal_cell(struct value h, struct value p, int64_t n)
{
	struct value part[6];

	h = squeeze(h, n);
	p = squeeze(p, n);
	part[0] = p;
	part[1] = add(separable(h, n, 3, 1), h.name);
	part[2] = add(separable(p, n, 3, 1), separable(h, n, 5, 1).name);
	part[3] = add(pool("AveragePool", h, 3, 1), p.name);
	part[4] = add(pool("AveragePool", p, 3, 1), pool("AveragePool", p, 3, 1).name);
	part[5] = add(separable(p, n, 5, 1), separable(p, n, 3, 1).name);
	return concat(6, part);
}

static struct value reduction_cell(struct value h, struct value p, int64_t n)
{
	struct value part[5];

	h = squeeze(h, n);
	p = squeeze(p, n);
	part[0] = add(separable(h, n, 5, 2), separable(p, n, 7, 2).name);
	part[1] = add(pool("MaxPool", h, 3, 2), separable(p, n, 7, 2).name);
	part[2] = add(pool("AveragePool", h, 3, 2), separable(p, n, 5, 2).name);
	part[3] = add(pool("MaxPool", h, 3, 2), separable(part[0], n, 3, 1).name);
	part[4] = add(pool("AveragePool", part[0], 3, 1), part[1].name);
	return concat(4, part + 1);
}

static void nasnet(struct value x)
{
	struct value first = conv(x, 32, 3, 2, NONE), second = normal_cell(first, first, 24), third = reduction_cell(second, first, 48);
	/* what the reduction made, twice: the cell before it has another size */
	struct value last = normal_cell(third, third, 48);

	mean_and_classify(unary("Relu", last));
}

/* ---------------------------------------------------------------- ConvNeXt, DeiT */

/* Of the last dimension. */
static struct value layer_norm(struct value x)
{
	const int64_t n = x.channels;
	Onnx__NodeProto *norm = NODE("LayerNormalization", name("normal"), x.name, constant(1, &n, 0.5, 1.5), constant(1, &n, -0.1, 0.1));

	ob_attr_int(b, norm, "axis", -1);
	x.name = norm->output[0];
	return x;
}

/* MatMul and Add, of the last dimension. */
static struct value dense(struct value x, int64_t outputs)
{
	const int64_t dims[2] = { x.channels, outputs };
	double most = sqrt(3.0 / (double)x.channels);
	struct value y = { NODE("MatMul", name("product"), x.name, constant(2, dims, -most, most))->output[0], outputs, x.side };

	return add(y, constant(1, &outputs, -0.1, 0.1));
}

static const int64_t to_last[4] = { 0, 2, 3, 1 }, to_first[4] = { 0, 3, 1, 2 };

static struct value image_norm(struct value x)
{
	return turn(layer_norm(turn(x, 4, to_last)), 4, to_first);
}

static struct value convnext_block(struct value x)
{
	const int64_t factors[3] = { x.channels, 1, 1 };
	struct value y = plain_conv(x, x.channels, 7, 1, 3, x.channels, true);

	y = unary("Gelu", dense(layer_norm(turn(y, 4, to_last)), 4 * x.channels));
	y = turn(dense(y, x.channels), 4, to_first);
	y.name = NODE("Mul", name("scaled"), y.name, constant(3, factors, 0.1, 0.5))->output[0];
	return add(y, x.name);
}

static void convnext(struct value x)
{
	x = image_norm(plain_conv(x, 48, 4, 4, 0, 1, true));
	x = convnext_block(convnext_block(x));
	x = plain_conv(image_norm(x), 96, 2, 2, 0, 1, true);
	x = convnext_block(convnext_block(x));
	x = unary("Flatten", unary("GlobalAveragePool", x));
	classify(layer_norm(x).name, x.channels);
}

/* tokens: in x.side */
static struct value attention(struct value x, int64_t heads)
{
	const int64_t n = x.side, c = x.channels, five[5] = { 1, n, 3, heads, c / heads }, order[5] = { 2, 0, 3, 1, 4 }, keys[4] = { 0, 1, 3, 2 }, back[4] = { 0, 2, 1, 3 };
	const int64_t together[3] = { 1, n, c }, zero = 0;
	struct value qkv = turn(reshape(dense(x, 3 * c), 5, five), 5, order), part[3], y = x;
	const char *axis = integers(1, &zero), *root = name("root");
	char out[192];

	for (int i = 0; i < 3; i++)
		part[i].name = name("part");
	snprintf(out, sizeof(out), "%s,%s,%s", part[0].name, part[1].name, part[2].name);
	ob_attr_int(b, NODE("Split", out, qkv.name), "num_outputs", 3);
	for (int i = 0; i < 3; i++)
		part[i].name = NODE("Squeeze", name("one"), part[i].name, axis)->output[0];
	ob_scalar(b, root, (float)sqrt((double)c / (double)heads));
	y.name = NODE("MatMul", name("products"), part[0].name, turn(part[1], 4, keys).name)->output[0];
	y.name = NODE("Div", name("scaled"), y.name, root)->output[0];
	y = unary("Softmax", y);
	y.name = NODE("MatMul", name("seen"), y.name, part[2].name)->output[0];
	y = reshape(turn(y, 4, back), 3, together);
	return dense(y, c);
}

static struct value deit_block(struct value x, int64_t heads)
{
	struct value y;

	x = add(attention(layer_norm(x), heads), x.name);
	y = dense(unary("Gelu", dense(layer_norm(x), 4 * x.channels)), x.channels);
	return add(y, x.name);
}

static void deit(struct value x)
{
	const int64_t c = 192, cls[3] = { 1, 1, c }, perm[3] = { 0, 2, 1 }, zero = 0;
	struct value t = plain_conv(x, c, 16, 16, 0, 1, true);
	const int64_t pixels = t.side * t.side, flat[3] = { 1, c, pixels }, all[3] = { 1, pixels + 1, c };
	const char *which = name("first");
	Onnx__NodeProto *n;

	t = turn(reshape(t, 3, flat), 3, perm);
	t.name = NODE("Concat", name("tokens"), constant(3, cls, -1, 1), t.name)->output[0];
	ob_attr_int(b, b->nodes[b->graph.n_node - 1], "axis", 1);
	t.side = pixels + 1;
	t = add(t, constant(3, all, -0.5, 0.5));
	t = layer_norm(deit_block(deit_block(t, 3), 3));
	ob_tensor(b, which, 7, 0, NULL, &zero, sizeof(zero));
	n = NODE("Gather", name("class"), t.name, which);
	ob_attr_int(b, n, "axis", 1);
	classify(n->output[0], c);
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		void (*make)(struct value x);
		int64_t opset;
	} networks[] = { { "mobilenet", mobilenet, 13 }, { "shufflenet_v2", shufflenet_v2, 13 }, { "mnasnet", mnasnet, 13 }, { "nasnet", nasnet, 13 },
			 { "convnext", convnext, 20 }, { "deit", deit, 20 } };
	int64_t image[4] = { 1, 3, 0, 0 };
	size_t size, which = 0;
	void *data;
	FILE *f;

	while (argc == 5 && which < sizeof(networks) / sizeof(networks[0]) && strcmp(networks[which].name, argv[1]))
		which++;
	if (argc != 5 || which == sizeof(networks) / sizeof(networks[0])) {
		fprintf(stderr, "usage: topologies mobilenet|shufflenet_v2|mnasnet|nasnet|convnext|deit SIDE SEED OUT.onnx\n");
		return 2;
	}
	image[2] = image[3] = atoi(argv[2]);
	state = strtoull(argv[3], NULL, 10) * 0x9e3779b97f4a7c15ull + 1;
	b = ob_new(networks[which].opset);
	b->model.has_ir_version = 1;   /* ONNX Runtime asks for it */
	b->model.ir_version = 8;
	ob_input(b, "x", 1, 4, image);
	ob_scalar(b, "zero", 0);
	ob_scalar(b, "six", 6);
	networks[which].make((struct value){ "x", 3, image[2] });
	ob_output(b, "y");
	data = ob_pack(b, &size);
	f = fopen(argv[4], "wb");
	if (!f || fwrite(data, 1, size, f) != size || fclose(f)) {
		perror(argv[4]);
		return 1;
	}
	free(data);
	ob_free(b);
	return 0;
}
