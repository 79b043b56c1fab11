// Flat C interface between the managed stand-in (Native.cs) and libtorch.
// A handle is an owned at::Tensor*. A call that fails returns 0 (handle) or -1 (status) and leaves its text in ts_last_error.
#pragma once
#define TORCH_ASSERT_ONLY_METHOD_OPERATORS
#include <ATen/core/Tensor.h>
#include <c10/util/Optional.h>
#include <cstring>
#include <exception>
#include <string>
#include <vector>

#define API extern "C" __attribute__((visibility("default")))

using at::Tensor;
using Handle = Tensor*;

void set_error(const std::exception& e);

inline Handle own(Tensor t) { return new Tensor(std::move(t)); }

/// Runs f, which returns a tensor.
template <class F>
Handle guarded(F f) noexcept {
    try { return own(f()); }
    catch (const std::exception& e) { set_error(e); return nullptr; }
}

/// Runs f for its effect.
template <class F>
int attempted(F f) noexcept {
    try { f(); return 0; }
    catch (const std::exception& e) { set_error(e); return -1; }
}

/// A number as the managed Scalar holds it: 0 whole, 1 floating (bits of a double), 2 truth value.
inline at::Scalar scalar(int kind, int64_t bits) {
    if (kind == 1) { double d; std::memcpy(&d, &bits, sizeof d); return at::Scalar(d); }
    return kind == 2 ? at::Scalar(bits != 0) : at::Scalar(bits);
}

inline at::ScalarType type_of(int dtype) { return static_cast<at::ScalarType>(dtype); }
inline c10::optional<at::ScalarType> maybe_type(int dtype) { return dtype < 0 ? c10::nullopt : c10::make_optional(type_of(dtype)); }
inline c10::optional<Tensor> maybe(Handle t) { return t ? c10::make_optional(*t) : c10::nullopt; }
inline std::vector<Tensor> list(Handle* handles, int count) {
    std::vector<Tensor> tensors;
    tensors.reserve(count);
    for (int i = 0; i < count; i++) tensors.push_back(*handles[i]);
    return tensors;
}
