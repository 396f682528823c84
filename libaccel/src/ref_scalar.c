// SPDX-License-Identifier: GPL-2.0 OR MIT
/* MAC and DRAIN, and what they share with vector mode: columns of weights, row parameters, accumulator halves. */
#include <string.h>

#include "commands.h"
#include "model.h"
#include "ref.h"

int32_t *ref_half(struct eie_ref *ref, unsigned int half, bool vector)
{
	size_t n = (size_t)ref->p.clusters * ref->p.rows, nv = (size_t)ref->p.clusters * ref_vector_rows(&ref->p) * EIE_GRANULE_VALUES;
	int32_t *sums = vector ? ref->vacc + half * nv : ref->acc + half * n;

	if (ref->vector[half] != vector) {
		memset(ref->acc + half * n, 0, n * sizeof(*sums));
		memset(ref->vacc + half * nv, 0, nv * sizeof(*sums));
		ref->vector[half] = vector;
	}
	return sums;
}

uint32_t ref_column(struct ref_run *run, const struct ref_tile *tile, uint32_t cluster, uint32_t ptr, uint32_t column, const int16_t *x,
		    unsigned int n, int32_t *acc)
{
	const struct eie_ref *ref = run->ref;
	const struct ref_buffer *w = &ref->buf[EIE_BUF_WBUF], *ptrs = &ref->buf[EIE_BUF_PBUF], *codebook = &ref->buf[EIE_BUF_CBUF];
	size_t pg = (size_t)cluster * ptrs->depth + ptr + column / EIE_PTRS_PER_GRANULE;
	uint32_t pointer = ref_load32(ref_granule(ptrs, pg) + 4 * (column % EIE_PTRS_PER_GRANULE));
	uint32_t start = pointer & ((1u << EIE_PTR_START_BITS) - 1), len = pointer >> EIE_PTR_START_BITS;
	unsigned int unit = tile->wide ? 2 : 1, products = 0;
	uint64_t byte = (uint64_t)tile->weights * EIE_GRANULE_BYTES + (uint64_t)start * unit;
	int64_t row = -1;

	if (!ref_is_written(ptrs, pg))
		return EIE_STATUS_UNWRITTEN;
	if (len && byte + (uint64_t)len * unit > (uint64_t)w->depth * EIE_GRANULE_BYTES)
		return EIE_STATUS_BAD_STREAM;
	for (unsigned int i = 0; i < n; i++)
		products += x[i] != 0;
	for (uint32_t e = 0; e < len; e++, byte += unit) {
		size_t granule = (size_t)cluster * w->depth + byte / EIE_GRANULE_BYTES;
		const uint8_t *p = ref_granule(w, granule) + byte % EIE_GRANULE_BYTES;
		uint32_t code = tile->wide ? p[0] : p[0] & 15, skip = tile->wide ? p[1] : p[0] >> 4;
		int32_t weight;

		if (!ref_is_written(w, granule))
			return EIE_STATUS_UNWRITTEN;
		if (!code) {
			row += (int64_t)(tile->wide ? EIE_WIDE_SPAN : EIE_NARROW_SPAN) * (skip + 1);
			if (e == len - 1)
				return EIE_STATUS_BAD_STREAM;
			continue;
		}
		row += skip + 1;
		if (row >= tile->rows)
			return EIE_STATUS_BAD_STREAM;
		/* The product of two int16 fits int32; the sum wraps. */
		weight = ref_load16(ref_granule(codebook, tile->codebook) + 2 * code);
		for (unsigned int i = 0; i < n; i++)
			acc[row * n + i] = (int32_t)((uint32_t)acc[row * n + i] + (uint32_t)(weight * x[i]));
		run->macs += products;
	}
	run->entries += len;
	return EIE_STATUS_OK;
}

uint32_t ref_mac(struct ref_run *run, const struct eie_cmd *cmd)
{
	struct eie_ref *ref = run->ref;
	const struct ref_buffer *a = &ref->buf[EIE_BUF_ABUF];
	const struct ref_tile tile = {
		CMD_GET(cmd, MAC_WIDE), CMD_GET(cmd, MAC_WEIGHTS), CMD_GET(cmd, MAC_CODEBOOK), ref->p.rows
	};
	uint32_t len = CMD_GET(cmd, MAC_LEN);
	int32_t *acc = ref_half(ref, CMD_GET(cmd, MAC_HALF), false);

	if (memchr(ref->buf[EIE_BUF_CBUF].written + tile.codebook, 0, ref_codebook_granules(tile.wide)))
		return EIE_STATUS_UNWRITTEN;
	for (uint32_t j = 0; j < len * EIE_GRANULE_VALUES; j++) {
		size_t granule = CMD_GET(cmd, MAC_IN) + j / EIE_GRANULE_VALUES;
		int16_t x = ref_load16(ref_granule(a, granule) + 2 * (j % EIE_GRANULE_VALUES));

		run->granules += j % EIE_GRANULE_VALUES == 0;
		if (!ref_is_written(a, granule))
			return EIE_STATUS_UNWRITTEN;
		for (uint32_t c = 0; x && c < ref->p.clusters; c++) {
			uint32_t status = ref_column(run, &tile, c, CMD_GET(cmd, MAC_PTR), j, &x, 1, acc + (size_t)c * ref->p.rows);

			if (status)
				return status;
		}
		if (ref_out_of_time(run))
			return EIE_STATUS_TIMEOUT;
	}
	return EIE_STATUS_OK;
}

uint32_t ref_param(const struct ref_run *run, uint32_t cluster, uint32_t param, uint32_t row, struct ref_param *out)
{
	const struct ref_buffer *params = &run->ref->buf[EIE_BUF_RBUF];
	size_t granule = (size_t)cluster * params->depth + param + row / EIE_ROWS_PER_PGRANULE;
	const uint8_t *p = ref_granule(params, granule) + 8 * (row % EIE_ROWS_PER_PGRANULE);

	if (!ref_is_written(params, granule))
		return EIE_STATUS_UNWRITTEN;
	if (p[6] < 1 || p[6] > EIE_SHIFT_MAX || p[7])
		return EIE_STATUS_BAD_PARAM;
	*out = (struct ref_param){ (int32_t)ref_load32(p), (uint16_t)ref_load16(p + 4), p[6] };
	return EIE_STATUS_OK;
}

uint32_t ref_drain(struct ref_run *run, const struct eie_cmd *cmd)
{
	struct eie_ref *ref = run->ref;
	struct ref_buffer *a = &ref->buf[EIE_BUF_ABUF];
	int16_t lo = (int16_t)CMD_GET(cmd, DRAIN_LO), hi = (int16_t)CMD_GET(cmd, DRAIN_HI);
	int32_t *half = ref_half(ref, CMD_GET(cmd, DRAIN_HALF), false);

	for (uint32_t t = 0; t < CMD_GET(cmd, DRAIN_STEPS); t++) {
		for (uint32_t c = 0; c < ref->p.clusters; c++) {
			size_t out = (size_t)CMD_GET(cmd, DRAIN_OUT) + (size_t)t * CMD_GET(cmd, DRAIN_STRIDE) + c;

			for (uint32_t i = 0; i < EIE_GRANULE_VALUES; i++) {
				int32_t *acc = half + (size_t)c * ref->p.rows + 8 * t + i;
				struct ref_param p;
				uint32_t status = ref_param(run, c, CMD_GET(cmd, DRAIN_PARAM), 8 * t + i, &p);

				if (status)
					return status;
				ref_store16(ref_granule(a, out) + 2 * i,
					    accel_requant((int32_t)((uint32_t)*acc + (uint32_t)p.bias), p.m, p.s, lo, hi, &run->saturated));
				*acc = 0;
			}
			a->written[out] = 1;
		}
		run->steps++;
	}
	return EIE_STATUS_OK;
}
