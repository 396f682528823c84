// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Q_CTRL.RESET and CTRL.RESET at every cycle of a job that reads its descriptor, base table and commands, walks, loads, computes,
 * stores, and writes its entry. What belongs to other queues must come out as if nothing had happened; what the reset queue's job had
 * stored is old or new, granule by granule; everything outside its own output stays.
 */
#include <stdlib.h>

#include "fixture.h"

#define RAM_BYTES (1u << 20)
#define RING_LOG2 2u
#define RESET (1u << EIE_Q_CTRL_RESET_SHIFT)
#define ENABLE (1u << EIE_Q_CTRL_ENABLE_SHIFT)
#define CTRL_RESET (1u << EIE_CTRL_RESET_SHIFT)
#define CTRL_ENABLE (1u << EIE_CTRL_ENABLE_SHIFT)
#define CTRL_ABORT (1u << EIE_CTRL_ABORT_SHIFT)
#define RUNNING (1u << EIE_Q_STATUS_RUNNING_SHIFT)
#define VICTIM 2u

static struct fixture *f;
static struct process job[BOARD_QUEUES];
static struct result want[BOARD_QUEUES];
static uint8_t before[RAM_BYTES];

static int reset(void **state)
{
	fixture_each(state);
	for (unsigned int q = 0; q < BOARD_QUEUES; q++)
		queue_start(&f->b, q);
	for (unsigned int q = 0; q < BOARD_QUEUES; q++) {
		job[q] = process_new(f);
		process_learn(&job[q], &want[q]);
	}
	return 0;
}

static void submit(unsigned int q)
{
	job[q].desc.fence = rng_next(&f->rng);
	queue_put(&f->b, q, &job[q].desc);
	queue_bell(&f->b, q);
}

static void finishes(unsigned int q)
{
	struct eie_cpl cpl;

	fixture_wait_on(f, q, &cpl);
	process_matches(&job[q], &want[q], &cpl);
}

static void expect_cleared(unsigned int q)
{
	static const uint32_t regs[] = {
		EIE_REG_Q_SQ_BASE_LO, EIE_REG_Q_SQ_BASE_HI, EIE_REG_Q_CQ_BASE_LO, EIE_REG_Q_CQ_BASE_HI, EIE_REG_Q_SIZE,
		EIE_REG_Q_CTRL, EIE_REG_Q_STATUS, EIE_REG_Q_DOORBELL, EIE_REG_Q_HEADS, EIE_REG_Q_FAULT_ADDR_LO,
		EIE_REG_Q_FAULT_ADDR_HI,
	};

	for (size_t i = 0; i < sizeof(regs) / sizeof(regs[0]); i++)
		assert_int_equal(reg_read(f, queue_reg(q, regs[i])), 0);
}

static void reset_queue(unsigned int q)
{
	reg_write(f, queue_reg(q, EIE_REG_Q_CTRL), RESET);
	reg_await(f, queue_reg(q, EIE_REG_Q_CTRL), ~0u, 0);
	expect_cleared(q);
}

static bool is_output(size_t at)
{
	for (unsigned int q = 0; q < BOARD_QUEUES; q++)
		if (at >= (size_t)(job[q].out - f->b.ram) && at < (size_t)(job[q].out - f->b.ram) + OUT_BYTES)
			return true;
	return false;
}

/* Only outputs may have changed; in that of queue q a granule is zero or right. */
static void check_memory(unsigned int q)
{
	for (size_t i = f->mark; i < f->b.used; i++)
		if (f->b.ram[i] != before[i] && !is_output(i))
			fail_msg("byte 0x%zx of memory has changed", i);
	for (size_t i = 0; i < OUT_BYTES; i += 16) {
		static const uint8_t zero[16];

		if (memcmp(job[q].out + i, zero, 16) && memcmp(job[q].out + i, want[q].out + i, 16))
			fail_msg("granule %zu of the output is neither old nor new", i / 16);
	}
}

struct outcomes {
	unsigned int not_taken, aborted, finished;
};

/* The entry of queue q's only job, if it was taken before the reset. */
static void count_outcome(unsigned int q, unsigned int irqs, struct outcomes *n)
{
	struct eie_cpl cpl;

	if (!queue_completed(&f->b, q, &cpl)) {
		n->not_taken++;
		assert_int_equal(f->b.q[q].irqs, irqs);
		return;
	}
	fixture_check(f, &cpl);
	assert_int_equal(cpl.fence, job[q].desc.fence);
	assert_int_equal(f->b.q[q].irqs, irqs + 1);
	if (cpl.status == EIE_STATUS_OK) {
		n->finished++;
		assert_memory_equal(job[q].out, want[q].out, OUT_BYTES);
	} else {
		n->aborted++;
		assert_int_equal(cpl.status, EIE_STATUS_ABORTED);
		assert_int_equal(cpl.fault_cmd, 0);
	}
}

static uint64_t job_cycles(unsigned int q)
{
	uint64_t start = eie_sim_cycles(f->b.sim);

	submit(q);
	finishes(q);
	queue_bell(&f->b, q);
	return eie_sim_cycles(f->b.sim) - start;
}

/*
 * The victim's job is on the chip, one waits above it and one below. From the victim's doorbell to past the end of the next job: at
 * every cycle. TLB entries are forgotten each time: walks must be under way too.
 */
static void sweep_queue_reset(unsigned int by, struct outcomes *n)
{
	uint64_t cycles = 2 * job_cycles(VICTIM) + 100;

	for (uint64_t at = 0; at < cycles; at += by) {
		unsigned int irqs;

		/* an entry is seen before its interrupt: that of the last round must not count for this one */
		reg_await(f, EIE_REG_STATUS, ~0u, 0);
		irqs = f->b.q[VICTIM].irqs;
		if (at % 2)
			assert_true(board_invalidate(&f->b, job[VICTIM].s.asid));
		memcpy(before, f->b.ram, f->b.used);
		submit(VICTIM);
		submit(VICTIM + 1);
		submit(VICTIM - 1);
		fixture_cycles(f, at);
		reset_queue(VICTIM);
		count_outcome(VICTIM, irqs, n);
		finishes(VICTIM - 1);
		finishes(VICTIM + 1);
		check_memory(VICTIM);

		memset(job[VICTIM].out, 0, OUT_BYTES);
		queue_start(&f->b, VICTIM);
		if (at % 3 == 0) {
			submit(VICTIM);
			finishes(VICTIM);
		}
		queue_bell(&f->b, VICTIM - 1);
		queue_bell(&f->b, VICTIM + 1);
	}
}

static void test_sweep(void **state)
{
	struct outcomes n = { 0, 0, 0 };

	(void)state;
	sweep_queue_reset(fixture_step(1, 17), &n);   /* every cycle on 2x2 */
	/* all phases were met: the descriptor's way, the job's, its entry's, and the time afterwards */
	assert_true(n.not_taken && n.aborted > 3 * n.not_taken && n.finished);
}

/* The same on a bus that loses cycles and reorders: other interleavings of what is outstanding. */
static void test_sweep_slow_bus(void **state)
{
	const struct eie_sim_params slow = { .seed = 12, .latency = 40, .stall_permille = 250, .jitter = 30 };
	struct fixture *quick = f;
	struct outcomes n = { 0, 0, 0 };

	f = fixture_open(&slow, RAM_BYTES, RING_LOG2, RING_LOG2);
	reset(state);
	sweep_queue_reset(fixture_step(13, 131), &n);
	assert_true(n.not_taken && n.aborted && n.finished);
	fixture_close(f);
	f = quick;
}

/* Long transfers: many bursts and owed write beats are outstanding. */
static void test_sweep_dma(void **state)
{
	struct outcomes n = { 0, 0, 0 };

	(void)state;
	process_busy(&job[VICTIM]);
	process_learn(&job[VICTIM], &want[VICTIM]);
	sweep_queue_reset(fixture_step(7, 83), &n);
	assert_true(n.aborted && n.finished);
}

/* ---- registers */

static void test_idle(void **state)
{
	(void)state;
	for (unsigned int q = 0; q < BOARD_QUEUES; q++) {
		/* ENABLE in the same write does not count */
		reg_write(f, queue_reg(q, EIE_REG_Q_CTRL), RESET | ENABLE);
		reg_await(f, queue_reg(q, EIE_REG_Q_CTRL), ~0u, 0);
		expect_cleared(q);
		for (unsigned int i = 0; i < BOARD_QUEUES; i++)
			if (i != q) {
				submit(i);
				finishes(i);
				queue_bell(&f->b, i);
			}
		queue_start(&f->b, q);
		submit(q);
		finishes(q);
		queue_bell(&f->b, q);
	}
}

/* Jobs that wait in the ring go with it; nobody else's do. */
static void test_waiting_jobs(void **state)
{
	struct eie_cpl cpl;

	(void)state;
	for (unsigned int q = 1; q < BOARD_QUEUES; q++) {
		submit(0);
		for (unsigned int i = 1; i < BOARD_QUEUES; i++) {
			submit(i);
			submit(i);
		}
		reset_queue(q);   /* queue 0's job is on the chip */
		finishes(0);
		for (unsigned int i = 1; i < BOARD_QUEUES; i++) {
			if (i == q)
				continue;
			fixture_wait_on(f, i, &cpl);
			assert_int_equal(cpl.status, EIE_STATUS_OK);
			finishes(i);
		}
		fixture_cycles(f, 1000);
		assert_false(queue_completed(&f->b, q, &cpl));
		queue_start(&f->b, q);
		submit(q);
		finishes(q);
		for (unsigned int i = 0; i < BOARD_QUEUES; i++)
			queue_bell(&f->b, i);
	}
}

/* What is written to the queue while RESET reads 1 is lost; a second RESET makes no difference. */
static void test_writes_meanwhile(void **state)
{
	const struct eie_sim_params slow = { .seed = 13, .latency = 400 };
	struct fixture *quick = f;
	struct eie_cpl cpl;

	f = fixture_open(&slow, RAM_BYTES, RING_LOG2, RING_LOG2);
	reset(state);
	job[1].cmds[C_COUNT] = sync0();   /* for ever: the reset finds it, and its entry takes its time */
	PG_SET(&job[1].cmds[C_COUNT], WAIT_PREV, 1);
	job[1].desc.ncmds++;
	submit(1);
	fixture_cycles(f, 3000);
	assert_int_equal(reg_read(f, queue_reg(1, EIE_REG_Q_STATUS)), RUNNING);
	reg_write(f, queue_reg(1, EIE_REG_Q_CTRL), RESET);
	assert_int_equal(reg_read(f, queue_reg(1, EIE_REG_Q_CTRL)), RESET);
	reg_write(f, queue_reg(1, EIE_REG_Q_SIZE), 0x0303);
	reg_write(f, queue_reg(1, EIE_REG_Q_CTRL), ENABLE);
	reg_write(f, queue_reg(1, EIE_REG_Q_DOORBELL), f->b.q[1].tail + 1u);
	reg_write(f, queue_reg(1, EIE_REG_Q_CTRL), RESET | ENABLE);
	reg_write(f, queue_reg(1, EIE_REG_Q_SQ_BASE_LO), 0x12345680);
	assert_int_equal(reg_read(f, queue_reg(1, EIE_REG_Q_CTRL)), RESET);
	assert_int_equal(reg_read(f, queue_reg(1, EIE_REG_Q_STATUS)), RUNNING);
	reg_await(f, queue_reg(1, EIE_REG_Q_CTRL), ~0u, 0);
	expect_cleared(1);
	fixture_wait_on(f, 1, &cpl);
	assert_int_equal(cpl.status, EIE_STATUS_ABORTED);
	fixture_close(f);
	f = quick;
}

/* A reset of a queue that stopped, and one that meets the bus error of its own entry. */
static void test_errors(void **state)
{
	(void)state;
	for (unsigned int at = 0; at < 700; at += fixture_step(23, 91)) {
		unsigned int faults = f->b.faults;
		bool reads = at % 2;

		submit(3);   /* the longest of all: keeps the chip until the rest is there */
		f->b.bad_reads = reads;
		f->b.bad_writes = !reads;
		f->b.bad_lo = reads ? f->b.q[1].sq : f->b.q[1].cq;
		f->b.bad_hi = f->b.bad_lo + (EIE_DESC_BYTES << RING_LOG2);
		submit(1);
		submit(2);
		fixture_cycles(f, at);
		reset_queue(1);
		f->b.bad_reads = f->b.bad_writes = false;
		assert_in_range(f->b.faults, faults, faults + 1);
		finishes(3);
		finishes(2);
		memset(job[1].out, 0, OUT_BYTES);
		queue_start(&f->b, 1);
		submit(1);
		finishes(1);
		for (unsigned int i = 1; i < BOARD_QUEUES; i++)
			queue_bell(&f->b, i);
	}
}

/* All queues at once, under an abort of the device, in front of a reset of the device. */
static void test_together(void **state)
{
	(void)state;
	for (unsigned int at = 0; at < 2000; at += fixture_step(71, 271)) {
		for (unsigned int q = 0; q < BOARD_QUEUES; q++) {
			submit(q);
			submit(q);
		}
		fixture_cycles(f, at);
		if (at % 2)
			reg_write(f, EIE_REG_CTRL, CTRL_ENABLE | CTRL_ABORT);
		for (unsigned int q = 0; q < BOARD_QUEUES; q++)
			reg_write(f, queue_reg(q, EIE_REG_Q_CTRL), RESET);
		if (at % 3 == 0)
			reg_write(f, EIE_REG_CTRL, CTRL_ENABLE | CTRL_RESET);
		for (unsigned int q = 0; q < BOARD_QUEUES; q++)
			reg_await(f, queue_reg(q, EIE_REG_Q_CTRL), ~0u, 0);
		reg_await(f, EIE_REG_CTRL, CTRL_RESET, 0);
		reg_write(f, EIE_REG_CTRL, CTRL_ENABLE);
		for (unsigned int q = 0; q < BOARD_QUEUES; q++) {
			expect_cleared(q);
			memset(job[q].out, 0, OUT_BYTES);
		}
		for (unsigned int q = 0; q < BOARD_QUEUES; q++)
			queue_start(&f->b, q);
		for (unsigned int q = 0; q < BOARD_QUEUES; q++)
			submit(q);
		for (unsigned int q = 0; q < BOARD_QUEUES; q++)
			finishes(q);
		assert_int_equal(eie_sim_assert_failed(f->b.sim), 0);
	}
}

/* ---- the device */

/* CTRL.RESET at every cycle of two jobs in two queues, more waiting. What had an entry had run or says ABORTED. */
static void test_device_sweep(void **state)
{
	uint64_t cycles = 2 * job_cycles(0) + 100;
	struct outcomes n = { 0, 0, 0 };

	(void)state;
	for (uint64_t at = 0; at < cycles; at += fixture_step(1, 17)) {
		unsigned int irqs[BOARD_QUEUES];
		uint64_t reads, writes;

		reg_await(f, EIE_REG_STATUS, ~0u, 0);
		if (at % 2)
			assert_true(board_invalidate(&f->b, job[VICTIM].s.asid));
		memcpy(before, f->b.ram, f->b.used);
		reg_write(f, EIE_REG_IRQ_ENABLE, 0x5);
		reg_write(f, EIE_REG_IRQ_STATUS, ~0u);
		submit(VICTIM);
		for (unsigned int q = 0; q < BOARD_QUEUES; q++) {
			irqs[q] = f->b.q[q].irqs;
			if (q != VICTIM)
				submit(q);
		}
		fixture_cycles(f, at);
		reg_write(f, EIE_REG_CTRL, CTRL_RESET | CTRL_ENABLE);
		reg_await(f, EIE_REG_CTRL, ~0u, CTRL_ENABLE);
		reads = f->b.reads;
		writes = f->b.writes;
		assert_int_equal(reg_read(f, EIE_REG_STATUS), 0);
		assert_int_equal(reg_read(f, EIE_REG_IRQ_ENABLE), 0x5);
		for (unsigned int q = 0; q < BOARD_QUEUES; q++) {
			expect_cleared(q);
			count_outcome(q, irqs[q], &n);
			assert_int_equal(reg_read(f, EIE_REG_IRQ_STATUS) >> q & 1, f->b.q[q].irqs > irqs[q]);
			check_memory(q);
		}
		fixture_cycles(f, 100);
		assert_int_equal(f->b.reads, reads);
		assert_int_equal(f->b.writes, writes);
		for (unsigned int q = 0; q < BOARD_QUEUES; q++) {
			memset(job[q].out, 0, OUT_BYTES);
			queue_start(&f->b, q);
		}
		submit(at % BOARD_QUEUES);
		finishes(at % BOARD_QUEUES);
		queue_bell(&f->b, at % BOARD_QUEUES);
	}
	assert_true(n.not_taken && n.aborted && n.finished);
}

int main(int argc, char **argv)
{
	const struct fixture_spec board = { { .seed = 12, .latency = 16 }, RAM_BYTES, RING_LOG2, RING_LOG2 };
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_sweep, reset),
		cmocka_unit_test_setup(test_sweep_slow_bus, reset),
		cmocka_unit_test_setup(test_sweep_dma, reset),
		cmocka_unit_test_setup(test_idle, reset),
		cmocka_unit_test_setup(test_waiting_jobs, reset),
		cmocka_unit_test_setup(test_writes_meanwhile, reset),
		cmocka_unit_test_setup(test_errors, reset),
		cmocka_unit_test_setup(test_together, reset),
		cmocka_unit_test_setup(test_device_sweep, reset),
	};

	return fixture_main(argc, argv, &board, &f, tests);
}
