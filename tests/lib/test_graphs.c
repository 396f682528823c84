// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Graph networks: a matrix of the network, sparse, times a value, and another matrix for a session that is open. Two layers of graph convolution (Kipf and Welling, arXiv
 * 1609.02907), the same bytes on every device and close to floating point.
 *   test_graphs [DEVICE ...]   (cpu ref:2x2)
 */
#include <errno.h>
#include <unistd.h>
#include "network_check.h"

enum { FEATURES = 10, HIDDEN = 21, LABELS = 5 };

/* A seeded graph: neighbours both ways, every node its own; weights of edges are of three values, not the same both ways. */
struct graph {
	uint32_t nodes, *rowptr, *col;
	float *value, *dense;
	struct accel_sparse matrix;
};

static struct graph graph_new(uint32_t nodes, uint64_t seed, unsigned int neighbours)
{
	static const float weights[3] = { 0.125f, 0.25f, 0.5f };
	struct graph g = { nodes, calloc(nodes + 1u, sizeof(uint32_t)), calloc((size_t)nodes * nodes, sizeof(uint32_t)), calloc((size_t)nodes * nodes, sizeof(float)),
			   calloc((size_t)nodes * nodes, sizeof(float)), { 0 } };
	struct test_rng rng = { seed };
	uint32_t n = 0;

	assert_true(g.rowptr && g.col && g.value && g.dense);
	for (uint32_t i = 0; i < nodes; i++) {
		g.dense[i * nodes + i] = weights[2];
		for (unsigned int k = 0; k < neighbours; k++) {
			uint32_t other = (uint32_t)(test_random(&rng) % nodes);

			if (other == i)
				continue;
			g.dense[i * nodes + other] = weights[test_random(&rng) % 3];
			g.dense[other * nodes + i] = weights[test_random(&rng) % 3];
		}
	}
	/* columns from the last to the first: any order will do */
	for (uint32_t r = 0; r < nodes; r++) {
		for (uint32_t c = nodes; c-- > 0;) {
			if (g.dense[r * nodes + c] == 0)
				continue;
			g.col[n] = c;
			g.value[n++] = g.dense[r * nodes + c];
		}
		g.rowptr[r + 1] = n;
	}
	g.matrix = (struct accel_sparse){ nodes, nodes, g.rowptr, g.col, g.value };
	return g;
}

static void graph_free(struct graph *g)
{
	free(g->rowptr);
	free(g->col);
	free(g->value);
	free(g->dense);
}

/* Weights of the network, for the file and for the test's own computation. */
static struct {
	float w1[FEATURES * HIDDEN], b1[HIDDEN], w2[HIDDEN * LABELS], b2[LABELS];
} weights;

/* y = A relu(A X W1 + b1) W2 + b2, saved as an ONNX file whose inputs are A and X. */
static void save_network(const char *path, uint32_t nodes)
{
	const int64_t a[2] = { nodes, nodes }, x[2] = { nodes, FEATURES }, w1[2] = { FEATURES, HIDDEN }, w2[2] = { HIDDEN, LABELS }, b1 = HIDDEN, b2 = LABELS;
	struct test_rng rng = { 41 };
	struct ob *b = ob_new(13);

	codebook_weights(&rng, weights.w1, FEATURES * HIDDEN, 15);
	codebook_weights(&rng, weights.w2, HIDDEN * LABELS, 15);
	random_weights(&rng, weights.b1, HIDDEN);
	random_weights(&rng, weights.b2, LABELS);
	ob_input(b, "A", 1, 2, a);
	ob_input(b, "X", 1, 2, x);
	ob_floats(b, "w1", 2, w1, weights.w1);
	ob_floats(b, "b1", 1, &b1, weights.b1);
	ob_floats(b, "w2", 2, w2, weights.w2);
	ob_floats(b, "b2", 1, &b2, weights.b2);
	ob_node(b, "MatMul", "X,w1", "xw");
	ob_node(b, "MatMul", "A,xw", "axw");
	ob_node(b, "Add", "axw,b1", "h");
	ob_node(b, "Relu", "h", "r");
	ob_node(b, "MatMul", "r,w2", "rw");
	ob_node(b, "MatMul", "A,rw", "arw");
	ob_node(b, "Add", "arw,b2", "y");
	ob_output(b, "y");
	ob_save(b, path);
	ob_free(b);
}

/* to [rows, columns] = a [rows, inner] b [inner, columns] + bias of a column, which may be NULL */
static void multiply(const float *a, const float *b, const float *bias, uint32_t rows, uint32_t inner, uint32_t columns, float *to)
{
	for (uint32_t r = 0; r < rows; r++) {
		for (uint32_t c = 0; c < columns; c++) {
			double sum = bias ? (double)bias[c] : 0;

			for (uint32_t i = 0; i < inner; i++)
				sum += (double)a[r * inner + i] * (double)b[i * columns + c];
			to[r * columns + c] = (float)sum;
		}
	}
}

/* What the network gives for two graphs, one a layer. */
static void compute(const struct graph *first, const struct graph *second, const float *x, float *y)
{
	uint32_t n = first->nodes;
	float *a = malloc(n * HIDDEN * sizeof(*a)), *b = malloc(n * HIDDEN * sizeof(*b));

	assert_true(a && b);
	multiply(x, weights.w1, NULL, n, FEATURES, HIDDEN, a);
	multiply(first->dense, a, weights.b1, n, n, HIDDEN, b);
	for (uint32_t i = 0; i < n * HIDDEN; i++)
		b[i] = b[i] > 0 ? b[i] : 0;
	multiply(b, weights.w2, NULL, n, HIDDEN, LABELS, a);
	multiply(second->dense, a, weights.b2, n, n, LABELS, y);
	free(a);
	free(b);
}

/* The network with graph g, from a file that holds A as an input. */
static struct accel_model *import_network(const struct graph *g, const float *x)
{
	char path[] = "/tmp/eie-graphs-XXXXXX.onnx";
	int fd = mkstemps(path, 5);
	const struct accel_onnx_sparse sparse = { "A", g->matrix };
	float *calib = malloc(g->nodes * FEATURES * sizeof(*calib));
	/* features of twice the size: other graphs add up more */
	const struct accel_onnx_options options = { .size = sizeof(options), .calib = calib, .ncalib = 1, .nsparse = 1, .sparse = &sparse };
	struct accel_model *model;
	struct accel_error err;

	assert_true(fd >= 0);
	close(fd);
	for (uint32_t i = 0; i < g->nodes * FEATURES; i++)
		calib[i] = 2 * x[i];
	save_network(path, g->nodes);
	if (accel_model_from_onnx(path, &options, &model, &err))
		fail_msg("%s", err.text);
	unlink(path);
	free(calib);
	return model;
}

static float *features(uint32_t nodes, unsigned int items)
{
	struct test_rng rng = { 43 };
	float *x = malloc(items * nodes * FEATURES * sizeof(*x));

	assert_non_null(x);
	for (uint32_t i = 0; i < items * nodes * FEATURES; i++)
		x[i] = (float)test_uniform(&rng);
	return x;
}

/* A session that is open. */
struct open_session {
	struct accel_device *device;
	struct accel_program *program;
	struct accel_session *session;
};

static struct open_session open_on(const char *spec, struct accel_model *model, unsigned int batch)
{
	const struct accel_compile_options options = { .size = sizeof(options), .batch = batch };
	struct open_session s;
	struct accel_error err;

	if (accel_device_open(spec, &s.device, &err) || accel_program_compile(model, s.device, &options, &s.program, &err) ||
	    accel_session_open(s.program, s.device, &s.session, &err))
		fail_msg("%s: %s", spec, err.text);
	return s;
}

static void close_all(struct open_session *s)
{
	accel_session_close(s->session);
	accel_program_unref(s->program);
	accel_device_unref(s->device);
}

static void give(struct open_session *s, const char *name, const struct graph *g)
{
	struct accel_error err;

	if (accel_session_sparse(s->session, name, &g->matrix, &err))
		fail_msg("%s", err.text);
}

static void run_again(struct open_session *s, const float *x, float *y)
{
	struct accel_error err;

	if (accel_session_input(s->session, 0, x, &err) || accel_session_run(s->session, &err) || accel_session_output(s->session, 0, y, &err))
		fail_msg("%s", err.text);
}

static void check_close(const float *got, const struct graph *first, const struct graph *second, const float *x, unsigned int items, float tolerance)
{
	uint32_t n = first->nodes;
	float *want = malloc(n * LABELS * sizeof(*want));

	assert_non_null(want);
	for (unsigned int k = 0; k < items; k++) {
		compute(first, second, x + k * n * FEATURES, want);
		for (uint32_t i = 0; i < n * LABELS; i++)
			if (!(fabsf(got[k * n * LABELS + i] - want[i]) < tolerance))
				fail_msg("value %u of item %u: %g, in floating point %g", i, k, (double)got[k * n * LABELS + i], (double)want[i]);
	}
	free(want);
}

/* One session a device: the graph of the import, another one, another one for one layer alone, and the first again. Fewer edges and more. */
static void check_graphs(uint32_t nodes, unsigned int items)
{
	struct graph g[3] = { graph_new(nodes, 1, 3), graph_new(nodes, 2, 2), graph_new(nodes, 3, 3) };
	/* graphs of the layers, and how they are given */
	static const struct {
		const char *name;
		unsigned int given, first, second;
	} steps[] = { { NULL, 0, 0, 0 }, { "A", 1, 1, 1 }, { "MatMul5", 2, 1, 2 }, { "MatMul1", 0, 0, 2 }, { "A", 0, 0, 0 } };
	enum { STEPS = sizeof(steps) / sizeof(steps[0]) };
	size_t n = (size_t)items * nodes * LABELS;
	float *x = features(nodes, items), *first = malloc(STEPS * n * sizeof(*first)), *out = malloc(n * sizeof(*out));
	struct accel_model *model = import_network(&g[0], x);

	assert_true(first && out);
	for (int d = 0; d < ndevices; d++) {
		struct open_session s = open_on(devices[d], model, items);

		for (unsigned int k = 0; k < STEPS; k++) {
			if (steps[k].name)
				give(&s, steps[k].name, &g[steps[k].given]);
			run_again(&s, x, d ? out : first + k * n);
			if (d)
				assert_memory_equal(out, first + k * n, n * sizeof(*out));
			else
				check_close(first + k * n, &g[steps[k].first], &g[steps[k].second], x, items, 2e-2f);
		}
		close_all(&s);
	}
	assert_memory_equal(first, first + (STEPS - 1) * n, n * sizeof(*first));
	assert_memory_not_equal(first, first + n, n * sizeof(*first));
	accel_model_unref(model);
	free(first);
	free(out);
	free(x);
	for (unsigned int i = 0; i < 3; i++)
		graph_free(&g[i]);
}

static void test_two_graphs(void **state)
{
	(void)state;
	check_graphs(24, 1);
}

static void test_batch(void **state)
{
	(void)state;
	check_graphs(13, 3);
}

/* More nodes than clusters have rows, and columns in several tiles. */
static void test_many_nodes(void **state)
{
	(void)state;
	check_graphs(333, 1);
}

/* Everything but the last addition is the engine's, in four segments; one operator of the CPU. */
static void test_placement(void **state)
{
	struct graph g = graph_new(24, 1, 3);
	float *x = features(24, 1);
	struct accel_model *model = import_network(&g, x);
	unsigned int operators = 0, sparse = 0;
	struct accel_layer_info info;

	(void)state;
	for (unsigned int n = 0; n < model->net->nnodes; n++)
		operators += !!model->net->nodes[n].op;
	assert_int_equal(operators, 1);
	assert_int_equal(model->net->nnodes, 5);
	for (unsigned int i = 0; !accel_model_layer(model, i, &info); i++)
		if (!strcmp(info.name, "MatMul1") || !strcmp(info.name, "MatMul5")) {
			sparse++;
			assert_int_equal(info.nonzeros, g.rowptr[24]);
		}
	assert_int_equal(sparse, 2);
	assert_int_equal(accel_model_inputs(model), 1);
	accel_model_unref(model);
	free(x);
	graph_free(&g);
}

/* What is refused changes nothing. */
static void test_refused(void **state)
{
	struct graph g = graph_new(24, 1, 3), other = graph_new(24, 2, 3), small = graph_new(23, 2, 3);
	float *x = features(24, 1), before[24 * LABELS], after[24 * LABELS];
	struct accel_model *model = import_network(&g, x);
	struct open_session s = open_on(devices[ndevices - 1], model, 1);
	const struct accel_onnx_sparse unknown = { "B", g.matrix };
	struct accel_onnx_options options = { .size = sizeof(options), .nsparse = 1, .sparse = &unknown };
	char path[] = "/tmp/eie-graphs-XXXXXX.onnx";
	struct accel_model *none;
	struct accel_error err;
	uint32_t kept;
	float value;

	(void)state;
	run_again(&s, x, before);
	assert_int_equal(accel_session_sparse(s.session, "B", &other.matrix, &err), -ENOENT);
	assert_non_null(strstr(err.text, "'B'"));
	assert_int_equal(accel_session_sparse(s.session, "MatMul0", &other.matrix, &err), -ENOENT);
	assert_int_equal(accel_session_sparse(s.session, "A", &small.matrix, &err), -EINVAL);
	assert_non_null(strstr(err.text, "24 x 24; the one given is 23 x 23"));
	value = other.value[7];
	other.value[7] = 0.375f;
	assert_int_equal(accel_session_sparse(s.session, "A", &other.matrix, &err), -EDOM);
	assert_non_null(strstr(err.text, "is 0.375, which its codebook of 3 values has not"));
	other.value[7] = NAN;
	assert_int_equal(accel_session_sparse(s.session, "A", &other.matrix, &err), -EINVAL);
	other.value[7] = value;
	kept = other.col[1];
	other.col[1] = other.col[0];
	assert_int_equal(accel_session_sparse(s.session, "A", &other.matrix, &err), -EINVAL);
	assert_non_null(strstr(err.text, "twice"));
	other.col[1] = 24;
	assert_int_equal(accel_session_sparse(s.session, "A", &other.matrix, &err), -EINVAL);
	other.col[1] = kept;
	kept = other.rowptr[3];
	other.rowptr[3] = other.rowptr[4] + 1;
	assert_int_equal(accel_session_sparse(s.session, "A", &other.matrix, &err), -EINVAL);
	other.rowptr[3] = kept;
	/* outputs are still those of the run */
	assert_int_equal(accel_session_output(s.session, 0, after, &err), 0);
	assert_memory_equal(before, after, sizeof(before));
	run_again(&s, x, after);
	assert_memory_equal(before, after, sizeof(before));
	assert_int_equal(accel_session_submit(s.session, &err), 0);
	assert_int_equal(accel_session_sparse(s.session, "A", &other.matrix, &err), -EBUSY);
	assert_int_equal(accel_session_wait(s.session, -1, &err), 0);
	/* no outputs of the old graph behind a new one */
	give(&s, "A", &other);
	assert_int_equal(accel_session_output(s.session, 0, after, &err), -ENODATA);
	close_all(&s);
	accel_model_unref(model);
	/* an input that is not there, and one of another shape */
	close(mkstemps(path, 5));
	save_network(path, 24);
	assert_int_equal(accel_model_from_onnx(path, &options, &none, &err), -EINVAL);
	assert_non_null(strstr(err.text, "'B'"));
	options.sparse = &(struct accel_onnx_sparse){ "A", small.matrix };
	assert_int_equal(accel_model_from_onnx(path, &options, &none, &err), -EINVAL);
	assert_non_null(strstr(err.text, "'A'"));
	unlink(path);
	free(x);
	graph_free(&g);
	graph_free(&other);
	graph_free(&small);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_two_graphs), cmocka_unit_test(test_batch),   cmocka_unit_test(test_many_nodes),
		cmocka_unit_test(test_placement),  cmocka_unit_test(test_refused),
	};

	take_devices(argc, argv);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
