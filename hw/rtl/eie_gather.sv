// SPDX-License-Identifier: GPL-2.0 OR MIT
//
// Gathers the columns of a VMAC: the eight pixels that eight windows of an image have at the same
// place of the window. A column whose pixels are all zero is dropped; the others leave with the
// place of their pointer. docs/vector_mode.md defines the positions.
//
//   windows -> columns -> request: a granule a cycle -> ABUF -> take: pixels of granules -> FIFO
//
// Granules of the channel are kept in Lines lines, for neighbouring places share them. What is
// requested in one cycle is taken in the next; a granule is taken as it arrives, or from its line.
// Both stages hold a column until all of its pixels are there: a column takes as many cycles as it
// has new granules, at least one. A column that has none leaves its cycle to the second one behind it.
//
// A VPOOL's columns do not leave, and they are those of a block of channels: granules of all banks
// are read at once, and what is taken of them goes to eie_pool. Lines would have to keep all banks'
// granules, so there are none: a granule is read again for the next place of the window.

module eie_gather #(
  parameter int unsigned Clusters = 8,         // power of two, at least 2
  parameter int unsigned PbufDepth = 256,
  parameter int unsigned Rows = 64,
  parameter int unsigned Lines = 4,            // power of two, at least 2
  localparam int unsigned Pa = $clog2(PbufDepth),
  localparam int unsigned Words = Rows / 8,
  localparam int unsigned Ww = (Words > 1) ? $clog2(Words) : 1
) (
  input  logic           clk_i,
  input  logic           rst_ni,
  input  logic           flush_i,

  input  logic           start_i,              // only while not busy_o
  input  logic           tag_i,
  // verilator lint_off UNUSEDSIGNAL
  input  logic [255:0]   cmd_i,                // VMAC or VPOOL, checked; with start_i
  // verilator lint_on UNUSEDSIGNAL
  output logic           busy_o,
  output logic           rest_o,               // nothing changes before the next start or flush

  output logic           ab_re_o,
  output logic [23:0]    ab_addr_o,
  input  logic [127:0]   ab_data_i,            // the cycle after ab_re_o
  input  logic           ab_written_i,
  output logic           ab_all_o,             // with ab_re_o: the row of all banks
  input  logic [Clusters*128-1:0] ab_banks_i,  // which comes here; ab_written_i is for all of them

  input  logic           hold_i,               // a cluster has no room
  output logic           col_valid_o,
  output logic [Pa+1:0]  col_ptr_o,            // pointer: granule of PBUF and word in it
  output logic [127:0]   col_pixels_o,
  output logic [Ww-1:0]  col_word_o,           // accumulator word of the group's first row
  output logic           col_tag_o,
  output logic           unwritten_o,          // with col_tag_o

  // granules of a VPOOL, for ABUF; after a flush nothing
  output logic           pl_we_o,
  output logic [23:0]    pl_addr_o,
  output logic [127:0]   pl_data_o,
  output logic [7:0]     pl_sat_o              // values that were clamped
);

  localparam int unsigned BankW = $clog2(Clusters);
  localparam int unsigned LineW = $clog2(Lines);
  // Columns and rows of the image, with what lies outside of it; pixel numbers are exact inside of
  // it only.
  localparam int unsigned Cw = 18;
  localparam int unsigned Yw = 22;
  localparam int unsigned Xw = 24;
  localparam int unsigned Gw = Xw - 3;         // pixel group
  localparam int unsigned Depth = 4;           // of the FIFO

  // The command

  logic [11:0]   in_x_q, in_y_q, out_x_q, channels_q, groups_q;
  logic [3:0]    kernel_x_q, kernel_y_q, stride_x_q, stride_y_q, dilate_x_q, dilate_y_q;
  logic [7:0]    pad_x_q, pad_y_q;
  logic [2:0]    tail_q;
  logic [19:0]   plane_q;
  logic [23:0]   in_q;
  logic [Ww-1:0] step_q;                       // words a group
  logic [Pa+1:0] ptr_q;
  logic [11:0]   first_x_q, first_y_q;
  logic [2:0]    origin_q;
  logic [11:0]   rows;
  // VPOOL; what it shares with VMAC lies in the same bits
  logic          is_pool, pool_q, sum_q, single_q;                  // single: a window is a pixel
  logic [4:0]    shift_q;
  logic [23:0]   out_q;
  logic [11:0]   out_plane_q;

  assign rows    = cmd_i[eie_pkg::CmdVmacRowsLsb +: 12] + 12'd7;
  assign is_pool = cmd_i[eie_pkg::CmdOpcodeLsb +: 8] == eie_pkg::OpVpool;

  always_ff @(posedge clk_i) begin
    if (start_i) begin
      in_q       <= cmd_i[eie_pkg::CmdVmacInLsb +: 24];
      in_x_q     <= cmd_i[eie_pkg::CmdVmacInXLsb +: 12];
      in_y_q     <= cmd_i[eie_pkg::CmdVmacInYLsb +: 12];
      out_x_q    <= cmd_i[eie_pkg::CmdVmacOutXLsb +: 12];
      // blocks, of a VPOOL
      channels_q <= is_pool ? cmd_i[eie_pkg::CmdVmacChannelsLsb +: 12] >> BankW :
                              cmd_i[eie_pkg::CmdVmacChannelsLsb +: 12];
      groups_q   <= cmd_i[eie_pkg::CmdVmacGroupsLsb +: 12];
      kernel_x_q <= cmd_i[eie_pkg::CmdVmacKernelXLsb +: 4];
      kernel_y_q <= cmd_i[eie_pkg::CmdVmacKernelYLsb +: 4];
      stride_x_q <= cmd_i[eie_pkg::CmdVmacStrideXLsb +: 4];
      stride_y_q <= cmd_i[eie_pkg::CmdVmacStrideYLsb +: 4];
      dilate_x_q <= cmd_i[eie_pkg::CmdVmacDilateXLsb +: 4];
      dilate_y_q <= cmd_i[eie_pkg::CmdVmacDilateYLsb +: 4];
      pad_x_q    <= cmd_i[eie_pkg::CmdVmacPadXLsb +: 8];
      pad_y_q    <= cmd_i[eie_pkg::CmdVmacPadYLsb +: 8];
      tail_q     <= cmd_i[eie_pkg::CmdVmacTailLsb +: 3];
      plane_q    <= cmd_i[eie_pkg::CmdVmacPlaneLsb +: 20];
      ptr_q      <= {cmd_i[eie_pkg::CmdVmacPtrLsb +: Pa], 2'b0};
      step_q     <= Ww'(rows >> 3);
      first_x_q  <= cmd_i[eie_pkg::CmdVmacFirstXLsb +: 12];
      first_y_q  <= cmd_i[eie_pkg::CmdVmacFirstYLsb +: 12];
      origin_q   <= cmd_i[eie_pkg::CmdVmacOriginLsb +: 3];
      pool_q     <= is_pool;
      single_q   <= cmd_i[eie_pkg::CmdVmacKernelXLsb +: 4] == 4'd1 && cmd_i[eie_pkg::CmdVmacKernelYLsb +: 4] == 4'd1;
      sum_q      <= cmd_i[eie_pkg::CmdVpoolSumLsb];
      shift_q    <= cmd_i[eie_pkg::CmdVpoolShiftLsb +: 5];
      out_q      <= cmd_i[eie_pkg::CmdVpoolOutLsb +: 24];
      out_plane_q <= cmd_i[eie_pkg::CmdVpoolOutPlaneLsb +: 12];
      col_tag_o  <= tag_i;
    end
  end

  // Two cycles of products before the first window: the row of the first window and its pixel,
  // pixels from a row of windows to the next and from a row of the window to the next.

  logic [1:0]           setup_q;
  logic [Xw-1:0]        row_step_q, tap_step_q;
  logic signed [Yw-1:0] first_row_q;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      setup_q <= '0;
    end else begin
      setup_q <= flush_i ? '0 : {setup_q[0], start_i};
    end
  end

  always_ff @(posedge clk_i) begin
    if (setup_q[0]) begin
      row_step_q  <= Xw'(stride_y_q) * Xw'(in_x_q);
      tap_step_q  <= Xw'(dilate_y_q) * Xw'(in_x_q);
      first_row_q <= $signed(Yw'(first_y_q) * Yw'(stride_y_q)) - $signed(Yw'(pad_y_q));
    end
  end

  // Windows: the eight of the next group are found one a cycle, while the present group is
  // gathered.

  logic                 walk_q, full_q, switch;
  logic [2:0]           lane_q;
  logic [11:0]          ox_q, left_q;          // left_q: groups whose windows are not found yet
  logic signed [Cw-1:0] wx_q;
  logic signed [Yw-1:0] wy_q;
  logic [Xw-1:0]        wrow_q;                // pixel of column 0 of row wy_q
  logic [8*Cw-1:0]      next_x_q, x_q;
  logic [8*Yw-1:0]      next_y_q, y_q;
  logic [8*Xw-1:0]      next_pixel_q, pixel_q;
  logic                 found;

  assign found = walk_q && !full_q;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      walk_q <= 1'b0;
      full_q <= 1'b0;
    end else if (flush_i) begin
      walk_q <= 1'b0;
      full_q <= 1'b0;
    end else begin
      if (setup_q[1]) begin
        walk_q <= 1'b1;
      end else if (switch && left_q == 12'd1) begin
        walk_q <= 1'b0;
      end
      full_q <= (found && lane_q == 3'd7) || (full_q && !switch);
    end
  end

  always_ff @(posedge clk_i) begin
    if (setup_q[1]) begin
      lane_q <= '0;
      ox_q   <= first_x_q;
      left_q <= groups_q;
      wx_q   <= $signed(Cw'(first_x_q) * Cw'(stride_x_q)) - $signed(Cw'(pad_x_q));
      wy_q   <= first_row_q;
      wrow_q <= Xw'(origin_q) + Xw'(first_row_q) * Xw'(in_x_q);
    end else begin
      if (switch) begin
        left_q <= left_q - 1'b1;
      end
      if (found) begin
        lane_q <= lane_q + 1'b1;
        next_x_q[Cw*lane_q +: Cw]     <= wx_q;
        next_y_q[Yw*lane_q +: Yw]     <= wy_q;
        next_pixel_q[Xw*lane_q +: Xw] <= wrow_q + {{(Xw-Cw){wx_q[Cw-1]}}, wx_q};
        if (ox_q == out_x_q - 1'b1) begin
          ox_q   <= '0;
          wx_q   <= -$signed(Cw'(pad_x_q));
          wy_q   <= wy_q + $signed(Yw'(stride_y_q));
          wrow_q <= wrow_q + row_step_q;
        end else begin
          ox_q   <= ox_q + 1'b1;
          wx_q   <= wx_q + $signed(Cw'(stride_x_q));
        end
      end
    end
  end

  // Windows to columns: the column that is found in this cycle. Two columns wait between it and the one whose
  // granules are requested, so that a cycle in which that one needs none reads a granule for this one: places
  // need two or three at once where a row of the window begins, and none in between.

  logic          run_q;                        // a group is in work
  logic          last_group_q;
  logic [3:0]    kx_q, ky_q;
  logic [11:0]   ch_q;                         // channels or blocks left, this one included
  logic [7:0]    dx_q, dy_q;
  logic [Xw-1:0] drow_q;                       // pixels of dy_q rows
  logic [23:0]   block_q;                      // granule of the block of channels
  logic [BankW-1:0] bank_q;
  logic          odd_q;                        // of channels in turn
  logic [Pa+1:0] col_q;
  logic [Ww-1:0] word_q;
  logic [23:0]   out_group_q, out_block_q;     // VPOOL: granule of channel 0, of the block of channels
  logic [23:0]   out_next;
  logic [7:0]    valid_q;                      // windows of the group

  logic          step, last_col, last_ch;
  logic [7:0]    in_image;
  logic [8*Gw-1:0] group;
  logic [23:0]   place;                        // value in the granule, by window

  assign out_next = (left_q == groups_q) ? out_q : out_group_q + 24'(Clusters);
  assign last_ch  = ch_q == 12'd1;
  assign last_col = kx_q == kernel_x_q - 1'b1 && ky_q == kernel_y_q - 1'b1;
  assign switch   = full_q && (!run_q || (step && last_col && last_ch));

  always_comb begin
    logic signed [Cw-1:0] x;
    logic signed [Yw-1:0] y;
    logic [Xw-1:0]        at;
    {x, y, at} = '0;
    in_image = '0;
    group  = '0;
    place  = '0;
    if (run_q) begin
      for (int unsigned l = 0; l < 8; l++) begin
        x  = x_q[Cw*l +: Cw] + $signed(Cw'(dx_q));
        y  = y_q[Yw*l +: Yw] + $signed(Yw'(dy_q));
        at = pixel_q[Xw*l +: Xw] + drow_q + Xw'(dx_q);
        in_image[l] = valid_q[l] && !x[Cw-1] && !y[Yw-1] && x < $signed(Cw'(in_x_q)) &&
                      y < $signed(Yw'(in_y_q));
        group[Gw*l +: Gw] = at[Xw-1:3];
        place[3*l +: 3]   = at[2:0];
      end
    end
  end

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      run_q <= 1'b0;
    end else if (flush_i) begin
      run_q <= 1'b0;
    end else if (switch) begin
      run_q <= 1'b1;
    end else if (step && last_col && last_ch) begin
      run_q <= 1'b0;
    end
  end

  always_ff @(posedge clk_i) begin
    if (start_i) begin
      last_group_q <= 1'b0;
      odd_q        <= 1'b0;
    end
    if (switch) begin
      x_q          <= next_x_q;
      y_q          <= next_y_q;
      pixel_q      <= next_pixel_q;
      last_group_q <= left_q == 12'd1;
      valid_q      <= (left_q == 12'd1 && tail_q != '0) ? ~(8'hff << tail_q) : 8'hff;
      word_q       <= (left_q == groups_q) ? '0 : word_q + step_q;
    end
    if (switch || (step && last_col)) begin
      kx_q   <= '0;
      ky_q   <= '0;
      dx_q   <= '0;
      dy_q   <= '0;
      drow_q <= '0;
      odd_q  <= !odd_q;
    end else if (step) begin
      if (kx_q == kernel_x_q - 1'b1) begin
        kx_q   <= '0;
        dx_q   <= '0;
        ky_q   <= ky_q + 1'b1;
        dy_q   <= dy_q + 8'(dilate_y_q);
        drow_q <= drow_q + tap_step_q;
      end else begin
        kx_q <= kx_q + 1'b1;
        dx_q <= dx_q + 8'(dilate_x_q);
      end
    end
    if (switch) begin
      ch_q    <= channels_q;
      bank_q  <= '0;
      block_q <= in_q;
      col_q   <= ptr_q;
      out_group_q <= out_next;
      out_block_q <= out_next;
    end else if (step) begin
      col_q <= col_q + 1'b1;
      if (last_col) begin
        ch_q   <= ch_q - 1'b1;
        bank_q <= pool_q ? '0 : bank_q + 1'b1;
        if (pool_q || bank_q == BankW'(Clusters - 1)) begin
          block_q <= block_q + 24'(plane_q) * 24'(Clusters);
          out_block_q <= out_block_q + 24'(out_plane_q) * 24'(Clusters);
        end
      end
    end
  end

  localparam int unsigned Dw = 8 + 24 + 8 * Gw + 24 + 3 + Pa + 2 + Ww + 24;

  logic          wait_q, at_q;                 // a column waits, one is in work
  logic [Dw-1:0] column, wait_col_q, at_col_q;
  logic          done;

  assign column = {in_image, place, group, block_q + 24'(bank_q), odd_q, kx_q == '0 && ky_q == '0, last_col,
                   col_q, word_q, out_block_q};
  assign step   = run_q && (!wait_q || !at_q || done);

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      {wait_q, at_q} <= '0;
    end else if (flush_i) begin
      {wait_q, at_q} <= '0;
    end else begin
      at_q   <= wait_q || (at_q && !done);
      wait_q <= step || (wait_q && at_q && !done);
    end
  end

  always_ff @(posedge clk_i) begin
    if (step) begin
      wait_col_q <= column;
    end
    if (wait_q && (!at_q || done)) begin
      at_col_q <= wait_col_q;
    end
  end

  // Request: the column in work

  logic [7:0]    served_q;                     // windows whose pixel has been requested
  logic [Gw*Lines-1:0] line_q;                 // groups of the lines, and which channels they are of
  logic [Lines-1:0]    line_odd_q, have_q;
  logic [LineW-1:0]    fill_q;                 // the line that is filled next

  logic          go, issue, ahead, room, pool_hold;
  logic [7:0]    at_image, need, hit, miss, first, same, serve;
  logic [8*Gw-1:0] at_group;
  logic [23:0]   at_place, at_base, at_out;
  logic          at_odd, at_first, at_last;
  logic [Pa+1:0] at_ptr;
  logic [Ww-1:0] at_word;
  logic [8*LineW-1:0] from;
  logic [Gw-1:0] want;
  logic [7:0]    ahead_miss, ahead_first;
  logic [Gw-1:0] ahead_want;

  assign {at_image, at_place, at_group, at_base, at_odd, at_first, at_last, at_ptr, at_word, at_out} = at_col_q;
  assign go = at_q && room && !(at_last && pool_hold);

  always_comb begin
    hit  = '0;
    from = '0;
    if (at_q) begin
      for (int unsigned l = 0; l < 8; l++) begin
        for (int unsigned k = 0; k < Lines; k++) begin
          if (have_q[k] && line_odd_q[k] == at_odd && line_q[Gw*k +: Gw] == at_group[Gw*l +: Gw]) begin
            hit[l] = 1'b1;
            from[LineW*l +: LineW] = LineW'(k);
          end
        end
      end
    end
  end

  assign need  = at_image & ~served_q;
  assign miss  = need & ~hit;
  assign first = miss & (~miss + 1'b1);
  assign issue = go && miss != '0;

  always_comb begin
    want = '0;
    same = '0;
    if (at_q) begin
      for (int unsigned l = 0; l < 8; l++) begin
        want = want | (at_group[Gw*l +: Gw] & {Gw{first[l]}});
      end
      for (int unsigned l = 0; l < 8; l++) begin
        same[l] = miss[l] && at_group[Gw*l +: Gw] == want;
      end
    end
  end

  // The first granule that the column being found misses. Of windows of one pixel it is two channels ahead.
  always_comb begin
    ahead_miss = '0;
    ahead_want = '0;
    if (run_q && !pool_q && !single_q) begin
      ahead_miss = in_image;
      for (int unsigned l = 0; l < 8; l++) begin
        for (int unsigned k = 0; k < Lines; k++) begin
          if (have_q[k] && line_odd_q[k] == odd_q && line_q[Gw*k +: Gw] == group[Gw*l +: Gw]) begin
            ahead_miss[l] = 1'b0;
          end
        end
      end
    end
    ahead_first = ahead_miss & (~ahead_miss + 1'b1);
    for (int unsigned l = 0; l < 8; l++) begin
      ahead_want = ahead_want | (group[Gw*l +: Gw] & {Gw{ahead_first[l]}});
    end
  end

  assign ahead     = go && miss == '0 && ahead_miss != '0;
  assign serve     = need & (hit | same);
  assign done      = go && serve == need;
  assign ab_re_o   = issue || ahead;
  assign ab_all_o  = pool_q;
  assign ab_addr_o = (miss != '0) ? at_base + {{(24-Gw){1'b0}}, want} * 24'(Clusters) :
                     block_q + {{(24-Gw){1'b0}}, ahead_want} * 24'(Clusters) + 24'(bank_q);

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      served_q <= '0;
      have_q   <= '0;
    end else if (flush_i) begin
      served_q <= '0;
      have_q   <= '0;
    end else begin
      if (go) begin
        served_q <= done ? '0 : served_q | serve;
      end
      if (issue || ahead) begin
        have_q[fill_q] <= !pool_q && !(issue && done && at_last);
      end
      // the next channel
      for (int unsigned k = 0; k < Lines; k++) begin
        if (done && at_last && line_odd_q[k] == at_odd && !(ahead && fill_q == LineW'(k))) begin
          have_q[k] <= 1'b0;
        end
      end
      if (start_i) begin
        have_q <= '0;
      end
    end
  end

  always_ff @(posedge clk_i) begin
    if (issue || ahead) begin
      line_q[Gw*fill_q +: Gw] <= issue ? want : ahead_want;
      line_odd_q[fill_q]      <= issue ? at_odd : odd_q;
    end
    // any line will do first; where it starts must not depend on what ran before
    fill_q <= start_i ? '0 : fill_q + LineW'(issue || ahead);
  end

  // Take

  logic               take_q, arrive_q, begin_q, end_q;
  logic               ch_begin_q, ch_end_q;    // nothing of the block has been taken; the rest is
  logic [23:0]        take_out_q;
  logic [7:0]         serve_q, same_q;
  logic [23:0]        place_q;
  logic [8*LineW-1:0] from_q;
  logic [LineW-1:0]   line_at_q;
  logic [Pa+1:0]      take_ptr_q;
  logic [Ww-1:0]      take_word_q;
  logic [128*Lines-1:0] data_q;                // the lines
  logic [127:0]       pixels_q, pixels;        // of the column so far

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      take_q      <= 1'b0;
      arrive_q    <= 1'b0;
      unwritten_o <= 1'b0;
    end else begin
      take_q      <= go && !flush_i;
      arrive_q    <= ab_re_o && !flush_i;
      unwritten_o <= arrive_q && !ab_written_i && !flush_i;
    end
  end

  always_ff @(posedge clk_i) begin
    if (go) begin
      begin_q     <= served_q == '0;           // nothing of the column has been taken
      end_q       <= done;
      serve_q     <= serve;
      same_q      <= same;
      place_q     <= at_place;
      from_q      <= from;
      line_at_q   <= fill_q;
      take_ptr_q  <= at_ptr;
      take_word_q <= at_word;
      ch_begin_q  <= served_q == '0 && at_first;
      ch_end_q    <= done && at_last;
      take_out_q  <= at_out;
    end
    if (arrive_q) begin
      data_q[128*line_at_q +: 128] <= ab_data_i;
    end
    if (take_q) begin
      pixels_q <= pixels;
    end
  end

  always_comb begin
    logic [127:0] granule;
    granule = '0;
    pixels  = '0;
    if (take_q && !pool_q) begin
      pixels = begin_q ? '0 : pixels_q;
      for (int unsigned l = 0; l < 8; l++) begin
        granule = same_q[l] ? ab_data_i : data_q[128*from_q[LineW*l +: LineW] +: 128];
        if (serve_q[l]) begin
          pixels[16*l +: 16] = granule[16*place_q[3*l +: 3] +: 16];
        end
      end
    end
  end

  // VPOOL

  logic pool_busy;

  eie_pool #(
    .Clusters (Clusters)
  ) u_pool (
    .clk_i, .rst_ni, .flush_i,
    .sum_i   (sum_q),
    .shift_i (shift_q),
    .take_i  (take_q && pool_q),
    .begin_i (ch_begin_q),
    .end_i   (ch_end_q),
    .addr_i  (take_out_q),
    .serve_i (serve_q),
    .place_i (place_q),
    .data_i  (ab_banks_i),
    .hold_o  (pool_hold),
    .busy_o  (pool_busy),
    .we_o    (pl_we_o),
    .addr_o  (pl_addr_o),
    .data_o  (pl_data_o),
    .sat_o   (pl_sat_o)
  );

  // Columns

  localparam int unsigned Fw = 128 + Pa + 2 + Ww;

  logic          push, pop, fifo_valid, fifo_ready;
  logic [Fw-1:0] fifo_data;
  logic [2:0]    fifo_count;

  assign push = take_q && end_q && pixels != '0 && !pool_q;
  assign pop  = fifo_valid && !hold_i;
  // of four places one may be claimed by what is being taken
  assign room = fifo_count + 3'(take_q) < 3'(Depth);

  eie_fifo #(
    .Width (Fw),
    .Depth (Depth)
  ) u_fifo (
    .clk_i, .rst_ni,
    .clr_i    (flush_i),
    .wvalid_i (push && !flush_i),
    .wready_o (fifo_ready),
    .wdata_i  ({take_word_q, take_ptr_q, pixels}),
    .rvalid_o (fifo_valid),
    .rready_i (pop),
    .rdata_o  (fifo_data),
    .count_o  (fifo_count)
  );

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      col_valid_o <= 1'b0;
    end else begin
      col_valid_o <= pop && !flush_i;
    end
  end

  always_ff @(posedge clk_i) begin
    if (pop) begin
      {col_word_o, col_ptr_o, col_pixels_o} <= fifo_data;
    end
  end

  assign busy_o = setup_q != '0 || walk_q || run_q || wait_q || at_q || take_q || fifo_valid || pool_busy;
  assign rest_o = !busy_o && !col_valid_o && !unwritten_o;

  // Assertions

`ifndef SYNTHESIS
  assert property (@(posedge clk_i) disable iff (!rst_ni) start_i |-> !busy_o);
  assert property (@(posedge clk_i) disable iff (!rst_ni) push |-> fifo_ready);
  assert property (@(posedge clk_i) disable iff (!rst_ni) done |-> go);
  assert property (@(posedge clk_i) disable iff (!rst_ni) run_q && last_group_q |-> !walk_q);
`endif

endmodule
