// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Cycle model of vector mode (docs/vector_mode.md): what part of the weight slots, one a cluster and cycle, multiplies. It is what the
 * sizes of the gather units were chosen with; it says nothing about results.
 *
 * A gather unit takes every PORTS-th channel. In a cycle it reads one granule at the most, into a cache of LINES granules of its
 * channel, and forms one column at the most, which leaves for the queues of the clusters when all have room. A cluster takes one
 * weight a cycle, and the next column without a gap.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CLUSTERS 8
#define QUEUE    32
#define FLYING   3     /* cycles from a column's leaving to its place in the queues */
#define READAHEAD 4    /* columns that a unit may have formed ahead */

struct layer {
	const char *name;
	int in, out, kernel, stride, pad, size;   /* size: of the output, square */
};

struct unit {
	int channel, tap;          /* column that is formed next */
	long group;
	int line[16], at;          /* granules in the cache: of channel `owner`, oldest at `at` */
	int owner;
	int ready;                 /* columns formed and not sent */
	long sent_group;           /* of the next one to be sent */
	int sent_channel, sent_tap;
};

static uint64_t state = 88172645463325252ull;

static double random01(void)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (double)(state >> 11) / 9007199254740992.0;
}

struct row {
	int row, nonzeros;
};

static int heavier(const void *a, const void *b)
{
	return ((const struct row *)b)->nonzeros - ((const struct row *)a)->nonzeros;
}

/* Granules that a column needs and the cache does not have, at most `most` of them; they enter the cache. */
static int missing(const struct layer *l, struct unit *u, int lines, int width)
{
	int misses = 0;

	for (int i = 0; i < 8; i++) {
		long p = u->group * 8 + i;
		long y = p / l->size * l->stride - l->pad + u->tap / l->kernel, x = p % l->size * l->stride - l->pad + u->tap % l->kernel;
		int granule, have = 0;

		if (x < 0 || y < 0 || x >= width || y >= width || p >= (long)l->size * l->size)
			continue;
		granule = (int)((y * width + x) / 8);
		if (u->owner != u->channel) {
			memset(u->line, 0xff, sizeof(u->line));
			u->owner = u->channel;
		}
		for (int k = 0; k < lines; k++)
			have |= u->line[k] == granule;
		if (have)
			continue;
		u->line[u->at] = granule;
		u->at = (u->at + 1) % lines;
		misses++;
	}
	return misses;
}

static double simulate(const struct layer *l, int ports, int lines, double density, long ngroups, double *balance)
{
	int taps = l->kernel * l->kernel, width = (l->size - 1) * l->stride + l->kernel - 2 * l->pad;
	uint8_t *count = calloc((size_t)l->in * taps * CLUSTERS, 1);   /* entries of a column in a cluster */
	long load[CLUSTERS] = { 0 }, total = 0, most = 0, cycle = 0, done = 0;
	int rows[CLUSTERS] = { 0 }, limit = (l->out + 8 * CLUSTERS - 1) / (8 * CLUSTERS) * 8;
	struct unit u[4];
	int wait[4] = { 0 };
	static int queue[CLUSTERS][QUEUE + 16];
	int depth[CLUSTERS] = { 0 }, left[CLUSTERS] = { 0 };
	uint8_t *weights = malloc((size_t)l->out * l->in * taps);
	struct row *order = malloc((size_t)l->out * sizeof(*order));

	for (int i = 0; i < l->out * l->in * taps; i++)
		weights[i] = random01() < density;
	for (int r = 0; r < l->out; r++) {
		order[r] = (struct row){ r, 0 };
		for (int c = 0; c < l->in * taps; c++)
			order[r].nonzeros += weights[r * l->in * taps + c];
	}
	qsort(order, (size_t)l->out, sizeof(*order), heavier);
	/* as the compiler does: the heaviest row that is left to the cluster with least work, eight rows a drain step */
	for (int i = 0; i < l->out; i++) {
		int best = -1;

		for (int c = 0; c < CLUSTERS; c++)
			if (rows[c] < limit && (best < 0 || load[c] < load[best]))
				best = c;
		for (int c = 0; c < l->in * taps; c++)
			count[c * CLUSTERS + best] = (uint8_t)(count[c * CLUSTERS + best] + weights[order[i].row * l->in * taps + c]);
		load[best] += order[i].nonzeros;
		rows[best]++;
		total += order[i].nonzeros;
	}
	for (int c = 0; c < CLUSTERS; c++)
		most = load[c] > most ? load[c] : most;
	*balance = (double)most * CLUSTERS / (double)total;
	for (int p = 0; p < ports; p++)
		u[p] = (struct unit){ .channel = p, .owner = -1, .sent_channel = p };

	for (int busy = 1; busy; cycle++) {
		int room = 1;

		busy = 0;
		for (int c = 0; c < CLUSTERS; c++)
			room &= depth[c] <= QUEUE - 2 * FLYING;
		for (int p = 0; p < ports; p++) {
			if (room && u[p].ready) {
				const uint8_t *n = &count[(u[p].sent_channel * taps + u[p].sent_tap) * CLUSTERS];

				for (int c = 0; c < CLUSTERS; c++)
					if (n[c])
						queue[c][depth[c]++] = n[c];
				u[p].ready--;
				if (++u[p].sent_tap == taps) {
					u[p].sent_tap = 0;
					if ((u[p].sent_channel += ports) >= l->in) {
						u[p].sent_channel = p;
						u[p].sent_group++;
					}
				}
			}
			/* read and form */
			if (u[p].group < ngroups && u[p].channel < l->in && u[p].ready < READAHEAD) {
				if (!wait[p])
					wait[p] = 1 + missing(l, &u[p], lines, width);
				/* the column is formed in the cycle in which its last granule is read */
				if (wait[p] <= 2) {
					wait[p] = 0;
					u[p].ready++;
					if (++u[p].tap == taps) {
						u[p].tap = 0;
						if ((u[p].channel += ports) >= l->in) {
							u[p].channel = p;
							u[p].group++;
							u[p].owner = -1;
						}
					}
				} else {
					wait[p]--;
				}
			}
			busy |= u[p].ready || (u[p].group < ngroups && u[p].channel < l->in);
		}
		for (int c = 0; c < CLUSTERS; c++) {
			if (!left[c] && depth[c]) {
				left[c] = queue[c][0];
				memmove(&queue[c][0], &queue[c][1], sizeof(queue[c][0]) * (size_t)--depth[c]);
			}
			if (left[c]) {
				left[c]--;
				done++;
			}
			busy |= left[c] || depth[c];
		}
	}
	free(count);
	free(weights);
	free(order);
	return (double)done / ((double)cycle * CLUSTERS);
}

int main(void)
{
	static const struct layer layers[] = {
		{ "conv1 3x3/2", 3, 64, 3, 2, 0, 111 }, { "fire2/squeeze", 64, 16, 1, 1, 0, 55 }, { "fire2/expand1", 16, 64, 1, 1, 0, 55 },
		{ "fire2/expand3", 16, 64, 3, 1, 1, 55 }, { "fire3/squeeze", 128, 16, 1, 1, 0, 55 }, { "fire4/squeeze", 128, 32, 1, 1, 0, 27 },
		{ "fire4/expand1", 32, 128, 1, 1, 0, 27 }, { "fire4/expand3", 32, 128, 3, 1, 1, 27 },
		{ "fire5/squeeze", 256, 32, 1, 1, 0, 27 }, { "fire6/squeeze", 256, 48, 1, 1, 0, 13 },
		{ "fire6/expand1", 48, 192, 1, 1, 0, 13 }, { "fire6/expand3", 48, 192, 3, 1, 1, 13 },
		{ "fire8/expand3", 64, 256, 3, 1, 1, 13 }, { "conv10", 512, 1000, 1, 1, 0, 13 },
		{ "AlexNet conv1 11x11/4", 3, 96, 11, 4, 0, 55 }, { "3x3, few rows", 64, 8, 3, 1, 1, 27 },
	};

	printf("| layer | output | 1 unit, 1 line | 1, 4 | 1, 8 | 2, 1 | 2, 4 | 2, 8 | bound by rows |\n|---|---|---|---|---|---|---|---|---|\n");
	for (size_t i = 0; i < sizeof(layers) / sizeof(layers[0]); i++) {
		const struct layer *l = &layers[i];
		long groups = ((long)l->size * l->size + 7) / 8, work = (long)l->in * l->kernel * l->kernel;
		static const struct { int units, lines; } ways[] = { { 1, 1 }, { 1, 4 }, { 1, 8 }, { 2, 1 }, { 2, 4 }, { 2, 8 } };
		double balance;

		if (groups > 4000000 / work / 8 + 16)   /* enough of a large layer */
			groups = 4000000 / work / 8 + 16;
		printf("| %s, %d to %d | %dx%d |", l->name, l->in, l->out, l->size, l->size);
		for (size_t w = 0; w < sizeof(ways) / sizeof(ways[0]); w++) {
			state = 88172645463325252ull;   /* the same weights for all */
			printf(" %.3f |", simulate(l, ways[w].units, ways[w].lines, 0.33, groups, &balance));
		}
		printf(" %.3f |\n", 1 / balance);
	}
	return 0;
}
