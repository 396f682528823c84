/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* The state of reading one .eie file, and what reads single properties and blobs. */
#ifndef ACCEL_CONTAINER_READER_H
#define ACCEL_CONTAINER_READER_H

#include "container.h"
#include "entropy.h"
#include "net.h"

#include <libfdt.h>

struct eie_extent {
	uint64_t offset, size;
};

/* Floats of node `reals`, all or of one kind. */
struct eie_pool {
	float *v;                      /* [n] */
	uint64_t n, taken, bytes;      /* bytes: of the file */
};

/* A blob of a stream, by its node. */
struct eie_place {
	int node;
	uint32_t size;
	uint64_t offset;
};

struct eie_reader {
	const char *file;
	void *fdt;                     /* aligned copy */
	const uint8_t *data;           /* blobs */
	uint64_t data_size;
	bool network;                  /* the file holds a network */
	bool preprocess;               /* and a description of pictures */
	bool row_scales;               /* layers may have a scale a row */
	bool derived;                  /* derived integers may be missing */
	bool rows;                     /* the same of layers with scales of rows */
	bool tables;                   /* and tables that follow from their functions */
	bool places;                   /* positions may be among the places of groups */
	bool numbers;                  /* segments may lack all derived numbers, */
	bool bare;                     /* as the one that is read does */
	unsigned int next_tensor;      /* of that one: all below are there */
	bool entropy;                  /* and blobs that are Huffman- or ANS-coded */
	bool packed;                   /* the tree is in blob `tree` */
	bool unpacked;                 /* and has been taken from there */
	bool stream;                   /* blobs lie behind each other */
	struct eie_place *stream_places;   /* [nplaces] in the order of their nodes */
	size_t nplaces;
	bool has_reals;                /* floats may be in node `reals` */
	struct pool *pool;             /* threads that decode, once there is enough for them */
	bool apart;                    /* one place a kind there */
	struct eie_pool reals[REALS_POOLS];
	struct eie_extent *extents;    /* blobs met so far */
	size_t nextents, room;
	const char *where;             /* what the next errors are about: label of the tensor or layer, or NULL */
	struct accel_error *err;
};

/* Not a function: the format string must be seen by the compiler. */
#define BAD(r, fmt, ...) \
	accel_fail((r)->err, -EBADMSG, (r)->where, "%s: %s%s" fmt, (r)->file, (r)->where ? (r)->where : "", \
		   (r)->where ? ": " : "", ##__VA_ARGS__)

/* A property of exactly len bytes. */
int eie_get_bytes(struct eie_reader *r, int node, const char *name, int len, const void **value);
int eie_get_u32(struct eie_reader *r, int node, const char *name, uint32_t *value);
int eie_get_u64(struct eie_reader *r, int node, const char *name, uint64_t *value);
int eie_get_pair(struct eie_reader *r, int node, const char *name, uint32_t *a, uint32_t *b);
float eie_float_from_bits(uint32_t bits);
int eie_get_float(struct eie_reader *r, int node, const char *name, float *value);
/* A zero-terminated string without further zeros. */
int eie_get_string(struct eie_reader *r, int node, const char *name, const char **value);
/* A list of min to max cells. */
int eie_get_cells(struct eie_reader *r, int node, const char *name, unsigned int min, unsigned int max, const fdt32_t **cells,
		  unsigned int *n);
int eie_no_memory(struct eie_reader *r);
int eie_not_supported(struct eie_reader *r, const char *what, const char *value);
/* int16 from a sign-extended cell of property name. */
int eie_get_s16(struct eie_reader *r, const char *name, uint32_t cell, int16_t *value);
int eie_find_blob(struct eie_reader *r, int layer, const char *name, int *node);
/* The coding of a blob must be this one; absent means none. -ENOTSUP for one that nobody knows yet. */
int eie_check_coding(struct eie_reader *r, int node, const char *name, const char *coding);
/* The same for a blob that may be entropy-coded in place of that. */
int eie_get_coding(struct eie_reader *r, int node, const char *name, const char *plain, enum entropy_coding *coding);
/* Bytes of the blob at node: inside the file, checksum right. want: its size, or UINT64_MAX when the caller checks. */
int eie_get_blob(struct eie_reader *r, int node, const char *name, uint64_t want, const uint8_t **blob, uint64_t *size);
/* A copy of blob name of a layer: n elements. Memory is taken only once the file has shown as many bytes. */
int eie_copy_blob(struct eie_reader *r, int layer, const char *name, uint64_t n, size_t element, void **values);
/* No byte belongs to two of the blobs met. */
int eie_check_overlap(struct eie_reader *r);


/* container_read.c */
/* A label that may be one; what follows is about it. The caller's, also after a failure. */
int eie_read_label(struct eie_reader *r, int node, char **name);
/* Children of node `parent` of base are named letter0, letter1, ... in this order (0: or as they like); returns how many, or an error. */
int eie_count_children(struct eie_reader *r, int base, const char *parent, char letter, int *node);
/* A list of tensor numbers; whoever reads them checks them. */
int eie_read_list(struct eie_reader *r, int node, const char *name, unsigned int **list, unsigned int *n);
/* Inputs, outputs, tensors and layers below node base. */
int eie_read_layers(struct eie_reader *r, int base, struct accel_model *model);
/* container_tensors.c: those of node base that are not made by a layer that owns its output; and that one, once the layer has been read. */
int eie_read_tensors(struct eie_reader *r, int base, struct accel_model *model);
bool eie_owns_output(const struct eie_reader *r, int layer);
int eie_read_output(struct eie_reader *r, int node, struct accel_model *model, struct accel_layer *layer);
/* container_weights.c: symbols [n] of an entropy-coded blob; the caller's, also after a failure. bytes: of the blob. */
int eie_read_symbols(struct eie_reader *r, int blob_node, const char *name, enum entropy_coding coding, const struct entropy_alphabet *a, uint64_t n,
		     uint8_t **symbols, uint64_t *bytes);
/*
 * Codes and positions of a layer whose shape and codebook have been read: rows are no more than there are biases. groups: those of its places (docs/eie_format.md, "Positions"), 1 without.
 */
int eie_read_weights(struct eie_reader *r, int node, uint32_t groups, struct accel_layer *layer);
/* A constant whose type and shape have been read. */
int eie_read_coded(struct eie_reader *r, int node, struct net_value *value);
/* container_reals.c: node `reals`, before anything is taken from it; and that nothing is left of it. */
int eie_read_pool(struct eie_reader *r);
int eie_check_pool(struct eie_reader *r);
/* The next n floats of it. *values is the caller's; the bytes that they take are added to *bytes. */
int eie_take_reals(struct eie_reader *r, enum eie_reals_kind kind, const char *name, uint64_t n, float **values, uint64_t *bytes);
/* Floats from there, or from where they are written out: property `codebook` of 1 to max, and a blob. */
int eie_get_codebook(struct eie_reader *r, int node, unsigned int max, float **codebook, unsigned int *n, uint64_t *bytes);
int eie_get_floats(struct eie_reader *r, int node, enum eie_reals_kind kind, const char *name, uint64_t n, float **values, uint64_t *bytes);
/* container_numbers.c: the segment at node has no derived numbers; and what they are, of one whose reals have been read and whose layers have memory for them. */
bool eie_lacks_numbers(const struct eie_reader *r, int node);
int eie_derive_numbers(struct eie_reader *r, int node, struct accel_model *segment);
/* container_pack.c: the tree from blob `tree` in place of the one that was read; and, of a stream, where that one's blobs are. */
int eie_unpack(struct eie_reader *r);
int eie_place_blobs(struct eie_reader *r);
/* container_picture.c: node `preprocess` of the root. */
int eie_read_preprocess(struct eie_reader *r, struct accel_model *model);
/* container_net.c: node `network` of the root. */
int eie_read_network(struct eie_reader *r, struct accel_model *model);

#endif
