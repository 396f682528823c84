// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Which granules a SELECT asks for, and when it knows: eie_select.sv up to its queue of runs. Names are those of the RTL. */
#include <string.h>

#include "cost_int.h"

/* u_steps */
#define STEPS 4

void select_start(struct cost_select *s, const struct eie_cmd *cmd, const struct cost_work *work)
{
	bool pointers = CMD_GET(cmd, XFER_TARGET) == EIE_BUF_PBUF;
	uint32_t row_steps = CMD_GET(cmd, SELECT_LEN) * (pointers ? 1 : 2);

	*s = (struct cost_select){ .pointers = pointers, .in = CMD_GET(cmd, SELECT_IN), .row_steps = row_steps,
				   .steps = row_steps * CMD_GET(cmd, XFER_ROWS) };
	if (work) {
		s->runs = work->runs;
		s->nruns = work->nruns;
	}
}

uint32_t select_address(const struct cost_select *s)
{
	return s->in + s->next % s->row_steps / (s->pointers ? 1 : 2);
}

static void push(struct cost_select *s, const struct cost_run *run, bool end)
{
	s->fifo[(s->head + s->nfifo) % SELECT_RUNS] = run;
	s->fifo_end[(s->head + s->nfifo++) % SELECT_RUNS] = end;
}

/* A cycle of the oldest step: a run begins, and the one before it ends; or, with no more to begin, a row ends. True: the step is done. */
static bool take_step(struct cost_select *s, bool ready)
{
	const bool row_end = (s->step + 1) % s->row_steps == 0;
	bool begins = s->begun < s->nruns && s->runs[s->begun].step == s->step;
	const struct cost_run *last = s->open ? &s->runs[s->begun - 1] : NULL;

	if (!ready && (begins ? s->open : row_end))
		return false;
	if (begins) {
		if (s->open)
			push(s, last, false);
		s->open = true;
		s->begun++;
		return !row_end && !(s->begun < s->nruns && s->runs[s->begun].step == s->step);
	}
	if (row_end) {
		push(s, last, s->step + 1 == s->steps);
		s->open = false;
	}
	return true;
}

bool select_step(struct cost_select *s, bool read, bool through, const struct cost_run **run)
{
	const bool pops = s->nfifo && !s->end && through, ready = s->nfifo < SELECT_RUNS;
	const bool fires = read && s->next < s->steps && s->nsteps + s->read + s->columns < STEPS;

	*run = NULL;
	if (pops) {
		*run = s->fifo[s->head];
		s->end = s->fifo_end[s->head];
		s->head = (s->head + 1) % SELECT_RUNS;
		s->nfifo--;
	}
	if (s->nsteps && take_step(s, ready)) {
		s->nsteps--;
		s->step++;
	}
	s->nsteps += s->columns;
	s->columns = s->read;
	s->read = fires;
	s->next += fires;
	return pops;
}
