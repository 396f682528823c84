// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Writes sound inputs of fuzz_ref:  seed_ref DIRECTORY COUNT   (how tests/fuzz/corpus/ref began; see ref_input.h) */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "configs.h"
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

int main(int argc, char **argv)
{
	unsigned long count = argc > 2 ? strtoul(argv[2], NULL, 0) : 0;
	const struct accel_config *c = accel_configs;
	struct rng r = rng_seed(1);
	struct eie_params params;
	struct random_job job;

	while (c->name && strcmp(c->name, "2x2"))
		c++;
	if (!count || !c->name || eie_params_read(c->dtb, c->bytes, &params, NULL) || random_job_init(&job, &params, REF_MEM)) {
		fprintf(stderr, "usage: %s DIRECTORY COUNT\n", argv[0]);
		return 2;
	}
	for (unsigned long i = 0; i < count; i++) {
		char path[4096];

		do
			random_job_make(&job, &r, false);
		while (job.pg.n > MOST_CMDS || job.used * EIE_GRANULE_BYTES > MOST_BYTES);
		snprintf(path, sizeof(path), "%s/sound-%02lu", argv[1], i);
		if (write_seed(path, &job, (unsigned int)i)) {
			perror(path);
			return 1;
		}
	}
	random_job_free(&job);
	return 0;
}
