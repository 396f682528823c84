// SPDX-License-Identifier: GPL-2.0 OR MIT
/* SELECT: of each row the granules that columns of activations which are not zero need, in ascending order, each once. */
#include <string.h>

#include "commands.h"
#include "ref.h"

/* Granules of a row that lie one behind the other, first == stop: none. */
struct granules {
	uint32_t first, stop;
};

struct row {
	const struct eie_cmd *cmd;
	uint64_t va;
	uint32_t cluster;
	struct granules open;   /* not yet fetched */
};

static uint32_t fetch(struct ref_run *run, struct row *row)
{
	struct ref_buffer *b = &run->ref->buf[CMD_GET(row->cmd, XFER_TARGET)];
	size_t at = (size_t)row->cluster * b->depth + CMD_GET(row->cmd, XFER_ADDR) + row->open.first, n = row->open.stop - row->open.first;
	uint32_t status = ref_transfer(run, row->va + (uint64_t)row->open.first * EIE_GRANULE_BYTES, ref_granule(b, at), n * EIE_GRANULE_BYTES, false);

	if (!status)
		memset(b->written + at, 1, n);
	row->open.first = row->open.stop;
	return status;
}

/* What lies before the end of the columns before is not fetched again. */
static uint32_t want(struct ref_run *run, struct row *row, uint32_t first, uint32_t stop)
{
	uint32_t status = EIE_STATUS_OK;

	if (row->open.first < row->open.stop && first > row->open.stop)
		status = fetch(run, row);
	if (row->open.first == row->open.stop)
		row->open = (struct granules){ first, first };
	if (stop > row->open.stop)
		row->open.stop = stop;
	return status;
}

/* The granules of column j's weights. */
static uint32_t want_column(struct ref_run *run, struct row *row, uint32_t j)
{
	const struct ref_buffer *ptrs = &run->ref->buf[EIE_BUF_PBUF];
	size_t pg = (size_t)row->cluster * ptrs->depth + CMD_GET(row->cmd, SELECT_PTR) + j / EIE_PTRS_PER_GRANULE;
	uint32_t pointer = ref_load32(ref_granule(ptrs, pg) + 4 * (j % EIE_PTRS_PER_GRANULE));
	uint32_t start = pointer & ((1u << EIE_PTR_START_BITS) - 1), len = pointer >> EIE_PTR_START_BITS;
	uint32_t unit = CMD_GET(row->cmd, SELECT_WIDE) ? 2 : 1, stop = (start + len) * unit;

	if (!ref_is_written(ptrs, pg))
		return EIE_STATUS_UNWRITTEN;
	if (!len)
		return EIE_STATUS_OK;
	if (stop > CMD_GET(row->cmd, XFER_LEN) * EIE_GRANULE_BYTES)
		return EIE_STATUS_BAD_STREAM;
	return want(run, row, start * unit / EIE_GRANULE_BYTES, (stop + EIE_GRANULE_BYTES - 1) / EIE_GRANULE_BYTES);
}

static uint32_t select_row(struct ref_run *run, struct row *row)
{
	const struct ref_buffer *a = &run->ref->buf[EIE_BUF_ABUF];
	bool pointers = CMD_GET(row->cmd, XFER_TARGET) == EIE_BUF_PBUF;
	uint32_t status = EIE_STATUS_OK, last;

	for (uint32_t j = 0; !status && j < CMD_GET(row->cmd, SELECT_LEN) * EIE_GRANULE_VALUES; j++) {
		size_t granule = CMD_GET(row->cmd, SELECT_IN) + j / EIE_GRANULE_VALUES;

		run->scanned += j % EIE_GRANULE_VALUES == 0;
		if (!ref_is_written(a, granule))
			status = EIE_STATUS_UNWRITTEN;
		else if (!ref_load16(ref_granule(a, granule) + 2 * (j % EIE_GRANULE_VALUES)))
			continue;
		else if (pointers)
			status = want(run, row, j / EIE_PTRS_PER_GRANULE, j / EIE_PTRS_PER_GRANULE + 1);
		else
			status = want_column(run, row, j);
	}
	if (status && status != EIE_STATUS_UNWRITTEN && status != EIE_STATUS_BAD_STREAM)
		return status;
	/* what was asked for before a fault comes first, and may fail itself */
	last = row->open.first < row->open.stop ? fetch(run, row) : EIE_STATUS_OK;
	return last ? last : status;
}

uint32_t ref_select(struct ref_run *run, const struct eie_cmd *cmd)
{
	struct row row = { .cmd = cmd, .va = run->bases[CMD_GET(cmd, XFER_BASE)] + CMD_GET(cmd, XFER_OFFSET), .cluster = CMD_GET(cmd, XFER_CLUSTER) };

	for (uint32_t r = 0; r < CMD_GET(cmd, XFER_ROWS); r++) {
		uint32_t status;

		row.open = (struct granules){ 0, 0 };
		status = select_row(run, &row);
		if (status)
			return status;
		if (ref_out_of_time(run))
			return EIE_STATUS_TIMEOUT;
		row.va += CMD_GET(cmd, XFER_MEM_STRIDE);
		row.cluster++;
	}
	return EIE_STATUS_OK;
}
