// SPDX-License-Identifier: GPL-2.0 OR MIT
#include "peers.hpp"

extern "C" __attribute__((visibility("default"))) const peer *const *eie_peers(void)
{
	static const peer *const all[] = { &openblas_f32, &eigen_sparse, &onednn_f32, &onednn_u8s8, &xnnpack_f32, &xnnpack_qs8, &xnnpack_sparse,
					   &ort_f32, &ort_qlinear, &ort_nbits, nullptr };

	return all;
}

extern "C" __attribute__((visibility("default"))) const char *eie_peers_versions(void)
{
	static const std::string text = openblas_version() + "; " + eigen_version() + "; " + onednn_version() + "; XNNPACK " XNNPACK_VERSION "; " +
					ort_version() + "; built with g++ " __VERSION__ " " PEER_FLAGS;

	return text.c_str();
}
