// SPDX-License-Identifier: GPL-2.0 OR MIT
#include "args.h"
#include "json.h"

#include <libfdt.h>

/* The strings of a compatible property, separated by ", "; "" without a device tree. */
static const char *compatible(const struct accel_device_info *info, char *text, size_t size)
{
	int n, node = 0;
	size_t at = 0;

	text[0] = 0;
	if (!info->device_tree)
		return text;
	n = fdt_stringlist_count(info->device_tree, node, "compatible");
	for (int i = 0; i < n && at < size; i++) {
		const char *s = fdt_stringlist_get(info->device_tree, node, "compatible", i, NULL);

		at += (size_t)snprintf(text + at, size - at, "%s%s", i ? ", " : "", s ? s : "");
	}
	return text;
}

static void print_json(const struct accel_device_info *info, const char *compat)
{
	struct json j;

	json_begin(&j, stdout);
	json_text(&j, "device", info->backend);
	json_text(&j, "config", info->config);
	json_text(&j, "compatible", compat[0] ? compat : NULL);
	json_count(&j, "isa_major", info->isa_major);
	json_count(&j, "isa_minor", info->isa_minor);
	json_count(&j, "clusters", info->clusters);
	json_count(&j, "lanes", info->lanes);
	json_count(&j, "multipliers", (uint64_t)info->clusters * info->lanes);
	json_count(&j, "rows", info->rows);
	json_count(&j, "abuf_granules", info->abuf_granules);
	json_count(&j, "wbuf_granules", info->wbuf_granules);
	json_count(&j, "pbuf_granules", info->pbuf_granules);
	json_count(&j, "rbuf_granules", info->rbuf_granules);
	json_count(&j, "queues", info->queues);
	json_count(&j, "tlb_entries", info->tlb_entries);
	json_count(&j, "bus_bits", info->bus_bits);
	json_end(&j);
}

static void buffer(const struct tool *tool, const char *label, unsigned int granules,
		   const char *holds, const char *each)
{
	report(tool, label, "%s%s for %s", text_bytes(16 * (uint64_t)granules).s, each, holds);
}

int cmd_info(struct tool *tool, int argc, char **argv)
{
	const char *pos[2], *spec = "sim";
	bool as_json = false;
	const struct arg options[] = {
		{ "device", 'd', ARG_TEXT, &spec, "DEVICE",
		  "sim[:CONFIG], ref[:CONFIG], drm[:PATH] or cpu[:int8] (default sim)" },
		{ "json", 0, ARG_FLAG, &as_json, NULL, "report as JSON" },
		{ 0 },
	};
	const struct arg_command cmd = {
		.name = "info",
		.synopsis = "[--device DEVICE] [--json]",
		.options = options,
		.summary =
			"Prints what a device is: ISA version and the parameters it was built with, from its device tree.",
		.example = "eie info --device sim:8x8",
	};
	struct accel_device_info info;
	struct accel_device *device;
	char compat[128];
	int status = args_parse(tool, &cmd, argc, argv, pos);

	if (status != ARGS_GO)
		return status;
	status = open_device(spec, &device);
	if (status)
		return status;
	accel_device_info(device, &info);
	compatible(&info, compat, sizeof(compat));
	if (as_json) {
		print_json(&info, compat);
	} else if (!info.clusters) {
		report(tool, "Device", "%s: kernels of the host processor, no command buffers",
		       info.backend);
	} else {
		report(tool, "Device", "%s", text_device(&info).s);
		if (compat[0])
			report(tool, "Compatible", "%s", compat);
		report(tool, "ISA", "%u.%u", info.isa_major, info.isa_minor);
		report(tool, "Multipliers", "%u: %u clusters of %u lanes",
		       info.clusters * info.lanes, info.clusters, info.lanes);
		report(tool, "Accumulators", "%u rows a cluster, two halves", info.rows);
		buffer(tool, "Activations", info.abuf_granules, "all clusters", "");
		buffer(tool, "Weights", info.wbuf_granules, "entries", " a cluster");
		buffer(tool, "Pointers", info.pbuf_granules, "columns", " a cluster");
		buffer(tool, "Parameters", info.rbuf_granules, "rows", " a cluster");
		report(tool, "Queues", "%u", info.queues);
		report(tool, "TLB", "%u entries", info.tlb_entries);
		report(tool, "Bus", "%u bits", info.bus_bits);
	}
	accel_device_unref(device);
	return EXIT_OK;
}
