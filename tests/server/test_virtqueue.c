// SPDX-License-Identifier: GPL-2.0 OR MIT
/* The device's side of a virtqueue: what a guest may put into the ring, good and bad. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>
#include <linux/virtio_ring.h>

#include "virtqueue.h"

#define RAM	0x100000u	/* bus address; the user address is 0x70000000 above */
#define USER	0x70000000u
#define BYTES	0x10000u
#define NUM	8u

/* offsets in RAM */
#define DESC	0x0u
#define AVAIL	0x1000u
#define USED	0x2000u
#define TABLE	0x3000u		/* for indirect descriptors */
#define DATA	0x4000u

struct guest {
	struct memory mem;
	struct virtqueue q;
	uint8_t *ram;
	struct vring_desc *desc, *table;
	struct vring_avail *avail;
	struct vring_used *used;
	uint8_t in[64];
	struct virtqueue_chain chain;
};

static int set_up(void **state)
{
	struct guest *g = calloc(1, sizeof(*g));
	int fd = memfd_create("ram", MFD_CLOEXEC);

	assert_int_equal(ftruncate(fd, BYTES), 0);
	assert_int_equal(memory_map(&g->mem, RAM, RAM + USER, BYTES, fd, 0), 0);
	close(fd);
	g->ram = memory_at(&g->mem, RAM, BYTES);
	g->desc = (void *)(g->ram + DESC);
	g->table = (void *)(g->ram + TABLE);
	g->avail = (void *)(g->ram + AVAIL);
	g->used = (void *)(g->ram + USED);
	virtqueue_init(&g->q);
	g->q.num = NUM;
	g->q.desc = RAM + USER + DESC;
	g->q.avail = RAM + USER + AVAIL;
	g->q.used = RAM + USER + USED;
	g->q.ready = true;
	g->q.call = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	*state = g;
	return 0;
}

static int tear_down(void **state)
{
	struct guest *g = *state;

	virtqueue_close(&g->q);
	memory_unmap_all(&g->mem);
	free(g);
	return 0;
}

static void offer(struct guest *g, uint16_t head)
{
	g->avail->ring[g->avail->idx % NUM] = head;
	g->avail->idx++;
}

static int pop(struct guest *g)
{
	return virtqueue_pop(&g->q, &g->mem, g->in, sizeof(g->in), &g->chain);
}

static struct vring_desc desc(uint64_t addr, uint32_t len, uint16_t flags, uint16_t next)
{
	return (struct vring_desc){ .addr = addr, .len = len, .flags = flags, .next = next };
}

static void test_chain(void **state)
{
	struct guest *g = *state;
	uint64_t calls;

	memcpy(g->ram + DATA, "hello ", 6);
	memcpy(g->ram + DATA + 100, "guest", 5);
	g->desc[3] = desc(RAM + DATA, 6, VRING_DESC_F_NEXT, 5);
	g->desc[5] = desc(RAM + DATA + 100, 5, VRING_DESC_F_NEXT, 1);
	g->desc[1] = desc(RAM + DATA + 200, 32, VRING_DESC_F_WRITE, 0);
	assert_int_equal(pop(g), 0);
	offer(g, 3);
	assert_int_equal(pop(g), 1);
	assert_int_equal(g->chain.in_len, 11);
	assert_memory_equal(g->in, "hello guest", 11);
	assert_int_equal(g->chain.out_len, 32);
	assert_ptr_equal(g->chain.out, g->ram + DATA + 200);
	assert_int_equal(pop(g), 0);
	assert_int_equal(virtqueue_push(&g->q, &g->mem, &g->chain, 7), 0);
	assert_int_equal(g->used->idx, 1);
	assert_int_equal(g->used->ring[0].id, 3);
	assert_int_equal(g->used->ring[0].len, 7);
	assert_int_equal(read(g->q.call, &calls, sizeof(calls)), sizeof(calls));
	g->avail->flags = VRING_AVAIL_F_NO_INTERRUPT;
	offer(g, 3);
	assert_int_equal(pop(g), 1);
	assert_int_equal(virtqueue_push(&g->q, &g->mem, &g->chain, 0), 0);
	assert_int_equal(read(g->q.call, &calls, sizeof(calls)), -1);
}

static void test_indices_wrap(void **state)
{
	struct guest *g = *state;

	g->q.next = g->avail->idx = g->used->idx = 65530;
	g->desc[2] = desc(RAM + DATA, 4, 0, 0);
	for (int i = 0; i < 20; i++) {
		offer(g, 2);
		assert_int_equal(pop(g), 1);
		assert_int_equal(virtqueue_push(&g->q, &g->mem, &g->chain, 0), 0);
	}
	assert_int_equal(g->used->idx, (uint16_t)(65530 + 20));
}

static void test_indirect(void **state)
{
	struct guest *g = *state;

	memcpy(g->ram + DATA, "ab", 2);
	g->desc[0] = desc(RAM + TABLE, 2 * sizeof(struct vring_desc), VRING_DESC_F_INDIRECT, 0);
	g->table[0] = desc(RAM + DATA, 2, VRING_DESC_F_NEXT, 1);
	g->table[1] = desc(RAM + DATA + 8, 8, VRING_DESC_F_WRITE, 0);
	offer(g, 0);
	assert_int_equal(pop(g), 1);
	assert_int_equal(g->chain.in_len, 2);
	assert_int_equal(g->chain.out_len, 8);
}

static void expect_broken(struct guest *g, uint16_t head)
{
	offer(g, head);
	assert_int_equal(pop(g), -EPROTO);
}

static void test_broken_chains(void **state)
{
	struct guest *g = *state;

	expect_broken(g, NUM);
	expect_broken(g, 65535);
	g->desc[0] = desc(RAM + DATA, 1, VRING_DESC_F_NEXT, NUM);	/* beyond the table */
	expect_broken(g, 0);
	g->desc[0] = desc(RAM + DATA, 1, VRING_DESC_F_NEXT, 0);		/* a loop */
	expect_broken(g, 0);
	g->desc[0] = desc(RAM + BYTES, 1, 0, 0);			/* no memory */
	expect_broken(g, 0);
	g->desc[0] = desc(RAM + BYTES - 1, 2, 0, 0);
	expect_broken(g, 0);
	g->desc[0] = desc(UINT64_MAX, 2, 0, 0);
	expect_broken(g, 0);
	g->desc[0] = desc(RAM + DATA, UINT32_MAX, VRING_DESC_F_WRITE, 0);
	expect_broken(g, 0);
	g->desc[0] = desc(RAM + DATA, sizeof(g->in) + 1, 0, 0);		/* too long */
	expect_broken(g, 0);
	g->desc[0] = desc(RAM + DATA, sizeof(g->in), VRING_DESC_F_NEXT, 1);
	g->desc[1] = desc(RAM + DATA, 1, 0, 0);
	expect_broken(g, 0);
}

static void test_broken_indirect(void **state)
{
	struct guest *g = *state;

	g->table[0] = desc(RAM + DATA, 1, 0, 0);
	g->desc[0] = desc(RAM + TABLE, 17, VRING_DESC_F_INDIRECT, 0);	/* no whole descriptors */
	expect_broken(g, 0);
	g->desc[0] = desc(RAM + TABLE, 0, VRING_DESC_F_INDIRECT, 0);
	expect_broken(g, 0);
	g->desc[0] = desc(RAM + TABLE, 16, VRING_DESC_F_INDIRECT | VRING_DESC_F_NEXT, 0);
	expect_broken(g, 0);
	g->desc[0] = desc(RAM + BYTES - 16, 32, VRING_DESC_F_INDIRECT, 0);
	expect_broken(g, 0);
	g->desc[0] = desc(RAM + TABLE, 16, VRING_DESC_F_INDIRECT, 0);
	g->table[0] = desc(RAM + TABLE, 16, VRING_DESC_F_INDIRECT, 0);	/* within an indirect table */
	expect_broken(g, 0);
	g->table[0] = desc(RAM + DATA, 1, VRING_DESC_F_NEXT, 1);
	expect_broken(g, 0);
}

static void test_ring_outside_memory(void **state)
{
	struct guest *g = *state;
	uint64_t good = g->q.avail;

	g->q.avail = RAM + USER + BYTES - 4;
	assert_int_equal(pop(g), -EPROTO);
	g->q.avail = good;
	g->q.desc = RAM + USER + BYTES - 16;
	assert_int_equal(pop(g), -EPROTO);
	g->q.used = UINT64_MAX;
	assert_int_equal(virtqueue_push(&g->q, &g->mem, &g->chain, 0), -EPROTO);
}

static void test_more_than_the_ring_holds(void **state)
{
	struct guest *g = *state;

	g->desc[0] = desc(RAM + DATA, 1, 0, 0);
	g->avail->idx = NUM + 1;
	assert_int_equal(pop(g), -EPROTO);
	g->avail->idx = NUM;
	assert_int_equal(pop(g), 1);
}

static void test_not_ready(void **state)
{
	struct guest *g = *state;

	offer(g, 0);
	g->q.ready = false;
	assert_int_equal(pop(g), 0);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(test_chain), TEST(test_indices_wrap), TEST(test_indirect), TEST(test_broken_chains),
		TEST(test_broken_indirect), TEST(test_ring_outside_memory), TEST(test_more_than_the_ring_holds),
		TEST(test_not_ready),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
