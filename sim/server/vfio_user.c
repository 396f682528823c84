// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * vfio-user, the server's side (docs/interop/vfio-user.rst of QEMU, version 0.1): what QEMU's vfio-user-pci asks of a device.
 * Guest memory comes as file descriptors to map; interrupts go out as eventfds, by QEMU's own MSI-X table.
 */
#include <errno.h>
#include <linux/vfio.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "message.h"
#include "transport.h"

#define DATA_MAX	0x10000		/* of one region access; told to the client */
#define PAYLOAD_MAX	(DATA_MAX + 64)

enum command {
	VERSION = 1,
	DMA_MAP = 2,
	DMA_UNMAP = 3,
	GET_INFO = 4,
	GET_REGION_INFO = 5,
	GET_IRQ_INFO = 7,
	SET_IRQS = 8,
	REGION_READ = 9,
	REGION_WRITE = 10,
	RESET = 13,
};

#define FLAGS_TYPE	0xf		/* 0: command, 1: reply */
#define FLAGS_REPLY	0x1
#define FLAGS_NO_REPLY	0x10
#define FLAGS_ERROR	0x20

struct header {
	uint16_t id;
	uint16_t command;
	uint32_t size;			/* header included */
	uint32_t flags;
	uint32_t error;
};

struct version {
	uint16_t major, minor;
	char capabilities[];		/* JSON */
};

#define CAPABILITIES "{\"capabilities\":{\"max_msg_fds\":16,\"max_data_xfer_size\":65536}}"

struct dma_map {
	uint32_t argsz, flags;
	uint64_t offset, addr, size;
};

struct dma_unmap {
	uint32_t argsz, flags;
	uint64_t addr, size;
};
#define DMA_UNMAP_ALL	0x2

struct region_access {
	uint64_t offset;
	uint32_t region, count;
	uint8_t data[];
};

struct vfio_user {
	struct function *f;
	int sock;
	int eventfd[FUNCTION_VECTORS_MAX];
	uint8_t in[PAYLOAD_MAX] __attribute__((aligned(8)));
	struct {
		struct header header;
		uint8_t payload[PAYLOAD_MAX];
	} out __attribute__((aligned(8)));
};

static void *vfio_user_open(struct function *f, int sock)
{
	struct vfio_user *t = calloc(1, sizeof(*t));

	if (!t)
		return NULL;
	t->f = f;
	t->sock = sock;
	memset(t->eventfd, -1, sizeof(t->eventfd));
	return t;
}

static void set_eventfd(struct vfio_user *t, unsigned int vector, int fd)
{
	if (t->eventfd[vector] >= 0)
		close(t->eventfd[vector]);
	t->eventfd[vector] = fd;
}

static void vfio_user_close(void *ctx)
{
	struct vfio_user *t = ctx;

	for (unsigned int v = 0; v < FUNCTION_VECTORS_MAX; v++)
		set_eventfd(t, v, -1);
	free(t);
}

static unsigned int vfio_user_pollfds(void *ctx, struct pollfd *fds)
{
	struct vfio_user *t = ctx;

	fds[0] = (struct pollfd){ .fd = t->sock, .events = POLLIN };
	return 1;
}

static void vfio_user_interrupt(void *ctx, unsigned int vector)
{
	struct vfio_user *t = ctx;
	const uint64_t one = 1;

	/* the counter of an eventfd that QEMU does not read could only be full after 2^64 messages */
	if (t->eventfd[vector] >= 0 && write(t->eventfd[vector], &one, sizeof(one)) == sizeof(one))
		t->f->interrupts++;
}

/*
 * The commands. Each gets a payload of `len` bytes, fills t->out.payload and returns its length, or a negative errno for the
 * client. Commands of fixed size are at least as long as their structure (serve_one checks).
 */

static int version(struct vfio_user *t, size_t len)
{
	const struct version *in = (const void *)t->in;
	struct version *out = (void *)t->out.payload;

	(void)len;
	if (in->major != 0)
		return -EINVAL;
	out->major = 0;
	out->minor = in->minor < 1 ? in->minor : 1;
	memcpy(out->capabilities, CAPABILITIES, sizeof(CAPABILITIES));
	return (int)(sizeof(*out) + sizeof(CAPABILITIES));
}

static int dma_map(struct vfio_user *t, struct message_fds *fds)
{
	const struct dma_map *in = (const void *)t->in;

	/* memory that is not a file could only be reached by messages; no machine of ours has any that a driver uses */
	if (!fds->n)
		return 0;
	return memory_map(&t->f->mem, in->addr, in->addr, in->size, fds->fd[0], in->offset);
}

static int dma_unmap(struct vfio_user *t)
{
	const struct dma_unmap *in = (const void *)t->in;
	int ret = 0;

	if (in->flags & DMA_UNMAP_ALL)
		memory_unmap_all(&t->f->mem);
	else
		ret = memory_unmap(&t->f->mem, in->addr, in->size);
	if (ret)
		return ret;
	memcpy(t->out.payload, in, sizeof(*in));
	return sizeof(*in);
}

static int get_info(struct vfio_user *t)
{
	struct vfio_device_info *out = (void *)t->out.payload;

	/* the structure has grown since; these are the fields of the protocol */
	memset(out, 0, sizeof(*out));
	out->argsz = 16;
	out->flags = VFIO_DEVICE_FLAGS_PCI | VFIO_DEVICE_FLAGS_RESET;
	out->num_regions = VFIO_PCI_NUM_REGIONS;
	out->num_irqs = VFIO_PCI_NUM_IRQS;
	return 16;
}

static size_t region_size(uint32_t region)
{
	return region == VFIO_PCI_CONFIG_REGION_INDEX ? FUNCTION_CONFIG_BYTES : function_bar_size(region);
}

static int get_region_info(struct vfio_user *t)
{
	const struct vfio_region_info *in = (const void *)t->in;
	struct vfio_region_info *out = (void *)t->out.payload;

	if (in->index >= VFIO_PCI_NUM_REGIONS)
		return -EINVAL;
	*out = (struct vfio_region_info){ .argsz = sizeof(*out), .index = in->index, .size = region_size(in->index) };
	if (out->size)
		out->flags = VFIO_REGION_INFO_FLAG_READ | VFIO_REGION_INFO_FLAG_WRITE;
	return sizeof(*out);
}

static uint32_t irq_count(const struct vfio_user *t, uint32_t index)
{
	return index == VFIO_PCI_MSIX_IRQ_INDEX ? t->f->engine.nvectors : 0;
}

static int get_irq_info(struct vfio_user *t)
{
	const struct vfio_irq_info *in = (const void *)t->in;
	struct vfio_irq_info *out = (void *)t->out.payload;

	if (in->index >= VFIO_PCI_NUM_IRQS)
		return -EINVAL;
	*out = (struct vfio_irq_info){ .argsz = sizeof(*out), .index = in->index, .count = irq_count(t, in->index) };
	if (out->count)
		out->flags = VFIO_IRQ_INFO_EVENTFD | VFIO_IRQ_INFO_NORESIZE;
	return sizeof(*out);
}

static int set_irqs(struct vfio_user *t, struct message_fds *fds)
{
	const struct vfio_irq_set *in = (const void *)t->in;
	uint32_t have;

	if (in->index >= VFIO_PCI_NUM_IRQS)
		return -EINVAL;
	have = irq_count(t, in->index);
	if (in->start > have || in->count > have - in->start)
		return -EINVAL;
	if (!(in->flags & VFIO_IRQ_SET_ACTION_TRIGGER))
		return 0;
	if (in->flags & VFIO_IRQ_SET_DATA_NONE && !in->count) {
		for (uint32_t v = 0; v < have; v++)
			set_eventfd(t, v, -1);
	} else if (in->flags & VFIO_IRQ_SET_DATA_EVENTFD) {
		/* a vector without a descriptor is switched off */
		for (uint32_t i = 0; i < in->count; i++)
			set_eventfd(t, in->start + i, message_take_fd(fds, i));
	}
	return 0;
}

static int region_read(struct vfio_user *t)
{
	const struct region_access *in = (const void *)t->in;
	struct region_access *out = (void *)t->out.payload;

	if (in->region >= VFIO_PCI_NUM_REGIONS || in->count > DATA_MAX)
		return -EINVAL;
	*out = *in;
	if (in->region == VFIO_PCI_CONFIG_REGION_INDEX)
		function_config_read(t->f, in->offset, out->data, in->count);
	else
		function_bar_read(t->f, in->region, in->offset, out->data, in->count);
	return (int)(sizeof(*out) + in->count);
}

static int region_write(struct vfio_user *t, size_t len)
{
	const struct region_access *in = (const void *)t->in;
	struct region_access *out = (void *)t->out.payload;

	if (in->region >= VFIO_PCI_NUM_REGIONS || in->count > len - sizeof(*in))
		return -EINVAL;
	if (in->region == VFIO_PCI_CONFIG_REGION_INDEX)
		function_config_write(t->f, in->offset, in->data, in->count);
	else
		function_bar_write(t->f, in->region, in->offset, in->data, in->count);
	*out = *in;
	return sizeof(*out);
}

static size_t smallest_payload(uint16_t command)
{
	switch (command) {
	case VERSION: return sizeof(struct version);
	case DMA_MAP: return sizeof(struct dma_map);
	case DMA_UNMAP: return sizeof(struct dma_unmap);
	case GET_REGION_INFO: return sizeof(struct vfio_region_info);
	case GET_IRQ_INFO: return sizeof(struct vfio_irq_info);
	case SET_IRQS: return sizeof(struct vfio_irq_set);
	case REGION_READ: case REGION_WRITE: return sizeof(struct region_access);
	default: return 0;
	}
}

static int command(struct vfio_user *t, uint16_t command, size_t len, struct message_fds *fds)
{
	if (len < smallest_payload(command))
		return -EINVAL;
	switch (command) {
	case VERSION: return version(t, len);
	case DMA_MAP: return dma_map(t, fds);
	case DMA_UNMAP: return dma_unmap(t);
	case GET_INFO: return get_info(t);
	case GET_REGION_INFO: return get_region_info(t);
	case GET_IRQ_INFO: return get_irq_info(t);
	case SET_IRQS: return set_irqs(t, fds);
	case REGION_READ: return region_read(t);
	case REGION_WRITE: return region_write(t, len);
	case RESET: function_reset(t->f); return 0;
	default: return -EOPNOTSUPP;
	}
}

static int serve_one(struct vfio_user *t)
{
	struct message_fds fds;
	struct header in;
	size_t len;
	int ret;

	ret = message_receive(t->sock, &in, sizeof(in), &fds);
	if (ret)
		return ret;
	if (in.size < sizeof(in) || in.size - sizeof(in) > sizeof(t->in) || in.flags & FLAGS_TYPE) {
		fprintf(stderr, "vfio-user: message of %u bytes, flags %#x: not a command\n", in.size, in.flags);
		message_close_fds(&fds);
		return -EPROTO;
	}
	len = in.size - sizeof(in);
	ret = message_receive(t->sock, t->in, len, NULL);
	if (!ret)
		ret = command(t, in.command, len, &fds);
	message_close_fds(&fds);
	if (ret == -ECONNRESET)
		return ret;
	if (ret < 0)
		fprintf(stderr, "vfio-user: command %u of %zu bytes refused: %s\n", in.command, len, strerror(-ret));
	if (in.flags & FLAGS_NO_REPLY)
		return 0;
	t->out.header = (struct header){ .id = in.id, .command = in.command, .size = sizeof(in), .flags = FLAGS_REPLY };
	if (ret < 0) {
		t->out.header.flags |= FLAGS_ERROR;
		t->out.header.error = (uint32_t)-ret;
	} else {
		t->out.header.size += (uint32_t)ret;
	}
	return message_send(t->sock, &t->out, t->out.header.size);
}

static int vfio_user_serve(void *ctx, const struct pollfd *fds)
{
	return fds[0].revents ? serve_one(ctx) : 0;
}

const struct transport transport_vfio_user = {
	.name = "vfio-user",
	.open = vfio_user_open,
	.close = vfio_user_close,
	.pollfds = vfio_user_pollfds,
	.serve = vfio_user_serve,
	.interrupt = vfio_user_interrupt,
};
