// SPDX-License-Identifier: GPL-2.0 OR MIT
/* The header is a Python dictionary of three known keys: a parser for just that, and for nothing that does not look like NumPy's. */
#include "npy.h"
#include "file.h"
#include "model.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "elements are copied without swapping");

#define MAGIC       "\x93NUMPY"
#define MAGIC_BYTES 6
#define HEADER_MAX  65536u   /* NumPy itself stops at 10000 unless told otherwise */

/* ---------------------------------------------------------------- header */

struct cursor {
	const char *p, *end;
};

static void skip_space(struct cursor *c)
{
	while (c->p < c->end && (*c->p == ' ' || *c->p == '\n' || *c->p == '\t'))
		c->p++;
}

/* Takes a character if it is the next one after blanks. */
static bool take(struct cursor *c, char ch)
{
	skip_space(c);
	if (c->p == c->end || *c->p != ch)
		return false;
	c->p++;
	return true;
}

static bool take_word(struct cursor *c, const char *word)
{
	size_t len = strlen(word);

	skip_space(c);
	if ((size_t)(c->end - c->p) < len || memcmp(c->p, word, len))
		return false;
	c->p += len;
	return true;
}

/* A quoted string without escapes. */
static bool take_string(struct cursor *c, const char **start, size_t *len)
{
	char quote;

	skip_space(c);
	if (c->p == c->end || (*c->p != '\'' && *c->p != '"'))
		return false;
	quote = *c->p++;
	*start = c->p;
	while (c->p < c->end && *c->p != quote && *c->p != '\\' && *c->p != '\n')
		c->p++;
	*len = (size_t)(c->p - *start);
	return c->p < c->end && *c->p++ == quote;
}

static bool take_number(struct cursor *c, uint64_t *value)
{
	const char *start;

	skip_space(c);
	start = c->p;
	*value = 0;
	while (c->p < c->end && *c->p >= '0' && *c->p <= '9') {
		if (__builtin_mul_overflow(*value, (uint64_t)10, value) ||
		    __builtin_add_overflow(*value, (uint64_t)(*c->p - '0'), value))
			return false;
		c->p++;
	}
	return c->p > start;
}

/* '<f4', '|u1', '|S12' ... */
static int parse_type(const char *s, size_t len, const char *name, struct npy *a, struct accel_error *err)
{
	struct cursor c = { s + 2, s + len };
	uint64_t size;
	int shown = len < 32 ? (int)len : 32;

	if (len < 3 || !take_number(&c, &size) || c.p != c.end || size > INT32_MAX)
		return accel_fail(err, -ENOTSUP, NULL, "%s: elements of type '%.*s' are not supported", name, shown, s);
	if (s[0] == '>')
		return accel_fail(err, -ENOTSUP, NULL, "%s: big-endian elements ('%.*s'); save array.astype(array.dtype.newbyteorder('<'))",
				  name, shown, s);
	a->kind = s[1];
	a->itemsize = (unsigned int)size;
	if ((s[0] == '<' || s[0] == '|') &&
	    ((s[1] == 'f' && (size == 4 || size == 8)) || (s[1] == 'b' && size == 1) || (s[1] == 'S' && size) ||
	     ((s[1] == 'i' || s[1] == 'u') && (size == 1 || size == 2 || size == 4 || size == 8))))
		return 0;
	return accel_fail(err, -ENOTSUP, NULL, "%s: elements of type '%.*s' are not supported; floats of 4 or 8 bytes, integers and byte strings are",
			  name, shown, s);
}

static int malformed(const char *name, const char *what, struct accel_error *err)
{
	return accel_fail(err, -EBADMSG, NULL, "%s: not a NumPy array, or damaged: %s", name, what);
}

/* (), (3,), (3, 4), (3, 4,) */
static int parse_shape(struct cursor *c, const char *name, struct npy *a, struct accel_error *err)
{
	bool comma = true;

	if (!take(c, '('))
		return malformed(name, "'shape' is no tuple", err);
	while (!take(c, ')')) {
		if (!comma)
			return malformed(name, "'shape' is no tuple of numbers", err);
		if (a->ndim == NPY_MAX_DIMS)
			return accel_fail(err, -ENOTSUP, NULL, "%s: more than %d dimensions", name, NPY_MAX_DIMS);
		if (!take_number(c, &a->dims[a->ndim++]))
			return malformed(name, "'shape' is no tuple of numbers", err);
		comma = take(c, ',');
	}
	return a->ndim == 1 && !comma ? malformed(name, "'shape' is no tuple", err) : 0;
}

static int parse_dict(struct cursor c, const char *name, struct npy *a, struct accel_error *err)
{
	enum { DESCR = 1, ORDER = 2, SHAPE = 4, ALL = 7 };
	unsigned int seen = 0;
	bool comma = true;

	if (!take(&c, '{'))
		return malformed(name, "the header is no dictionary", err);
	while (!take(&c, '}')) {
		const char *key, *value;
		size_t key_len, value_len;
		unsigned int which;
		int ret = 0;

		if (!comma || !take_string(&c, &key, &key_len) || !take(&c, ':'))
			return malformed(name, "the header is no dictionary", err);
		which = key_len == 5 && !memcmp(key, "descr", 5) ? DESCR :
			key_len == 13 && !memcmp(key, "fortran_order", 13) ? ORDER :
			key_len == 5 && !memcmp(key, "shape", 5) ? SHAPE : 0;
		if (!which || seen & which)
			return malformed(name, "an unknown or repeated key in the header", err);
		seen |= which;
		if (which == DESCR) {
			if (!take_string(&c, &value, &value_len))
				return accel_fail(err, -ENOTSUP, NULL, "%s: structured elements are not supported; save one plain array",
						  name);
			ret = parse_type(value, value_len, name, a, err);
		} else if (which == ORDER) {
			if (take_word(&c, "True"))
				return accel_fail(err, -ENOTSUP, NULL, "%s: Fortran order; save np.ascontiguousarray(array)", name);
			if (!take_word(&c, "False"))
				return malformed(name, "'fortran_order' is neither True nor False", err);
		} else {
			ret = parse_shape(&c, name, a, err);
		}
		if (ret)
			return ret;
		comma = take(&c, ',');
	}
	skip_space(&c);
	if (c.p != c.end || seen != ALL)
		return malformed(name, "a key is missing in the header, or something follows it", err);
	return 0;
}

int npy_parse(const void *bytes, size_t size, const char *name, struct npy *array, struct accel_error *err)
{
	const uint8_t *p = bytes;
	struct npy a = { .count = 1 };
	size_t start, header;
	uint64_t need;
	int ret;

	if (size < MAGIC_BYTES + 4 || memcmp(p, MAGIC, MAGIC_BYTES))
		return malformed(name, "no NumPy header", err);
	if (p[6] < 1 || p[6] > 3 || p[7])
		return accel_fail(err, -ENOTSUP, NULL, "%s: .npy version %u.%u; 1.0, 2.0 and 3.0 are known", name, p[6], p[7]);
	start = p[6] == 1 ? 10 : 12;
	if (size < start)
		return malformed(name, "the header is cut off", err);
	header = p[8] | (size_t)p[9] << 8;
	if (p[6] > 1)
		header |= (size_t)p[10] << 16 | (size_t)p[11] << 24;
	if (header > HEADER_MAX || header > size - start)
		return malformed(name, "the header is too long, or cut off", err);
	ret = parse_dict((struct cursor) { (const char *)p + start, (const char *)p + start + header }, name, &a, err);
	if (ret)
		return ret;
	for (unsigned int i = 0; i < a.ndim; i++)
		if (__builtin_mul_overflow(a.count, a.dims[i], &a.count))
			return malformed(name, "the shape is larger than memory", err);
	if (__builtin_mul_overflow(a.count, (uint64_t)a.itemsize, &need) || need != size - start - header)
		return accel_fail(err, -EBADMSG, NULL, "%s: damaged: %zu bytes of elements, the header promises %llu x %u", name,
				  size - start - header, (unsigned long long)a.count, a.itemsize);
	a.data = p + start + header;
	*array = a;
	return 0;
}

int npy_read(const char *path, struct npy *array, struct accel_error *err)
{
	void *data;
	size_t size;
	int ret = accel_file_read(path, &data, &size, err);

	if (ret)
		return ret;
	ret = npy_parse(data, size, path, array, err);
	if (ret)
		free(data);
	else
		array->owned = data;
	return ret;
}

void npy_free(struct npy *array)
{
	free(array->owned);
	memset(array, 0, sizeof(*array));
}

/* ---------------------------------------------------------------- elements */

double npy_double(const struct npy *array, uint64_t i)
{
	const uint8_t *p = array->data + i * array->itemsize;
	int64_t value;
	uint64_t large;
	double d;
	float f;

	if (array->kind == 'f' && array->itemsize == 4) {
		memcpy(&f, p, sizeof(f));
		return (double)f;
	}
	if (array->kind == 'f') {
		memcpy(&d, p, sizeof(d));
		return d;
	}
	if (!npy_int(array, i, &value))
		return (double)value;
	memcpy(&large, p, sizeof(large));
	return (double)large;
}

int npy_int(const struct npy *array, uint64_t i, int64_t *value)
{
	uint64_t bits = 0;
	unsigned int spare = 64 - 8 * array->itemsize;

	memcpy(&bits, array->data + i * array->itemsize, array->itemsize);
	if (array->kind == 'i') {
		*value = (int64_t)(bits << spare) >> spare;
		return 0;
	}
	if (bits > INT64_MAX)
		return -ERANGE;
	*value = (int64_t)bits;
	return 0;
}

char *npy_string(const struct npy *array, uint64_t i)
{
	return strndup((const char *)array->data + i * array->itemsize, array->itemsize);
}

/* ---------------------------------------------------------------- writing */

static int write_array(const char *path, const char *type, size_t itemsize, unsigned int ndim, const uint64_t *dims,
		       const void *data, struct accel_error *err)
{
	char header[512];
	uint64_t bytes = itemsize;
	size_t used, total;
	uint8_t *file;
	int ret;

	if (ndim > NPY_MAX_DIMS)
		return accel_fail(err, -EINVAL, NULL, "%s: more than %d dimensions", path, NPY_MAX_DIMS);
	used = (size_t)snprintf(header, sizeof(header), "{'descr': '%s', 'fortran_order': False, 'shape': (", type);
	for (unsigned int i = 0; i < ndim; i++) {
		used += (size_t)snprintf(header + used, sizeof(header) - used, "%s%llu%s", i ? " " : "",
					 (unsigned long long)dims[i], i + 1 < ndim || ndim == 1 ? "," : "");
		if (__builtin_mul_overflow(bytes, dims[i], &bytes) || bytes > SIZE_MAX / 2)
			return accel_fail(err, -EINVAL, NULL, "%s: the shape is larger than memory", path);
	}
	used += (size_t)snprintf(header + used, sizeof(header) - used, "), }");
	/* elements start at a multiple of 64, as NumPy does; the header ends in a newline */
	total = (10 + used + 1 + 63) / 64 * 64;
	file = malloc(total + bytes);
	if (!file)
		return accel_fail(err, -ENOMEM, NULL, "%s: no memory", path);
	memset(file, ' ', total);
	memcpy(file, MAGIC "\x01", MAGIC_BYTES + 1);
	file[7] = 0;
	file[8] = (uint8_t)((total - 10) & 0xff);
	file[9] = (uint8_t)((total - 10) >> 8);
	memcpy(file + 10, header, used);
	file[total - 1] = '\n';
	if (bytes)
		memcpy(file + total, data, bytes);
	ret = accel_file_write(path, file, total + bytes, err);
	free(file);
	return ret;
}

int npy_write_f32(const char *path, unsigned int ndim, const uint64_t *dims, const float *data, struct accel_error *err)
{
	return write_array(path, "<f4", sizeof(*data), ndim, dims, data, err);
}

int npy_write_i16(const char *path, unsigned int ndim, const uint64_t *dims, const int16_t *data, struct accel_error *err)
{
	return write_array(path, "<i2", sizeof(*data), ndim, dims, data, err);
}
