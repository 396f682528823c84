// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * The tree, packed by LZMA: of a network of many small layers it would be larger than their weights. Where there are many blobs, too, they lie behind each other, without
 * addresses and checksums of their own. docs/eie_format.md, "Packed trees".
 */
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
#define MANY   64u         /* blobs that are a stream; fewer keep addresses, for older releases */
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

static void put_outer(struct eie_writer *w, void *outer, const uint8_t *packed, size_t size, size_t tree)
{
	static const char features[] = EIE_FEATURE_PACKED "\0" EIE_FEATURE_STREAM;
	void *inner = w->fdt;

	w->fdt = outer;
	eie_note(w, fdt_create(w->fdt, ROOM));
	eie_note(w, fdt_finish_reservemap(w->fdt));
	eie_begin(w, "");
	eie_put_string(w, "compatible", EIE_COMPATIBLE);
	eie_put(w, "must-understand", features, w->stream ? sizeof(features) : sizeof(EIE_FEATURE_PACKED));
	eie_put_u32(w, EIE_HEADER_CRC, 0);
	eie_put_u64(w, "data-size", 0);
	eie_begin(w, "tree");
	if (!w->stream)
		eie_put_u64(w, "offset", (uint64_t)(packed - w->data));
	eie_put_u64(w, "size", size);
	eie_put_u32(w, "crc32c", w->stream ? accel_crc32c(0, w->data, w->used) : accel_crc32c(0, packed, size));
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
}

/* The tree, packed, and its *size; the caller's. NULL: it would not fit the room, or there is no memory, which the writer notes. */
static uint8_t *pack(struct eie_writer *w, size_t room, size_t *size)
{
	size_t tree = fdt_totalsize(w->fdt);
	lzma_options_lzma options;
	lzma_filter f[2];
	uint8_t *packed = malloc(room);
	lzma_ret ret;

	*size = 0;
	ret = !packed || !filters(tree, &options, f) ? LZMA_MEM_ERROR : lzma_raw_buffer_encode(f, NULL, w->fdt, tree, packed, size, room);
	if (ret == LZMA_OK)
		return packed;
	free(packed);
	w->no_memory = w->no_memory || ret != LZMA_BUF_ERROR;
	return NULL;
}

/* So many packed bytes are worth that older releases and fdtdump do not see the tree. */
static bool pays(const struct eie_writer *w, size_t tree, size_t size)
{
	return size + WORTH < tree && (tree - size) * SHARE > tree + w->used && tree / EXPAND <= size;
}

static bool may_be_packed(const struct eie_writer *w)
{
	return fdt_totalsize(w->fdt) + w->used >= LEAST && fdt_totalsize(w->fdt) <= MOST;
}

bool eie_stream_pays(struct eie_writer *w)
{
	size_t tree = fdt_totalsize(w->fdt), size;
	uint8_t *packed;
	bool will;

	if (w->blobs < MANY || w->used > UINT32_MAX || !may_be_packed(w))
		return false;
	packed = pack(w, tree, &size);
	will = packed && pays(w, tree, size);
	free(packed);
	return will;
}

void eie_pack(struct eie_writer *w)
{
	/* what is no smaller is a few bytes larger */
	size_t tree = fdt_totalsize(w->fdt), room = lzma_stream_buffer_bound(tree), size;
	uint8_t *packed = w->stream || may_be_packed(w) ? pack(w, room, &size) : NULL, *blob = NULL;
	void *outer = malloc(ROOM);

	w->no_memory = w->no_memory || !outer;
	if (packed && outer && (w->stream || pays(w, tree, size)))
		blob = eie_blob_alloc(w, size);
	if (blob) {
		memcpy(blob, packed, size);
		put_outer(w, outer, blob, size, tree);
		outer = NULL;
	}
	free(packed);
	free(outer);
}

/* ---------------------------------------------------------------- reading */

/* Blob `tree` of a file whose blobs are a stream: the last of the data, of which it has the checksum. What is left are the other blobs. */
static int get_last(struct eie_reader *r, int node, const uint8_t **blob, uint64_t *size)
{
	uint32_t crc;
	int ret = eie_get_u64(r, node, "size", size);

	ret = ret ? ret : eie_get_u32(r, node, "crc32c", &crc);
	if (ret)
		return ret;
	if (*size > r->data_size)
		return BAD(r, "tree: %llu bytes of %llu", (unsigned long long)*size, (unsigned long long)r->data_size);
	if (accel_crc32c(0, r->data, r->data_size) != crc)
		return BAD(r, "checksum error in the data: the file is damaged");
	r->data_size -= *size;
	*blob = r->data + r->data_size;
	return 0;
}

int eie_place_blobs(struct eie_reader *r)
{
	uint64_t end = 0;
	size_t room = 0;

	for (int node = 0; node >= 0; node = fdt_next_node(r->fdt, node, NULL)) {
		struct eie_place *bigger = r->stream_places;
		uint32_t size;
		int ret;

		if (!fdt_getprop(r->fdt, node, "bytes", NULL))
			continue;
		ret = eie_get_u32(r, node, "bytes", &size);
		if (ret)
			return ret;
		if (size > r->data_size - end)
			return BAD(r, "%s: bytes %llu + %u lie outside the %llu bytes of data", fdt_get_name(r->fdt, node, NULL), (unsigned long long)end, size,
				   (unsigned long long)r->data_size);
		if (r->nplaces == room) {
			room = 2 * room + 64;
			bigger = realloc(bigger, room * sizeof(*bigger));
			if (!bigger)
				return eie_no_memory(r);
			r->stream_places = bigger;
		}
		bigger[r->nplaces++] = (struct eie_place){ node, size, end };
		end += size;
	}
	return end == r->data_size ? 0 : BAD(r, "blobs of %llu bytes in %llu bytes of data", (unsigned long long)end, (unsigned long long)r->data_size);
}

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
	ret = ret ? ret : r->stream ? get_last(r, node, &blob, &size) : eie_get_blob(r, node, "tree", UINT64_MAX, &blob, &size);
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
