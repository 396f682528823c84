// SPDX-License-Identifier: GPL-2.0 OR MIT
/* .npy arrays and .npz archives: what is read, and each refusal. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <zip.h>
#include "models.h"
#include "file.h"
#include "model.h"
#include "npy.h"
#include "npz.h"

/* ---------------------------------------------------------------- npy */

struct bytes {
	uint8_t *p;
	size_t size;
};

/* An .npy file with this header text (padded as NumPy does) and data. */
static struct bytes npy_file(const char *header, const void *data, size_t size)
{
	size_t len = (10 + strlen(header) + 1 + 63) / 64 * 64 - 10;
	struct bytes b = { malloc(10 + len + size), 10 + len + size };

	memcpy(b.p, "\x93NUMPY\x01", 8);
	b.p[8] = (uint8_t)(len & 255);
	b.p[9] = (uint8_t)(len >> 8);
	memset(b.p + 10, ' ', len);
	memcpy(b.p + 10, header, strlen(header));
	b.p[10 + len - 1] = '\n';
	if (size)
		memcpy(b.p + 10 + len, data, size);
	return b;
}

static struct bytes npy_of(const char *type, const char *shape, const void *data, size_t size)
{
	char header[256];

	snprintf(header, sizeof(header), "{'descr': '%s', 'fortran_order': False, 'shape': %s, }", type, shape);
	return npy_file(header, data, size);
}

static void parse(struct bytes b, int code, const char *text)
{
	struct accel_error err = { 0 };
	struct npy a;
	int ret = npy_parse(b.p, b.size, "test", &a, &err);

	if (ret != code || (code && (err.code != code || !strstr(err.text, text))))
		fail_msg("%d (%s), not %d with '%s'", ret, err.text, code, text);
	free(b.p);
}

static void test_npy_types(void **p)
{
	static const uint8_t data[16] = { 0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1, 0, 0, 0, 0, 0, 0, 0 };
	static const struct {
		const char *type;
		int size;
		int64_t first;      /* of data, as int */
	} types[] = {
		{ "|i1", 1, -2 }, { "|u1", 1, 254 }, { "<i2", 2, -2 }, { "<u2", 2, 65534 }, { "<i4", 4, -2 },
		{ "<u4", 4, 4294967294 }, { "<i8", 8, -2 }, { "|b1", 1, 254 },
	};
	const float f = -1.5f;
	const double d = 1e300;
	struct bytes b;
	struct npy a;
	int64_t v;
	char *s;

	(void)p;
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		b = npy_of(types[i].type, "(2,)", data, (size_t)types[i].size * 2);
		assert_int_equal(npy_parse(b.p, b.size, "test", &a, NULL), 0);
		assert_int_equal(a.itemsize, types[i].size);
		assert_int_equal(a.ndim, 1);
		assert_int_equal(a.count, 2);
		assert_int_equal(npy_int(&a, 0, &v), 0);
		assert_int_equal(v, types[i].first);
		assert_true(npy_double(&a, 0) == (double)types[i].first);
		free(b.p);
	}
	b = npy_of("<u8", "(2, 1)", data, 16);
	assert_int_equal(npy_parse(b.p, b.size, "test", &a, NULL), 0);
	assert_int_equal(npy_int(&a, 0, &v), -ERANGE);
	assert_true(npy_double(&a, 0) == 18446744073709551614.0);
	assert_int_equal(npy_int(&a, 1, &v), 0);
	assert_int_equal(v, 1);
	free(b.p);
	b = npy_of("<f4", "()", &f, sizeof(f));
	assert_int_equal(npy_parse(b.p, b.size, "test", &a, NULL), 0);
	assert_true(!a.ndim && a.count == 1 && npy_double(&a, 0) == -1.5);
	free(b.p);
	b = npy_of("<f8", "(1, 1, 1)", &d, sizeof(d));
	assert_int_equal(npy_parse(b.p, b.size, "test", &a, NULL), 0);
	assert_true(a.ndim == 3 && npy_double(&a, 0) == 1e300);
	free(b.p);
	b = npy_of("|S3", "(2,)", "ab\0xyz", 6);
	assert_int_equal(npy_parse(b.p, b.size, "test", &a, NULL), 0);
	s = npy_string(&a, 0);
	assert_string_equal(s, "ab");
	free(s);
	s = npy_string(&a, 1);
	assert_string_equal(s, "xyz");
	free(s);
	free(b.p);
}

static void test_npy_headers(void **p)
{
	const float f[2] = { 1, 2 };
	struct bytes b;

	(void)p;
	parse(npy_file("{\"shape\":(2,),'fortran_order':False,'descr':'<f4'}", f, 8), 0, "");
	parse(npy_of("<f4", "(0, 3)", NULL, 0), 0, "");
	parse(npy_of("<f4", "(2,3,)", NULL, 24 - 24), -EBADMSG, "promises");
	parse(npy_of("<f4", "(2)", f, 8), -EBADMSG, "tuple");
	parse(npy_of("<f4", "2", f, 8), -EBADMSG, "tuple");
	parse(npy_of("<f4", "(-2,)", f, 8), -EBADMSG, "tuple");
	parse(npy_of("<f4", "(2 3)", f, 8), -EBADMSG, "tuple");
	parse(npy_of("<f4", "(1,1,1,1,1,1,1,1,2)", f, 8), -ENOTSUP, "dimensions");
	parse(npy_of("<f4", "(3,)", f, 8), -EBADMSG, "promises");
	parse(npy_of("<f4", "(1,)", f, 8), -EBADMSG, "promises");
	parse(npy_of("<f4", "(99999999999999999999,)", f, 8), -EBADMSG, "tuple");
	parse(npy_of("<f4", "(4611686018427387904, 4)", f, 8), -EBADMSG, "larger");
	parse(npy_of("<f4", "(4611686018427387906,)", f, 8), -EBADMSG, "promises");
	parse(npy_of(">f4", "(2,)", f, 8), -ENOTSUP, "big-endian");
	parse(npy_of("<f2", "(4,)", f, 8), -ENOTSUP, "<f2");
	parse(npy_of("<c8", "(1,)", f, 8), -ENOTSUP, "<c8");
	parse(npy_of("<U1", "(2,)", f, 8), -ENOTSUP, "<U1");
	parse(npy_of("|O", "(2,)", f, 8), -ENOTSUP, "|O");
	parse(npy_of("|S0", "(2,)", NULL, 0), -ENOTSUP, "|S0");
	parse(npy_of("", "(2,)", f, 8), -ENOTSUP, "type");
	parse(npy_file("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (2,), }", f, 8), -ENOTSUP, "structured");
	parse(npy_file("{'descr': '<f4', 'fortran_order': True, 'shape': (2,), }", f, 8), -ENOTSUP, "ascontiguousarray");
	parse(npy_file("{'descr': '<f4', 'fortran_order': None, 'shape': (2,), }", f, 8), -EBADMSG, "fortran_order");
	parse(npy_file("{'descr': '<f4', 'fortran_order': False, }", f, 8), -EBADMSG, "missing");
	parse(npy_file("{'descr': '<f4', 'fortran_order': False, 'shape': (2,), 'more': 1}", f, 8), -EBADMSG, "unknown");
	parse(npy_file("{'descr': '<f4', 'descr': '<f4', 'shape': (2,), }", f, 8), -EBADMSG, "repeated");
	parse(npy_file("{'descr': '<f4' 'fortran_order': False, 'shape': (2,), }", f, 8), -EBADMSG, "dictionary");
	parse(npy_file("{'descr': '<f4', 'fortran_order': False, 'shape': (2,), } x", f, 8), -EBADMSG, "follows");
	parse(npy_file("", f, 8), -EBADMSG, "dictionary");
	b = npy_of("<f4", "(2,)", f, 8);
	b.p[0] = 'x';
	parse(b, -EBADMSG, "no NumPy header");
	b = npy_of("<f4", "(2,)", f, 8);
	b.p[6] = 4;
	parse(b, -ENOTSUP, "version 4.0");
	b = npy_of("<f4", "(2,)", f, 8);
	b.p[7] = 1;
	parse(b, -ENOTSUP, "version 1.1");
	b = npy_of("<f4", "(2,)", f, 8);
	b.p[9] = 1;
	parse(b, -EBADMSG, "cut off");
}

/* Versions 2.0 and 3.0 have a header length of four bytes. */
static void test_npy_versions(void **p)
{
	const float f = 3;

	(void)p;
	for (uint8_t version = 2; version <= 3; version++) {
		struct bytes one = npy_of("<f4", "(1,)", &f, 4), two = { malloc(one.size + 2), one.size + 2 };
		struct npy a;

		memcpy(two.p, one.p, 10);
		two.p[6] = version;
		two.p[10] = two.p[11] = 0;
		memcpy(two.p + 12, one.p + 10, one.size - 10);
		assert_int_equal(npy_parse(two.p, two.size, "test", &a, NULL), 0);
		assert_true(npy_double(&a, 0) == 3);
		two.p[11] = 1;
		assert_int_equal(npy_parse(two.p, two.size, "test", &a, NULL), -EBADMSG);
		free(one.p);
		free(two.p);
	}
}

static void test_npy_truncated(void **p)
{
	const double d[2] = { 1, 2 };
	struct bytes b = npy_of("<f8", "(2,)", d, 16);
	struct npy a;

	(void)p;
	for (size_t n = 0; n < b.size; n++) {
		uint8_t *part = malloc(n ? n : 1);

		memcpy(part, b.p, n);
		assert_int_equal(npy_parse(part, n, "test", &a, NULL), -EBADMSG);
		free(part);
	}
	free(b.p);
}

static void test_npy_write(void **p)
{
	static const float f[6] = { 0, -1.5f, 3, 4, 5, INFINITY };
	static const int16_t i[3] = { -32767, 0, 32767 };
	const uint64_t dims[2] = { 2, 3 }, huge[2] = { 1ull << 40, 1ull << 40 };
	char path[] = "/tmp/test_npz.XXXXXX";
	struct accel_error err = { 0 };
	struct npy a;
	int64_t v;

	(void)p;
	close(mkstemp(path));
	assert_int_equal(npy_write_f32(path, 2, dims, f, &err), 0);
	assert_int_equal(npy_read(path, &a, &err), 0);
	assert_true(a.kind == 'f' && a.itemsize == 4 && a.ndim == 2 && a.dims[0] == 2 && a.dims[1] == 3);
	assert_memory_equal(a.data, f, sizeof(f));
	assert_int_equal((a.data - (const uint8_t *)a.owned) % 64, 0);
	npy_free(&a);
	assert_int_equal(npy_write_i16(path, 1, dims + 1, i, &err), 0);
	assert_int_equal(npy_read(path, &a, &err), 0);
	assert_true(a.kind == 'i' && a.itemsize == 2 && a.ndim == 1 && a.dims[0] == 3);
	assert_int_equal(npy_int(&a, 0, &v), 0);
	assert_int_equal(v, -32767);
	npy_free(&a);
	assert_int_equal(npy_write_f32(path, 0, NULL, f + 1, &err), 0);
	assert_int_equal(npy_read(path, &a, &err), 0);
	assert_true(a.ndim == 0 && npy_double(&a, 0) == -1.5);
	npy_free(&a);
	assert_int_equal(npy_write_f32(path, 2, huge, f, &err), -EINVAL);
	unlink(path);
	assert_int_equal(npy_read(path, &a, &err), -ENOENT);
	assert_non_null(strstr(err.text, path));
}

/* ---------------------------------------------------------------- npz */

#define MAX_MEMBERS 32

struct archive {
	char names[MAX_MEMBERS][32];
	struct bytes members[MAX_MEMBERS];
	unsigned int n;
};

static void put(struct archive *a, const char *key, struct bytes b)
{
	unsigned int i = 0;
	char name[32];

	snprintf(name, sizeof(name), "%s.npy", key);
	while (i < a->n && strcmp(a->names[i], name))
		i++;
	if (i == a->n)
		a->n++;
	else
		free(a->members[i].p);
	memcpy(a->names[i], name, sizeof(name));
	a->members[i] = b;
}

static void drop(struct archive *a, const char *key)
{
	char name[32];

	snprintf(name, sizeof(name), "%s.npy", key);
	for (unsigned int i = 0; i < a->n; i++) {
		if (strcmp(a->names[i], name))
			continue;
		free(a->members[i].p);
		a->n--;
		memmove(a->names[i], a->names[i + 1], (a->n - i) * sizeof(a->names[0]));
		memmove(&a->members[i], &a->members[i + 1], (a->n - i) * sizeof(a->members[0]));
		return;
	}
	fail_msg("no %s", key);
}

static void put_string(struct archive *a, const char *key, const char *value)
{
	char type[32];

	snprintf(type, sizeof(type), "|S%zu", strlen(value));
	put(a, key, npy_of(type, "()", value, strlen(value)));
}

#define PUT(a, key, type, shape, ...) do { \
	type data_[] = { __VA_ARGS__ }; \
	put(a, key, npy_of(_Generic(data_[0], float: "<f4", double: "<f8", int32_t: "<i4", int64_t: "<i8"), shape, data_, sizeof(data_))); \
} while (0)

/* A 3 x 4 matrix: [0 .5 0 -1; 0 0 0 0; .25 0 .5 0], the first row not in order. Prefix "" is what scipy writes. */
static void put_matrix(struct archive *a, const char *prefix)
{
	char key[32];

#define KEY(name) (snprintf(key, sizeof(key), "%s%s", prefix, name), key)
	PUT(a, KEY("data"), float, "(5,)", -1, 0.5f, 0, 0.25f, 0.5f);
	PUT(a, KEY("indices"), int32_t, "(5,)", 3, 1, 0, 0, 2);
	PUT(a, KEY("indptr"), int32_t, "(4,)", 0, 3, 3, 5);
	PUT(a, KEY("shape"), int64_t, "(2,)", 3, 4);
	put_string(a, KEY("format"), "csr");
}

static void put_two_layers(struct archive *a)
{
	put_matrix(a, "one.");
	PUT(a, "one.bias", float, "(3,)", 1, 2, 3);
	put_string(a, "one.activation", "relu");
	PUT(a, "two.data", float, "(1,)", 2);
	PUT(a, "two.indices", int64_t, "(1,)", 2);
	PUT(a, "two.indptr", int64_t, "(3,)", 0, 0, 1);
	PUT(a, "two.shape", int64_t, "(2,)", 2, 3);
	put_string(a, "two.format", "csr");
	put(a, "layers", npy_of("|S3", "(2,)", "onetwo", 6));
	put_string(a, "input.name", "picture");
	PUT(a, "input.shape", int64_t, "(2,)", 2, 2);
	PUT(a, "input.scale", float, "()", 0.5f);
	PUT(a, "input.range", float, "(2,)", 0, 3);
	put(a, "classes", npy_of("|S3", "(2,)", "no\0yes", 6));
}

/* Zips the members (deflated or stored), frees them. */
static struct bytes zip_archive(struct archive *a, bool deflate)
{
	zip_error_t error;
	zip_source_t *source, *member;
	struct bytes out = { NULL, 0 };
	zip_stat_t st;
	zip_t *zip;

	zip_error_init(&error);
	source = zip_source_buffer_create(NULL, 0, 0, &error);
	assert_non_null(source);
	zip_source_keep(source);
	zip = zip_open_from_source(source, ZIP_TRUNCATE, &error);
	assert_non_null(zip);
	for (unsigned int i = 0; i < a->n; i++) {
		zip_int64_t index;

		member = zip_source_buffer(zip, a->members[i].p, a->members[i].size, 1);
		assert_non_null(member);
		index = zip_file_add(zip, a->names[i], member, 0);
		assert_true(index >= 0);
		assert_int_equal(zip_set_file_compression(zip, (zip_uint64_t)index, deflate ? ZIP_CM_DEFLATE : ZIP_CM_STORE, 0), 0);
	}
	assert_int_equal(zip_close(zip), 0);
	assert_int_equal(zip_source_open(source), 0);
	assert_int_equal(zip_source_stat(source, &st), 0);
	out.size = st.size;
	out.p = malloc(out.size);
	assert_int_equal(zip_source_read(source, out.p, out.size), out.size);
	zip_source_close(source);
	zip_source_free(source);
	zip_error_fini(&error);
	a->n = 0;
	return out;
}

static struct accel_graph *read_archive(struct archive *a)
{
	struct bytes b = zip_archive(a, true);
	struct accel_error err = { 0 };
	struct accel_graph *graph;

	if (npz_graph(b.p, b.size, "test", &graph, &err))
		fail_msg("%s", err.text);
	free(b.p);
	return graph;
}

static void refuse(struct archive *a, int code, const char *text)
{
	struct bytes b = zip_archive(a, false);
	struct accel_error err = { 0 };
	struct accel_graph *graph;
	int ret = npz_graph(b.p, b.size, "test", &graph, &err);

	if (ret != code || err.code != code || !strstr(err.text, text))
		fail_msg("%d (%s), not %d with '%s'", ret, err.text, code, text);
	free(b.p);
}

static void test_scipy(void **p)
{
	struct archive a = { .n = 0 };
	struct accel_model *model;
	const struct accel_layer *l;
	const uint32_t rowptr[] = { 0, 2, 2, 4 }, col[] = { 1, 3, 0, 2 };
	const float codebook[] = { 0, -1, 0.25f, 0.5f };
	const uint8_t code[] = { 3, 1, 2, 3 };

	(void)p;
	put_matrix(&a, "");
	put(&a, "_is_array", npy_of("|b1", "()", "\1", 1));
	model = test_finish(read_archive(&a));
	assert_int_equal(model->nlayers, 1);
	l = &model->layers[0];
	assert_string_equal(l->name, "fc");
	assert_true(l->rows == 3 && l->cols == 4 && l->nnz == 4 && l->ncodes == 4 && l->code_bits == 4);
	assert_memory_equal(l->rowptr, rowptr, sizeof(rowptr));
	assert_memory_equal(l->col, col, sizeof(col));
	assert_memory_equal(l->code, code, sizeof(code));
	assert_memory_equal(l->codebook, codebook, sizeof(codebook));
	assert_int_equal(l->activation, ACCEL_ACT_NONE);
	assert_true(model->tensors[0].range_lo == -1 && model->tensors[0].range_hi == 1);
	accel_model_unref(model);
}

static void test_network(void **p)
{
	struct archive a = { .n = 0 };
	struct accel_model *model;
	float x[4] = { 1, 2, 0, 0.5f }, y[2];

	(void)p;
	put_two_layers(&a);
	model = test_finish(read_archive(&a));
	assert_int_equal(model->nlayers, 2);
	assert_string_equal(model->tensors[0].name, "picture");
	assert_int_equal(model->tensors[0].ndim, 2);
	assert_true(model->tensors[0].range_lo == 0 && model->tensors[0].range_hi == 3);
	assert_true(model->picture_scale == 0.5f);
	assert_int_equal(model->layers[0].activation, ACCEL_ACT_RELU);
	assert_string_equal(accel_model_class(model, 0), "no");
	assert_string_equal(accel_model_class(model, 1), "yes");
	assert_int_equal(accel_model_run_float(model, x, 1, y, NULL), 0);
	assert_true(y[0] == 0 && y[1] == 2 * 3.25f);
	accel_model_unref(model);
}

/* As the weights of a clustered layer: 255 values are 8-bit codes, one more is too many. */
static void test_distinct(void **p)
{
	for (int n = 15; n <= 256; n += n == 15 ? 1 : n == 16 ? 239 : 1) {
		struct archive a = { .n = 0 };
		struct accel_model *model;
		float data[256];
		int32_t indices[256], indptr[2] = { 0, n };
		char shape[16];

		for (int i = 0; i < n; i++) {
			data[i] = (float)(i % 2 ? i + 1 : -i - 1);
			indices[i] = n - 1 - i;
		}
		snprintf(shape, sizeof(shape), "(%d,)", n);
		put_matrix(&a, "");
		put(&a, "data", npy_of("<f4", shape, data, (size_t)n * 4));
		put(&a, "indices", npy_of("<i4", shape, indices, (size_t)n * 4));
		put(&a, "indptr", npy_of("<i4", "(2,)", indptr, 8));
		PUT(&a, "shape", int64_t, "(2,)", 1, 256);
		if (n == 256) {
			refuse(&a, -EDOM, "cluster");
			continue;
		}
		model = test_finish(read_archive(&a));
		assert_int_equal(model->layers[0].code_bits, n == 15 ? 4 : 8);
		for (int i = 0; i < n; i++)
			assert_true(model->layers[0].codebook[model->layers[0].code[i]] == data[n - 1 - i]);
		accel_model_unref(model);
	}
	(void)p;
}

#define SCIPY(change, code, text) do { \
	struct archive a = { .n = 0 }; \
	put_matrix(&a, ""); \
	change; \
	refuse(&a, code, text); \
} while (0)

static void test_bad_matrix(void **p)
{
	(void)p;
	SCIPY(drop(&a, "data"), -EINVAL, "no array 'data'");
	SCIPY(drop(&a, "indices"), -EINVAL, "no array 'indices'");
	SCIPY(drop(&a, "indptr"), -EINVAL, "no array 'indptr'");
	SCIPY(drop(&a, "shape"), -EINVAL, "no array 'shape'");
	SCIPY(put_string(&a, "format", "csc"), -EINVAL, "tocsr");
	SCIPY(put_string(&a, "frmat", "csr"), -EINVAL, "frmat.npy");
	SCIPY(PUT(&a, "data", double, "(5,)", 1, 2, 3, 4, 0.1), -EDOM, "data[4]");
	SCIPY(PUT(&a, "data", float, "(5,)", 1, 2, NAN, 4, 5), -EDOM, "data[2]");
	SCIPY(PUT(&a, "data", float, "(5,)", 1, 2, 3, 4, INFINITY), -EDOM, "data[4]");
	SCIPY(PUT(&a, "data", double, "(5,)", 1, 2, 3, 1e300, 5), -EDOM, "data[3]");
	SCIPY(PUT(&a, "data", float, "(4,)", 1, 2, 3, 4), -EINVAL, "must be equal");
	SCIPY(PUT(&a, "data", float, "(5,1)", 1, 2, 3, 4, 5), -EINVAL, "2 dimensions");
	SCIPY(PUT(&a, "data", int32_t, "(5,)", 1, 2, 3, 4, 5), -EINVAL, "kind 'i'");
	SCIPY(PUT(&a, "indices", float, "(5,)", 3, 1, 0, 0, 2), -EINVAL, "kind 'f'");
	SCIPY(PUT(&a, "indices", int32_t, "(5,)", 3, 1, 0, 0, 4), -EINVAL, "indices[4]");
	SCIPY(PUT(&a, "indices", int32_t, "(5,)", 3, -1, 0, 0, 2), -EINVAL, "indices[1]");
	SCIPY(PUT(&a, "indices", int32_t, "(5,)", 3, 1, 3, 0, 2), -EINVAL, "column 3 twice");
	SCIPY(PUT(&a, "indptr", int32_t, "(3,)", 0, 3, 5), -EINVAL, "for 3 rows");
	SCIPY(PUT(&a, "indptr", int32_t, "(4,)", 1, 3, 3, 5), -EINVAL, "from 0 to 5");
	SCIPY(PUT(&a, "indptr", int32_t, "(4,)", 0, 3, 3, 4), -EINVAL, "from 0 to 5");
	SCIPY(PUT(&a, "indptr", int32_t, "(4,)", 0, 4, 3, 5), -EINVAL, "falls at 2");
	SCIPY(PUT(&a, "indptr", int32_t, "(4,)", 0, 5, 5, 5), -EINVAL, "5 elements in 4 columns");
	SCIPY(PUT(&a, "indptr", int32_t, "(4,)", 0, 6, 5, 5), -EINVAL, "indptr[1]");
	SCIPY(PUT(&a, "shape", int64_t, "(2,)", 3, 0), -EINVAL, "shape");
	SCIPY(PUT(&a, "shape", int64_t, "(2,)", 0, 4), -EINVAL, "shape");
	SCIPY(PUT(&a, "shape", int64_t, "(3,)", 3, 4, 5), -EINVAL, "shape");
	SCIPY(PUT(&a, "shape", int64_t, "(2,)", 3, 1 << 25), -EINVAL, "shape[1]");
	SCIPY(put(&a, "data", npy_file("{}", NULL, 0)), -EBADMSG, "data: ");
}

#define NETWORK(change, code, text) do { \
	struct archive a = { .n = 0 }; \
	put_two_layers(&a); \
	change; \
	refuse(&a, code, text); \
} while (0)

static void test_bad_network(void **p)
{
	(void)p;
	NETWORK(drop(&a, "two.data"), -EINVAL, "no array 'two.data'");
	NETWORK(put(&a, "layers", npy_of("|S3", "(1,)", "one", 3)), -EINVAL, "no key");
	NETWORK(put(&a, "layers", npy_of("|S3", "(2,)", "oneone", 6)), -EEXIST, "taken");
	NETWORK(put(&a, "layers", npy_of("|S3", "(0,)", NULL, 0)), -EINVAL, "list of names");
	NETWORK(put(&a, "layers", npy_of("|S3", "()", "one", 3)), -EINVAL, "list of names");
	NETWORK(put(&a, "layers", npy_of("|S3", "(2,)", "twoone", 6)), -EINVAL, "input.shape");
	NETWORK(put_string(&a, "one.activation", "gelu"), -EINVAL, "gelu");
	NETWORK(PUT(&a, "one.bias", float, "(2,)", 1, 2), -EINVAL, "3 rows");
	NETWORK(PUT(&a, "one.bias", float, "(3,)", 1, 2, NAN), -EDOM, "bias[2]");
	NETWORK(PUT(&a, "two.shape", int64_t, "(2,)", 2, 4), -EINVAL, "its input");
	NETWORK(PUT(&a, "input.shape", int64_t, "(2,)", 2, 3), -EINVAL, "first layer takes 4");
	NETWORK(PUT(&a, "input.shape", int64_t, "(7,)", 1, 1, 1, 1, 1, 2, 2), -EINVAL, "1 to 6");
	NETWORK(PUT(&a, "input.range", float, "(2,)", 3, 0), -EINVAL, "range");
	NETWORK(PUT(&a, "input.range", float, "(3,)", 1, 2, 3), -EINVAL, "it must have 2");
	NETWORK(PUT(&a, "input.scale", float, "()", 0), -EINVAL, "input.scale");
	NETWORK(put_string(&a, "input.name", "one"), -EEXIST, "taken");
	NETWORK(put(&a, "classes", npy_of("|S3", "(2,)", "no\0\0\0\0", 6)), -EINVAL, "no name");
	NETWORK(put(&a, "classes", npy_of("|S3", "(1,2)", "no\0yes", 6)), -EINVAL, "classes");
	NETWORK(put_string(&a, "input.rnge", "x"), -EINVAL, "input.rnge.npy");
}

/* The archive itself: cut, flipped, not one at all. A flip either hits something of no meaning, or is an error. */
static void test_damaged(void **p)
{
	struct archive a = { .n = 0 };
	struct accel_error err = { 0 };
	struct accel_graph *graph;
	struct bytes b;

	(void)p;
	put_matrix(&a, "");
	b = zip_archive(&a, true);
	for (size_t n = 0; n < b.size; n++) {
		uint8_t *part = malloc(n ? n : 1);

		memcpy(part, b.p, n);
		if (npz_graph(part, n, "test", &graph, &err) != -EBADMSG)
			fail_msg("%zu bytes: %s", n, err.text);
		free(part);
	}
	for (size_t bit = 0; bit < 8 * b.size; bit++) {
		int ret;

		b.p[bit / 8] ^= (uint8_t)(1 << bit % 8);
		ret = npz_graph(b.p, b.size, "test", &graph, &err);
		if (!ret)
			accel_graph_free(graph);
		else if (ret != -EBADMSG && ret != -EINVAL)
			fail_msg("bit %zu: %s", bit, err.text);
		b.p[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
	free(b.p);
	assert_int_equal(accel_graph_from_npz("/no/such.npz", &graph, &err), -ENOENT);
	assert_int_equal(accel_graph_from_npz("/dev/null", &graph, &err), -EBADMSG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_npy_types),
		cmocka_unit_test(test_npy_headers),
		cmocka_unit_test(test_npy_versions),
		cmocka_unit_test(test_npy_truncated),
		cmocka_unit_test(test_npy_write),
		cmocka_unit_test(test_scipy),
		cmocka_unit_test(test_network),
		cmocka_unit_test(test_distinct),
		cmocka_unit_test(test_bad_matrix),
		cmocka_unit_test(test_bad_network),
		cmocka_unit_test(test_damaged),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
