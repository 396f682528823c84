// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * One configuration: the Verilated eie_top, its clock, the register port and the memory behind the master port.
 * Compiled once for each configuration with EIE_VMODEL (class), EIE_VHEADER (its header) and EIE_MAKE (function).
 *
 * A cycle is two evaluations: settle() with the clock low, after which every output is what the edge will see, and
 * clock(), the rising edge. Inputs change between them never.
 */
#include "model.hpp"

#include <cstdio>
#include <cstring>

#if VM_COVERAGE
#include <atomic>
#include <cstdlib>
#include <string>
#include <unistd.h>
#endif

#include "axi_mem.hpp"
#include EIE_VHEADER

static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "Verilator's wide words are copied as bytes");

namespace {

constexpr unsigned int ResetCycles = 4;
constexpr unsigned int RegisterPatience = 10000; // cycles that an access may take
constexpr unsigned int MaxFailures = 16;         // afterwards assertions are switched off: a broken one fires every cycle
constexpr uint32_t BarBytes = 0x10000;

class Model final : public eie_sim {
public:
	Model(const eie_sim_params &params, const eie_sim_ops &ops, void *ctx);
	~Model() override;
	void reset() override;
	uint32_t read32(uint32_t offset) override;
	void write32(uint32_t offset, uint32_t value) override;
	uint64_t run(uint64_t limit) override;
	void hold(bool on) override { mem_.hold(on); }
	bool irq_level() const override { return top_.irq_o; }
	bool failed() const override { return failed_ || mem_.failures(); }

private:
	template <typename Port, typename Value> void set(Port &port, Value value);
	void settle();
	bool clock();
	void rtl_failure();

	VerilatedContext context_;
	EIE_VMODEL top_;
	eie::AxiMem mem_;
	const eie_sim_ops ops_;
	void *const ctx_;
	unsigned int failures_ = 0;
	bool changed_ = true;                            // an input, since the last settle()
	bool failed_ = false;
};

Model::Model(const eie_sim_params &params, const eie_sim_ops &ops, void *ctx)
	: top_(&context_, "eie"), mem_(params, ops, ctx, sizeof(top_.m_axi_rdata_i)), ops_(ops), ctx_(ctx)
{
	context_.fatalOnError(false); // a failed assertion is remembered, it does not end the process
	reset();
	cycles = 0;
}

Model::~Model()
{
	// Verilator's scopes leave the thread's context, which may have been another model's that is gone
	Verilated::threadContextp(&context_);
	top_.final();
#if VM_COVERAGE // make coverage: a file for each model that ends
	if (const char *dir = getenv("EIE_SIM_COVERAGE")) {
		static std::atomic<unsigned int> number;
		const std::string name = std::to_string(getpid()) + "-" + std::to_string(number++) + ".dat";

		context_.coveragep()->write((std::string(dir) + "/" + name).c_str());
	}
#endif
}

// An input changes: remembered, because inputs are taken only then.
template <typename Port, typename Value> void Model::set(Port &port, Value value)
{
	if (port != Port(value)) {
		port = value;
		changed_ = true;
	}
}

void Model::settle()
{
	const eie::AxiSlave &bus = mem_.out;

	set(top_.m_axi_arready_i, bus.ar_ready);
	set(top_.m_axi_awready_i, bus.aw_ready);
	set(top_.m_axi_wready_i, bus.w_ready);
	set(top_.m_axi_rvalid_i, bus.r_valid);
	if (bus.r_valid) {
		memcpy(&top_.m_axi_rdata_i, bus.r_data, sizeof(top_.m_axi_rdata_i)); // one 64-bit word, or an array of 32-bit words
		top_.m_axi_rid_i = bus.r_id;
		top_.m_axi_rresp_i = bus.r_resp;
		top_.m_axi_rlast_i = bus.r_last;
		changed_ = true;
	}
	set(top_.m_axi_bvalid_i, bus.b_valid);
	if (bus.b_valid) {
		set(top_.m_axi_bid_i, bus.b_id);
		set(top_.m_axi_bresp_i, bus.b_resp);
	}
	if (changed_)
		top_.take_i = !top_.take_i;
	changed_ = false;
	top_.clk_i = 0;
	top_.eval();
}

// Returns whether an interrupt vector was pulsed in this cycle.
bool Model::clock()
{
	eie::AxiMaster master;

	master.ar = { bool(top_.m_axi_arvalid_o), top_.m_axi_arid_o,    top_.m_axi_arlen_o,
		      top_.m_axi_arsize_o,        top_.m_axi_arburst_o, top_.m_axi_araddr_o };
	master.aw = { bool(top_.m_axi_awvalid_o), top_.m_axi_awid_o,    top_.m_axi_awlen_o,
		      top_.m_axi_awsize_o,        top_.m_axi_awburst_o, top_.m_axi_awaddr_o };
	master.w_valid = top_.m_axi_wvalid_o;
	master.w_last = top_.m_axi_wlast_o;
	master.w_strb = top_.m_axi_wstrb_o;
	master.w_data = &top_.m_axi_wdata_o;
	master.r_ready = top_.m_axi_rready_o;
	master.b_ready = top_.m_axi_bready_o;
	mem_.step(master);
	const uint32_t pulses = top_.irq_vec_o;

	top_.clk_i = 1;
	top_.eval();
	cycles++;
	context_.timeInc(1);
	if (context_.gotError())
		rtl_failure();
	if (pulses && ops_.irq)
		for (unsigned int v = 0; pulses >> v; v++)
			if (pulses >> v & 1)
				ops_.irq(ctx_, v);
	return pulses;
}

void Model::rtl_failure()
{
	failed_ = true;
	context_.gotError(false);
	if (++failures_ == MaxFailures)
		context_.assertOn(false);
}

void Model::reset()
{
	Verilated::threadContextp(&context_); // where a failed assertion is noted
	mem_.reset();
	set(top_.s_axil_awvalid_i, 0);
	set(top_.s_axil_wvalid_i, 0);
	set(top_.s_axil_arvalid_i, 0);
	set(top_.s_axil_bready_i, 0);
	set(top_.s_axil_rready_i, 0);
	top_.rst_ni = 0;
	for (unsigned int i = 0; i < ResetCycles; i++) {
		settle();
		top_.clk_i = 1; // not clock(): what the ports say in reset is nobody's
		top_.eval();
		cycles++;
	}
	top_.rst_ni = 1;
}

uint32_t Model::read32(uint32_t offset)
{
	uint32_t value = UINT32_MAX;
	bool done = false;

	reads++;
	if (offset >= BarBytes || offset % 4)
		return value;
	Verilated::threadContextp(&context_);
	set(top_.s_axil_araddr_i, offset);
	set(top_.s_axil_arvalid_i, 1);
	set(top_.s_axil_rready_i, 1);
	for (unsigned int i = 0; !done && i < RegisterPatience; i++) {
		settle();
		const bool taken = top_.s_axil_arready_o;

		done = top_.s_axil_rvalid_o;
		if (done)
			value = top_.s_axil_rdata_o;
		clock();
		if (taken)
			set(top_.s_axil_arvalid_i, 0);
	}
	set(top_.s_axil_arvalid_i, 0);
	set(top_.s_axil_rready_i, 0);
	if (!done) {
		fprintf(stderr, "eie_sim: no answer to a read of register 0x%x\n", offset);
		failed_ = true;
	}
	return value;
}

void Model::write32(uint32_t offset, uint32_t value)
{
	bool done = false;

	writes++;
	if (offset >= BarBytes || offset % 4)
		return;
	Verilated::threadContextp(&context_);
	set(top_.s_axil_awaddr_i, offset);
	set(top_.s_axil_wdata_i, value);
	set(top_.s_axil_wstrb_i, 0xf);
	set(top_.s_axil_awvalid_i, 1);
	set(top_.s_axil_wvalid_i, 1);
	set(top_.s_axil_bready_i, 1);
	for (unsigned int i = 0; !done && i < RegisterPatience; i++) {
		settle();
		const bool address = top_.s_axil_awready_o, data = top_.s_axil_wready_o;

		done = top_.s_axil_bvalid_o;
		clock();
		if (address)
			set(top_.s_axil_awvalid_i, 0);
		if (data)
			set(top_.s_axil_wvalid_i, 0);
	}
	set(top_.s_axil_awvalid_i, 0);
	set(top_.s_axil_wvalid_i, 0);
	set(top_.s_axil_bready_i, 0);
	if (!done) {
		fprintf(stderr, "eie_sim: no answer to a write of register 0x%x\n", offset);
		failed_ = true;
	}
}

uint64_t Model::run(uint64_t limit)
{
	uint64_t i = 0;

	Verilated::threadContextp(&context_);
	while (i < limit) {
		i++;
		settle();
		if (clock())
			break;
	}
	return i;
}

} // namespace

namespace eie {

eie_sim *EIE_MAKE(const eie_sim_params &params, const eie_sim_ops &ops, void *ctx)
{
	return new Model(params, ops, ctx);
}

} // namespace eie
