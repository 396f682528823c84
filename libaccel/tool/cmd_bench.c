// SPDX-License-Identifier: GPL-2.0 OR MIT
#include "args.h"
#include "bench_cpu.h"
#include "bench_layer.h"
#include "bench_noop.h"
#include "json.h"
#include "runner.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define SEED 20160618 /* EIE was presented at ISCA in June 2016 */

struct bench {
	const struct tool *tool;
	struct accel_device *device, *reference;
	struct accel_device_info info;
	double seconds;
	uint64_t seed;
	enum bench_sparsity sparsity;
	bool streamed;	   /* weights come from memory in every run */
	bool peers;	   /* of the suite cpu */
	struct arg_list networks; /* of the suite cpu */
	const char *picture;	  /* their input, or NULL */
	struct json *json; /* or NULL */
	bool failed;	   /* an output or a counter was wrong */
};

#define COUNTERS_MAX 64

/* What one measurement found: of one layer or one model, one item a run. */
struct result {
	const char *name;
	struct accel_stats stats; /* of one run */
	struct accel_counter counters[COUNTERS_MAX]; /* what they moved in one run */
	int ncounters;				     /* 0: there are none */
	uint64_t runs, mismatches, values;
	struct text against; /* name of the reference */
	uint64_t macs;	     /* counted independently; 0: not known */
	uint64_t bytes;	     /* that the program's loads name, columns of zero activations included */
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

/* One run, and what the engine counters moved in it. */
static int run_counted(struct bench *b, struct runner *r, const float *const *inputs, void **got, struct result *res)
{
	struct accel_counter before[COUNTERS_MAX];
	int n = accel_device_counters(b->device, before, COUNTERS_MAX, NULL);
	int status = runner_run(r, 1, inputs, NULL, got);

	if (status || n < 0)
		return status;
	res->ncounters = n < COUNTERS_MAX ? n : COUNTERS_MAX;
	accel_device_counters(b->device, res->counters, COUNTERS_MAX, NULL);
	for (int i = 0; i < res->ncounters; i++)
		res->counters[i].value -= before[i].value;
	return status;
}

static uint64_t counter(const struct result *r, const char *name)
{
	for (int i = 0; i < r->ncounters; i++)
		if (!strcmp(r->counters[i].name, name))
			return r->counters[i].value;
	return 0;
}

/* Granules a cycle from the first to the last of the weights; 0: no weights came. */
static double beats(const struct result *r)
{
	uint64_t span = counter(r, "WEIGHT_SPAN");

	return span ? (double)counter(r, "WEIGHT_BEATS") / (double)span : 0;
}

/* Bytes that came: without the columns that were left out (SELECT). 0: not known. */
static uint64_t fetched(const struct result *r)
{
	static const char *const loads[] = { "READ_ABUF", "READ_WBUF", "READ_PBUF", "READ_RBUF", "READ_CBUF" };
	uint64_t granules = 0;

	for (size_t i = 0; i < sizeof(loads) / sizeof(loads[0]); i++)
		granules += counter(r, loads[i]);
	return 16 * granules;
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

		status = run_counted(b, r, inputs, &got, res);
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
	if (r->ncounters) {
		if (beats(r) > 0)
			json_number(j, "beats_per_cycle", beats(r));
		json_count(j, "bytes_fetched", fetched(r));
		json_count(j, "bytes_all_columns", r->bytes);
		json_object(j, "counters");
		for (int i = 0; i < r->ncounters; i++)
			json_count(j, r->counters[i].name, r->counters[i].value);
		json_close(j);
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
		printf("%s%-8s %14s %8s %8s %8s %8s %7s %8s %6s %8s %8s%s %10s%s\n", tool->bold, "layer",
		       "in -> out", "weights", "inputs", "ideal", "engine", "ratio", "job", "over", "EIE",
		       "speed-up", b->streamed ? "   beats fetched" : "", "mismatches", tool->reset);
}

/* Cycles of a job above 1.02 times the ideal. */
static double over(const struct accel_stats *s)
{
	return (double)s->cycles - 1.02 * (double)s->ideal_cycles;
}

static double paper_cycles(const struct bench_layer *l)
{
	return 800 * l->paper_us;
}

/* EIE's cycles for each of ours, of its 64 multipliers; loads and stores are in neither. */
static double speedup(const struct bench_layer *l, const struct accel_stats *s)
{
	return s->engine_cycles ? paper_cycles(l) / (double)s->engine_cycles : 0;
}

static void row(const struct bench *b, const struct bench_layer *l, const struct result *r)
{
	const struct accel_stats *s = &r->stats;
	char shape[24], span[32] = "";

	snprintf(shape, sizeof(shape), "%u -> %u", l->cols, l->rows);
	printf("%-8s %14s %6.0f %% %6.1f %% ", l->name, shape, 100 * l->weights,
	       100 * l->activations);
	if (b->streamed)
		snprintf(span, sizeof(span), " %7.4f %5.1f %%", beats(r), r->bytes ? 100 * (double)fetched(r) / (double)r->bytes : 0);
	if (!b->info.clusters)
		printf("%12.1f %8s %12s\n", median(r), text_count(r->runs).s,
		       text_count(r->mismatches).s);
	else
		printf("%8s %8s %7.3f %8s %6.0f %8.0f %8.2f%s %10s\n", text_count(s->ideal_cycles).s,
		       text_count(s->engine_cycles).s, ratio(s->engine_cycles, s),
		       text_count(s->cycles).s, over(s), paper_cycles(l), speedup(l, s), span,
		       text_count(r->mismatches).s);
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
	int status = b->streamed ? runner_open_streamed(&r, model, b->device, 1) :
				   runner_open(&r, model, b->device, 1);

	if (!status)
		status = runner_open(&check, model, b->reference, 1);
	if (!status)
		status = repeat(b, &r, &check, inputs, res);
	for (unsigned int l = 0; !status && l < accel_program_places(r.program[0]); l++) {
		struct accel_place_info place;

		accel_program_place(r.program[0], l, &place);
		res->bytes += place.bytes_loaded;
	}
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
	int status = bench_layer_make(layer, b->sparsity, b->seed, &model, &input, &res->macs);

	res->name = layer->name;
	if (!status)
		status = measure(b, model, (const float *const *)&input, res);
	accel_model_unref(model);
	free(input);
	return status;
}

static int suite_sim(struct bench *b)
{
	const struct bench_layer layer = { "4096x4096", 4096, 4096, 0.09, 0.35, 0 };
	struct result res = { 0 };
	int status = bench_layer(b, &layer, &res);

	if (!status && b->json)
		result_json(b, &res);
	else if (!status)
		result_text(b, &res);
	free(res.us);
	return status;
}

/* What the nine layers are judged by. */
struct verdict {
	double worst, product, most_over, least_beats;
	unsigned int n;
};

static void verdict_add(struct verdict *v, const struct result *r)
{
	double engine = ratio(r->stats.engine_cycles, &r->stats);

	v->worst = engine > v->worst ? engine : v->worst;
	v->product += log(engine);
	v->most_over = !v->n || over(&r->stats) > v->most_over ? over(&r->stats) : v->most_over;
	v->least_beats = !v->n || beats(r) < v->least_beats ? beats(r) : v->least_beats;
	v->n++;
}

static void verdict_report(const struct bench *b, const struct verdict *v)
{
	double mean = exp(v->product / v->n);

	if (b->json) {
		json_number(b->json, "engine_ratio_worst", v->worst);
		json_number(b->json, "engine_ratio_mean", mean);
		json_number(b->json, "job_over_worst", v->most_over);
		if (b->streamed)
			json_number(b->json, "beats_per_cycle_worst", v->least_beats);
		return;
	}
	printf("Engine / ideal: worst %.3f, geometric mean %.3f. Job: %.0f cycles over 1.02 x ideal at the most.",
	       v->worst, mean, v->most_over);
	if (b->streamed)
		printf(" %.4f granules a cycle at least.", v->least_beats);
	putchar('\n');
}

static int suite_paper(struct bench *b)
{
	struct verdict verdict = { 0 };
	int status = EXIT_OK;

	if (b->json) {
		json_text(b->json, "device", b->info.backend);
		json_text(b->json, "config", b->info.config);
		json_text(b->json, "sparsity", b->sparsity == BENCH_UNEVEN ? "uneven" : "uniform");
		json_text(b->json, "weights", b->streamed ? "streamed" : "resident");
		json_count(b->json, "seed", b->seed);
		json_array(b->json, "layers");
	} else {
		header(b);
	}
	for (unsigned int i = 0; !status && i < EIE_PAPER_LAYERS; i++) {
		const struct bench_layer *l = &eie_paper_layers[i];
		struct result res = { 0 };

		status = bench_layer(b, l, &res);
		if (!status && b->json) {
			json_object(b->json, NULL);
			result_json(b, &res);
			if (res.stats.cycles) {
				json_number(b->json, "job_over", over(&res.stats));
				json_number(b->json, "paper_us", l->paper_us);
				json_number(b->json, "paper_cycles", paper_cycles(l));
				json_number(b->json, "speedup", speedup(l, &res.stats));
			}
			json_close(b->json);
		} else if (!status) {
			row(b, l, &res);
		}
		if (!status && res.stats.cycles)
			verdict_add(&verdict, &res);
		free(res.us);
	}
	if (b->json)
		json_close(b->json);
	if (!status && verdict.n)
		verdict_report(b, &verdict);
	return status;
}

/* Random inputs over the whole range of each input tensor. */
static int bench_model(struct bench *b, const char *path)
{
	struct random random = { b->seed };
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
		return bench_cpu(b->tool, b->reference,
				 &(struct bench_networks){ .names = b->networks.item, .n = b->networks.n, .picture = b->picture, .seed = b->seed,
							   .seconds = b->seconds },
				 b->peers, b->json);
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

/* "8,8" is the simulated configuration 8x8; cold, because a job finds no translations when it comes after others. */
static int config_device(const char *config, char *spec, size_t size)
{
	unsigned int k, l;
	int end = 0;

	if (sscanf(config, "%u,%u%n", &k, &l, &end) != 2 || config[end])
		return usage("bench", "--config %s: a configuration is CLUSTERS,LANES, as 8,8", config);
	snprintf(spec, size, "sim:%ux%u,cold=1", k, l);
	return EXIT_OK;
}

static int check_sparsity(const char *sparsity, struct bench *b)
{
	if (sparsity && strcmp(sparsity, "uniform") && strcmp(sparsity, "uneven"))
		return usage("bench", "--sparsity %s: it is uniform or uneven", sparsity);
	b->sparsity = sparsity && !strcmp(sparsity, "uneven") ? BENCH_UNEVEN : BENCH_UNIFORM;
	return EXIT_OK;
}

static int parse_and_run(struct tool *tool, int argc, char **argv, struct bench *b)
{
	const char *pos[2], *reference, *spec = NULL, *config = NULL, *sparsity = NULL;
	char cold[64] = "sim:8x8,cold=1";
	bool as_json = false;
	const struct arg options[] = {
		{ "device", 'd', ARG_TEXT, &spec, "DEVICE",
		  "sim[:CONFIG], ref[:CONFIG], drm[:PATH] or cpu[:int8] (default sim; cpu for suite cpu)" },
		{ "seconds", 's', ARG_SECONDS, &b->seconds, "S",
		  "repeat a layer for that long (default 2)" },
		{ "config", 0, ARG_TEXT, &config, "K,L",
		  "eie-paper: clusters and lanes of the simulated engine (default 8,8)" },
		{ "sparsity", 0, ARG_TEXT, &sparsity, "KIND",
		  "eie-paper: uniform, or uneven: rows and columns differ in density" },
		{ "seed", 0, ARG_COUNT, &b->seed, "N", "of weights and inputs" },
		{ "streamed", 0, ARG_FLAG, &b->streamed, NULL,
		  "eie-paper: weights come from memory in every run" },
		{ "peers", 0, ARG_FLAG, &b->peers, NULL,
		  "suite cpu: other libraries' kernels, too (make bench-peers builds them)" },
		{ "network", 0, ARG_EACH, &b->networks, "MODEL[=ONNX]",
		  "suite cpu: a network beside SqueezeNet and LeNet-5; its peers run the ONNX file" },
		{ "picture", 0, ARG_TEXT, &b->picture, "FILE", "suite cpu: input of networks that take pictures" },
		{ "json", 0, ARG_FLAG, &as_json, NULL, "report as JSON" },
		{ 0 },
	};
	const struct arg_command cmd = {
		.name = "bench",
		.synopsis = "sim|cpu|eie-paper|noop|MODEL.eie [--device DEVICE] [--config K,L] [--sparsity KIND] [--seed N] [--streamed] [--seconds S] [--peers] [--network MODEL[=ONNX]]... [--picture FILE] [--json]",
		.options = options,
		.min = 1,
		.max = 1,
		.missing = "a suite (sim, cpu, eie-paper, noop) or a model",
		.summary =
			"Measures, and checks every output against the CPU reference (cpu; ref when cpu is measured).\n\n"
			"  sim        a 4096 x 4096 layer, 9 % of the weights and 35 % of the inputs not zero\n"
			"  eie-paper  the nine layers of EIE (ISCA 2016) on the simulated engine\n"
			"  cpu        the same nine layers on the CPU kernels, warm and with cold caches,\n"
			"             one thread and two (time is for each kernel that is measured), and whole networks\n"
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
	status = check_sparsity(sparsity, b);
	if (status)
		return status;
	if (strcmp(pos[0], "eie-paper") && (config || sparsity || b->streamed))
		return usage(cmd.name, "--config, --sparsity and --streamed are of the suite eie-paper");
	if (config && spec)
		return usage(cmd.name, "--config chooses a simulated device, --device another one: give one of them");
	status = config ? config_device(config, cold, sizeof(cold)) : EXIT_OK;
	if (status)
		return status;
	if (!spec)
		spec = !strcmp(pos[0], "cpu") ? "cpu" : !strcmp(pos[0], "eie-paper") ? cold : "sim";
	if (!strcmp(pos[0], "cpu") && strcmp(spec, "cpu"))
		return usage(cmd.name, "suite cpu runs on the cpu; for %s use suite eie-paper",
			     spec);
	if ((b->peers || b->networks.n || b->picture) && strcmp(pos[0], "cpu"))
		return usage(cmd.name, "--peers, --network and --picture are of the suite cpu");
	/* cpu is the reference of the others; compared with itself it would show nothing */
	reference = strcmp(spec, "cpu") ? "cpu" : "ref";
	status = open_device(spec, &b->device);
	if (!status)
		status = strcmp(spec, "cpu:int8") ? open_device(reference, &b->reference) : open_reference(b->device, &b->reference);
	if (!status) {
		accel_device_info(b->device, &b->info);
		if (as_json) {
			b->json = &json;
			json_begin(&json, stdout);
		} else {
			report(tool, "Device", "%s", text_device(&b->info).s);
		}
		status = what(b, pos[0]);
		/* a report that broke off must not look like a whole one */
		if (as_json && !status)
			json_end(&json);
		if (b->failed)
			status = EXIT_FAILED;
	}
	accel_device_unref(b->reference);
	accel_device_unref(b->device);
	return status;
}

int cmd_bench(struct tool *tool, int argc, char **argv)
{
	struct bench b = { .tool = tool, .seconds = 2, .seed = SEED };
	int status = parse_and_run(tool, argc, argv, &b);

	free(b.networks.item);
	return status;
}
