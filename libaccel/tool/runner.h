/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* Runs any number of items through a model on one device, a batch at a time. */
#ifndef EIE_RUNNER_H
#define EIE_RUNNER_H

#include "sparse_set.h"

struct runner {
	struct accel_model *model;   /* the caller's */
	struct accel_device *device; /* a reference */
	struct text name;	     /* "sim:8x8" */
	unsigned int batch;
	bool streamed;
	/* of the full batch, and of the rest: a run has no padding, so that counters are exact */
	struct accel_program *program[2];
	struct accel_session *session[2];
	const struct sparse_set *sparse; /* or NULL */
	struct accel_stats stats; /* sums over all runs */
	uint64_t items, runs;
	double wall, cpu; /* seconds in runs, inputs and outputs not counted */
};

/*
 * All print what went wrong and return an exit status. runner_close may follow a failed
 * runner_open.
 */
int runner_open(struct runner *r, struct accel_model *model, struct accel_device *device,
		unsigned int batch);
/* The same with weights that are streamed in each run. */
int runner_open_streamed(struct runner *r, struct accel_model *model, struct accel_device *device,
			 unsigned int batch);
void runner_close(struct runner *r);
/* Gives all sessions, also later ones, these matrices (accel_session_sparse()). The set stays the caller's. */
int runner_sparse(struct runner *r, const struct sparse_set *set);
/*
 * Runs n <= batch items. in[i] and out[i] belong to graph input and output i: [n, count]. Of real
 * and raw inputs one is used: real unless NULL. Outputs are int16 or float32 by their type
 * (value_bytes).
 */
int runner_run(struct runner *r, unsigned int n, const float *const *real,
	       const int16_t *const *raw, void *const *out);
/* Zeroes the sums. */
void runner_restart(struct runner *r);

/* Values of n that differ in any bit; bytes: of one value. */
uint64_t count_differences(const void *a, const void *b, uint64_t n, size_t bytes);
/* Index of the largest value of item `item`, the first of equals. */
uint64_t largest(const struct accel_tensor_info *tensor, const void *values, uint64_t item);

/* The one of the two that counted what it did (the second may be unused), or NULL. */
const struct accel_stats *counted(const struct runner *first, const struct runner *second);

struct json;
void json_stalls(struct json *j, const struct accel_stats *s); /* member "stalls" */
/* "draining 3.1 %, loads 2.0 %": what took more than 1 % of the cycles. */
struct stall_text {
	char s[256];
} text_stalls(const struct accel_stats *s);

#endif
