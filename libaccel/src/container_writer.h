/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* The state of writing one .eie file, and what writes single properties and blobs. */
#ifndef ACCEL_CONTAINER_WRITER_H
#define ACCEL_CONTAINER_WRITER_H

#include "container.h"
#include "entropy.h"
#include "net.h"

#include <libfdt.h>

#define REALS_PLANES 4u   /* bytes of a float, the highest first */
#define REALS_MOST   65536u /* of a constant: larger ones would be in memory twice more */

/* Floats of one kind, or all: container_reals.c. */
struct eie_reals {
	float *v;             /* in the order in which they are read */
	size_t n, room, all;  /* all: of a round before, which this one repeats */
	uint8_t *blob[REALS_PLANES];
	size_t size[REALS_PLANES];
	enum entropy_coding coding[REALS_PLANES];
	uint8_t value[REALS_PLANES][ENTROPY_MAX_SYMBOLS];   /* of one kind: the bytes that there are, going up */
	unsigned int nvalues[REALS_PLANES];                 /* 0: symbols are bytes */
	uint64_t bytes;       /* of all blobs */
};

/* A segment whose derived numbers follow, and their checksum: container_numbers.c. */
struct eie_numbers {
	const struct accel_model *segment;
	uint32_t crc;
};

/* The first failure of libfdt or malloc sticks; all later calls do nothing. */
struct eie_writer {
	void *fdt;
	int fdt_error;
	bool no_memory;
	bool entropy;         /* a blob is Huffman- or ANS-coded */
	bool derived;         /* derived integers were left out */
	uint64_t derivable;   /* bytes of those that follow, in all layers */
	bool derive_all;      /* leave them out even of layers with few */
	bool name_entropy, name_derived;   /* the root says so */
	bool rows;            /* integers that follow are left out of layers with scales of rows, and the root says so */
	bool tables;          /* tables that follow are left out, and the root says so */
	bool places;          /* positions are among the places that there are, and the root says so */
	struct eie_numbers *numbers;       /* segments whose derived numbers are all left out, and the root says so: [nnumbers] */
	unsigned int nnumbers;
	bool pool;            /* floats go to node `reals`, and the root says so */
	bool apart;           /* one place a kind there, and the root says so */
	struct eie_reals reals[REALS_POOLS];
	bool stream;          /* blobs lie behind each other, for the tree will be packed */
	unsigned int blobs;   /* how many there are */
	uint8_t *data;        /* blobs */
	size_t used, room;
};

void eie_note(struct eie_writer *w, int ret);
void eie_begin(struct eie_writer *w, const char *name);
void eie_end(struct eie_writer *w);
void eie_put(struct eie_writer *w, const char *name, const void *value, size_t len);
void eie_put_u32(struct eie_writer *w, const char *name, uint32_t value);
void eie_put_u64(struct eie_writer *w, const char *name, uint64_t value);
void eie_put_string(struct eie_writer *w, const char *name, const char *value);
uint32_t eie_float_bits(float f);
void eie_put_float(struct eie_writer *w, const char *name, float value);
void eie_put_pair(struct eie_writer *w, const char *name, uint32_t a, uint32_t b);
/* Room for n cells that the caller fills; NULL after a failure. */
fdt32_t *eie_put_cells(struct eie_writer *w, const char *name, size_t n);
/* A list of n words. */
void eie_put_list(struct eie_writer *w, const char *name, const unsigned int *list, unsigned int n);
/* size zero bytes (0 is fine) at the next place, which is aligned but in a stream; NULL after a failure. Valid until the next call. */
uint8_t *eie_blob_alloc(struct eie_writer *w, size_t size);
/* Opens the node of a blob that eie_blob_alloc has just made and the caller has filled. */
void eie_blob_node(struct eie_writer *w, const char *name, const uint8_t *blob, size_t size);
void eie_put_blob(struct eie_writer *w, const char *name, const void *data, size_t size);

/* container_write.c: nodes `tensors` and `layers` and the lists of inputs and outputs of a model without a network; bytes: [nlayers]. */
void eie_put_layers(struct eie_writer *w, const struct accel_model *model, struct eie_layer_bytes *bytes);
/* More than they take in the tree. */
size_t eie_layers_room(const struct accel_model *model);
/* container_weights.c: bytes of the blob. elements: what the codes are of; a reader takes so many a byte at most. */
uint64_t eie_put_codes(struct eie_writer *w, const uint8_t *code, uint64_t nnz, unsigned int bits, const float *codebook, unsigned int ncodes,
		       uint64_t elements);
uint64_t eie_put_index(struct eie_writer *w, const uint32_t *rowptr, const uint32_t *col, uint32_t rows, uint32_t cols);
/* The same of [rows, cols] whose rows have places in the columns of their own of so many groups only; nothing where all of these are taken. */
uint64_t eie_put_places(struct eie_writer *w, const struct accel_layer *layer, uint32_t groups);
/* Groups of the places of a layer's weights, 1 when there is but one, or a weight lies elsewhere. */
uint32_t eie_groups_of(const struct accel_layer *layer);
/* The constant is smaller with a codebook; then eie_put_coded() writes properties, and blobs behind them. */
bool eie_is_coded(const struct net_value *value);
void eie_put_coded(struct eie_writer *w, const struct net_value *value);
/*
 * container_reals.c: floats of a layer or a constant. True: node `reals` will have them; false: the caller writes them. Adds the bytes that they take to *bytes.
 */
bool eie_put_reals(struct eie_writer *w, enum eie_reals_kind kind, const float *values, size_t n, uint64_t *bytes);
void eie_put_codebook(struct eie_writer *w, const float *codebook, unsigned int n, uint64_t *bytes);
/* Forgets what was put: another round begins. */
void eie_reals_again(struct eie_writer *w);
/* What was put so far, coded, by kinds if w->apart was set; false: it would not be worth it. */
bool eie_reals_pay(struct eie_writer *w);
/* Node `reals` with what eie_reals_pay() coded. */
void eie_put_pool(struct eie_writer *w);
void eie_reals_free(struct eie_writer *w);
/* container_numbers.c: finds the segments whose derived numbers are left out. The writer's owner frees w->numbers. */
void eie_find_numbers(struct eie_writer *w, const struct accel_model *model);
/* The segment is one of them; and the property that says so. */
bool eie_numbers_follow(const struct eie_writer *w, const struct accel_model *segment);
void eie_put_numbers(struct eie_writer *w, const struct accel_model *segment);
/* container_tensors.c: [ntensors] those that the layers own which make them, the caller's; NULL: no memory, noted. Node `tensors` of the others; and what the layer says of its output. */
bool *eie_find_owned(struct eie_writer *w, const struct accel_model *model);
void eie_put_tensors(struct eie_writer *w, const struct accel_model *model, const bool *owned);
void eie_put_output(struct eie_writer *w, const struct accel_model *model, const struct accel_layer *layer, const bool *owned);
/*
 * container_pack.c: in place of a finished tree an outer one with the tree in a blob, if that is shorter by much, or blobs are a stream. They may be one if the finished tree, written
 * without, would be packed, and there are enough of them.
 */
void eie_pack(struct eie_writer *w);
bool eie_stream_pays(struct eie_writer *w);
/* container_picture.c */
void eie_put_preprocess(struct eie_writer *w, const struct accel_preprocess *pre);
/* container_net.c */
bool eie_has_coded(const struct accel_network *net);
/* A segment of it reads constants, or has inputs or outputs that are turned. */
bool eie_has_ends(const struct accel_network *net);
void eie_put_network(struct eie_writer *w, const struct accel_network *net);
size_t eie_network_room(const struct accel_network *net);

#endif
