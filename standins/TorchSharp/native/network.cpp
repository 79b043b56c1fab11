// Networks: layers, losses, gradients, optimizers.
#include "standin.h"
#include <ATen/core/grad_mode.h>
#include <ATen/ops/batch_norm.h>
#include <ATen/ops/binary_cross_entropy.h>
#include <ATen/ops/binary_cross_entropy_with_logits.h>
#include <ATen/ops/conv2d.h>
#include <ATen/ops/cross_entropy_loss.h>
#include <ATen/ops/dropout.h>
#include <ATen/ops/elu.h>
#include <ATen/ops/huber_loss.h>
#include <ATen/ops/l1_loss.h>
#include <ATen/ops/layer_norm.h>
#include <ATen/ops/leaky_relu.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/max_pool2d.h>
#include <ATen/ops/maximum.h>
#include <ATen/ops/mse_loss.h>
#include <ATen/ops/nll_loss.h>
#include <ATen/ops/one_hot.h>
#include <ATen/ops/smooth_l1_loss.h>
#include <ATen/ops/softplus.h>
#include <ATen/ops/stack.h>
#include <c10/core/GradMode.h>
#include <c10/core/InferenceMode.h>
#include <torch/csrc/autograd/autograd.h>
#include <cmath>

API Handle ts_linear(Handle x, Handle weight, Handle bias) { return guarded([&] { return at::linear(*x, *weight, maybe(bias)); }); }
API Handle ts_softmax(int log, Handle x, int64_t dim, int dtype) {
    return guarded([&] { return log ? x->log_softmax(dim, maybe_type(dtype)) : x->softmax(dim, maybe_type(dtype)); });
}
API Handle ts_activation(int op, Handle x, double a, double b, double c, int in_place) {
    return guarded([&]() -> Tensor {
        switch (op) {
            case 0: return in_place ? at::leaky_relu_(*x, a).alias() : at::leaky_relu(*x, a);
            case 1: return in_place ? at::elu_(*x, a, b, c).alias() : at::elu(*x, a, b, c);
            default: return at::softplus(*x, a, b);
        }
    });
}
API Handle ts_dropout(Handle x, double p, int train, int in_place) {
    return guarded([&]() -> Tensor { return in_place ? at::dropout_(*x, p, train != 0).alias() : at::dropout(*x, p, train != 0); });
}
API Handle ts_loss(int op, Handle x, Handle y, Handle weight, Handle positive, int64_t reduction, int64_t ignore_index, double p) {
    return guarded([&]() -> Tensor {
        switch (op) {
            case 0: return at::cross_entropy_loss(*x, *y, maybe(weight), reduction, ignore_index, p);
            case 1: return at::nll_loss(*x, *y, maybe(weight), reduction, ignore_index);
            case 2: return at::mse_loss(*x, *y, reduction);
            case 3: return at::l1_loss(*x, *y, reduction);
            case 4: return at::smooth_l1_loss(*x, *y, reduction, p);
            case 5: return at::huber_loss(*x, *y, reduction, p);
            case 6: return at::binary_cross_entropy(*x, *y, maybe(weight), reduction);
            default: return at::binary_cross_entropy_with_logits(*x, *y, maybe(weight), maybe(positive), reduction);
        }
    });
}
API Handle ts_batch_norm(Handle x, Handle weight, Handle bias, Handle mean, Handle variance, int train, double momentum, double eps) {
    return guarded([&] { return at::batch_norm(*x, maybe(weight), maybe(bias), maybe(mean), maybe(variance), train != 0, momentum, eps, false); });
}
API Handle ts_layer_norm(Handle x, const int64_t* shape, int count, Handle weight, Handle bias, double eps) {
    return guarded([&] { return at::layer_norm(*x, at::IntArrayRef(shape, count), maybe(weight), maybe(bias), eps, false); });
}
API Handle ts_conv2d(Handle x, Handle weight, Handle bias, const int64_t* g, int64_t groups) {
    return guarded([&] { return at::conv2d(*x, *weight, maybe(bias), at::IntArrayRef(g, 2), at::IntArrayRef(g + 2, 2), at::IntArrayRef(g + 4, 2), groups); });
}
API Handle ts_max_pool2d(Handle x, const int64_t* g, int ceil) {
    return guarded([&] { return at::max_pool2d(*x, at::IntArrayRef(g, 2), at::IntArrayRef(g + 2, 2), at::IntArrayRef(g + 4, 2), at::IntArrayRef(g + 6, 2), ceil != 0); });
}
API Handle ts_one_hot(Handle x, int64_t classes) { return guarded([&] { return at::one_hot(*x, classes); }); }

// Gradients

API int ts_backward(Handle* outputs, int count, Handle* gradients, int gradient_count, int retain, int create, Handle* inputs, int input_count) {
    return attempted([&] { torch::autograd::backward(list(outputs, count), list(gradients, gradient_count), retain != 0, create != 0, list(inputs, input_count)); });
}
API int ts_grad(Handle* outputs, int count, Handle* inputs, int input_count, Handle* gradients, int gradient_count, int retain, int create, int allow_unused, Handle* results) {
    return attempted([&] {
        auto found = torch::autograd::grad(list(outputs, count), list(inputs, input_count), list(gradients, gradient_count), retain != 0, create != 0, allow_unused != 0);
        for (int i = 0; i < input_count; i++) results[i] = found[i].defined() ? own(found[i]) : nullptr;
    });
}
API int ts_retain_grad(Handle t) { return attempted([&] { t->retain_grad(); }); }
API int ts_zero_grad(Handle* parameters, int count) {
    return attempted([&] {
        for (int i = 0; i < count; i++) {
            Tensor& gradient = parameters[i]->mutable_grad();
            if (gradient.defined()) gradient.detach_().zero_();
        }
    });
}
API int ts_clip_grad(Handle* parameters, int count, double limit, double p, double* norm) {
    return attempted([&] {
        c10::NoGradGuard no_grad;
        std::vector<Tensor> norms;
        for (int i = 0; i < count; i++)
            if (parameters[i]->grad().defined()) norms.push_back(std::isinf(p) ? parameters[i]->grad().abs().max() : parameters[i]->grad().norm(p));
        *norm = 0;
        if (norms.empty()) return;
        Tensor all = at::stack(norms);
        *norm = (std::isinf(p) ? all.max() : all.norm(p)).item().toDouble();
        double factor = limit / (*norm + 1e-6);
        if (factor >= 1) return;
        for (int i = 0; i < count; i++)
            if (parameters[i]->grad().defined()) parameters[i]->mutable_grad().mul_(factor);
    });
}

API int ts_grad_mode(int set) {
    int was = c10::GradMode::is_enabled();
    if (set >= 0) c10::GradMode::set_enabled(set != 0);
    return was;
}
API c10::InferenceMode* ts_inference_guard(int enabled) { return new c10::InferenceMode(enabled != 0); }
API void ts_inference_release(c10::InferenceMode* guard) { delete guard; }
API int ts_inference_mode() { return c10::InferenceMode::is_enabled(); }

// Optimizers: torch's own sequence of operations, so that results agree with PyTorch's to the last bit.

API int ts_sgd(Handle* parameters, Handle* buffers, int count, double lr, double momentum, double dampening, double decay, int nesterov, int maximize) {
    return attempted([&] {
        c10::NoGradGuard no_grad;
        for (int i = 0; i < count; i++) {
            Tensor gradient = parameters[i]->grad();
            if (!gradient.defined()) continue;
            if (decay != 0) gradient = gradient.add(*parameters[i], decay);
            if (momentum != 0) {
                if (buffers[i]) buffers[i]->mul_(momentum).add_(gradient, 1 - dampening);
                else buffers[i] = own(gradient.clone());
                gradient = nesterov ? gradient.add(*buffers[i], momentum) : *buffers[i];
            }
            parameters[i]->add_(gradient, maximize ? lr : -lr);
        }
    });
}
API int ts_adam(Handle* parameters, Handle* averages, Handle* squares, Handle* maxima, int64_t* steps, int count,
                double lr, double beta1, double beta2, double eps, double decay, int decoupled, int maximize) {
    return attempted([&] {
        c10::NoGradGuard no_grad;
        for (int i = 0; i < count; i++) {
            Tensor gradient = parameters[i]->grad();
            if (!gradient.defined()) continue;
            if (maximize) gradient = gradient.neg();
            double correction1 = 1 - std::pow(beta1, ++steps[i]), correction2 = 1 - std::pow(beta2, steps[i]);
            if (decay != 0) {
                if (decoupled) parameters[i]->mul_(1 - lr * decay);
                else gradient = gradient.add(*parameters[i], decay);
            }
            averages[i]->mul_(beta1).add_(gradient, 1 - beta1);
            squares[i]->mul_(beta2).addcmul_(gradient, gradient, 1 - beta2);
            if (maxima[i]) at::maximum_out(*maxima[i], *maxima[i], *squares[i]);
            Tensor scale = (maxima[i] ? *maxima[i] : *squares[i]).sqrt().div_(std::sqrt(correction2)).add_(eps);
            parameters[i]->addcdiv_(*averages[i], scale, -lr / correction1);
        }
    });
}
