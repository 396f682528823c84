// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Tensors of ONNX files: elements in one of several fields, as raw bytes, or in a file beside the model. */
#include "file.h"
#include "half.h"
#include "onnx.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PIECE 65536u   /* bytes that are read at once: a multiple of every element's */

/* TensorProto.DataType */
enum { FLOAT = 1, UINT8, INT8, UINT16, INT16, INT32, INT64, STRING, BOOL, FLOAT16, DOUBLE, UINT32, UINT64, BFLOAT16 = 16 };

int onnx_type(const char *file, const char *what, int32_t data_type, enum net_type *type, struct accel_error *err)
{
	static const char *const others[] = { [UINT16] = "uint16", [INT16] = "int16", [STRING] = "string", [UINT32] = "uint32",
					      [UINT64] = "uint64", [BFLOAT16] = NULL };
	const char *name = data_type > 0 && data_type < BFLOAT16 ? others[data_type] : NULL;

	switch (data_type) {
	case FLOAT:
	case FLOAT16:
	case BFLOAT16:
	case DOUBLE:
		*type = NET_F32;
		return 0;
	case UINT8:
		*type = NET_U8;
		return 0;
	case INT8:
		*type = NET_I8;
		return 0;
	case INT32:
		*type = NET_I32;
		return 0;
	case INT64:
		*type = NET_I64;
		return 0;
	case BOOL:
		*type = NET_BOOL;
		return 0;
	}
	return accel_fail(err, -ENOTSUP, what, "%s: '%s' is of type %d (%s); float32, float16, bfloat16, float64, int64, int32, int8, uint8 and "
			  "bool are supported", file, what, data_type, name ? name : "unknown");
}

/* Bytes of an element in raw data. */
static size_t raw_size(int32_t data_type)
{
	switch (data_type) {
	case UINT8:
	case INT8:
	case BOOL:
		return 1;
	case FLOAT16:
	case BFLOAT16:
		return 2;
	case INT64:
	case DOUBLE:
		return 8;
	}
	return 4;
}

static void from_raw(const uint8_t *raw, int32_t data_type, uint64_t n, void *data)
{
	float *f = data;

	/* no elements may lie at no address */
	if (!n)
		return;
	if (data_type != FLOAT16 && data_type != BFLOAT16 && data_type != DOUBLE) {
		memcpy(data, raw, n * raw_size(data_type));
		/* whatever a file says, a bool is 0 or 1 */
		for (uint64_t i = 0; data_type == BOOL && i < n; i++)
			((uint8_t *)data)[i] = !!raw[i];
		return;
	}
	for (uint64_t i = 0; i < n; i++) {
		uint16_t half;
		double wide;

		if (data_type == DOUBLE) {
			memcpy(&wide, raw + 8 * i, sizeof(wide));
			f[i] = (float)wide;
			continue;
		}
		memcpy(&half, raw + 2 * i, sizeof(half));
		f[i] = data_type == FLOAT16 ? half_to_float(half) : bfloat_to_float(half);
	}
}

/* Elements in the field of their type. */
static void from_fields(const Onnx__TensorProto *t, uint64_t n, void *data)
{
	if (t->data_type == FLOAT && n)
		memcpy(data, t->float_data, n * sizeof(float));
	if (t->data_type == INT64 && n)
		memcpy(data, t->int64_data, n * sizeof(int64_t));
	for (uint64_t i = 0; i < n && t->data_type != FLOAT && t->data_type != INT64; i++) {
		int32_t v = t->data_type == DOUBLE ? 0 : t->int32_data[i];

		if (t->data_type == DOUBLE)
			((float *)data)[i] = (float)t->double_data[i];
		else if (t->data_type == INT32)
			((int32_t *)data)[i] = v;
		else if (t->data_type == FLOAT16)
			((float *)data)[i] = half_to_float((uint16_t)v);
		else if (t->data_type == BFLOAT16)
			((float *)data)[i] = bfloat_to_float((uint16_t)v);
		else
			((uint8_t *)data)[i] = t->data_type == BOOL ? v != 0 : (uint8_t)v;
	}
}

/* ---------------------------------------------------------------- external data */

static const char *external(const Onnx__TensorProto *t, const char *key)
{
	for (size_t i = 0; i < t->n_external_data; i++)
		if (t->external_data[i]->key && t->external_data[i]->value && !strcmp(t->external_data[i]->key, key))
			return t->external_data[i]->value;
	return NULL;
}

static int number(const char *text, uint64_t *value)
{
	char *end;

	errno = 0;
	*value = strtoull(text, &end, 10);
	return errno || !*text || *end || *text == '-' ? -EINVAL : 0;
}

/* A file name below the model's folder; others could read what is none of the model's business. */
static bool below(const char *location)
{
	if (!*location || *location == '/')
		return false;
	for (const char *p = location; p; p = strchr(p, '/')) {
		p += *p == '/';
		if (!strncmp(p, "..", 2) && (!p[2] || p[2] == '/'))
			return false;
	}
	return true;
}

/* Elements of a file into those of a network, in pieces: large tensors need not be there twice. What reading says. */
static int read_elements(const struct onnx_file *f, uint64_t at, int32_t data_type, uint64_t count, enum net_type type, void *to)
{
	const uint64_t raw = raw_size(data_type), size = net_type_size(type), most = PIECE / raw;
	uint8_t *piece = malloc(PIECE);
	int ret = piece ? 0 : -ENOMEM;

	for (uint64_t i = 0; !ret && i < count; i += most) {
		uint64_t n = count - i < most ? count - i : most;

		ret = onnx_file_read(f, at + i * raw, n * raw, piece);
		if (!ret)
			from_raw(piece, data_type, n, (uint8_t *)to + i * size);
	}
	free(piece);
	return ret;
}

static int read_external(const char *file, const char *name, const Onnx__TensorProto *t, const char *folder, uint64_t count, enum net_type type, void *to,
			 struct accel_error *err)
{
	const uint64_t bytes = count * raw_size(t->data_type);
	const char *location = external(t, "location"), *text;
	struct onnx_file f = { .size = 0 };
	uint64_t offset = 0, length = bytes;
	struct stat st;
	char *path;
	int ret = 0;

	if (!location || !below(location) || !folder)
		return accel_fail(err, -EBADMSG, name, "%s: tensor '%s': external data at '%s'; a file in the model's folder is needed", file,
				  name, location ? location : "");
	text = external(t, "offset");
	if (text && number(text, &offset))
		return accel_fail(err, -EBADMSG, name, "%s: tensor '%s': offset '%s' of its external data", file, name, text);
	text = external(t, "length");
	if (text && (number(text, &length) || length != bytes))
		return accel_fail(err, -EBADMSG, name, "%s: tensor '%s': '%s' bytes of external data, its shape has %llu", file, name, text,
				  (unsigned long long)bytes);
	if (asprintf(&path, "%s/%s", folder, location) < 0)
		return accel_fail(err, -ENOMEM, name, "%s: out of memory", file);
	f.fd = open(path, O_RDONLY | O_CLOEXEC);
	if (f.fd < 0 || fstat(f.fd, &st)) {
		int code = -errno;

		accel_fail(err, code, name, "%s: tensor '%s': its data should be in %s: %s", file, name, path, strerror(-code));
		if (f.fd >= 0)
			close(f.fd);
		free(path);
		return code;
	}
	f.size = (uint64_t)st.st_size;
	if (offset > f.size || bytes > f.size - offset)
		ret = accel_fail(err, -EBADMSG, name, "%s: tensor '%s': %s has %llu of %llu bytes from %llu on", file, name, path,
				 (unsigned long long)(offset > f.size ? 0 : f.size - offset), (unsigned long long)bytes, (unsigned long long)offset);
	if (!ret) {
		ret = read_elements(&f, offset, t->data_type, count, type, to);
		if (ret)
			accel_fail(err, ret, name, "%s: tensor '%s': %s: %s", file, name, path, strerror(-ret));
	}
	close(f.fd);
	free(path);
	return ret;
}

/* ---------------------------------------------------------------- constants */

/* Raw bytes are there, or enough elements, before memory is taken for what a shape claims. */
static int check_size(const struct accel_network *net, const Onnx__TensorProto *t, const char *name, uint64_t count,
		      struct accel_error *err)
{
	size_t have = t->data_type == FLOAT ? t->n_float_data : t->data_type == DOUBLE ? t->n_double_data :
		      t->data_type == INT64 ? t->n_int64_data : t->n_int32_data;

	if (t->data_location == 1)
		return 0;
	if (!t->has_raw_data && have != count)
		return accel_fail(err, -EBADMSG, name, "%s: tensor '%s' has %zu elements, its shape %llu", net->file, name, have,
				  (unsigned long long)count);
	if (t->has_raw_data && t->raw_data.len != count * raw_size(t->data_type))
		return accel_fail(err, -EBADMSG, name, "%s: tensor '%s' has %zu bytes, its shape %llu", net->file, name, t->raw_data.len,
				  (unsigned long long)count * raw_size(t->data_type));
	return 0;
}

int onnx_constant(struct accel_network *net, const Onnx__TensorProto *t, const char *name, const struct onnx_source *source,
		  uint32_t *number_out, struct accel_error *err)
{
	const struct onnx_cut *cut = source ? onnx_skeleton_find(source->skeleton, t) : NULL;
	uint32_t dims[NET_MAX_DIMS];
	enum net_type type;
	uint64_t count;
	void *data;
	int ret = onnx_type(net->file, name, t->data_type, &type, err);

	if (ret)
		return ret;
	if (t->n_dims > NET_MAX_DIMS)
		return accel_fail(err, -ENOTSUP, name, "%s: tensor '%s' has %zu dimensions; at most %d are supported", net->file, name, t->n_dims,
				  NET_MAX_DIMS);
	for (size_t i = 0; i < t->n_dims; i++) {
		if (t->dims[i] < 0 || t->dims[i] > (int64_t)NET_MAX_COUNT)
			return accel_fail(err, -EBADMSG, name, "%s: tensor '%s': dimension %zu is %lld", net->file, name, i,
					  (long long)t->dims[i]);
		dims[i] = (uint32_t)t->dims[i];
	}
	count = net_count((unsigned int)t->n_dims, dims);
	if (count == UINT64_MAX)
		return accel_fail(err, -E2BIG, name, "%s: tensor '%s' of %s has more than 2^28 values", net->file, name,
				  net_shape_text((unsigned int)t->n_dims, dims).s);
	ret = check_size(net, t, name, count, err);
	if (!ret)
		ret = net_add_constant(net, name, type, (unsigned int)t->n_dims, dims, number_out, &data, err);
	if (ret)
		return ret;
	if (t->data_location == 1)
		return read_external(net->file, name, t, source ? source->folder : NULL, count, type, data, err);
	if (!t->has_raw_data) {
		from_fields(t, count, data);
	} else if (!cut) {
		from_raw(t->raw_data.data, t->data_type, count, data);
	} else {
		ret = read_elements(&source->skeleton->file, cut->at, t->data_type, count, type, data);
		if (ret)
			accel_fail(err, ret, name, "%s: tensor '%s': reading its elements: %s", net->file, name, strerror(-ret));
	}
	return ret;
}

int onnx_tensor_load(const char *path, struct accel_network **net, struct accel_error *err)
{
	struct accel_network *n;
	Onnx__TensorProto *t;
	uint32_t number_out;
	void *data;
	size_t size;
	int ret = accel_file_read(path, &data, &size, err);

	if (ret)
		return ret;
	t = onnx__tensor_proto__unpack(NULL, size, data);
	free(data);
	if (!t)
		return accel_fail(err, -EBADMSG, NULL, "%s: not a tensor of ONNX", path);
	n = net_new(path);
	ret = n ? onnx_constant(n, t, t->name ? t->name : "", NULL, &number_out, err) : -ENOMEM;
	onnx__tensor_proto__free_unpacked(t, NULL);
	if (ret)
		net_free(n);
	else
		*net = n;
	return ret;
}
