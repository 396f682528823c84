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
/* Columns in the FIFO behind the gather. */
#define FIFO_DEPTH 4

int vector_new(struct cost_vector *v, const struct eie_params *params)
{
	/* nothing reaches further than the longest command: a half's worth of groups times a buffer of columns would, but never does */
	const uint64_t cycles = (uint64_t)1 << 25;

	*v = (struct cost_vector){ .k = params->clusters, .jobs = params->jobs, .busy_mask = cycles - 1 };
	v->busy = calloc(cycles / 64, sizeof(*v->busy));
	return v->busy ? 0 : -ENOMEM;
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
	uint32_t kernel, taps, channels, groups, tail, width, height, origin, out_x, first;
	uint32_t dilate_x, dilate_y, stride_x, stride_y, pad_x, pad_y, kernel_x;
	unsigned int lines;
};

static struct gather gather_of(const struct eie_cmd *cmd, bool pool)
{
	/* VPOOL's fields lie in VMAC's bits */
	return (struct gather){
		.kernel_x = CMD_GET(cmd, VMAC_KERNEL_X), .taps = CMD_GET(cmd, VMAC_KERNEL_X) * CMD_GET(cmd, VMAC_KERNEL_Y),
		.channels = CMD_GET(cmd, VMAC_CHANNELS), .groups = CMD_GET(cmd, VMAC_GROUPS), .tail = CMD_GET(cmd, VMAC_TAIL),
		.width = CMD_GET(cmd, VMAC_IN_X), .height = CMD_GET(cmd, VMAC_IN_Y), .origin = CMD_GET(cmd, VMAC_ORIGIN),
		.out_x = CMD_GET(cmd, VMAC_OUT_X), .first = CMD_GET(cmd, VMAC_FIRST_Y) * CMD_GET(cmd, VMAC_OUT_X) + CMD_GET(cmd, VMAC_FIRST_X),
		.dilate_x = CMD_GET(cmd, VMAC_DILATE_X), .dilate_y = CMD_GET(cmd, VMAC_DILATE_Y), .stride_x = CMD_GET(cmd, VMAC_STRIDE_X),
		.stride_y = CMD_GET(cmd, VMAC_STRIDE_Y), .pad_x = CMD_GET(cmd, VMAC_PAD_X), .pad_y = CMD_GET(cmd, VMAC_PAD_Y),
		.lines = pool ? 0 : 4,
	};
}

/* Cycles that the gather takes for each place of the window: as many as it reads granules, at least one. The same in all channels. */
static void tap_cycles(const struct gather *g, uint32_t group, uint8_t *cycles)
{
	unsigned int n = group == g->groups - 1 && g->tail ? g->tail : EIE_GRANULE_VALUES, fill = 0;
	int64_t line[4] = { -1, -1, -1, -1 };

	for (uint32_t tap = 0; tap < g->taps; tap++) {
		int64_t need[EIE_GRANULE_VALUES];
		unsigned int left = 0;

		for (unsigned int l = 0; l < n; l++) {
			uint32_t number = g->first + group * EIE_GRANULE_VALUES + l;
			int64_t x = (int64_t)(number % g->out_x * g->stride_x) - g->pad_x + tap % g->kernel_x * g->dilate_x;
			int64_t y = (int64_t)(number / g->out_x * g->stride_y) - g->pad_y + tap / g->kernel_x * g->dilate_y;

			if (x >= 0 && y >= 0 && x < g->width && y < g->height)
				need[left++] = (g->origin + y * g->width + x) / EIE_GRANULE_VALUES;
		}
		cycles[tap] = 0;
		do {
			unsigned int still = 0;
			int64_t want = -1;

			for (unsigned int i = 0; i < left; i++) {
				bool hit = false;

				for (unsigned int k = 0; k < g->lines; k++)
					hit |= line[k] == need[i];
				if (hit)
					continue;
				if (want < 0)
					want = need[i];
				if (need[i] != want)
					need[still++] = need[i];
			}
			left = still;
			if (want >= 0 && g->lines)
				line[fill++ % g->lines] = want;
			cycles[tap]++;
		} while (left);
	}
}

void vector_mac(struct cost_vector *v, const struct eie_cmd *cmd, const struct cost_work *work, uint64_t start, struct vector_times *times)
{
	const struct gather g = gather_of(cmd, false);
	const uint32_t columns = g.channels * g.taps;
	const bool split = CMD_GET(cmd, VMAC_SPLIT);
	uint64_t windows = start + FIRST_WINDOWS, begin, gone = 0, last_end = 0, first = v->nsent, last = 0;
	uint8_t cycles[15 * 15 + 1];

	*times = (struct vector_times){ .first = NEVER };
	v->split.told = start;
	gone = windows;
	for (uint32_t group = 0; group < g.groups; group++) {
		uint32_t tap = 0;

		/* the next group begins behind the last column, when its windows are known */
		begin = most(gone, windows);
		windows = begin + NEXT_WINDOWS;
		gone = begin;
		tap_cycles(&g, group, cycles);
		for (uint32_t j = 0; j < columns; j++) {
			size_t bit = (size_t)group * columns + j;
			unsigned int slot = v->nsent % 4;
			uint64_t out;

			/* a place in the FIFO is there when the fourth column before has left it */
			if (v->nsent >= first + FIFO_DEPTH && gone < v->sent[slot])
				gone = v->sent[slot];
			gone += cycles[tap];
			tap = tap + 1 == g.taps ? 0 : tap + 1;
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
	}
	for (unsigned int n = 0; n < v->k && !split; n++)
		last_end = most(last_end, v->cluster[n].end);
	last_end = split ? split_end(v) : last_end;
	/* gather, take, FIFO are empty */
	times->idle = most(gone + 2, last + 1);
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
		free(v->busy);
	}
	free(v);
	return ret;
}

void vector_pool(const struct cost_vector *v, const struct eie_cmd *cmd, uint64_t start, struct vector_times *times)
{
	const struct gather g = gather_of(cmd, true);
	const uint32_t blocks = g.channels / v->k;
	uint64_t windows = start + FIRST_WINDOWS, gone = windows, block_end = 0;
	uint8_t cycles[15 * 15 + 1];

	*times = (struct vector_times){ .first = NEVER, .read_from = windows + 1 };
	for (uint32_t group = 0; group < g.groups; group++) {
		uint64_t sum = 0, begin = most(gone, windows);

		windows = begin + NEXT_WINDOWS;
		gone = begin;
		tap_cycles(&g, group, cycles);
		for (uint32_t tap = 0; tap < g.taps; tap++)
			sum += cycles[tap];
		for (uint32_t b = 0; b < blocks; b++) {
			/* the block before must have been written, but for two granules */
			uint64_t taps = gone + sum - cycles[g.taps - 1];

			gone = (block_end ? most(taps, block_end + v->k - 1) : taps) + cycles[g.taps - 1];
			block_end = gone;
		}
	}
	times->read_to = gone + 1;
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
