// SPDX-License-Identifier: GPL-2.0 OR MIT
#include "fixture.h"

#include <stdio.h>
#include <stdlib.h>

#define PAGE 4096u
#define PATIENCE 4000000u   /* cycles for a job: a sweep of the largest configuration's tags included */

const char *fixture_config = "2x2";

void fixture_args(int argc, char **argv)
{
	if (argc > 1)
		fixture_config = argv[1];
	cmocka_set_message_output(CM_OUTPUT_TAP);
}

/* 0 for 2x2, 1 for 2x2 on another bus, 2 for 8x8 of any kind, 3 for 16x16 */
static unsigned int config_class(void)
{
	if (!strncmp(fixture_config, "2x2", 3))
		return strcmp(fixture_config, "2x2") != 0;
	return strncmp(fixture_config, "16x16", 5) ? 2 : 3;
}

unsigned int fixture_step(unsigned int small, unsigned int large)
{
	const unsigned int step[] = { small, 3 * small, large, 3 * large };

	return step[config_class()];
}

unsigned int fixture_jobs(unsigned int small, unsigned int large)
{
	const unsigned int jobs[] = { small, small / 3, large, large / 3 };

	return jobs[config_class()];
}

static const struct fixture_spec *shared_spec;
static struct fixture **shared;

void fixture_share(const struct fixture_spec *spec, struct fixture **f)
{
	shared_spec = spec;
	shared = f;
}

int fixture_begin(void **state)
{
	(void)state;
	*shared = fixture_open(&shared_spec->bus, shared_spec->ram_size, shared_spec->sq_log2, shared_spec->cq_log2);
	return 0;
}

int fixture_end(void **state)
{
	(void)state;
	fixture_close(*shared);
	return 0;
}

int fixture_each(void **state)
{
	(void)state;
	fixture_reset(*shared);
	return 0;
}

struct fixture *fixture_open(const struct eie_sim_params *bus, size_t ram_size, unsigned int sq_log2, unsigned int cq_log2)
{
	struct eie_sim_params params = *bus;
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	params.config = fixture_config;
	assert_int_equal(board_open(&f->b, &params, ram_size, sq_log2, cq_log2), 0);
	assert_int_equal(eie_ref_new(&f->b.params, &f->ref), 0);
	f->before = malloc(ram_size);
	f->after = malloc(ram_size);
	assert_true(f->before && f->after);
	f->ram_size = ram_size;
	f->mark = (f->b.used + PAGE - 1) / PAGE * PAGE;   /* rings and processes share no page */
	f->b.used = f->mark;
	f->rng = rng_seed(params.seed);
	return f;
}

void fixture_close(struct fixture *f)
{
	board_close(&f->b);
	eie_ref_free(f->ref);
	free(f->before);
	free(f->after);
	free(f);
}

void fixture_reset(struct fixture *f)
{
	f->b.used = f->mark;
	f->b.bad_lo = f->b.bad_hi = 0;
	f->b.bad_reads = f->b.bad_writes = false;
	reg_write(f, EIE_REG_TLB_INV, 1u << EIE_TLB_INV_ALL_SHIFT);
	reg_await(f, EIE_REG_INV_STATUS, 1, 1);
}

/* ---- registers */

uint32_t reg_read(struct fixture *f, uint32_t offset)
{
	return eie_sim_read32(f->b.sim, offset);
}

void reg_write(struct fixture *f, uint32_t offset, uint32_t value)
{
	eie_sim_write32(f->b.sim, offset, value);
}

void reg_await(struct fixture *f, uint32_t offset, uint32_t mask, uint32_t value)
{
	for (unsigned int i = 0; i < PATIENCE / 16; i++) {
		if ((reg_read(f, offset) & mask) == value)
			return;
		eie_sim_run(f->b.sim, 16);
	}
	fail_msg("register 0x%x: 0x%x, bits 0x%x never 0x%x", offset, reg_read(f, offset), mask, value);
}

void fixture_recover(struct fixture *f)
{
	reg_write(f, EIE_REG_CTRL, 1u << EIE_CTRL_RESET_SHIFT);
	reg_await(f, EIE_REG_CTRL, 1u << EIE_CTRL_RESET_SHIFT, 0);
	board_start_queue(&f->b);
}

/* ---- processes */

static uint64_t alloc_mapped(struct process *p, uint64_t va, size_t size, unsigned int perm)
{
	uint64_t bus = board_alloc(&p->f->b, size, PAGE);

	space_map(&p->s, va, bus, size, perm, false);
	return bus;
}

struct process process_new(struct fixture *f)
{
	struct process p = { .f = f, .s = space_new(&f->b, ++f->asid) };

	p.bus_cmds = alloc_mapped(&p, VA_CMDS, CMDS_BYTES, EIE_PTE_R);
	p.cmds = board_at(&f->b, p.bus_cmds);
	p.restore = board_at(&f->b, alloc_mapped(&p, VA_RESTORE, CMDS_BYTES, EIE_PTE_R));
	p.bus_bases = alloc_mapped(&p, VA_BASES, PAGE, EIE_PTE_R);
	p.bases = board_at(&f->b, p.bus_bases);
	p.bus_in = alloc_mapped(&p, VA_IN, IN_BYTES, EIE_PTE_R);
	p.in = board_at(&f->b, p.bus_in);
	p.bus_out = alloc_mapped(&p, VA_OUT, OUT_BYTES, EIE_PTE_R | EIE_PTE_W);
	p.out = board_at(&f->b, p.bus_out);
	process_fill(&p);
	process_cmds(&p);
	return p;
}

/* A column in one cluster: one to three entries whose rows stay below 16. Returns the bytes used. */
static uint32_t fill_column(struct rng *r, uint8_t *bytes)
{
	uint32_t n = rng_range(r, 1, 3);

	for (uint32_t i = 0; i < n; i++)
		bytes[i] = (uint8_t)(rng_range(r, 1, 15) | rng_range(r, 0, 4) << 4);
	return n;
}

void process_fill(struct process *p)
{
	uint32_t clusters = p->f->b.params.clusters;
	struct rng *r = &p->f->rng;

	p->x = 0;
	p->codebook = p->x + X_LEN;
	p->ptrs = p->codebook + 2;
	p->weights = p->ptrs + PTR_LEN * clusters;
	p->params = p->weights + WEIGHT_LEN * clusters;
	memset(p->in, 0, IN_BYTES);
	memset(p->out, 0, OUT_BYTES);
	for (uint32_t i = 0; i < (X_LEN + 2) * EIE_GRANULE_VALUES; i++) {
		int16_t v = (int16_t)(1 + (rng_next(r) >> 50));   /* never zero: every column is used */

		memcpy(p->in + 2 * i, &v, 2);
	}
	for (uint32_t c = 0; c < clusters; c++) {
		uint8_t *w = p->in + (p->weights + c * WEIGHT_LEN) * 16;
		uint32_t *ptr = (uint32_t *)(p->in + (p->ptrs + c * PTR_LEN) * 16);

		for (uint32_t col = 0, at = 0; col < X_LEN * EIE_GRANULE_VALUES; col++) {
			uint32_t n = fill_column(r, w + at);

			ptr[col] = at | n << EIE_PTR_START_BITS;
			at += n;
		}
		for (uint32_t row = 0; row < STEPS * EIE_GRANULE_VALUES; row++) {
			uint64_t bias = rng_next(r) & 0xffff, m = rng_range(r, 1, 0xffff), s = rng_range(r, 28, 36);
			uint64_t v = bias | m << 32 | s << 48;

			memcpy(p->in + (p->params + c * PARAM_LEN) * 16 + row * 8, &v, 8);
		}
	}
}

void process_cmds(struct process *p)
{
	struct fixture *f = p->f;
	uint32_t clusters = f->b.params.clusters;
	const struct pg_mac mac = { .in = 0, .len = X_LEN };
	const struct pg_drain drain = { .out = OUT_AT, .stride = clusters, .steps = STEPS, .lo = -32767, .hi = 32767 };
	struct eie_cmd *c = p->cmds;

	memset(c, 0, CMDS_BYTES);
	memset(p->restore, 0, CMDS_BYTES);
	c[C_X] = load1(0, EIE_BUF_ABUF, p->x, 0, X_LEN);
	c[C_CODEBOOK] = load1(0, EIE_BUF_CBUF, p->codebook, 0, 2);
	c[C_PTRS] = loadk(f, 0, EIE_BUF_PBUF, p->ptrs, 0, PTR_LEN);
	c[C_WEIGHTS] = loadk(f, 0, EIE_BUF_WBUF, p->weights, 0, WEIGHT_LEN);
	c[C_PARAMS] = loadk(f, 0, EIE_BUF_RBUF, p->params, 0, PARAM_LEN);
	PG_SET(&c[C_PARAMS], SIGNAL_NEXT, 1);
	c[C_MAC] = pg_cmd_mac(&mac);
	PG_SET(&c[C_MAC], WAIT_PREV, 1);
	c[C_DRAIN] = pg_cmd_drain(&drain);
	PG_SET(&c[C_DRAIN], SIGNAL_NEXT, 1);
	c[C_STORE] = store1(1, 0, OUT_AT, STEPS * clusters);
	PG_SET(&c[C_STORE], WAIT_PREV, 1);

	memset(p->bases, 0, PAGE);
	p->bases[0] = VA_IN;
	p->bases[1] = VA_OUT;
	p->desc = (struct eie_desc){ .fence = rng_next(&f->rng), .root = p->s.root, .asid = p->s.asid, .nbases = 2,
				     .bases = VA_BASES, .cmds = VA_CMDS, .restore = VA_RESTORE, .ncmds = C_COUNT };
}

void process_busy(struct process *p)
{
	struct eie_cmd *c = p->cmds + C_COUNT;
	uint32_t result = STEPS * p->f->b.params.clusters;

	for (unsigned int i = 0; i < 6; i++) {
		*c++ = load1(0, EIE_BUF_ABUF, i * 20, 100, 200);
		*c++ = store1(1, (i + 1) * result, OUT_AT, result);
	}
	p->desc.ncmds = C_COUNT + 12;
}

/* ---- the interpreter's memory: the board's, through a walk of its own */

struct view {
	struct fixture *f;
	uint64_t root;
};

static bool bus_ok(const struct board *b, uint64_t bus, size_t len, bool write)
{
	if (bus < BOARD_RAM_BASE || bus + len > BOARD_RAM_BASE + b->ram_size)
		return false;
	return !((write ? b->bad_writes : b->bad_reads) && bus < b->bad_hi && bus + len > b->bad_lo);
}

static uint32_t walk(const struct view *v, uint64_t va, bool write, uint64_t *bus)
{
	uint64_t table = v->root;
	int64_t high = (int64_t)va >> (EIE_VA_BITS - 1);

	if (high != 0 && high != -1)
		return EIE_STATUS_PAGE_FAULT;
	for (int level = 2; level >= 0; level--) {
		uint64_t at = table + (va >> (12 + 9 * level) & 511) * 8, pte, ppn;

		if (!bus_ok(&v->f->b, at & ~15ull, 16, false))
			return EIE_STATUS_BUS_ERROR;
		pte = *(uint64_t *)board_at(&v->f->b, at);
		ppn = pte << 10 >> (10 + EIE_PTE_PPN_LSB);
		if (!(pte & EIE_PTE_V) || pte >> 54 || (pte & (EIE_PTE_R | EIE_PTE_W)) == EIE_PTE_W)
			return EIE_STATUS_PAGE_FAULT;
		if (!(pte & EIE_PTE_R)) {
			table = ppn << 12;
			continue;
		}
		if (level == 2 || (level == 1 && ppn & 511) || (write && !(pte & EIE_PTE_W)))
			return EIE_STATUS_PAGE_FAULT;
		*bus = (ppn << 12) + (va & ((1ull << (12 + 9 * level)) - 1));
		return EIE_STATUS_OK;
	}
	return EIE_STATUS_PAGE_FAULT;
}

static uint32_t view_at(const struct view *v, uint64_t va, size_t len, bool write, uint8_t **p)
{
	uint64_t bus = 0;
	uint32_t status = walk(v, va, write, &bus);

	if (!status && !bus_ok(&v->f->b, bus, len, write))
		status = EIE_STATUS_BUS_ERROR;
	if (!status)
		*p = board_at(&v->f->b, bus);
	return status;
}

static uint32_t view_read(void *ctx, uint64_t va, void *buf, size_t len)
{
	uint8_t *p = NULL;
	uint32_t status = view_at(ctx, va, len, false, &p);

	if (!status)
		memcpy(buf, p, len);
	return status;
}

static uint32_t view_write(void *ctx, uint64_t va, const void *buf, size_t len)
{
	uint8_t *p = NULL;
	uint32_t status = view_at(ctx, va, len, true, &p);

	if (!status)
		memcpy(p, buf, len);
	return status;
}

/* ---- runs */

void fixture_check(struct fixture *f, const struct eie_cpl *c)
{
	uint64_t sum = (uint64_t)c->busy + c->stall_drain + c->stall_array + c->stall_load + c->stall_store + c->stall_sync +
		       c->stall_cmd + c->stall_front + c->stall_tail;

	assert_int_equal(c->cycles, sum);
	assert_int_equal(c->cycles, c->time_end - c->time_start);
	assert_int_equal(c->sq_head >> 16, 0);
	if (c->status != EIE_STATUS_PAGE_FAULT && c->status != EIE_STATUS_BUS_ERROR)
		assert_int_equal(c->fault_addr, 0);
	assert_int_equal(eie_sim_assert_failed(f->b.sim), 0);
}

void fixture_wait_on(struct fixture *f, unsigned int q, struct eie_cpl *cpl)
{
	if (!queue_wait(&f->b, q, cpl, PATIENCE))
		fail_msg("the job of queue %u does not end", q);
	fixture_check(f, cpl);
}

void fixture_wait(struct fixture *f, struct eie_cpl *cpl)
{
	fixture_wait_on(f, 0, cpl);
}

void fixture_cycles(struct fixture *f, uint64_t cycles)
{
	while (cycles)
		cycles -= eie_sim_run(f->b.sim, cycles);
}

/* Memory outside [skip, skip + size) must be as in `want`. */
static void compare(struct fixture *f, const uint8_t *want, size_t skip, size_t size)
{
	for (size_t i = f->mark; i < f->b.used; i++) {
		if (i == skip)
			i += size;
		if (i < f->b.used && f->b.ram[i] != want[i])
			fail_msg("byte 0x%zx of memory is 0x%02x, not 0x%02x", i, f->b.ram[i], want[i]);
	}
}

void process_run(struct process *p, struct eie_cpl *cpl)
{
	struct fixture *f = p->f;
	struct view view = { f, p->desc.root };
	const struct eie_ref_mem mem = { view_read, view_write, &view };
	struct eie_cpl ref;

	memcpy(f->before, f->b.ram, f->b.used);
	eie_ref_run(f->ref, &p->desc, &mem, &ref);
	memcpy(f->after, f->b.ram, f->b.used);
	memcpy(f->b.ram, f->before, f->b.used);

	board_submit(&f->b, &p->desc);
	fixture_wait(f, cpl);
	assert_int_equal(cpl->status, ref.status);
	assert_int_equal(cpl->fence, p->desc.fence);
	assert_int_equal(cpl->restored, ref.restored);
	assert_int_equal(cpl->fault_cmd, ref.fault_cmd);
	assert_int_equal(cpl->fault_addr, ref.fault_addr);
	if (cpl->status == EIE_STATUS_OK) {
		assert_int_equal(cpl->macs, ref.macs);
		assert_int_equal(cpl->saturated, ref.saturated);
		assert_int_equal(cpl->commands, ref.commands);
		compare(f, f->after, 0, 0);
	} else {
		compare(f, f->before, p->bus_out - BOARD_RAM_BASE, OUT_BYTES);
	}
}

void process_fails(struct process *p, uint32_t status, int index, uint64_t fault_addr)
{
	struct eie_cpl cpl;

	process_run(p, &cpl);
	assert_int_equal(cpl.status, status);
	assert_int_equal(cpl.fault_addr, fault_addr);
	assert_int_equal(cpl.fault_cmd, index < 0 ? 0 : 1u << EIE_CPL_FAULT_VALID_SHIFT | (uint32_t)index);
}

void process_works(struct process *p)
{
	struct eie_cpl cpl;

	process_run(p, &cpl);
	assert_int_equal(cpl.status, EIE_STATUS_OK);
}

void process_learn(struct process *p, struct result *want)
{
	struct eie_cpl cpl;

	process_run(p, &cpl);
	assert_int_equal(cpl.status, EIE_STATUS_OK);
	memcpy(want->out, p->out, OUT_BYTES);
	memset(p->out, 0, OUT_BYTES);
	want->macs = cpl.macs;
	want->saturated = cpl.saturated;
	want->commands = cpl.commands;
	want->read_beats = cpl.read_beats;
	want->write_beats = cpl.write_beats;
}

void process_matches(struct process *p, const struct result *want, const struct eie_cpl *cpl)
{
	assert_int_equal(cpl->status, EIE_STATUS_OK);
	assert_int_equal(cpl->fence, p->desc.fence);
	assert_int_equal(cpl->macs, want->macs);
	assert_int_equal(cpl->saturated, want->saturated);
	assert_int_equal(cpl->commands, want->commands);
	assert_int_equal(cpl->read_beats, want->read_beats);
	assert_int_equal(cpl->write_beats, want->write_beats);
	assert_memory_equal(p->out, want->out, OUT_BYTES);
	memset(p->out, 0, OUT_BYTES);
}

void fixture_works(struct fixture *f)
{
	size_t used = f->b.used;
	bool bad_reads = f->b.bad_reads, bad_writes = f->b.bad_writes;
	struct process p = process_new(f);

	f->b.bad_reads = f->b.bad_writes = false;
	process_works(&p);
	f->b.bad_reads = bad_reads;
	f->b.bad_writes = bad_writes;
	f->b.used = used;
}

/* ---- commands */

struct eie_cmd load1(unsigned int base, unsigned int buf, uint32_t mem, uint32_t addr, uint32_t len)
{
	const struct pg_xfer x = { .buf = buf, .addr = addr, .len = len, .rows = 1, .mem = mem };

	return pg_cmd_load(base, &x);
}

struct eie_cmd loadk(struct fixture *f, unsigned int base, unsigned int buf, uint32_t mem, uint32_t addr, uint32_t len)
{
	const struct pg_xfer x = { .buf = buf, .addr = addr, .len = len, .rows = f->b.params.clusters, .mem = mem,
				   .mem_stride = len };

	return pg_cmd_load(base, &x);
}

struct eie_cmd store1(unsigned int base, uint32_t mem, uint32_t addr, uint32_t len)
{
	const struct pg_xfer x = { .buf = EIE_BUF_ABUF, .addr = addr, .len = len, .rows = 1, .mem = mem };

	return pg_cmd_store(base, &x);
}

struct eie_cmd sync0(void)
{
	struct eie_cmd c = { { 0 } };

	PG_SET(&c, OPCODE, EIE_OP_SYNC);
	return c;
}

uint32_t chain(struct eie_cmd *out, const struct eie_cmd *in, uint32_t n)
{
	uint32_t at = 0;

	for (uint32_t i = 0; i < n; i++) {
		unsigned int op = PG_GET(&in[i], OPCODE);

		out[at] = in[i];
		if (op == EIE_OP_LOAD || op == EIE_OP_STORE) {
			/* a SYNC around every transfer hands its tokens on to whatever comes next */
			bool load = op == EIE_OP_LOAD;
			struct eie_cmd begin = sync0(), end = sync0();

			PG_SET(&begin, FENCE, 1);
			if (load) {
				PG_SET(&begin, SIGNAL_PREV, 1);
				PG_SET(&out[at], WAIT_NEXT, 1);
				PG_SET(&out[at], SIGNAL_NEXT, 1);
				PG_SET(&end, WAIT_PREV, 1);
			} else {
				PG_SET(&begin, SIGNAL_NEXT, 1);
				PG_SET(&out[at], WAIT_PREV, 1);
				PG_SET(&out[at], SIGNAL_PREV, 1);
				PG_SET(&end, WAIT_NEXT, 1);
			}
			out[at + 1] = out[at];
			out[at] = begin;
			out[at + 2] = end;
			at += 3;
		} else {
			PG_SET(&out[at], FENCE, 1);
			at++;
		}
	}
	return at;
}
