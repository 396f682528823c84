/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * The cost model: cycles of a job without simulating it. Not an estimate by shapes of layers: the job's commands are walked in time, by small models of what
 * the RTL is made of. Registers change as in hw/rtl, cycle by cycle where commands and memory move (cost_cmd.c, cost_bus.c) and in scalar MACs (cost_array.c);
 * cycles in which nothing changes are skipped, and vector mode follows from recurrences, a column at a time (cost_vector.c). No product is formed: of
 * activations the model knows which are zero, of weights how many entries a column has in each cluster.
 *
 * cost_work.c      what is to be known of a compute command: columns, entries, zeros
 * cost_select.c    which granules a SELECT asks for, and when: hw/rtl/eie_select.sv
 * cost_compute.c   order of compute commands: hw/rtl/eie_compute.sv
 * cost.c           the job: hw/rtl/eie_frontend.sv; counters: hw/rtl/eie_counters.sv
 * estimate.c       programs: the interface of accel.h
 */
#ifndef ACCEL_COST_H
#define ACCEL_COST_H

#include "ref.h"

/* Entries of one column in one cluster, as one decoder takes them in vector mode. */
struct cost_column {
	uint16_t steps;   /* cycles: an escape and its follower take one */
	uint16_t words;   /* of 16 bytes, that the column lies in */
	uint8_t first;    /* cycles until the first of them is used up */
	bool odd, wide;   /* bank of the first; 8-bit codes */
	bool joined;      /* its last entry is an escape, the follower of which is in the next word: alone as long as that is not here */
};

/* Weights of a MAC or VMAC; shared by the commands that use the same ones. */
struct cost_tile {
	unsigned int refs;
	bool wide, vector;
	uint32_t ptr, columns;            /* granule of PBUF; columns from there on */
	uint32_t weights, first, end;     /* granule of WBUF; granules that are in use, first == end: none */
	struct cost_column *column;       /* vector: [columns][clusters] */
	uint32_t *pointer;                /* scalar: [columns][clusters], as in PBUF, but starts count from `first` on */
	uint8_t *stream;                  /* scalar: [clusters][stride] bytes */
	size_t stride;
};

/* Granules of a SELECT that are asked for one behind the other. */
struct cost_run {
	uint32_t row, first, n;
	uint32_t step;                    /* of the scan, that finds where it begins: four columns, or eight of pointers */
};

/* What a compute command works on. */
struct cost_work {
	struct cost_tile *tile;           /* MAC, VMAC */
	uint8_t *live;                    /* a bit a column, VMAC: of each group: not zero. With SPLIT a byte, a bit a pixel. NULL: none is */
	uint32_t groups;                  /* of so many; MAC: 1 */
	bool split;                       /* VMAC with SPLIT */
	struct cost_run *runs;            /* SELECT */
	uint32_t nruns;
};

/* Writes down the work of commands, while something else (ref, or cost_load()) keeps the buffers up to date. */
struct cost_recorder {
	const struct eie_ref *ref;
	struct cost_tile *tile[16];       /* used last; NULL: none */
	unsigned int next;
	double share;                     /* of activations that are not zero, where nobody knows them; 0: ABUF is right */
	uint64_t seed;
};

/* The command's work; the caller frees it. -ENOMEM. */
int cost_record(struct cost_recorder *r, const struct eie_cmd *cmd, struct cost_work *work);
void cost_work_free(struct cost_work *work);
void cost_recorder_free(struct cost_recorder *r);

enum { COST_LOAD, COST_COMPUTE, COST_STORE, COST_ENGINES };

/* Where cycles went: classes of EIE_CPL, which add up to cycles. */
struct cost_cycles {
	uint64_t cycles, busy, drain, array, load, store, sync, cmd, front, tail;
};

struct cost_totals {
	struct cost_cycles cycles;
	uint64_t engine_cycles, read_beats, write_beats, tlb_misses;
};

/* Buffers as the device sees them. */
struct cost_buffer {
	uint64_t va, large_end;           /* up to there in pages of 2 MiB, the rest in pages of 4 KiB */
};

#define COST_BASES 4

struct cost_job {
	const struct eie_cmd *cmds, *restore;
	const uint32_t *cmd_layer, *restore_layer;   /* or NULL: all are layer 0 */
	const struct cost_work *works;               /* [ncmds] */
	uint32_t ncmds, nrestore;
	struct cost_buffer base[COST_BASES], commands;
	uint64_t cmd_offset, restore_offset, bases_offset;   /* in commands */
};

/*
 * A VMAC's weights from what a LOAD brings: pointers and streams of the clusters, so many bytes apart. One reference, to be freed with the work that it is put
 * into. NULL: no memory.
 */
struct cost_tile *cost_tile(const uint8_t *pointers, size_t pointer_bytes, const uint8_t *streams, size_t stream_bytes, uint32_t clusters,
			    uint32_t columns, bool wide);
/* Cycles of a VMAC, when nothing was before it, until its sums are complete. -ENOMEM. */
int cost_vmac(const struct eie_params *params, const struct eie_cmd *cmd, const struct cost_work *work, uint64_t *cycles);

struct cost_engine;

/* Memory latency in cycles, as of the simulator's bus. */
#define COST_LATENCY 64

int cost_engine_new(const struct eie_params *params, struct cost_engine **engine);
void cost_engine_free(struct cost_engine *engine);
/* All translations. */
void cost_engine_forget(struct cost_engine *engine);
/* Each command's time on its engine; start: it was taken, end: it is complete. Cycles of the job. */
typedef void (*cost_trace)(void *arg, unsigned int engine, uint32_t cmd, bool restore, uint64_t start, uint64_t end);
void cost_engine_trace(struct cost_engine *engine, cost_trace trace, void *arg);
/*
 * Runs a job; translations stay from job to job. layers: [as many as cmd_layer names] gets what each layer took, added. -ENOMEM, -EDEADLK (a program that
 * waits for ever).
 */
int cost_run(struct cost_engine *engine, const struct cost_job *job, struct cost_cycles *layers, struct cost_totals *totals);

#endif
