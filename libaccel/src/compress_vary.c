// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Calibration items as they could have been, too: the float network says of any input what is right, so that a few hundred items need not be learnt by heart. Mixed with others (Zhang et al., arXiv 1710.09412,
 * for distillation Beyer et al., arXiv 2106.05237), and images moved.
 */
#include "compress_tune.h"
#include "seed.h"

#include <math.h>

#define MIXED      0.5             /* half of them: with so much of another one at most */
#define MOVED      8               /* by this part of height and width at most */
#define LEAST_SIDE 16u             /* of an image that is moved */

struct change {
	float share;               /* of the other item */
	uint32_t up, left;         /* by so many lines and pixels; what leaves on one side comes in on the other */
};

/* From 0 to twice a side's part. */
static uint32_t way(uint64_t *random, uint32_t side)
{
	return side < LEAST_SIDE ? 0 : (uint32_t)((double)side + round((2 * seed_uniform(random) - 1) * side / MOVED)) % side;
}

static bool is_image(const struct net_value *v)
{
	return v->ndim == 4 && v->dims[2] > 1 && v->dims[3] > 1;
}

static void fill(float *to, const struct net_value *v, const float *a, const float *b, const struct change *c)
{
	uint32_t h = is_image(v) ? v->dims[2] : 1, w = is_image(v) ? v->dims[3] : (uint32_t)v->count;

	for (uint64_t plane = 0; plane < v->count; plane += (uint64_t)h * w) {
		for (uint32_t y = 0; y < h; y++) {
			uint64_t from = plane + (uint64_t)((y + c->up) % h) * w;

			for (uint32_t x = 0; x < w; x++) {
				uint64_t at = from + (x + c->left < w ? x + c->left : x + c->left - w);

				*to++ = a[at] + c->share * (b[at] - a[at]);
			}
		}
	}
}

bool tune_vary(struct grad *g, const struct accel_network *net, const struct tune *t, uint64_t item, double share, uint64_t random)
{
	struct change c = { 0 };
	uint64_t other;

	seed_uniform(&random);
	if (seed_uniform(&random) >= share)
		return false;
	other = (uint64_t)(seed_uniform(&random) * (double)t->items) % t->items;
	/* none of those that are held out: the one before is not */
	other -= tune_held(other);
	if (seed_uniform(&random) < MIXED)
		c.share = (float)(MIXED * seed_uniform(&random));
	for (unsigned int k = 0; k < net->ninputs; k++) {
		const struct net_value *v = &net->values[net->inputs[k]];

		if (!t->list[k])
			continue;
		c.up = is_image(v) ? way(&random, v->dims[2]) : 0;
		c.left = is_image(v) ? way(&random, v->dims[3]) : 0;
		fill(grad_value(g, net->inputs[k]), v, tune_item(net, t, k, item), tune_item(net, t, k, other), &c);
	}
	return true;
}
