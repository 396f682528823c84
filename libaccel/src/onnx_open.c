// SPDX-License-Identifier: GPL-2.0 OR MIT
/* ONNX files: from memory, as a whole, or, when they are large, without the elements of their tensors at first. */
#include "file.h"
#include "onnx.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int onnx_load(const void *data, size_t size, const char *name, const char *folder, const struct onnx_options *options,
	      struct accel_network **net, struct accel_error *err)
{
	const struct onnx_source source = { .folder = folder };

	return onnx_import(onnx__model_proto__unpack(NULL, size, data), name, &source, options, net, err);
}

/* -ENOTSUP without an error: the file has to be read as a whole. */
static int load_cut(const struct onnx_file *f, uint64_t least, const char *name, const char *folder, const struct onnx_options *options,
		    struct accel_network **net, bool *whole, struct accel_error *err)
{
	struct onnx_skeleton s;
	const struct onnx_source source = { .folder = folder, .skeleton = &s };
	Onnx__ModelProto *m = NULL;
	int ret = onnx_skeleton_new(f, least, &s);

	*whole = ret == -ENOTSUP;
	if (ret && !*whole)
		accel_fail(err, ret, NULL, "%s: %s", name, strerror(-ret));
	if (!ret)
		m = onnx__model_proto__unpack(NULL, s.size, s.data);
	if (m && !onnx_skeleton_attach(&s, m)) {
		onnx__model_proto__free_unpacked(m, NULL);
		*whole = true;
		ret = -ENOTSUP;
	}
	ret = ret ? ret : onnx_import(m, name, &source, options, net, err);
	onnx_skeleton_free(&s);
	return ret;
}

int onnx_load_cut(const void *data, size_t size, const char *name, const struct onnx_options *options, struct accel_network **net,
		  struct accel_error *err)
{
	const struct onnx_file f = { .fd = -1, .data = data, .size = size };
	bool whole;
	int ret = load_cut(&f, 1, name, NULL, options, net, &whole, err);

	return whole ? onnx_load(data, size, name, NULL, options, net, err) : ret;
}

/* Of a large file only what is not weights is read here; others, and what is no regular file, as a whole. */
static int open_in(const char *path, const char *folder, const struct onnx_options *options, struct accel_network **net, struct accel_error *err)
{
	const struct onnx_source source = { .folder = folder };
	struct onnx_file f = { .fd = open(path, O_RDONLY | O_CLOEXEC) };
	Onnx__ModelProto *m;
	bool whole = true;
	struct stat st;
	void *data;
	size_t size;
	int ret = 0;

	if (f.fd >= 0 && !fstat(f.fd, &st) && S_ISREG(st.st_mode) && (uint64_t)st.st_size >= ONNX_LARGE) {
		f.size = (uint64_t)st.st_size;
		ret = load_cut(&f, ONNX_CUT, path, folder, options, net, &whole, err);
	}
	if (f.fd >= 0)
		close(f.fd);
	if (!whole)
		return ret;
	ret = accel_file_read(path, &data, &size, err);
	if (ret)
		return ret;
	m = onnx__model_proto__unpack(NULL, size, data);
	/* m has all of it: one copy less */
	free(data);
	return onnx_import(m, path, &source, options, net, err);
}

int onnx_open(const char *path, const struct onnx_options *options, struct accel_network **net, struct accel_error *err)
{
	const char *slash = strrchr(path, '/');
	char *folder = slash ? strndup(path, (size_t)(slash - path) + 1) : strdup(".");
	int ret;

	if (!folder)
		return accel_fail(err, -ENOMEM, NULL, "%s: out of memory", path);
	ret = open_in(path, folder, options, net, err);
	free(folder);
	return ret;
}
