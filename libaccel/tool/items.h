/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* Inputs of a network, from .npy files, pictures, directories and standard input. */
#ifndef EIE_ITEMS_H
#define EIE_ITEMS_H

#include "args.h"
#include "tool.h"

struct item_source {
	const char *file; /* owned by the items */
	int64_t index;	  /* within the file, or -1: the file holds one item */
};

struct items {
	uint64_t n, count;	    /* items, values an item */
	float *real;		    /* [n, count]; NULL when raw */
	int16_t *raw;		    /* [n, count]; NULL when real */
	struct item_source *source; /* [n] */
	unsigned int nfiles;
	char **files;
};

/*
 * Appends what path holds to the items of input `input`: a .npy file (one item or [n, ...]; float32 or float64 values, uint8
 * picture bytes, or with raw int16 values), a .jpg or .png picture, "-" (a .npy file on standard input), or
 * a directory of such files, in the order of their names. A set is either raw or not. Prints an
 * error; returns an exit status.
 */
int items_read(const struct tool *tool, struct items *items, const char *path,
	       const struct accel_model *model, unsigned int input, bool raw);
void items_free(struct items *items);

/*
 * Splits "[NAME=]FILE". *index is the tensor's number among the n; a word with '=' that names no
 * tensor but an existing file is that file. kind: "input" or "output". Prints an error; returns an exit status.
 */
int named_file(const char *model_path, const char *word, const struct accel_tensor_info *tensors,
	       unsigned int n, const char *kind, unsigned int *index, const char **file);
/* items_read() of each "[NAME=]FILE" of a command line into items[inputs of the model]; *n: items of each. */
int items_read_all(const struct tool *tool, const char *model_path, const struct arg_list *words,
		   const struct accel_model *model, bool raw, struct items *items, uint64_t *n);

/* By its name: .jpg, .jpeg, .png, in any case. */
bool is_picture(const char *name);

/* Real value of byte `byte` at place `at` of an item of input `input`, as the model prepares pictures. */
struct byte_values {
	float mean[3], scale[3];
	unsigned int channels;
	uint64_t plane; /* values of a channel when they lie together, else 0 */
};
struct byte_values byte_values(const struct accel_model *model, unsigned int input);
static inline float byte_value(const struct byte_values *v, uint64_t at, uint8_t byte)
{
	unsigned int c = v->plane ? (unsigned int)(at / v->plane) : (unsigned int)(at % v->channels);

	return ((float)byte - v->mean[c]) * v->scale[c];
}

#endif
