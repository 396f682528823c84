/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* Changes to a program: some keep its result defined, some break exactly one thing, some keep nothing at all. */
#ifndef FUZZ_MUTATE_H
#define FUZZ_MUTATE_H

#include "fuzz_machine.h"

/*
 * More order than before, the same data through other addresses, other values where none can fail: the program stays token-ordered
 * and still ends with OK.
 */
void mutate_harmless(struct fuzz_job *j, struct rng *r);

/* What one change may do to a token-ordered program. */
enum mutation {
	MUTATE_NOTHING,
	MUTATE_COMMAND,    /* one command fails before it does anything: malformed, out of range, misaligned, untranslatable */
	MUTATE_STREAM,     /* a MAC's or VMAC's weights */
	MUTATE_PARAM,      /* a DRAIN's or VDRAIN's row parameters */
	MUTATE_DROP,       /* a LOAD of something that is not there afterwards */
	MUTATE_OVERFLOW,   /* more tokens than there is room for */
	MUTATE_DESCRIPTOR,
	MUTATIONS
};
/* False when the program has nothing to apply it to; the program is unchanged then. */
bool mutate_once(struct fuzz_machine *m, struct fuzz_job *j, struct rng *r, enum mutation what);

/* Anything: tokens removed, commands changed, moved, made up; data too. */
void mutate_wild(struct fuzz_machine *m, struct fuzz_job *j, struct rng *r);

#endif
