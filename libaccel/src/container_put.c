// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Properties and blobs of .eie files. */
#include "container_writer.h"
#include "crc32c.h"

#include <stdlib.h>
#include <string.h>

/* ---------------------------------------------------------------- properties */

void eie_note(struct eie_writer *w, int ret)
{
	if (!w->fdt_error && ret)
		w->fdt_error = ret;
}

void eie_begin(struct eie_writer *w, const char *name)
{
	eie_note(w, fdt_begin_node(w->fdt, name));
}

void eie_end(struct eie_writer *w)
{
	eie_note(w, fdt_end_node(w->fdt));
}

void eie_put(struct eie_writer *w, const char *name, const void *value, size_t len)
{
	eie_note(w, fdt_property(w->fdt, name, value, (int)len));
}

void eie_put_u32(struct eie_writer *w, const char *name, uint32_t value)
{
	eie_note(w, fdt_property_u32(w->fdt, name, value));
}

void eie_put_u64(struct eie_writer *w, const char *name, uint64_t value)
{
	eie_note(w, fdt_property_u64(w->fdt, name, value));
}

void eie_put_string(struct eie_writer *w, const char *name, const char *value)
{
	eie_put(w, name, value, strlen(value) + 1);
}

uint32_t eie_float_bits(float f)
{
	uint32_t bits;

	memcpy(&bits, &f, sizeof(bits));
	return bits;
}

void eie_put_float(struct eie_writer *w, const char *name, float value)
{
	eie_put_u32(w, name, eie_float_bits(value));
}

void eie_put_pair(struct eie_writer *w, const char *name, uint32_t a, uint32_t b)
{
	fdt32_t cells[2] = { cpu_to_fdt32(a), cpu_to_fdt32(b) };

	eie_put(w, name, cells, sizeof(cells));
}

fdt32_t *eie_put_cells(struct eie_writer *w, const char *name, size_t n)
{
	void *cells = NULL;

	eie_note(w, fdt_property_placeholder(w->fdt, name, (int)(n * sizeof(fdt32_t)), &cells));
	return w->fdt_error ? NULL : cells;
}

/* ---------------------------------------------------------------- blobs */

uint8_t *eie_blob_alloc(struct eie_writer *w, size_t size)
{
	size_t start = w->stream ? w->used : (w->used + EIE_BLOB_ALIGN - 1) / EIE_BLOB_ALIGN * EIE_BLOB_ALIGN;

	if (w->no_memory)
		return NULL;
	if (start + size >= w->room) {
		size_t room = 2 * (start + size) + 4096;
		uint8_t *bigger = realloc(w->data, room);

		if (!bigger) {
			w->no_memory = true;
			return NULL;
		}
		w->data = bigger;
		w->room = room;
	}
	memset(w->data + w->used, 0, start + size - w->used);
	w->used = start + size;
	return w->data + start;
}

void eie_blob_node(struct eie_writer *w, const char *name, const uint8_t *blob, size_t size)
{
	eie_begin(w, name);
	w->blobs++;
	if (blob && w->stream) {
		eie_put_u32(w, "bytes", (uint32_t)size);
	} else if (blob) {
		eie_put_u64(w, "offset", (uint64_t)(blob - w->data));
		eie_put_u64(w, "size", size);
		eie_put_u32(w, "crc32c", accel_crc32c(0, blob, size));
	}
}

void eie_put_blob(struct eie_writer *w, const char *name, const void *data, size_t size)
{
	uint8_t *blob = eie_blob_alloc(w, size);

	if (blob && size)
		memcpy(blob, data, size);
	eie_blob_node(w, name, blob, size);
	eie_end(w);
}

void eie_put_list(struct eie_writer *w, const char *name, const unsigned int *list, unsigned int n)
{
	fdt32_t *cells = eie_put_cells(w, name, n);

	for (unsigned int i = 0; cells && i < n; i++)
		cells[i] = cpu_to_fdt32(list[i]);
}
