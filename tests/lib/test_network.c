// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Networks with device segments: fully connected layers, equal bits on every device, .eie files of networks and each of their fields broken.
 * test_network [DEVICE ...]   (cpu ref:2x2)
 */
#include <errno.h>
#include "container.h"
#include "eie_edit.h"
#include "network_check.h"

enum { MAPS = 4, FLAT = SIDE * SIDE * MAPS, HIDDEN = 40 };

/* Convolution, two fully connected layers of codebooks, softmax. values: different weights of the second layer. */
static struct ob *classifier(unsigned int values)
{
	const int64_t image[4] = { 1, 1, SIDE, SIDE }, kernel[4] = { MAPS, 1, 3, 3 }, pads[4] = { 1, 1, 1, 1 };
	const int64_t fc1[2] = { HIDDEN, FLAT }, fc2[2] = { HIDDEN, CLASSES }, hidden[1] = { HIDDEN }, classes[1] = { CLASSES };
	struct test_rng rng = { 11 };
	static float w[HIDDEN * FLAT];
	struct ob *b = ob_new(13);
	Onnx__NodeProto *n;

	ob_input(b, "image", 1, 4, image);
	random_weights(&rng, w, MAPS * 9);
	ob_floats(b, "kernel", 4, kernel, w);
	n = ob_node(b, "Conv", "image,kernel", "maps");
	ob_attr_ints(b, n, "pads", 4, pads);
	ob_node(b, "Relu", "maps", "maps_relu");
	ob_node(b, "Flatten", "maps_relu", "flat");
	codebook_weights(&rng, w, HIDDEN * FLAT, 15);
	ob_floats(b, "w1", 2, fc1, w);
	random_weights(&rng, w, HIDDEN);
	ob_floats(b, "b1", 1, hidden, w);
	n = ob_node(b, "Gemm", "flat,w1,b1", "h");
	ob_attr_int(b, n, "transB", 1);
	ob_node(b, "Relu", "h", "h_relu");
	codebook_weights(&rng, w, HIDDEN * CLASSES, values);
	ob_floats(b, "w2", 2, fc2, w);
	random_weights(&rng, w, CLASSES);
	ob_floats(b, "b2", 1, classes, w);
	ob_node(b, "MatMul", "h_relu,w2", "logits");
	ob_node(b, "Add", "logits,b2", "logits_b");
	ob_node(b, "Softmax", "logits_b", "scores");
	ob_output(b, "scores");
	ob_output(b, "flat");
	return b;
}

static struct accel_model *place(struct ob *b, const float *calib, uint64_t n)
{
	return place_all(b, false, calib, n);
}

/* ---------------------------------------------------------------- placement */

static void test_placement(void **state)
{
	struct accel_model *model = place(classifier(15), NULL, 0);
	const struct accel_network *net = model->net;
	struct accel_layer_info info;

	(void)state;
	/* convolution with its ReLU, flatten, one segment of two layers, softmax */
	assert_int_equal(net->nnodes, 4);
	assert_null(net->nodes[2].op);
	assert_int_equal(net->nodes[2].segment->nlayers, 2);
	assert_int_equal(accel_model_layers(model), 5);
	assert_int_equal(accel_model_layer(model, 2, &info), 0);
	assert_int_equal(info.kind, ACCEL_LAYER_FC);
	assert_true(info.rows == HIDDEN && info.cols == FLAT && info.activation == ACCEL_ACT_RELU && info.code_bits == 4);
	assert_int_equal(accel_model_layer(model, 3, &info), 0);
	assert_true(info.rows == CLASSES && info.cols == HIDDEN && info.activation == ACCEL_ACT_NONE);
	assert_int_equal(accel_model_layer(model, 0, &info), 0);
	assert_true(info.kind == ACCEL_LAYER_OP && info.weights == MAPS * 9);
	assert_string_equal(info.op, "Conv");
	assert_int_equal(accel_model_layer(model, 5, &info), -ERANGE);
	/* the batch is no dimension of inputs and outputs */
	assert_int_equal(model->tensors[model->inputs[0]].ndim, 3);
	assert_int_equal(model->tensors[model->outputs[0]].ndim, 1);
	assert_int_equal(model->tensors[model->outputs[0]].dtype, ACCEL_DTYPE_FLOAT32);
	accel_model_unref(model);
}

static void test_reasons(void **state)
{
	struct accel_model *model = place(classifier(100000), NULL, 0);
	struct accel_place_info place_info;
	struct accel_program *program;
	struct accel_device *device;
	unsigned int on_device = 0;

	(void)state;
	assert_int_equal(accel_device_open("ref:2x2", &device, NULL), 0);
	assert_int_equal(accel_program_compile(model, device, NULL, &program, NULL), 0);
	/* the Add behind the product, which its layer would have taken, is one of its own */
	assert_int_equal(accel_program_places(program), 6);
	for (unsigned int i = 0; !accel_program_place(program, i, &place_info); i++) {
		on_device += !strcmp(place_info.where, "device");
		if (!strcmp(place_info.layer, "Conv0"))
			assert_string_equal(place_info.reason, "convolution, imported in float32 (--conv float32)");
		if (!strcmp(place_info.layer, "MatMul5"))
			if (!strstr(place_info.reason, "more than 255 different weights"))
				fail_msg("%s", place_info.reason);
	}
	assert_int_equal(on_device, 1);
	accel_program_unref(program);
	accel_device_unref(device);
	accel_model_unref(model);
}

/* A tensor that is wanted between two layers is one more output of the segment. */
static void test_segment_ends(void **state)
{
	struct ob *b = classifier(15);
	struct accel_model *model;

	(void)state;
	ob_output(b, "h_relu");
	model = place(b, NULL, 0);
	assert_int_equal(model->net->nnodes, 4);
	assert_null(model->net->nodes[2].op);
	assert_int_equal(model->net->nodes[2].nout, 2);
	assert_string_equal(model->net->values[model->net->nodes[2].out[0]].name, "h_relu");
	accel_model_unref(model);
}

/* ---------------------------------------------------------------- runs */

static void test_devices_agree(void **state)
{
	static float items[ITEMS * SIDE * SIDE], flat[ITEMS * CLASSES], first[ITEMS * CLASSES], out[ITEMS * CLASSES];

	(void)state;
	random_items(items);
	for (int calibrated = 0; calibrated < 2; calibrated++) {
		struct accel_model *model = place(classifier(15), calibrated ? items : NULL, calibrated ? ITEMS : 0);

		assert_int_equal(model->tensors[model->outputs[0]].calibrated, calibrated);
		assert_int_equal(accel_model_run_float(model, items, ITEMS, flat, NULL), 0);
		for (int d = 0; d < ndevices; d++) {
			run(model, devices[d], ITEMS, items, out);
			if (!d)
				memcpy(first, out, sizeof(out));
			assert_memory_equal(first, out, sizeof(out));
			/* items alone */
			for (int i = 0; i < ITEMS; i++)
				run(model, devices[d], 1, items + i * SIDE * SIDE, out + i * CLASSES);
			assert_memory_equal(first, out, sizeof(out));
		}
		/* 16 bits, two of them spare when not calibrated */
		for (int i = 0; i < ITEMS * CLASSES; i++)
			if (fabsf(flat[i] - first[i]) > (calibrated ? 2e-3f : 1e-2f))
				fail_msg("value %d: %g, in float32 %g", i, (double)first[i], (double)flat[i]);
		accel_model_unref(model);
	}
}

static void test_session_errors(void **state)
{
	static float items[ITEMS * SIDE * SIDE];
	static int16_t raw[ITEMS * SIDE * SIDE];
	struct accel_model *model = place(classifier(15), NULL, 0);
	struct accel_device *device;
	struct accel_program *program;
	struct accel_session *session;
	struct accel_error err;

	(void)state;
	assert_int_equal(accel_device_open("cpu", &device, NULL), 0);
	assert_int_equal(accel_program_compile(model, device, NULL, &program, NULL), 0);
	assert_int_equal(accel_session_open(program, device, &session, NULL), 0);
	assert_int_equal(accel_session_output(session, 0, items, &err), -ENODATA);
	assert_int_equal(accel_session_input_raw(session, 0, raw, &err), -EINVAL);
	assert_non_null(strstr(err.text, "is not int16"));
	assert_int_equal(accel_session_input(session, 1, items, &err), -ERANGE);
	items[3] = NAN;
	assert_int_equal(accel_session_input(session, 0, items, &err), -EDOM);
	items[3] = 0;
	assert_int_equal(accel_session_input(session, 0, items, &err), 0);
	assert_int_equal(accel_session_run(session, &err), 0);
	assert_int_equal(accel_session_output_raw(session, 0, raw, &err), -EINVAL);
	assert_int_equal(accel_session_output(session, 1, items, &err), 0);
	accel_session_close(session);
	accel_program_unref(program);
	accel_device_unref(device);
	accel_model_unref(model);
}

/* ---------------------------------------------------------------- files */

static void test_round_trip(void **state)
{
	static float items[ITEMS * SIDE * SIDE], a[ITEMS * CLASSES], b[ITEMS * CLASSES];
	struct accel_model *model = place(classifier(15), NULL, 0), *again;
	size_t size, size2;
	void *data, *data2;
	struct accel_error err;

	(void)state;
	random_items(items);
	assert_int_equal(eie_encode(model, &data, &size, NULL, &err), 0);
	if (accel_model_load(data, size, "f", &again, &err))
		fail_msg("%s", err.text);
	assert_int_equal(eie_encode(again, &data2, &size2, NULL, &err), 0);
	assert_int_equal(size, size2);
	assert_memory_equal(data, data2, size);
	run(model, "cpu", ITEMS, items, a);
	run(again, "cpu", ITEMS, items, b);
	assert_memory_equal(a, b, sizeof(a));
	free(data);
	free(data2);
	accel_model_unref(model);
	accel_model_unref(again);
}

struct file {
	uint8_t *data;
	size_t size, tree;
};

static struct file good_file(void)
{
	struct accel_model *model = place(classifier(15), NULL, 0);
	struct file f;
	void *data;

	assert_int_equal(eie_encode(model, &data, &f.size, NULL, NULL), 0);
	f.data = data;
	f.tree = fdt_totalsize(data);
	accel_model_unref(model);
	return f;
}

/* An editable copy of the tree. */
static void *tree_of(const struct file *f)
{
	void *fdt = malloc(f->tree + 65536);

	assert_non_null(fdt);
	assert_int_equal(fdt_open_into(f->data, fdt, (int)(f->tree + 65536)), 0);
	return fdt;
}

/* Assembles, loads; frees fdt. */
static int load_edited(const struct file *f, void *fdt, struct accel_error *err)
{
	size_t start = eie_data_start(f->tree), size = 0;
	uint8_t *file = eie_assemble(fdt, f->data + start, f->size - start, &size);
	struct accel_model *model = NULL;
	int ret;

	assert_non_null(file);
	ret = accel_model_load(file, size, "f", &model, err);
	accel_model_unref(model);
	free(file);
	free(fdt);
	return ret;
}

static void broken(const struct file *f, const char *path, const char *prop, const void *value, int len, int code, const char *part)
{
	void *fdt = tree_of(f);
	int node = fdt_path_offset(fdt, path);
	struct accel_error err = { 0 };
	int ret;

	assert_true(node >= 0);
	assert_int_equal(len < 0 ? fdt_delprop(fdt, node, prop) : fdt_setprop(fdt, node, prop, value, len), 0);
	ret = load_edited(f, fdt, &err);
	if (ret != code || !strstr(err.text, part))
		fail_msg("%s %s: %d, not %d: '%s' should say '%s'", path, prop, ret, code, err.text, part);
}

static void test_fields(void **state)
{
	struct file f = good_file();
	const fdt32_t far = cpu_to_fdt32(1000), set = cpu_to_fdt32(23), dims[4] = { cpu_to_fdt32(1), cpu_to_fdt32(1), cpu_to_fdt32(8), cpu_to_fdt32(9) };
	const fdt32_t shape[4] = { 0, cpu_to_fdt32(1), 0, cpu_to_fdt32(11) }, late[3] = { cpu_to_fdt32(9), cpu_to_fdt32(9), cpu_to_fdt32(9) };

	(void)state;
	broken(&f, "/", "must-understand", "telepathy", 10, -ENOTSUP, "needs the feature 'telepathy'");
	broken(&f, "/", "must-understand", "network\0telepathy", 18, -ENOTSUP, "needs the feature 'telepathy'");
	/* without it the file is one of layers, and has none */
	broken(&f, "/", "must-understand", NULL, -1, -EBADMSG, "property 'inputs' is missing");
	broken(&f, "/network/nodes/n0", "must-understand", "network", 8, -ENOTSUP, "node 'n0' needs the feature 'network'");
	broken(&f, "/network", "inputs", &far, 4, -EBADMSG, "input 0 is value 1000");
	broken(&f, "/network", "outputs", &far, 4, -EBADMSG, "output 0 is value 1000");
	broken(&f, "/network", "inputs", NULL, -1, -EBADMSG, "property 'inputs' is missing");
	broken(&f, "/network/values/v0", "type", "float64", 8, -ENOTSUP, "element type 'float64'");
	broken(&f, "/network/values/v0", "type", NULL, -1, -EBADMSG, "");
	broken(&f, "/network/nodes/n0", "op", "Konv", 5, -ENOTSUP, "operator 'Konv'");
	broken(&f, "/network/nodes/n0", "op", "Relu", 5, -EINVAL, "it takes 1 to 1");
	broken(&f, "/network/nodes/n0", "opset", &set, 4, -EBADMSG, "operator set 23");
	broken(&f, "/network/nodes/n0", "in", &far, 4, -EBADMSG, "value 1000");
	broken(&f, "/network/nodes/n0", "in", late, 8, -EBADMSG, "before anything made it");
	broken(&f, "/network/nodes/n0", "in", "abc", 3, -EBADMSG, "property 'in' has 3 bytes");
	broken(&f, "/network/nodes/n0", "out", &far, 4, -EBADMSG, "value 1000");
	broken(&f, "/network/nodes/n0", "activation", "swish", 6, -ENOTSUP, "activation 'swish'");
	broken(&f, "/network/nodes/n0", "activation-parameters", &far, 4, -EBADMSG, "activation-parameters");
	broken(&f, "/network/nodes/n0", "label", "", 1, -EBADMSG, "a node has no name");
	broken(&f, "/network/nodes/n1", "activation", "sigmoid", 8, -EBADMSG, "activation-parameters");
	broken(&f, "/network/nodes/n0/attributes/a0", "ints", "abcd", 4, -EBADMSG, "1 words are no 64-bit numbers");
	broken(&f, "/network/nodes/n0/attributes/a0", "label", NULL, -1, -EBADMSG, "property 'label' is missing");
	broken(&f, "/network/nodes/n2/attributes/a0", "ints", shape, 16, -EINVAL, "of the segment has");
	broken(&f, "/network/nodes/n2/segment/layers/l0", "kind", "pool", 5, -ENOTSUP, "layer kind 'pool'");
	/* the image is of another size than the layers behind it */
	for (int v = 0; v < 20; v++) {
		char path[64];
		void *fdt = tree_of(&f);
		int node, len;

		snprintf(path, sizeof(path), "/network/values/v%d", v);
		node = fdt_path_offset(fdt, path);
		if (node >= 0 && fdt_getprop(fdt, node, "label", &len) && fdt_getprop(fdt, node, "type", &len))
			broken(&f, path, "dims", dims, 16, -EINVAL, "of the segment has");
		free(fdt);
	}
	free(f.data);
}

/* Every property taken away, every node taken away: refused or harmless, never a crash. */
static void test_each_missing(void **state)
{
	struct file f = good_file();
	unsigned int refusals = 0, all = 0;

	(void)state;
	for (int nodes = 0; nodes < 2; nodes++) {
		for (int step = 0;; step++) {
			void *fdt = tree_of(&f);
			int node = 0, i = 0, prop = -1;
			struct accel_error err = { 0 };

			for (; node >= 0; node = fdt_next_node(fdt, node, NULL)) {
				if (nodes && node && i++ == step)
					break;
				if (nodes)
					continue;
				fdt_for_each_property_offset(prop, fdt, node)
					if (i++ == step)
						break;
				if (prop >= 0)
					break;
			}
			if (node < 0) {
				free(fdt);
				break;
			}
			if (nodes) {
				assert_int_equal(fdt_del_node(fdt, node), 0);
			} else {
				const char *name;

				fdt_getprop_by_offset(fdt, prop, &name, NULL);
				assert_int_equal(fdt_delprop(fdt, node, name), 0);
			}
			all++;
			refusals += load_edited(&f, fdt, &err) != 0;
		}
	}
	/* what may be missing: labels of attributes' lists, calibration marks, reasons and the like */
	assert_true(all > 100 && refusals * 10 > all * 9);
	free(f.data);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_placement),     cmocka_unit_test(test_reasons),        cmocka_unit_test(test_segment_ends),
		cmocka_unit_test(test_devices_agree), cmocka_unit_test(test_session_errors), cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_fields),        cmocka_unit_test(test_each_missing),
	};

	take_devices(argc, argv);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
