// SPDX-License-Identifier: GPL-2.0 OR MIT
#include "netprogram.h"
#include "device.h"
#include "layout.h"
#include "nan.h"
#include "netmodel.h"
#include "netrun.h"
#include "op.h"
#include "sparse.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static int no_memory(struct accel_error *err)
{
	return accel_fail(err, -ENOMEM, NULL, "out of memory while compiling");
}

/* ---------------------------------------------------------------- compilation */

static uint64_t bytes_of(const struct accel_network *net, uint32_t value)
{
	return value == NET_NONE ? 0 : net->values[value].count * net_type_size(net->values[value].type);
}

static int place_operator(struct accel_place *place, const struct accel_network *net, const struct net_node *node, unsigned int batch,
			  bool on_cpu)
{
	place->layer = strdup(node->name);
	place->reason = strdup(on_cpu ? "the device is the CPU" : node->device_reason ? node->device_reason : node->op->why_cpu);
	place->info = (struct accel_place_info){ .layer = place->layer, .where = "cpu", .reason = place->reason, .row_tiles = 1,
						 .col_tiles = 1, .balance = 1, .steps = node->work * batch };
	for (unsigned int i = 0; i < node->nin; i++)
		place->info.bytes_loaded += bytes_of(net, node->in[i]) * batch;
	for (unsigned int i = 0; i < node->nout; i++)
		place->info.bytes_stored += bytes_of(net, node->out[i]) * batch;
	return place->layer && place->reason ? 0 : -ENOMEM;
}

static int place_layer(struct accel_place *place, const struct accel_place *from)
{
	place->layer = strdup(from->layer);
	place->reason = strdup(from->reason);
	place->info = from->info;
	place->info.layer = place->layer;
	place->info.reason = place->reason;
	return place->layer && place->reason ? 0 : -ENOMEM;
}

int netprogram_compile(struct accel_program *p, const struct accel_device *device, const struct accel_compile_options *options,
		       struct accel_error *err)
{
	const struct accel_network *net = p->model->net;
	unsigned int at = 0;

	p->segments = calloc(net->nnodes + (size_t)1, sizeof(struct accel_program *));
	if (!p->segments)
		return no_memory(err);
	p->params = device->params;
	p->on_cpu = !device->backend;
	for (unsigned int n = 0; n < net->nnodes; n++) {
		const struct net_node *node = &net->nodes[n];
		struct accel_program *s;
		int ret;

		if (node->op) {
			if (place_operator(&p->places[at++], net, node, p->batch, p->on_cpu))
				return no_memory(err);
			continue;
		}
		ret = accel_program_compile(node->segment, device, options, &s, err);
		if (ret)
			return ret;
		p->segments[n] = s;
		p->njobs += s->njobs;
		p->ncmds += s->ncmds;
		p->constant_bytes += s->constant_bytes;
		for (unsigned int l = 0; l < node->segment->nlayers; l++)
			if (place_layer(&p->places[at++], &s->places[l]))
				return no_memory(err);
	}
	return 0;
}

/* ---------------------------------------------------------------- sessions */

struct netsession {
	const struct accel_program *program;
	struct netrun *run;
	struct accel_session **segments;   /* [nnodes]; NULL: an operator */
	float *turned;             /* room for the largest value that a segment has turned, of all items; NULL: there is none */
	unsigned int ran;          /* nodes, up to the last segment that the last run has come through */
};

void accel_stats_add(struct accel_stats *sum, const struct accel_stats *s)
{
	/* every field is a count of 64 bits */
	const uint64_t *from = (const uint64_t *)s;
	uint64_t *to = (uint64_t *)sum;

	for (size_t i = 0; i < sizeof(*s) / sizeof(*from); i++)
		to[i] += from[i];
}

int netsession_job(const struct netsession *s, uint64_t index, struct accel_job_info *info)
{
	const struct accel_network *net = s->program->model->net;
	unsigned int layer = 0;

	for (unsigned int n = 0; n < net->nnodes; n++) {
		const struct accel_program *p = s->program->segments[n];

		if (p && index < p->njobs) {
			int ret = accel_session_job(s->segments[n], index, info);

			info->first_layer += ret ? 0 : layer;
			info->last_layer += ret ? 0 : layer;
			return ret;
		}
		index -= p ? p->njobs : 0;
		layer += p ? accel_model_layers(p->model) : 1;
	}
	return -ERANGE;
}

/* Input i: what the network has, unless it is a constant, which is there already. */
static int set_input(const struct netsession *s, struct netrun *run, const struct net_node *node, unsigned int i, struct accel_session *session,
		     struct accel_error *err)
{
	const float *x = netrun_value(run, node->in[i]);

	if (s->program->model->net->values[node->in[i]].data)
		return 0;
	if (layout_turned(node, false, i)) {
		layout_to_segment(node, i, x, s->turned, s->program->batch);
		x = s->turned;
	}
	return accel_session_input(session, i, x, err);
}

static int get_output(const struct netsession *s, struct netrun *run, const struct net_node *node, unsigned int i, struct accel_session *session,
		      struct accel_error *err)
{
	bool turned = layout_turned(node, true, i);
	int ret = accel_session_output(session, i, turned ? s->turned : netrun_value(run, node->out[i]), err);

	if (!ret && turned)
		layout_from_segment(node, i, s->turned, netrun_value(run, node->out[i]), s->program->batch);
	return ret;
}

static int run_segment(void *arg, struct netrun *run, const struct net_node *node, struct accel_error *err)
{
	struct netsession *s = arg;
	struct accel_session *session = s->segments[node - s->program->model->net->nodes];
	int ret = 0;

	for (unsigned int i = 0; !ret && i < node->nin; i++)
		ret = set_input(s, run, node, i, session, err);
	ret = ret ? ret : accel_session_run(session, err);
	for (unsigned int i = 0; !ret && i < node->nout; i++)
		ret = get_output(s, run, node, i, session, err);
	if (!ret)
		s->ran = (unsigned int)(node - s->program->model->net->nodes) + 1;
	return ret;
}

/* Constants that a segment reads are its inputs once and for all, the same for every item. */
static int set_constants(const struct netsession *s, unsigned int n, struct accel_error *err)
{
	const struct accel_network *net = s->program->model->net;
	const struct net_node *node = &net->nodes[n];
	unsigned int batch = s->program->batch;
	int ret = 0;

	for (unsigned int i = 0; !ret && i < node->nin; i++) {
		const struct net_value *v = &net->values[node->in[i]];
		float *items;

		if (!v->data)
			continue;
		items = malloc(v->count * batch * sizeof(*items));
		ret = items ? 0 : accel_fail(err, -ENOMEM, NULL, "out of memory");
		for (unsigned int b = 0; !ret && b < batch; b++)
			layout_to_segment(node, i, v->data, items + b * v->count, 1);
		ret = ret ? ret : accel_session_input(s->segments[n], i, items, err);
		free(items);
	}
	return ret;
}

/* Room to turn values in. */
static int make_room(struct netsession *s, struct accel_error *err)
{
	const struct accel_network *net = s->program->model->net;
	uint64_t most = 0;

	for (unsigned int n = 0; n < net->nnodes; n++) {
		const struct net_node *node = &net->nodes[n];

		for (unsigned int i = 0; !node->op && i < node->nin; i++)
			if (layout_turned(node, false, i) && net->values[node->in[i]].count > most)
				most = net->values[node->in[i]].count;
		for (unsigned int i = 0; !node->op && i < node->nout; i++)
			if (layout_turned(node, true, i) && net->values[node->out[i]].count > most)
				most = net->values[node->out[i]].count;
	}
	s->turned = most ? malloc(most * s->program->batch * sizeof(*s->turned)) : NULL;
	return !most || s->turned ? 0 : accel_fail(err, -ENOMEM, NULL, "out of memory");
}

int netsession_new(struct accel_program *program, struct accel_device *device, unsigned int threads, struct netsession **session,
		   struct accel_error *err)
{
	const struct accel_network *net = program->model->net;
	struct netsession *s = calloc(1, sizeof(*s));
	int ret = 0;

	if (!s)
		return accel_fail(err, -ENOMEM, NULL, "out of memory");
	s->program = program;
	s->segments = calloc(net->nnodes + (size_t)1, sizeof(*s->segments));
	if (!s->segments)
		ret = accel_fail(err, -ENOMEM, NULL, "out of memory");
	ret = ret ? ret : make_room(s, err);
	ret = ret ? ret : netrun_new(net, program->batch, threads, run_segment, s, &s->run, err);
	for (unsigned int n = 0; !ret && n < net->nnodes; n++)
		if (program->segments[n]) {
			ret = session_open(program->segments[n], device, netrun_pool(s->run), &s->segments[n], err);
			ret = ret ? ret : set_constants(s, n, err);
		}
	if (ret)
		netsession_free(s);
	else
		*session = s;
	return ret;
}

void netsession_free(struct netsession *s)
{
	if (!s)
		return;
	for (unsigned int n = 0; s->segments && n < s->program->model->net->nnodes; n++)
		accel_session_close(s->segments[n]);
	netrun_free(s->run);
	free(s->turned);
	free(s->segments);
	free(s);
}

/* A session of the segment's program with another matrix. */
static int open_sparse(const struct netsession *s, unsigned int n, struct accel_device *device, const struct accel_sparse *matrix, struct accel_session **session,
		       struct accel_error *err)
{
	const struct accel_compile_options options = { .size = sizeof(options), .batch = s->program->batch };
	struct accel_program *program;
	struct accel_model *segment;
	int ret = sparse_segment(&s->program->model->net->nodes[n], matrix, &segment, err);

	if (ret)
		return ret;
	ret = accel_program_compile(segment, device, &options, &program, err);
	accel_model_unref(segment);
	if (ret)
		return ret;
	ret = session_open(program, device, netrun_pool(s->run), session, err);
	accel_program_unref(program);
	return ret;
}

int netsession_sparse(struct netsession *s, struct accel_device *device, const char *name, const struct accel_sparse *matrix, struct accel_error *err)
{
	const struct accel_network *net = s->program->model->net;
	struct accel_session **fresh = calloc(net->nnodes + (size_t)1, sizeof(struct accel_session *));
	bool any = false;
	int ret = fresh ? 0 : accel_fail(err, -ENOMEM, NULL, "out of memory");

	for (unsigned int n = 0; !ret && n < net->nnodes; n++) {
		if (!sparse_is_named(&net->nodes[n], name))
			continue;
		any = true;
		ret = open_sparse(s, n, device, matrix, &fresh[n], err);
	}
	if (!ret && !any)
		ret = accel_fail(err, -ENOENT, NULL, "%s: no layer multiplies a matrix '%s': import the network with that input as a sparse one (--sparse)", net->file, name);
	for (unsigned int n = 0; fresh && n < net->nnodes; n++) {
		if (!fresh[n])
			continue;
		accel_session_close(ret ? fresh[n] : s->segments[n]);
		s->segments[n] = ret ? s->segments[n] : fresh[n];
	}
	free(fresh);
	return ret;
}

/* Smallest and largest integer of each type that a float can be. */
static bool fits(enum net_type type, float v)
{
	static const struct {
		double lo, hi;
	} range[NET_NTYPES] = {
		[NET_I64] = { -0x1p63, 0x1p63 - 1024 }, [NET_I32] = { -0x1p31, 0x1p31 - 1 }, [NET_U8] = { 0, 255 },
		[NET_I8] = { -128, 127 }, [NET_BOOL] = { 0, 1 },
	};

	return (double)v >= range[type].lo && (double)v <= range[type].hi && v == rintf(v);
}

static void store(enum net_type type, void *data, uint64_t i, float v)
{
	switch (type) {
	case NET_F32:
		((float *)data)[i] = v;
		break;
	case NET_I64:
		((int64_t *)data)[i] = (int64_t)v;
		break;
	case NET_I32:
		((int32_t *)data)[i] = (int32_t)v;
		break;
	case NET_I8:
		((int8_t *)data)[i] = (int8_t)v;
		break;
	case NET_U8:
	case NET_BOOL:
	case NET_NTYPES:
		((uint8_t *)data)[i] = (uint8_t)v;
		break;
	}
}

int netsession_input(struct netsession *s, unsigned int index, const float *data, struct accel_error *err)
{
	const struct accel_network *net = s->program->model->net;
	const struct net_value *v = &net->values[net->inputs[index]];
	uint64_t n = v->count * s->program->batch;

	for (uint64_t i = v->type == NET_F32 ? leading_numbers(data, n) : 0; i < n; i++) {
		if (isnan(data[i]))
			return accel_fail(err, -EDOM, v->name, "input \"%s\": value %llu is not a number", v->name, (unsigned long long)i);
		if (v->type != NET_F32 && !fits(v->type, data[i]))
			return accel_fail(err, -ERANGE, v->name, "input \"%s\": value %llu is %g, which is no %s", v->name,
					  (unsigned long long)i, (double)data[i], net_type_names[v->type]);
	}
	if (v->type == NET_F32)
		memcpy(netrun_value(s->run, net->inputs[index]), data, n * sizeof(*data));
	else
		for (uint64_t i = 0; i < n; i++)
			store(v->type, netrun_value(s->run, net->inputs[index]), i, data[i]);
	return 0;
}

void netsession_output(struct netsession *s, unsigned int index, float *data)
{
	const struct accel_network *net = s->program->model->net;
	const struct net_value *v = &net->values[net->outputs[index]];
	const void *from = netrun_value(s->run, net->outputs[index]);

	for (uint64_t i = 0; i < v->count * s->program->batch; i++) {
		switch (v->type) {
		case NET_F32:
			data[i] = ((const float *)from)[i];
			break;
		case NET_I64:
			data[i] = (float)((const int64_t *)from)[i];
			break;
		case NET_I32:
			data[i] = (float)((const int32_t *)from)[i];
			break;
		case NET_I8:
			data[i] = ((const int8_t *)from)[i];
			break;
		case NET_U8:
		case NET_BOOL:
		case NET_NTYPES:
			data[i] = ((const uint8_t *)from)[i];
			break;
		}
	}
}

int netsession_run(struct netsession *s, struct accel_error *err)
{
	s->ran = 0;
	return netrun_run(s->run, err);
}

void netsession_stats(const struct netsession *s, struct accel_stats *stats)
{
	*stats = (struct accel_stats){ 0 };
	for (unsigned int n = 0; n < s->ran; n++) {
		struct accel_stats own;

		if (!s->segments[n])
			continue;
		accel_session_stats(s->segments[n], &own);
		accel_stats_add(stats, &own);
	}
}
