// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * SELECT on the RTL and on the interpreter, random ones against a description of their own: which granules are read from memory, in which order, and what
 * is in WBUF and PBUF afterwards (of the interpreter; of the RTL by a MAC over all columns, whose streams are sound whatever mix of old and new granules
 * they lie in). Unwritten activations and pointers, streams that leave their row; commands with one thing wrong. A configuration without SELECT must refuse it.
 *   test_select CONFIG [JOBS [SEED]]
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "board.h"
#include "progen.h"
#include "ref.h"
#include "rng.h"

#define GRANULE  EIE_GRANULE_BYTES
#define VA_CMDS  0x10000000ull
#define VA_BASES 0x10100000ull
#define VA_MEM   0x40000000ull
#define BYTES    (2u << 20)
#define GRANULES (BYTES / GRANULE)
#define NBASES   2                    /* the second is not a multiple of 16 */
#define MOST     (1u << 16)           /* granules that one SELECT reads */

enum { C_X, C_Y, C_CODEBOOK, C_PARAMS, C_PTRS, C_OLD, C_SELECT, C_MAC, C_DRAIN, C_STORE, C_COUNT };

struct reads {
	uint32_t at[MOST];            /* granules of memory */
	uint32_t n;
};

struct machine {
	struct board b;
	struct eie_ref *ref;
	struct space space[2];        /* jobs alternate: what one wrote is unwritten for the next */
	unsigned int runs;
	uint64_t bus_cmds, bus_bases, bus_mem;
	uint8_t *mem, *golden;        /* before the job; the interpreter's */
	uint32_t first, end;          /* granules that the SELECT may read */
	struct reads want, rtl, interpreter;
};

/* What is selected, and where all of it lies in memory. */
struct job {
	struct eie_cmd cmd[C_COUNT];
	bool pointers, wide;
	uint32_t len, words, columns, row_granules;
	uint32_t x, y, ptrs, old, from;        /* granules of memory */
	uint32_t status;
};

static void note(struct reads *r, const struct machine *m, uint64_t granule)
{
	if (granule >= m->first && granule < m->end && r->n < MOST)
		r->at[r->n++] = (uint32_t)granule;
}

static void watch(void *ctx, uint64_t addr, size_t len, bool write)
{
	struct machine *m = ctx;

	for (uint64_t at = addr; !write && at < addr + len; at += GRANULE)
		if (at >= m->bus_mem && at < m->bus_mem + BYTES)
			note(&m->rtl, m, (at - m->bus_mem) / GRANULE);
}

static uint32_t golden_read(void *ctx, uint64_t va, void *buf, size_t len)
{
	struct machine *m = ctx;

	if (va >= VA_CMDS && va + len <= VA_CMDS + 4096)
		memcpy(buf, (uint8_t *)board_at(&m->b, m->bus_cmds) + (va - VA_CMDS), len);
	else if (va >= VA_BASES && va + len <= VA_BASES + 4096)
		memcpy(buf, (uint8_t *)board_at(&m->b, m->bus_bases) + (va - VA_BASES), len);
	else if (va >= VA_MEM && va + len <= VA_MEM + BYTES)
		memcpy(buf, m->golden + (va - VA_MEM), len);
	else
		return EIE_STATUS_PAGE_FAULT;
	for (size_t i = 0; va >= VA_MEM && i < len; i += GRANULE)
		note(&m->interpreter, m, (va - VA_MEM + i) / GRANULE);
	return EIE_STATUS_OK;
}

static uint32_t golden_write(void *ctx, uint64_t va, const void *buf, size_t len)
{
	struct machine *m = ctx;

	if (va < VA_MEM || va + len > VA_MEM + BYTES)
		return EIE_STATUS_PAGE_FAULT;
	memcpy(m->golden + (va - VA_MEM), buf, len);
	return EIE_STATUS_OK;
}

static int machine_open(struct machine *m, const char *config, uint64_t seed)
{
	struct rng r = rng_seed(seed);
	struct eie_sim_params p = { .config = config, .seed = seed, .latency = rng_range(&r, 1, 100),
				    .stall_permille = rng_permille(&r, 300) ? 0 : rng_range(&r, 0, 300), .jitter = rng_range(&r, 0, 20) };

	memset(m, 0, sizeof(*m));
	m->mem = malloc(BYTES);
	m->golden = malloc(BYTES);
	if (!m->mem || !m->golden || board_open(&m->b, &p, BYTES + (4u << 20), 2, 1) || eie_ref_new(&m->b.params, &m->ref))
		return -1;
	m->bus_mem = board_alloc(&m->b, BYTES, 4096);
	m->bus_cmds = board_alloc(&m->b, 4096, 4096);
	m->bus_bases = board_alloc(&m->b, 4096, 4096);
	for (uint16_t i = 0; i < 2; i++) {
		m->space[i] = space_new(&m->b, 5 + i);
		space_map(&m->space[i], VA_CMDS, m->bus_cmds, 4096, EIE_PTE_R, false);
		space_map(&m->space[i], VA_BASES, m->bus_bases, 4096, EIE_PTE_R, false);
		space_map(&m->space[i], VA_MEM, m->bus_mem, BYTES, EIE_PTE_R | EIE_PTE_W, false);
	}
	((uint64_t *)board_at(&m->b, m->bus_bases))[0] = VA_MEM;
	((uint64_t *)board_at(&m->b, m->bus_bases))[1] = VA_MEM + 8;
	m->b.watch = watch;
	m->b.watch_ctx = m;
	return 0;
}

static void machine_close(struct machine *m)
{
	eie_ref_free(m->ref);
	free(m->mem);
	free(m->golden);
	board_close(&m->b);
}

static bool same(const char *what, uint64_t got, uint64_t want)
{
	if (got != want)
		printf("# %s: %llu, want %llu\n", what, (unsigned long long)got, (unsigned long long)want);
	return got == want;
}

/* On both; m->rtl and m->interpreter are what they read. False: the RTL does not end. */
static bool run(struct machine *m, const struct job *j, struct eie_cpl *rtl, struct eie_cpl *ref)
{
	const struct eie_ref_mem mem = { golden_read, golden_write, m };
	const struct space *space = &m->space[m->runs++ % 2];
	struct eie_desc d = { .fence = m->runs, .root = space->root, .asid = space->asid, .nbases = NBASES, .bases = VA_BASES, .cmds = VA_CMDS,
			      .ncmds = C_COUNT };

	m->rtl.n = m->interpreter.n = 0;
	memcpy(board_at(&m->b, m->bus_mem), m->mem, BYTES);
	memcpy(m->golden, m->mem, BYTES);
	memcpy(board_at(&m->b, m->bus_cmds), j->cmd, sizeof(j->cmd));
	board_submit(&m->b, &d);
	eie_ref_run(m->ref, &d, &mem, ref);
	return board_wait(&m->b, rtl, 3000000) && same("assertions failed", (uint64_t)eie_sim_assert_failed(m->b.sim), 0);
}

/* ---- the description */

static bool live(const struct machine *m, const struct job *j, uint32_t column)
{
	return m->mem[j->x * GRANULE + 2 * column] || m->mem[j->x * GRANULE + 2 * column + 1];
}

/* Columns in order; a granule is read when a column needs it that lies behind all that the columns before it needed. */
static void describe(struct machine *m, struct job *j)
{
	const struct eie_cmd *s = &j->cmd[C_SELECT];
	uint32_t have_x = PG_GET(&j->cmd[C_X], XFER_LEN), have_p = PG_GET(&j->cmd[C_PTRS], XFER_LEN);
	uint32_t stride = PG_GET(s, XFER_MEM_STRIDE) / GRANULE, first = PG_GET(s, XFER_CLUSTER);

	m->want.n = 0;
	j->status = EIE_STATUS_OK;
	for (uint32_t row = 0; row < PG_GET(s, XFER_ROWS); row++) {
		uint32_t behind = 0;

		for (uint32_t c = 0; c < j->columns; c++) {
			uint32_t word, from = c / 4, to = c / 4 + 1;

			j->status = c / 8 >= have_x ? EIE_STATUS_UNWRITTEN : EIE_STATUS_OK;
			if (!j->status && !live(m, j, c))
				continue;
			if (!j->status && !j->pointers && c / 4 >= have_p)
				j->status = EIE_STATUS_UNWRITTEN;
			if (j->status)
				return;
			if (!j->pointers) {
				memcpy(&word, m->mem + (j->ptrs + (size_t)(first + row) * 2 * j->len) * GRANULE + 4 * c, 4);
				if (!(word >> 20))
					continue;
				from = (word & 0xfffff) * (j->wide ? 2 : 1);
				to = from + (word >> 20) * (j->wide ? 2 : 1);
				if (to > PG_GET(s, XFER_LEN) * GRANULE) {
					j->status = EIE_STATUS_BAD_STREAM;
					return;
				}
				from /= GRANULE;
				to = (to + GRANULE - 1) / GRANULE;
			}
			for (uint32_t g = from > behind ? from : behind; g < to; g++)
				m->want.at[m->want.n++] = j->from + row * stride + g;
			behind = to > behind ? to : behind;
		}
	}
}

/* ---- random jobs */

/* Entries of rows one behind the other: sound at any length up to the rows that there are. */
static void fill_stream(struct machine *m, struct rng *r, uint32_t granule, uint32_t n, bool wide)
{
	for (size_t i = granule * (size_t)GRANULE; i < (granule + (size_t)n) * GRANULE; i++)
		m->mem[i] = wide && i % 2 ? 0 : (uint8_t)rng_range(r, 1, 15);
}

/* Mostly one behind the other, as a compiler has them; some anywhere, and some empty. */
static void fill_pointers(struct machine *m, struct rng *r, const struct job *j, uint32_t granule)
{
	uint32_t units = j->words * GRANULE / (j->wide ? 2 : 1), longest = rng_range(r, 0, 1) ? 4 : m->b.params.rows < 60 ? m->b.params.rows : 60;
	bool anywhere = rng_permille(r, 200);

	for (uint32_t k = 0; k < m->b.params.clusters; k++) {
		uint32_t at = 0;

		for (uint32_t c = 0; c < j->columns; c++) {
			uint32_t n = rng_permille(r, 150) ? 0 : rng_range(r, 1, longest), word;

			if (anywhere && rng_permille(r, 300))
				at = rng_range(r, 0, units - 1);
			if (n > units - at)
				n = units - at;
			word = n << 20 | (n ? at : rng_range(r, 0, 9));
			at += n + (rng_permille(r, 100) ? rng_range(r, 0, 40) : 0);
			at = at < units ? at : units - 1;
			memcpy(m->mem + (granule + (size_t)k * 2 * j->len) * GRANULE + 4 * c, &word, 4);
		}
	}
}

static struct eie_cmd load_rows(const struct machine *m, unsigned int buf, uint32_t addr, uint32_t len, uint32_t mem, uint32_t stride)
{
	const struct pg_xfer x = { .buf = buf, .addr = addr, .len = len, .mem = mem, .mem_stride = stride,
				   .rows = buf == EIE_BUF_ABUF || buf == EIE_BUF_CBUF ? 1 : m->b.params.clusters };

	return pg_cmd_load(0, &x);
}

static void make_job(struct machine *m, struct rng *r, struct job *j)
{
	static const uint16_t shares[] = { 0, 20, 150, 400, 700, 1000 };
	const struct eie_params *p = &m->b.params;
	uint32_t k = p->clusters, most = p->pbuf / 2 < p->abuf / 4 ? p->pbuf / 2 : p->abuf / 4, share = shares[rng_range(r, 0, 5)];
	uint32_t addr, ptr, in, y_at, out, params, codebook, rows, cluster;

	*j = (struct job){ .pointers = rng_permille(r, 300), .wide = rng_permille(r, 400) };
	most = most < 300 ? most : 300;
	j->len = rng_range(r, 1, rng_permille(r, 300) ? most : most < 12 ? most : 12);
	j->columns = 8 * j->len;
	j->words = rng_range(r, 1, rng_permille(r, 300) && p->wbuf > 700 ? 700 : 40);
	j->row_granules = j->pointers ? 2 * j->len : j->words;
	j->x = rng_range(r, 0, 40);
	j->y = j->x + j->len;
	codebook = j->y + j->len;
	params = codebook + 32;
	out = params + 4 * k;
	j->ptrs = out + k;
	j->old = j->ptrs + 2 * j->len * k;
	j->from = (j->old + j->words * k + 1) / 2 * 2;   /* on a bus of 256 bits the loads before it may read a granule more */
	for (uint32_t i = 0; i < BYTES; i += 8) {
		uint64_t v = rng_next(r);

		memcpy(m->mem + i, &v, 8);
	}
	for (uint32_t c = 0; c < j->columns; c++) {
		int16_t v = rng_permille(r, share) ? rng_value(r) : 0, one = (int16_t)rng_range(r, 1, 9);

		memcpy(m->mem + j->x * GRANULE + 2 * c, &v, 2);
		memcpy(m->mem + j->y * GRANULE + 2 * c, &one, 2);
	}
	for (uint32_t i = 0; i < 8 * k; i++) {
		const uint64_t param = (uint32_t)rng_value(r) | 30000ull << 32 | 24ull << 48;

		memcpy(m->mem + params * GRANULE + 8 * i, &param, 8);
	}
	fill_pointers(m, r, j, j->ptrs);
	fill_stream(m, r, j->old, j->words * k, j->wide);
	if (j->pointers)
		fill_pointers(m, r, j, j->from);
	else
		fill_stream(m, r, j->from, j->words * k, j->wide);
	m->first = j->from;
	m->end = j->from + j->row_granules * k;

	addr = rng_range(r, 0, p->wbuf - j->words);
	ptr = rng_range(r, 0, p->pbuf - 2 * j->len);
	in = rng_range(r, 0, p->abuf / 2 - j->len);
	y_at = p->abuf / 2;
	j->cmd[C_X] = load_rows(m, EIE_BUF_ABUF, in, j->len, j->x, 0);
	j->cmd[C_Y] = load_rows(m, EIE_BUF_ABUF, y_at, j->len, j->y, 0);
	j->cmd[C_CODEBOOK] = load_rows(m, EIE_BUF_CBUF, 0, j->wide ? 32 : 2, codebook, 0);
	j->cmd[C_PARAMS] = load_rows(m, EIE_BUF_RBUF, 0, 4, params, 4);
	j->cmd[C_PTRS] = load_rows(m, EIE_BUF_PBUF, ptr, 2 * j->len, j->ptrs, 2 * j->len);
	j->cmd[C_OLD] = load_rows(m, EIE_BUF_WBUF, addr, j->words, j->old, j->words);
	cluster = rng_permille(r, 700) ? 0 : rng_range(r, 0, k - 1);
	rows = rng_permille(r, 700) ? k - cluster : rng_range(r, 1, k - cluster);
	{
		const struct pg_xfer x = { .buf = j->pointers ? EIE_BUF_PBUF : EIE_BUF_WBUF, .addr = j->pointers ? ptr : addr, .len = j->row_granules,
					   .cluster = cluster, .rows = rows, .mem = j->from, .mem_stride = j->row_granules };
		const struct pg_select s = { .in = in, .len = j->len, .ptr = j->pointers ? 0 : ptr, .wide = !j->pointers && j->wide };
		const struct pg_mac mac = { .in = y_at, .len = j->len, .ptr = ptr, .weights = addr, .wide = j->wide };
		const struct pg_drain d = { .out = p->abuf - k, .stride = k, .steps = 1, .lo = -32767, .hi = 32767 };
		const struct pg_xfer store = { .buf = EIE_BUF_ABUF, .addr = p->abuf - k, .len = k, .rows = 1, .mem = out };

		j->cmd[C_SELECT] = pg_cmd_select(0, &x, &s);
		j->cmd[C_MAC] = pg_cmd_mac(&mac);
		j->cmd[C_DRAIN] = pg_cmd_drain(&d);
		j->cmd[C_STORE] = pg_cmd_store(0, &store);
	}
	/* the load just before it is the old stream, which it does not read */
	PG_SET(&j->cmd[C_SELECT], FENCE, rng_range(r, 0, 1));
	PG_SET(&j->cmd[C_SELECT], SIGNAL_NEXT, 1);
	PG_SET(&j->cmd[C_MAC], WAIT_PREV, 1);
	PG_SET(&j->cmd[C_DRAIN], FENCE, 1);
	PG_SET(&j->cmd[C_DRAIN], SIGNAL_NEXT, 1);
	PG_SET(&j->cmd[C_STORE], WAIT_PREV, 1);

	/* one of the ways to fail, or none */
	if (rng_permille(r, 120) && j->len > 1)
		PG_SET(&j->cmd[C_X], XFER_LEN, rng_range(r, 1, j->len - 1));
	else if (rng_permille(r, 120) && !j->pointers)
		PG_SET(&j->cmd[C_PTRS], XFER_LEN, rng_range(r, 1, 2 * j->len - 1));
	else if (rng_permille(r, 120) && !j->pointers && j->words > 1)
		PG_SET(&j->cmd[C_SELECT], XFER_LEN, rng_range(r, 1, j->words - 1));
	describe(m, j);
	if (!j->status)   /* the MAC needs all of them */
		PG_SET(&j->cmd[C_PTRS], XFER_LEN, 2 * j->len);
}

static bool same_reads(const char *who, const struct reads *got, const struct reads *want)
{
	bool ok = same(who, got->n, want->n);

	for (uint32_t i = 0; ok && i < want->n; i++)
		ok = same(who, got->at[i], want->at[i]);
	return ok;
}

/* A bus of 256 bits carries granules in pairs: of each that is wanted its neighbour may come, too. */
static bool covers(const struct reads *got, const struct reads *want)
{
	uint32_t at = 0;

	for (uint32_t i = 0; i < want->n; i++) {
		while (at < got->n && got->at[at] != want->at[i])
			at++;
		if (at == got->n)
			return same("granule that was not read", want->at[i], 0);
	}
	for (uint32_t i = 0; i < got->n; i++) {
		bool wanted = false;

		for (uint32_t n = 0; !wanted && n < want->n; n++)
			wanted = want->at[n] / 2 == got->at[i] / 2;
		if (!wanted)
			return same("granule that was read for nothing", got->at[i], 0);
	}
	return true;
}

/* The interpreter's buffer: what was read is there, the rest is as the loads before left it. */
static bool same_buffer(const struct machine *m, const struct job *j)
{
	const struct eie_cmd *s = &j->cmd[C_SELECT], *old = &j->cmd[j->pointers ? C_PTRS : C_OLD];
	const struct ref_buffer *b = &m->ref->buf[PG_GET(s, XFER_TARGET)];

	for (uint32_t k = 0; k < m->b.params.clusters; k++) {
		for (uint32_t g = 0; g < j->row_granules; g++) {
			uint32_t row = k - PG_GET(s, XFER_CLUSTER), from = PG_GET(old, XFER_OFFSET) / GRANULE + k * j->row_granules + g;

			for (uint32_t i = 0; row < PG_GET(s, XFER_ROWS) && i < m->want.n; i++)
				if (m->want.at[i] == j->from + row * j->row_granules + g)
					from = m->want.at[i];
			if (memcmp(ref_granule(b, (size_t)k * b->depth + PG_GET(s, XFER_ADDR) + g), m->mem + (size_t)from * GRANULE, GRANULE))
				return same("granule of the buffer that differs", (uint64_t)k * b->depth + PG_GET(s, XFER_ADDR) + g, 0);
		}
	}
	return true;
}

static bool check(struct machine *m, const struct job *j)
{
	struct eie_cpl rtl, ref;
	uint32_t at = j->status ? 1u << EIE_CPL_FAULT_VALID_SHIFT | C_SELECT : 0;

	if (!run(m, j, &rtl, &ref))
		return false;
	return same("status", rtl.status, j->status) && same("interpreter's status", ref.status, j->status) && same("command", rtl.fault_cmd, at) &&
	       same("interpreter's command", ref.fault_cmd, at) && same_reads("interpreter reads", &m->interpreter, &m->want) &&
	       (m->b.params.bus_bits == 256 ? covers(&m->rtl, &m->want) : same_reads("RTL reads", &m->rtl, &m->want)) &&
	       (j->status || same_buffer(m, j)) &&
	       same("bytes that differ", (uint64_t)!!memcmp(board_at(&m->b, m->bus_mem), m->golden, BYTES), 0) &&
	       same("products", rtl.macs, ref.macs);
}

/* ---- one thing wrong */

struct fault {
	const char *what;
	unsigned int dw, shift;
	uint32_t mask, value, status;
	bool pointers;                /* of a SELECT to PBUF */
};

#define FIELD(f) EIE_CMD_##f##_DW, EIE_CMD_##f##_SHIFT, EIE_CMD_##f##_MASK

static bool check_faults(struct machine *m, const struct job *weights, const struct job *pointers)
{
	const struct eie_params *p = &m->b.params;
	const struct fault faults[] = {
		{ "no columns", FIELD(SELECT_LEN), 0, EIE_STATUS_BAD_COMMAND, false },
		{ "no granules", FIELD(XFER_LEN), 0, EIE_STATUS_BAD_COMMAND, false },
		{ "no rows", FIELD(XFER_ROWS), 0, EIE_STATUS_BAD_COMMAND, false },
		{ "to ABUF", FIELD(XFER_TARGET), EIE_BUF_ABUF, EIE_STATUS_BAD_COMMAND, false },
		{ "to RBUF", FIELD(XFER_TARGET), EIE_BUF_RBUF, EIE_STATUS_BAD_COMMAND, false },
		{ "to CBUF", FIELD(XFER_TARGET), EIE_BUF_CBUF, EIE_STATUS_BAD_COMMAND, false },
		{ "waits for nobody", FIELD(WAIT_PREV), 1, EIE_STATUS_BAD_COMMAND, false },
		{ "signals to nobody", FIELD(SIGNAL_PREV), 1, EIE_STATUS_BAD_COMMAND, false },
		{ "a bit that has no name", 0, 21, 1, 1, EIE_STATUS_BAD_COMMAND, false },
		{ "another", 3, 24, 0xff, 1, EIE_STATUS_BAD_COMMAND, false },
		{ "behind WBUF", FIELD(XFER_ADDR), p->wbuf, EIE_STATUS_BAD_RANGE, false },
		{ "a cluster too many", FIELD(XFER_CLUSTER), p->clusters, EIE_STATUS_BAD_RANGE, false },
		{ "rows too many", FIELD(XFER_ROWS), p->clusters + 1, EIE_STATUS_BAD_RANGE, false },
		{ "behind ABUF", FIELD(SELECT_IN), p->abuf, EIE_STATUS_BAD_RANGE, false },
		{ "behind PBUF", FIELD(SELECT_PTR), p->pbuf - 1u, EIE_STATUS_BAD_RANGE, false },
		{ "too many columns", FIELD(SELECT_LEN), 0xffff, EIE_STATUS_BAD_RANGE, false },
		{ "no such base", FIELD(XFER_BASE), NBASES, EIE_STATUS_BAD_RANGE, false },
		{ "offset", FIELD(XFER_OFFSET), 8, EIE_STATUS_MISALIGNED, false },
		{ "stride", FIELD(XFER_MEM_STRIDE), 24, EIE_STATUS_MISALIGNED, false },
		{ "base", FIELD(XFER_BASE), 1, EIE_STATUS_MISALIGNED, false },
		{ "pointers of pointers", FIELD(SELECT_PTR), 1, EIE_STATUS_BAD_COMMAND, true },
		{ "wide pointers", FIELD(SELECT_WIDE), 1, EIE_STATUS_BAD_COMMAND, true },
		{ "columns without pointers", FIELD(XFER_LEN), pointers->row_granules - 1, EIE_STATUS_BAD_COMMAND, true },
		{ "pointers without columns", FIELD(SELECT_LEN), pointers->len + 1, EIE_STATUS_BAD_COMMAND, true },
		{ "behind PBUF", FIELD(XFER_ADDR), p->pbuf - pointers->row_granules + 1, EIE_STATUS_BAD_RANGE, true },
	};
	bool ok = true;

	for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++) {
		const struct fault *f = &faults[i];
		struct job j = f->pointers ? *pointers : *weights;
		uint32_t *dw = &j.cmd[C_SELECT].dw[f->dw];
		struct eie_cpl rtl, ref;
		bool right;

		*dw = (*dw & ~(f->mask << f->shift)) | f->value << f->shift;
		right = run(m, &j, &rtl, &ref) && same("status", rtl.status, f->status) && same("interpreter's status", ref.status, f->status) &&
			same("command", rtl.fault_cmd, 1u << EIE_CPL_FAULT_VALID_SHIFT | C_SELECT) && same("granules read", m->rtl.n, 0);
		if (!right)
			printf("# SELECT with one thing wrong: %s\n", f->what);
		ok = ok && right;
	}
	return ok;
}

static int refuses(struct machine *m, const struct job *j, const char *config)
{
	struct eie_cpl rtl, ref;
	bool ok = run(m, j, &rtl, &ref) && same("status", rtl.status, EIE_STATUS_BAD_COMMAND) &&
		  same("interpreter's status", ref.status, EIE_STATUS_BAD_COMMAND) &&
		  same("command", rtl.fault_cmd, 1u << EIE_CPL_FAULT_VALID_SHIFT | C_SELECT) && same("granules read", m->rtl.n, 0);

	printf("%s - %s: has no SELECT, and refuses it\n", ok ? "ok" : "not ok", config);
	return !ok;
}

/* A sound job of the kind. */
static void make_good(struct machine *m, struct rng *r, struct job *j, bool pointers)
{
	do
		make_job(m, r, j);
	while (j->status || j->pointers != pointers || j->len < 2);
}

int main(int argc, char **argv)
{
	const char *config = argc > 1 ? argv[1] : "2x2";
	unsigned long jobs = argc > 2 ? strtoul(argv[2], NULL, 0) : 400, failed = 0, at = 0, ended[EIE_STATUS_ABORTED + 1] = { 0 };
	uint64_t seed = argc > 3 ? strtoull(argv[3], NULL, 0) : 1, granules = 0, all = 0;
	struct machine *m = calloc(1, sizeof(*m));
	struct rng first = rng_seed(seed ^ 0x5e1ec7);
	struct job job, pointers;
	int refused;

	if (!m || machine_open(m, config, seed)) {
		printf("not ok - %s: cannot open the simulated machine\n", config);
		return 1;
	}
	make_good(m, &first, &job, false);
	if (!(m->b.params.features & EIE_FEATURE_SELECT)) {
		refused = refuses(m, &job, config);
		machine_close(m);
		free(m);
		return refused;
	}
	for (; at < jobs && failed < 5; at++) {
		struct rng r = rng_seed(seed + at);

		make_job(m, &r, &job);
		ended[job.status]++;
		granules += m->want.n;
		all += (uint64_t)job.row_granules * PG_GET(&job.cmd[C_SELECT], XFER_ROWS);
		if (check(m, &job))
			continue;
		printf("not ok - %s: job %lu; alone: %s %s 1 %llu\n", config, at, argv[0], config, (unsigned long long)(seed + at));
		failed++;
		machine_close(m);
		if (machine_open(m, config, seed))
			return 1;
	}
	make_good(m, &first, &pointers, true);
	make_good(m, &first, &job, false);
	if (!check_faults(m, &job, &pointers)) {
		printf("not ok - %s: malformed commands\n", config);
		failed++;
	}
	if (jobs >= 100 && (!ended[EIE_STATUS_OK] || !ended[EIE_STATUS_UNWRITTEN] || !ended[EIE_STATUS_BAD_STREAM])) {
		printf("not ok - %s: a way to end was not met\n", config);
		failed++;
	}
	machine_close(m);
	free(m);
	printf("%s - %s: %lu SELECTs (%lu right, %lu unwritten, %lu streams that leave their row), %llu of %llu granules read\n", failed ? "not ok" : "ok",
	       config, at, ended[EIE_STATUS_OK], ended[EIE_STATUS_UNWRITTEN], ended[EIE_STATUS_BAD_STREAM], (unsigned long long)granules,
	       (unsigned long long)all);
	return failed != 0;
}
