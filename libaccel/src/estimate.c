// SPDX-License-Identifier: GPL-2.0 OR MIT
/* The cost model applied to programs: what their jobs work on, either from a run of the interpreter or from their weights alone. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "commands.h"
#include "cost.h"
#include "device.h"
#include "net.h"
#include "netprogram.h"
#include "simbus.h"

#define SEED 2016
/* Device addresses begin somewhere; below are what a device has before a session is opened. */
#define FIRST_VA ((UINT64_C(64) << 30) + SIMBUS_BASE + 16 * SIMBUS_PAGE)

struct accel_estimate {
	unsigned int nlayers;
	uint64_t njobs, room_jobs, nspans, room_spans;
	struct accel_stats total, *jobs;
	struct cost_cycles *layers;
	struct accel_span *spans;
	unsigned int nclusters;
	uint64_t *loads;        /* [nlayers][nclusters], with a timeline */
};

/* One program, or one segment of a network, and where its buffers are. */
struct part {
	const struct accel_program *program;
	unsigned int first_layer;
	struct cost_buffer base[COST_BASES], commands;
	uint32_t job;
};

struct estimating {
	struct accel_estimate *out;
	struct accel_estimate_options options;
	struct cost_engine *engine;
	struct cost_recorder recorder;
	struct part *parts;
	unsigned int nparts, part;      /* part: of the job that runs */
	struct cost_work *works;        /* of that job's commands */
	uint32_t nworks;
	int failed;
	const struct accel_program_job *job;
};

/* ---------------------------------------------------------------- memory */

/* As backend_sim.c does for a session: small buffers one after the other, large ones in pages of their own. */
static struct cost_buffer place_buffer(size_t bytes, uint64_t *small, uint64_t *large)
{
	bool is_large = bytes >= SIMBUS_LARGE_FROM;
	uint64_t page = is_large ? SIMBUS_LARGE_PAGE : SIMBUS_PAGE, size = (bytes + page - 1) / page * page, *at = is_large ? large : small;
	struct cost_buffer buffer = { *at, is_large ? *at + size : 0 };

	*at += size;
	return buffer;
}

static void place_buffers(struct part *part, uint64_t *small, uint64_t *large)
{
	const struct accel_program *p = part->program;
	const size_t bytes[COST_BASES] = { [BASE_CONST] = p->constant_bytes, [BASE_INPUT] = p->input_bytes,
					   [BASE_OUTPUT] = p->output_bytes, [BASE_SCRATCH] = p->scratch_bytes };

	for (unsigned int b = 0; b < COST_BASES; b++)
		part->base[b] = place_buffer(bytes[b], small, large);
	part->commands = place_buffer((size_t)p->ncmds * EIE_CMD_BYTES + NBASES * sizeof(uint64_t), small, large);
}

/* ---------------------------------------------------------------- jobs */

static struct cost_job job_of(const struct part *part, const struct accel_program_job *job, const struct cost_work *works, bool restores)
{
	const struct accel_program *p = part->program;
	struct cost_job j = {
		.cmds = p->cmds + job->first_cmd, .cmd_layer = p->cmd_layer + job->first_cmd, .works = works, .ncmds = job->ncmds,
		.restore = p->cmds + p->restore_first, .restore_layer = p->cmd_layer + p->restore_first, .nrestore = restores ? p->nrestore : 0,
		.commands = part->commands, .cmd_offset = (uint64_t)job->first_cmd * EIE_CMD_BYTES,
		.restore_offset = (uint64_t)p->restore_first * EIE_CMD_BYTES, .bases_offset = (uint64_t)p->ncmds * EIE_CMD_BYTES,
	};

	memcpy(j.base, part->base, sizeof(j.base));
	return j;
}

static void *grown(void *array, uint64_t used, uint64_t *room, size_t size)
{
	void *more = array;

	if (used < *room)
		return array;
	more = realloc(array, (2 * *room + 64) * size);
	if (more)
		*room = 2 * *room + 64;
	return more;
}

/* That a load or store moves; work: a SELECT's, of this job. */
static uint64_t bytes_of(const struct eie_cmd *cmd, const struct cost_work *work)
{
	uint64_t granules = 0;

	if (CMD_GET(cmd, OPCODE) != EIE_OP_SELECT)
		return (uint64_t)CMD_GET(cmd, XFER_LEN) * CMD_GET(cmd, XFER_ROWS) * EIE_GRANULE_BYTES;
	for (uint32_t i = 0; i < work->nruns; i++)
		granules += work->runs[i].n;
	return granules * EIE_GRANULE_BYTES;
}

static void add_span(void *arg, unsigned int engine, uint32_t index, bool restore, uint64_t start, uint64_t end)
{
	static const char *const engines[COST_ENGINES] = { "load", "compute", "store" };
	struct estimating *e = arg;
	const struct part *part = &e->parts[e->part];
	uint32_t at = index + (restore ? part->program->restore_first : e->job->first_cmd);
	const struct eie_cmd *cmd = &part->program->cmds[at];
	struct accel_span *spans = grown(e->out->spans, e->out->nspans, &e->out->room_spans, sizeof(*spans));

	if (!spans) {
		e->failed = -ENOMEM;
		return;
	}
	e->out->spans = spans;
	spans[e->out->nspans++] = (struct accel_span){
		.engine = engines[engine], .command = eie_op_name(CMD_GET(cmd, OPCODE)), .layer = part->first_layer + part->program->cmd_layer[at],
		.job = e->out->njobs, .start = start, .end = end,
		.bytes = engine == COST_COMPUTE ? 0 : bytes_of(cmd, restore ? NULL : &e->works[index]),   /* nothing is selected to be kept */
	};
}

static struct accel_stats stats_of(const struct cost_totals *t)
{
	const struct cost_cycles *c = &t->cycles;

	return (struct accel_stats){
		.cycles = c->cycles, .busy = c->busy, .engine_cycles = t->engine_cycles, .stall_drain = c->drain, .stall_array = c->array,
		.stall_load = c->load, .stall_store = c->store, .stall_sync = c->sync, .stall_cmd = c->cmd, .stall_front = c->front,
		.stall_tail = c->tail, .read_beats = t->read_beats, .write_beats = t->write_beats, .tlb_misses = t->tlb_misses,
	};
}

/* The commands of the job have been recorded. */
static int run_job(struct estimating *e)
{
	const struct part *part = &e->parts[e->part];
	const struct accel_program *p = part->program;
	bool restores = p->nrestore && (!p->residency || (e->options.first && part->job == 0));
	const struct cost_job job = job_of(part, e->job, e->works, restores);
	struct accel_stats *jobs = grown(e->out->jobs, e->out->njobs, &e->out->room_jobs, sizeof(*jobs));
	struct cost_totals totals = { 0 };
	int ret;

	if (!jobs)
		return -ENOMEM;
	e->out->jobs = jobs;
	if (e->options.cold)
		cost_engine_forget(e->engine);
	ret = cost_run(e->engine, &job, e->out->layers + part->first_layer, &totals);
	if (ret)
		return ret;
	jobs[e->out->njobs] = stats_of(&totals);
	jobs[e->out->njobs].jobs = 1;
	jobs[e->out->njobs].commands = job.ncmds + job.nrestore;
	accel_stats_add(&e->out->total, &jobs[e->out->njobs++]);
	return 0;
}

/* What stays of translations when a run has run before this one: those of its last job. */
static int warm_up(struct estimating *e)
{
	const struct part *part = NULL;
	struct cost_totals totals = { 0 };
	struct cost_cycles *layers;
	struct cost_work *works;
	int ret;

	for (unsigned int i = 0; i < e->nparts; i++)
		if (e->parts[i].program->njobs)
			part = &e->parts[i];
	if (!part || e->options.cold || e->options.first)
		return 0;
	works = calloc(part->program->jobs[part->program->njobs - 1].ncmds + (size_t)1, sizeof(*works));
	layers = calloc(part->program->model->nlayers + (size_t)1, sizeof(*layers));
	ret = works && layers ? 0 : -ENOMEM;
	if (!ret) {
		/* without work: of time nothing is asked here */
		const struct cost_job job = job_of(part, &part->program->jobs[part->program->njobs - 1], works, false);

		ret = cost_run(e->engine, &job, layers, &totals);
	}
	free(works);
	free(layers);
	return ret;
}

static int begin_job(struct estimating *e)
{
	const struct part *part;

	while (e->part < e->nparts && e->parts[e->part].job == e->parts[e->part].program->njobs)
		e->part++;
	if (e->part == e->nparts)
		return -EPROTO;
	part = &e->parts[e->part];
	e->job = &part->program->jobs[part->job];
	e->works = calloc(e->job->ncmds + (size_t)1, sizeof(*e->works));
	e->nworks = 0;
	return e->works ? 0 : -ENOMEM;
}

static void end_job(struct estimating *e)
{
	for (uint32_t i = 0; e->works && i < e->nworks; i++)
		cost_work_free(&e->works[i]);
	free(e->works);
	e->works = NULL;
	if (e->job)
		e->parts[e->part].job++;
	e->job = NULL;
}

/* Entries that each cluster has of a command. */
static void add_loads(const struct cost_work *work, uint64_t *loads, unsigned int k)
{
	const struct cost_tile *t = work->tile;
	size_t columns = t ? t->columns : 0, groups = work->groups;

	for (size_t i = 0; i < columns * groups; i++) {
		size_t j = i % (columns ? columns : 1);

		unsigned int lanes = work->split ? (unsigned int)__builtin_popcount(work->live[i]) : work->live[i / 8] >> i % 8 & 1;

		if (!lanes)
			continue;
		if (t->vector && !work->split)
			lanes = EIE_GRANULE_VALUES;
		for (unsigned int c = 0; c < k; c++)
			loads[c] += (uint64_t)lanes * (t->vector ? t->column[j * k + c].steps : t->pointer[j * k + c] >> EIE_PTR_START_BITS);
	}
}

/* A command is about to run. */
static int on_command(struct estimating *e, const struct eie_cmd *cmd, bool restore, uint32_t index, uint32_t ncmds)
{
	struct cost_work unused;
	int ret;

	if (restore)
		return cost_record(&e->recorder, cmd, &unused);
	ret = index == 0 ? begin_job(e) : 0;
	if (!ret && ncmds != e->job->ncmds)
		ret = -EPROTO;
	ret = ret ? ret : cost_record(&e->recorder, cmd, &e->works[e->nworks]);
	if (ret)
		return ret;
	if (e->out->loads)
		add_loads(&e->works[e->nworks], e->out->loads + (e->parts[e->part].first_layer +
			  e->parts[e->part].program->cmd_layer[e->job->first_cmd + index]) * (size_t)e->out->nclusters, e->out->nclusters);
	e->nworks++;
	if (e->nworks < ncmds)
		return 0;
	ret = run_job(e);
	end_job(e);
	return ret;
}

static void observe(void *arg, const struct eie_ref *ref, const struct eie_cmd *cmd, bool restore, uint32_t index, uint32_t ncmds)
{
	struct estimating *e = arg;

	e->recorder.ref = ref;
	if (!e->failed)
		e->failed = on_command(e, cmd, restore, index, ncmds);
}

/* ---------------------------------------------------------------- with an input, without */

static int with_inputs(struct estimating *e, struct accel_program *program, struct accel_error *err)
{
	struct accel_session *session = NULL;
	struct accel_device *device;
	int ret = device_open_params(&program->params, &device, err);

	if (ret)
		return ret;
	accel_ref_observe(device->dev, observe, e);
	ret = accel_session_open(program, device, &session, err);
	for (unsigned int i = 0; !ret && i < accel_model_inputs(program->model); i++)
		ret = accel_session_input(session, i, e->options.inputs[i], err);
	ret = ret ? ret : accel_session_run(session, err);
	accel_session_close(session);
	accel_device_unref(device);
	return ret;
}

/* Pointers and weights of a load; of nothing else has the model need. */
static void load_constants(struct eie_ref *ref, const struct accel_program *p, const struct eie_cmd *cmd)
{
	uint32_t target = CMD_GET(cmd, XFER_TARGET);
	struct ref_buffer *b = &ref->buf[target];

	if (!eie_op_loads(CMD_GET(cmd, OPCODE)) || CMD_GET(cmd, XFER_BASE) != BASE_CONST || (target != EIE_BUF_PBUF && target != EIE_BUF_WBUF))
		return;
	for (uint32_t r = 0; r < CMD_GET(cmd, XFER_ROWS); r++)
		memcpy(ref_granule(b, (size_t)(CMD_GET(cmd, XFER_CLUSTER) + r) * b->depth + CMD_GET(cmd, XFER_ADDR)),
		       p->constants + CMD_GET(cmd, XFER_OFFSET) + (uint64_t)r * CMD_GET(cmd, XFER_MEM_STRIDE),
		       (size_t)CMD_GET(cmd, XFER_LEN) * EIE_GRANULE_BYTES);
}

static int without_inputs(struct estimating *e, const struct accel_program *program)
{
	struct eie_ref *ref;
	int ret = eie_ref_new(&program->params, &ref);

	for (unsigned int i = 0; !ret && i < e->nparts; i++) {
		const struct accel_program *p = e->parts[i].program;

		for (uint32_t c = p->restore_first; c < p->restore_first + p->nrestore; c++) {
			observe(e, ref, &p->cmds[c], true, c - p->restore_first, p->nrestore);
			load_constants(ref, p, &p->cmds[c]);
		}
		for (uint32_t j = 0; j < p->njobs; j++) {
			for (uint32_t c = 0; c < p->jobs[j].ncmds && !e->failed; c++) {
				observe(e, ref, &p->cmds[p->jobs[j].first_cmd + c], false, c, p->jobs[j].ncmds);
				load_constants(ref, p, &p->cmds[p->jobs[j].first_cmd + c]);
			}
		}
	}
	eie_ref_free(ret ? NULL : ref);
	return ret;
}

/* ---------------------------------------------------------------- interface */

/* The programs that have jobs, in the order in which they run. */
static int find_parts(struct estimating *e, const struct accel_program *program)
{
	const struct accel_network *net = program->model->net;
	uint64_t small = FIRST_VA, large = (FIRST_VA / SIMBUS_LARGE_PAGE + 1) * SIMBUS_LARGE_PAGE;
	unsigned int n = net ? net->nnodes : 1, layer = 0;

	e->parts = calloc(n + (size_t)1, sizeof(*e->parts));
	if (!e->parts)
		return -ENOMEM;
	for (unsigned int i = 0; i < n; i++) {
		const struct accel_program *p = net ? program->segments[i] : program;

		if (p && !p->on_cpu) {
			e->parts[e->nparts] = (struct part){ .program = p, .first_layer = layer };
			place_buffers(&e->parts[e->nparts++], &small, &large);
		}
		layer += p ? accel_model_layers(p->model) : 1;
	}
	return 0;
}

static int estimate(struct estimating *e, const struct accel_program *program, struct accel_error *err)
{
	int ret = find_parts(e, program);

	ret = ret ? ret : cost_engine_new(&program->params, &e->engine);
	ret = ret ? ret : warm_up(e);
	if (!ret && e->options.timeline)
		cost_engine_trace(e->engine, add_span, e);
	if (!ret && e->options.inputs)
		/* a session takes a reference, and changes nothing else */
		ret = with_inputs(e, (struct accel_program *)(uintptr_t)program, err);
	else if (!ret && e->nparts)
		ret = without_inputs(e, program);
	end_job(e);
	if (e->failed || (ret && (!e->options.inputs || ret == -ENOMEM || ret == -EDEADLK)))
		ret = accel_fail(err, e->failed ? e->failed : ret, NULL, "the program cannot be estimated: %s", strerror(-(e->failed ? e->failed : ret)));
	return ret;
}

int accel_program_estimate(const struct accel_program *program, const struct accel_estimate_options *options,
			   struct accel_estimate **out, struct accel_error *err)
{
	struct estimating e = { .recorder = { .seed = SEED } };
	int ret;

	if (options)
		memcpy(&e.options, options, options->size < sizeof(e.options) ? options->size : sizeof(e.options));
	if (!(e.options.nonzero >= 0 && e.options.nonzero <= 1))
		return accel_fail(err, -EINVAL, NULL, "nonzero is a share, from 0 to 1");
	if (!e.options.inputs)
		e.recorder.share = e.options.nonzero > 0 ? e.options.nonzero : 1;
	e.out = calloc(1, sizeof(*e.out));
	if (e.out) {
		e.out->nlayers = accel_model_layers(program->model);
		e.out->layers = calloc(e.out->nlayers + (size_t)1, sizeof(*e.out->layers));
	}
	if (e.out && e.options.timeline) {
		e.out->nclusters = program->params.clusters;
		e.out->loads = calloc(e.out->nlayers * (size_t)e.out->nclusters + 1, sizeof(*e.out->loads));
	}
	if (!e.out || !e.out->layers || (e.options.timeline && !e.out->loads)) {
		accel_estimate_free(e.out);
		return accel_fail(err, -ENOMEM, NULL, "out of memory");
	}
	ret = program->on_cpu ? 0 : estimate(&e, program, err);
	cost_recorder_free(&e.recorder);
	cost_engine_free(e.engine);
	free(e.parts);
	if (ret) {
		accel_estimate_free(e.out);
		return ret;
	}
	*out = e.out;
	return 0;
}

void accel_estimate_free(struct accel_estimate *e)
{
	if (!e)
		return;
	free(e->jobs);
	free(e->layers);
	free(e->spans);
	free(e->loads);
	free(e);
}

int accel_estimate_total(const struct accel_estimate *e, struct accel_stats *stats)
{
	*stats = e->total;
	return 0;
}

int accel_estimate_layer(const struct accel_estimate *e, unsigned int index, struct accel_stats *stats)
{
	const struct cost_totals t = { .cycles = index < e->nlayers ? e->layers[index] : (struct cost_cycles){ 0 } };

	if (index >= e->nlayers)
		return -ERANGE;
	*stats = stats_of(&t);
	return 0;
}

int accel_estimate_job(const struct accel_estimate *e, uint64_t index, struct accel_stats *stats)
{
	if (index >= e->njobs)
		return -ERANGE;
	*stats = e->jobs[index];
	return 0;
}

int accel_estimate_span(const struct accel_estimate *e, uint64_t index, struct accel_span *span)
{
	if (index >= e->nspans)
		return -ERANGE;
	*span = e->spans[index];
	return 0;
}

int accel_estimate_cluster(const struct accel_estimate *e, unsigned int layer, unsigned int cluster, uint64_t *entries)
{
	if (!e->loads || layer >= e->nlayers || cluster >= e->nclusters)
		return -ERANGE;
	*entries = e->loads[layer * (size_t)e->nclusters + cluster];
	return 0;
}
