// SPDX-License-Identifier: GPL-2.0 OR MIT
//
// Of the harnesses with eie_frontend: its states, and what is assumed of the beats that it reads. They have `state` and `beat`, probes of it.

  // in the order of eie_frontend's state_e
  localparam logic [3:0] StScrub = 4'd0, StIdle = 4'd1, StDescReq = 4'd2, StDesc = 4'd3, StCheck = 4'd4, StBaseReq = 4'd5,
                         StBase = 4'd6, StRestore = 4'd8, StMain = 4'd9, StDrain = 4'd10, StFlush = 4'd11, StCplReq = 4'd12, StCplData = 4'd13,
                         StCplResp = 4'd14;

  // beats come to who asked; a descriptor has eight
  always_comb begin
    if (rst_n) begin
      assume (!rd_rsp_valid_i || state == StDesc || state == StBase);
      assume (state != StDesc || !rd_rsp_valid_i || rd_rsp_last_i == (beat == 3'd7));
    end
  end
