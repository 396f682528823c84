// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * The engine counters (docs/registers.md) over constrained-random jobs, alone and two in a row, some of which a command that
 * nobody knows cuts short: the classes of each engine add up to the cycles of the completion entries, and the granules of each
 * kind are what the bus and the commands say.
 *   test_engine_counters CONFIG [JOBS [SEED]]
 * Prints one TAP line; a failing job prints the seed that repeats it alone.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "board.h"
#include "commands.h"
#include "random_job.h"

#define VA_CMDS    0x10000000ull
#define VA_BASES   0x10100000ull
#define VA_MEM     0x40000000ull
#define CMDS_BYTES 0x8000ull
#define NBASES     3

enum kind { DESCRIPTORS, BASES, COMMANDS, TABLES, MEMORY, KINDS };

struct machine {
	struct board b;
	struct random_job job;
	struct space space;
	uint64_t bus_cmds, bus_bases, bus_mem;
	uint64_t read[KINDS], bursts;   /* bytes; bursts of reads */
	uint64_t entries, written;      /* bytes */
};

static bool inside(uint64_t addr, uint64_t first, uint64_t size)
{
	return addr >= first && addr - first < size;
}

/* What is neither of these is a page table. */
static enum kind kind_of(const struct machine *m, uint64_t addr)
{
	const struct board_queue *q = &m->b.q[0];

	if (inside(addr, q->sq, (uint64_t)EIE_DESC_BYTES << q->sq_log2))
		return DESCRIPTORS;
	if (inside(addr, m->bus_bases, 4096))
		return BASES;
	if (inside(addr, m->bus_cmds, CMDS_BYTES))
		return COMMANDS;
	return inside(addr, m->bus_mem, m->job.bytes) ? MEMORY : TABLES;
}

static void watch(void *ctx, uint64_t addr, size_t len, bool write)
{
	struct machine *m = ctx;
	const struct board_queue *q = &m->b.q[0];

	if (!write) {
		m->read[kind_of(m, addr)] += len;
		m->bursts++;
	} else if (inside(addr, q->cq, (uint64_t)EIE_CPL_BYTES << q->cq_log2)) {
		m->entries += len;
	} else {
		m->written += len;
	}
}

static int machine_open(struct machine *m, const char *config, uint64_t seed, size_t bytes)
{
	struct rng r = rng_seed(seed ^ 0xc0117);
	struct eie_sim_params p = { .config = config, .seed = seed, .latency = rng_range(&r, 1, 120),
				    .stall_permille = rng_permille(&r, 300) ? 0 : rng_range(&r, 0, 400),
				    .jitter = rng_permille(&r, 500) ? 0 : rng_range(&r, 1, 60) };

	memset(m, 0, sizeof(*m));
	if (board_open(&m->b, &p, bytes + (8u << 20), 2, 2) || random_job_init(&m->job, &m->b.params, bytes))
		return -1;
	m->bus_mem = board_alloc(&m->b, bytes, 1 << 21);
	m->bus_cmds = board_alloc(&m->b, CMDS_BYTES, 4096);
	m->bus_bases = board_alloc(&m->b, 4096, 4096);
	m->space = space_new(&m->b, 7);
	space_map(&m->space, VA_CMDS, m->bus_cmds, CMDS_BYTES, EIE_PTE_R, false);
	space_map(&m->space, VA_BASES, m->bus_bases, 4096, EIE_PTE_R, false);
	space_map(&m->space, VA_MEM, m->bus_mem, bytes, EIE_PTE_R | EIE_PTE_W, seed & 1);
	for (unsigned int i = 0; i < NBASES; i++)
		((uint64_t *)board_at(&m->b, m->bus_bases))[i] = VA_MEM;
	m->b.watch = watch;
	m->b.watch_ctx = m;
	return 0;
}

static void machine_close(struct machine *m)
{
	random_job_free(&m->job);
	board_close(&m->b);
}

static void counters(struct machine *m, uint64_t n[EIE_PERF_COUNTERS])
{
	for (uint32_t i = 0; i < EIE_PERF_COUNTERS; i++) {
		uint32_t lo = eie_sim_read32(m->b.sim, EIE_PERF_BASE + EIE_PERF_STRIDE * i);

		n[i] = lo | (uint64_t)eie_sim_read32(m->b.sim, EIE_PERF_BASE + EIE_PERF_STRIDE * i + 4) << 32;
	}
}

static bool same(const char *what, uint64_t counted, uint64_t want)
{
	if (counted != want)
		printf("# %s: counted %llu, not %llu\n", what, (unsigned long long)counted, (unsigned long long)want);
	return counted == want;
}

static uint64_t sum(const uint64_t *n, uint32_t first, uint32_t last)
{
	uint64_t s = 0;

	for (uint32_t i = first; i <= last; i++)
		s += n[i];
	return s;
}

/* Classes: cpl is the sum of the entries of all jobs that ran. */
static bool check_classes(const uint64_t *n, const struct eie_cpl *cpl, uint32_t jobs)
{
	return same("jobs", n[EIE_PERF_JOBS], jobs) & same("cycles", n[EIE_PERF_CYCLES], cpl->cycles) &
	       same("command processor", sum(n, EIE_PERF_CMD_BUSY, EIE_PERF_CMD_IDLE), cpl->cycles) &
	       same("load", sum(n, EIE_PERF_LOAD_BUSY, EIE_PERF_LOAD_IDLE), cpl->cycles) &
	       same("compute", sum(n, EIE_PERF_COMPUTE_BUSY, EIE_PERF_COMPUTE_TAIL), cpl->cycles) &
	       same("store", sum(n, EIE_PERF_STORE_BUSY, EIE_PERF_STORE_IDLE), cpl->cycles) &
	       same("compute busy", n[EIE_PERF_COMPUTE_BUSY], cpl->busy) &
	       same("compute drain", n[EIE_PERF_COMPUTE_DRAIN], cpl->stall_drain) &
	       same("compute array", n[EIE_PERF_COMPUTE_ARRAY], cpl->stall_array) &
	       same("compute load", n[EIE_PERF_COMPUTE_LOAD], cpl->stall_load) &
	       same("compute store", n[EIE_PERF_COMPUTE_STORE], cpl->stall_store) &
	       same("compute sync", n[EIE_PERF_COMPUTE_SYNC], cpl->stall_sync) &
	       same("compute cmd", n[EIE_PERF_COMPUTE_CMD], cpl->stall_cmd) &
	       same("compute front", n[EIE_PERF_COMPUTE_FRONT], cpl->stall_front) &
	       same("compute tail", n[EIE_PERF_COMPUTE_TAIL], cpl->stall_tail) &
	       same("commands", n[EIE_PERF_CMD_BUSY], cpl->commands);
}

/* A 256-bit bus may carry a granule more a burst than was asked for (hw/rtl/eie_axi_width.sv). */
static bool same_bytes(const struct machine *m, const char *what, uint64_t granules, uint64_t seen, uint64_t bursts)
{
	uint64_t bytes = granules * EIE_GRANULE_BYTES;

	if (m->b.params.bus_bits == 256 && seen > bytes && seen - bytes <= bursts * EIE_GRANULE_BYTES)
		return true;
	return same(what, bytes, seen);
}

/* Granules against the bus; what a job that failed dropped came from commands, base table or memory. */
static bool check_bus(struct machine *m, const uint64_t *n, const struct eie_cpl *cpl)
{
	uint64_t loaded = sum(n, EIE_PERF_READ_ABUF, EIE_PERF_READ_CBUF), total = 0;
	bool ok = same_bytes(m, "descriptors", n[EIE_PERF_READ_DESCRIPTORS], m->read[DESCRIPTORS], 0) &
		  same("completion entries", n[EIE_PERF_WRITE_COMPLETIONS] * EIE_GRANULE_BYTES, m->entries) &
		  same("stores", n[EIE_PERF_WRITE_ABUF] * EIE_GRANULE_BYTES, m->written);

	for (unsigned int k = 0; k < KINDS; k++)
		total += m->read[k];
	ok &= same_bytes(m, "all reads", sum(n, EIE_PERF_READ_DESCRIPTORS, EIE_PERF_READ_CBUF) + n[EIE_PERF_READ_DROPPED], total,
			 m->bursts);
	if (cpl->status == EIE_STATUS_OK) {
		ok &= same_bytes(m, "base tables", n[EIE_PERF_READ_BASES], m->read[BASES], m->bursts) &
		      same_bytes(m, "commands", n[EIE_PERF_READ_COMMANDS], m->read[COMMANDS], m->bursts) &
		      same_bytes(m, "page tables", n[EIE_PERF_READ_TABLES], m->read[TABLES], 0) &
		      same_bytes(m, "loads", loaded, m->read[MEMORY], m->bursts) &
		      same("dropped reads", n[EIE_PERF_READ_DROPPED], 0) & same("dropped writes", n[EIE_PERF_WRITE_DROPPED], 0) &
		      same("read beats", n[EIE_PERF_READ_BASES] + n[EIE_PERF_READ_COMMANDS] + loaded, cpl->read_beats) &
		      same("write beats", n[EIE_PERF_WRITE_ABUF], cpl->write_beats);
	}
	return ok;
}

/* Granules against the commands, which ran `times` times. */
static bool check_kinds(const struct machine *m, const uint64_t *n, uint32_t times)
{
	static const char *const names[] = { "to ABUF", "to WBUF", "to PBUF", "to RBUF", "to CBUF" };
	uint64_t want[5] = { 0 }, selected[5] = { 0 };   /* selected: at most so many more; random_jobs holds them to the interpreter's number */
	bool ok = true;

	for (uint32_t i = 0; i < m->job.pg.n; i++) {
		const struct eie_cmd *c = &m->job.pg.cmds[i];

		if (CMD_GET(c, OPCODE) == EIE_OP_LOAD)
			want[CMD_GET(c, XFER_TARGET)] += (uint64_t)times * CMD_GET(c, XFER_LEN) * CMD_GET(c, XFER_ROWS);
		if (CMD_GET(c, OPCODE) == EIE_OP_SELECT)
			selected[CMD_GET(c, XFER_TARGET)] += (uint64_t)times * CMD_GET(c, XFER_LEN) * CMD_GET(c, XFER_ROWS);
	}
	for (unsigned int b = 0; b < 5; b++) {
		uint64_t got = n[EIE_PERF_READ_ABUF + b];

		ok &= same(names[b], got, got < want[b] ? want[b] : got > want[b] + selected[b] ? want[b] + selected[b] : got);
	}
	ok &= same("no weights, no span", !n[EIE_PERF_WEIGHT_SPAN], !n[EIE_PERF_READ_WBUF]);
	if (n[EIE_PERF_WEIGHT_BEATS] < n[EIE_PERF_READ_WBUF] || n[EIE_PERF_WEIGHT_BEATS] > n[EIE_PERF_WEIGHT_SPAN] ||
	    n[EIE_PERF_WEIGHT_SPAN] > n[EIE_PERF_CYCLES]) {
		printf("# span of weights: %llu granules of weights, %llu of all, %llu cycles\n",
		       (unsigned long long)n[EIE_PERF_READ_WBUF], (unsigned long long)n[EIE_PERF_WEIGHT_BEATS],
		       (unsigned long long)n[EIE_PERF_WEIGHT_SPAN]);
		ok = false;
	}
	return ok;
}

static void add(struct eie_cpl *to, const struct eie_cpl *c)
{
	uint32_t *const sums[] = { &to->cycles, &to->busy, &to->stall_drain, &to->stall_array, &to->stall_load, &to->stall_store,
				   &to->stall_sync, &to->stall_cmd, &to->stall_front, &to->stall_tail, &to->commands, &to->read_beats,
				   &to->write_beats };
	const uint32_t one[] = { c->cycles, c->busy, c->stall_drain, c->stall_array, c->stall_load, c->stall_store,
				 c->stall_sync, c->stall_cmd, c->stall_front, c->stall_tail, c->commands, c->read_beats,
				 c->write_beats };

	for (unsigned int i = 0; i < sizeof(one) / sizeof(one[0]); i++)
		*sums[i] += one[i];
	to->status = to->status ? to->status : c->status;
}

/* One job, or the same twice, in which case the second finds its predecessor's results in memory and does the same with them. */
static bool run_one(struct machine *m, struct rng *r, bool big, uint64_t *failed_jobs)
{
	uint64_t before[EIE_PERF_COUNTERS], after[EIE_PERF_COUNTERS];
	bool broken = rng_permille(r, 200), ok;
	uint32_t times = 1 + rng_permille(r, 300);
	struct eie_desc d = { 0 };
	struct eie_cpl all = { 0 }, cpl;

	random_job_make(&m->job, r, big);
	memcpy(board_at(&m->b, m->bus_mem), m->job.mem, m->job.bytes);
	if (broken)
		CMD_SET(&m->job.pg.cmds[rng_range(r, 0, m->job.pg.n - 1)], OPCODE, 0xff);
	memcpy(board_at(&m->b, m->bus_cmds), m->job.pg.cmds, m->job.pg.n * sizeof(struct eie_cmd));
	d.root = m->space.root;
	d.asid = m->space.asid;
	d.nbases = rng_range(r, 1, NBASES);
	d.bases = VA_BASES;
	d.cmds = VA_CMDS;
	d.ncmds = m->job.pg.n;

	counters(m, before);
	memset(m->read, 0, sizeof(m->read));
	m->bursts = m->entries = m->written = 0;
	for (uint32_t i = 0; i < times; i++)
		board_submit(&m->b, &d);
	for (uint32_t i = 0; i < times; i++) {
		if (!board_wait(&m->b, &cpl, 20000000)) {
			printf("# the job does not end\n");
			return false;
		}
		add(&all, &cpl);
	}
	/* nothing counts while no job is there */
	eie_sim_run(m->b.sim, rng_range(r, 0, 300));
	counters(m, after);
	for (uint32_t i = 0; i < EIE_PERF_COUNTERS; i++)
		after[i] -= before[i];
	ok = check_classes(after, &all, times) & check_bus(m, after, &all) &
	     same("status", all.status, broken ? EIE_STATUS_BAD_COMMAND : EIE_STATUS_OK) &
	     same("assertions failed", (uint64_t)eie_sim_assert_failed(m->b.sim), 0);
	if (!broken)
		ok &= check_kinds(m, after, times);
	*failed_jobs += broken;
	return ok;
}

int main(int argc, char **argv)
{
	const char *config = argc > 1 ? argv[1] : "2x2";
	bool small = !strncmp(config, "2x", 2);
	unsigned long jobs = argc > 2 ? strtoul(argv[2], NULL, 0) : small ? 400 : strcmp(config, "16x16") ? 40 : 10;
	uint64_t seed = argc > 3 ? strtoull(argv[3], NULL, 0) : 1, failed_jobs = 0;
	size_t bytes = small ? 4u << 20 : 16u << 20;
	struct machine m;

	/* another machine, with another bus, every twenty jobs */
	for (unsigned long k = 0; k < jobs; k++) {
		struct rng r = rng_seed(seed + k);

		if (k % 20 == 0 && machine_open(&m, config, seed + k, bytes)) {
			printf("not ok - %s: cannot open the simulated machine\n", config);
			return 1;
		}
		if (!run_one(&m, &r, rng_permille(&r, small ? 300 : 60), &failed_jobs)) {
			printf("not ok - %s: job %lu of seed %llu\n", config, k, (unsigned long long)seed);
			return 1;
		}
		if (k % 20 == 19 || k + 1 == jobs)
			machine_close(&m);
	}
	printf("ok - %s: engine counters of %lu random jobs, %llu of them cut short, add up\n", config, jobs,
	       (unsigned long long)failed_jobs);
	return 0;
}
