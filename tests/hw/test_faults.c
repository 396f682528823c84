// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Every failure at run time, one at a time in a job that works without it: page faults, bus errors, unwritten granules, broken
 * streams and parameters, tokens, the cycle limit, and the errors of the device's own accesses. After every failing job that
 * very job, repaired, gives the right bytes, and so does one of another address space.
 */
#include "fixture.h"

static struct fixture *f;

static void forget(struct process *p)
{
	assert_true(board_invalidate(&f->b, p->s.asid));
}

static void recovers(struct process *p)
{
	process_cmds(p);
	forget(p);
	process_works(p);
	fixture_works(f);
}

/* ---- page faults */

/* Spoils the entry of va on the level in every way that there is; the job must fail at fault_addr. */
static void spoil_entry(struct process *p, uint64_t *entry, int level, bool stored, int index, uint64_t fault_addr)
{
	const uint64_t good = *entry;
	const struct {
		uint64_t value;
		bool fails;
	} ways[] = {
		{ 0, true },
		{ good & ~(uint64_t)EIE_PTE_V, true },
		{ good | 1ull << 54, true },
		{ good | 1ull << 61, true },
		{ good | 1ull << 63, true },
		{ (good | EIE_PTE_W) & ~(uint64_t)EIE_PTE_R, true },
		/* no R: a table on the last level; no R nor W likewise */
		{ good & ~(uint64_t)(EIE_PTE_R | EIE_PTE_W), level == 0 },
		{ good & ~(uint64_t)EIE_PTE_W, level == 0 && stored },
		/* a leaf of 1 GiB; a leaf of 2 MiB that is not aligned */
		{ level ? good | EIE_PTE_R | 1ull << EIE_PTE_PPN_LSB : 0, true },
		/* U, X, G, A, D and the two bits of software do not matter */
		{ good | 0x3f8, false },
	};

	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
		*entry = ways[i].value;
		forget(p);
		if (ways[i].fails)
			process_fails(p, EIE_STATUS_PAGE_FAULT, index, fault_addr);
		else
			process_works(p);
		*entry = good;
		forget(p);
		process_works(p);
	}
	fixture_works(f);
}

/* The three entries on the way to va. */
static uint64_t *entry_at(struct process *p, uint64_t va, int level)
{
	uint64_t table = p->s.root;
	uint64_t *e;

	for (int l = 2;; l--) {
		e = (uint64_t *)board_at(&f->b, table) + (va >> (12 + 9 * l) & 511);
		if (l == level)
			return e;
		table = *e >> EIE_PTE_PPN_LSB << 12;
	}
}

static void test_command_pages(void **state)
{
	struct process p = process_new(f);

	(void)state;
	/* level 2 and 1 also lead to the base table, which is read first */
	spoil_entry(&p, entry_at(&p, VA_CMDS, 0), 0, false, -1, VA_CMDS);
}

static void test_base_pages(void **state)
{
	struct process p = process_new(f);

	(void)state;
	for (int level = 0; level < 3; level++)
		spoil_entry(&p, entry_at(&p, VA_BASES, level), level, false, -1, VA_BASES);
}

static void test_load_pages(void **state)
{
	struct process p = process_new(f);

	(void)state;
	for (int level = 0; level < 3; level++)
		spoil_entry(&p, entry_at(&p, VA_IN, level), level, false, C_X, VA_IN);
}

static void test_store_pages(void **state)
{
	struct process p = process_new(f);

	(void)state;
	spoil_entry(&p, entry_at(&p, VA_OUT, 0), 0, true, C_STORE, VA_OUT);
}

static void test_store_tables(void **state)
{
	struct process p = process_new(f);
	const uint64_t far = 0x80000000ull;   /* tables of its own on every level */

	(void)state;
	space_map(&p.s, far, p.bus_out, OUT_BYTES, EIE_PTE_R | EIE_PTE_W, false);
	p.bases[1] = far;
	for (int level = 0; level < 3; level++)
		spoil_entry(&p, entry_at(&p, far, level), level, true, C_STORE, far);
}

static void test_restore_page(void **state)
{
	struct process p = process_new(f);
	uint64_t *e = entry_at(&p, VA_RESTORE, 0);
	const uint64_t good = *e;

	(void)state;
	memcpy(p.restore, p.cmds, C_COUNT * sizeof(*p.cmds));
	p.desc.nrestore = C_COUNT;
	*e = 0;
	process_fails(&p, EIE_STATUS_PAGE_FAULT, -1, VA_RESTORE);
	*e = good;
	recovers(&p);
}

/* Addresses whose upper bits are not bit 38's. */
static void test_not_canonical(void **state)
{
	static const uint64_t flips[] = { 1ull << 63, 1ull << 39, 1ull << 56, 1ull << 38, ~0ull << 39 };
	struct process p = process_new(f);

	(void)state;
	for (size_t i = 0; i < sizeof(flips) / sizeof(flips[0]); i++) {
		p.bases[0] = VA_IN ^ flips[i];
		process_fails(&p, EIE_STATUS_PAGE_FAULT, C_X, VA_IN ^ flips[i]);
		process_cmds(&p);
		p.bases[1] = VA_OUT ^ flips[i];
		process_fails(&p, EIE_STATUS_PAGE_FAULT, C_STORE, VA_OUT ^ flips[i]);
		process_cmds(&p);
		p.desc.cmds ^= flips[i];
		process_fails(&p, EIE_STATUS_PAGE_FAULT, -1, VA_CMDS ^ flips[i]);
		process_cmds(&p);
		p.desc.bases ^= flips[i];
		process_fails(&p, EIE_STATUS_PAGE_FAULT, -1, VA_BASES ^ flips[i]);
		recovers(&p);
	}
}

/* The upper half of the address space is as good as the lower. */
static void test_negative_addresses(void **state)
{
	struct process p = process_new(f);
	const uint64_t top = 0ull - IN_BYTES;

	(void)state;
	space_map(&p.s, top, p.bus_in, IN_BYTES, EIE_PTE_R, false);
	p.bases[0] = top;
	process_works(&p);
	/* base + offset wraps to page 0, which is not there */
	p.bases[0] = 0ull - 16;
	process_fails(&p, EIE_STATUS_PAGE_FAULT, C_X, 0);
	recovers(&p);
}

/* In the middle of a transfer: the address of the burst, not of the transfer. */
static void test_second_page(void **state)
{
	struct process p = process_new(f);
	uint64_t *second = space_entry(&p.s, VA_IN + 4096), was = *second;

	(void)state;
	*second = 0;
	p.bases[0] = VA_IN + 4096 - 16;
	process_fails(&p, EIE_STATUS_PAGE_FAULT, C_X, VA_IN + 4096);
	*second = was;   /* with many clusters the input of the job reaches it */
	*space_entry(&p.s, VA_OUT + 4096) = 0;
	process_cmds(&p);
	p.bases[1] = VA_OUT + 4096 - 32;
	process_fails(&p, EIE_STATUS_PAGE_FAULT, C_STORE, VA_OUT + 4096);
	recovers(&p);
}

/* ---- bus errors */

static void spoil_bus(uint64_t lo, size_t size, bool reads, bool writes)
{
	f->b.bad_lo = lo;
	f->b.bad_hi = lo + size;
	f->b.bad_reads = reads;
	f->b.bad_writes = writes;
}

static void bus_fails(struct process *p, uint64_t bus, bool write, int index, uint64_t fault_addr)
{
	forget(p);
	spoil_bus(bus, 16, !write, write);
	process_fails(p, EIE_STATUS_BUS_ERROR, index, fault_addr);
	spoil_bus(0, 0, false, false);
	recovers(p);
}

static uint64_t bus_of(struct process *p, const void *at)
{
	(void)p;
	return BOARD_RAM_BASE + (uint64_t)((const uint8_t *)at - f->b.ram);
}

static void test_bus_tables(void **state)
{
	struct process p = process_new(f);

	(void)state;
	for (int level = 0; level < 3; level++) {
		bus_fails(&p, bus_of(&p, entry_at(&p, VA_BASES, level)) & ~15ull, false, -1, VA_BASES);
		bus_fails(&p, bus_of(&p, entry_at(&p, VA_IN, level)) & ~15ull, false, level == 2 ? -1 : C_X,
			  level == 2 ? VA_BASES : VA_IN);
	}
}

static void test_bus_missing_memory(void **state)
{
	struct process p = process_new(f);
	uint64_t *e = space_entry(&p.s, VA_IN);
	const uint64_t good = *e;

	(void)state;
	*e = (good & 0x3ff) | ((1ull << EIE_PTE_PPN_BITS) - 1) << EIE_PTE_PPN_LSB;   /* the last page of 2^56 */
	process_fails(&p, EIE_STATUS_BUS_ERROR, C_X, VA_IN);
	*e = good;
	e = entry_at(&p, VA_IN, 1);
	*e |= 1ull << 50;   /* a table there */
	forget(&p);
	process_fails(&p, EIE_STATUS_BUS_ERROR, C_X, VA_IN);
	*e &= ~(1ull << 50);
	p.desc.root = 1ull << 40;
	forget(&p);
	process_fails(&p, EIE_STATUS_BUS_ERROR, -1, VA_BASES);
	recovers(&p);
}

static void test_bus_transfers(void **state)
{
	struct process p = process_new(f);

	(void)state;
	bus_fails(&p, p.bus_bases, false, -1, VA_BASES);
	bus_fails(&p, p.bus_cmds, false, -1, VA_CMDS);
	bus_fails(&p, p.bus_in, false, C_X, VA_IN);
	bus_fails(&p, p.bus_in + p.weights * 16, false, C_WEIGHTS, VA_IN + p.weights * 16);
	bus_fails(&p, p.bus_out, true, C_STORE, VA_OUT);
	bus_fails(&p, p.bus_out + (STEPS * f->b.params.clusters - 1) * 16, true, C_STORE,
		  VA_OUT + (STEPS * f->b.params.clusters - 1) / EIE_MAX_BURST * EIE_MAX_BURST * 16);
}

/* The queue's own access to its rings fails: it stops. How: 0 CTRL.RESET, 1 Q_CTRL.RESET, 2 Q_CTRL.ENABLE again. */
static void stops(struct process *p, uint32_t cause, uint64_t addr, unsigned int how)
{
	const uint32_t stopped = cause << EIE_Q_STATUS_CAUSE_SHIFT | 1u << EIE_Q_STATUS_ERROR_SHIFT;
	unsigned int faults = f->b.faults, irqs = f->b.q[0].irqs;
	uint32_t heads;

	reg_write(f, EIE_REG_IRQ_STATUS, ~0u);
	board_submit(&f->b, &p->desc);
	reg_await(f, queue_reg(0, EIE_REG_Q_STATUS), ~0u, stopped);
	assert_int_equal(f->b.faults, faults + 1);
	assert_int_equal(f->b.q[0].irqs, irqs);
	assert_int_equal(reg_read(f, EIE_REG_STATUS), 0);
	assert_int_equal(reg_read(f, queue_reg(0, EIE_REG_Q_FAULT_ADDR_LO)), (uint32_t)addr);
	assert_int_equal(reg_read(f, queue_reg(0, EIE_REG_Q_FAULT_ADDR_HI)), addr >> 32);
	assert_int_equal(reg_read(f, EIE_REG_IRQ_STATUS), 1u << EIE_IRQ_STATUS_FAULT_SHIFT);

	/* another doorbell does not wake it */
	spoil_bus(0, 0, false, false);
	heads = reg_read(f, queue_reg(0, EIE_REG_Q_HEADS));
	board_submit(&f->b, &p->desc);
	eie_sim_run(f->b.sim, 2000);
	assert_int_equal(reg_read(f, EIE_REG_STATUS), 0);
	assert_int_equal(reg_read(f, queue_reg(0, EIE_REG_Q_STATUS)), stopped);
	assert_int_equal(reg_read(f, queue_reg(0, EIE_REG_Q_HEADS)), heads);
	if (how == 0) {
		fixture_recover(f);
	} else {
		if (how == 1)
			reg_write(f, queue_reg(0, EIE_REG_Q_CTRL), 1u << EIE_Q_CTRL_RESET_SHIFT);
		board_start_queue(&f->b);
	}
	assert_int_equal(reg_read(f, queue_reg(0, EIE_REG_Q_STATUS)), 0);
	assert_int_equal(reg_read(f, queue_reg(0, EIE_REG_Q_FAULT_ADDR_LO)), 0);
	assert_int_equal(reg_read(f, queue_reg(0, EIE_REG_Q_FAULT_ADDR_HI)), 0);
	assert_int_equal(eie_sim_assert_failed(f->b.sim), 0);
	recovers(p);
}

static void test_descriptor_error(void **state)
{
	struct process p = process_new(f);

	(void)state;
	for (unsigned int beat = 0; beat < EIE_DESC_BYTES; beat += 16) {
		uint64_t at = f->b.q[0].sq + (uint64_t)EIE_DESC_BYTES * (f->b.q[0].tail & ((1u << f->b.q[0].sq_log2) - 1));

		spoil_bus(at + beat, 16, true, false);
		stops(&p, EIE_HALT_DESC_READ, at, beat / 16 % 3);
	}
}

static void test_completion_error(void **state)
{
	struct process p = process_new(f);

	(void)state;
	for (unsigned int how = 0; how < 3; how++) {
		uint64_t at = f->b.q[0].cq + (uint64_t)EIE_CPL_BYTES * (f->b.q[0].cq_head & ((1u << f->b.q[0].cq_log2) - 1));

		spoil_bus(at, EIE_CPL_BYTES, false, true);
		stops(&p, EIE_HALT_CPL_WRITE, at, how);
	}
}

/* ---- unwritten granules: a command left out */

static void leave_out(unsigned int cmd, int index)
{
	struct process p = process_new(f);

	/* the address space is new, so nothing of it is on chip; a SYNC keeps the tokens */
	p.cmds[cmd] = sync0();
	if (cmd == C_PARAMS) {
		p.cmds[cmd] = load1(0, EIE_BUF_ABUF, p.x, 0, 1);
		PG_SET(&p.cmds[cmd], SIGNAL_NEXT, 1);
	}
	process_fails(&p, EIE_STATUS_UNWRITTEN, index, 0);
	process_cmds(&p);
	process_works(&p);
	/* now the same granules are written in this address space */
	p.cmds[cmd] = sync0();
	if (cmd == C_PARAMS) {
		p.cmds[cmd] = load1(0, EIE_BUF_ABUF, p.x, 0, 1);
		PG_SET(&p.cmds[cmd], SIGNAL_NEXT, 1);
	}
	process_works(&p);
	fixture_works(f);
}

static void test_unwritten_abuf(void **state)
{
	(void)state;
	leave_out(C_X, C_MAC);
}

static void test_unwritten_cbuf(void **state)
{
	(void)state;
	leave_out(C_CODEBOOK, C_MAC);
}

static void test_unwritten_pbuf(void **state)
{
	(void)state;
	leave_out(C_PTRS, C_MAC);
}

static void test_unwritten_wbuf(void **state)
{
	(void)state;
	leave_out(C_WEIGHTS, C_MAC);
}

static void test_unwritten_rbuf(void **state)
{
	(void)state;
	leave_out(C_PARAMS, C_DRAIN);
}

/* One granule short: the last one of every buffer, in the last cluster. */
static void test_unwritten_last(void **state)
{
	static const struct {
		unsigned int load, at;
	} ways[] = { { C_X, C_MAC }, { C_CODEBOOK, C_MAC }, { C_PTRS, C_MAC }, { C_PARAMS, C_DRAIN } };

	(void)state;
	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
		struct process p = process_new(f);
		struct eie_cmd *c = &p.cmds[ways[i].load];

		PG_SET(c, XFER_LEN, PG_GET(c, XFER_LEN) - 1);
		process_fails(&p, EIE_STATUS_UNWRITTEN, (int)ways[i].at, 0);
		recovers(&p);
	}
	for (size_t i = 2; i < sizeof(ways) / sizeof(ways[0]); i++) {
		struct process p = process_new(f);
		struct eie_cmd *c = &p.cmds[ways[i].load];

		PG_SET(c, XFER_ROWS, PG_GET(c, XFER_ROWS) - 1);
		process_fails(&p, EIE_STATUS_UNWRITTEN, (int)ways[i].at, 0);
		recovers(&p);
	}
}

static void test_unwritten_store(void **state)
{
	struct process p = process_new(f);

	(void)state;
	PG_SET(&p.cmds[C_STORE], XFER_LEN, STEPS * f->b.params.clusters + 1);
	process_fails(&p, EIE_STATUS_UNWRITTEN, C_STORE, 0);
	recovers(&p);
	p = process_new(f);
	p.cmds[0] = store1(1, 0, f->b.params.abuf - 1, 1);
	p.desc.ncmds = 1;
	process_fails(&p, EIE_STATUS_UNWRITTEN, 0, 0);
	recovers(&p);
}

/* A wide codebook needs all its 32 granules, used or not. */
static void test_unwritten_wide_codebook(void **state)
{
	struct process p = process_new(f);

	(void)state;
	PG_SET(&p.cmds[C_MAC], MAC_WIDE, 1);
	PG_SET(&p.cmds[C_CODEBOOK], XFER_LEN, 31);
	process_fails(&p, EIE_STATUS_UNWRITTEN, C_MAC, 0);
	recovers(&p);
}

/* Pointers and weights of zero activations are not read. */
static void test_zeros_read_nothing(void **state)
{
	struct process p = process_new(f);

	(void)state;
	memset(p.in, 0, X_LEN * 16);
	p.cmds[C_PTRS] = load1(0, EIE_BUF_ABUF, p.x, 0, 1);
	p.cmds[C_WEIGHTS] = p.cmds[C_PTRS];
	process_works(&p);
}

/* ---- streams and parameters */

static void poke_ptr(struct process *p, uint32_t cluster, uint32_t column, uint32_t start, uint32_t len)
{
	uint32_t v = start | len << EIE_PTR_START_BITS;

	memcpy(p->in + (p->ptrs + cluster * PTR_LEN) * 16 + column * 4, &v, 4);
}

static uint8_t *weights_of(struct process *p, uint32_t cluster)
{
	return p->in + (p->weights + cluster * WEIGHT_LEN) * 16;
}

static void bad_stream(struct process *p)
{
	process_fails(p, EIE_STATUS_BAD_STREAM, C_MAC, 0);
	process_fill(p);
	recovers(p);
}

static void test_stream_ends_in_escape(void **state)
{
	struct process p = process_new(f);

	(void)state;
	for (uint32_t column = 0; column < 16; column += 5) {
		poke_ptr(&p, 1, column, 60, 1);
		weights_of(&p, 1)[60] = 0;
		bad_stream(&p);
		poke_ptr(&p, 0, column, 60, 3);
		memcpy(weights_of(&p, 0) + 60, "\x11\x10\x00", 3);
		bad_stream(&p);
	}
}

static void test_stream_leaves_rows(void **state)
{
	struct process p = process_new(f);
	uint32_t escapes = f->b.params.rows / EIE_NARROW_SPAN;
	uint8_t *w = weights_of(&p, 0);

	(void)state;
	/* rows / 16 escapes of one span each, then an entry: exactly the first row that is not there */
	if (escapes + 1 <= WEIGHT_LEN * 16) {
		poke_ptr(&p, 0, 3, 0, escapes + 1);
		memset(w, 0, WEIGHT_LEN * 16);
		w[escapes] = 1;
		for (uint32_t column = 0; column < 16; column++)
			if (column != 3)
				poke_ptr(&p, 0, column, 0, 0);
		bad_stream(&p);
		/* the last row is there: skip 15 after one escape less */
		poke_ptr(&p, 0, 3, 0, escapes);
		memset(w, 0, WEIGHT_LEN * 16);
		w[escapes - 1] = 0xf1;
		for (uint32_t column = 0; column < 16; column++)
			if (column != 3)
				poke_ptr(&p, 0, column, 0, 0);
		process_works(&p);
		process_fill(&p);
	}
	/* a row counter must not wrap on a long way of escapes */
	memset(w, 0xf0, WEIGHT_LEN * 16);
	w[63] = 0x01;
	poke_ptr(&p, 0, 0, 0, 64);
	for (uint32_t column = 1; column < 16; column++)
		poke_ptr(&p, 0, column, 0, 0);
	bad_stream(&p);
}

static void test_stream_leaves_buffer(void **state)
{
	struct process p = process_new(f);
	uint32_t bytes = f->b.params.wbuf * 16;

	(void)state;
	poke_ptr(&p, 0, 7, bytes - 1, 2);
	if (bytes <= 1u << EIE_PTR_START_BITS)
		bad_stream(&p);
	poke_ptr(&p, 1, 15, (1u << EIE_PTR_START_BITS) - 1, (1u << EIE_PTR_LEN_BITS) - 1);
	PG_SET(&p.cmds[C_MAC], MAC_WEIGHTS, f->b.params.wbuf - 1);
	PG_SET(&p.cmds[C_WEIGHTS], XFER_ADDR, f->b.params.wbuf - WEIGHT_LEN);
	for (uint32_t c = 0; c < f->b.params.clusters; c++)
		for (uint32_t column = 0; column < 15; column++)
			poke_ptr(&p, c, column, 0, 0);
	bad_stream(&p);
	/* an empty column may point anywhere */
	poke_ptr(&p, 1, 15, (1u << EIE_PTR_START_BITS) - 1, 0);
	process_works(&p);
}

static void test_parameters(void **state)
{
	static const struct {
		unsigned int byte, value;
	} ways[] = { { 6, 0 }, { 6, 48 }, { 6, 64 }, { 6, 255 }, { 7, 1 }, { 7, 128 } };
	struct process p = process_new(f);

	(void)state;
	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++)
		for (uint32_t row = 0; row < STEPS * EIE_GRANULE_VALUES; row += 5) {
			uint32_t cluster = row % f->b.params.clusters;

			p.in[(p.params + cluster * PARAM_LEN) * 16 + row * 8 + ways[i].byte] = (uint8_t)ways[i].value;
			process_fails(&p, EIE_STATUS_BAD_PARAM, C_DRAIN, 0);
			process_fill(&p);
			process_works(&p);
		}
	recovers(&p);
}

static void test_parameter_limits(void **state)
{
	struct process p = process_new(f);

	(void)state;
	for (uint32_t row = 0; row < STEPS * EIE_GRANULE_VALUES; row++)
		p.in[p.params * 16 + row * 8 + 6] = row % 2 ? 1 : EIE_SHIFT_MAX;
	process_works(&p);
}

/* ---- tokens */

static void overflow(struct eie_cmd c, unsigned int shift)
{
	struct process p = process_new(f);

	c.dw[0] |= 1u << shift;
	/* the stores need a granule */
	p.cmds[0] = load1(0, EIE_BUF_ABUF, p.x, 0, 1);
	PG_SET(&p.cmds[0], SIGNAL_NEXT, 1);
	p.cmds[1] = sync0();
	PG_SET(&p.cmds[1], WAIT_PREV, 1);
	PG_SET(&p.cmds[1], SIGNAL_NEXT, 1);
	p.cmds[2] = store1(1, 0, 0, 1);
	PG_SET(&p.cmds[2], WAIT_PREV, 1);
	for (unsigned int i = 0; i <= EIE_TOKENS_MAX; i++)
		p.cmds[3 + i] = c;
	p.desc.ncmds = 3 + EIE_TOKENS_MAX;
	process_works(&p);
	p.desc.ncmds++;
	process_fails(&p, EIE_STATUS_TOKEN_OVERFLOW, 3 + EIE_TOKENS_MAX, 0);
	recovers(&p);
}

static void test_tokens(void **state)
{
	(void)state;
	overflow(load1(0, EIE_BUF_ABUF, 0, 4, 1), EIE_CMD_SIGNAL_NEXT_SHIFT);
	overflow(sync0(), EIE_CMD_SIGNAL_PREV_SHIFT);
	overflow(sync0(), EIE_CMD_SIGNAL_NEXT_SHIFT);
	overflow(store1(1, 0, 0, 1), EIE_CMD_SIGNAL_PREV_SHIFT);
}

/* ---- time */

static void test_cycle_limit(void **state)
{
	struct process p = process_new(f);
	struct eie_cpl cpl;
	uint32_t cycles;

	(void)state;
	process_works(&p);
	process_run(&p, &cpl);   /* translations are there now */
	cycles = cpl.cycles;
	process_run(&p, &cpl);
	assert_int_equal(cpl.cycles, cycles);
	p.desc.cycle_limit = cycles;
	process_works(&p);

	/* below: as it would have ended, in the middle, at once */
	for (unsigned int i = 0; i < 4; i++) {
		uint32_t limit = i == 0 ? cycles - 1 : i == 1 ? cycles / 2 : i == 2 ? 2 : 1;

		p.desc.cycle_limit = limit;
		board_submit(&f->b, &p.desc);
		fixture_wait(f, &cpl);
		assert_int_equal(cpl.status, EIE_STATUS_TIMEOUT);
		assert_int_equal(cpl.fault_cmd, 0);
		assert_true(cpl.cycles > limit);
		recovers(&p);
	}
}

/* A wait that nothing meets: only the limit ends it, or an abort. */
static void test_endless_wait(void **state)
{
	static const unsigned int bits[] = { EIE_CMD_WAIT_PREV_SHIFT, EIE_CMD_WAIT_NEXT_SHIFT };
	struct process p = process_new(f);
	struct eie_cpl cpl;

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		p.cmds[0] = sync0();
		p.cmds[0].dw[0] |= 1u << bits[i];
		p.desc.ncmds = 1;
		p.desc.cycle_limit = 3000;
		process_fails(&p, EIE_STATUS_TIMEOUT, -1, 0);
		p.desc.cycle_limit = 0;
		board_submit(&f->b, &p.desc);
		eie_sim_run(f->b.sim, 5000);
		assert_int_equal(reg_read(f, EIE_REG_STATUS) & 1, 1);
		reg_write(f, EIE_REG_CTRL, 1u << EIE_CTRL_ABORT_SHIFT | 1u << EIE_CTRL_ENABLE_SHIFT);
		fixture_wait(f, &cpl);
		assert_int_equal(cpl.status, EIE_STATUS_ABORTED);
		assert_int_equal(cpl.fault_cmd, 0);
		reg_write(f, EIE_REG_CTRL, 1u << EIE_CTRL_ENABLE_SHIFT);
		recovers(&p);
	}
}

/* What a failing job had stored stays. */
static void test_stored_stays(void **state)
{
	struct process p = process_new(f);
	size_t bytes = STEPS * f->b.params.clusters * EIE_GRANULE_BYTES;
	uint8_t result[OUT_BYTES];

	(void)state;
	process_works(&p);
	memcpy(result, p.out, bytes);
	memset(p.out, 0xa5, OUT_BYTES);
	/* once the store has ended, a MAC of granules that nobody wrote */
	PG_SET(&p.cmds[C_STORE], SIGNAL_PREV, 1);
	p.cmds[C_COUNT] = sync0();
	PG_SET(&p.cmds[C_COUNT], WAIT_NEXT, 1);
	p.cmds[C_COUNT + 1] = p.cmds[C_MAC];
	PG_SET(&p.cmds[C_COUNT + 1], WAIT_PREV, 0);
	PG_SET(&p.cmds[C_COUNT + 1], MAC_IN, f->b.params.abuf - X_LEN);
	p.desc.ncmds = C_COUNT + 2;
	process_fails(&p, EIE_STATUS_UNWRITTEN, C_COUNT + 1, 0);
	assert_memory_equal(p.out, result, bytes);
	recovers(&p);
}

int main(int argc, char **argv)
{
	const struct fixture_spec board = { { .seed = 2, .latency = 12 }, 4u << 20, 3, 3 };
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_command_pages, fixture_each),
		cmocka_unit_test_setup(test_base_pages, fixture_each),
		cmocka_unit_test_setup(test_load_pages, fixture_each),
		cmocka_unit_test_setup(test_store_pages, fixture_each),
		cmocka_unit_test_setup(test_store_tables, fixture_each),
		cmocka_unit_test_setup(test_restore_page, fixture_each),
		cmocka_unit_test_setup(test_not_canonical, fixture_each),
		cmocka_unit_test_setup(test_negative_addresses, fixture_each),
		cmocka_unit_test_setup(test_second_page, fixture_each),
		cmocka_unit_test_setup(test_bus_tables, fixture_each),
		cmocka_unit_test_setup(test_bus_missing_memory, fixture_each),
		cmocka_unit_test_setup(test_bus_transfers, fixture_each),
		cmocka_unit_test_setup(test_descriptor_error, fixture_each),
		cmocka_unit_test_setup(test_completion_error, fixture_each),
		cmocka_unit_test_setup(test_unwritten_abuf, fixture_each),
		cmocka_unit_test_setup(test_unwritten_cbuf, fixture_each),
		cmocka_unit_test_setup(test_unwritten_pbuf, fixture_each),
		cmocka_unit_test_setup(test_unwritten_wbuf, fixture_each),
		cmocka_unit_test_setup(test_unwritten_rbuf, fixture_each),
		cmocka_unit_test_setup(test_unwritten_last, fixture_each),
		cmocka_unit_test_setup(test_unwritten_store, fixture_each),
		cmocka_unit_test_setup(test_unwritten_wide_codebook, fixture_each),
		cmocka_unit_test_setup(test_zeros_read_nothing, fixture_each),
		cmocka_unit_test_setup(test_stream_ends_in_escape, fixture_each),
		cmocka_unit_test_setup(test_stream_leaves_rows, fixture_each),
		cmocka_unit_test_setup(test_stream_leaves_buffer, fixture_each),
		cmocka_unit_test_setup(test_parameters, fixture_each),
		cmocka_unit_test_setup(test_parameter_limits, fixture_each),
		cmocka_unit_test_setup(test_tokens, fixture_each),
		cmocka_unit_test_setup(test_cycle_limit, fixture_each),
		cmocka_unit_test_setup(test_endless_wait, fixture_each),
		cmocka_unit_test_setup(test_stored_stays, fixture_each),
	};

	return fixture_main(argc, argv, &board, &f, tests);
}
