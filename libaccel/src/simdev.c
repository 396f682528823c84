// SPDX-License-Identifier: GPL-2.0 OR MIT
#include <endian.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "device.h"
#include "simdev.h"

/* More than any legal bus latency needs; a device that is not done by then never will be. */
#define PATIENCE 1000000

static int read_op(void *ctx, uint64_t addr, void *buf, size_t len)
{
	struct simdev *dev = ctx;

	return simbus_read(dev->bus, addr, buf, len);
}

static int write_op(void *ctx, uint64_t addr, const void *buf, size_t len)
{
	struct simdev *dev = ctx;

	return simbus_write(dev->bus, addr, buf, len);
}

static void irq_op(void *ctx, unsigned int vector)
{
	struct simdev *dev = ctx;

	if (vector < sizeof(dev->irqs) / sizeof(dev->irqs[0]))
		dev->irqs[vector]++;
	dev->faulted |= dev->params.queues && vector == dev->params.queues;
}

/* ------------------------------------------------------------------ options */

int simdev_parse(const char *spec, struct simdev_options *options, struct accel_error *err)
{
	static const char *const keys[] = { "seed", "latency", "stall", "jitter", "cold", NULL };
	const char *p;

	*options = (struct simdev_options){ .seed = 1 };
	p = accel_spec_config(spec, options->config, sizeof(options->config));
	if (!p)
		return accel_fail(err, -ENODEV, NULL, "no configuration \"%.40s\"", spec);
	while (*p == ',') {
		char key[16], *end;
		size_t n = strcspn(++p, "=,");
		unsigned long long value;
		int which = 0;

		if (n >= sizeof(key) || p[n] != '=')
			return accel_fail(err, -EINVAL, NULL, "\"%.40s\": simulator options are key=value", p);
		memcpy(key, p, n);
		key[n] = '\0';
		while (keys[which] && strcmp(keys[which], key))
			which++;
		if (!keys[which])
			return accel_fail(err, -EINVAL, NULL, "no simulator option \"%s\"; there are seed, latency, stall, jitter, cold", key);
		errno = 0;
		value = strtoull(p + n + 1, &end, 0);
		if (end == p + n + 1 || errno || p[n + 1] == '-' || (*end && *end != ',') || (which && value > 1000000) ||
		    (which == 2 && value > 999))
			return accel_fail(err, -EINVAL, NULL, "simulator option \"%s\" has a value that is no number or too large", key);
		if (which == 0)
			options->seed = value;
		else if (which == 4)
			options->cold = value;
		else
			*(which == 1 ? &options->latency : which == 2 ? &options->stall_permille : &options->jitter) = (unsigned int)value;
		p = end;
	}
	return 0;
}

/* ------------------------------------------------------------------- device */

uint32_t simdev_read32(struct simdev *dev, uint32_t reg)
{
	return dev->lib.read32(dev->sim, reg);
}

void simdev_write32(struct simdev *dev, uint32_t reg, uint32_t value)
{
	dev->lib.write32(dev->sim, reg, value);
}

uint64_t simdev_run(struct simdev *dev, uint64_t cycles)
{
	return dev->lib.run(dev->sim, cycles);
}

int simdev_poll32(struct simdev *dev, uint32_t reg, uint32_t mask, uint32_t value, uint64_t cycles)
{
	uint64_t end = dev->lib.cycles(dev->sim) + cycles;

	while ((simdev_read32(dev, reg) & mask) != value) {
		if (dev->lib.cycles(dev->sim) >= end)
			return -ETIMEDOUT;
		simdev_run(dev, 16);
	}
	return 0;
}

static uint32_t queue_reg(uint32_t reg)
{
	return EIE_QUEUE_BASE + reg;   /* queue 0 */
}

static void start_queue(struct simdev *dev)
{
	/* The first pass has phase 1: an old entry must not look like a new one. */
	memset(simbus_ptr(dev->bus, dev->cq, (size_t)EIE_CPL_BYTES << dev->cq_log2), 0, (size_t)EIE_CPL_BYTES << dev->cq_log2);
	dev->submitted = dev->consumed = 0;
	dev->faulted = false;
	simdev_write32(dev, queue_reg(EIE_REG_Q_SQ_BASE_LO), (uint32_t)dev->sq);
	simdev_write32(dev, queue_reg(EIE_REG_Q_SQ_BASE_HI), (uint32_t)(dev->sq >> 32));
	simdev_write32(dev, queue_reg(EIE_REG_Q_CQ_BASE_LO), (uint32_t)dev->cq);
	simdev_write32(dev, queue_reg(EIE_REG_Q_CQ_BASE_HI), (uint32_t)(dev->cq >> 32));
	simdev_write32(dev, queue_reg(EIE_REG_Q_SIZE),
		       dev->sq_log2 << EIE_Q_SIZE_SQ_LOG2_SHIFT | dev->cq_log2 << EIE_Q_SIZE_CQ_LOG2_SHIFT);
	simdev_write32(dev, queue_reg(EIE_REG_Q_CTRL), EIE_Q_CTRL_ENABLE_MASK << EIE_Q_CTRL_ENABLE_SHIFT);
	simdev_write32(dev, EIE_REG_CTRL, EIE_CTRL_ENABLE_MASK << EIE_CTRL_ENABLE_SHIFT);
}

int simdev_reset(struct simdev *dev)
{
	uint32_t reset = EIE_CTRL_RESET_MASK << EIE_CTRL_RESET_SHIFT;

	simdev_write32(dev, EIE_REG_CTRL, reset);
	if (simdev_poll32(dev, EIE_REG_CTRL, reset, 0, PATIENCE))
		return -ETIMEDOUT;
	start_queue(dev);
	return 0;
}

int simdev_invalidate(struct simdev *dev, int asid)
{
	uint32_t done = EIE_INV_STATUS_DONE_MASK << EIE_INV_STATUS_DONE_SHIFT;

	simdev_write32(dev, EIE_REG_TLB_INV, asid < 0 ? EIE_TLB_INV_ALL_MASK << EIE_TLB_INV_ALL_SHIFT :
							 (uint32_t)asid << EIE_TLB_INV_ASID_SHIFT);
	return simdev_poll32(dev, EIE_REG_INV_STATUS, done, done, PATIENCE);
}

static int identify(struct simdev *dev, struct accel_error *err)
{
	uint32_t id = simdev_read32(dev, EIE_REG_ID), version = simdev_read32(dev, EIE_REG_VERSION), bytes;

	if (id != EIE_ID_VALUE)
		return accel_fail(err, -EPROTO, NULL, "the device's ID register reads 0x%08x, not 0x%08x", id, EIE_ID_VALUE);
	if ((version >> EIE_VERSION_MAJOR_SHIFT & EIE_VERSION_MAJOR_MASK) != EIE_ISA_MAJOR)
		return accel_fail(err, -EPROTO, NULL, "the device speaks ISA version %u, this library version %d: update the older one",
				  version >> EIE_VERSION_MAJOR_SHIFT & EIE_VERSION_MAJOR_MASK, EIE_ISA_MAJOR);
	bytes = simdev_read32(dev, EIE_REG_DT_SIZE);
	if (bytes > EIE_DT_BYTES_MAX)
		return accel_fail(err, -EPROTO, NULL, "the device's device tree has %u bytes, more than its window", bytes);
	dev->device_tree = calloc(1, EIE_DT_BYTES_MAX);
	if (!dev->device_tree)
		return accel_fail(err, -ENOMEM, NULL, "out of memory");
	dev->device_tree_bytes = bytes;
	for (uint32_t i = 0; i < bytes; i += 4) {
		uint32_t word = htole32(simdev_read32(dev, EIE_DT_BASE + i));

		memcpy(dev->device_tree + i, &word, sizeof(word));
	}
	return eie_params_read(dev->device_tree, bytes, &dev->params, err);
}

static int create(struct simdev *dev, struct accel_error *err)
{
	static const struct eie_sim_ops ops = { read_op, write_op, irq_op };
	const struct simdev_options *o = &dev->options;
	const struct eie_sim_params params = { o->config, o->seed, o->latency, o->stall_permille, o->jitter };
	int ret = dev->lib.create(&dev->sim, &params, &ops, dev);

	if (ret == -ENOENT) {
		const char *near = accel_nearest(o->config, dev->lib.configs());

		return accel_fail(err, -ENODEV, NULL, "the simulator has no configuration \"%s\"%s%s%s", o->config,
				  near ? ": did you mean \"" : "", near ? near : "", near ? "\"?" : "");
	}
	return ret ? accel_fail(err, ret, NULL, "the simulator does not start: %s", strerror(-ret)) : 0;
}

int simdev_open(const struct simdev_options *options, struct simdev **out, struct accel_error *err)
{
	struct simdev *dev = calloc(1, sizeof(*dev));
	int ret;

	if (!dev)
		return accel_fail(err, -ENOMEM, NULL, "out of memory");
	dev->options = *options;
	dev->sq_log2 = options->sq_log2 ? options->sq_log2 : 6;
	dev->cq_log2 = options->cq_log2 ? options->cq_log2 : 6;
	ret = simlib_open(&dev->lib, err);
	if (!ret && (simbus_new(&dev->bus) ||
		     simbus_alloc(dev->bus, (size_t)EIE_DESC_BYTES << dev->sq_log2, SIMBUS_PAGE, &dev->sq) ||
		     simbus_alloc(dev->bus, (size_t)EIE_CPL_BYTES << dev->cq_log2, SIMBUS_PAGE, &dev->cq)))
		ret = accel_fail(err, -ENOMEM, NULL, "out of memory for the simulated bus");
	ret = ret ? ret : create(dev, err);
	ret = ret ? ret : identify(dev, err);
	if (ret) {
		simdev_close(dev);
		return ret;
	}
	start_queue(dev);
	*out = dev;
	return 0;
}

void simdev_close(struct simdev *dev)
{
	if (!dev)
		return;
	if (dev->sim)
		dev->lib.destroy(dev->sim);
	simlib_close(&dev->lib);
	simbus_free(dev->bus);
	free(dev->device_tree);
	free(dev);
}

/* --------------------------------------------------------------------- jobs */

unsigned int simdev_room(const struct simdev *dev)
{
	uint32_t in_flight = dev->submitted - dev->consumed;   /* a lower bound of free entries in both rings */
	uint32_t entries = 1u << (dev->sq_log2 < dev->cq_log2 ? dev->sq_log2 : dev->cq_log2);

	return entries - in_flight;
}

int simdev_submit(struct simdev *dev, const struct eie_desc *desc)
{
	uint32_t index = dev->submitted & ((1u << dev->sq_log2) - 1);

	if (!simdev_room(dev))
		return -EAGAIN;
	memcpy(simbus_ptr(dev->bus, dev->sq + (uint64_t)index * EIE_DESC_BYTES, EIE_DESC_BYTES), desc, EIE_DESC_BYTES);
	dev->submitted++;
	simdev_write32(dev, queue_reg(EIE_REG_Q_DOORBELL),
		       (dev->submitted & EIE_Q_DOORBELL_SQ_TAIL_MASK) << EIE_Q_DOORBELL_SQ_TAIL_SHIFT |
		       (dev->consumed & EIE_Q_DOORBELL_CQ_HEAD_MASK) << EIE_Q_DOORBELL_CQ_HEAD_SHIFT);
	return 0;
}

bool simdev_completed(struct simdev *dev, struct eie_cpl *cpl)
{
	uint32_t index = dev->consumed & ((1u << dev->cq_log2) - 1), pass = dev->consumed >> dev->cq_log2;
	const struct eie_cpl *entry = simbus_ptr(dev->bus, dev->cq + (uint64_t)index * EIE_CPL_BYTES, EIE_CPL_BYTES);

	if (le32toh(entry->phase) != (~pass & 1))
		return false;
	*cpl = *entry;
	dev->consumed++;
	return true;
}

int simdev_wait(struct simdev *dev, uint64_t cycles, struct eie_cpl *cpl)
{
	uint64_t end = dev->lib.cycles(dev->sim) + cycles;

	for (;;) {
		uint64_t now;

		if (simdev_completed(dev, cpl))
			return 0;
		if (dev->faulted)
			return -EIO;
		now = dev->lib.cycles(dev->sim);
		if (now >= end)
			return -ETIMEDOUT;
		simdev_run(dev, end - now);
	}
}

/* ------------------------------------------------------------------- memory */

int simdev_space_open(struct simdev *dev, uint16_t asid, struct simdev_space *space)
{
	*space = (struct simdev_space){ .dev = dev, .asid = asid };
	return simbus_alloc(dev->bus, SIMBUS_PAGE, SIMBUS_PAGE, &space->root);
}

void simdev_space_close(struct simdev_space *space)
{
	/* Tables that the walker may still read are left where they are. */
	if (!simdev_invalidate(space->dev, space->asid))
		sv39_free(space->dev->bus, space->root);
}

int simdev_map(struct simdev_space *space, uint64_t va, uint64_t bus, size_t size, uint64_t flags)
{
	int ret = sv39_map(space->dev->bus, space->root, va, bus, size, flags);

	/* A large page may have taken the place of a table that the walker remembers. */
	if (!ret && size >= SIMBUS_LARGE_PAGE && simdev_invalidate(space->dev, space->asid)) {
		sv39_unmap(space->dev->bus, space->root, va, size);
		ret = -ETIMEDOUT;
	}
	return ret;
}

int simdev_memory_new(struct simdev_space *space, uint64_t va, size_t size, uint64_t flags, struct simdev_memory *memory)
{
	struct simbus *bus = space->dev->bus;
	int ret;

	*memory = (struct simdev_memory){ .space = space, .va = va };
	memory->size = (size + SIMBUS_PAGE - 1) / SIMBUS_PAGE * SIMBUS_PAGE;
	ret = simbus_alloc(bus, memory->size, memory->size >= SIMBUS_LARGE_PAGE ? SIMBUS_LARGE_PAGE : SIMBUS_PAGE, &memory->bus);
	if (ret)
		return ret;
	ret = simdev_map(space, va, memory->bus, memory->size, flags);
	if (ret) {
		simbus_release(bus, memory->bus, memory->size);
		return ret;
	}
	memory->map = simbus_ptr(bus, memory->bus, memory->size);
	return 0;
}

int simdev_memory_free(struct simdev_memory *memory)
{
	struct simdev_space *space = memory->space;
	int ret;

	sv39_unmap(space->dev->bus, space->root, memory->va, memory->size);
	ret = simdev_invalidate(space->dev, space->asid);
	if (!ret)
		simbus_release(space->dev->bus, memory->bus, memory->size);
	*memory = (struct simdev_memory){ 0 };
	return ret;
}
