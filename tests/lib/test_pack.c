// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Packed trees of .eie files: the same model comes back, smaller; and what was damaged or lies is refused. */
#include <errno.h>
#include <string.h>
#include "models.h"
#include "eie_tree.h"

#define LAYERS 40u
#define ROOM   4096

/* Many layers of few weights. */
static struct accel_model *many_layers(void)
{
	uint32_t dims[LAYERS + 1];

	for (unsigned int i = 0; i <= LAYERS; i++)
		dims[i] = 3 + i % 4;
	return test_finish(test_graph(11, LAYERS + 1, dims, 0.6));
}

static uint8_t *encode(const struct accel_model *model, size_t *size)
{
	void *data = NULL;

	assert_int_equal(eie_encode(model, &data, size, NULL, NULL), 0);
	return data;
}

static void test_packed(void **state)
{
	struct accel_model *model = many_layers(), *copy;
	struct accel_error err = { 0 };
	size_t size = 0, again_size = 0;
	uint8_t *data = encode(model, &size), *again;
	int node = fdt_path_offset(data, "/tree");

	(void)state;
	assert_true(fdt_stringlist_search(data, 0, "must-understand", EIE_FEATURE_PACKED) >= 0);
	assert_true(node >= 0 && fdt_path_offset(data, "/layers") < 0);
	/* half of it at least */
	assert_true(2 * fdt64_ld(fdt_getprop(data, node, "size", NULL)) < fdt32_ld(fdt_getprop(data, node, "bytes", NULL)));
	if (accel_model_load(data, size, "test", &copy, &err))
		fail_msg("%s", err.text);
	assert_int_equal(accel_model_layers(copy), LAYERS);
	for (unsigned int i = 0; i < LAYERS; i++) {
		const struct accel_layer *a = &model->layers[i], *b = &copy->layers[i];

		assert_string_equal(a->name, b->name);
		assert_int_equal(a->nnz, b->nnz);
		assert_memory_equal(a->codebook, b->codebook, a->ncodes * sizeof(float));
		assert_memory_equal(a->codebook_q, b->codebook_q, a->ncodes * sizeof(int16_t));
		assert_memory_equal(a->bias, b->bias, a->rows * sizeof(float));
		assert_memory_equal(a->bias_q, b->bias_q, a->rows * sizeof(int32_t));
		assert_true(!a->nnz || !memcmp(a->code, b->code, a->nnz));
	}
	again = encode(copy, &again_size);
	assert_int_equal(size, again_size);
	assert_memory_equal(data, again, size);
	free(data);
	free(again);
	accel_model_unref(model);
	accel_model_unref(copy);
}

/* ---------------------------------------------------------------- lies */

struct edit {
	uint8_t *fdt, *data, *tree;   /* outer, blobs, the packed tree as it was */
	size_t data_size, at;         /* at: of the packed tree, the last blob */
	uint32_t bytes;
};

static struct edit open_file(void)
{
	struct accel_model *model = many_layers();
	size_t size = 0, start;
	uint8_t *file = encode(model, &size);
	struct edit e;
	size_t bytes;
	int node;

	start = eie_data_start(fdt_totalsize(file));
	e = (struct edit){ .fdt = malloc(fdt_totalsize(file) + ROOM), .data_size = size - start };
	assert_int_equal(fdt_open_into(file, e.fdt, (int)fdt_totalsize(file) + ROOM), 0);
	node = fdt_path_offset(e.fdt, "/tree");
	e.at = fdt64_ld(fdt_getprop(e.fdt, node, "offset", NULL));
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
	struct edit e = open_file();

	assert_int_equal(fdt_setprop_u32(e.fdt, fdt_path_offset(e.fdt, "/tree"), name, value), 0);
	refused(e, name, -EBADMSG, text);
}

static void test_outer(void **state)
{
	struct edit e = open_file();
	uint32_t bytes = e.bytes;

	(void)state;
	assert_int_equal(fdt_del_node(e.fdt, fdt_path_offset(e.fdt, "/tree")), 0);
	refused(e, "no blob", -EBADMSG, "'tree' is missing");
	number("bytes", bytes + 1, "not");
	number("bytes", bytes - 1, "not");
	number("bytes", 8, "tree: 8 bytes");
	number("bytes", UINT32_MAX, "tree: 4294967295 bytes");
	number("bytes", 1u << 30, "tree: 1073741824 bytes in");
	e = open_file();
	fdt_setprop_string(e.fdt, fdt_path_offset(e.fdt, "/tree"), "coding", "deflate");
	refused(e, "coding", -ENOTSUP, "deflate");
	/* cut, and damaged with its checksum right */
	e = open_file();
	fdt_setprop_u64(e.fdt, fdt_path_offset(e.fdt, "/tree"), "size", e.data_size - e.at - 7);
	refused(e, "cut", -EBADMSG, "packed bytes: the file is damaged");
	e = open_file();
	e.data[e.at + 40] ^= 0x55;
	refused(e, "damaged", -EBADMSG, "tree");
	/* an older release says what it lacks; this one does, of a feature that nobody has */
	e = open_file();
	fdt_setprop_string(e.fdt, 0, "must-understand", "packed2");
	refused(e, "unknown", -ENOTSUP, "packed2");
}

static void test_inner(void **state)
{
	static const char twice[] = "packed";
	struct edit e = open_file();
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
	e = open_file();
	e.tree[0] ^= 1;
	refused(repacked(e, e.bytes), "no tree", -EBADMSG, "no sound device tree");
	e = open_file();
	e.tree[e.bytes / 2] ^= 0x20;
	refused(repacked(e, e.bytes), "checksum", -EBADMSG, "damaged");
	e = open_file();
	refused(repacked(e, e.bytes - 64), "cut", -EBADMSG, "no sound device tree");
	/* a tree that says that it is packed again */
	e = open_file();
	assert_int_equal(fdt_open_into(e.tree, e.tree, 2 * (int)e.bytes), 0);
	assert_int_equal(fdt_setprop(e.tree, 0, "must-understand", twice, sizeof(twice)), 0);
	assert_int_equal(fdt_pack(e.tree), 0);
	eie_fix_checksums(e.tree, e.data, 0);
	refused(repacked(e, fdt_totalsize(e.tree)), "twice", -ENOTSUP, "packed");
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_packed), cmocka_unit_test(test_outer), cmocka_unit_test(test_inner) };

	return cmocka_run_group_tests_name("pack", tests, NULL, NULL);
}
