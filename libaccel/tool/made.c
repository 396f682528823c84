// SPDX-License-Identifier: GPL-2.0 OR MIT
#include "made.h"
#include "signals.h"

#include <sys/stat.h>

bool made_same_file(const char *a, const char *b)
{
	struct stat x, y;

	return !stat(a, &x) && !stat(b, &y) && x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

int made_save(const struct accel_model *model, const char *path)
{
	struct accel_error err = { 0 };
	sigset_t before;
	int ret;

	signals_hold(path, &before);
	ret = accel_model_save(model, path, &err);
	signals_release(&before);
	return ret ? fail_accel(path, &err) : EXIT_OK;
}

void made_summary(const struct tool *tool, const char *path, const struct accel_model *model,
		  uint64_t calibrated)
{
	uint64_t weights = 0, nonzeros = 0, float_bytes = 0, on_device = 0, bytes = accel_model_file_bytes(model);
	struct accel_layer_info l;

	for (unsigned int i = 0; !accel_model_layer(model, i, &l); i++) {
		weights += (uint64_t)l.rows * l.cols / l.groups + l.weights;
		nonzeros += l.nonzeros;
		on_device += l.kind != ACCEL_LAYER_OP;
		float_bytes += layer_float_bytes(&l);
	}
	report(tool, "Model", "%s: %u layers, %s weights, density %.2f %%", path,
	       accel_model_layers(model), text_count(weights).s,
	       100.0 * (double)nonzeros / (double)weights);
	report(tool, "Size", "%s, %.1f times smaller than float32 (%s)", text_bytes(bytes).s,
	       (double)float_bytes / (double)bytes, text_bytes(float_bytes).s);
	if (on_device < accel_model_layers(model))
		report(tool, "Device", "%s layers for the engine, the others for the CPU: eie explain %s",
		       text_count(on_device).s, path);
	report_pictures(tool, model);
	if (calibrated && on_device)
		report(tool, "Ranges", "calibrated with %s items", text_count(calibrated).s);
}

/* Given or measured ranges, or none at all. */
static bool calibrated(const struct accel_model *model)
{
	struct accel_tensor_info t;
	bool all = true;

	for (unsigned int i = 0; !accel_model_tensor(model, i, &t); i++)
		all = all && t.calibrated;
	return all;
}

void made_warnings(const struct tool *tool, const char *in, const char *out, const struct accel_model *model,
		   const struct calibration *measured)
{
	if (measured->missing)
		warn(tool, "%s: not all inputs have calibration data; the others got seeded numbers", in);
	if (!measured->n && !calibrated(model))
		warn(tool, "%s: not calibrated: number ranges are guesses from seeded inputs; give typical inputs with --calib", out);
}
