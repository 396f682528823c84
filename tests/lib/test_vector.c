// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Vector mode of the interpreter: random convolutions against their definition, then one field broken a test, with the exact status. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "vector_run.h"

static const struct eie_params machines[] = {
	{ .isa_major = 1, .clusters = 4, .lanes = 8, .rows = 64, .abuf = 2048, .wbuf = 256, .pbuf = 64, .rbuf = 32, .queues = 1, .tlb = 4,
	  .jobs = 16, .features = EIE_FEATURE_VECTOR | EIE_FEATURE_SPLIT },
	{ .isa_major = 1, .clusters = 2, .lanes = 2, .rows = 64, .abuf = 1024, .wbuf = 1024, .pbuf = 256, .rbuf = 128, .queues = 1,
	  .tlb = 4, .jobs = 16, .features = EIE_FEATURE_VECTOR | EIE_FEATURE_SPLIT },
	{ .isa_major = 1, .clusters = 16, .lanes = 16, .rows = 128, .abuf = 8192, .wbuf = 256, .pbuf = 256, .rbuf = 64, .queues = 1,
	  .tlb = 4, .jobs = 16, .features = EIE_FEATURE_VECTOR },
};

static void same(const struct vjob *j)
{
	for (uint32_t r = 0; r < j->g.rows; r++)
		for (uint32_t c = 0; c < j->p.clusters; c++)
			for (uint32_t i = 0; i < j->g.groups * 8; i++)
				assert_int_equal(vjob_out(j, r, c, i), j->want[(size_t)(r * j->p.clusters + c) * j->g.groups * 8 + i]);
}

static void good(struct fixture *f)
{
	assert_int_equal(run(f), EIE_STATUS_OK);
	same(f->job);
	assert_int_equal(le64toh(f->cpl.macs), f->job->want_macs);
	assert_int_equal(le32toh(f->cpl.saturated), f->job->want_saturated);
}

static void test_random(void **state)
{
	(void)state;
	for (size_t m = 0; m < sizeof(machines) / sizeof(machines[0]); m++) {
		struct fixture f = { 0 };
		uint64_t seed = 77 + m, macs = 0;

		assert_int_equal(eie_ref_new(&machines[m], &f.ref), 0);
		for (int i = 0; i < 300; i++) {
			struct vgeometry g = vgeometry_random(&machines[m], &seed);

			f.job = vjob_new(&machines[m], &g, vrandom(&seed));
			good(&f);
			macs += f.job->want_macs;
			vjob_free(f.job);
		}
		assert_true(macs > 20000);
		eie_ref_free(f.ref);
	}
}

/* 3x3, stride 1, a border of one: the middle of a network. */
static const struct vgeometry plain = {
	.channels = 6, .width = 13, .height = 5, .origin = 3, .kx = 3, .ky = 3, .sx = 1, .sy = 1, .dx = 1, .dy = 1, .px = 1, .py = 1,
	.out_x = 13, .groups = 8, .rows = 5, .plane = 9, .out_plane = 8, .density = 30, .zeros = 40, .lo = -32767, .hi = 32767
};

static int setup(void **state)
{
	return fixture_new(&machines[0], vjob_new(&machines[0], &plain, 5), state);
}

#define BREAK(cmd_, field_, value_, status_) \
	do { \
		struct fixture *fix_ = *state; \
		struct eie_cmd good_ = fix_->job->cmd[cmd_]; \
		CMD_SET(&fix_->job->cmd[cmd_], field_, value_); \
		expect(fix_, EIE_STATUS_##status_, cmd_); \
		fix_->job->cmd[cmd_] = good_; \
		good(fix_); \
	} while (0)

/* The last value that is legal: the job must not fail, whatever it computes. */
#define ALLOW(cmd_, field_, value_) \
	do { \
		struct fixture *fix_ = *state; \
		struct eie_cmd good_ = fix_->job->cmd[cmd_]; \
		CMD_SET(&fix_->job->cmd[cmd_], field_, value_); \
		assert_int_equal(run(fix_), EIE_STATUS_OK); \
		fix_->job->cmd[cmd_] = good_; \
	} while (0)

static void test_bad_command(void **state)
{
	struct fixture *f = *state;

	good(f);
	BREAK(VJOB_VMAC, VMAC_KERNEL_X, 0, BAD_COMMAND);
	BREAK(VJOB_VMAC, VMAC_KERNEL_Y, 0, BAD_COMMAND);
	BREAK(VJOB_VMAC, VMAC_PLANE, 0, BAD_COMMAND);
	BREAK(VJOB_VMAC, VMAC_CHANNELS, 0, BAD_COMMAND);
	BREAK(VJOB_VMAC, VMAC_IN_X, 0, BAD_COMMAND);
	BREAK(VJOB_VMAC, VMAC_IN_Y, 0, BAD_COMMAND);
	BREAK(VJOB_VMAC, VMAC_STRIDE_X, 0, BAD_COMMAND);
	BREAK(VJOB_VMAC, VMAC_STRIDE_Y, 0, BAD_COMMAND);
	BREAK(VJOB_VMAC, VMAC_OUT_X, 0, BAD_COMMAND);
	BREAK(VJOB_VMAC, VMAC_ROWS, 0, BAD_COMMAND);
	BREAK(VJOB_VMAC, VMAC_DILATE_X, 0, BAD_COMMAND);
	BREAK(VJOB_VMAC, VMAC_DILATE_Y, 0, BAD_COMMAND);
	BREAK(VJOB_VMAC, VMAC_FIRST_X, plain.out_x, BAD_COMMAND);
	BREAK(VJOB_VMAC, VMAC_GROUPS, 0, BAD_COMMAND);
	BREAK(VJOB_VDRAIN, VDRAIN_PLANE, plain.groups - 1, BAD_COMMAND);
	BREAK(VJOB_VDRAIN, VDRAIN_ROWS, 0, BAD_COMMAND);
	BREAK(VJOB_VDRAIN, VDRAIN_GROUPS, 0, BAD_COMMAND);
	BREAK(VJOB_VDRAIN, VDRAIN_LO, 0x8000, BAD_COMMAND);
	BREAK(VJOB_VDRAIN, VDRAIN_HI, 0x8000, BAD_COMMAND);
	/* Bits that no field names. */
	for (unsigned int bit = 23; bit < 32; bit++) {
		f->job->cmd[VJOB_VMAC].dw[7] ^= htole32(1u << bit);
		expect(f, EIE_STATUS_BAD_COMMAND, VJOB_VMAC);
		f->job->cmd[VJOB_VMAC].dw[7] ^= htole32(1u << bit);
	}
	for (unsigned int dw = 6; dw < 8; dw++) {
		f->job->cmd[VJOB_VDRAIN].dw[dw] = htole32(1);
		expect(f, EIE_STATUS_BAD_COMMAND, VJOB_VDRAIN);
		f->job->cmd[VJOB_VDRAIN].dw[dw] = 0;
	}
}

static void test_bad_range(void **state)
{
	const struct eie_params *p = &machines[0];
	uint32_t columns = vcolumns(&plain), out = (plain.channels + 3) / 4 * 4 * plain.plane;

	BREAK(VJOB_VMAC, VMAC_IN, 1, BAD_RANGE);
	BREAK(VJOB_VMAC, VMAC_IN, 2, BAD_RANGE);
	BREAK(VJOB_VMAC, VMAC_IN, p->abuf - out + 4, BAD_RANGE);
	BREAK(VJOB_VMAC, VMAC_IN, 0xfffffc, BAD_RANGE);
	BREAK(VJOB_VMAC, VMAC_PLANE, p->abuf / 8 + 1, BAD_RANGE);   /* two blocks of four channels */
	BREAK(VJOB_VMAC, VMAC_PLANE, 0xfffff, BAD_RANGE);
	BREAK(VJOB_VMAC, VMAC_PLANE, 8, BAD_RANGE);                 /* 3 + 13 * 5 values are more than eight groups */
	ALLOW(VJOB_VMAC, VMAC_ORIGIN, 7);                           /* 7 + 65 values fill nine groups */
	BREAK(VJOB_VMAC, VMAC_IN, p->abuf - out, UNWRITTEN);        /* as far as it goes: legal, but nothing is there */
	BREAK(VJOB_VMAC, VMAC_IN_Y, 6, BAD_RANGE);
	BREAK(VJOB_VMAC, VMAC_IN_X, 4095, BAD_RANGE);
	BREAK(VJOB_VMAC, VMAC_PTR, p->pbuf - (columns + 3) / 4 + 1, BAD_RANGE);
	ALLOW(VJOB_VMAC, VMAC_ROWS, 8);
	BREAK(VJOB_VMAC, VMAC_PTR, 0xffff, BAD_RANGE);
	BREAK(VJOB_VMAC, VMAC_KERNEL_Y, 15, BAD_RANGE);             /* 270 columns are 68 granules of pointers */
	BREAK(VJOB_VMAC, VMAC_WEIGHTS, p->wbuf, BAD_RANGE);
	BREAK(VJOB_VMAC, VMAC_CODEBOOK, 1, BAD_RANGE);
	BREAK(VJOB_VMAC, VMAC_CODEBOOK, EIE_CBUF_GRANULES, BAD_RANGE);
	BREAK(VJOB_VMAC, VMAC_ROWS, 9, BAD_RANGE);                  /* two words a group: eight groups are 16 of 8 words */
	BREAK(VJOB_VMAC, VMAC_GROUPS, p->rows / 8 + 1, BAD_RANGE);
	BREAK(VJOB_VDRAIN, VDRAIN_OUT, out + 1, BAD_RANGE);
	BREAK(VJOB_VDRAIN, VDRAIN_OUT, p->abuf - 5 * 4 * 8 + 4, BAD_RANGE);
	BREAK(VJOB_VDRAIN, VDRAIN_PLANE, 0xfffff, BAD_RANGE);
	BREAK(VJOB_VDRAIN, VDRAIN_ROWS, 9, BAD_RANGE);
	BREAK(VJOB_VDRAIN, VDRAIN_GROUPS, p->rows / 8 + 1, BAD_COMMAND);   /* and more than PLANE: the lowest */
	BREAK(VJOB_VDRAIN, VDRAIN_PARAM, p->rbuf - 2, BAD_RANGE);
	ALLOW(VJOB_VDRAIN, VDRAIN_OUT, p->abuf - 5 * 4 * 8);
	BREAK(VJOB_VDRAIN, VDRAIN_PARAM, 0xffffff, BAD_RANGE);
}

/* Unwritten granules count where they are read, and only there. */
static void test_unwritten(void **state)
{
	struct fixture *f = *state;
	struct eie_cmd load_in = f->job->cmd[VJOB_LOAD_IN], load_p = f->job->cmd[VJOB_LOAD_P];
	static const unsigned int loads[] = { VJOB_LOAD_IN, VJOB_LOAD_W, VJOB_LOAD_P, VJOB_LOAD_C, VJOB_LOAD_R };

	for (unsigned int i = 0; i < 5; i++) {
		struct eie_cmd whole = f->job->cmd[loads[i]];

		f->job->desc.asid++;
		CMD_SET(&f->job->cmd[loads[i]], XFER_LEN, CMD_GET(&whole, XFER_LEN) - 1);
		if (loads[i] == VJOB_LOAD_W || loads[i] == VJOB_LOAD_P || loads[i] == VJOB_LOAD_R)
			CMD_SET(&f->job->cmd[loads[i]], XFER_ROWS, 1);   /* the other clusters have nothing */
		if (loads[i] == VJOB_LOAD_IN)
			CMD_SET(&f->job->cmd[loads[i]], XFER_LEN, CMD_GET(&whole, XFER_LEN) - machines[0].clusters - 2);
		expect(f, EIE_STATUS_UNWRITTEN, loads[i] == VJOB_LOAD_R ? VJOB_VDRAIN : VJOB_VMAC);
		f->job->cmd[loads[i]] = whole;
		good(f);
	}
	/* Channels 6 and 7 of the last block are nobody's: their granules may be missing. */
	f->job->desc.asid++;
	CMD_SET(&f->job->cmd[VJOB_LOAD_IN], XFER_LEN, CMD_GET(&load_in, XFER_LEN) - 2);
	good(f);
	f->job->cmd[VJOB_LOAD_IN] = load_in;
	/* A column of zeros reads neither pointers nor weights. */
	f->job->desc.asid++;
	memset(f->job->memory + CMD_GET(&load_in, XFER_OFFSET), 0, CMD_GET(&load_in, XFER_LEN) * EIE_GRANULE_BYTES);
	CMD_SET(&f->job->cmd[VJOB_LOAD_P], XFER_ADDR, machines[0].pbuf - CMD_GET(&load_p, XFER_LEN));
	assert_int_equal(run(f), EIE_STATUS_OK);
	assert_int_equal(f->cpl.macs, 0);
}

static void test_bad_stream(void **state)
{
	struct fixture *f = *state;
	uint8_t *w = f->job->memory + CMD_GET(&f->job->cmd[VJOB_LOAD_W], XFER_OFFSET);
	uint8_t *p = f->job->memory + CMD_GET(&f->job->cmd[VJOB_LOAD_P], XFER_OFFSET);
	uint32_t columns = vcolumns(&f->job->g);

	for (uint32_t col = 0; col < columns; col++)
		vput32(p + 4 * col, stream_pointer(0, 1));
	w[0] = 1 | 4 << 4;      /* row 4 of five */
	assert_int_equal(run(f), EIE_STATUS_OK);
	w[0] = 1 | 5 << 4;      /* the accumulators have it, the group has not */
	expect(f, EIE_STATUS_BAD_STREAM, VJOB_VMAC);
	w[0] = 0;
	expect(f, EIE_STATUS_BAD_STREAM, VJOB_VMAC);
	w[0] = 1;
	vput32(p, stream_pointer(machines[0].wbuf * EIE_GRANULE_BYTES, 1));
	expect(f, EIE_STATUS_BAD_STREAM, VJOB_VMAC);
}

static void test_bad_param(void **state)
{
	struct fixture *f = *state;
	uint8_t *r = f->job->memory + CMD_GET(&f->job->cmd[VJOB_LOAD_R], XFER_OFFSET);
	uint8_t s = r[8 * 4 + 6], pad = r[8 * 5 + 6];

	r[8 * 4 + 6] = EIE_SHIFT_MAX + 1;
	expect(f, EIE_STATUS_BAD_PARAM, VJOB_VDRAIN);
	r[8 * 4 + 6] = s;
	r[8 * 4 + 7] = 1;
	expect(f, EIE_STATUS_BAD_PARAM, VJOB_VDRAIN);
	r[8 * 4 + 7] = 0;
	/* The row that fills the granule is not looked at. */
	r[8 * 5 + 6] = 0;
	good(f);
	r[8 * 5 + 6] = pad;
}

/* Columns in two commands, one after the other into the same half: blocks of channels, as a layer too large for WBUF has them. */
static void test_accumulate(void **state)
{
	struct fixture *f = *state;
	struct eie_cmd *c = f->job->cmd;

	c[VJOB_STORE + 1] = c[VJOB_STORE];
	c[VJOB_VDRAIN + 1] = c[VJOB_VDRAIN];
	c[VJOB_VMAC + 1] = c[VJOB_VMAC];
	CMD_SET(&c[VJOB_VMAC], VMAC_CHANNELS, 4);
	CMD_SET(&c[VJOB_VMAC + 1], WAIT_PREV, 0);
	CMD_SET(&c[VJOB_VMAC + 1], VMAC_CHANNELS, 2);
	CMD_SET(&c[VJOB_VMAC + 1], VMAC_IN, 4 * plain.plane);
	CMD_SET(&c[VJOB_VMAC + 1], VMAC_PTR, 4 * 9 / 4);
	f->job->ncmds++;
	good(f);
}

/* A half of one mode is empty for the other, in both directions. */
static void test_modes(void **state)
{
	struct fixture *f = *state;
	struct eie_cmd *c = f->job->cmd, mac = { { 0 } };

	CMD_SET(&mac, OPCODE, EIE_OP_MAC);
	CMD_SET(&mac, MAC_LEN, 1);
	CMD_SET(&mac, WAIT_PREV, 1);
	memmove(&c[VJOB_VMAC + 1], &c[VJOB_VMAC], 3 * sizeof(*c));
	c[VJOB_VMAC] = mac;
	CMD_SET(&c[VJOB_VMAC + 1], WAIT_PREV, 0);
	f->job->ncmds++;
	assert_int_equal(run(f), EIE_STATUS_OK);
	same(f->job);
	assert_true(f->cpl.macs > f->job->want_macs);
	/* VMAC, MAC, VDRAIN: every output is that of its bias. */
	c[VJOB_VMAC] = c[VJOB_VMAC + 1];
	CMD_SET(&c[VJOB_VMAC], WAIT_PREV, 1);
	c[VJOB_VMAC + 1] = mac;
	CMD_SET(&c[VJOB_VMAC + 1], WAIT_PREV, 0);
	assert_int_equal(run(f), EIE_STATUS_OK);
	for (uint32_t r = 0; r < plain.rows; r++)
		for (uint32_t k = 0; k < machines[0].clusters; k++)
			for (uint32_t i = 1; i < plain.groups * 8; i++)
				assert_int_equal(vjob_out(f->job, r, k, i), vjob_out(f->job, r, k, 0));
	/* The other half is another matter. */
	CMD_SET(&c[VJOB_VMAC + 1], MAC_HALF, 1);
	assert_int_equal(run(f), EIE_STATUS_OK);
	same(f->job);
}

/* Hardware that does not have it knows no such opcodes. */
static void test_no_feature(void **state)
{
	struct fixture *f = *state;
	struct eie_params p = machines[0];

	eie_ref_free(f->ref);
	p.features = machines[0].features & ~(uint32_t)EIE_FEATURE_SPLIT;
	assert_int_equal(eie_ref_new(&p, &f->ref), 0);
	good(f);
	CMD_SET(&f->job->cmd[VJOB_VMAC], VMAC_SPLIT, 1);
	expect(f, EIE_STATUS_BAD_COMMAND, VJOB_VMAC);
	CMD_SET(&f->job->cmd[VJOB_VMAC], VMAC_SPLIT, 0);
	eie_ref_free(f->ref);
	p.features = 0;
	assert_int_equal(eie_ref_new(&p, &f->ref), 0);
	expect(f, EIE_STATUS_BAD_COMMAND, VJOB_VMAC);
	CMD_SET(&f->job->cmd[VJOB_VMAC], OPCODE, EIE_OP_VDRAIN);
	expect(f, EIE_STATUS_BAD_COMMAND, VJOB_VMAC);
}

/* Any bit of the two commands: any status, no crash (the sanitizers watch), and always the same. */
static void test_hostile(void **state)
{
	struct fixture *f = *state;
	uint64_t seed = 9;
	unsigned int ok = 0;

	f->job->desc.cycle_limit = htole32(20000);
	for (int i = 0; i < 10000; i++) {
		struct eie_cmd good_v = f->job->cmd[VJOB_VMAC], good_d = f->job->cmd[VJOB_VDRAIN];
		uint32_t status;

		for (int n = vpick(&seed, 1, 3); n; n--)
			f->job->cmd[vpick(&seed, VJOB_VMAC, VJOB_VDRAIN)].dw[vpick(&seed, 0, 7)] ^= htole32(1u << vpick(&seed, 0, 31));
		status = run(f);
		assert_true(status <= EIE_STATUS_TIMEOUT);
		ok += status == EIE_STATUS_OK;
		assert_int_equal(run(f), status);
		f->job->cmd[VJOB_VMAC] = good_v;
		f->job->cmd[VJOB_VDRAIN] = good_d;
	}
	assert_true(ok > 500 && ok < 9000);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, fixture_free)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_random), TEST(test_bad_command), TEST(test_bad_range), TEST(test_unwritten), TEST(test_bad_stream),
		TEST(test_bad_param), TEST(test_accumulate), TEST(test_modes), TEST(test_no_feature), TEST(test_hostile),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
