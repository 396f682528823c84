// SPDX-License-Identifier: GPL-2.0 OR MIT
#include "json.h"

#include <assert.h>
#include <inttypes.h>
#include <math.h>

/* Bytes of the UTF-8 character at s, or 0: file names may hold anything, JSON may not. */
static unsigned int utf8(const char *s)
{
	unsigned char c = (unsigned char)s[0];
	unsigned int n = c >= 0xf0 ? 4 : c >= 0xe0 ? 3 : 2;

	if (c < 0xc2 || c > 0xf4)
		return 0;
	for (unsigned int i = 1; i < n; i++)
		if (((unsigned char)s[i] & 0xc0) != 0x80)
			return 0;
	/* overlong forms, surrogates, and beyond U+10FFFF */
	c = (unsigned char)s[1];
	if ((s[0] == '\xe0' && c < 0xa0) || (s[0] == '\xed' && c > 0x9f) ||
	    (s[0] == '\xf0' && c < 0x90) || (s[0] == '\xf4' && c > 0x8f))
		return 0;
	return n;
}

static void quoted(FILE *out, const char *s)
{
	fputc('"', out);
	for (; *s; s++) {
		unsigned char c = (unsigned char)*s;
		unsigned int n = c >= 0x80 ? utf8(s) : 0;

		if (n) {
			fwrite(s, 1, n, out);
			s += n - 1;
		} else if (c >= 0x80)
			fputs("\\ufffd", out);
		else if (c == '"' || c == '\\')
			fprintf(out, "\\%c", c);
		else if (c < 0x20 || c == 0x7f || c == '<') /* a text may stand in a page of HTML */
			fprintf(out, "\\u%04x", c);
		else
			fputc(c, out);
	}
	fputc('"', out);
}

static void member(struct json *j, const char *key)
{
	if (j->more[j->depth])
		fputc(',', j->out);
	j->more[j->depth] = true;
	fprintf(j->out, "\n%*s", (int)(2 * j->depth), "");
	if (key) {
		quoted(j->out, key);
		fputs(": ", j->out);
	}
}

static void open_level(struct json *j, char open, char close)
{
	assert(j->depth + 1 < sizeof(j->close));
	fputc(open, j->out);
	j->depth++;
	j->more[j->depth] = false;
	j->close[j->depth] = close;
}

void json_begin(struct json *j, FILE *out)
{
	*j = (struct json){ .out = out };
	open_level(j, '{', '}');
}

void json_object(struct json *j, const char *key)
{
	member(j, key);
	open_level(j, '{', '}');
}

void json_array(struct json *j, const char *key)
{
	member(j, key);
	open_level(j, '[', ']');
}

void json_close(struct json *j)
{
	char close = j->close[j->depth];
	bool empty = !j->more[j->depth];

	j->depth--;
	if (!empty)
		fprintf(j->out, "\n%*s", (int)(2 * j->depth), "");
	fputc(close, j->out);
}

void json_end(struct json *j)
{
	json_close(j);
	fputc('\n', j->out);
}

void json_text(struct json *j, const char *key, const char *value)
{
	member(j, key);
	if (value)
		quoted(j->out, value);
	else
		fputs("null", j->out);
}

void json_count(struct json *j, const char *key, uint64_t value)
{
	member(j, key);
	fprintf(j->out, "%" PRIu64, value);
}

void json_int(struct json *j, const char *key, int64_t value)
{
	member(j, key);
	fprintf(j->out, "%" PRId64, value);
}

void json_number(struct json *j, const char *key, double value)
{
	member(j, key);
	if (isfinite(value))
		fprintf(j->out, "%.10g", value);
	else
		fputs("null", j->out);
}

void json_bool(struct json *j, const char *key, bool value)
{
	member(j, key);
	fputs(value ? "true" : "false", j->out);
}
