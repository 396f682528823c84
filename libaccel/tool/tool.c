// SPDX-License-Identifier: GPL-2.0 OR MIT
#include "args.h"
#include "classes.h"
#include "sparse_set.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

int fail(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	fputs("eie: ", stderr);
	vfprintf(stderr, fmt, args);
	fputc('\n', stderr);
	va_end(args);
	return EXIT_FAILED;
}

int fail_accel(const char *what, const struct accel_error *err)
{
	const char *text = err->text[0] ? err->text : strerror(-err->code);

	if (what && strstr(text, what))
		what = NULL;
	if (err->layer[0] && !strstr(text, err->layer))
		return fail("%s%s%s: %s", what ? what : "", what ? ": " : "", err->layer, text);
	return fail("%s%s%s", what ? what : "", what ? ": " : "", text);
}

void warn(const struct tool *tool, const char *fmt, ...)
{
	va_list args;

	if (tool->verbosity < 0)
		return;
	va_start(args, fmt);
	fputs("eie: warning: ", stderr);
	vfprintf(stderr, fmt, args);
	fputc('\n', stderr);
	va_end(args);
}

void detail(const struct tool *tool, const char *fmt, ...)
{
	va_list args;

	if (tool->verbosity < 1)
		return;
	va_start(args, fmt);
	fputs("eie: ", stderr);
	vfprintf(stderr, fmt, args);
	fputc('\n', stderr);
	va_end(args);
}

void report(const struct tool *tool, const char *label, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	printf("%s%-13s%s", tool->bold, label, tool->reset);
	vprintf(fmt, args);
	putchar('\n');
	va_end(args);
}

void report_pictures(const struct tool *tool, const struct accel_model *model)
{
	const struct accel_preprocess *p = accel_model_preprocess(model);
	char size[64] = "of the input's size";

	if (!p)
		return;
	if (p->resize == ACCEL_RESIZE_SHORTER)
		snprintf(size, sizeof(size), "shorter side to %" PRIu32 ", centre cut out", p->size);
	else if (p->resize == ACCEL_RESIZE_STRETCH)
		snprintf(size, sizeof(size), "stretched to the input's size");
	report(tool, "Pictures", "%s; %s, minus %g, %g, %g, times %.4g, %.4g, %.4g", size, p->bgr ? "BGR" : "RGB", (double)p->mean[0],
	       (double)p->mean[1], (double)p->mean[2], (double)p->scale[0], (double)p->scale[1], (double)p->scale[2]);
}

int column_width(int wide, const char *name)
{
	int len = (int)strnlen(name, 40);

	return len > wide ? len : wide;
}

struct text text_count(uint64_t n)
{
	struct text t;
	char digits[24];
	size_t len = (size_t)snprintf(digits, sizeof(digits), "%" PRIu64, n), at = 0;

	for (size_t i = 0; i < len; i++) {
		if (i && (len - i) % 3 == 0)
			t.s[at++] = ',';
		t.s[at++] = digits[i];
	}
	t.s[at] = 0;
	return t;
}

struct text text_time(double seconds)
{
	struct text t;

	if (seconds < 1e-3)
		snprintf(t.s, sizeof(t.s), "%.1f us", 1e6 * seconds);
	else if (seconds < 1)
		snprintf(t.s, sizeof(t.s), "%.2f ms", 1e3 * seconds);
	else
		snprintf(t.s, sizeof(t.s), "%.2f s", seconds);
	return t;
}

struct text text_bytes(uint64_t n)
{
	static const char *const unit[] = { "KiB", "MiB", "GiB", "TiB" };
	struct text t;
	double v = (double)n / 1024;
	unsigned int u = 0;

	if (n < 1024) {
		snprintf(t.s, sizeof(t.s), "%u bytes", (unsigned int)n);
		return t;
	}
	for (; v >= 1024 && u < 3; u++)
		v /= 1024;
	snprintf(t.s, sizeof(t.s), "%.1f %s", v, unit[u]);
	return t;
}

struct text text_shape(const struct accel_tensor_info *tensor)
{
	struct text t = { "[" };
	size_t at = 1;

	/* ACCEL_MAX_DIMS numbers of 32 bits can exceed the text: the last ones are then cut off */
	if (!tensor->ndim)
		return (struct text){ "one number" };
	for (unsigned int i = 0; i < tensor->ndim && at < sizeof(t.s) - 1; i++)
		at += (size_t)snprintf(t.s + at, sizeof(t.s) - at, "%s%" PRIu32, i ? ", " : "",
				       tensor->dims[i]);
	if (at < sizeof(t.s) - 1)
		strcpy(t.s + at, "]");
	return t;
}

bool has_suffix(const char *name, const char *suffix)
{
	size_t n = strlen(name), s = strlen(suffix);

	return n >= s && !strcasecmp(name + n - s, suffix);
}

static double seconds(clockid_t clock)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec * 1e-9;
}

double seconds_wall(void)
{
	return seconds(CLOCK_MONOTONIC);
}

double seconds_cpu(void)
{
	return seconds(CLOCK_PROCESS_CPUTIME_ID);
}

/* "NAME=..." -> what follows the last '=': names of tensors may hold one. */
static const char *split_name(const char *word, char **name)
{
	const char *eq = strrchr(word, '=');

	if (!eq || eq == word || !eq[1]) {
		fail("'%s' is not NAME=VALUE", word);
		return NULL;
	}
	*name = strndup(word, (size_t)(eq - word));
	if (!*name)
		fail("out of memory");
	return *name ? eq + 1 : NULL;
}

/* "1,3,48,320" */
static int parse_shape(const char *word, const char *text, uint32_t *dims, unsigned int *ndim)
{
	*ndim = 0;
	for (;;) {
		char *end;
		unsigned long v;

		errno = 0;
		v = strtoul(text, &end, 10);
		if (text[0] < '0' || text[0] > '9' || errno || !v || v > 1 << 24 || (*end && *end != ','))
			return fail("--shape %s: '%s' is not a list of sizes", word, text);
		if (*ndim == ACCEL_MAX_DIMS)
			return fail("--shape %s: more than %d dimensions", word, ACCEL_MAX_DIMS);
		dims[(*ndim)++] = (uint32_t)v;
		if (!*end)
			return EXIT_OK;
		text = end + 1;
	}
}

/* One word of --shape or --fix each; what was parsed is freed by the caller in any case. */
struct parsed {
	struct accel_onnx_shape *shape;
	uint32_t (*dims)[ACCEL_MAX_DIMS];
	struct accel_onnx_fixed *fixed;
	char **names;
	unsigned int nnames;
};

static int parse_all(const struct onnx_args *onnx, struct parsed *p)
{
	unsigned int nshapes = onnx->shapes ? onnx->shapes->n : 0, nfixed = onnx->fixed ? onnx->fixed->n : 0;

	p->shape = calloc(nshapes + 1u, sizeof(*p->shape));
	p->dims = calloc(nshapes + 1u, sizeof(*p->dims));
	p->fixed = calloc(nfixed + 1u, sizeof(*p->fixed));
	p->names = calloc(nshapes + nfixed + 1u, sizeof(*p->names));
	if (!p->shape || !p->dims || !p->fixed || !p->names)
		return fail("out of memory");
	for (unsigned int i = 0; i < nshapes; i++) {
		const char *text = split_name(onnx->shapes->item[i], &p->names[p->nnames]);
		int status;

		if (!text)
			return EXIT_FAILED;
		status = parse_shape(onnx->shapes->item[i], text, p->dims[i], &p->shape[i].ndim);
		if (status)
			return status;
		p->shape[i].input = p->names[p->nnames++];
		p->shape[i].dims = p->dims[i];
	}
	for (unsigned int i = 0; i < nfixed; i++) {
		const char *text = split_name(onnx->fixed->item[i], &p->names[p->nnames]);
		char *end;

		if (!text)
			return EXIT_FAILED;
		p->fixed[i].input = p->names[p->nnames++];
		p->fixed[i].value = strtod(text, &end);
		if (end == text || *end)
			return fail("--fix %s: '%s' is not a number", onnx->fixed->item[i], text);
	}
	return EXIT_OK;
}

/* A network that is imported while it is opened. */
static int open_onnx(const char *path, const struct onnx_args *onnx, struct accel_model **model)
{
	struct accel_onnx_options options = { .size = sizeof(options) };
	const char *wish = onnx->preprocess ? *onnx->preprocess : NULL;
	const char *classes_path = onnx->classes ? *onnx->classes : NULL;
	struct accel_preprocess preprocess;
	struct classes classes = { 0 };
	struct accel_error err = { 0 };
	struct sparse_set sparse = { 0 };
	struct parsed p = { 0 };
	int status = parse_all(onnx, &p), ret;

	if (!status)
		status = sparse_set_read(onnx->sparse, &sparse);

	if (!status && wish && accel_preprocess_parse(wish, &preprocess, &err))
		status = fail_accel("--preprocess", &err);
	if (!status && classes_path)
		status = classes_read(classes_path, &classes);
	if (!status) {
		options.shapes = p.shape;
		options.nshapes = onnx->shapes ? onnx->shapes->n : 0;
		options.fixed = p.fixed;
		options.nfixed = onnx->fixed ? onnx->fixed->n : 0;
		options.sparse = sparse.item;
		options.nsparse = sparse.n;
		options.calib_inputs = onnx->calib;
		options.ncalib = onnx->ncalib;
		options.calib_method = onnx->method;
		options.calib_percentile = onnx->percentile;
		options.calib_report = onnx->report;
		options.calib_report_arg = onnx->report_arg;
		options.float_convolutions = onnx->float_conv;
		options.weights = onnx->weights;
		options.rounded = onnx->rounded;
		options.rounded_arg = onnx->rounded_arg;
		options.preprocess = wish ? &preprocess : NULL;
		options.nclasses = classes.n;
		options.classes = (const char *const *)classes.name;
		if (onnx->compress)
			ret = accel_model_compress(path, &options, onnx->compress, model, &err);
		else if (has_suffix(path, ".net"))
			ret = accel_model_from_net(path, onnx->graph ? *onnx->graph : NULL, &options, model, &err);
		else
			ret = accel_model_from_onnx(path, &options, model, &err);
		if (ret)
			status = fail_accel(path, &err);
	}
	/* the last name may be of a word that was refused */
	for (unsigned int i = 0; p.names && p.names[i]; i++)
		free(p.names[i]);
	sparse_set_free(&sparse);
	classes_free(&classes);
	free(p.names);
	free(p.shape);
	free(p.dims);
	free(p.fixed);
	return status;
}

void onnx_args_free(const struct onnx_args *onnx)
{
	free(onnx->shapes->item);
	free(onnx->fixed->item);
	free(onnx->sparse->item);
}

int open_model(const char *path, const struct onnx_args *onnx, struct accel_model **model)
{
	static const struct onnx_args none;
	struct accel_error err = { 0 };

	if (has_suffix(path, ".onnx") || has_suffix(path, ".net"))
		return open_onnx(path, onnx ? onnx : &none, model);
	if (onnx && ((onnx->shapes && onnx->shapes->n) || (onnx->fixed && onnx->fixed->n)))
		return fail("%s: --shape and --fix are for ONNX files; this model's shapes are fixed", path);
	if (onnx && onnx->sparse && onnx->sparse->n && !onnx->sparse_later)
		return fail("%s: --sparse is for ONNX files; eie run takes it for this one, too", path);
	if (onnx && ((onnx->preprocess && *onnx->preprocess) || (onnx->classes && *onnx->classes)))
		return fail("%s: --preprocess and --classes are for importing; this model says itself how pictures become inputs", path);
	if (has_suffix(path, ".npz"))
		return fail("%s: weights must be imported first: eie import %s -o MODEL.eie", path,
			    path);
	if (accel_model_open(path, model, &err))
		return fail_accel(path, &err);
	return EXIT_OK;
}

int open_device(const char *spec, struct accel_device **device)
{
	struct accel_error err = { 0 };

	if (accel_device_open(spec, device, &err))
		return fail_accel(spec, &err);
	return EXIT_OK;
}

int open_reference(const struct accel_device *device, struct accel_device **reference)
{
	struct accel_error err = { 0 };

	if (accel_device_open_reference(device, reference, &err))
		return fail_accel("ref", &err);
	return EXIT_OK;
}

struct text text_device(const struct accel_device_info *info)
{
	struct text t;

	snprintf(t.s, sizeof(t.s), "%s%s%s", info->backend, info->config[0] ? ":" : "",
		 info->config);
	return t;
}

uint64_t default_batch(const struct accel_model *model)
{
	struct accel_tensor_info t;

	accel_model_output(model, 0, &t);
	return t.dtype == ACCEL_DTYPE_INT16 ? 64 : 1;
}

size_t value_bytes(const struct accel_tensor_info *tensor)
{
	return tensor->dtype == ACCEL_DTYPE_INT16 ? sizeof(int16_t) : sizeof(float);
}

double value_at(const struct accel_tensor_info *tensor, const void *values, uint64_t i)
{
	if (tensor->dtype == ACCEL_DTYPE_INT16)
		return ((const int16_t *)values)[i] * (double)tensor->scale;
	return (double)((const float *)values)[i];
}

const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash && slash[1] ? slash + 1 : path;
}

uint64_t layer_float_bytes(const struct accel_layer_info *layer)
{
	return 4 * ((uint64_t)layer->rows * layer->cols / layer->groups + layer->rows + layer->weights);
}
