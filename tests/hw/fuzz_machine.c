// SPDX-License-Identifier: GPL-2.0 OR MIT
#include "fuzz_machine.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PAGE 4096ull
#define RW (EIE_PTE_R | EIE_PTE_W)
#define ENABLE (1u << EIE_CTRL_ENABLE_SHIFT)
#define KNOWN_SEED 5u   /* a job that is small and multiplies */

size_t fuzz_mem_bytes(const struct eie_params *p)
{
	return p->clusters > 2 ? 512u << 10 : 256u << 10;
}

bool fuzz_wrong(struct fuzz_machine *m, const char *format, ...)
{
	va_list args;

	if (m->why)
		return false;
	va_start(args, format);
	vsnprintf(m->text, sizeof(m->text), format, args);
	va_end(args);
	m->why = m->text;
	return false;
}

uint16_t fuzz_new_asid(struct fuzz_machine *m)
{
	if (++m->asid < FUZZ_ASID_FIRST)   /* came round */
		m->asid = FUZZ_ASID_FIRST;
	return m->asid;
}

/* ---- memory */

void fuzz_mem_put(struct fuzz_machine *m, const struct fuzz_space *s, const uint8_t *mem)
{
	for (size_t i = 0; i < m->mem_bytes / PAGE; i++)
		memcpy(board_at(&m->b, s->mem_pages[i]), mem + i * PAGE, PAGE);
}

void fuzz_mem_get(struct fuzz_machine *m, const struct fuzz_space *s, uint8_t *mem)
{
	for (size_t i = 0; i < m->mem_bytes / PAGE; i++)
		memcpy(mem + i * PAGE, board_at(&m->b, s->mem_pages[i]), PAGE);
}

void fuzz_job_place(struct fuzz_machine *m, const struct fuzz_space *s, const struct fuzz_job *j)
{
	uint64_t *bases = board_at(&m->b, s->bus_bases);
	const uint64_t table[FUZZ_BASES] = {
		[FUZZ_BASE_MEM] = FUZZ_VA_MEM, [FUZZ_BASE_ALIAS] = FUZZ_VA_ALIAS, [FUZZ_BASE_TOP] = FUZZ_VA_TOP,
		[FUZZ_BASE_HOLE] = FUZZ_VA_HOLE, [FUZZ_BASE_FOREIGN] = FUZZ_VA_FOREIGN, [FUZZ_BASE_ODD] = FUZZ_VA_MEM + 8,
		[FUZZ_BASE_FAR] = FUZZ_VA_MEM | 1ull << 45, [FUZZ_BASE_SECRET] = FUZZ_VA_SECRET, [FUZZ_BASE_CMDS] = FUZZ_VA_CMDS,
		[FUZZ_BASE_END] = FUZZ_VA_MEM + m->mem_bytes - 48,
	};

	memcpy(bases, table, sizeof(table));
	memcpy(board_at(&m->b, s->bus_cmds), j->cmds, j->n * sizeof(j->cmds[0]));
	fuzz_mem_put(m, s, j->mem);
}

void fuzz_job_describe(const struct fuzz_space *s, struct fuzz_job *j)
{
	j->desc.root = s->space.root;
	j->desc.bases = FUZZ_VA_BASES;
	j->desc.nbases = FUZZ_BASES;
	j->desc.cmds = FUZZ_VA_CMDS;
	j->desc.ncmds = j->n;
}

/* Commands, base table and the pages at `va` for the space, rights to them. */
static void map_space(struct fuzz_machine *m, struct fuzz_space *s, uint64_t va)
{
	s->space = space_new(&m->b, 0);
	s->bus_cmds = board_alloc(&m->b, FUZZ_CMDS_MAX * EIE_CMD_BYTES, PAGE);
	s->bus_bases = board_alloc(&m->b, PAGE, PAGE);
	space_map(&s->space, FUZZ_VA_CMDS, s->bus_cmds, FUZZ_CMDS_MAX * EIE_CMD_BYTES, EIE_PTE_R, false);
	space_map(&s->space, FUZZ_VA_BASES, s->bus_bases, PAGE, EIE_PTE_R, false);
	for (size_t i = 0; i < m->mem_bytes / PAGE; i++)
		space_map(&s->space, va + i * PAGE, s->mem_pages[i], PAGE, RW, false);
}

static int make_spaces(struct fuzz_machine *m, struct rng *r)
{
	struct fuzz_space *spaces[] = { &m->own, &m->victim, &m->known };
	size_t n = m->mem_bytes / PAGE, all = 3 * n;
	uint64_t *pages = malloc(all * sizeof(*pages));
	bool ok = pages;

	for (size_t i = 0; ok && i < all; i++)
		pages[i] = board_alloc(&m->b, PAGE, PAGE);
	for (size_t i = all; ok && i-- > 1;) {
		size_t k = rng_range(r, 0, (uint32_t)i);
		uint64_t page = pages[i];

		pages[i] = pages[k];
		pages[k] = page;
	}
	for (size_t i = 0; i < 3; i++) {
		spaces[i]->mem_pages = malloc(n * sizeof(*pages));
		ok = ok && spaces[i]->mem_pages;
		if (ok)
			memcpy(spaces[i]->mem_pages, pages + i * n, n * sizeof(*pages));
	}
	free(pages);
	if (!ok)
		return -ENOMEM;
	map_space(m, &m->own, FUZZ_VA_MEM);
	map_space(m, &m->victim, FUZZ_VA_SECRET);
	map_space(m, &m->known, FUZZ_VA_MEM);
	for (size_t i = 0; i < n; i++) {
		space_map(&m->own.space, FUZZ_VA_ALIAS + i * PAGE, m->own.mem_pages[i], PAGE, EIE_PTE_R, false);
		space_map(&m->own.space, FUZZ_VA_TOP + i * PAGE, m->own.mem_pages[i], PAGE, RW, false);
		space_map(&m->own.space, FUZZ_VA_FOREIGN + i * PAGE, BOARD_RAM_BASE - PAGE, PAGE, RW, false);
	}
	return 0;
}

/* ---- the interpreter */

struct ref_view {
	struct fuzz_machine *m;
	uint8_t *mem;
	struct fuzz_log *log;
};

static bool inside(uint64_t va, size_t len, uint64_t lo, uint64_t size)
{
	return va >= lo && va - lo < size && len <= size - (va - lo);
}

static uint32_t ref_at(const struct ref_view *v, uint64_t va, size_t len, bool write, uint8_t **p)
{
	struct fuzz_machine *m = v->m;

	if (inside(va, len, FUZZ_VA_FOREIGN, m->mem_bytes))
		return EIE_STATUS_BUS_ERROR;
	if (inside(va, len, FUZZ_VA_MEM, m->mem_bytes))
		*p = v->mem + (va - FUZZ_VA_MEM);
	else if (inside(va, len, FUZZ_VA_TOP, m->mem_bytes))
		*p = v->mem + (va - FUZZ_VA_TOP);
	else if (!write && inside(va, len, FUZZ_VA_ALIAS, m->mem_bytes))
		*p = v->mem + (va - FUZZ_VA_ALIAS);
	else if (!write && inside(va, len, FUZZ_VA_CMDS, FUZZ_CMDS_MAX * EIE_CMD_BYTES))
		*p = (uint8_t *)board_at(&m->b, m->own.bus_cmds) + (va - FUZZ_VA_CMDS);
	else if (!write && inside(va, len, FUZZ_VA_BASES, PAGE))
		*p = (uint8_t *)board_at(&m->b, m->own.bus_bases) + (va - FUZZ_VA_BASES);
	else
		return EIE_STATUS_PAGE_FAULT;
	return EIE_STATUS_OK;
}

static uint32_t ref_read(void *ctx, uint64_t va, void *buf, size_t len)
{
	uint8_t *p = NULL;
	uint32_t status = ref_at(ctx, va, len, false, &p);

	if (!status)
		memcpy(buf, p, len);
	return status;
}

static uint32_t ref_write(void *ctx, uint64_t va, const void *buf, size_t len)
{
	struct ref_view *v = ctx;
	struct fuzz_log *log = v->log;
	uint8_t *p = NULL;
	uint32_t status = ref_at(v, va, len, true, &p);

	if (status)
		return status;
	memcpy(p, buf, len);
	for (size_t i = 0; log && i < len; i += EIE_GRANULE_BYTES) {
		uint32_t granule = (uint32_t)((size_t)(p - v->mem) + i) / EIE_GRANULE_BYTES;

		if (log->n == log->max) {
			struct fuzz_store *grown = realloc(log->stores, (size_t)(2 * log->max + 1024) * sizeof(*grown));

			if (!grown) {
				fuzz_wrong(v->m, "out of memory for the log of stores");
				return EIE_STATUS_BUS_ERROR;
			}
			log->stores = grown;
			log->max = 2 * log->max + 1024;
		}
		log->stores[log->n] = (struct fuzz_store){ .granule = granule, .next = log->head[granule] };
		memcpy(log->stores[log->n].value, (const uint8_t *)buf + i, EIE_GRANULE_BYTES);
		log->head[granule] = ++log->n;
	}
	return status;
}

void fuzz_ref_run(struct fuzz_machine *m, struct eie_ref *ref, const struct fuzz_job *j, uint8_t *mem, struct fuzz_log *log,
		  struct eie_cpl *cpl)
{
	struct ref_view view = { m, mem, log };
	const struct eie_ref_mem ops = { ref_read, ref_write, &view };

	eie_ref_run(ref, &j->desc, &ops, cpl);
}

int fuzz_log_open(struct fuzz_log *log, size_t mem_bytes)
{
	*log = (struct fuzz_log){ .head = calloc(mem_bytes / EIE_GRANULE_BYTES, sizeof(uint32_t)) };
	return log->head ? 0 : -ENOMEM;
}

void fuzz_log_close(struct fuzz_log *log)
{
	free(log->stores);
	free(log->head);
}

void fuzz_log_clear(struct fuzz_log *log, size_t mem_bytes)
{
	log->n = 0;
	memset(log->head, 0, mem_bytes / EIE_GRANULE_BYTES * sizeof(uint32_t));
}

/* ---- jobs on the hardware */

void fuzz_submit(struct fuzz_machine *m, const struct fuzz_space *s, const struct eie_desc *d)
{
	shadow_begin(&m->shadow, &s->space, m->queue);
	queue_put(&m->b, m->queue, d);
	queue_bell(&m->b, m->queue);
}

bool fuzz_check(struct fuzz_machine *m, const struct eie_desc *d, const struct eie_cpl *c)
{
	uint64_t sum = (uint64_t)c->busy + c->stall_drain + c->stall_array + c->stall_load + c->stall_store + c->stall_sync +
		       c->stall_cmd + c->stall_front + c->stall_tail;

	shadow_end(&m->shadow);
	if (m->shadow.violations)
		return fuzz_wrong(m, "%s of %zu bytes at bus address 0x%llx, which the job does not own (%lu such)",
				  m->shadow.bad_write ? "write" : "read", m->shadow.bad_len,
				  (unsigned long long)m->shadow.bad_addr, m->shadow.violations);
	if (eie_sim_assert_failed(m->b.sim))
		return fuzz_wrong(m, "an assertion failed, or an AXI rule was broken");
	if (c->fence != d->fence)
		return fuzz_wrong(m, "fence 0x%llx instead of 0x%llx", (unsigned long long)c->fence,
				  (unsigned long long)d->fence);
	if (c->cycles != sum || c->cycles != c->time_end - c->time_start)
		return fuzz_wrong(m, "counters: %u cycles, %llu in parts, %llu by the clock", c->cycles, (unsigned long long)sum,
				  (unsigned long long)(c->time_end - c->time_start));
	if (c->status > EIE_STATUS_ABORTED)
		return fuzz_wrong(m, "status %u does not exist", c->status);
	if (c->status != EIE_STATUS_PAGE_FAULT && c->status != EIE_STATUS_BUS_ERROR && c->fault_addr)
		return fuzz_wrong(m, "status %u with a fault address", c->status);
	if (c->status == EIE_STATUS_OK && c->fault_cmd)
		return fuzz_wrong(m, "status OK with a failed command");
	return true;
}

bool fuzz_finish(struct fuzz_machine *m, const struct eie_desc *d, struct eie_cpl *cpl)
{
	if (!queue_wait(&m->b, m->queue, cpl, FUZZ_CYCLES))
		return fuzz_wrong(m, "the job does not end");
	return fuzz_check(m, d, cpl);
}

static bool await(struct fuzz_machine *m, uint32_t offset, uint32_t mask, uint32_t value)
{
	for (unsigned int i = 0; i < FUZZ_CYCLES / 16; i++) {
		if ((eie_sim_read32(m->b.sim, offset) & mask) == value)
			return true;
		eie_sim_run(m->b.sim, 16);
	}
	return fuzz_wrong(m, "register 0x%x: bits 0x%x never 0x%x", offset, mask, value);
}

static void run_for(struct fuzz_machine *m, uint64_t cycles)
{
	while (cycles)
		cycles -= eie_sim_run(m->b.sim, cycles);
}

bool fuzz_abort(struct fuzz_machine *m, uint64_t cycles)
{
	const uint32_t quiet = 1u << EIE_STATUS_QUIESCED_SHIFT, busy = 1u << EIE_STATUS_BUSY_SHIFT;
	uint32_t heads;

	run_for(m, cycles);
	eie_sim_write32(m->b.sim, EIE_REG_CTRL, ENABLE | 1u << EIE_CTRL_ABORT_SHIFT);
	await(m, EIE_REG_STATUS, quiet | busy, quiet);
	heads = eie_sim_read32(m->b.sim, queue_reg(m->queue, EIE_REG_Q_HEADS));
	eie_sim_write32(m->b.sim, EIE_REG_CTRL, ENABLE);
	return (heads & 0xffff) == m->b.q[m->queue].tail;
}

static void start_queues(struct fuzz_machine *m)
{
	for (unsigned int q = 0; q < BOARD_QUEUES; q++)
		queue_start(&m->b, q);
}

bool fuzz_reset(struct fuzz_machine *m)
{
	eie_sim_write32(m->b.sim, EIE_REG_CTRL, 1u << EIE_CTRL_RESET_SHIFT);
	if (!await(m, EIE_REG_CTRL, 1u << EIE_CTRL_RESET_SHIFT, 0))
		return false;
	shadow_end(&m->shadow);
	start_queues(m);
	return true;
}

bool fuzz_reset_queue(struct fuzz_machine *m, uint64_t cycles, const struct eie_desc *d, struct eie_cpl *cpl, bool *entry)
{
	const uint32_t ctrl = queue_reg(m->queue, EIE_REG_Q_CTRL), reset = 1u << EIE_Q_CTRL_RESET_SHIFT;

	run_for(m, cycles);
	eie_sim_write32(m->b.sim, ctrl, reset);
	if (!await(m, ctrl, reset, 0))
		return false;
	shadow_end(&m->shadow);
	*entry = queue_completed(&m->b, m->queue, cpl);
	queue_start(&m->b, m->queue);
	return !*entry || fuzz_check(m, d, cpl);
}

/* ---- the known job */

bool fuzz_known_works(struct fuzz_machine *m, bool cold)
{
	struct fuzz_job *j = &m->known_job;
	struct eie_cpl cpl;

	if (cold && !fuzz_reset(m))
		return false;
	fuzz_job_place(m, &m->known, j);
	fuzz_job_describe(&m->known, j);
	fuzz_submit(m, &m->known, &j->desc);
	if (!fuzz_finish(m, &j->desc, &cpl))
		return false;
	if (cpl.status != EIE_STATUS_OK)
		return fuzz_wrong(m, "the known job ends with status %u", cpl.status);
	fuzz_mem_get(m, &m->known, m->scratch);
	if (memcmp(m->scratch, m->known_result, m->mem_bytes))
		return fuzz_wrong(m, "the known job gives other bytes");
	if (cold && m->quiet) {
		if (m->known_cycles && m->known_cycles != cpl.cycles)
			return fuzz_wrong(m, "the known job takes %u cycles from a cold start, not %u", cpl.cycles,
					  m->known_cycles);
		m->known_cycles = cpl.cycles;
	}
	return true;
}

/* Makes it the known job and its result; the interpreter's status. */
static uint32_t try_known(struct fuzz_machine *m, const struct random_job *random, struct eie_cpl *cpl)
{
	struct fuzz_job *j = &m->known_job;

	j->n = random->pg.n;
	memcpy(j->cmds, random->pg.cmds, j->n * sizeof(struct eie_cmd));
	memcpy(j->mem, random->mem, m->mem_bytes);
	memcpy(m->known_result, j->mem, m->mem_bytes);
	/* the interpreter's commands are where the own space has them */
	fuzz_job_place(m, &m->own, j);
	fuzz_job_describe(&m->own, j);
	fuzz_ref_run(m, m->scratch_ref, j, m->known_result, NULL, cpl);
	return cpl->status;
}

static int make_known(struct fuzz_machine *m)
{
	struct rng r = rng_seed(KNOWN_SEED);
	struct random_job random;
	struct eie_cpl cpl;
	int ret = -EPROTO;

	if (random_job_init(&random, &m->b.params, m->mem_bytes))
		return -ENOMEM;
	m->known_job.desc.asid = FUZZ_ASID_KNOWN;
	m->known_job.desc.fence = 0x6b6e6f776eull;
	for (unsigned int i = 0; ret && i < 200; i++) {
		random_job_make(&random, &r, false);
		if (random.pg.n < 20 || random.pg.n > 60)
			continue;
		if (try_known(m, &random, &cpl) != EIE_STATUS_OK)
			break;
		ret = cpl.macs && memcmp(m->known_result, m->known_job.mem, m->mem_bytes) ? 0 : -EPROTO;
	}
	random_job_free(&random);
	return ret;
}

int fuzz_machine_open(struct fuzz_machine *m, const char *config, uint64_t seed, bool quiet)
{
	struct rng r = rng_seed(seed);
	struct eie_sim_params p = { .config = config, .seed = seed, .latency = rng_range(&r, 1, 90) };
	int ret;

	memset(m, 0, sizeof(*m));
	m->quiet = quiet;
	m->asid = FUZZ_ASID_FIRST;
	if (!quiet) {
		p.stall_permille = rng_permille(&r, 250) ? 0 : rng_range(&r, 1, rng_permille(&r, 200) ? 850 : 400);
		p.jitter = rng_permille(&r, 250) ? 0 : rng_range(&r, 1, 60);
	}
	ret = board_open(&m->b, &p, 8u << 20, 2, 1);
	if (ret)
		return ret;
	start_queues(m);
	m->mem_bytes = fuzz_mem_bytes(&m->b.params);
	m->known_job.mem = malloc(m->mem_bytes);
	m->known_result = malloc(m->mem_bytes);
	m->scratch = malloc(m->mem_bytes);
	if (!m->known_job.mem || !m->known_result || !m->scratch || eie_ref_new(&m->b.params, &m->ref) ||
	    eie_ref_new(&m->b.params, &m->scratch_ref) ||
	    shadow_open(&m->shadow, &m->b) || make_spaces(m, &r))
		ret = -ENOMEM;
	if (!ret)
		ret = make_known(m);
	if (ret)
		fuzz_machine_close(m);
	return ret;
}

void fuzz_machine_close(struct fuzz_machine *m)
{
	free(m->own.mem_pages);
	free(m->victim.mem_pages);
	free(m->known.mem_pages);
	free(m->known_job.mem);
	free(m->known_result);
	free(m->scratch);
	eie_ref_free(m->ref);
	eie_ref_free(m->scratch_ref);
	shadow_close(&m->shadow);
	board_close(&m->b);
}
