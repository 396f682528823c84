// SPDX-License-Identifier: GPL-2.0 OR MIT
#include "args.h"
#include "json.h"

#include <inttypes.h>
#include <math.h>

static const char *activation(enum accel_activation a)
{
	switch (a) {
	case ACCEL_ACT_NONE:
		return "none";
	case ACCEL_ACT_RELU:
		return "relu";
	case ACCEL_ACT_RELU6:
		return "relu6";
	}
	return "unknown";
}

static double density(uint64_t nonzeros, uint64_t weights)
{
	return weights ? (double)nonzeros / (double)weights : 0;
}

struct sums {
	uint64_t weights, nonzeros;   /* of fully connected layers */
	uint64_t constants;	      /* of operators */
	uint64_t float_bytes, codes, index, other;
	unsigned int layers, operators;
	bool calibrated;
};

static struct sums sum_up(const struct accel_model *model)
{
	struct sums s = { .calibrated = true };
	struct accel_tensor_info tensor;
	struct accel_layer_info l;

	for (unsigned int i = 0; !accel_model_layer(model, i, &l); i++) {
		s.weights += (uint64_t)l.rows * l.cols / l.groups;
		s.nonzeros += l.kind != ACCEL_LAYER_OP ? l.nonzeros : 0;
		s.constants += l.weights;
		s.layers += l.kind != ACCEL_LAYER_OP;
		s.operators += l.kind == ACCEL_LAYER_OP;
		s.float_bytes += layer_float_bytes(&l);
		s.codes += l.file_bytes_codes;
		s.index += l.file_bytes_index;
		s.other += l.file_bytes_other;
	}
	for (unsigned int i = 0; !accel_model_tensor(model, i, &tensor); i++)
		s.calibrated = s.calibrated && tensor.calibrated;
	return s;
}

static const char *type_name(enum accel_dtype dtype)
{
	static const char *const names[] = { "int16", "float32", "int64", "int32",
					     "uint8", "int8", "bool" };

	return names[dtype];
}

static void json_tensor(struct json *j, const struct accel_tensor_info *t)
{
	json_object(j, NULL);
	json_text(j, "name", t->name);
	json_array(j, "shape");
	for (unsigned int i = 0; i < t->ndim; i++)
		json_count(j, NULL, t->dims[i]);
	json_close(j);
	json_number(j, "scale", t->scale);
	json_int(j, "lo", t->lo);
	json_int(j, "hi", t->hi);
	json_bool(j, "calibrated", t->calibrated);
	json_text(j, "type", type_name(t->dtype));
	json_close(j);
}

static void print_json(const char *path, const struct accel_model *model, const struct sums *s)
{
	struct accel_tensor_info tensor;
	struct accel_layer_info l;
	uint64_t bytes = accel_model_file_bytes(model);
	struct json j;

	json_begin(&j, stdout);
	json_text(&j, "model", path);
	json_count(&j, "file_bytes", bytes);
	json_count(&j, "float_bytes", s->float_bytes);
	json_number(&j, "ratio", bytes ? (double)s->float_bytes / (double)bytes : NAN);
	json_count(&j, "operators", s->operators);
	json_count(&j, "operator_constants", s->constants);
	json_count(&j, "weights", s->weights);
	json_count(&j, "nonzeros", s->nonzeros);
	json_number(&j, "density", density(s->nonzeros, s->weights));
	json_bool(&j, "calibrated", s->calibrated);
	json_array(&j, "inputs");
	for (unsigned int i = 0; !accel_model_input(model, i, &tensor); i++)
		json_tensor(&j, &tensor);
	json_close(&j);
	json_array(&j, "outputs");
	for (unsigned int i = 0; !accel_model_output(model, i, &tensor); i++)
		json_tensor(&j, &tensor);
	json_close(&j);
	json_array(&j, "classes");
	for (unsigned int i = 0; accel_model_class(model, i); i++)
		json_text(&j, NULL, accel_model_class(model, i));
	json_close(&j);
	json_array(&j, "layers");
	for (unsigned int i = 0; !accel_model_layer(model, i, &l); i++) {
		json_object(&j, NULL);
		json_text(&j, "name", l.name);
		json_text(&j, "kind", l.kind == ACCEL_LAYER_FC ? "fc" : l.kind == ACCEL_LAYER_CONV ? "conv" : "op");
		json_text(&j, "op", l.op);
		json_count(&j, "constants", l.weights);
		json_text(&j, "activation", activation(l.activation));
		json_count(&j, "rows", l.rows);
		json_count(&j, "cols", l.cols);
		json_count(&j, "nonzeros", l.nonzeros);
		json_number(&j, "density", density(l.nonzeros, (uint64_t)l.rows * l.cols / l.groups + l.weights));
		json_count(&j, "code_bits", l.code_bits);
		json_count(&j, "codebook_size", l.codebook_size);
		json_count(&j, "bytes_codes", l.file_bytes_codes);
		json_count(&j, "bytes_index", l.file_bytes_index);
		json_count(&j, "bytes_other", l.file_bytes_other);
		json_close(&j);
	}
	json_close(&j);
	json_end(&j);
}

static void
print_tensors(const struct tool *tool, const char *label, const struct accel_model *model,
	      int (*get)(const struct accel_model *, unsigned int, struct accel_tensor_info *))
{
	struct accel_tensor_info t;

	for (unsigned int i = 0; !get(model, i, &t); i++) {
		if (t.dtype != ACCEL_DTYPE_INT16) {
			report(tool, i ? "" : label, "%s %s, %s", t.name, text_shape(&t).s,
			       type_name(t.dtype));
			continue;
		}
		report(tool, i ? "" : label, "%s %s, reals %.4g to %.4g", t.name, text_shape(&t).s,
		       (double)t.lo * (double)t.scale, (double)t.hi * (double)t.scale);
	}
}

static void print_text(const struct tool *tool, const char *path, const struct accel_model *model,
		       const struct sums *s)
{
	uint64_t bytes = accel_model_file_bytes(model);
	struct accel_layer_info l;
	int wide = COLUMN_MIN;

	for (unsigned int i = 0; !accel_model_layer(model, i, &l); i++)
		wide = column_width(wide, l.name);
	if (s->operators)
		report(tool, "Model", "%s: %u operators with %s constants", path, s->operators,
		       text_count(s->constants).s);
	if (s->layers)
		report(tool, s->operators ? "" : "Model",
		       "%s%s%u layers, %s weights, %.2f %% of them not zero",
		       s->operators ? "" : path, s->operators ? "for the engine: " : ": ", s->layers,
		       text_count(s->weights).s, 100 * density(s->nonzeros, s->weights));
	if (bytes)
		report(tool, "Size", "%s, %.1f times smaller than float32 (%s)", text_bytes(bytes).s,
		       (double)s->float_bytes / (double)bytes, text_bytes(s->float_bytes).s);
	print_tensors(tool, "Input", model, accel_model_input);
	print_tensors(tool, "Output", model, accel_model_output);
	report_pictures(tool, model);
	if (s->layers)
		report(tool, "Ranges",
		       s->calibrated ? "calibrated" :
				       "guessed from seeded inputs: import with --calib for better ones");
	printf("\n%s%-*s %-15s %-6s %10s %8s %4s %6s %9s %9s %9s%s\n", tool->bold, wide, "layer",
	       "rows x cols", "act", "nonzero", "density", "bits", "values", "codes", "indices",
	       "other", tool->reset);
	for (unsigned int i = 0; !accel_model_layer(model, i, &l); i++) {
		char shape[32];

		if (l.kind != ACCEL_LAYER_OP && !l.rows) {
			if (l.file_bytes_other)
				printf("%-*s %-22s %61s\n", wide, l.name, l.op, text_count(l.file_bytes_other).s);
			else
				printf("%-*s %s\n", wide, l.name, l.op);
			continue;
		}
		if (l.kind == ACCEL_LAYER_OP) {
			printf("%-*s %-22s %10s %6.2f %% %4s %6s %9s %9s %9s\n", wide, l.name, l.op,
			       text_count(l.nonzeros).s, 100 * density(l.nonzeros, l.weights), "",
			       l.codebook_size ? text_count(l.codebook_size).s : "", "", "",
			       text_count(l.file_bytes_other).s);
			continue;
		}
		snprintf(shape, sizeof(shape), "%" PRIu32 " x %" PRIu32, l.rows, l.cols);
		printf("%-*s %-15s %-6s %10s %6.2f %% %4u %6u %9s %9s %9s\n", wide, l.name, shape,
		       activation(l.activation), text_count(l.nonzeros).s,
		       100 * density(l.nonzeros, (uint64_t)l.rows * l.cols / l.groups), l.code_bits,
		       l.codebook_size, text_count(l.file_bytes_codes).s,
		       text_count(l.file_bytes_index).s, text_count(l.file_bytes_other).s);
	}
	/* what no layer owns: the tree itself, names, padding */
	printf("%-*s %9s %9s %9s\n", wide + 52, "bytes in layers", text_count(s->codes).s,
	       text_count(s->index).s, text_count(s->other).s);
	/* an ONNX file has other parts */
	if (bytes >= s->codes + s->index + s->other)
		printf("%-*s %29s\n", wide + 52, "bytes of the rest of the file",
		       text_count(bytes - s->codes - s->index - s->other).s);
}

int cmd_inspect(struct tool *tool, int argc, char **argv)
{
	const char *pos[2];
	bool as_json = false;
	struct arg_list shapes = { 0 }, fixed = { 0 }, sparse = { 0 };
	const struct onnx_args onnx = { .shapes = &shapes, .fixed = &fixed, .sparse = &sparse };
	const struct arg options[] = {
		ONNX_ARGS(shapes, fixed, sparse),
		{ "json", 0, ARG_FLAG, &as_json, NULL, "report as JSON" },
		{ 0 },
	};
	const struct arg_command cmd = {
		.name = "inspect",
		.synopsis = "MODEL [--json]",
		.options = options,
		.min = 1,
		.max = 1,
		.missing = "a model",
		.summary = "Prints layers, shapes, density, code bits and bytes by part.",
		.example = "eie inspect lenet_300_100.eie",
	};
	struct accel_model *model = NULL;
	struct sums s;
	int status = args_parse(tool, &cmd, argc, argv, pos);

	if (status == ARGS_GO)
		status = open_model(pos[0], &onnx, &model);
	onnx_args_free(&onnx);
	if (!model)
		return status;
	s = sum_up(model);
	if (as_json)
		print_json(pos[0], model, &s);
	else
		print_text(tool, pos[0], model, &s);
	accel_model_unref(model);
	return EXIT_OK;
}
