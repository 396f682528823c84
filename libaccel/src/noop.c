// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Jobs without commands: what a submission costs by itself. */
#include <endian.h>
#include <errno.h>

#include "commands.h"
#include "device.h"

#define MAX_DEPTH 64

int accel_device_noop(struct accel_device *device, unsigned int jobs, unsigned int depth, struct accel_error *err)
{
	const struct accel_backend *backend = device->backend;
	struct accel_buffer buffer;
	const struct accel_buffer *const used[] = { &buffer };
	const struct accel_job job = { .buffers = used, .nbuffers = 1, .commands = &buffer };
	uint64_t seq[MAX_DEPTH];
	struct eie_cpl cpl;
	int ret;

	if (!backend)
		return accel_fail(err, -ENOTSUP, NULL, "device cpu runs no jobs");
	if (!depth || depth > MAX_DEPTH)
		return accel_fail(err, -EINVAL, NULL, "depth %u: 1 to %u jobs may be in flight", depth, MAX_DEPTH);
	ret = backend->buffer_new(device->dev, 4096, false, &buffer, err);
	if (ret)
		return ret;
	/* Whatever was submitted is waited for, or the buffer would go under a job's feet. */
	for (unsigned int sent = 0, done = 0; done < sent || (!ret && sent < jobs);) {
		int failed = 0;

		if (!ret && sent < jobs && sent - done < depth) {
			ret = backend->submit(device->dev, &job, &seq[sent % depth], err);
			sent += !ret;
			continue;
		}
		failed = backend->wait(device->dev, seq[done % depth], -1, &cpl, ret ? NULL : err);
		if (!failed && cpl.status)
			failed = accel_fail(ret ? NULL : err, -EIO, NULL, "a job without commands ended with %s (%u)",
					    eie_status_name(le32toh(cpl.status)), le32toh(cpl.status));
		ret = ret ? ret : failed;
		done++;
	}
	backend->buffer_free(device->dev, &buffer);
	return ret;
}
