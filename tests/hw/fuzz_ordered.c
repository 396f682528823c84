// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Token-ordered jobs. One that ends with OK gives the bytes of the interpreter. One that is broken in one place ends with the
 * interpreter's status, at its command and address; every granule of its memory is as it was or holds a value that the unbroken
 * program stores there. The same holds for a job that is aborted or runs out of time.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz_jobs.h"
#include "fuzz_mutate.h"

/* How the job is to end. */
enum ending { END_ITSELF, END_TIMEOUT, END_ABORT, END_QUEUE_RESET };

struct ordered {
	struct fuzz_machine m;
	struct random_job random;
	struct fuzz_job job, unbroken;
	struct fuzz_log log;        /* what the unbroken program stores */
	uint8_t *golden, *result;
	enum mutation mutation;
	enum ending ending;
	bool same_asid;             /* the last job was OK: hardware and interpreter hold the same */
};

static const struct {
	uint16_t permille;
	enum mutation mutation;
	enum ending ending;
} mix[] = {
	{ 390, MUTATE_NOTHING, END_ITSELF },  { 150, MUTATE_COMMAND, END_ITSELF },  { 80, MUTATE_STREAM, END_ITSELF },
	{ 70, MUTATE_PARAM, END_ITSELF },     { 80, MUTATE_DROP, END_ITSELF },      { 40, MUTATE_OVERFLOW, END_ITSELF },
	{ 30, MUTATE_DESCRIPTOR, END_ITSELF }, { 60, MUTATE_NOTHING, END_TIMEOUT }, { 60, MUTATE_NOTHING, END_ABORT },
	{ 40, MUTATE_NOTHING, END_QUEUE_RESET },
};

static bool same(struct ordered *o, const char *what, uint64_t rtl, uint64_t ref)
{
	return rtl == ref || fuzz_wrong(&o->m, "%s: RTL %llu (0x%llx), interpreter %llu (0x%llx)", what, (unsigned long long)rtl,
					(unsigned long long)rtl, (unsigned long long)ref, (unsigned long long)ref);
}

/* A program, harmless changes of it, and a mutation. */
static void make_job(struct ordered *o, struct rng *r)
{
	struct fuzz_machine *m = &o->m;
	struct fuzz_job *j = &o->job;
	unsigned int k = rng_range(r, 0, 999), i = 0;

	while (i + 1 < sizeof(mix) / sizeof(mix[0]) && k >= mix[i].permille)
		k -= mix[i++].permille;
	o->mutation = mix[i].mutation;
	o->ending = mix[i].ending;

	random_job_make(&o->random, r, rng_permille(r, m->b.params.clusters > 2 ? 20 : 150));
	j->n = o->random.pg.n;
	memcpy(j->cmds, o->random.pg.cmds, j->n * sizeof(j->cmds[0]));
	memcpy(j->mem, o->random.mem, m->mem_bytes);
	mutate_harmless(j, r);

	j->desc = (struct eie_desc){ .fence = rng_next(r), .residency = rng_permille(r, 500) ? 0 : rng_range(r, 1, 2) };
	if (o->same_asid && rng_permille(r, 400))
		j->desc.asid = m->asid;
	else
		j->desc.asid = fuzz_new_asid(m);
	fuzz_job_place(m, &m->own, j);
	fuzz_job_describe(&m->own, j);
	if (rng_permille(r, 250)) {   /* the program as restore commands, and again or not */
		j->desc.restore = FUZZ_VA_CMDS;
		j->desc.nrestore = j->n;
		if (rng_permille(r, 500))
			j->desc.ncmds = 0;
	}
}

static void break_job(struct ordered *o, struct rng *r)
{
	struct fuzz_machine *m = &o->m;
	struct fuzz_job *j = &o->job, *u = &o->unbroken;
	struct eie_cpl cpl;

	u->n = j->n;
	memcpy(u->cmds, j->cmds, j->n * sizeof(j->cmds[0]));
	u->desc = j->desc;
	u->desc.residency = 0;   /* restore commands run, whatever is held */
	memcpy(o->golden, j->mem, m->mem_bytes);
	fuzz_log_clear(&o->log, m->mem_bytes);
	fuzz_ref_run(m, m->scratch_ref, u, o->golden, &o->log, &cpl);
	if (cpl.status != EIE_STATUS_OK)
		fuzz_wrong(m, "the program is not sound: interpreter's status %u, command 0x%x", cpl.status, cpl.fault_cmd);

	if (!mutate_once(m, j, r, o->mutation))
		o->mutation = MUTATE_NOTHING;
	fuzz_job_place(m, &m->own, j);
}

static bool memory_is_golden(struct ordered *o)
{
	size_t n = o->m.mem_bytes;

	fuzz_mem_get(&o->m, &o->m.own, o->result);
	for (size_t i = 0; i < n; i += EIE_GRANULE_BYTES)
		if (memcmp(o->result + i, o->golden + i, EIE_GRANULE_BYTES))
			return fuzz_wrong(&o->m, "memory differs from the interpreter's, first at byte 0x%zx", i);
	return true;
}

static bool memory_is_old_or_stored(struct ordered *o)
{
	const struct fuzz_log *log = &o->log;

	fuzz_mem_get(&o->m, &o->m.own, o->result);
	for (size_t i = 0; i < o->m.mem_bytes; i += EIE_GRANULE_BYTES) {
		uint32_t k = log->head[i / EIE_GRANULE_BYTES];

		if (!memcmp(o->result + i, o->job.mem + i, EIE_GRANULE_BYTES))
			continue;
		while (k && memcmp(o->result + i, log->stores[k - 1].value, EIE_GRANULE_BYTES))
			k = log->stores[k - 1].next;
		if (!k)
			return fuzz_wrong(&o->m, "byte 0x%zx of memory is neither old nor what the program stores", i);
	}
	return true;
}

/* Of one command several things may fail together: stale pointers, say, and weights that are not there. */
static bool one_of_several(uint32_t status)
{
	return status == EIE_STATUS_UNWRITTEN || status == EIE_STATUS_BAD_STREAM || status == EIE_STATUS_BAD_PARAM;
}

static bool agrees(struct ordered *o, const struct eie_cpl *rtl, const struct eie_cpl *ref)
{
	bool ends_early = o->ending == END_TIMEOUT ? rtl->status == EIE_STATUS_TIMEOUT :
						     o->ending != END_ITSELF && rtl->status == EIE_STATUS_ABORTED;

	if (ends_early)
		return same(o, "failed command", rtl->fault_cmd, 0) && memory_is_old_or_stored(o);
	if (!(o->mutation == MUTATE_DROP && one_of_several(rtl->status) && one_of_several(ref->status)) &&
	    !same(o, "status", rtl->status, ref->status))
		return false;
	if (!same(o, "restored", rtl->restored, ref->restored))
		return false;
	if (rtl->status == EIE_STATUS_OK)
		return same(o, "multiply-accumulates", rtl->macs, ref->macs) &&
		       same(o, "saturated outputs", rtl->saturated, ref->saturated) &&
		       same(o, "commands", rtl->commands, ref->commands) && memory_is_golden(o);
	/* the engines hand out tokens earlier than one command after the other would */
	if (rtl->status == EIE_STATUS_TOKEN_OVERFLOW ? rtl->fault_cmd > ref->fault_cmd || !(rtl->fault_cmd >> 31) :
						       rtl->fault_cmd != ref->fault_cmd)
		return same(o, "failed command", rtl->fault_cmd, ref->fault_cmd);
	/* bursts of one transfer that all meet errors come back in any order */
	if (rtl->status == EIE_STATUS_BUS_ERROR) {
		if (rtl->fault_addr - FUZZ_VA_FOREIGN >= o->m.mem_bytes)
			return same(o, "fault address", rtl->fault_addr, ref->fault_addr);
	} else if (!same(o, "fault address", rtl->fault_addr, ref->fault_addr)) {
		return false;
	}
	return memory_is_old_or_stored(o);
}

/* Forgetting translations in the middle of a job changes nothing but its time. */
static bool invalidate(struct ordered *o, struct rng *r)
{
	for (unsigned int i = rng_range(r, 1, 12); i; i--) {
		eie_sim_run(o->m.b.sim, rng_range(r, 1, 600));
		if (!board_invalidate(&o->m.b, o->job.desc.asid))
			return fuzz_wrong(&o->m, "INV_STATUS.DONE does not come");
	}
	return true;
}

static bool run_job(struct ordered *o, struct rng *r, struct fuzz_stats *stats)
{
	struct fuzz_machine *m = &o->m;
	struct fuzz_job *j = &o->job;
	uint32_t cycles = rng_range(r, 0, rng_permille(r, 500) ? 2000 : 20000);
	struct eie_cpl rtl, ref;
	bool entry = true;

	make_job(o, r);
	break_job(o, r);
	if (m->why)
		return false;
	memcpy(o->golden, j->mem, m->mem_bytes);
	fuzz_ref_run(m, m->ref, j, o->golden, NULL, &ref);
	if (o->ending == END_TIMEOUT)
		j->desc.cycle_limit = rng_range(r, 1, rng_permille(r, 500) ? 3000 : 30000);
	m->queue = rng_range(r, 0, BOARD_QUEUES - 1);
	fuzz_submit(m, &m->own, &j->desc);
	if (o->ending == END_QUEUE_RESET) {
		if (!fuzz_reset_queue(m, cycles, &j->desc, &rtl, &entry))
			return false;
	} else {
		if (o->ending == END_ABORT)
			fuzz_abort(m, cycles);
		else if (rng_permille(r, 100) && !invalidate(o, r))
			return false;
		if (!fuzz_finish(m, &j->desc, &rtl))
			return false;
	}
	if (!entry) {   /* not taken: nothing has happened */
		stats->resets[false]++;
		o->same_asid = false;
		fuzz_log_clear(&o->log, m->mem_bytes);
		return memory_is_old_or_stored(o);
	}
	if (o->ending == END_TIMEOUT && (rtl.status == EIE_STATUS_OK) != (rtl.cycles <= j->desc.cycle_limit))
		return fuzz_wrong(m, "%u cycles and status %u with a limit of %u", rtl.cycles, rtl.status, j->desc.cycle_limit);
	o->same_asid = rtl.status == EIE_STATUS_OK;
	fuzz_count(stats, false, j, &rtl);
	return agrees(o, &rtl, &ref);
}

static bool open_all(struct ordered *o, const char *config, uint64_t seed)
{
	if (fuzz_machine_open(&o->m, config, seed, seed % 4 == 0))
		return false;
	o->job.mem = malloc(o->m.mem_bytes);
	o->unbroken.mem = o->job.mem;
	o->golden = malloc(o->m.mem_bytes);
	o->result = malloc(o->m.mem_bytes);
	return o->job.mem && o->golden && o->result && !random_job_init(&o->random, &o->m.b.params, o->m.mem_bytes) &&
	       !fuzz_log_open(&o->log, o->m.mem_bytes);
}

bool fuzz_ordered_batch(const char *config, uint64_t seed, struct fuzz_stats *stats)
{
	struct ordered *o = calloc(1, sizeof(*o));
	bool ok = true;

	if (!o || !open_all(o, config, seed))
		fuzz_fatal("the simulated machine");
	stats->features = o->m.b.params.features;
	for (unsigned int i = 0; ok && i < FUZZ_BATCH; i++) {
		struct rng r = rng_seed(seed * FUZZ_BATCH + i);

		ok = run_job(o, &r, stats);
		if (ok && i % 8 == 7) {
			ok = fuzz_known_works(&o->m, rng_permille(&r, 500));
			o->same_asid = false;
		}
		if (!ok)
			snprintf(stats->why, sizeof(stats->why), "ordered job %u of the batch: %s", i, o->m.why);
	}
	stats->cycles += eie_sim_cycles(o->m.b.sim);
	fuzz_log_close(&o->log);
	random_job_free(&o->random);
	free(o->job.mem);
	free(o->golden);
	free(o->result);
	fuzz_machine_close(&o->m);
	free(o);
	return ok;
}
