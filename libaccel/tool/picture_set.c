// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Directories of labelled pictures. */
#include "dataset.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

struct set {
	struct dataset *d;
	const struct accel_model *model;
	const char *dir;
	char **name;    /* [n] relative to dir */
	uint32_t *label; /* [n]; UINT32_MAX: not known yet */
	uint64_t n;
};

/* ---- classes */

/* Letters and digits: what a class name begins with, and what ends a file name's share of it. */
static size_t first_word(const char *text)
{
	size_t n = 0;

	while (isalnum((unsigned char)text[n]))
		n++;
	return n;
}

/* A number, a class name, or a class name's first word. */
static bool class_of(const struct accel_model *model, const char *text, uint32_t *label)
{
	const char *name;
	char *end;
	unsigned long v;

	errno = 0;
	v = strtoul(text, &end, 10);
	if (isdigit((unsigned char)*text) && !*end && !errno && v < UINT32_MAX) {
		*label = (uint32_t)v;
		return true;
	}
	for (unsigned int i = 0; (name = accel_model_class(model, i)); i++) {
		if (!strcmp(name, text) || (*text && strlen(text) == first_word(name) && !strncmp(name, text, strlen(text)))) {
			*label = i;
			return true;
		}
	}
	return false;
}

/* Of a picture's name: its first word is a class name's. */
static bool class_of_file(const struct accel_model *model, const char *file, uint32_t *label)
{
	size_t len = first_word(file);
	const char *name;

	for (unsigned int i = 0; len && (name = accel_model_class(model, i)); i++) {
		if (first_word(name) == len && !strncmp(name, file, len)) {
			*label = i;
			return true;
		}
	}
	return false;
}

/* ---- files */

static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static int is_visible(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

static int add_name(struct set *s, const char *sub, const char *file, uint32_t label)
{
	char **name = realloc(s->name, (s->n + 1) * sizeof(*name));
	uint32_t *labels;

	if (!name)
		return fail("out of memory");
	s->name = name;
	labels = realloc(s->label, (s->n + 1) * sizeof(*labels));
	if (!labels || asprintf(&name[s->n], "%s%s%s", sub, *sub ? "/" : "", file) < 0) {
		s->label = labels ? labels : s->label;
		return fail("out of memory");
	}
	s->label = labels;
	s->label[s->n++] = label;
	return EXIT_OK;
}

/* Pictures of the directory (sub: ""), or of a sub-directory named by their class. */
static int add_names(struct set *s, const char *sub, bool *any_sub)
{
	struct dirent **entries = NULL;
	uint32_t label = UINT32_MAX;
	char *path = NULL;
	int status = EXIT_OK, n;

	if (asprintf(&path, "%s/%s", s->dir, sub) < 0)
		return fail("out of memory");
	n = scandir(path, &entries, is_visible, by_name);
	if (n < 0)
		status = fail("%s: %s", path, strerror(errno));
	free(path);
	for (int i = 0; i < n; i++) {
		const char *name = entries[i]->d_name;
		struct stat st;

		path = NULL;
		if (!status && asprintf(&path, "%s/%s%s%s", s->dir, sub, *sub ? "/" : "", name) < 0) {
			path = NULL;
			status = fail("out of memory");
		}
		if (!status && stat(path, &st))
			status = fail("%s: %s", path, strerror(errno));
		if (!status && S_ISDIR(st.st_mode) && !*sub)
			*any_sub = true;
		else if (!status && S_ISREG(st.st_mode) && is_picture(name) && *sub && label == UINT32_MAX &&
			 !class_of(s->model, sub, &label))
			status = fail("%s/%s: the directory is not named by a class of the model or its number", s->dir, sub);
		if (!status && S_ISREG(st.st_mode) && is_picture(name))
			status = add_name(s, sub, name, label);
		free(path);
		free(entries[i]);
	}
	free(entries);
	return status;
}

static int list_pictures(struct set *s)
{
	struct dirent **entries = NULL;
	bool any_sub = false;
	int status = add_names(s, "", &any_sub), n;

	if (status || s->n || !any_sub)
		return status;
	n = scandir(s->dir, &entries, is_visible, by_name);
	if (n < 0)
		return fail("%s: %s", s->dir, strerror(errno));
	for (int i = 0; i < n; i++) {
		char *path = NULL;
		struct stat st;

		if (!status && asprintf(&path, "%s/%s", s->dir, entries[i]->d_name) < 0) {
			path = NULL;
			status = fail("out of memory");
		}
		if (!status && !stat(path, &st) && S_ISDIR(st.st_mode))
			status = add_names(s, entries[i]->d_name, &any_sub);
		free(path);
		free(entries[i]);
	}
	free(entries);
	return status;
}

/* ---- labels */

static uint64_t find_name(const struct set *s, const char *name, size_t len)
{
	for (uint64_t i = 0; i < s->n; i++)
		if (strlen(s->name[i]) == len && !strncmp(s->name[i], name, len))
			return i;
	return s->n;
}

/* A line "FILE LABEL" or, when the first one names no picture, "LABEL" of the pictures in order. */
static int label_line(struct set *s, const char *path, unsigned int number, char *line, int *pairs, uint64_t *next)
{
	size_t word = strcspn(line, " \t");
	uint64_t at = find_name(s, line, word);
	const char *text = line;

	if (*pairs < 0)
		*pairs = at < s->n && line[word];
	if (*pairs) {
		if (at == s->n)
			return fail("%s:%u: '%.*s' is no picture in %s", path, number, (int)word, line, s->dir);
		if (s->label[at] != UINT32_MAX)
			return fail("%s:%u: a second label for %s", path, number, s->name[at]);
		text = line + word + strspn(line + word, " \t");
	} else {
		at = (*next)++;
		if (at >= s->n)
			return fail("%s:%u: more labels than the %s pictures in %s", path, number, text_count(s->n).s, s->dir);
	}
	if (!class_of(s->model, text, &s->label[at]))
		return fail("%s:%u: '%s' is no class of the model and no number", path, number, text);
	return EXIT_OK;
}

static int labels_from_text(struct set *s, const char *path)
{
	FILE *file = fopen(path, "re");
	unsigned int number = 0;
	uint64_t next = 0;
	size_t room = 0;
	int status = EXIT_OK, pairs = -1;
	char *line = NULL;
	ssize_t len;

	if (!file)
		return fail("%s: %s", path, strerror(errno));
	while (!status && (len = getline(&line, &room, file)) >= 0) {
		number++;
		if (memchr(line, 0, (size_t)len)) {
			status = fail("%s:%u: not a text file", path, number);
			break;
		}
		while (len && isspace((unsigned char)line[len - 1]))
			line[--len] = 0;
		if (*line && *line != '#')
			status = label_line(s, path, number, line, &pairs, &next);
	}
	if (!status && ferror(file))
		status = fail("%s: cannot be read: %s", path, strerror(errno));
	for (uint64_t i = 0; !status && i < s->n; i++)
		if (s->label[i] == UINT32_MAX)
			status = fail("%s: no label for %s", path, s->name[i]);
	free(line);
	fclose(file);
	return status;
}

static int labels_from_names(struct set *s)
{
	for (uint64_t i = 0; i < s->n; i++)
		if (s->label[i] == UINT32_MAX && !class_of_file(s->model, s->name[i], &s->label[i]))
			return fail("%s/%s: no class of the model%s: give --labels FILE (lines \"FILE LABEL\"), or import the model with --classes",
				    s->dir, s->name[i], accel_model_class(s->model, 0) ? " is its first word" : ", which has no class names");
	return EXIT_OK;
}

static int find_labels(struct set *s, const char *labels)
{
	struct stat st;
	char *beside;
	int status;

	if (labels)
		return labels_from_text(s, labels);
	if (asprintf(&beside, "%s/labels.txt", s->dir) < 0)
		return fail("out of memory");
	if (!stat(beside, &st)) {
		free(s->d->labels);
		s->d->labels = beside;
		return labels_from_text(s, beside);
	}
	free(beside);
	status = labels_from_names(s);
	if (!status && !s->d->labels)
		s->d->labels = strdup(s->dir);
	return status || s->d->labels ? status : fail("out of memory");
}

int picture_set_open(const struct tool *tool, struct dataset *d, const char *dir, const char *labels,
		     const struct accel_model *model, uint64_t limit)
{
	bool text = !labels || !has_suffix(labels, ".npy");
	struct set s = { .d = d, .model = model, .dir = dir };
	int status = list_pictures(&s);

	if (!status && !s.n)
		status = fail("%s: holds no IDX images (t10k-images-idx3-ubyte[.gz], train-images-idx3-ubyte[.gz]), no .jpg or .png pictures, and no directories of them", dir);
	if (!status && text)
		status = find_labels(&s, labels);
	for (uint64_t i = 0; !status && i < s.n && (!limit || i < limit); i++) {
		char *path;

		if (asprintf(&path, "%s/%s", dir, s.name[i]) < 0) {
			status = fail("out of memory");
			break;
		}
		status = items_read(tool, &d->items, path, model, 0, false);
		free(path);
	}
	if (!status && text) {
		d->label = s.label;
		s.label = NULL;
	}
	for (uint64_t i = 0; i < s.n; i++)
		free(s.name[i]);
	free(s.name);
	free(s.label);
	return status;
}
