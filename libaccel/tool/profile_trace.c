// SPDX-License-Identifier: GPL-2.0 OR MIT
#include "profile.h"

#include "json.h"
#include "runner.h"

#include <string.h>

enum { LANE_QUEUE = 1, LANE_LOAD, LANE_COMPUTE, LANE_STORE, LANE_CPU };

static void lane(struct json *j, unsigned int tid, const char *name)
{
	json_object(j, NULL);
	json_text(j, "name", "thread_name");
	json_text(j, "ph", "M");
	json_count(j, "pid", 1);
	json_count(j, "tid", tid);
	json_object(j, "args");
	json_text(j, "name", name);
	json_close(j);
	json_close(j);
}

static void event(struct json *j, unsigned int tid, const char *name, const char *category, uint64_t start,
		  uint64_t cycles)
{
	json_object(j, NULL);
	json_text(j, "name", name);
	json_text(j, "cat", category);
	json_text(j, "ph", "X");
	json_count(j, "pid", 1);
	json_count(j, "tid", tid);
	json_count(j, "ts", start);
	json_count(j, "dur", cycles);
	json_object(j, "args");
}

static void events(const struct profile *p, struct json *j)
{
	struct accel_span span;

	for (uint64_t i = 0; i < p->njobs; i++) {
		const struct profile_job *job = &p->job[i];
		char name[160];

		snprintf(name, sizeof(name), "job %llu: %s", (unsigned long long)i,
			 p->layer[job->first_layer].place.layer);
		event(j, LANE_QUEUE, name, p->measured ? "measured" : "model", job->start, job->cycles);
		json_count(j, "model_cycles", job->model_cycles);
		json_text(j, "last_layer", p->layer[job->last_layer].place.layer);
		json_close(j);
		json_close(j);
	}
	for (uint64_t i = 0; p->estimate && !accel_estimate_span(p->estimate, i, &span); i++) {
		unsigned int tid = !strcmp(span.engine, "load")	   ? LANE_LOAD :
				   !strcmp(span.engine, "compute") ? LANE_COMPUTE :
								     LANE_STORE;

		event(j, tid, span.command, "model", p->job[span.job].start + span.start,
		      span.end - span.start);
		json_text(j, "layer", p->layer[span.layer].place.layer);
		json_count(j, "job", span.job);
		if (span.bytes)
			json_count(j, "bytes", span.bytes);
		json_close(j);
		json_close(j);
	}
	/* the CPU has no clock of the engine's: its operators stand one behind the other, a step for a cycle */
	for (uint64_t i = 0, at = 0; i < p->nlayers; i++) {
		if (!strcmp(p->layer[i].place.where, "device"))
			continue;
		event(j, LANE_CPU, p->layer[i].place.layer, "steps, not time", at, p->layer[i].place.steps);
		json_text(j, "op", p->layer[i].layer.op);
		json_close(j);
		json_close(j);
		at += p->layer[i].place.steps;
	}
}

void profile_figures(const struct profile *p, struct json *j)
{
	json_text(j, "model", p->model_path);
	json_text(j, "input", p->input);
	json_text(j, "device", p->device.s);
	json_text(j, "cycles_from", p->measured ? "the device's counters" : "the cost model");
	json_text(j, "layers_from", "the cost model");
	json_count(j, "clusters", p->clusters);
	json_count(j, "lanes", p->lanes);
	json_count(j, "cycles", p->stats.cycles);
	json_count(j, "busy", p->stats.busy);
	json_count(j, "model_cycles", p->model.cycles);
	json_number(j, "seconds", p->seconds);
	json_stalls(j, &p->stats);
	json_array(j, "layers");
	for (uint64_t i = 0; i < p->nlayers; i++) {
		const struct profile_layer *l = &p->layer[i];

		json_object(j, NULL);
		json_text(j, "name", l->place.layer);
		json_text(j, "where", l->place.where);
		json_text(j, "op", l->layer.op);
		json_count(j, "cycles", l->model.cycles);
		json_count(j, "busy", l->model.busy);
		json_count(j, "ideal_cycles", l->place.ideal_cycles);
		json_count(j, "memory_cycles", l->memory_cycles);
		json_count(j, "bytes", l->place.bytes_loaded + l->place.bytes_stored);
		json_count(j, "nonzeros", l->layer.nonzeros);
		json_number(j, "density", l->density);
		json_count(j, "steps", l->place.steps);
		json_stalls(j, &l->model);
		json_array(j, "clusters");
		for (unsigned int c = 0; c < p->clusters && c < 16; c++)
			json_count(j, NULL, l->cluster[c]);
		json_close(j);
		json_close(j);
	}
	json_close(j);
	json_array(j, "jobs");
	for (uint64_t i = 0; i < p->njobs; i++) {
		json_object(j, NULL);
		json_count(j, "start", p->job[i].start);
		json_count(j, "cycles", p->job[i].cycles);
		json_count(j, "model_cycles", p->job[i].model_cycles);
		json_text(j, "first_layer", p->layer[p->job[i].first_layer].place.layer);
		json_text(j, "last_layer", p->layer[p->job[i].last_layer].place.layer);
		json_close(j);
	}
	json_close(j);
}

void profile_trace(const struct profile *p, FILE *out)
{
	struct json j;

	json_begin(&j, out);
	json_text(&j, "displayTimeUnit", "ms");
	json_array(&j, "traceEvents");
	lane(&j, LANE_QUEUE, p->measured ? "queue (measured)" : "queue (model)");
	lane(&j, LANE_LOAD, "load (model)");
	lane(&j, LANE_COMPUTE, "compute (model)");
	lane(&j, LANE_STORE, "store (model)");
	lane(&j, LANE_CPU, "CPU (steps, not time)");
	events(p, &j);
	json_close(&j);
	json_object(&j, "otherData");
	json_text(&j, "unit", "a microsecond of the trace is a cycle of the engine");
	profile_figures(p, &j);
	json_close(&j);
	json_end(&j);
}
