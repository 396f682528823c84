// SPDX-License-Identifier: GPL-2.0 OR MIT
#include "dataset.h"

#include <errno.h>
#include <inttypes.h>
#include <npy.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <zlib.h>

/*
 * deflate packs at most 1032 bytes into one: what a header promises beyond that cannot be in the
 * file
 */
#define DEFLATE_MOST 1032

struct idx {
	unsigned int ndim;
	uint64_t n, item_bytes; /* first dimension, product of the others */
	uint8_t *bytes;
};

/* Reads exactly n bytes; plain files pass through zlib unchanged. */
static int take(gzFile file, const char *path, void *to, uint64_t n)
{
	uint8_t *at = to;

	while (n) {
		int error, got = gzread(file, at, n < 1u << 30 ? (unsigned int)n : 1u << 30);

		if (got < 0)
			return fail("%s: damaged: %s", path, gzerror(file, &error));
		if (!got)
			return fail("%s: truncated: %" PRIu64 " bytes are missing", path, n);
		at += got;
		n -= (uint64_t)got;
	}
	return EXIT_OK;
}

/*
 * The format of MNIST: two zero bytes, type (8: bytes), number of dimensions, big-endian sizes,
 * values.
 */
static int read_header(gzFile file, const char *path, struct idx *idx)
{
	uint8_t head[4] = { 0 }, size[4];
	struct stat st;
	int status = take(file, path, head, 1);

	/* a few letters are no truncated file of bytes */
	if (!status && !head[0])
		status = take(file, path, head + 1, sizeof(head) - 1);
	if (status)
		return status;
	if (head[0] || head[1] || head[2] != 8 || head[3] < 1 || head[3] > 4)
		return fail("%s: not an IDX file of bytes (MNIST format) and not an .npy file",
			    path);
	idx->ndim = head[3];
	idx->item_bytes = 1;
	for (unsigned int i = 0; i < idx->ndim; i++) {
		uint64_t d;

		status = take(file, path, size, sizeof(size));
		if (status)
			return status;
		d = (uint64_t)size[0] << 24 | (uint64_t)size[1] << 16 | (uint64_t)size[2] << 8 |
		    size[3];
		if (!d)
			return fail("%s: dimension %u is 0", path, i);
		if (!i)
			idx->n = d;
		else if (idx->item_bytes > UINT32_MAX / d)
			return fail("%s: items of more than 4 GiB", path);
		else
			idx->item_bytes *= d;
	}
	if (stat(path, &st))
		return fail("%s: %s", path, strerror(errno));
	if (S_ISREG(st.st_mode) && idx->n > (uint64_t)st.st_size * DEFLATE_MOST / idx->item_bytes)
		return fail("%s: truncated: its header promises %" PRIu64 " items of %" PRIu64
			    " bytes",
			    path, idx->n, idx->item_bytes);
	return EXIT_OK;
}

static int read_idx(const char *path, uint64_t limit, struct idx *idx)
{
	gzFile file = gzopen(path, "rbe");
	int status;

	*idx = (struct idx){ 0 };
	if (!file)
		return fail("%s: %s", path, errno ? strerror(errno) : "cannot be opened");
	status = read_header(file, path, idx);
	if (!status) {
		if (limit && limit < idx->n)
			idx->n = limit;
		idx->bytes = malloc(idx->n * idx->item_bytes);
		if (!idx->bytes)
			status = fail("%s: no memory for %s", path,
				      text_bytes(idx->n * idx->item_bytes).s);
	}
	if (!status)
		status = take(file, path, idx->bytes, idx->n * idx->item_bytes);
	gzclose(file);
	if (status) {
		free(idx->bytes);
		idx->bytes = NULL;
	}
	return status;
}

/* First match wins: the test set before the training set. */
static char *find_images(const char *dir)
{
	static const char *const names[] = {
		"t10k-images-idx3-ubyte",  "t10k-images.idx3-ubyte",  "test-images-idx3-ubyte",
		"train-images-idx3-ubyte", "train-images.idx3-ubyte",
	};
	static const char *const ends[] = { "", ".gz" };
	struct stat st;
	char *path;

	for (unsigned int i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		for (unsigned int e = 0; e < 2; e++) {
			if (asprintf(&path, "%s/%s%s", dir, names[i], ends[e]) < 0)
				return NULL;
			if (!stat(path, &st))
				return path;
			free(path);
		}
	}
	return NULL;
}

/*
 * "x/t10k-images-idx3-ubyte.gz" -> "x/t10k-labels-idx1-ubyte.gz", or NULL when the name has no such
 * parts.
 */
static char *labels_beside(const char *images)
{
	char *path = strdup(images), *at;
	const char *file = path ? base_name(path) : NULL;

	at = file ? strstr(file, "images") : NULL;
	if (at) {
		memcpy(at, "labels", 6);
		at = strstr(at, "idx3");
	}
	if (!at) {
		free(path);
		return NULL;
	}
	at[3] = '1';
	return path;
}

static int images_from_idx(struct dataset *d, const struct accel_model *model,
			   const struct accel_tensor_info *tensor, uint64_t limit)
{
	const struct byte_values values = byte_values(model, 0);
	struct idx idx;
	int status = read_idx(d->images, limit, &idx);

	if (status)
		return status;
	if (idx.item_bytes != tensor->count) {
		status = fail("%s: items have %" PRIu64 " values, input %s takes %s, %" PRIu64
			      " values",
			      d->images, idx.item_bytes, tensor->name, text_shape(tensor).s,
			      tensor->count);
	} else {
		d->items.n = idx.n;
		d->items.count = tensor->count;
		d->items.real = malloc(idx.n * idx.item_bytes * sizeof(float));
		if (!d->items.real)
			status = fail("%s: out of memory", d->images);
	}
	for (uint64_t i = 0; !status && i < idx.n * idx.item_bytes; i++)
		d->items.real[i] = byte_value(&values, i % tensor->count, idx.bytes[i]);
	free(idx.bytes);
	return status;
}

static int labels_from_idx(struct dataset *d, uint64_t *n)
{
	struct idx idx;
	int status = read_idx(d->labels, 0, &idx);

	if (status)
		return status;
	if (idx.item_bytes != 1) {
		free(idx.bytes);
		return fail("%s: not labels: each item has %" PRIu64 " values", d->labels,
			    idx.item_bytes);
	}
	*n = idx.n;
	d->label = calloc(idx.n, sizeof(*d->label));
	for (uint64_t i = 0; d->label && i < idx.n; i++)
		d->label[i] = idx.bytes[i];
	free(idx.bytes);
	return d->label ? EXIT_OK : fail("%s: out of memory", d->labels);
}

static int labels_from_npy(struct dataset *d, uint64_t *n)
{
	struct accel_error err = { 0 };
	int64_t label;
	int status = EXIT_OK;
	struct npy a;

	if (npy_read(d->labels, &a, &err))
		return fail_accel(d->labels, &err);
	*n = a.count;
	if (a.kind != 'i' && a.kind != 'u')
		status = fail("%s: values of type '%c%u'; labels are whole numbers", d->labels,
			      a.kind, a.itemsize);
	if (!status) {
		d->label = calloc(a.count ? a.count : 1, sizeof(*d->label));
		if (!d->label)
			status = fail("%s: out of memory", d->labels);
	}
	for (uint64_t i = 0; !status && i < a.count; i++) {
		if (npy_int(&a, i, &label) || label < 0 || label > UINT32_MAX)
			status = fail("%s: value %" PRIu64 " is no label: labels count from 0",
				      d->labels, i);
		else
			d->label[i] = (uint32_t)label;
	}
	npy_free(&a);
	return status;
}

static int choose_labels(struct dataset *d, const char *labels)
{
	d->labels = labels ? strdup(labels) : labels_beside(d->images);
	if (!d->labels)
		return fail("%s: no labels are known for it; name them with --labels FILE",
			    d->images);
	return EXIT_OK;
}

/* The items; labels too when the pictures' own tell them. */
static int read_items(const struct tool *tool, struct dataset *d, const char *data,
		      const char *labels, const struct accel_model *model, uint64_t limit)
{
	struct accel_tensor_info tensor;
	struct stat st;
	int status;

	accel_model_input(model, 0, &tensor);
	if (stat(data, &st))
		return fail("%s: %s", data, strerror(errno));
	d->images = S_ISDIR(st.st_mode) ? find_images(data) : strdup(data);
	if (!d->images && S_ISDIR(st.st_mode)) {
		d->images = strdup(data);
		d->labels = labels ? strdup(labels) : NULL;
		if (!d->images || (labels && !d->labels))
			return fail("out of memory");
		return picture_set_open(tool, d, data, labels, model, limit);
	}
	if (!d->images)
		return fail("out of memory");
	status = choose_labels(d, labels);
	if (status)
		return status;
	if (has_suffix(d->images, ".npy"))
		return items_read(tool, &d->items, d->images, model, 0, false);
	return images_from_idx(d, model, &tensor, limit);
}

int dataset_open(const struct tool *tool, struct dataset *d, const char *data, const char *labels,
		 const struct accel_model *model, uint64_t limit)
{
	int status = read_items(tool, d, data, labels, model, limit);
	uint64_t n = 0;

	if (status || d->label)
		return status;
	status = has_suffix(d->labels, ".npy") ? labels_from_npy(d, &n) : labels_from_idx(d, &n);
	if (status)
		return status;
	if (limit && limit < d->items.n)
		d->items.n = limit;
	/* images read with a limit may be fewer than their labels */
	if (limit ? n < d->items.n : n != d->items.n)
		return fail("%s: %s labels for %s items in %s", d->labels, text_count(n).s,
			    text_count(d->items.n).s, d->images);
	return EXIT_OK;
}

void dataset_close(struct dataset *d)
{
	items_free(&d->items);
	free(d->images);
	free(d->labels);
	free(d->label);
	*d = (struct dataset){ 0 };
}
