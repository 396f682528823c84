// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * The way to memory and back: eie_mmu.sv, eie_mmu_slot.sv, eie_tlb.sv, eie_walker.sv, eie_axi_rd.sv, eie_axi_wr.sv, and a memory that answers a burst
 * COST_LATENCY cycles after its address, a beat a cycle (sim/axi_mem.cpp). Names are those of the RTL.
 */
#include <string.h>

#include "cost_int.h"

/* Bursts that a reader may have outstanding; that may wait for their data, for their answer. */
#define SMALL_DEPTH 4
#define LOAD_DEPTH  EIE_LOAD_BURSTS
#define WRITE_DEPTH 16
/* What the memory takes. */
#define MEMORY_BURSTS 128

void bus_reset(struct cost_bus *bus)
{
	bus->rd.state = bus->wr.state = SLOT_EMPTY;
	bus->walk = WALK_IDLE;
	bus->ar.len = bus->aw.len = bus->data.len = 0;
	memset(bus->reading, 0, sizeof(bus->reading));
	bus->nreads = bus->read_head = bus->writing = bus->nowed = bus->owed_head = bus->owed_beat = bus->nanswers = bus->answer_head = bus->on_bus = 0;
	bus->r_valid = bus->w_valid = bus->b_valid = false;
	bus->r_next = bus->w_next = 0;
	bus->misses = bus->read_beats = bus->write_beats = 0;
}

static unsigned int depth_of(unsigned int id)
{
	return id == ID_LOAD ? LOAD_DEPTH : SMALL_DEPTH;
}

static bool hits(const struct cost_bus *bus, uint64_t va)
{
	for (unsigned int i = 0; i < bus->entries; i++) {
		const struct tlb_entry *t = &bus->tlb[i];

		if (t->valid && (t->large ? t->page == va >> 21 : t->page == va >> 12))
			return true;
	}
	return false;
}

/* ---------------------------------------------------------------- reads */

static void step_data(struct cost_bus *bus, struct bus_ports *p, bool *changed, uint64_t now, bool accepted)
{
	bool ready = bus->r_valid && (bus->data.id != ID_LOAD || p->load_ready);

	p->beat = -1;
	if (accepted) {
		bus->reads[(bus->read_head + bus->nreads++) % BUS_BURSTS] = (struct bus_burst){ now + COST_LATENCY, bus->ar.id, bus->ar.len };
		bus->ar.len = 0;
	}
	if (ready) {
		*changed = true;
		p->beat = (int)bus->data.id;
		p->beat_last = bus->data.len == 1;
		bus->read_beats += bus->data.id != ID_WALK;
		bus->r_valid = false;
		bus->data.len--;
		bus->r_next = now + bus->beat;
	}
	if (!bus->r_valid && !bus->data.len && bus->nreads && bus->reads[bus->read_head].due <= now + 1) {
		bus->data = bus->reads[bus->read_head];
		bus->read_head = (bus->read_head + 1) % BUS_BURSTS;
		bus->nreads--;
	}
	if (!bus->r_valid && bus->data.len) {
		bus->r_valid = bus->r_next <= now + 1;
		*changed = true;
	}
}

static unsigned int arbitrate(const struct cost_bus *bus, const struct bus_ports *p)
{
	bool wants[NREADERS];

	for (unsigned int id = 0; id < NREADERS; id++) {
		unsigned int room = depth_of(id) - bus->reading[id];

		wants[id] = id != ID_WALK && p->want[id].valid && room && !(room == 1 && bus->rd.state != SLOT_EMPTY && bus->rd.req.id == id);
	}
	if (wants[ID_FRONT])
		return ID_FRONT;
	if (wants[ID_LOAD] && !(wants[ID_COMMANDS] && bus->load_last))
		return ID_LOAD;
	return wants[ID_COMMANDS] ? ID_COMMANDS : NREADERS;
}

/* ---------------------------------------------------------------- walks */

static void start_walk(struct cost_bus *bus, const struct bus_slot *slot, bool for_rd)
{
	uint64_t va = slot->req.va;

	bus->walk = WALK_READ;
	bus->walk_for_rd = for_rd;
	bus->walk_va = va;
	bus->walk_large = slot->req.large;
	bus->level = bus->l1_valid && bus->l1 == va >> 30 ? 1 : 2;
	for (unsigned int i = 0; i < 4; i++)
		if (bus->l0_valid[i] && bus->l0[i] == va >> 21)
			bus->level = 0;
}

static void check_entry(struct cost_bus *bus)
{
	bool leaf = bus->level == (bus->walk_large ? 1 : 0);

	if (leaf) {
		bus->tlb[bus->victim] = (struct tlb_entry){ true, bus->walk_large, bus->walk_va >> (bus->walk_large ? 21 : 12) };
		bus->victim = (bus->victim + 1) % bus->entries;
		bus->walk = WALK_IDLE;
		(bus->walk_for_rd ? &bus->rd : &bus->wr)->state = SLOT_LOOKUP;
		return;
	}
	if (bus->level == 2) {
		bus->l1_valid = true;
		bus->l1 = bus->walk_va >> 30;
	} else {
		bus->l0_valid[bus->l0_victim] = true;
		bus->l0[bus->l0_victim] = bus->walk_va >> 21;
		bus->l0_victim = (bus->l0_victim + 1) % 4;
	}
	bus->level--;
	bus->walk = WALK_READ;
}

/* A look-up: found, or a walk begins if the walker has nothing to do. */
static bool look_up(struct cost_bus *bus, struct bus_slot *slot, bool for_rd, bool walker_free)
{
	if (hits(bus, slot->req.va)) {
		slot->state = SLOT_READY;
		return true;
	}
	if (!walker_free)
		return false;
	bus->misses += !slot->missed;
	slot->missed = true;
	slot->state = SLOT_WALK;
	start_walk(bus, slot, for_rd);
	return true;
}

static void step_reads(struct cost_bus *bus, struct bus_ports *p, unsigned int wr_state, bool *changed, uint64_t now)
{
	const bool accepted = bus->ar.len && bus->nreads < MEMORY_BURSTS, ar_free = !bus->ar.len || accepted;
	const bool walk_req = bus->walk == WALK_READ, looks_up = bus->rd.state == SLOT_LOOKUP, walker_free = bus->walk == WALK_IDLE;
	const bool wr_looks_up = wr_state == SLOT_LOOKUP && !looks_up;
	const unsigned int winner = arbitrate(bus, p);
	bool walk_space = bus->reading[ID_WALK] < SMALL_DEPTH, out;
	unsigned int id = bus->rd.req.id;
	struct bus_burst ar = { 0 };

	out = bus->rd.state == SLOT_READY && ar_free && !walk_req && bus->reading[id] < depth_of(id);
	*changed |= accepted;
	step_data(bus, p, changed, now, accepted);
	if (walk_req && ar_free && walk_space) {
		ar = (struct bus_burst){ 0, ID_WALK, 1 };
		bus->walk = WALK_WAIT;
	} else if (out) {
		ar = (struct bus_burst){ 0, id, bus->rd.req.len };
	}
	if (ar.len) {
		bus->ar = ar;
		bus->reading[ar.id]++;
		*changed = true;
	}
	if (p->beat >= 0 && p->beat_last)
		bus->reading[p->beat]--;
	if (looks_up)
		*changed |= look_up(bus, &bus->rd, true, walker_free);
	if (wr_looks_up)
		*changed |= look_up(bus, &bus->wr, false, walker_free);
	/* the entry is looked at the cycle after it came; its registers are those of this cycle */
	if (bus->walk == WALK_CHECK) {
		check_entry(bus);
		*changed = true;
	} else if (p->beat == ID_WALK) {
		bus->walk = WALK_CHECK;
	}
	if (out)
		bus->rd.state = SLOT_EMPTY;
	if (winner < NREADERS && bus->rd.state == SLOT_EMPTY) {
		p->granted[winner] = *changed = true;
		bus->rd = (struct bus_slot){ SLOT_LOOKUP, false, p->want[winner] };
		bus->rd.req.id = winner;
		bus->load_last = winner == ID_LOAD;
	}
}

/* ---------------------------------------------------------------- writes */

static void step_writes(struct cost_bus *bus, struct bus_ports *p, unsigned int wr_state, bool *changed, uint64_t now)
{
	const bool aw_fire = bus->aw.len && bus->on_bus < MEMORY_BURSTS, aw_free = !bus->aw.len || aw_fire;
	const unsigned int nowed = bus->nowed;
	const bool w_taken = bus->w_valid && now >= bus->w_next, w_free = !bus->w_valid || w_taken;
	const bool answer = bus->b_valid;
	const bool out = wr_state == SLOT_READY && aw_free && bus->writing < WRITE_DEPTH && nowed < WRITE_DEPTH - 1;

	if (w_taken && bus->w_last) {
		bus->answers[(bus->answer_head + bus->nanswers++) % BUS_BURSTS] = now + COST_LATENCY;
		*changed = true;
	}
	bus->write_beats += w_taken;
	if (w_taken) {
		bus->w_valid = false;
		bus->w_next = now + bus->beat;
	}
	*changed |= bus->w_valid;
	if (nowed && w_free && p->store_data) {
		p->store_taken = bus->w_valid = *changed = true;
		bus->w_last = ++bus->owed_beat == bus->owed[bus->owed_head].len;
		if (bus->w_last) {
			bus->owed_beat = 0;
			bus->owed_head = (bus->owed_head + 1) % 16;
			bus->nowed--;
		}
	}
	*changed |= w_taken;
	p->answer = answer;
	if (answer) {
		bus->writing--;
		bus->on_bus--;
		bus->b_valid = false;
		*changed = true;
	}
	if (bus->nanswers && bus->answers[bus->answer_head] <= now + 1) {
		bus->answer_head = (bus->answer_head + 1) % BUS_BURSTS;
		bus->nanswers--;
		bus->b_valid = *changed = true;
	}
	if (aw_fire) {
		bus->owed[(bus->owed_head + bus->nowed++) % 16] = bus->aw;
		bus->on_bus++;
		bus->aw.len = 0;
		*changed = true;
	}
	if (out) {
		bus->aw = (struct bus_burst){ 0, 1, bus->wr.req.len };
		bus->writing++;
		bus->wr.state = SLOT_EMPTY;
		*changed = true;
	}
	if (p->store.valid && (wr_state == SLOT_EMPTY || out)) {
		p->store_granted = *changed = true;
		bus->wr = (struct bus_slot){ SLOT_LOOKUP, false, p->store };
	}
}

bool bus_step(struct cost_bus *bus, struct bus_ports *p, uint64_t now)
{
	const unsigned int wr_state = bus->wr.state;
	bool changed = false;

	/* each moves the write slot out of other states */
	step_reads(bus, p, wr_state, &changed, now);
	step_writes(bus, p, wr_state, &changed, now);
	return changed;
}

uint64_t bus_wake(const struct cost_bus *bus, uint64_t now)
{
	uint64_t wake = NEVER;

	if (bus->nreads && !bus->data.len)
		wake = bus->reads[bus->read_head].due - 1;
	if (bus->nanswers && bus->answers[bus->answer_head] - 1 < wake)
		wake = bus->answers[bus->answer_head] - 1;
	return wake > now ? wake : now + 1;
}

bool bus_idle(const struct cost_bus *bus)
{
	for (unsigned int id = 0; id < NREADERS; id++)
		if (bus->reading[id])
			return false;
	return !bus->writing && bus->rd.state == SLOT_EMPTY && bus->wr.state == SLOT_EMPTY && bus->walk == WALK_IDLE;
}
