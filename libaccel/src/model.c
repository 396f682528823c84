// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Life and questions of a model, and the check that everything else relies on. */
#include "graph.h"
#include <eie_hw.h>
#include "netmodel.h"
#include "picture.h"
#include "quant.h"
#include "table.h"
#include "window.h"

#include <errno.h>
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---------------------------------------------------------------- life */

struct accel_model *accel_model_alloc(void)
{
	struct accel_model *model = calloc(1, sizeof(*model));

	if (!model)
		return NULL;
	atomic_init(&model->refs, 1);
	model->picture_scale = 1.0f / 255;
	return model;
}

struct accel_model *accel_model_ref(struct accel_model *model)
{
	if (model)
		atomic_fetch_add_explicit(&model->refs, 1, memory_order_relaxed);
	return model;
}

static void free_classes(char **classes, unsigned int n)
{
	for (unsigned int i = 0; i < n; i++)
		free(classes[i]);
	free(classes);
}

int accel_model_set_classes(struct accel_model *model, unsigned int n, const char *const *names, struct accel_error *err)
{
	char **classes;

	if (n > ACCEL_MAX_CLASSES)
		return accel_fail(err, -EINVAL, NULL, "%u class names; at most %u are possible", n, ACCEL_MAX_CLASSES);
	for (unsigned int i = 0; i < n; i++) {
		int ret = accel_name_check("classes", names[i], -EINVAL, "a class", err);

		if (ret)
			return ret;
	}
	classes = calloc(n ? n : 1, sizeof(*classes));
	for (unsigned int i = 0; classes && i < n; i++) {
		classes[i] = strdup(names[i]);
		if (!classes[i]) {
			free_classes(classes, i);
			classes = NULL;
		}
	}
	if (!classes)
		return accel_fail(err, -ENOMEM, NULL, "no memory for %u class names", n);
	free_classes(model->classes, model->nclasses);
	model->classes = classes;
	model->nclasses = n;
	return 0;
}

int accel_model_set_preprocess(struct accel_model *model, const char *what, const struct accel_preprocess *preprocess, struct accel_error *err)
{
	struct accel_preprocess pre = *preprocess;
	const struct accel_tensor *t;
	int ret;

	if (!model->ninputs)
		return accel_fail(err, -EINVAL, NULL, "%s: preprocessing of pictures, but no input", what);
	t = &model->tensors[model->inputs[0]];
	ret = preprocess_settle(&pre, what, t->ndim, t->dims, err);
	if (ret)
		return ret;
	model->preprocess = pre;
	model->has_preprocess = true;
	return 0;
}

void accel_layer_clear(struct accel_layer *layer)
{
	free(layer->name);
	free(layer->parts);
	free(layer->rowptr);
	free(layer->col);
	free(layer->code);
	free(layer->codebook);
	free(layer->bias);
	free(layer->row_scale);
	free(layer->codebook_q);
	free(layer->bias_q);
	free(layer->mult);
	free(layer->shift);
	free((char *)layer->function.name);
	free(layer->table);
}

void accel_model_unref(struct accel_model *model)
{
	if (!model || atomic_fetch_sub_explicit(&model->refs, 1, memory_order_acq_rel) != 1)
		return;
	for (unsigned int i = 0; i < model->ntensors; i++)
		free(model->tensors[i].name);
	for (unsigned int i = 0; i < model->nlayers; i++)
		accel_layer_clear(&model->layers[i]);
	free_classes(model->classes, model->nclasses);
	free(model->tensors);
	free(model->layers);
	free(model->inputs);
	free(model->outputs);
	net_free(model->net);
	free(model);
}

/* ---------------------------------------------------------------- questions */

unsigned int accel_model_tensors(const struct accel_model *model)
{
	return model->ntensors;
}

unsigned int accel_model_layers(const struct accel_model *model)
{
	return model->net ? netmodel_layers(model->net) : model->nlayers;
}

unsigned int accel_model_inputs(const struct accel_model *model)
{
	return model->ninputs;
}

unsigned int accel_model_outputs(const struct accel_model *model)
{
	return model->noutputs;
}

int accel_model_tensor(const struct accel_model *model, unsigned int index, struct accel_tensor_info *info)
{
	const struct accel_tensor *tensor;

	if (index >= model->ntensors)
		return -ERANGE;
	tensor = &model->tensors[index];
	*info = (struct accel_tensor_info) {
		.name = tensor->name,
		.ndim = tensor->ndim,
		.count = tensor->count,
		.scale = tensor->scale,
		.lo = tensor->lo,
		.hi = tensor->hi,
		.calibrated = tensor->calibrated,
		.dtype = tensor->dtype,
	};
	memcpy(info->dims, tensor->dims, sizeof(info->dims));
	return 0;
}

/* Groups that the weights could be in: the window's, but where channels were taken from elsewhere. */
static uint32_t weight_groups(const struct accel_layer *layer)
{
	if (layer->kind != ACCEL_LAYER_CONV)
		return 1;
	return layer->weight_groups ? layer->weight_groups : layer->window.groups;
}

int accel_model_layer(const struct accel_model *model, unsigned int index, struct accel_layer_info *info)
{
	static const char *const ops[] = {
		[ACCEL_LAYER_FC] = "FC", [ACCEL_LAYER_CONV] = "Conv", [ACCEL_LAYER_MAX_POOL] = "MaxPool", [ACCEL_LAYER_CONCAT] = "Concat",
		[ACCEL_LAYER_AVERAGE_POOL] = "AveragePool", [ACCEL_LAYER_MULTIPLY] = "Mul",
	};
	const struct accel_layer *layer;

	if (model->net)
		return netmodel_layer(model->net, index, info);
	if (index >= model->nlayers)
		return -ERANGE;
	layer = &model->layers[index];
	*info = (struct accel_layer_info) {
		.name = layer->name,
		.kind = layer->kind,
		.activation = layer->activation,
		.input = layer->input,
		.output = layer->output,
		.rows = layer->rows,
		.cols = layer->cols,
		.nonzeros = layer->nnz,
		.code_bits = layer->code_bits,
		.codebook_size = layer->ncodes ? layer->ncodes - 1 : 0,
		/* accel_model_save sets these three and file_bytes of a model that other threads may read */
		.file_bytes_codes = __atomic_load_n(&layer->file_bytes_codes, __ATOMIC_RELAXED),
		.file_bytes_index = __atomic_load_n(&layer->file_bytes_index, __ATOMIC_RELAXED),
		.file_bytes_other = __atomic_load_n(&layer->file_bytes_other, __ATOMIC_RELAXED),
		.groups = weight_groups(layer),
		.op = layer->kind == ACCEL_LAYER_TABLE ? layer->function.name : ops[layer->kind],
	};
	return 0;
}

int accel_model_input(const struct accel_model *model, unsigned int index, struct accel_tensor_info *info)
{
	return index < model->ninputs ? accel_model_tensor(model, model->inputs[index], info) : -ERANGE;
}

int accel_model_output(const struct accel_model *model, unsigned int index, struct accel_tensor_info *info)
{
	return index < model->noutputs ? accel_model_tensor(model, model->outputs[index], info) : -ERANGE;
}

const char *accel_model_class(const struct accel_model *model, unsigned int i)
{
	return i < model->nclasses ? model->classes[i] : NULL;
}

const struct accel_preprocess *accel_model_preprocess(const struct accel_model *model)
{
	return model->has_preprocess ? &model->preprocess : NULL;
}

float accel_model_picture_scale(const struct accel_model *model)
{
	return model->picture_scale;
}

uint64_t accel_model_file_bytes(const struct accel_model *model)
{
	return __atomic_load_n(&model->file_bytes, __ATOMIC_RELAXED);
}

/* ---------------------------------------------------------------- check */

int accel_name_check(const char *file, const char *name, int code, const char *what, struct accel_error *err)
{
	size_t len = name ? strlen(name) : 0;

	if (!len)
		return accel_fail(err, code, NULL, "%s: %s has no name", file, what);
	if (len > ACCEL_MAX_NAME)
		return accel_fail(err, code, name, "%s: %s: the name is longer than %u bytes", file, what, ACCEL_MAX_NAME);
	for (size_t i = 0; i < len; i++)
		if ((unsigned char)name[i] < ' ' || name[i] == 0x7f)
			return accel_fail(err, code, name, "%s: %s '%s': a control character in the name", file, what,
					  name);
	return 0;
}

int accel_csr_check(const char *file, const char *layer, const struct accel_csr *csr, int code, struct accel_error *err)
{
	if (!csr->rows || csr->rows > ACCEL_MAX_DIM || !csr->cols || csr->cols > ACCEL_MAX_DIM)
		return accel_fail(err, code, layer, "%s: layer '%s': %u rows, %u columns; both must be 1 to %u", file, layer,
				  csr->rows, csr->cols, ACCEL_MAX_DIM);
	if (!csr->ncodes || csr->ncodes > 256)
		return accel_fail(err, code, layer, "%s: layer '%s': a codebook of %u values; it must have 1 to 256, the first 0",
				  file, layer, csr->ncodes);
	if (csr->codebook[0] != 0)
		return accel_fail(err, code, layer, "%s: layer '%s': codebook[0] is %g; it must be 0", file, layer,
				  (double)csr->codebook[0]);
	for (unsigned int i = 0; i < csr->ncodes; i++)
		if (!isfinite(csr->codebook[i]))
			return accel_fail(err, code, layer, "%s: layer '%s': codebook[%u] is not a finite number", file, layer, i);
	for (uint32_t r = 0; csr->bias && r < csr->rows; r++)
		if (!isfinite(csr->bias[r]))
			return accel_fail(err, code, layer, "%s: layer '%s': bias[%u] is not a finite number", file, layer, r);
	for (uint32_t r = 0; csr->row_scale && r < csr->rows; r++)
		if (!isfinite(csr->row_scale[r]) || csr->row_scale[r] < FLT_MIN)
			return accel_fail(err, code, layer, "%s: layer '%s': row_scale[%u] is %g; it must be a normal number above 0", file,
					  layer, r, (double)csr->row_scale[r]);

	if (csr->rowptr[0] != 0)
		return accel_fail(err, code, layer, "%s: layer '%s': rowptr[0] is %u; it must be 0", file, layer, csr->rowptr[0]);
	for (uint32_t r = 0; r < csr->rows; r++)
		if (csr->rowptr[r + 1] < csr->rowptr[r] || csr->rowptr[r + 1] >= ACCEL_MAX_NNZ)
			return accel_fail(err, code, layer, "%s: layer '%s': rowptr[%u] is %u after %u; it must not fall and stay below 2^31",
					  file, layer, r + 1, csr->rowptr[r + 1], csr->rowptr[r]);
	for (uint32_t r = 0; r < csr->rows; r++) {
		for (uint32_t i = csr->rowptr[r]; i < csr->rowptr[r + 1]; i++) {
			if (csr->col[i] >= csr->cols)
				return accel_fail(err, code, layer, "%s: layer '%s': row %u has column %u of %u", file, layer, r,
						  csr->col[i], csr->cols);
			if (i > csr->rowptr[r] && csr->col[i] <= csr->col[i - 1])
				return accel_fail(err, code, layer, "%s: layer '%s': row %u has column %u after column %u; sort them, each once",
						  file, layer, r, csr->col[i], csr->col[i - 1]);
			if (!csr->code[i] || csr->code[i] >= csr->ncodes)
				return accel_fail(err, code, layer, "%s: layer '%s': row %u has code %u; it must be 1 to %u", file, layer,
						  r, csr->code[i], csr->ncodes - 1);
		}
	}
	return 0;
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Sorts the names and looks for neighbours that are the same. */
static int check_unique(const char *file, const char *what, const char **names, unsigned int n, struct accel_error *err)
{
	qsort(names, n, sizeof(*names), compare_names);
	for (unsigned int i = 1; i < n; i++)
		if (!strcmp(names[i - 1], names[i]))
			return accel_fail(err, -EBADMSG, names[i], "%s: two %s are named '%s'", file, what, names[i]);
	return 0;
}

static int check_names(const struct accel_model *model, const char *file, struct accel_error *err)
{
	unsigned int n = model->ntensors > model->nlayers ? model->ntensors : model->nlayers;
	const char **names = malloc(n * sizeof(*names));
	int ret = 0;

	if (!names)
		return accel_fail(err, -ENOMEM, NULL, "%s: no memory for %u names", file, n);
	for (unsigned int i = 0; !ret && i < model->ntensors; i++) {
		names[i] = model->tensors[i].name;
		ret = accel_name_check(file, names[i], -EBADMSG, "a tensor", err);
	}
	if (!ret)
		ret = check_unique(file, "tensors", names, model->ntensors, err);
	for (unsigned int i = 0; !ret && i < model->nlayers; i++) {
		names[i] = model->layers[i].name;
		ret = accel_name_check(file, names[i], -EBADMSG, "a layer", err);
	}
	if (!ret)
		ret = check_unique(file, "layers", names, model->nlayers, err);
	free(names);
	return ret;
}

static int check_tensor(const struct accel_tensor *t, const char *file, struct accel_error *err)
{
	uint64_t count = 1;

	if (!t->ndim || t->ndim > ACCEL_MAX_DIMS)
		return accel_fail(err, -EBADMSG, t->name, "%s: tensor '%s': %u dimensions; 1 to %d are allowed", file, t->name,
				  t->ndim, ACCEL_MAX_DIMS);
	for (unsigned int i = 0; i < t->ndim; i++) {
		if (!t->dims[i] || t->dims[i] > ACCEL_MAX_DIM || (count *= t->dims[i]) > ACCEL_MAX_DIM)
			return accel_fail(err, -EBADMSG, t->name, "%s: tensor '%s': dimension %u is %u; a tensor has 1 to %u values",
					  file, t->name, i, t->dims[i], ACCEL_MAX_DIM);
	}
	if (count != t->count)
		return accel_fail(err, -EBADMSG, t->name, "%s: tensor '%s': count is not the product of the dimensions", file,
				  t->name);
	if (!isfinite(t->range_lo) || !isfinite(t->range_hi) || t->range_lo > t->range_hi)
		return accel_fail(err, -EBADMSG, t->name, "%s: tensor '%s': range %g .. %g", file, t->name, (double)t->range_lo,
				  (double)t->range_hi);
	return 0;
}

static int check_tensor_numbers(const struct accel_tensor *t, const char *file, struct accel_error *err)
{
	if (!isfinite(t->scale) || t->scale < FLT_MIN)
		return accel_fail(err, -EBADMSG, t->name, "%s: tensor '%s': scale %g", file, t->name, (double)t->scale);
	if (t->lo > t->hi || t->lo < -32767)
		return accel_fail(err, -EBADMSG, t->name, "%s: tensor '%s': clamp %d .. %d", file, t->name, t->lo, t->hi);
	return 0;
}

/* channels: of the output. */
static int check_window(const struct accel_layer *layer, const struct accel_tensor *in, const struct accel_tensor *out, uint32_t channels,
			const char *file, struct accel_error *err)
{
	const struct accel_window *w = &layer->window;
	int ret = accel_window_check(file, layer->name, w, -EBADMSG, err);

	if (ret)
		return ret;
	if (in->ndim != 3 || in->dims[0] != w->channels || in->dims[1] != w->height ||
	    in->dims[2] != w->width || out->ndim != 3 || out->dims[0] != channels || out->dims[1] != w->out_height ||
	    out->dims[2] != w->out_width)
		return accel_fail(err, -EBADMSG, layer->name, "%s: layer '%s': the window does not fit its %u x %u weights, input and output",
				  file, layer->name, layer->rows, layer->cols);
	return 0;
}

/* Numbers go through as they are: one scale, and the output's clamp lets them all pass. */
static int check_passes(const struct accel_layer *layer, const struct accel_tensor *in, const struct accel_tensor *out, const char *file,
			struct accel_error *err)
{
	if (in->scale == out->scale && in->lo >= out->lo && in->hi <= out->hi && out->lo <= 0 && out->hi >= 0)
		return 0;
	return accel_fail(err, -EBADMSG, layer->name, "%s: layer '%s': scale or clamp of '%s' is not that of its input '%s'", file, layer->name,
			  out->name, in->name);
}

static int check_concat(const struct accel_model *model, const struct accel_layer *layer, const char *file, struct accel_error *err)
{
	const struct accel_tensor *out = &model->tensors[layer->output];
	uint64_t channels = 0;

	for (unsigned int i = 0; i < layer->nparts; i++) {
		const struct accel_tensor *in = &model->tensors[layer->parts[i]];

		if (in->ndim != 3 || out->ndim != 3 || in->dims[1] != out->dims[1] || in->dims[2] != out->dims[2])
			return accel_fail(err, -EBADMSG, layer->name, "%s: layer '%s': '%s' is no image of the size of '%s'", file, layer->name,
					  in->name, out->name);
		channels += in->dims[0];
	}
	if (channels != out->dims[0])
		return accel_fail(err, -EBADMSG, layer->name, "%s: layer '%s': %llu channels are joined to %u", file, layer->name,
				  (unsigned long long)channels, out->dims[0]);
	return 0;
}

static int check_pool(const struct accel_model *model, const struct accel_layer *layer, const char *file, struct accel_error *err)
{
	const struct accel_tensor *in = &model->tensors[layer->input], *out = &model->tensors[layer->output];
	int ret = check_window(layer, in, out, layer->window.channels, file, err);

	if (!ret && layer->window.groups != 1)
		ret = accel_fail(err, -EBADMSG, layer->name, "%s: layer '%s': pooling with a window of %u groups; it has 1", file,
				 layer->name, layer->window.groups);
	return ret;
}

static int check_average_numbers(const struct accel_model *model, const struct accel_layer *layer, const char *file, struct accel_error *err)
{
	const struct accel_tensor *in = &model->tensors[layer->input], *out = &model->tensors[layer->output];

	if (layer->sum_shift > EIE_CMD_VPOOL_SHIFT_MASK)
		return accel_fail(err, -EBADMSG, layer->name, "%s: layer '%s': a sum shifted by %u; 0 to %u are allowed", file, layer->name,
				  layer->sum_shift, EIE_CMD_VPOOL_SHIFT_MASK);
	if (out->lo > accel_average_limit(layer, in->lo < 0 ? in->lo : 0) || out->hi < accel_average_limit(layer, in->hi > 0 ? in->hi : 0))
		return accel_fail(err, -EBADMSG, layer->name, "%s: layer '%s': averages are not clamped to %d .. %d", file, layer->name, out->lo,
				  out->hi);
	return 0;
}

static bool same_size(const struct accel_tensor *a, const struct accel_tensor *b)
{
	return a->ndim == 3 && b->ndim == 3 && a->dims[0] == b->dims[0] && a->dims[1] == b->dims[1] && a->dims[2] == b->dims[2];
}

static int check_multiply(const struct accel_model *model, const struct accel_layer *layer, const char *file, struct accel_error *err)
{
	const struct accel_tensor *a = &model->tensors[layer->parts[0]], *b = &model->tensors[layer->parts[1]], *out = &model->tensors[layer->output];

	if (!same_size(a, out) || (!same_size(b, a) && !accel_is_per_channel(a, b)))
		return accel_fail(err, -EBADMSG, layer->name, "%s: layer '%s': '%s' and '%s' are no images of one size, or the second is no pixel for it", file,
				  layer->name, a->name, b->name);
	return 0;
}

static int check_table(const struct accel_model *model, const struct accel_layer *layer, const char *file, struct accel_error *err)
{
	const struct accel_tensor *in = &model->tensors[layer->input], *out = &model->tensors[layer->output];

	if (!same_size(in, out))
		return accel_fail(err, -EBADMSG, layer->name, "%s: layer '%s': '%s' is no image of the size of '%s'", file, layer->name, out->name, in->name);
	if (!table_knows(layer->function.name))
		return accel_fail(err, -ENOTSUP, layer->name, "%s: layer '%s': the function '%s' is unknown; use a newer library", file, layer->name,
				  layer->function.name);
	if (!table_parameters_ok(&layer->function))
		return accel_fail(err, -EBADMSG, layer->name, "%s: layer '%s': a parameter of %s is not a number", file, layer->name, layer->function.name);
	return 0;
}

static int check_table_numbers(const struct accel_model *model, const struct accel_layer *layer, const char *file, struct accel_error *err)
{
	const struct accel_tensor *out = &model->tensors[layer->output];

	for (unsigned int i = 0; i < EIE_TABLE_VALUES; i++)
		if (layer->table[i] < out->lo || layer->table[i] > out->hi)
			return accel_fail(err, -EBADMSG, layer->name, "%s: layer '%s': value %u of its table is %d, outside the clamp %d .. %d of '%s'", file,
					  layer->name, i, layer->table[i], out->lo, out->hi, out->name);
	return 0;
}

static int check_layer(const struct accel_model *model, const struct accel_layer *layer, const char *file,
		       struct accel_error *err)
{
	const struct accel_tensor *in, *out;
	const char *name = layer->name;
	struct accel_csr csr = {
		.rows = layer->rows,
		.cols = layer->cols,
		.rowptr = layer->rowptr,
		.col = layer->col,
		.code = layer->code,
		.codebook = layer->codebook,
		.ncodes = layer->ncodes,
		.bias = layer->bias,
		.row_scale = layer->row_scale,
	};
	int ret = 0;

	if (accel_layer_pools(layer))
		return check_pool(model, layer, file, err);
	if (layer->kind == ACCEL_LAYER_CONCAT)
		return check_concat(model, layer, file, err);
	if (layer->kind == ACCEL_LAYER_TABLE)
		return check_table(model, layer, file, err);
	if (!accel_layer_rescales(layer))
		return accel_fail(err, -EBADMSG, name, "%s: layer '%s': kind %d is unknown", file, name, (int)layer->kind);
	if (layer->activation > ACCEL_ACT_RELU6)
		return accel_fail(err, -EBADMSG, name, "%s: layer '%s': activation %d is unknown", file, name,
				  (int)layer->activation);
	in = &model->tensors[layer->input];
	out = &model->tensors[layer->output];
	if (layer->kind == ACCEL_LAYER_MULTIPLY)
		return check_multiply(model, layer, file, err);
	if (layer->kind == ACCEL_LAYER_CONV)
		ret = check_window(layer, in, out, layer->rows, file, err);
	else if (in->count != layer->cols || out->count != layer->rows)
		ret = accel_fail(err, -EBADMSG, name, "%s: layer '%s': %u x %u between tensors of %llu and %llu values", file,
				  name, layer->rows, layer->cols, (unsigned long long)out->count,
				  (unsigned long long)in->count);
	if (ret)
		return ret;
	if (layer->weight_groups > WINDOW_CHANNELS_MAX)
		return accel_fail(err, -EBADMSG, name, "%s: layer '%s': weights of %u groups; at most %u are allowed", file, name,
				  layer->weight_groups, WINDOW_CHANNELS_MAX);
	if (layer->code_bits != 4 && layer->code_bits != 8)
		return accel_fail(err, -EBADMSG, name, "%s: layer '%s': codes of %u bits; 4 or 8 are allowed", file, name,
				  layer->code_bits);
	if (layer->ncodes > 1u << layer->code_bits)
		return accel_fail(err, -EBADMSG, name, "%s: layer '%s': %u codebook values for codes of %u bits", file, name,
				  layer->ncodes, layer->code_bits);
	ret = accel_csr_check(file, name, &csr, -EBADMSG, err);
	if (!ret && layer->kind == ACCEL_LAYER_CONV)
		ret = accel_window_csr_check(file, name, &layer->window, &csr, -EBADMSG, err);
	if (ret)
		return ret;
	if (layer->rowptr[layer->rows] != layer->nnz)
		return accel_fail(err, -EBADMSG, name, "%s: layer '%s': rowptr ends at %u, not at %llu non-zeros", file, name,
				  layer->rowptr[layer->rows], (unsigned long long)layer->nnz);
	return 0;
}

/* Codebook of integers, factors and sums. */
static int check_weight_numbers(const struct accel_model *model, const struct accel_layer *layer, const char *file, struct accel_error *err)
{
	const struct accel_tensor *in = &model->tensors[layer->input];
	struct accel_term term[ACCEL_MAX_CODES];
	const char *name = layer->name;

	if (!isfinite(layer->codebook_scale) || layer->codebook_scale <= 0)
		return accel_fail(err, -EBADMSG, name, "%s: layer '%s': codebook scale %g", file, name,
				  (double)layer->codebook_scale);
	if (layer->codebook_q[0] != 0)
		return accel_fail(err, -EBADMSG, name, "%s: layer '%s': integer codebook[0] is not 0", file, name);
	for (unsigned int i = 0; i < layer->ncodes; i++)
		if (layer->codebook_q[i] < -32767)
			return accel_fail(err, -EBADMSG, name, "%s: layer '%s': integer codebook[%u] is %d", file, name, i,
					  layer->codebook_q[i]);
	accel_code_terms(layer, in->lo, in->hi, term);
	for (uint32_t r = 0; r < layer->rows; r++) {
		int64_t lo, hi;

		if (layer->shift[r] < 1 || layer->shift[r] > 47)
			return accel_fail(err, -EBADMSG, name, "%s: layer '%s': row %u has shift %u; 1 to 47 are allowed", file,
					  name, r, layer->shift[r]);
		accel_row_interval(layer, term, r, &lo, &hi);
		if (lo + layer->bias_q[r] < INT32_MIN || hi + layer->bias_q[r] > INT32_MAX)
			return accel_fail(err, -EBADMSG, name, "%s: layer '%s': the sum of row %u may leave 32 bits", file,
					  name, r);
	}
	return 0;
}

/* What is derived, of a layer whose reals are sound. */
static int check_layer_numbers(const struct accel_model *model, const struct accel_layer *layer, const char *file, struct accel_error *err)
{
	const struct accel_tensor *out = &model->tensors[layer->output];
	int ret = 0;

	if (!accel_layer_rescales(layer) && layer->kind != ACCEL_LAYER_AVERAGE_POOL) {
		const unsigned int *inputs;
		unsigned int n = accel_layer_inputs(layer, &inputs);

		for (unsigned int i = 0; !ret && i < n; i++)
			ret = check_passes(layer, &model->tensors[inputs[i]], out, file, err);
		return ret;
	}
	if (layer->kind == ACCEL_LAYER_AVERAGE_POOL)
		return check_average_numbers(model, layer, file, err);
	if (layer->kind == ACCEL_LAYER_TABLE)
		return check_table_numbers(model, layer, file, err);
	if (layer->activation != ACCEL_ACT_NONE && out->lo < 0)
		return accel_fail(err, -EBADMSG, layer->name, "%s: layer '%s': ReLU, but its output goes down to %d", file, layer->name, out->lo);
	if (accel_layer_weighted(layer))
		return check_weight_numbers(model, layer, file, err);
	if (layer->shift[0] < 1 || layer->shift[0] > EIE_SHIFT_MAX)
		return accel_fail(err, -EBADMSG, layer->name, "%s: layer '%s': shift %u; 1 to %u are allowed", file, layer->name, layer->shift[0],
				  EIE_SHIFT_MAX);
	return 0;
}

/* What a layer reads has been made; a part of a concatenation by a layer, and it is no part of another one. */
static int check_inputs(const struct accel_model *model, const struct accel_layer *layer, const bool *made, bool *joined, const char *file,
			struct accel_error *err)
{
	const unsigned int *inputs;
	unsigned int n = accel_layer_inputs(layer, &inputs);

	for (unsigned int i = 0; i < n; i++) {
		if (inputs[i] >= model->ntensors || !made[inputs[i]])
			return accel_fail(err, -EBADMSG, layer->name, "%s: layer '%s' reads tensor %u, which nothing before it makes", file,
					  layer->name, inputs[i]);
		if (layer->kind == ACCEL_LAYER_CONCAT && joined[inputs[i]])
			return accel_fail(err, -EBADMSG, layer->name,
					  "%s: layer '%s' joins '%s', which is an input of the graph or part of a concatenation already", file,
					  layer->name, model->tensors[inputs[i]].name);
		if (layer->kind == ACCEL_LAYER_CONCAT)
			joined[inputs[i]] = true;
	}
	return 0;
}

/* Every tensor is a graph input or comes from one layer, and before its readers. */
static int check_order(const struct accel_model *model, const char *file, struct accel_error *err)
{
	bool *made = calloc(model->ntensors, sizeof(*made));
	bool *is_output = calloc(model->ntensors, sizeof(*is_output));
	bool *joined = calloc(model->ntensors, sizeof(*joined));
	int ret = 0;

	if (!made || !is_output || !joined) {
		ret = accel_fail(err, -ENOMEM, NULL, "%s: no memory for %u tensors", file, model->ntensors);
		goto out;
	}
	for (unsigned int i = 0; i < model->ninputs; i++) {
		unsigned int t = model->inputs[i];

		if (t >= model->ntensors || made[t]) {
			ret = accel_fail(err, -EBADMSG, NULL, "%s: input %u is tensor %u: %s", file, i, t,
					 t >= model->ntensors ? "there is none" : "given twice");
			goto out;
		}
		made[t] = joined[t] = true;
	}
	for (unsigned int i = 0; i < model->noutputs; i++) {
		unsigned int t = model->outputs[i];

		if (t >= model->ntensors || made[t] || is_output[t]) {
			ret = accel_fail(err, -EBADMSG, NULL, "%s: output %u is tensor %u: %s", file, i, t,
					 t >= model->ntensors ? "there is none" : made[t] ? "an input" : "given twice");
			goto out;
		}
		is_output[t] = true;
	}
	for (unsigned int i = 0; i < model->nlayers; i++) {
		const struct accel_layer *layer = &model->layers[i];

		ret = check_inputs(model, layer, made, joined, file, err);
		if (ret)
			goto out;
		if (layer->output >= model->ntensors || made[layer->output]) {
			ret = accel_fail(err, -EBADMSG, layer->name, "%s: layer '%s' writes tensor %u: %s", file, layer->name,
					 layer->output,
					 layer->output >= model->ntensors ? "there is none" : "it has a writer");
			goto out;
		}
		made[layer->output] = true;
	}
	for (unsigned int t = 0; t < model->ntensors; t++) {
		if (!made[t]) {
			ret = accel_fail(err, -EBADMSG, model->tensors[t].name, "%s: no layer writes tensor '%s'", file,
					 model->tensors[t].name);
			goto out;
		}
	}
out:
	free(made);
	free(joined);
	free(is_output);
	return ret;
}

int accel_model_check_reals(const struct accel_model *model, const char *name, struct accel_error *err)
{
	int ret;

	if (!model->ntensors || !model->nlayers || !model->ninputs || !model->noutputs ||
	    model->ntensors > ACCEL_MAX_NODES || model->nlayers > ACCEL_MAX_NODES)
		return accel_fail(err, -EBADMSG, NULL, "%s: %u tensors, %u layers, %u inputs, %u outputs", name,
				  model->ntensors, model->nlayers, model->ninputs, model->noutputs);
	if (!isfinite(model->picture_scale) || model->picture_scale <= 0)
		return accel_fail(err, -EBADMSG, NULL, "%s: picture scale %g", name, (double)model->picture_scale);
	ret = check_names(model, name, err);
	if (!ret)
		ret = check_order(model, name, err);
	for (unsigned int i = 0; !ret && i < model->ntensors; i++)
		ret = check_tensor(&model->tensors[i], name, err);
	for (unsigned int i = 0; !ret && i < model->nlayers; i++)
		ret = check_layer(model, &model->layers[i], name, err);
	if (!ret && model->nclasses && model->nclasses != model->tensors[model->outputs[0]].count)
		ret = accel_fail(err, -EBADMSG, NULL, "%s: %u class names for %llu output values", name, model->nclasses,
				 (unsigned long long)model->tensors[model->outputs[0]].count);
	if (!ret && model->has_preprocess)
		ret = preprocess_check(&model->preprocess, name, model->tensors[model->inputs[0]].ndim,
				       model->tensors[model->inputs[0]].dims, err);
	return ret;
}

int accel_model_check(const struct accel_model *model, const char *name, struct accel_error *err)
{
	int ret;

	if (model->net)
		return netmodel_check(model, name, err);
	ret = accel_model_check_reals(model, name, err);
	for (unsigned int i = 0; !ret && i < model->ntensors; i++)
		ret = check_tensor_numbers(&model->tensors[i], name, err);
	for (unsigned int i = 0; !ret && i < model->nlayers; i++)
		ret = check_layer_numbers(model, &model->layers[i], name, err);
	return ret;
}
