// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Convolutions compiled for an engine with vector mode, and on the CPU, against their definition: every output bit, the count of
 * multiplications and of saturated outputs. Then what the library refuses.
 *   test_conv [DEVICE ...]      (ref:2x2, ref:8x8, ref:16x16 and cpu unless given)
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <unistd.h>

#include "commands.h"
#include "eie_edit.h"
#include "model_check.h"

static void check_one(const struct accel_window *w, uint32_t rows, uint32_t groups, double density, unsigned int bits, unsigned int batch,
		      const char *place_is)
{
	struct accel_window window = *w;
	unsigned int tensor;
	struct accel_graph *g = image_graph(w, &tensor);
	uint64_t seed = w->width * 1000 + rows;
	struct accel_model *m;

	window.groups = groups;
	random_any_layer(g, &seed, "conv", tensor, rows, w->channels * w->kernel_y * w->kernel_x, density, bits, 1, &window);
	m = finish(g);
	check_model(m, batch, place_is);
	accel_model_unref(m);
}

static void test_shapes(void **state)
{
	static const struct accel_window windows[] = {
		/* channels, height, width, kernel, stride, dilation, padding, output */
		{ 3, 9, 11, 3, 3, 1, 1, 1, 1, 1, 1, 9, 11, 1 },
		{ 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 1, 1, 1 },
		{ 5, 7, 13, 1, 1, 1, 1, 1, 1, 0, 0, 7, 13, 1 },
		{ 4, 13, 13, 3, 3, 2, 2, 1, 1, 0, 0, 6, 6, 1 },
		{ 4, 13, 13, 3, 3, 2, 2, 1, 1, 1, 1, 7, 7, 1 },       /* more padding at the end than at the beginning */
		{ 2, 20, 20, 5, 3, 2, 1, 1, 2, 4, 1, 10, 17, 1 },      /* everything asymmetric */
		{ 3, 27, 27, 11, 11, 4, 4, 1, 1, 0, 0, 5, 5, 1 },
		{ 2, 18, 18, 3, 3, 1, 1, 4, 5, 8, 0, 18, 8, 1 },       /* dilated */
		{ 7, 1, 50, 1, 3, 1, 1, 1, 1, 0, 1, 1, 50, 1 },        /* one row */
		{ 6, 33, 2, 3, 2, 1, 1, 1, 1, 1, 0, 33, 1, 1 },        /* one column of windows: eight rows a group */
		{ 2, 40, 3, 1, 1, 15, 15, 1, 1, 0, 0, 3, 1, 1 },       /* windows far apart */
		{ 3, 13, 13, 1, 1, 1, 1, 1, 1, 1, 1, 15, 15, 1 },      /* windows in the padding alone, on all sides */
		{ 2, 5, 6, 3, 2, 2, 3, 1, 1, 255, 9, 257, 5, 1 },      /* many rows of them, above and below */
		{ 2, 1, 1, 1, 1, 15, 15, 1, 1, 30, 255, 4, 20, 1 },    /* one pixel in a sea of padding */
	};

	const struct accel_window largest = same(2, 8, 8, 15);

	(void)state;
	for (size_t i = 0; i < sizeof(windows) / sizeof(windows[0]); i++)
		for (unsigned int bits = 4; bits <= 8; bits += 4)
			for (unsigned int batch = 1; batch <= 2; batch++)
				check_one(&windows[i], 5 + 9 * (uint32_t)i, 1, 0.3, bits, batch, where(EIE_FEATURE_VECTOR));
	/* 225 pointers a channel: too many for the half of 16x16's PBUF */
	check_one(&largest, 7, 1, 0.3, 4, 1, NULL);
}

static void test_densities(void **state)
{
	static const double densities[] = { 0, 0.01, 0.5, 1 };
	const struct accel_window w = same(10, 9, 9, 3);

	(void)state;
	for (size_t i = 0; i < sizeof(densities) / sizeof(densities[0]); i++)
		check_one(&w, 30, 1, densities[i], 4, 1, where(EIE_FEATURE_VECTOR));
}

static void test_groups(void **state)
{
	const struct accel_window w = same(24, 9, 10, 3);

	(void)state;
	check_one(&w, 24, 24, 1, 8, 2, where(EIE_FEATURE_VECTOR));   /* depthwise */
	check_one(&w, 48, 24, 0.7, 4, 1, where(EIE_FEATURE_VECTOR));
	check_one(&w, 16, 2, 0.5, 4, 1, where(EIE_FEATURE_VECTOR));
}

/* Beyond the buffers of 2x2: ABUF has 8192 values, a cluster 16 rows of eight sums, 1024 pointers, 16 KiB of weights. */
static void test_large(void **state)
{
	const struct accel_window wide = same(3, 6, 240, 3), deep = same(300, 5, 7, 1), both = same(40, 20, 20, 3), rows = same(12, 10, 10, 1);
	const struct accel_window strided = { 3, 80, 112, 3, 3, 2, 2, 1, 1, 0, 0, 39, 55, 1 };

	(void)state;
	check_one(&wide, 20, 1, 0.5, 4, 2, where(EIE_FEATURE_VECTOR));
	check_one(&deep, 40, 1, 0.3, 8, 2, where(EIE_FEATURE_VECTOR));
	check_one(&both, 50, 1, 0.3, 4, 1, where(EIE_FEATURE_VECTOR));
	check_one(&rows, 900, 1, 0.3, 4, 1, where(EIE_FEATURE_VECTOR));
	check_one(&strided, 24, 1, 0.6, 4, 1, where(EIE_FEATURE_VECTOR));
}

/* in -> a -> b -> fc, a -> c: images with several readers, one of them an output, one read as a vector. */
static struct accel_model *network(void)
{
	const struct accel_window first = { 3, 21, 17, 3, 3, 2, 2, 1, 1, 1, 1, 11, 9, 1 }, second = same(22, 11, 9, 3);
	const struct accel_window third = { 22, 11, 9, 1, 1, 1, 1, 1, 1, 0, 0, 11, 9, 2 };
	unsigned int in, a, b, c;
	struct accel_graph *g = image_graph(&first, &in);
	struct accel_error err = { 0 };
	uint64_t seed = 4;

	a = random_any_layer(g, &seed, "a", in, 22, 27, 0.6, 4, 1, &first);
	b = random_any_layer(g, &seed, "b", a, 13, 198, 0.4, 8, 1, &second);
	c = random_any_layer(g, &seed, "c", a, 40, 22, 0.5, 4, 1, &third);
	random_check(accel_graph_output(g, random_layer(g, &seed, "fc", b, 10, 13 * 99, 0.2, 4, 1), &err), &err);
	random_check(accel_graph_output(g, c, &err), &err);
	random_check(accel_graph_output(g, a, &err), &err);
	return finish(g);
}

static void test_network(void **state)
{
	struct accel_model *m = network();

	(void)state;
	check_model(m, 1, where(EIE_FEATURE_VECTOR));
	check_model(m, 3, where(EIE_FEATURE_VECTOR));
	accel_model_unref(m);
}

/* What does not fit the chip runs on the CPU, says why, and gives the same. */
static void test_fallback(void **state)
{
	const struct accel_window w = same(4, 15, 400, 15);
	struct accel_program *program;
	struct accel_place_info place;
	struct accel_model *m;
	struct accel_graph *g;
	unsigned int tensor;
	uint64_t seed = 1;

	(void)state;
	g = image_graph(&w, &tensor);
	random_any_layer(g, &seed, "conv", tensor, 2, 4 * 225, 0.01, 4, 0, &w);
	m = finish(g);
	assert_int_equal(accel_program_compile(m, device, NULL, &program, NULL), 0);
	assert_int_equal(accel_program_place(program, 0, &place), 0);
	if (device->backend && !strcmp(device->config, "2x2")) {
		assert_string_equal(place.where, "cpu");
		assert_non_null(strstr(place.reason, device->params.features ? "do not fit" : "no vector mode"));
	}
	accel_program_unref(program);
	check_model(m, 1, NULL);
	accel_model_unref(m);
}

/* A program with VMACs does not get to an engine without them. */
static void test_mismatch(void **state)
{
	struct accel_model *m = network();

	(void)state;
	if (!strcmp(where(EIE_FEATURE_VECTOR), "device"))
		check_without(m, 0, "convolutions");
	accel_model_unref(m);
}

static void test_file(void **state)
{
	struct accel_model *m = network(), *copy;
	struct accel_error err = { 0 };
	char path[] = "/tmp/test_conv.XXXXXX";

	(void)state;
	close(mkstemp(path));
	if (accel_model_save(m, path, &err) || accel_model_open(path, &copy, &err))
		fail_msg("%s", err.text);
	unlink(path);
	for (unsigned int l = 0; l < m->nlayers; l++) {
		assert_int_equal(copy->layers[l].kind, m->layers[l].kind);
		assert_memory_equal(&copy->layers[l].window, &m->layers[l].window, sizeof(m->layers[l].window));
	}
	check_model(copy, 1, where(EIE_FEATURE_VECTOR));
	accel_model_unref(copy);
	accel_model_unref(m);
}

/* The same windows as below, in a file: it is not believed. */
static void test_broken_file(void **state)
{
	struct accel_model *m = network(), *copy;
	struct accel_error err;
	void *p;
	size_t size, start;

	(void)state;
	assert_int_equal(eie_encode(m, &p, &size, NULL, NULL), 0);
	start = eie_data_start(fdt_totalsize(p));
	for (unsigned int cell = 0; cell < 15; cell++) {
		for (int i = 0; i < 2; i++) {
			const uint32_t value = i ? 0xffffffff : 0x7ffffff0;
			uint8_t *tree = malloc(fdt_totalsize(p) + 1024), *file;
			fdt32_t cells[14];
			int node, len;
			size_t bytes = 0;

			assert_int_equal(fdt_open_into(p, tree, (int)fdt_totalsize(p) + 1024), 0);
			node = fdt_path_offset(tree, "/layers/l0");
			memcpy(cells, fdt_getprop(tree, node, "window", &len), sizeof(cells));
			assert_int_equal(len, sizeof(cells));
			if (cell < 14)
				cells[cell] = cpu_to_fdt32(value);
			assert_int_equal(fdt_setprop(tree, node, "window", cells, cell < 14 ? 56 : 52), 0);
			file = eie_assemble(tree, (uint8_t *)p + start, size - start, &bytes);
			assert_int_equal(accel_model_load(file, bytes, "test", &copy, &err), -EBADMSG);
			assert_non_null(strstr(err.text, "window"));
			assert_string_equal(err.layer, "a");
			free(tree);
			free(file);
		}
	}
	free(p);
	accel_model_unref(m);
}

/* Every field of a window, out of its range, and what does not fit together. */
static void test_refused(void **state)
{
	const struct accel_window good = same(2, 6, 8, 3);
	const struct accel_window halves = { 2, 6, 8, 3, 3, 1, 1, 1, 1, 1, 1, 6, 8, 2 };
	static const uint32_t rowptr[] = { 0, 1 }, col[] = { 4 }, two[] = { 0, 1, 2 }, first[] = { 4, 4 }, own[] = { 4, 9 };
	static const uint8_t code[] = { 1 }, ones[] = { 1, 1 };
	static const float codebook[] = { 0, 1 };
	struct accel_csr csr = { 1, 18, rowptr, col, code, codebook, 2, NULL, NULL };
	struct accel_error err;
	struct accel_graph *g;
	unsigned int tensor, out;
	const struct {
		size_t offset;
		uint32_t value;
		const char *text;
	} broken[] = {
#define FIELD_(name, value, text) { offsetof(struct accel_window, name), value, text }
		FIELD_(channels, 0, "channels"), FIELD_(channels, 3, "another"), FIELD_(height, 0, "height"), FIELD_(height, 7, "another"),
		FIELD_(width, 0, "width"), FIELD_(width, 5000, "width"), FIELD_(kernel_y, 0, "kernel_y"), FIELD_(kernel_y, 16, "kernel_y"),
		FIELD_(kernel_y, 2, "places"), FIELD_(kernel_x, 0, "kernel_x"), FIELD_(kernel_x, 16, "kernel_x"),
		FIELD_(stride_y, 0, "stride_y"), FIELD_(stride_y, 16, "stride_y"), FIELD_(out_height, 263, "behind the image"),
		FIELD_(stride_x, 0, "stride_x"), FIELD_(stride_x, 16, "stride_x"), FIELD_(out_width, 265, "behind the image"),
		FIELD_(dilate_y, 0, "dilate_y"), FIELD_(dilate_y, 16, "dilate_y"), FIELD_(dilate_x, 0, "dilate_x"),
		FIELD_(dilate_x, 16, "dilate_x"), FIELD_(pad_top, 256, "pad_top"),
		FIELD_(pad_left, 256, "pad_left"), FIELD_(out_height, 0, "out_height"),
		FIELD_(out_height, 4096, "out_height"), FIELD_(out_width, 0, "out_width"), FIELD_(out_width, 4096, "out_width"),
		FIELD_(groups, 0, "groups"), FIELD_(groups, 3, "groups"), FIELD_(groups, 2, "groups"),
	};

	(void)state;
	g = image_graph(&good, &tensor);
	for (size_t i = 0; i < sizeof(broken) / sizeof(broken[0]); i++) {
		struct accel_window w = good;

		memcpy((char *)&w + broken[i].offset, &broken[i].value, sizeof(uint32_t));
		assert_int_equal(accel_graph_add_conv_csr(g, "c", tensor, &csr, &w, ACCEL_ACT_NONE, &out, &err), -EINVAL);
		if (!strstr(err.text, broken[i].text))
			fail_msg("%zu: %s", i, err.text);
		assert_string_equal(err.layer, "c");
	}
	csr.cols = 17;
	assert_int_equal(accel_graph_add_conv_csr(g, "c", tensor, &csr, &good, ACCEL_ACT_NONE, &out, NULL), -EINVAL);
	csr.cols = 18;
	assert_int_equal(accel_graph_add_conv_csr(g, "c", tensor + 1, &csr, &good, ACCEL_ACT_NONE, &out, NULL), -EINVAL);
	assert_int_equal(accel_graph_add_conv_csr(g, "c", tensor, &csr, &good, ACCEL_ACT_NONE, &out, NULL), 0);
	/* two rows in two groups: the second has its weight among the first's channels */
	csr.rows = 2;
	csr.rowptr = two;
	csr.col = first;
	csr.code = ones;
	assert_int_equal(accel_graph_add_conv_csr(g, "d", tensor, &csr, &halves, ACCEL_ACT_NONE, &out, &err), -EINVAL);
	assert_non_null(strstr(err.text, "another group"));
	csr.col = own;
	assert_int_equal(accel_graph_add_conv_csr(g, "d", tensor, &csr, &halves, ACCEL_ACT_NONE, &out, NULL), 0);
	accel_graph_free(g);
}

int main(int argc, char **argv)
{
	static char *defaults[] = { "ref:2x2", "ref:8x8", "ref:16x16", "cpu" };
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_shapes), cmocka_unit_test(test_densities), cmocka_unit_test(test_groups), cmocka_unit_test(test_large),
		cmocka_unit_test(test_network), cmocka_unit_test(test_fallback), cmocka_unit_test(test_mismatch), cmocka_unit_test(test_file), cmocka_unit_test(test_broken_file),
		cmocka_unit_test(test_refused),
	};

	return each_device(argc, argv, defaults, tests);
}
