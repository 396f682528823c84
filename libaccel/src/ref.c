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

#include "commands.h"
#include "ref.h"

/* At best a cycle takes a beat in each direction, a granule of activations for a MAC and one for a SELECT, a drain step, and two entries (an escape with its
 * follower) a lane; a VMAC gathers two columns. */
bool ref_out_of_time(const struct ref_run *run)
{
	const struct eie_params *p = &run->ref->p;

	return run->read_beats > run->cycle_limit || run->write_beats > run->cycle_limit ||
	       run->granules > run->cycle_limit || run->scanned > run->cycle_limit || run->steps > run->cycle_limit ||
	       run->columns > 2 * run->cycle_limit ||
	       run->entries > run->cycle_limit * 2 * p->clusters * p->lanes;
}

uint32_t ref_transfer(struct ref_run *run, uint64_t va, void *data, size_t bytes, bool write)
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

static uint32_t xfer(struct ref_run *run, const struct eie_cmd *cmd)
{
	uint32_t target = CMD_GET(cmd, XFER_TARGET), rows = CMD_GET(cmd, XFER_ROWS), len = CMD_GET(cmd, XFER_LEN);
	struct ref_buffer *b = &run->ref->buf[target];
	bool store = CMD_GET(cmd, OPCODE) == EIE_OP_STORE;
	uint64_t va = run->bases[CMD_GET(cmd, XFER_BASE)] + CMD_GET(cmd, XFER_OFFSET);

	for (uint32_t r = 0; r < rows; r++, va += CMD_GET(cmd, XFER_MEM_STRIDE)) {
		size_t first = CMD_GET(cmd, XFER_ADDR);
		uint32_t status;

		if (ref_per_cluster(target))
			first += (size_t)(CMD_GET(cmd, XFER_CLUSTER) + r) * b->depth;
		else
			first += (size_t)r * CMD_GET(cmd, XFER_BUF_STRIDE);
		if (store && memchr(b->written + first, 0, len))
			return EIE_STATUS_UNWRITTEN;
		status = ref_transfer(run, va, ref_granule(b, first), (size_t)len * EIE_GRANULE_BYTES, store);
		if (status)
			return status;
		if (!store)
			memset(b->written + first, 1, len);
		if (ref_out_of_time(run))
			return EIE_STATUS_TIMEOUT;
	}
	return EIE_STATUS_OK;
}

/* ---------------------------------------------------------- order */

/* In this order nobody else can bring a token later: a missing one is a wait without end. */
static uint32_t take(struct ref_run *run, unsigned int token)
{
	if (!run->tokens[token])
		return EIE_STATUS_TIMEOUT;
	run->tokens[token]--;
	return EIE_STATUS_OK;
}

static uint32_t give(struct ref_run *run, unsigned int token)
{
	if (run->tokens[token] == EIE_TOKENS_MAX)
		return EIE_STATUS_TOKEN_OVERFLOW;
	run->tokens[token]++;
	return EIE_STATUS_OK;
}

static uint32_t execute(struct ref_run *run, const struct eie_cmd *cmd)
{
	uint32_t op = CMD_GET(cmd, OPCODE);
	uint32_t status = ref_check(run, cmd);

	if (status)
		return status;
	run->commands++;
	/* The checks leave LOAD and SELECT without *_PREV and STORE without *_NEXT. */
	if (CMD_GET(cmd, WAIT_PREV))
		status = take(run, op == EIE_OP_STORE ? COMPUTE_STORE : LOAD_COMPUTE);
	if (!status && CMD_GET(cmd, WAIT_NEXT))
		status = take(run, eie_op_loads(op) ? COMPUTE_LOAD : STORE_COMPUTE);
	if (status)
		return status;

	if (op == EIE_OP_LOAD || op == EIE_OP_STORE)
		status = xfer(run, cmd);
	else if (op == EIE_OP_SELECT)
		status = ref_select(run, cmd);
	else if (op == EIE_OP_MAC)
		status = ref_mac(run, cmd);
	else if (op == EIE_OP_DRAIN)
		status = ref_drain(run, cmd);
	else if (op == EIE_OP_VMAC)
		status = ref_vmac(run, cmd);
	else if (op == EIE_OP_VDRAIN)
		status = ref_vdrain(run, cmd);
	else if (op == EIE_OP_VPOOL)
		status = ref_vpool(run, cmd);
	else if (op == EIE_OP_VMUL)
		status = ref_vmul(run, cmd);
	else if (op == EIE_OP_VTABLE)
		status = ref_vtable(run, cmd);

	if (!status && CMD_GET(cmd, SIGNAL_PREV))
		status = give(run, op == EIE_OP_STORE ? STORE_COMPUTE : COMPUTE_LOAD);
	if (!status && CMD_GET(cmd, SIGNAL_NEXT))
		status = give(run, eie_op_loads(op) ? LOAD_COMPUTE : COMPUTE_STORE);
	return status;
}

static uint32_t run_commands(struct ref_run *run, uint64_t va, uint32_t count, bool restore, struct eie_cpl *cpl)
{
	memset(run->tokens, 0, sizeof(run->tokens));
	for (uint32_t i = 0; i < count; i++) {
		struct eie_cmd cmd;
		uint32_t status = ref_transfer(run, va + (uint64_t)i * EIE_CMD_BYTES, &cmd, sizeof(cmd), false);

		if (status)
			return status;
		if (run->ref->observe)
			run->ref->observe(run->ref->observe_arg, run->ref, &cmd, restore, i, count);
		status = ref_out_of_time(run) ? EIE_STATUS_TIMEOUT : execute(run, &cmd);
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

static uint32_t run_job(struct ref_run *run, const struct eie_desc *d, struct eie_cpl *cpl)
{
	struct eie_ref *ref = run->ref;
	uint64_t residency = le64toh(d->residency);
	uint8_t table[EIE_MAX_BASES * 8];
	uint32_t status;
	bool own;

	if (!good_descriptor(d))
		return EIE_STATUS_BAD_DESCRIPTOR;

	if (!ref->used || ref->asid != le16toh(d->asid)) {
		for (int b = 0; b < REF_NBUFS; b++)
			memset(ref->buf[b].written, 0, ref->buf[b].granules);
		ref->resident = 0;
	}
	ref->used = true;
	ref->asid = le16toh(d->asid);
	for (unsigned int half = 0; half < 2; half++) {
		ref->vector[half] = true;   /* whatever it was: both modes' sums are cleared */
		ref_half(ref, half, false);
	}

	run->nbases = le16toh(d->nbases);
	status = ref_transfer(run, le64toh(d->bases), table, (size_t)(run->nbases + 1) / 2 * EIE_GRANULE_BYTES, false);
	if (status)
		return status;
	for (uint32_t i = 0; i < run->nbases; i++)
		run->bases[i] = ref_load32(table + 8 * i) | (uint64_t)ref_load32(table + 8 * i + 4) << 32;

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
	struct ref_run run = { .ref = ref, .mem = mem, .cycle_limit = le32toh(desc->cycle_limit) };
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
	const uint32_t depth[REF_NBUFS] = {
		[EIE_BUF_ABUF] = params->abuf, [EIE_BUF_WBUF] = params->wbuf, [EIE_BUF_PBUF] = params->pbuf,
		[EIE_BUF_RBUF] = params->rbuf, [EIE_BUF_CBUF] = EIE_CBUF_GRANULES,
	};
	struct eie_ref *ref = calloc(1, sizeof(*ref));

	if (!ref)
		return -ENOMEM;
	ref->p = *params;
	ref->acc = calloc((size_t)2 * params->clusters * params->rows, sizeof(*ref->acc));
	ref->vacc = calloc((size_t)2 * params->clusters * ref_vector_rows(params) * EIE_GRANULE_VALUES, sizeof(*ref->vacc));
	if (!ref->acc || !ref->vacc)
		goto nomem;
	for (uint32_t b = 0; b < REF_NBUFS; b++) {
		struct ref_buffer *buf = &ref->buf[b];

		buf->depth = depth[b];
		buf->granules = (size_t)depth[b] * (ref_per_cluster(b) ? params->clusters : 1);
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

void eie_ref_observe(struct eie_ref *ref, eie_ref_observer observe, void *arg)
{
	ref->observe = observe;
	ref->observe_arg = arg;
}

void eie_ref_free(struct eie_ref *ref)
{
	if (!ref)
		return;
	for (int b = 0; b < REF_NBUFS; b++) {
		free(ref->buf[b].data);
		free(ref->buf[b].written);
	}
	free(ref->acc);
	free(ref->vacc);
	free(ref);
}
