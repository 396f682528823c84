/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * A small job that is right, to be broken one field at a time: it loads 8 activations, weights, pointers, parameters and a codebook,
 * multiplies, drains and stores. K clusters of any hardware; the layer has one column (column 0) and row 0 of each cluster.
 */
#ifndef JOB_FIXTURE_H
#define JOB_FIXTURE_H

#include <endian.h>
#include <string.h>

#include "backend.h"
#include "commands.h"

#define JOB_VA 0x100000ull       /* device address of the memory below */
#define JOB_BYTES 0x10000u

/* Offsets in the memory; base 0 points to its start, base 1 is not a multiple of 16, base 2 leads nowhere. */
enum { JOB_BASES = 0x0, JOB_CMDS = 0x1000, JOB_RESTORE = 0x2000, JOB_IN = 0x3000, JOB_W = 0x4000, JOB_P = 0x5000, JOB_R = 0x6000,
       JOB_C = 0x7000, JOB_OUT = 0x8000 };
#define JOB_NBASES 3
#define JOB_NOWHERE 0x40000000ull

/* Commands of the job. */
enum { JOB_LOAD_IN, JOB_LOAD_W, JOB_LOAD_P, JOB_LOAD_R, JOB_LOAD_C, JOB_MAC, JOB_DRAIN, JOB_STORE, JOB_NCMDS };

struct job_fixture {
	uint8_t memory[JOB_BYTES];
	struct eie_cmd cmd[64];          /* copied into the memory by job_finish() */
	unsigned int ncmds;
	struct eie_desc desc;            /* FENCE, ROOT and ASID are the caller's */
};

static inline struct eie_cmd job_xfer(uint32_t op, uint32_t target, uint32_t offset, uint32_t rows)
{
	struct eie_cmd cmd = { { 0 } };

	CMD_SET(&cmd, OPCODE, op);
	CMD_SET(&cmd, XFER_TARGET, target);
	CMD_SET(&cmd, XFER_OFFSET, offset);
	CMD_SET(&cmd, XFER_LEN, 1);
	CMD_SET(&cmd, XFER_ROWS, rows);
	return cmd;
}

/* x = 3, w = 5, bias = 7, m = 2, s = 1: every row 0 gives 22, every other row bias 7, so 7. */
static inline void job_init(struct job_fixture *f, const struct eie_params *p)
{
	struct eie_cmd *c = f->cmd;
	uint64_t bases[JOB_NBASES] = { htole64(JOB_VA), htole64(JOB_VA + 8), htole64(JOB_NOWHERE) };

	memset(f, 0, sizeof(*f));
	memcpy(f->memory + JOB_BASES, bases, sizeof(bases));
	f->memory[JOB_IN] = 3;
	f->memory[JOB_W] = 1;                   /* code 1, skip 0 */
	f->memory[JOB_P + 2] = 1 << 4;          /* start 0, one entry */
	for (int i = 0; i < 8; i++) {
		f->memory[JOB_R + 8 * i] = 7;
		f->memory[JOB_R + 8 * i + 4] = 2;
		f->memory[JOB_R + 8 * i + 6] = 1;
	}
	f->memory[JOB_C + 2] = 5;

	/* Memory strides of zero: all clusters get the same. */
	c[JOB_LOAD_IN] = job_xfer(EIE_OP_LOAD, EIE_BUF_ABUF, JOB_IN, 1);
	c[JOB_LOAD_W] = job_xfer(EIE_OP_LOAD, EIE_BUF_WBUF, JOB_W, p->clusters);
	c[JOB_LOAD_P] = job_xfer(EIE_OP_LOAD, EIE_BUF_PBUF, JOB_P, p->clusters);
	CMD_SET(&c[JOB_LOAD_P], XFER_LEN, 2);
	c[JOB_LOAD_R] = job_xfer(EIE_OP_LOAD, EIE_BUF_RBUF, JOB_R, p->clusters);
	CMD_SET(&c[JOB_LOAD_R], XFER_LEN, 4);
	c[JOB_LOAD_C] = job_xfer(EIE_OP_LOAD, EIE_BUF_CBUF, JOB_C, 1);
	CMD_SET(&c[JOB_LOAD_C], XFER_LEN, 2);
	CMD_SET(&c[JOB_LOAD_C], SIGNAL_NEXT, 1);
	CMD_SET(&c[JOB_MAC], OPCODE, EIE_OP_MAC);
	CMD_SET(&c[JOB_MAC], WAIT_PREV, 1);
	CMD_SET(&c[JOB_MAC], MAC_LEN, 1);
	CMD_SET(&c[JOB_DRAIN], OPCODE, EIE_OP_DRAIN);
	CMD_SET(&c[JOB_DRAIN], SIGNAL_NEXT, 1);
	CMD_SET(&c[JOB_DRAIN], DRAIN_OUT, p->clusters);
	CMD_SET(&c[JOB_DRAIN], DRAIN_STRIDE, p->clusters);
	CMD_SET(&c[JOB_DRAIN], DRAIN_STEPS, 1);
	CMD_SET(&c[JOB_DRAIN], DRAIN_LO, (uint16_t)-32767);
	CMD_SET(&c[JOB_DRAIN], DRAIN_HI, 32767);
	c[JOB_STORE] = job_xfer(EIE_OP_STORE, EIE_BUF_ABUF, JOB_OUT, 1);
	CMD_SET(&c[JOB_STORE], XFER_ADDR, p->clusters);
	CMD_SET(&c[JOB_STORE], XFER_LEN, p->clusters);
	CMD_SET(&c[JOB_STORE], WAIT_PREV, 1);
	f->ncmds = JOB_NCMDS;

	f->desc.nbases = htole16(JOB_NBASES);
	f->desc.bases = htole64(JOB_VA + JOB_BASES);
	f->desc.cmds = htole64(JOB_VA + JOB_CMDS);
	f->desc.restore = htole64(JOB_VA + JOB_RESTORE);
}

static inline void job_finish(struct job_fixture *f)
{
	memcpy(f->memory + JOB_CMDS, f->cmd, f->ncmds * sizeof(f->cmd[0]));
	f->desc.ncmds = htole32(f->ncmds);
}

#endif
