// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Second-order information: factors, scores and compensation against plain least squares; what is collected against what layers put out. */
#include <math.h>
#include "netrun.h"
#include "onnx_build.h"
#include "second.h"
#include "seed.h"

static struct blas blas;

static int setup(void **state)
{
	struct accel_error err;

	(void)state;
	if (!blas_open(&blas, &err))
		return 0;
	print_error("%s\n", err.text);
	return -1;
}

static int teardown(void **state)
{
	(void)state;
	blas_close(&blas);
	return 0;
}

/* ---------------------------------------------------------------- a layer of inputs that are given */

#define ROWS 3u
#define COLS 7u
#define N    (COLS + 1)
#define SAMPLES 40u

struct layer {
	double x[SAMPLES][N], h[N][N];   /* the last column is the bias's */
	float w[ROWS * COLS], bias[ROWS];
	struct second second;
	struct second_block block;
	float memory[N * N], inverse[N];
};

static void make_layer(struct layer *l, uint64_t seed)
{
	double mean = 0;

	memset(l, 0, sizeof(*l));
	for (unsigned int s = 0; s < SAMPLES; s++) {
		for (unsigned int c = 0; c < COLS; c++)
			l->x[s][c] = (c ? 0.6 * l->x[s][c - 1] : 0) + seed_uniform(&seed);   /* neighbours are alike, and the mean is not 0 */
		l->x[s][COLS] = 1;
	}
	for (unsigned int i = 0; i < N; i++)
		for (unsigned int j = 0; j < N; j++)
			for (unsigned int s = 0; s < SAMPLES; s++)
				l->h[i][j] += l->x[s][i] * l->x[s][j];
	for (unsigned int i = 0; i < N; i++)
		for (unsigned int j = i; j < N; j++)
			l->memory[i * N + j] = (float)l->h[i][j];
	/* as second_factor() damps it */
	for (unsigned int i = 0; i < N; i++)
		mean += l->h[i][i] / N;
	for (unsigned int i = 0; i < N; i++)
		l->h[i][i] += 0.01 * mean;
	for (unsigned int i = 0; i < ROWS * COLS; i++)
		l->w[i] = (float)(seed_uniform(&seed) - 0.5);
	l->block = (struct second_block){ .first = 0, .n = N, .h = l->memory, .inverse = l->inverse };
	l->second = (struct second){ .rows = ROWS, .cols = COLS, .groups = 1, .row_stride = COLS, .col_stride = 1, .nblocks = 1, .block = &l->block,
				     .samples = SAMPLES };
}

/* Least d h d^T over changes d of a row with d[fixed] given where fixed says so: the others solve (h d)[free] = 0. */
static double least_change(const struct layer *l, const bool *fixed, const double *given)
{
	double a[N][N + 1], d[N], sum = 0;
	unsigned int of[N], n = 0;

	for (unsigned int i = 0; i < N; i++) {
		d[i] = fixed[i] ? given[i] : 0;
		if (!fixed[i])
			of[n++] = i;
	}
	for (unsigned int i = 0; i < n; i++) {
		a[i][n] = 0;
		for (unsigned int j = 0; j < n; j++)
			a[i][j] = l->h[of[i]][of[j]];
		for (unsigned int k = 0; k < N; k++)
			a[i][n] -= l->h[of[i]][k] * d[k];
	}
	for (unsigned int i = 0; i < n; i++)
		for (unsigned int j = 0; j < n; j++) {
			double f = a[j][i] / a[i][i];

			for (unsigned int k = i; j != i && k <= n; k++)
				a[j][k] -= f * a[i][k];
		}
	for (unsigned int i = 0; i < n; i++)
		d[of[i]] = a[i][n] / a[i][i];
	for (unsigned int i = 0; i < N; i++)
		for (unsigned int j = 0; j < N; j++)
			sum += d[i] * l->h[i][j] * d[j];
	return sum;
}

/* H^-1 = U^T U, and scores are what a weight's absence costs at least. */
static void test_scores(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed < 30; seed++) {
		struct layer l;
		struct second_scores scores = { &l.second, l.w };

		make_layer(&l, seed);
		assert_int_equal(second_factor(&blas, &l.second, l.w), 0);
		for (unsigned int i = 0; i < N; i++) {
			for (unsigned int j = 0; j < N; j++) {
				double sum = 0;

				/* (U^T U H)[i][j] */
				for (unsigned int k = 0; k < N; k++)
					for (unsigned int m = 0; m <= k && m <= i; m++)
						sum += (double)l.memory[m * N + i] * (double)l.memory[m * N + k] * l.h[k][j];
				assert_true(fabs(sum - (i == j)) < 2e-3);
			}
		}
		for (unsigned int i = 0; i < ROWS * COLS; i++) {
			bool fixed[N] = { 0 };
			double given[N] = { 0 }, best;

			fixed[i % COLS] = true;
			given[i % COLS] = (double)-l.w[i];
			best = least_change(&l, fixed, given);
			assert_true(fabs((double)second_score(&scores, i) - best) <= 2e-3 * best);
		}
	}
}

/* The energy is what the outputs vary. */
static void test_energy(void **state)
{
	struct layer l;
	double energy = 0;

	(void)state;
	make_layer(&l, 5);
	for (unsigned int r = 0; r < ROWS; r++) {
		double sum = 0, squares = 0;

		for (unsigned int s = 0; s < SAMPLES; s++) {
			double y = 0;

			for (unsigned int c = 0; c < COLS; c++)
				y += (double)l.w[r * COLS + c] * l.x[s][c];
			sum += y;
			squares += y * y;
		}
		energy += squares - sum * sum / SAMPLES;
	}
	assert_int_equal(second_factor(&blas, &l.second, l.w), 0);
	assert_true(fabs(l.second.energy - energy) < 1e-3 * energy);
}

/* What one row changed, by H. */
static double change_of(const struct layer *l, unsigned int r, const float *w, const float *bias)
{
	double d[N], sum = 0;

	for (unsigned int c = 0; c < COLS; c++)
		d[c] = (double)w[r * COLS + c] - (double)l->w[r * COLS + c];
	d[COLS] = (double)bias[r] - (double)l->bias[r];
	for (unsigned int i = 0; i < N; i++)
		for (unsigned int j = 0; j < N; j++)
			sum += d[i] * l->h[i][j] * d[j];
	return sum;
}

/* The loss that is told is the change there is; pruning alone leaves no more than leaving the others as they were does, rounding stays on the codebook. */
static void test_sweep(void **state)
{
	static const float shared[3] = { -0.4f, 0.1f, 0.35f };

	(void)state;
	for (uint64_t seed = 1; seed < 30; seed++) {
		float w[ROWS * COLS], bias[ROWS];
		struct second_scores scores;
		double loss, sum = 0, plain = 0;
		struct layer l;
		float least = 0;

		make_layer(&l, seed);
		assert_int_equal(second_factor(&blas, &l.second, l.w), 0);
		scores = (struct second_scores){ &l.second, l.w };
		for (unsigned int i = 0; i < ROWS * COLS; i++)
			least += second_score(&scores, i) / (ROWS * COLS);
		memcpy(w, l.w, sizeof(w));
		memcpy(bias, l.bias, sizeof(bias));
		assert_int_equal(second_sweep(&blas, &l.second, w, bias, least, NULL, &loss), 0);
		for (unsigned int r = 0; r < ROWS; r++) {
			bool fixed[N] = { 0 };
			double given[N] = { 0 }, zeroed[N] = { 0 }, best, change = change_of(&l, r, w, bias);

			for (unsigned int c = 0; c < COLS; c++) {
				bool gone = second_score(&scores, r * COLS + c) < least;

				assert_int_equal(w[r * COLS + c] == 0, gone);
				fixed[c] = gone;
				given[c] = zeroed[c] = gone ? (double)-l.w[r * COLS + c] : 0;
			}
			sum += change;
			best = least_change(&l, fixed, given);
			/* columns that were decided cannot make up any more: no better than all at once */
			assert_true(change >= best * 0.99 - 1e-6);
			for (unsigned int i = 0; i < N; i++)
				for (unsigned int j = 0; j < N; j++)
					plain += zeroed[i] * l.h[i][j] * zeroed[j];
		}
		assert_true(fabs(loss - sum) < 1e-2 * sum + 1e-5);
		assert_true(sum < plain);
		/* and with values */
		memcpy(bias, l.bias, sizeof(bias));
		memcpy(l.w, w, sizeof(w));
		assert_int_equal(second_sweep(&blas, &l.second, w, bias, 0, &(struct second_values){ shared, 3, NULL }, &loss), 0);
		sum = 0;
		for (unsigned int i = 0; i < ROWS * COLS; i++) {
			assert_int_equal(w[i] == 0, l.w[i] == 0);
			assert_true(w[i] == 0 || w[i] == shared[0] || w[i] == shared[1] || w[i] == shared[2]);
		}
		for (unsigned int r = 0; r < ROWS; r++)
			sum += change_of(&l, r, w, bias);
		assert_true(fabs(loss - sum) < 1e-2 * sum + 1e-5);
	}
}

/* ---------------------------------------------------------------- networks */

static float *numbers(uint64_t seed, size_t n)
{
	float *v = malloc(n * sizeof(*v));

	for (size_t i = 0; i < n; i++)
		v[i] = (float)(seed_uniform(&seed) - 0.3);
	return v;
}

enum { CONV, GROUPS, STRIDE, DILATION, GEMM, GEMM_TURNED, MATMUL, WIDE, NKINDS };

static struct accel_network *make_network(unsigned int kind)
{
	static const int64_t image[4] = { 1, 4, 7, 6 }, vector[2] = { 1, 9 }, several[3] = { 1, 5, 9 }, wide[2] = { 1, 5000 };
	const int64_t kernel[4] = { 6, kind == GROUPS ? 2 : 4, 3, 2 }, matrix[2] = { kind == GEMM_TURNED ? 8 : 9, kind == GEMM_TURNED ? 9 : 8 },
		      wide_matrix[2] = { 5000, 3 }, pads[4] = { 1, 0, 2, 1 }, two[2] = { 2, 1 };
	float *w = numbers(3, 15000);
	struct ob *b = ob_new(13);
	struct accel_network *net;
	struct accel_error err;
	Onnx__NodeProto *n;

	if (kind <= DILATION) {
		ob_input(b, "x", 1, 4, image);
		ob_floats(b, "w", 4, kernel, w);
		n = ob_node(b, "Conv", "x,w", "y");
		ob_attr_ints(b, n, "pads", 4, pads);
		if (kind == GROUPS)
			ob_attr_int(b, n, "group", 2);
		if (kind == STRIDE)
			ob_attr_ints(b, n, "strides", 2, two);
		if (kind == DILATION)
			ob_attr_ints(b, n, "dilations", 2, two);
	} else if (kind == MATMUL) {
		ob_input(b, "x", 1, 3, several);
		ob_floats(b, "w", 2, matrix, w);
		ob_node(b, "MatMul", "x,w", "y");
	} else {
		ob_input(b, "x", 1, 2, kind == WIDE ? wide : vector);
		ob_floats(b, "w", 2, kind == WIDE ? wide_matrix : matrix, w);
		n = ob_node(b, "Gemm", "x,w", "y");
		if (kind == GEMM_TURNED)
			ob_attr_int(b, n, "transB", 1);
	}
	ob_output(b, "y");
	if (ob_load(b, NULL, &net, &err))
		fail_msg("%s", err.text);
	ob_free(b);
	free(w);
	return net;
}

/* Sum of squares of the first output's channels (or columns) about their means, over items. */
static double output_energy(const struct accel_network *net, const float *x, uint64_t items)
{
	const struct net_value *in = &net->values[net->inputs[0]], *out = &net->values[net->outputs[0]];
	bool image = out->ndim == 4;
	uint64_t channels = image ? out->dims[1] : out->dims[out->ndim - 1], pixels = out->count / channels;
	double *sum = calloc(channels, sizeof(*sum)), squares = 0;
	struct netrun *run;

	assert_int_equal(netrun_new(net, 1, 1, NULL, NULL, &run, NULL), 0);
	for (uint64_t i = 0; i < items; i++) {
		const float *y = netrun_value(run, net->outputs[0]);

		memcpy(netrun_value(run, net->inputs[0]), x + i * in->count, in->count * sizeof(*x));
		assert_int_equal(netrun_run(run, NULL), 0);
		for (uint64_t k = 0; k < out->count; k++) {
			sum[image ? k / pixels : k % channels] += (double)y[k];
			squares += (double)y[k] * (double)y[k];
		}
	}
	for (uint64_t c = 0; c < channels; c++)
		squares -= sum[c] * sum[c] / (double)(items * pixels);
	netrun_free(run);
	free(sum);
	return squares;
}

/* Every form of layer: the energy by H is that of the outputs, so every input went to the right column. */
static void test_collect(void **state)
{
	(void)state;
	for (unsigned int kind = 0; kind < NKINDS; kind++) {
		const uint64_t items = 30;
		struct accel_network *net = make_network(kind);
		float *x = numbers(9, items * net->values[net->inputs[0]].count);
		const float *list[1] = { x };
		const struct calib_inputs in = { .n = items, .values = list };
		struct second_target target = { 0, NULL };
		struct accel_error err;
		double energy;

		assert_true(second_can(net, &net->nodes[0]));
		assert_int_equal(second_new(net, &net->nodes[0], &target.second), 0);
		assert_int_equal(second_collect(&blas, net, &in, 1, &target, NULL, NULL, &err), 0);
		energy = output_energy(net, x, items);
		assert_int_equal(second_factor(&blas, target.second, net->values[net->nodes[0].in[1]].data), 0);
		if (kind == WIDE) {
			/* blocks by themselves: what they have in common is not in it */
			assert_int_equal(target.second->nblocks, 3);
			assert_true(target.second->energy > 0.3 * energy && target.second->energy < 3 * energy);
		} else if (fabs(target.second->energy - energy) > 2e-3 * energy) {
			fail_msg("kind %u: %g by H, the outputs have %g", kind, target.second->energy, energy);
		}
		second_free(target.second);
		net_free(net);
		free(x);
	}
}

static int stop(void *arg, uint64_t item)
{
	return item == *(uint64_t *)arg ? -7 : 0;
}

static void test_cancel(void **state)
{
	struct accel_network *net = make_network(GEMM);
	float *x = numbers(9, 90);
	const float *list[1] = { x };
	const struct calib_inputs in = { .n = 10, .values = list };
	struct second_target target = { 0, NULL };
	uint64_t at = 4;

	(void)state;
	assert_int_equal(second_new(net, &net->nodes[0], &target.second), 0);
	assert_int_equal(second_collect(&blas, net, &in, 1, &target, stop, &at, NULL), -7);
	assert_int_equal(target.second->samples, 4);
	second_free(target.second);
	net_free(net);
	free(x);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_scores), cmocka_unit_test(test_energy), cmocka_unit_test(test_sweep), cmocka_unit_test(test_collect),
		cmocka_unit_test(test_cancel),
	};

	return cmocka_run_group_tests_name("second order", tests, setup, teardown);
}
