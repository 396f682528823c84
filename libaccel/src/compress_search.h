/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* What a search knows, and keeps in a file so that it can go on. */
#ifndef ACCEL_COMPRESS_SEARCH_H
#define ACCEL_COMPRESS_SEARCH_H

#include "compress.h"
#include "compress_judge.h"

/* What is chosen of a layer. */
struct search_place {
	uint64_t keep;
	unsigned int uniform, bits;
};

struct search {
	struct compress *c;
	const struct compress_source *s;
	struct search_place *best, *now;   /* [c->n] the best so far, that which is tried */
	uint64_t fingerprint;              /* of network, options and items */
	unsigned int epochs, few;          /* of correction: in the end, in a try */
	/* how to judge */
	struct calib_inputs in;
	const float **list;                /* owned; the values are the caller's */
	struct judge judge;
	uint64_t right;                    /* labelled items that the float network has right */
	/* kept in the file */
	unsigned int tried, better;
	uint64_t random;                   /* state of the numbers that moves are made of */
	double error, first_error;         /* of the best; of the first */
	uint64_t amount, first_amount;     /* that they take of what there is a goal for */
	uint64_t goal;                     /* that it may be */
	double offset;                     /* of amount against its estimate, of the best */
};

/* compress_state.c: reads options->search_state. 0: *found tells whether there is one. -EEXIST: of something else; -EBADMSG: damaged; what reading says. */
int search_load(struct search *h, bool *found);
/* Replaces it in one step. */
int search_save(const struct search *h);
/* Of all that the result depends on but the number of tries. net: the float network. */
uint64_t search_fingerprint(const struct compress *c, const struct compress_source *s, const struct accel_network *net);

#endif
