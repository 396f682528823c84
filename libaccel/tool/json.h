/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* Writes JSON: only what the reports need. Keys are NULL inside an array. */
#ifndef EIE_JSON_H
#define EIE_JSON_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

struct json {
	FILE *out;
	unsigned int depth;
	bool more[16]; /* a level that has a member already */
	char close[16];
};

void json_begin(struct json *j, FILE *out); /* opens the outermost object */
void json_end(struct json *j);		    /* closes it, and the line */
void json_object(struct json *j, const char *key);
void json_array(struct json *j, const char *key);
void json_close(struct json *j); /* the innermost object or array */
void json_text(struct json *j, const char *key, const char *value); /* NULL gives null */
void json_count(struct json *j, const char *key, uint64_t value);
void json_int(struct json *j, const char *key, int64_t value);
void json_number(struct json *j, const char *key, double value); /* not finite gives null */
void json_bool(struct json *j, const char *key, bool value);

#endif
