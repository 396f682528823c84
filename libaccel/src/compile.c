// SPDX-License-Identifier: GPL-2.0 OR MIT
/* From a model to a program: plan (plan.c), commands (emit.c), constants, maps of inputs and outputs, and what is told about it. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "commands.h"
#include "device.h"
#include "emit.h"
#include "netprogram.h"
#include "window.h"

static int no_memory(struct accel_error *err)
{
	return accel_fail(err, -ENOMEM, NULL, "out of memory while compiling");
}

/* EIE_FEATURE_* that the layers need. */
static uint32_t needs_of(const struct accel_model *model)
{
	uint32_t needs = 0;

	for (unsigned int l = 0; l < model->nlayers; l++) {
		if (model->layers[l].kind == ACCEL_LAYER_CONV)
			needs |= EIE_FEATURE_VECTOR;
		if (accel_layer_pools(&model->layers[l]))
			needs |= EIE_FEATURE_POOL;
		if (model->layers[l].kind == ACCEL_LAYER_MULTIPLY || model->layers[l].kind == ACCEL_LAYER_TABLE)
			needs |= EIE_FEATURE_ELEMENT;
	}
	return needs;
}

static void put_values(uint8_t *to, const int16_t *values, unsigned int n)
{
	for (unsigned int i = 0; i < n; i++) {
		to[2 * i] = (uint8_t)values[i];
		to[2 * i + 1] = (uint8_t)((uint16_t)values[i] >> 8);
	}
}

static int fill_constants(const struct plan *plan, struct accel_program *p)
{
	const struct accel_model *m = plan->model;

	p->constants = calloc(1, p->constant_bytes);
	if (!p->constants)
		return -ENOMEM;
	for (unsigned int l = 0; l < m->nlayers; l++) {
		const struct layer_plan *lp = &plan->layers[l];

		if (lp->image.bytes)
			memcpy(p->constants + lp->image_offset, lp->image.data, lp->image.bytes);
		put_values(p->constants + lp->codebook_offset, m->layers[l].codebook_q, m->layers[l].ncodes);
		if (m->layers[l].table)
			put_values(p->constants + lp->codebook_offset, m->layers[l].table, EIE_TABLE_VALUES);
	}
	return 0;
}

static int fill_io(const struct plan *plan, const unsigned int *tensors, unsigned int n, struct accel_io **out)
{
	struct accel_io *io = calloc(n ? n : 1, sizeof(*io));

	*out = io;
	if (!io)
		return -ENOMEM;
	for (unsigned int i = 0; i < n; i++) {
		const struct tensor_plan *t = &plan->tensors[tensors[i]];
		size_t bytes = plan->model->tensors[tensors[i]].count * sizeof(*io[i].slot);

		io[i] = (struct accel_io){ tensors[i], t->offset, t->item_bytes, malloc(bytes) };
		if (!io[i].slot)
			return -ENOMEM;
		memcpy(io[i].slot, t->slot, bytes);
	}
	return 0;
}

/* FNV-1a, 64 bits. */
static uint64_t hash(uint64_t h, const void *data, size_t bytes)
{
	const uint8_t *p = data;

	for (size_t i = 0; i < bytes; i++)
		h = (h ^ p[i]) * 0x100000001b3u;
	return h;
}

static uint64_t residency_of(const struct accel_program *p)
{
	uint64_t h = 0xcbf29ce484222325u;

	if (!p->nrestore)
		return 0;
	h = hash(h, p->constants, p->constant_bytes);
	h = hash(h, p->cmds + p->restore_first, p->nrestore * sizeof(*p->cmds));
	return h ? h : 1;
}

static char *format(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

static char *format(const char *fmt, ...)
{
	va_list args;
	char *text;
	int n;

	va_start(args, fmt);
	n = vasprintf(&text, fmt, args);
	va_end(args);
	return n < 0 ? NULL : text;
}

static unsigned long long kib(uint64_t bytes)
{
	return (bytes + 1023) / 1024;
}

/* How the lanes take the columns, and what that was decided by. */
static const char *lanes_of(const struct plan *plan, unsigned int l)
{
	const struct conv_plan *conv = &plan->layers[l].conv;

	if (!conv->apart_cycles)
		return "";
	return conv->split ? ", each lane skips its pixel's zeros: fewer cycles by the cost model" :
			     ", lanes together: apart they would wait for weights, by the cost model";
}

/* Whether columns of zero activations are loaded, and what that was decided by. */
static const char *columns_of(const struct layer_plan *lp)
{
	if (!lp->may_select)
		return "";
	return lp->selects ? ", but for columns of zero activations: fewer cycles by the cost model" :
			     ", all columns: without some it would wait for pointers, by the cost model";
}

static char *cut(const struct plan *plan, unsigned int l)
{
	const struct layer_plan *lp = &plan->layers[l];
	uint64_t chip = (uint64_t)plan->params.wbuf * plan->params.clusters * EIE_GRANULE_BYTES;
	uint64_t weights = lp->image.wlen * plan->params.clusters * EIE_GRANULE_BYTES;

	if (plan->model->layers[l].kind == ACCEL_LAYER_CONCAT)
		return format("no copy: %u layers write into one tensor", plan->model->layers[l].nparts);
	if (lp->done_before)
		return format("table of %s, looked up where a convolution leaves its values", plan->model->layers[l].function.name);
	if (plan->segments[lp->segment].element)
		return format("%s, %u x %u batches of %u pixel groups and %u blocks of %u channels",
			      plan->model->layers[l].table ? "table" : "product", plan->batch, lp->conv.batches, lp->conv.groups, lp->conv.chunk_blocks,
			      plan->params.clusters);
	if (plan->segments[lp->segment].pool)
		return format("pooling, %u x %u batches of %u pixel groups and %u blocks of %u channels", plan->batch, lp->conv.batches, lp->conv.groups,
			      lp->conv.chunk_blocks, plan->params.clusters);
	if (plan->segments[lp->segment].conv)
		return format("convolution, %u x %u batches of %u pixel groups, weights streamed in %u chunks (%llu KiB; the chip holds %llu KiB)%s",
			      plan->batch, lp->conv.batches, lp->conv.groups, lp->image.nchunks, kib(weights), kib(chip), lanes_of(plan, l));
	if (lp->resident)
		return format("fully connected, weights resident (%llu KiB of %llu KiB)", kib(weights), kib(chip));
	return format("fully connected, weights streamed in %u chunks (%llu KiB; the chip holds %llu KiB)%s", lp->image.nchunks,
		      kib(weights), kib(chip), columns_of(lp));
}

static char *reason(const struct plan *plan, unsigned int l)
{
	const struct segment *s = &plan->segments[plan->layers[l].segment];
	char *text = cut(plan, l), *longer;

	if (!text || s->out == NO_TENSOR || s->first_layer != l)
		return text;
	longer = format("%s; its output stays on chip", text);
	free(text);
	return longer;
}

static uint64_t pixels_of(const struct accel_layer *layer)
{
	return layer->kind == ACCEL_LAYER_CONV ? window_out_pixels(&layer->window) : 1;
}

static int fill_places(const struct plan *plan, struct accel_program *p)
{
	unsigned int multipliers = p->params.clusters * p->params.lanes;

	for (unsigned int l = 0; l < plan->model->nlayers; l++) {
		const struct layer_plan *lp = &plan->layers[l];
		struct accel_place_info *info = &p->places[l].info;

		p->places[l].reason = reason(plan, l);
		if (!p->places[l].reason)
			return -ENOMEM;
		info->reason = p->places[l].reason;
		info->where = "device";
		info->row_tiles = lp->rows.ntiles;
		info->col_tiles = 1;
		for (uint32_t t = 0; t < lp->rows.ntiles; t++)
			if (lp->image.rows[t].nchunks > info->col_tiles)
				info->col_tiles = lp->image.rows[t].nchunks;
		info->resident = lp->resident;
		info->ideal_cycles = (plan->model->layers[l].nnz * pixels_of(&plan->model->layers[l]) + multipliers - 1) / multipliers;
		info->balance = accel_layer_weighted(&plan->model->layers[l]) ? lp->rows.balance : 1;
	}
	return 0;
}

static int compile_for_engine(const struct plan *plan, struct accel_program *p)
{
	int ret;

	p->constant_bytes = plan->bytes[BASE_CONST];
	p->input_bytes = plan->bytes[BASE_INPUT];
	p->output_bytes = plan->bytes[BASE_OUTPUT];
	p->scratch_bytes = plan->bytes[BASE_SCRATCH];
	ret = fill_constants(plan, p);
	ret = ret ? ret : fill_io(plan, plan->model->inputs, plan->model->ninputs, &p->inputs);
	ret = ret ? ret : fill_io(plan, plan->model->outputs, plan->model->noutputs, &p->outputs);
	ret = ret ? ret : fill_places(plan, p);
	p->residency = ret ? 0 : residency_of(p);
	p->needs = needs_of(plan->model);
	for (unsigned int l = 0; l < plan->model->nlayers; l++)
		p->needs |= plan->layers[l].conv.split ? EIE_FEATURE_SPLIT : 0;
	for (uint32_t i = 0; i < p->ncmds; i++)
		if (CMD_GET(&p->cmds[i], OPCODE) == EIE_OP_SELECT)
			p->needs |= EIE_FEATURE_SELECT;
	return ret;
}

static int places_on_cpu(struct accel_program *p, const char *why)
{
	for (unsigned int l = 0; l < p->model->nlayers; l++) {
		struct accel_place *place = &p->places[l];

		place->reason = strdup(why);
		if (!place->reason)
			return -ENOMEM;
		place->info.where = "cpu";
		place->info.reason = place->reason;
		place->info.row_tiles = place->info.col_tiles = 1;
		place->info.balance = 1;
	}
	return 0;
}

static int new_program(struct accel_model *model, unsigned int batch, struct accel_program **program)
{
	struct accel_program *p = calloc(1, sizeof(*p));

	if (!p)
		return -ENOMEM;
	atomic_init(&p->refs, 1);
	p->model = accel_model_ref(model);
	p->batch = batch;
	p->places = calloc((size_t)accel_model_layers(model) + 1, sizeof(*p->places));
	for (unsigned int l = 0; p->places && l < model->nlayers; l++) {
		p->places[l].layer = strdup(model->layers[l].name);
		p->places[l].info.layer = p->places[l].layer;
		if (!p->places[l].layer)
			goto nomem;
	}
	if (!p->places)
		goto nomem;
	*program = p;
	return 0;
nomem:
	accel_program_unref(p);
	return -ENOMEM;
}

int accel_program_compile(struct accel_model *model, const struct accel_device *device,
			  const struct accel_compile_options *options, struct accel_program **program, struct accel_error *err)
{
	struct accel_compile_options o = { 0 };
	struct plan plan = { 0 };
	struct accel_program *p;
	uint32_t missing;
	char why[128];
	int ret;

	/* A caller built against another version of the header has a shorter or a longer structure. */
	if (options)
		memcpy(&o, options, options->size < sizeof(o) ? options->size : sizeof(o));
	if (!o.batch)
		o.batch = 1;
	if (new_program(model, o.batch, &p))
		return no_memory(err);
	missing = device->backend ? needs_of(model) & ~device->params.features : 0;

	if (model->net) {
		ret = netprogram_compile(p, device, &o, err);
		goto out;
	}
	if (!device->backend) {
		p->on_cpu = true;
		ret = places_on_cpu(p, "the device is the CPU");
	} else if (missing) {
		snprintf(why, sizeof(why), "int16 on the CPU: the segment has %s, and this engine has %s", program_lacks(missing),
			 missing & EIE_FEATURE_VECTOR ? "no vector mode" : "no command for it");
		p->params = device->params;
		p->on_cpu = p->any_device = true;
		ret = places_on_cpu(p, why);
	} else {
		struct accel_error unfit = { 0 };

		p->params = device->params;
		ret = plan_make(model, &device->params, &o, &plan, &unfit);
		if (ret == -E2BIG && needs_of(model)) {
			p->on_cpu = p->any_device = true;
			ret = places_on_cpu(p, unfit.text);
		} else if (ret) {
			if (err)
				*err = unfit;
			goto out;
		} else {
			ret = emit_program(&plan, p, err);
			if (ret)
				goto out;
			ret = compile_for_engine(&plan, p);
		}
	}
	if (ret)
		no_memory(err);
out:
	plan_free(&plan);
	if (ret)
		accel_program_unref(p);
	else
		*program = p;
	return ret;
}
