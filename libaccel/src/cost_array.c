// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Scalar mode, cycle by cycle: broadcast (eie_bcast.sv), queues (eie_jobq.sv), dispatch and weight banks (eie_fetch.sv), decoders (eie_lanes.sv). Names are those
 * of the RTL. What is left out is what no time depends on: rows, products, sums.
 */
#include <string.h>

#include "cost_int.h"
#include "stream.h"

void array_start(struct cost_array *a, unsigned int tag, const struct cost_tile *tile, const uint8_t *live, uint32_t in, uint32_t granules)
{
	a->mac[tag] = (struct array_mac){ tile, live };
	a->start = true;
	a->start_tag = tag;
	a->in = in;
	a->len = granules;
	a->active = true;
}

static uint32_t lowest(uint32_t bits)
{
	return bits & -bits;
}

static unsigned int number(uint32_t bit)
{
	return (unsigned int)__builtin_ctz(bit);
}

/* Both slots of the lanes whose bit is set. */
static uint32_t both(const struct cost_array *a, uint32_t lanes)
{
	return lanes | lanes << a->lanes;
}

/* One decode of a lane whose word is here: true when the job ends; *leave: the word is used up; *fires: a product. */
static bool decode(struct array_cluster *c, unsigned int lane, const uint8_t *stream, bool wide, bool there, bool *leave, bool *fires)
{
	uint32_t unit = stream_unit(wide), at = c->at[lane], word = at / EIE_GRANULE_BYTES;
	bool escape = !(wide ? stream[at] : stream[at] & 15);
	bool pair = escape && c->left[lane] >= 2 && (wide ? stream[at + unit] : stream[at + unit] & 15) &&
		    ((at + unit) / EIE_GRANULE_BYTES == word || there);

	c->at[lane] = at + (pair ? 2 * unit : unit);
	c->left[lane] -= pair ? 2 : 1;
	*leave = c->at[lane] / EIE_GRANULE_BYTES != word;
	*fires = !escape || pair;
	return !c->left[lane];
}

/* The other slots of the same lanes. */
static uint32_t other_slot(const struct cost_array *a, uint32_t slots)
{
	return (slots & ((1u << a->lanes) - 1)) << a->lanes | slots >> a->lanes;
}

struct decoded {
	uint32_t ends, leave;   /* both bits of a lane */
	bool fires;
};

static struct decoded decode_all(const struct cost_array *a, struct array_cluster *c, unsigned int number_of)
{
	struct decoded d = { 0 };
	uint32_t here = c->active & c->valid & ((c->side & c->full[1]) | (~c->side & c->full[0]));
	uint32_t there = c->active & ((c->side & c->full[0]) | (~c->side & c->full[1]));

	for (uint32_t left = here; left; left &= left - 1) {
		uint32_t bit = lowest(left);
		unsigned int slot = number(bit), lane = slot % a->lanes;
		const struct cost_tile *t = a->mac[!!(c->tag & bit)].tile;
		bool leave, fires;

		if (decode(c, lane, t->stream + number_of * t->stride, t->wide, there & bit, &leave, &fires))
			d.ends |= both(a, 1u << lane);
		if (leave)
			d.leave |= both(a, 1u << lane);
		d.fires |= fires;
	}
	return d;
}

/* Words of active slots go before those that are fetched ahead; slots take turns. */
static uint32_t grant(const struct array_cluster *c, unsigned int bank)
{
	uint32_t req = c->valid & c->need & (bank ? c->next : ~c->next) & ~c->full[bank] & ~c->fly[bank];
	uint32_t now = req & c->active ? req & c->active : req, up = now & c->turn[bank] ? now & c->turn[bank] : now;

	return lowest(up);
}

static void load_lane(struct array_cluster *c, unsigned int lane)
{
	c->at[lane] = c->waiting[lane].start;
	c->left[lane] = c->waiting[lane].len;
}

static void put_job(const struct cost_array *a, struct array_cluster *c, uint32_t slot, const struct array_job *job)
{
	const struct cost_tile *t = a->mac[job->tag].tile;
	unsigned int s = number(slot);
	uint32_t unit = stream_unit(t->wide), odd = (t->weights + t->first + job->start / EIE_GRANULE_BYTES) & 1;

	c->waiting[s % a->lanes] = *job;
	c->word[s] = job->start / EIE_GRANULE_BYTES;
	c->final[s] = (job->start + job->len * unit - 1) / EIE_GRANULE_BYTES;
	c->tag = job->tag ? c->tag | slot : c->tag & ~slot;
	c->need |= slot;
	c->next = odd ? c->next | slot : c->next & ~slot;
	c->side = odd ? c->side | slot : c->side & ~slot;
}

/* True: a lane multiplies. */
static bool step_cluster(const struct cost_array *a, struct array_cluster *c, unsigned int number_of)
{
	uint32_t all = both(a, (1u << a->lanes) - 1);
	uint32_t waits = ~c->active & c->valid & all, grants[2] = { grant(c, 0), grant(c, 1) };
	uint32_t idle = c->active & ~c->valid, late = c->active & c->valid & ~c->need;
	uint32_t ready = waits & ~c->need, put = 0, slots[2] = { 0, 0 }, beside, to0, to1, load, ends, leave;
	const unsigned int had = c->count;
	uint8_t busy = 0;
	struct decoded d;

	/* the registers' values before this cycle */
	for (uint32_t v = c->valid; v; v &= v - 1)
		busy |= c->tag & lowest(v) ? 2 : 1;
	if (had)
		busy |= (uint8_t)(1u << c->queue[c->head].tag | 1u << c->last_tag);
	d = decode_all(a, c, number_of);
	ends = d.ends & c->active;
	leave = d.leave & c->active;
	/* beside a job whose words are all fetched; or in the place of one that ends, if the lane goes over to such a job */
	beside = (other_slot(a, late) & ~c->valid) | (ends & other_slot(a, ready));
	to0 = lowest(idle ? idle : beside);
	to1 = lowest((idle | beside) & ~to0);
	load = (d.ends & waits) | (~d.ends & c->active & c->fresh);
	for (uint32_t l = load; l; l &= l - 1)
		load_lane(c, number(lowest(l)) % a->lanes);

	c->full[0] = (c->full[0] | c->fly[0]) & ~ends & ~(leave & ~c->side);
	c->full[1] = (c->full[1] | c->fly[1]) & ~ends & ~(leave & c->side);
	c->side ^= leave;
	for (unsigned int b = 0; b < 2; b++) {
		c->fly[b] = grants[b];
		if (!grants[b])
			continue;
		c->turn[b] = all & ~(grants[b] | (grants[b] - 1));
		c->next ^= grants[b];
		if (c->word[number(grants[b])]++ == c->final[number(grants[b])])
			c->need &= ~grants[b];
	}
	if (had > 0)
		slots[0] = to0;
	if (had > 1)
		slots[1] = to1;
	for (unsigned int i = 0; i < 2 && slots[i]; i++) {
		put_job(a, c, slots[i], &c->queue[c->head]);
		put |= slots[i];
		c->head = (c->head + 1) % a->jobs;
		c->count--;
	}
	c->valid = (c->valid & ~ends) | put;
	c->fresh = (c->fresh & ~load) | put;
	c->active ^= d.ends;
	c->busy = busy;
	return d.fires;
}

/* eie_cluster.sv: pointers, then the queue; jobs of columns without entries are dropped here. */
static void push_columns(struct cost_array *a)
{
	const struct cost_tile *t = a->mac[a->ptr_tag].tile;

	for (unsigned int i = 0; i < a->nptr; i++) {
		for (unsigned int n = 0; n < a->k; n++) {
			struct array_cluster *c = &a->cluster[n];
			uint32_t p = t->pointer[(size_t)a->ptr[i] * a->k + n], len = p >> EIE_PTR_START_BITS;

			if (!len)
				continue;
			c->queue[(c->head + c->count++) % a->jobs] =
				(struct array_job){ (p & ((1u << EIE_PTR_START_BITS) - 1)) * stream_unit(t->wide), len, (uint8_t)a->ptr_tag };
			c->last_tag = (uint8_t)a->ptr_tag;
		}
	}
}

/* eie_bcast.sv */
static void step_broadcast(struct cost_array *a, bool hold)
{
	uint32_t at;
	bool read = array_reads(a, &at);
	bool send = a->todo && !hold;
	uint8_t rest = (uint8_t)(a->todo & (a->todo - 1)), after = (uint8_t)(rest & (rest - 1));
	bool pop = a->nfifo && (!a->todo || (send && !after));

	a->nout = send ? rest ? 2 : 1 : 0;
	if (send) {
		a->out[0] = a->current * EIE_GRANULE_VALUES + number(a->todo);
		a->out[1] = rest ? a->current * EIE_GRANULE_VALUES + number(rest) : 0;
		a->todo = after;
	}
	if (pop) {
		a->current = a->fifo[0];
		a->todo = a->mac[a->tag].live ? a->mac[a->tag].live[a->current] : 0;
		memmove(a->fifo, a->fifo + 1, 3 * sizeof(a->fifo[0]));
		a->nfifo--;
		a->undone--;
	}
	if (a->read)
		a->fifo[a->nfifo++] = a->read_at;
	a->read = read;
	if (read) {
		a->read_at = a->at++;
		a->left--;
	}
	if (a->start) {
		a->left = a->undone = a->len;
		a->at = 0;
		a->tag = a->start_tag;
		a->start = false;
	}
}

void array_step(struct cost_array *a)
{
	uint8_t sent = a->nout ? (uint8_t)(1u << a->tag) : 0, work = a->sent2;
	bool hold = false, busy = false;

	for (unsigned int n = 0; n < a->k; n++) {
		hold |= a->cluster[n].count > a->jobs - COST_ON_THE_WAY;
		work |= a->cluster[n].busy;
	}
	a->work3 = a->work2;
	a->work2 = a->work1;
	a->work1 = work;
	a->sent2 = sent | a->sent1;
	a->sent1 = sent;
	a->multiplies = false;
	for (unsigned int n = 0; n < a->k; n++) {
		a->multiplies |= step_cluster(a, &a->cluster[n], n);
		busy |= a->cluster[n].valid || a->cluster[n].busy;
	}
	push_columns(a);
	a->nptr = a->nout;
	a->ptr_tag = a->tag;
	memcpy(a->ptr, a->out, sizeof(a->ptr));
	step_broadcast(a, hold);
	for (unsigned int n = 0; n < a->k; n++)
		busy |= a->cluster[n].count;
	a->active = busy || a->start || a->left || a->undone || a->todo || a->read || a->nfifo || a->nout || a->nptr || a->sent1 || a->sent2 || a->work1 ||
		    a->work2 || a->work3;
}
