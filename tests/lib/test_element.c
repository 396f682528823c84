// SPDX-License-Identifier: GPL-2.0 OR MIT
/* VMUL and VTABLE of the interpreter: random tensors against the definition, then one field broken a test, with the exact status. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "element_job.h"
#include "vector_run.h"

static const struct eie_params machines[] = {
	{ .isa_major = 1, .clusters = 4, .lanes = 8, .rows = 64, .abuf = 2048, .wbuf = 256, .pbuf = 64, .rbuf = 32, .queues = 1, .tlb = 4,
	  .jobs = 16, .features = EIE_FEATURE_ELEMENT },
	{ .isa_major = 1, .clusters = 2, .lanes = 2, .rows = 64, .abuf = 512, .wbuf = 1024, .pbuf = 256, .rbuf = 128, .queues = 1,
	  .tlb = 4, .jobs = 16, .features = EIE_FEATURE_ELEMENT | EIE_FEATURE_POOL },
	{ .isa_major = 1, .clusters = 16, .lanes = 16, .rows = 128, .abuf = 8192, .wbuf = 256, .pbuf = 256, .rbuf = 64, .queues = 1,
	  .tlb = 4, .jobs = 16, .features = EIE_FEATURE_ELEMENT },
};

static int64_t value(const struct vjob *j, uint32_t granule, uint32_t l)
{
	const uint8_t *at = j->memory + j->in + granule * EIE_GRANULE_BYTES + 2 * l;

	return (int16_t)(at[0] | at[1] << 8);
}

/* Largest whole number not above n / 2^s. */
static int64_t floor_shift(int64_t n, unsigned int s)
{
	int64_t d = (int64_t)1 << s;

	return n / d - (n % d < 0);
}

static int16_t definition(const struct element *e, const struct vjob *j, uint32_t c, uint32_t i, unsigned int *saturated)
{
	uint32_t k = j->p.clusters, a_granules = e->channels * e->plane, g = i / 8, l = i % 8;
	int64_t a = value(j, c / k * e->plane * k + g * k + c % k, l), b, v;

	if (e->tail && i >= e->groups * 8 - 8 + e->tail)
		return 0;
	if (e->table) {
		int64_t n = floor_shift(a, 8) + 128, f = a - (n - 128) * 256;

		v = value(j, a_granules + (uint32_t)(n / 8), (uint32_t)(n % 8));
		n++;
		b = value(j, a_granules + (uint32_t)(n / 8), (uint32_t)(n % 8));
		return (int16_t)(v + floor_shift((b - v) * f + 128, 8));
	}
	b = e->channel ? value(j, a_granules + c / k * e->b_plane * k + c % k, 0) : value(j, a_granules + c / k * e->b_plane * k + g * k + c % k, l);
	v = floor_shift(a * b * e->m + ((int64_t)1 << (e->s - 1)), e->s);
	*saturated += (v > e->hi && e->hi == 32767) || (v < e->lo && e->lo == -32767);
	return (int16_t)(v > e->hi ? e->hi : v < e->lo ? e->lo : v);
}

static void good(struct fixture *f, const struct element *e)
{
	const struct vjob *j = f->job;
	unsigned int saturated = 0;

	assert_int_equal(run(f), EIE_STATUS_OK);
	for (uint32_t c = 0; c < e->channels; c++)
		for (uint32_t i = 0; i < e->groups * 8; i++)
			assert_int_equal(vjob_out(j, c / j->p.clusters, c % j->p.clusters, i), definition(e, j, c, i, &saturated));
	assert_int_equal(f->cpl.macs, 0);
	assert_int_equal(le32toh(f->cpl.saturated), saturated);
}

static void test_random(void **state)
{
	(void)state;
	for (size_t m = 0; m < sizeof(machines) / sizeof(machines[0]); m++) {
		struct fixture f = { 0 };
		uint64_t seed = 31 + m;

		assert_int_equal(eie_ref_new(&machines[m], &f.ref), 0);
		for (int i = 0; i < 300; i++) {
			struct element e = element_random(&machines[m], &seed);

			f.job = element_new(&machines[m], &e, vrandom(&seed));
			good(&f, &e);
			vjob_free(f.job);
		}
		eie_ref_free(f.ref);
	}
}

static const struct element product = {
	.channels = 8, .groups = 5, .tail = 3, .plane = 7, .b_plane = 6, .out_plane = 6, .m = 40000, .s = 29, .lo = -32767, .hi = 32767
};
static const struct element by_channel = {
	.channel = true, .channels = 8, .groups = 5, .plane = 5, .b_plane = 1, .out_plane = 5, .m = 65535, .s = 31, .lo = 0, .hi = 32767
};
static const struct element table = { .table = true, .channels = 8, .groups = 5, .tail = 1, .plane = 6, .out_plane = 9 };

/* All inputs of a table, the whole range of 16 bits. */
static void test_all_inputs(void **state)
{
	const struct element all = { .table = true, .channels = 8, .groups = 2048 / 16, .plane = 2048 / 16, .out_plane = 2048 / 16, .in_place = true };
	struct fixture f = { 0 };

	(void)state;
	for (int16_t part = 0; part < 8; part++) {
		assert_int_equal(eie_ref_new(&machines[0], &f.ref), 0);
		f.job = element_new(&machines[0], &all, (uint64_t)part);
		for (int v = 0; v < 8192; v++)
			vput16(f.job->memory + f.job->in + 2 * v, (uint16_t)(part * 8192 + v));
		good(&f, &all);
		vjob_free(f.job);
		eie_ref_free(f.ref);
	}
}

static void open_job(struct fixture *f, const struct element *e)
{
	memset(f, 0, sizeof(*f));
	assert_int_equal(eie_ref_new(&machines[0], &f->ref), 0);
	f->job = element_new(&machines[0], e, 4);
	good(f, e);
}

static void close_job(struct fixture *f)
{
	eie_ref_free(f->ref);
	vjob_free(f->job);
}

/* One field changed: the status; then the good job again. */
#define BREAK(f_, e_, field_, value_, status_) \
	do { \
		struct eie_cmd good_ = (f_)->job->cmd[ELEMENT_OP]; \
		CMD_SET(&(f_)->job->cmd[ELEMENT_OP], field_, value_); \
		expect(f_, EIE_STATUS_##status_, ELEMENT_OP); \
		(f_)->job->cmd[ELEMENT_OP] = good_; \
		good(f_, e_); \
	} while (0)

static void reserved(struct fixture *f, const uint32_t bits[8])
{
	for (unsigned int bit = 0; bit < 256; bit++) {
		if (!(bits[bit / 32] >> bit % 32 & 1))
			continue;
		f->job->cmd[ELEMENT_OP].dw[bit / 32] ^= htole32(1u << bit % 32);
		expect(f, EIE_STATUS_BAD_COMMAND, ELEMENT_OP);
		f->job->cmd[ELEMENT_OP].dw[bit / 32] ^= htole32(1u << bit % 32);
	}
}

static void test_bad_command(void **state)
{
	static const uint32_t not_vmul[8] = { 0xffe2e000, 0xc0000000, 0xff000000, 0, 0xff000000, 0, 0xf0000000, 0xff000000 };
	static const uint32_t not_vtable[8] = { 0xffe3e000, 0xff000000, 0xff000000, 0, 0xff000000, 0xffffffff, 0xffffffff, 0xff000000 };
	struct fixture f;

	(void)state;
	open_job(&f, &product);
	BREAK(&f, &product, VMUL_CHANNELS, 0, BAD_COMMAND);
	BREAK(&f, &product, VMUL_GROUPS, 0, BAD_COMMAND);
	BREAK(&f, &product, VMUL_PLANE, product.groups - 1, BAD_COMMAND);
	BREAK(&f, &product, VMUL_B_PLANE, product.groups - 1, BAD_COMMAND);
	BREAK(&f, &product, VMUL_OUT_PLANE, product.groups - 1, BAD_COMMAND);
	BREAK(&f, &product, VMUL_S, 0, BAD_COMMAND);
	BREAK(&f, &product, VMUL_S, EIE_SHIFT_MAX + 1, BAD_COMMAND);
	BREAK(&f, &product, VMUL_LO, 0x8000, BAD_COMMAND);
	BREAK(&f, &product, VMUL_HI, 0x8000, BAD_COMMAND);
	reserved(&f, not_vmul);
	close_job(&f);
	open_job(&f, &by_channel);
	BREAK(&f, &by_channel, VMUL_B_PLANE, 0, BAD_COMMAND);
	BREAK(&f, &by_channel, VMUL_LO, 1 + 0x7fff, BAD_COMMAND);
	close_job(&f);
	open_job(&f, &table);
	BREAK(&f, &table, VTABLE_CHANNELS, 0, BAD_COMMAND);
	BREAK(&f, &table, VTABLE_GROUPS, 0, BAD_COMMAND);
	BREAK(&f, &table, VTABLE_PLANE, table.groups - 1, BAD_COMMAND);
	BREAK(&f, &table, VTABLE_OUT_PLANE, table.groups - 1, BAD_COMMAND);
	reserved(&f, not_vtable);
	close_job(&f);
}

static void test_bad_range(void **state)
{
	const uint32_t abuf = machines[0].abuf, k = machines[0].clusters;
	struct fixture f;

	(void)state;
	open_job(&f, &product);
	BREAK(&f, &product, VMUL_CHANNELS, 7, BAD_RANGE);
	BREAK(&f, &product, VMUL_IN, 2, BAD_RANGE);
	BREAK(&f, &product, VMUL_B, product.channels * product.plane + 1, BAD_RANGE);
	BREAK(&f, &product, VMUL_OUT, 3, BAD_RANGE);
	BREAK(&f, &product, VMUL_IN, abuf - product.channels * product.plane + k, BAD_RANGE);
	BREAK(&f, &product, VMUL_IN, abuf - product.channels * product.plane, UNWRITTEN);   /* as far as it goes; nothing is there */
	BREAK(&f, &product, VMUL_B, abuf - product.channels * product.b_plane + k, BAD_RANGE);
	BREAK(&f, &product, VMUL_B, abuf - product.channels * product.b_plane, UNWRITTEN);
	BREAK(&f, &product, VMUL_OUT, abuf - (product.out_plane + product.groups) * k + k, BAD_RANGE);
	BREAK(&f, &product, VMUL_OUT, 0xfffffc, BAD_RANGE);
	BREAK(&f, &product, VMUL_PLANE, 0xfffff, BAD_RANGE);
	BREAK(&f, &product, VMUL_B_PLANE, 0xfff, BAD_RANGE);
	BREAK(&f, &product, VMUL_OUT_PLANE, 0xfff, BAD_RANGE);
	BREAK(&f, &product, VMUL_CHANNELS, 0xffc, BAD_RANGE);
	close_job(&f);
	open_job(&f, &table);
	BREAK(&f, &table, VTABLE_TABLE, abuf - EIE_TABLE_GRANULES + 1, BAD_RANGE);
	BREAK(&f, &table, VTABLE_TABLE, abuf - EIE_TABLE_GRANULES, UNWRITTEN);
	BREAK(&f, &table, VTABLE_OUT, abuf - (table.out_plane + table.groups) * k + k, BAD_RANGE);
	/* the last place for the output */
	CMD_SET(&f.job->cmd[ELEMENT_OP], VTABLE_OUT, abuf - (table.out_plane + table.groups) * k);
	CMD_SET(&f.job->cmd[ELEMENT_STORE], XFER_ADDR, abuf - (table.out_plane + table.groups) * k);
	good(&f, &table);
	close_job(&f);
}

/* What is read must have been written; what is not read need not. */
static void test_unwritten(void **state)
{
	const struct element *all[] = { &product, &by_channel, &table };

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		const struct element *e = all[i];
		struct fixture f;
		uint32_t len;

		for (unsigned int load = ELEMENT_LOAD_A; load <= ELEMENT_LOAD_B; load++) {
			/* the last granules of each operand that are needed: planes are longer than groups, a table's 36 granules than 33 */
			uint32_t k = machines[0].clusters, spare = load == ELEMENT_LOAD_A ? (e->plane - e->groups) * k :
					 e->table ? 3 : e->channel ? 0 : (e->b_plane - e->groups) * k;

			open_job(&f, e);
			f.job->desc.asid++;
			len = CMD_GET(&f.job->cmd[load], XFER_LEN) - spare;
			CMD_SET(&f.job->cmd[load], XFER_LEN, len);
			good(&f, e);
			f.job->desc.asid++;
			CMD_SET(&f.job->cmd[load], XFER_LEN, len - 1);
			expect(&f, EIE_STATUS_UNWRITTEN, ELEMENT_OP);
			close_job(&f);
		}
	}
}

static void test_no_feature(void **state)
{
	struct eie_params p = machines[0];
	struct fixture f;

	(void)state;
	p.features = EIE_FEATURE_VECTOR | EIE_FEATURE_POOL;
	for (int i = 0; i < 2; i++) {
		open_job(&f, i ? &table : &product);
		eie_ref_free(f.ref);
		assert_int_equal(eie_ref_new(&p, &f.ref), 0);
		expect(&f, EIE_STATUS_BAD_COMMAND, ELEMENT_OP);
		close_job(&f);
	}
}

static void test_time(void **state)
{
	struct fixture f;

	(void)state;
	open_job(&f, &product);
	f.job->desc.cycle_limit = htole32(product.channels * product.groups / 2);
	assert_int_equal(run(&f), EIE_STATUS_TIMEOUT);
	close_job(&f);
}

static void test_hostile(void **state)
{
	struct fixture f;
	uint64_t seed = 9;
	unsigned int ok = 0;

	(void)state;
	for (int i = 0; i < 10000; i++) {
		uint32_t status;

		if (i % 5000 == 0)
			open_job(&f, i ? &table : &product);
		f.job->desc.cycle_limit = htole32(20000);
		struct eie_cmd before = f.job->cmd[ELEMENT_OP];

		for (int n = (int)vpick(&seed, 1, 3); n; n--)
			f.job->cmd[ELEMENT_OP].dw[vpick(&seed, 0, 7)] ^= htole32(1u << vpick(&seed, 0, 31));
		status = run(&f);
		assert_true(status <= EIE_STATUS_TIMEOUT);
		ok += status == EIE_STATUS_OK;
		assert_int_equal(run(&f), status);
		f.job->cmd[ELEMENT_OP] = before;
		if (i % 5000 == 4999)
			close_job(&f);
	}
	assert_true(ok > 500 && ok < 9000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_random), cmocka_unit_test(test_all_inputs), cmocka_unit_test(test_bad_command), cmocka_unit_test(test_bad_range),
		cmocka_unit_test(test_unwritten), cmocka_unit_test(test_no_feature), cmocka_unit_test(test_time), cmocka_unit_test(test_hostile),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
