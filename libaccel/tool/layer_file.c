// SPDX-License-Identifier: GPL-2.0 OR MIT
#include "layer_file.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define BLANKS " \t\r\n"

/* One word behind the name. */
static int parse_word(const char *path, unsigned int line, const char *word, struct accel_compress_layer *l)
{
	char *end = NULL;

	if (!strcmp(word, "keep")) {
		l->keep = true;
		return EXIT_OK;
	}
	if (!strncmp(word, "density=", 8)) {
		l->density = strtod(word + 8, &end);
		if (end != word + 8 && !*end && l->density > 0 && l->density <= 1)
			return EXIT_OK;
		return fail("%s:%u: '%s': a density is above 0, at most 1", path, line, word);
	}
	if (!strncmp(word, "bits=", 5)) {
		l->bits = word[5] >= '1' && word[5] <= '8' && !word[6] ? (unsigned int)(word[5] - '0') : 0;
		return l->bits ? EXIT_OK : fail("%s:%u: '%s': 1 to 8 bits are possible", path, line, word);
	}
	if (!strncmp(word, "row-groups=", 11)) {
		unsigned long n = strtoul(word + 11, &end, 10);

		if (word[11] < '1' || word[11] > '9' || *end || n > 256)
			return fail("%s:%u: '%s': 1 to 256 groups of rows are possible", path, line, word);
		l->row_groups = (unsigned int)n;
		return EXIT_OK;
	}
	return fail("%s:%u: '%s' is none of density=D, bits=N, row-groups=N, keep", path, line, word);
}

static int parse_line(const char *path, unsigned int number, char *line, struct layer_file *file)
{
	struct accel_compress_layer *grown, l = { 0 };
	char *rest, *name = strtok_r(line, BLANKS, &rest), *word;
	bool any = false;
	int status = EXIT_OK;

	if (!name || *name == '#')
		return EXIT_OK;
	while (!status && (word = strtok_r(NULL, BLANKS, &rest))) {
		status = parse_word(path, number, word, &l);
		any = true;
	}
	if (!status && !any)
		status = fail("%s:%u: '%s': and what of it? density=D, bits=N, row-groups=N or keep", path, number, name);
	if (status)
		return status;
	grown = realloc(file->layer, (file->n + 1) * sizeof(*grown));
	if (!grown)
		return fail("out of memory");
	file->layer = grown;
	l.pattern = strdup(name);
	if (!l.pattern)
		return fail("out of memory");
	file->layer[file->n++] = l;
	return EXIT_OK;
}

int layer_file_read(const char *path, struct layer_file *file)
{
	FILE *from = fopen(path, "re");
	unsigned int number = 0;
	int status = EXIT_OK;
	char *line = NULL;
	size_t room = 0;
	ssize_t len;

	if (!from)
		return fail("%s: %s", path, strerror(errno));
	while (!status && (len = getline(&line, &room, from)) >= 0) {
		number++;
		status = memchr(line, 0, (size_t)len) ? fail("%s:%u: not a text file", path, number) : parse_line(path, number, line, file);
	}
	if (!status && ferror(from))
		status = fail("%s: cannot be read: %s", path, strerror(errno));
	free(line);
	fclose(from);
	return status;
}

void layer_file_free(struct layer_file *file)
{
	for (unsigned int i = 0; i < file->n; i++)
		free((void *)(uintptr_t)file->layer[i].pattern);
	free(file->layer);
	*file = (struct layer_file){ 0 };
}
