// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Protobuf's wire format (protobuf.dev/programming-guides/encoding), as far as the way to a tensor's elements goes; all else is copied. */
#include "onnx_skeleton.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define WINDOW   65536u
#define PADDED   5u                /* bytes of a length that is written before it is known: more than it needs, which is allowed */
#define MOST     ((uint64_t)INT32_MAX)   /* bytes of a message: protobuf-c's limit */

enum wire { VARINT, FIXED64, BYTES, FIXED32 = 5 };

/* Messages on the way, and the number of the field that leads on; everything below is copied. */
enum level { MODEL, GRAPH, NODE, ATTRIBUTE, TENSOR };

enum { MODEL_GRAPH = 7, GRAPH_NODE = 1, GRAPH_INITIALIZER = 5, NODE_ATTRIBUTE = 5, ATTRIBUTE_T = 5, TENSOR_RAW_DATA = 9 };

struct walk {
	struct onnx_skeleton *s;
	uint64_t least;
	uint64_t at;                       /* next byte of the file */
	uint8_t window[WINDOW];
	uint64_t first, have;              /* bytes of the file in the window */
	/* where the walk is */
	uint32_t graphs, initializers, nodes, attributes, tensors;
	uint32_t node, index;
};

int onnx_file_read(const struct onnx_file *f, uint64_t at, uint64_t n, void *to)
{
	uint64_t done = 0;

	if (at > f->size || n > f->size - at)
		return -EIO;
	if (f->fd < 0) {
		if (n)
			memcpy(to, f->data + at, n);
		return 0;
	}
	while (done < n) {
		ssize_t got = pread(f->fd, (uint8_t *)to + done, n - done, (off_t)(at + done));

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return got < 0 ? -errno : -EIO;
		done += (uint64_t)got;
	}
	return 0;
}

/* ---------------------------------------------------------------- reading */

static int get_byte(struct walk *w, uint64_t end, uint8_t *byte)
{
	if (w->at >= end)
		return -ENOTSUP;
	if (w->at < w->first || w->at - w->first >= w->have) {
		uint64_t n = w->s->file.size - w->at;
		int ret;

		n = n < WINDOW ? n : WINDOW;
		ret = onnx_file_read(&w->s->file, w->at, n, w->window);
		if (ret)
			return ret;
		w->first = w->at;
		w->have = n;
	}
	*byte = w->window[w->at++ - w->first];
	return 0;
}

static int get_varint(struct walk *w, uint64_t end, unsigned int most, uint64_t *value)
{
	uint8_t byte = 0x80;
	int ret = 0;

	*value = 0;
	for (unsigned int i = 0; !ret && i < most && byte & 0x80; i++) {
		ret = get_byte(w, end, &byte);
		*value |= (uint64_t)(byte & 0x7f) << 7 * i;
	}
	return ret ? ret : byte & 0x80 ? -ENOTSUP : 0;
}

/* ---------------------------------------------------------------- writing */

static int room(struct onnx_skeleton *s, uint64_t n)
{
	uint64_t want = s->size + n;
	uint8_t *bigger;

	if (want <= s->room)
		return 0;
	want += want / 2 + WINDOW;
	bigger = realloc(s->data, want);
	if (!bigger)
		return -ENOMEM;
	s->data = bigger;
	s->room = want;
	return 0;
}

/* Bytes [from, to) of the file as they are. */
static int copy(struct walk *w, uint64_t from, uint64_t to)
{
	struct onnx_skeleton *s = w->s;
	int ret = room(s, to - from);

	ret = ret ? ret : onnx_file_read(&s->file, from, to - from, s->data + s->size);
	s->size += ret ? 0 : to - from;
	return ret;
}

static void put_length(uint8_t *to, uint64_t n)
{
	for (unsigned int i = 0; i < PADDED; i++, n >>= 7)
		to[i] = (uint8_t)(n & 0x7f) | (i + 1 < PADDED ? 0x80 : 0);
}

static int add_cut(struct walk *w, uint64_t at, uint64_t len)
{
	struct onnx_skeleton *s = w->s;

	if (s->ncuts == s->room_cuts) {
		uint32_t n = 2 * s->room_cuts + 64;
		struct onnx_cut *bigger = realloc(s->cut, n * sizeof(*bigger));

		if (!bigger)
			return -ENOMEM;
		s->cut = bigger;
		s->room_cuts = n;
	}
	s->cut[s->ncuts++] = (struct onnx_cut){ .node = w->node, .index = w->index, .at = at, .len = len };
	return 0;
}

/* ---------------------------------------------------------------- messages */

static int message(struct walk *w, enum level level, uint64_t end);

/* The message of a field, shorter than it was; its tag is written already. */
static int shorter(struct walk *w, enum level level, uint64_t end)
{
	struct onnx_skeleton *s = w->s;
	uint64_t begin;
	int ret = room(s, PADDED);

	if (ret)
		return ret;
	s->size += PADDED;
	begin = s->size;
	ret = message(w, level, end);
	if (!ret)
		put_length(s->data + begin - PADDED, s->size - begin);
	return ret;
}

/* Counts what is met, so that it is found again in the unpacked message. true: the field leads on, to *next. */
static bool leads_on(struct walk *w, enum level level, uint64_t field, enum level *next)
{
	if (level == MODEL && field == MODEL_GRAPH) {
		w->graphs++;
		*next = GRAPH;
		return true;
	}
	if (level == GRAPH && field == GRAPH_INITIALIZER) {
		w->node = NET_NONE;
		w->index = w->initializers++;
		*next = TENSOR;
		return true;
	}
	if (level == GRAPH && field == GRAPH_NODE) {
		w->nodes++;
		w->attributes = 0;
		*next = NODE;
		return true;
	}
	if (level == NODE && field == NODE_ATTRIBUTE) {
		w->attributes++;
		w->tensors = 0;
		*next = ATTRIBUTE;
		return true;
	}
	if (level == ATTRIBUTE && field == ATTRIBUTE_T) {
		w->node = w->nodes - 1;
		w->index = w->attributes - 1;
		w->tensors++;
		*next = TENSOR;
		return true;
	}
	return false;
}

/* A field of bytes [at, at + len), its tag written: gone into, cut, or copied. *raw: raw_data that this tensor has had. */
static int bytes_field(struct walk *w, enum level level, uint64_t field, uint64_t from, uint64_t len, unsigned int *raw)
{
	uint64_t at = w->at;
	enum level next;
	int ret;

	w->at += len;
	if (leads_on(w, level, field, &next)) {
		/* messages that come twice are merged, and only the last raw_data counts: that is for protobuf-c */
		if (w->graphs > 1 || (next == TENSOR && level == ATTRIBUTE && w->tensors > 1))
			return -ENOTSUP;
		w->at = at;
		return shorter(w, next, at + len);
	}
	if (level != TENSOR || field != TENSOR_RAW_DATA)
		return copy(w, from, at + len);
	if ((*raw)++)
		return -ENOTSUP;
	if (len < w->least)
		return copy(w, from, at + len);
	ret = room(w->s, 1);
	if (ret)
		return ret;
	w->s->data[w->s->size++] = 0;
	return add_cut(w, at, len);
}

static int message(struct walk *w, enum level level, uint64_t end)
{
	unsigned int raw = 0;
	int ret = 0;

	while (!ret && w->at < end) {
		uint64_t from = w->at, tag, n;

		ret = get_varint(w, end, 5, &tag);
		if (ret)
			return ret;
		if (!(tag >> 3) || tag > UINT32_MAX)
			return -ENOTSUP;
		switch (tag & 7) {
		case VARINT:
			ret = get_varint(w, end, 10, &n);
			break;
		case FIXED64:
		case FIXED32:
			n = (tag & 7) == FIXED64 ? 8 : 4;
			if (n > end - w->at)
				return -ENOTSUP;
			w->at += n;
			break;
		case BYTES:
			ret = copy(w, from, w->at);
			from = w->at;
			ret = ret ? ret : get_varint(w, end, 5, &n);
			if (ret)
				return ret;
			if (n > MOST || n > end - w->at)
				return -ENOTSUP;
			ret = bytes_field(w, level, tag >> 3, from, n, &raw);
			continue;
		default:
			return -ENOTSUP;
		}
		ret = ret ? ret : copy(w, from, w->at);
	}
	return ret;
}

int onnx_skeleton_new(const struct onnx_file *f, uint64_t least, struct onnx_skeleton *s)
{
	struct walk *w = calloc(1, sizeof(*w));
	int ret;

	*s = (struct onnx_skeleton){ .file = *f };
	if (!w)
		return -ENOMEM;
	w->s = s;
	w->least = least;
	ret = f->size > MOST ? -ENOTSUP : message(w, MODEL, f->size);
	free(w);
	return ret;
}

void onnx_skeleton_free(struct onnx_skeleton *s)
{
	free(s->data);
	free(s->cut);
	*s = (struct onnx_skeleton){ 0 };
}

/* ---------------------------------------------------------------- tensors */

static int compare_cuts(const void *a, const void *b)
{
	uintptr_t x = (uintptr_t)((const struct onnx_cut *)a)->t, y = (uintptr_t)((const struct onnx_cut *)b)->t;

	return x < y ? -1 : x > y;
}

static Onnx__TensorProto *tensor_of(const Onnx__GraphProto *g, const struct onnx_cut *c)
{
	if (c->node == NET_NONE)
		return c->index < g->n_initializer ? g->initializer[c->index] : NULL;
	if (c->node >= g->n_node || c->index >= g->node[c->node]->n_attribute)
		return NULL;
	return g->node[c->node]->attribute[c->index]->t;
}

bool onnx_skeleton_attach(struct onnx_skeleton *s, Onnx__ModelProto *m)
{
	for (uint32_t i = 0; i < s->ncuts; i++) {
		Onnx__TensorProto *t = m->graph ? tensor_of(m->graph, &s->cut[i]) : NULL;

		if (!t || !t->has_raw_data || t->raw_data.len)
			return false;
		s->cut[i].t = t;
		/* no address: whoever wants the elements asks for the cut */
		t->raw_data.len = s->cut[i].len;
	}
	if (s->ncuts)
		qsort(s->cut, s->ncuts, sizeof(*s->cut), compare_cuts);
	free(s->data);
	s->data = NULL;
	return true;
}

const struct onnx_cut *onnx_skeleton_find(const struct onnx_skeleton *s, const Onnx__TensorProto *t)
{
	const struct onnx_cut key = { .t = t };

	return s && s->ncuts ? bsearch(&key, s->cut, s->ncuts, sizeof(key), compare_cuts) : NULL;
}
