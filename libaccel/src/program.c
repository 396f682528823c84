// SPDX-License-Identifier: GPL-2.0 OR MIT
#include <errno.h>
#include <stdlib.h>

#include <eie_hw.h>

#include "net.h"
#include "program.h"

struct accel_program *accel_program_ref(struct accel_program *program)
{
	atomic_fetch_add(&program->refs, 1);
	return program;
}

static void free_io(struct accel_io *io, unsigned int n)
{
	for (unsigned int i = 0; io && i < n; i++)
		free(io[i].slot);
	free(io);
}

void accel_program_unref(struct accel_program *program)
{
	if (!program || atomic_fetch_sub(&program->refs, 1) != 1)
		return;
	for (unsigned int n = 0; program->segments && n < program->model->net->nnodes; n++)
		accel_program_unref(program->segments[n]);
	free(program->segments);
	for (unsigned int l = 0; program->places && l < accel_model_layers(program->model); l++) {
		free(program->places[l].layer);
		free(program->places[l].reason);
	}
	free(program->places);
	free_io(program->inputs, program->model->ninputs);
	free_io(program->outputs, program->model->noutputs);
	free(program->cmds);
	free(program->cmd_layer);
	free(program->jobs);
	free(program->constants);
	accel_model_unref(program->model);
	free(program);
}

unsigned int accel_program_places(const struct accel_program *program)
{
	return accel_model_layers(program->model);
}

int accel_program_place(const struct accel_program *program, unsigned int index, struct accel_place_info *info)
{
	if (index >= accel_model_layers(program->model))
		return -ERANGE;
	*info = program->places[index].info;
	return 0;
}

unsigned int accel_program_batch(const struct accel_program *program)
{
	return program->batch;
}

int accel_program_totals(const struct accel_program *program, struct accel_program_totals *totals)
{
	*totals = (struct accel_program_totals){
		.jobs = program->njobs,
		.commands = program->ncmds,
		.command_bytes = (uint64_t)program->ncmds * EIE_CMD_BYTES,
		.constant_bytes = program->constant_bytes,
	};
	return 0;
}

const char *program_lacks(uint32_t missing)
{
	return missing & EIE_FEATURE_VECTOR ? "convolutions" : missing & EIE_FEATURE_POOL ? "pooling" :
	       missing & EIE_FEATURE_ELEMENT ? "products or tables" :
	       missing & EIE_FEATURE_SPLIT ? "lanes that skip zeros apart" : "loads that leave out columns of zero activations";
}
