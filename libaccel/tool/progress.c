// SPDX-License-Identifier: GPL-2.0 OR MIT
#include "progress.h"

void progress_start(struct progress *p, const struct tool *tool, uint64_t total)
{
	*p = (struct progress){
		.on = tool->progress && tool->verbosity >= 0,
		.total = total,
		.start = seconds_wall(),
	};
	p->drawn = p->start;
}

void progress_step(struct progress *p, uint64_t done)
{
	double now, rate, left;

	if (!p->on || !done)
		return;
	now = seconds_wall();
	if (now - p->drawn < 0.2)
		return;
	p->drawn = now;
	rate = (double)done / (now - p->start);
	left = (double)(p->total - done) / rate;
	fprintf(stderr, "\r%s of %s (%2.0f %%)  %.*f/s  ", text_count(done).s,
		text_count(p->total).s, 100.0 * (double)done / (double)p->total, rate < 10 ? 1 : 0,
		rate);
	if (left >= 60)
		fprintf(stderr, "%u min %02u s left\033[K", (unsigned int)left / 60,
			(unsigned int)left % 60);
	else
		fprintf(stderr, "%.0f s left\033[K", left);
}

void progress_end(struct progress *p)
{
	if (p->on && p->drawn > p->start)
		fputs("\r\033[K", stderr);
	p->on = false;
}
