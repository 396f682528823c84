// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Runs one input through a model and prints the best class: classify MODEL.eie DEVICE < INPUT
 * INPUT is the network's input as raw float32 values; DEVICE is cpu, sim or ref.
 */
#include <accel.h>
#include <stdio.h>
#include <stdlib.h>

int main(int argc, char **argv)
{
	struct accel_model *model = NULL;
	struct accel_device *device = NULL;
	struct accel_program *program = NULL;
	struct accel_session *session = NULL;
	struct accel_tensor_info in, out;
	struct accel_error err = { 0 };
	float *input = NULL, *output = NULL;
	const char *name;
	uint64_t best = 0;
	int status = EXIT_FAILURE;

	if (argc != 3) {
		fprintf(stderr, "usage: classify MODEL.eie DEVICE < INPUT\n");
		return 2;
	}
	if (accel_model_open(argv[1], &model, &err) || accel_device_open(argv[2], &device, &err) ||
	    accel_program_compile(model, device, NULL, &program, &err) ||
	    accel_session_open(program, device, &session, &err))
		goto out;
	accel_model_input(model, 0, &in);
	accel_model_output(model, 0, &out);
	input = calloc(in.count, sizeof(*input));
	output = calloc(out.count, sizeof(*output));
	if (!input || !output || fread(input, sizeof(*input), in.count, stdin) != in.count) {
		snprintf(err.text, sizeof(err.text), "standard input ends too early");
		goto out;
	}
	if (accel_session_input(session, 0, input, &err) || accel_session_run(session, &err) ||
	    accel_session_output(session, 0, output, &err))
		goto out;
	for (uint64_t i = 1; i < out.count; i++)
		best = output[i] > output[best] ? i : best;
	name = accel_model_class(model, (unsigned int)best);
	printf("%s (class %llu), score %g\n", name ? name : "unnamed", (unsigned long long)best,
	       (double)output[best]);
	status = EXIT_SUCCESS;
out:
	if (status)
		fprintf(stderr, "classify: %s\n", err.text);
	free(input);
	free(output);
	accel_session_close(session);
	accel_program_unref(program);
	accel_device_unref(device);
	accel_model_unref(model);
	return status;
}
