// SPDX-License-Identifier: GPL-2.0 OR MIT
//
// VMUL and VTABLE: a granule of eight values of a tensor in ABUF becomes one of another, times a
// second tensor's or through a table. docs/vector_mode.md defines both.
//
//   granule of A (and B) -> product -> eie_requant ----------> ABUF
//                        -> table   -> interpolation --------> ABUF
//
// One granule of ABUF is read a cycle, so a table or a value a channel takes a cycle a granule, a
// product of two tensors two. The table is copied from ABUF first: a word of it has a granule's
// eight values and the one behind them, and each of the eight values of a granule has a copy.

module eie_element #(
  parameter int unsigned Clusters = 8          // power of two, at least 2
) (
  input  logic         clk_i,
  input  logic         rst_ni,
  input  logic         flush_i,

  input  logic         start_i,                // only while not busy_o
  input  logic         tag_i,
  // verilator lint_off UNUSEDSIGNAL
  input  logic [255:0] cmd_i,                  // VMUL or VTABLE, checked; with start_i
  // verilator lint_on UNUSEDSIGNAL
  output logic         busy_o,
  output logic         rest_o,                 // nothing changes before the next start or flush

  output logic         ab_re_o,
  output logic [23:0]  ab_addr_o,
  input  logic [127:0] ab_data_i,              // the cycle after ab_re_o
  input  logic         ab_written_i,

  output logic         tag_o,
  output logic         unwritten_o,            // with tag_o

  output logic         we_o,
  output logic [23:0]  addr_o,
  output logic [127:0] data_o,
  output logic [7:0]   sat_o                   // values that were clamped at +-32767
);

  localparam int unsigned TableWords = eie_pkg::TableGranules - 1;
  localparam int unsigned Tw = $clog2(TableWords);

  // The command

  logic        start_table, table_q, channel_q;
  logic [2:0]  tail_q;
  logic [15:0] m_q, lo_q, hi_q;
  logic [5:0]  s_q;

  assign start_table = cmd_i[eie_pkg::CmdOpcodeLsb +: 8] == eie_pkg::OpVtable;

  always_ff @(posedge clk_i) begin
    if (start_i) begin
      table_q   <= start_table;
      channel_q <= cmd_i[eie_pkg::CmdVmulChannelLsb];
      tail_q    <= cmd_i[eie_pkg::CmdVmulTailLsb +: 3];
      m_q       <= cmd_i[eie_pkg::CmdVmulMLsb +: 16];
      s_q       <= cmd_i[eie_pkg::CmdVmulSLsb +: 6];
      lo_q      <= cmd_i[eie_pkg::CmdVmulLoLsb +: 16];
      hi_q      <= cmd_i[eie_pkg::CmdVmulHiLsb +: 16];
      tag_o     <= tag_i;
    end
  end

  // Where: of A, of B or the table, and of the output

  logic        a_step, b_step, a_last, a_last_group, out_last, out_last_group;
  logic [23:0] a_addr, b_addr;
  logic [11:0] groups, channels;
  // verilator lint_off UNUSEDSIGNAL
  logic        b_last, b_last_group;           // A's walk says when
  // verilator lint_on UNUSEDSIGNAL

  assign groups   = cmd_i[eie_pkg::CmdVmulGroupsLsb +: 12];
  assign channels = cmd_i[eie_pkg::CmdVmulChannelsLsb +: 12];

  eie_walk #(
    .Clusters (Clusters)
  ) u_walk_a (
    .clk_i, .start_i,
    .first_i      (cmd_i[eie_pkg::CmdVmulInLsb +: 24]),
    .plane_i      (cmd_i[eie_pkg::CmdVmulPlaneLsb +: 20]),
    .groups_i     (groups),
    .channels_i   (channels),
    .step_i       (a_step),
    .addr_o       (a_addr),
    .last_group_o (a_last_group),
    .last_o       (a_last)
  );

  eie_walk #(
    .Clusters (Clusters)
  ) u_walk_b (
    .clk_i, .start_i,
    .first_i      (cmd_i[eie_pkg::CmdVmulBLsb +: 24]),
    .plane_i      (20'(cmd_i[eie_pkg::CmdVmulBPlaneLsb +: 12])),
    .groups_i     (cmd_i[eie_pkg::CmdVmulChannelLsb] ? 12'd1 : groups),
    .channels_i   (channels),
    .step_i       (b_step),
    .addr_o       (b_addr),
    .last_group_o (b_last_group),
    .last_o       (b_last)
  );

  eie_walk #(
    .Clusters (Clusters)
  ) u_walk_out (
    .clk_i, .start_i,
    .first_i      (cmd_i[eie_pkg::CmdVmulOutLsb +: 24]),
    .plane_i      (20'(cmd_i[eie_pkg::CmdVmulOutPlaneLsb +: 12])),
    .groups_i     (groups),
    .channels_i   (channels),
    .step_i       (we_o),
    .addr_o       (addr_o),
    .last_group_o (out_last_group),
    .last_o       (out_last)
  );

  // Requests: the table; then for each granule of A, or each channel's first one, one of B before

  logic        fill_q, run_q, want_b_q;        // reads the table, reads operands; B is next
  logic [5:0]  fetch_q;                        // granules of the table that were requested
  logic        last_fetch;

  assign last_fetch = fetch_q == 6'(eie_pkg::TableGranules - 1);
  assign b_step     = run_q && want_b_q;
  assign a_step     = run_q && !want_b_q;
  assign ab_re_o    = fill_q || run_q;
  assign ab_addr_o  = fill_q ? table_addr_q : want_b_q ? b_addr : a_addr;

  logic [23:0] table_addr_q;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      fill_q <= 1'b0;
      run_q  <= 1'b0;
    end else if (flush_i) begin
      fill_q <= 1'b0;
      run_q  <= 1'b0;
    end else if (start_i) begin
      fill_q <= start_table;
      run_q  <= !start_table;
    end else begin
      if (fill_q && last_fetch) begin
        fill_q <= 1'b0;
        run_q  <= 1'b1;
      end
      if (a_step && a_last) begin
        run_q <= 1'b0;
      end
    end
  end

  always_ff @(posedge clk_i) begin
    if (start_i) begin
      want_b_q     <= !start_table;
      fetch_q      <= '0;
      table_addr_q <= cmd_i[eie_pkg::CmdVtableTableLsb +: 24];
    end else begin
      if (fill_q) begin
        fetch_q      <= fetch_q + 1'b1;
        table_addr_q <= table_addr_q + 24'd1;
      end
      if (b_step) begin
        want_b_q <= 1'b0;
      end else if (a_step) begin
        want_b_q <= !table_q && (!channel_q || a_last_group);
      end
    end
  end

  // Arrivals

  logic          got_a_q, got_b_q, got_t_q, first_t_q;
  logic [127:0]  b_q, t_q;                     // of B; of the table, the granule before
  logic [Tw-1:0] word_q;                       // the word that it makes with the next one

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      {got_a_q, got_b_q, got_t_q} <= '0;
      unwritten_o                 <= 1'b0;
    end else begin
      {got_a_q, got_b_q, got_t_q} <= flush_i ? 3'b0 : {a_step, b_step, fill_q};
      unwritten_o <= (got_a_q || got_b_q || got_t_q) && !ab_written_i && !flush_i;
    end
  end

  always_ff @(posedge clk_i) begin
    first_t_q <= fill_q && fetch_q == '0;
    if (got_b_q) begin
      b_q <= channel_q ? {8{ab_data_i[15:0]}} : ab_data_i;
    end
    if (got_t_q) begin
      t_q    <= ab_data_i;
      word_q <= first_t_q ? '0 : word_q + 1'b1;
    end
  end

  // Products

  logic         prod_valid_q, y_valid;
  logic [255:0] prod_q;
  logic [127:0] y;
  logic [7:0]   y_sat;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      prod_valid_q <= 1'b0;
    end else begin
      prod_valid_q <= got_a_q && !table_q && !flush_i;
    end
  end

  always_ff @(posedge clk_i) begin
    if (got_a_q && !table_q) begin
      for (int unsigned l = 0; l < 8; l++) begin
        prod_q[32*l +: 32] <= $signed({{16{ab_data_i[16*l+15]}}, ab_data_i[16*l +: 16]}) *
                              $signed({{16{b_q[16*l+15]}}, b_q[16*l +: 16]});
      end
    end
  end

  eie_requant u_requant (
    .clk_i, .rst_ni, .flush_i,
    .valid_i (prod_valid_q),
    .acc_i   (prod_q),
    .m_i     ({8{m_q}}),
    .s_i     ({8{s_q}}),
    .lo_i    (lo_q),
    .hi_i    (hi_q),
    .valid_o (y_valid),
    .y_o     (y),
    .sat_o   (y_sat)
  );

  // Interpolation: word of the table; value and difference; sum

  logic                look, look_q, diff_valid_q, t_valid_q;
  logic [8*144-1:0]    words;
  logic [23:0]         at_q;                   // value of the word
  logic [63:0]         part_q, part2_q;        // of the step to the next value, in 1 / 256
  logic [127:0]        from_q, interpolated_q;
  logic [135:0]        diff_q;

  assign look = got_a_q && table_q;

  for (genvar l = 0; l < 8; l++) begin : gen_table
    eie_ram #(
      .Width (144),
      .Depth (TableWords)
    ) u_table (
      .clk_i,
      .wclk_i  (clk_i),
      .we_i    (got_t_q && !first_t_q),
      .waddr_i (word_q),
      .wdata_i ({ab_data_i[15:0], t_q}),
      .re_i    (look),
      // value 0 is that of the lowest input
      .raddr_i ({!ab_data_i[16*l+15], ab_data_i[16*l+11 +: 4]}),
      .rdata_o (words[144*l +: 144])
    );
  end

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      {t_valid_q, diff_valid_q, look_q} <= '0;
    end else begin
      {t_valid_q, diff_valid_q, look_q} <= flush_i ? 3'b0 : {diff_valid_q, look_q, look};
    end
  end

  always_ff @(posedge clk_i) begin
    if (look) begin
      for (int unsigned l = 0; l < 8; l++) begin
        at_q[3*l +: 3]   <= ab_data_i[16*l+8 +: 3];
        part_q[8*l +: 8] <= ab_data_i[16*l +: 8];
      end
    end
    if (look_q) begin
      part2_q <= part_q;
      for (int unsigned l = 0; l < 8; l++) begin
        from_q[16*l +: 16] <= words[144*l + 16*at_q[3*l +: 3] +: 16];
        diff_q[17*l +: 17] <= 17'($signed(words[144*l + 16*at_q[3*l +: 3] + 16 +: 16])) -
                              17'($signed(words[144*l + 16*at_q[3*l +: 3] +: 16]));
      end
    end
  end

  always_ff @(posedge clk_i) begin
    logic signed [25:0] rise;
    if (diff_valid_q) begin
      for (int unsigned l = 0; l < 8; l++) begin
        rise = $signed({{9{diff_q[17*l+16]}}, diff_q[17*l +: 17]}) *
               $signed({18'b0, part2_q[8*l +: 8]});
        interpolated_q[16*l +: 16] <= from_q[16*l +: 16] + 16'((rise + 26'sd128) >>> 8);
      end
    end
  end

  // To ABUF; values behind the last pixel become zero

  logic [7:0] pixels;

  assign we_o   = t_valid_q || y_valid;
  assign pixels = (tail_q != '0 && out_last_group) ? ~(8'hff << tail_q) : 8'hff;

  always_comb begin
    data_o = '0;
    sat_o  = '0;
    if (we_o) begin
      sat_o = table_q ? '0 : y_sat & pixels;
      for (int unsigned l = 0; l < 8; l++) begin
        if (pixels[l]) begin
          data_o[16*l +: 16] = table_q ? interpolated_q[16*l +: 16] : y[16*l +: 16];
        end
      end
    end
  end

  // Until the last granule is written

  logic busy_q;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      busy_q <= 1'b0;
    end else if (flush_i) begin
      busy_q <= 1'b0;
    end else if (start_i) begin
      busy_q <= 1'b1;
    end else if (we_o && out_last) begin
      busy_q <= 1'b0;
    end
  end

  assign busy_o = busy_q;
  assign rest_o = !busy_q && !unwritten_o && !we_o && !got_a_q && !got_b_q && !got_t_q;

  // Assertions

`ifndef SYNTHESIS
  assert property (@(posedge clk_i) disable iff (!rst_ni) start_i |-> !busy_o);
  assert property (@(posedge clk_i) disable iff (!rst_ni) we_o |-> busy_q);
  assert property (@(posedge clk_i) disable iff (!rst_ni) !(t_valid_q && y_valid));
`endif

endmodule
