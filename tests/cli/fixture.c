// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Makes the files that the tests of the command need, the same ones every time:
 *
 *     fixture npz FILE              a network 4x4 -> 12 -> 4 with names of classes
 *     fixture onnx FILE [nan|big|names]   a network 16 -> 64 -> 32 of floats; big: 16 -> 4096 -> 1024
 *     fixture npy FILE TYPE DIM...  random values in [0, 1]; TYPE f4 f8 u1 i2 i8, or nan (f4, the
 * last value NaN) fixture png FILE W H CHANNELS fixture idx IMAGES LABELS N   N pictures of 4x4,
 * compressed by gzip when the name ends in .gz fixture flip FILE OFFSET      inverts one byte
 */
#include <png.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>
#include "fixture_onnx.h"

static uint32_t state = 12345;

static uint32_t next(void)
{
	state = state * 1664525u + 1013904223u;
	return state >> 8;
}

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static FILE *create(const char *path)
{
	FILE *f = fopen(path, "wb");

	if (!f)
		die(path);
	return f;
}

static void finish(FILE *f, const char *path)
{
	if (ferror(f) || fclose(f))
		die(path);
}

/* Version 1.0 header and data; returns the bytes, *size of them. */
static uint8_t *npy(const char *type, const char *shape, const void *data, size_t bytes,
		    size_t *size)
{
	uint8_t *file = calloc(1, 128 + bytes);
	int n;

	if (!file)
		die("memory");
	memcpy(file, "\x93NUMPY\x01\x00\x76\x00", 10);
	memset(file + 10, ' ', 118);
	n = sprintf((char *)file + 10, "{'descr': '%s', 'fortran_order': False, 'shape': (%s), }",
		    type, shape);
	file[10 + n] = ' ';
	file[127] = '\n';
	memcpy(file + 128, data, bytes);
	*size = 128 + bytes;
	return file;
}

/*
 * ---------------------------------------------------------------- npz: a zip archive of stored
 * files
 */

static struct {
	char name[32];
	uint32_t crc, size, offset;
} entry[32];
static unsigned int entries;

static void put(FILE *f, uint32_t value, unsigned int bytes)
{
	for (; bytes; bytes--, value >>= 8)
		fputc((int)(value & 0xff), f);
}

static void member(FILE *f, const char *name, const char *type, const char *shape, const void *data,
		   size_t bytes)
{
	size_t size;
	uint8_t *file = npy(type, shape, data, bytes, &size);

	snprintf(entry[entries].name, sizeof(entry[entries].name), "%s.npy", name);
	entry[entries].crc = (uint32_t)crc32(0, file, (uInt)size);
	entry[entries].size = (uint32_t)size;
	entry[entries].offset = (uint32_t)ftell(f);
	put(f, 0x04034b50, 4);
	put(f, 20, 2);
	put(f, 0, 8);
	put(f, entry[entries].crc, 4);
	put(f, entry[entries].size, 4);
	put(f, entry[entries].size, 4);
	put(f, (uint32_t)strlen(entry[entries].name), 2);
	put(f, 0, 2);
	fputs(entry[entries].name, f);
	fwrite(file, 1, size, f);
	free(file);
	entries++;
}

static void directory(FILE *f)
{
	uint32_t start = (uint32_t)ftell(f), end;

	for (unsigned int i = 0; i < entries; i++) {
		put(f, 0x02014b50, 4);
		put(f, 20, 2);
		put(f, 20, 2);
		put(f, 0, 8);
		put(f, entry[i].crc, 4);
		put(f, entry[i].size, 4);
		put(f, entry[i].size, 4);
		put(f, (uint32_t)strlen(entry[i].name), 2);
		put(f, 0, 12);
		put(f, entry[i].offset, 4);
		fputs(entry[i].name, f);
	}
	end = (uint32_t)ftell(f);
	put(f, 0x06054b50, 4);
	put(f, 0, 4);
	put(f, entries, 2);
	put(f, entries, 2);
	put(f, end - start, 4);
	put(f, start, 4);
	put(f, 0, 2);
}

static void layer(FILE *f, const char *name, uint32_t rows, uint32_t cols, const char *activation)
{
	float data[256], bias[16];
	int32_t indices[256], indptr[17] = { 0 };
	int64_t shape[2] = { rows, cols };
	char key[32], dim[16];
	unsigned int n = 0;

	for (uint32_t r = 0; r < rows; r++) {
		for (uint32_t c = 0; c < cols; c++) {
			if (next() % 2)
				continue;
			indices[n] = (int32_t)c;
			data[n++] = ((float)(next() % 15) - 7.25f) / 8;
		}
		indptr[r + 1] = (int32_t)n;
		bias[r] = (float)(next() % 100) / 100 - 0.5f;
	}
#define KEY(k) (snprintf(key, sizeof(key), "%s." k, name), key)
#define DIM(n) (snprintf(dim, sizeof(dim), "%u,", (unsigned int)(n)), dim)
	member(f, KEY("data"), "<f4", DIM(n), data, n * sizeof(*data));
	member(f, KEY("indices"), "<i4", DIM(n), indices, n * sizeof(*indices));
	member(f, KEY("indptr"), "<i4", DIM(rows + 1), indptr, (rows + 1) * sizeof(*indptr));
	member(f, KEY("shape"), "<i8", "2,", shape, sizeof(shape));
	member(f, KEY("format"), "|S3", "", "csr", 3);
	member(f, KEY("bias"), "<f4", DIM(rows), bias, rows * sizeof(*bias));
	member(f, KEY("activation"), "|S4", "", activation, 4);
}

static void make_npz(const char *path)
{
	const int64_t shape[] = { 4, 4 };
	const float scale = 1.0f / 255, range[] = { 0, 1 };
	FILE *f = create(path);

	member(f, "layers", "|S3", "2,", "fc1fc2", 6);
	layer(f, "fc1", 12, 16, "relu");
	layer(f, "fc2", 4, 12, "none");
	member(f, "input.name", "|S5", "", "image", 5);
	member(f, "input.shape", "<i8", "2,", shape, sizeof(shape));
	member(f, "input.scale", "<f4", "", &scale, sizeof(scale));
	member(f, "input.range", "<f4", "2,", range, sizeof(range));
	member(f, "classes", "|S5", "4,", "east\0west\0northsouth", 20);
	directory(f);
	finish(f, path);
}

/* ---------------------------------------------------------------- the others */

static void make_npy(const char *path, const char *type, int ndim, char **dims)
{
	char shape[128] = "", numpy[8];
	size_t count = 1, item, size;
	uint8_t *data, *file;
	FILE *f;
	int nan = !strcmp(type, "nan");

	if (nan)
		type = "f4";
	item = (size_t)(type[1] - '0');
	for (int i = 0; i < ndim; i++) {
		count *= (size_t)atol(dims[i]);
		strcat(shape, dims[i]);
		strcat(shape, ",");
	}
	data = calloc(count, item);
	if (!data)
		die("memory");
	for (size_t i = 0; i < count; i++) {
		uint32_t v = next() & 0xffff;
		double d = v / 65535.0;
		float s = nan && i + 1 == count ? __builtin_nanf("") : (float)d;
		uint64_t whole = type[0] == 'u' ? v & 0xff : item == 2 ? v & 0xfff : v % 4;

		memcpy(data + i * item,
		       type[0] != 'f' ? (void *)&whole :
		       item == 4      ? (void *)&s :
					(void *)&d,
		       item);
	}
	snprintf(numpy, sizeof(numpy), "%c%s", item == 1 ? '|' : '<', type);
	file = npy(numpy, shape, data, count * item, &size);
	f = create(path);
	fwrite(file, 1, size, f);
	finish(f, path);
	free(file);
	free(data);
}

static void make_png(const char *path, unsigned int width, unsigned int height,
		     unsigned int channels)
{
	png_image image = { .version = PNG_IMAGE_VERSION, .width = width, .height = height };
	uint8_t *bytes;

	image.format = channels == 3 ? PNG_FORMAT_RGB : PNG_FORMAT_GRAY;
	bytes = calloc(1, PNG_IMAGE_SIZE(image));
	if (!bytes)
		die("memory");
	/* large ones stay black: they are there to be small files that unpack to much */
	for (size_t i = 0; PNG_IMAGE_SIZE(image) < 4096 && i < PNG_IMAGE_SIZE(image); i++)
		bytes[i] = (uint8_t)next();
	if (!png_image_write_to_file(&image, path, 0, bytes, 0, NULL))
		die(path);
	free(bytes);
}

static void write_idx(const char *path, uint32_t n, const uint8_t *head, unsigned int head_bytes,
		      unsigned int item, unsigned int modulo)
{
	gzFile f = gzopen(path, strstr(path, ".gz") ? "wb" : "wbT");
	uint8_t size[4] = { (uint8_t)(n >> 24), (uint8_t)(n >> 16), (uint8_t)(n >> 8), (uint8_t)n };

	if (!f)
		die(path);
	gzwrite(f, head, 4);
	gzwrite(f, size, 4);
	gzwrite(f, head + 4, head_bytes - 4);
	for (uint32_t i = 0; i < n * item; i++)
		gzputc(f, (int)(next() % modulo));
	if (gzclose(f) != Z_OK)
		die(path);
}

static void make_idx(const char *images, const char *labels, uint32_t n)
{
	static const uint8_t three[] = { 0, 0, 8, 3, 0, 0, 0, 4, 0, 0, 0, 4 },
			     one[] = { 0, 0, 8, 1 };

	write_idx(images, n, three, sizeof(three), 16, 256);
	write_idx(labels, n, one, sizeof(one), 1, 4);
}

static void flip(const char *path, long offset)
{
	FILE *f = fopen(path, "r+b");
	int c;

	if (!f || fseek(f, offset, SEEK_SET) || (c = fgetc(f)) == EOF || fseek(f, offset, SEEK_SET))
		die(path);
	fputc(c ^ 0xff, f);
	finish(f, path);
}

int main(int argc, char **argv)
{
	const char *what = argc > 2 ? argv[1] : "";

	if (!strcmp(what, "npz"))
		make_npz(argv[2]);
	else if (!strcmp(what, "onnx")) {
		FILE *f = create(argv[2]);

		if (argc > 3 && !strcmp(argv[3], "graph"))
			make_graph_network(f);
		else
			make_onnx(f, argc > 3 ? argv[3] : "");
		finish(f, argv[2]);
	} else if (!strcmp(what, "npy") && argc > 3)
		make_npy(argv[2], argv[3], argc - 4, argv + 4);
	else if (!strcmp(what, "png") && argc == 6)
		make_png(argv[2], (unsigned int)atoi(argv[3]), (unsigned int)atoi(argv[4]),
			 (unsigned int)atoi(argv[5]));
	else if (!strcmp(what, "idx") && argc == 5)
		make_idx(argv[2], argv[3], (uint32_t)atoi(argv[4]));
	else if (!strcmp(what, "flip") && argc == 4)
		flip(argv[2], atol(argv[3]));
	else
		return fprintf(stderr, "fixture: wrong arguments\n"), 2;
	return 0;
}
