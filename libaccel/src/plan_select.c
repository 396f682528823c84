// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Whether a fully connected layer's streamed weights come without the columns of zero activations (SELECT). That is fewer granules, but a chunk's weights then
 * wait for its pointers, and slots of pointers are smaller. The cost model runs the layer's first chunks both ways, with the very commands that would be written.
 */
#include <stdlib.h>
#include <string.h>

#include "emit.h"
#include "plan_int.h"

/* Of activations behind a ReLU so many are taken for not zero, of others all, as for convolutions (plan_split.c). */
#define NONZERO 0.7
/* But none may be zero after all: what is lost then must be less than such a part of what is won otherwise. */
#define RISK 4
/* Chunks that are tried. */
#define CHUNKS 8

bool plan_may_select(const struct plan *plan, unsigned int l)
{
	const struct accel_tensor *in = &plan->model->tensors[plan->model->layers[l].input];

	return plan->params.features & EIE_FEATURE_SELECT && plan->batch == 1 && in->lo >= 0;
}

/* The layer's input and output, in memory, alone. */
static void place_alone(struct plan *part, const struct accel_layer *layer, struct accel_program *program)
{
	struct tensor_plan *in = &part->tensors[layer->input], *out = &part->tensors[layer->output];

	in->in_memory = out->in_memory = true;
	in->base = BASE_INPUT;
	out->base = BASE_OUTPUT;
	in->offset = out->offset = 0;
	in->item_bytes = program->input_bytes = (size_t)in->granules * EIE_GRANULE_BYTES;
	out->item_bytes = program->output_bytes = (size_t)out->granules * EIE_GRANULE_BYTES;
}

static int cycles_of(const struct accel_program *program, double nonzero, double units, double *cycles)
{
	const struct accel_estimate_options options = { .size = sizeof(options), .nonzero = nonzero, .cold = true };
	struct accel_estimate *e = NULL;
	struct accel_stats stats;
	int ret = accel_program_estimate(program, &options, &e, NULL);

	if (!ret) {
		accel_estimate_total(e, &stats);
		*cycles = (double)stats.cycles / units;
	}
	accel_estimate_free(e);
	return ret;
}

/* part: a plan of the layer alone. */
static int write_alone(struct plan *part, unsigned int l, struct accel_program *program)
{
	struct layer_plan *lp = &part->layers[l];

	program->params = part->params;
	program->batch = 1;
	program->constants = lp->image.data;
	program->constant_bytes = lp->image.bytes;
	lp->image_offset = lp->codebook_offset = 0;   /* which bytes a codebook has, the model does not look at */
	place_alone(part, &part->model->layers[l], program);
	return emit_program(part, program, NULL);
}

int plan_select_cycles(const struct plan *plan, unsigned int l, struct select_cycles *cycles)
{
	struct segment segment = plan->segments[plan->layers[l].segment];
	struct tile_row row = *plan->layers[l].image.rows;
	struct plan part = *plan;
	struct accel_program program = { .model = (struct accel_model *)(uintptr_t)plan->model };   /* which nobody changes */
	double units = 0;
	int ret = -ENOMEM;

	/* the first row tile that has weights */
	for (uint32_t t = 1; !row.nchunks && t < plan->layers[l].rows.ntiles; t++)
		row = plan->layers[l].image.rows[t];
	row.nchunks = plan_min(row.nchunks, CHUNKS);
	part.layers = calloc(plan->model->nlayers, sizeof(*part.layers));
	part.tensors = malloc(plan->model->ntensors * sizeof(*part.tensors));
	program.places = calloc(plan->model->nlayers, sizeof(*program.places));
	if (part.layers && part.tensors && program.places) {
		memcpy(part.tensors, plan->tensors, plan->model->ntensors * sizeof(*part.tensors));
		part.layers[l] = plan->layers[l];
		part.layers[l].segment = 0;
		part.layers[l].codebook_resident = false;
		part.layers[l].rows.ntiles = 1;
		part.layers[l].image.rows = &row;
		part.segments = &segment;
		part.nsegments = 1;
		for (uint32_t c = 0; c < row.nchunks; c++)
			units += plan->layers[l].image.chunks[row.first_chunk + c].units;
		ret = write_alone(&part, l, &program);
		ret = ret ? ret : cycles_of(&program, NONZERO, units, &cycles->some);
		ret = ret ? ret : cycles_of(&program, 1, units, &cycles->none);
	}
	free(part.layers);
	free(part.tensors);
	free(program.places);
	free(program.cmds);
	free(program.cmd_layer);
	free(program.jobs);
	return ret;
}

bool plan_better_selected(const struct select_cycles *all, const struct select_cycles *selected)
{
	double won = all->some - selected->some, lost = selected->none - all->none;

	return won > 0 && won > RISK * lost;
}
