// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Large ONNX files without the elements of their tensors: the same networks, and a file is not held twice. */
#include <errno.h>
#include <math.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
#include "models.h"
#include "onnx_build.h"

#define LARGE ((int64_t)48 << 20)   /* bytes of the weights of a large file */

static void same(const struct accel_network *a, const struct accel_network *b)
{
	assert_int_equal(a->nvalues, b->nvalues);
	assert_int_equal(a->nnodes, b->nnodes);
	for (unsigned int i = 0; i < a->nvalues; i++) {
		const struct net_value *x = &a->values[i], *y = &b->values[i];

		assert_int_equal(x->type, y->type);
		assert_int_equal(x->count, y->count);
		assert_int_equal(!x->data, !y->data);
		if (x->data)
			assert_memory_equal(x->data, y->data, x->count * net_type_size(x->type));
	}
}

/* Both ways; how many tensors were cut of how many bytes. */
static void both(const void *data, size_t size, int want, uint32_t cuts)
{
	const struct onnx_file f = { .fd = -1, .data = data, .size = size };
	struct accel_network *whole, *cut;
	struct accel_error err[2] = { 0 };
	struct onnx_skeleton s;
	int ret = onnx_skeleton_new(&f, 1, &s);

	assert_int_equal(ret, want);
	if (!ret) {
		uint64_t bytes = 0;

		for (uint32_t i = 0; i < s.ncuts; i++)
			bytes += s.cut[i].len;
		assert_int_equal(s.ncuts, cuts);
		/* what is longer are lengths: five bytes each */
		assert_true(s.size + bytes >= size - 10 && s.size + bytes <= size + size / 2);
	}
	onnx_skeleton_free(&s);
	ret = onnx_load(data, size, "test.onnx", NULL, NULL, &whole, &err[0]);
	assert_int_equal(onnx_load_cut(data, size, "test.onnx", NULL, &cut, &err[1]), ret);
	assert_string_equal(err[0].text, err[1].text);
	if (ret)
		return;
	same(whole, cut);
	net_free(whole);
	net_free(cut);
}

/* Initialisers of several types, and a tensor in a node. */
static struct ob *network(Onnx__TensorProto **inner)
{
	const int64_t dims[2] = { 2, 3 }, rows[1] = { 3 };
	const float w[6] = { 1, 2, 3, 4, 5, 6 };
	const uint16_t halves[3] = { 0x3c00, 0xc000, 0x3555 };
	const double wide[3] = { 0.5, -0.25, 3 };
	struct ob *b = ob_new(13);
	Onnx__AttributeProto *a;
	Onnx__TensorProto *t;

	ob_input(b, "x", 1, 2, dims);
	ob_floats(b, "w", 2, dims, w);
	ob_tensor(b, "halves", 10, 1, rows, halves, sizeof(halves));
	ob_tensor(b, "wide", 11, 1, rows, wide, sizeof(wide));
	/* an initialiser whose elements are no bytes, before one whose are */
	t = ob_tensor(b, "fields", 1, 1, rows, NULL, 0);
	t->has_raw_data = 0;
	t->n_float_data = 3;
	t->float_data = ob_new_memory(b, 3 * sizeof(float));
	t->float_data[1] = 7;
	/* moved out of the initialisers */
	ob_floats(b, "constant", 1, rows, w);
	*inner = b->tensors[--b->graph.n_initializer];
	a = ob_attr(b, ob_node(b, "Constant", "", "c"), "value");
	a->type = 4;
	a->t = *inner;
	ob_node(b, "Add", "x,w", "y");
	ob_node(b, "Add", "y,halves", "z");
	ob_node(b, "Add", "z,wide", "u");
	ob_node(b, "Add", "u,c", "v");
	ob_node(b, "Add", "v,fields", "o");
	ob_output(b, "o");
	return b;
}

static void test_same(void **state)
{
	Onnx__TensorProto *inner;
	struct ob *b = network(&inner);
	size_t size;
	uint8_t *data = ob_pack(b, &size);

	(void)state;
	both(data, size, 0, 4);
	/* cut short, and one byte damaged, anywhere */
	for (size_t n = 0; n <= size; n++) {
		struct accel_network *whole, *cut;
		uint8_t *changed = malloc(size);

		assert_non_null(changed);
		for (int way = 0; way < 3; way++) {
			struct accel_error err[2] = { 0 };
			size_t have = way ? size : n;
			int ret;

			memcpy(changed, data, size);
			if (way && n < size)
				changed[n] = way == 1 ? changed[n] ^ 1 : 0xff;
			ret = onnx_load(changed, have, "test.onnx", NULL, NULL, &whole, &err[0]);
			assert_int_equal(onnx_load_cut(changed, have, "test.onnx", NULL, &cut, &err[1]), ret);
			assert_string_equal(err[0].text, err[1].text);
			if (ret)
				continue;
			same(whole, cut);
			net_free(whole);
			net_free(cut);
		}
		free(changed);
	}
	free(data);
	ob_free(b);
}

/* Wrong sizes are told as they were. */
static void test_wrong_size(void **state)
{
	Onnx__TensorProto *inner;
	struct ob *b = network(&inner);
	size_t size;
	void *data;

	(void)state;
	inner->raw_data.len -= 4;
	data = ob_pack(b, &size);
	both(data, size, 0, 4);
	free(data);
	inner->raw_data.len += 4;
	b->tensors[1]->raw_data.len--;
	data = ob_pack(b, &size);
	both(data, size, 0, 4);
	free(data);
	b->tensors[1]->raw_data.len++;
	ob_free(b);
}

/* What only a whole parser puts together: two graphs, elements twice. */
static void test_twice(void **state)
{
	Onnx__TensorProto *inner;
	struct ob *b = network(&inner);
	size_t size;
	uint8_t *data = ob_pack(b, &size), *more = malloc(size + 64);

	(void)state;
	assert_non_null(more);
	memcpy(more, data, size);
	/* a second graph, empty: protobuf merges it into the first */
	memcpy(more + size, "\x3a\x00", 2);
	both(more, size + 2, -ENOTSUP, 0);
	free(data);
	ob_free(b);

	/* one scalar 'w' with two fields raw_data, of which the last counts; operator set 13 */
	both("\x3a\x13\x2a\x11\x10\x01\x42\x01w\x4a\x04\x00\x00\x80\x3f\x4a\x04\x00\x00\x00\x40\x42\x02\x10\x0d", 25, -ENOTSUP, 0);
	free(more);
}

/* A file that ends before what it had when it was looked at. */
static void test_shrinks(void **state)
{
	char path[] = "/tmp/skeleton-XXXXXX";
	struct onnx_file f = { .fd = mkstemp(path), .size = 100 };
	uint8_t byte[100] = { 0 };

	(void)state;
	assert_true(f.fd >= 0);
	assert_int_equal(write(f.fd, byte, sizeof(byte)), sizeof(byte));
	assert_int_equal(onnx_file_read(&f, 40, 60, byte), 0);
	assert_int_equal(onnx_file_read(&f, 41, 60, byte), -EIO);
	assert_int_equal(ftruncate(f.fd, 50), 0);
	assert_int_equal(onnx_file_read(&f, 40, 60, byte), -EIO);
	close(f.fd);
	unlink(path);
}

/* address sanitizer's memory is not the importer's */
#ifndef __SANITIZE_ADDRESS__
static void write_large(const char *path)
{
	const int64_t dims[2] = { 1024, LARGE / 4096 }, in[2] = { 1, 1024 };
	struct ob *b = ob_new(13);
	float *w = malloc((size_t)LARGE);
	size_t size;
	void *data;
	FILE *f = fopen(path, "w");

	assert_true(w && f);
	for (int64_t i = 0; i < LARGE / 4; i++)
		w[i] = (float)sin((double)i);
	ob_input(b, "x", 1, 2, in);
	ob_floats(b, "w", 2, dims, w);
	ob_node(b, "MatMul", "x,w", "y");
	ob_output(b, "y");
	data = ob_pack(b, &size);
	assert_int_equal(fwrite(data, 1, size, f), size);
	assert_int_equal(fclose(f), 0);
	free(data);
	free(w);
	ob_free(b);
}

/* In a process of its own, whose memory is its own; its peak in bytes. */
static int64_t peak_of(void (*fn)(const char *path), const char *path)
{
	struct rusage usage;
	int status;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (!pid) {
		fn(path);
		_exit(0);
	}
	assert_int_equal(wait4(pid, &status, 0, &usage), pid);
	assert_int_equal(status, 0);
	return (int64_t)usage.ru_maxrss * 1024;
}

static void nothing(const char *path)
{
	(void)path;
}

static void open_large(const char *path)
{
	struct accel_network *net;

	if (onnx_open(path, NULL, &net, NULL) || net->values[net->nodes[0].in[1]].count != (uint64_t)LARGE / 4 ||
	    ((const float *)net->values[net->nodes[0].in[1]].data)[LARGE / 4 - 1] != (float)sin((double)(LARGE / 4 - 1)))
		_exit(1);
	net_free(net);
}

static void test_memory(void **state)
{
	char path[] = "/tmp/skeleton-XXXXXX";
	int fd = mkstemp(path);
	int64_t before, peak;

	(void)state;
	assert_true(fd >= 0);
	close(fd);
	peak_of(write_large, path);
	before = peak_of(nothing, path);
	peak = peak_of(open_large, path) - before;
	unlink(path);
	if (peak > LARGE + LARGE / 8)
		fail_msg("%lld bytes for a file of %lld", (long long)peak, (long long)LARGE);
}
#endif

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_same),    cmocka_unit_test(test_wrong_size), cmocka_unit_test(test_twice),
		cmocka_unit_test(test_shrinks),
#ifndef __SANITIZE_ADDRESS__
		cmocka_unit_test(test_memory),
#endif
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
