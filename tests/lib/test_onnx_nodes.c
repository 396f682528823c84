// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * ONNX's own operator tests (Debian libonnx-testdata): every case of an operator that the library has runs, on one thread and on
 * three, and gives the expected outputs. A case that the importer refuses must be in the list below, with its reason.
 *
 * test_onnx_nodes [--table|CASE]: --table prints the table of docs/operators.md; a case is run alone.
 */
#include <dirent.h>
#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>
#include "file.h"
#include "netrun.h"
#include "onnx.h"
#include "op.h"
#include "table.h"

#define DATA (getenv("ONNX_TEST_DATA") ? getenv("ONNX_TEST_DATA") : "/usr/share/libonnx-testdata/data/node")

/* Why a case of one of our operators may be refused: a part of the importer's text. Any other refusal fails the test. */
static const char *const reasons[] = {
	"int8, uint8 and bool are supported",                    /* integers of other widths, float8, strings */
	"uint8, int8 and bool are",                              /* a cast to one of those */
	"(SequenceConstruct): this operator is not supported",   /* in a branch of an If */
	"is of type bool, which this operator is not supported for",
	"export the network for inference",
	"blocks of scales are not supported",
	"uint8 and int8 are supported",
	"antialias and keep_aspect_ratio_policy are not supported",
};

/* In ONNX 1.17 these expect sums that wrap where the operator's text says that they saturate. */
static const char *const wrong_data[] = {
	"test_qlinearmatmul_2D_int8_float16", "test_qlinearmatmul_2D_int8_float32", "test_qlinearmatmul_3D_int8_float16",
	"test_qlinearmatmul_3D_int8_float32",
};


/* ---------------------------------------------------------------- one case */

enum outcome { PASSED, FAILED, REFUSED, NOT_OURS };

static Onnx__ModelProto *read_model(const char *path)
{
	Onnx__ModelProto *m;
	void *data;
	size_t size;

	assert_int_equal(accel_file_read(path, &data, &size, NULL), 0);
	m = onnx__model_proto__unpack(NULL, size, data);
	free(data);
	assert_non_null(m);
	return m;
}

/* Importer's own, not in the table of kernels. */
static bool importers(const char *op)
{
	return !strcmp(op, "Constant") || !strcmp(op, "If");
}

static bool all_ours(const Onnx__GraphProto *g)
{
	for (size_t i = 0; i < g->n_node; i++)
		if (!op_find(g->node[i]->op_type) && !importers(g->node[i]->op_type))
			return false;
	for (size_t i = 0; i < g->n_input; i++)
		if (!g->input[i]->type || !g->input[i]->type->tensor_type)
			return false;   /* sequences and optionals */
	return g->n_node > 0;
}

static bool wrong(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

static bool wrong(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vprintf(fmt, args);
	va_end(args);
	putchar('\n');
	return false;
}

static bool same(const char *name, unsigned int output, const struct net_value *want, const struct net_value *got, const void *data)
{
	bool shape = want->ndim == got->ndim && !memcmp(want->dims, got->dims, want->ndim * sizeof(*want->dims));

	if (want->type != got->type || !shape)
		return wrong("%s: output %u is %s %s, not %s %s", name, output, net_type_names[got->type],
			 net_shape_text(got->ndim, got->dims).s, net_type_names[want->type], net_shape_text(want->ndim, want->dims).s);
	if (want->type != NET_F32) {
		for (uint64_t i = 0; i < want->count * net_type_size(want->type); i++)
			if (((const uint8_t *)want->data)[i] != ((const uint8_t *)data)[i])
				return wrong("%s: output %u differs in byte %llu: %d, not %d", name, output, (unsigned long long)i,
					 ((const uint8_t *)data)[i], ((const uint8_t *)want->data)[i]);
		return true;
	}
	for (uint64_t i = 0; i < want->count; i++) {
		float w = ((const float *)want->data)[i], g = ((const float *)data)[i];

		/* the tolerances of ONNX's own runner: 1e-3 relative, 1e-7 absolute */
		if (isnan(w) ? !isnan(g) : w != g && !(fabsf(w - g) <= 1e-7f + 1e-3f * fabsf(w)))
			return wrong("%s: output %u, value %llu: %.9g, not %.9g", name, output, (unsigned long long)i, (double)g, (double)w);
	}
	return true;
}

/* Inputs that the network kept, by name. */
static void fill_inputs(const struct accel_network *net, struct netrun *run, const struct onnx_known *known, unsigned int n)
{
	for (unsigned int i = 0; i < net->ninputs; i++) {
		const struct net_value *v = &net->values[net->inputs[i]];
		bool found = false;

		for (unsigned int k = 0; k < n; k++) {
			if (strcmp(known[k].input, v->name))
				continue;
			assert_int_equal(known[k].value.type, v->type);
			assert_int_equal(known[k].value.count, v->count);
			memcpy(netrun_value(run, net->inputs[i]), known[k].value.data, v->count * net_type_size(v->type));
			found = true;
		}
		assert_true(found);
	}
}

/* Tensor number `i` of a data set ("input" or "output"), or NULL. The caller frees it with net_free(). */
static struct accel_network *read_tensor(const char *folder, unsigned int set, const char *kind, size_t i, struct accel_error *err)
{
	struct accel_network *t = NULL;
	char *path;
	int ret;

	assert_true(asprintf(&path, "%s/test_data_set_%u/%s_%zu.pb", folder, set, kind, i) > 0);
	ret = onnx_tensor_load(path, &t, err);
	free(path);
	return ret ? NULL : t;
}

#define MOST 16

static enum outcome run_set(const char *name, const char *folder, const Onnx__ModelProto *m, unsigned int set, struct accel_error *err)
{
	struct accel_network *tensors[2 * MOST] = { NULL }, *net;
	struct onnx_known known[MOST];
	struct onnx_options options = { .known = known };
	unsigned int ntensors = 0, threads[] = { 1, 3 };
	enum outcome outcome = REFUSED;
	bool good = true;
	char *model;
	int ret;

	assert_true(m->graph->n_input <= MOST && m->graph->n_output <= MOST);
	for (size_t i = 0; i < m->graph->n_input; i++) {
		struct accel_network *t = tensors[ntensors] = read_tensor(folder, set, "input", i, err);

		if (!t)
			goto out;
		ntensors++;
		known[options.nknown++] = (struct onnx_known){ .input = m->graph->input[i]->name, .value = t->values[0], .if_needed = true };
	}
	assert_true(asprintf(&model, "%s/model.onnx", folder) > 0);
	ret = onnx_open(model, &options, &net, err);
	/* shapes that follow from computed numbers: those of this data set, then */
	for (unsigned int i = 0; ret == -ENOTSUP && i < options.nknown; i++)
		known[i].if_needed = false;
	if (ret == -ENOTSUP)
		ret = onnx_open(model, &options, &net, err);
	free(model);
	if (ret)
		goto out;
	for (unsigned int k = 0; k < 2; k++) {
		struct netrun *run;

		assert_int_equal(netrun_new(net, 1, threads[k], NULL, NULL, &run, err), 0);
		fill_inputs(net, run, known, options.nknown);
		assert_int_equal(netrun_run(run, err), 0);
		for (unsigned int i = 0; i < net->noutputs; i++) {
			struct accel_network *want = read_tensor(folder, set, "output", i, err);

			good = want && good && same(name, i, &want->values[0], &net->values[net->outputs[i]],
						    netrun_value(run, net->outputs[i]));
			outcome = want ? outcome : NOT_OURS;
			net_free(want);
		}
		netrun_free(run);
	}
	net_free(net);
	outcome = good ? PASSED : outcome == NOT_OURS ? REFUSED : FAILED;
out:
	for (unsigned int i = 0; i < ntensors; i++)
		net_free(tensors[i]);
	return outcome;
}

static enum outcome run_case(const char *name, struct accel_error *err)
{
	enum outcome outcome = NOT_OURS;
	Onnx__ModelProto *m;
	char *folder, *path;

	assert_true(asprintf(&folder, "%s/%s", DATA, name) > 0);
	assert_true(asprintf(&path, "%s/model.onnx", folder) > 0);
	m = read_model(path);
	free(path);
	if (all_ours(m->graph)) {
		for (unsigned int set = 0;; set++) {
			assert_true(asprintf(&path, "%s/test_data_set_%u", folder, set) > 0);
			if (access(path, F_OK)) {
				free(path);
				break;
			}
			free(path);
			outcome = run_set(name, folder, m, set, err);
		}
	}
	onnx__model_proto__free_unpacked(m, NULL);
	free(folder);
	return outcome;
}

/* ---------------------------------------------------------------- counts by operator */

struct tally {
	char name[64];
	unsigned int passed, all;
};

static struct tally tallies[512];
static unsigned int ntallies;

static struct tally *tally_of(const char *op)
{
	for (unsigned int i = 0; i < ntallies; i++)
		if (!strcmp(tallies[i].name, op))
			return &tallies[i];
	assert_true(ntallies < sizeof(tallies) / sizeof(tallies[0]));
	snprintf(tallies[ntallies].name, sizeof(tallies[0].name), "%s", op);
	return &tallies[ntallies++];
}

/* Once for each operator of the case. */
static void count_case(const char *name, bool passed)
{
	Onnx__ModelProto *m;
	char *path;

	assert_true(asprintf(&path, "%s/%s/model.onnx", DATA, name) > 0);
	m = read_model(path);
	free(path);
	for (size_t i = 0; i < m->graph->n_node; i++) {
		struct tally *t = tally_of(m->graph->node[i]->op_type);
		bool before = false;

		for (size_t k = 0; k < i; k++)
			before = before || !strcmp(m->graph->node[k]->op_type, m->graph->node[i]->op_type);
		t->all += !before;
		t->passed += !before && passed;
	}
	onnx__model_proto__free_unpacked(m, NULL);
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct tally *)a)->name, ((const struct tally *)b)->name);
}

static void print_table(void)
{
	static const struct {
		const char *op, *where;
	} device[] = {
		{ "Gemm", "device (fully connected, of one vector or many; codebook), else CPU" },
		{ "MatMul", "device (fully connected, of one vector or many; a sparse matrix times a value; codebook), else CPU" },
		{ "Conv", "device (two dimensions, codebook), else CPU" },
		{ "MaxPool", "device beside a Conv of its, else CPU" },
		{ "AveragePool", "device beside a Conv of its, else CPU" },
		{ "GlobalMaxPool", "device beside a Conv of its, else CPU" },
		{ "ReduceMean", "device (as GlobalAveragePool) beside a Conv of its, else CPU" },
		{ "GlobalAveragePool", "device beside a Conv of its, else CPU" },
		{ "Concat", "device (channels) beside a Conv of its, else CPU" },
		{ "Add", "device (images, tokens, biases), else CPU" },
		{ "Sum", "device (images, tokens), else CPU" },
		{ "Mul", "device (images, tokens, pixels, channels' factors, numbers), else CPU" },
		{ "Reshape", "nowhere before a device's Gemm or MatMul, and between images and tokens, else CPU" },
		{ "Transpose", "nowhere between images and tokens, else CPU" },
		{ "Split", "nowhere (channels of images), else CPU" },
		{ "Slice", "nowhere (channels of images), else CPU" },
		{ "Gather", "nowhere (channels of images, constant indices), else CPU" },
		{ "Flatten", "nowhere before a device's Gemm or MatMul, else CPU" },
		{ "Squeeze", "nowhere before a device's Gemm or MatMul, else CPU" },
		{ "Unsqueeze", "nowhere before a device's Gemm or MatMul, else CPU" },
	};
	const struct op *ops;
	unsigned int n;

	ops = op_table(&n);
	for (unsigned int i = 0; i < n; i++)
		tally_of(ops[i].name);
	qsort(tallies, ntallies, sizeof(tallies[0]), by_name);
	printf("| operator | where | cases passed |\n|---|---|---|\n");
	for (unsigned int i = 0; i < ntallies; i++) {
		const struct tally *t = &tallies[i];
		const struct op *op = op_find(t->name);
		const char *where = op ? "CPU" : importers(t->name) ? "import" : "refused";

		if (table_knows(t->name) && strcmp(t->name, "Identity"))
			where = "device (images) beside a Conv of its, else CPU";
		for (size_t k = 0; k < sizeof(device) / sizeof(device[0]); k++)
			where = strcmp(t->name, device[k].op) ? where : device[k].where;
		if (op && !t->all)
			printf("| %s | %s | none there |\n", t->name, where);
		else
			printf("| %s | %s | %u of %u |\n", t->name, where, t->passed, t->all);
	}
}

/* ---------------------------------------------------------------- all cases */

static int any_case(const struct dirent *e)
{
	return !strncmp(e->d_name, "test_", 5);
}

static bool has_wrong_data(const char *name)
{
	for (size_t i = 0; i < sizeof(wrong_data) / sizeof(wrong_data[0]); i++)
		if (!strcmp(name, wrong_data[i]))
			return true;
	return false;
}

static bool known_reason(const char *text)
{
	for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++)
		if (strstr(text, reasons[i]))
			return true;
	return false;
}

static bool table;

static void test_all(void **state)
{
	struct dirent **list;
	int n = scandir(DATA, &list, any_case, alphasort);
	unsigned int passed = 0, failed = 0, not_ours = 0, said = 0;

	(void)state;
	assert_true(n > 500);
	for (int i = 0; i < n; i++) {
		struct accel_error err = { 0 };
		enum outcome outcome = has_wrong_data(list[i]->d_name) ? NOT_OURS : run_case(list[i]->d_name, &err);

		if (table)
			count_case(list[i]->d_name, outcome == PASSED);
		switch (outcome) {
		case PASSED:
			passed++;
			break;
		case FAILED:
			failed++;
			break;
		case NOT_OURS:
			not_ours++;
			break;
		case REFUSED:
			said++;
			if (known_reason(err.text))
				break;
			failed++;
			printf("%s: refused: %s\n", list[i]->d_name, err.text);
			break;
		}
		free(list[i]);
	}
	free(list);
	printf("%d cases: %u passed, %u failed, %u refused for a known reason, %u of operators that the library does not have\n", n, passed, failed, said, not_ours);
	assert_int_equal(failed, 0);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_all) };

	if (argc > 1 && !strcmp(argv[1], "--table")) {
		int ret;

		table = true;
		ret = cmocka_run_group_tests(tests, NULL, NULL);
		print_table();
		return ret;
	}
	if (argc > 1) {
		struct accel_error err = { 0 };

		printf("%d %s\n", run_case(argv[1], &err), err.text);
		return 0;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
