// SPDX-License-Identifier: GPL-2.0 OR MIT
#include "peers.hpp"

#include <cblas.h>

namespace {

class Dense {
	const peer_layer &l;
	std::vector<float> y;

public:
	Dense(const peer_layer &layer, unsigned int threads) : l(layer), y(layer.rows) { openblas_set_num_threads((int)threads); }
	void run()
	{
		cblas_sgemv(CblasRowMajor, CblasNoTrans, (int)l.rows, (int)l.cols, 1, l.dense, (int)l.cols, l.x, 1, 0, y.data(), 1);
	}
	void output(float *to) { std::copy(y.begin(), y.end(), to); }
};

}

const peer openblas_f32 = make_peer<Dense>("OpenBLAS f32", float_error);

std::string openblas_version()
{
	return openblas_get_config();
}
