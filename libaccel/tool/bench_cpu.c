// SPDX-License-Identifier: GPL-2.0 OR MIT
#include "bench_cpu.h"
#include "bench_layer.h"
#include "bench_network.h"
#include "bench_peers.h"
#include "bench_runs.h"
#include "cpu.h"
#include "cpu_fc.h"
#include "narrow.h"
#include "runner.h"

#include <math.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#define EVICT_BYTES ((size_t)192 << 20)
#define ROUNDS_MIN 5
#define ROUNDS_MAX 200
#define WARM_RUNS 8 /* of a kernel in a round, behind the cold one */
#define JITTER_RUNS 10000
#define THREADS_MAX 2
#define PEERS_MAX 32
#define OWN 2 /* int16 and int8, before the peers */

/* What is measured: our kernels, or a peer's. */
struct kernel {
	const char *name;
	const struct peer *peer; /* NULL: ours */
	void *state;
	double cold[ROUNDS_MAX], warm[ROUNDS_MAX * WARM_RUNS]; /* us; sorted when all are there */
	unsigned int ncold, nwarm;
	double error; /* of int8 and of peers, of the largest output */
};

struct suite {
	const struct tool *tool;
	struct accel_device *reference;
	const struct peer *const *peers; /* or NULL */
	const char *versions;
	uint64_t seed;
	double seconds;
	struct json *json; /* or NULL */
	const uint64_t *memory;		   /* EVICT_BYTES */
	struct pool *pool[THREADS_MAX];	   /* for memory, not for kernels */
	double bandwidth[THREADS_MAX];	   /* bytes a second that so many threads read */
	struct ratios {
		double log_warm, log_cold;	   /* sums over n */
		double least_warm, least_cold;
		unsigned int n;
	} ratios[OWN];
	bool failed;
};

/* One of the nine, as all kernels get it. */
struct subject {
	const struct bench_layer *shape;
	struct accel_model *model;
	int16_t *x;   /* [cols] */
	int16_t *want[OWN]; /* [rows], what the references give */
	struct text against;
	struct peer_data data; /* with peers */
	double transcode; /* seconds */
	size_t bytes;	  /* of the transcoded weights */
	uint64_t mismatches;
	struct accel_model *narrow; /* the integers of int8 */
	struct kernel *kernels; /* [nkernels], ours first */
	unsigned int nkernels;
};

/* ---------------------------------------------------------------- memory */

struct sweep {
	const uint64_t *memory;
	size_t words; /* that each thread reads */
	bool shared;  /* all read the same */
	unsigned int threads;
	atomic_uint arrived;
	atomic_uint_fast64_t sum; /* so that the reads are not optimised away */
};

typedef uint64_t vector __attribute__((vector_size(64), aligned(64)));

static void sweep_task(void *arg, size_t task, void *scratch)
{
	struct sweep *s = arg;
	const vector *v = (const vector *)(s->memory + (s->shared ? 0 : task * s->words));
	vector a = { 0 }, b = { 0 };

	(void)scratch;
	/* a task a thread, for each has caches of its own */
	atomic_fetch_add(&s->arrived, 1);
	while (atomic_load(&s->arrived) < s->threads)
		;
	for (size_t i = 0; i < s->words / 8; i += 2) {
		a += v[i];
		b += v[i + 1];
	}
	a += b;
	atomic_fetch_add(&s->sum, a[0] ^ a[1] ^ a[2] ^ a[3] ^ a[4] ^ a[5] ^ a[6] ^ a[7]);
}

/* Nothing that was used before is in a cache of one of the threads' cores. */
static void evict(const struct suite *suite, unsigned int threads)
{
	struct sweep s = { suite->memory, EVICT_BYTES / sizeof(uint64_t), true, threads, 0, 0 };

	pool_run(suite->pool[threads - 1], threads, sweep_task, &s);
}

static void measure_bandwidth(struct suite *suite)
{
	for (unsigned int t = 1; t <= THREADS_MAX; t++) {
		double took[7];

		for (unsigned int i = 0; i < 7; i++) {
			struct sweep s = { suite->memory, EVICT_BYTES / sizeof(uint64_t) / t, false, t, 0, 0 };
			double before = seconds_wall();

			pool_run(suite->pool[t - 1], t, sweep_task, &s);
			took[i] = seconds_wall() - before;
		}
		bench_sort(took, 7);
		suite->bandwidth[t - 1] = (double)EVICT_BYTES / bench_median(took, 7);
	}
}

/* --------------------------------------------------------------- kernels */

struct ours {
	struct pool *pool;
	struct accel_cpu *cpu;
};

static void ours_close(struct ours *o)
{
	if (!o)
		return;
	accel_cpu_free(o->cpu);
	pool_free(o->pool);
	free(o);
}

static int ours_open(struct subject *s, const struct accel_model *model, unsigned int threads, void **state)
{
	const struct accel_tensor *in = &s->model->tensors[s->model->inputs[0]], *own = &model->tensors[s->model->inputs[0]];
	int16_t *x;
	struct accel_error err = { 0 };
	struct ours *o = calloc(1, sizeof(*o));
	double before = seconds_wall();

	if (!o)
		return fail("out of memory");
	o->pool = pool_new(threads);
	if (!o->pool || accel_cpu_new(model, 1, o->pool, NULL, &o->cpu, &err)) {
		ours_close(o);
		return fail_accel(s->shape->name, &err);
	}
	s->transcode = seconds_wall() - before;
	s->bytes = accel_cpu_weight_bytes(o->cpu);
	x = accel_cpu_tensor(o->cpu, s->model->inputs[0]);
	for (uint32_t i = 0; i < s->shape->cols; i++)
		x[i] = model == s->model ? s->x[i] : accel_quantised((float)s->x[i] * in->scale, own->scale, own->lo, own->hi);
	*state = o;
	return EXIT_OK;
}

static void kernel_run(const struct kernel *k)
{
	if (k->peer)
		k->peer->run(k->state);
	else
		accel_cpu_run(((struct ours *)k->state)->cpu, false, NULL);
}

static void kernels_close(struct subject *s)
{
	for (unsigned int i = 0; i < s->nkernels; i++) {
		struct kernel *k = &s->kernels[i];

		if (k->peer && k->state)
			k->peer->close(k->state);
		else if (k->state)
			ours_close(k->state);
	}
	free(s->kernels);
	s->kernels = NULL;
	s->nkernels = 0;
}

static int kernels_open(struct suite *suite, struct subject *s, unsigned int threads)
{
	int status;

	s->kernels = calloc(OWN + PEERS_MAX, sizeof(*s->kernels));
	if (!s->kernels)
		return fail("out of memory");
	s->kernels[0].name = "int16";
	s->kernels[1].name = "int8";
	s->nkernels = OWN;
	status = ours_open(s, s->narrow, threads, &s->kernels[1].state);
	status = status ? status : ours_open(s, s->model, threads, &s->kernels[0].state);
	for (unsigned int i = 0; !status && suite->peers && suite->peers[i] && i < PEERS_MAX; i++) {
		struct kernel *k = &s->kernels[s->nkernels];
		char why[160] = "";

		*k = (struct kernel){ .name = suite->peers[i]->name, .peer = suite->peers[i] };
		k->state = k->peer->open(&s->data.layer, threads, why);
		if (k->state)
			s->nkernels++;
		else
			warn(suite->tool, "%s: %s cannot run it: %s", s->shape->name, k->name, why);
	}
	return status;
}

/* Of int8, beside int16. */
static double own_error(const struct subject *s)
{
	double worst = 0, most = 1;

	for (uint32_t r = 0; r < s->shape->rows; r++) {
		worst = fmax(worst, fabs((double)s->want[1][r] - s->want[0][r]));
		most = fmax(most, fabs((double)s->want[0][r]));
	}
	return worst / most;
}

/* Everybody has computed the whole layer. */
static void check_outputs(struct suite *suite, struct subject *s)
{
	float *y = calloc(s->shape->rows, sizeof(*y));

	for (unsigned int i = 0; i < OWN; i++)
		s->mismatches += count_differences(accel_cpu_tensor(((struct ours *)s->kernels[i].state)->cpu, s->model->outputs[0]), s->want[i],
						   s->shape->rows, sizeof(**s->want));
	s->kernels[1].error = own_error(s);
	for (unsigned int i = OWN; y && i < s->nkernels; i++) {
		struct kernel *k = &s->kernels[i];

		k->peer->output(k->state, y);
		k->error = peer_error(&s->data, y);
		if (!(k->error <= k->peer->tolerance)) {
			fail("%s: an output of %s is wrong by %.2g of the largest, %.2g is explained by its numbers", s->shape->name,
			     k->name, k->error, k->peer->tolerance);
			suite->failed = true;
		}
	}
	if (!y) {
		fail("out of memory");
		suite->failed = true;
	}
	free(y);
}

static double timed(const struct kernel *k)
{
	double before = seconds_wall();

	kernel_run(k);
	return 1e6 * (seconds_wall() - before);
}

/* In turn, so that a change of the machine's load meets all. */
static void rounds(struct suite *suite, struct subject *s, unsigned int threads)
{
	double until = seconds_wall() + suite->seconds * s->nkernels;

	for (unsigned int i = 0; i < s->nkernels; i++)
		kernel_run(&s->kernels[i]);
	for (unsigned int r = 0; r < ROUNDS_MAX && (r < ROUNDS_MIN || seconds_wall() < until); r++) {
		for (unsigned int i = 0; i < s->nkernels; i++) {
			struct kernel *k = &s->kernels[i];

			bench_settle();
			evict(suite, threads);
			k->cold[k->ncold++] = timed(k);
			kernel_run(k);
			for (unsigned int w = 0; w < WARM_RUNS; w++)
				k->warm[k->nwarm++] = timed(k);
		}
	}
	for (unsigned int i = 0; i < s->nkernels; i++) {
		bench_sort(s->kernels[i].cold, s->kernels[i].ncold);
		bench_sort(s->kernels[i].warm, s->kernels[i].nwarm);
	}
}

/* --------------------------------------------------------------- reports */

struct best {
	const struct kernel *warm, *cold; /* the fastest peers, or NULL */
};

static struct best find_best(const struct subject *s)
{
	struct best best = { NULL, NULL };

	for (unsigned int i = OWN; i < s->nkernels; i++) {
		const struct kernel *k = &s->kernels[i];

		if (!best.warm || bench_median(k->warm, k->nwarm) < bench_median(best.warm->warm, best.warm->nwarm))
			best.warm = k;
		if (!best.cold || bench_median(k->cold, k->ncold) < bench_median(best.cold->cold, best.cold->ncold))
			best.cold = k;
	}
	return best;
}

static void kernel_json(struct json *j, const struct kernel *k)
{
	json_number(j, "us_median", bench_median(k->warm, k->nwarm));
	json_number(j, "us_median_cold", bench_median(k->cold, k->ncold));
	json_count(j, "runs", k->nwarm);
	json_count(j, "runs_cold", k->ncold);
}

static void run_json(struct suite *suite, const struct subject *s, unsigned int threads, const struct best *best)
{
	const struct kernel *own = &s->kernels[0], *narrow = &s->kernels[1];
	struct json *j = suite->json;

	json_object(j, NULL);
	json_count(j, "threads", threads);
	kernel_json(j, own);
	json_number(j, "int8_us_median", bench_median(narrow->warm, narrow->nwarm));
	json_number(j, "int8_us_median_cold", bench_median(narrow->cold, narrow->ncold));
	json_number(j, "int8_error", narrow->error);
	json_number(j, "gb_per_second_cold", 1e-3 * (double)s->bytes / bench_median(own->cold, own->ncold));
	if (suite->peers) {
		json_array(j, "peers");
		for (unsigned int i = OWN; i < s->nkernels; i++) {
			json_object(j, NULL);
			json_text(j, "name", s->kernels[i].name);
			kernel_json(j, &s->kernels[i]);
			json_number(j, "error", s->kernels[i].error);
			json_close(j);
		}
		json_close(j);
	}
	if (best->warm) {
		json_text(j, "fastest_peer", best->warm->name);
		json_number(j, "times_faster", bench_median(best->warm->warm, best->warm->nwarm) / bench_median(own->warm, own->nwarm));
		json_text(j, "fastest_peer_cold", best->cold->name);
		json_number(j, "times_faster_cold", bench_median(best->cold->cold, best->cold->ncold) / bench_median(own->cold, own->ncold));
		json_number(j, "int8_times_faster", bench_median(best->warm->warm, best->warm->nwarm) / bench_median(narrow->warm, narrow->nwarm));
		json_number(j, "int8_times_faster_cold", bench_median(best->cold->cold, best->cold->ncold) / bench_median(narrow->cold, narrow->ncold));
	}
	json_close(j);
}

static void header(const struct suite *suite)
{
	const struct tool *tool = suite->tool;

	printf("%s%-8s %7s %9s %9s %9s %9s %8s %6s %9s  %s%s\n", tool->bold, "layer", "threads", "warm us", "cold us", "int8 warm", "int8 cold",
	       "weights", "GB/s", "transcode", suite->peers ? "fastest peer warm, cold (times int16, int8)" : "", tool->reset);
}

static void run_text(const struct suite *suite, const struct subject *s, unsigned int threads, const struct best *best)
{
	const struct kernel *own = &s->kernels[0], *narrow = &s->kernels[1];
	double warm = bench_median(own->warm, own->nwarm), cold = bench_median(own->cold, own->ncold);
	double narrow_warm = bench_median(narrow->warm, narrow->nwarm), narrow_cold = bench_median(narrow->cold, narrow->ncold);

	printf("%-8s %7u %9.1f %9.1f %9.1f %9.1f %8s %6.1f %9s", s->shape->name, threads, warm, cold, narrow_warm, narrow_cold,
	       text_bytes(s->bytes).s, 1e-3 * (double)s->bytes / cold, text_time(s->transcode).s);
	if (best->warm) {
		double w = bench_median(best->warm->warm, best->warm->nwarm), c = bench_median(best->cold->cold, best->cold->ncold);

		printf("  %.1f %s (%.2fx, %.2fx), %.1f %s (%.2fx, %.2fx)", w, best->warm->name, w / warm, w / narrow_warm, c, best->cold->name,
		       c / cold, c / narrow_cold);
		if (w < warm || c < cold || w < narrow_warm || c < narrow_cold)
			printf("  SLOWER");
	}
	printf("\n");
	if (suite->tool->verbosity > 0)
		printf("  int8 is off by %.1e of the largest output\n", narrow->error);
	for (unsigned int i = OWN; suite->tool->verbosity > 0 && i < s->nkernels; i++) {
		const struct kernel *k = &s->kernels[i];

		printf("  %-24s %9.1f us warm %9.1f us cold   error %.1e\n", k->name, bench_median(k->warm, k->nwarm), bench_median(k->cold, k->ncold), k->error);
	}
	fflush(stdout);
}

static void note_ratios(struct suite *suite, const struct subject *s, const struct best *best)
{
	for (unsigned int i = 0; best->warm && i < OWN; i++) {
		const struct kernel *own = &s->kernels[i];
		struct ratios *r = &suite->ratios[i];
		double warm = bench_median(best->warm->warm, best->warm->nwarm) / bench_median(own->warm, own->nwarm);
		double cold = bench_median(best->cold->cold, best->cold->ncold) / bench_median(own->cold, own->ncold);

		r->least_warm = r->n ? fmin(r->least_warm, warm) : warm;
		r->least_cold = r->n ? fmin(r->least_cold, cold) : cold;
		r->log_warm += log(warm);
		r->log_cold += log(cold);
		r->n++;
	}
}

/* ---------------------------------------------------------------- layers */

static void subject_free(struct subject *s)
{
	kernels_close(s);
	peer_data_free(&s->data);
	narrow_free(s->narrow);
	accel_model_unref(s->model);
	free(s->x);
	for (unsigned int i = 0; i < OWN; i++)
		free(s->want[i]);
}

/* Outputs of a kind of numbers. */
static int run_reference(struct subject *s, struct accel_device *reference, int16_t *want, struct text *name)
{
	struct runner check = { 0 };
	int status = runner_open(&check, s->model, reference, 1);

	if (!status)
		status = runner_run(&check, 1, NULL, (const int16_t *const *)&s->x, (void *const *)&want);
	*name = check.name;
	runner_close(&check);
	return status;
}

/* The int8 mode's: portable kernels. */
static int run_narrow(struct subject *s)
{
	struct accel_device *device = NULL, *reference = NULL;
	struct accel_error err = { 0 };
	struct text name;
	int status = narrow_new(s->model, &s->narrow, &err) ? fail_accel(s->shape->name, &err) : open_device("cpu:int8", &device);

	status = status ? status : open_reference(device, &reference);
	status = status ? status : run_reference(s, reference, s->want[1], &name);
	accel_device_unref(reference);
	accel_device_unref(device);
	return status;
}

static int subject_make(struct suite *suite, struct subject *s)
{
	struct accel_tensor_info in = { 0 };
	float *input = NULL;
	uint64_t macs;
	int status = bench_layer_make(s->shape, BENCH_UNIFORM, suite->seed, &s->model, &input, &macs);

	if (!status) {
		accel_model_input(s->model, 0, &in);
		s->x = calloc(s->shape->cols, sizeof(*s->x));
		for (unsigned int i = 0; i < OWN; i++)
			s->want[i] = calloc(s->shape->rows, sizeof(**s->want));
		if (!s->x || !s->want[0] || !s->want[1])
			status = fail("out of memory");
	}
	for (uint32_t i = 0; !status && i < s->shape->cols; i++)
		s->x[i] = (int16_t)fmaxf(in.lo, fminf(in.hi, rintf(input[i] / in.scale)));
	if (!status)
		status = run_reference(s, suite->reference, s->want[0], &s->against);
	if (!status)
		status = run_narrow(s);
	if (!status && suite->peers)
		status = peer_data_make(&s->model->layers[0], s->x, in.scale, &s->data);
	free(input);
	return status;
}

static void subject_json(const struct suite *suite, const struct subject *s)
{
	struct json *j = suite->json;

	json_object(j, NULL);
	json_text(j, "layer", s->shape->name);
	json_count(j, "inputs", s->shape->cols);
	json_count(j, "outputs", s->shape->rows);
	json_count(j, "nonzeros", s->model->layers[0].nnz);
	json_array(j, "runs");
}

static int run_layer(struct suite *suite, const struct bench_layer *shape)
{
	struct subject s = { .shape = shape };
	int status = subject_make(suite, &s);

	if (!status && suite->json)
		subject_json(suite, &s);
	for (unsigned int t = 1; !status && t <= THREADS_MAX; t++) {
		struct best best;

		status = kernels_open(suite, &s, t);
		if (!status) {
			rounds(suite, &s, t);
			check_outputs(suite, &s);
			best = find_best(&s);
			note_ratios(suite, &s, &best);
			if (suite->json)
				run_json(suite, &s, t, &best);
			else
				run_text(suite, &s, t, &best);
		}
		kernels_close(&s);
	}
	if (!status && suite->json) {
		json_close(suite->json);
		json_number(suite->json, "us_transcode", 1e6 * s.transcode);
		json_count(suite->json, "weight_bytes", s.bytes);
		json_text(suite->json, "against", s.against.s);
		json_count(suite->json, "mismatches", s.mismatches);
		json_close(suite->json);
	}
	if (s.mismatches) {
		fail("%s: %s output values differ from the reference '%s'", shape->name, text_count(s.mismatches).s, s.against.s);
		suite->failed = true;
	}
	subject_free(&s);
	return status;
}

/* ---------------------------------------------------------------- jitter */

static double control(unsigned int loops)
{
	double before = seconds_wall();
	uint64_t v = loops;

	for (unsigned int i = 0; i < loops; i++) {
		v = v * 6364136223846793005u + 1;
		__asm__ volatile("" : "+r"(v));
	}
	return 1e6 * (seconds_wall() - before);
}

static double tail(double *us)
{
	bench_sort(us, JITTER_RUNS);
	return us[JITTER_RUNS - 1 - JITTER_RUNS / 100] / bench_median(us, JITTER_RUNS);
}

/* How far the slowest of a hundred runs is from the median, and the same of a loop that takes as long and touches no memory: what the machine does. */
static int jitter(struct suite *suite)
{
	struct subject s = { .shape = &eie_paper_layers[1] };
	double *own = malloc(JITTER_RUNS * sizeof(*own)), *loop = malloc(JITTER_RUNS * sizeof(*loop));
	unsigned int loops = 1000000;
	int status = own && loop ? subject_make(suite, &s) : fail("out of memory");

	suite->peers = NULL;
	if (!status)
		status = kernels_open(suite, &s, 1);
	if (!status) {
		kernel_run(&s.kernels[0]);
		loops = (unsigned int)(loops * fmin(1, timed(&s.kernels[0]) / control(loops))) + 1;
		for (unsigned int i = 0; i < JITTER_RUNS; i++) {
			own[i] = timed(&s.kernels[0]);
			loop[i] = control(loops);
		}
	}
	if (!status && suite->json) {
		json_number(suite->json, "p99_to_median", tail(own));
		json_number(suite->json, "p99_to_median_control", tail(loop));
	} else if (!status) {
		report(suite->tool, "Jitter", "99 of 100 runs of Alex-7 take less than %.3f times the median; of a loop of equal length %.3f times",
		       tail(own), tail(loop));
	}
	subject_free(&s);
	free(own);
	free(loop);
	return status;
}

/* ----------------------------------------------------------------- suite */

static void beginning(const struct suite *suite, const char *level)
{
	if (suite->json) {
		json_text(suite->json, "device", "cpu");
		json_text(suite->json, "config", NULL);
		json_text(suite->json, "level", level);
		json_text(suite->json, "peer_versions", suite->versions);
		json_array(suite->json, "gb_per_second_read");
		for (unsigned int t = 0; t < THREADS_MAX; t++)
			json_number(suite->json, NULL, 1e-9 * suite->bandwidth[t]);
		json_close(suite->json);
		json_array(suite->json, "layers");
		return;
	}
	report(suite->tool, "Kernels", "%s", level);
	report(suite->tool, "Memory", "%.1f GB/s read by one thread, %.1f GB/s by two", 1e-9 * suite->bandwidth[0], 1e-9 * suite->bandwidth[1]);
	if (suite->versions)
		report(suite->tool, "Peers", "%s", suite->versions);
	header(suite);
}

static void ending(const struct suite *suite)
{
	if (suite->json)
		json_close(suite->json);
	for (unsigned int i = 0; i < OWN && suite->ratios[i].n; i++) {
		const struct ratios *r = &suite->ratios[i];
		double warm = exp(r->log_warm / r->n), cold = exp(r->log_cold / r->n);

		if (suite->json) {
			json_number(suite->json, i ? "int8_times_faster" : "times_faster", warm);
			json_number(suite->json, i ? "int8_times_faster_least" : "times_faster_least", r->least_warm);
			json_number(suite->json, i ? "int8_times_faster_cold" : "times_faster_cold", cold);
			json_number(suite->json, i ? "int8_times_faster_cold_least" : "times_faster_cold_least", r->least_cold);
			continue;
		}
		report(suite->tool, i ? "" : "Ratio", "%s to the fastest peer, geometric mean: warm %.2f (least %.2f), cold %.2f (least %.2f)",
		       i ? "int8" : "int16", warm, r->least_warm, cold, r->least_cold);
	}
}

static int suite_open(struct suite *suite, uint64_t **memory)
{
	*memory = aligned_alloc(64, EVICT_BYTES);
	for (unsigned int t = 0; t < THREADS_MAX; t++)
		suite->pool[t] = pool_new(t + 1);
	if (!*memory || !suite->pool[0] || !suite->pool[1])
		return fail("out of memory");
	/* a thread that could not be started would be waited for */
	if (pool_threads(suite->pool[1]) != THREADS_MAX)
		return fail("cannot start a second thread");
	memset(*memory, 1, EVICT_BYTES);
	suite->memory = *memory;
	return EXIT_OK;
}

int bench_cpu(const struct tool *tool, struct accel_device *reference, const struct bench_networks *networks, bool peers, struct json *j)
{
	struct bench_networks with_peers = *networks;
	struct suite suite = { .tool = tool, .reference = reference, .seed = networks->seed, .seconds = networks->seconds, .json = j };
	const struct cpu_fc_level *level = NULL;
	struct accel_error err = { 0 };
	uint64_t *memory = NULL;
	int status = EXIT_OK;

	if (cpu_fc_level(getenv("EIE_CPU_LEVEL"), &level, &err))
		return fail_accel("bench", &err);
	if (peers)
		status = peers_load(&suite.peers, &with_peers.peers, &suite.versions);
	status = status ? status : suite_open(&suite, &memory);
	if (!status) {
		measure_bandwidth(&suite);
		beginning(&suite, level->name);
	}
	for (unsigned int i = 0; !status && i < EIE_PAPER_LAYERS; i++)
		status = run_layer(&suite, &eie_paper_layers[i]);
	if (!status) {
		ending(&suite);
		status = jitter(&suite);
	}
	if (!status)
		status = bench_networks(tool, &with_peers, j);
	for (unsigned int t = 0; t < THREADS_MAX; t++)
		pool_free(suite.pool[t]);
	free(memory);
	return status ? status : suite.failed ? EXIT_FAILED : EXIT_OK;
}
