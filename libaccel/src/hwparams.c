// SPDX-License-Identifier: GPL-2.0 OR MIT
/* What the hardware is, from the device tree that it carries. */
#include <errno.h>

#include "backend.h"
#include "fdtcheck.h"
#include "model.h"

struct field {
	const char *prop;
	size_t offset;
	uint32_t min, max;
	bool pow2;
};

/* The bounds are those of hw/gen/eie_cfg.c: what follows relies on them (no division by zero, no overflow). */
static const struct field fields[] = {
	{ "eie,isa-major", offsetof(struct eie_params, isa_major), 0, UINT32_MAX, false },
	{ "eie,isa-minor", offsetof(struct eie_params, isa_minor), 0, UINT32_MAX, false },
	{ "eie,clusters", offsetof(struct eie_params, clusters), 2, 16, true },
	{ "eie,lanes", offsetof(struct eie_params, lanes), 2, 16, true },
	{ "eie,rows", offsetof(struct eie_params, rows), 16, 4096, false },
	{ "eie,abuf-granules", offsetof(struct eie_params, abuf), 64, 1 << 20, true },
	{ "eie,wbuf-granules", offsetof(struct eie_params, wbuf), 64, 1 << 16, true },
	{ "eie,pbuf-granules", offsetof(struct eie_params, pbuf), 16, 1 << 16, true },
	{ "eie,rbuf-granules", offsetof(struct eie_params, rbuf), 16, 1 << 16, true },
	{ "eie,queues", offsetof(struct eie_params, queues), 1, 16, false },
	{ "eie,tlb-entries", offsetof(struct eie_params, tlb), 2, 256, true },
	{ "eie,job-queue-depth", offsetof(struct eie_params, jobs), 8, 256, true },
	{ "eie,bus-bits", offsetof(struct eie_params, bus_bits), 64, 256, true },
};

/* Absent where the hardware has none. Bits that this library does not know are of commands that it does not use. */
static int read_features(const void *blob, uint32_t *features, struct accel_error *err)
{
	int len;
	const fdt32_t *prop = fdt_getprop(blob, 0, "eie,features", &len);

	*features = 0;
	if (prop && len != 4)
		return accel_fail(err, -EPROTO, NULL, "the hardware's device tree has an \"eie,features\" of %d bytes, not 4", len);
	if (prop)
		*features = fdt32_ld(prop);
	return 0;
}

int eie_params_read(const void *blob, size_t bytes, struct eie_params *params, struct accel_error *err)
{
	int ret;

	ret = fdt_check_foreign(blob, bytes);
	if (ret)
		return accel_fail(err, -EPROTO, NULL, "the hardware's device tree is broken: %s", fdt_strerror(ret));
	if (fdt_node_check_compatible(blob, 0, "eie,eie-1.0"))
		return accel_fail(err, -EPROTO, NULL, "the hardware's device tree is not compatible with \"eie,eie-1.0\"");

	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
		const struct field *f = &fields[i];
		int len;
		const fdt32_t *prop = fdt_getprop(blob, 0, f->prop, &len);
		uint32_t value;

		if (!prop || len != 4)
			return accel_fail(err, -EPROTO, NULL, "the hardware's device tree has no cell \"%s\"", f->prop);
		value = fdt32_ld(prop);
		/* The version comes first: a newer one is not to be judged by the bounds of this one. */
		if (f->offset == offsetof(struct eie_params, isa_major) && value != EIE_ISA_MAJOR)
			return accel_fail(err, -EPROTO, NULL,
					  "the hardware speaks ISA version %u, this library version %d: update the older one",
					  value, EIE_ISA_MAJOR);
		if (value < f->min || value > f->max || (f->pow2 && (value & (value - 1))))
			return accel_fail(err, -EPROTO, NULL, "the hardware's device tree says %s = %u, outside %u..%u%s",
					  f->prop, value, f->min, f->max, f->pow2 ? " (powers of two)" : "");
		memcpy((char *)params + f->offset, &value, sizeof(value));
	}
	if (params->rows % EIE_GRANULE_VALUES)
		return accel_fail(err, -EPROTO, NULL, "the hardware's device tree says eie,rows = %u, not a multiple of %d",
				  params->rows, EIE_GRANULE_VALUES);
	return read_features(blob, &params->features, err);
}
