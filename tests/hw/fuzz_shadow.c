// SPDX-License-Identifier: GPL-2.0 OR MIT
#include "fuzz_shadow.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define PAGE 4096ull
#define FOREIGN_MAX 8u
#define PTE_BEAT 32u   /* the walker reads the beat that its entry is in, of 256 bits at the most */

enum { SHADOW_READ = 1, SHADOW_WRITE = 2, SHADOW_TABLE = 4 };

static bool within(uint64_t addr, size_t len, uint64_t lo, size_t size)
{
	return addr >= lo && addr + len <= lo + size;
}

static unsigned int rights(const struct shadow *s, uint64_t addr)
{
	if (within(addr, 1, BOARD_RAM_BASE, s->npages * PAGE))
		return s->pages[(addr - BOARD_RAM_BASE) / PAGE];
	for (unsigned int i = 0; i < s->nforeign; i++)
		if (s->foreign[i] / PAGE == addr / PAGE)
			return (unsigned int)(s->foreign[i] % PAGE);
	return 0;
}

static bool allowed(const struct shadow *s, uint64_t addr, size_t len, bool write)
{
	unsigned int r;

	if (!s->active || addr / PAGE != (addr + len - 1) / PAGE)
		return false;
	r = rights(s, addr);
	if (write)
		return within(addr, len, s->cpl, EIE_CPL_BYTES) || (r & SHADOW_WRITE);
	return within(addr, len, s->desc, EIE_DESC_BYTES) || (r & SHADOW_READ) || ((r & SHADOW_TABLE) && len <= PTE_BEAT);
}

static void watch(void *ctx, uint64_t addr, size_t len, bool write)
{
	struct shadow *s = ctx;

	if (allowed(s, addr, len, write))
		return;
	if (!s->violations++) {
		s->bad_addr = addr;
		s->bad_len = len;
		s->bad_write = write;
	}
}

int shadow_open(struct shadow *s, struct board *b)
{
	*s = (struct shadow){ .board = b, .npages = b->ram_size / PAGE };
	s->pages = calloc(s->npages, 1);
	s->foreign = calloc(FOREIGN_MAX, sizeof(*s->foreign));
	if (!s->pages || !s->foreign) {
		shadow_close(s);
		return -ENOMEM;
	}
	b->watch = watch;
	b->watch_ctx = s;
	return 0;
}

void shadow_close(struct shadow *s)
{
	free(s->pages);
	free(s->foreign);
}

static void allow(struct shadow *s, uint64_t bus, uint64_t size, unsigned int r)
{
	for (uint64_t at = bus; at < bus + size; at += PAGE)
		if (within(at, PAGE, BOARD_RAM_BASE, s->npages * PAGE))
			s->pages[(at - BOARD_RAM_BASE) / PAGE] |= (uint8_t)r;
		else if (!rights(s, at) && s->nforeign < FOREIGN_MAX)
			s->foreign[s->nforeign++] = at | r;
}

/* Programs of these tests never change page tables, so that tables are sound: valid entries point to tables or memory. */
static void walk(struct shadow *s, uint64_t table, int level)
{
	const uint64_t *e = board_at(s->board, table);

	allow(s, table, PAGE, SHADOW_TABLE);
	for (unsigned int i = 0; i < 512; i++) {
		uint64_t bus = e[i] >> EIE_PTE_PPN_LSB << 12;

		if (!(e[i] & EIE_PTE_V))
			continue;
		if (!(e[i] & EIE_PTE_R))
			walk(s, bus, level - 1);
		else
			allow(s, bus, PAGE << (9 * level), SHADOW_READ | (e[i] & EIE_PTE_W ? SHADOW_WRITE : 0));
	}
}

void shadow_begin(struct shadow *s, const struct space *space, unsigned int queue)
{
	const struct board_queue *q = &s->board->q[queue];

	memset(s->pages, 0, s->npages);
	s->nforeign = 0;
	walk(s, space->root, 2);
	s->desc = q->sq + (uint64_t)EIE_DESC_BYTES * (q->tail & ((1u << q->sq_log2) - 1));
	s->cpl = q->cq + (uint64_t)EIE_CPL_BYTES * (q->cq_head & ((1u << q->cq_log2) - 1));
	s->active = true;
}

void shadow_end(struct shadow *s)
{
	s->active = false;
}
