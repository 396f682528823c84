/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* What the makers of a model share: graph, calibration, float network and container. */
#ifndef ACCEL_GRAPH_H
#define ACCEL_GRAPH_H

#include "model.h"

/* Limits of a model; docs/eie_format.md repeats them. */
#define ACCEL_MAX_DIM     (1u << 24)   /* rows, columns, values of a tensor */
#define ACCEL_MAX_NNZ     (1u << 31)   /* non-zeros of a layer: below this */
#define ACCEL_MAX_NODES   65536u       /* tensors; layers */
#define ACCEL_MAX_CLASSES 65536u
#define ACCEL_MAX_NAME    255u         /* bytes of a name */

struct accel_graph {
	struct accel_model *model;   /* NULL once accel_graph_finish has given it away */
	bool *measured;              /* [ntensors] has a range: given, or from accel_graph_calibrate */
	bool outputs_given;          /* else the last layer's tensor is the output */
};

/* An empty model with one reference, or NULL. accel_model_unref frees it however far it has been built. */
struct accel_model *accel_model_alloc(void);
/* Names for the values of the first output, copied; 0 of them takes names away. Their number is compared when the model is checked. -EINVAL. */
int accel_model_set_classes(struct accel_model *model, unsigned int n, const char *const *names, struct accel_error *err);
/* For the first input: settled and copied. what names the file in errors. -EINVAL. */
int accel_model_set_preprocess(struct accel_model *model, const char *what, const struct accel_preprocess *preprocess, struct accel_error *err);
/* Frees what a layer owns. */
void accel_layer_clear(struct accel_layer *layer);
/* 0, or code with what is wrong: empty, too long, control characters. file is for the text. */
int accel_name_check(const char *file, const char *name, int code, const char *what, struct accel_error *err);
/* Structure of compressed sparse rows; codebook values finite and [0] = 0. Fails with code. */
int accel_csr_check(const char *file, const char *layer, const struct accel_csr *csr, int code, struct accel_error *err);

/* calibrate.c: ranges from seeded inputs for the tensors that calibration has not measured. */
int accel_graph_guess_ranges(struct accel_graph *graph, struct accel_error *err);

/* floatref.c: one buffer a tensor; the caller fills the graph inputs, a run computes the others for one item. */
int accel_float_new(const struct accel_model *model, float ***values, struct accel_error *err);
void accel_float_free(const struct accel_model *model, float **values);
void accel_float_run(const struct accel_model *model, float **values);

#endif
