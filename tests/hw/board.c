// SPDX-License-Identifier: GPL-2.0 OR MIT
#include "board.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PAGE 4096ull
#define HUGE (1ull << 21)

static bool bad(const struct board *b, uint64_t addr, size_t len)
{
	return addr < b->bad_hi && addr + len > b->bad_lo;
}

static int ram_read(void *ctx, uint64_t addr, void *buf, size_t len)
{
	struct board *b = ctx;

	b->reads++;
	if (addr < BOARD_RAM_BASE || addr + len > BOARD_RAM_BASE + b->ram_size || (b->bad_reads && bad(b, addr, len)))
		return -1;
	memcpy(buf, b->ram + (addr - BOARD_RAM_BASE), len);
	return 0;
}

static int ram_write(void *ctx, uint64_t addr, const void *buf, size_t len)
{
	struct board *b = ctx;

	b->writes++;
	if (addr < BOARD_RAM_BASE || addr + len > BOARD_RAM_BASE + b->ram_size || (b->bad_writes && bad(b, addr, len)))
		return -1;
	b->written += len;
	memcpy(b->ram + (addr - BOARD_RAM_BASE), buf, len);
	return 0;
}

static void irq(void *ctx, unsigned int vector)
{
	struct board *b = ctx;

	if (vector == b->params.queues)
		b->faults++;
	else
		b->q[vector].irqs++;
}

void *board_at(struct board *b, uint64_t bus)
{
	return b->ram + (bus - BOARD_RAM_BASE);
}

uint64_t board_alloc(struct board *b, size_t size, size_t align)
{
	size_t at = (b->used + align - 1) / align * align;

	if (at + size > b->ram_size) {
		fprintf(stderr, "board: out of memory\n");
		abort();
	}
	b->used = at + size;
	memset(b->ram + at, 0, size);
	return BOARD_RAM_BASE + at;
}

static void reg(struct board *b, uint32_t offset, uint32_t value)
{
	eie_sim_write32(b->sim, offset, value);
}

uint32_t queue_reg(unsigned int q, uint32_t reg)
{
	return EIE_QUEUE_BASE + q * EIE_QUEUE_STRIDE + reg;
}

void queue_start(struct board *b, unsigned int n)
{
	struct board_queue *q = &b->q[n];

	q->tail = q->cq_head = 0;
	memset(board_at(b, q->cq), 0, (size_t)EIE_CPL_BYTES << q->cq_log2);
	reg(b, queue_reg(n, EIE_REG_Q_CTRL), 0);
	reg(b, queue_reg(n, EIE_REG_Q_SQ_BASE_LO), (uint32_t)q->sq);
	reg(b, queue_reg(n, EIE_REG_Q_SQ_BASE_HI), (uint32_t)(q->sq >> 32));
	reg(b, queue_reg(n, EIE_REG_Q_CQ_BASE_LO), (uint32_t)q->cq);
	reg(b, queue_reg(n, EIE_REG_Q_CQ_BASE_HI), (uint32_t)(q->cq >> 32));
	reg(b, queue_reg(n, EIE_REG_Q_SIZE),
	    q->sq_log2 << EIE_Q_SIZE_SQ_LOG2_SHIFT | q->cq_log2 << EIE_Q_SIZE_CQ_LOG2_SHIFT);
	reg(b, queue_reg(n, EIE_REG_Q_CTRL), 1 << EIE_Q_CTRL_ENABLE_SHIFT);
	reg(b, EIE_REG_CTRL, 1 << EIE_CTRL_ENABLE_SHIFT);
}

void board_start_queue(struct board *b)
{
	queue_start(b, 0);
}

int board_open(struct board *b, const struct eie_sim_params *params, size_t ram_size, unsigned int sq_log2, unsigned int cq_log2)
{
	const struct eie_sim_ops ops = { ram_read, ram_write, irq };
	uint32_t tree[EIE_DT_BYTES_MAX / 4], bytes;
	struct accel_error err;
	int ret;

	memset(b, 0, sizeof(*b));
	b->ram_size = ram_size;
	b->ram = aligned_alloc(HUGE, ram_size);
	if (!b->ram)
		return -ENOMEM;
	ret = eie_sim_create(&b->sim, params, &ops, b);
	if (ret) {
		free(b->ram);
		return ret;
	}
	bytes = eie_sim_read32(b->sim, EIE_REG_DT_SIZE);
	for (uint32_t i = 0; i < bytes && i < sizeof(tree); i += 4)
		tree[i / 4] = eie_sim_read32(b->sim, EIE_DT_BASE + i);
	if (bytes > sizeof(tree) || eie_params_read(tree, bytes, &b->params, &err) || b->params.queues != BOARD_QUEUES) {
		board_close(b);
		return -EPROTO;
	}
	for (unsigned int q = 0; q < BOARD_QUEUES; q++)
		b->q[q] = (struct board_queue){
			.sq = board_alloc(b, (size_t)EIE_DESC_BYTES << sq_log2, 128), .sq_log2 = sq_log2,
			.cq = board_alloc(b, (size_t)EIE_CPL_BYTES << cq_log2, 128), .cq_log2 = cq_log2,
		};
	board_start_queue(b);
	return 0;
}

void board_close(struct board *b)
{
	eie_sim_destroy(b->sim);
	free(b->ram);
}

struct space space_new(struct board *b, uint16_t asid)
{
	return (struct space){ b, board_alloc(b, PAGE, PAGE), asid };
}

/* The entry of va in the table of the level (2, 1, 0), making tables on the way when make is set. */
static uint64_t *entry(struct space *s, uint64_t va, int level, bool make)
{
	uint64_t table = s->root;

	for (int l = 2;; l--) {
		uint64_t *e = (uint64_t *)board_at(s->board, table) + (va >> (12 + 9 * l) & 511);

		if (l == level)
			return e;
		if (!(*e & EIE_PTE_V)) {
			if (!make)
				return NULL;
			*e = board_alloc(s->board, PAGE, PAGE) >> 12 << EIE_PTE_PPN_LSB | EIE_PTE_V;
		}
		if (*e & (EIE_PTE_R | EIE_PTE_W))
			return NULL;
		table = *e >> EIE_PTE_PPN_LSB << 12;
	}
}

void space_map(struct space *s, uint64_t va, uint64_t bus, size_t size, unsigned int perm, bool huge)
{
	uint64_t step = huge ? HUGE : PAGE;

	for (uint64_t at = 0; at < size; at += step)
		*entry(s, va + at, huge, true) = (bus + at) >> 12 << EIE_PTE_PPN_LSB | perm | EIE_PTE_V;
}

uint64_t *space_entry(struct space *s, uint64_t va)
{
	return entry(s, va, 0, true);
}

uint64_t space_walk(const struct space *s, uint64_t va)
{
	struct space t = *s;
	uint64_t *e = entry(&t, va, 1, false), step = HUGE;

	if (e && !(*e & EIE_PTE_R)) {
		e = entry(&t, va, 0, false);
		step = PAGE;
	}
	if (!e || !(*e & EIE_PTE_V))
		return 0;
	return (*e >> EIE_PTE_PPN_LSB << 12) + va % step;
}

void queue_put(struct board *b, unsigned int n, const struct eie_desc *desc)
{
	struct board_queue *q = &b->q[n];

	memcpy(board_at(b, q->sq + (uint64_t)EIE_DESC_BYTES * (q->tail & ((1u << q->sq_log2) - 1))), desc, sizeof(*desc));
	q->tail++;
}

void queue_bell(struct board *b, unsigned int q)
{
	reg(b, queue_reg(q, EIE_REG_Q_DOORBELL), (uint32_t)b->q[q].tail << EIE_Q_DOORBELL_SQ_TAIL_SHIFT |
						 (uint32_t)b->q[q].cq_head << EIE_Q_DOORBELL_CQ_HEAD_SHIFT);
}

void board_submit(struct board *b, const struct eie_desc *desc)
{
	queue_put(b, 0, desc);
	queue_bell(b, 0);
}

bool queue_completed(struct board *b, unsigned int n, struct eie_cpl *cpl)
{
	struct board_queue *q = &b->q[n];
	const struct eie_cpl *e = board_at(b, q->cq + (uint64_t)EIE_CPL_BYTES * (q->cq_head & ((1u << q->cq_log2) - 1)));

	if (e->phase != !(q->cq_head >> q->cq_log2 & 1))
		return false;
	*cpl = *e;
	q->cq_head++;
	return true;
}

bool queue_wait(struct board *b, unsigned int q, struct eie_cpl *cpl, uint64_t cycles)
{
	while (!queue_completed(b, q, cpl)) {
		uint64_t ran;

		if (!cycles)
			return false;
		ran = eie_sim_run(b->sim, cycles < 256 ? cycles : 256);
		cycles -= ran < cycles ? ran : cycles;
	}
	return true;
}

bool board_wait(struct board *b, struct eie_cpl *cpl, uint64_t cycles)
{
	return queue_wait(b, 0, cpl, cycles);
}

bool board_invalidate(struct board *b, uint16_t asid)
{
	reg(b, EIE_REG_TLB_INV, (uint32_t)asid << EIE_TLB_INV_ASID_SHIFT);
	for (int i = 0; i < 10000; i++)
		if (eie_sim_read32(b->sim, EIE_REG_INV_STATUS) & 1)
			return true;
	return false;
}
