// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * ONNX files as far as a run, and as an .eie file and back, when that is quick. The file's size chooses whether passes and placement run.
 * What the importer takes must satisfy its own check, and what the writer writes the reader must take.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "container.h"
#include "netmodel.h"
#include "netrun.h"
#include "onnx.h"
#include "onnx_place.h"

#define QUICK ((uint64_t)1 << 20)   /* steps of a run, bytes of its values */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(int ret)
{
	if (ret && ret != -ENOMEM)
		abort();
}

static bool quick(const struct accel_network *net)
{
	uint64_t work = 0, bytes = 0;

	for (unsigned int n = 0; n < net->nnodes; n++)
		work += net->nodes[n].work;
	for (unsigned int v = 0; v < net->nvalues; v++)
		bytes += net->values[v].count * 8;
	return work < QUICK && bytes < QUICK;
}

/* The file that the writer makes of the model, read again. */
static void round_trip(struct accel_network *net)
{
	struct accel_model *model, *again;
	size_t size;
	void *file;

	/* inputs and outputs may be too large for a model */
	if (netmodel_new(net, &model, NULL))
		return;
	must(eie_encode(model, &file, &size, NULL, NULL));
	must(accel_model_load(file, size, "again", &again, NULL));
	free(file);
	accel_model_unref(again);
	accel_model_unref(model);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct onnx_options options = { .max_bytes = 4 << 20, .max_fold_work = QUICK };
	const struct placement how = { .conv = size & 4, .linear = size & 8 };
	struct accel_network *net;
	struct netrun *run;

	options.keep = size & 1;
	if (onnx_load(data, size, "fuzz", NULL, &options, &net, NULL))
		return 0;
	/* a network without inputs or outputs is not one, and the importer leaves that to the check */
	if (!net->ninputs || !net->noutputs) {
		net_free(net);
		return 0;
	}
	must(net_check(net, NULL));
	if (!quick(net)) {
		net_free(net);
		return 0;
	}
	must(netrun_new(net, 2, 1, NULL, NULL, &run, NULL));
	must(netrun_run(run, NULL));
	netrun_free(run);
	/* ranges may not fit: then there is no placement */
	if (!(size & 2) && onnx_place(net, &how, NULL, NULL)) {
		net_free(net);
		return 0;
	}
	round_trip(net);
	return 0;
}
