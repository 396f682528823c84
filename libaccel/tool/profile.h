/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* A run, layer by layer and command by command: what eie profile writes. */
#ifndef EIE_PROFILE_H
#define EIE_PROFILE_H

#include "tool.h"

struct profile_layer {
	struct accel_place_info place;
	struct accel_layer_info layer;
	struct accel_stats model;	  /* of the cost model */
	uint64_t memory_cycles;		  /* bytes that it moves, 16 a cycle */
	double density;			  /* of its weights */
	uint64_t cluster[16];		  /* entries of each cluster */
};

struct profile_job {
	uint64_t start, cycles;	    /* as drawn: measured where there is a clock, else the model's */
	uint64_t model_cycles;
	unsigned int first_layer, last_layer;
};

struct profile {
	const char *model_path, *input;
	struct text device;
	unsigned int clusters, lanes;
	bool measured;		    /* jobs have been timed by the device */
	double seconds;		    /* of the run, on this machine */
	struct accel_stats stats;   /* of the device; without measured: of the model */
	struct accel_stats model;
	uint64_t nlayers, njobs;
	struct profile_layer *layer;
	struct profile_job *job;
	const struct accel_estimate *estimate; /* its spans */
};

/* Chrome's trace events, for Perfetto. A microsecond of the trace is a cycle. */
void profile_trace(const struct profile *p, FILE *out);
/* A page that needs nothing but itself. */
void profile_page(const struct profile *p, FILE *out);
/* The figures of both. */
struct json;
void profile_figures(const struct profile *p, struct json *j);

#endif
