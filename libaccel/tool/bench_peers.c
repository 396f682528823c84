// SPDX-License-Identifier: GPL-2.0 OR MIT
#include "bench_peers.h"
#include "tool.h"

#include <dlfcn.h>
#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LIBRARY "libeie_peers.so"

/* Beside the command itself. */
static int default_path(char *path, size_t size)
{
	char self[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);
	char *slash;

	if (n < 0)
		return fail("cannot find out where this command is; name " LIBRARY " in EIE_PEERS_LIB");
	self[n] = 0;
	slash = strrchr(self, '/');
	if (slash)
		*slash = 0;
	if ((size_t)snprintf(path, size, "%s/" LIBRARY, self) >= size)
		return fail("the path of " LIBRARY " is too long; name it in EIE_PEERS_LIB");
	return EXIT_OK;
}

int peers_load(const struct peer *const **peers, const struct peer_networks *const **networks, const char **versions)
{
	const struct peer_networks *const *(*network_list)(void);
	const struct peer *const *(*list)(void);
	const char *(*text)(void);
	const char *path = getenv("EIE_PEERS_LIB");
	char beside[PATH_MAX + sizeof(LIBRARY)];
	void *so;

	if (!path) {
		if (default_path(beside, sizeof(beside)))
			return EXIT_FAILED;
		path = beside;
	}
	/* never closed: the libraries in it have threads */
	so = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	if (!so)
		return fail("%s; `make bench-peers` builds it", dlerror());
	list = (const struct peer *const *(*)(void))dlsym(so, "eie_peers");
	text = (const char *(*)(void))dlsym(so, "eie_peers_versions");
	network_list = (const struct peer_networks *const *(*)(void))dlsym(so, "eie_peer_networks");
	if (!list || !text || !network_list)
		return fail("%s does not have eie_peers, eie_peer_networks and eie_peers_versions; `make bench-peers` builds it", path);
	*peers = list();
	*networks = network_list();
	*versions = text();
	return EXIT_OK;
}

int peer_data_make(const struct accel_layer *layer, const int16_t *x, float scale, struct peer_data *data)
{
	float *dense = calloc((size_t)layer->rows * layer->cols, sizeof(*dense)), *value = malloc((layer->nnz + 1) * sizeof(*value));
	float *real = malloc(layer->cols * sizeof(*real));
	struct peer_layer *l = &data->layer;

	*data = (struct peer_data){
		.layer = { .rows = layer->rows, .cols = layer->cols, .dense = dense, .rowptr = layer->rowptr, .col = layer->col, .value = value,
			   .x = real },
		.y = calloc(layer->rows, sizeof(*data->y)),
	};
	if (!dense || !value || !real || !data->y) {
		peer_data_free(data);
		return fail("%s: out of memory for a dense copy of the weights", layer->name);
	}
	for (uint32_t c = 0; c < layer->cols; c++) {
		real[c] = (float)x[c] * scale;
		l->x_max = fmaxf(l->x_max, real[c]);
	}
	for (uint32_t r = 0; r < layer->rows; r++) {
		for (uint32_t i = layer->rowptr[r]; i < layer->rowptr[r + 1]; i++) {
			value[i] = layer->codebook[layer->code[i]];
			dense[(size_t)r * layer->cols + layer->col[i]] = value[i];
			l->weight_max = fmaxf(l->weight_max, fabsf(value[i]));
			data->y[r] += (double)value[i] * (double)real[layer->col[i]];
		}
		l->y_max = fmaxf(l->y_max, (float)fabs(data->y[r]));
	}
	return EXIT_OK;
}

void peer_data_free(struct peer_data *data)
{
	free((void *)data->layer.dense);
	free((void *)data->layer.value);
	free((void *)data->layer.x);
	free(data->y);
	*data = (struct peer_data){ 0 };
}

double peer_error(const struct peer_data *data, const float *y)
{
	double worst = 0;

	for (uint32_t r = 0; r < data->layer.rows; r++) {
		double e = fabs((double)y[r] - data->y[r]);

		if (isnan(e))
			return INFINITY;
		worst = fmax(worst, e);
	}
	return worst / (double)data->layer.y_max;
}
