// SPDX-License-Identifier: GPL-2.0 OR MIT
/* VMUL and VTABLE: docs/vector_mode.md word by word. Both have in, out, channels and groups in the same bits. */
#include "commands.h"
#include "model.h"
#include "ref.h"

#define PIXELS EIE_GRANULE_VALUES

/* Granule of a channel's group; a plane is a channel's groups. */
static size_t place(const struct ref_run *run, uint32_t first, uint32_t plane, uint32_t channel, uint32_t group)
{
	uint32_t k = run->ref->p.clusters;

	return first + ((size_t)(channel / k) * plane + group) * k + channel % k;
}

static uint32_t read_values(const struct ref_run *run, size_t granule, unsigned int n, int16_t *values)
{
	const struct ref_buffer *a = &run->ref->buf[EIE_BUF_ABUF];

	if (!ref_is_written(a, granule))
		return EIE_STATUS_UNWRITTEN;
	for (unsigned int i = 0; i < n; i++)
		values[i] = ref_load16(ref_granule(a, granule) + 2 * i);
	return EIE_STATUS_OK;
}

static void write_values(struct ref_run *run, size_t granule, const int16_t *values)
{
	struct ref_buffer *a = &run->ref->buf[EIE_BUF_ABUF];

	for (unsigned int i = 0; i < PIXELS; i++)
		ref_store16(ref_granule(a, granule) + 2 * i, values[i]);
	a->written[granule] = 1;
}

/* Pixels of group `group`. */
static unsigned int pixels(const struct eie_cmd *cmd, uint32_t group)
{
	uint32_t tail = CMD_GET(cmd, VMUL_TAIL);

	return tail && group == CMD_GET(cmd, VMUL_GROUPS) - 1 ? tail : PIXELS;
}

/* The product of a and the channel's or group's b. */
static uint32_t multiply(struct ref_run *run, const struct eie_cmd *cmd, uint32_t channel, uint32_t group, int16_t *values)
{
	int16_t lo = (int16_t)CMD_GET(cmd, VMUL_LO), hi = (int16_t)CMD_GET(cmd, VMUL_HI), b[PIXELS];
	bool same = CMD_GET(cmd, VMUL_CHANNEL);
	uint32_t status = read_values(run, place(run, CMD_GET(cmd, VMUL_B), CMD_GET(cmd, VMUL_B_PLANE), channel, same ? 0 : group), PIXELS, b);

	for (unsigned int l = 0; !status && l < pixels(cmd, group); l++)
		values[l] = accel_requant(values[l] * b[same ? 0 : l], (uint16_t)CMD_GET(cmd, VMUL_M), CMD_GET(cmd, VMUL_S), lo, hi,
					  &run->saturated);
	return status;
}

/* Each granule of the input, through the table where there is one, else times B. */
static uint32_t each(struct ref_run *run, const struct eie_cmd *cmd, const int16_t *table)
{
	for (uint32_t c = 0; c < CMD_GET(cmd, VMUL_CHANNELS); c++) {
		for (uint32_t g = 0; g < CMD_GET(cmd, VMUL_GROUPS); g++) {
			int16_t values[PIXELS];
			uint32_t status = read_values(run, place(run, CMD_GET(cmd, VMUL_IN), CMD_GET(cmd, VMUL_PLANE), c, g), PIXELS, values);

			if (!status && !table)
				status = multiply(run, cmd, c, g, values);
			if (status)
				return status;
			run->columns++;
			if (ref_out_of_time(run))
				return EIE_STATUS_TIMEOUT;
			for (unsigned int l = 0; l < PIXELS; l++)
				if (l >= pixels(cmd, g))
					values[l] = 0;
				else if (table)
					values[l] = accel_interpolate(table, values[l]);
			write_values(run, place(run, CMD_GET(cmd, VMUL_OUT), CMD_GET(cmd, VMUL_OUT_PLANE), c, g), values);
		}
	}
	return EIE_STATUS_OK;
}

uint32_t ref_vmul(struct ref_run *run, const struct eie_cmd *cmd)
{
	return each(run, cmd, NULL);
}

uint32_t ref_vtable(struct ref_run *run, const struct eie_cmd *cmd)
{
	int16_t table[EIE_TABLE_GRANULES * PIXELS];

	for (uint32_t i = 0; i < EIE_TABLE_GRANULES; i++) {
		uint32_t status = read_values(run, CMD_GET(cmd, VTABLE_TABLE) + i, PIXELS, table + i * PIXELS);

		if (status)
			return status;
	}
	return each(run, cmd, table);
}
