// SPDX-License-Identifier: GPL-2.0 OR MIT
#include "args.h"
#include "items.h"
#include "profile.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

struct profiling {
	struct profile p;
	struct accel_model *model;
	struct accel_device *device;
	struct accel_program *program;
	struct accel_estimate *estimate;
	struct items *items;
	const float **inputs;
	unsigned int nin;
	uint64_t n;
};

static int compile(struct profiling *f, const char *path, unsigned int batch)
{
	const struct accel_compile_options options = { .size = sizeof(options), .batch = batch };
	struct accel_device_info info;
	struct accel_error err = { 0 };

	if (accel_program_compile(f->model, f->device, &options, &f->program, &err))
		return fail_accel(path, &err);
	accel_device_info(f->device, &info);
	f->p.device = text_device(&info);
	f->p.clusters = info.clusters;
	f->p.lanes = info.lanes;
	return EXIT_OK;
}

/* The second run counts: the first one brings weights in that stay. */
static int run_twice(struct profiling *f, const char *path)
{
	struct accel_session *s = NULL;
	struct accel_error err = { 0 };
	struct accel_job_info job;
	uint64_t room = 0;
	int ret = accel_session_open(f->program, f->device, &s, &err);

	for (unsigned int i = 0; !ret && i < f->nin; i++)
		ret = accel_session_input(s, i, f->inputs[i], &err);
	ret = ret ? ret : accel_session_run(s, &err);
	if (!ret) {
		double before = seconds_wall();

		ret = accel_session_run(s, &err);
		f->p.seconds = seconds_wall() - before;
	}
	if (!ret)
		accel_session_stats(s, &f->p.stats);
	for (uint64_t i = 0; !ret && !accel_session_job(s, i, &job); i++) {
		struct profile_job *jobs = f->p.job;

		if (i == room) {
			room = 2 * room + 64;
			jobs = realloc(f->p.job, room * sizeof(*jobs));
			if (!jobs) {
				accel_session_close(s);
				return fail("out of memory");
			}
			f->p.job = jobs;
		}
		jobs[i] = (struct profile_job){ .start = job.start, .cycles = job.stats.cycles,
						.first_layer = job.first_layer, .last_layer = job.last_layer };
		f->p.njobs = i + 1;
		f->p.measured |= job.end != 0;
	}
	accel_session_close(s);
	return ret ? fail_accel(path, &err) : EXIT_OK;
}

/* Times of jobs from the first one's begin: the device's, or the model's one behind the other. */
static void place_jobs(struct profile *p)
{
	uint64_t first = p->njobs ? p->job[0].start : 0, at = 0;
	struct accel_stats model;

	for (uint64_t i = 0; i < p->njobs; i++) {
		struct profile_job *job = &p->job[i];

		if (accel_estimate_job(p->estimate, i, &model))
			model = (struct accel_stats){ 0 };
		job->model_cycles = model.cycles;
		if (p->measured) {
			job->start -= first;
			continue;
		}
		job->start = at;
		job->cycles = model.cycles;
		at += model.cycles;
	}
}

static int describe_layers(struct profile *p, const struct accel_model *model, const struct accel_program *program)
{
	p->nlayers = accel_program_places(program);
	p->layer = calloc(p->nlayers + 1, sizeof(*p->layer));
	if (!p->layer)
		return fail("out of memory");
	for (unsigned int i = 0; i < p->nlayers; i++) {
		struct profile_layer *l = &p->layer[i];

		accel_program_place(program, i, &l->place);
		accel_model_layer(model, i, &l->layer);
		accel_estimate_layer(p->estimate, i, &l->model);
		for (unsigned int c = 0; c < p->clusters && c < 16; c++)
			accel_estimate_cluster(p->estimate, i, c, &l->cluster[c]);
		if (!strcmp(l->place.where, "device"))
			l->memory_cycles = (l->place.bytes_loaded + l->place.bytes_stored + 15) / 16;
		if (l->layer.rows && l->layer.cols && l->layer.groups)
			l->density = (double)l->layer.nonzeros * l->layer.groups /
				     ((double)l->layer.rows * l->layer.cols);
	}
	return EXIT_OK;
}

static int measure(struct profiling *f, const char *path)
{
	const struct accel_estimate_options options = { .size = sizeof(options), .inputs = f->inputs, .timeline = true };
	struct accel_error err = { 0 };
	int status = run_twice(f, path);

	if (!status && accel_program_estimate(f->program, &options, &f->estimate, &err))
		status = fail_accel(path, &err);
	if (status)
		return status;
	f->p.estimate = f->estimate;
	accel_estimate_total(f->estimate, &f->p.model);
	if (!f->p.measured)
		f->p.stats = f->p.model;
	place_jobs(&f->p);
	return describe_layers(&f->p, f->model, f->program);
}

static bool ends_with(const char *text, const char *end)
{
	size_t n = strlen(text), m = strlen(end);

	return n >= m && !strcmp(text + n - m, end);
}

static int write_out(const struct profile *p, const char *path)
{
	FILE *out = fopen(path, "w");
	bool bad;

	if (!out)
		return fail("%s: %s", path, strerror(errno));
	if (ends_with(path, ".json"))
		profile_trace(p, out);
	else
		profile_page(p, out);
	bad = ferror(out);
	if (fclose(out) || bad)
		return fail("%s: %s", path, strerror(errno));
	return EXIT_OK;
}

int cmd_profile(struct tool *tool, int argc, char **argv)
{
	const char *pos[2], *spec = "sim", *output = NULL;
	struct arg_list inputs = { 0 }, shapes = { 0 }, fixed = { 0 }, sparse = { 0 };
	const struct onnx_args onnx = { .shapes = &shapes, .fixed = &fixed, .sparse = &sparse };
	const struct arg options[] = {
		{ "input", 'i', ARG_LIST, &inputs, "[NAME=]X...", ".npy files or pictures: one run of them all" },
		{ "output", 'o', ARG_TEXT, &output, "FILE", "report.html, or trace.json for ui.perfetto.dev" },
		{ "device", 'd', ARG_TEXT, &spec, "DEVICE",
		  "sim[:CONFIG], ref[:CONFIG], drm[:PATH] or cpu[:int8] (default sim)" },
		ONNX_ARGS(shapes, fixed, sparse),
		{ 0 },
	};
	const struct arg_command cmd = {
		.name = "profile",
		.synopsis = "MODEL --input [NAME=]X... -o report.html|trace.json [--device DEVICE]",
		.options = options,
		.min = 1,
		.max = 1,
		.missing = "a model",
		.summary = "Runs a model and draws where its cycles went: a page with pictures, or a trace for Perfetto.",
		.example = "eie profile lenet_300_100.eie --input boot.png -o report.html",
	};
	struct profiling f = { 0 };
	int status = args_parse(tool, &cmd, argc, argv, pos);

	if (status == ARGS_GO && !inputs.n)
		status = usage(cmd.name, "profile needs --input FILE...");
	if (status == ARGS_GO && (!output || !(ends_with(output, ".json") || ends_with(output, ".html"))))
		status = usage(cmd.name, "profile needs -o FILE, whose name ends in .html or .json");
	if (status == ARGS_GO) {
		f.p.model_path = pos[0];
		f.p.input = inputs.item[0];
		status = open_model(pos[0], &onnx, &f.model);
		status = status ? status : open_device(spec, &f.device);
		f.nin = f.model ? accel_model_inputs(f.model) : 0;
		f.items = calloc(f.nin + 1, sizeof(*f.items));
		f.inputs = calloc(f.nin + 1, sizeof(*f.inputs));
		if (!status && (!f.items || !f.inputs))
			status = fail("out of memory");
		if (!status)
			status = items_read_all(tool, pos[0], &inputs, f.model, false, f.items, &f.n);
		for (unsigned int i = 0; !status && i < f.nin; i++)
			f.inputs[i] = f.items[i].real;
		if (!status && f.n > 65536)
			status = fail("%s: %" PRIu64 " items are too many for one run", pos[0], f.n);
		status = status ? status : compile(&f, pos[0], (unsigned int)f.n);
		status = status ? status : measure(&f, pos[0]);
		status = status ? status : write_out(&f.p, output);
		if (!status)
			report(tool, "Profile", "%s: %s cycles (%s), %s jobs", output, text_count(f.p.stats.cycles).s,
			       f.p.measured ? "the device's counters" : "the cost model", text_count(f.p.njobs).s);
	}
	for (unsigned int i = 0; f.items && i < f.nin; i++)
		items_free(&f.items[i]);
	free(f.items);
	free(f.inputs);
	free(f.p.layer);
	free(f.p.job);
	onnx_args_free(&onnx);
	free(inputs.item);
	accel_estimate_free(f.estimate);
	accel_program_unref(f.program);
	accel_device_unref(f.device);
	accel_model_unref(f.model);
	return status;
}
