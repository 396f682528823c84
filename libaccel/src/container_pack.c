// SPDX-License-Identifier: GPL-2.0 OR MIT
/* The tree, packed by LZMA: of a network of many small layers it would be larger than their weights. docs/eie_format.md, "Packed trees". */
#include "container_reader.h"
#include "container_writer.h"
#include "crc32c.h"
#include "fdtcheck.h"

#include <errno.h>
#include <lzma.h>
#include <stdlib.h>
#include <string.h>

#define WORTH  1024u       /* bytes that must be won, */
#define SHARE  32u         /* and this part of the file, */
#define LEAST  16384u      /* of so many bytes at least: of small models fdtdump is to show all */
#define ROOM   2048u       /* of the outer tree */
#define EXPAND 1024u       /* bytes of a tree that a byte may stand for: what a header promises beyond that gets no memory */
#define MOST   0x40000000u /* liblzma writes with little larger dictionaries */
#define CODING "lzma2"

/* A raw stream of LZMA2 for a tree of so many bytes. */
static bool filters(size_t tree, lzma_options_lzma *options, lzma_filter f[2])
{
	f[0] = (lzma_filter){ .id = LZMA_FILTER_LZMA2, .options = options };
	f[1] = (lzma_filter){ .id = LZMA_VLI_UNKNOWN };
	if (lzma_lzma_preset(options, 9 | LZMA_PRESET_EXTREME))
		return false;
	options->dict_size = tree < LZMA_DICT_SIZE_MIN ? LZMA_DICT_SIZE_MIN : (uint32_t)tree;
	return true;
}

/* ---------------------------------------------------------------- writing */

static int put_outer(struct eie_writer *w, void *outer, const uint8_t *packed, size_t size, size_t tree)
{
	void *inner = w->fdt;

	w->fdt = outer;
	eie_note(w, fdt_create(w->fdt, ROOM));
	eie_note(w, fdt_finish_reservemap(w->fdt));
	eie_begin(w, "");
	eie_put_string(w, "compatible", EIE_COMPATIBLE);
	eie_put_string(w, "must-understand", EIE_FEATURE_PACKED);
	eie_put_u32(w, EIE_HEADER_CRC, 0);
	eie_put_u64(w, "data-size", 0);
	eie_begin(w, "tree");
	eie_put_u64(w, "offset", (uint64_t)(packed - w->data));
	eie_put_u64(w, "size", size);
	eie_put_u32(w, "crc32c", accel_crc32c(0, packed, size));
	eie_put_string(w, "coding", CODING);
	eie_put_u32(w, "bytes", (uint32_t)tree);
	eie_end(w);
	eie_end(w);
	eie_note(w, fdt_finish(w->fdt));
	if (!w->fdt_error)
		eie_note(w, fdt_setprop_inplace_u64(w->fdt, 0, "data-size", w->used));
	if (!w->fdt_error)
		eie_note(w, fdt_setprop_inplace_u32(w->fdt, 0, EIE_HEADER_CRC, accel_crc32c(0, w->fdt, fdt_totalsize(w->fdt))));
	free(inner);
	return w->fdt_error;
}

void eie_pack(struct eie_writer *w)
{
	size_t tree = fdt_totalsize(w->fdt), size = 0;
	lzma_options_lzma options;
	lzma_filter f[2];
	uint8_t *packed, *blob;
	void *outer;
	lzma_ret ret;

	if (tree + w->used < LEAST || tree > MOST)
		return;
	packed = malloc(tree);
	outer = malloc(ROOM);
	ret = !packed || !outer || !filters(tree, &options, f) ? LZMA_MEM_ERROR : lzma_raw_buffer_encode(f, NULL, w->fdt, tree, packed, &size, tree);
	if (ret == LZMA_OK && size + WORTH < tree && (tree - size) * SHARE > tree + w->used && tree / EXPAND <= size) {
		blob = eie_blob_alloc(w, size);
		if (blob) {
			memcpy(blob, packed, size);
			put_outer(w, outer, blob, size, tree);
			outer = NULL;
		}
	} else if (ret != LZMA_OK && ret != LZMA_BUF_ERROR) {   /* the latter: it would not be smaller */
		w->no_memory = true;
	}
	free(packed);
	free(outer);
}

/* ---------------------------------------------------------------- reading */

int eie_unpack(struct eie_reader *r)
{
	const uint8_t *blob;
	uint64_t size;
	uint32_t bytes;
	const char *coding;
	lzma_options_lzma options;
	lzma_filter f[2];
	size_t in = 0, got = 0;
	lzma_ret unpacked;
	void *tree;
	int node;
	int ret = eie_find_blob(r, 0, "tree", &node);

	ret = ret ? ret : eie_get_string(r, node, "coding", &coding);
	if (!ret && strcmp(coding, CODING))
		ret = eie_not_supported(r, "coding", coding);
	ret = ret ? ret : eie_get_u32(r, node, "bytes", &bytes);
	ret = ret ? ret : eie_get_blob(r, node, "tree", UINT64_MAX, &blob, &size);
	if (ret)
		return ret;
	/* memory only for what the file has shown */
	if (bytes < sizeof(struct fdt_header) || bytes > INT32_MAX || bytes / EXPAND > size)
		return BAD(r, "tree: %u bytes in %llu", bytes, (unsigned long long)size);
	tree = malloc(bytes);
	if (!tree)
		return eie_no_memory(r);
	unpacked = filters(bytes, &options, f) ? lzma_raw_buffer_decode(f, NULL, blob, &in, size, tree, &got, bytes) : LZMA_MEM_ERROR;
	if (unpacked != LZMA_OK || in != size || got != bytes) {
		free(tree);
		return unpacked == LZMA_MEM_ERROR ? eie_no_memory(r) : BAD(r, "tree: not %u packed bytes: the file is damaged", bytes);
	}
	free(r->fdt);
	r->fdt = tree;
	if (fdt32_ld((const fdt32_t *)tree) != FDT_MAGIC || fdt32_ld((const fdt32_t *)tree + 1) != bytes || fdt_check_foreign(tree, bytes))
		return BAD(r, "the packed description of the model is no sound device tree: the file is damaged");
	return 0;
}
