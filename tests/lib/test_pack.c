// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Packed trees of .eie files, and blobs in a stream: the same model comes back, smaller; and what was damaged or lies is refused. */
#include <errno.h>
#include <string.h>
#include "models.h"
#include "eie_tree.h"

#define LAYERS 40u    /* so many have blobs enough for a stream, */
#define FEW    25u    /* so many have not; both trees are packed */
#define ROOM   4096

/* Many layers of few weights. */
static struct accel_model *many_layers(unsigned int n)
{
	uint32_t dims[LAYERS + 1];

	for (unsigned int i = 0; i <= n; i++)
		dims[i] = 3 + i % 4;
	return test_finish(test_graph(11, n + 1, dims, 0.6));
}

static void packed(unsigned int layers)
{
	struct accel_model *model = many_layers(layers), *copy;
	struct accel_error err = { 0 };
	size_t size = 0, again_size = 0;
	uint8_t *data = eie_encoded(model, &size), *again;
	int node = fdt_path_offset(data, "/tree");

	assert_int_equal(fdt_stringlist_search(data, 0, "must-understand", EIE_FEATURE_STREAM) >= 0, layers == LAYERS);
	assert_true(fdt_stringlist_search(data, 0, "must-understand", EIE_FEATURE_PACKED) >= 0);
	assert_true(node >= 0 && fdt_path_offset(data, "/layers") < 0);
	/* half of it at least */
	assert_true(2 * fdt64_ld(fdt_getprop(data, node, "size", NULL)) < fdt32_ld(fdt_getprop(data, node, "bytes", NULL)));
	if (accel_model_load(data, size, "test", &copy, &err))
		fail_msg("%s", err.text);
	assert_int_equal(accel_model_layers(copy), layers);
	for (unsigned int i = 0; i < layers; i++) {
		const struct accel_layer *a = &model->layers[i], *b = &copy->layers[i];

		assert_string_equal(a->name, b->name);
		assert_int_equal(a->nnz, b->nnz);
		assert_memory_equal(a->codebook, b->codebook, a->ncodes * sizeof(float));
		assert_memory_equal(a->codebook_q, b->codebook_q, a->ncodes * sizeof(int16_t));
		assert_memory_equal(a->bias, b->bias, a->rows * sizeof(float));
		assert_memory_equal(a->bias_q, b->bias_q, a->rows * sizeof(int32_t));
		assert_true(!a->nnz || !memcmp(a->code, b->code, a->nnz));
	}
	again = eie_encoded(copy, &again_size);
	assert_int_equal(size, again_size);
	assert_memory_equal(data, again, size);
	free(data);
	free(again);
	accel_model_unref(model);
	accel_model_unref(copy);
}

static void test_packed(void **state)
{
	(void)state;
	packed(FEW);
	packed(LAYERS);
}

/* ---------------------------------------------------------------- lies */

struct edit {
	uint8_t *fdt, *data, *tree;   /* outer, blobs, the packed tree as it was */
	size_t data_size, at;         /* at: of the packed tree, the last blob */
	uint32_t bytes;
};

static struct edit open_file(unsigned int layers)
{
	struct accel_model *model = many_layers(layers);
	size_t size = 0, start;
	uint8_t *file = eie_encoded(model, &size);
	struct edit e;
	size_t bytes;
	int node;

	start = eie_data_start(fdt_totalsize(file));
	e = (struct edit){ .fdt = malloc(fdt_totalsize(file) + ROOM), .data_size = size - start };
	assert_int_equal(fdt_open_into(file, e.fdt, (int)fdt_totalsize(file) + ROOM), 0);
	node = fdt_path_offset(e.fdt, "/tree");
	e.at = e.data_size - fdt64_ld(fdt_getprop(e.fdt, node, "size", NULL));
	e.tree = eie_tree(file, &bytes);
	e.bytes = (uint32_t)bytes;
	/* room for a tree that is packed less well */
	e.data = calloc(1, e.data_size + lzma_stream_buffer_bound(2 * e.bytes));
	memcpy(e.data, file + start, e.data_size);
	free(file);
	accel_model_unref(model);
	return e;
}

static void refused(struct edit e, const char *what, int code, const char *text)
{
	struct accel_error err = { 0 };
	struct accel_model *model = NULL;
	size_t size = 0;
	uint8_t *file, *exact;
	int ret;

	fdt_setprop_u64(e.fdt, 0, "data-size", e.data_size);
	file = eie_assemble(e.fdt, e.data, e.data_size, &size);
	assert_non_null(file);
	/* memory of exactly this size, for the sanitizer */
	exact = malloc(size);
	memcpy(exact, file, size);
	ret = accel_model_load(exact, size, "test", &model, &err);
	if (ret != code || !strstr(err.text, text))
		fail_msg("%s: %d '%s', not %d '%s'", what, ret, err.text, code, text);
	free(exact);
	free(file);
	free(e.fdt);
	free(e.data);
	free(e.tree);
}

/* The packed tree anew, of n bytes that e.tree has now. */
static struct edit repacked(struct edit e, uint32_t n)
{
	size_t size = eie_pack_tree(e.tree, n, e.data + e.at);
	int node;

	node = fdt_path_offset(e.fdt, "/tree");
	assert_int_equal(fdt_setprop_u64(e.fdt, node, "size", size), 0);
	assert_int_equal(fdt_setprop_u32(e.fdt, fdt_path_offset(e.fdt, "/tree"), "bytes", n), 0);
	e.data_size = e.at + size;
	return e;
}

static void number(const char *name, uint32_t value, const char *text)
{
	struct edit e = open_file(FEW);

	assert_int_equal(fdt_setprop_u32(e.fdt, fdt_path_offset(e.fdt, "/tree"), name, value), 0);
	refused(e, name, -EBADMSG, text);
}

static void test_outer(void **state)
{
	struct edit e = open_file(FEW);
	uint32_t bytes = e.bytes;

	(void)state;
	assert_int_equal(fdt_del_node(e.fdt, fdt_path_offset(e.fdt, "/tree")), 0);
	refused(e, "no blob", -EBADMSG, "'tree' is missing");
	number("bytes", bytes + 1, "not");
	number("bytes", bytes - 1, "not");
	number("bytes", 8, "tree: 8 bytes");
	number("bytes", UINT32_MAX, "tree: 4294967295 bytes");
	number("bytes", 1u << 30, "tree: 1073741824 bytes in");
	e = open_file(FEW);
	fdt_setprop_string(e.fdt, fdt_path_offset(e.fdt, "/tree"), "coding", "deflate");
	refused(e, "coding", -ENOTSUP, "deflate");
	/* cut, and damaged with its checksum right */
	e = open_file(FEW);
	fdt_setprop_u64(e.fdt, fdt_path_offset(e.fdt, "/tree"), "size", e.data_size - e.at - 7);
	refused(e, "cut", -EBADMSG, "packed bytes: the file is damaged");
	e = open_file(FEW);
	e.data[e.at + 40] ^= 0x55;
	refused(e, "damaged", -EBADMSG, "tree");
	/* an older release says what it lacks; this one does, of a feature that nobody has */
	e = open_file(FEW);
	fdt_setprop_string(e.fdt, 0, "must-understand", "packed2");
	refused(e, "unknown", -ENOTSUP, "packed2");
}

static void test_inner(void **state)
{
	static const char twice[] = "packed";
	struct edit e = open_file(FEW);
	struct accel_model *model;
	size_t size = 0;
	uint8_t *file;

	(void)state;
	/* what is packed anew without a change loads */
	e = repacked(e, e.bytes);
	fdt_setprop_u64(e.fdt, 0, "data-size", e.data_size);
	file = eie_assemble(e.fdt, e.data, e.data_size, &size);
	assert_int_equal(accel_model_load(file, size, "test", &model, NULL), 0);
	accel_model_unref(model);
	free(file);
	free(e.fdt);
	free(e.data);
	free(e.tree);
	e = open_file(FEW);
	e.tree[0] ^= 1;
	refused(repacked(e, e.bytes), "no tree", -EBADMSG, "no sound device tree");
	e = open_file(FEW);
	e.tree[e.bytes / 2] ^= 0x20;
	refused(repacked(e, e.bytes), "checksum", -EBADMSG, "damaged");
	e = open_file(FEW);
	refused(repacked(e, e.bytes - 64), "cut", -EBADMSG, "no sound device tree");
	/* a tree that says that it is packed again */
	e = open_file(FEW);
	assert_int_equal(fdt_open_into(e.tree, e.tree, 2 * (int)e.bytes), 0);
	assert_int_equal(fdt_setprop(e.tree, 0, "must-understand", twice, sizeof(twice)), 0);
	assert_int_equal(fdt_pack(e.tree), 0);
	eie_fix_checksums(e.tree, e.data, 0);
	refused(repacked(e, fdt_totalsize(e.tree)), "twice", -ENOTSUP, "packed");
}

/* ---------------------------------------------------------------- streams */

/* A file whose tree, of which this property was changed (none: len below 0), is packed anew. */
static struct edit changed(const char *path, const char *prop, const void *value, int len)
{
	struct edit e = open_file(LAYERS);
	int node;

	assert_int_equal(fdt_open_into(e.tree, e.tree, 2 * (int)e.bytes), 0);
	node = fdt_path_offset(e.tree, path);
	assert_true(node >= 0);
	assert_int_equal(len < 0 ? fdt_delprop(e.tree, node, prop) : fdt_setprop(e.tree, node, prop, value, len), 0);
	assert_int_equal(fdt_pack(e.tree), 0);
	eie_fix_checksums(e.tree, e.data, 0);
	return repacked(e, fdt_totalsize(e.tree));
}

static void bytes_of(const char *path, uint32_t value, const char *text)
{
	fdt32_t cell = cpu_to_fdt32(value);

	refused(changed(path, "bytes", &cell, sizeof(cell)), path, -EBADMSG, text);
}

static uint32_t bytes_at(const char *path)
{
	struct edit e = open_file(LAYERS);
	uint32_t bytes = fdt32_ld(fdt_getprop(e.tree, fdt_path_offset(e.tree, path), "bytes", NULL));

	free(e.fdt);
	free(e.data);
	free(e.tree);
	return bytes;
}

static void test_stream(void **state)
{
	static const char inner[] = EIE_FEATURE_STREAM, *const codes = "/layers/l3/codes";
	uint32_t n = bytes_at(codes);
	struct edit e;

	(void)state;
	/* the sizes say where all blobs are: they fill the data, to the byte */
	bytes_of(codes, n + 1, "of data");
	bytes_of(codes, n - 1, "of data");
	bytes_of(codes, UINT32_MAX, "lie outside the");
	bytes_of("/layers/l39/index", UINT32_MAX, "lie outside the");
	bytes_of("/tensors/t1", 8, "of data");
	refused(changed(codes, "bytes", NULL, -1), "no size", -EBADMSG, "of data");
	refused(changed(codes, "bytes", "12345678", 8), "long size", -EBADMSG, "'bytes' has 8 bytes");
	/* the size of one is missing, and the next has both */
	e = changed(codes, "bytes", NULL, -1);
	{
		int index = fdt_path_offset(e.tree, "/layers/l3/index");

		fdt32_st((void *)fdt_getprop(e.tree, index, "bytes", NULL), n + bytes_at("/layers/l3/index"));
		eie_fix_checksums(e.tree, e.data, 0);
	}
	refused(repacked(e, fdt_totalsize(e.tree)), "joined", -EBADMSG, "codes: property 'bytes' is missing");
	/* bytes that no blob has */
	e = open_file(LAYERS);
	memmove(e.data + e.at + 8, e.data + e.at, e.data_size - e.at);
	e.data_size += 8;
	refused(e, "more", -EBADMSG, "of data");
	/* the tree is the last, and no longer than the data */
	e = open_file(LAYERS);
	fdt_setprop_u64(e.fdt, fdt_path_offset(e.fdt, "/tree"), "size", e.data_size + 1);
	refused(e, "large", -EBADMSG, "tree: ");
	e = open_file(LAYERS);
	fdt_setprop_u64(e.fdt, fdt_path_offset(e.fdt, "/tree"), "size", UINT64_MAX);
	refused(e, "huge", -EBADMSG, "tree: ");
	e = open_file(LAYERS);
	fdt_delprop(e.fdt, fdt_path_offset(e.fdt, "/tree"), "crc32c");
	refused(e, "no checksum", -EBADMSG, "'crc32c' is missing");
	/* the feature belongs to the outer tree, beside the other */
	refused(changed("/", "must-understand", inner, sizeof(inner)), "inside", -ENOTSUP, EIE_FEATURE_STREAM);
	e = open_file(LAYERS);
	fdt_setprop_string(e.fdt, 0, "must-understand", EIE_FEATURE_PACKED);
	refused(e, "not named", -EBADMSG, "'offset' is missing");
	e = open_file(LAYERS);
	fdt_setprop_string(e.fdt, 0, "must-understand", EIE_FEATURE_STREAM);
	refused(e, "alone", -EBADMSG, "without 'packed'");
}

/* No byte of the data may change, wherever it is. */
static void test_flips(void **state)
{
	struct accel_model *model = many_layers(LAYERS), *copy = NULL;
	size_t size = 0, start;
	uint8_t *file = eie_encoded(model, &size);

	(void)state;
	start = eie_data_start(fdt_totalsize(file));
	for (size_t i = start; i < size; i++) {
		file[i] ^= 1 << i % 8;
		assert_int_equal(accel_model_load(file, size, "test", &copy, NULL), -EBADMSG);
		file[i] ^= 1 << i % 8;
	}
	free(file);
	accel_model_unref(model);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_packed), cmocka_unit_test(test_outer), cmocka_unit_test(test_inner), cmocka_unit_test(test_stream),
					    cmocka_unit_test(test_flips) };

	return cmocka_run_group_tests_name("pack", tests, NULL, NULL);
}
