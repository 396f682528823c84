// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Node `reals` of .eie files, all floats in one place or those of a kind: every bit of every float comes back, smaller; and files that lie about it are refused. */
#include <errno.h>
#include <string.h>
#include <unistd.h>
#include "models.h"
#include "eie_edit.h"
#include "net.h"
#include "onnx_build.h"
#include "quant.h"

#define ROOM 8192

/* Scales of the rows of layer 1, and the integers that follow. */
static void add_scales(struct accel_model *model)
{
	struct accel_layer *l = &model->layers[1];

	l->row_scale = malloc(l->rows * sizeof(*l->row_scale));
	assert_non_null(l->row_scale);
	for (uint32_t r = 0; r < l->rows; r++)
		l->row_scale[r] = 1 + (float)r / 1024;
	assert_int_equal(accel_quantise(model, NULL), 0);
}

/* Two layers with 950 biases and row scales, floats of all kinds among them. */
static struct accel_model *layers_model(bool scaled)
{
	static const uint32_t dims[] = { 20, 500, 450 };
	struct accel_model *model = test_finish(test_graph(3, 3, dims, 0.3));

	if (scaled)
		add_scales(model);
	model->layers[0].bias[5] = -0.0f;
	model->layers[0].bias[6] = 1e-42f;
	/* as it follows from them: else the integers are written, too */
	model->layers[0].bias_q[5] = model->layers[0].bias_q[6] = 0;
	return model;
}

/* Too few floats to be gathered. */
static struct accel_model *small_model(void)
{
	static const uint32_t dims[] = { 9, 6, 3 };
	struct accel_model *model = test_finish(test_graph(3, 3, dims, 0.3));

	add_scales(model);
	return model;
}

static void *encode(const struct accel_model *model, size_t *size)
{
	struct accel_error err = { 0 };
	void *data;

	if (eie_encode(model, &data, size, NULL, &err))
		fail_msg("%s", err.text);
	return data;
}

/* Bytes of a blob, 0 when there is none. */
static uint64_t blob_size(const void *file, const char *path)
{
	int node = fdt_path_offset(file, path);

	return node < 0 ? 0 : fdt64_ld(fdt_getprop(file, node, "size", NULL));
}

static bool has_feature(const void *file)
{
	return fdt_stringlist_search(file, 0, "must-understand", EIE_FEATURE_REALS) >= 0;
}

/* What node `reals` takes: blobs, and lists of values. */
static uint64_t reals_size(const void *file)
{
	int depth = 0, len;
	uint64_t sum = 0;

	for (int node = fdt_path_offset(file, "/reals"); node >= 0 && depth >= 0; node = fdt_next_node(file, node, &depth)) {
		const void *size = fdt_getprop(file, node, "size", NULL);

		sum += size ? fdt64_ld(size) : 0;
		sum += fdt_getprop(file, node, "values", &len) ? (uint64_t)len : 0;
	}
	return sum;
}

/* ---------------------------------------------------------------- what comes back */

static void test_layers(void **state)
{
	(void)state;
	for (int scaled = 0; scaled <= 1; scaled++) {
		struct accel_model *model = layers_model(scaled), *copy;
		struct accel_error err = { 0 };
		uint64_t other = 0, blobs = 0, pool = 0, floats = 0;
		size_t size, again_size;
		void *data = encode(model, &size), *again;

		assert_true(has_feature(data));
		/* of scales, which are much alike, places of their own are worth it */
		assert_int_equal(fdt_stringlist_search(data, 0, "must-understand", EIE_FEATURE_KINDS) >= 0, scaled);
		assert_int_equal(fdt_path_offset(data, "/reals/row-scales") >= 0, scaled);
		assert_true(fdt_path_offset(data, "/layers/l0/bias") < 0 && fdt_path_offset(data, "/layers/l1/row-scale") < 0);
		assert_int_equal(fdt_stringlist_search(data, 0, "must-understand", EIE_FEATURE_ROWS) >= 0, scaled);
		assert_true(fdt_path_offset(data, "/layers/l1/bias-q") < 0 && fdt_path_offset(data, "/layers/l1/mult") < 0);
		if (accel_model_load(data, size, "test", &copy, &err))
			fail_msg("%s", err.text);
		for (unsigned int i = 0; i < 2; i++) {
			const struct accel_layer *a = &model->layers[i], *b = &copy->layers[i];

			assert_int_equal(a->ncodes, b->ncodes);
			assert_memory_equal(a->codebook, b->codebook, a->ncodes * sizeof(float));
			assert_memory_equal(a->bias, b->bias, a->rows * sizeof(float));
			assert_int_equal(!!a->row_scale, !!b->row_scale);
			if (a->row_scale)
				assert_memory_equal(a->row_scale, b->row_scale, a->rows * sizeof(float));
			/* those that follow, too */
			assert_memory_equal(a->codebook_q, b->codebook_q, a->ncodes * sizeof(*a->codebook_q));
			assert_memory_equal(a->bias_q, b->bias_q, a->rows * sizeof(*a->bias_q));
			assert_memory_equal(a->mult, b->mult, a->rows * sizeof(*a->mult));
			assert_memory_equal(a->shift, b->shift, a->rows * sizeof(*a->shift));
			other += b->file_bytes_other;
			floats += sizeof(float) * (a->ncodes + a->rows * (a->row_scale ? 2 : 1));
		}
		pool = reals_size(data);
		for (unsigned int i = 0; i < 4; i++)
			blobs += blob_size(data, (const char *[]){ "/layers/l0/mult", "/layers/l0/shift", "/layers/l1/mult", "/layers/l1/shift" }[i]);
		assert_true(pool < floats * 9 / 10);
		/* each layer is told its share, rounded down; of lists and of bytes that are all the same nobody is */
		assert_in_range(other, pool + blobs - (scaled ? 100 : 5), pool + blobs);
		again = encode(copy, &again_size);
		assert_int_equal(size, again_size);
		assert_memory_equal(data, again, size);
		free(data);
		free(again);
		accel_model_unref(model);
		accel_model_unref(copy);
	}
}

/* Few floats, and floats without any order, are written where they belong: older releases read them. */
static void test_not_worth(void **state)
{
	struct accel_model *model = small_model(), *copy;
	size_t size;
	void *data = encode(model, &size);
	struct test_rng rng = { 4 };

	(void)state;
	assert_false(has_feature(data));
	assert_true(fdt_path_offset(data, "/layers/l0/bias") >= 0 && fdt_path_offset(data, "/layers/l1/row-scale") >= 0);
	assert_int_equal(accel_model_load(data, size, "test", &copy, NULL), 0);
	assert_memory_equal(model->layers[1].row_scale, copy->layers[1].row_scale, 3 * sizeof(float));
	accel_model_unref(copy);
	free(data);
	accel_model_unref(model);
	/* 2,000 floats whose every byte is any byte: what can be won is not worth it */
	model = layers_model(true);
	for (unsigned int i = 0; i < 2; i++) {
		struct accel_layer *l = &model->layers[i];

		for (uint32_t k = 0; k < l->rows; k++) {
			uint32_t bits = test_random(&rng);

			memcpy(&l->bias[k], &bits, sizeof(bits));
			bits = test_random(&rng);
			if (l->row_scale)
				memcpy(&l->row_scale[k], &bits, sizeof(bits));
		}
	}
	data = encode(model, &size);
	assert_false(has_feature(data));
	free(data);
	accel_model_unref(model);
}

/* x [1, n] + a constant of n floats, and of n integers that are no reals. */
static void test_network(void **state)
{
	static const int64_t shape[2] = { 1, 3000 };
	float *c = malloc(3000 * sizeof(*c));
	struct test_rng rng = { 5 };
	struct ob *b = ob_new(13);
	struct accel_model *model, *copy;
	struct accel_error err = { 0 };
	size_t size;
	void *file;

	(void)state;
	for (unsigned int i = 0; i < 3000; i++)
		c[i] = (float)(test_uniform(&rng) - 0.5);
	ob_input(b, "x", 1, 2, shape);
	ob_floats(b, "c", 2, shape, c);
	ob_node(b, "Add", "x,c", "y");
	ob_output(b, "y");
	ob_save(b, "reals-test.onnx");
	if (accel_model_from_onnx("reals-test.onnx", NULL, &model, &err))
		fail_msg("%s", err.text);
	unlink("reals-test.onnx");
	file = encode(model, &size);
	assert_true(has_feature(file) && size < 3000 * sizeof(float));
	if (accel_model_load(file, size, "test", &copy, &err))
		fail_msg("%s", err.text);
	for (unsigned int v = 0; v < model->net->nvalues; v++)
		if (model->net->values[v].data)
			assert_memory_equal(model->net->values[v].data, copy->net->values[v].data, 3000 * sizeof(float));
	free(c);
	free(file);
	ob_free(b);
	accel_model_unref(model);
	accel_model_unref(copy);
}

/* ---------------------------------------------------------------- lies */

struct edit {
	uint8_t *fdt, *data;
	size_t data_size;
};

static struct edit open_model(struct accel_model *model)
{
	size_t size = 0, start;
	uint8_t *file = encode(model, &size);
	struct edit e;

	start = eie_data_start(fdt_totalsize(file));
	e = (struct edit){ malloc(fdt_totalsize(file) + ROOM), malloc(size - start), size - start };
	assert_true(e.fdt && e.data);
	assert_int_equal(fdt_open_into(file, e.fdt, (int)fdt_totalsize(file) + ROOM), 0);
	memcpy(e.data, file + start, e.data_size);
	free(file);
	accel_model_unref(model);
	return e;
}

static bool by_kind = true;   /* the file has places for each kind */

static struct edit open_file(void)
{
	return open_model(layers_model(by_kind));
}

static void refused(struct edit e, const char *what, const char *text)
{
	struct accel_error err = { 0 };
	struct accel_model *model = NULL;
	size_t size = 0;
	uint8_t *file = eie_assemble(e.fdt, e.data, e.data_size, &size), *exact;
	int ret;

	assert_non_null(file);
	/* memory of exactly this size, for the sanitizer */
	exact = malloc(size);
	memcpy(exact, file, size);
	ret = accel_model_load(exact, size, "test", &model, &err);
	if (ret != -EBADMSG || !strstr(err.text, text))
		fail_msg("%s: %d '%s', not '%s'", what, ret, err.text, text);
	free(exact);
	free(file);
	free(e.fdt);
	free(e.data);
}

static void set_number(const char *path, const char *property, uint32_t value, const char *text)
{
	struct edit e = open_file();

	assert_int_equal(fdt_setprop_u32(e.fdt, fdt_path_offset(e.fdt, path), property, value), 0);
	refused(e, property, text);
}

static void without(const char *path, const char *property, const char *text)
{
	struct edit e = open_file();
	int node = fdt_path_offset(e.fdt, path);

	assert_int_equal(property ? fdt_delprop(e.fdt, node, property) : fdt_del_node(e.fdt, node), 0);
	refused(e, path, text);
}

static uint32_t count_of(const char *path)
{
	struct edit e = open_file();
	const fdt32_t *count = fdt_getprop(e.fdt, fdt_path_offset(e.fdt, path), "count", NULL);
	uint32_t n = fdt32_ld(count);

	free(e.fdt);
	free(e.data);
	return n;
}

static void test_lies(void **state)
{
	static const char *const planes[] = { "/reals/byte3", "/reals/byte2", "/reals/byte1", "/reals/byte0" };
	uint32_t n;

	(void)state;
	by_kind = false;
	n = count_of("/reals");
	assert_int_equal(n, 500 + 16 + 450 + 256);
	without("/reals", NULL, "node 'reals' is missing");
	without("/reals", "count", "'count' is missing");
	set_number("/reals", "count", 0, "0 floats");
	set_number("/reals", "count", UINT32_MAX, "4294967295 floats");
	set_number("/reals", "count", 1u << 28, "symbols in");
	set_number("/reals", "count", n + 1, "byte3: ");
	set_number("/reals", "count", n - 1, "byte3: ");
	without("/reals/byte3", "coding", "byte3: ");
	for (unsigned int p = 0; p < 4; p++) {
		without(planes[p], NULL, strrchr(planes[p], '/') + 1);
		without(planes[p], "offset", "'offset' is missing");
		/* the plane ends early */
		{
			struct edit e = open_file();
			uint8_t *size = (uint8_t *)fdt_getprop(e.fdt, fdt_path_offset(e.fdt, planes[p]), "size", NULL);

			fdt64_st(size, fdt64_ld((const void *)size) - 2);
			refused(e, planes[p], strrchr(planes[p], '/') + 1);
		}
	}
	/* layers that take fewer, more, or none */
	set_number("/layers/l0", "codebook-size", 0, "'codebook-size' is 0");
	set_number("/layers/l0", "codebook-size", 257, "'codebook-size' is 257");
	set_number("/layers/l1", "codebook-size", 255, "nothing takes the last 1 of");
	without("/layers/l0", "codebook-size", "'codebook-size' is missing");
	/* not named in the root: then nothing is taken from it */
	{
		static const char rest[] = "entropy\0derived", kinds[] = "entropy\0derived\0reals\0kinds";
		struct edit e = open_file();

		assert_int_equal(fdt_setprop(e.fdt, 0, "must-understand", rest, sizeof(rest)), 0);
		refused(e, "unnamed", "property 'codebook' is missing");
		e = open_file();
		assert_int_equal(fdt_setprop(e.fdt, 0, "must-understand", kinds, sizeof(kinds)), 0);
		refused(e, "no kinds", "but only 0 are left in 'reals'");
	}
	by_kind = true;
}

/* A property of values of a plane of one kind. */
static void values(const char *path, const char *bytes, int n, const char *text)
{
	struct edit e = open_file();

	assert_int_equal(fdt_setprop(e.fdt, fdt_path_offset(e.fdt, path), "values", bytes, n), 0);
	refused(e, path, text);
}

static void test_kinds(void **state)
{
	static const char named[] = "row-scales\0entropy\0derived\0derived-rows\0reals";
	const char *biases = "/reals/biases", *byte3 = "/reals/biases/byte3", *byte0 = "/reals/row-scales/byte0";
	char many[257];

	(void)state;
	assert_int_equal(count_of(biases), 500 + 450);
	assert_int_equal(count_of("/reals/row-scales"), 450);
	assert_int_equal(count_of("/reals/codebooks"), 16 + 256);
	without("/reals", NULL, "node 'reals' is missing");
	without(biases, NULL, "bias: 500 floats, but only 0 are left");
	without(biases, "count", "'count' is missing");
	set_number(biases, "count", 0, "0 floats");
	set_number(biases, "count", 1u << 28, "symbols in");
	set_number(biases, "count", 951, "byte");
	set_number("/reals/row-scales", "count", 449, "byte3: ");
	set_number("/reals/row-scales", "count", 451, "byte3: ");
	without("/reals/biases/byte1", NULL, "'byte1' is missing");
	without("/layers/l1", "row-scaled", "property 'mult' is missing");
	{
		struct edit e = open_file();

		assert_int_equal(fdt_setprop(e.fdt, fdt_path_offset(e.fdt, "/layers/l0"), "row-scaled", "", 0), 0);
		refused(e, "a layer that takes more", "are left in 'reals'");
	}
	/* bytes of a plane: of which there are some, that go up; one only where others have shown how many floats there are */
	for (unsigned int i = 0; i < sizeof(many); i++)
		many[i] = (char)i;
	without(byte3, "values", "byte3: ");
	without(byte0, "values", "'offset' is missing");
	values(byte3, "", 0, "'values' has 0 bytes");
	values(byte3, many, 257, "'values' has 257 bytes");
	values(byte3, "ba", 2, "does not go up");
	values(byte3, "aa", 2, "does not go up");
	values(byte3, many, 12, "byte3: ");
	values(byte3, "a", 1, "one value, and no blob");
	values(byte0, "ab", 2, "'offset' is missing");
	{
		struct edit e = open_file();

		assert_int_equal(fdt_setprop(e.fdt, 0, "must-understand", named, sizeof(named)), 0);
		refused(e, "unnamed", "'count' is missing");
	}
}

/* Rows are no more than there are floats: no memory for what is not there. */
static void test_hostile_amount(void **state)
{
	const fdt32_t shape[2] = { cpu_to_fdt32(1u << 24), cpu_to_fdt32(20) };
	struct edit e = open_file();

	(void)state;
	assert_int_equal(fdt_setprop(e.fdt, fdt_path_offset(e.fdt, "/layers/l0"), "shape", shape, sizeof(shape)), 0);
	refused(e, "rows", "bias: 16777216 floats, but only");
}

/* The same written out: a blob of its own. */
static void test_row_scale(void **state)
{
	struct edit e = open_model(small_model());
	uint8_t *at;

	(void)state;
	assert_int_equal(fdt_setprop_string(e.fdt, 0, "must-understand", "derived"), 0);
	refused(e, "unnamed", "does not name the feature 'row-scales'");
	e = open_model(small_model());
	at = (uint8_t *)fdt_getprop(e.fdt, fdt_path_offset(e.fdt, "/layers/l1/row-scale"), "size", NULL);
	fdt64_st(at, 8);
	refused(e, "size", "row-scale: 8 bytes");
	e = open_model(small_model());
	at = (uint8_t *)fdt_getprop(e.fdt, fdt_path_offset(e.fdt, "/layers/l1/row-scale"), "offset", NULL);
	fdt64_st(at, 4);
	refused(e, "offset", "multiple");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_layers), cmocka_unit_test(test_not_worth), cmocka_unit_test(test_network), cmocka_unit_test(test_lies), cmocka_unit_test(test_kinds),
		cmocka_unit_test(test_hostile_amount), cmocka_unit_test(test_row_scale),
	};
	char folder[] = "/tmp/accel-reals-XXXXXX";
	int failed;

	/* two flavours of this test may run at the same time */
	if (!mkdtemp(folder) || chdir(folder))
		return 1;
	failed = cmocka_run_group_tests_name("reals", tests, NULL, NULL);
	return chdir("/") || rmdir(folder) ? 1 : failed;
}
