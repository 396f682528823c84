// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * AXI4 memory behind the engine's master port: 64, 128 or 256 bits of data, 64-bit addresses, INCR bursts of whole beats (the first
 * one may start in the middle: what lies before the address is not transferred) or of one narrow beat. Contents are the callbacks'.
 *
 * Reads: up to MaxBursts outstanding; a burst is fetched by one callback when its time has come. Order is kept within
 * an ID; jitter reorders between IDs, whole bursts at a time. Writes: addresses and data are taken independently, data
 * at most one burst ahead; a burst is written when its last beat has arrived.
 */
#ifndef EIE_AXI_MEM_HPP
#define EIE_AXI_MEM_HPP

#include <cstddef>
#include <cstdint>

#include "eie_sim.h"

namespace eie {

constexpr unsigned int MaxBeatBytes = 32;
constexpr unsigned int MaxBeats = 256;
constexpr unsigned int MaxBursts = 128;
constexpr unsigned int AxiIds = 16;

struct AxiAddr {
	bool valid;
	uint8_t id, len, size, burst;
	uint64_t addr;
};

// What the master drives in a cycle.
struct AxiMaster {
	AxiAddr ar, aw;
	bool w_valid, w_last;
	uint32_t w_strb;
	const void *w_data; // a beat, looked at only when w_valid
	bool r_ready, b_ready;
};

// What the memory drives in the next one.
struct AxiSlave {
	bool ar_ready, aw_ready, w_ready;
	bool r_valid, r_last, b_valid;
	uint8_t r_id, r_resp, b_id, b_resp;
	const uint8_t *r_data; // a beat, when r_valid
};

class AxiMem {
public:
	// beat: bytes of a beat, 8, 16 or 32
	AxiMem(const eie_sim_params &params, const eie_sim_ops &ops, void *ctx, unsigned int beat);

	// One clock edge: master and out are what both sides drove before it; afterwards out is what follows it.
	void step(const AxiMaster &master)
	{
		now_++;
		if (!idle_ || master.ar.valid || master.aw.valid || master.w_valid)
			busy_step(master);
	}

	void reset();
	// While held, nothing moves on any channel: no address and no data is taken, no data and no response is given.
	void hold(bool on) { held_ = on; }
	unsigned int failures() const { return failures_; }

	AxiSlave out{};

private:
	struct Burst {
		uint64_t due, addr;
		uint8_t id, resp, size;
		uint16_t beats;

		// Bytes from addr to the end of the last beat
		size_t bytes() const { return (size_t(beats) << size) - addr % (1u << size); }
	};

	// By due time, first come first among equals.
	struct Queue {
		unsigned int count = 0;
		Burst at[MaxBursts];

		void push(const Burst &burst);
		Burst pop();
	};

	// A channel's valid must stay up, and its payload as it is, until ready.
	struct Waiting {
		bool valid;
		AxiAddr was;
	};

	void busy_step(const AxiMaster &master);
	void read_step(const AxiMaster &master, unsigned int lost);
	void write_step(const AxiMaster &master, unsigned int lost);
	void take_w(const AxiMaster &master);
	bool w_complete();
	uint8_t write_out(const Burst &burst);
	void check_addr(const char *channel, const AxiAddr &a, bool ready, Waiting &waiting);
	void check_w(const AxiMaster &master);
	void broken(const char *channel, const char *what, uint64_t addr);
	uint64_t random();
	unsigned int lost_channels();
	uint64_t due(uint64_t &last);

	const eie_sim_ops ops_;
	void *const ctx_;
	const unsigned int beat_;
	const unsigned int latency_, jitter_, stall_; // stall_: of 4096
	uint64_t seed_, now_ = 0;
	unsigned int failures_ = 0;
	bool held_ = false;
	bool idle_ = true;

	Queue reads_, aw_, b_;
	uint64_t r_due_[AxiIds] = {}, b_due_[AxiIds] = {};

	Burst r_ = {}; // being returned
	unsigned int r_beat_ = 0;
	unsigned int w_beats_ = 0; // of the burst being collected
	bool w_last_ = false;

	Waiting ar_wait_ = {}, aw_wait_ = {};
	bool w_wait_ = false, w_wait_last_ = false;
	uint32_t w_wait_strb_ = 0;
	uint8_t w_wait_data_[MaxBeatBytes] = {};

	uint32_t w_strb_[MaxBeats] = {};
	uint8_t r_data_[MaxBeats * MaxBeatBytes] = {}, w_data_[MaxBeats * MaxBeatBytes] = {};
};

} // namespace eie

#endif
