// SPDX-License-Identifier: GPL-2.0 OR MIT
#include "classes.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

int classes_read(const char *path, struct classes *c)
{
	FILE *file = fopen(path, "re");
	unsigned int number = 0;
	int status = EXIT_OK;
	char *line = NULL;
	size_t room = 0;
	ssize_t len;

	*c = (struct classes){ 0 };
	if (!file)
		return fail("%s: %s", path, strerror(errno));
	while (!status && (len = getline(&line, &room, file)) >= 0) {
		char **names;

		number++;
		if (*line == '#')
			continue;
		names = realloc(c->name, (c->n + 1) * sizeof(*names));
		if (!names) {
			status = fail("out of memory");
			break;
		}
		c->name = names;
		if (memchr(line, 0, (size_t)len)) {
			status = fail("%s:%u: not a text file", path, number);
			break;
		}
		while (len && isspace((unsigned char)line[len - 1]))
			line[--len] = 0;
		if (!len)
			status = fail("%s:%u: an empty line; each line is the name of a class", path, number);
		names[c->n] = status ? NULL : strdup(line);
		if (!status && !names[c->n])
			status = fail("out of memory");
		c->n += !status;
	}
	if (!status && ferror(file))
		status = fail("%s: cannot be read: %s", path, strerror(errno));
	if (!status && !c->n)
		status = fail("%s: holds no class names", path);
	free(line);
	fclose(file);
	return status;
}

void classes_free(struct classes *c)
{
	for (unsigned int i = 0; i < c->n; i++)
		free(c->name[i]);
	free(c->name);
	*c = (struct classes){ 0 };
}
