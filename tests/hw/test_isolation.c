// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Nothing of one address space may reach another. A victim leaves secrets in every buffer and both accumulator halves; an
 * attacker tries to get at them in every way that commands offer, and afterwards looks at what its own attempts left behind. All
 * that is done with several secrets: memory and completion entries of the attacker must be the same every time, times of day
 * excepted.
 */
#include <stdlib.h>

#include "fixture.h"

#define WINDOW 64u        /* granules of every buffer that hold nothing but secrets: WINDOW .. WINDOW + WINDOW_LEN - 1 */
#define WINDOW_LEN 32u
#define RAM_BYTES (1u << 20)

static struct fixture *f;

/* ---- the victim */

enum ending { ENDS_WELL, ENDS_IN_FAULT, ENDS_IN_ABORT, ENDINGS };

/* Bytes of secret number `secret`: each kind provokes another reaction if anyone looks at them. */
static void write_secret(uint8_t *bytes, size_t n, unsigned int secret)
{
	struct rng r = rng_seed(secret + 99);

	for (size_t i = 0; i < n; i++)
		switch (secret) {
		case 0:
			bytes[i] = 0;   /* zero activations, empty columns, escapes, shift 0 */
			break;
		case 1:
			bytes[i] = 0xff;   /* rows beyond the end, columns beyond the buffer, reserved bytes */
			break;
		case 2:
			bytes[i] = "\x01\x20\x30\x40\x50\x60\x20\x00"[i % 8];   /* sound row parameters */
			break;
		default:
			bytes[i] = (uint8_t)(rng_next(&r) >> 40);
			break;
		}
}
#define SECRETS 4u

static uint32_t fill_window(struct process *a, uint32_t at)
{
	struct eie_cmd *c = a->cmds;
	uint32_t clusters = f->b.params.clusters;

	c[at++] = load1(0, EIE_BUF_ABUF, 0, WINDOW, WINDOW_LEN);
	c[at++] = load1(0, EIE_BUF_CBUF, 0, 2, EIE_CBUF_GRANULES - 2);
	for (unsigned int buf = EIE_BUF_WBUF; buf <= EIE_BUF_RBUF; buf++) {
		struct pg_xfer x = { .buf = buf, .addr = WINDOW, .len = WINDOW_LEN, .rows = clusters, .mem_stride = 0 };

		c[at++] = pg_cmd_load(0, &x);
	}
	return at;
}

/* Secrets in the windows; where an ordinary job has its data; its results; and sums in both halves that nobody drains. */
static void plant(unsigned int secret, enum ending ending)
{
	struct process a = process_new(f);
	struct eie_cpl cpl;
	uint32_t n = C_COUNT;

	f->rng = rng_seed(secret);
	process_fill(&a);
	/* the windows' data lie behind base 2: the second half of IN */
	write_secret(a.in + IN_BYTES / 2, IN_BYTES / 2, secret);
	a.bases[2] = VA_IN + IN_BYTES / 2;
	a.desc.nbases = 3;
	a.cmds[n] = sync0();
	PG_SET(&a.cmds[n], FENCE, 1);
	PG_SET(&a.cmds[n], SIGNAL_PREV, 1);
	n++;
	fill_window(&a, n);
	for (unsigned int i = 0; i < 5; i++, n++)
		PG_SET(&a.cmds[n], XFER_BASE, 2);
	PG_SET(&a.cmds[n - 5], WAIT_NEXT, 1);
	PG_SET(&a.cmds[n - 1], SIGNAL_NEXT, 1);
	for (unsigned int half = 0; half < 2; half++, n++) {
		a.cmds[n] = a.cmds[C_MAC];
		PG_SET(&a.cmds[n], MAC_HALF, half);
		PG_SET(&a.cmds[n], WAIT_PREV, !half);
	}
	if (ending == ENDS_IN_FAULT) {
		a.cmds[n] = a.cmds[C_MAC];
		PG_SET(&a.cmds[n], WAIT_PREV, 0);
		PG_SET(&a.cmds[n], FENCE, 1);
		PG_SET(&a.cmds[n], MAC_IN, WINDOW + WINDOW_LEN);
		n++;
	}
	if (ending == ENDS_IN_ABORT) {
		for (unsigned int i = 0; i < 400; i++) {   /* so that it is still at work when the abort comes */
			a.cmds[n] = a.cmds[C_MAC];
			PG_SET(&a.cmds[n], WAIT_PREV, 0);
			PG_SET(&a.cmds[n], MAC_HALF, i & 1);
			n++;
		}
	}
	/* takes the chip first: a sweep of the tags does not come between the job and its abort */
	a.desc.ncmds = 0;
	board_submit(&f->b, &a.desc);
	fixture_wait(f, &cpl);
	a.desc.ncmds = n;
	board_submit(&f->b, &a.desc);
	if (ending == ENDS_IN_ABORT) {
		reg_await(f, EIE_REG_STATUS, 1u << EIE_STATUS_BUSY_SHIFT, 1u << EIE_STATUS_BUSY_SHIFT);
		eie_sim_run(f->b.sim, 2500);
		reg_write(f, EIE_REG_CTRL, 1u << EIE_CTRL_ABORT_SHIFT | 1u << EIE_CTRL_ENABLE_SHIFT);
		fixture_wait(f, &cpl);
		reg_write(f, EIE_REG_CTRL, 1u << EIE_CTRL_ENABLE_SHIFT);
		assert_int_equal(cpl.status, EIE_STATUS_ABORTED);
	} else {
		fixture_wait(f, &cpl);
		assert_int_equal(cpl.status, ending == ENDS_WELL ? EIE_STATUS_OK : EIE_STATUS_UNWRITTEN);
	}
	assert_true(cpl.macs > 0);
}

/* ---- what the attacker sees */

struct log {
	uint8_t *bytes;
	size_t n, max;
};

static void note(struct log *log, const void *data, size_t n)
{
	if (log->n + n > log->max) {
		log->max = 2 * (log->n + n);
		log->bytes = realloc(log->bytes, log->max);
		assert_non_null(log->bytes);
	}
	memcpy(log->bytes + log->n, data, n);
	log->n += n;
}

static void run(struct process *b, struct log *log)
{
	struct eie_cpl cpl;

	board_submit(&f->b, &b->desc);
	fixture_wait(f, &cpl);
	cpl.time_start = cpl.time_end = 0;   /* cycles tells their difference */
	cpl.sq_head = cpl.phase = 0;
	note(log, &cpl, sizeof(cpl));
}

/* Every granule of ABUF that an attempt can have touched, and both accumulator halves through parameters of B's own. */
static void look_around(struct process *b, struct log *log)
{
	uint32_t clusters = f->b.params.clusters;
	struct eie_cmd load, drain, store, fence = sync0();

	for (uint32_t g = 0; g < STEPS * clusters; g++) {
		b->desc.ncmds = 1;
		b->cmds[0] = store1(1, g, OUT_AT + g, 1);
		run(b, log);
	}
	b->cmds[0] = store1(1, 256, 0, 2);
	run(b, log);
	b->cmds[0] = store1(1, 256, WINDOW, 2);
	run(b, log);
	process_cmds(b);
	load = b->cmds[C_PARAMS];
	drain = b->cmds[C_DRAIN];
	store = b->cmds[C_STORE];
	PG_SET(&fence, WAIT_PREV, 1);
	b->cmds[0] = load;
	b->cmds[1] = fence;
	b->cmds[2] = b->cmds[3] = drain;
	PG_SET(&b->cmds[2], SIGNAL_NEXT, 0);
	PG_SET(&b->cmds[2], DRAIN_OUT, OUT_AT + STEPS * clusters);
	PG_SET(&b->cmds[3], DRAIN_HALF, 1);
	b->cmds[4] = store;
	PG_SET(&b->cmds[4], XFER_LEN, 2 * STEPS * clusters);
	b->desc.ncmds = 5;
	run(b, log);
}

/* ---- attacks: each changes the job of an ordinary process */

static void drop(struct process *b, unsigned int cmd)
{
	bool signal = PG_GET(&b->cmds[cmd], SIGNAL_NEXT);

	b->cmds[cmd] = load1(0, EIE_BUF_ABUF, b->x, 0, 1);
	PG_SET(&b->cmds[cmd], SIGNAL_NEXT, signal);
}

static void no_tokens(struct process *b)
{
	for (unsigned int i = 0; i < b->desc.ncmds; i++)
		b->cmds[i].dw[0] &= ~(uint32_t)0xf00;
}

static void drop_x(struct process *b)
{
	b->cmds[C_X] = b->cmds[C_CODEBOOK];
}

static void window_x(struct process *b)
{
	PG_SET(&b->cmds[C_MAC], MAC_IN, WINDOW);
}

static void drop_codebook(struct process *b)
{
	drop(b, C_CODEBOOK);
}

static void window_codebook(struct process *b)
{
	PG_SET(&b->cmds[C_MAC], MAC_CODEBOOK, EIE_CBUF_GRANULES - 2);
}

static void half_codebook(struct process *b)
{
	PG_SET(&b->cmds[C_CODEBOOK], XFER_LEN, 1);
}

static void drop_ptrs(struct process *b)
{
	drop(b, C_PTRS);
}

static void window_ptrs(struct process *b)
{
	PG_SET(&b->cmds[C_MAC], MAC_PTR, WINDOW);
}

static void half_ptrs(struct process *b)
{
	PG_SET(&b->cmds[C_PTRS], XFER_LEN, 2);
	PG_SET(&b->cmds[C_PTRS], XFER_MEM_STRIDE, PTR_LEN * 16);
}

static void drop_weights(struct process *b)
{
	drop(b, C_WEIGHTS);
}

static void window_weights(struct process *b)
{
	PG_SET(&b->cmds[C_MAC], MAC_WEIGHTS, WINDOW);
}

static void half_weights(struct process *b)
{
	PG_SET(&b->cmds[C_WEIGHTS], XFER_LEN, 1);
	PG_SET(&b->cmds[C_WEIGHTS], XFER_MEM_STRIDE, WEIGHT_LEN * 16);
}

/* One column only, of one entry: the smallest thing to measure. */
static void one_entry(struct process *b)
{
	uint32_t ptr = WINDOW * 16 | 1u << EIE_PTR_START_BITS;

	memset(b->in + b->ptrs * 16, 0, PTR_LEN * 16 * f->b.params.clusters);
	memcpy(b->in + b->ptrs * 16, &ptr, 4);
}

/* Long columns that begin in B's own weights and end in the window. */
static void into_window(struct process *b)
{
	for (uint32_t col = 0; col < 16; col++) {
		uint32_t ptr = (WINDOW * 16 - 17) | 40u << EIE_PTR_START_BITS;

		memcpy(b->in + b->ptrs * 16 + col * 4, &ptr, 4);
	}
	PG_SET(&b->cmds[C_WEIGHTS], XFER_ADDR, WINDOW - WEIGHT_LEN);
}

static void drop_params(struct process *b)
{
	drop(b, C_PARAMS);
}

static void window_params(struct process *b)
{
	PG_SET(&b->cmds[C_DRAIN], DRAIN_PARAM, WINDOW);
}

static void half_params(struct process *b)
{
	PG_SET(&b->cmds[C_PARAMS], XFER_LEN, 5);
	PG_SET(&b->cmds[C_PARAMS], XFER_MEM_STRIDE, PARAM_LEN * 16);
}

static void params_of_one_cluster(struct process *b)
{
	PG_SET(&b->cmds[C_PARAMS], XFER_ROWS, 1);
}

static void only_drain_0(struct process *b)
{
	b->cmds[C_MAC] = sync0();
	PG_SET(&b->cmds[C_MAC], WAIT_PREV, 1);
}

static void only_drain_1(struct process *b)
{
	only_drain_0(b);
	PG_SET(&b->cmds[C_DRAIN], DRAIN_HALF, 1);
}

static void store_window(struct process *b)
{
	PG_SET(&b->cmds[C_STORE], XFER_ADDR, WINDOW);
	PG_SET(&b->cmds[C_STORE], XFER_LEN, WINDOW_LEN);
}

static void store_beyond_result(struct process *b)
{
	PG_SET(&b->cmds[C_STORE], XFER_LEN, STEPS * f->b.params.clusters + 4);
}

static void race_everything(struct process *b)
{
	no_tokens(b);
}

/* Drains and stores at the heels of a MAC of the victim's weights. */
static void race_weights(struct process *b)
{
	PG_SET(&b->cmds[C_MAC], MAC_WEIGHTS, WINDOW);
	PG_SET(&b->cmds[C_DRAIN], SIGNAL_NEXT, 0);
	PG_SET(&b->cmds[C_STORE], WAIT_PREV, 0);
}

static void race_params(struct process *b)
{
	PG_SET(&b->cmds[C_DRAIN], DRAIN_PARAM, WINDOW);
	PG_SET(&b->cmds[C_DRAIN], SIGNAL_NEXT, 0);
	PG_SET(&b->cmds[C_STORE], WAIT_PREV, 0);
}

/* No loads at all, both halves, a store in between. */
static void race_halves(struct process *b)
{
	struct eie_cmd mac = b->cmds[C_MAC], drain = b->cmds[C_DRAIN], store = b->cmds[C_STORE];

	b->desc.ncmds = 0;
	for (unsigned int i = 0; i < 4; i++) {
		PG_SET(&mac, MAC_HALF, i & 1);
		PG_SET(&drain, DRAIN_HALF, ~i & 1);
		b->cmds[b->desc.ncmds++] = mac;
		b->cmds[b->desc.ncmds++] = drain;
		b->cmds[b->desc.ncmds++] = store;
	}
	no_tokens(b);
}

static void race_input(struct process *b)
{
	/* the MAC reads what the drain before it writes, without a fence; the rest of it is the victim's */
	b->desc.ncmds = C_COUNT + 2;
	b->cmds[C_COUNT] = b->cmds[C_MAC];
	PG_SET(&b->cmds[C_COUNT], WAIT_PREV, 0);
	PG_SET(&b->cmds[C_COUNT], MAC_IN, OUT_AT);
	PG_SET(&b->cmds[C_COUNT], MAC_HALF, 1);
	PG_SET(&b->cmds[C_COUNT], MAC_WEIGHTS, WINDOW);
	b->cmds[C_COUNT + 1] = b->cmds[C_DRAIN];
	PG_SET(&b->cmds[C_COUNT + 1], DRAIN_HALF, 1);
}

static void wide_codebook(struct process *b)
{
	PG_SET(&b->cmds[C_MAC], MAC_WIDE, 1);
	PG_SET(&b->cmds[C_MAC], MAC_CODEBOOK, 32);
}

static void wide_weights(struct process *b)
{
	PG_SET(&b->cmds[C_MAC], MAC_WIDE, 1);
	PG_SET(&b->cmds[C_MAC], MAC_WEIGHTS, WINDOW);
	PG_SET(&b->cmds[C_CODEBOOK], XFER_LEN, 32);
}

/* What the chip remembers of the victim's past may not show in how long an ordinary job takes. */
static void nothing(struct process *b)
{
	(void)b;
}

static const struct attack {
	const char *name;
	void (*change)(struct process *b);
	bool succeeds;   /* with nothing but the attacker's own data */
} attacks[] = {
	{ "input left out", drop_x, false },
	{ "input from the window", window_x, false },
	{ "codebook left out", drop_codebook, false },
	{ "codebook from the window", window_codebook, false },
	{ "half a codebook", half_codebook, false },
	{ "pointers left out", drop_ptrs, false },
	{ "pointers from the window", window_ptrs, false },
	{ "half the pointers", half_ptrs, false },
	{ "weights left out", drop_weights, false },
	{ "weights from the window", window_weights, false },
	{ "some weights", half_weights, false },
	{ "one entry of the window", one_entry, false },
	{ "columns that run into the window", into_window, false },
	{ "parameters left out", drop_params, false },
	{ "parameters from the window", window_params, false },
	{ "half the parameters", half_params, false },
	{ "parameters of one cluster", params_of_one_cluster, false },
	{ "half 0 drained", only_drain_0, true },
	{ "half 1 drained", only_drain_1, true },
	{ "window stored", store_window, false },
	{ "stored beyond the result", store_beyond_result, false },
	{ "race of everything", race_everything, false },
	{ "race after weights", race_weights, false },
	{ "race after parameters", race_params, false },
	{ "race of the halves", race_halves, false },
	{ "race of an input", race_input, false },
	{ "wide codebook", wide_codebook, false },
	{ "wide weights", wide_weights, false },
	{ "nothing", nothing, true },
};
#define ATTACKS (sizeof(attacks) / sizeof(attacks[0]))

static void attack(const struct attack *at, struct log *log)
{
	struct process b = process_new(f);
	const struct eie_cpl *cpl;
	size_t first = log->n;

	f->rng = rng_seed(4711);   /* the same data every time */
	process_fill(&b);
	process_cmds(&b);
	at->change(&b);
	run(&b, log);
	cpl = (const struct eie_cpl *)(log->bytes + first);
	if ((cpl->status == EIE_STATUS_OK) != at->succeeds)
		fail_msg("%s: status %u", at->name, cpl->status);
	if (!at->succeeds)
		assert_int_equal(cpl->status, EIE_STATUS_UNWRITTEN);
	note(log, b.out, OUT_BYTES);
	look_around(&b, log);
	note(log, b.out, OUT_BYTES);
	note(log, b.in, IN_BYTES);
}

static void run_attack(const struct attack *at, enum ending ending)
{
	struct log log[SECRETS] = { 0 };

	for (unsigned int s = 0; s < SECRETS; s++) {
		fixture_reset(f);
		plant(s, ending);
		attack(at, &log[s]);
		assert_int_equal(log[s].n, log[0].n);
		for (size_t i = 0; i < log[s].n; i++)
			if (log[s].bytes[i] != log[0].bytes[i])
				fail_msg("%s: secret %u shows: byte %zu of the log (the first %zu are a completion entry)",
					 at->name, s, i, sizeof(struct eie_cpl));
	}
	for (unsigned int s = 0; s < SECRETS; s++)
		free(log[s].bytes);
}

static void test_after_success(void **state)
{
	(void)state;
	for (size_t i = 0; i < ATTACKS; i++)
		run_attack(&attacks[i], ENDS_WELL);
}

static void test_after_fault(void **state)
{
	(void)state;
	for (size_t i = 0; i < ATTACKS; i++)
		run_attack(&attacks[i], ENDS_IN_FAULT);
}

static void test_after_abort(void **state)
{
	(void)state;
	for (size_t i = 0; i < ATTACKS; i++)
		run_attack(&attacks[i], ENDS_IN_ABORT);
}

/* The plainest case: a secret on the chip, and a store of it from elsewhere. */
static void test_store_of_a_secret(void **state)
{
	static const char secret[16] = "a 16-byte secret";
	struct process a = process_new(f), b = process_new(f);

	(void)state;
	for (uint32_t g = 0; g < 128; g++)
		memcpy(a.in + g * 16, secret, 16);
	a.cmds[0] = load1(0, EIE_BUF_ABUF, 0, 0, 128);
	a.desc.ncmds = 1;
	process_works(&a);
	b.desc.ncmds = 1;
	for (uint32_t g = 0; g < 128; g += 7) {
		b.cmds[0] = store1(1, 0, g, g % 3 + 1);
		process_fails(&b, EIE_STATUS_UNWRITTEN, 0, 0);
	}
	for (size_t i = 0; i + 16 <= OUT_BYTES; i++)
		assert_memory_not_equal(b.out + i, secret, 16);
	/* the other direction of the same rule: what A left is gone for A too, once B had the chip */
	a.cmds[0] = store1(1, 0, 0, 1);
	process_fails(&a, EIE_STATUS_UNWRITTEN, 0, 0);
}

/* Within an address space what is on the chip stays there from job to job. */
static void test_own_data_stay(void **state)
{
	struct process a = process_new(f);

	(void)state;
	process_works(&a);
	a.cmds[0] = store1(1, 0, OUT_AT, STEPS * f->b.params.clusters);
	a.desc.ncmds = 1;
	process_works(&a);
}

/* An address space that has the chip, and wrote nothing yet, tries every buffer. */
static void finds_nothing(uint16_t asid)
{
	static void (*const windows[])(struct process *b) = { store_window, window_x, window_codebook, window_ptrs, window_weights,
							      window_params };
	struct process b = process_new(f);
	struct eie_cpl cpl;

	b.s.asid = b.desc.asid = asid;
	for (size_t i = 0; i < sizeof(windows) / sizeof(windows[0]); i++) {
		process_cmds(&b);
		windows[i](&b);
		board_submit(&f->b, &b.desc);
		fixture_wait(f, &cpl);
		assert_int_equal(cpl.status, EIE_STATUS_UNWRITTEN);
	}
	assert_true(board_invalidate(&f->b, asid));   /* its tables go */
}

/* More address spaces than tags can count: a tag that comes again must not bring old granules back. */
static void test_many_address_spaces(void **state)
{
	size_t used = f->b.used;

	(void)state;
	plant(3, ENDS_WELL);
	for (unsigned int i = 0; i < 520; i++) {
		struct eie_desc empty = { .asid = ++f->asid };
		struct eie_cpl cpl;

		board_submit(&f->b, &empty);
		fixture_wait(f, &cpl);
		assert_int_equal(cpl.status, EIE_STATUS_OK);
		if ((i > 248 && i < 260) || (i > 503 && i < 515))
			finds_nothing(f->asid);
		f->b.used = used;
	}
	fixture_works(f);
}

/* ---- residency */

/* Weights, pointers, codebook and parameters by the restore commands; the job brings the input. */
static void make_resident(struct process *p, uint64_t residency)
{
	process_cmds(p);
	for (unsigned int i = C_CODEBOOK; i <= C_PARAMS; i++) {
		p->restore[i - C_CODEBOOK] = p->cmds[i];
		p->cmds[i] = p->cmds[C_X];
	}
	PG_SET(&p->cmds[C_PARAMS], SIGNAL_NEXT, 1);
	p->desc.nrestore = C_PARAMS - C_CODEBOOK + 1;
	p->desc.residency = residency;
}

static void expect_restored(struct process *p, uint32_t restored)
{
	struct eie_cpl cpl;

	process_run(p, &cpl);
	assert_int_equal(cpl.status, EIE_STATUS_OK);
	assert_int_equal(cpl.restored, restored);
}

static void test_residency(void **state)
{
	struct process a = process_new(f), b = process_new(f);

	(void)state;
	make_resident(&a, 5);
	make_resident(&b, 5);
	expect_restored(&a, 1);
	expect_restored(&a, 0);
	a.desc.residency = 6;   /* another tag */
	expect_restored(&a, 1);
	a.desc.residency = 5;
	expect_restored(&a, 1);
	expect_restored(&a, 0);
	expect_restored(&b, 1);   /* the same tag of another address space */
	expect_restored(&b, 0);
	expect_restored(&a, 1);
	a.desc.residency = 1ull << 63 | 5;   /* all 64 bits count */
	expect_restored(&a, 1);
	a.desc.residency = 0;   /* leaves nothing */
	expect_restored(&a, 1);
	expect_restored(&a, 1);
	a.desc.residency = 5;
	expect_restored(&a, 1);
	a.desc.nrestore = 0;   /* a job without restore commands keeps the pair */
	expect_restored(&a, 0);
	a.desc.nrestore = C_PARAMS - C_CODEBOOK + 1;
	expect_restored(&a, 0);
}

static void test_residency_lost(void **state)
{
	struct process a = process_new(f);

	(void)state;
	make_resident(&a, 9);
	expect_restored(&a, 1);
	expect_restored(&a, 0);
	PG_SET(&a.cmds[C_MAC], MAC_LEN, 0);   /* a failed job */
	process_fails(&a, EIE_STATUS_BAD_COMMAND, C_MAC, 0);
	PG_SET(&a.cmds[C_MAC], MAC_LEN, X_LEN);
	expect_restored(&a, 1);
	a.desc.rsvd0[0] = 1;   /* a descriptor that was refused */
	process_fails(&a, EIE_STATUS_BAD_DESCRIPTOR, -1, 0);
	a.desc.rsvd0[0] = 0;
	expect_restored(&a, 1);
	expect_restored(&a, 0);
	fixture_recover(f);
	/* the interpreter has no reset; the RTL must have forgotten */
	{
		struct eie_cpl cpl;

		board_submit(&f->b, &a.desc);
		fixture_wait(f, &cpl);
		assert_int_equal(cpl.status, EIE_STATUS_OK);
		assert_int_equal(cpl.restored, 1);
	}
}

static void test_residency_random(void **state)
{
	struct process p[2] = { process_new(f), process_new(f) };

	(void)state;
	for (unsigned int i = 0, n = fixture_jobs(150, 50); i < n; i++) {
		struct process *q = &p[rng_permille(&f->rng, 300)];
		struct eie_cpl cpl;

		make_resident(q, rng_range(&f->rng, 0, 2));
		if (rng_permille(&f->rng, 100))
			q->desc.nrestore = 0;
		if (rng_permille(&f->rng, 100))
			PG_SET(&q->cmds[C_X], XFER_LEN, 0);
		process_run(q, &cpl);   /* compares status and restored */
	}
}

int main(int argc, char **argv)
{
	/* without random stalls: equal runs take equal time */
	const struct fixture_spec board = { { .seed = 3, .latency = 8 }, RAM_BYTES, 2, 2 };
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_store_of_a_secret, fixture_each),
		cmocka_unit_test_setup(test_own_data_stay, fixture_each),
		cmocka_unit_test_setup(test_after_success, fixture_each),
		cmocka_unit_test_setup(test_after_fault, fixture_each),
		cmocka_unit_test_setup(test_after_abort, fixture_each),
		cmocka_unit_test_setup(test_many_address_spaces, fixture_each),
		cmocka_unit_test_setup(test_residency, fixture_each),
		cmocka_unit_test_setup(test_residency_lost, fixture_each),
		cmocka_unit_test_setup(test_residency_random, fixture_each),
	};

	return fixture_main(argc, argv, &board, &f, tests);
}
