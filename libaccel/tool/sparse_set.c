// SPDX-License-Identifier: GPL-2.0 OR MIT
#include "sparse_set.h"

#include <npz.h>
#include <stdlib.h>
#include <string.h>

int sparse_set_read(const struct arg_list *list, struct sparse_set *set)
{
	unsigned int n = list ? list->n : 0;
	struct accel_error err = { 0 };

	*set = (struct sparse_set){ .item = calloc(n + 1u, sizeof(*set->item)),
				    .matrix = calloc(n + 1u, sizeof(*set->matrix)),
				    .name = calloc(n + 1u, sizeof(*set->name)) };
	if (!set->item || !set->matrix || !set->name)
		return fail("out of memory");
	for (unsigned int i = 0; i < n; i++) {
		const char *word = list->item[i], *eq = strchr(word, '=');

		if (!eq || eq == word || !eq[1])
			return fail("--sparse %s: say which input, and a file of scipy.sparse.save_npz: NAME=GRAPH.npz", word);
		set->name[i] = strndup(word, (size_t)(eq - word));
		if (!set->name[i])
			return fail("out of memory");
		if (npz_matrix_read(eq + 1, &set->matrix[i], &err))
			return fail_accel(eq + 1, &err);
		set->item[i] = (struct accel_onnx_sparse){ set->name[i], set->matrix[i].csr };
		set->n++;
	}
	return EXIT_OK;
}

void sparse_set_free(struct sparse_set *set)
{
	/* the last name may be of a file that was refused */
	for (unsigned int i = 0; set->name && set->name[i]; i++)
		free(set->name[i]);
	for (unsigned int i = 0; i < set->n; i++)
		npz_matrix_free(&set->matrix[i]);
	free(set->item);
	free(set->matrix);
	free(set->name);
	*set = (struct sparse_set){ 0 };
}
