// SPDX-License-Identifier: GPL-2.0 OR MIT
//
// What a SELECT asks for, whatever activations and pointers are: bursts that are aligned and stay in their page (as fv_mmu assumes) and in their row of the buffer,
// in ascending order, none twice; in a flush it offers nothing and is idle in the second cycle (as fv_abort assumes).

module fv_select (
  input logic                            clk_i,
  input logic                            flush_i,
  input logic [eie_pkg::MaxBases*64-1:0] bases_i,
  input logic                            quiet_i,
  input logic                            go_i,
  input logic                            cmd_valid_i,
  input logic [255:0]                    cmd_i,
  input logic                            ab_gnt_i,
  input logic [127:0]                    ab_data_i,
  input logic                            ab_written_i,
  input logic                            pb_free_i,
  input logic [127:0]                    pb_data_i,
  input logic                            pb_written_i,
  input logic                            burst_ready_i,
  input logic                            end_ready_i
);

  localparam int unsigned Depth = 16;

  logic rst_n = 1'b0;
  always_ff @(posedge clk_i) rst_n <= 1'b1;

  logic        idle, cmd_ready, burst_valid, end_valid, fault_valid;
  logic [63:0] va;
  logic [3:0]  len, target, cluster;
  logic [23:0] addr;
  logic [7:0]  status;

  eie_select #(.WbufDepth(Depth), .PbufDepth(Depth)) u_select (
    .clk_i, .rst_ni(rst_n), .flush_i, .idle_o(idle), .bases_i, .quiet_i, .go_i, .cmd_valid_i, .cmd_ready_o(cmd_ready), .cmd_i,
    .cmd_idx_i(32'b0), .ab_gnt_i, .ab_data_i, .ab_written_i, .pb_free_i, .pb_data_i, .pb_written_i,
    .burst_valid_o(burst_valid), .burst_ready_i, .burst_va_o(va), .burst_len_o(len), .burst_target_o(target),
    .burst_cluster_o(cluster), .burst_addr_o(addr), .end_valid_o(end_valid), .end_ready_i, .fault_valid_o(fault_valid)
  );

  eie_cmdcheck #(.Clusters(2), .Rows(64), .AbufDepth(Depth), .WbufDepth(Depth), .PbufDepth(Depth), .RbufDepth(Depth), .Select(1'b1)) u_check (
    .valid_i(1'b1), .cmd_i, .nbases_i(5'd16), .status_o(status)
  );

  always_comb begin
    if (rst_n) begin
      // only what the check has passed gets to an engine (fv_cmdq: unchanged)
      assume (!cmd_valid_i || (cmd_i[eie_pkg::CmdOpcodeLsb +: 8] == eie_pkg::OpSelect && status == eie_pkg::StatusOk));
    end
  end

  // the command under way, as it came; what was asked for last of a row
  logic        flush_q, busy_q, began_q;
  logic [23:0] to_q, row_len_q, next_q;
  logic [3:0]  cluster_q, rows_q, row_q, row;

  assign row = cluster - cluster_q;

  always_ff @(posedge clk_i) begin
    flush_q <= rst_n && flush_i;
    busy_q  <= rst_n && !flush_i && (busy_q || (cmd_valid_i && cmd_ready)) && !(end_valid && end_ready_i);
    if (cmd_valid_i && cmd_ready) begin
      to_q      <= cmd_i[eie_pkg::CmdXferAddrLsb +: 24];
      row_len_q <= cmd_i[eie_pkg::CmdXferLenLsb +: 24];
      cluster_q <= cmd_i[eie_pkg::CmdXferClusterLsb +: 4];
      rows_q    <= cmd_i[eie_pkg::CmdXferRowsLsb +: 4];
      began_q   <= 1'b0;
    end else if (burst_valid && burst_ready_i) begin
      began_q <= 1'b1;
      row_q   <= row;
      next_q  <= addr + 24'(len) + 24'd1;
    end
  end

  always_comb begin
    if (rst_n) begin
      assert (!burst_valid || (busy_q && !idle && !flush_i));
      assert (!burst_valid || (va[3:0] == '0 && 9'(va[11:4]) + 9'(len) < 9'd256));
      assert (!burst_valid || (row < rows_q && addr >= to_q && 25'(addr) + 25'(len) < 25'(to_q) + 25'(row_len_q)));
      assert (!burst_valid || !began_q || row > row_q || (row == row_q && addr >= next_q));
      assert (!(flush_i && flush_q) || idle);
      assert (!flush_i || !(burst_valid || end_valid || fault_valid));
    end
    cover (rst_n && burst_valid && target == eie_pkg::BufWbuf[3:0] && va[11:4] + len == 9'd255 && len == 4'd3);
    cover (rst_n && end_valid && began_q && row_q == 4'd1);
    cover (rst_n && fault_valid && began_q);
  end

endmodule
