// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * virtio-pcidev over vhost-user: a PCI function for user-mode Linux (CONFIG_UML_PCI_OVER_VIRTIO). The guest's virtio driver
 * puts configuration and BAR accesses on queue 0 and takes message interrupts from queue 1 (linux/virtio_pcidev.h). The
 * vhost-user messages are those that arch/um/drivers/virtio_uml.c sends.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/virtio_config.h>
#include <linux/virtio_pcidev.h>
#include <linux/virtio_ring.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "message.h"
#include "transport.h"
#include "virtqueue.h"

enum { CMD_RING, IRQ_RING, RINGS };

#define RING_NUM_MAX	1024
#define CMD_MAX		8192	/* bytes of one command, and of its answer */

enum request {
	GET_FEATURES = 1,
	SET_FEATURES = 2,
	SET_OWNER = 3,
	SET_MEM_TABLE = 5,
	SET_VRING_NUM = 8,
	SET_VRING_ADDR = 9,
	SET_VRING_BASE = 10,
	GET_VRING_BASE = 11,
	SET_VRING_KICK = 12,
	SET_VRING_CALL = 13,
	SET_VRING_ERR = 14,
	GET_PROTOCOL_FEATURES = 15,
	SET_PROTOCOL_FEATURES = 16,
	SET_VRING_ENABLE = 18,
	SET_BACKEND_REQ_FD = 21,
};

#define FLAG_VERSION		0x1
#define FLAG_REPLY		0x4
#define FLAG_NEED_REPLY		0x8
#define F_PROTOCOL_FEATURES	30
#define PROTOCOL_F_REPLY_ACK	3
#define PROTOCOL_F_BACKEND_REQ	5	/* without it virtio_uml has no interrupt at all */
#define VRING_INDEX_MASK	0xff

struct header {
	uint32_t request, flags, size;
} __attribute__((packed));

struct vring_state {
	uint32_t index, num;
};

struct vring_addr {
	uint32_t index, flags;
	uint64_t desc, used, avail, log;
};

struct mem_table {
	uint32_t num, padding;
	struct {
		uint64_t guest, size, user, offset;
	} region[MESSAGE_FDS];
};

union payload {
	uint64_t u64;
	struct vring_state state;
	struct vring_addr addr;
	struct mem_table mem;
	uint8_t bytes[1024];
};

struct pcidev {
	struct function *f;
	int sock;
	int backend_req;		/* held open: the guest takes its closing for the end of the device */
	struct virtqueue ring[RINGS];
	uint64_t unsent;		/* vectors that wait for an interrupt buffer of the guest */
	uint8_t cmd[CMD_MAX] __attribute__((aligned(8)));
	uint8_t answer[CMD_MAX];
};

static void *pcidev_open(struct function *f, int sock)
{
	struct pcidev *t = calloc(1, sizeof(*t));

	if (!t)
		return NULL;
	t->f = f;
	t->sock = sock;
	t->backend_req = -1;
	for (unsigned int i = 0; i < RINGS; i++)
		virtqueue_init(&t->ring[i]);
	return t;
}

static void pcidev_close(void *ctx)
{
	struct pcidev *t = ctx;

	for (unsigned int i = 0; i < RINGS; i++)
		virtqueue_close(&t->ring[i]);
	if (t->backend_req >= 0)
		close(t->backend_req);
	free(t);
}

static unsigned int pcidev_pollfds(void *ctx, struct pollfd *fds)
{
	struct pcidev *t = ctx;

	fds[0] = (struct pollfd){ .fd = t->sock, .events = POLLIN };
	for (unsigned int i = 0; i < RINGS; i++)
		fds[1 + i] = (struct pollfd){ .fd = t->ring[i].kick, .events = POLLIN };
	return 1 + RINGS;
}

/* ---- interrupts: queue 1 */

static int send_message(struct pcidev *t, unsigned int vector)
{
	struct virtio_pcidev_msg msg = { .op = VIRTIO_PCIDEV_OP_MSI, .size = sizeof(uint32_t) };
	struct virtqueue *q = &t->ring[IRQ_RING];
	struct virtqueue_chain buf;
	uint64_t addr;
	uint32_t data;
	int ret;

	if (!function_message(t->f, vector, &addr, &data))
		return 0;
	ret = virtqueue_pop(q, &t->f->mem, NULL, 0, &buf);
	if (ret == 0)
		t->unsent |= UINT64_C(1) << vector;
	if (ret <= 0)
		return ret;
	if (buf.out_len < sizeof(msg) + sizeof(data))
		return -EPROTO;
	msg.addr = addr;
	memcpy(buf.out, &msg, sizeof(msg));
	memcpy(buf.out + sizeof(msg), &data, sizeof(data));
	t->f->interrupts++;
	return virtqueue_push(q, &t->f->mem, &buf, sizeof(msg) + sizeof(data));
}

static void pcidev_interrupt(void *ctx, unsigned int vector)
{
	if (send_message(ctx, vector))
		fprintf(stderr, "pcidev: the interrupt ring is broken, a message of vector %u is lost\n", vector);
}

static int send_unsent(struct pcidev *t)
{
	uint64_t vectors = t->unsent;

	t->unsent = 0;
	for (unsigned int v = 0; v < t->f->engine.nvectors; v++) {
		int ret = vectors >> v & 1 ? send_message(t, v) : 0;

		if (ret)
			return ret;
	}
	return 0;
}

/* ---- accesses: queue 0 */

/* Carries out one command of `len` bytes; returns the bytes of the answer, at most `room`, or -EPROTO. */
static int carry_out(struct pcidev *t, size_t len, size_t room)
{
	const struct virtio_pcidev_msg *m = (const void *)t->cmd;
	size_t data = len - sizeof(*m);
	bool write;

	if (len < sizeof(*m))
		return -EPROTO;
	write = m->op == VIRTIO_PCIDEV_OP_CFG_WRITE || m->op == VIRTIO_PCIDEV_OP_MMIO_WRITE;
	if (m->size > (write ? data : room) || m->size > CMD_MAX)
		return -EPROTO;
	switch (m->op) {
	case VIRTIO_PCIDEV_OP_CFG_READ:
		function_config_read(t->f, m->addr, t->answer, m->size);
		return (int)m->size;
	case VIRTIO_PCIDEV_OP_MMIO_READ:
		function_bar_read(t->f, m->bar, m->addr, t->answer, m->size);
		return (int)m->size;
	case VIRTIO_PCIDEV_OP_CFG_WRITE:
		function_config_write(t->f, m->addr, m->data, m->size);
		return 0;
	case VIRTIO_PCIDEV_OP_MMIO_WRITE:
		function_bar_write(t->f, m->bar, m->addr, m->data, m->size);
		return 0;
	default:	/* memset_io, which Linux 6.12 sends with a wrong opcode anyhow */
		return -EPROTO;
	}
}

static int serve_commands(struct pcidev *t)
{
	struct virtqueue *q = &t->ring[CMD_RING];
	struct virtqueue_chain buf;
	int ret;

	while ((ret = virtqueue_pop(q, &t->f->mem, t->cmd, sizeof(t->cmd), &buf)) > 0) {
		ret = carry_out(t, buf.in_len, buf.out_len);
		if (ret < 0) {
			fprintf(stderr, "pcidev: opcode %u, %zu bytes in, %zu out: not a command\n", t->cmd[0], buf.in_len,
				buf.out_len);
			return ret;
		}
		if (ret)
			memcpy(buf.out, t->answer, (size_t)ret);
		ret = virtqueue_push(q, &t->f->mem, &buf, (size_t)ret);
		if (ret)
			return ret;
	}
	return ret;
}

/* ---- vhost-user */

static int set_mem_table(struct pcidev *t, const struct mem_table *in, size_t len, const struct message_fds *fds)
{
	if (len < 8 || in->num > MESSAGE_FDS || in->num > fds->n || len < 8 + in->num * sizeof(in->region[0]))
		return -EPROTO;
	memory_unmap_all(&t->f->mem);
	for (uint32_t i = 0; i < in->num; i++) {
		int ret = memory_map(&t->f->mem, in->region[i].guest, in->region[i].user, in->region[i].size, fds->fd[i],
				     in->region[i].offset);
		if (ret)
			return ret;
	}
	return 0;
}

static int set_vring_addr(struct virtqueue *q, const struct vring_addr *in)
{
	if (in->desc % 16 || in->avail % 2 || in->used % 4 || !q->num)
		return -EPROTO;
	q->desc = in->desc;
	q->avail = in->avail;
	q->used = in->used;
	q->ready = true;
	return 0;
}

static void set_fd(int *slot, int fd)
{
	if (*slot >= 0)
		close(*slot);
	*slot = fd;
	if (fd >= 0)
		fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
}

static size_t smallest_payload(uint32_t request)
{
	switch (request) {
	case SET_VRING_NUM: case SET_VRING_BASE: case GET_VRING_BASE: case SET_VRING_ENABLE: return sizeof(struct vring_state);
	case SET_VRING_ADDR: return sizeof(struct vring_addr);
	case SET_VRING_KICK: case SET_VRING_CALL: case SET_VRING_ERR: return sizeof(uint64_t);
	default: return 0;
	}
}

/* 1: *answer is the request's answer; 0: done; or a negative errno. The index of a ring is the first word wherever there is one. */
static int handle(struct pcidev *t, uint32_t request, const union payload *in, size_t len, struct message_fds *fds,
		  uint64_t *answer)
{
	struct virtqueue *q = NULL;

	if (len < smallest_payload(request))
		return -EPROTO;
	if (smallest_payload(request)) {
		uint32_t index = in->state.index & VRING_INDEX_MASK;

		if (index >= RINGS)
			return -EPROTO;
		q = &t->ring[index];
	}
	switch (request) {
	case GET_FEATURES:
		*answer = UINT64_C(1) << VIRTIO_F_VERSION_1 | UINT64_C(1) << F_PROTOCOL_FEATURES |
			  UINT64_C(1) << VIRTIO_RING_F_INDIRECT_DESC;
		return 1;
	case GET_PROTOCOL_FEATURES:
		*answer = UINT64_C(1) << PROTOCOL_F_REPLY_ACK | UINT64_C(1) << PROTOCOL_F_BACKEND_REQ;
		return 1;
	case SET_FEATURES: case SET_PROTOCOL_FEATURES: case SET_OWNER: case SET_VRING_ENABLE: case SET_VRING_ERR:
		return 0;
	case SET_MEM_TABLE:
		return set_mem_table(t, &in->mem, len, fds);
	case SET_VRING_NUM:
		if (!in->state.num || in->state.num > RING_NUM_MAX || in->state.num & (in->state.num - 1))
			return -EPROTO;
		q->num = in->state.num;
		q->ready = false;
		return 0;
	case SET_VRING_ADDR:
		return set_vring_addr(q, &in->addr);
	case SET_VRING_BASE:
		q->next = (uint16_t)in->state.num;
		return 0;
	case GET_VRING_BASE:
		q->ready = false;
		*answer = in->state.index | (uint64_t)q->next << 32;
		return 1;
	case SET_VRING_KICK:
		set_fd(&q->kick, message_take_fd(fds, 0));
		return 0;
	case SET_VRING_CALL:
		set_fd(&q->call, message_take_fd(fds, 0));
		return 0;
	case SET_BACKEND_REQ_FD:
		set_fd(&t->backend_req, message_take_fd(fds, 0));
		return 0;
	default:
		return -EOPNOTSUPP;
	}
}

static int serve_message(struct pcidev *t)
{
	struct {
		struct header header;
		uint64_t value;
	} __attribute__((packed)) out = { .header = { .flags = FLAG_VERSION | FLAG_REPLY, .size = sizeof(out.value) } };
	struct message_fds fds;
	union payload in = { .u64 = 0 };
	struct header header;
	uint64_t answer = 0;
	int ret;

	ret = message_receive(t->sock, &header, sizeof(header), &fds);
	if (ret)
		return ret;
	if (header.size > sizeof(in)) {
		fprintf(stderr, "pcidev: vhost-user request %u of %u bytes is too long\n", header.request, header.size);
		message_close_fds(&fds);
		return -EPROTO;
	}
	ret = message_receive(t->sock, &in, header.size, NULL);
	if (!ret)
		ret = handle(t, header.request, &in, header.size, &fds, &answer);
	message_close_fds(&fds);
	if (ret == -ECONNRESET)
		return ret;
	if (ret < 0)
		fprintf(stderr, "pcidev: vhost-user request %u of %u bytes refused: %s\n", header.request, header.size,
			strerror(-ret));
	if (ret != 1 && !(header.flags & FLAG_NEED_REPLY))
		return ret;
	out.header.request = header.request;
	out.value = ret < 0 ? 1 : answer;
	return message_send(t->sock, &out, sizeof(out));
}

static int pcidev_serve(void *ctx, const struct pollfd *fds)
{
	struct pcidev *t = ctx;
	uint8_t drain[512];
	int ret = 0;

	for (unsigned int i = 0; i < RINGS; i++) {
		if (fds[1 + i].revents & POLLIN && read(fds[1 + i].fd, drain, sizeof(drain)) < 0 && errno != EAGAIN)
			return -errno;
	}
	if (fds[1 + CMD_RING].revents)
		ret = serve_commands(t);
	if (!ret && t->unsent)
		ret = send_unsent(t);
	if (!ret && fds[0].revents)
		ret = serve_message(t);
	return ret;
}

const struct transport transport_pcidev = {
	.name = "virtio-pcidev",
	.open = pcidev_open,
	.close = pcidev_close,
	.pollfds = pcidev_pollfds,
	.serve = pcidev_serve,
	.interrupt = pcidev_interrupt,
};
