// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Writes sound inputs of fuzz_ref:  seed_ref DIRECTORY COUNT   (tests/fuzz/corpus/ref/vector-*; sound-* are older ones of scalar
 * mode; see ref_input.h). Each of the five commands of vector mode, and SELECT, is in every sixth.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "random_job.h"
#include "ref_input.h"

#define MOST_CMDS 60u
#define MOST_BYTES 3000u

static int write_seed(const char *path, const struct random_job *job, unsigned int kind)
{
	struct eie_desc d = { .fence = kind, .asid = 1, .nbases = 2, .bases = REF_VA_CODE, .cmds = REF_VA_CODE + REF_CMDS,
			      .ncmds = job->pg.n, .residency = kind & 1 };
	uint64_t bases[REF_CMDS / 8] = { REF_VA_MEM, REF_VA_ERROR };
	uint16_t code = (uint16_t)(REF_CMDS + job->pg.n * sizeof(struct eie_cmd));
	FILE *f = fopen(path, "wb");
	bool ok;

	if (!f)
		return -1;
	if (kind & 2) {
		d.restore = d.cmds;
		d.nrestore = d.ncmds;
	}
	ok = fwrite(&d, sizeof(d), 1, f) && fwrite(&code, sizeof(code), 1, f) && fwrite(bases, sizeof(bases), 1, f) &&
	     fwrite(job->pg.cmds, sizeof(struct eie_cmd), job->pg.n, f) == job->pg.n &&
	     fwrite(job->mem, EIE_GRANULE_BYTES, job->used, f) == job->used;
	return fclose(f) || !ok;
}

static bool has(const struct random_job *job, uint32_t opcode)
{
	for (uint32_t i = 0; i < job->pg.n; i++)
		if (PG_GET(&job->pg.cmds[i], OPCODE) == opcode)
			return true;
	return false;
}

int main(int argc, char **argv)
{
	static const uint32_t wanted[] = { EIE_OP_VMAC, EIE_OP_VDRAIN, EIE_OP_VPOOL, EIE_OP_VMUL, EIE_OP_VTABLE, EIE_OP_SELECT };
	const size_t nwanted = sizeof(wanted) / sizeof(wanted[0]);
	unsigned long count = argc > 2 ? strtoul(argv[2], NULL, 0) : 0;
	struct rng r = rng_seed(1);
	struct eie_params params;
	struct random_job job;

	ref_input_params(&params);
	if (!count || random_job_init(&job, &params, REF_MEM)) {
		fprintf(stderr, "usage: %s DIRECTORY COUNT\n", argv[0]);
		return 2;
	}
	for (unsigned long i = 0; i < count; i++) {
		char path[4096];

		do
			random_job_make(&job, &r, false);
		while (job.pg.n > MOST_CMDS || job.used * EIE_GRANULE_BYTES > MOST_BYTES || !has(&job, wanted[i % nwanted]));
		snprintf(path, sizeof(path), "%s/vector-%02lu", argv[1], i);
		if (write_seed(path, &job, (unsigned int)i)) {
			perror(path);
			return 1;
		}
	}
	random_job_free(&job);
	return 0;
}
