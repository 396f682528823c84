// SPDX-License-Identifier: GPL-2.0 OR MIT
//
// The lanes' own job queues, for a VMAC with SPLIT: a column goes into the queue of each lane whose pixel
// is not zero, so that a zero costs its lane nothing. All take what is the same in every lane from one
// port; a lane takes its next job whenever it has a free slot.

module eie_laneq #(
  parameter int unsigned Lanes = 8,
  parameter int unsigned Width = 32,     // of what is the same in every lane; bit 0 is the job's tag
  parameter int unsigned Depth = 32,     // jobs a lane; power of two
  parameter int unsigned Reserve = 6,    // places that must be left for what is on its way
  localparam int unsigned Aw = $clog2(Depth)
) (
  input  logic                    clk_i,
  input  logic                    rst_ni,
  input  logic                    clr_i,
  input  logic [Lanes-1:0]        push_i,
  input  logic [Width-1:0]        wdata_i,
  input  logic [16*Lanes-1:0]     wpixels_i,
  input  logic [Lanes-1:0]        pop_i,
  output logic [Lanes-1:0]        valid_o,
  output logic [Lanes*Width-1:0]  rdata_o,
  output logic [16*Lanes-1:0]     rpixels_o,
  output logic                    hold_o,
  output logic [1:0]              busy_o     // jobs of the tag are here
);

  logic [Lanes-1:0] many, tag, ltag_q;       // more than there may be; tag of the oldest, of the youngest

  for (genvar l = 0; l < Lanes; l++) begin : gen_lane
    logic [Width+15:0] mem [0:Depth-1];
    logic [Width+15:0] head;
    logic [Aw-1:0]     wptr_q, rptr_q;
    logic [Aw:0]       count_q;

    assign valid_o[l] = count_q != '0;
    assign many[l]    = count_q > (Aw + 1)'(Depth - Reserve);

    always_comb begin
      head = '0;
      if (valid_o[l]) begin
        head = mem[rptr_q];
      end
    end

    assign rdata_o[Width*l +: Width] = head[Width-1:0];
    assign rpixels_o[16*l +: 16]     = head[Width+15:Width];
    assign tag[l]                    = head[0];

    always_ff @(posedge clk_i) begin
      if (push_i[l]) begin
        mem[wptr_q] <= {wpixels_i[16*l +: 16], wdata_i};
        ltag_q[l]   <= wdata_i[0];
      end
    end

    always_ff @(posedge clk_i or negedge rst_ni) begin
      if (!rst_ni) begin
        wptr_q  <= '0;
        rptr_q  <= '0;
        count_q <= '0;
      end else if (clr_i) begin
        wptr_q  <= '0;
        rptr_q  <= '0;
        count_q <= '0;
      end else begin
        wptr_q  <= wptr_q + Aw'(push_i[l]);
        rptr_q  <= rptr_q + Aw'(pop_i[l]);
        count_q <= count_q + (Aw + 1)'(push_i[l]) - (Aw + 1)'(pop_i[l]);
      end
    end

`ifndef SYNTHESIS
    assert property (@(posedge clk_i) disable iff (!rst_ni) count_q <= (Aw + 1)'(Depth));
    assert property (@(posedge clk_i) disable iff (!rst_ni) push_i[l] |-> count_q != (Aw + 1)'(Depth));
    assert property (@(posedge clk_i) disable iff (!rst_ni) pop_i[l] |-> valid_o[l]);
`endif
  end

  assign hold_o = many != '0;
  assign busy_o = {(valid_o & (tag | ltag_q)) != '0, (valid_o & ~(tag & ltag_q)) != '0};

endmodule
