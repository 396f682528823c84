// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Files for the inputs of a model, as the command line names them. */
#include "items.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int named_file(const char *model_path, const char *word, const struct accel_tensor_info *tensors,
		 unsigned int n, const char *kind, unsigned int *index, const char **file)
{
	const char *eq = strchr(word, '='), *near;
	const char *names[64];
	char name[80];

	*index = 0;
	*file = word;
	for (unsigned int i = 0; eq && i < n; i++) {
		if (strlen(tensors[i].name) == (size_t)(eq - word) &&
		    !strncmp(tensors[i].name, word, (size_t)(eq - word))) {
			*index = i;
			*file = eq + 1;
			return EXIT_OK;
		}
	}
	if (eq && (!strcmp(kind, "output") || access(word, F_OK)) &&
	    !memchr(word, '/', (size_t)(eq - word))) {
		for (unsigned int i = 0; i < n && i < 64; i++)
			names[i] = tensors[i].name;
		snprintf(name, sizeof(name), "%.*s", (int)(eq - word), word);
		near = nearest(name, names, n < 64 ? n : 64);
		return fail("%s: has no %s '%s'; %s '%s'", model_path, kind, name,
			    near ? "did you mean" : "its first is", near ? near : tensors[0].name);
	}
	if (n > 1)
		return fail("%s: has %u %ss: say which with --%s %s=%s", model_path, n, kind,
			    kind, tensors[0].name, word);
	return EXIT_OK;
}

int items_read_all(const struct tool *tool, const char *model_path, const struct arg_list *words,
		   const struct accel_model *model, bool raw, struct items *items, uint64_t *n)
{
	unsigned int nin = accel_model_inputs(model), at;
	struct accel_tensor_info *in = calloc(nin, sizeof(*in));
	int status = in ? EXIT_OK : fail("out of memory");
	const char *file;

	for (unsigned int i = 0; !status && i < nin; i++)
		accel_model_input(model, i, &in[i]);
	for (unsigned int i = 0; !status && i < words->n; i++) {
		status = named_file(model_path, words->item[i], in, nin, "input", &at, &file);
		if (!status)
			status = items_read(tool, &items[at], file, model, at, raw);
	}
	*n = items[0].n;
	for (unsigned int i = 0; !status && i < nin; i++) {
		if (!items[i].n)
			status = fail("%s: no file given for input '%s'", model_path, in[i].name);
		else if (items[i].n != *n)
			status = fail("%s: input '%s' has %" PRIu64 " items, '%s' has %" PRIu64,
				      model_path, in[i].name, items[i].n, in[0].name, *n);
		else if (!items[i].raw != !items[0].raw)
			status = fail("%s: either all inputs are int16 or none", model_path);
	}
	free(in);
	return status;
}
