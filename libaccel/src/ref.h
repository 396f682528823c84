/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * Inside of the interpreter: ref.c runs jobs, ref_check.c judges commands, ref_select.c selects what is loaded, ref_scalar.c (MAC, DRAIN), ref_vector.c (VMAC, VDRAIN, VPOOL)
 * and ref_element.c (VMUL, VTABLE) compute.
 */
#ifndef ACCEL_REF_H
#define ACCEL_REF_H

#include "backend.h"

#define REF_NBUFS 5

struct ref_buffer {
	uint32_t depth;      /* granules a cluster */
	uint8_t *data;       /* all clusters, one after the other */
	uint8_t *written;    /* a flag a granule */
	size_t granules;
};

struct eie_ref {
	struct eie_params p;
	struct ref_buffer buf[REF_NBUFS];   /* by enum buf */
	int32_t *acc;               /* [2][clusters][rows]: scalar mode */
	int32_t *vacc;              /* [2][clusters][ref_vector_rows][8]: vector mode */
	bool vector[2];             /* mode of a half: which of the two holds its sums; the other is zero */
	bool used;                  /* asid means something */
	uint16_t asid;
	uint64_t resident;          /* of asid; 0: none */
	/* Told of each command before it runs: number `index` of `count`. Or NULL. */
	eie_ref_observer observe;
	void *observe_arg;
};

/* Tokens between two engines, named by giver and taker. */
enum { LOAD_COMPUTE, COMPUTE_LOAD, COMPUTE_STORE, STORE_COMPUTE, NTOKENS };

struct ref_run {
	struct eie_ref *ref;
	const struct eie_ref_mem *mem;
	uint32_t nbases;
	uint64_t bases[EIE_MAX_BASES];
	unsigned int tokens[NTOKENS];
	uint64_t cycle_limit, read_beats, write_beats, entries, granules, scanned, columns, steps;
	uint64_t macs, saturated, fault_addr;
	uint32_t commands;
};

/* Where the weights of a MAC or VMAC are, and which rows they may name. */
struct ref_tile {
	bool wide;
	uint32_t weights, codebook;   /* granules */
	uint32_t rows;
};

static inline bool ref_is_written(const struct ref_buffer *b, size_t granule)
{
	return b->written[granule];
}

static inline uint8_t *ref_granule(const struct ref_buffer *b, size_t granule)
{
	return b->data + granule * EIE_GRANULE_BYTES;
}

static inline bool ref_per_cluster(uint32_t target)
{
	return target == EIE_BUF_WBUF || target == EIE_BUF_PBUF || target == EIE_BUF_RBUF;
}

static inline uint32_t ref_codebook_granules(bool wide)
{
	return wide ? 32 : 2;
}

/* Rows of eight sums that a half holds in vector mode: fewer lanes than pixels hold several pixels each. */
static inline uint32_t ref_vector_rows(const struct eie_params *p)
{
	return p->lanes < EIE_GRANULE_VALUES ? p->rows * p->lanes / EIE_GRANULE_VALUES : p->rows;
}

/* Words of eight rows that a group of pixels takes in a half. */
static inline uint32_t ref_vector_words(uint32_t rows)
{
	return (rows + EIE_GRANULE_VALUES - 1) / EIE_GRANULE_VALUES;
}

static inline int16_t ref_load16(const uint8_t *p)
{
	return (int16_t)(p[0] | p[1] << 8);
}

static inline uint32_t ref_load32(const uint8_t *p)
{
	return p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static inline void ref_store16(uint8_t *p, int16_t value)
{
	p[0] = (uint8_t)value;
	p[1] = (uint8_t)((uint16_t)value >> 8);
}

/* ref.c: whether the job has done more than its cycle limit allows. */
bool ref_out_of_time(const struct ref_run *run);

/* ref.c: memory in bursts, for the address of a fault is the start of the burst. va is a multiple of 16. Returns an EIE_STATUS. */
uint32_t ref_transfer(struct ref_run *run, uint64_t va, void *data, size_t bytes, bool write);

/* ref_select.c. Returns an EIE_STATUS. */
uint32_t ref_select(struct ref_run *run, const struct eie_cmd *cmd);

/* ref_check.c: EIE_STATUS_OK, or how the command is malformed. */
uint32_t ref_check(const struct ref_run *run, const struct eie_cmd *cmd);

/*
 * ref_scalar.c. Each returns an EIE_STATUS.
 * ref_column: one column of one cluster times n activations: acc[row * n + i] += w * x[i]; pointer index: words from granule PTR on.
 * ref_param: the parameters of a row from RBUF granule `param` on.
 */
uint32_t ref_mac(struct ref_run *run, const struct eie_cmd *cmd);
uint32_t ref_drain(struct ref_run *run, const struct eie_cmd *cmd);
uint32_t ref_column(struct ref_run *run, const struct ref_tile *tile, uint32_t cluster, uint32_t ptr, uint32_t column, const int16_t *x,
		    unsigned int n, int32_t *acc);
struct ref_param {
	int32_t bias;
	uint16_t m;
	unsigned int s;
};
uint32_t ref_param(const struct ref_run *run, uint32_t cluster, uint32_t param, uint32_t row, struct ref_param *out);
/* The sums of a half in its mode; those of the other mode are forgotten. */
int32_t *ref_half(struct eie_ref *ref, unsigned int half, bool vector);

/* ref_vector.c */
uint32_t ref_vmac(struct ref_run *run, const struct eie_cmd *cmd);
uint32_t ref_vdrain(struct ref_run *run, const struct eie_cmd *cmd);
uint32_t ref_vpool(struct ref_run *run, const struct eie_cmd *cmd);

/* ref_element.c */
uint32_t ref_vmul(struct ref_run *run, const struct eie_cmd *cmd);
uint32_t ref_vtable(struct ref_run *run, const struct eie_cmd *cmd);

#endif
