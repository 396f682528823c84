// SPDX-License-Identifier: GPL-2.0 OR MIT
#include "args.h"
#include "items.h"
#include "json.h"
#include "progress.h"
#include "runner.h"
#include "signals.h"

#include <npy.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct run {
	const struct tool *tool;
	const char *model_path;
	struct accel_model *model;
	unsigned int nin, nout;
	struct accel_tensor_info *in, *out;
	struct items *items; /* [nin] */
	const char **path;   /* [nout] where to write, or NULL */
	void **result;	     /* [nout] of [n, count], int16 or float32 by the output's type */
	struct runner runner, check;
	uint64_t n, top, differ, values;
	bool raw, verify, classes;
	struct sparse_set sparse; /* matrices that the sessions of a model that is no ONNX file get */
};

static int describe(struct run *r)
{
	r->nin = accel_model_inputs(r->model);
	r->nout = accel_model_outputs(r->model);
	r->in = calloc(r->nin, sizeof(*r->in));
	r->out = calloc(r->nout, sizeof(*r->out));
	r->items = calloc(r->nin, sizeof(*r->items));
	r->path = calloc(r->nout, sizeof(*r->path));
	r->result = calloc(r->nout, sizeof(*r->result));
	if (!r->in || !r->out || !r->items || !r->path || !r->result)
		return fail("out of memory");
	for (unsigned int i = 0; i < r->nin; i++)
		accel_model_input(r->model, i, &r->in[i]);
	for (unsigned int i = 0; i < r->nout; i++)
		accel_model_output(r->model, i, &r->out[i]);
	r->classes = accel_model_class(r->model, 0);
	return EXIT_OK;
}

static int name_outputs(struct run *r, const struct arg_list *outputs)
{
	const char *file;
	unsigned int at;
	int status;

	for (unsigned int i = 0; i < outputs->n; i++) {
		status = named_file(r->model_path, outputs->item[i], r->out, r->nout, "output", &at, &file);
		if (status)
			return status;
		if (r->path[at])
			return fail("%s: output '%s' is written twice: to %s and to %s",
				    r->model_path, r->out[at].name, r->path[at], file);
		r->path[at] = file;
	}
	return EXIT_OK;
}

static int verify(struct run *r, unsigned int n, const float *const *real,
		  const int16_t *const *raw, void *const *got)
{
	void **want = calloc(r->nout, sizeof(*want));
	int status = want ? EXIT_OK : fail("out of memory");

	for (unsigned int i = 0; !status && i < r->nout; i++) {
		want[i] = calloc(n * r->out[i].count, value_bytes(&r->out[i]));
		if (!want[i])
			status = fail("out of memory");
	}
	if (!status)
		status = runner_run(&r->check, n, real, raw, want);
	for (unsigned int i = 0; want && i < r->nout; i++) {
		if (!status) {
			r->differ += count_differences(got[i], want[i], n * r->out[i].count,
						       value_bytes(&r->out[i]));
			r->values += n * r->out[i].count;
		}
		free(want[i]);
	}
	free(want);
	return status;
}

static int run_items(struct run *r)
{
	const float **real = calloc(r->nin, sizeof(*real));
	const int16_t **raw = calloc(r->nin, sizeof(*raw));
	void **out = calloc(r->nout, sizeof(*out));
	bool is_raw = r->items[0].raw;
	struct progress progress;
	int status = real && raw && out ? EXIT_OK : fail("out of memory");

	for (unsigned int i = 0; !status && i < r->nout; i++) {
		r->result[i] = calloc(r->n, r->out[i].count * value_bytes(&r->out[i]));
		if (!r->result[i])
			status = fail("out of memory for %s outputs", text_count(r->n).s);
	}
	progress_start(&progress, r->tool, r->n);
	for (uint64_t first = 0; !status && first < r->n; first += r->runner.batch) {
		unsigned int n = (unsigned int)(r->n - first < r->runner.batch ? r->n - first :
										 r->runner.batch);

		progress_step(&progress, first);
		for (unsigned int i = 0; i < r->nin; i++) {
			real[i] = is_raw ? NULL : r->items[i].real + first * r->in[i].count;
			raw[i] = is_raw ? r->items[i].raw + first * r->in[i].count : NULL;
		}
		for (unsigned int i = 0; i < r->nout; i++)
			out[i] = (char *)r->result[i] +
				 first * r->out[i].count * value_bytes(&r->out[i]);
		status = runner_run(&r->runner, n, is_raw ? NULL : real, raw, out);
		if (!status && r->verify)
			status = verify(r, n, is_raw ? NULL : real, raw, out);
	}
	progress_end(&progress);
	free(real);
	free(raw);
	free(out);
	return status;
}

/* [n, dims...] */
static int write_output(const struct run *r, unsigned int i)
{
	const struct accel_tensor_info *t = &r->out[i];
	uint64_t dims[NPY_MAX_DIMS] = { r->n }, values = r->n * t->count;
	struct accel_error err = { 0 };
	float *real = NULL;
	sigset_t before;
	int ret;

	for (unsigned int d = 0; d < t->ndim; d++)
		dims[1 + d] = t->dims[d];
	if (!r->raw) {
		real = malloc(values * sizeof(*real));
		if (!real)
			return fail("%s: out of memory", r->path[i]);
		for (uint64_t v = 0; v < values; v++)
			real[v] = (float)value_at(t, r->result[i], v);
	}
	signals_hold(r->path[i], &before);
	if (r->raw)
		ret = npy_write_i16(r->path[i], 1 + t->ndim, dims, r->result[i], &err);
	else
		ret = npy_write_f32(r->path[i], 1 + t->ndim, dims, real, &err);
	signals_release(&before);
	free(real);
	return ret ? fail_accel(r->path[i], &err) : EXIT_OK;
}

static int write_outputs(const struct run *r)
{
	int status = EXIT_OK;

	for (unsigned int i = 0; !status && i < r->nout; i++)
		if (r->path[i])
			status = write_output(r, i);
	return status;
}

/* Calls with the k-th best class of an item for k < top; ties go to the lower class. */
static void best(const struct run *r, uint64_t item,
		 void (*each)(const struct run *, void *, unsigned int, uint64_t, float), void *arg)
{
	const struct accel_tensor_info *t = &r->out[0];
	uint64_t first = item * t->count, last_at = 0;
	double last = INFINITY;

	for (unsigned int k = 0; k < r->top && k < t->count; k++) {
		uint64_t at = t->count;

		for (uint64_t i = 0; i < t->count; i++) {
			double v = value_at(t, r->result[0], first + i);
			bool later = v < last || (v == last && (!k || i > last_at));

			if (later &&
			    (at == t->count || v > value_at(t, r->result[0], first + at)))
				at = i;
		}
		if (at == t->count)
			return; /* what is left is not a number */
		last = value_at(t, r->result[0], first + at);
		last_at = at;
		each(r, arg, k, at, (float)last);
	}
}

static void print_class(const struct run *r, void *arg, unsigned int k, uint64_t at, float score)
{
	const char *name = accel_model_class(r->model, (unsigned int)at);

	(void)arg;
	if (name)
		printf("%s%s%s%s %.4g", k ? ", " : "", k ? "" : r->tool->bold, name,
		       k ? "" : r->tool->reset, (double)score);
	else
		printf("%sclass %" PRIu64 " %.4g", k ? ", " : "", at, (double)score);
}

static void json_class(const struct run *r, void *arg, unsigned int k, uint64_t at, float score)
{
	struct json *j = arg;

	(void)k;
	json_object(j, NULL);
	json_text(j, "class", accel_model_class(r->model, (unsigned int)at));
	json_count(j, "index", at);
	json_number(j, "score", (double)score);
	json_close(j);
}

/* Least, greatest and mean value of the first output. */
static void summarise(const struct run *r, uint64_t item, double *least, double *greatest,
		      double *mean)
{
	const struct accel_tensor_info *t = &r->out[0];
	double sum = 0;

	*least = *greatest = value_at(t, r->result[0], item * t->count);
	for (uint64_t i = 0; i < t->count; i++) {
		double v = value_at(t, r->result[0], item * t->count + i);

		*least = v < *least ? v : *least;
		*greatest = v > *greatest ? v : *greatest;
		sum += v;
	}
	*mean = sum / (double)t->count;
}

static void print_text(const struct run *r)
{
	double least, greatest, mean;

	for (uint64_t i = 0; i < r->n; i++) {
		const struct item_source *s = &r->items[0].source[i];

		printf("%s", s->file);
		if (s->index >= 0)
			printf("[%" PRId64 "]", s->index);
		printf(": ");
		if (r->top) {
			best(r, i, print_class, NULL);
			putchar('\n');
		} else {
			summarise(r, i, &least, &greatest, &mean);
			printf("%s values, %.4g to %.4g, mean %.4g\n",
			       text_count(r->out[0].count).s, least, greatest, mean);
		}
	}
	if (r->verify)
		report(r->tool, "Bit check",
		       "%s of %s output values differ from the CPU reference '%s'",
		       text_count(r->differ).s, text_count(r->values).s, r->check.name.s);
}

static void print_json(const struct run *r)
{
	const struct accel_stats *counts = counted(&r->runner, &r->check);
	struct json j;
	double least, greatest, mean;

	json_begin(&j, stdout);
	json_text(&j, "model", r->model_path);
	json_text(&j, "device", r->runner.name.s);
	json_count(&j, "batch", r->runner.batch);
	json_array(&j, "items");
	for (uint64_t i = 0; i < r->n; i++) {
		const struct item_source *s = &r->items[0].source[i];

		json_object(&j, NULL);
		json_text(&j, "file", s->file);
		if (s->index >= 0)
			json_int(&j, "index", s->index);
		if (r->top) {
			json_array(&j, "top");
			best(r, i, json_class, &j);
			json_close(&j);
		} else {
			summarise(r, i, &least, &greatest, &mean);
			json_number(&j, "least", least);
			json_number(&j, "greatest", greatest);
			json_number(&j, "mean", mean);
		}
		json_close(&j);
	}
	json_close(&j);
	if (counts)
		json_count(&j, "saturated", counts->saturated);
	else
		json_text(&j, "saturated", NULL);
	if (r->verify) {
		json_text(&j, "verified_against", r->check.name.s);
		json_count(&j, "values", r->values);
		json_count(&j, "mismatches", r->differ);
	}
	json_end(&j);
}

/*
 * The CPU reference of the device's own hardware parameters; the default ones for cpu, which has
 * none; for cpu:int8, whose numbers are its own, portable kernels.
 */
static int open_check(struct run *r, const struct accel_device *device)
{
	struct accel_device *ref = NULL;
	int status = open_reference(device, &ref);

	if (!status)
		status = runner_open(&r->check, r->model, ref, r->runner.batch);
	if (!status)
		status = runner_sparse(&r->check, &r->sparse);
	accel_device_unref(ref);
	return status;
}

static int finish(struct run *r, bool as_json)
{
	const struct accel_stats *counts = counted(&r->runner, &r->check);
	int status = write_outputs(r);

	if (status)
		return status;
	if (as_json)
		print_json(r);
	else
		print_text(r);
	if (counts && counts->saturated)
		warn(r->tool, "%s: values saturated: %s; import it with --calib and inputs like these",
		     r->model_path, text_count(counts->saturated).s);
	detail(r->tool, "%s: %s items on %s in %.3f s, %s at a time", r->model_path,
	       text_count(r->n).s, r->runner.name.s, r->runner.wall, text_count(r->runner.batch).s);
	if (r->differ)
		return fail("%s: %s of %s output values on %s differ from the CPU reference",
			    r->model_path, text_count(r->differ).s, text_count(r->values).s,
			    r->runner.name.s);
	return EXIT_OK;
}

static void release(struct run *r)
{
	runner_close(&r->check);
	runner_close(&r->runner);
	for (unsigned int i = 0; r->items && i < r->nin; i++)
		items_free(&r->items[i]);
	for (unsigned int i = 0; r->result && i < r->nout; i++)
		free(r->result[i]);
	free(r->in);
	free(r->out);
	free(r->items);
	free(r->path);
	free(r->result);
	accel_model_unref(r->model);
}

int cmd_run(struct tool *tool, int argc, char **argv)
{
	struct run r = { .tool = tool };
	const char *pos[2], *spec = "cpu";
	struct arg_list inputs = { 0 }, outputs = { 0 };
	uint64_t batch = 0;
	bool as_json = false;
	struct arg_list shapes = { 0 }, fixed = { 0 }, sparse = { 0 };
	const char *preprocess = NULL, *classes = NULL;
	const struct onnx_args onnx = { .shapes = &shapes, .fixed = &fixed, .sparse = &sparse, .sparse_later = true, .preprocess = &preprocess, .classes = &classes };
	const struct arg options[] = {
		{ "input", 'i', ARG_LIST, &inputs, "[NAME=]X...",
		  ".npy, .jpg and .png files, directories, - (.npy on stdin)" },
		{ "output", 'o', ARG_EACH, &outputs, "[NAME=]Y.npy",
		  "write the output values, float32 [items, ...]" },
		{ "device", 'd', ARG_TEXT, &spec, "DEVICE",
		  "cpu, sim[:CONFIG], ref[:CONFIG] or drm[:PATH] (default cpu)" },
		{ "raw", 0, ARG_FLAG, &r.raw, NULL,
		  "int16 outputs; int16 inputs are taken as they are" },
		{ "top", 't', ARG_COUNT, &r.top, "N",
		  "print the N best classes (default 3 when classes have names)" },
		{ "verify", 0, ARG_FLAG, &r.verify, NULL,
		  "compare every output bit with ref; status 1 if any differs" },
		{ "batch", 'b', ARG_COUNT, &batch, "N", "items a run (default 64; 1 for ONNX)" },
		PICTURE_ARGS(preprocess, classes),
		ONNX_ARGS(shapes, fixed, sparse),
		{ "json", 0, ARG_FLAG, &as_json, NULL, "report as JSON" },
		{ 0 },
	};
	const struct arg_command cmd = {
		.name = "run",
		.synopsis =
			"MODEL --input [NAME=]X... [--output [NAME=]Y.npy] [--device DEVICE]\n"
			"               [--raw] [--top N] [--verify] [--batch N] [--json]",
		.options = options,
		.min = 1,
		.max = 1,
		.missing = "a model",
		.summary = "Runs a model on inputs: one line of result each.",
		.example = "eie run lenet_300_100.eie --input boot.png --device sim --top 3",
	};
	struct accel_device *device = NULL;
	int status = args_parse(tool, &cmd, argc, argv, pos);

	if (status == ARGS_GO && !inputs.n)
		status = usage(cmd.name, "run needs --input FILE...");
	if (status == ARGS_GO && batch > 4096)
		status = usage(cmd.name, "--batch: %" PRIu64 " is more than 4096", batch);
	if (status == ARGS_GO) {
		r.model_path = pos[0];
		status = open_model(pos[0], &onnx, &r.model);
		if (!status)
			status = describe(&r);
		if (!status)
			status = name_outputs(&r, &outputs);
		if (!status)
			status = open_device(spec, &device);
		if (!status)
			status = items_read_all(tool, r.model_path, &inputs, r.model, r.raw, r.items, &r.n);
		if (!status) {
			batch = batch ? batch : default_batch(r.model);
			if (!r.top && r.classes)
				r.top = 3;
			status = runner_open(&r.runner, r.model, device,
					     (unsigned int)(batch < r.n ? batch : r.n));
		}
		if (!status && !has_suffix(pos[0], ".onnx"))
			status = sparse_set_read(&sparse, &r.sparse);
		if (!status)
			status = runner_sparse(&r.runner, &r.sparse);
		if (!status && r.verify)
			status = open_check(&r, device);
		if (!status)
			status = run_items(&r);
		if (!status)
			status = finish(&r, as_json);
		accel_device_unref(device);
		release(&r);
		sparse_set_free(&r.sparse);
	}
	onnx_args_free(&onnx);
	free(inputs.item);
	free(outputs.item);
	return status;
}
