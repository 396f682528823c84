// SPDX-License-Identifier: GPL-2.0 OR MIT
#include "bench_network.h"
#include "bench_layer.h"
#include "bench_made.h"
#include "bench_runs.h"
#include "net.h"
#include "runner.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define OWN         2   /* int16 and int8 */
#define KINDS_MAX   8
#define ROUNDS_MIN  5
#define ROUNDS_MAX  200
#define THREADS_MAX 2
#define FILE_TOLERANCE 0.3

static const struct {
	const char *name, *device;
} own[OWN] = { { "int16", "cpu" }, { "int8", "cpu:int8" } };

struct kind {
	const char *name;
	struct accel_session *session;      /* ours */
	const struct peer_networks *peer;   /* or a peer's */
	void *state;
	double ms[ROUNDS_MAX];              /* sorted when all are there */
	unsigned int n;
	double error;                       /* of the largest output */
	bool same_class;
};

struct subject {
	const char *name, *path, *onnx;     /* path NULL: a seeded one */
	struct accel_model *model;
	const struct accel_model *segment;  /* the only one, with nothing but Softmax behind it; or NULL */
	struct accel_tensor_info in, out;
	uint64_t segment_outputs;
	float *x, *y;
	float *exact, *exact_segment;       /* in float32 */
	float *want[OWN];                   /* what the references of our devices give */
	double first;                       /* seconds from the file to the first result, the input's own reading left out */
	struct kind kinds[KINDS_MAX];
	unsigned int nkinds;
};

static void kinds_close(struct subject *s)
{
	for (unsigned int i = 0; i < s->nkinds; i++) {
		accel_session_close(s->kinds[i].session);
		if (s->kinds[i].state)
			s->kinds[i].peer->close(s->kinds[i].state);
	}
	s->nkinds = 0;
}

static void subject_free(struct subject *s)
{
	kinds_close(s);
	accel_model_unref(s->model);
	free((char *)s->path);
	free(s->x);
	free(s->y);
	free(s->exact);
	free(s->exact_segment);
	for (unsigned int i = 0; i < OWN; i++)
		free(s->want[i]);
}

/* ---------------------------------------------------------------- subjects */

static const struct accel_model *only_segment(const struct accel_model *m)
{
	const struct accel_model *segment = NULL;

	for (unsigned int n = 0; m->net && n < m->net->nnodes; n++) {
		const struct net_node *node = &m->net->nodes[n];

		if (node->segment ? segment != NULL : strcmp(net_op_name(node), "Softmax"))
			return NULL;
		segment = node->segment ? node->segment : segment;
	}
	return m->net ? segment : m;
}

static int make_input(const struct bench_networks *what, struct subject *s)
{
	struct random random = { what->seed };
	struct accel_error err = { 0 };
	bool raw = s->in.dtype == ACCEL_DTYPE_INT16;

	if (what->picture && s->model->has_preprocess)
		return accel_model_picture(s->model, 0, what->picture, s->x, &err) ? fail_accel(what->picture, &err) : EXIT_OK;
	for (uint64_t i = 0; i < s->in.count; i++)
		s->x[i] = raw ? (float)(s->in.lo + (s->in.hi - s->in.lo) * random_unit(&random)) * s->in.scale : (float)random_unit(&random);
	return EXIT_OK;
}

static int make_exact(struct subject *s)
{
	struct accel_error err = { 0 };

	if (accel_model_run_float(s->model, s->x, 1, s->exact, &err) ||
	    (s->segment && accel_model_run_float(s->segment, s->x, 1, s->exact_segment, &err)))
		return fail_accel(s->name, &err);
	return EXIT_OK;
}

/* reference: of the device of that name. */
static int session_open_on(struct accel_model *model, const char *spec, bool reference, struct accel_session **session, const char *name)
{
	struct accel_device *named = NULL, *device = NULL;
	struct accel_program *program = NULL;
	struct accel_error err = { 0 };
	int ret = accel_device_open(spec, &named, &err);

	if (!ret && reference)
		ret = accel_device_open_reference(named, &device, &err);
	else if (!ret)
		device = accel_device_ref(named);
	ret = ret ? ret : accel_program_compile(model, device, NULL, &program, &err);
	ret = ret ? ret : accel_session_open(program, device, session, &err);
	accel_program_unref(program);
	accel_device_unref(device);
	accel_device_unref(named);
	return ret ? fail_accel(name, &err) : EXIT_OK;
}

static int run_own(struct subject *s, struct accel_session *session)
{
	struct accel_error err = { 0 };

	if (accel_session_input(session, 0, s->x, &err) || accel_session_run(session, &err) || accel_session_output(session, 0, s->y, &err))
		return fail_accel(s->name, &err);
	return EXIT_OK;
}

static int make_wanted(struct subject *s)
{
	int status = EXIT_OK;

	for (unsigned int i = 0; !status && i < OWN; i++) {
		struct accel_session *session = NULL;

		s->want[i] = malloc(s->out.count * sizeof(*s->want[i]));
		status = s->want[i] ? session_open_on(s->model, own[i].device, true, &session, s->name) : fail("out of memory");
		status = status ? status : run_own(s, session);
		if (!status)
			memcpy(s->want[i], s->y, s->out.count * sizeof(*s->y));
		accel_session_close(session);
	}
	return status;
}

/* From the file to the first result, with the threads of the first row. */
static int measure_first(struct subject *s)
{
	struct accel_session *session = NULL;
	struct accel_model *model = NULL;
	double before = seconds_wall();
	int status = open_model(s->path, NULL, &model);

	status = status ? status : session_open_on(model, own[0].device, false, &session, s->name);
	status = status ? status : run_own(s, session);
	s->first = seconds_wall() - before;
	accel_session_close(session);
	accel_model_unref(model);
	return status;
}

/* MODEL[=ONNX] */
static int open_subject(const char *name, struct subject *s)
{
	const char *onnx = strchr(name, '=');

	s->path = strndup(name, onnx ? (size_t)(onnx - name) : strlen(name));
	s->onnx = onnx ? onnx + 1 : NULL;
	if (!s->path)
		return fail("out of memory");
	s->name = base_name(s->path);
	return open_model(s->path, NULL, &s->model);
}

/* made: a name of bench_made_names. */
static int subject_make(const struct bench_networks *what, const char *name, bool made, struct subject *s)
{
	struct accel_tensor_info segment_out = { 0 };
	int status;

	*s = (struct subject){ .name = name };
	status = made ? bench_made(name, what->seed, &s->model) : open_subject(name, s);
	if (status)
		return status;
	if (accel_model_inputs(s->model) != 1 || accel_model_outputs(s->model) != 1)
		return fail("%s: it has %u inputs and %u outputs; what is measured has one of each", s->name, accel_model_inputs(s->model),
			    accel_model_outputs(s->model));
	if (!s->onnx && !made && has_suffix(s->path, ".onnx"))
		s->onnx = s->path;
	accel_model_input(s->model, 0, &s->in);
	accel_model_output(s->model, 0, &s->out);
	s->segment = only_segment(s->model);
	if (s->segment)
		accel_model_output(s->segment, 0, &segment_out);
	s->segment_outputs = segment_out.count;
	s->x = calloc(s->in.count, sizeof(*s->x));
	s->y = calloc(s->out.count + s->segment_outputs, sizeof(*s->y));
	s->exact = calloc(s->out.count, sizeof(*s->exact));
	s->exact_segment = calloc(s->segment_outputs + 1, sizeof(*s->exact_segment));
	if (!s->x || !s->y || !s->exact || !s->exact_segment)
		return fail("out of memory");
	status = make_input(what, s);
	status = status ? status : make_exact(s);
	return status ? status : make_wanted(s);
}

/* ------------------------------------------------------------------- kinds */

static int kinds_open(const struct tool *tool, const struct bench_networks *what, struct subject *s, unsigned int threads)
{
	const struct peer_network network = {
		.model = s->segment, .file = s->onnx, .x = s->x, .inputs = s->in.count,
		.outputs = s->onnx || !s->segment ? s->out.count : s->segment_outputs, .ndim = s->in.ndim, .dims = s->in.dims,
	};
	int status = EXIT_OK;

	for (unsigned int i = 0; !status && i < OWN; i++) {
		s->kinds[i] = (struct kind){ .name = own[i].name };
		status = session_open_on(s->model, own[i].device, false, &s->kinds[i].session, s->name);
		s->nkinds++;
	}
	for (unsigned int i = 0; !status && what->peers && what->peers[i] && s->nkinds < KINDS_MAX; i++) {
		struct peer_network own_network = network;
		struct kind *k = &s->kinds[s->nkinds];
		char why[160] = "";

		/* int8 is written from the segment */
		if (what->peers[i]->int8 && s->segment)
			own_network.outputs = s->segment_outputs;
		*k = (struct kind){ .name = what->peers[i]->name, .peer = what->peers[i] };
		k->state = k->peer->open(&own_network, threads, why);
		if (k->state)
			s->nkinds++;
		else
			warn(tool, "%s: %s cannot run it: %s", s->name, k->name, why);
	}
	return status;
}

static int kind_run(struct subject *s, const struct kind *k)
{
	if (k->session)
		return run_own(s, k->session);
	k->peer->run(k->state);
	return EXIT_OK;
}

/* In turn; of each pair of runs the second counts, which finds the caches as its own kind left them. */
static int rounds(const struct bench_networks *what, struct subject *s)
{
	double until = seconds_wall() + what->seconds * s->nkinds;
	int status = EXIT_OK;

	for (unsigned int r = 0; !status && r < ROUNDS_MAX && (r < ROUNDS_MIN || seconds_wall() < until); r++) {
		for (unsigned int i = 0; !status && i < s->nkinds; i++) {
			struct kind *k = &s->kinds[i];
			double before;

			bench_settle();
			status = kind_run(s, k);
			before = seconds_wall();
			status = status ? status : kind_run(s, k);
			k->ms[k->n++] = 1e3 * (seconds_wall() - before);
		}
	}
	for (unsigned int i = 0; i < s->nkinds; i++)
		bench_sort(s->kinds[i].ms, s->kinds[i].n);
	return status;
}

static uint64_t best(const float *y, uint64_t n)
{
	uint64_t at = 0;

	for (uint64_t i = 1; i < n; i++)
		at = y[i] > y[at] ? i : at;
	return at;
}

static double error_of(const float *y, const float *exact, uint64_t n)
{
	double worst = 0, most = 0;

	for (uint64_t i = 0; i < n; i++) {
		double e = fabs((double)y[i] - (double)exact[i]);

		if (isnan(e))
			return INFINITY;
		worst = fmax(worst, e);
		most = fmax(most, fabs((double)exact[i]));
	}
	return most > 0 ? worst / most : worst;
}

/* Everybody has computed the whole network. */
static int check_outputs(struct subject *s)
{
	int status = EXIT_OK;

	for (unsigned int i = 0; i < s->nkinds; i++) {
		struct kind *k = &s->kinds[i];
		const bool segment = k->peer && s->segment && (k->peer->int8 || !s->onnx);
		const float *exact = segment ? s->exact_segment : s->exact;
		uint64_t n = segment ? s->segment_outputs : s->out.count;
		/* a file has weights that were not rounded yet */
		double tolerance = !k->peer ? INFINITY : k->peer->int8 || !s->onnx ? k->peer->tolerance : FILE_TOLERANCE;

		if (k->peer)
			k->peer->output(k->state, s->y);
		else if (run_own(s, k->session))
			return EXIT_FAILED;
		if (!k->peer && count_differences(s->y, s->want[i], n, sizeof(*s->y)))
			status = fail("%s: outputs of %s differ from the reference's", s->name, k->name);
		k->error = error_of(s->y, exact, n);
		k->same_class = best(s->y, n) == best(exact, n);
		if (!(k->error <= tolerance))
			status = fail("%s: an output of %s is wrong by %.2g of the largest, %.2g is explained by its numbers", s->name, k->name, k->error,
				      tolerance);
	}
	return status;
}

/* ------------------------------------------------------------------ report */

static double median_of(const struct kind *k)
{
	return bench_median(k->ms, k->n);
}

static void kind_json(struct json *j, const struct subject *s, const struct kind *k)
{
	json_object(j, NULL);
	json_text(j, "name", k->name);
	json_number(j, "ms_median", median_of(k));
	json_number(j, "ms_least", k->ms[0]);
	json_count(j, "runs", k->n);
	json_number(j, "error", k->error);
	json_bool(j, "same_class", k->same_class);
	for (unsigned int i = 0; k->peer && i < OWN; i++)
		json_number(j, i ? "times_faster_int8" : "times_faster_int16", median_of(k) / median_of(&s->kinds[i]));
	json_close(j);
}

static void run_json(struct json *j, const struct subject *s, unsigned int threads)
{
	json_object(j, NULL);
	json_count(j, "threads", threads);
	json_array(j, "kinds");
	for (unsigned int i = 0; i < s->nkinds; i++)
		kind_json(j, s, &s->kinds[i]);
	json_close(j);
	json_close(j);
}

static void run_text(const struct tool *tool, const struct subject *s, unsigned int threads)
{
	printf("%-20s %7u", s->name, threads);
	for (unsigned int i = 0; i < s->nkinds; i++) {
		const struct kind *k = &s->kinds[i];

		if (k->peer)
			printf("  %.2f ms %s (%.2fx, %.2fx)", median_of(k), k->name, median_of(k) / median_of(&s->kinds[0]),
			       median_of(k) / median_of(&s->kinds[1]));
		else
			printf(" %9.2f", median_of(k));
	}
	printf("\n");
	for (unsigned int i = 0; tool->verbosity > 0 && i < s->nkinds; i++)
		printf("  %-24s %9.2f ms, least %.2f, %u runs   error %.1e, %s class as float32\n", s->kinds[i].name, median_of(&s->kinds[i]),
		       s->kinds[i].ms[0], s->kinds[i].n, s->kinds[i].error, s->kinds[i].same_class ? "the same" : "another");
	for (unsigned int i = OWN; i < s->nkinds; i++)
		for (unsigned int o = 0; o < OWN; o++)
			if (median_of(&s->kinds[i]) < median_of(&s->kinds[o]))
				printf("  %s is slower than %s: %.2fx\n", s->kinds[o].name, s->kinds[i].name, median_of(&s->kinds[i]) / median_of(&s->kinds[o]));
	fflush(stdout);
}

static int set_threads(unsigned int threads)
{
	char text[16];

	snprintf(text, sizeof(text), "%u", threads);
	return setenv("EIE_CPU_THREADS", text, 1) ? fail("out of memory") : EXIT_OK;
}

static int measure(const struct tool *tool, const struct bench_networks *what, struct subject *s, struct json *j)
{
	int status = set_threads(1);

	if (!status && s->path)
		status = measure_first(s);
	if (!status && j) {
		json_object(j, NULL);
		json_text(j, "network", s->name);
		json_count(j, "inputs", s->in.count);
		json_count(j, "outputs", s->out.count);
		json_number(j, "ms_first", s->path ? 1e3 * s->first : NAN);
		json_array(j, "runs");
	}
	for (unsigned int t = 1; !status && t <= THREADS_MAX; t++) {
		status = set_threads(t);
		status = status ? status : kinds_open(tool, what, s, t);
		status = status ? status : rounds(what, s);
		status = status ? status : check_outputs(s);
		if (!status && j)
			run_json(j, s, t);
		else if (!status)
			run_text(tool, s, t);
		kinds_close(s);
	}
	if (!status && j) {
		json_close(j);
		json_close(j);
	} else if (!status && s->path) {
		printf("  first result after %s: file, transcoding, run\n", text_time(s->first).s);
	}
	return status;
}

static int run_network(const struct tool *tool, const struct bench_networks *what, const char *name, bool made, struct json *j)
{
	struct subject s;
	int status = subject_make(what, name, made, &s);

	status = status ? status : measure(tool, what, &s, j);
	subject_free(&s);
	return status;
}

int bench_networks(const struct tool *tool, const struct bench_networks *what, struct json *j)
{
	const char *threads = getenv("EIE_CPU_THREADS");
	char *kept = threads ? strdup(threads) : NULL;
	int status = threads && !kept ? fail("out of memory") : EXIT_OK;

	if (j)
		json_array(j, "networks");
	else
		printf("\n%s%-20s %7s %9s %9s  %s%s\n", tool->bold, "network", "threads", "int16 ms", "int8 ms",
		       what->peers ? "peers (times int16, times int8)" : "", tool->reset);
	for (unsigned int i = 0; !status && bench_made_names[i]; i++)
		status = run_network(tool, what, bench_made_names[i], true, j);
	for (unsigned int i = 0; !status && i < what->n; i++)
		status = run_network(tool, what, what->names[i], false, j);
	if (j)
		json_close(j);
	if (kept)
		setenv("EIE_CPU_THREADS", kept, 1);
	else
		unsetenv("EIE_CPU_THREADS");
	free(kept);
	return status;
}
