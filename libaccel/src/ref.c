// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * The oracle: docs/programmers_guide.md word by word. Commands run one after the other in the order of the buffer, which is one of
 * the orders that the engines may take; a program that is free of races gives the same bytes in all of them.
 *
 * Nothing a job holds may crash the interpreter or keep it for ever, so it counts what the hardware cannot do faster than a cycle
 * each (beats, entries); beyond the cycle limit the job ends with TIMEOUT as it must on hardware.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "backend.h"
#include "commands.h"
#include "model.h"

#define NBUFS 5

struct buffer {
	uint32_t depth;      /* granules a cluster */
	uint8_t *data;       /* all clusters, one after the other */
	uint8_t *written;    /* a flag a granule */
	size_t granules;
};

struct eie_ref {
	struct eie_params p;
	struct buffer buf[NBUFS];   /* by enum buf */
	int32_t *acc;               /* [2][clusters][rows] */
	bool used;                  /* asid means something */
	uint16_t asid;
	uint64_t resident;          /* of asid; 0: none */
};

/* Tokens between two engines, named by giver and taker. */
enum { LOAD_COMPUTE, COMPUTE_LOAD, COMPUTE_STORE, STORE_COMPUTE, NTOKENS };

struct run {
	struct eie_ref *ref;
	const struct eie_ref_mem *mem;
	uint32_t nbases;
	uint64_t bases[EIE_MAX_BASES];
	unsigned int tokens[NTOKENS];
	uint64_t cycle_limit, read_beats, write_beats, entries, granules, steps;
	uint64_t macs, saturated, fault_addr;
	uint32_t commands;
};

static bool is_written(const struct buffer *b, size_t granule)
{
	return b->written[granule];
}

static uint8_t *granule_data(const struct buffer *b, size_t granule)
{
	return b->data + granule * EIE_GRANULE_BYTES;
}

/* At best a cycle takes a beat in each direction, a granule of activations, a drain step, and two entries (an escape with its
 * follower) a lane. */
static bool out_of_time(const struct run *run)
{
	const struct eie_params *p = &run->ref->p;

	return run->read_beats > run->cycle_limit || run->write_beats > run->cycle_limit ||
	       run->granules > run->cycle_limit || run->steps > run->cycle_limit ||
	       run->entries > run->cycle_limit * 2 * p->clusters * p->lanes;
}

/* Memory in bursts, for the address of a fault is the start of the burst. va is a multiple of 16. */
static uint32_t transfer(struct run *run, uint64_t va, void *data, size_t bytes, bool write)
{
	uint8_t *p = data;

	while (bytes) {
		size_t n = 4096 - va % 4096;
		uint32_t status;

		if (n > EIE_MAX_BURST * EIE_GRANULE_BYTES)
			n = EIE_MAX_BURST * EIE_GRANULE_BYTES;
		if (n > bytes)
			n = bytes;
		status = write ? run->mem->write(run->mem->ctx, va, p, n) : run->mem->read(run->mem->ctx, va, p, n);
		if (status) {
			run->fault_addr = va;
			return status;
		}
		*(write ? &run->write_beats : &run->read_beats) += n / EIE_GRANULE_BYTES;
		va += n;
		p += n;
		bytes -= n;
	}
	return EIE_STATUS_OK;
}

/* ---------------------------------------------------------- static checks */

#define BIT_OF(field) { EIE_CMD_##field##_DW, (uint32_t)EIE_CMD_##field##_MASK << EIE_CMD_##field##_SHIFT }

struct bits {
	unsigned int dw;
	uint32_t mask;
};

static const struct bits load_bits[] = {
	BIT_OF(OPCODE), BIT_OF(WAIT_NEXT), BIT_OF(SIGNAL_NEXT), BIT_OF(XFER_TARGET), BIT_OF(XFER_BASE), BIT_OF(XFER_OFFSET),
	BIT_OF(XFER_CLUSTER), BIT_OF(XFER_ADDR), BIT_OF(XFER_LEN), BIT_OF(XFER_MEM_STRIDE), BIT_OF(XFER_BUF_STRIDE),
	BIT_OF(XFER_ROWS), { 0, 0 }
};
static const struct bits store_bits[] = {
	BIT_OF(OPCODE), BIT_OF(WAIT_PREV), BIT_OF(SIGNAL_PREV), BIT_OF(XFER_TARGET), BIT_OF(XFER_BASE), BIT_OF(XFER_OFFSET),
	BIT_OF(XFER_CLUSTER), BIT_OF(XFER_ADDR), BIT_OF(XFER_LEN), BIT_OF(XFER_MEM_STRIDE), BIT_OF(XFER_BUF_STRIDE),
	BIT_OF(XFER_ROWS), { 0, 0 }
};
#define COMPUTE_BITS \
	BIT_OF(OPCODE), BIT_OF(WAIT_PREV), BIT_OF(WAIT_NEXT), BIT_OF(SIGNAL_PREV), BIT_OF(SIGNAL_NEXT), BIT_OF(FENCE)
static const struct bits sync_bits[] = { COMPUTE_BITS, { 0, 0 } };
static const struct bits mac_bits[] = {
	COMPUTE_BITS, BIT_OF(MAC_HALF), BIT_OF(MAC_WIDE), BIT_OF(MAC_IN), BIT_OF(MAC_LEN), BIT_OF(MAC_PTR), BIT_OF(MAC_WEIGHTS),
	BIT_OF(MAC_CODEBOOK), { 0, 0 }
};
static const struct bits drain_bits[] = {
	COMPUTE_BITS, BIT_OF(DRAIN_HALF), BIT_OF(DRAIN_OUT), BIT_OF(DRAIN_STRIDE), BIT_OF(DRAIN_STEPS), BIT_OF(DRAIN_PARAM),
	BIT_OF(DRAIN_LO), BIT_OF(DRAIN_HI), { 0, 0 }
};

static bool has_other_bits(const struct eie_cmd *cmd, const struct bits *known)
{
	struct eie_cmd rest = *cmd;
	uint32_t any = 0;

	for (; known->mask; known++)
		rest.dw[known->dw] &= htole32(~known->mask);
	for (int i = 0; i < 8; i++)
		any |= rest.dw[i];
	return any;
}

static bool per_cluster(uint32_t target)
{
	return target == EIE_BUF_WBUF || target == EIE_BUF_PBUF || target == EIE_BUF_RBUF;
}

static uint32_t check_xfer(const struct run *run, const struct eie_cmd *cmd)
{
	const struct eie_params *p = &run->ref->p;
	uint32_t target = CMD_GET(cmd, XFER_TARGET), rows = CMD_GET(cmd, XFER_ROWS), len = CMD_GET(cmd, XFER_LEN);
	uint32_t cluster = CMD_GET(cmd, XFER_CLUSTER), stride = CMD_GET(cmd, XFER_BUF_STRIDE);
	uint64_t last;

	if (has_other_bits(cmd, CMD_GET(cmd, OPCODE) == EIE_OP_LOAD ? load_bits : store_bits) || target >= NBUFS ||
	    (CMD_GET(cmd, OPCODE) == EIE_OP_STORE && target != EIE_BUF_ABUF) || !len || !rows)
		return EIE_STATUS_BAD_COMMAND;
	if (per_cluster(target) ? stride : cluster)
		return EIE_STATUS_BAD_COMMAND;

	last = (uint64_t)CMD_GET(cmd, XFER_ADDR) + len;
	if (per_cluster(target) ? cluster + rows > p->clusters : 0)
		return EIE_STATUS_BAD_RANGE;
	if (!per_cluster(target))
		last += (uint64_t)(rows - 1) * stride;
	if (last > run->ref->buf[target].depth || CMD_GET(cmd, XFER_BASE) >= run->nbases)
		return EIE_STATUS_BAD_RANGE;

	if ((CMD_GET(cmd, XFER_OFFSET) | CMD_GET(cmd, XFER_MEM_STRIDE) | run->bases[CMD_GET(cmd, XFER_BASE)]) %
	    EIE_GRANULE_BYTES)
		return EIE_STATUS_MISALIGNED;
	return EIE_STATUS_OK;
}

static uint32_t codebook_granules(const struct eie_cmd *mac)
{
	return CMD_GET(mac, MAC_WIDE) ? 32 : 2;
}

static uint32_t check_mac(const struct run *run, const struct eie_cmd *cmd)
{
	const struct eie_params *p = &run->ref->p;
	uint64_t len = CMD_GET(cmd, MAC_LEN);
	uint32_t codebook = CMD_GET(cmd, MAC_CODEBOOK);

	if (has_other_bits(cmd, mac_bits) || !len)
		return EIE_STATUS_BAD_COMMAND;
	if (CMD_GET(cmd, MAC_IN) + len > p->abuf || CMD_GET(cmd, MAC_PTR) + 2 * len > p->pbuf ||
	    CMD_GET(cmd, MAC_WEIGHTS) >= p->wbuf || codebook % codebook_granules(cmd) ||
	    codebook + codebook_granules(cmd) > EIE_CBUF_GRANULES)
		return EIE_STATUS_BAD_RANGE;
	return EIE_STATUS_OK;
}

static int16_t drain_lo(const struct eie_cmd *cmd)
{
	return (int16_t)CMD_GET(cmd, DRAIN_LO);
}

static int16_t drain_hi(const struct eie_cmd *cmd)
{
	return (int16_t)CMD_GET(cmd, DRAIN_HI);
}

static uint32_t check_drain(const struct run *run, const struct eie_cmd *cmd)
{
	const struct eie_params *p = &run->ref->p;
	uint64_t out = CMD_GET(cmd, DRAIN_OUT), stride = CMD_GET(cmd, DRAIN_STRIDE), steps = CMD_GET(cmd, DRAIN_STEPS);

	if (has_other_bits(cmd, drain_bits) || !steps || stride < p->clusters || drain_lo(cmd) > drain_hi(cmd) ||
	    drain_lo(cmd) == INT16_MIN)
		return EIE_STATUS_BAD_COMMAND;
	if (steps > p->rows / EIE_GRANULE_VALUES || out % p->clusters || stride % p->clusters ||
	    out + (steps - 1) * stride + p->clusters > p->abuf || CMD_GET(cmd, DRAIN_PARAM) + 4 * steps > p->rbuf)
		return EIE_STATUS_BAD_RANGE;
	return EIE_STATUS_OK;
}

static uint32_t check(const struct run *run, const struct eie_cmd *cmd)
{
	switch (CMD_GET(cmd, OPCODE)) {
	case EIE_OP_LOAD:
	case EIE_OP_STORE:
		return check_xfer(run, cmd);
	case EIE_OP_SYNC:
		return has_other_bits(cmd, sync_bits) ? EIE_STATUS_BAD_COMMAND : EIE_STATUS_OK;
	case EIE_OP_MAC:
		return check_mac(run, cmd);
	case EIE_OP_DRAIN:
		return check_drain(run, cmd);
	default:
		return EIE_STATUS_BAD_COMMAND;
	}
}

/* ---------------------------------------------------------- engines */

static uint32_t xfer(struct run *run, const struct eie_cmd *cmd)
{
	uint32_t target = CMD_GET(cmd, XFER_TARGET), rows = CMD_GET(cmd, XFER_ROWS), len = CMD_GET(cmd, XFER_LEN);
	struct buffer *b = &run->ref->buf[target];
	bool store = CMD_GET(cmd, OPCODE) == EIE_OP_STORE;
	uint64_t va = run->bases[CMD_GET(cmd, XFER_BASE)] + CMD_GET(cmd, XFER_OFFSET);

	for (uint32_t r = 0; r < rows; r++, va += CMD_GET(cmd, XFER_MEM_STRIDE)) {
		size_t first = CMD_GET(cmd, XFER_ADDR);
		uint32_t status;

		if (per_cluster(target))
			first += (size_t)(CMD_GET(cmd, XFER_CLUSTER) + r) * b->depth;
		else
			first += (size_t)r * CMD_GET(cmd, XFER_BUF_STRIDE);
		if (store && memchr(b->written + first, 0, len))
			return EIE_STATUS_UNWRITTEN;
		status = transfer(run, va, granule_data(b, first), (size_t)len * EIE_GRANULE_BYTES, store);
		if (status)
			return status;
		if (!store)
			memset(b->written + first, 1, len);
		if (out_of_time(run))
			return EIE_STATUS_TIMEOUT;
	}
	return EIE_STATUS_OK;
}

static int16_t load16(const uint8_t *p)
{
	return (int16_t)(p[0] | p[1] << 8);
}

static uint32_t load32(const uint8_t *p)
{
	return p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

/* One column of one cluster: pointer word, times activation x. */
static uint32_t mac_column(struct run *run, const struct eie_cmd *cmd, uint32_t cluster, uint32_t pointer, int16_t x)
{
	struct eie_ref *ref = run->ref;
	const struct buffer *w = &ref->buf[EIE_BUF_WBUF], *codebook = &ref->buf[EIE_BUF_CBUF];
	uint32_t start = pointer & ((1u << EIE_PTR_START_BITS) - 1), len = pointer >> EIE_PTR_START_BITS;
	bool wide = CMD_GET(cmd, MAC_WIDE);
	unsigned int unit = wide ? 2 : 1;
	uint64_t byte = (uint64_t)CMD_GET(cmd, MAC_WEIGHTS) * EIE_GRANULE_BYTES + (uint64_t)start * unit;
	int32_t *acc = ref->acc + ((size_t)CMD_GET(cmd, MAC_HALF) * ref->p.clusters + cluster) * ref->p.rows;
	int64_t row = -1;

	if (len && byte + (uint64_t)len * unit > (uint64_t)w->depth * EIE_GRANULE_BYTES)
		return EIE_STATUS_BAD_STREAM;
	for (uint32_t e = 0; e < len; e++, byte += unit) {
		size_t granule = (size_t)cluster * w->depth + byte / EIE_GRANULE_BYTES;
		const uint8_t *p = granule_data(w, granule) + byte % EIE_GRANULE_BYTES;
		uint32_t code = wide ? p[0] : p[0] & 15, skip = wide ? p[1] : p[0] >> 4;

		if (!is_written(w, granule))
			return EIE_STATUS_UNWRITTEN;
		if (!code) {
			row += (int64_t)(wide ? EIE_WIDE_SPAN : EIE_NARROW_SPAN) * (skip + 1);
			if (e == len - 1)
				return EIE_STATUS_BAD_STREAM;
			continue;
		}
		row += skip + 1;
		if (row >= ref->p.rows)
			return EIE_STATUS_BAD_STREAM;
		/* The product of two int16 fits int32; the sum wraps. */
		acc[row] = (int32_t)((uint32_t)acc[row] +
				     (uint32_t)(load16(granule_data(codebook, CMD_GET(cmd, MAC_CODEBOOK)) + 2 * code) * x));
		run->macs++;
	}
	run->entries += len;
	return EIE_STATUS_OK;
}

static uint32_t mac(struct run *run, const struct eie_cmd *cmd)
{
	struct eie_ref *ref = run->ref;
	const struct buffer *a = &ref->buf[EIE_BUF_ABUF], *ptrs = &ref->buf[EIE_BUF_PBUF];
	uint32_t len = CMD_GET(cmd, MAC_LEN);

	if (memchr(ref->buf[EIE_BUF_CBUF].written + CMD_GET(cmd, MAC_CODEBOOK), 0, codebook_granules(cmd)))
		return EIE_STATUS_UNWRITTEN;
	for (uint32_t j = 0; j < len * EIE_GRANULE_VALUES; j++) {
		size_t granule = CMD_GET(cmd, MAC_IN) + j / EIE_GRANULE_VALUES;
		int16_t x = load16(granule_data(a, granule) + 2 * (j % EIE_GRANULE_VALUES));

		run->granules += j % EIE_GRANULE_VALUES == 0;
		if (!is_written(a, granule))
			return EIE_STATUS_UNWRITTEN;
		for (uint32_t c = 0; x && c < ref->p.clusters; c++) {
			size_t pg = (size_t)c * ptrs->depth + CMD_GET(cmd, MAC_PTR) + j / EIE_PTRS_PER_GRANULE;
			uint32_t status;

			if (!is_written(ptrs, pg))
				return EIE_STATUS_UNWRITTEN;
			status = mac_column(run, cmd, c, load32(granule_data(ptrs, pg) + 4 * (j % EIE_PTRS_PER_GRANULE)), x);
			if (status)
				return status;
		}
		if (out_of_time(run))
			return EIE_STATUS_TIMEOUT;
	}
	return EIE_STATUS_OK;
}

static uint32_t drain(struct run *run, const struct eie_cmd *cmd)
{
	struct eie_ref *ref = run->ref;
	const struct buffer *params = &ref->buf[EIE_BUF_RBUF];
	struct buffer *a = &ref->buf[EIE_BUF_ABUF];
	int32_t *half = ref->acc + (size_t)CMD_GET(cmd, DRAIN_HALF) * ref->p.clusters * ref->p.rows;

	for (uint32_t t = 0; t < CMD_GET(cmd, DRAIN_STEPS); t++) {
		for (uint32_t c = 0; c < ref->p.clusters; c++) {
			size_t out = (size_t)CMD_GET(cmd, DRAIN_OUT) + (size_t)t * CMD_GET(cmd, DRAIN_STRIDE) + c;

			for (uint32_t i = 0; i < EIE_GRANULE_VALUES; i++) {
				size_t pg = (size_t)c * params->depth + CMD_GET(cmd, DRAIN_PARAM) + 4 * t + i / 2;
				const uint8_t *p = granule_data(params, pg) + 8 * (i % 2);
				int32_t *acc = half + (size_t)c * ref->p.rows + 8 * t + i;
				int32_t sum;
				int16_t y;

				if (!is_written(params, pg))
					return EIE_STATUS_UNWRITTEN;
				if (p[6] < 1 || p[6] > EIE_SHIFT_MAX || p[7])
					return EIE_STATUS_BAD_PARAM;
				sum = (int32_t)((uint32_t)*acc + load32(p));
				y = accel_requant(sum, (uint16_t)load16(p + 4), p[6], drain_lo(cmd), drain_hi(cmd),
						  &run->saturated);
				granule_data(a, out)[2 * i] = (uint8_t)y;
				granule_data(a, out)[2 * i + 1] = (uint8_t)((uint16_t)y >> 8);
				*acc = 0;
			}
			a->written[out] = 1;
		}
		run->steps++;
	}
	return EIE_STATUS_OK;
}

/* ---------------------------------------------------------- order */

/* In this order nobody else can bring a token later: a missing one is a wait without end. */
static uint32_t take(struct run *run, unsigned int token)
{
	if (!run->tokens[token])
		return EIE_STATUS_TIMEOUT;
	run->tokens[token]--;
	return EIE_STATUS_OK;
}

static uint32_t give(struct run *run, unsigned int token)
{
	if (run->tokens[token] == EIE_TOKENS_MAX)
		return EIE_STATUS_TOKEN_OVERFLOW;
	run->tokens[token]++;
	return EIE_STATUS_OK;
}

static uint32_t execute(struct run *run, const struct eie_cmd *cmd)
{
	uint32_t op = CMD_GET(cmd, OPCODE);
	uint32_t status = check(run, cmd);

	if (status)
		return status;
	run->commands++;
	/* The checks leave LOAD without *_PREV and STORE without *_NEXT. */
	if (CMD_GET(cmd, WAIT_PREV))
		status = take(run, op == EIE_OP_STORE ? COMPUTE_STORE : LOAD_COMPUTE);
	if (!status && CMD_GET(cmd, WAIT_NEXT))
		status = take(run, op == EIE_OP_LOAD ? COMPUTE_LOAD : STORE_COMPUTE);
	if (status)
		return status;

	if (op == EIE_OP_LOAD || op == EIE_OP_STORE)
		status = xfer(run, cmd);
	else if (op == EIE_OP_MAC)
		status = mac(run, cmd);
	else if (op == EIE_OP_DRAIN)
		status = drain(run, cmd);

	if (!status && CMD_GET(cmd, SIGNAL_PREV))
		status = give(run, op == EIE_OP_STORE ? STORE_COMPUTE : COMPUTE_LOAD);
	if (!status && CMD_GET(cmd, SIGNAL_NEXT))
		status = give(run, op == EIE_OP_LOAD ? LOAD_COMPUTE : COMPUTE_STORE);
	return status;
}

static uint32_t run_commands(struct run *run, uint64_t va, uint32_t count, bool restore, struct eie_cpl *cpl)
{
	memset(run->tokens, 0, sizeof(run->tokens));
	for (uint32_t i = 0; i < count; i++) {
		struct eie_cmd cmd;
		uint32_t status = transfer(run, va + (uint64_t)i * EIE_CMD_BYTES, &cmd, sizeof(cmd), false);

		if (status)
			return status;
		status = out_of_time(run) ? EIE_STATUS_TIMEOUT : execute(run, &cmd);
		/* Running out of time is the job's failure, not a command's. */
		if (status && status != EIE_STATUS_TIMEOUT)
			cpl->fault_cmd = htole32(1u << EIE_CPL_FAULT_VALID_SHIFT |
						 (uint32_t)restore << EIE_CPL_FAULT_RESTORE_SHIFT | i);
		if (status)
			return status;
	}
	return EIE_STATUS_OK;
}

static bool good_descriptor(const struct eie_desc *d)
{
	uint32_t nbases = le16toh(d->nbases), ncmds = le32toh(d->ncmds), nrestore = le32toh(d->nrestore);
	uint64_t root = le64toh(d->root);
	unsigned int reserved = 0;

	for (size_t i = 0; i < sizeof(d->rsvd0); i++)
		reserved |= d->rsvd0[i];
	return !reserved && root % 4096 == 0 && root >> 56 == 0 && nbases <= EIE_MAX_BASES && ncmds >> 24 == 0 &&
	       nrestore >> 24 == 0 && !(nbases && le64toh(d->bases) % EIE_GRANULE_BYTES) &&
	       !(ncmds && le64toh(d->cmds) % EIE_CMD_BYTES) && !(nrestore && le64toh(d->restore) % EIE_CMD_BYTES);
}

static uint32_t run_job(struct run *run, const struct eie_desc *d, struct eie_cpl *cpl)
{
	struct eie_ref *ref = run->ref;
	uint64_t residency = le64toh(d->residency);
	uint8_t table[EIE_MAX_BASES * 8];
	uint32_t status;
	bool own;

	if (!good_descriptor(d))
		return EIE_STATUS_BAD_DESCRIPTOR;

	if (!ref->used || ref->asid != le16toh(d->asid)) {
		for (int b = 0; b < NBUFS; b++)
			memset(ref->buf[b].written, 0, ref->buf[b].granules);
		ref->resident = 0;
	}
	ref->used = true;
	ref->asid = le16toh(d->asid);
	memset(ref->acc, 0, (size_t)2 * ref->p.clusters * ref->p.rows * sizeof(*ref->acc));

	run->nbases = le16toh(d->nbases);
	status = transfer(run, le64toh(d->bases), table, (size_t)(run->nbases + 1) / 2 * EIE_GRANULE_BYTES, false);
	if (status)
		return status;
	for (uint32_t i = 0; i < run->nbases; i++)
		run->bases[i] = load32(table + 8 * i) | (uint64_t)load32(table + 8 * i + 4) << 32;

	own = residency && ref->resident == residency;
	if (!own)
		ref->resident = 0;
	if (d->nrestore && !own) {
		cpl->restored = htole32(1);
		status = run_commands(run, le64toh(d->restore), le32toh(d->nrestore), true, cpl);
	}
	if (!status)
		status = run_commands(run, le64toh(d->cmds), le32toh(d->ncmds), false, cpl);
	return status;
}

void eie_ref_run(struct eie_ref *ref, const struct eie_desc *desc, const struct eie_ref_mem *mem, struct eie_cpl *cpl)
{
	struct run run = { .ref = ref, .mem = mem, .cycle_limit = le32toh(desc->cycle_limit) };
	uint32_t status;

	if (!run.cycle_limit)
		run.cycle_limit = UINT32_MAX;
	memset(cpl, 0, sizeof(*cpl));
	status = run_job(&run, desc, cpl);
	ref->resident = status == EIE_STATUS_OK ? le64toh(desc->residency) : 0;

	cpl->fence = desc->fence;
	cpl->status = htole32(status);
	cpl->fault_addr = htole64(run.fault_addr);
	cpl->macs = htole64(run.macs);
	cpl->saturated = htole32((uint32_t)run.saturated);
	cpl->commands = htole32(run.commands);
}

int eie_ref_new(const struct eie_params *params, struct eie_ref **out)
{
	const uint32_t depth[NBUFS] = {
		[EIE_BUF_ABUF] = params->abuf, [EIE_BUF_WBUF] = params->wbuf, [EIE_BUF_PBUF] = params->pbuf,
		[EIE_BUF_RBUF] = params->rbuf, [EIE_BUF_CBUF] = EIE_CBUF_GRANULES,
	};
	struct eie_ref *ref = calloc(1, sizeof(*ref));

	if (!ref)
		return -ENOMEM;
	ref->p = *params;
	ref->acc = calloc((size_t)2 * params->clusters * params->rows, sizeof(*ref->acc));
	if (!ref->acc)
		goto nomem;
	for (uint32_t b = 0; b < NBUFS; b++) {
		struct buffer *buf = &ref->buf[b];

		buf->depth = depth[b];
		buf->granules = (size_t)depth[b] * (per_cluster(b) ? params->clusters : 1);
		buf->data = calloc(buf->granules, EIE_GRANULE_BYTES);
		buf->written = calloc(buf->granules, 1);
		if (!buf->data || !buf->written)
			goto nomem;
	}
	*out = ref;
	return 0;
nomem:
	eie_ref_free(ref);
	return -ENOMEM;
}

void eie_ref_free(struct eie_ref *ref)
{
	if (!ref)
		return;
	for (int b = 0; b < NBUFS; b++) {
		free(ref->buf[b].data);
		free(ref->buf[b].written);
	}
	free(ref->acc);
	free(ref);
}
