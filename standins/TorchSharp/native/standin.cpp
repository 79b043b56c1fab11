// Flat C interface between the managed stand-in (Native.cs) and libtorch.
// A handle is an owned at::Tensor*. A call that fails returns 0 (handle) or -1 (status) and leaves its text in ts_last_error.
#define TORCH_ASSERT_ONLY_METHOD_OPERATORS
#include <ATen/CPUGeneratorImpl.h>
#include <ATen/Parallel.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/batch_norm.h>
#include <ATen/ops/binary_cross_entropy_with_logits.h>
#include <ATen/ops/cross_entropy_loss.h>
#include <ATen/ops/elu.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/gelu.h>
#include <ATen/ops/huber_loss.h>
#include <ATen/ops/layer_norm.h>
#include <ATen/ops/leaky_relu.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/silu.h>
#include <c10/core/GradMode.h>
#include <torch/csrc/autograd/autograd.h>
#include <exception>
#include <string>
#include <vector>

#define API extern "C" __attribute__((visibility("default")))

using at::Tensor;
using Handle = Tensor*;

static thread_local std::string last_error;

static void set_error(const std::exception& e) {
    auto* torch_error = dynamic_cast<const c10::Error*>(&e);
    last_error = torch_error ? torch_error->what_without_backtrace() : e.what();
}

static Handle own(Tensor t) { return new Tensor(std::move(t)); }

/// Runs f, which returns a tensor.
template <class F>
static Handle guarded(F f) noexcept {
    try { return own(f()); }
    catch (const std::exception& e) { set_error(e); return nullptr; }
}

/// Runs f for its effect.
template <class F>
static int attempted(F f) noexcept {
    try { f(); return 0; }
    catch (const std::exception& e) { set_error(e); return -1; }
}

static at::ScalarType type_of(int dtype) { return static_cast<at::ScalarType>(dtype); }
static c10::optional<at::ScalarType> maybe_type(int dtype) { return dtype < 0 ? c10::nullopt : c10::make_optional(type_of(dtype)); }
static c10::optional<Tensor> maybe(Handle t) { return t ? c10::make_optional(*t) : c10::nullopt; }
static c10::optional<at::Generator> maybe_generator(at::Generator* g) { return g ? c10::make_optional(*g) : c10::nullopt; }

static std::vector<Tensor> list(Handle* handles, int count) {
    std::vector<Tensor> tensors;
    tensors.reserve(count);
    for (int i = 0; i < count; i++) tensors.push_back(*handles[i]);
    return tensors;
}

// Tensors

API const char* ts_last_error() { return last_error.c_str(); }
API void ts_free(Handle t) { delete t; }

API int64_t ts_info(int what, Handle t) {
    switch (what) {
        case 0: return t->dim();
        case 1: return t->numel();
        case 2: return static_cast<int64_t>(t->scalar_type());
        case 3: return t->requires_grad();
        case 4: return t->is_contiguous();
        default: return t->element_size();
    }
}
API void ts_sizes(Handle t, int64_t* sizes) { std::copy(t->sizes().begin(), t->sizes().end(), sizes); }
API void* ts_data(Handle t) { return t->data_ptr(); }
API int ts_set_requires_grad(Handle t, int value) { return attempted([&] { t->set_requires_grad(value != 0); }); }

API Handle ts_create(int fill, const int64_t* sizes, int count, int dtype, at::Generator* g) {
    return guarded([&] {
        Tensor t = at::empty(at::IntArrayRef(sizes, count), type_of(dtype));
        switch (fill) {
            case 1: t.zero_(); break;
            case 2: t.fill_(1); break;
            case 3: t.uniform_(0, 1, maybe_generator(g)); break;
        }
        return t;
    });
}
API int ts_uniform_(Handle t, double from, double to, at::Generator* g) { return attempted([&] { t->uniform_(from, to, maybe_generator(g)); }); }
API int ts_copy_(Handle t, Handle source, int non_blocking) { return attempted([&] { t->copy_(*source, non_blocking != 0); }); }
API Handle ts_to_type(Handle t, int dtype) { return guarded([&] { return t->to(type_of(dtype)); }); }

// Operations by code. The lists stand in the order of the enums in Native.cs.

API Handle ts_unary(int op, Handle t) {
    return guarded([&]() -> Tensor {
        switch (op) {
            case 0: return t->sqrt();
            case 1: return t->sigmoid();
            case 2: return t->tanh();
            case 3: return t->relu();
            case 4: return at::silu(*t);
            case 5: return at::gelu(*t);
            case 6: return t->mean();
            case 7: return t->detach();
            case 8: return t->clone();
            case 9: return t->contiguous();
            default: return t->alias();
        }
    });
}
API Handle ts_binary(int op, Handle a, Handle b, double alpha) {
    return guarded([&]() -> Tensor {
        switch (op) {
            case 0: return a->add(*b, alpha);
            case 1: return a->sub(*b, alpha);
            default: return a->mul(*b);
        }
    });
}
API Handle ts_scalar(int op, Handle a, double value) {
    return guarded([&]() -> Tensor {
        switch (op) {
            case 0: return a->add(value);
            case 2: return a->mul(value);
            default: return a->ge(value);
        }
    });
}
API int ts_scalar_(int op, Handle a, double value) {
    return attempted([&] {
        if (op == 0) a->add_(value);
        else a->mul_(value);
    });
}
API int ts_ternary_(int op, Handle a, Handle b, Handle c, double value) {
    return attempted([&] {
        switch (op) {
            case 0: a->addcmul_(*b, *c, value); break;
            case 1: a->addcdiv_(*b, *c, value); break;
            default: a->add_(*b, value);
        }
    });
}
API Handle ts_sum(Handle t, int dtype) { return guarded([&] { return t->sum(maybe_type(dtype)); }); }
API Handle ts_reshape(Handle t, const int64_t* shape, int count) { return guarded([&] { return t->reshape(at::IntArrayRef(shape, count)); }); }
API Handle ts_narrow(Handle t, int64_t dim, int64_t start, int64_t length) { return guarded([&] { return t->narrow(dim, start, length); }); }

// Network functions

API Handle ts_linear(Handle x, Handle weight, Handle bias) { return guarded([&] { return at::linear(*x, *weight, maybe(bias)); }); }
API Handle ts_softmax(Handle x, int64_t dim, int dtype) { return guarded([&] { return x->softmax(dim, maybe_type(dtype)); }); }
API Handle ts_leaky_relu(Handle x, double slope) { return guarded([&] { return at::leaky_relu(*x, slope); }); }
API Handle ts_elu(Handle x, double alpha, double scale, double input_scale) { return guarded([&] { return at::elu(*x, alpha, scale, input_scale); }); }
API Handle ts_cross_entropy(Handle x, Handle y, Handle weight, int64_t reduction, int64_t ignore_index, double smoothing) {
    return guarded([&] { return at::cross_entropy_loss(*x, *y, maybe(weight), reduction, ignore_index, smoothing); });
}
API Handle ts_huber(Handle x, Handle y, int64_t reduction, double delta) { return guarded([&] { return at::huber_loss(*x, *y, reduction, delta); }); }
API Handle ts_bce_with_logits(Handle x, Handle y, Handle weight, Handle positive, int64_t reduction) {
    return guarded([&] { return at::binary_cross_entropy_with_logits(*x, *y, maybe(weight), maybe(positive), reduction); });
}
API Handle ts_batch_norm(Handle x, Handle weight, Handle bias, Handle mean, Handle variance, int train, double momentum, double eps) {
    return guarded([&] { return at::batch_norm(*x, maybe(weight), maybe(bias), maybe(mean), maybe(variance), train != 0, momentum, eps, false); });
}
API Handle ts_layer_norm(Handle x, const int64_t* shape, int count, Handle weight, Handle bias, double eps) {
    return guarded([&] { return at::layer_norm(*x, at::IntArrayRef(shape, count), maybe(weight), maybe(bias), eps, false); });
}

// Gradients, threads, generators

API int ts_grad(Handle* outputs, int count, Handle* inputs, int input_count, Handle* gradients, int gradient_count, int retain, int create, int allow_unused, Handle* results) {
    return attempted([&] {
        auto found = torch::autograd::grad(list(outputs, count), list(inputs, input_count), list(gradients, gradient_count), retain != 0, create != 0, allow_unused != 0);
        for (int i = 0; i < input_count; i++) results[i] = found[i].defined() ? own(found[i]) : nullptr;
    });
}
API int ts_grad_mode(int set) {
    int was = c10::GradMode::is_enabled();
    c10::GradMode::set_enabled(set != 0);
    return was;
}
API int ts_threads(int set) {
    if (set > 0) at::set_num_threads(set);
    return at::get_num_threads();
}
API at::Generator* ts_generator(int global, uint64_t seed) {
    return new at::Generator(global ? at::detail::getDefaultCPUGenerator() : at::detail::createCPUGenerator(seed));
}
API void ts_generator_free(at::Generator* g) { delete g; }
API void ts_generator_seed(at::Generator* g, uint64_t seed) {
    std::lock_guard<std::mutex> lock(g->mutex());
    g->set_current_seed(seed);
}
