// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Products and tables, alone and in random networks, compiled for an engine and on the CPU, against their definition. Then what the library refuses, built by calls
 * and in files.
 *   test_elements [DEVICE ...]      (ref:2x2, ref:8x8, ref:16x16 and cpu unless given)
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <math.h>
#include <unistd.h>

#include "eie_edit.h"
#include "model_check.h"

#define ALL (EIE_FEATURE_VECTOR | EIE_FEATURE_POOL | EIE_FEATURE_ELEMENT)

static unsigned int multiply(struct accel_graph *g, const char *name, unsigned int a, unsigned int b)
{
	struct accel_error err = { 0 };
	unsigned int out;

	random_check(accel_graph_add_multiply(g, name, a, b, ACCEL_ACT_NONE, &out, &err), &err);
	return out;
}

static unsigned int table(struct accel_graph *g, const char *name, unsigned int input, const char *function, float p, float q)
{
	const struct accel_function f = { function, p, q, 1, 0 };
	struct accel_error err = { 0 };
	unsigned int out;

	random_check(accel_graph_add_table(g, name, input, &f, &out, &err), &err);
	return out;
}

static unsigned int conv(struct accel_graph *g, uint64_t *seed, const char *name, unsigned int input, uint32_t rows, const struct accel_window *w)
{
	return random_any_layer(g, seed, name, input, rows, w->channels * w->kernel_y * w->kernel_x, 0.5, random_next(seed) % 2 ? 4 : 8, 1, w);
}

static struct accel_window whole(uint32_t channels, uint32_t height, uint32_t width)
{
	return (struct accel_window){ channels, height, width, height, width, 1, 1, 1, 1, 0, 0, 1, 1, 1 };
}

static unsigned int average(struct accel_graph *g, const char *name, unsigned int input, const struct accel_window *w)
{
	struct accel_error err = { 0 };
	unsigned int out;

	random_check(accel_graph_add_average_pool(g, name, input, w, &out, &err), &err);
	return out;
}

static const uint32_t sizes[][3] = {
	{ 1, 1, 1 }, { 3, 5, 7 }, { 8, 8, 8 }, { 17, 1, 23 }, { 64, 3, 3 }, { 5, 64, 50 },   /* the last: larger than the slots of 2x2 */
	{ 300, 2, 5 },
};

/* Inputs of the graph: nothing has weights. */
static void test_alone(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		for (unsigned int batch = 1; batch <= 2; batch++) {
			const struct accel_window w = whole(sizes[i][0], sizes[i][1], sizes[i][2]);
			const uint32_t pixel[] = { sizes[i][0], 1, 1 };
			struct accel_error err = { 0 };
			unsigned int in, other, factors;
			struct accel_graph *g = image_graph(&w, &in);
			struct accel_model *m;

			random_check(accel_graph_input(g, "other", 3, sizes[i], -3, 2, &other, &err), &err);
			random_check(accel_graph_input(g, "factors", 3, pixel, 0, 5, &factors, &err), &err);
			random_check(accel_graph_output(g, multiply(g, "square", in, in), &err), &err);
			random_check(accel_graph_output(g, multiply(g, "scaled", other, factors), &err), &err);
			random_check(accel_graph_output(g, multiply(g, "product", other, in), &err), &err);
			random_check(accel_graph_output(g, table(g, "hard", other, "HardSwish", 0, 0), &err), &err);
			m = finish(g);
			check_model(m, batch, where(EIE_FEATURE_ELEMENT));
			/* products far beyond the clamp, and shifts at both ends */
			m->layers[2].mult[0] = 65535;
			m->layers[2].shift[0] = 20;
			check_model(m, batch, where(EIE_FEATURE_ELEMENT));
			m->layers[2].shift[0] = 1;
			m->layers[1].shift[0] = 47;
			check_model(m, batch, where(EIE_FEATURE_ELEMENT));
			accel_model_unref(m);
		}
	}
}

/* Squeeze and excitation (Hu et al., arXiv 1709.01507): 0 first, 1 pool, 2 reduce, 3 expand, 4 gate, 5 scale, 6 swish, 7 last. */
static struct accel_model *excited(uint32_t channels, uint32_t height, uint32_t width)
{
	const struct accel_window first = same(5, height, width, 3), all = whole(channels, height, width), one = whole(channels, 1, 1), few = whole(4, 1, 1);
	const struct accel_window last = same(channels, height, width, 1);
	struct accel_error err = { 0 };
	unsigned int in, x, y;
	uint64_t seed = 5;
	struct accel_graph *g = image_graph(&first, &in);

	x = conv(g, &seed, "first", in, channels, &first);
	y = average(g, "pool", x, &all);
	y = conv(g, &seed, "reduce", y, 4, &one);
	y = conv(g, &seed, "expand", y, channels, &few);
	y = table(g, "gate", y, "HardSigmoid", 0.2f, 0.5f);
	x = multiply(g, "scale", x, y);
	x = table(g, "swish", x, "HardSwish", 0, 0);
	random_check(accel_graph_output(g, conv(g, &seed, "last", x, 10, &last), &err), &err);
	return finish(g);
}

static void test_excitation(void **state)
{
	(void)state;
	for (unsigned int batch = 1; batch <= 3; batch += 2) {
		static const uint32_t shapes[][3] = { { 9, 7, 9 }, { 40, 6, 5 }, { 260, 3, 4 }, { 3, 15, 15 } };

		for (size_t i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++) {
			struct accel_model *m = excited(shapes[i][0], shapes[i][1], shapes[i][2]);

			check_model(m, batch, where(ALL));
			accel_model_unref(m);
		}
	}
}

/* A table behind a convolution is its own segment's, unless others read what the convolution makes. */
static void test_tables(void **state)
{
	static const char *const functions[] = { "Abs", "Celu", "Elu", "Erf", "Gelu", "GeluTanh", "HardSwish", "LeakyRelu", "Mish", "Relu", "Sigmoid", "Softplus", "Tanh" };
	const struct accel_window first = same(6, 9, 11, 3);

	(void)state;
	for (size_t i = 0; i < sizeof(functions) / sizeof(functions[0]); i++) {
		struct accel_error err = { 0 };
		unsigned int in, x;
		uint64_t seed = i + 1;
		struct accel_graph *g = image_graph(&first, &in);
		struct accel_model *m;

		x = conv(g, &seed, "first", in, 21, &first);
		if (i % 3 == 1)
			random_check(accel_graph_output(g, x, &err), &err);
		x = table(g, "table", x, functions[i], 1, 0);
		if (i % 3 == 2)
			x = table(g, "again", x, "Tanh", 0, 0);
		random_check(accel_graph_output(g, x, &err), &err);
		m = finish(g);
		check_model(m, 1 + i % 2, where(EIE_FEATURE_VECTOR | EIE_FEATURE_ELEMENT));
		accel_model_unref(m);
	}
}

/* The integers come near the function: an interval of the table is a 128th of the largest input, and the functions' curvature is at most 1. */
static void test_accuracy(void **state)
{
	static const struct {
		const char *function;
		double (*f)(double);
		float factor, offset;
	} functions[] = { { "Tanh", tanh, 1, 0 }, { "Erf", erf, 1, 0 }, { "Abs", fabs, 1, 0 }, { "Tanh", tanh, -0.5, 0.25 } };
	const uint32_t dims[] = { 1, 256, 256 };

	(void)state;
	for (size_t i = 0; i < sizeof(functions) / sizeof(functions[0]); i++) {
		struct accel_error err = { 0 };
		struct accel_graph *g;
		struct accel_model *m;
		unsigned int in, out;

		random_check(accel_graph_new(&g), &err);
		random_check(accel_graph_input(g, "in", 3, dims, -4, 4, &in, &err), &err);
		random_check(accel_graph_add_table(g, "table", in, &(struct accel_function){ functions[i].function, 0, 0, functions[i].factor, functions[i].offset },
						   &out, &err), &err);
		m = finish(g);
		for (int x = -32767; x <= 32767; x++) {
			double y = accel_interpolate(m->layers[0].table, (int16_t)x) * (double)m->tensors[out].scale;
			double want = (double)functions[i].factor * functions[i].f(x * (double)m->tensors[in].scale) + (double)functions[i].offset;

			/* h^2 / 8 * curvature, and half a step for each of two roundings */
			if (fabs(y - want) > 4.0 / 128 * 4 / 128 / 8 * 1.1 + (double)m->tensors[out].scale)
				fail_msg("%s of %g: %g, not %g", functions[i].function, x * (double)m->tensors[in].scale, y, want);
		}
		accel_model_unref(m);
	}
}

/* Images of a random network, all of one size but for the pixels. */
static struct accel_model *random_network(uint64_t seed)
{
	uint32_t channels = 1 + random_next(&seed) % 30, height = 2 + random_next(&seed) % 8, width = 2 + random_next(&seed) % 8;
	const struct accel_window w = same(channels, height, width, 3), all = whole(channels, height, width), one = whole(channels, 1, 1);
	unsigned int images[32], pixels[32], n = 1, npixels = 0, steps = 4 + random_next(&seed) % 10;
	struct accel_graph *g = image_graph(&w, &images[0]);
	struct accel_error err = { 0 };

	for (unsigned int i = 0; i < steps; i++) {
		unsigned int a = images[random_next(&seed) % n], made;
		char name[16];

		snprintf(name, sizeof(name), "layer%u", i);
		switch (random_next(&seed) % 6) {
		case 0:
			made = pixels[npixels++] = average(g, name, a, &all);
			break;
		case 1:
			if (!npixels)
				continue;
			made = pixels[npixels] = conv(g, &seed, name, pixels[random_next(&seed) % npixels], channels, &one);
			npixels++;
			break;
		case 2:
			made = images[n++] = table(g, name, a, random_next(&seed) % 2 ? "Tanh" : "HardSwish", 0, 0);
			break;
		case 3:
			made = npixels && random_next(&seed) % 2 ? pixels[random_next(&seed) % npixels] : images[random_next(&seed) % n];
			made = images[n++] = multiply(g, name, a, made);
			break;
		default:
			made = images[n++] = conv(g, &seed, name, a, channels, &w);
		}
		if (random_next(&seed) % 3 == 0)
			random_check(accel_graph_output(g, made, &err), &err);
	}
	if (n == 1)
		table(g, "table", images[0], "Tanh", 0, 0);
	return finish(g);
}

static void test_random(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 60; seed++) {
		struct accel_model *m = random_network(seed);

		check_model(m, 1 + (unsigned int)seed % 3, NULL);
		accel_model_unref(m);
	}
}

/* Factors of what is joined: the order of its channels is nobody's. */
static void test_joined(void **state)
{
	const struct accel_window w = same(6, 5, 6, 1);
	struct accel_error err = { 0 };
	unsigned int in, parts[2], joined, other;
	uint64_t seed = 2;
	struct accel_graph *g = image_graph(&w, &in);
	struct accel_program *program;
	struct accel_model *m;
	int ret;

	(void)state;
	parts[0] = conv(g, &seed, "a", in, 3, &w);
	parts[1] = conv(g, &seed, "b", in, 4, &w);
	random_check(accel_graph_add_concat(g, "joined", 2, parts, &joined, &err), &err);
	other = conv(g, &seed, "other", in, 7, &w);
	multiply(g, "product", joined, other);
	m = finish(g);
	ret = accel_program_compile(m, device, NULL, &program, &err);
	if (strcmp(where(ALL), "device")) {
		assert_int_equal(ret, 0);
		accel_program_unref(program);
	} else {
		assert_int_equal(ret, -ENOTSUP);
		assert_non_null(strstr(err.text, "put a convolution between"));
	}
	accel_model_unref(m);
}

static void test_no_feature(void **state)
{
	struct accel_model *m = excited(9, 4, 5);

	(void)state;
	if (!strcmp(where(ALL), "device"))
		check_without(m, EIE_FEATURE_VECTOR | EIE_FEATURE_POOL, "products or tables");
	accel_model_unref(m);
}

static void test_refused(void **state)
{
	const struct accel_window good = same(4, 6, 8, 3);
	const struct accel_function tanh_of = { "Tanh", 0, 0, 1, 0 };
	const uint32_t flat = 9;
	struct accel_error err;
	unsigned int in, out, row, small, x;
	uint64_t seed = 1;
	struct accel_graph *g = image_graph(&good, &in);
	struct accel_window w = good;

	(void)state;
	w.out_height = 5;
	small = conv(g, &seed, "small", in, 4, &w);
	x = conv(g, &seed, "x", in, 5, &good);
	random_check(accel_graph_input(g, "row", 1, &flat, -1, 1, &row, &err), &err);
#define REFUSED(call, part) \
	do { \
		assert_int_equal(call, -EINVAL); \
		if (!strstr(err.text, part)) \
			fail_msg("'%s' should say '%s'", err.text, part); \
		assert_string_equal(err.layer, "c"); \
	} while (0)
	REFUSED(accel_graph_add_multiply(g, "c", in, 99, ACCEL_ACT_NONE, &out, &err), "no tensor 99");
	REFUSED(accel_graph_add_multiply(g, "c", 99, in, ACCEL_ACT_NONE, &out, &err), "no tensor 99");
	REFUSED(accel_graph_add_multiply(g, "c", in, small, ACCEL_ACT_NONE, &out, &err), "neither an image of its size");
	REFUSED(accel_graph_add_multiply(g, "c", in, x, ACCEL_ACT_NONE, &out, &err), "neither an image of its size");
	REFUSED(accel_graph_add_multiply(g, "c", in, row, ACCEL_ACT_NONE, &out, &err), "neither an image of its size");
	REFUSED(accel_graph_add_multiply(g, "c", row, row, ACCEL_ACT_NONE, &out, &err), "neither an image of its size");
	REFUSED(accel_graph_add_multiply(g, "c", in, in, 7, &out, &err), "activation 7");
	REFUSED(accel_graph_add_table(g, "c", 99, &tanh_of, &out, &err), "no tensor 99");
	REFUSED(accel_graph_add_table(g, "c", row, &tanh_of, &out, &err), "for images");
	REFUSED(accel_graph_add_table(g, "c", in, &(struct accel_function){ "Tan", 0, 0, 1, 0 }, &out, &err), "'Tan'");
	REFUSED(accel_graph_add_table(g, "c", in, &(struct accel_function){ "Clip", NAN, 0, 1, 0 }, &out, &err), "not a number");
	REFUSED(accel_graph_add_table(g, "c", in, &(struct accel_function){ "Tanh", 0, 0, 1, INFINITY }, &out, &err), "not finite");
	assert_int_equal(accel_graph_add_table(g, "x", in, &tanh_of, &out, &err), -EEXIST);
	accel_graph_free(g);
}

static void test_file(void **state)
{
	struct accel_model *m = excited(9, 7, 9), *copy;
	struct accel_error err = { 0 };
	void *p, *again;
	size_t size, size2;

	(void)state;
	assert_int_equal(eie_encode(m, &p, &size, NULL, NULL), 0);
	if (accel_model_load(p, size, "test", &copy, &err))
		fail_msg("%s", err.text);
	assert_int_equal(eie_encode(copy, &again, &size2, NULL, NULL), 0);
	assert_int_equal(size, size2);
	assert_memory_equal(p, again, size);
	check_model(copy, 1, where(ALL));
	free(p);
	free(again);
	accel_model_unref(copy);
	accel_model_unref(m);
}

/* Layers in a file are not believed. Tensor i + 1 is layer i's output. */
static void test_broken_file(void **state)
{
	static const struct {
		const char *path, *prop, *string;
		int cells;
		uint32_t value[3];
		const char *text;
		int code;
	} broken[] = {
		{ "/layers/l5", "inputs", NULL, 0, { 0 }, "inputs", -EBADMSG },
		{ "/layers/l5", "inputs", NULL, 1, { 1 }, "a product of 1 tensors", -EBADMSG },
		{ "/layers/l5", "inputs", NULL, 3, { 1, 5, 5 }, "a product of 3 tensors", -EBADMSG },
		{ "/layers/l5", "inputs", NULL, 2, { 1, 7 }, "nothing before it makes", -EBADMSG },
		{ "/layers/l5", "inputs", NULL, 2, { 99, 5 }, "nothing before it makes", -EBADMSG },
		{ "/layers/l5", "inputs", NULL, 2, { 1, 0 }, "no images of one size", -EBADMSG },
		{ "/layers/l5", "inputs", NULL, 2, { 5, 1 }, "no images of one size", -EBADMSG },
		{ "/layers/l5", "shift", NULL, 1, { 0 }, "shift 0", -EBADMSG },
		{ "/layers/l5", "shift", NULL, 1, { 48 }, "shift 48", -EBADMSG },
		{ "/layers/l5", "mult", NULL, 1, { 65536 }, "out of range", -EBADMSG },
		{ "/layers/l5", "activation", "tanh", 0, { 0 }, "tanh", -ENOTSUP },
		{ "/layers/l5", "activation", "relu", 0, { 0 }, "ReLU, but its output", -EBADMSG },
		{ "/layers/l6", "input", NULL, 1, { 5 }, "no image of the size", -EBADMSG },
		{ "/layers/l6", "input", NULL, 1, { 99 }, "nothing before it makes", -EBADMSG },
		{ "/layers/l6", "function", "HardSwisch", 0, { 0 }, "'HardSwisch' is unknown", -ENOTSUP },
		{ "/layers/l6", "parameters", NULL, 1, { 0 }, "parameters", -EBADMSG },
		{ "/layers/l6", "factor-offset", NULL, 1, { 0 }, "factor-offset", -EBADMSG },
		{ "/layers/l6", "factor-offset", NULL, 2, { 0x7f800000, 0 }, "not a number", -EBADMSG },
		{ "/layers/l6", "parameters", NULL, 2, { 0, 0x7fc00000 }, "not a number", -EBADMSG },
		{ "/tensors/t7", "clamp", NULL, 2, { 0, 5 }, "outside the clamp", -EBADMSG },
	};
	struct accel_model *m = excited(9, 7, 9), *copy;
	struct accel_error err;
	void *p;
	size_t size, start;

	(void)state;
	assert_int_equal(eie_encode(m, &p, &size, NULL, NULL), 0);
	start = eie_data_start(fdt_totalsize(p));
	for (size_t i = 0; i < sizeof(broken) / sizeof(broken[0]); i++) {
		uint8_t *tree = malloc(fdt_totalsize(p) + 1024), *file;
		fdt32_t cells[3];
		const void *value = broken[i].string ? (const void *)broken[i].string : cells;
		size_t bytes = 0;

		for (int c = 0; c < broken[i].cells; c++)
			cells[c] = cpu_to_fdt32(broken[i].value[c]);
		assert_int_equal(fdt_open_into(p, tree, (int)fdt_totalsize(p) + 1024), 0);
		assert_int_equal(fdt_setprop(tree, fdt_path_offset(tree, broken[i].path), broken[i].prop, value,
					     broken[i].string ? (int)strlen(broken[i].string) + 1 : 4 * broken[i].cells), 0);
		file = eie_assemble(tree, (uint8_t *)p + start, size - start, &bytes);
		assert_int_equal(accel_model_load(file, bytes, "test", &copy, &err), broken[i].code);
		if (!strstr(err.text, broken[i].text))
			fail_msg("%zu: '%s' should say '%s'", i, err.text, broken[i].text);
		free(tree);
		free(file);
	}
	free(p);
	accel_model_unref(m);
}

int main(int argc, char **argv)
{
	static char *defaults[] = { "ref:2x2", "ref:8x8", "ref:16x16", "cpu" };
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_alone), cmocka_unit_test(test_excitation), cmocka_unit_test(test_tables), cmocka_unit_test(test_accuracy),
		cmocka_unit_test(test_random), cmocka_unit_test(test_joined), cmocka_unit_test(test_no_feature), cmocka_unit_test(test_refused),
		cmocka_unit_test(test_file), cmocka_unit_test(test_broken_file),
	};

	return each_device(argc, argv, defaults, tests);
}
