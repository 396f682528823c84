// SPDX-License-Identifier: GPL-2.0 OR MIT
#include "peers.hpp"

#include <cstring>
#include <dnnl.hpp>
#include <omp.h>

using namespace dnnl;

namespace {

memory::dims dims(uint32_t a, uint32_t b)
{
	return { (memory::dim)a, (memory::dim)b };
}

class Product {
	engine eng{ engine::kind::cpu, 0 };
	stream s{ eng };
	memory x, w, y;
	matmul op;
	uint32_t rows;

protected:
	float scale = 1;

	// x and the weights as the library likes them best
	Product(const peer_layer &l, unsigned int threads, memory::data_type xt, memory::data_type wt, const void *xs, void *ws) : rows(l.rows)
	{
		omp_set_num_threads((int)threads);
		const memory::desc xd(dims(1, l.cols), xt, memory::format_tag::ab), wd(dims(l.cols, l.rows), wt, memory::format_tag::any),
			yd(dims(1, l.rows), memory::data_type::f32, memory::format_tag::ab);
		const matmul::primitive_desc pd(matmul::desc(xd, wd, yd), eng);
		memory plain({ dims(l.cols, l.rows), wt, memory::format_tag::ba }, eng, ws);

		x = memory(xd, eng);
		memcpy(x.get_data_handle(), xs, xd.get_size());
		w = memory(pd.weights_desc(), eng);
		y = memory(yd, eng);
		reorder(plain, w).execute(s, plain, w);
		s.wait();
		op = matmul(pd);
	}

public:
	void run()
	{
		op.execute(s, { { DNNL_ARG_SRC, x }, { DNNL_ARG_WEIGHTS, w }, { DNNL_ARG_DST, y } });
		s.wait();
	}
	void output(float *to)
	{
		const float *from = static_cast<const float *>(y.get_data_handle());

		std::transform(from, from + rows, to, [this](float v) { return v * scale; });
	}
};

class Float : public Product {
public:
	Float(const peer_layer &l, unsigned int threads)
		: Product(l, threads, memory::data_type::f32, memory::data_type::f32, l.x, const_cast<float *>(l.dense))
	{
	}
};

class Int8 : public Product {
public:
	Int8(const peer_layer &l, unsigned int threads)
		: Product(l, threads, memory::data_type::u8, memory::data_type::s8, quantised_input<uint8_t>(l, 255).data(), quantised_weights(l).data())
	{
		scale = l.x_max / 255 * l.weight_max / 127;
	}
};

}

const peer onednn_f32 = make_peer<Float>("oneDNN f32", float_error);
const peer onednn_u8s8 = make_peer<Int8>("oneDNN u8s8", int8_error);

std::string onednn_version()
{
	const dnnl_version_t *v = dnnl_version();

	return "oneDNN " + std::to_string(v->major) + "." + std::to_string(v->minor) + "." + std::to_string(v->patch);
}
