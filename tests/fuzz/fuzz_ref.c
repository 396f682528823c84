// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * The decoder and interpreter of command buffers (libaccel/src/ref.c) on any descriptor, commands and memory.
 *
 * Beside what the sanitisers see: a job ends with a status that exists, with an address only where a bus is to blame, and gives
 * the same on a chip that is new as on one where another address space left its data - and so does the job after it.
 */
#include <stdlib.h>
#include <string.h>

#include "backend.h"
#include "ref_input.h"

#define CYCLES_MAX 20000u   /* so that an input takes milliseconds */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct memory {
	const uint8_t *code;
	size_t code_bytes;
	uint8_t mem[REF_MEM];
};

struct outcome {
	struct eie_cpl cpl[2];
	uint8_t mem[REF_MEM];
};

static struct eie_params params;

static uint32_t mem_read(void *ctx, uint64_t va, void *buf, size_t len)
{
	const struct memory *m = ctx;

	if (va >= REF_VA_MEM && va - REF_VA_MEM <= REF_MEM - len) {
		memcpy(buf, m->mem + (va - REF_VA_MEM), len);
		return EIE_STATUS_OK;
	}
	if (va >= REF_VA_CODE && va - REF_VA_CODE < REF_CODE_MAX) {   /* zero behind its end */
		memset(buf, 0, len);
		if (va - REF_VA_CODE < m->code_bytes) {
			size_t left = m->code_bytes - (va - REF_VA_CODE);

			memcpy(buf, m->code + (va - REF_VA_CODE), left < len ? left : len);
		}
		return EIE_STATUS_OK;
	}
	return va >> 12 == REF_VA_ERROR >> 12 ? EIE_STATUS_BUS_ERROR : EIE_STATUS_PAGE_FAULT;
}

static uint32_t mem_write(void *ctx, uint64_t va, const void *buf, size_t len)
{
	struct memory *m = ctx;

	if (va >= REF_VA_MEM && va - REF_VA_MEM <= REF_MEM - len) {
		memcpy(m->mem + (va - REF_VA_MEM), buf, len);
		return EIE_STATUS_OK;
	}
	return va >> 12 == REF_VA_ERROR >> 12 ? EIE_STATUS_BUS_ERROR : EIE_STATUS_PAGE_FAULT;
}

/* Another address space fills every buffer. */
static void make_dirty(struct eie_ref *ref, uint16_t asid)
{
	static const uint64_t bases[2] = { REF_VA_MEM };
	const uint32_t depth[] = { params.abuf, params.wbuf, params.pbuf, params.rbuf, EIE_CBUF_GRANULES };
	struct eie_desc desc = { .asid = asid, .nbases = 1, .bases = REF_VA_CODE, .cmds = REF_VA_CODE + REF_CMDS, .ncmds = 5 };
	static struct memory m;
	static uint8_t code[REF_CMDS + 5 * sizeof(struct eie_cmd)];
	const struct eie_ref_mem ops = { mem_read, mem_write, &m };
	struct eie_cpl cpl;

	memcpy(code, bases, sizeof(bases));
	for (unsigned int buf = 0; buf <= EIE_BUF_CBUF; buf++) {
		bool each = buf == EIE_BUF_WBUF || buf == EIE_BUF_PBUF || buf == EIE_BUF_RBUF;
		const struct eie_cmd load = { { EIE_OP_LOAD | buf << EIE_CMD_XFER_TARGET_SHIFT, 0, 0, 0, depth[buf], 0, 0,
						each ? params.clusters : 1 } };

		memcpy(code + REF_CMDS + buf * sizeof(load), &load, sizeof(load));
	}
	m.code = code;
	m.code_bytes = sizeof(code);
	for (size_t i = 0; i < REF_MEM; i++)
		m.mem[i] = (uint8_t)(i * 37 + (i >> 8));
	eie_ref_run(ref, &desc, &ops, &cpl);
	if (cpl.status != EIE_STATUS_OK)
		abort();
}

/* The job twice: the second time it finds what the first left on chip. */
static void run(struct eie_ref *ref, const struct eie_desc *desc, struct memory *m, struct outcome *o)
{
	const struct eie_ref_mem ops = { mem_read, mem_write, m };

	memset(o, 0, sizeof(*o));
	for (unsigned int i = 0; i < 2; i++) {
		struct eie_cpl *c = &o->cpl[i];

		eie_ref_run(ref, desc, &ops, c);
		if (c->status > EIE_STATUS_ABORTED || c->fence != desc->fence)
			abort();
		if (c->fault_addr && c->status != EIE_STATUS_PAGE_FAULT && c->status != EIE_STATUS_BUS_ERROR)
			abort();
		if (c->status == EIE_STATUS_OK && c->fault_cmd)
			abort();
	}
	memcpy(o->mem, m->mem, sizeof(o->mem));
}

static struct eie_ref *chip(void)
{
	struct eie_ref *ref;

	if (eie_ref_new(&params, &ref))
		abort();
	return ref;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct memory m;
	static struct outcome fresh, used;
	struct eie_desc desc;
	struct eie_ref *ref;
	uint16_t code_bytes;
	size_t image;

	if (!params.clusters)
		ref_input_params(&params);
	if (size < sizeof(desc) + sizeof(code_bytes))
		return 0;
	memcpy(&desc, data, sizeof(desc));
	memcpy(&code_bytes, data + sizeof(desc), sizeof(code_bytes));
	data += sizeof(desc) + sizeof(code_bytes);
	size -= sizeof(desc) + sizeof(code_bytes);
	if (!desc.cycle_limit || desc.cycle_limit > CYCLES_MAX)
		desc.cycle_limit = CYCLES_MAX;

	m.code = data;
	m.code_bytes = code_bytes < size ? code_bytes : size;
	image = size - m.code_bytes < REF_MEM ? size - m.code_bytes : REF_MEM;

	for (unsigned int k = 0; k < 2; k++) {
		memset(m.mem, 0, sizeof(m.mem));
		memcpy(m.mem, data + m.code_bytes, image);
		ref = chip();
		if (k)
			make_dirty(ref, (uint16_t)(desc.asid + 1));
		run(ref, &desc, &m, k ? &used : &fresh);
		eie_ref_free(ref);
	}
	if (memcmp(&fresh, &used, sizeof(fresh)))
		abort();
	return 0;
}
