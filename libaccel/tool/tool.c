// SPDX-License-Identifier: GPL-2.0 OR MIT
#include "tool.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
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

int open_model(const char *path, struct accel_model **model)
{
	struct accel_error err = { 0 };

	if (has_suffix(path, ".onnx") || has_suffix(path, ".net"))
		return fail(
			"%s: %s models are not in this version: give an .eie file (made by eie import from an .npz)",
			path, has_suffix(path, ".onnx") ? "ONNX" : "Deep Compression .net");
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

struct text text_device(const struct accel_device_info *info)
{
	struct text t;

	snprintf(t.s, sizeof(t.s), "%s%s%s", info->backend, info->config[0] ? ":" : "",
		 info->config);
	return t;
}

const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash && slash[1] ? slash + 1 : path;
}

uint64_t layer_float_bytes(const struct accel_layer_info *layer)
{
	return 4 * ((uint64_t)layer->rows * layer->cols + layer->rows);
}
