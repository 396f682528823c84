// SPDX-License-Identifier: GPL-2.0 OR MIT
/* ONNX files: every kind of damage has its error, tensors of every form, open shapes, branches, external data. */
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <sys/stat.h>
#include <unistd.h>
#include "half.h"
#include "netrun.h"
#include "onnx_build.h"

static const int64_t shape23[2] = { 2, 3 };

/* x [2, 3] + c -> y: what the tests break. */
static struct ob *small(void)
{
	const float c[6] = { 1, 2, 3, 4, 5, 6 };
	struct ob *b = ob_new(13);

	ob_input(b, "x", 1, 2, shape23);
	ob_floats(b, "c", 2, shape23, c);
	ob_node(b, "Add", "x,c", "y");
	ob_output(b, "y");
	return b;
}

/* Loads, expects the error, and that its text names what is wrong. Frees b. */
static void refused(struct ob *b, const struct onnx_options *options, int code, const char *part)
{
	struct accel_network *net = NULL;
	struct accel_error err = { 0 };
	int ret = ob_load(b, options, &net, &err);

	if (ret != code || !strstr(err.text, part) || strncmp(err.text, "test.onnx: ", 11))
		fail_msg("%d, not %d: '%s' should say '%s'", ret, code, err.text, part);
	assert_null(net);
	ob_free(b);
}

static struct accel_network *loaded(struct ob *b, const struct onnx_options *options)
{
	struct accel_network *net;
	struct accel_error err;

	if (ob_load(b, options, &net, &err))
		fail_msg("%s", err.text);
	assert_int_equal(net_check(net, &err), 0);
	ob_free(b);
	return net;
}

/* The first output for an input of zeros; [count] floats that the caller frees. */
static float *result(const struct accel_network *net)
{
	uint64_t bytes = net->values[net->outputs[0]].count * sizeof(float);
	struct netrun *run;
	float *out = malloc(bytes);

	assert_int_equal(netrun_new(net, 1, 1, NULL, NULL, &run, NULL), 0);
	assert_int_equal(netrun_run(run, NULL), 0);
	memcpy(out, netrun_value(run, net->outputs[0]), bytes);
	netrun_free(run);
	return out;
}

/* ---------------------------------------------------------------- broken files */

static void test_not_onnx(void **state)
{
	struct accel_network *net;
	struct accel_error err;

	(void)state;
	assert_int_equal(onnx_load("\xff\xff\xff\xff", 4, "f", NULL, NULL, &net, &err), -EBADMSG);
	assert_string_equal(err.text, "f: not an ONNX file, or damaged");
	assert_int_equal(onnx_load("", 0, "f", NULL, NULL, &net, &err), -EBADMSG);
	assert_int_equal(onnx_open("/nonexistent.onnx", NULL, &net, &err), -ENOENT);
}

/* A file that ends anywhere is refused or, when only whole fields are missing, says what is missing; never read beyond. */
static void test_truncated(void **state)
{
	struct ob *b = small();
	size_t size;
	uint8_t *data = ob_pack(b, &size);

	(void)state;
	for (size_t n = 0; n < size; n++) {
		struct accel_network *net;
		uint8_t *part = malloc(n ? n : 1);

		memcpy(part, data, n);
		assert_int_not_equal(onnx_load(part, n, "f", NULL, NULL, &net, NULL), 0);
		free(part);
	}
	free(data);
	ob_free(b);
}

static void test_model_errors(void **state)
{
	struct ob *b;

	(void)state;
	b = small();
	b->opset.version = 23;
	refused(b, NULL, -ENOTSUP, "operator set 23; 1 to 22 are supported");
	b = small();
	b->opset.version = -1;
	refused(b, NULL, -ENOTSUP, "operator set -1");
	b = small();
	b->model.n_opset_import = 0;
	refused(b, NULL, -ENOTSUP, "operator set 0");
	b = small();
	b->model.graph = NULL;
	refused(b, NULL, -EBADMSG, "it has no graph");
	b = small();
	ob_output(b, "nowhere");
	refused(b, NULL, -EINVAL, "nothing makes output 'nowhere'");
	b = small();
	ob_output(b, "y");
	refused(b, NULL, -EINVAL, "two outputs are named 'y'");
	b = small();
	ob_output(b, "");
	refused(b, NULL, -EINVAL, "an output has no name");
}

static void test_node_errors(void **state)
{
	struct ob *b;
	Onnx__NodeProto *n;

	(void)state;
	b = small();
	ob_node(b, "Addd", "x,c", "z");
	refused(b, NULL, -ENOTSUP, "node 'Addd1' (Addd): this operator is not supported; docs/operators.md lists what is");
	b = small();
	n = ob_node(b, "Add", "x,c", "z");
	n->domain = ob_own(b, strdup("com.microsoft"));
	refused(b, NULL, -ENOTSUP, "domain 'com.microsoft'");
	b = small();
	ob_node(b, "Add", "x,later", "z");
	refused(b, NULL, -EINVAL, "node 'Add1' (Add): input 1 'later' is made by nothing before it");
	b = small();
	ob_node(b, "Add", "x", "z");
	refused(b, NULL, -EINVAL, "1 inputs; it takes 2 to 2");
	b = small();
	ob_node(b, "Add", "x,c,c", "z");
	refused(b, NULL, -EINVAL, "3 inputs");
	b = small();
	ob_node(b, "Add", ",c", "z");
	refused(b, NULL, -EINVAL, "input 0 is missing");
	b = small();
	ob_node(b, "Add", "x,c", "z,u");
	refused(b, NULL, -EINVAL, "2 outputs; it gives 1 to 1");
	b = small();
	ob_node(b, "Add", "x,c", "y");
	refused(b, NULL, -EINVAL, "two tensors are named 'y'");
	b = small();
	n = ob_node(b, "Add", "x,c", "z");
	n->op_type = NULL;
	refused(b, NULL, -EINVAL, "has no operator");
	b = small();
	n = ob_node(b, "Concat", "x,x", "z");
	ob_attr_text(b, n, "axis", "one");
	refused(b, NULL, -EINVAL, "attribute 'axis' is not one integer");
	b = small();
	n = ob_node(b, "Concat", "x,x", "z");
	ob_attr_int(b, n, "axis", 2);
	refused(b, NULL, -EINVAL, "axis 2 of a tensor of 2 dimensions");
	b = small();
	n = ob_node(b, "Relu", "x", "z");
	ob_attr(b, n, "")->type = 2;
	refused(b, NULL, -EINVAL, "an attribute without a name");
	b = small();
	n = ob_node(b, "Relu", "x", "z");
	ob_attr(b, n, "strange")->type = 11;
	refused(b, NULL, -ENOTSUP, "attribute 'strange' is of type 11");
}

static void test_shape_errors(void **state)
{
	const int64_t five[1] = { 5 };
	const float v[5] = { 0 };
	struct ob *b;

	(void)state;
	b = small();
	ob_floats(b, "five", 1, five, v);
	ob_node(b, "Add", "x,five", "z");
	refused(b, NULL, -EINVAL, "shapes [2, 3] and [5] do not broadcast");
	b = small();
	ob_ints(b, "shape", 1, five);
	ob_node(b, "Reshape", "x,shape", "z");
	refused(b, NULL, -EINVAL, "[2, 3] cannot become [5]");
	b = small();
	ob_node(b, "MatMul", "x,c", "z");
	refused(b, NULL, -EINVAL, "matrices of [2, 3] and [2, 3] do not fit");
	b = small();
	ob_input(b, "shape", 7, 1, five);
	ob_node(b, "Reshape", "x,shape", "z");
	refused(b, NULL, -ENOTSUP, "input 1 'shape' is computed when the network runs");
	b = small();
	ob_node(b, "Conv", "x,c", "z");
	refused(b, NULL, -EINVAL, "weights of shape [2, 3] for an input of shape [2, 3]");
	b = small();
	ob_input(b, "integers", 7, 2, shape23);
	ob_node(b, "Relu", "integers", "z");
	refused(b, NULL, -ENOTSUP, "input 0 'integers' is of type int64");
}

static void test_tensor_errors(void **state)
{
	const int64_t huge[2] = { 1 << 20, 1 << 20 }, negative[2] = { 2, -3 }, nine[9] = { 1, 1, 1, 1, 1, 1, 1, 1, 1 };
	const float v[6] = { 0 };
	struct ob *b;

	(void)state;
	b = small();
	ob_tensor(b, "t", 1, 2, shape23, v, 20);
	refused(b, NULL, -EBADMSG, "tensor 't' has 20 bytes, its shape 24");
	b = small();
	ob_tensor(b, "t", 1, 2, shape23, v, 24)->has_raw_data = 0;
	refused(b, NULL, -EBADMSG, "tensor 't' has 0 elements, its shape 6");
	b = small();
	ob_tensor(b, "t", 1, 2, huge, v, 24);
	refused(b, NULL, -E2BIG, "more than 2^28 values");
	b = small();
	ob_tensor(b, "t", 1, 2, negative, v, 24);
	refused(b, NULL, -EBADMSG, "dimension 1 is -3");
	b = small();
	ob_tensor(b, "t", 1, 9, nine, v, 4);
	refused(b, NULL, -ENOTSUP, "9 dimensions; at most 8");
	b = small();
	ob_tensor(b, "t", 8, 2, shape23, v, 24);
	refused(b, NULL, -ENOTSUP, "'t' is of type 8 (string)");
	b = small();
	ob_tensor(b, "", 1, 2, shape23, v, 24);
	refused(b, NULL, -EINVAL, "initialiser 1 has no name");
	b = small();
	ob_tensor(b, "c", 1, 2, shape23, v, 24);
	refused(b, NULL, -EINVAL, "two tensors are named 'c'");
}

/* ---------------------------------------------------------------- inputs */

static void test_open_shapes(void **state)
{
	const int64_t open[3] = { 0, 0, 4 }, batch[2] = { 0, 3 };
	struct onnx_shape shape = { "x", 3, { 2, 5, 4 } }, other = { "x", 2, { 2, 5 } }, wrong = { "x", 3, { 2, 5, 6 } };
	struct onnx_options options = { .nshapes = 1, .shapes = &shape };
	struct accel_network *net;
	struct ob *b;

	(void)state;
	for (int i = 0; i < 6; i++) {
		b = ob_new(13);
		ob_input(b, "x", 1, i == 5 ? 2 : i == 4 ? -1 : 3, i == 5 ? batch : open);
		ob_node(b, "Relu", "x", "y");
		ob_output(b, "y");
		options.shapes = i == 1 ? &other : i == 2 ? &wrong : &shape;
		if (i == 0) {
			refused(b, NULL, -EINVAL, "input 'x': dimension 1 ('N') is open: fix all with --shape x=N,N,...");
		} else if (i == 1) {
			refused(b, &options, -EINVAL, "input 'x' has 3 dimensions, --shape gives 2");
		} else if (i == 2) {
			refused(b, &options, -EINVAL, "dimension 2 is 4, --shape gives another");
		} else if (i == 3 || i == 4) {
			net = loaded(b, &options);
			assert_int_equal(net->values[net->outputs[0]].count, 40);
			net_free(net);
		} else {
			/* an open batch is one item */
			net = loaded(b, NULL);
			assert_int_equal(net->values[net->outputs[0]].count, 3);
			net_free(net);
		}
	}
	shape.input = "z";
	refused(small(), &options, -EINVAL, "has no input 'z'; its first is 'x'");
}

/* A number fixes the branch of an If; both outputs exist, and names inside do not leak. */
static struct ob *with_if(void)
{
	struct ob *b = ob_new(13), *then = ob_new(13), *otherwise = ob_new(13);
	const int64_t rate = 16000;
	Onnx__NodeProto *n;

	ob_input(b, "x", 1, 2, shape23);
	ob_input(b, "sr", 7, 0, NULL);
	ob_tensor(b, "rate", 7, 0, NULL, &rate, 8);
	ob_node(b, "Equal", "sr,rate", "is");
	n = ob_node(b, "If", "is", "y");
	ob_scalar(then, "k", 2);
	ob_node(then, "Add", "x,k", "inner");
	ob_output(then, "inner");
	ob_scalar(otherwise, "k", 3);
	ob_node(otherwise, "Add", "x,k", "inner");
	ob_output(otherwise, "inner");
	ob_attr_graph(b, n, "then_branch", then);
	ob_attr_graph(b, n, "else_branch", otherwise);
	ob_output(b, "y");
	ob_free(then);
	ob_free(otherwise);
	return b;
}

static void test_if(void **state)
{
	struct onnx_known known = { .input = "sr", .is_number = true, .number = 16000 };
	const struct onnx_options options = { .nknown = 1, .known = &known };

	(void)state;
	refused(with_if(), NULL, -ENOTSUP, "node 'If1' (If): the condition 'is' is computed when the network runs");
	for (int i = 0; i < 2; i++) {
		struct accel_network *net;
		float *y;

		known.number = i ? 8000 : 16000;
		net = loaded(with_if(), &options);
		assert_int_equal(net->ninputs, 1);
		y = result(net);
		assert_true(y[0] == (i ? 3 : 2));
		free(y);
		net_free(net);
	}
	known.number = 0.5;
	refused(with_if(), &options, -ERANGE, "input 'sr' is of type int64, which does not hold 0.5");
	known.input = "x";
	refused(with_if(), &options, -EINVAL, "input 'x' has 6 values, one number is given for it");
}

static struct ob *nested_if(unsigned int depth)
{
	struct ob *b = ob_new(13);
	const uint8_t yes = 1;
	Onnx__NodeProto *n;

	if (!depth) {
		ob_scalar(b, "k", 1);
		ob_node(b, "Add", "x,k", "y");
		ob_output(b, "y");
		return b;
	}
	ob_tensor(b, "yes", 9, 0, NULL, &yes, 1);
	n = ob_node(b, "If", "yes", "y");
	struct ob *sub = nested_if(depth - 1);

	ob_attr_graph(b, n, "then_branch", sub);
	ob_attr_graph(b, n, "else_branch", sub);
	ob_free(sub);
	ob_output(b, "y");
	return b;
}

static void test_deep_if(void **state)
{
	(void)state;
	for (unsigned int depth = 3; depth < 20; depth += 14) {
		struct ob *b = nested_if(depth > 10 ? 17 : depth);

		ob_input(b, "x", 1, 2, shape23);
		if (depth > 10)
			refused(b, NULL, -ENOTSUP, "If in If more than 16 deep");
		else
			net_free(loaded(b, NULL));
	}
}

/* ---------------------------------------------------------------- tensors */

/* y = x + c with c in the form that the caller makes; x is zero, so y is c. */
static void check_constant(struct ob *b, const float *want)
{
	struct accel_network *net;
	float *y;

	ob_input(b, "x", 1, 2, shape23);
	ob_node(b, "Add", "x,c", "y");
	ob_output(b, "y");
	net = loaded(b, NULL);
	y = result(net);
	for (int i = 0; i < 6; i++)
		assert_true(y[i] == want[i]);
	free(y);
	net_free(net);
}

static void test_tensor_forms(void **state)
{
	static const float want[6] = { 0, 1, -2.5f, 0.000061035156f, 65504, -0.125f };
	uint16_t half[6], brain[6];
	double wide[6];
	Onnx__TensorProto *t;
	struct ob *b;

	(void)state;
	for (int i = 0; i < 6; i++) {
		half[i] = float_to_half(want[i]);
		brain[i] = float_to_bfloat(want[i]);
		wide[i] = (double)want[i];
	}
	b = ob_new(13);
	ob_tensor(b, "c", 10, 2, shape23, half, sizeof(half));
	check_constant(b, want);
	b = ob_new(13);
	ob_tensor(b, "c", 11, 2, shape23, wide, sizeof(wide));
	check_constant(b, want);
	b = ob_new(13);
	t = ob_tensor(b, "c", 1, 2, shape23, NULL, 0);
	t->has_raw_data = 0;
	t->n_float_data = 6;
	t->float_data = (float *)want;
	check_constant(b, want);
	b = ob_new(13);
	t = ob_tensor(b, "c", 10, 2, shape23, NULL, 0);
	t->has_raw_data = 0;
	t->n_int32_data = 6;
	t->int32_data = (int32_t[]){ half[0], half[1], half[2], half[3], half[4], half[5] };
	check_constant(b, want);
	/* bfloat16 keeps eight bits: 65504 becomes 65536 */
	b = ob_new(13);
	ob_tensor(b, "c", 16, 2, shape23, brain, sizeof(brain));
	check_constant(b, (float[]){ 0, 1, -2.5f, 0.000061035156f, 65536, -0.125f });
}

/* Every half is a float and comes back; floats round to the nearest half, ties to even. */
static void test_half(void **state)
{
	(void)state;
	for (uint32_t h = 0; h < 0x10000; h++) {
		float f = half_to_float((uint16_t)h), next;

		if (isnan(f)) {
			assert_true(isnan(half_to_float(float_to_half(f))));
			continue;
		}
		assert_int_equal(float_to_half(f), h);
		if ((h & 0x7fff) >= 0x7bff)
			continue;
		next = half_to_float((uint16_t)(h + 1));
		/* exactly between two: the even one; a little to one side: that one */
		assert_int_equal(float_to_half((f + next) / 2), h & 1 ? h + 1 : h);
		assert_int_equal(float_to_half(nextafterf((f + next) / 2, f)), h);
		assert_int_equal(float_to_half(nextafterf((f + next) / 2, next)), h + 1);
	}
	assert_int_equal(float_to_half(65520), 0x7c00);
	assert_int_equal(float_to_half(nextafterf(65520, 0)), 0x7bff);
	assert_int_equal(float_to_half(0x1p-26f), 0);
}

static void write_file(const char *path, const void *data, size_t size)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, data, size), size);
	close(fd);
}

static void entry(struct ob *b, Onnx__TensorProto *t, const char *key, const char *value)
{
	Onnx__StringStringEntryProto *e = ob_new_memory(b, sizeof(*e));

	onnx__string_string_entry_proto__init(e);
	e->key = ob_own(b, strdup(key));
	e->value = ob_own(b, strdup(value));
	if (!t->external_data)
		t->external_data = ob_new_memory(b, 8 * sizeof(*t->external_data));
	t->external_data[t->n_external_data++] = e;
}

/* What is at location, offset and length; 0 or the error, whose text must hold part. */
static void check_external(const char *folder, const char *location, const char *offset, const char *length, int code, const char *part)
{
	struct ob *b = ob_new(13);
	Onnx__TensorProto *t = ob_tensor(b, "c", 1, 2, shape23, NULL, 0);
	struct accel_network *net = NULL;
	struct accel_error err = { 0 };
	size_t size;
	void *data;
	char path[4096];

	t->has_raw_data = 0;
	t->has_data_location = 1;
	t->data_location = 1;
	entry(b, t, "location", location);
	if (offset)
		entry(b, t, "offset", offset);
	if (length)
		entry(b, t, "length", length);
	ob_input(b, "x", 1, 2, shape23);
	ob_node(b, "Add", "x,c", "y");
	ob_output(b, "y");
	data = ob_pack(b, &size);
	snprintf(path, sizeof(path), "%s/m.onnx", folder);
	write_file(path, data, size);
	assert_int_equal(onnx_open(path, NULL, &net, &err), code);
	if (code) {
		if (!strstr(err.text, part))
			fail_msg("'%s' should say '%s'", err.text, part);
	} else {
		float *y = result(net);

		assert_true(y[0] == 1 && y[5] == 6);
		free(y);
		net_free(net);
	}
	/* from memory there is no folder to look in */
	assert_int_equal(onnx_load(data, size, "m", NULL, NULL, &net, &err), -EBADMSG);
	unlink(path);
	free(data);
	ob_free(b);
}

static void test_external(void **state)
{
	static const float values[8] = { 9, 9, 1, 2, 3, 4, 5, 6 };
	char folder[] = "/tmp/test_onnx.XXXXXX", path[64];

	(void)state;
	assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/w.bin", folder);
	write_file(path, values, sizeof(values));
	check_external(folder, "w.bin", "8", "24", 0, NULL);
	check_external(folder, "w.bin", "8", NULL, 0, NULL);
	check_external(folder, "w.bin", "12", NULL, -EBADMSG, "has 20 of 24 bytes from 12 on");
	check_external(folder, "w.bin", "8", "20", -EBADMSG, "'20' bytes of external data, its shape has 24");
	check_external(folder, "w.bin", "-8", NULL, -EBADMSG, "offset '-8'");
	check_external(folder, "w.bin", "18446744073709551600", NULL, -EBADMSG, "0 of 24 bytes");
	check_external(folder, "none.bin", NULL, NULL, -ENOENT, "its data should be in");
	check_external(folder, "../w.bin", "8", NULL, -EBADMSG, "a file in the model's folder is needed");
	check_external(folder, "a/../../w.bin", "8", NULL, -EBADMSG, "a file in the model's folder is needed");
	check_external(folder, path, "8", NULL, -EBADMSG, "a file in the model's folder is needed");
	check_external(folder, "", "8", NULL, -EBADMSG, "a file in the model's folder is needed");
	unlink(path);
	rmdir(folder);
}

/* ---------------------------------------------------------------- what a small file may ask for */

static void test_bounds(void **state)
{
	const struct onnx_options options = { .max_bytes = 1 << 20 };
	const int64_t large[2] = { 1024, 1024 };
	struct ob *b;

	(void)state;
	b = small();
	ob_ints(b, "shape", 2, large);
	ob_node(b, "ConstantOfShape", "shape", "z");
	refused(b, &options, -E2BIG, "output 0 of [1024, 1024] is too large");
	b = small();
	ob_ints(b, "shape", 2, (const int64_t[]){ 256, 256 });
	for (int i = 0; i < 5; i++) {
		char name[16];

		snprintf(name, sizeof(name), "z%d", i);
		ob_node(b, "ConstantOfShape", "shape", name);
	}
	refused(b, &options, -E2BIG, "the constants have more than 1 MiB in all");
}

/* A product of constants that would take minutes is left in the network. */
static void test_fold_work(void **state)
{
	struct accel_network *net;
	struct ob *b = small();

	(void)state;
	ob_ints(b, "shape", 2, (const int64_t[]){ 4096, 4096 });
	ob_node(b, "ConstantOfShape", "shape", "a");
	ob_node(b, "MatMul", "a,a", "aa");
	ob_output(b, "aa");
	net = loaded(b, NULL);
	assert_int_equal(net->nnodes, 2);
	net_free(net);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_not_onnx),      cmocka_unit_test(test_truncated),    cmocka_unit_test(test_model_errors),
		cmocka_unit_test(test_node_errors),   cmocka_unit_test(test_shape_errors), cmocka_unit_test(test_tensor_errors),
		cmocka_unit_test(test_open_shapes),   cmocka_unit_test(test_if),           cmocka_unit_test(test_deep_if),
		cmocka_unit_test(test_tensor_forms),  cmocka_unit_test(test_half),         cmocka_unit_test(test_external),
		cmocka_unit_test(test_bounds),        cmocka_unit_test(test_fold_work),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
