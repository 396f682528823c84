// SPDX-License-Identifier: GPL-2.0 OR MIT
#include "args.h"
#include "dataset.h"
#include "json.h"
#include "progress.h"
#include "runner.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define NCHECKS 2 /* cpu and ref */
#define TOP 5
#define MANY 20 /* classes from which on the best TOP are told */

struct eval {
	const struct tool *tool;
	const char *model_path;
	struct accel_model *model;
	struct accel_tensor_info in, out;
	struct accel_device_info info;
	struct dataset data;
	struct runner runner, check[NCHECKS];
	unsigned int nchecks;
	bool narrow; /* cpu:int8, beside which cpu runs */
	struct runner wide;
	uint64_t correct_wide, agree_wide, among_wide;
	uint64_t correct, correct_float, agree, values;
	uint64_t among, among_float; /* the label is one of the best TOP classes */
	uint64_t differ[NCHECKS];
};

struct buffers {
	void *got, *want; /* as the output's type */
	float *real;
};

static uint64_t largest_real(const float *v, uint64_t n)
{
	uint64_t best = 0;

	for (uint64_t i = 1; i < n; i++)
		if (v[i] > v[best])
			best = i;
	return best;
}

/* Fewer than TOP classes are better than the label, of equals the lower ones. */
static bool is_among(const struct accel_tensor_info *out, const void *values, uint64_t item, uint64_t label)
{
	double score = value_at(out, values, item * out->count + label);
	unsigned int better = 0;

	for (uint64_t i = 0; i < out->count; i++) {
		double v = value_at(out, values, item * out->count + i);

		better += v > score || (v == score && i < label);
	}
	return better < TOP && score == score;
}

static int one_batch(struct eval *e, uint64_t first, unsigned int n, struct buffers *b)
{
	const float *real = e->data.items.real + first * e->in.count;
	uint64_t values = n * e->out.count;
	const struct accel_tensor_info real_out = { .count = e->out.count, .dtype = ACCEL_DTYPE_FLOAT32 };
	struct accel_error err = { 0 };
	int status = runner_run(&e->runner, n, &real, NULL, &b->got);

	if (status)
		return status;
	for (unsigned int c = 0; c < e->nchecks; c++) {
		status = runner_run(&e->check[c], n, &real, NULL, &b->want);
		if (status)
			return status;
		e->differ[c] += count_differences(b->got, b->want, values, value_bytes(&e->out));
	}
	if (e->narrow)
		status = runner_run(&e->wide, n, &real, NULL, &b->want);
	if (status)
		return status;
	for (unsigned int i = 0; e->narrow && i < n; i++) {
		uint64_t wide = largest(&e->out, b->want, i);

		e->correct_wide += wide == e->data.label[first + i];
		e->agree_wide += wide == largest(&e->out, b->got, i);
		e->among_wide += is_among(&e->out, b->want, i, e->data.label[first + i]);
	}
	if (accel_model_run_float(e->model, real, n, b->real, &err))
		return fail_accel(e->model_path, &err);
	e->values += values;
	for (unsigned int i = 0; i < n; i++) {
		uint64_t is = largest(&e->out, b->got, i);
		uint64_t ideal = largest_real(b->real + i * e->out.count, e->out.count);

		e->correct += is == e->data.label[first + i];
		e->correct_float += ideal == e->data.label[first + i];
		e->agree += is == ideal;
		e->among += is_among(&e->out, b->got, i, e->data.label[first + i]);
		e->among_float += is_among(&real_out, b->real, i, e->data.label[first + i]);
	}
	return EXIT_OK;
}

static int all_batches(struct eval *e)
{
	uint64_t n = e->data.items.n, batch = e->runner.batch;
	struct progress progress;
	struct buffers b = {
		.got = calloc(batch * e->out.count, value_bytes(&e->out)),
		.want = calloc(batch * e->out.count, value_bytes(&e->out)),
		.real = calloc(batch * e->out.count, sizeof(*b.real)),
	};
	int status = EXIT_OK;

	if (!b.got || !b.want || !b.real)
		status = fail("out of memory");
	progress_start(&progress, e->tool, n);
	for (uint64_t i = 0; !status && i < n; i += batch) {
		progress_step(&progress, i);
		status = one_batch(e, i, (unsigned int)(n - i < batch ? n - i : batch), &b);
	}
	progress_end(&progress);
	free(b.got);
	free(b.want);
	free(b.real);
	return status;
}

static double percent(uint64_t part, uint64_t of)
{
	return of ? 100.0 * (double)part / (double)of : 0;
}

static void weights(const struct eval *e, uint64_t *all, uint64_t *nonzeros, uint64_t *float_bytes)
{
	struct accel_layer_info l;

	*all = *nonzeros = *float_bytes = 0;
	for (unsigned int i = 0; !accel_model_layer(e->model, i, &l); i++) {
		*all += (uint64_t)l.rows * l.cols / l.groups + l.weights;
		*nonzeros += l.nonzeros;
		*float_bytes += layer_float_bytes(&l);
	}
}

static uint64_t differences(const struct eval *e)
{
	uint64_t sum = 0;

	for (unsigned int c = 0; c < e->nchecks; c++)
		sum += e->differ[c];
	return sum;
}

static const struct accel_stats *counts_of(const struct eval *e)
{
	return counted(&e->runner, &e->check[e->nchecks ? e->nchecks - 1 : 0]);
}

static void print_json(const struct eval *e)
{
	const struct accel_stats *counts = counts_of(e);
	const struct accel_stats *s = &e->runner.stats;
	uint64_t n = e->data.items.n, all, nonzeros, float_bytes,
		 bytes = accel_model_file_bytes(e->model);
	struct json j;

	weights(e, &all, &nonzeros, &float_bytes);
	json_begin(&j, stdout);
	json_text(&j, "model", e->model_path);
	json_count(&j, "file_bytes", bytes);
	json_count(&j, "float_bytes", float_bytes);
	json_number(&j, "ratio", (double)float_bytes / (double)bytes);
	json_number(&j, "density", percent(nonzeros, all) / 100);
	json_text(&j, "data", e->data.images);
	json_text(&j, "labels", e->data.labels);
	json_text(&j, "device", e->info.backend);
	json_text(&j, "config", e->info.config);
	json_count(&j, "batch", e->runner.batch);
	json_count(&j, "items", n);
	json_count(&j, "correct", e->correct);
	json_number(&j, "accuracy", percent(e->correct, n) / 100);
	json_count(&j, "float_correct", e->correct_float);
	json_number(&j, "float_accuracy", percent(e->correct_float, n) / 100);
	json_count(&j, "float_agreement", e->agree);
	json_count(&j, "correct_top5", e->among);
	json_count(&j, "float_correct_top5", e->among_float);
	if (e->narrow) {
		json_count(&j, "int16_correct", e->correct_wide);
		json_count(&j, "int16_agreement", e->agree_wide);
		json_count(&j, "int16_correct_top5", e->among_wide);
	}
	if (counts)
		json_count(&j, "saturated", counts->saturated);
	else
		json_text(&j, "saturated", NULL);
	json_count(&j, "values", e->values);
	json_array(&j, "verified");
	for (unsigned int c = 0; c < e->nchecks; c++) {
		json_object(&j, NULL);
		json_text(&j, "against", e->check[c].name.s);
		json_count(&j, "mismatches", e->differ[c]);
		json_close(&j);
	}
	json_close(&j);
	json_number(&j, "seconds", e->runner.wall);
	if (s->cycles) {
		json_number(&j, "ideal_cycles_per_item", (double)s->ideal_cycles / (double)n);
		json_number(&j, "engine_cycles_per_item", (double)s->engine_cycles / (double)n);
		json_number(&j, "job_cycles_per_item", (double)s->cycles / (double)n);
		json_number(&j, "engine_ratio", (double)s->engine_cycles / (double)s->ideal_cycles);
		json_number(&j, "job_ratio", (double)s->cycles / (double)s->ideal_cycles);
		json_number(&j, "cycles_per_second", (double)s->cycles / e->runner.cpu);
		json_stalls(&j, s);
	}
	json_end(&j);
}

static void print_cycles(const struct eval *e)
{
	const struct accel_stats *s = &e->runner.stats;
	const struct tool *tool = e->tool;
	double n = (double)e->data.items.n, ideal = (double)s->ideal_cycles;

	report(tool, "Cycles",
	       "%.1f an inference, %.2f times the ideal %.1f (non-zero products / %u multipliers)",
	       (double)s->cycles / n, (double)s->cycles / ideal, ideal / n,
	       e->info.clusters * e->info.lanes);
	report(tool, "", "%.1f of them with the array at work: %.2f times ideal",
	       (double)s->engine_cycles / n, (double)s->engine_cycles / ideal);
	report(tool, "Spent on", "multiplying %.1f %%, %s", percent(s->busy, s->cycles),
	       text_stalls(s).s);
	report(tool, "Simulation", "%s cycles in %.1f s: %s a second", text_count(s->cycles).s,
	       e->runner.wall, text_count((uint64_t)((double)s->cycles / e->runner.cpu)).s);
}

static void print_text(const struct eval *e)
{
	const struct accel_stats *counts = counts_of(e);
	uint64_t n = e->data.items.n, all, nonzeros, float_bytes,
		 bytes = accel_model_file_bytes(e->model);
	const struct tool *tool = e->tool;

	weights(e, &all, &nonzeros, &float_bytes);
	report(tool, "Model", "%s: %u layers, %s weights, density %.2f %%",
	       base_name(e->model_path), accel_model_layers(e->model), text_count(all).s,
	       percent(nonzeros, all));
	report(tool, "Size", "%s, %.1f times smaller than float32 (%s)", text_bytes(bytes).s,
	       (double)float_bytes / (double)bytes, text_bytes(float_bytes).s);
	report(tool, "Data", "%s: %s items", e->data.images, text_count(n).s);
	report(tool, "Device", "%s%s", e->runner.name.s,
	       e->info.clusters ? "" : ", kernels of the host processor");
	putchar('\n');
	report(tool, "Accuracy", "%.2f %% (%s of %s)", percent(e->correct, n),
	       text_count(e->correct).s, text_count(n).s);
	report(tool, "Float32", "%.2f %%, the same class for %s of %s items",
	       percent(e->correct_float, n), text_count(e->agree).s, text_count(n).s);
	if (e->narrow)
		report(tool, "Int16", "%.2f %%, the same class for %s of %s items", percent(e->correct_wide, n), text_count(e->agree_wide).s,
		       text_count(n).s);
	if (e->out.count >= MANY)
		report(tool, "Top 5", "%.2f %% (%s of %s), float32 %.2f %%", percent(e->among, n),
		       text_count(e->among).s, text_count(n).s, percent(e->among_float, n));
	if (e->out.count >= MANY && e->narrow)
		report(tool, "", "int16 %.2f %%", percent(e->among_wide, n));
	if (!e->nchecks)
		report(tool, "Bit check",
		       "not made: --verify compares every output bit with cpu and ref");
	for (unsigned int c = 0; c < e->nchecks; c++)
		report(tool, c ? "" : "Bit check",
		       "%s of %s output values differ from the CPU reference '%s'",
		       text_count(e->differ[c]).s, text_count(e->values).s, e->check[c].name.s);
	if (counts)
		report(tool, "Saturated", "%s values", text_count(counts->saturated).s);
	else
		report(tool, "Saturated", "not counted; --verify counts on ref");
	if (e->runner.stats.cycles)
		print_cycles(e);
	else
		report(tool, "Time", "%s an inference on this machine",
		       text_time(e->runner.wall / (double)n).s);
}

/* What int16 makes of the data, beside int8. */
static int open_wide(struct eval *e, unsigned int batch)
{
	struct accel_device *device = NULL;
	int status = open_device("cpu", &device);

	if (!status)
		status = runner_open(&e->wide, e->model, device, batch);
	accel_device_unref(device);
	return status;
}

/* Opens what the outputs are compared with, of the same hardware parameters. */
static int open_checks(struct eval *e, const struct accel_device *of, unsigned int batch)
{
	static const char *const backend[NCHECKS] = { "cpu", "ref" };

	for (unsigned int i = 0; i < NCHECKS; i++) {
		struct accel_device *device = NULL;
		int status;

		if (!strcmp(backend[i], e->info.backend))
			continue; /* comparing a device with itself would show nothing */
		status = i ? open_reference(of, &device) : open_device("cpu", &device);
		if (!status)
			status = runner_open(&e->check[e->nchecks++], e->model, device, batch);
		accel_device_unref(device);
		if (status)
			return status;
	}
	return EXIT_OK;
}

static int check_shapes(struct eval *e)
{
	if (accel_model_inputs(e->model) != 1 || accel_model_outputs(e->model) != 1)
		return fail(
			"%s: has %u inputs and %u outputs; eval takes classifiers with one of each",
			e->model_path, accel_model_inputs(e->model), accel_model_outputs(e->model));
	accel_model_input(e->model, 0, &e->in);
	accel_model_output(e->model, 0, &e->out);
	return EXIT_OK;
}

static int check_labels(const struct eval *e)
{
	for (uint64_t i = 0; i < e->data.items.n; i++)
		if (e->data.label[i] >= e->out.count)
			return fail("%s: label %" PRIu32 " of item %" PRIu64
				    " is no class of the model, which has %" PRIu64,
				    e->data.labels, e->data.label[i], i, e->out.count);
	return EXIT_OK;
}

int cmd_eval(struct tool *tool, int argc, char **argv)
{
	const char *pos[2], *data = NULL, *labels = NULL, *spec = "sim";
	uint64_t limit = 0, batch = 0;
	bool verify = false, as_json = false;
	struct arg_list shapes = { 0 }, fixed = { 0 }, sparse = { 0 };
	const char *preprocess = NULL, *classes = NULL;
	const struct onnx_args onnx = { .shapes = &shapes, .fixed = &fixed, .sparse = &sparse, .preprocess = &preprocess, .classes = &classes };
	const struct arg options[] = {
		{ "data", 0, ARG_TEXT, &data, "DIR|FILE",
		  "IDX files (plain or .gz), inputs as .npy, or pictures" },
		{ "labels", 0, ARG_TEXT, &labels, "FILE",
		  "labels, IDX, .npy or text (default: beside the data)" },
		{ "device", 'd', ARG_TEXT, &spec, "DEVICE",
		  "sim[:CONFIG], ref[:CONFIG], drm[:PATH] or cpu[:int8] (default sim)" },
		{ "limit", 'n', ARG_COUNT, &limit, "N", "only the first N items" },
		{ "batch", 'b', ARG_COUNT, &batch, "N", "items a run (default 64; 1 for ONNX)" },
		{ "verify", 0, ARG_FLAG, &verify, NULL,
		  "compare every output bit with cpu and ref" },
		PICTURE_ARGS(preprocess, classes),
		ONNX_ARGS(shapes, fixed, sparse),
		{ "json", 0, ARG_FLAG, &as_json, NULL, "report as JSON" },
		{ 0 },
	};
	const struct arg_command cmd = {
		.name = "eval",
		.synopsis =
			"MODEL --data DIR|FILE [--labels FILE] [--device DEVICE] [--limit N]\n"
			"                [--batch N] [--verify] [--json]",
		.options = options,
		.min = 1,
		.max = 1,
		.missing = "a model",
		.summary =
			"Classifies labelled data: accuracy, agreement with the float network, saturation,\n"
			"and cycles an inference.",
		.example =
			"eie eval lenet_300_100.eie --data /usr/share/datasets/fashion-mnist --verify",
	};
	struct accel_device *device = NULL;
	struct eval *e;
	int status = args_parse(tool, &cmd, argc, argv, pos);

	if (status == ARGS_GO && !data)
		status = usage(cmd.name, "eval needs --data DIR|FILE");
	if (status == ARGS_GO && batch > 4096)
		status = usage(cmd.name, "--batch: %" PRIu64 " is more than 4096", batch);
	e = status == ARGS_GO ? calloc(1, sizeof(*e)) : NULL;
	if (!e) {
		onnx_args_free(&onnx);
		return status == ARGS_GO ? fail("out of memory") : status;
	}
	e->tool = tool;
	e->model_path = pos[0];
	status = open_model(pos[0], &onnx, &e->model);
	if (!status)
		status = check_shapes(e);
	if (!status)
		status = dataset_open(tool, &e->data, data, labels, e->model, limit);
	if (!status)
		status = check_labels(e);
	if (!status)
		status = open_device(spec, &device);
	if (!status) {
		accel_device_info(device, &e->info);
		e->narrow = !strcmp(e->info.config, "int8");
		batch = batch ? batch : default_batch(e->model);
		batch = batch < e->data.items.n ? batch : e->data.items.n;
		status = runner_open(&e->runner, e->model, device, (unsigned int)batch);
	}
	if (!status && verify)
		status = open_checks(e, device, (unsigned int)batch);
	if (!status && e->narrow)
		status = open_wide(e, (unsigned int)batch);
	if (!status && !e->out.calibrated)
		warn(tool,
		     "%s: not calibrated, its number ranges are guesses; import it with --calib",
		     pos[0]);
	if (!status)
		status = all_batches(e);
	if (!status) {
		if (as_json)
			print_json(e);
		else
			print_text(e);
		if (counts_of(e) && counts_of(e)->saturated)
			warn(tool, "%s: values saturated: %s; import it with --calib and inputs like these",
			     pos[0], text_count(counts_of(e)->saturated).s);
		if (differences(e))
			status = fail("%s: %s output values on %s differ from the references",
				      pos[0], text_count(differences(e)).s, e->runner.name.s);
	}
	for (unsigned int c = 0; c < e->nchecks; c++)
		runner_close(&e->check[c]);
	runner_close(&e->wide);
	runner_close(&e->runner);
	accel_device_unref(device);
	dataset_close(&e->data);
	accel_model_unref(e->model);
	free(e);
	onnx_args_free(&onnx);
	return status;
}
