// SPDX-License-Identifier: GPL-2.0 OR MIT
#include "runner.h"

#include "json.h"

#include <stdlib.h>
#include <string.h>

static const struct {
	const char *key, *what;
	size_t offset;
} stalls[] = {
	{ "array", "filling the array", offsetof(struct accel_stats, stall_array) },
	{ "drain", "draining", offsetof(struct accel_stats, stall_drain) },
	{ "load", "loads", offsetof(struct accel_stats, stall_load) },
	{ "store", "stores", offsetof(struct accel_stats, stall_store) },
	{ "sync", "earlier commands", offsetof(struct accel_stats, stall_sync) },
	{ "cmd", "command fetch", offsetof(struct accel_stats, stall_cmd) },
	{ "front", "job start", offsetof(struct accel_stats, stall_front) },
	{ "tail", "job end", offsetof(struct accel_stats, stall_tail) },
};

static uint64_t stall(const struct accel_stats *s, size_t i)
{
	return *(const uint64_t *)((const char *)s + stalls[i].offset);
}

void json_stalls(struct json *j, const struct accel_stats *s)
{
	json_object(j, "stalls");
	for (size_t i = 0; i < sizeof(stalls) / sizeof(stalls[0]); i++)
		json_count(j, stalls[i].key, stall(s, i));
	json_close(j);
}

struct stall_text text_stalls(const struct accel_stats *s)
{
	struct stall_text t = { "" };
	size_t at = 0;

	for (size_t i = 0; i < sizeof(stalls) / sizeof(stalls[0]) && s->cycles; i++) {
		double share = 100.0 * (double)stall(s, i) / (double)s->cycles;

		if (share >= 1 && at < sizeof(t.s))
			at += (size_t)snprintf(t.s + at, sizeof(t.s) - at, "%s%s %.1f %%",
					       at ? ", " : "", stalls[i].what, share);
	}
	return t;
}

static int open_runner(struct runner *r, struct accel_model *model, struct accel_device *device, unsigned int batch,
		       bool streamed)
{
	struct accel_compile_options options = { .size = sizeof(options), .batch = batch, .stream_weights = streamed };
	struct accel_device_info info;
	struct accel_error err = { 0 };

	*r = (struct runner){ .model = model, .device = accel_device_ref(device), .batch = batch, .streamed = streamed };
	accel_device_info(device, &info);
	r->name = text_device(&info);
	if (accel_program_compile(model, device, &options, &r->program[0], &err) ||
	    accel_session_open(r->program[0], device, &r->session[0], &err))
		return fail_accel(r->name.s, &err);
	return EXIT_OK;
}

int runner_open(struct runner *r, struct accel_model *model, struct accel_device *device,
		unsigned int batch)
{
	return open_runner(r, model, device, batch, false);
}

int runner_open_streamed(struct runner *r, struct accel_model *model, struct accel_device *device,
			 unsigned int batch)
{
	return open_runner(r, model, device, batch, true);
}

static void close_slot(struct runner *r, unsigned int slot)
{
	if (r->session[slot])
		accel_session_close(r->session[slot]);
	accel_program_unref(r->program[slot]);
	r->session[slot] = NULL;
	r->program[slot] = NULL;
}

void runner_close(struct runner *r)
{
	close_slot(r, 0);
	close_slot(r, 1);
	accel_device_unref(r->device);
	r->device = NULL;
}

void runner_restart(struct runner *r)
{
	r->stats = (struct accel_stats){ 0 };
	r->items = r->runs = 0;
	r->wall = r->cpu = 0;
}

/* Every field is a count of 64 bits. */
static void add(struct accel_stats *sum, const struct accel_stats *s)
{
	const uint64_t *from = (const uint64_t *)s;
	uint64_t *to = (uint64_t *)sum;

	for (size_t i = 0; i < sizeof(*s) / sizeof(*from); i++)
		to[i] += from[i];
}

static int give_matrices(const struct runner *r, struct accel_session *s, struct accel_error *err)
{
	int ret = 0;

	for (unsigned int i = 0; !ret && r->sparse && i < r->sparse->n; i++)
		ret = accel_session_sparse(s, r->sparse->item[i].input, &r->sparse->item[i].matrix, err);
	return ret;
}

int runner_sparse(struct runner *r, const struct sparse_set *set)
{
	struct accel_error err = { 0 };

	r->sparse = set;
	return give_matrices(r, r->session[0], &err) ? fail_accel(r->name.s, &err) : EXIT_OK;
}

static struct accel_session *session(struct runner *r, unsigned int n, struct accel_error *err)
{
	struct accel_compile_options options = { .size = sizeof(options), .batch = n, .stream_weights = r->streamed };

	if (n == r->batch)
		return r->session[0];
	if (r->session[1] && accel_program_batch(r->program[1]) == n)
		return r->session[1];
	close_slot(r, 1);
	if (accel_program_compile(r->model, r->device, &options, &r->program[1], err) ||
	    accel_session_open(r->program[1], r->device, &r->session[1], err) ||
	    give_matrices(r, r->session[1], err))
		return NULL;
	return r->session[1];
}

static int output(const struct runner *r, struct accel_session *s, unsigned int i, void *out,
		  struct accel_error *err)
{
	struct accel_tensor_info t;

	accel_model_output(r->model, i, &t);
	return t.dtype == ACCEL_DTYPE_INT16 ? accel_session_output_raw(s, i, out, err) :
					      accel_session_output(s, i, out, err);
}

int runner_run(struct runner *r, unsigned int n, const float *const *real,
	       const int16_t *const *raw, void *const *out)
{
	struct accel_error err = { 0 };
	struct accel_stats stats = { 0 };
	struct accel_session *s = session(r, n, &err);
	double wall, cpu;

	if (!s)
		return fail_accel(r->name.s, &err);
	for (unsigned int i = 0; i < accel_model_inputs(r->model); i++)
		if (real ? accel_session_input(s, i, real[i], &err) :
			   accel_session_input_raw(s, i, raw[i], &err))
			return fail_accel(r->name.s, &err);
	wall = seconds_wall();
	cpu = seconds_cpu();
	if (accel_session_run(s, &err))
		return fail_accel(r->name.s, &err);
	r->cpu += seconds_cpu() - cpu;
	r->wall += seconds_wall() - wall;
	for (unsigned int i = 0; i < accel_model_outputs(r->model); i++)
		if (output(r, s, i, out[i], &err))
			return fail_accel(r->name.s, &err);
	accel_session_stats(s, &stats);
	add(&r->stats, &stats);
	r->items += n;
	r->runs++;
	return EXIT_OK;
}

const struct accel_stats *counted(const struct runner *first, const struct runner *second)
{
	/* saturation depends on the numbers only, so that any device's count holds for all; cpu:int8 counts it, but no products */
	if (first->stats.macs || !strncmp(first->name.s, "cpu", 3))
		return &first->stats;
	return second->stats.macs ? &second->stats : NULL;
}

uint64_t count_differences(const void *a, const void *b, uint64_t n, size_t bytes)
{
	uint64_t differ = 0;

	for (uint64_t i = 0; i < n; i++)
		differ += memcmp((const char *)a + i * bytes, (const char *)b + i * bytes, bytes) != 0;
	return differ;
}

uint64_t largest(const struct accel_tensor_info *tensor, const void *values, uint64_t item)
{
	uint64_t first = item * tensor->count, best = first;

	for (uint64_t i = first; i < first + tensor->count; i++)
		if (value_at(tensor, values, i) > value_at(tensor, values, best))
			best = i;
	return best - first;
}
