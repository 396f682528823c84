/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* Packed trees of .eie files, as docs/eie_format.md has them: written and read here by liblzma, not by the library. */
#ifndef TESTS_LIB_EIE_TREE_H
#define TESTS_LIB_EIE_TREE_H

#include <libfdt.h>
#include <lzma.h>
#include <stdlib.h>
#include <string.h>
#include "eie_edit.h"
#include "models.h"

#define EIE_TREE_FILTERS(with) { { .id = LZMA_FILTER_LZMA2, .options = (with) }, { .id = LZMA_VLI_UNKNOWN } }

/* The file of a model, the caller's. */
static inline uint8_t *eie_encoded(const struct accel_model *model, size_t *size)
{
	void *file = NULL;

	assert_int_equal(eie_encode(model, &file, size, NULL, NULL), 0);
	return file;
}

static inline lzma_options_lzma eie_tree_options(size_t tree)
{
	lzma_options_lzma options;

	assert_false(lzma_lzma_preset(&options, 6));
	options.dict_size = tree < LZMA_DICT_SIZE_MIN ? LZMA_DICT_SIZE_MIN : (uint32_t)tree;
	return options;
}

/* Packs n bytes of a tree to where there is room for them; returns how many they are. */
static inline size_t eie_pack_tree(const void *tree, size_t n, uint8_t *to)
{
	lzma_options_lzma options = eie_tree_options(n);
	lzma_filter f[] = EIE_TREE_FILTERS(&options);
	size_t size = 0;

	assert_int_equal(lzma_raw_buffer_encode(f, NULL, tree, n, to, &size, lzma_stream_buffer_bound(n)), LZMA_OK);
	return size;
}

/* The description of the model in a file, packed or not, in memory of twice its size that is the caller's. */
static inline uint8_t *eie_tree(const uint8_t *file, size_t *size)
{
	int node = fdt_path_offset(file, "/tree");
	size_t bytes = node >= 0 ? fdt32_ld(fdt_getprop(file, node, "bytes", NULL)) : fdt_totalsize(file), in = 0, got = 0;
	lzma_options_lzma options = eie_tree_options(bytes);
	lzma_filter f[] = EIE_TREE_FILTERS(&options);
	uint8_t *tree = malloc(2 * bytes);
	const uint8_t *blob;
	size_t packed;

	assert_non_null(tree);
	if (node < 0) {
		memcpy(tree, file, bytes);
	} else {
		/* the last of the data */
		packed = fdt64_ld(fdt_getprop(file, node, "size", NULL));
		blob = file + eie_data_start(fdt_totalsize(file)) + fdt64_ld(fdt_getprop(file, 0, "data-size", NULL)) - packed;
		assert_int_equal(lzma_raw_buffer_decode(f, NULL, blob, &in, packed, tree, &got, bytes), LZMA_OK);
		assert_int_equal(got, bytes);
	}
	*size = bytes;
	return tree;
}

#endif
