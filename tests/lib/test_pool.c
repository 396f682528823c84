// SPDX-License-Identifier: GPL-2.0 OR MIT
/* VPOOL of the interpreter: random windows against the definition of max pooling, then one field broken a test, with the exact status. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "pool_job.h"
#include "vector_run.h"

static const struct eie_params machines[] = {
	{ .isa_major = 1, .clusters = 4, .lanes = 8, .rows = 64, .abuf = 2048, .wbuf = 256, .pbuf = 64, .rbuf = 32, .queues = 1, .tlb = 4,
	  .jobs = 16, .features = EIE_FEATURE_VECTOR | EIE_FEATURE_POOL },
	{ .isa_major = 1, .clusters = 2, .lanes = 2, .rows = 64, .abuf = 1024, .wbuf = 1024, .pbuf = 256, .rbuf = 128, .queues = 1,
	  .tlb = 4, .jobs = 16, .features = EIE_FEATURE_POOL },
	{ .isa_major = 1, .clusters = 16, .lanes = 16, .rows = 128, .abuf = 8192, .wbuf = 256, .pbuf = 256, .rbuf = 64, .queues = 1,
	  .tlb = 4, .jobs = 16, .features = EIE_FEATURE_POOL },
};

/* Channel c, window i, pixel by pixel. */
static int16_t definition(const struct vjob *j, uint32_t c, uint32_t i, unsigned int *saturated)
{
	const struct vgeometry *g = &j->g;
	const struct eie_cmd *cmd = &j->cmd[POOL_VPOOL];
	uint32_t n = g->first_y * g->out_x + g->first_x + i;
	int64_t top = (int64_t)(n / g->out_x) * g->sy - g->py, left = (int64_t)(n % g->out_x) * g->sx - g->px;
	int64_t best = 0, sum = 0;
	bool any = false;

	if (g->tail && i >= g->groups * 8 - 8 + g->tail)
		return 0;
	for (uint32_t y = 0; y < g->height; y++) {
		for (uint32_t x = 0; x < g->width; x++) {
			int64_t dy = y - top, dx = x - left;
			int v = j->image[((size_t)c * g->height + y) * g->width + x];

			if (dy < 0 || dx < 0 || dy % g->dy || dx % g->dx || dy / g->dy >= g->ky || dx / g->dx >= g->kx)
				continue;
			best = !any || v > best ? v : best;
			any = true;
			sum += v;
		}
	}
	if (!CMD_GET(cmd, VPOOL_SUM))
		return (int16_t)best;
	/* nearest, halves up */
	for (uint32_t s = CMD_GET(cmd, VPOOL_SHIFT); s; s--)
		sum = s == 1 ? (sum + 1) / 2 - ((sum + 1) % 2 < 0) : sum / 2 - (sum % 2 < 0);
	*saturated += sum > 32767 || sum < -32767;
	return (int16_t)(sum > 32767 ? 32767 : sum < -32767 ? -32767 : sum);
}

static void good(struct fixture *f)
{
	const struct vjob *j = f->job;
	unsigned int saturated = 0;

	assert_int_equal(run(f), EIE_STATUS_OK);
	for (uint32_t c = 0; c < j->g.channels; c++)
		for (uint32_t i = 0; i < j->g.groups * 8; i++)
			assert_int_equal(vjob_out(j, c / j->p.clusters, c % j->p.clusters, i), definition(j, c, i, &saturated));
	assert_int_equal(f->cpl.macs, 0);
	/* the channels that fill the last block count, too: they may hold anything */
	if (j->g.channels % j->p.clusters == 0)
		assert_int_equal(le32toh(f->cpl.saturated), saturated);
	else
		assert_true(le32toh(f->cpl.saturated) >= saturated);
}

static void test_random(void **state)
{
	(void)state;
	for (size_t m = 0; m < sizeof(machines) / sizeof(machines[0]); m++) {
		struct fixture f = { 0 };
		uint64_t seed = 177 + m;

		assert_int_equal(eie_ref_new(&machines[m], &f.ref), 0);
		for (int i = 0; i < 200; i++) {
			struct vgeometry g = vgeometry_random(&machines[m], &seed);

			g.rows = 1;
			if (vround(g.channels, machines[m].clusters) * (g.plane + g.out_plane) > machines[m].abuf)
				continue;
			f.job = pool_new(&machines[m], &g, vrandom(&seed));
			good(&f);
			vjob_free(f.job);
		}
		eie_ref_free(f.ref);
	}
}

static const struct vgeometry plain = {
	.channels = 6, .width = 13, .height = 5, .origin = 3, .kx = 3, .ky = 3, .sx = 1, .sy = 1, .dx = 1, .dy = 1, .px = 1, .py = 1,
	.out_x = 13, .groups = 8, .rows = 1, .plane = 9, .out_plane = 9, .zeros = 40, .lo = -32767, .hi = 32767
};

/* Corners of the geometry that random numbers hardly meet: the largest fields, windows that see nothing, one pixel. */
static void test_corners(void **state)
{
	static const struct vgeometry corners[] = {
		{ .channels = 1, .width = 1, .height = 1, .kx = 1, .ky = 1, .sx = 1, .sy = 1, .dx = 1, .dy = 1, .out_x = 1, .groups = 1,
		  .tail = 1, .plane = 1, .out_plane = 1 },
		{ .channels = 4, .width = 15, .height = 15, .kx = 15, .ky = 15, .sx = 15, .sy = 15, .dx = 1, .dy = 1, .out_x = 1, .groups = 1,
		  .tail = 1, .plane = 29, .out_plane = 1 },
		{ .channels = 3, .width = 9, .height = 7, .origin = 7, .kx = 15, .ky = 15, .sx = 1, .sy = 1, .dx = 15, .dy = 15, .px = 210,
		  .py = 210, .out_x = 219, .groups = 40, .plane = 9, .out_plane = 40 },
		{ .channels = 2, .width = 5, .height = 5, .kx = 2, .ky = 2, .sx = 1, .sy = 1, .dx = 1, .dy = 1, .px = 255, .py = 255,
		  .out_x = 4095, .first_x = 4094, .first_y = 255, .groups = 70, .plane = 4, .out_plane = 70 },
	};
	struct fixture f = { 0 };

	(void)state;
	assert_int_equal(eie_ref_new(&machines[0], &f.ref), 0);
	for (size_t i = 0; i < sizeof(corners) / sizeof(corners[0]); i++) {
		struct vgeometry g = corners[i];

		g.rows = 1;
		g.lo = -32767;
		g.hi = 32767;
		f.job = pool_new(&machines[0], &g, i);
		good(&f);
		/* the same with values below zero alone: the padding is not among them */
		for (size_t n = 0; n < (size_t)g.channels * g.height * g.width; n++) {
			uint32_t at = g.origin + n % (g.height * g.width), c = (uint32_t)(n / (g.height * g.width));
			uint32_t granule = c / 4 * g.plane * 4 + at / 8 * 4 + c % 4;

			f.job->image[n] = (int16_t)(-1 - (f.job->image[n] & 0x7fff));
			vput16(f.job->memory + CMD_GET(&f.job->cmd[POOL_LOAD], XFER_OFFSET) + granule * 16 + 2 * (at % 8),
			       (uint16_t)f.job->image[n]);
		}
		good(&f);
		vjob_free(f.job);
	}
	eie_ref_free(f.ref);
}

static int setup(void **state)
{
	return fixture_new(&machines[0], pool_new(&machines[0], &plain, 4), state);
}

#define BREAK(field_, value_, status_) \
	do { \
		struct fixture *fix_ = *state; \
		struct eie_cmd good_ = fix_->job->cmd[POOL_VPOOL]; \
		CMD_SET(&fix_->job->cmd[POOL_VPOOL], VPOOL_##field_, value_); \
		expect(fix_, EIE_STATUS_##status_, POOL_VPOOL); \
		fix_->job->cmd[POOL_VPOOL] = good_; \
		good(fix_); \
	} while (0)

static void test_bad_command(void **state)
{
	static const struct {
		unsigned int dw;
		uint32_t bits;
	} reserved[] = { { 0, 0xe0e2e000 }, { 2, 0xff000000 }, { 7, 0xff800000 } };
	struct fixture *f = *state;

	good(f);
	BREAK(KERNEL_X, 0, BAD_COMMAND);
	BREAK(KERNEL_Y, 0, BAD_COMMAND);
	BREAK(PLANE, 0, BAD_COMMAND);
	BREAK(CHANNELS, 0, BAD_COMMAND);
	BREAK(IN_X, 0, BAD_COMMAND);
	BREAK(IN_Y, 0, BAD_COMMAND);
	BREAK(STRIDE_X, 0, BAD_COMMAND);
	BREAK(STRIDE_Y, 0, BAD_COMMAND);
	BREAK(OUT_X, 0, BAD_COMMAND);
	BREAK(OUT_PLANE, plain.groups - 1, BAD_COMMAND);
	BREAK(DILATE_X, 0, BAD_COMMAND);
	BREAK(DILATE_Y, 0, BAD_COMMAND);
	BREAK(FIRST_X, plain.out_x, BAD_COMMAND);
	BREAK(GROUPS, 0, BAD_COMMAND);
	BREAK(SHIFT, 1, BAD_COMMAND);
	CMD_SET(&f->job->cmd[POOL_VPOOL], VPOOL_SUM, 1);
	CMD_SET(&f->job->cmd[POOL_VPOOL], VPOOL_SHIFT, 31);
	good(f);
	for (size_t i = 0; i < sizeof(reserved) / sizeof(reserved[0]); i++) {
		for (unsigned int bit = 0; bit < 32; bit++) {
			if (!(reserved[i].bits >> bit & 1))
				continue;
			f->job->cmd[POOL_VPOOL].dw[reserved[i].dw] ^= htole32(1u << bit);
			expect(f, EIE_STATUS_BAD_COMMAND, POOL_VPOOL);
			f->job->cmd[POOL_VPOOL].dw[reserved[i].dw] ^= htole32(1u << bit);
		}
	}
}

static void test_bad_range(void **state)
{
	const struct eie_params *p = &machines[0];
	struct fixture *f = *state;

	BREAK(CHANNELS, 7, BAD_RANGE);
	BREAK(IN, 1, BAD_RANGE);
	BREAK(IN, p->abuf - 8 * plain.plane + 4, BAD_RANGE);
	BREAK(IN, p->abuf - 8 * plain.plane, UNWRITTEN);   /* as far as it goes: legal, but nothing is there */
	BREAK(PLANE, p->abuf / 8 + 1, BAD_RANGE);
	BREAK(PLANE, 8, BAD_RANGE);
	BREAK(IN_Y, 6, BAD_RANGE);
	BREAK(OUT, 2, BAD_RANGE);
	BREAK(OUT, p->abuf - (plain.out_plane + plain.groups) * 4 + 4, BAD_RANGE);
	BREAK(OUT, 0xfffffc, BAD_RANGE);
	BREAK(OUT_PLANE, 4095, BAD_RANGE);
	BREAK(GROUPS, 10, BAD_COMMAND);
	/* the last place for the output */
	CMD_SET(&f->job->cmd[POOL_VPOOL], VPOOL_OUT, p->abuf - (plain.out_plane + plain.groups) * 4);
	CMD_SET(&f->job->cmd[POOL_STORE], XFER_ADDR, p->abuf - (plain.out_plane + plain.groups) * 4);
	good(f);
}

/* A granule that no window reads may be unwritten; one that a window reads may not. */
static void test_unwritten(void **state)
{
	struct fixture *f = *state;
	struct eie_cmd whole = f->job->cmd[POOL_LOAD];

	CMD_SET(&f->job->cmd[POOL_LOAD], XFER_LEN, CMD_GET(&whole, XFER_LEN) - 1);
	f->job->desc.asid++;
	expect(f, EIE_STATUS_UNWRITTEN, POOL_VPOOL);
	/* 3 + 65 values are nine groups; four rows of windows do not see the last */
	f->job->desc.asid++;
	CMD_SET(&f->job->cmd[POOL_VPOOL], VPOOL_GROUPS, 4);
	assert_int_equal(run(f), EIE_STATUS_UNWRITTEN);   /* of the STORE: it takes eight groups */
	assert_int_equal(f->cpl.fault_cmd, 1u << EIE_CPL_FAULT_VALID_SHIFT | POOL_STORE);
}

static void test_no_feature(void **state)
{
	struct fixture *f = *state;
	struct eie_params p = machines[0];

	eie_ref_free(f->ref);
	p.features = EIE_FEATURE_VECTOR;
	assert_int_equal(eie_ref_new(&p, &f->ref), 0);
	expect(f, EIE_STATUS_BAD_COMMAND, POOL_VPOOL);
}

/* The most cycles that a gather a cycle could need, and no end before: TIMEOUT, not for ever. */
static void test_time(void **state)
{
	struct fixture *f = *state;

	f->job->desc.cycle_limit = htole32(8 * 8 * 9 / 2 - 1);
	assert_int_equal(run(f), EIE_STATUS_TIMEOUT);
	f->job->desc.cycle_limit = htole32(8 * 8 * 9);
	good(f);
}

static void test_hostile(void **state)
{
	struct fixture *f = *state;
	uint64_t seed = 9;
	unsigned int ok = 0;

	f->job->desc.cycle_limit = htole32(20000);
	for (int i = 0; i < 10000; i++) {
		struct eie_cmd before = f->job->cmd[POOL_VPOOL];
		uint32_t status;

		for (int n = vpick(&seed, 1, 3); n; n--)
			f->job->cmd[POOL_VPOOL].dw[vpick(&seed, 0, 7)] ^= htole32(1u << vpick(&seed, 0, 31));
		status = run(f);
		assert_true(status <= EIE_STATUS_TIMEOUT);
		ok += status == EIE_STATUS_OK;
		assert_int_equal(run(f), status);
		f->job->cmd[POOL_VPOOL] = before;
	}
	assert_true(ok > 500 && ok < 9000);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, fixture_free)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_random), cmocka_unit_test(test_corners), TEST(test_bad_command), TEST(test_bad_range), TEST(test_unwritten),
		TEST(test_no_feature), TEST(test_time), TEST(test_hostile),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
