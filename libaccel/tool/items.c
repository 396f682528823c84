// SPDX-License-Identifier: GPL-2.0 OR MIT
#include "items.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <npy.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

struct reader {
	const struct tool *tool;
	struct items *items;
	const struct accel_model *model;
	unsigned int input;
	const struct accel_tensor_info *tensor; /* of the input */
	struct byte_values bytes;
	bool raw;
};

/* Makes room for n more items from a file; *name is the file's name in the items. */
static int grow(struct reader *r, const char *path, uint64_t n, bool raw)
{
	struct items *it = r->items;
	size_t size = raw ? sizeof(*it->raw) : sizeof(*it->real);
	void *values = raw ? (void *)it->raw : (void *)it->real;
	struct item_source *source;
	char **files;
	size_t bytes;

	if (raw ? it->real != NULL : it->raw != NULL)
		return fail("%s: int16 values and reals cannot be mixed in one run", path);
	if (__builtin_mul_overflow(it->n + n, r->tensor->count * size, &bytes))
		return fail("%s: too many items", path);
	it->count = r->tensor->count;
	values = realloc(values, bytes);
	if (!values)
		return fail("%s: no memory for %s items", path, text_count(n).s);
	if (raw)
		it->raw = values;
	else
		it->real = values;
	source = realloc(it->source, (it->n + n) * sizeof(*source));
	if (!source)
		return fail("%s: no memory for %s items", path, text_count(n).s);
	it->source = source;
	files = realloc(it->files, (it->nfiles + 1) * sizeof(*files));
	if (!files)
		return fail("%s: out of memory", path);
	it->files = files;
	files[it->nfiles] = strdup(path);
	if (!files[it->nfiles])
		return fail("%s: out of memory", path);
	for (uint64_t i = 0; i < n; i++)
		it->source[it->n + i] = (struct item_source){ .file = files[it->nfiles],
							      .index = n > 1 ? (int64_t)i : -1 };
	it->nfiles++;
	return EXIT_OK;
}

/*
 * Items in an array: [n, ...] with the tensor's number of values an item, or one item of any shape
 * with that number.
 */
static int count_items(const struct reader *r, const char *path, const struct npy *a, uint64_t *n)
{
	const struct accel_tensor_info *t = r->tensor;
	char shape[80] = "";
	size_t at = 0;

	/* a quotient: the product could wrap */
	*n = a->ndim && a->dims[0] && a->count % a->dims[0] == 0 &&
			     a->count / a->dims[0] == t->count ?
		     a->dims[0] :
		     1;
	if (*n > 1 || a->count == t->count)
		return EXIT_OK;
	for (unsigned int i = 0; i < a->ndim && at < sizeof(shape); i++)
		at += (size_t)snprintf(shape + at, sizeof(shape) - at, "%s%" PRIu64, i ? ", " : "",
				       a->dims[i]);
	return fail("%s: has shape [%s]; input %s takes %s, or [n, ...] of them", path, shape,
		    t->name, text_shape(t).s);
}

/* float, uint8 (picture bytes), or int16 with --raw */
static int check_type(const struct reader *r, const char *path, const struct npy *a)
{
	bool raw = a->kind == 'i' && a->itemsize == 2;

	if (a->kind == 'f' || (a->kind == 'u' && a->itemsize == 1) || (raw && r->raw))
		return EXIT_OK;
	if (raw)
		return fail(
			"%s: holds int16 values; add --raw if they are quantised, or store reals as float32",
			path);
	return fail(
		"%s: values of type '%c%u'; inputs are float32, float64, uint8 or, with --raw, int16",
		path, a->kind, a->itemsize);
}

static int copy_values(struct reader *r, const char *path, const struct npy *a)
{
	uint64_t first = r->items->n * r->tensor->count;
	float *to;

	if (a->kind == 'i') {
		memcpy(r->items->raw + first, a->data, a->count * sizeof(int16_t));
		return EXIT_OK;
	}
	to = r->items->real + first;
	for (uint64_t i = 0; i < a->count; i++) {
		to[i] = (float)npy_double(a, i);
		if (isnan(to[i]))
			return fail("%s: value %" PRIu64 " is not a number", path, i);
		if (a->kind == 'u')
			to[i] = byte_value(&r->bytes, i % r->tensor->count, (uint8_t)to[i]);
	}
	return EXIT_OK;
}

static int add_array(struct reader *r, const char *path)
{
	struct accel_error err = { 0 };
	struct npy a;
	uint64_t n = 0;
	int status;

	if (npy_read(!strcmp(path, "-") ? "/dev/stdin" : path, &a, &err))
		return fail_accel(path, &err);
	status = check_type(r, path, &a);
	if (!status)
		status = count_items(r, path, &a, &n);
	if (!status)
		status = grow(r, path, n, a.kind == 'i');
	if (!status)
		status = copy_values(r, path, &a);
	if (!status)
		r->items->n += n;
	npy_free(&a);
	return status;
}

static int add_picture(struct reader *r, const char *path)
{
	struct accel_error err = { 0 };
	int status = grow(r, path, 1, false);

	if (status)
		return status;
	if (accel_model_picture(r->model, r->input, path, r->items->real + r->items->n * r->tensor->count,
				&err))
		return fail_accel(path, &err);
	r->items->n++;
	return EXIT_OK;
}

bool is_picture(const char *name)
{
	return has_suffix(name, ".jpg") || has_suffix(name, ".jpeg") || has_suffix(name, ".png");
}

static int add_file(struct reader *r, const char *path)
{
	if (!strcmp(path, "-") || has_suffix(path, ".npy"))
		return add_array(r, path);
	if (is_picture(path))
		return add_picture(r, path);
	return fail(
		"%s: unknown kind of input; supported: .npy, .jpg, .png, a directory of them, or - (.npy on standard input)",
		path);
}

static int is_input(const struct dirent *entry)
{
	return entry->d_name[0] != '.' &&
	       (has_suffix(entry->d_name, ".npy") || is_picture(entry->d_name));
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static int add_directory(struct reader *r, const char *path)
{
	struct dirent **entries = NULL;
	int status = EXIT_OK, n = scandir(path, &entries, is_input, by_name);

	if (n < 0)
		return fail("%s: %s", path, strerror(errno));
	if (!n)
		status = fail("%s: holds no .npy, .jpg or .png file", path);
	for (int i = 0; i < n; i++) {
		char *name = NULL;

		if (!status && asprintf(&name, "%s/%s", path, entries[i]->d_name) < 0) {
			name = NULL;
			status = fail("out of memory");
		}
		if (!status)
			status = add_file(r, name);
		free(name);
		free(entries[i]);
	}
	free(entries);
	return status;
}

struct byte_values byte_values(const struct accel_model *model, unsigned int input)
{
	const struct accel_preprocess *pre = input ? NULL : accel_model_preprocess(model);
	struct byte_values v = { .channels = 1 };
	struct accel_tensor_info t;

	for (unsigned int c = 0; c < 3; c++) {
		v.mean[c] = pre ? pre->mean[c] : 0;
		v.scale[c] = pre ? pre->scale[c] : accel_model_picture_scale(model);
	}
	if (!pre || accel_model_input(model, input, &t))
		return v;
	if (t.ndim >= 3 && pre->layout == ACCEL_LAYOUT_HWC)
		v.channels = t.dims[t.ndim - 1];
	else if (t.ndim >= 3)
		v.channels = t.dims[t.ndim - 3];
	v.plane = pre->layout == ACCEL_LAYOUT_CHW ? t.count / v.channels : 0;
	return v;
}

int items_read(const struct tool *tool, struct items *items, const char *path,
	       const struct accel_model *model, unsigned int input, bool raw)
{
	struct accel_tensor_info tensor = { 0 };
	struct reader r = { .tool = tool,
			    .items = items,
			    .model = model,
			    .input = input,
			    .tensor = &tensor,
			    .bytes = byte_values(model, input),
			    .raw = raw };
	uint64_t before = items->n;
	struct stat st;
	int status;

	accel_model_input(model, input, &tensor);
	if (strcmp(path, "-") && stat(path, &st))
		return fail("%s: %s", path, strerror(errno));
	if (strcmp(path, "-") && S_ISDIR(st.st_mode))
		status = add_directory(&r, path);
	else
		status = add_file(&r, path);
	if (!status)
		detail(tool, "%s: %s items for input %s", path, text_count(items->n - before).s,
		       tensor.name);
	return status;
}

void items_free(struct items *items)
{
	for (unsigned int i = 0; i < items->nfiles; i++)
		free(items->files[i]);
	free(items->files);
	free(items->source);
	free(items->real);
	free(items->raw);
	*items = (struct items){ 0 };
}
