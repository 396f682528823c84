// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Engine counters by name: names and texts come from hw/eie_hw.def, the source that the hardware is made from. */
#include <errno.h>
#include <string.h>

#include "device.h"

struct name {
	const char *owner, *name, *text;
	unsigned int number;
};

#define SECTION(title, text)
#define CONST(name, value, text)
#define ENUM_BEGIN(name, text)
#define ENUM(owner, name, value, text) { #owner, #name, text, value },
#define REG(name, offset, access, reset, text)
#define RFIELD(reg, name, lsb, width, text)
#define STRUCT_BEGIN(name, bytes, text)
#define MEMBER(owner, name, offset, bits, text)
#define FIELD(owner, name, dword, lsb, width, text)
static const struct name names[] = {
#include "eie_hw.def"
};

int accel_device_counters(struct accel_device *device, struct accel_counter *counters, unsigned int n, struct accel_error *err)
{
	uint64_t values[EIE_PERF_COUNTERS];
	int ret;

	if (!device->backend || !device->backend->counters)
		return accel_fail(err, -ENOTSUP, NULL, "device %s lets nobody read engine counters; sim does", device->backend ? device->backend->name : "cpu");
	if (device->params.isa_major != EIE_ISA_MAJOR || device->params.isa_minor < 2)
		return accel_fail(err, -ENOTSUP, NULL, "the device has ISA version %u.%u; engine counters came with 1.2", device->params.isa_major,
				  device->params.isa_minor);
	ret = device->backend->counters(device->dev, values);
	if (ret)
		return accel_fail(err, ret, NULL, "the engine counters cannot be read: %s", strerror(-ret));
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (!strcmp(names[i].owner, "PERF") && names[i].number < n)
			counters[names[i].number] = (struct accel_counter){ names[i].name, names[i].text, values[names[i].number] };
	return EIE_PERF_COUNTERS;
}
