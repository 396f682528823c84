/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* What reader and writer of .eie files share; docs/eie_format.md tells the whole format. */
#ifndef ACCEL_CONTAINER_H
#define ACCEL_CONTAINER_H

#include "model.h"

#define EIE_COMPATIBLE   "eie,model-1"
#define EIE_FAMILY       "eie,model-"      /* what later, incompatible formats begin with */
#define EIE_FEATURE_NETWORK "network"      /* must-understand: operators of ONNX, node `network` */
#define EIE_FEATURE_CODES   "codes"        /* constants of a network as codebook, codes and positions */
#define EIE_FEATURE_PREPROCESS "preprocess" /* how pictures become inputs, node `preprocess` */
#define EIE_FEATURE_ROW_SCALES "row-scales" /* layers with a scale for each row, blob `row-scale` */
#define EIE_FEATURE_ENTROPY "entropy"      /* blobs that are Huffman- or ANS-coded */
#define EIE_FEATURE_REALS   "reals"        /* floats in one place, their highest bytes coded, node `reals` */
#define EIE_FEATURE_KINDS   "kinds"        /* in one place a kind */
#define EIE_FEATURE_DERIVED "derived"      /* layers without the integers that follow from their reals */
#define EIE_FEATURE_ENDS    "segment-ends" /* segments whose inputs are constants, or whose inputs and outputs are turned */
#define EIE_FEATURE_TABLES "tables"        /* layers without tables that follow from their functions */
#define EIE_FEATURE_PLACES "places"        /* positions among the places that a group of a convolution has; none where all are taken */
#define EIE_FEATURE_ROWS   "derived-rows"  /* the same of layers with scales of rows, and their factors and shifts */
#define EIE_FEATURE_NUMBERS "numbers"      /* segments without any derived number */
#define EIE_FEATURE_PACKED "packed"        /* the tree is in a blob, packed */
#define EIE_FEATURE_STREAM "stream"        /* and all blobs lie behind each other, in the order of the tree */
#define EIE_HEADER_CRC   "header-crc32c"
#define EIE_DATA_ALIGN   16u               /* data begin at the next multiple behind the device tree */
#define EIE_BLOB_ALIGN   8u

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "bulk data are copied without swapping");

struct eie_layer_bytes {
	uint64_t codes, index, other;
};

/* Floats that share a place in the file. */
enum eie_reals_kind {
	REALS_ALL,
	REALS_CONSTANTS, REALS_CODEBOOKS, REALS_BIASES, REALS_ROW_SCALES,
	REALS_POOLS
};

/* Memory for a layer's derived numbers, zero; a table that is there stays. False: there is none, and what was taken is the caller's. container_numbers.c */
bool eie_alloc_numbers(struct accel_layer *layer);

/* The bytes of the file; the caller frees *data. bytes: [nlayers] sizes by part, or NULL. */
int eie_encode(const struct accel_model *model, void **data, size_t *size, struct eie_layer_bytes *bytes,
	       struct accel_error *err);

#endif
