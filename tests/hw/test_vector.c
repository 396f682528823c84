// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Vector mode on the RTL: random geometries against the definition of a convolution, pooling of the same images, products and tables against
 * the interpreter; then the same jobs with a few bits of one command changed against the interpreter's verdict; and what another address space left in
 * ABUF, which no command may pass on. A configuration without vector mode must refuse the commands.
 *   test_vector CONFIG [JOBS [SEED [FILE]]]       FILE gets the completion entries of all jobs
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "board.h"
#include "element_job.h"
#include "pool_job.h"
#include "rng.h"

#define CYCLE_LIMIT 3000000u

struct machine {
	struct board b;
	struct eie_ref *ref;
	struct space space[2];   /* with the same memory; jobs alternate, for none is to see what the one before it left in ABUF */
	unsigned int runs;
	uint64_t bus;
	uint8_t *golden;   /* the interpreter's memory */
};

static uint32_t golden_read(void *ctx, uint64_t va, void *buf, size_t len)
{
	const struct machine *m = ctx;

	if (va < VJOB_VA || va + len > VJOB_VA + VJOB_BYTES)
		return EIE_STATUS_PAGE_FAULT;
	memcpy(buf, m->golden + (va - VJOB_VA), len);
	return EIE_STATUS_OK;
}

static uint32_t golden_write(void *ctx, uint64_t va, const void *buf, size_t len)
{
	struct machine *m = ctx;

	if (va < VJOB_VA || va + len > VJOB_VA + VJOB_BYTES)
		return EIE_STATUS_PAGE_FAULT;
	memcpy(m->golden + (va - VJOB_VA), buf, len);
	return EIE_STATUS_OK;
}

static int machine_open(struct machine *m, const char *config, uint64_t seed)
{
	struct rng r = rng_seed(seed);
	struct eie_sim_params p = { .config = config, .seed = seed, .latency = rng_range(&r, 1, 60),
				    .stall_permille = rng_permille(&r, 300) ? 0 : rng_range(&r, 0, 300), .jitter = rng_range(&r, 0, 20) };

	memset(m, 0, sizeof(*m));
	m->golden = malloc(VJOB_BYTES);
	if (!m->golden || board_open(&m->b, &p, 8u << 20, 2, 1) || eie_ref_new(&m->b.params, &m->ref))
		return -1;
	m->bus = board_alloc(&m->b, VJOB_BYTES, 4096);
	for (uint16_t i = 0; i < 2; i++) {
		m->space[i] = space_new(&m->b, 5 + i);
		space_map(&m->space[i], VJOB_VA, m->bus, VJOB_BYTES, EIE_PTE_R | EIE_PTE_W, false);
	}
	return 0;
}

static void machine_close(struct machine *m)
{
	eie_ref_free(m->ref);
	free(m->golden);
	board_close(&m->b);
}

static FILE *entries;

/* On both; false when the RTL does not end. The job's memory becomes the RTL's. */
static bool run(struct machine *m, struct vjob *j, struct eie_cpl *rtl, struct eie_cpl *ref)
{
	const struct eie_ref_mem mem = { golden_read, golden_write, m };
	const struct space *space = &m->space[m->runs++ % 2];
	uint8_t *ram = board_at(&m->b, m->bus);

	vjob_finish(j);
	memset(j->memory + j->out, 0xa5, j->out_granules * EIE_GRANULE_BYTES);
	memcpy(ram, j->memory, VJOB_BYTES);
	memcpy(m->golden, j->memory, VJOB_BYTES);
	j->desc.root = space->root;
	j->desc.asid = space->asid;
	j->desc.cycle_limit = CYCLE_LIMIT;
	board_submit(&m->b, &j->desc);
	eie_ref_run(m->ref, &j->desc, &mem, ref);
	if (!board_wait(&m->b, rtl, 2 * CYCLE_LIMIT))
		return false;
	if (entries && fwrite(rtl, sizeof(*rtl), 1, entries) != 1) {
		perror("the file of entries");
		exit(1);
	}
	memcpy(j->memory, ram, VJOB_BYTES);
	return true;
}

static bool same(const char *what, uint64_t got, uint64_t want)
{
	if (got != want)
		printf("# %s: %llu, want %llu\n", what, (unsigned long long)got, (unsigned long long)want);
	return got == want;
}

static bool sums_up(const struct eie_cpl *c)
{
	return same("cycles against busy + stalls", c->cycles, (uint64_t)c->busy + c->stall_drain + c->stall_array + c->stall_load +
		    c->stall_store + c->stall_sync + c->stall_cmd + c->stall_front + c->stall_tail);
}

static bool check_good(struct machine *m, struct vjob *j)
{
	struct eie_cpl rtl, ref;
	bool ok = run(m, j, &rtl, &ref);

	if (!ok) {
		printf("# the job does not end\n");
		return false;
	}
	ok = same("status", rtl.status, EIE_STATUS_OK) & same("macs", rtl.macs, j->want_macs) &
	     same("saturated", rtl.saturated, j->want_saturated) & sums_up(&rtl) &
	     same("assertions failed", (uint64_t)eie_sim_assert_failed(m->b.sim), 0) &
	     same("bytes that differ", (uint64_t)!!memcmp(j->memory, m->golden, VJOB_BYTES), 0);
	for (uint32_t r = 0; ok && r < j->g.rows; r++)
		for (uint32_t c = 0; ok && c < j->p.clusters; c++)
			for (uint32_t i = 0; ok && i < j->g.groups * 8; i++)
				ok = same("output", (uint16_t)vjob_out(j, r, c, i),
					  (uint16_t)j->want[(size_t)(r * j->p.clusters + c) * j->g.groups * 8 + i]);
	return ok;
}

/* Every byte as the interpreter has it, which tests/lib/test_pool.c and test_element.c hold to the definition. */
static bool check_map(struct machine *m, struct vjob *j)
{
	struct eie_cpl rtl, ref;

	if (!run(m, j, &rtl, &ref)) {
		printf("# the job does not end\n");
		return false;
	}
	return same("status", rtl.status, EIE_STATUS_OK) & same("interpreter's status", ref.status, EIE_STATUS_OK) &
	       same("macs", rtl.macs, 0) & same("saturated", rtl.saturated, ref.saturated) & sums_up(&rtl) &
	       same("assertions failed", (uint64_t)eie_sim_assert_failed(m->b.sim), 0) &
	       same("bytes that differ", (uint64_t)!!memcmp(j->memory, m->golden, VJOB_BYTES), 0);
}

static bool run_time_fault(uint32_t status)
{
	return status == EIE_STATUS_UNWRITTEN || status == EIE_STATUS_BAD_STREAM || status == EIE_STATUS_BAD_PARAM;
}

struct extent {
	uint64_t first, granules;
};

static bool overlap(struct extent a, struct extent b)
{
	return a.first < b.first + b.granules && b.first < a.first + a.granules;
}

/* What a command does that reads where it writes is not defined, but for a product or table that goes exactly to where an operand was. */
static bool undefined(const struct eie_cmd *cmd)
{
	uint32_t op = CMD_GET(cmd, OPCODE);
	uint64_t channels = CMD_GET(cmd, VPOOL_CHANNELS);   /* and input, planes: the same bits in all three */
	struct extent in = { CMD_GET(cmd, VPOOL_IN), channels * CMD_GET(cmd, VPOOL_PLANE) }, out, b;

	if (op == EIE_OP_VPOOL) {
		out = (struct extent){ CMD_GET(cmd, VPOOL_OUT), channels * CMD_GET(cmd, VPOOL_OUT_PLANE) };
		return overlap(in, out);
	}
	if (op != EIE_OP_VMUL && op != EIE_OP_VTABLE)
		return false;
	out = (struct extent){ CMD_GET(cmd, VMUL_OUT), channels * CMD_GET(cmd, VMUL_OUT_PLANE) };
	b = (struct extent){ CMD_GET(cmd, VMUL_B), op == EIE_OP_VTABLE ? EIE_TABLE_GRANULES : channels * CMD_GET(cmd, VMUL_B_PLANE) };
	if (in.first == out.first && in.granules == out.granules)
		in.granules = 0;
	if (op == EIE_OP_VMUL && !CMD_GET(cmd, VMUL_CHANNEL) && b.first == out.first && b.granules == out.granules)
		b.granules = 0;
	return (in.granules && overlap(in, out)) || (b.granules && overlap(b, out));
}

/*
 * One command with a few bits changed. What is found before the command starts, and a job that is right after all, must be the same on both. Of
 * faults at run time the array may see another one first than the interpreter, which goes column by column.
 */
static bool check_mutant(struct machine *m, struct vjob *j, unsigned int at, struct rng *r, unsigned int counts[3])
{
	struct eie_cmd good = j->cmd[at];
	struct eie_cpl rtl, ref;
	bool ok;

	for (unsigned int n = rng_range(r, 1, 2); n; n--) {
		unsigned int bit = rng_range(r, 13, 255);

		j->cmd[at].dw[bit / 32] ^= htole32(1u << bit % 32);
	}
	if (undefined(&j->cmd[at])) {
		j->cmd[at] = good;
		return true;
	}
	ok = run(m, j, &rtl, &ref);
	if (!ok) {
		printf("# the job does not end; interpreter's status %u\n", ref.status);
	} else if (run_time_fault(ref.status)) {
		ok = run_time_fault(rtl.status) ? true : same("status", rtl.status, ref.status);
		ok = ok && same("command", rtl.fault_cmd, ref.fault_cmd);
		counts[2]++;
	} else {
		ok = same("status", rtl.status, ref.status) & same("command", rtl.fault_cmd, ref.fault_cmd);
		if (rtl.status == EIE_STATUS_OK)
			ok = ok & same("macs", rtl.macs, ref.macs) & same("saturated", rtl.saturated, ref.saturated) &
			     same("bytes that differ", (uint64_t)!!memcmp(j->memory, m->golden, VJOB_BYTES), 0);
		counts[rtl.status != EIE_STATUS_OK]++;
	}
	ok = ok && same("assertions failed", (uint64_t)eie_sim_assert_failed(m->b.sim), 0);
	if (!ok)
		for (int i = 0; i < 8; i++)
			printf("# dword %d: %08x, was %08x\n", i, le32toh(j->cmd[at].dw[i]), le32toh(good.dw[i]));
	j->cmd[at] = good;
	return ok;
}

/* The job's command at `at`, before its store, reads what another address space left: it faults, and none of its output can be stored. */
static bool keeps_secret(struct machine *m, const struct vjob *job, unsigned int at, const char *what)
{
	const struct eie_params *p = &m->b.params;
	const struct eie_cmd *store = &job->cmd[at + 1];
	uint32_t out = CMD_GET(store, XFER_ADDR), n = (CMD_GET(store, XFER_ROWS) - 1) * CMD_GET(store, XFER_BUF_STRIDE) + CMD_GET(store, XFER_LEN);
	struct vjob *j = calloc(1, sizeof(*j));
	struct eie_cpl rtl, ref;
	bool ok;

	*j = *job;
	/* the other one fills ABUF */
	j->cmd[0] = vxfer(EIE_OP_LOAD, EIE_BUF_ABUF, 0, p->abuf, 1);
	j->ncmds = 1;
	ok = run(m, j, &rtl, &ref) && same("status of what fills ABUF", rtl.status, EIE_STATUS_OK);

	/* this one only computes; both have the turn that run() gives them, so the next takes the other's place */
	*j = *job;
	j->cmd[0] = job->cmd[at];
	CMD_SET(&j->cmd[0], WAIT_PREV, 0);
	CMD_SET(&j->cmd[0], SIGNAL_NEXT, 0);
	j->ncmds = 1;
	ok = ok && run(m, j, &rtl, &ref) && same(what, rtl.status, EIE_STATUS_UNWRITTEN);
	for (uint32_t g = out; ok && g < out + n; g++) {
		j->cmd[0] = vxfer(EIE_OP_STORE, EIE_BUF_ABUF, j->out, 1, 1);
		CMD_SET(&j->cmd[0], XFER_ADDR, g);
		j->out_granules = 1;
		m->runs++;   /* the same address space again */
		ok = run(m, j, &rtl, &ref) && same(what, rtl.status, EIE_STATUS_UNWRITTEN);
		if (!ok)
			printf("# granule %u\n", g);
	}
	free(j);
	return ok;
}

static bool check_secrets(struct machine *m)
{
	static const struct vgeometry g = { .channels = 8, .width = 8, .height = 4, .kx = 1, .ky = 1, .sx = 1, .sy = 1, .dx = 1, .dy = 1,
					    .out_x = 8, .groups = 4, .rows = 1, .plane = 4, .out_plane = 4, .lo = -32767, .hi = 32767 };
	static const struct element elements[] = {
		{ .channels = 8, .groups = 4, .plane = 4, .b_plane = 4, .out_plane = 4, .m = 1, .s = 1, .lo = -32767, .hi = 32767 },
		{ .channels = 8, .groups = 4, .plane = 4, .b_plane = 1, .out_plane = 4, .channel = true, .m = 1, .s = 1, .lo = -32767, .hi = 32767 },
		{ .channels = 8, .groups = 4, .plane = 4, .out_plane = 4, .table = true },
	};
	struct vjob *j = pool_new(&m->b.params, &g, 2);
	bool ok = keeps_secret(m, j, POOL_VPOOL, "VPOOL");

	vjob_free(j);
	for (int i = 0; i < 3; i++) {
		j = element_new(&m->b.params, &elements[i], 2);
		ok = ok && keeps_secret(m, j, ELEMENT_OP, elements[i].table ? "VTABLE" : "VMUL");
		vjob_free(j);
	}
	return ok;
}

static int refuses(struct machine *m, const char *config)
{
	static const struct vgeometry g = { 2, 8, 1, 0, 1, 1, 1, 1, 1, 1, 0, 0, 8, 0, 0, 1, 1, 1, 1, 0, false, 50, 0, -32767, 32767, false };
	struct vjob *j = vjob_new(&m->b.params, &g, 1);
	static const uint32_t opcodes[] = { EIE_OP_VMAC, EIE_OP_VDRAIN, EIE_OP_VPOOL, EIE_OP_VMUL, EIE_OP_VTABLE };
	struct eie_cpl rtl, ref;
	bool ok = true;

	for (int i = 0; i < 5; i++) {
		CMD_SET(&j->cmd[VJOB_VMAC], OPCODE, opcodes[i]);
		ok = run(m, j, &rtl, &ref) && ok && same("status", rtl.status, EIE_STATUS_BAD_COMMAND) &&
		     same("command", rtl.fault_cmd, 1u << EIE_CPL_FAULT_VALID_SHIFT | VJOB_VMAC) &&
		     same("interpreter's status", ref.status, EIE_STATUS_BAD_COMMAND);
	}
	vjob_free(j);
	printf("%s - %s: has no vector mode, and refuses its commands\n", ok ? "ok" : "not ok", config);
	return !ok;
}

int main(int argc, char **argv)
{
	const char *config = argc > 1 ? argv[1] : "2x8-vector";
	unsigned long jobs = argc > 2 ? strtoul(argv[2], NULL, 0) : 300, failed = 0, at = 0;
	uint64_t seed = argc > 3 ? strtoull(argv[3], NULL, 0) : 1, macs = 0;
	unsigned int counts[3] = { 0 };
	struct machine m;

	if (argc > 4 && !(entries = fopen(argv[4], "wb"))) {
		perror(argv[4]);
		return 1;
	}
	if (machine_open(&m, config, seed)) {
		printf("not ok - %s: cannot open the simulated machine\n", config);
		return 1;
	}
	if (!(m.b.params.features & EIE_FEATURE_VECTOR)) {
		failed = (unsigned long)refuses(&m, config);
		machine_close(&m);
		return failed != 0;
	}
	for (; at < jobs && failed < 5; at++) {
		struct rng r = rng_seed(seed + at);
		uint64_t geometry = rng_next(&r);
		struct vgeometry g = vgeometry_random(&m.b.params, &geometry);
		struct vjob *j = vjob_new(&m.b.params, &g, rng_next(&r)), *pool = pool_new(&m.b.params, &g, rng_next(&r));
		struct element e = element_random(&m.b.params, &geometry);
		struct vjob *element = element_new(&m.b.params, &e, rng_next(&r));
		bool ok = check_good(&m, j) && check_map(&m, pool) && check_map(&m, element);

		macs += j->want_macs;
		for (int i = 0; ok && i < 4; i++)
			ok = check_mutant(&m, j, rng_range(&r, 0, 1) ? VJOB_VMAC : VJOB_VDRAIN, &r, counts);
		for (int i = 0; ok && i < 2; i++)
			ok = check_mutant(&m, pool, POOL_VPOOL, &r, counts);
		for (int i = 0; ok && i < 2; i++)
			ok = check_mutant(&m, element, ELEMENT_OP, &r, counts);
		vjob_free(j);
		vjob_free(pool);
		vjob_free(element);
		if (ok)
			continue;
		printf("not ok - %s: job %lu; alone: %s %s 1 %llu\n", config, at, argv[0], config, (unsigned long long)(seed + at));
		failed++;
		machine_close(&m);
		if (machine_open(&m, config, seed))
			return 1;
	}
	if (!failed && !check_secrets(&m)) {
		printf("not ok - %s: a secret of another address space\n", config);
		failed++;
	}
	machine_close(&m);
	if (entries && fclose(entries)) {
		perror(argv[4]);
		failed++;
	}
	printf("%s - %s: %lu convolutions, poolings and tables or products, %llu multiply-accumulates; of changed ones %u right, %u malformed, %u fail later\n",
	       failed ? "not ok" : "ok", config, at, (unsigned long long)macs, counts[0], counts[1], counts[2]);
	return failed != 0;
}
