// SPDX-License-Identifier: GPL-2.0 OR MIT
// ONNX Runtime, on models of one operator that are made here.
#include "onnx.pb-c.h"
#include "peers.hpp"

#include <deque>
#include <onnxruntime_c_api.h>

namespace {

const OrtApi *api()
{
	static const OrtApi *const a = OrtGetApiBase()->GetApi(ORT_API_VERSION);

	if (!a)
		throw std::runtime_error("this libonnxruntime is older than its header");
	return a;
}

void check(OrtStatus *status)
{
	if (!status)
		return;
	const std::string text = api()->GetErrorMessage(status);

	api()->ReleaseStatus(status);
	throw std::runtime_error(text);
}

enum { FLOAT = 1, UINT8 = 2, INT8 = 3 };   // TensorProto.DataType

// A model with one node. Weights are the caller's until bytes() has been called, all else is kept here.
class Model {
	std::deque<std::string> strings;
	std::deque<std::vector<int64_t>> shapes;
	std::deque<Onnx__TensorProto> tensors;
	std::deque<Onnx__AttributeProto> attributes;
	std::vector<Onnx__TensorProto *> tensor_list;
	std::vector<Onnx__AttributeProto *> attribute_list;
	std::vector<char *> inputs;

	char *keep(const char *text)
	{
		strings.emplace_back(text);
		return &strings.back()[0];
	}

public:
	void input(const char *name) { inputs.push_back(keep(name)); }
	void constant(const char *name, int type, std::vector<int64_t> shape, const void *data, size_t bytes)
	{
		Onnx__TensorProto t = ONNX__TENSOR_PROTO__INIT;

		shapes.push_back(std::move(shape));
		t.name = keep(name);
		t.n_dims = shapes.back().size();
		t.dims = shapes.back().data();
		t.has_data_type = t.has_raw_data = 1;
		t.data_type = type;
		t.raw_data = { bytes, static_cast<uint8_t *>(const_cast<void *>(data)) };
		tensors.push_back(t);
		input(name);
	}
	template <class T> void number(const char *name, int type, const T &value)
	{
		strings.emplace_back(reinterpret_cast<const char *>(&value), sizeof(value));
		constant(name, type, {}, strings.back().data(), sizeof(value));
	}
	void attribute(const char *name, int64_t value)
	{
		Onnx__AttributeProto a = ONNX__ATTRIBUTE_PROTO__INIT;

		a.name = keep(name);
		a.has_i = a.has_type = 1;
		a.i = value;
		a.type = 2;   // INT
		attributes.push_back(a);
	}
	// Input x [1, cols] and output y [1, rows] of the type
	std::vector<uint8_t> bytes(const char *op, const char *domain, uint32_t cols, uint32_t rows, int type)
	{
		Onnx__TensorShapeProto__Dimension one = ONNX__TENSOR_SHAPE_PROTO__DIMENSION__INIT, n[2] = { one, one };
		Onnx__TensorShapeProto__Dimension *dims[2][2] = { { &one, &n[0] }, { &one, &n[1] } };
		Onnx__TensorShapeProto shape[2] = { ONNX__TENSOR_SHAPE_PROTO__INIT, ONNX__TENSOR_SHAPE_PROTO__INIT };
		Onnx__TypeProto__Tensor tensor[2] = { ONNX__TYPE_PROTO__TENSOR__INIT, ONNX__TYPE_PROTO__TENSOR__INIT };
		Onnx__TypeProto types[2] = { ONNX__TYPE_PROTO__INIT, ONNX__TYPE_PROTO__INIT };
		Onnx__ValueInfoProto value[2] = { ONNX__VALUE_INFO_PROTO__INIT, ONNX__VALUE_INFO_PROTO__INIT }, *in = &value[0], *out = &value[1];
		Onnx__OperatorSetIdProto sets[2] = { ONNX__OPERATOR_SET_ID_PROTO__INIT, ONNX__OPERATOR_SET_ID_PROTO__INIT };
		Onnx__OperatorSetIdProto *set_list[2] = { &sets[0], &sets[1] };
		Onnx__NodeProto node = ONNX__NODE_PROTO__INIT, *nodes = &node;
		Onnx__GraphProto graph = ONNX__GRAPH_PROTO__INIT;
		Onnx__ModelProto model = ONNX__MODEL_PROTO__INIT;
		char *y = keep("y");

		one.has_dim_value = n[0].has_dim_value = n[1].has_dim_value = 1;
		one.dim_value = 1;
		n[0].dim_value = cols;
		n[1].dim_value = rows;
		for (int i = 0; i < 2; i++) {
			shape[i].n_dim = 2;
			shape[i].dim = dims[i];
			tensor[i].has_elem_type = 1;
			tensor[i].elem_type = type;
			tensor[i].shape = &shape[i];
			types[i].tensor_type = &tensor[i];
			value[i].name = keep(i ? "y" : "x");
			value[i].type = &types[i];
		}
		for (auto &t : tensors)
			tensor_list.push_back(&t);
		for (auto &a : attributes)
			attribute_list.push_back(&a);
		node.op_type = keep(op);
		node.domain = keep(domain);
		node.n_input = inputs.size();
		node.input = inputs.data();
		node.n_output = 1;
		node.output = &y;
		node.n_attribute = attribute_list.size();
		node.attribute = attribute_list.data();
		graph.name = keep("layer");
		graph.n_node = graph.n_input = graph.n_output = 1;
		graph.node = &nodes;
		graph.input = &in;
		graph.output = &out;
		graph.n_initializer = tensor_list.size();
		graph.initializer = tensor_list.data();
		sets[0].domain = keep("");
		sets[1].domain = keep("com.microsoft");
		sets[0].has_version = sets[1].has_version = 1;
		sets[0].version = 13;
		sets[1].version = 1;
		model.has_ir_version = 1;
		model.ir_version = 8;
		model.graph = &graph;
		model.n_opset_import = 2;
		model.opset_import = set_list;

		std::vector<uint8_t> packed(onnx__model_proto__get_packed_size(&model));

		onnx__model_proto__pack(&model, packed.data());
		return packed;
	}
};

// A session with memory of its own for x and y, so that a run allocates nothing.
template <class T> class Session {
	OrtEnv *env = nullptr;
	OrtSessionOptions *options = nullptr;
	OrtSession *session = nullptr;
	OrtMemoryInfo *memory = nullptr;
	OrtValue *in = nullptr, *out = nullptr;

	OrtValue *value(std::vector<T> &v, ONNXTensorElementDataType type)
	{
		const int64_t shape[] = { 1, (int64_t)v.size() };
		OrtValue *tensor;

		check(api()->CreateTensorWithDataAsOrtValue(memory, v.data(), v.size() * sizeof(T), shape, 2, type, &tensor));
		return tensor;
	}

protected:
	std::vector<T> x, y;

	Session(const peer_layer &l, std::vector<T> input) : x(std::move(input)), y(l.rows) {}
	~Session()
	{
		api()->ReleaseValue(in);
		api()->ReleaseValue(out);
		api()->ReleaseMemoryInfo(memory);
		api()->ReleaseSession(session);
		api()->ReleaseSessionOptions(options);
		api()->ReleaseEnv(env);
	}
	void start(const std::vector<uint8_t> &model, unsigned int threads, ONNXTensorElementDataType type)
	{
		check(api()->CreateEnv(ORT_LOGGING_LEVEL_ERROR, "eie", &env));
		check(api()->CreateSessionOptions(&options));
		check(api()->SetIntraOpNumThreads(options, (int)threads));
		check(api()->CreateSessionFromArray(env, model.data(), model.size(), options, &session));
		check(api()->CreateCpuMemoryInfo(OrtArenaAllocator, OrtMemTypeDefault, &memory));
		in = value(x, type);
		out = value(y, type);
	}

public:
	void run()
	{
		const char *const from[] = { "x" }, *const to[] = { "y" };

		check(api()->Run(session, nullptr, from, &in, 1, to, 1, &out));
	}
};

class Float : public Session<float> {
public:
	Float(const peer_layer &l, unsigned int threads) : Session(l, std::vector<float>(l.x, l.x + l.cols))
	{
		std::vector<float> w((size_t)l.rows * l.cols);
		Model m;

		for (uint32_t r = 0; r < l.rows; r++)
			for (uint32_t i = l.rowptr[r]; i < l.rowptr[r + 1]; i++)
				w[(size_t)l.col[i] * l.rows + r] = l.value[i];
		m.input("x");
		m.constant("w", FLOAT, { l.cols, l.rows }, w.data(), w.size() * sizeof(float));
		start(m.bytes("MatMul", "", l.cols, l.rows, FLOAT), threads, ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT);
	}
	void output(float *to) { std::copy(y.begin(), y.end(), to); }
};

class QLinear : public Session<uint8_t> {
	float scale;

public:
	QLinear(const peer_layer &l, unsigned int threads) : Session(l, quantised_input<uint8_t>(l, 255)), scale(l.y_max / 127)
	{
		const std::vector<int8_t> q = quantised_weights(l);
		std::vector<int8_t> w(q.size());
		Model m;

		for (uint32_t r = 0; r < l.rows; r++)
			for (uint32_t i = l.rowptr[r]; i < l.rowptr[r + 1]; i++)
				w[(size_t)l.col[i] * l.rows + r] = q[(size_t)r * l.cols + l.col[i]];
		m.input("x");
		m.number("xs", FLOAT, l.x_max / 255);
		m.number("xz", UINT8, (uint8_t)0);
		m.constant("w", INT8, { l.cols, l.rows }, w.data(), w.size());
		m.number("ws", FLOAT, l.weight_max / 127);
		m.number("wz", INT8, (int8_t)0);
		m.number("ys", FLOAT, scale);
		m.number("yz", UINT8, (uint8_t)128);
		start(m.bytes("QLinearMatMul", "", l.cols, l.rows, UINT8), threads, ONNX_TENSOR_ELEMENT_DATA_TYPE_UINT8);
	}
	void output(float *to)
	{
		std::transform(y.begin(), y.end(), to, [this](uint8_t v) { return (float)(v - 128) * scale; });
	}
};

// Blocks of 32 weights with a scale each; the fastest accuracy level, activations in 8 bits.
class NBits : public Session<float> {
	static constexpr uint32_t block = 32;

public:
	NBits(const peer_layer &l, unsigned int threads) : Session(l, std::vector<float>(l.x, l.x + l.cols))
	{
		const uint32_t blocks = (l.cols + block - 1) / block;
		std::vector<uint8_t> codes((size_t)l.rows * blocks * block / 2, 0x88);   // 8 is zero
		std::vector<float> scales((size_t)l.rows * blocks);
		Model m;

		for (uint32_t r = 0; r < l.rows; r++) {
			float *s = &scales[(size_t)r * blocks];

			for (uint32_t i = l.rowptr[r]; i < l.rowptr[r + 1]; i++)
				s[l.col[i] / block] = std::max(s[l.col[i] / block], std::fabs(l.value[i]) / 7);
			for (uint32_t i = l.rowptr[r]; i < l.rowptr[r + 1]; i++) {
				uint8_t &b = codes[((size_t)r * blocks * block + l.col[i]) / 2];
				const int shift = l.col[i] % 2 * 4, code = 8 + (int)std::lrint(l.value[i] / s[l.col[i] / block]);

				b = (uint8_t)((b & ~(15 << shift)) | code << shift);
			}
		}
		m.input("x");
		m.constant("w", UINT8, { l.rows, blocks, block / 2 }, codes.data(), codes.size());
		m.constant("s", FLOAT, { (int64_t)scales.size() }, scales.data(), scales.size() * sizeof(float));
		m.attribute("K", l.cols);
		m.attribute("N", l.rows);
		m.attribute("bits", 4);
		m.attribute("block_size", block);
		m.attribute("accuracy_level", 4);
		start(m.bytes("MatMulNBits", "com.microsoft", l.cols, l.rows, FLOAT), threads, ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT);
	}
	void output(float *to) { std::copy(y.begin(), y.end(), to); }
};

}

const peer ort_f32 = make_peer<Float>("ONNX Runtime f32", float_error);
const peer ort_qlinear = make_peer<QLinear>("ONNX Runtime QLinear", int8_error);
const peer ort_nbits = make_peer<NBits>("ONNX Runtime NBits", int4_error);

std::string ort_version()
{
	return std::string("ONNX Runtime ") + OrtGetApiBase()->GetVersionString();
}
