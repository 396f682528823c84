/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* Networks that are placed and run: on the devices of the command line the same bytes, and close to float32. For cmocka tests. */
#ifndef NETWORK_CHECK_H
#define NETWORK_CHECK_H

#include <libfdt.h>
#include <math.h>
#include "container.h"
#include "eie_tree.h"
#include "models.h"
#include "net.h"
#include "netmodel.h"
#include "onnx_build.h"
#include "onnx_place.h"

enum { SIDE = 8, CLASSES = 10, ITEMS = 5 };

static const char *const default_devices[] = { "cpu", "ref:2x2" };
static const char *const *devices = default_devices;
static int ndevices = 2;

/* test_NAME [DEVICE ...] */
static inline void take_devices(int argc, char **argv)
{
	if (argc > 1) {
		devices = (const char *const *)argv + 1;
		ndevices = argc - 1;
	}
}

/* Weights of few different values, a good part of them zero; of many, none zero, when more are asked for than a codebook holds. */
static inline void codebook_weights(struct test_rng *rng, float *w, size_t n, unsigned int values)
{
	for (size_t i = 0; i < n; i++)
		w[i] = values <= 255 && test_random(rng) % 3 ? 0 : ((float)(1 + test_random(rng) % values) - (float)values / 2 - 0.5f) / (float)values;
}

static inline void random_weights(struct test_rng *rng, float *w, size_t n)
{
	for (size_t i = 0; i < n; i++)
		w[i] = (float)(test_uniform(rng) - 0.5);
}

/* Placed, as a model; conv: convolutions too. Frees b. calib: [n, SIDE * SIDE] or NULL. */
static inline struct accel_model *place_all(struct ob *b, bool conv, const float *calib, uint64_t n)
{
	const struct calib_inputs inputs = { .n = n, .values = &calib };
	const struct placement how = { .conv = conv };
	struct calib *ranges = NULL;
	struct accel_network *net;
	struct accel_model *model;
	struct accel_error err;

	if (ob_load(b, NULL, &net, &err) || (conv && pass_apart(net, &err)) || (n && calib_new(net, &inputs, &ranges, &err)) || onnx_place(net, &how, ranges, &err) ||
	    net_check(net, &err) || netmodel_new(net, &model, &err))
		fail_msg("%s", err.text);
	calib_free(ranges);
	ob_free(b);
	return model;
}

/* Runs items on a device; out: [n, CLASSES]. */
static inline void run(struct accel_model *model, const char *spec, unsigned int batch, const float *items, float *out)
{
	const struct accel_compile_options options = { .size = sizeof(options), .batch = batch };
	struct accel_device *device;
	struct accel_program *program;
	struct accel_session *session;
	struct accel_error err;

	if (accel_device_open(spec, &device, &err) || accel_program_compile(model, device, &options, &program, &err) ||
	    accel_session_open(program, device, &session, &err) || accel_session_input(session, 0, items, &err) ||
	    accel_session_run(session, &err) || accel_session_output(session, 0, out, &err))
		fail_msg("%s: %s", spec, err.text);
	accel_session_close(session);
	accel_program_unref(program);
	accel_device_unref(device);
}

/* Items in one batch: the same bytes on every device, and close to float32. */
static inline void check_devices(struct accel_model *model, const float *items, float tolerance)
{
	size_t n = ITEMS * model->tensors[model->outputs[0]].count;
	float *flat = malloc(n * sizeof(*flat)), *first = malloc(n * sizeof(*first)), *out = malloc(n * sizeof(*out));

	assert_int_equal(accel_model_run_float(model, items, ITEMS, flat, NULL), 0);
	for (int d = 0; d < ndevices; d++) {
		run(model, devices[d], ITEMS, items, d ? out : first);
		if (d)
			assert_memory_equal(first, out, n * sizeof(*out));
	}
	for (size_t i = 0; i < n; i++)
		if (!(fabsf(first[i] - flat[i]) < tolerance))
			fail_msg("value %zu: %g, in float32 %g", i, (double)first[i], (double)flat[i]);
	free(flat);
	free(first);
	free(out);
}

/* Runs the network as it is written, every operator on the CPU. Frees b. */
static inline void run_written(struct ob *b, const float *items, float *out)
{
	struct accel_network *net;
	struct accel_model *model;
	struct accel_error err;

	if (ob_load(b, NULL, &net, &err) || netmodel_new(net, &model, &err))
		fail_msg("%s", err.text);
	run(model, "cpu", ITEMS, items, out);
	accel_model_unref(model);
	ob_free(b);
}

/* Whether the description of the model in an .eie file, packed or not, needs a feature. */
static inline bool file_needs(const uint8_t *file, const char *feature)
{
	size_t size;
	uint8_t *tree = eie_tree(file, &size);
	bool needs;

	needs = fdt_stringlist_search(tree, 0, "must-understand", feature) >= 0;
	free(tree);
	return needs;
}

/*
 * Placed, on every device the same bytes, before and behind a file, and close to what is written. nodes: of the network then, segments of the engine included.
 * The model is the caller's.
 */
static inline struct accel_model *check_network(struct ob *(*make)(void), unsigned int nodes, float tolerance)
{
	struct accel_network *net;
	struct accel_model *model, *again;
	struct accel_error err;
	struct ob *b = make();
	struct test_rng rng = { 77 };
	size_t nin, nout, size;
	float *items, *written, *placed;
	bool turned = false;
	void *file;

	assert_int_equal(ob_load(b, NULL, &net, &err), 0);
	nin = net->values[net->inputs[0]].count;
	nout = net->values[net->outputs[0]].count;
	net_free(net);
	items = malloc(ITEMS * nin * sizeof(*items));
	written = malloc(ITEMS * nout * sizeof(*written));
	placed = malloc(ITEMS * nout * sizeof(*placed));
	assert_true(items && written && placed);
	for (size_t i = 0; i < ITEMS * nin; i++)
		items[i] = (float)test_uniform(&rng);
	run_written(b, items, written);
	model = place_all(make(), true, items, ITEMS);
	if (model->net->nnodes != nodes)
		for (unsigned int n = 0; n < model->net->nnodes; n++)
			print_message("%s (%s): %s\n", model->net->nodes[n].name, net_op_name(&model->net->nodes[n]),
				      model->net->nodes[n].device_reason ? model->net->nodes[n].device_reason : "");
	assert_int_equal(model->net->nnodes, nodes);
	check_devices(model, items, tolerance);
	run(model, devices[0], ITEMS, items, placed);
	for (size_t i = 0; i < ITEMS * nout; i++)
		if (!(fabsf(placed[i] - written[i]) < tolerance))
			fail_msg("value %zu: %g, as written %g", i, (double)placed[i], (double)written[i]);
	assert_int_equal(eie_encode(model, &file, &size, NULL, &err), 0);
	if (accel_model_load(file, size, "f", &again, &err))
		fail_msg("%s", err.text);
	/* a reader that does not know of turned values must not take the file */
	for (unsigned int n = 0; n < model->net->nnodes; n++)
		for (unsigned int k = 0; k < model->net->nodes[n].nattrs; k++)
			turned = turned || !strncmp(model->net->nodes[n].attrs[k].name, "turned", 6);
	assert_int_equal(file_needs(file, EIE_FEATURE_ENDS), turned);
	free(file);
	run(again, devices[0], ITEMS, items, written);
	assert_memory_equal(placed, written, ITEMS * nout * sizeof(*placed));
	accel_model_unref(again);
	free(items);
	free(written);
	free(placed);
	return model;
}

static inline void random_items(float *items)
{
	struct test_rng rng = { 5 };

	for (int i = 0; i < ITEMS * SIDE * SIDE; i++)
		items[i] = (float)test_uniform(&rng);
}

/* Of 15 different weights, with as much padding as keeps the size. */
static inline Onnx__NodeProto *codebook_conv(struct ob *b, struct test_rng *rng, const char *name, const char *in, int64_t outputs, int64_t inputs,
				      int64_t kernel)
{
	const int64_t dims[4] = { outputs, inputs, kernel, kernel }, pads[4] = { kernel / 2, kernel / 2, kernel / 2, kernel / 2 };
	float w[2048];
	char weights[32], reads[64];
	Onnx__NodeProto *n;

	codebook_weights(rng, w, (int)(outputs * inputs * kernel * kernel), 15);
	snprintf(weights, sizeof(weights), "%s_w", name);
	snprintf(reads, sizeof(reads), "%s,%s", in, weights);
	ob_floats(b, weights, 4, dims, w);
	n = ob_node(b, "Conv", reads, name);
	ob_attr_ints(b, n, "pads", 4, pads);
	return n;
}

static inline const char *reason_of(const struct accel_model *model, const char *name)
{
	for (unsigned int n = 0; n < model->net->nnodes; n++)
		if (!strcmp(model->net->nodes[n].name, name))
			return model->net->nodes[n].op ? model->net->nodes[n].device_reason : "on the engine";
	return "no such node";
}

static inline unsigned int layers_named(const struct accel_model *model, const char *part)
{
	unsigned int n = 0;
	struct accel_layer_info info;

	for (unsigned int i = 0; !accel_model_layer(model, i, &info); i++)
		n += !!strstr(info.name, part);
	return n;
}

#endif
