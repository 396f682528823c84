// SPDX-License-Identifier: GPL-2.0 OR MIT
// A peer is a class: a constructor (layer, threads) that throws what it cannot do, run(), output(y).
#ifndef EIE_PEERS_HPP
#define EIE_PEERS_HPP

#include "peer.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <stdexcept>
#include <string>
#include <vector>

template <class P> struct peer make_peer(const char *name, double tolerance)
{
	return {
		name,
		tolerance,
		[](const peer_layer *layer, unsigned int threads, char *why) -> void * {
			try {
				return new P(*layer, threads);
			} catch (const std::exception &e) {
				snprintf(why, 160, "%s", e.what());
				return nullptr;
			}
		},
		[](void *state) { static_cast<P *>(state)->run(); },
		[](void *state, float *y) { static_cast<P *>(state)->output(y); },
		[](void *state) { delete static_cast<P *>(state); },
	};
}

// Largest errors that number formats explain: float32; 8 bits of weights, activations and outputs; 4 bits of weights in even steps, which the codebook
// is not: its values lie a quarter of a step beside them, all to the same side.
constexpr double float_error = 1e-4, int8_error = 0.04, int4_error = 0.3;

extern const peer openblas_f32, eigen_sparse, onednn_f32, onednn_u8s8, xnnpack_f32, xnnpack_qs8, xnnpack_sparse, ort_f32, ort_qlinear, ort_nbits;
std::string openblas_version(), eigen_version(), onednn_version(), ort_version();

// Rows of weights in steps of max / 127.
inline std::vector<int8_t> quantised_weights(const peer_layer &l)
{
	std::vector<int8_t> q((size_t)l.rows * l.cols);

	for (size_t i = 0; i < q.size(); i++)
		q[i] = (int8_t)std::lrint(l.dense[i] / l.weight_max * 127);
	return q;
}

// Activations in steps of max / most.
template <class T> std::vector<T> quantised_input(const peer_layer &l, float most)
{
	std::vector<T> q(l.cols);

	for (uint32_t c = 0; c < l.cols; c++)
		q[c] = (T)std::lrint(l.x[c] / l.x_max * most);
	return q;
}

#endif
