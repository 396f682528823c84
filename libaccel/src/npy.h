/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* NumPy .npy arrays (numpy.lib.format, versions 1.0 to 3.0): C order, little-endian numbers, and byte strings. */
#ifndef ACCEL_NPY_H
#define ACCEL_NPY_H

#include <accel.h>

#define NPY_MAX_DIMS 8

struct npy {
	char kind;                       /* 'f', 'i', 'u', 'b' (bool) or 'S' (byte string) */
	unsigned int itemsize;           /* bytes an element; 1 to 8 but for strings */
	unsigned int ndim;               /* 0: a scalar */
	uint64_t dims[NPY_MAX_DIMS];
	uint64_t count;                  /* product of dims */
	const uint8_t *data;             /* [count * itemsize], any alignment */
	void *owned;                     /* what npy_free frees; NULL after npy_parse */
};

/* -EBADMSG: no .npy file, or damaged; -ENOTSUP: another order, byte order or type, with what to do. name is for error texts. */
int npy_parse(const void *bytes, size_t size, const char *name, struct npy *array, struct accel_error *err);
/* The same from a file. */
int npy_read(const char *path, struct npy *array, struct accel_error *err);
void npy_free(struct npy *array);

/* Element i as a number. Not for strings; npy_int not for floats. 64-bit integers beyond double's 53 bits are rounded by npy_double. */
double npy_double(const struct npy *array, uint64_t i);
/* -ERANGE for an unsigned number that int64 does not hold. */
int npy_int(const struct npy *array, uint64_t i, int64_t *value);
/* Element i of a string array as a new C string (up to its first zero byte), or NULL. */
char *npy_string(const struct npy *array, uint64_t i);

/* Writes version 1.0, atomically (file.h). */
int npy_write_f32(const char *path, unsigned int ndim, const uint64_t *dims, const float *data, struct accel_error *err);
int npy_write_i16(const char *path, unsigned int ndim, const uint64_t *dims, const int16_t *data, struct accel_error *err);

#endif
