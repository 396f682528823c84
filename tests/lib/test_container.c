// SPDX-License-Identifier: GPL-2.0 OR MIT
/* .eie files: round trips, every field broken one at a time, damage, and the ways writing fails. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include "models.h"
#include "crc32c.h"
#include "eie_edit.h"
#include "graph.h"

/* ---------------------------------------------------------------- round trips */

static void assert_same(const struct accel_model *a, const struct accel_model *b)
{
	assert_int_equal(a->ntensors, b->ntensors);
	assert_int_equal(a->nlayers, b->nlayers);
	assert_int_equal(a->ninputs, b->ninputs);
	assert_int_equal(a->noutputs, b->noutputs);
	assert_int_equal(a->nclasses, b->nclasses);
	assert_memory_equal(&a->picture_scale, &b->picture_scale, sizeof(float));
	assert_memory_equal(a->inputs, b->inputs, a->ninputs * sizeof(*a->inputs));
	assert_memory_equal(a->outputs, b->outputs, a->noutputs * sizeof(*a->outputs));
	for (unsigned int i = 0; i < a->nclasses; i++)
		assert_string_equal(a->classes[i], b->classes[i]);
	for (unsigned int i = 0; i < a->ntensors; i++) {
		struct accel_tensor x = a->tensors[i], y = b->tensors[i];

		assert_string_equal(x.name, y.name);
		assert_int_equal(x.ndim, y.ndim);
		assert_memory_equal(x.dims, y.dims, sizeof(x.dims));
		assert_int_equal(x.count, y.count);
		assert_true(x.range_lo == y.range_lo && x.range_hi == y.range_hi && x.scale == y.scale);
		assert_true(x.lo == y.lo && x.hi == y.hi && x.calibrated == y.calibrated);
	}
	for (unsigned int i = 0; i < a->nlayers; i++) {
		struct accel_layer x = a->layers[i], y = b->layers[i];

		assert_string_equal(x.name, y.name);
		assert_true(x.kind == y.kind && x.activation == y.activation && x.input == y.input && x.output == y.output);
		assert_true(x.rows == y.rows && x.cols == y.cols && x.nnz == y.nnz);
		assert_true(x.code_bits == y.code_bits && x.ncodes == y.ncodes && x.codebook_scale == y.codebook_scale);
		assert_memory_equal(x.rowptr, y.rowptr, (x.rows + 1) * sizeof(*x.rowptr));
		assert_true(!x.nnz || !memcmp(x.col, y.col, x.nnz * sizeof(*x.col)));
		assert_true(!x.nnz || !memcmp(x.code, y.code, x.nnz));
		assert_memory_equal(x.codebook, y.codebook, x.ncodes * sizeof(*x.codebook));
		assert_memory_equal(x.codebook_q, y.codebook_q, x.ncodes * sizeof(*x.codebook_q));
		assert_memory_equal(x.bias, y.bias, x.rows * sizeof(*x.bias));
		assert_memory_equal(x.bias_q, y.bias_q, x.rows * sizeof(*x.bias_q));
		assert_memory_equal(x.mult, y.mult, x.rows * sizeof(*x.mult));
		assert_memory_equal(x.shift, y.shift, x.rows * sizeof(*x.shift));
	}
}

static struct accel_model *load(const void *data, size_t size)
{
	struct accel_error err = { 0 };
	struct accel_model *model;

	if (accel_model_load(data, size, "test", &model, &err))
		fail_msg("%s", err.text);
	return model;
}

static void round_trip(struct accel_model *model)
{
	struct accel_error err = { 0 };
	struct accel_model *copy;
	void *data, *again;
	size_t size, again_size;

	if (eie_encode(model, &data, &size, NULL, &err))
		fail_msg("%s", err.text);
	copy = load(data, size);
	assert_same(model, copy);
	assert_int_equal(accel_model_file_bytes(copy), size);
	assert_int_equal(eie_encode(copy, &again, &again_size, NULL, &err), 0);
	assert_int_equal(size, again_size);
	assert_memory_equal(data, again, size);
	free(data);
	free(again);
	accel_model_unref(copy);
	accel_model_unref(model);
}

static void test_round_trips(void **p)
{
	static const double densities[] = { 0, 0.001, 0.05, 0.3, 1 };
	static const uint32_t dims[] = { 70, 33, 20, 5 }, one[] = { 1, 1 }, flat[] = { 3000, 1, 2000 };
	struct accel_model *model;

	(void)p;
	for (unsigned int i = 0; i < 5; i++) {
		round_trip(test_finish(test_graph(i, 4, dims, densities[i])));
		round_trip(test_finish(test_graph(i, 2, one, densities[i])));
		round_trip(test_finish(test_graph(i, 3, flat, densities[i])));
	}
	/* row parameters of their own */
	model = test_finish(test_graph(7, 4, dims, 0.2));
	model->layers[1].mult[3] ^= 1;
	model->layers[2].shift[4]--;
	round_trip(model);
}

/* A mostly empty matrix has gaps that need quotients of more than one machine word. */
static void test_long_gaps(void **p)
{
	uint32_t rows = 3000, cols = 3000, *rowptr = calloc(rows + 1, sizeof(*rowptr)), col[] = { 0, 1, 2, 3, 2999 };
	uint8_t code[] = { 1, 1, 1, 1, 1 };
	float codebook[] = { 0, 1 };
	struct accel_csr csr = { rows, cols, rowptr, col, code, codebook, 2, NULL, NULL };
	struct accel_graph *graph;
	unsigned int t;

	(void)p;
	for (uint32_t r = 1; r <= rows; r++)
		rowptr[r] = r < 2999 ? 4 : 5;
	assert_int_equal(accel_graph_new(&graph), 0);
	assert_int_equal(accel_graph_input(graph, "x", 1, &cols, -1, 1, &t, NULL), 0);
	assert_int_equal(accel_graph_add_fc_csr(graph, "fc", t, &csr, ACCEL_ACT_NONE, &t, NULL), 0);
	round_trip(test_finish(graph));
	free(rowptr);
}

/* ---------------------------------------------------------------- broken fields */

/* Two layers of 6 x 9 and 3 x 6 with class names. */
static struct accel_model *small_model(void)
{
	static const char *const classes[] = { "ant", "bee", "cat" };
	static const uint32_t dims[] = { 9, 6, 3 };
	struct accel_graph *graph = test_graph(21, 3, dims, 0.4);

	assert_int_equal(accel_graph_class_names(graph, 3, classes), 0);
	return test_finish(graph);
}

struct parts {
	void *fdt;               /* with room for edits */
	uint8_t *data;
	size_t data_size;
};

static void take_apart(struct parts *parts)
{
	struct accel_model *model = small_model();
	uint8_t *file;
	void *p;
	size_t size, start;

	assert_int_equal(eie_encode(model, &p, &size, NULL, NULL), 0);
	file = p;
	start = eie_data_start(fdt_totalsize(file));
	parts->fdt = malloc(fdt_totalsize(file) + 4096);
	assert_int_equal(fdt_open_into(file, parts->fdt, (int)fdt_totalsize(file) + 4096), 0);
	parts->data_size = size - start;
	parts->data = malloc(parts->data_size);
	memcpy(parts->data, file + start, parts->data_size);
	free(file);
	accel_model_unref(model);
}

/* Assembles, loads, expects code and a text that holds `text`. */
static void expect(struct parts *parts, const char *what, int code, const char *text)
{
	struct accel_error err = { 0 };
	struct accel_model *model = NULL;
	size_t size = 0;
	uint8_t *file = eie_assemble(parts->fdt, parts->data, parts->data_size, &size);
	int ret;

	assert_non_null(file);
	ret = accel_model_load(file, size, "test", &model, &err);
	if (ret != code || (code && (err.code != code || !strstr(err.text, text) || strncmp(err.text, "test", 4))))
		fail_msg("%s: %d (%s), not %d with '%s'", what, ret, err.text, code, text);
	accel_model_unref(ret ? NULL : model);
	free(file);
	free(parts->fdt);
	free(parts->data);
}

static int node_of(void *fdt, const char *path)
{
	int node = fdt_path_offset(fdt, path);

	if (node < 0)
		fail_msg("%s: %s", path, fdt_strerror(node));
	return node;
}

static void set(const char *path, const char *property, const void *value, int len, int code, const char *text)
{
	struct parts parts;
	char what[128];

	snprintf(what, sizeof(what), "%s %s", path, property);
	take_apart(&parts);
	assert_int_equal(fdt_setprop(parts.fdt, node_of(parts.fdt, path), property, value, len), 0);
	expect(&parts, what, code, text);
}

static void set_cells(const char *path, const char *property, unsigned int n, const uint32_t *cells, int code, const char *text)
{
	fdt32_t value[16];

	for (unsigned int i = 0; i < n; i++)
		value[i] = cpu_to_fdt32(cells[i]);
	set(path, property, value, (int)(4 * n), code, text);
}

#define CELLS(path, property, code, text, ...) do { \
	uint32_t cells_[] = { __VA_ARGS__ }; \
	set_cells(path, property, sizeof(cells_) / 4, cells_, code, text); \
} while (0)
#define STRING(path, property, value, code, text) set(path, property, value, sizeof(value), code, text)

/* Changes one cell of a property. */
static void poke(const char *path, const char *property, unsigned int index, uint32_t cell, int code, const char *text)
{
	struct parts parts;
	char what[128];
	int len;
	uint8_t *value;

	snprintf(what, sizeof(what), "%s %s[%u]", path, property, index);
	take_apart(&parts);
	value = (uint8_t *)fdt_getprop(parts.fdt, node_of(parts.fdt, path), property, &len);
	assert_true(value && len >= 4 * ((int)index + 1));
	fdt32_st(value + 4 * index, cell);
	expect(&parts, what, code, text);
}

static void drop(const char *path, const char *property)
{
	struct parts parts;
	char what[128];

	snprintf(what, sizeof(what), "%s without %s", path, property);
	take_apart(&parts);
	assert_int_equal(fdt_delprop(parts.fdt, node_of(parts.fdt, path), property), 0);
	expect(&parts, what, -EBADMSG, "missing");
}

static void drop_node(const char *path, int code, const char *text)
{
	struct parts parts;

	take_apart(&parts);
	assert_int_equal(fdt_del_node(parts.fdt, node_of(parts.fdt, path)), 0);
	expect(&parts, path, code, text);
}

#define NAN_BITS 0x7fc00000u
#define INF_BITS 0x7f800000u
#define MINUS_ONE 0xbf800000u

static void test_missing(void **p)
{
	static const struct {
		const char *path, *property;
	} needed[] = {
		{ "/", EIE_HEADER_CRC }, { "/", "data-size" }, { "/", "picture-scale" }, { "/", "inputs" }, { "/", "outputs" },
		{ "/tensors/t0", "label" }, { "/tensors/t0", "dims" }, { "/tensors/t0", "range" }, { "/tensors/t0", "scale" },
		{ "/tensors/t0", "clamp" }, { "/layers/l0", "label" }, { "/layers/l0", "kind" }, { "/layers/l0", "activation" },
		{ "/layers/l0", "input" }, { "/layers/l0", "output" }, { "/layers/l0", "shape" }, { "/layers/l0", "nnz" },
		{ "/layers/l0", "code-bits" }, { "/layers/l0", "codebook" },
		{ "/layers/l0", "codebook-scale" }, { "/layers/l0", "mult" }, { "/layers/l0", "shift" },
		{ "/layers/l0/codes", "offset" }, { "/layers/l0/codes", "size" }, { "/layers/l0/codes", "crc32c" },
		{ "/layers/l0/index", "rice-bits" },
	};

	(void)p;
	for (size_t i = 0; i < sizeof(needed) / sizeof(needed[0]); i++) {
		drop(needed[i].path, needed[i].property);
		set(needed[i].path, needed[i].property, "abc", 3, -EBADMSG, "");
	}
	drop_node("/tensors", -EBADMSG, "'tensors'");
	drop_node("/layers", -EBADMSG, "'layers'");
	drop_node("/tensors/t0", -EBADMSG, "'t1' where 't0'");
	drop_node("/layers/l0", -EBADMSG, "'l1' where 'l0'");
	drop_node("/tensors/t2", -EBADMSG, "there is none");
	drop_node("/layers/l1", -EBADMSG, "no layer writes");
	drop_node("/layers/l0/codes", -EBADMSG, "'codes'");
	drop_node("/layers/l0/index", -EBADMSG, "'index'");
	drop_node("/layers/l0/bias", -EBADMSG, "'bias'");
}

/* Integers that follow from reals are left out where there are many of them, and only of a file that says so. */
static void test_derived(void **p)
{
	static const uint32_t dims[] = { 40, 200, 10 };
	struct accel_model *model = test_finish(test_graph(5, 3, dims, 0.5)), *again;
	struct accel_error err = { 0 };
	int q_was = model->layers[0].bias_q[7];
	uint8_t *file;
	void *data;
	size_t size;

	(void)p;
	for (int different = 0; different <= 1; different++) {
		/* one that does not follow is kept, and all of its layer */
		model->layers[0].bias_q[7] = q_was + different;
		assert_int_equal(eie_encode(model, &data, &size, NULL, NULL), 0);
		assert_int_equal(fdt_path_offset(data, "/layers/l0/bias-q") >= 0, different);
		assert_int_equal(!!fdt_getprop(data, fdt_path_offset(data, "/layers/l0"), "codebook-q", NULL), different);
		assert_int_equal(accel_model_load(data, size, "test", &again, &err), 0);
		for (unsigned int l = 0; l < 2; l++) {
			const struct accel_layer *a = &model->layers[l], *b = &again->layers[l];

			assert_memory_equal(a->codebook_q, b->codebook_q, a->ncodes * sizeof(*a->codebook_q));
			assert_memory_equal(a->bias_q, b->bias_q, a->rows * sizeof(*a->bias_q));
		}
		accel_model_unref(again);
		free(data);
	}
	model->layers[0].bias_q[7] = q_was;
	assert_int_equal(eie_encode(model, &data, &size, NULL, NULL), 0);
	file = data;
	/* a file that does not say so lacks them */
	assert_int_equal(fdt_stringlist_search(file, 0, "must-understand", "derived") >= 0, 1);
	fdt_nop_property(file, 0, "must-understand");
	eie_fix_checksums(file, file + eie_data_start(fdt_totalsize(file)), size - eie_data_start(fdt_totalsize(file)));
	assert_int_equal(accel_model_load(file, size, "test", &again, &err), -EBADMSG);
	assert_non_null(strstr(err.text, "'codebook-q' is missing") ? err.text : strstr(err.text, "does not name the feature"));
	free(data);
	accel_model_unref(model);
}

static void test_root(void **p)
{
	(void)p;
	STRING("/", "compatible", "eie,model-1", 0, "");
	STRING("/", "compatible", "eie,model-9\0eie,model-1", 0, "");
	STRING("/", "compatible", "eie,model-9", -ENOTSUP, "eie,model-9");
	STRING("/", "compatible", "linux,dummy", -EBADMSG, "something else");
	set("/", "compatible", "eie,model-1", 11, -EBADMSG, "something else");
	/* what a later release may add without need to be understood */
	STRING("/", "note", "hello", 0, "");
	STRING("/tensors/t0", "note", "hello", 0, "");
	STRING("/layers/l0/codes", "note", "hello", 0, "");
	STRING("/", "must-understand", "frobnication", -ENOTSUP, "frobnication");
	STRING("/tensors", "must-understand", "frobnication", -ENOTSUP, "frobnication");
	STRING("/layers/l1/index", "must-understand", "a\0b", -ENOTSUP, "'a'");
	set("/", "must-understand", "", 0, -EBADMSG, "must-understand");
	set("/", "must-understand", "ab", 2, -EBADMSG, "must-understand");
	poke("/", "data-size", 1, 0, -EBADMSG, "truncated");
	poke("/", "data-size", 0, 1, -EBADMSG, "truncated");
	poke("/", "picture-scale", 0, 0, -EBADMSG, "picture scale");
	poke("/", "picture-scale", 0, NAN_BITS, -EBADMSG, "picture scale");
	poke("/", "picture-scale", 0, MINUS_ONE, -EBADMSG, "picture scale");
	set("/", "inputs", "", 0, -EBADMSG, "inputs");
	CELLS("/", "inputs", -EBADMSG, "there is none", 3);
	CELLS("/", "inputs", -EBADMSG, "twice", 0, 0);
	CELLS("/", "inputs", -EBADMSG, "it has a writer", 0, 1);
	CELLS("/", "inputs", -EBADMSG, "which nothing before it makes", 1);
	CELLS("/", "outputs", -EBADMSG, "there is none", 3);
	CELLS("/", "outputs", -EBADMSG, "twice", 2, 2);
	CELLS("/", "outputs", -EBADMSG, "an input", 0);
	STRING("/", "classes", "one\0two", -EBADMSG, "2 class names");
	STRING("/", "classes", "one\0\0three", -EBADMSG, "no name");
	STRING("/", "classes", "one\0t\two\0three", -EBADMSG, "control");
	set("/", "classes", "one\0two\0three", 13, -EBADMSG, "classes");
	set("/", "classes", "", 0, -EBADMSG, "classes");
}

static void test_tensors(void **p)
{
	const char *t0 = "/tensors/t0", *t1 = "/tensors/t1";

	(void)p;
	STRING(t0, "label", "fc1", -EBADMSG, "two tensors");
	STRING(t0, "label", "", -EBADMSG, "no name");
	STRING(t0, "label", "a\nb", -EBADMSG, "control");
	STRING(t0, "label", "a\0b", -EBADMSG, "no string");
	set(t0, "label", "abcd", 4, -EBADMSG, "no string");
	CELLS(t0, "dims", 0, "", 3, 3);
	CELLS(t0, "dims", 0, "", 1, 1, 1, 1, 1, 9);
	CELLS(t0, "dims", -EBADMSG, "dims", 1, 1, 1, 1, 1, 1, 9);
	CELLS(t0, "dims", -EBADMSG, "dimension 0", 0);
	CELLS(t0, "dims", -EBADMSG, "6 x 9", 10);
	CELLS(t0, "dims", -EBADMSG, "dimension 1", 1u << 24, 1u << 24);
	CELLS(t0, "dims", -EBADMSG, "too many", 1u << 31, 1u << 31, 1u << 31);
	poke(t0, "range", 0, NAN_BITS, -EBADMSG, "range");
	poke(t0, "range", 1, INF_BITS, -EBADMSG, "range");
	poke(t0, "range", 1, 0xc0000000, -EBADMSG, "range");
	set(t0, "calibrated", "abcd", 4, -EBADMSG, "calibrated");
	poke(t0, "scale", 0, 0, -EBADMSG, "scale");
	poke(t0, "scale", 0, NAN_BITS, -EBADMSG, "scale");
	poke(t0, "scale", 0, INF_BITS, -EBADMSG, "scale");
	poke(t0, "scale", 0, 1, -EBADMSG, "scale");
	poke(t0, "clamp", 0, (uint32_t)-32768, -EBADMSG, "clamp");
	poke(t0, "clamp", 1, 40000, -EBADMSG, "clamp");
	poke(t0, "clamp", 1, (uint32_t)-32769, -EBADMSG, "clamp");
	CELLS(t0, "clamp", -EBADMSG, "clamp", 5, 4);
	poke(t1, "clamp", 0, (uint32_t)-1, -EBADMSG, "ReLU");
}

static void test_layers(void **p)
{
	const char *l0 = "/layers/l0";

	(void)p;
	STRING(l0, "label", "fc2", -EBADMSG, "two layers");
	STRING(l0, "label", "", -EBADMSG, "no name");
	STRING(l0, "kind", "pool", -ENOTSUP, "pool");
	STRING(l0, "kind", "conv", -EBADMSG, "window");
	STRING(l0, "activation", "gelu", -ENOTSUP, "gelu");
	poke(l0, "input", 0, 3, -EBADMSG, "nothing before it makes");
	poke(l0, "input", 0, 2, -EBADMSG, "nothing before it makes");
	poke(l0, "output", 0, 3, -EBADMSG, "there is none");
	poke(l0, "output", 0, 0, -EBADMSG, "it has a writer");
	poke(l0, "shape", 0, 0, -EBADMSG, "0 x 9");
	poke(l0, "shape", 0, (1u << 24) + 1, -EBADMSG, "out of range");
	poke(l0, "shape", 0, 5, -EBADMSG, "bias");
	poke(l0, "shape", 1, 0, -EBADMSG, "6 x 0");
	poke(l0, "shape", 1, 10, -EBADMSG, "6 x 10");
	poke(l0, "nnz", 0, 1u << 31, -EBADMSG, "out of range");
	poke(l0, "nnz", 0, 3, -EBADMSG, "codes: ");
	poke(l0, "nnz", 0, 55, -EBADMSG, "codes: ");
	poke(l0, "code-bits", 0, 8, -EBADMSG, "codes: ");
	poke(l0, "code-bits", 0, 0, -EBADMSG, "codes of 0 bits");
	poke(l0, "codebook", 0, MINUS_ONE, -EBADMSG, "codebook[0]");
	poke(l0, "codebook", 3, NAN_BITS, -EBADMSG, "codebook[3]");
	CELLS(l0, "codebook", -EBADMSG, "codebook-q", 0, 0x3f800000);
	poke(l0, "codebook-q", 0, 1, -EBADMSG, "codebook[0]");
	poke(l0, "codebook-q", 1, (uint32_t)-32768, -EBADMSG, "codebook[1]");
	poke(l0, "codebook-q", 1, 32768, -EBADMSG, "16-bit");
	poke(l0, "codebook-scale", 0, 0, -EBADMSG, "scale");
	poke(l0, "codebook-scale", 0, NAN_BITS, -EBADMSG, "scale");
	poke(l0, "mult", 0, 65536, -EBADMSG, "mult");
	poke(l0, "shift", 0, 0, -EBADMSG, "shift");
	poke(l0, "shift", 0, 48, -EBADMSG, "shift");
	poke(l0, "shift", 0, 256, -EBADMSG, "shift");
}

static void test_blobs(void **p)
{
	const char *codes = "/layers/l0/codes", *index = "/layers/l0/index", *bias = "/layers/l0/bias";

	(void)p;
	poke(codes, "offset", 1, 4, -EBADMSG, "multiple");
	poke(codes, "offset", 1, 1u << 20, -EBADMSG, "outside");
	poke(codes, "offset", 0, 0xffffffff, -EBADMSG, "outside");
	poke(codes, "size", 0, 0xffffffff, -EBADMSG, "outside");
	poke(codes, "size", 1, 1, -EBADMSG, "codes: 1 bytes");
	poke(index, "size", 1, 1, -EBADMSG, "index: ");
	poke(index, "size", 1, 0, -EBADMSG, "index: ");
	poke(index, "rice-bits", 0, 25, -EBADMSG, "rice-bits");
	poke(index, "rice-bits", 0, 24, -EBADMSG, "index: ");
	poke(bias, "size", 1, 28, -EBADMSG, "bias: 28 bytes");
	/* the second layer's bias is the first one's: as long as needed, but shared */
	poke("/layers/l1/bias", "offset", 1, 16, -EBADMSG, "share");
	STRING(codes, "coding", "none", 0, "");
	STRING(codes, "coding", "lz", -ENOTSUP, "lz");
	STRING(codes, "coding", "huffman", -EBADMSG, "does not name the feature 'entropy'");
	STRING(codes, "coding", "rice", -EBADMSG, "coding 'rice', not 'none'");
	STRING(codes, "coding", "rice", -EBADMSG, "coding");
	STRING(index, "coding", "none", -EBADMSG, "coding");
	STRING(index, "coding", "lz", -ENOTSUP, "lz");
	STRING(bias, "coding", "ans", -EBADMSG, "coding 'ans', not 'none'");
	set(bias, "coding", "none", 4, -EBADMSG, "no string");
}

/* The first four bytes of a blob := word, checksums right. */
static void poke_blob(const char *path, uint32_t word, const char *text)
{
	struct parts parts;
	const void *offset;

	take_apart(&parts);
	offset = fdt_getprop(parts.fdt, node_of(parts.fdt, path), "offset", NULL);
	memcpy(parts.data + fdt64_ld(offset), &word, sizeof(word));
	expect(&parts, path, -EBADMSG, text);
}

static void test_contents(void **p)
{
	(void)p;
	poke_blob("/layers/l0/codes", 0, "code 0");
	poke_blob("/layers/l0/bias", NAN_BITS, "bias[0]");
	poke_blob("/layers/l0/bias-q", INT32_MAX, "32 bits");
	poke_blob("/layers/l0/bias-q", (uint32_t)INT32_MIN, "32 bits");
	poke_blob("/layers/l0/index", 0xffffffff, "index: ");
	poke_blob("/layers/l0/index", 0, "index: ");
}

/* ---------------------------------------------------------------- damage */

static void test_truncated(void **p)
{
	struct accel_error err = { 0 };
	struct accel_model *model = small_model(), *none;
	void *file;
	size_t size;

	(void)p;
	assert_int_equal(eie_encode(model, &file, &size, NULL, NULL), 0);
	for (size_t n = 0; n < size; n++) {
		/* memory of exactly this size, for the sanitizer */
		uint8_t *part = malloc(n ? n : 1);

		memcpy(part, file, n);
		assert_int_equal(accel_model_load(part, n, "test", &none, &err), -EBADMSG);
		assert_int_equal(err.code, -EBADMSG);
		free(part);
	}
	file = realloc(file, size + 1);
	((uint8_t *)file)[size] = 0;
	assert_int_equal(accel_model_load(file, size + 1, "test", &none, &err), -EBADMSG);
	free(file);
	accel_model_unref(model);
}

static void test_bit_flips(void **p)
{
	struct accel_model *model = small_model(), *other;
	size_t size, harmless = 0;
	uint8_t *bytes;
	void *file;

	(void)p;
	assert_int_equal(eie_encode(model, &file, &size, NULL, NULL), 0);
	bytes = file;
	for (size_t bit = 0; bit < 8 * size; bit++) {
		int ret;

		bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
		ret = accel_model_load(file, size, "test", &other, NULL);
		if (!ret) {
			assert_same(model, other);
			accel_model_unref(other);
			harmless++;
		} else if (ret != -EBADMSG && ret != -ENOTSUP) {
			fail_msg("bit %zu: %d", bit, ret);
		}
		bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
	/* padding between blobs only */
	assert_true(harmless <= 8 * 8 * 10);
	free(file);
	accel_model_unref(model);
}

/* ---------------------------------------------------------------- files */

static char dir[] = "/tmp/test_container.XXXXXX";
static char path[64];

static int make_dir(void **p)
{
	(void)p;
	memcpy(dir + sizeof(dir) - 7, "XXXXXX", 6);
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/model.eie", dir);
	return 0;
}

static unsigned int files_in_dir(void)
{
	DIR *d = opendir(dir);
	unsigned int n = 0;

	assert_non_null(d);
	for (struct dirent *e; (e = readdir(d)); )
		n += e->d_name[0] != '.' || strlen(e->d_name) > 2;
	closedir(d);
	return n;
}

static int remove_dir(void **p)
{
	(void)p;
	unlink(path);
	return rmdir(dir);
}

static void test_save_open(void **p)
{
	struct accel_model *model = small_model(), *copy;
	struct accel_layer_info info;
	struct accel_error err = { 0 };
	struct stat st;
	mode_t old = umask(027);

	(void)p;
	assert_int_equal(accel_model_open(path, &copy, &err), -ENOENT);
	assert_non_null(strstr(err.text, path));
	assert_int_equal(accel_model_open(dir, &copy, &err), -EISDIR);
	assert_int_equal(accel_model_open("/dev/null", &copy, &err), -EBADMSG);
	assert_int_equal(accel_model_save(model, path, &err), 0);
	umask(old);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0640);
	assert_int_equal(accel_model_file_bytes(model), st.st_size);
	assert_int_equal(accel_model_open(path, &copy, &err), 0);
	assert_same(model, copy);
	assert_int_equal(accel_model_layer(copy, 0, &info), 0);
	assert_int_equal(info.file_bytes_codes, (info.nonzeros + 1) / 2);
	assert_true(info.file_bytes_index > 0 && info.file_bytes_other >= 6 * 8);
	accel_model_unref(copy);
	/* over the old one, and without a slash in the name */
	assert_int_equal(accel_model_save(model, path, &err), 0);
	assert_int_equal(chdir(dir), 0);
	assert_int_equal(accel_model_save(model, "model.eie", &err), 0);
	assert_int_equal(chdir("/"), 0);
	assert_int_equal(files_in_dir(), 1);
	accel_model_unref(model);
}

static void test_save_link(void **p)
{
	struct accel_model *model = small_model();
	char link[80];
	struct stat st;

	(void)p;
	snprintf(link, sizeof(link), "%s/link", dir);
	assert_int_equal(accel_model_save(model, path, NULL), 0);
	assert_int_equal(symlink("model.eie", link), 0);
	assert_int_equal(accel_model_save(model, link, NULL), 0);
	assert_int_equal(lstat(link, &st), 0);
	assert_true(S_ISLNK(st.st_mode));
	assert_int_equal(unlink(link), 0);
	assert_int_equal(files_in_dir(), 1);
	accel_model_unref(model);
}

/* The disk fills up: the old file stays, nothing else does. */
static void test_disk_full(void **p)
{
	struct accel_model *model = small_model(), *copy;
	struct accel_error err = { 0 };
	struct rlimit old, tiny;

	(void)p;
	assert_int_equal(accel_model_save(model, path, &err), 0);
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
	tiny = old;
	tiny.rlim_cur = 100;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &tiny), 0);
	assert_int_equal(accel_model_save(model, path, &err), -EFBIG);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
	assert_non_null(strstr(err.text, path));
	assert_int_equal(files_in_dir(), 1);
	assert_int_equal(accel_model_open(path, &copy, &err), 0);
	assert_same(model, copy);
	accel_model_unref(copy);
	/* a device is written to, never replaced */
	assert_int_equal(accel_model_save(model, "/dev/full", &err), -ENOSPC);
	assert_non_null(strstr(err.text, "/dev/full"));
	assert_int_equal(accel_model_save(model, "/dev/null", &err), 0);
	accel_model_unref(model);
}

static void test_save_refused(void **p)
{
	struct accel_model *model = small_model();
	struct accel_error err = { 0 };
	char deep[128];
	int status;
	pid_t pid;

	(void)p;
	snprintf(deep, sizeof(deep), "%s/no/such/folder.eie", dir);
	assert_int_equal(accel_model_save(model, deep, &err), -ENOENT);
	assert_non_null(strstr(err.text, deep));
	assert_int_equal(accel_model_save(model, dir, &err), -EISDIR);
	assert_int_equal(accel_model_save(model, "", &err), -ENOENT);
	assert_int_equal(files_in_dir(), 0);
	/* as nobody in root's folder */
	assert_int_equal(chmod(dir, 0555), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (!pid) {
		if (!getuid() && setresuid(65534, 65534, 65534))
			_exit(1);
		_exit(accel_model_save(model, path, &err) == -EACCES && strstr(err.text, path) ? 0 : 2);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(chmod(dir, 0755), 0);
	assert_int_equal(status, 0);
	assert_int_equal(files_in_dir(), 0);
	accel_model_unref(model);
}

/* RFC 3720, appendix B.4; with the processor's instruction and without it, whatever the length and the place. */
static void test_crc32c(void **state)
{
	uint8_t bytes[300];

	(void)state;
	assert_int_equal(accel_crc32c(0, "123456789", 9), 0xe3069283);
	assert_int_equal(accel_crc32c_portable(0, "123456789", 9), 0xe3069283);
	for (unsigned int i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)(i * i + 7 * i);
	for (unsigned int first = 0; first < 9; first++) {
		for (unsigned int n = 0; first + n <= sizeof(bytes); n++) {
			uint32_t whole = accel_crc32c(5, bytes + first, n);

			assert_int_equal(whole, accel_crc32c_portable(5, bytes + first, n));
			assert_int_equal(whole, accel_crc32c(accel_crc32c(5, bytes + first, n / 3), bytes + first + n / 3, n - n / 3));
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_crc32c), cmocka_unit_test(test_round_trips),
		cmocka_unit_test(test_long_gaps),
		cmocka_unit_test(test_missing), cmocka_unit_test(test_derived),
		cmocka_unit_test(test_root),
		cmocka_unit_test(test_tensors),
		cmocka_unit_test(test_layers),
		cmocka_unit_test(test_blobs),
		cmocka_unit_test(test_contents),
		cmocka_unit_test(test_truncated),
		cmocka_unit_test(test_bit_flips),
		cmocka_unit_test_setup_teardown(test_save_open, make_dir, remove_dir),
		cmocka_unit_test_setup_teardown(test_save_link, make_dir, remove_dir),
		cmocka_unit_test_setup_teardown(test_disk_full, make_dir, remove_dir),
		cmocka_unit_test_setup_teardown(test_save_refused, make_dir, remove_dir),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
