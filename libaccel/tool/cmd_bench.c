// SPDX-License-Identifier: GPL-2.0 OR MIT
#include "args.h"
#include "bench_cpu.h"
#include "bench_layer.h"
#include "bench_noop.h"
#include "json.h"
#include "runner.h"

#include <stdlib.h>
#include <string.h>

#define SEED 20160618 /* EIE was presented at ISCA in June 2016 */

struct bench {
	const struct tool *tool;
	struct accel_device *device, *reference;
	struct accel_device_info info;
	double seconds;
	bool peers;	   /* of the suite cpu */
	struct json *json; /* or NULL */
	bool failed;	   /* an output or a counter was wrong */
};

/* What one measurement found: of one layer or one model, one item a run. */
struct result {
	const char *name;
	struct accel_stats stats; /* of one run */
	uint64_t runs, mismatches, values;
	struct text against; /* name of the reference */
	uint64_t macs;	     /* counted independently; 0: not known */
	double *us;	     /* [runs] wall time of each, sorted */
	double rate;	     /* simulated cycles a second */
};

static double median(const struct result *r)
{
	return r->runs % 2 ? r->us[r->runs / 2] : (r->us[r->runs / 2 - 1] + r->us[r->runs / 2]) / 2;
}

/* 0 for devices that have no cycles */
static double ratio(uint64_t cycles, const struct accel_stats *s)
{
	return s->ideal_cycles ? (double)cycles / (double)s->ideal_cycles : 0;
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/*
 * Runs until the time is up, at least three times; the first run brings the weights in and is not
 * counted.
 */
static int repeat(struct bench *b, struct runner *r, struct runner *check,
		  const float *const *inputs, struct result *res)
{
	struct accel_tensor_info out = { 0 };
	void *got, *want;
	int status = EXIT_OK;
	double until = 0;

	accel_model_output(r->model, 0, &out);
	got = calloc(out.count, value_bytes(&out));
	want = calloc(out.count, value_bytes(&out));
	if (!got || !want)
		status = fail("out of memory");
	if (!status)
		status = runner_run(check, 1, inputs, NULL, &want);
	for (int i = -1; !status && (i < 3 || seconds_wall() < until); i++) {
		double before = r->wall;

		status = runner_run(r, 1, inputs, NULL, &got);
		if (status)
			break;
		res->mismatches += count_differences(got, want, out.count, value_bytes(&out));
		res->values += out.count;
		if (i < 0) {
			runner_restart(r);
			until = seconds_wall() + b->seconds;
			continue;
		}
		if (res->runs % 256 == 0) {
			double *grown = realloc(res->us, (res->runs + 256) * sizeof(*grown));

			if (!grown) {
				status = fail("out of memory");
				break;
			}
			res->us = grown;
		}
		res->us[res->runs++] = 1e6 * (r->wall - before);
	}
	if (!status) {
		accel_session_stats(r->session[0], &res->stats);
		res->rate = r->cpu > 0 ? (double)r->stats.cycles / r->cpu : 0;
		qsort(res->us, res->runs, sizeof(*res->us), compare);
	}
	free(got);
	free(want);
	return status;
}

static void result_json(const struct bench *b, const struct result *r)
{
	struct json *j = b->json;
	bool cpu = !b->info.clusters;

	json_text(j, "device", b->info.backend);
	json_text(j, "config", b->info.config);
	json_text(j, "layer", r->name);
	if (!cpu) {
		json_count(j, "ideal_cycles", r->stats.ideal_cycles);
		json_count(j, "engine_cycles", r->stats.engine_cycles);
		json_number(j, "engine_ratio", ratio(r->stats.engine_cycles, &r->stats));
		json_count(j, "job_cycles", r->stats.cycles);
		json_number(j, "cycles_per_second", r->rate);
		json_stalls(j, &r->stats);
	}
	json_text(j, "against", r->against.s);
	json_count(j, "mismatches", r->mismatches);
	json_count(j, "values", r->values);
	json_number(j, "us_median", median(r));
	json_count(j, "runs", r->runs);
}

static void result_text(const struct bench *b, const struct result *r)
{
	const struct tool *tool = b->tool;
	const struct accel_stats *s = &r->stats;

	report(tool, "Layer", "%s", r->name);
	if (s->cycles) {
		report(tool, "Engine", "%s cycles, ideal %s: %.3f times ideal",
		       text_count(s->engine_cycles).s, text_count(s->ideal_cycles).s,
		       ratio(s->engine_cycles, s));
		report(tool, "Job", "%s cycles, %.3f times ideal; multiplying %.1f %%",
		       text_count(s->cycles).s, ratio(s->cycles, s),
		       100.0 * (double)s->busy / (double)s->cycles);
		report(tool, "Stalls", "%s", text_stalls(s).s);
		report(tool, "Simulation", "%s cycles a second of one processor",
		       text_count((uint64_t)r->rate).s);
	}
	report(tool, "Time", "%s a run on this machine (median of %s)",
	       text_time(1e-6 * median(r)).s,
	       text_count(r->runs).s);
	report(tool, "Bit check", "%s of %s output values differ from the CPU reference '%s'",
	       text_count(r->mismatches).s, text_count(r->values).s, r->against.s);
}

static void header(const struct bench *b)
{
	const struct tool *tool = b->tool;

	if (!b->info.clusters)
		printf("%s%-8s %14s %8s %8s %12s %8s %12s%s\n", tool->bold, "layer", "in -> out",
		       "weights", "inputs", "us median", "runs", "mismatches", tool->reset);
	else
		printf("%s%-8s %14s %8s %8s %10s %10s %8s %10s %11s%s\n", tool->bold, "layer",
		       "in -> out", "weights", "inputs", "ideal", "engine", "ratio", "job",
		       "mismatches", tool->reset);
}

static void row(const struct bench *b, const struct bench_layer *l, const struct result *r)
{
	const struct accel_stats *s = &r->stats;
	char shape[24];

	snprintf(shape, sizeof(shape), "%u -> %u", l->cols, l->rows);
	printf("%-8s %14s %6.0f %% %6.1f %% ", l->name, shape, 100 * l->weights,
	       100 * l->activations);
	if (!b->info.clusters)
		printf("%12.1f %8s %12s\n", median(r), text_count(r->runs).s,
		       text_count(r->mismatches).s);
	else
		printf("%10s %10s %8.3f %10s %11s\n", text_count(s->ideal_cycles).s,
		       text_count(s->engine_cycles).s, ratio(s->engine_cycles, s),
		       text_count(s->cycles).s, text_count(r->mismatches).s);
	fflush(stdout);
}

/* Judges the outputs and the count of multiplications; says what is wrong. */
static void judge(struct bench *b, const struct result *r)
{
	if (r->mismatches) {
		fail("%s: %s output values differ from the CPU reference '%s'", r->name,
		     text_count(r->mismatches).s, r->against.s);
		b->failed = true;
	}
	if (r->macs && b->info.clusters && r->stats.macs != r->macs) {
		fail("%s: the device counted %s multiplications, the layer has %s", r->name,
		     text_count(r->stats.macs).s, text_count(r->macs).s);
		b->failed = true;
	}
}

/* The caller frees res->us. */
static int measure(struct bench *b, struct accel_model *model, const float *const *inputs,
		   struct result *res)
{
	struct runner r = { 0 }, check = { 0 };
	int status = runner_open(&r, model, b->device, 1);

	if (!status)
		status = runner_open(&check, model, b->reference, 1);
	if (!status)
		status = repeat(b, &r, &check, inputs, res);
	res->against = check.name;
	if (!status)
		judge(b, res);
	runner_close(&check);
	runner_close(&r);
	return status;
}

static int bench_layer(struct bench *b, const struct bench_layer *layer, struct result *res)
{
	struct accel_model *model = NULL;
	float *input = NULL;
	int status = bench_layer_make(layer, SEED, &model, &input, &res->macs);

	res->name = layer->name;
	if (!status)
		status = measure(b, model, (const float *const *)&input, res);
	accel_model_unref(model);
	free(input);
	return status;
}

static int suite_sim(struct bench *b)
{
	const struct bench_layer layer = { "4096x4096", 4096, 4096, 0.09, 0.35 };
	struct result res = { 0 };
	int status = bench_layer(b, &layer, &res);

	if (!status && b->json)
		result_json(b, &res);
	else if (!status)
		result_text(b, &res);
	free(res.us);
	return status;
}

static int suite_paper(struct bench *b)
{
	int status = EXIT_OK;

	if (b->json) {
		json_text(b->json, "device", b->info.backend);
		json_text(b->json, "config", b->info.config);
		json_array(b->json, "layers");
	} else {
		header(b);
	}
	for (unsigned int i = 0; !status && i < EIE_PAPER_LAYERS; i++) {
		struct result res = { 0 };

		status = bench_layer(b, &eie_paper_layers[i], &res);
		if (!status && b->json) {
			json_object(b->json, NULL);
			result_json(b, &res);
			json_close(b->json);
		} else if (!status) {
			row(b, &eie_paper_layers[i], &res);
		}
		free(res.us);
	}
	if (b->json)
		json_close(b->json);
	return status;
}

/* Random inputs over the whole range of each input tensor. */
static int bench_model(struct bench *b, const char *path)
{
	struct random random = { SEED };
	struct accel_model *model = NULL;
	struct result res = { .name = path };
	unsigned int n = 0;
	float **inputs = NULL;
	int status = open_model(path, NULL, &model);

	if (!status) {
		n = accel_model_inputs(model);
		inputs = calloc(n, sizeof(*inputs));
		if (!inputs)
			status = fail("out of memory");
	}
	for (unsigned int i = 0; !status && i < n; i++) {
		struct accel_tensor_info t = { 0 };

		accel_model_input(model, i, &t);
		inputs[i] = calloc(t.count, sizeof(**inputs));
		if (!inputs[i]) {
			status = fail("out of memory");
			break;
		}
		for (uint64_t v = 0; v < t.count; v++)
			inputs[i][v] = (float)((t.lo + (t.hi - t.lo) * random_unit(&random)) *
					       (double)t.scale);
	}
	if (!status)
		status = measure(b, model, (const float *const *)inputs, &res);
	if (!status && b->json)
		result_json(b, &res);
	else if (!status)
		result_text(b, &res);
	free(res.us);
	for (unsigned int i = 0; inputs && i < n; i++)
		free(inputs[i]);
	free(inputs);
	accel_model_unref(model);
	return status;
}

static int what(struct bench *b, const char *name)
{
	if (!strcmp(name, "sim"))
		return suite_sim(b);
	if (!strcmp(name, "noop"))
		return bench_noop(b->tool, b->device, b->seconds, b->json);
	if (!strcmp(name, "cpu"))
		return bench_cpu(b->tool, b->reference, SEED, b->seconds, b->peers, b->json);
	if (!strcmp(name, "eie-paper"))
		return suite_paper(b);
	return bench_model(b, name);
}

/* A word that is neither a suite nor looks like a file is a mistyped suite. */
static int check_name(const char *name)
{
	static const char *const suites[] = { "sim", "cpu", "eie-paper", "noop" };
	const unsigned int n = sizeof(suites) / sizeof(suites[0]);
	const char *near;

	for (unsigned int i = 0; i < n; i++)
		if (!strcmp(name, suites[i]))
			return EXIT_OK;
	if (strpbrk(name, "./"))
		return EXIT_OK;
	near = nearest(name, suites, n);
	return usage("bench",
		     "unknown suite '%s'%s%s%s (suites: sim, cpu, eie-paper, noop; or an .eie file)",
		     name, near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
}

int cmd_bench(struct tool *tool, int argc, char **argv)
{
	struct bench b = { .tool = tool, .seconds = 2 };
	const char *pos[2], *reference, *spec = NULL;
	bool as_json = false;
	const struct arg options[] = {
		{ "device", 'd', ARG_TEXT, &spec, "DEVICE",
		  "sim[:CONFIG], ref[:CONFIG], drm[:PATH] or cpu (default sim; cpu for suite cpu)" },
		{ "seconds", 's', ARG_SECONDS, &b.seconds, "S",
		  "repeat a layer for that long (default 2)" },
		{ "peers", 0, ARG_FLAG, &b.peers, NULL,
		  "suite cpu: other libraries' kernels, too (make bench-peers builds them)" },
		{ "json", 0, ARG_FLAG, &as_json, NULL, "report as JSON" },
		{ 0 },
	};
	const struct arg_command cmd = {
		.name = "bench",
		.synopsis = "sim|cpu|eie-paper|noop|MODEL.eie [--device DEVICE] [--seconds S] [--peers] [--json]",
		.options = options,
		.min = 1,
		.max = 1,
		.missing = "a suite (sim, cpu, eie-paper, noop) or a model",
		.summary =
			"Measures, and checks every output against the CPU reference (cpu; ref when cpu is measured).\n\n"
			"  sim        a 4096 x 4096 layer, 9 % of the weights and 35 % of the inputs not zero\n"
			"  eie-paper  the nine layers of EIE (ISCA 2016) on the simulated engine\n"
			"  cpu        the same nine layers on the CPU kernels, warm and with cold caches,\n"
			"             one thread and two (time is for each kernel that is measured)\n"
			"  noop       jobs without commands: what a submission costs\n"
			"  MODEL.eie  a model, with random inputs",
		.example = "eie bench sim --device sim:8x8 --json",
	};
	struct json json;
	int status = args_parse(tool, &cmd, argc, argv, pos);

	if (status != ARGS_GO)
		return status;
	status = check_name(pos[0]);
	if (status)
		return status;
	if (!spec)
		spec = strcmp(pos[0], "cpu") ? "sim" : "cpu";
	if (!strcmp(pos[0], "cpu") && strcmp(spec, "cpu"))
		return usage(cmd.name, "suite cpu runs on the cpu; for %s use suite eie-paper",
			     spec);
	if (b.peers && strcmp(pos[0], "cpu"))
		return usage(cmd.name, "--peers is of the suite cpu");
	/* cpu is the reference of the others; compared with itself it would show nothing */
	reference = strcmp(spec, "cpu") ? "cpu" : "ref";
	status = open_device(spec, &b.device);
	if (!status)
		status = open_device(reference, &b.reference);
	if (!status) {
		accel_device_info(b.device, &b.info);
		if (as_json) {
			b.json = &json;
			json_begin(&json, stdout);
		} else {
			report(tool, "Device", "%s", text_device(&b.info).s);
		}
		status = what(&b, pos[0]);
		/* a report that broke off must not look like a whole one */
		if (as_json && !status)
			json_end(&json);
		if (b.failed)
			status = EXIT_FAILED;
	}
	accel_device_unref(b.reference);
	accel_device_unref(b.device);
	return status;
}
