// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Translation: replacement with more pages than entries, both page sizes, invalidation at rest and under way, equal addresses of
 * different spaces.
 */
#include <stdlib.h>

#include "fixture.h"

#define PAGE 4096u
#define HUGE (2u << 20)
#define RAM_BYTES (16u << 20)
#define INV_DONE 1u

static struct fixture *f;

static void fill_random(uint8_t *bytes, size_t n)
{
	for (size_t i = 0; i < n; i += 8) {
		uint64_t v = rng_next(&f->rng);

		memcpy(bytes + i, &v, 8);
	}
}

/* A job that copies granules from one device address to another through ABUF, n times. Bases: from 2 * i, to 2 * i + 1. */
struct copy {
	uint64_t from, to;
	uint32_t granules;
};

static void make_copies(struct process *p, const struct copy *c, uint32_t n)
{
	struct eie_cmd plain[16];

	assert_true(n <= 8);
	for (uint32_t i = 0; i < n; i++) {
		p->bases[2 * i] = c[i].from;
		p->bases[2 * i + 1] = c[i].to;
		plain[2 * i] = load1(2 * i, EIE_BUF_ABUF, 0, 100, c[i].granules);
		plain[2 * i + 1] = store1(2 * i + 1, 0, 100, c[i].granules);
	}
	p->desc.ncmds = chain(p->cmds, plain, 2 * n);
	p->desc.nbases = (uint16_t)(2 * n);
}

/* ---- replacement */

static void test_more_pages_than_entries(void **state)
{
	struct process p = process_new(f);
	uint32_t pages = f->b.params.tlb * 3 + 5;
	uint64_t from = board_alloc(&f->b, pages * PAGE, PAGE), to = board_alloc(&f->b, pages * PAGE, PAGE);
	const uint64_t va_from = 0x1000000000ull, va_to = 0x2000000000ull;

	(void)state;
	fill_random(board_at(&f->b, from), pages * PAGE);
	/* pages in an order of their own, so that no two neighbours are neighbours in memory */
	for (uint32_t i = 0; i < pages; i++) {
		uint32_t at = (i * 7 + 3) % pages;

		if (pages % 7 == 0)
			at = (i * 11 + 3) % pages;
		space_map(&p.s, va_from + i * PAGE, from + at * PAGE, PAGE, EIE_PTE_R, false);
		space_map(&p.s, va_to + i * PAGE, to + at * PAGE, PAGE, EIE_PTE_R | EIE_PTE_W, false);
	}
	for (unsigned int job = 0; job < 40; job++) {
		struct copy c[8];
		struct eie_cpl cpl;

		for (unsigned int i = 0; i < 8; i++) {
			c[i].granules = rng_range(&f->rng, 1, 40);
			c[i].from = va_from + rng_range(&f->rng, 0, pages - 2) * PAGE + rng_range(&f->rng, 0, 255) * 16;
			c[i].to = va_to + rng_range(&f->rng, 0, pages - 2) * PAGE + rng_range(&f->rng, 0, 255) * 16;
		}
		make_copies(&p, c, 8);
		process_run(&p, &cpl);   /* compares all memory */
		assert_int_equal(cpl.status, EIE_STATUS_OK);
		assert_true(cpl.tlb_misses > 0);
	}
}

/* Bases, commands, input, output: four pages, which the smallest TLB just holds; with 16 clusters the input has a second one. */
static uint32_t pages_used(const struct process *p)
{
	return 3 + (p->params + PARAM_LEN * f->b.params.clusters - 1) * 16 / PAGE + 1;
}

/* What fits in the TLB misses once. */
static void test_hits(void **state)
{
	struct process p = process_new(f);
	struct eie_cpl cpl;

	(void)state;
	process_run(&p, &cpl);
	assert_int_equal(cpl.tlb_misses, pages_used(&p));
	process_run(&p, &cpl);
	assert_int_equal(cpl.tlb_misses, 0);
	assert_true(board_invalidate(&f->b, (uint16_t)(p.s.asid + 1)));   /* another's */
	process_run(&p, &cpl);
	assert_int_equal(cpl.tlb_misses, 0);
	assert_true(board_invalidate(&f->b, p.s.asid));
	process_run(&p, &cpl);
	assert_int_equal(cpl.tlb_misses, pages_used(&p));
}

/* ---- page sizes */

static void test_huge_pages(void **state)
{
	struct process p = process_new(f);
	uint64_t huge = board_alloc(&f->b, 2 * HUGE, HUGE), small = board_alloc(&f->b, 8 * PAGE, PAGE);
	const uint64_t va = 0x3000000000ull;   /* 2 MiB, then 4 KiB pages, then 2 MiB */

	(void)state;
	space_map(&p.s, va, huge + HUGE, HUGE, EIE_PTE_R | EIE_PTE_W, true);
	space_map(&p.s, va + HUGE, small, 8 * PAGE, EIE_PTE_R | EIE_PTE_W, false);
	space_map(&p.s, va + 2 * (uint64_t)HUGE, huge, HUGE, EIE_PTE_R | EIE_PTE_W, true);
	fill_random(board_at(&f->b, huge), 2 * HUGE);
	fill_random(board_at(&f->b, small), 8 * PAGE);
	for (unsigned int job = 0; job < 10; job++) {
		struct copy c[8];

		for (unsigned int i = 0; i < 8; i++) {
			/* across the border from the large page to the small ones, and anywhere */
			c[i].granules = rng_range(&f->rng, 1, 300);
			c[i].from = va + 16ull * (i & 1 ? HUGE / 16 - rng_range(&f->rng, 1, 299) :
							  rng_range(&f->rng, 0, 120000));
			c[i].to = va + 2 * (uint64_t)HUGE + 16ull * rng_range(&f->rng, 0, 120000);
		}
		make_copies(&p, c, 8);
		process_works(&p);
	}
}

static void test_huge_page_faults(void **state)
{
	struct process p = process_new(f);
	uint64_t huge = board_alloc(&f->b, HUGE, HUGE);
	const uint64_t va = 0x3000000000ull;
	struct copy c = { va, va + PAGE, 4 };

	(void)state;
	space_map(&p.s, va, huge, HUGE, EIE_PTE_R, true);
	make_copies(&p, &c, 1);
	process_fails(&p, EIE_STATUS_PAGE_FAULT, 4, va + PAGE);   /* the STORE: read only */
	c.from = va + HUGE - 16;
	make_copies(&p, &c, 1);
	process_fails(&p, EIE_STATUS_PAGE_FAULT, 1, va + HUGE);   /* the LOAD's second burst */
	process_cmds(&p);
	process_works(&p);
}

/* ---- changes of the tables */

/* A page is taken away and another put in its place. */
static void test_remap(void **state)
{
	struct process p = process_new(f);
	uint64_t pages = board_alloc(&f->b, 4 * PAGE, PAGE);
	const uint64_t va = 0x50000000ull;
	const struct copy c = { va, VA_OUT, 256 };

	(void)state;
	fill_random(board_at(&f->b, pages), 4 * PAGE);
	make_copies(&p, &c, 1);
	/* adding an entry where there was none needs no invalidation */
	process_fails(&p, EIE_STATUS_PAGE_FAULT, 1, va);
	for (unsigned int i = 0; i < 12; i++) {
		space_map(&p.s, va, pages + i % 4 * PAGE, PAGE, EIE_PTE_R, false);
		if (i)
			assert_true(board_invalidate(&f->b, p.s.asid));
		process_works(&p);
		assert_memory_equal(p.out, board_at(&f->b, pages + i % 4 * PAGE), PAGE);
	}
	*space_entry(&p.s, va) = 0;
	assert_true(board_invalidate(&f->b, p.s.asid));
	process_fails(&p, EIE_STATUS_PAGE_FAULT, 1, va);
}

/* The same for a whole table: pointers to tables must be forgotten too. */
static void test_replace_table(void **state)
{
	struct process p = process_new(f), q = process_new(f);
	const uint64_t va = 0x50000000ull;
	const struct copy c = { va, VA_OUT, 8 };
	uint64_t page[2], *entry;

	(void)state;
	for (unsigned int i = 0; i < 2; i++) {
		page[i] = board_alloc(&f->b, PAGE, PAGE);
		fill_random(board_at(&f->b, page[i]), PAGE);
		space_map(i ? &q.s : &p.s, va, page[i], PAGE, EIE_PTE_R, false);
	}
	make_copies(&p, &c, 1);
	process_works(&p);
	/* p's gigabyte of va becomes q's: the level-2 entry */
	entry = (uint64_t *)board_at(&f->b, p.s.root) + (va >> 30);
	*entry = ((uint64_t *)board_at(&f->b, q.s.root))[va >> 30];
	assert_int_equal(*space_entry(&p.s, VA_IN), *space_entry(&q.s, VA_IN));   /* so IN and OUT are q's as well */
	assert_true(board_invalidate(&f->b, p.s.asid));
	process_works(&p);   /* the interpreter's walk goes the new way */
	assert_memory_equal(q.out, board_at(&f->b, page[1]), 128);
}

/* TLB_INV of one address space leaves the other's, ALL takes both. */
static void test_invalidate_all(void **state)
{
	struct process p = process_new(f);
	struct eie_cpl cpl;

	(void)state;
	process_works(&p);
	reg_write(f, EIE_REG_TLB_INV, 1u << EIE_TLB_INV_ALL_SHIFT | (uint32_t)(p.s.asid + 1));
	reg_await(f, EIE_REG_INV_STATUS, INV_DONE, INV_DONE);
	process_run(&p, &cpl);
	assert_int_equal(cpl.tlb_misses, pages_used(&p));
}

/* The same device address in many address spaces, in turns. */
static void test_same_address(void **state)
{
	struct process p[6];

	(void)state;
	for (unsigned int i = 0; i < 6; i++)
		p[i] = process_new(f);
	for (unsigned int i = 0; i < 40; i++)
		process_works(&p[rng_range(&f->rng, 0, 5)]);
}

/* ---- invalidation under way */

/*
 * A bus so slow that nothing asked for after DONE can be answered within SLOW cycles: a read that is answered then was under
 * way when DONE was set.
 */
#define SLOW 900u

static void test_invalidate_in_dma(void **state)
{
	const struct eie_sim_params slow = { .seed = 6, .latency = SLOW };
	const struct copy c = { VA_IN, VA_OUT, 256 };
	struct fixture *quick = f;
	struct process p;
	unsigned int waited = 0;

	(void)state;
	f = fixture_open(&slow, 1u << 20, 2, 2);
	p = process_new(f);
	make_copies(&p, &c, 1);
	for (unsigned int cycles = 100; cycles < 9000; cycles += 377) {
		struct eie_cpl cpl;
		uint64_t reads;

		memset(p.out, 0, OUT_BYTES);
		board_submit(&f->b, &p.desc);
		for (unsigned int i = 0; i < cycles; i++)
			eie_sim_run(f->b.sim, 1);
		reads = f->b.reads;
		reg_write(f, EIE_REG_TLB_INV, p.s.asid);
		reg_await(f, EIE_REG_INV_STATUS, INV_DONE, INV_DONE);
		waited += f->b.reads > reads;
		reads = f->b.reads;
		for (unsigned int i = 0; i < SLOW - 50; i++)
			eie_sim_run(f->b.sim, 1);
		assert_int_equal(f->b.reads, reads);
		fixture_wait(f, &cpl);
		assert_int_equal(cpl.status, EIE_STATUS_OK);
		assert_memory_equal(p.out, p.in, 256 * 16);
	}
	assert_true(waited > 3);
	fixture_close(f);
	f = quick;
}

/*
 * The page is swapped in the middle of the transfer, as a driver that moves a buffer would: once DONE is set the old page must
 * never be touched again, and everything later goes to the new one.
 */
static void test_swap_in_dma(void **state)
{
	struct process p = process_new(f);
	const struct copy c = { VA_IN, VA_OUT, 512 };
	uint64_t old = p.bus_out, fresh = board_alloc(&f->b, OUT_BYTES, PAGE);
	unsigned int mixed = 0;

	(void)state;
	fill_random(p.in, IN_BYTES);
	make_copies(&p, &c, 1);
	for (unsigned int cycles = 150; cycles < 2600; cycles += 61) {
		uint8_t kept[OUT_BYTES];
		struct eie_cpl cpl;
		uint64_t at[2] = { old, fresh };
		unsigned int from_old = 0;

		space_map(&p.s, VA_OUT, old, OUT_BYTES, EIE_PTE_R | EIE_PTE_W, false);
		assert_true(board_invalidate(&f->b, p.s.asid));
		for (unsigned int i = 0; i < 2; i++)
			memset(board_at(&f->b, at[i]), 0, OUT_BYTES);
		board_submit(&f->b, &p.desc);
		for (unsigned int i = 0; i < cycles; i++)
			eie_sim_run(f->b.sim, 1);
		space_map(&p.s, VA_OUT, fresh, OUT_BYTES, EIE_PTE_R | EIE_PTE_W, false);
		assert_true(board_invalidate(&f->b, p.s.asid));
		memcpy(kept, board_at(&f->b, old), OUT_BYTES);
		fixture_wait(f, &cpl);
		assert_int_equal(cpl.status, EIE_STATUS_OK);
		assert_memory_equal(board_at(&f->b, old), kept, OUT_BYTES);
		for (unsigned int g = 0; g < 512; g++) {
			bool in_old = !memcmp(kept + g * 16, p.in + g * 16, 16);
			bool in_new = !memcmp((uint8_t *)board_at(&f->b, fresh) + g * 16, p.in + g * 16, 16);

			assert_true(in_old != in_new);
			from_old += in_old;
		}
		mixed += from_old > 0 && from_old < 512;
	}
	assert_true(mixed > 2);
}

/* Invalidations all the time: everything still goes right. */
static void test_storm(void **state)
{
	struct process p = process_new(f);
	struct copy c[8];

	(void)state;
	for (unsigned int i = 0; i < 8; i++)
		c[i] = (struct copy){ VA_IN + 1024 * i, VA_OUT + 512 * i, 32 };
	fill_random(p.in, IN_BYTES);
	make_copies(&p, c, 8);
	for (unsigned int job = 0; job < 8; job++) {
		struct eie_cpl cpl;

		memset(p.out, 0, OUT_BYTES);
		board_submit(&f->b, &p.desc);
		while (!board_wait(&f->b, &cpl, rng_range(&f->rng, 1, 100)))
			reg_write(f, EIE_REG_TLB_INV,
				  rng_permille(&f->rng, 500) ? 1u << EIE_TLB_INV_ALL_SHIFT : (uint32_t)p.s.asid);
		fixture_check(f, &cpl);
		assert_int_equal(cpl.status, EIE_STATUS_OK);
		for (unsigned int i = 0; i < 8; i++)
			assert_memory_equal(p.out + 512 * i, p.in + 1024 * i, 512);
	}
	reg_await(f, EIE_REG_INV_STATUS, INV_DONE, INV_DONE);
}

int main(int argc, char **argv)
{
	const struct fixture_spec board = { { .seed = 5, .latency = 20, .stall_permille = 50, .jitter = 10 }, RAM_BYTES, 2, 2 };
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_more_pages_than_entries, fixture_each),
		cmocka_unit_test_setup(test_hits, fixture_each),
		cmocka_unit_test_setup(test_huge_pages, fixture_each),
		cmocka_unit_test_setup(test_huge_page_faults, fixture_each),
		cmocka_unit_test_setup(test_remap, fixture_each),
		cmocka_unit_test_setup(test_replace_table, fixture_each),
		cmocka_unit_test_setup(test_invalidate_all, fixture_each),
		cmocka_unit_test_setup(test_same_address, fixture_each),
		cmocka_unit_test_setup(test_invalidate_in_dma, fixture_each),
		cmocka_unit_test_setup(test_swap_in_dma, fixture_each),
		cmocka_unit_test_setup(test_storm, fixture_each),
	};

	return fixture_main(argc, argv, &board, &f, tests);
}
