// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Max pooling and concatenation, alone and in random networks, compiled for an engine and on the CPU, against their definition. Then what the library
 * refuses, built by calls and in files.
 *   test_joins [DEVICE ...]      (ref:2x2, ref:8x8, ref:16x16 and cpu unless given)
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <unistd.h>

#include "eie_edit.h"
#include "model_check.h"

#define BOTH (EIE_FEATURE_VECTOR | EIE_FEATURE_POOL)

static unsigned int pool(struct accel_graph *g, const char *name, unsigned int input, const struct accel_window *w)
{
	struct accel_error err = { 0 };
	unsigned int out;

	random_check(accel_graph_add_max_pool(g, name, input, w, &out, &err), &err);
	return out;
}

static unsigned int average(struct accel_graph *g, const char *name, unsigned int input, const struct accel_window *w)
{
	struct accel_error err = { 0 };
	unsigned int out;

	random_check(accel_graph_add_average_pool(g, name, input, w, &out, &err), &err);
	return out;
}

static unsigned int concat(struct accel_graph *g, const char *name, unsigned int n, const unsigned int *inputs)
{
	struct accel_error err = { 0 };
	unsigned int out;

	random_check(accel_graph_add_concat(g, name, n, inputs, &out, &err), &err);
	return out;
}

/* Input, pooling: nothing has weights, so no constants and no codebook are loaded. */
static void test_pool_alone(void **state)
{
	static const struct accel_window windows[] = {
		/* channels, height, width, kernel, stride, dilation, padding, output */
		{ 3, 9, 11, 3, 3, 2, 2, 1, 1, 0, 0, 4, 5, 1 },
		{ 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 1, 1, 1 },
		{ 5, 13, 13, 3, 3, 2, 2, 1, 1, 1, 1, 7, 7, 1 },
		{ 20, 15, 15, 15, 15, 1, 1, 1, 1, 0, 0, 1, 1, 1 },     /* global */
		{ 4, 10, 8, 2, 3, 2, 3, 1, 1, 0, 2, 6, 4, 1 },         /* windows that stick out below and to the right: ceil_mode */
		{ 2, 30, 25, 3, 2, 1, 1, 4, 5, 4, 3, 30, 25, 1 },      /* dilated */
		{ 7, 1, 50, 1, 3, 1, 1, 1, 1, 0, 1, 1, 50, 1 },        /* one row */
		{ 40, 20, 20, 2, 2, 2, 2, 1, 1, 0, 0, 10, 10, 1 },     /* several blocks at a time */
		{ 3, 60, 70, 3, 3, 2, 2, 1, 1, 1, 1, 30, 35, 1 },      /* a plane larger than the slots of 2x2 */
		{ 2, 5, 6, 3, 2, 2, 3, 1, 1, 255, 9, 257, 5, 1 },      /* windows that see nothing, above and below */
		{ 33, 4, 4, 1, 1, 15, 15, 1, 1, 0, 0, 1, 1, 1 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(windows) / sizeof(windows[0]); i++) {
		for (unsigned int batch = 1; batch <= 2; batch++) {
			unsigned int in;
			struct accel_graph *g = image_graph(&windows[i], &in);
			struct accel_model *m;

			pool(g, "pool", in, &windows[i]);
			m = finish(g);
			check_model(m, batch, where(EIE_FEATURE_POOL));
			accel_model_unref(m);
			g = image_graph(&windows[i], &in);
			average(g, "average", in, &windows[i]);
			m = finish(g);
			check_model(m, batch, where(EIE_FEATURE_POOL));
			/* sums as they are: many saturate */
			m->layers[0].sum_shift = 0;
			check_model(m, batch, where(EIE_FEATURE_POOL));
			accel_model_unref(m);
		}
	}
}

/* What does not fit a quarter of the activation buffer runs on the CPU and says why. */
static void test_pool_too_wide(void **state)
{
	const struct accel_window w = { 1, 15, 900, 15, 3, 1, 1, 1, 1, 0, 0, 1, 898, 1 };
	struct accel_program *program;
	struct accel_place_info place;
	struct accel_model *m;
	unsigned int in;
	struct accel_graph *g = image_graph(&w, &in);

	(void)state;
	pool(g, "pool", in, &w);
	m = finish(g);
	assert_int_equal(accel_program_compile(m, device, NULL, &program, NULL), 0);
	assert_int_equal(accel_program_place(program, 0, &place), 0);
	if (device->backend && !strcmp(device->config, "2x2")) {
		assert_string_equal(place.where, "cpu");
		assert_non_null(strstr(place.reason, "pooling \"pool\""));
	}
	accel_program_unref(program);
	check_model(m, 1, NULL);
	accel_model_unref(m);
}

/* A fire module: squeeze, two expansions, joined; then pooling of all and a convolution of all. Parts are outputs, read alone, too. */
static struct accel_model *fire(void)
{
	const struct accel_window first = same(5, 9, 12, 1), one = same(7, 9, 12, 1), three = same(7, 9, 12, 3), last = same(49, 9, 12, 1);
	const struct accel_window pooling = { 49, 9, 12, 3, 3, 2, 2, 1, 1, 1, 0, 5, 6, 1 }, part = { 27, 9, 12, 2, 2, 1, 1, 1, 1, 0, 0, 8, 11, 1 };
	struct accel_error err = { 0 };
	unsigned int in, squeeze, expand[2], joined;
	uint64_t seed = 3;
	struct accel_graph *g = image_graph(&first, &in);

	squeeze = random_any_layer(g, &seed, "squeeze", in, 7, 5, 0.9, 8, 1, &first);
	expand[0] = random_any_layer(g, &seed, "expand1", squeeze, 22, 7, 0.5, 4, 1, &one);
	expand[1] = random_any_layer(g, &seed, "expand3", squeeze, 27, 63, 0.3, 8, 1, &three);
	joined = concat(g, "concat", 2, expand);
	random_check(accel_graph_output(g, pool(g, "pool", joined, &pooling), &err), &err);
	random_check(accel_graph_output(g, random_any_layer(g, &seed, "last", joined, 10, 49, 0.4, 8, 1, &last), &err), &err);
	random_check(accel_graph_output(g, pool(g, "part", expand[1], &part), &err), &err);
	random_check(accel_graph_output(g, average(g, "average", expand[1], &part), &err), &err);
	random_check(accel_graph_output(g, expand[0], &err), &err);
	random_check(accel_graph_output(g, joined, &err), &err);
	random_check(accel_graph_output(g, random_layer(g, &seed, "fc", joined, 12, 49 * 108, 0.03, 4, 1), &err), &err);
	return finish(g);
}

static void test_fire(void **state)
{
	struct accel_model *m = fire();

	(void)state;
	check_model(m, 1, where(BOTH));
	check_model(m, 3, where(BOTH));
	/* one scale for what is joined, and the clamps of all pass */
	assert_true(m->tensors[m->layers[1].output].scale == m->tensors[m->layers[3].output].scale);
	assert_true(m->tensors[m->layers[2].output].scale == m->tensors[m->layers[3].output].scale);
	assert_true(m->tensors[m->layers[4].output].scale == m->tensors[m->layers[3].output].scale);
	accel_model_unref(m);
}

/* As DenseNet: each layer reads all that was there before, joined to one more. */
static void test_nested(void **state)
{
	const struct accel_window first = same(3, 7, 10, 3);
	unsigned int in, all;
	uint64_t seed = 8;
	struct accel_graph *g = image_graph(&first, &in);
	struct accel_model *m;
	uint32_t channels = 9;

	(void)state;
	all = random_any_layer(g, &seed, "first", in, channels, 27, 0.5, 4, 1, &first);
	for (uint32_t i = 0; i < 4; i++) {
		const struct accel_window w = same(channels, 7, 10, i % 2 ? 1 : 3);
		unsigned int parts[2] = { all, 0 };
		char name[16];

		snprintf(name, sizeof(name), "conv%u", i);
		parts[1] = random_any_layer(g, &seed, name, all, 5 + i, channels * w.kernel_y * w.kernel_x, 0.3, 8, 1, &w);
		snprintf(name, sizeof(name), "concat%u", i);
		all = concat(g, name, 2, parts);
		channels += 5 + i;
	}
	m = finish(g);
	check_model(m, 1, where(EIE_FEATURE_VECTOR));
	check_model(m, 2, where(EIE_FEATURE_VECTOR));
	accel_model_unref(m);
}

/* Images of a random network: what may be joined still. */
struct image {
	unsigned int tensor;
	uint32_t channels, height, width;
	bool taken;
};

/* A window over an image, and the size of what comes out. */
static struct accel_window random_window(uint64_t *seed, const struct image *x, bool keeps_size)
{
	uint32_t ky = 1 + random_next(seed) % 3, kx = 1 + random_next(seed) % 3;
	struct accel_window w = { x->channels, x->height, x->width, ky, kx, 1, 1, 1, 1, (ky - 1) / 2, (kx - 1) / 2, x->height, x->width, 1 };

	if (keeps_size)
		return w;
	w.stride_y = 1 + random_next(seed) % 2;
	w.stride_x = 1 + random_next(seed) % 2;
	w.out_height = (x->height + w.stride_y - 1) / w.stride_y;
	w.out_width = (x->width + w.stride_x - 1) / w.stride_x;
	return w;
}

static struct accel_model *random_network(uint64_t seed)
{
	struct image images[32] = { { 0, 1 + random_next(&seed) % 9, 3 + random_next(&seed) % 12, 3 + random_next(&seed) % 12, true } };
	const struct accel_window in = { images[0].channels, images[0].height, images[0].width, 1, 1, 1, 1, 1, 1, 0, 0, 1, 1, 1 };
	unsigned int n = 1, steps = 4 + random_next(&seed) % 12;
	struct accel_graph *g = image_graph(&in, &images[0].tensor);
	struct accel_error err = { 0 };

	for (unsigned int i = 0; i < steps; i++) {
		const struct image *x = &images[random_next(&seed) % n];
		unsigned int parts[4], nparts = 0;
		struct accel_window w = random_window(&seed, x, random_next(&seed) % 2);
		struct image y = { 0, x->channels, w.out_height, w.out_width, false };
		char name[16];

		snprintf(name, sizeof(name), "layer%u", i);
		switch (random_next(&seed) % 4) {
		case 0:
			y.tensor = pool(g, name, x->tensor, &w);
			break;
		case 1:
			y = (struct image){ 0, 0, x->height, x->width, false };
			for (unsigned int k = 0; k < n && nparts < 4; k++) {
				if (images[k].taken || images[k].height != x->height || images[k].width != x->width)
					continue;
				images[k].taken = true;
				parts[nparts++] = images[k].tensor;
				y.channels += images[k].channels;
			}
			if (!nparts)
				continue;
			y.tensor = concat(g, name, nparts, parts);
			break;
		default:
			y.channels = 1 + random_next(&seed) % 20;
			y.tensor = random_any_layer(g, &seed, name, x->tensor, y.channels, x->channels * w.kernel_y * w.kernel_x, 0.4,
						    random_next(&seed) % 2 ? 4 : 8, 1, &w);
		}
		if (random_next(&seed) % 3 == 0)
			random_check(accel_graph_output(g, y.tensor, &err), &err);
		images[n++] = y;
	}
	if (n == 1)
		pool(g, "pool", images[0].tensor, &in);
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

/* Engines without the command leave the model to the CPU. */
static void test_no_feature(void **state)
{
	struct accel_model *m = fire();

	(void)state;
	if (!strcmp(where(BOTH), "device"))
		check_without(m, EIE_FEATURE_VECTOR, "pooling");
	accel_model_unref(m);
}

static void test_refused(void **state)
{
	const struct accel_window good = same(4, 6, 8, 3), other = same(4, 5, 8, 1);
	struct accel_window w = good;
	struct accel_error err;
	unsigned int in, out, parts[3], cut;
	uint64_t seed = 1;
	struct accel_graph *g = image_graph(&good, &in);

	(void)state;
	parts[0] = random_any_layer(g, &seed, "a", in, 3, 36, 0.5, 4, 1, &good);
	parts[1] = random_any_layer(g, &seed, "b", in, 5, 36, 0.5, 4, 1, &good);
	w.kernel_y = w.kernel_x = 1;
	w.pad_top = w.pad_left = 0;
	w.out_height = 5;
	cut = pool(g, "cut", in, &w);
#define REFUSED(call, part) \
	do { \
		assert_int_equal(call, -EINVAL); \
		if (!strstr(err.text, part)) \
			fail_msg("'%s' should say '%s'", err.text, part); \
		assert_string_equal(err.layer, "c"); \
	} while (0)
	w = good;
	w.groups = 2;
	REFUSED(accel_graph_add_max_pool(g, "c", in, &w, &out, &err), "groups");
	w = good;
	w.kernel_x = 16;
	REFUSED(accel_graph_add_max_pool(g, "c", in, &w, &out, &err), "kernel_x");
	REFUSED(accel_graph_add_max_pool(g, "c", in, &other, &out, &err), "another");
	REFUSED(accel_graph_add_max_pool(g, "c", 99, &good, &out, &err), "no tensor 99");
	REFUSED(accel_graph_add_concat(g, "c", 0, parts, &out, &err), "of nothing");
	parts[2] = 99;
	REFUSED(accel_graph_add_concat(g, "c", 3, parts, &out, &err), "no tensor 99");
	parts[2] = parts[0];
	REFUSED(accel_graph_add_concat(g, "c", 3, parts, &out, &err), "twice");
	parts[2] = in;
	REFUSED(accel_graph_add_concat(g, "c", 3, parts, &out, &err), "an input of the graph");
	parts[2] = cut;
	REFUSED(accel_graph_add_concat(g, "c", 3, parts, &out, &err), "size");
	assert_int_equal(accel_graph_add_concat(g, "d", 2, parts, &out, &err), 0);
	REFUSED(accel_graph_add_concat(g, "c", 1, parts + 1, &out, &err), "part of a concatenation");
	assert_int_equal(accel_graph_add_concat(g, "a", 1, &out, &out, &err), -EEXIST);
	accel_graph_free(g);
}

static void test_file(void **state)
{
	struct accel_model *m = fire(), *copy;
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
	check_model(copy, 1, where(BOTH));
	free(p);
	free(again);
	accel_model_unref(copy);
	accel_model_unref(m);
}

/* Layers in a file are not believed: 3 is the concatenation of tensors 2 and 3, 4 the pooling of all. */
static void test_broken_file(void **state)
{
	static const struct {
		const char *path, *prop;
		int cells;
		uint32_t value[14];
		const char *text;
	} broken[] = {
		{ "/layers/l3", "inputs", 0, { 0 }, "inputs" },
		{ "/layers/l3", "inputs", 2, { 2, 2 }, "part of a concatenation already" },
		{ "/layers/l3", "inputs", 2, { 2, 0 }, "an input of the graph" },
		{ "/layers/l3", "inputs", 2, { 2, 99 }, "nothing before it makes" },
		{ "/layers/l3", "inputs", 2, { 2, 5 }, "nothing before it makes" },
		{ "/layers/l3", "inputs", 1, { 2 }, "22 channels are joined to 49" },
		{ "/layers/l3", "output", 1, { 2 }, "it has a writer" },
		{ "/layers/l4", "input", 1, { 3 }, "does not fit" },
		{ "/layers/l4", "window", 13, { 49, 9, 12, 3, 3, 2, 2, 1, 1, 1, 0, 5, 6 }, "window" },
		{ "/layers/l4", "window", 14, { 49, 9, 12, 3, 3, 2, 2, 1, 1, 1, 0, 5, 6, 7 }, "groups" },
		{ "/layers/l4", "window", 14, { 49, 9, 12, 3, 3, 2, 2, 1, 1, 1, 0, 5, 5, 1 }, "does not fit" },
		{ "/layers/l4", "window", 14, { 49, 9, 12, 0, 3, 2, 2, 1, 1, 1, 0, 5, 6, 1 }, "kernel_y" },
		{ "/tensors/t2", "scale", 1, { 0x3f800000 }, "scale or clamp" },
		{ "/tensors/t5", "scale", 1, { 0x3f800000 }, "scale or clamp" },
		{ "/tensors/t5", "clamp", 2, { 0, 5 }, "scale or clamp" },
	};
	struct accel_model *m = fire(), *copy;
	struct accel_error err;
	void *p;
	size_t size, start;

	(void)state;
	assert_int_equal(eie_encode(m, &p, &size, NULL, NULL), 0);
	start = eie_data_start(fdt_totalsize(p));
	for (size_t i = 0; i < sizeof(broken) / sizeof(broken[0]); i++) {
		uint8_t *tree = malloc(fdt_totalsize(p) + 1024), *file;
		fdt32_t cells[14];
		size_t bytes = 0;

		for (int c = 0; c < broken[i].cells; c++)
			cells[c] = cpu_to_fdt32(broken[i].value[c]);
		assert_int_equal(fdt_open_into(p, tree, (int)fdt_totalsize(p) + 1024), 0);
		assert_int_equal(fdt_setprop(tree, fdt_path_offset(tree, broken[i].path), broken[i].prop, cells, 4 * broken[i].cells), 0);
		file = eie_assemble(tree, (uint8_t *)p + start, size - start, &bytes);
		assert_int_equal(accel_model_load(file, bytes, "test", &copy, &err), -EBADMSG);
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
		cmocka_unit_test(test_pool_alone), cmocka_unit_test(test_pool_too_wide), cmocka_unit_test(test_fire), cmocka_unit_test(test_nested),
		cmocka_unit_test(test_random), cmocka_unit_test(test_no_feature), cmocka_unit_test(test_refused), cmocka_unit_test(test_file),
		cmocka_unit_test(test_broken_file),
	};

	return each_device(argc, argv, defaults, tests);
}
