/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* A job of vector mode on the interpreter. For cmocka tests. */
#ifndef VECTOR_RUN_H
#define VECTOR_RUN_H

#include "vector_job.h"

struct fixture {
	struct vjob *job;
	struct eie_ref *ref;
	struct eie_cpl cpl;
};

/* Set-up of a test: an interpreter, and the job, which it takes over. 0, or -1 as cmocka wants it. */
static inline int fixture_new(const struct eie_params *machine, struct vjob *job, void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	if (!f || eie_ref_new(machine, &f->ref))
		return -1;
	f->job = job;
	*state = f;
	return 0;
}

/* Its tear-down. */
static inline int fixture_free(void **state)
{
	struct fixture *f = *state;

	eie_ref_free(f->ref);
	vjob_free(f->job);
	free(f);
	return 0;
}

static uint32_t mem_read(void *ctx, uint64_t va, void *buf, size_t len)
{
	const struct fixture *f = ctx;

	assert_true(va >= VJOB_VA && va + len <= VJOB_VA + VJOB_BYTES);
	memcpy(buf, f->job->memory + (va - VJOB_VA), len);
	return EIE_STATUS_OK;
}

static uint32_t mem_write(void *ctx, uint64_t va, const void *buf, size_t len)
{
	struct fixture *f = ctx;

	assert_true(va >= VJOB_VA && va + len <= VJOB_VA + VJOB_BYTES);
	memcpy(f->job->memory + (va - VJOB_VA), buf, len);
	return EIE_STATUS_OK;
}

/* Returns its status. */
static uint32_t run(struct fixture *f)
{
	const struct eie_ref_mem mem = { mem_read, mem_write, f };

	vjob_finish(f->job);
	memset(f->job->memory + f->job->out, 0xa5, f->job->out_granules * EIE_GRANULE_BYTES);
	eie_ref_run(f->ref, &f->job->desc, &mem, &f->cpl);
	return f->cpl.status;
}

/* It ends with the status, at command `index`. */
static void expect(struct fixture *f, uint32_t status, uint32_t index)
{
	assert_int_equal(run(f), status);
	assert_int_equal(f->cpl.fault_cmd, 1u << EIE_CPL_FAULT_VALID_SHIFT | index);
}

#endif
