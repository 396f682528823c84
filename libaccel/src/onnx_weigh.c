// SPDX-License-Identifier: GPL-2.0 OR MIT
#include "onnx_weigh.h"

int onnx_weigh(struct accel_model *segment, double *cycles, struct accel_error *err)
{
	struct accel_estimate *estimate = NULL;
	struct accel_program *program = NULL;
	struct accel_device *device = NULL;
	struct accel_stats stats = { 0 };
	int ret = accel_device_open("ref", &device, err);

	ret = ret ? ret : accel_program_compile(segment, device, NULL, &program, err);
	ret = ret ? ret : accel_program_estimate(program, NULL, &estimate, err);
	ret = ret ? ret : accel_estimate_total(estimate, &stats);
	*cycles = (double)stats.cycles;
	accel_estimate_free(estimate);
	accel_program_unref(program);
	accel_device_unref(device);
	return ret;
}
