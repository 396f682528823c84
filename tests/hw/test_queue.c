// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Rings: every small size, wrap-around, phase, a full completion ring, refused doorbells, enabling anew, interrupts, times. */
#include "fixture.h"

#define RAM_BYTES (2u << 20)
#define Q(reg) (EIE_QUEUE_BASE + EIE_REG_Q_##reg)
#define BUSY (1u << EIE_STATUS_BUSY_SHIFT)

static struct fixture *f;

/* The rings are as large as the largest that the tests use; start() makes them smaller. */
static void start(unsigned int sq_log2, unsigned int cq_log2)
{
	f->b.q[0].sq_log2 = sq_log2;
	f->b.q[0].cq_log2 = cq_log2;
	board_start_queue(&f->b);
}

static int reset(void **state)
{
	fixture_each(state);
	start(2, 2);
	reg_write(f, EIE_REG_IRQ_STATUS, ~0u);
	return 0;
}

/* A job without commands: takes the chip and gives it back. */
static struct eie_desc empty_job(uint64_t fence)
{
	return (struct eie_desc){ .fence = fence, .asid = 77 };
}

/* Puts the job into the ring without ringing the bell. */
static void put(uint64_t fence)
{
	struct eie_desc d = empty_job(fence);

	queue_put(&f->b, 0, &d);
}

static void ring(uint16_t sq_tail, uint16_t cq_head)
{
	reg_write(f, Q(DOORBELL), (uint32_t)sq_tail << EIE_Q_DOORBELL_SQ_TAIL_SHIFT |
					  (uint32_t)cq_head << EIE_Q_DOORBELL_CQ_HEAD_SHIFT);
}

static void bell(void)
{
	ring(f->b.q[0].tail, f->b.q[0].cq_head);
}

static void expect(uint64_t fence)
{
	struct eie_cpl cpl;

	fixture_wait(f, &cpl);
	assert_int_equal(cpl.fence, fence);
	assert_int_equal(cpl.status, EIE_STATUS_OK);
}

/* board_wait looks at the phase; here the other bytes of the ring: only whole entries, in order. */
static void test_sizes(void **state)
{
	(void)state;
	for (unsigned int sq = 1; sq <= 5; sq++)
		for (unsigned int cq = 1; cq <= 5; cq++) {
			uint64_t fence = sq * 1000 + cq * 100;
			unsigned int left = 3u << (sq > cq ? sq : cq), at_once = 1u << (sq < cq ? sq : cq);

			start(sq, cq);
			while (left) {
				unsigned int n = left < at_once ? left : at_once;

				for (unsigned int i = 0; i < n; i++)
					put(fence + i);
				bell();
				for (unsigned int i = 0; i < n; i++)
					expect(fence + i);
				fence += n;
				left -= n;
			}
			assert_int_equal(reg_read(f, Q(HEADS)), (uint32_t)f->b.q[0].cq_head << 16 | f->b.q[0].tail);
		}
}

/* Nothing before or behind the ring is touched. */
static void test_ring_bounds(void **state)
{
	uint64_t cq = f->b.q[0].cq;
	uint8_t *guard = board_at(&f->b, cq);

	(void)state;
	f->b.q[0].cq = cq + 4 * EIE_CPL_BYTES;
	memset(guard, 0xc3, 12 * EIE_CPL_BYTES);
	start(2, 2);
	for (unsigned int i = 0; i < 9; i++) {
		put(i);
		bell();
		expect(i);
	}
	for (unsigned int i = 0; i < 4 * EIE_CPL_BYTES; i++) {
		assert_int_equal(guard[i], 0xc3);
		assert_int_equal(guard[8 * EIE_CPL_BYTES + i], 0xc3);
	}
	f->b.q[0].cq = cq;
}

static void test_largest_ring(void **state)
{
	uint64_t sq = f->b.q[0].sq, cq = f->b.q[0].cq;

	(void)state;
	f->b.q[0].sq = board_alloc(&f->b, (size_t)EIE_DESC_BYTES << 12, 128);
	f->b.q[0].cq = board_alloc(&f->b, (size_t)EIE_CPL_BYTES << 12, 128);
	start(12, 12);
	for (unsigned int i = 0; i < 40; i++)
		put(i);
	bell();
	for (unsigned int i = 0; i < 40; i++)
		expect(i);
	f->b.q[0].sq = sq;
	f->b.q[0].cq = cq;
}

/* The counters run modulo 65536. Jobs are cheap, 65536 of them are not: all the way only on the small configuration. */
static void test_counter_wrap(void **state)
{
	unsigned int jobs = fixture_jobs(65536 + 300, 3000);

	(void)state;
	start(8, 8);
	for (unsigned int done = 0; done < jobs;) {
		unsigned int n = jobs - done < 250 ? jobs - done : 250;

		for (unsigned int i = 0; i < n; i++)
			put(done + i);
		bell();
		for (unsigned int i = 0; i < n; i++)
			expect(done + i);
		done += n;
	}
}

static void test_full_completion_ring(void **state)
{
	(void)state;
	start(3, 1);
	for (unsigned int i = 0; i < 5; i++)
		put(i);
	bell();
	eie_sim_run(f->b.sim, 1);
	for (unsigned int i = 0; i < 20; i++)
		eie_sim_run(f->b.sim, 1000);
	/* two entries fit; three jobs wait, without having been taken */
	assert_int_equal(reg_read(f, Q(HEADS)), 2u << 16 | 2);
	assert_int_equal(reg_read(f, EIE_REG_STATUS), 0);
	expect(0);
	bell();
	for (unsigned int i = 0; i < 20; i++)
		eie_sim_run(f->b.sim, 1000);
	assert_int_equal(reg_read(f, Q(HEADS)), 3u << 16 | 3);
	for (unsigned int i = 1; i < 5; i++) {
		expect(i);
		bell();
	}
	assert_int_equal(reg_read(f, Q(HEADS)), 5u << 16 | 5);
}

static void refused(uint16_t sq_tail, uint16_t cq_head)
{
	unsigned int faults = f->b.faults;
	uint32_t heads = reg_read(f, Q(HEADS));

	ring(sq_tail, cq_head);
	assert_int_equal(reg_read(f, Q(STATUS)),
			 EIE_HALT_DOORBELL << EIE_Q_STATUS_CAUSE_SHIFT | 1u << EIE_Q_STATUS_ERROR_SHIFT);
	assert_int_equal(reg_read(f, Q(FAULT_ADDR_LO)) | reg_read(f, Q(FAULT_ADDR_HI)), 0);
	assert_int_equal(f->b.faults, faults + 1);
	assert_int_equal(reg_read(f, EIE_REG_IRQ_STATUS) >> EIE_IRQ_STATUS_FAULT_SHIFT, 1);
	/* no job is taken now, whatever the bell says */
	put(1);
	bell();
	for (unsigned int i = 0; i < 5; i++)
		eie_sim_run(f->b.sim, 1000);
	assert_int_equal(reg_read(f, Q(HEADS)), heads);
	assert_int_equal(reg_read(f, EIE_REG_STATUS), 0);
	assert_int_equal(f->b.faults, faults + 1);
	/* enabled anew it works */
	reg_write(f, EIE_REG_IRQ_STATUS, ~0u);
	start(2, 2);
	assert_int_equal(reg_read(f, Q(STATUS)), 0);
	put(2);
	bell();
	expect(2);
	assert_int_equal(reg_read(f, EIE_REG_IRQ_STATUS), 1);
}

static void test_refused_doorbells(void **state)
{
	(void)state;
	refused(6, 1);            /* five jobs in a ring of four; one was taken by refused() before */
	refused(0, 1);            /* behind the head */
	refused(1, 2);            /* an entry that was not written */
	refused(1, 0xfffc);       /* more unread than the ring holds */
	refused(0x8001, 1);
}

static int reset_one_job(void **state)
{
	reset(state);
	put(0);
	bell();
	expect(0);
	return 0;
}

static void test_disabled(void **state)
{
	(void)state;
	/* no doorbell is taken while the queue is off, and none is refused */
	reg_write(f, Q(CTRL), 0);
	put(1);
	bell();
	eie_sim_run(f->b.sim, 3000);
	assert_int_equal(reg_read(f, Q(HEADS)), 1u << 16 | 1);
	assert_int_equal(reg_read(f, Q(STATUS)), 0);
	start(3, 1);
	assert_int_equal(reg_read(f, Q(HEADS)), 0);
	put(5);
	bell();
	expect(5);

	/* nor does a job start while the device is off */
	reg_write(f, EIE_REG_CTRL, 0);
	put(6);
	bell();
	for (unsigned int i = 0; i < 5; i++)
		eie_sim_run(f->b.sim, 1000);
	assert_int_equal(reg_read(f, Q(HEADS)), 1u << 16 | 1);
	reg_write(f, EIE_REG_CTRL, 1);
	expect(6);
}

/* Disabled with jobs waiting: the running one ends and is reported, no other starts. */
static void test_disabled_busy(void **state)
{
	(void)state;
	put(1);
	put(2);
	put(3);
	bell();
	reg_await(f, EIE_REG_STATUS, BUSY, BUSY);
	assert_int_equal(reg_read(f, Q(STATUS)), 1u << EIE_Q_STATUS_RUNNING_SHIFT);
	reg_write(f, Q(CTRL), 0);
	expect(1);
	for (unsigned int i = 0; i < 5; i++)
		eie_sim_run(f->b.sim, 1000);
	assert_int_equal(reg_read(f, Q(HEADS)), 1u << 16 | 1);
	assert_int_equal(reg_read(f, EIE_REG_STATUS), 0);
}

/* Rewriting bases and sizes does not move a ring in use. */
static void test_registers_in_use(void **state)
{
	(void)state;
	reg_write(f, Q(SQ_BASE_LO), 0xdeadbeef);
	reg_write(f, Q(CQ_BASE_HI), 0x12345678);
	reg_write(f, Q(SIZE), 0x0c0c);
	assert_int_equal(reg_read(f, Q(SQ_BASE_LO)), 0xdeadbe80);
	for (unsigned int i = 0; i < 6; i++) {
		put(i);
		bell();
		expect(i);
	}
}

static void test_interrupts(void **state)
{
	unsigned int irqs;

	(void)state;
	reg_write(f, EIE_REG_IRQ_ENABLE, 0);
	irqs = f->b.q[0].irqs;
	put(1);
	bell();
	expect(1);
	/* the pulse comes with the acknowledged entry: the entry may be seen before it */
	eie_sim_run(f->b.sim, 200);
	assert_int_equal(f->b.q[0].irqs, irqs + 1);
	assert_int_equal(reg_read(f, EIE_REG_IRQ_STATUS), 1);
	assert_int_equal(eie_sim_irq_level(f->b.sim), 0);
	reg_write(f, EIE_REG_IRQ_ENABLE, 1);
	assert_int_equal(eie_sim_irq_level(f->b.sim), 1);
	reg_write(f, EIE_REG_IRQ_STATUS, ~1u);   /* other bits do not clear it */
	assert_int_equal(eie_sim_irq_level(f->b.sim), 1);
	reg_write(f, EIE_REG_IRQ_STATUS, 1);
	assert_int_equal(eie_sim_irq_level(f->b.sim), 0);
	assert_int_equal(reg_read(f, EIE_REG_IRQ_STATUS), 0);

	/* one pulse a job */
	irqs = f->b.q[0].irqs;
	for (unsigned int i = 0; i < 4; i++)
		put(i);
	bell();
	for (unsigned int i = 0; i < 4; i++)
		expect(i);
	eie_sim_run(f->b.sim, 200);
	assert_int_equal(f->b.q[0].irqs, irqs + 4);
	assert_int_equal(eie_sim_irq_level(f->b.sim), 1);

	/* the fault line has an enable of its own */
	reg_write(f, EIE_REG_IRQ_STATUS, ~0u);
	ring(0x4000, f->b.q[0].cq_head);
	assert_int_equal(reg_read(f, EIE_REG_IRQ_STATUS), 1u << EIE_IRQ_STATUS_FAULT_SHIFT);
	assert_int_equal(eie_sim_irq_level(f->b.sim), 0);
	reg_write(f, EIE_REG_IRQ_ENABLE, 1u << EIE_IRQ_STATUS_FAULT_SHIFT);
	assert_int_equal(eie_sim_irq_level(f->b.sim), 1);
	reg_write(f, EIE_REG_IRQ_STATUS, 1u << EIE_IRQ_STATUS_FAULT_SHIFT);
	assert_int_equal(eie_sim_irq_level(f->b.sim), 0);
	reg_write(f, EIE_REG_IRQ_ENABLE, 0);
}

/* Several real jobs at once: times in order and apart, each job's bytes its own. */
static void test_queued_jobs(void **state)
{
	static uint8_t want[4][OUT_BYTES];
	struct process p[4];
	struct eie_cpl cpl;
	uint64_t last;

	(void)state;
	last = reg_read(f, EIE_REG_TIME_LO);
	last |= (uint64_t)reg_read(f, EIE_REG_TIME_HI) << 32;
	for (unsigned int i = 0; i < 4; i++) {
		p[i] = process_new(f);
		process_works(&p[i]);
		memcpy(want[i], p[i].out, OUT_BYTES);
		memset(p[i].out, 0, OUT_BYTES);
	}
	for (unsigned int i = 0; i < 4; i++)
		board_submit(&f->b, &p[i].desc);
	for (unsigned int i = 0; i < 4; i++) {
		fixture_wait(f, &cpl);
		assert_int_equal(cpl.status, EIE_STATUS_OK);
		assert_int_equal(cpl.fence, p[i].desc.fence);
		assert_true(cpl.time_start > last && cpl.time_end > cpl.time_start);
		last = cpl.time_end;
	}
	for (unsigned int i = 0; i < 4; i++)
		assert_memory_equal(p[i].out, want[i], OUT_BYTES);
	assert_true(reg_read(f, EIE_REG_TIME_LO) >= (uint32_t)last);
}

/* Jobs are added while others run. */
static void test_steady_stream(void **state)
{
	uint64_t submitted = 0, seen = 0;

	(void)state;
	start(3, 2);
	while (seen < 300) {
		struct eie_cpl cpl;

		while (submitted < 300 && submitted - seen < 4 && rng_permille(&f->rng, 700)) {
			put(submitted++);
			bell();
		}
		if (board_wait(&f->b, &cpl, rng_range(&f->rng, 1, 200))) {
			fixture_check(f, &cpl);
			assert_int_equal(cpl.fence, seen);
			assert_int_equal(cpl.sq_head, seen + 1);
			seen++;
			if (rng_permille(&f->rng, 500))
				bell();
		}
	}
}

/* As a driver does it: disable, wait for the running job, zero the ring, enable. */
static void test_enabled_anew(void **state)
{
	struct process p = process_new(f);

	(void)state;
	for (unsigned int cycles = 1; cycles < 600; cycles += 47) {
		board_submit(&f->b, &p.desc);
		eie_sim_run(f->b.sim, cycles);
		reg_write(f, Q(CTRL), 0);
		reg_await(f, EIE_REG_STATUS, BUSY, 0);
		start(2, 2);
		put(2);
		bell();
		expect(2);
		assert_int_equal(reg_read(f, Q(HEADS)), 1u << 16 | 1);
		for (uint32_t i = 1; i < 4; i++)
			assert_int_equal(((struct eie_cpl *)board_at(&f->b, f->b.q[0].cq))[i].fence, 0);
	}
}

/*
 * Without the wait: the job that runs has no place for its entry any more (unless that is on its way already, to where the old
 * ring had it), and the new ring works.
 */
static void test_enabled_anew_busy(void **state)
{
	struct process p = process_new(f);

	(void)state;
	for (unsigned int cycles = 1; cycles < 600; cycles += 23) {
		put(2);   /* the old job's entry would be the second: not where the new ring's first one is */
		bell();
		expect(2);
		board_submit(&f->b, &p.desc);
		eie_sim_run(f->b.sim, cycles);
		start(2, 2);
		reg_await(f, EIE_REG_STATUS, BUSY, 0);
		assert_int_equal(reg_read(f, Q(HEADS)), 0);
		put(3);
		bell();
		expect(3);
		assert_int_equal(reg_read(f, Q(HEADS)), 1u << 16 | 1);
		start(2, 2);
	}
}

int main(int argc, char **argv)
{
	const struct fixture_spec board = { { .seed = 4, .latency = 6 }, RAM_BYTES, 8, 8 };
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_sizes, reset),
		cmocka_unit_test_setup(test_ring_bounds, reset),
		cmocka_unit_test_setup(test_largest_ring, reset),
		cmocka_unit_test_setup(test_counter_wrap, reset),
		cmocka_unit_test_setup(test_full_completion_ring, reset),
		cmocka_unit_test_setup(test_refused_doorbells, reset_one_job),
		cmocka_unit_test_setup(test_disabled, reset_one_job),
		cmocka_unit_test_setup(test_disabled_busy, reset),
		cmocka_unit_test_setup(test_registers_in_use, reset),
		cmocka_unit_test_setup(test_interrupts, reset),
		cmocka_unit_test_setup(test_queued_jobs, reset),
		cmocka_unit_test_setup(test_steady_stream, reset),
		cmocka_unit_test_setup(test_enabled_anew, reset),
		cmocka_unit_test_setup(test_enabled_anew_busy, reset),
	};

	return fixture_main(argc, argv, &board, &f, tests);
}
