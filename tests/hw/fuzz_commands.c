// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Random and mutated command buffers on the RTL:  fuzz_commands CONFIG JOBS [SEED [ENTRIES]]
 *
 * Jobs come in batches of FUZZ_BATCH with a machine and a seed each, SEED and up; three of five batches are token-ordered. Jobs
 * are rounded up to whole batches. A batch that fails prints the command that repeats it. With MANY_JOBS or more every status must
 * have been reached, half of the jobs must have loaded and computed, and every command must have run. Every completion entry, times and counters
 * included, is written to the file ENTRIES.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "fuzz_jobs.h"

#define MANY_JOBS 500u

static const char *const status_names[FUZZ_STATUSES] = {
	"OK", "BAD_DESCRIPTOR", "BAD_COMMAND", "BAD_RANGE", "MISALIGNED", "PAGE_FAULT", "BUS_ERROR", "UNWRITTEN", "BAD_STREAM",
	"BAD_PARAM", "TOKEN_OVERFLOW", "TIMEOUT", "ABORTED",
};

static const struct {
	const char *name;
	uint8_t opcode;
	uint32_t feature;
} opcodes[] = {
	{ "LOAD", EIE_OP_LOAD, 0 },                      { "SELECT", EIE_OP_SELECT, EIE_FEATURE_SELECT },
	{ "MAC", EIE_OP_MAC, 0 },                        { "DRAIN", EIE_OP_DRAIN, 0 },
	{ "SYNC", EIE_OP_SYNC, 0 },                      { "STORE", EIE_OP_STORE, 0 },
	{ "VMAC", EIE_OP_VMAC, EIE_FEATURE_VECTOR },     { "VDRAIN", EIE_OP_VDRAIN, EIE_FEATURE_VECTOR },
	{ "VPOOL", EIE_OP_VPOOL, EIE_FEATURE_POOL },     { "VMUL", EIE_OP_VMUL, EIE_FEATURE_ELEMENT },
	{ "VTABLE", EIE_OP_VTABLE, EIE_FEATURE_ELEMENT },
};

static FILE *entries;

void fuzz_fatal(const char *what)
{
	printf("not ok - out of memory, disk full, or no such configuration: cannot open %s\n", what);
	exit(1);
}

void fuzz_count(struct fuzz_stats *stats, bool racing, const struct fuzz_job *j, const struct eie_cpl *cpl)
{
	const struct eie_desc *d = &j->desc;
	/* more beats than commands and bases can be, so some are a LOAD's */
	uint64_t overhead = 2 * ((uint64_t)d->ncmds + d->nrestore) + d->nbases;

	bool computed = cpl->macs;

	stats->jobs[racing][cpl->status]++;
	for (uint32_t i = 0; cpl->status == EIE_STATUS_OK && i < j->n; i++) {
		unsigned int op = PG_GET(&j->cmds[i], OPCODE);

		stats->ran[racing][op]++;
		computed = computed || op == EIE_OP_VPOOL || op == EIE_OP_VMUL || op == EIE_OP_VTABLE;   /* count no products */
	}
	stats->both[racing] += computed && (cpl->write_beats || cpl->read_beats > overhead);
	stats->macs += cpl->macs;
	if (entries && fwrite(cpl, sizeof(*cpl), 1, entries) != 1)
		fuzz_fatal("the file of entries");
}

static double seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* Opcodes of the configuration that no job with OK had. */
static unsigned int print_opcodes(const struct fuzz_stats *s)
{
	unsigned int missing = 0;

	printf("# %-18s %10s %10s   of jobs with OK\n", "command", "ordered", "racing");
	for (unsigned int i = 0; i < sizeof(opcodes) / sizeof(opcodes[0]); i++) {
		const unsigned long ran[2] = { s->ran[0][opcodes[i].opcode], s->ran[1][opcodes[i].opcode] };

		if (opcodes[i].feature & ~s->features)
			continue;
		printf("# %-18s %10lu %10lu\n", opcodes[i].name, ran[0], ran[1]);
		missing += !ran[0] + !ran[1];
	}
	return missing;
}

static unsigned long print_table(const struct fuzz_stats *s, unsigned int *missing)
{
	unsigned long total = s->resets[0] + s->resets[1];

	*missing = 0;
	printf("# %-18s %10s %10s\n", "status", "ordered", "racing");
	for (unsigned int i = 0; i < FUZZ_STATUSES; i++) {
		printf("# %-18s %10lu %10lu\n", status_names[i], s->jobs[0][i], s->jobs[1][i]);
		total += s->jobs[0][i] + s->jobs[1][i];
		*missing += !(s->jobs[0][i] + s->jobs[1][i]);
	}
	printf("# %-18s %10lu %10lu\n", "cut off by reset", s->resets[0], s->resets[1]);
	printf("# %-18s %10lu %10lu\n", "loaded, computed", s->both[0], s->both[1]);
	return total;
}

int main(int argc, char **argv)
{
	const char *config = argc > 1 ? argv[1] : "2x2";
	unsigned long jobs = argc > 2 ? strtoul(argv[2], NULL, 0) : 1000, total;
	unsigned long batches = (jobs + FUZZ_BATCH - 1) / FUZZ_BATCH;
	uint64_t seed = argc > 3 ? strtoull(argv[3], NULL, 0) : 1;
	double start = seconds(), took;
	unsigned int missing, unused, failed = 0;
	unsigned long both;
	struct fuzz_stats *stats = calloc(1, sizeof(*stats));

	if (!stats)
		fuzz_fatal("anything");
	if (argc > 4 && !(entries = fopen(argv[4], "wb")))
		fuzz_fatal(argv[4]);
	setvbuf(stdout, NULL, _IOLBF, 0);
	printf("# %s %s: %lu batches of %u jobs, seed %llu\n", argv[0], config, batches, FUZZ_BATCH, (unsigned long long)seed);
	for (unsigned long k = 0; k < batches && failed < 5; k++) {
		uint64_t s = seed + k;

		if (s % 5 < 3 ? fuzz_ordered_batch(config, s, stats) : fuzz_racing_batch(config, s, stats))
			continue;
		printf("not ok - %s: %s\n# again: %s %s %u %llu\n", config, stats->why, argv[0], config, FUZZ_BATCH,
		       (unsigned long long)s);
		failed++;
	}
	took = seconds() - start;
	total = print_table(stats, &missing);
	unused = print_opcodes(stats);
	both = stats->both[0] + stats->both[1];
	printf("# %.0f s, %.1f jobs a second, %.0f simulated cycles a second\n", took, (double)total / took,
	       (double)stats->cycles / took);
	printf("%s - %s: %lu jobs of seeds %llu to %llu\n", failed ? "not ok" : "ok", config, total, (unsigned long long)seed,
	       (unsigned long long)(seed + batches - 1));
	printf("# %lu jobs loaded and computed, %.1f %%; %llu multiply-accumulates\n", both, 100.0 * (double)both / (double)total,
	       (unsigned long long)stats->macs);
	if (total >= MANY_JOBS) {
		bool half = 2 * both >= total;

		printf("%s - %s: at least half of the jobs loaded and computed\n", half ? "ok" : "not ok", config);
		printf("%s - %s: every status reached, %u missing\n", missing ? "not ok" : "ok", config, missing);
		printf("%s - %s: every command in jobs that end with OK, ordered and racing, %u missing\n", unused ? "not ok" : "ok", config, unused);
		failed += !half + !!missing + !!unused;
	}
	if (entries && fclose(entries))
		fuzz_fatal(argv[4]);
	free(stats);
	return failed != 0;
}
