// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Channels that are split, shuffled, gathered and joined again: what reads them takes them from where they lie. Then random networks of everything that joins and pools:
 * none may fail to be imported, whatever the scales are, and all give what is written.
 * test_splits [DEVICE ...]   (cpu ref:2x2)
 */
#include <errno.h>
#include "network_check.h"

/* [1, 2 n, SIDE, SIDE]: two groups exchanged with their channels. */
static void shuffle(struct ob *b, const char *in, const char *out, int64_t n)
{
	const int64_t apart[5] = { 1, 2, n, SIDE, SIDE }, back[4] = { 1, 2 * n, SIDE, SIDE }, exchange[5] = { 0, 2, 1, 3, 4 };
	char name[4][32], read[64];

	snprintf(name[0], sizeof(name[0]), "%s_apart", out);
	snprintf(name[1], sizeof(name[1]), "%s_turned", out);
	snprintf(name[2], sizeof(name[2]), "%s_dims5", out);
	snprintf(name[3], sizeof(name[3]), "%s_dims4", out);
	ob_ints(b, name[2], 5, apart);
	ob_ints(b, name[3], 4, back);
	snprintf(read, sizeof(read), "%s,%s", in, name[2]);
	ob_node(b, "Reshape", read, name[0]);
	ob_attr_ints(b, ob_node(b, "Transpose", name[0], name[1]), "perm", 5, exchange);
	snprintf(read, sizeof(read), "%s,%s", name[1], name[3]);
	ob_node(b, "Reshape", read, out);
}

static void join(struct ob *b, const char *in, const char *out)
{
	ob_attr_int(b, ob_node(b, "Concat", in, out), "axis", 1);
}

/* Two units of ShuffleNet V2 (Ma et al., arXiv 1807.11164, figure 3c): half of the channels go by, the others through three convolutions; joined and shuffled. */
static struct ob *shufflenet(void)
{
	const int64_t image[4] = { 1, 1, SIDE, SIDE }, halves[2] = { 6, 6 };
	struct test_rng rng = { 51 };
	struct ob *b = ob_new(13);
	char x[24] = "stem";

	ob_input(b, "image", 1, 4, image);
	ob_ints(b, "halves", 2, halves);
	codebook_conv(b, &rng, "stem", "image", 12, 1, 3);
	for (int unit = 0; unit < 2; unit++) {
		char names[8][48], read[96];

		for (int i = 0; i < 8; i++)
			snprintf(names[i], sizeof(names[i]), "u%d_%d", unit, i);
		snprintf(read, sizeof(read), "%s,halves", x);
		snprintf(names[7], sizeof(names[7]), "u%d_by,u%d_in", unit, unit);
		ob_attr_int(b, ob_node(b, "Split", read, names[7]), "axis", 1);
		snprintf(read, sizeof(read), "u%d_in", unit);
		codebook_conv(b, &rng, names[0], read, 6, 6, 1);
		ob_node(b, "Relu", names[0], names[1]);
		ob_attr_int(b, codebook_conv(b, &rng, names[2], names[1], 6, 1, 3), "group", 6);
		codebook_conv(b, &rng, names[3], names[2], 6, 6, 1);
		ob_node(b, "Relu", names[3], names[4]);
		snprintf(read, sizeof(read), "u%d_by,%s", unit, names[4]);
		join(b, read, names[5]);
		snprintf(x, sizeof(x), "u%d_out", unit);
		shuffle(b, names[5], x, 6);
	}
	codebook_conv(b, &rng, "y", x, 5, 12, 1);
	ob_output(b, "y");
	return b;
}

static unsigned int count_layers(const struct accel_model *model)
{
	struct accel_layer_info info;
	unsigned int n = 0;

	while (!accel_model_layer(model, n, &info))
		n++;
	return n;
}

static void test_shufflenet(void **state)
{
	struct accel_model *model;

	(void)state;
	model = check_network(shufflenet, 1, 1e-2f);
	/* the half that goes by, once a unit; stem, three convolutions and a concatenation a unit, y */
	assert_int_equal(layers_named(model, ".select"), 2);
	assert_int_equal(count_layers(model), 1 + 2 * 5 + 1);
	accel_model_unref(model);
}

/* Channels in any order, from the end too; for a convolution, an addition, a pooling, a function, a product with a pixel; gathered from a shuffle, and gathered again. */
static struct ob *gathered(void)
{
	const int64_t image[4] = { 1, 1, SIDE, SIDE }, some[5] = { 7, 0, -1, 3, 4 }, others[5] = { 1, 2, 5, 9, 6 }, few[3] = { 2, 0, 4 }, two[2] = { 2, 2 }, one[2] = { 1, 1 };
	struct test_rng rng = { 52 };
	struct ob *b = ob_new(13);
	Onnx__NodeProto *n;

	ob_input(b, "image", 1, 4, image);
	ob_ints(b, "some", 5, some);
	ob_ints(b, "others", 5, others);
	ob_ints(b, "few", 3, few);
	codebook_conv(b, &rng, "a", "image", 12, 1, 3);
	shuffle(b, "a", "s", 6);
	ob_attr_int(b, ob_node(b, "Gather", "s,some", "g"), "axis", 1);
	ob_attr_int(b, ob_node(b, "Gather", "a,others", "h"), "axis", -3);
	ob_attr_int(b, ob_node(b, "Gather", "g,few", "f"), "axis", 1);
	codebook_conv(b, &rng, "c", "f", 5, 3, 3);
	ob_node(b, "Add", "g,h", "sum");
	n = ob_node(b, "MaxPool", "h", "most");
	ob_attr_ints(b, n, "kernel_shape", 2, two);
	ob_attr_ints(b, n, "strides", 2, one);
	ob_attr_ints(b, n, "pads", 4, (const int64_t[]){ 0, 0, 1, 1 });
	ob_node(b, "Sigmoid", "g", "bent");
	ob_node(b, "GlobalAveragePool", "h", "mean");
	ob_node(b, "Mul", "bent,mean", "gate");
	join(b, "c,sum,most,gate,f", "y");
	ob_output(b, "y");
	return b;
}

static void test_gathered(void **state)
{
	struct accel_model *model;

	(void)state;
	model = check_network(gathered, 1, 1e-2f);
	/* c reads them by its weights: no selection of its own */
	assert_int_equal(layers_named(model, "Conv"), 2);
	assert_int_equal(layers_named(model, ".select"), 6);
	accel_model_unref(model);
}

/* A channel that is gathered twice is the CPU's. */
static struct ob *twice(void)
{
	const int64_t image[4] = { 1, 1, SIDE, SIDE }, again[3] = { 1, 2, 1 };
	struct test_rng rng = { 53 };
	struct ob *b = ob_new(13);

	ob_input(b, "image", 1, 4, image);
	ob_ints(b, "again", 3, again);
	codebook_conv(b, &rng, "a", "image", 4, 1, 3);
	ob_attr_int(b, ob_node(b, "Gather", "a,again", "g"), "axis", 1);
	codebook_conv(b, &rng, "y", "g", 5, 3, 3);
	ob_output(b, "y");
	return b;
}

static void test_twice(void **state)
{
	(void)state;
	accel_model_unref(check_network(twice, 3, 1e-2f));
}

/* ---------------------------------------------------------------- random networks */

enum { VALUES = 14, CHANNELS = 6 };

static uint64_t seed;

static const char *value(char *to, unsigned int i)
{
	snprintf(to, 16, "v%u", i);
	return to;
}

/* One more image [1, CHANNELS, SIDE, SIDE], of what there is. */
static void any_node(struct ob *b, struct test_rng *rng, unsigned int at)
{
	const int64_t around[4] = { 1, 1, 1, 1 }, after[4] = { 0, 0, 1, 1 }, two[2] = { 2, 2 }, three[2] = { 3, 3 };
	char x[16], other[16], out[16], read[48], half[32];
	unsigned int first = (unsigned int)(test_random(rng) % at), second = (unsigned int)(test_random(rng) % at);
	bool large = test_random(rng) % 2;
	Onnx__NodeProto *n;

	second = second == first ? (first + 1) % at : second;
	value(x, first);
	value(other, second);
	value(out, at);
	snprintf(read, sizeof(read), "%s,%s", x, other);
	switch (second == first ? 0 : test_random(rng) % 8) {
	case 0:
		codebook_conv(b, rng, out, x, CHANNELS, CHANNELS, large ? 3 : 1);
		return;
	case 1:
	case 2:
		n = ob_node(b, "AveragePool", x, out);
		ob_attr_ints(b, n, "kernel_shape", 2, large ? three : two);
		ob_attr_ints(b, n, "pads", 4, large ? around : after);
		ob_attr_int(b, n, "count_include_pad", test_random(rng) % 2);
		return;
	case 3:
		n = ob_node(b, "MaxPool", x, out);
		ob_attr_ints(b, n, "kernel_shape", 2, large ? three : two);
		ob_attr_ints(b, n, "pads", 4, large ? around : after);
		return;
	case 4:
		ob_node(b, "Add", read, out);
		return;
	case 5:
		ob_node(b, "Mul", read, out);
		return;
	case 6:
		ob_node(b, large ? "Sigmoid" : "Relu", x, out);
		return;
	default:
		/* half of each, joined */
		snprintf(read, sizeof(read), "%s,low", x);
		snprintf(half, sizeof(half), "%s_a", out);
		ob_attr_int(b, ob_node(b, "Gather", read, half), "axis", 1);
		snprintf(read, sizeof(read), "%s,high", other);
		snprintf(half, sizeof(half), "%s_b", out);
		ob_attr_int(b, ob_node(b, "Gather", read, half), "axis", 1);
		snprintf(read, sizeof(read), "%s_a,%s_b", out, out);
		join(b, read, out);
	}
}

static struct ob *any_network(void)
{
	const int64_t image[4] = { 1, 2, SIDE, SIDE }, low[3] = { 0, 2, 1 }, high[3] = { 5, 3, 4 };
	struct test_rng rng = { seed };
	struct ob *b = ob_new(13);
	char last[16], read[48];

	ob_input(b, "image", 1, 4, image);
	ob_ints(b, "low", 3, low);
	ob_ints(b, "high", 3, high);
	codebook_conv(b, &rng, "v0", "image", CHANNELS, 2, 3);
	for (unsigned int i = 1; i < VALUES; i++)
		any_node(b, &rng, i);
	/* what two of the last ones are, joined: their scales may be any */
	snprintf(read, sizeof(read), "%s,v%u,v0", value(last, VALUES - 1), VALUES - 2);
	join(b, read, "all");
	codebook_conv(b, &rng, "y", "all", 4, 3 * CHANNELS, 1);
	ob_output(b, "y");
	return b;
}

static void test_random_networks(void **state)
{
	(void)state;
	for (seed = 1; seed <= 60; seed++) {
		struct accel_network *net;
		struct accel_model *model;
		struct accel_error err;
		struct ob *b = any_network();
		struct test_rng rng = { seed };
		static float items[ITEMS * 2 * SIDE * SIDE], written[ITEMS * 4 * SIDE * SIDE], placed[ITEMS * 4 * SIDE * SIDE];
		float most = 0;

		for (size_t i = 0; i < sizeof(items) / sizeof(items[0]); i++)
			items[i] = (float)test_uniform(&rng);
		assert_int_equal(ob_load(b, NULL, &net, &err), 0);
		net_free(net);
		run_written(b, items, written);
		model = place_all(any_network(), true, items, ITEMS);
		for (int d = 0; d < ndevices; d++) {
			static float again[ITEMS * 4 * SIDE * SIDE];

			run(model, devices[d], ITEMS, items, d ? again : placed);
			if (d)
				assert_memory_equal(placed, again, sizeof(placed));
		}
		for (size_t i = 0; i < sizeof(placed) / sizeof(placed[0]); i++)
			most = fmaxf(most, fabsf(written[i]));
		for (size_t i = 0; i < sizeof(placed) / sizeof(placed[0]); i++)
			if (!(fabsf(placed[i] - written[i]) <= 0.01f * most + 1e-6f))
				fail_msg("seed %llu, value %zu: %g, as written %g, most %g", (unsigned long long)seed, i, (double)placed[i], (double)written[i], (double)most);
		accel_model_unref(model);
	}
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_shufflenet), cmocka_unit_test(test_gathered), cmocka_unit_test(test_twice), cmocka_unit_test(test_random_networks),
	};

	take_devices(argc, argv);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
