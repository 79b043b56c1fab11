// Tensors: life, facts, creation, random numbers, arithmetic, shapes.
#include "standin.h"
#include <ATen/CPUGeneratorImpl.h>
#include <ATen/Parallel.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/full.h>
#include <ATen/ops/gelu.h>
#include <ATen/ops/randint.h>
#include <ATen/ops/randperm.h>
#include <ATen/ops/silu.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/where.h>
#include <ATen/ops/zeros.h>

static thread_local std::string last_error;

void set_error(const std::exception& e) {
    auto* torch_error = dynamic_cast<const c10::Error*>(&e);
    last_error = torch_error ? torch_error->what_without_backtrace() : e.what();
}

API const char* ts_last_error() { return last_error.c_str(); }
API void ts_free(Handle t) { delete t; }

API int64_t ts_info(int what, Handle t) {
    switch (what) {
        case 0: return t->dim();
        case 1: return t->numel();
        case 2: return static_cast<int64_t>(t->scalar_type());
        case 3: return t->requires_grad();
        case 4: return t->is_leaf();
        case 5: return t->is_contiguous();
        case 6: return t->element_size();
        default: return t->storage_offset();
    }
}
API int64_t ts_size(Handle t, int dim) { return t->size(dim); }
API void ts_sizes(Handle t, int64_t* sizes, int64_t* strides) {
    std::copy(t->sizes().begin(), t->sizes().end(), sizes);
    std::copy(t->strides().begin(), t->strides().end(), strides);
}
API void* ts_data(Handle t) { return t->data_ptr(); }
API int ts_set_requires_grad(Handle t, int value) { return attempted([&] { t->set_requires_grad(value != 0); }); }
API int ts_item(Handle t, int* kind, int64_t* bits) {
    return attempted([&] {
        at::Scalar s = t->item();
        *kind = s.isBoolean() ? 2 : s.isFloatingPoint() ? 1 : 0;
        if (*kind == 1) { double d = s.toDouble(); std::memcpy(bits, &d, sizeof d); }
        else *bits = s.toLong();
    });
}

// Creation

static c10::optional<at::Generator> maybe_generator(at::Generator* g) { return g ? c10::make_optional(*g) : c10::nullopt; }

static Tensor filled(Tensor t, int fill, const at::Scalar& value, at::Generator* g, bool requires_grad) {
    switch (fill) {
        case 1: t.zero_(); break;
        case 2: t.fill_(1); break;
        case 3: t.fill_(value); break;
        case 4: t.uniform_(0, 1, maybe_generator(g)); break;
        case 5: t.normal_(0, 1, maybe_generator(g)); break;
    }
    return requires_grad ? t.set_requires_grad(true) : t;
}

API Handle ts_create(int fill, const int64_t* sizes, int count, int dtype, int kind, int64_t bits, at::Generator* g, int requires_grad) {
    return guarded([&] { return filled(at::empty(at::IntArrayRef(sizes, count), type_of(dtype)), fill, scalar(kind, bits), g, requires_grad); });
}
API Handle ts_create_like(int fill, Handle t, int dtype, int kind, int64_t bits, int requires_grad) {
    return guarded([&] { return filled(at::empty(t->sizes(), type_of(dtype)), fill, scalar(kind, bits), nullptr, requires_grad); });
}
API Handle ts_arange(int kind0, int64_t bits0, int kind1, int64_t bits1, int kind2, int64_t bits2, int dtype) {
    return guarded([&] { return at::arange(scalar(kind0, bits0), scalar(kind1, bits1), scalar(kind2, bits2), type_of(dtype)); });
}
API Handle ts_randperm(int64_t n, int dtype, at::Generator* g) { return guarded([&] { return at::randperm(n, maybe_generator(g), type_of(dtype)); }); }
API Handle ts_randint(int64_t low, int64_t high, const int64_t* sizes, int count, int dtype, at::Generator* g) {
    return guarded([&] { return at::randint(low, high, at::IntArrayRef(sizes, count), maybe_generator(g), type_of(dtype)); });
}
API int ts_random_(int draw, Handle t, double a, double b, at::Generator* g) {
    return attempted([&] {
        auto generator = maybe_generator(g);
        switch (draw) {
            case 0: t->uniform_(a, b, generator); break;
            case 1: t->normal_(a, b, generator); break;
            default: t->bernoulli_(a, generator);
        }
    });
}

API at::Generator* ts_generator(int global, uint64_t seed) {
    return new at::Generator(global ? at::detail::getDefaultCPUGenerator() : at::detail::createCPUGenerator(seed));
}
API void ts_generator_free(at::Generator* g) { delete g; }
API uint64_t ts_generator_seed(at::Generator* g, int set, uint64_t seed) {
    std::lock_guard<std::mutex> lock(g->mutex());
    if (set) g->set_current_seed(seed);
    return g->current_seed();
}
API Handle ts_generator_state(at::Generator* g) { return guarded([&] { return g->get_state(); }); }
API int ts_generator_set_state(at::Generator* g, Handle state) { return attempted([&] { g->set_state(*state); }); }

API int ts_threads(int set) {
    if (set > 0) at::set_num_threads(set);
    return at::get_num_threads();
}

// Operations by code. The lists stand in the order of the enums in Native.cs.

using Unary = Tensor (*)(const Tensor&);
using UnaryInPlace = void (*)(Tensor&);
#define U(name) [](const Tensor& t) -> Tensor { return t.name(); },
static const Unary unary[] = {
    U(abs) U(neg) U(exp) U(log) U(log1p) U(sqrt) U(rsqrt) U(square) U(reciprocal) U(sigmoid) U(tanh) U(relu) U(logical_not)
    [](const Tensor& t) { return at::zeros(t.sizes(), t.options()); },
    [](const Tensor& t) { return at::silu(t); },
    [](const Tensor& t) { return at::gelu(t); },
    U(isnan) U(isinf) U(isfinite) U(detach) U(clone) U(contiguous) U(t) U(alias) U(nonzero) U(sum) U(mean) U(max) U(min) U(all) U(any) U(argmax) U(argmin) U(median)
};
#undef U
#define U(name) [](Tensor& t) { t.name##_(); },
static const UnaryInPlace unary_in_place[] = {
    U(abs) U(neg) U(exp) U(log) U(log1p) U(sqrt) U(rsqrt) U(square) U(reciprocal) U(sigmoid) U(tanh) U(relu) U(logical_not) U(zero)
};
#undef U

API Handle ts_unary(int op, Handle t) { return guarded([&] { return unary[op](*t); }); }
API int ts_unary_(int op, Handle t) { return attempted([&] { unary_in_place[op](*t); }); }

using Binary = Tensor (*)(const Tensor&, const Tensor&);
using BinaryInPlace = void (*)(Tensor&, const Tensor&);
#define B(name) [](const Tensor& a, const Tensor& b) -> Tensor { return a.name(b); },
static const Binary binary[] = {
    B(add) B(sub) B(mul) B(div) B(pow) B(eq) B(ne) B(lt) B(le) B(gt) B(ge) B(maximum) B(minimum) B(logical_and) B(logical_or) B(matmul) B(mm) B(bmm) B(dot)
};
#undef B
#define B(name) [](Tensor& a, const Tensor& b) { a.name##_(b); },
static const BinaryInPlace binary_in_place[] = { B(add) B(sub) B(mul) B(div) B(pow) };
#undef B

API Handle ts_binary(int op, Handle a, Handle b) { return guarded([&] { return binary[op](*a, *b); }); }
API int ts_binary_(int op, Handle a, Handle b) { return attempted([&] { binary_in_place[op](*a, *b); }); }

API Handle ts_scalar(int op, Handle t, int kind, int64_t bits) {
    return guarded([&]() -> Tensor {
        const Tensor& a = *t;
        at::Scalar s = scalar(kind, bits);
        switch (op) {
            case 0: return a.add(s);
            case 1: return a.sub(s);
            case 2: return a.mul(s);
            case 3: return a.div(s);
            case 4: return a.pow(s);
            case 5: return a.eq(s);
            case 6: return a.ne(s);
            case 7: return a.lt(s);
            case 8: return a.le(s);
            case 9: return a.gt(s);
            case 10: return a.ge(s);
            default: return a.neg().add(s); // rsub
        }
    });
}
API int ts_scalar_(int op, Handle t, int kind, int64_t bits) {
    return attempted([&] {
        at::Scalar s = scalar(kind, bits);
        switch (op) {
            case 0: t->add_(s); break;
            case 1: t->sub_(s); break;
            case 2: t->mul_(s); break;
            case 3: t->div_(s); break;
            case 4: t->pow_(s); break;
            default: t->fill_(s);
        }
    });
}
API Handle ts_ternary(int op, Handle a, Handle b, Handle c, int kind, int64_t bits) {
    return guarded([&]() -> Tensor {
        at::Scalar s = scalar(kind, bits);
        switch (op) {
            case 0: return a->addcmul(*b, *c, s);
            case 1: return a->addcdiv(*b, *c, s);
            case 2: return a->lerp(*b, *c);
            case 3: return a->add(*b, s);
            case 4: return at::where(*b, *a, *c);
            default: return a->masked_fill(*b, s);
        }
    });
}
API int ts_ternary_(int op, Handle a, Handle b, Handle c, int kind, int64_t bits) {
    return attempted([&] {
        at::Scalar s = scalar(kind, bits);
        switch (op) {
            case 0: a->addcmul_(*b, *c, s); break;
            case 1: a->addcdiv_(*b, *c, s); break;
            case 2: a->lerp_(*b, *c); break;
            case 3: a->add_(*b, s); break;
            default: a->masked_fill_(*b, s);
        }
    });
}
API Handle ts_clamp(Handle t, int has_min, int kind0, int64_t bits0, int has_max, int kind1, int64_t bits1, int in_place) {
    return guarded([&]() -> Tensor {
        c10::optional<at::Scalar> min, max;
        if (has_min) min = scalar(kind0, bits0);
        if (has_max) max = scalar(kind1, bits1);
        return in_place ? t->clamp_(min, max) : t->clamp(min, max);
    });
}
API int ts_allclose(Handle a, Handle b, double rtol, double atol, int equal_nan) {
    int result = 0;
    return attempted([&] { result = a->allclose(*b, rtol, atol, equal_nan != 0); }) < 0 ? -1 : result;
}

API Handle ts_reduce(int op, Handle t, const int64_t* dims, int count, int flag, int keepdim, int dtype, double p) {
    return guarded([&]() -> Tensor {
        at::IntArrayRef d(dims, count);
        bool keep = keepdim != 0;
        switch (op) {
            case 0: return count == 0 ? t->sum(maybe_type(dtype)) : t->sum(d, keep, maybe_type(dtype));
            case 1: return t->mean(d, keep, maybe_type(dtype));
            case 2: return t->all(dims[0], keep);
            case 3: return t->any(dims[0], keep);
            case 4: return t->argmax(dims[0], keep);
            case 5: return t->argmin(dims[0], keep);
            case 6: return t->std(d, flag != 0, keep);
            case 7: return t->var(d, flag != 0, keep);
            case 8: return t->norm(p, d, keep);
            case 9: return t->std(flag != 0);
            case 10: return t->var(flag != 0);
            default: return t->norm(p);
        }
    });
}
API Handle ts_pair(int op, Handle t, int64_t dim, int64_t k, int flag0, int flag1, Handle* second) {
    return guarded([&] {
        std::tuple<Tensor, Tensor> both =
            op == 0 ? t->max(dim, flag0 != 0)
            : op == 1 ? t->min(dim, flag0 != 0)
            : op == 2 ? t->sort(c10::make_optional(flag1 != 0), dim, flag0 != 0)
            : t->topk(k, dim, flag0 != 0, flag1 != 0);
        *second = own(std::get<1>(both));
        return std::get<0>(both);
    });
}

// Shapes and positions

API Handle ts_shape(int op, Handle t, const int64_t* args, int count) {
    return guarded([&]() -> Tensor {
        at::IntArrayRef a(args, count);
        switch (op) {
            case 0: return t->view(a);
            case 1: return t->reshape(a);
            case 2: return t->permute(a);
            case 3: return t->expand(a);
            case 4: return t->transpose(args[0], args[1]);
            case 5: return count == 0 ? t->squeeze() : t->squeeze(args[0]);
            case 6: return t->unsqueeze(args[0]);
            case 7: return t->narrow(args[0], args[1], args[2]);
            case 8: return t->slice(args[0], args[1], args[2], args[3]);
            case 9: return t->select(args[0], args[1]);
            default: return t->flatten(args[0], args[1]);
        }
    });
}
API Handle ts_indexed(int op, Handle t, int64_t dim, Handle index, Handle source, double alpha) {
    return guarded([&]() -> Tensor {
        switch (op) {
            case 0: return t->index_select(dim, *index);
            case 1: return t->gather(dim, *index);
            case 2: return t->scatter(dim, *index, *source);
            case 3: return t->index_add(dim, *index, *source, alpha);
            default: return t->masked_select(*index);
        }
    });
}
API int ts_indexed_(int op, Handle t, int64_t dim, Handle index, Handle source, double alpha) {
    return attempted([&] {
        if (op == 2) t->scatter_(dim, *index, *source);
        else t->index_add_(dim, *index, *source, alpha);
    });
}

static c10::List<c10::optional<Tensor>> positions(Handle* indices, int count) {
    c10::List<c10::optional<Tensor>> result;
    for (int i = 0; i < count; i++) result.push_back(maybe(indices[i]));
    return result;
}
API Handle ts_index(Handle t, Handle* indices, int count) { return guarded([&] { return t->index(positions(indices, count)); }); }
API int ts_index_put(Handle t, Handle* indices, int count, Handle value) { return attempted([&] { t->index_put_(positions(indices, count), *value); }); }
API Handle ts_join(int stack, Handle* tensors, int count, int64_t dim) {
    return guarded([&] { auto parts = list(tensors, count); return stack ? at::stack(parts, dim) : at::cat(parts, dim); });
}
API int ts_copy_(Handle t, Handle source, int non_blocking) { return attempted([&] { t->copy_(*source, non_blocking != 0); }); }
API Handle ts_to_type(Handle t, int dtype) { return guarded([&] { return t->to(type_of(dtype)); }); }
