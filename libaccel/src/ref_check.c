// SPDX-License-Identifier: GPL-2.0 OR MIT
/* The interpreter's checks of a command that need nothing but the command, the hardware's parameters and the bases. */
#include "commands.h"
#include "ref.h"

#define BIT_OF(field) { EIE_CMD_##field##_DW, (uint32_t)EIE_CMD_##field##_MASK << EIE_CMD_##field##_SHIFT }

struct bits {
	unsigned int dw;
	uint32_t mask;
};

static const struct bits load_bits[] = {
	BIT_OF(OPCODE), BIT_OF(WAIT_NEXT), BIT_OF(SIGNAL_NEXT), BIT_OF(XFER_TARGET), BIT_OF(XFER_BASE), BIT_OF(XFER_OFFSET),
	BIT_OF(XFER_CLUSTER), BIT_OF(XFER_ADDR), BIT_OF(XFER_LEN), BIT_OF(XFER_MEM_STRIDE), BIT_OF(XFER_BUF_STRIDE),
	BIT_OF(XFER_ROWS), { 0, 0 }
};
static const struct bits store_bits[] = {
	BIT_OF(OPCODE), BIT_OF(WAIT_PREV), BIT_OF(SIGNAL_PREV), BIT_OF(XFER_TARGET), BIT_OF(XFER_BASE), BIT_OF(XFER_OFFSET),
	BIT_OF(XFER_CLUSTER), BIT_OF(XFER_ADDR), BIT_OF(XFER_LEN), BIT_OF(XFER_MEM_STRIDE), BIT_OF(XFER_BUF_STRIDE),
	BIT_OF(XFER_ROWS), { 0, 0 }
};
static const struct bits select_bits[] = {
	BIT_OF(OPCODE), BIT_OF(WAIT_NEXT), BIT_OF(SIGNAL_NEXT), BIT_OF(FENCE), BIT_OF(XFER_TARGET), BIT_OF(SELECT_WIDE), BIT_OF(XFER_BASE),
	BIT_OF(XFER_OFFSET), BIT_OF(XFER_CLUSTER), BIT_OF(SELECT_IN), BIT_OF(XFER_ADDR), BIT_OF(XFER_LEN), BIT_OF(XFER_MEM_STRIDE),
	BIT_OF(SELECT_PTR), BIT_OF(XFER_ROWS), BIT_OF(SELECT_LEN), { 0, 0 }
};
#define COMPUTE_BITS \
	BIT_OF(OPCODE), BIT_OF(WAIT_PREV), BIT_OF(WAIT_NEXT), BIT_OF(SIGNAL_PREV), BIT_OF(SIGNAL_NEXT), BIT_OF(FENCE)
static const struct bits sync_bits[] = { COMPUTE_BITS, { 0, 0 } };
static const struct bits mac_bits[] = {
	COMPUTE_BITS, BIT_OF(MAC_HALF), BIT_OF(MAC_WIDE), BIT_OF(MAC_IN), BIT_OF(MAC_LEN), BIT_OF(MAC_PTR), BIT_OF(MAC_WEIGHTS),
	BIT_OF(MAC_CODEBOOK), { 0, 0 }
};
static const struct bits drain_bits[] = {
	COMPUTE_BITS, BIT_OF(DRAIN_HALF), BIT_OF(DRAIN_OUT), BIT_OF(DRAIN_STRIDE), BIT_OF(DRAIN_STEPS), BIT_OF(DRAIN_PARAM),
	BIT_OF(DRAIN_LO), BIT_OF(DRAIN_HI), { 0, 0 }
};

static const struct bits vmac_bits[] = {
	COMPUTE_BITS, BIT_OF(VMAC_HALF), BIT_OF(VMAC_WIDE), BIT_OF(VMAC_ORIGIN), BIT_OF(VMAC_CODEBOOK), BIT_OF(VMAC_IN),
	BIT_OF(VMAC_KERNEL_Y), BIT_OF(VMAC_KERNEL_X), BIT_OF(VMAC_PTR), BIT_OF(VMAC_WEIGHTS), BIT_OF(VMAC_PLANE),
	BIT_OF(VMAC_CHANNELS), BIT_OF(VMAC_IN_X), BIT_OF(VMAC_IN_Y), BIT_OF(VMAC_STRIDE_X), BIT_OF(VMAC_STRIDE_Y),
	BIT_OF(VMAC_OUT_X), BIT_OF(VMAC_ROWS), BIT_OF(VMAC_DILATE_X), BIT_OF(VMAC_DILATE_Y), BIT_OF(VMAC_FIRST_X),
	BIT_OF(VMAC_FIRST_Y), BIT_OF(VMAC_PAD_X), BIT_OF(VMAC_GROUPS), BIT_OF(VMAC_PAD_Y), BIT_OF(VMAC_TAIL), BIT_OF(VMAC_SPLIT), { 0, 0 }
};
static const struct bits vdrain_bits[] = {
	COMPUTE_BITS, BIT_OF(VDRAIN_HALF), BIT_OF(VDRAIN_TAIL), BIT_OF(VDRAIN_OUT), BIT_OF(VDRAIN_PLANE), BIT_OF(VDRAIN_ROWS),
	BIT_OF(VDRAIN_GROUPS), BIT_OF(VDRAIN_PARAM), BIT_OF(VDRAIN_LO), BIT_OF(VDRAIN_HI), { 0, 0 }
};

static const struct bits vpool_bits[] = {
	COMPUTE_BITS, BIT_OF(VPOOL_SUM), BIT_OF(VPOOL_SHIFT), BIT_OF(VPOOL_ORIGIN), BIT_OF(VPOOL_IN), BIT_OF(VPOOL_KERNEL_Y), BIT_OF(VPOOL_KERNEL_X), BIT_OF(VPOOL_OUT),
	BIT_OF(VPOOL_PLANE), BIT_OF(VPOOL_CHANNELS), BIT_OF(VPOOL_IN_X), BIT_OF(VPOOL_IN_Y), BIT_OF(VPOOL_STRIDE_X),
	BIT_OF(VPOOL_STRIDE_Y), BIT_OF(VPOOL_OUT_X), BIT_OF(VPOOL_OUT_PLANE), BIT_OF(VPOOL_DILATE_X), BIT_OF(VPOOL_DILATE_Y),
	BIT_OF(VPOOL_FIRST_X), BIT_OF(VPOOL_FIRST_Y), BIT_OF(VPOOL_PAD_X), BIT_OF(VPOOL_GROUPS), BIT_OF(VPOOL_PAD_Y), BIT_OF(VPOOL_TAIL),
	{ 0, 0 }
};

static const struct bits vmul_bits[] = {
	COMPUTE_BITS, BIT_OF(VMUL_CHANNEL), BIT_OF(VMUL_TAIL), BIT_OF(VMUL_IN), BIT_OF(VMUL_S), BIT_OF(VMUL_B), BIT_OF(VMUL_PLANE),
	BIT_OF(VMUL_CHANNELS), BIT_OF(VMUL_OUT), BIT_OF(VMUL_LO), BIT_OF(VMUL_HI), BIT_OF(VMUL_M), BIT_OF(VMUL_B_PLANE),
	BIT_OF(VMUL_GROUPS), BIT_OF(VMUL_OUT_PLANE), { 0, 0 }
};
static const struct bits vtable_bits[] = {
	COMPUTE_BITS, BIT_OF(VTABLE_TAIL), BIT_OF(VTABLE_IN), BIT_OF(VTABLE_TABLE), BIT_OF(VTABLE_PLANE), BIT_OF(VTABLE_CHANNELS),
	BIT_OF(VTABLE_OUT), BIT_OF(VTABLE_GROUPS), BIT_OF(VTABLE_OUT_PLANE), { 0, 0 }
};

static bool has_other_bits(const struct eie_cmd *cmd, const struct bits *known)
{
	struct eie_cmd rest = *cmd;
	uint32_t any = 0;

	for (; known->mask; known++)
		rest.dw[known->dw] &= htole32(~known->mask);
	for (int i = 0; i < 8; i++)
		any |= rest.dw[i];
	return any;
}

static bool misaligned(const struct ref_run *run, const struct eie_cmd *cmd)
{
	return (CMD_GET(cmd, XFER_OFFSET) | CMD_GET(cmd, XFER_MEM_STRIDE) | run->bases[CMD_GET(cmd, XFER_BASE)]) % EIE_GRANULE_BYTES;
}

static uint32_t check_xfer(const struct ref_run *run, const struct eie_cmd *cmd)
{
	const struct eie_params *p = &run->ref->p;
	uint32_t target = CMD_GET(cmd, XFER_TARGET), rows = CMD_GET(cmd, XFER_ROWS), len = CMD_GET(cmd, XFER_LEN);
	uint32_t cluster = CMD_GET(cmd, XFER_CLUSTER), stride = CMD_GET(cmd, XFER_BUF_STRIDE);
	uint64_t last;

	if (has_other_bits(cmd, CMD_GET(cmd, OPCODE) == EIE_OP_LOAD ? load_bits : store_bits) || target >= REF_NBUFS ||
	    (CMD_GET(cmd, OPCODE) == EIE_OP_STORE && target != EIE_BUF_ABUF) || !len || !rows)
		return EIE_STATUS_BAD_COMMAND;
	if (ref_per_cluster(target) ? stride : cluster)
		return EIE_STATUS_BAD_COMMAND;

	last = (uint64_t)CMD_GET(cmd, XFER_ADDR) + len;
	if (ref_per_cluster(target) ? cluster + rows > p->clusters : 0)
		return EIE_STATUS_BAD_RANGE;
	if (!ref_per_cluster(target))
		last += (uint64_t)(rows - 1) * stride;
	if (last > run->ref->buf[target].depth || CMD_GET(cmd, XFER_BASE) >= run->nbases)
		return EIE_STATUS_BAD_RANGE;

	return misaligned(run, cmd) ? EIE_STATUS_MISALIGNED : EIE_STATUS_OK;
}

static uint32_t check_select(const struct ref_run *run, const struct eie_cmd *cmd)
{
	const struct eie_params *p = &run->ref->p;
	uint32_t target = CMD_GET(cmd, XFER_TARGET), rows = CMD_GET(cmd, XFER_ROWS), len = CMD_GET(cmd, XFER_LEN);
	uint32_t columns = CMD_GET(cmd, SELECT_LEN), ptr = CMD_GET(cmd, SELECT_PTR);
	bool pointers = target == EIE_BUF_PBUF;

	if (has_other_bits(cmd, select_bits) || (target != EIE_BUF_WBUF && !pointers) || !len || !rows || !columns ||
	    (pointers && (ptr || CMD_GET(cmd, SELECT_WIDE) || len != 2 * columns)))
		return EIE_STATUS_BAD_COMMAND;
	if (CMD_GET(cmd, XFER_CLUSTER) + rows > p->clusters || (uint64_t)CMD_GET(cmd, XFER_ADDR) + len > run->ref->buf[target].depth ||
	    (uint64_t)CMD_GET(cmd, SELECT_IN) + columns > p->abuf || (!pointers && (uint64_t)ptr + 2 * columns > p->pbuf) ||
	    CMD_GET(cmd, XFER_BASE) >= run->nbases)
		return EIE_STATUS_BAD_RANGE;
	return misaligned(run, cmd) ? EIE_STATUS_MISALIGNED : EIE_STATUS_OK;
}

static bool bad_codebook(uint32_t first, bool wide)
{
	uint32_t granules = ref_codebook_granules(wide);

	return first % granules || first + granules > EIE_CBUF_GRANULES;
}

static uint32_t check_mac(const struct ref_run *run, const struct eie_cmd *cmd)
{
	const struct eie_params *p = &run->ref->p;
	uint64_t len = CMD_GET(cmd, MAC_LEN);

	if (has_other_bits(cmd, mac_bits) || !len)
		return EIE_STATUS_BAD_COMMAND;
	if (CMD_GET(cmd, MAC_IN) + len > p->abuf || CMD_GET(cmd, MAC_PTR) + 2 * len > p->pbuf ||
	    CMD_GET(cmd, MAC_WEIGHTS) >= p->wbuf || bad_codebook(CMD_GET(cmd, MAC_CODEBOOK), CMD_GET(cmd, MAC_WIDE)))
		return EIE_STATUS_BAD_RANGE;
	return EIE_STATUS_OK;
}

static bool bad_clamp(int16_t lo, int16_t hi)
{
	return lo > hi || lo == INT16_MIN;
}

static uint32_t check_drain(const struct ref_run *run, const struct eie_cmd *cmd)
{
	const struct eie_params *p = &run->ref->p;
	uint64_t out = CMD_GET(cmd, DRAIN_OUT), stride = CMD_GET(cmd, DRAIN_STRIDE), steps = CMD_GET(cmd, DRAIN_STEPS);

	if (has_other_bits(cmd, drain_bits) || !steps || stride < p->clusters ||
	    bad_clamp((int16_t)CMD_GET(cmd, DRAIN_LO), (int16_t)CMD_GET(cmd, DRAIN_HI)))
		return EIE_STATUS_BAD_COMMAND;
	if (steps > p->rows / EIE_GRANULE_VALUES || out % p->clusters || stride % p->clusters ||
	    out + (steps - 1) * stride + p->clusters > p->abuf || CMD_GET(cmd, DRAIN_PARAM) + 4 * steps > p->rbuf)
		return EIE_STATUS_BAD_RANGE;
	return EIE_STATUS_OK;
}

/* Sums of vector mode that fit a half: one lane has the pixels l, l + LANES ... of a group, so fewer lanes than pixels have fewer rows. */
static bool too_many_sums(const struct eie_params *p, uint32_t rows, uint32_t groups)
{
	return (uint64_t)groups * ref_vector_words(rows) * EIE_GRANULE_VALUES > ref_vector_rows(p);
}

static uint32_t check_vmac(const struct ref_run *run, const struct eie_cmd *cmd)
{
	const struct eie_params *p = &run->ref->p;
	uint64_t channels = CMD_GET(cmd, VMAC_CHANNELS), plane = CMD_GET(cmd, VMAC_PLANE), in = CMD_GET(cmd, VMAC_IN);
	uint64_t columns = channels * CMD_GET(cmd, VMAC_KERNEL_X) * CMD_GET(cmd, VMAC_KERNEL_Y);
	uint64_t pixels = (uint64_t)CMD_GET(cmd, VMAC_IN_X) * CMD_GET(cmd, VMAC_IN_Y);
	uint32_t rows = CMD_GET(cmd, VMAC_ROWS), groups = CMD_GET(cmd, VMAC_GROUPS);

	if (has_other_bits(cmd, vmac_bits) || (CMD_GET(cmd, VMAC_SPLIT) && !(p->features & EIE_FEATURE_SPLIT)) || !columns || !pixels || !plane || !rows || !groups || !CMD_GET(cmd, VMAC_STRIDE_X) ||
	    !CMD_GET(cmd, VMAC_STRIDE_Y) || !CMD_GET(cmd, VMAC_DILATE_X) || !CMD_GET(cmd, VMAC_DILATE_Y) ||
	    CMD_GET(cmd, VMAC_FIRST_X) >= CMD_GET(cmd, VMAC_OUT_X))
		return EIE_STATUS_BAD_COMMAND;
	if (in % p->clusters || in + (channels + p->clusters - 1) / p->clusters * p->clusters * plane > p->abuf ||
	    CMD_GET(cmd, VMAC_ORIGIN) + pixels > plane * EIE_GRANULE_VALUES ||
	    CMD_GET(cmd, VMAC_PTR) + (columns + EIE_PTRS_PER_GRANULE - 1) / EIE_PTRS_PER_GRANULE > p->pbuf ||
	    CMD_GET(cmd, VMAC_WEIGHTS) >= p->wbuf || bad_codebook(CMD_GET(cmd, VMAC_CODEBOOK), CMD_GET(cmd, VMAC_WIDE)) ||
	    too_many_sums(p, rows, groups))
		return EIE_STATUS_BAD_RANGE;
	return EIE_STATUS_OK;
}

static uint32_t check_vdrain(const struct ref_run *run, const struct eie_cmd *cmd)
{
	const struct eie_params *p = &run->ref->p;
	uint64_t out = CMD_GET(cmd, VDRAIN_OUT), plane = CMD_GET(cmd, VDRAIN_PLANE);
	uint32_t rows = CMD_GET(cmd, VDRAIN_ROWS), groups = CMD_GET(cmd, VDRAIN_GROUPS);

	if (has_other_bits(cmd, vdrain_bits) || !rows || !groups || plane < groups ||
	    bad_clamp((int16_t)CMD_GET(cmd, VDRAIN_LO), (int16_t)CMD_GET(cmd, VDRAIN_HI)))
		return EIE_STATUS_BAD_COMMAND;
	if (out % p->clusters || out + ((rows - 1) * plane + groups) * p->clusters > p->abuf ||
	    CMD_GET(cmd, VDRAIN_PARAM) + (rows + EIE_ROWS_PER_PGRANULE - 1) / EIE_ROWS_PER_PGRANULE > p->rbuf ||
	    too_many_sums(p, rows, groups))
		return EIE_STATUS_BAD_RANGE;
	return EIE_STATUS_OK;
}

static uint32_t check_vpool(const struct ref_run *run, const struct eie_cmd *cmd)
{
	const struct eie_params *p = &run->ref->p;
	uint64_t channels = CMD_GET(cmd, VPOOL_CHANNELS), plane = CMD_GET(cmd, VPOOL_PLANE), in = CMD_GET(cmd, VPOOL_IN);
	uint64_t out = CMD_GET(cmd, VPOOL_OUT), out_plane = CMD_GET(cmd, VPOOL_OUT_PLANE), groups = CMD_GET(cmd, VPOOL_GROUPS);
	uint64_t pixels = (uint64_t)CMD_GET(cmd, VPOOL_IN_X) * CMD_GET(cmd, VPOOL_IN_Y);
	uint64_t blocks = channels / p->clusters;

	if (has_other_bits(cmd, vpool_bits) || (!CMD_GET(cmd, VPOOL_SUM) && CMD_GET(cmd, VPOOL_SHIFT)) || !channels || !pixels || !plane || !groups || out_plane < groups ||
	    !CMD_GET(cmd, VPOOL_KERNEL_X) || !CMD_GET(cmd, VPOOL_KERNEL_Y) || !CMD_GET(cmd, VPOOL_STRIDE_X) ||
	    !CMD_GET(cmd, VPOOL_STRIDE_Y) || !CMD_GET(cmd, VPOOL_DILATE_X) || !CMD_GET(cmd, VPOOL_DILATE_Y) ||
	    CMD_GET(cmd, VPOOL_FIRST_X) >= CMD_GET(cmd, VPOOL_OUT_X))
		return EIE_STATUS_BAD_COMMAND;
	if (channels % p->clusters || in % p->clusters || out % p->clusters || in + blocks * plane * p->clusters > p->abuf ||
	    CMD_GET(cmd, VPOOL_ORIGIN) + pixels > plane * EIE_GRANULE_VALUES ||
	    out + ((blocks - 1) * out_plane + groups) * p->clusters > p->abuf)
		return EIE_STATUS_BAD_RANGE;
	return EIE_STATUS_OK;
}

/* What VMUL and VTABLE have in the same bits; plane and end of B or the table come with it. */
static uint32_t check_element(const struct ref_run *run, const struct eie_cmd *cmd, bool bad, bool range)
{
	uint64_t abuf = run->ref->p.abuf, k = run->ref->p.clusters, channels = CMD_GET(cmd, VMUL_CHANNELS), in = CMD_GET(cmd, VMUL_IN);
	uint64_t plane = CMD_GET(cmd, VMUL_PLANE), out = CMD_GET(cmd, VMUL_OUT), out_plane = CMD_GET(cmd, VMUL_OUT_PLANE);
	uint64_t groups = CMD_GET(cmd, VMUL_GROUPS);

	if (bad || !channels || !groups || plane < groups || out_plane < groups)
		return EIE_STATUS_BAD_COMMAND;
	if (range || channels % k || in % k || out % k || in + channels * plane > abuf ||
	    out + ((channels / k - 1) * out_plane + groups) * k > abuf)
		return EIE_STATUS_BAD_RANGE;
	return EIE_STATUS_OK;
}

static uint32_t check_vmul(const struct ref_run *run, const struct eie_cmd *cmd)
{
	uint64_t b = CMD_GET(cmd, VMUL_B), plane = CMD_GET(cmd, VMUL_B_PLANE);
	uint32_t s = CMD_GET(cmd, VMUL_S), least = CMD_GET(cmd, VMUL_CHANNEL) ? 1 : CMD_GET(cmd, VMUL_GROUPS);

	return check_element(run, cmd,
			     has_other_bits(cmd, vmul_bits) || plane < least || !s || s > EIE_SHIFT_MAX ||
			     bad_clamp((int16_t)CMD_GET(cmd, VMUL_LO), (int16_t)CMD_GET(cmd, VMUL_HI)),
			     b % run->ref->p.clusters || b + CMD_GET(cmd, VMUL_CHANNELS) * plane > run->ref->p.abuf);
}

static uint32_t check_vtable(const struct ref_run *run, const struct eie_cmd *cmd)
{
	return check_element(run, cmd, has_other_bits(cmd, vtable_bits),
			     CMD_GET(cmd, VTABLE_TABLE) + EIE_TABLE_GRANULES > run->ref->p.abuf);
}

uint32_t ref_check(const struct ref_run *run, const struct eie_cmd *cmd)
{
	bool vector = run->ref->p.features & EIE_FEATURE_VECTOR, element = run->ref->p.features & EIE_FEATURE_ELEMENT;

	switch (CMD_GET(cmd, OPCODE)) {
	case EIE_OP_LOAD:
	case EIE_OP_STORE:
		return check_xfer(run, cmd);
	case EIE_OP_SELECT:
		return run->ref->p.features & EIE_FEATURE_SELECT ? check_select(run, cmd) : EIE_STATUS_BAD_COMMAND;
	case EIE_OP_SYNC:
		return has_other_bits(cmd, sync_bits) ? EIE_STATUS_BAD_COMMAND : EIE_STATUS_OK;
	case EIE_OP_MAC:
		return check_mac(run, cmd);
	case EIE_OP_DRAIN:
		return check_drain(run, cmd);
	case EIE_OP_VMAC:
		return vector ? check_vmac(run, cmd) : EIE_STATUS_BAD_COMMAND;
	case EIE_OP_VDRAIN:
		return vector ? check_vdrain(run, cmd) : EIE_STATUS_BAD_COMMAND;
	case EIE_OP_VPOOL:
		return run->ref->p.features & EIE_FEATURE_POOL ? check_vpool(run, cmd) : EIE_STATUS_BAD_COMMAND;
	case EIE_OP_VMUL:
		return element ? check_vmul(run, cmd) : EIE_STATUS_BAD_COMMAND;
	case EIE_OP_VTABLE:
		return element ? check_vtable(run, cmd) : EIE_STATUS_BAD_COMMAND;
	default:
		return EIE_STATUS_BAD_COMMAND;
	}
}
