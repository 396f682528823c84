// SPDX-License-Identifier: GPL-2.0 OR MIT
/* What files leave out because it follows: positions of weights that are all there, the other groups' places, tables of functions. The same model comes back; lies are refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <string.h>

#include "eie_tree.h"
#include "model_check.h"

#define ROOM   4096
#define TABLES 9u
#define WIDTH  96u

/* Depthwise and dense convolutions of which all weights are there, one in groups that lacks some; functions that follow and one that does not. */
static struct accel_model *build(double density)
{
	const struct accel_window depthwise = { WIDTH, 5, 4, 3, 3, 1, 1, 1, 1, 1, 1, 5, 4, WIDTH }, dense = { WIDTH, 5, 4, 1, 1, 1, 1, 1, 1, 0, 0, 5, 4, 1 };
	const struct accel_window grouped = { WIDTH, 5, 4, 2, 1, 1, 1, 1, 1, 0, 0, 4, 4, 8 };
	struct accel_error err = { 0 };
	uint64_t seed = 5;
	unsigned int at;
	struct accel_graph *g = image_graph(&depthwise, &at);

	at = random_any_layer(g, &seed, "depthwise", at, WIDTH, 9 * WIDTH, density, 4, 0, &depthwise);
	at = random_any_layer(g, &seed, "dense", at, WIDTH, WIDTH, density, 4, 0, &dense);
	for (unsigned int i = 0; i < TABLES; i++) {
		char name[16];

		snprintf(name, sizeof(name), "table%u", i);
		at = table_layer(g, name, at, i % 2 ? "HardSigmoid" : "HardSwish");
	}
	at = table_layer(g, "gelu", at, "Gelu");
	at = random_any_layer(g, &seed, "grouped", at, 16, 2 * WIDTH, 0.7, 4, 0, &grouped);
	random_check(accel_graph_output(g, at, &err), &err);
	return finish(g);
}

static void same_layer(const struct accel_layer *a, const struct accel_layer *b)
{
	assert_string_equal(a->name, b->name);
	if (a->kind == ACCEL_LAYER_TABLE) {
		assert_memory_equal(a->table, b->table, EIE_TABLE_VALUES * sizeof(*a->table));
		return;
	}
	assert_int_equal(a->nnz, b->nnz);
	assert_memory_equal(a->rowptr, b->rowptr, (a->rows + (size_t)1) * sizeof(*a->rowptr));
	assert_memory_equal(a->col, b->col, a->nnz * sizeof(*a->col));
	assert_memory_equal(a->code, b->code, a->nnz);
}

static void test_round_trip(void **state)
{
	struct accel_model *m = build(1), *copy;
	struct accel_error err = { 0 };
	size_t size = 0, again = 0;
	uint8_t *file = eie_encoded(m, &size), *second;

	(void)state;
	assert_true(fdt_stringlist_search(file, 0, "must-understand", EIE_FEATURE_PLACES) >= 0);
	assert_true(fdt_stringlist_search(file, 0, "must-understand", EIE_FEATURE_TABLES) >= 0);
	/* nothing for what is full, and less for the groups than of all columns; the one table that does not follow */
	assert_true(fdt_path_offset(file, "/layers/l0/index") < 0 && fdt_path_offset(file, "/layers/l1/index") < 0);
	assert_true(fdt_path_offset(file, "/layers/l12/index") >= 0);
	assert_true(fdt_path_offset(file, "/layers/l2/table") < 0 && fdt_path_offset(file, "/layers/l11/table") >= 0);
	if (accel_model_load(file, size, "test", &copy, &err))
		fail_msg("%s", err.text);
	for (unsigned int i = 0; i < m->nlayers; i++)
		same_layer(&m->layers[i], &copy->layers[i]);
	second = eie_encoded(copy, &again);
	assert_int_equal(size, again);
	assert_memory_equal(file, second, size);
	free(file);
	free(second);
	accel_model_unref(m);
	accel_model_unref(copy);
}

/* A table that is not what the function gives is written out. */
static void test_other_table(void **state)
{
	struct accel_model *m = build(1), *copy;
	size_t size = 0;
	uint8_t *file;

	(void)state;
	m->layers[3].table[100]++;
	file = eie_encoded(m, &size);
	assert_true(fdt_path_offset(file, "/layers/l2/table") < 0 && fdt_path_offset(file, "/layers/l3/table") >= 0);
	assert_int_equal(accel_model_load(file, size, "test", &copy, NULL), 0);
	same_layer(&m->layers[3], &copy->layers[3]);
	free(file);
	accel_model_unref(m);
	accel_model_unref(copy);
}

/* Models that win little stay readable for older releases. */
static void test_not_worth(void **state)
{
	struct accel_model *m = build(0.3);
	size_t size = 0;
	uint8_t *file = eie_encoded(m, &size);

	(void)state;
	assert_true(fdt_stringlist_search(file, 0, "must-understand", EIE_FEATURE_PLACES) < 0);
	assert_true(fdt_path_offset(file, "/layers/l0/index") >= 0);
	free(file);
	accel_model_unref(m);
}

/* So many codes that two threads decode; and what either finds wrong is told. */
static void test_threads(void **state)
{
	static const uint32_t sizes[] = { 700, 500, 3 };
	struct accel_model *m = random_chain(9, 2, sizes, 0.6, 4, 0.5), *copy;
	struct accel_error err = { 0 };
	size_t size = 0, start;
	uint8_t *file = eie_encoded(m, &size);

	(void)state;
	assert_true(m->layers[0].nnz > 1u << 17);
	start = eie_data_start(fdt_totalsize(file));
	if (accel_model_load(file, size, "test", &copy, &err))
		fail_msg("%s", err.text);
	for (unsigned int i = 0; i < m->nlayers; i++)
		same_layer(&m->layers[i], &copy->layers[i]);
	accel_model_unref(copy);
	for (unsigned int i = 0; i < 2; i++) {
		static const char *const paths[] = { "/layers/l0/codes", "/layers/l0/index" };
		int node = fdt_path_offset(file, paths[i]);
		uint64_t at = fdt64_ld(fdt_getprop(file, node, "offset", NULL)), n = fdt64_ld(fdt_getprop(file, node, "size", NULL));
		uint8_t *changed = malloc(size);

		memcpy(changed, file, size);
		changed[start + at + n / 2] ^= 0x10;
		eie_fix_checksums(changed, changed + start, size - start);
		assert_int_equal(accel_model_load(changed, size, "test", &copy, &err), -EBADMSG);
		assert_non_null(strstr(err.text, i ? "index: " : "codes: "));
		free(changed);
	}
	free(file);
	accel_model_unref(m);
}

/* The property of this value (none: len below 0) makes the file one that is refused, with this text. */
static void refused(const char *path, const char *prop, const void *value, int len, int code, const char *text)
{
	struct accel_model *m = build(1), *copy = NULL;
	struct accel_error err = { 0 };
	size_t size = 0, start, bytes = 0;
	uint8_t *file = eie_encoded(m, &size), *tree, *changed, *exact;
	int node, ret;

	start = eie_data_start(fdt_totalsize(file));
	tree = malloc(fdt_totalsize(file) + ROOM);
	assert_int_equal(fdt_open_into(file, tree, (int)fdt_totalsize(file) + ROOM), 0);
	node = fdt_path_offset(tree, path);
	assert_true(node >= 0);
	assert_int_equal(!prop ? fdt_del_node(tree, node) : len < 0 ? fdt_delprop(tree, node, prop) : fdt_setprop(tree, node, prop, value, len), 0);
	changed = eie_assemble(tree, file + start, size - start, &bytes);
	exact = malloc(bytes);
	memcpy(exact, changed, bytes);
	ret = accel_model_load(exact, bytes, "test", &copy, &err);
	if (ret != code || !strstr(err.text, text))
		fail_msg("%s %s: %d '%s', not %d '%s'", path, prop ? prop : "", ret, err.text, code, text);
	free(exact);
	free(changed);
	free(tree);
	free(file);
	accel_model_unref(m);
}

static void number(const char *path, const char *prop, uint32_t value, int code, const char *text)
{
	fdt32_t cell = cpu_to_fdt32(value);

	refused(path, prop, &cell, sizeof(cell), code, text);
}

static void test_lies(void **state)
{
	static const char tables[] = "entropy\0derived\0tables", places[] = "entropy\0derived\0places";

	(void)state;
	number("/layers/l0", "places", 0, -EBADMSG, "96 x 864 weights in 0 groups");
	number("/layers/l0", "places", 7, -EBADMSG, "96 x 864 weights in 7 groups");
	/* other places would be taken, or there are more of them than weights */
	number("/layers/l0", "places", 48, -EBADMSG, "'index' is missing");
	number("/layers/l12", "places", 16, -EBADMSG, "index");
	refused("/layers/l0", "places", NULL, -1, -EBADMSG, "'index' is missing");
	refused("/layers/l12/index", NULL, NULL, 0, -EBADMSG, "'index' is missing");
	number("/layers/l0", "nnz", 863, -EBADMSG, "'index' is missing");
	number("/layers/l12", "nnz", 1, -EBADMSG, "codes");
	/* without the features */
	refused("/", "must-understand", tables, sizeof(tables), -EBADMSG, "'index' is missing");
	refused("/", "must-understand", places, sizeof(places), -EBADMSG, "'table' is missing");
	/* tables that do not follow */
	refused("/layers/l2", "function", "Gelu", 5, -EBADMSG, "does not follow from Gelu");
	refused("/layers/l2", "function", "Frob", 5, -EBADMSG, "does not follow from Frob");
	refused("/layers/l11/table", NULL, NULL, 0, -EBADMSG, "does not follow from Gelu");
	number("/layers/l2", "input", 99, -EBADMSG, "there are");
	number("/tensors/t3", "scale", 0x7fc00000, -EBADMSG, "scale");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trip), cmocka_unit_test(test_other_table), cmocka_unit_test(test_not_worth), cmocka_unit_test(test_lies),
		cmocka_unit_test(test_threads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
