// Torch operator pyamp::invariants: schema, CPU and CUDA implementations, autograd, and shapes without data.
#include <ATen/ATen.h>
#include <torch/csrc/autograd/custom_function.h>
#include <torch/library.h>
#ifdef PYAMP_WITH_CUDA
#include <c10/cuda/CUDAGuard.h>
#include <c10/cuda/CUDAStream.h>
#endif

#include "kinematics/invariants.h"

namespace pyamp {
namespace {

using kinematics::MomentaView;

void check_momenta(const at::Tensor& momenta, int64_t n_incoming) {
    TORCH_CHECK_VALUE(momenta.dim() == 3 && momenta.size(2) == 4, "pyamp::invariants: momenta have shape ",
                      momenta.sizes(), ", (n, legs, 4) expected");
    TORCH_CHECK_TYPE(momenta.scalar_type() == at::kDouble, "pyamp::invariants: momenta are ", momenta.scalar_type(),
                     ", float64 expected; convert with .double()");
    TORCH_CHECK_VALUE(n_incoming >= 0 && n_incoming <= momenta.size(1), "pyamp::invariants: n_incoming is ",
                      n_incoming, ", between 0 and the number of legs expected");
}

MomentaView view(const at::Tensor& momenta, int64_t n_incoming) {
    return {momenta.const_data_ptr<double>(),
            momenta.stride(0),
            momenta.stride(1),
            momenta.stride(2),
            static_cast<std::size_t>(momenta.size(0)),
            static_cast<int>(momenta.size(1)),
            static_cast<int>(n_incoming)};
}

/// An uninitialised result without reading data, so it serves the fake (Meta) implementation too.
at::Tensor empty_invariants(const at::Tensor& momenta, int64_t n_incoming) {
    check_momenta(momenta, n_incoming);
    const auto legs = momenta.sym_size(1);
    return at::empty_symint({momenta.sym_size(0), legs * (legs - 1) / 2}, momenta.options());
}

at::Tensor empty_gradient(const at::Tensor&, const at::Tensor& momenta, int64_t) {
    return at::empty_symint(momenta.sym_sizes(), momenta.options());
}

at::Tensor forward_cpu(const at::Tensor& momenta, int64_t n_incoming) {
    auto s = empty_invariants(momenta, n_incoming);
    kinematics::invariants_cpu(view(momenta, n_incoming), s.mutable_data_ptr<double>());
    return s;
}

at::Tensor backward_cpu(const at::Tensor& grad_s, const at::Tensor& momenta, int64_t n_incoming) {
    auto gradient = empty_gradient(grad_s, momenta, n_incoming);
    kinematics::invariants_backward_cpu(view(momenta, n_incoming), grad_s.contiguous().const_data_ptr<double>(),
                                        gradient.mutable_data_ptr<double>());
    return gradient;
}

at::Tensor forward_cuda(const at::Tensor& momenta, int64_t n_incoming) {
    auto s = empty_invariants(momenta, n_incoming);
    void* stream = nullptr;
#ifdef PYAMP_WITH_CUDA
    const c10::cuda::CUDAGuard guard(momenta.device());
    stream = c10::cuda::getCurrentCUDAStream().stream();
#endif
    kinematics::invariants_cuda(view(momenta, n_incoming), s.mutable_data_ptr<double>(), stream);
    return s;
}

at::Tensor backward_cuda(const at::Tensor& grad_s, const at::Tensor& momenta, int64_t n_incoming) {
    auto gradient = empty_gradient(grad_s, momenta, n_incoming);
    const auto grad = grad_s.contiguous();
    void* stream = nullptr;
#ifdef PYAMP_WITH_CUDA
    const c10::cuda::CUDAGuard guard(momenta.device());
    stream = c10::cuda::getCurrentCUDAStream().stream();
#endif
    kinematics::invariants_backward_cuda(view(momenta, n_incoming), grad.const_data_ptr<double>(),
                                         gradient.mutable_data_ptr<double>(), stream);
    return gradient;
}

at::Tensor invariants(const at::Tensor& momenta, int64_t n_incoming) {
    static const auto op = c10::Dispatcher::singleton()
                               .findSchemaOrThrow("pyamp::invariants", "")
                               .typed<at::Tensor(const at::Tensor&, int64_t)>();
    return op.call(momenta, n_incoming);
}

at::Tensor invariants_backward(const at::Tensor& grad_s, const at::Tensor& momenta, int64_t n_incoming) {
    static const auto op = c10::Dispatcher::singleton()
                               .findSchemaOrThrow("pyamp::invariants_backward", "")
                               .typed<at::Tensor(const at::Tensor&, const at::Tensor&, int64_t)>();
    return op.call(grad_s, momenta, n_incoming);
}

class Invariants : public torch::autograd::Function<Invariants> {
 public:
    static at::Tensor forward(torch::autograd::AutogradContext* context, const at::Tensor& momenta,
                              int64_t n_incoming) {
        at::AutoDispatchBelowADInplaceOrView below;
        context->save_for_backward({momenta});
        context->saved_data["n_incoming"] = n_incoming;
        return invariants(momenta, n_incoming);
    }

    static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                   const torch::autograd::variable_list& grads) {
        const auto momenta = context->get_saved_variables()[0];
        return {invariants_backward(grads[0], momenta, context->saved_data["n_incoming"].toInt()), at::Tensor()};
    }
};

/// The gradient is not differentiable in turn: asking for that is an error rather than a silent zero.
class InvariantsBackward : public torch::autograd::Function<InvariantsBackward> {
 public:
    static at::Tensor forward(torch::autograd::AutogradContext*, const at::Tensor& grad_s, const at::Tensor& momenta,
                              int64_t n_incoming) {
        at::AutoDispatchBelowADInplaceOrView below;
        return invariants_backward(grad_s, momenta, n_incoming);
    }

    static torch::autograd::variable_list backward(torch::autograd::AutogradContext*,
                                                   const torch::autograd::variable_list&) {
        TORCH_CHECK_NOT_IMPLEMENTED(false,
                                    "pyamp::invariants: second derivatives asked for, it is differentiable once; "
                                    "compute the invariants from Torch operations instead");
    }
};

at::Tensor backward_autograd(const at::Tensor& grad_s, const at::Tensor& momenta, int64_t n_incoming) {
    return InvariantsBackward::apply(grad_s, momenta, n_incoming);
}

at::Tensor forward_autograd(const at::Tensor& momenta, int64_t n_incoming) {
    return Invariants::apply(momenta, n_incoming);
}

}  // namespace
}  // namespace pyamp

TORCH_LIBRARY(pyamp, library) {
    library.def("invariants(Tensor momenta, int n_incoming=2) -> Tensor");
    library.def("invariants_backward(Tensor grad_s, Tensor momenta, int n_incoming) -> Tensor");
}

TORCH_LIBRARY_IMPL(pyamp, CPU, library) {
    library.impl("invariants", pyamp::forward_cpu);
    library.impl("invariants_backward", pyamp::backward_cpu);
}

TORCH_LIBRARY_IMPL(pyamp, CUDA, library) {
    library.impl("invariants", pyamp::forward_cuda);
    library.impl("invariants_backward", pyamp::backward_cuda);
}

TORCH_LIBRARY_IMPL(pyamp, Meta, library) {
    library.impl("invariants", pyamp::empty_invariants);
    library.impl("invariants_backward", pyamp::empty_gradient);
}

TORCH_LIBRARY_IMPL(pyamp, Autograd, library) {
    library.impl("invariants", pyamp::forward_autograd);
    library.impl("invariants_backward", pyamp::backward_autograd);
}
