// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * VMACs with SPLIT, cycle by cycle: the lanes' own queues (eie_laneq.sv), slots and weight banks (eie_fetch.sv), decoders (eie_lanes.sv). Names are those of the RTL.
 * Of a column is known where its first word ends, and whether between an escape and its follower; an escape in a later word is taken for an entry of its own.
 */
#include <string.h>

#include "cost_int.h"

#define LANES  8
#define FIRSTS ((1u << LANES) - 1)
#define ALL    ((1u << 2 * LANES) - 1)
#define EVENS  (ALL / 3)

static uint32_t lowest(uint32_t bits)
{
	return bits & -bits;
}

static uint32_t both(uint32_t lanes)
{
	return lanes | lanes << LANES;
}

/* The other slots of the same lanes. */
static uint32_t others(uint32_t slots)
{
	return (slots & FIRSTS) << LANES | slots >> LANES;
}

void split_reset(struct cost_split *s)
{
	memset(s->cluster, 0, sizeof(s->cluster));
	s->now = s->told = s->npending = 0;
	for (unsigned int c = 0; c < COST_CLUSTERS; c++)
		s->cluster[c].active = FIRSTS;
}

/* Words of active slots go before those that are fetched ahead; slots take turns. */
static uint32_t grant(const struct split_cluster *c, unsigned int bank)
{
	uint32_t req = c->valid & c->need & (bank ? c->next : ~c->next) & ~c->full[bank] & ~c->fly[bank];
	uint32_t now = req & c->active ? req & c->active : req, up = now & c->turn[bank] ? now & c->turn[bank] : now;

	return lowest(up);
}

/* A free slot of an even lane, one of an odd lane, in turn; 0: there is none. */
static void pick(struct split_cluster *c, uint32_t free, uint32_t picks[2])
{
	for (unsigned int i = 0; i < 2; i++) {
		uint32_t mine = EVENS << i, slots = free & mine;

		picks[i] = lowest(slots & c->own_turn ? slots & c->own_turn : slots);
		if (slots)
			c->own_turn = (c->own_turn & ~mine) | (mine & ~(picks[i] | (picks[i] - 1)));
	}
}

/* The slot gets its lane's oldest job, which asks for its first word at once if nobody else wants the bank. */
static void put(struct split_cluster *c, uint32_t bit)
{
	unsigned int slot = (unsigned int)__builtin_ctz(bit), lane = slot % LANES;
	struct split_queue *q = &c->queue[lane];
	const struct cost_column *column = q->column[q->head++ % SPLIT_JOBS];
	bool free = !c->fly[column->odd];

	if (!--q->count)
		c->queued &= ~(1u << lane);
	c->waiting[lane] = column;
	c->words[slot] = column->words - free;
	c->need = c->words[slot] ? c->need | bit : c->need & ~bit;
	c->side = column->odd ? c->side | bit : c->side & ~bit;
	c->next = column->odd ^ free ? c->next | bit : c->next & ~bit;
	if (free)
		c->fly[column->odd] = bit;
}

/* True: a lane decodes. */
static bool step(struct split_cluster *c)
{
	uint32_t here = c->active & c->valid & ((c->side & c->full[1]) | (~c->side & c->full[0]));
	uint32_t grants[2] = { grant(c, 0), grant(c, 1) }, waits = ~c->active & c->valid & ALL;
	uint32_t ends = 0, leave = 0, ending, load, own[2];

	for (uint32_t left = here; left; left &= left - 1) {
		uint32_t bit = lowest(left);
		unsigned int lane = (unsigned int)__builtin_ctz(bit) % LANES;
		bool alone = false;

		if (!--c->in_word[lane]) {
			uint32_t there = (c->side & c->full[0]) | (~c->side & c->full[1]);

			leave |= bit;
			alone = c->joined & 1u << lane && !(there & bit);
			c->in_word[lane] = c->per_word[lane] - (c->joined & 1u << lane && !alone);
			c->joined &= ~(1u << lane);
		}
		if (!alone && !--c->left[lane])
			ends |= bit;
	}
	ending = both(ends & FIRSTS) | both(ends >> LANES);
	pick(c, both(c->queued) & ~c->valid & (c->active | others(c->valid)) & ALL, own);
	load = (ending & waits) | (~ending & c->active & c->fresh);
	for (uint32_t left = load; left; left &= left - 1) {
		unsigned int lane = (unsigned int)__builtin_ctz(left) % LANES;

		c->left[lane] = c->waiting[lane]->steps;
		c->in_word[lane] = c->waiting[lane]->first;
		c->per_word[lane] = c->waiting[lane]->wide ? 8 : 16;
		c->joined = c->waiting[lane]->joined ? c->joined | 1u << lane : c->joined & ~(1u << lane);
	}
	c->full[0] = (c->full[0] | c->fly[0]) & ~ends & ~(leave & ~c->side);
	c->full[1] = (c->full[1] | c->fly[1]) & ~ends & ~(leave & c->side);
	c->side ^= leave;
	for (unsigned int b = 0; b < 2; b++) {
		c->fly[b] = grants[b];
		if (!grants[b])
			continue;
		c->turn[b] = ALL & ~(grants[b] | (grants[b] - 1));
		c->next ^= grants[b];
		if (!--c->words[__builtin_ctz(grants[b])])
			c->need &= ~grants[b];
	}
	for (unsigned int i = 0; i < 2; i++)
		if (own[i])
			put(c, own[i]);
	c->valid = (c->valid & ~ends) | own[0] | own[1];
	c->fresh = (c->fresh & ~load) | own[0] | own[1];
	c->active ^= ending;
	return here;
}

/* What the queues have been given by now. */
static void take_pending(struct cost_split *s, unsigned int k)
{
	while (s->npending && s->pending[0].seen <= s->now) {
		const struct split_pending *p = &s->pending[0];

		for (unsigned int n = 0; n < k; n++) {
			struct split_cluster *c = &s->cluster[n];

			if (!p->column[n].steps)
				continue;
			for (uint32_t left = p->pixels; left; left &= left - 1) {
				unsigned int lane = (unsigned int)__builtin_ctz(left);
				struct split_queue *q = &c->queue[lane];

				q->column[(q->head + q->count++) % SPLIT_JOBS] = &p->column[n];
			}
			c->queued |= p->pixels;
		}
		memmove(s->pending, s->pending + 1, --s->npending * sizeof(s->pending[0]));
	}
}

/* Cycles before `to`, or until nothing is left to do. busy: a bit a cycle. Returns the last cycle in which a lane decoded, or 0. */
static uint64_t run(struct cost_split *s, unsigned int k, uint64_t to, uint64_t *busy, uint64_t busy_mask)
{
	uint64_t last = 0;

	for (; s->now < to; s->now++) {
		bool works = false, decodes = false;

		take_pending(s, k);
		for (unsigned int n = 0; n < k; n++) {
			struct split_cluster *c = &s->cluster[n];

			if (!(c->valid | c->queued))
				continue;
			works = true;
			decodes |= step(c);
		}
		if (decodes) {
			uint64_t at = s->now + 1;

			if (at >= s->told)
				busy[(at & busy_mask) / 64] |= UINT64_C(1) << (at & 63);
			last = s->now;
		}
		if (works)
			continue;
		if (!s->npending) {
			s->now = to == NEVER ? s->now : to;
			break;
		}
		s->now = s->pending[0].seen - 1 < to ? s->pending[0].seen - 1 : to - 1;
	}
	return last;
}

uint64_t split_unheld(struct cost_vector *v, uint64_t at)
{
	struct cost_split *s = &v->split;

	for (;; at++) {
		bool hold = false;

		run(s, v->k, at, v->busy, v->busy_mask);
		take_pending(s, v->k);
		for (unsigned int n = 0; n < v->k; n++)
			for (unsigned int l = 0; l < LANES; l++)
				hold |= s->cluster[n].queue[l].count > 2 * v->jobs - COST_ON_THE_WAY;
		if (!hold)
			return at;
	}
}

void split_push(struct cost_vector *v, const struct cost_column *column, uint8_t pixels, uint64_t seen)
{
	v->split.pending[v->split.npending++] = (struct split_pending){ column, seen, pixels };
}

uint64_t split_end(struct cost_vector *v)
{
	/* it goes on from here when the next VMAC's columns come: these are ahead of them in every queue, but share the banks with them */
	struct cost_split s = v->split;

	return run(&s, v->k, NEVER, v->busy, v->busy_mask);
}
