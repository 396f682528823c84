/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * The device's side of a split virtqueue (virtio 1.2, section 2.7) in guest memory. The guest may write anything there at any
 * time: every index, address and length is checked against a copy.
 */
#ifndef EIE_SERVER_VIRTQUEUE_H
#define EIE_SERVER_VIRTQUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "memory.h"

struct virtqueue {
	uint32_t num;		/* entries, a power of two; 0: not set up */
	uint64_t desc, avail, used;	/* user addresses; they count when ready */
	bool ready;
	uint16_t next;		/* next entry of the available ring to look at */
	int kick, call;		/* eventfds or pipes; -1: none */
};

/* A chain taken from a ring. */
struct virtqueue_chain {
	uint16_t head;
	size_t in_len;		/* bytes that the guest sent */
	size_t out_len;		/* bytes that the guest has room for, in its first writable buffer */
	uint8_t *out;
};

void virtqueue_init(struct virtqueue *q);
void virtqueue_close(struct virtqueue *q);

/*
 * Takes the next chain; copies what the guest sent, at most `max` bytes, to `in`. 1, 0: there is none, or -EPROTO: the ring or
 * the chain is broken, or the chain is longer than `max`.
 */
int virtqueue_pop(struct virtqueue *q, const struct memory *mem, void *in, size_t max, struct virtqueue_chain *buf);

/* Gives a chain back with `len` bytes written to it, and tells the guest. 0 or -EPROTO. */
int virtqueue_push(struct virtqueue *q, const struct memory *mem, const struct virtqueue_chain *buf, size_t len);

#endif
