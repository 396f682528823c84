// SPDX-License-Identifier: GPL-2.0 OR MIT
#include "import.h"

int accel_model_from_onnx(const char *path, const struct accel_onnx_options *options, struct accel_model **model,
			  struct accel_error *err)
{
	const struct accel_onnx_options o = import_copy(options);
	struct accel_network *net = NULL;
	struct import_lists lists;
	struct onnx_options import;
	int ret = import_options(&o, &lists, &import, err);

	ret = ret ? ret : onnx_open(path, &import, &net, err);
	import_lists_free(&lists);
	return ret ? ret : import_finish(net, path, &o, model, err);
}
