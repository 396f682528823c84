// SPDX-License-Identifier: GPL-2.0 OR MIT
#include "args.h"
#include "items.h"
#include "json.h"
#include "runner.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* Runs of layers in one place. */
struct segments {
	uint64_t on_device; /* layers */
	uint64_t device_segments, cpu_segments;
};

static struct segments count_segments(const struct accel_program *program)
{
	struct segments s = { 0 };
	struct accel_place_info p;
	bool before = false;

	for (unsigned int i = 0; !accel_program_place(program, i, &p); i++) {
		bool device = !strcmp(p.where, "device");

		s.on_device += device;
		if (!i || device != before) {
			s.device_segments += device;
			s.cpu_segments += !device;
		}
		before = device;
	}
	return s;
}

/* Of the cycles of all lanes of the array while the layer ran, the part that took an entry of a weight. */
static double slots_used(const struct accel_device_info *device, const struct accel_estimate *estimate, unsigned int layer)
{
	struct accel_stats cycles;
	uint64_t taken = 0, entries;

	for (unsigned int c = 0; c < device->clusters && !accel_estimate_cluster(estimate, layer, c, &entries); c++)
		taken += entries;
	accel_estimate_layer(estimate, layer, &cycles);
	return cycles.cycles ? (double)taken / ((double)cycles.cycles * device->clusters * device->lanes) : 0;
}

static void print_json(const char *path, const struct accel_device_info *device, const struct accel_program *program, const struct accel_estimate *estimate)
{
	struct accel_program_totals totals = { 0 };
	struct accel_stats cycles;
	struct accel_place_info p;
	struct json j;

	accel_program_totals(program, &totals);
	json_begin(&j, stdout);
	json_text(&j, "model", path);
	json_text(&j, "device", text_device(device).s);
	json_count(&j, "batch", accel_program_batch(program));
	json_array(&j, "layers");
	for (unsigned int i = 0; !accel_program_place(program, i, &p); i++) {
		json_object(&j, NULL);
		json_text(&j, "name", p.layer);
		json_text(&j, "where", p.where);
		json_text(&j, "reason", p.reason);
		json_count(&j, "row_tiles", p.row_tiles);
		json_count(&j, "col_tiles", p.col_tiles);
		json_bool(&j, "resident", p.resident);
		json_number(&j, "balance", p.balance);
		json_count(&j, "ideal_cycles", p.ideal_cycles);
		accel_estimate_layer(estimate, i, &cycles);
		json_count(&j, "estimated_cycles", cycles.cycles);
		json_count(&j, "busy", cycles.busy);
		json_number(&j, "slots_used", slots_used(device, estimate, i));
		json_stalls(&j, &cycles);
		json_count(&j, "steps", p.steps);
		json_count(&j, "bytes_loaded", p.bytes_loaded);
		json_count(&j, "bytes_stored", p.bytes_stored);
		json_count(&j, "bytes_resident", p.bytes_resident);
		json_close(&j);
	}
	json_close(&j);
	json_count(&j, "device_segments", count_segments(program).device_segments);
	json_count(&j, "cpu_segments", count_segments(program).cpu_segments);
	json_count(&j, "jobs", totals.jobs);
	json_count(&j, "commands", totals.commands);
	json_count(&j, "command_bytes", totals.command_bytes);
	json_count(&j, "constant_bytes", totals.constant_bytes);
	accel_estimate_total(estimate, &cycles);
	json_object(&j, "estimate");
	json_count(&j, "cycles", cycles.cycles);
	json_count(&j, "engine_cycles", cycles.engine_cycles);
	json_count(&j, "busy", cycles.busy);
	json_stalls(&j, &cycles);
	json_count(&j, "read_beats", cycles.read_beats);
	json_count(&j, "write_beats", cycles.write_beats);
	json_count(&j, "tlb_misses", cycles.tlb_misses);
	json_close(&j);
	json_end(&j);
}

static void print_text(const struct tool *tool, const char *path, const struct accel_device_info *device,
		       const struct accel_program *program, const struct accel_estimate *estimate, const char *zeros)
{
	struct accel_program_totals totals = { 0 };
	struct accel_stats cycles;
	struct {
		uint64_t ideal, cycles, steps, loaded, stored, resident;
	} device_sum = { 0 }, cpu_sum = { 0 }, *sum;
	const struct segments s = count_segments(program);
	struct accel_place_info p;
	int wide = COLUMN_MIN;

	for (unsigned int i = 0; !accel_program_place(program, i, &p); i++)
		wide = column_width(wide, p.layer);
	accel_program_totals(program, &totals);
	report(tool, "Program", "%s on %s, batch %u", path, text_device(device).s, accel_program_batch(program));
	report(tool, "Jobs", "%s a run, %s commands, %s of commands, %s of constants",
	       text_count(totals.jobs).s, text_count(totals.commands).s,
	       text_bytes(totals.command_bytes).s, text_bytes(totals.constant_bytes).s);
	printf("\n%s%-*s %-6s %7s %-9s %7s %12s %12s %6s %12s %12s %12s  %s%s\n", tool->bold, wide, "layer",
	       "where", "tiles", "weights", "balance", "ideal cycles", "estimated", "slots", "loaded", "stored",
	       "on chip", "why", tool->reset);
	for (unsigned int i = 0; !accel_program_place(program, i, &p); i++) {
		bool cpu = strcmp(p.where, "device") != 0;
		char tiles[24] = "", balance[24] = "", slots[24] = "";

		sum = cpu ? &cpu_sum : &device_sum;
		sum->ideal += p.ideal_cycles;
		accel_estimate_layer(estimate, i, &cycles);
		sum->cycles += cycles.cycles;
		sum->steps += p.steps;
		sum->loaded += p.bytes_loaded;
		sum->stored += p.bytes_stored;
		sum->resident += p.bytes_resident;
		if (!cpu) {
			snprintf(tiles, sizeof(tiles), "%ux%u", p.row_tiles, p.col_tiles);
			snprintf(balance, sizeof(balance), "%.3f", p.balance);
			snprintf(slots, sizeof(slots), "%.1f %%", 100 * slots_used(device, estimate, i));
		}
		printf("%-*s %-6s %7s %-9s %7s %12s %12s %6s %12s %12s %12s  %s\n", wide, p.layer, p.where, tiles,
		       cpu ? "" : p.resident ? "resident" : "streamed", balance,
		       cpu ? "" : text_count(p.ideal_cycles).s, cpu ? "" : text_count(cycles.cycles).s,
		       slots, text_bytes(p.bytes_loaded).s, text_bytes(p.bytes_stored).s,
		       cpu ? "" : text_bytes(p.bytes_resident).s, p.reason);
	}
	printf("%-*s %12s %12s %6s %12s %12s %12s\n", wide + 33, "total on the device", text_count(device_sum.ideal).s,
	       text_count(device_sum.cycles).s, "", text_bytes(device_sum.loaded).s, text_bytes(device_sum.stored).s,
	       text_bytes(device_sum.resident).s);
	printf("%-*s %12s %12s %6s %12s %12s\n", wide + 33, "total on the CPU", "", "", "", text_bytes(cpu_sum.loaded).s,
	       text_bytes(cpu_sum.stored).s);
	printf("\n%s of %u layers on the device, in %s segments; %s segments on the CPU, of about %s steps.\n",
	       text_count(s.on_device).s, accel_program_places(program),
	       text_count(s.device_segments).s, text_count(s.cpu_segments).s, text_count(cpu_sum.steps).s);
	accel_estimate_total(estimate, &cycles);
	if (cycles.cycles)
		printf("%s cycles a run: multiplying %.1f %%%s%s. %s Ideal is of one item.\n", text_count(cycles.cycles).s,
		       100.0 * (double)cycles.busy / (double)cycles.cycles, *text_stalls(&cycles).s ? ", " : "", text_stalls(&cycles).s, zeros);
}

/* Without inputs for any activations, else for theirs. */
static int make_estimate(const struct tool *tool, const char *path, const struct accel_model *model, const struct accel_program *program,
			 const struct arg_list *words,
			 struct accel_estimate **estimate)
{
	unsigned int nin = accel_model_inputs(model);
	struct accel_estimate_options options = { .size = sizeof(options), .timeline = true };
	struct items *items = calloc(nin, sizeof(*items));
	const float **inputs = calloc(nin, sizeof(*inputs));
	struct accel_error err = { 0 };
	uint64_t n = 0;
	int status = items && inputs ? EXIT_OK : fail("out of memory");

	if (!status && words->n)
		status = items_read_all(tool, path, words, model, false, items, &n);
	if (!status && words->n && n != accel_program_batch(program))
		status = fail("%s: the inputs are %" PRIu64 " items, the batch is %u: say --batch %" PRIu64, path, n, accel_program_batch(program), n);
	for (unsigned int i = 0; !status && words->n && i < nin; i++)
		inputs[i] = items[i].real;
	if (words->n)
		options.inputs = inputs;
	if (!status && accel_program_estimate(program, &options, estimate, &err))
		status = fail_accel(path, &err);
	for (unsigned int i = 0; items && i < nin; i++)
		items_free(&items[i]);
	free(items);
	free(inputs);
	return status;
}

int cmd_explain(struct tool *tool, int argc, char **argv)
{
	const char *pos[2], *spec = "sim";
	uint64_t batch = 1;
	bool as_json = false, stream = false;
	struct arg_list inputs = { 0 }, shapes = { 0 }, fixed = { 0 }, sparse = { 0 };
	const struct onnx_args onnx = { .shapes = &shapes, .fixed = &fixed, .sparse = &sparse };
	const struct arg options[] = {
		{ "device", 'd', ARG_TEXT, &spec, "DEVICE",
		  "sim[:CONFIG], ref[:CONFIG], drm[:PATH] or cpu[:int8] (default sim)" },
		{ "batch", 'b', ARG_COUNT, &batch, "N", "items a run (default 1)" },
		{ "input", 'i', ARG_LIST, &inputs, "[NAME=]X...",
		  ".npy files or pictures, as many items as the batch: cycles of a run of these" },
		{ "stream", 0, ARG_FLAG, &stream, NULL, "never keep weights on chip between runs" },
		ONNX_ARGS(shapes, fixed, sparse),
		{ "json", 0, ARG_FLAG, &as_json, NULL, "report as JSON" },
		{ 0 },
	};
	const struct arg_command cmd = {
		.name = "explain",
		.synopsis = "MODEL [--device DEVICE] [--batch N] [--input [NAME=]X...] [--json]",
		.options = options,
		.min = 1,
		.max = 1,
		.missing = "a model",
		.summary =
			"Compiles a model for a device and prints where each layer runs, why, and what it moves.",
		.example = "eie explain lenet_300_100.eie --device sim:8x8",
	};
	struct accel_compile_options compile = { .size = sizeof(compile) };
	struct accel_estimate *estimate = NULL;
	struct accel_program *program = NULL;
	struct accel_device *device = NULL;
	struct accel_model *model = NULL;
	struct accel_error err = { 0 };
	struct accel_device_info info;
	int status = args_parse(tool, &cmd, argc, argv, pos);

	if (status == ARGS_GO && batch > 65536)
		status = usage(cmd.name, "--batch: %" PRIu64 " is more than 65536", batch);
	if (status != ARGS_GO) {
		onnx_args_free(&onnx);
		free(inputs.item);
		return status;
	}
	compile.batch = (unsigned int)batch;
	compile.stream_weights = stream;
	status = open_model(pos[0], &onnx, &model);
	if (!status)
		status = open_device(spec, &device);
	if (!status && accel_program_compile(model, device, &compile, &program, &err))
		status = fail_accel(pos[0], &err);
	if (!status)
		status = make_estimate(tool, pos[0], model, program, &inputs, &estimate);
	if (!status) {
		accel_device_info(device, &info);
		if (as_json)
			print_json(pos[0], &info, program, estimate);
		else
			print_text(tool, pos[0], &info, program, estimate,
				   inputs.n ? "These are of this input." :
				   "With no activation zero: zeros are skipped, so a run can take fewer; --input tells how many.");
	}
	onnx_args_free(&onnx);
	free(inputs.item);
	accel_estimate_free(estimate);
	accel_program_unref(program);
	accel_device_unref(device);
	accel_model_unref(model);
	return status;
}
