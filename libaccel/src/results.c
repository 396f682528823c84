// SPDX-License-Identifier: GPL-2.0 OR MIT
#include "results.h"

#include <stdlib.h>

void results_add(struct result **list, struct result *r)
{
	r->next = *list;
	*list = r;
}

bool results_take(struct result **list, uint64_t seq, struct eie_cpl *cpl)
{
	for (struct result **p = list; *p; p = &(*p)->next) {
		struct result *r = *p;

		if (r->seq != seq)
			continue;
		*p = r->next;
		*cpl = r->cpl;
		free(r);
		return true;
	}
	return false;
}

void results_free(struct result **list)
{
	while (*list) {
		struct result *r = *list;

		*list = r->next;
		free(r);
	}
}
