// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Properties and blobs of .eie files, each checked for its size. */
#include "container_reader.h"
#include "crc32c.h"

#include <errno.h>
#include <libfdt.h>
#include <stdlib.h>
#include <string.h>

/* ---------------------------------------------------------------- properties */

int eie_get_bytes(struct eie_reader *r, int node, const char *name, int len, const void **value)
{
	int got;

	*value = fdt_getprop(r->fdt, node, name, &got);
	if (!*value)
		return BAD(r, "property '%s' is missing", name);
	if (got != len)
		return BAD(r, "property '%s' has %d bytes, not %d", name, got, len);
	return 0;
}

int eie_get_u32(struct eie_reader *r, int node, const char *name, uint32_t *value)
{
	const void *p;
	int ret = eie_get_bytes(r, node, name, 4, &p);

	if (!ret)
		*value = fdt32_ld(p);
	return ret;
}

int eie_get_u64(struct eie_reader *r, int node, const char *name, uint64_t *value)
{
	const void *p;
	int ret = eie_get_bytes(r, node, name, 8, &p);

	if (!ret)
		*value = fdt64_ld(p);
	return ret;
}

int eie_get_pair(struct eie_reader *r, int node, const char *name, uint32_t *a, uint32_t *b)
{
	const void *p;
	int ret = eie_get_bytes(r, node, name, 8, &p);

	if (!ret) {
		*a = fdt32_ld(p);
		*b = fdt32_ld((const fdt32_t *)p + 1);
	}
	return ret;
}

float eie_float_from_bits(uint32_t bits)
{
	float f;

	memcpy(&f, &bits, sizeof(f));
	return f;
}

int eie_get_float(struct eie_reader *r, int node, const char *name, float *value)
{
	uint32_t bits;
	int ret = eie_get_u32(r, node, name, &bits);

	if (!ret)
		*value = eie_float_from_bits(bits);
	return ret;
}

int eie_get_string(struct eie_reader *r, int node, const char *name, const char **value)
{
	int len;

	*value = fdt_getprop(r->fdt, node, name, &len);
	if (!*value)
		return BAD(r, "property '%s' is missing", name);
	if (len < 1 || strnlen(*value, (size_t)len) != (size_t)len - 1)
		return BAD(r, "property '%s' is no string", name);
	return 0;
}

int eie_get_cells(struct eie_reader *r, int node, const char *name, unsigned int min, unsigned int max, const fdt32_t **cells,
		  unsigned int *n)
{
	int len;

	*cells = fdt_getprop(r->fdt, node, name, &len);
	if (!*cells)
		return BAD(r, "property '%s' is missing", name);
	*n = (unsigned int)len / 4;
	if (len % 4 || *n < min || *n > max)
		return BAD(r, "property '%s' has %d bytes, not %u to %u words", name, len, min, max);
	return 0;
}

int eie_no_memory(struct eie_reader *r)
{
	return accel_fail(r->err, -ENOMEM, r->where, "%s: no memory", r->file);
}

int eie_not_supported(struct eie_reader *r, const char *what, const char *value)
{
	return accel_fail(r->err, -ENOTSUP, r->where, "%s: %s%s%s '%s' is unknown to this version; use a newer library", r->file,
			  r->where ? r->where : "", r->where ? ": " : "", what, value);
}

int eie_get_s16(struct eie_reader *r, const char *name, uint32_t cell, int16_t *value)
{
	int32_t v = (int32_t)cell;

	if (v < INT16_MIN || v > INT16_MAX)
		return BAD(r, "property '%s' holds %d, which is no 16-bit number", name, v);
	*value = (int16_t)v;
	return 0;
}

/* ---------------------------------------------------------------- blobs */

int eie_find_blob(struct eie_reader *r, int layer, const char *name, int *node)
{
	*node = fdt_subnode_offset(r->fdt, layer, name);
	return *node < 0 ? BAD(r, "node '%s' is missing", name) : 0;
}

int eie_check_coding(struct eie_reader *r, int node, const char *name, const char *coding)
{
	const char *value = "none";
	int ret = 0;

	if (fdt_getprop(r->fdt, node, "coding", NULL))
		ret = eie_get_string(r, node, "coding", &value);
	if (ret || !strcmp(value, coding))
		return ret;
	if (!strcmp(value, "none") || !strcmp(value, "rice") || !strcmp(value, "huffman") || !strcmp(value, "ans"))
		return BAD(r, "%s: coding '%s', not '%s'", name, value, coding);
	return eie_not_supported(r, "coding", value);
}

int eie_get_coding(struct eie_reader *r, int node, const char *name, const char *plain, enum entropy_coding *coding)
{
	const char *value = "none";
	int ret = 0;

	if (fdt_getprop(r->fdt, node, "coding", NULL))
		ret = eie_get_string(r, node, "coding", &value);
	for (enum entropy_coding c = ENTROPY_HUFFMAN; !ret && c <= ENTROPY_ANS; c++) {
		if (strcmp(value, entropy_names[c]))
			continue;
		*coding = c;
		return 0;
	}
	*coding = ENTROPY_NONE;
	return ret ? ret : eie_check_coding(r, node, name, plain);
}

static int compare_places(const void *a, const void *b)
{
	const struct eie_place *x = a, *y = b;

	return x->node < y->node ? -1 : x->node > y->node;
}

/* In a stream, whose bytes have been checked as a whole. */
static int find_place(struct eie_reader *r, int node, const char *name, uint64_t *offset, uint64_t *size)
{
	const struct eie_place key = { .node = node }, *place = bsearch(&key, r->stream_places, r->nplaces, sizeof(key), compare_places);

	if (!place)
		return BAD(r, "%s: property 'bytes' is missing", name);
	*offset = place->offset;
	*size = place->size;
	return 0;
}

static int read_place(struct eie_reader *r, int node, const char *name, uint64_t *offset, uint64_t *size)
{
	uint32_t crc;
	int ret = eie_get_u64(r, node, "offset", offset);

	if (!ret)
		ret = eie_get_u64(r, node, "size", size);
	if (!ret)
		ret = eie_get_u32(r, node, "crc32c", &crc);
	if (ret)
		return ret;
	if (*offset % EIE_BLOB_ALIGN)
		return BAD(r, "%s: offset %llu is no multiple of %u", name, (unsigned long long)*offset, EIE_BLOB_ALIGN);
	if (*offset > r->data_size || *size > r->data_size - *offset)
		return BAD(r, "%s: bytes %llu + %llu lie outside the %llu bytes of data", name, (unsigned long long)*offset,
			   (unsigned long long)*size, (unsigned long long)r->data_size);
	return accel_crc32c(0, r->data + *offset, *size) == crc ? 0 : BAD(r, "%s: checksum error: the file is damaged", name);
}

int eie_get_blob(struct eie_reader *r, int node, const char *name, uint64_t want, const uint8_t **blob, uint64_t *size)
{
	uint64_t offset;
	int ret = r->stream ? find_place(r, node, name, &offset, size) : read_place(r, node, name, &offset, size);

	if (ret)
		return ret;
	if (want != UINT64_MAX && *size != want)
		return BAD(r, "%s: %llu bytes, not %llu", name, (unsigned long long)*size, (unsigned long long)want);
	if (r->nextents == r->room) {
		size_t room = 2 * r->room + 16;
		struct eie_extent *bigger = realloc(r->extents, room * sizeof(*bigger));

		if (!bigger)
			return eie_no_memory(r);
		r->extents = bigger;
		r->room = room;
	}
	r->extents[r->nextents++] = (struct eie_extent) { offset, *size };
	*blob = r->data + offset;
	return 0;
}

int eie_copy_blob(struct eie_reader *r, int layer, const char *name, uint64_t n, size_t element, void **values)
{
	const uint8_t *blob;
	uint64_t size;
	int node;
	int ret = eie_find_blob(r, layer, name, &node);

	if (!ret)
		ret = eie_check_coding(r, node, name, "none");
	if (!ret)
		ret = eie_get_blob(r, node, name, n * element, &blob, &size);
	if (ret)
		return ret;
	*values = malloc(size ? size : 1);
	if (!*values)
		return eie_no_memory(r);
	memcpy(*values, blob, size);
	return 0;
}

static int compare_extents(const void *a, const void *b)
{
	const struct eie_extent *x = a, *y = b;

	return x->offset < y->offset ? -1 : x->offset > y->offset;
}

int eie_check_overlap(struct eie_reader *r)
{
	uint64_t end = 0;

	r->where = NULL;
	if (!r->nextents)
		return 0;
	qsort(r->extents, r->nextents, sizeof(*r->extents), compare_extents);
	for (size_t i = 0; i < r->nextents; i++) {
		if (!r->extents[i].size)
			continue;
		if (r->extents[i].offset < end)
			return BAD(r, "two blobs share the bytes at offset %llu", (unsigned long long)r->extents[i].offset);
		end = r->extents[i].offset + r->extents[i].size;
	}
	return 0;
}
