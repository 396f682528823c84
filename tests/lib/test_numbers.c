// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Segments without their derived numbers, and tensors without nodes: all of them come back, bit for bit; what does not follow is written out; lies are refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <string.h>

#include "eie_tree.h"
#include "model_check.h"
#include "quant.h"

#define ROOM     4096
#define CHANNELS 8u
#define ROUNDS   9u
#define TABLES   6u
#define LAST     1024u   /* channels of a layer with all weights, enough of them for `places` */

/* Every kind of layer that has derived numbers, or takes those of its inputs; codes of 8 bits have scales of rows. */
static unsigned int add_round(struct accel_graph *g, uint64_t *seed, unsigned int round, unsigned int x)
{
	const struct accel_window conv = same(CHANNELS, 5, 4, 3), pool = same(CHANNELS, 5, 4, 3);
	struct accel_error err = { 0 };
	unsigned int parts[2], mean;
	char name[32];

	for (unsigned int i = 0; i < 2; i++) {
		snprintf(name, sizeof(name), "conv%u.%u", round, i);
		parts[i] = random_any_layer(g, seed, name, x, CHANNELS / 2, 9 * CHANNELS, 0.5, i ? 8 : 4, 0, &conv);
	}
	snprintf(name, sizeof(name), "concat%u", round);
	random_check(accel_graph_add_concat(g, name, 2, parts, &x, &err), &err);
	snprintf(name, sizeof(name), "mean%u", round);
	random_check(accel_graph_add_average_pool(g, name, x, &pool, &mean, &err), &err);
	snprintf(name, sizeof(name), "gate%u", round);
	mean = table_layer(g, name, mean, "HardSigmoid");
	snprintf(name, sizeof(name), "gated%u", round);
	random_check(accel_graph_add_multiply(g, name, x, mean, ACCEL_ACT_NONE, &x, &err), &err);
	snprintf(name, sizeof(name), "max%u", round);
	random_check(accel_graph_add_max_pool(g, name, x, &pool, &x, &err), &err);
	for (unsigned int i = 0; i < TABLES; i++) {
		snprintf(name, sizeof(name), "table%u.%u", round, i);
		x = table_layer(g, name, x, i % 2 ? "HardSwish" : i % 4 ? "LeakyRelu" : "Gelu");
	}
	return x;
}

static struct accel_model *build(unsigned int rounds)
{
	const struct accel_window w = same(CHANNELS, 5, 4, 3), pixel = same(CHANNELS, 5, 4, 1);
	struct accel_error err = { 0 };
	uint64_t seed = 9;
	unsigned int x;
	struct accel_graph *g = image_graph(&w, &x);

	for (unsigned int i = 0; i < rounds; i++)
		x = add_round(g, &seed, i, x);
	x = random_any_layer(g, &seed, "full", x, LAST, CHANNELS, 1, 4, 0, &pixel);
	random_check(accel_graph_output(g, x, &err), &err);
	return finish(g);
}

static bool names(const uint8_t *file, const char *feature)
{
	size_t size;
	uint8_t *tree = eie_tree(file, &size);
	bool does = fdt_stringlist_search(tree, 0, "must-understand", feature) >= 0;

	free(tree);
	return does;
}

static void same_layer(const struct accel_layer *a, const struct accel_layer *b)
{
	size_t rows = accel_layer_weighted(a) ? a->rows : a->mult ? 1 : 0;

	assert_string_equal(a->name, b->name);
	assert_true(a->input == b->input && a->output == b->output);
	assert_int_equal(a->sum_shift, b->sum_shift);
	assert_memory_equal(&a->codebook_scale, &b->codebook_scale, sizeof(float));
	assert_int_equal(!a->table, !b->table);
	if (a->table)
		assert_memory_equal(a->table, b->table, EIE_TABLE_VALUES * sizeof(*a->table));
	if (rows) {
		assert_memory_equal(a->mult, b->mult, rows * sizeof(*a->mult));
		assert_memory_equal(a->shift, b->shift, rows * sizeof(*a->shift));
	}
	if (accel_layer_weighted(a)) {
		assert_int_equal(a->nnz, b->nnz);
		assert_memory_equal(a->col, b->col, a->nnz * sizeof(*a->col));
		assert_memory_equal(a->code, b->code, a->nnz);
		assert_memory_equal(a->codebook_q, b->codebook_q, a->ncodes * sizeof(*a->codebook_q));
		assert_memory_equal(a->bias_q, b->bias_q, rows * sizeof(*a->bias_q));
	}
}

/* The file is of this model, to the bit, and so is what it saves to. */
static void comes_back(const struct accel_model *m, const uint8_t *file, size_t size)
{
	struct accel_error err = { 0 };
	struct accel_model *copy;
	size_t again = 0;
	uint8_t *second;

	if (accel_model_load(file, size, "test", &copy, &err))
		fail_msg("%s", err.text);
	assert_int_equal(m->ntensors, copy->ntensors);
	assert_int_equal(m->nlayers, copy->nlayers);
	for (unsigned int i = 0; i < m->ntensors; i++) {
		const struct accel_tensor *a = &m->tensors[i], *b = &copy->tensors[i];

		assert_string_equal(a->name, b->name);
		assert_int_equal(a->ndim, b->ndim);
		assert_memory_equal(a->dims, b->dims, a->ndim * sizeof(*a->dims));
		assert_true(a->count == b->count && a->calibrated == b->calibrated);
		assert_memory_equal(&a->scale, &b->scale, sizeof(a->scale));
		assert_true(a->lo == b->lo && a->hi == b->hi && a->range_lo == b->range_lo && a->range_hi == b->range_hi);
	}
	for (unsigned int i = 0; i < m->nlayers; i++)
		same_layer(&m->layers[i], &copy->layers[i]);
	second = eie_encoded(copy, &again);
	assert_int_equal(size, again);
	assert_memory_equal(file, second, size);
	free(second);
	accel_model_unref(copy);
}

static void test_round_trip(void **state)
{
	struct accel_model *m = build(ROUNDS);
	size_t size = 0, bytes;
	uint8_t *file = eie_encoded(m, &size), *tree = eie_tree(file, &bytes);

	(void)state;
	assert_true(names(file, EIE_FEATURE_NUMBERS));
	/* what these would leave out is left out already */
	assert_false(names(file, EIE_FEATURE_DERIVED) || names(file, EIE_FEATURE_ROWS) || names(file, EIE_FEATURE_TABLES));
	for (int node = fdt_next_node(tree, 0, NULL), gelu = 0; node >= 0; node = fdt_next_node(tree, node, NULL)) {
		static const char *const derived[] = { "scale", "clamp", "sum-shift", "codebook-scale", "codebook-q", "mult", "shift" };
		const char *name = fdt_get_name(tree, node, NULL);

		for (size_t i = 0; i < sizeof(derived) / sizeof(derived[0]); i++)
			assert_null(fdt_getprop(tree, node, derived[i], NULL));
		assert_true(strcmp(name, "bias-q") && strcmp(name, "mult") && strcmp(name, "shift"));
		/* of functions that machines have otherwise alone */
		gelu += !strcmp(name, "table");
		assert_true(gelu <= (int)(ROUNDS * ((TABLES + 3) / 4)));
	}
	/* the input alone has a node */
	assert_true(fdt_path_offset(tree, "/tensors/t0") >= 0 && fdt_path_offset(tree, "/tensors/t1") < 0);
	assert_null(fdt_getprop(tree, fdt_path_offset(tree, "/layers/l0"), "output", NULL));
	/* nor does a layer say that it reads what the one before makes, or how many weights there are when there are all */
	assert_non_null(fdt_getprop(tree, fdt_path_offset(tree, "/layers/l0"), "input", NULL));
	assert_non_null(fdt_getprop(tree, fdt_path_offset(tree, "/layers/l1"), "input", NULL));
	assert_null(fdt_getprop(tree, fdt_path_offset(tree, "/layers/l3"), "input", NULL));
	assert_non_null(fdt_getprop(tree, fdt_path_offset(tree, "/layers/l0"), "nnz", NULL));
	assert_null(fdt_getprop(tree, fdt_path_offset(tree, "/layers/l117"), "nnz", NULL));
	comes_back(m, file, size);
	free(tree);
	free(file);
	accel_model_unref(m);
}

/* The tensor has a node, and its layer says so; tensors beside it have not. */
static void test_own_node(void **state)
{
	struct accel_model *m;
	unsigned int out, at;
	size_t size = 0, bytes;
	uint8_t *file, *tree;

	(void)state;
	for (unsigned int i = 0; i < 3; i++) {
		m = build(ROUNDS);
		at = m->nlayers - 1;
		out = m->layers[at].output;
		if (i == 0) {
			/* another name; of the output, so that no layer reads it */
			m->tensors[out].name[0] = 'X';
		} else if (i == 1) {
			/* numbers that go down */
			struct accel_tensor t = m->tensors[out];

			m->tensors[out] = m->tensors[out - 1];
			m->tensors[out - 1] = t;
			m->layers[at].output = m->outputs[0] = out - 1;
			m->layers[at - 1].output = m->layers[at].input = out;
		} else {
			/* the name of another layer's output */
			m->tensors[4].name[0] = 'X';
		}
		file = eie_encoded(m, &size);
		tree = eie_tree(file, &bytes);
		assert_true(names(file, EIE_FEATURE_NUMBERS));
		assert_int_equal(fdt_path_offset(tree, i == 1 ? "/tensors/t117" : i ? "/tensors/t4" : "/tensors/t118") >= 0, 1);
		assert_true(fdt_path_offset(tree, "/tensors/t3") < 0 && fdt_path_offset(tree, "/tensors/t5") < 0);
		comes_back(m, file, size);
		free(tree);
		free(file);
		accel_model_unref(m);
	}
}

/* One number that does not follow: the segment has them all. */
static void otherwise(struct accel_model *m, const char *what)
{
	size_t size = 0;
	uint8_t *file = eie_encoded(m, &size);

	if (names(file, EIE_FEATURE_NUMBERS))
		fail_msg("%s", what);
	comes_back(m, file, size);
	free(file);
	accel_model_unref(m);
}

static void test_others(void **state)
{
	struct accel_model *m = build(ROUNDS);

	(void)state;
	m->layers[0].bias_q[1]++;
	otherwise(m, "bias");
	m = build(ROUNDS);
	m->layers[0].codebook_q[3]--;
	otherwise(m, "codebook");
	m = build(ROUNDS);
	m->layers[1].mult[2] ^= 1;
	otherwise(m, "mult");
	m = build(ROUNDS);
	m->tensors[0].hi--;
	otherwise(m, "clamp");
	m = build(ROUNDS);
	assert_int_equal(m->layers[8].kind, ACCEL_LAYER_TABLE);
	assert_string_equal(m->layers[8].function.name, "HardSwish");
	m->layers[8].table[100]++;
	otherwise(m, "table");
	/* few: older releases read it */
	otherwise(build(2), "few");
}

/* A table that does not follow may be anything: it is in the file. */
static void test_other_table(void **state)
{
	struct accel_model *m = build(ROUNDS);
	size_t size = 0;
	uint8_t *file;

	(void)state;
	assert_string_equal(m->layers[7].function.name, "Gelu");
	m->layers[7].table[100]++;
	file = eie_encoded(m, &size);
	assert_true(names(file, EIE_FEATURE_NUMBERS));
	comes_back(m, file, size);
	free(file);
	accel_model_unref(m);
}

/* ---------------------------------------------------------------- lies */

struct edit {
	uint8_t *tree, *data;   /* unpacked, with room */
	size_t data_size;
};

static struct edit open_file(unsigned int rounds)
{
	struct accel_model *m = build(rounds);
	size_t size = 0, bytes, start;
	uint8_t *file = eie_encoded(m, &size), *tree = eie_tree(file, &bytes);
	int node = fdt_path_offset(file, "/tree");
	struct edit e;

	start = eie_data_start(fdt_totalsize(file));
	/* without the tree, which is the last of the data where it is packed */
	e.data_size = node < 0 ? size - start : fdt64_ld(fdt_getprop(file, node, "offset", NULL));
	e.data = malloc(e.data_size);
	memcpy(e.data, file + start, e.data_size);
	e.tree = malloc(bytes + ROOM);
	assert_int_equal(fdt_open_into(tree, e.tree, (int)bytes + ROOM), 0);
	fdt_setprop_u64(e.tree, 0, "data-size", e.data_size);
	free(tree);
	free(file);
	accel_model_unref(m);
	return e;
}

static void expect(struct edit e, const char *what, int code, const char *text)
{
	struct accel_error err = { 0 };
	struct accel_model *model = NULL;
	size_t size = 0;
	uint8_t *file = eie_assemble(e.tree, e.data, e.data_size, &size), *exact = malloc(size);
	int ret;

	/* memory of exactly this size, for the sanitizer */
	memcpy(exact, file, size);
	ret = accel_model_load(exact, size, "test", &model, &err);
	if (ret != code || !strstr(err.text, text))
		fail_msg("%s: %d '%s', not %d '%s'", what, ret, err.text, code, text);
	if (!ret)
		accel_model_unref(model);
	free(exact);
	free(file);
	free(e.tree);
	free(e.data);
}

/* The property of this value (none: len below 0) makes the file one that is refused, with this text. */
static void refused(const char *path, const char *prop, const void *value, int len, const char *text)
{
	struct edit e = open_file(ROUNDS);
	int node = fdt_path_offset(e.tree, path);

	assert_true(node >= 0);
	assert_int_equal(!prop ? fdt_del_node(e.tree, node) : len < 0 ? fdt_delprop(e.tree, node, prop) : fdt_setprop(e.tree, node, prop, value, len), 0);
	expect(e, prop ? prop : path, -EBADMSG, text);
}

static void pair(const char *path, const char *prop, uint32_t a, uint32_t b, const char *text)
{
	fdt32_t cells[2] = { cpu_to_fdt32(a), cpu_to_fdt32(b) };

	refused(path, prop, cells, sizeof(cells), text);
}

static void number(const char *path, const char *prop, uint32_t value, const char *text)
{
	fdt32_t cell = cpu_to_fdt32(value);

	refused(path, prop, &cell, sizeof(cell), text);
}

static void test_lies(void **state)
{
	static const char others[] = "entropy\0row-scales\0reals";

	(void)state;
	/* unpacked, and with a property that nobody looks at */
	{
		struct edit e = open_file(ROUNDS);

		fdt_setprop_u32(e.tree, fdt_path_offset(e.tree, "/tensors/t0"), "scale", 0x7fc00000);
		expect(e, "as it is", 0, "");
	}
	refused("/", "must-understand", others, sizeof(others), "property 'scale' is missing");
	refused("/", "numbers-crc32c", NULL, -1, "property 'scale' is missing");
	refused("/", "numbers-crc32c", "abc", 3, "'numbers-crc32c' has 3 bytes");
	number("/", "numbers-crc32c", 12345, "not those that the writer had");
	/* other reals, other numbers */
	pair("/tensors/t0", "range", 0xbf800000, 0x41000000, "not those that the writer had");
	refused("/layers/l8", "function", "Relu", 5, "not those that the writer had");
	refused("/layers/l5", "activation", "relu", 5, "not those that the writer had");
	/* what the derivation relies on is looked at before */
	pair("/layers/l0", "range", 0x7fc00000, 0x41000000, "range");
	pair("/layers/l0", "range", 0x41000000, 0x40000000, "range");
	number("/layers/l3", "input", 0, "not those that the writer had");
	{
		struct edit e = open_file(ROUNDS);

		fdt_setprop_string(e.tree, fdt_path_offset(e.tree, "/layers/l7"), "function", "Frob");
		expect(e, "unknown", -ENOTSUP, "'Frob' is unknown");
	}
	refused("/layers/l8", "function", "Frob", 5, "'table' is missing");
	refused("/layers/l8", "function", "Gelu", 5, "'table' is missing");
	pair("/layers/l8", "parameters", 0x7fc00000, 0, "not a number");
	pair("/layers/l0", "shape", 0, 72, "0 x 72");
	/* what tensors are is looked at before they are made */
	number("/layers/l0", "input", 999, "no shape follows");
	number("/layers/l3", "input", 4, "no shape follows");
	pair("/layers/l5", "inputs", 3, 999, "no shape follows");
	pair("/layers/l2", "inputs", 0, 1, "is an input of the graph or part of a concatenation");
	refused("/layers/l0", "range", NULL, -1, "'range' is missing");
	refused("/layers/l0", "calibrated", "abcd", 4, "'calibrated' has 4 bytes");
	refused("/tensors/t0", NULL, NULL, 0, "no shape follows");
	/* then there is one tensor fewer */
	number("/layers/l0", "output", 999, "no shape follows");
	number("/layers/l117", "output", 0, "output 0 is tensor 118: there is none");
	refused("/layers/l0", "input", NULL, -1, "'input' is missing");
	refused("/layers/l1", "input", NULL, -1, "the window does not fit");
	refused("/layers/l0", "nnz", NULL, -1, "'nnz' is missing");
	number("/layers/l117", "nnz", 8191, "'index' is missing");
	number("/layers/l117", "places", 0, "in 0 groups");
	number("/layers/l117", "places", 3, "in 3 groups");
	pair("/layers/l117", "shape", LAST, UINT32_MAX, "out of range");
	{
		static const char *const wrong[] = { "t118", "t119", "t65536", "u0", "t", "t0x" };

		for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
			struct edit e = open_file(ROUNDS);

			assert_int_equal(fdt_set_name(e.tree, fdt_path_offset(e.tree, "/tensors/t0"), wrong[i]), 0);
			expect(e, wrong[i], -EBADMSG, i == 0 ? "no shape follows" : i == 1 ? "there are 119 tensors" : "should be");
		}
	}
	/* a later one before it */
	{
		const fdt32_t range[2] = { 0, cpu_to_fdt32(0x3f800000) };
		struct edit e = open_file(ROUNDS);
		int node = fdt_add_subnode(e.tree, fdt_path_offset(e.tree, "/tensors"), "t1");

		assert_true(node >= 0);
		assert_int_equal(fdt_setprop(e.tree, node, "range", range, sizeof(range)), 0);
		assert_int_equal(fdt_setprop_u32(e.tree, node, "dims", 1), 0);
		assert_int_equal(fdt_setprop_string(e.tree, node, "label", "later"), 0);
		expect(e, "order", -EBADMSG, "child 't0' where 't2' or a later one should be");
	}
	/* reals that no numbers follow from */
	pair("/tensors/t0", "range", 0, 1, "numbers: tensor 'in': range");
}

/* A segment of so many tables that groups would take long to find is written out, and refused without its numbers. */
static void test_many(void **state)
{
	const struct accel_window w = same(1, 1, 1, 1);
	struct accel_error err = { 0 };
	unsigned int x;
	struct accel_graph *g = image_graph(&w, &x);
	size_t size = 0, bytes;
	uint8_t *file, *tree;
	struct accel_model *m;
	struct edit e = { .data = malloc(1) };
	char name[16];

	(void)state;
	for (unsigned int i = 0; i < 1024; i++) {
		snprintf(name, sizeof(name), "t%u", i);
		x = table_layer(g, name, x, "Relu");
	}
	random_check(accel_graph_output(g, x, &err), &err);
	m = finish(g);
	file = eie_encoded(m, &size);
	assert_false(names(file, EIE_FEATURE_NUMBERS));
	tree = eie_tree(file, &bytes);
	e.tree = malloc(bytes + ROOM);
	assert_int_equal(fdt_open_into(tree, e.tree, (int)bytes + ROOM), 0);
	fdt_setprop_u64(e.tree, 0, "data-size", 0);
	fdt_setprop_string(e.tree, 0, "must-understand", EIE_FEATURE_NUMBERS);
	fdt_setprop_u32(e.tree, 0, "numbers-crc32c", 0);
	expect(e, "many", -EBADMSG, "1025 tensors and 1024 layers");
	free(tree);
	free(file);
	accel_model_unref(m);
}

/*
 * 200,000 weights that are one step each, whatever the codebook's scale is, beside a large one: the most steps that fit the sum are found in small strides. Who makes
 * such a model may take the time; of a file nobody waits for it.
 */
static void test_work(void **state)
{
	enum { COLS = 200000 };
	const uint32_t cols = COLS, rowptr[] = { 0, COLS };
	const float codebook[] = { 0, 1e-9f, 1 };
	uint32_t *col = malloc(COLS * sizeof(*col));
	uint8_t *code = malloc(COLS);
	const struct accel_csr csr = { 1, COLS, rowptr, col, code, codebook, 3, NULL, NULL };
	struct accel_error err = { 0 };
	struct accel_graph *g;
	struct accel_model *m;
	int32_t bias;
	unsigned int x;

	(void)state;
	for (uint32_t i = 0; i < COLS; i++) {
		col[i] = i;
		code[i] = i ? 1 : 2;
	}
	random_check(accel_graph_new(&g), &err);
	random_check(accel_graph_input(g, "x", 1, &cols, -1, 1, &x, &err), &err);
	random_check(accel_graph_add_fc_csr(g, "fc", x, &csr, ACCEL_ACT_NONE, &x, &err), &err);
	m = finish(g);
	bias = m->layers[0].bias_q[0];
	assert_int_equal(accel_quantise_again(m, &err), -ERANGE);
	assert_non_null(strstr(err.text, "take too long"));
	assert_int_equal(accel_quantise(m, &err), 0);
	assert_int_equal(bias, m->layers[0].bias_q[0]);
	accel_model_unref(m);
	free(col);
	free(code);
}

/* A file that a release has written: its checksum is that of the numbers of then. Who changes the derivation must not lose it. */
static void test_committed(void **state)
{
	struct accel_model *old;
	struct accel_error err = { 0 };

	(void)state;
	if (accel_model_open("tests/fuzz/corpus/eie/numbers.eie", &old, &err))
		fail_msg("%s", err.text);
	assert_true(old->nlayers == 14 && old->tensors[1].scale > 0);
	accel_model_unref(old);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trip), cmocka_unit_test(test_others), cmocka_unit_test(test_other_table), cmocka_unit_test(test_lies),
		cmocka_unit_test(test_many), cmocka_unit_test(test_work),
		cmocka_unit_test(test_own_node), cmocka_unit_test(test_committed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
