// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Several queues: strict priority between jobs, one vector each, a fault vector; and what happens to one queue (faults, hangs, bus
 * errors on its own rings, refused doorbells) changes nothing in another.
 */
#include <stdlib.h>

#include "fixture.h"

#define RAM_BYTES (2u << 20)
#define RING_LOG2 2u
#define RING (1u << RING_LOG2)
#define FAULT (1u << EIE_IRQ_STATUS_FAULT_SHIFT)

static struct fixture *f;

/* A process and its result for every queue; made anew for each test. */
static struct process job[BOARD_QUEUES];
static struct result want[BOARD_QUEUES];

static void start(unsigned int log2)
{
	for (unsigned int q = 0; q < BOARD_QUEUES; q++) {
		f->b.q[q].sq_log2 = f->b.q[q].cq_log2 = log2;
		queue_start(&f->b, q);
	}
}

static int reset(void **state)
{
	fixture_each(state);
	start(RING_LOG2);
	for (unsigned int q = 0; q < BOARD_QUEUES; q++) {
		job[q] = process_new(f);
		process_learn(&job[q], &want[q]);
	}
	reg_write(f, EIE_REG_IRQ_STATUS, ~0u);
	return 0;
}

static uint32_t qread(unsigned int q, uint32_t reg)
{
	return reg_read(f, queue_reg(q, reg));
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

/* Waits until the job on the chip is of queue q. */
static void await_running(unsigned int q)
{
	reg_await(f, queue_reg(q, EIE_REG_Q_STATUS), 1u << EIE_Q_STATUS_RUNNING_SHIFT, 1u << EIE_Q_STATUS_RUNNING_SHIFT);
}

static uint64_t now(void)
{
	uint64_t lo = reg_read(f, EIE_REG_TIME_LO);

	return lo | (uint64_t)reg_read(f, EIE_REG_TIME_HI) << 32;
}

/* ---- priorities */

/* A full low queue has its first job on the chip; the job that a higher queue gets meanwhile is next, whenever it comes. */
static void test_later_but_higher(void **state)
{
	(void)state;
	for (unsigned int low = 1; low < BOARD_QUEUES; low++)
		for (unsigned int high = 0; high < low; high++)
			for (unsigned int at = 0; at < 300; at += fixture_step(37, 111)) {
				unsigned int between = 0;
				struct eie_cpl cpl, first;
				uint64_t rung;

				for (unsigned int i = 0; i < RING; i++)
					queue_put(&f->b, low, &job[low].desc);
				queue_bell(&f->b, low);
				await_running(low);
				fixture_cycles(f, at);
				submit(high);
				rung = now();
				fixture_wait_on(f, high, &first);
				process_matches(&job[high], &want[high], &first);
				for (unsigned int i = 0; i < RING; i++) {
					fixture_wait_on(f, low, &cpl);
					assert_int_equal(cpl.status, EIE_STATUS_OK);
					between += cpl.time_end > rung && cpl.time_start < first.time_start;
				}
				assert_true(between <= 1);   /* the one that was on the chip */
				assert_true(cpl.time_start > first.time_end);
				process_matches(&job[low], &want[low], &cpl);
				queue_bell(&f->b, low);
				queue_bell(&f->b, high);
			}
}

/* Everybody waits while a job of the lowest level is on the chip: then they come by level, each ring in order. */
static void test_levels(void **state)
{
	uint64_t last = 0;
	struct eie_cpl cpl;

	(void)state;
	submit(BOARD_QUEUES - 1);
	await_running(BOARD_QUEUES - 1);
	for (unsigned int q = BOARD_QUEUES; q-- > 0;) {
		for (unsigned int i = q == BOARD_QUEUES - 1; i < RING; i++) {
			job[q].desc.fence = q * 100 + i;
			queue_put(&f->b, q, &job[q].desc);
		}
		queue_bell(&f->b, q);
	}
	fixture_wait_on(f, BOARD_QUEUES - 1, &cpl);
	last = cpl.time_end;
	for (unsigned int q = 0; q < BOARD_QUEUES; q++)
		for (unsigned int i = q == BOARD_QUEUES - 1; i < RING; i++) {
			fixture_wait_on(f, q, &cpl);
			assert_int_equal(cpl.fence, q * 100 + i);
			assert_true(cpl.time_start > last);
			last = cpl.time_end;
		}
}

/* A queue whose completion ring is full, or that is off, does not hold up those below it. */
static void test_blocked_level(void **state)
{
	(void)state;
	f->b.q[0].sq_log2 = 3;
	f->b.q[0].cq_log2 = 1;
	queue_start(&f->b, 0);
	for (unsigned int i = 0; i < 5; i++)
		queue_put(&f->b, 0, &job[0].desc);
	queue_bell(&f->b, 0);
	submit(3);
	finishes(3);
	assert_int_equal(qread(0, EIE_REG_Q_HEADS), 2u << 16 | 2);
	reg_write(f, queue_reg(0, EIE_REG_Q_CTRL), 0);
	submit(2);
	finishes(2);
	f->b.q[0].sq_log2 = RING_LOG2;   /* the ring's memory was meant for that */
}

/*
 * Random submissions in rings that wrap all the time. Of every job the time before which its doorbell was rung is known, and the
 * times in its entry; the order must be one that strict priority allows: no job starts while one of a higher level, known to the
 * device since before the previous job ended, still waits.
 */
struct record {
	unsigned int q;
	uint64_t rung, start, end;
};

static int by_start(const void *a, const void *b)
{
	const struct record *x = a, *y = b;

	return x->start < y->start ? -1 : x->start > y->start;
}

static void check_order(struct record *r, unsigned int n)
{
	unsigned int overtaken = 0;

	qsort(r, n, sizeof(*r), by_start);
	for (unsigned int i = 1; i < n; i++) {
		assert_true(r[i].start > r[i - 1].end);
		for (unsigned int k = i + 1; k < n; k++)
			if (r[k].q < r[i].q && r[k].rung < r[i - 1].end)
				fail_msg("a job of queue %u started before one of queue %u that had waited", r[i].q, r[k].q);
		for (unsigned int k = 0; k < i; k++)
			overtaken += r[i].rung < r[k].rung;
	}
	assert_true(overtaken > n / 8);   /* there was something to decide */
}

static void arbitrate(unsigned int log2, unsigned int jobs)
{
	struct record *r = calloc(jobs, sizeof(*r));
	unsigned int given = 0, seen = 0, head[BOARD_QUEUES] = { 0 }, waiting[BOARD_QUEUES] = { 0 };
	unsigned int (*order)[64] = calloc(BOARD_QUEUES, sizeof(*order));   /* records of the jobs in each ring */

	assert_true(r && order);
	start(log2);
	while (seen < jobs) {
		unsigned int q = rng_range(&f->rng, 0, BOARD_QUEUES - 1);
		struct eie_cpl cpl;

		if (given < jobs && waiting[q] < 1u << log2 && rng_permille(&f->rng, 600)) {
			order[q][(head[q] + waiting[q]++) % 64] = given;
			r[given].q = q;
			job[q].desc.fence = given;
			queue_put(&f->b, q, &job[q].desc);
			queue_bell(&f->b, q);
			r[given++].rung = now();
		}
		fixture_cycles(f, rng_range(&f->rng, 0, 400));
		for (q = 0; q < BOARD_QUEUES; q++)
			while (queue_completed(&f->b, q, &cpl)) {
				struct record *x = &r[order[q][head[q]++ % 64]];

				fixture_check(f, &cpl);
				assert_int_equal(cpl.status, EIE_STATUS_OK);
				assert_int_equal(cpl.fence, x - r);
				assert_int_equal(cpl.macs, want[q].macs);
				assert_memory_equal(job[q].out, want[q].out, OUT_BYTES);
				x->start = cpl.time_start;
				x->end = cpl.time_end;
				waiting[q]--;
				seen++;
			}
	}
	check_order(r, jobs);
	free(order);
	free(r);
}

static void test_arbitration(void **state)
{
	unsigned int jobs = fixture_jobs(600, 150);

	(void)state;
	for (unsigned int log2 = 1; log2 <= 3; log2++)
		arbitrate(log2, jobs);
}

/* ---- vectors */

static void test_vectors(void **state)
{
	unsigned int before[BOARD_QUEUES], faults = f->b.faults;

	(void)state;
	for (unsigned int q = 0; q < BOARD_QUEUES; q++) {
		for (unsigned int i = 0; i < BOARD_QUEUES; i++)
			before[i] = f->b.q[i].irqs;
		submit(q);
		finishes(q);
		fixture_cycles(f, 200);
		for (unsigned int i = 0; i < BOARD_QUEUES; i++)
			assert_int_equal(f->b.q[i].irqs, before[i] + (i == q));
		assert_int_equal(f->b.faults, faults);
		assert_int_equal(reg_read(f, EIE_REG_IRQ_STATUS), 1u << q);
		/* the line is up for the queues that are enabled only */
		reg_write(f, EIE_REG_IRQ_ENABLE, ~(1u << q));
		assert_int_equal(eie_sim_irq_level(f->b.sim), 0);
		reg_write(f, EIE_REG_IRQ_ENABLE, 1u << q);
		assert_int_equal(eie_sim_irq_level(f->b.sim), 1);
		reg_write(f, EIE_REG_IRQ_STATUS, 1u << q);
		assert_int_equal(eie_sim_irq_level(f->b.sim), 0);
		assert_int_equal(reg_read(f, EIE_REG_IRQ_STATUS), 0);
	}
	assert_int_equal(reg_read(f, EIE_REG_NQUEUES), BOARD_QUEUES);
	reg_write(f, EIE_REG_IRQ_ENABLE, 0);
}

/* ---- a queue that stops stops alone */

static void spoil(uint64_t at, bool reads, bool writes)
{
	f->b.bad_lo = at;
	f->b.bad_hi = reads || writes ? at + 16 : at;
	f->b.bad_reads = reads;
	f->b.bad_writes = writes;
}

/* Queue q has stopped for that reason; the other queues, who have jobs waiting, are served. */
static void stopped_alone(unsigned int q, uint32_t cause, uint64_t addr, unsigned int faults)
{
	for (unsigned int i = 0; i < BOARD_QUEUES; i++)
		if (i != q)
			finishes(i);
	reg_await(f, queue_reg(q, EIE_REG_Q_STATUS), 1u << EIE_Q_STATUS_ERROR_SHIFT, 1u << EIE_Q_STATUS_ERROR_SHIFT);
	assert_int_equal(f->b.faults, faults + 1);
	assert_int_equal(reg_read(f, EIE_REG_IRQ_STATUS) & FAULT, FAULT);
	for (unsigned int i = 0; i < BOARD_QUEUES; i++) {
		assert_int_equal(qread(i, EIE_REG_Q_STATUS),
				 i == q ? cause << EIE_Q_STATUS_CAUSE_SHIFT | 1u << EIE_Q_STATUS_ERROR_SHIFT : 0);
		assert_int_equal(qread(i, EIE_REG_Q_FAULT_ADDR_LO), i == q ? (uint32_t)addr : 0);
		assert_int_equal(qread(i, EIE_REG_Q_FAULT_ADDR_HI), i == q ? addr >> 32 : 0);
	}
	assert_int_equal(reg_read(f, EIE_REG_STATUS), 0);
	reg_write(f, EIE_REG_IRQ_STATUS, ~0u);
	spoil(0, false, false);
	memset(job[q].out, 0, OUT_BYTES);
	queue_start(&f->b, q);
	assert_int_equal(qread(q, EIE_REG_Q_STATUS), 0);
	submit(q);
	finishes(q);
}

static void test_descriptor_errors(void **state)
{
	(void)state;
	for (unsigned int q = 0; q < BOARD_QUEUES; q++)
		for (unsigned int beat = 0; beat < EIE_DESC_BYTES; beat += 48) {
			unsigned int faults = f->b.faults, first = (q + 1) % BOARD_QUEUES;
			uint64_t at = f->b.q[q].sq + (uint64_t)EIE_DESC_BYTES * (f->b.q[q].tail % RING);

			spoil(at + beat, true, false);
			submit(first);   /* on the chip while the others come */
			for (unsigned int i = 0; i < BOARD_QUEUES; i++)
				if (i != first)
					submit(i);
			stopped_alone(q, EIE_HALT_DESC_READ, at, faults);
		}
}

static void test_completion_errors(void **state)
{
	(void)state;
	for (unsigned int q = 0; q < BOARD_QUEUES; q++) {
		unsigned int faults = f->b.faults, irqs = f->b.q[q].irqs;
		uint64_t at = f->b.q[q].cq + (uint64_t)EIE_CPL_BYTES * (f->b.q[q].cq_head % RING);
		uint32_t heads = qread(q, EIE_REG_Q_HEADS);

		spoil(at, false, true);
		submit(q);
		for (unsigned int i = 0; i < BOARD_QUEUES; i++)
			if (i != q)
				submit(i);
		reg_await(f, queue_reg(q, EIE_REG_Q_STATUS), 1u << EIE_Q_STATUS_ERROR_SHIFT, 1u << EIE_Q_STATUS_ERROR_SHIFT);
		/* the job has run, only its entry is lost */
		assert_int_equal(qread(q, EIE_REG_Q_HEADS), heads + (1u << 16 | 1));
		assert_memory_equal(job[q].out, want[q].out, OUT_BYTES);
		assert_int_equal(f->b.q[q].irqs, irqs);
		stopped_alone(q, EIE_HALT_CPL_WRITE, at, faults);
	}
}

static void test_refused_doorbells(void **state)
{
	(void)state;
	for (unsigned int q = 0; q < BOARD_QUEUES; q++) {
		unsigned int faults = f->b.faults;

		for (unsigned int i = 0; i < BOARD_QUEUES; i++)
			if (i != q)
				submit(i);
		reg_write(f, queue_reg(q, EIE_REG_Q_DOORBELL), (f->b.q[q].tail + RING + 1u) & 0xffff);
		stopped_alone(q, EIE_HALT_DOORBELL, 0, faults);
	}
}

/* A refused doorbell stops the ring, not the job on the chip; a bus error on that job's entry then is the graver cause. */
static void test_two_causes(void **state)
{
	unsigned int faults = f->b.faults;
	uint64_t at = f->b.q[1].cq + (uint64_t)EIE_CPL_BYTES * (f->b.q[1].cq_head % RING);

	(void)state;
	submit(1);
	await_running(1);
	reg_write(f, queue_reg(1, EIE_REG_Q_DOORBELL), 0x7000);
	assert_int_equal(qread(1, EIE_REG_Q_STATUS), EIE_HALT_DOORBELL << EIE_Q_STATUS_CAUSE_SHIFT |
						     1u << EIE_Q_STATUS_ERROR_SHIFT | 1u << EIE_Q_STATUS_RUNNING_SHIFT);
	finishes(1);
	queue_start(&f->b, 1);

	at = f->b.q[1].cq;
	spoil(at, false, true);
	submit(1);
	await_running(1);
	reg_write(f, queue_reg(1, EIE_REG_Q_DOORBELL), 0x7000);
	reg_await(f, EIE_REG_STATUS, 1u << EIE_STATUS_BUSY_SHIFT, 0);
	assert_int_equal(f->b.faults, faults + 3);
	assert_int_equal(qread(1, EIE_REG_Q_STATUS),
			 EIE_HALT_CPL_WRITE << EIE_Q_STATUS_CAUSE_SHIFT | 1u << EIE_Q_STATUS_ERROR_SHIFT);
	assert_int_equal(qread(1, EIE_REG_Q_FAULT_ADDR_LO), (uint32_t)at);
	spoil(0, false, false);
	memset(job[1].out, 0, OUT_BYTES);
	queue_start(&f->b, 1);
	submit(1);
	finishes(1);
}

/* ---- jobs that fail, and jobs that hang */

/* Every kind of failure in one queue, right results in the others, before and after. */
static void test_faulting_neighbour(void **state)
{
	static const uint32_t status[] = { EIE_STATUS_BAD_DESCRIPTOR, EIE_STATUS_BAD_COMMAND, EIE_STATUS_PAGE_FAULT,
					   EIE_STATUS_BUS_ERROR, EIE_STATUS_UNWRITTEN, EIE_STATUS_TIMEOUT };

	(void)state;
	for (unsigned int q = 0; q < BOARD_QUEUES; q++)
		for (unsigned int k = 0; k < sizeof(status) / sizeof(status[0]); k++) {
			struct process bad = process_new(f);
			struct eie_cpl cpl;

			switch (status[k]) {
			case EIE_STATUS_BAD_DESCRIPTOR:
				bad.desc.root |= 8;
				break;
			case EIE_STATUS_BAD_COMMAND:
				PG_SET(&bad.cmds[C_STORE], OPCODE, 0x77);
				break;
			case EIE_STATUS_PAGE_FAULT:
				*space_entry(&bad.s, VA_OUT) = 0;
				break;
			case EIE_STATUS_BUS_ERROR:
				spoil(bad.bus_in, true, false);
				break;
			case EIE_STATUS_UNWRITTEN:
				bad.cmds[C_PTRS] = sync0();
				break;
			default:
				bad.desc.cycle_limit = 150;
			}
			for (unsigned int i = 0; i < BOARD_QUEUES; i++)
				if (i != q)
					submit(i);
			queue_put(&f->b, q, &bad.desc);
			queue_put(&f->b, q, &job[q].desc);   /* behind it in the same queue */
			queue_bell(&f->b, q);
			for (unsigned int i = 0; i < BOARD_QUEUES; i++)
				if (i != q)
					finishes(i);
			fixture_wait_on(f, q, &cpl);
			assert_int_equal(cpl.status, status[k]);
			assert_int_equal(cpl.fence, bad.desc.fence);
			finishes(q);
			fixture_reset(f);
			reset(state);
		}
}

/* Waits for a token that never comes. */
static void make_hang(struct process *p, uint32_t cycle_limit)
{
	p->cmds[C_COUNT] = sync0();
	PG_SET(&p->cmds[C_COUNT], WAIT_PREV, 1);
	p->desc.ncmds = C_COUNT + 1;
	p->desc.cycle_limit = cycle_limit;
}

static void test_hang(void **state)
{
	(void)state;
	for (unsigned int q = 0; q < BOARD_QUEUES; q++)
		for (unsigned int limit = 0; limit < 2; limit++) {
			struct process hang = process_new(f);
			unsigned int irqs;
			struct eie_cpl cpl;
			uint32_t progress;

			make_hang(&hang, limit ? 6000 : 0);
			queue_put(&f->b, q, &hang.desc);
			queue_bell(&f->b, q);
			await_running(q);
			progress = reg_read(f, EIE_REG_PROGRESS);
			for (unsigned int i = 0; i < BOARD_QUEUES; i++)
				submit(i);
			fixture_cycles(f, 3000);
			assert_int_not_equal(reg_read(f, EIE_REG_PROGRESS), progress);
			progress = reg_read(f, EIE_REG_PROGRESS);
			fixture_cycles(f, 1000);
			/* nothing moves, nobody is served */
			assert_int_equal(reg_read(f, EIE_REG_PROGRESS), progress);
			irqs = f->b.q[q].irqs;
			if (!limit) {
				reg_write(f, queue_reg(q, EIE_REG_Q_CTRL), 1u << EIE_Q_CTRL_RESET_SHIFT);
				reg_await(f, queue_reg(q, EIE_REG_Q_CTRL), ~0u, 0);
			}
			fixture_wait_on(f, q, &cpl);
			assert_int_equal(cpl.status, limit ? EIE_STATUS_TIMEOUT : EIE_STATUS_ABORTED);
			assert_int_equal(cpl.fence, hang.desc.fence);
			for (unsigned int i = 0; i < BOARD_QUEUES; i++)
				if (i != q)
					finishes(i);
			if (limit) {
				finishes(q);
			} else {
				/* the job behind it went with the queue */
				assert_int_equal(f->b.q[q].irqs, irqs + 1);
				queue_start(&f->b, q);
				submit(q);
				finishes(q);
			}
		}
}

/* PROGRESS counts commands and beats exactly; page walks read one to three beats a miss. */
static void test_progress(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < 12; i++) {
		uint32_t before = reg_read(f, EIE_REG_PROGRESS), after, sum;
		struct eie_cpl cpl;

		submit(i % BOARD_QUEUES);
		fixture_wait_on(f, i % BOARD_QUEUES, &cpl);
		process_matches(&job[i % BOARD_QUEUES], &want[i % BOARD_QUEUES], &cpl);
		after = reg_read(f, EIE_REG_PROGRESS);
		sum = cpl.commands + cpl.read_beats + cpl.write_beats;
		assert_in_range(after - before, sum + cpl.tlb_misses, sum + 3 * cpl.tlb_misses);
		fixture_cycles(f, 500);
		assert_int_equal(reg_read(f, EIE_REG_PROGRESS), after);
		if (i % 3 == 2) {
			reg_write(f, EIE_REG_CTRL, 1u << EIE_CTRL_RESET_SHIFT);
			reg_await(f, EIE_REG_CTRL, 1u << EIE_CTRL_RESET_SHIFT, 0);
			assert_int_equal(reg_read(f, EIE_REG_PROGRESS), after);
			start(RING_LOG2);
		}
	}
}

int main(int argc, char **argv)
{
	const struct fixture_spec board = { { .seed = 11, .latency = 16 }, RAM_BYTES, 3, 3 };
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_later_but_higher, reset),
		cmocka_unit_test_setup(test_levels, reset),
		cmocka_unit_test_setup(test_blocked_level, reset),
		cmocka_unit_test_setup(test_arbitration, reset),
		cmocka_unit_test_setup(test_vectors, reset),
		cmocka_unit_test_setup(test_descriptor_errors, reset),
		cmocka_unit_test_setup(test_completion_errors, reset),
		cmocka_unit_test_setup(test_refused_doorbells, reset),
		cmocka_unit_test_setup(test_two_causes, reset),
		cmocka_unit_test_setup(test_faulting_neighbour, reset),
		cmocka_unit_test_setup(test_hang, reset),
		cmocka_unit_test_setup(test_progress, reset),
	};

	return fixture_main(argc, argv, &board, &f, tests);
}
