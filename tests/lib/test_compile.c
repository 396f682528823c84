// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Compiled networks against dense arithmetic: every output bit, the count of multiplications and of saturated outputs.
 *   test_compile [DEVICE ...]      (ref:2x2 and ref:8x8 unless given)
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>

#include "commands.h"
#include "device.h"
#include "each_device.h"
#include "program.h"
#include "race_check.h"
#include "session_round.h"

/* No race, no wait without its signal, few tokens between any two engines. */
static void check_tokens(const struct accel_program *p)
{
	for (uint32_t j = 0; j < p->njobs; j++) {
		int tokens[4] = { 0 };   /* load to compute, compute to load, compute to store, store to compute */

		for (uint32_t i = p->jobs[j].first_cmd; i < p->jobs[j].first_cmd + p->jobs[j].ncmds; i++) {
			const struct eie_cmd *cmd = &p->cmds[i];
			bool load = eie_op_loads(CMD_GET(cmd, OPCODE)), store = CMD_GET(cmd, OPCODE) == EIE_OP_STORE;

			tokens[store ? 2 : 0] -= (int)CMD_GET(cmd, WAIT_PREV);
			tokens[load ? 1 : 3] -= (int)CMD_GET(cmd, WAIT_NEXT);
			tokens[store ? 3 : 1] += (int)CMD_GET(cmd, SIGNAL_PREV);
			tokens[load ? 0 : 2] += (int)CMD_GET(cmd, SIGNAL_NEXT);
			for (int t = 0; t < 4; t++)
				assert_in_range(tokens[t], 0, 8);
		}
	}
	assert_true(race_free(p));
}

/* Runs twice: the second run finds the weights where the first one left them. */
static void check_model(struct accel_model *m, unsigned int batch, bool stream)
{
	const struct accel_compile_options options = { .size = sizeof(options), .batch = batch, .stream_weights = stream };
	struct accel_program *program;
	struct accel_session *session;
	struct accel_stats stats;
	struct accel_error err = { 0 };

	if (accel_program_compile(m, device, &options, &program, &err))
		fail_msg("compile: %s", err.text);
	check_tokens(program);
	assert_int_equal(accel_program_places(program), m->nlayers);
	if (accel_session_open(program, device, &session, &err))
		fail_msg("session: %s", err.text);
	for (unsigned int round = 0; round < 2; round++) {
		session_round(session, m, batch, round * 100, &stats);
		assert_int_equal(stats.restores, round == 0 && program->nrestore ? 1 : 0);
	}
	accel_session_close(session);
	accel_program_unref(program);
}

static void check_chain(unsigned int n, const uint32_t *sizes, double density, unsigned int bits, unsigned int batch, bool stream)
{
	struct accel_model *m = random_chain(n * 1000 + sizes[0] + batch, n, sizes, density, bits, 1);

	check_model(m, batch, stream);
	accel_model_unref(m);
}

static void test_shapes(void **state)
{
	static const uint32_t shapes[][2] = {
		{ 1, 1 }, { 1, 7 }, { 9, 1 }, { 8, 8 }, { 17, 33 }, { 100, 60 }, { 127, 129 }, { 200, 31 }, { 40, 300 }
	};

	(void)state;
	for (size_t i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++)
		for (unsigned int batch = 1; batch <= 3; batch++)
			for (unsigned int bits = 4; bits <= 8; bits += 4)
				for (int stream = 0; stream < 2; stream++)
					check_chain(1, shapes[i], 0.3, bits, batch, stream);
}

static void test_densities(void **state)
{
	static const double densities[] = { 0, 0.002, 0.02, 0.1, 0.5, 0.9, 1 };
	static const uint32_t shape[] = { 150, 120 };

	(void)state;
	for (size_t i = 0; i < sizeof(densities) / sizeof(densities[0]); i++)
		for (unsigned int bits = 4; bits <= 8; bits += 4)
			for (int stream = 0; stream < 2; stream++)
				check_chain(1, shape, densities[i], bits, 2, stream);
}

/* Beyond the buffers of 2x2: 128 rows a row tile, 1024 columns, 32 KiB of weights, 8192 activations. */
static void test_large(void **state)
{
	static const uint32_t rows[] = { 40, 700 }, columns[] = { 2600, 50 }, weights[] = { 500, 400 }, inputs[] = { 9000, 20 };
	static const uint32_t outputs[] = { 10, 9000 }, both[] = { 2100, 900 };

	(void)state;
	for (unsigned int batch = 1; batch <= 5; batch += 2) {
		check_chain(1, rows, 0.2, 4, batch, false);
		check_chain(1, columns, 0.1, 4, batch, false);
		check_chain(1, weights, 0.4, 4, batch, false);
		check_chain(1, weights, 0.4, 8, batch, false);
		check_chain(1, inputs, 0.05, 4, batch, false);
		check_chain(1, outputs, 0.3, 4, batch, false);
	}
	check_chain(1, rows, 0, 4, 1, true);   /* row tiles without a weight: drains only */
	check_chain(1, both, 0.15, 4, 2, false);
	check_chain(1, both, 0.01, 8, 3, false);
}

static void test_chains(void **state)
{
	static const uint32_t small[] = { 60, 50, 40, 30, 10 }, mixed[] = { 100, 300, 280, 90, 10 };
	static const uint32_t wide[] = { 30, 40, 30, 20, 10 }, bulge[] = { 50, 9000, 30 };

	(void)state;
	for (unsigned int batch = 1; batch <= 5; batch++) {
		check_chain(4, small, 0.3, 4, batch, false);
		check_chain(4, small, 0.3, 4, batch, true);
		check_chain(4, wide, 0.3, 8, batch, false);   /* more codebooks than places */
		check_chain(4, mixed, 0.25, 4, batch, false); /* some resident, some not, on 2x2 */
		check_chain(4, mixed, 0.25, 8, batch, false);
	}
	check_chain(2, bulge, 0.05, 4, 2, false);             /* the tensor between does not fit 2x2 */
}

/* in -> a -> b, in -> c, a -> d: tensors with several readers, two of them outputs as well; 4- and 8-bit layers mixed. */
static struct accel_model *make_dag(double density)
{
	const uint32_t na = 70, nin = 90;
	struct accel_error err = { 0 };
	struct accel_graph *g;
	struct accel_model *m;
	unsigned int in, other, a, b, c, d;
	uint64_t seed = 99;

	random_check(accel_graph_new(&g), &err);
	random_check(accel_graph_input(g, "in", 1, &nin, -1, 1, &in, &err), &err);
	random_check(accel_graph_input(g, "other", 1, &na, 0, 2, &other, &err), &err);
	a = random_layer(g, &seed, "a", in, na, nin, density, 4, 1);
	b = random_layer(g, &seed, "b", a, 20, na, density, 8, 1);
	c = random_layer(g, &seed, "c", in, 33, nin, density, 4, 1);
	d = random_layer(g, &seed, "d", a, 300, na, density, 4, 1);
	random_check(accel_graph_output(g, random_layer(g, &seed, "e", other, 5, na, density, 8, 1), &err), &err);
	random_check(accel_graph_output(g, a, &err), &err);
	random_check(accel_graph_output(g, b, &err), &err);
	random_check(accel_graph_output(g, c, &err), &err);
	random_check(accel_graph_output(g, d, &err), &err);
	random_check(accel_graph_finish(g, &m, &err), &err);
	accel_graph_free(g);
	return m;
}

static void test_dag(void **state)
{
	(void)state;
	for (unsigned int batch = 1; batch <= 3; batch++) {
		for (int i = 0; i < 4; i++) {
			struct accel_model *m = make_dag(i < 2 ? 0.2 : 0.9);

			check_model(m, batch, i & 1);
			accel_model_unref(m);
		}
	}
}

static void test_places(void **state)
{
	static const uint32_t sizes[] = { 64, 64, 16 };
	struct accel_model *m = random_chain(1, 2, sizes, 0.3, 4, 0);
	const struct accel_compile_options stream = { .size = sizeof(stream), .batch = 1, .stream_weights = true };
	struct accel_program *resident, *streamed;
	struct accel_place_info a, b;
	struct accel_program_totals totals;

	(void)state;
	assert_int_equal(accel_program_compile(m, device, NULL, &resident, NULL), 0);
	assert_int_equal(accel_program_compile(m, device, &stream, &streamed, NULL), 0);
	assert_int_equal(accel_program_batch(resident), 1);
	assert_int_equal(accel_program_place(resident, 2, &a), -ERANGE);
	assert_int_equal(accel_program_place(resident, 1, &a), 0);
	assert_int_equal(accel_program_place(streamed, 1, &b), 0);
	assert_string_equal(a.layer, "fc2");
	assert_true(a.resident && a.bytes_resident > 0 && a.bytes_loaded == 0 && a.balance >= 1 && a.ideal_cycles > 0);
	assert_true(!b.resident && b.bytes_resident == 0 && b.bytes_loaded > a.bytes_loaded);
	assert_non_null(strstr(a.reason, "weights resident"));
	assert_non_null(strstr(b.reason, "weights streamed"));
	assert_true(resident->residency != 0 && streamed->residency == 0);
	accel_program_totals(resident, &totals);
	assert_int_equal(totals.jobs, 1);
	accel_program_totals(streamed, &totals);
	assert_int_equal(totals.jobs, 2);
	accel_program_unref(resident);
	accel_program_unref(streamed);
	accel_model_unref(m);
}

static unsigned int count_of(const struct accel_program *p, uint32_t op)
{
	unsigned int n = 0;

	for (uint32_t i = 0; i < p->ncmds; i++)
		n += CMD_GET(&p->cmds[i], OPCODE) == op;
	return n;
}

/*
 * Streamed weights behind a ReLU are selected, where a column has more than a granule in each cluster and the bus is what all wait for; an input that may be
 * negative, several items are not. A small engine computes longer than it loads.
 */
static void test_selected(void **state)
{
	static const uint32_t long_columns[] = { 40, 700, 1100 }, short_columns[] = { 40, 700, 60 };
	const bool has = device->params.features & EIE_FEATURE_SELECT, can = has && device->params.clusters >= 8;

	(void)state;
	for (unsigned int batch = 1; (!has || can) && batch <= 2; batch++) {
		for (unsigned int bits = 4; bits <= 8; bits += 4) {
			const struct accel_compile_options options = { .size = sizeof(options), .batch = batch, .stream_weights = true };
			struct accel_model *m = random_chain(bits, 2, long_columns, bits == 4 ? 0.5 : 0.25, bits, 1);
			struct accel_program *p;
			struct accel_place_info place;

			assert_int_equal(accel_program_compile(m, device, &options, &p, NULL), 0);
			assert_int_equal(count_of(p, EIE_OP_SELECT) > 0, can && batch == 1);
			assert_int_equal(p->needs & EIE_FEATURE_SELECT, can && batch == 1 ? EIE_FEATURE_SELECT : 0);
			assert_int_equal(accel_program_place(p, 0, &place), 0);
			assert_null(strstr(place.reason, "zero activations"));
			assert_int_equal(accel_program_place(p, 1, &place), 0);
			assert_int_equal(strstr(place.reason, "but for columns of zero activations") != NULL, can && batch == 1);
			accel_program_unref(p);
			check_model(m, batch, true);
			accel_model_unref(m);
			m = random_chain(bits, 2, short_columns, 0.02, bits, 1);
			assert_int_equal(accel_program_compile(m, device, &options, &p, NULL), 0);
			assert_int_equal(count_of(p, EIE_OP_SELECT), 0);
			accel_program_unref(p);
			accel_model_unref(m);
		}
	}
}

int main(int argc, char **argv)
{
	static char *defaults[] = { "ref:2x2", "ref:8x8" };
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_shapes), cmocka_unit_test(test_densities), cmocka_unit_test(test_large),
		cmocka_unit_test(test_chains), cmocka_unit_test(test_dag), cmocka_unit_test(test_places), cmocka_unit_test(test_selected),
	};

	return each_device(argc, argv, defaults, tests);
}
