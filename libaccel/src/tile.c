// SPDX-License-Identifier: GPL-2.0 OR MIT
#include <endian.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "stream.h"
#include "tile.h"

static uint32_t row_nonzeros(const struct accel_layer *layer, uint32_t row)
{
	return layer->rowptr[row + 1] - layer->rowptr[row];
}

/* ------------------------------------------------------------------ balance */

#define BROADCASTS  2      /* columns a cycle */
#define TAIL_SLACK  1.75   /* time of a small last tile to that of its broadcast, at least */
#define TAIL_SPARES 32     /* rows a cluster that it must spare the last drain */

struct bin {
	uint64_t load;
	uint32_t rows, index;
};

static bool bin_before(const struct bin *a, const struct bin *b)
{
	if (a->load != b->load)
		return a->load < b->load;
	return a->rows != b->rows ? a->rows < b->rows : a->index < b->index;
}

/* Restores the heap after heap[0] has grown. */
static void sift_down(struct bin *heap, uint32_t n)
{
	for (uint32_t i = 0, child; (child = 2 * i + 1) < n; i = child) {
		struct bin t = heap[i];

		if (child + 1 < n && bin_before(&heap[child + 1], &heap[child]))
			child++;
		if (!bin_before(&heap[child], &t))
			break;
		heap[i] = heap[child];
		heap[child] = t;
	}
}

struct weighted_row {
	uint32_t nonzeros, row;
};

static int heavier_first(const void *a, const void *b)
{
	const struct weighted_row *x = a, *y = b;

	if (x->nonzeros != y->nonzeros)
		return x->nonzeros < y->nonzeros ? 1 : -1;
	return x->row < y->row ? -1 : 1;
}

/*
 * Longest processing time first (Graham 1969): the heaviest row that is left goes to the bin with least work; a bin with `capacity`
 * rows takes no more. Fills bin_of[] by position in sorted order and returns the cost in cycles of the busiest clusters and drains.
 */
static double share_out(const struct weighted_row *sorted, uint32_t n, uint32_t nbins, uint32_t clusters, uint32_t lanes,
			uint32_t capacity, struct bin *heap, struct bin *full, uint32_t *bin_of, uint64_t *busiest)
{
	uint32_t open = nbins;
	double cost = 0;

	for (uint32_t b = 0; b < nbins; b++)
		heap[b] = (struct bin){ .index = b };
	for (uint32_t i = 0; i < n; i++) {
		heap[0].load += sorted[i].nonzeros;
		heap[0].rows++;
		bin_of[i] = heap[0].index;
		if (heap[0].rows == capacity) {
			full[heap[0].index] = heap[0];
			heap[0] = heap[--open];
		}
		sift_down(heap, open);
	}
	for (uint32_t b = 0; b < open; b++)
		full[heap[b].index] = heap[b];

	*busiest = 0;
	for (uint32_t t = 0; t < nbins / clusters; t++) {
		uint64_t load = 0;
		uint32_t rows = 0;

		for (uint32_t c = 0; c < clusters; c++) {
			const struct bin *b = &full[t * clusters + c];

			load = b->load > load ? b->load : load;
			rows = b->rows > rows ? b->rows : rows;
		}
		*busiest += load;
		cost += (double)load / lanes + (rows + 7) / 8;
	}
	return cost;
}

/*
 * A small last row tile leaves little to drain and to store when the array has finished; what the tiles before it made is stored meanwhile.
 * It has the heaviest rows, for they are the fewest, and more work than its columns take to be broadcast, two a cycle: short columns leave lanes idle
 * between them, so it shall last TAIL_SLACK times as long as that (from 1.25 to 3.5 were tried on EIE's nine layers). Returns 0 when it would be nearly as large as what one tile has, or spare little.
 */
static uint32_t tail_rows(const struct accel_layer *layer, const struct eie_params *params, const struct weighted_row *sorted, uint32_t row_limit)
{
	uint32_t k = params->clusters, n = layer->rows, tail = 0, whole = n < k * row_limit ? n : k * row_limit;
	double work = 0, enough = TAIL_SLACK * layer->cols / BROADCASTS * k * params->lanes;

	while (tail < n && (work < enough || tail % (8 * k)))
		work += sorted[tail++].nonzeros;
	return tail < whole / 2 && whole - tail >= TAIL_SPARES * k ? tail : 0;
}

static int place_rows(const struct accel_layer *layer, uint32_t clusters, const struct weighted_row *sorted,
		      const uint32_t *bin_of, struct tile_rows *rows)
{
	uint32_t nbins = rows->ntiles * clusters, *fill = calloc(nbins, sizeof(*fill));

	if (!fill)
		return -ENOMEM;
	for (uint32_t i = 0; i < layer->rows; i++)
		rows->bin_first[bin_of[i] + 1]++;
	for (uint32_t t = 0; t < rows->ntiles; t++) {
		for (uint32_t c = 0; c < clusters; c++) {
			uint32_t steps = (rows->bin_first[t * clusters + c + 1] + 7) / 8;

			rows->steps[t] = steps > rows->steps[t] ? steps : rows->steps[t];
		}
		rows->out[t] = rows->granules;
		rows->granules += rows->steps[t] * clusters;
	}
	for (uint32_t b = 0; b < nbins; b++)
		rows->bin_first[b + 1] += rows->bin_first[b];
	for (uint32_t i = 0; i < layer->rows; i++) {
		uint32_t bin = bin_of[i], local = fill[bin]++;
		uint32_t granule = rows->out[bin / clusters] + local / 8 * clusters + bin % clusters;

		rows->order[rows->bin_first[bin] + local] = sorted[i].row;
		rows->slot[sorted[i].row] = granule * 8 + local % 8;
	}
	free(fill);
	return 0;
}

static int rows_alloc(struct tile_rows *rows, uint32_t ntiles, uint32_t nbins, uint32_t n)
{
	*rows = (struct tile_rows){ .ntiles = ntiles };
	rows->steps = calloc(ntiles, sizeof(*rows->steps));
	rows->out = calloc(ntiles, sizeof(*rows->out));
	rows->bin_first = calloc((size_t)nbins + 1, sizeof(*rows->bin_first));
	rows->order = calloc(n, sizeof(*rows->order));
	rows->slot = calloc(n, sizeof(*rows->slot));
	return rows->steps && rows->out && rows->bin_first && rows->order && rows->slot ? 0 : -ENOMEM;
}

int tile_balance(const struct accel_layer *layer, const struct eie_params *params, uint32_t row_limit, bool tail, struct tile_rows *rows)
{
	uint32_t n = layer->rows, k = params->clusters, last, rest, nbins, capacity, best_capacity;
	struct weighted_row *sorted = malloc(n * sizeof(*sorted));
	struct bin *heap = NULL;
	uint32_t *bin_of = malloc(n * sizeof(*bin_of));
	uint64_t busiest, busiest_last = 0;
	double best = -1;
	int ret = -ENOMEM;

	*rows = (struct tile_rows){ 0 };
	if (!sorted || !bin_of)
		goto out;
	for (uint32_t r = 0; r < n; r++)
		sorted[r] = (struct weighted_row){ row_nonzeros(layer, r), r };
	qsort(sorted, n, sizeof(*sorted), heavier_first);

	last = tail ? tail_rows(layer, params, sorted, row_limit) : 0;
	rest = n - last;
	nbins = ((rest - 1) / (k * row_limit) + 1) * k;
	heap = malloc(2 * (size_t)(nbins + k) * sizeof(*heap));
	if (!heap || rows_alloc(rows, nbins / k + (last != 0), nbins + k, n))
		goto out;

	/* Few rows a bin keep the drain short; a few more let a bin of light rows make up for one of heavy rows. */
	capacity = best_capacity = ((rest - 1) / nbins + 8) / 8 * 8;
	for (;; capacity = capacity * 2 < row_limit ? capacity * 2 : row_limit) {
		double cost = share_out(sorted + last, rest, nbins, k, params->lanes, capacity, heap, heap + nbins, bin_of + last, &busiest);

		if (best < 0 || cost < best) {
			best = cost;
			best_capacity = capacity;
		}
		if (capacity == row_limit)
			break;
	}
	share_out(sorted + last, rest, nbins, k, params->lanes, best_capacity, heap, heap + nbins, bin_of + last, &busiest);
	if (last)
		share_out(sorted, last, k, k, params->lanes, last / k, heap, heap + k, bin_of, &busiest_last);
	for (uint32_t i = 0; i < last; i++)
		bin_of[i] += nbins;
	rows->balance = layer->nnz ? (double)(busiest + busiest_last) * k / (double)layer->nnz : 1;
	ret = place_rows(layer, k, sorted, bin_of, rows);
out:
	free(sorted);
	free(heap);
	free(bin_of);
	if (ret)
		tile_rows_free(rows);
	return ret;
}

/* Non-zeros of the busiest clusters, a tile after the other. */
static uint64_t busiest_of(const struct accel_layer *layer, uint32_t clusters, const struct tile_rows *rows)
{
	uint64_t sum = 0;

	for (uint32_t t = 0; t < rows->ntiles; t++) {
		uint64_t most = 0;

		for (uint32_t b = t * clusters; b < (t + 1) * clusters; b++) {
			uint64_t load = 0;

			for (uint32_t i = rows->bin_first[b]; i < rows->bin_first[b + 1]; i++)
				load += row_nonzeros(layer, rows->order[i]);
			most = load > most ? load : most;
		}
		sum += most;
	}
	return sum;
}

int tile_follow(const struct accel_layer *layer, const struct eie_params *params, uint32_t row_limit, const struct tile_rows *order, struct tile_rows *rows)
{
	uint32_t n = layer->rows, k = params->clusters, ntiles = order ? order->ntiles : (n - 1) / (k * row_limit) + 1, nbins = ntiles * k;
	struct weighted_row *in_order = malloc(n * sizeof(*in_order));
	uint32_t *bin_of = malloc(n * sizeof(*bin_of));
	int ret = rows_alloc(rows, ntiles, nbins, n);

	if (!in_order || !bin_of)
		ret = -ENOMEM;
	for (uint32_t b = 0; !ret && order && b < nbins; b++) {
		for (uint32_t i = order->bin_first[b]; i < order->bin_first[b + 1]; i++) {
			in_order[i].row = order->order[i];
			bin_of[i] = b;
		}
	}
	for (uint32_t r = 0; !ret && !order && r < n; r++) {
		in_order[r].row = r;
		bin_of[r] = r / (k * row_limit) * k + r % k;
	}
	ret = ret ? ret : place_rows(layer, k, in_order, bin_of, rows);
	if (!ret)
		rows->balance = layer->nnz ? (double)busiest_of(layer, k, rows) * k / (double)layer->nnz : 1;
	free(in_order);
	free(bin_of);
	if (ret)
		tile_rows_free(rows);
	return ret;
}

void tile_rows_free(struct tile_rows *rows)
{
	free(rows->steps);
	free(rows->out);
	free(rows->bin_first);
	free(rows->order);
	free(rows->slot);
	memset(rows, 0, sizeof(*rows));
}

/* ------------------------------------------------------------------- encode */

/* The non-zeros of one bin by column slot. */
struct csc {
	uint32_t *colptr, *row;   /* rows are local */
	uint8_t *code;
};

static void csc_free(struct csc *csc)
{
	free(csc->colptr);
	free(csc->row);
	free(csc->code);
	*csc = (struct csc){ 0 };
}

static int csc_build(const struct accel_layer *layer, const uint32_t *order, uint32_t nrows, const uint32_t *slot,
		     uint32_t ncols, struct csc *csc)
{
	uint64_t nnz = 0;
	uint32_t *colptr = calloc((size_t)ncols + 2, sizeof(*colptr));

	for (uint32_t i = 0; i < nrows; i++)
		nnz += row_nonzeros(layer, order[i]);
	*csc = (struct csc){ colptr, malloc((nnz + 1) * sizeof(*csc->row)), malloc(nnz + 1) };
	if (!colptr || !csc->row || !csc->code)
		return -ENOMEM;

	/* Counting sort, stable, so that rows increase within a column; counts are kept two places up and end one place up. */
	for (uint32_t i = 0; i < nrows; i++)
		for (uint32_t e = layer->rowptr[order[i]]; e < layer->rowptr[order[i] + 1]; e++)
			colptr[slot[layer->col[e]] + 2]++;
	for (uint32_t j = 0; j < ncols; j++)
		colptr[j + 2] += colptr[j + 1];
	for (uint32_t i = 0; i < nrows; i++) {
		for (uint32_t e = layer->rowptr[order[i]]; e < layer->rowptr[order[i] + 1]; e++) {
			uint32_t to = colptr[slot[layer->col[e]] + 1]++;

			csc->row[to] = i;
			csc->code[to] = layer->code[e];
		}
	}
	return 0;
}

/*
 * Where a column begins that may begin at entry `at` or behind it. Lanes read words of 16 bytes, two a cycle and cluster: aligned, a column begins at
 * the next word when it would otherwise lie in one word more than it needs. Short columns are bound by that.
 */
static uint64_t column_start(uint64_t at, uint32_t entries, bool wide, bool aligned)
{
	uint32_t word = EIE_GRANULE_BYTES / stream_unit(wide);

	if (aligned && at % word && (at % word + entries + word - 1) / word > (entries + word - 1) / word)
		at += word - at % word;
	return at;
}

static uint32_t column_entries(const struct csc *csc, uint32_t column, bool wide)
{
	uint32_t first = csc->colptr[column];

	return stream_entries(csc->row + first, csc->colptr[column + 1] - first, wide);
}

/* Appends zeroed bytes; *offset is where. */
static int append(struct tile_image *image, size_t bytes, size_t *offset)
{
	if (image->bytes + bytes > image->capacity) {
		size_t capacity = (image->bytes + bytes) * 2;
		uint8_t *data = realloc(image->data, capacity);

		if (!data)
			return -ENOMEM;
		image->data = data;
		image->capacity = capacity;
	}
	memset(image->data + image->bytes, 0, bytes);
	*offset = image->bytes;
	image->bytes += bytes;
	return 0;
}

static void put32(uint8_t *p, uint32_t value)
{
	value = htole32(value);
	memcpy(p, &value, sizeof(value));
}

/* Streams and pointers of units [first, first + units) for all clusters. */
static int encode_chunk(const struct csc *csc, uint32_t clusters, bool wide, uint32_t first, uint32_t units, const struct tile_limits *limits,
			uint32_t wlen, struct tile_image *image)
{
	const uint32_t unit = limits->unit;
	struct tile_chunk *chunk, *chunks = realloc(image->chunks, (image->nchunks + 1) * sizeof(*chunks));
	int ret;

	if (!chunks)
		return -ENOMEM;
	image->chunks = chunks;
	chunk = &chunks[image->nchunks];
	*chunk = (struct tile_chunk){ .first = first, .units = units, .wlen = wlen,
				       .plen = (units * unit + EIE_PTRS_PER_GRANULE - 1) / EIE_PTRS_PER_GRANULE };
	ret = append(image, (size_t)clusters * chunk->wlen * EIE_GRANULE_BYTES, &chunk->w_offset);
	ret = ret ? ret : append(image, (size_t)clusters * chunk->plen * EIE_GRANULE_BYTES, &chunk->p_offset);
	if (ret)
		return ret;
	image->nchunks++;
	image->wlen += chunk->wlen;
	image->plen += chunk->plen;

	for (uint32_t c = 0; c < clusters; c++) {
		uint8_t *w = image->data + chunk->w_offset + (size_t)c * chunk->wlen * EIE_GRANULE_BYTES;
		uint8_t *p = image->data + chunk->p_offset + (size_t)c * chunk->plen * EIE_GRANULE_BYTES;
		uint32_t start = 0;

		for (uint32_t j = 0; j < units * unit; j++) {
			uint32_t from = csc[c].colptr[first * unit + j], n = csc[c].colptr[first * unit + j + 1] - from;
			uint32_t entries = column_entries(&csc[c], first * unit + j, wide);

			start = (uint32_t)column_start(start, entries, wide, limits->aligned);
			stream_encode(csc[c].row + from, csc[c].code + from, n, wide, w + (size_t)start * stream_unit(wide));
			put32(p + (size_t)j * 4, stream_pointer(start, entries));
			start += entries;
			chunk->nonzeros += n;
		}
	}
	return 0;
}

/* Takes as many units from `first` on as the limits allow; returns their number and the longest stream in granules. */
static uint32_t measure_chunk(const struct csc *csc, uint32_t clusters, bool wide, uint32_t first, uint32_t units,
			      const struct tile_limits *limits, uint32_t *wlen)
{
	uint32_t pointers = limits->pbuf * EIE_PTRS_PER_GRANULE / limits->unit;
	uint32_t most = limits->input < pointers ? limits->input : pointers, n;
	uint64_t entries[16] = { 0 };   /* a cluster */

	*wlen = 0;
	for (n = 0; n < most && first + n < units; n++) {
		uint64_t next[16], longest = 0;

		for (uint32_t c = 0; c < clusters; c++) {
			next[c] = entries[c];
			for (uint32_t j = 0; j < limits->unit; j++) {
				uint32_t column = column_entries(&csc[c], (first + n) * limits->unit + j, wide);

				next[c] = column_start(next[c], column, wide, limits->aligned) + column;
			}
			longest = next[c] > longest ? next[c] : longest;
		}
		longest = (longest * stream_unit(wide) + EIE_GRANULE_BYTES - 1) / EIE_GRANULE_BYTES;
		if (longest > limits->wbuf)
			break;
		*wlen = (uint32_t)longest;
		memcpy(entries, next, sizeof(entries));
	}
	return n;
}

static int encode_params(const struct accel_layer *layer, uint32_t clusters, const struct tile_rows *rows, uint32_t t,
			 struct tile_image *image)
{
	struct tile_row *row = &image->rows[t];
	int ret;

	row->rlen = 4 * rows->steps[t];
	ret = append(image, (size_t)clusters * row->rlen * EIE_GRANULE_BYTES, &row->r_offset);
	if (ret)
		return ret;
	image->rlen += row->rlen;
	for (uint32_t c = 0; c < clusters; c++) {
		uint8_t *p = image->data + row->r_offset + (size_t)c * row->rlen * EIE_GRANULE_BYTES;
		const uint32_t *bin = &rows->bin_first[t * clusters + c];

		for (uint32_t i = 0; i < rows->steps[t] * 8; i++, p += 8) {
			p[6] = 1;   /* rows that pad the last steps: a legal shift, and zero for the rest */
			if (bin[0] + i < bin[1]) {
				uint32_t r = rows->order[bin[0] + i];

				put32(p, (uint32_t)layer->bias_q[r]);
				p[4] = (uint8_t)layer->mult[r];
				p[5] = (uint8_t)(layer->mult[r] >> 8);
				p[6] = layer->shift[r];
			}
		}
	}
	return 0;
}

static int encode_row_tile(const struct accel_layer *layer, const struct eie_params *params, const struct tile_rows *rows,
			   uint32_t t, const uint32_t *slot, uint32_t units, const struct tile_limits *limits,
			   struct tile_image *image)
{
	uint32_t k = params->clusters;
	bool wide = layer->code_bits == 8;
	struct csc csc[16] = { { 0 } };
	int ret = encode_params(layer, k, rows, t, image);

	for (uint32_t c = 0; !ret && c < k; c++) {
		const uint32_t *bin = &rows->bin_first[t * k + c];

		ret = csc_build(layer, rows->order + bin[0], bin[1] - bin[0], slot, units * limits->unit, &csc[c]);
	}
	image->rows[t].first_chunk = image->nchunks;
	for (uint32_t first = 0, n; !ret && first < units; first += n) {
		uint32_t wlen;

		n = measure_chunk(csc, k, wide, first, units, limits, &wlen);
		if (!n)
			ret = -E2BIG;   /* not with limits as told in tile.h */
		else if (wlen)
			ret = encode_chunk(csc, k, wide, first, n, limits, wlen, image);
	}
	image->rows[t].nchunks = image->nchunks - image->rows[t].first_chunk;
	for (uint32_t c = 0; c < k; c++)
		csc_free(&csc[c]);
	return ret;
}

int tile_encode(const struct accel_layer *layer, const struct eie_params *params, const struct tile_rows *rows,
		const uint32_t *slot, uint32_t units, const struct tile_limits *limits, struct tile_image *image)
{
	int ret = 0;

	*image = (struct tile_image){ .rows = calloc(rows->ntiles, sizeof(*image->rows)) };
	if (!image->rows)
		return -ENOMEM;
	for (uint32_t t = 0; !ret && t < rows->ntiles; t++)
		ret = encode_row_tile(layer, params, rows, t, slot, units, limits, image);
	if (ret)
		tile_image_free(image);
	return ret;
}

void tile_image_free(struct tile_image *image)
{
	free(image->rows);
	free(image->chunks);
	free(image->data);
	memset(image, 0, sizeof(*image));
}
