/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* A compiled program: immutable, relocatable; a session gives it buffers. */
#ifndef ACCEL_PROGRAM_H
#define ACCEL_PROGRAM_H

#include "backend.h"
#include "model.h"

/* Base-table slots of every job. */
enum { BASE_CONST, BASE_INPUT, BASE_OUTPUT, BASE_SCRATCH, NBASES };

struct accel_program_job {
	uint32_t first_cmd, ncmds;
	uint32_t layer_first, layer_last;   /* for error texts */
};

/* Where value i of a graph input or output lies in its base: int16 index slot[i] within an item of item_bytes. */
struct accel_io {
	unsigned int tensor;
	uint64_t offset, item_bytes;   /* item b starts at offset + b * item_bytes */
	uint32_t *slot;                /* [count] */
};

struct accel_place {
	char *layer, *reason;
	struct accel_place_info info;
};

struct accel_program {
	atomic_uint refs;
	struct accel_model *model;       /* a reference */
	unsigned int batch;
	bool on_cpu;                     /* compiled for the cpu backend: nothing below is set but places */
	bool any_device;                 /* the engine cannot run it: on the CPU, though the session is a device's */
	struct eie_params params;
	uint32_t needs;                  /* EIE_FEATURE_* that its commands use */
	struct eie_cmd *cmds;            /* of all jobs, then the restore commands */
	uint32_t ncmds, restore_first, nrestore;
	uint32_t *cmd_layer;             /* [ncmds] layer each command belongs to */
	struct accel_program_job *jobs;
	uint32_t njobs;
	uint8_t *constants;              /* contents of BASE_CONST */
	size_t constant_bytes, input_bytes, output_bytes, scratch_bytes;   /* bases, multiples of 16 */
	struct accel_io *inputs, *outputs;
	struct accel_place *places;      /* one a layer, as accel_model_layer() counts */
	struct accel_program **segments; /* of a network: [nnodes], NULL where a node is an operator */
	uint64_t residency;              /* hash of what the restore commands load, or 0 */
};

/* What layers that need these EIE_FEATURE_* have, for error texts: the first that is missing. */
const char *program_lacks(uint32_t missing);

#endif
