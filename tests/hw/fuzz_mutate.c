// SPDX-License-Identifier: GPL-2.0 OR MIT
#include "fuzz_mutate.h"

#include <stdlib.h>
#include <string.h>

#define PARAM_BYTES 8u
#define PARAM_SHIFT 6u   /* byte of the row parameter */

static bool is_op(const struct eie_cmd *c, unsigned int op)
{
	return PG_GET(c, OPCODE) == op;
}

static bool is_xfer(const struct eie_cmd *c)
{
	return is_op(c, EIE_OP_LOAD) || is_op(c, EIE_OP_SELECT) || is_op(c, EIE_OP_STORE);
}

static bool is_load_of(const struct eie_cmd *c, unsigned int buf)
{
	return is_op(c, EIE_OP_LOAD) && PG_GET(c, XFER_TARGET) == buf;
}

static void insert(struct fuzz_job *j, uint32_t at, struct eie_cmd c)
{
	if (j->n == FUZZ_CMDS_MAX)
		return;
	memmove(&j->cmds[at + 1], &j->cmds[at], (j->n - at) * sizeof(c));
	j->cmds[at] = c;
	j->n++;
}

static struct eie_cmd sync_cmd(void)
{
	struct eie_cmd c = { { 0 } };

	PG_SET(&c, OPCODE, EIE_OP_SYNC);
	return c;
}

/* A random LOAD of the buffer; j->n when there is none. */
static uint32_t some_load(const struct fuzz_job *j, struct rng *r, unsigned int buf)
{
	uint32_t n = 0, k;

	for (uint32_t i = 0; i < j->n; i++)
		n += is_load_of(&j->cmds[i], buf);
	if (!n)
		return j->n;
	k = rng_range(r, 0, n - 1);
	for (uint32_t i = 0; i < j->n; i++)
		if (is_load_of(&j->cmds[i], buf) && !k--)
			return i;
	return j->n;
}

/* A random byte of the memory that a LOAD reads; the program's own loads use base 0 or an alias of it. */
static uint8_t *some_byte(struct fuzz_job *j, struct rng *r, const struct eie_cmd *c)
{
	uint32_t row = rng_range(r, 0, PG_GET(c, XFER_ROWS) - 1);

	return j->mem + PG_GET(c, XFER_OFFSET) + (size_t)row * PG_GET(c, XFER_MEM_STRIDE) +
	       rng_range(r, 0, PG_GET(c, XFER_LEN) * EIE_GRANULE_BYTES - 1);
}

/* ---- harmless */

void mutate_harmless(struct fuzz_job *j, struct rng *r)
{
	struct eie_cmd sync = sync_cmd();

	/* the end cut off: sums that nobody drains must not meet the next job */
	if (rng_permille(r, 80))
		j->n = rng_range(r, 1, j->n);
	for (uint32_t k = rng_range(r, 0, 6); k; k--) {
		struct eie_cmd *c = &j->cmds[rng_range(r, 0, j->n - 1)];
		uint32_t load;

		switch (rng_range(r, 0, 4)) {
		case 0:   /* a fence more */
			if (!is_xfer(c) || is_op(c, EIE_OP_SELECT))
				PG_SET(c, FENCE, 1);
			break;
		case 1:   /* a command more, that only waits */
			PG_SET(&sync, FENCE, rng_range(r, 0, 1));
			insert(j, rng_range(r, 0, j->n), sync);
			break;
		case 2:   /* the same memory at another address */
			if (is_xfer(c))
				PG_SET(c, XFER_BASE, FUZZ_BASE_TOP);
			break;
		case 3:
			if (is_op(c, EIE_OP_LOAD) || is_op(c, EIE_OP_SELECT))
				PG_SET(c, XFER_BASE, FUZZ_BASE_ALIAS);
			break;
		default:  /* other activations or another codebook */
			load = some_load(j, r, rng_permille(r, 500) ? EIE_BUF_ABUF : EIE_BUF_CBUF);
			if (load < j->n)
				*some_byte(j, r, &j->cmds[load]) = (uint8_t)(rng_next(r) >> 40);
			break;
		}
	}
}

/* ---- one thing broken */

static unsigned int depth_of(const struct eie_params *p, unsigned int buf)
{
	const unsigned int depth[] = { p->abuf, p->wbuf, p->pbuf, p->rbuf, EIE_CBUF_GRANULES };

	return depth[buf];
}

static void break_select(const struct eie_params *p, struct eie_cmd *c, struct rng *r)
{
	switch (rng_range(r, 0, 4)) {
	case 0:
		PG_SET(c, SELECT_LEN, 0);
		break;
	case 1:
		PG_SET(c, SELECT_IN, p->abuf - PG_GET(c, SELECT_LEN) + 1);
		break;
	case 2:   /* to PBUF: not zero */
		PG_SET(c, SELECT_PTR, p->pbuf - 2 * PG_GET(c, SELECT_LEN) + 1);
		break;
	case 3:
		PG_SET(c, XFER_TARGET, rng_permille(r, 500) ? EIE_BUF_ABUF : EIE_BUF_RBUF);
		break;
	default:
		PG_SET(c, XFER_CLUSTER, p->clusters - PG_GET(c, XFER_ROWS) + 1);
		break;
	}
}

static void break_xfer(const struct eie_params *p, struct eie_cmd *c, struct rng *r)
{
	static const uint8_t bad_bases[] = {
		FUZZ_BASE_HOLE, FUZZ_BASE_FOREIGN, FUZZ_BASE_ODD, FUZZ_BASE_FAR, FUZZ_BASE_SECRET, FUZZ_BASE_FOREIGN,
		FUZZ_BASES, 16, 255
	};
	unsigned int buf = PG_GET(c, XFER_TARGET), depth = depth_of(p, buf);

	switch (rng_range(r, 0, 13)) {
	case 0:
		PG_SET(c, XFER_LEN, 0);
		break;
	case 1:
		PG_SET(c, XFER_ROWS, 0);
		break;
	case 2:
		PG_SET(c, XFER_TARGET, rng_range(r, 5, 15));
		break;
	case 3:   /* one granule too far */
		PG_SET(c, XFER_ADDR, depth - PG_GET(c, XFER_LEN) + 1);
		break;
	case 4:
		PG_SET(c, XFER_LEN, depth - PG_GET(c, XFER_ADDR) + 1);
		break;
	case 5:
		PG_SET(c, XFER_OFFSET, PG_GET(c, XFER_OFFSET) | rng_range(r, 1, 15));
		break;
	case 6:
		PG_SET(c, XFER_MEM_STRIDE, PG_GET(c, XFER_MEM_STRIDE) | rng_range(r, 1, 15));
		break;
	case 7:   /* read only for a store */
		PG_SET(c, XFER_BASE, is_op(c, EIE_OP_STORE) ? FUZZ_BASE_ALIAS : FUZZ_BASE_HOLE);
		break;
	default:
		PG_SET(c, XFER_BASE, bad_bases[rng_range(r, 0, sizeof(bad_bases) - 1)]);
		break;
	}
}

static void break_vector(const struct eie_params *p, struct eie_cmd *c, struct rng *r)
{
	unsigned int op = PG_GET(c, OPCODE), way = rng_range(r, 0, 5);
	bool image = op == EIE_OP_VMAC || op == EIE_OP_VPOOL;

	if (op == EIE_OP_VDRAIN) {
		if (way == 0)
			PG_SET(c, VDRAIN_GROUPS, 0);
		else if (way == 1)
			PG_SET(c, VDRAIN_OUT, PG_GET(c, VDRAIN_OUT) + 1);
		else if (way == 2)
			PG_SET(c, VDRAIN_PARAM, p->rbuf - (PG_GET(c, VDRAIN_ROWS) + 1) / 2 + 1);
		else if (way == 3)
			PG_SET(c, VDRAIN_LO, 0x8000);
		else if (way == 4)
			PG_SET(c, VDRAIN_PLANE, PG_GET(c, VDRAIN_GROUPS) - 1);
		else
			PG_SET(c, VDRAIN_ROWS, p->rows + 1);
		return;
	}
	/* the first ways are all others', whose fields lie in the same bits */
	if (way == 0)
		PG_SET(c, VMAC_CHANNELS, 0);
	else if (way == 1)
		PG_SET(c, VMAC_IN, PG_GET(c, VMAC_IN) + 1);
	else if (way == 2)
		PG_SET(c, VMAC_IN, p->abuf);
	else if (image && way == 3)
		PG_SET(c, VMAC_FIRST_X, PG_GET(c, VMAC_OUT_X));
	else if (image && way == 4)
		PG_SET(c, VMAC_IN_Y, 8 * PG_GET(c, VMAC_PLANE) / PG_GET(c, VMAC_IN_X) + 1);
	else if (op == EIE_OP_VMAC)
		PG_SET(c, VMAC_CODEBOOK, PG_GET(c, VMAC_CODEBOOK) | 1);
	else if (op == EIE_OP_VPOOL)
		PG_SET(c, VPOOL_OUT_PLANE, PG_GET(c, VPOOL_GROUPS) - 1);
	else if (way == 3)
		PG_SET(c, VMUL_OUT_PLANE, PG_GET(c, VMUL_GROUPS) - 1);
	else if (op == EIE_OP_VTABLE)
		PG_SET(c, VTABLE_TABLE, p->abuf - EIE_TABLE_GRANULES + 1);
	else
		PG_SET(c, VMUL_S, rng_permille(r, 500) ? 0 : EIE_SHIFT_MAX + 1);
}

static void break_compute(const struct eie_params *p, struct eie_cmd *c, struct rng *r)
{
	unsigned int way = rng_range(r, 0, 4);

	if (is_op(c, EIE_OP_MAC)) {
		if (way == 0)
			PG_SET(c, MAC_LEN, 0);
		else if (way == 1)
			PG_SET(c, MAC_IN, p->abuf - PG_GET(c, MAC_LEN) + 1);
		else if (way == 2)
			PG_SET(c, MAC_PTR, p->pbuf - 2 * PG_GET(c, MAC_LEN) + 1);
		else if (way == 3)
			PG_SET(c, MAC_WEIGHTS, p->wbuf);
		else
			PG_SET(c, MAC_CODEBOOK, PG_GET(c, MAC_CODEBOOK) | 1);
	} else if (is_op(c, EIE_OP_DRAIN)) {
		if (way == 0)
			PG_SET(c, DRAIN_STEPS, rng_permille(r, 500) ? 0 : p->rows / 8 + 1);
		else if (way == 1)
			PG_SET(c, DRAIN_OUT, PG_GET(c, DRAIN_OUT) + 1);
		else if (way == 2)
			PG_SET(c, DRAIN_PARAM, p->rbuf - 4 * PG_GET(c, DRAIN_STEPS) + 1);
		else if (way == 3)
			PG_SET(c, DRAIN_LO, 0x8000);
		else
			PG_SET(c, DRAIN_STRIDE, p->clusters - 1);
	} else if (is_op(c, EIE_OP_SYNC)) {
		c->dw[rng_range(r, 1, 7)] |= 1u << rng_range(r, 0, 31);
	} else {
		break_vector(p, c, r);
	}
}

/* What the checks that need nothing but the command say to it, by the interpreter; its tokens are there. */
static uint32_t static_status(struct fuzz_machine *m, const struct eie_cmd *c, const uint8_t *mem)
{
	static struct fuzz_job alone;
	struct eie_cpl cpl;

	alone = (struct fuzz_job){ .n = 1, .mem = m->scratch, .desc = { .asid = FUZZ_ASID_KNOWN } };
	alone.cmds[0] = *c;
	alone.cmds[0].dw[0] &= ~(1u << EIE_CMD_WAIT_PREV_SHIFT | 1u << EIE_CMD_WAIT_NEXT_SHIFT);
	memcpy(m->scratch, mem, m->mem_bytes);
	fuzz_job_place(m, &m->own, &alone);
	fuzz_job_describe(&m->own, &alone);
	fuzz_ref_run(m, m->scratch_ref, &alone, m->scratch, NULL, &cpl);
	return cpl.status;
}

/* Out of range in a later row only: the rows before it are transferred, wherever to. */
static bool fails_late(const struct eie_params *p, const struct eie_cmd *c)
{
	return is_xfer(c) && PG_GET(c, XFER_BASE) < FUZZ_BASES && (PG_GET(c, XFER_TARGET) == EIE_BUF_ABUF ||
								   PG_GET(c, XFER_TARGET) == EIE_BUF_CBUF) &&
	       PG_GET(c, XFER_ADDR) + PG_GET(c, XFER_LEN) <= depth_of(p, PG_GET(c, XFER_TARGET));
}

/*
 * A command that fails before it touches anything. The last commands are preferred: much has run by then. Random bits do not
 * always break a command; there the interpreter decides, and the hardware is held to the same.
 */
static bool break_command(struct fuzz_machine *m, struct fuzz_job *j, struct rng *r)
{
	uint32_t at = rng_permille(r, 700) ? rng_range(r, j->n - (j->n + 3) / 4, j->n - 1) : rng_range(r, 0, j->n - 1);
	struct eie_cmd *c, was;

	while (rng_permille(r, 700) && at && !is_xfer(&j->cmds[at]))   /* most ways to fail are theirs */
		at--;
	c = &j->cmds[at];
	was = *c;
	if (rng_permille(r, 300)) {
		uint32_t status;

		c->dw[rng_range(r, 0, 7)] ^= 1u << rng_range(r, 0, 31);
		status = static_status(m, c, j->mem);
		if (status < EIE_STATUS_BAD_COMMAND || status > EIE_STATUS_MISALIGNED ||
		    (status == EIE_STATUS_BAD_RANGE && fails_late(&m->b.params, c)))
			*c = was;
		return memcmp(c, &was, sizeof(was));
	}
	if (is_op(c, EIE_OP_SELECT) && rng_permille(r, 500))
		break_select(&m->b.params, c, r);
	else if (is_xfer(c))
		break_xfer(&m->b.params, c, r);
	else
		break_compute(&m->b.params, c, r);
	return true;
}

static bool break_stream(struct fuzz_job *j, struct rng *r)
{
	uint32_t load = some_load(j, r, EIE_BUF_WBUF);

	if (load == j->n)
		return false;
	for (uint32_t k = rng_range(r, 1, 40); k; k--)
		*some_byte(j, r, &j->cmds[load]) = rng_permille(r, 500) ? 0xff : (uint8_t)(rng_range(r, 0, 15) << 4);
	return true;
}

static bool break_param(struct fuzz_job *j, struct rng *r)
{
	static const uint8_t shifts[] = { 0, 48, 63, 64, 128, 255 };
	uint32_t load = some_load(j, r, EIE_BUF_RBUF);
	uint8_t *param;

	if (load == j->n)
		return false;
	param = some_byte(j, r, &j->cmds[load]);
	param -= (size_t)(param - j->mem) % PARAM_BYTES;
	if (rng_permille(r, 700))
		param[PARAM_SHIFT] = shifts[rng_range(r, 0, sizeof(shifts) - 1)];
	else
		param[PARAM_SHIFT + 1] = (uint8_t)rng_range(r, 1, 255);
	return true;
}

/* Its tokens stay: another LOAD carries them, of memory's last granule into ABUF's last, which belong to no data. */
static bool drop_load(struct fuzz_machine *m, struct fuzz_job *j, struct rng *r)
{
	struct pg_xfer x = { .buf = EIE_BUF_ABUF, .addr = m->b.params.abuf - 1, .len = 1, .rows = 1,
			     .mem = m->mem_bytes / EIE_GRANULE_BYTES - 1 };
	uint32_t load = some_load(j, r, rng_range(r, EIE_BUF_ABUF, EIE_BUF_CBUF));
	uint32_t flags;

	if (load == j->n)
		return false;
	flags = j->cmds[load].dw[0] & (1u << EIE_CMD_WAIT_NEXT_SHIFT | 1u << EIE_CMD_SIGNAL_NEXT_SHIFT);
	j->cmds[load] = pg_cmd_load(FUZZ_BASE_MEM, &x);
	j->cmds[load].dw[0] |= flags;
	return true;
}

static bool overflow(struct fuzz_job *j, struct rng *r)
{
	struct eie_cmd sync = sync_cmd();

	if (rng_permille(r, 500))
		PG_SET(&sync, SIGNAL_PREV, 1);
	else
		PG_SET(&sync, SIGNAL_NEXT, 1);
	if (j->n + EIE_TOKENS_MAX + 1 > FUZZ_CMDS_MAX)
		return false;
	for (unsigned int i = 0; i <= EIE_TOKENS_MAX; i++)
		j->cmds[j->n++] = sync;
	j->desc.ncmds = j->desc.ncmds ? j->n : 0;
	j->desc.nrestore = j->desc.nrestore ? j->n : 0;
	return true;
}

static bool break_descriptor(struct fuzz_job *j, struct rng *r)
{
	struct eie_desc *d = &j->desc;

	switch (rng_range(r, 0, 6)) {
	case 0:
		d->rsvd0[rng_range(r, 0, sizeof(d->rsvd0) - 1)] = (uint8_t)(1u << rng_range(r, 0, 7));
		break;
	case 1:
		d->root |= rng_permille(r, 500) ? 1ull << rng_range(r, 0, 11) : 1ull << rng_range(r, 56, 63);
		break;
	case 2:
		d->nbases = (uint16_t)rng_range(r, EIE_MAX_BASES + 1, 0xffff);
		break;
	case 3:
		d->ncmds |= 1u << rng_range(r, 24, 31);
		break;
	case 4:
		d->nrestore |= 1u << rng_range(r, 24, 31);
		break;
	case 5:
		d->bases |= rng_range(r, 1, 15);
		break;
	default:
		d->cmds |= rng_range(r, 1, 31);
		break;
	}
	return true;
}

bool mutate_once(struct fuzz_machine *m, struct fuzz_job *j, struct rng *r, enum mutation what)
{
	switch (what) {
	case MUTATE_COMMAND:
		return break_command(m, j, r);
	case MUTATE_STREAM:
		return break_stream(j, r);
	case MUTATE_PARAM:
		return break_param(j, r);
	case MUTATE_DROP:
		return drop_load(m, j, r);
	case MUTATE_OVERFLOW:
		return overflow(j, r);
	case MUTATE_DESCRIPTOR:
		return break_descriptor(j, r);
	default:
		return true;
	}
}

/* ---- anything */

/* Small often, for programs use small addresses; at the edges and beyond sometimes: that ends the job at once. */
static uint32_t edge(struct rng *r, uint32_t depth)
{
	switch (rng_range(r, 0, 19)) {
	case 0:
		return depth - rng_range(r, 0, 2);
	case 1:
		return (uint32_t)(rng_next(r) >> 40);
	case 2: case 3: case 4: case 5:
		return rng_range(r, 0, depth - 1);
	default:
		return rng_range(r, 0, depth < 64 ? depth - 1 : 63);
	}
}

static bool is_vector(const struct eie_cmd *c)
{
	return is_op(c, EIE_OP_VMAC) || is_op(c, EIE_OP_VDRAIN) || is_op(c, EIE_OP_VPOOL) || is_op(c, EIE_OP_VMUL) || is_op(c, EIE_OP_VTABLE);
}

/* A block of ABUF: mostly one that another command of vector mode reads or writes. */
static uint32_t some_block(const struct eie_params *p, const struct fuzz_job *j, struct rng *r)
{
	const struct eie_cmd *other = &j->cmds[rng_range(r, 0, j->n - 1)];

	for (uint32_t i = 0; i < 20 && !is_vector(other); i++)
		other = &j->cmds[rng_range(r, 0, j->n - 1)];
	if (is_vector(other) && rng_permille(r, 800))
		return PG_GET(other, VMAC_IN);   /* the same bits in all five, though VDRAIN's are of its output */
	return edge(r, p->abuf) / p->clusters * p->clusters;
}

static void move_vector(const struct eie_params *p, const struct fuzz_job *j, struct eie_cmd *c, struct rng *r)
{
	unsigned int op = PG_GET(c, OPCODE), way = rng_range(r, 0, 3);

	if (op == EIE_OP_VDRAIN && way == 0)
		PG_SET(c, VDRAIN_PARAM, edge(r, p->rbuf));
	else if (op == EIE_OP_VDRAIN && way == 1)
		PG_SET(c, VDRAIN_HALF, rng_range(r, 0, 1));
	else if (op == EIE_OP_VDRAIN)
		PG_SET(c, VDRAIN_OUT, some_block(p, j, r));
	else if (way == 0)
		PG_SET(c, VMAC_IN, some_block(p, j, r));   /* and that of the others */
	else if (op == EIE_OP_VMAC && way == 1)
		PG_SET(c, VMAC_HALF, rng_range(r, 0, 1));
	else if (op == EIE_OP_VMAC && rng_permille(r, 500))
		PG_SET(c, VMAC_PTR, edge(r, p->pbuf));
	else if (op == EIE_OP_VMAC)
		PG_SET(c, VMAC_WEIGHTS, edge(r, p->wbuf));
	else if (op == EIE_OP_VPOOL)
		PG_SET(c, VPOOL_OUT, some_block(p, j, r));
	else if (way == 1)
		PG_SET(c, VMUL_B, some_block(p, j, r));    /* and VTABLE_TABLE */
	else
		PG_SET(c, VMUL_OUT, some_block(p, j, r));
}

/* Another place of a buffer, or another piece of memory: such a command mostly still runs. */
static void move_cmd(const struct fuzz_machine *m, const struct fuzz_job *j, struct eie_cmd *c, struct rng *r)
{
	const struct eie_params *p = &m->b.params;

	if (is_xfer(c)) {
		unsigned int buf = PG_GET(c, XFER_TARGET);

		if (is_op(c, EIE_OP_SELECT) && rng_permille(r, 400))
			PG_SET(c, SELECT_IN, edge(r, p->abuf));
		else if (is_op(c, EIE_OP_SELECT) && buf == EIE_BUF_WBUF && rng_permille(r, 400))
			PG_SET(c, SELECT_PTR, edge(r, p->pbuf));
		else if (rng_permille(r, 400) && buf <= EIE_BUF_CBUF)
			PG_SET(c, XFER_ADDR, edge(r, depth_of(p, buf)));
		else if (rng_permille(r, 600))
			PG_SET(c, XFER_OFFSET, rng_range(r, 0, (uint32_t)m->mem_bytes / 16 - 1) * 16);
		else
			PG_SET(c, XFER_BASE, rng_permille(r, 800) ? FUZZ_BASE_TOP : rng_range(r, 0, FUZZ_BASES));
	} else if (is_op(c, EIE_OP_MAC)) {
		switch (rng_range(r, 0, 4)) {
		case 0:
			PG_SET(c, MAC_IN, edge(r, p->abuf));
			break;
		case 1:
			PG_SET(c, MAC_PTR, edge(r, p->pbuf));
			break;
		case 2:
			PG_SET(c, MAC_WEIGHTS, edge(r, p->wbuf));
			break;
		case 3:
			PG_SET(c, MAC_CODEBOOK, rng_range(r, 0, 31) * 2);
			break;
		default:
			PG_SET(c, MAC_HALF, rng_range(r, 0, 1));
			break;
		}
	} else if (is_op(c, EIE_OP_DRAIN)) {
		PG_SET(c, DRAIN_OUT, edge(r, p->abuf) / p->clusters * p->clusters);
		PG_SET(c, DRAIN_HALF, rng_range(r, 0, 1));
	} else if (is_vector(c)) {
		move_vector(p, j, c, r);
	}
}

/* A command of plausible fields. */
static struct eie_cmd made_up(const struct fuzz_machine *m, const struct fuzz_job *j, struct rng *r)
{
	static const uint8_t ops[] = { EIE_OP_LOAD, EIE_OP_LOAD, EIE_OP_STORE, EIE_OP_STORE, EIE_OP_MAC, EIE_OP_MAC, EIE_OP_DRAIN,
				       EIE_OP_SYNC, EIE_OP_SELECT };
	const struct eie_params *p = &m->b.params;
	struct eie_cmd c = { { 0 } };
	unsigned int op = ops[rng_range(r, 0, sizeof(ops) - 1)];

	if (p->features & EIE_FEATURE_VECTOR && rng_permille(r, 300)) {
		c = random_vector_command(p, r);
		move_cmd(m, j, &c, r);
		return c;
	}
	if (op == EIE_OP_LOAD || op == EIE_OP_STORE) {
		unsigned int buf = op == EIE_OP_LOAD ? rng_range(r, 0, 4) : (unsigned int)EIE_BUF_ABUF, depth = depth_of(p, buf);
		bool wide = buf == EIE_BUF_ABUF || buf == EIE_BUF_CBUF;
		struct pg_xfer x = { .buf = buf, .addr = edge(r, depth), .len = rng_range(r, 1, rng_permille(r, 200) ? depth : 20),
				     .rows = rng_range(r, 1, wide ? 3 : p->clusters),
				     .mem = rng_range(r, 0, (uint32_t)m->mem_bytes / 16 - 1), .mem_stride = rng_range(r, 0, 64),
				     .buf_stride = wide ? rng_range(r, 0, 40) : 0 };
		unsigned int base = rng_permille(r, 800) ? (unsigned int)FUZZ_BASE_MEM : rng_range(r, 0, FUZZ_BASES - 1);

		c = op == EIE_OP_LOAD ? pg_cmd_load(base, &x) : pg_cmd_store(base, &x);
	} else if (op == EIE_OP_SELECT) {
		bool pointers = rng_permille(r, 300);
		uint32_t columns = rng_range(r, 1, 12);
		struct pg_xfer x = { .buf = pointers ? EIE_BUF_PBUF : EIE_BUF_WBUF, .addr = edge(r, pointers ? p->pbuf : p->wbuf),
				     .len = pointers ? 2 * columns : rng_range(r, 1, rng_permille(r, 200) ? p->wbuf : 20),
				     .rows = rng_range(r, 1, p->clusters), .mem = rng_range(r, 0, (uint32_t)m->mem_bytes / 16 - 1),
				     .mem_stride = rng_range(r, 0, 64) };
		struct pg_select s = { .in = edge(r, p->abuf), .len = columns, .ptr = pointers ? 0 : edge(r, p->pbuf),
				       .wide = !pointers && rng_permille(r, 500) };

		c = pg_cmd_select(rng_permille(r, 800) ? (unsigned int)FUZZ_BASE_MEM : rng_range(r, 0, FUZZ_BASES - 1), &x, &s);
	} else if (op == EIE_OP_MAC) {
		struct pg_mac mac = { .half = rng_range(r, 0, 1), .wide = rng_range(r, 0, 1), .in = edge(r, p->abuf),
				      .len = rng_range(r, 1, 12), .ptr = edge(r, p->pbuf), .weights = edge(r, p->wbuf),
				      .codebook = rng_range(r, 0, 1) * 32 };

		c = pg_cmd_mac(&mac);
	} else if (op == EIE_OP_DRAIN) {
		struct pg_drain d = { .half = rng_range(r, 0, 1), .out = edge(r, p->abuf) / p->clusters * p->clusters,
				      .stride = p->clusters * rng_range(r, 1, 3), .steps = rng_range(r, 1, p->rows / 8),
				      .param = edge(r, p->rbuf), .lo = -32767, .hi = 32767 };

		c = pg_cmd_drain(&d);
	} else {
		c = sync_cmd();
	}
	return c;
}

static void strip_tokens(struct fuzz_job *j)
{
	const uint32_t flags = 1u << EIE_CMD_WAIT_PREV_SHIFT | 1u << EIE_CMD_WAIT_NEXT_SHIFT | 1u << EIE_CMD_SIGNAL_PREV_SHIFT |
			       1u << EIE_CMD_SIGNAL_NEXT_SHIFT | 1u << EIE_CMD_FENCE_SHIFT;

	for (uint32_t i = 0; i < j->n; i++)
		j->cmds[i].dw[0] &= ~flags;
}

void mutate_wild(struct fuzz_machine *m, struct fuzz_job *j, struct rng *r)
{
	unsigned int heat = rng_range(r, 0, 3);   /* few changes often: most jobs must get far */

	if (rng_permille(r, 450))
		strip_tokens(j);
	for (uint32_t k = rng_range(r, 1, 1u << heat); k; k--) {
		uint32_t at = rng_range(r, 0, j->n - 1), other = rng_range(r, 0, j->n - 1);
		struct eie_cmd *c = &j->cmds[at], was = *c;

		switch (rng_range(r, 0, 11)) {
		case 0:
			c->dw[rng_range(r, 0, 7)] ^= 1u << rng_range(r, 0, 31);
			break;
		case 1:
			*c = j->cmds[other];
			j->cmds[other] = was;
			break;
		case 2:
			insert(j, at, j->cmds[other]);
			break;
		case 3:
			if (j->n > 1)
				memmove(c, c + 1, (--j->n - at) * sizeof(*c));
			break;
		case 4:
			*c = made_up(m, j, r);
			break;
		case 5:
			insert(j, at, made_up(m, j, r));
			break;
		case 6:
			c->dw[0] ^= 1u << rng_range(r, EIE_CMD_WAIT_PREV_SHIFT, EIE_CMD_FENCE_SHIFT);
			break;
		case 7:
			j->mem[rng_range(r, 0, (uint32_t)m->mem_bytes - 1)] = (uint8_t)(rng_next(r) >> 40);
			break;
		default:
			move_cmd(m, j, c, r);
			break;
		}
	}
}
