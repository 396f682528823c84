// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Deep Compression files: every weight, codebooks through an .eie file bit for bit, and what is refused. */
#include "onnx_build.h"

#include <errno.h>
#include <math.h>
#include "eie_edit.h"
#include "deepcomp.h"
#include "graph.h"
#include "net_codes.h"
#include "net_make.h"
#include "netmodel.h"
#include "onnx_place.h"
#include "op.h"
#include "pass.h"
#include "squeezenet.h"

#define ROWS       40
#define CONV_COUNT (ROWS * 3 * 3 * 3)

#define FC_COUNT   (5 * ROWS)

static float book8[256], book4[16], bias8[ROWS], bias5[5];
static uint8_t code8[CONV_COUNT], code4[FC_COUNT];
static struct net_layer layers[2] = {
	{ CONV_COUNT, ROWS, 8, book8, bias8, code8 },
	{ FC_COUNT, 5, 4, book4, bias5, code4 },
};

/* Codebooks with entries that no weight has, long runs of zeros, an odd number of entries. */
static void fill(void)
{
	uint64_t state = 88172645463325252ull;

	for (int i = 1; i < 256; i++)
		book8[i] = sinf((float)i) * 0.37f;
	for (int i = 1; i < 16; i++)
		book4[i] = (float)i / 7 - 1.0625f;
	for (int i = 0; i < ROWS; i++)
		bias8[i] = (float)i / 3 - 1;
	for (int i = 0; i < 5; i++)
		bias5[i] = 1 - (float)i;
	for (int i = 0; i < CONV_COUNT; i++) {
		state ^= state << 13, state ^= state >> 7, state ^= state << 17;
		code8[i] = state % 3 || (i > 60 && i < 110) ? 0 : (uint8_t)(1 + state / 3 % 200);
	}
	for (int i = 0; i < FC_COUNT; i++)
		code4[i] = i % 3 ? 0 : (uint8_t)(1 + i % 15);
}

/* Conv [40, 3, 3, 3], ReLU, GlobalAveragePool, Flatten, Gemm of 5; weights other than the file's. */
static struct accel_network *graph(int transb, bool with_bias, const char *second)
{
	static const int64_t in[4] = { 1, 3, 6, 6 }, conv[4] = { ROWS, 3, 3, 3 }, rows[1] = { ROWS }, five[1] = { 5 };
	const int64_t gemm[2] = { transb ? 5 : ROWS, transb ? ROWS : 5 };
	struct onnx_options options = { .keep = true };
	static float ones[CONV_COUNT];
	struct accel_network *net = NULL;
	struct accel_error err = { 0 };
	struct ob *b = ob_new(13);

	for (int i = 0; i < CONV_COUNT; i++)
		ones[i] = 1;
	ob_input(b, "x", 1, 4, in);
	ob_floats(b, "w", 4, conv, ones);
	ob_floats(b, "b", 1, rows, ones);
	ob_floats(b, "v", 2, gemm, ones);
	ob_floats(b, "c", 1, five, ones);
	ob_node(b, "Conv", with_bias ? "x,w,b" : "x,w", "y");
	ob_node(b, "Relu", "y", "r");
	ob_node(b, "GlobalAveragePool", "r", "p");
	ob_node(b, "Flatten", "p", "f");
	ob_attr_int(b, ob_node(b, "Gemm", second, "z"), "transB", transb);
	ob_output(b, "z");
	if (ob_load(b, &options, &net, &err))
		fail_msg("%s", err.text);
	ob_free(b);
	return net;
}

static const struct net_value *weights(const struct accel_network *net, const char *op)
{
	for (unsigned int n = 0; n < net->nnodes; n++)
		if (pass_is(&net->nodes[n], op))
			return &net->values[net->nodes[n].in[1]];
	fail_msg("no %s", op);
	return NULL;
}

static const float *bias(const struct accel_network *net, const char *op)
{
	for (unsigned int n = 0; n < net->nnodes; n++)
		if (pass_is(&net->nodes[n], op))
			return net->values[net->nodes[n].in[2]].data;
	return NULL;
}

static void every_weight(void **state)
{
	struct net_file f = net_write(layers, 2);

	(void)state;
	for (int transb = 0; transb < 2; transb++) {
		struct accel_network *net = graph(transb, transb, "f,v,c");
		struct accel_error err = { 0 };
		const float *w;

		if (deepcomp_load(net, f.p, f.n, "t.net", &err))
			fail_msg("%s", err.text);
		w = weights(net, "Conv")->data;
		for (int i = 0; i < CONV_COUNT; i++)
			if (memcmp(&w[i], &book8[code8[i]], 4))
				fail_msg("weight %d is %g", i, (double)w[i]);
		w = weights(net, "Gemm")->data;
		for (int i = 0; i < FC_COUNT; i++)
			if (memcmp(&w[transb ? i : i % ROWS * 5 + i / ROWS], &book4[code4[i]], 4))
				fail_msg("Gemm, transB %d: weight %d", transb, i);
		assert_memory_equal(bias(net, "Conv"), bias8, sizeof(bias8));
		assert_memory_equal(bias(net, "Gemm"), bias5, sizeof(bias5));
		assert_int_equal(net_check(net, &err), 0);
		net_free(net);
	}
	free(f.p);
}

static void refused(struct net_file *f, int code, const char *text)
{
	struct accel_network *net = graph(1, true, "f,v,c");
	struct accel_error err = { 0 };
	uint8_t *exact = malloc(f->n ? f->n : 1);
	int ret;

	if (f->n)
		memcpy(exact, f->p, f->n);
	ret = deepcomp_load(net, exact, f->n, "t.net", &err);
	if (ret != code || !strstr(err.text, text) || !strstr(err.text, "t.net"))
		fail_msg("%d instead of %d: %s (wanted: %s)", ret, code, err.text, text);
	free(exact);
	net_free(net);
}

static void broken_files(void **state)
{
	const uint32_t many = 5000;
	const float nan = NAN, two = 2;
	struct net_file f = net_write(layers, 2);
	size_t whole = f.n;
	float was;

	(void)state;
	for (f.n = 0; f.n < whole; f.n++)
		refused(&f, -EBADMSG, "truncated, or another graph's");
	net_append(&f, "x", 1);
	refused(&f, -EBADMSG, "1 bytes follow the last of 2 layers");
	f.n = whole;
	memcpy(f.p, &many, 4);
	refused(&f, -EBADMSG, "5000 entries for 40 x 27 weights");
	free(f.p);

	f = net_write(layers, 2);
	memcpy(f.p + 8, &two, 4);
	refused(&f, -EBADMSG, "the codebook begins with 2, not with 0");
	free(f.p);
	f = net_write(layers, 2);
	memcpy(&was, f.p + 8 + 4, 4);
	memcpy(f.p + 8 + 4, &nan, 4);
	refused(&f, -EBADMSG, "the codebook: value 1 is not finite");
	memcpy(f.p + 8 + 4, &was, 4);
	memcpy(f.p + 8 + 1024 + 8, &nan, 4);
	refused(&f, -EBADMSG, "the bias: value 2 is not finite");
	free(f.p);
	/* all runs of the first layer as long as can be */
	f = net_write(layers, 2);
	{
		uint32_t nnz;

		memcpy(&nnz, f.p, 4);
		memset(f.p + 8 + 1024 + 4 * ROWS + nnz, 0xff, (nnz + 1) / 2);
	}
	refused(&f, -EBADMSG, "lies beyond its 40 x 27 weights");
	free(f.p);
}

/* Entries that no weight uses included; and the second file is the first. */
static void codebooks_stay(void **state)
{
	struct net_file f = net_write(layers, 2);
	struct accel_network *net = graph(1, true, "f,v,c");
	struct accel_model *model, *again;
	struct accel_error err = { 0 };
	struct accel_layer_info info;
	const struct net_value *w;
	void *file, *twice;
	size_t size, size2;

	(void)state;
	assert_int_equal(deepcomp_load(net, f.p, f.n, "t.net", &err), 0);
	free(f.p);
	assert_int_equal(pass_all(net, &err), 0);
	assert_int_equal(net_check(net, &err), 0);
	assert_int_equal(netmodel_new(net, &model, &err), 0);
	assert_int_equal(eie_encode(model, &file, &size, NULL, &err), 0);
	if (accel_model_load(file, size, "m", &again, &err))
		fail_msg("%s", err.text);
	w = weights(again->net, "Conv");
	assert_int_equal(w->ncodes, 256);
	assert_memory_equal(w->codebook, book8, sizeof(book8));
	assert_int_equal(w->count, CONV_COUNT);
	for (int i = 0; i < CONV_COUNT; i++)
		assert_memory_equal((const float *)w->data + i, &book8[code8[i]], 4);
	assert_int_equal(accel_model_layer(again, 0, &info), 0);
	assert_int_equal(info.codebook_size, 255);
	assert_true(info.file_bytes_other > 1024 && info.file_bytes_other < CONV_COUNT * 4);
	assert_int_equal(eie_encode(again, &twice, &size2, NULL, &err), 0);
	assert_int_equal(size, size2);
	assert_memory_equal(file, twice, size);
	free(file);
	free(twice);
	accel_model_unref(model);
	accel_model_unref(again);
}

/* On the engine, too: the layer's codebook is the author's, unused entries included, in its order. */
static void codebooks_on_the_engine(void **state)
{
	const struct placement how = { .conv = true };
	struct net_file f = net_write(layers, 2);
	struct accel_network *net = graph(1, true, "f,v,c");
	struct accel_model *model, *again;
	const struct accel_layer *layer;
	struct accel_error err = { 0 };
	void *file;
	size_t size;

	(void)state;
	assert_int_equal(deepcomp_load(net, f.p, f.n, "t.net", &err), 0);
	free(f.p);
	if (pass_all(net, &err) || onnx_place(net, &how, NULL, &err) || netmodel_new(net, &model, &err) ||
	    eie_encode(model, &file, &size, NULL, &err) || accel_model_load(file, size, "m", &again, &err))
		fail_msg("%s", err.text);
	assert_null(again->net->nodes[0].op);
	layer = &again->net->nodes[0].segment->layers[0];
	assert_int_equal(layer->kind, ACCEL_LAYER_CONV);
	assert_int_equal(layer->ncodes, 256);
	assert_memory_equal(layer->codebook, book8, sizeof(book8));
	for (uint32_t r = 0; r < layer->rows; r++) {
		uint32_t i = layer->rowptr[r];

		for (uint32_t c = 0; c < layer->cols; c++) {
			float w = 0;

			if (i < layer->rowptr[r + 1] && layer->col[i] == c)
				w = layer->codebook[layer->code[i++]];
			assert_memory_equal(&w, &book8[code8[r * layer->cols + c]], 4);
		}
	}
	free(file);
	accel_model_unref(model);
	accel_model_unref(again);
}

static uint8_t *coded_file(size_t *size)
{
	struct net_file f = net_write(layers, 2);
	struct accel_network *net = graph(1, true, "f,v,c");
	struct accel_preprocess pre;
	struct accel_model *model;
	void *file;

	assert_int_equal(deepcomp_load(net, f.p, f.n, "t.net", NULL), 0);
	free(f.p);
	assert_int_equal(pass_all(net, NULL), 0);
	assert_int_equal(net_check(net, NULL), 0);
	assert_int_equal(netmodel_new(net, &model, NULL), 0);
	assert_int_equal(accel_preprocess_parse("caffe", &pre, NULL), 0);
	assert_int_equal(accel_model_set_preprocess(model, "m", &pre, NULL), 0);
	assert_int_equal(eie_encode(model, &file, size, NULL, NULL), 0);
	accel_model_unref(model);
	return file;
}

/* One property changed (len < 0: taken away), checksums right again. */
static void broken(const uint8_t *good, size_t good_size, const char *path, const char *prop, const void *value, int len, int code, const char *part)
{
	size_t tree = fdt_totalsize(good), start = eie_data_start(tree), size = 0;
	void *fdt = malloc(tree + 65536);
	struct accel_model *model = NULL;
	struct accel_error err = { 0 };
	uint8_t *file;
	int node, ret;

	assert_int_equal(fdt_open_into(good, fdt, (int)tree + 65536), 0);
	node = fdt_path_offset(fdt, path);
	assert_true(node >= 0);
	assert_int_equal(len < 0 ? fdt_delprop(fdt, node, prop) : fdt_setprop(fdt, node, prop, value, len), 0);
	file = eie_assemble(fdt, good + start, good_size - start, &size);
	ret = accel_model_load(file, size, "m", &model, &err);
	if (ret != code || !strstr(err.text, part))
		fail_msg("%s %s: %d, not %d: '%s' should say '%s'", path, prop, ret, code, err.text, part);
	accel_model_unref(model);
	free(file);
	free(fdt);
}

/* The constant that has a codebook. */
static void find_coded(const uint8_t *file, char path[64])
{
	for (int v = 0; v < 50; v++) {
		int node;

		snprintf(path, 64, "/network/values/v%d", v);
		node = fdt_path_offset(file, path);
		if (node >= 0 && fdt_getprop(file, node, "codebook", NULL))
			return;
	}
	fail_msg("no constant is coded");
}

static void fields(void **state)
{
	const fdt32_t none = 0, three = cpu_to_fdt32(3), four = cpu_to_fdt32(4), many = cpu_to_fdt32(5000), some = cpu_to_fdt32(5);
	const fdt32_t one[1] = { cpu_to_fdt32(0x3f800000) }, nans[3] = { cpu_to_fdt32(0x7fc00000), 0, 0 }, zeros[3] = { 0 };
	const fdt32_t short_book[2] = { 0, cpu_to_fdt32(0x3f800000) };
	char path[64], codes[80];
	size_t size;
	uint8_t *f = coded_file(&size);

	(void)state;
	find_coded(f, path);
	snprintf(codes, sizeof(codes), "%s/codes", path);
	broken(f, size, path, "nnz", &none, 4, -EBADMSG, "with 0 codes");
	broken(f, size, path, "nnz", &many, 4, -EBADMSG, "with 5000 codes");
	broken(f, size, path, "nnz", &some, 4, -EBADMSG, "codes");
	broken(f, size, path, "nnz", NULL, -1, -EBADMSG, "property 'nnz' is missing");
	broken(f, size, path, "code-bits", &three, 4, -EBADMSG, "codes of 3 bits");
	broken(f, size, path, "code-bits", &four, 4, -EBADMSG, "codebook");
	broken(f, size, path, "codebook", one, 4, -EBADMSG, "the first entry is not 0");
	broken(f, size, path, "codebook", short_book, 8, -EBADMSG, "the codebook has 2 entries");
	broken(f, size, path, "codebook", "abc", 3, -EBADMSG, "codebook");
	broken(f, size, path, "type", "int32", 6, -EBADMSG, "not float32");
	broken(f, size, codes, "coding", "lz4", 4, -ENOTSUP, "lz4");
	broken(f, size, "/preprocess", "resize", "crop", 5, -ENOTSUP, "resize 'crop'");
	broken(f, size, "/preprocess", "size", &three, 4, -EBADMSG, "3 pixels for the shorter side");
	broken(f, size, "/preprocess", "size", NULL, -1, -EBADMSG, "property 'size' is missing");
	broken(f, size, "/preprocess", "order", "gbr", 4, -ENOTSUP, "order 'gbr'");
	broken(f, size, "/preprocess", "layout", "hwc", 4, -EBADMSG, "the first input is not");
	broken(f, size, "/preprocess", "mean", nans, 12, -EBADMSG, "mean nan");
	broken(f, size, "/preprocess", "scale", zeros, 12, -EBADMSG, "scale 0");
	broken(f, size, "/preprocess", "scale", zeros, 8, -EBADMSG, "property 'scale' has 8 bytes");
	free(f);
}

/* The builder against the numbers that the network's authors give. */
static void squeezenet(void **state)
{
	struct accel_network *net;
	struct accel_error err = { 0 };
	uint64_t weights_of_all = 0;
	unsigned int convs = 0;

	(void)state;
	assert_int_equal(squeezenet_new("s", &net, &err), 0);
	assert_int_equal(net_check(net, &err), 0);
	for (unsigned int n = 0; n < net->nnodes; n++) {
		if (!pass_is(&net->nodes[n], "Conv"))
			continue;
		convs++;
		weights_of_all += net->values[net->nodes[n].in[1]].count;
	}
	assert_int_equal(convs, 26);
	assert_int_equal(weights_of_all, 1244448);
	assert_int_equal(net->values[net->outputs[0]].count, 1000);
	net_free(net);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_weight), cmocka_unit_test(broken_files), cmocka_unit_test(codebooks_stay), cmocka_unit_test(codebooks_on_the_engine), cmocka_unit_test(fields),
		cmocka_unit_test(squeezenet),
	};

	fill();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
