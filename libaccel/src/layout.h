/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * How values of a network lie on the engine. An image is planes of pixels, one a channel. A value whose channels are its last dimension - what MatMul reads and
 * makes, rows of tokens - is the same, turned: its rows are pixels.
 */
#ifndef ACCEL_LAYOUT_H
#define ACCEL_LAYOUT_H

#include "net.h"

enum layout_kind {
	LAYOUT_NONE,      /* nobody has decided */
	LAYOUT_IMAGE,     /* [1, channels, pixels ...]; of four dimensions [1, channels, height, width] */
	LAYOUT_TOKENS,    /* [pixels ..., channels] */
};

struct layout {
	enum layout_kind kind;
	uint32_t channels, height, width;
};

/* A float32 value that is computed, as an image of one item, or as tokens. false: it can be none. */
bool layout_as_image(const struct net_value *v, struct layout *l);
bool layout_as_tokens(const struct net_value *v, struct layout *l);
/* The node moves nothing on the engine: its input, which lies so, is its output, which then lies as *to says. */
bool layout_of_alias(const struct accel_network *net, const struct net_node *node, const struct layout *from, struct layout *to);
bool layout_same(const struct layout *a, const struct layout *b);

static inline uint64_t layout_pixels(const struct layout *l)
{
	return (uint64_t)l->height * l->width;
}

/* The value's elements lie in another order than its planes. */
static inline bool layout_is_turned(const struct layout *l)
{
	return l->kind == LAYOUT_TOKENS && l->channels > 1 && layout_pixels(l) > 1;
}

/*
 * Inputs and outputs of a segment that are tokens: attributes "turned" and "turned_out" of its node list their numbers. What the network has as [pixels, channels] the segment's
 * tensor has as [channels, height, width].
 */
#define LAYOUT_TURNED     "turned"
#define LAYOUT_TURNED_OUT "turned_out"
bool layout_turned(const struct net_node *node, bool output, unsigned int i);
/* What the network has, as the segment wants it, or the other way round; for so many items. Both pointers: values of all items. */
void layout_to_segment(const struct net_node *node, unsigned int input, const float *from, float *to, unsigned int items);
void layout_from_segment(const struct net_node *node, unsigned int output, const float *from, float *to, unsigned int items);

#endif
