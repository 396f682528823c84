// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Tasks of vector mode: the jobs of tests/lib/{vector,pool,element}_job.h, at other places of chip and memory, in other order. */
#include "element_job.h"
#include "pool_job.h"
#include "random_job.h"

#define DATA 0x1000u   /* where a vjob's memory holds data: behind base table and commands */

/* A task under construction. */
struct task {
	struct random_job *j;
	struct rng *r;
	struct vjob *v;
	uint64_t mem;                          /* granule of the vjob's data */
	uint32_t in, in_len, b, b_len, out;    /* granules of ABUF; b: second operand */
	uint32_t out_len;                      /* 0: in place of an operand */
	uint32_t channels, plane, groups;      /* of the output; channels 0 when there is none */
};

static uint32_t min_u32(uint32_t a, uint32_t b)
{
	return a < b ? a : b;
}

/* Most tasks small, some as large as allowed. Two granules of ABUF are not a program's. */
static struct eie_params limits(const struct eie_params *p, bool big)
{
	struct eie_params small = *p;

	small.abuf = min_u32(p->abuf, big ? 4096 : 512) - 2 * p->clusters;
	small.wbuf = min_u32(p->wbuf, big ? 1024 : 128);
	return small;
}

static bool overlap(uint32_t a, uint32_t a_len, uint32_t b, uint32_t b_len)
{
	return a < b + b_len && b < a + a_len;
}

static bool out_is_free(const struct task *t)
{
	return !overlap(t->out, t->out_len, t->in, t->in_len) && !overlap(t->out, t->out_len, t->b, t->b_len);
}

static uint32_t somewhere(const struct task *t, uint32_t len)
{
	return random_place(t->j, t->r, EIE_BUF_ABUF, len, t->j->pg.p.clusters);
}

/* The output's place, and those of operands that are to be loaded; false when what lies fast leaves no room. */
static bool place(struct task *t, bool in_is_fast)
{
	for (unsigned int i = 0; i < 50; i++) {
		if (!in_is_fast)
			t->in = somewhere(t, t->in_len);
		t->b = t->b_len ? somewhere(t, t->b_len) : 0;
		t->out = somewhere(t, t->out_len);
		if (out_is_free(t) && !overlap(t->in, t->in_len, t->b, t->b_len))
			return true;
	}
	return false;
}

/* The vjob's LOAD or STORE at other places. */
static struct pg_xfer moved(const struct task *t, const struct eie_cmd *c, uint32_t addr)
{
	return (struct pg_xfer){ .buf = CMD_GET(c, XFER_TARGET), .addr = addr, .len = CMD_GET(c, XFER_LEN), .rows = CMD_GET(c, XFER_ROWS),
				 .buf_stride = CMD_GET(c, XFER_BUF_STRIDE), .mem = t->mem + (CMD_GET(c, XFER_OFFSET) - DATA) / EIE_GRANULE_BYTES,
				 .mem_stride = CMD_GET(c, XFER_MEM_STRIDE) / EIE_GRANULE_BYTES };
}

static bool load(struct task *t, unsigned int cmd, uint32_t addr)
{
	struct pg_xfer x = moved(t, &t->v->cmd[cmd], addr);

	return random_load(t->j, t->r, &x);
}

/* Loads granules for a cluster buffer or CBUF to any place of it, which is returned; false when there was no more room. */
static bool load_any(struct task *t, unsigned int cmd, uint32_t align, uint32_t *addr)
{
	const struct eie_cmd *c = &t->v->cmd[cmd];

	*addr = random_place(t->j, t->r, CMD_GET(c, XFER_TARGET), CMD_GET(c, XFER_LEN), align);
	return load(t, cmd, *addr);
}

static bool store(struct task *t, unsigned int cmd)
{
	struct pg_xfer x = moved(t, &t->v->cmd[cmd], t->out);

	x.buf_stride = t->plane * t->j->pg.p.clusters;
	return !rng_permille(t->r, 900) || pg_store(&t->j->pg, &x);
}

/* The vjob's data into the job's memory. */
static bool take_data(struct task *t)
{
	uint64_t granules = (t->v->used - DATA) / EIE_GRANULE_BYTES;

	if (!random_take(t->j, granules, &t->mem))
		return false;
	memcpy(t->j->mem + t->mem * EIE_GRANULE_BYTES, t->v->memory + DATA, granules * EIE_GRANULE_BYTES);
	return true;
}

/* An image of the geometry's that lies in what is there. */
static void shrink(struct vgeometry *g, const struct random_image *image)
{
	g->channels = min_u32(g->channels, image->channels);
	g->width = min_u32(g->width, 8 * image->groups - g->origin);
	g->height = min_u32(g->height, (8 * image->groups - g->origin) / g->width);
}

static void strip(struct eie_cmd *c)
{
	CMD_SET(c, WAIT_PREV, 0);
	CMD_SET(c, SIGNAL_NEXT, 0);
}

static bool convolution(struct task *t, bool given)
{
	const struct vgeometry *g = &t->v->g;
	struct eie_cmd vmac = t->v->cmd[VJOB_VMAC], vdrain = t->v->cmd[VJOB_VDRAIN];
	uint32_t weights, ptr, codebook, param, half = rng_range(t->r, 0, 1);

	strip(&vmac);
	strip(&vdrain);
	if ((!given && !load(t, VJOB_LOAD_IN, t->in)) || !load_any(t, VJOB_LOAD_W, 1, &weights) || !load_any(t, VJOB_LOAD_P, 1, &ptr) ||
	    !load_any(t, VJOB_LOAD_C, g->wide ? 32 : 2, &codebook))
		return false;
	CMD_SET(&vmac, VMAC_HALF, half);
	CMD_SET(&vmac, VMAC_IN, t->in);
	CMD_SET(&vmac, VMAC_PLANE, t->in_len / vround(g->channels, t->v->p.clusters));
	CMD_SET(&vmac, VMAC_WEIGHTS, weights);
	CMD_SET(&vmac, VMAC_PTR, ptr);
	CMD_SET(&vmac, VMAC_CODEBOOK, codebook);
	for (unsigned int n = rng_permille(t->r, 200) ? 2 : 1; n; n--)
		if (!pg_vector(&t->j->pg, &vmac, CMD_GET(&t->v->cmd[VJOB_LOAD_W], XFER_LEN)))
			return false;
	/* sums may stay: for the next VDRAIN of the half, or for nobody when a MAC or DRAIN comes first */
	if (rng_permille(t->r, 80)) {
		t->channels = 0;
		return true;
	}
	if (!load_any(t, VJOB_LOAD_R, 1, &param))
		return false;
	CMD_SET(&vdrain, VDRAIN_HALF, half);
	CMD_SET(&vdrain, VDRAIN_OUT, t->out);
	CMD_SET(&vdrain, VDRAIN_PARAM, param);
	return pg_vector(&t->j->pg, &vdrain, 0) && store(t, VJOB_STORE);
}

static bool pooling(struct task *t, bool given)
{
	struct eie_cmd c = t->v->cmd[POOL_VPOOL];

	strip(&c);
	CMD_SET(&c, VPOOL_IN, t->in);
	CMD_SET(&c, VPOOL_PLANE, t->in_len / t->channels);
	CMD_SET(&c, VPOOL_OUT, t->out);
	return (given || load(t, POOL_LOAD, t->in)) && pg_vector(&t->j->pg, &c, 0) && store(t, POOL_STORE);
}

static bool product_or_table(struct task *t, bool given)
{
	struct pg_xfer b = moved(t, &t->v->cmd[ELEMENT_LOAD_B], t->b);
	struct eie_cmd c = t->v->cmd[ELEMENT_OP];

	/* no granule that nothing reads: its token would be left over, where tests want a job to wait for one in vain */
	if (CMD_GET(&c, OPCODE) == EIE_OP_VTABLE)
		b.len = EIE_TABLE_GRANULES;
	strip(&c);
	CMD_SET(&c, VMUL_IN, t->in);
	CMD_SET(&c, VMUL_PLANE, t->in_len / t->channels);
	CMD_SET(&c, VMUL_OUT, t->out);
	CMD_SET(&c, VMUL_OUT_PLANE, t->plane);
	if (CMD_GET(&c, OPCODE) == EIE_OP_VTABLE)
		CMD_SET(&c, VTABLE_TABLE, t->b);
	else
		CMD_SET(&c, VMUL_B, t->b);
	return (given || load(t, ELEMENT_LOAD_A, t->in)) && random_load(t->j, t->r, &b) && pg_vector(&t->j->pg, &c, 0) &&
	       store(t, ELEMENT_STORE);
}

enum kind { CONVOLUTION, POOLING, ELEMENT };

/* A job begins with a convolution, mostly; the others follow. */
static enum kind some_kind(struct rng *r, bool first)
{
	unsigned int k = rng_range(r, 0, first ? 23 : 5);

	return k < 2 ? POOLING : k < 4 ? ELEMENT : CONVOLUTION;
}

/* A vjob for t->v, and what the task needs of ABUF; given, if not NULL, is its input. */
static void make(const struct eie_params *p, struct rng *r, enum kind kind, const struct random_image *given, struct task *t)
{
	uint64_t seed = rng_next(r), data = rng_next(r);
	uint32_t k = p->clusters;

	if (kind == ELEMENT) {
		struct element e = element_random(p, &seed);

		if (given) {
			e.channels = min_u32(e.channels, given->channels);
			e.groups = min_u32(e.groups, given->groups);
		}
		t->in_len = e.channels * (given ? given->plane : e.plane);
		t->b_len = element_b_granules(&e, p);
		t->plane = e.in_place ? t->in_len / e.channels : e.out_plane;
		t->channels = e.channels;
		t->groups = e.groups;
		t->out_len = e.in_place || e.into_b ? 0 : t->channels * t->plane;
		t->v = element_new(p, &e, data);
	} else {
		struct vgeometry g = vgeometry_random(p, &seed);

		if (given)
			shrink(&g, given);
		t->in_len = vround(g.channels, k) * (given ? given->plane : g.plane);
		t->plane = g.out_plane;
		t->channels = kind == POOLING ? vround(g.channels, k) : g.rows * k;
		t->groups = g.groups;
		t->out_len = t->channels * t->plane;
		t->v = kind == POOLING ? pool_new(p, &g, data) : vjob_new(p, &g, data);
	}
}

bool random_vector_task(struct random_job *j, struct rng *r, bool big, struct random_image *image, struct random_vector *vector)
{
	struct eie_params p = limits(&j->pg.p, big);
	bool given = image->channels && rng_permille(r, 600);
	enum kind kind = some_kind(r, !image->channels);
	struct task t = { .j = j, .r = r, .in = given ? image->granule : 0 };
	bool ok = true;

	make(&p, r, kind, given ? image : NULL, &t);
	if (place(&t, given)) {
		if (!t.out_len)   /* in place, of the first operand or of the second */
			t.out = CMD_GET(&t.v->cmd[ELEMENT_OP], VMUL_OUT) ? t.b : t.in;
		ok = take_data(&t) && (kind == CONVOLUTION ? convolution(&t, given) : kind == POOLING ? pooling(&t, given) :
											       product_or_table(&t, given));
		if (ok) {
			*image = (struct random_image){ t.out, t.channels, t.plane, t.groups };
			*vector = (struct random_vector){ t.out, t.plane == t.groups ? t.channels * t.plane : 0 };
		}
	}
	vjob_free(t.v);
	return ok;
}

struct eie_cmd random_vector_command(const struct eie_params *p, struct rng *r)
{
	struct eie_params small = limits(p, false);
	enum kind kind = some_kind(r, false);
	struct task t = { 0 };
	struct eie_cmd c;

	make(&small, r, kind, NULL, &t);
	if (kind == ELEMENT)
		c = t.v->cmd[ELEMENT_OP];
	else if (kind == POOLING)
		c = t.v->cmd[POOL_VPOOL];
	else
		c = t.v->cmd[rng_permille(r, 500) ? VJOB_VMAC : VJOB_VDRAIN];
	vjob_free(t.v);
	return c;
}
