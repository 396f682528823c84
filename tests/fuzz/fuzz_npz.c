// SPDX-License-Identifier: GPL-2.0 OR MIT
/* .npz archives, as far as a finished model when it is small enough to be quick. Checksums of stored members are made right first. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>
#include "graph.h"
#include "npz.h"

#define QUICK 65536   /* values of a tensor */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint32_t get(const uint8_t *p, unsigned int bytes)
{
	uint32_t value = 0;

	memcpy(&value, p, bytes);
	return value;
}

/* Walks what looks like central directory entries (PKWARE APPNOTE 4.3.12) and their local headers (4.3.7). */
static void fix_checksums(uint8_t *zip, size_t size)
{
	for (size_t i = 0; i + 46 <= size; i++) {
		size_t local = get(zip + i + 42, 4), bytes = get(zip + i + 20, 4), start;
		uint32_t crc;

		if (memcmp(zip + i, "PK\1\2", 4) || get(zip + i + 10, 2) || local + 30 > size)
			continue;
		start = local + 30 + get(zip + local + 26, 2) + get(zip + local + 28, 2);
		if (start > size || bytes > size - start)
			continue;
		crc = (uint32_t)crc32(0, zip + start, (uInt)bytes);
		memcpy(zip + i + 16, &crc, 4);
		memcpy(zip + local + 14, &crc, 4);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct accel_graph *graph;
	struct accel_model *model;
	uint8_t *zip = malloc(size ? size : 1);
	bool quick = true;
	int ret;

	if (size)
		memcpy(zip, data, size);
	fix_checksums(zip, size);
	ret = npz_graph(zip, size, "fuzz", &graph, NULL);
	free(zip);
	if (ret)
		return 0;
	for (unsigned int i = 0; i < graph->model->ntensors; i++)
		quick &= graph->model->tensors[i].count <= QUICK;
	if (quick) {
		ret = accel_graph_finish(graph, &model, NULL);
		/* finish checks what it made: -EBADMSG would be a bug of ours */
		if (ret == -EBADMSG)
			abort();
		accel_model_unref(ret ? NULL : model);
	}
	accel_graph_free(graph);
	return 0;
}
