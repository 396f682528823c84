// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Buffers of a program, conversion of inputs and outputs, and runs. */
#include <endian.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "commands.h"
#include "cpu.h"
#include "device.h"
#include "nan.h"
#include "narrow.h"
#include "netprogram.h"
#include "program.h"
#include "sparse.h"

/* One buffer a base, and one for commands, restore commands and base table. */
enum { BUF_COMMANDS = NBASES, NBUFFERS };
_Static_assert(NBUFFERS <= ACCEL_JOB_BUFFERS, "a job lists all buffers of a session");

struct accel_session {
	struct accel_program *program;
	struct accel_device *device;
	struct accel_cpu *cpu;                     /* cpu only */
	struct accel_model *narrow;                /* the integers of the int8 mode, or NULL */
	struct pool *pool;                         /* its threads, if they are not a network's */
	struct netsession *net;                    /* of a network: has sessions of its own for the segments */
	struct accel_buffer buffers[NBUFFERS];
	uint64_t restore_offset, bases_offset;     /* in the command buffer */
	uint64_t *seqs;                            /* [njobs] */
	uint32_t submitted, waited;                /* jobs of the run */
	bool running, finished;                    /* finished: the outputs are those of a good run */
	int failed;                                /* of the run so far, with its text */
	struct accel_error error;
	struct accel_stats stats;
	struct accel_job_info *jobs;               /* [njobs], the first `waited` of which are filled */
};

/* ------------------------------------------------------------------- opening */

static int mismatch(const struct accel_program *p, const struct accel_device *d, struct accel_error *err)
{
	const struct eie_params *a = &p->params, *b = &d->params;

	if (p->on_cpu || !d->backend)
		return accel_fail(err, -EINVAL, NULL, "the program was compiled for %s, the device is %s: compile it for this device",
				  p->on_cpu ? "the CPU" : "the engine", d->backend ? "the engine" : "the CPU");
	if (p->needs & ~b->features)
		return accel_fail(err, -EINVAL, NULL, "the program has %s, device %s:%s has no command for it: compile it for this device",
				  program_lacks(p->needs & ~b->features), d->backend->name, d->config);
	return accel_fail(err, -EINVAL, NULL,
			  "the program was compiled for %ux%u, %u rows, buffers %u/%u/%u/%u granules, ISA %u.%u; device %s:%s has "
			  "%ux%u, %u rows, %u/%u/%u/%u, ISA %u.%u: compile it for this device",
			  a->clusters, a->lanes, a->rows, a->abuf, a->wbuf, a->pbuf, a->rbuf, a->isa_major, a->isa_minor,
			  d->backend->name, d->config, b->clusters, b->lanes, b->rows, b->abuf, b->wbuf, b->pbuf, b->rbuf,
			  b->isa_major, b->isa_minor);
}

static bool matches(const struct accel_program *p, const struct accel_device *d)
{
	const struct eie_params *a = &p->params, *b = &d->params;

	if (p->on_cpu || !d->backend)
		return p->on_cpu && (!d->backend || p->any_device);
	/* Queues, TLB and queue depths change no result, and a newer minor version runs older programs. */
	return a->isa_major == b->isa_major && a->isa_minor <= b->isa_minor && a->clusters == b->clusters &&
	       a->lanes == b->lanes && a->rows == b->rows && a->abuf == b->abuf && a->wbuf == b->wbuf && a->pbuf == b->pbuf &&
	       a->rbuf == b->rbuf && !(p->needs & ~b->features);
}

static int new_buffers(struct accel_session *s, struct accel_error *err)
{
	const struct accel_program *p = s->program;
	const struct accel_backend *backend = s->device->backend;
	size_t commands = (size_t)p->ncmds * EIE_CMD_BYTES;
	const size_t sizes[NBUFFERS] = {
		[BASE_CONST] = p->constant_bytes, [BASE_INPUT] = p->input_bytes, [BASE_OUTPUT] = p->output_bytes,
		[BASE_SCRATCH] = p->scratch_bytes, [BUF_COMMANDS] = commands + NBASES * sizeof(uint64_t),
	};

	for (int b = 0; b < NBUFFERS; b++) {
		bool device_writes = b == BASE_OUTPUT || b == BASE_SCRATCH;
		int ret = sizes[b] ? backend->buffer_new(s->device->dev, sizes[b], device_writes, &s->buffers[b], err) : 0;

		if (ret)
			return ret;
	}

	if (p->constant_bytes)
		memcpy(s->buffers[BASE_CONST].map, p->constants, p->constant_bytes);
	memcpy(s->buffers[BUF_COMMANDS].map, p->cmds, commands);
	s->restore_offset = (uint64_t)p->restore_first * EIE_CMD_BYTES;
	s->bases_offset = commands;
	for (int b = 0; b < NBASES; b++) {
		uint64_t va = htole64(s->buffers[b].va);

		memcpy((uint8_t *)s->buffers[BUF_COMMANDS].map + s->bases_offset + b * sizeof(va), &va, sizeof(va));
	}
	return 0;
}

/* EIE_CPU_THREADS, or 0: as many as there are processors. */
static int cpu_threads(unsigned int *threads, struct accel_error *err)
{
	const char *text = secure_getenv("EIE_CPU_THREADS");
	unsigned long n;
	char *end;

	*threads = 0;
	if (!text)
		return 0;
	n = strtoul(text, &end, 10);
	if (*text < '0' || *text > '9' || *end || n < 1 || n > 64)
		return accel_fail(err, -EINVAL, NULL, "EIE_CPU_THREADS is \"%.32s\"; it must be a number of threads from 1 to 64", text);
	*threads = (unsigned int)n;
	return 0;
}

/* What the kernels get. */
static const struct accel_model *cpu_model(const struct accel_session *s)
{
	return s->narrow ? s->narrow : s->program->model;
}

static int new_cpu(struct accel_session *s, struct pool *pool, struct accel_error *err)
{
	unsigned int threads;
	int ret = s->device->narrow ? narrow_new(s->program->model, &s->narrow, err) : 0;

	if (!ret && !pool) {
		ret = cpu_threads(&threads, err);
		if (ret)
			return ret;
		pool = s->pool = pool_new(threads);
		if (!pool)
			return accel_fail(err, -ENOMEM, NULL, "out of memory");
	}
	return ret ? ret : accel_cpu_new(cpu_model(s), s->program->batch, pool, s->device->portable ? "portable" : NULL, &s->cpu, err);
}

int session_open(struct accel_program *program, struct accel_device *device, struct pool *pool, struct accel_session **session,
		 struct accel_error *err)
{
	struct accel_session *s;
	unsigned int threads;
	int ret;

	if (!matches(program, device))
		return mismatch(program, device, err);
	s = calloc(1, sizeof(*s));
	if (!s)
		return accel_fail(err, -ENOMEM, NULL, "out of memory");
	s->program = accel_program_ref(program);
	s->device = accel_device_ref(device);
	if (program->model->net) {
		ret = cpu_threads(&threads, err);
		ret = ret ? ret : netsession_new(s->program, s->device, threads, &s->net, err);
	} else if (program->on_cpu) {
		ret = new_cpu(s, pool, err);
	} else {
		s->seqs = calloc(program->njobs, sizeof(*s->seqs));
		s->jobs = calloc(program->njobs + (size_t)1, sizeof(*s->jobs));
		ret = s->seqs && s->jobs ? new_buffers(s, err) : accel_fail(err, -ENOMEM, NULL, "out of memory");
	}
	if (ret) {
		accel_session_close(s);
		return ret;
	}
	*session = s;
	return 0;
}

int accel_session_open(struct accel_program *program, struct accel_device *device, struct accel_session **session,
		       struct accel_error *err)
{
	return session_open(program, device, NULL, session, err);
}

void accel_session_close(struct accel_session *s)
{
	if (!s)
		return;
	if (s->running)
		accel_session_wait(s, -1, NULL);
	for (int b = 0; b < NBUFFERS; b++)
		if (s->buffers[b].map)
			s->device->backend->buffer_free(s->device->dev, &s->buffers[b]);
	accel_cpu_free(s->cpu);
	narrow_free(s->narrow);
	pool_free(s->pool);
	netsession_free(s->net);
	free(s->seqs);
	free(s->jobs);
	accel_program_unref(s->program);
	accel_device_unref(s->device);
	free(s);
}

/* ------------------------------------------------------------- inputs, outputs */

/* One item of a graph input or output: where its value i lies. */
struct view {
	int16_t *values;
	const uint32_t *slot;   /* NULL: in order */
};

static struct view view_of(const struct accel_session *s, bool output, unsigned int index, unsigned int item)
{
	const struct accel_model *m = s->program->model;
	const struct accel_io *io;

	if (s->cpu) {
		unsigned int tensor = output ? m->outputs[index] : m->inputs[index];

		return (struct view){ accel_cpu_tensor(s->cpu, tensor) + item * m->tensors[tensor].count, NULL };
	}
	io = output ? &s->program->outputs[index] : &s->program->inputs[index];
	return (struct view){
		(int16_t *)((uint8_t *)s->buffers[output ? BASE_OUTPUT : BASE_INPUT].map + io->offset + item * io->item_bytes),
		io->slot
	};
}

static int16_t *value_at(const struct view *v, uint64_t i)
{
	return v->values + (v->slot ? v->slot[i] : i);
}

static int check_idle(const struct accel_session *s, struct accel_error *err)
{
	return s->running ? accel_fail(err, -EBUSY, NULL, "a run is in flight: wait for it first") : 0;
}

static const struct accel_tensor *input_tensor(const struct accel_session *s, unsigned int index, int *ret,
					       struct accel_error *err)
{
	const struct accel_model *m = s->program->model;

	*ret = check_idle(s, err);
	if (!*ret && index >= m->ninputs)
		*ret = accel_fail(err, -ERANGE, NULL, "no input %u: the model has %u", index, m->ninputs);
	return *ret ? NULL : &m->tensors[m->inputs[index]];
}

static const struct accel_tensor *output_tensor(const struct accel_session *s, unsigned int index, int *ret,
						struct accel_error *err)
{
	const struct accel_model *m = s->program->model;

	*ret = check_idle(s, err);
	if (!*ret && index >= m->noutputs)
		*ret = accel_fail(err, -ERANGE, NULL, "no output %u: the model has %u", index, m->noutputs);
	if (!*ret && !s->finished)
		*ret = accel_fail(err, -ENODATA, NULL, "there are no outputs before a run has finished well");
	return *ret ? NULL : &m->tensors[m->outputs[index]];
}

static int not_quantised(const struct accel_tensor *t, struct accel_error *err)
{
	return accel_fail(err, -EINVAL, t->name, "\"%s\" is not int16: it has no raw values, only reals", t->name);
}

/* A raw value as what runs has it: the int8 mode takes the real that it stands for. */
static int16_t own_value(const struct accel_session *s, unsigned int tensor, int16_t value)
{
	const struct accel_tensor *to = s->narrow ? &s->narrow->tensors[tensor] : NULL;

	return to ? accel_quantised((float)value * s->program->model->tensors[tensor].scale, to->scale, to->lo, to->hi) : value;
}

/* Everything is checked before anything is written, so that a refused call changes nothing. */
int accel_session_input(struct accel_session *s, unsigned int index, const float *data, struct accel_error *err)
{
	int ret;
	const struct accel_tensor *t = input_tensor(s, index, &ret, err);

	if (!t)
		return ret;
	if (s->net)
		return netsession_input(s->net, index, data, err);
	for (uint64_t i = leading_numbers(data, t->count * s->program->batch); i < t->count * s->program->batch; i++)
		if (isnan(data[i]))
			return accel_fail(err, -EDOM, t->name, "input \"%s\": value %llu of item %llu is not a number", t->name,
					  (unsigned long long)(i % t->count), (unsigned long long)(i / t->count));
	for (unsigned int b = 0; b < s->program->batch; b++) {
		struct view v = view_of(s, false, index, b);

		if (s->cpu)
			accel_cpu_quantise(s->cpu, data + b * t->count, &cpu_model(s)->tensors[s->program->model->inputs[index]], v.values);
		else
			for (uint64_t i = 0; i < t->count; i++)
				*value_at(&v, i) = accel_quantised(data[b * t->count + i], t->scale, t->lo, t->hi);
	}
	return 0;
}

int accel_session_sparse(struct accel_session *s, const char *name, const struct accel_sparse *matrix, struct accel_error *err)
{
	int ret = check_idle(s, err);

	ret = ret ? ret : sparse_check(name, matrix, err);
	if (ret)
		return ret;
	if (!s->net)
		return accel_fail(err, -ENOENT, NULL, "no layer multiplies a matrix '%s': such layers are those of ONNX networks", name);
	ret = netsession_sparse(s->net, s->device, name, matrix, err);
	s->finished = s->finished && ret;
	return ret;
}

int accel_session_input_raw(struct accel_session *s, unsigned int index, const int16_t *data, struct accel_error *err)
{
	int ret;
	const struct accel_tensor *t = input_tensor(s, index, &ret, err);

	if (!t)
		return ret;
	if (s->net)
		return not_quantised(t, err);
	for (uint64_t i = 0; i < t->count * s->program->batch; i++)
		if (data[i] < t->lo || data[i] > t->hi)
			return accel_fail(err, -ERANGE, t->name, "input \"%s\": value %llu of item %llu is %d, outside [%d, %d]", t->name,
					  (unsigned long long)(i % t->count), (unsigned long long)(i / t->count), data[i], t->lo,
					  t->hi);
	for (unsigned int b = 0; b < s->program->batch; b++) {
		struct view v = view_of(s, false, index, b);

		for (uint64_t i = 0; i < t->count; i++)
			*value_at(&v, i) = own_value(s, s->program->model->inputs[index], data[b * t->count + i]);
	}
	return 0;
}

int accel_session_output(struct accel_session *s, unsigned int index, float *data, struct accel_error *err)
{
	int ret;
	const struct accel_tensor *t = output_tensor(s, index, &ret, err);

	if (t && s->net) {
		netsession_output(s->net, index, data);
		return 0;
	}
	for (unsigned int b = 0; t && b < s->program->batch; b++) {
		struct view v = view_of(s, true, index, b);

		for (uint64_t i = 0; i < t->count; i++)
			data[b * t->count + i] = (float)*value_at(&v, i) * t->scale;
	}
	return ret;
}

int accel_session_output_raw(struct accel_session *s, unsigned int index, int16_t *data, struct accel_error *err)
{
	int ret;
	const struct accel_tensor *t = output_tensor(s, index, &ret, err);

	if (t && s->net)
		return not_quantised(t, err);
	for (unsigned int b = 0; t && b < s->program->batch; b++) {
		struct view v = view_of(s, true, index, b);

		for (uint64_t i = 0; i < t->count; i++)
			data[b * t->count + i] = *value_at(&v, i);
	}
	return ret;
}

/* -------------------------------------------------------------------- runs */

/* The CPU has the buffers while no run is in flight. */
static int change_hands(struct accel_session *s, bool device, struct accel_error *err)
{
	const struct accel_backend *backend = s->device->backend;
	int ret = 0;

	for (int b = 0; b < NBUFFERS && backend && backend->buffer_owner && !ret; b++)
		if (s->buffers[b].map)
			ret = backend->buffer_owner(s->device->dev, &s->buffers[b], device, err);
	return ret;
}

int accel_session_submit(struct accel_session *s, struct accel_error *err)
{
	const struct accel_program *p = s->program;
	const struct accel_buffer *used[NBUFFERS];
	unsigned int nused = 0;
	int ret = check_idle(s, err);

	if (ret)
		return ret;
	memset(&s->stats, 0, sizeof(s->stats));
	s->finished = false;
	s->failed = 0;
	s->submitted = s->waited = 0;
	if (s->net) {
		/* the operators run in the caller's thread and the pool's; a failure is told here */
		ret = netsession_run(s->net, err);
		s->running = !ret;
		return ret;
	}
	s->running = true;
	if (s->cpu) {
		accel_cpu_run(s->cpu, !s->narrow, &s->stats.saturated);
		return 0;
	}
	for (int b = 0; b < NBUFFERS; b++)
		if (s->buffers[b].map)
			used[nused++] = &s->buffers[b];
	ret = change_hands(s, true, err);
	for (uint32_t j = 0; j < p->njobs && !ret; j++) {
		const struct accel_job job = {
			.buffers = used,
			.nbuffers = nused,
			.commands = &s->buffers[BUF_COMMANDS],
			.cmd_offset = (uint64_t)p->jobs[j].first_cmd * EIE_CMD_BYTES,
			.restore_offset = s->restore_offset,
			.bases_offset = s->bases_offset,
			.ncmds = p->jobs[j].ncmds,
			.nrestore = p->nrestore,
			.nbases = NBASES,
			.residency = p->residency,
		};

		ret = s->device->backend->submit(s->device->dev, &job, &s->seqs[j], err);
		s->submitted += !ret;
	}
	if (!ret)
		return 0;
	/* What was submitted before must not run under the next one's feet; the caller has the text of the failure. */
	accel_session_wait(s, -1, NULL);
	return ret;
}

static void job_failed(struct accel_session *s, uint32_t j, const struct eie_cpl *cpl)
{
	const struct accel_program *p = s->program;
	const struct accel_program_job *job = &p->jobs[j];
	uint32_t status = le32toh(cpl->status), fault = le32toh(cpl->fault_cmd);
	uint32_t index = fault >> EIE_CPL_FAULT_INDEX_SHIFT & EIE_CPL_FAULT_INDEX_MASK;
	bool restore = fault >> EIE_CPL_FAULT_RESTORE_SHIFT & EIE_CPL_FAULT_RESTORE_MASK;
	bool valid = fault >> EIE_CPL_FAULT_VALID_SHIFT & EIE_CPL_FAULT_VALID_MASK;
	uint64_t address = le64toh(cpl->fault_addr);
	const char *layer;

	valid = valid && index < (restore ? p->nrestore : job->ncmds);
	if (!valid) {
		layer = p->model->layers[job->layer_first].name;
		s->failed = accel_fail(&s->error, -EIO, layer,
				       "job %u of %u (layers \"%s\" to \"%s\") ended with %s (%u), device address 0x%llx", j + 1, p->njobs,
				       layer, p->model->layers[job->layer_last].name, eie_status_name(status), status,
				       (unsigned long long)address);
		return;
	}
	index += restore ? p->restore_first : job->first_cmd;
	layer = p->model->layers[p->cmd_layer[index]].name;
	s->failed = accel_fail(&s->error, -EIO, layer,
			       "job %u of %u ended with %s (%u) at %scommand %u (%s) of layer \"%s\", device address 0x%llx", j + 1,
			       p->njobs, eie_status_name(status), status, restore ? "restore " : "",
			       index - (restore ? p->restore_first : job->first_cmd), eie_op_name(CMD_GET(&p->cmds[index], OPCODE)),
			       layer, (unsigned long long)address);
}

static void add_job(struct accel_session *s, uint32_t j, const struct eie_cpl *cpl)
{
	const struct accel_program_job *job = &s->program->jobs[j];
	struct accel_job_info *info = &s->jobs[j];
	struct accel_stats *t = &info->stats;
	uint64_t multipliers = s->program->params.clusters * s->program->params.lanes;

	*info = (struct accel_job_info){ .start = le64toh(cpl->time_start), .end = le64toh(cpl->time_end), .first_layer = job->layer_first,
					 .last_layer = job->layer_last };
	t->jobs++;
	t->cycles += le32toh(cpl->cycles);
	t->busy += le32toh(cpl->busy);
	t->engine_cycles += le32toh(cpl->engine_cycles);
	t->macs += le64toh(cpl->macs);
	t->saturated += le32toh(cpl->saturated);
	t->stall_drain += le32toh(cpl->stall_drain);
	t->stall_array += le32toh(cpl->stall_array);
	t->stall_load += le32toh(cpl->stall_load);
	t->stall_store += le32toh(cpl->stall_store);
	t->stall_sync += le32toh(cpl->stall_sync);
	t->stall_cmd += le32toh(cpl->stall_cmd);
	t->stall_front += le32toh(cpl->stall_front);
	t->stall_tail += le32toh(cpl->stall_tail);
	t->read_beats += le32toh(cpl->read_beats);
	t->write_beats += le32toh(cpl->write_beats);
	t->tlb_misses += le32toh(cpl->tlb_misses);
	t->commands += le32toh(cpl->commands);
	t->restores += le32toh(cpl->restored);
	/* A job's multiplications, perfectly spread: counting them a layer and item would need the activations. */
	t->ideal_cycles += (le64toh(cpl->macs) + multipliers - 1) / multipliers;
	accel_stats_add(&s->stats, t);
}

int accel_session_job(const struct accel_session *s, uint64_t index, struct accel_job_info *info)
{
	if (s->net)
		return netsession_job(s->net, index, info);
	if (s->running || index >= s->waited)
		return -ERANGE;
	*info = s->jobs[index];
	return 0;
}

static int64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

int accel_session_wait(struct accel_session *s, int64_t timeout_ns, struct accel_error *err)
{
	int64_t end = timeout_ns < 0 ? 0 : now_ns() + timeout_ns;
	struct accel_error late = { 0 };
	int ret;

	if (!s->running)
		return accel_fail(err, -EINVAL, NULL, "no run was submitted");
	for (; s->waited < s->submitted; s->waited++) {
		int64_t left = timeout_ns < 0 ? -1 : end - now_ns();
		struct eie_cpl cpl;

		ret = s->device->backend->wait(s->device->dev, s->seqs[s->waited], timeout_ns < 0 ? -1 : left < 0 ? 0 : left, &cpl,
					       err);
		if (ret == -ETIMEDOUT)
			return ret;
		if (ret) {
			/* The device is gone; nothing of this run will end. */
			s->running = false;
			return ret;
		}
		add_job(s, s->waited, &cpl);
		if (cpl.status && !s->failed)
			job_failed(s, s->waited, &cpl);
	}
	s->running = false;
	ret = change_hands(s, false, &late);
	if (ret && !s->failed) {
		s->failed = ret;
		s->error = late;
	}
	s->finished = !s->failed && (s->cpu || s->net || s->submitted == s->program->njobs);
	if (s->failed && err)
		*err = s->error;
	return s->failed;
}

int accel_session_run(struct accel_session *s, struct accel_error *err)
{
	int ret = accel_session_submit(s, err);

	return ret ? ret : accel_session_wait(s, -1, err);
}

int accel_session_stats(const struct accel_session *s, struct accel_stats *stats)
{
	*stats = s->stats;
	if (s->net)
		netsession_stats(s->net, stats);
	else if (s->cpu)
		stats->macs = accel_cpu_products(s->cpu);
	return 0;
}
