// SPDX-License-Identifier: GPL-2.0 OR MIT
#include "virtqueue.h"

#include <errno.h>
#include <linux/virtio_ring.h>
#include <string.h>
#include <unistd.h>

void virtqueue_init(struct virtqueue *q)
{
	*q = (struct virtqueue){ .kick = -1, .call = -1 };
}

void virtqueue_close(struct virtqueue *q)
{
	if (q->kick >= 0)
		close(q->kick);
	if (q->call >= 0)
		close(q->call);
	virtqueue_init(q);
}

/* Copies the guest's descriptor i of a table of n. */
static int read_desc(const struct vring_desc *table, uint32_t n, uint32_t i, struct vring_desc *desc)
{
	if (i >= n)
		return -EPROTO;
	memcpy(desc, &table[i], sizeof(*desc));
	return 0;
}

static int take_desc(const struct memory *mem, const struct vring_desc *desc, uint8_t *in, size_t max,
		     struct virtqueue_chain *buf)
{
	void *p = memory_at(mem, desc->addr, desc->len);

	if (!p)
		return -EPROTO;
	if (desc->flags & VRING_DESC_F_WRITE) {
		if (!buf->out) {
			buf->out = p;
			buf->out_len = desc->len;
		}
		return 0;
	}
	if (desc->len > max - buf->in_len)
		return -EPROTO;
	memcpy(in + buf->in_len, p, desc->len);
	buf->in_len += desc->len;
	return 0;
}

int virtqueue_pop(struct virtqueue *q, const struct memory *mem, void *in, size_t max, struct virtqueue_chain *buf)
{
	const struct vring_desc *table;
	const struct vring_avail *avail;
	struct vring_desc desc;
	uint32_t n = q->num;
	uint16_t offered;

	if (!q->ready)
		return 0;
	avail = memory_at_user(mem, q->avail, sizeof(*avail) + q->num * sizeof(avail->ring[0]));
	table = memory_at_user(mem, q->desc, q->num * sizeof(*table));
	if (!avail || !table)
		return -EPROTO;
	offered = (uint16_t)(__atomic_load_n(&avail->idx, __ATOMIC_ACQUIRE) - q->next);
	if (!offered)
		return 0;
	if (offered > q->num)
		return -EPROTO;

	*buf = (struct virtqueue_chain){ .head = avail->ring[q->next % q->num] };
	q->next++;
	if (read_desc(table, n, buf->head, &desc))
		return -EPROTO;
	if (desc.flags & VRING_DESC_F_INDIRECT) {
		if (desc.len % sizeof(desc) || desc.flags & VRING_DESC_F_NEXT)
			return -EPROTO;
		n = desc.len / sizeof(desc);
		table = memory_at(mem, desc.addr, desc.len);
		if (!table || read_desc(table, n, 0, &desc))
			return -EPROTO;
	}
	/* a chain visits each descriptor at most once: a loop ends here */
	for (uint32_t left = n; left--;) {
		if (desc.flags & VRING_DESC_F_INDIRECT || take_desc(mem, &desc, in, max, buf))
			return -EPROTO;
		if (!(desc.flags & VRING_DESC_F_NEXT))
			return 1;
		if (read_desc(table, n, desc.next, &desc))
			return -EPROTO;
	}
	return -EPROTO;
}

int virtqueue_push(struct virtqueue *q, const struct memory *mem, const struct virtqueue_chain *buf, size_t len)
{
	const struct vring_avail *avail = memory_at_user(mem, q->avail, sizeof(*avail));
	struct vring_used *used = memory_at_user(mem, q->used, sizeof(*used) + q->num * sizeof(used->ring[0]));
	const uint64_t one = 1;
	uint16_t idx;

	if (!avail || !used)
		return -EPROTO;
	idx = used->idx;
	used->ring[idx % q->num] = (struct vring_used_elem){ .id = buf->head, .len = (uint32_t)len };
	__atomic_store_n(&used->idx, idx + 1, __ATOMIC_RELEASE);
	/* the guest sets the flag and looks at idx in the other order */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	if (__atomic_load_n(&avail->flags, __ATOMIC_RELAXED) & VRING_AVAIL_F_NO_INTERRUPT || q->call < 0)
		return 0;
	/* a full pipe has told the guest already */
	if (write(q->call, &one, sizeof(one)) < 0 && errno != EAGAIN)
		return -EPROTO;
	return 0;
}
