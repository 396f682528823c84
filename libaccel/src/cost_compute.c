// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Order of compute commands: eie_compute.sv. Names are those of the RTL. */
#include <string.h>

#include "cost_int.h"

/* From a drain's step to its row in ABUF: eie_cluster.sv, eie_requant.sv. */
#define DRAIN_LATENCY 6
#define SETTLE 3

void compute_reset(struct cost_compute *c)
{
	struct cost_array *a = &c->array;
	struct cost_array clean = { .k = a->k, .lanes = a->lanes, .jobs = a->jobs };

	*a = clean;
	for (unsigned int n = 0; n < a->k; n++)
		a->cluster[n].active = (1u << a->lanes) - 1;
	memset(c->vector.cluster, 0, sizeof(c->vector.cluster));
	memset(c->vector.sent, 0, sizeof(c->vector.sent));
	memset(c->vector.counts, 0, sizeof(c->vector.counts));
	split_reset(&c->vector.split);
	c->split = false;
	c->vector.nsent = 0;
	c->count = 0;
	memset(c->mac, 0, sizeof(c->mac));
	c->tag = 0;
	c->setup = c->drain = c->run = c->drained = c->done = c->engine = false;
	c->mode[0] = c->mode[1] = false;
	c->cleared = 0;
}

static bool is_map(uint32_t op)
{
	return op == EIE_OP_VPOOL || op == EIE_OP_VMUL || op == EIE_OP_VTABLE;
}

static bool is_split(const struct eie_cmd *cmd)
{
	return CMD_GET(cmd, OPCODE) == EIE_OP_VMAC && CMD_GET(cmd, VMAC_SPLIT);
}

/* A broadcast or a gather is under way. */
static bool broadcasts(const struct cost_compute *c, uint64_t now)
{
	const struct compute_mac *m = &c->mac[c->mac_tag];

	if (!m->open)
		return false;
	return m->vector ? now < m->times.idle : array_broadcasts(&c->array);
}

bool compute_ready(struct cost_compute *c, const struct eie_cmd *cmd, uint64_t now, bool *changed)
{
	uint32_t op = CMD_GET(cmd, OPCODE), half = CMD_GET(cmd, MAC_HALF);
	bool map = is_map(op), mac = map || op == EIE_OP_MAC || op == EIE_OP_VMAC, drain = op == EIE_OP_DRAIN || op == EIE_OP_VDRAIN;
	bool vector = map || op == EIE_OP_VMAC || op == EIE_OP_VDRAIN;

	if ((mac || drain) && !map && (c->mode[half] != vector || now < c->cleared)) {
		if (now >= c->cleared && !c->count) {
			c->mode[half] = vector;
			c->cleared = now + c->words + 2;
			*changed = true;
		}
		return false;
	}
	if (c->count == 4 || ((CMD_GET(cmd, FENCE) || map) && c->count))
		return false;
	if (mac && (c->mac[c->tag].open || c->setup || broadcasts(c, now) || (c->drain && c->drain_half == half && !map)))
		return false;
	for (unsigned int t = 0; mac && t < 2; t++)
		if (c->mac[t].open && (c->mac[t].vector != vector || c->split != is_split(cmd)))
			return false;
	return !drain || !c->drain;
}

static void start_mac(struct cost_compute *c, uint64_t now)
{
	uint32_t op = CMD_GET(c->setup_cmd, OPCODE);
	struct compute_mac *m = &c->mac[c->mac_tag];

	if (op == EIE_OP_MAC)
		array_start(&c->array, c->mac_tag, c->setup_work->tile, c->setup_work->live, CMD_GET(c->setup_cmd, MAC_IN),
			    CMD_GET(c->setup_cmd, MAC_LEN));
	else if (op == EIE_OP_VMAC)
		vector_mac(&c->vector, c->setup_cmd, c->setup_work, now, &m->times);
	else if (op == EIE_OP_VPOOL)
		vector_pool(&c->vector, c->setup_cmd, now, &m->times);
	else
		vector_element(c->setup_cmd, now, &m->times);
}

/* Row steps of a drain. */
static uint32_t steps_of(const struct eie_cmd *cmd)
{
	return CMD_GET(cmd, OPCODE) == EIE_OP_DRAIN ? CMD_GET(cmd, DRAIN_STEPS) : CMD_GET(cmd, VDRAIN_ROWS) * CMD_GET(cmd, VDRAIN_GROUPS);
}

static void take(struct cost_compute *c, const struct eie_cmd *cmd, const struct cost_work *work, uint32_t index)
{
	uint32_t op = CMD_GET(cmd, OPCODE);
	bool mac = is_map(op) || op == EIE_OP_MAC || op == EIE_OP_VMAC, drain = op == EIE_OP_DRAIN || op == EIE_OP_VDRAIN;

	c->flight[c->count++] = (struct flight){ index, mac ? KIND_MAC : drain ? KIND_DRAIN : KIND_SYNC, (uint8_t)c->tag,
						 CMD_GET(cmd, SIGNAL_PREV), CMD_GET(cmd, SIGNAL_NEXT) };
	if (mac) {
		c->mac[c->tag] = (struct compute_mac){ .open = true, .settle = SETTLE, .vector = op != EIE_OP_MAC,
						       .times = { .idle = NEVER, .complete = NEVER, .first = NEVER } };
		c->split = is_split(cmd);
		c->setup = true;
		c->setup_cmd = cmd;
		c->setup_work = work;
		c->mac_tag = c->tag;
		c->tag ^= 1;
	}
	if (drain) {
		c->drain = true;
		c->run = c->drained = false;
		c->drain_half = (uint8_t)CMD_GET(cmd, DRAIN_HALF);
		c->steps = steps_of(cmd);
	}
}

static bool step_macs(struct cost_compute *c, uint64_t now, bool setup, unsigned int mac_tag, bool scalar_busy, uint8_t work)
{
	bool changed = false;

	for (unsigned int t = 0; t < 2; t++) {
		struct compute_mac *m = &c->mac[t];

		if (!m->open || m->fin)
			continue;
		if (m->vector) {
			m->fin = now + 1 >= m->times.complete;
			changed |= m->fin;
			continue;
		}
		changed = true;
		if (m->sent && !m->settle && !(work >> t & 1))
			m->fin = true;
		if (m->sent && m->settle)
			m->settle--;
		if (mac_tag == t && !setup && !scalar_busy)
			m->sent = true;
	}
	return changed;
}

bool compute_step(struct cost_compute *c, const struct eie_cmd *cmd, const struct cost_work *work, uint32_t index, uint64_t now)
{
	const struct flight head = c->flight[0];
	const bool setup = c->setup, scalar_busy = array_broadcasts(&c->array);
	const uint8_t at_work = array_work(&c->array);
	const uint8_t open = (uint8_t)((c->mac[0].open && !c->mac[0].fin) | (c->mac[1].open && !c->mac[1].fin) << 1);
	const bool retire = c->count && (head.kind == KIND_SYNC || (head.kind == KIND_MAC && c->mac[head.tag].fin) ||
					 (head.kind == KIND_DRAIN && c->drained));
	bool changed = c->done || retire || setup || cmd;

	c->done = retire;
	if (setup)
		start_mac(c, now);
	c->setup = false;
	if (c->array.active) {
		array_step(&c->array);
		if (c->array.multiplies)
			c->vector.busy[((now + 1) & c->vector.busy_mask) / 64] |= UINT64_C(1) << ((now + 1) & 63);
		changed = true;
	}
	changed |= step_macs(c, now, setup, c->mac_tag, scalar_busy, at_work);
	if (c->drain && !(retire && head.kind == KIND_DRAIN)) {
		if (!c->run && !(c->wait & open)) {
			c->run = changed = true;
			c->drain_start = now + 1 + DRAIN_LATENCY;
			c->drain_end = c->drain_start + c->steps;
		} else if (c->run && !c->drained && now + 1 == c->drain_end) {
			c->drained = changed = true;
		}
		c->wait &= open;
	}
	if (retire) {
		c->done_prev = head.prev;
		c->done_next = head.next;
		c->done_cmd = head.cmd;
		if (head.kind == KIND_MAC)
			c->mac[head.tag].open = false;
		if (head.kind == KIND_DRAIN)
			c->drain = c->run = false;
		memmove(c->flight, c->flight + 1, 3 * sizeof(c->flight[0]));
		c->count--;
	}
	if (cmd) {
		take(c, cmd, work, index);
		if (c->flight[c->count - 1].kind == KIND_DRAIN)
			c->wait = open;
	}
	return changed;
}

uint64_t compute_wake(const struct cost_compute *c, uint64_t now)
{
	uint64_t wake = NEVER;

	for (unsigned int t = 0; t < 2; t++) {
		const struct compute_mac *m = &c->mac[t];

		if (!m->open)
			continue;
		if (m->times.idle > now && m->times.idle < wake)
			wake = m->times.idle;
		if (!m->fin && m->times.complete - 1 > now && m->times.complete - 1 < wake)
			wake = m->times.complete - 1;
		/* where reading begins and ends the store engine has its chance */
		if (m->times.read_to > now && m->times.read_to < wake)
			wake = m->times.read_to;
		if (m->times.first != NEVER && m->times.first > now && m->times.first < wake)
			wake = m->times.first;
	}
	if (c->run && !c->drained && c->drain_end - 1 > now && c->drain_end - 1 < wake)
		wake = c->drain_end - 1;
	if (c->cleared > now && c->cleared < wake)
		wake = c->cleared;
	return wake;
}

bool compute_engine(struct cost_compute *c, uint64_t now)
{
	bool open = compute_mac_active(c) || (c->drain && !c->drained), sends = c->array.nout || c->run;

	for (unsigned int t = 0; t < 2; t++)
		sends |= c->mac[t].open && !c->mac[t].fin && c->mac[t].times.first <= now;
	c->engine = open && (c->engine || sends);
	return c->engine;
}

bool compute_reads(const struct cost_compute *c, uint64_t now, uint32_t bank)
{
	const struct compute_mac *m = &c->mac[c->mac_tag];
	uint8_t reads;
	uint32_t at;

	if (array_reads(&c->array, &at) && at % c->array.k == bank)
		return true;
	if (!m->open || now < m->times.read_from || now >= m->times.read_to)
		return false;
	reads = c->vector.reads[now & c->vector.busy_mask];
	return reads == READS_ALL || reads == bank + 1;
}
