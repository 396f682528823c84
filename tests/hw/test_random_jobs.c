// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Constrained-random jobs on the RTL and on the sequential interpreter: all memory and the completion entry must agree.
 *   test_random_jobs CONFIG JOBS [SEED]
 * Prints one TAP line a hundred jobs; a failing job prints the seed that repeats it alone.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "board.h"
#include "random_job.h"

#define VA_CMDS  0x10000000ull
#define VA_BASES 0x10100000ull
#define VA_MEM   0x40000000ull
#define CMDS_BYTES 0x8000ull

struct machine {
	struct board b;
	struct eie_ref *ref;
	struct random_job job;
	uint8_t *golden;     /* the interpreter's copy of the job's memory */
	uint64_t bus_cmds, bus_bases, bus_mem;
	uint64_t read, written;   /* bytes, by the interpreter */
	struct space spaces[2];
};

/* The interpreter's view: same device addresses, memory of its own. */
static uint32_t golden_at(struct machine *m, uint64_t va, size_t len, bool write, uint8_t **p)
{
	if (va >= VA_MEM && va + len <= VA_MEM + m->job.bytes)
		*p = m->golden + (va - VA_MEM);
	else if (!write && va >= VA_CMDS && va + len <= VA_CMDS + CMDS_BYTES)
		*p = (uint8_t *)board_at(&m->b, m->bus_cmds) + (va - VA_CMDS);
	else if (!write && va >= VA_BASES && va + len <= VA_BASES + 4096)
		*p = (uint8_t *)board_at(&m->b, m->bus_bases) + (va - VA_BASES);
	else
		return EIE_STATUS_PAGE_FAULT;
	return EIE_STATUS_OK;
}

static uint32_t golden_read(void *ctx, uint64_t va, void *buf, size_t len)
{
	uint8_t *p = NULL;
	uint32_t status = golden_at(ctx, va, len, false, &p);

	((struct machine *)ctx)->read += len;
	if (!status)
		memcpy(buf, p, len);
	return status;
}

static uint32_t golden_write(void *ctx, uint64_t va, const void *buf, size_t len)
{
	uint8_t *p = NULL;
	uint32_t status = golden_at(ctx, va, len, true, &p);

	((struct machine *)ctx)->written += len;
	if (!status)
		memcpy(p, buf, len);
	return status;
}

static int machine_open(struct machine *m, const char *config, uint64_t seed, size_t bytes)
{
	struct rng r = rng_seed(seed ^ 0xb0a7d);
	struct eie_sim_params p = { .config = config, .seed = seed, .latency = rng_range(&r, 1, 120),
				    .stall_permille = rng_permille(&r, 300) ? 0 : rng_range(&r, 0, 400),
				    .jitter = rng_permille(&r, 500) ? 0 : rng_range(&r, 1, 60) };

	memset(m, 0, sizeof(*m));
	if (board_open(&m->b, &p, bytes + (8u << 20), 2, 1))
		return -1;
	m->golden = malloc(bytes);
	if (!m->golden || random_job_init(&m->job, &m->b.params, bytes) || eie_ref_new(&m->b.params, &m->ref))
		return -1;
	m->bus_mem = board_alloc(&m->b, bytes, 1 << 21);
	m->bus_cmds = board_alloc(&m->b, CMDS_BYTES, 4096);
	m->bus_bases = board_alloc(&m->b, 4096, 4096);
	for (unsigned int i = 0; i < 2; i++) {
		m->spaces[i] = space_new(&m->b, (uint16_t)(7 + 1000 * i));
		space_map(&m->spaces[i], VA_CMDS, m->bus_cmds, CMDS_BYTES, EIE_PTE_R, false);
		space_map(&m->spaces[i], VA_BASES, m->bus_bases, 4096, EIE_PTE_R, false);
		space_map(&m->spaces[i], VA_MEM, m->bus_mem, bytes, EIE_PTE_R | EIE_PTE_W, i == 1);
	}
	((uint64_t *)board_at(&m->b, m->bus_bases))[0] = VA_MEM;
	return 0;
}

static void machine_close(struct machine *m)
{
	random_job_free(&m->job);
	eie_ref_free(m->ref);
	free(m->golden);
	board_close(&m->b);
}

static bool same(const char *what, uint64_t rtl, uint64_t ref)
{
	if (rtl != ref)
		printf("# %s: RTL %llu, interpreter %llu\n", what, (unsigned long long)rtl, (unsigned long long)ref);
	return rtl == ref;
}

static bool sums_up(const struct eie_cpl *c)
{
	uint64_t sum = (uint64_t)c->busy + c->stall_drain + c->stall_array + c->stall_load + c->stall_store + c->stall_sync +
		       c->stall_cmd + c->stall_front + c->stall_tail;

	return same("cycles against busy + stalls", c->cycles, sum) &&
	       same("cycles against times", c->cycles, c->time_end - c->time_start);
}

static bool run_one(struct machine *m, struct rng *r, bool big, uint64_t *macs)
{
	const struct eie_ref_mem mem = { golden_read, golden_write, m };
	struct space *s = &m->spaces[rng_range(r, 0, 1)];
	struct eie_desc d = { 0 };
	struct eie_cpl rtl, ref;
	uint8_t *ram = board_at(&m->b, m->bus_mem);
	bool ok;

	random_job_make(&m->job, r, big);
	memcpy(ram, m->job.mem, m->job.bytes);
	memcpy(m->golden, m->job.mem, m->job.bytes);
	memcpy(board_at(&m->b, m->bus_cmds), m->job.pg.cmds, m->job.pg.n * sizeof(struct eie_cmd));

	d.fence = rng_next(r);
	d.root = s->root;
	d.asid = s->asid;
	d.nbases = 1;
	d.bases = VA_BASES;
	d.cmds = VA_CMDS;
	d.ncmds = m->job.pg.n;
	m->read = m->written = 0;
	board_submit(&m->b, &d);
	eie_ref_run(m->ref, &d, &mem, &ref);
	if (!board_wait(&m->b, &rtl, 20000000)) {
		printf("# the job does not end; interpreter's status %u, %u commands\n", ref.status, m->job.pg.n);
		return false;
	}
	ok = same("status", rtl.status, ref.status) & same("fence", rtl.fence, d.fence) & same("macs", rtl.macs, ref.macs) &
	     same("saturated", rtl.saturated, ref.saturated) & same("commands", rtl.commands, ref.commands) &
	     same("granules read", rtl.read_beats, m->read / EIE_GRANULE_BYTES) &
	     same("granules written", rtl.write_beats, m->written / EIE_GRANULE_BYTES) &
	     same("status OK", rtl.status, EIE_STATUS_OK) & sums_up(&rtl) &
	     same("assertions failed", (uint64_t)eie_sim_assert_failed(m->b.sim), 0);
	if (memcmp(ram, m->golden, m->job.bytes)) {
		size_t i = 0, n = 0;

		for (size_t k = m->job.bytes; k-- > 0;)
			if (ram[k] != m->golden[k]) {
				i = k;
				n++;
			}
		printf("# memory differs in %zu bytes, first at granule %zu byte %zu\n", n, i / 16, i % 16);
		ok = false;
	}
	*macs += rtl.macs;
	return ok;
}

int main(int argc, char **argv)
{
	const char *config = argc > 1 ? argv[1] : "2x2";
	unsigned long jobs = argc > 2 ? strtoul(argv[2], NULL, 0) : 1000, failed = 0;
	uint64_t seed = argc > 3 ? strtoull(argv[3], NULL, 0) : 1, macs = 0, cycles = 0;
	bool small = !strncmp(config, "2x2", 3);
	struct machine m;

	/* another machine, with another bus, every hundred seeds */
	for (unsigned long k = 0; k < jobs && failed < 10; k++) {
		struct rng r = rng_seed(seed + k);

		if (!k || (seed + k) % 100 == 0) {
			if (k) {
				cycles += eie_sim_cycles(m.b.sim);
				machine_close(&m);
				printf("ok - %s: random jobs to seed %llu\n", config, (unsigned long long)(seed + k));
			}
			fflush(stdout);
			if (machine_open(&m, config, (seed + k) / 100, small ? 4u << 20 : 16u << 20)) {
				printf("not ok - %s: cannot open the simulated machine\n", config);
				return 1;
			}
		}
		if (!run_one(&m, &r, rng_permille(&r, small ? 300 : 60), &macs)) {
			printf("not ok - %s: job %lu; alone: %s %s 1 %llu\n", config, k, argv[0], config, (unsigned long long)(seed + k));
			failed++;
			/* a fresh machine: one failure must not hide or cause others */
			machine_close(&m);
			if (machine_open(&m, config, (seed + k) / 100, small ? 4u << 20 : 16u << 20))
				return 1;
		}
	}
	cycles += eie_sim_cycles(m.b.sim);
	machine_close(&m);
	printf("%s - %s: %lu random jobs, %llu multiply-accumulates, %llu cycles, every byte compared\n", failed ? "not ok" : "ok",
	       config, jobs, (unsigned long long)macs, (unsigned long long)cycles);
	return failed != 0;
}
