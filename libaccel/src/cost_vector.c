// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Vector mode by recurrences. Nothing holds up the gather but a queue that is full, and nothing a lane but its jobs, so the times of a column follow from those of
 * the columns before it: no cycle is stepped through. Constants are pipeline stages of eie_gather.sv, eie_pool.sv, eie_element.sv, eie_cluster.sv, eie_fetch.sv.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cost_int.h"

/* From ga_start_o to the first windows, from a group's begin until the next one's windows are known. */
#define FIRST_WINDOWS 11
#define NEXT_WINDOWS  9
/* Granules that the gather keeps; columns in the FIFO behind it. */
#define LINES      4
#define FIFO_DEPTH 4

int vector_new(struct cost_vector *v, const struct eie_params *params)
{
	/* nothing reaches further than the longest command: a half's worth of groups times a buffer of columns would, but never does */
	const uint64_t cycles = (uint64_t)1 << 25;

	*v = (struct cost_vector){ .k = params->clusters, .jobs = params->jobs, .busy_mask = cycles - 1 };
	v->busy = calloc(cycles / 64, sizeof(*v->busy));
	v->reads = calloc(cycles, 1);
	if (v->busy && v->reads)
		return 0;
	vector_free(v);
	return -ENOMEM;
}

void vector_free(struct cost_vector *v)
{
	free(v->busy);
	free(v->reads);
}

static uint64_t most(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

static void mark_busy(struct cost_vector *v, uint64_t from, uint64_t to)
{
	for (; from < to; from = (from | 63) + 1) {
		uint64_t bits = ~UINT64_C(0) << (from & 63);

		if ((from | 63) >= to)
			bits &= ~UINT64_C(0) >> (63 - ((to - 1) & 63));
		v->busy[(from & v->busy_mask) / 64] |= bits;
	}
}

/* A job that the queue shows from cycle `seen` on. */
static void add_job(struct cost_vector *v, struct vector_cluster *c, const struct cost_column *column, uint64_t seen)
{
	uint64_t begin, pop;

	/* beside the job before, as soon as the slot is free or becomes free */
	pop = c->end_before;
	pop = most(pop, seen);
	if (c->njobs)
		pop = most(pop, c->pop[(c->njobs - 1) % COST_JOBS] + 1);
	/* the first word is asked for with the pop, the second one a cycle later */
	begin = most(c->end + 1, pop + 2);
	c->pop[c->njobs++ % COST_JOBS] = pop;
	c->end_before = c->end;
	c->end = begin + column->steps - 1 + (column->joined && column->first == 1 && begin == pop + 2);
	mark_busy(v, begin + 1, c->end + 2);
}

/* Jobs of cluster n that its queue had been given when columns showed in cycle `now`. */
static uint64_t pushed(const struct cost_vector *v, unsigned int n, uint64_t now)
{
	/* columns leave a cycle apart at least: the fourth last is in the queue whatever the others are */
	for (uint64_t i = v->nsent; i && i + 4 > v->nsent; i--)
		if (v->sent[(i - 1) % 4] + 3 <= now)
			return v->counts[(i - 1) % 4][n];
	return 0;
}

/* The first cycle from `at` on in which no queue says that it may be full. */
static uint64_t unheld(const struct cost_vector *v, uint64_t at)
{
	const uint64_t room = v->jobs - COST_ON_THE_WAY;
	bool again;

	do {
		again = false;
		for (unsigned int n = 0; n < v->k; n++) {
			const struct vector_cluster *c = &v->cluster[n];
			uint64_t jobs;

			if (c->njobs <= room || c->pop[(c->njobs - 1 - room) % COST_JOBS] < at)
				continue;
			jobs = pushed(v, n, at);
			while (jobs > room && c->pop[(jobs - 1 - room) % COST_JOBS] >= at) {
				at = c->pop[(jobs - 1 - room) % COST_JOBS] + 1;
				jobs = pushed(v, n, at);
				again = true;
			}
		}
	} while (again);
	return at;
}

/* When the last columns left the FIFO. */
static uint64_t sent_before(const struct cost_vector *v, uint64_t first, unsigned int back)
{
	return v->nsent >= first + back ? v->sent[(v->nsent - back) % 4] : 0;
}

struct gather {
	uint32_t taps, channels, groups, tail, width, height, origin, out_x, first;
	uint32_t dilate_x, dilate_y, stride_x, stride_y, pad_x, pad_y, kernel_x;
	uint32_t banks;
	bool pool;
};

static struct gather gather_of(const struct cost_vector *v, const struct eie_cmd *cmd, bool pool)
{
	/* VPOOL's fields lie in VMAC's bits */
	return (struct gather){
		.kernel_x = CMD_GET(cmd, VMAC_KERNEL_X), .taps = CMD_GET(cmd, VMAC_KERNEL_X) * CMD_GET(cmd, VMAC_KERNEL_Y),
		.channels = CMD_GET(cmd, VMAC_CHANNELS), .groups = CMD_GET(cmd, VMAC_GROUPS), .tail = CMD_GET(cmd, VMAC_TAIL),
		.width = CMD_GET(cmd, VMAC_IN_X), .height = CMD_GET(cmd, VMAC_IN_Y), .origin = CMD_GET(cmd, VMAC_ORIGIN),
		.out_x = CMD_GET(cmd, VMAC_OUT_X), .first = CMD_GET(cmd, VMAC_FIRST_Y) * CMD_GET(cmd, VMAC_OUT_X) + CMD_GET(cmd, VMAC_FIRST_X),
		.dilate_x = CMD_GET(cmd, VMAC_DILATE_X), .dilate_y = CMD_GET(cmd, VMAC_DILATE_Y), .stride_x = CMD_GET(cmd, VMAC_STRIDE_X),
		.stride_y = CMD_GET(cmd, VMAC_STRIDE_Y), .pad_x = CMD_GET(cmd, VMAC_PAD_X), .pad_y = CMD_GET(cmd, VMAC_PAD_Y),
		.banks = v->k, .pool = pool,
	};
}

/* Granules that the windows of a group see at a place of the window, in the order of the windows; the same in all channels, counted from the channel's first one. */
struct place {
	unsigned int n;
	uint32_t granule[EIE_GRANULE_VALUES];
};

static void places_of(const struct gather *g, uint32_t group, struct place *places)
{
	unsigned int n = group == g->groups - 1 && g->tail ? g->tail : EIE_GRANULE_VALUES;

	for (uint32_t tap = 0; tap < g->taps; tap++) {
		struct place *p = &places[tap];

		p->n = 0;
		for (unsigned int l = 0; l < n; l++) {
			uint32_t number = g->first + group * EIE_GRANULE_VALUES + l, granule;
			int64_t x = (int64_t)(number % g->out_x * g->stride_x) - g->pad_x + tap % g->kernel_x * g->dilate_x;
			int64_t y = (int64_t)(number / g->out_x * g->stride_y) - g->pad_y + tap / g->kernel_x * g->dilate_y;
			unsigned int i = 0;

			if (x < 0 || y < 0 || x >= g->width || y >= g->height)
				continue;
			granule = (uint32_t)((g->origin + y * g->width + x) / EIE_GRANULE_VALUES);
			while (i < p->n && p->granule[i] != granule)
				i++;
			if (i == p->n)
				p->granule[p->n++] = granule;
		}
	}
}

struct column_at {
	uint32_t group, channel, tap;
};

/*
 * Columns on their way through eie_gather.sv: one is found, the next older one waits, the next older one is in work, a cycle at least in each; the first one of a
 * group is found when the group's windows are. The one in work takes as many cycles as it has granules that no line has, one at least; if it has none, a granule is
 * read for the one that is found.
 */
struct columns {
	const struct gather *g;
	struct column_at work, find;
	bool finds;                             /* there is one to find */
	uint64_t waits, found, windows;         /* since when: one waits, one is found; windows of the next group are known */
	uint8_t *reads;                         /* of struct cost_vector */
	uint64_t reads_mask, told;              /* told: the last cycle that is in it */
	unsigned int fill;
	struct line {
		bool have;
		uint32_t group, channel, granule;
	} line[LINES];
	struct place places[3][15 * 15 + 1];    /* of the groups in work and found, and between */
};

/* The next column is found from `at` on, or when its windows are known. */
static void find_next(struct columns *c, uint64_t at)
{
	struct column_at *f = &c->find;

	c->found = at;
	if (!c->finds || ++f->tap < c->g->taps)
		return;
	f->tap = 0;
	if (++f->channel < c->g->channels)
		return;
	f->channel = 0;
	c->finds = ++f->group < c->g->groups;
	if (!c->finds)
		return;
	places_of(c->g, f->group, c->places[f->group % 3]);
	c->found = most(at, c->windows);
	c->windows = c->found + NEXT_WINDOWS;
}

/* ga_start_o in cycle `start`. */
static void columns_start(struct columns *c, const struct cost_vector *v, const struct gather *g, uint64_t start)
{
	c->reads = v->reads;
	c->reads_mask = v->busy_mask;
	c->told = start + FIRST_WINDOWS;
	c->g = g;
	c->work = c->find = (struct column_at){ 0 };
	c->finds = true;
	c->fill = 0;
	memset(c->line, 0, sizeof(c->line));
	places_of(g, 0, c->places[0]);
	c->waits = start + FIRST_WINDOWS + 1;
	c->windows = start + FIRST_WINDOWS + NEXT_WINDOWS;
	find_next(c, c->waits);
}

/* The cycle from which on the next column is in work, if the one before has left by `gone`. */
static uint64_t column_begin(struct columns *c, uint64_t gone)
{
	uint64_t begin = most(gone, c->waits + 1);

	c->waits = most(begin, c->found + 1);
	find_next(c, c->waits);
	return begin;
}

static bool line_has(const struct columns *c, const struct column_at *at, uint32_t granule)
{
	for (unsigned int k = 0; k < LINES; k++) {
		const struct line *l = &c->line[k];

		if (l->have && l->granule == granule && l->channel == at->channel && l->group == at->group)
			return true;
	}
	return false;
}

/* Nothing is read until cycle `to`. */
static void reads_nothing(struct columns *c, uint64_t to)
{
	while (c->told < to)
		c->reads[++c->told & c->reads_mask] = 0;
}

/* A granule of the channel is requested in cycle `at`, which is ab_re_o's but for one. */
static void reads_granule(struct columns *c, uint64_t at, uint32_t channel)
{
	reads_nothing(c, at + 1);
	c->reads[c->told & c->reads_mask] = c->g->pool ? READS_ALL : (uint8_t)(channel % c->g->banks + 1);
}

static void line_fill(struct columns *c, const struct column_at *at, uint32_t granule)
{
	c->line[c->fill] = (struct line){ true, at->group, at->channel, granule };
	c->fill = (c->fill + 1) % LINES;
}

/* Cycles of the column in work, which requests its first granule in cycle `at`; then it is the next one's turn. */
static uint32_t column_cycles(struct columns *c, uint64_t at)
{
	const struct place *p = &c->places[c->work.group % 3][c->work.tap], *next = &c->places[c->find.group % 3][c->find.tap];
	uint32_t misses[EIE_GRANULE_VALUES], n = 0;

	/* a VPOOL reads granules of all banks, and keeps none */
	for (unsigned int i = 0; i < p->n; i++)
		if (c->g->pool || !line_has(c, &c->work, p->granule[i]))
			misses[n++] = p->granule[i];
	for (unsigned int i = 0; i < n; i++) {
		reads_granule(c, at + i, c->work.channel);
		line_fill(c, &c->work, misses[i]);
	}
	for (unsigned int i = 0; !n && !c->g->pool && c->finds && c->found <= at && c->g->taps > 1 && i < next->n; i++) {
		if (line_has(c, &c->find, next->granule[i]))
			continue;
		reads_granule(c, at, c->find.channel);
		line_fill(c, &c->find, next->granule[i]);
		break;
	}
	if (++c->work.tap == c->g->taps) {
		c->work.tap = 0;
		if (++c->work.channel == c->g->channels) {
			c->work.channel = 0;
			c->work.group++;
		}
	}
	return n ? n : 1;
}

/* The last column has left by `gone`. */
static void columns_end(struct columns *c, uint64_t start, uint64_t gone, struct vector_times *times)
{
	reads_nothing(c, gone);
	times->read_from = start + FIRST_WINDOWS + 1;
	times->read_to = gone + 1;
}

void vector_mac(struct cost_vector *v, const struct eie_cmd *cmd, const struct cost_work *work, uint64_t start, struct vector_times *times)
{
	const struct gather g = gather_of(v, cmd, false);
	const uint32_t columns = g.channels * g.taps;
	const bool split = CMD_GET(cmd, VMAC_SPLIT);
	uint64_t gone = 0, last_end = 0, first = v->nsent, last = 0;
	struct columns c;

	*times = (struct vector_times){ .first = NEVER };
	v->split.told = start;
	columns_start(&c, v, &g, start);
	for (size_t bit = 0; bit < (size_t)g.groups * columns; bit++) {
		uint32_t j = (uint32_t)(bit % columns);
		unsigned int slot = v->nsent % 4;
		uint64_t out;

		gone = column_begin(&c, gone);
		/* a place in the FIFO is there when the fourth column before has left it */
		if (v->nsent >= first + FIFO_DEPTH && gone < v->sent[slot])
			gone = v->sent[slot];
		gone += column_cycles(&c, gone);
		if (!work->live || !(split ? work->live[bit] : work->live[bit / 8] >> bit % 8 & 1))
			continue;
		out = most(gone + 2, sent_before(v, first, 1) + 1);
		out = split ? split_unheld(v, out) : unheld(v, out);
		if (split)
			split_push(v, &work->tile->column[(size_t)j * v->k], work->live[bit], out + 3);
		for (unsigned int n = 0; n < v->k && !split; n++) {
			const struct cost_column *column = &work->tile->column[(size_t)j * v->k + n];

			if (column->steps)
				add_job(v, &v->cluster[n], column, out + 3);
			v->counts[slot][n] = v->cluster[n].njobs;
		}
		v->sent[slot] = out;
		v->nsent++;
		last = out;
		if (times->first == NEVER)
			times->first = out + 1;
	}
	for (unsigned int n = 0; n < v->k && !split; n++)
		last_end = most(last_end, v->cluster[n].end);
	last_end = split ? split_end(v) : last_end;
	/* gather, take, FIFO are empty */
	times->idle = most(gone + 2, last + 1);
	columns_end(&c, start, gone, times);
	/* eie_compute.sv: broadcast, then a settling time; work is seen for five cycles more */
	times->complete = most(times->idle + 4, most(last ? last + 7 : 0, last_end + 5)) + 1;
}

int cost_vmac(const struct eie_params *params, const struct eie_cmd *cmd, const struct cost_work *work, uint64_t *cycles)
{
	struct cost_vector *v = malloc(sizeof(*v));
	struct vector_times times;
	int ret = v ? vector_new(v, params) : -ENOMEM;

	if (!ret) {
		split_reset(&v->split);
		vector_mac(v, cmd, work, 0, &times);
		*cycles = times.complete;
		vector_free(v);
	}
	free(v);
	return ret;
}

void vector_pool(const struct cost_vector *v, const struct eie_cmd *cmd, uint64_t start, struct vector_times *times)
{
	struct gather g = gather_of(v, cmd, true);
	uint64_t gone = 0, block_end = 0;
	struct columns c;

	g.channels /= v->k;   /* blocks */
	*times = (struct vector_times){ .first = NEVER };
	columns_start(&c, v, &g, start);
	for (uint32_t n = 0; n < g.groups * g.channels; n++) {
		for (uint32_t tap = 0; tap < g.taps; tap++) {
			gone = column_begin(&c, gone);
			/* the block before must have been written, but for two granules */
			if (tap == g.taps - 1 && block_end)
				gone = most(gone, block_end + v->k - 1);
			gone += column_cycles(&c, gone);
		}
		block_end = gone;
	}
	columns_end(&c, start, gone, times);
	times->idle = gone + v->k + 2;
	times->complete = times->idle + 4 + 1;
}

void vector_element(const struct eie_cmd *cmd, uint64_t start, struct vector_times *times)
{
	bool table = CMD_GET(cmd, OPCODE) == EIE_OP_VTABLE, channel = !table && CMD_GET(cmd, VMUL_CHANNEL);
	uint64_t groups = CMD_GET(cmd, VMUL_GROUPS), channels = CMD_GET(cmd, VMUL_CHANNELS);
	/* a granule a cycle; of the second operand as many, or one a channel; the table first */
	uint64_t reads = groups * channels + (table ? EIE_TABLE_GRANULES : channel ? channels : groups * channels);

	*times = (struct vector_times){ .first = NEVER };
	times->idle = start + reads + (table ? 5 : 6);
	times->complete = times->idle + 4 + 1;
}
