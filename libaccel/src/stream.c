// SPDX-License-Identifier: GPL-2.0 OR MIT
#include <assert.h>
#include <eie_hw.h>

#include "stream.h"

/*
 * A gap of d rows before an entry: d / span blocks by escapes, each of at most span blocks, and the rest by the entry's own skip.
 * The escapes stand right before their entry, for the last of them decodes in the same cycle.
 */
static uint32_t escapes(uint32_t gap, uint32_t span)
{
	return (gap / span + span - 1) / span;
}

uint32_t stream_entries(const uint32_t *rows, uint32_t n, bool wide)
{
	uint32_t span = wide ? EIE_WIDE_SPAN : EIE_NARROW_SPAN, next = 0, entries = n;

	for (uint32_t i = 0; i < n; i++) {
		entries += escapes(rows[i] - next, span);
		next = rows[i] + 1;
	}
	return entries;
}

static void put(uint8_t *out, uint32_t index, uint32_t code, uint32_t skip, bool wide)
{
	if (wide) {
		out[2 * index] = (uint8_t)code;
		out[2 * index + 1] = (uint8_t)skip;
	} else {
		out[index] = (uint8_t)(code | skip << 4);
	}
}

uint32_t stream_encode(const uint32_t *rows, const uint8_t *codes, uint32_t n, bool wide, uint8_t *out)
{
	uint32_t span = wide ? EIE_WIDE_SPAN : EIE_NARROW_SPAN, next = 0, entries = 0;

	for (uint32_t i = 0; i < n; i++) {
		uint32_t gap = rows[i] - next, blocks = gap / span;

		while (blocks) {
			uint32_t now = blocks < span ? blocks : span;

			put(out, entries++, 0, now - 1, wide);
			blocks -= now;
		}
		put(out, entries++, codes[i], gap % span, wide);
		next = rows[i] + 1;
	}
	return entries;
}

uint32_t stream_pointer(uint32_t start, uint32_t entries)
{
	if (!entries)
		return 0;   /* start may lie behind the last entry that a pointer can name */
	assert(start >> EIE_PTR_START_BITS == 0 && entries >> EIE_PTR_LEN_BITS == 0);
	return start | entries << EIE_PTR_START_BITS;
}

uint32_t stream_end(const uint8_t *pointers, uint32_t n)
{
	while (n--) {
		const uint8_t *p = pointers + (size_t)n * 4;
		uint32_t pointer = p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;

		if (pointer)   /* an empty column's does not say where it is */
			return (pointer & ((1u << EIE_PTR_START_BITS) - 1)) + (pointer >> EIE_PTR_START_BITS);
	}
	return 0;
}
