// SPDX-License-Identifier: GPL-2.0 OR MIT
#include "calibration.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* The input that a word names; a word without a name is for the first. */
static int find_input(const struct accel_model *model, const char *path, const char *word, unsigned int *input, const char **file)
{
	struct accel_tensor_info t;
	const char *eq = strchr(word, '=');

	*input = 0;
	*file = word;
	for (unsigned int i = 0; eq && !accel_model_input(model, i, &t); i++) {
		if (strlen(t.name) == (size_t)(eq - word) && !strncmp(t.name, word, (size_t)(eq - word))) {
			*input = i;
			*file = eq + 1;
			return EXIT_OK;
		}
	}
	if (accel_model_inputs(model) < 2 || !eq)
		return EXIT_OK;
	accel_model_input(model, 0, &t);
	return fail("%s: has no input '%.*s'; its first is '%s'", path, (int)(eq - word), word, t.name);
}

int calibration_read(const struct tool *tool, struct calibration *c, const struct accel_model *model, const char *path,
		     const struct arg_list *words)
{
	int status = EXIT_OK;

	c->ninputs = accel_model_inputs(model);
	if (!c->ninputs)
		return fail("%s: has no input: nothing to calibrate with", path);
	c->items = calloc(c->ninputs + 1u, sizeof(*c->items));
	c->values = calloc(c->ninputs + 1u, sizeof(*c->values));
	if (!c->items || !c->values)
		return fail("out of memory");
	for (unsigned int i = 0; !status && i < words->n; i++) {
		unsigned int input;
		const char *file;

		status = find_input(model, path, words->item[i], &input, &file);
		if (!status)
			status = items_read(tool, &c->items[input], file, model, input, false);
	}
	for (unsigned int i = 0; !status && i < c->ninputs; i++) {
		struct accel_tensor_info t, first;

		accel_model_input(model, i, &t);
		accel_model_input(model, 0, &first);
		c->values[i] = c->items[i].real;
		c->missing = c->missing || !c->items[i].n;
		if (!i && !c->items[0].n)
			status = fail("%s: no calibration data for its first input: --calib %s=DIR", path, t.name);
		else if (c->items[i].n && c->items[i].n != c->items[0].n)
			status = fail("%s: calibration has %" PRIu64 " items for input '%s', %" PRIu64 " for '%s'", path, c->items[i].n, t.name,
				      c->items[0].n, first.name);
	}
	c->n = status ? 0 : c->items[0].n;
	return status;
}

void calibration_free(struct calibration *c)
{
	for (unsigned int i = 0; c->items && i < c->ninputs; i++)
		items_free(&c->items[i]);
	free(c->items);
	free(c->values);
	*c = (struct calibration){ 0 };
}

int calibration_method(const char *word, enum accel_calib_method *method, double *percentile)
{
	char *end;

	*method = ACCEL_CALIB_PERCENTILE;
	*percentile = 0;
	if (!strcmp(word, "percentile"))
		return EXIT_OK;
	if (!strncmp(word, "percentile:", 11)) {
		*percentile = strtod(word + 11, &end);
		if (end != word + 11 && !*end && *percentile > 50 && *percentile <= 100)
			return EXIT_OK;
		return usage("import", "--calib-method %s: '%s' is not a percentile above 50, at most 100", word, word + 11);
	}
	*method = ACCEL_CALIB_MSE;
	if (!strcmp(word, "mse"))
		return EXIT_OK;
	*method = ACCEL_CALIB_MINMAX;
	return strcmp(word, "minmax") ? usage("import", "--calib-method: '%s' is none of minmax, percentile[:P], mse", word) : EXIT_OK;
}

void calibration_report(void *arg, const struct accel_calib_info *info)
{
	const struct tool *tool = arg;
	char snr[16] = "exact";

	if (!strcmp(info->op, "input"))
		printf("%s%-24s %-18s %11s %11s %11s %11s %9s %10s %6s%s\n", tool->bold, "layer", "operator", "least", "greatest", "from", "to",
		       "SNR, dB", "saturated", "group", tool->reset);
	if (isfinite(info->snr))
		snprintf(snr, sizeof(snr), "%.1f", info->snr);
	printf("%-24s %-18s %11.5g %11.5g %11.5g %11.5g %9s %10s %6u\n", info->layer, info->op, (double)info->least, (double)info->greatest,
	       (double)info->lo, (double)info->hi, snr, text_count(info->saturated).s, info->group);
}
