// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Programs without order, and programs that are none. What they compute is undefined; what is not: they touch nothing outside
 * their address space (the shadow), nothing of another address space can be seen in what they store or in their completion entry,
 * and the next job is right.
 *
 * The second is shown by two machines that differ in nothing but a victim's secrets. The victim fills the buffers of both and
 * leaves sums of secrets in the accumulators; whatever comes then must be the same on both, to the byte and to the cycle.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz_jobs.h"
#include "fuzz_mutate.h"

#define PAIR 2u
#define ROUND 5u             /* attacks on one planted secret */
#define WINDOW 512u          /* granules of every buffer that get secrets, at most */
#define SECRET_COLUMNS 16u   /* of the victim's MACs */
#define CYCLE_LIMIT 40000u   /* without order a job may wait for ever */

struct racing {
	struct fuzz_machine m[PAIR];
	struct random_job random;
	struct fuzz_job victim[PAIR], base, attack;
	uint8_t *seen[PAIR];   /* the attacker's memory */
};

static bool differ(struct racing *p, const char *what)
{
	return fuzz_wrong(&p->m[0], "%s: depends on another address space's secret", what);
}

/* ---- the victim */

static uint32_t window(const struct eie_params *p, unsigned int buf)
{
	const uint32_t depth[] = { p->abuf, p->wbuf, p->pbuf, p->rbuf, EIE_CBUF_GRANULES };

	return depth[buf] < WINDOW ? depth[buf] : WINDOW;
}

/* A window of one pixel over eight of them: as many columns as the MAC has. */
static struct eie_cmd secret_vmac(void)
{
	struct eie_cmd c = { { 0 } };

	PG_SET(&c, OPCODE, EIE_OP_VMAC);
	PG_SET(&c, VMAC_HALF, 1);
	PG_SET(&c, VMAC_KERNEL_X, 1);
	PG_SET(&c, VMAC_KERNEL_Y, 1);
	PG_SET(&c, VMAC_STRIDE_X, 1);
	PG_SET(&c, VMAC_STRIDE_Y, 1);
	PG_SET(&c, VMAC_DILATE_X, 1);
	PG_SET(&c, VMAC_DILATE_Y, 1);
	PG_SET(&c, VMAC_IN_X, 8);
	PG_SET(&c, VMAC_IN_Y, 1);
	PG_SET(&c, VMAC_OUT_X, 8);
	PG_SET(&c, VMAC_PLANE, 1);
	PG_SET(&c, VMAC_CHANNELS, SECRET_COLUMNS);
	PG_SET(&c, VMAC_ROWS, 8);
	PG_SET(&c, VMAC_GROUPS, 1);
	return c;
}

/*
 * Secrets that take the same time: no activation and no code is zero, skips are all alike, and the pointers that the victim uses
 * are no secret. Everything else is.
 */
static void make_secret(struct fuzz_machine *m, struct fuzz_job *j, uint64_t secret)
{
	struct rng r = rng_seed(secret);
	uint32_t at = 0;

	for (size_t i = 0; i < m->mem_bytes; i += 8) {
		uint64_t v = rng_next(&r);

		memcpy(j->mem + i, &v, 8);
	}
	j->n = 0;
	for (unsigned int buf = 0; buf <= EIE_BUF_CBUF; buf++) {
		bool each = buf == EIE_BUF_WBUF || buf == EIE_BUF_PBUF || buf == EIE_BUF_RBUF;
		uint32_t rows = each ? m->b.params.clusters : 1, len = window(&m->b.params, buf);
		struct pg_xfer x = { .buf = buf, .len = len, .rows = rows, .mem = at, .mem_stride = len };
		uint8_t *data = j->mem + (size_t)at * EIE_GRANULE_BYTES;

		j->cmds[j->n++] = pg_cmd_load(FUZZ_BASE_SECRET, &x);
		for (size_t i = 0; i < (size_t)len * rows * EIE_GRANULE_BYTES; i++)
			if (buf == EIE_BUF_ABUF)
				data[i] |= 1;
			else if (buf == EIE_BUF_WBUF)
				data[i] = (uint8_t)(1 + (data[i] & 15) % 15) | 1 << 4;
		for (uint32_t c = 0; buf == EIE_BUF_PBUF && c < rows; c++)
			for (uint32_t col = 0; col < SECRET_COLUMNS; col++) {
				uint32_t ptr = 4 * col | 3u << EIE_PTR_START_BITS;

				memcpy(data + (size_t)c * len * EIE_GRANULE_BYTES + 4 * col, &ptr, 4);
			}
		at += len * rows;
	}
	PG_SET(&j->cmds[j->n - 1], SIGNAL_NEXT, 1);
	for (unsigned int half = 0; half < 2; half++) {
		const struct pg_mac mac = { .half = half, .len = SECRET_COLUMNS / EIE_GRANULE_VALUES };

		j->cmds[j->n] = half && m->b.params.features & EIE_FEATURE_VECTOR ? secret_vmac() : pg_cmd_mac(&mac);
		PG_SET(&j->cmds[j->n], WAIT_PREV, !half);
		j->n++;
	}
}

static bool plant(struct racing *p, struct rng *r)
{
	uint64_t secret = rng_next(r);
	struct eie_cpl cpl[PAIR];

	for (unsigned int i = 0; i < PAIR; i++) {
		struct fuzz_machine *m = &p->m[i];
		struct fuzz_job *j = &p->victim[i];

		make_secret(m, j, secret + i);
		j->desc = (struct eie_desc){ .asid = fuzz_new_asid(m), .fence = secret };
		fuzz_job_place(m, &m->victim, j);
		fuzz_job_describe(&m->victim, j);
		fuzz_submit(m, &m->victim, &j->desc);
		if (!fuzz_finish(m, &j->desc, &cpl[i]))
			return false;
		if (cpl[i].status != EIE_STATUS_OK || !cpl[i].macs)
			return fuzz_wrong(m, "the victim's own job ends with status %u", cpl[i].status);
	}
	return !memcmp(&cpl[0], &cpl[1], sizeof(cpl[0])) ||
	       fuzz_wrong(&p->m[0], "the victims are not alike: the comparison would mean nothing");
}

/* ---- the attacker */

enum disturbance { NONE, INVALIDATE, ABORT, RESET, QUEUE_RESET };

struct run {
	enum disturbance disturbance;
	uint32_t at;   /* cycles after the doorbell */
};

/* false: something is wrong. *entry: there is a completion entry. */
static bool run_on(struct fuzz_machine *m, struct fuzz_job *j, const struct run *run, struct eie_cpl *cpl, bool *entry)
{
	*entry = true;
	fuzz_job_place(m, &m->own, j);
	fuzz_job_describe(&m->own, j);
	fuzz_submit(m, &m->own, &j->desc);
	switch (run->disturbance) {
	case INVALIDATE:
		eie_sim_run(m->b.sim, run->at);
		if (!board_invalidate(&m->b, j->desc.asid))
			return fuzz_wrong(m, "INV_STATUS.DONE does not come");
		break;
	case ABORT:
		fuzz_abort(m, run->at);
		break;
	case RESET:
		/* ends early when the job does: then there is an entry, which the reset forgets */
		eie_sim_run(m->b.sim, run->at);
		memset(cpl, 0, sizeof(*cpl));
		*entry = false;
		return fuzz_reset(m) && (!m->shadow.violations || fuzz_check(m, &j->desc, cpl));
	case QUEUE_RESET:
		memset(cpl, 0, sizeof(*cpl));
		return fuzz_reset_queue(m, run->at, &j->desc, cpl, entry);
	default:
		break;
	}
	return fuzz_finish(m, &j->desc, cpl);
}

static bool run_both(struct racing *p, struct fuzz_job *j, const struct run *run, struct eie_cpl *cpl, bool *entry)
{
	struct eie_cpl cpls[PAIR];

	for (unsigned int i = 0; i < PAIR; i++) {
		struct fuzz_machine *m = &p->m[i];

		if (!run_on(m, j, run, &cpls[i], entry))
			return false;
		fuzz_mem_get(m, &m->own, p->seen[i]);
	}
	if (memcmp(&cpls[0], &cpls[1], sizeof(cpls[0])))
		return differ(p, "completion entry");
	if (memcmp(p->seen[0], p->seen[1], p->m[0].mem_bytes))
		return differ(p, "memory");
	if (eie_sim_cycles(p->m[0].b.sim) != eie_sim_cycles(p->m[1].b.sim))
		return differ(p, "time");
	*cpl = cpls[0];
	return true;
}

static void some_program(struct racing *p, struct fuzz_job *j, struct rng *r)
{
	do
		random_job_make(&p->random, r, false);
	while (p->random.pg.n > FUZZ_CMDS_MAX / 2);
	j->n = p->random.pg.n;
	memcpy(j->cmds, p->random.pg.cmds, j->n * sizeof(j->cmds[0]));
	memcpy(j->mem, p->random.mem, p->m[0].mem_bytes);
}

/* An ordered program in a new address space: what it wrote on chip lets racing ones get far. */
static bool warm_up(struct racing *p, struct rng *r)
{
	const struct run run = { .disturbance = NONE };
	struct eie_cpl cpl;
	bool entry;

	some_program(p, &p->base, r);
	p->base.desc = (struct eie_desc){ .fence = rng_next(r), .asid = fuzz_new_asid(&p->m[0]) };
	fuzz_new_asid(&p->m[1]);
	if (!run_both(p, &p->base, &run, &cpl, &entry))
		return false;
	return cpl.status == EIE_STATUS_OK || fuzz_wrong(&p->m[0], "an ordered program ends with status %u", cpl.status);
}

static bool attack(struct racing *p, struct rng *r, struct fuzz_stats *stats)
{
	struct fuzz_job *j = &p->attack;
	struct run run = { .disturbance = NONE, .at = rng_range(r, 1, rng_permille(r, 500) ? 1000 : 8000) };
	unsigned int k = rng_range(r, 0, 999);
	struct eie_cpl cpl;
	bool entry;

	if (rng_permille(r, 920)) {   /* what it reads on chip is there, though nothing waits for it any more */
		j->n = p->base.n;
		memcpy(j->cmds, p->base.cmds, j->n * sizeof(j->cmds[0]));
		memcpy(j->mem, p->base.mem, p->m[0].mem_bytes);
	} else {
		some_program(p, j, r);
	}
	mutate_wild(&p->m[0], j, r);
	j->desc = (struct eie_desc){ .fence = rng_next(r), .asid = p->base.desc.asid, .cycle_limit = CYCLE_LIMIT,
				     .residency = rng_range(r, 0, 2) };
	if (rng_permille(r, 150)) {
		j->desc.restore = FUZZ_VA_CMDS;
		j->desc.nrestore = j->n;
	}
	if (k < 60)
		run.disturbance = ABORT;
	else if (k < 100)
		run.disturbance = RESET;
	else if (k < 180)
		run.disturbance = INVALIDATE;
	else if (k < 220)
		run.disturbance = QUEUE_RESET;
	p->m[0].queue = p->m[1].queue = rng_range(r, 0, BOARD_QUEUES - 1);
	if (!run_both(p, j, &run, &cpl, &entry))
		return false;
	if (entry)
		fuzz_count(stats, true, j, &cpl);
	else
		stats->resets[true]++;
	return true;
}

static bool next_job_works(struct racing *p, struct rng *r)
{
	bool cold = rng_permille(r, 500);

	return fuzz_known_works(&p->m[0], cold) && fuzz_known_works(&p->m[1], cold);
}

static bool open_all(struct racing *p, const char *config, uint64_t seed)
{
	size_t bytes;

	for (unsigned int i = 0; i < PAIR; i++) {
		if (fuzz_machine_open(&p->m[i], config, seed, seed % 4 < 2))
			return false;
		bytes = p->m[i].mem_bytes;
		p->seen[i] = malloc(bytes);
		p->victim[i].mem = malloc(bytes);
		if (!p->seen[i] || !p->victim[i].mem)
			return false;
	}
	p->base.mem = malloc(bytes);
	p->attack.mem = malloc(bytes);
	return p->base.mem && p->attack.mem && !random_job_init(&p->random, &p->m[0].b.params, bytes);
}

bool fuzz_racing_batch(const char *config, uint64_t seed, struct fuzz_stats *stats)
{
	struct racing *p = calloc(1, sizeof(*p));
	struct rng r = rng_seed(seed);
	const char *why;
	bool ok;

	if (!p || !open_all(p, config, seed))
		fuzz_fatal("the simulated machines");
	stats->features = p->m[0].b.params.features;
	/* what it takes from a cold start, before anything went wrong */
	ok = fuzz_known_works(&p->m[0], true) && fuzz_known_works(&p->m[1], true);
	for (unsigned int i = 0; ok && i < FUZZ_BATCH; i++) {
		if (i % ROUND == 0)
			ok = plant(p, &r) && warm_up(p, &r);
		ok = ok && attack(p, &r, stats);
		if (ok && i % ROUND == ROUND - 1)
			ok = next_job_works(p, &r);
		if (!ok) {
			why = p->m[0].why ? p->m[0].why : p->m[1].why;
			snprintf(stats->why, sizeof(stats->why), "racing job %u of the batch: %s", i, why);
		}
	}
	for (unsigned int i = 0; i < PAIR; i++) {
		stats->cycles += eie_sim_cycles(p->m[i].b.sim);
		free(p->seen[i]);
		free(p->victim[i].mem);
		fuzz_machine_close(&p->m[i]);
	}
	random_job_free(&p->random);
	free(p->base.mem);
	free(p->attack.mem);
	free(p);
	return ok;
}
