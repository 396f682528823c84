// SPDX-License-Identifier: GPL-2.0 OR MIT
// Its header is C, and needs these before it.
#include <math.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <xnnpack.h>

#include "peers.hpp"

namespace {

class Operator {
	pthreadpool_t pool;

protected:
	xnn_operator_t op = nullptr;

	explicit Operator(unsigned int threads)
	{
		check("initialising", xnn_initialize(nullptr));
		pool = threads > 1 ? pthreadpool_create(threads) : nullptr;
	}
	~Operator()
	{
		if (op)
			xnn_delete_operator(op);
		if (pool)
			pthreadpool_destroy(pool);
	}
	pthreadpool_t threads() const { return pool; }
	static void check(const char *what, xnn_status status)
	{
		if (status != xnn_status_success)
			throw std::runtime_error(std::string(what) + ": xnn_status " + std::to_string(status));
	}

public:
	void run() { check("running", xnn_run_operator(op, pool)); }
};

class Float : public Operator {
	std::vector<float> y;

public:
	Float(const peer_layer &l, unsigned int t) : Operator(t), y(l.rows)
	{
		check("creating", xnn_create_fully_connected_nc_f32(l.cols, l.rows, l.cols, l.rows, l.dense, nullptr, -INFINITY, INFINITY, 0, &op));
		check("setting up", xnn_setup_fully_connected_nc_f32(op, 1, l.x, y.data(), threads()));
	}
	void output(float *to) { std::copy(y.begin(), y.end(), to); }
};

class Int8 : public Operator {
	std::vector<int8_t> x, y;
	float scale;

public:
	Int8(const peer_layer &l, unsigned int t) : Operator(t), x(quantised_input<int8_t>(l, 127)), y(l.rows), scale(l.y_max / 127)
	{
		check("creating", xnn_create_fully_connected_nc_qs8(l.cols, l.rows, l.cols, l.rows, 0, l.x_max / 127, l.weight_max / 127,
								    quantised_weights(l).data(), nullptr, 0, scale, -128, 127, 0, &op));
		check("setting up", xnn_setup_fully_connected_nc_qs8(op, 1, x.data(), y.data(), threads()));
	}
	void output(float *to)
	{
		std::transform(y.begin(), y.end(), to, [this](int8_t v) { return v * scale; });
	}
};

// It takes 1x1 convolutions of channels-first images for sparse, and counts zeros itself. An image of one pixel.
class Sparse : public Operator {
	std::vector<float> y;

public:
	Sparse(const peer_layer &l, unsigned int t) : Operator(t), y(l.rows)
	{
		check("creating", xnn_create_convolution2d_nchw_f32(0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, l.cols, l.rows, l.cols, l.rows, l.dense, nullptr,
								    -INFINITY, INFINITY, 0, &op));
		check("setting up", xnn_setup_convolution2d_nchw_f32(op, 1, 1, 1, l.x, y.data(), threads()));
	}
	void output(float *to) { std::copy(y.begin(), y.end(), to); }
};

}

const peer xnnpack_f32 = make_peer<Float>("XNNPACK f32", float_error);
const peer xnnpack_qs8 = make_peer<Int8>("XNNPACK qs8", int8_error);
const peer xnnpack_sparse = make_peer<Sparse>("XNNPACK sparse f32", float_error);
