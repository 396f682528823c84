// SPDX-License-Identifier: GPL-2.0 OR MIT
#include "peers.hpp"

#include <Eigen/Sparse>

namespace {

class Sparse {
	Eigen::SparseMatrix<float, Eigen::RowMajor> w;
	Eigen::VectorXf x, y;

public:
	Sparse(const peer_layer &l, unsigned int threads) : w(l.rows, l.cols), x(l.cols), y(l.rows)
	{
		Eigen::setNbThreads((int)threads);
		w.reserve(l.rowptr[l.rows]);
		for (uint32_t r = 0; r < l.rows; r++) {
			w.startVec(r);
			for (uint32_t i = l.rowptr[r]; i < l.rowptr[r + 1]; i++)
				w.insertBack(r, l.col[i]) = l.value[i];
		}
		w.finalize();
		std::copy(l.x, l.x + l.cols, x.data());
	}
	void run() { y.noalias() = w * x; }
	void output(float *to) { std::copy(y.data(), y.data() + y.size(), to); }
};

}

const peer eigen_sparse = make_peer<Sparse>("Eigen sparse f32", float_error);

std::string eigen_version()
{
	return "Eigen " + std::to_string(EIGEN_WORLD_VERSION) + "." + std::to_string(EIGEN_MAJOR_VERSION) + "." + std::to_string(EIGEN_MINOR_VERSION);
}
