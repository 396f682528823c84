// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Four queues, random jobs in an address space each, random trouble: page faults, bus errors, bad commands and descriptors, jobs that
 * hang, with a limit or until a supervisor sees that PROGRESS stands still; queue resets, device resets, aborts, bus errors on rings,
 * queues switched off and on. Every job that ends well is compared with the interpreter, every byte; every other one must end with
 * the status that was provoked; memory of jobs that are done must stay as it is; counters must add up.
 *   test_soak CONFIG [JOBS [SEED]]
 */
#include <stdio.h>
#include <stdlib.h>

#include "fixture.h"
#include "random_job.h"

#define RING_LOG2 2u
#define RING (1u << RING_LOG2)
#define PAGE 4096u
#define SOAK_CMDS_BYTES 0x8000u
#define VA_MEM 0x40000000ull
#define STUCK 20000u             /* cycles without progress; no single command of these jobs takes that long */
#define ENABLE (1u << EIE_CTRL_ENABLE_SHIFT)

enum kind { GOOD, PAGE_FAULT, BUS_ERROR, BAD_COMMAND, BAD_DESCRIPTOR, HANG, ENDLESS, KINDS };

/* One place of a ring: an address space, its memory, and the job that is there. */
struct slot {
	struct space s;
	uint64_t bus_mem, bus_cmds, bus_bases;
	uint8_t *golden;             /* the interpreter's copy of the memory */
	enum kind kind;
	bool waiting, known;         /* submitted, without an entry; the memory must equal golden */
	bool aborted;                /* a reset or an abort came meanwhile: it may end with ABORTED, or not at all */
	uint64_t bad_va;             /* of PAGE_FAULT and BUS_ERROR */
	uint32_t index;              /* of BAD_COMMAND */
	uint64_t fence, pte;
	struct eie_cpl ref;
};

struct soak {
	struct fixture *f;
	struct random_job job;
	size_t bytes;
	uint32_t beat;               /* bytes that answer with an error: a beat of the bus, at least a granule */
	struct slot slots[BOARD_QUEUES][RING];
	unsigned int first[BOARD_QUEUES], used[BOARD_QUEUES];   /* of the ring: oldest job, jobs */
	struct slot *bus_user;       /* whose range answers with errors; &ring_user: a ring's */
	struct slot ring_user;
	uint8_t *image;              /* all memory as it was set up */
	uint32_t progress;
	uint64_t moved;              /* cycle in which PROGRESS was last seen to move */
	unsigned long done[BOARD_QUEUES], by_kind[KINDS], lost, aborted, stuck, stopped;
};

static unsigned long jobs_wanted;
static uint64_t first_seed = 1;

/* ---- the interpreter's view of a slot */

struct soak_view {
	struct soak *k;
	struct slot *s;
};

static uint32_t view_at(struct soak_view *v, uint64_t va, size_t len, bool write, uint8_t **p)
{
	struct slot *s = v->s;

	if (va >= VA_MEM && va + len <= VA_MEM + v->k->bytes) {
		if (s->kind == PAGE_FAULT && va < s->bad_va + PAGE && va + len > s->bad_va)
			return EIE_STATUS_PAGE_FAULT;
		if (s->kind == BUS_ERROR && va < s->bad_va + v->k->beat && va + len > s->bad_va)
			return EIE_STATUS_BUS_ERROR;
		*p = s->golden + (va - VA_MEM);
	} else if (!write && va >= VA_CMDS && va + len <= VA_CMDS + SOAK_CMDS_BYTES) {
		*p = (uint8_t *)board_at(&v->k->f->b, s->bus_cmds) + (va - VA_CMDS);
	} else if (!write && va >= VA_BASES && va + len <= VA_BASES + PAGE) {
		*p = (uint8_t *)board_at(&v->k->f->b, s->bus_bases) + (va - VA_BASES);
	} else {
		return EIE_STATUS_PAGE_FAULT;
	}
	return EIE_STATUS_OK;
}

static uint32_t view_read(void *ctx, uint64_t va, void *buf, size_t len)
{
	uint8_t *p = NULL;
	uint32_t status = view_at(ctx, va, len, false, &p);

	if (!status)
		memcpy(buf, p, len);
	return status;
}

static uint32_t view_write(void *ctx, uint64_t va, const void *buf, size_t len)
{
	uint8_t *p = NULL;
	uint32_t status = view_at(ctx, va, len, true, &p);

	if (!status)
		memcpy(p, buf, len);
	return status;
}

/* ---- set-up */

static void make_slot(struct soak *k, struct slot *s, uint16_t asid)
{
	struct board *b = &k->f->b;

	s->s = space_new(b, asid);
	s->bus_mem = board_alloc(b, k->bytes, PAGE);
	s->bus_cmds = board_alloc(b, SOAK_CMDS_BYTES, PAGE);
	s->bus_bases = board_alloc(b, PAGE, PAGE);
	space_map(&s->s, VA_MEM, s->bus_mem, k->bytes, EIE_PTE_R | EIE_PTE_W, false);
	space_map(&s->s, VA_CMDS, s->bus_cmds, SOAK_CMDS_BYTES, EIE_PTE_R, false);
	space_map(&s->s, VA_BASES, s->bus_bases, PAGE, EIE_PTE_R, false);
	((uint64_t *)board_at(b, s->bus_bases))[0] = VA_MEM;
	s->golden = malloc(k->bytes);
	assert_non_null(s->golden);
}

static struct soak *soak_open(const struct eie_sim_params *bus, uint64_t seed)
{
	struct soak *k = calloc(1, sizeof(*k));
	size_t slots = BOARD_QUEUES * RING;

	assert_non_null(k);
	k->bytes = !strncmp(fixture_config, "2x2", 3) ? 256u << 10 : 512u << 10;
	k->f = fixture_open(bus, slots * (k->bytes + SOAK_CMDS_BYTES + 16 * PAGE) + (1u << 20), RING_LOG2, RING_LOG2);
	k->f->rng = rng_seed(seed);
	k->beat = k->f->b.params.bus_bits > 128 ? k->f->b.params.bus_bits / 8 : EIE_GRANULE_BYTES;
	assert_int_equal(random_job_init(&k->job, &k->f->b.params, k->bytes), 0);
	for (unsigned int q = 0; q < BOARD_QUEUES; q++) {
		for (unsigned int i = 0; i < RING; i++)
			make_slot(k, &k->slots[q][i], (uint16_t)(1 + q * RING + i));
		queue_start(&k->f->b, q);
	}
	k->image = malloc(k->f->b.used);
	assert_non_null(k->image);
	memcpy(k->image, k->f->b.ram, k->f->b.used);
	return k;
}

static void soak_close(struct soak *k)
{
	for (unsigned int q = 0; q < BOARD_QUEUES; q++)
		for (unsigned int i = 0; i < RING; i++)
			free(k->slots[q][i].golden);
	free(k->image);
	random_job_free(&k->job);
	fixture_close(k->f);
	free(k);
}

/* ---- jobs */

static void check_known(struct soak *k, const struct slot *s)
{
	if (s->known && memcmp(board_at(&k->f->b, s->bus_mem), s->golden, k->bytes))
		fail_msg("memory of address space %u has changed after its job's end", s->s.asid);
}

static void set_bad(struct soak *k, struct slot *user, uint64_t lo, uint64_t size, bool reads, bool writes)
{
	k->bus_user = user;
	k->f->b.bad_lo = lo;
	k->f->b.bad_hi = lo + size;
	k->f->b.bad_reads = reads;
	k->f->b.bad_writes = writes;
}

static enum kind some_kind(struct rng *r, const struct soak *k)
{
	static const uint16_t upto[KINDS] = { 640, 720, 780, 860, 900, 960, 1000 };
	uint32_t p = rng_range(r, 0, 999);
	enum kind kind = GOOD;

	while (p >= upto[kind])
		kind++;
	return kind == BUS_ERROR && k->bus_user ? GOOD : kind;
}

static void spoil(struct soak *k, struct slot *s, struct eie_desc *d)
{
	struct rng *r = &k->f->rng;
	struct eie_cmd *cmds = board_at(&k->f->b, s->bus_cmds);

	switch (s->kind) {
	case PAGE_FAULT:
		s->bad_va = VA_MEM + (uint64_t)PAGE * rng_range(r, 0, (uint32_t)(k->job.used * 16 / PAGE));
		s->pte = *space_entry(&s->s, s->bad_va);
		*space_entry(&s->s, s->bad_va) = 0;
		assert_true(board_invalidate(&k->f->b, s->s.asid));
		break;
	case BUS_ERROR:
		s->bad_va = VA_MEM + 16ull * rng_range(r, 0, (uint32_t)k->job.used);
		s->bad_va -= s->bad_va % k->beat;
		set_bad(k, s, s->bus_mem + (s->bad_va - VA_MEM), k->beat, true, true);
		break;
	case BAD_COMMAND:
		s->index = rng_range(r, 0, d->ncmds - 1);
		PG_SET(&cmds[s->index], OPCODE, 0x7f);
		break;
	case BAD_DESCRIPTOR:
		d->root |= 1;
		break;
	case HANG:
	case ENDLESS:
		cmds[d->ncmds] = sync0();
		PG_SET(&cmds[d->ncmds], WAIT_PREV, 1);
		d->ncmds++;
		d->cycle_limit = s->kind == HANG ? rng_range(r, 1, 9000) : 0;
		break;
	default:
		break;
	}
}

static void submit(struct soak *k, unsigned int q)
{
	struct fixture *f = k->f;
	struct slot *s = &k->slots[q][(k->first[q] + k->used[q]) % RING];
	struct soak_view view = { k, s };
	const struct eie_ref_mem mem = { view_read, view_write, &view };
	struct eie_desc d = { .fence = s->fence = rng_next(&f->rng), .root = s->s.root, .asid = s->s.asid, .nbases = 1,
			      .bases = VA_BASES, .cmds = VA_CMDS };

	check_known(k, s);
	random_job_make(&k->job, &f->rng, false);
	assert_true(k->job.pg.n && (k->job.pg.n + 1) * sizeof(struct eie_cmd) <= SOAK_CMDS_BYTES);
	d.ncmds = k->job.pg.n;
	memcpy(board_at(&f->b, s->bus_mem), k->job.mem, k->bytes);
	memcpy(s->golden, k->job.mem, k->bytes);
	memcpy(board_at(&f->b, s->bus_cmds), k->job.pg.cmds, d.ncmds * sizeof(struct eie_cmd));
	s->kind = some_kind(&f->rng, k);
	s->aborted = s->known = false;
	spoil(k, s, &d);
	/* the interpreter runs a program that waits for ever neither */
	if (s->kind != HANG && s->kind != ENDLESS)
		eie_ref_run(f->ref, &d, &mem, &s->ref);
	s->waiting = true;
	k->used[q]++;
	queue_put(&f->b, q, &d);
	queue_bell(&f->b, q);
}

/* The slot's job is over, or lost. */
static void release(struct soak *k, struct slot *s)
{
	s->waiting = false;
	if (s->kind == PAGE_FAULT)
		*space_entry(&s->s, s->bad_va) = s->pte;
	if (k->bus_user == s)
		set_bad(k, NULL, 0, 0, false, false);
}

static void check_entry(struct soak *k, struct slot *s, const struct eie_cpl *cpl)
{
	fixture_check(k->f, cpl);
	assert_int_equal(cpl->fence, s->fence);
	k->by_kind[s->kind]++;
	if (s->aborted && cpl->status == EIE_STATUS_ABORTED) {
		k->aborted++;
		return;
	}
	if (s->kind == HANG) {
		assert_int_equal(cpl->status, EIE_STATUS_TIMEOUT);
		return;
	}
	if (s->kind == ENDLESS)
		fail_msg("a job that waits for ever ended with status %u", cpl->status);
	assert_int_equal(cpl->status, s->ref.status);
	if (cpl->status == EIE_STATUS_OK) {
		assert_int_equal(cpl->macs, s->ref.macs);
		assert_int_equal(cpl->saturated, s->ref.saturated);
		assert_int_equal(cpl->commands, s->ref.commands);
		s->known = true;
		check_known(k, s);
	} else if (cpl->status == EIE_STATUS_PAGE_FAULT) {
		assert_int_equal(cpl->fault_addr / PAGE, s->bad_va / PAGE);
	} else if (cpl->status == EIE_STATUS_BUS_ERROR) {
		assert_int_equal(cpl->fault_addr / PAGE, s->bad_va / PAGE);
	} else if (cpl->status == EIE_STATUS_BAD_COMMAND) {
		assert_int_equal(cpl->fault_cmd, 1u << EIE_CPL_FAULT_VALID_SHIFT | s->index);
	}
}

static void collect(struct soak *k)
{
	for (unsigned int q = 0; q < BOARD_QUEUES; q++) {
		struct eie_cpl cpl;

		while (queue_completed(&k->f->b, q, &cpl)) {
			struct slot *s = &k->slots[q][k->first[q]];

			assert_true(k->used[q] && s->waiting);
			check_entry(k, s, &cpl);
			release(k, s);
			k->first[q] = (k->first[q] + 1) % RING;
			k->used[q]--;
			k->done[q]++;
			if (rng_permille(&k->f->rng, 500))
				queue_bell(&k->f->b, q);   /* room for entries comes with the next job, or now */
		}
	}
}

/* ---- trouble */

static void mark_aborted(struct soak *k, unsigned int q)
{
	for (unsigned int i = 0; i < k->used[q]; i++)
		k->slots[q][(k->first[q] + i) % RING].aborted = true;
}

/* The queue is quiet and empty: what has no entry is lost. Starts it again. */
static void restart(struct soak *k, unsigned int q)
{
	collect(k);
	for (; k->used[q]; k->used[q]--, k->lost++) {
		release(k, &k->slots[q][k->first[q]]);
		k->first[q] = (k->first[q] + 1) % RING;
	}
	k->first[q] = 0;
	/* another queue's ring goes on answering with errors: it may have stopped already, and nobody has looked yet */
	if (k->bus_user == &k->ring_user && k->ring_user.index == q)
		set_bad(k, NULL, 0, 0, false, false);
	queue_start(&k->f->b, q);
}

static void reset_queue(struct soak *k, unsigned int q)
{
	mark_aborted(k, q);
	reg_write(k->f, queue_reg(q, EIE_REG_Q_CTRL), 1u << EIE_Q_CTRL_RESET_SHIFT);
	reg_await(k->f, queue_reg(q, EIE_REG_Q_CTRL), ~0u, 0);
	restart(k, q);
}

static void reset_device(struct soak *k)
{
	for (unsigned int q = 0; q < BOARD_QUEUES; q++)
		mark_aborted(k, q);
	reg_write(k->f, EIE_REG_CTRL, 1u << EIE_CTRL_RESET_SHIFT | ENABLE);
	reg_await(k->f, EIE_REG_CTRL, ~0u, ENABLE);
	for (unsigned int q = 0; q < BOARD_QUEUES; q++)
		restart(k, q);
}

/* Not while a job that never ends by itself is on the chip with the queue off: the caller's supervisor would not find it. */
static void abort_job(struct soak *k)
{
	for (unsigned int q = 0; q < BOARD_QUEUES; q++)
		if (k->used[q])
			k->slots[q][k->first[q]].aborted = true;
	reg_write(k->f, EIE_REG_CTRL, 1u << EIE_CTRL_ABORT_SHIFT | ENABLE);
	reg_await(k->f, EIE_REG_STATUS, ~0u, 1u << EIE_STATUS_QUIESCED_SHIFT);
	/* the aborted job's entry is in; the next jobs are not touched */
	collect(k);
	for (unsigned int q = 0; q < BOARD_QUEUES; q++)
		if (k->used[q])
			k->slots[q][k->first[q]].aborted = false;
	reg_write(k->f, EIE_REG_CTRL, ENABLE);
}

/* A queue whose ring answers with errors stops; what it had is lost. */
static void watch_stops(struct soak *k)
{
	for (unsigned int q = 0; q < BOARD_QUEUES; q++) {
		uint32_t status = reg_read(k->f, queue_reg(q, EIE_REG_Q_STATUS));

		if (!(status >> EIE_Q_STATUS_ERROR_SHIFT & 1))
			continue;
		assert_ptr_equal(k->bus_user, &k->ring_user);
		assert_int_equal(q, k->ring_user.index);
		assert_int_equal(status >> EIE_Q_STATUS_CAUSE_SHIFT & EIE_Q_STATUS_CAUSE_MASK,
				 k->f->b.bad_reads ? EIE_HALT_DESC_READ : EIE_HALT_CPL_WRITE);
		k->stopped++;
		restart(k, q);
	}
}

static void spoil_ring(struct soak *k, unsigned int q)
{
	const struct board_queue *b = &k->f->b.q[q];
	bool reads = rng_permille(&k->f->rng, 500);

	if (k->bus_user)
		return;
	k->ring_user.index = q;
	set_bad(k, &k->ring_user, reads ? b->sq : b->cq, EIE_DESC_BYTES << RING_LOG2, reads, !reads);
}

/* What a driver does about a job that hangs. */
static void supervise(struct soak *k)
{
	uint32_t progress = reg_read(k->f, EIE_REG_PROGRESS);
	uint64_t now = eie_sim_cycles(k->f->b.sim);

	if (progress != k->progress || !(reg_read(k->f, EIE_REG_STATUS) & 1)) {
		k->progress = progress;
		k->moved = now;
	}
	if (now - k->moved < STUCK)
		return;
	for (unsigned int q = 0; q < BOARD_QUEUES; q++)
		if (reg_read(k->f, queue_reg(q, EIE_REG_Q_STATUS)) >> EIE_Q_STATUS_RUNNING_SHIFT & 1) {
			struct slot *s = &k->slots[q][k->first[q]];

			if (s->kind != ENDLESS)
				fail_msg("queue %u: the job that stands still is of kind %u", q, s->kind);
			k->stuck++;
			k->moved = now;
			reset_queue(k, q);
			return;
		}
}

static void trouble(struct soak *k)
{
	struct rng *r = &k->f->rng;
	unsigned int q = rng_range(r, 0, BOARD_QUEUES - 1);
	uint32_t p = rng_range(r, 0, 999);

	if (p < 20)
		reset_queue(k, q);
	else if (p < 24)
		reset_device(k);
	else if (p < 34)
		abort_job(k);
	else if (p < 46)
		spoil_ring(k, q);
	else if (p < 60)
		assert_true(board_invalidate(&k->f->b, (uint16_t)rng_range(r, 1, BOARD_QUEUES * RING)));
}

/* ---- */

static unsigned long total(const struct soak *k)
{
	unsigned long n = 0;

	for (unsigned int q = 0; q < BOARD_QUEUES; q++)
		n += k->done[q];
	return n;
}

static void check_image(struct soak *k)
{
	struct board *b = &k->f->b;

	for (unsigned int q = 0; q < BOARD_QUEUES; q++)
		for (unsigned int i = 0; i < RING; i++) {
			struct slot *s = &k->slots[q][i];

			check_known(k, s);
			memcpy(board_at(b, s->bus_mem), k->image + (s->bus_mem - BOARD_RAM_BASE), k->bytes);
			memcpy(board_at(b, s->bus_cmds), k->image + (s->bus_cmds - BOARD_RAM_BASE), SOAK_CMDS_BYTES);
		}
	/* page tables, base tables, everything between: as on the first day */
	assert_memory_equal(b->ram + k->f->mark, k->image + k->f->mark, b->used - k->f->mark);
}

static void soak(const struct eie_sim_params *bus, uint64_t seed, unsigned long jobs)
{
	struct soak *k = soak_open(bus, seed);
	struct rng *r = &k->f->rng;

	printf("# seed %llu\n", (unsigned long long)seed);
	while (total(k) < jobs) {
		unsigned int q = rng_range(r, 0, BOARD_QUEUES - 1);

		/* seldom enough that the lowest level gets its turn */
		if (k->used[q] < RING && rng_permille(r, q ? 500 : 200))
			submit(k, q);
		fixture_cycles(k->f, rng_range(r, 0, 4000));
		collect(k);
		watch_stops(k);
		supervise(k);
		trouble(k);
	}
	reset_device(k);
	check_image(k);
	printf("# jobs by queue %lu %lu %lu %lu; good %lu, faults %lu, hung %lu; aborted %lu, lost %lu, stopped queues %lu, %llu cycles\n",
	       k->done[0], k->done[1], k->done[2], k->done[3], k->by_kind[GOOD],
	       k->by_kind[PAGE_FAULT] + k->by_kind[BUS_ERROR] + k->by_kind[BAD_COMMAND] + k->by_kind[BAD_DESCRIPTOR],
	       k->by_kind[HANG] + k->by_kind[ENDLESS], k->aborted, k->lost, k->stopped,
	       (unsigned long long)eie_sim_cycles(k->f->b.sim));
	if (jobs >= 100)
		for (unsigned int q = 0; q < BOARD_QUEUES; q++)
			assert_true(k->done[q] > jobs / 50);
	soak_close(k);
}

static void test_quick_bus(void **state)
{
	const struct eie_sim_params bus = { .seed = first_seed, .latency = 4 };

	(void)state;
	soak(&bus, first_seed, jobs_wanted);
}

static void test_usual_bus(void **state)
{
	const struct eie_sim_params bus = { .seed = first_seed + 1, .latency = 40, .stall_permille = 100, .jitter = 20 };

	(void)state;
	soak(&bus, first_seed + 1, jobs_wanted);
}

static void test_slow_bus(void **state)
{
	const struct eie_sim_params bus = { .seed = first_seed + 2, .latency = 150, .stall_permille = 350, .jitter = 90 };

	(void)state;
	soak(&bus, first_seed + 2, jobs_wanted);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_quick_bus),
		cmocka_unit_test(test_usual_bus),
		cmocka_unit_test(test_slow_bus),
	};

	fixture_args(argc, argv);
	jobs_wanted = argc > 2 ? strtoul(argv[2], NULL, 0) : fixture_jobs(400, 90);
	if (argc > 3)
		first_seed = strtoull(argv[3], NULL, 0);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
