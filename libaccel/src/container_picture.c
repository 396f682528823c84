// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Node `preprocess` of .eie files, docs/eie_format.md. */
#include "container_reader.h"
#include "container_writer.h"

#include <errno.h>
#include <string.h>

static const char *const resizes[] = {
	[ACCEL_RESIZE_NONE] = "none", [ACCEL_RESIZE_STRETCH] = "stretch", [ACCEL_RESIZE_SHORTER] = "shorter",
};
static const char *const layouts[] = { [ACCEL_LAYOUT_AUTO] = "auto", [ACCEL_LAYOUT_CHW] = "chw", [ACCEL_LAYOUT_HWC] = "hwc" };
static const char *const orders[] = { "rgb", "bgr" };

static void put_floats(struct eie_writer *w, const char *name, const float v[3])
{
	fdt32_t *cells = eie_put_cells(w, name, 3);

	for (unsigned int i = 0; cells && i < 3; i++)
		cells[i] = cpu_to_fdt32(eie_float_bits(v[i]));
}

void eie_put_preprocess(struct eie_writer *w, const struct accel_preprocess *pre)
{
	eie_begin(w, "preprocess");
	eie_put_string(w, "resize", resizes[pre->resize]);
	if (pre->resize == ACCEL_RESIZE_SHORTER)
		eie_put_u32(w, "size", pre->size);
	eie_put_string(w, "layout", layouts[pre->layout]);
	eie_put_string(w, "order", orders[pre->bgr]);
	put_floats(w, "mean", pre->mean);
	put_floats(w, "scale", pre->scale);
	eie_end(w);
}

static int get_word(struct eie_reader *r, int node, const char *name, const char *const *words, int n, int *which)
{
	const char *word;
	int ret = eie_get_string(r, node, name, &word);

	if (ret)
		return ret;
	for (*which = 0; *which < n; ++*which)
		if (!strcmp(words[*which], word))
			return 0;
	return eie_not_supported(r, name, word);
}

static int get_floats(struct eie_reader *r, int node, const char *name, float v[3])
{
	const fdt32_t *cells;
	unsigned int n;
	int ret = eie_get_cells(r, node, name, 3, 3, &cells, &n);

	for (unsigned int i = 0; !ret && i < 3; i++)
		v[i] = eie_float_from_bits(fdt32_ld(cells + i));
	return ret;
}

int eie_read_preprocess(struct eie_reader *r, struct accel_model *model)
{
	struct accel_preprocess *pre = &model->preprocess;
	int node = fdt_subnode_offset(r->fdt, 0, "preprocess"), which, ret;

	if (node < 0)
		return BAD(r, "node 'preprocess' is missing");
	ret = get_word(r, node, "resize", resizes, 3, &which);
	if (ret)
		return ret;
	pre->resize = (enum accel_resize)which;
	if (pre->resize == ACCEL_RESIZE_SHORTER)
		ret = eie_get_u32(r, node, "size", &pre->size);
	ret = ret ? ret : get_word(r, node, "layout", layouts, 3, &which);
	if (ret)
		return ret;
	pre->layout = (enum accel_layout)which;
	ret = get_word(r, node, "order", orders, 2, &which);
	pre->bgr = which;
	ret = ret ? ret : get_floats(r, node, "mean", pre->mean);
	ret = ret ? ret : get_floats(r, node, "scale", pre->scale);
	model->has_preprocess = !ret;
	return ret;
}
