// SPDX-License-Identifier: GPL-2.0 OR MIT
/* .eie files. Checksums are made right first, or nothing would get past them; what loads must save to bytes that load the same. */
#include <stdlib.h>
#include <string.h>
#include "../lib/eie_edit.h"
#include "fdtcheck.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct accel_model *model, *again;
	void *saved, *twice;
	size_t saved_size, twice_size;
	uint8_t *file = malloc(size ? size : 1);   /* malloc aligns it as libfdt wants */

	if (size)
		memcpy(file, data, size);
	if (size >= sizeof(struct fdt_header) && fdt_totalsize(file) <= size && !fdt_check_foreign(file, fdt_totalsize(file))) {
		size_t start = eie_data_start(fdt_totalsize(file));

		if (start <= size)
			eie_fix_checksums(file, file + start, size - start);
	}
	if (!accel_model_load(file, size, "fuzz", &model, NULL)) {
		if (eie_encode(model, &saved, &saved_size, NULL, NULL) || accel_model_load(saved, saved_size, "saved", &again, NULL) ||
		    eie_encode(again, &twice, &twice_size, NULL, NULL) || saved_size != twice_size ||
		    memcmp(saved, twice, saved_size))
			abort();
		free(saved);
		free(twice);
		accel_model_unref(again);
		accel_model_unref(model);
	}
	free(file);
	return 0;
}
