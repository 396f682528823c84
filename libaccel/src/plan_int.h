/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* What the files of the plan share: plan.c has fully connected layers, residency, segments and memory, plan_image.c images. */
#ifndef ACCEL_PLAN_INT_H
#define ACCEL_PLAN_INT_H

#include <errno.h>

#include "plan.h"

static inline uint32_t plan_min(uint32_t a, uint32_t b)
{
	return a < b ? a : b;
}

static inline int plan_no_memory(struct accel_error *err)
{
	return accel_fail(err, -ENOMEM, NULL, "out of memory while compiling");
}

static inline bool plan_is_conv(const struct plan *plan, unsigned int layer)
{
	return plan->model->layers[layer].kind == ACCEL_LAYER_CONV;
}

static inline bool plan_is_element(const struct plan *plan, unsigned int layer)
{
	return plan->model->layers[layer].kind == ACCEL_LAYER_MULTIPLY || plan->model->layers[layer].kind == ACCEL_LAYER_TABLE;
}

/* The tensor as an image of so many places, channel c in places[c], or in c when that is NULL. -ENOMEM. */
int plan_image(struct plan *plan, unsigned int tensor, uint32_t nplaces, const uint32_t *places);
/* A layer, whose inputs have been planned: its cut, and the place of its output. -ENOMEM, -ENOTSUP, -E2BIG with err. */
int plan_conv(struct plan *plan, unsigned int l, struct accel_error *err);
int plan_pool(struct plan *plan, unsigned int l, struct accel_error *err);
int plan_concat(struct plan *plan, unsigned int l, struct accel_error *err);
/* A product, or a table. */
int plan_element(struct plan *plan, unsigned int l, struct accel_error *err);
/* Tables of what a convolution makes, and nobody else reads. */
void plan_join_tables(struct plan *plan);
/* Cuts the layers of images for what plan_keep() has decided. -ENOMEM. */
int plan_recut(struct plan *plan);
/* Streams of a convolution, for the slots of plan->area. -ENOMEM, -E2BIG. */
int plan_encode_conv(struct plan *plan, unsigned int l);

/*
 * Decides conv->split by the cost model; image: the layer's, with aligned columns. plan_may_split(): whether there is anything to decide. -ENOMEM.
 */
int plan_split(const struct plan *plan, unsigned int l, const struct tile_image *image, struct conv_plan *conv);
bool plan_may_split(const struct plan *plan, unsigned int l);

/* Cycles of the first chunks of a fully connected layer, a unit of its columns, by the cost model: some activations are zero, none is. */
struct select_cycles {
	double some, none;
};

/* Of a streamed layer, encoded for what lp->selects says. -ENOMEM. plan_may_select(): whether there is anything to decide. */
int plan_select_cycles(const struct plan *plan, unsigned int l, struct select_cycles *cycles);
bool plan_may_select(const struct plan *plan, unsigned int l);
bool plan_better_selected(const struct select_cycles *all, const struct select_cycles *selected);

/* Which images stay on chip, and where slots lie beside them; then layers are cut for that. -ENOMEM. */
int plan_keep(struct plan *plan);

#endif
