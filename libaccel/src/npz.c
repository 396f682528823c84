// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Layers from a NumPy .npz: the keys are told in docs/npz.md. libzip reads the archive, npy.c its members. */
#include "npz.h"
#include "file.h"
#include "graph.h"
#include "npy.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zip.h>

/* Deflate cannot do better: a member that claims more is a lie, and no memory is spent on it. */
#define MAX_RATIO 1032

struct npz {
	const char *file;
	zip_t *zip;
	bool *used;          /* [members] asked for: what is left over is a key nobody knows */
	zip_int64_t members;
	size_t size;         /* of the archive */
};

/* ---------------------------------------------------------------- archive */

static int npz_open(struct npz *npz, const void *data, size_t size, const char *file, struct accel_error *err)
{
	zip_error_t error;
	zip_source_t *source;
	int ret = 0;

	*npz = (struct npz) { .file = file, .size = size };
	zip_error_init(&error);
	source = zip_source_buffer_create(data, size, 0, &error);
	if (source)
		npz->zip = zip_open_from_source(source, ZIP_RDONLY, &error);
	if (!npz->zip) {
		ret = accel_fail(err, -EBADMSG, NULL, "%s: not an .npz file: %s", file, zip_error_strerror(&error));
		zip_source_free(source);
		zip_error_fini(&error);
		return ret;
	}
	zip_error_fini(&error);
	npz->members = zip_get_num_entries(npz->zip, 0);
	if (npz->members <= 0) {
		/* to libzip an empty file is an empty archive */
		ret = accel_fail(err, -EBADMSG, NULL, "%s: not an .npz file: it holds nothing", file);
	} else {
		npz->used = calloc((size_t)npz->members, sizeof(*npz->used));
		if (!npz->used)
			ret = accel_fail(err, -ENOMEM, NULL, "%s: no memory", file);
	}
	if (ret)
		zip_discard(npz->zip);
	return ret;
}

static void npz_close(struct npz *npz)
{
	zip_discard(npz->zip);
	free(npz->used);
}

/* Reads a whole member; its CRC is checked when the end is met. */
static int read_member(const struct npz *npz, zip_uint64_t index, const char *key, void **data, size_t *size,
		       struct accel_error *err)
{
	const zip_uint64_t want = ZIP_STAT_SIZE | ZIP_STAT_COMP_SIZE;
	zip_file_t *file;
	zip_stat_t st;
	char *buf, extra;
	zip_int64_t n = 0;
	size_t got = 0;

	if (zip_stat_index(npz->zip, index, 0, &st) || (st.valid & want) != want || st.size > SIZE_MAX / 2 ||
	    st.comp_size > npz->size || st.size / MAX_RATIO > st.comp_size)
		return accel_fail(err, -EBADMSG, NULL, "%s: %s.npy: damaged size in the archive", npz->file, key);
	file = zip_fopen_index(npz->zip, index, 0);
	if (!file)
		return accel_fail(err, -EBADMSG, NULL, "%s: %s.npy: %s", npz->file, key, zip_strerror(npz->zip));
	buf = malloc(st.size + 1);
	if (!buf) {
		zip_fclose(file);
		return accel_fail(err, -ENOMEM, NULL, "%s: %s.npy: no memory", npz->file, key);
	}
	while (got < st.size && (n = zip_fread(file, buf + got, st.size - got)) > 0)
		got += (size_t)n;
	if (n >= 0 && got == st.size)
		n = zip_fread(file, &extra, 1);
	if (n || got != st.size) {
		accel_fail(err, -EBADMSG, NULL, "%s: %s.npy: %s", npz->file, key,
			   n < 0 ? zip_error_strerror(zip_file_get_error(file)) : "damaged: not of the size the archive says");
		zip_fclose(file);
		free(buf);
		return -EBADMSG;
	}
	zip_fclose(file);
	*data = buf;
	*size = got;
	return 0;
}

/* Array PREFIX KEY of the archive ("fc1.", "data"). 1: found, 0: not there, or an error. kinds: those allowed, "fiu" say. */
static int npz_find(struct npz *npz, const char *prefix, const char *key, const char *kinds, struct npy *array,
		    struct accel_error *err)
{
	zip_int64_t index;
	void *data = NULL;
	size_t size = 0;
	char *name, *text;
	int ret;

	if (asprintf(&name, "%s%s.npy", prefix, key) < 0)
		return accel_fail(err, -ENOMEM, NULL, "%s: no memory", npz->file);
	index = zip_name_locate(npz->zip, name, 0);
	if (index < 0) {
		free(name);
		return 0;
	}
	npz->used[index] = true;
	name[strlen(name) - strlen(".npy")] = 0;
	if (asprintf(&text, "%s: %s", npz->file, name) < 0) {
		free(name);
		return accel_fail(err, -ENOMEM, NULL, "%s: no memory", npz->file);
	}
	ret = read_member(npz, (zip_uint64_t)index, name, &data, &size, err);
	if (!ret) {
		ret = npy_parse(data, size, text, array, err);
		if (ret)
			free(data);
		else
			array->owned = data;
	}
	if (!ret && !strchr(kinds, array->kind)) {
		ret = accel_fail(err, -EINVAL, NULL, "%s has elements of kind '%c'; docs/npz.md tells which it must have", text,
				 array->kind);
		npy_free(array);
	}
	free(text);
	free(name);
	return ret ? ret : 1;
}

/* As npz_find, but the array must be there, with ndim dimensions. */
static int npz_need(struct npz *npz, const char *prefix, const char *key, const char *kinds, unsigned int ndim,
		    struct npy *array, struct accel_error *err)
{
	int ret = npz_find(npz, prefix, key, kinds, array, err);

	if (ret < 0)
		return ret;
	if (!ret)
		return accel_fail(err, -EINVAL, NULL, "%s: there is no array '%s%s'; docs/npz.md tells what there must be",
				  npz->file, prefix, key);
	if (array->ndim != ndim) {
		ret = accel_fail(err, -EINVAL, NULL, "%s: %s%s has %u dimensions; it must have %u", npz->file, prefix, key,
				 array->ndim, ndim);
		npy_free(array);
		return ret;
	}
	return 0;
}

/* Integers lo..hi into new memory. */
static int to_u32(const struct npz *npz, const char *prefix, const char *key, const struct npy *a, uint32_t hi, uint32_t **values,
		  struct accel_error *err)
{
	uint32_t *v = malloc((a->count ? a->count : 1) * sizeof(*v));

	if (!v)
		return accel_fail(err, -ENOMEM, NULL, "%s: %s%s: no memory", npz->file, prefix, key);
	for (uint64_t i = 0; i < a->count; i++) {
		int64_t value;

		if (npy_int(a, i, &value) || value < 0 || value > hi) {
			free(v);
			return accel_fail(err, -EINVAL, NULL, "%s: %s%s[%llu] is outside 0 .. %u", npz->file, prefix, key,
					  (unsigned long long)i, hi);
		}
		v[i] = (uint32_t)value;
	}
	*values = v;
	return 0;
}

static int get_u32(struct npz *npz, const char *prefix, const char *key, uint32_t hi, uint32_t **values, uint64_t *count,
		   struct accel_error *err)
{
	struct npy a;
	int ret = npz_need(npz, prefix, key, "iu", 1, &a, err);

	if (ret)
		return ret;
	*count = a.count;
	ret = to_u32(npz, prefix, key, &a, hi, values, err);
	npy_free(&a);
	return ret;
}

/* Floats into new memory; doubles only when nothing is lost: weights are taken as they are. */
static int to_f32(const struct npz *npz, const char *prefix, const char *key, const struct npy *a, float **values,
		  struct accel_error *err)
{
	float *v = malloc((a->count ? a->count : 1) * sizeof(*v));

	if (!v)
		return accel_fail(err, -ENOMEM, NULL, "%s: %s%s: no memory", npz->file, prefix, key);
	for (uint64_t i = 0; i < a->count; i++) {
		double d = npy_double(a, i);

		v[i] = (float)d;
		if (!isfinite(v[i]) || (double)v[i] != d) {
			free(v);
			return accel_fail(err, -EDOM, NULL, "%s: %s%s[%llu] is %.17g, which is no finite float32; save .astype(np.float32)",
					  npz->file, prefix, key, (unsigned long long)i, d);
		}
	}
	*values = v;
	return 0;
}

/* A scalar or one-element string, given back as a new C string; *text is NULL when it is not there. */
static int get_word(struct npz *npz, const char *prefix, const char *key, char **text, struct accel_error *err)
{
	struct npy a;
	int ret = npz_find(npz, prefix, key, "S", &a, err);

	*text = NULL;
	if (ret <= 0)
		return ret;
	ret = 0;
	if (a.count != 1)
		ret = accel_fail(err, -EINVAL, NULL, "%s: %s%s has %llu strings; it must have one", npz->file, prefix, key,
				 (unsigned long long)a.count);
	if (!ret && !(*text = npy_string(&a, 0)))
		ret = accel_fail(err, -ENOMEM, NULL, "%s: no memory", npz->file);
	npy_free(&a);
	return ret;
}

/* ---------------------------------------------------------------- one layer */

struct raw_layer {
	char *name;
	uint32_t *shape, *rowptr, *col;
	float *data, *bias;
	uint64_t nnz;                    /* elements of data and col */
	enum accel_activation activation;
	uint8_t *code;
	float codebook[256];
	unsigned int ncodes;
};

static void raw_free(struct raw_layer *l)
{
	free(l->name);
	free(l->shape);
	free(l->rowptr);
	free(l->col);
	free(l->data);
	free(l->bias);
	free(l->code);
}

static int read_activation(struct npz *npz, const char *prefix, struct raw_layer *l, struct accel_error *err)
{
	char *word;
	int ret = get_word(npz, prefix, "activation", &word, err);

	if (ret || !word)
		return ret;
	if (!strcmp(word, "relu"))
		l->activation = ACCEL_ACT_RELU;
	else if (!strcmp(word, "relu6"))
		l->activation = ACCEL_ACT_RELU6;
	else if (strcmp(word, "none"))
		ret = accel_fail(err, -EINVAL, l->name, "%s: %sactivation is '%s'; 'none', 'relu' and 'relu6' are known", npz->file,
				 prefix, word);
	free(word);
	return ret;
}

static int read_format(struct npz *npz, const char *prefix, const struct raw_layer *l, struct accel_error *err)
{
	char *word;
	int ret = get_word(npz, prefix, "format", &word, err);

	if (!ret && word && strcmp(word, "csr"))
		ret = accel_fail(err, -EINVAL, l->name, "%s: %sformat is '%s'; save matrix.tocsr()", npz->file, prefix, word);
	free(word);
	return ret;
}

static int read_bias(struct npz *npz, const char *prefix, struct raw_layer *l, struct accel_error *err)
{
	struct npy a;
	int ret = npz_find(npz, prefix, "bias", "f", &a, err);

	if (ret <= 0)
		return ret;
	if (a.ndim != 1 || a.count != l->shape[0])
		ret = accel_fail(err, -EINVAL, l->name, "%s: %sbias has %llu values; the layer has %u rows", npz->file, prefix,
				 (unsigned long long)a.count, l->shape[0]);
	else
		ret = to_f32(npz, prefix, "bias", &a, &l->bias, err);
	npy_free(&a);
	return ret;
}

/* kinds: of the elements. */
static int read_matrix(struct npz *npz, const char *prefix, const char *kinds, struct raw_layer *l, struct accel_error *err)
{
	uint64_t n;
	struct npy a;
	int ret = get_u32(npz, prefix, "shape", ACCEL_MAX_DIM, &l->shape, &n, err);

	if (ret)
		return ret;
	if (n != 2 || !l->shape[0] || !l->shape[1])
		return accel_fail(err, -EINVAL, l->name, "%s: %sshape must be two numbers [outputs, inputs]", npz->file, prefix);
	ret = npz_need(npz, prefix, "data", kinds, 1, &a, err);
	if (ret)
		return ret;
	ret = to_f32(npz, prefix, "data", &a, &l->data, err);
	l->nnz = a.count;
	npy_free(&a);
	if (!ret)
		ret = get_u32(npz, prefix, "indices", l->shape[1] - 1, &l->col, &n, err);
	if (!ret && (n != l->nnz || n >= ACCEL_MAX_NNZ))
		ret = accel_fail(err, -EINVAL, l->name, "%s: %sindices has %llu elements, %sdata %llu; they must be equal, below 2^31",
				 npz->file, prefix, (unsigned long long)n, prefix, (unsigned long long)l->nnz);
	if (!ret)
		ret = get_u32(npz, prefix, "indptr", (uint32_t)l->nnz, &l->rowptr, &n, err);
	if (ret)
		return ret;
	if (n != l->shape[0] + (uint64_t)1)
		return accel_fail(err, -EINVAL, l->name, "%s: %sindptr has %llu elements for %u rows", npz->file, prefix,
				  (unsigned long long)n, l->shape[0]);
	if (l->rowptr[0] != 0 || l->rowptr[l->shape[0]] != l->nnz)
		return accel_fail(err, -EINVAL, l->name, "%s: %sindptr must go from 0 to %llu", npz->file, prefix,
				  (unsigned long long)l->nnz);
	for (uint32_t r = 0; r < l->shape[0]; r++)
		if (l->rowptr[r + 1] < l->rowptr[r])
			return accel_fail(err, -EINVAL, l->name, "%s: %sindptr falls at %u", npz->file, prefix, r + 1);
	return 0;
}

struct element {
	uint32_t col;
	float value;
};

static int compare_elements(const void *a, const void *b)
{
	uint32_t x = ((const struct element *)a)->col, y = ((const struct element *)b)->col;

	return x < y ? -1 : x > y;
}

/* scipy does not promise order within a row; explicit zeros are no weights. Duplicates are an error, zero or not. */
static int sort_rows(const struct npz *npz, struct raw_layer *l, struct accel_error *err)
{
	uint32_t start = 0, kept = 0, longest = 1;
	struct element *row;
	int ret = 0;

	for (uint32_t r = 0; r < l->shape[0]; r++) {
		uint32_t n = l->rowptr[r + 1] - l->rowptr[r];

		if (n > l->shape[1])
			return accel_fail(err, -EINVAL, l->name, "%s: layer '%s': row %u has %u elements in %u columns; call sum_duplicates() first",
					  npz->file, l->name, r, n, l->shape[1]);
		longest = n > longest ? n : longest;
	}
	row = malloc(longest * sizeof(*row));
	if (!row)
		return accel_fail(err, -ENOMEM, l->name, "%s: no memory", npz->file);
	for (uint32_t r = 0; !ret && r < l->shape[0]; r++) {
		uint32_t end = l->rowptr[r + 1], n = end - start;
		bool sorted = true;

		for (uint32_t i = 0; i < n; i++) {
			row[i] = (struct element) { l->col[start + i], l->data[start + i] };
			sorted &= !i || row[i - 1].col < row[i].col;
		}
		if (!sorted)
			qsort(row, n, sizeof(*row), compare_elements);
		for (uint32_t i = 0; !ret && i < n; i++) {
			if (i && row[i].col == row[i - 1].col)
				ret = accel_fail(err, -EINVAL, l->name, "%s: layer '%s': row %u has column %u twice; call sum_duplicates() first",
						 npz->file, l->name, r, row[i].col);
			if (row[i].value == 0)
				continue;
			l->col[kept] = row[i].col;
			l->data[kept++] = row[i].value;
		}
		start = end;
		l->rowptr[r + 1] = kept;
	}
	l->nnz = kept;
	free(row);
	return ret;
}

/* Place of value in the sorted codebook[1 .. ncodes - 1], or where it would have to go. */
static unsigned int code_of(const struct raw_layer *l, float value)
{
	unsigned int lo = 1, hi = l->ncodes;

	while (lo < hi) {
		unsigned int mid = (lo + hi) / 2;

		if (l->codebook[mid] < value)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

/* The codebook is the sorted list of the values there are. */
static int find_codebook(const struct npz *npz, struct raw_layer *l, struct accel_error *err)
{
	l->code = malloc(l->nnz ? l->nnz : 1);
	if (!l->code)
		return accel_fail(err, -ENOMEM, l->name, "%s: no memory", npz->file);
	l->ncodes = 1;
	for (uint64_t i = 0; i < l->nnz; i++) {
		unsigned int at = code_of(l, l->data[i]);

		if (at < l->ncodes && l->codebook[at] == l->data[i])
			continue;
		if (l->ncodes == 256)
			return accel_fail(err, -EDOM, l->name, "%s: layer '%s' has more than 255 distinct weights; cluster them first (weight sharing): 15 values give 4-bit codes, 255 8-bit codes",
					  npz->file, l->name);
		memmove(l->codebook + at + 1, l->codebook + at, (l->ncodes - at) * sizeof(*l->codebook));
		l->codebook[at] = l->data[i];
		l->ncodes++;
	}
	for (uint64_t i = 0; i < l->nnz; i++)
		l->code[i] = (uint8_t)code_of(l, l->data[i]);
	return 0;
}

/* Everything of a layer, as accel_graph_add_fc_csr wants it. l->name is set; prefix is "" or "NAME.". */
static int read_layer(struct npz *npz, const char *prefix, struct raw_layer *l, struct accel_error *err)
{
	int ret = read_format(npz, prefix, l, err);

	if (!ret)
		ret = read_matrix(npz, prefix, "f", l, err);
	if (!ret)
		ret = read_bias(npz, prefix, l, err);
	if (!ret)
		ret = read_activation(npz, prefix, l, err);
	if (!ret)
		ret = sort_rows(npz, l, err);
	if (!ret)
		ret = find_codebook(npz, l, err);
	return ret;
}

/* ---------------------------------------------------------------- the graph */

/* n numbers of input.KEY; values keep their defaults when it is not there. */
static int get_floats(struct npz *npz, const char *key, uint64_t n, float *values, struct accel_error *err)
{
	struct npy a;
	float *v = NULL;
	int ret = npz_find(npz, "input.", key, "f", &a, err);

	if (ret <= 0)
		return ret;
	if (a.count != n)
		ret = accel_fail(err, -EINVAL, NULL, "%s: input.%s has %llu values; it must have %llu", npz->file, key,
				 (unsigned long long)a.count, (unsigned long long)n);
	else
		ret = to_f32(npz, "input.", key, &a, &v, err);
	npy_free(&a);
	if (!ret)
		memcpy(values, v, n * sizeof(*v));
	free(v);
	return ret;
}

/* input.name, input.shape, input.range, input.scale; cols is what the first layer takes. */
static int add_input(struct npz *npz, struct accel_graph *graph, uint32_t cols, unsigned int *tensor, struct accel_error *err)
{
	float range[2] = { -1, 1 }, scale = 1.0f / 255;
	uint32_t *dims = NULL, one_dim[1] = { cols };
	uint64_t product = 1;
	unsigned int ndim = 1;
	struct npy a;
	char *name = NULL;
	int ret = get_floats(npz, "range", 2, range, err);

	if (!ret)
		ret = get_floats(npz, "scale", 1, &scale, err);
	if (!ret && accel_graph_picture_scale(graph, scale))
		ret = accel_fail(err, -EINVAL, NULL, "%s: input.scale is %g; it must be above 0", npz->file, (double)scale);
	if (!ret)
		ret = get_word(npz, "input.", "name", &name, err);
	if (!ret)
		ret = npz_find(npz, "input.", "shape", "iu", &a, err);
	if (ret == 1) {
		ret = to_u32(npz, "input.", "shape", &a, ACCEL_MAX_DIM, &dims, err);
		if (!ret && (a.ndim != 1 || !a.count || a.count > ACCEL_MAX_DIMS))
			ret = accel_fail(err, -EINVAL, NULL, "%s: input.shape must be 1 to %d numbers", npz->file, ACCEL_MAX_DIMS);
		ndim = (unsigned int)a.count;
		npy_free(&a);
		for (unsigned int i = 0; !ret && i < ndim; i++)
			if (__builtin_mul_overflow(product, (uint64_t)dims[i], &product))
				product = 0;
		if (!ret && product != cols)
			ret = accel_fail(err, -EINVAL, NULL, "%s: input.shape gives %llu values, the first layer takes %u", npz->file,
					 (unsigned long long)product, cols);
	}
	if (!ret)
		ret = accel_graph_input(graph, name ? name : "input", ndim, dims ? dims : one_dim, range[0], range[1], tensor, err);
	free(dims);
	free(name);
	return ret;
}

static int add_layer(struct npz *npz, struct accel_graph *graph, const char *prefix, const char *name, unsigned int *tensor,
		     bool first, struct accel_error *err)
{
	struct raw_layer l = { .name = strdup(name) };
	int ret = l.name ? read_layer(npz, prefix, &l, err) : accel_fail(err, -ENOMEM, NULL, "%s: no memory", npz->file);

	if (!ret && first)
		ret = add_input(npz, graph, l.shape[1], tensor, err);
	if (!ret) {
		struct accel_csr csr = {
			.rows = l.shape[0],
			.cols = l.shape[1],
			.rowptr = l.rowptr,
			.col = l.col,
			.code = l.code,
			.codebook = l.codebook,
			.ncodes = l.ncodes,
			.bias = l.bias,
		};

		ret = accel_graph_add_fc_csr(graph, name, *tensor, &csr, l.activation, tensor, err);
	}
	raw_free(&l);
	return ret;
}

static int add_classes(struct npz *npz, struct accel_graph *graph, struct accel_error *err)
{
	struct npy a;
	char **names;
	int ret = npz_find(npz, "", "classes", "S", &a, err);

	if (ret <= 0)
		return ret;
	ret = 0;
	if (a.ndim != 1 || a.count > ACCEL_MAX_CLASSES) {
		npy_free(&a);
		return accel_fail(err, -EINVAL, NULL, "%s: classes must be a list of at most %u names", npz->file, ACCEL_MAX_CLASSES);
	}
	names = calloc(a.count + 1, sizeof(*names));
	for (uint64_t i = 0; names && !ret && i < a.count; i++) {
		names[i] = npy_string(&a, i);
		ret = names[i] ? accel_name_check(npz->file, names[i], -EINVAL, "a class", err) : -ENOMEM;
	}
	if (!names || ret == -ENOMEM)
		ret = accel_fail(err, -ENOMEM, NULL, "%s: no memory", npz->file);
	if (!ret) {
		ret = accel_graph_class_names(graph, (unsigned int)a.count, (const char *const *)names);
		if (ret)
			accel_fail(err, ret, NULL, "%s: classes: %s", npz->file, strerror(-ret));
	}
	for (uint64_t i = 0; names && i < a.count; i++)
		free(names[i]);
	free(names);
	npy_free(&a);
	return ret;
}

/* The layers of the list, each reading the one before. */
static int add_layers(struct npz *npz, struct accel_graph *graph, const struct npy *list, struct accel_error *err)
{
	unsigned int tensor;
	int ret = 0;

	if (list->ndim != 1 || !list->count)
		return accel_fail(err, -EINVAL, NULL, "%s: layers must be a list of names", npz->file);
	for (uint64_t i = 0; !ret && i < list->count; i++) {
		char *name = npy_string(list, i), *prefix = NULL;

		if (!name || asprintf(&prefix, "%s.", name) < 0) {
			free(name);
			return accel_fail(err, -ENOMEM, NULL, "%s: no memory", npz->file);
		}
		ret = add_layer(npz, graph, prefix, name, &tensor, !i, err);
		free(prefix);
		free(name);
	}
	return ret;
}

/* A misspelt key must not silently become a default. */
static int check_all_used(const struct npz *npz, struct accel_error *err)
{
	for (zip_int64_t i = 0; i < npz->members; i++) {
		const char *name = zip_get_name(npz->zip, (zip_uint64_t)i, 0);

		/* newer scipy marks sparse arrays, as opposed to sparse matrices, with this one */
		if (!npz->used[i] && (!name || strcmp(name, "_is_array.npy")))
			return accel_fail(err, -EINVAL, NULL, "%s: '%s' is no key of docs/npz.md, or is there twice; rename or remove it",
					  npz->file, name ? name : "(no name)");
	}
	return 0;
}

int npz_graph(const void *data, size_t size, const char *name, struct accel_graph **graph, struct accel_error *err)
{
	struct accel_graph *g;
	struct npz npz;
	struct npy list;
	unsigned int tensor;
	int ret = npz_open(&npz, data, size, name, err);

	if (ret)
		return ret;
	ret = accel_graph_new(&g);
	if (ret) {
		npz_close(&npz);
		return accel_fail(err, ret, NULL, "%s: no memory", name);
	}
	ret = npz_find(&npz, "", "layers", "S", &list, err);
	if (ret == 1) {
		ret = add_layers(&npz, g, &list, err);
		npy_free(&list);
	} else if (!ret) {
		/* what scipy.sparse.save_npz writes */
		ret = add_layer(&npz, g, "", "fc", &tensor, true, err);
	}
	if (!ret)
		ret = add_classes(&npz, g, err);
	if (!ret)
		ret = check_all_used(&npz, err);
	npz_close(&npz);
	if (ret) {
		accel_graph_free(g);
		return ret;
	}
	*graph = g;
	return 0;
}

int npz_matrix_read(const char *path, struct npz_matrix *matrix, struct accel_error *err)
{
	struct raw_layer l = { .name = (char *)path };
	struct npz npz;
	void *data;
	size_t size;
	int ret = accel_file_read(path, &data, &size, err);

	if (ret)
		return ret;
	ret = npz_open(&npz, data, size, path, err);
	if (!ret) {
		ret = read_format(&npz, "", &l, err);
		ret = ret ? ret : read_matrix(&npz, "", "fiub", &l, err);
		ret = ret ? ret : check_all_used(&npz, err);
		npz_close(&npz);
	}
	free(data);
	l.name = NULL;
	if (!ret) {
		*matrix = (struct npz_matrix){ { l.shape[0], l.shape[1], l.rowptr, l.col, l.data }, l.rowptr, l.col, l.data };
		l.rowptr = l.col = NULL;
		l.data = NULL;
	}
	raw_free(&l);
	return ret;
}

void npz_matrix_free(struct npz_matrix *matrix)
{
	free(matrix->rowptr);
	free(matrix->col);
	free(matrix->value);
	*matrix = (struct npz_matrix){ 0 };
}

int accel_graph_from_npz(const char *path, struct accel_graph **graph, struct accel_error *err)
{
	void *data;
	size_t size;
	int ret = accel_file_read(path, &data, &size, err);

	if (ret)
		return ret;
	ret = npz_graph(data, size, path, graph, err);
	free(data);
	return ret;
}
